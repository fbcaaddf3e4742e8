# Four rules: add, mul, pow and "linear map" know how to differentiate, everything else is composed of them.
from __future__ import annotations

from itertools import count

import numpy as np

BIRTHS = count()


class MyTensor:
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if not isinstance(data, list | tuple | np.ndarray | np.generic | int | float):
            raise TypeError(f"MyTensor cannot hold {data!r}")
        array = np.array(data, dtype, order="C")
        if array.dtype.kind in "biu" and dtype is None:
            array = array.astype(float)
        elif array.dtype.kind not in "biuf":
            raise TypeError(f"MyTensor cannot hold {array.dtype} elements")
        self.__data = array
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack
        self.born = next(BIRTHS)

    @property
    def data(self) -> np.ndarray:
        return self.__data

    @property
    def dtype(self) -> np.dtype:
        return self.__data.dtype

    @property
    def shape(self) -> tuple:
        return self.__data.shape

    @property
    def strides(self) -> tuple:
        return self.__data.strides

    @property
    def size(self) -> int:
        return self.__data.size

    def __repr__(self) -> str:
        return f"MyTensor({self.__data}, requires_grad={self.requires_grad})"

    def __getitem__(self, at):
        return self.__data[at]

    def __setitem__(self, at, new):
        self.__data[at] = tensor(new).data

    # The four rules

    def __add__(self, other) -> MyTensor:
        a, b = same_shape(self, tensor(other))
        return result(a.data + b.data, [a, b], lambda up: [up, up])

    def __mul__(self, other) -> MyTensor:
        a, b = same_shape(self, tensor(other))
        return result(a.data * b.data, [a, b], lambda up: [up * b.data, up * a.data])

    def __pow__(self, n) -> MyTensor:
        x = self.data.astype(np.result_type(self.dtype, np.float16))
        slope = n * x ** (n - 1) if n != 0 else np.zeros(x.shape)
        return result(x**n, [self], lambda up: [up * slope])

    def linear_map(self, there, back) -> MyTensor:
        """A function that is linear in this tensor, given with its adjoint."""
        return result(there(self.data), [self], lambda up: [back(up)])

    # Composed of them

    def __neg__(self) -> MyTensor:
        return self * -1

    def __sub__(self, other) -> MyTensor:
        return self + -tensor(other)

    def __truediv__(self, other) -> MyTensor:
        return self * tensor(other) ** -1

    def __radd__(self, other) -> MyTensor:
        return self + other

    def __rmul__(self, other) -> MyTensor:
        return self * other

    def __rsub__(self, other) -> MyTensor:
        return -self + other

    def __rtruediv__(self, other) -> MyTensor:
        return self**-1 * other

    def expand(self, shape) -> MyTensor:
        """Repeat along new axes and along axes of length 1."""
        old = (1,) * (len(shape) - len(self.shape)) + self.shape
        repeated = tuple(axis for axis, length in enumerate(old) if length != shape[axis])
        return self.linear_map(
            lambda x: np.broadcast_to(x, shape),
            lambda up: up.sum(axis=repeated, keepdims=True).reshape(self.shape),
        )

    def reshape(self, *shape) -> MyTensor:
        return self.linear_map(lambda x: x.reshape(shape), lambda up: up.reshape(self.shape))

    def sum(self, axis) -> MyTensor:
        return self.linear_map(
            lambda x: x.sum(axis=axis),
            lambda up: np.broadcast_to(np.expand_dims(up, axis), self.shape),
        )

    def mean(self) -> MyTensor:
        n = self.size
        return self.linear_map(np.mean, lambda up: np.full(self.shape, up / n))

    def backward(self, base=None):
        if not self.requires_grad:
            return
        # Nobody is born before the parents: from young to old, every gradient is complete when its turn comes.
        family, unseen = {}, [self]
        while unseen:
            member = unseen.pop()
            if member.born not in family:
                family[member.born] = member
                if member.backward_op is not None:
                    unseen += [parent for parent in member.backward_op[0] if parent.requires_grad]
        gradients = {self.born: np.ones(self.shape) if base is None else tensor(base).data}
        for born in sorted(family, reverse=True):
            member, up = family[born], gradients.pop(born)
            if member.backward_op is None:
                old = 0 if member.grad is None else member.grad.data
                member.grad = MyTensor(old + up, member.dtype if member.dtype.kind == "f" else None)
                continue
            parents, rule = member.backward_op
            for parent, share in zip(parents, rule(up), strict=True):
                if parent.requires_grad:
                    gradients[parent.born] = gradients.get(parent.born, 0) + share


def tensor(value) -> MyTensor:
    if isinstance(value, MyTensor):
        return value
    # A NumPy number must not bring its own precision into b**-1.
    return MyTensor(float(value) if isinstance(value, np.number) else value)


def result(array, parents, rule) -> MyTensor:
    needed = any(parent.requires_grad for parent in parents)
    return MyTensor(array, requires_grad=needed, crossOpBack=(parents, rule) if needed else None)


def same_shape(a: MyTensor, b: MyTensor) -> tuple[MyTensor, MyTensor]:
    shape = np.broadcast_shapes(a.shape, b.shape)
    return tuple(t if t.shape == shape else t.expand(shape) for t in (a, b))


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    # (..., k, 1) * (k, m), added up over k
    return (a.reshape(*a.shape, 1) * b).sum(axis=-2)


class Parameter:
    def __init__(self, tensor: MyTensor):
        self.tensor = tensor
        self.tensor.requires_grad = True
        self.name = None


class MyModule:
    def __setattr__(self, name, value):
        # A dict per module from attribute names to what holds parameters; anything else drops out.
        holders = self.__dict__.setdefault("holders", {})
        holders.pop(name, None)
        if isinstance(value, Parameter | MyModule):
            holders[name] = value
            if isinstance(value, Parameter):
                value.name = name
        self.__dict__[name] = value

    def parameters(self) -> list[Parameter]:
        found = []
        for holder in self.__dict__.get("holders", {}).values():
            found += [holder] if isinstance(holder, Parameter) else holder.parameters()
        return [p for i, p in enumerate(found) if not any(p is q for q in found[:i])]

    def __call__(self, x):
        return self.forward(x)


class Linear(MyModule):
    def __init__(self, input_size: int, output_size: int):
        std = (1 / input_size) ** 0.5
        self.weight = Parameter(MyTensor(np.random.normal(0, std, size=(input_size, output_size))))
        self.bias = Parameter(MyTensor([0.0] * output_size))

    def forward(self, x: MyTensor) -> MyTensor:
        return matmul(x, self.weight.tensor) + self.bias.tensor


class ReLU(MyModule):
    def forward(self, x: MyTensor) -> MyTensor:
        return x * (x.data > 0)


class SGD:
    def __init__(self, parameters, lr=0.01):
        self.parameters = [*parameters]
        self.lr = lr

    def zero_grad(self):
        for parameter in self.parameters:
            parameter.tensor.grad = None

    def step(self):
        for parameter in self.parameters:
            t = parameter.tensor
            if t.grad is not None:
                t[...] = t.data - self.lr * t.grad.data


class MSELoss(MyModule):
    def __call__(self, y: MyTensor, target: MyTensor) -> MyTensor:
        return ((y - target) ** 2).mean()


class SuperModel(MyModule):
    def __init__(self):
        self.inner = Linear(64, 32)
        self.relu = ReLU()
        self.outer = Linear(32, 10)

    def forward(self, x: MyTensor) -> MyTensor:
        return self.outer(self.relu(self.inner(x)))


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    losses = []
    for _ in range(epochs):
        optimizer = SGD(model.parameters(), lr)  # it remembers nothing: a new one is as good
        order = np.argsort(np.random.random(len(images)))
        squares = 0.0
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            optimizer.zero_grad()
            loss = MSELoss()(model(MyTensor(images[batch])), MyTensor(targets[batch]))
            loss.backward()
            optimizer.step()
            squares += loss.data * targets[batch].size
        losses.append(float(squares / targets.size))
        if live:
            live(losses[-1])
    return losses
