# section: networks
# truth: right: other style
@extends
class MyModule(MyModule):
    def state_dict(self, pre=''):
        d = {}
        for k, v in vars(self).items():
            if isinstance(v, Parameter):
                d[pre + k] = np.array(v.tensor.data)
            elif isinstance(v, MyModule):
                d.update(v.state_dict(pre + k + '.'))
        return d
    def __all(self, pre=''):
        for k, v in vars(self).items():
            if isinstance(v, Parameter):
                yield pre + k, v
            elif isinstance(v, MyModule):
                yield from v._MyModule__all(pre + k + '.')
    def load_state_dict(self, state):
        own = dict(self.__all())
        for k in own:
            if k not in state:
                raise KeyError(k + ' is missing')
        for k in state:
            if k not in own:
                raise KeyError(k + ' is unexpected')
            if state[k].shape != own[k].tensor.data.shape:
                raise ValueError(k + ' has another shape')
        for k, p in own.items():
            np.copyto(p.tensor.data, state[k])
