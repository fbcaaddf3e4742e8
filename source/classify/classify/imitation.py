"""A library with the learner's API, any part of which a mistake can replace.

The engine is the first notebook's (workshop/imitation.py): rules here may give what they like, in any shape, and
PyTorch's own engine would refuse that. Without a mistake it computes what PyTorch does (oracle.py), and is asked where
PyTorch is not installed.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workshop import imitation
from workshop.imitation import Array, Parameter, as_values

Change = Callable[["Library"], None]


class Tensor(imitation.Tensor):
    """A tensor with the functions that this notebook adds."""

    def exp(self) -> Tensor:
        return self.library.apply("exp", self)

    def log(self) -> Tensor:
        return self.library.apply("log", self)

    def sum(self, axis: int | None = None, keepdims: bool = False) -> Tensor:
        return self.library.apply("sum", self, axis, keepdims)

    def mean(self, axis: int | None = None, keepdims: bool = False) -> Tensor:
        return self.library.apply("mean", self, axis, keepdims)

    def max(self, axis: int | None = None, keepdims: bool = False) -> Tensor:
        return self.library.apply("max", self, axis, keepdims)


class Module(imitation.Module):
    """A module with a mode, and a state that can be saved."""

    def __init__(self, library: Library) -> None:
        super().__init__(library)
        self.training = library.first_mode

    def train(self) -> Any:
        return self.library.set_mode(self, True)

    def eval(self) -> Any:
        return self.library.set_mode(self, False)

    def state_dict(self) -> Any:
        return self.library.saved(self)

    def load_state_dict(self, state: Any) -> None:
        self.library.load(self, state)


class Dropout(Module):
    def __init__(self, library: Library, p: float = 0.5) -> None:
        super().__init__(library)
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        return self.library.drop(self, x)


class Sequential(Module):
    def __init__(self, library: Library, *modules: Any) -> None:
        super().__init__(library)
        for number, module in enumerate(modules):
            setattr(self, library.part_name(number), module)

    def forward(self, x: Tensor) -> Tensor:
        for module in self.library.in_order([each for _, each in self.current()]):
            x = module(x)
        return x


class NoGrad:
    """What `with no_grad():` does."""

    def __init__(self, library: Library) -> None:
        self.library = library

    def __enter__(self) -> None:
        self.before, self.library.recording = self.library.recording, False

    def __exit__(self, *error: Any) -> bool:
        self.library.leave(self, error[0] is not None)
        return self.library.swallows


class Optimizer:
    """An optimizer of some kind: its settings, and what it keeps for each parameter."""

    def __init__(self, library: Library, kind: str, defaults: dict[str, Any], parameters: Any, *args: Any, **more: Any):
        self.library, self.kind = library, kind
        self.params = library.taken(kind, parameters)
        self.__dict__.update({**defaults, **dict(zip(defaults, args, strict=False)), **more})
        self.states: dict[Any, dict[str, Any]] = {}

    def zero_grad(self) -> None:
        self.library.zero_grad(self)

    def step(self) -> None:
        self.library.step(self)


BETAS = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8}
DEFAULTS = {
    "SGD": {"lr": 1e-2, "momentum": 0.0, "weight_decay": 0.0},
    "Adam": {**BETAS, "weight_decay": 0.0},
    "AdamW": {**BETAS, "weight_decay": 0.01},
}


def sgd(o: Any, w: Any, g: Any, s: dict[str, Any]) -> None:
    """One step of SGD: of a parameter's values `w`, in place, with its gradient, and what is kept for it."""
    g = g + o.weight_decay * w
    s["b"] = o.momentum * s["b"] + g if "b" in s else g
    w -= o.lr * s["b"]


def to_gradient(o: Any, w: Any, g: Any) -> Any:
    """Adam's weight decay."""
    return g + o.weight_decay * w


def to_weight(o: Any, w: Any, g: Any) -> Any:
    """AdamW's."""
    w *= 1 - o.lr * o.weight_decay
    return g


def adam(
    decay: Callable[..., Any] = to_gradient,
    first: Callable[..., Any] = lambda m, g, b: b * m + (1 - b) * g,
    second: Callable[..., Any] = lambda v, g, b: b * v + (1 - b) * g**2,
    hat: Callable[..., Any] = lambda m, b, t: m / (1 - b**t),
    hat_v: Callable[..., Any] | None = None,
    scaled: Callable[..., Any] = lambda m, v, eps: m / (np.sqrt(v) + eps),
    count: int = 1,
    stores: bool = False,
    late: bool = False,
    eps_too: bool = False,
    of_mean: bool = False,
) -> Callable[..., None]:
    """One step of Adam, any part of which may be another: `count` is the number of the first step, `stores` keeps the
    corrected moments, `late` decays after the step, `eps_too` corrects eps with the second moment, which
    is one `of_mean` where it is made of the first."""

    def step(o: Any, w: Any, g: Any, s: dict[str, Any]) -> None:
        if not late:
            g = decay(o, w, g)
        t = s["t"] = s.get("t", count - 1) + 1
        m = s["m"] = first(s.get("m", 0 * g), g, o.betas[0])
        v = s["v"] = second(s.get("v", 0 * g), s["m"] if of_mean else g, o.betas[1])
        m, v = hat(m, o.betas[0], t), (hat_v or hat)(v, o.betas[1], t)
        if stores:
            s["m"], s["v"] = m, v
        w -= o.lr * scaled(m, v, o.eps / (1 - o.betas[1] ** t) ** 0.5 if eps_too else o.eps)
        if late:
            decay(o, w, g)

    return step


class Library(imitation.Library):
    """The right parts. A mistake replaces some of them, beside those of the first notebook.

    Attributes:
        recording: whether results are recorded now.
        swallows: whether no_grad swallows exceptions.
        first_mode: whether new modules are in training mode.
        moves: optimizer to its step: of the optimizer, a parameter's values, its gradient and what is kept for it.
        defaults: optimizer to its settings, in order, with what they are when nothing is said.
    """

    kind: type[Tensor] = Tensor  # of all tensors

    def __init__(self, given: Any = None, precision: str = "float64") -> None:
        super().__init__(given, precision)
        self.recording, self.swallows, self.first_mode = True, False, True
        self.values |= {
            "exp": np.exp,
            "log": np.log,
            "sum": lambda x, axis, keepdims=False: x.sum(axis, keepdims=keepdims),
            "mean": lambda x, axis, keepdims: x.mean(axis, keepdims=keepdims),
            "max": lambda x, axis, keepdims: x.max(axis, keepdims=keepdims),
            "softmax": softmax,
            "log_softmax": log_softmax,
            "cross_entropy": lambda x, labels: -(log_softmax(x, -1) * one_hot(labels, x.shape[1])).sum(1).mean(),
        }
        self.rules |= {
            "exp": lambda g, x: (g * np.exp(x),),
            "log": lambda g, x: (g / x,),
            "sum": lambda g, x, axis, keepdims=False: (repeated(g, x, axis),),
            "mean": lambda g, x, axis, keepdims: (repeated(g, x, axis) * g.size / x.size,),
            "max": lambda g, x, axis, keepdims: (to_largest(g, x, axis),),
            "softmax": lambda g, x, axis: (to_scores(g, softmax(x, axis), axis),),
            "log_softmax": lambda g, x, axis: (g - softmax(x, axis) * g.sum(axis, keepdims=True),),
            "cross_entropy": lambda g, x, labels: (g * (softmax(x, -1) - one_hot(labels, x.shape[1])) / len(x),),
        }
        self.moves: dict[str, Callable[..., None]] = {"SGD": sgd, "Adam": adam(), "AdamW": adam(to_weight)}
        self.defaults = dict(DEFAULTS)

    def define(self, op: str, function: Callable[..., Any]) -> None:
        """An operation by what it computes of arrays; its rule follows."""
        self.values[op], self.rules[op] = function, derived(function)

    def names(self) -> dict[str, Any]:
        return {
            **super().names(),
            "MyModule": functools.partial(Module, self),
            "softmax": lambda x, axis=-1: self.apply("softmax", x, axis),
            "log_softmax": lambda x, axis=-1: self.apply("log_softmax", x, axis),
            "CrossEntropyLoss": lambda: functools.partial(self.apply, "cross_entropy"),
            **{kind: functools.partial(Optimizer, self, kind, self.defaults[kind]) for kind in DEFAULTS},
            "Dropout": functools.partial(Dropout, self),
            "no_grad": functools.partial(NoGrad, self),
            "Sequential": functools.partial(Sequential, self),
            "kaiming_normal": self.fill,
        }

    def tensor(self, data: Any, dtype: Any = None, requires_grad: bool = False) -> Any:
        return self.grown(super().tensor(data, dtype, requires_grad))

    def apply(self, op: str, *inputs: Any) -> Any:
        result = super().apply(op, *inputs)
        return self.grown(result) if type(result) is imitation.Tensor else result

    def grown(self, tensor: Any) -> Any:
        tensor.__class__ = self.kind
        return tensor

    def needs(self, op: str, tensors: list[Any]) -> bool:
        return self.recording and super().needs(op, tensors)

    # -------- parts of optimizers

    def taken(self, kind: str, parameters: Any) -> Any:
        """What an optimizer keeps of the parameters it is given."""
        return list(parameters)

    def key(self, optimizer: Any, parameter: Any) -> Any:
        """What the state of a parameter is kept under."""
        return parameter

    def step(self, optimizer: Any) -> None:
        for parameter in optimizer.params:
            if parameter.tensor.grad is not None:
                self.move(optimizer, parameter, parameter.tensor.values, parameter.tensor.grad)

    def move(self, optimizer: Any, parameter: Any, values: Any, gradient: Any) -> None:
        state = optimizer.states.setdefault(self.key(optimizer, parameter), {})
        self.moves[optimizer.kind](optimizer, values, gradient, state)

    # -------- parts of modes

    def set_mode(self, module: Module, training: bool) -> Any:
        module.training = training
        for _, each in module.current():
            if isinstance(each, Module):
                self.set_mode(each, training)
        return module

    def drop(self, dropout: Dropout, x: Tensor) -> Tensor:
        if not dropout.training:
            return x
        kept = (np.random.random(x.shape) >= dropout.p) / (1 - dropout.p if dropout.p < 1 else 1)
        return x * self.tensor(kept)

    def leave(self, block: NoGrad, raised: bool) -> None:
        self.recording = block.before

    # -------- parts of networks

    def part_name(self, number: int) -> str:
        return str(number)

    def in_order(self, modules: list[Any]) -> Sequence[Any]:
        return modules

    def fill(self, parameter: Any) -> None:
        values = parameter.tensor.values
        deviation = np.sqrt(2 / values.shape[0])
        values[...] = np.random.normal(0, deviation, values.shape)

    def state(self, module: Module, before: str = "") -> dict[str, Any]:
        """All parameters by their names."""
        found: dict[str, Any] = {}
        for name, each in module.current():
            found |= self.state(each, f"{before}{name}.") if isinstance(each, Module) else {before + name: each}
        return found

    def saved(self, module: Module) -> Any:
        return {name: np.array(each.tensor.values) for name, each in self.state(module).items()}

    def load(self, module: Module, state: Any) -> None:
        own = self.state(module)
        self.refuse(own, state)
        for name, values in state.items():
            self.write_state(own[name], values)

    def refuse(self, own: dict[str, Any], state: Any) -> None:
        if own.keys() != state.keys():
            raise KeyError("names that do not fit")
        if any(own[name].tensor.shape != np.shape(state[name]) for name in own):
            raise ValueError("arrays that do not fit")

    def write_state(self, parameter: Any, values: Any) -> None:
        parameter.tensor.values[...] = values


# ---------------------------------------------------------------- functions of arrays, and their rules


def softmax(x: Any, axis: Any) -> Any:
    powers = np.exp(x - constant(x).max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def log_softmax(x: Any, axis: Any) -> Any:
    shifted = x - constant(x).max(axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


def one_hot(labels: Any, classes: int) -> np.ndarray:
    """Shape (rows, classes): 1 at each row's label, 0 elsewhere."""
    return np.eye(classes)[np.asarray(labels).astype(int)]


def back(g: Any, x: Any, axis: Any) -> Any:
    """An upstream gradient with the axes that were summed away, of length 1."""
    shape = [1 if axis is None or place == axis % x.ndim else length for place, length in enumerate(x.shape)]
    return g.reshape(shape)


def repeated(g: Any, x: Any, axis: Any) -> Any:
    return np.broadcast_to(back(g, x, axis), x.shape, True)


def is_largest(x: Any, axis: Any) -> Any:
    return x == x.max(axis, keepdims=True)


def to_largest(g: Any, x: Any, axis: Any) -> Any:
    """Where several are the largest, they share the gradient."""
    ties = is_largest(x, axis)
    return back(g, x, axis) * ties / ties.sum(axis, keepdims=True)


def to_scores(g: Any, p: Any, axis: Any) -> Any:
    return p * (g - (g * p).sum(axis, keepdims=True))


class Traced(Tensor):
    """Stands for an array in a function whose rule is looked for: what NumPy computes of it, it remembers."""

    ndim = property(lambda self: self.values.ndim)

    def __len__(self) -> int:
        return len(self.values)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any) -> Traced:
        return self.library.apply(UFUNCS[ufunc], *inputs)

    def __rpow__(self, base: float) -> Traced:
        return np.exp(self * np.log(base))

    def min(self, axis: int | None = None, keepdims: bool = False) -> Traced:
        return -((-self).max(axis, keepdims))

    def reshape(self, *shape: int) -> Traced:
        return self.library.apply("reshape", self, shape)


UFUNCS = {
    np.add: "add",
    np.subtract: "sub",
    np.multiply: "mul",
    np.divide: "div",
    np.matmul: "matmul",
    np.exp: "exp",
    np.log: "log",
    np.abs: "abs",
    np.maximum: "maximum",
}


class Tracing(Library):
    """What a function of arrays computes, with the rules of a few more operations."""

    kind = Traced

    def __init__(self) -> None:
        super().__init__()
        self.values |= {"abs": np.abs, "maximum": np.maximum, "reshape": lambda x, shape: x.reshape(shape)}
        self.rules |= {
            "abs": lambda g, x: (g * np.sign(x),),
            "maximum": lambda g, x, least: (g * (x >= least),),
            "reshape": lambda g, x, shape: (g.reshape(x.shape),),
        }


def constant(x: Any) -> Any:
    """Values, of which the rule of a function that is looked for knows nothing."""
    return x.values if isinstance(x, Traced) else x


def derived(function: Callable[..., Any]) -> Callable[..., Any]:
    """The rule that belongs to a function: one gradient for each input, None for what are no values of a tensor."""

    def rule(g: Any, *inputs: Any) -> tuple[Any, ...]:
        library = tracing()
        leaves = [Traced(library, x, requires_grad=True) if isinstance(x, Array) else x for x in inputs]
        result = function(*leaves)
        if result.shape != g.shape:
            raise ValueError(f"an upstream gradient of shape {g.shape}, for a result of shape {result.shape}")
        library.walk(library, result, as_values(g))
        return tuple(_gradient(leaf) if isinstance(leaf, Traced) else None for leaf in leaves)

    return rule


@functools.cache
def tracing() -> Tracing:
    return Tracing()


def _gradient(leaf: Traced) -> Any:
    return 0 * leaf.values if leaf.grad is None else leaf.grad


# ---------------------------------------------------------------- how to change a library


def defines(op: str, function: Callable[..., Any]) -> Change:
    """The operation computes this, and its gradient is that of what it computes."""
    return lambda library: library.define(op, function)


def rule(op: str, wrong: Callable[..., Any]) -> Change:
    """The operation hands this back, of the upstream gradient and its inputs; where it takes a `right`, of the right
    rule, too."""

    def change(library: Library) -> None:
        right = library.rules[op]
        takes_right = next(iter(inspect.signature(wrong).parameters)) == "right"

        def replaced(g: Any, *inputs: Any) -> tuple[Any, ...]:
            share = wrong(lambda g: right(g, *inputs)[0], g, *inputs) if takes_right else wrong(g, *inputs)
            return (share, *[None] * (len(inputs) - 1))

        library.rules[op] = replaced

    return change


def part(**parts: Any) -> Change:
    """Replace parts."""
    return lambda library: library.__dict__.update(parts)


def moves(**steps: Callable[..., None]) -> Change:
    """Replace what steps of optimizers do."""
    return lambda library: library.moves.update(steps)


def both(*changes: Change) -> Change:
    def change(library: Library) -> None:
        for one in changes:
            one(library)

    return change


__all__ = ["Library", "Module", "Parameter", "Tensor", "adam", "both", "defines", "moves", "part", "rule"]
