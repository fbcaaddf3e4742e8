"""What is asked where PyTorch is not installed says what PyTorch says: a part of `classify_proof.py --oracles 200`."""

from __future__ import annotations

import classify_proof as proof
import numpy as np
import pytest

from checks.oracle import BEFOREHAND
from classify import imitation


def test_without_pytorch_the_solution_earns_all_and_a_report_says_so_in_one_line():
    cells = [" ".join(said.split()) for said in proof.oracles.printed_without_torch("classify")]
    reports = [said for said in cells if BEFOREHAND in said]
    assert len(reports) >= len(proof.SECTIONS) and all(said.count(BEFOREHAND) == 1 for said in reports)
    assert "Classify so far: 100 of 100 points" in "".join(cells)
    assert sum("shows something with PyTorch, and is left out: no test needs it." in said for said in cells) >= 1


@pytest.mark.parametrize("seed", [0, 1])
def test_both_oracles_answer_alike_all_that_the_checks_ask(seed):
    found = proof.asked_twice(seed)
    assert found.asked > 1000 and not found.differ, found.differ[:3]


@pytest.mark.parametrize("name", [*proof.BY_NAME][::30])
def test_wrong_solutions_are_told_the_same(name):
    assert not proof.told_otherwise(name)


FUNCTIONS = {
    "exp": lambda x: np.exp(x),
    "2**x": lambda x: 2**x,
    "abs, maximum, 1 / x": lambda x: np.maximum(np.abs(x), 0.5) + 1 / x,
    "min": lambda x: x.min(1, keepdims=True) * x.mean(0),
    "matmul, reshape": lambda x: (x @ np.ones((3, 2))).reshape(4),
    "array first": lambda x: np.ones((2, 3)) - np.arange(3.0) * x / np.full(3, 2.0) + np.ones(3),
    "softmax": lambda x: imitation.softmax(x, 0) * imitation.log_softmax(x, 1),
    "max of all": lambda x: np.log(x**2).sum() * x.max(),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_rule_of_any_function_of_arrays_is_its_slope(name):
    """The rule that a mistake in a function has follows from the function."""
    function, rng = FUNCTIONS[name], np.random.default_rng(0)
    x = imitation.as_values(rng.normal(size=(2, 3)))
    base = imitation.as_values(rng.normal(size=np.shape(function(x))))
    (gradient,) = imitation.derived(function)(base, x)
    for index in np.ndindex(2, 3):
        step = np.zeros((2, 3))
        step[index] = 1e-6
        slope = ((function(x + step) - function(x - step)) / 2e-6 * base).sum()
        assert gradient[index] == pytest.approx(float(slope), rel=1e-6, abs=1e-8)
