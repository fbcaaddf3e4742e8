"""Mistakes with softmax, log-softmax and the loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from classify.imitation import Change, constant, defines, log_softmax, one_hot, rule, softmax
from classify.mistakes.known import known

SOFTMAX = "Cross-entropy > Softmax"
LOG_SOFTMAX = "Cross-entropy > Log-softmax"
LOSS = "Cross-entropy > The loss"
BOTH = ("softmax", "log_softmax")


def shifted(x: Any, axis: Any) -> Any:
    return x - x.max(axis, keepdims=True)


def naive(x: Any, axis: Any) -> Any:
    return np.exp(x) / np.exp(x).sum(axis, keepdims=True)


def each(says: str, make: Callable[[str], Change]) -> list[tuple[str, Change]]:
    """The same of softmax and of log_softmax."""
    return [(says.format(name), make(name)) for name in BOTH]


def function(name: str) -> Callable[..., Any]:
    """softmax or log_softmax, along an axis or along none."""
    return lambda x, axis: (
        np.exp(shifted(x, axis)) / np.exp(shifted(x, axis)).sum(axis, keepdims=True)
        if name == "softmax"
        else shifted(x, axis) - np.log(np.exp(shifted(x, axis)).sum(axis, keepdims=True))
    )


def on(name: str, axis_of: Callable[[Any, Any], Any]) -> Change:
    return defines(name, lambda x, axis: function(name)(x, axis_of(x, axis)))


known(
    "maximum-not-subtracted",
    "cross_entropy",
    "large scores give nan or infinite numbers: exp is too large for them",
    "What is np.exp(1000)? Add the same number to all scores of a row: what does that do to softmax?",
    "Subtract each row's maximum before exp: the result is the same, and no power is larger than 1.",
    SOFTMAX,
    defines("softmax", naive),
    *(
        defines("softmax", lambda x, axis, small=small: np.exp(x) / (np.exp(x).sum(axis, keepdims=True) + small))
        for small in (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)
    ),
    defines("log_softmax", lambda x, axis: x - np.log(np.exp(x).sum(axis, keepdims=True))),
    defines("log_softmax", lambda x, axis: np.log(naive(x, axis))),
    defines("softmax", lambda x, axis: 1 / (1 + (np.exp(-x) * (np.exp(x).sum(axis, keepdims=True) - np.exp(x))))),
)
known(
    "maximum-of-all",
    "cross_entropy",
    "the maximum of all scores is subtracted: a row of much lower ones is lost",
    "One row is around 1000, another around -1000. What is left of the second one?",
    "Each row has its own maximum: x.max(axis=axis, keepdims=True).",
    SOFTMAX,
    *(
        way
        for highest in (lambda x: x.max(None), lambda x: constant(x).max())  # in the graph, or a constant
        for way in (
            (
                "softmax subtracts the maximum of all scores, not each row's own",
                defines("softmax", lambda x, axis, highest=highest: naive(x - highest(x), axis)),
            ),
            (
                "log_softmax subtracts the maximum of all scores, not each row's own",
                defines(
                    "log_softmax",
                    lambda x, axis, highest=highest: (
                        (x - highest(x)) - np.log(np.exp(x - highest(x)).sum(axis, keepdims=True))
                    ),
                ),
            ),
        )
    ),
)
known(
    "maximum-wrong-sign",
    "cross_entropy",
    "something else than the maximum is subtracted before exp: large scores overflow",
    "Which number has to go, so that no score is above 0?",
    "x - x.max(axis=axis, keepdims=True).",
    SOFTMAX,
    (
        "the minimum is subtracted, not the maximum",
        defines("softmax", lambda x, axis: naive(x - x.min(axis, keepdims=True), axis)),
    ),
    (
        "the mean is subtracted, not the maximum",
        defines("softmax", lambda x, axis: naive(x - x.mean(axis, keepdims=True), axis)),
    ),
    (
        "the maximum is added, not subtracted",
        defines("softmax", lambda x, axis: naive(x + x.max(axis, keepdims=True), axis)),
    ),
    (
        "the maximum is added, not subtracted",
        defines("log_softmax", lambda x, axis: np.log(naive(x + x.max(axis, keepdims=True), axis))),
    ),
)
known(
    "softmax-axis",
    "cross_entropy",
    "the scores are compared along another axis, or all together",
    "Which numbers have to add up to 1: those of a row, of a column, or all?",
    "axis=-1 goes along a row. Hand the axis on to every sum and maximum.",
    SOFTMAX,
    (
        "softmax sums along the last axis, whatever axis is asked for",
        defines("softmax", lambda x, axis: np.exp(shifted(x, axis)) / np.exp(shifted(x, axis)).sum(-1, keepdims=True)),
    ),
    (
        "log_softmax sums along the last axis, whatever axis is asked for",
        defines(
            "log_softmax", lambda x, axis: shifted(x, axis) - np.log(np.exp(shifted(x, axis)).sum(-1, keepdims=True))
        ),
    ),
    *each("{} takes all scores together", lambda name: on(name, lambda x, axis: None)),
    (
        "softmax divides by the sum of all scores' powers, not by each row's own",
        defines("softmax", lambda x, axis: np.exp(shifted(x, axis)) / np.exp(shifted(x, axis)).sum()),
    ),
    (
        "log_softmax subtracts the logarithm of a sum over all scores, not over each row",
        defines("log_softmax", lambda x, axis: shifted(x, axis) - np.log(np.exp(shifted(x, axis)).sum())),
    ),
    *each(
        "{} goes along the columns where no axis is given",
        lambda name: on(name, lambda x, axis: 0 if axis == -1 else axis),
    ),
    *each("{} ignores its axis and takes the last", lambda name: on(name, lambda x, axis: -1)),
    *each("{} ignores its axis and takes axis 0", lambda name: on(name, lambda x, axis: 0)),
    *each("{} ignores its axis and takes axis 1", lambda name: on(name, lambda x, axis: 1)),
    *each("{} goes along another axis than asked", lambda name: on(name, lambda x, axis: -1 - axis)),
)
known(
    "keepdims-lost",
    "cross_entropy",
    "a sum or a maximum has lost its axis: rows meet columns",
    "A sum along axis 1 of a (2, 3) tensor: which shape lets it meet that tensor row by row?",
    "keepdims=True: (2, 1) meets (2, 3), where (2,) does not.",
    SOFTMAX,
    (
        "softmax divides by sums that have lost their axis",
        defines("softmax", lambda x, axis: np.exp(shifted(x, axis)) / np.exp(shifted(x, axis)).sum(axis)),
    ),
    (
        "softmax subtracts maxima that have lost their axis",
        defines("softmax", lambda x, axis: naive(x - x.max(axis), axis)),
    ),
    (
        "softmax subtracts maxima and divides by sums that have lost their axis",
        defines("softmax", lambda x, axis: np.exp(x - x.max(axis)) / np.exp(x - x.max(axis)).sum(axis)),
    ),
    (
        "log_softmax subtracts sums that have lost their axis",
        defines("log_softmax", lambda x, axis: shifted(x, axis) - np.log(np.exp(shifted(x, axis)).sum(axis))),
    ),
    (
        "log_softmax subtracts maxima that have lost their axis",
        defines("log_softmax", lambda x, axis: log_softmax(x - x.max(axis), axis)),
    ),
    (
        "log_softmax subtracts maxima and sums that have lost their axis",
        defines("log_softmax", lambda x, axis: (x - x.max(axis)) - np.log(np.exp(x - x.max(axis)).sum(axis))),
    ),
)
known(
    "softmax-other-function",
    "cross_entropy",
    "softmax is another function than exp(x) divided by its sum",
    "Two scores that are alike: which probabilities? And one that is lower by 1: how many times less?",
    "exp(x) / sum(exp(x)), along the axis.",
    SOFTMAX,
    (
        "softmax divides the scores themselves by their sum, without exp",
        defines("softmax", lambda x, axis: x / x.sum(axis, keepdims=True)),
    ),
    ("softmax is not divided by the sum", defines("softmax", lambda x, axis: np.exp(shifted(x, axis)))),
    ("softmax is not divided by the sum", defines("softmax", lambda x, axis: np.exp(x))),
    (
        "softmax divides by the largest power, not by the sum",
        defines("softmax", lambda x, axis: np.exp(x) / np.exp(x).max(axis, keepdims=True)),
    ),
    (
        "softmax divides by the mean, not by the sum",
        defines("softmax", lambda x, axis: np.exp(x) / np.exp(x).mean(axis, keepdims=True)),
    ),
    ("softmax is that of the scores with the other sign", defines("softmax", lambda x, axis: softmax(-x, axis))),
    ("softmax is a sigmoid: each score by itself", defines("softmax", lambda x, axis: 1 / (1 + np.exp(-x)))),
    (
        "softmax divides by the exp of the sum",
        defines(
            "softmax", lambda x, axis: np.exp(shifted(x, axis)) / np.exp(shifted(x, axis).sum(axis, keepdims=True))
        ),
    ),
    (
        "softmax divides by the exp of the sum",
        defines("softmax", lambda x, axis: np.exp(x) / np.exp(x.sum(axis, keepdims=True))),
    ),
    (
        "softmax is computed with powers of 2",
        defines("softmax", lambda x, axis: (2**x) / (2**x).sum(axis, keepdims=True)),
    ),
)
known(
    "softmax-underflows",
    "cross_entropy",
    "log_softmax of a low score is -inf, or cut off: its softmax is too small for a number",
    "How small can a probability get before it is 0 for the computer? And what is log(0)?",
    "Do not take the log of softmax: shifted - shifted.exp().sum(axis=axis, keepdims=True).log().",
    LOG_SOFTMAX,
    defines("log_softmax", lambda x, axis: np.log(softmax(x, axis))),
    *(
        (
            "log_softmax adds a tiny number to softmax: what lies far below 0 is cut off",
            defines("log_softmax", lambda x, axis, small=small: np.log(softmax(x, axis) + small)),
        )
        for small in (1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 1e-7, 1e-6, 1e-20, 1e-300)
    ),
    *(
        (
            "log_softmax lets softmax be no smaller than a tiny number: what lies far below 0 is cut off",
            defines("log_softmax", lambda x, axis, small=small: np.log(np.maximum(softmax(x, axis), small))),
        )
        for small in (1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 1e-7, 1e-300)
    ),
)
known(
    "log-softmax-other-function",
    "cross_entropy",
    "log_softmax is not the logarithm of softmax",
    "exp of log_softmax: does each row add up to 1?",
    "log_softmax(x) = x - log(sum(exp(x))), along the axis, with x less its maximum.",
    LOG_SOFTMAX,
    (
        "log_softmax is computed with logarithms to the base 2",
        defines("log_softmax", lambda x, axis: log_softmax(x, axis) / 0.6931471805599453),
    ),
    (
        "log_softmax subtracts a logarithm to the base 2",
        defines(
            "log_softmax",
            lambda x, axis: shifted(x, axis) - np.log(np.exp(shifted(x, axis)).sum(axis, keepdims=True)) / np.log(2),
        ),
    ),
    ("log_softmax has the other sign", defines("log_softmax", lambda x, axis: -log_softmax(x, axis))),
    ("log_softmax gives softmax, without the logarithm", defines("log_softmax", lambda x, axis: softmax(x, axis))),
    (
        "log_softmax does not take the logarithm of the sum",
        defines("log_softmax", lambda x, axis: shifted(x, axis) - np.exp(shifted(x, axis)).sum(axis, keepdims=True)),
    ),
    (
        "log_softmax adds the logarithm of the sum",
        defines(
            "log_softmax", lambda x, axis: shifted(x, axis) + np.log(np.exp(shifted(x, axis)).sum(axis, keepdims=True))
        ),
    ),
    (
        "log_softmax subtracts the maximum from one of its two parts only",
        defines("log_softmax", lambda x, axis: x - np.log(np.exp(shifted(x, axis)).sum(axis, keepdims=True))),
    ),
    (
        "log_softmax subtracts the maximum from one of its two parts only",
        defines("log_softmax", lambda x, axis: shifted(x, axis) - np.log(np.exp(x).sum(axis, keepdims=True))),
    ),
    (
        "log_softmax gives the logarithm of the sum alone",
        defines("log_softmax", lambda x, axis: x - log_softmax(x, axis)),
    ),
    (
        "log_softmax takes the mean of the powers, not their sum",
        defines(
            "log_softmax", lambda x, axis: shifted(x, axis) - np.log(np.exp(shifted(x, axis)).mean(axis, keepdims=True))
        ),
    ),
    (
        "log_softmax sums the logarithms, in place of taking the logarithm of the sum",
        defines("log_softmax", lambda x, axis: shifted(x, axis) - shifted(x, axis).sum(axis, keepdims=True)),
    ),
)


def kept(x: Any, axis: Any) -> Any:
    return softmax(x, axis)


known(
    "softmax-rule",
    "cross_entropy",
    "the gradient of softmax is not p * (g - sum of g * p)",
    "A score grows, and its probability, too. What happens to the other probabilities of the row?",
    "They add up to 1, so all change: p * (g - (g * p).sum(axis, keepdims=True)), or composed of tensors.",
    SOFTMAX,
    (
        "the gradient of softmax is g * p * (1 - p): as if each score moved its own probability only",
        rule("softmax", lambda g, x, axis: g * kept(x, axis) * (1 - kept(x, axis))),
    ),
    (
        "the gradient of softmax sums over all rows together",
        rule("softmax", lambda g, x, axis: kept(x, axis) * (g - (g * kept(x, axis)).sum())),
    ),
    (
        "the gradient of softmax sums along the other axis",
        rule(
            "softmax",
            lambda g, x, axis: (
                kept(x, axis) * (g - (g * kept(x, axis)).sum(-1 - axis if x.ndim > 1 else axis, keepdims=True))
            ),
        ),
    ),
    ("the gradient of softmax has the wrong sign", rule("softmax", lambda right, g, x, axis: -right(g))),
    (
        "the gradient of softmax is the same for every upstream gradient",
        rule("softmax", lambda right, g, x, axis: right(0 * g + 1)),
    ),
    (
        "the gradient of softmax lacks the factor p",
        rule("softmax", lambda g, x, axis: g - (g * kept(x, axis)).sum(axis, keepdims=True)),
    ),
)
known(
    "log-softmax-rule",
    "cross_entropy",
    "the gradient of log_softmax is not g - softmax * sum(g)",
    "All log-probabilities of a row depend on the score, through the sum. Which part is missing?",
    "g - softmax(x) * g.sum(axis, keepdims=True). Composed of tensors, this comes by itself.",
    LOG_SOFTMAX,
    ("the gradient of log_softmax is g * (1 - p)", rule("log_softmax", lambda g, x, axis: g * (1 - kept(x, axis)))),
    ("the gradient of log_softmax is g - p", rule("log_softmax", lambda g, x, axis: g - kept(x, axis))),
    (
        "the gradient of log_softmax has the logarithms where the probabilities belong",
        rule("log_softmax", lambda g, x, axis: g - log_softmax(x, axis) * g.sum(axis, keepdims=True)),
    ),
    (
        "the gradient of log_softmax has powers that are not divided by their sum",
        rule("log_softmax", lambda g, x, axis: g - np.exp(shifted(x, axis)) * g.sum(axis, keepdims=True)),
    ),
    ("the gradient of log_softmax has the wrong sign", rule("log_softmax", lambda right, g, x, axis: -right(g))),
    (
        "the gradient of log_softmax sums over all rows",
        rule("log_softmax", lambda g, x, axis: g - kept(x, axis) * g.sum()),
    ),
)
known(
    "part-detached",
    "cross_entropy",
    "a part of the formula is hidden from the graph: its gradient is missing",
    "Each step that changes with the scores has to be seen. Which one is computed from `.data`?",
    "Compute with tensors up to the result: no .data, and no MyTensor(...) around what came from one.",
    SOFTMAX,
    (
        "the powers of softmax are hidden from the graph: only their sum is seen",
        rule("softmax", lambda g, x, axis: -kept(x, axis) * (g * kept(x, axis)).sum(axis, keepdims=True)),
    ),
    *(
        way
        for shift in (shifted, lambda x, axis: shifted(constant(x), axis) + x - constant(x))
        for way in (
            (
                "the sum that softmax divides by is hidden from the graph",
                defines(
                    "softmax",
                    lambda x, axis, shift=shift: (
                        np.exp(shift(x, axis)) / constant(np.exp(shift(x, axis)).sum(axis, keepdims=True))
                    ),
                ),
            ),
            (
                "the logarithm of the sum is hidden from the graph",
                defines(
                    "log_softmax",
                    lambda x, axis, shift=shift: (
                        shift(x, axis) - constant(np.log(np.exp(shift(x, axis)).sum(axis, keepdims=True)))
                    ),
                ),
            ),
        )
    ),
)


# ---------------------------------------------------------------- the loss


def costs(loss: Callable[[Any, Any], Any]) -> Change:
    """A loss of the scores and one-hot labels, both (rows, classes)."""
    return defines("cross_entropy", lambda x, labels: loss(x, one_hot(labels, x.shape[1])))


def gives(gradient: Callable[[Any, Any, Any], Any]) -> Change:
    """The right loss, with this gradient: of the upstream one, probabilities and one-hot labels."""
    return rule("cross_entropy", lambda g, x, labels: gradient(g, softmax(x, -1), one_hot(labels, x.shape[1])))


def picked(x: Any, hot: Any) -> Any:
    """The log-probability of each row's right class."""
    return (log_softmax(x, -1) * hot).sum(1)


def by_labels(mean: Callable[[Any, int], Any]) -> Change:
    """The labels themselves are multiplied with the log-probabilities."""
    return defines("cross_entropy", lambda x, labels: -mean(log_softmax(x, -1) * np.asarray(labels), len(x)))


def row_losses(costs: Any, rows: int) -> Any:
    return costs.sum() / rows


def of_elements(costs: Any, rows: int) -> Any:
    return costs.mean()


def summed(costs: Any, rows: int) -> Any:
    return costs.sum()


known(
    "loss-sum",
    "cross_entropy",
    "the loss is the sum over the rows, not their mean",
    "Would the loss double if every example came twice?",
    "Divide by the number of rows: len(labels).",
    LOSS,
    costs(lambda x, hot: -picked(x, hot).sum()),
)
known(
    "loss-over-elements",
    "cross_entropy",
    "the loss is divided by the number of elements or classes, not of rows",
    "Each row has one loss. How many losses are there in a batch of shape (n, classes)?",
    "Divide by the number of rows: len(labels).",
    LOSS,
    (
        "the loss is the mean over all elements: divided by the number of classes, too",
        costs(lambda x, hot: -(log_softmax(x, -1) * hot).mean()),
    ),
    (
        "the loss is divided by the number of classes in place of rows",
        costs(lambda x, hot: -picked(x, hot).sum() / x.shape[1]),
    ),
)
known(
    "loss-sign",
    "cross_entropy",
    "the loss has the wrong sign",
    "A logarithm of a probability is below 0. Should a loss be, that training makes smaller?",
    "The mean of -log(p).",
    LOSS,
    costs(lambda x, hot: picked(x, hot).mean()),
)
known(
    "loss-not-scalar",
    "cross_entropy",
    "the loss is not a single number",
    "Training wants one number to make smaller. How many do you return?",
    "The mean over the rows.",
    LOSS,
    ("the loss has a number for each row", costs(lambda x, hot: -picked(x, hot))),
    ("the loss has a dimension left, of length 1", costs(lambda x, hot: -picked(x, hot).mean(0, keepdims=True))),
    ("the loss has its dimensions left, of length 1", costs(lambda x, hot: -picked(x, hot).mean().reshape(1, 1))),
)
known(
    "loss-no-log",
    "cross_entropy",
    "the loss is another function than the mean of -log(softmax) at the labels",
    "Which step turns scores into probabilities, and which one probabilities into losses?",
    "-log_softmax(scores), picked at each row's label.",
    LOSS,
    ("the loss takes probabilities, not their logarithms", costs(lambda x, hot: -(softmax(x, -1) * hot).sum(1).mean())),
    ("the loss is 1 - p, not -log(p)", costs(lambda x, hot: 1 - (softmax(x, -1) * hot).sum(1).mean())),
    ("the loss takes the scores themselves, without log_softmax", costs(lambda x, hot: -(x * hot).sum(1).mean())),
    (
        "the loss applies log_softmax to what softmax has given already",
        costs(lambda x, hot: -picked(softmax(x, -1), hot).mean()),
    ),
    (
        "the loss takes the logarithm of the mean probability",
        costs(lambda x, hot: -np.log((softmax(x, -1) * hot).sum(1).mean())),
    ),
    ("the loss is the mean of the squared errors", costs(lambda x, hot: ((softmax(x, -1) - hot) ** 2).mean())),
    (
        "the loss is computed with logarithms to the base 2",
        costs(lambda x, hot: -picked(x, hot).mean() / 0.6931471805599453),
    ),
)
known(
    "loss-other-classes",
    "cross_entropy",
    "the loss takes other classes than the labels",
    "For each row, which element counts?",
    "The one at its label, in each row its own: a mask with mask[np.arange(len(labels)), labels] = 1.",
    LOSS,
    (
        "each row is compared with the labels of all rows",
        costs(lambda x, hot: -(log_softmax(x, -1) * (hot.sum(0) > 0)).sum() / len(x)),
    ),
    ("the loss takes all classes, not only the right one", costs(lambda x, hot: -log_softmax(x, -1).sum(1).mean())),
    ("the loss takes all classes, not only the right one", costs(lambda x, hot: -log_softmax(x, -1).mean())),
    ("each row is compared with the labels of all rows", costs(lambda x, hot: -(log_softmax(x, -1) @ hot.T).mean())),
    (
        "each row is compared with the labels of all rows",
        costs(lambda x, hot: -(log_softmax(x, -1) @ hot.T).sum() / x.shape[0]),
    ),
    ("the labels are counted from 1", costs(lambda x, hot: -picked(x, np.roll(hot, -1, 1)).mean())),
    (
        "the loss takes the class with the highest score, whatever the label",
        costs(lambda x, hot: -log_softmax(x, -1).max(1).mean()),
    ),
    (
        "the loss has the other classes in it, too: (1 - label) * log(1 - p)",
        costs(lambda x, hot: -(log_softmax(x, -1) * hot + np.log(1 - softmax(x, -1)) * (1 - hot)).sum(1).mean()),
    ),
)
known(
    "loss-axis",
    "cross_entropy",
    "the loss compares the scores of a column, or of the whole batch, not those of a row",
    "Which scores compete with each other: those of one example, or of one class?",
    "log_softmax(scores, axis=-1), or axis=1.",
    LOSS,
    ("the loss compares the scores of each column", costs(lambda x, hot: -(log_softmax(x, 0) * hot).sum(1).mean())),
    (
        "the loss compares all scores of the batch",
        costs(lambda x, hot: -(log_softmax(x, None) * hot).sum(1).mean()),
    ),
)
known(
    "loss-overflows",
    "cross_entropy",
    "a loss of large scores is nan, infinite or cut off",
    "Is the loss built on log_softmax, or on the log of a softmax?",
    "-log_softmax(scores) at the labels: no logarithm of a probability that may be 0.",
    LOSS,
    *(
        costs(lambda x, hot, small=small: -np.log((softmax(x, -1) * hot).sum(1) + small).mean())
        for small in (0, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 1e-7, 1e-6, 1e-20, 1e-300)
    ),
    *(
        costs(lambda x, hot, small=small: -(np.log(softmax(x, -1) + small) * hot).sum(1).mean())
        for small in (0, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 1e-7, 1e-6, 1e-20, 1e-300)
    ),
    costs(lambda x, hot: -((x - np.log(np.exp(x).sum(1, keepdims=True))) * hot).sum(1).mean()),
    costs(lambda x, hot: (np.log(np.exp(x).sum(1)) - (x * hot).sum(1)).mean()),
    costs(lambda x, hot: -(np.log(np.exp(x) / np.exp(x).sum(1, keepdims=True)) * hot).sum(1).mean()),
)
known(
    "loss-rule",
    "cross_entropy",
    "the gradient of the loss is not (probabilities - mask of the right classes) / rows",
    "The right class should go up, all others down. By how much, when the network is nearly sure?",
    "(p - 1) / n at the label, p / n elsewhere, times the upstream gradient; or composed of tensors.",
    LOSS,
    ("the gradient of the loss is not divided by the number of rows", gives(lambda g, p, hot: g * (p - hot))),
    ("the gradient of the loss is the same for every upstream gradient", gives(lambda g, p, hot: (p - hot) / len(p))),
    ("the gradient of the loss has the wrong sign", gives(lambda g, p, hot: g * (hot - p) / len(p))),
    ("the gradient reaches the right class only", gives(lambda g, p, hot: g * (p - 1) * hot / len(p))),
    ("the gradient of the loss is divided by all elements", gives(lambda g, p, hot: g * (p - hot) / p.size)),
    ("the gradient sees the picked scores only, not log_softmax", gives(lambda g, p, hot: -g * hot / len(p))),
    ("the gradient of the loss is softmax alone, without the labels", gives(lambda g, p, hot: g * p / len(p))),
    ("the gradient sees -log(p) only, not softmax", gives(lambda g, p, hot: -g * hot / p / len(p))),
)
known(
    "labels-one-hot",
    "cross_entropy",
    "the labels are taken for rows of 0 and 1, and are whole numbers",
    "Which shape has `labels`, and which one has a table with a row of 0 and 1 for each?",
    "labels[i] is the number of the right class of row i: make a mask, or pick with np.arange(len(labels)), labels.",
    LOSS,
    *(by_labels(f) for f in (row_losses, of_elements, summed)),
)
known(
    "loss-remembers",
    "cross_entropy",
    "a loss object that was called before gives another loss",
    "Which number of the first call does the second one still use?",
    "Work everything out from the scores and labels of this call.",
    LOSS,
)
