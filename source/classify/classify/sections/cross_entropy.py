"""Cross-entropy: the checks of softmax, log_softmax and CrossEntropyLoss."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from checks.observe import Waits
from checks.programs import Choices, Program
from checks.report import Score
from checks.section import Section
from checks.trial import literal
from classify import oracle
from classify.assignment import ASSIGNMENT
from classify.sections.functions import FUNCTIONS, distinct, unchanged, values
from workshop.trial import TensorTrial

CROSS_ENTROPY = Section(
    "cross_entropy",
    "Cross-entropy",
    "tests.test_cross_entropy(softmax, log_softmax, CrossEntropyLoss, MyTensor)",
    builds_on=[(FUNCTIONS, ["exp_gradient", "log_gradient", "sum_gradient", "sum_keepdims", "max_gradient"])],
    assignment=ASSIGNMENT,
    draws=False,
)
AXES = [("axis=0", (3,)), ("axis=0", (2, 3)), ("axis=1", (3, 2)), ("axis=1", (2, 3, 2))]
LARGE = [  # the smallest first
    [1000.0, 1001.0],
    [1000.0, -1000.0, 0.0],
    [[1000.0, 998.5, 1001.0], [-1000.0, -1000.5, -999.0], [2.0, 0.5, 1.0]],
]


def along_axes(trial: TensorTrial, name: str) -> None:
    for argument, shape in AXES:
        values(trial, f"{name}(a, {argument})", distinct(trial, *shape))


def gradients(trial: TensorTrial, name: str) -> None:
    trial.gradients(f"y = {name}(a)", {"a": distinct(trial, 3)}, {"a": distinct(trial, 2, 3)}, value=False)
    along = Program(f"a = MyTensor({literal(distinct(trial, 2, 3))})\ny = {name}(a, axis=0)", ("y",))
    if trial.right([along])[0]:
        trial.gradients(f"y = {name}(a, axis=0)", {"a": distinct(trial, 2, 3)}, value=False)
    if trial.first is None:
        code = f"a = MyTensor({literal(distinct(trial, 3))}, requires_grad=True)\ny = {name}(a)"
        unchanged(trial, f"{code}\nbase = MyTensor({literal(trial.draw(3))})\ny.backward(base)", "a", "base")


def large(trial: TensorTrial, name: str) -> None:
    for scores in LARGE:
        code = f"a = MyTensor({scores}, requires_grad=True)\ny = {name}(a)"
        base = trial.draw(*np.shape(scores))
        trial.same(f"{code}\ny.backward(MyTensor({literal(base)}))", "y", "a.grad")


START = {"softmax": "softmax(u{axis})", "log_softmax": "log_softmax(u{axis})"}
ALONE = "u = MyTensor([[0.5, 2.0, 1.5], [3.0, -1.0, 2.5]], requires_grad=True)\n"
FAR = "u = MyTensor([[0.5, 200.0, 1.5], [-300.0, -10.0, 50.0]], requires_grad=True)\n"
PARTS = {
    **{
        name: f"y = {start.format(axis='')}\ny.backward(MyTensor([[1.0, 2.0, 0.5], [2.0, -1.0, 1.0]]))"
        for name, start in START.items()
    },
    "loss": "y = CrossEntropyLoss()(u, np.array([2, 0]))\ny.backward(MyTensor(1.5))",
}


def right_alone(trial: TensorTrial, name: str) -> frozenset[str]:
    """Of what a part of the section is right: `alone`, value and gradient, and then along another `axis`, and of
    `large` scores."""
    some = {"alone": ALONE + PARTS[name], "large": FAR + PARTS[name]}
    if name in START:
        some["axis"] = f"{ALONE}y = {START[name].format(axis=', axis=0')}\n(y * y).backward()"
    right = trial.right([Program(code, ("y", "u.grad")) for code in some.values()])
    return frozenset(itertools.compress(some, right))


def formula(choices: Choices, name: str, works: frozenset[str]) -> Program:
    """Scores that were computed, a function of them, and what goes on from there."""
    rows, classes = 1 + choices.below(3), 2 + choices.below(3)
    lines = [f"a = MyTensor({literal(choices.array(rows, classes))}, requires_grad=True)"]
    lines.append(f"b = MyTensor({literal(choices.array(classes))}, requires_grad=True)")
    scores = ["a + b", "a * b", "a", "a - b * 2", "(a + b) * 20"] if "large" in works else ["a"]
    lines.append(f"u = {choices.of(scores)}")
    if name == "loss":
        labels = [choices.below(classes) for _ in range(rows)]
        lines.append(f"y = CrossEntropyLoss()(u, np.array({labels}))")
        if choices.below(2):
            lines.append(f"y = y * {choices.of([2, 0.5])} + (b * b).sum()")
        shape: tuple[int, ...] = ()
    else:
        axis = choices.of(["", ", axis=-1", ", axis=1", ", axis=0", ", axis=-2"] if "axis" in works else [""])
        lines.append(f"y = {START[name].format(axis=axis)}")
        if choices.below(2):
            lines.append(f"y = {choices.of(['y * a', 'y - b', 'y * y'])}")
        shape = (rows, classes)
    lines.append(f"y.backward(MyTensor({literal(choices.array(*shape))}))")
    return Program("\n".join(lines), ("y", "a.grad", "b.grad", "a"))


def any_of(name: str, points: float, title: str) -> None:
    """The check of any program with one part of the section."""

    @CROSS_ENTROPY.check(
        points,
        id=f"any_{name}",
        title=title,
        hints=["Follow one row through the snippet, line by line, forward and then back."],
        any_program=True,
    )
    def any_scores(trial: TensorTrial) -> None:
        works = right_alone(trial, name)
        if "alone" in works:
            trial.programs(lambda choices: formula(choices, name, works), count=12)
            return
        batches = [Choices(rng=trial.rng) for _ in range(6)] if name == "loss" else []
        if not batches or not all(fits_own(trial, own_batch(choices), 1.5) for choices in batches):
            raise Waits(f"waits for a {'loss' if name == 'loss' else name} that is right alone")


def own_batch(choices: Choices) -> str:
    """A loss of some rows, for what is right of the learner's own log_softmax."""
    rows, classes = 1 + choices.below(3), 2 + choices.below(3)
    return loss(choices.array(rows, classes), [choices.below(classes) for _ in range(rows)])


def function(name: str, title: str, value: float, gradient: float, *hints: str) -> None:
    """The checks of softmax, or of log_softmax: the same of both."""
    about = "each row adds up to 1" if name == "softmax" else "the logarithm of softmax"

    @CROSS_ENTROPY.check(value, id=f"{name}_value", title=f"{name}(x): {about}", hints=hints[:1])
    def right_value(trial: TensorTrial) -> None:
        values(trial, f"{name}(a)", *(distinct(trial, *shape) for shape in ((2,), (3,), (2, 2), (2, 3), (3, 2))))

    @CROSS_ENTROPY.check(
        1,
        id=f"{name}_axis",
        title=f"{name} along any axis",
        needs=[f"{name}_value"],
        hints=["Hand axis on to each maximum and each sum, with keepdims=True."],
    )
    def axis(trial: TensorTrial) -> None:
        along_axes(trial, name)

    @CROSS_ENTROPY.check(
        gradient,
        id=f"{name}_gradient",
        title=f"The gradient of {name}",
        needs=[f"{name}_value"],
        hints=["Composed of tensors, the graph does it. Does each step see the tensor, and not its data?"],
    )
    def right_gradient(trial: TensorTrial) -> None:
        gradients(trial, name)

    @CROSS_ENTROPY.check(
        1.5,
        id=f"{name}_large",
        title=f"{name} of scores up to 1000, either way",
        needs=[f"{name}_value"],
        hints=hints[1:],
    )
    def right_large(trial: TensorTrial) -> None:
        large(trial, name)


CROSS_ENTROPY.stage("softmax", "Softmax")
function(
    "softmax",
    "Softmax",
    1.5,
    1.5,
    "exp makes all of them positive. What is each one divided by, so that a row adds up to 1?",
    "exp(1000) is too large for any float. What changes if all scores of a row become smaller alike?",
    "Subtract each row's maximum first: x - x.max(axis=axis, keepdims=True).",
)
any_of("softmax", 2.75, "Any scores: softmax of computed ones, along any axis, and what goes on from there")
CROSS_ENTROPY.stage("log_softmax", "Log-softmax")
function(
    "log_softmax",
    "Log-softmax",
    1.25,
    1.75,
    "The logarithm of a quotient is a difference: x - log(sum(exp(x))).",
    "softmax of a low score is 0, and log(0) is -inf. Can you do without softmax?",
    "With x less its maximum: x - x.exp().sum(axis=axis, keepdims=True).log().",
)
any_of("log_softmax", 2.75, "Any scores: log_softmax of computed ones, along any axis, and what goes on from there")
CROSS_ENTROPY.stage("loss", "The loss")

SCORES = "scores = MyTensor({scores}, requires_grad=True)\nlabels = np.array({labels})\n"
LOSS = "loss = CrossEntropyLoss()(scores, labels)"


def loss(scores: np.ndarray, labels: list[int]) -> str:
    return SCORES.format(scores=literal(np.asarray(scores)), labels=labels) + LOSS


OWN = """\
chosen = np.zeros(scores.shape)
chosen[np.arange(len(labels)), labels] = -1 / len(labels)
own = (log_softmax(leaf) * MyTensor(chosen)).sum()"""


def fits_own(trial: TensorTrial, code: str, base: float) -> bool:
    """Whether a loss is right of the learner's own log_softmax, where that is wrong: it costs nothing again."""
    alone = Program(ALONE + PARTS["log_softmax"], ("y", "u.grad"))
    if trial.names.get("log_softmax") is None or trial.right([alone])[0]:
        return False
    found = trial.tries(f"{alone.code}\nsays = bool((np.array(u.grad.data) != 0).any())")
    if found is None or found["says"] is not True:  # of nothing, nothing is a loss
        return False
    leaf = code.replace("scores = ", "leaf = ", 1).partition("\n")[0]
    back = f"loss.backward(MyTensor({base}))\nown.backward(MyTensor({base}))"
    lines = [code, leaf, OWN, back, "one = loss.data, scores.grad.data", "other = own.data, leaf.grad.data"]
    lines.append("one, other = [[np.array(each).tolist() for each in some] for some in (one, other)]")
    found = trial.tries("\n".join(lines))
    try:
        pairs = zip(found["one"], found["other"], strict=True) if found else [(0, 1)]
        fits = all(np.shape(a) == np.shape(b) and np.allclose(a, b) for a, b in pairs)
    except (TypeError, ValueError):
        return False
    trial.asked = trial.asked or fits
    return fits


# The labels of a batch, and how many classes there are; the smallest first.
BATCHES = [([0], 2), ([1, 0], 2), ([2, 0], 3), ([1, 1, 2], 4), ([3, 0, 2, 1], 4)]


@CROSS_ENTROPY.check(
    2,
    hints=["-log(p) of each row's right class: which element of log_softmax is that?", "Then the mean over the rows."],
)
def loss_value(trial: TensorTrial) -> None:
    """The mean of -log(p) of the right classes, as a scalar tensor"""
    for labels, classes in BATCHES:
        code = loss(distinct(trial, len(labels), classes), labels)
        if not fits_own(trial, code, 1.5):
            trial.same(code, "loss")


@CROSS_ENTROPY.check(
    2,
    needs=["loss_value"],
    hints=["Indexing a tensor leaves the graph. How else do you pick one element of each row?"],
)
def loss_gradient(trial: TensorTrial) -> None:
    """The gradient of the loss"""
    for labels, classes in BATCHES:
        code = loss(distinct(trial, len(labels), classes), labels)
        if fits_own(trial, code, 1.5):
            continue
        trial.same(f"{code}\nloss.backward()", "scores.grad")
        trial.same(f"{code}\nloss.backward(MyTensor({literal(trial.draw())}))", "scores.grad")


@CROSS_ENTROPY.check(
    1,
    needs=["loss_value"],
    hints=["A sure mistake costs much, but not infinitely much.", "Build the loss on log_softmax, not on softmax."],
)
def loss_large(trial: TensorTrial) -> None:
    """Scores up to 1000: a sure mistake has a loss, too"""
    for scores, labels in (
        ([[1000.0, 0.0]], [1]),
        ([[-1000.0, 1000.0, 5.0], [0.0, 998.5, 1000.0]], [0, 2]),
        ([[1000.0, 999.0, 1001.0]], [0]),
    ):
        code = loss(np.array(scores), labels)
        if not fits_own(trial, code, 1.0):
            trial.same(f"{code}\nloss.backward()", "loss", "scores.grad")


@CROSS_ENTROPY.check(
    1,
    needs=["loss_value"],
    hints=["Labels are whole numbers of any dtype. Make a new array of what you need."],
)
def loss_labels(trial: TensorTrial) -> None:
    """Labels of any whole dtype; scores and labels stay as they are"""
    for dtype in ("int64", "int32", "uint8"):
        code = loss(distinct(trial, 3, 3), [2, 0, 1]).replace("])\nloss", f"], dtype=np.{dtype})\nloss")
        if not fits_own(trial, code, 1.5):
            trial.same(code, "loss")
        with trial.case():
            means = dict.fromkeys(("labels.tolist()", "scores"), "input-changed")
            trial.see(trial.run(code), oracle.values(code, tuple(means)), code, means)
    first = f"criterion = CrossEntropyLoss()\ncriterion(MyTensor({literal(distinct(trial, 2, 3))}), np.array([2, 0]))"
    code = loss(distinct(trial, 3, 3), [1, 1, 0]).replace(LOSS, f"{first}\nloss = criterion(scores, labels)")
    with trial.case():
        if not fits_own(trial, code, 1.5):
            trial.see(trial.run(code), oracle.values(code, ("loss",)), code, {"loss": "loss-remembers"})
    first = first.replace("[2, 0]", "[0, 1]")  # and of the same shape
    code = loss(distinct(trial, 2, 3), [1, 2]).replace(LOSS, f"{first}\nloss = criterion(scores, labels)")
    with trial.case():
        if not fits_own(trial, code, 1.5):
            trial.see(trial.run(code), oracle.values(code, ("loss",)), code, {"loss": "loss-remembers"})
    many = "scores = MyTensor(np.arange(200.0).reshape(1, 200) / 100, requires_grad=True)\nlabels = np.array([150])\n"
    if not fits_own(trial, many + LOSS, 1.5):
        trial.same(many + LOSS, "loss")


any_of("loss", 2.5, "Any loss: of computed scores, and what goes on from there")


def test_cross_entropy(
    softmax: Any = None,
    log_softmax: Any = None,
    CrossEntropyLoss: Any = None,
    MyTensor: Any = ...,
    seed: int | None = None,
    until: str | None = None,
) -> Score:
    """Cross-entropy: 25 points."""
    return CROSS_ENTROPY.score(
        seed, until, softmax=softmax, log_softmax=log_softmax, CrossEntropyLoss=CrossEntropyLoss, MyTensor=MyTensor
    )
