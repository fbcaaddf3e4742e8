from abc import ABC, abstractmethod
from collections import defaultdict
from numbers import Real

import numpy as np
from tqdm import tqdm


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


class ArrayHolder:
    """Owns an array, and says what it looks like."""

    __slots__ = ("_array",)

    _ACCEPTED = (list, tuple, np.ndarray, np.number, int, float)

    def __init__(self, data, dtype):
        if not isinstance(data, self._ACCEPTED):
            raise TypeError(f"data must be numbers, not {type(data).__name__}")
        array = np.array(data)
        if not (np.issubdtype(array.dtype, np.number) or array.dtype == np.bool_):
            raise TypeError(f"data must be numbers, not {array.dtype}")
        if dtype is None:
            dtype = array.dtype if np.issubdtype(array.dtype, np.inexact) else np.float64
        self._array = array.astype(dtype)

    @property
    def data(self):
        return self._array

    @property
    def dtype(self):
        return self._array.dtype

    @property
    def shape(self):
        return self._array.shape

    @property
    def strides(self):
        return self._array.strides

    @property
    def size(self):
        return self._array.size

    def __getitem__(self, index):
        value = self._array[index]
        return value.copy() if isinstance(value, np.ndarray) else value

    def __setitem__(self, index, value):
        self._array[index] = value


class Tracked(ArrayHolder):
    """Knows whether it requires a gradient, which one it has, and how deep it lies in the graph."""

    __slots__ = ("_requires_grad", "_grad", "_backward_op", "_depth")

    def __init__(self, data, dtype, requires_grad, backward_op):
        super().__init__(data, dtype)
        self.requires_grad = requires_grad
        self._grad = None
        self._backward_op = backward_op
        self._depth = 0
        if backward_op is not None:
            self._depth = 1 + max(t._depth for t in self.parents)

    @property
    def requires_grad(self):
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value):
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError("requires_grad is True or False")
        self._requires_grad = bool(value)

    @property
    def grad(self):
        return self._grad

    @grad.setter
    def grad(self, value):
        if value is not None and np.shape(getattr(value, "data", value)) != self.shape:
            raise ValueError("a gradient has the shape of its tensor")
        self._grad = value

    @property
    def backward_op(self):
        return self._backward_op

    @property
    def is_leaf(self):
        return self._backward_op is None

    @property
    def parents(self):
        if self.is_leaf:
            return []
        return [i for i in self._backward_op.inputs if isinstance(i, Tracked)]

    def accumulate(self, gradient):
        """Add to the gradient of a leaf."""
        if self._grad is None:
            self.grad = np.zeros(self.shape)
        self.grad = np.array(self._grad + gradient)

    def backward(self, base=None):
        """Add to the `grad` of every leaf its share of the gradient of this tensor."""
        if not self.requires_grad:
            return
        waiting = defaultdict(dict)  # depth -> tensor -> gradient
        waiting[self._depth][self] = np.ones(self.shape) if base is None else base.data
        for depth in range(self._depth, -1, -1):
            for tensor, gradient in waiting.pop(depth, {}).items():
                if tensor.is_leaf:
                    tensor.accumulate(gradient)
                    continue
                for parent, share in zip(tensor.backward_op.inputs, tensor.backward_op.run(gradient)):
                    if isinstance(parent, Tracked) and parent.requires_grad:
                        level = waiting[parent._depth]
                        level[parent] = level[parent] + share if parent in level else share


class Arithmetic(Tracked):
    """The operators."""

    __slots__ = ()
    __array_ufunc__ = None

    @classmethod
    def lift(cls, operand):
        """The operand as a tensor, or None if it cannot be one."""
        if isinstance(operand, cls):
            return operand
        if isinstance(operand, (Real, np.number, np.ndarray)):
            return cls(operand)
        return None

    @classmethod
    def result(cls, values, *inputs, rule, name):
        if not any(i.requires_grad for i in inputs if isinstance(i, Tracked)):
            return cls(values)
        op = MyCrossBackward(*inputs, backward_function=rule, name=name)
        return cls(values, requires_grad=True, crossOpBack=op)

    @classmethod
    def _sum_of(cls, left, right):
        return cls.result(left.data + right.data, left, right, rule=add_deriv, name="AddBackward")

    @classmethod
    def _difference_of(cls, left, right):
        return cls.result(left.data - right.data, left, right, rule=sub_deriv, name="SubBackward")

    @classmethod
    def _product_of(cls, left, right):
        return cls.result(left.data * right.data, left, right, rule=mul_deriv, name="MulBackward")

    @classmethod
    def _quotient_of(cls, left, right):
        return cls.result(left.data / right.data, left, right, rule=div_deriv, name="DivBackward")

    def __add__(self, other):
        other = self.lift(other)
        return NotImplemented if other is None else self._sum_of(self, other)

    def __radd__(self, other):
        other = self.lift(other)
        return NotImplemented if other is None else self._sum_of(other, self)

    def __sub__(self, other):
        other = self.lift(other)
        return NotImplemented if other is None else self._difference_of(self, other)

    def __rsub__(self, other):
        other = self.lift(other)
        return NotImplemented if other is None else self._difference_of(other, self)

    def __mul__(self, other):
        other = self.lift(other)
        return NotImplemented if other is None else self._product_of(self, other)

    def __rmul__(self, other):
        other = self.lift(other)
        return NotImplemented if other is None else self._product_of(other, self)

    def __truediv__(self, other):
        other = self.lift(other)
        return NotImplemented if other is None else self._quotient_of(self, other)

    def __rtruediv__(self, other):
        other = self.lift(other)
        return NotImplemented if other is None else self._quotient_of(other, self)

    def __pow__(self, power):
        if not isinstance(power, (Real, np.number)):
            return NotImplemented
        return self.result(self.data ** float(power), self, power, rule=pow_deriv, name="PowBackward")

    def __neg__(self):
        return self.result(-self.data, self, rule=neg_deriv, name="NegBackward")


class MyTensor(Arithmetic):
    """An n-dimensional array that can record the operations it takes part in."""

    __slots__ = ("__weakref__",)

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        super().__init__(data, dtype, requires_grad, crossOpBack)

    def __repr__(self):
        values = np.array2string(self.data, separator=", ")
        return f"{type(self).__name__}({values}, requires_grad={self.requires_grad})"

    def __str__(self):
        return self.__repr__()


def unbroadcast(gradient, shape):
    """Undo broadcasting: sum `gradient` over the axes that were stretched, down to `shape`."""
    gradient = np.asarray(gradient)
    missing = gradient.ndim - len(shape)
    gradient = gradient.sum(axis=tuple(range(missing)))
    stretched = tuple(axis for axis, length in enumerate(shape) if length == 1 and gradient.shape[axis] != 1)
    return gradient.sum(axis=stretched, keepdims=True)


def add_deriv(base, *tensors):
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(base, right.shape)


def sub_deriv(base, *tensors):
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(np.negative(base), right.shape)


def mul_deriv(base, *tensors):
    left, right = tensors
    return unbroadcast(right.data * base, left.shape), unbroadcast(left.data * base, right.shape)


def div_deriv(base, *tensors):
    left, right = tensors
    inverse = 1.0 / right.data
    return unbroadcast(base * inverse, left.shape), unbroadcast(-base * left.data * inverse**2, right.shape)


def pow_deriv(base, *args):
    x, power = args
    if power == 0:
        return np.zeros(x.shape), None
    return power * x.data ** float(power - 1) * base, None


def neg_deriv(base, *tensors):
    return (np.negative(base),)


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

    def _collect(self, found):
        for parameter in self.__parameters.values():
            found.setdefault(id(parameter), parameter)
        for module in self.__sub_modules.values():
            module._collect(found)
        return found

    def parameters(self):
        """All parameters of this module and of the modules in it, each one once."""
        return list(self._collect({}).values())


def matmul_deriv(base, *tensors):
    left, right = tensors
    single = left.data.ndim == 1
    rows, upstream = (left.data[np.newaxis], base[np.newaxis]) if single else (left.data, base)
    return (upstream @ right.data.T).reshape(left.shape), rows.T @ upstream


def matmul(a, b):
    """The matrix product of a, (n, k) or (k,), and b, (k, m), recorded when one of them requires a gradient."""
    return MyTensor.result(a.data @ b.data, a, b, rule=matmul_deriv, name="MatmulBackward")


class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, input_size, output_size):
        super().__init__()
        self._sizes = input_size, output_size
        self.weight = self._initial_weight()
        self.bias = self._initial_bias()

    def _initial_weight(self):
        deviation = np.sqrt(2 / self._sizes[0])  # He's
        return Parameter(MyTensor(np.random.normal(0, deviation, self._sizes)))

    def _initial_bias(self):
        return Parameter(MyTensor(np.zeros(self._sizes[1])))

    def forward(self, x):
        return matmul(x, self.weight.tensor) + self.bias.tensor


def relu_deriv(base, *tensors):
    (x,) = tensors
    gradient = np.array(base, dtype=float)
    gradient[x.data <= 0] = 0
    return (gradient,)


def relu(x):
    """max(x, 0), element by element"""
    values = x.data.copy()
    values[values < 0] = 0
    return MyTensor.result(values, x, rule=relu_deriv, name="ReluBackward")


class ReLU(MyModule):
    """The relu function as a module: it has no parameters. (Given.)"""

    def __init__(self):
        super().__init__()

    def forward(self, x):
        return relu(x)


class Optimizer(ABC):
    """Holds the parameters; how to move one of them is up to the subclass."""

    def __init__(self, parameters):
        self.params = list(parameters)

    @property
    def moving(self):
        return [p.tensor for p in self.params if p.tensor.grad is not None]

    def zero_grad(self):
        """Forget the gradients: set the grad of every parameter to None."""
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        """Move every parameter that has a gradient a little downhill, in place."""
        for tensor in self.moving:
            values = tensor.data
            values += self.change(tensor.grad)

    @abstractmethod
    def change(self, gradient): ...


class SGD(Optimizer):
    """Stochastic gradient descent."""

    def __init__(self, parameters, lr=1e-2):
        super().__init__(parameters)
        self.lr = lr

    def change(self, gradient):
        return -self.lr * gradient


def sum_deriv(base, *args):
    x, axis = args
    if axis is not None:
        base = np.expand_dims(base, axis)
    return base * np.ones_like(x.data), None


def sum(x, axis=None):
    return MyTensor.result(x.data.sum(axis=axis), x, axis, rule=sum_deriv, name="SumBackward")


class Loss(ABC):
    @abstractmethod
    def error(self, y, y_target): ...

    def __call__(self, y, y_target):
        errors = self.error(y, y_target)
        return sum(errors) / errors.size


class MSELoss(Loss):
    """Mean squared error."""

    def error(self, y, y_target):
        return (y - y_target) ** 2


class SuperModel(MyModule):
    """Maps a batch of images, shape (n, 64), to one score per digit, shape (n, 10)."""

    def __init__(self):
        super().__init__()
        self.hidden = Linear(64, 32)
        self.relu = ReLU()
        self.output = Linear(32, 10)

    def forward(self, x):
        return self.output(self.relu(self.hidden(x)))


class Trainer:
    """What one training needs, and what it has seen."""

    def __init__(self, model, images, targets, batch_size, lr):
        self._model = model
        self._images = images
        self._targets = targets
        self._batch_size = batch_size
        self._loss_function = MSELoss()
        self._optimizer = SGD(model.parameters(), lr)
        self._losses = []

    @property
    def losses(self):
        return self._losses

    @property
    def count(self):
        return len(self._images)

    def step(self, rows):
        self._optimizer.zero_grad()
        loss = self._loss_function(self._model(MyTensor(self._images[rows])), MyTensor(self._targets[rows]))
        loss.backward()
        self._optimizer.step()
        return float(loss.data)

    def epoch(self):
        total = 0.0
        order = np.random.permutation(self.count)
        for start in range(0, self.count, self._batch_size):
            rows = order[start : start + self._batch_size]
            total += self.step(rows) * len(rows) / self.count
        self._losses.append(total)
        return total


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    """Train the model on mini-batches. Returns the mean loss of each epoch, over its examples."""
    trainer = Trainer(model, images, targets, batch_size, lr)
    for _ in tqdm(range(epochs), disable=True):
        loss = trainer.epoch()
        if live:
            live(loss)
    return trainer.losses
