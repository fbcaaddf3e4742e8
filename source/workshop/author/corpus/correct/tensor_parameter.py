# A parameter IS a tensor: Parameter subclasses MyTensor, and parameters() is a generator that walks __dict__.
import graphlib
import numbers

import numpy as np


class MyTensor:
    __array_ufunc__ = None
    name = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if isinstance(data, (str, bytes, dict, set)) or data is None:
            raise TypeError("MyTensor needs numbers, got " + type(data).__name__)
        if not isinstance(data, (list, tuple, np.ndarray, np.bool_, numbers.Real)):
            raise TypeError("MyTensor needs numbers, got " + type(data).__name__)
        values = np.array(data, order="C")
        if values.dtype.kind not in "fiub":
            raise TypeError("MyTensor needs numbers, got elements of type " + str(values.dtype))
        if dtype is None:
            dtype = values.dtype if values.dtype.kind == "f" else np.float64
        self._values = values.astype(dtype)
        self.requires_grad = requires_grad
        self.backward_op = crossOpBack
        self.grad = None

    @property
    def data(self):
        return self._values

    @property
    def dtype(self):
        return self._values.dtype

    @property
    def shape(self):
        return self._values.shape

    @property
    def strides(self):
        return self._values.strides

    @property
    def size(self):
        return self._values.size

    def __repr__(self):
        return "%s(%s, requires_grad=%s)" % (  # noqa: UP031
            type(self).__name__,
            self._values.tolist(),
            self.requires_grad,
        )

    def __getitem__(self, index):
        return self._values[index]

    def __setitem__(self, index, value):
        self._values[index] = values_of(value)

    # backward_op is a list of (input, gradient function), only with inputs that require a gradient

    def __add__(self, other):
        return combine(np.add, self, other, lambda g, x, y: g, lambda g, x, y: g)

    def __radd__(self, other):
        return combine(np.add, other, self, lambda g, x, y: g, lambda g, x, y: g)

    def __sub__(self, other):
        return combine(np.subtract, self, other, lambda g, x, y: g, lambda g, x, y: -g)

    def __rsub__(self, other):
        return combine(np.subtract, other, self, lambda g, x, y: g, lambda g, x, y: -g)

    def __mul__(self, other):
        return combine(np.multiply, self, other, lambda g, x, y: g * y, lambda g, x, y: g * x)

    def __rmul__(self, other):
        return combine(np.multiply, other, self, lambda g, x, y: g * y, lambda g, x, y: g * x)

    def __truediv__(self, other):
        return combine(np.divide, self, other, lambda g, x, y: g / y, lambda g, x, y: -g * x / y**2)

    def __rtruediv__(self, other):
        return combine(np.divide, other, self, lambda g, x, y: g / y, lambda g, x, y: -g * x / y**2)

    def __pow__(self, exponent):
        x = np.asarray(self._values, dtype=self.dtype if self.dtype.kind == "f" else float)

        def gradient(g):
            if exponent == 0:
                return g * 0
            return g * exponent * np.power(x, exponent - 1)

        return make(np.power(x, exponent), (self, gradient))

    def __neg__(self):
        return make(np.negative(self._values), (self, np.negative))

    def backward(self, base=None):
        if not self.requires_grad:
            return
        # A tensor's predecessors in the sorter are its consumers: they must be done before it.
        sorter = graphlib.TopologicalSorter({self: ()})
        visited = {self}
        stack = [self]
        while stack:
            consumer = stack.pop()
            for source, _ in consumer.backward_op or ():
                sorter.add(source, consumer)
                if source not in visited:
                    visited.add(source)
                    stack.append(source)
        total = {self: np.ones(self.shape) if base is None else values_of(base)}
        for tensor in sorter.static_order():
            g = total.pop(tensor)
            if tensor.backward_op is None:
                tensor.accumulate(g)
            for source, gradient in tensor.backward_op or ():
                part = gradient(g)
                if source in total:
                    part = total[source] + part
                total[source] = part

    def accumulate(self, g):
        if self.grad is not None:
            g = self.grad + g
        self.grad = np.array(g, dtype=self.dtype if self.dtype.kind == "f" else float)


class Parameter(MyTensor):
    def __init__(self, tensor, name=None):
        super().__init__(0.0, requires_grad=True)
        self._values = tensor.data  # the same array: changes are seen on both sides
        self.name = name

    @property
    def tensor(self):
        return self


def values_of(x):
    return x.data if isinstance(x, MyTensor) else x


def make(values, *sources):
    result = MyTensor(values)
    recorded = [source for source in sources if source[0].requires_grad]
    if recorded:
        result.requires_grad = True
        result.backward_op = recorded
    return result


def combine(ufunc, left, right, left_gradient, right_gradient):
    left = left if isinstance(left, MyTensor) else MyTensor(left)
    right = right if isinstance(right, MyTensor) else MyTensor(right)
    x, y = left.data, right.data
    return make(
        ufunc(x, y),
        (left, lambda g: sum_like(x, left_gradient(g, x, y))),
        (right, lambda g: sum_like(y, right_gradient(g, x, y))),
    )


def sum_like(x, g):
    # einsum adds up over the axes that x does not have or has with length 1
    g = np.asarray(g)
    letters = "abcdefghijklmnopqrstuvwxyz"[: g.ndim]
    tail = letters[g.ndim - x.ndim :]
    kept = "".join(letter for letter, n in zip(tail, x.shape, strict=True) if n != 1)
    return np.einsum(letters + "->" + kept, g).reshape(x.shape)


def matmul(a, b):
    x, y = a.data, b.data
    return make(
        x.dot(y),
        (a, lambda g: g.dot(y.T)),
        (b, lambda g: np.einsum("ni,nj->ij", np.atleast_2d(x), np.atleast_2d(g))),
    )


class MyModule:
    def parameters(self, seen=None):
        seen = set() if seen is None else seen
        todo = list(self.__dict__.values())
        for thing in todo:
            if isinstance(thing, (list, tuple)):
                todo.extend(thing)  # layers kept in a list count as well
            elif isinstance(thing, (Parameter, MyModule)) and id(thing) not in seen:
                seen.add(id(thing))
                if isinstance(thing, Parameter):
                    yield thing
                else:
                    yield from thing.parameters(seen)

    def __call__(self, x):
        return self.forward(x)


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        scale = np.sqrt(1.0 / input_size)
        self.weight = Parameter(MyTensor(np.random.uniform(-scale, scale, (input_size, output_size))), "weight")
        self.bias = Parameter(MyTensor(np.random.uniform(-scale, scale, output_size)), "bias")

    def forward(self, x):
        return matmul(x, self.weight) + self.bias


class ReLU(MyModule):
    def forward(self, x):
        return make(np.maximum(x.data, 0), (x, lambda g: np.where(x.data > 0, g, 0)))


class SGD:
    def __init__(self, parameters, lr=0.01):
        self.parameters = list(parameters)
        self.lr = lr

    def zero_grad(self):
        for parameter in self.parameters:
            parameter.grad = None

    def step(self):
        for parameter in self.parameters:
            if parameter.grad is not None:
                parameter[...] = parameter.data - self.lr * parameter.grad


class MSELoss(MyModule):
    def __call__(self, y, target):
        difference = y - target
        squares = difference * difference
        return make(np.average(squares.data), (squares, lambda g: np.full(squares.shape, g / squares.size)))


class SuperModel(MyModule):
    def __init__(self):
        self.layers = [Linear(64, 32), ReLU(), Linear(32, 10)]

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    optimizer, loss_function = SGD(model.parameters(), lr), MSELoss()
    losses = []
    for _ in range(epochs):
        chosen = np.random.choice(len(images), len(images), replace=False)
        mean = 0.0
        for number in range(-(-len(chosen) // batch_size)):
            rows = chosen[number * batch_size : (number + 1) * batch_size]
            optimizer.zero_grad()
            loss = loss_function(model(MyTensor(images[rows])), MyTensor(targets[rows]))
            loss.backward()
            optimizer.step()
            mean += loss.data.item() * len(rows) / len(chosen)
        losses.append(mean)
        if live:
            live(mean)
    return losses
