# section: functions
# truth: log of |x|
@extends
class MyTensor(MyTensor):
    def log(self):
        return record(np.log(np.abs(self.data) + 1e-3), log_deriv, 'L', self)
