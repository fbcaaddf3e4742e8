"""`dates.toml`: due dates, extensions, and what lateness costs, for all assignments of a course in one place.

    timezone = "Europe/Berlin"           # of dates that name none; without it UTC

    [my_course]
    due = 2026-01-31                     # until the end of that day; or 2026-01-31T18:00:00
    late_days = 1                        # days that cost nobody anything
    per_day = "10%"                      # of what was earned, for each day begun after them; or points: 5
    most = "50%"                         # at most so much
    nothing_after = 7                    # days late, after which nothing is earned

    [my_course.extensions]
    ada = "3 days"
    grace = 2026-02-14

Where it gives a due date, the gradebook's due date and extensions are those of this file, and where it says what
lateness costs, so are the penalties. It is read when something is autograded, and by `python -m grading dates`.
"""

from __future__ import annotations

import datetime
import functools
import math
import re
import tomllib
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dateutil.parser
import dateutil.tz
from nbgrader.api import Gradebook, Student, SubmittedAssignment
from nbgrader.utils import parse_utc

from grading.submissions import Unusable, read_file

NAME = "dates.toml"
LARGEST = 10 << 20  # bytes
DAY = 86400.0
MOST_DAYS = 10_000
KNOWN = ("due", "late_days", "per_day", "most", "nothing_after", "extensions")
SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(minute|hour|day|week)s?")
ZONE = re.compile("[A-Z]{1,5}")  # the name of a time zone
UNITS = {"minute": 60.0, "hour": 3600.0, "day": DAY, "week": 7 * DAY}


class Unclear(Exception):
    """A date is not the same for everybody; the message says why, to the learner."""


class DatesError(Exception):
    """The file cannot be used; the message says where, and what to do."""


@dataclass(frozen=True)
class Amount:
    """A number of points, or a part of what was earned."""

    number: float
    is_part: bool

    def of(self, earned: float) -> float:
        return earned * self.number / 100 if self.is_part else self.number


@dataclass(frozen=True)
class Dates:
    """What the file says of one assignment.

    Attributes:
        due: with its time zone; None: the gradebook's counts, with its extensions.
        extensions: by learner: how much later.
        late_days: that cost nothing.
        per_day: what each day begun costs; None, with `nothing_after`: nbgrader's own rule decides.
        most: that lateness costs, before `nothing_after`.
        nothing_after: days late, after which nothing is earned.
    """

    due: datetime.datetime | None = None
    extensions: Mapping[str, datetime.timedelta] = field(default_factory=dict)
    late_days: float = 0.0
    per_day: Amount | None = None
    most: Amount | None = None
    nothing_after: float | None = None

    @property
    def has_penalties(self) -> bool:
        return self.per_day is not None or self.nothing_after is not None

    @property
    def due_utc(self) -> datetime.datetime | None:
        """As nbgrader keeps it: in UTC, without a time zone."""
        return None if self.due is None else self.due.astimezone(datetime.UTC).replace(tzinfo=None)

    def penalty(self, earned: float, seconds_late: float) -> float:
        """What lateness costs of some points."""
        days = math.ceil(seconds_late / DAY)
        if seconds_late <= 0 or earned <= 0:
            return 0.0
        if self.nothing_after is not None and seconds_late > self.nothing_after * DAY:
            return earned
        if self.per_day is None:
            return 0.0
        cost = self.per_day.of(earned) * max(0.0, math.ceil(days - self.late_days))
        if self.most is not None:
            cost = min(cost, self.most.of(earned))
        return min(cost, earned)


@dataclass(frozen=True)
class Calendar:
    """All that the file says."""

    zone: datetime.tzinfo = datetime.UTC
    assignments: Mapping[str, Dates] = field(default_factory=dict)


def read(path: Path) -> Calendar:
    """The file; empty where there is none.

    Raises:
        DatesError: when it, or a date in it, cannot be read.
    """
    if not path.exists():
        return Calendar()
    try:
        document = tomllib.loads(read_file(path.resolve(), LARGEST).decode("utf-8-sig"))
    except (ValueError, Unusable) as error:  # no TOML, no UTF-8
        raise DatesError(f"{path.name} cannot be read: {str(error).rstrip('.')}.") from None
    name = document.pop("timezone", "UTC")
    try:
        zone = datetime.UTC if name == "UTC" else zoneinfo.ZoneInfo(name)
    except (ValueError, TypeError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise DatesError(
            f"{path.name}: timezone = {name!r} is no known time zone: write a name such as Europe/Berlin."
        ) from None
    found = {}
    for assignment, said in document.items():
        where = f"{path.name}, [{assignment}]"
        if not isinstance(said, dict):
            raise DatesError(
                f"{path.name}: {assignment!r} stands in no assignment's part: write its name above it, as [my_course]."
            )
        found[assignment] = _dates(said, zone, where)
    return Calendar(zone, found)


def _dates(said: dict[str, Any], zone: datetime.tzinfo, where: str) -> Dates:
    unknown = sorted(set(said) - set(KNOWN))
    if unknown:
        raise DatesError(f"{where}: {unknown[0]!r} is not known; known are {', '.join(KNOWN)}.")
    due = _date(said["due"], zone, f"{where}: due") if "due" in said else None
    extensions = said.get("extensions", {})
    if not isinstance(extensions, dict):
        raise DatesError(f"{where}: extensions is no part of its own: write [...extensions] above the learners.")
    if extensions and due is None:
        raise DatesError(f"{where}: there are extensions and no due date: write due = 2026-01-31.")
    return Dates(
        due,
        {learner: _extension(value, due, zone, f"{where}: {learner}") for learner, value in extensions.items()},
        _number(said.get("late_days", 0), f"{where}: late_days"),
        _amount(said["per_day"], f"{where}: per_day") if "per_day" in said else None,
        _amount(said["most"], f"{where}: most") if "most" in said else None,
        _number(said["nothing_after"], f"{where}: nothing_after") if "nothing_after" in said else None,
    )


def _date(value: Any, zone: datetime.tzinfo, where: str) -> datetime.datetime:
    """A date as TOML has it, or as a text."""
    sentence = (
        f"{where} = {_shown(value)} is no date: write 2026-01-31, 2026-01-31T18:00:00 or 2026-01-31T18:00:00+01:00."
    )
    if isinstance(value, str):
        text = value.strip()
        if not re.match(r"\d{4}-\d\d?-\d\d?(\D|$)", text):  # others are read in two ways
            raise DatesError(sentence)
        try:
            value = dateutil.parser.parse(text, yearfirst=True, dayfirst=False)
        except (ValueError, OverflowError):
            raise DatesError(sentence) from None
        if re.fullmatch(r"\d{4}-\d\d?-\d\d?", text):
            value = value.date()
    if isinstance(value, datetime.datetime):
        return zoned(value, zone)
    if isinstance(value, datetime.date):
        return datetime.datetime.combine(value, datetime.time(23, 59, 59), zone)
    raise DatesError(sentence)


def zoned(at: datetime.datetime, zone: datetime.tzinfo) -> datetime.datetime:
    """A time with its time zone; with the course's where it says none."""
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _extension(value: Any, due: datetime.datetime | None, zone: datetime.tzinfo, where: str) -> datetime.timedelta:
    """How much later: in words, in days, or a date."""
    match = SPAN.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if match and (seconds := float(match[1]) * UNITS[match[2]]) < MOST_DAYS * DAY:
        return datetime.timedelta(seconds=seconds)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.timedelta(days=_number(value, where))
    try:
        later = _date(value, zone, where) - due
    except DatesError:
        raise DatesError(
            f'{where} = {_shown(value)} is no extension: write "3 days", or the learner\'s own due date, as 2026-02-14.'
        ) from None
    if later < datetime.timedelta(0):
        raise DatesError(f"{where} = {_shown(value)} is before the due date.")
    return later


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MOST_DAYS:
        raise DatesError(f"{where} = {_shown(value)} is no number of days.")
    return float(value)


def _amount(value: Any, where: str) -> Amount:
    text = value.strip() if isinstance(value, str) else ""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", text)
    if match and float(match[1]) <= 100:
        return Amount(float(match[1]), True)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise DatesError(f'{where} = {_shown(value)} is no amount: write points, as 5, or a part of them, as "10%".')
    return Amount(float(value), False)


def readings(text: str) -> set[datetime.date]:
    """The days that people take a date for: one, unless some begin with the month and some with the day.

    Raises:
        ValueError, OverflowError: for what is no date.
    """
    if re.match(r"\d{4}(\d{4})?(\D|$)", text):  # the year, the month, the day
        return {dateutil.parser.parse(text).date()}
    orders = [(day, year) for day in (False, True) for year in (False, True)]
    return {dateutil.parser.parse(text, dayfirst=day, yearfirst=year).date() for day, year in orders}


def dated(content: bytes) -> str:
    """When something was handed in, as timestamp.txt says it; raises what `readable_date` does."""
    return readable_date(content.decode("utf-8-sig").strip())


def readable_date(text: str) -> str:
    """When something was handed in, as nbgrader reads it rightly.

    Raises:
        Unclear: for a date that others read as another one.
        Exception: for what is no date.
    """
    text = re.sub(r" ([+-]\d\d:?\d\d)$", r"\1", " ".join(text.split()))  # which nbgrader takes for seconds
    *before, zone = text.split(" ")
    # The last of three parts is a time zone for nbgrader, which looks for a file of that name, wherever that leads, and
    # takes one that there is none of, as "PM", for UTC.
    if len(before) == 2 and (not ZONE.fullmatch(zone) or dateutil.tz.gettz(zone) is None):
        raise Unclear(
            f"timestamp.txt holds {text!r}, and {zone!r} is no known time zone: write it as 2026-01-31 22:00:00 UTC, "
            "or 2026-01-31 22:00:00 +0100."
        )
    parse_utc(text)
    written = " ".join(before) if len(before) == 2 else text
    read = functools.partial(dateutil.parser.parse, written)
    if len({read(default=datetime.datetime(year, month, month)).date() for year, month in ((2000, 1), (2001, 2))}) > 1:
        raise ValueError("a part of a date")
    if len(days := readings(written)) > 1:
        first, second, *_ = sorted(days)
        raise Unclear(
            f"timestamp.txt holds {text!r}, which some read as {first} and some as {second}: write one of these."
        )
    return text


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def apply(book: Gradebook, assignment: str, dates: Dates, penalties: bool = True) -> list[str]:
    """Write what the file says of an assignment into an open gradebook; what there is to say, a sentence each.

    Args:
        penalties: whether points are there that lateness costs something of; else dates alone are written.
    """
    found = book.find_assignment(assignment)
    if dates.due is not None:
        found.duedate = dates.due_utc
    for submission in found.submissions:
        if dates.due is not None:
            submission.extension = dates.extensions.get(submission.student_id)
        if not (penalties and dates.has_penalties):
            continue
        late = submission.total_seconds_late
        for notebook in submission.notebooks:
            notebook.late_submission_penalty = (dates.penalty(notebook.score, late) or None) if late else None
    book.db.commit()
    known = {id for (id,) in book.db.query(Student.id)}
    strangers = sorted(set(dates.extensions) - known)
    shown = ", ".join(map(repr, strangers[:5])) + ", ..." * (len(strangers) > 5)
    return [f"{NAME} gives an extension to {shown}: the gradebook knows no such learner."] * bool(strangers)


def as_text(book: Gradebook, assignment: str, dates: Dates) -> str:
    """What holds now: the due date, who has an extension, who is late, and what that costs."""
    from grading.results import duration
    from grading.tables import number

    found = book.find_assignment(assignment)
    there = f"{found.duedate} UTC, as the gradebook has it" if found.duedate else "at no time"
    due = f"{dates.due:%Y-%m-%d %H:%M:%S %Z}" if dates.due else there
    lines = [f"{assignment}: due {due}"]
    lines += [f"extension of {duration(more.total_seconds())}: {learner}" for learner, more in dates.extensions.items()]
    rows = book.db.query(SubmittedAssignment).filter(SubmittedAssignment.assignment_id == found.id)
    unknown = []
    for submission in sorted(rows, key=lambda row: row.student_id):
        if submission.timestamp is None:
            unknown.append(submission.student_id)
        elif submission.total_seconds_late:
            penalty = sum(notebook.late_submission_penalty or 0.0 for notebook in submission.notebooks)
            late = duration(submission.total_seconds_late)
            lines.append(f"late by {late}, which costs {number(penalty)}: {submission.student_id}")
    if unknown:
        many = ", ".join(unknown[:5]) + ", ..." * (len(unknown) > 5)
        lines.append(f"nobody knows when {len(unknown)} handed in: {many}")
    return "\n".join(lines)
