"""nbgrader's exchange, as on a JupyterHub: released, fetched, submitted, collected, graded, feedback fetched."""

from __future__ import annotations

import getpass
import json
import os
import sys
from pathlib import Path

import kit
import pytest
import ready
from course import Course, submission

from checks.notebook import code_cells


@pytest.mark.parametrize("whole_class", [False, True])
def test_an_assignment_goes_out_and_its_feedback_comes_back(tmp_path, whole_class):
    exchange, desk = tmp_path / "exchange", tmp_path / "learner"
    exchange.mkdir()
    exchange.chmod(0o777)  # everybody hands in there
    desk.mkdir()
    (tmp_path / "course").mkdir()
    made = Course(tmp_path / "course", db=f"sqlite:///{tmp_path}/gradebook.db")
    where = f"--Exchange.root={exchange}"

    def learner(command: str) -> None:
        call = [sys.executable, "-m", "nbgrader", command, "tiny", "--course=minitorch", where]
        done = ready.run(call, cwd=desk, env=made.environment())
        assert done.returncode == 0, done.stderr

    def instructor(command: str) -> None:
        done = made.nbgrader(command, "tiny", where)
        assert done.returncode == 0, done.stderr

    instructor("release_assignment")
    learner("fetch_assignment")
    handed_out, released = desk / "tiny" / "tiny.ipynb", kit.course() / "release" / "tiny" / "tiny.ipynb"
    sources = [[cell["source"] for cell in code_cells(path)] for path in (handed_out, released)]
    assert sources[0] == sources[1]
    assert {"tests.py", "checks", "data", "requirements.txt"} <= set(os.listdir(desk / "tiny"))
    handed_out.write_text(json.dumps(submission("half")))
    learner("submit")
    instructor("collect")
    name = getpass.getuser()
    assert (made.folder / "submitted" / name / "tiny" / "tiny.ipynb").is_file()
    if whole_class:
        assert made.grade_class().status == 0
    else:
        instructor("autograde")
    instructor("generate_feedback")
    instructor("release_feedback")
    learner("fetch_feedback")
    (page,) = Path(desk, "tiny", "feedback").glob("*/tiny.html")
    assert "Tensor: 40 of 40 points" in page.read_text(encoding="utf-8")
