import numpy as np
from minitorch import MyCrossBackward, MyModule, MyTensor, Parameter, extends
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def record(values: np.ndarray, rule: Callable, name: str, x: MyTensor, *more: Any) -> MyTensor:
    """(Given.)"""
    if not x.requires_grad:
        return MyTensor(values)
    op = MyCrossBackward(x, *more, backward_function=rule, name=name)
    return MyTensor(values, requires_grad=True, crossOpBack=op)


class ExpRule:
    """exp(x); keeps its result for the way back."""

    def __init__(self, x: MyTensor) -> None:
        self.result = np.exp(x.data)

    def __call__(self, base: np.ndarray, x: MyTensor) -> tuple[np.ndarray]:
        return (base * self.result,)


class LogRule:
    """log(x)"""

    def __init__(self, x: MyTensor) -> None:
        self.result = np.log(x.data)

    def __call__(self, base: np.ndarray, x: MyTensor) -> tuple[np.ndarray]:
        return (base / x.data,)


@extends
class MyTensor(MyTensor):
    def exp(self) -> "MyTensor":
        rule = ExpRule(self)
        return record(rule.result.copy(), rule, "ExpBackward", self)

    def log(self) -> "MyTensor":
        rule = LogRule(self)
        return record(rule.result, rule, "LogBackward", self)


class Reduction:
    """What sum and max have in common: along which axis, and what is left of it."""

    def __init__(self, axis: int | None, keepdims: bool) -> None:
        self.axis, self.keepdims = axis, keepdims

    def widen(self, base: np.ndarray, x: MyTensor) -> np.ndarray:
        """The upstream gradient in the shape with the dimension kept."""
        shape = list(x.shape)
        if self.axis is None:
            shape = [1] * len(shape)
        else:
            shape[self.axis] = 1
        return np.asarray(base).reshape(shape)


class SumRule(Reduction):
    def values(self, x: MyTensor) -> np.ndarray:
        return x.data.sum(axis=self.axis, keepdims=self.keepdims)

    def __call__(self, base: np.ndarray, x: MyTensor) -> tuple[np.ndarray]:
        return (np.ones_like(x.data) * self.widen(base, x),)


class MaxRule(Reduction):
    def values(self, x: MyTensor) -> np.ndarray:
        return x.data.max(axis=self.axis, keepdims=self.keepdims)

    def __call__(self, base: np.ndarray, x: MyTensor) -> tuple[np.ndarray]:
        highest = x.data.max(axis=self.axis, keepdims=True)
        weights = np.where(x.data == highest, 1.0, 0.0)
        weights = weights / weights.sum(axis=self.axis, keepdims=True)
        return (self.widen(base, x) * weights,)


def sum_deriv(base: np.ndarray, x: MyTensor, axis: int | None, keepdims: bool) -> tuple:
    return *SumRule(axis, keepdims)(base, x), None, None


def max_deriv(base: np.ndarray, x: MyTensor, axis: int | None, keepdims: bool) -> tuple:
    return *MaxRule(axis, keepdims)(base, x), None, None


@extends
class MyTensor(MyTensor):
    def sum(self, axis: int | None = None, keepdims: bool = False) -> "MyTensor":
        values = SumRule(axis, keepdims).values(self)
        return record(values, sum_deriv, "SumBackward", self, axis, keepdims)

    def mean(self, axis: int | None = None, keepdims: bool = False) -> "MyTensor":
        lengths = self.shape if axis is None else (self.shape[axis],)
        count = 1
        for length in lengths:
            count *= length
        return self.sum(axis=axis, keepdims=keepdims) / count


@extends
class MyTensor(MyTensor):
    def max(self, axis: int | None = None, keepdims: bool = False) -> "MyTensor":
        values = MaxRule(axis, keepdims).values(self)
        return record(values, max_deriv, "MaxBackward", self, axis, keepdims)


class Scores:
    """Scores along an axis, less their largest: what softmax and its logarithm share."""

    def __init__(self, x: MyTensor, axis: int) -> None:
        self.axis = axis
        self.shifted = x - x.max(axis=axis, keepdims=True)
        self.powers = self.shifted.exp()

    @property
    def normalizer(self) -> MyTensor:
        return self.powers.sum(axis=self.axis, keepdims=True)

    def probabilities(self) -> MyTensor:
        return self.powers / self.normalizer

    def logarithms(self) -> MyTensor:
        return self.shifted - self.normalizer.log()


def softmax(x: MyTensor, axis: int = -1) -> MyTensor:
    return Scores(x, axis).probabilities()


def log_softmax(x: MyTensor, axis: int = -1) -> MyTensor:
    return Scores(x, axis).logarithms()


class CrossEntropyLoss:
    """How far probabilities are from the right answers."""

    def mask(self, shape: tuple[int, int], labels: np.ndarray) -> MyTensor:
        mask = np.zeros(shape)
        for row, label in enumerate(labels):
            mask[row, label] = 1.0
        return MyTensor(mask)

    def __call__(self, scores: MyTensor, labels: np.ndarray) -> MyTensor:
        chosen = log_softmax(scores) * self.mask(scores.shape, labels)
        return chosen.sum() * (-1.0 / scores.shape[0])


class Optimizer:
    """What all optimizers have in common."""

    def __init__(self, parameters: list[Parameter], lr: float, weight_decay: float) -> None:
        self.params = list(parameters)
        self.lr, self.weight_decay = lr, weight_decay
        self.memory = {}

    def zero_grad(self) -> None:
        for parameter in self.params:
            parameter.tensor.grad = None

    def remembered(self, parameter: Parameter) -> Any:
        """What is remembered of this parameter; at first what `fresh` makes."""
        if parameter not in self.memory:
            self.memory[parameter] = self.fresh(parameter.tensor.data)
        return self.memory[parameter]

    def decay(self, data: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        if self.weight_decay:
            gradient = gradient + self.weight_decay * data
        return gradient

    def step(self) -> None:
        for parameter in self.params:
            tensor = parameter.tensor
            if tensor.grad is None:
                continue
            gradient = self.decay(tensor.data, tensor.grad.data)
            direction = self.remembered(parameter).next(gradient)
            tensor.data[...] -= self.lr * direction


@dataclass
class Velocity:
    momentum: float
    value: np.ndarray

    def next(self, gradient: np.ndarray) -> np.ndarray:
        self.value = self.momentum * self.value + gradient
        return self.value


@dataclass
class Moments:
    betas: tuple[float, float]
    eps: float
    m: np.ndarray
    v: np.ndarray
    t: int = 0

    def next(self, gradient: np.ndarray) -> np.ndarray:
        b1, b2 = self.betas
        self.t += 1
        self.m = b1 * self.m + (1 - b1) * gradient
        self.v = b2 * self.v + (1 - b2) * gradient * gradient
        m_hat = self.m / (1 - b1**self.t)
        v_hat = self.v / (1 - b2**self.t)
        return m_hat / (np.sqrt(v_hat) + self.eps)


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum and weight decay."""

    def __init__(
        self,
        parameters: list[Parameter],
        lr: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.momentum = momentum

    def fresh(self, data: np.ndarray) -> Velocity:
        return Velocity(self.momentum, np.zeros_like(data))


class Adam(Optimizer):
    """Steps of about the same size for every parameter."""

    def __init__(
        self,
        parameters: list[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.betas, self.eps = betas, eps

    def fresh(self, data: np.ndarray) -> Moments:
        return Moments(self.betas, self.eps, np.zeros_like(data), np.zeros_like(data))


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

    def decay(self, data: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        data -= self.lr * self.weight_decay * data
        return gradient


@extends
class MyModule(MyModule):
    training = True

    def all_modules(self) -> list["MyModule"]:
        """This one, and all below it."""
        found, waiting = [], [self]
        while waiting:
            module = waiting.pop()
            found.append(module)
            waiting.extend(module.__sub_modules.values())
        return found

    def train(self) -> "MyModule":
        for module in self.all_modules():
            module.training = True
        return self

    def eval(self) -> "MyModule":
        for module in self.all_modules():
            module.training = False
        return self


class Dropout(MyModule):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: MyTensor) -> MyTensor:
        if self.training:
            dropped = np.random.uniform(size=x.shape) < self.p
            factors = np.where(dropped, 0.0, 1.0 / (1.0 - self.p))
            return x * MyTensor(factors)
        return x


class no_grad:
    inside = 0

    def __enter__(self) -> "no_grad":
        type(self).inside += 1
        return self

    def __exit__(self, *exception: Any) -> None:
        type(self).inside -= 1


@extends
class MyTensor(MyTensor):
    construct = getattr(MyTensor, "construct", MyTensor.__init__)

    def __init__(
        self,
        data: Any,
        dtype: Any = None,
        requires_grad: bool = False,
        crossOpBack: MyCrossBackward | None = None,
    ) -> None:
        if no_grad.inside and crossOpBack is not None:
            requires_grad, crossOpBack = False, None
        self.construct(data, dtype, requires_grad, crossOpBack)


class Sequential(MyModule):
    def __init__(self, *modules: MyModule) -> None:
        super().__init__()
        self.chain = list(modules)
        for index in range(len(self.chain)):
            setattr(self, str(index), self.chain[index])

    def forward(self, x: Any) -> Any:
        for module in self.chain:
            x = module(x)
        return x


def kaiming_normal(parameter: Parameter) -> None:
    weight = parameter.tensor.data
    fan_in = weight.shape[0]
    weight[...] = np.random.normal(scale=np.sqrt(2 / fan_in), size=weight.shape)


class Names:
    """Compares the names and shapes of a module with those of a dictionary."""

    def __init__(self, own: dict[str, Parameter], state: dict[str, np.ndarray]) -> None:
        self.own, self.state = own, state

    def check(self) -> None:
        missing = [name for name in self.own if name not in self.state]
        surplus = [name for name in self.state if name not in self.own]
        if missing:
            raise KeyError(f"missing in the dictionary: {', '.join(missing)}")
        if surplus:
            raise KeyError(f"unknown to the module: {', '.join(surplus)}")
        for name, parameter in self.own.items():
            if self.state[name].shape != parameter.tensor.shape:
                raise ValueError(f"the array for {name} has another shape: {self.state[name].shape}")


@extends
class MyModule(MyModule):
    def named_parameters(self, prefix: str = "") -> dict[str, Parameter]:
        found = {prefix + name: parameter for name, parameter in self.__parameters.items()}
        for name, module in self.__sub_modules.items():
            found |= module.named_parameters(prefix + name + ".")
        return found

    def state_dict(self) -> dict[str, np.ndarray]:
        state = {}
        for name, parameter in self.named_parameters().items():
            state[name] = parameter.tensor.data.copy()
        return state

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        own = self.named_parameters()
        Names(own, state).check()
        for name, array in state.items():
            own[name].tensor.data[...] = array
