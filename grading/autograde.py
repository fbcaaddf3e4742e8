"""`nbgrader autograde`, with the verdict given outside the learner's kernel.

    submitted/  ->  read, restored, into a folder of our own  ->  nbgrader's autograde  ->  autograded/, gradebook

Two classes carry it. JudgedAutograde is nbgrader's converter; here it never looks at a file as a learner wrote it, and
goes on whatever happens. JudgedExecute runs the learner's cells in the jail and has the judge evaluate graded cells.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import glob
import os
import re
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import nbformat
import nbgrader.api
import nbgrader.apps.api
import nbgrader.apps.autogradeapp
import nbgrader.converters.autograde as stock
import nbgrader.preprocessors
from jupyter_core.utils import ensure_async, run_sync
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbgrader.converters.base import NbGraderException
from nbgrader.utils import is_grade, parse_utc, rmtree
from traitlets import Enum, Float, Integer, List

from checks.observe import printable
from checks.section import drawn_seed
from grading import jail, outputs, submissions
from grading.judge import Judge
from grading.kernels import DeadKernel, KernelSupply

MOST_MESSAGES = 5000  # of one cell that are looked at
MOST_BYTES = 32 << 20
LIMITS = jail.Limits()
SHOWN = {"status", "stream", "display_data", "update_display_data", "execute_result", "error", "clear_output"}


class Stopped(Exception):
    """The learner's kernel cannot go on; the message says why."""


class JudgedExecute(nbgrader.preprocessors.Execute):
    """Runs a notebook's cells in a jailed kernel; graded cells are evaluated by the judge, outside of it."""

    required = Enum(jail.LEVELS, default_value="process", help="Refuse to grade below this level of the jail.").tag(
        config=True
    )
    request_seconds = Float(5.0, help="Time for one request of the judge to the kernel.").tag(config=True)
    cell_seconds = Float(30.0, help="Time for one cell, and for all requests of one graded cell.").tag(config=True)
    submission_seconds = Float(120.0, help="Time for all cells and requests of one submission.").tag(config=True)
    most_requests = Integer(200_000, help="Requests of the judge to one kernel.").tag(config=True)
    memory = Integer(LIMITS.memory, help="Address space of each process in the jail, in bytes.").tag(config=True)
    processes = Integer(LIMITS.processes, help="Processes and threads in the jail.").tag(config=True)
    file = Integer(LIMITS.file, help="Size of one file that the kernel writes, in bytes.").tag(config=True)
    disk = Integer(LIMITS.disk, help="Size of the scratch folder and of /tmp in the jail, in bytes.").tag(config=True)
    skipped = List(["torch"], help="Cells with one of these tags are not run.").tag(config=True)

    def limits(self) -> jail.Limits:
        return jail.Limits(
            self.memory, self.processes, self.file, self.disk, cpu=int(1.5 * self.submission_seconds) + 1
        )

    def preprocess(self, nb: NotebookNode, resources: Any, km: Any = None) -> tuple[NotebookNode, Any]:
        converter = self.parent.parent
        NotebookClient.__init__(self, nb, None)
        self.reset_execution_trackers()
        self._check_assign_resources(resources)
        self.ends = time.monotonic() + self.submission_seconds
        self.bytes = 0
        why = None
        stack = contextlib.ExitStack()
        try:
            with converter.timed("waiting for kernels"):
                kernel = self.km = converter.supply.take()
            stack.callback(kernel.close)
            self.kc = kernel.client()
            self.kc.start_channels(hb=False, stdin=False, control=False)
            stack.callback(self.kc.stop_channels)
            self.kc.allow_stdin = False
            self._welcomed()
            judge = Judge(kernel, converter.tests, self._listen, self)
            for index, cell in enumerate(nb.cells):
                if cell.cell_type != "code":
                    continue
                cell.outputs, cell.execution_count = [], None
                before = why
                if is_grade(cell):
                    judge.connection.left = self.ends - time.monotonic()
                    with converter.timed("judging"), kernel.beside():
                        cell.outputs = judge.outputs_of(cell.source, why)
                        if why is None and judge.connection.gone is None:
                            self._drain()
                    why = why or judge.connection.gone
                elif why is None and not set(self.skipped) & set(cell.metadata.get("tags", [])):
                    try:
                        with converter.timed("learners' cells"):
                            self._execute(cell, index)
                    except Stopped as error:
                        why = str(error)
                if why != before:
                    begins = printable(cell.source.strip().split("\n")[0], 60).replace("`", "'") or "(empty)"
                    converter.remark(
                        resources, f"After the cell that begins with `{begins}` nothing could be run any more: {why}."
                    )
        except DeadKernel as error:
            raise NbGraderException(f"{error}: is the machine out of memory?") from error
        finally:
            stack.close()
            self.km = self.kc = None
        for cell in nb.cells:  # now that no message can change an earlier output any more
            if cell.cell_type == "code" and not is_grade(cell):
                cell.outputs = outputs.safe_outputs(cell.outputs)
        submissions.note(nb, converter.remarks_on(resources))
        return nb, resources

    def _execute(self, cell: NotebookNode, index: int) -> None:
        """Run one of the learner's cells.

        Raises:
            Stopped: when the kernel is of no use afterwards.
        """
        seconds = min(self.cell_seconds, self.ends - time.monotonic())
        if seconds <= 0:
            raise Stopped(f"the notebook took longer than {self.submission_seconds:g} seconds")
        self.timeout_func = lambda _: seconds
        self.messages = 0
        # nbclient never looks at the clock while messages come.
        watchdog = threading.Timer(seconds + 2, self.km.kill)
        watchdog.start()
        try:
            self.execute_cell(cell, index, store_history=True)
        except DeadKernelError:
            raise Stopped("the kernel has ended, by itself or for want of memory or time") from None
        except CellTimeoutError:
            self.km.kill()
            raise Stopped(f"the cell took longer than {seconds:.0f} seconds and could not be interrupted") from None
        except Exception as error:  # what came from the kernel was not what a kernel sends
            self.log.debug("unreadable", exc_info=True)
            self.km.kill()
            raise Stopped(f"the kernel sent something unreadable ({type(error).__name__})") from None
        finally:
            watchdog.cancel()

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """As stock, but for a flood of messages, and for widgets, which can redirect a later cell's output."""
        self.messages += 1
        self.bytes += len(str(msg["content"]))
        if msg["msg_type"] not in SHOWN:  # nbclient logs the names of others as they are
            return None
        if type(msg["content"].get("execution_count")) is not int:
            msg["content"].pop("execution_count", None)
        if msg["msg_type"] != "status" and (self.messages > MOST_MESSAGES or self.bytes > MOST_BYTES):
            return None
        return super().process_message(msg, cell, cell_index)

    async def _async_poll_kernel_alive(self) -> None:
        """As stock, but without a complaint when a cell has ended otherwise in the meantime."""
        with contextlib.suppress(AssertionError):
            await super()._async_poll_kernel_alive()

    @run_sync
    async def _welcomed(self) -> None:
        """Wait until the kernel's messages are sure to arrive: it greets who listens."""
        while True:
            try:
                message = await self.kc.get_iopub_msg(timeout=10)
            except Empty:
                raise DeadKernel("the kernel does not answer") from None
            if message["msg_type"] == "iopub_welcome":
                return

    @run_sync
    async def _listen(self) -> None:
        """Have the kernel answer the judge."""
        self.listening = await ensure_async(
            self.kc.execute("__import__('server').answer()", silent=True, store_history=False, allow_stdin=False)
        )

    @run_sync
    async def _drain(self) -> None:
        """Take what the kernel showed while it answered: too much of it, and the next cell's messages get lost."""
        ends = time.monotonic() + 1
        with contextlib.suppress(Exception):  # Empty, or something unreadable
            while time.monotonic() < ends:
                message = await self.kc.get_iopub_msg(timeout=0.2)
                ours = message["parent_header"].get("msg_id") == self.listening
                if ours and message["content"].get("execution_state") == "idle":
                    return


class JudgedAutograde(stock.Autograde):
    """nbgrader's autograde on copies: it sees restored notebooks only, never a file as the learner wrote it."""

    autograde_preprocessors = List(
        [
            JudgedExecute,
            *(each for each in stock.Autograde.autograde_preprocessors.default_args[0] if each is not stock.Execute),
        ]
    ).tag(config=True)

    def start(self) -> None:
        settings = JudgedExecute(parent=self, config=self.config)
        self.level = jail.probe()
        self.remarks: dict[str, list[str]] = {}
        self.done: list[str] = []
        self.failed: set[str] = set()  # that have been begun, and not ended
        self.spent: Counter[str] = Counter()
        with contextlib.ExitStack() as stack:
            try:
                if not settings.enabled:  # nbgrader gives full marks to a graded cell without output
                    raise jail.JailError("Nothing was graded: notebooks must be executed. Leave out --no-execute.")
                jail.require(self.level, settings.required)
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mt-grading-")))
                self.submitted, self.staged = self.coursedir.submitted_directory, folder / "submitted"
                files = self._course_files(folder / "files")
                self.log.warning(self.level.as_text())
                # The first kernel starts while PyTorch is loaded.
                self.supply = stack.enter_context(KernelSupply(self.level, settings.limits(), files))
                self.tests = load_tests()
                self.tests.WORKSHOP.seed = drawn_seed()
            except (jail.JailError, ImportError, OSError) as error:
                self.log.error(str(error))
                raise NbGraderException(str(error)) from error
            self.coursedir.submitted_directory = str(self.staged)
            try:
                super().start()
            finally:
                self.coursedir.submitted_directory = self.submitted

    def _course_files(self, folder: Path) -> Path:
        """What lies beside the course's notebook and is no part of the tests, for kernels to read."""
        left_out = shutil.ignore_patterns("*.ipynb", "*.py", "*.new", "checks", ".*", "__pycache__")
        shutil.copytree(self._source(), folder, ignore=left_out)
        return folder

    def init_notebooks(self) -> None:
        """Find the submissions, as nbgrader does, but also those without a notebook of the right name."""
        coursedir, assignment_id = self.coursedir, self.coursedir.assignment_id
        pattern = coursedir.format_path(self.submitted, "(?P<student_id>[^/]+)", assignment_id, escape=True)
        self.assignments, self.notebooks, self.folders = {}, [], {}
        for place in sorted(glob.glob(coursedir.format_path(self.submitted, coursedir.student_id, assignment_id))):
            found = re.fullmatch(pattern, place)
            if not found:
                continue
            if not os.path.isdir(place) or not found["student_id"].isprintable():
                self._note(ascii(found["student_id"]), "This is no folder, or its name cannot be used.")
                continue
            staged = coursedir.format_path(str(self.staged), found["student_id"], assignment_id)
            os.makedirs(staged)
            self.folders[staged] = Path(place)
            self.assignments[staged] = []
            for course in self._course_notebooks():
                Path(staged, course.name).touch()
                self.assignments[staged].append(os.path.join(staged, course.name))
            self._stage_timestamp(found["student_id"], Path(place), Path(staged))
        if not self.assignments:
            super().init_notebooks()  # which says what might have been meant
        self.supply.expected = len(self.assignments)

    def _course_notebooks(self) -> list[Path]:
        return sorted(self._source().glob(f"{self.coursedir.notebook_id}.ipynb"))

    def _source(self) -> Path:
        """The course's folder of the assignment."""
        return Path(self.coursedir.format_path(self.coursedir.source_directory, ".", self.coursedir.assignment_id))

    def _stage_timestamp(self, student: str, place: Path, staged: Path) -> None:
        if not os.path.lexists(place / "timestamp.txt"):
            return
        try:
            text = submissions.read_file(place / "timestamp.txt", 1000).decode("utf-8").strip()
            parse_utc(text)
        except Exception:  # dateutil has more kinds than ValueError
            self._note(student, "timestamp.txt holds no date: when this was handed in is not known.")
            return
        (staged / "timestamp.txt").write_text(text, encoding="utf-8")

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """As nbgrader, but what a run that was stopped left half done is done again."""
        place = Path(self._format_dest(assignment_id, student_id))
        if (
            self.coursedir.notebook_id == "*"
            and place.exists()
            and not all(_is_finished(place / course.name) for course in self._course_notebooks())
        ):
            rmtree(str(place))
        return super().init_destination(assignment_id, student_id)

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Put the learner's notebooks, restored, where nbgrader reads them."""
        staged = Path(self._format_source(assignment_id, student_id))
        self.done.append(student_id)
        self.failed.add(student_id)
        for course in self._course_notebooks():
            submission = submissions.read(self.folders[str(staged)], course.stem)
            notebook = submissions.restore(submission, nbformat.read(course, as_version=4))
            for remark in submission.remarks:
                self._note(student_id, remark)
            nbformat.write(notebook, staged / course.name)
        super().init_assignment(assignment_id, student_id)

    def set_permissions(self, assignment_id: str, student_id: str) -> None:
        super().set_permissions(assignment_id, student_id)
        self.failed.discard(student_id)  # nothing comes after this

    def convert_notebooks(self) -> None:
        """Grade all; then say how many need a look, and end with status 1 if some do."""
        failed, start = None, time.perf_counter()
        try:
            super().convert_notebooks()
        except NbGraderException as error:
            failed = str(error)
        for student in self.failed:
            self._note(student, "could not be graded, by no fault of the learner: see above.")
        for student, remarks in sorted(self.remarks.items()):
            for remark in remarks:
                self.log.warning("%s: %s", student, remark)
        total = time.perf_counter() - start
        parts = {**self.spent, "nbgrader and the rest": total - self.spent.total()}
        self.log.info("%.1f s: %s", total, ", ".join(f"{part} {seconds:.1f} s" for part, seconds in parts.items()))
        graded = f"{len(self.done)} submission{'s' * (len(self.done) != 1)} graded"
        if not self.remarks and failed is None:
            self.log.warning("%s, none needs a look", graded)
            return
        self.log.error("%s, %d need a look: %s", graded, len(self.remarks), ", ".join(sorted(self.remarks)))
        raise NbGraderException(failed or "some submissions need a look")

    @contextlib.contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Count the time spent inside toward a part of the work."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.spent[part] += time.perf_counter() - start

    def remark(self, resources: Any, remark: str) -> None:
        self._note(resources["nbgrader"]["student"], remark)

    def remarks_on(self, resources: Any) -> list[str]:
        return self.remarks.get(resources["nbgrader"]["student"], [])

    def _note(self, student: str, remark: str) -> None:
        self.remarks.setdefault(student, []).append(remark)


def _is_finished(path: Path) -> bool:
    """Whether a graded notebook has the outputs of its graded cells."""
    try:
        cells = nbformat.read(path, as_version=4).cells
    except (OSError, ValueError, nbformat.reader.NotJSONError):
        return False
    return all(cell.outputs for cell in cells if cell.cell_type == "code" and is_grade(cell))


def load_tests() -> Any:
    """The trusted tests, with PyTorch.

    Raises:
        ImportError: with what to do.
    """
    import tests
    from checks import oracle

    oracle.load().set_num_threads(1)
    atexit.register(gc.freeze)  # else Python looks through all that PyTorch made before it ends: half a second
    return tests


def configure(config: Any) -> None:
    """Have nbgrader grade in this way, from the command line and from formgrader."""
    # nbgrader has no setting for the class that autogrades: what goes on around a notebook is only reached so.
    nbgrader.apps.autogradeapp.Autograde = nbgrader.apps.api.Autograde = JudgedAutograde
    # It opens the gradebook nine times for a submission: SQLAlchemy works out each statement once for an engine.
    if not hasattr(nbgrader.api.create_engine, "cache_info"):
        nbgrader.api.create_engine = functools.lru_cache(nbgrader.api.create_engine)
    config.NotebookExporter.optimistic_validation = True  # once, not after each of its preprocessors
    config.HTMLExporter.filters = {
        "markdown2html": outputs.markdown2html,
        "highlight_code": outputs.highlight_code,
    }
