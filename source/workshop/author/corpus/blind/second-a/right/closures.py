import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from tqdm import tqdm

NUMBERS = (int, float, np.number)


class MyCrossBackward:
    """Given, only that my rules are closures: they push the gradient into the inputs and return nothing."""

    def __init__(self, *args: Any, backward_function: Callable[..., Any], name: str) -> None:
        self.inputs = args
        self.__rule = backward_function
        self.__name = name

    def __str__(self) -> str:
        return self.__name

    def __call__(self, x: np.ndarray) -> Any:
        return self.run(x)

    def run(self, base: np.ndarray) -> Any:
        return self.__rule(base)


class MyTensor:
    """After micrograd: every operation leaves a little function behind that knows how to go back."""

    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if type(data) in (bool, str, type(None)) or not isinstance(data, (list, tuple, np.ndarray) + NUMBERS):
            raise TypeError(f"no tensor can be made of {data!r}")
        array = np.array(data, dtype=dtype)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"no tensor can be made of {array.dtype}")
        if requires_grad and array.dtype.kind in "biu":
            array = array.astype(float)
        self.__data = array
        self.__inbox = None  # what has arrived during a backward pass
        self.dtype = array.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack

    shape = property(lambda self: self.__data.shape)
    strides = property(lambda self: self.__data.strides)
    data = property(lambda self: self.__data)
    size = property(lambda self: self.__data.size)

    def __repr__(self):
        return "MyTensor(" + np.array2string(self.__data, separator=", ") + f", requires_grad={self.requires_grad})"

    def __str__(self):
        return repr(self)

    def __getitem__(self, where):
        return self.__data[where]

    def __setitem__(self, where, value):
        if self.requires_grad:
            raise RuntimeError("this tensor is part of a graph: it cannot be changed")
        self.__data[where] = value

    # ------------------------------------------------------------------ graph

    def receive(self, gradient):
        """Called by the closures: one path has brought this gradient here."""
        if not self.requires_grad:
            return
        gradient = unbroadcast(gradient, self.shape)
        self.__inbox = gradient if self.__inbox is None else self.__inbox + gradient

    def backward(self, base=None):
        if not self.requires_grad:
            return
        # Build the topological order, depth first, with a stack of our own.
        order, seen = [], set()
        stack = [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
                continue
            if node in seen:
                continue
            seen.add(node)
            stack.append((node, True))
            if node.backward_op is not None:
                for child in node.backward_op.inputs:
                    if isinstance(child, MyTensor) and child.requires_grad and child not in seen:
                        stack.append((child, False))
        for node in order:
            node.__inbox = None
        self.__inbox = np.ones_like(self.__data) if base is None else base.data
        for node in reversed(order):
            gradient, node.__inbox = node.__inbox, None
            if node.backward_op is None:
                node.grad = np.array(gradient if node.grad is None else node.grad + gradient)
            else:
                node.backward_op(gradient)

    # -------------------------------------------------------------- operators

    def __add__(self, other):
        other = lift(other)

        def back(g):
            self.receive(g)
            other.receive(g)

        return record(self.data + other.data, back, "Add", self, other)

    __radd__ = __add__

    def __mul__(self, other):
        other = lift(other)

        def back(g):
            self.receive(g * other.data)
            other.receive(g * self.data)

        return record(self.data * other.data, back, "Mul", self, other)

    __rmul__ = __mul__

    def __sub__(self, other):
        other = lift(other)

        def back(g):
            self.receive(g)
            other.receive(-g)

        return record(self.data - other.data, back, "Sub", self, other)

    def __rsub__(self, other):
        return lift(other) - self

    def __truediv__(self, other):
        other = lift(other)

        def back(g):
            self.receive(g / other.data)
            other.receive(-g * self.data / other.data**2)

        return record(self.data / other.data, back, "Div", self, other)

    def __rtruediv__(self, other):
        return lift(other) / self

    def __pow__(self, n):
        def back(g):
            if n == 0:
                self.receive(0.0 * g)
            else:
                self.receive(g * n * self.data ** (n - 1))

        return record(self.data**n, back, "Pow", self)

    def __neg__(self):
        def back(g):
            self.receive(-g)

        return record(-self.data, back, "Neg", self)


def lift(value):
    return value if isinstance(value, MyTensor) else MyTensor(value)


def record(values, back, name, *inputs):
    if not any(t.requires_grad for t in inputs):
        return MyTensor(values)
    op = MyCrossBackward(*inputs, backward_function=back, name=name + "Backward")
    return MyTensor(values, requires_grad=True, crossOpBack=op)


def unbroadcast(gradient, shape):
    while gradient.ndim > len(shape):
        gradient = gradient.sum(axis=0)
    for i in range(len(shape)):
        if shape[i] == 1:
            gradient = gradient.sum(axis=i, keepdims=True)
    return np.asarray(gradient)


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
            value.name = value.name or name
            self.__parameters[name] = value
        elif isinstance(value, MyModule) and value is not self:
            self.__sub_modules[name] = value
        super().__setattr__(name, value)

    def __call__(self, x: Any) -> Any:
        return self.forward(x)

    def parameters(self) -> list[Parameter]:
        result = []
        todo = [self]
        visited = set()
        while todo:
            module = todo.pop(0)
            if id(module) in visited:
                continue
            visited.add(id(module))
            for p in module.__parameters.values():
                if not any(p is q for q in result):
                    result.append(p)
            todo = list(module.__sub_modules.values()) + todo
        return result


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    def back(g):
        if a.data.ndim == 1:
            a.receive(b.data @ g)
            b.receive(np.outer(a.data, g))
        else:
            a.receive(g @ b.data.T)
            b.receive(a.data.T @ g)

    return record(a.data @ b.data, back, "Matmul", a, b)


class Linear(MyModule):
    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        k = input_size ** -0.5
        weights = k * (2 * np.random.rand(input_size, output_size) - 1)
        self.weight = Parameter(MyTensor(weights))
        self.bias = Parameter(MyTensor([0.0] * output_size))

    def forward(self, x: MyTensor) -> MyTensor:
        y = matmul(x, self.weight.tensor)
        return y + self.bias.tensor


def relu(x: MyTensor) -> MyTensor:
    mask = x.data > 0

    def back(g):
        x.receive(np.where(mask, g, 0.0))

    return record(np.where(mask, x.data, 0), back, "Relu", x)


class ReLU(MyModule):
    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: MyTensor) -> MyTensor:
        return relu(x)


class SGD:
    def __init__(self, parameters: list[Parameter], lr: float = 1e-2) -> None:
        self.lr = lr
        self.params = list(parameters)

    def zero_grad(self) -> None:
        for p in self.params:
            p.tensor.grad = None

    def step(self) -> None:
        for p in self.params:
            if p.tensor.grad is not None:
                p.tensor.data[...] -= self.lr * p.tensor.grad


def sum(x: MyTensor, axis: int | tuple[int, ...] | None = None) -> MyTensor:
    def back(g):
        if axis is not None:
            g = np.expand_dims(g, axis)
        x.receive(g + np.zeros(x.shape))

    return record(x.data.sum(axis=axis), back, "Sum", x)


class MSELoss:
    def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:
        error = y - y_target
        squares = error * error
        return sum(squares) * (1 / squares.size)


class SuperModel(MyModule):
    def __init__(self) -> None:
        super().__init__()
        self.first = Linear(64, 40)
        self.second = Linear(40, 10)

    def forward(self, x: MyTensor) -> MyTensor:
        h = relu(self.first(x))
        return self.second(h)


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
    mse = MSELoss()
    sgd = SGD(model.parameters(), lr)
    n = len(images)

    def one_batch(x, t):
        sgd.zero_grad()
        loss = mse(model(MyTensor(x)), MyTensor(t))
        loss.backward()
        sgd.step()
        return float(loss.data)

    bar = range(epochs) if live else tqdm(range(epochs), file=sys.stdout)
    for _ in bar:
        shuffle = np.random.permutation(n)
        shuffled_images, shuffled_targets = images[shuffle], targets[shuffle]
        epoch_loss = 0.0
        i = 0
        while i < n:
            x, t = shuffled_images[i : i + batch_size], shuffled_targets[i : i + batch_size]
            epoch_loss += one_batch(x, t) * len(x) / n
            i += batch_size
        losses.append(epoch_loss)
        if live:
            live(losses[-1])
    return losses
