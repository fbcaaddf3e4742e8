"""The points of a class, as nbgrader has them and counts them, and what there is to know of each learner."""

from __future__ import annotations

import datetime
import glob
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from nbgrader.api import Assignment, Grade, Gradebook, MissingEntry, Student

from grading import assignments, gradebook, tables
from grading.journal import Journal
from grading.plan import handed_in
from grading.submissions import ABOUT, Unusable, read_file
from grading.tables import number

FORMATS = ("text", "markdown", "csv", "json")


@dataclass(frozen=True)
class Cell:
    """A cell that gives points.

    Attributes:
        name: its grade_id.
        points: that it gives at most; extra credit comes on top.
        title: of the section that it tests, as reports name it; the name where there is none.
        notebook: that it belongs to.
    """

    name: str
    points: float
    title: str
    notebook: str

    @property
    def short(self) -> str:
        return self.name.removeprefix("test_")


@dataclass(frozen=True)
class Mark:
    """What a learner has for one cell.

    Attributes:
        auto: points by the tests; None: not graded, or a person's to grade.
        manual: points given by hand, which count in place of them.
        extra: extra credit, given by hand.
        needs_person: whether a person has to look at it, for nbgrader: nobody has graded it, or its mark by hand is
            older than what was graded last.
    """

    auto: float | None = None
    manual: float | None = None
    extra: float = 0.0
    needs_person: bool = False

    @property
    def points(self) -> float | None:
        """Without extra credit; None: not graded."""
        return self.auto if self.manual is None else self.manual

    @property
    def by_hand(self) -> bool:
        return self.manual is not None or bool(self.extra)

    @property
    def stale(self) -> bool:
        """Whether the points given by hand are older than what was graded last."""
        return self.by_hand and self.needs_person

    @property
    def waits(self) -> bool:
        """Whether a person has to give points."""
        return self.needs_person and not self.by_hand


@dataclass(frozen=True)
class Learner:
    """A line of the table.

    Attributes:
        id: as nbgrader knows the learner.
        name: first and last name, as far as the gradebook has them; empty if not at all.
        first_name, last_name, email, lms_id: as the gradebook has them.
        marks: by the cell's name.
        raw: nbgrader's score, before the penalty.
        penalty: for lateness.
        total: what nbgrader counts and exports: never below 0, and 0 where nothing was handed in.
        at: when the work that was graded was handed in (UTC); None: not known.
        seconds_late: after the due date with its extension; 0 if in time, or not known.
        late_for: the platform that says that it is late, where no time is known.
        state: "graded", "not graded" (handed in, but without points so far) or "nothing" (handed in nothing).
        changed: whether something else was handed in since it was graded.
        stale: names of cells with points by hand that are older than what was graded last.
        same_work: those of them that were given for the same work, which was graded again since.
        waits: names of cells that a person has to grade.
    """

    id: str
    name: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_id: str = ""
    marks: dict[str, Mark] = field(default_factory=dict)
    raw: float = 0.0
    penalty: float = 0.0
    total: float = 0.0
    at: datetime.datetime | None = None
    seconds_late: float = 0.0
    late_for: str = ""
    state: str = "nothing"
    changed: bool = False
    stale: tuple[str, ...] = ()
    same_work: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()

    @property
    def points(self) -> dict[str, float | None]:
        """By the cell's name; None: not graded."""
        return {name: mark.points for name, mark in self.marks.items()}

    @property
    def extra(self) -> float:
        """All extra credit."""
        return sum(mark.extra for mark in self.marks.values())

    @property
    def status(self) -> list[str]:
        """What there is to know, in words."""
        if self.state == "nothing":
            return ["handed in nothing"]
        said = [] if self.state == "graded" else ["not graded yet"]
        if self.changed:
            said.append("handed in anew, not graded yet")
        if older := [name for name in self.stale if name not in self.same_work]:
            said.append(f"mark by hand is for older work: {_shorts(older)}")
        if self.same_work:
            said.append(f"mark by hand, then graded again: {_shorts(self.same_work)}")
        if self.waits and self.state == "graded":
            said.append(f"waits for a person: {_shorts(self.waits)}")
        if self.seconds_late:
            said.append(f"late by {duration(self.seconds_late)}")
        elif self.late_for:
            said.append(f"late, says {self.late_for}")
        return said


@dataclass(frozen=True)
class Results:
    """Points of a class.

    Attributes:
        assignment: its name.
        cells: in the notebook's order.
        learners: all that the gradebook or the folder of submissions knows, by id.
        due: the due date (UTC), without extensions; None: there is none.
    """

    assignment: str
    cells: list[Cell]
    learners: list[Learner]
    due: datetime.datetime | None = None

    @property
    def points(self) -> float:
        return sum(cell.points for cell in self.cells)

    def text(self, form: str = "text") -> str:
        """In one of FORMATS."""
        made: dict[str, Callable[[], str]] = {
            "text": self.as_text,
            "markdown": self.as_markdown,
            "csv": self.as_csv,
            "json": self.as_json,
        }
        return made[form]()

    def as_text(self) -> str:
        """A table with one line for each learner."""
        heads, body, last, left = self._table()
        return "\n".join([tables.as_text(heads, body, last, left), *self._legend()])

    def as_markdown(self) -> str:
        heads, body, last, left = self._table()
        return "\n".join([tables.as_markdown(heads, [*body, last], left), *(f"\n{line}" for line in self._legend())])

    def _table(self) -> tuple[list[str], list[list[str]], list[str], int]:
        """Its heads, its lines, the last one, and where columns of words begin."""
        learners = self.learners
        # Columns that would be empty are left out.
        named, extra = any(one.name for one in learners), any(one.extra for one in learners)
        penalty, words = any(one.penalty for one in learners), any(one.status for one in learners)
        heads = ["learner", *(cell.short for cell in self.cells)]
        heads += ["extra"] * extra + ["penalty"] * penalty + ["total"]
        left = len(heads)
        heads += ["name"] * named + ["status"] * words
        body = []
        for one in learners:
            marks = [one.marks.get(cell.name, Mark()) for cell in self.cells]
            line = [one.id, *(number(mark.points) + "*" * (mark.manual is not None) for mark in marks)]
            line += [number(one.extra) if one.extra else ""] * extra
            line += [number(-one.penalty) if one.penalty else ""] * penalty
            line += ["-" if one.state == "not graded" else number(one.total)]
            body.append([*line, *[one.name] * named, *["; ".join(one.status)] * words])
        last = ["of", *(number(cell.points) for cell in self.cells), *[""] * (extra + penalty), number(self.points)]
        return heads, body, [*last, *[""] * (named + words)], left

    def _legend(self) -> list[str]:
        by_hand = any(mark.manual is not None for one in self.learners for mark in one.marks.values())
        return ["* given by hand"] if by_hand else []

    def as_csv(self) -> str:
        """One line for each learner; the total is empty where something waits to be graded at all."""
        heads = ["learner", "first name", "last name", "email", *(cell.name for cell in self.cells)]
        heads += ["extra credit", "penalty", "total", "of", "handed in (UTC)", "seconds late", "by hand", "status"]
        rows = []
        for one in self.learners:
            points = [one.marks.get(cell.name, Mark()).points for cell in self.cells]
            by_hand = " ".join(name for name, mark in one.marks.items() if mark.by_hand)
            rows.append(
                [
                    *(one.id, one.first_name, one.last_name, one.email, *points, one.extra, one.penalty),
                    *(None if one.state == "not graded" else one.total, self.points),
                    *(one.at.isoformat(" ", "seconds") if one.at else "", one.seconds_late, by_hand),
                    "; ".join(one.status),
                ]
            )
        return tables.as_csv(heads, rows)

    def as_json(self) -> str:
        said: dict[str, Any] = {
            "assignment": self.assignment,
            "points": self.points,
            "due": self.due.isoformat() if self.due else None,
            "cells": [asdict(cell) for cell in self.cells],
        }
        learners = []
        for one in self.learners:
            about = asdict(one) | {"at": one.at.isoformat() if one.at else None, "status": one.status}
            about["marks"] = {
                name: asdict(mark) | {"points": mark.points, "stale": mark.stale} for name, mark in one.marks.items()
            }
            learners.append(about)
        return json.dumps({**said, "learners": learners}, indent=2)


def duration(seconds: float) -> str:
    """Some time in words: its largest unit, and the next one."""
    left, said = int(seconds), []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        many, left = divmod(left, size)
        if many or said:
            said.append(f"{many} {unit}" * bool(many))
    return " ".join(filter(None, said[:2])) or "less than 1 s"


def _shorts(names: Iterable[str]) -> str:
    return ", ".join(name.removeprefix("test_") for name in names)


def read(
    db_url: str,
    assignment: str,
    course_id: str = gradebook.COURSE,
    submitted: Path | None = None,
    journal: Path | None = None,
) -> Results:
    """The results of an assignment.

    Args:
        db_url: the gradebook, as nbgrader names it.
        assignment: its name.
        course_id: nbgrader's.
        submitted: the folder with what was handed in. Without it, nothing is known of work that is not graded.
        journal: the folder of the journal, which knows what was graded.

    Raises:
        LookupError: when there is no such gradebook or assignment, with what to do.
    """
    try:
        with gradebook.opened(db_url, course_id) as book:
            found = book.find_assignment(assignment)
            cells = _cells(found)
            learners = _learners(book, found, [cell.name for cell in cells])
            due = found.duedate
    except gradebook.GradebookError as error:
        raise LookupError(str(error)) from None
    except MissingEntry:
        raise LookupError(f"{db_url} holds no assignment {assignment!r}: run `make release` first") from None
    if submitted is not None:
        learners = _with_what_was_handed_in(learners, assignment, submitted, Journal(journal) if journal else None)
    return Results(assignment, cells, sorted(learners.values(), key=lambda one: one.id), due)


def _cells(assignment: Assignment) -> list[Cell]:
    """The cells that give points, in the order in which the source has them."""
    made = []
    titles = assignments.titles(assignment.name)
    order = {name: place for place, name in enumerate(titles)}
    for notebook in sorted(assignment.notebooks, key=lambda each: each.name):
        cells = [*notebook.grade_cells, *notebook.task_cells]
        for cell in sorted(cells, key=lambda cell: order.get((notebook.name, cell.name), len(order))):
            title = titles.get((notebook.name, cell.name)) or cell.name.removeprefix("test_")
            made.append(Cell(cell.name, cell.max_score, title, notebook.name))
    return made


def _learners(book: Gradebook, assignment: Assignment, names: list[str]) -> dict[str, Learner]:
    """All students of the gradebook, in two queries: nbgrader's own objects ask for each grade."""
    marks: dict[str, dict[str, Mark]] = {}
    score: dict[str, float] = {}
    columns = (Grade.auto_score, Grade.manual_score, Grade.extra_credit, Grade.needs_manual_grade, Grade.score)
    rows = gradebook.of_cells(book, assignment.name, Grade, *columns)
    for student, _, name, auto, manual, extra, needs, counted in rows:
        marks.setdefault(student, {})[name] = Mark(auto, manual, extra or 0.0, bool(needs))
        score[student] = score.get(student, 0.0) + counted
    submitted = {each.student_id: each for each in assignment.submissions}
    penalties: dict[str, float] = {}
    for student, _, penalty in gradebook.penalties(book, assignment.name):
        penalties[student] = penalties.get(student, 0.0) + (penalty or 0.0)
    found = {}
    for student in book.db.query(Student):
        known = {name: marks[student.id][name] for name in names if name in marks.get(student.id, {})}
        raw, penalty = score.get(student.id, 0.0), penalties.get(student.id, 0.0)
        handed = submitted.get(student.id)
        state = "nothing"
        if handed is not None:
            state = "graded" if any(mark.points is not None for mark in known.values()) else "not graded"
        found[student.id] = Learner(
            id=student.id,
            name=" ".join(filter(None, (student.first_name, student.last_name))),
            first_name=student.first_name or "",
            last_name=student.last_name or "",
            email=student.email or "",
            lms_id=student.lms_user_id or "",
            marks=known,
            raw=raw,
            penalty=penalty,
            total=max(0.0, raw - penalty),
            at=handed and handed.timestamp,
            seconds_late=handed.total_seconds_late if handed is not None else 0.0,
            state=state,
            stale=tuple(name for name, mark in known.items() if mark.stale),
            waits=tuple(name for name, mark in known.items() if mark.waits),
        )
    return found


def _with_what_was_handed_in(
    known: dict[str, Learner], assignment: str, submitted: Path, journal: Journal | None
) -> dict[str, Learner]:
    """What is known, with what lies in the folder of submissions and is not, or no more, what was graded."""
    last = journal.last(assignment) if journal is not None else {}
    names = sorted(path.stem for path in (assignments.SOURCE / assignment).glob("*.ipynb"))
    found = dict(known)
    for place in sorted(submitted.glob(f"*/{glob.escape(assignment)}")):
        id = place.parent.name
        if id.startswith(".") or not id.isprintable() or not place.is_dir():  # as when it is graded
            continue
        one = found.get(id, Learner(id))
        if one.state == "nothing":
            one = replace(one, state="not graded")
        elif one.state == "graded" and id in last:
            one = replace(one, changed=handed_in(place, names, submitted) != last[id]["handed_in"])
        found[id] = replace(one, late_for="" if one.at else _late_for(place))
    for id, entry in last.items():
        given = {cell.rpartition("/")[2]: work for cell, work in entry.get("by_hand", {}).items()}
        if id in found and given:
            same = [name for name in found[id].stale if given.get(name) == entry["handed_in"]]
            found[id] = replace(found[id], same_work=tuple(same))
    return found


def _late_for(place: Path) -> str:
    """The platform that said, when this was collected, that it is late."""
    try:
        said = json.loads(read_file(place / ABOUT, 10_000))
        return str(said["platform"]) if said["late"] else ""
    except (Unusable, ValueError, TypeError, KeyError):
        return ""
