"""A course of two assignments and one journal: a change of one has that one graded again, and the other one not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import kit
import nbformat
import pytest
from course import environment
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook
from nbgrader.preprocessors import ComputeChecksums, SaveCells

TESTS = '''
from checks.assignment import Assignment
from checks.section import Section

ASSIGNMENT = Assignment("{title}", __file__)
OF = Section("of", "Of a number", "tests.test_of(of)", assignment=ASSIGNMENT)


@OF.check(2)
def of_three(trial):
    """Of three"""
    trial.expect("y = of(3)", y={right})


def test_of(of, seed=None):
    return OF.score(seed, of=of)
'''
LEARNERS = {"ada": "def of(n):\n    return 2 * n", "bob": "def of(n):\n    return 3 * n"}


def cell(source: str, name: str, **marks: bool | int) -> nbformat.NotebookNode:
    of = {"grade": False, "locked": False, "solution": False, "task": False, **marks}
    return new_code_cell(source, metadata={"nbgrader": {"grade_id": name, "schema_version": 3, **of}})


def notebook(answer: str) -> nbformat.NotebookNode:
    setup = cell("import tests", "setup", locked=True)
    test = cell("tests.test_of(of)", "test_of", grade=True, locked=True, points=2)
    return new_notebook(cells=[setup, cell(answer, "of", solution=True), test])


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def course(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("PATH", environment()["PATH"])  # nbgrader calls alembic by its name
    made = kit.copied(["checks", "grading", "nbgrader_config.py"], tmp_path / "course")
    db = f"sqlite:///{made}/gradebook.db"
    for name, right in (("doubles", 6), ("triples", 9)):
        folder, title = made / "source" / name, name.capitalize()
        write(folder / "assignment.toml", f'title = "{title}"\n')
        write(folder / name / "__init__.py", "")
        write(folder / name / "tests.py", TESTS.format(title=title, right=right))
        write(folder / f"{name}.ipynb", nbformat.writes(notebook(LEARNERS["ada"])))
        with Gradebook(db, "minitorch") as gradebook:
            gradebook.add_assignment(name)
        about = {"notebook": name, "assignment": name, "db_url": db, "student": "."}
        marked, resources = ComputeChecksums().preprocess(notebook(LEARNERS["ada"]), {"nbgrader": about})
        SaveCells().preprocess(marked, resources)
        for learner, answer in LEARNERS.items():
            write(made / "submitted" / learner / name / f"{name}.ipynb", nbformat.writes(notebook(answer)))
    return made


def graded(course: Path, name: str) -> tuple[str, list[float]]:
    """What a run over a class says in its last line, and the learners' points by what the log says then."""
    command = [sys.executable, "-m", "grading", "autograde", name, "--jobs=1"]
    done = subprocess.run(command, cwd=course, env=environment(), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    entries = [json.loads(line) for line in (course / ".grading" / "log.jsonl").read_text().splitlines()]
    last = {entry["learner"]: entry["total"] for entry in entries if entry["assignment"] == name}
    return done.stderr.splitlines()[-1].partition(", none")[0], [last[learner] for learner in sorted(LEARNERS)]


def test_a_change_of_one_assignment_has_that_one_graded_again_only(course):
    assert graded(course, "doubles") == ("2 submissions: 2 graded", [2, 0])
    assert graded(course, "triples") == ("2 submissions: 2 graded", [0, 2])
    log = course / ".grading" / "log.jsonl"
    before = log.read_text()
    tests = course / "source" / "doubles" / "doubles" / "tests.py"
    write(tests, tests.read_text().replace("y=6", "y=9"))
    assert graded(course, "triples") == ("2 submissions: 2 unchanged", [0, 2])
    assert log.read_text() == before
    assert graded(course, "doubles") == ("2 submissions: 2 graded", [0, 2])
    whys = [json.loads(line)["why"] for line in log.read_text().removeprefix(before).splitlines()]
    assert whys == [["the tests, the kit or its libraries were changed"]] * 2
