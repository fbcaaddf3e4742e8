"""Mistakes with what is for practice: an answer, strides, the numeric derivative, what rules return."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import numpy as np

from workshop.changes import Change, function
from workshop.imitation import strides_of
from workshop.mistakes.known import RULES, known

ANSWER = "Set-up > Your first test"
STRIDES = "Tensors > Strides"
NUMERIC = "Reminders > Numeric differentiation"


def strides(wrong: Callable[[tuple[int, ...], int], Any]) -> Change:
    return function("strides_of", wrong)


def numeric(wrong: Callable[[Callable[[Any], Any], Any, float], Any]) -> Change:
    """A wrong derivative of f at x with h, 1e-5 where none is given."""
    return function("numeric_derivative", lambda f, x, h=1e-5: wrong(f, x, h))


def answer(wrong: Callable[[list[float]], Any]) -> Change:
    return function("answer", wrong)


# ---------------------------------------------------------------- an answer

known(
    "answer-score",
    "answer",
    "it is the highest score itself, and not the digit that has it",
    "Of [0.2, 0.9, 0.4] the answer is 1. What is your 0.9?",
    "max(scores) is the score; scores.index(max(scores)) is where it stands.",
    ANSWER,
    answer(max),
)
known(
    "answer-lowest",
    "answer",
    "it is the digit with the lowest score",
    "Which score has the digit that the network is most sure of?",
    "The highest one is max(scores).",
    ANSWER,
    answer(lambda scores: int(np.argmin(scores))),
)
known(
    "answer-from-one",
    "answer",
    "the digits are counted from 1",
    "Which digit has the first score?",
    "The first score is that of 0, as Python counts: scores.index(...) is the digit.",
    ANSWER,
    answer(lambda scores: int(np.argmax(scores)) + 1),
)
known(
    "answer-from-zero",
    "answer",
    "a score is taken for the highest only if it is above 0",
    "With which number do you compare the first score?",
    "Compare scores with each other: begin with the first one, or take max(scores).",
    ANSWER,
    *(answer(lambda scores, none=none: int(np.argmax(scores)) if max(scores) > 0 else none) for none in (0, None, -1)),
)

# ---------------------------------------------------------------- strides

known(
    "strides-column-major",
    "strides",
    "the strides are those of columns that lie one after the other",
    "Which elements are neighbors in the storage: those of a row, or those of a column?",
    "Row after row: the last dimension has the smallest stride, itemsize.",
    STRIDES,
    strides(lambda shape, itemsize: tuple(accumulate((itemsize, *shape[:-1]), int.__mul__)) if shape else ()),
)
known(
    "strides-count-elements",
    "strides",
    "the strides count elements, not bytes",
    "How many bytes does one element take?",
    "Multiply by itemsize. (PyTorch's stride() counts elements, NumPy's strides bytes.)",
    STRIDES,
    strides(lambda shape, itemsize: strides_of(shape, 1)),
)
known(
    "strides-from-last",
    "strides",
    "the strides stand in the order from the last dimension to the first",
    "Which stride did you find first, and where does it stand in your result?",
    "Go from the last dimension to the first, then turn the list around: [::-1], or insert at 0.",
    STRIDES,
    strides(lambda shape, itemsize: strides_of(shape, itemsize)[::-1]),
)
known(
    "strides-own-length",
    "strides",
    "each stride is too large by the length of its own dimension",
    "To go down by one row of a matrix, do you step over all of its rows?",
    "A stride is the product of the lengths after its dimension, without its own, times itemsize.",
    STRIDES,
    strides(lambda shape, itemsize: tuple(math.prod(shape[i:]) * itemsize for i in range(len(shape)))),
)
known(
    "strides-one-length",
    "strides",
    "each stride has one length in it, not the product of all lengths after it",
    "In a (2, 3, 4) array, how many elements does a step in the first dimension pass?",
    "Multiply as you go: each stride is the one after it, times the length of that dimension.",
    STRIDES,
    strides(lambda shape, itemsize: tuple(n * itemsize for n in (*shape[1:], 1))),
    strides(lambda shape, itemsize: tuple(n * itemsize for n in (*shape[1:], 1)[: len(shape)])),
    strides(lambda shape, itemsize: tuple(n * itemsize for n in shape)),
)

# ---------------------------------------------------------------- the numeric derivative

RULE = "(f(x + h) - f(x - h)) / (2 * h)"

known(
    "numeric-forward",
    "numeric",
    "it is the forward difference, and not the central one",
    "Your formula looks to one side of x. What would looking to both sides change?",
    RULE,
    NUMERIC,
    numeric(lambda f, x, h: (f(x + h) - f(x)) / h),
    ("it is the difference to the left of x, and not the central one", numeric(lambda f, x, h: (f(x) - f(x - h)) / h)),
)
known(
    "numeric-two-missing",
    "numeric",
    "the derivative is twice too large",
    "How far apart are x - h and x + h?",
    f"They are 2 * h apart: {RULE}",
    NUMERIC,
    numeric(lambda f, x, h: (f(x + h) - f(x - h)) / h),
)
known(
    "numeric-half",
    "numeric",
    "the derivative is half of what it should be",
    "How far apart are the two places at which you call f?",
    f"Divide by just that distance: {RULE}",
    NUMERIC,
    numeric(lambda f, x, h: (f(x + h) - f(x)) / (2 * h)),
)
known(
    "numeric-parentheses",
    "numeric",
    "the difference is divided by 2, and then multiplied by h",
    "Python goes from left to right: what does a / 2 * h do with h?",
    "Put the denominator in parentheses: / (2 * h).",
    NUMERIC,
    numeric(lambda f, x, h: (f(x + h) - f(x - h)) / 2 * h),
)
known(
    "numeric-not-divided",
    "numeric",
    "the difference is not divided by the distance",
    "A slope is a rise by a run. Where is the run?",
    RULE,
    NUMERIC,
    numeric(lambda f, x, h: f(x + h) - f(x - h)),
    numeric(lambda f, x, h: f(x + h) - f(x)),
    (
        "a term of the difference is divided, and not the whole of it",
        numeric(lambda f, x, h: f(x + h) - f(x - h) / (2 * h)),
    ),
)
known(
    "numeric-sign",
    "numeric",
    "the derivative has the right size but the wrong sign",
    "Of a function that rises, is f(x - h) - f(x + h) positive?",
    "What lies to the right comes first: f(x + h) - f(x - h).",
    NUMERIC,
    numeric(lambda f, x, h: (f(x - h) - f(x + h)) / (2 * h)),
)
known(
    "numeric-h-ignored",
    "numeric",
    "the h that it is given makes no difference",
    "Where in your formula is h used?",
    "Use the parameter h, and leave 1e-5 to the first line of the function.",
    NUMERIC,
    *(numeric(lambda f, x, h, own=own: (f(x + own) - f(x - own)) / (2 * own)) for own in (1e-5, 1e-6, 1e-4, 1e-3)),
)
known(
    "numeric-one-for-all",
    "numeric",
    "all elements get the same derivative",
    "Each element of x is a place of its own. How many derivatives are there?",
    "Compute with the whole arrays: no sum, no mean, no index.",
    NUMERIC,
    numeric(lambda f, x, h: np.mean((f(x + h) - f(x - h)) / (2 * h))),
    numeric(lambda f, x, h: np.sum((f(x + h) - f(x - h)) / (2 * h))),
)


def in_place(f: Callable[[Any], Any], x: Any, h: float, back: float) -> Any:
    """`x += h` instead of `x + h`, and then `x -= back * h`: of an array, its owner's is changed."""
    x += h
    right = f(x)
    x -= back * h
    return (right - f(x)) / (2 * h)


known(
    "numeric-in-place",
    "numeric",
    "the array x is another one afterwards",
    "`x += h` on an array writes into it. Whose array is that?",
    "`x + h` makes a new array.",
    NUMERIC,
    numeric(lambda f, x, h: in_place(f, x, h, 2)),
)

# ---------------------------------------------------------------- rules

known(
    "rule-without-tuple",
    "rules",
    "a rule does not return a tuple with an element for each of its inputs",
    "How many inputs does the operation have, and how many gradients does your return hand back?",
    "A comma makes a tuple. Of two: return of_left, of_right. Of a power: return of_tensor, None. Of one: return of_x,",
    RULES,
)
known(
    "rule-of-tensors",
    "rules",
    "a rule computes with a MyTensor, and not with the array in it",
    "base is an array. What are left and right, and where in them are their arrays?",
    "A rule computes with arrays: right.data in place of right, left.data in place of left.",
    RULES,
)
