"""Points that a person gives are never silently those of older work, whichever command grades."""

from __future__ import annotations

import contextlib
import sqlite3

import kit
import pytest
from course import Course, Graded, course, submission

from grading import assignments, results
from grading.journal import Journal


@pytest.fixture(autouse=True)
def here(monkeypatch) -> None:
    """The course's assignment is known in this process, too."""
    monkeypatch.setattr(assignments, "SOURCE", kit.course() / "source")


def give(made: Course, learner: str, cell: str, points: float | None = None, extra: float | None = None) -> None:
    """As formgrader writes it."""
    with contextlib.closing(sqlite3.connect(made.folder / "gradebook.db")) as database:
        changed = database.execute(
            "update grade set manual_score = coalesce(?, manual_score), extra_credit = coalesce(?, extra_credit), "
            "needs_manual_grade = 0 where cell_id in (select id from base_cell where name = ?) and notebook_id in "
            "(select submitted_notebook.id from submitted_notebook join submitted_assignment on "
            "submitted_notebook.assignment_id = submitted_assignment.id where student_id = ?)",
            (points, extra, cell, learner),
        )
        assert changed.rowcount == 1
        database.commit()


def status(made: Course) -> list[str]:
    table = results.read(made.db, "tiny", submitted=made.folder / "submitted", journal=made.folder / ".grading")
    return {one.id: one.status for one in table.learners}["ada"]


def grade(made: Course, command: str, *options: str) -> Graded:
    return made.grade(*options) if command == "nbgrader" else made.grade_class(*options)


SAID = "oints given by hand for older work still count (matmul): look again in formgrader, and enter them anew."


@pytest.mark.parametrize("command", ["nbgrader", "grading"])
def test_a_mark_for_older_work_is_said_until_it_is_given_anew(tmp_path, command):
    made = course(tmp_path / "course")
    made.hand_in("ada", submission("half", 1))
    assert grade(made, command).status == 0
    give(made, "ada", "test_matmul", points=3)
    assert status(made) == []

    graded = grade(made, command, "--force")  # the same work
    assert "by hand" not in graded.log and graded.status == 0
    assert status(made) == ["mark by hand, then graded again: matmul"]

    made.hand_in("ada", submission("half", 2))
    graded = grade(made, command)
    assert SAID in graded.log and graded.status == 1, graded.log
    assert status(made) == ["mark by hand is for older work: matmul"]
    made.hand_in("ada", submission("half", 3))
    graded = grade(made, command)
    assert SAID in graded.log and "1 need a look" in graded.log

    give(made, "ada", "test_matmul", points=3)
    assert status(made) == []
    assert "by hand" not in grade(made, command, "--force").log
    entries, _ = Journal(made.folder / ".grading").history()
    assert [entry["learner"] for entry in entries] == ["ada"] * 5
    assert entries[-1]["by_hand"] == {"tiny/test_matmul": entries[-1]["handed_in"]}


@pytest.mark.parametrize("command", ["nbgrader", "grading"])
def test_extra_credit_is_a_persons_too(tmp_path, command):
    made = course(tmp_path / "course")
    made.hand_in("ada", submission("half", 1))
    grade(made, command)
    give(made, "ada", "test_matmul", extra=2)
    assert status(made) == []
    made.hand_in("ada", submission("half", 2))
    assert SAID in grade(made, command).log
    assert status(made) == ["mark by hand is for older work: matmul"]


def test_one_command_knows_what_the_other_has_graded(tmp_path):
    made = course(tmp_path / "course")
    made.hand_in("ada", submission("half", 1))
    made.grade()
    give(made, "ada", "test_matmul", points=3)
    made.hand_in("ada", submission("half", 2))
    assert status(made) == ["handed in anew, not graded yet"]
    assert SAID in made.grade_class().log
    assert "2 lines" not in made.grade().log and status(made) == ["mark by hand is for older work: matmul"]
