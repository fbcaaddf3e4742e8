"""Verdicts do not depend on the random numbers. In a file of its own: it takes longest, and on all processors."""

from __future__ import annotations

import proof


def test_200_seeds_give_the_same_verdicts():
    assert (
        proof.unsteady(200, share=64, among=12) == []
    )  # all 200 of every solution: python kit_tests/proof.py --seeds 200
