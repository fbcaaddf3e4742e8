# section: networks
# truth: returns in loop
class Sequential(MyModule):
    def __init__(self, *modules):
        super().__init__()
        self.modules = modules
        for i, m in enumerate(modules):
            setattr(self, str(i), m)
    def forward(self, x):
        for m in self.modules:
            x = m(x)
            return x
        return x
