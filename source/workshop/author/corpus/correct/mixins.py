# Style: mixins. Arithmetic, Differentiable, Indexing and Described each bring one ability; MyTensor only combines them.
import numpy as np


class Described:
    """Anything that holds an array in `_array`.

    Subclasses set `_array` before they use an attribute from here.
    """

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

    def __repr__(self):
        lines = np.array2string(self._array, prefix="MyTensor(", separator=", ")
        return f"{type(self).__name__}({lines}, requires_grad={self.requires_grad})"


class Differentiable:
    """Knows what it was computed from, and sends gradients there."""

    _wanted = False
    _sources = ()
    backward_op = None
    grad = None

    @property
    def requires_grad(self):
        return self._wanted

    @requires_grad.setter
    def requires_grad(self, wanted):
        if not wanted and self.backward_op is not None:
            raise ValueError("only a leaf can stop requiring a gradient")
        self._wanted = bool(wanted)

    def _derive(self, array, rule, *others):
        """A tensor computed from this one and others.

        Args:
            array: its values.
            rule: from its gradient to a tuple with the gradients of this one and of the others.
            others: the other operands.
        """
        child = type(self)(array)
        sources = (self, *others)
        if any(source.requires_grad for source in sources):
            child._sources = sources
            child.backward_op = rule
            child.requires_grad = True
        return child

    def _ancestors(self):
        """All tensors below this one that want a gradient, sources before results."""
        order, visited = [], {id(self)}
        path = [(self, iter(self._sources))]
        while path:
            tensor, sources = path[-1]
            for source in sources:
                if source.requires_grad and id(source) not in visited:
                    visited.add(id(source))
                    path.append((source, iter(source._sources)))
                    break
            else:
                order.append(tensor)
                path.pop()
        return order

    def backward(self, base=None):
        if not self.requires_grad:
            return
        upstream = np.ones(self.shape) if base is None else np.asarray(base.data, dtype=np.float64)
        pending = {id(self): upstream}
        for tensor in reversed(self._ancestors()):
            gradient = pending.pop(id(tensor))
            if tensor.backward_op is None:
                tensor._keep(gradient)
                continue
            for source, share in zip(tensor._sources, tensor.backward_op(gradient), strict=True):
                if source.requires_grad:
                    share = source._like_me(share)
                    if id(source) in pending:
                        share = pending[id(source)] + share
                    pending[id(source)] = share

    def _keep(self, gradient):
        kept = np.array(gradient)
        if self.grad is not None:
            kept += self.grad
        self.grad = kept

    def _like_me(self, share):
        """Reduce a share to this tensor's shape."""
        share = np.asarray(share)
        ones = share.ndim - len(self.shape)
        mine = (1,) * ones + self.shape
        axes = [axis for axis in range(share.ndim) if mine[axis] == 1]
        return share.sum(axis=tuple(axes), keepdims=True).reshape(self.shape)


class Arithmetic:
    """Operators for a class with `_derive`."""

    __array_ufunc__ = None

    @classmethod
    def _coerce(cls, value):
        return value if isinstance(value, Arithmetic) else cls(value)

    def __add__(self, other):
        other = self._coerce(other)
        return self._derive(self.data + other.data, lambda g: (g, g), other)

    def __neg__(self):
        return self._derive(-self.data, lambda g: (-g,))

    def __mul__(self, other):
        other = self._coerce(other)
        return self._derive(self.data * other.data, lambda g: (g * other.data, g * self.data), other)

    def _reciprocal(self):
        inverse = 1 / self.data
        return self._derive(inverse, lambda g: (-g * inverse * inverse,))

    def __pow__(self, exponent):
        if not isinstance(exponent, (int, float, np.number)):
            return NotImplemented
        values = self.data.astype(np.float64)

        def rule(g):
            slope = exponent * values ** (exponent - 1) if exponent else np.zeros_like(values)
            return (g * slope,)

        return self._derive(values**exponent, rule)

    def __sub__(self, other):
        return self + -self._coerce(other)

    def __truediv__(self, other):
        return self * self._coerce(other)._reciprocal()

    def __radd__(self, other):
        return self._coerce(other) + self

    def __rmul__(self, other):
        return self._coerce(other) * self

    def __rsub__(self, other):
        return self._coerce(other) - self

    def __rtruediv__(self, other):
        return self._coerce(other) / self

    def __matmul__(self, other):
        def rule(g):
            left = self.data[np.newaxis] if self.data.ndim == 1 else self.data
            rows = g[np.newaxis] if g.ndim == 1 else g
            return g @ other.data.swapaxes(0, 1), left.swapaxes(0, 1) @ rows

        return self._derive(self.data @ other.data, rule, other)

    def mean(self):
        return self._derive(self.data.mean(), lambda g: (np.ones(self.shape) * g / self.size,))


class Rectified:
    def positive_part(self):
        mask = self.data > 0
        return self._derive(np.where(mask, self.data, 0), lambda g: (g * mask,))


class Indexing:
    """Reading elements is an operation like any other; writing is not recorded."""

    def __getitem__(self, index):
        return self.data[index].copy()

    def __setitem__(self, index, value):
        self.data[index] = value


class MyTensor(Arithmetic, Rectified, Indexing, Differentiable, Described):
    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if not isinstance(data, (list, tuple, np.ndarray, np.number, int, float)):
            raise TypeError(f"data has to be numbers, not {type(data).__name__}")
        self._array = np.array(data, dtype=dtype)
        self.requires_grad = requires_grad
        self.backward_op = crossOpBack


class Holder:
    __slots__ = ("tensor",)

    def __init__(self, tensor):
        self.tensor = tensor


class Parameter(Holder):
    __slots__ = ("name",)

    def __init__(self, tensor, name=None):
        super().__init__(tensor)
        self.name = name
        tensor.requires_grad = True


class Registering:
    """Keeps the parameters and modules among its attributes, by name."""

    def __init__(self):
        object.__setattr__(self, "_children", {})

    def __setattr__(self, name, value):
        self._children.pop(name, None)
        if isinstance(value, (Holder, Registering)):
            self._children[name] = value
        object.__setattr__(self, name, value)

    def __delattr__(self, name):
        self._children.pop(name, None)
        object.__delattr__(self, name)

    def parameters(self):
        found, todo, visited = [], [self], set()
        while todo:
            child = todo.pop()
            if id(child) in visited:
                continue
            visited.add(id(child))
            if isinstance(child, Holder):
                found.append(child)
            else:
                todo.extend(reversed(child._children.values()))
        return found


class Calling:
    def __call__(self, *args, **kwargs):
        return self.forward(*args, **kwargs)


class MyModule(Registering, Calling):
    pass


def matmul(a, b):
    return a @ b


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        super().__init__()
        weight = np.random.standard_normal((input_size, output_size))
        self.weight = Parameter(MyTensor(weight / np.sqrt(input_size)), "weight")
        self.bias = Parameter(MyTensor(np.zeros((output_size,))), "bias")

    def forward(self, x):
        return x @ self.weight.tensor + self.bias.tensor


class ReLU(MyModule):
    def forward(self, x):
        return x.positive_part()


class SGD:
    def __init__(self, parameters, lr=0.01):
        self.parameters = frozenset(parameters)
        self.lr = lr

    def zero_grad(self):
        for parameter in self.parameters:
            parameter.tensor.grad = None

    def step(self):
        for parameter in self.parameters:
            tensor = parameter.tensor
            if tensor.grad is not None:
                tensor[...] = tensor.data - self.lr * tensor.grad


class MSELoss(MyModule):
    def forward(self, y, target):
        return ((y - target) ** 2).mean()


class SuperModel(MyModule):
    def __init__(self):
        super().__init__()
        self.eyes = Linear(64, 32)
        self.bend = ReLU()
        self.mouth = Linear(32, 10)

    def forward(self, x):
        return self.mouth(self.bend(self.eyes(x)))


class Logged:
    """Keeps the loss of each epoch, and tells who listens."""

    def __init__(self, live):
        self.losses, self.live = [], live

    def log(self, loss):
        self.losses.append(loss)
        if self.live:
            self.live(loss)


class Shuffled:
    def batches(self, size):
        order = np.random.permutation(len(self.images))
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            yield self.images[rows], self.targets[rows]


class Trainer(Logged, Shuffled):
    def __init__(self, model, images, targets, lr, live):
        super().__init__(live)
        self.model, self.images, self.targets = model, images, targets
        self.optimizer = SGD(model.parameters(), lr)

    def step(self, x, y):
        self.optimizer.zero_grad()
        loss = MSELoss()(self.model(MyTensor(x)), MyTensor(y))
        loss.backward()
        self.optimizer.step()
        return float(loss.data)

    def run(self, epochs, size):
        for _ in range(epochs):
            total = sum(self.step(x, y) * len(x) for x, y in self.batches(size))
            self.log(total / len(self.images))
        return self.losses


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    return Trainer(model, images, targets, lr, live).run(epochs, batch_size)
