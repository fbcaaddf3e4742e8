"""Every graded hand-in of a class: its points, and what the reports in its graded notebook say.

What is graded now stands in autograded/, whichever command has graded it; what was graded before in the journal.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from checks.reading import Unusable
from checks.report import MIME, WORDS
from grading import submissions
from grading.journal import Journal
from grading.worker import Graded

MOST_CHECKS = 500  # of a section
BEGINS = f'"{MIME}": '
GRADED = re.compile(r'"grade": true,\s*"grade_id": "([^"\\]+)"')
DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Check:
    """What a report says of one check.

    Attributes:
        id, title: of the check.
        status: "passed", "failed", "waiting", "missing" or "broken".
        points, score: what it gives, and gave.
        mistake: the id of the known mistake that explains it; None without one.
        hints: of that mistake, or of the check.
        expected, got, snippet: what was observed, as text.
    """

    id: str
    title: str
    status: str
    points: float
    score: float
    mistake: str | None = None
    hints: tuple[str, ...] = ()
    expected: str = ""
    got: str = ""
    snippet: str = ""


Reports = dict[str, tuple[Check, ...]]  # by the name of the graded cell, in the notebook's order


@dataclass
class Attempt:
    """One hand-in of a learner.

    Attributes:
        at: when it was graded, in ISO 8601; empty if that is not known.
        total: the points that the tests gave.
        points: by cell.
        why: why it was graded, in words.
        result: its key in the journal; empty if it is not there.
        reports: None where they cannot be read any more.
        mistakes: ids of the named mistakes, by cell, as the log has noted them.
    """

    at: str
    total: float
    points: dict[str, float | None]
    why: list[str] = field(default_factory=list)
    result: str = ""
    reports: Reports | None = None
    mistakes: dict[str, list[str]] = field(default_factory=dict)


def reports(data: bytes) -> Reports:
    """The reports of a graded notebook, in JSON; cells whose test said nothing that can be read are left out.

    A notebook has hundreds of kilobytes, of which reports are a tenth: they are looked for in its text. What is looked
    for fits into no text of JSON, where quotes are escaped; and what learners name as they like holds something else.
    """
    text, found, place = data.decode("utf-8", "replace"), {}, 0
    while (place := text.find(BEGINS, place)) >= 0:
        place += len(BEGINS)
        mark = next(reversed([*GRADED.finditer(text, max(0, text.rfind('"grade_id"', 0, place) - 100), place)]), None)
        try:
            said, place = DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            continue
        if mark and (checks := _checks(said)):
            found[mark[1]] = checks
    return found


def _checks(said: Any) -> tuple[Check, ...]:
    """The checks of a report, as far as it has the form of one."""
    checks = said.get("checks") if isinstance(said, dict) else None
    if not isinstance(checks, list):
        return ()
    made = []
    for each in checks[:MOST_CHECKS]:
        try:
            text = {name: str(each.get(name) or "") for name in ("expected", "got", "snippet")}
            hints = tuple(map(str, each.get("hints") or ()))
            mistake = str(each["mistake"]) if each.get("mistake") else None
            points, score = float(each["points"]), float(each["score"])
            check = Check(
                str(each["id"]), str(each["title"]), str(each["status"]), points, score, mistake, hints, **text
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
        if check.status in WORDS:
            made.append(check)
    return tuple(made)


def named(found: Reports) -> dict[str, list[str]]:
    """Ids of the named mistakes that reports speak of, by cell, each once."""
    ids = {cell: dict.fromkeys(check.mistake for check in checks if check.mistake) for cell, checks in found.items()}
    return {cell: list(some) for cell, some in ids.items() if some}


def of_result(graded: Graded) -> Reports:
    """What the graded notebooks of a result say."""
    return of_notebooks(map(gzip.decompress, graded.notebooks.values()))


def of_notebooks(graded: Iterable[bytes]) -> Reports:
    """What graded notebooks say, in JSON."""
    found: Reports = {}
    for data in graded:
        found |= reports(data)
    return found


def now(autograded: Path, assignment: str, learners: Sequence[str], names: Sequence[str]) -> dict[str, Reports]:
    """What the graded notebooks of learners say; of those that have none, nothing."""
    found = {}
    for learner in _bar(learners, "reading"):
        made: Reports = {}
        for name in names:
            try:
                made |= reports(submissions.read_file(autograded / learner / assignment / f"{name}.ipynb"))
            except Unusable:
                continue
        if made:
            found[learner] = made
    return found


def history(journal: Journal, assignment: str) -> dict[str, list[Attempt]]:
    """The hand-ins of each learner, the oldest first, each as it was graded last; without their reports."""
    found: dict[str, list[tuple[str, Attempt]]] = {}
    for entry in journal.history()[0]:
        if entry.get("assignment") != assignment:
            continue
        attempts = found.setdefault(entry["learner"], [])
        points = {cell.rpartition("/")[2]: value for cell, value in entry["points"].items()}
        made = Attempt(entry["at"], entry["total"], points, entry["why"], entry["result"])
        made.mistakes = entry.get("mistakes", {})
        if attempts and attempts[-1][0] == entry["handed_in"]:
            made.at = attempts[-1][1].at
            attempts[-1] = (entry["handed_in"], made)
        else:
            attempts.append((entry["handed_in"], made))
    return {learner: [attempt for _, attempt in attempts] for learner, attempts in found.items()}


def look_up(journal: Journal, attempts: Sequence[Attempt]) -> None:
    """Have attempts get their reports from the journal."""
    for attempt in _bar(attempts, "reading what was handed in before"):
        graded = journal.get(attempt.result) if attempt.result else None
        if graded is not None:
            attempt.reports = of_result(graded)


def _bar(what: Sequence[Any], does: str) -> Iterator[Any]:
    return iter(tqdm(what, desc=does, unit="hand-in", disable=not sys.stderr.isatty(), leave=False))
