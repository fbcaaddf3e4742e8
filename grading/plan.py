"""What there is to grade in a class: the submissions, and what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grading import gradebook, jail, submissions, worker
from grading.journal import Journal
from grading.submissions import SECRET, TIMESTAMP
from grading.worker import Graded, Job, Setup


@dataclass
class Learner:
    """One submission of this run.

    Attributes:
        name: the learner's id.
        staged: the folder where nbgrader reads the timestamp.
        place: the folder that was handed in.
        handed_in: digest of what was handed in.
        key: digest of all that decides on the result.
        how: what was done with it: "graded", or "unchanged".
        by_hand: cells with points by hand, before it was written, and whether a person was to look at each then.
    """

    name: str
    staged: str
    place: Path
    handed_in: str = ""
    key: str = ""
    how: str = ""
    by_hand: dict[str, bool] = field(default_factory=dict)


@dataclass
class Plan:
    """What is to be done with each submission of a run.

    Attributes:
        setup: of the run.
        journal: what was graded before.
        assignment: its name.
        names: of the course's notebooks.
        top: the folder that all submissions lie in.
        remarks: what is known of submissions by their learners' names, before one is looked at.
        before: what the gradebook has of the class.
        place_of: the folder of a learner's graded notebooks.
        force: whether all is graded again.
        elsewhere: whether other machines grade, with jails of their own.
    """

    setup: Setup
    journal: Journal
    assignment: str
    names: Sequence[str]
    top: Path
    remarks: Mapping[str, Sequence[str]]
    before: gradebook.Scores
    place_of: Callable[[str], Path]
    force: bool = False
    elsewhere: bool = False

    def __post_init__(self) -> None:
        self.digest, self.parts = self.setup.digest(), self.setup.parts()

    def collect(self, learner: Learner) -> Job:
        """A submission, as it is sent to a worker; the learner gets the key."""
        job = Job({}, {})
        for name in self.setup.notebooks:
            handed_in = submissions.collect(learner.place, name, self.names, self.top)
            job.notebooks[name] = (handed_in.name, [*self.remarks.get(learner.name, []), *handed_in.remarks])
            job.contents[name] = handed_in.content
        learner.handed_in = digest_of(job.contents)
        learner.key = worker.digest([job.notebooks, learner.handed_in, self.digest])
        return job

    def looked_up(self, learner: Learner) -> tuple[Job, dict[str, Any] | None, Graded | None]:
        """A submission, and what is known of it: what was noted, if all is in place, else a result."""
        job = self.collect(learner)
        if self.force:
            return job, None, None
        noted = self._noted(learner)
        if noted and not self._is_weak(noted.get("level")):
            return job, noted, None
        known = self.journal.get(learner.key)
        return job, None, None if known is None or self._is_weak(known.trace["level"]) else known

    def _is_weak(self, level: str | None) -> bool:
        """Whether this machine has a stronger jail than a verdict was given with."""
        return level != "bubblewrap" and not self.elsewhere and jail.probe().name == "bubblewrap"

    def _noted(self, learner: Learner) -> dict[str, Any] | None:
        """What was noted of a learner, if the result with this key is where it belongs."""
        noted = self.journal.written(self.assignment, learner.name)
        same = (
            noted.get("key") == learner.key
            and noted.get("scores") == self.before.get(learner.name)
            and noted.get("files") == self.state(learner)
        )
        return noted if same else None

    def state(self, learner: Learner) -> dict[str, str | None]:
        """Digests of the files that tell whether a learner's result was written, and when and how it was handed in."""
        place = self.place_of(learner.name)
        files = [place / f"{name}.ipynb" for name in self.setup.notebooks]
        files += [Path(learner.staged, name) for name in (TIMESTAMP, SECRET)]
        found: dict[str, str | None] = {}
        for file in files:
            try:
                found[file.name] = worker.digest(file.read_bytes())
            except OSError:
                found[file.name] = None
        return found


def handed_in(place: Path, names: Sequence[str], top: Path) -> str:
    """The digest of what lies in a folder that was handed in, for these notebooks of the course."""
    return digest_of({name: submissions.collect(place, name, names, top).content for name in names})


def digest_of(contents: Mapping[str, bytes | None]) -> str:
    """The digest of the files that were handed in, by notebook."""
    return worker.digest({name: None if data is None else worker.digest(data) for name, data in contents.items()})
