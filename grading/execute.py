"""Runs a restored notebook: the learner's cells in a jailed kernel, the graded cells with the judge."""

from __future__ import annotations

import atexit
import contextlib
import gc
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import nbgrader.preprocessors
from jupyter_core.utils import ensure_async, run_sync
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbgrader.converters.base import NbGraderException
from nbgrader.utils import is_grade
from traitlets import Enum, Float, Integer, List

from checks.observe import printable
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
        for remark in self.run(nb, converter.bench):
            converter.remark(resources, remark)
        submissions.note(nb, converter.remarks_on(resources))
        return nb, resources

    def run(self, nb: NotebookNode, bench: Bench) -> list[str]:
        """Run all cells and fill in their outputs.

        Returns:
            What the learner and the instructor should know, a sentence each.

        Raises:
            NbGraderException: when no kernel starts.
        """
        NotebookClient.__init__(self, nb, None)
        self.reset_execution_trackers()
        self._check_assign_resources({})
        self.ends = time.monotonic() + self.submission_seconds
        self.bytes = 0
        why = None
        remarks: list[str] = []
        stack = contextlib.ExitStack()
        try:
            with bench.timed("waiting for kernels"):
                kernel = self.km = bench.supply.take()
            stack.callback(kernel.close)
            self.kc = kernel.client()
            self.kc.start_channels(hb=False, stdin=False, control=False)
            stack.callback(self.kc.stop_channels)
            self.kc.allow_stdin = False
            self._welcomed()
            judge = Judge(kernel, bench.tests, self._listen, self)
            for index, cell in enumerate(nb.cells):
                if cell.cell_type != "code":
                    continue
                cell.outputs, cell.execution_count = [], None
                before = why
                if is_grade(cell):
                    judge.connection.left = self.ends - time.monotonic()
                    with bench.timed("judging"), kernel.beside():
                        cell.outputs = judge.outputs_of(cell.source, why)
                        if why is None and judge.connection.gone is None:
                            self._drain()
                    why = why or judge.connection.gone
                elif why is None and not set(self.skipped) & set(cell.metadata.get("tags", [])):
                    try:
                        with bench.timed("learners' cells"):
                            self._execute(cell, index)
                    except Stopped as error:
                        why = str(error)
                if why != before:
                    begins = printable(cell.source.strip().split("\n")[0], 60).replace("`", "'") or "(empty)"
                    remarks.append(f"After the cell that begins with `{begins}` nothing could be run any more: {why}.")
        except DeadKernel as error:
            raise NbGraderException(f"{error}: is the machine out of memory?") from error
        finally:
            stack.close()
            self.km = self.kc = None
        for cell in nb.cells:  # now that no message can change an earlier output any more
            if cell.cell_type == "code" and not is_grade(cell):
                cell.outputs = outputs.safe_outputs(cell.outputs)
        return remarks

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


class Bench:
    """Where one notebook after the other is graded: the jail, kernels that are ready, the trusted tests.

    Args:
        settings: the limits, and the level that is required.
        files: a folder with what kernels find beside the notebook.
        seed: of all checks.

    Attributes:
        spent: seconds by part of the work.
    """

    def __init__(self, settings: JudgedExecute, files: Path, seed: int) -> None:
        self.level = jail.probe()
        jail.require(self.level, settings.required)
        self.supply = KernelSupply(self.level, settings.limits(), files)
        self.seed = seed
        self.spent: Counter[str] = Counter()

    def __enter__(self) -> Bench:
        self.supply.__enter__()  # the first kernel starts while PyTorch is loaded
        try:
            self.tests = load_tests()
        except BaseException:
            self.supply.__exit__()
            raise
        self.tests.WORKSHOP.seed = self.seed
        return self

    def __exit__(self, *_: Any) -> None:
        self.supply.__exit__()

    @contextlib.contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Count the time spent inside toward a part of the work."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.spent[part] += time.perf_counter() - start


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
