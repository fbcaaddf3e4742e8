from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

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
    """An n-dimensional array; its operators are attached below, from the table OPERATORS."""

    # An ndarray on the left (array + tensor) leaves the work to our reflected operators.
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        accepted = (list, tuple, np.ndarray, np.number, int, float)
        if isinstance(data, bool) or not isinstance(data, accepted):
            raise TypeError(f"MyTensor cannot hold {type(data).__name__}")
        values = np.array(data, dtype=dtype)
        if not np.issubdtype(values.dtype, np.number) and values.dtype != bool:
            raise TypeError(f"MyTensor cannot hold elements of type {values.dtype}")
        if requires_grad and not np.issubdtype(values.dtype, np.inexact):
            values = values.astype(float)
        self.__data = values
        self.dtype = values.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack
        # How far from the leaves: one more than the farthest input.
        self._level = 0 if crossOpBack is None else 1 + max((t._level for t in sources(crossOpBack)), default=-1)

    data = property(lambda self: self.__data)

    def __repr__(self) -> str:
        return f"MyTensor({np.array2string(self.__data, separator=', ')}, requires_grad={self.requires_grad})"

    def __str__(self) -> str:
        return self.__repr__()

    def __getitem__(self, where):
        return self.__data[where]

    def __setitem__(self, where, value):
        if self.requires_grad:
            raise RuntimeError("a tensor that requires a gradient is read-only: the graph has used its values")
        self.__data[where] = value.data if isinstance(value, MyTensor) else value

    def backward(self, base: MyTensor | None = None) -> None:
        """Add to the `grad` of every leaf its share of the gradient of this tensor."""
        if not self.requires_grad:
            return
        pending = {self: np.ones_like(self.__data) if base is None else base.data.astype(self.dtype)}
        for tensor in by_level(self):
            upstream = pending.pop(tensor)
            op = tensor.backward_op
            if op is None:
                tensor.grad = np.array(upstream if tensor.grad is None else tensor.grad + upstream, dtype=tensor.dtype)
                continue
            for source, share in zip(op.inputs, op.run(upstream)):
                if share is None or not source.requires_grad:
                    continue
                pending[source] = pending[source] + share if source in pending else share


for _name in ("shape", "strides", "size"):
    setattr(MyTensor, _name, property(lambda self, name=_name: getattr(self.data, name)))


def sources(op: MyCrossBackward) -> Iterator[MyTensor]:
    return (item for item in getattr(op, "inputs", ()) if isinstance(item, MyTensor))


def by_level(result: MyTensor) -> list[MyTensor]:
    """All tensors below `result` that require a gradient, from the farthest from the leaves to the leaves."""
    found, frontier = {result: None}, [result]  # a dict as an ordered set
    while frontier:
        op = frontier.pop().backward_op
        if op is None:
            continue
        fresh = {source: None for source in sources(op) if source.requires_grad and source not in found}
        found |= fresh
        frontier.extend(fresh)
    return sorted(found, key=lambda tensor: tensor._level, reverse=True)


def record(values: Any, *inputs: Any, rule: Callable[..., Any], name: str) -> MyTensor:
    """A result, which remembers where it came from if any of its inputs requires a gradient."""
    if any(item.requires_grad for item in inputs if isinstance(item, MyTensor)):
        return MyTensor(
            values, requires_grad=True, crossOpBack=MyCrossBackward(*inputs, backward_function=rule, name=name)
        )
    return MyTensor(values)


def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo broadcasting: sum `gradient` over the axes that were stretched, down to `shape`."""
    extra = gradient.ndim - len(shape)
    padded = (1,) * extra + tuple(shape)
    stretched = tuple(i for i, (n, m) in enumerate(zip(padded, gradient.shape)) if n == 1 and m != 1)
    return gradient.sum(axis=stretched, keepdims=True).reshape(shape)


class Operator(NamedTuple):
    forward: Callable
    to_left: Callable  # (upstream, left array, right array) -> gradient, before unbroadcast
    to_right: Callable


OPERATORS = {
    "add": Operator(np.add, lambda g, a, b: g, lambda g, a, b: g),
    "sub": Operator(np.subtract, lambda g, a, b: g, lambda g, a, b: -g),
    "mul": Operator(np.multiply, lambda g, a, b: g * b, lambda g, a, b: g * a),
    "truediv": Operator(np.divide, lambda g, a, b: g / b, lambda g, a, b: -g * a / b**2),
}


def lift(value: Any) -> MyTensor:
    return value if isinstance(value, MyTensor) else MyTensor(value)


def make_rule(operator: Operator) -> Callable[..., Any]:
    def rule(base, left, right):
        a, b = left.data, right.data
        return (
            unbroadcast(operator.to_left(base, a, b), left.shape),
            unbroadcast(operator.to_right(base, a, b), right.shape),
        )

    return rule


def make_methods(name: str, operator: Operator) -> tuple[Callable, Callable]:
    rule = make_rule(operator)

    def apply(left: MyTensor, right: MyTensor) -> MyTensor:
        return record(operator.forward(left.data, right.data), left, right, rule=rule, name=name.capitalize() + "Backward")

    def method(self, other):
        return apply(self, lift(other))

    def reflected(self, other):
        return apply(lift(other), self)

    return method, reflected


for _name, _operator in OPERATORS.items():
    _method, _reflected = make_methods(_name, _operator)
    setattr(MyTensor, f"__{_name}__", _method)
    setattr(MyTensor, f"__r{_name}__", _reflected)


def pow_deriv(base: np.ndarray, *args: Any) -> tuple[np.ndarray, None]:
    x, n = args
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(n == 0, 0.0, n * x.data ** np.subtract(n, 1.0))
    return base * slope, None


def power(self: MyTensor, n: int | float) -> MyTensor:
    if not isinstance(n, (int, float, np.number)):
        return NotImplemented
    return record(self.data**n, self, n, rule=pow_deriv, name="PowBackward")


UNARY = {
    "neg": (np.negative, lambda base, x: (np.negative(base),)),
}

for _name, (_function, _rule) in UNARY.items():
    setattr(
        MyTensor,
        f"__{_name}__",
        lambda self, function=_function, rule=_rule, name=_name: record(
            function(self.data), self, rule=rule, name=name.capitalize() + "Backward"
        ),
    )
MyTensor.__pow__ = power

tensor_a = MyTensor([3, 4, 5, 6, 7])  # one to play with


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
        unique = {id(own): own for own in self.__parameters.values()}
        for part in self.__sub_modules.values():
            unique |= {id(theirs): theirs for theirs in part.parameters()}
        return list(unique.values())


def matmul_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    """left @ right: (n, k) @ (k, m) -> (n, m), or for one row (k,) @ (k, m) -> (m,)"""
    left, right = tensors
    rows, upstream = np.atleast_2d(left.data), np.atleast_2d(base)
    return (upstream @ right.data.T).reshape(left.shape), rows.T @ upstream


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    """The matrix product of a, (n, k) or (k,), and b, (k, m), recorded when one of them requires a gradient."""
    return record(a.data @ b.data, a, b, rule=matmul_deriv, name="MatmulBackward")


def transpose(x: MyTensor) -> MyTensor:
    return record(x.data.T, x, rule=lambda base, _: (base.T,), name="TransposeBackward")


class Linear(MyModule):
    """y = x @ weight.T + bias, with the weight as PyTorch keeps it"""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        for name, values in {
            "weight": np.random.uniform(-1, 1, (output_size, input_size)) / np.sqrt(input_size),
            "bias": np.zeros(output_size),
        }.items():
            setattr(self, name, Parameter(MyTensor(values)))

    def forward(self, x: MyTensor) -> MyTensor:
        return matmul(x, transpose(self.weight.tensor)) + self.bias.tensor


def relu(x: MyTensor) -> MyTensor:
    """max(x, 0), element by element"""
    return record(np.where(x.data > 0, x.data, 0), x, rule=lambda base, x: (base * (x.data > 0),), name="ReluBackward")


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

    def zero_grad(self) -> None:
        """Forget the gradients: set the grad of every parameter to None."""
        for tensor in self.__tensors():
            tensor.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient a little downhill, in place."""
        for tensor in self.__tensors():
            if tensor.grad is not None:
                tensor.data[...] -= self.lr * tensor.grad

    def __tensors(self) -> list[MyTensor]:
        return [parameter.tensor for parameter in self.params]


def sum_deriv(base: np.ndarray, *args: Any) -> tuple[np.ndarray, None]:
    """sum(x, axis). The axis gets no gradient, so None."""
    x, axis = args
    kept = x.data.sum(axis=axis, keepdims=True).shape
    return np.broadcast_to(np.reshape(base, kept), x.shape).copy(), None


def sum(x: MyTensor, axis: int | tuple[int, ...] | None = None) -> MyTensor:
    """The sum over `axis` (None: over all elements)."""
    return record(x.data.sum(axis=axis), x, axis, rule=sum_deriv, name="SumBackward")


class MSELoss:
    """Mean squared error."""

    def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:
        """The mean of (y - y_target)**2 over all elements: a scalar tensor."""
        return sum((y - y_target) ** 2) / y.size


class SuperModel(MyModule):
    """Maps a batch of images, shape (n, 64), to one score per digit, shape (n, 10)."""

    def __init__(self, sizes: tuple[int, ...] = (64, 40, 10)) -> None:
        super().__init__()
        self.depth = len(sizes) - 1
        for i in range(self.depth):
            setattr(self, f"layer{i}", Linear(sizes[i], sizes[i + 1]))

    def forward(self, x: MyTensor) -> MyTensor:
        for i in range(self.depth):
            x = getattr(self, f"layer{i}")(relu(x) if i else x)
        return x


def batches(count: int, size: int) -> Iterator[np.ndarray]:
    order = np.random.permutation(count)
    yield from (order[start : start + size] for start in range(0, count, size))


def train(
    model: MyModule,
    images: np.ndarray,
    targets: np.ndarray,
    epochs: int = 20,
    batch_size: int = 32,
    lr: float = 1.0,
    live: Callable[[float], None] | None = None,
) -> list[float]:
    """Train the model on mini-batches."""
    losses = []
    criterion, optimizer = MSELoss(), SGD(model.parameters(), lr)
    progress = tqdm(range(epochs), file=sys.stdout, disable=live is not None)
    for _ in progress:
        total = 0.0
        for batch in batches(len(images), batch_size):
            optimizer.zero_grad()
            loss = criterion(model(MyTensor(images[batch])), MyTensor(targets[batch]))
            loss.backward()
            optimizer.step()
            total += loss.data.item() * len(batch)
        losses.append(total / len(images))
        progress.set_postfix(loss=losses[-1])
        if live:
            live(losses[-1])
    return losses
