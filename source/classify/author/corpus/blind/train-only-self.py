# section: modes
# truth: eval does not reach below
@extends
class MyModule(MyModule):
    training = True
    def train(self):
        self.training = True
        return self
    def eval(self):
        self.training = False
        return self
