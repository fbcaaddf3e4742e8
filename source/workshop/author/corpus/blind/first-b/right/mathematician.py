"""Few primitive maps, everything else is composed of them.

Primitive: A + B and A o B (equal shapes), A ** n, the extension E (repeats along axes), the contraction S (sums),
the matrix product and the positive part. Derived: -a = (-1) a, a - b = a + (-b), a / b = a b^(-1), the mean.
"""
import heapq
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


class MyTensor:
    """A point of R^shape, and the map that it came from."""

    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if not isinstance(data, (list, tuple, np.ndarray, np.number, int, float)) or isinstance(data, bool):
            raise TypeError(f"{data!r} is not in any R^n")
        self.__data = np.array(data, dtype)
        if not (np.issubdtype(self.__data.dtype, np.number) or self.__data.dtype == bool):
            raise TypeError(f"{data!r} is not in any R^n")
        if requires_grad and not np.issubdtype(self.__data.dtype, np.inexact):
            self.__data = self.__data.astype(np.float64)
        self.dtype = self.__data.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack
        # The rank grades the graph: the length of the longest chain of operations below this tensor.
        below = [] if crossOpBack is None else [a.rank for a in crossOpBack.inputs if isinstance(a, MyTensor)]
        self.rank = 1 + max(below, default=-1)

    @property
    def shape(self):
        return self.__data.shape

    @property
    def strides(self):
        return self.__data.strides

    @property
    def data(self):
        return self.__data

    @property
    def size(self):
        return self.__data.size

    def __repr__(self):
        return "MyTensor(" + np.array2string(self.__data, separator=", ") + f", requires_grad={self.requires_grad})"

    def __str__(self):
        return repr(self)

    def __getitem__(self, index):
        return self.__data[index]

    def __setitem__(self, index, value):
        if self.requires_grad:
            raise RuntimeError("a point of the graph is fixed once it is used")
        self.__data[index] = value

    def __add__(self, other):
        a, b = common(self, other)
        return primitive(a.data + b.data, add_deriv, "Add", a, b)

    def __mul__(self, other):
        a, b = common(self, other)
        return primitive(a.data * b.data, mul_deriv, "Mul", a, b)

    def __pow__(self, n):
        if isinstance(n, MyTensor):
            return NotImplemented
        x = self.data
        if n < 0 and not np.issubdtype(x.dtype, np.inexact):
            x = x.astype(np.float64)
        return primitive(x**n, pow_deriv, "Pow", self, n)

    def __neg__(self):
        minus_one = MyTensor(np.array(-1).astype(self.dtype))
        return minus_one * self

    def __sub__(self, other):
        return self + (-as_tensor(other))

    def __truediv__(self, other):
        return self * as_tensor(other) ** -1

    def __radd__(self, other):
        return as_tensor(other) + self

    def __rmul__(self, other):
        return as_tensor(other) * self

    def __rsub__(self, other):
        return as_tensor(other) + (-self)

    def __rtruediv__(self, other):
        return as_tensor(other) * self**-1

    def backward(self, base=None):
        if not self.requires_grad:
            return
        cotangent = {self: np.ones(self.shape) if base is None else np.array(base.data, float)}
        ticket = 0
        queue = [(-self.rank, ticket, self)]
        while queue:
            _, _, t = heapq.heappop(queue)
            g = cotangent.pop(t)
            if t.backward_op is None:
                t.grad = np.array(g) if t.grad is None else np.array(t.grad + g)
                continue
            for a, share in zip(t.backward_op.inputs, t.backward_op(g)):
                if not isinstance(a, MyTensor) or not a.requires_grad:
                    continue
                if a in cotangent:
                    cotangent[a] = cotangent[a] + share
                else:
                    cotangent[a] = share
                    ticket += 1
                    heapq.heappush(queue, (-a.rank, ticket, a))


def as_tensor(x):
    return x if isinstance(x, MyTensor) else MyTensor(x)


def primitive(values, rule, name, *inputs):
    if any(isinstance(a, MyTensor) and a.requires_grad for a in inputs):
        op = MyCrossBackward(*inputs, backward_function=rule, name=name + "Backward")
        return MyTensor(values, requires_grad=True, crossOpBack=op)
    return MyTensor(values)


# The extension E: R^shape -> R^larger repeats, its adjoint sums what was repeated.


def expand(x, shape):
    if x.shape == shape:
        return x
    return primitive(np.array(np.broadcast_to(x.data, shape), order="C"), expand_deriv, "Expand", x, shape)


def unbroadcast(gradient, shape):
    front = gradient.ndim - len(shape)
    gradient = gradient.sum(axis=tuple(range(front)))
    ones = tuple(i for i, n in enumerate(shape) if n == 1)
    return gradient.sum(axis=ones, keepdims=True)


def expand_deriv(base, x, shape):
    return unbroadcast(base, x.shape), None


def common(a, b):
    """Both operands in the smallest shape that holds the two."""
    a, b = as_tensor(a), as_tensor(b)
    shape = np.broadcast_shapes(a.shape, b.shape)
    return expand(a, shape), expand(b, shape)


def add_deriv(base, a, b):
    return base, base


def mul_deriv(base, a, b):
    return base * b.data, a.data * base


def pow_deriv(base, x, n):
    if n == 0:
        return np.zeros(x.shape), None
    return base * (n * x.data ** (n - 1.0)), None


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

    def parameters(self) -> list[Parameter]:
        union = list(self.__parameters.values())
        for module in self.__sub_modules.values():
            union += module.parameters()
        return list(dict.fromkeys(union))


def matmul_deriv(base, a, b):
    """<G, dA B> = <G B*, dA> and <G, A dB> = <A* G, dB>"""
    if a.data.ndim == 1:
        return b.data @ base, np.outer(a.data, base)
    return base @ b.data.T, a.data.T @ base


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    return primitive(a.data @ b.data, matmul_deriv, "Matmul", a, b)


class Linear(MyModule):
    """x -> x W + b"""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        bound = 1 / np.sqrt(input_size)
        unit = np.random.random_sample((input_size, output_size))
        self.weight = Parameter(MyTensor((2 * unit - 1) * bound))
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x: MyTensor) -> MyTensor:
        return matmul(x, self.weight.tensor) + self.bias.tensor


def relu_deriv(base, x):
    return (base * np.heaviside(x.data, 0.0),)


def relu(x: MyTensor) -> MyTensor:
    return primitive(np.maximum(x.data, 0), relu_deriv, "Relu", x)


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
            gradient = parameter.tensor.grad
            if gradient is not None:
                w = parameter.tensor.data
                w[...] = w - self.lr * gradient


def sum_deriv(base, x, axis):
    """The adjoint of a sum is a repetition."""
    if axis is not None:
        axes = axis if isinstance(axis, tuple) else (axis,)
        axes = [i % x.data.ndim for i in axes]
        base = np.reshape(base, [1 if i in axes else n for i, n in enumerate(x.shape)])
    return np.broadcast_to(base, x.shape).copy(), None


def sum(x: MyTensor, axis: int | tuple[int, ...] | None = None) -> MyTensor:
    return primitive(x.data.sum(axis=axis), sum_deriv, "Sum", x, axis)


def mean(x: MyTensor) -> MyTensor:
    return sum(x) / x.size


class MSELoss:
    """The squared distance, divided by the dimension of the space."""

    def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:
        return mean((y - y_target) ** 2)


class SuperModel(MyModule):
    """R^64 -> R^48 -> R^10"""

    def __init__(self) -> None:
        super().__init__()
        self.f = Linear(64, 48)
        self.rho = ReLU()
        self.g = Linear(48, 10)

    def forward(self, x: MyTensor) -> MyTensor:
        return self.g(self.rho(self.f(x)))


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
    loss = MSELoss()
    descent = SGD(model.parameters(), lr)
    n = len(images)
    losses = []
    for _ in tqdm(range(epochs), file=sys.stdout, disable=live is not None):
        permutation = np.random.permutation(n)
        total = 0.0
        for batch in np.split(permutation, range(batch_size, n, batch_size)):
            descent.zero_grad()
            value = loss(model(MyTensor(images[batch])), MyTensor(targets[batch]))
            value.backward()
            descent.step()
            total += batch.size * float(value.data)
        losses.append(total / n)
        if live:
            live(losses[-1])
    return losses
