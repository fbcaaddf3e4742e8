import numpy as np
import builtins
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False, init=False)
class MyCrossBackward:
    inputs: tuple
    rule: Any
    name: str

    def __init__(self, *args, backward_function, name):
        for key, value in dict(inputs=args, rule=backward_function, name=name).items():
            object.__setattr__(self, key, value)

    def __str__(self):
        return self.name

    def __call__(self, x):
        return self.run(x)

    def run(self, base):
        return self.rule(base, *self.inputs)


def unbroadcast(gradient, shape):
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    return gradient.sum(axis=tuple(np.flatnonzero(np.array(shape) == 1)), keepdims=True)


def folded(rule):
    return lambda base, *xs: tuple(unbroadcast(g, x.shape) for g, x in zip(rule(base, *xs), xs))


add_deriv = folded(lambda g, a, b: (g, g))
sub_deriv = folded(lambda g, a, b: (g, -g))
mul_deriv = folded(lambda g, a, b: (g * b.data, g * a.data))
div_deriv = folded(lambda g, a, b: (g / b.data, -g * a.data / b.data**2))
neg_deriv = lambda g, a: (-g,)
pow_deriv = lambda g, x, n: (g * n * x.data ** (n - 1) if n else np.zeros(x.shape), None)
relu_deriv = lambda g, x: (np.where(x.data > 0, g, 0),)
wrap = lambda x: x if isinstance(x, MyTensor) else MyTensor(x)
needs = lambda xs: [x for x in xs if isinstance(x, MyTensor) and x.requires_grad]


def matmul_deriv(base, *tensors):
    a, b = tensors
    g, rows = base.reshape(-1, b.shape[1]), a.data.reshape(-1, b.shape[0])
    return (g @ b.data.T).reshape(a.shape), np.einsum("nk,nm->km", rows, g)


def made(values, rule, name, *inputs):
    if not needs(inputs):
        return MyTensor(values)
    op = MyCrossBackward(*inputs, backward_function=rule, name=name + "Backward")
    return MyTensor(values, requires_grad=True, crossOpBack=op)


class MyTensor:
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if not isinstance(data, (list, tuple, np.ndarray, np.number, int, float)):
            raise TypeError(type(data).__name__)
        if np.asarray(data).dtype.kind not in "biufc":
            raise TypeError("only numbers")
        self.__data = np.array(data, dtype=dtype)
        self.dtype, self.requires_grad = self.__data.dtype, requires_grad
        self.grad, self.backward_op = None, crossOpBack

    data = property(lambda self: self.__data)
    shape = property(lambda self: self.__data.shape)
    strides = property(lambda self: self.__data.strides)
    size = property(lambda self: self.__data.size)
    __repr__ = lambda self: f"MyTensor({self.data}, requires_grad={self.requires_grad})"
    __getitem__ = lambda self, index: self.data[index]
    __setitem__ = lambda self, index, value: self.data.__setitem__(index, value)
    __neg__ = lambda a: made(-a.data, neg_deriv, "Neg", a)
    __pow__ = lambda a, n: made(a.data**n, pow_deriv, "Pow", a, n)
    __add__ = lambda a, b: made(a.data + (b := wrap(b)).data, add_deriv, "Add", a, b)
    __sub__ = lambda a, b: made(a.data - (b := wrap(b)).data, sub_deriv, "Sub", a, b)
    __mul__ = lambda a, b: made(a.data * (b := wrap(b)).data, mul_deriv, "Mul", a, b)
    __truediv__ = lambda a, b: made(a.data / (b := wrap(b)).data, div_deriv, "Div", a, b)
    __radd__ = lambda a, b: wrap(b) + a
    __rsub__ = lambda a, b: wrap(b) - a
    __rmul__ = lambda a, b: wrap(b) * a
    __rtruediv__ = lambda a, b: wrap(b) / a

    def backward(self, base=None):
        if not self.requires_grad:
            return
        if base is None:
            upstream = np.ones(self.shape, self.dtype)
        else:
            upstream = base.data if isinstance(base, MyTensor) else np.asarray(base, self.dtype)
            if upstream.shape != self.shape:
                raise ValueError(f"base has shape {upstream.shape}")
        sums = {}
        for node in topological(self):
            g = sums.pop(node, upstream)
            if node.backward_op is None:
                node.grad = np.array(g if node.grad is None else node.grad + g)
                continue
            for child, share in zip(node.backward_op.inputs, node.backward_op.run(g)):
                if needs([child]):
                    sums[child] = sums.get(child, 0) + share


def topological(result):
    """From the result to the leaves, each tensor after all that use it."""
    users, found = {result: 0}, [result]
    for node in found:  # grows while it is walked
        for child in needs(node.backward_op.inputs if node.backward_op else ()):
            if child not in users:
                found.append(child)
            users[child] = users.get(child, 0) + 1
    ready = [result]
    while ready:
        node = ready.pop()
        yield node
        for child in needs(node.backward_op.inputs if node.backward_op else ()):
            users[child] -= 1
            if not users[child]:
                ready.append(child)


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
            raise RuntimeError(f"call super().__init__() before setting {name}")
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
        below = [p for m in self.__sub_modules.values() for p in m.parameters()]
        return list({id(p): p for p in [*self.__parameters.values(), *below]}.values())


def matmul(a, b):
    return made(a.data @ b.data, matmul_deriv, "MatMul", a, b)


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        super().__init__()
        bound = 1 / np.sqrt(input_size)
        self.weight = Parameter(MyTensor(np.random.uniform(-bound, bound, (input_size, output_size))))
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x):
        return matmul(x, self.weight.tensor) + self.bias.tensor


def relu(x):
    return made(np.maximum(x.data, 0), relu_deriv, "Relu", x)


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
        for t in (p.tensor for p in self.params):
            t.grad = None

    def step(self):
        for t in [p.tensor for p in self.params if p.tensor.grad is not None]:
            t[...] -= self.lr * t.grad


def sum_deriv(base, *args):
    x, axis = args
    return np.ones(x.shape) * (base if axis is None else np.expand_dims(base, axis)), None


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
        return sum((y - y_target) ** 2) / np.prod(y.shape)


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    losses = []
    loss_function = MSELoss()
    optimizer = SGD(model.parameters(), lr)
    for _ in range(epochs):
        order, weighted = np.random.permutation(len(images)), []
        for start in range(0, len(images), batch_size):
            rows = order[start : start + batch_size]
            optimizer.zero_grad()
            loss = loss_function(model(MyTensor(images[rows])), MyTensor(targets[rows]))
            loss.backward()
            optimizer.step()
            weighted.append(loss.data * len(rows))
        losses.append(float(np.sum(weighted)) / len(images))
        if live:
            live(losses[-1])
    return losses


class SuperModel(MyModule):
    def __init__(self):
        super().__init__()
        self.hidden, self.relu, self.output = Linear(64, 40), ReLU(), Linear(40, 10)

    def forward(self, x):
        return self.output(self.relu(self.hidden(x)))
