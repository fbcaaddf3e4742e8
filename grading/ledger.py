"""The one writer of a run: results go into the gradebook, to their places, and into journal and log."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from typing import Any, Protocol

from grading import attempts, gradebook
from grading.gradebook import GradebookError
from grading.plan import Learner, Plan
from grading.progress import Progress
from grading.worker import Graded

BATCH = 25  # submissions in one transaction, at most
BATCH_SECONDS = 2.0  # between transactions
CHANGES = {  # of what decides on a verdict; see Setup.parts
    "notebooks": "the course's notebook was changed",
    "files": "files beside the course's notebook were changed",
    "settings": "limits were changed",
    "kit": "the tests, the kit or its libraries were changed",
}


def marks(by_hand: dict[str, bool], last: dict[str, Any] | None) -> dict[str, Any]:
    """What a line of the log says of points given by hand: the digest of the work that each was given for.

    Args:
        by_hand: the cells, and whether a person was to look at each before this was written: nobody has then since the
            line before.
        last: that line; None where there is none, and so nobody knows.
    """
    before = last or {}
    given = {
        cell: before.get("by_hand", {}).get(cell, "") if was_stale else before.get("handed_in", "")
        for cell, was_stale in by_hand.items()
    }
    return {"by_hand": given} if given else {}


def stale(entry: dict[str, Any]) -> str:
    """What is said where points given by hand are for other work than what was graded; empty where none are."""
    old = [cell for cell, work in entry.get("by_hand", {}).items() if work != entry["handed_in"]]
    if not old:
        return ""
    cells = ", ".join(cell.rpartition("/")[2].removeprefix("test_") for cell in old)
    return f"points given by hand for older work still count ({cells}): look again in formgrader, and enter them anew."


class Desk(Protocol):
    """What nbgrader does with results."""

    def written(self, done: list[tuple[Learner, Graded]]) -> gradebook.Scores:
        """Write results into the gradebook, in one transaction, and graded notebooks beside their places."""

    def put_in_place(self, learner: Learner) -> None:
        """Have what was written beside it take the place of what was there."""


class Ledger:
    """Results that are there, until they are written.

    Args:
        plan: of the run.
        desk: what writes into nbgrader's gradebook.
        progress: what a person sees.
        say: shows a line.
    """

    def __init__(self, plan: Plan, desk: Desk, progress: Progress, say: Callable[[str], None]) -> None:
        self.plan, self.desk, self.progress, self.say = plan, desk, progress, say
        self.logged = plan.journal.last(plan.assignment)
        self.ready: list[tuple[Learner, Graded]] = []
        self.last_written = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether something has waited long enough."""
        return time.monotonic() > self.last_written + BATCH_SECONDS

    def write_ready(self) -> None:
        """Write what is there."""
        done, self.ready = self.ready, []
        if done:
            self._write_all(done)
        self.last_written = time.monotonic()

    def _write_all(self, done: list[tuple[Learner, Graded]]) -> None:
        """Write results in one transaction; when one of them cannot be written, the others each in its own."""
        try:
            written = gradebook.patiently(lambda: self.desk.written(done), self.say)
        except (GradebookError, OSError):  # which would be the same for all
            raise
        except Exception as error:  # of nbgrader, or of an instructor's plugin for late submissions
            if len(done) > 1:
                for each in done:
                    self._write_all([each])
                return
            ((learner, _),) = done
            self.progress.take_back(learner.how)
            why = f"could not be written into the gradebook ({type(error).__name__}: {error})."
            self.progress.step("not graded", learner.name, [why])
            return
        plan = self.plan
        entries = [self._entry(learner, graded, written.get(learner.name, {})) for learner, graded in done]
        plan.journal.log(entries)
        for entry in entries:
            if remark := stale(entry):
                self.progress.look(entry["learner"], remark)
        for learner, graded in done:
            self.desk.put_in_place(learner)
            noted = {"key": learner.key, "level": graded.trace["level"], "remarks": graded.remarks}
            noted |= {"scores": written.get(learner.name), "files": plan.state(learner)}
            plan.journal.note(plan.assignment, learner.name, noted)

    def _entry(self, learner: Learner, graded: Graded, points: dict[str, float | None]) -> dict[str, Any]:
        """What the log says of points that were written."""
        last = self.logged.get(learner.name)
        before = last["setup"] if last else {}
        why = [text for part, text in CHANGES.items() if part in before and before[part] != self.plan.parts[part]]
        if last is None:
            why = ["graded for the first time"]
        elif last["handed_in"] != learner.handed_in:
            why.insert(0, "something else was handed in")
        elif not why and learner.how == "graded":
            why = ["graded again"]
        elif not why:
            why = ["the gradebook or the graded notebook was not as it had been written"]
        return {
            "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "assignment": self.plan.assignment,
            "learner": learner.name,
            "total": sum(filter(None, points.values())),
            "points": points,
            "before": self.plan.before.get(learner.name),
            "why": why,
            **{name: graded.trace[name] for name in ("seed", "level")},
            "setup": self.plan.parts,
            "handed_in": learner.handed_in,
            "result": learner.key,
            "mistakes": attempts.named(attempts.of_result(graded)),
            **marks(learner.by_hand, last),
        }

    def add(self, learner: Learner, graded: Graded, how: str) -> None:
        learner.how = how
        self.ready.append((learner, graded))
        self.progress.step(how, learner.name, graded.remarks, graded.trace.get("seconds", 0.0))
        if len(self.ready) >= BATCH:
            self.write_ready()
