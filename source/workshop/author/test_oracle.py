"""What is asked where PyTorch is not installed says what PyTorch says (`proof.py --oracles 200` asks far more)."""

from __future__ import annotations

import subprocess
import sys

import proof
import pytest
from answers import AUTHORS, ROOT

from checks.oracle import BEFOREHAND, load

WITHOUT = """
import sys
sys.modules["torch"] = None  # as on a machine without it: nothing can import it
sys.path[:0] = [{authors!r}]
from answers import names_for, solved
import tests
names = solved()
for section in tests.ASSIGNMENT.all_sections:
    report = section.run(names_for(section, names), 1)
    assert report.passed, report.as_text()
print(report.as_text())
exec("a = MyTensor([2.0], requires_grad=True)", names)
exec("import tests; tests.draw_graph('a * a', beside=True)", names)
stands = tests.absent("PyTorch", ImportError("none"))
try:
    stands.nn.Module
except ImportError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def alone() -> str:
    """What a session without PyTorch prints, in which the reference passes every section."""
    code = WITHOUT.format(authors=str(AUTHORS))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_pytorch_a_report_says_so_in_one_line(alone):
    assert " ".join(alone.split()).count(BEFOREHAND) == 1


def test_without_pytorch_the_graph_of_your_own_is_drawn(alone):
    assert "Yours: " in alone and "its graph does not stand beside yours" in alone


def test_a_cell_that_shows_pytorch_says_that_it_is_not_there(alone):
    assert "PyTorch cannot be imported here. If this cell only shows what it does, go on below." in alone


def test_grading_does_not_begin_without_pytorch():
    with pytest.MonkeyPatch.context() as patch, proof.ORACLES.without_torch():
        load.cache_clear()
        patch.setitem(sys.modules, "torch", None)
        with pytest.raises(ImportError, match="compare your work with PyTorch, which cannot be imported here"):
            proof.tests.ASSIGNMENT.get_ready()


def test_with_pytorch_nothing_is_said(capsys):
    assert BEFOREHAND not in proof.report(proof.SECTIONS["matmul"], proof.solution("reference")).as_text()


@pytest.mark.parametrize("seed", [0, 1])
def test_both_oracles_answer_alike_all_that_the_checks_ask(seed):
    found = proof.asked_twice(seed)
    assert found.asked > 500 and not found.differ and not found.edge, [*found.differ, *found.edge][:3]


@pytest.mark.parametrize("name", [*proof.WRONG][::60])
def test_wrong_solutions_are_told_the_same(name):
    assert not proof.told_otherwise(name)
