"""Mistakes with exp, log, sums, means and maxima."""

from __future__ import annotations

from typing import Any

import numpy as np

from checks.mistakes import Way
from classify.imitation import Change, Library, back, constant, defines, is_largest, rule
from classify.mistakes.known import KNOWN, known

EXP_LOG = "Functions > Exponential and logarithm"
SUMS = "Functions > Sums and means"
MAXIMUM = "Functions > Maximum"
AXES = ("sum", "mean", "max")
SAID = {"exp": "exp(x)", "log": "log(x)", "sum": "x.sum()", "mean": "x.mean()", "max": "x.max()"}


def reduced(op: str, x: Any, axis: Any, keepdims: bool) -> Any:
    return getattr(x, op)(axis, keepdims=keepdims)


known(
    "exp-other-function",
    "functions",
    "exp computes something else than e**x, element by element",
    "What is exp(0)? And what exp(1)?",
    "np.exp(x.data).",
    EXP_LOG,
    *(
        defines("exp", f)
        for f in (
            lambda x: 2**x,
            lambda x: 10**x,
            lambda x: np.exp(x) - 1,
            lambda x: np.exp(-x),
            lambda x: np.exp(x).sum() + 0 * x,
        )
    ),
)
known(
    "log-other-function",
    "functions",
    "log is another logarithm than the natural one",
    "What is log(e)? And log(1)?",
    "np.log(x.data): the logarithm to the base e.",
    EXP_LOG,
    ("log is the logarithm to the base 2", defines("log", lambda x: np.log(x) / np.log(2))),
    ("log is the logarithm to the base 10", defines("log", lambda x: np.log(x) / np.log(10))),
    ("log computes log(1 + x)", defines("log", lambda x: np.log(1 + x))),
    defines("log", lambda x: np.log(np.abs(x))),
    defines("log", lambda x: np.log(x + 1e-3)),
)
known(
    "upstream-missing",
    "functions",
    "a rule leaves the upstream gradient out",
    "What if the result is only a part of a larger formula?",
    "Chain rule: base times the operation's own derivative.",
    "Functions",
    *(
        (f"the rule of {SAID[op]} leaves the upstream gradient out", rule(op, lambda right, g, *_: right(0 * g + 1)))
        for op in SAID
    ),
)
for _op in AXES:
    for _when in (True, False):
        KNOWN["upstream-missing"].ways.append(
            Way(
                KNOWN["upstream-missing"],
                f"the rule of {SAID[_op]} leaves the upstream gradient out {'where no' if _when else 'along an'} axis",
                rule(
                    _op,
                    lambda right, g, x, axis, keepdims, when=_when: right(0 * g + 1 if (axis is None) is when else g),
                ),
            )
        )
known(
    "exp-rule",
    "functions",
    "the rule of exp has another derivative than exp(x)",
    "How fast does e**x grow at x? Compare the derivative with the value.",
    "d exp(x)/dx = exp(x): base * np.exp(x.data).",
    EXP_LOG,
    ("the rule of exp multiplies by x in place of exp(x)", rule("exp", lambda g, x: g * x)),
    ("the rule of exp hands the upstream gradient on as it is", rule("exp", lambda g, x: g.copy())),
    ("the rule of exp follows that of a power: x * exp(x - 1)", rule("exp", lambda g, x: g * x * np.exp(x - 1))),
    ("the rule of exp has a factor x too much", rule("exp", lambda g, x: g * x * np.exp(x))),
    ("the rule of exp has the wrong sign", rule("exp", lambda g, x: -g * np.exp(x))),
    ("the rule of exp adds where it should multiply", rule("exp", lambda g, x: g + np.exp(x))),
    ("the rule of exp divides by exp(x)", rule("exp", lambda g, x: g / np.exp(x))),
)
known(
    "log-rule",
    "functions",
    "the rule of log has another derivative than 1/x",
    "The curve of log flattens. How steep is it at x = 1, at 2, at 10?",
    "d log(x)/dx = 1/x: base / x.data.",
    EXP_LOG,
    ("the rule of log multiplies by x in place of dividing", rule("log", lambda g, x: g * x)),
    ("the rule of log divides by log(x)", rule("log", lambda g, x: g / np.log(x))),
    ("the rule of log hands the upstream gradient on as it is", rule("log", lambda g, x: g.copy())),
    ("the rule of log has the wrong sign", rule("log", lambda g, x: -g / x)),
    ("the rule of log divides by x squared", rule("log", lambda g, x: g / x**2)),
    ("the rule of log divides by -x squared", rule("log", lambda g, x: -g / x**2)),
    ("the rule of log is upside down: x over the upstream gradient", rule("log", lambda g, x: x / g)),
    ("the rule of log adds where it should multiply", rule("log", lambda g, x: g + 1 / x)),
)
known(
    "axis-ignored",
    "functions",
    "the axis is ignored: all elements are taken together",
    "Two rows: how many sums do you expect along axis 1?",
    "Hand the axis on: x.data.sum(axis=axis, keepdims=keepdims).",
    SUMS,
    *(
        (f"{op} ignores its axis", defines(op, lambda x, axis, keepdims, op=op: reduced(op, x, None, keepdims)))
        for op in AXES
    ),
    *(
        (
            f"{op} ignores its axis",
            defines(op, lambda x, axis, keepdims, op=op: reduced(op, x, None, False)),
        )
        for op in AXES
    ),
)
known(
    "axis-other",
    "functions",
    "another axis is taken than the one that was asked for",
    "In a (2, 3) tensor, which direction is axis 0? Which shape is left?",
    "Axis 0 goes down, through the rows, and -1 is the last one: hand the number on as it is.",
    SUMS,
    *(
        (
            f"{op} takes the other axis",
            defines(
                op,
                lambda x, axis, keepdims, op=op: reduced(op, x, None if axis is None else -1 - axis, keepdims),
            ),
        )
        for op in AXES
    ),
    *(
        (
            f"{op} takes another axis than a negative one says",
            defines(op, lambda x, axis, keepdims, op=op, of=of: reduced(op, x, of(axis), keepdims)),
        )
        for op in AXES
        for of in (lambda axis: axis and max(axis, 0), lambda axis: axis and abs(axis))
    ),
    *(
        (
            f"{op} takes axis 0 where none is given",
            defines(op, lambda x, axis, keepdims, op=op: reduced(op, x, 0 if axis is None else axis, keepdims)),
        )
        for op in AXES
    ),
    *(
        (
            f"{op} takes the last axis where none is given",
            defines(op, lambda x, axis, keepdims, op=op: reduced(op, x, -1 if axis is None else axis, keepdims)),
        )
        for op in AXES
    ),
    *(
        (
            f"{op} takes axis 0 for no axis",
            defines(op, lambda x, axis, keepdims, op=op: reduced(op, x, axis or None, keepdims)),
        )
        for op in AXES
    ),
    *(
        (
            f"{op} always takes the last axis",
            defines(op, lambda x, axis, keepdims, op=op: reduced(op, x, -1, keepdims)),
        )
        for op in AXES
    ),
)
known(
    "keepdims-ignored",
    "functions",
    "keepdims does not do what it says",
    "Which shape has a sum over axis 1 of a (2, 3) tensor that keeps its axes?",
    "keepdims=True leaves the axis in place, with length 1: hand it on to NumPy.",
    SUMS,
    *(
        (
            f"{op} loses the axis though keepdims is True",
            defines(op, lambda x, axis, keepdims, op=op: reduced(op, x, axis, False)),
        )
        for op in AXES
    ),
    *(
        (
            f"{op} keeps the axis though keepdims is False",
            defines(op, lambda x, axis, keepdims, op=op: reduced(op, x, axis, True)),
        )
        for op in AXES
    ),
    *(
        (
            f"{op} loses all axes though keepdims is True, where no axis is given",
            defines(op, lambda x, axis, keepdims, op=op: reduced(op, x, axis, keepdims and axis is not None)),
        )
        for op in AXES
    ),
)

known(
    "sum-rule-shape",
    "functions",
    "the gradient of a sum does not get back into the shape of its input",
    "The sum lost an axis. Which shape has its upstream gradient, and which one has x?",
    "Put the axis back with length 1, np.expand_dims(base, axis), then repeat along it: * np.ones_like(x.data).",
    SUMS,
    ("the rule of sum hands the upstream gradient on in its own shape", rule("sum", lambda g, x, *_: g.copy())),
    (
        "the rule of sum gives the shape of the kept axes, and does not repeat along them",
        rule("sum", lambda g, x, axis, keepdims: back(g, x, axis).copy()),
    ),
    (
        "the rule of sum puts the axis back, and does not repeat along it",
        rule(
            "sum", lambda g, x, axis, keepdims: g.copy() if axis is None or keepdims else np.expand_dims(g, axis).copy()
        ),
    ),
    (
        "the rule of sum repeats the upstream gradient without putting the axis back",
        rule("sum", lambda g, x, axis, keepdims: g + 0 * x),
    ),
    (
        "the rule of sum puts the axis back though keepdims has left it there",
        rule("sum", lambda g, x, axis, keepdims: (g if axis is None else np.expand_dims(g, axis)) + 0 * x),
    ),
    (
        "the rule of sum adds up the upstream gradient before it hands it on",
        rule("sum", lambda g, x, *_: g.sum() + 0 * x),
    ),
)
known(
    "sum-rule-values",
    "functions",
    "the gradient of a sum is not the upstream gradient, repeated",
    "How much does a sum grow when one of its elements grows by 1?",
    "d sum(x)/dx = 1 for each element: the upstream gradient, as it is, in each place.",
    SUMS,
    ("the rule of sum divides by the number of elements", rule("sum", lambda right, g, x, *_: right(g) / x.size)),
    (
        "the rule of sum divides by how many were added",
        rule("sum", lambda right, g, x, *_: right(g) * g.size / x.size),
    ),
    ("the rule of sum multiplies by x", rule("sum", lambda right, g, x, *_: right(g) * x)),
    ("the rule of sum has the wrong sign", rule("sum", lambda right, g, x, *_: -right(g))),
    ("the rule of sum gives 0", rule("sum", lambda right, g, x, *_: 0 * x)),
)
known(
    "mean-is-sum",
    "functions",
    "the mean is not divided by how many there are",
    "What do you get for three numbers that are all alike?",
    "Divide the sum by the number of elements that were added.",
    SUMS,
    defines("mean", lambda x, axis, keepdims: reduced("sum", x, axis, keepdims)),
)
known(
    "mean-other-count",
    "functions",
    "the mean is divided by another number than that of the elements that were added",
    "The mean along axis 1 of a (2, 3) tensor: how many numbers are in each?",
    "All of them, x.size, where no axis is given; else x.shape[axis].",
    SUMS,
    (
        "the mean divides by the number of all elements, also along an axis",
        defines("mean", lambda x, axis, keepdims: reduced("sum", x, axis, keepdims) / x.size),
    ),
    (
        "the mean divides by the number of rows",
        defines("mean", lambda x, axis, keepdims: reduced("sum", x, axis, keepdims) / (x.shape[0] if x.ndim else 1)),
    ),
    (
        "the mean divides by the length of the last axis",
        defines("mean", lambda x, axis, keepdims: reduced("sum", x, axis, keepdims) / (x.shape[-1] if x.ndim else 1)),
    ),
    (
        "the mean over all elements divides by the number of rows",
        defines(
            "mean",
            lambda x, axis, keepdims: (
                reduced("sum", x, axis, keepdims) / ((x.shape[0] if x.ndim else 1) if axis is None else x.shape[axis])
            ),
        ),
    ),
    (
        "the mean along axis 0 divides by the number of all elements",
        defines(
            "mean",
            lambda x, axis, keepdims: reduced("sum", x, axis, keepdims) / (x.shape[axis] if axis else x.size),
        ),
    ),
    *(
        (
            f"the mean along any axis divides by the length of the {name}",
            defines(
                "mean",
                lambda x, axis, keepdims, at=at: (
                    reduced("sum", x, axis, keepdims) / (x.size if axis is None else x.shape[at])
                ),
            ),
        )
        for name, at in (("first one", 0), ("last one", -1))
    ),
    (
        "the mean divides by how many means there are",
        defines(
            "mean",
            lambda x, axis, keepdims: reduced("sum", x, axis, keepdims) / reduced("sum", x, axis, keepdims).size,
        ),
    ),
    (
        "the mean divides by one less than there are",
        defines(
            "mean",
            lambda x, axis, keepdims: (
                reduced("sum", x, axis, keepdims) / (x.size / reduced("sum", x, axis, keepdims).size - 1)
            ),
        ),
    ),
)
known(
    "mean-rule",
    "functions",
    "the gradient of a mean is not the upstream gradient divided by how many there are",
    "How much does a mean of four grow when one of them grows by 1?",
    "Compose it: the sum divided by a number has the right gradient by itself.",
    SUMS,
    (
        "the gradient of a mean is not divided by how many there are",
        rule("mean", lambda right, g, x, *_: right(g) * x.size / g.size),
    ),
    (
        "the gradient of a mean is divided twice by how many there are",
        rule("mean", lambda right, g, x, *_: right(g) * g.size / x.size),
    ),
    (
        "the gradient of a mean is divided by the number of all elements, also along an axis",
        rule("mean", lambda right, g, x, *_: right(g) / g.size),
    ),
)
known(
    "max-other-function",
    "functions",
    "max gives something else than the largest element",
    "Which is the largest of -3, -1 and -2?",
    "x.data.max(axis=axis, keepdims=keepdims).",
    MAXIMUM,
    ("max gives the smallest element", defines("max", lambda x, axis, keepdims: x.min(axis, keepdims=keepdims))),
    (
        "max takes the sizes only, without signs",
        defines("max", lambda x, axis, keepdims: np.abs(x).max(axis, keepdims=keepdims)),
    ),
    (
        "max gives no number below 0",
        defines("max", lambda x, axis, keepdims: np.maximum(x.max(axis, keepdims=keepdims), 0)),
    ),
    ("max gives the place of the largest element", defines("max", lambda x, axis, keepdims: place(x, axis, keepdims))),
)


def place(x: Any, axis: Any, keepdims: bool) -> Any:
    largest = x.max(axis, keepdims=keepdims)
    return constant(x).argmax(axis, keepdims=keepdims and axis is not None) + 0 * largest


known(
    "max-ties-all",
    "functions",
    "where several are the largest, each of them gets the whole gradient",
    "Two largest elements share one upstream gradient. How much is each one's part?",
    "Divide by how many are the largest, along the axis: mask / mask.sum(axis=axis, keepdims=True).",
    MAXIMUM,
    rule("max", lambda g, x, axis, keepdims: back(g, x, axis) * is_largest(x, axis)),
)
known(
    "max-ties-first",
    "functions",
    "where several are the largest, only one of them gets the gradient",
    "argmax knows one place only. Which element is more the largest, if two are equal?",
    "Compare with the maximum, mask = x.data == largest: all that are equal share the gradient evenly.",
    MAXIMUM,
    (
        "where several are the largest, only the first of them gets the gradient",
        rule("max", lambda g, x, axis, keepdims: back(g, x, axis) * one_of(x, axis, False)),
    ),
    (
        "where several are the largest, only the last of them gets the gradient",
        rule("max", lambda g, x, axis, keepdims: back(g, x, axis) * one_of(x, axis, True)),
    ),
)
known(
    "max-rule",
    "functions",
    "the gradient of max goes to other places than the largest element",
    "Nudge an element that is not the largest: does the maximum change?",
    "Only the largest gets the upstream gradient, the others 0: mask = x.data == largest, with its axis kept.",
    MAXIMUM,
    ("every element gets the gradient of the maximum", rule("max", lambda g, x, a, k: back(g, x, a) + 0 * x)),
    (
        "only the largest of all gets a gradient, also along an axis",
        rule("max", lambda g, x, a, k: back(g, x, a) * is_largest(x, None)),
    ),
    (
        "only the largest of all gets a gradient, and where there is none in a row, it is divided by 0",
        rule(
            "max",
            lambda g, x, a, k: back(g, x, a) * is_largest(x, None) / is_largest(x, None).sum(a, keepdims=True),
        ),
    ),
    (
        "elements that are a little below the largest share its gradient",
        rule("max", lambda g, x, a, k: back(g, x, a) * nearly(x, a) / nearly_many(x, a)),
    ),
    ("every element gets an equal share of the gradient", rule("max", lambda right, g, x, a, k: shared(g, x, a, k))),
    ("the gradient of max is 0 everywhere", rule("max", lambda g, x, *_: 0 * x)),
    ("the gradient of max is multiplied by the maximum", rule("max", lambda right, g, x, *_: right(g) * x)),
    ("the gradient of max has the wrong sign", rule("max", lambda right, g, x, *_: -right(g))),
    (
        "the gradient of max is divided by how many are the largest in all of x, also along an axis",
        rule("max", lambda g, x, a, k: back(g, x, a) * is_largest(x, a) / is_largest(x, a).sum()),
    ),
)
known(
    "max-rule-shape",
    "functions",
    "the gradient of max does not meet the shape of its input",
    "The maximum lost an axis. Which shape has its upstream gradient, and which one has x?",
    "Put the axis back with length 1, np.expand_dims(base, axis), for the gradient and for the maximum.",
    MAXIMUM,
    (
        "the rule of max compares without putting the axis back",
        rule("max", lambda g, x, a, k: g * (x == x.max(a, keepdims=k)) / (x == x.max(a, keepdims=k)).sum()),
    ),
    (
        "the rule of max compares without putting the axis back",
        rule("max", lambda g, x, a, k: g * (x == x.max(a, keepdims=k))),
    ),
    ("the rule of max hands the upstream gradient on in its own shape", rule("max", lambda g, x, *_: g.copy())),
    (
        "the rule of max puts the axis back though keepdims has left it there",
        rule("max", lambda right, g, x, a, k: again(right, g, x, a, k)),
    ),
)


def one_of(x: Any, axis: Any, last: bool) -> Any:
    """1 at the first, or the last, of the largest elements along an axis; 0 elsewhere."""
    array = np.asarray(x)
    axes = None if axis is None else axis % x.ndim
    flipped = np.flip(array, axes) if last else array
    place = np.expand_dims(flipped.argmax(axes), axes) if axes is not None else flipped.argmax()
    mask = np.zeros(array.shape)
    if axes is None:
        mask.reshape(-1)[int(place)] = 1
    else:
        np.put_along_axis(mask, place, 1, axes)
    return np.flip(mask, axes) if last else mask


def nearly(x: Any, axis: Any) -> Any:
    return x >= x.max(axis, keepdims=True) - 1e-5


def nearly_many(x: Any, axis: Any) -> Any:
    return nearly(x, axis).sum(axis, keepdims=True)


def shared(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    return back(g, x, axis) * g.size / x.size + 0 * x


def again(right: Any, g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    if not keepdims or axis is None:
        return right(g)
    ties = is_largest(x, axis)
    return np.expand_dims(g, axis) * ties / ties.sum(axis, keepdims=True)


def unrecorded(op: str) -> Change:
    def change(library: Library) -> None:
        needs = library.needs
        library.cut.add((op, 0))
        apply = library.apply

        def applied(name: str, *inputs: Any) -> Any:
            result = apply(name, *inputs)
            if name == op:
                result.requires_grad, result.op = False, None
            return result

        library.needs, library.apply = needs, applied

    return change


def forgotten(op: str) -> Change:
    """The result requires a gradient, and does not know the operation that made it."""

    def change(library: Library) -> None:
        records = library.records
        apply = library.apply

        def applied(name: str, *inputs: Any) -> Any:
            library.records = lambda op_now, needed: op_now != op and records(op_now, needed)
            return apply(name, *inputs)

        library.apply = applied

    return change


def always_recorded(op: str) -> Change:
    def change(library: Library) -> None:
        needs = library.needs
        library.needs = lambda name, tensors: name == op or needs(name, tensors)

    return change


def writes_input(op: str, function: Any) -> Change:
    """The result is written into the input's own array."""

    def change(library: Library) -> None:
        def into(x: Any, *rest: Any) -> Any:
            x[...] = function(x, *rest)
            return x

        library.values[op] = into

    return change


for _op, _function in (("exp", np.exp), ("log", np.log)):
    KNOWN["input-changed"].ways.append(
        Way(
            KNOWN["input-changed"], f"{_op} writes its result into the tensor it is given", writes_input(_op, _function)
        )
    )
for _op in (*SAID, "softmax", "log_softmax", "cross_entropy"):
    said = {"softmax": "softmax", "log_softmax": "log_softmax", "cross_entropy": "the loss"}.get(_op, _op)
    for _id, _words, _change in (
        ("not-recorded", f"{said} sends no gradient back", unrecorded(_op)),
        ("not-recorded", f"{said} sends no gradient back", forgotten(_op)),
        ("recorded-without-need", f"{said} requires a gradient though no input does", always_recorded(_op)),
    ):
        KNOWN[_id].ways.append(Way(KNOWN[_id], _words, _change))
