"""What an author's proofs ask of a section about a solution that is not to be trusted to be right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from checks.observe import Clock, quiet
from checks.report import Report
from checks.section import SECTION_SECONDS, Section, judged


def report(of: Section, names: dict[str, Any], seed: int = 0) -> Report:
    """A section's report on the names that its test is given; no check is broken."""
    found = of.run(names, seed)
    assert not found.fault, f"{of.id}: {found.fault}"
    broken = [f"{of.id}/{check.id}: {check.got}" for check in found.checks if check.status == "broken"]
    assert not broken, broken
    return found


def loses(of: Section, names: dict[str, Any]) -> bool:
    """Whether a solution loses points in a section: the first check that it loses says so, and no mistake is named."""
    clock = Clock(SECTION_SECONDS)
    np.random.seed(0)  # of which most solutions draw their weights
    with quiet():
        for check in of.checks:
            result = judged([replace(check, needs=())], of, names, 0, clock)[0][check.id]
            assert result.status != "broken", f"{of.id}/{check.id}: {result.got}"
            if result.status != "passed":
                return True
    return False
