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
    "fifth": {
        "a/repr-hides-false-flag": "PyTorch's repr hides it, too",
        "a/no-array-ufunc": "a given line, and arrays on the left are not spoken of",
        "b/numpy-takes-the-lead": "the same",
        "a/dedupe-by-tensor": "two parameters that hold one tensor are not spoken of",
        "a/relu-forward-hides-nan": "numbers that are none are not spoken of",
        "b/frozen-are-left-out": "a flag may be one that cannot be taken back",
        "a/model-relu-before-first": "it does bend, but where pictures have no numbers: not asked yet",
        "a/model-batch-dependent": "a layer may look at the whole batch, as batch normalization does",
        "b/scaled-by-the-company-it-keeps": "the same",
        "b/constants-remembered-by-value": "shows only in the type of a result, after a number of another type",
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
