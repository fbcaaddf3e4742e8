"""A tape: every result is written on one global tape, which backward plays in reverse order of creation."""
import itertools
import sys
import weakref

import numpy as np
from tqdm import tqdm

TAPE = weakref.WeakValueDictionary()  # number of the recording -> result; forgets what nobody holds any more
COUNTER = itertools.count()


class MyCrossBackward:
    def __init__(self, *args, backward_function, name):
        self.inputs = args
        self.rule = backward_function
        self.name = name

    def __str__(self):
        return self.name

    def __call__(self, x):
        return self.run(x)

    def run(self, base):
        return self.rule(base, *self.inputs)


class MyTensor:
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        allowed = (list, tuple, np.ndarray, np.number, int, float)
        if isinstance(data, bool) or not isinstance(data, allowed):
            raise TypeError(f"MyTensor needs numbers, not {data!r}")
        self.__data = np.array(data, dtype=dtype)
        if self.__data.dtype.kind not in ("i", "u", "f", "b"):
            raise TypeError(f"MyTensor needs numbers, not {self.__data.dtype}")
        if requires_grad and self.__data.dtype.kind != "f":
            self.__data = self.__data.astype(float)
        self.dtype = self.__data.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack
        self.position = -1
        if crossOpBack is not None:
            self.position = next(COUNTER)
            TAPE[self.position] = self

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
        values = np.array2string(self.__data, separator=", ")
        return f"MyTensor({values}, requires_grad={self.requires_grad})"

    def __str__(self):
        return repr(self)

    def __getitem__(self, i):
        return self.__data[i]

    def __setitem__(self, i, value):
        if self.requires_grad:
            raise RuntimeError("no writing into a tensor that requires a gradient")
        self.__data[i] = value

    def __add__(self, other):
        return binary("+", self, other)

    def __radd__(self, other):
        return binary("+", other, self)

    def __sub__(self, other):
        return binary("-", self, other)

    def __rsub__(self, other):
        return binary("-", other, self)

    def __mul__(self, other):
        return binary("*", self, other)

    def __rmul__(self, other):
        return binary("*", other, self)

    def __truediv__(self, other):
        return binary("/", self, other)

    def __rtruediv__(self, other):
        return binary("/", other, self)

    def __neg__(self):
        return record(-self.__data, neg_deriv, "NegBackward", self)

    def __pow__(self, power):
        return record(self.__data**power, pow_deriv, "PowBackward", self, power)

    def backward(self, base=None):
        if not self.requires_grad:
            return
        flowing = {self: np.ones(self.shape) if base is None else 1.0 * base.data}
        for number in sorted(TAPE.keys(), reverse=True):
            if number > self.position:
                continue
            result = TAPE.get(number)
            if result is None or result not in flowing:
                continue
            shares = result.backward_op(flowing.pop(result))
            for source, share in zip(result.backward_op.inputs, shares):
                if share is not None and isinstance(source, MyTensor) and source.requires_grad:
                    if source in flowing:
                        flowing[source] = flowing[source] + share
                    else:
                        flowing[source] = share
        # what is left has come from no operation
        for leaf, gradient in flowing.items():
            before = 0 if leaf.grad is None else leaf.grad
            leaf.grad = before + np.asarray(gradient)
            leaf.grad = np.asarray(leaf.grad)


def record(values, rule, name, *inputs):
    """A tensor with these values, on the tape if one of the inputs requires a gradient."""
    for item in inputs:
        if isinstance(item, MyTensor) and item.requires_grad:
            op = MyCrossBackward(*inputs, backward_function=rule, name=name)
            return MyTensor(values, requires_grad=True, crossOpBack=op)
    return MyTensor(values)


def binary(sign, left, right):
    left = left if isinstance(left, MyTensor) else MyTensor(left)
    right = right if isinstance(right, MyTensor) else MyTensor(right)
    if sign == "+":
        return record(left.data + right.data, add_deriv, "AddBackward", left, right)
    if sign == "-":
        return record(left.data - right.data, sub_deriv, "SubBackward", left, right)
    if sign == "*":
        return record(left.data * right.data, mul_deriv, "MulBackward", left, right)
    return record(left.data / right.data, div_deriv, "DivBackward", left, right)


def unbroadcast(gradient, shape):
    gradient = np.asarray(gradient)
    while gradient.ndim > len(shape):
        gradient = gradient.sum(axis=0)
    axis = 0
    for length in shape:
        if length == 1 and gradient.shape[axis] > 1:
            gradient = gradient.sum(axis=axis, keepdims=True)
        axis += 1
    return gradient


def add_deriv(base, left, right):
    return unbroadcast(base, left.shape), unbroadcast(base, right.shape)


def sub_deriv(base, left, right):
    return unbroadcast(base, left.shape), unbroadcast(base * -1, right.shape)


def mul_deriv(base, left, right):
    for_left = base * right.data
    for_right = base * left.data
    return unbroadcast(for_left, left.shape), unbroadcast(for_right, right.shape)


def div_deriv(base, left, right):
    for_left = base * (1 / right.data)
    for_right = base * (-left.data / np.square(right.data))
    return unbroadcast(for_left, left.shape), unbroadcast(for_right, right.shape)


def neg_deriv(base, tensor):
    return (0 - base,)


def pow_deriv(base, tensor, power):
    if power == 0:
        return base * 0.0, None
    return base * tensor.data ** (power - 1) * power, None


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
        collected = []
        known = set()
        modules = [self]
        visited = set()
        while modules:
            module = modules.pop()
            if id(module) in visited:
                continue
            visited.add(id(module))
            for parameter in module.__parameters.values():
                if id(parameter) not in known:
                    known.add(id(parameter))
                    collected.append(parameter)
            modules.extend(reversed(list(module.__sub_modules.values())))
        return collected


def matmul_deriv(base, left, right):
    if left.data.ndim == 1:
        return right.data @ base, left.data[:, None] * base[None, :]
    return base @ right.data.T, left.data.T @ base


def matmul(a, b):
    return record(a.data @ b.data, matmul_deriv, "MatmulBackward", a, b)


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        super().__init__()
        high = 1.0 / input_size**0.5
        self.weight = Parameter(MyTensor(np.random.uniform(low=-high, high=high, size=(input_size, output_size))))
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x):
        xw = matmul(x, self.weight.tensor)
        return xw + self.bias.tensor


def relu(x):
    return record(np.where(x.data < 0, 0, x.data), relu_deriv, "ReluBackward", x)


def relu_deriv(base, x):
    kept = np.zeros(x.shape)
    kept[x.data > 0] = 1.0
    return (kept * base,)


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
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        for parameter in self.params:
            tensor = parameter.tensor
            if tensor.grad is None:
                continue
            array = tensor.data
            array[...] = array - self.lr * tensor.grad


def sum_deriv(base, x, axis):
    if axis is not None:
        axes = (axis,) if isinstance(axis, int) else tuple(axis)
        axes = [a % x.data.ndim for a in axes]
        base = base.reshape([1 if i in axes else n for i, n in enumerate(x.shape)])
    return base * np.ones(x.shape), None


def sum(x, axis=None):
    return record(x.data.sum(axis=axis), sum_deriv, "SumBackward", x, axis)


class MSELoss:
    def __call__(self, y, y_target):
        count = y.size
        return sum((y - y_target) ** 2) / count


class SuperModel(MyModule):
    def __init__(self):
        super().__init__()
        self.layer1 = Linear(64, 64)
        self.relu1 = ReLU()
        self.layer2 = Linear(64, 10)

    def forward(self, x):
        for step in (self.layer1, self.relu1, self.layer2):
            x = step(x)
        return x


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    losses = []
    optimizer = SGD(model.parameters(), lr=lr)
    loss_function = MSELoss()
    progress = tqdm(range(epochs), file=sys.stdout, disable=live is not None)
    for epoch in progress:
        order = np.random.permutation(images.shape[0])
        parts = np.split(order, range(batch_size, len(order), batch_size))
        squared = 0.0
        for part in parts:
            inputs = MyTensor(images[part])
            answers = MyTensor(targets[part])
            loss = loss_function(model(inputs), answers)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            squared = squared + float(loss.data) * answers.size
        losses.append(squared / targets.size)
        progress.set_postfix(loss=losses[-1])
        if live:
            live(losses[-1])
    return losses
