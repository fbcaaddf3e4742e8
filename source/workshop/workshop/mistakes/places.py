"""Hints for one place: a mistake that can happen anywhere, in the words of the section or stage that has met it."""

from __future__ import annotations

from checks.mistakes import Mistake
from workshop.mistakes.known import HOLDS, OPERATORS, RULES, UNBROADCAST, WALK
from workshop.mistakes.layers import LINEAR, MATMUL
from workshop.mistakes.loss import LOSS
from workshop.mistakes.training import TRAIN

# What has been read where the first stages stop: the hints of no mistake lead further.
READ = {"data": [HOLDS], "operators": [HOLDS, UNBROADCAST, RULES, OPERATORS]}
STEPS = [HOLDS, UNBROADCAST, RULES, OPERATORS, WALK]

_ROWS = (
    "images and targets are arrays. What do a layer and a loss take?",
    "Wrap the rows: model(MyTensor(images[batch])), and MyTensor(targets[batch]) for the loss.",
    TRAIN,
)
_SUMMED = (
    "Which function takes a tensor, and records what it does?",
    "Your own `sum`, and `.size` for the number of elements: NumPy's functions and len know no tensors.",
    LOSS,
)
_ARRIVED = (
    "Which tensor or number is it (the message shows it), and in which dictionary do you look for it?",
    "An input that is not in `consumers`, such as a power or a constant, gets nothing: ask that first.",
    "In `gradients`: a first share is put in, only later ones are added to what is there.",
    WALK,
)
_TOO_EARLY = (
    "It is used twice, say. How often is it put into `ready`, and what has arrived there the second time?",
    "It is ready only when its count is 0: lower the count at every share, and then ask.",
    WALK,
)

# By mistake and stage, or section: hints, from nudge to rule, and the heading to read.
AT: dict[tuple[str, str], tuple[str, ...]] = {
    ("tensor-for-array", "operators"): (
        "left and right are tensors. What do NumPy's functions compute with?",
        "With arrays: forward(left.data, right.data). A tensor's array is tensor.data.",
        OPERATORS,
    ),
    ("array-for-tensor", "operators"): (
        "Is it a tensor or an array? `other` may be a plain number; what NumPy gives is an array.",
        "self.__wrap(other) makes a tensor of a number, MyTensor(values) one of a result. A power stays a number.",
        OPERATORS,
    ),
    ("tensor-for-array", "rules"): (
        "Inside a rule base is an array. What are left and right?",
        "Tensors: left.data and right.data are their arrays.",
        RULES,
    ),
    ("tensor-for-array", "matmul"): (
        "a and b are tensors. What does NumPy compute with?",
        "With arrays: a.data @ b.data; in the rule base is one already.",
        MATMUL,
    ),
    ("tensor-for-array", "relu"): (
        "x is a tensor. What does NumPy compute with?",
        "With arrays: np.maximum(x.data, 0); in the rule base is one already.",
        LINEAR,
    ),
    ("tensor-for-array", "mseloss"): _SUMMED,
    ("other-kind", "mseloss"): _SUMMED,
    ("array-for-tensor", "train"): _ROWS,
    ("other-kind", "train"): _ROWS,
    ("key-not-there", "gradients"): _ARRIVED,
    ("key-not-there", "broadcasting"): _ARRIVED,
    ("key-not-there", "graphs"): _TOO_EARLY,
}


def hints_at(mistake: Mistake, place: str) -> tuple[str, ...]:
    """The hints of a mistake that a check of this stage, or section, has met; none leads to a later step."""
    if found := AT.get((mistake.id, place)):
        *hints, read = found
        return (*hints, f"Read “{read}” in the notebook.")
    later = [step for step in STEPS if step not in READ.get(place, STEPS)]
    return tuple(hint for hint in mistake.hints if not any(step in hint for step in later))
