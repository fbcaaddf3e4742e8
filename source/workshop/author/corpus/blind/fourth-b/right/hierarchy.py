import heapq
import itertools

import numpy as np

FLOAT = np.float32  # for all tensors, unless another type is asked for


class Node:
    """A place in the graph. Nodes are numbered as they are made, so the inputs of a node have smaller numbers."""

    __numbers = itertools.count()

    def __init__(self, *inputs):
        self.inputs = inputs
        self.number = next(Node.__numbers)

    def __lt__(self, other):
        return self.number > other.number  # the heap gives the youngest first

    def __str__(self):
        return type(self).__name__ + "Backward"

    def __call__(self, base):
        return self.run(base)

    def run(self, base):
        """One gradient for each input."""
        raise NotImplementedError

    def receive(self, gradient):
        """What to do with the whole gradient: yields (node, share) for each node that gets a share."""
        for tensor, share in zip(self.inputs, self.run(gradient)):
            if isinstance(tensor, MyTensor) and tensor.requires_grad:
                yield tensor.node, share

    @classmethod
    def record(cls, *inputs):
        values = cls.compute(*(i.data if isinstance(i, MyTensor) else i for i in inputs))
        if any(isinstance(i, MyTensor) and i.requires_grad for i in inputs):
            return MyTensor(values, dtype=values.dtype, requires_grad=True, crossOpBack=cls(*inputs))
        return MyTensor(values, dtype=values.dtype)


class Leaf(Node):
    def __init__(self, tensor):
        super().__init__()
        self.tensor = tensor

    def receive(self, gradient):
        if self.tensor.grad is None:
            self.tensor.grad = np.array(gradient)
        else:
            self.tensor.grad = np.array(self.tensor.grad + gradient)
        return ()


class Unary(Node):
    """One tensor, and perhaps a constant."""

    def run(self, base):
        x, *constants = self.inputs
        return (self.derivative(base, x.data, *constants), *(None for _ in constants))


class Binary(Node):
    """Two tensors that are broadcast against each other."""

    def run(self, base):
        left, right = self.inputs
        to_left = self.derivative_left(base, left.data, right.data)
        to_right = self.derivative_right(base, left.data, right.data)
        return unbroadcast(to_left, left.shape), unbroadcast(to_right, right.shape)


class Add(Binary):
    compute = staticmethod(np.add)

    def derivative_left(self, base, left, right):
        return base

    def derivative_right(self, base, left, right):
        return base


class Sub(Binary):
    compute = staticmethod(np.subtract)

    def derivative_left(self, base, left, right):
        return base

    def derivative_right(self, base, left, right):
        return -base


class Mul(Binary):
    compute = staticmethod(np.multiply)

    def derivative_left(self, base, left, right):
        return base * right

    def derivative_right(self, base, left, right):
        return base * left


class Div(Binary):
    compute = staticmethod(np.divide)

    def derivative_left(self, base, left, right):
        return base / right

    def derivative_right(self, base, left, right):
        return -base * left / (right * right)


class MatMul(Node):
    compute = staticmethod(np.matmul)

    def run(self, base):
        left, right = self.inputs
        if len(left.shape) == 1:
            return right.data @ base, left.data[:, None] * base[None, :]
        return base @ right.data.T, left.data.T @ base


class Neg(Unary):
    compute = staticmethod(np.negative)

    def derivative(self, base, x):
        return -base


class Pow(Unary):
    @staticmethod
    def compute(x, power):
        return np.asarray(np.power(as_float(x), power))

    def derivative(self, base, x, power):
        if power == 0:
            return np.zeros_like(base)
        return base * power * np.power(as_float(x), power - 1)


class Relu(Unary):
    @staticmethod
    def compute(x):
        return np.maximum(x, 0)

    def derivative(self, base, x):
        return base * (x > 0)


class Sum(Unary):
    @staticmethod
    def compute(x, axis):
        return x.sum(axis=axis)

    def derivative(self, base, x, axis):
        if axis is not None:
            base = np.expand_dims(base, axis)
        return base * np.ones_like(x)


def as_float(x):
    return x if np.issubdtype(x.dtype, np.floating) else x.astype(FLOAT)


def unbroadcast(gradient, shape):
    """Undo broadcasting: sum `gradient` over the axes that were stretched, down to `shape`."""
    gradient = np.asarray(gradient)
    if gradient.shape == shape:
        return gradient
    if gradient.ndim > len(shape):
        return unbroadcast(gradient.sum(axis=0), shape)
    for axis, length in enumerate(shape):
        if length != gradient.shape[axis]:
            gradient = gradient.sum(axis=axis, keepdims=True)
    return gradient


class MyTensor:
    """An n-dimensional array that can record the operations it takes part in."""

    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if not isinstance(data, (list, tuple, np.ndarray, np.number, int, float)):
            raise TypeError(f"{type(data).__name__} is no data for a tensor")
        if np.asarray(data).dtype.kind not in "biuf":
            raise TypeError("a tensor holds numbers")
        self.__data = np.array(data, dtype=FLOAT if dtype is None else dtype)
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack
        self.node = Leaf(self) if crossOpBack is None else crossOpBack

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
    def data(self):
        return self.__data

    @property
    def size(self):
        return self.__data.size

    def __repr__(self):
        return f"MyTensor(\n{self.__data}, requires_grad={self.requires_grad})"

    def __str__(self):
        return repr(self)

    def __getitem__(self, index):
        part = self.__data[index]
        return part.copy()

    def __setitem__(self, index, value):
        if self.requires_grad:
            raise RuntimeError("a tensor that requires a gradient cannot be written into")
        self.__data[index] = value

    def wrap(self, operand):
        if isinstance(operand, MyTensor):
            return operand
        return MyTensor(operand, dtype=np.result_type(self.dtype, FLOAT))

    def __add__(self, other):
        return Add.record(self, self.wrap(other))

    def __radd__(self, other):
        return Add.record(self.wrap(other), self)

    def __sub__(self, other):
        return Sub.record(self, self.wrap(other))

    def __rsub__(self, other):
        return Sub.record(self.wrap(other), self)

    def __mul__(self, other):
        return Mul.record(self, self.wrap(other))

    def __rmul__(self, other):
        return Mul.record(self.wrap(other), self)

    def __truediv__(self, other):
        return Div.record(self, self.wrap(other))

    def __rtruediv__(self, other):
        return Div.record(self.wrap(other), self)

    def __pow__(self, power):
        if not isinstance(power, (int, float, np.number)):
            return NotImplemented
        return Pow.record(self, power)

    def __neg__(self):
        return Neg.record(self)

    def backward(self, base=None):
        if not self.requires_grad:
            return
        start = np.ones_like(self.__data) if base is None else base.data
        gradients = {self.node: start}
        heap = [self.node]
        while heap:
            node = heapq.heappop(heap)
            for target, share in node.receive(gradients.pop(node)):
                if target in gradients:
                    gradients[target] = gradients[target] + share
                else:
                    gradients[target] = share
                    heapq.heappush(heap, target)


class Parameter:
    """A tensor that training changes. (Given.)"""

    def __init__(self, tensor):
        if not np.issubdtype(tensor.data.dtype, np.floating):
            tensor = MyTensor(tensor.data, dtype=np.float64)
        self.tensor = tensor
        self.tensor.requires_grad = True
        self.__name = None

    @property
    def name(self):
        return self.__name

    @name.setter
    def name(self, x):
        self.__name = x


class MyModule:
    """A part of a network: it owns parameters and smaller modules, and computes with them."""

    def __init__(self):
        self.__parameters = {}
        self.__sub_modules = {}

    def __setattr__(self, name, value):
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

    def __call__(self, x):
        return self.forward(x)

    def parameters(self):
        """All parameters of this module and of the modules in it, each one once."""
        result = list(self.__parameters.values())
        for module in self.__sub_modules.values():
            result += module.parameters()
        return list(dict.fromkeys(result))  # parameters are equal only to themselves


def matmul(a, b):
    """The matrix product of a, (n, k) or (k,), and b, (k, m), recorded when one of them requires a gradient."""
    return MatMul.record(a, b)


class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, input_size, output_size):
        super().__init__()
        bound = 1 / np.sqrt(input_size)
        self.weight = Parameter(MyTensor((2 * np.random.rand(input_size, output_size) - 1) * bound))
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x):
        return matmul(x, self.weight.tensor) + self.bias.tensor


def relu(x):
    """max(x, 0), element by element"""
    return Relu.record(x)


class ReLU(MyModule):
    """The relu function as a module: it has no parameters. (Given.)"""

    def __init__(self):
        super().__init__()

    def forward(self, x):
        return relu(x)


class SGD:
    """Stochastic gradient descent."""

    def __init__(self, parameters, lr=1e-2):
        self.lr = lr
        self.params = list(parameters)

    def zero_grad(self):
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        for tensor in [parameter.tensor for parameter in self.params]:
            if tensor.grad is not None:
                np.subtract(tensor.data, self.lr * tensor.grad, out=tensor.data, casting="same_kind")


def sum(x, axis=None):
    return Sum.record(x, axis)


class MSELoss:
    """Mean squared error."""

    def __call__(self, y, y_target):
        squares = (y - y_target) ** 2
        return sum(squares) * (1 / squares.size)


class SuperModel(MyModule):
    """Maps a batch of images, shape (n, 64), to one score per digit, shape (n, 10)."""

    def __init__(self):
        super().__init__()
        self.hidden = Linear(64, 40)
        self.relu = ReLU()
        self.output = Linear(40, 10)

    def forward(self, x):
        hidden = self.relu(self.hidden(x))
        return self.output(hidden)


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    """Train the model on mini-batches. Returns the mean loss of each epoch, over its examples."""
    losses = []
    loss_function = MSELoss()
    optimizer = SGD(model.parameters(), lr=lr)
    order = np.arange(len(images))
    for _ in range(epochs):
        np.random.shuffle(order)
        sums, counts = [], []
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            optimizer.zero_grad()
            loss = loss_function(model(MyTensor(images[rows])), MyTensor(targets[rows]))
            loss.backward()
            optimizer.step()
            sums.append(float(loss.data) * len(rows))
            counts.append(len(rows))
        losses.append(float(np.sum(sums) / np.sum(counts)))
        if live:
            live(losses[-1])
    return losses
