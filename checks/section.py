"""A section: its checks in teaching order, run one after the other into a report."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from checks import oracle
from checks.observe import (
    SCRIPT,
    Clock,
    Failed,
    Missing,
    an,
    array_of,
    class_name,
    compare,
    explain,
    is_bare,
    quiet,
)
from checks.report import Report, Result, Score

SECTION_SECONDS = 30.0  # of learner code, in all checks of one section together
CHECK_SECONDS = 5.0


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
    """

    id: str
    title: str
    points: int
    run: Callable[[Trial], None]
    needs: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    seconds: float = CHECK_SECONDS


class Trial:
    """One check at work: the learner's names, fresh random numbers, and the code run last."""

    def __init__(self, names: dict[str, Any], rng: np.random.Generator, clock: Clock, seconds: float) -> None:
        self.names = names
        self.rng = rng
        self.clock = clock
        self.seconds = seconds
        self.snippet: str | None = None

    def draw(self, *shape: int, positive: bool = False) -> np.ndarray:
        """Random numbers with two decimals (a snippet shows them exactly), at least 0.3 away from zero."""
        numbers = self.rng.integers(30, 300, shape) / 100
        return numbers if positive else numbers * self.rng.choice([-1.0, 1.0], shape)

    def run(self, code: str, see: str | None = None, after: str = "", **more: Any) -> dict[str, Any]:
        """Run a check's code with the learner's names, and return its variables.

        `see` is the expression a learner would look at afterwards, `after` the code that made the variables in
        `more`: both complete the snippet.
        """
        self.snippet = "\n".join(part for part in (after, code, see) if part)
        variables = {"np": np, **self.names, **more}
        with self.clock.learner_code(self.seconds):
            exec(compile(code, SCRIPT, "exec"), variables)
        return variables

    def expect(self, code: str, **expected: Any) -> None:
        """Run `code` and compare what it leaves in its variables."""
        self.see(self.run(code), {name: (name, value) for name, value in expected.items()}, code)

    def same(self, code: str, *see: str) -> None:
        """Run `code` with the learner's names and with PyTorch's; the expressions in `see` must agree."""
        theirs = oracle.names()
        exec(compile(code, SCRIPT, "exec"), theirs)
        expected = {text: (text, oracle.plain(eval(text, theirs))) for text in see}
        self.see(self.run(code), expected, code)

    def read(self, variables: dict[str, Any], expression: str) -> np.ndarray:
        """What a tensor in the learner's variables holds."""
        with self.clock.learner_code(self.seconds):
            return array_of(eval(compile(expression, SCRIPT, "eval"), variables), expression)

    def see(self, variables: dict[str, Any], expected: dict[str, tuple[str, Any]], code: str) -> None:
        """Evaluate expressions in the learner's variables and compare each: {expression: (label, expected)}."""
        for expression, (label, value) in expected.items():
            self.snippet = f"{code}\n{expression}"
            with self.clock.learner_code(self.seconds):
                got = eval(compile(expression, SCRIPT, "eval"), variables)
                if expression.isidentifier() and isinstance(value, np.ndarray) and is_bare(got):
                    raise Failed(f"{label} is {an(class_name(got))}, not a MyTensor")
                compare(label, value, got)

    def gradients(self, code: str, *cases: dict[str, Any], constants: dict[str, Any] | None = None) -> None:
        """The value of `y` that `code` computes, and the gradients, in every case, the smallest first.

        A case gives each leaf a shape (a tuple) or an array. The upstream gradient is random.
        """
        for case in cases:
            arrays = {name: self.draw(*v) if isinstance(v, tuple) else np.asarray(v) for name, v in case.items()}
            lines = [f"{name} = MyTensor({literal(array)}, requires_grad=True)" for name, array in arrays.items()]
            lines += [f"{name} = MyTensor({literal(np.asarray(v))})" for name, v in (constants or {}).items()]
            lines.append(code)
            theirs = oracle.names()
            exec(compile("\n".join(lines), SCRIPT, "exec"), theirs)
            base = self.draw(*theirs["y"].shape)
            lines.append(f"y.backward(MyTensor({literal(base)}))")
            self.same("\n".join(lines), "y", *(f"{name}.grad" for name in arrays))


def literal(array: np.ndarray) -> str:
    """An array as Python code."""
    return repr(array.tolist())


class Section:
    """The checks of one section of the notebook, in teaching order.

    Args:
        id: the section's grade_id without "test_".
        title: the section's heading.
        call: what a learner types to run the checks.
        builds_on: an earlier section and ids of its checks. When something fails here and one of those does not
            pass, that one is what the learner has to look at first.
    """

    def __init__(self, id: str, title: str, call: str, builds_on: tuple[Section, Sequence[str]] | None = None) -> None:
        self.id, self.title, self.call, self.builds_on = id, title, call, builds_on
        self.checks: list[Check] = []

    @property
    def points(self) -> int:
        return sum(check.points for check in self.checks)

    def check(
        self,
        points: int,
        *,
        id: str | None = None,
        title: str | None = None,
        needs: Sequence[str] = (),
        hints: Sequence[str] = (),
        seconds: float = CHECK_SECONDS,
    ) -> Callable[[Callable[[Trial], None]], Callable[[Trial], None]]:
        """Add the decorated function as a check; its name is the id, its docstring the title."""

        def add(run: Callable[[Trial], None]) -> Callable[[Trial], None]:
            name, says = id or run.__name__, title or run.__doc__ or ""
            self.checks.append(Check(name, says, points, run, tuple(needs), tuple(hints), seconds))
            return run

        return add

    def score(self, seed: int | None, **names: Any) -> Score:
        """Run the checks on the learner's names, show the report, and return the points."""
        report = self.run(names, seed)
        report.show()
        return Score(report)

    def run(self, names: dict[str, Any], seed: int | None = None) -> Report:
        """Run the checks; `seed` repeats a run, None draws a new one.

        Raises:
            ImportError: without a working PyTorch, with what to do.
            TypeError: for a seed that is no whole number.
        """
        oracle.load()
        if seed is None:
            seed = random.SystemRandom().randrange(1_000_000)
        elif isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise TypeError(f"seed is a whole number from 0, as a report shows it, not {seed!r}")
        with quiet():
            results = self._results(names, seed)
        return Report(self.id, self.title, self.call, seed, results)

    def _results(self, names: dict[str, Any], seed: int) -> list[Result]:
        clock = Clock(SECTION_SECONDS)
        results = _run(self.checks, names, seed, clock)
        if self.builds_on and any(result.status in ("failed", "missing") for result in results):
            earlier, ids = self.builds_on
            for result in _run(earlier.with_needs(ids), names, seed, clock):
                if result.status in ("failed", "missing"):
                    _wait(
                        results,
                        f"waits for “{result.title}” ({earlier.call.split('(')[0]}), which {_state(result)}",
                    )
                    break
        return results

    def with_needs(self, ids: Sequence[str]) -> list[Check]:
        """These checks and all that they need, in order."""
        wanted = set(ids)
        for check in reversed(self.checks):
            if check.id in wanted:
                wanted.update(check.needs)
        return [check for check in self.checks if check.id in wanted]


def _run(checks: Sequence[Check], names: dict[str, Any], seed: int, clock: Clock) -> list[Result]:
    results: dict[str, Result] = {}
    for check in checks:
        result = Result(check.id, check.title, check.points)
        results[check.id] = result
        unmet = [results[need] for need in check.needs if results[need].status != "passed"]
        if unmet:
            # What waits for a waiting check waits for the same thing: name the one to look at.
            first = unmet[0]
            result.got = first.got if first.status == "waiting" else f"waits for “{first.title}”, which {_state(first)}"
        elif clock.left <= 0:
            result.got = "waits for the checks before it: they took too long"
        else:
            _judge(check, result, names, np.random.default_rng([seed, zlib.crc32(check.id.encode())]), clock)
    return list(results.values())


def _judge(check: Check, result: Result, names: dict[str, Any], rng: np.random.Generator, clock: Clock) -> None:
    trial = Trial(names, rng, clock, check.seconds)
    try:
        check.run(trial)
    except KeyboardInterrupt:  # the person at the keyboard, not the learner's code
        raise
    except BaseException as error:
        verdict = explain(error)
        if isinstance(verdict, Missing):
            result.status, result.got = "missing", _short(str(verdict))
        else:
            result.status, result.got, result.expected = "failed", _short(verdict.got), _short(verdict.expected)
            result.hints = list(check.hints)
        result.snippet = _short(trial.snippet)
    else:
        result.status, result.score = "passed", check.points


def _short(text: str | None, longest: int = 4000) -> str | None:
    return text if text is None or len(text) <= longest else text[:longest] + " …"


def _state(result: Result) -> str:
    return "is not written yet" if result.status == "missing" else "does not pass yet"


def _wait(results: list[Result], why: str) -> None:
    for result in results:
        if result.status in ("failed", "missing"):
            result.status, result.got, result.expected, result.snippet, result.hints = "waiting", why, None, None, []
