# A global tape: every operation writes an entry on it, and backward plays the tape in reverse.
import bisect
import operator
import weakref

import numpy as np


class Entry:
    """One operation: the tensors it read, and the function that pulls a gradient back to them.

    The result owns its entry and the entry owns its inputs. The tape owns nothing: an entry goes when the last
    tensor computed through it goes.
    """

    __slots__ = ("__weakref__", "inputs", "number", "pull_back")

    def __init__(self, number, inputs, pull_back):
        self.number = number
        self.inputs = inputs
        self.pull_back = pull_back


class Tape:
    def __init__(self):
        self.lines = []  # (number, weak reference to the entry), oldest first
        self.next_number = 0
        self.clean_up_at = 512

    def write(self, inputs, pull_back):
        entry = Entry(self.next_number, inputs, pull_back)
        self.next_number += 1
        self.lines.append((entry.number, weakref.ref(entry)))
        if len(self.lines) >= self.clean_up_at:
            self.lines = [line for line in self.lines if line[1]() is not None]
            self.clean_up_at = max(512, 2 * len(self.lines))
        return entry

    def rewind(self, last):
        """Yield the entries that still exist, from `last` to the oldest."""
        end = bisect.bisect_right(self.lines, last.number, key=operator.itemgetter(0))
        for position in range(end - 1, -1, -1):
            entry = self.lines[position][1]()
            if entry is not None:
                yield entry


TAPE = Tape()


def taped(result, inputs, pull_back):
    """Make a tensor of `result`; `pull_back(gradient)` returns one gradient per input, in the result's shape or the
    input's."""
    result = MyTensor(result)
    if any(tensor.requires_grad for tensor in inputs):
        result.requires_grad = True
        result.backward_op = TAPE.write(inputs, pull_back)
    return result


def sum_to(gradient, shape):
    extra = gradient.ndim - len(shape)
    axes = list(range(extra))
    axes += [extra + axis for axis, length in enumerate(shape) if length == 1]
    return gradient.sum(axis=tuple(axes)).reshape(shape) if axes else gradient


class MyTensor:
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if not isinstance(data, (list, tuple, np.ndarray, np.generic, int, float)):
            raise TypeError(f"cannot make a tensor of {data!r}")
        array = np.array(data, dtype=dtype, order="C")
        if not (np.issubdtype(array.dtype, np.integer) or np.issubdtype(array.dtype, np.floating)):
            if array.dtype != bool:
                raise TypeError(f"cannot make a tensor of elements of type {array.dtype}")
            array = array.astype(int)
        self._array = array
        self.requires_grad = requires_grad
        self.backward_op = crossOpBack
        self.grad = None

    data = property(lambda self: self._array)
    dtype = property(lambda self: self._array.dtype)
    shape = property(lambda self: self._array.shape)
    strides = property(lambda self: self._array.strides)
    size = property(lambda self: self._array.size)

    def __repr__(self):
        text = np.array2string(self._array, separator=", ", prefix="tensor(")
        return f"tensor({text}, requires_grad={self.requires_grad})"

    def __getitem__(self, where):
        return np.copy(self._array[where])

    def __setitem__(self, where, what):
        if isinstance(what, MyTensor):
            what = what.data
        if self._array.dtype.kind in "iu" and np.asarray(what).dtype.kind == "f":
            self._array = self._array.astype(float)
        self._array[where] = what

    def __add__(self, other):
        a, b = self, lift(other)
        return taped(a.data + b.data, (a, b), lambda g: (g, g))

    def __sub__(self, other):
        a, b = self, lift(other)
        return taped(a.data - b.data, (a, b), lambda g: (g, -g))

    def __mul__(self, other):
        a, b = self, lift(other)
        return taped(a.data * b.data, (a, b), lambda g: (g * b.data, g * a.data))

    def __truediv__(self, other):
        a, b = self, lift(other)
        quotient = a.data / b.data
        return taped(quotient, (a, b), lambda g: (g / b.data, -g * quotient / b.data))

    def __pow__(self, n):
        a = self
        base = a.data.astype(float) if a.data.dtype.kind in "iu" else a.data

        def pull_back(g):
            return (g * (n * base ** (n - 1)) if n else g * 0.0,)

        return taped(base**n, (a,), pull_back)

    def __neg__(self):
        return taped(-self.data, (self,), lambda g: (-g,))

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other):
        return lift(other) - self

    def __rtruediv__(self, other):
        return lift(other) / self

    def backward(self, base=None):
        if not self.requires_grad:
            return
        start = np.ones(self.shape) if base is None else np.asarray(lift(base).data, dtype=float)
        if self.backward_op is None:
            self._collect(start)
            return
        waiting = {self.backward_op.number: start}
        for entry in TAPE.rewind(self.backward_op):
            if entry.number not in waiting:
                continue  # an entry of some other computation
            gradients = entry.pull_back(waiting.pop(entry.number))
            for tensor, gradient in zip(entry.inputs, gradients, strict=True):
                if not tensor.requires_grad:
                    continue
                gradient = sum_to(np.asarray(gradient), tensor.shape)
                if tensor.backward_op is None:
                    tensor._collect(gradient)
                    continue
                number = tensor.backward_op.number
                waiting[number] = waiting[number] + gradient if number in waiting else gradient
            if not waiting:
                break

    def _collect(self, gradient):
        if self.grad is None:
            kind = self.dtype if self.dtype.kind == "f" else float
            self.grad = np.array(gradient, dtype=kind)
        else:
            self.grad += gradient


def lift(value):
    return value if isinstance(value, MyTensor) else MyTensor(value)


def matmul(a, b):
    if a.data.ndim == 1:
        return taped(a.data @ b.data, (a, b), lambda g: (b.data @ g, np.outer(a.data, g)))
    return taped(a.data @ b.data, (a, b), lambda g: (g @ b.data.T, a.data.T @ g))


class Parameter:
    def __init__(self, tensor):
        if tensor.dtype.kind in "iu":  # nothing learns in whole numbers
            tensor = MyTensor(tensor.data, dtype=float)
        self.tensor = tensor
        self.tensor.requires_grad = True
        self.name = ""


class MyModule:
    def __new__(cls, *args, **kwargs):
        # Here and not in __init__: a subclass may forget to call super().__init__().
        module = super().__new__(cls)
        object.__setattr__(module, "_own", {})
        object.__setattr__(module, "_children", {})
        return module

    def __setattr__(self, name, value):
        self._own.pop(name, None)
        self._children.pop(name, None)
        if isinstance(value, Parameter):
            value.name = name
            self._own[name] = value
        elif isinstance(value, MyModule):
            self._children[name] = value
        object.__setattr__(self, name, value)

    def parameters(self):
        found, modules, seen = {}, [self], set()
        while modules:
            module = modules.pop(0)
            if id(module) in seen:
                continue
            seen.add(id(module))
            found.update((id(parameter), parameter) for parameter in module._own.values())
            modules.extend(module._children.values())
        return list(found.values())

    def forward(self, *inputs):
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def __call__(self, *inputs):
        return self.forward(*inputs)


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        self.weight = Parameter(MyTensor(np.random.randn(input_size, output_size) / np.sqrt(input_size)))
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x):
        return matmul(x, self.weight.tensor) + self.bias.tensor


class ReLU(MyModule):
    def forward(self, x):
        positive = x.data > 0
        return taped(np.maximum(x.data, 0), (x,), lambda g: (np.where(positive, g, 0.0),))


class SGD:
    def __init__(self, parameters, lr=0.01):
        self.tensors = [parameter.tensor for parameter in parameters]
        self.lr = lr

    def zero_grad(self):
        for tensor in self.tensors:
            tensor.grad = None

    def step(self):
        for tensor in self.tensors:
            if tensor.grad is not None:
                np.subtract(tensor.data, self.lr * tensor.grad, out=tensor.data, casting="same_kind")


class MSELoss(MyModule):
    def forward(self, y, target):
        y, target = lift(y), lift(target)
        difference = y.data - target.data
        factor = 2.0 / difference.size
        return taped(
            np.mean(difference**2),
            (y, target),
            lambda g: (g * factor * difference, -g * factor * difference),
        )


class SuperModel(MyModule):
    def __init__(self):
        self.first = Linear(64, 40)
        self.relu = ReLU()
        self.second = Linear(40, 10)

    def forward(self, x):
        x = self.first(x)
        x = self.relu(x)
        return self.second(x)


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    sgd, loss_of = SGD(model.parameters(), lr), MSELoss()
    losses = []
    for _ in range(epochs):
        state = np.random.permutation(len(images))
        x, y = np.take(images, state, axis=0), np.take(targets, state, axis=0)
        total = 0.0
        for first in range(0, len(x), batch_size):
            some = slice(first, first + batch_size)
            loss = loss_of(model(MyTensor(x[some])), MyTensor(y[some]))
            loss.backward()
            sgd.step()
            sgd.zero_grad()
            total += float(loss.data) * len(x[some])
        losses.append(total / len(x))
        if live:
            live(losses[-1])
    return losses
