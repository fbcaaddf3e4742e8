import numpy as np
from minitorch import Linear, MSELoss, MyCrossBackward, MyModule, MyTensor, Parameter, ReLU, extends, matmul
from collections.abc import Callable
from typing import Any


def record(values: np.ndarray, rule: Callable, name: str, x: MyTensor, *more: Any) -> MyTensor:
    """A tensor of these values, which remembers how it was made if x requires a gradient. (Given.)"""
    if not x.requires_grad:
        return MyTensor(values)
    op = MyCrossBackward(x, *more, backward_function=rule, name=name)
    return MyTensor(values, requires_grad=True, crossOpBack=op)


class Reduction:
    """What sum and max have in common: some axes of an array are gone, or of length 1."""

    def __init__(self, x, axis, keepdims):
        self.array = x.data
        self.axis = axis
        self.keepdims = keepdims

    def count(self):
        return self.array.size if self.axis is None else self.array.shape[self.axis]

    def restored(self, base):
        """base with the axis back, of length 1."""
        if self.keepdims or self.axis is None:
            return base
        return np.expand_dims(base, self.axis)

    def winners(self):
        return self.array == self.array.max(axis=self.axis, keepdims=True)


def exp_deriv(base, x):
    return (np.multiply(base, np.exp(x.data)),)


def log_deriv(base, x):
    return (np.divide(base, x.data),)


def sum_deriv(base, x, axis, keepdims):
    reduction = Reduction(x, axis, keepdims)
    return reduction.restored(base) * np.ones_like(x.data), None, None


def max_deriv(base, x, axis, keepdims):
    reduction = Reduction(x, axis, keepdims)
    winners = reduction.winners()
    shares = winners / winners.sum(axis=axis, keepdims=True)
    return reduction.restored(base) * shares, None, None


@extends
class MyTensor(MyTensor):
    def exp(self):
        return record(np.exp(self.data), exp_deriv, "ExpBackward", self)

    def log(self):
        return record(np.log(self.data), log_deriv, "LogBackward", self)

    def sum(self, axis=None, keepdims=False):
        total = self.data.sum(axis=axis, keepdims=keepdims)
        return record(total, sum_deriv, "SumBackward", self, axis, keepdims)

    def mean(self, axis=None, keepdims=False):
        return self.sum(axis, keepdims) / Reduction(self, axis, keepdims).count()

    def max(self, axis=None, keepdims=False):
        largest = self.data.max(axis=axis, keepdims=keepdims)
        return record(largest, max_deriv, "MaxBackward", self, axis, keepdims)


class Shifted:
    """Scores less their highest one, and the powers of these."""

    def __init__(self, x, axis):
        highest = MyTensor(x.data.max(axis=axis, keepdims=True))
        self.scores = x - highest
        self.powers = self.scores.exp()
        self.total = self.powers.sum(axis, keepdims=True)


def softmax(x, axis=-1):
    shifted = Shifted(x, axis)
    return shifted.powers / shifted.total


def log_softmax(x, axis=-1):
    shifted = Shifted(x, axis)
    return shifted.scores - shifted.total.log()


class OneHot:
    def __init__(self, classes):
        self.classes = classes

    def encode(self, labels):
        rows = np.zeros((len(labels), self.classes))
        rows[np.arange(len(labels)), labels] = 1.0
        return MyTensor(rows)


class CrossEntropyLoss:
    def __call__(self, scores, labels):
        targets = OneHot(scores.shape[1]).encode(labels)
        per_row = -(log_softmax(scores, axis=1) * targets).sum(axis=1)
        return per_row.mean()


class Optimizer:
    """What all of them do: they walk the parameters that have a gradient."""

    def prepare(self, parameters, lr, weight_decay):
        self.params = list(parameters)
        self.lr, self.weight_decay = lr, weight_decay
        self.memory = {}

    def zero_grad(self):
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        for parameter in self.params:
            tensor = parameter.tensor
            if tensor.grad is None:
                continue
            if parameter not in self.memory:
                self.memory[parameter] = self.fresh(tensor.shape)
            self.shrink(tensor.data)
            gradient = self.decayed(tensor.grad.data, tensor.data)
            direction = self.memory[parameter].direction(gradient)
            np.subtract(tensor.data, self.lr * direction, out=tensor.data)

    def shrink(self, data):
        """Weight decay beside the gradient."""

    def decayed(self, gradient, data):
        """Weight decay in the gradient."""
        return gradient + self.weight_decay * data


class Velocity:
    def __init__(self, shape, momentum):
        self.value = np.zeros(shape)
        self.momentum = momentum

    def direction(self, gradient):
        self.value = self.momentum * self.value + gradient
        return self.value


class RunningMean:
    """A mean that forgets, corrected for its beginning with 0."""

    def __init__(self, shape, beta):
        self.value = np.zeros(shape)
        self.beta = beta
        self.steps = 0

    def add(self, new):
        self.steps += 1
        self.value = self.beta * self.value + (1 - self.beta) * new
        return self.value / (1 - self.beta**self.steps)


class Moments:
    def __init__(self, shape, betas, eps):
        self.first = RunningMean(shape, betas[0])
        self.second = RunningMean(shape, betas[1])
        self.eps = eps

    def direction(self, gradient):
        mean = self.first.add(gradient)
        square = self.second.add(np.square(gradient))
        return mean / (np.sqrt(square) + self.eps)


class SGD(Optimizer):
    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0):
        self.prepare(parameters, lr, weight_decay)
        self.momentum = momentum

    def fresh(self, shape):
        return Velocity(shape, self.momentum)


class Adam(Optimizer):
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.prepare(parameters, lr, weight_decay)
        self.betas, self.eps = betas, eps

    def fresh(self, shape):
        return Moments(shape, self.betas, self.eps)


class AdamW(Adam):
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def shrink(self, data):
        data *= 1 - self.lr * self.weight_decay

    def decayed(self, gradient, data):
        return gradient


@extends
class MyModule(MyModule):
    training = True

    def set_mode(self, training):
        self.training = training
        for module in self.__sub_modules.values():
            module.set_mode(training)
        return self

    def train(self):
        return self.set_mode(True)

    def eval(self):
        return self.set_mode(False)


class Mask:
    """Which elements stay, and by what they are multiplied."""

    def __init__(self, shape, p):
        self.kept = np.random.random(shape) >= p
        self.factor = 1 / (1 - p)

    def apply(self, x):
        return x * MyTensor(self.kept * self.factor)


class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        if self.training:
            return Mask(x.shape, self.p).apply(x)
        return x


class no_grad:
    inside = 0

    def __enter__(self):
        no_grad.inside += 1
        return self

    def __exit__(self, kind, value, trace):
        no_grad.inside -= 1
        return False


@extends
class MyTensor(MyTensor):
    """Goes on with the class of minitorch.py. (Given.)"""

    # The constructor as it was, also when this cell has run before.
    construct = getattr(MyTensor, "construct", MyTensor.__init__)

    def __init__(
        self,
        data: Any,
        dtype: Any = None,
        requires_grad: bool = False,
        crossOpBack: MyCrossBackward | None = None,
    ) -> None:
        if no_grad.inside and crossOpBack is not None:  # the result of an operation
            requires_grad, crossOpBack = False, None
        self.construct(data, dtype, requires_grad, crossOpBack)


class Sequential(MyModule):
    def __init__(self, *modules):
        super().__init__()
        self.order = []
        for number, module in enumerate(modules):
            setattr(self, str(number), module)
            self.order.append(module)

    def forward(self, x):
        for module in self.order:
            x = module.forward(x)
        return x


class NormalFiller:
    def __init__(self, gain):
        self.gain = gain

    def fill(self, array):
        inputs = array.shape[0]
        deviation = np.sqrt(self.gain / inputs)
        array[...] = np.random.normal(loc=0.0, scale=deviation, size=array.shape)


def kaiming_normal(parameter):
    NormalFiller(gain=2).fill(parameter.tensor.data)


class StateCheck:
    """Compares a dictionary with the parameters, before anything is loaded."""

    def __init__(self, own, state):
        self.own = own
        self.state = state

    def names(self):
        missing = [name for name in self.own if name not in self.state]
        surplus = [name for name in self.state if name not in self.own]
        if missing or surplus:
            raise KeyError(f"missing: {missing}, unknown: {surplus}")

    def shapes(self):
        for name, parameter in self.own.items():
            there = np.asarray(self.state[name]).shape
            if there != parameter.tensor.shape:
                raise ValueError(f"{name} should have shape {parameter.tensor.shape}, not {there}")


@extends
class MyModule(MyModule):
    def named_parameters(self, prefix=""):
        found = {f"{prefix}{name}": parameter for name, parameter in self.__parameters.items()}
        for name, module in self.__sub_modules.items():
            found |= module.named_parameters(f"{prefix}{name}.")
        return found

    def state_dict(self):
        return {name: np.array(parameter.tensor.data) for name, parameter in self.named_parameters().items()}

    def load_state_dict(self, state):
        own = self.named_parameters()
        check = StateCheck(own, state)
        check.names()
        check.shapes()
        for name, parameter in own.items():
            np.copyto(parameter.tensor.data, state[name])
