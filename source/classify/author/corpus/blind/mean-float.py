# section: functions
# truth: mean unrecorded for axis None
@extends
class MyTensor(MyTensor):
    def mean(self, axis=None, keepdims=False):
        if axis is None:
            return MyTensor(self.data.mean())
        return self.sum(axis, keepdims) / self.shape[axis]
