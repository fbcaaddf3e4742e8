# Each result keeps a list of (parent, function): the function turns the upstream gradient into the parent's share.
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from tqdm import tqdm


class MyTensor:
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if isinstance(data, (str, bytes, dict, set)) or data is None or callable(data):
            raise TypeError(f"{data!r} is no data for a tensor")
        if not isinstance(data, (list, tuple, np.ndarray, np.generic, int, float)):
            raise TypeError(f"{type(data)} is no data for a tensor")
        kind = np.asarray(data).dtype.kind
        if kind not in "fbiu":
            raise TypeError("only numbers, please")
        self.__data = np.array(data, dtype=dtype, order="C")
        if requires_grad and dtype is None and kind != "f":
            self.__data = self.__data.astype(float)
        self.dtype = self.__data.dtype
        self.requires_grad = bool(requires_grad)
        self.grad = None
        self.backward_op = crossOpBack  # a list of pairs, or None

    shape = property(lambda self: self.__data.shape)
    strides = property(lambda self: self.__data.strides)
    data = property(lambda self: self.__data)
    size = property(lambda self: self.__data.size)

    def __repr__(self):
        return "MyTensor(" + repr(self.__data.tolist()) + ", requires_grad=" + str(self.requires_grad) + ")"

    def __getitem__(self, where):
        return self.__data[where]

    def __setitem__(self, where, what):
        if self.requires_grad:
            raise RuntimeError("this tensor requires a gradient: it cannot be written to")
        self.__data[where] = what

    def __add__(self, other):
        other = constant(other)
        if other is NotImplemented:
            return other
        return made(self.data + other.data, (self, lambda g: g), (other, lambda g: g))

    def __sub__(self, other):
        other = constant(other)
        if other is NotImplemented:
            return other
        return made(self.data - other.data, (self, lambda g: g), (other, lambda g: -g))

    def __mul__(self, other):
        other = constant(other)
        if other is NotImplemented:
            return other
        a, b = self.data, other.data
        return made(a * b, (self, lambda g: g * b), (other, lambda g: g * a))

    def __truediv__(self, other):
        other = constant(other)
        if other is NotImplemented:
            return other
        a, b = self.data, other.data
        return made(a / b, (self, lambda g: g / b), (other, lambda g: -g * a / np.square(b.astype(float))))

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other):
        other = constant(other)
        return other if other is NotImplemented else other.__sub__(self)

    def __rtruediv__(self, other):
        other = constant(other)
        return other if other is NotImplemented else other.__truediv__(self)

    def __pow__(self, n):
        if isinstance(n, MyTensor) or not np.isscalar(n) or isinstance(n, str):
            return NotImplemented
        x = self.data
        if x.dtype.kind != "f":
            x = x.astype(float)

        def slope(g):
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.where(n == 0, 0.0, g * n * x ** (n - 1))

        return made(x**n, (self, slope))

    def __neg__(self):
        return made(-self.data, (self, lambda g: -g))

    def backward(self, base=None):
        if not self.requires_grad:
            return
        if base is None:
            start = np.ones(self.shape)
        else:
            start = base.data.astype(np.float64)  # astype copies

        # Depth first, without recursion: on its second visit a tensor is put behind all its parents.
        finished, entered = [], set()
        stack = [(self, False)]
        while stack:
            tensor, second_visit = stack.pop()
            if second_visit:
                finished.append(tensor)
                continue
            if tensor in entered:
                continue
            entered.add(tensor)
            stack.append((tensor, True))
            for parent, _ in tensor.backward_op or []:
                if parent.requires_grad:
                    stack.append((parent, False))

        total = {tensor: np.zeros(tensor.shape) for tensor in finished}
        total[self] += start
        while finished:
            tensor = finished.pop()
            upstream = total.pop(tensor)
            if tensor.backward_op is None:
                tensor.grad = upstream if tensor.grad is None else np.asarray(tensor.grad + upstream)
            else:
                for parent, share in tensor.backward_op:
                    if parent.requires_grad:
                        total[parent] += unbroadcast(share(upstream), parent.shape)


def constant(other):
    """Numbers and arrays as tensors."""
    if isinstance(other, MyTensor):
        return other
    if isinstance(other, (int, float, np.number, np.ndarray)):
        return MyTensor(other)
    return NotImplemented


def made(values, *pairs):
    """The result of an operation: only pairs whose parent wants a gradient are kept."""
    pairs = [(parent, share) for parent, share in pairs if parent.requires_grad]
    if pairs:
        return MyTensor(values, requires_grad=True, crossOpBack=pairs)
    return MyTensor(values)


def unbroadcast(gradient, shape):
    padded = (1,) * (np.ndim(gradient) - len(shape)) + tuple(shape)
    axes = []
    for axis in range(np.ndim(gradient)):
        if padded[axis] == 1 and gradient.shape[axis] != 1:
            axes.append(axis)
    return np.sum(gradient, axis=tuple(axes), keepdims=True).reshape(shape)


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

    def parameters(self) -> list[Parameter]:
        """All parameters of this module and of the modules in it, each one once."""
        everything = list(self.__parameters.values())
        for module in self.__sub_modules.values():
            everything += module.parameters()
        return list(dict.fromkeys(everything))


def matmul(a, b):
    x, w = a.data, b.data

    def to_a(g):
        return g @ w.T

    def to_b(g):
        return np.atleast_2d(x).T @ np.atleast_2d(g)

    return made(x @ w, (a, to_a), (b, to_b))


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        super().__init__()
        scale = input_size**-0.5
        self.weight = Parameter(MyTensor((2 * np.random.rand(input_size, output_size) - 1) * scale))
        self.bias = Parameter(MyTensor((2 * np.random.rand(output_size) - 1) * scale))

    def forward(self, x):
        return matmul(x, self.weight.tensor) + self.bias.tensor


def relu(x):
    positive = x.data > 0
    return made(np.maximum(0, x.data), (x, lambda g: g * positive))


class ReLU(MyModule):
    def __init__(self):
        super().__init__()

    def forward(self, x):
        return relu(x)


class SGD:
    def __init__(self, parameters, lr=1e-2):
        self.lr = lr
        self.params = list(parameters)

    def zero_grad(self):
        for p in self.params:
            p.tensor.grad = None

    def step(self):
        for p in self.params:
            gradient = p.tensor.grad
            if gradient is not None:
                values = p.tensor.data
                np.subtract(values, self.lr * gradient, out=values, casting="same_kind")


def sum(x, axis=None):
    shape = x.shape

    def repeat(g):
        if axis is None:
            return np.full(shape, g)
        return np.broadcast_to(np.expand_dims(g, axis), shape).copy()

    return made(np.sum(x.data, axis=axis), (x, repeat))


class MSELoss:
    def __call__(self, y, y_target):
        return sum((y - y_target) ** 2) / y.size


class SuperModel(MyModule):
    def __init__(self):
        super().__init__()
        self.layer1 = Linear(64, 48)
        self.layer2 = Linear(48, 10)

    def forward(self, x):
        return self.layer2(relu(self.layer1(x)))


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    losses = []
    mse = MSELoss()
    optimizer = SGD(model.parameters(), lr=lr)
    n = len(images)
    for epoch in range(epochs):
        shuffle = np.random.permutation(n)
        images_now, targets_now = images[shuffle], targets[shuffle]
        seen, loss_sum = 0, 0.0
        while seen < n:
            x = MyTensor(images_now[seen : seen + batch_size])
            t = MyTensor(targets_now[seen : seen + batch_size])
            optimizer.zero_grad()
            loss = mse(model(x), t)
            loss.backward()
            optimizer.step()
            loss_sum += float(loss.data) * x.shape[0]
            seen += x.shape[0]
        losses.append(loss_sum / n)
        if live:
            live(losses[-1])
    return losses
