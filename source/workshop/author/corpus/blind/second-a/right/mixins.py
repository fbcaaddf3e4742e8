from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
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

    def sources(self) -> Iterator[tuple[int, MyTensor]]:
        """The inputs that want a gradient, with their places."""
        for place, source in enumerate(self.inputs):
            if isinstance(source, MyTensor) and source.requires_grad:
                yield place, source


def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if gradient.shape == shape:
        return gradient
    padded = (1,) * (gradient.ndim - len(shape)) + tuple(shape)
    stretched = tuple(i for i, (g, s) in enumerate(zip(gradient.shape, padded)) if s == 1 and g != 1)
    return gradient.sum(axis=stretched, keepdims=True).reshape(shape)


def elementwise(slopes: Callable[..., tuple]) -> Callable[..., tuple]:
    """Make a rule from a function that gives the slope of the output along each input."""

    def rule(base: np.ndarray, *inputs: Any) -> tuple:
        arrays = [i.data if isinstance(i, MyTensor) else i for i in inputs]
        shares = []
        for source, slope in zip(inputs, slopes(*arrays)):
            shares.append(None if slope is None else unbroadcast(base * slope, source.shape))
        return tuple(shares)

    return rule


add_deriv = elementwise(lambda left, right: (1.0, 1.0))
mul_deriv = elementwise(lambda left, right: (right, left))
div_deriv = elementwise(lambda left, right: (1 / right, -left / (right * right)))
neg_deriv = elementwise(lambda x: (-1.0,))
pow_deriv = elementwise(lambda x, n: (n * x ** (n - 1) if n != 0 else np.zeros_like(x), None))
relu_deriv = elementwise(lambda x: ((x > 0).astype(x.dtype),))


class ArithmeticMixin:
    """The operators. Each of them ends in `apply`."""

    __array_ufunc__ = None

    @staticmethod
    def _as_tensor(value: Any) -> MyTensor:
        return value if isinstance(value, MyTensor) else MyTensor(value)

    def __add__(self, other):
        other = self._as_tensor(other)
        return apply(self.data + other.data, add_deriv, "AddBackward", self, other)

    def __radd__(self, other):
        return self._as_tensor(other) + self

    def __neg__(self):
        return apply(-self.data, neg_deriv, "NegBackward", self)

    def __sub__(self, other):
        return self + (-self._as_tensor(other))

    def __rsub__(self, other):
        return (-self) + other

    def __mul__(self, other):
        other = self._as_tensor(other)
        return apply(self.data * other.data, mul_deriv, "MulBackward", self, other)

    def __rmul__(self, other):
        return self._as_tensor(other) * self

    def __truediv__(self, other):
        other = self._as_tensor(other)
        return apply(self.data / other.data, div_deriv, "DivBackward", self, other)

    def __rtruediv__(self, other):
        return self._as_tensor(other) / self

    def __pow__(self, n):
        return apply(self.data**n, pow_deriv, "PowBackward", self, n)


class GraphMixin:
    """Where a tensor comes from, and the way back. `level` is the length of the longest path from a leaf."""

    def _enter_graph(self, op: MyCrossBackward | None) -> None:
        self.backward_op = op
        self.grad = None
        self.level = 0
        if op is not None:
            self.level = 1 + max((source.level for _, source in op.sources()), default=0)

    @property
    def is_leaf(self) -> bool:
        return self.backward_op is None

    def _collect(self, gradient: np.ndarray) -> None:
        if self.grad is None:
            self.grad = np.zeros(self.shape)
        self.grad = np.asarray(self.grad + gradient)

    def backward(self, base: MyTensor | None = None) -> None:
        if not self.requires_grad:
            return
        upstream = np.ones(self.shape) if base is None else np.array(base.data)
        # floors[level] holds the tensors of that level with what they have received so far
        floors: list[dict[MyTensor, np.ndarray]] = [{} for _ in range(self.level + 1)]
        floors[self.level][self] = upstream
        while floors:
            for tensor, gradient in floors.pop().items():
                if tensor.is_leaf:
                    tensor._collect(gradient)
                    continue
                shares = tensor.backward_op(gradient)
                for place, source in tensor.backward_op.sources():
                    floor = floors[source.level]
                    floor[source] = floor[source] + shares[place] if source in floor else shares[place]


class MyTensor(ArithmeticMixin, GraphMixin):
    """The array itself; how it computes and how it is differentiated is in the mixins."""

    ALLOWED = (list, tuple, np.ndarray, np.number, int, float)

    def __init__(
        self,
        data: list | tuple | np.ndarray | np.number | int | float,
        dtype: np.dtype | type | None = None,
        requires_grad: bool = False,
        crossOpBack: MyCrossBackward | None = None,
    ) -> None:
        if isinstance(data, bool) or not isinstance(data, self.ALLOWED):
            raise TypeError(f"{type(data).__name__} is not a number, list, tuple or array")
        values = np.array(data, dtype=dtype, copy=True)
        if not (np.issubdtype(values.dtype, np.number) or values.dtype == bool):
            raise TypeError(f"elements of {values.dtype} are not numbers")
        if requires_grad and not np.issubdtype(values.dtype, np.floating):
            values = values.astype(np.float64)
        self.__data = values
        self.requires_grad = requires_grad
        self._enter_graph(crossOpBack)

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
        return f"MyTensor({self.__data.tolist()}, requires_grad={self.requires_grad})"

    def __str__(self) -> str:
        return self.__repr__()

    def __getitem__(self, key: Any) -> Any:
        return self.__data[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        if self.requires_grad:
            raise RuntimeError("in-place writing is refused for tensors that require a gradient")
        self.__data[key] = value


def apply(values: np.ndarray, rule: Callable[..., tuple], name: str, *inputs: Any) -> MyTensor:
    """Wrap the values of an operation, and record it if somebody wants its gradient."""
    op = MyCrossBackward(*inputs, backward_function=rule, name=name)
    if any(True for _ in op.sources()):
        return MyTensor(values, requires_grad=True, crossOpBack=op)
    return MyTensor(values)


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
        if isinstance(value, (Parameter, MyModule)) and "_MyModule__sub_modules" not in self.__dict__:
            raise RuntimeError(f"call super().__init__() in {type(self).__name__}.__init__ before setting {name}")
        self.__dict__.get("_MyModule__parameters", {}).pop(name, None)
        self.__dict__.get("_MyModule__sub_modules", {}).pop(name, None)
        if isinstance(value, Parameter):
            value.name = value.name or name  # a shared parameter keeps its first name
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
        """All parameters of this module and of the modules in it, each one once."""
        return list({id(p): p for p in self._walk()}.values())


def matmul_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    a, b = (t.data for t in tensors)
    return (base @ b.T).reshape(a.shape), np.atleast_2d(a).T @ np.atleast_2d(base)


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    return apply(a.data @ b.data, matmul_deriv, "MatmulBackward", a, b)


class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.weight = Parameter(self._draw(input_size, output_size))
        self.bias = Parameter(MyTensor(np.zeros((output_size,), dtype=np.float64)))

    @staticmethod
    def _draw(rows: int, columns: int) -> MyTensor:
        limit = np.sqrt(1.0 / rows)
        return MyTensor(np.random.uniform(low=-limit, high=limit, size=(rows, columns)))

    def forward(self, x: MyTensor) -> MyTensor:
        return self.bias.tensor + matmul(x, self.weight.tensor)


def relu(x: MyTensor) -> MyTensor:
    return apply(x.data.clip(min=0), relu_deriv, "ReluBackward", x)


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

    def _with_gradient(self) -> Iterator[MyTensor]:
        return (p.tensor for p in self.params if p.tensor.grad is not None)

    def step(self) -> None:
        for tensor in self._with_gradient():
            np.subtract(tensor.data, self.lr * tensor.grad, out=tensor.data, casting="same_kind")


def sum_deriv(base: np.ndarray, *args: Any) -> tuple[np.ndarray, None]:
    x, axis = args
    if axis is not None:
        base = np.expand_dims(base, axis)
    return np.broadcast_to(base, x.shape).copy(), None


def sum(x: MyTensor, axis: int | tuple[int, ...] | None = None) -> MyTensor:
    return apply(x.data.sum(axis=axis), sum_deriv, "SumBackward", x, axis)


class MSELoss:
    """Mean squared error."""

    def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:
        return self.mean((y - y_target) ** 2)

    @staticmethod
    def mean(tensor: MyTensor) -> MyTensor:
        return sum(tensor) / tensor.size


class Sequence(MyModule):
    """Modules one after the other, under the names step0, step1, ..."""

    def __init__(self, *steps: MyModule) -> None:
        super().__init__()
        self.length = len(steps)
        for i, step in enumerate(steps):
            setattr(self, f"step{i}", step)

    def forward(self, x: MyTensor) -> MyTensor:
        for i in range(self.length):
            x = getattr(self, f"step{i}")(x)
        return x


class SuperModel(MyModule):
    """Maps a batch of images, shape (n, 64), to one score per digit, shape (n, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = Sequence(Linear(64, 48), ReLU(), Linear(48, 10))

    def forward(self, x: MyTensor) -> MyTensor:
        return self.layers(x)


class MeanLog:
    """The weighted mean of what was noted."""

    def __init__(self) -> None:
        self.total, self.weight = 0.0, 0

    def note(self, value: float, weight: int) -> None:
        self.total += value * weight
        self.weight += weight

    def mean(self) -> float:
        return self.total / self.weight


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
    criterion, optimizer = MSELoss(), SGD(model.parameters(), lr=lr)
    with tqdm(total=epochs, file=sys.stdout, disable=live is not None) as bar:
        for _ in range(epochs):
            log = MeanLog()
            rows = np.arange(len(images))
            np.random.shuffle(rows)
            for start in range(0, len(rows), batch_size):
                chosen = rows[start : start + batch_size]
                optimizer.zero_grad()
                prediction = model(MyTensor(images[chosen]))
                loss = criterion(prediction, MyTensor(targets[chosen]))
                loss.backward()
                optimizer.step()
                log.note(loss.data.item(), len(chosen))
            losses.append(log.mean())
            if live:
                live(losses[-1])
            bar.set_postfix(loss=losses[-1])
            bar.update()
    return losses
