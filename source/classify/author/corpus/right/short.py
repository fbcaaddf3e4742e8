"""As short as it gets: `record` for all, lambdas, one class of optimizers."""

# ruff: noqa: F821, E731 (what the notebook and its library define is there)


def record(values, rule, x, *more):
    op = MyCrossBackward(x, *more, backward_function=rule, name="op") if x.requires_grad else None
    return MyTensor(values, requires_grad=x.requires_grad, crossOpBack=op)


def back(base, x, axis, keepdims):
    return np.expand_dims(base, axis) if axis is not None and not keepdims else base


def tie(x, axis):
    same = (x.data == x.data.max(axis, keepdims=True)) * 1.0
    return same / same.sum(axis, keepdims=True)


MyTensor.exp = lambda x: record(np.exp(x.data), lambda b, x: (b * np.exp(x.data),), x)
MyTensor.log = lambda x: record(np.log(x.data), lambda b, x: (b / x.data,), x)
MyTensor.sum = lambda x, axis=None, keepdims=False: record(
    x.data.sum(axis, keepdims=keepdims), lambda b, *xs: (back(b, *xs) * np.ones(x.shape), None, None), x, axis, keepdims
)
MyTensor.max = lambda x, axis=None, keepdims=False: record(
    x.data.max(axis, keepdims=keepdims), lambda b, *xs: (back(b, *xs) * tie(x, axis), None, None), x, axis, keepdims
)
MyTensor.mean = lambda x, *args, **more: x.sum(*args, **more) / (x.size / x.sum(*args, **more).size)


def log_softmax(x, axis=-1):
    x = x - x.max(axis, True)
    return x - x.exp().sum(axis, True).log()


softmax = lambda x, axis=-1: log_softmax(x, axis).exp()
CrossEntropyLoss = lambda: lambda x, labels: -(log_softmax(x) * np.eye(x.shape[1])[labels]).sum(1).mean()


class SGD:
    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0):
        self.__dict__.update(ps=list(parameters), lr=lr, mu=momentum, wd=weight_decay, state={})

    def zero_grad(self):
        for p in self.ps:
            p.tensor.grad = None

    def step(self):
        for p in self.ps:
            if p.tensor.grad:
                self.move(p, p.tensor.data, p.tensor.grad.data)

    def move(self, p, w, g):
        self.state[p] = self.mu * self.state.get(p, 0) + g + self.wd * w
        w -= self.lr * self.state[p]


class Adam(SGD):
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(parameters, lr, 0, weight_decay)
        self.b, self.eps = betas, eps

    def move(self, p, w, g):
        self.adam(p, w, g + self.wd * w)

    def adam(self, p, w, g):
        (a, b), (m, v, t) = self.b, self.state.get(p, (0, 0, 0))
        m, v, t = self.state[p] = a * m + (1 - a) * g, b * v + (1 - b) * g * g, t + 1
        w -= self.lr * m / (1 - a**t) / (self.eps + (v / (1 - b**t)) ** 0.5)


class AdamW(Adam):
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def move(self, p, w, g):
        w *= 1 - self.lr * self.wd
        self.adam(p, w, g)


def mode(module, on):
    module.training = on
    [mode(each, on) for each in vars(module).values() if isinstance(each, MyModule)]
    return module


def parts(module, of=""):
    for name, each in vars(module).items():
        if isinstance(each, Parameter):
            yield of + name, each.tensor.data
        if isinstance(each, MyModule):
            yield from parts(each, f"{of}{name}.")


def load(self, state):
    own = dict(parts(self))
    if own.keys() ^ state.keys():
        raise KeyError(f"names that only one has: {own.keys() ^ state.keys()}")
    if any(own[name].shape != state[name].shape for name in own):
        raise ValueError(f"shapes do not fit: {[name for name in own if own[name].shape != state[name].shape]}")
    for name in own:
        own[name][...] = state[name]


MyModule.training = True
MyModule.train, MyModule.eval = lambda self: mode(self, True), lambda self: mode(self, False)
MyModule.state_dict = lambda self: {name: array + 0 for name, array in parts(self)}
MyModule.load_state_dict = load


class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        return x * ((np.random.rand(*x.shape) > self.p) / (1 - self.p)) if self.training else x


class no_grad:
    off = False

    def __enter__(self):
        self.was, no_grad.off = no_grad.off, True

    def __exit__(self, *error):
        no_grad.off = self.was


class Grown:
    born = MyTensor.__init__

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        off = no_grad.off and crossOpBack
        Grown.born(self, data, dtype, requires_grad and not off, None if off else crossOpBack)


MyTensor.__init__ = Grown.__init__


class Sequential(MyModule):
    def __init__(self, *modules):
        super().__init__()
        for i, module in enumerate(modules):
            setattr(self, str(i), module)
        self.call = modules

    def forward(self, x):
        for module in self.call:
            x = module(x)
        return x


def kaiming_normal(parameter):
    w = parameter.tensor.data
    w[...] = np.random.normal(0, (2 / w.shape[0]) ** 0.5, w.shape)
