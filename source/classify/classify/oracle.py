"""PyTorch behind the learner's API: what a check's code computes there is what it should compute.

Where PyTorch is not installed, the library without a mistake (imitation.py) is asked in its place.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy as np

from checks.oracle import Oracle, load, plain
from classify.imitation import Library
from workshop import oracle as workshop


def arithmetic(optimizer: str) -> Any:
    """What an optimizer of PyTorch computes in a step. (Its class imports half of PyTorch, which takes seconds.)"""
    return getattr(importlib.import_module(f"torch.optim.{optimizer}"), optimizer)


@functools.cache
def in_pytorch(precision: str = "float64") -> dict[str, Any]:
    """The names of the learner's API, made of PyTorch; those of the first notebook, and what this one adds."""
    torch = load()
    engine = workshop.in_pytorch(precision)
    tensor_of = engine["MyTensor"]
    functional = torch.nn.functional

    class Tensor(type(tensor_of(0.0))):  # type: ignore[misc]
        """A tensor of PyTorch, with the notebook's words where PyTorch has others."""

        def sum(self, axis: int | None = None, keepdims: bool = False) -> Any:
            return super().sum(axis=axis, keepdims=keepdims)

        def mean(self, axis: int | None = None, keepdims: bool = False) -> Any:
            return super().mean(axis=axis, keepdims=keepdims)

        def max(self, axis: int | None = None, keepdims: bool = False) -> Any:
            """`amax`: where several are the largest, they share the gradient."""
            return self.amax(tuple(range(self.ndim)) if axis is None else axis, keepdims)

        @property
        def tensor(self) -> Any:
            """As a parameter: PyTorch's are tensors, the notebook's hold one, which may be replaced."""
            return self

        @tensor.setter
        def tensor(self, other: Any) -> None:
            self.data = other.data
            self.grad = other.grad

    def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Any:
        return tensor_of(data).as_subclass(Tensor).requires_grad_(requires_grad)

    class CrossEntropyLoss:
        def __call__(self, scores: Any, labels: np.ndarray) -> Any:
            return functional.cross_entropy(scores, torch.from_numpy(labels.astype(np.int64)))

    class Optimizer:
        """One of PyTorch's: the same arithmetic, and what is kept for each parameter."""

        def __init__(self, parameters: Any, lr: float, **settings: Any) -> None:
            self.params, self.lr, self.settings = list(parameters), lr, settings
            self.state: dict[int, list[Any]] = {}

        def zero_grad(self) -> None:
            for parameter in self.params:
                parameter.grad = None

        @torch.no_grad()
        def step(self) -> None:
            for at, parameter in enumerate(self.params):
                if parameter.grad is not None:
                    weight, gradient = (x.as_subclass(torch.Tensor) for x in (parameter.detach(), parameter.grad))
                    self.move(weight, gradient, at)

    class SGD(Optimizer):
        def __init__(self, parameters: Any, lr: float, momentum: float = 0.0, weight_decay: float = 0.0) -> None:
            super().__init__(parameters, lr, momentum=momentum, weight_decay=weight_decay)

        def move(self, weight: Any, gradient: Any, at: int) -> None:
            arithmetic("sgd")(
                [weight],
                [gradient],
                self.state.setdefault(at, [None]),
                lr=self.lr,
                dampening=0,
                nesterov=False,
                maximize=False,
                foreach=False,
                **self.settings,
            )

    class Adam(Optimizer):
        function = staticmethod(arithmetic("adam"))

        def __init__(
            self,
            parameters: Any,
            lr: float = 1e-3,
            betas: tuple[float, float] = (0.9, 0.999),
            eps: float = 1e-8,
            weight_decay: float = 0.0,
        ) -> None:
            super().__init__(parameters, lr, beta1=betas[0], beta2=betas[1], eps=eps, weight_decay=weight_decay)

        def move(self, weight: Any, gradient: Any, at: int) -> None:
            if at not in self.state:
                self.state[at] = [torch.zeros_like(weight), torch.zeros_like(weight), torch.tensor(0.0)]
            first, second, count = self.state[at]
            self.function(
                *([weight], [gradient], [first], [second], [], [count]),
                lr=self.lr,
                amsgrad=False,
                maximize=False,
                foreach=False,
                **self.settings,
            )

    class AdamW(Adam):
        function = staticmethod(arithmetic("adamw"))

        def __init__(
            self,
            parameters: Any,
            lr: float = 1e-3,
            betas: tuple[float, float] = (0.9, 0.999),
            eps: float = 1e-8,
            weight_decay: float = 0.01,
        ) -> None:
            super().__init__(parameters, lr, betas, eps, weight_decay)

    class Saved(torch.nn.Module):
        """A module whose state is made of arrays."""

        def state_dict(self, **inside: Any) -> dict[str, Any]:
            """Arrays by their names. PyTorch asks modules in modules with arguments, for the tensors."""
            found = super().state_dict(**inside)
            return found if inside else {name: plain(values) for name, values in found.items()}

        def load_state_dict(self, state: dict[str, Any]) -> None:
            own = super().state_dict()
            if own.keys() != state.keys():
                raise KeyError(sorted(own.keys() ^ state.keys()))
            if wrong := [name for name in own if tuple(own[name].shape) != np.shape(state[name])]:
                raise ValueError(wrong)
            super().load_state_dict({name: torch.tensor(values) for name, values in state.items()})

    class Sequential(Saved, torch.nn.Sequential):
        pass

    return {
        **engine,
        "MyTensor": tensor,
        "softmax": lambda x, axis=-1: functional.softmax(x, axis),
        "log_softmax": lambda x, axis=-1: functional.log_softmax(x, axis),
        "CrossEntropyLoss": CrossEntropyLoss,
        "SGD": SGD,
        "Adam": Adam,
        "AdamW": AdamW,
        "MyModule": Saved,
        "Dropout": torch.nn.Dropout,
        "no_grad": torch.no_grad,
        "Sequential": Sequential,
        "kaiming_normal": lambda parameter: torch.nn.init.kaiming_normal_(parameter, mode="fan_out"),
    }


ORACLE = Oracle(in_pytorch, lambda precision: Library(precision=precision))
names, values, steady = ORACLE.names, ORACLE.values, ORACLE.steady
