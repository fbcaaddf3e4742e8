"""Closure style: each operation makes a closure that pushes the gradient on to its operands."""
import math
import sys

import numpy as np
from tqdm import tqdm


class MyCrossBackward:
    """An operation: its operands and the closure `push`, which takes the upstream gradient."""

    def __init__(self, *args, backward_function, name):
        self.inputs = args
        self.push = backward_function
        self.name = name

    def __str__(self):
        return self.name


def as_tensor(thing):
    return thing if isinstance(thing, MyTensor) else MyTensor(thing)


def fit(array, shape):
    """Sum array over whatever was stretched, to get shape."""
    while len(array.shape) > len(shape):
        array = np.add.reduce(array, axis=0)
    stretched = tuple(i for i in range(len(shape)) if shape[i] == 1 and array.shape[i] != 1)
    return array.sum(axis=stretched, keepdims=True) if stretched else array


class MyTensor:
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if type(data) is bool or not isinstance(data, (list, tuple, np.ndarray, np.number, int, float)):
            raise TypeError("data must be a list, a tuple, an array or a number")
        values = np.array(data, dtype=dtype, copy=True)
        if values.dtype.kind in "USOV":
            raise TypeError("data must be numeric")
        if requires_grad and values.dtype.kind != "f":
            values = values.astype("float64")
        self.__data = values
        self.dtype = values.dtype
        self.requires_grad = requires_grad
        self.backward_op = crossOpBack
        self.grad = None
        self._arrived = None  # what arrived here so far during a walk

    data = property(lambda self: self.__data)
    shape = property(lambda self: self.__data.shape)
    strides = property(lambda self: self.__data.strides)
    size = property(lambda self: self.__data.size)

    def __repr__(self):
        return "MyTensor(" + str(self.__data.tolist()) + ", requires_grad=" + str(self.requires_grad) + ")"

    __str__ = __repr__

    def __getitem__(self, where):
        return self.__data[where]

    def __setitem__(self, where, value):
        if self.requires_grad:
            raise RuntimeError("this tensor requires a gradient, so its values are fixed")
        self.__data[where] = value

    def _receive(self, share):
        """Called by the closures."""
        if self.requires_grad:
            share = fit(share, self.shape)
            self._arrived = share if self._arrived is None else self._arrived + share

    @staticmethod
    def _result(values, operands, push, name):
        if not any(operand.requires_grad for operand in operands):
            return MyTensor(values)
        return MyTensor(values, requires_grad=True, crossOpBack=MyCrossBackward(*operands, backward_function=push, name=name))

    # ---- operators

    def __add__(self, other):
        other = as_tensor(other)

        def push(up):
            self._receive(up)
            other._receive(up)

        return MyTensor._result(self.data + other.data, (self, other), push, "AddBackward")

    def __sub__(self, other):
        other = as_tensor(other)

        def push(up):
            self._receive(up)
            other._receive(-up)

        return MyTensor._result(self.data - other.data, (self, other), push, "SubBackward")

    def __mul__(self, other):
        other = as_tensor(other)

        def push(up):
            self._receive(up * other.data)
            other._receive(up * self.data)

        return MyTensor._result(self.data * other.data, (self, other), push, "MulBackward")

    def __truediv__(self, other):
        other = as_tensor(other)
        quotient = self.data / other.data

        def push(up):
            self._receive(up / other.data)
            other._receive(-up * quotient / other.data)

        return MyTensor._result(quotient, (self, other), push, "DivBackward")

    def __radd__(self, other):
        return as_tensor(other) + self

    def __rsub__(self, other):
        return as_tensor(other) - self

    def __rmul__(self, other):
        return as_tensor(other) * self

    def __rtruediv__(self, other):
        return as_tensor(other) / self

    def __neg__(self):
        return MyTensor._result(-self.data, (self,), lambda up: self._receive(-up), "NegBackward")

    def __pow__(self, n):
        if isinstance(n, (MyTensor, str)) or n is None:
            return NotImplemented

        def push(up):
            slope = n * self.data ** (n - 1) if n != 0 else 0.0 * np.ones_like(self.data)
            self._receive(up * slope)

        return MyTensor._result(self.data**n, (self,), push, "PowBackward")

    # ---- the walk

    def backward(self, base=None):
        if not self.requires_grad:
            return
        order, seen, todo = [], set(), [(self, False)]
        while todo:
            node, expanded = todo.pop()
            if expanded:
                order.append(node)
                continue
            if id(node) in seen:
                continue
            seen.add(id(node))
            todo.append((node, True))
            if node.backward_op is not None:
                for operand in node.backward_op.inputs:
                    if operand.requires_grad and id(operand) not in seen:
                        todo.append((operand, False))
        self._arrived = np.ones(self.shape) if base is None else np.array(base.data, dtype=float)
        while order:
            node = order.pop()
            up, node._arrived = node._arrived, None
            if node.backward_op is not None:
                node.backward_op.push(up)
            elif node.grad is None:
                node.grad = MyTensor(up)
            else:
                node.grad = MyTensor(node.grad.data + up)


class Parameter:
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
        result, seen = [], set()

        def visit(module):
            if module in seen:
                return
            seen.add(module)
            for p in module.__parameters.values():
                if not any(p is q for q in result):
                    result.append(p)
            for child in module.__sub_modules.values():
                visit(child)

        visit(self)
        return result


def transpose(a):
    return MyTensor._result(a.data.T, (a,), lambda up: a._receive(up.T), "TransposeBackward")


def matmul(a, b):
    single = a.data.ndim == 1
    rows = a.data[np.newaxis, :] if single else a.data
    product = rows @ b.data

    def push(up):
        g = up.reshape(product.shape)
        a._receive((g @ b.data.T).reshape(a.shape))
        b._receive(rows.T @ g)

    return MyTensor._result(product[0] if single else product, (a, b), push, "MatmulBackward")


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        super().__init__()
        k = 1 / math.sqrt(input_size)
        weight = np.random.uniform(-k, k, size=(output_size, input_size))
        self.weight = Parameter(MyTensor(weight))
        self.bias = Parameter(MyTensor([0.0] * output_size))

    def forward(self, x):
        return matmul(x, transpose(self.weight.tensor)) + self.bias.tensor


def relu(x):
    mask = x.data > 0
    return MyTensor._result(np.where(mask, x.data, 0), (x,), lambda up: x._receive(up * mask), "ReluBackward")


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
            if gradient is None:
                continue
            p.tensor.data[...] -= self.lr * gradient.data


def sum(x, axis=None):
    total = x.data.sum(axis=axis)

    def push(up):
        if axis is not None:
            up = np.expand_dims(up, axis)
        x._receive(up + np.zeros(x.shape))

    return MyTensor._result(total, (x,), push, "SumBackward")


class MSELoss:
    def __call__(self, y, y_target):
        error = y - y_target
        return sum(error * error) * (1 / error.size)


class SuperModel(MyModule):
    def __init__(self):
        super().__init__()
        self.first = Linear(64, 48)
        self.activation = ReLU()
        self.second = Linear(48, 10)

    def forward(self, x):
        hidden = self.activation(self.first(x))
        return self.second(hidden)


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    criterion = MSELoss()
    sgd = SGD(model.parameters(), lr)
    losses = []
    rows = np.arange(len(images))
    bar = range(epochs) if live else tqdm(range(epochs), file=sys.stdout)
    for _ in bar:
        np.random.shuffle(rows)
        seen, total = 0, 0.0
        begin = 0
        while begin < len(rows):
            some = rows[begin : begin + batch_size]
            sgd.zero_grad()
            loss = criterion(model(MyTensor(images[some])), MyTensor(targets[some]))
            loss.backward()
            sgd.step()
            total += loss.data.item() * len(some)
            seen += len(some)
            begin += batch_size
        losses.append(total / seen)
        if live:
            live(losses[-1])
    return losses
