"""The tests of the notebook: one function for each of its sections.

    tests.test_softmax(softmax)            # run the checks, show the report, return the points
    tests.test_softmax(softmax, seed=7)    # the same random numbers again
    tests.progress()                       # the points of all sections so far, and what is next

Learners get this file. What is right is said in other words here than a solution would.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from checks.assignment import Assignment, Library
from checks.mistakes import Mistakes
from checks.progress import show_progress
from checks.report import Score
from checks.section import Section
from checks.trial import Trial, literal

# ---------------------------------------------------------------- what is right


def _softmax(scores: np.ndarray) -> np.ndarray:
    return np.exp(scores - np.logaddexp.reduce(scores, axis=1)[:, None])


def _loss(scores: np.ndarray, targets: list[int]) -> float:
    rows = zip(scores, targets, strict=True)
    return float(sum(np.logaddexp.reduce(row) - row[target] for row, target in rows) / len(targets))


# ---------------------------------------------------------------- mistakes that are known, and how to make them


def _together(library: Library) -> None:
    def softmax(scores: np.ndarray) -> np.ndarray:
        return np.exp(scores - np.logaddexp.reduce(scores, axis=None))

    library.parts["softmax"] = softmax


MISTAKES = Mistakes()
MISTAKES.add(
    "axis-forgotten",
    "softmax",
    "all numbers together add up to 1, and not those of each row",
    "Which numbers have to add up to 1?",
    "Along axis 1, and keep the axis, so that each row is divided by its own sum: sum(axis=1, keepdims=True).",
    "TITLE > Softmax",
    _together,
)

ASSIGNMENT = Assignment("TITLE", __file__, reference={"np": np, "softmax": _softmax, "loss": _loss}, mistakes=MISTAKES)


def progress() -> None:
    """Show the points of all sections so far, and what is next."""
    show_progress(ASSIGNMENT)


# ---------------------------------------------------------------- Softmax

SOFTMAX = Section("softmax", "Softmax", "tests.test_softmax(softmax)", assignment=ASSIGNMENT)


@SOFTMAX.check(2, hints=["np.exp works on each element. What is each of them divided by?"])
def one_row(trial: Trial) -> None:
    """One row of scores"""
    for count in (2, 3, 5):
        trial.same(f"y = softmax(np.array({literal(trial.draw(1, count))}))", "y")


@SOFTMAX.check(3, needs=["one_row"], hints=["What does y.sum(axis=1) give?"])
def rows(trial: Trial) -> None:
    """Several rows, each of which adds up to 1"""
    for shape in ((2, 3), (4, 2)):
        trial.same(f"y = softmax(np.array({literal(trial.draw(*shape))}))", "y")


@SOFTMAX.check(1, needs=["one_row"], hints=["exp(1000) is too large. What changes if all scores become smaller alike?"])
def large(trial: Trial) -> None:
    """Scores as large as 1000"""
    trial.same(f"y = softmax(np.array({literal(1000 + trial.draw(1, 3))}))", "y")


def test_softmax(softmax: Any, seed: int | None = None) -> Score:
    """Softmax."""
    return SOFTMAX.score(seed, softmax=softmax)


# ---------------------------------------------------------------- Loss

LOSS = Section("loss", "Loss", "tests.test_loss(loss)", builds_on=[(SOFTMAX, [])], assignment=ASSIGNMENT)


@LOSS.check(2, hints=["How large is -log(p) where p is the probability of the target?"])
def one_target(trial: Trial) -> None:
    """One row and its target"""
    for target in (0, 2):
        trial.same(f"y = loss(np.array({literal(trial.draw(1, 3))}), [{target}])", "y")


@LOSS.check(2, needs=["one_target"], hints=["Is it the sum over all rows, or their mean?"])
def several(trial: Trial) -> None:
    """Several rows: the mean over them"""
    trial.same(f"y = loss(np.array({literal(trial.draw(3, 4))}), [3, 0, 1])", "y")


def test_loss(loss: Any, seed: int | None = None) -> Score:
    """Loss."""
    return LOSS.score(seed, loss=loss)
