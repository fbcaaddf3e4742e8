# section: modes
# truth: right: modes by vars
@extends
class MyModule(MyModule):
    def __modes(self, flag):
        self.training = flag
        for v in vars(self).values():
            if isinstance(v, MyModule):
                v._MyModule__modes(flag)
        return self
    training = True
    def train(self):
        return self.__modes(True)
    def eval(self):
        return self.__modes(False)
