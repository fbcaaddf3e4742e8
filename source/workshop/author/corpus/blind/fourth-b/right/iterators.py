import itertools as it
import math
import operator
from functools import reduce

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

    def pairs(self, base):
        """(input, share) for each input that wants a share."""
        return ((i, share) for i, share in zip(self.inputs, self.run(base)) if wants_gradient(i))


def wants_gradient(thing):
    return isinstance(thing, MyTensor) and thing.requires_grad


def parents(tensor):
    """The inputs that `tensor` was computed from, as an iterator."""
    return filter(wants_gradient, tensor.backward_op.inputs if tensor.backward_op else ())


def postorder(root):
    """Yield each tensor below `root` once, after everything that it was computed from."""
    seen = {id(root)}
    trail = [(root, parents(root))]
    while trail:
        tensor, rest = trail[-1]
        fresh = next((p for p in rest if id(p) not in seen), None)
        if fresh is None:
            trail.pop()
            yield tensor
        else:
            seen.add(id(fresh))
            trail.append((fresh, parents(fresh)))


def flat(data):
    """All elements of a nested list or tuple."""
    stack = [iter((data,))]
    while stack:
        for element in stack[-1]:
            if isinstance(element, (list, tuple)):
                stack.append(iter(element))
                break
            yield element
        else:
            stack.pop()


def is_number(thing):
    return isinstance(thing, (int, float, np.number, np.bool_))


class MyTensor:
    """An n-dimensional array that can record the operations it takes part in."""

    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if isinstance(data, (list, tuple)):
            fits = all(is_number(e) or (isinstance(e, np.ndarray) and e.dtype.kind in "biuf") for e in flat(data))
        elif isinstance(data, np.ndarray):
            fits = data.dtype.kind in "biuf"
        else:
            fits = isinstance(data, (int, float, np.number))
        if not fits:
            raise TypeError(f"not numbers: {data!r}")
        self.__data = np.array(data, dtype=dtype)
        self.dtype = self.__data.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack

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
        return math.prod(self.__data.shape)

    def __repr__(self):
        return f"MyTensor({self.__data!r}, requires_grad={self.requires_grad})"

    def __str__(self):
        return self.__repr__()

    def __getitem__(self, index):
        got = self.__data[index]
        return got.copy() if isinstance(got, np.ndarray) else got

    def __setitem__(self, index, value):
        self.__data[index] = value

    def __pow__(self, n):
        if not is_number(n):
            return NotImplemented
        return operation("PowBackward", lambda x, n: real(x) ** n, pow_deriv)(self, n)

    def __neg__(self):
        return operation("NegBackward", operator.neg, neg_deriv)(self)

    def backward(self, base=None):
        if not self.requires_grad:
            return
        arrived = {id(self): [np.ones(self.shape) if base is None else base.data]}
        for tensor in reversed(list(postorder(self))):
            gradient = reduce(np.add, arrived.pop(id(tensor)))
            if tensor.backward_op:
                for parent, share in tensor.backward_op.pairs(gradient):
                    arrived.setdefault(id(parent), []).append(share)
            else:
                tensor.grad = np.array(gradient if tensor.grad is None else tensor.grad + gradient)


def real(array):
    """In whole numbers there are no negative powers."""
    return array if array.dtype.kind == "f" else array.astype(float)


def operation(name, function, rule):
    """A function of tensors that records itself. Inputs that are no tensors reach `function` as they are."""

    def perform(*inputs):
        values = function(*(i.data if isinstance(i, MyTensor) else i for i in inputs))
        if any(map(wants_gradient, inputs)):
            op = MyCrossBackward(*inputs, backward_function=rule, name=name)
            return MyTensor(values, requires_grad=True, crossOpBack=op)
        return MyTensor(values)

    return perform


def unbroadcast(gradient, shape):
    """Undo broadcasting: sum `gradient` over the axes that were stretched, down to `shape`."""
    gradient = np.asarray(gradient)
    padded = it.chain(it.repeat(1, gradient.ndim - len(shape)), shape)
    stretched = tuple(axis for axis, (now, before) in enumerate(zip(gradient.shape, padded)) if now != before)
    return np.sum(gradient, axis=stretched, keepdims=True).reshape(shape)


def fitted(gradients, tensors):
    """Each gradient in the shape of its tensor."""
    return tuple(unbroadcast(g, t.shape) for g, t in zip(gradients, tensors))


def add_deriv(base, *tensors):
    return fitted(it.repeat(base), tensors)


def sub_deriv(base, *tensors):
    return fitted((sign * base for sign in (1, -1)), tensors)


def mul_deriv(base, *tensors):
    return fitted((base * other.data for other in reversed(tensors)), tensors)


def div_deriv(base, *tensors):
    left, right = (t.data for t in tensors)
    return fitted((base / right, -base * left / right**2), tensors)


def pow_deriv(base, *args):
    x, n = args
    return (base * (n * real(x.data) ** (n - 1)) if n else np.zeros(x.shape)), None


def neg_deriv(base, *tensors):
    return tuple(-base for _ in tensors)


BINARY = {
    "add": (operator.add, add_deriv),
    "sub": (operator.sub, sub_deriv),
    "mul": (operator.mul, mul_deriv),
    "truediv": (operator.truediv, div_deriv),
}


def make_operator(name, function, rule):
    perform = operation(f"{name.capitalize()}Backward", function, rule)

    def forwards(self, other):
        if not isinstance(other, MyTensor):
            if not is_number(other) and not isinstance(other, np.ndarray):
                return NotImplemented
            other = MyTensor(other)
        return perform(self, other)

    def reflected(self, other):
        if not is_number(other) and not isinstance(other, np.ndarray):
            return NotImplemented
        return perform(MyTensor(other), self)

    return forwards, reflected


for _name, (_function, _rule) in BINARY.items():
    for _prefix, _method in zip(("", "r"), make_operator(_name, _function, _rule)):
        setattr(MyTensor, f"__{_prefix}{_name}__", _method)


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

    def modules(self):
        """This module and all that are in it, at any depth, each one once."""
        seen, line = set(), [self]
        for module in line:
            if id(module) not in seen:
                seen.add(id(module))
                yield module
                line.extend(module.__sub_modules.values())

    def parameters(self):
        """All parameters of this module and of the modules in it, each one once."""
        everything = it.chain.from_iterable(module.__parameters.values() for module in self.modules())
        return list({id(p): p for p in everything}.values())


def matmul_deriv(base, *tensors):
    left, right = tensors
    rows, upstream = map(np.atleast_2d, (left.data, base))
    return np.reshape(upstream @ right.data.T, left.shape), rows.T @ upstream


matmul = operation("MatmulBackward", operator.matmul, matmul_deriv)


class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, input_size, output_size):
        super().__init__()
        bound = 1 / math.sqrt(input_size)
        self.weight, self.bias = (
            Parameter(MyTensor(numbers))
            for numbers in (np.random.uniform(-bound, bound, (input_size, output_size)), np.zeros(output_size))
        )

    def forward(self, x):
        return matmul(x, self.weight.tensor) + self.bias.tensor


def relu_deriv(base, *tensors):
    return tuple(base * np.heaviside(x.data, 0) for x in tensors)


relu = operation("ReluBackward", lambda values: np.maximum(values, 0), relu_deriv)


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

    def tensors(self):
        return (p.tensor for p in self.params)

    def zero_grad(self):
        for tensor in self.tensors():
            tensor.grad = None

    def step(self):
        for tensor in (t for t in self.tensors() if t.grad is not None):
            tensor.data[...] -= self.lr * tensor.grad


def sum_deriv(base, *args):
    x, axis = args
    return np.array(np.broadcast_to(base if axis is None else np.expand_dims(base, axis), x.shape)), None


def sum(x, axis=None):
    return operation("SumBackward", lambda values, axis: values.sum(axis=axis), sum_deriv)(x, axis)


class MSELoss:
    """Mean squared error."""

    def __call__(self, y, y_target):
        return sum((y - y_target) ** 2) / math.prod(y.shape)


class SuperModel(MyModule):
    def __init__(self):
        super().__init__()
        self.first = Linear(64, 32)
        self.bend = ReLU()
        self.second = Linear(32, 10)

    def forward(self, x):
        return reduce(lambda value, layer: layer(value), (self.first, self.bend, self.second), x)


def batches(count, size):
    """The row numbers of the mini-batches of one epoch, in a new random order."""
    order = iter(np.random.permutation(count))
    while batch := list(it.islice(order, size)):
        yield batch


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    loss_function, optimizer = MSELoss(), SGD(model.parameters(), lr)

    def learn(rows):
        """One step; returns the sum of the losses of its examples."""
        optimizer.zero_grad()
        loss = loss_function(model(MyTensor(images[rows])), MyTensor(targets[rows]))
        loss.backward()
        optimizer.step()
        return float(loss.data) * len(rows)

    losses = []
    for _ in range(epochs):
        losses.append(math.fsum(map(learn, batches(len(images), batch_size))) / len(images))
        if live:
            live(losses[-1])
    return losses
