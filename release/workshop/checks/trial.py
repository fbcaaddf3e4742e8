"""A check at work: what it may do with the learner's objects, and what it has seen of them."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from checks import programs
from checks.evidence import Observation
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
    same,
)
from checks.programs import Choices, Maker, Program

if TYPE_CHECKING:
    from checks.assignment import Assignment

CHECK_SECONDS = 5.0
PROGRAM_SECONDS = 1.0  # of learner code, in one small program on its own, or in some together
MOST_ENDLESS = 2  # programs of a check that are waited for in vain
MOST_KEPT = 10_000  # elements of an array that was seen
ONCE_MORE = 3  # times that a program runs again, where it was wrong among others and is right alone
STOPS = (KeyboardInterrupt, OutOfTime, UsedTorch)  # after these a check does not try its other inputs


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
        stage: the id of the stage it belongs to, in a section of several.
    """

    id: str
    title: str
    points: float
    run: Callable[[Trial], None]
    needs: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    seconds: float = CHECK_SECONDS
    any_program: bool = False
    stage: str | None = None


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
        assignment: the section's.
        execute: runs a check's code: see Assignment.
        workarounds: of the section.
        right: programs that have run, and whether each did what the oracle does.
        slips: the workarounds that are needed; None until that is known.
        draws: whether the learner's code may draw random numbers itself, which are then the same in each run.
    """

    assignment: Assignment
    execute: Callable[[str, dict[str, Any]], None]
    workarounds: Sequence[Workaround] = ()
    right: dict[Program, bool] = field(default_factory=dict)
    slips: list[Workaround] | None = None
    draws: bool = True


class Trial:
    """One check at work: the learner's names, fresh random numbers, and what was observed.

    `expect`, `same`, `programs` and `pairs` keep a failure, and the check goes on with its next line. `run`, `see` and
    `read` raise it, which ends the check, or the `case` that they stand in. `works` and `tries` make none.

    Attributes:
        snippet: the code run last, as a learner would paste it.
        evidence: everything looked at, right or wrong.
        first: the first failure.
        given: what the check has given to the learner's objects, for the library that imitates them.
        drew: whether random numbers were drawn.
        asked: whether anything was run or seen that decides about the check. One that has skipped all that it would ask
            has not passed.
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
        self.drew, self.asked = False, False
        self.waits: str | None = None
        self.known = known
        self.assignment = known.assignment
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

    def _refuse_unknown(self, ids: Iterable[str | None]) -> None:
        if unknown := {*ids} - {None} - self.assignment.mistakes.keys():
            raise ValueError(f"{unknown.pop()!r} is the id of no mistake")

    @contextlib.contextmanager
    def means(self, mistakes: Mapping[type[BaseException], str]) -> Iterator[None]:
        """What exceptions inside can only come from: by their classes, ids of known mistakes."""
        self._refuse_unknown(mistakes.values())
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
            verdict = explain(error, self.assignment.meanings)
            mistake = getattr(verdict, "mistake", None)
            if mistake is None and type(error) not in (Failed, Missing):
                means = next((kind for kind in self._means if issubclass(type(error), kind)), None)
                told = getattr(verdict, "perhaps", None)
                if means is not None and not (means is Exception and told and told.sure):
                    mistake = self._means[means]
            if mistake is not None and mistake not in self.assignment.mistakes:
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
        self.snippet, self.asked = "\n".join(part for part in (after, code, see) if part), True
        variables = {"np": np, **self.names, **more}
        try:
            with self.clock.learner_code(self.seconds):
                self.known.execute(code, variables)
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
        """Run `code` with the learner's names and with the oracle's; the expressions in `see` must agree."""
        code = self.adapted(code)
        with self.case():
            expected = self.assignment.oracle.values(code, see)
            self.see(self.run(code), expected, code)

    def read(self, variables: dict[str, Any], expression: str) -> np.ndarray:
        """What an object in the learner's variables holds."""
        with self.clock.learner_code(self.seconds):
            found = eval(compiled(expression, "eval"), variables)
            return array_of(found, expression, self.assignment.result)

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
        self.asked = True
        self._refuse_unknown((mistakes or {}).values())
        first = None
        for expression, value in expected.items():
            got: Any = "unreadable"
            try:
                with self.clock.learner_code(self.seconds):
                    found = eval(compiled(expression, "eval"), variables)
                    wanted = self.assignment.result
                    got = observed(found, wanted)
                    is_array = expression.isidentifier() and isinstance(value, np.ndarray)
                    if wanted and is_array and is_bare(found, wanted):
                        got = "bare"
                        raise Failed(
                            f"{expression} is {an(class_name(found))}, not {an(wanted.name)}", mistake=wanted.mistake
                        )
                    # What was read is not read again: in another process that takes its time.
                    both = isinstance(value, np.ndarray) and isinstance(got, np.ndarray)
                    compare(expression, value, got if both else found, wanted)
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
                if got is None:
                    self.look_into(expression, variables, code)
        if first:
            error, self.snippet = first
            raise error
        self.snippet = f"{code}\n{expression}"

    def look_into(self, expression: str, variables: dict[str, Any], code: str) -> None:
        """Observe more, where an expression is None: whoever knows what it stands for may tell why."""

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
        """Whether programs do what the oracle does. Those that are not known yet run at the same time."""
        new = [program for program in dict.fromkeys(some) if program not in self.known.right]
        if new:
            self.known.right.update(zip(new, self._right(list(map(self._adapted, new))), strict=True))
        return [self.known.right[program] for program in some]

    @property
    def _holds(self) -> str | None:
        return self.assignment.result.holds if self.assignment.result else None

    def _right(self, some: Sequence[Program], code: str | None = None) -> list[bool]:
        """Whether programs do what the oracle does: run all together, or one by one where that comes to no end.

        `code` runs them all, if not `programs.together`. Where some never end, only a few of them are waited for.
        """
        values = self.assignment.oracle.values  # a fault of its own is not the learner's
        expected = [values(program.code, program.see) for program in some]
        seen, endless = self._seen(code or programs.together(some, self._holds), len(some))
        if seen is None and len(some) > 1:  # one of them raises what nothing catches, or all show too much to hand over
            seen, endless = [], 0
            for program in some:
                one = programs.together([program], self._holds)
                alone, stopped = self._seen(one, 1) if endless < MOST_ENDLESS else (None, 0)
                seen += alone or [None]
                endless += stopped
        return list(map(_shows, expected, seen or [None]))

    def _seen(self, code: str, count: int) -> tuple[list[Any] | None, bool]:
        """What programs show that `code` runs, None where it did not come to its end; whether its time was over."""
        variables = {"np": np, **self.names}
        try:
            with self.clock.learner_code(PROGRAM_SECONDS):
                self.known.execute(code, variables)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return None, issubclass(type(error), OutOfTime)
        seen = variables.get("seen")
        return (seen if type(seen) is list and len(seen) == count else None), False

    def pairs(self, pairs: programs.Pairs) -> None:
        """Run every pair of operations; the first one that does something else than the oracle is what failed."""
        self.seconds = PROGRAM_SECONDS
        some, code = [self._adapted(program) for program in pairs.programs()], self.adapted(pairs.code(self._holds))
        self.asked = self.asked or bool(some)
        right = self._right(some, code)
        wrong = [program for program, is_right in zip(some, right, strict=True) if not is_right]
        wrong = [program for program in wrong if self.assignment.oracle.steady(program.code, program.see)]
        for program in wrong[:1]:
            self.same(program.code, *program.see)
            if self.first is None:
                self._right_alone(program, some, code)
        if self.first:
            for program in [*wrong[1:3], *itertools.compress(some, right)][:4]:  # to name the mistake by
                self.same(program.code, *program.see)

    def programs(self, make: Maker, count: int = 20, given: Maker | None = None) -> None:
        """Run programs: so many that are the same in each run, so that a verdict seldom hangs on chance, and new ones.

        The smallest one found that does something else than the oracle is what failed. `given` makes of the same
        choices a program that must be right, else nothing is asked of the other one.
        """
        self.seconds = PROGRAM_SECONDS
        some: dict[Program, list[int]] = {}
        for rng in (np.random.default_rng(0), self.rng):
            some |= programs.made(make, rng, count)
        if given:
            alone = self.right([given(Choices(choices)) for choices in some.values()])
            some = dict(itertools.compress(some.items(), alone))
        self.asked = self.asked or bool(some)
        is_right = self.right(list(some))
        wrong = [program for program, right in zip(some, is_right, strict=True) if not right]
        wrong = [program for program in wrong if self.assignment.oracle.steady(program.code, program.see)]
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
        right = list(itertools.compress(some, is_right))
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
            if self._right([self._adapted(program)])[0] or not self.assignment.oracle.steady(program.code, program.see):
                return False
            return given is None or self.right([given(Choices(choices))])[0]

        return programs.smallest(make, choices, fails)

    def beside(self, seconds: float) -> Trial:
        """Another trial on the same names, whose failures are not this one's."""
        scratch = type(self)(self.check, self.names, np.random.default_rng(0), self.clock, self.known)
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
        noted, asked = len(self.evidence), self.asked
        try:
            return self.run(code, after=after, **more)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            _forget_frames(error)
            del self.evidence[noted:]
            return None
        finally:
            self.asked = asked


def _forget_frames(error: BaseException) -> None:
    """Forget where an exception was raised: frames would keep the learner's objects alive, and all that was seen."""
    for name in ("__traceback__", "__context__", "__cause__"):
        getattr(BaseException, name).__set__(error, None)


def _shows(expected: Mapping[str, Any], got: Any) -> bool:
    """Whether a program has shown what the oracle shows."""
    if type(got) is not list or len(got) != len(expected):
        return False
    return all(map(_agrees, expected.values(), got))


def _agrees(expected: Any, got: Any) -> bool:
    """Whether what `programs.READ` has read is what `compare` takes for right."""
    if not isinstance(expected, np.ndarray):
        return same(_read(expected), got)
    try:
        array = np.asarray(got)
    except ValueError:  # rows of several lengths
        return False
    return array.dtype.kind in NUMBERS and array.shape == expected.shape and close(array, expected)


def _read(value: Any) -> Any:
    """A container as `programs.READ` reads it: with lists in place of arrays, and no more than it reads."""
    if isinstance(value, np.ndarray):
        return value.tolist() if value.size <= programs.MOST_READ else f"{value.size} elements"
    if isinstance(value, (dict, list, tuple, set, frozenset)) and len(value) > programs.MOST_READ:
        return f"{len(value)} elements"
    if isinstance(value, dict):
        return {key: _read(each) for key, each in value.items()}
    return [_read(each) for each in value] if isinstance(value, (list, tuple)) else value


def _around(slips: Sequence[Workaround], code: str) -> str:
    for slip in slips:
        code = slip.of(code)
    return code


def literal(array: np.ndarray) -> str:
    """An array as Python code."""
    return repr(array.tolist())
