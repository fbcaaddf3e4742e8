"""The table of all known mistakes."""

from __future__ import annotations

from checks.mistakes import Mistakes

EVERYWHERE = "functions cross_entropy optimizers modes networks"

KNOWN = Mistakes()
known = KNOWN.add

# What others see of a changed array can look like many a wrong formula, which is tried first.
LAST_TRIED = {"input-changed"}
