"""Loss functions: the checks of `MSELoss`."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from checks.observe import Waits
from checks.programs import Choices, Program, Unfit
from checks.report import Score
from checks.section import Section
from checks.trial import literal
from workshop import oracle
from workshop.assignment import ASSIGNMENT
from workshop.sections.programs import forward, waits_for_value
from workshop.sections.tensor import TENSOR
from workshop.trial import TensorTrial

# What squared errors are computed with.
SQUARES = (
    TENSOR,
    [
        *("sub_gradient", "mul_gradient", "mul_numbers", "div_numbers", "numbers_gradient"),
        *("power_gradient", "paths"),
    ],
)
LOSS = Section(
    "mseloss",
    "Loss functions",
    "tests.test_mseloss(MSELoss, MyTensor, sum)",
    builds_on=[
        SQUARES,
    ],
    assignment=ASSIGNMENT,
)


def mse(trial: TensorTrial, *shape: int, gradient: bool = False, same: bool = False) -> None:
    y = trial.draw(*shape)
    target = y if same else np.round(y + trial.draw(*shape), 2)  # an error in every element
    lines = [f"y = MyTensor({literal(y)}, requires_grad=True)", f"target = MyTensor({literal(target)})"]
    lines.append("loss = MSELoss()(y, target)")
    if gradient:
        lines.append(f"loss.backward(MyTensor({literal(trial.draw())}))")
    trial.same("\n".join(lines), "y.grad" if gradient else "loss")


@LOSS.check(2, hints=["Subtract, square, add up with sum(...), divide by how many there are."])
def mse_value(trial: TensorTrial) -> None:
    """The mean of the squared errors, as a scalar tensor"""
    mse(trial, 1)
    mse(trial, 3)
    if trial.first:  # a batch tells mistakes apart
        mse(trial, 2, 3)


@LOSS.check(1, needs=["mse_value"], hints=["A (2, 3) prediction has 6 elements: size, not shape[0]."])
def mse_batch(trial: TensorTrial) -> None:
    """The mean is over all elements of a batch"""
    mse(trial, 2, 3)
    mse(trial, 4, 2)
    if trial.first is None:
        means = {"loss": "mse-remembers"}
        code = f"criterion = MSELoss()\ncriterion(MyTensor([1.5]), MyTensor([2.5]))\n{ONE_LOSS.format(**BATCH, u='y')}"
        code = code.replace("MSELoss()(", "criterion(")
        trial.see(trial.run(code), oracle.values(code, tuple(means)), code, means)


# What losses may meet, when it works alone.
ONE_LOSS = """y = MyTensor({y}, requires_grad=True)
u = {u}
t = MyTensor({t})
loss = MSELoss()(u, t)"""
ROW, BATCH = {"y": "[2.0, 3.0]", "t": "[0.5, 5.0]"}, {"y": "[[2.0, 3.0, 0.5], [1.5, 4.0, 2.5]]"}
BATCH["t"] = "[[0.5, 5.0, 2.0], [3.0, 1.5, 0.5]]"
LOSSES = {
    "value": Program(ONE_LOSS.format(**ROW, u="y"), ("loss",)),
    "gradient": Program(f"{ONE_LOSS.format(**ROW, u='y')}\nloss.backward(MyTensor(1.5))", ("y.grad",)),
    "goes on": Program(f"{ONE_LOSS.format(**ROW, u='y * y')}\nloss.backward(MyTensor(1.5))", ("y.grad",)),
    "batch": Program(ONE_LOSS.format(**BATCH, u="y"), ("loss",)),
    "gradient of a batch": Program(f"{ONE_LOSS.format(**BATCH, u='y')}\nloss.backward(MyTensor(1.5))", ("y.grad",)),
    "untouched": Program(ONE_LOSS.format(**ROW, u="y"), ("y.data", "t.data")),
}


def losses_that_work(trial: TensorTrial) -> set[str]:
    """Names of LOSSES that do what PyTorch does."""
    return {*itertools.compress(LOSSES, trial.right([*LOSSES.values()]))}


def loss_is_scalar(trial: TensorTrial) -> None:
    """What a loss does beside having the right value can be asked of any scalar tensor that depends on the prediction.

    Raises:
        Waits: when there is none.
    """
    made = [ONE_LOSS.format(y=y, t="[0.5, 5.0]", u="y") for y in ("[2.0, 3.0]", "[4.0, 9.0]")]
    code = made[0] + "\none = loss\n" + made[1]
    see = "tuple(loss.shape) == ()", "hasattr(loss, 'backward')", "float(one.data) != float(loss.data)"
    if not trial.right([Program(code, see)])[0]:
        raise Waits("waits for a loss that is a scalar tensor and depends on the prediction")


@LOSS.check(0.5)
def mse_zero(trial: TensorTrial) -> None:
    """No error, no loss, no gradient"""
    loss_is_scalar(trial)
    mse(trial, 3, same=True)
    if trial.right([LOSSES["gradient"]])[0]:
        mse(trial, 3, same=True, gradient=True)


@LOSS.check(
    1.25,
    hints=[
        "Compute with tensors from start to end, and the graph does it for you.",
        "d(loss)/dy = 2 (y - target) / n, times the upstream gradient. Is sum_deriv right?",
    ],
)
def mse_gradient(trial: TensorTrial) -> None:
    """The gradient of the prediction"""
    loss_is_scalar(trial)
    waits_for_value(*trial.right([LOSSES["value"], LOSSES["gradient"]]))
    mse(trial, 1, gradient=True)
    mse(trial, 3, gradient=True)


@LOSS.check(
    0.25,
    hints=["requires_grad and backward_op of the loss come from the operations it is made of."],
)
def mse_records(trial: TensorTrial) -> None:
    """The gradient goes on to what the prediction was computed from"""
    loss_is_scalar(trial)
    works = losses_that_work(trial)
    shape = (2, 2) if {"batch", "gradient of a batch"} <= works else (3,)
    if "gradient" not in works:
        raise Waits("waits for a gradient that is right")
    if "batch" in works:
        mse(trial, 2, 3, gradient=True)
        if trial.first:  # another one tells mistakes apart
            mse(trial, 4, 2, gradient=True)
    code = "y = MyTensor([1.5, 2.5])\nloss = MSELoss()(y, MyTensor([2.5, 2.0]))"
    with trial.case():
        trial.see(trial.run(code), {"loss.requires_grad": False}, code)
    x, weight = trial.draw(*shape), trial.draw(*shape)
    target = np.round(x + weight + trial.draw(*shape), 2)
    code = f"w = MyTensor({literal(weight)}, requires_grad=True)\ny = w + MyTensor({literal(x)})\n"
    code += f"loss = MSELoss()(y, MyTensor({literal(target)}))"
    trial.same(f"{code}\nloss.backward()", *(["loss"] if "value" in works else []), "w.grad")


@LOSS.check(0.5, hints=["`-=` on an array changes it for everybody who holds it: compute a new one."])
def mse_untouched(trial: TensorTrial) -> None:
    """Prediction and target stay as they are"""
    loss_is_scalar(trial)
    y, target = trial.draw(3), trial.draw(3)
    code = f"array = np.array({literal(target)})\ny = MyTensor({literal(y)}, requires_grad=True)\n"
    code += "target = MyTensor(array)\nloss = MSELoss()(y, target)"
    if trial.right([LOSSES["gradient"]])[0]:
        code += "\nloss.backward()"
    handed = {"target.data": target, "y.data": y, "array[:]": target}
    trial.see(trial.run(code), handed, code, dict.fromkeys(handed, "operand-changed"))


@LOSS.check(
    0.5,
    hints=[
        "sum(x, axis=1) lost an axis: which shape has its upstream gradient, and which one has x?",
        "np.expand_dims(base, axis) puts it back, with length 1.",
    ],
)
def sum_axis(trial: TensorTrial) -> None:
    """sum over an axis: each element gets the upstream gradient of the sum that it went into"""
    if (given := trial.names.get("sum")) is None or given is sum:  # a solution that does without one of its own
        if not trial.right([LOSSES["gradient"]])[0]:
            raise Waits("waits for the gradient of the prediction")
        trial.same(LOSSES["gradient"].code, *LOSSES["gradient"].see)
        return
    alone = (
        "x = MyTensor([[2.0, 3.0, 0.5], [1.5, 4.0, 2.5]], requires_grad=True)\ny = sum(x)\ny.backward(MyTensor(1.5))"
    )
    if not trial.right([Program(alone, ("y", "x.grad"))])[0]:
        raise Waits("waits for the gradient of a sum over all elements")
    with trial.means({Exception: "sum-axis-ignored"}):
        for shape, axis in (
            ((2, 3), 1),
            ((2, 3), 0),
            ((3, 3), 1),
            ((2, 3, 4), -2),
            ((2, 3, 4), (0, 2)),
            ((2, 3, 4), (2, 0)),
        ):
            trial.gradients(f"y = sum(x, axis={axis})", {"x": shape})


def errors(choices: Choices, works: set[str]) -> Program:
    """Losses of random shapes, of computed predictions, added up or scaled.

    Args:
        works: the names of LOSSES that are right alone.

    Raises:
        Unfit: when it needs another one, or an error is 0.
    """
    batches = [(2, 3), (3, 1), (2, 2, 2)] if {"batch", "gradient of a batch"} <= works else []
    shape = choices.of([(2,), (1,), *batches])
    w, t, x = (choices.array(*shape) for _ in range(3))
    lines = [f"w = MyTensor({literal(w)}, requires_grad=True)", f"t = MyTensor({literal(t)})", "loss = MSELoss()"]
    see = ["w.grad", "t.data", "w.data", "t.grad"]
    number = choices.below(4) if "goes on" in works else 0
    result, code, u = [("w", "", w), ("u", "w * w", w * w), ("u", "w * x", w * x), ("u", "w + t", w + t)][number]
    if code == "w * x":
        lines.append(f"x = MyTensor({literal(x)})")
        see.append("x.data")
    if code:
        lines.append(f"u = {code}")
        see += ["u"] if "untouched" in works else []
    kind = choices.below(4)
    if kind > 1 and not {"goes on", "untouched"} <= works:
        raise Unfit
    if not (u - t).all() or (kind == 2 and not (w - t).all()):  # no error, which has a check of its own
        raise Unfit
    lines.append(
        [
            f"y = loss({result}, t)",
            f"y = loss({result}, t) * 3.0",
            f"y = loss({result}, t) + loss(w, t)",
            f"y = loss(t, {result})",
        ][kind]
    )
    see += ["y", "y.requires_grad"]
    see = [each for each in see if "untouched" in works or not each.endswith(".data")]
    lines.append("y.backward()" if choices.below(2) else f"y.backward(MyTensor({literal(choices.array())}))")
    return Program("\n".join(lines), tuple(see))


@LOSS.check(
    2,
    needs=["mse_value"],
    hints=["Follow w through the snippet: is what it goes into the loss's prediction, or its target?"],
    any_program=True,
)
def any_loss(trial: TensorTrial) -> None:
    """Any program: losses of random shapes, of what was computed before"""
    works = losses_that_work(trial)
    if "gradient" in works:
        trial.programs(lambda choices: errors(choices, works))
    else:
        trial.programs(lambda choices: forward(errors(choices, works | {"gradient of a batch"})))


def test_mseloss(MSELoss: Any, MyTensor: Any, sum: Any = None, seed: int | None = None) -> Score:
    """Loss functions: 8 points. Without `sum` nothing is asked of it."""
    return LOSS.score(seed, MSELoss=MSELoss, MyTensor=MyTensor, sum=sum)
