"""Solutions that were written with only the notebook at hand: wrong ones are caught, right ones lose nothing."""

from __future__ import annotations

import itertools
import operator

import blind
import proof
import pytest

pytestmark = pytest.mark.long

# What the notebook leaves free, or says itself that no test sees.
UNASKED = {
    "first": {
        "a/float32-default": "whoever computes in float32 throughout has chosen, too",
        "a/bias-like-weight": "PyTorch draws the bias at random, too: the notebook leaves it free",
        "b/linear-random-bias": "the same",
    },
    "second": {
        "a/linear-normal": "a normal distribution of that size trains as well",
        "b/bias-copied-from-weight": "PyTorch draws the bias at random, too: the notebook leaves it free",
    },
    "third": {},
    "fourth": {
        "a/text-in-lists-accepted": "the notebook speaks of data, not of what stands in a list",
    },
}
CORPORA = sorted({path.name.partition("-")[0] for path in blind.FOLDER.iterdir() if path.is_dir()})


@pytest.mark.parametrize("name", CORPORA)
def test_wrong_solutions_are_caught_where_they_break_a_promise(name):
    solutions = list(blind.corpus(name))
    caught = proof._all(blind.is_caught, [(name, solution) for solution in solutions], "wrong solutions")
    assert len(caught) >= 120
    assert {*itertools.compress(solutions, map(operator.not_, caught))} == UNASKED[name].keys()


@pytest.mark.parametrize("name", [*filter(blind.right, CORPORA)])
def test_right_solutions_earn_everything(name):
    paths = blind.right(name)
    assert len(paths) >= 10
    points = proof._all(blind.score, [(str(path),) for path in paths], "right solutions")
    assert points == [100] * len(paths)
