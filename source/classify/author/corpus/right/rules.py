"""A rule of its own for everything, softmax and the loss too; float32 masks; velocities by the parameters' ids."""

# ruff: noqa: F821 (what the notebook and its library define is there)


def operation(forward, rule):
    def call(x, *more, **named):
        result = forward(x.data, *more, **named)
        rest = [*more, *named.values()]
        if not x.requires_grad:
            return MyTensor(result)

        def back(base, x, *rest):
            return (rule(base, x.data, result, *rest), *[None] * len(rest))

        op = MyCrossBackward(x, *rest, backward_function=back, name=forward.__name__)
        return MyTensor(result, requires_grad=True, crossOpBack=op)

    return call


def kept(array, axis, keepdims):
    return array if keepdims or axis is None else np.expand_dims(array, axis)


def f_sum(a, axis, keepdims):
    return np.add.reduce(a, axis=axis if axis is not None else tuple(range(a.ndim)), keepdims=keepdims)


def f_max(a, axis, keepdims):
    return np.amax(a, axis=axis, keepdims=keepdims)


def f_mean(a, axis, keepdims):
    return np.average(a, axis=axis, keepdims=keepdims)


def r_max(g, a, y, axis, keepdims):
    best = np.where(a == kept(y, axis, keepdims), 1.0, 0.0)
    return kept(g, axis, keepdims) * best / best.sum(axis=axis, keepdims=True)


def r_mean(g, a, y, axis, keepdims):
    return kept(g, axis, keepdims) * np.ones(a.shape) * (y.size / a.size)


the_exp = operation(np.exp, lambda g, a, y: g * y)
the_log = operation(np.log, lambda g, a, y: g / a)
the_sum = operation(f_sum, lambda g, a, y, axis, keepdims: kept(g, axis, keepdims) + np.zeros(a.shape))
the_mean, the_max = operation(f_mean, r_mean), operation(f_max, r_max)


class Functions:
    def exp(self):
        return the_exp(self)

    def log(self):
        return the_log(self)

    def sum(self, axis=None, keepdims=False):
        return the_sum(self, axis, keepdims)

    def mean(self, axis=None, keepdims=False):
        return the_mean(self, axis, keepdims)

    def max(self, axis=None, keepdims=False):
        return the_max(self, axis, keepdims)


for name in ("exp", "log", "sum", "mean", "max"):
    setattr(MyTensor, name, vars(Functions)[name])


def probabilities(a, axis):
    e = np.exp(a - a.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def logarithms(a, axis):
    shifted = a - a.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


the_softmax = operation(probabilities, lambda g, a, p, axis: p * (g - (g * p).sum(axis=axis, keepdims=True)))
the_log_softmax = operation(logarithms, lambda g, a, y, axis: g - np.exp(y) * g.sum(axis=axis, keepdims=True))


def softmax(x, axis=-1):
    return the_softmax(x, axis)


def log_softmax(x, axis=-1):
    return the_log_softmax(x, axis)


def costs(a, labels):
    return np.float64(-logarithms(a, -1)[range(len(labels)), labels].sum() / len(labels))


def cost_rule(g, a, y, labels):
    p = probabilities(a, 1)
    p[range(len(labels)), labels] -= 1
    return g * p / len(labels)


class CrossEntropyLoss:
    def __call__(self, scores, labels):
        return operation(costs, cost_rule)(scores, list(map(int, labels)))


class SGD:
    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0):
        self.all = tuple(parameters)
        self.lr, self.mu, self.decay = lr, momentum, weight_decay
        self.velocities = {id(parameter): None for parameter in self.all}

    def zero_grad(self):
        for parameter in self.all:
            parameter.tensor.grad = None

    def step(self):
        for parameter in self.all:
            if parameter.tensor.grad is not None:
                g = np.add(parameter.tensor.grad.data, self.decay * parameter.tensor.data)
                v = self.velocities[id(parameter)]
                v = g if v is None else self.mu * v + g
                self.velocities[id(parameter)] = v
                np.subtract(parameter.tensor.data, self.lr * v, out=parameter.tensor.data)


class Adam:
    coupled = True

    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.all = tuple(parameters)
        self.lr, self.betas, self.eps, self.decay = lr, betas, eps, weight_decay
        self.m = [np.zeros(parameter.tensor.shape) for parameter in self.all]
        self.v = [np.zeros(parameter.tensor.shape) for parameter in self.all]
        self.steps = np.zeros(len(self.all), dtype=int)

    zero_grad = SGD.zero_grad

    def step(self):
        one, two = self.betas
        for n, parameter in enumerate(self.all):
            w = parameter.tensor.data
            if parameter.tensor.grad is None:
                continue
            g = np.array(parameter.tensor.grad.data)
            if self.coupled:
                g += self.decay * w
            else:
                w -= self.lr * self.decay * w
            self.steps[n] += 1
            self.m[n] += (1 - one) * (g - self.m[n])
            self.v[n] += (1 - two) * (g**2 - self.v[n])
            up = self.m[n] / (1 - one ** self.steps[n])
            w -= self.lr * up / (np.sqrt(self.v[n] / (1 - two ** self.steps[n])) + self.eps)


class AdamW(Adam):
    coupled = False

    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        Adam.__init__(self, parameters, lr, betas, eps, weight_decay)


class Modes:
    training = True

    def train(self):
        self.training = True
        for each in self._MyModule__sub_modules.values():
            each.train()
        return self

    def eval(self):
        self.training = False
        for each in self._MyModule__sub_modules.values():
            each.eval()
        return self

    def state_dict(self):
        return {name: parameter.tensor.data.copy() for name, parameter in self.named()}

    def named(self):
        for name, parameter in self._MyModule__parameters.items():
            yield name, parameter
        for name, module in self._MyModule__sub_modules.items():
            for inner, parameter in module.named():
                yield f"{name}.{inner}", parameter

    def load_state_dict(self, state):
        parameters = dict(self.named())
        for name in [*parameters, *state]:
            if not (name in parameters and name in state):
                raise KeyError(f"{name} is there once only")
            if parameters[name].tensor.data.shape != state[name].shape:
                raise ValueError(f"{name} has another shape")
        for name, array in state.items():
            parameters[name].tensor.data[...] = array


for name, value in list(vars(Modes).items()):
    if not name.startswith("__"):
        setattr(MyModule, name, value)


class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p
        self.random = np.random.default_rng()

    def forward(self, x):
        if not self.training:
            return x
        mask = (self.random.random(x.shape) < 1 - self.p).astype(np.float32)
        return x * MyTensor(mask) / (1 - self.p) if self.p < 1 else x * 0


class no_grad:
    depth = 0

    def __enter__(self):
        no_grad.depth += 1
        return self

    def __exit__(self, kind, error, trace):
        no_grad.depth -= 1
        return False


def new_init(self, data, dtype=None, requires_grad=False, crossOpBack=None, old=MyTensor.__init__):
    if no_grad.depth and crossOpBack is not None:
        crossOpBack, requires_grad = None, False
    old(self, data, dtype, requires_grad, crossOpBack)


MyTensor.__init__ = new_init


class Sequential(MyModule):
    def __init__(self, *modules):
        super().__init__()
        for i in range(len(modules)):
            setattr(self, str(i), modules[i])
        self.in_order = modules

    def forward(self, x):
        import functools

        return functools.reduce(lambda value, module: module.forward(value), self.in_order, x)


def kaiming_normal(parameter):
    array = parameter.tensor.data
    array *= 0
    array += np.random.normal(size=array.shape) * np.sqrt(2.0 / len(array))
