"""The points of a class, read from nbgrader's gradebook."""

from __future__ import annotations

from dataclasses import dataclass

from nbgrader.api import Gradebook, MissingEntry
from sqlalchemy.exc import SQLAlchemyError

from grading import gradebook


@dataclass(frozen=True)
class Results:
    """Points per learner and test cell, in the notebook's order. None: not graded."""

    cells: list[str]
    points: list[float]
    rows: dict[str, list[float | None]]

    def as_text(self) -> str:
        """A table with one line for each learner; the last column is the sum."""
        heads = ["learner", *(cell.removeprefix("test_") for cell in self.cells), "total"]
        body = [[learner, *map(number, row), number(_total(row))] for learner, row in sorted(self.rows.items())]
        body.append(["of", *map(number, self.points), number(sum(self.points))])
        widths = [max(len(line[column]) for line in [heads, *body]) for column in range(len(heads))]

        def line(fields: list[str]) -> str:
            first, *others = fields
            return "  ".join([first.ljust(widths[0]), *(f.rjust(w) for f, w in zip(others, widths[1:], strict=True))])

        rule = "  ".join("-" * width for width in widths)
        return "\n".join([line(heads), rule, *map(line, body[:-1]), rule, line(body[-1])])


def number(points: float | None) -> str:
    """As it is shown; "-" where nothing was graded."""
    return "-" if points is None else f"{points:g}"


def _total(row: list[float | None]) -> float | None:
    graded = [points for points in row if points is not None]
    return sum(graded) if graded else None


def read(db_url: str, assignment: str, course_id: str = "minitorch") -> Results:
    """The results of an assignment.

    Raises:
        LookupError: when there is no such gradebook or assignment, with what to do.
    """
    try:
        gradebook.is_there(db_url)
        opened = Gradebook(db_url, course_id)
    except gradebook.GradebookError as error:
        raise LookupError(str(error)) from None
    except SQLAlchemyError as error:
        raise LookupError(f"{db_url} cannot be opened as a gradebook: {str(error).splitlines()[0]}") from None
    with opened as book:
        try:
            notebooks = book.find_assignment(assignment).notebooks
        except MissingEntry:
            raise LookupError(f"{db_url} holds no assignment {assignment!r}: run `make release` first") from None
        cells = [cell for notebook in notebooks for cell in notebook.grade_cells]
        rows = {}
        for submission in book.assignment_submissions(assignment):
            points = {
                grade.name: grade.score
                for notebook in submission.notebooks
                for grade in notebook.grades
                if grade.auto_score is not None or grade.manual_score is not None
            }
            rows[submission.student_id] = [points.get(cell.name) for cell in cells]
        return Results([cell.name for cell in cells], [cell.max_score for cell in cells], rows)
