# Style: generators everywhere. Rules yield (input, share) pairs, the graph is a post-order stream, parameters are lazy.
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from enum import Enum, auto
from functools import partial, reduce
from itertools import chain, islice, pairwise
from types import EllipsisType
from typing import Any

import numpy as np

Shares = Generator[tuple["MyTensor", np.ndarray], None, None]
Rule = Callable[..., Shares]


class Marker(Enum):
    ENTER = auto()
    LEAVE = auto()


class MyTensor:
    __array_ufunc__ = None

    def __init__(
        self,
        data: Any,
        dtype: Any = None,
        requires_grad: bool = False,
        crossOpBack: Callable[[np.ndarray], Shares] | None = None,
    ) -> None:
        match data:
            case list() | tuple() | np.ndarray() | np.number() | int() | float():
                self._values = np.array(data, dtype=dtype)
            case _:
                raise TypeError(f"{type(data).__name__} is no data for a tensor")
        self.dtype = self._values.dtype
        self.requires_grad = requires_grad
        self.grad: MyTensor | None = None
        self.backward_op = crossOpBack
        self.inputs: tuple[MyTensor, ...] = ()

    @property
    def data(self) -> np.ndarray:
        return self._values

    @property
    def shape(self) -> tuple[int, ...]:
        return self._values.shape

    @property
    def strides(self) -> tuple[int, ...]:
        return self._values.strides

    @property
    def size(self) -> int:
        return self._values.size

    def __repr__(self) -> str:
        return f"MyTensor(data={self._values.tolist()!r}, requires_grad={self.requires_grad!r})"

    def __getitem__(self, key: int | slice | tuple | EllipsisType) -> Any:
        return self._values[key].copy()

    def __setitem__(self, key: int | slice | tuple | EllipsisType, value: Any) -> None:
        self._values[key] = value.data if isinstance(value, MyTensor) else value

    def __add__(self, other: Any) -> "MyTensor":
        left, right = pair(self, other)
        return operation(left.data + right.data, add_shares, left, right)

    def __mul__(self, other: Any) -> "MyTensor":
        left, right = pair(self, other)
        return operation(left.data * right.data, multiply_shares, left, right)

    def __sub__(self, other: Any) -> "MyTensor":
        left, right = pair(self, other)
        return operation(left.data - right.data, subtract_shares, left, right)

    def __truediv__(self, other: Any) -> "MyTensor":
        left, right = pair(self, other)
        return operation(left.data / right.data, divide_shares, left, right)

    def __radd__(self, other: Any) -> "MyTensor":
        return MyTensor(other) + self

    def __rmul__(self, other: Any) -> "MyTensor":
        return MyTensor(other) * self

    def __rsub__(self, other: Any) -> "MyTensor":
        return MyTensor(other) - self

    def __rtruediv__(self, other: Any) -> "MyTensor":
        return MyTensor(other) / self

    def __pow__(self, exponent: float) -> "MyTensor":
        return operation(np.float_power(self.data, exponent), power_shares, self, exponent=exponent)

    def __neg__(self) -> "MyTensor":
        return operation(np.negative(self.data), negative_shares, self)

    def backward(self, base: "MyTensor | None" = None) -> None:
        if not self.requires_grad:
            return
        start = np.ones(self.shape) if base is None else np.array(base.data, dtype=np.float64)
        collected: dict[int, list[np.ndarray]] = {id(self): [start]}
        for tensor in reversed(list(post_order(self))):
            total = reduce(np.add, collected.pop(id(tensor)))
            if tensor.backward_op is None:
                tensor.grad = MyTensor(total) if tensor.grad is None else MyTensor(tensor.grad.data + total)
                continue
            for source, share in tensor.backward_op(total):
                if source.requires_grad:
                    collected.setdefault(id(source), []).append(fold(share, source.shape))


def pair(left: Any, right: Any) -> Iterator[MyTensor]:
    """Both operands as tensors."""
    for side in (left, right):
        yield side if isinstance(side, MyTensor) else MyTensor(side)


def operation(value: Any, rule: Rule, *inputs: MyTensor, **settings: Any) -> MyTensor:
    """A tensor of `value`; it remembers its inputs when one of them requires a gradient."""
    result = MyTensor(value)
    if any(source.requires_grad for source in inputs):
        result.requires_grad = True
        result.inputs = inputs
        result.backward_op = partial(rule, *inputs, **settings)
    return result


def post_order(end: MyTensor) -> Iterator[MyTensor]:
    """Every tensor that wants a gradient, after all tensors it was computed from."""
    entered: set[int] = set()
    stack = [(Marker.ENTER, end)]
    while stack:
        match stack.pop():
            case Marker.LEAVE, tensor:
                yield tensor
            case Marker.ENTER, tensor if id(tensor) not in entered:
                entered.add(id(tensor))
                stack.append((Marker.LEAVE, tensor))
                stack.extend((Marker.ENTER, source) for source in tensor.inputs if source.requires_grad)


def fold(share: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum away what broadcasting repeated."""
    share = np.sum(share, axis=tuple(range(np.ndim(share) - len(shape))))
    repeated = (axis for axis, (now, then) in enumerate(zip(np.shape(share), shape, strict=True)) if now != then)
    return np.sum(share, axis=tuple(repeated), keepdims=True)


def add_shares(left: MyTensor, right: MyTensor, upstream: np.ndarray) -> Shares:
    yield left, upstream
    yield right, upstream


def subtract_shares(left: MyTensor, right: MyTensor, upstream: np.ndarray) -> Shares:
    yield left, upstream
    yield right, -upstream


def multiply_shares(left: MyTensor, right: MyTensor, upstream: np.ndarray) -> Shares:
    yield left, upstream * right.data
    yield right, upstream * left.data


def divide_shares(left: MyTensor, right: MyTensor, upstream: np.ndarray) -> Shares:
    per_unit = upstream / right.data
    yield left, per_unit
    yield right, -per_unit * (left.data / right.data)


def negative_shares(source: MyTensor, upstream: np.ndarray) -> Shares:
    yield source, -upstream


def power_shares(source: MyTensor, upstream: np.ndarray, *, exponent: float) -> Shares:
    if exponent == 0:
        yield source, np.zeros(source.shape)
    else:
        yield source, upstream * exponent * np.float_power(source.data, exponent - 1)


def mean_shares(source: MyTensor, upstream: np.ndarray) -> Shares:
    yield source, np.full(source.shape, upstream / source.size)


def relu_shares(source: MyTensor, upstream: np.ndarray) -> Shares:
    yield source, np.where(source.data > 0, upstream, 0.0)


def matmul_shares(left: MyTensor, right: MyTensor, upstream: np.ndarray) -> Shares:
    rows, gradients = np.atleast_2d(left.data, upstream)
    yield left, (gradients @ right.data.T).reshape(left.shape)
    yield right, np.einsum("nk,nm->km", rows, gradients)


def matmul(left: MyTensor, right: MyTensor) -> MyTensor:
    return operation(left.data @ right.data, matmul_shares, left, right)


class Parameter:
    def __init__(self, tensor: MyTensor) -> None:
        tensor.requires_grad = True
        self.tensor = tensor
        self.name: str | None = None


class MyModule:
    _members: dict[str, "Parameter | MyModule"]

    def __setattr__(self, name: str, value: Any) -> None:
        members = self.__dict__.setdefault("_members", {})
        with suppress(KeyError):
            del members[name]
        if isinstance(value, Parameter):
            value.name = value.name or name
        if isinstance(value, (Parameter, MyModule)):
            members[name] = value
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        with suppress(KeyError):
            del self._members[name]

    def parameters(self, seen: set[int] | None = None) -> Iterator[Parameter]:
        seen = set() if seen is None else seen
        for member in self.__dict__.get("_members", {}).values():
            if id(member) in seen:
                continue
            seen.add(id(member))
            if isinstance(member, Parameter):
                yield member
            else:
                yield from member.parameters(seen)

    def __call__(self, *inputs: Any) -> Any:
        return self.forward(*inputs)


class Linear(MyModule):
    def __init__(self, input_size: int, output_size: int) -> None:
        bound = 1 / np.sqrt(input_size)
        draw = partial(np.random.default_rng().uniform, -bound, bound)
        self.weight = Parameter(MyTensor(draw(size=(input_size, output_size))))
        self.bias = Parameter(MyTensor(draw(size=output_size)))

    def forward(self, x: MyTensor) -> MyTensor:
        return matmul(x, self.weight.tensor) + self.bias.tensor


class ReLU(MyModule):
    def forward(self, x: MyTensor) -> MyTensor:
        return operation(np.clip(x.data, 0, None), relu_shares, x)


class SGD:
    def __init__(self, parameters: Iterable[Parameter], lr: float = 0.1) -> None:
        self._parameters = list(parameters)
        self.lr = lr

    def _with_gradient(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for tensor in (parameter.tensor for parameter in self._parameters):
            if tensor.grad is not None:
                yield tensor.data, tensor.grad.data

    def zero_grad(self) -> None:
        for parameter in self._parameters:
            parameter.tensor.grad = None

    def step(self) -> None:
        for values, gradient in self._with_gradient():
            values[...] = values - self.lr * gradient


class MSELoss(MyModule):
    def forward(self, y: MyTensor, target: MyTensor) -> MyTensor:
        squares = (y - target) ** 2
        return operation(np.mean(squares.data), mean_shares, squares)


class SuperModel(MyModule):
    def __init__(self) -> None:
        sizes = (64, 50, 10)
        for number, (inputs, outputs) in enumerate(pairwise(sizes)):
            setattr(self, f"layer{number}", Linear(inputs, outputs))
        self.relu = ReLU()

    def forward(self, x: MyTensor) -> MyTensor:
        steps = chain([self.layer0], (step for step in (self.relu, self.layer1)))
        return reduce(lambda value, step: step(value), steps, x)


def mini_batches(images: np.ndarray, targets: np.ndarray, size: int) -> Iterator[tuple[MyTensor, MyTensor, int]]:
    order = iter(np.random.permutation(len(images)))
    while rows := [row for _, row in zip(range(size), order, strict=False)]:
        yield MyTensor(images[rows]), MyTensor(targets[rows]), len(rows)


def epoch_losses(
    model: MyModule, images: np.ndarray, targets: np.ndarray, size: int, lr: float
) -> Generator[float, None, None]:
    optimizer, loss_function = SGD(model.parameters(), lr), MSELoss()
    while True:
        total = 0.0
        for x, y, count in mini_batches(images, targets, size):
            optimizer.zero_grad()
            loss = loss_function(model(x), y)
            loss.backward()
            optimizer.step()
            total += float(loss.data) * count
        yield total / len(images)


def train(
    model: MyModule,
    images: np.ndarray,
    targets: np.ndarray,
    epochs: int = 20,
    batch_size: int = 32,
    lr: float = 1.0,
    live: Callable[[float], None] | None = None,
) -> list[float]:
    losses = []
    for loss in islice(epoch_losses(model, images, targets, batch_size, lr), epochs):
        losses.append(loss)
        if live:
            live(loss)
    return losses
