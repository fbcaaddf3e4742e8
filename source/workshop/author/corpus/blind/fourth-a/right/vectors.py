# NumPy all the way: ufuncs, einsum, and one flat buffer in which np.add.at collects all gradients.
from typing import Any

import numpy as np


class Operation:
    """What made a tensor: the inputs, and a rule (upstream gradient, *arrays) -> shares, not yet unbroadcast."""

    def __init__(self, rule, *inputs):
        self.rule = rule
        self.inputs = inputs

    def __str__(self):
        return self.rule.__name__

    def __call__(self, upstream):
        return self.rule(upstream, *(tensor.data for tensor in self.inputs))


class MyTensor:
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if not isinstance(data, (list, tuple, np.ndarray, np.number, np.bool_, int, float)):
            raise TypeError(f"not a number, list or array: {type(data).__name__}")
        plain = np.asarray(data)
        if not np.can_cast(plain.dtype, np.complex128):
            raise TypeError(f"not numbers: {plain.dtype}")
        if dtype is None and plain.dtype.kind in "iub":
            dtype = np.float64
        self.__data = np.array(plain, dtype=dtype)
        self.dtype = self.__data.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack
        self.depth = 0  # the length of the longest way to a leaf
        if crossOpBack is not None:
            self.depth = 1 + max(tensor.depth for tensor in crossOpBack.inputs)

    @property
    def data(self):
        return self.__data

    @property
    def shape(self):
        return np.shape(self.__data)

    @property
    def strides(self):
        return self.__data.strides

    @property
    def size(self):
        return np.size(self.__data)

    def __repr__(self):
        return f"MyTensor({np.array_repr(self.__data)}, requires_grad={self.requires_grad})"

    def __getitem__(self, index):
        return np.copy(self.__data[index])[()]

    def __setitem__(self, index, value):
        self.__data[index] = value

    def __binary(self, other, ufunc, rule, flip=False):
        if not isinstance(other, MyTensor):
            if not isinstance(other, (int, float, np.number, np.ndarray)):
                return NotImplemented
            other = MyTensor(other)
        left, right = (other, self) if flip else (self, other)
        return record(ufunc(left.data, right.data), rule, left, right)

    def __add__(self, other):
        return self.__binary(other, np.add, add_deriv)

    def __radd__(self, other):
        return self.__binary(other, np.add, add_deriv, True)

    def __sub__(self, other):
        return self.__binary(other, np.subtract, sub_deriv)

    def __rsub__(self, other):
        return self.__binary(other, np.subtract, sub_deriv, True)

    def __mul__(self, other):
        return self.__binary(other, np.multiply, mul_deriv)

    def __rmul__(self, other):
        return self.__binary(other, np.multiply, mul_deriv, True)

    def __truediv__(self, other):
        return self.__binary(other, np.divide, div_deriv)

    def __rtruediv__(self, other):
        return self.__binary(other, np.divide, div_deriv, True)

    def __pow__(self, power):
        if not isinstance(power, (int, float, np.number)):
            return NotImplemented
        power = float(power)

        def pow_deriv(g, x):
            if power == 0.0:
                return (np.zeros_like(g),)
            return (np.multiply(g, power * np.power(x, power - 1.0)),)

        return record(np.power(self.__data, power), pow_deriv, self)

    def __neg__(self):
        return record(np.negative(self.__data), neg_deriv, self)

    def backward(self, base=None):
        if not self.requires_grad:
            return
        upstream = np.ones(self.shape) if base is None else np.asarray(base.data)

        met = {id(self): 0}
        tensors = [self]
        for tensor in tensors:  # grows as we go
            for source in tensor.backward_op.inputs if tensor.backward_op else ():
                if source.requires_grad and id(source) not in met:
                    met[id(source)] = len(tensors)
                    tensors.append(source)

        ends = np.cumsum([tensor.size for tensor in tensors])
        buffer = np.zeros(ends[-1])
        buffer[: self.size] = np.ravel(upstream)
        depths = np.array([tensor.depth for tensor in tensors])
        for i in np.argsort(-depths, kind="stable"):  # results before their operands
            tensor = tensors[i]
            gradient = buffer[ends[i] - tensor.size : ends[i]].reshape(tensor.shape)
            if tensor.backward_op is None:
                old = np.zeros(tensor.shape) if tensor.grad is None else tensor.grad
                tensor.grad = np.array(np.add(old, gradient))
                continue
            for source, share in zip(tensor.backward_op.inputs, tensor.backward_op(gradient)):
                if source.requires_grad:
                    end = ends[met[id(source)]]
                    slots = np.arange(end - source.size, end).reshape(source.shape)
                    gather(buffer, slots, share)


def gather(buffer, slots, share):
    """Add each number of `share` to its slot. Where broadcasting repeated a slot, add.at adds repeatedly."""
    everywhere = np.broadcast_shapes(slots.shape, np.shape(share))
    np.add.at(buffer, np.broadcast_to(slots, everywhere), share)


def unbroadcast(gradient, shape):
    result = np.zeros(shape)
    slots = np.arange(result.size).reshape(shape)
    gather(result.reshape(-1), slots, gradient)
    return result


def record(values, rule, *inputs):
    if any(tensor.requires_grad for tensor in inputs):
        return MyTensor(values, requires_grad=True, crossOpBack=Operation(rule, *inputs))
    return MyTensor(values)


def add_deriv(g, left, right):
    return g, g


def sub_deriv(g, left, right):
    return g, np.negative(g)


def mul_deriv(g, left, right):
    return np.multiply(g, right), np.multiply(g, left)


def div_deriv(g, left, right):
    inverse = np.reciprocal(right, dtype=np.float64)
    return np.multiply(g, inverse), -g * left * inverse**2


def neg_deriv(g, x):
    return (np.negative(g),)


class Parameter:
    """A tensor that training changes. (Given.)"""

    def __init__(self, tensor: MyTensor) -> None:
        if not np.issubdtype(tensor.data.dtype, np.floating):  # small steps would be lost in integers
            tensor = MyTensor(tensor.data, dtype=np.float64)
        self.tensor: MyTensor = tensor
        self.tensor.requires_grad = True
        self.__name: str | None = None

    @property
    def name(self) -> str | None:
        return self.__name

    @name.setter
    def name(self, x: str) -> None:
        self.__name = x


class MyModule:
    """A part of a network: it owns parameters and smaller modules, and computes with them."""

    def __init__(self) -> None:
        self.__parameters: dict[str, Parameter] = {}
        self.__sub_modules: dict[str, MyModule] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        """Called by Python for every `self.name = value`: register parameters and sub-modules. (Given.)"""
        if isinstance(value, (Parameter, MyModule)) and "_MyModule__sub_modules" not in self.__dict__:
            raise RuntimeError(f"call super().__init__() in {type(self).__name__}.__init__ before setting {name}")
        # What stood under this name before is registered no longer.
        self.__dict__.get("_MyModule__parameters", {}).pop(name, None)
        self.__dict__.get("_MyModule__sub_modules", {}).pop(name, None)
        if isinstance(value, Parameter):
            value.name = value.name or name  # a shared parameter keeps its first name
            self.__parameters[name] = value
        elif isinstance(value, MyModule) and value is not self:
            self.__sub_modules[name] = value
        super().__setattr__(name, value)

    def __call__(self, x: Any) -> Any:
        """`module(x)` is `module.forward(x)`, which the subclass defines."""
        return self.forward(x)

    def parameters(self) -> list[Parameter]:
        """All parameters of this module and of the modules in it, each one once."""
        found: dict[int, Parameter] = {id(p): p for p in self.__parameters.values()}
        for module in self.__sub_modules.values():
            found |= {id(p): p for p in module.parameters()}
        return list(found.values())


def contract(spec, a, b):
    """einsum of two tensors, recorded. Its derivatives are einsums, too: the letters change places."""
    inner, outer = spec.split("->")
    first, second = inner.split(",")

    def contract_deriv(g, x, y):
        to_first = np.einsum(f"{outer},{second}->{first}", g, y)
        to_second = np.einsum(f"{first},{outer}->{second}", x, g)
        return to_first, to_second

    return record(np.einsum(spec, a.data, b.data), contract_deriv, a, b)


def matmul(a, b):
    return contract("k,km->m" if len(a.shape) == 1 else "nk,km->nm", a, b)


class Linear(MyModule):
    """y = x @ weight.T + bias: the weight has a row for each unit."""

    def __init__(self, input_size, output_size):
        super().__init__()
        bound = np.reciprocal(np.sqrt(float(input_size)))
        self.weight = Parameter(MyTensor(np.random.uniform(-bound, bound, size=(output_size, input_size))))
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x):
        spec = "i,oi->o" if len(x.shape) == 1 else "ni,oi->no"
        return contract(spec, x, self.weight.tensor) + self.bias.tensor


def relu_deriv(g, x):
    return (np.multiply(g, np.heaviside(x, 0.0)),)


def relu(x):
    return record(np.maximum(x.data, 0.0), relu_deriv, x)


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
            if parameter.tensor.grad is not None:
                parameter.tensor.data[...] -= np.multiply(self.lr, parameter.tensor.grad)


def sum(x, axis=None):
    kept = np.sum(x.data, axis=axis, keepdims=True).shape

    def sum_deriv(g, x):
        return (np.broadcast_to(np.reshape(g, kept), x.shape),)

    return record(np.sum(x.data, axis=axis), sum_deriv, x)


class MSELoss:
    def __call__(self, y, y_target):
        error = y - y_target
        return sum(error * error) / np.prod(error.shape, dtype=float)


class SuperModel(MyModule):
    def __init__(self):
        super().__init__()
        self.hidden = Linear(64, 64)
        self.output = Linear(64, 10)
        self.relu = ReLU()

    def forward(self, x):
        return self.output(self.relu(self.hidden(x)))


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    n = len(images)
    loss_function, optimizer = MSELoss(), SGD(model.parameters(), lr=lr)
    losses = []
    for _ in range(epochs):
        batches = np.split(np.random.permutation(n), np.arange(batch_size, n, batch_size))
        values = np.empty(len(batches))
        for i, rows in enumerate(batches):
            optimizer.zero_grad()
            y = model(MyTensor(np.take(images, rows, axis=0)))
            loss = loss_function(y, MyTensor(np.take(targets, rows, axis=0)))
            loss.backward()
            optimizer.step()
            values[i] = loss.data
        losses.append(float(np.average(values, weights=[len(rows) for rows in batches])))
        if live:
            live(losses[-1])
    return losses
