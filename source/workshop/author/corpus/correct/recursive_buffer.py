# Recursion: a tensor's gradient is what its consumers answer when asked, and a dict buffers every answer.
from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

Array = np.ndarray
Rule = Callable[[Array], Array]  # from the gradient of a result to its share for one operand


class MyTensor:
    """An array that remembers which operation made it.

    `backward_op` of a recorded result is a list of (operand, rule) pairs, one for every operand that requires a
    gradient. `depth` is the length of the longest chain of operations below the tensor: it says how deep a
    recursion over the graph can get.
    """

    __array_ufunc__ = None  # np.float64(2) * tensor is ours to compute

    def __init__(self, data: Any, dtype: Any = None, requires_grad: bool = False, crossOpBack: Any = None) -> None:
        if not isinstance(data, (list, tuple, np.ndarray, np.generic, int, float)):
            raise TypeError(f"a tensor holds numbers, not {type(data).__name__}")
        values = np.array(data, dtype=dtype, order="C")
        if values.dtype.kind not in "biuf":
            raise TypeError(f"a tensor holds numbers, not elements of type {values.dtype}")
        if dtype is None and values.dtype.kind != "f":
            values = values.astype(np.float64)
        self.__data = values
        self.dtype = values.dtype
        self.requires_grad = requires_grad
        self.grad: MyTensor | None = None
        self.backward_op = crossOpBack
        self.depth = 0

    @property
    def data(self) -> Array:
        return self.__data

    @property
    def shape(self) -> tuple[int, ...]:
        return self.__data.shape

    @property
    def strides(self) -> tuple[int, ...]:
        return self.__data.strides

    @property
    def size(self) -> int:
        return self.__data.size

    def __repr__(self) -> str:
        return f"MyTensor({self.__data.tolist()}, requires_grad={self.requires_grad})"

    def __getitem__(self, index: Any) -> Any:
        return self.__data[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self.__data[index] = value.data if isinstance(value, MyTensor) else value

    def __add__(self, other: Any) -> MyTensor:
        other = as_tensor(other)
        return record(
            self.data + other.data,
            (self, lambda up: shrink(up, self.shape)),
            (other, lambda up: shrink(up, other.shape)),
        )

    def __sub__(self, other: Any) -> MyTensor:
        other = as_tensor(other)
        return record(
            self.data - other.data,
            (self, lambda up: shrink(up, self.shape)),
            (other, lambda up: shrink(-up, other.shape)),
        )

    def __mul__(self, other: Any) -> MyTensor:
        other = as_tensor(other)
        return record(
            self.data * other.data,
            (self, lambda up: shrink(up * other.data, self.shape)),
            (other, lambda up: shrink(up * self.data, other.shape)),
        )

    def __truediv__(self, other: Any) -> MyTensor:
        other = as_tensor(other)
        return record(
            self.data / other.data,
            (self, lambda up: shrink(up / other.data, self.shape)),
            (other, lambda up: shrink(-up * self.data / other.data**2, other.shape)),
        )

    def __pow__(self, exponent: float) -> MyTensor:
        if exponent == 0:
            return record(np.ones(self.shape), (self, np.zeros_like))
        values = self.data if self.data.dtype.kind == "f" else self.data.astype(np.float64)
        return record(values**exponent, (self, lambda up: up * exponent * values ** (exponent - 1)))

    def __neg__(self) -> MyTensor:
        return record(-self.data, (self, np.negative))

    def __radd__(self, other: Any) -> MyTensor:
        return as_tensor(other) + self

    def __rsub__(self, other: Any) -> MyTensor:
        return as_tensor(other) - self

    def __rmul__(self, other: Any) -> MyTensor:
        return as_tensor(other) * self

    def __rtruediv__(self, other: Any) -> MyTensor:
        return as_tensor(other) / self

    def backward(self, base: Any = None) -> None:
        """Add the gradients of this tensor, times `base`, to the leaves it was computed from."""
        if not self.requires_grad:
            return
        consumers: dict[int, list[tuple[MyTensor, Rule]]] = {}
        buffer: dict[int, Array] = {id(self): np.ones(self.shape) if base is None else as_tensor(base).data}
        leaves: list[MyTensor] = []

        def explore(tensor: MyTensor) -> None:
            consumers[id(tensor)] = []
            if tensor.backward_op is None:
                leaves.append(tensor)
                return
            for operand, rule in tensor.backward_op:
                if id(operand) not in consumers:
                    explore(operand)
                consumers[id(operand)].append((tensor, rule))

        def gradient(tensor: MyTensor) -> Array:
            if id(tensor) not in buffer:
                total = np.zeros(tensor.shape)
                for consumer, rule in consumers[id(tensor)]:
                    total = total + rule(gradient(consumer))
                buffer[id(tensor)] = total
            return buffer[id(tensor)]

        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(limit + self.depth + 100)
        try:
            explore(self)
            for leaf in leaves:
                before = 0 if leaf.grad is None else as_tensor(leaf.grad).data
                kind = leaf.dtype if leaf.dtype.kind == "f" else None
                leaf.grad = MyTensor(before + gradient(leaf), dtype=kind)
        finally:
            sys.setrecursionlimit(limit)


def as_tensor(value: Any) -> MyTensor:
    return value if isinstance(value, MyTensor) else MyTensor(value)


def record(values: Any, *edges: tuple[MyTensor, Rule]) -> MyTensor:
    """A result, tied to those of its operands that require a gradient."""
    result = MyTensor(values)
    kept = [(operand, rule) for operand, rule in edges if operand.requires_grad]
    if kept:
        result.requires_grad = True
        result.backward_op = kept
        result.depth = 1 + max(operand.depth for operand, _ in kept)
    return result


def shrink(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient over the axes along which broadcasting repeated an operand of this shape."""
    if gradient.ndim > len(shape):
        return shrink(gradient.sum(axis=0), shape)
    for axis, length in enumerate(shape):
        if length == 1 != gradient.shape[axis]:
            gradient = gradient.sum(axis=axis, keepdims=True)
    return gradient


class Parameter:
    """A tensor that an optimizer may change."""

    def __init__(self, tensor: MyTensor, name: str | None = None) -> None:
        tensor.requires_grad = True
        self.tensor = tensor
        self.name = name


class MyModule:
    """Base class of everything that has parameters; they register when they are assigned to an attribute."""

    def __setattr__(self, name: str, value: Any) -> None:
        registry = self.__dict__.setdefault("_registry", {})
        registry.pop(name, None)
        if isinstance(value, (Parameter, MyModule)):
            registry[name] = value
        if isinstance(value, Parameter):
            value.name = value.name or name
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        self.__dict__.get("_registry", {}).pop(name, None)
        super().__delattr__(name)

    def parameters(self) -> list[Parameter]:
        return list({id(parameter): parameter for parameter in self._walk(set())}.values())

    def _walk(self, visited: set[int]) -> Iterator[Parameter]:
        visited.add(id(self))
        for member in self.__dict__.get("_registry", {}).values():
            if isinstance(member, Parameter):
                yield member
            elif id(member) not in visited:
                yield from member._walk(visited)

    def __call__(self, *inputs: Any) -> Any:
        return self.forward(*inputs)


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    """The product of a (n, k) or (k,) tensor with a (k, m) one."""
    rows = np.atleast_2d(a.data)
    return record(
        a.data @ b.data,
        (a, lambda up: up @ b.data.T),
        (b, lambda up: rows.T @ up.reshape(len(rows), -1)),
    )


class Linear(MyModule):
    def __init__(self, input_size: int, output_size: int) -> None:
        bound = 1 / np.sqrt(input_size)
        self.weight = Parameter(MyTensor(np.random.uniform(-bound, bound, (input_size, output_size))))
        self.bias = Parameter(MyTensor(np.random.uniform(-bound, bound, output_size)))

    def forward(self, x: MyTensor) -> MyTensor:
        return matmul(x, self.weight.tensor) + self.bias.tensor


class ReLU(MyModule):
    def forward(self, x: MyTensor) -> MyTensor:
        return record(np.maximum(x.data, 0), (x, lambda up: np.where(x.data > 0, up, 0)))


class SGD:
    def __init__(self, parameters: Iterable[Parameter], lr: float = 0.01) -> None:
        self.parameters = list(parameters)
        self.lr = lr

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.tensor.grad = None

    def step(self) -> None:
        for parameter in self.parameters:
            if parameter.tensor.grad is not None:
                values = parameter.tensor.data
                values -= self.lr * parameter.tensor.grad.data


class MSELoss(MyModule):
    def forward(self, y: MyTensor, target: MyTensor) -> MyTensor:
        errors = (y - target) ** 2
        return record(errors.data.mean(), (errors, lambda up: np.full(errors.shape, up / errors.size)))


class SuperModel(MyModule):
    def __init__(self) -> None:
        self.hidden = Linear(64, 48)
        self.bend = ReLU()
        self.scores = Linear(48, 10)

    def forward(self, x: MyTensor) -> MyTensor:
        return self.scores(self.bend(self.hidden(x)))


def train(
    model: MyModule,
    images: np.ndarray,
    targets: np.ndarray,
    epochs: int = 20,
    batch_size: int = 32,
    lr: float = 1.0,
    live: Callable[[float], None] | None = None,
) -> list[float]:
    optimizer = SGD(model.parameters(), lr)

    def rest(order: np.ndarray) -> float:
        """The sum of the losses of the rows that are left, each mini-batch after the one before."""
        if not len(order):
            return 0.0
        batch = order[:batch_size]
        optimizer.zero_grad()
        loss = MSELoss()(model(MyTensor(images[batch])), MyTensor(targets[batch]))
        loss.backward()
        optimizer.step()
        return float(loss.data) * len(batch) + rest(order[batch_size:])

    losses = []
    for _ in range(epochs):
        losses.append(rest(np.random.permutation(len(images))) / len(images))
        if live:
            live(losses[-1])
    return losses
