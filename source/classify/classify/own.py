"""A learner's own library, the answers of the first notebook, in place of the kit's: `minitorch.use`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import workshop.tests as first
from checks.notebook import names_of, nbgrader_mark
from checks.observe import explain, learner_code, quiet

SECONDS = 60.0  # for each cell
# What this notebook goes on with, or uses; the model of the first one is not needed.
NEEDED = (
    *("MyTensor", "MyCrossBackward", "Parameter", "MyModule", "matmul", "Linear", "ReLU", "SGD", "MSELoss", "sum"),
    "train",
)
ASKED = [section for section in first.ASSIGNMENT.sections if section.id != "model"]


def library(notebook: str) -> tuple[dict[str, Any], str]:
    """The names that a learner's library defines, and a sentence on what is done.

    No names where the library cannot be used: it does not earn its points, or records in a way of its own.

    Args:
        notebook: the path of the first notebook, with the learner's answers.
    """
    path = Path(notebook)
    if not path.is_file():
        return {}, _instead(f"there is no file {path}, seen from {Path.cwd().name}/")
    os.environ.setdefault("MPLBACKEND", "agg")
    lost: dict[str, str] = {}
    by_test = {section.test: section for section in ASKED}

    def judge(test: str, names: dict[str, Any]) -> None:
        if section := by_test.get(test):
            report = section.run({name: names.get(name) for name in section.takes})
            lost.pop(section.title, None)
            if report.score < report.points:
                lost[section.title] = f"{section.title} has {report.score:g} of {report.points:g} points"

    try:
        names, failures = names_of(path, _is_work, SECONDS, judge)
    except ValueError as error:
        return {}, _instead(str(error).rstrip("."))
    if missing := [name for name in NEEDED if name not in names]:
        more = f" ({failures[0]})" if failures else ""
        return {}, _instead(f"your notebook does not define {', '.join(missing)}{more}")
    if lost:
        return {}, _instead("; ".join(lost.values()))
    if why := _records_otherwise(names) or _turned(names):
        return {}, _instead(why)
    return {name: names[name] for name in NEEDED}, f"From now on minitorch is your own library, from {path}."


def _is_work(cell: dict[str, Any]) -> bool:
    """Set-up, answers and tests; the cell that trains the digits, which are not here, only where it stands."""
    mark = nbgrader_mark(cell)
    return bool(mark) and mark.get("grade_id") not in ("model", "test_model")


def _records_otherwise(names: dict[str, Any]) -> str:
    """Whether an operation that is recorded as the first notebook recommends goes backward; why not, in words."""
    code = (
        "x = MyTensor([1.0, 2.0], requires_grad=True)\n"
        "op = MyCrossBackward(x, 3, backward_function=lambda base, x, n: (n * base, None), name='TripleBackward')\n"
        "y = MyTensor(3 * x.data, requires_grad=True, crossOpBack=op)\n"
        "(y * y).backward()\n"
        "right = [x.grad[0], x.grad[1]] == [18.0, 36.0]\n"
    )
    found = dict(names)
    try:
        with learner_code(1.0), quiet():
            exec(code, found)
    except Exception as error:
        return f"it records operations in a way of its own, and not by MyCrossBackward ({explain(error)})"
    return "" if found["right"] else "an operation recorded by MyCrossBackward does not go backward in it"


def _turned(names: dict[str, Any]) -> str:
    """Whether the weight of a linear layer is where it is to be, and as it is to be; why not, in words."""
    shape = names["Linear"](2, 3).parameters()[0].tensor.shape
    return "" if shape == (2, 3) else f"the first parameter of its Linear(2, 3) has shape {shape}, not (2, 3)"


def _instead(why: str) -> str:
    return f"minitorch stays the kit's: {why}."
