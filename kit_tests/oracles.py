"""Whether what an assignment asks where PyTorch is not installed says what PyTorch says."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import nbformat
import numpy as np
import pytest
from kit import ROOT
from nbclient import NotebookClient

from checks.observe import same
from checks.oracle import Oracle
from checks.report import Report


@dataclass
class Compared:
    """What both were asked.

    Attributes:
        asked: how many answers.
        differ: in words, where the answers without PyTorch are others.
        edge: programs that only one of them finds steady. No verdict depends on it: in float32, too, what both compute
            is as close to PyTorch's as an answer has to be.
    """

    seed: int
    asked: int = 0
    differ: list[str] = field(default_factory=list)
    edge: list[str] = field(default_factory=list)

    def compare(self, code: str, see: Sequence[str], *answers: Sequence[Any]) -> None:
        size = max(map(largest, answers[0]), default=0.0)  # of what may have been added up, and rounded
        for text, one, other in zip(see, *answers, strict=True):
            self.asked += 1
            if not alike(one, other, size):
                self.differ.append(f"seed {self.seed}: {text} is {one} in PyTorch, {other} without it, after\n{code}")


class Both:
    """The two oracles of an assignment, of its module `oracle`: PyTorch, and what is asked without."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.torch, self.alone = (Oracle(module.ORACLE._names, module.ORACLE._without_torch) for _ in range(2))
        self.torch.alone, self.alone.alone = False, True

    @contextlib.contextmanager
    def asking(self, **parts: Any) -> Iterator[None]:
        """The assignment asks other `values`, whether they are `steady`, `alone` without PyTorch."""
        with pytest.MonkeyPatch.context() as patch:
            for name, part in parts.items():
                patch.setattr(self.module.ORACLE, name, part)
                patch.setattr(self.module, name, part, raising=False)
            yield

    def without_torch(self) -> contextlib.AbstractContextManager[None]:
        """What a learner without PyTorch is told."""
        return self.asking(values=self.alone.values, steady=self.alone.steady, alone=True)

    @contextlib.contextmanager
    def compared(self, seed: int) -> Iterator[Compared]:
        """Inside, all that the checks ask with this seed is asked of both."""
        found = Compared(seed)

        def values(code: str, see: tuple[str, ...], *precision: str) -> Any:
            answers = [each.values(code, see, *precision) for each in (self.torch, self.alone)]
            found.compare(code, see, *([answer[text] for text in see] for answer in answers))
            if self.torch.steady(code, see) != self.alone.steady(code, see):
                rounded = [each.values(code, see, "float32") for each in (self.torch, self.alone)]
                is_close = all(same(answers[0][text], each[text]) for each in rounded for text in see)
                words = f"seed {seed}: steady for one of them only\n{code}"
                (found.edge if is_close else found.differ).append(words)
            return answers[0]

        with self.asking(values=values, alone=False):
            yield found

    def told_otherwise(self, name: str, report: Callable[[], Report]) -> list[str]:
        """Where the report on a wrong solution, made anew each time, says something else without PyTorch."""
        both = []
        for way in (contextlib.nullcontext, self.without_torch):
            np.random.seed(0)
            with way():
                both.append([(c.id, c.status, c.mistake, c.says, c.score) for c in report().checks])
        pairs = zip(*both, strict=True)
        return [f"{name}: {one} with PyTorch, {other} without" for one, other in pairs if one != other]


NONE = "import sys\nsys.modules.update(dict.fromkeys(['torch', 'torchvision']))  # as where they are not installed"


def printed_without_torch(assignment: str) -> list[str]:
    """What the cells of a solution say where nothing can import PyTorch, each as text: *Run All* comes to the end."""
    notebook = nbformat.read(ROOT / "solutions" / assignment / f"{assignment}.ipynb", 4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(NONE))
    folder = {"metadata": {"path": str(ROOT / "release" / assignment)}}
    NotebookClient(notebook, timeout=300, resources=folder).execute()
    return [
        "".join(output.get("text") or output["data"].get("text/plain", "") for output in cell.get("outputs", []))
        for cell in notebook.cells
    ]


def largest(answer: Any) -> float:
    """The size of the largest number in an answer."""
    numbers = np.asarray(answer, float) if isinstance(answer, (float, np.ndarray)) else np.zeros(1)
    return float(abs(numbers[np.isfinite(numbers)]).max(initial=0))


def alike(one: Any, other: Any, size: float) -> bool:
    """Whether two answers are the same but for rounding: of themselves, or of what has such a size and adds up to 0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(each, other[name], size) for name, each in one.items())
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(alike(*both, size) for both in zip(one, other, strict=True))
    if isinstance(one, (float, np.ndarray)):
        one, other = np.asarray(one), np.asarray(other)
        return (one.shape, one.dtype) == (other.shape, other.dtype) and np.allclose(
            one, other, 1e-9, 1e-12 * max(1, size), True
        )
    return one == other


def said(compared: Sequence[Compared], wrong: int, told: Iterable[str]) -> str:
    """What a proof prints of its seeds, and of so many wrong solutions."""
    differ, told = [word for each in compared for word in each.differ], [*told]
    return "\n".join(
        [
            f"{len(compared)} seeds, {sum(each.asked for each in compared):,} answers: {len(differ)} differ",
            f"programs that only one of both finds steady: {sum(len(each.edge) for each in compared)}",
            *differ[:20],
            f"{wrong} wrong solutions: {len(told)} checks say something else",
            *told,
        ]
    )
