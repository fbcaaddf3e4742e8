# Every operation is a name. FORWARD says what it computes, DERIVATIVES has one function for each of its inputs.
import heapq
import itertools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from tqdm import tqdm


class MyCrossBackward:
    """One operation of the graph: its inputs, and the rule that differentiates it. (Given.)"""

    def __init__(self, *args: Any, backward_function: Callable[..., Any], name: str) -> None:
        self.inputs = args
        self.__rule = backward_function
        self.__name = name

    def __str__(self) -> str:
        return self.__name

    def __call__(self, x: np.ndarray) -> Any:
        return self.run(x)

    def run(self, base: np.ndarray) -> Any:
        gradients = self.__rule(base, *self.inputs)
        if isinstance(gradients, (np.ndarray, np.generic)):
            raise TypeError(f"the rule of {self} must return a tuple, with one gradient for each input")
        return gradients


FORWARD: dict[str, Callable] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.true_divide,
    "pow": lambda x, n: x**n if x.dtype.kind == "f" else x.astype(np.float64) ** n,
    "neg": np.negative,
}


def slope_of_power(g, x, n):
    """n = 0 is a constant, also at 0."""
    if n == 0:
        return 0.0 * g
    if n == 1:
        return 1.0 * g
    return g * n * x ** (n - 1.0)


# For each input: upstream gradient and inputs (as arrays) -> gradient. None: the input gets no gradient.
DERIVATIVES: dict[str, tuple] = {
    "add": (
        lambda g, left, right: g,
        lambda g, left, right: g,
    ),
    "sub": (
        lambda g, left, right: +g,
        lambda g, left, right: -g,
    ),
    "mul": (
        lambda g, left, right: g * right,
        lambda g, left, right: left * g,
    ),
    "div": (
        lambda g, left, right: g / right,
        lambda g, left, right: -(g / right) * (left / right),
    ),
    "pow": (slope_of_power, None),
    "neg": (lambda g, x: -g,),
}


def raw(thing: Any) -> Any:
    """Rules and forward functions see arrays, and settings as they are."""
    return thing.data if isinstance(thing, MyTensor) else thing


def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum the axes that were stretched, from the right to the left."""
    gradient = np.asarray(gradient)
    while gradient.ndim > len(shape):
        gradient = gradient.sum(axis=0)
    for axis in range(-1, -len(shape) - 1, -1):
        if shape[axis] == 1:
            gradient = gradient.sum(axis=axis, keepdims=True)
    return np.asarray(gradient)


def differentiate(name: str) -> Callable:
    """The rule of an operation, made from its line in the table."""

    def rule(base: np.ndarray, *inputs: Any) -> tuple:
        arrays = [raw(one) for one in inputs]
        shares = []
        for one, derivative in zip(inputs, DERIVATIVES[name]):
            if derivative is None or not one.requires_grad:
                shares.append(None)
            else:
                shares.append(unbroadcast(derivative(base, *arrays), one.shape))
        return tuple(shares)

    return rule


def apply(name: str, *inputs: Any) -> "MyTensor":
    """Compute an operation, and record it if that is worth while."""
    values = FORWARD[name](*[raw(one) for one in inputs])
    if any(isinstance(one, MyTensor) and one.requires_grad for one in inputs):
        op = MyCrossBackward(*inputs, backward_function=differentiate(name), name=name.capitalize() + "Backward")
        return MyTensor(values, requires_grad=True, crossOpBack=op)
    return MyTensor(values)


def operator_pair(name: str) -> tuple[Callable, Callable]:
    """The operator, and the reflected operator."""

    def straight(self: "MyTensor", other: Any) -> "MyTensor":
        other = self.operand(other)
        return NotImplemented if other is None else apply(name, self, other)

    def reflected(self: "MyTensor", other: Any) -> "MyTensor":
        other = self.operand(other)
        return NotImplemented if other is None else apply(name, other, self)

    return straight, reflected


class MyTensor:
    __array_ufunc__ = None
    __births = itertools.count()

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if not isinstance(data, (int, float, np.number, np.bool_, list, tuple, np.ndarray)):
            raise TypeError(f"MyTensor cannot hold {type(data).__name__}")
        array = np.array(data)
        if not (np.issubdtype(array.dtype, np.number) or array.dtype == bool):
            raise TypeError(f"MyTensor cannot hold {array.dtype}")
        if dtype is not None:
            array = array.astype(dtype)
        elif requires_grad and not np.issubdtype(array.dtype, np.inexact):
            array = array.astype(np.float64)
        self.__data = array
        self.dtype = array.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack
        self.birth = next(MyTensor.__births)  # a result is born after its operands

    @property
    def data(self):
        return self.__data

    @property
    def shape(self):
        return self.__data.shape

    @property
    def strides(self):
        return self.__data.strides

    @property
    def size(self):
        return self.__data.size

    def __repr__(self):
        return f"MyTensor(data={self.__data!r}, requires_grad={self.requires_grad})"

    def __getitem__(self, key):
        return self.__data[key]

    def __setitem__(self, key, value):
        self.__data[key] = raw(value)

    def operand(self, other):
        """Whatever stands on the other side, as a tensor; a plain number takes our precision."""
        if isinstance(other, MyTensor):
            return other
        if isinstance(other, (int, float)) and self.dtype.kind == "f":
            return MyTensor(other, dtype=self.dtype)
        if isinstance(other, (int, float, np.number, np.ndarray)):
            return MyTensor(other)
        return None

    __add__, __radd__ = operator_pair("add")
    __sub__, __rsub__ = operator_pair("sub")
    __mul__, __rmul__ = operator_pair("mul")
    __truediv__, __rtruediv__ = operator_pair("div")

    def __pow__(self, n):
        return apply("pow", self, n) if isinstance(n, (int, float, np.number)) else NotImplemented

    def __neg__(self):
        return apply("neg", self)

    def backward(self, base=None):
        if not self.requires_grad:
            return
        if base is None:
            upstream = np.ones(self.shape)
        else:
            upstream = np.array(base.data, dtype=float)
        # The youngest first: all its consumers are younger still, so they have been here before.
        collected = {self.birth: upstream}
        heap = [(-self.birth, self)]
        while heap:
            _, tensor = heapq.heappop(heap)
            gradient = collected.pop(tensor.birth)
            op = tensor.backward_op
            if op is None:
                tensor.keep(gradient)
                continue
            for source, share in zip(op.inputs, op(gradient)):
                if share is None:
                    continue
                if source.birth in collected:
                    collected[source.birth] = collected[source.birth] + share
                else:
                    collected[source.birth] = share
                    heapq.heappush(heap, (-source.birth, source))

    def keep(self, gradient):
        """Add to our grad, in an array of its own."""
        kind = self.dtype if self.dtype.kind == "f" else np.float64
        if self.grad is None:
            self.grad = np.zeros(self.shape, dtype=kind)
        self.grad = np.array(self.grad + gradient, dtype=kind)


class Parameter:
    """A tensor that training changes. (Given.)"""

    def __init__(self, tensor: MyTensor) -> None:
        if not np.issubdtype(tensor.data.dtype, np.floating):  # small steps would be lost in integers
            tensor = MyTensor(tensor.data, dtype=np.float64)
        self.tensor: MyTensor = tensor
        self.tensor.requires_grad = True
        self.__name: str | None = None

    @property
    def name(self) -> str | None:
        return self.__name

    @name.setter
    def name(self, x: str) -> None:
        self.__name = x


class MyModule:
    """A part of a network: it owns parameters and smaller modules, and computes with them."""

    def __init__(self) -> None:
        self.__parameters: dict[str, Parameter] = {}
        self.__sub_modules: dict[str, MyModule] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        """Called by Python for every `self.name = value`: register parameters and sub-modules. (Given.)"""
        if isinstance(value, (Parameter, MyModule)) and "_MyModule__sub_modules" not in self.__dict__:
            raise RuntimeError(f"call super().__init__() in {type(self).__name__}.__init__ before setting {name}")
        # What stood under this name before is registered no longer.
        self.__dict__.get("_MyModule__parameters", {}).pop(name, None)
        self.__dict__.get("_MyModule__sub_modules", {}).pop(name, None)
        if isinstance(value, Parameter):
            value.name = value.name or name  # a shared parameter keeps its first name
            self.__parameters[name] = value
        elif isinstance(value, MyModule) and value is not self:
            self.__sub_modules[name] = value
        super().__setattr__(name, value)

    def __call__(self, x: Any) -> Any:
        """`module(x)` is `module.forward(x)`, which the subclass defines."""
        return self.forward(x)

    def __family(self):
        """This module's own parameters, then those of the modules in it."""
        yield from self.__parameters.values()
        for module in self.__sub_modules.values():
            yield from module.parameters()

    def parameters(self) -> list[Parameter]:
        """All parameters of this module and of the modules in it, each one once."""
        unique = []
        for parameter in self.__family():
            if not any(parameter is other for other in unique):
                unique.append(parameter)
        return unique


def as_rows(array: np.ndarray) -> np.ndarray:
    return array.reshape(1, -1) if array.ndim == 1 else array


FORWARD["matmul"] = np.matmul
DERIVATIVES["matmul"] = (
    lambda g, a, b: (as_rows(g) @ b.transpose()).reshape(a.shape),
    lambda g, a, b: as_rows(a).transpose() @ as_rows(g),
)


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    return apply("matmul", a, b)


class Linear(MyModule):
    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        spread = np.sqrt(2.0 / input_size)  # He
        self.weight = Parameter(MyTensor(np.random.normal(0.0, spread, size=(input_size, output_size))))
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x: MyTensor) -> MyTensor:
        return matmul(x, self.weight.tensor) + self.bias.tensor


FORWARD["relu"] = lambda x: np.maximum(x, 0)
DERIVATIVES["relu"] = (lambda g, x: g * (x > 0),)


def relu(x: MyTensor) -> MyTensor:
    return apply("relu", x)


class ReLU(MyModule):
    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: MyTensor) -> MyTensor:
        return relu(x)


class SGD:
    def __init__(self, parameters, lr: float = 1e-2) -> None:
        self.lr = lr
        self.params = list(parameters)

    def zero_grad(self) -> None:
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self) -> None:
        moving = [parameter.tensor for parameter in self.params if parameter.tensor.grad is not None]
        for tensor in moving:
            array = tensor.data
            array -= self.lr * tensor.grad


def sum_slope(g, x, axis):
    kept = [1] * x.ndim if axis is None else list(x.shape)
    if axis is not None:
        for one in axis if isinstance(axis, tuple) else (axis,):
            kept[one] = 1
    return np.reshape(g, kept) * np.ones(x.shape)


FORWARD["sum"] = lambda x, axis: np.sum(x, axis=axis)
DERIVATIVES["sum"] = (sum_slope, None)


def sum(x: MyTensor, axis: int | tuple[int, ...] | None = None) -> MyTensor:
    return apply("sum", x, axis)


class MSELoss:
    def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:
        squares = (y - y_target) ** 2
        return sum(squares) / squares.size


class SuperModel(MyModule):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Linear(64, 32)
        self.relu = ReLU()
        self.outer = Linear(32, 10)

    def forward(self, x: MyTensor) -> MyTensor:
        hidden = self.relu(self.inner(x))
        return self.outer(hidden)


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    losses = []
    loss_of = MSELoss()
    optimizer = SGD(model.parameters(), lr=lr)

    def one_step(rows: np.ndarray) -> float:
        optimizer.zero_grad()
        loss = loss_of(model(MyTensor(images[rows])), MyTensor(targets[rows]))
        loss.backward()
        optimizer.step()
        return float(loss.data)

    bar = tqdm(range(epochs), file=sys.stdout, disable=live is not None)
    for _ in bar:
        order = np.random.permutation(len(images))
        each = []
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            each.extend([one_step(rows)] * len(rows))
        losses.append(float(np.mean(each)))
        bar.set_postfix(loss=losses[-1])
        if live:
            live(losses[-1])
    return losses
