"""A section: its checks in teaching order, run one after the other into a report."""

from __future__ import annotations

import ast
import contextlib
import functools
import itertools
import random
import re
import textwrap
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from checks import evidence, experiments, mistakes, oracle, programs, progress
from checks.evidence import Observation
from checks.mistakes import Mistake
from checks.observe import (
    NUMBERS,
    Clock,
    Failed,
    Missing,
    OutOfTime,
    Raised,
    UsedTorch,
    Waits,
    an,
    array_of,
    came_through,
    class_name,
    close,
    compare,
    compiled,
    explain,
    is_bare,
    learner_code,
    line_of,
    observed,
    printable,
    quiet,
    same,
)
from checks.programs import Choices, Maker, Program
from checks.report import Report, Result, Score

SECTION_SECONDS = 30.0  # of learner code, in all checks of one section together
CHECK_SECONDS = 5.0
SCALAR = Program("t = MyTensor(1.5)", ("t",))
PROGRAM_SECONDS = 1.0  # of learner code, in one small program on its own, or in some together
MOST_ENDLESS = 2  # programs of a check that are waited for in vain
MOST_KEPT = 10_000  # elements of an array that was seen
ONCE_MORE = 3  # times that a program runs again, where it was wrong among others and is right alone
STOPS = (KeyboardInterrupt, OutOfTime, UsedTorch)  # after these a check does not try its other inputs


def execute(code: str, variables: dict[str, Any]) -> None:
    """Run a check's code. Whoever judges objects of another process may put a function of its own in this place."""
    exec(compiled(code, "exec"), variables)


@dataclass(frozen=True)
class Check:
    """One thing the learner's code must do.

    Attributes:
        id: stable name, unique in its section.
        title: what must hold, in the learner's words.
        points: earned as a whole when `run` returns; lost when it raises.
        run: the check; it observes the learner's code through a Trial.
        needs: ids of checks that must pass before this one can be judged.
        hints: from nudge to rule.
        seconds: how long learner code may take at a time in this check.
        any_program: whether it runs random programs, in which any mistake may show.
    """

    id: str
    title: str
    points: float
    run: Callable[[Trial], None]
    needs: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    seconds: float = CHECK_SECONDS
    any_program: bool = False


@dataclass(frozen=True)
class Workaround:
    """How checks go around a slip that has a check of its own, so that it costs what it breaks and no more.

    Attributes:
        shows: programs that the slip makes wrong, each.
        pattern, instead: what to replace in a check's code (a regular expression, line by line). The slip is what it
            seems where all of `shows` are right then.
    """

    shows: tuple[Program, ...]
    pattern: str
    instead: str

    def of(self, code: str) -> str:
        return re.sub(self.pattern, self.instead, code, flags=re.MULTILINE)


@dataclass(frozen=True)
class Failure:
    """What went wrong in a check: the verdict, the code that shows it, the mistake if there can be only one."""

    verdict: Failed | Missing
    snippet: str | None
    mistake: str | None
    stopped: bool  # by a deadline or by PyTorch: the evidence is not complete


@dataclass
class Known:
    """What the checks of a section have found out about the learner's objects, for those that come later.

    Attributes:
        workarounds: of the section.
        right: programs that have run, and whether each did what PyTorch does.
        slips: the workarounds that are needed; None until that is known.
    """

    workarounds: Sequence[Workaround] = ()
    right: dict[Program, bool] = field(default_factory=dict)
    slips: list[Workaround] | None = None


class Trial:
    """One check at work: the learner's names, fresh random numbers, and what was observed.

    Attributes:
        snippet: the code run last, as a learner would paste it.
        evidence: everything looked at, right or wrong.
        first: the first failure.
        given: weight and bias of the learner's Linear layer, for the library that imitates it.
        drew: whether random numbers were drawn.
        waits: what the check waits for, where it found out itself that there is nothing to judge yet.
        known: what is known in all checks of this section.
        broken: an exception of the check itself: nothing that the learner's code did.
    """

    def __init__(
        self,
        check: Check,
        names: dict[str, Any],
        rng: np.random.Generator,
        clock: Clock,
        known: Known,
    ) -> None:
        self.check = check
        self.names = names
        self._rng = rng
        self.clock = clock
        self.seconds = check.seconds
        self.snippet: str | None = None
        self.evidence: list[Observation] = []
        self.first: Failure | None = None
        self.given: Any = None
        self._means: Mapping[type[BaseException], str] = {}
        self.drew = False
        self.waits: str | None = None
        self.known = known
        self.broken: BaseException | None = None

    @property
    def rng(self) -> np.random.Generator:
        self.drew = True
        return self._rng

    def draw(self, *shape: int, positive: bool = False) -> np.ndarray:
        """Random numbers with two decimals (a snippet shows them exactly), at least 0.3 away from zero."""
        numbers = self.rng.integers(30, 300, shape) / 100
        return numbers if positive else numbers * (2 * self.rng.integers(0, 2, shape) - 1)

    @contextlib.contextmanager
    def case(self) -> Iterator[None]:
        """One of several inputs: a failure is kept for the report, and the other inputs run all the same.

        The more was observed, the better a mistake can be named.
        """
        try:
            yield
        except STOPS:
            raise
        except BaseException as error:
            self.fail(error)

    @contextlib.contextmanager
    def means(self, mistakes: Mapping[type[BaseException], str]) -> Iterator[None]:
        """What exceptions inside can only come from: by their classes, ids of known mistakes."""
        _refuse_unknown(mistakes.values())
        before, self._means = self._means, mistakes
        try:
            yield
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self.fail(error)  # here and now: outside it means nothing
            raise
        finally:
            self._means = before

    def fail(self, error: BaseException) -> None:
        """Keep the first failure, and what it can only mean; or that the check waits, or is itself broken."""
        if type(error) is Waits:
            self.waits = str(error)
            return
        if self.first is None and self.broken is None and not self._theirs(error):
            self.broken = error
        if self.first is None:
            verdict = explain(error)
            mistake = getattr(verdict, "mistake", None)
            if mistake is None and type(error) not in (Failed, Missing):
                means = next((kind for kind in self._means if issubclass(type(error), kind)), None)
                told = getattr(verdict, "perhaps", None)
                if means is not None and not (means is Exception and told and told.sure):
                    mistake = self._means[means]
            if mistake not in (None, *mistakes.KNOWN):
                self.broken = ValueError(f"{mistake!r} is the id of no mistake")
            self.first = Failure(verdict, self.snippet, mistake, issubclass(type(error), STOPS))
            _forget_frames(verdict)
        _forget_frames(error)

    def _theirs(self, error: BaseException) -> bool:
        """Whether an exception is a verdict, or came out of the learner's code."""
        verdict = issubclass(type(error), (Failed, Missing, *STOPS))
        return verdict or any(error is theirs for theirs in self.clock.theirs) or came_through(error)

    def run(self, code: str, see: str | None = None, after: str = "", **more: Any) -> dict[str, Any]:
        """Run a check's code with the learner's names, and return its variables.

        `see` is the expression a learner would look at afterwards, `after` the code that made the variables in
        `more`: both complete the snippet.
        """
        self.snippet = "\n".join(part for part in (after, code, see) if part)
        variables = {"np": np, **self.names, **more}
        try:
            with self.clock.learner_code(self.seconds):
                execute(code, variables)
        except STOPS:
            raise
        except BaseException as error:
            self.observe("\n".join(part for part in (after, code) if part), "", None, self._raised(error, after))
            raise
        return variables

    def _raised(self, error: BaseException, after: str) -> Raised:
        try:
            with learner_code(1.0):  # its message is learner code, too
                return Raised.of(error, line_of(error) + (after.count("\n") + 1 if after else 0))
        except KeyboardInterrupt:
            raise
        except BaseException:
            return Raised("other", 0)

    def observe(self, code: str, see: str, expected: Any, got: Any, right: bool = False) -> None:
        """Note what was seen after `code`, to name a mistake by: not the numbers of what is larger than anything is."""
        if isinstance(got, np.ndarray) and got.size > MOST_KEPT:
            got = "unreadable"
        self.evidence.append(Observation(code, see, expected, got, right, self.given))

    def expect(self, code: str, **expected: Any) -> None:
        """Run `code` and compare what it leaves in its variables."""
        with self.case():
            self.see(self.run(code), expected, code)

    def same(self, code: str, *see: str) -> None:
        """Run `code` with the learner's names and with PyTorch's; the expressions in `see` must agree."""
        code = self.adapted(code)
        with self.case():
            expected = oracle.values(code, see)
            self.see(self.run(code), expected, code)

    def read(self, variables: dict[str, Any], expression: str) -> np.ndarray:
        """What a tensor in the learner's variables holds."""
        with self.clock.learner_code(self.seconds):
            return array_of(eval(compiled(expression, "eval"), variables), expression)

    def see(
        self,
        variables: dict[str, Any],
        expected: Mapping[str, Any],
        code: str,
        mistakes: Mapping[str, str | None] | None = None,
    ) -> None:
        """Evaluate expressions in the learner's variables and compare each with what is expected.

        `mistakes` names the known mistake that another value of an expression can only come from.

        Raises:
            ValueError: where there is nothing to look at, or a mistake is not known.
        """
        if not expected:
            raise ValueError("there is nothing to look at")
        _refuse_unknown((mistakes or {}).values())
        first = None
        for expression, value in expected.items():
            got: Any = "unreadable"
            try:
                with self.clock.learner_code(self.seconds):
                    found = eval(compiled(expression, "eval"), variables)
                    got = observed(found)
                    if expression.isidentifier() and isinstance(value, np.ndarray) and is_bare(found):
                        got = "bare"
                        raise Failed(
                            f"{expression} is {an(class_name(found))}, not a MyTensor", mistake="array-not-tensor"
                        )
                    # What was read is not read again: in another process that takes its time.
                    both = isinstance(value, np.ndarray) and isinstance(got, np.ndarray)
                    compare(expression, value, got if both else found)
                self.observe(code, expression, value, got, right=True)
            except STOPS:
                self.snippet = f"{code}\n{expression}"
                raise
            except BaseException as error:
                self.observe(code, expression, value, got)
                if type(error) is Failed and mistakes:
                    error.mistake = error.mistake or mistakes.get(expression)
                if first is None:
                    first = error, f"{code}\n{expression}"
                else:
                    _forget_frames(error)
                if got is None and expression.endswith(".grad"):
                    self._why_no_gradient(variables, code)
        if first:
            error, self.snippet = first
            raise error
        self.snippet = f"{code}\n{expression}"

    def _why_no_gradient(self, variables: dict[str, Any], code: str) -> None:
        """Is backward() not written yet, or does the gradient not arrive?"""
        alone = "leaf = MyTensor(1.5, requires_grad=True)\nleaf.backward(MyTensor(0.5))"
        with contextlib.suppress(Exception):
            with self.clock.learner_code(self.seconds):
                flag = observed(eval(compiled("y.requires_grad", "eval"), variables)) if "y" in variables else True
            if "y" in variables:
                self.observe(code, "y.requires_grad", True, flag, flag is True)
                with self.clock.learner_code(self.seconds):
                    leaf = eval(compiled("y.backward_op is None", "eval"), variables)
                self.observe(code, "y.backward_op is None", False, leaf, leaf is False)
            with self.clock.learner_code(self.seconds):
                leaf = {**self.names}
                exec(compiled(alone, "exec"), leaf)
                got = observed(leaf["leaf"].grad)
            self.observe(alone, "leaf.grad", np.array(0.5), got, got is not None)

    def writeable(self, expression: str, code: str, variables: dict[str, Any]) -> None:
        """A gradient is no read-only view: whoever scales or adds to it writes into it."""
        with self.clock.learner_code(self.seconds):
            array = eval(compiled(expression, "eval"), variables)
            if array is None:
                return
            if not issubclass(type(array), np.ndarray):
                array, expression = array.data, f"{expression}.data"
            self.snippet = f"{code}\n{expression}.flags.writeable"
            if issubclass(type(array), np.ndarray) and not np.ndarray.flags.__get__(array).writeable:
                raise Failed(f"{expression} is read-only", "an array that can be changed", mistake="gradient-read-only")

    def gradients(
        self, code: str, *cases: dict[str, Any], constants: dict[str, Any] | None = None, value: bool = True
    ) -> None:
        """The value of `y` that `code` computes, and the gradients, in every case, the smallest first.

        A case gives each leaf a shape (a tuple) or an array. The upstream gradient is random. Without `value` the
        gradients alone are looked at.
        """
        for case in cases:
            if any(type(shape) is tuple and not shape for shape in case.values()) and not self.right([SCALAR])[0]:
                continue  # that has a check of its own
            arrays = {name: self.draw(*v) if isinstance(v, tuple) else np.asarray(v) for name, v in case.items()}
            lines = [f"{name} = MyTensor({literal(array)}, requires_grad=True)" for name, array in arrays.items()]
            lines += [f"{name} = MyTensor({literal(np.asarray(v))})" for name, v in (constants or {}).items()]
            lines.append(code)
            shape = oracle.values("\n".join(lines), ("y",))["y"].shape
            lines.append(f"y.backward(MyTensor({literal(self.draw(*shape))}))")
            self.same("\n".join(lines), *(["y"] if value else []), *(f"{name}.grad" for name in arrays))

    def adapted(self, code: str, but: Workaround | None = None) -> str:
        """A check's code, around the slips that have checks of their own; `but` is the one that this check is about."""
        if self.known.slips is None:
            self.known.slips = self._slips()
        return _around([slip for slip in self.known.slips if slip is not but], code)

    def _adapted(self, program: Program) -> Program:
        return replace(program, code=self.adapted(program.code))

    def _slips(self) -> list[Workaround]:
        """The workarounds that are needed: each tried on top of those found before, then all that are left together."""

        def right(slip: Workaround, *around: Workaround) -> list[bool]:
            return self._right([replace(program, code=_around(around, program.code)) for program in slip.shows])

        found: list[Workaround] = []
        wrong = [slip for slip in self.known.workarounds if not any(right(slip))]
        for some in (*([slip] for slip in wrong), wrong):
            left = [slip for slip in some if slip not in found and not any(right(slip, *found))]
            if left and all(all(right(slip, *found, *left)) for slip in left):
                found += left
        return found

    def right(self, some: Sequence[Program]) -> list[bool]:
        """Whether programs do what PyTorch does. Those that are not known yet run at the same time."""
        new = [program for program in dict.fromkeys(some) if program not in self.known.right]
        if new:
            self.known.right.update(zip(new, self._right(list(map(self._adapted, new))), strict=True))
        return [self.known.right[program] for program in some]

    def _right(self, some: Sequence[Program], code: str | None = None) -> list[bool]:
        """Whether programs do what PyTorch does: all run together, or one by one where that does not come to its end.

        `code` runs them all, if not `programs.together`. Where some never end, only a few of them are waited for.
        """
        expected = [oracle.values(program.code, program.see) for program in some]  # a fault here is not the learner's
        seen, endless = self._seen(code or programs.together(some), len(some))
        if seen is None and len(some) > 1:  # one of them raises what nothing catches, or all show too much to hand over
            seen, endless = [], 0
            for program in some:
                alone, stopped = self._seen(programs.together([program]), 1) if endless < MOST_ENDLESS else (None, 0)
                seen += alone or [None]
                endless += stopped
        return list(map(_shows, expected, seen or [None]))

    def _seen(self, code: str, count: int) -> tuple[list[Any] | None, bool]:
        """What programs show that `code` runs, None where it did not come to its end; whether its time was over."""
        variables = {"np": np, **self.names}
        try:
            with self.clock.learner_code(PROGRAM_SECONDS):
                execute(code, variables)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return None, issubclass(type(error), OutOfTime)
        seen = variables.get("seen")
        return (seen if type(seen) is list and len(seen) == count else None), False

    def pairs(self, pairs: programs.Pairs) -> None:
        """Run every pair of operations; the first one that does something else than PyTorch is what failed."""
        self.seconds = PROGRAM_SECONDS
        some, code = [self._adapted(program) for program in pairs.programs()], self.adapted(pairs.code())
        right = self._right(some, code)
        wrong = [program for program, is_right in zip(some, right, strict=True) if not is_right]
        wrong = [program for program in wrong if oracle.steady(program.code, program.see)]
        for program in wrong[:1]:
            self.same(program.code, *program.see)
            if self.first is None:
                self._right_alone(program, some, code)
        if self.first:
            for program in [*wrong[1:3], *itertools.compress(some, right)][:4]:  # to name the mistake by
                self.same(program.code, *program.see)

    def programs(self, make: Maker, count: int = 20, given: Maker | None = None) -> None:
        """Run programs: so many that are the same in each run, so that a verdict seldom hangs on chance, and new ones.

        The smallest one found that does something else than PyTorch is what failed. `given` makes of the same choices a
        program that must be right, else nothing is asked of the other one.
        """
        self.seconds = PROGRAM_SECONDS
        some: dict[Program, list[int]] = {}
        for rng in (np.random.default_rng(0), self.rng):
            some |= programs.made(make, rng, count)
        some = {program: choices for program, choices in some.items() if oracle.steady(program.code, program.see)}
        if given:
            alone = self.right([given(Choices(choices)) for choices in some.values()])
            some = dict(itertools.compress(some.items(), alone))
        wrong = [program for program, right in zip(some, self.right(list(some)), strict=True) if not right]
        if not wrong:
            return
        self.same(wrong[0].code, *wrong[0].see)
        if failure := self.first:
            self.first, noted = None, len(self.evidence)
            smallest = self.smallest(make, some[wrong[0]], given)
            self.same(smallest.code, *smallest.see)
            self.evidence = [*self.evidence[noted:], *self.evidence[:noted]]
            self.first = self.first or failure
        else:
            self._right_alone(self._adapted(wrong[0]), [self._adapted(program) for program in some])
        right = [program for program in some if program not in wrong]
        for program in [*wrong[1:2], *right[:3]]:  # the more is seen, the better a mistake can be named
            self.same(program.code, *program.see)

    def _right_alone(self, program: Program, some: Sequence[Program], code: str | None = None) -> None:
        """Fail for a program that was wrong when all of `some` ran, by `code`, and then right."""
        self.snippet = program.code
        among_all = [self._right(some, code)[some.index(program)] for _ in range(ONCE_MORE)]
        alone = [self._right([program])[0] for _ in range(ONCE_MORE)]
        got = "the same program gives other results each time it runs"
        if all(alone) and not any(among_all):
            got = "a program that is right alone is wrong after others: something of theirs is left over"
        self.fail(Failed(got, "the same result each time"))

    def smallest(self, make: Maker, choices: Sequence[int], given: Maker | None = None) -> Program:
        """The smallest program found from these choices that is still wrong."""

        def fails(program: Program, choices: Sequence[int]) -> bool:
            if not oracle.steady(program.code, program.see) or self._right([self._adapted(program)])[0]:
                return False
            return given is None or self.right([given(Choices(choices))])[0]

        return programs.smallest(make, choices, fails)

    def beside(self, seconds: float) -> Trial:
        """Another trial on the same names, whose failures are not this one's."""
        scratch = Trial(self.check, self.names, np.random.default_rng(0), self.clock, self.known)
        scratch.seconds = seconds
        return scratch

    def works(self, observe: Callable[[Trial], None]) -> bool:
        """Whether something else works: what needs it is only then worth trying.

        Raises:
            Exception: the check's own, which is no failure of the learner.
        """
        scratch = self.beside(self.seconds)
        scratch.attempt(observe)
        if scratch.broken:
            raise scratch.broken
        return scratch.first is None and scratch.waits is None

    def attempt(self, observe: Callable[[Trial], None]) -> None:
        """Run a check, or what is like one, and keep what ends it."""
        try:
            observe(self)
        except KeyboardInterrupt:  # the person at the keyboard, not the learner's code
            raise
        except BaseException as error:
            self.fail(error)

    def tries(self, code: str, after: str = "", **more: Any) -> dict[str, Any] | None:
        """As `run`, of what has checks of its own: None where it does not come to its end, which is not noted."""
        noted = len(self.evidence)
        try:
            return self.run(code, after=after, **more)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            _forget_frames(error)
            del self.evidence[noted:]
            return None


def _forget_frames(error: BaseException) -> None:
    """Forget where an exception was raised: frames would keep the learner's objects alive, and all that was seen."""
    for name in ("__traceback__", "__context__", "__cause__"):
        getattr(BaseException, name).__set__(error, None)


def _shows(expected: Mapping[str, Any], got: Any) -> bool:
    """Whether a program has shown what PyTorch shows."""
    if type(got) is not list or len(got) != len(expected):
        return False
    return all(map(_agrees, expected.values(), got))


def _agrees(expected: Any, got: Any) -> bool:
    """Whether what `programs.READ` has read is what `compare` takes for right."""
    if not isinstance(expected, np.ndarray):
        return same(expected, got)
    try:
        array = np.asarray(got)
    except ValueError:  # rows of several lengths
        return False
    return array.dtype.kind in NUMBERS and array.shape == expected.shape and close(array, expected)


def _refuse_unknown(ids: Iterable[str | None]) -> None:
    if unknown := {*ids} - {None} - mistakes.KNOWN.keys():
        raise ValueError(f"{unknown.pop()!r} is the id of no mistake")


def _around(slips: Sequence[Workaround], code: str) -> str:
    for slip in slips:
        code = slip.of(code)
    return code


def literal(array: np.ndarray) -> str:
    """An array as Python code."""
    return repr(array.tolist())


class Workshop:
    """The sections of a workshop, and the points that each earned when its test ran last.

    Attributes:
        earned: points by section, of one learner.
        causes: what was found to be wrong there; it counts for sections that have earned points, or lost them.
        seed: of runs that are given none; None draws another one for each. One for a whole class has everybody asked
            the same, and PyTorch asked only once.
        kept: whether a notebook keeps the points in a file (progress.py). Whoever judges others keeps none.
    """

    def __init__(self) -> None:
        self.sections: list[Section] = []
        self.earned: dict[str, float] = {}
        self.causes: dict[str, list[mistakes.Way]] = {}
        self.seed: int | None = None
        self.kept = True

    def progress(self, current: Section) -> str | None:
        """The points so far, and earlier sections to go back to; nothing for a workshop of one section."""
        if len(self.sections) < 2:
            return None
        total = sum(section.points for section in self.sections)
        run = f"{len(self.earned)} of {len(self.sections)} tests run"
        line = f"Workshop so far: {sum(self.earned.values()):g} of {total:g} points, {run}."
        open_ones = [
            section.title
            for section, _ in current.builds_on
            if self.earned.get(section.id, section.points) < section.points
        ]
        if open_ones and self.earned[current.id] < current.points:
            line += f" What fails here may come from an earlier section: {', '.join(open_ones)}."
        return line


class Section:
    """The checks of one section of the notebook, in teaching order.

    Args:
        id: the section's grade_id without "test_".
        title: the section's heading.
        call: what a learner types to run the checks.
        builds_on: earlier sections, each with ids of its checks. When something fails here and one of those does
            not pass, that one is what the learner has to look at first. Without ids, where this section is not given
            the names to run them, it is only named as a place to look.
        workshop: what the points count toward.
        workarounds: for slips that have a check of their own.
    """

    def __init__(
        self,
        id: str,
        title: str,
        call: str,
        builds_on: Sequence[tuple[Section, Sequence[str]]] = (),
        workshop: Workshop | None = None,
        workarounds: Sequence[Workaround] = (),
    ) -> None:
        self.id, self.title, self.call, self.builds_on = id, title, call, builds_on
        self.checks: list[Check] = []
        self.workarounds = workarounds
        self.workshop = workshop or Workshop()
        self.workshop.sections.append(self)

    @property
    def points(self) -> float:
        return sum(check.points for check in self.checks)

    def check(
        self,
        points: float,
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
            self.checks.append(Check(name, says, points, run, tuple(needs), tuple(hints), seconds, any_program))
            return run

        return add

    def score(self, seed: int | None, **names: Any) -> Score:
        """Run the checks on the learner's names, show the report, and return the points."""
        earlier = [
            (section.title, way)
            for section, _ in self.builds_on
            if section.id in self.workshop.earned
            for way in self.workshop.causes.get(section.id, ())
        ]
        report = self.run(names, seed, earlier)
        self.workshop.earned[self.id] = report.score
        self.workshop.causes[self.id] = report.causes
        report.progress = self.workshop.progress(self)
        if self.workshop.kept:
            progress.keep(report)
        report.show()
        return Score(report)

    def run(
        self, names: dict[str, Any], seed: int | None = None, earlier: Sequence[tuple[str, mistakes.Way]] = ()
    ) -> Report:
        """Run the checks; `seed` repeats a run, None takes the workshop's or draws a new one.

        `earlier` is what was found in sections that this one builds on, by their titles: what comes from there is not
        called a mistake of this one.

        Raises:
            ImportError: without a working PyTorch, with what to do.
            TypeError: for a seed that is no whole number.
        """
        oracle.load()
        if seed is None:
            seed = drawn_seed() if self.workshop.seed is None else self.workshop.seed
        elif isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise TypeError(f"seed is a whole number from 0, as a report shows it, not {seed!r}")
        drawn = np.random.get_state()
        with quiet() as printed:
            try:
                report = self._report(names, seed, earlier)
            finally:
                np.random.set_state(drawn)  # checks seed it for the learner's layers; the notebook's goes on as it was
        if printed.used and report.open:
            report.note = "What your code prints while a test runs is not shown: call it in a cell of its own."
        return report

    def _report(self, names: dict[str, Any], seed: int, known: Sequence[tuple[str, mistakes.Way]]) -> Report:
        clock = Clock(SECTION_SECONDS)
        results, causes, fault = _run(self.checks, self, names, seed, clock, known)
        report = Report(self.id, self.title, self.call, seed, results, causes=causes, fault=fault)
        if all(result.status == "passed" for result in results):
            return report
        for earlier, ids in self.builds_on:
            before, _, fault = _run(earlier.with_needs(ids), earlier, names, seed, clock)
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


BROKEN = "this check could not look at what your code computed, and says nothing of it; its author should know: {}"


def judged(
    checks: Sequence[Check], names: dict[str, Any], seed: int, clock: Clock, workarounds: Sequence[Workaround] = ()
) -> tuple[dict[str, Result], dict[str, Trial]]:
    """Run checks in order: which passed, failed, are missing or wait; and what was observed in those that ran."""
    results: dict[str, Result] = {}
    trials: dict[str, Trial] = {}
    known = Known(workarounds)
    for check in checks:
        result = results[check.id] = Result(check.id, check.title, check.points)
        if any(results[need].status not in ("passed", "broken") for need in check.needs):
            continue
        if clock.left <= 0:
            result.got = "waits for the checks before it: they took too long"
            continue
        trial = _tried(check, names=names, seed=seed, clock=clock, known=known)
        if trial.first is None and trial.waits:
            result.got = trial.waits
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
RAISED = "Read the message, and the lines below it: which value is another there than you think?"


def _run(
    checks: Sequence[Check],
    section: Section,
    names: dict[str, Any],
    seed: int,
    clock: Clock,
    earlier: Sequence[tuple[str, mistakes.Way]] = (),
) -> tuple[list[Result], list[mistakes.Way], str | None]:
    """The results of checks, what was found to be wrong, and the fault, if any, that kept it from being looked for."""
    results, trials = judged(checks, names, seed, clock, section.workarounds)
    failed = {id: trial for id, trial in trials.items() if trial.first and not trial.broken}
    passed = {id: trial for id, trial in trials.items() if id not in failed}
    try:
        inference = evidence.Inference(section.id, _evidence(passed), _evidence(failed), earlier)
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
        _tell(results[id], trial, verdicts[id])
    for check in checks:
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
    divided = next((trial for trial in failed.values() if " / " in (trial.first.snippet or "")), None)
    if divided and not experiments.may_divide_by_power(divided):
        inference.styles = [style for style in mistakes.STYLES if style is not mistakes.DIVISION]
    verdicts: dict[str, Verdict] = {}
    for id in experiments.roots_first(failed, inference):
        trial = failed[id]
        known = Known(trial.known.workarounds)
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


def _tell(result: Result, trial: Trial, verdict: Verdict) -> None:
    assert trial.first is not None
    result.status = "missing" if verdict.missing else "failed"
    got = str(trial.first.verdict)
    got = got if verdict.missing else got.removeprefix("not written yet: ")
    result.snippet, result.got = _folded(trial.first.snippet), _short(got)
    result.expected = _short(getattr(trial.first.verdict, "expected", None))
    says, result.hints = verdict.says, list(verdict.hints)
    if verdict.first:
        says, result.hints = f"the same cause as in “{verdict.first}”: {says}", []
    result.says = printable(says, 160)
    result.mistake = verdict.mistake.id if verdict.mistake else None


def _tried(check: Check, again: int = 0, *, names: dict[str, Any], seed: int, clock: Clock, known: Known) -> Trial:
    """Run a check; `again` for other random numbers."""
    rng = np.random.default_rng([seed, zlib.crc32(check.id.encode()), *([again] if again else [])])
    trial = Trial(check, names, rng, clock, known)
    clock.theirs.clear()
    trial.attempt(check.run)
    return trial


def _plainly(trial: Trial) -> str:
    assert trial.first is not None
    return getattr(trial.first.verdict, "says", None) or str(trial.first.verdict)


def _of_cause(cause: evidence.Cause, trial: Trial) -> Verdict:
    operation = experiments.operation_of("y", trial.first.snippet or "") if cause.built and trial.first else None
    # Only of a quotient it can be seen: it rounds otherwise.
    made = "is made of it" if cause.built is mistakes.DIVISION else "fails as if it were made of it"
    says = f"{cause.way.says}; {operation} {made}" if operation else cause.way.says
    return Verdict(says, cause.way.mistake, cause.way.mistake.hints, cause.first)


def _named(trial: Trial, inference: evidence.Inference, again: Callable[[int], Trial]) -> Verdict:
    """What is behind a failure, as far as the evidence shows it."""
    assert trial.first is not None
    failure, check = trial.first, trial.check
    cause = None if failure.stopped else inference.known_cause(check.id)
    if cause:
        return _of_cause(cause, trial)
    if failure.mistake in mistakes.KNOWN:
        mistake = mistakes.KNOWN[failure.mistake]
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
        mistake = mistakes.KNOWN["hard-coded"]
        return Verdict(mistake.title, mistake, mistake.hints)
    if operation := experiments.rule_without_result(trial, inference):
        mistake = mistakes.KNOWN["rule-returns-none"]
        return Verdict(f"the rule of {operation} gives None", mistake, mistake.hints)
    means, place = failure.verdict.perhaps, None
    if means is None or not means.sure:
        place = experiments.place(tried())
    says = place.says if place else plainly
    if means:
        mistake = mistakes.KNOWN[means.mistake]
        return Verdict(says, mistake, mistake.hints)
    look = (place.look,) if place else () if failure.verdict.raised is None else (RAISED,)
    return Verdict(says, hints=look or check.hints)


def _missing(trial: Trial, missing: Missing, inference: evidence.Inference) -> Verdict | None:
    """Whether something is there after all: under another name, or returning nothing."""
    assert trial.first is not None
    there = experiments.another_name(trial, missing.method) if missing.method else None
    if there:
        mistake = mistakes.KNOWN["method-misnamed"]
        return Verdict(f"there is a method {there}, but Python looks for {missing.method}", mistake, mistake.hints)
    binary = (missing.method or "").startswith("__") and not (missing.method or "").endswith("item__")
    if binary and experiments.is_there(trial, missing.method):
        says = f"{missing.method} is there, and gives NotImplemented: Python takes it for missing"
        return Verdict(says, hints=("Where does it give NotImplemented, and for which operand?",))
    if without := experiments.without_effect(trial):
        mistake = mistakes.KNOWN[without]
        return Verdict(mistake.title, mistake, mistake.hints)
    if missing.nothing is None:
        return None
    if missing.nothing.endswith(".grad"):
        arrived = any(one.see.endswith(".grad") and isinstance(one.got, np.ndarray) for one in inference.observed())
        return Verdict(f"no gradient reaches {missing.nothing[:-5]}", hints=trial.check.hints) if arrived else None
    operation = experiments.operation_of(missing.nothing, trial.first.snippet or "")
    if operation:  # an operator that is not written raises a TypeError
        mistake = mistakes.KNOWN["returns-none"]
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
