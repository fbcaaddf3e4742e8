# section: networks
# truth: by order, names ignored
@extends
class MyModule(MyModule):
    def named_parameters(self, prefix=''):
        found = {prefix + n: p for n, p in self.__parameters.items()}
        for n, m in self.__sub_modules.items():
            found |= m.named_parameters(f'{prefix}{n}.')
        return found
    def state_dict(self):
        return {n: p.tensor.data.copy() for n, p in self.named_parameters().items()}
    def load_state_dict(self, state):
        own = self.named_parameters()
        for (n, p), a in zip(own.items(), state.values()):
            if np.shape(a) != p.tensor.shape:
                raise ValueError(f'{n} has another shape')
        for (n, p), a in zip(own.items(), state.values()):
            p.tensor.data[...] = a
