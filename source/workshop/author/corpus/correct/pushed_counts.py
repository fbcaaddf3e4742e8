# Pushing: rules push gradients onward themselves; a tensor pushes on when no consumer is left that still owes it one.
"""Reverse-mode differentiation without sorting the graph.

`backward` counts, for every tensor below the output, how many pushes it will get. Each push adds to the tensor's
gradient and takes one off the count. At zero the gradient is complete, and the tensor is put on the list of those
whose rules may run. The rules run from a loop, so that no chain of operations is too long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Optional, Union

import numpy as np

Number = Union[int, float]  # noqa: UP007
Push = Callable[["MyTensor", np.ndarray], None]


@dataclass(frozen=True, eq=False)
class Operation:
    """A recorded operation: whom its rule will push to (once for each mention), and the rule."""

    targets: tuple[MyTensor, ...]
    rule: Callable[[np.ndarray, Push], None]


class Pushing:
    """One backward pass."""

    def __init__(self, root: MyTensor) -> None:
        self.owed: dict[MyTensor, int] = {root: 1}
        self.sums: dict[MyTensor, np.ndarray] = {}
        self.complete: deque[MyTensor] = deque()
        undiscovered = [root]
        while undiscovered:
            for target in undiscovered.pop().targets():
                if target not in self.owed:
                    self.owed[target] = 0
                    undiscovered.append(target)
                self.owed[target] += 1

    def push(self, tensor: MyTensor, gradient: np.ndarray) -> None:
        if not tensor.requires_grad:
            return
        gradient = collapse(gradient, tensor.shape)
        self.sums[tensor] = self.sums[tensor] + gradient if tensor in self.sums else gradient
        self.owed[tensor] -= 1
        if self.owed[tensor] == 0:
            self.complete.append(tensor)

    def run(self) -> None:
        while self.complete:
            tensor = self.complete.popleft()
            gradient = self.sums.pop(tensor)
            if tensor.backward_op is None:
                tensor.keep(gradient)
            else:
                tensor.backward_op.rule(gradient, self.push)


def collapse(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo broadcasting from `shape`, by sums."""
    gradient = np.asarray(gradient)
    missing = gradient.ndim - len(shape)
    if missing:
        gradient = gradient.reshape(-1, *gradient.shape[missing:]).sum(axis=0)
    for axis in range(len(shape)):
        if shape[axis] < np.shape(gradient)[axis]:
            gradient = gradient.sum(axis, keepdims=True)
    return gradient


class MyTensor:
    """Numbers, and how they came about."""

    __array_ufunc__ = None

    def __init__(
        self,
        data: Any,
        dtype: Any = None,
        requires_grad: bool = False,
        crossOpBack: Optional[Operation] = None,  # noqa: UP045
    ) -> None:
        allowed = (list, tuple, np.ndarray, np.generic, int, float)
        if not isinstance(data, allowed):
            raise TypeError(f"MyTensor takes numbers in lists, tuples or arrays; this is a {type(data).__name__}")
        self.__data = np.array(data, dtype=dtype, order="C")
        if self.dtype.kind not in "fiub":
            raise TypeError(f"MyTensor takes numbers; these elements are of type {self.dtype}")
        if dtype is None and self.dtype.kind != "f":
            self.__data = self.__data.astype(np.double)
        self.requires_grad = requires_grad
        self.backward_op = crossOpBack
        self.grad: Optional[MyTensor] = None  # noqa: UP045

    @property
    def data(self) -> np.ndarray:
        return self.__data

    @property
    def dtype(self) -> np.dtype:
        return self.__data.dtype

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
        return f"MyTensor(data={self.__data.tolist()!r}, requires_grad={self.requires_grad!r})"

    def __getitem__(self, index: Any) -> np.ndarray:
        return self.__data[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self.__data[index] = lifted(value).data

    def targets(self) -> tuple[MyTensor, ...]:
        return () if self.backward_op is None else self.backward_op.targets

    def keep(self, gradient: np.ndarray) -> None:
        """Add a complete gradient to this leaf's."""
        if self.grad is not None:
            gradient = gradient + self.grad.data
        self.grad = MyTensor(gradient, dtype=self.dtype if self.dtype.kind == "f" else np.double)

    def backward(self, base: Optional[MyTensor] = None) -> None:  # noqa: UP045
        if not self.requires_grad:
            return
        pushing = Pushing(self)
        pushing.push(self, np.ones(self.shape) if base is None else lifted(base).data)
        pushing.run()

    def __add__(self, other: MyTensor | Number) -> MyTensor:
        a, b = self, lifted(other)

        def rule(gradient: np.ndarray, push: Push) -> None:
            push(a, gradient)
            push(b, gradient)

        return recorded(a.data + b.data, (a, b), rule)

    def __sub__(self, other: MyTensor | Number) -> MyTensor:
        a, b = self, lifted(other)

        def rule(gradient: np.ndarray, push: Push) -> None:
            push(a, gradient)
            push(b, -gradient)

        return recorded(a.data - b.data, (a, b), rule)

    def __mul__(self, other: MyTensor | Number) -> MyTensor:
        a, b = self, lifted(other)

        def rule(gradient: np.ndarray, push: Push) -> None:
            push(a, b.data * gradient)
            push(b, a.data * gradient)

        return recorded(a.data * b.data, (a, b), rule)

    def __truediv__(self, other: MyTensor | Number) -> MyTensor:
        a, b = self, lifted(other)

        def rule(gradient: np.ndarray, push: Push) -> None:
            push(a, gradient / b.data)
            push(b, gradient / b.data * (a.data / -b.data))

        return recorded(a.data / b.data, (a, b), rule)

    def __pow__(self, exponent: Number) -> MyTensor:
        def rule(gradient: np.ndarray, push: Push) -> None:
            push(self, exponent * self.data ** (exponent - 1.0) * gradient if exponent else 0.0 * gradient)

        return recorded(self.data ** float(exponent), (self,), rule)

    def __neg__(self) -> MyTensor:
        return 0.0 - self

    def __radd__(self, other: Number) -> MyTensor:
        return lifted(other) + self

    def __rsub__(self, other: Number) -> MyTensor:
        return lifted(other) - self

    def __rmul__(self, other: Number) -> MyTensor:
        return lifted(other) * self

    def __rtruediv__(self, other: Number) -> MyTensor:
        return lifted(other) / self


def lifted(value: Any) -> MyTensor:
    return value if isinstance(value, MyTensor) else MyTensor(value)


def recorded(values: Any, operands: tuple[MyTensor, ...], rule: Callable[[np.ndarray, Push], None]) -> MyTensor:
    targets = tuple(operand for operand in operands if operand.requires_grad)
    return MyTensor(values, None, bool(targets), Operation(targets, rule) if targets else None)


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    """(n, k) or (k,) times (k, m)."""

    def rule(gradient: np.ndarray, push: Push) -> None:
        push(a, np.tensordot(gradient, b.data, axes=(-1, 1)))
        push(b, np.atleast_2d(a.data).T @ np.atleast_2d(gradient))

    return recorded(np.tensordot(a.data, b.data, axes=1), (a, b), rule)


class Parameter:
    """A tensor to be learned."""

    def __init__(self, tensor: MyTensor) -> None:
        tensor.requires_grad = True
        self.tensor = tensor
        self.name: str = "?"


class MyModule:
    """Keeps what is assigned to its attributes in the order of assignment."""

    def __init__(self) -> None:
        vars(self)["_kept"] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        kept: dict[str, Parameter | MyModule] = vars(self).setdefault("_kept", {})
        kept.pop(name, None)
        match value:
            case Parameter():
                value.name = name
                kept[name] = value
            case MyModule():
                kept[name] = value
        vars(self)[name] = value

    def parameters(self) -> tuple[Parameter, ...]:
        unique: dict[int, Parameter] = {}
        modules: dict[int, MyModule] = {}

        def visit(module: MyModule) -> None:
            modules[id(module)] = module
            for value in vars(module).get("_kept", {}).values():
                if isinstance(value, Parameter):
                    unique.setdefault(id(value), value)
                elif id(value) not in modules:
                    visit(value)

        visit(self)
        return tuple(unique.values())

    def __call__(self, x: MyTensor) -> MyTensor:
        return self.forward(x)


class Linear(MyModule):
    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        spread = 1.0 / np.sqrt(input_size)
        self.weight = Parameter(MyTensor((2.0 * np.random.rand(input_size, output_size) - 1.0) * spread))
        self.bias = Parameter(MyTensor(np.zeros((1, output_size))[0]))

    def forward(self, x: MyTensor) -> MyTensor:
        return matmul(x, self.weight.tensor) + self.bias.tensor


class ReLU(MyModule):
    def forward(self, x: MyTensor) -> MyTensor:
        def rule(gradient: np.ndarray, push: Push) -> None:
            push(x, gradient * np.heaviside(x.data, 0.0))

        return recorded(x.data.clip(min=0.0), (x,), rule)


class SGD:
    def __init__(self, parameters: Iterable[Parameter], lr: float = 0.01) -> None:
        self._parameters = list(parameters)
        self.lr = lr

    def zero_grad(self) -> None:
        for parameter in self._parameters:
            parameter.tensor.grad = None

    def step(self) -> None:
        for parameter in self._parameters:
            tensor = parameter.tensor
            if tensor.grad is None:
                continue
            tensor.data.__isub__(self.lr * tensor.grad.data)


class MSELoss(MyModule):
    def forward(self, y: MyTensor, target: MyTensor) -> MyTensor:
        difference = y - target
        count = difference.size

        def rule(gradient: np.ndarray, push: Push) -> None:
            push(difference, gradient * 2.0 / count * difference.data)

        return recorded(np.vdot(difference.data, difference.data) / count, (difference,), rule)

    def __call__(self, y: MyTensor, target: MyTensor) -> MyTensor:
        return self.forward(y, target)


class SuperModel(MyModule):
    def __init__(self) -> None:
        super().__init__()
        self.input_layer = Linear(64, 36)
        self.activation = ReLU()
        self.output_layer = Linear(36, 10)

    def forward(self, x: MyTensor) -> MyTensor:
        return self.output_layer(self.activation(self.input_layer(x)))


def train(
    model: MyModule,
    images: np.ndarray,
    targets: np.ndarray,
    epochs: int = 20,
    batch_size: int = 32,
    lr: float = 1.0,
    live: Callable[[float], None] | None = None,
) -> list[float]:
    loss_function, optimizer = MSELoss(), SGD(model.parameters(), lr)
    losses: list[float] = []
    for _ in range(epochs):
        queue = deque(np.random.permutation(len(images)).tolist())
        pushed = 0.0
        while queue:
            rows = [queue.popleft() for _ in range(min(batch_size, len(queue)))]
            optimizer.zero_grad()
            loss = loss_function(model(MyTensor(images[rows])), MyTensor(targets[rows]))
            loss.backward()
            optimizer.step()
            pushed += float(loss.data) * len(rows)
        losses.append(pushed / len(images))
        if live:
            live(losses[-1])
    return losses
