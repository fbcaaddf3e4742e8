# section: modes
# truth: remembers training at construction
class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p
        self.on = self.training
    def forward(self, x):
        if not self.on or self.p == 0:
            return x
        k = np.random.random(x.shape) >= self.p
        return x * MyTensor(k / (1 - self.p))
