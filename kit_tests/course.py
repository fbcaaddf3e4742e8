"""A class of made-up submissions, graded by `nbgrader autograde` as an instructor does."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jupytext
import kit
import make_class
import pytest
import ready

TEMPORARY = "tmp-" + "long" * 25  # longer than a socket's path may be


def notebook(others: str = "untouched", **answers: str) -> dict[str, Any]:
    """A submission as JSON: the release with these answer cells, by grade_id, and the others untouched or solved."""
    cells = "".join(f"\n# %% {name}\n{text}" for name, text in answers.items())
    return json.loads(make_class.submission(f"# others: {others}\n{cells}", _release(), solutions()))


@cache
def _release() -> str:
    return (kit.course() / "release" / "tiny" / "tiny.ipynb").read_text(encoding="utf-8")


@cache
def solutions() -> dict[str, str]:
    """The reference's texts of the answer cells, by grade_id."""
    authored = jupytext.read(kit.AUTHORED / "author" / "text.py", fmt="py:percent")
    return {name: make_class.MARKER.sub("", cell["source"]) for name, cell in make_class.answers(authored).items()}


def solution(name: str) -> str:
    """The reference's text of an answer cell."""
    return solutions()[name]


def place(notebook: dict[str, Any], name: str) -> int:
    """The index of the cell with a grade_id."""
    ids = [cell["metadata"].get("nbgrader", {}).get("grade_id") for cell in notebook["cells"]]
    return ids.index(name)


def code_cell(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None}


def with_cell(notebook: dict[str, Any], source: str, before: str | None = None) -> dict[str, Any]:
    """The notebook with a code cell of the learner's own, before the cell with a grade_id or at the end."""
    at = len(notebook["cells"]) if before is None else place(notebook, before)
    return {**notebook, "cells": [*notebook["cells"][:at], code_cell(source), *notebook["cells"][at:]]}


@dataclass
class Graded:
    """What `nbgrader autograde` did.

    Attributes:
        status: its exit status.
        log: what it printed.
        folder: the course's folder, with submitted/, autograded/ and gradebook.db.
    """

    status: int
    log: str
    folder: Path

    def points(self, learner: str) -> dict[str, float]:
        """Points by section, as the gradebook has them."""
        with sqlite3.connect(self.folder / "gradebook.db") as gradebook:
            rows = gradebook.execute(
                "select base_cell.name, grade.auto_score from grade join base_cell on grade.cell_id = base_cell.id "
                "join submitted_notebook on grade.notebook_id = submitted_notebook.id "
                "join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id "
                "where submitted_assignment.student_id = ?",
                (learner,),
            )
            return {name.removeprefix("test_"): score for name, score in rows}

    def notebook(self, learner: str) -> dict[str, Any]:
        """The graded notebook."""
        path = self.folder / "autograded" / learner / "tiny" / "tiny.ipynb"
        return json.loads(path.read_text(encoding="utf-8"))

    def remarks(self, learner: str) -> str:
        """The notes from grading that the learner reads; empty without any."""
        return "".join("".join(c["source"]) for c in self.notebook(learner)["cells"] if c["id"] == "grading-notes")

    def text(self, learner: str, name: str) -> str:
        """The plain text that a graded cell shows."""
        cell = self.notebook(learner)["cells"][place(self.notebook(learner), name)]
        shown = [output for output in cell["outputs"] if output["output_type"] == "display_data"]
        return "".join("".join(output["data"]["text/plain"]) for output in shown)


def environment(**variables: str) -> dict[str, str]:
    """These variables among those of this process, with the programs beside its Python first on the path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, **variables}


class Course:
    """A course of its own in a folder, with the release known to its gradebook."""

    def __init__(self, folder: Path, db: str | None = None, **variables: str) -> None:
        self.folder, self.db = folder, db or f"sqlite:///{folder}/gradebook.db"
        self.variables = variables  # of the environment
        if db is None:
            shutil.copy(kit.course() / "gradebook.db", folder)
        else:
            self.release()

    def release(self) -> None:
        """Have nbgrader make the release, and write it into the gradebook. (What proves it, test_release.py tests.)"""
        done = self.nbgrader("generate_assignment", "tiny", "--force", "--ProvedAssignment.proved=True")
        assert done.returncode == 0, done.stderr

    def places(self) -> list[str]:
        """Options that have nbgrader work in this folder."""
        return [f"--db={self.db}"] + [
            f"--CourseDirectory.{name}_directory={self.folder / name}"
            for name in ("submitted", "autograded", "feedback", "release")
        ]

    def environment(self) -> dict[str, str]:
        return environment(**self.variables)

    def nbgrader(self, command: str, *arguments: str, is_own: bool = False) -> subprocess.CompletedProcess[str]:
        """A command of nbgrader's in this course, to its end; with `is_own` a child of this process."""
        call = self.nbgrader_command(command, *arguments)
        if is_own:
            return subprocess.run(
                call, cwd=kit.course(), env=self.environment(), capture_output=True, text=True, timeout=3600
            )
        return ready.run(call, env=self.environment())

    def nbgrader_command(self, command: str, *arguments: str) -> list[str]:
        """A command of nbgrader's in this course."""
        return [sys.executable, "-m", "nbgrader", command, *arguments, *self.places()]

    def command(self, *options: str) -> list[str]:
        """`python -m grading autograde` in this course."""
        options = (*options, *([] if "--jobs" in " ".join(options) else ["--jobs=1"]))
        journal = f"--ClassAutograde.journal_directory={self.folder / '.grading'}"
        return [sys.executable, "-m", "grading", "autograde", "tiny", *options, *self.places(), journal]

    def start(self, *options: str, command: list[str] | None = None) -> subprocess.Popen[str]:
        """This command, or another one, begun."""
        return subprocess.Popen(
            command or self.command(*options),
            cwd=kit.course(),
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def grade_class(self, *options: str) -> Graded:
        """`python -m grading autograde`, to its end."""
        done = ready.run(self.command(*options), env=self.environment(), timeout=900, is_one=True)
        return Graded(done.returncode, done.stdout, self.folder)

    def hand_in(self, learner: str, content: dict[str, Any] | str | bytes | None, name: str = "tiny.ipynb") -> Path:
        """Put a file into a learner's submission; its folder."""
        folder = self.folder / "submitted" / learner / "tiny"
        folder.mkdir(parents=True, exist_ok=True)
        if content is not None:
            data = json.dumps(content) if isinstance(content, dict) else content
            (folder / name).write_bytes(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)
        return folder

    def grade(self, *options: str, is_own: bool = False) -> Graded:
        """Grade all that was handed in."""
        journal = f"--JudgedAutograde.journal_directory={self.folder / '.grading'}"
        done = self.nbgrader("autograde", "tiny", "--force", journal, *options, is_own=is_own)
        log = re.sub(r"^.*\| INFO\].*\n", "", done.stdout + done.stderr, flags=re.MULTILINE)
        return Graded(done.returncode, log, self.folder)

    def clear(self) -> None:
        shutil.rmtree(self.folder / "submitted", ignore_errors=True)


# Kinds of learners: the cells that they have solved, each with what they changed in it.
LEARNERS = {
    "all": dict.fromkeys(("tensor", "module", "matmul", "layers", "optimizer", "loss")),
    "half": dict.fromkeys(("tensor", "module")),
    "none": {},
    "wrong": {"tensor": ("unbroadcast(-base, right.shape)", "unbroadcast(base, right.shape)"), "module": None},
}


def submission(learner: str, number: int = 0, pause: float = 0.0) -> dict[str, Any]:
    """A notebook without a model; at its end it sleeps so many seconds, which takes time from nobody."""
    answers = {name: solution(name) for name in LEARNERS[learner]}
    for name, change in LEARNERS[learner].items():
        answers[name] = answers[name].replace(*change) if change else answers[name]
    made = notebook(**{"model": "# not written", **answers})
    made["cells"] = [cell for cell in made["cells"] if "nbgrader" in cell["metadata"]]
    slept = [code_cell(f"import time\ntime.sleep({pause})")] if pause else []
    return {**made, "cells": [*made["cells"], code_cell(f"print('number', {number})"), *slept]}


def course(folder: Path, count: int = 0, pause: float = 0.0, **variables: str) -> Course:
    """A course; `count` submissions are handed in, each of which sleeps for `pause` seconds at its end. What its
    commands leave behind would be in its TEMPORARY."""
    (folder / TEMPORARY).mkdir(parents=True)
    made = Course(folder, TMPDIR=str(folder / TEMPORARY), **variables)
    for number in range(count):
        kind = list(LEARNERS)[number % len(LEARNERS)]
        made.hand_in(f"{kind}-{number:02}", submission(kind, number, pause))
    return made


@cache
def digest() -> str:
    """The digest of the code that grades."""
    code = "from grading import worker; print(worker.kit('tiny'))"
    done = subprocess.run([sys.executable, "-c", code], cwd=kit.course(), capture_output=True, text=True, check=True)
    return done.stdout.strip()


def results(made: Course) -> int:
    """How many results the journal holds."""
    return sum(1 for _ in made.folder.glob(".grading/results/*/*.json"))


def wait_for(condition: Callable[[], Any], seconds: float = 300) -> Any:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := condition():
            return found
        time.sleep(0.02)
    pytest.fail("it did not happen")


def processes(made: Course) -> dict[int, int]:
    """Processes of this course's commands, and the parent of each: all have its TMPDIR, or one in it, in their
    environment or command; those that were not started as programs (see ready.py) have it opened."""
    mark = f"{made.folder}/{TEMPORARY}"
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            about = (place / "environ").read_bytes() + (command := (place / "cmdline").read_bytes())
            copied = b"/kit_tests/ready.py" in command
            if mark.encode() in about or (copied and mark in map(_leads_to, (place / "fd").iterdir())):
                said = re.search(r"^PPid:\s*(\d+)", (place / "status").read_text(), re.MULTILINE)
                found[int(place.name)] = int(said[1])
    return found


def _leads_to(opened: Path) -> str:
    """What a descriptor of a process is of."""
    with contextlib.suppress(OSError):
        return os.readlink(opened)
    return ""


def workers_of(made: Course, run: int) -> list[int]:
    """The process that a run's workers are copies of, and they. What one of them has just forked looks the same."""
    parents = {
        pid: parent
        for pid, parent in processes(made).items()
        if b"grading.worker" in read(Path(f"/proc/{pid}/cmdline"))
    }
    loaded = [pid for pid, parent in parents.items() if parent == run]
    return loaded + [pid for pid, parent in parents.items() if parent in loaded]


def read(path: Path) -> bytes:
    """What a file in /proc says; nothing when the process has ended."""
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return b""


def left(made: Course) -> list[str]:
    """What its commands have left behind: processes, and what lies in its TEMPORARY."""
    found = [f"process {pid}: {_about(pid)}" for pid in processes(made)]
    return found + [str(path) for path in sorted((made.folder / TEMPORARY).rglob("*"))]


def _about(pid: int) -> str:
    """What tells which of a run's processes this is."""
    with contextlib.suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_text()
        said = re.findall("^(?:State|PPid|NSpid):.*", status, re.MULTILINE)
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        return " ".join([*said, command[:60], "...", command[-200:]])
    return "gone"


def nothing_is_left(made: Course, seconds: float = 60) -> None:
    """Fail if a run that has ended leaves something behind, and say what."""
    ends = time.monotonic() + seconds
    while found := left(made):
        if time.monotonic() > ends:
            pytest.fail("this is left:\n" + "\n".join(found))
        time.sleep(0.1)
