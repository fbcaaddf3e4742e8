# section: modes
# truth: eval times (1-p), training unscaled
class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p
    def forward(self, x):
        if not self.training or self.p == 0:
            return x * (1 - self.p)
        k = np.random.random(x.shape) >= self.p
        return x * MyTensor(k * 1.0)
