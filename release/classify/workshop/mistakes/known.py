"""The table of all known mistakes, and the headings of the notebook under which a learner can read of them."""

from __future__ import annotations

from checks.mistakes import Mistakes

PATHS = "Automatic differentiation > Several paths: a sum"
HOLDS = "Automatic differentiation > Step 1: a tensor holds numbers"
UNBROADCAST = "Automatic differentiation > Step 2: broadcasting, backward"
RULES = "Automatic differentiation > Step 3: the rules"
OPERATORS = "Automatic differentiation > Step 4: operators that remember"
WALK = "Automatic differentiation > Step 5: the walk"
EVERYWHERE = "tensor module matmul linear relu sgd mseloss train model"

KNOWN = Mistakes()
known = KNOWN.add

# Changes of memory that others see: they can look like many a wrong formula, which is tried first.
LAST_TRIED = {"operand-changed", "upstream-changed", "saved-shared"}
