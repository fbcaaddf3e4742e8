"""One class per operation with static forward and backward, like torch.autograd.Function."""
import heapq
import itertools
import numbers
import sys

import numpy as np
from tqdm import tqdm


class MyCrossBackward:
    """A node of the graph: the context that forward fills and backward reads."""

    def __init__(self, *args, backward_function, name):
        self.inputs = args
        self.saved = ()
        self.level = 1 + max((t.level for t in args if isinstance(t, MyTensor)), default=0)
        self.backward_function = backward_function
        self.name = name

    def save(self, *things):
        self.saved = things

    def __str__(self):
        return self.name

    def __call__(self, upstream):
        return self.backward_function(self, upstream)


class Function:
    @classmethod
    def apply(cls, *args):
        node = MyCrossBackward(*args, backward_function=cls.backward, name=cls.__name__ + "Backward")
        values = cls.forward(node, *(a.data if isinstance(a, MyTensor) else a for a in args))
        needs = False
        for a in args:
            if isinstance(a, MyTensor) and a.requires_grad:
                needs = True
        return MyTensor(values, requires_grad=needs, crossOpBack=node if needs else None)


def unbroadcast(gradient, shape):
    padded = (1,) * (gradient.ndim - len(shape)) + tuple(shape)
    axes = tuple(i for i, (have, want) in enumerate(zip(gradient.shape, padded)) if want == 1 and have != 1)
    return gradient.sum(axis=axes, keepdims=True).reshape(shape)


class Add(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save(a.shape, b.shape)
        return a + b

    @staticmethod
    def backward(ctx, g):
        shape_a, shape_b = ctx.saved
        return unbroadcast(g, shape_a), unbroadcast(g, shape_b)


class Sub(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save(a.shape, b.shape)
        return a - b

    @staticmethod
    def backward(ctx, g):
        shape_a, shape_b = ctx.saved
        return unbroadcast(g, shape_a), -unbroadcast(g, shape_b)


class Mul(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save(a, b)
        return a * b

    @staticmethod
    def backward(ctx, g):
        a, b = ctx.saved
        return unbroadcast(g * b, a.shape), unbroadcast(g * a, b.shape)


class Div(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save(a, b)
        return a / b

    @staticmethod
    def backward(ctx, g):
        a, b = ctx.saved
        return unbroadcast(g / b, a.shape), unbroadcast(-(g * a) / (b * b), b.shape)


class Neg(Function):
    @staticmethod
    def forward(ctx, a):
        return -a

    @staticmethod
    def backward(ctx, g):
        return (-g,)


class Pow(Function):
    @staticmethod
    def forward(ctx, a, n):
        ctx.save(a, n)
        return a**n

    @staticmethod
    def backward(ctx, g):
        a, n = ctx.saved
        if n == 0:
            return np.zeros_like(g), None
        return g * (n * np.power(a, n - 1)), None


class MatMul(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save(a, b)
        return np.matmul(a, b)

    @staticmethod
    def backward(ctx, g):
        a, b = ctx.saved
        grad_a = np.matmul(g, b.T)
        grad_b = np.outer(a, g) if a.ndim == 1 else np.matmul(a.T, g)
        return grad_a, grad_b


class Rectify(Function):
    @staticmethod
    def forward(ctx, a):
        ctx.save(a > 0)
        return np.maximum(a, 0)

    @staticmethod
    def backward(ctx, g):
        (positive,) = ctx.saved
        return (np.where(positive, g, 0.0),)


class Sum(Function):
    @staticmethod
    def forward(ctx, a, axis):
        ctx.save(a.shape, axis)
        return np.sum(a, axis=axis)

    @staticmethod
    def backward(ctx, g):
        shape, axis = ctx.saved
        if axis is not None:
            g = np.expand_dims(g, axis)
        return np.broadcast_to(g, shape).copy(), None


class MeanSquare(Function):
    @staticmethod
    def forward(ctx, y, t):
        ctx.save(y - t)
        return np.mean((y - t) ** 2)

    @staticmethod
    def backward(ctx, g):
        (difference,) = ctx.saved
        grad = g * 2 * difference / difference.size
        return grad, -grad


class MyTensor:
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if isinstance(data, (bool, np.bool_)) or not isinstance(data, (numbers.Real, list, tuple, np.ndarray, np.number)):
            raise TypeError(f"{type(data)} is no data for a MyTensor")
        self.__data = np.array(data, dtype)
        if not np.can_cast(self.__data.dtype, np.complex128):
            raise TypeError("the elements must be numbers")
        if requires_grad and not np.issubdtype(self.__data.dtype, np.floating):
            self.__data = self.__data.astype(np.float64)
        self.dtype = self.__data.dtype
        self.requires_grad = bool(requires_grad)
        self.grad = None
        self.backward_op = crossOpBack

    @property
    def level(self):
        return 0 if self.backward_op is None else self.backward_op.level

    @property
    def data(self):
        return self.__data

    @property
    def shape(self):
        return self.data.shape

    @property
    def strides(self):
        return self.data.strides

    @property
    def size(self):
        return self.data.size

    def __repr__(self):
        return f"MyTensor(data={self.data!r}, requires_grad={self.requires_grad})"

    def __str__(self):
        return self.__repr__()

    def __getitem__(self, key):
        return self.data[key]

    def __setitem__(self, key, value):
        if self.requires_grad:
            raise RuntimeError("writing would falsify the graph")
        self.data[key] = value

    @staticmethod
    def wrap(x):
        if isinstance(x, MyTensor):
            return x
        return MyTensor(x)

    def __add__(self, other):
        return Add.apply(self, MyTensor.wrap(other))

    def __radd__(self, other):
        return Add.apply(MyTensor.wrap(other), self)

    def __sub__(self, other):
        return Sub.apply(self, MyTensor.wrap(other))

    def __rsub__(self, other):
        return Sub.apply(MyTensor.wrap(other), self)

    def __mul__(self, other):
        return Mul.apply(self, MyTensor.wrap(other))

    def __rmul__(self, other):
        return Mul.apply(MyTensor.wrap(other), self)

    def __truediv__(self, other):
        return Div.apply(self, MyTensor.wrap(other))

    def __rtruediv__(self, other):
        return Div.apply(MyTensor.wrap(other), self)

    def __neg__(self):
        return Neg.apply(self)

    def __pow__(self, n):
        if not isinstance(n, numbers.Real):
            return NotImplemented
        return Pow.apply(self, n)

    def backward(self, base=None):
        """Go through the tensors from the highest level of the graph down to the leaves."""
        if not self.requires_grad:
            return
        upstream = np.ones_like(self.data) if base is None else np.array(base.data)
        ticket = itertools.count()
        waiting = {id(self): upstream}
        heap = [(-self.level, next(ticket), self)]
        while heap:
            _, _, tensor = heapq.heappop(heap)
            g = waiting.pop(id(tensor))
            node = tensor.backward_op
            if node is None:
                tensor.grad = np.array(g) if tensor.grad is None else np.array(tensor.grad + g)
                continue
            for parent, share in zip(node.inputs, node(g)):
                if not (isinstance(parent, MyTensor) and parent.requires_grad):
                    continue
                if id(parent) in waiting:
                    waiting[id(parent)] = waiting[id(parent)] + share
                else:
                    waiting[id(parent)] = share
                    heapq.heappush(heap, (-parent.level, next(ticket), parent))


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

    def __walk(self):
        yield from self.__parameters.values()
        for module in self.__sub_modules.values():
            yield from module.__walk()

    def parameters(self):
        return list(dict.fromkeys(self.__walk()))


def matmul(a, b):
    return MatMul.apply(a, b)


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        super().__init__()
        limit = input_size**-0.5
        self.weight = Parameter(MyTensor((2 * np.random.rand(input_size, output_size) - 1) * limit))
        self.bias = Parameter(MyTensor(np.zeros((output_size,))))

    def forward(self, x):
        product = MatMul.apply(x, self.weight.tensor)
        return Add.apply(product, self.bias.tensor)


def relu(x):
    return Rectify.apply(x)


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
        moved = [p.tensor for p in self.params if p.tensor.grad is not None]
        for tensor in moved:
            np.subtract(tensor.data, self.lr * tensor.grad, out=tensor.data, casting="same_kind")


def sum(x, axis=None):
    return Sum.apply(x, axis)


class MSELoss:
    def __call__(self, y, y_target):
        return MeanSquare.apply(y, y_target)


class SuperModel(MyModule):
    HIDDEN = 40

    def __init__(self):
        super().__init__()
        self.relu = ReLU()
        self.into = Linear(64, self.HIDDEN)
        self.out = Linear(self.HIDDEN, 10)

    def forward(self, x):
        x = self.into(x)
        x = self.relu(x)
        x = self.out(x)
        return x


def batches(count, size):
    """The row numbers of each mini-batch, in random order."""
    order = np.argsort(np.random.rand(count))
    for start in range(0, count, size):
        yield order[start : start + size]


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    optimizer = SGD(model.parameters(), lr=lr)
    loss_function = MSELoss()
    losses = []
    for epoch in tqdm(range(epochs), file=sys.stdout, disable=bool(live)):
        log, weights = [], []
        for rows in batches(len(images), batch_size):
            x, t = MyTensor(images[rows]), MyTensor(targets[rows])
            optimizer.zero_grad()
            loss = loss_function(model(x), t)
            loss.backward()
            optimizer.step()
            log.append(float(loss.data))
            weights.append(len(rows))
        losses.append(float(np.average(log, weights=weights)))
        if live:
            live(losses[-1])
    return losses
