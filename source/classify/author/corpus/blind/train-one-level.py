# section: modes
# truth: eval reaches one level
@extends
class MyModule(MyModule):
    training = True
    def train(self):
        self.training = True
        for m in self.__sub_modules.values():
            m.training = True
        return self
    def eval(self):
        self.training = False
        for m in self.__sub_modules.values():
            m.training = False
        return self
