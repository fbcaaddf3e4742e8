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
SEARCHES_IN_VAIN = 3  # where nothing explains three checks, the others are not searched: a learner waits
LARGEST_PAIRING = 16  # mistakes that are tried in pairs: 120 pairs
NOTHING = object()  # what was never observed
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


class Inference:
    """What all checks of a section observed, and the known mistakes that explain it.

    Args:
        section: the id of the section whose mistakes are tried.
        passed, failed: check id to what was observed there.
    """

    def __init__(
        self, section: str, passed: dict[str, Sequence[Observation]], failed: dict[str, Sequence[Observation]]
    ) -> None:
        self.ways = [way for mistake in mistakes.of(section) for way in mistake.ways]
        self.passed, self.failed = list(passed), list(failed)
        self.seen = {id: _wrong_first(seen) for id, seen in {**passed, **failed}.items()}
        self.known: dict[tuple[Way, str], bool] = {}
        self.found: list[Way] = []
        self.paired = False
        self.in_vain = 0

    def fits(self, way: Way, check: str) -> bool:
        """Whether a way explains what a check observed. Asked often, worked out once."""
        if (way, check) not in self.known:
            self.known[way, check] = explains([way], self.seen[check])
        return self.known[way, check]

    def name(self, check: str, more: Callable[[], Sequence[Observation]]) -> Way | None:
        """The way of making a known mistake that explains a failed check, or None.

        A mistake that breaks a check that passed was not made. Of several, the one that explains most of the other
        failed checks was; else `more` observes the same check on other random numbers, to tell them apart.
        """
        if not _tells_something(self.seen[check]):
            return None
        for way in self.found:  # one mistake may show in many checks
            if self.fits(way, check):
                return way
        if self.in_vain == SEARCHES_IN_VAIN:
            return None
        way = self._search(check, more)
        self.in_vain += way is None
        if way:
            self.found.append(way)
        return way

    def _search(self, check: str, more: Callable[[], Sequence[Observation]]) -> Way | None:
        matching = [way for way in self.ways if self.fits(way, check)]
        if not matching and not self.paired:
            self.paired = True  # once: it takes as long as all the rest
            return self._pair(check)
        matching = [way for way in matching if all(self.fits(way, other) for other in self.passed)]
        if matching and _one(matching) is None:
            counts = [sum(self.fits(way, other) for other in self.failed) for way in matching]
            matching = [way for way, count in zip(matching, counts, strict=True) if count == max(counts)]
        for _ in range(2):
            if matching and _one(matching) is None:
                extra = _wrong_first(more())
                matching = [way for way in matching if explains([way], extra)]
        return _one(matching)

    def _pair(self, check: str) -> Way | None:
        """Two mistakes at once. Only where numbers are wrong: two mistakes explain an exception too easily."""
        seen = self.seen[check]
        wrong = [one for one in seen if not one.right]
        if not any(isinstance(one.got, np.ndarray) and one.got.size > 1 for one in wrong):
            return None
        first = [one for one in seen if one.code in {one.code for one in wrong[:2]}]
        as_it_should = [replace(one, got=one.expected) for one in first]
        relevant = [way for way in self.ways if not explains([way], as_it_should)][:LARGEST_PAIRING]
        for one, two in itertools.combinations(relevant, 2):
            if one.mistake is two.mistake or not explains([one, two], first) or not explains([one, two], seen):
                continue
            if all(explains([one, two], self.seen[other]) for other in self.passed):
                return Way(one.mistake, f"two mistakes at once: {one.says}; {two.says}", one.change)
        return None


def _wrong_first(seen: Sequence[Observation]) -> list[Observation]:
    """What is evidence, by code; that with something wrong first, because most mistakes do not explain it."""
    seen = [one for one in seen if LOOP not in one.code]
    wrong = {one.code for one in seen if not one.right}
    return sorted(seen, key=lambda one: one.code not in wrong)


def _one(ways: list[Way]) -> Way | None:
    """The first, if all are ways of one mistake."""
    return ways[0] if len({way.mistake for way in ways}) == 1 else None


def _tells_something(observations: Sequence[Observation]) -> bool:
    """An exception that may have any reason is no evidence of a particular mistake."""
    wrong = [seen.got for seen in observations if not seen.right]
    return any(not isinstance(got, Raised) or got.kind != "other" for got in wrong)


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
        # What a class is asked is the same for all, so that most is worked out once; but a layer's weights are random.
        compute = _computed if group[0].given is None else _computed.__wrapped__
        values = compute(tuple(ways), code, tuple(one.see for one in group), group[0].given)
        if not all(_same(value, one.got) for value, one in zip(values, group, strict=True)):
            return False
    return True


@functools.lru_cache(maxsize=1 << 15)
def _computed(ways: tuple[Way, ...], code: str, see: tuple[str, ...], given: Any) -> list[Any]:
    """What a library that makes these mistakes computes: the worth of expressions after `code` has run."""
    library = Library(given)
    for way in ways:
        way.change(library)
    variables = {**HELPERS, **library.names()}
    try:
        exec(compiled(code, "exec"), variables)
    except Exception as error:
        return [NOTHING if each else Raised.of(error, line_of(error)) for each in see]
    values: list[Any] = []
    for each in see:
        try:
            values.append(plain(eval(compiled(each, "eval"), variables)) if each else NOTHING)
        except Exception as error:
            values.append(Raised.of(error, 1))
    return values


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        if not (isinstance(one, (np.ndarray, float, int)) and isinstance(other, (np.ndarray, float, int))):
            return False
        one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
        return one.shape == other.shape and close(one, other)
    return type(one) is type(other) and one == other
