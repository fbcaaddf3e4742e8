"""What was graded already: results by what they depend on, and for each learner the result that was written last.

    .grading/results/<digest>      one result: its remarks, its trace, the graded notebooks
    .grading/learners/<assignment>/<learner>.json    which result that learner has, and what was written of it
    .grading/now                   what the run at work has read; removed when it ends
    .grading/run.json              the seed of a run that was stopped, for the run that goes on with it

Every file is written beside its place and then renamed: it is there as a whole, or not at all.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grading.worker import Graded, digest


class Busy(Exception):
    """Another run is at work; the message says which."""


class Journal:
    """The journal of one course.

    Args:
        folder: where it lies; it is made when something is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, folder / "now"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Inside, no other run may use this journal.

        Raises:
            Busy: when one does.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "lock", "a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.seek(0)
                raise Busy(
                    f"Another run is grading this course ({file.read().strip() or 'it has just begun'}): "
                    "wait until it has ended, or stop it. Nothing was done."
                ) from None
            file.truncate(0)
            file.write(f"process {os.getpid()}")
            file.flush()
            shutil.rmtree(self.now, ignore_errors=True)  # by a run that was killed
            for left in self.folder.rglob("*.new"):
                if left.is_file():
                    left.unlink()
            self.now.mkdir()
            try:
                yield
            finally:
                shutil.rmtree(self.now, ignore_errors=True)

    def get(self, key: str) -> Graded | None:
        """The result with a key; None when there is none, or it is damaged."""
        try:
            return Graded.loads(self._result(key).read_bytes())
        except (OSError, ValueError):
            return None

    def put(self, key: str, graded: Graded) -> None:
        """Keep a result."""
        write(self._result(key), graded.dumps().encode("ascii"))

    def written(self, assignment: str, learner: str) -> dict[str, Any]:
        """What was last written of a learner: the result's key, and what tells whether it is still there."""
        try:
            found = json.loads(self._learner(assignment, learner).read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def note(self, assignment: str, learner: str, what: dict[str, Any]) -> None:
        write(self._learner(assignment, learner), json.dumps(what, indent=1).encode("ascii"))

    def begin(self, setup: str, seed: int, anew: bool) -> int:
        """The seed of this run: that of the run before with the same setup, if it was stopped; else the new one."""
        place = self.folder / "run.json"
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            before = json.loads(place.read_bytes())
            if before["setup"] == setup and not before["ended"] and not anew:
                return int(before["seed"])
        write(place, json.dumps({"setup": setup, "seed": seed, "ended": False}).encode("ascii"))
        return seed

    def end(self, setup: str, seed: int) -> None:
        """Note that a run has come to its end: what is graded from now on gets another seed."""
        write(self.folder / "run.json", json.dumps({"setup": setup, "seed": seed, "ended": True}).encode("ascii"))

    def _result(self, key: str) -> Path:
        return self.folder / "results" / key[:2] / f"{key}.json"

    def _learner(self, assignment: str, learner: str) -> Path:
        # A learner's name may be as long as a file's name may be at all.
        name = learner if len(learner.encode()) < 200 else digest(learner.encode())
        return self.folder / "learners" / assignment / f"{name}.json"


def write(place: Path, data: bytes) -> None:
    """Write a file as a whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f"{place.name}.new")
    try:
        beside.write_bytes(data)
        os.replace(beside, place)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
