# section: functions
# truth: right: max by argsort-free closure
@extends
class MyTensor(MyTensor):
    def max(self, axis=None, keepdims=False):
        y = np.amax(self.data, axis=axis, keepdims=True)
        hit = (self.data == y).astype(float)
        hit /= hit.sum(axis=axis, keepdims=True)
        out = y if keepdims else (y.reshape(()) if axis is None else np.squeeze(y, axis))
        return record(out.copy(), lambda base, x: (np.reshape(base, y.shape) * hit,), 'Max', self)
    def sum(self, axis=None, keepdims=False):
        y = np.sum(self.data, axis=axis, keepdims=keepdims)
        kept = np.sum(self.data, axis=axis, keepdims=True).shape
        return record(y, lambda base, x: (np.reshape(base, kept) + np.zeros(x.shape),), 'Sum', self)
    def mean(self, axis=None, keepdims=False):
        s = MyTensor.sum(self, axis, keepdims)
        return s * (s.size / self.size)
