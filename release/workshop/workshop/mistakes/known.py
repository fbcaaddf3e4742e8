"""The table of all known mistakes, and the headings of the notebook under which a learner can read of them."""

from __future__ import annotations

from checks.mistakes import Mistakes

MATHEMATICS = "Automatic differentiation > The mathematics"
PATHS = "Automatic differentiation > Several paths: a sum"
BEHAVES = "Automatic differentiation > How MyTensor behaves"
HINTS = "Automatic differentiation > Hints"
EVERYWHERE = "tensor module matmul linear relu sgd mseloss train model"
DAG = "Automatic differentiation > My automatic differentiation"

KNOWN = Mistakes()
known = KNOWN.add

# Changes of memory that others see: they can look like many a wrong formula, which is tried first.
LAST_TRIED = {"operand-changed", "upstream-changed", "saved-shared"}
