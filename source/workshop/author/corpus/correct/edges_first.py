# Style: edges first, pull instead of push. backward() lists the edges, then each leaf asks its consumers.
from collections import defaultdict

import numpy as np


class Op:
    """How a tensor came about: its inputs, and for each a function from the tensor's gradient to the input's share."""

    __slots__ = ("inputs", "shares")

    def __init__(self, *edges):
        self.inputs = [tensor for tensor, _ in edges]
        self.shares = [share for _, share in edges]


class Pull:
    """One backward pass."""

    def __init__(self, output, gradient):
        self.memo = {id(output): gradient}
        self.edges = defaultdict(list)  # id of a tensor -> its consumers, each with the index of the input it is
        self.leaves = []
        self.collect(output)

    def collect(self, output):
        met = {id(output)}
        todo = [output]
        while todo:
            consumer = todo.pop()
            if consumer.backward_op is None:
                self.leaves.append(consumer)
                continue
            for index, tensor in enumerate(consumer.backward_op.inputs):
                if not tensor.requires_grad:
                    continue
                self.edges[id(tensor)].append((consumer, index))
                if id(tensor) not in met:
                    met.add(id(tensor))
                    todo.append(tensor)

    def gradient(self, wanted):
        stack = [wanted]
        while stack:
            tensor = stack[-1]
            if id(tensor) not in self.memo:
                unknown = [consumer for consumer, _ in self.edges[id(tensor)] if id(consumer) not in self.memo]
                if unknown:
                    stack.extend(unknown)  # and come back to this tensor
                    continue
                self.memo[id(tensor)] = self.sum_of_shares(tensor)
            stack.pop()
        return self.memo[id(wanted)]

    def sum_of_shares(self, tensor):
        total = np.zeros(tensor.shape)
        for consumer, index in self.edges[id(tensor)]:
            share = consumer.backward_op.shares[index](self.memo[id(consumer)])
            total = total + collapse(share, tensor.shape)
        return total


def collapse(share, shape):
    share = np.asarray(share)
    for _ in range(share.ndim - len(shape)):
        share = share.sum(axis=0)
    for axis, length in enumerate(shape):
        if share.shape[axis] != length:
            share = share.sum(axis=axis, keepdims=True)
    return share


class MyTensor:
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if not isinstance(data, (list, tuple, np.ndarray, np.generic, int, float)):
            raise TypeError("unsupported data: " + type(data).__name__)
        array = np.array(data, dtype=dtype)
        if array.dtype.kind in "OSUV":
            raise TypeError("unsupported elements: " + str(array.dtype))
        self._array = array
        self.requires_grad = requires_grad
        self.backward_op = crossOpBack
        self.grad = None

    data = property(lambda self: self._array)
    dtype = property(lambda self: self._array.dtype)
    shape = property(lambda self: self._array.shape)
    strides = property(lambda self: self._array.strides)
    size = property(lambda self: self._array.size)

    def __repr__(self):
        return "tensor {} (requires_grad: {})".format(str(self._array).replace("\n", ""), self.requires_grad)

    def __getitem__(self, index):
        return self._array[index].copy()

    def __setitem__(self, index, value):
        self._array[index] = value

    def backward(self, base=None):
        if not self.requires_grad:
            return
        start = np.ones(self.shape) if base is None else np.array(base.data, dtype=float)
        run = Pull(self, start)
        for leaf in run.leaves:
            gradient = run.gradient(leaf)
            leaf.grad = MyTensor(gradient if leaf.grad is None else leaf.grad.data + gradient)

    def __add__(self, other):
        a, b = self, tensor(other)
        return make(a.data + b.data, (a, lambda g: g), (b, lambda g: g))

    def __sub__(self, other):
        a, b = self, tensor(other)
        return make(a.data - b.data, (a, lambda g: g), (b, lambda g: -g))

    def __mul__(self, other):
        a, b = self, tensor(other)
        return make(a.data * b.data, (a, lambda g: g * b.data), (b, lambda g: g * a.data))

    def __truediv__(self, other):
        a, b = self, tensor(other)
        return make(a.data / b.data, (a, lambda g: g / b.data), (b, lambda g: -g * a.data / (b.data * b.data)))

    def __pow__(self, n):
        if n == 0:
            return make(np.ones(self.shape), (self, lambda g: np.zeros(self.shape)))
        x = self.data.astype(float)
        return make(x**n, (self, lambda g: g * n * x ** (n - 1)))

    def __neg__(self):
        return 0 - self

    def __radd__(self, other):
        return tensor(other) + self

    def __rsub__(self, other):
        return tensor(other) - self

    def __rmul__(self, other):
        return tensor(other) * self

    def __rtruediv__(self, other):
        return tensor(other) / self


def tensor(value):
    if isinstance(value, MyTensor):
        return value
    return MyTensor(value)


def make(value, *edges):
    record = any(source.requires_grad for source, _ in edges)
    return MyTensor(value, requires_grad=record, crossOpBack=Op(*edges) if record else None)


def transpose(x):
    return make(np.transpose(x.data), (x, np.transpose))


def matmul(a, b):
    x, y = a.data, b.data
    if x.ndim == 1:
        return make(np.dot(x, y), (a, lambda g: np.dot(y, g)), (b, lambda g: np.multiply.outer(x, g)))
    return make(np.dot(x, y), (a, lambda g: np.tensordot(g, y, (1, 1))), (b, lambda g: np.tensordot(x, g, (0, 0))))


def total(x):
    return make(np.sum(x.data), (x, lambda g: g * np.ones(x.shape)))


class Parameter:
    def __init__(self, tensor):
        self.tensor = tensor
        self.name = "unnamed"


class MyModule:
    def parameters(self):
        # Edges first here, too: from a module to what its attributes hold. Whatever was replaced is no attribute now.
        found = {}
        modules = [self]
        for module in modules:  # it grows on the way
            for name, value in vars(module).items():
                if isinstance(value, Parameter) and id(value) not in found:
                    value.name = name
                    found[id(value)] = value
                elif isinstance(value, MyModule) and not any(value is known for known in modules):
                    modules.append(value)
        return list(found.values())

    def __call__(self, x):
        return self.forward(x)


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        limit = np.sqrt(1 / input_size)
        self.w = Parameter(MyTensor(np.random.uniform(-limit, limit, (output_size, input_size)), requires_grad=True))
        self.b = Parameter(MyTensor(np.random.uniform(-limit, limit, output_size), requires_grad=True))

    def forward(self, x):
        return matmul(x, transpose(self.w.tensor)) + self.b.tensor


class ReLU(MyModule):
    def forward(self, x):
        on = x.data > 0
        value = x.data.copy()
        value[~on] = 0
        return make(value, (x, lambda g: g * on))


class SGD:
    def __init__(self, parameters, lr):
        self.todo = [p.tensor for p in parameters]
        self.lr = lr

    def zero_grad(self):
        for t in self.todo:
            t.grad = None

    def step(self):
        for t in self.todo:
            if t.grad is not None:
                t.data.__isub__(t.grad.data * self.lr)


class MSELoss:
    def forward(self, y, target):
        d = y - target
        return total(d * d / d.size)

    __call__ = forward


class SuperModel(MyModule):
    def __init__(self):
        self.one = Linear(64, 32)
        self.two = Linear(32, 32)
        self.three = Linear(32, 10)
        self.relu = ReLU()

    def forward(self, x):
        x = self.relu(self.one(x))
        x = self.relu(self.two(x))
        return self.three(x)


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    learner = SGD(model.parameters(), lr)
    history = []
    for _ in range(epochs):
        rows = np.random.permutation(images.shape[0])
        errors = []
        while rows.size:
            now, rows = rows[:batch_size], rows[batch_size:]
            learner.zero_grad()
            loss = MSELoss()(model(MyTensor(images[now])), MyTensor(targets[now]))
            loss.backward()
            learner.step()
            errors += [float(loss.data)] * now.size
        history.append(sum(errors) / len(errors))
        if live:
            live(history[-1])
    return history
