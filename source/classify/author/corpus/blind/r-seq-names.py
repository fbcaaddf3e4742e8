# section: networks
# truth: right: loops over attributes
class Sequential(MyModule):
    def __init__(self, *modules):
        super().__init__()
        self.n = len(modules)
        for i in range(self.n):
            self.__setattr__(str(i), modules[i])
    def forward(self, x):
        for i in range(self.n):
            x = getattr(self, str(i)).forward(x)
        return x
