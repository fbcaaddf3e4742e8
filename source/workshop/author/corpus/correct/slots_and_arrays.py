# Slots: fixed attributes on tensors, nodes and parameters, plain arrays as gradients, weights of shape (out, in).
from math import sqrt

import numpy as np


class Node:
    """How a result was computed: its sources, and the vector-Jacobian product of each (None for a constant)."""

    __slots__ = ("products", "sources")

    def __init__(self, sources, products):
        self.sources = sources
        self.products = products


class MyTensor:
    """A NumPy array with a gradient."""

    __slots__ = ("__data", "backward_op", "grad", "requires_grad")
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        """Copy the data; whole numbers become float64 unless a dtype is given."""
        match data:
            case list() | tuple() | np.ndarray() | np.generic() | int() | float():
                array = np.array(data, dtype=dtype, order="C")
            case _:
                raise TypeError(f"expected numbers, got {type(data).__name__}")
        match array.dtype.kind:
            case "f":
                self.__data = array
            case "i" | "u" | "b":
                self.__data = array if dtype is not None else array.astype(np.float64)
            case _:
                raise TypeError(f"expected numbers, got elements of type {array.dtype}")
        self.requires_grad = requires_grad
        self.backward_op = crossOpBack
        self.grad = None

    @classmethod
    def _result(cls, array, *operands):
        """Wrap a fresh array (not copied), with a node if one of the (tensor, product) pairs needs a gradient."""
        tensor = cls.__new__(cls)
        tensor.__data = np.asarray(array)
        tensor.grad = None
        needed = [(source, product) for source, product in operands if source.requires_grad]
        tensor.requires_grad = bool(needed)
        tensor.backward_op = Node(*zip(*needed, strict=True)) if needed else None
        return tensor

    @property
    def data(self):
        return self.__data

    @property
    def dtype(self):
        return self.__data.dtype

    @property
    def shape(self):
        return self.__data.shape

    @property
    def strides(self):
        return self.__data.strides

    @property
    def size(self):
        return self.__data.size

    @property
    def T(self):
        """The transposed tensor; it looks at the same numbers."""
        return MyTensor._result(self.__data.T, (self, np.transpose))

    def __repr__(self):
        body = str(self.__data).replace("\n", "\n  ")
        return f"T[{body} | requires_grad: {'yes' if self.requires_grad else 'no'}]"

    def __getitem__(self, index):
        return self.__data[index]

    def __setitem__(self, index, value):
        self.__data[index] = _array(value)

    def __add__(self, other):
        other = _tensor(other)
        return MyTensor._result(
            self.__data + other.__data,
            (self, _folded(self, lambda g: g)),
            (other, _folded(other, lambda g: g)),
        )

    def __sub__(self, other):
        other = _tensor(other)
        return MyTensor._result(
            self.__data - other.__data,
            (self, _folded(self, lambda g: g)),
            (other, _folded(other, np.negative)),
        )

    def __mul__(self, other):
        other = _tensor(other)
        x, y = self.__data, other.__data
        return MyTensor._result(
            x * y,
            (self, _folded(self, lambda g: g * y)),
            (other, _folded(other, lambda g: g * x)),
        )

    def __truediv__(self, other):
        other = _tensor(other)
        x, y = self.__data, other.__data
        return MyTensor._result(
            x / y,
            (self, _folded(self, lambda g: g / y)),
            (other, _folded(other, lambda g: g * -x / np.square(y))),
        )

    def __pow__(self, power):
        x = self.__data if self.__data.dtype.kind == "f" else self.__data.astype(float)
        slope = (lambda g: g * (power * np.power(x, power - 1))) if power else np.zeros_like
        return MyTensor._result(np.power(x, power), (self, slope))

    def __neg__(self):
        return MyTensor._result(-self.__data, (self, np.negative))

    def __radd__(self, other):
        return _tensor(other) + self

    def __rsub__(self, other):
        return _tensor(other) - self

    def __rmul__(self, other):
        return _tensor(other) * self

    def __rtruediv__(self, other):
        return _tensor(other) / self

    def backward(self, base=None):
        """Add base times the derivatives of this tensor to the gradients of its leaves."""
        if not self.requires_grad:
            return
        pending = {self: np.ones(self.shape) if base is None else _array(base)}
        for tensor in reversed(_inputs_first(self)):
            g = pending.pop(tensor)
            node = tensor.backward_op
            if node is None:
                tensor._collect(g)
                continue
            for source, product in zip(node.sources, node.products, strict=True):
                share = product(g)
                pending[source] = pending[source] + share if source in pending else share

    def _collect(self, g):
        if self.grad is None:
            self.grad = np.zeros(self.shape, dtype=self.dtype if self.dtype.kind == "f" else float)
        self.grad += g


def _inputs_first(root):
    """The tensors below root, each after all of its sources: depth first, with a stack of iterators."""
    order, entered = [], {root}
    path = [(root, iter(root.backward_op.sources if root.backward_op else ()))]
    while path:
        tensor, sources = path[-1]
        for source in sources:
            if source not in entered:
                entered.add(source)
                path.append((source, iter(source.backward_op.sources if source.backward_op else ())))
                break
        else:
            order.append(tensor)
            path.pop()
    return order


def _tensor(value):
    return value if isinstance(value, MyTensor) else MyTensor(value)


def _array(value):
    return value.data if isinstance(value, MyTensor) else value


def _folded(operand, product):
    """The product, summed over what broadcasting added to the operand."""
    shape = operand.shape

    def fold(g):
        full = np.asarray(product(g))
        if full.shape == shape:
            return full
        new = full.ndim - len(shape)
        longer = tuple(new + axis for axis, length in enumerate(shape) if length != full.shape[new + axis])
        return full.sum(axis=(*range(new), *longer)).reshape(shape)

    return fold


def matmul(a, b):
    x, y = a.data, b.data
    return MyTensor._result(
        np.matmul(x, y),
        (a, lambda g: np.matmul(g, y.T)),
        (b, lambda g: np.outer(x, g) if x.ndim == 1 else np.matmul(x.T, g)),
    )


class Parameter:
    __slots__ = ("name", "tensor")

    def __init__(self, tensor, name=None):
        tensor.requires_grad = True
        self.tensor = tensor
        self.name = name


class MyModule:
    # The dict of the attributes is a slot of its own, the register another.
    __slots__ = ("__dict__", "_register")

    def __new__(cls, *_args, **_kwargs):
        module = object.__new__(cls)
        module._register = {}
        return module

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)
        if name == "_register":
            return
        if isinstance(value, (Parameter, MyModule)):
            self._register[name] = value
        else:
            self._register.pop(name, None)

    def parameters(self):
        """Every parameter of this module and its sub-modules, once."""
        parameters, met, stack = [], set(), [self]
        while stack:
            thing = stack.pop()
            if id(thing) in met:
                continue
            met.add(id(thing))
            if isinstance(thing, Parameter):
                parameters.append(thing)
            else:
                stack.extend(reversed(thing._register.values()))
        return parameters

    def __call__(self, *inputs):
        return self.forward(*inputs)


class Linear(MyModule):
    __slots__ = ()

    def __init__(self, input_size, output_size):
        bound = 1 / sqrt(input_size)
        random = np.random.default_rng()
        self.weight = Parameter(MyTensor(random.uniform(-bound, bound, (output_size, input_size))), "weight")
        self.bias = Parameter(MyTensor(random.uniform(-bound, bound, output_size)), "bias")

    def forward(self, x):
        return matmul(x, self.weight.tensor.T) + self.bias.tensor


class ReLU(MyModule):
    __slots__ = ()

    def forward(self, x):
        alive = x.data > 0
        return MyTensor._result(np.maximum(x.data, 0), (x, lambda g: np.where(alive, g, 0)))


class SGD:
    __slots__ = ("lr", "parameters")

    def __init__(self, parameters, lr=0.01):
        self.parameters = list(parameters)
        self.lr = lr

    def zero_grad(self):
        for parameter in self.parameters:
            parameter.tensor.grad = None

    def step(self):
        for parameter in self.parameters:
            if parameter.tensor.grad is not None:
                parameter.tensor.data[...] -= self.lr * parameter.tensor.grad


class MSELoss:
    __slots__ = ()

    def __call__(self, y, target):
        squares = (y - target) ** 2
        return MyTensor._result(squares.data.mean(), (squares, lambda g: np.full(squares.shape, g / squares.size)))


class SuperModel(MyModule):
    __slots__ = ()

    def __init__(self):
        self.hidden = Linear(64, 32)
        self.output = Linear(32, 10)
        self.relu = ReLU()

    def forward(self, x):
        return self.output(self.relu(self.hidden(x)))


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    random = np.random.default_rng()
    optimizer = SGD(model.parameters(), lr)
    count = len(images)
    ends = [*range(batch_size, count, batch_size), count]
    losses = []
    for _ in range(epochs):
        order = random.permutation(count)
        of_rows = np.empty(count)
        begin = 0
        for end in ends:
            rows = order[begin:end]
            optimizer.zero_grad()
            loss = MSELoss()(model(MyTensor(images[rows])), MyTensor(targets[rows]))
            loss.backward()
            optimizer.step()
            of_rows[begin:end] = loss.data
            begin = end
        losses.append(of_rows.mean())
        if live:
            live(losses[-1])
    return losses
