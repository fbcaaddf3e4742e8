"""The judge: evaluates a graded cell here, with the trusted tests, on objects that stay in the learner's kernel."""

from __future__ import annotations

import ast
import builtins
import contextlib
import html
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from nbformat import NotebookNode

from checks.observe import Failed, Nowhere, OutOfTime, UsedTorch, elsewhere, explain, printable
from checks.report import FollowThrough, Report, Score
from grading import names
from grading.budget import Budget
from grading.kernel.wire import KINDS
from grading.outputs import output
from grading.processes import KernelProcess
from grading.remote import Connection, Described, Remote, Undecided, execute

MOST_POINTS = 1e6  # of a cell
GRACE = 10.0  # seconds that the judge has, when its time is over, to say what was found by then
SEE = "See “Tests of your own” in docs/security.md."
CELL, COURSE = "<graded cell>", "<course>"  # file names of its code, and of the course's lines that it builds on
GIVEN = frozenset({"tests"})  # names that stand for the same in each of them


@dataclass(frozen=True)
class Verdict:
    """What the judge says of a graded cell.

    Attributes:
        points: what it earns; None: all that the cell gives.
        says: a sentence, where there is no report, or beside it.
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
            if self.says:
                shown.append(output("display_data", metadata={}, data=_said(self.says)))
            progress = None if is_alone else self.report.progress
            report = replace(self.report, follow_through=twice, progress=progress)
            shown.append(output("display_data", metadata={}, data=report.mimebundle()))
        elif lines := [line for line in (self.says, str(twice or "")) if line]:
            points = "<strong>0 points.</strong> " if self.points == 0 else ""
            shown.append(output("display_data", metadata={}, data=_said(*lines, points=points)))
        if self.points is None:  # nbgrader gives all points to a cell that shows no number
            return shown
        points = {"text/plain": repr(self.points)}
        return [*shown, output("execute_result", metadata={}, data=points, execution_count=None)]


def _told(error: Undefined) -> str:
    return f"{error}: the cell for it did not run to its end."


def _said(*lines: str, points: str = "") -> dict[str, str]:
    """Sentences as a display."""
    return {"text/plain": "\n".join(lines), "text/html": f"<p>{points}{'<br>'.join(map(html.escape, lines))}</p>"}


OVER = Verdict(0.0, "Not graded: the time was over.")


class Undefined(Exception):
    """Names of the learner's that a test reads are not there."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} not defined")


class Judge:
    """Verdicts on one submission.

    Args:
        kernel: where the learner's objects are.
        tests: the module that graded cells call.
        listen: has the kernel answer requests, until it is told that a cell is done.
        settings: request_seconds, cell_seconds, submission_seconds, most_requests.
        budget: of the judge's own time.
        course: the notebook in `source/`, which says whose the names in graded cells are.
        files: the folder that its lines may read and import from; None where the kernel could write to it.
        libraries: modules beside the notebook that the learner's code goes on with.
    """

    def __init__(
        self,
        kernel: KernelProcess,
        tests: Any,
        listen: Callable[[], None],
        settings: Any,
        budget: Budget,
        course: NotebookNode,
        files: Path | None,
        libraries: frozenset[str] = frozenset(),
    ) -> None:
        self.connection = Connection(
            kernel, settings.request_seconds, settings.submission_seconds, settings.most_requests
        )
        self.connection.own_left = lambda: budget.left
        self.tests, self.listen, self.settings, self.budget = tests, listen, settings, budget
        self.course, self.files, self.libraries = course, files, libraries
        self.values: dict[str, Any] = {}  # that locked cells make, and the last test used
        self.without: list[str] = []  # the learner's names that no cell has defined, in the last test
        self.copied: dict[str, Any] = {}  # the learner's names that stand for plain values, in the last test
        self.remarks: list[str] = []  # what the instructor should know
        assignment = tests.ASSIGNMENT
        assignment.forget()  # it counts one learner's points
        assignment.kept, assignment.execute = False, execute

    def verdict(self, cell: NotebookNode, why: str | None) -> Verdict:
        """On a graded cell. `why` says why it cannot be judged."""
        if why is not None:
            return Verdict(0.0, f"Not graded: {why}.")
        if min(self.connection.left, self.budget.left) <= 0:
            return OVER
        self.connection.cell_left = self.settings.cell_seconds
        self.connection.begin()
        self.listen()
        self.values.clear()
        self.copied.clear()
        self.without.clear()
        verdict, doubts, mark = OVER, [], cell.metadata.nbgrader
        try:
            with contextlib.suppress(OutOfTime), elsewhere(), self.budget.work(grace=GRACE):
                verdict = self._evaluated(cell)
                if verdict.report is None and verdict.of(mark.points) != mark.points:
                    doubts = self._doubts()
        finally:
            self.connection.done()
            if self.budget.left <= 0:
                self.remarks.append(
                    f"To judge it takes the grader more than {self.budget.seconds:g} seconds of its own: what was not "
                    "judged by then counts 0."
                )
        if verdict.report is not None or verdict.of(mark.points) == mark.points:
            return verdict
        why = self.connection.undecided
        if why or doubts:
            reasons = "; ".join([why, *doubts] if why else doubts)
            self.remarks.append(f"{mark.grade_id!r} could not be judged: {reasons}. {SEE}")
        return replace(verdict, says=" ".join([verdict.says, *(f"({doubt}.)" for doubt in doubts)]).strip())

    def _doubts(self) -> list[str]:
        """Why a test that lost points may have lost them though the work is right."""
        doubts = []
        differs = {
            "which a locked cell makes, is another one in this notebook": self.values,
            "which the test has a copy of from before it ran, is another one now": self.copied,
        }
        for what, values in differs.items():
            for name, value in values.items():
                with contextlib.suppress(Exception, OutOfTime, UsedTorch):
                    if not _is_same(value, self.connection.ask("name", name)):
                        doubts.append(f"{name}, {what}")
        if self.connection.changed:
            doubts.append("code of this notebook changes what it is given, and a test hands over copies")
        return doubts

    def _evaluated(self, cell: NotebookNode) -> Verdict:
        undefined: set[str] = set()
        try:
            with contextlib.redirect_stdout(Nowhere()), _imported(self.tests), contextlib.ExitStack() as stack:
                self._compile(cell.source)
                if self.files is not None:
                    stack.enter_context(_beside(self.files))
                needed = names.needed(self.course, cell.metadata.nbgrader["grade_id"], GIVEN, self.libraries)
                value = _value(cell.source, self._names(cell.source, needed, undefined))
            if self.connection.undecided and not isinstance(value, Score):  # whatever the test made of the exception
                raise Undecided(self.connection.undecided)
        except NameError as error:
            return self._failed(cell, Undefined([error.name]) if error.name in undefined else error)
        except OutOfTime:
            return OVER
        except UsedTorch as error:
            return Verdict(0.0, f"Not graded: {error}.")
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # as pytest.raises and sys.exit raise
            return self._failed(cell, error)
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
        return Verdict(float(value), _told(Undefined(self.without)) if self.without else "", value.report)

    def _compile(self, source: str) -> None:
        """See whether a test is Python: IPython's own, such as `%matplotlib inline` or `await`, runs nowhere here."""
        try:
            compile(source, CELL, "exec")
        except (SyntaxError, ValueError) as error:
            raise self.connection.undecidable(printable(f"the test is no plain Python ({error})")) from None

    def _failed(self, cell: NotebookNode, error: BaseException) -> Verdict:
        """On a cell whose test ended in an exception."""
        if why := self.connection.undecided:
            return Verdict(0.0, f"Not graded: {why}.")
        if isinstance(error, Undefined):
            return Verdict(0.0, _told(error))
        if isinstance(error, Failed):
            return Verdict(0.0, f"Not graded: {error}.")
        if self._is_theirs(error):
            where = error.with_traceback(self.connection.raised[1])
            return Verdict(0.0, f"The test failed: {printable(str(explain(where)))}.")
        if isinstance(error, AssertionError):
            return Verdict(0.0, f"The test failed: {self._shown(error) or _asserted(cell.source, error)}.")
        what = printable(": ".join(part for part in (type(error).__name__, self._shown(error)) if part))
        if not isinstance(error, Exception):
            return Verdict(0.0, f"The test failed: {what}.")
        # of the test, on values that nobody thought of
        return Verdict(0.0, f"Not graded: the test failed on what your code computed: {what}.")

    def _is_theirs(self, error: BaseException) -> bool:
        return self.connection.raised is not None and error is self.connection.raised[0]

    def _shown(self, error: BaseException) -> str:
        """The text of an exception. It may hold an object of the kernel, whose `str` is the learner's code."""
        before = self.connection.undecided  # a text decides nothing
        try:
            return printable(str(error))
        except (Exception, OutOfTime, UsedTorch):
            return "(it cannot be shown)"
        finally:
            self.connection.undecided = before

    def _names(self, source: str, needed: names.Needed, undefined: set[str]) -> dict[str, Any]:
        """What the names in a cell stand for; those that the kernel does not know are `undefined`."""
        found: dict[str, Any] = {"tests": self.tests}
        for name in sorted(needed.learners):
            try:
                found[name] = self.connection.ask("name", name)
                if not issubclass(type(found[name]), Remote):
                    self.copied[name] = found[name]
            except KeyError:
                if name == "display":  # which IPython has everywhere
                    found[name] = _shown
                elif (stands := _without(name, source, self.tests)) is not ...:
                    found[name] = stands
                    if not hasattr(builtins, name):  # else it is Python's own that is used
                        self.without.append(name)
                else:
                    undefined.add(name)
        missing = undefined & (names.read_first(source) - names.bound_names(source) | {*dir(builtins)})
        if missing:
            raise Undefined(sorted(missing))
        for name in needed.caught & found.keys():  # Python catches classes of its own only
            found[name] = self.connection.catchable(name, found[name])
        self._run_given(needed.lines, found)
        self.values |= {name: found[name] for name in sorted(needed.values)}
        return found

    def _run_given(self, lines: Sequence[ast.stmt], found: dict[str, Any]) -> None:
        """Run the course's lines that a test builds on."""
        absent: dict[str, str] = {}  # what could not be imported, and why; another line may import it from elsewhere
        for line in lines:
            failed = f"the test needs `{ast.unparse(line)}`, which fails where tests run"
            try:
                _run([line], found, COURSE)
            except ImportError as error:
                alias = line.names[0] if isinstance(line, names.IMPORT) else ast.alias(str(error.name))
                absent[(alias.asname or alias.name).partition(".")[0]] = f"{failed}: {self._shown(error)}"
            except (NameError, Failed) as error:
                if isinstance(error, NameError) and error.name in absent:
                    break
                raise
            except Exception as error:
                if self._is_theirs(error):
                    raise
                what = f"{failed}: {type(error).__name__}: {self._shown(error)}"
                raise self.connection.undecidable(printable(what)) from error
        for name in absent.keys() - found.keys():
            raise self.connection.undecidable(printable(absent[name]))


@contextlib.contextmanager
def _imported(tests: Any) -> Iterator[None]:
    """Have `import tests` give an assignment's tests, as beside its notebook."""
    before = sys.modules.get("tests")
    sys.modules["tests"] = tests
    try:
        yield
    finally:
        sys.modules.pop("tests", None)
        if before is not None:
            sys.modules["tests"] = before


@contextlib.contextmanager
def _beside(files: Path) -> Iterator[None]:
    """Read files, and import modules, that lie beside the course's notebook."""
    sys.path.append(str(files))
    try:
        with contextlib.chdir(files):
            yield
    finally:
        sys.path.remove(str(files))


def _shown(*_: Any, **__: Any) -> None:
    """What `display` does in a graded cell: nothing."""


def _without(name: str, source: str, tests: Any) -> Any:
    """What stands for a name that no cell of the learner's has defined: the default of the argument of this name, of a
    test that the cell calls; `...` without one.

    So a test of several answers judges those that are there. And what Python has under this name may be just what was
    to be written.
    """
    for each in ast.walk(ast.parse(source)):
        match each:
            case ast.Call(ast.Attribute(ast.Name("tests"), test)) if callable(called := getattr(tests, test, None)):
                wanted = inspect.signature(called).parameters.get(name)
                if wanted is not None and wanted.default is not wanted.empty:
                    return wanted.default
    return ...


def _asserted(source: str, error: AssertionError) -> str:
    """What does not hold, in a test without a message."""
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == CELL]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assert) and node.lineno in lines[-1:]:
            return f"this does not hold: {printable(ast.unparse(node.test))}"
    return "what it asserts does not hold"


def _is_same(own: Any, other: Any) -> bool:
    """Whether a value of the kernel may well be one of the judge's; what does not cross may be."""
    kind = type(own)
    if isinstance(own, np.ndarray):
        if not isinstance(other, (np.ndarray, Described)) or own.shape != other.shape:
            return False
        is_unread = isinstance(other, Described) or not {own.dtype.kind, other.dtype.kind} <= {*KINDS}
        return is_unread or own.tobytes() == other.tobytes()
    if kind is Described:
        return type(other) is Described and own.shape == other.shape
    if issubclass(kind, Remote):
        return issubclass(type(other), Remote)
    if issubclass(type(other), Remote):
        return kind not in (type(None), bool, int, float, str, list, tuple, dict)
    if kind in (list, tuple):
        return kind is type(other) and len(own) == len(other) and all(map(_is_same, own, other))
    if kind is dict:
        return kind is type(other) and own.keys() == other.keys() and all(_is_same(own[k], other[k]) for k in own)
    return own == other or own != own


def _value(source: str, names: dict[str, Any]) -> Any:
    """Run a cell of the course; the value of its last line, as a notebook shows it."""
    lines = ast.parse(source).body
    last = lines.pop() if lines and isinstance(lines[-1], ast.Expr) else None
    _run(lines, names, CELL)
    return None if last is None else eval(compile(ast.Expression(last.value), CELL, "eval"), names)


def _run(lines: list[ast.stmt], names: dict[str, Any], file: str) -> None:
    exec(compile(ast.Module(lines, []), file, "exec"), names)


def broken(report: Report) -> list[str]:
    """What the instructor should know: checks that failed by themselves, which give no points or name no mistake."""
    unnamed = f"In {report.title}, no mistake was looked for behind what failed; the checks' author should know: "
    return [
        *(
            f"In {report.title}, “{check.title}” was not judged: {check.got}"
            for check in report.checks
            if check.status == "broken"
        ),
        *([unnamed + report.fault] if report.fault else []),
    ]
