"""A library with the learner's API in NumPy, any part of which a mistake can replace.

What a mistake computes on some input need not be guessed: the check's own code runs on this library with that mistake
in it, and the results are compared with the learner's (checks/evidence.py).

Without a mistake it is right, and computes what PyTorch does (oracle.py): where PyTorch is not installed, it is what
the learner's work is compared with.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np


class Array(np.ndarray):
    """Values. A single number is an array, too, into which one can write: NumPy's own results are none then."""

    data = property(lambda self: self)  # as of a tensor: a gradient may be one


def as_values(array: Any) -> Array:
    """An array, with the memory that it has."""
    return array if type(array) is Array else np.asarray(array).view(Array)


class Tensor:
    """Values, and the operation that made them: its name and its inputs."""

    ages = itertools.count()

    def __init__(self, library: Library, values: Any, requires_grad: bool = False, op: Any = None) -> None:
        self.library, self.values, self.requires_grad, self.op = library, as_values(values), requires_grad, op
        self.grad: Any = None
        self.age = next(self.ages)
        self.whole = False  # made of whole numbers only
        self.dtype = np.dtype(library.precision)

    @property
    def data(self) -> np.ndarray:
        return np.asarray(self.values).astype(self.dtype, copy=False)

    backward_op = property(lambda self: self.op)
    shape = property(lambda self: tuple(self.values.shape))
    strides = property(lambda self: self.library.strides(self.data))
    size = property(lambda self: self.library.size(self.data))

    def __getitem__(self, index: Any) -> Any:
        return np.array(self.values[index])

    def __setitem__(self, index: Any, value: Any) -> None:
        self.library.write(self, index, value)

    def backward(self, base: Tensor | None = None) -> None:
        if self.requires_grad or self.library.without_grad(self):
            upstream = np.ones_like(self.values) if base is None else self.library.start(base.values)
            self.library.walk(self.library, self, upstream)

    def __pow__(self, power: float) -> Tensor:
        return self.library.apply("pow", self, power)

    def __neg__(self) -> Tensor:
        return self.library.apply("neg", self)

    def __add__(self, other: Any) -> Tensor:
        return self.library.binary("add", self, other)

    def __sub__(self, other: Any) -> Tensor:
        return self.library.binary("sub", self, other)

    def __mul__(self, other: Any) -> Tensor:
        return self.library.binary("mul", self, other)

    def __truediv__(self, other: Any) -> Tensor:
        return self.library.binary("div", self, other)

    def __radd__(self, other: Any) -> Tensor:
        return self.library.reflected("add", self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return self.library.reflected("sub", self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return self.library.reflected("mul", self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return self.library.reflected("div", self, other)


class Parameter:
    def __init__(self, library: Library, tensor: Tensor) -> None:
        self.tensor = tensor
        tensor.requires_grad = True


class Module:
    """Its attributes are its parameters and modules."""

    def __init__(self, library: Library) -> None:
        self.library = library

    def current(self) -> list[tuple[str, Any]]:
        """The names and values of its parameters and modules."""
        return [(name, value) for name, value in vars(self).items() if isinstance(value, (Parameter, Module))]

    def parameters(self) -> list[Any]:
        return self.library.parameters(self)

    def __call__(self, x: Any) -> Any:
        return self.forward(x)


class Linear(Module):
    """The layer, weight as (inputs, outputs): with the numbers of the learner's own (`Library.given`), or zeros."""

    def __init__(self, library: Library, inputs: int, outputs: int) -> None:
        super().__init__(library)
        given = library.given or (np.zeros(n, library.precision) for n in ((inputs, outputs), outputs))
        self.weight, self.bias = (Tensor(library, np.array(array)) for array in given)
        self.own = [Parameter(library, tensor) for tensor in (self.weight, self.bias)]

    def parameters(self) -> list[Any]:
        return self.own

    def forward(self, x: Tensor) -> Tensor:
        return self.library.apply("linear", x, self.weight, self.bias)


class SGD:
    def __init__(self, library: Library, parameters: Any, lr: float = 1e-2) -> None:
        self.params, self.lr, self.library = library.listed(parameters), lr, library

    def zero_grad(self) -> None:
        self.library.zero_grad(self)

    def step(self) -> None:
        self.library.step(self)


class Library:
    """The right parts. A mistake replaces some of them.

    Attributes:
        values: operation to its function of arrays.
        rules: operation to its function of the upstream gradient and the arrays; one gradient for each array, or a
            function that makes it when it is needed.
        built: operation to how it is made of others: of the library and its inputs. No mistake, a style.
        cut: (operation, place) of inputs that the operation does not record.
        functions: what is written before there are tensors, by name.
        given: weight (inputs, outputs) and bias of the learner's Linear layer.
        precision: "float64" or "float32", of all values.
    """

    def __init__(self, given: Any = None, precision: str = "float64") -> None:
        self.given, self.precision = given, precision
        self.values: dict[str, Callable[..., Any]] = {
            "add": np.add,
            "sub": np.subtract,
            "mul": np.multiply,
            "div": np.divide,
            "pow": np.power,
            "neg": np.negative,
            "matmul": np.matmul,
            "linear": lambda x, w, b: x @ w + b,
            "relu": lambda x: x.clip(0),
            "mse": lambda y, t: ((y - t) ** 2).mean(),
            "sum": lambda x, axis: x.sum() if axis is None else x.sum(axis),
        }
        self.rules: dict[str, Callable[..., Any]] = {
            "add": lambda g, a, b: (g, g),
            "sub": lambda g, a, b: (g, -g),
            "mul": lambda g, a, b: (g * b, g * a),
            "div": lambda g, a, b: (g / b, -g * a / b**2),
            "pow": lambda g, a, n: (g * n * a ** (n - 1) if n else 0 * g,),
            "neg": lambda g, a: (-g,),
            "matmul": lambda g, a, b: (g @ b.T, rows(a).T @ rows(g)),
            "linear": lambda g, x, w, b: (g @ w.T, rows(x).T @ rows(g), rows(g).sum(0)),
            "relu": lambda g, x: (as_values(np.where(x > 0, g, 0.0)),),
            "mse": lambda g, y, t: (g * 2 * (y - t) / y.size, g * -2 * (y - t) / y.size),
            "sum": lambda g, x, axis: (np.broadcast_to(g if axis is None else np.expand_dims(g, axis), x.shape, True),),
        }
        self.built: dict[str, Callable[..., Tensor]] = {}
        self.cut: set[tuple[str, int]] = set()
        self.functions: dict[str, Callable[..., Any]] = {
            "answer": answer,
            "strides_of": strides_of,
            "numeric_derivative": numeric_derivative,
        }
        self.walk = waiting_for_all
        # "results", "numbers" or "both" that belong to whole tensors, or "data" of any, "data alone" without a dtype
        self.truncates = ""

    # -------- parts of the tensor

    def names(self) -> dict[str, Any]:
        """The names of the learner's API."""
        return {
            "MyTensor": self.tensor,
            "Parameter": functools.partial(Parameter, self),
            "MyModule": functools.partial(Module, self),
            "matmul": functools.partial(self.apply, "matmul"),
            "Linear": functools.partial(Linear, self),
            "ReLU": lambda: functools.partial(self.apply, "relu"),
            "SGD": functools.partial(SGD, self),
            "MSELoss": lambda: functools.partial(self.apply, "mse"),
            "sum": lambda x, axis=None: self.apply("sum", x, axis),
            "np": np,
            "held": held,
            "unbroadcast": lambda gradient, shape: self.unbroadcast(as_values(gradient), shape, "add", 0),
            **{f"{op}_deriv": functools.partial(self.rule, op) for op in ("sub", "mul", "div", "pow")},
            **self.functions,
        }

    def plain(self, value: Any) -> Any:
        """A result of this library as NumPy and Python values."""
        value = value.values if isinstance(value, Tensor) else value
        return np.array(value) if isinstance(value, np.ndarray) else value

    def tensor(self, data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
        array = np.asarray(data)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"numbers, not {array.dtype}")
        if self.truncates == "data" or (self.truncates == "data alone" and dtype is None):
            array = np.trunc(array)
        tensor = Tensor(self, array.astype(self.precision), requires_grad)
        tensor.whole = array.dtype.kind in "iu"
        kept = array.dtype.kind == "f" and self.precision == "float64"
        tensor.dtype = np.dtype(dtype or (array.dtype if kept else self.precision))
        return tensor

    def strides(self, data: np.ndarray) -> tuple[int, ...]:
        return data.strides

    def size(self, data: np.ndarray) -> Any:
        return data.size

    def write(self, tensor: Tensor, index: Any, value: Any) -> None:
        tensor.values[index] = value

    # -------- parts of an operation

    def apply(self, op: str, *inputs: Any) -> Tensor:
        if op in self.built:
            return self.built[op](self, *inputs)
        tensors = [x for x in inputs if isinstance(x, Tensor)]
        values = self.values[op](*(x.values if isinstance(x, Tensor) else x for x in inputs))
        whole = all(x.whole for x in tensors) and self.truncates in ("results", "both")
        needed = self.needs(op, tensors)
        result = Tensor(self, np.trunc(values) if whole else values, needed)
        result.op = (op, inputs) if self.records(op, needed) else None
        result.whole = whole
        return result

    def needs(self, op: str, tensors: list[Tensor]) -> bool:
        return any(x.requires_grad for x in tensors)

    def records(self, op: str, needed: bool) -> bool:
        return needed

    def binary(self, op: str, left: Tensor, other: Any) -> Tensor:
        return self.apply(op, left, other if isinstance(other, Tensor) else self.wrap(left, other))

    def reflected(self, op: str, right: Tensor, number: float) -> Tensor:
        return self.apply(op, self.wrap(right, number), right)

    def wrap(self, beside: Tensor, number: float) -> Tensor:
        return self.tensor(int(number) if beside.whole and self.truncates in ("numbers", "both") else number)

    # -------- parts of backward

    def start(self, base: Any) -> Any:
        """What backward(base) starts with."""
        return base

    def without_grad(self, tensor: Tensor) -> bool:
        """Whether backward() goes on for a tensor that requires no gradient."""
        return False

    def follows(self, tensor: Tensor) -> bool:
        return tensor.requires_grad

    def inputs(self, tensor: Tensor) -> Iterator[tuple[int, Tensor]]:
        op, inputs = tensor.op or ("", ())
        for place, x in enumerate(inputs):
            if isinstance(x, Tensor) and self.follows(x) and (op, place) not in self.cut:
                yield place, x

    def rule(self, op: str, base: np.ndarray, *inputs: Any) -> tuple[Any, ...]:
        """What the rule of an operator returns that is called by itself: one gradient for each input."""
        arrays = [x.values if isinstance(x, Tensor) else x for x in inputs]
        shares = self.rules[op](as_values(np.array(base)), *arrays)
        if op == "pow":
            return self.share(op, shares, 0, ()), None
        return tuple(self.share(op, shares, place, tuple(x.shape)) for place, x in enumerate(arrays))

    def share(self, op: str, shares: Sequence[Any], place: int, shape: tuple[int, ...]) -> Any:
        """What the rule of an operation gives the input at a place, which has a shape."""
        share = shares[place]() if callable(shares[place]) else shares[place]
        return self.unbroadcast(share, shape, op, place) if op in ("add", "sub", "mul", "div") else share

    def shares(self, tensor: Tensor, gradient: Any) -> Iterator[tuple[Tensor, Any]]:
        """What an operation hands to its inputs."""
        op, inputs = tensor.op
        arrays = [x.values if isinstance(x, Tensor) else x for x in inputs]
        shares = self.rules[op](gradient, *arrays)
        for place, x in self.inputs(tensor):
            yield x, self.share(op, shares, place, x.shape)

    def unbroadcast(self, gradient: Any, shape: tuple[int, ...], op: str, place: int) -> Any:
        """What fits is handed on itself, not a copy: who adds into it changes what others hold, too."""
        return summed_to(gradient, shape)

    def merge(self, old: Any, new: Any) -> Any:
        """Two contributions to one tensor, in one walk."""
        return old + new

    def keep(self, leaf: Tensor, gradient: Any) -> None:
        """What arrives at a leaf."""
        leaf.grad = gradient.copy() if leaf.grad is None else leaf.grad + gradient

    # -------- parts of modules and of the optimizer

    def parameters(self, module: Module) -> list[Any]:
        found: list[Any] = []
        for _, value in module.current():
            found += value.parameters() if isinstance(value, Module) else [value]
        return list(dict.fromkeys(found))

    def listed(self, parameters: Any) -> Any:
        return list(parameters)

    def zero_grad(self, optimizer: SGD) -> None:
        for parameter in optimizer.params:
            parameter.tensor.grad = None

    def step(self, optimizer: SGD) -> None:
        for parameter in optimizer.params:
            if parameter.tensor.grad is not None:
                self.move(optimizer, parameter, parameter.tensor.values, parameter.tensor.grad)

    def move(self, optimizer: SGD, parameter: Parameter, values: Any, gradient: Any) -> None:
        values -= optimizer.lr * gradient


def held(parameters: Any) -> str:
    """What parameters hold, in no order, as checks write it."""
    return repr(sorted((parameter.tensor.data.tolist() for parameter in parameters), key=repr))


def answer(scores: list[float]) -> int:
    """The place of the highest score."""
    return int(np.argmax(scores))


def strides_of(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """The strides that NumPy gives a new array."""
    return np.empty(shape, f"V{itemsize}").strides


def numeric_derivative(f: Callable[[Any], Any], x: Any, h: float = 1e-5) -> Any:
    """The central difference, as the mean of the differences to both sides; no digits that are rounding alone."""
    there = f(x)
    found = np.round(((f(x + h) - there) / h + (there - f(x - h)) / h) / 2, 8)
    return found if found.ndim else found.item()


def summed_to(gradient: Any, shape: tuple[int, ...]) -> Any:
    """The sum over the axes along which something of this shape was stretched; where none was, the gradient itself.

    Raises:
        ValueError: where nothing of this shape can be stretched to the gradient's.
    """
    if gradient.shape == shape:
        return gradient
    if np.broadcast_shapes(gradient.shape, shape) != gradient.shape:
        raise ValueError(f"a gradient of shape {gradient.shape} cannot be summed to {shape}")
    gradient = gradient.sum(tuple(range(gradient.ndim - len(shape))))
    stretched = tuple(axis for axis, n in enumerate(shape) if n == 1 != gradient.shape[axis])
    return gradient.sum(stretched, keepdims=True) if stretched else gradient


STEP = 1e-6  # of a difference
JUMP = 1e4  # no slope is as steep


def derived(function: Callable[..., Any], base: Any, *inputs: Any) -> tuple[Any, ...]:
    """The gradients of any function, for each of its inputs that is an array, from the upstream gradient.

    They are differences, to both sides: close enough for what is only ever compared. Where a function jumps, as
    rounding does, its slope is that of the side that does not.

    Raises:
        ValueError: where the upstream gradient has not the result's shape.
    """
    there = np.asarray(function(*inputs))
    if there.shape != base.shape:
        raise ValueError(f"an upstream gradient of shape {base.shape}, for a result of shape {there.shape}")
    found = []
    for place, x in enumerate(inputs):
        if not isinstance(x, np.ndarray):
            continue
        gradient = np.zeros(x.shape)
        for index in np.ndindex(x.shape):
            sides = []
            for step in (STEP, -STEP):
                moved = x.copy()
                moved[index] += step
                sides.append((np.asarray(function(*inputs[:place], moved, *inputs[place + 1 :])) - there) / step)
            one, other = sides
            flat = np.where(abs(one) < abs(other), one, other)
            gradient[index] = (np.where(abs(one - other) > JUMP, flat, (one + other) / 2) * np.asarray(base)).sum()
        found.append(as_values(gradient))
    return tuple(found)


def rows(x: Any) -> Any:
    """A single row as a batch of one."""
    return x if x.ndim == 2 else x[None]


def waiting_for_all(library: Library, result: Tensor, base: Any) -> None:
    """The right walk: a tensor hands its gradient on when all its consumers have sent theirs (Kahn 1962)."""
    arrived, ready, waits = {result: base}, [result], consumers(library, result)
    while ready:
        tensor = ready.pop()
        gradient = arrived.pop(tensor)
        if tensor.op is None:
            library.keep(tensor, gradient)
            continue
        for x, share in library.shares(tensor, gradient):
            arrived[x] = library.merge(arrived[x], share) if x in arrived else share
            waits[x] -= 1
            if waits[x] == 0:
                ready.append(x)


def consumers(library: Library, result: Tensor) -> dict[Tensor, int]:
    """How often each tensor below `result` is an input."""
    counts, stack = {result: 0}, [result]
    while stack:
        for _, x in library.inputs(stack.pop()):
            if x not in counts:
                counts[x] = 0
                stack.append(x)
            counts[x] += 1
    return counts
