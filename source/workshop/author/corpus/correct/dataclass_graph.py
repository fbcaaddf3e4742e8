# Style: a graph apart from the tensors. Dataclass nodes hold parents and vector-Jacobian products.
"""A reverse-mode automatic differentiation library in which tensors are only handles.

A tensor owns an array and points to a `Node`. The nodes form the graph and know nothing about tensors: an operation
adds a node with one vector-Jacobian product for each parent that is tracked.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Optional

import numpy as np

Number = int | float
VJP = Callable[[np.ndarray], np.ndarray]


@dataclass(eq=False)
class Node:
    """A place in the graph.

    Attributes:
        parents: the nodes this one was computed from.
        vjps: for each parent, the function from this node's gradient to the parent's share.
        tracked: whether gradients flow to this node.
        grad: what has arrived, on a tracked node without parents.
    """

    parents: list["Node"] = field(default_factory=list)
    vjps: list[VJP] = field(default_factory=list)
    tracked: bool = False
    grad: Optional["MyTensor"] = field(default=None, repr=False)


def toposort(end: Node) -> Iterator[Node]:
    """Yield every node from which `end` was computed; each comes after all of its children."""
    child_counts: dict[Node, int] = {}
    stack = [end]
    while stack:
        node = stack.pop()
        if node in child_counts:
            child_counts[node] += 1
        else:
            child_counts[node] = 1
            stack.extend(node.parents)
    childless = [end]
    while childless:
        node = childless.pop()
        yield node
        for parent in node.parents:
            child_counts[parent] -= 1
            if not child_counts[parent]:
                childless.append(parent)


def backward_pass(gradient: np.ndarray, end: Node) -> None:
    """Send `gradient` from `end` down to the nodes without parents."""
    outgrads = {end: gradient}
    for node in toposort(end):
        outgrad = outgrads.pop(node)
        if not node.parents:
            node.grad = MyTensor(outgrad if node.grad is None else node.grad.data + outgrad)
        for parent, vjp in zip(node.parents, node.vjps, strict=True):
            share = vjp(outgrad)
            outgrads[parent] = outgrads[parent] + share if parent in outgrads else share


def unbroadcast(shape: tuple[int, ...], vjp: VJP) -> VJP:
    """The same product, summed over the axes along which an operand of this shape was repeated."""

    def summed(gradient: np.ndarray) -> np.ndarray:
        share = np.asarray(vjp(gradient))
        while share.ndim > len(shape):
            share = np.sum(share, axis=0)
        for axis, length in enumerate(shape):
            if length == 1:
                share = np.sum(share, axis=axis, keepdims=True)
        return share

    return summed


class MyTensor:
    """An array with a place in the graph."""

    __array_ufunc__ = None

    def __init__(
        self,
        data: Any,
        dtype: Any = None,
        requires_grad: bool = False,
        crossOpBack: Node | None = None,
    ) -> None:
        if not isinstance(data, (list, tuple, np.ndarray, np.number, int, float)):
            raise TypeError(f"expected numbers, got {type(data).__name__}")
        self._array = np.array(data, dtype=dtype)
        self._node = crossOpBack if crossOpBack is not None else Node(tracked=requires_grad)

    @property
    def data(self) -> np.ndarray:
        return self._array

    @property
    def dtype(self) -> np.dtype:
        return self._array.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return self._array.shape

    @property
    def strides(self) -> tuple[int, ...]:
        return self._array.strides

    @property
    def size(self) -> int:
        return self._array.size

    @property
    def requires_grad(self) -> bool:
        return self._node.tracked

    @property
    def backward_op(self) -> Node | None:
        return self._node if self._node.parents else None

    @property
    def grad(self) -> Optional["MyTensor"]:
        return self._node.grad

    @grad.setter
    def grad(self, value: Optional["MyTensor"]) -> None:
        self._node.grad = value

    def backward(self, base: Optional["MyTensor"] = None) -> None:
        """Add the gradients of this tensor, weighted by `base`, to the tensors it was computed from."""
        if self.requires_grad:
            gradient = np.ones(self.shape) if base is None else base.data.astype(np.float64)
            backward_pass(gradient, self._node)

    def __repr__(self) -> str:
        return f"MyTensor({np.array2string(self.data, separator=', ')}, requires_grad={self.requires_grad})"

    def __getitem__(self, index: Any) -> Any:
        return self._array[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._array[index] = value

    def __add__(self, other: "MyTensor | Number") -> "MyTensor":
        return add(self, other)

    def __radd__(self, other: Number) -> "MyTensor":
        return add(other, self)

    def __sub__(self, other: "MyTensor | Number") -> "MyTensor":
        return subtract(self, other)

    def __rsub__(self, other: Number) -> "MyTensor":
        return subtract(other, self)

    def __mul__(self, other: "MyTensor | Number") -> "MyTensor":
        return multiply(self, other)

    def __rmul__(self, other: Number) -> "MyTensor":
        return multiply(other, self)

    def __truediv__(self, other: "MyTensor | Number") -> "MyTensor":
        return divide(self, other)

    def __rtruediv__(self, other: Number) -> "MyTensor":
        return divide(other, self)

    def __pow__(self, exponent: Number) -> "MyTensor":
        return power(self, exponent)

    def __neg__(self) -> "MyTensor":
        return record(-self.data, (self, lambda g: -g))


def as_tensor(value: MyTensor | Number) -> MyTensor:
    return value if isinstance(value, MyTensor) else MyTensor(value)


def record(value: np.ndarray, *inputs: tuple[MyTensor, VJP]) -> MyTensor:
    """A tensor of `value`, with a node for those of its inputs that are tracked."""
    tracked = [(tensor._node, unbroadcast(tensor.shape, vjp)) for tensor, vjp in inputs if tensor.requires_grad]
    if not tracked:
        return MyTensor(value)
    parents, vjps = zip(*tracked, strict=True)
    return MyTensor(value, crossOpBack=Node(list(parents), list(vjps), tracked=True))


def add(a: Any, b: Any) -> MyTensor:
    a, b = as_tensor(a), as_tensor(b)
    return record(a.data + b.data, (a, lambda g: g), (b, lambda g: g))


def subtract(a: Any, b: Any) -> MyTensor:
    a, b = as_tensor(a), as_tensor(b)
    return record(a.data - b.data, (a, lambda g: g), (b, lambda g: -g))


def multiply(a: Any, b: Any) -> MyTensor:
    a, b = as_tensor(a), as_tensor(b)
    return record(a.data * b.data, (a, lambda g: g * b.data), (b, lambda g: g * a.data))


def divide(a: Any, b: Any) -> MyTensor:
    a, b = as_tensor(a), as_tensor(b)
    return record(a.data / b.data, (a, lambda g: g / b.data), (b, lambda g: -g * a.data / b.data**2))


def power(a: MyTensor, exponent: Number) -> MyTensor:
    base = a.data.astype(np.result_type(a.dtype, np.float32))
    # The replaced exponent keeps 0 * 0**-1 from becoming NaN.
    return record(base**exponent, (a, lambda g: g * exponent * base ** (exponent - 1 if exponent else 1)))


def relu(x: MyTensor) -> MyTensor:
    return record(np.maximum(x.data, 0), (x, lambda g: np.where(x.data > 0, g, 0.0)))


def mean(x: MyTensor) -> MyTensor:
    return record(np.mean(x.data), (x, lambda g: np.full(x.shape, g / x.size)))


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    """The product of a matrix, or of one row, with a matrix."""

    def vjp_b(gradient: np.ndarray) -> np.ndarray:
        return np.outer(a.data, gradient) if a.data.ndim == 1 else a.data.T @ gradient

    return record(a.data @ b.data, (a, lambda g: g @ b.data.T), (b, vjp_b))


@dataclass(eq=False)
class Parameter:
    """A tensor that training changes; it has to require a gradient."""

    tensor: MyTensor
    name: str = ""


class MyModule:
    """Something with parameters. The instance's attributes are the only register there is."""

    def walk(self, visited: dict[int, Any]) -> None:
        for value in vars(self).values():
            if isinstance(value, (Parameter, MyModule)) and id(value) not in visited:
                visited[id(value)] = value
                if isinstance(value, MyModule):
                    value.walk(visited)

    def parameters(self) -> list[Parameter]:
        visited: dict[int, Any] = {id(self): self}
        self.walk(visited)
        return [value for value in visited.values() if isinstance(value, Parameter)]

    def forward(self, *inputs: MyTensor) -> MyTensor:
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def __call__(self, *inputs: Any) -> Any:
        return self.forward(*inputs)


class Linear(MyModule):
    def __init__(self, input_size: int, output_size: int) -> None:
        generator = np.random.default_rng()
        bound = 1 / np.sqrt(input_size)
        weight = generator.uniform(-bound, bound, size=(input_size, output_size))
        self.weight = Parameter(MyTensor(weight, requires_grad=True), "weight")
        self.bias = Parameter(MyTensor(np.zeros(output_size), requires_grad=True), "bias")

    def forward(self, x: MyTensor) -> MyTensor:
        return add(matmul(x, self.weight.tensor), self.bias.tensor)


class ReLU(MyModule):
    def forward(self, x: MyTensor) -> MyTensor:
        return relu(x)


class MSELoss(MyModule):
    def forward(self, y: MyTensor, target: MyTensor) -> MyTensor:
        return mean(power(subtract(y, target), 2))


@dataclass
class SGD:
    """Gradient descent on any iterable of parameters."""

    parameters: Iterable[Parameter]
    lr: float = 1e-2

    def __post_init__(self) -> None:
        self.parameters = tuple(self.parameters)

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.tensor.grad = None

    def step(self) -> None:
        for parameter in self.parameters:
            gradient = parameter.tensor.grad
            if gradient is not None:
                parameter.tensor.data[...] -= self.lr * gradient.data


class SuperModel(MyModule):
    def __init__(self) -> None:
        self.hidden = Linear(64, 48)
        self.activation = ReLU()
        self.output = Linear(48, 10)

    def forward(self, x: MyTensor) -> MyTensor:
        return self.output(self.activation(self.hidden(x)))


@dataclass
class Log:
    """The losses of an epoch's examples so far."""

    total: float = 0.0
    count: int = 0

    def note(self, loss: MyTensor, examples: int) -> None:
        self.total += float(loss.data) * examples
        self.count += examples

    @property
    def mean(self) -> float:
        return self.total / self.count


def batches(count: int, size: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    order = generator.permutation(count)
    yield from np.split(order, range(size, count, size))


def train(
    model: MyModule,
    images: np.ndarray,
    targets: np.ndarray,
    epochs: int = 20,
    batch_size: int = 32,
    lr: float = 1.0,
    live: Callable[[float], None] | None = None,
) -> list[float]:
    generator, loss_function = np.random.default_rng(), MSELoss()
    optimizer = SGD(model.parameters(), lr=lr)
    losses = []
    for _ in range(epochs):
        log = Log()
        for rows in batches(len(images), batch_size, generator):
            optimizer.zero_grad()
            loss = loss_function(model(MyTensor(images[rows])), MyTensor(targets[rows]))
            loss.backward()
            optimizer.step()
            log.note(loss, len(rows))
        losses.append(log.mean)
        if live:
            live(log.mean)
    return losses
