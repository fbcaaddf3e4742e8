"""A library with the learner's API, any part of which a mistake can replace.

What a mistake computes on some input need not be guessed: the check's own code runs on this library with that mistake
in it, and the results are compared with the learner's (checks/evidence.py). The arithmetic is PyTorch's; the engine is
our own, because most mistakes live there.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from workshop import oracle


class Tensor:
    """Values (a torch.Tensor in float64), and the operation that made them: its name and its inputs."""

    ages = itertools.count()

    def __init__(self, library: Library, values: Any, requires_grad: bool = False, op: Any = None) -> None:
        self.library, self.values, self.requires_grad, self.op = library, values, requires_grad, op
        self.grad: Any = None
        self.age = next(self.ages)
        self.whole = False  # made of whole numbers only
        self.dtype = np.dtype(np.float64)

    @property
    def data(self) -> np.ndarray:
        return self.values.numpy().astype(self.dtype, copy=False)

    backward_op = property(lambda self: self.op)
    shape = property(lambda self: tuple(self.values.shape))
    strides = property(lambda self: self.library.strides(self.data))
    size = property(lambda self: self.library.size(self.data))

    def __getitem__(self, index: Any) -> Any:
        return self.values[index].clone()

    def __setitem__(self, index: Any, value: Any) -> None:
        self.library.write(self, index, value)

    def backward(self, base: Tensor | None = None) -> None:
        if self.requires_grad or self.library.without_grad(self):
            torch = self.library.torch
            upstream = torch.ones(self.shape, dtype=torch.float64) if base is None else self.library.start(base.values)
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


class Linear:
    """The layer, with the weight and bias that the learner's own had (`Library.given`), weight as (inputs, outputs)."""

    def __init__(self, library: Library, inputs: int, outputs: int) -> None:
        weight, bias = library.given
        torch = library.torch
        self.library = library
        self.weight = Tensor(library, torch.tensor(weight), requires_grad=True)
        self.bias = Tensor(library, torch.tensor(bias), requires_grad=True)

    def __call__(self, x: Tensor) -> Tensor:
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
    """

    def __init__(self, given: Any = None) -> None:
        torch = self.torch = oracle.load()
        self.given = given
        self.values: dict[str, Callable[..., Any]] = {
            "add": torch.add,
            "sub": torch.sub,
            "mul": torch.mul,
            "div": torch.div,
            "pow": torch.pow,
            "neg": torch.neg,
            "matmul": torch.matmul,
            "linear": lambda x, w, b: x @ w + b,
            "relu": lambda x: x.clamp(min=0),
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
            "relu": lambda g, x: (g * (x > 0),),
            "mse": lambda g, y, t: (g * 2 * (y - t) / y.numel(), g * -2 * (y - t) / y.numel()),
            "sum": lambda g, x, axis: ((g if axis is None else g.reshape(x.sum(axis, True).shape)).expand(x.shape),),
        }
        self.built: dict[str, Callable[..., Tensor]] = {}
        self.cut: set[tuple[str, int]] = set()
        self.functions: dict[str, Callable[..., Any]] = {
            "answer": oracle.answer,
            "strides_of": oracle.strides_of,
            "numeric_derivative": oracle.numeric_derivative,
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
            "unbroadcast": lambda gradient, shape: self.unbroadcast(self.torch.from_numpy(gradient), shape, "add", 0),
            **{f"{op}_deriv": functools.partial(self.rule, op) for op in ("sub", "mul", "div", "pow")},
            **self.functions,
        }

    def plain(self, value: Any) -> Any:
        """A result of this library as NumPy and Python values."""
        return oracle.plain(value.values if isinstance(value, Tensor) else value)

    def tensor(self, data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
        array = np.asarray(data)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"numbers, not {array.dtype}")
        if self.truncates == "data" or (self.truncates == "data alone" and dtype is None):
            array = np.trunc(array)
        tensor = Tensor(self, self.torch.from_numpy(array.astype(np.float64)), requires_grad)
        tensor.whole = array.dtype.kind in "iu"
        tensor.dtype = np.dtype(dtype or (array.dtype if array.dtype.kind == "f" else np.float64))
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
        result = Tensor(self, values.trunc() if whole else values, needed)
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
        shares = self.rules[op](self.torch.tensor(base), *arrays)
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
        return gradient if tuple(gradient.shape) == shape else gradient.sum_to_size(shape)

    def merge(self, old: Any, new: Any) -> Any:
        """Two contributions to one tensor, in one walk."""
        return old + new

    def keep(self, leaf: Tensor, gradient: Any) -> None:
        """What arrives at a leaf."""
        leaf.grad = gradient.clone() if leaf.grad is None else leaf.grad + gradient

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
