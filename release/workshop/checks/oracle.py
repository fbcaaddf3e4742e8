"""PyTorch behind the learner's API: what a check's code computes there is what it should compute."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np

from checks.environment import INSTALL
from checks.observe import ATOL, RTOL, compiled

FILE = "<oracle>"  # of code in tracebacks: what fails here is no fault of the learner's
REDISTRIBUTABLE = "https://aka.ms/vs/17/release/vc_redist.x64.exe"


@functools.cache
def load() -> Any:
    """Import torch, once.

    Raises:
        ImportError: with what to do, when torch is not installed or does not load.
    """
    try:
        import torch
    except (ImportError, OSError) as error:  # OSError: a library that torch itself needs is not there
        if not isinstance(error, OSError):
            do = f"Install it into this notebook's kernel: {INSTALL}"
        elif sys.platform == "win32":
            do = f"Install the Microsoft Visual C++ Redistributable ({REDISTRIBUTABLE}), and restart the kernel."
        else:
            do = f"Run python -m pip uninstall torch torchvision, then {INSTALL}, and restart the kernel."
        raise ImportError(
            f"The tests compare your work with PyTorch, which cannot be imported here ({error}). {do}"
        ) from error
    return torch


@functools.cache
def names(precision: str = "float64") -> dict[str, Any]:
    """The names of the learner's API, made of PyTorch."""
    torch = load()

    class Tensor(torch.Tensor):
        """A tensor of PyTorch, with what the notebook's `MyTensor` does otherwise."""

        tensor = property(lambda self: self)  # as a parameter: PyTorch's are tensors, the notebook's hold one
        backward_op = property(lambda self: self.grad_fn)

        def backward(self, base: Any = None) -> None:
            """From ones where PyTorch asks for a gradient; nothing where it raises; any number of times."""
            if self.requires_grad:
                upstream = torch.ones_like(self) if base is None else base
                torch.autograd.backward(self, upstream, retain_graph=True)

    def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Any:
        array = np.asarray(data, dtype=precision)
        return torch.tensor(array).as_subclass(Tensor).requires_grad_(requires_grad)

    def parameter(given: Any) -> Any:
        given._is_param = True  # by which PyTorch knows a parameter
        return given.requires_grad_()

    class Linear(torch.nn.Module):
        """torch.nn.Linear, with its weight as (inputs, outputs)."""

        def __init__(self, inputs: int, outputs: int) -> None:
            super().__init__()
            self.weight, self.bias = (
                parameter(tensor(np.zeros((inputs, outputs)))),
                parameter(tensor(np.zeros(outputs))),
            )

        def forward(self, x: Any) -> Any:
            return torch.nn.functional.linear(x, self.weight.T, self.bias)

    class SGD:
        """torch.optim.SGD without momentum: this update is its whole step. Importing it takes more than a second."""

        def __init__(self, parameters: Any, lr: float = 1e-2) -> None:
            self.params, self.lr = [parameter.tensor for parameter in parameters], lr

        def zero_grad(self) -> None:
            for parameter in self.params:
                parameter.grad = None

        @torch.no_grad()
        def step(self) -> None:
            for parameter in self.params:
                if parameter.grad is not None:
                    parameter.add_(parameter.grad, alpha=-self.lr)

    def total(x: Any, axis: Any = None) -> Any:
        return x.sum() if axis is None else x.sum(axis)

    return {
        "MyTensor": tensor,
        "Parameter": parameter,
        "MyModule": torch.nn.Module,
        "Linear": Linear,
        "matmul": torch.matmul,
        "ReLU": torch.nn.ReLU,
        "SGD": SGD,
        "MSELoss": torch.nn.MSELoss,
        "sum": total,
        "np": np,
    }


@functools.lru_cache(maxsize=8192)
def values(code: str, see: tuple[str, ...], precision: str = "float64") -> Mapping[str, Any]:
    """What expressions are worth after `code` has run with PyTorch. It can only be read: the answers are kept."""
    variables = dict(names(precision))
    exec(compiled(code, "exec", FILE), variables)
    found = {text: plain(eval(compiled(text, "eval", FILE), variables)) for text in see}
    for value in found.values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return MappingProxyType(found)


@functools.lru_cache(maxsize=8192)
def steady(code: str, see: tuple[str, ...]) -> bool:
    """Whether PyTorch computes the same in float32, well within what counts as the same, and no infinite numbers.

    Then neither rounding decides, nor how one goes on where something was divided by 0.
    """
    exact, rounded = values(code, see), values(code, see, "float32")
    return all(
        bool(np.isfinite(value).all() and np.allclose(value, rounded[text], rtol=RTOL / 10, atol=ATOL / 10))
        for text, value in exact.items()
        if isinstance(value, np.ndarray)
    )


def plain(value: Any) -> Any:
    """A result of PyTorch as NumPy and Python values."""
    torch = load()
    if isinstance(value, torch.Tensor):
        return value.detach().numpy().copy()
    return value


def linear(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, base: np.ndarray) -> SimpleNamespace:
    """`torch.nn.functional.linear` and its gradients.

    Args:
        x: shape (input_size,) or (n, input_size).
        weight: shape (output_size, input_size).
        bias: shape (output_size,).
        base: the upstream gradient, in the output's shape.
    """
    torch = load()
    leaves = [torch.tensor(array, requires_grad=True) for array in (x, weight, bias)]
    y = torch.nn.functional.linear(*leaves)
    y.backward(torch.tensor(base))
    return SimpleNamespace(
        y=plain(y), x=plain(leaves[0].grad), weight=plain(leaves[1].grad), bias=plain(leaves[2].grad)
    )
