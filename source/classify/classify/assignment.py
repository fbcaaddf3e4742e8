"""What the framework has to know of this assignment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checks.assignment import Assignment
from checks.exceptions import Meaning
from checks.mistakes import Style
from checks.oracle import load
from checks.trial import Trial
from classify.imitation import Library
from classify.mistakes import KNOWN, LAST_TRIED, STYLES
from classify.oracle import ORACLE
from workshop import reading
from workshop.exceptions import MEANINGS
from workshop.trial import TensorTrial

OWN_MEANINGS = [
    Meaning(
        "RuntimeError",
        r"requires a gradient may be in a graph",
        "a tensor that requires a gradient is written into by index: its array, .data, can be",
        "tensor-written",
    ),
    Meaning(
        "TypeError",
        r"MyTensor\.(\w+)\(\) got an unexpected keyword argument '(?:out|dtype|where|initial)'",
        "NumPy's {0} works on arrays: of a tensor it calls the method {0}, with arguments of NumPy's own",
        "tensor-for-array",
    ),
]


class Classify(Assignment):
    """Probabilities, the loss that goes with them, better optimizers, and larger networks."""

    trial = TensorTrial
    ahead = ("data", "grad", "tensor")

    def __init__(self) -> None:
        super().__init__(
            "Classify",
            __file__,
            reference=ORACLE,
            mistakes=KNOWN,
            meanings=[*OWN_MEANINGS, *MEANINGS],
            result=reading.TENSOR,
            last_tried=LAST_TRIED,
        )

    def get_ready(self, without_torch: bool = False) -> None:
        """PyTorch, with what it imports at its first gradient; in one thread, as grading uses all processors itself."""
        super().get_ready(without_torch)
        if not without_torch:
            load().set_num_threads(1)
        ORACLE.values("a = MyTensor([1.5], requires_grad=True)\na.exp().backward()", ("a.grad",))

    def styles(self, failed: Mapping[str, Trial]) -> list[Style]:
        return STYLES

    def imitation(self, given: Any = None) -> Library:
        return Library(given)


ASSIGNMENT = Classify()
