import sys
from typing import Any, Callable

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
    """An n-dimensional array that can record the operations it takes part in.

    Backward has two phases: put the tensors of the graph in a list, then let the gradients flow along it. While they
    flow, each tensor keeps what it has received so far in `flow`; afterwards nothing of it remains.
    """

    # An ndarray on the left (array + tensor) leaves the work to our reflected operators.
    __array_ufunc__ = None

    KINDS = (list, tuple, np.ndarray, np.number, int, float)

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if not isinstance(data, self.KINDS) or data is True or data is False:
            raise TypeError(f"expected numbers, got {type(data).__name__}")
        self.__data = np.array(data, dtype=dtype)
        if self.__data.dtype.kind in "SUO":
            raise TypeError(f"expected numbers, got {self.__data.dtype}")
        if requires_grad and not np.issubdtype(self.__data.dtype, np.floating):
            self.__data = self.__data.astype("float64")
        self.dtype = self.__data.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack

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
        return f"MyTensor({self.__data!r}, requires_grad={self.requires_grad})"

    def __str__(self):
        return self.__repr__()

    def __getitem__(self, key):
        return self.__data[key]

    def __setitem__(self, key, value):
        if self.requires_grad:
            raise RuntimeError("cannot assign to elements of a tensor that requires a gradient")
        if isinstance(value, MyTensor):
            value = value.data
        self.__data[key] = value

    @classmethod
    def make(cls, values, rule, name, *inputs):
        """The result of an operation."""
        needs = [item.requires_grad for item in inputs if isinstance(item, cls)]
        if True in needs:
            op = MyCrossBackward(*inputs, backward_function=rule, name=name)
            return cls(values, None, True, op)
        return cls(values)

    def operands(self, other, swapped):
        if not isinstance(other, MyTensor):
            other = MyTensor(np.asarray(other, dtype=np.result_type(self.data, other)) if is_number(other) else other)
        return (other, self) if swapped else (self, other)

    def add(self, other, swapped=False):
        a, b = self.operands(other, swapped)
        return MyTensor.make(a.data + b.data, add_deriv, "AddBackward", a, b)

    def sub(self, other, swapped=False):
        a, b = self.operands(other, swapped)
        return MyTensor.make(a.data - b.data, sub_deriv, "SubBackward", a, b)

    def mul(self, other, swapped=False):
        a, b = self.operands(other, swapped)
        return MyTensor.make(a.data * b.data, mul_deriv, "MulBackward", a, b)

    def div(self, other, swapped=False):
        a, b = self.operands(other, swapped)
        return MyTensor.make(a.data / b.data, div_deriv, "DivBackward", a, b)

    def __add__(self, other):
        return self.add(other)

    def __radd__(self, other):
        return self.add(other, swapped=True)

    def __sub__(self, other):
        return self.sub(other)

    def __rsub__(self, other):
        return self.sub(other, swapped=True)

    def __mul__(self, other):
        return self.mul(other)

    def __rmul__(self, other):
        return self.mul(other, swapped=True)

    def __truediv__(self, other):
        return self.div(other)

    def __rtruediv__(self, other):
        return self.div(other, swapped=True)

    def __pow__(self, n):
        if not is_number(n):
            return NotImplemented
        return MyTensor.make(self.data**n, pow_deriv, "PowBackward", self, n)

    def __neg__(self):
        return MyTensor.make(-self.data, neg_deriv, "NegBackward", self)

    # --- backward: first a list, then a loop over it --------------------------------------------

    flow = None

    def receive(self, gradient):
        """A rule calls this: one more contribution to the gradient of this tensor."""
        if not self.requires_grad:
            return
        gradient = unbroadcast(gradient, self.shape)
        if self.flow is None:
            self.flow = gradient.copy()
        else:
            self.flow = self.flow + gradient

    def parents(self):
        if self.backward_op is None:
            return []
        return [item for item in self.backward_op.inputs if isinstance(item, MyTensor) and item.requires_grad]

    def ordered(self):
        """The tensors of the graph, each after everything it was computed from."""
        done, visited = [], {id(self)}
        path = [(self, iter(self.parents()))]
        while path:
            tensor, rest = path[-1]
            for parent in rest:
                if id(parent) not in visited:
                    visited.add(id(parent))
                    path.append((parent, iter(parent.parents())))
                    break
            else:
                done.append(tensor)
                path.pop()
        return done

    def backward(self, base=None):
        """Add to the `grad` of every leaf its share of the gradient of this tensor."""
        if not self.requires_grad:
            return
        nodes = self.ordered()
        try:
            self.flow = np.ones_like(self.data) if base is None else base.data.astype(self.dtype)
            for node in reversed(nodes):
                if node.backward_op is not None:
                    node.backward_op.run(node.flow)
            for node in nodes:
                if node.backward_op is None:
                    total = node.flow if node.grad is None else node.grad + node.flow
                    node.grad = np.array(total, dtype=node.dtype)
        finally:
            for node in nodes:
                node.__dict__.pop("flow", None)


def is_number(x):
    return isinstance(x, (int, float, np.number)) and not isinstance(x, bool)


# The rules. Each hands the gradients on to the inputs itself.


def unbroadcast(gradient, shape):
    """Undo broadcasting: sum `gradient` over the axes that were stretched, down to `shape`."""
    gradient = np.asarray(gradient)
    if gradient.shape == shape:
        return gradient
    wanted = [1] * (gradient.ndim - len(shape)) + list(shape)
    axes = [axis for axis in range(gradient.ndim) if wanted[axis] != gradient.shape[axis]]
    return gradient.sum(axis=tuple(axes)).reshape(shape)


def add_deriv(base, a, b):
    a.receive(base)
    b.receive(base)


def sub_deriv(base, a, b):
    a.receive(base)
    b.receive(-base)


def mul_deriv(base, a, b):
    a.receive(base * b.data)
    b.receive(base * a.data)


def div_deriv(base, a, b):
    quotient = base / b.data
    a.receive(quotient)
    b.receive(-quotient * (a.data / b.data))


def pow_deriv(base, x, n):
    if n != 0:
        x.receive(base * n * x.data ** (n - 1))
    else:
        x.receive(np.zeros_like(base))


def neg_deriv(base, x):
    x.receive(-base)


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
        result, modules = {}, [self]
        while modules:
            module = modules.pop()
            for parameter in module.__parameters.values():
                result.setdefault(id(parameter), parameter)
            modules.extend(reversed(module.__sub_modules.values()))
        return list(result.values())


def matmul_deriv(base, a, b):
    """left @ right: (n, k) @ (k, m) -> (n, m), or for one row (k,) @ (k, m) -> (m,)"""
    a.receive(np.einsum("...m,km->...k", base, b.data))
    b.receive(np.tensordot(a.data, base, axes=(0, 0)) if a.data.ndim == 2 else np.einsum("k,m->km", a.data, base))


def matmul(a, b):
    """The matrix product of a, (n, k) or (k,), and b, (k, m), recorded when one of them requires a gradient."""
    return MyTensor.make(np.dot(a.data, b.data), matmul_deriv, "MatmulBackward", a, b)


def uniform_parameter(bound, *shape):
    return Parameter(MyTensor(np.random.uniform(low=-bound, high=bound, size=shape)))


class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, input_size, output_size):
        super().__init__()
        self.input_size, self.output_size = input_size, output_size
        self.weight = uniform_parameter(1 / input_size**0.5, input_size, output_size)
        self.bias = uniform_parameter(0, output_size)

    def forward(self, x):
        return matmul(x, self.weight.tensor) + self.bias.tensor


def relu(x):
    """max(x, 0), element by element"""
    return MyTensor.make(np.clip(x.data, 0, None), relu_deriv, "ReluBackward", x)


def relu_deriv(base, x):
    x.receive(np.where(x.data > 0, base, 0))


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
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        """Move every parameter that has a gradient a little downhill, in place."""
        for tensor in (parameter.tensor for parameter in self.params if parameter.tensor.grad is not None):
            data = tensor.data
            data -= self.lr * tensor.grad


def sum_deriv(base, x, axis):
    """sum(x, axis). The axis gets no gradient."""
    if axis is None:
        x.receive(np.full(x.shape, base))
    else:
        x.receive(np.ones(x.shape) * np.expand_dims(base, axis))


def sum(x, axis=None):
    """The sum over `axis` (None: over all elements)."""
    return MyTensor.make(x.data.sum(axis=axis), sum_deriv, "SumBackward", x, axis)


class MSELoss:
    """Mean squared error."""

    def __call__(self, y, y_target):
        """The mean of (y - y_target)**2 over all elements: a scalar tensor."""
        return sum((y_target - y) ** 2 / y.size)


class SuperModel(MyModule):
    """Maps a batch of images, shape (n, 64), to one score per digit, shape (n, 10)."""

    def __init__(self):
        super().__init__()
        self.layer1 = Linear(64, 64)
        self.layer2 = Linear(64, 32)
        self.layer3 = Linear(32, 10)
        self.relu = ReLU()

    def forward(self, x):
        for layer in (self.layer1, self.layer2):
            x = self.relu(layer(x))
        return self.layer3(x)


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    """Train the model on mini-batches."""
    losses = []
    loss_function = MSELoss()
    optimizer = SGD(model.parameters(), lr=lr)

    def learn(rows):
        """One step on these rows; the sum of their losses."""
        x, t = MyTensor(images[rows]), MyTensor(targets[rows])
        optimizer.zero_grad()
        loss = loss_function(model(x), t)
        loss.backward()
        optimizer.step()
        return float(loss.data) * len(rows)

    bar = None if live else tqdm(total=epochs, file=sys.stdout)
    while len(losses) < epochs:
        rest = np.random.permutation(len(images))
        total = 0.0
        while len(rest):
            batch, rest = rest[:batch_size], rest[batch_size:]
            total += learn(batch)
        losses.append(total / len(images))
        if live:
            live(losses[-1])
        else:
            bar.update(1)
    return losses
