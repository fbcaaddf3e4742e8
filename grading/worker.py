"""Grades submissions in a process of its own: what a class is spread over.

    grade(setup, job)          in a thread of any concurrent.futures.Executor: hands the job to that thread's process
    python -m grading.worker   a process that loads PyTorch and the tests, and whose copies are those of the threads:
                               jail, kernels and judge, for one job after the other

Both talk over a socket in JSON and raw bytes. A worker sees the course's notebook, the files beside it, and the one
submission that it was sent; no gradebook, and nothing else of the course.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import gc
import gzip
import hashlib
import importlib
import importlib.metadata
import itertools
import json
import os
import platform
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from checks.observe import PATIENCE
from grading import assignments, jail, submissions, warm
from grading.budget import Budget
from grading.kernel.wire import Channel, WireError
from grading.limits import Settings

ROOT = Path(__file__).resolve().parent.parent
FORMAT = 1  # of results
LARGEST_JOB = 1 << 30  # bytes, and of a result
STOPPED = "The run has been stopped."
START_SECONDS = 120.0
IDLE_SECONDS = 300.0  # without a job, after which a worker's process ends
# What verdicts and pages are made with, beside what an assignment needs; what these ask for follows.
DECIDING = ("numpy", "nbgrader", "ipykernel", "bleach[css]", "matplotlib")
ATTEMPTS = 3  # to grade a submission whose worker or kernel the machine ended
_threads = threading.local()  # each has its Process
_started: set[Process] = set()
_numbers = itertools.count(1)
_starting, _closing, _closed = threading.Lock(), threading.Lock(), threading.Event()


# What comes before grading or after it: no verdict depends on it, and its changes have nobody graded again.
DESK = frozenset(
    f"{name}.py"
    for name in (
        *("__main__", "attempts", "charts", "collect", "dates", "export", "feedback", "fingerprints"),
        *("first_screen", "history"),
        *("insight", "pages", "platforms", "results", "roster", "similar", "tables"),
    )
)


class WorkerError(Exception):
    """Workers cannot grade as asked; the message says why, and what to do."""


@dataclass
class Setup:
    """What all submissions of a run have in common.

    Attributes:
        notebooks: the course's notebooks with nbgrader's marks, as JSON text, by name.
        files: what lies beside them, by relative path.
        settings: how it is graded.
        seed: of all checks.
        assignment: its name.
        kit: digest of the code that grades: every machine must have the same.
        pinned: whether each process keeps to one processor, and its kernels with it: judge and kernel always wait for
            each other. Only for all processors of a machine that is ours.
    """

    notebooks: dict[str, str]
    files: dict[str, bytes]
    settings: Settings
    seed: int
    kit: str
    assignment: str = ""
    pinned: bool = False

    def parts(self) -> dict[str, str]:
        """Digests of all that decides on a verdict, but for the seed."""
        files = {name: digest(content) for name, content in self.files.items()}
        parts = {"notebooks": self.notebooks, "files": files, "settings": asdict(self.settings)}
        return {**{name: digest(what) for name, what in parts.items()}, "kit": self.kit}

    def digest(self) -> str:
        return digest(self.parts())


@dataclass
class Job:
    """One submission.

    Attributes:
        notebooks: for each of the course's notebooks the file that was handed in: its name, and the remarks on it.
        contents: their bytes; None for one that there is none of.
    """

    notebooks: dict[str, tuple[str, list[str]]]
    contents: dict[str, bytes | None]


@dataclass
class Graded:
    """A submission's result.

    Attributes:
        notebooks: the graded notebooks, as JSON text, compressed with gzip, by name; none if it could not be graded.
        remarks: what the learner and the instructor should know, a sentence each.
        trace: how the verdicts came about: seed, limits, level of the jail, versions, when, how long, and both points
            of what was judged twice.
    """

    notebooks: dict[str, bytes] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    trace: dict[str, Any] = field(default_factory=dict)

    def dumps(self) -> str:
        """As JSON."""
        notebooks = {name: base64.b64encode(data).decode("ascii") for name, data in self.notebooks.items()}
        return json.dumps({"format": FORMAT, "notebooks": notebooks, "remarks": self.remarks, "trace": self.trace})

    @classmethod
    def loads(cls, text: str | bytes) -> Graded:
        """From JSON.

        Raises:
            ValueError: when it is something else.
        """
        try:
            document = json.loads(text)
            if document["format"] != FORMAT:
                raise ValueError(f"a result in format {document['format']!r}")
            notebooks = {name: base64.b64decode(data) for name, data in document["notebooks"].items()}
            return cls(notebooks, document["remarks"], document["trace"])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no result: {error}") from None

    def notebook(self, name: str) -> NotebookNode:
        return nbformat.v4.reads(gzip.decompress(self.notebooks[name]).decode("utf-8"))


def digest(what: Any) -> str:
    """SHA-256 of bytes, or of something as JSON."""
    data = what if isinstance(what, bytes) else json.dumps(what, sort_keys=True).encode("ascii")
    return hashlib.sha256(data).hexdigest()


@cache
def kit(assignment: str) -> str:
    """Digest of the code that grades an assignment, of its Python, and of the libraries it computes with.

    Raises:
        ImportError: where what is declared of the assignment cannot be read.
    """
    own = assignments.code(assignment)
    ours = [path for path in (ROOT / "grading").rglob("*.py") if path.name not in DESK]
    files = [*own, *(ROOT / "checks").glob("*.py"), *ours]
    code = {path.relative_to(ROOT).as_posix(): digest(path.read_bytes()) for path in files}
    return digest([code, platform.python_version(), packages([*DECIDING, *needed(assignment)])])


def needed(assignment: str) -> list[str]:
    """The packages that an assignment and those that it builds on declare."""
    return [package for declared in assignments.family(assignment).values() for package in declared.packages]


def packages(roots: Iterable[str]) -> dict[str, str]:
    """Versions of packages that are installed here, and of all that they ask for, with the extras that they name."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    todo = [Requirement(root) for root in roots]
    while todo:
        asked = todo.pop()
        name = canonicalize_name(asked.name)
        new = [extra for extra in ("", *asked.extras) if (name, extra) not in seen]
        seen.update((name, extra) for extra in new)
        try:
            package = importlib.metadata.distribution(name) if new else None
        except importlib.metadata.PackageNotFoundError:  # of another system, or not needed here
            continue
        if package is not None:
            found[name] = package.version
            some = list(map(Requirement, package.requires or []))
            todo += [one for one in some if any(one.marker is None or one.marker.evaluate({"extra": e}) for e in new)]
    return found


@cache
def versions(assignment: str) -> dict[str, str]:
    """Versions of Python and of the packages that an assignment's verdicts are made with."""
    names = {canonicalize_name(Requirement(name).name) for name in [*DECIDING, *needed(assignment)]}
    found = packages([*DECIDING, *needed(assignment)])
    return {"python": platform.python_version(), **{name: found[name] for name in sorted(names & found.keys())}}


# ---------------------------------------------------------------- in a thread of an executor


def grade(setup: Setup, job: Job) -> str:
    """Grade one submission in this thread's process: a Graded in JSON.

    Raises:
        WorkerError: when no submission can be graded here.
    """
    why = ""
    for _ in range(ATTEMPTS):
        if _closed.is_set():
            raise WorkerError(STOPPED)
        process = getattr(_threads, "process", None)
        if process is not None and process.setup != setup:
            process.close()
            process = None
        try:
            process = _threads.process = process or Process(setup)
            return process.grade(job).dumps()
        except (EOFError, OSError, WireError) as error:  # killed, hanging, or ended since there was nothing to do
            if process is not None:
                process.close()
            _threads.process, why = None, str(error) or "its worker died"
    return Graded(remarks=[not_graded(why)]).dumps()


def not_graded(why: str) -> str:
    """What is said of a submission that the machine failed on, each time."""
    return f"not graded, not the learner's fault, {ATTEMPTS} times: {why}."


def out_of_memory(error: Exception) -> str:
    """What is said of a kernel that is gone through no doing of its own."""
    return f"{error}, as when {socket.gethostname()} is out of memory"


def close_all() -> None:
    """End all that threads of this process have started, and start no more."""
    _closed.set()
    for process in list(_started):
        process.close()
    warm.end_workers()


class Process:
    """The process of one thread.

    Raises:
        WorkerError: when it cannot grade, with what it says.
        EOFError, OSError: when it ends without a word.
    """

    def __init__(self, setup: Setup) -> None:
        if setup.kit != kit(setup.assignment):
            raise WorkerError(
                f"{socket.gethostname()} has another version of the kit or of its libraries: update it there, install "
                "requirements.txt, and start the worker again."
            )
        self.setup = setup
        # Both passes take one and a half times as long.
        seconds = 1.5 * setup.settings.submission_seconds + setup.settings.judge_seconds
        self.longest = 2 * PATIENCE * seconds * len(setup.notebooks) + START_SECONDS
        mine, theirs = socket.socketpair()
        self.channel = Channel(mine, LARGEST_JOB)
        with theirs, _starting:
            if _closed.is_set():
                raise WorkerError(STOPPED)
            processors = os.sched_getaffinity(0) if setup.pinned and hasattr(os, "sched_getaffinity") else ()
            used = [process.processor for process in _started]

            def order(processor: int) -> tuple[int, int]:  # of those used least, another first one for each run
                return used.count(processor), (processor - os.getpid()) % len(processors)

            self.processor = min(processors, key=order, default=None)
            workers = warm.workers(setup.assignment, setup.settings.oracle)
            self.folder = Path(workers.home, f"worker-{next(_numbers)}")  # of all that it makes
            try:
                self.pid, self.descriptor = workers.copy({"folder": str(self.folder)}, [theirs.fileno()])
            except ProcessLookupError:
                warm.forget_workers()
                raise
            _started.add(self)
        said = {
            "notebooks": setup.notebooks,
            "files": {name: len(data) for name, data in setup.files.items()},
            "settings": asdict(setup.settings),
            "seed": setup.seed,
            "assignment": setup.assignment,
            "processor": self.processor,
        }
        self._ask(said, [*setup.files.values()], START_SECONDS)

    def grade(self, job: Job) -> Graded:
        """Grade one submission.

        Raises:
            WorkerError: when it cannot grade.
            EOFError, OSError: when the process is gone, or takes far too long.
        """
        sizes = {name: None if data is None else len(data) for name, data in job.contents.items()}
        blobs = [data for data in job.contents.values() if data is not None]
        said, data = self._ask({"notebooks": job.notebooks, "sizes": sizes}, blobs, self.longest)
        return Graded(_parts(said["sizes"], data), said["remarks"], said["trace"])

    def _ask(self, document: Any, blobs: list[bytes], seconds: float) -> tuple[Any, bytes]:
        try:
            self.channel.ends = time.monotonic() + seconds
            self.channel.send(document, blobs)
            said, data = self.channel.receive()
        except (EOFError, OSError, WireError):
            self.close()
            raise
        if "refused" in said:
            self.close()
            raise WorkerError(said["refused"])
        if "failed" in said:
            raise OSError(said["failed"])
        return said, data

    def close(self) -> None:
        with _closing:
            if self not in _started:
                return
            _started.discard(self)
        with contextlib.suppress(ProcessLookupError):
            if self.descriptor is None:
                os.kill(self.pid, signal.SIGKILL)
            else:
                signal.pidfd_send_signal(self.descriptor, signal.SIGKILL)
        if self.descriptor is not None:
            select.select([self.descriptor], [], [], 10)  # until it has ended
            os.close(self.descriptor)
        self.channel.socket.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _parts(sizes: dict[str, int | None], data: bytes) -> dict[str, bytes]:
    found, start = {}, 0
    for name, size in sizes.items():
        if size is not None:
            found[name] = data[start : start + size]
            start += size
    return found


# ---------------------------------------------------------------- the process


def main() -> None:
    """Load all that is needed, and become one worker more for each request (see warm.py)."""
    home, assignment, oracle, end = Path(sys.argv[1]), *sys.argv[2:4], socket.socket(fileno=int(sys.argv[4]))
    tempfile.tempdir = str(home)
    from grading.processes import Zygote

    zygote = None
    with contextlib.suppress(OSError):  # without one, each kernel starts by itself, or says why it cannot
        zygote = Zygote() if Zygote.is_safe(jail.probe()) else None  # it gets ready while PyTorch is loaded
    with contextlib.suppress(ImportError):  # the first worker says so
        assignments.load_tests(assignment, oracle)
        importlib.import_module("grading.execute")
        for known in (kit, versions):  # which look at all packages
            known(assignment)
    gc.collect()
    gc.freeze()  # copies do not look through it
    while True:
        message, given, _, _ = socket.recv_fds(end, 1 << 16, 2)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:  # copies that have ended
                pass
        if not message:
            shutil.rmtree(home, ignore_errors=True)
            os._exit(0)
        if child := os.fork():
            with socket.socket(fileno=given[0]) as answer, socket.socket(fileno=given[1]):
                found = [os.pidfd_open(child)] if hasattr(os, "pidfd_open") else []
                with contextlib.suppress(OSError):  # whoever asked is gone
                    socket.send_fds(answer, [str(child).encode()], found)
                for descriptor in found:
                    os.close(descriptor)
            continue
        folder = Path(json.loads(message)["folder"])
        try:
            end.close()
            os.close(given[0])
            _work(socket.socket(fileno=given[1]), folder, zygote)
        except TimeoutError:  # nothing to do
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            _leave(folder)


def _work(end: socket.socket, folder: Path, zygote: Any) -> None:
    """Grade what comes, until the other side is gone.

    Raises:
        TimeoutError: when it has nothing more to do.
    """
    threading.Thread(target=_end_with, args=(end, folder), daemon=True).start()
    from grading.execute import Bench

    channel = Channel(end, LARGEST_JOB)
    with contextlib.suppress(EOFError):
        setup, data = channel.receive()
        if setup["processor"] is not None:
            os.sched_setaffinity(0, {setup["processor"]})
        files = folder / "files"
        try:
            files.mkdir(parents=True)
            tempfile.tempdir = str(folder)
            for name, content in _parts(setup["files"], data).items():
                (files / name).parent.mkdir(parents=True, exist_ok=True)
                (files / name).write_bytes(content)
        except OSError as error:
            channel.send({"refused": f"{socket.gethostname()}: {error}"}, [])
            return
        try:
            settings, name = Settings(**setup["settings"]), setup["assignment"]
            with contextlib.ExitStack() as opened:
                try:
                    bench = Bench(settings, files, setup["seed"], name, alone=False, zygote=zygote)
                    opened.enter_context(bench)
                except OSError as error:  # as where there is no room for what it makes
                    raise jail.JailError(str(error)) from error
                course = {name: nbformat.reads(text, as_version=4) for name, text in setup["notebooks"].items()}
                bench.supply.expected = sys.maxsize
                channel.send({}, [])
                for number in itertools.count():
                    channel.ends = time.monotonic() + IDLE_SECONDS
                    job, data = channel.receive()
                    channel.ends = float("inf")
                    channel.send(*_graded(bench, course, job, data))
                    if number == 0:  # most of what is there is kept for all that come: no need to look through it again
                        gc.collect()
                        gc.freeze()
        except (jail.JailError, ImportError) as error:
            channel.send({"refused": f"{socket.gethostname()}: {error}"}, [])


def _graded(bench: Any, course: dict[str, Any], job: Any, data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """One submission: the answer to a job."""
    from grading.processes import DeadKernel

    begun, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
    bench.spent.clear()
    contents = _parts(job["sizes"], data)
    remarks: list[str] = []
    made: dict[str, bytes] = {}
    twice: dict[str, dict[str, Any]] = {}
    for name, (file, known) in job["notebooks"].items():
        submission = submissions.HandedIn(file, contents.get(name), known).read()
        budget = Budget(bench.settings.judge_seconds)
        notebook = submissions.restore(submission, course[name], budget)
        try:
            found, again = bench.grade(notebook, course[name], budget)
        except DeadKernel as error:
            return {"failed": out_of_memory(error)}, []
        except OSError as error:
            return {"failed": f"{socket.gethostname()}: {error}"}, []
        submission.remarks += found
        submissions.note(notebook, submission.remarks)
        remarks += submission.remarks
        twice |= {cell: asdict(points) for cell, points in again.items()}
        made[name] = gzip.compress(json.dumps(notebook).encode("ascii"), 1, mtime=0)
    trace = {
        "seed": bench.seed,
        "settings": asdict(bench.settings),
        "level": bench.level.name,
        "versions": versions(bench.assignment),
        "kit": kit(bench.assignment),
        "machine": socket.gethostname(),
        "begun": begun.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - clock, 3),
        "spent": {part: round(seconds, 3) for part, seconds in bench.spent.items()},
        "follow_through": twice,
    }
    sizes = {name: len(content) for name, content in made.items()}
    return {"remarks": remarks, "trace": trace, "sizes": sizes}, [*made.values()]


def _end_with(end: socket.socket, folder: Path) -> None:
    """End this process, and with it its kernels, as soon as nobody waits for its results any more."""
    watched = select.poll()
    watched.register(end, getattr(select, "POLLRDHUP", 0))
    watched.poll()
    _leave(folder)


def _leave(folder: Path) -> None:
    """End, for good; whoever is last removes the folder of all."""
    for _ in range(100):  # another thread may be making something in it
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            break
    with contextlib.suppress(OSError):
        folder.parent.rmdir()
    os._exit(1)


if __name__ == "__main__":
    main()
