# section: networks
# truth: missing names allowed
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
        if set(state) - set(own):
            raise KeyError('names differ')
        for n, p in own.items():
            if n not in state:
                continue
            if np.shape(state[n]) != p.tensor.shape:
                raise ValueError(f'{n} has another shape')
        for n, p in own.items():
            if n in state:
             p.tensor.data[...] = state[n]
