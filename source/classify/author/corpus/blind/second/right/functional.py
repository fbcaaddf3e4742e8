import numpy as np
from minitorch import MyCrossBackward, MyModule, MyTensor, Parameter, extends
from functools import partial, reduce


def record(values, rule, name, x, *more):
    """(Given.)"""
    if not x.requires_grad:
        return MyTensor(values)
    op = MyCrossBackward(x, *more, backward_function=rule, name=name)
    return MyTensor(values, requires_grad=True, crossOpBack=op)


def elementwise(slope):
    """The rule of a function that is applied to each element, from its derivative."""
    return lambda base, x: (base * slope(x.data),)


exp_deriv = elementwise(np.exp)
log_deriv = elementwise(lambda values: 1.0 / values)


def exp(x):
    return record(np.exp(x.data), exp_deriv, "exp", x)


def log(x):
    return record(np.log(x.data), log_deriv, "log", x)


MyTensor.exp, MyTensor.log = exp, log


def lift(base, axis, keepdims):
    """The upstream gradient with the dimension that was summed away, if it was."""
    return base if axis is None or keepdims else np.expand_dims(base, axis)


def sum_deriv(base, x, axis, keepdims):
    return np.where(np.ones(x.shape, bool), lift(base, axis, keepdims), 0), None, None


def total(x, axis=None, keepdims=False):
    return record(np.add.reduce(x.data, axis=axis, keepdims=keepdims), sum_deriv, "sum", x, axis, keepdims)


def mean(x, axis=None, keepdims=False):
    return total(x, axis, keepdims) / (x.size if axis is None else x.shape[axis])


MyTensor.sum, MyTensor.mean = total, mean


def max_deriv(base, x, axis, keepdims):
    mask = np.equal(x.data, np.maximum.reduce(x.data, axis=axis, keepdims=True))
    share = lift(base, axis, keepdims) / np.count_nonzero(mask, axis=axis, keepdims=True)
    return np.where(mask, share, 0), None, None


def maximum(x, axis=None, keepdims=False):
    return record(np.maximum.reduce(x.data, axis=axis, keepdims=keepdims), max_deriv, "max", x, axis, keepdims)


MyTensor.max = maximum


def logsumexp(x, axis):
    top = MyTensor(x.data.max(axis=axis, keepdims=True))
    return total(exp(x - top), axis, True).log() + top


def log_softmax(x, axis=-1):
    # (s - m) - log(sum) in this order: far from 0 s - (m + log(sum)) would lose digits.
    top = MyTensor(x.data.max(axis=axis, keepdims=True))
    return (x - top) - logsumexp(x - top, axis)


def softmax(x, axis=-1):
    top = MyTensor(x.data.max(axis=axis, keepdims=True))
    powers = exp(x - top)
    return powers * total(powers, axis, True) ** -1


def one_hot(labels, shape):
    hot = np.zeros(shape)
    np.put_along_axis(hot, np.asarray(labels)[:, None], 1.0, axis=1)
    return MyTensor(hot)


class CrossEntropyLoss:
    def __call__(self, scores, labels):
        per_row = total(log_softmax(scores) * one_hot(labels, scores.shape), axis=1)
        return mean(per_row * -1)


def with_gradients(parameters):
    return filter(lambda parameter: parameter.tensor.grad is not None, parameters)


def decayed(parameter, weight_decay):
    return parameter.tensor.grad.data + weight_decay * parameter.tensor.data


def move(parameter, difference):
    np.subtract(parameter.tensor.data, difference, out=parameter.tensor.data)


class SGD:
    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.velocities = dict.fromkeys(self.params, 0.0)

    def zero_grad(self):
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        news = {
            parameter: self.momentum * self.velocities[parameter] + decayed(parameter, self.weight_decay)
            for parameter in with_gradients(self.params)
        }
        self.velocities.update(news)
        for parameter, velocity in news.items():
            move(parameter, self.lr * velocity)


def running(old, new, beta):
    """A running mean, one value further."""
    return beta * old + (1 - beta) * new


def corrected(value, beta, t):
    return value / (1 - beta**t)


class Adam:
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.state = {parameter: (0, 0.0, 0.0) for parameter in self.params}

    def zero_grad(self):
        for parameter in self.params:
            parameter.tensor.grad = None

    def decay(self, parameter):
        """Gives the gradient that counts."""
        return decayed(parameter, self.weight_decay)

    def step(self):
        for parameter in with_gradients(self.params):
            g = self.decay(parameter)
            t, m, v = self.state[parameter]
            m, v = running(m, g, self.betas[0]), running(v, np.square(g), self.betas[1])
            self.state[parameter] = t + 1, m, v
            m_hat = corrected(m, self.betas[0], t + 1)
            v_hat = corrected(v, self.betas[1], t + 1)
            move(parameter, self.lr * m_hat / (np.sqrt(v_hat) + self.eps))


class AdamW(Adam):
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def decay(self, parameter):
        move(parameter, self.lr * self.weight_decay * parameter.tensor.data)
        return parameter.tensor.grad.data


def below(module):
    return module._MyModule__sub_modules


def switch(to, module):
    """Set the mode of a module, and of all that are below it."""
    module.training = to
    list(map(partial(switch, to), below(module).values()))
    return module


MyModule.training = True
MyModule.train = lambda self: switch(True, self)
MyModule.eval = lambda self: switch(False, self)


def dropout(x, p):
    kept = np.random.binomial(1, 1 - p, x.shape)
    return x * MyTensor(kept / (1 - p))


class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        return dropout(x, self.p) if self.training else x


class no_grad:
    inside = 0

    def __enter__(self):
        no_grad.inside = no_grad.inside + 1

    def __exit__(self, kind, value, trace):
        no_grad.inside = no_grad.inside - 1


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
        for place, module in enumerate(modules):
            setattr(self, str(place), module)

    def forward(self, x):
        return reduce(lambda value, module: module(value), below(self).values(), x)


def kaiming_normal(parameter):
    data = parameter.tensor.data
    np.copyto(data, np.random.standard_normal(data.shape) * np.sqrt(2.0 / data.shape[0]))


def named(module, prefix=""):
    """Pairs of a name and a parameter, on the way down."""
    for name, parameter in module._MyModule__parameters.items():
        yield prefix + name, parameter
    for name, child in below(module).items():
        yield from named(child, prefix + name + ".")


def named_parameters(self, prefix=""):
    return dict(named(self, prefix))


def state_dict(self):
    return {name: np.copy(parameter.tensor.data) for name, parameter in named(self)}


def complaints(own, state):
    """What is wrong with a dictionary, as exceptions, names first."""
    yield from (KeyError(f"the parameter {name} is missing") for name in own if name not in state)
    yield from (KeyError(f"there is no parameter {name}") for name in state if name not in own)
    yield from (
        ValueError(f"{name} is of shape {np.shape(state[name])}, not {own[name].tensor.shape}")
        for name in own
        if np.shape(state[name]) != own[name].tensor.shape
    )


def load_state_dict(self, state):
    own = self.named_parameters()
    for complaint in complaints(own, state):
        raise complaint
    for name in own:
        np.copyto(own[name].tensor.data, state[name])


MyModule.named_parameters = named_parameters
MyModule.state_dict = state_dict
MyModule.load_state_dict = load_state_dict
