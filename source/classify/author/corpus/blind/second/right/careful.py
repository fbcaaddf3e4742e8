import numpy as np
from minitorch import Linear, MSELoss, MyCrossBackward, MyModule, MyTensor, Parameter, ReLU, extends, matmul
from collections.abc import Callable
from typing import Any


# ---- functions


def record(values: np.ndarray, rule: Callable, name: str, x: MyTensor, *more: Any) -> MyTensor:
    """A tensor of these values, which remembers how it was made if x requires a gradient. (Given.)"""
    if not x.requires_grad:
        return MyTensor(values)
    op = MyCrossBackward(x, *more, backward_function=rule, name=name)
    return MyTensor(values, requires_grad=True, crossOpBack=op)


def exp_deriv(base: np.ndarray, x: MyTensor) -> tuple[np.ndarray]:
    """exp(x), element by element"""
    return (base * np.exp(x.data),)


def log_deriv(base: np.ndarray, x: MyTensor) -> tuple[np.ndarray]:
    """log(x), element by element"""
    return (base / x.data,)


@extends
class MyTensor(MyTensor):
    """Goes on with the class of minitorch.py."""

    def exp(self) -> "MyTensor":
        """e to the power of each element."""
        return record(np.exp(self.data), exp_deriv, "ExpBackward", self)

    def log(self) -> "MyTensor":
        """The natural logarithm of each element."""
        return record(np.log(self.data), log_deriv, "LogBackward", self)


def sum_deriv(
    base: np.ndarray, x: MyTensor, axis: int | None, keepdims: bool
) -> tuple[np.ndarray, None, None]:
    """x.sum(axis, keepdims). Axis and keepdims get no gradient, so None."""
    # The only case in which base does not line up with x: a dimension is gone.
    if axis is not None and not keepdims:
        base = np.expand_dims(base, axis)
    return base * np.ones_like(x.data), None, None


@extends
class MyTensor(MyTensor):
    """Goes on with the class of minitorch.py."""

    def sum(self, axis: int | None = None, keepdims: bool = False) -> "MyTensor":
        """The sum over an axis (None: over all elements)."""
        total = self.data.sum(axis=axis, keepdims=keepdims)
        return record(total, sum_deriv, "SumBackward", self, axis, keepdims)

    def mean(self, axis: int | None = None, keepdims: bool = False) -> "MyTensor":
        """The mean over an axis (None: over all elements)."""
        if axis is None:
            count = self.size
        else:
            count = self.shape[axis]
        return self.sum(axis, keepdims) / count


def max_deriv(
    base: np.ndarray, x: MyTensor, axis: int | None, keepdims: bool
) -> tuple[np.ndarray, None, None]:
    """x.max(axis, keepdims). Axis and keepdims get no gradient, so None."""
    if axis is not None and not keepdims:
        base = np.expand_dims(base, axis)
    # True at each element that equals the maximum of its own row.
    highest = x.data.max(axis=axis, keepdims=True)
    mask = x.data == highest
    winners = mask.sum(axis=axis, keepdims=True)
    return base * mask / winners, None, None


@extends
class MyTensor(MyTensor):
    """Goes on with the class of minitorch.py."""

    def max(self, axis: int | None = None, keepdims: bool = False) -> "MyTensor":
        """The largest element along an axis (None: of all elements)."""
        largest = self.data.max(axis=axis, keepdims=keepdims)
        return record(largest, max_deriv, "MaxBackward", self, axis, keepdims)


# ---- cross_entropy


def softmax(x: MyTensor, axis: int = -1) -> MyTensor:
    """Probabilities, positive and with the sum 1 along an axis, from scores of any size."""
    highest = MyTensor(x.data.max(axis=axis, keepdims=True))  # a constant
    powers = (x - highest).exp()
    return powers / powers.sum(axis, keepdims=True)


def log_softmax(x: MyTensor, axis: int = -1) -> MyTensor:
    """The logarithm of softmax(x, axis), also where that is too small for a number."""
    highest = MyTensor(x.data.max(axis=axis, keepdims=True))
    shifted = x - highest
    normalizer = shifted.exp().sum(axis, keepdims=True).log()
    return shifted - normalizer


class CrossEntropyLoss:
    """How far probabilities are from the right answers."""

    def __call__(self, scores: MyTensor, labels: np.ndarray) -> MyTensor:
        """The mean over all rows of minus the logarithm of the right class's probability."""
        rows = len(labels)
        mask = np.zeros_like(scores.data)
        mask[np.arange(rows), labels] = 1
        logs = log_softmax(scores)
        return -(logs * MyTensor(mask)).sum() / rows


# ---- optimizers


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
        self.velocities: dict[Parameter, np.ndarray] = {}

    def zero_grad(self) -> None:
        """Forget the gradients. (Given.)"""
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient, in place."""
        for parameter in self.params:
            if parameter.tensor.grad is None:
                continue
            data = parameter.tensor.data
            # New arrays, both of them: neither the gradient nor an old velocity is changed.
            gradient = parameter.tensor.grad.data + self.weight_decay * data
            velocity = self.momentum * self.velocities.get(parameter, 0.0) + gradient
            self.velocities[parameter] = velocity
            data -= self.lr * velocity


class Adam:
    """Steps of about the same size for every parameter, whatever the size of its gradients."""

    def __init__(
        self,
        parameters: list[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        self.params = list(parameters)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.state: dict[Parameter, tuple] = {}

    def zero_grad(self) -> None:
        """Forget the gradients. (Given.)"""
        for parameter in self.params:
            parameter.tensor.grad = None

    def prepare(self, parameter: Parameter) -> np.ndarray:
        """The gradient that counts: here with the decay in it."""
        tensor = parameter.tensor
        return tensor.grad.data + self.weight_decay * tensor.data

    def step(self) -> None:
        """Move every parameter that has a gradient, in place."""
        beta1, beta2 = self.betas
        for parameter in self.params:
            if parameter.tensor.grad is None:
                continue
            gradient = self.prepare(parameter)
            t, m, v = self.state.get(parameter, (0, 0.0, 0.0))
            t += 1
            m = beta1 * m + (1 - beta1) * gradient
            v = beta2 * v + (1 - beta2) * gradient**2
            self.state[parameter] = t, m, v
            m_hat = m / (1 - beta1**t)
            v_hat = v / (1 - beta2**t)
            data = parameter.tensor.data
            data -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)


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

    def prepare(self, parameter: Parameter) -> np.ndarray:
        """Shrinks the parameter itself; the gradient stays what it is."""
        data = parameter.tensor.data
        data -= self.lr * self.weight_decay * data
        return parameter.tensor.grad.data


# ---- modes


@extends
class MyModule(MyModule):
    """Goes on with the class of minitorch.py."""

    training = True  # of a class, all its objects have it, until they get one of their own

    def train(self) -> "MyModule":
        """Set `training` to True, here and in all modules below; returns this module."""
        self.training = True
        for module in self.__sub_modules.values():
            module.train()
        return self

    def eval(self) -> "MyModule":
        """Set `training` to False, here and in all modules below; returns this module."""
        self.training = False
        for module in self.__sub_modules.values():
            module.eval()
        return self


class Dropout(MyModule):
    """While training, drops each element with probability p; 1 / (1 - p) times the others."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: MyTensor) -> MyTensor:
        """Of any shape."""
        if not self.training:
            return x
        kept = np.random.random(x.shape) >= self.p
        return x * MyTensor(kept / (1 - self.p))


class no_grad:
    """`with no_grad():` what is computed inside is not recorded."""

    inside = 0  # of how many such blocks the program is

    def __enter__(self) -> None:
        no_grad.inside += 1

    def __exit__(self, *exception: Any) -> None:
        no_grad.inside -= 1


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


# ---- networks


class Sequential(MyModule):
    """Modules one after the other."""

    def __init__(self, *modules: MyModule) -> None:
        super().__init__()
        for number, module in enumerate(modules):
            setattr(self, str(number), module)
        self.modules = modules

    def forward(self, x: Any) -> Any:
        for module in self.modules:
            x = module(x)
        return x


def kaiming_normal(parameter: Parameter) -> None:
    """Fill the weight of a linear layer, shape (inputs, outputs), in place, with random numbers."""
    data = parameter.tensor.data
    inputs = data.shape[0]
    data[...] = np.random.normal(0.0, np.sqrt(2 / inputs), data.shape)


@extends
class MyModule(MyModule):
    """Goes on with the class of minitorch.py."""

    def named_parameters(self, prefix: str = "") -> dict[str, Parameter]:
        """All parameters, by names such as "hidden.weight"."""
        found = {}
        for name, parameter in self.__parameters.items():
            found[prefix + name] = parameter
        for name, module in self.__sub_modules.items():
            found |= module.named_parameters(f"{prefix}{name}.")
        return found

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all parameters' arrays, by these names."""
        state = {}
        for name, parameter in self.named_parameters().items():
            state[name] = parameter.tensor.data.copy()
        return state

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Copy arrays into the parameters."""
        own = self.named_parameters()
        missing = own.keys() - state.keys()
        if missing:
            raise KeyError(f"the dictionary lacks {sorted(missing)}, which the module has")
        unknown = state.keys() - own.keys()
        if unknown:
            raise KeyError(f"the dictionary has {sorted(unknown)}, which the module has not")
        for name, parameter in own.items():
            if np.shape(state[name]) != parameter.tensor.shape:
                raise ValueError(
                    f"{name} has shape {parameter.tensor.shape}, the array {np.shape(state[name])}"
                )
        # All is well: only now is anything changed.
        for name, parameter in own.items():
            parameter.tensor.data[...] = state[name]
