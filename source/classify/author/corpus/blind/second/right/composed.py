import numpy as np
from minitorch import MSELoss, MyCrossBackward, MyModule, MyTensor, Parameter, extends
from collections.abc import Callable
from typing import Any


def record(values: np.ndarray, rule: Callable, name: str, x: MyTensor, *more: Any) -> MyTensor:
    """(Given.)"""
    if not x.requires_grad:
        return MyTensor(values)
    op = MyCrossBackward(x, *more, backward_function=rule, name=name)
    return MyTensor(values, requires_grad=True, crossOpBack=op)


def exp_deriv(base: np.ndarray, x: MyTensor) -> tuple[np.ndarray]:
    """exp(x), element by element"""
    return (base * x.exp().data,)


def log_deriv(base: np.ndarray, x: MyTensor) -> tuple[np.ndarray]:
    """log(x), element by element"""
    return (base * x.data**-1.0,)


@extends
class MyTensor(MyTensor):
    def exp(self) -> "MyTensor":
        """e to the power of each element."""
        return record(np.exp(self.data), exp_deriv, "ExpBackward", self)

    def log(self) -> "MyTensor":
        """The natural logarithm of each element."""
        return record(np.log(self.data), log_deriv, "LogBackward", self)


def sum_deriv(
    base: np.ndarray, x: MyTensor, axis: int | None, keepdims: bool
) -> tuple[np.ndarray, None, None]:
    """x.sum(axis, keepdims)"""
    # In every case the kept shape is what base has to be reshaped to.
    kept = np.sum(x.data, axis=axis, keepdims=True).shape
    return np.reshape(base, kept) + np.zeros_like(x.data), None, None


@extends
class MyTensor(MyTensor):
    def sum(self, axis: int | None = None, keepdims: bool = False) -> "MyTensor":
        """The sum over an axis (None: over all elements)."""
        values = np.sum(self.data, axis=axis, keepdims=keepdims)
        return record(values, sum_deriv, "SumBackward", self, axis, keepdims)

    def mean(self, axis: int | None = None, keepdims: bool = False) -> "MyTensor":
        """A sum, divided by how many went into each."""
        total = self.sum(axis, keepdims)
        return total / (self.size / total.size)


def max_deriv(
    base: np.ndarray, x: MyTensor, axis: int | None, keepdims: bool
) -> tuple[np.ndarray, None, None]:
    """x.max(axis, keepdims): the rule of the sum, times who has won, by how many have."""
    won = (x.data == np.max(x.data, axis=axis, keepdims=True)).astype(x.data.dtype)
    spread, _, _ = sum_deriv(base, x, axis, keepdims)
    ties = np.sum(won, axis=axis, keepdims=True)
    return spread * won / ties, None, None


@extends
class MyTensor(MyTensor):
    def max(self, axis: int | None = None, keepdims: bool = False) -> "MyTensor":
        """The largest element along an axis (None: of all elements)."""
        values = np.max(self.data, axis=axis, keepdims=keepdims)
        return record(values, max_deriv, "MaxBackward", self, axis, keepdims)


def shifted(x: MyTensor, axis: int) -> MyTensor:
    """The scores less their largest, along an axis."""
    return x - MyTensor(np.max(x.data, axis=axis, keepdims=True))


def log_softmax(x: MyTensor, axis: int = -1) -> MyTensor:
    """The logarithm of softmax(x, axis), also where that is too small for a number."""
    below = shifted(x, axis)
    return below - below.exp().sum(axis=axis, keepdims=True).log()


def softmax(x: MyTensor, axis: int = -1) -> MyTensor:
    """Probabilities, positive and with the sum 1 along an axis: the powers of their logarithms."""
    return log_softmax(x, axis).exp()


class CrossEntropyLoss:
    """How far probabilities are from the right answers."""

    def __call__(self, scores: MyTensor, labels: np.ndarray) -> MyTensor:
        """The mean over rows of minus the right class's logarithm."""
        classes = np.arange(scores.shape[-1])
        right = MyTensor((np.asarray(labels)[:, None] == classes).astype(scores.dtype))
        picked = (log_softmax(scores) * right).sum(axis=1)
        return -picked.mean()


class SGD:
    """Stochastic gradient descent, with momentum and weight decay."""

    def __init__(
        self,
        parameters: list[Parameter],
        lr: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        self.params = list(parameters)
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.velocities = {}

    def zero_grad(self) -> None:
        """Forget the gradients. (Given.)"""
        for parameter in self.params:
            parameter.tensor.grad = None

    def with_gradient(self) -> list[Parameter]:
        return [parameter for parameter in self.params if parameter.tensor.grad is not None]

    def gradient(self, parameter: Parameter) -> np.ndarray:
        return parameter.tensor.grad.data + self.weight_decay * parameter.tensor.data

    def step(self) -> None:
        """Move every parameter that has a gradient, in place."""
        for parameter in self.with_gradient():
            velocity = self.gradient(parameter)
            if parameter in self.velocities:
                velocity = velocity + self.momentum * self.velocities[parameter]
            self.velocities[parameter] = velocity
            data = parameter.tensor.data
            data -= self.lr * velocity


class Adam(SGD):
    """Steps of about the same size for every parameter, whatever the size of its gradients."""

    def __init__(
        self,
        parameters: list[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay=weight_decay)
        self.betas, self.eps = betas, eps
        self.counts, self.means, self.squares = {}, {}, {}

    def adaptive_step(self, parameter: Parameter, gradient: np.ndarray) -> None:
        first, second = self.betas
        count = self.counts.get(parameter, 0) + 1
        mean = first * self.means.get(parameter, 0.0) + (1 - first) * gradient
        square = second * self.squares.get(parameter, 0.0) + (1 - second) * gradient**2
        self.counts[parameter] = count
        self.means[parameter] = mean
        self.squares[parameter] = square
        mean_corrected = mean / (1 - first**count)
        root = np.sqrt(square / (1 - second**count))
        data = parameter.tensor.data
        data -= self.lr * mean_corrected / (root + self.eps)

    def step(self) -> None:
        """Move every parameter that has a gradient, in place."""
        for parameter in self.with_gradient():
            self.adaptive_step(parameter, self.gradient(parameter))


class AdamW(Adam):
    """Adam, with the weight decay beside the gradient and not in it."""

    def __init__(
        self,
        parameters: list[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def gradient(self, parameter: Parameter) -> np.ndarray:
        return parameter.tensor.grad.data

    def step(self) -> None:
        """The decay of all that have a gradient, and then Adam's step."""
        for parameter in self.with_gradient():
            data = parameter.tensor.data
            data -= self.lr * self.weight_decay * data
        super().step()


@extends
class MyModule(MyModule):
    """Goes on with the class of minitorch.py."""

    training = True

    def set_mode(self, training: bool) -> "MyModule":
        self.training = training
        for module in self.__sub_modules.values():
            module.set_mode(training)
        return self

    def train(self) -> "MyModule":
        """Set `training` to True, here and in all modules below; returns this module."""
        return self.set_mode(True)

    def eval(self) -> "MyModule":
        """Set `training` to False, here and in all modules below; returns this module."""
        return self.set_mode(False)


class Dropout(MyModule):
    """While training, drops each element with probability p; 1 / (1 - p) times the others."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def mask(self, shape: tuple[int, ...]) -> MyTensor:
        kept = np.random.random(shape) >= self.p
        return MyTensor(kept * 1.0)

    def forward(self, x: MyTensor) -> MyTensor:
        """Of any shape."""
        if self.training:
            x = x * self.mask(x.shape) / (1 - self.p)
        return x


class no_grad:
    """`with no_grad():` what is computed inside is not recorded."""

    inside = 0  # of how many such blocks the program is

    @staticmethod
    def change(by: int) -> None:
        no_grad.inside += by

    def __enter__(self) -> "no_grad":
        self.change(1)
        return self

    def __exit__(self, *exception: Any) -> None:
        self.change(-1)


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
    """Modules one after the other."""

    def __init__(self, *modules: MyModule) -> None:
        super().__init__()
        self.names = [str(place) for place in range(len(modules))]
        for name, module in zip(self.names, modules):
            setattr(self, name, module)

    def forward(self, x: Any) -> Any:
        for name in self.names:
            x = getattr(self, name)(x)
        return x


def kaiming_normal(parameter: Parameter) -> None:
    """Fill the weight of a linear layer, in place."""
    inputs, outputs = parameter.tensor.shape
    deviation = np.sqrt(2 / inputs)
    np.copyto(parameter.tensor.data, np.random.normal(0, deviation, (inputs, outputs)))


@extends
class MyModule(MyModule):
    """Goes on with the class of minitorch.py."""

    def named_parameters(self, prefix: str = "") -> dict[str, Parameter]:
        """All parameters, by names such as "hidden.weight"."""
        named = {f"{prefix}{name}": parameter for name, parameter in self.__parameters.items()}
        for name, module in self.__sub_modules.items():
            named = named | module.named_parameters(f"{prefix}{name}.")
        return named

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all parameters' arrays, by these names."""
        return {
            name: np.array(parameter.tensor.data)
            for name, parameter in self.named_parameters().items()
        }

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Copy arrays into the parameters."""
        now = self.state_dict()
        for name in now:
            if name not in state:
                raise KeyError(f"{name} is missing in the dictionary")
        for name in state:
            if name not in now:
                raise KeyError(f"{name} is in the dictionary, but no parameter has this name")
        for name, array in now.items():
            if array.shape != np.shape(state[name]):
                raise ValueError(f"{name} should have the shape {array.shape}, not {np.shape(state[name])}")
        for name, parameter in self.named_parameters().items():
            np.copyto(parameter.tensor.data, state[name])
