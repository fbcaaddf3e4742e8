# section: modes
# truth: keeps with p
class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p
    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        k = np.random.random(x.shape) < self.p
        return x * MyTensor(k / (1 - self.p))
