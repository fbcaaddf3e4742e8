"""The judge: evaluates a graded cell here, with the trusted tests, on objects that stay in the learner's kernel."""

from __future__ import annotations

import ast
import builtins
import contextlib
import html
import io
import symtable
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from nbformat import NotebookNode
from nbformat.v4 import new_output

from checks.observe import Failed, OutOfTime, UsedTorch, printable
from checks.report import FollowThrough, Report, Score
from grading.budget import Budget
from grading.kernels import JailedKernel
from grading.remote import Connection

MOST_POINTS = 1e6  # of a cell
GRACE = 10.0  # seconds that the judge has, when its time is over, to say what was found by then


@dataclass(frozen=True)
class Verdict:
    """What the judge says of a graded cell.

    Attributes:
        points: what it earns; None: all that the cell gives.
        says: a sentence, where there is no report.
        report: of the checks, where the cell ran some.
    """

    points: float | None
    says: str = ""
    report: Report | None = None

    def of(self, points: float) -> float:
        """The points of a cell that gives so many."""
        return points if self.points is None else self.points

    @property
    def waits(self) -> bool:
        """Whether there is a report in which all that does not pass waits for an earlier section."""
        return self.report is not None and self.report.open is None

    def outputs(self, twice: FollowThrough | None = None, is_alone: bool = False) -> list[NotebookNode]:
        """What the cell shows: report or sentence, and its points, as nbgrader reads them.

        Args:
            twice: what both verdicts gave, where the cell was judged a second time.
            is_alone: whether its report says nothing of the points so far, as they are counted otherwise.
        """
        shown = []
        if self.report is not None:
            progress = None if is_alone else self.report.progress
            report = replace(self.report, follow_through=twice, progress=progress)
            shown.append(new_output("display_data", data=report.mimebundle()))
        elif lines := [line for line in (self.says, str(twice or "")) if line]:
            points = "<strong>0 points.</strong> " if self.points == 0 else ""
            forms = {
                "text/plain": "\n".join(lines),
                "text/html": f"<p>{points}{'<br>'.join(map(html.escape, lines))}</p>",
            }
            shown.append(new_output("display_data", data=forms))
        if self.points is None:  # nbgrader gives all points to a cell that shows no number
            return shown
        return [*shown, new_output("execute_result", data={"text/plain": repr(self.points)})]


OVER = Verdict(0.0, "Not graded: the time was over.")


class Judge:
    """Verdicts on one submission.

    Args:
        kernel: where the learner's objects are.
        tests: the module that graded cells call.
        listen: has the kernel answer requests, until it is told that a cell is done.
        settings: request_seconds, cell_seconds, submission_seconds, most_requests.
        budget: of the judge's own time.
    """

    def __init__(
        self, kernel: JailedKernel, tests: Any, listen: Callable[[], None], settings: Any, budget: Budget
    ) -> None:
        self.connection = Connection(
            kernel, settings.request_seconds, settings.submission_seconds, settings.most_requests
        )
        self.connection.own_left = lambda: budget.left
        self.tests, self.listen, self.settings, self.budget = tests, listen, settings, budget
        self.remarks: list[str] = []  # what the instructor should know
        tests.WORKSHOP.earned.clear()  # it counts one learner's points
        tests.WORKSHOP.kept = False

    def verdict(self, source: str, why: str | None) -> Verdict:
        """On a graded cell. `why` says why it cannot be judged."""
        if why is not None:
            return Verdict(0.0, f"Not graded: {why}.")
        if min(self.connection.left, self.budget.left) <= 0:
            return OVER
        self.connection.cell_left = self.settings.cell_seconds
        self.listen()
        try:
            with self.budget.work(grace=GRACE):
                names, undefined = self._names(source)
                if undefined:
                    return Verdict(
                        0.0,
                        f"{' and '.join(undefined)} {'is' if len(undefined) == 1 else 'are'} not defined: "
                        "the cell for it did not run to its end.",
                    )
                with contextlib.redirect_stdout(io.StringIO()):
                    value = _value(source, names)
        except AssertionError as error:  # of a test that is written with assert
            return Verdict(0.0, f"The test failed: {printable(str(error)) or 'what it asserts does not hold'}.")
        except OutOfTime:
            return OVER
        except (Failed, UsedTorch) as error:
            return Verdict(0.0, f"Not graded: {error}.")
        except Exception as error:  # of the checks, on values that nobody thought of
            return Verdict(0.0, f"Not graded: the checks failed on what your code computed ({type(error).__name__}).")
        finally:
            self.connection.done()
            if self.budget.left <= 0:
                self.remarks.append(
                    f"To judge it takes the grader more than {self.budget.seconds:g} seconds of its own: what was not "
                    "judged by then counts 0."
                )
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or value is True:
            return Verdict(None, "The test passed.")
        if value is False:
            return Verdict(0.0, "The test failed.")
        if not isinstance(value, (int, float)) or not 0 <= value < MOST_POINTS:
            return Verdict(0.0, "Not graded: the last line of this cell is worth no number of points.")
        if not isinstance(value, Score):
            return Verdict(float(value))
        self.remarks += broken(value.report)
        return Verdict(float(value), report=value.report)

    def _names(self, source: str) -> tuple[dict[str, Any], list[str]]:
        """What the names in a cell stand for, and those that the kernel does not know."""
        names, undefined = {"tests": self.tests}, []
        table = _table(source)
        own = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
        for name in sorted(_used(table) - {"tests"} - set(dir(builtins))):
            try:
                names[name] = self.connection.ask("name", name)
            except Exception as error:
                if type(error) is Failed:
                    raise
                if name not in own:
                    undefined.append(name)
        return names, undefined


def read_names(source: str) -> set[str]:
    """Global names that a graded cell reads."""
    return _used(_table(source))


def _table(source: str) -> symtable.SymbolTable:
    return symtable.symtable(source, "<graded cell>", "exec")


def _used(table: symtable.SymbolTable) -> set[str]:
    """Global names that code reads."""
    names = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() and symbol.is_referenced()}
    return names.union(*map(_used, table.get_children()))


def _value(source: str, names: dict[str, Any]) -> Any:
    """Run a cell of the course; the value of its last line, as a notebook shows it."""
    lines = ast.parse(source).body
    last = lines.pop() if lines and isinstance(lines[-1], ast.Expr) else None
    exec(compile(ast.Module(lines, []), "<graded cell>", "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), "<graded cell>", "eval"), names)


def broken(report: Report) -> list[str]:
    """What the instructor should know: checks that failed by themselves, which give no points."""
    return [
        f"In {report.title}, “{check.title}” was not judged: {check.got}"
        for check in report.checks
        if check.status == "broken"
    ]
