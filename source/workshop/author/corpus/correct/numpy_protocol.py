# Style: NumPy's protocol. Operators made in a loop call ufuncs; __array_ufunc__ runs them by a table of rules.
from collections import namedtuple
from functools import partialmethod
from itertools import count
from operator import attrgetter

import numpy as np

# For each ufunc (or method of one), a rule per input: (gradient, result, *inputs, **options) -> the input's gradient,
# still in the shape of the result.
RULES = {
    np.add: (lambda g, y, a, b: g, lambda g, y, a, b: g),
    np.subtract: (lambda g, y, a, b: g, lambda g, y, a, b: -g),
    np.multiply: (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
    np.true_divide: (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * a / np.square(b)),
    # b * a ** (b - 1), but 0 for b = 0 also where a is 0
    np.float_power: (
        lambda g, y, a, b: g * np.where(b == 0, 0.0, b * np.float_power(a, np.where(b == 0, 1, b - 1))),
        lambda g, y, a, b: g * y * np.log(a),
    ),
    np.negative: (lambda g, y, a: -g,),
    np.positive: (lambda g, y, a: g,),
    np.square: (lambda g, y, a: 2 * g * a,),
    # A tie goes to the right: with a 0 there, this is what relu wants.
    np.maximum: (lambda g, y, a, b: g * (a > b), lambda g, y, a, b: g * (a <= b)),
    np.matmul: (
        lambda g, y, a, b: np.matmul(g, b.T),
        lambda g, y, a, b: np.matmul(np.atleast_2d(a).T, np.atleast_2d(g)),
    ),
    np.add.reduce: (lambda g, y, a, axis: np.broadcast_to(g, a.shape),),  # over all axes
}

BINARY = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "pow": np.float_power}
UNARY = {"neg": np.negative, "pos": np.positive}

Record = namedtuple("Record", "rules tensors values result options")


class MyTensor:
    __array_priority__ = 1000
    __made = count()

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if not isinstance(data, (list, tuple, np.ndarray, np.number, int, float)):
            raise TypeError(f"cannot make a tensor from {type(data)}")
        self._data = np.array(data, dtype=dtype)
        self._number = next(self.__made)
        self.dtype = self._data.dtype
        self.requires_grad = bool(requires_grad)
        self.grad = None
        self.backward_op = crossOpBack

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        """NumPy calls this for every ufunc that meets a tensor."""
        operation = ufunc if method == "__call__" else getattr(ufunc, method)
        if operation not in RULES or "out" in options:
            return NotImplemented
        values = [x.data if isinstance(x, MyTensor) else x for x in inputs]
        result = operation(*values, **options)
        requires = any(isinstance(x, MyTensor) and x.requires_grad for x in inputs)
        record = Record(RULES[operation], inputs, values, result, options) if requires else None
        return MyTensor(result, requires_grad=requires, crossOpBack=record)

    def _operator(self, ufunc, other):
        return ufunc(self, other)

    def _reflected(self, ufunc, other):
        return ufunc(other, self)

    def _unary(self, ufunc):
        return ufunc(self)

    def _attribute(self, name):
        return getattr(self._data, name)

    def __repr__(self):
        return f"MyTensor({self._data!s}, dtype={self.dtype}, requires_grad={self.requires_grad})"

    def __getitem__(self, index):
        return self._data[index]

    def __setitem__(self, index, value):
        self._data[index] = value

    def backward(self, base=None):
        if not self.requires_grad:
            return
        # A result always has a higher number than its inputs, so sorting by number is a topological order.
        reached, fringe = {self}, [self]
        while fringe:
            record = fringe.pop().backward_op
            inputs = record.tensors if record else ()
            new = {x for x in inputs if isinstance(x, MyTensor) and x.requires_grad} - reached
            reached |= new
            fringe += new
        gradients = {self: np.ones(self.shape) if base is None else np.array(base.data, dtype=np.float64)}
        for tensor in sorted(reached, key=attrgetter("_number"), reverse=True):
            gradient = gradients.pop(tensor)
            record = tensor.backward_op
            if record is None:
                before = 0 if tensor.grad is None else tensor.grad.data
                tensor.grad = MyTensor(before + gradient)
                continue
            for x, rule in zip(record.tensors, record.rules, strict=True):
                if isinstance(x, MyTensor) and x.requires_grad:
                    share = to_shape(rule(gradient, record.result, *record.values, **record.options), x.shape)
                    gradients[x] = gradients.get(x, 0) + share


for _name, _ufunc in BINARY.items():
    setattr(MyTensor, f"__{_name}__", partialmethod(MyTensor._operator, _ufunc))
    setattr(MyTensor, f"__r{_name}__", partialmethod(MyTensor._reflected, _ufunc))
for _name, _ufunc in UNARY.items():
    setattr(MyTensor, f"__{_name}__", partialmethod(MyTensor._unary, _ufunc))
for _name in ("shape", "strides", "size"):
    setattr(MyTensor, _name, property(lambda self, name=_name: self._attribute(name)))
MyTensor.data = property(lambda self: self._data)
RULES[np.power] = RULES[np.float_power]


def to_shape(gradient, shape):
    """Sum over the axes that broadcasting added or stretched."""
    padded = (1,) * (np.ndim(gradient) - len(shape)) + shape
    stretched = tuple(np.flatnonzero(np.not_equal(padded, np.shape(gradient))))
    return np.add.reduce(gradient, axis=stretched, keepdims=True).reshape(shape)


class Parameter:
    def __init__(self, tensor):
        self.tensor = tensor
        self.tensor.requires_grad = True
        self.name = None


class MyModule:
    def __init__(self):
        vars(self).update(_parameters={}, _modules={})

    def __setattr__(self, name, value):
        for kind, register in ((Parameter, self._parameters), (MyModule, self._modules)):
            register.pop(name, None)
            if isinstance(value, kind):
                register[name] = value
        if isinstance(value, Parameter):
            value.name = name
        vars(self)[name] = value

    def __delattr__(self, name):
        setattr(self, name, None)  # out of the registers
        super().__delattr__(name)

    def parameters(self):
        unique = dict.fromkeys(self._parameters.values())  # objects without __eq__ are compared by identity
        for module in self._modules.values():
            unique |= dict.fromkeys(module.parameters())
        return list(unique)

    def __call__(self, x):
        return self.forward(x)


def matmul(a, b):
    return np.matmul(a, b)


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        super().__init__()
        scale = 1 / np.sqrt(input_size)
        self.weight = Parameter(MyTensor(np.random.normal(0, scale, (input_size, output_size))))
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x):
        return np.add(np.matmul(x, self.weight.tensor), self.bias.tensor)


class ReLU(MyModule):
    def forward(self, x):
        return np.maximum(x, 0)


class SGD:
    def __init__(self, parameters, lr):
        self.parameters = [*parameters]
        self.lr = lr

    def zero_grad(self):
        for parameter in self.parameters:
            parameter.tensor.grad = None

    def step(self):
        for tensor in (parameter.tensor for parameter in self.parameters):
            if tensor.grad is not None:
                array = tensor.data
                array += -self.lr * tensor.grad.data


class MSELoss:
    def __call__(self, y, target):
        squares = np.square(y - target)
        return np.add.reduce(squares, axis=None) / squares.size


class SuperModel(MyModule):
    def __init__(self):
        super().__init__()
        self.layers = MyModule()
        self.layers.hidden = Linear(64, 32)
        self.layers.scores = Linear(32, 10)

    def forward(self, x):
        return self.layers.scores(np.maximum(self.layers.hidden(x), 0.0))


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    optimizer, loss_function = SGD(model.parameters(), lr), MSELoss()
    n = len(images)
    losses = np.zeros(epochs)
    for epoch in range(epochs):
        order = np.random.permutation(n)
        for batch in np.array_split(order, np.arange(batch_size, n, batch_size)):
            optimizer.zero_grad()
            loss = loss_function(model(MyTensor(images[batch])), MyTensor(targets[batch]))
            loss.backward()
            optimizer.step()
            losses[epoch] += loss.data * len(batch) / n
        if live:
            live(losses[epoch])
    return list(losses)
