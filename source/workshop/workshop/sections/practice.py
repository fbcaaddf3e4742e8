"""Functions to begin with, before there is a tensor of one's own: an answer, strides, and numeric differentiation."""

from __future__ import annotations

from typing import Any

import numpy as np

from checks.observe import Missing
from checks.report import Score
from checks.section import Section
from checks.trial import Trial, literal
from workshop.assignment import ASSIGNMENT

ANSWER = Section("answer", "Your first test", "tests.test_answer(answer)", assignment=ASSIGNMENT, practice=True)
STRIDES = Section("strides", "Strides", "tests.test_strides(strides_of)", assignment=ASSIGNMENT, practice=True)
NUMERIC = Section(
    "numeric", "Numeric differentiation", "tests.test_numeric(numeric_derivative)", assignment=ASSIGNMENT, practice=True
)


def written(trial: Trial, call: str, name: str = "y") -> Any:
    """What a call gives.

    Raises:
        Missing: when it gives None.
    """
    given = trial.run(f"{name} = {call}", see=name)[name]
    if given is None:
        raise Missing(f"{call} is None: not written yet, or without return")
    return given


def answers(trial: Trial, scores: Any) -> None:
    """A case of scores, in some order, none twice."""
    scores = [float(score) for score in trial.rng.permutation(scores)]
    trial.same(f"scores = {scores}", "answer(scores)")


@ANSWER.check(
    hints=["Of [0.2, 0.9, 0.4] the answer is 1: there stands 0.9.", "scores.index(...) says where something stands."]
)
def highest(trial: Trial) -> None:
    """The digit with the highest of ten scores"""
    written(trial, "answer([0.1, 0.2, 0.8, 0.3, 0.0, 0.4, 0.5, 0.6, 0.7, 0.9])")
    for _ in range(3):
        answers(trial, np.arange(-3, 7) / 10)
    if trial.first:  # which tell mistakes apart
        answers(trial, np.arange(-10, 0) / 10)


@ANSWER.check(
    needs=["highest"], hints=["-0.1 is higher than -0.7.", "Compare scores with each other, and not with a number."]
)
def all_negative(trial: Trial) -> None:
    """Also where all scores are negative"""
    for _ in range(3):
        answers(trial, np.arange(-10, 0) / 10)


def test_answer(answer: Any, seed: int | None = None) -> Score:
    """An answer from scores, for practice."""
    return ANSWER.score(seed, answer=answer)


def strides(trial: Trial, *cases: tuple[tuple[int, ...], int]) -> None:
    """Cases of a shape, and the bytes of an element."""
    for shape, itemsize in cases:
        trial.same(f"shape = {shape}", f"strides_of(shape, {itemsize})")


@STRIDES.check(
    hints=["A row of 3 float64: how many bytes lie between one element and the next?", "Of a vector: (itemsize,)."]
)
def one_dimension(trial: Trial) -> None:
    """A vector: from one element to the next"""
    written(trial, "strides_of((3,), 8)")
    strides(trial, ((3,), 8), ((5,), 4))
    if trial.first:  # more dimensions tell mistakes apart
        strides(trial, ((2, 3), 8), ((2, 3, 4), 8))


@STRIDES.check(
    needs=["one_dimension"],
    hints=[
        "To get to the next row, over how many elements do you step?",
        "Go from the last dimension to the first: start with itemsize, and multiply by each length that you pass.",
    ],
)
def two_dimensions(trial: Trial) -> None:
    """A matrix: a step down passes a whole row"""
    strides(trial, ((2, 3), 8), ((4, 2), 4), ((3, 5), 2))
    if trial.first:
        strides(trial, ((2, 3, 4), 8))


@STRIDES.check(
    needs=["two_dimensions"],
    hints=["The step of a dimension is the product of all lengths after it, times itemsize.", "A scalar: ()."],
)
def any_dimensions(trial: Trial) -> None:
    """Any number of dimensions, also none"""
    lengths = tuple(int(length) for length in trial.rng.integers(2, 6, 4))
    strides(trial, ((2, 3, 4), 8), (lengths, 4), ((), 8))


def test_strides(strides_of: Any, seed: int | None = None) -> Score:
    """Strides, for practice."""
    return STRIDES.score(seed, strides_of=strides_of)


def derivative(trial: Trial, f: str, x: str, step: str = "") -> None:
    """The derivative of f, a lambda expression, at x."""
    trial.same(f"x = {x}", f"numeric_derivative({f}, x{step})")


@NUMERIC.check(
    hints=[
        "What does f give a little to the right of x, and what a little to the left?",
        "Divide the difference by how far these two places are apart: by 2 * h, in parentheses.",
    ]
)
def one_number(trial: Trial) -> None:
    """The derivative at one place"""
    written(trial, "numeric_derivative(np.sin, 1.0)")
    derivative(trial, "lambda x: x**2", "3.0")
    derivative(trial, "lambda x: 1 / x", repr(float(trial.draw(positive=True))))
    derivative(trial, "np.sin", "1.0")


@NUMERIC.check(
    needs=["one_number"],
    hints=["f(x + h) and f(x - h): neither of them is f(x).", "(f(x + h) - f(x - h)) / (2 * h)"],
)
def central(trial: Trial) -> None:
    """With an h so large that it shows: the central difference"""
    derivative(trial, "lambda x: x**3", "2.0", ", h=0.5")
    derivative(trial, "np.exp", repr(float(trial.draw())), ", h=0.2")
    derivative(trial, "np.sin", "1.0", ", h=2.0")  # so large that it shows of formulas of a higher order, too


@NUMERIC.check(
    needs=["one_number"],
    hints=[
        "f takes arrays as well as numbers: hand it the whole x + h.",
        "`x += h` changes the array that you were given: `x + h` makes a new one.",
    ],
)
def arrays(trial: Trial) -> None:
    """Of an array: one derivative for each element, and x stays as it is"""
    array = f"np.array({literal(trial.draw(3))})"
    derivative(trial, "lambda x: x**2", array)
    derivative(trial, "np.sin", f"np.array({literal(trial.draw(2, 3))})")
    code = f"x = np.array({literal(trial.draw(2))})\nnumeric_derivative(np.sin, x, h=0.5)"
    trial.same(code, "x[:]")


def test_numeric(numeric_derivative: Any, seed: int | None = None) -> Score:
    """Numeric differentiation, for practice."""
    return NUMERIC.score(seed, numeric_derivative=numeric_derivative)
