# section: modes
# truth: right: own generator
class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p
        self.rng = np.random.default_rng()
    def forward(self, x):
        if self.training and self.p:
            mask = self.rng.binomial(1, 1 - self.p, size=x.shape)
            return x / (1 - self.p) * MyTensor(mask.astype(float))
        return x * 1
