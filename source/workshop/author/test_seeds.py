"""Verdicts do not depend on the random numbers. In a file of its own: it takes longest, and on all processors."""

from __future__ import annotations

import proof
import pytest

pytestmark = pytest.mark.long


def test_40_seeds_give_the_same_verdicts():
    """Of the reference all, of others a part; `make proof` asks every solution 200."""
    assert proof.unsteady(40, share=13, among=24) == []
