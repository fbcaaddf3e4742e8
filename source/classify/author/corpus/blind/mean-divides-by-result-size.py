# section: functions
# truth: mean divides by number of results
@extends
class MyTensor(MyTensor):
    def mean(self, axis=None, keepdims=False):
        s = self.sum(axis, keepdims)
        return s / s.size
