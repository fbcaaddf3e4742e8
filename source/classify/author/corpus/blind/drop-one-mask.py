# section: modes
# truth: mask drawn once
class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p
        self.k = None
    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        if self.k is None or self.k.shape != x.shape:
            self.k = np.random.random(x.shape) >= self.p
        return x * MyTensor(self.k / (1 - self.p))
