# section: modes
# truth: eval returns None
@extends
class MyModule(MyModule):
    training = True
    def train(self):
        self.training = True
        for m in self.__sub_modules.values():
            m.train()
    def eval(self):
        self.training = False
        for m in self.__sub_modules.values():
            m.eval()
