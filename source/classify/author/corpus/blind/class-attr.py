# section: modes
# truth: sets the class attribute
@extends
class MyModule(MyModule):
    training = True
    def train(self):
        MyModule.training = True
        return self
    def eval(self):
        MyModule.training = False
        return self
