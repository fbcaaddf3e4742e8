"""`python -m grading autograde`: what `nbgrader autograde` does, for a class, many submissions at a time.

    submitted/  ->  jobs  ->  workers (executor)  ->  journal  ->  one writer: gradebook and autograded/

Options and configuration are nbgrader's; the submissions are found, restored, run and judged as `nbgrader autograde`
does it. What was graded before, and depends on nothing that has changed, is not graded again.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import nbformat
import nbgrader.apps.autogradeapp
import nbgrader.converters.autograde as stock
from nbformat.v4 import writes
from nbgrader.api import MissingEntry
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import CheckCellMetadata
from nbgrader.utils import rmtree
from tqdm import tqdm
from traitlets import Bool, Integer, Unicode, default

from checks.observe import printable
from grading import gradebook, jail, submissions, worker
from grading.autograde import SECRET, JudgedAutograde, JudgedExecute, drawn_seed, sentence
from grading.execute import Settings
from grading.gradebook import GradebookError
from grading.journal import Busy, Journal
from grading.worker import Graded, Job, Setup, WorkerError

RESUME = "What was graded is kept: run the same command again to go on."
BATCH = 25  # submissions in one transaction, at most
BATCH_SECONDS = 2.0  # between transactions
LINE_SECONDS = 10.0  # between lines on the progress, where there is no terminal
CHANGES = {  # of what decides on a verdict; see Setup.parts
    "notebooks": "the course's notebook was changed",
    "files": "files beside the course's notebook were changed",
    "settings": "limits were changed",
    "kit": "the tests, the kit or its libraries were changed",
}


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
    """

    name: str
    staged: str
    place: Path
    handed_in: str = ""
    key: str = ""
    how: str = ""


class ClassAutograde(JudgedAutograde):
    """Autogrades a class with an executor; everything that is written is written here."""

    jobs = Integer(0, min=0, help="Submissions graded at the same time on this machine; 0: one for each core.").tag(
        config=True
    )
    scheduler = Unicode("", help="Address of a Dask scheduler, whose workers grade in place of this machine.").tag(
        config=True
    )
    tls_ca = Unicode("", help="Certificate of the authority, for a scheduler at tls://.").tag(config=True)
    tls_cert = Unicode("", help="This program's certificate, for a scheduler at tls://.").tag(config=True)
    tls_key = Unicode("", help="The key to it.").tag(config=True)
    dry_run = Bool(False, help="Say what would be graded, and do nothing.").tag(config=True)
    writing: Learner | None = None  # into a folder beside the place where it belongs
    journal_directory = Unicode(".grading", help="Where results are kept, in the course's folder.").tag(config=True)

    @property
    def workers(self) -> int:
        return self.jobs or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count()))

    def start(self) -> None:
        self.journal = Journal(Path(self.coursedir.root) / self.journal_directory)
        try:
            with contextlib.nullcontext() if self.dry_run else self.journal.locked():
                try:
                    super().start()
                finally:
                    if damage := self.journal.damage():
                        self._say(damage)
        except (Busy, OSError) as error:
            why = str(error) if isinstance(error, Busy) else f"Nothing was graded: {sentence(error)}."
            self.log.error("%s", why)
            raise NbGraderException(why) from error

    def _private(self) -> list[Path]:
        return [*super()._private(), self.journal.folder]

    def _scratch(self) -> Path | None:
        return None if self.dry_run else self.journal.now

    def _open(self, settings: Settings, files: Path, stack: contextlib.ExitStack) -> None:
        if not self.scheduler and not self.dry_run:
            self.log.warning(jail.probe().as_text())
        self.setup = Setup(
            notebooks={},
            files={
                str(path.relative_to(files)): path.read_bytes() for path in sorted(files.rglob("*")) if path.is_file()
            },
            settings=asdict(settings),
            seed=0,
            kit=worker.kit(),
            pinned=not self.scheduler,
        )

    def convert_notebooks(self) -> None:
        """Grade all that has changed; then say how many need a look, and end with status 1 if some do."""
        try:
            self._convert()
        except (GradebookError, WorkerError) as error:
            self.log.error(str(error))
            raise NbGraderException(str(error)) from error
        except KeyboardInterrupt:
            self.log.error("Stopped. %s", RESUME)
            raise SystemExit(130) from None
        except OSError as error:
            message = f"Stopped: {sentence(error)}. {RESUME}"
            self.log.error(message)
            raise NbGraderException(message) from error

    def _convert(self) -> None:
        learners = [Learner(self.students[staged], staged, place) for staged, place in self.folders.items()]
        excluded = set(self.coursedir.student_id_exclude.split(","))
        self.learners = [learner for learner in learners if learner.name not in excluded]
        self.setup.notebooks, self.before = gradebook.patiently(self._read_gradebook, self._say)
        self.digest, self.parts = self.setup.digest(), self.setup.parts()
        nobodys = sorted(set(self.remarks) - {learner.name for learner in learners})  # that nbgrader cannot grade
        self.progress = Progress(len(self.learners) + len(nobodys), self.dry_run)
        for name in nobodys:
            self.progress.step("not graded", name, self.remarks[name])
        if self.dry_run:
            for learner in self.learners:
                _, noted, known = self._looked_up(learner)
                self.progress.step("unchanged" if noted or known else "to grade", learner.name)
            self.progress.finish()
            return
        seed = drawn_seed() if self.seed is None else self.seed
        self.setup.seed = self.journal.begin(self.digest, seed, anew=self.force or self.seed is not None)
        assignment, (entries, _) = self.coursedir.assignment_id, self.journal.history()
        self.logged = {entry["learner"]: entry for entry in entries if entry["assignment"] == assignment}
        self.ready: list[tuple[Learner, Graded]] = []
        self.last_written = time.monotonic()
        with self.progress, self._executor() as (executor, setup, most):
            self._grade(executor, setup, most)
            self._write_ready()
        self.journal.end(self.digest, self.setup.seed)
        if self.progress.finish():
            raise NbGraderException("some submissions need a look")

    def _grade(self, executor: Executor, setup: Any, most: int) -> None:
        """Go through the class: what is known is written, the rest is graded, at most so many at a time."""
        pending: dict[Future, Learner] = {}
        for learner in self.learners:
            job, noted, known = self._looked_up(learner)
            if noted:
                self.progress.step("unchanged", learner.name, noted["remarks"])
                continue
            if known:
                self._add(learner, known, "unchanged")
                continue
            while len(pending) >= most:
                self._take(pending)
            pending[executor.submit(worker.grade, setup, job)] = learner
        while pending:
            self._take(pending)

    def _take(self, pending: dict[Future, Learner]) -> None:
        """Wait for results, and keep them.

        Raises:
            KeyboardInterrupt: when the run is to be stopped.
        """
        if stopped.is_set():
            raise KeyboardInterrupt
        done, _ = wait(pending, timeout=1.0, return_when=FIRST_COMPLETED)
        for future in done:
            learner = pending.pop(future)
            try:
                graded = Graded.loads(future.result())
            except WorkerError:
                raise
            except CancelledError:
                raise WorkerError(f"The scheduler {self.scheduler} is gone. {RESUME}") from None
            except Exception as error:
                if type(error).__name__ != "KilledWorker":
                    raise WorkerError(f"A worker failed ({type(error).__name__}: {error}). {RESUME}") from error
                graded = Graded(remarks=[worker.not_graded("its worker died")])
            if not graded.notebooks:
                self.progress.step("not graded", learner.name, graded.remarks)
                continue
            self.journal.put(learner.key, graded)
            self._add(learner, graded, "graded")
        if time.monotonic() > self.last_written + BATCH_SECONDS:
            self._write_ready()

    def _add(self, learner: Learner, graded: Graded, how: str) -> None:
        learner.how = how
        self.ready.append((learner, graded))
        self.progress.step(how, learner.name, graded.remarks, graded.trace.get("seconds", 0.0))
        if len(self.ready) >= BATCH:
            self._write_ready()

    @contextlib.contextmanager
    def _executor(self) -> Iterator[tuple[Executor, Any, int]]:
        """What grades, the setup for it, and how many submissions it may have at a time."""
        if self.scheduler:
            with _dask(self.scheduler, self.tls_ca, self.tls_cert, self.tls_key) as client:
                threads = sum(client.nthreads().values())
                self._say(f"{threads} workers of {self.scheduler}")
                executor = client.get_executor(pure=False, retries=worker.ATTEMPTS - 1)
                yield executor, client.scatter(self.setup, broadcast=True), 2 * max(1, threads)
            return
        executor = ThreadPoolExecutor(self.workers, thread_name_prefix="grading")
        try:
            yield executor, self.setup, 2 * self.workers
        finally:
            worker.close_all()
            executor.shutdown(wait=True, cancel_futures=True)

    # ------------------------------------------------------------ reading

    def _read_gradebook(self) -> tuple[dict[str, str], gradebook.Scores]:
        """The course's notebooks with nbgrader's marks, and what the gradebook has of the class."""
        assignment, marked = self.coursedir.assignment_id, {}
        with gradebook.transaction(self.coursedir.db_url, self.coursedir.course_id) as opened:
            self._find_assignment(opened)
            for course in self._course_notebooks():
                try:
                    opened.find_notebook(course.stem, assignment)
                except MissingEntry:
                    self._say(f"{course.name} is left out: the gradebook does not know it.")
                    continue
                notebook = nbformat.read(course, as_version=4)
                resources = self._resources("", course.stem)
                for each in self.sanitize_preprocessors:
                    notebook, resources = each(parent=self.exporter)(notebook, resources)
                marked[course.stem] = writes(notebook)
            return marked, gradebook.scores(opened, assignment)

    def _find_assignment(self, opened: Any) -> None:
        assignment = self.coursedir.assignment_id
        try:
            opened.find_assignment(assignment)
        except MissingEntry:
            raise GradebookError(
                f"The gradebook has no assignment {assignment!r}: run `nbgrader generate_assignment {assignment}` "
                "first. What was graded before is kept."
            ) from None

    def _resources(self, learner: str, notebook: str) -> dict[str, Any]:
        """What nbgrader's preprocessors are told."""
        about = {"student": learner, "assignment": self.coursedir.assignment_id, "notebook": notebook}
        return {
            "unique_key": notebook,
            "output_files_dir": f"{notebook}_files",
            "metadata": {},
            "outputs": {},
            "nbgrader": {**about, "db_url": self.coursedir.db_url},
        }

    def _collect(self, learner: Learner) -> Job:
        """A submission, as it is sent to a worker; the learner gets the key."""
        job = Job({}, {})
        for name in self.setup.notebooks:
            handed_in = submissions.collect(learner.place, name, self._names(), self.top)
            job.notebooks[name] = (handed_in.name, [*self.remarks.get(learner.name, []), *handed_in.remarks])
            job.contents[name] = handed_in.content
        contents = {name: None if data is None else worker.digest(data) for name, data in job.contents.items()}
        learner.handed_in = worker.digest(contents)
        learner.key = worker.digest([job.notebooks, contents, self.digest])
        return job

    def _looked_up(self, learner: Learner) -> tuple[Job, dict[str, Any] | None, Graded | None]:
        """A submission, and what is known of it: what was noted, if all is in place, else a result."""
        job = self._collect(learner)
        if self.force:
            return job, None, None
        noted = self._noted(learner)
        if noted and not self._is_weak(noted.get("level")):
            return job, noted, None
        known = self.journal.get(learner.key)
        return job, None, None if known is None or self._is_weak(known.trace["level"]) else known

    def _is_weak(self, level: str | None) -> bool:
        """Whether this machine has a stronger jail than a verdict was given with."""
        return level != "bubblewrap" and not self.scheduler and jail.probe().name == "bubblewrap"

    def _noted(self, learner: Learner) -> dict[str, Any] | None:
        """What was noted of a learner, if the result with this key is where it belongs."""
        noted = self.journal.written(self.coursedir.assignment_id, learner.name)
        same = (
            noted.get("key") == learner.key
            and noted.get("scores") == self.before.get(learner.name)
            and noted.get("files") == self._state(learner)
        )
        return noted if same else None

    def _state(self, learner: Learner) -> dict[str, str | None]:
        """Digests of the files that tell whether a learner's result was written, and when and how it was handed in."""
        place = Path(self._format_dest(self.coursedir.assignment_id, learner.name))
        files = [place / f"{name}.ipynb" for name in self.setup.notebooks]
        files += [Path(learner.staged, name) for name in ("timestamp.txt", SECRET)]
        found: dict[str, str | None] = {}
        for file in files:
            try:
                found[file.name] = worker.digest(file.read_bytes())
            except OSError:
                found[file.name] = None
        return found

    # ------------------------------------------------------------ writing

    def _write_ready(self) -> None:
        """Write what is there."""
        done, self.ready = self.ready, []
        if done:
            self._write_all(done)
        self.last_written = time.monotonic()

    def _write_all(self, done: list[tuple[Learner, Graded]]) -> None:
        """Write results in one transaction; when one of them cannot be written, the others each in its own."""
        try:
            written = gradebook.patiently(lambda: self._written(done), self._say)
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
        assignment = self.coursedir.assignment_id
        self.journal.log([self._entry(learner, graded, written.get(learner.name, {})) for learner, graded in done])
        for learner, graded in done:
            self._put_in_place(learner)
            noted = {"key": learner.key, "level": graded.trace["level"], "remarks": graded.remarks}
            noted |= {"scores": written.get(learner.name), "files": self._state(learner)}
            self.journal.note(assignment, learner.name, noted)

    def _entry(self, learner: Learner, graded: Graded, points: dict[str, float | None]) -> dict[str, Any]:
        """What the log says of points that were written."""
        last = self.logged.get(learner.name)
        why = [text for part, text in CHANGES.items() if last and last["setup"][part] != self.parts[part]]
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
            "assignment": self.coursedir.assignment_id,
            "learner": learner.name,
            "total": sum(filter(None, points.values())),
            "points": points,
            "before": self.before.get(learner.name),
            "why": why,
            **{name: graded.trace[name] for name in ("seed", "level")},
            "setup": self.parts,
            "handed_in": learner.handed_in,
            "result": learner.key,
        }

    def _written(self, done: list[tuple[Learner, Graded]]) -> gradebook.Scores:
        with gradebook.transaction(self.coursedir.db_url, self.coursedir.course_id) as opened:
            self._find_assignment(opened)
            preprocessors = [
                each(parent=self.exporter)
                for each in self.autograde_preprocessors
                if each not in (JudgedExecute, CheckCellMetadata)  # the one is done, the other was done for all
            ]
            for learner, graded in done:
                self._write(learner, graded, preprocessors)
            opened.db.flush()
            return gradebook.scores(opened, self.coursedir.assignment_id, [learner.name for learner, _ in done])

    def _write(self, learner: Learner, graded: Graded, preprocessors: list[Any]) -> None:
        """What nbgrader does before and after a notebook is run, in a folder beside the place where it belongs."""
        assignment = self.coursedir.assignment_id
        beside = self._beside(learner)
        if beside.exists():
            rmtree(str(beside))
        self.notebooks = [os.path.join(learner.staged, f"{name}.ipynb") for name in graded.notebooks]
        self.run_pre_convert_hook()
        self.writing = learner
        try:
            stock.Autograde.init_assignment(self, assignment, learner.name)
            for name in graded.notebooks:
                notebook, resources = graded.notebook(name), self._resources(learner.name, name)
                for each in preprocessors:
                    notebook, resources = each(notebook, resources)
                beside.mkdir(parents=True, exist_ok=True)
                (beside / f"{name}.ipynb").write_text(writes(notebook) + "\n", encoding="utf-8")
            self.set_permissions(assignment, learner.name)
        finally:
            self.writing = None
        self.run_post_convert_hook()

    def _format_dest(self, assignment_id: str, student_id: str, escape: bool = False) -> str:
        if self.writing is not None:
            return str(self._beside(self.writing))
        return super()._format_dest(assignment_id, student_id, escape)

    def _beside(self, learner: Learner) -> Path:
        place = Path(super()._format_dest(self.coursedir.assignment_id, learner.name))
        return place.with_name(f".{place.name}.new")

    def _put_in_place(self, learner: Learner) -> None:
        place, beside = Path(self._format_dest(self.coursedir.assignment_id, learner.name)), self._beside(learner)
        if self.coursedir.notebook_id == "*":
            if place.exists():
                rmtree(str(place))
            os.rename(beside, place)
            return
        for file in sorted(beside.rglob("*")):  # other notebooks of the assignment stay
            if file.is_file():
                target = place / file.relative_to(beside)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(file, target)
        rmtree(str(beside))

    def _say(self, line: str) -> None:
        tqdm.write(line, file=sys.stderr)


class Progress:
    """What a person sees of a run: a bar in a terminal, elsewhere a line now and then.

    Args:
        total: how many submissions there are.
        dry: whether nothing is done.
    """

    def __init__(self, total: int, dry: bool = False) -> None:
        self.total, self.dry, self.begun = total, dry, time.monotonic()
        self.counts: Counter[str] = Counter()
        self.seconds = 0.0  # of workers
        self.looks: list[str] = []
        self.bar = tqdm(total=total, desc="grading", unit="submission", disable=dry or not sys.stderr.isatty())
        self.told = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: Any) -> None:
        self.bar.close()

    def step(self, how: str, learner: str, remarks: Sequence[str] = (), seconds: float = 0.0) -> None:
        """One submission more: "graded", "unchanged", "not graded" or "to grade"; with what there is to look at."""
        self.counts[how] += 1
        if how == "graded":
            self.seconds += seconds
        self.bar.update()
        name = printable(learner, 60)
        if self.dry:
            print(f"{how}: {name}")
        if remarks:
            self.looks.append(learner)
            for remark in remarks:
                tqdm.write(f"{name}: {remark}", file=sys.stderr)
        now = time.monotonic()
        if self.bar.disable and not self.dry and now > self.told + LINE_SECONDS:
            self.told = now
            done = self.counts.total()
            rate = done / (now - self.begun)
            left = (self.total - done) / rate
            print(
                f"{done} of {self.total} submissions, {rate:.2f} a second, about {left:.0f} s left",
                file=sys.stderr,
                flush=True,
            )

    def take_back(self, how: str) -> None:
        """A submission was not "graded" or "unchanged" after all; its next step says what it is."""
        self.counts[how] -= 1
        self.bar.update(-1)

    def finish(self) -> bool:
        """Say what was done; whether some submissions need a look."""
        said = [f"{count} {how}" for how, count in self.counts.items() if count]
        if not self.dry:
            said.append(f"{len(self.looks)} need a look" if self.looks else "none needs a look")
        took = time.monotonic() - self.begun
        if graded := self.counts["graded"]:
            said.append(f"{took:.1f} s in all: {took / graded:.2f} s each, {self.seconds / graded:.2f} s of a worker")
        print(f"{self.total} submission{'s' * (self.total != 1)}: {', '.join(said)}", file=sys.stderr)
        return bool(self.looks)


stopped = threading.Event()


def stop(*_: Any) -> None:
    """Ctrl-C and SIGTERM: at once, or, where a library swallows the exception, with the next result."""
    stopped.set()
    raise KeyboardInterrupt


@contextlib.contextmanager
def _dask(address: str, ca: str, cert: str, key: str) -> Iterator[Any]:
    """A client of a Dask scheduler."""
    try:
        from distributed import Client, Security
    except ImportError:
        raise WorkerError("A scheduler needs Dask: `pip install -r requirements-cluster.txt`.") from None
    for name in logging.root.manager.loggerDict:
        if name.partition(".")[0] in ("distributed", "tornado"):  # what matters is said here, in a sentence
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    # What is not given may stand in Dask's own configuration.
    files = {"tls_ca_file": ca, "tls_client_cert": cert, "tls_client_key": key}
    security = Security(**{name: file for name, file in files.items() if file})
    if address.startswith("tls://") and not security.get_connection_args("client").get("ssl_context"):
        raise WorkerError(
            f"{address} asks for certificates: give --tls-ca, --tls-cert and --tls-key. Nothing was done."
        )
    try:
        client = Client(address, security=security, timeout=10, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise WorkerError(f"No Dask scheduler answers at {address} ({error}). Nothing was done.") from None
    with client:
        if not client.nthreads():
            raise WorkerError(f"The scheduler {address} has no workers: start some. Nothing was done.")
        yield client


class ClassApp(nbgrader.apps.autogradeapp.AutogradeApp):
    """nbgrader's `autograde` with another engine."""

    name = "python -m grading autograde"
    description = "Autograde a class, many submissions at a time; what has not changed is not graded again."
    aliases: ClassVar[dict[str, Any]] = {
        **nbgrader.apps.autogradeapp.aliases,
        "jobs": "ClassAutograde.jobs",
        "scheduler": "ClassAutograde.scheduler",
        "tls-ca": "ClassAutograde.tls_ca",
        "tls-cert": "ClassAutograde.tls_cert",
        "tls-key": "ClassAutograde.tls_key",
        "seed": "JudgedAutograde.seed",
    }
    flags: ClassVar[dict[str, Any]] = {
        **nbgrader.apps.autogradeapp.flags,
        "dry-run": ({"ClassAutograde": {"dry_run": True}}, "Say what would be graded, and do nothing."),
    }

    @default("log_level")
    def _log_level(self) -> int:
        return logging.WARNING

    @default("classes")
    def _classes_default(self) -> list[Any]:
        return [*super()._classes_default(), ClassAutograde, JudgedExecute]

    def start(self) -> None:
        nbgrader.apps.autogradeapp.Autograde = ClassAutograde

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        super().start()
