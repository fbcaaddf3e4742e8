"""PyTorch behind the learner's API: what a check's code computes there is what it should compute."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np

from checks.environment import INSTALL

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


def names() -> dict[str, Any]:
    """The names of the learner's API, made of PyTorch in float64."""
    torch = load()

    def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Any:
        return torch.tensor(np.asarray(data, dtype=np.float64), requires_grad=requires_grad)

    class Parameter:
        def __init__(self, given: Any) -> None:
            self.tensor = given.requires_grad_()

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

    return {
        "MyTensor": tensor,
        "Parameter": Parameter,
        "MyModule": SimpleNamespace,
        "matmul": torch.matmul,
        "ReLU": torch.nn.ReLU,
        "SGD": SGD,
        "MSELoss": torch.nn.MSELoss,
        "np": np,
    }


@functools.lru_cache(maxsize=4096)
def values(code: str, see: tuple[str, ...]) -> Mapping[str, Any]:
    """What expressions are worth after `code` has run with PyTorch. It can only be read: the answers are kept."""
    variables = names()
    exec(compile(code, "<oracle>", "exec"), variables)
    found = {text: plain(eval(text, variables)) for text in see}
    for value in found.values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return MappingProxyType(found)


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
