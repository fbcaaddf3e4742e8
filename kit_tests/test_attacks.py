"""The attacks of attacks.py, each of them run for real by `nbgrader autograde`, in the jail.

Everything that they reach for is made here, and is ours: files with a canary in them, listeners, a process that sleeps.
Afterwards no canary is in any notebook or page, the files are as they were, nobody called, the process is alive; every
learner has the points that the honest work deserves, and the honest learners' rows in the gradebook have not changed.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import resource
import secrets
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import attacks
import course
import kit
import matplotlib
import pytest
from attacks import ATTACKS, Attack
from kit import ROOT

from grading import jail

GIB = 1 << 30
LIMITS = [
    *("--JudgedExecute.required=bubblewrap", f"--JudgedExecute.memory={GIB}", "--JudgedExecute.request_seconds=2"),
    *("--JudgedExecute.cell_seconds=8", "--JudgedExecute.submission_seconds=60", "--JudgedAutograde.seed=1"),
    "--JudgedExecute.judge_seconds=10",
]
LEARNERS = {each.name: f"{number:02}-{each.name}{'-page' * each.page}" for number, each in enumerate(ATTACKS)}
# Honest learners, each graded right after an attack that could harm the next one.
NEIGHBORS = {"forged_drip": "half", "fork_bomb": "right", "markup_outputs": "page"}


@dataclass
class Outside:
    """What the attacks reach for, and what came of it.

    Attributes:
        canary: the beginning of every secret text.
        targets: what the attacks are told.
        listeners: sockets that nobody may reach.
        victim: a process that nobody may end.
    """

    folder: Path
    canary: str = field(default_factory=lambda: f"canary-{secrets.token_hex(8)}")
    targets: dict[str, Any] = field(default_factory=dict)
    listeners: dict[str, socket.socket] = field(default_factory=dict)
    victim: subprocess.Popen | None = None

    def prepare(self, stack: contextlib.ExitStack, honest: str) -> None:
        """Make all of it; `honest` is the learner whose submission others want to read."""
        secret, home = self.folder / "secret" / "file.txt", self.folder / "home" / "key.txt"
        for path in (secret, home):
            path.parent.mkdir()
            path.write_text(f"{self.canary}-{path.name}")
        self.victim = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(3600)"], env={"MINITORCH_CANARY": f"{self.canary}-victim"}
        )
        stack.callback(self.victim.wait)
        stack.callback(self.victim.kill)
        mark = f"mt{secrets.token_hex(5)}"  # a process has a name of at most 15 characters
        for name, (family, kind, address) in {
            "tcp": (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            "tcp6": (socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0)),
            "udp": (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            "abstract": (socket.AF_UNIX, socket.SOCK_STREAM, f"\0{mark}-name"),
            "datagram": (socket.AF_UNIX, socket.SOCK_DGRAM, f"\0{mark}-name-datagram"),
            "socket": (socket.AF_UNIX, socket.SOCK_STREAM, str(self.folder / "s")),
        }.items():
            listener = stack.enter_context(socket.socket(family, kind))
            listener.setblocking(False)
            try:
                listener.bind(address)
            except OSError:  # no IPv6 on this machine
                self.targets[name] = 1
                continue
            if kind == socket.SOCK_STREAM:
                listener.listen()
            self.listeners[name] = listener
            self.targets[name] = listener.getsockname()[1] if family != socket.AF_UNIX else str(self.folder / "s")
        self.targets |= {
            "secret": str(secret),
            "home": str(home),
            "untouched": str(self.folder / "untouched"),
            "abstract": f"{mark}-name",
            "mark": mark,
            "grader": os.getpid(),
            "victim": self.victim.pid,
            "gradebook": str(self.folder / "course" / "gradebook.db"),
            "submission": str(self.folder / "course" / "submitted" / honest / "tiny" / "tiny.ipynb"),
            "graded": str(self.folder / "course" / "autograded" / honest / "tiny" / "tiny.ipynb"),
            "source": str(kit.course() / "source" / "tiny" / "tiny.ipynb"),
            "solutions": str(kit.course() / "solutions" / "tiny" / "tiny.ipynb"),
            "release": str(kit.course() / "release" / "tiny" / "tiny.ipynb"),
            "checks": str(kit.course() / "checks" / "section.py"),
            "judge": str(kit.course() / "grading" / "judge.py"),
        }

    def marked(self) -> list[str]:
        """Processes that an attack started and that are still there."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                known = (path / "comm").read_text(errors="replace") + (path / "cmdline").read_text(errors="replace")
                found += [f"{path.name}: {known}"] if self.targets["mark"] in known else []
        return found


@dataclass
class Run:
    """One run over all attacks and honest learners."""

    outside: Outside
    course: course.Course
    graded: course.Graded
    feedback: subprocess.CompletedProcess[str]
    rows: list[dict[str, list[tuple]]]  # of the honest learners: graded alone, and beside the attacks
    memory: tuple[int, int]  # most that a process of ours had, in KiB, before and after

    def notebook(self, attack: Attack) -> dict[str, Any]:
        return self.graded.notebook(LEARNERS[attack.name])

    def page(self, learner: str) -> str:
        return (self.course.folder / "feedback" / learner / "tiny" / "tiny.html").read_text(encoding="utf-8")


def honest_learners(canary: str) -> dict[str, dict[str, Any]]:
    """Submissions by learner."""
    solved = {name: course.solution(name) for name in attacks.ALL_OF_IT}
    wrong = course.solution("tensor").replace("unbroadcast(-base, right.shape)", "unbroadcast(base, right.shape)")
    work = {"right": solved, "half": {**solved, "tensor": wrong, "loss": ""}, "page": {}}
    made = {}
    for attack, kind in NEIGHBORS.items():  # nbgrader sorts paths, and "_" comes after "/"
        submission = course.notebook(**work[kind])
        submission["cells"] = [cell for cell in submission["cells"] if "nbgrader" in cell["metadata"]]
        submission["cells"].insert(1, course.code_cell(f"# {canary}-submission\nprint('mine')"))
        made[f"{LEARNERS[attack]}_neighbor{'-page' * (kind == 'page')}"] = submission
    return made


def rows_of(gradebook: Path, learners: list[str]) -> dict[str, list[tuple]]:
    """All that the gradebook says of learners, without the ids of rows."""
    found = {}
    with contextlib.closing(sqlite3.connect(gradebook)) as database:
        database.row_factory = sqlite3.Row
        for table in ("grade", "comment"):
            rows = database.execute(
                f"select submitted_assignment.student_id as learner, base_cell.name as cell, {table}.* from {table} "
                f"join base_cell on {table}.cell_id = base_cell.id "
                f"join submitted_notebook on {table}.notebook_id = submitted_notebook.id "
                "join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id"
            ).fetchall()
            found[table] = sorted(
                tuple((key, row[key]) for key in row.keys() if key in ("learner", "cell") or not key.endswith("id"))  # noqa: SIM118
                for row in rows
                if row["learner"] in learners
            )
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Run]:
    """All attacks beside honest learners, or those of the option --attack."""
    chosen = {*request.config.getoption("--attack")}
    if jail.probe().name != "bubblewrap":
        pytest.fail(f"attacks run in bubblewrap only: {jail.probe().as_text()}")
    folder = tmp_path_factory.mktemp("attacks")
    outside = Outside(folder)
    honest = honest_learners(outside.canary)
    with contextlib.ExitStack() as stack:
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        environment.setenv("MPLCONFIGDIR", matplotlib.get_configdir())
        outside.prepare(stack, next(iter(honest)))
        environment.setenv("HOME", str(folder / "home"))
        environment.setenv("MINITORCH_CANARY", f"{outside.canary}-environment")
        (folder / "course").mkdir()
        made = course.Course(folder / "course")
        for learner, submission in honest.items():
            made.hand_in(learner, submission)
        alone = made.grade(*LIMITS)
        assert alone.status == 0, alone.log
        rows = [rows_of(made.folder / "gradebook.db", list(honest))]
        with contextlib.closing(sqlite3.connect(made.folder / "gradebook.db")) as database:
            database.execute("update student set first_name = ?", (f"{outside.canary}-gradebook",))
            database.commit()
        for attack in [each for each in ATTACKS if not chosen or each.name in chosen]:
            place = made.hand_in(LEARNERS[attack.name], attacks.notebook(attack, outside.targets))
            if attack.files:
                attack.files(place, outside.targets)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        graded = made.grade(*LIMITS, is_own=True)  # whose memory is looked at
        after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        rows.append(rows_of(made.folder / "gradebook.db", list(honest)))
        feedback = made.nbgrader("generate_feedback", "tiny", "--CourseDirectory.student_id=*-page")
        yield Run(outside, made, graded, feedback, rows, (before, after))


def shown_by(cells: list[dict[str, Any]]) -> str:
    """All that cells show below them."""
    parts = []
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        parts += ["".join(output.get("text", "")), output.get("ename", ""), output.get("evalue", "")]
        parts += output.get("traceback", [])
        for form, value in output.get("data", {}).items():
            parts += [
                form,
                value if isinstance(value, str) else "".join(value) if isinstance(value, list) else str(value),
            ]
    return "\n".join(parts)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack_earns_what_the_honest_work_in_it_deserves(run, attack):
    points = run.graded.points(LEARNERS[attack.name])
    cells = run.notebook(attack)["cells"]
    graded = [cell for cell in cells if cell["metadata"].get("nbgrader", {}).get("grade")]
    own = [cell for cell in cells if "nbgrader" not in cell["metadata"] and cell["cell_type"] == "code"]
    notes = "".join("".join(cell["source"]) for cell in cells if cell["id"] == "grading-notes")
    verdicts, shown = shown_by(graded), shown_by([cell for cell in cells if cell not in graded])
    assert {name: score for name, score in points.items() if score != 0} == attack.points, notes + verdicts[-3000:]
    for text in attack.shows:
        assert text in shown + notes + verdicts, f"the attempt was not made:\n{notes}{shown[:3000]}"
    found = re.search("got in: .*", shown)
    assert found is None, found[0]
    raised = [output["ename"] for cell in own for output in cell["outputs"] if output["output_type"] == "error"]
    assert attack.raises or not raised, f"the attack itself is wrong: {raised}"
    for text in attack.hides:
        assert text not in shown_by(own)
    assert re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", notes + verdicts) == []
    for output in (output for cell in graded for output in cell["outputs"]):
        assert re.search("<(script|img|svg)", "".join(output["data"].get("text/html", ""))) is None


def test_there_are_many_attacks_and_each_says_what_stopped_it():
    assert len(ATTACKS) >= 120
    assert len(LEARNERS) == len(ATTACKS)
    assert all(re.fullmatch(r"[A-Z].*\.", attack.stopped_by) for attack in ATTACKS)


@pytest.mark.parametrize(
    ("chosen", "status", "says"),
    [
        ("zips", pytest.ExitCode.OK, r"deserves\[zips\]\n\n1/\d+ tests collected"),
        ("ziqs", pytest.ExitCode.USAGE_ERROR, "no ziqs"),
    ],
)
def test_one_attack_can_be_chosen(chosen, status, says):
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", __file__, f"--attack={chosen}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == status and re.search(says, done.stdout + done.stderr), done.stdout + done.stderr


def test_every_attack_was_graded_and_the_run_went_on(run):
    assert run.graded.status == 1
    assert "Traceback" not in run.graded.log
    assert f"{len(ATTACKS) + len(NEIGHBORS)} submissions graded" in run.graded.log


def test_honest_learners_rows_are_the_same_with_and_without_the_attacks(run):
    alone, beside = run.rows
    assert len(alone["grade"]) == 8 * len(NEIGHBORS) and len(alone["comment"]) == 7 * len(NEIGHBORS)
    assert alone == beside


def test_no_canary_was_carried_out(run):
    for attack in ATTACKS:
        assert run.outside.canary not in json.dumps(run.notebook(attack)), attack.name
        if attack.page:
            assert run.outside.canary not in run.page(LEARNERS[attack.name]), attack.name
    assert run.outside.canary not in run.graded.log


def test_what_lies_outside_is_as_it_was(run):
    targets, canary = run.outside.targets, run.outside.canary
    assert Path(targets["secret"]).read_text() == f"{canary}-file.txt"
    assert Path(targets["home"]).read_text() == f"{canary}-key.txt"
    assert not Path(targets["untouched"]).exists()
    assert sorted(path.name for path in run.outside.folder.iterdir()) == ["course", "home", "s", "secret"]
    with contextlib.closing(sqlite3.connect(targets["gradebook"])) as database:
        assert database.execute("select count(*) from grade where manual_score is not null").fetchone() == (0,)
    for learner in (run.course.folder / "autograded").iterdir():
        assert not [path for path in learner.rglob("*") if path.is_symlink()], learner.name


def test_nobody_called_and_nobody_was_killed(run):
    assert run.outside.victim.poll() is None
    state = Path("/proc", str(run.outside.victim.pid), "status").read_text()
    assert re.search(r"State:\s+S", state) and re.search(r"TracerPid:\s+0\b", state)
    assert len(run.outside.listeners) >= 5
    for name, listener in run.outside.listeners.items():
        with pytest.raises(BlockingIOError):
            listener.recv(1) if listener.type == socket.SOCK_DGRAM else listener.accept()
            pytest.fail(f"somebody reached {name}")


def test_nothing_that_was_started_is_left(run):
    assert run.outside.marked() == []


def test_nothing_reaches_the_terminal(run):
    assert (
        re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", run.graded.log + run.feedback.stdout + run.feedback.stderr) == []
    )


def test_the_grader_stays_small(run):
    before, after = run.memory
    assert after <= max(before, 3 * GIB // 2 // 1024), f"{after / 1024:.0f} MiB"
    for attack in ATTACKS:
        path = run.course.folder / "autograded" / LEARNERS[attack.name] / "tiny" / "tiny.ipynb"
        assert path.stat().st_size < 40 << 20, attack.name


# ---------------------------------------------------------------- feedback pages

URLS = ("href", "src", "srcset", "action", "formaction", "data", "poster", "background", "xlink:href", "style")
RUNS = re.compile(rb"learner\.invalid|script|\son\w+=|<(foreign|a|set|animate|filter)", re.IGNORECASE)
NEVER = {"iframe", "object", "embed", "form", "input", "base", "svg", "math", "video", "audio", "link", "template"}


class Page(HTMLParser):
    """The elements of a page: scripts with their text, and all others with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[tuple[Any, str]] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((attrs, ""))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            attributes, text = self.scripts.pop()
            self.scripts.append((attributes, text + data))


def test_feedback_was_made(run):
    assert run.feedback.returncode == 0, run.feedback.stderr[-3000:]


def test_feedback_pages_run_nothing_and_load_nothing_of_the_learners(run):
    neighbor = next(learner for learner in honest_learners("") if learner.endswith("-page"))
    ours = Page(run.page(neighbor))
    assert ours.scripts
    pages = [attack for attack in ATTACKS if attack.page]
    assert len(pages) >= 8
    for attack in pages:
        page = Page(run.page(LEARNERS[attack.name]))
        assert page.scripts == ours.scripts, attack.name
        for tag, attributes in page.elements:
            assert tag not in NEVER, (attack.name, tag, attributes)
            assert not (tag == "meta" and "http-equiv" in attributes), attack.name
            for name, value in attributes.items():
                drawing = re.match("data:image/svg.xml;base64,(.*)", value or "")
                assert not drawing or not RUNS.search(base64.b64decode(drawing[1])), (attack.name, drawing[1])
                value = re.sub(r"\s", "", value or "").lower()
                assert not name.startswith("on"), (attack.name, tag, attributes)
                if name in URLS and tag != "script":
                    assert not re.match(r"(java|vb)script:|data:(?!image/(png|jpeg|gif|svg\+xml);base64)", value), (
                        attack.name,
                        value,
                    )
                    assert "learner.invalid" not in value and "url(" not in value, (attack.name, tag, value)
                    assert tag == "a" or not re.match(r"(\w+:)?[/\\]", value), (attack.name, tag, value)
                assert not (
                    name == "class" and re.search("modal|navbar|fixed|panel", value) and not ours_has(ours, value)
                )


def ours_has(ours: Page, classes: str) -> bool:
    """Whether our own page has an element of these classes."""
    return any(re.sub(r"\s", "", attributes.get("class") or "").lower() == classes for _, attributes in ours.elements)
