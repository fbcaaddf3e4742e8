# section: networks
# truth: names by class
class Sequential(MyModule):
    def __init__(self, *modules):
        super().__init__()
        self.modules = modules
        for i, m in enumerate(modules):
            setattr(self, f'{type(m).__name__}{i}', m)
    def forward(self, x):
        for m in self.modules:
            x = m(x)
        return x
