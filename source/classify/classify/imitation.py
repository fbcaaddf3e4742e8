"""A library with the learner's API, any part of which a mistake can replace.

The engine is the first notebook's (workshop/imitation.py): rules here may give what they like, in any shape, and
PyTorch's own engine would refuse that. The arithmetic is PyTorch's.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workshop import imitation
from workshop.imitation import Parameter

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
    scaled: Callable[..., Any] = lambda m, v, eps: m / (v.sqrt() + eps),
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

    def __init__(self, given: Any = None) -> None:
        super().__init__(given)
        torch = self.torch
        self.recording, self.swallows, self.first_mode = True, False, True
        self.define("exp", torch.exp)
        self.define("log", torch.log)
        self.define("sum", lambda x, axis, keepdims: x.sum(every(x, axis), keepdims))
        self.define("mean", lambda x, axis, keepdims: x.mean(every(x, axis), keepdims))
        self.define("max", lambda x, axis, keepdims: x.amax(every(x, axis), keepdims))
        self.define("softmax", torch.softmax)
        self.define("log_softmax", torch.log_softmax)
        self.define("cross_entropy", lambda x, labels: torch.nn.functional.cross_entropy(x, whole(torch, labels)))
        self.moves: dict[str, Callable[..., None]] = {"SGD": sgd, "Adam": adam(), "AdamW": adam(to_weight)}
        self.defaults = dict(DEFAULTS)

    def define(self, op: str, function: Callable[..., Any]) -> None:
        """An operation by what it computes of arrays; its rule follows."""
        self.values[op], self.rules[op] = function, derived(self.torch, function)

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
        return _grown(super().tensor(data, dtype, requires_grad))

    def apply(self, op: str, *inputs: Any) -> Any:
        result = super().apply(op, *inputs)
        return _grown(result) if type(result) is imitation.Tensor else result

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
        values.copy_(self.torch.from_numpy(np.random.normal(0, deviation, tuple(values.shape))))

    def state(self, module: Module, before: str = "") -> dict[str, Any]:
        """All parameters by their names."""
        found: dict[str, Any] = {}
        for name, each in module.current():
            found |= self.state(each, f"{before}{name}.") if isinstance(each, Module) else {before + name: each}
        return found

    def saved(self, module: Module) -> Any:
        return {name: each.tensor.values.numpy().copy() for name, each in self.state(module).items()}

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
        parameter.tensor.values.copy_(self.torch.from_numpy(np.array(values)))


def _grown(tensor: Any) -> Any:
    tensor.__class__ = Tensor
    return tensor


def every(x: Any, axis: Any) -> Any:
    """PyTorch's word for an axis: all of them, where it is None."""
    return tuple(range(x.ndim)) if axis is None else axis


def whole(torch: Any, labels: Any) -> Any:
    return torch.from_numpy(np.asarray(labels).astype(np.int64))


def derived(torch: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """The rule that belongs to a function: one gradient for each input, None for what is no array."""

    def rule(g: Any, *inputs: Any) -> tuple[Any, ...]:
        leaves = [x.detach().clone().requires_grad_() if isinstance(x, torch.Tensor) else x for x in inputs]
        tensors = [x for x in leaves if isinstance(x, torch.Tensor)]
        found = iter(torch.autograd.grad(function(*leaves), tensors, g))
        return tuple(next(found) if isinstance(x, torch.Tensor) else None for x in leaves)

    return rule


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
