"""Small experiments on the learner's objects, where no known mistake explains a failure: they find its place.

Each one is a few lines that a check could have, run on the learner's objects and by the oracle. What is said is what
was seen: this works, that does not, so look between them. Which ones there are an assignment declares.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from checks.evidence import Inference
    from checks.trial import Trial

SECONDS = 0.5  # for one experiment
OTHER_NAMES = {  # what beginners, and Python 2, call a method
    "__truediv__": ("__div__", "__divide__", "__floordiv__"),
    "__rtruediv__": ("__rdiv__", "__rdivide__", "__rfloordiv__"),
    "__sub__": ("__subtract__", "__minus__", "__substract__"),
    "__rsub__": ("__rsubtract__", "__rminus__", "__rsubstract__"),
    "__add__": ("__plus__", "__sum__"),
    "__radd__": ("__rplus__",),
    "__mul__": ("__multiply__", "__times__"),
    "__rmul__": ("__rmultiply__", "__rtimes__"),
    "__pow__": ("__power__", "__exp__"),
    "__neg__": ("__negative__", "__minus__", "__negate__"),
    "__getitem__": ("__getItem__", "__get_item__", "__getitems__", "__get__", "__index__"),
    "__setitem__": ("__setItem__", "__set_item__", "__setitems__", "__set__"),
    "forward": ("foward", "__forward__", "Forward"),
}


@dataclass(frozen=True)
class Place:
    """Where a mistake is: what was seen, in one line, and where to look."""

    says: str
    look: str


@dataclass(frozen=True)
class Experiment:
    """A few lines, and what is said where the learner's objects differ from the oracle.

    Attributes:
        code, see: what runs, and the expressions to look at.
        says: what was seen, when all experiments before it went well.
        look: where to look.
        like: what the oracle runs, if not the same.
    """

    code: str
    see: tuple[str, ...]
    says: str
    look: str
    like: str | None = None


def another_name(trial: Trial, method: str) -> str | None:
    """A name under which some class of the learner's has a method that Python looks for in vain."""
    return next((name for name in OTHER_NAMES.get(method, ()) if is_there(trial, name)), None)


def is_there(trial: Trial, method: str) -> bool:
    """Whether some class of the learner's has a method. Functions have methods, too, which nobody wrote."""
    for name in trial.names:
        found = trial.beside(SECONDS).tries(f"there = hasattr({name}, {method!r}) and not hasattr({name}, '__code__')")
        if found and found["there"] is True:
            return True
    return False


def operation_of(name: str, snippet: str) -> str | None:
    """The operation with an operator that made a variable last, as the snippet writes it."""
    made = None
    for line in snippet.split("\n"):
        if found := re.fullmatch(rf"{re.escape(name)} = (.+)", line):
            made = found[1]
    try:
        operation = ast.parse(made or "", mode="eval").body
    except SyntaxError:
        return None
    return made if isinstance(operation, (ast.BinOp, ast.UnaryOp)) else None


def tried(trial: Trial, inference: Inference) -> list[tuple[Experiment, Trial]]:
    """All experiments on what a failed check is about, simple ones first; none after one that hangs."""
    wrong = [one.code for one in inference.seen[trial.check.id] if not one.right] or [trial.snippet or ""]
    made: list[tuple[Experiment, Trial]] = []
    for experiment in trial.assignment.experiments(wrong, trial.names):
        scratch = _try(trial, experiment)
        made.append((experiment, scratch))
        if scratch.first is not None and scratch.first.stopped:
            break
    return made


def _try(trial: Trial, experiment: Experiment) -> Trial:
    def observe(scratch: Trial) -> None:
        code, like = trial.adapted(experiment.code), trial.adapted(experiment.like or experiment.code)
        scratch.see(scratch.run(code), trial.assignment.oracle.values(like, experiment.see), code)

    scratch = trial.beside(SECONDS)
    scratch.attempt(observe)
    return scratch


def place(tried: Sequence[tuple[Experiment, Trial]]) -> Place | None:
    """What the first experiment that fails says of the place of a mistake; nothing if the simplest ones fail."""
    for experiment, scratch in tried:
        if scratch.broken:
            continue
        if scratch.first is not None:
            says = getattr(scratch.first.verdict, "says", None)
            seen = f"{experiment.says}: {says}" if says else experiment.says
            return Place(seen, experiment.look) if experiment.says else None
    return None
