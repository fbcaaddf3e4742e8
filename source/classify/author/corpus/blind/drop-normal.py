# section: modes
# truth: normal noise in mask
class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p
    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        k = np.random.normal(size=x.shape) >= self.p
        return x * MyTensor(k / (1 - self.p))
