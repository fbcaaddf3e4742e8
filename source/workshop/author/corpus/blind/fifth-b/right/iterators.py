import numpy as np
import builtins
import heapq
import itertools
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator


class MyTensor:
    """Tensors are numbered as they are made: a result has a higher number than its inputs."""

    __numbers = itertools.count()

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        numeric = (int, float, np.number)
        if not isinstance(data, (list, tuple, np.ndarray) + numeric):
            raise TypeError(f"cannot make a tensor of {data!r}")
        self.__data = np.array(data, dtype=dtype)
        self.dtype = self.__data.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack
        self.number = next(MyTensor.__numbers)

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
        return f"MyTensor({self.__data}, requires_grad={self.requires_grad})"

    def __getitem__(self, index):
        return self.__data[index]

    def __setitem__(self, index, value):
        self.__data[index] = value

    __array_ufunc__ = None

    def __add__(self, other):
        return ADD.apply(self, other)

    def __radd__(self, other):
        return ADD.apply(other, self)

    def __sub__(self, other):
        return SUB.apply(self, other)

    def __rsub__(self, other):
        return SUB.apply(other, self)

    def __mul__(self, other):
        return MUL.apply(self, other)

    def __rmul__(self, other):
        return MUL.apply(other, self)

    def __truediv__(self, other):
        return DIV.apply(self, other)

    def __rtruediv__(self, other):
        return DIV.apply(other, self)

    def __pow__(self, power):
        return POW.record(self.data**power, self, power)

    def __neg__(self):
        return NEG.record(-self.data, self)

    def inputs(self) -> Iterator[tuple["MyTensor", int]]:
        """The inputs that want a gradient, each with its place."""
        if self.backward_op is not None:
            for place, tensor in enumerate(self.backward_op.inputs):
                if isinstance(tensor, MyTensor) and tensor.requires_grad:
                    yield tensor, place

    def backward(self, base=None):
        if not self.requires_grad:
            return
        if base is None:
            upstream = np.ones(self.shape, self.dtype)
        else:
            upstream = base.data if isinstance(base, MyTensor) else np.asarray(base, self.dtype)
            if upstream.shape != self.shape:
                raise ValueError(f"base has shape {upstream.shape}, this tensor {self.shape}")
        walk = Walk()
        walk.arrive(self, upstream)
        for tensor, gradient in walk:
            if tensor.backward_op is None:
                total = gradient if tensor.grad is None else tensor.grad.data + gradient
                tensor.grad = MyTensor(np.asarray(total))
            else:
                shares = tensor.backward_op(gradient)
                for source, place in tensor.inputs():
                    walk.arrive(source, shares[place])


@dataclass
class Walk:
    """Gives out tensors from the youngest to the oldest, so each after all that was made of it."""

    arrived: dict[int, Any] = field(default_factory=dict)
    waiting: list = field(default_factory=list)

    def arrive(self, tensor, gradient):
        key = -tensor.number
        if key in self.arrived:
            self.arrived[key] = self.arrived[key] + gradient
        else:
            self.arrived[key] = gradient
            heapq.heappush(self.waiting, (key, tensor))

    def __iter__(self):
        while self.waiting:
            key, tensor = heapq.heappop(self.waiting)
            yield tensor, self.arrived.pop(key)


class MyCrossBackward:
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
            raise TypeError(f"the rule of {self} must return a tuple, one gradient for each input")
        return gradients


def stretched(long: tuple, short: tuple) -> Iterator[int]:
    """The axes along which broadcasting has repeated, seen from the right."""
    for axis in range(-len(long), 0):
        if -axis > len(short) or short[axis] == 1:
            yield axis


def unbroadcast(gradient, shape):
    axes = tuple(stretched(np.shape(gradient), shape))
    return np.sum(gradient, axis=axes, keepdims=True).reshape(shape)


def add_deriv(base, *tensors):
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(base, right.shape)


def sub_deriv(base, *tensors):
    left, right = tensors
    return unbroadcast(base, left.shape), -unbroadcast(base, right.shape)


def mul_deriv(base, *tensors):
    return tuple(
        unbroadcast(base * other.data, one.shape) for one, other in zip(tensors, reversed(tensors))
    )


def div_deriv(base, *tensors):
    left, right = tensors
    inverse = 1 / right.data
    return (
        unbroadcast(base * inverse, left.shape),
        unbroadcast(-base * left.data * inverse * inverse, right.shape),
    )


def pow_deriv(base, *args):
    tensor, power = args
    slope = np.zeros(tensor.shape) if power == 0 else power * tensor.data ** (power - 1)
    return base * slope, None


def neg_deriv(base, *tensors):
    return (-base,)


@dataclass(frozen=True)
class Operation:
    """Values and rule of an operation."""

    name: str
    values: Callable | None
    rule: Callable

    def apply(self, left, right):
        left, right = (t if isinstance(t, MyTensor) else MyTensor(t) for t in (left, right))
        return self.record(self.values(left.data, right.data), left, right)

    def record(self, values, *inputs):
        wanted = any(t.requires_grad for t in inputs if isinstance(t, MyTensor))
        op = MyCrossBackward(*inputs, backward_function=self.rule, name=self.name + "Backward")
        return MyTensor(values, requires_grad=wanted, crossOpBack=op if wanted else None)


ADD = Operation("Add", np.add, add_deriv)
SUB = Operation("Sub", np.subtract, sub_deriv)
MUL = Operation("Mul", np.multiply, mul_deriv)
DIV = Operation("Div", np.divide, div_deriv)
POW = Operation("Pow", None, pow_deriv)
NEG = Operation("Neg", None, neg_deriv)


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
        owned = isinstance(value, (Parameter, MyModule))
        if owned and "_MyModule__sub_modules" not in self.__dict__:
            where = f"{type(self).__name__}.__init__"
            raise RuntimeError(f"call super().__init__() in {where} before setting {name}")
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

    def each_parameter(self):
        yield from self.__parameters.values()
        for module in self.__sub_modules.values():
            yield from module.each_parameter()

    def parameters(self):
        once = {id(parameter): parameter for parameter in self.each_parameter()}
        return list(once.values())


def matmul_deriv(base, *tensors):
    left, right = tensors
    toward_left = np.einsum("...m,km->...k", base, right.data)
    toward_right = np.einsum("nk,nm->km", np.atleast_2d(left.data), np.atleast_2d(base))
    return toward_left, toward_right


MATMUL = Operation("Matmul", np.matmul, matmul_deriv)


def matmul(a, b):
    return MATMUL.apply(a, b)


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        super().__init__()
        bound = input_size**-0.5
        self.weight = Parameter(
            MyTensor(np.random.uniform(-bound, bound, (input_size, output_size)))
        )
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x):
        product = matmul(x, self.weight.tensor)
        return product + self.bias.tensor


def relu_deriv(base, x):
    return (np.where(x.data > 0, base, 0),)


RELU = Operation("Relu", None, relu_deriv)


def relu(x):
    return RELU.record(np.maximum(x.data, 0), x)


class ReLU(MyModule):
    def __init__(self):
        super().__init__()

    def forward(self, x):
        return relu(x)


class SGD:
    def __init__(self, parameters, lr=1e-2):
        self.lr = lr
        self.params = list(parameters)

    def with_gradient(self):
        for parameter in self.params:
            if parameter.tensor.grad is not None:
                yield parameter.tensor

    def zero_grad(self):
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        for tensor in self.with_gradient():
            data = tensor.data
            data -= self.lr * tensor.grad.data


def sum_deriv(base, *args):
    x, axis = args
    if axis is not None:
        base = np.expand_dims(base, axis)
    return base + np.zeros(x.shape), None


def sum(x, axis=None):
    if not isinstance(x, MyTensor):
        return builtins.sum(x) if axis is None else builtins.sum(x, axis)
    result = x.data.sum(axis=axis)
    if x.requires_grad:
        op = MyCrossBackward(x, axis, backward_function=sum_deriv, name="SumBackward")
        return MyTensor(result, requires_grad=True, crossOpBack=op)
    return MyTensor(result)


class MSELoss:
    def __call__(self, y, y_target):
        error = y - y_target
        return sum(error * error) / error.size


def mini_batches(count, batch_size):
    """Row numbers in a new random order, in portions."""
    order = iter(np.random.permutation(count))
    while batch := list(itertools.islice(order, batch_size)):
        yield batch


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    losses = []
    loss_function = MSELoss()
    optimizer = SGD(model.parameters(), lr)

    def one_step(rows):
        optimizer.zero_grad()
        y = model(MyTensor(images[rows]))
        loss = loss_function(y, MyTensor(targets[rows]))
        loss.backward()
        optimizer.step()
        return len(rows) * float(loss.data)

    for _ in range(epochs):
        total = builtins.sum(one_step(rows) for rows in mini_batches(len(images), batch_size))
        losses.append(total / len(images))
        if live:
            live(losses[-1])
    return losses


class SuperModel(MyModule):
    def __init__(self):
        super().__init__()
        self.hidden = Linear(64, 40)
        self.relu = ReLU()
        self.output = Linear(40, 10)

    def forward(self, x):
        for layer in (self.hidden, self.relu, self.output):
            x = layer(x)
        return x
