"""`python -m grading history LEARNER`: every graded hand-in of a learner, with points, mistakes, and what has changed.

The log of the course knows when what was graded, with which points and named mistakes, and is only ever added to. What
the checks said and what was written stand in the journal's results, as long as these are kept.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from checks.notebook import grade_id, nbgrader_mark
from checks.observe import printable
from grading import assignments, attempts
from grading.attempts import Attempt
from grading.journal import Journal
from grading.tables import number
from grading.worker import Graded

ROOT = Path(__file__).resolve().parent.parent
MOST_LINES = 400  # of a difference, in a terminal


@dataclass(frozen=True)
class Step:
    """One hand-in, beside the one before.

    Attributes:
        attempt: when it was graded, with which points.
        gained: points by cell that are other ones than before: before, and now.
        mistakes: ids of named mistakes, by cell; solved and new: those of them that were there before, or were not.
        opened: titles of checks that fail, by cell, and have no named mistake; None: not kept.
        changed: for each answer that has changed, how many lines were added and taken away; None: not kept.
        difference: of all answers, as `diff -u` writes it.
    """

    attempt: Attempt
    gained: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)
    mistakes: dict[str, list[str]] = field(default_factory=dict)
    solved: dict[str, list[str]] = field(default_factory=dict)
    new: dict[str, list[str]] = field(default_factory=dict)
    opened: dict[str, list[str]] | None = None
    changed: dict[str, tuple[int, int]] | None = None
    difference: str = ""


def steps(journal: Journal, assignment: str, learner: str) -> list[Step]:
    """The hand-ins of a learner, the oldest first.

    Raises:
        LookupError: when nothing was graded.
    """
    found = attempts.history(journal, assignment).get(learner, [])
    if not found:
        raise LookupError(f"Nothing of {learner!r} was graded for {assignment}, as far as {journal.folder} knows.")
    made: list[Step] = []
    before: Step | None = None
    answers_before: dict[str, str] | None = None
    for attempt in found:
        graded = journal.get(attempt.result) if attempt.result else None
        attempt.reports = None if graded is None else attempts.of_result(graded)
        mistakes = _mistakes(attempt)
        answers = None if graded is None else _answers(graded)
        then = before.mistakes if before else {}
        step = Step(
            attempt,
            _gained(before.attempt.points if before else {}, attempt.points) if before else {},
            mistakes,
            _beside(then, mistakes),
            _beside(mistakes, then) if before else {},
            _opened(attempt),
            *_differences(answers_before, answers),
        )
        made.append(step)
        before, answers_before = step, answers
    return made


def _gained(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[float | None, float | None]]:
    return {cell: (before.get(cell), now.get(cell)) for cell in [*now] if before.get(cell) != now.get(cell)}


def _mistakes(attempt: Attempt) -> dict[str, list[str]]:
    """Ids of named mistakes, by cell: as the reports have them, else as the log has noted them."""
    if attempt.reports is None:
        return {cell: list(ids) for cell, ids in attempt.mistakes.items()}
    return attempts.named(attempt.reports)


def _opened(attempt: Attempt) -> dict[str, list[str]] | None:
    if attempt.reports is None:
        return None
    found = {
        cell: [check.title for check in checks if check.status == "failed" and check.mistake is None]
        for cell, checks in attempt.reports.items()
    }
    return {cell: titles for cell, titles in found.items() if titles}


def _beside(some: Mapping[str, Sequence[str]], others: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """What is among some and not among others."""
    found = {cell: [id for id in ids if id not in others.get(cell, ())] for cell, ids in some.items()}
    return {cell: ids for cell, ids in found.items() if ids}


def _answers(graded: Graded) -> dict[str, str]:
    """What the learner wrote, by the answer's grade_id."""
    found = {}
    for name in graded.notebooks:
        for cell in graded.notebook(name).cells:
            if nbgrader_mark(cell).get("solution"):
                found[grade_id(cell)] = cell.source
    return found


def _differences(
    before: dict[str, str] | None, now: dict[str, str] | None
) -> tuple[dict[str, tuple[int, int]] | None, str]:
    if before is None or now is None:
        return None, ""
    changed, lines = {}, []
    for name, text in now.items():
        old = before.get(name, "")
        if old == text:
            continue
        diff = list(
            difflib.unified_diff(old.split("\n"), text.split("\n"), f"{name}, before", f"{name}, now", lineterm="")
        )
        added = sum(line.startswith("+") for line in diff[2:])
        changed[name] = added, sum(line.startswith("-") for line in diff[2:])
        lines += diff
    return changed, "\n".join(lines)


def as_text(
    learner: str, assignment: str, found: Sequence[Step], words: Callable[[str], str], full: bool = False
) -> str:
    """For a terminal.

    Args:
        words: of a mistake, by its id.
        full: whether differences are shown line by line.
    """
    many = f"{len(found)} graded hand-in{'s' * (len(found) != 1)}"
    lines = [f"{printable(learner, 60)}, {assignment}: {many}; points are those that the tests gave"]
    for place, step in enumerate(found, 1):
        attempt = step.attempt
        lines += ["", f"{place}. graded {attempt.at}: {number(attempt.total)} points ({', '.join(attempt.why)})"]
        if step.gained:
            parts = [f"{_short(cell)} {number(old)} -> {number(new)}" for cell, (old, new) in step.gained.items()]
            lines.append(f"   changed: {', '.join(parts)}")
        elif place == 1:
            parts = [f"{_short(cell)} {number(points)}" for cell, points in attempt.points.items()]
            lines.append(f"   {', '.join(parts)}")
        for head, mistakes in (("solved", step.solved), ("mistake", step.mistakes)):
            for cell, ids in mistakes.items():
                for id in ids:
                    new = " (new)" if id in step.new.get(cell, ()) and head == "mistake" else ""
                    lines.append(f"   {head}{new}, {_short(cell)}: {printable(words(id))}")
        for cell, titles in (step.opened or {}).items():
            shown = "; ".join(printable(title) for title in titles[:3]) + "; ..." * (len(titles) > 3)
            lines.append(f"   fails without a named mistake, {_short(cell)}: {shown}")
        if step.opened is None:
            lines.append("   what the checks said is not kept")
        if step.changed:
            parts = [f"{name} +{added} -{gone}" for name, (added, gone) in step.changed.items()]
            lines.append(f"   lines: {', '.join(parts)}")
        if full and step.difference:
            shown = step.difference.split("\n")
            lines += [f"   {printable(line, 300)}" for line in shown[:MOST_LINES]]
            lines += [f"   ... {len(shown) - MOST_LINES:,} more lines"] * (len(shown) > MOST_LINES)
    return "\n".join(lines)


def _short(cell: str) -> str:
    return cell.removeprefix("test_")


def as_json(learner: str, assignment: str, found: Sequence[Step], words: Callable[[str], str]) -> str:
    """For programs; mistakes with their words."""
    made = []
    for step in found:
        attempt = step.attempt
        ids = {id for mistakes in (step.mistakes, step.solved) for some in mistakes.values() for id in some}
        made.append(
            {
                **{"graded": attempt.at, "total": attempt.total, "points": attempt.points, "why": attempt.why},
                **{"result": attempt.result, "mistakes": step.mistakes, "solved": step.solved, "new": step.new},
                **{"fails_without_a_name": step.opened, "lines": step.changed, "difference": step.difference},
                "words": {id: words(id) for id in sorted(ids)},
            }
        )
    return json.dumps({"learner": learner, "assignment": assignment, "hand_ins": made}, indent=2)


def main(arguments: list[str], chosen: Callable[[str | None], str]) -> int:
    """The command; `chosen` tells the assignment from what was typed."""
    parser = argparse.ArgumentParser(prog="python -m grading history", description=__doc__.split("\n")[0])
    parser.add_argument("learner")
    parser.add_argument("assignment", nargs="?")
    parser.add_argument("--diff", action="store_true", help="show what was changed line by line")
    parser.add_argument("--format", default="text", choices=("text", "json"))
    parser.add_argument("--journal", type=Path, default=ROOT / ".grading", help="where the results are kept")
    options = parser.parse_args(arguments)
    assignment = chosen(options.assignment)
    journal = Journal(options.journal)
    found = steps(journal, assignment, options.learner)
    if damage := journal.damage():
        print(damage, file=sys.stderr)
    known = assignments.mistakes(assignment)

    def words(id: str) -> str:
        return known[id].title if id in known else id

    if options.format == "json":
        print(as_json(options.learner, assignment, found, words))
    else:
        print(as_text(options.learner, assignment, found, words, options.diff))
    return 0
