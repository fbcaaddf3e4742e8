"""A section: its checks in teaching order, run one after the other into a report."""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import random
import textwrap
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from checks import evidence, experiments, progress
from checks.assignment import Assignment, Told
from checks.evidence import Observation
from checks.mistakes import Mistake, Style, Way
from checks.observe import Clock, Missing, Printed, Stopped, class_name, printable, quiet
from checks.oracle import BEFOREHAND
from checks.report import Practiced, Report, Result, Score
from checks.trial import CHECK_SECONDS, Check, Known, Trial, Workaround

Execute = Callable[[str, dict[str, Any]], None]
NOTHING_COUNTS = "nothing of this test is counted."
SECTION_SECONDS = 30.0  # of learner code, in all checks of one section together


class Section:
    """The checks of one section of the notebook, in teaching order.

    Args:
        id: the section's grade_id without "test_".
        title: the section's heading.
        call: what a learner types to run the checks.
        builds_on: earlier sections, each with ids of its checks. When something fails here and one of those does
            not pass, that one is what the learner has to look at first. Without ids, where this section is not given
            the names to run them, it is only named as a place to look.
        assignment: what the points count toward.
        workarounds: for slips that have a check of their own.
        practice: whether its checks give no points: it is tried in a cell that is not graded.
        draws: whether the learner's code may draw random numbers: they are then seeded for each check.
    """

    def __init__(
        self,
        id: str,
        title: str,
        call: str,
        builds_on: Sequence[tuple[Section, Sequence[str]]] = (),
        assignment: Assignment | None = None,
        workarounds: Sequence[Workaround] = (),
        practice: bool = False,
        draws: bool = True,
    ) -> None:
        self.id, self.title, self.call, self.builds_on = id, title, call, builds_on
        self.checks: list[Check] = []
        self.stages: dict[str, str] = {}  # their titles, by id
        self.workarounds, self.practice, self.draws = workarounds, practice, draws
        self.assignment = assignment or Assignment(title)
        self.assignment.all_sections.append(self)

    @property
    def points(self) -> float:
        return sum(check.points for check in self.checks)

    @property
    def worth(self) -> float:
        """Its points; of one for practice, how many checks it has."""
        return len(self.checks) if self.practice else self.points

    @property
    def test(self) -> str:
        """The name of the function that runs the checks."""
        return self.call.partition("(")[0].rpartition(".")[2]

    @property
    def takes(self) -> list[str]:
        """The names that this function is given."""
        return [name.id for name in ast.parse(self.call, mode="eval").body.args]

    def call_with(self, names: dict[str, Any]) -> str:
        """The call, with None in place of names that stand for nothing yet."""
        function, _, _ = self.call.partition("(")
        return f"{function}({', '.join(name if names.get(name) is not None else 'None' for name in self.takes)})"

    def stage(self, id: str, title: str) -> None:
        """Begin a stage: checks that are added from now on belong to it, and a report folds it into a line."""
        if id in self.stages:
            raise ValueError(f"the section {self.id} has a stage {id!r} already")
        self.stages[id] = title

    def check(
        self,
        points: float = 0,
        *,
        id: str | None = None,
        title: str | None = None,
        needs: Sequence[str] = (),
        hints: Sequence[str] = (),
        seconds: float = CHECK_SECONDS,
        any_program: bool = False,
    ) -> Callable[[Callable[[Trial], None]], Callable[[Trial], None]]:
        """Add the decorated function as a check; its name is the id, its docstring the title."""

        def add(run: Callable[[Trial], None]) -> Callable[[Trial], None]:
            name, says = id or run.__name__, title or run.__doc__ or ""
            there = {check.id for check in self.checks}
            if name in there:
                raise ValueError(f"the section {self.id} has a check {name!r} already")
            if unknown := set(needs) - there:
                raise ValueError(f"the check {name!r} needs {sorted(unknown)}, which do not stand before it")
            if points and self.practice:
                raise ValueError(f"the check {name!r} gives points, and the section {self.id} is for practice")
            stage = next(reversed(self.stages), None)
            self.checks.append(Check(name, says, points, run, tuple(needs), tuple(hints), seconds, any_program, stage))
            return run

        return add

    def score(self, seed: int | None, until: str | None = None, **names: Any) -> Score:
        """Run the checks on the learner's names, show the report, and return the points.

        Up to the end of a stage, `until`, the points are those earned so far, and never lower what was known before.
        """
        earlier = [
            (section.title, way) for section, _ in self.builds_on for way in self.assignment.causes.get(section.id, ())
        ]
        report = self.run(names, seed, earlier, until)
        known, assignment = self.assignment.earned.get(self.id, 0.0), self.assignment
        if self.practice:
            assignment.practiced[self.id] = report.passed
        else:
            assignment.earned[self.id] = report.score if until is None else max(known, report.score)
        assignment.causes[self.id] = report.causes
        report.progress = assignment.progress(self, not report.passed)
        if report.progress and until is not None and known > report.score and not report.passed:
            report.progress += f" These are the most you had: {self.test} without until= counts “{self.title}” anew."
        if assignment.kept:
            progress.keep(assignment, report)
        report.show()
        return Practiced(report) if self.practice else Score(report)

    def run(
        self,
        names: dict[str, Any],
        seed: int | None = None,
        earlier: Sequence[tuple[str, Way]] = (),
        until: str | None = None,
    ) -> Report:
        """Run the checks; `seed` repeats a run, None takes the assignment's or draws a new one.

        `earlier` is what was found in sections that this one builds on, by their titles: what comes from there is not
        called a mistake of this one. `until` is the last stage that is looked at.

        Raises:
            ImportError: where the oracle lacks what it computes with, such as PyTorch; with what to do.
            TypeError: for a seed that is no whole number.
            ValueError: for a stage that the section does not have.
        """
        checks = self.up_to(until)
        self.assignment.oracle.names("float64")  # before the clock runs
        if seed is None:
            seed = drawn_seed() if self.assignment.seed is None else self.assignment.seed
        elif isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise TypeError(f"seed is a whole number from 0, as a report shows it, not {seed!r}")
        drawn = np.random.get_state()
        with quiet():
            try:
                return self._report(names, seed, earlier, checks, until)
            except Stopped:
                raise
            except KeyboardInterrupt:
                raise Stopped(f"Stopped: {NOTHING_COUNTS}") from None
            finally:
                np.random.set_state(drawn)  # checks seed it for the learner's layers; the notebook's goes on as it was

    def _report(
        self,
        names: dict[str, Any],
        seed: int,
        known: Sequence[tuple[str, Way]],
        checks: Sequence[Check],
        until: str | None,
    ) -> Report:
        clock = Clock(SECTION_SECONDS)
        results, causes, fault = _run(checks, self, names, seed, clock, known)
        report = Report(
            self.id,
            self.title,
            self.call if until is None else self.call_with(names),
            seed,
            results,
            causes=causes,
            fault=fault,
            stages=self.stages,
            until=until,
            whole=self.worth,
            practice=self.practice,
            note=BEFOREHAND if self.assignment.oracle.alone else None,
        )
        if all(result.status == "passed" for result in results):
            return report
        for earlier, ids in self.builds_on:
            try:
                before, _, fault = _run(
                    earlier.with_needs(ids), earlier, names, seed, clock, execute=self.assignment.execute
                )
            except Stopped:  # it names a check of another section
                raise Stopped(f"Stopped while what “{self.title}” builds on was tested: {NOTHING_COUNTS}") from None
            report.fault = report.fault or fault
            for result in before:
                if result.status in ("failed", "missing"):
                    _wait(
                        results,
                        f"waits for “{result.title}” ({earlier.call.split('(')[0]}), which {_state(result)}",
                    )
                    report.causes = []
                    return report
        return report

    def up_to(self, stage: str | None) -> list[Check]:
        """The checks to the end of a stage, in order; all without one.

        Raises:
            ValueError: with the stages, for one that is not there.
        """
        if stage is None:
            return self.checks
        if stage not in self.stages:
            there = ", ".join(map(repr, self.stages)) or "none"
            raise ValueError(f"“{self.title}” has no stage {stage!r}: until is one of its stages ({there})")
        ids = [None, *self.stages]
        wanted = ids[: ids.index(stage) + 1]
        return [check for check in self.checks if check.stage in wanted]

    def with_needs(self, ids: Sequence[str]) -> list[Check]:
        """These checks and all that they need, in order."""
        wanted = set(ids)
        for check in reversed(self.checks):
            if check.id in wanted:
                wanted.update(check.needs)
        return [check for check in self.checks if check.id in wanted]


def drawn_seed() -> int:
    """A seed that nobody can foresee, short enough to be typed."""
    return random.SystemRandom().randrange(1_000_000)


WRITTEN = "If it is written already: run its cell again, and then the cells below it."
NOTHING_ASKED = "waits for what it builds on: none of that works yet"
ONLY_RIGHT = "asked of the parts that work: what fails in other checks was left out"
BROKEN = "this check could not look at what your code computed, and says nothing of it; its author should know: {}"


def judged(
    checks: Sequence[Check],
    section: Section,
    names: dict[str, Any],
    seed: int,
    clock: Clock,
    execute: Execute | None = None,
) -> tuple[dict[str, Result], dict[str, Trial]]:
    """Run checks in order: which passed, failed, are missing or wait; and what was observed in those that ran.

    `execute` runs a check's code; that of the section's assignment without it.
    """
    results: dict[str, Result] = {}
    trials: dict[str, Trial] = {}
    known = Known(section.assignment, execute or section.assignment.execute, section.workarounds, draws=section.draws)
    for check in checks:
        result = results[check.id] = Result(check.id, check.title, check.points, stage=check.stage)
        if any(results[need].status not in ("passed", "broken") for need in check.needs):
            continue
        if clock.left <= 0:
            result.got = "waits for the checks before it: they took too long"
            continue
        try:
            with contextlib.redirect_stdout(Printed()) as printed:
                trial = _tried(check, names=names, seed=seed, clock=clock, known=known)
        except KeyboardInterrupt:
            raise Stopped(f"Stopped while “{check.title}” was tested: {NOTHING_COUNTS}") from None
        result.printed = printed.shown
        if trial.first is None and trial.waits:
            result.got = trial.waits
            continue
        if trial.first is None and not trial.broken and not trial.asked:
            result.got = NOTHING_ASKED
            continue
        trials[check.id] = trial
        if trial.broken:
            result.status = "broken"
            result.got = BROKEN.format(printable(f"{class_name(trial.broken)}: {trial.broken}", 100))
        elif trial.first is None:
            result.status, result.score = "passed", check.points
        else:
            result.status = "missing" if isinstance(trial.first.verdict, Missing) else "failed"
    return results, trials


# What is said of a failure that ends a check's code, whose own hints are about what it should compute.
STOPPED = "Which loop has no end? Run the snippet, and print in the loop what it waits for."
RAISED = "Read the message, and the lines below it: which value there is not what you expect?"


def _run(
    checks: Sequence[Check],
    section: Section,
    names: dict[str, Any],
    seed: int,
    clock: Clock,
    earlier: Sequence[tuple[str, Way]] = (),
    execute: Execute | None = None,
) -> tuple[list[Result], list[Way], str | None]:
    """The results of checks, what was found to be wrong, and the fault, if any, that kept it from being looked for."""
    results, trials = judged(checks, section, names, seed, clock, execute)
    failed = {id: trial for id, trial in trials.items() if trial.first and not trial.broken}
    passed = {id: trial for id, trial in trials.items() if id not in failed}
    try:
        inference = evidence.Inference(section.assignment, section.id, _evidence(passed), _evidence(failed), earlier)
        again = functools.partial(_tried, names=names, seed=seed, clock=clock)
        verdicts, causes, fault = _explained(failed, results, inference, again), list(inference.found), None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # of what looks for mistakes: the checks have failed all the same
        verdicts = {
            id: Verdict(_plainly(trial), hints=trial.check.hints, missing=results[id].status == "missing")
            for id, trial in failed.items()
        }
        causes, fault = [], printable(f"{class_name(error)}: {error}", 100)
    for id, trial in failed.items():
        _tell(results[id], trial, verdicts[id], section.id)
    for check in checks:
        if check.any_program and failed and results[check.id].status == "passed":
            results[check.id].says = ONLY_RIGHT
        unmet = [results[need] for need in check.needs if results[need].status not in ("passed", "broken")]
        if unmet:
            # What waits for a waiting check waits for the same thing: name the one to look at.
            first = unmet[0]
            waits = first.got if first.status == "waiting" else f"waits for “{first.title}”, which {_state(first)}"
            results[check.id].got = waits
    return list(results.values()), causes, fault


def _evidence(trials: dict[str, Trial]) -> dict[str, list[Observation]]:
    return {id: trial.evidence for id, trial in trials.items()}


def _explained(
    failed: dict[str, Trial], results: dict[str, Result], inference: evidence.Inference, again: Callable[..., Trial]
) -> dict[str, Verdict]:
    """What is behind each failure, told at the first one that it explains. `again` runs a check once more."""
    assignment = inference.assignment
    inference.styles = assignment.styles(failed)
    verdicts: dict[str, Verdict] = {}
    for id in assignment.roots_first(failed, inference):
        trial = failed[id]
        known = replace(trial.known, right={}, slips=None)
        verdicts[id] = _named(trial, inference, functools.partial(again, trial.check, known=known))
    for id, trial in failed.items():
        if verdicts[id].mistake is None and not trial.first.stopped and (cause := inference.known_cause(id)):
            verdicts[id] = _of_cause(cause, trial)  # which was found in checks behind this one
    told: dict[str, str] = {}  # mistake, or the place of an exception, to the title of the check that tells it
    for id, trial in failed.items():
        verdict, raised = verdicts[id], getattr(trial.first.verdict, "raised", None)
        if verdict.mistake and raised and verdict.mistake.id == getattr(trial.first.verdict.perhaps, "mistake", None):
            verdict = replace(verdict, first=told.get(raised))  # the same exception elsewhere is another cause
            told.setdefault(raised, results[id].title)
        elif verdict.mistake and verdict.first in (None, *results):
            verdict = replace(verdict, first=told.get(verdict.mistake.id))
            told.setdefault(verdict.mistake.id, results[id].title)
        elif verdict.mistake is None and raised:
            verdict = replace(verdict, first=told.get(raised))
            told.setdefault(raised, results[id].title)
        verdicts[id] = verdict
    return verdicts


@dataclass(frozen=True)
class Verdict:
    """What is said about a failure.

    Attributes:
        says: in one line, what was observed.
        mistake: the known one behind it.
        hints: from nudge to rule.
        first: where the same cause was told before: the id or title of a check, or the title of an earlier section.
        missing: whether there is nothing to judge yet.
    """

    says: str
    mistake: Mistake | None = None
    hints: tuple[str, ...] = ()
    first: str | None = None
    missing: bool = False


def _tell(result: Result, trial: Trial, verdict: Verdict, section: str) -> None:
    assert trial.first is not None
    result.status = "missing" if verdict.missing else "failed"
    got = str(trial.first.verdict)
    got = got if verdict.missing else got.removeprefix("not written yet: ")
    got = got.replace(f"\n{verdict.says}", "", 1)  # what an exception means is said once
    result.snippet, result.got = _folded(trial.first.snippet), _short(got)
    result.drawing = trial.assignment.drawing(result.snippet) if result.snippet else None
    result.expected = _short(getattr(trial.first.verdict, "expected", None))
    said = trial.assignment.hints(verdict.mistake, section, trial.check.stage) if verdict.mistake else verdict.hints
    says, result.hints = verdict.says, list(said)
    if verdict.first:
        says, result.hints = f"the same cause as in “{verdict.first}”: {says}", []
    if verdict.missing and not result.hints:
        result.hints = [WRITTEN]
    result.says = printable(says, 240)
    result.mistake = verdict.mistake.id if verdict.mistake else None


def _tried(check: Check, again: int = 0, *, names: dict[str, Any], seed: int, clock: Clock, known: Known) -> Trial:
    """Run a check; `again` for other random numbers. What the learner's code draws itself is drawn again, too."""
    drawn = [seed, zlib.crc32(check.id.encode()), *([again] if again else [])]
    trial = known.assignment.trial(check, names, np.random.default_rng(drawn), clock, known)
    clock.theirs.clear()
    if known.draws:
        trial.tries(f"np.random.seed({_for_the_learner(drawn)})")
        trial.snippet = None
    trial.attempt(check.run)
    return trial


def _for_the_learner(drawn: Sequence[int]) -> list[int]:
    """A seed for what the learner's code draws itself, from which nobody finds what the check will draw."""
    digest = hashlib.sha256(f"for the learner's code: {[*drawn]}".encode()).digest()
    return [int.from_bytes(digest[place : place + 4], "big") for place in range(0, 16, 4)]


def _plainly(trial: Trial) -> str:
    assert trial.first is not None
    return getattr(trial.first.verdict, "says", None) or str(trial.first.verdict)


def _of_cause(cause: evidence.Cause, trial: Trial) -> Verdict:
    operation = experiments.operation_of("y", trial.first.snippet or "") if cause.built and trial.first else None
    made = "is made of it" if isinstance(cause.built, Style) and cause.built.sure else "fails as if it were made of it"
    says = f"{cause.way.says}; {operation} {made}" if operation else cause.way.says
    return Verdict(says, cause.way.mistake, cause.way.mistake.hints, cause.first)


def _named(trial: Trial, inference: evidence.Inference, again: Callable[[int], Trial]) -> Verdict:
    """What is behind a failure, as far as the evidence shows it."""
    assert trial.first is not None
    failure, check = trial.first, trial.check
    cause = None if failure.stopped else inference.known_cause(check.id)
    if cause:
        return _of_cause(cause, trial)
    known = inference.assignment.mistakes
    if failure.mistake in known:
        mistake = known[failure.mistake]
        inference.claimed(check.id, mistake)
        return Verdict(mistake.title, mistake, mistake.hints)
    plainly = _plainly(trial)
    if failure.stopped:
        return Verdict(plainly, hints=(STOPPED,))
    tried = functools.cache(lambda: experiments.tried(trial, inference))
    way = inference.name(
        check.id,
        [lambda n=n: again(n).evidence for n in (1, 2)],
        lambda: [one for _, scratch in tried() for one in scratch.evidence],
    )
    if way:
        return Verdict(way.says, way.mistake, way.mistake.hints)
    if isinstance(failure.verdict, Missing):
        return _missing(trial, failure.verdict, inference) or Verdict(plainly, hints=check.hints, missing=True)
    if evidence.constant(trial.evidence, lambda: again(3).evidence):
        mistake = known["hard-coded"]
        return Verdict(mistake.title, mistake, mistake.hints)
    if told := inference.assignment.recognized(trial, inference):
        return _told(told, inference)
    means, place = failure.verdict.perhaps, None
    if means is None or not means.sure:
        place = experiments.place(tried())
    says = place.says if place else plainly
    if means:
        mistake = known[means.mistake]
        return Verdict(says, mistake, mistake.hints)
    if place is None and evidence.constant(trial.evidence, lambda: again(3).evidence, arrays=False):
        mistake = known["hard-coded"]
        return Verdict(mistake.title, mistake, mistake.hints)
    look = (place.look,) if place else () if failure.verdict.raised is None else (RAISED,)
    return Verdict(says, hints=look or check.hints)


def _told(told: Told, inference: evidence.Inference) -> Verdict:
    mistake = inference.assignment.mistakes[told.mistake] if told.mistake else None
    return Verdict(told.says, mistake, mistake.hints if mistake else told.hints, missing=told.missing)


def _missing(trial: Trial, missing: Missing, inference: evidence.Inference) -> Verdict | None:
    """Whether something is there after all: under another name, or returning nothing."""
    assert trial.first is not None
    known = inference.assignment.mistakes
    there = experiments.another_name(trial, missing.method) if missing.method else None
    if there:
        mistake = known["method-misnamed"]
        return Verdict(f"there is a method {there}, but Python looks for {missing.method}", mistake, mistake.hints)
    binary = (missing.method or "").startswith("__") and not (missing.method or "").endswith("item__")
    if binary and experiments.is_there(trial, missing.method):
        says = f"{missing.method} is there, and gives NotImplemented: Python takes it for missing"
        return Verdict(says, hints=("Where does it give NotImplemented, and for which operand?",))
    if told := inference.assignment.not_there(trial, missing, inference):
        return _told(told, inference)
    if missing.nothing is None:
        return None
    operation = experiments.operation_of(missing.nothing, trial.first.snippet or "")
    if operation:  # an operator that is not written raises a TypeError
        mistake = known["returns-none"]
        return Verdict(f"{operation} gives None: its method is there, and returns nothing", mistake, mistake.hints)
    return None


def _short(text: str | None, lines: int = 12, characters: int = 700) -> str | None:
    """No more than a part of a screen."""
    if text is None:
        return None
    kept = "\n".join(text.split("\n")[:lines])[:characters]
    return kept if kept == text else kept + " …"


def _folded(code: str | None, width: int = 72) -> str | None:
    """Code with its long lines broken where Python allows it: inside brackets, at a space."""
    if code is None:
        return None
    lines = []
    for line in code.split("\n"):
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        lines += textwrap.wrap(
            line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
        ) or [""]
    folded = "\n".join(lines)
    try:
        return folded if ast.dump(ast.parse(folded)) == ast.dump(ast.parse(code)) else code
    except SyntaxError:
        return code


def _state(result: Result) -> str:
    return "is not written yet" if result.status == "missing" else "does not pass yet"


def _wait(results: list[Result], why: str) -> None:
    for result in results:
        if result.status in ("failed", "missing"):
            result.status, result.got, result.expected, result.snippet = "waiting", why, None, None
            result.hints, result.mistake, result.says = [], None, None
