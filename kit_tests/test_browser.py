"""Deadlines where Python has neither signals nor threads, as in a browser: the same ones, and the same words."""

from __future__ import annotations

import contextlib
import sys
import time

import pytest

from checks import observe
from checks.assignment import Assignment
from checks.observe import OutOfTime, learner_code, time_left, undisturbed
from checks.section import Section

# Pyodide's Python has it; make test runs with whatever Python there is.
pytestmark = pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="needs Python 3.12, as browsers have it")

DOUBLE = Section("double", "Doubling", "tests.test_double(double)", assignment=Assignment("Doubling", reference={}))


@DOUBLE.check(1)
def doubled(trial):
    """double(3) is 6"""
    trial.expect("n = double(3)", n=6)


@pytest.fixture(autouse=True)
def in_a_browser(monkeypatch):
    monkeypatch.setattr(observe, "IN_BROWSER", True)
    monkeypatch.setattr(observe, "PATIENCE", 1.0)  # there is no other clock than the one on the wall
    yield
    assert sys.monitoring.get_events(observe.TOOL) == 0


def forever():
    """What is raised at a jump leaves the function that jumps, whatever it catches: so it stands by itself."""
    while True:
        pass


ENDLESS = {
    "a loop": "while True:\n    pass",
    "a loop that catches": "while True:\n    try:\n        pass\n    except BaseException:\n        pass",
    "a loop that catches what its body calls": """
def other():
    return 1
while True:
    try:
        other()
    except BaseException:
        other()""",
    "a loop in a try in a loop": """
while True:
    try:
        while True:
            try:
                n = 1
            except BaseException:
                continue
    except BaseException:
        continue
    finally:
        n = 2""",
    "a loop that suppresses": """
import contextlib
while True:
    with contextlib.suppress(BaseException):
        n = 1""",
    "a for loop": "import itertools\nfor n in itertools.count():\n    pass",
    "a comprehension": "import itertools\n[0 for n in itertools.count() if n < 0]",
    "a generator": """
def endless():
    while True:
        yield 1
any(n == 0 for n in endless())""",
    "a function that C calls": "import itertools\nany(map(lambda n: n < 0, itertools.count()))",
    "recursion": """
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)
fibonacci(80)""",
    "recursion that begins again": """
def again():
    try:
        return again()
    except RecursionError:
        return again()
again()""",
    "a property": """
class Slow:
    @property
    def value(self):
        while True:
            pass
Slow().value""",
    "a comparison in a sort": """
class Odd:
    def __lt__(self, other):
        while True:
            pass
sorted([Odd(), Odd()])""",
    "the standard library": """
import itertools, statistics
statistics.fmean(n for n in itertools.count())""",
    "NumPy, a little at a time": """
import numpy as np
while True:
    np.ones((50, 50)) @ np.ones((50, 50))""",
}


@pytest.mark.parametrize("code", ENDLESS.values(), ids=ENDLESS)
def test_what_never_ends_is_cut(code):
    names = {}
    exec(compile("def work():\n    " + code.strip().replace("\n", "\n    "), "<cell>", "exec"), names)
    with pytest.raises(OutOfTime), learner_code(0.1):
        names["work"]()


def test_an_endless_import_is_cut(tmp_path, monkeypatch):
    (tmp_path / "endless_module.py").write_text("while True:\n    pass\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(OutOfTime), learner_code(0.1):
        import endless_module  # noqa: F401


def test_a_report_says_so_in_the_same_words():
    def double(n):
        while True:
            with contextlib.suppress(BaseException):
                n += 1

    doubled_check = DOUBLE.checks[0]
    doubled_check.__dict__["seconds"] = 0.2
    report = DOUBLE.run({"double": double})
    assert report.score == 0 and "your code did not finish in time" in report.as_text()
    assert DOUBLE.run({"double": lambda n: 2 * n}).passed


def test_what_ends_in_time_is_not_cut():
    with learner_code(5.0):
        assert sum(1 for _ in range(10 * observe.LOOKS)) == 10 * observe.LOOKS


def test_a_deadline_goes_on_after_one_inside_it():
    with pytest.raises(OutOfTime), learner_code(0.2):
        with learner_code(5.0):
            assert time_left() <= 0.2
        forever()


def test_a_deadline_waits_for_what_is_not_to_be_disturbed():
    seen = []
    with pytest.raises(OutOfTime), learner_code(0.1):
        with undisturbed:
            ends = time.monotonic() + 0.3
            while time.monotonic() < ends:
                pass
            seen.append("not cut")
        forever()
    assert seen == ["not cut"]


def test_what_runs_after_it_is_not_cut_any_more():
    with pytest.raises(OutOfTime), learner_code(0.05):
        forever()
    assert sum(range(1000)) == sum(n for n in range(1000))
