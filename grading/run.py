"""`python -m grading autograde`: what `nbgrader autograde` does, for a class, many submissions at a time.

    submitted/  ->  jobs  ->  workers (executor)  ->  journal  ->  one writer: gradebook and autograded/

Options and configuration are nbgrader's; the submissions are found, restored, run and judged as `nbgrader autograde`
does it. What was graded before, and depends on nothing that has changed, is not graded again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, ThreadPoolExecutor, wait
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

from grading import gradebook, jail, worker
from grading.autograde import JudgedAutograde, JudgedExecute, drawn_seed, sentence
from grading.gradebook import GradebookError
from grading.journal import Busy
from grading.ledger import Ledger
from grading.limits import Settings
from grading.plan import Learner, Plan
from grading.progress import Progress
from grading.worker import Graded, Setup, WorkerError

RESUME = "What was graded is kept: run the same command again to go on."


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

    @property
    def workers(self) -> int:
        return self.jobs or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count()))

    def start(self) -> None:
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
            settings=settings,
            seed=0,
            kit=worker.kit(self.coursedir.assignment_id),
            assignment=self.coursedir.assignment_id,
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
        self.setup.notebooks, before = gradebook.patiently(self._read_gradebook, self._say)
        assignment = self.coursedir.assignment_id
        self.plan = Plan(
            setup=self.setup,
            journal=self.journal,
            assignment=assignment,
            names=self._names(),
            top=self.top,
            remarks=self.remarks,
            before=before,
            place_of=lambda name: Path(self._format_dest(assignment, name)),
            force=self.force,
            elsewhere=bool(self.scheduler),
        )
        nobodys = sorted(set(self.remarks) - {learner.name for learner in learners})  # that nbgrader cannot grade
        self.progress = Progress(len(self.learners) + len(nobodys), self.dry_run)
        for name in nobodys:
            self.progress.step("not graded", name, self.remarks[name])
        if self.dry_run:
            for learner in self.learners:
                _, noted, known = self.plan.looked_up(learner)
                self.progress.step("unchanged" if noted or known else "to grade", learner.name)
            self.progress.finish()
            return
        self.apply_dates(penalties=False)  # nbgrader's own plugin asks for them
        seed = drawn_seed() if self.seed is None else self.seed
        self.setup.seed = self.journal.begin(self.plan.digest, seed, anew=self.force or self.seed is not None)
        self.ledger = Ledger(self.plan, self, self.progress, self._say)
        with self.progress, self._executor() as (executor, setup, most):
            self._grade(executor, setup, most)
            self.ledger.write_ready()
        for line in self.apply_dates(penalties=True):
            self._say(line)
        self.journal.end(self.plan.digest, self.setup.seed)
        if self.progress.finish():
            raise NbGraderException("some submissions need a look")

    def _grade(self, executor: Executor, setup: Any, most: int) -> None:
        """Go through the class: what is known is written, the rest is graded, at most so many at a time."""
        pending: dict[Future, Learner] = {}
        for learner in self.learners:
            job, noted, known = self.plan.looked_up(learner)
            if noted:
                self.progress.step("unchanged", learner.name, noted["remarks"])
                continue
            if known:
                self.ledger.add(learner, known, "unchanged")
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
            self.ledger.add(learner, graded, "graded")
        if self.ledger.is_due:
            self.ledger.write_ready()

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

    # ------------------------------------------------------------ writing

    def written(self, done: list[tuple[Learner, Graded]]) -> gradebook.Scores:
        """See ledger.Desk."""
        with gradebook.transaction(self.coursedir.db_url, self.coursedir.course_id) as opened:
            self._find_assignment(opened)
            names = [learner.name for learner, _ in done]
            given = gradebook.by_hand(opened, self.coursedir.assignment_id, names)
            for learner, _ in done:
                learner.by_hand = given.get(learner.name, {})
            preprocessors = [
                each(parent=self.exporter)
                for each in self.autograde_preprocessors
                if each not in (JudgedExecute, CheckCellMetadata)  # the one is done, the other was done for all
            ]
            for learner, graded in done:
                self._write(learner, graded, preprocessors)
            opened.db.flush()
            return gradebook.scores(opened, self.coursedir.assignment_id, names)

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
            self.extend(learner.name)
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

    def put_in_place(self, learner: Learner) -> None:
        """See ledger.Desk."""
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

    def note_written(self, student: str) -> None:
        """See ledger.Ledger, which does."""

    def _say(self, line: str) -> None:
        tqdm.write(line, file=sys.stderr)


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
        stopped.clear()  # of another run in this process
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        super().start()
