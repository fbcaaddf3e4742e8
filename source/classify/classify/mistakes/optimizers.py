"""Mistakes with optimizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from checks.mistakes import Way
from classify.imitation import Change, Library, adam, moves, sgd, to_gradient, to_weight
from classify.mistakes.known import KNOWN, known

MOMENTUM = "Optimizers > Momentum and weight decay"
ADAM = "Optimizers > Adam"
ADAMW = "Optimizers > AdamW"
SECTION = "optimizers"


def velocity(
    new: Callable[..., Any], move: Callable[..., Any] = lambda o, v, g: o.lr * v, always: bool = True
) -> Change:
    """SGD with another velocity: of the optimizer, the old one (None at first) and the gradient; without momentum, too,
    or not `always`."""

    def step(o: Any, w: Any, g: Any, s: dict[str, Any]) -> None:
        if not (always or o.momentum):
            sgd(o, w, g, s)
            return
        g = g + o.weight_decay * w
        s["b"] = new(o, s.get("b"), g)
        w -= move(o, s["b"], g)

    return moves(SGD=step)


EITHER = (("SGD", "Adam", "AdamW"), ("SGD",), ("Adam", "AdamW"), ("Adam",), ("AdamW",))


def in_kinds(part_of: str, wrong: Callable[..., Any]) -> list[Change]:
    """A part of all optimizers is wrong, or that of some of them."""

    def change(library: Library, kinds: tuple[str, ...]) -> None:
        right = getattr(library, part_of)

        def either(optimizer: Any, *rest: Any) -> Any:
            kind = optimizer if isinstance(optimizer, str) else optimizer.kind
            return (wrong if kind in kinds else right)(optimizer, *rest)

        setattr(library, part_of, either)

    return [lambda library, kinds=kinds: change(library, kinds) for kinds in EITHER]


def both_adams(**parts: Any) -> list[Change]:
    """A mistake in what Adam and AdamW share: in both, or in one of them."""
    one, other = adam(**parts), adam(to_weight, **parts)
    return [moves(Adam=one, AdamW=other), moves(Adam=one), moves(AdamW=other)]


known(
    "step-other-formula",
    SECTION,
    "a plain step is not lr times the gradient, downhill",
    "Without momentum and weight decay, which numbers take part in a step?",
    "data -= self.lr * gradient.",
    MOMENTUM,
    ("SGD goes uphill: it adds the gradient", velocity(lambda o, b, g: g, lambda o, v, g: -o.lr * v)),
    ("SGD does not use its learning rate", velocity(lambda o, b, g: g, lambda o, v, g: v)),
    (
        "SGD has momentum though none was asked for",
        velocity(lambda o, b, g: g if b is None else (o.momentum or 0.9) * b + g),
    ),
)
known(
    "momentum-one-minus",
    SECTION,
    "the new gradient is weighed with 1 - momentum",
    "In the first step the velocity is the gradient itself. And here?",
    "v = momentum * v + gradient: the gradient as it is. (Adam's means are weighed; SGD's velocity is none.)",
    MOMENTUM,
    velocity(lambda o, b, g: (0 if b is None else o.momentum * b) + (1 - o.momentum) * g),
    (
        "the new gradient is weighed with 1 - momentum in the first step",
        velocity(lambda o, b, g: (1 - o.momentum) * g if b is None else o.momentum * b + g),
    ),
    (
        "the new gradient is weighed with 1 - momentum, after the first step",
        velocity(lambda o, b, g: g if b is None else o.momentum * b + (1 - o.momentum) * g),
    ),
)
known(
    "momentum-formula",
    SECTION,
    "the velocity is not momentum * v + gradient",
    "A gradient that is always 1, momentum 0.9: the velocities are 1, 1.9, 2.71. What are yours?",
    "v = momentum * v + gradient, then data -= lr * v.",
    MOMENTUM,
    ("momentum is not used: every step is a plain one", velocity(lambda o, b, g: g)),
    ("the velocity is subtracted, not added", velocity(lambda o, b, g: g if b is None else g - o.momentum * b)),
    (
        "momentum multiplies the new gradient, not the old velocity",
        velocity(lambda o, b, g: (0 if b is None else b) + o.momentum * g),
    ),
    (
        "momentum multiplies the new gradient, not the old velocity",
        velocity(lambda o, b, g: g if b is None else b + o.momentum * g),
    ),
    (
        "momentum multiplies both the velocity and the gradient",
        velocity(lambda o, b, g: ((0 if b is None else b) + g) * (o.momentum or 1)),
    ),
    ("nothing of the velocity is forgotten", velocity(lambda o, b, g: g if b is None else b + g)),
    (
        "momentum keeps the first gradient only, not the velocity",
        lambda library: library.moves.update(SGD=first_gradient),
    ),
    (
        "momentum keeps the last gradient only, not the velocity",
        lambda library: library.moves.update(SGD=last_gradient),
    ),
    (
        "the step looks ahead, as Nesterov's does",
        velocity(lambda o, b, g: g if b is None else o.momentum * b + g, lambda o, v, g: o.lr * (g + o.momentum * v)),
    ),
    (
        "the step goes along the velocity before it has the new gradient",
        lambda library: library.moves.update(SGD=one_late),
    ),
)
known(
    "momentum-with-lr",
    SECTION,
    "the learning rate goes into the velocity, in another place than it belongs",
    "Where does lr stand: in the velocity, or where the parameter moves?",
    "v = momentum * v + gradient has no lr; data -= lr * v has it, once.",
    MOMENTUM,
    *(
        (
            "the learning rate multiplies twice, in the velocity and in the step",
            velocity(lambda o, b, g: (0 if b is None else o.momentum * b) + o.lr * g, always=always),
        )
        for always in (True, False)
    ),
    (
        "the velocity has the learning rate in it: another rate does not reach what is in there already",
        velocity(lambda o, b, g: (0 if b is None else o.momentum * b) + o.lr * g, lambda o, v, g: v),
    ),
    *(
        (
            "the old velocity is not multiplied with the learning rate",
            velocity(
                lambda o, b, g: (0 if b is None else o.momentum * b) + g,
                lambda o, v, g: v - (1 - o.lr) * g,
                always=always,
            ),
        )
        for always in (True, False)
    ),
    (
        "the step along the velocity is not multiplied with the learning rate",
        velocity(lambda o, b, g: (0 if b is None else o.momentum * b) + g, lambda o, v, g: v, always=False),
    ),
)


def first_gradient(o: Any, w: Any, g: Any, s: dict[str, Any]) -> None:
    g = g + o.weight_decay * w
    v = o.momentum * s["b"] + g if "b" in s else g
    s.setdefault("b", v)
    w -= o.lr * v


def last_gradient(o: Any, w: Any, g: Any, s: dict[str, Any]) -> None:
    g = g + o.weight_decay * w
    w -= o.lr * (g + o.momentum * s.get("b", 0 * g))
    s["b"] = g


def one_late(o: Any, w: Any, g: Any, s: dict[str, Any]) -> None:
    g = g + o.weight_decay * w
    old = s.get("b", 0 * g)
    s["b"] = o.momentum * old + g
    w -= o.lr * (old if o.momentum else g)


def decayed(kind: str, decay: Callable[..., Any], **parts: Any) -> Change:
    return moves(**{kind: adam(decay, **parts)})


def sgd_decayed(new: Callable[..., Any]) -> Change:
    """SGD with other gradients: of the optimizer, the values and the gradient."""

    def step(o: Any, w: Any, g: Any, s: dict[str, Any]) -> None:
        g = new(o, w, g)
        s["b"] = o.momentum * s["b"] + g if "b" in s else g
        w -= o.lr * s["b"]

    return moves(SGD=step)


def scaled(w: Any, factor: Any) -> None:
    w *= factor


def with_side_effect(effect: Callable[..., Any]) -> Callable[..., Any]:
    """A decay that changes the values, and leaves the gradient."""

    def decay(o: Any, w: Any, g: Any) -> Any:
        effect(o, w)
        return g

    return decay


known(
    "decay-ignored",
    SECTION,
    "weight decay is left out",
    "Take a weight of 10 and a gradient of 0. Should it stay where it is?",
    "SGD and Adam: gradient + weight_decay * data. AdamW: data *= 1 - lr * weight_decay.",
    MOMENTUM,
    ("the weight decay of SGD does nothing", sgd_decayed(lambda o, w, g: g)),
    (
        "the weight decay of SGD does nothing where there is momentum",
        sgd_decayed(lambda o, w, g: g if o.momentum else g + o.weight_decay * w),
    ),
    ("the weight decay of Adam does nothing", decayed("Adam", lambda o, w, g: g)),
    ("the weight decay of AdamW does nothing", decayed("AdamW", lambda o, w, g: g)),
)
known(
    "decay-sign",
    SECTION,
    "weight decay pushes the parameters away from 0",
    "A weight of 10 with decay and a gradient of 0: does it shrink or grow?",
    "SGD and Adam: gradient + weight_decay * data. AdamW: data *= 1 - lr * weight_decay.",
    MOMENTUM,
    ("the weight decay of SGD pushes away from 0", sgd_decayed(lambda o, w, g: g - o.weight_decay * w)),
    ("the weight decay of Adam pushes away from 0", decayed("Adam", lambda o, w, g: g - o.weight_decay * w)),
    (
        "the weight decay of AdamW pushes away from 0",
        decayed("AdamW", with_side_effect(lambda o, w: scaled(w, 1 + o.lr * o.weight_decay))),
    ),
)
known(
    "decay-in-gradient",
    SECTION,
    "AdamW puts the decay into the gradient, as Adam does",
    "What is divided by the root in AdamW, and what is not?",
    "data *= 1 - lr * weight_decay, and the gradient stays as it is.",
    ADAMW,
    decayed("AdamW", to_gradient),
    (
        "AdamW decays twice: the parameter itself, and in the gradient",
        decayed("AdamW", lambda o, w, g: to_gradient(o, to_weight_first(o, w), g)),
    ),
)


def to_weight_first(o: Any, w: Any) -> Any:
    w *= 1 - o.lr * o.weight_decay
    return w


known(
    "decay-outside-gradient",
    SECTION,
    "Adam decays the parameter itself, as AdamW does",
    "In Adam the decay is a part of the gradient. What happens to it then?",
    "gradient + weight_decay * data, before the two means.",
    ADAM,
    decayed("Adam", to_weight),
    (
        "Adam adds the decay after the two means, not to the gradient",
        moves(Adam=adam(with_side_effect(lambda o, w: scaled(w, 1 - o.lr * o.weight_decay)), late=True)),
    ),
)
known(
    "decay-other-variable",
    SECTION,
    "weight decay works on something else than the parameter's values",
    "What is pulled toward 0: the parameter, its gradient, or what is remembered?",
    "weight_decay * data is added to the gradient, as a vector.",
    MOMENTUM,
    ("weight decay multiplies the gradient", sgd_decayed(lambda o, w, g: g + o.weight_decay * g)),
    ("weight decay shrinks the gradient", sgd_decayed(lambda o, w, g: g * (1 - o.weight_decay))),
    ("weight decay is added as a number, without the parameter", sgd_decayed(lambda o, w, g: g + o.weight_decay)),
    (
        "weight decay uses the parameter's size, without its sign",
        sgd_decayed(lambda o, w, g: g + o.weight_decay * np.abs(w)),
    ),
    ("weight decay uses the parameter's sign only", sgd_decayed(lambda o, w, g: g + o.weight_decay * np.sign(w))),
    (
        "weight decay has a factor of 2, as the derivative of a square",
        sgd_decayed(lambda o, w, g: g + 2 * o.weight_decay * w),
    ),
    ("weight decay has the learning rate in it twice", sgd_decayed(lambda o, w, g: g + o.lr * o.weight_decay * w)),
    ("weight decay has the learning rate in it twice", decayed("Adam", lambda o, w, g: g + o.lr * o.weight_decay * w)),
    (
        "weight decay works on the velocity, not on the gradient",
        moves(SGD=lambda o, w, g, s: sgd_late(o, w, g, s)),
    ),
)


def sgd_late(o: Any, w: Any, g: Any, s: dict[str, Any]) -> None:
    """Decay outside of the velocity."""
    s["b"] = o.momentum * s["b"] + g if "b" in s else g
    w -= o.lr * (s["b"] + o.weight_decay * w)


known(
    "decay-without-lr",
    SECTION,
    "AdamW decays by another factor than 1 - lr * weight_decay",
    "With lr = 0, should anything move?",
    "data *= 1 - lr * weight_decay.",
    ADAMW,
    (
        "AdamW decays without the learning rate",
        decayed("AdamW", with_side_effect(lambda o, w: scaled(w, 1 - o.weight_decay))),
    ),
    (
        "AdamW multiplies by weight_decay, and not by 1 - lr * weight_decay",
        decayed("AdamW", with_side_effect(lambda o, w: scaled(w, o.weight_decay))),
    ),
    (
        "AdamW multiplies by lr * weight_decay, and not by 1 minus that",
        decayed("AdamW", with_side_effect(lambda o, w: scaled(w, o.lr * o.weight_decay))),
    ),
)
known(
    "decay-after-step",
    SECTION,
    "AdamW decays after the step, not before it",
    "Of which values is a part taken away: those before the step, or after it?",
    "First data *= 1 - lr * weight_decay, then the step.",
    ADAMW,
    moves(AdamW=adam(to_weight, late=True)),
)
known(
    "bias-not-corrected",
    SECTION,
    "the means are not corrected as they should be: the first steps are too small or too large",
    "After one step m is 0.1 times the gradient. Which number makes it the gradient again?",
    "m / (1 - beta1**t) and v / (1 - beta2**t), with t = 1 in the first step.",
    ADAM,
    *(("the means are not corrected", change) for change in both_adams(hat=lambda m, b, t: m)),
    *(("only the first mean is corrected", change) for change in both_adams(hat_v=lambda m, b, t: m)),
    *(
        ("only the second mean is corrected", change)
        for change in both_adams(hat=lambda m, b, t: m, hat_v=lambda m, b, t: m / (1 - b**t))
    ),
    *(
        ("the means are multiplied by 1 - beta**t, not divided", change)
        for change in both_adams(hat=lambda m, b, t: m * (1 - b**t))
    ),
    *(
        ("the correction is 1 - beta, without the number of the step", change)
        for change in both_adams(hat=lambda m, b, t: m / (1 - b))
    ),
    *(
        ("the correction is 1 - beta * t, not beta to the power of t", change)
        for change in both_adams(hat=lambda m, b, t: m / (1 - b * t))
    ),
)
for _says, _parts in (
    (
        "the correction is (1 - beta) to the power of t, not 1 - beta to the power of t",
        {"hat": lambda m, b, t: m / (1 - b) ** t},
    ),
    (
        "the correction of the first mean is 1 - beta * t, not beta to the power of t",
        {"hat": lambda m, b, t: m / (1 - b * t), "hat_v": lambda m, b, t: m / (1 - b**t)},
    ),
    (
        "the correction of the second mean is 1 - beta * t, not beta to the power of t",
        {"hat_v": lambda m, b, t: m / (1 - b * t)},
    ),
):
    for _change in both_adams(**_parts):
        KNOWN["bias-not-corrected"].ways.append(Way(KNOWN["bias-not-corrected"], _says, _change))
known(
    "bias-count",
    SECTION,
    "the steps are counted from another number than 1",
    "In the first step t is 1. What is 1 - beta**0?",
    "Count before you correct: t += 1, then 1 - beta1**t.",
    ADAM,
    *(
        ("the steps are counted from 0, and the first one is not corrected", change)
        for change in both_adams(count=0, hat=lambda m, b, t: m / (1 - b**t) if t else m)
    ),
    *((f"the first step counts as {count}", change) for count in (0, 2) for change in both_adams(count=count)),
)
known(
    "count-shared",
    SECTION,
    "one count of steps is shared by all parameters",
    "A parameter had no gradient for a while. How many steps has it taken?",
    "Keep t beside m and v, one for each parameter, and count only where there is a gradient.",
    ADAM,
    (
        "the count goes on for all parameters at each step, also for those without a gradient",
        lambda library: shared_count(library, once=True),
    ),
    (
        "the count goes on once for each parameter: with two, every step counts as two",
        lambda library: shared_count(library, once=False),
    ),
)
known(
    "corrected-stored",
    SECTION,
    "the corrected means are stored, and corrected again in the next step",
    "Which m does the next step go on with: the mean as it is, or the corrected one?",
    "Keep m and v, and give the corrected ones other names.",
    ADAM,
    *both_adams(stores=True),
)
known(
    "eps-inside",
    SECTION,
    "eps is not added to the root",
    "Is it the root of v plus eps, or the root of (v plus eps)?",
    "np.sqrt(v) + eps.",
    ADAM,
    *(
        ("eps is added inside of the root", change)
        for change in both_adams(scaled=lambda m, v, eps: m / np.sqrt(v + eps))
    ),
    *(
        ("eps is corrected with the second mean: it is divided by the root of 1 - beta2**t", change)
        for change in both_adams(eps_too=True)
    ),
    *(
        ("eps is not used, whatever was given", change)
        for change in both_adams(scaled=lambda m, v, eps: m / (np.sqrt(v) + 1e-8))
    ),
    *(
        ("eps is added to the quotient, not to the root", change)
        for change in both_adams(scaled=lambda m, v, eps: m / np.sqrt(v) + eps)
    ),
)
known(
    "adam-formula",
    SECTION,
    "a step of Adam computes something else than m / (sqrt(v) + eps)",
    "By what is the first mean divided?",
    "data -= lr * m / (np.sqrt(v) + eps), with the corrected means.",
    ADAM,
    *(
        ("the root is missing: the step divides by v", change)
        for change in both_adams(scaled=lambda m, v, eps: m / (v + eps))
    ),
    *(
        ("the step takes the gradient's mean alone, not divided by the root", change)
        for change in both_adams(scaled=lambda m, v, eps: m)
    ),
    *(
        ("the step multiplies by the root in place of dividing", change)
        for change in both_adams(scaled=lambda m, v, eps: m * (np.sqrt(v) + eps))
    ),
    *(("the step goes uphill", change) for change in both_adams(scaled=lambda m, v, eps: -m / (np.sqrt(v) + eps))),
)
known(
    "adam-means",
    SECTION,
    "the running means of Adam are other ones",
    "A running mean keeps beta of the old one, and takes 1 - beta of the new. Which numbers do you keep?",
    "m = beta1 * m + (1 - beta1) * gradient, and v the same with beta2 and gradient**2.",
    ADAM,
    *(
        ("the second mean takes the gradient, not its square", change)
        for change in both_adams(second=lambda v, g, b: b * v + (1 - b) * np.abs(g))
    ),
    *(
        ("the second mean takes the gradient, not its square", change)
        for change in both_adams(second=lambda v, g, b: b * v + (1 - b) * g)
    ),
    *(
        ("the new gradient counts in full, without 1 - beta", change)
        for change in both_adams(first=lambda m, g, b: b * m + g, second=lambda v, g, b: b * v + g**2)
    ),
    *(
        ("the new gradient counts in full in the first mean, without 1 - beta1", change)
        for change in both_adams(first=lambda m, g, b: b * m + g)
    ),
    *(
        ("the new square counts in full in the second mean, without 1 - beta2", change)
        for change in both_adams(second=lambda v, g, b: b * v + g**2)
    ),
    *(
        ("beta and 1 - beta are exchanged", change)
        for change in both_adams(
            first=lambda m, g, b: (1 - b) * m + b * g, second=lambda v, g, b: (1 - b) * v + b * g**2
        )
    ),
    *(
        ("the second mean squares itself, not the gradient alone", change)
        for change in both_adams(second=lambda v, g, b: (b * v + (1 - b) * g) ** 2)
    ),
    *(
        ("the second mean forgets what was before", change)
        for change in both_adams(second=lambda v, g, b: (1 - b) * g**2)
    ),
    *(("the first mean forgets what was before", change) for change in both_adams(first=lambda m, g, b: (1 - b) * g)),
    *(("the second mean takes the square of the first", change) for change in both_adams(of_mean=True)),
    *(
        ("the second mean takes sizes, not squares, and has no root", change)
        for change in both_adams(
            second=lambda v, g, b: b * v + (1 - b) * np.abs(g), scaled=lambda m, v, eps: m / (v + eps)
        )
    ),
    *(
        ("the old mean counts in full, not with beta", change)
        for change in both_adams(first=lambda m, g, b: m + (1 - b) * g, second=lambda v, g, b: v + (1 - b) * g**2)
    ),
    *(
        ("the old first mean counts in full, not with beta1", change)
        for change in both_adams(first=lambda m, g, b: m + (1 - b) * g)
    ),
    *(
        ("the old second mean counts in full, not with beta2", change)
        for change in both_adams(second=lambda v, g, b: v + (1 - b) * g**2)
    ),
    *(
        ("the two betas are exchanged", lambda library, kinds=kinds: exchanged(library, kinds))
        for kinds in (("Adam", "AdamW"), ("Adam",), ("AdamW",))
    ),
    *(
        ("one beta is used for both means", lambda library, kinds=kinds, at=at: one_beta(library, kinds, at))
        for kinds in (("Adam", "AdamW"), ("Adam",), ("AdamW",))
        for at in (0, 1)
    ),
    *(
        ("betas are not used, whatever was given", lambda library, kinds=kinds: no_betas(library, kinds))
        for kinds in (("Adam", "AdamW"), ("Adam",), ("AdamW",))
    ),
)
known(
    "defaults-other",
    SECTION,
    "a setting that is not given has another value than it should",
    "Which numbers stand in the first line of __init__?",
    "Adam: lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0. AdamW: the same, but weight_decay=0.01.",
    ADAM,
    *(
        (
            f"{kind} has {name}={value} if nothing is said",
            lambda library, kind=kind, name=name, value=value: other_default(library, kind, name, value),
        )
        for kind, name, value in (
            *(("Adam", "lr", value) for value in (1e-2, 1e-1, 1e-4)),
            ("Adam", "betas", (0.999, 0.9)),
            ("Adam", "betas", (0.9, 0.99)),
            ("AdamW", "betas", (0.9, 0.99)),
            ("Adam", "weight_decay", 0.01),
            *(("AdamW", "weight_decay", value) for value in (0.0, 0.1, 0.001, 1e-4)),
        )
    ),
)
known(
    "state-shared",
    SECTION,
    "what is remembered is shared by all parameters",
    "Two parameters, one velocity: whose gradient is in it?",
    "One entry for each parameter: a dictionary with the Parameter as key.",
    MOMENTUM,
    *in_kinds("key", lambda optimizer, parameter: None),
    *(
        ("what is remembered belongs to a place among those with a gradient, not to a parameter", change)
        for change in in_kinds("key", lambda optimizer, parameter: among_graded(optimizer, parameter))
    ),
    *(
        ("parameters of the same shape share what is remembered", change)
        for change in in_kinds("key", lambda optimizer, parameter: parameter.tensor.shape)
    ),
)
known(
    "state-lost",
    SECTION,
    "what is remembered is lost when the parameter gets another tensor",
    "Under what do you keep it: the Parameter, or its tensor, which may be replaced?",
    "A dictionary with the Parameter as key.",
    MOMENTUM,
    *in_kinds("key", lambda optimizer, parameter: parameter.tensor),
)
known(
    "state-of-all",
    SECTION,
    "two optimizers share what is remembered",
    "Does a dictionary belong to the class, or to one object?",
    "self.state = {} in __init__: one for each optimizer.",
    MOMENTUM,
    *in_kinds("move", lambda *step: in_one_state(*step)),
)
known(
    "state-cleared",
    SECTION,
    "zero_grad() also forgets what is remembered of earlier steps",
    "Which of the two shall be forgotten before each step: the gradient, or the velocity?",
    "parameter.tensor.grad = None, and nothing else.",
    MOMENTUM,
    *in_kinds("zero_grad", lambda optimizer: forget_all(optimizer)),
)
known(
    "state-not-kept",
    SECTION,
    "nothing is remembered: every step is like the first",
    "What does the second step know of the first one?",
    "Store the velocity, or m, v and t, at the end of the step.",
    MOMENTUM,
    *in_kinds("key", lambda optimizer, parameter: object())[2:],  # SGD that keeps nothing has no momentum
)
known(
    "without-gradient-moved",
    SECTION,
    "a parameter without a gradient is moved, or its memory changes",
    "It took no part in the loss. What should happen to it?",
    "Skip it: `if parameter.tensor.grad is None: continue`, before anything of it is changed.",
    MOMENTUM,
    *in_kinds("step", lambda optimizer: as_zero(optimizer)),
    *(
        ("a parameter without a gradient decays all the same", change)
        for change in in_kinds("step", lambda optimizer: decays_all(optimizer))
    ),
)
known(
    "step-stops-at-none",
    SECTION,
    "after a parameter without gradient, step() leaves the others alone, too",
    "One parameter took no part in the loss. Why should the others wait?",
    "Skip this one parameter (continue, or an if around the update), and go on with the next.",
    MOMENTUM,
    *in_kinds("step", lambda optimizer: stops(optimizer)),
)
known(
    "step-changes-copy",
    SECTION,
    "step() runs, and all parameters stay as they were",
    "What does step() write into? `data = data - ...` makes a new array, and gives it a name.",
    "data = parameter.tensor.data, then data -= ...: that changes the array which the tensor has.",
    MOMENTUM,
)
known(
    "step-rebinds",
    SECTION,
    "step() makes a new tensor or array: who holds the old one does not see the step",
    "Others may hold the tensor itself, or its array. Do they see a new one?",
    "data = parameter.tensor.data, then data -= ...",
    MOMENTUM,
)
known(
    "step-changes-gradient",
    SECTION,
    "step() changes the gradient",
    "gradient += weight_decay * data: whose array is gradient?",
    "gradient = gradient + weight_decay * data makes a new array.",
    MOMENTUM,
)
known(
    "zero-grad-zeros",
    SECTION,
    "zero_grad() leaves zeros instead of None",
    "How would step() tell a parameter without gradient from one whose gradient is 0?",
    "parameter.tensor.grad = None.",
    MOMENTUM,
    *in_kinds("zero_grad", lambda optimizer: zeros_instead(optimizer)),
)
known(
    "zero-grad-nothing",
    SECTION,
    "zero_grad() changes nothing: the old gradients remain",
    "Whose grad did you set? Ask the tensor afterwards.",
    "for parameter in self.params: parameter.tensor.grad = None.",
    MOMENTUM,
    *in_kinds("zero_grad", lambda optimizer: None),
)
known(
    "generator-consumed",
    SECTION,
    "only the first walk through the parameters finds any",
    "A generator is empty after one walk. How often do you go through the parameters?",
    "Keep a list: self.params = list(parameters).",
    MOMENTUM,
    *in_kinds("taken", lambda kind, parameters: parameters),
)


def shared_count(library: Library, once: bool) -> None:
    """Adam with one count for all parameters, which goes on at each step, or with each parameter."""
    counts: dict[Any, int] = {}

    def step(optimizer: Any) -> None:
        if once:
            counts[optimizer] = counts.get(optimizer, 0) + 1
        Library.step(library, optimizer)

    def move(optimizer: Any, parameter: Any, values: Any, gradient: Any) -> None:
        if optimizer.kind == "SGD":
            return Library.move(library, optimizer, parameter, values, gradient)
        if not once:
            counts[optimizer] = counts.get(optimizer, 0) + 1
        state = optimizer.states.setdefault(parameter, {})
        state["t"] = counts[optimizer] - 1
        return library.moves[optimizer.kind](optimizer, values, gradient, state)

    library.step, library.move = step, move


def exchanged(library: Library, kinds: tuple[str, ...]) -> None:
    _with_betas(library, kinds, lambda betas: betas[::-1])


def one_beta(library: Library, kinds: tuple[str, ...], at: int) -> None:
    _with_betas(library, kinds, lambda betas: (betas[at], betas[at]))


def no_betas(library: Library, kinds: tuple[str, ...]) -> None:
    _with_betas(library, kinds, lambda betas: (0.9, 0.999))


def _with_betas(library: Library, kinds: tuple[str, ...], other: Callable[[Any], Any]) -> None:
    def wrapped(step: Any) -> Any:
        def changed(o: Any, w: Any, g: Any, s: dict[str, Any]) -> None:
            before = o.betas
            o.betas = other(before)
            step(o, w, g, s)
            o.betas = before

        return changed

    library.moves.update({kind: wrapped(library.moves[kind]) for kind in kinds})


def other_default(library: Library, kind: str, name: str, value: Any) -> None:
    library.defaults[kind] = {**library.defaults[kind], name: value}


def among_graded(optimizer: Any, parameter: Any) -> int:
    return [each for each in optimizer.params if each.tensor.grad is not None].index(parameter)


def in_one_state(optimizer: Any, parameter: Any, values: Any, gradient: Any) -> None:
    """What is remembered lies in one place for all optimizers of a library."""
    optimizer.states = optimizer.library.__dict__.setdefault("everybody's", {})
    Library.move(optimizer.library, optimizer, parameter, values, gradient)


def zeros_instead(optimizer: Any) -> None:
    for parameter in optimizer.params:
        parameter.tensor.grad = 0 * parameter.tensor.values


def forget_all(optimizer: Any) -> None:
    Library.zero_grad(optimizer.library, optimizer)
    optimizer.states.clear()


def as_zero(optimizer: Any) -> None:
    for parameter in optimizer.params:
        values = parameter.tensor.values
        gradient = 0 * values if parameter.tensor.grad is None else parameter.tensor.grad
        optimizer.library.move(optimizer, parameter, values, gradient)


def decays_all(optimizer: Any) -> None:
    for parameter in optimizer.params:
        if parameter.tensor.grad is None:
            parameter.tensor.values *= 1 - optimizer.lr * optimizer.weight_decay
    Library.step(optimizer.library, optimizer)


def stops(optimizer: Any) -> None:
    for parameter in optimizer.params:
        if parameter.tensor.grad is None:
            break
        optimizer.library.move(optimizer, parameter, parameter.tensor.values, parameter.tensor.grad)
