"""Two steps on the way to `MyTensor`, for practice: undoing what broadcasting did, and the rules of the operators."""

from __future__ import annotations

from typing import Any

import numpy as np

from checks.observe import Failed, class_name
from checks.report import Score
from checks.section import Section
from checks.trial import Trial, literal
from workshop.assignment import ASSIGNMENT
from workshop.reading import is_bare
from workshop.sections.practice import written

UNBROADCAST = Section(
    "unbroadcast",
    "Broadcasting, backward",
    "tests.test_unbroadcast(unbroadcast)",
    assignment=ASSIGNMENT,
    practice=True,
)
RULES = Section(
    "rules",
    "The rules",
    "tests.test_rules(MyTensor, sub_deriv, mul_deriv, div_deriv, pow_deriv)",
    assignment=ASSIGNMENT,
    practice=True,
)


def folded(trial: Trial, *cases: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    """Cases of the shape of a gradient, and of the operand that was stretched to it."""
    for shape, operand in cases:
        gradient = literal(trial.draw(*shape))
        code = f"gradient = np.array({gradient})\nfolded = unbroadcast(gradient, {operand})"
        trial.same(code, "folded[...]")


@UNBROADCAST.check(hints=["Where nothing was stretched there is nothing to sum: return the gradient."])
def equal_shapes(trial: Trial) -> None:
    """A gradient that has the operand's shape stays as it is"""
    written(trial, "unbroadcast(np.array([0.5, 1.5]), (2,))")
    folded(trial, ((3,), (3,)), ((2, 3), (2, 3)))
    if trial.first:  # more shapes tell mistakes apart
        folded(trial, ((2, 3), (3,)), ((3, 4), (3, 1)))


@UNBROADCAST.check(
    needs=["equal_shapes"],
    hints=["Which dimensions of the gradient does the operand not have?", "gradient.sum(axis=0), once for each."],
)
def new_axes(trial: Trial) -> None:
    """New axes in front are summed: (2, 3) to (3,), (2, 2, 3) to (3,)"""
    folded(trial, ((2, 3), (3,)), ((2, 2, 3), (2, 3)), ((2, 2, 3), (3,)), ((2, 3), ()))
    folded(trial, ((1, 3), (3,)), ((1,), ()))
    if trial.first:
        folded(trial, ((3, 4), (3, 1)), ((2, 3), (1, 3)))


@UNBROADCAST.check(
    needs=["equal_shapes"],
    hints=[
        "Which axes have length 1 in the operand's shape, and more in the gradient's?",
        "gradient.sum(axis=axis, keepdims=True): the axis stays, with length 1.",
    ],
)
def length_one(trial: Trial) -> None:
    """Axes of length 1 are summed, and stay: (3, 4) to (3, 1)"""
    folded(trial, ((3, 4), (3, 1)), ((2, 3), (1, 3)), ((2, 1, 3), (2, 1, 1)))
    if trial.first:
        folded(trial, ((2, 3), (3,)))


@UNBROADCAST.check(
    needs=["new_axes", "length_one"],
    hints=["First the axes in front, until there are as many dimensions as in the shape; then those of length 1."],
)
def both(trial: Trial) -> None:
    """Both at once: (4, 2, 3) to (2, 1); and the gradient that was handed in stays"""
    folded(trial, ((4, 2, 3), (2, 1)), ((4, 2, 3), (1, 3)), ((2, 3), (1,)), ((2, 3), (1, 1)), ((1, 1, 3), (1, 3)))
    gradient = literal(trial.draw(2, 3))
    trial.same(f"gradient = np.array({gradient})\nunbroadcast(gradient, (3,))", "gradient[:]")


def test_unbroadcast(unbroadcast: Any, seed: int | None = None) -> Score:
    """Broadcasting, backward, for practice."""
    return UNBROADCAST.score(seed, unbroadcast=unbroadcast)


def gives_gradients(trial: Trial, call: str, shape: str) -> None:
    """A rule gives a tuple, with a gradient for each of its two inputs.

    Raises:
        Missing: when it gives None.
        Failed: when it gives one array, whose rows would pass for gradients, or a tuple of another length.
    """
    given = written(trial, call, "gradients")
    if is_bare(given):
        got = "the rule returns one array, not a tuple with a gradient for each input"
        raise Failed(got, f"a tuple: {shape}", mistake="rule-without-tuple")
    if isinstance(given, (tuple, list)) and len(given) != 2:
        got = f"the rule returns a {class_name(given)} of {len(given)}, and it has two inputs"
        raise Failed(got, f"a tuple of two: {shape}", mistake="rule-without-tuple")


def derived(trial: Trial, rule: str, *shapes: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]) -> None:
    """Cases of the shapes of both operands and of the result: the gradients, and that nothing handed in changes."""
    for one, other, result in shapes:
        lines = [f"left = MyTensor({literal(trial.draw(*one))})", f"right = MyTensor({literal(trial.draw(*other))})"]
        lines += [f"base = np.array({literal(trial.draw(*result))})", f"gradients = {rule}(base, left, right)"]
        trial.same("\n".join(lines), "gradients[0]", "gradients[1]", "base[:]", "left.data", "right.data")


def of_two(rule: str, code: str, *hints: str) -> None:
    """The check of a rule of two operands."""

    @RULES.check(id=rule, title=f"{rule}: the gradients of {code}", hints=hints)
    def check(trial: Trial) -> None:
        call = f"{rule}(np.array([1.0]), MyTensor([2.0]), MyTensor([3.0]))"
        gives_gradients(trial, call, "return gradient_of_left, gradient_of_right")
        derived(trial, rule, ((2,), (2,), (2,)), ((2, 3), (2, 3), (2, 3)))


of_two(
    "sub_deriv",
    "left - right",
    "Nudge right up a little: left - right goes down, as much.",
    "The gradients are base for left, and -base for right.",
)
of_two(
    "mul_deriv",
    "left * right",
    "How fast does left * right grow when left grows?",
    "base * right.data for left, base * left.data for right.",
)
of_two(
    "div_deriv",
    "left / right",
    "Write left / right as left * right**-1.",
    "base / right.data for left, -base * left.data / right.data**2 for right.",
)


def of_power(trial: Trial, power: float, numbers: Any) -> None:
    """A case of a power and the tensor's numbers: the gradient, and that nothing handed in changes."""
    tensor = f"tensor = MyTensor({np.asarray(numbers, float).tolist()})\nbase = np.array({literal(trial.draw(2))})"
    code = f"{tensor}\ngradients = pow_deriv(base, tensor, {power})"
    trial.same(code, "gradients[0]", "len(gradients)", "gradients[1] is None", "base[:]", "tensor.data")


@RULES.check(
    hints=[
        "The power drops by one, and comes down as a factor.",
        "base * power * tensor.data ** (power - 1), and None for the power.",
    ]
)
def pow_deriv(trial: Trial) -> None:
    """pow_deriv: the gradient of tensor ** power"""
    call = "pow_deriv(np.array([1.0]), MyTensor([2.0]), 2)"
    gives_gradients(trial, call, "return gradient_of_tensor, None")
    for power in (2, 3, -1, 1):
        of_power(trial, power, trial.draw(2, positive=True) * [-1, 1])  # a sign that gets lost shows
    of_power(trial, 0.5, trial.draw(2, positive=True))


@RULES.check(
    needs=["pow_deriv"],
    hints=[
        "tensor ** 0 is 1 everywhere: how does that change with tensor?",
        "0 * tensor.data ** -1 divides by 0 where the tensor is 0. Where the power is 0, return zeros.",
    ],
)
def pow_zero(trial: Trial) -> None:
    """pow_deriv, where the power is 0 or the tensor is"""
    for power in (0, 2, 1):
        of_power(trial, power, [1.5, 0.0])


@RULES.check(
    needs=["sub_deriv", "mul_deriv", "div_deriv"],
    hints=[
        "Each gradient must get the shape of its own operand.",
        "End each rule with unbroadcast(gradient, left.shape), unbroadcast(gradient, right.shape), as add_deriv does.",
    ],
)
def stretched(trial: Trial) -> None:
    """Each gradient has its own operand's shape, where broadcasting stretched it"""
    for rule in ("sub_deriv", "mul_deriv", "div_deriv"):
        derived(trial, rule, ((2, 3), (3,), (2, 3)), ((2, 1), (1, 3), (2, 3)), ((3,), (2, 3), (2, 3)))


def test_rules(
    MyTensor: Any, sub_deriv: Any, mul_deriv: Any, div_deriv: Any, pow_deriv: Any, seed: int | None = None
) -> Score:
    """The rules, for practice."""
    rules = {"sub_deriv": sub_deriv, "mul_deriv": mul_deriv, "div_deriv": div_deriv, "pow_deriv": pow_deriv}
    return RULES.score(seed, MyTensor=MyTensor, **rules)
