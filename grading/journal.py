"""What was graded already: results by what they depend on, and for each learner the result that was written last.

    .grading/results/<digest>      one result: its remarks, its trace, the graded notebooks
    .grading/learners/<assignment>/<learner>.json    which result that learner has, and what was written of it
    .grading/log.jsonl             who got which points when, from which run, and why: a line each, never changed
    .grading/now                   what the run at work has read; removed when it ends
    .grading/run.json              the seed of a run that was stopped, for the run that goes on with it

Every file but the log is written beside its place and then renamed: it is there as a whole, or not at all. Whatever is
written carries its digest. What cannot be read counts as absent: it is set aside and noted, and stops no run.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import shutil
import stat
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

    Attributes:
        damaged: what could not be read, and where it was set aside; None where it still lies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, folder / "now"
        self.is_locked = False
        self.damaged: dict[Path, Path | None] = {}

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Inside, no other run may use this journal.

        Raises:
            Busy: when one does.
            OSError: when nothing can be written here.
        """
        lock = self.folder / "lock"
        self._make_way(lock)
        with open(lock, "a+", encoding="utf-8") as file:
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
            if self.now.is_dir():
                shutil.rmtree(self.now, ignore_errors=True)  # by a run that was killed
            if os.path.lexists(self.now):
                self._set_aside(self.now)
            for left in self.folder.rglob("*.new"):
                if left.is_file():
                    left.unlink()
            self.now.mkdir()
            self.is_locked = True
            try:
                yield
            finally:
                self.is_locked = False
                shutil.rmtree(self.now, ignore_errors=True)

    def get(self, key: str) -> Graded | None:
        """The result with a key; None when there is none that can be read."""
        found = self._read(self._result(key))
        try:
            return None if found is None else Graded.loads(found)
        except ValueError:
            self._note_damage(self._result(key))
            return None

    def put(self, key: str, graded: Graded) -> None:
        """Keep a result."""
        self._write(self._result(key), graded.dumps())

    def written(self, assignment: str, learner: str) -> dict[str, Any]:
        """What was last written of a learner: the result's key, and what tells whether it is still there."""
        return json.loads(self._read(self._learner(assignment, learner)) or "{}")

    def note(self, assignment: str, learner: str, what: dict[str, Any]) -> None:
        self._write(self._learner(assignment, learner), json.dumps(what))

    def begin(self, setup: str, seed: int, anew: bool) -> int:
        """The seed of this run: that of the run before with the same setup, if it was stopped; else the new one."""
        before = json.loads(self._read(self.folder / "run.json") or "{}")
        if before.get("setup") == setup and not before["ended"] and not anew:
            return before["seed"]
        self._write(self.folder / "run.json", json.dumps({"setup": setup, "seed": seed, "ended": False}))
        return seed

    def end(self, setup: str, seed: int) -> None:
        """Note that a run has come to its end: what is graded from now on gets another seed."""
        self._write(self.folder / "run.json", json.dumps({"setup": setup, "seed": seed, "ended": True}))

    def log(self, entries: list[dict[str, Any]]) -> None:
        """Append to the log."""
        lines = b"".join(sealed(json.dumps(entry)) + b"\n" for entry in entries)
        self._make_way(self._log)
        with open(self._log, "a+b") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a run was killed while it wrote
                    lines = b"\n" + lines
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())

    def history(self) -> tuple[list[dict[str, Any]], int]:
        """The log's entries, the oldest first, and how many of its lines cannot be read."""
        try:
            lines = _content(self._log).splitlines()
        except FileNotFoundError:
            return [], 0
        except (OSError, ValueError):
            self._note_damage(self._log)
            return [], 0
        entries, bad = [], 0
        for line in lines:
            try:
                entries.append(json.loads(unsealed(line)))
            except ValueError:
                bad += 1
        return entries, bad

    def last(self, assignment: str) -> dict[str, dict[str, Any]]:
        """The newest entry of each learner of an assignment."""
        return {entry["learner"]: entry for entry in self.history()[0] if entry["assignment"] == assignment}

    def damage(self) -> str:
        """What could not be read, in a sentence; nothing when all could."""
        if not self.damaged:
            return ""
        where = [str(aside or place) for place, aside in self.damaged.items()]
        more = f" and {len(where) - 5} more" if len(where) > 5 else ""
        parts = f"{len(where)} part{'s' * (len(where) > 1)} of the journal could not be read, and counted as absent"
        return f"{parts}: see {', '.join(where[:5])}{more}."

    @property
    def _log(self) -> Path:
        return self.folder / "log.jsonl"

    def _result(self, key: str) -> Path:
        return self.folder / "results" / key[:2] / f"{key}.json"

    def _learner(self, assignment: str, learner: str) -> Path:
        # A learner's name may be as long as a file's name may be at all.
        name = learner if len(learner.encode()) < 200 else digest(learner.encode())
        return self.folder / "learners" / assignment / f"{name}.json"

    def _read(self, place: Path) -> bytes | None:
        """What was written there; None when there is nothing, or it cannot be read."""
        try:
            return unsealed(_content(place))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            self._note_damage(place)
            return None

    def _write(self, place: Path, document: str) -> None:
        """Write a file as a whole or not at all."""
        beside = place.with_name(f"{place.name}.new")
        self._make_way(beside)
        self._make_way(place)
        try:
            beside.write_bytes(sealed(document))
            os.replace(beside, place)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise

    def _make_way(self, place: Path) -> None:
        """Make the folders above a file; what is no folder there, or no file in its place, is set aside."""
        for folder in reversed(place.parents):
            if folder.is_relative_to(self.folder) and os.path.lexists(folder) and not folder.is_dir():
                self._set_aside(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(place) and not stat.S_ISREG(os.lstat(place).st_mode):
            self._set_aside(place)

    def _note_damage(self, place: Path) -> None:
        """Something cannot be read: the file, or what is in the place of a folder above it."""
        inside = [folder for folder in reversed(place.parents) if folder.is_relative_to(self.folder)]
        culprit = next((folder for folder in inside if os.path.lexists(folder) and not folder.is_dir()), place)
        if self.is_locked:
            self._set_aside(culprit)
        else:
            self.damaged.setdefault(culprit, None)

    def _set_aside(self, place: Path) -> None:
        """Rename what is in the way."""
        names = (place.with_name(f"{place.name}.set-aside-{number}") for number in itertools.count())
        aside = next(name for name in names if not os.path.lexists(name))
        os.rename(place, aside)
        self.damaged[place] = aside


def _content(place: Path) -> bytes:
    """The bytes of a file.

    Raises:
        OSError: when it cannot be read.
        ValueError: when it is no file: a pipe would be waited for.
    """
    descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("no file")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def sealed(document: str) -> bytes:
    """A JSON object with its digest."""
    body = document.encode("ascii")
    return b'{"sha256": "%s", %s' % (digest(body).encode("ascii"), body[1:])


def unsealed(data: bytes) -> bytes:
    """The object without it.

    Raises:
        ValueError: when it is not as it was written.
    """
    head, _, rest = data.partition(b'", ')
    body = b"{" + rest
    if head != b'{"sha256": "' + digest(body).encode("ascii"):
        raise ValueError("it was changed")
    return body
