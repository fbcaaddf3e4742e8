"""What is asked where PyTorch is not installed says what PyTorch says (`proof.py --oracles 200` asks far more)."""

from __future__ import annotations

import subprocess
import sys

import proof
import pytest
from answers import ROOT

from checks.oracle import BEFOREHAND, load


@pytest.fixture(scope="module")
def alone() -> list[str]:
    """What the solution's cells say where there is no PyTorch."""
    return proof.oracles.printed_without_torch("workshop")


def test_without_pytorch_the_solution_earns_all_and_a_report_says_so_in_one_line(alone):
    reports = [said for said in alone if BEFOREHAND in " ".join(said.split())]
    assert len(reports) >= len(proof.SECTIONS) and all(
        " ".join(said.split()).count(BEFOREHAND) == 1 for said in reports
    )
    assert "Workshop so far: 100 of 100 points" in "".join(alone)


def test_without_pytorch_the_graph_of_your_own_is_drawn(alone):
    assert any("Yours: " in said and "its graph does not stand beside yours" in said for said in alone)


def test_cells_that_show_pytorch_are_left_out_and_those_below_them_run(alone):
    left_out = [said for said in alone if "shows something with PyTorch, and is left out: no test needs it." in said]
    assert len(left_out) >= 6 and alone[-1] not in left_out


def test_grading_does_not_begin_without_pytorch():
    with pytest.MonkeyPatch.context() as patch, proof.ORACLES.without_torch():
        load.cache_clear()
        patch.setitem(sys.modules, "torch", None)
        with pytest.raises(ImportError, match="compare your work with PyTorch, which cannot be imported here"):
            proof.tests.ASSIGNMENT.get_ready()


CHOSEN = """
import sys
from grading.assignments import load_tests
for assignment in ("workshop", "classify"):
    tests = load_tests(assignment, "numpy")
    print(assignment, tests.ASSIGNMENT.oracle.alone, "torch" in sys.modules)
print(load_tests("workshop").ASSIGNMENT.oracle.alone, "torch" in sys.modules)
"""


def test_who_grades_may_choose_to_do_without_and_then_pytorch_is_not_imported():
    done = subprocess.run([sys.executable, "-c", CHOSEN], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["workshop True False", "classify True False", "False True"], done.stderr


def test_with_pytorch_nothing_is_said(capsys):
    assert BEFOREHAND not in proof.report(proof.SECTIONS["matmul"], proof.solution("reference")).as_text()


@pytest.mark.parametrize("seed", [0, 1])
def test_both_oracles_answer_alike_all_that_the_checks_ask(seed):
    found = proof.asked_twice(seed)
    assert found.asked > 500 and not found.differ and not found.edge, [*found.differ, *found.edge][:3]


@pytest.mark.parametrize("name", [*proof.WRONG][::60])
def test_wrong_solutions_are_told_the_same(name):
    assert not proof.told_otherwise(name)
