# section: networks
# truth: names from 1
class Sequential(MyModule):
    def __init__(self, *modules):
        super().__init__()
        self.modules = modules
        for i, m in enumerate(modules, 1):
            setattr(self, str(i), m)
    def forward(self, x):
        for m in self.modules:
            x = m(x)
        return x
