"""Runs a restored notebook: the learner's cells in a jailed kernel, the graded cells with the judge."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from queue import Empty
from typing import Any

import zmq
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output

from checks.observe import PATIENCE, Deadline, printable
from checks.report import FollowThrough
from grading import assignments, follow, jail, outputs
from grading.budget import Budget, limited_memory
from grading.judge import Judge, Verdict
from grading.kernels import KernelSupply
from grading.limits import Settings
from grading.processes import DeadKernel, KernelProcess, Zygote
from grading.submissions import is_answer, is_grade

MOST_MESSAGES = 5000  # of one cell that are looked at
MOST_BYTES = 32 << 20
MOST_COUNTED = 1 << 31  # executions
MOST_KEPT = 8 << 20  # bytes of all cells' outputs in the graded notebook: who writes it has it in memory several times
SECOND_SHARE = 0.5  # of a submission's time, that what is judged a second time has beside it
ABSENT = re.compile(r"No module named '(\w[\w.]{0,40})'")  # in what Python says, and kernel/absent.py
MOST_ABSENT = 5  # names that are said
MOST_LOOKED_AT = 100_000  # characters of a text in which they are looked for
OVERRUN = {  # in place of what a cell says that was interrupted
    "status": "error",
    "ename": "CellTimeoutError",
    "evalue": "",
    "traceback": ["CellTimeoutError: the cell did not end in time"],
}
SHOWN_SECONDS = 4 * PATIENCE  # for what a cell has shown to arrive when it has ended
LOOK_MILLISECONDS = 100  # between two looks whether a silent kernel is still there
SHOWN = {"status", "stream", "display_data", "update_display_data", "execute_result", "error", "clear_output"}


class Stopped(Exception):
    """The learner's kernel cannot go on; the message says why."""


class Runner(NotebookClient):
    """Runs a notebook's cells in a jailed kernel; graded cells are evaluated by the judge, outside of it.

    Args:
        nb: the notebook.
        bench: where it is run.
        course: the notebook in `source/`.
        seconds: time for all of it.
        budget: of the grader's own time.
        is_shown: whether anything is kept of what its cells display.

    Attributes:
        verdicts: on graded cells, by grade_id.
        why: why no cell could be run any more; None where all were.
        ended_at: the place of the cell that ended the kernel.
        overran: places of cells whose time was over.
    """

    def __init__(
        self,
        nb: NotebookNode,
        bench: Bench,
        course: NotebookNode,
        seconds: float,
        budget: Budget,
        is_shown: bool = True,
    ) -> None:
        super().__init__(
            nb,
            None,
            record_timing=False,
        )
        self.bench, self.course = bench, course
        self.settings = replace(bench.settings, submission_seconds=seconds)
        self.budget, self.is_shown = budget, is_shown
        self.verdicts: dict[str, Verdict] = {}
        self.why: str | None = None
        self.ended_at: int | None = None
        self.overran: set[int] = set()
        self.bytes = 0
        self.room = MOST_KEPT
        self.cut: set[int] = set()  # places of cells of which something displayed is left out
        self.absent: set[str] = set()  # packages that answers ask for and that are not installed

    def run(self) -> list[str]:
        """Run all cells and fill in their outputs.

        Returns:
            What the learner and the instructor should know, a sentence each.

        Raises:
            DeadKernel: when no kernel starts, or the machine ends it.
        """
        remarks = self.run_cells()
        gallery, left = self.budget.gallery, self.budget.left
        with outputs.within(self.budget):
            for index, cell in enumerate(self.nb.cells):  # now that no message can change an earlier output any more
                if cell.cell_type == "code" and not is_grade(cell):
                    cell.outputs = self._kept(outputs.safe_outputs(cell.outputs, gallery), index)
        if self.cut:
            most = f"{MOST_KEPT >> 20} MiB in all, or {MOST_MESSAGES:,} pieces in one cell"
            remarks.append(f"A part of what the notebook displays is left out: it is more than {most}.")
        if left > 0 and self.budget.left <= 0:
            remarks.append(
                "A part of what the notebook displays is left out, or shown as text: to show it takes longer than the "
                f"{self.budget.seconds:g} seconds that the grader has for verdicts and displays."
            )
        return remarks

    def run_cells(self) -> list[str]:
        """Run all cells, as `run` does, but leave outputs of the learner's as they came."""
        self.reset_execution_trackers()
        bench, remarks = self.bench, []
        stack = contextlib.ExitStack()
        try:
            with bench.timed("waiting for kernels"):
                try:
                    kernel = self._connect(stack)
                except DeadKernel:  # the machine may have been full for a moment
                    stack.close()
                    kernel = self._connect(stack)
            self.limit = Deadline(self.settings.submission_seconds, kernel.clock())
            files = bench.files if bench.level.name == "bubblewrap" else None
            judge = Judge(
                kernel, bench.tests, self._listen, self.settings, self.budget, self.course, files, bench.libraries
            )
            for index, cell in enumerate(self.nb.cells):
                if cell.cell_type != "code":
                    continue
                cell.outputs, cell.execution_count = [], None
                before = self.why
                if is_grade(cell):
                    with bench.timed("judging"), kernel.beside() if bench.alone else contextlib.nullcontext():
                        self._judge(cell, judge)
                elif self.why is None and not set(self.settings.skipped) & set(cell.metadata.get("tags", [])):
                    try:
                        with bench.timed("learners' cells"):
                            self._execute(cell, index)
                    except Stopped as error:
                        self.why = str(error)
                    if is_answer(cell):
                        self._note_absent(
                            *(str(output.get("evalue", output.get("text", ""))) for output in cell.outputs)
                        )
                if kernel.is_lost:
                    raise DeadKernel("its kernel was ended from outside")
                if self.why != before:
                    if self.limit.left > 0:  # else it is only the one that came too late
                        self.ended_at = index
                    begins = printable(cell.source.strip().split("\n")[0], 60).replace("`", "'") or "(empty)"
                    remarks.append(
                        f"After the cell that begins with `{begins}` nothing could be run any more: {self.why}."
                    )
                    if not self.is_shown:
                        break
            if self.is_shown:
                remarks += judge.remarks
                if self.absent:
                    names = ", ".join(sorted(self.absent))
                    remarks.append(
                        f"Answers ask for what is not installed where they are graded: {names}. What uses it fails; "
                        "docs/learner.md lists what is there."
                    )
        finally:
            stack.close()
            self.km = self.kc = None
        return remarks

    def _judge(self, cell: NotebookNode, judge: Judge) -> None:
        """Have a graded cell judged; a verdict that could not be reached is shown, and no verdict of a second pass."""
        judge.connection.left = self.limit.left
        verdict = judge.verdict(cell, self.why)
        if verdict.report is not None:
            self._note_absent(*(f"{check.says} {check.got}" for check in verdict.report.checks))
        if self.why is None and judge.connection.gone is None:
            self._drain()
        self.why = self.why or judge.connection.gone
        if self.is_shown:
            cell.outputs = verdict.outputs()
        elif self.why is None and (self.limit.left <= 0 or self.budget.left <= 0):
            self.why = self._over()
        if self.is_shown or self.why is None:
            self.verdicts[cell.metadata.nbgrader["grade_id"]] = verdict

    def _note_absent(self, *texts: str) -> None:
        """Keep the names of packages that these texts say are not installed."""
        found = (name for text in texts for name in ABSENT.findall(text[:MOST_LOOKED_AT]))
        self.absent |= set(itertools.islice(found, MOST_ABSENT - len(self.absent)))

    def _over(self) -> str:
        if self.budget.left <= 0:
            return f"to judge it took longer than {self.budget.seconds:g} seconds"
        return f"the notebook took longer than {self.settings.submission_seconds:g} seconds"

    def _kept(self, shown: list[NotebookNode], index: int) -> list[NotebookNode]:
        """Outputs of the cell at a place, as far as there is room for them; words in place of the rest."""
        for number, output in enumerate(shown):
            self.room -= len(json.dumps(output))
            if self.room < 0:
                self.cut.add(index)
                shown = shown[:number]
                break
        words = [new_output("stream", name="stderr", text="... the rest is left out ...")] if index in self.cut else []
        return [*shown, *words]

    def _connect(self, stack: contextlib.ExitStack) -> KernelProcess:
        """Take a kernel, and wait until its messages arrive: the result is its process.

        Raises:
            DeadKernel: when there is none.
        """
        self.km = self.bench.supply.take()
        stack.callback(self.km.close)
        self.kernel, self.kc = self.km.process, self.km.client()
        self.kc.start_channels(hb=False, stdin=False, control=False)
        stack.callback(self.kc.stop_channels)
        stack.enter_context(self.kernel.watched())
        self.kc.allow_stdin = False
        self._welcomed()
        return self.kernel

    def _execute(self, cell: NotebookNode, index: int) -> None:
        """Run one of the learner's cells.

        Raises:
            Stopped: when the kernel is of no use afterwards.
        """
        seconds = min(self.settings.cell_seconds, self.limit.left)
        if seconds <= 0:
            raise Stopped(self._over())
        self.messages = 0
        self.kernel.limit = Deadline(seconds, self.kernel.clock())
        try:
            self.execute_cell(cell, index)
        except DeadKernelError:
            self.kernel.notice_end()
            raise Stopped(self.kernel.why or "the kernel has ended, by itself or for want of memory or time") from None
        except CellTimeoutError:
            self.kernel.kill()
            raise Stopped(f"the cell took longer than {seconds:.0f} seconds and could not be interrupted") from None
        except zmq.Again:
            self._hang_up()
            raise Stopped(self.kernel.why) from None
        except Exception as error:  # what came from the kernel was not what a kernel sends
            self.log.debug("unreadable", exc_info=True)
            self.kernel.kill()
            raise Stopped(f"the kernel sent something unreadable ({type(error).__name__})") from None
        finally:
            self.kernel.limit = None

    def execute_cell(self, cell: NotebookNode, cell_index: int, **_: Any) -> NotebookNode:
        """As stock, where a cell's time is that of the processor; without an event loop, which takes as long as a cell.

        Raises:
            DeadKernelError: when the kernel is gone.
            CellTimeoutError: when the cell does not end though it was interrupted.
        """
        if not cell.source.strip():
            return cell
        sent = self.kc.execute(cell.source, stop_on_error=False)
        self.clear_before_next_output = False
        reply = self._ended(sent, cell, cell_index)["content"]
        shown = [output.ename for output in cell.outputs if output.output_type == "error"]
        if reply["status"] == "error" and reply["ename"] not in shown:  # no message has shown it
            traceback = reply["traceback"] or ["An error occurred, and its traceback was switched off."]
            cell.outputs.append(new_output("error", ename=reply["ename"], evalue=reply["evalue"], traceback=traceback))
        return cell

    def _ended(self, sent: str, cell: NotebookNode, index: int) -> dict[str, Any]:
        """Take what a cell shows until it has ended: the kernel's reply, or that the cell was interrupted."""
        shell, shown = self.kc.shell_channel, self.kc.iopub_channel
        waited = zmq.Poller()
        for channel in (shell, shown):
            waited.register(channel.socket, zmq.POLLIN)
        reply, ends = None, time.monotonic() + self.kernel.limit.seconds
        while waited.sockets:
            ready = dict(waited.poll(LOOK_MILLISECONDS))
            if shown.socket in ready and (message := self._answered(shown, sent)):
                try:
                    self.process_message(message, cell, index)
                except CellExecutionComplete:
                    waited.unregister(shown.socket)
            if shell.socket in ready and (message := self._answered(shell, sent)):
                reply = message
            elif reply is None and not ready and self.kernel.has_ended():
                raise DeadKernelError
            elif reply is None and time.monotonic() > ends and self.kernel.limit.left <= 0:
                self.kernel.interrupt()
                self.overran.add(index)
                reply = {"content": OVERRUN}
            elif time.monotonic() > ends and reply is not None:
                raise CellTimeoutError
            if reply is not None and shell.socket in waited:
                waited.unregister(shell.socket)
                ends = time.monotonic() + SHOWN_SECONDS
        return reply

    def _answered(self, channel: Any, sent: str) -> dict[str, Any] | None:
        """The message that has come, if it is about what was sent."""
        message = channel.get_msg()
        return message if message["parent_header"].get("msg_id") == sent else None

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """As stock, but for a flood of messages, and for widgets, which can redirect a later cell's output."""
        if not self.is_shown and msg["msg_type"] != "status":
            return None
        self.messages += 1
        self.bytes += len(str(msg["content"]))
        if msg["msg_type"] not in SHOWN:  # nbclient logs the names of others as they are
            return None
        count = msg["content"].get("execution_count")
        if type(count) is not int or not 0 <= count < MOST_COUNTED:  # the format allows no others
            msg["content"].pop("execution_count", None)
        if msg["msg_type"] != "status" and (self.messages > MOST_MESSAGES or self.bytes > MOST_BYTES):
            self.cut.add(cell_index)
            return None
        name, text = msg["content"].get("name"), msg["content"].get("text")
        if msg["msg_type"] == "stream" and type(name) is type(text) is str and not self.clear_before_next_output:
            cell.outputs.append(outputs.output("stream", name=name, text=text))
            return None
        return super().process_message(msg, cell, cell_index)

    def _welcomed(self) -> None:
        """Wait until the kernel's messages are sure to arrive: it greets who listens."""
        shown = self.kc.iopub_channel
        for _ in range(20):
            with contextlib.suppress(Empty):
                while True:
                    if shown.get_msg(timeout=1)["msg_type"] == "iopub_welcome":
                        return
            # A kernel that has only just begun to listen may miss who asks.
            shown.socket.setsockopt(zmq.UNSUBSCRIBE, b"")
            shown.socket.setsockopt(zmq.SUBSCRIBE, b"")
        raise DeadKernel("the kernel does not answer")

    def _listen(self) -> None:
        """Have the kernel answer the judge."""
        ahead = (*self.bench.tests.ASSIGNMENT.ahead,)
        try:
            self.listening = self.kc.execute(f"__import__('server').answer{ahead!r}", silent=True, store_history=False)
        except zmq.Again:
            self._hang_up()

    def _hang_up(self) -> None:
        """End a kernel that can be told nothing any more."""
        self.kernel.end("the kernel has closed the connection on which it is told what to run")

    def _drain(self) -> None:
        """Take what the kernel showed while it answered: too much of it, and the next cell's messages get lost."""
        ends = time.monotonic() + 1
        with contextlib.suppress(Exception):  # Empty, or something unreadable
            while time.monotonic() < ends:
                message = self.kc.iopub_channel.get_msg(timeout=0.2)
                ours = message["parent_header"].get("msg_id") == self.listening
                if ours and message["content"].get("execution_state") == "idle":
                    return


class Bench:
    """Where one notebook after the other is graded: the jail, kernels that are ready, the trusted tests.

    Args:
        settings: the limits, and the level that is required.
        files: a folder with what kernels find beside the notebook.
        seed: of all checks.
        assignment: its name in `source/`; nothing is declared of one without.
        alone: whether nothing else is at work on this machine, so that processors fall asleep in between.
        zygote: of which kernels are copies; without one, it makes its own.

    Attributes:
        spent: seconds by part of the work.
    """

    def __init__(
        self,
        settings: Settings,
        files: Path,
        seed: int,
        assignment: str = "",
        *,
        alone: bool = True,
        zygote: Zygote | None = None,
    ) -> None:
        self.settings, self.files, self.assignment = settings, files, assignment
        self.level = jail.probe()
        jail.require(self.level, settings.required)
        self.seed, self.alone, self.zygote = seed, alone, zygote
        self.spent: Counter[str] = Counter()

    def __enter__(self) -> Bench:
        with contextlib.ExitStack() as stack:
            if self.zygote is None and Zygote.is_safe(self.level):
                self.zygote = Zygote()  # it gets ready while PyTorch is loaded
                stack.callback(self.zygote.close)
            self.supply = KernelSupply(self.level, self.settings, self.files, self.zygote)
            stack.callback(self.supply.close)
            self.tests = assignments.load_tests(self.assignment, self.settings.oracle)
            self.libraries = assignments.libraries(self.assignment)
            self.tests.ASSIGNMENT.seed = self.seed
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: Any) -> None:
        self._stack.close()

    def grade(
        self, notebook: NotebookNode, course: NotebookNode, budget: Budget
    ) -> tuple[list[str], dict[str, FollowThrough]]:
        """Run a restored notebook, have its graded cells judged, and fill in all outputs.

        Args:
            notebook: the restored notebook.
            course: the notebook in `source/`, with the reference's answers.
            budget: what restoring it has left of the grader's own time for it.

        Returns:
            What the learner and the instructor should know, a sentence each; and what was judged twice, by grade_id.

        Raises:
            DeadKernel: when no kernel starts, or the machine ends it: this is no verdict, and may be tried again.
        """
        with limited_memory():
            return self._graded(notebook, course, budget)

    def _graded(
        self, notebook: NotebookNode, course: NotebookNode, budget: Budget
    ) -> tuple[list[str], dict[str, FollowThrough]]:
        seconds = self.settings.submission_seconds
        first = Runner(notebook, self, course, seconds, budget)
        remarks = first.run()
        if not self.settings.follow_through:
            return remarks, {}
        try:
            again = follow.second_pass(notebook, course, first.verdicts, first.overran, first.ended_at)
        except SyntaxError as error:
            return [*remarks, f"Nothing was judged a second time: an answer in source/ is no Python ({error})."], {}
        if again is None:
            return remarks, {}
        self.supply.expected += 1
        second = Runner(again, self, course, SECOND_SHARE * seconds, budget, is_shown=False)
        second.run_cells()
        if second.why is not None:
            remarks.append(
                "Sections after one that lost points could not all be judged again with the reference's earlier "
                f"sections, and what is missing counts as it was: {second.why}."
            )
        return remarks, follow.better(notebook, first.verdicts, second.verdicts)

    @contextlib.contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Count the time spent inside toward a part of the work."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.spent[part] += time.perf_counter() - start
