"""What a check's code should compute: the same code on right names, such as PyTorch's behind the learner's API."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np

from checks.environment import INSTALL
from checks.observe import ATOL, RTOL, compiled

FILE = "<oracle>"  # of code in tracebacks: what fails here is no fault of the learner's
MOST_KEPT = 8192  # answers
BEFOREHAND = "PyTorch is not asked here: these answers were compared with PyTorch's beforehand."
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


class Oracle:
    """Right answers, which are kept: the same is asked again and again.

    Args:
        names: the names that a check's code uses, made of what is right, for a precision: "float64" or "float32".
        without_torch: a library (`Assignment.imitation`) with the same names, which computes the same without PyTorch,
            for a precision; None where there is none.

    Attributes:
        values: (code, see) -> what the expressions `see`, a tuple, are worth after `code` has run. It can only be read.
        steady: (code, see) -> whether they are the same in float32, well within what counts as the same, and no
            infinite numbers. Then neither rounding decides, nor how one goes on where something was divided by 0.
    """

    def __init__(
        self, names: Callable[[str], Mapping[str, Any]], without_torch: Callable[[str], Any] | None = None
    ) -> None:
        self._names, self._without_torch = names, without_torch
        self.values: Callable[..., Mapping[str, Any]] = functools.lru_cache(maxsize=MOST_KEPT)(self._values)
        self.steady: Callable[..., bool] = functools.lru_cache(maxsize=MOST_KEPT)(self._steady)

    @functools.cached_property
    def alone(self) -> bool:
        """Whether what computes the same without PyTorch is asked: as PyTorch cannot be imported here, or as chosen."""
        if self._without_torch is None:
            return False
        try:
            load()
        except ImportError:
            return True
        return False

    def choose(self, without_torch: bool) -> None:
        """Decide what is asked, whatever can be imported here; PyTorch where there is nothing else."""
        self.alone = without_torch and self._without_torch is not None

    def library(self, precision: str = "float64") -> Any:
        """What is asked here: a library, with `names()` and `plain(value)`.

        Raises:
            ImportError: where it lacks what it computes with, such as PyTorch; with what to do.
        """
        if self.alone and self._without_torch:
            return self._without_torch(precision)
        return SimpleNamespace(names=functools.partial(self._names, precision), plain=plain)

    def names(self, precision: str = "float64") -> Mapping[str, Any]:
        """The names that a check's code uses, as `library` has them."""
        return self.library(precision).names()

    def _values(self, code: str, see: tuple[str, ...], precision: str = "float64") -> Mapping[str, Any]:
        library = self.library(precision)
        variables = {"np": np, **library.names()}
        exec(compiled(code, "exec", FILE), variables)
        found = {text: library.plain(eval(compiled(text, "eval", FILE), variables)) for text in see}
        for value in found.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        return MappingProxyType(found)

    def _steady(self, code: str, see: tuple[str, ...]) -> bool:
        exact, rounded = self.values(code, see), self.values(code, see, "float32")
        return all(
            bool(np.isfinite(value).all() and np.allclose(value, rounded[text], rtol=RTOL / 10, atol=ATOL / 10))
            for text, value in exact.items()
            if isinstance(value, np.ndarray)
        )


def plain(value: Any) -> Any:
    """A result as NumPy and Python values."""
    torch = sys.modules.get("torch")  # None also where it is kept from being imported
    if torch and isinstance(value, torch.Tensor):
        return value.detach().numpy().copy()
    return value.copy() if isinstance(value, np.ndarray) else value
