"""`python -m grading feedback` and `nbgrader generate_feedback`: pages show what counts now, and say it first."""

from __future__ import annotations

import contextlib
import html
import re
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest
import ready
from course import Course, course, submission
from nbgrader.api import Gradebook

from grading import feedback

ODD = "ida [1] {x}*"
LEARNERS = ("ada", "bob", ODD)


@pytest.fixture(scope="module")
def graded(tmp_path_factory) -> Course:
    made = course(tmp_path_factory.mktemp("pages") / "course")
    for learner, kind in zip(LEARNERS, ("half", "wrong", "all"), strict=True):
        made.hand_in(learner, submission(kind))
    assert made.grade_class().status == 0
    return made


def page(made: Course, learner: str) -> Path:
    return made.folder / "feedback" / learner / "tiny" / "tiny.html"


def words(made: Course, learner: str) -> str:
    text = re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", page(made, learner).read_text(), flags=re.DOTALL)
    return " ".join(html.unescape(text).split())


def run(made: Course, *options: str, command: str = "grading") -> Any:
    if command == "nbgrader":
        return made.nbgrader("generate_feedback", "tiny", *options)
    call = [sys.executable, "-m", "grading", "feedback", "tiny", "--jobs=2", *options, *made.places()]
    return ready.run(call, env=made.environment())


def by_hand(made: Course, learner: str, sql: str) -> None:
    with contextlib.closing(sqlite3.connect(made.folder / "gradebook.db")) as database:
        assert database.execute(sql, (learner,)).rowcount == 1
        database.commit()


GRADE = (
    "update grade set manual_score = {} where cell_id in (select id from base_cell where name = 'test_matmul') and "
    "notebook_id in (select submitted_notebook.id from submitted_notebook join submitted_assignment on "
    "submitted_notebook.assignment_id = submitted_assignment.id where student_id = ?)"
)
PENALTY = (
    "update submitted_notebook set late_submission_penalty = 7 where assignment_id in (select id from "
    "submitted_assignment where student_id = ?)"
)


def test_pages_are_made_and_renewed_when_something_has_changed(graded):
    done = run(graded)
    assert done.returncode == 0, done.stderr
    assert "3 learners: 3 made, 0 unchanged" in done.stderr and "WARNING" not in done.stderr
    for learner in LEARNERS:
        assert page(graded, learner).is_file() and "Look at this first" in words(graded, learner)
    before = {learner: page(graded, learner).stat().st_mtime_ns for learner in LEARNERS}
    assert "3 learners: 0 made, 3 unchanged" in run(graded).stderr
    assert before == {learner: page(graded, learner).stat().st_mtime_ns for learner in LEARNERS}

    by_hand(graded, ODD, GRADE.format(2))
    by_hand(graded, "ada", PENALTY)
    assert "3 learners: 2 made, 1 unchanged" in run(graded).stderr
    assert "matmul 2 of 5" in words(graded, ODD) or "2 of 5" in words(graded, ODD)
    assert "Handed in late: 7 points less" in words(graded, "ada") and "Score: 43 of 100" in words(graded, "ada")

    graded.hand_in("bob", submission("all", 5))
    graded.grade_class()
    assert "3 learners: 1 made, 2 unchanged" in run(graded).stderr
    assert "Score: 86 of 100" in words(graded, "bob")
    assert not list(graded.folder.glob("feedback/*/*/.*"))


def test_a_page_says_first_what_counts_and_what_to_look_at(graded):
    graded.hand_in("bob", submission("wrong", 6))
    graded.grade_class()
    run(graded)
    text = page(graded, "bob").read_text()
    first = text[text.index('<div id="first-screen">') : text.index("</table>")]
    assert "Test cell" not in first and '<a href="#test_tensor">Tensor</a>' in first
    shown = " ".join(html.unescape(re.sub("<[^>]*>", " ", first)).split())
    assert "No response" not in shown
    assert "Look at this first: Tensor , “The gradients of" in shown, shown
    assert "test_tensor" in re.findall(r'name="([^"]+)"', text)


def test_nbgraders_own_command_renews_pages_too(graded):
    run(graded)
    before = {learner: page(graded, learner).stat().st_mtime_ns for learner in LEARNERS}
    by_hand(graded, ODD, GRADE.format(4))
    with contextlib.closing(Gradebook(graded.db, "minitorch")) as book:
        comment = book.find_comment("tensor", "tiny", "tiny", "ada")
        comment.manual_comment = "See <b>me</b> =1+1"
        book.db.commit()
    done = run(graded, command="nbgrader")
    assert done.returncode == 0, done.stderr
    changed = [learner for learner in LEARNERS if page(graded, learner).stat().st_mtime_ns != before[learner]]
    assert changed == ["ada", ODD] and "4 of 5" in words(graded, ODD)
    assert "A comment on your answer tensor" in words(graded, "ada")


@pytest.mark.parametrize("command", ["nbgrader", "grading"])
def test_one_learner_can_be_asked_for_whatever_the_id(graded, command):
    page(graded, ODD).unlink(missing_ok=True)
    page(graded, "ada").unlink(missing_ok=True)
    done = run(graded, f"--student={ODD}", command=command)
    assert done.returncode == 0, done.stderr
    assert page(graded, ODD).is_file() and not page(graded, "ada").exists()
    run(graded, command=command)


def test_one_page_that_cannot_be_made_harms_no_other(graded):
    path = graded.folder / "autograded" / "ada" / "tiny" / "tiny.ipynb"
    content = path.read_bytes()
    path.chmod(0o644)
    path.write_text("{")
    try:
        page(graded, "bob").unlink()
        done = run(graded)
        assert done.returncode == 1 and "ada: no page could be made: " in done.stderr, done.stderr
        assert "Traceback" not in done.stderr and "1 made, 1 unchanged, 1 failed" in done.stderr
        assert page(graded, "bob").is_file()
    finally:
        path.write_bytes(content)


def test_pages_are_made_anew_when_what_they_are_made_with_has_changed():
    names = {path.name for path in feedback.DECIDING}
    assert names >= {"feedback.py", "first_screen.py", "index.html.j2", "conf.json"}


def test_an_unknown_assignment_or_gradebook_gets_a_sentence(graded):
    call = [sys.executable, "-m", "grading", "feedback", "nosuch", *graded.places()]
    done = ready.run(call, env=graded.environment())
    assert done.returncode == 1 and "Traceback" not in done.stderr and "No notebooks were matched" in done.stderr
    places = [
        each if not each.startswith("--db") else f"--db=sqlite:///{graded.folder}/none.db" for each in graded.places()
    ]
    done = ready.run([*call[:4], "tiny", *places], env=graded.environment())
    assert done.returncode == 1 and "There is no gradebook" in done.stderr and "Traceback" not in done.stderr
