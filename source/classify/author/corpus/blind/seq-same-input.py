# section: networks
# truth: each gets the first input
class Sequential(MyModule):
    def __init__(self, *modules):
        super().__init__()
        self.modules = modules
        for i, m in enumerate(modules):
            setattr(self, str(i), m)
    def forward(self, x):
        y = x
        for m in self.modules:
            y = m(x)
        return y
