"""What a check observed, and the known mistakes that explain it.

A mistake is claimed only if the library that makes it (imitation.py) computes, on every input of the check, just what
the learner's code computed: the values, the shapes, the exceptions and their place. The learner's source is never read.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any

import numpy as np

from checks import mistakes
from checks.imitation import Library, plain
from checks.mistakes import Way
from checks.observe import SCRIPT, Raised, close, line_of

LOOP = "\nfor "  # code that a library with a mistake may take for ever to run: it is no evidence
HELPERS: dict[str, Any] = {  # what expressions of a check may call
    "held": lambda parameters: repr(sorted((p.tensor.data.tolist() for p in parameters), key=repr)),
}


@dataclass(frozen=True)
class Observation:
    """One value that a check looked at.

    Attributes:
        code: what ran before.
        see: the expression looked at; "" when the code itself raised.
        expected, got: an array, None, a bool, a number, a tuple, a text, or Raised.
        right: whether got is what was expected.
        given: weight and bias of the learner's layer, when the check has one.
    """

    code: str
    see: str
    expected: Any
    got: Any
    right: bool
    given: Any = None


@functools.lru_cache(maxsize=4096)
def compiled(code: str, mode: str) -> CodeType:
    return compile(code, SCRIPT, mode)


def name(
    section: str,
    observations: Sequence[Observation],
    passed: Sequence[Observation],
    others: Sequence[Sequence[Observation]],
    more: Callable[[], Sequence[Observation]],
) -> Way | None:
    """The way of making a known mistake that explains all observations, or None.

    Args:
        section: the id of the section whose mistakes are tried.
        observations: those of the check that failed.
        passed: those of the checks that passed: a mistake that breaks one of those was not made.
        others: those of each other check that failed: of several mistakes, the one that explains most of these.
        more: observes the same check on other random numbers; asked when several mistakes still match.
    """
    observations = [seen for seen in observations if LOOP not in seen.code]
    if not _tells_something(observations):
        return None
    ways = [way for mistake in mistakes.of(section) for way in mistake.ways]
    matching = [way for way in ways if explains([way], observations)]
    calm = [seen for seen in passed if LOOP not in seen.code]
    if not matching:
        return _pair(ways, observations, calm)
    matching = [way for way in matching if explains([way], calm)]
    if _one(matching) is None:
        counts = [
            sum(explains([way], [o for o in other if LOOP not in o.code]) for other in others) for way in matching
        ]
        matching = [way for way, count in zip(matching, counts, strict=True) if count == max(counts)]
    for _ in range(2):
        if matching and _one(matching) is None:
            extra = more()
            matching = [way for way in matching if explains([way], extra)]
    return _one(matching)


def _one(ways: list[Way]) -> Way | None:
    """The first, if all are ways of one mistake."""
    return ways[0] if len({way.mistake for way in ways}) == 1 else None


def _tells_something(observations: Sequence[Observation]) -> bool:
    """An exception that may have any reason is no evidence of a particular mistake."""
    wrong = [seen.got for seen in observations if not seen.right]
    return any(not isinstance(got, Raised) or got.kind != "other" for got in wrong)


def _pair(ways: list[Way], observations: Sequence[Observation], passed: Sequence[Observation]) -> Way | None:
    """Two mistakes at once. Only where numbers are wrong: two mistakes explain an exception too easily."""
    wrong = [seen for seen in observations if not seen.right]
    if not any(isinstance(seen.got, np.ndarray) and seen.got.size > 1 for seen in wrong):
        return None
    first = [seen for seen in observations if seen.code in {seen.code for seen in wrong[:4]}]
    as_it_should = [replace(seen, got=seen.expected) for seen in first]
    relevant = [way for way in ways if not explains([way], as_it_should)]
    for one, two in itertools.combinations(relevant[:40], 2):
        if one.mistake is two.mistake or not explains([one, two], first):
            continue
        if explains([one, two], observations) and explains([one, two], passed):
            return Way(one.mistake, f"two mistakes at once: {one.says}; {two.says}", one.change)
    return None


def constant(observations: Sequence[Observation], again: Callable[[], Sequence[Observation]]) -> bool:
    """Whether a wrong result stays the same when the input, and the result it should have, do not."""
    same = 0
    for one, other in zip(observations, again(), strict=False):
        if one.code == other.code or one.see != other.see or one.right or not isinstance(one.expected, np.ndarray):
            continue
        if not (isinstance(one.got, np.ndarray) and _same(one.got, other.got)):
            return False
        if np.isin(one.got, (-1.0, 0.0, 1.0)).all():  # a slope, or a factor, that was left out
            return False
        same += not _same(one.expected, other.expected)
    return same > 0


def explains(ways: Sequence[Way], observations: Sequence[Observation]) -> bool:
    """Whether a library that makes these mistakes computes just what was observed."""
    for code, seen in itertools.groupby(observations, key=lambda seen: seen.code):
        group = list(seen)
        library = Library(group[0].given)
        for way in ways:
            way.change(library)
        variables = {**HELPERS, **library.names()}
        try:
            exec(compiled(code, "exec"), variables)
        except Exception as error:
            if group[0].see or not _same(Raised.of(error, line_of(error)), group[0].got):
                return False
            continue
        for one in group:
            try:
                value = plain(eval(compiled(one.see or "None", "eval"), variables))
            except Exception as error:
                value = Raised.of(error, 1)
            if not one.see or not _same(value, one.got):
                return False
    return True


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        if not (isinstance(one, (np.ndarray, float, int)) and isinstance(other, (np.ndarray, float, int))):
            return False
        one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
        return one.shape == other.shape and close(one, other)
    return type(one) is type(other) and one == other
