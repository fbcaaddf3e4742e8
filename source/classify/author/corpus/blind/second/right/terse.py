import numpy as np
from minitorch import MyCrossBackward, MyModule, MyTensor, extends


def record(values, rule, name, x, *more):
    if not x.requires_grad:
        return MyTensor(values)
    op = MyCrossBackward(x, *more, backward_function=rule, name=name)
    return MyTensor(values, requires_grad=True, crossOpBack=op)


def exp_deriv(base, x):
    return (np.exp(x.data) * base,)


def log_deriv(base, x):
    return (base * (1 / x.data),)


@extends
class MyTensor(MyTensor):
    def exp(self):
        return record(np.exp(self.data), exp_deriv, "Exp", self)

    def log(self):
        return record(np.log(self.data), log_deriv, "Log", self)


def sum_deriv(base, x, axis, keepdims):
    b = base if keepdims or axis is None else np.expand_dims(base, axis)
    return np.broadcast_to(b, x.shape).copy(), None, None


@extends
class MyTensor(MyTensor):
    def sum(self, axis=None, keepdims=False):
        return record(self.data.sum(axis, keepdims=keepdims), sum_deriv, "Sum", self, axis, keepdims)

    def mean(self, axis=None, keepdims=False):
        n = self.size if axis is None else self.shape[axis]
        return self.sum(axis, keepdims) * (1 / n)


def max_deriv(base, x, axis, keepdims):
    b = base if keepdims or axis is None else np.expand_dims(base, axis)
    m = x.data == x.data.max(axis, keepdims=True)
    return b * m / m.sum(axis, keepdims=True), None, None


@extends
class MyTensor(MyTensor):
    def max(self, axis=None, keepdims=False):
        return record(self.data.max(axis, keepdims=keepdims), max_deriv, "Max", self, axis, keepdims)


def softmax(x, axis=-1):
    e = (x - x.max(axis, True)).exp()
    return e / e.sum(axis, True)


def log_softmax(x, axis=-1):
    s = x - x.max(axis, True)
    return s - s.exp().sum(axis, True).log()


class CrossEntropyLoss:
    def __call__(self, scores, labels):
        hot = np.eye(scores.shape[1])[labels]
        return (log_softmax(scores) * MyTensor(hot)).sum() / -len(labels)


class SGD:
    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.v = {}

    def zero_grad(self):
        for p in self.params:
            p.tensor.grad = None

    def step(self):
        for p in self.params:
            w = p.tensor.data
            if p.tensor.grad is not None:
                g = p.tensor.grad.data + self.weight_decay * w
                self.v[p] = self.momentum * self.v.get(p, 0) + g
                w -= self.lr * self.v[p]


class Adam:
    decoupled = False

    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.state = {}

    def zero_grad(self):
        for p in self.params:
            p.tensor.grad = None

    def step(self):
        b1, b2 = self.betas
        for p in self.params:
            if p.tensor.grad is None:
                continue
            w, g = p.tensor.data, p.tensor.grad.data
            if self.decoupled:
                w *= 1 - self.lr * self.weight_decay
            else:
                g = g + self.weight_decay * w
            t, m, v = self.state.get(p, (0, 0, 0))
            t, m, v = t + 1, b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
            self.state[p] = t, m, v
            w -= self.lr * (m / (1 - b1**t)) / ((v / (1 - b2**t)) ** 0.5 + self.eps)


class AdamW(Adam):
    decoupled = True

    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas, eps, weight_decay)


@extends
class MyModule(MyModule):
    training = True

    def train(self, mode=True):
        self.training = mode
        for m in self.__sub_modules.values():
            m.train(mode)
        return self

    def eval(self):
        return self.train(False)


class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        return x * MyTensor((np.random.rand(*x.shape) >= self.p) / (1 - self.p))


class no_grad:
    inside = 0

    def __enter__(self):
        no_grad.inside += 1

    def __exit__(self, *exception):
        no_grad.inside -= 1


@extends
class MyTensor(MyTensor):
    construct = getattr(MyTensor, "construct", MyTensor.__init__)

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if no_grad.inside and crossOpBack is not None:
            requires_grad, crossOpBack = False, None
        self.construct(data, dtype, requires_grad, crossOpBack)


class Sequential(MyModule):
    def __init__(self, *modules):
        super().__init__()
        self.all = modules
        for i, m in enumerate(modules):
            setattr(self, f"{i}", m)

    def forward(self, x):
        for m in self.all:
            x = m(x)
        return x


def kaiming_normal(parameter):
    w = parameter.tensor.data
    w[:] = np.random.randn(*w.shape) * (2 / len(w)) ** 0.5


@extends
class MyModule(MyModule):
    def named_parameters(self, prefix=""):
        out = {prefix + k: p for k, p in self.__parameters.items()}
        for k, m in self.__sub_modules.items():
            out.update(m.named_parameters(prefix + k + "."))
        return out

    def state_dict(self):
        return {k: p.tensor.data.copy() for k, p in self.named_parameters().items()}

    def load_state_dict(self, state):
        own = self.named_parameters()
        if own.keys() != state.keys():
            raise KeyError(f"these names are on one side only: {sorted(own.keys() ^ state.keys())}")
        bad = [k for k, p in own.items() if p.tensor.shape != state[k].shape]
        if bad:
            raise ValueError(f"these arrays have another shape than the parameters: {bad}")
        for k, p in own.items():
            p.tensor.data[...] = state[k]
