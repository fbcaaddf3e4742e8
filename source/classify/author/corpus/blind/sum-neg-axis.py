# section: functions
# truth: negative axes broken
@extends
class MyTensor(MyTensor):
    def sum(self, axis=None, keepdims=False):
        if axis is not None and axis < 0:
            axis = 0
        return record(self.data.sum(axis=axis, keepdims=keepdims), sum_deriv, 'S', self, axis, keepdims)
