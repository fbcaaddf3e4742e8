from collections import deque

import numpy as np


class MyCrossBackward:
    """One operation of the graph: its inputs, and the rule that differentiates it. (Given.)"""

    def __init__(self, *args, backward_function, name):
        self.inputs = args
        self.__rule = backward_function
        self.__name = name

    def __str__(self):
        return self.__name

    def __call__(self, x):
        return self.run(x)

    def run(self, base):
        gradients = self.__rule(base, *self.inputs)
        if isinstance(gradients, (np.ndarray, np.generic)):
            raise TypeError(f"the rule of {self} must return a tuple, with one gradient for each input")
        return gradients


class Account:
    """What one tensor is still waiting for during one walk, and what has been paid in so far."""

    def __init__(self, tensor):
        self.tensor = tensor
        self.users = 0
        self.balance = None

    def pay(self, share):
        if self.balance is None:
            self.balance = np.array(share, dtype=float)
        else:
            self.balance += share
        self.users -= 1
        return self.users == 0


def _open_accounts(result):
    """One account for each tensor below the result, which knows how many of its uses lie below the result."""
    accounts = {id(result): Account(result)}
    todo = [result]
    while todo:
        tensor = todo.pop()
        for parent in _parents(tensor):
            if id(parent) not in accounts:
                accounts[id(parent)] = Account(parent)
                todo.append(parent)
            accounts[id(parent)].users += 1
    return accounts


def _parents(tensor):
    if tensor.backward_op is None:
        return []
    return [i for i in tensor.backward_op.inputs if isinstance(i, MyTensor) and i.requires_grad]


NUMBERS = (int, float, np.number)


class MyTensor:
    """An n-dimensional array that can record the operations it takes part in."""

    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if not isinstance(data, (list, tuple, np.ndarray) + NUMBERS):
            raise TypeError(f"no tensor can be made from {type(data).__name__}")
        plain = np.array(data)
        if not np.issubdtype(plain.dtype, np.number) and plain.dtype != bool:
            raise TypeError(f"no tensor can be made from elements of type {plain.dtype}")
        if dtype is None and requires_grad and not np.issubdtype(plain.dtype, np.inexact):
            dtype = np.float64
        self.__data = plain if dtype is None else plain.astype(dtype)
        self.dtype = self.__data.dtype
        self.requires_grad = bool(requires_grad)
        self.grad = None
        self.backward_op = crossOpBack

    shape = property(lambda self: self.__data.shape)
    strides = property(lambda self: self.__data.strides)
    size = property(lambda self: self.__data.size)
    data = property(lambda self: self.__data)

    def __repr__(self):
        return f"MyTensor({self.__data.tolist()}, requires_grad={self.requires_grad})"

    def __str__(self):
        return self.__repr__()

    def __getitem__(self, where):
        return np.copy(self.__data[where])[()]

    def __setitem__(self, where, value):
        if self.requires_grad:
            raise RuntimeError("the graph has already used the old value")
        self.__data[where] = value

    def __apply(self, other, function, rule, name, swapped=False):
        """function(self, other), or function(other, self) if swapped, and its record."""
        if not isinstance(other, (MyTensor, np.ndarray) + NUMBERS):
            return NotImplemented
        if not isinstance(other, MyTensor):
            other = MyTensor(other)
        left, right = (other, self) if swapped else (self, other)
        values = function(left.data, right.data)
        return _record(values, (left, right), rule, name)

    def __add__(self, other):
        return self.__apply(other, np.add, add_deriv, "AddBackward")

    def __radd__(self, other):
        return self.__apply(other, np.add, add_deriv, "AddBackward", swapped=True)

    def __sub__(self, other):
        return self.__apply(other, np.subtract, sub_deriv, "SubBackward")

    def __rsub__(self, other):
        return self.__apply(other, np.subtract, sub_deriv, "SubBackward", swapped=True)

    def __mul__(self, other):
        return self.__apply(other, np.multiply, mul_deriv, "MulBackward")

    def __rmul__(self, other):
        return self.__apply(other, np.multiply, mul_deriv, "MulBackward", swapped=True)

    def __truediv__(self, other):
        return self.__apply(other, np.true_divide, div_deriv, "DivBackward")

    def __rtruediv__(self, other):
        return self.__apply(other, np.true_divide, div_deriv, "DivBackward", swapped=True)

    def __pow__(self, power):
        if not isinstance(power, NUMBERS):
            return NotImplemented
        return _record(np.power(_floating(self.data), power), (self, power), pow_deriv, "PowBackward")

    def __neg__(self):
        return _record(np.negative(self.data), (self,), neg_deriv, "NegBackward")

    def backward(self, base=None):
        if not self.requires_grad:
            return
        accounts = _open_accounts(self)
        own = accounts[id(self)]
        own.balance = np.ones(self.shape) if base is None else base.data.astype(float)
        ready = deque([own])
        while ready:
            account = ready.popleft()
            tensor, gradient = account.tensor, account.balance
            if tensor.backward_op is None:
                tensor.grad = gradient if tensor.grad is None else np.array(tensor.grad + gradient)
                continue
            for parent, share in zip(tensor.backward_op.inputs, tensor.backward_op(gradient)):
                if not isinstance(parent, MyTensor) or not parent.requires_grad:
                    continue
                if accounts[id(parent)].pay(share):
                    ready.append(accounts[id(parent)])


def _floating(array):
    return array if np.issubdtype(array.dtype, np.inexact) else array.astype(np.float64)


def _record(values, inputs, rule, name):
    """The result of an operation, which remembers its inputs if one of them requires a gradient."""
    for i in inputs:
        if isinstance(i, MyTensor) and i.requires_grad:
            op = MyCrossBackward(*inputs, backward_function=rule, name=name)
            return MyTensor(values, requires_grad=True, crossOpBack=op)
    return MyTensor(values)


def unbroadcast(gradient, shape):
    """Undo broadcasting: sum `gradient` over the axes that were stretched, down to `shape`."""
    gradient = np.asarray(gradient)
    extra = gradient.ndim - len(shape)
    ones = tuple(extra + axis for axis, length in enumerate(shape) if length == 1)
    return gradient.sum(axis=tuple(range(extra)) + ones).reshape(shape)


def add_deriv(base, *tensors):
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(base, right.shape)


def sub_deriv(base, *tensors):
    left, right = tensors
    return unbroadcast(base, left.shape), -unbroadcast(base, right.shape)


def mul_deriv(base, *tensors):
    left, right = tensors
    return unbroadcast(base * right.data, left.shape), unbroadcast(base * left.data, right.shape)


def div_deriv(base, *tensors):
    left, right = tensors
    to_left = base / right.data
    to_right = -to_left * left.data / right.data
    return unbroadcast(to_left, left.shape), unbroadcast(to_right, right.shape)


def pow_deriv(base, *args):
    x, n = args
    if n == 0:
        return np.zeros_like(base), None
    return base * n * np.power(_floating(x.data), n - 1), None


def neg_deriv(base, *tensors):
    return (-base,)


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
        once = {}
        for parameter in self.__parameters.values():
            once[id(parameter)] = parameter
        for module in self.__sub_modules.values():
            for parameter in module.parameters():
                once[id(parameter)] = parameter
        return list(once.values())


def matmul_deriv(base, *tensors):
    left, right = tensors
    if left.data.ndim == 1:
        return base @ right.data.T, np.outer(left.data, base)
    return base @ right.data.T, left.data.T @ base


def matmul(a, b):
    return _record(np.matmul(a.data, b.data), (a, b), matmul_deriv, "MatmulBackward")


class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, input_size, output_size):
        super().__init__()
        bound = input_size**-0.5
        self.weight = Parameter(MyTensor(np.random.uniform(-bound, bound, size=(input_size, output_size))))
        self.bias = Parameter(MyTensor(np.random.uniform(-bound, bound, size=output_size)))

    def forward(self, x):
        return matmul(x, self.weight.tensor) + self.bias.tensor


def relu_deriv(base, *tensors):
    (x,) = tensors
    return (np.where(x.data > 0, base, 0.0),)


def relu(x):
    return _record(np.where(x.data > 0, x.data, 0), (x,), relu_deriv, "ReluBackward")


class ReLU(MyModule):
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
        for parameter in self.params:
            tensor = parameter.tensor
            if tensor.grad is None:
                continue
            tensor.data[...] = tensor.data - self.lr * tensor.grad


def sum_deriv(base, *args):
    x, axis = args
    kept = x.data.sum(axis=axis, keepdims=True).shape
    return np.reshape(base, kept) * np.ones(x.shape), None


def sum(x, axis=None):
    return _record(x.data.sum(axis=axis), (x, axis), sum_deriv, "SumBackward")


class MSELoss:
    """Mean squared error."""

    def __call__(self, y, y_target):
        error = y - y_target
        return sum(error * error) / error.size


class SuperModel(MyModule):
    def __init__(self):
        super().__init__()
        self.hidden = Linear(64, 48)
        self.relu = ReLU()
        self.output = Linear(48, 10)

    def forward(self, x):
        return self.output(self.relu(self.hidden(x)))


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    losses = []
    measure = MSELoss()
    optimizer = SGD(model.parameters(), lr)
    for _ in range(epochs):
        waiting = deque(np.random.permutation(len(images)).tolist())
        total, count = 0.0, 0
        while waiting:
            rows = [waiting.popleft() for _ in range(min(batch_size, len(waiting)))]
            optimizer.zero_grad()
            loss = measure(model(MyTensor(images[rows])), MyTensor(targets[rows]))
            loss.backward()
            optimizer.step()
            total += len(rows) * loss.data.item()
            count += len(rows)
        losses.append(total / count)
        if live:
            live(losses[-1])
    return losses
