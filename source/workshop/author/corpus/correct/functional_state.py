# Style: functional core, state outside. Tensors wrap an immutable record; gradients live in a weak mapping beside them.
from collections.abc import Callable, Iterable
from graphlib import TopologicalSorter
from math import prod
from typing import Any, NamedTuple, Self
from weakref import WeakKeyDictionary

import numpy as np

Array = np.ndarray


class Origin(NamedTuple):
    sources: tuple["MyTensor", ...]
    pullback: Callable[[Array], tuple[Array, ...]]


class Core(NamedTuple):
    values: Array
    tracked: bool
    origin: Origin | None


class MyTensor:
    __slots__ = ("__weakref__", "_core")
    __array_ufunc__ = None

    def __init__(
        self, data: Any, dtype: Any = None, requires_grad: bool = False, crossOpBack: Origin | None = None
    ) -> None:
        self._core = Core(numbers(data, dtype), bool(requires_grad), crossOpBack)

    data = property(lambda self: self._core.values)
    dtype = property(lambda self: self.data.dtype)
    shape = property(lambda self: self.data.shape)
    strides = property(lambda self: self.data.strides)
    size = property(lambda self: prod(self.shape))
    backward_op = property(lambda self: self._core.origin)

    @property
    def requires_grad(self) -> bool:
        return self._core.tracked

    @requires_grad.setter
    def requires_grad(self, tracked: bool) -> None:
        self._core = self._core._replace(tracked=bool(tracked))

    @property
    def grad(self) -> Array | None:
        return GRADIENTS.get(self)

    @grad.setter
    def grad(self, gradient: Array | None) -> None:
        if gradient is None:
            del self.grad
        else:
            GRADIENTS[self] = gradient

    @grad.deleter
    def grad(self) -> None:
        GRADIENTS.pop(self, None)

    def backward(self, base: Self | None = None) -> None:
        if self.requires_grad:
            seed = np.ones(self.shape) if base is None else np.array(base.data, dtype=np.float64)
            for leaf, gradient in gradients(self, seed).items():
                leaf.grad = np.array(gradient if leaf.grad is None else np.add(leaf.grad, gradient))

    def __repr__(self) -> str:
        return f"MyTensor(values={self.data!r}, requires_grad={self.requires_grad})"

    def __getitem__(self, index: Any) -> Any:
        return self.data[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self.data[index] = value

    def __add__(self, other: Any) -> "MyTensor":
        return add(self, lift(other))

    def __radd__(self, other: Any) -> "MyTensor":
        return add(lift(other), self)

    def __sub__(self, other: Any) -> "MyTensor":
        return add(self, negate(lift(other)))

    def __rsub__(self, other: Any) -> "MyTensor":
        return add(lift(other), negate(self))

    def __mul__(self, other: Any) -> "MyTensor":
        return multiply(self, lift(other))

    def __rmul__(self, other: Any) -> "MyTensor":
        return multiply(lift(other), self)

    def __truediv__(self, other: Any) -> "MyTensor":
        return divide(self, lift(other))

    def __rtruediv__(self, other: Any) -> "MyTensor":
        return divide(lift(other), self)

    def __pow__(self, exponent: float) -> "MyTensor":
        return power(self, exponent)

    def __neg__(self) -> "MyTensor":
        return negate(self)


GRADIENTS: WeakKeyDictionary[MyTensor, Array] = WeakKeyDictionary()


def numbers(data: Any, dtype: Any) -> Array:
    if isinstance(data, (list, tuple, np.ndarray, np.number, int, float)):
        return np.array(data, dtype=dtype)
    raise TypeError(f"numbers expected, not {type(data).__name__}")


def lift(value: Any) -> MyTensor:
    return value if isinstance(value, MyTensor) else MyTensor(value)


def derived(values: Any, pullback: Callable[[Array], tuple[Array, ...]], *sources: MyTensor) -> MyTensor:
    tracked = any(source.requires_grad for source in sources)
    return MyTensor(values, requires_grad=tracked, crossOpBack=Origin(sources, pullback) if tracked else None)


def tracked_sources(tensor: MyTensor) -> list[MyTensor]:
    return [source for source in tensor.backward_op.sources if source.requires_grad] if tensor.backward_op else []


def consumers_first(output: MyTensor) -> list[MyTensor]:
    sorter: TopologicalSorter[MyTensor] = TopologicalSorter({output: ()})
    seen, frontier = {output}, [output]
    while frontier:
        consumer = frontier.pop()
        for source in tracked_sources(consumer):
            sorter.add(source, consumer)
            if source not in seen:
                seen.add(source)
                frontier.append(source)
    return list(sorter.static_order())


def gradients(output: MyTensor, seed: Array) -> dict[MyTensor, Array]:
    """The gradients of the leaves under `output`; nothing is written anywhere."""
    flow, leaves = {output: seed}, {}
    for tensor in consumers_first(output):
        gradient = flow.pop(tensor)
        if tensor.backward_op is None:
            leaves[tensor] = gradient
            continue
        sources, pullback = tensor.backward_op
        for source, share in zip(sources, pullback(gradient), strict=True):
            if source.requires_grad:
                flow[source] = flow.get(source, 0.0) + reduced(np.asarray(share), source.shape)
    return leaves


def reduced(share: Array, shape: tuple[int, ...]) -> Array:
    """Undo `np.broadcast_to(..., share.shape)` of an array of this shape, for gradients."""
    if share.shape == shape:
        return share
    if share.ndim > len(shape):
        return reduced(share.sum(axis=0), shape)
    axis = next(axis for axis, length in enumerate(shape) if share.shape[axis] != length)
    return reduced(share.sum(axis=axis, keepdims=True), shape)


def add(a: MyTensor, b: MyTensor) -> MyTensor:
    return derived(a.data + b.data, lambda g: (g, g), a, b)


def negate(a: MyTensor) -> MyTensor:
    return derived(-a.data, lambda g: (-g,), a)


def multiply(a: MyTensor, b: MyTensor) -> MyTensor:
    return derived(a.data * b.data, lambda g: (g * b.data, g * a.data), a, b)


def divide(a: MyTensor, b: MyTensor) -> MyTensor:
    ratio = a.data / b.data
    return derived(ratio, lambda g: (g / b.data, -g * ratio / b.data), a, b)


def power(a: MyTensor, exponent: float) -> MyTensor:
    values = np.asarray(a.data, dtype=np.float64)
    slope = exponent * values ** (exponent - 1) if exponent != 0 else 0.0 * values
    return derived(values**exponent, lambda g: (g * slope,), a)


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    def pullback(g: Array) -> tuple[Array, Array]:
        return g @ b.data.T, a.data.reshape(-1, b.shape[0]).T @ g.reshape(-1, b.shape[1])

    return derived(a.data @ b.data, pullback, a, b)


def mean(a: MyTensor) -> MyTensor:
    return derived(np.mean(a.data), lambda g: (np.broadcast_to(g / a.size, a.shape),), a)


def relu(a: MyTensor) -> MyTensor:
    return derived(np.fmax(a.data, 0), lambda g: (g * np.heaviside(a.data, 0.0),), a)


def square(a: MyTensor) -> MyTensor:
    return multiply(a, a)


class Parameter:
    __slots__ = ("name", "tensor")

    def __init__(self, tensor: MyTensor, name: str = "") -> None:
        self.tensor, self.name = tensor, name


class MyModule:
    def __init__(self) -> None:
        vars(self)["_registered"] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        others = {key: kept for key, kept in self._registered.items() if key != name}
        news = {name: value} if isinstance(value, (Parameter, MyModule)) else {}
        vars(self).update({"_registered": others | news, name: value})

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        vars(self)["_registered"] = {key: kept for key, kept in self._registered.items() if key != name}

    def parameters(self) -> tuple[Parameter, ...]:
        every = (
            parameter
            for member in self._registered.values()
            for parameter in ((member,) if isinstance(member, Parameter) else member.parameters())
        )
        return tuple({id(parameter): parameter for parameter in every}.values())

    def __call__(self, *inputs: Any) -> Any:
        return self.forward(*inputs)


class Linear(MyModule):
    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        limit = 1 / np.sqrt(input_size)
        weight = np.random.default_rng().uniform(-limit, limit, (input_size, output_size))
        self.weight = Parameter(MyTensor(weight, requires_grad=True), "weight")
        self.bias = Parameter(MyTensor(np.zeros(output_size), requires_grad=True), "bias")

    def forward(self, x: MyTensor) -> MyTensor:
        return add(matmul(x, self.weight.tensor), self.bias.tensor)


class ReLU(MyModule):
    def forward(self, x: MyTensor) -> MyTensor:
        return relu(x)


class MSELoss(MyModule):
    def forward(self, y: MyTensor, target: MyTensor) -> MyTensor:
        return mean(square(y - target))


class SGD:
    def __init__(self, parameters: Iterable[Parameter], lr: float) -> None:
        self.parameters, self.lr = tuple(parameters), lr

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            del parameter.tensor.grad

    def step(self) -> None:
        for tensor in (parameter.tensor for parameter in self.parameters):
            if tensor.grad is not None:
                np.subtract(tensor.data, self.lr * tensor.grad, out=tensor.data)


class SuperModel(MyModule):
    def __init__(self) -> None:
        super().__init__()
        self.into, self.out_of = Linear(64, 32), Linear(32, 10)

    def forward(self, x: MyTensor) -> MyTensor:
        return self.out_of(relu(self.into(x)))


def learned(model: MyModule, optimizer: SGD, x: np.ndarray, y: np.ndarray) -> float:
    """The sum of a mini-batch's losses, after a step."""
    optimizer.zero_grad()
    loss = MSELoss()(model(MyTensor(x)), MyTensor(y))
    loss.backward()
    optimizer.step()
    return float(loss.data) * len(x)


def train(
    model: MyModule,
    images: np.ndarray,
    targets: np.ndarray,
    epochs: int = 20,
    batch_size: int = 32,
    lr: float = 1.0,
    live: Callable[[float], None] | None = None,
) -> list[float]:
    optimizer, n, losses = SGD(model.parameters(), lr), len(images), []
    for _ in range(epochs):
        order = np.random.default_rng().permutation(n)
        x, y = images[order], targets[order]
        parts = [slice(start, start + batch_size) for start in range(0, n, batch_size)]
        losses = [*losses, sum(learned(model, optimizer, x[part], y[part]) for part in parts) / n]
        if live:
            live(losses[-1])
    return losses
