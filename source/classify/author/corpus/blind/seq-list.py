# section: networks
# truth: list not registered
class Sequential(MyModule):
    def __init__(self, *modules):
        super().__init__()
        self.modules = list(modules)
    def forward(self, x):
        for m in self.modules:
            x = m(x)
        return x
