"""Optimizers: the checks of SGD with momentum, Adam and AdamW."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from checks.observe import Failed, Missing, Waits
from checks.programs import Choices, Program
from checks.report import Score
from checks.section import Section
from checks.trial import literal
from classify import oracle
from classify.assignment import ASSIGNMENT
from workshop.trial import TensorTrial

OPTIMIZERS = Section(
    "optimizers",
    "Optimizers",
    "tests.test_optimizers(SGD, Adam, AdamW, MyTensor, Parameter)",
    assignment=ASSIGNMENT,
    draws=False,
)
STEP = "optimizer.step()"
# One of each kind, for what must hold of all of them.
KINDS = {
    "SGD": "SGD([{}], lr=0.125, momentum=0.5)",
    "Adam": "Adam([{}], lr=0.25)",
    "AdamW": "AdamW([{}], lr=0.25, weight_decay=0.5)",
}


def new(name: str, values: np.ndarray) -> str:
    return f"{name} = Parameter(MyTensor({literal(values)}, requires_grad=True))"


def gradient(name: str, values: np.ndarray) -> str:
    """A leaf's own backward: the gradient is just what comes from above."""
    return f"{name}.tensor.backward(MyTensor({literal(values)}))"


def steps(
    trial: TensorTrial,
    optimizer: str,
    count: int,
    shapes: dict[str, tuple[int, ...]] | None = None,
    forgets: bool = True,
) -> str:
    """Code that makes parameters and an optimizer, and takes so many steps, each with gradients of its own.

    Where it `forgets` nothing, gradients add up.
    """
    shapes = shapes or {"p": (2,)}
    lines = [new(name, trial.draw(*shape)) for name, shape in shapes.items()]
    lines.append(f"optimizer = {optimizer.format(', '.join(shapes))}")
    for number in range(count):
        if number and forgets:
            lines.append("optimizer.zero_grad()")
        lines += [gradient(name, trial.draw(*shape)) for name, shape in shapes.items()]
        lines.append(STEP)
    return "\n".join(lines)


def moves(trial: TensorTrial, optimizer: str) -> None:
    """A step that changes nothing is not written yet, or computes what is then lost.

    Raises:
        Failed: where it needs the gradient, and nothing changes.
        Missing: where it does nothing.
    """
    code = steps(trial, optimizer, 1)
    made, _, _ = code.rpartition("\n")
    variables = trial.run(f"{made}\nbefore = np.array(p.tensor.data)\n{STEP}", "p.tensor")
    trial.snippet = f"{code}\np.tensor"
    if np.array_equal(trial.read(variables, "before"), trial.read(variables, "p.tensor")):
        if trial.tries(f"{made}\np.tensor.grad = 'no gradient'\n{STEP}") is None:
            got = "step() computes with the gradient, and p.tensor stays as it was"
            trial.snippet = f"{code}\np.tensor"
            raise Failed(got, "other values", mistake="step-changes-copy")
        trial.snippet = f"{code}\np.tensor"
        raise Missing("step() changed nothing: not written yet, or it meets no parameter")


def same_steps(trial: TensorTrial, *optimizers: str, counts: tuple[int, ...] = (1, 2, 4)) -> None:
    for optimizer in optimizers:
        for count in counts:
            trial.same(steps(trial, optimizer, count), "p.tensor")
    if max(counts) > 2 and trial.right([leaves_alone(optimizers[0])])[0]:  # else that has a check of its own
        trial.same(steps(trial, optimizers[0], 2, forgets=False), "p.tensor")


def other_rates(trial: TensorTrial, optimizer: str) -> None:
    """The learning rate may change between two steps, where it is an attribute."""
    first, second = steps(trial, optimizer, 2).split("\noptimizer.zero_grad()")
    if not (trial.tries(f"{first}\nthere = hasattr(optimizer, 'lr')") or {"there": False})["there"]:
        return
    trial.same(f"{first}\noptimizer.lr = 0.0625\noptimizer.zero_grad(){second}", "p.tensor")


def leaves_alone(optimizer: str) -> Program:
    """One step, and what it should leave as it is: the tensor, the array and the gradient."""
    lines = [new("p", np.array([1.5, -2.5])), "w = p.tensor", "array = w.data", f"optimizer = {optimizer.format('p')}"]
    lines += [
        gradient("p", np.array([0.5, 2.0])),
        STEP,
        "moved = p.tensor.data - w.data",
        "same = p.tensor.data - array",
    ]
    return Program("\n".join(lines), ("p.tensor.grad", "moved", "same"))


def is_written(trial: TensorTrial, kind: str) -> bool:
    """Whether steps of an optimizer change anything."""
    one = "\n".join([new("p", np.array([1.5, -2.5])), f"optimizer = {KINDS[kind].format('p')}"])
    step = f"before = np.array(p.tensor.data)\n{gradient('p', np.array([0.5, 2.0]))}\n{STEP}"
    found = trial.tries(f"{one}\n{step}\nmoved = bool((p.tensor.data != before).any())")
    return found is not None and found["moved"] is True


def is_adam(trial: TensorTrial, weight_decay: float = 4.0) -> bool:
    """Whether AdamW does what the learner's own Adam does, with so much decay: with any, it is only derived so far."""
    if trial.names.get("Adam") is None:
        return False
    made = [fixed(f"{kind}([{{}}], lr=0.25, weight_decay={weight_decay})") for kind in ("Adam", "AdamW")]
    code = "\n".join([made[0], "adam = p.tensor.data.tolist()", made[1], "same = p.tensor.data.tolist() == adam"])
    found = trial.tries(code)
    return found is not None and found["same"] is True


def asked(trial: TensorTrial, kind: str) -> list[str]:
    """The kinds that a check of one is asked of: this one where its steps are right; else, as that has checks of its
    own, those whose steps are.

    Raises:
        Waits: where this one is not written yet, or no steps are right.
    """
    if not is_written(trial, kind) or (kind == "AdamW" and is_adam(trial)):
        raise Waits(f"waits for steps of {kind}")
    some = [name for name in KINDS if is_written(trial, name)]
    right = [*itertools.compress(some, trial.right([Program(fixed(KINDS[name]), ("p.tensor",)) for name in some]))]
    if not right:
        raise Waits("waits for an optimizer whose steps are right")
    return [kind] if kind in right else right


def checks_of(kind: str, first: str) -> None:
    """What must hold of every optimizer, asked of one, the ids of whose checks begin with `first`."""

    @OPTIMIZERS.check(
        0.5,
        id=f"{first}_several",
        title=f"{kind} of several parameters, each with a memory of its own",
        hints=[
            "What is remembered of one parameter must not meet another one.",
            "A dictionary with the Parameter as key, or a list with one entry for each.",
        ],
    )
    def several(trial: TensorTrial) -> None:
        for name in asked(trial, kind):
            for shapes in ({"p": (2,), "q": (2,)}, {"p": (2,), "q": (2, 3), "r": (1,)}):
                trial.same(steps(trial, KINDS[name], 3, shapes), *(f"{each}.tensor" for each in shapes))

    @OPTIMIZERS.check(
        0.5,
        id=f"{first}_without_gradient",
        title=f"{kind} leaves a parameter without a gradient alone, and counts no step for it",
        hints=["Skip a parameter whose tensor.grad is None: neither its values change, nor its memory, nor its count."],
    )
    def without_gradient(trial: TensorTrial) -> None:
        for name in asked(trial, kind):
            some = [new(each, trial.draw(2)) for each in "pq"]
            some += [f"optimizer = {KINDS[name].format('p, q')}"]
            once = [*some, gradient("q", trial.draw(2)), STEP]
            trial.same("\n".join(once), "p.tensor", "q.tensor")
            back = [*once, "optimizer.zero_grad()", gradient("p", trial.draw(2)), STEP]
            back += ["optimizer.zero_grad()", gradient("p", trial.draw(2)), gradient("q", trial.draw(2)), STEP]
            trial.same("\n".join(back), "p.tensor", "q.tensor")

    @OPTIMIZERS.check(
        0.25,
        id=f"{first}_in_place",
        title=f"{kind} works in place, and leaves the gradients as they are",
        hints=[
            "Others may hold the tensor, or its array: change its elements.",
            "data = parameter.tensor.data; data -= ...",
        ],
    )
    def in_place(trial: TensorTrial) -> None:
        some = asked(trial, kind)
        decaying = [ALONE[DECAYING[name]] for name in some if name in DECAYING]
        right = trial.right([Program(fixed(code), ("p.tensor",)) for code in decaying])
        for optimizer in [*(KINDS[name] for name in some), *itertools.compress(decaying, right)]:
            made = steps(trial, optimizer, 1).split("\n")
            code = "\n".join([made[0], "w = p.tensor", "array = w.data", *made[1:]])
            with trial.case():
                means = dict.fromkeys(("w", "array[:]"), "step-rebinds") | {"p.tensor.grad": "step-changes-gradient"}
                trial.see(trial.run(code), oracle.values(code, tuple(means)), code, means)
            later = steps(trial, optimizer, 2).replace(STEP, f"kept = p.tensor.grad\n{STEP}", 1)
            with trial.case():
                means = {"kept": "step-changes-gradient"}
                trial.see(trial.run(later), oracle.values(later, tuple(means)), later, means)

    @OPTIMIZERS.check(
        0.5,
        id=f"{first}_memory",
        title=f"{kind} remembers: after zero_grad(), with another tensor, in each optimizer by itself",
        hints=[
            "zero_grad forgets gradients, and nothing else. And whose memory is it?",
            "Keep it under the Parameter: its tensor may be replaced, and arrays change.",
        ],
    )
    def memory(trial: TensorTrial) -> None:
        for name in asked(trial, kind):
            first = steps(trial, KINDS[name], 1)
            again = [gradient("p", trial.draw(2)), STEP]
            cleared = f"{first}\noptimizer.zero_grad()"
            trial.same(cleared, "p.tensor.grad")
            trial.same("\n".join([cleared, *again]), "p.tensor")
            replaced = "p.tensor = MyTensor(p.tensor.data, requires_grad=True)"
            trial.same("\n".join([first, replaced, *again]), "p.tensor")
            two = first.replace("optimizer = ", f"other = {KINDS[name].format('p')}\noptimizer = ")
            once = ["optimizer.zero_grad()", gradient("p", trial.draw(2))]
            trial.same("\n".join([two, *once, "other.step()", *once, STEP, *once, "other.step()"]), "p.tensor")

    @OPTIMIZERS.check(
        0.25,
        id=f"{first}_from_a_generator",
        title=f"{kind} takes its parameters one by one, from a generator",
        hints=["A generator of parameters is empty after one walk: keep list(parameters)."],
    )
    def from_a_generator(trial: TensorTrial) -> None:
        for name in asked(trial, kind):
            code = steps(trial, KINDS[name].replace("[{}]", "iter([{}])"), 2, {"p": (2,), "q": (2,)})
            trial.same(code, "p.tensor", "q.tensor")

    @OPTIMIZERS.check(
        2.25,
        id=f"any_{first}",
        title=f"Any training with {kind}: several steps, with any settings",
        hints=["Follow one parameter through the snippet, line by line: its data, its gradient, what is kept of it."],
        any_program=True,
    )
    def any_training(trial: TensorTrial) -> None:
        kinds, works = asked(trial, kind), works_alone(trial)
        some = frozenset({*kinds} & works or works & {*KINDS})
        if not some:
            raise Waits("waits for an optimizer whose steps are right")
        trial.programs(lambda choices: training(choices, works, some), count=12)


DECAYING = {"SGD": "decay", "Adam": "Adam's decay"}  # in the gradient


OPTIMIZERS.stage("sgd", "Momentum and weight decay")


@OPTIMIZERS.check(1, hints=["Without momentum and weight decay it is the SGD you know: data -= self.lr * gradient."])
def sgd_plain(trial: TensorTrial) -> None:
    """SGD without momentum and weight decay takes plain steps"""
    moves(trial, "SGD([{}], lr=0.5)")
    same_steps(trial, "SGD([{}], lr=0.5)", "SGD([{}], lr=0.125)", counts=(1, 2))


@OPTIMIZERS.check(
    1.75,
    needs=["sgd_plain"],
    hints=["What is kept from one step to the next?", "v = momentum * v + gradient, then data -= lr * v"],
)
def sgd_momentum(trial: TensorTrial) -> None:
    """SGD with momentum, over four steps"""
    same_steps(trial, "SGD([{}], lr=0.5, momentum=0.5)", "SGD([{}], lr=0.125, momentum=0.9)")
    other_rates(trial, "SGD([{}], lr=0.5, momentum=0.5)")


@OPTIMIZERS.check(
    1.5,
    needs=["sgd_plain"],
    hints=["A spring pulls each parameter toward 0. In which variable does it pull?", "gradient + weight_decay * data"],
)
def sgd_decay(trial: TensorTrial) -> None:
    """SGD with weight decay"""
    same_steps(trial, "SGD([{}], lr=0.5, weight_decay=0.25)", counts=(1, 2))
    if trial.right([BOTH_ALONE])[0]:
        same_steps(trial, "SGD([{}], lr=0.125, momentum=0.5, weight_decay=0.25)", counts=(2, 4))


def fixed(optimizer: str) -> str:
    """Three steps that are the same in each run."""
    lines = ["p = Parameter(MyTensor([1.5, -2.5], requires_grad=True))", f"optimizer = {optimizer.format('p')}"]
    for some in ([0.5, -2.0], [-1.5, 0.25], [0.25, 1.5]):
        lines += ["optimizer.zero_grad()", f"p.tensor.backward(MyTensor({some}))", STEP]
    return "\n".join(lines)


BOTH_ALONE = Program(fixed("SGD([{}], lr=0.5, momentum=0.5)"), ("p.tensor",))
checks_of("SGD", "sgd")
OPTIMIZERS.stage("adam", "Adam")


@OPTIMIZERS.check(
    1.5,
    hints=[
        "By hand, for the gradient 6: m = 0.6 and v = 0.036, corrected 6 and 36. What are yours? (print shows them)",
        "m takes the gradient, v its square; both are corrected by 1 - beta**t, with t = 1 in the first step.",
    ],
)
def adam_first(trial: TensorTrial) -> None:
    """The first step of Adam: about lr, whatever the size of the gradient"""
    moves(trial, "Adam([{}], lr=0.25)")
    same_steps(trial, "Adam([{}], lr=0.25)", "Adam([{}], lr=0.5, betas=(0.5, 0.75))", counts=(1,))
    if trial.first:  # more steps tell mistakes apart
        same_steps(trial, "Adam([{}], lr=0.5, betas=(0.5, 0.75))", counts=(2, 3))


@OPTIMIZERS.check(
    2,
    needs=["adam_first"],
    hints=[
        "Follow m, v and t of one parameter through two steps, on paper.",
        "Store m and v as they are, uncorrected.",
    ],
)
def adam_steps(trial: TensorTrial) -> None:
    """Adam over four steps"""
    same_steps(trial, "Adam([{}], lr=0.25, betas=(0.5, 0.75))", "Adam([{}], lr=0.25)", counts=(2, 4))
    other_rates(trial, "Adam([{}], lr=0.25, betas=(0.5, 0.75))")


@OPTIMIZERS.check(
    1,
    needs=["adam_first"],
    hints=[
        "betas are two numbers, for m and for v. eps is added to the root, not inside of it.",
        "lr=1e-3 if not said.",
    ],
)
def adam_settings(trial: TensorTrial) -> None:
    """Adam uses its settings: betas, eps, and lr=1e-3 if none is given"""
    same_steps(trial, "Adam([{}], lr=0.25, eps=0.5)", "Adam([{}], lr=0.5, betas=(0.75, 0.5), eps=0.125)", counts=(1, 2))
    far = "\n".join([new("p", np.array([0.0])), "optimizer = Adam([p])", gradient("p", trial.draw(1)), STEP])
    trial.same(f"{far}\nmoved = p.tensor * 1000", "moved")


@OPTIMIZERS.check(
    1,
    needs=["adam_first"],
    hints=["Adam's decay is a part of the gradient, before all else.", "gradient + weight_decay * data"],
)
def adam_decay(trial: TensorTrial) -> None:
    """Adam with weight decay"""
    decaying = "Adam([{}], lr=0.25, betas=(0.5, 0.75), weight_decay={})"
    same_steps(trial, decaying.format("{}", 0.5), decaying.format("{}", 4.0), counts=(1, 2, 4))


checks_of("Adam", "adam")
OPTIMIZERS.stage("adamw", "AdamW")


@OPTIMIZERS.check(
    2,
    hints=[
        "In AdamW the decay is no part of the gradient. Where is it?",
        "data *= 1 - lr * weight_decay, before the step",
    ],
)
def adamw_steps(trial: TensorTrial) -> None:
    """AdamW over four steps"""
    moves(trial, "AdamW([{}], lr=0.25, weight_decay=0.0)")
    if is_adam(trial, weight_decay=0.0) and not trial.right([Program(fixed(KINDS["Adam"]), ("p.tensor",))])[0]:
        raise Waits("waits for Adam, whose steps it takes")
    same_steps(trial, "AdamW([{}], lr=0.25, betas=(0.5, 0.75), weight_decay=0.5)")
    same_steps(trial, "AdamW([{}], lr=0.125, weight_decay=1.0, eps=0.25)", counts=(1, 2))
    other_rates(trial, "AdamW([{}], lr=0.25, betas=(0.5, 0.75), weight_decay=0.5)")


@OPTIMIZERS.check(0.5, needs=["adamw_steps"], hints=["weight_decay=0.01 in the first line of __init__."])
def adamw_default(trial: TensorTrial) -> None:
    """AdamW decays by 0.01 if nothing is said"""
    same_steps(trial, "AdamW([{}], lr=0.5, betas=(0.5, 0.75))", counts=(1, 2))


checks_of("AdamW", "adamw")

ALONE = {
    "SGD": "SGD([{}], lr=0.5)",
    "momentum": "SGD([{}], lr=0.5, momentum=0.5)",
    "decay": "SGD([{}], lr=0.5, weight_decay=0.25)",
    "both": "SGD([{}], lr=0.5, momentum=0.5, weight_decay=0.25)",
    "Adam": "Adam([{}], lr=0.25, betas=(0.5, 0.75))",
    "Adam's decay": "Adam([{}], lr=0.25, betas=(0.5, 0.75), weight_decay=4.0)",
    "Adam's eps": "Adam([{}], lr=0.25, betas=(0.5, 0.75), eps=0.5)",
    "AdamW": "AdamW([{}], lr=0.25, betas=(0.5, 0.75), weight_decay=0.5)",
}
SKIPPED = {  # of each kind, whether parameters without a gradient, and several, are as they should be
    name: Program(
        "\n".join(
            [
                "p = Parameter(MyTensor([1.5, -2.5], requires_grad=True))",
                "q = Parameter(MyTensor([0.5, 2.0], requires_grad=True))",
                f"optimizer = {optimizer.format('p, q')}",
                "q.tensor.backward(MyTensor([0.5, -1.5]))",
                STEP,
                "p.tensor.backward(MyTensor([2.5, 0.5]))",
                STEP,
                "optimizer.zero_grad()",
                "q.tensor.backward(MyTensor([2.5, 0.5]))",
                STEP,
            ]
        ),
        ("p.tensor", "q.tensor"),
    )
    for name, optimizer in KINDS.items()
}


def works_alone(trial: TensorTrial) -> frozenset[str]:
    """Names of ALONE, and of KINDS with "skips " or "leaves " before them, that do what PyTorch does."""
    some = {name: Program(fixed(code), ("p.tensor",)) for name, code in ALONE.items()}
    some |= {f"leaves {name}": leaves_alone(optimizer) for name, optimizer in (KINDS | ALONE).items()}
    some |= {f"skips {name}": program for name, program in SKIPPED.items()}
    return frozenset(name for name, right in zip(some, trial.right([*some.values()]), strict=True) if right)


def training(choices: Choices, works: frozenset[str], kinds: frozenset[str]) -> Program:
    """Several steps of any optimizer, with several parameters, some of them without a gradient now and then."""
    kind = choices.of(sorted(kinds))
    settings = [f"lr={choices.of([0.5, 0.25, 0.125])}"]
    if kind == "SGD":
        if "momentum" in works and choices.below(3):
            settings.append(f"momentum={choices.of([0.5, 0.9])}")
        if ("both" if len(settings) > 1 else "decay") in works and choices.below(2):
            settings.append(f"weight_decay={choices.of([0.25, 0.5])}")
    else:
        if choices.below(2):
            settings.append(f"betas={choices.of([(0.5, 0.75), (0.75, 0.5), (0.9, 0.5)])}")
        if "Adam's eps" in works and choices.below(3) == 2:
            settings.append(f"eps={choices.of([0.5, 0.25])}")
        if kind == "AdamW":
            settings.append(f"weight_decay={choices.of([0.5, 0.25, 1.0])}")
        elif "Adam's decay" in works and choices.below(2):
            settings.append(f"weight_decay={choices.of([0.5, 2.0])}")
    leaves = {f"leaves {name}" for name in (kind, {"SGD": "decay", "Adam": "Adam's decay"}.get(kind, kind))} <= works
    some = "pqr"[: 1 + choices.below(3)] if f"skips {kind}" in works else "p"
    shape = choices.of([(2,), (1,), (2, 2)])
    lines = [new(name, choices.array(*shape)) for name in some]
    lines.append(f"optimizer = {kind}([{', '.join(some)}], {', '.join(settings)})")
    for _ in range(1 + choices.below(5)):
        kept = choices.below(4) == 3 and leaves  # gradients add up
        if not kept:
            lines.append("optimizer.zero_grad()")
        for name in some:
            if len(some) == 1 or choices.below(4) != 3:
                lines.append(gradient(name, choices.array(*shape)))
        lines.append(STEP)
    return Program("\n".join(lines), tuple(f"{name}.tensor" for name in some))


def test_optimizers(
    SGD: Any = None,
    Adam: Any = None,
    AdamW: Any = None,
    MyTensor: Any = ...,
    Parameter: Any = ...,
    seed: int | None = None,
    until: str | None = None,
) -> Score:
    """Optimizers: 25 points."""
    return OPTIMIZERS.score(seed, until, SGD=SGD, Adam=Adam, AdamW=AdamW, MyTensor=MyTensor, Parameter=Parameter)
