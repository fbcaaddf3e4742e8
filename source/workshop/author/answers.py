"""What tests of the workshop share: the names that its reference, or a change of it, defines; and where things lie."""

from __future__ import annotations

import builtins
import functools
import os
import sys
from pathlib import Path
from typing import Any

os.environ["MPLBACKEND"] = "agg"  # before anything imports matplotlib
# Else there is a folder __pycache__ in source/, which formgrader takes for an assignment.
sys.dont_write_bytecode = True

AUTHORS = Path(__file__).resolve().parent
ROOT = AUTHORS.parents[2]
# The course's modules first: a build puts copies of some of them beside the assignment's.
sys.path[:0] = [str(ROOT), str(ROOT / "source"), str(ROOT / "kit_tests"), str(AUTHORS.parent), str(AUTHORS)]

import jupytext  # noqa: E402
import pytest  # noqa: E402

from checks.reading import REGION  # noqa: E402

TEXT = AUTHORS / "text.py"
ANSWERS = [
    *("answer", "strides", "numeric"),
    *("data", "unbroadcast", "rules", "operators", "tensor"),
    *("module", "matmul", "layers", "optimizer", "loss", "train", "model"),
]
CELL = {
    "linear": "layers",
    "relu": "layers",
    "sgd": "optimizer",
    "mseloss": "loss",
}  # of a section, if called otherwise
SHOWN = ("import matplotlib.pyplot as plt", "import tests")  # lines of the set-up that no answer needs


@functools.cache
def cells() -> list[Any]:
    """The cells of the notebook's text."""
    return jupytext.reads(TEXT.read_text(encoding="utf-8"), fmt="py:percent").cells


@functools.cache
def marked() -> dict[str, str]:
    """The sources of the cells that nbgrader knows, by grade_id; with solution markers."""
    return {cell.metadata["nbgrader"]["grade_id"]: cell.source for cell in cells() if "nbgrader" in cell.metadata}


def authored() -> list[tuple[str, str]]:
    """(grade_id, source) of the answer cells, with solution markers."""
    return [(name, marked()[name]) for name in ANSWERS]


def solved_texts(*changes: tuple[str, str], **cells: str) -> list[tuple[str, str]]:
    """(file name, source) of what defines the reference, after replacing texts in it or whole answer cells.

    The `model` cell trains: of it only what comes before is there.
    """
    setup = [line for line in marked()["setup"].split("\n") if line not in SHOWN]
    texts = [("<setup>", "\n".join(setup))]
    left = dict(changes)
    for name, source in authored():
        source = cells.get(name, source)
        for old in list(left):
            if old in source:
                source = source.replace(old, left.pop(old))
        if name == "model":
            source = source.split("\nnp.random.seed(0)")[0]
        texts.append((f"<{name}>", source))
    assert not left, f"not in the reference: {list(left)}"
    return texts


def solved(*changes: tuple[str, str], **cells: str) -> dict[str, Any]:
    """The names that the reference defines, after the changes."""
    return defined(solved_texts(*changes, **cells))


def defined(texts: list[tuple[str, str]]) -> dict[str, Any]:
    """The names that sources define, one after the other."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for file, source in texts:
        exec(compile(source, file, "exec"), names)
    return names


def untouched() -> dict[str, Any]:
    """The names that the untouched release defines."""
    return solved(**{name: REGION.sub(r"\1...", source) for name, source in authored()})


def names_for(section: Any, names: dict[str, Any]) -> dict[str, Any]:
    """Of all names, those that a section's test is given; None for Python's own, which a solution may do without."""
    return {name: names.get(name) if hasattr(builtins, name) else names[name] for name in section.takes}


@pytest.fixture(scope="session", name="reference")
def the_reference() -> dict[str, Any]:
    return solved()
