"""Functions: the checks of exp, log, sum, mean and max."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from checks.observe import Waits
from checks.programs import Choices, Program, Unfit
from checks.report import Score
from checks.section import Section
from checks.trial import literal
from classify import oracle
from classify.assignment import ASSIGNMENT
from workshop.trial import TensorTrial

FUNCTIONS = Section("functions", "Functions", "tests.test_functions(MyTensor)", assignment=ASSIGNMENT, draws=False)
SHAPES = ((), (3,), (2, 3))
# What a reduction is asked for, and of which shape; the smallest first.
WHOLE = [("", (3,)), ("", (2, 3))]
AXES = [("axis=1", (2, 2)), ("axis=0", (2, 3)), ("axis=1", (2, 3)), ("axis=-1", (2, 3)), ("axis=1", (2, 3, 2))]
KEPT = [("axis=1, keepdims=True", (2, 3)), ("axis=0, keepdims=True", (2, 3)), ("keepdims=True", (2, 3))]


def distinct(trial: TensorTrial, *shape: int) -> np.ndarray:
    """Numbers of both signs with two decimals, no two alike, and no two differences of neighbors."""
    size = int(np.prod(shape))
    places = trial.rng.permutation(size).reshape(shape)
    return np.round(0.3 * places + 0.03 * places**2 - 0.14 * size, 2)


def values(trial: TensorTrial, expression: str, *arrays: np.ndarray) -> None:
    for array in arrays:
        trial.same(f"a = MyTensor({literal(array)})\ny = {expression}", "y")


def afresh(trial: TensorTrial, name: str) -> None:
    """The numbers of a tensor change between two calls, as those of a parameter do."""
    a = literal(trial.draw(2, positive=True))
    trial.same(f"a = MyTensor({a})\nfirst = a.{name}()\ndata = a.data\ndata *= 0\ndata += 2\ny = a.{name}()", "y")


def reductions(trial: TensorTrial, name: str, *cases: tuple[str, tuple[int, ...]]) -> None:
    for arguments, shape in cases:
        values(trial, f"a.{name}({arguments})", distinct(trial, *shape))


def reduction_gradients(trial: TensorTrial, name: str, *cases: tuple[str, tuple[int, ...]]) -> None:
    for arguments, shape in cases:
        trial.gradients(f"y = a.{name}({arguments})", {"a": distinct(trial, *shape)}, value=False)


ALONE = "a = MyTensor({numbers}, requires_grad=True)\ny = a.{call}\n(y * y).backward()"
SIGNED, TIES = [[0.5, -2.0, 1.5], [3.0, 1.0, -2.5]], [[0.5, 1.5, 1.5], [-0.5, 0.5, -2.5]]
PARTS = {
    "exp": ["exp()"],
    "log": ["log()"],
    **{
        name: [f"{name}({arguments})" for arguments in ("", "axis=0", "axis=1", "axis=-1, keepdims=True")]
        for name in ("sum", "mean", "max")
    },
}


def parts_that_work(trial: TensorTrial) -> set[str]:
    """The functions that are right alone, value and gradient; `ties` where max is right of several largest, too."""

    def alone(call: str, numbers: list[list[float]]) -> Program:
        return Program(ALONE.format(call=call, numbers=numbers), ("y", "a.grad"))

    programs = {
        name: [alone(call, np.abs(SIGNED).tolist() if name == "log" else SIGNED) for call in calls]
        for name, calls in PARTS.items()
    }
    programs["ties"] = [alone("max(axis=1)", TIES), alone("max(axis=0)", TIES)]
    trial.right([program for some in programs.values() for program in some])
    return {name for name, some in programs.items() if all(trial.right(some))}


def formula(choices: Choices, works: frozenset[str]) -> Program:
    """Functions of functions, with operators between them.

    Raises:
        Unfit: where a value is too large, a logarithm of what is not positive, or which is largest is a matter of
            rounding.
    """
    start = choices.array(2, 3)
    lines = [f"a = MyTensor({literal(start)}, requires_grad=True)"]
    made: dict[str, np.ndarray] = {"a": start}
    options = sorted(works - {"ties"})
    for number in range(1 + choices.below(4)):
        last = f"u{number}"
        x = choices.of([*made][::-1])
        value = made[x]
        kind = choices.below(len(options) + 2)
        if kind < len(options):
            name = options[kind]
            if name in ("exp", "log"):
                if (name == "log" and value.min() < 0.2) or (value.max() > 4 and name == "exp"):
                    raise Unfit
                made[last], call = getattr(np, name)(value), f"{x}.{name}()"
            else:
                axes = [None, *range(value.ndim), *([-1] if value.ndim else [])]
                axis, keep = choices.of(axes), choices.below(2) == 1
                if name == "max" and x != "a" and rounded(value):
                    raise Unfit
                made[last] = getattr(np, name)(value, axis=axis, keepdims=keep)
                if name == "max" and "ties" not in works and np.unique(value).size < value.size:
                    raise Unfit
                given = [*([f"axis={axis}"] if axis is not None else []), *(["keepdims=True"] if keep else [])]
                call = f"{x}.{name}({', '.join(given)})"
        else:
            other = choices.of([*made])
            sign = choices.of(["*", "-", "+"])
            try:
                made[last] = {"*": np.multiply, "-": np.subtract, "+": np.add}[sign](value, made[other])
            except ValueError:
                raise Unfit from None
            call = f"{x} {sign} {other}"
        if not np.isfinite(made[last]).all() or abs(made[last]).max() > 60:
            raise Unfit
        lines.append(f"{last} = {call}")
    lines.append(f"y = {last}")
    base = choices.array(*made[last].shape)
    lines.append(f"y.backward(MyTensor({literal(base)}))")
    return Program("\n".join(lines), ("y", "a.grad", "a"))


def rounded(value: np.ndarray) -> bool:
    """Whether two different elements are so close that rounding may decide which is larger."""
    gaps = np.diff(np.sort(value, axis=None))
    return bool((gaps < 1e-4).any())


WRITTEN = """\
a = MyTensor([0.5, 2.0])
try:
    result = a.{name}()
    made = result is not None and result is not a
except AttributeError:
    made = hasattr(a, "{name}")
except Exception:
    made = True"""


def all_written(trial: TensorTrial, parts: tuple[str, ...]) -> None:
    """Any program is made of what is right of a stage, but not before all of it is written.

    Raises:
        Waits: where a function gives nothing, or what it gets, or there is none.
    """
    for name in parts:
        found = trial.tries(WRITTEN.format(name=name))
        if found is not None and found["made"] is not True:
            raise Waits(f"waits for {name}, which does nothing yet")


def any_of(stage: str, points: float, title: str, *parts: str, beside: tuple[str, ...] = ()) -> None:
    """The check of any program that is made of the parts of one stage that are right, and of those before it."""

    @FUNCTIONS.check(
        points,
        id=f"any_{stage}",
        title=title,
        hints=["Follow one element through the snippet, line by line, forward and then back."],
        any_program=True,
    )
    def any_formula(trial: TensorTrial) -> None:
        all_written(trial, parts)
        works = frozenset(parts_that_work(trial))
        if not works & {*parts}:
            raise Waits(f"waits for {' or '.join(parts)}, right alone")
        trial.programs(lambda choices: formula(choices, works & {*parts, *beside}), count=12)


FUNCTIONS.stage("exp_log", "Exponential and logarithm")


@FUNCTIONS.check(0.5, hints=["A method of a tensor gives a new tensor. What does NumPy call this function?"])
def exp_value(trial: TensorTrial) -> None:
    """exp() is e**x, element by element"""
    values(trial, "a.exp()", *(trial.draw(*shape) for shape in SHAPES), np.array([100.0]))  # inf in single precision
    afresh(trial, "exp")


@FUNCTIONS.check(
    1.5,
    needs=["exp_value"],
    hints=["Its rule gets base and x: what is the derivative of e**x?", "return (base * np.exp(x.data),)"],
)
def exp_gradient(trial: TensorTrial) -> None:
    """The gradient of exp()"""
    trial.gradients("y = a.exp()", *({"a": shape} for shape in SHAPES), value=False)


@FUNCTIONS.check(0.5, hints=["The natural logarithm: what does NumPy call it?"])
def log_value(trial: TensorTrial) -> None:
    """log() is the natural logarithm, element by element"""
    values(trial, "a.log()", *(trial.draw(*shape, positive=True) for shape in SHAPES), np.array([1e-9, 1e-6]))
    afresh(trial, "log")


@FUNCTIONS.check(1.5, needs=["log_value"], hints=["How steep is log at 1, at 2, at 10?", "return (base / x.data,)"])
def log_gradient(trial: TensorTrial) -> None:
    """The gradient of log()"""
    cases = [{"a": trial.draw(*shape, positive=True)} for shape in SHAPES]
    trial.gradients("y = a.log()", *cases, value=False)


any_of("exp_log", 1.25, "Any formula with exp() and log(): values and gradients", "exp", "log")
FUNCTIONS.stage("sums", "Sums and means")


@FUNCTIONS.check(1, hints=["x.data.sum(axis=axis, keepdims=keepdims)"])
def sum_value(trial: TensorTrial) -> None:
    """sum() over all elements, or along an axis"""
    reductions(trial, "sum", *WHOLE, *AXES)
    values(trial, "a.sum(0)", distinct(trial, 2, 3))


@FUNCTIONS.check(0.5, needs=["sum_value"], hints=["keepdims=True leaves the axis there, with length 1."])
def sum_keepdims(trial: TensorTrial) -> None:
    """sum() keeps its axes where keepdims is True"""
    reductions(trial, "sum", *KEPT)


@FUNCTIONS.check(
    1.5,
    needs=["sum_value"],
    hints=["Every element that was added has the same share. Which axis is missing in base?", "np.expand_dims"],
)
def sum_gradient(trial: TensorTrial) -> None:
    """The gradient of sum()"""
    reduction_gradients(trial, "sum", *WHOLE, *AXES)
    if trial.right([Program(f"{ONE}y = a.sum(axis=1, keepdims=True)", ("y",))])[0]:
        reduction_gradients(trial, "sum", *KEPT)


@FUNCTIONS.check(0.5, hints=["Compose it: a sum, divided by how many were added."])
def mean_value(trial: TensorTrial) -> None:
    """mean() of all elements, or along an axis"""
    reductions(trial, "mean", *WHOLE, *AXES, *KEPT)


@FUNCTIONS.check(0.5, needs=["mean_value"], hints=["Is it composed of tensors, so that the graph sees it?"])
def mean_gradient(trial: TensorTrial) -> None:
    """The gradient of mean()"""
    reduction_gradients(trial, "mean", *WHOLE, *AXES, *KEPT)


any_of("sums", 1, "Any formula with sums and means", "sum", "mean", beside=("exp", "log"))
FUNCTIONS.stage("max", "Maximum")


@FUNCTIONS.check(1, hints=["x.data.max(axis=axis, keepdims=keepdims)"])
def max_value(trial: TensorTrial) -> None:
    """max() of all elements, or along an axis"""
    reductions(trial, "max", *WHOLE, *AXES, *KEPT)
    values(trial, "a.max()", -1 - abs(distinct(trial, 3)))


@FUNCTIONS.check(
    1,
    needs=["max_value"],
    hints=["Nudge one element: when does the maximum follow?", "mask = x.data == x.data.max(axis, keepdims=True)"],
)
def max_gradient(trial: TensorTrial) -> None:
    """The gradient of max()"""
    reduction_gradients(trial, "max", *WHOLE, *AXES, *KEPT)


@FUNCTIONS.check(
    0.5, needs=["max_gradient"], hints=["How many elements are the largest? They share.", "mask / mask.sum(...)"]
)
def max_ties(trial: TensorTrial) -> None:
    """Where several are the largest, they share the gradient evenly"""
    trial.gradients("y = a.max()", {"a": np.array([2.5, 1.0, 2.5])}, value=False)
    ties = np.array([[2.5, 1.0, 2.5], [-1.0, 3.5, 0.5]])
    trial.gradients("y = a.max(axis=1)", {"a": ties}, {"a": ties.T[::-1].T}, value=False)
    trial.gradients("y = a.max(axis=0)", {"a": ties.T.copy()}, value=False)
    nearly = np.array([2.5, 2.5 + 1e-9, 1.0])
    trial.gradients("y = a.max()", {"a": nearly}, {"a": np.array([nearly, nearly[::-1]])}, value=False)


ONE = "a = MyTensor([[0.5, 2.0, 1.5], [3.0, 1.0, 2.5]])\n"
CALLS = ["exp()", "log()", "sum(axis=1)", "mean(axis=1)", "max(axis=1)"]


BASE = [[1.5, 2.0, 0.5], [-1.0, 2.5, 3.0]]


def unchanged(trial: TensorTrial, code: str, *names: str) -> None:
    """What was handed in holds what it held: inputs, and the upstream gradient, base."""
    means = {name: "upstream-changed" if name == "base" else "input-changed" for name in names}
    with trial.case():
        trial.see(trial.run(code), oracle.values(code, tuple(names)), code, means)


def calls_that_work(trial: TensorTrial) -> list[str]:
    right = trial.right([Program(f"{ONE}y = a.{call}", ("y", "hasattr(y, 'backward')")) for call in CALLS])
    return list(itertools.compress(CALLS, right))


@FUNCTIONS.check(0.5, hints=["A new array for the result; an operation only where x.requires_grad."])
def left_alone(trial: TensorTrial) -> None:
    """What is handed in stays as it is, forward and backward, and what needs no gradient is not recorded"""
    some = calls_that_work(trial)
    if not some:
        trial.same(f"{ONE}y = a.{CALLS[0]}", "y")
    for call in some:
        code = f"{ONE}y = a.{call}"
        trial.same(code, "a")
        with trial.case():
            means = dict.fromkeys(("y.requires_grad", "y.backward_op is None"), "recorded-without-need")
            expected = dict(zip(means, (False, True), strict=True))
            trial.see(trial.run(code), expected, code, means)
        back = code.replace("]])", "]], requires_grad=True)", 1)
        unchanged(
            trial, f"{back}\nbase = MyTensor({[1.5, -2.0] if 'axis' in call else BASE})\ny.backward(base)", "base", "a"
        )


any_of("max", 1.75, "Any formula: functions of functions", "max", beside=("exp", "log", "sum", "mean", "ties"))


def test_functions(MyTensor: Any = ..., seed: int | None = None, until: str | None = None) -> Score:
    """Functions: 15 points."""
    return FUNCTIONS.score(seed, until, MyTensor=MyTensor)
