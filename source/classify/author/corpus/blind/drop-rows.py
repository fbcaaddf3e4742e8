# section: modes
# truth: one mask per row
class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p
    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        k = np.random.random((x.shape[0],) + (1,) * (len(x.shape) - 1)) >= self.p
        return x * MyTensor(k / (1 - self.p))
