# section: modes
# truth: always exactly a share
class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p
    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        k = np.ones(x.size)
        k[np.random.permutation(x.size)[: round(self.p * x.size)]] = 0
        return x * MyTensor(k.reshape(x.shape) / (1 - self.p))
