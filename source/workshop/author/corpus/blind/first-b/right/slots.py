import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tqdm import tqdm

Pullback = Callable[[np.ndarray], np.ndarray]


@dataclass(slots=True, eq=False)
class Edge:
    """One operand of an operation, and the map from the upstream gradient to this operand's share."""

    source: Any  # a MyTensor
    pullback: Pullback


@dataclass(slots=True, eq=False)
class Node:
    """One operation of the graph. Only operands that require a gradient have an edge."""

    name: str
    edges: list[Edge] = field(default_factory=list)

    @property
    def inputs(self) -> tuple["MyTensor", ...]:
        return tuple(edge.source for edge in self.edges)

    def __call__(self, base: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(edge.pullback(base) for edge in self.edges)

    def __str__(self) -> str:
        return self.name


class MyCrossBackward:
    """The workshop's own form of an operation; `Node` has the same face. (Given.)"""

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


class MyTensor:
    """An n-dimensional array; how it was computed is its node's business."""

    __slots__ = ("__data", "requires_grad", "grad", "backward_op", "__weakref__")
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None) -> None:
        match data:
            case bool():
                raise TypeError("a truth value is no number")
            case list() | tuple() | np.ndarray() | np.number() | int() | float():
                array = np.array(data, dtype=dtype)
            case _:
                raise TypeError(f"cannot make a tensor of {type(data).__name__}")
        if array.dtype.kind not in "biufc":
            raise TypeError(f"cannot hold elements of type {array.dtype}")
        if requires_grad and array.dtype.kind in "biu":
            array = array.astype(np.float64)
        self.__data = array
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack

    @classmethod
    def result(cls, values: np.ndarray, name: str, *links: tuple["MyTensor", Pullback]) -> "MyTensor":
        edges = [Edge(source, pullback) for source, pullback in links if source.requires_grad]
        return cls(values, requires_grad=True, crossOpBack=Node(name, edges)) if edges else cls(values)

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
    def data(self) -> np.ndarray:
        return self.__data

    @property
    def size(self) -> int:
        return self.__data.size

    def __repr__(self) -> str:
        return f"MyTensor(data={self.__data!r}, requires_grad={self.requires_grad})"

    def __str__(self) -> str:
        return self.__repr__()

    def __getitem__(self, index):
        return self.__data[index]

    def __setitem__(self, index, value) -> None:
        if self.requires_grad:
            raise RuntimeError("this tensor may be part of a graph: it is not written to")
        self.__data[index] = value

    def _wrap(self, other) -> "MyTensor":
        if isinstance(other, MyTensor):
            return other
        if self.data.dtype.kind == "f" and isinstance(other, (int, float)) and not isinstance(other, bool):
            return MyTensor(other, dtype=np.result_type(self.__data, other))  # a float32 stays one
        return MyTensor(other)

    def __add__(self, other) -> "MyTensor":
        other = self._wrap(other)
        return MyTensor.result(
            self.data + other.data,
            "AddBackward",
            (self, lambda g: fit(g, self.shape)),
            (other, lambda g: fit(g, other.shape)),
        )

    def __sub__(self, other) -> "MyTensor":
        other = self._wrap(other)
        return MyTensor.result(
            self.data - other.data,
            "SubBackward",
            (self, lambda g: fit(g, self.shape)),
            (other, lambda g: fit(-g, other.shape)),
        )

    def __mul__(self, other) -> "MyTensor":
        other = self._wrap(other)
        return MyTensor.result(
            self.data * other.data,
            "MulBackward",
            (self, lambda g: fit(g * other.data, self.shape)),
            (other, lambda g: fit(g * self.data, other.shape)),
        )

    def __truediv__(self, other) -> "MyTensor":
        other = self._wrap(other)
        quotient = self.data / other.data
        return MyTensor.result(
            quotient,
            "DivBackward",
            (self, lambda g: fit(g / other.data, self.shape)),
            (other, lambda g: fit(-g * quotient / other.data, other.shape)),
        )

    def __pow__(self, power) -> "MyTensor":
        if isinstance(power, MyTensor):
            return NotImplemented
        floats = self.data if self.data.dtype.kind in "fc" else self.data.astype(np.float64)
        values = floats**power if power < 0 else self.data**power
        return MyTensor.result(
            values,
            "PowBackward",
            (self, lambda g: g * power * floats ** (power - 1) if power != 0 else g * 0.0),
        )

    def __neg__(self) -> "MyTensor":
        return MyTensor.result(-self.data, "NegBackward", (self, lambda g: -g))

    def __radd__(self, other) -> "MyTensor":
        return self._wrap(other) + self

    def __rsub__(self, other) -> "MyTensor":
        return self._wrap(other) - self

    def __rmul__(self, other) -> "MyTensor":
        return self._wrap(other) * self

    def __rtruediv__(self, other) -> "MyTensor":
        return self._wrap(other) / self

    def backward(self, base: "MyTensor | None" = None) -> None:
        if not self.requires_grad:
            return
        book: dict[int, np.ndarray] = {}
        book[id(self)] = np.ones(self.shape) if base is None else np.array(base.data, dtype=np.float64)
        for tensor in topological(self):
            gradient = book.pop(id(tensor))
            if tensor.backward_op is None:
                if tensor.grad is None:
                    tensor.grad = np.zeros(tensor.shape)
                tensor.grad += gradient
                continue
            for source, share in zip(tensor.backward_op.inputs, tensor.backward_op(gradient)):
                if wanted(source):
                    if id(source) in book:
                        book[id(source)] = book[id(source)] + share
                    else:
                        book[id(source)] = share


def wanted(source: Any) -> bool:
    return isinstance(source, MyTensor) and source.requires_grad


def sources(tensor: MyTensor) -> Iterator[MyTensor]:
    return iter(()) if tensor.backward_op is None else filter(wanted, tensor.backward_op.inputs)


def topological(root: MyTensor) -> list[MyTensor]:
    """The root first, and every tensor before all that it was computed from."""
    finished: list[MyTensor] = []
    seen = {id(root)}
    path = [(root, sources(root))]
    while path:
        tensor, rest = path[-1]
        for source in rest:
            if id(source) not in seen:
                seen.add(id(source))
                path.append((source, sources(source)))
                break
        else:
            finished.append(tensor)
            path.pop()
    return finished[::-1]


def fit(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum over the axes that broadcasting stretched."""
    gradient = np.asarray(gradient)
    if gradient.shape == shape:
        return gradient
    extra = gradient.ndim - len(shape)
    axes = [*range(extra), *(i + extra for i, length in enumerate(shape) if length == 1)]
    return np.add.reduce(gradient, axis=tuple(axes), keepdims=True).reshape(shape)


class Parameter:
    """A tensor that training changes. (Given.)"""

    def __init__(self, tensor: MyTensor) -> None:
        if not np.issubdtype(tensor.data.dtype, np.floating):
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
        if isinstance(value, (Parameter, MyModule)) and "_MyModule__sub_modules" not in self.__dict__:
            raise RuntimeError(f"call super().__init__() in {type(self).__name__}.__init__ before setting {name}")
        self.__dict__.get("_MyModule__parameters", {}).pop(name, None)
        self.__dict__.get("_MyModule__sub_modules", {}).pop(name, None)
        if isinstance(value, Parameter):
            value.name = value.name or name
            self.__parameters[name] = value
        elif isinstance(value, MyModule) and value is not self:
            self.__sub_modules[name] = value
        super().__setattr__(name, value)

    def __call__(self, x: Any) -> Any:
        return self.forward(x)

    def _walk(self) -> Iterator[Parameter]:
        yield from self.__parameters.values()
        for module in self.__sub_modules.values():
            yield from module.parameters()

    def parameters(self) -> list[Parameter]:
        unique: dict[int, Parameter] = {}
        for parameter in self._walk():
            unique.setdefault(id(parameter), parameter)
        return list(unique.values())


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    def for_a(g: np.ndarray) -> np.ndarray:
        return np.einsum("...j,lj->...l", g, b.data)

    def for_b(g: np.ndarray) -> np.ndarray:
        return np.einsum("il,ij->lj", np.atleast_2d(a.data), np.atleast_2d(g))

    return MyTensor.result(a.data @ b.data, "MatmulBackward", (a, for_a), (b, for_b))


class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        bound = 1.0 / input_size**0.5
        self.weight = Parameter(MyTensor(np.random.uniform(-bound, bound, size=(input_size, output_size))))
        self.bias = Parameter(MyTensor(np.zeros((output_size,))))

    def forward(self, x: MyTensor) -> MyTensor:
        return matmul(x, self.weight.tensor) + self.bias.tensor


def relu(x: MyTensor) -> MyTensor:
    positive = x.data > 0
    return MyTensor.result(np.where(positive, x.data, 0), "ReluBackward", (x, lambda g: np.where(positive, g, 0.0)))


class ReLU(MyModule):
    """The relu function as a module: it has no parameters. (Given.)"""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: MyTensor) -> MyTensor:
        return relu(x)


class SGD:
    """Stochastic gradient descent."""

    def __init__(self, parameters: list[Parameter], lr: float = 1e-2) -> None:
        self.lr = lr
        self.params = list(parameters)

    def zero_grad(self) -> None:
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self) -> None:
        for parameter in self.params:
            if (grad := parameter.tensor.grad) is None:
                continue
            data = parameter.tensor.data
            data -= self.lr * grad


def sum(x: MyTensor, axis: int | tuple[int, ...] | None = None) -> MyTensor:
    def spread(g: np.ndarray) -> np.ndarray:
        kept = g if axis is None else np.expand_dims(g, axis)
        return np.full(x.shape, kept, dtype=np.float64)

    return MyTensor.result(x.data.sum(axis=axis), "SumBackward", (x, spread))


class MSELoss:
    """Mean squared error."""

    def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:
        error = y - y_target
        return sum(error**2) / error.size


class SuperModel(MyModule):
    """Maps a batch of images, shape (n, 64), to one score per digit, shape (n, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = Linear(64, 64)
        self.relu = ReLU()
        self.output = Linear(64, 10)

    def forward(self, x: MyTensor) -> MyTensor:
        return self.output(self.relu(self.hidden(x)))


@dataclass(slots=True)
class Meter:
    """A running mean, weighed by the number of examples."""

    total: float = 0.0
    count: int = 0

    def add(self, value: float, n: int) -> None:
        self.total += value * n
        self.count += n

    @property
    def mean(self) -> float:
        return self.total / self.count


def mini_batches(n: int, batch_size: int) -> Iterator[np.ndarray]:
    order = np.random.permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size]


def train(
    model: MyModule,
    images: np.ndarray,
    targets: np.ndarray,
    epochs: int = 20,
    batch_size: int = 32,
    lr: float = 1.0,
    live: Callable[[float], None] | None = None,
) -> list[float]:
    """Train the model on mini-batches."""
    losses: list[float] = []
    criterion = MSELoss()
    optimizer = SGD(model.parameters(), lr)
    progress = tqdm(range(epochs), file=sys.stdout, disable=live is not None)
    for _ in progress:
        meter = Meter()
        for batch in mini_batches(len(images), batch_size):
            optimizer.zero_grad()
            loss = criterion(model(MyTensor(images[batch])), MyTensor(targets[batch]))
            loss.backward()
            optimizer.step()
            meter.add(loss.data.item(), len(batch))
        losses.append(meter.mean)
        if live:
            live(losses[-1])
        else:
            progress.set_postfix(loss=f"{losses[-1]:.4f}")
    return losses
