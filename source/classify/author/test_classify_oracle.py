"""What is asked where PyTorch is not installed says what PyTorch says: a part of `classify_proof.py --oracles 200`."""

from __future__ import annotations

import subprocess
import sys

import classify_proof as proof
import numpy as np
import pytest

from checks.oracle import BEFOREHAND
from classify import imitation

WITHOUT = """
import sys
sys.modules["torch"] = None  # as on a machine without it: nothing can import it
sys.path[:0] = [{authors!r}]
import classify_proof as proof
names = proof.solution("reference")
for id in proof.SECTIONS:
    report = proof.report(id, names, 1)
    assert report.passed, report.as_text()
print(report.as_text())
wrong = proof.find("{wrong}")
assert wrong.rightly, wrong.report.as_text()
"""


def test_without_pytorch_all_sections_pass_and_mistakes_are_named_and_a_report_says_so_in_one_line():
    wrong = next(iter(proof.BY_NAME))
    code = WITHOUT.format(authors=str(proof.AUTHORS), wrong=wrong)
    done = subprocess.run([sys.executable, "-c", code], cwd=proof.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert " ".join(done.stdout.split()).count(BEFOREHAND) == 1


@pytest.mark.parametrize("seed", [0, 1])
def test_both_oracles_answer_alike_all_that_the_checks_ask(seed):
    found = proof.asked_twice(seed)
    assert found.asked > 1000 and not found.differ and not found.edge, [*found.differ, *found.edge][:3]


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
