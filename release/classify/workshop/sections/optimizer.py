"""Optimizer: the checks of `SGD`."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from checks.observe import Failed, Missing, Waits
from checks.programs import Choices, Program, Unfit
from checks.report import Score
from checks.section import Section
from checks.trial import literal
from workshop import oracle
from workshop.assignment import ASSIGNMENT
from workshop.sections.tensor import TENSOR
from workshop.trial import TensorTrial

OPTIMIZER = Section(
    "sgd",
    "Optimizer",
    "tests.test_sgd(SGD, MyTensor, Parameter)",
    builds_on=[(TENSOR, ["add_gradient", "paths", "accumulate"])],
    assignment=ASSIGNMENT,
)


def sgd(trial: TensorTrial, *steps: str, lr: float = 0.1, parameters: str = "[p, q]") -> str:
    """Code that makes two parameters p and q with gradients and an SGD optimizer, and then takes `steps`."""
    c, g = trial.draw(2), trial.draw(2)
    return "\n".join(
        [
            f"p = Parameter(MyTensor({literal(trial.draw(2))}, requires_grad=True))",
            f"q = Parameter(MyTensor({literal(trial.draw(2))}, requires_grad=True))",
            "w = p.tensor",
            f"optimizer = SGD({parameters}, lr={lr})",
            f"y = w + q.tensor + MyTensor({literal(c)})",
            f"y.backward(MyTensor({literal(g)}))",
            *steps,
        ]
    )


def does_something(trial: TensorTrial, code: str, method: str, look_at: str) -> bool:
    """Whether calling a method of the optimizer changes what p.tensor, or its gradient, holds."""
    variables = trial.run(code)
    before = trial.read(variables, look_at)
    after = trial.run(f"optimizer.{method}()\nleft = {look_at}", after=code, **variables)
    return after["left"] is None or not np.array_equal(before, trial.read(after, "left"))


@OPTIMIZER.check(1, hints=["for parameter in self.params: parameter.tensor.grad = ..."])
def zero_grad(trial: TensorTrial) -> None:
    """zero_grad() sets every gradient to None"""
    code = sgd(trial)

    def steps(scratch: TensorTrial) -> None:
        if not does_something(scratch, code, "step", "p.tensor"):
            raise Missing("step() changed nothing: not written yet")

    if not does_something(trial, code, "zero_grad", "p.tensor.grad"):
        again = "before = hasattr(p, 'grad')\noptimizer.zero_grad()\nbeside = hasattr(p, 'grad') and not before"
        variables = trial.run(again, **trial.run(code))
        if variables["beside"]:
            trial.snippet = f"{code}\noptimizer.zero_grad()\np.tensor.grad"
            got = "zero_grad() sets p.grad, and p.tensor.grad stays as it was"
            raise Failed(got, "p.tensor.grad is None", mistake="zero-grad-nothing")
        if not trial.works(steps):
            trial.run("optimizer.zero_grad()", "p.tensor.grad", after=code, **trial.run(code))
            raise Missing("zero_grad() changed nothing: not written yet, or it meets no parameter")
    trial.same(f"{code}\noptimizer.zero_grad()", "p.tensor.grad", "q.tensor.grad")
    means = dict.fromkeys(("p.tensor", "q.tensor"), "zero-grad-resets-values")
    code += "\noptimizer.zero_grad()"
    trial.see(trial.run(code), oracle.values(code, tuple(means)), code, means)


@OPTIMIZER.check(1.5, hints=["w = w - lr * gradient, in place: data = w.data; data -= ..."])
def step(trial: TensorTrial) -> None:
    """step() moves every parameter downhill"""
    code = sgd(trial)
    if not does_something(trial, code, "step", "p.tensor"):
        trial.snippet = f"{code}\noptimizer.step()\np.tensor"
        raise Missing("step() changed nothing: not written yet, or it changes a copy, or meets no parameter")
    trial.same(f"{code}\noptimizer.step()", "p.tensor", "q.tensor")
    trial.same(sgd(trial, "optimizer.step()"), "p.tensor", "q.tensor")
    if trial.first:  # another lr tells mistakes apart
        trial.same(sgd(trial, "optimizer.step()", lr=0.37), "p.tensor", "q.tensor")


@OPTIMIZER.check(0.5, needs=["step"], hints=["Use self.lr."])
def step_lr(trial: TensorTrial) -> None:
    """step() moves by lr times the gradient"""
    for lr in (0.5, 0.001):
        trial.same(sgd(trial, "optimizer.step()", lr=lr), "p.tensor")


# What steps may meet, when it works alone.
ONE_STEP = """\
p = Parameter(MyTensor([1.5, 2.5], requires_grad=True))
q = Parameter(MyTensor([0.5, -2.0], requires_grad=True))
w = p.tensor
optimizer = SGD([p, q], lr={lr})
(w + w + q.tensor).backward(MyTensor([0.5, -1.5]))
optimizer.{method}()"""
WITHOUT = """\
p = Parameter(MyTensor([1.5, 2.5], requires_grad=True))
q = Parameter(MyTensor([0.5, -2.0], requires_grad=True))
(q.tensor + q.tensor).backward(MyTensor([0.5, -1.5]))
SGD([p, q], lr=0.1).step()"""
STEP = ONE_STEP.format(method="step", lr=0.1)
STEPS = {
    "step": Program(STEP, ("p.tensor", "q.tensor")),
    "lr": Program(ONE_STEP.format(method="step", lr=0.5), ("p.tensor",)),
    "zero_grad": Program(
        ONE_STEP.format(method="zero_grad", lr=0.1), ("p.tensor.grad", "q.tensor.grad", "p.tensor", "q.tensor")
    ),
    "in place": Program(STEP, ("w",)),
    "gradient": Program(STEP, ("p.tensor.grad", "q.tensor.grad")),
    "without": Program(WITHOUT, ("p.tensor", "q.tensor")),
}


def steps_that_work(trial: TensorTrial) -> set[str]:
    """Names of STEPS that do what PyTorch does."""
    return {*itertools.compress(STEPS, trial.right([*STEPS.values()]))}


def moved_by_step(trial: TensorTrial) -> None:
    """What a step leaves as it was can be asked of one that moves something, rightly or not.

    Raises:
        Waits: when nothing moves.
    """

    def moves(scratch: TensorTrial) -> None:
        if not does_something(scratch, sgd(scratch), "step", "p.tensor"):
            raise Missing("step() changed nothing")

    if not trial.works(moves):
        raise Waits("waits for a step() that moves a parameter")


@OPTIMIZER.check(
    1,
    hints=[
        "Others may hold the tensor itself, or its array, as w does here: they would keep the old one.",
        "Change tensor.data's elements.",
    ],
)
def step_in_place(trial: TensorTrial) -> None:
    """step() works in place: who holds the tensor, or its array, sees it"""
    moved_by_step(trial)
    code = sgd(trial, "array = w.data", "optimizer.step()")
    if trial.right([STEPS["step"]])[0]:
        trial.same(code, "w", "array[:]")
        return
    variables = trial.run(code)
    moved = trial.read(variables, "p.tensor")  # to wherever: that has a check of its own
    noted = len(trial.evidence)
    trial.see(variables, {"w": moved, "array[:]": moved}, code)
    del trial.evidence[noted:]  # in which a wrong step looks right


@OPTIMIZER.check(1, hints=["Skip a parameter whose tensor.grad is None."])
def step_without_gradient(trial: TensorTrial) -> None:
    """Parameters without a gradient are left alone"""
    moved_by_step(trial)
    see = ("r.tensor", "p.tensor") if trial.right([STEPS["step"]])[0] else ("r.tensor",)
    unused = f"r = Parameter(MyTensor({literal(trial.draw(2))}, requires_grad=True))\n"
    with trial.means({Exception: "step-crashes-on-none"}):
        trial.same(unused + sgd(trial, "optimizer.step()", parameters="[r, p, q]"), *see)


@OPTIMIZER.check(0.5, hints=["`gradient *= lr` changes the gradient itself: compute lr * gradient."])
def step_keeps_gradients(trial: TensorTrial) -> None:
    """step() leaves the gradients as they are"""
    moved_by_step(trial)
    code = sgd(trial, "optimizer.step()")
    means = dict.fromkeys(("p.tensor.grad", "q.tensor.grad"), "step-changes-gradient")
    variables = trial.run(code)
    if trial.run("left = p.tensor.grad", after=code, **variables)["left"] is None:
        means = {}  # a gradient that is gone has a mistake of its own
    trial.see(variables, oracle.values(code, ("p.tensor.grad", "q.tensor.grad")), code, means)


AGAIN = ["optimizer.step()", "optimizer.zero_grad()", "y = p.tensor + q.tensor", "y.backward(MyTensor([0.5, 1.5]))"]


@OPTIMIZER.check(
    0.5, needs=["step"], hints=["A generator of parameters is empty after one walk: keep list(parameters)."]
)
def step_walks(trial: TensorTrial) -> None:
    """Parameters may come one by one, from a generator"""
    in_a_list = sgd(trial.beside(trial.seconds), *AGAIN, "optimizer.step()")
    again = AGAIN if trial.right([Program(in_a_list, ("p.tensor", "q.tensor"))])[0] else []
    trial.same(sgd(trial, *again, "optimizer.step()", parameters="iter([p, q])"), "p.tensor", "q.tensor")


def steps(choices: Choices, works: set[str]) -> Program:
    """Several steps with several parameters, by one or two optimizers.

    Where a step replaces the parameter, or changes its gradient, only one is made.

    Args:
        works: the names of STEPS that are right alone.

    Raises:
        Unfit: when step() meets a parameter without a gradient, and may not.
    """
    several = {"in place", "gradient"} <= works
    some = "pqrs"[: 1 + choices.below(4)]
    shape = choices.of([(2,), (1,), (2, 3)])
    lines = [f"{p} = Parameter(MyTensor({literal(choices.array(*shape))}, requires_grad=True))" for p in some]
    lines.append(f"optimizer = SGD([{', '.join(some)}], lr={choices.of([0.5, 0.25, 0.125]) if 'lr' in works else 0.1})")
    lines.append(f"w = {some[0]}.tensor")
    optimizers = {"optimizer": {*some}}
    if choices.below(4) == 3:
        optimizers["other"] = {some[-1]}
        lines.append(f"other = SGD([{some[-1]}], lr={choices.of([0.0625, 1.0]) if 'lr' in works else 0.1})")
    reached: set[str] = set()
    for number in range(9):
        kind, optimizer = choices.below(5), choices.of([*optimizers])
        last = number == 8 or (number > 1 and not kind)
        if last or kind == 2:
            if not ("without" in works or optimizers[optimizer] <= reached):
                raise Unfit
            lines.append(f"{optimizer}.step()")
            last = last or not several
        elif kind == 1 and "zero_grad" in works:
            lines.append(f"{optimizer}.zero_grad()")
            reached -= optimizers[optimizer]
        else:
            one, two = choices.of(some), choices.of(some)
            base = f"MyTensor({literal(choices.array(*shape))})"
            lines.append(f"({one}.tensor + {two}.tensor).backward({base})")
            reached |= {one, two}
        if last:
            break
    see = [f"{p}.tensor" for p in some]
    if "in place" in works:
        see.insert(0, "w")
    if "gradient" in works:
        see += [f"{p}.tensor.grad" for p in some]
    return Program("\n".join(lines), tuple(see))


@OPTIMIZER.check(
    2,
    needs=["step"],
    hints=["Follow one parameter through the snippet, line by line: its data and its grad."],
    any_program=True,
)
def any_training(trial: TensorTrial) -> None:
    """Any program: every step works like the first, with several parameters and optimizers"""
    works = steps_that_work(trial)
    if {"in place", "gradient"} <= works:
        trial.same(sgd(trial, "optimizer.step()", "optimizer.step()"), "p.tensor")
        if "zero_grad" in works:
            trial.same(sgd(trial, *AGAIN, "optimizer.step()"), "p.tensor", "q.tensor")
    if trial.first is None:
        trial.programs(lambda choices: steps(choices, works))


def test_sgd(SGD: Any, MyTensor: Any, Parameter: Any, seed: int | None = None) -> Score:
    """Optimizer: 8 points."""
    return OPTIMIZER.score(seed, SGD=SGD, MyTensor=MyTensor, Parameter=Parameter)
