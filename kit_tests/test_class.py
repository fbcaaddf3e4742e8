"""A class graded by `python -m grading autograde`: as nbgrader grades it, only what has changed, whatever happens."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kit
import pytest
import ready
from course import (
    Course,
    Graded,
    code_cell,
    course,
    digest,
    environment,
    nothing_is_left,
    processes,
    read,
    results,
    submission,
    wait_for,
    with_cell,
    workers_of,
)

from grading import gradebook, worker
from grading.dates import Unclear, readable_date
from grading.journal import Busy, Journal, sealed, unsealed
from grading.ledger import Ledger
from grading.limits import Settings
from grading.plan import Learner, Plan
from grading.progress import Progress
from grading.worker import Graded as Result
from grading.worker import Job, Setup, WorkerError

TIMES = re.compile(rb'"(iopub|shell)\.[a-z_.]+": "[^"]+"')


def rows(made: Course) -> list[tuple]:
    """All that the gradebook says of submissions, without the ids of rows."""
    with contextlib.closing(sqlite3.connect(made.folder / "gradebook.db")) as database:
        found = database.execute(
            "select submitted_assignment.student_id, submitted_assignment.timestamp, base_cell.name, grade.auto_score, "
            "grade.manual_score, grade.needs_manual_grade, submitted_notebook.late_submission_penalty from grade "
            "join base_cell on grade.cell_id = base_cell.id "
            "join submitted_notebook on grade.notebook_id = submitted_notebook.id "
            "join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id"
        ).fetchall()
        comments = database.execute(
            "select submitted_assignment.student_id, base_cell.name, comment.auto_comment, comment.manual_comment "
            "from comment join base_cell on comment.cell_id = base_cell.id "
            "join submitted_notebook on comment.notebook_id = submitted_notebook.id "
            "join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id"
        ).fetchall()
    return sorted(found, key=repr) + sorted(comments, key=repr)


def files(made: Course) -> dict[str, bytes]:
    """All that lies in autograded/, by path, but for the times at which cells were run."""
    place = made.folder / "autograded"
    paths = [path for path in sorted(place.rglob("*")) if path.is_file()]
    return {str(path.relative_to(place)): TIMES.sub(b"", path.read_bytes()) for path in paths}


def kept(made: Course) -> dict[str, Any]:
    """What the journal holds, by learner: the log's last line, what was noted, the result; without what tells the time.

    Fails where a part of it cannot be read.
    """
    journal = Journal(made.folder / ".grading")
    entries, bad = journal.history()
    found = {}
    for learner, entry in sorted((entry["learner"], entry) for entry in entries):
        noted = journal.written("tiny", learner)
        result = journal.get(noted["key"])
        assert entry["points"] == noted["scores"] and entry["result"] == noted["key"], learner
        found[learner] = (
            {name: entry[name] for name in ("points", "total", "seed", "level", "setup", "handed_in", "result")},
            {name: noted[name] for name in ("key", "scores", "level", "remarks")},
            {name: told for name, told in result.trace.items() if name not in ("begun", "seconds", "spent")},
            result.remarks,
            {name: TIMES.sub(b"", json.dumps(result.notebook(name)).encode()) for name in result.notebooks},
        )
    assert not bad and not journal.damaged
    assert len(found) == results(made) == len(list(made.folder.glob(".grading/learners/tiny/*")))
    return found


def state(made: Course) -> tuple[list[tuple], dict[str, bytes]]:
    return rows(made), files(made)


@pytest.fixture
def four(tmp_path) -> Course:
    """Each of four takes so long that there is something to interrupt when the first one has its result."""
    return course(tmp_path / "four", 4, pause=1.5)


# ---------------------------------------------------------------- as nbgrader grades it


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> Iterator[tuple[Course, Course, Graded, Graded]]:
    """The same class, graded by both commands with the same seed."""
    made = []
    for name in ("one", "many"):
        each = course(tmp_path_factory.mktemp(name) / "course", 5)
        each.hand_in("damaged", "{")
        each.hand_in("renamed", submission("half", 7), "my work.ipynb")
        (each.hand_in("late", submission("half", 8)) / "timestamp.txt").write_text("2026-01-05 10:00:00 UTC")
        (each.hand_in("untimely", submission("none", 9)) / "timestamp.txt").write_text("yesterday")
        with contextlib.closing(sqlite3.connect(each.folder / "gradebook.db")) as database:
            database.execute("update assignment set duedate = '2026-01-04 00:00:00'")
            database.commit()
        made.append(each)
    options = ("--seed=11", "--LateSubmissionPlugin.penalty_method=zero")
    one = made[0].grade("--JudgedAutograde.seed=11", options[1])
    yield made[0], made[1], one, made[1].grade_class(*options)


def test_gradebook_and_notebooks_are_those_of_nbgrader_autograde(both):
    one, many, _, _ = both
    assert rows(many) == rows(one)
    assert list(files(many)) == list(files(one))
    for path, content in files(one).items():
        assert files(many)[path] == content, path
    assert any(penalty for *_, penalty in rows(many)[:80])


def test_what_needs_a_look_is_said_and_the_status_is_as_nbgraders(both):
    _, many, one, graded = both
    assert (one.status, graded.status) == (1, 1)
    assert "9 submissions: 9 graded, 3 need a look" in graded.log
    assert graded.log.index("jail: bubblewrap (") < graded.log.index("damaged: ")
    assert "damaged: 'tiny.ipynb' is damaged near line 1" in graded.log
    assert "untimely: timestamp.txt holds no date" in graded.log
    assert "Traceback" not in graded.log
    nothing_is_left(many)


def test_feedback_and_export_work_afterwards(both):
    _, many, _, _ = both
    done = many.nbgrader("generate_feedback", "tiny")
    assert done.returncode == 0, done.stderr
    page = (many.folder / "feedback" / "late" / "tiny" / "tiny.html").read_text(encoding="utf-8")
    assert "a.grad" in page or "passed" in page
    command = [sys.executable, "-m", "nbgrader", "export", f"--db={many.db}", f"--to={many.folder}/grades.csv"]
    done = ready.run(command, env=many.environment())
    assert done.returncode == 0, done.stderr
    assert len((many.folder / "grades.csv").read_text().splitlines()) == 1 + 9


def test_every_verdict_can_be_traced(both):
    _, many, _, _ = both
    noted = json.loads((many.folder / ".grading/learners/tiny/late.json").read_text())
    found = Journal(many.folder / ".grading").get(noted["key"])
    trace = found.trace
    assert trace["seed"] == 11 and trace["level"] == "bubblewrap" and trace["settings"]["cell_seconds"] == 30
    assert set(trace["versions"]) >= {"python", "tqdm", "numpy", "nbgrader"} and trace["kit"] == digest()
    assert re.match(r"\d{4}-\d\d-\d\dT", trace["begun"]) and 0 < trace["seconds"] < 100
    assert noted["scores"]["tiny/test_tensor"] == 40
    command = [sys.executable, "-m", "grading", "trace", "late", f"--journal={many.folder / '.grading'}"]
    told = json.loads(ready.run(command, env=environment()).stdout)
    assert told["points"] == noted["scores"] and told["seed"] == 11
    (entry,) = told["history"]
    assert entry["points"] == noted["scores"] and entry["total"] == 50 and entry["before"] is None
    assert (entry["seed"], entry["level"], entry["why"]) == (11, "bubblewrap", ["graded for the first time"])
    assert entry["setup"]["kit"] == digest() and entry["result"] == noted["key"]
    nothing = {"own": 0, "reference": 0}
    assert told["follow_through"] == {
        "test_model": {**nothing, "points": 14},
    }
    unknown = ready.run([*command[:4], "nobody", command[5]], env=environment())
    assert unknown.returncode == 1 and "knows nothing of 'nobody'" in unknown.stderr


# ---------------------------------------------------------------- only what has changed


def test_a_second_run_grades_only_what_changed(tmp_path):
    made = course(tmp_path / "course", 3)
    first = made.grade_class()
    assert "3 submissions: 3 graded, none needs a look" in first.log and first.status == 0
    before = state(made)
    assert "3 submissions: 3 unchanged" in made.grade_class().log
    assert state(made) == before

    made.hand_in("all-00", submission("half", 100))
    assert "3 submissions: 2 unchanged, 1 graded" in "".join(sorted_counts(made.grade_class()))

    with contextlib.closing(sqlite3.connect(made.folder / "gradebook.db")) as database:
        database.execute("update grade set auto_score = 1")
        database.commit()
    shutil.rmtree(made.folder / "autograded" / "half-01")
    again = made.grade_class()
    assert "3 unchanged" in again.log and "graded" not in again.log
    assert sum(again.points("half-01").values()) == 50 and again.notebook("half-01")
    assert sum(again.points("all-00").values()) == 50

    for path in made.folder.glob(".grading/results/*/*.json"):  # a disk that has lost some of it
        path.write_bytes(path.read_bytes()[:1000])
    shutil.rmtree(made.folder / ".grading" / "learners")
    with contextlib.closing(sqlite3.connect(made.folder / "gradebook.db")) as database:
        database.execute("update grade set manual_score = 3, extra_credit = 1")  # an instructor's, in formgrader
        database.commit()
    assert "3 submissions: 3 graded" in made.grade_class().log
    with contextlib.closing(sqlite3.connect(made.folder / "gradebook.db")) as database:
        assert set(database.execute("select manual_score, extra_credit, needs_manual_grade from grade")) == {(3, 1, 1)}
    nothing_is_left(made)


def sorted_counts(graded: Graded) -> list[str]:
    """The line of the summary, with "unchanged" before "graded"."""
    line = next(line for line in graded.log.splitlines() if re.match(r"\d+ submissions?:", line))
    head, _, rest = line.partition(": ")
    return [head, ": ", ", ".join(sorted(rest.split(", ")[:2], key=lambda part: "unchanged" not in part))]


def test_a_dry_run_says_what_would_be_graded_and_does_nothing(tmp_path):
    made = course(tmp_path / "course", 3)
    assert "1 submission: 1 graded" in made.grade_class("--student=all-0[05]").log
    before, journal = state(made), results(made)
    graded = made.grade_class("--dry-run")
    assert "unchanged: all-00" in graded.log and "to grade: half-01" in graded.log
    assert "3 submissions: 1 unchanged, 2 to grade" in graded.log
    assert (state(made), results(made)) == (before, journal)


def test_a_course_may_be_reached_by_links(tmp_path):
    made = course(tmp_path / "course", 1)
    (made.folder / "submitted").rename(tmp_path / "elsewhere")
    (made.folder / "submitted").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "link").symlink_to(made.folder)
    made.folder = tmp_path / "link"
    graded = made.grade_class()
    assert "1 submission: 1 graded, none needs a look" in graded.log, graded.log


def test_an_assignment_of_two_notebooks_and_what_is_none(tmp_path):
    """--notebook grades one and leaves the other's points; a stray notebook and a stray file stop nobody."""
    source, erin, bob = (
        tmp_path / "source" / "hw",
        tmp_path / "submitted" / "erin" / "hw",
        tmp_path / "submitted/bob/hw",
    )
    for folder in (source, erin, bob.parent):
        folder.mkdir(parents=True)
    for name in ("a.ipynb", "b.ipynb"):
        (source / name).write_text(_of_cells(worth=("4", "test")))
    assert _run(tmp_path, "nbgrader", "generate_assignment", "hw").returncode == 0
    (source / "scratch.ipynb").write_text(_of_cells(worth=("9", "test")))
    for name in ("a.ipynb", "b.ipynb"):
        shutil.copy(tmp_path / "release" / "hw" / name, erin)
    bob.write_text("I am a file")
    (tmp_path / "submitted" / "eve").symlink_to(erin.parent)
    for program, *options in (
        ("grading", "--jobs=1"),
        ("grading", "--notebook=a", "--force"),
        ("nbgrader", "--notebook=b"),
    ):
        done = _run(tmp_path, program, "autograde", "hw", *options)
        assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
        assert "'bob'" in done.stderr and "This is no folder" in done.stderr
        assert "eve: This is a link to another folder" in done.stderr
        with contextlib.closing(sqlite3.connect(tmp_path / "gradebook.db")) as database:
            assert list(database.execute("select auto_score from grade")) == [(4,), (4,)], options
        if options == ["--jobs=1"]:
            assert "scratch.ipynb is left out" in done.stderr
            assert "3 submissions: 2 not graded, 1 graded, 2 need a look" in done.stderr


def _of_cells(**cells: tuple[str, str]) -> str:
    """A notebook of code cells, by grade_id; each is an "answer", a "test" or an answer that a person grades."""
    made = []
    for name, (source, kind) in cells.items():
        marks = {"grade": kind != "answer", "solution": kind != "test", "locked": kind == "test", "task": False}
        marks |= {"grade_id": name, "schema_version": 3} | ({"points": 9} if kind != "answer" else {})
        made.append({**code_cell(source), "id": name, "metadata": {"nbgrader": marks}})
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def _run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return ready.run([sys.executable, "-m", *command, f"--course-dir={folder}"], env=environment())


def test_other_kinds_of_graded_cells(tmp_path):
    """A test may assert; a value that is no number earns nothing; what a person grades runs in the jail."""
    where = tmp_path / "written"
    tests = {
        "holds": ("assert f(3) == 4", "test"),
        "fails": ("import math\nx = [f(3) for _ in range(1)]\nassert math.prod(x) == 5, 'f(3) is 4'", "test"),
        "words": ("f('')", "test"),
        "nothing": ("f.missing", "test"),
        "number": ("f(3)", "test"),
        "numpy": ("import numpy as np\nnp.int64(f(3))", "test"),
        "true": ("f = f\nf(3) == 4", "test"),
        "false": ("f(3) == 5", "test"),
        "huge": ("f(10**400)", "test"),
    }
    write = f"f = lambda x: x + 1 if x else 'all of it'\nopen({str(where)!r}, 'w')"
    source, erin = tmp_path / "source" / "hw", tmp_path / "submitted" / "erin" / "hw"
    for folder in (source, erin):
        folder.mkdir(parents=True)
    (source / "a.ipynb").write_text(_of_cells(f=("f = None", "answer"), text=("# write", "person"), **tests))
    assert _run(tmp_path, "nbgrader", "generate_assignment", "hw").returncode == 0
    (erin / "a.ipynb").write_text(_of_cells(f=("f = None", "answer"), text=(write, "person"), **tests))
    for program in ("nbgrader", "grading"):
        done = _run(tmp_path, program, "autograde", "hw", "--force")
        assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
        with contextlib.closing(sqlite3.connect(tmp_path / "gradebook.db")) as database:
            query = "select name, auto_score, needs_manual_grade from grade join base_cell on cell_id = base_cell.id"
            found = {name: (score, bool(manual)) for name, score, manual in database.execute(query)}
        expected = {
            "holds": 9,
            "fails": 0,
            "words": 0,
            "nothing": 0,
            "number": 4,
            "numpy": 4,
            "true": 9,
            "false": 0,
            "huge": 0,
        }
        assert found == {name: (points, False) for name, points in expected.items()} | {"text": (None, True)}, program
        graded = json.loads((tmp_path / "autograded" / "erin" / "hw" / "a.ipynb").read_text())
        shown = {cell["id"]: json.dumps(cell["outputs"]) for cell in graded["cells"]}
        assert "The test passed." in shown["holds"] and "The test failed: f(3) is 4." in shown["fails"]
        assert "worth no number of points" in shown["words"]
        assert "FileNotFoundError" in shown["text"] or "PermissionError" in shown["text"]
        assert not where.exists()


def test_without_the_assignment_it_says_what_to_do(tmp_path):
    made = course(tmp_path / "course", 1)
    (made.folder / "gradebook.db").unlink()
    graded = made.grade_class()
    assert graded.status == 1
    assert "There is no gradebook at" in graded.log and "make release" in graded.log
    assert "Traceback" not in graded.log
    assert not (made.folder / "gradebook.db").exists()


def test_below_the_required_level_nothing_is_graded(tmp_path):
    made = course(tmp_path / "course", 1)
    (made.folder / "bin").mkdir()
    for name in ("sh", "env", "uname"):
        (made.folder / "bin" / name).symlink_to(shutil.which(name))
    made.variables["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), str(made.folder / "bin")])
    graded = made.grade_class("--JudgedExecute.required=bubblewrap")
    assert graded.status == 1 and "level 'bubblewrap' is required" in graded.log
    assert "Traceback" not in graded.log and not results(made)


# ---------------------------------------------------------------- whatever happens


def test_killed_at_any_moment_it_goes_on_where_it_was(tmp_path):
    """What is there in the end is what an uninterrupted run gives."""
    whole, killed = (course(tmp_path / name, 4, pause=1.5) for name in ("whole", "killed"))
    whole.grade_class("--seed=3")
    for wanted in (0, 2):
        running = killed.start("--seed=3")
        wait_for(lambda: (killed.folder / ".grading" / "run.json").exists() and results(killed) >= wanted)  # noqa: B023
        running.kill()
        running.communicate()
        before = results(killed)
        assert before >= wanted
        wait_for(lambda: not processes(killed))
    graded = killed.grade_class("--seed=3")
    assert f"4 submissions: {4 - before} graded" in graded.log.replace(f"{before} unchanged, ", "") or before == 4
    assert rows(killed) == rows(whole)
    assert files(killed) == files(whole)
    assert kept(killed) == kept(whole)
    assert not list(killed.folder.glob("**/*.new"))
    nothing_is_left(killed)


def test_a_run_that_is_stopped_ends_cleanly_and_says_how_to_go_on(four):
    running = four.start()
    wait_for(lambda: results(four) >= 1)
    running.send_signal(signal.SIGINT)
    log, _ = running.communicate(timeout=300)
    assert running.returncode == 130, log
    assert "Stopped. What was graded is kept: run the same command again to go on." in log
    assert "Traceback" not in log
    nothing_is_left(four)
    seed = json.loads((four.folder / ".grading" / "run.json").read_text())["seed"]
    graded = four.grade_class()
    assert "none needs a look" in graded.log and len(rows(four)) == 4 * (8 + 7)
    traces = [json.loads(path.read_text())["trace"]["seed"] for path in four.folder.glob(".grading/results/*/*.json")]
    assert traces == [seed] * 4  # everybody was asked the same


def test_two_runs_at_once_the_second_says_so(four):
    running = four.start()
    wait_for(lambda: (four.folder / ".grading" / "run.json").exists())
    running.send_signal(signal.SIGSTOP)  # it is in the middle of it
    second = four.grade_class()
    running.send_signal(signal.SIGCONT)
    assert second.status == 1
    assert (
        f"Another run is grading this course (process {running.pid})" in second.log and "Nothing was done" in second.log
    )
    running.terminate()  # which is as Ctrl-C
    log, _ = running.communicate(timeout=300)
    assert running.returncode == 130 and "Stopped." in log and "Traceback" not in log, log
    nothing_is_left(four)


def test_a_worker_that_is_killed_is_replaced(four):
    running = four.start("--jobs=2")
    found = wait_for(lambda: results(four) >= 1 and len(workers := workers_of(four, running.pid)) == 1 + 2 and workers)
    for pid in found[:2]:
        os.kill(pid, signal.SIGKILL)
    log, _ = running.communicate(timeout=900)
    assert running.returncode == 0, log
    assert "4 submissions: 4 graded, none needs a look" in log
    nothing_is_left(four)


@pytest.mark.parametrize("program", ["grading", "nbgrader"])
def test_a_kernel_that_the_machine_ends_is_no_verdict(program, tmp_path):
    """Not with the points that were earned before, either; when it can be graded, it gets what it deserves."""
    made, mark, seen = course(tmp_path / "course", 1), f"97{os.getpid()}", set()
    waits = f"import subprocess\nsubprocess.run(['sleep', '{mark}'])"
    made.hand_in("victim", with_cell(submission("half", 7), waits, before="module"))

    def run(kills: int) -> Graded:
        """Grade; kill the kernel so many times, then let it go on, unless that was too often."""
        once = "--JudgedExecute.follow_through=False"  # it would wait again
        command = made.nbgrader_command("autograde", "tiny", once) if program == "nbgrader" else None
        with made.start(once, command=command) as running:
            for attempt in range(min(kills + 1, worker.ATTEMPTS)):
                sleeper = wait_for(lambda: sleepers() - seen).pop()
                seen.add(sleeper)
                os.kill(parent(sleeper) if attempt < kills else sleeper, signal.SIGKILL)
            log, _ = running.communicate()
        return Graded(running.returncode, log, made.folder)

    def sleepers() -> set[int]:
        asleep = f"sleep\0{mark}\0".encode()
        return {int(each.parent.name) for each in Path("/proc").glob("[0-9]*/cmdline") if read(each) == asleep}

    def parent(process: int) -> int:
        return int(re.search(rb"PPid:\s*(\d+)", read(Path(f"/proc/{process}/status")))[1])

    failed = run(worker.ATTEMPTS)
    assert failed.status == 1
    assert "not graded, not the learner's fault, 3 times: its kernel was ended from outside" in failed.log
    assert "Traceback" not in failed.log
    assert set(failed.points("victim").values()) <= {None}
    assert sum(failed.points("all-00").values()) == 86
    assert not (made.folder / "autograded" / "victim" / "tiny").exists() and results(made) == (program == "grading")
    graded = run(1)
    assert graded.status == 0, graded.log
    assert sum(graded.points("victim").values()) == 50 and not graded.remarks("victim")
    nothing_is_left(made)


def test_while_the_gradebook_is_locked_it_waits(four):
    """Another program has it for longer than SQLite itself waits, and until the run has said so."""
    lock = sqlite3.connect(four.folder / "gradebook.db", isolation_level=None, check_same_thread=False)
    running = four.start()
    wait_for(lambda: results(four) >= 1)
    lock.execute("begin exclusive")
    log = ""
    for line in running.stdout:
        log += line
        if "waiting for it" in line:
            lock.execute("rollback")
    lock.close()
    assert running.wait() == 0, log
    assert log.count("The gradebook is in use by another program (database is locked): waiting for it") == 1
    assert len(rows(four)) == 4 * (8 + 7)


def test_a_gradebook_that_is_deleted_half_way_can_be_filled_again(four):
    running = four.start("--jobs=1")
    wait_for(lambda: results(four) >= 1)
    (four.folder / "gradebook.db").unlink()
    log, _ = running.communicate(timeout=900)
    assert running.returncode == 1
    assert "There is no gradebook at" in log and "what was graded is kept" in log and "Traceback" not in log
    kept = results(four)
    four.release()
    graded = four.grade_class()
    assert f"{kept} unchanged" in graded.log and graded.status == 0
    assert len(rows(four)) == 4 * (8 + 7)


def test_a_gradebook_that_is_deleted_while_it_is_written_is_said_to_be_gone(tmp_path):
    made = course(tmp_path / "course")
    with (
        pytest.raises(gradebook.GradebookError, match="There is no gradebook at"),
        gradebook.transaction(made.db, "minitorch") as opened,
    ):
        opened.find_assignment("tiny")
        (made.folder / "gradebook.db").unlink()
        opened.add_student("ada")


def test_a_full_disk_stops_it_and_nothing_is_lost(four):
    """The journal is on a file system of its own that is soon full."""
    journal = four.folder / ".grading"
    journal.mkdir()
    space = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    mount = f"mount -t tmpfs -o size=48k tmpfs {journal} && exec {shlex.join(four.command())}"
    done = subprocess.run(
        [*space, "sh", "-c", mount],
        env=four.environment(),
        capture_output=True,
        text=True,
        timeout=120,
        cwd=kit.course(),
    )
    assert done.returncode == 1
    assert "Stopped: No space left on device" in done.stderr and "What was graded is kept" in done.stderr
    assert "Traceback" not in done.stderr
    nothing_is_left(four)
    assert not list(journal.iterdir())  # that file system is gone with its process
    assert rows(four) == [] or len(rows(four)) % (8 + 7) == 0  # whole submissions, or nothing


@pytest.mark.parametrize("program", ["grading", "nbgrader"])
@pytest.mark.parametrize(
    ("place", "says"), [("course", "Read-only file system|is read-only"), ("tmp", "No space left on device")]
)
def test_where_nothing_can_be_written_it_says_so(place, says, program, tmp_path):
    """Neither a course that is read-only nor a full folder for temporary files shows a traceback."""
    made = course(tmp_path / "course", 1)
    space = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    command = shlex.join(made.command() if program == "grading" else made.nbgrader_command("autograde", "tiny"))
    if place == "course":
        folder = shlex.quote(str(made.folder))
        mounts = f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}"
    else:
        mounts = f"mount -t tmpfs -o size=16k tmpfs {made.variables['TMPDIR']}"
    done = subprocess.run(
        [*space, "sh", "-c", f"{mounts} && cd {kit.course()} && exec {command}"],
        env=made.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and re.search(says, done.stderr), done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_closed_output_shows_no_traceback(four):
    """Whoever reads may go away, a disk with the output be full, or there be no output from the start."""
    python, journal = shlex.quote(sys.executable), shlex.quote(str(four.folder / ".grading"))
    grade = shlex.join(four.command("--dry-run"))
    for command, status in (
        (f"{python} -m grading results --db={four.db} >/dev/full", 1),
        (f"{python} -m grading results --db={four.db} >&-", 1),
        (f"{python} -m grading trace --journal={journal} | true", 0),
        (f"{grade} >/dev/full", 1),
        (f"{grade} 2>/dev/full", 0),
        (f"{grade} 2>&-", 0),
        (f"{grade} <&- >&- 2>&-", 1),
    ):
        done = subprocess.run(
            command, shell=True, cwd=kit.course(), env=four.environment(), capture_output=True, text=True
        )
        assert done.returncode == status, (command, done)
        assert not re.search("Traceback|Exception ignored", done.stderr), (command, done.stderr)
        if "/dev/full" in command and status:
            assert "No space left on device" in done.stderr, command


def test_a_clock_that_jumps_changes_nothing(tmp_path):
    folder = tmp_path / "jumping"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import itertools, time\n"
        "now, count = time.time, itertools.count()\n"
        "time.time = lambda: now() + (86400 * (next(count) // 50 % 3 - 1))\n"
    )
    made = course(tmp_path / "course", 3, PYTHONPATH=str(folder))
    with made.start() as running:
        log, _ = running.communicate()
    graded = Graded(running.returncode, log, made.folder)
    assert "3 submissions: 3 graded, none needs a look" in graded.log
    assert sum(graded.points("all-00").values()) == 86


# ---------------------------------------------------------------- names, dates and places


@pytest.mark.parametrize("program", ["grading", "nbgrader"])
def test_a_course_may_lie_anywhere_and_what_cannot_be_graded_is_said(program, tmp_path):
    """Folders and learners with characters that mean something in patterns; names and dates that mean nothing."""
    folder = tmp_path / "a [course] (of+mine) $HOME {x} ^.*"
    made = course(folder)
    shutil.copytree(kit.course() / "source" / "tiny", folder / "source" / "tiny")
    names = ("half [1]", "a+b (c)", "$HOME", "*")
    for name in names:
        made.hand_in(name, submission("none", 3))
    (made.hand_in("a+b (c)", None) / "timestamp.txt").write_bytes(b"\xef\xbb\xbf2026-01-05 10:00:00 UTC")
    (made.hand_in("*", None) / "timestamp.txt").write_text("10.03.2026")
    for name in ("..x", "new\nline"):
        made.hand_in(name, submission("all"))
    journal = [f"--ClassAutograde.journal_directory={folder / '.grading'}", "--jobs=1"]
    command = [sys.executable, "-m", program, "autograde", "tiny", f"--course-dir={folder}"]
    command += journal if program == "grading" else []

    def run(*options: str) -> str:
        log = ready.run([*command, *options], env=made.environment(), is_one=True).stdout
        assert "Traceback" not in log
        return log

    log = run()
    assert "..x: This is left out, as nbgrader passes by names that begin with a dot: rename it." in log
    assert "'new\\nline': This is no folder, or its name cannot be used." in log
    assert "*: timestamp.txt holds '10.03.2026', which some read as 2026-03-10 and some as 2026-10-03" in log
    with contextlib.closing(sqlite3.connect(folder / "gradebook.db")) as database:
        found = dict(database.execute("select student_id, timestamp from submitted_assignment"))
    assert found == {**dict.fromkeys(names), "a+b (c)": "2026-01-05 10:00:00.000000"}
    assert all((folder / "autograded" / name / "tiny" / "tiny.ipynb").exists() for name in names)
    assert "1 submission" in run("--student=half [1]", "--force")


def test_a_folder_that_is_swapped_for_a_link_while_a_class_is_graded_is_not_followed(tmp_path):
    made = course(tmp_path / "course", 1)
    folder = made.hand_in("eve", submission("none"))
    swap = f"os.rename({str(folder)!r}, {str(tmp_path / 'aside')!r})"
    swap += f"; os.symlink({str(made.folder / 'submitted' / 'all-00' / 'tiny')!r}, {str(folder)!r})"
    code = f"""
import os, sys
from grading import __main__, submissions
collect = submissions.collect
def swapped(place, *more):
    if "eve" in str(place) and not os.path.islink(place):
        {swap}
    return collect(place, *more)
submissions.collect = swapped
sys.exit(__main__.main(sys.argv[1:]))
"""
    with made.start(command=[sys.executable, "-c", code, *made.command()[3:]]) as running:
        log, _ = running.communicate()
    graded = Graded(running.returncode, log, made.folder)
    assert "eve: What was handed in cannot be read" in log
    assert sum(graded.points("eve").values()) == 0 and sum(graded.points("all-00").values()) == 86


FILES = ("/etc/passwd", "/etc/nosuch", "/etc", "../../../etc/passwd", "Europe/Berlin", "posixrules", ":/etc/passwd")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-03-10 12:00:00.5 UTC", "2026-03-10 12:00:00.5 UTC"),
        ("2026-03-10T12:00:00+01:00", "2026-03-10T12:00:00+01:00"),
        ("2026-03-10 12:00:00 +0100", "2026-03-10 12:00:00+0100"),  # else nbgrader takes it for 100 seconds
        ("20260310", "20260310"),
        ("13.03.2026", "13.03.2026"),
        ("March 10, 2026 12:00", "March 10, 2026 12:00"),
        ("10.03.2026 12:00:00 UTC", "some read as 2026-03-10 and some as 2026-10-03"),
        ("3/10/26", "some read as 2003-10-26 and some as 2026-03-10"),
        ("2026-03-10 12:00:00 CST", "'CST' is no known time zone"),
        ("2026-03-10 10:00:00 PM", "'PM' is no known time zone: write it as 2026-01-31 22:00:00 UTC"),
        ("2026-03-10 10:00 AM", "'AM' is no known time zone"),
        ("2026-03-10  10:00", "2026-03-10 10:00"),
        ("2026-03-10 10:00:00 EST", "2026-03-10 10:00:00 EST"),
        ("2026-03-10 10:00 PM UTC", "2026-03-10 10:00 PM UTC"),
        ("12:30", "a part of a date"),
        ("March 2026", "a part of a date"),
        # What a file is, or whether there is one, is not told.
        *((f"2026-03-10 10:00:00 {name}", f"{name!r} is no known time zone") for name in FILES),
        *((f"10 March {name}", f"{name!r} is no known time zone") for name in FILES),
    ],
)
def test_dates_that_two_readers_read_differently_are_refused(text, read):
    try:
        assert readable_date(text) == read
    except (ValueError, Unclear) as error:
        assert read in str(error)


# ---------------------------------------------------------------- the journal


def test_the_log_says_why_points_changed_and_keeps_what_they_were(tmp_path):
    made, limits = course(tmp_path / "course", 2), "--JudgedExecute.cell_seconds=20"
    made.grade_class("--seed=1")
    made.hand_in("all-00", submission("half", 5))
    made.grade_class(limits)
    with contextlib.closing(sqlite3.connect(made.folder / "gradebook.db")) as database:
        database.execute("update grade set auto_score = 1")
        database.commit()
    journal = made.folder / ".grading"
    place = journal / "log.jsonl"
    before = place.read_bytes()
    made.grade_class(limits)
    assert place.read_bytes().startswith(before)
    place.write_bytes(place.read_bytes() + b'{"half a li')  # as a run leaves it that is killed
    made.grade_class(limits, "--force", "--student=all-00")
    entries, bad = Journal(journal).history()
    told = [(entry["learner"], entry["total"], _sum(entry["before"]), entry["why"]) for entry in entries]
    lost = "the gradebook or the graded notebook was not as it had been written"
    assert told == [
        ("all-00", 86, None, ["graded for the first time"]),
        ("half-01", 50, None, ["graded for the first time"]),
        ("all-00", 50, 86, ["something else was handed in", "limits were changed"]),
        ("half-01", 50, 50, ["limits were changed"]),
        ("all-00", 50, 8, [lost]),
        ("half-01", 50, 8, [lost]),
        ("all-00", 50, 50, ["graded again"]),
    ]
    assert bad == 1
    command = [sys.executable, "-m", "grading", "trace", f"--journal={journal}"]
    done = ready.run(command, env=environment())
    assert done.stderr == "Left out: 1 line of the log that cannot be read.\n"
    lines = done.stdout.splitlines()
    assert len(lines) == 7 and "  tiny  all-00  50, 86 before (test_tensor 40, test_module 10, " in lines[2]
    assert "in, limits were changed; seed " in lines[2] and f"kit {digest()[:8]}, level bubblewrap" in lines[2]


def test_a_name_that_the_terminal_cannot_show_is_shown_all_the_same(tmp_path):
    journal = Journal(tmp_path / "journal")
    entry = {"at": "2026-01-05", "assignment": "tiny", "learner": "Łukasz", "total": 1, "before": None}
    run = {"points": {"test_tensor": 1}, "why": ["graded"], "seed": 1, "setup": {"kit": "0" * 8}, "level": "process"}
    journal.log([{**entry, **run}])
    command = [sys.executable, "-m", "grading", "trace", f"--journal={journal.folder}"]
    variables = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, cwd=kit.course(), env=variables, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and "\\u0141ukasz" in done.stdout


def _sum(points: dict[str, float] | None) -> float | None:
    return None if points is None else sum(points.values())


def test_a_journal_that_is_damaged_anywhere_stops_no_run(tmp_path):
    """It is graded as if there were nothing; what lies there is set aside, and that is said once."""
    made = course(tmp_path / "course", 3)
    made.grade_class("--seed=1")
    before, journal = state(made), made.folder / ".grading"
    learners, entries = journal / "learners" / "tiny", sorted(journal.glob("results/*/*.json"))
    text = entries[0].read_bytes()
    entries[0].write_bytes(text[:900] + bytes([text[900] ^ 1]) + text[901:])
    entries[1].unlink()
    entries[1].mkdir()
    shutil.rmtree(learners)
    os.mkfifo(learners)
    (journal / "run.json").write_text("[3]")
    (journal / "log.jsonl").unlink()
    (journal / "log.jsonl").symlink_to("nowhere")
    shutil.rmtree(journal / "now", ignore_errors=True)
    (journal / "now").write_text("")
    dry = made.grade_class("--dry-run")
    assert dry.status == 0 and "2 to grade" in dry.log and not list(journal.rglob("*.set-aside-*")), dry.log
    graded = made.grade_class("--seed=1")
    assert graded.status == 0, graded.log
    assert "3 submissions: 1 unchanged, 2 graded" in "".join(sorted_counts(graded))
    assert graded.log.count("of the journal could not be read, and counted as absent") == 1
    assert state(made) == before
    aside = {path.name for path in journal.rglob("*.set-aside-0")}
    assert {"run.json.set-aside-0", "now.set-aside-0", "tiny.set-aside-0", "log.jsonl.set-aside-0"} < aside
    assert len(aside) == 6
    again = made.grade_class()
    assert "3 unchanged" in again.log and "journal" not in again.log


@pytest.mark.parametrize("kind", ["file", "folder", "pipe", "link"])
def test_what_is_no_journal_is_set_aside(kind, tmp_path):
    """In the place of each part of it, and of its folder."""
    make = {
        "file": lambda place: place.write_text("text"),
        "folder": lambda place: (place / "in it").mkdir(parents=True),
        "pipe": os.mkfifo,
        "link": lambda place: place.symlink_to(place),
    }[kind]
    parts = ["", "lock", "now", "run.json", "log.jsonl", "results", "results/ab", f"results/ab/{'ab' * 32}.json"]
    parts += ["learners", "learners/a", "learners/a/b.json", "learners/a/b.json.new"]
    for number, part in enumerate(parts):
        journal = Journal(tmp_path / str(number))
        place = journal.folder / part
        place.parent.mkdir(parents=True, exist_ok=True)
        make(place)
        with journal.locked():
            assert (journal.get("ab" * 32), journal.written("a", "b"), journal.history()[0]) == (None, {}, [])
            journal.put("ab" * 32, Result({}, ["x"], {}))
            journal.note("a", "b", {"key": "k"})
            journal.log([{"learner": "b"}])
            assert journal.begin("setup", 5, anew=False) == 5
            assert journal.get("ab" * 32).remarks == ["x"] and journal.written("a", "b") == {"key": "k"}
            assert journal.history()[0] == [{"learner": "b"}]
        is_as_it_is_made = kind == "folder" and part in ("", "results", "results/ab", "learners", "learners/a", "now")
        is_left_over = kind == "file" and part in ("lock", "log.jsonl", "learners/a/b.json.new")
        assert bool(journal.damage()) == (not is_as_it_is_made and not is_left_over), part


def test_every_change_of_a_byte_is_noticed():
    data = sealed('{"a": [1, "x"], "b": {}}')
    assert json.loads(data)["a"] == [1, "x"] and unsealed(data) == b'{"a": [1, "x"], "b": {}}'
    for place in range(len(data)):
        for bit in range(8):
            with pytest.raises(ValueError):
                unsealed(data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :])
        for shorter in (data[:place], data[:place] + data[place + 1 :]):
            with pytest.raises(ValueError):
                unsealed(shorter)


# ---------------------------------------------------------------- parts


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_progress_is_a_bar_in_a_terminal_and_lines_elsewhere(stream, monkeypatch):
    shown = stream()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr("grading.progress.LINE_SECONDS", 0.0)
    with Progress(3) as progress:
        progress.step("unchanged", "ada")
        progress.step("graded", "b\x1b[31mob", ["'tiny.ipynb' is empty."], 2.0)
        progress.step("graded", "eve", seconds=1.0)
        assert progress.finish()
    text = shown.getvalue()
    assert "bob: 'tiny.ipynb' is empty." in text
    assert "\x1b[31m" not in text
    assert "3 submissions: 1 unchanged, 2 graded, 1 need a look" in text and "1.50 s of a worker" in text
    if stream is Terminal:
        assert "grading" in text and "3/3" in text and "submission/s" in text
    else:
        assert "3 of 3 submissions" in text and "s left" in text and "3/3" not in text


def test_a_learner_whose_result_cannot_be_written_stops_nobody(tmp_path):
    class Desk:
        def __init__(self) -> None:
            self.names: list[str] = []

        def written(self, done: list[Any]) -> None:
            if any(learner.name == "bob" for learner, _ in done):
                raise ZeroDivisionError("in a plugin")
            self.names.extend(learner.name for learner, _ in done)
            raise gradebook.GradebookError("enough")  # nothing after the gradebook matters here

    desk, progress, journal = Desk(), Progress(3), Journal(tmp_path / "journal")
    plan = Plan(SETUP, journal, "tiny", ["tiny"], tmp_path, {}, {}, lambda name: tmp_path / name)
    ledger = Ledger(plan, desk, progress, print)
    for name in ("ada", "bob"):
        ledger.add(Learner(name, "", Path()), Result(), "graded")
    with pytest.raises(gradebook.GradebookError, match="enough"):
        ledger.write_ready()
    ledger.add(Learner("bob", "", Path()), Result(), "graded")
    progress.take_back("graded")  # it was counted before
    ledger.write_ready()
    assert desk.names == ["ada"]
    assert +progress.counts == {"graded": 1, "not graded": 1} and progress.looks == ["bob"]


SETUP = Setup({}, {}, Settings(submission_seconds=1), 0, "kit", "tiny")


def test_a_submission_that_kills_its_worker_is_noted_and_the_others_go_on(monkeypatch):
    class Dying:
        setup = SETUP

        def grade(self, job: Job) -> Result:
            raise EOFError

        def close(self) -> None:
            pass

    monkeypatch.setattr(worker, "Process", lambda setup: Dying())
    monkeypatch.setattr(worker, "_threads", type("Threads", (), {})())
    found = Result.loads(worker.grade(SETUP, Job({}, {})))
    assert not found.notebooks and found.remarks == ["not graded, not the learner's fault, 3 times: its worker died."]


def test_a_machine_with_another_version_of_the_kit_refuses():
    with pytest.raises(WorkerError, match="has another version of the kit"):
        worker.Process(Setup({}, {}, Settings(), 0, "other"))


def test_a_result_in_json_is_the_same_result():
    result = Result({"a": b"\x00\xff"}, ["so"], {"seed": 1})
    assert Result.loads(result.dumps()) == result
    for text in ("", "[]", "{}", '{"format": 2}', '{"format": 1, "notebooks": 3}', "null"):
        with pytest.raises(ValueError):
            Result.loads(text)


def test_a_journal_is_there_as_a_whole_or_not_at_all(tmp_path):
    journal = Journal(tmp_path / "journal")
    assert journal.get("ab" * 32) is None and journal.written("a", "b") == {}
    with journal.locked():
        with pytest.raises(Busy, match=f"process {os.getpid()}"), Journal(tmp_path / "journal").locked():
            pass
        journal.put("ab" * 32, Result({}, ["x"], {}))
        journal.note("tiny", "x" * 255, {"key": "k"})
        assert journal.get("ab" * 32).remarks == ["x"]
        assert journal.written("tiny", "x" * 255) == {"key": "k"}
        assert journal.begin("setup", 5, anew=False) == 5
        assert journal.begin("setup", 6, anew=False) == 5  # it goes on
        assert journal.begin("other", 7, anew=False) == 7
        journal.end("other", 7)
        assert journal.begin("other", 8, anew=False) == 8
        assert journal.begin("other", 9, anew=True) == 9
    (tmp_path / "journal" / "results" / "left.new").write_text("half")
    with journal.locked():
        assert not list((tmp_path / "journal").rglob("*.new"))


def test_a_transaction_that_fails_leaves_the_gradebook_as_it_was(tmp_path):
    made = course(tmp_path / "course")
    with pytest.raises(RuntimeError), gradebook.transaction(made.db, "minitorch") as opened:
        opened.update_or_create_student("somebody")
        raise RuntimeError
    with gradebook.transaction(made.db, "minitorch") as opened:
        assert opened.students == []
        opened.update_or_create_student("somebody")
    with gradebook.transaction(made.db, "minitorch") as opened:
        assert [student.id for student in opened.students] == ["somebody"]
