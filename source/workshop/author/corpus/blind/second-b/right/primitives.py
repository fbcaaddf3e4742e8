import heapq
import itertools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from tqdm import tqdm


class MyCrossBackward:
    """One operation of the graph: its inputs, and the rule that differentiates it. (Given.)"""

    def __init__(self, *args: Any, backward_function: Callable[..., Any], name: str) -> None:
        self.inputs = args
        self.__rule = backward_function
        self.__name = name

    def __str__(self) -> str:
        return self.__name

    def __call__(self, x: np.ndarray) -> Any:
        """`op(x)` is the same as `op.run(x)`."""
        return self.run(x)

    def run(self, base: np.ndarray) -> Any:
        """Apply the rule."""
        gradients = self.__rule(base, *self.inputs)
        if isinstance(gradients, (np.ndarray, np.generic)):  # whoever takes one after the other would get its rows
            raise TypeError(f"the rule of {self} must return a tuple, with one gradient for each input")
        return gradients


class MyTensor:
    """A tensor with four primitive operations: add, mul, pow, expand. The others are composed from them."""

    # An ndarray on the left (array + tensor) leaves the work to our reflected operators.
    __array_ufunc__ = None

    births = itertools.count()

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        match data:
            case bool():
                raise TypeError("a bool is not a number here")
            case list() | tuple() | np.ndarray() | np.number() | int() | float():
                values = np.array(data, dtype=dtype)
            case _:
                raise TypeError(f"not made of numbers: {data!r}")
        if values.dtype.kind not in "biufc":
            raise TypeError(f"not made of numbers: {data!r}")
        if requires_grad and values.dtype.kind in "biu":
            values = values.astype(np.float64)
        self.__data = values
        self.dtype = values.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack
        self.born = next(MyTensor.births)  # a result is always younger than its inputs

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
        return "MyTensor({}, requires_grad={})".format(self.data, self.requires_grad)

    def __str__(self):
        return self.__repr__()

    def __getitem__(self, index):
        return self.data[index]

    def __setitem__(self, index, value):
        if self.requires_grad:
            raise RuntimeError("requires a gradient, so it cannot be written to")
        self.data[index] = getattr(value, "data", value)

    # --- lifting and stretching -----------------------------------------------------------------

    def lift(self, other):
        """A number beside this tensor, as a constant tensor of a fitting dtype."""
        if isinstance(other, MyTensor):
            return other
        if isinstance(other, (int, float)) and not isinstance(other, bool):
            return MyTensor(np.array(other).astype(np.result_type(self.dtype, other)))
        return MyTensor(other)

    def expand(self, shape):
        """This tensor, stretched to `shape` by repeating."""
        if self.shape == shape:
            return self
        values = np.broadcast_to(self.data, shape).copy()
        return recorded(values, expand_deriv, "ExpandBackward", self)

    @staticmethod
    def meet(left, right):
        """Two tensors of the same shape: the larger one of the two, in every dimension."""
        shape = np.broadcast_shapes(left.shape, right.shape)
        return left.expand(shape), right.expand(shape)

    # --- the primitives -------------------------------------------------------------------------

    def __add__(self, other):
        left, right = self.meet(self, self.lift(other))
        return recorded(left.data + right.data, add_deriv, "AddBackward", left, right)

    def __mul__(self, other):
        left, right = self.meet(self, self.lift(other))
        return recorded(left.data * right.data, mul_deriv, "MulBackward", left, right)

    def __pow__(self, power):
        if not isinstance(power, (int, float, np.number)):
            raise TypeError("only a number can be a power")
        return recorded(self.data**power, pow_deriv, "PowBackward", self, power)

    # --- composed from them ---------------------------------------------------------------------

    def __neg__(self):
        return self * MyTensor(np.array(-1).astype(self.dtype))

    def __sub__(self, other):
        return self + -self.lift(other)

    def reciprocal(self):
        if self.dtype.kind in "biu":  # whole numbers have no negative powers
            return MyTensor(self.data, dtype=np.float64) ** -1
        return self**-1

    def __truediv__(self, other):
        return self * self.lift(other).reciprocal()

    def __radd__(self, other):
        return self.lift(other) + self

    def __rsub__(self, other):
        return self.lift(other) + -self

    def __rmul__(self, other):
        return self.lift(other) * self

    def __rtruediv__(self, other):
        return self.lift(other) * self.reciprocal()

    # --- backward -------------------------------------------------------------------------------

    def backward(self, base=None):
        """Add to the `grad` of every leaf its share of the gradient of this tensor.

        The youngest tensor goes first. All that use a tensor are younger than it, so its gradient is complete.
        """
        if not self.requires_grad:
            return
        first = np.ones(self.shape, self.dtype) if base is None else np.array(base.data, self.dtype)
        arrived = {self: [first]}
        queue = [(-self.born, self)]
        while queue:
            _, tensor = heapq.heappop(queue)
            gradient = np.add.reduce(arrived.pop(tensor))
            op = tensor.backward_op
            if op is None:
                new = MyTensor(gradient, dtype=tensor.dtype)
                tensor.grad = new if tensor.grad is None else tensor.grad + new
                continue
            for tensor_in, share in zip(op.inputs, op(gradient)):
                if share is None or not tensor_in.requires_grad:
                    continue
                if tensor_in not in arrived:
                    arrived[tensor_in] = []
                    heapq.heappush(queue, (-tensor_in.born, tensor_in))
                arrived[tensor_in].append(share)


def recorded(values, rule, name, *inputs):
    for item in inputs:
        if isinstance(item, MyTensor) and item.requires_grad:
            op = MyCrossBackward(*inputs, backward_function=rule, name=name)
            return MyTensor(values, requires_grad=True, crossOpBack=op)
    return MyTensor(values)


def unbroadcast(gradient, shape):
    """Undo broadcasting: sum `gradient` over the axes that were stretched, down to `shape`."""
    front = gradient.ndim - len(shape)
    for axis in reversed(range(gradient.ndim)):
        if axis < front:
            gradient = gradient.sum(axis)
        elif shape[axis - front] == 1:
            gradient = gradient.sum(axis, keepdims=True)
    return gradient


# The rules. Where two operands meet they have the same shape: expand has stretched them.


def expand_deriv(base, tensor):
    return (unbroadcast(base, tensor.shape),)


def add_deriv(base, left, right):
    return base, base


def mul_deriv(base, left, right):
    return base * right.data, base * left.data


def pow_deriv(base, tensor, power):
    if power == 0:
        return base * 0, None
    return base * (power * tensor.data ** (power - 1)), None


tensor_a = MyTensor([3, 4, 5, 6, 7])


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

    def parameters(self):
        """All parameters of this module and of the modules in it, each one once."""
        found = list(self.__parameters.values())
        for module in self.__sub_modules.values():
            found.extend(module.parameters())
        return [p for i, p in enumerate(found) if not any(p is q for q in found[:i])]


def matmul_deriv(base, left, right):
    """left @ right: (n, k) @ (k, m) -> (n, m), or for one row (k,) @ (k, m) -> (m,)"""
    if left.data.ndim == 1:
        return right.data @ base, np.outer(left.data, base)
    return base @ right.data.T, left.data.T @ base


def matmul(a, b):
    """The matrix product of a, (n, k) or (k,), and b, (k, m), recorded when one of them requires a gradient."""
    return recorded(a.data @ b.data, matmul_deriv, "MatmulBackward", a, b)


class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, input_size, output_size):
        super().__init__()
        shape = (input_size, output_size)
        self.weight = Parameter(MyTensor((2 * np.random.rand(*shape) - 1) / np.sqrt(input_size)))
        self.bias = Parameter(MyTensor([0.0] * output_size))

    def forward(self, x):
        rows = matmul(x, self.weight.tensor)
        return rows + self.bias.tensor.expand(rows.shape)


def relu(x):
    """max(x, 0), element by element: a product with a constant mask"""
    mask = MyTensor((x.data > 0).astype(x.dtype))
    return x * mask


class ReLU(MyModule):
    """The relu function as a module: it has no parameters. (Given.)"""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: MyTensor) -> MyTensor:
        return relu(x)


class SGD:
    """Stochastic gradient descent."""

    def __init__(self, parameters: list[Parameter], lr: float = 1e-2) -> None:
        self.lr = lr
        self.params = list(parameters)  # a list, not a generator: it is walked at every step

    def zero_grad(self):
        """Forget the gradients: set the grad of every parameter to None."""
        for p in self.params:
            p.tensor.grad = None

    def step(self):
        """Move every parameter that has a gradient a little downhill, in place."""
        for p in self.params:
            if p.tensor.grad is not None:
                downhill = p.tensor.grad * -self.lr
                p.tensor.data[...] += downhill.data


def sum_deriv(base, tensor, axis):
    """sum(x, axis). The axis gets no gradient, so None."""
    if axis is not None:
        base = np.expand_dims(base, axis)
    return np.broadcast_to(base, tensor.shape).copy(), None


def sum(x, axis=None):
    """The sum over `axis` (None: over all elements)."""
    return recorded(x.data.sum(axis=axis), sum_deriv, "SumBackward", x, axis)


class MSELoss:
    """Mean squared error."""

    def __call__(self, y, y_target):
        """The mean of (y - y_target)**2 over all elements: a scalar tensor."""
        error = y - y_target
        return sum(error * error) * (1 / error.size)


class SuperModel(MyModule):
    """Maps a batch of images, shape (n, 64), to one score per digit, shape (n, 10)."""

    def __init__(self):
        super().__init__()
        self.lower = Linear(64, 50)
        self.upper = Linear(50, 10)

    def forward(self, x):
        return self.upper(relu(self.lower(x)))


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    """Train the model on mini-batches."""
    losses = []
    mse = MSELoss()
    sgd = SGD(model.parameters(), lr)
    bar = tqdm(range(epochs), file=sys.stdout, disable=live is not None)
    for _ in bar:
        order = np.random.permutation(len(images))
        values, weights = [], []
        for batch in np.split(order, range(batch_size, len(order), batch_size)):
            sgd.zero_grad()
            loss = mse(model(MyTensor(images[batch])), MyTensor(targets[batch]))
            loss.backward()
            sgd.step()
            values.append(float(loss.data))
            weights.append(len(batch))
        losses.append(float(np.average(values, weights=weights)))
        bar.set_postfix(loss=losses[-1])
        if live:
            live(losses[-1])
    return losses
