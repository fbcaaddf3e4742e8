import numpy as np
from minitorch import MyCrossBackward, MyModule, MyTensor, Parameter, extends
from dataclasses import dataclass
from functools import reduce


def record(values, rule, name, x, *more):
    if not x.requires_grad:
        return MyTensor(values)
    op = MyCrossBackward(x, *more, backward_function=rule, name=name)
    return MyTensor(values, requires_grad=True, crossOpBack=op)


@dataclass(frozen=True)
class Reduction:
    """Over which axis of x, and whether it stays."""

    x: MyTensor
    axis: int | None
    keepdims: bool

    def kept_shape(self):
        """The shape of the result, had the dimensions been kept."""
        if self.axis is None:
            return (1,) * len(self.x.shape)
        shape = list(self.x.shape)
        shape[self.axis] = 1
        return tuple(shape)

    def spread(self, base):
        return np.zeros_like(self.x.data) + np.reshape(base, self.kept_shape())

    def winners(self):
        return self.x.data >= self.x.data.max(axis=self.axis, keepdims=True)

    def count(self):
        return self.x.size if self.axis is None else self.x.shape[self.axis]


def exp_deriv(base, x):
    return (np.multiply(base, np.exp(x.data)),)


def log_deriv(base, x):
    return (np.divide(base, x.data),)


def sum_deriv(base, x, axis, keepdims):
    return Reduction(x, axis, keepdims).spread(base), None, None


def max_deriv(base, x, axis, keepdims):
    reduction = Reduction(x, axis, keepdims)
    winners = reduction.winners()
    shares = winners / np.count_nonzero(winners, axis=axis, keepdims=True)
    return reduction.spread(base) * shares, None, None


@extends
class MyTensor(MyTensor):
    def exp(self):
        return record(np.exp(self.data), exp_deriv, "ExpBackward", self)

    def log(self):
        return record(np.log(self.data), log_deriv, "LogBackward", self)

    def sum(self, axis=None, keepdims=False):
        return record(np.add.reduce(self.data, axis, keepdims=keepdims), sum_deriv, "SumBackward", self, axis, keepdims)

    def mean(self, axis=None, keepdims=False):
        return self.sum(axis, keepdims) / Reduction(self, axis, keepdims).count()

    def max(self, axis=None, keepdims=False):
        values = np.maximum.reduce(self.data, axis, keepdims=keepdims)
        return record(values, max_deriv, "MaxBackward", self, axis, keepdims)


def centered(x, axis):
    return x - MyTensor(x.data.max(axis=axis, keepdims=True))


def log_softmax(x, axis=-1):
    z = centered(x, axis)
    return z - z.exp().sum(axis=axis, keepdims=True).log()


def softmax(x, axis=-1):
    return log_softmax(x, axis).exp()


class CrossEntropyLoss:
    def __call__(self, scores, labels):
        rows, classes = scores.shape
        hot = np.arange(classes) == np.reshape(labels, (rows, 1))
        return (log_softmax(scores) * MyTensor(-hot.astype(float) / rows)).sum()


@dataclass
class Memory:
    """What an optimizer remembers of one parameter."""

    steps: int = 0
    first: np.ndarray | float = 0.0
    second: np.ndarray | float = 0.0

    def see(self, g, betas):
        self.steps += 1
        self.first = betas[0] * self.first + (1 - betas[0]) * g
        self.second = betas[1] * self.second + (1 - betas[1]) * np.square(g)

    def corrected(self, betas):
        yield self.first / (1 - betas[0] ** self.steps)
        yield self.second / (1 - betas[1] ** self.steps)


class Walker:
    """Goes through the parameters that have a gradient."""

    def zero_grad(self):
        for parameter in self.params:
            parameter.tensor.grad = None

    def with_gradient(self):
        for parameter in self.params:
            tensor = parameter.tensor
            if tensor.grad is not None:
                memory = self.memories.setdefault(parameter, Memory())
                yield memory, tensor.data, tensor.grad.data


class SGD(Walker):
    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.memories = {}

    def step(self):
        for memory, w, g in self.with_gradient():
            memory.first = self.momentum * memory.first + (g + self.weight_decay * w)
            np.subtract(w, self.lr * memory.first, out=w)


class Adam(Walker):
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.memories = {}

    def decayed(self, w, g):
        return g + self.weight_decay * w

    def step(self):
        for memory, w, g in self.with_gradient():
            memory.see(self.decayed(w, g), self.betas)
            first, second = memory.corrected(self.betas)
            np.subtract(w, self.lr * first / (np.sqrt(second) + self.eps), out=w)


class AdamW(Adam):
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def decayed(self, w, g):
        np.multiply(w, 1 - self.lr * self.weight_decay, out=w)
        return g


@extends
class MyModule(MyModule):
    training = True

    def all_modules(self):
        """This one, and all below."""
        waiting = [self]
        while waiting:
            module = waiting.pop()
            yield module
            waiting.extend(module.__sub_modules.values())

    def train(self):
        for module in self.all_modules():
            module.training = True
        return self

    def eval(self):
        for module in self.all_modules():
            module.training = False
        return self


class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        return x * MyTensor(self.mask(x.shape)) if self.training else x

    def mask(self, shape):
        keep = 1 - self.p
        return (np.random.random(shape) < keep) / keep


class no_grad:
    inside = 0

    def __enter__(self):
        type(self).inside += 1
        return self

    def __exit__(self, kind, error, trace):
        type(self).inside -= 1
        return False


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
        for name, module in zip(map(str, range(len(modules))), modules):
            setattr(self, name, module)
        self.modules = modules

    def forward(self, x):
        return reduce(lambda value, module: module(value), self.modules, x)


def kaiming_normal(parameter):
    data = parameter.tensor.data
    data.flat = np.random.normal(0, np.sqrt(2 / data.shape[0]), data.size)


@extends
class MyModule(MyModule):
    def walk(self, prefix):
        yield from ((prefix + name, parameter) for name, parameter in self.__parameters.items())
        for name, module in self.__sub_modules.items():
            yield from module.walk(f"{prefix}{name}.")

    def named_parameters(self, prefix=""):
        return dict(self.walk(prefix))

    def state_dict(self):
        return {name: parameter.tensor.data.copy() for name, parameter in self.walk("")}

    def problems(self, state):
        own = self.named_parameters()
        yield from (KeyError(f"{name} is missing in the dictionary") for name in own if name not in state)
        yield from (KeyError(f"{name} is no parameter of this module") for name in state if name not in own)
        for name, parameter in own.items():
            if np.shape(state[name]) != parameter.tensor.shape:
                yield ValueError(f"{name} has the shape {np.shape(state[name])}, not {parameter.tensor.shape}")

    def load_state_dict(self, state):
        for problem in self.problems(state):
            raise problem
        for name, parameter in self.walk(""):
            parameter.tensor.data[...] = state[name]
