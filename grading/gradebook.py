"""Writes into nbgrader's gradebook, with its own API and preprocessors: many submissions in one transaction."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbgrader.api
import nbgrader.converters.autograde
import nbgrader.preprocessors.latesubmissions
import nbgrader.preprocessors.overwritecells
import nbgrader.preprocessors.overwritekernelspec
import nbgrader.preprocessors.saveautogrades
from nbgrader.api import (
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    MissingEntry,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Query

COURSE = "minitorch"  # nbgrader's course_id
# Where nbgrader opens a gradebook while it autogrades.
OPENING = (
    nbgrader.converters.autograde,
    nbgrader.preprocessors.overwritecells,
    nbgrader.preprocessors.overwritekernelspec,
    nbgrader.preprocessors.saveautogrades,
    nbgrader.preprocessors.latesubmissions,
)
WAIT_SECONDS = 600.0  # for a gradebook that another program has locked
Scores = dict[str, dict[str, float | None]]  # learner to cell to points


class GradebookError(Exception):
    """The gradebook cannot be used; the message says why, and what to do."""


class NoGradebook(GradebookError):
    """There is none."""


class QuickGradebook(Gradebook):
    """A gradebook that asks once for all grades, or comments, of a notebook that was handed in."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._found: dict[Any, dict[str, Any]] = {}

    def find_grade(self, grade_cell: str, notebook: str, assignment: str, student: str) -> Grade:
        return self._in(Grade, grade_cell, notebook, assignment, student)

    def find_comment(self, solution_cell: str, notebook: str, assignment: str, student: str) -> Comment:
        return self._in(Comment, solution_cell, notebook, assignment, student)

    def _in(self, kind: type, cell: str, notebook: str, assignment: str, student: str) -> Any:
        """What belongs to a cell of a submitted notebook; nbgrader asks the database for each, joining seven tables."""
        place = (kind, notebook, assignment, student)
        if place not in self._found:
            submitted = self.find_submission_notebook(notebook, assignment, student)
            rows = self.db.query(BaseCell.name, kind).join(kind, kind.cell_id == BaseCell.id)
            self._found[place] = dict(tuple(row) for row in rows.filter(kind.notebook_id == submitted.id))
        try:
            return self._found[place][cell]
        except KeyError:
            raise MissingEntry(f"No such cell: {assignment}/{notebook}/{cell} for {student}") from None


class OpenGradebook(QuickGradebook):
    """A gradebook in one transaction: what nbgrader opens, commits and closes inside it is done at its end, or not."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.db.commit = lambda: None

    def close(self) -> None:
        """Not yet."""

    def finish(self, commit: bool) -> None:
        try:
            if commit:
                self.db().commit()
        finally:
            super().close()


@contextlib.contextmanager
def opened(db_url: str, course_id: str = COURSE) -> Iterator[Gradebook]:
    """A gradebook, to be read.

    Raises:
        GradebookError: when it is not there (`NoGradebook`), or cannot be read.
    """
    is_there(db_url)
    try:
        with Gradebook(db_url, course_id) as book:
            yield book
    except SQLAlchemyError as error:
        raise _unusable(db_url, error) from error


@contextlib.contextmanager
def transaction(db_url: str, course_id: str) -> Iterator[OpenGradebook]:
    """Inside, all of nbgrader works on one open gradebook; when it ends well, all is written at once."""
    is_there(db_url)
    gradebook = OpenGradebook(db_url, course_id)
    before = [module.Gradebook for module in OPENING]
    for module in OPENING:
        module.Gradebook = lambda *_: gradebook
    try:
        try:
            yield gradebook
        except BaseException:
            gradebook.finish(commit=False)
            raise
        gradebook.finish(commit=True)
    except DBAPIError:
        is_there(db_url)  # or it was deleted in the meantime
        raise
    finally:
        for module, opens in zip(OPENING, before, strict=True):
            module.Gradebook = opens


def is_there(db_url: str) -> None:
    """Not to make an empty gradebook where one was deleted.

    Raises:
        NoGradebook: when it is not there, with what to do.
        GradebookError: when this is no address of one.
    """
    try:
        url = make_url(db_url)
        url.get_dialect().import_dbapi()
    except (SQLAlchemyError, ImportError) as error:
        raise _unusable(db_url, error) from None
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        raise NoGradebook(
            f"There is no gradebook at {url.database}: if it was deleted, put a copy back, or make a new one with "
            "`make release`. Then run the same command again: what was graded is kept."
        )


def _unusable(db_url: str, error: SQLAlchemyError) -> GradebookError:
    return GradebookError(f"{db_url} cannot be opened as a gradebook: {str(error).splitlines()[0]}")


def is_writable(db_url: str) -> None:
    """Not to grade what cannot be written.

    Raises:
        GradebookError: when it is read-only, with what to do.
    """
    url = make_url(db_url)
    if url.get_backend_name() == "sqlite" and url.database:
        place = Path(url.database)
        for each in (place, place.parent):  # where SQLite has a file beside it
            if each.exists() and not os.access(each, os.W_OK):
                raise GradebookError(f"Nothing was graded: {each} is read-only, so no points can be written.")


def patiently(write: Callable[[], Any], say: Callable[[str], None]) -> Any:
    """Do something with the gradebook; while another program has it locked, wait, and say so once.

    Raises:
        GradebookError: when it cannot be done.
    """
    ends, said = time.monotonic() + WAIT_SECONDS, False
    while True:
        try:
            return write()
        except DBAPIError as error:
            told = str(error.orig).strip().split("\n")[0]
            away = isinstance(error, OperationalError) and ("locked" in told or error.connection_invalidated)
            if not away or time.monotonic() > ends:
                raise GradebookError(
                    f"The gradebook cannot be written: {told}. What was graded is kept: when that is mended, run the "
                    "same command again."
                ) from error
        if not said:
            say(f"The gradebook is in use by another program ({told}): waiting for it ...")
            said = True
        time.sleep(0.5)


def of_cells(book: Gradebook, assignment: str, kind: type[Grade] | type[Comment], *columns: Any) -> Query:
    """What belongs to cells that were handed in, a row each: learner, notebook, cell, and these columns of `kind`.

    Raises:
        MissingEntry: when the gradebook does not know the assignment.
    """
    return (
        book.db.query(SubmittedAssignment.student_id, Notebook.name, BaseCell.name, *columns)
        .select_from(kind)
        .join(BaseCell, BaseCell.id == kind.cell_id)
        .join(SubmittedNotebook, SubmittedNotebook.id == kind.notebook_id)
        .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .filter(SubmittedAssignment.assignment_id == book.find_assignment(assignment).id)
    )


def penalties(book: Gradebook, assignment: str) -> Query:
    """Of all notebooks that were handed in, a row each: learner, notebook, penalty or None."""
    return (
        book.db.query(SubmittedAssignment.student_id, Notebook.name, SubmittedNotebook.late_submission_penalty)
        .select_from(SubmittedNotebook)
        .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .filter(SubmittedAssignment.assignment_id == book.find_assignment(assignment).id)
    )


def by_hand(gradebook: Gradebook, assignment: str, learners: list[str]) -> dict[str, dict[str, bool]]:
    """The cells for which a person gave points or extra credit, by learner, and whether a person is to look at each."""
    found: dict[str, dict[str, bool]] = {}
    rows = (
        of_cells(gradebook, assignment, Grade, Grade.needs_manual_grade)
        .filter(SubmittedAssignment.student_id.in_(learners))
        .filter((Grade.manual_score.isnot(None)) | (Grade.extra_credit.isnot(None) & (Grade.extra_credit != 0)))
    )
    for learner, notebook, cell, needs in rows:
        found.setdefault(learner, {})[f"{notebook}/{cell}"] = bool(needs)
    return found


def shown(gradebook: Gradebook, assignment: str) -> dict[str, list[Any]]:
    """All that a feedback page shows of the gradebook, by learner: points, comments and penalties."""
    found: dict[str, list[Any]] = {}
    kinds = [
        (Grade, (Grade.auto_score, Grade.manual_score, Grade.extra_credit)),
        (Comment, (Comment.auto_comment, Comment.manual_comment)),
    ]
    for kind, columns in kinds:
        for learner, *rest in of_cells(gradebook, assignment, kind, *columns):
            found.setdefault(learner, []).append([kind.__name__, *rest])
    for learner, *rest in penalties(gradebook, assignment):
        found.setdefault(learner, []).append(["penalty", *rest])
    return {learner: sorted(each, key=repr) for learner, each in found.items()}


def scores(gradebook: Gradebook, assignment: str, learners: list[str] | None = None) -> Scores:
    """What autograding gave some learners or all, in one query."""
    found: Scores = {}
    rows = of_cells(gradebook, assignment, Grade, Grade.auto_score)
    if learners is not None:
        rows = rows.filter(SubmittedAssignment.student_id.in_(learners))
    for learner, notebook, cell, points in rows:
        found.setdefault(learner, {})[f"{notebook}/{cell}"] = points
    return found
