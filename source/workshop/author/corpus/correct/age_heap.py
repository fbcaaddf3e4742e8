# Style: every tensor has an age. A heap gives out the youngest first, so all its consumers have poured into its buffer.
from heapq import heappop, heappush
from itertools import count

import numpy as np

births = count(1)


def pour(buffer: np.ndarray, amount) -> None:
    """Add amount to buffer in place; axes that buffer lacks, or has with length 1, are summed."""
    amount = np.asarray(amount)
    extra = amount.ndim - buffer.ndim
    if extra > 0:
        amount = np.add.reduce(amount, axis=tuple(range(extra)))
    for axis, (have, want) in enumerate(zip(amount.shape, buffer.shape, strict=True)):
        if have > want:
            amount = np.add.reduce(amount, axis=axis, keepdims=True)
    np.add(buffer, amount, out=buffer)


class MyTensor:
    __array_priority__ = 100
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if isinstance(data, (str, bytes, dict, set)) or data is None:
            raise TypeError("a tensor is made of numbers, not of " + type(data).__name__)
        if not isinstance(data, (list, tuple, np.ndarray, np.generic, int, float)):
            raise TypeError("a tensor is made of lists, arrays and numbers, not of " + type(data).__name__)
        self.__data = np.array(data, dtype)
        if not np.issubdtype(self.__data.dtype, np.number) and self.__data.dtype != bool:
            raise TypeError("a tensor is made of numbers, not of " + self.__data.dtype.name)
        self.born = next(births)
        self.dtype = self.__data.dtype
        self.requires_grad = requires_grad
        self.backward_op = crossOpBack
        self.parents = []
        self.grad = None

    @classmethod
    def result(cls, value, parents, backward_op):
        parents_matter = any(p.requires_grad for p in parents)
        child = cls(value, requires_grad=parents_matter, crossOpBack=backward_op if parents_matter else None)
        if parents_matter:
            child.parents = parents
        return child

    @property
    def data(self):
        return self.__data

    @property
    def shape(self):
        return self.__data.shape

    @property
    def strides(self):
        return self.__data.strides

    @property
    def size(self):
        return self.__data.size

    def __repr__(self):
        text = "MyTensor(" + repr(self.__data)
        return text + ", requires_grad=True)" if self.requires_grad else text + ")"

    def __getitem__(self, where):
        return self.__data[where]

    def __setitem__(self, where, what):
        self.__data[where] = what

    # Every operation gives a function that pours the gradient g of the result into the buffers of its parents.
    # A buffer is None where no gradient is wanted.

    def __add__(self, other):
        other = tensor_of(other)

        def add_back(g, mine, others):
            if mine is not None:
                pour(mine, g)
            if others is not None:
                pour(others, g)

        return MyTensor.result(self.data + other.data, [self, other], add_back)

    def __sub__(self, other):
        other = tensor_of(other)

        def sub_back(g, mine, others):
            if mine is not None:
                pour(mine, g)
            if others is not None:
                pour(others, np.negative(g))

        return MyTensor.result(self.data - other.data, [self, other], sub_back)

    def __mul__(self, other):
        other = tensor_of(other)

        def mul_back(g, mine, others):
            if mine is not None:
                pour(mine, g * other.data)
            if others is not None:
                pour(others, g * self.data)

        return MyTensor.result(self.data * other.data, [self, other], mul_back)

    def __truediv__(self, other):
        return self * tensor_of(other) ** -1

    def __pow__(self, n):
        if isinstance(n, MyTensor):
            return NotImplemented
        x = np.asarray(self.data, dtype=float)

        def pow_back(g, mine):
            if n != 0:
                pour(mine, g * n * np.power(x, n - 1))

        return MyTensor.result(np.power(x, n), [self], pow_back)

    def __neg__(self):
        return self * -1

    def __radd__(self, other):
        return tensor_of(other) + self

    def __rsub__(self, other):
        return tensor_of(other) - self

    def __rmul__(self, other):
        return tensor_of(other) * self

    def __rtruediv__(self, other):
        return tensor_of(other) / self

    def mean(self):
        def mean_back(g, mine):
            pour(mine, np.broadcast_to(g / self.size, self.shape))

        return MyTensor.result(self.data.sum() / self.size, [self], mean_back)

    def backward(self, base=None):
        if not self.requires_grad:
            return
        buffers = {self.born: np.zeros(self.shape)}
        pour(buffers[self.born], np.ones(self.shape) if base is None else base.data)
        heap = [(-self.born, self)]
        leaves = []
        while heap:
            _, youngest = heappop(heap)
            if youngest.backward_op is None:
                leaves.append(youngest)
                continue
            theirs = []
            for parent in youngest.parents:
                if parent.requires_grad and parent.born not in buffers:
                    buffers[parent.born] = np.zeros(parent.shape)
                    heappush(heap, (-parent.born, parent))
                theirs.append(buffers[parent.born] if parent.requires_grad else None)
            # What is younger than this one has been through: its buffer is full, and is not needed again.
            youngest.backward_op(buffers.pop(youngest.born), *theirs)
        for leaf in leaves:
            if leaf.grad is None:
                leaf.grad = MyTensor(np.zeros(leaf.shape))
            pour(leaf.grad.data, buffers[leaf.born])


def tensor_of(x):
    return x if isinstance(x, MyTensor) else MyTensor(x)


def matmul(a, b):
    def matmul_back(g, for_a, for_b):
        if for_a is not None:
            pour(for_a, np.dot(g, b.data.T))
        if for_b is not None:
            rows = a.data.reshape(-1, a.shape[-1])
            pour(for_b, np.dot(rows.T, g.reshape(len(rows), -1)))

    return MyTensor.result(np.dot(a.data, b.data), [a, b], matmul_back)


class Parameter:
    def __init__(self, tensor, name="parameter"):
        self.tensor = tensor
        self.name = name
        self.tensor.requires_grad = True

    def __repr__(self):
        return f"Parameter {self.name}: {self.tensor}"


class MyModule:
    # The register is there before any __init__, also for those that forget super().__init__().
    def __new__(cls, *args, **kwargs):
        module = super().__new__(cls)
        object.__setattr__(module, "register", {})
        return module

    def __setattr__(self, name, value):
        if isinstance(value, Parameter):
            value.name = name
        if isinstance(value, (Parameter, MyModule)):
            self.register[name] = value
        else:
            self.register.pop(name, None)
        object.__setattr__(self, name, value)

    def __delattr__(self, name):
        self.register.pop(name, None)
        object.__delattr__(self, name)

    def parameters(self):
        found = []
        for thing in self.register.values():
            candidates = [thing] if isinstance(thing, Parameter) else thing.parameters()
            for candidate in candidates:
                if not any(candidate is known for known in found):
                    found.append(candidate)
        return found

    def __call__(self, *args, **kwargs):
        return self.forward(*args, **kwargs)


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        spread = np.random.randn(input_size, output_size) / np.sqrt(input_size)
        self.weight = Parameter(MyTensor(spread))
        self.bias = Parameter(MyTensor([0.0] * output_size))

    def forward(self, x):
        return matmul(x, self.weight.tensor) + self.bias.tensor


class ReLU(MyModule):
    def forward(self, x):
        alive = x.data > 0

        def relu_back(g, mine):
            pour(mine, g * alive)

        return MyTensor.result(np.maximum(x.data, 0), [x], relu_back)


class SGD:
    def __init__(self, parameters, lr=0.01):
        self.tensors = [parameter.tensor for parameter in parameters]
        self.lr = lr

    def zero_grad(self):
        for tensor in self.tensors:
            tensor.grad = None

    def step(self):
        for tensor in self.tensors:
            if tensor.grad is not None:
                pour(tensor.data, -self.lr * tensor.grad.data)


class MSELoss:
    def __call__(self, y, target):
        error = y - target
        return (error * error).mean()


class SuperModel(MyModule):
    def __init__(self):
        self.first = Linear(64, 32)
        self.second = Linear(32, 10)
        self.relu = ReLU()

    def forward(self, images):
        return self.second(self.relu(self.first(images)))


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    sgd, mse = SGD(model.parameters(), lr), MSELoss()
    losses = []
    for _ in range(epochs):
        waiting = [(np.random.rand(), row) for row in range(len(images))]
        heap = sorted(waiting)  # a sorted list is a heap
        total = 0.0
        while heap:
            rows = [heappop(heap)[1] for _ in range(min(batch_size, len(heap)))]
            sgd.zero_grad()
            loss = mse(model(MyTensor(images[rows])), MyTensor(targets[rows]))
            loss.backward()
            sgd.step()
            total += loss.data * len(rows)
        losses.append(float(total) / len(images))
        if live:
            live(losses[-1])
    return losses
