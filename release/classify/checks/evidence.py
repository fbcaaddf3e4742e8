"""What a check observed, and the known mistakes that explain it.

A mistake is claimed only if the library that makes it (`Assignment.imitation`) computes, in all that the check
observed, what the learner's code computed: the values, the shapes, the exceptions and their place. Code with a loop is
left out, and of a mistake that a check recognizes itself this is not asked. The learner's source is never read.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from checks.mistakes import Mistake, Style, Way
from checks.observe import CONTAINERS, Raised, close, compiled, line_of, observed, same

if TYPE_CHECKING:
    from checks.assignment import Assignment

LOOP = "\nfor "  # code that a library with a mistake may take for ever to run: it is no evidence
SEARCHES_IN_VAIN = 3  # where nothing explains three checks, the others are not searched: a learner waits
NOTHING = object()  # what was never observed
MOST_COUNTED = 20  # whole numbers up to here may be lengths, ranks and counts
UNSEEN = {"unreadable", "bare"}  # what is observed in place of a value
PLAIN = (int, float, str, *CONTAINERS)  # of results


@dataclass(frozen=True)
class Observation:
    """One value that a check looked at.

    Attributes:
        code: what ran before.
        see: the expression looked at; "" when the code itself raised.
        expected, got: an array, None, a bool, a number, a tuple, a text, or Raised.
        right: whether got is what was expected.
        given: what the check has given to the learner's objects, for the library that imitates them.
    """

    code: str
    see: str
    expected: Any
    got: Any
    right: bool
    given: Any = None


@dataclass(frozen=True)
class Cause:
    """What explains a failure: a way to make a known mistake, and where it was found first.

    Attributes:
        way: the mistake, and the words for it.
        first: what failed first because of it: the id of another check, or the title of an earlier section.
        built: the style in which it explains the failure: how the operation is made of others.
    """

    way: Way
    first: str | None = None
    built: Way | None = None


class Inference:
    """What all checks of a section observed, and the mistakes that explain it.

    Args:
        assignment: which knows the mistakes.
        section: the id of the section whose mistakes are tried.
        passed, failed: check id to what was observed there.
        earlier: what was found in sections that this one builds on, by their titles.
    """

    def __init__(
        self,
        assignment: Assignment,
        section: str,
        passed: dict[str, Sequence[Observation]],
        failed: dict[str, Sequence[Observation]],
        earlier: Sequence[tuple[str, Way]] = (),
    ) -> None:
        self.assignment, self.section = assignment, section
        listed = [way for mistake in assignment.mistakes.of(section) for way in mistake.ways]
        self.ways = [way for way in listed if way.mistake.id not in assignment.last_tried]
        self.last = [way for way in listed if way.mistake.id in assignment.last_tried]
        self.passed, self.failed = list(passed), list(failed)
        self.seen = {id: _wrong_first(seen) for id, seen in {**passed, **failed}.items()}
        self.known: dict[tuple[tuple[Way, ...], str], bool] = {}
        self.found: dict[Way, str] = {}  # and the check that it was found in
        self.earlier = earlier
        self.styles: list[Style] = []
        self.in_vain = 0

    def fits(self, check: str, *ways: Way) -> bool:
        """Whether ways explain what a check observed. Asked often, worked out once."""
        if (ways, check) not in self.known:
            self.known[ways, check] = self._explains(ways, self.seen[check])
        return self.known[ways, check]

    def _explains(self, ways: Sequence[Way], seen: Sequence[Observation]) -> bool:
        return explains(self.assignment, ways, seen)

    def observed(self) -> Iterator[Observation]:
        """All that was looked at in this section."""
        return itertools.chain.from_iterable(self.seen.values())

    def _styles(self, check: str, exceptions: bool = False) -> list[Way]:
        """How an operation that the check is about may be made of others; of exceptions, how gradients may be added.

        `exceptions` takes them for evidence of the first, too, which they are only beside a known cause.
        """
        wrong = [one for one in self.seen[check] if not one.right]
        if not exceptions and any(isinstance(one.got, Raised) for one in wrong):
            shapes = any(isinstance(one.got, Raised) and one.got.kind == "shape" for one in wrong)
            return self.assignment.buffers() if shapes else []
        return [style for style in self.styles if any(re.search(style.says, one.code) for one in wrong)]

    def claimed(self, check: str, mistake: Mistake) -> None:
        """A check knows the mistake itself; a way of it that explains the check may explain others."""
        way = next((way for way in mistake.ways if self.fits(check, way)), None)
        if way and all(self.fits(other, way) for other in self.passed):
            self.found.setdefault(way, check)

    def known_cause(self, check: str) -> Cause | None:
        """What was found before, in this section or in one that it builds on, and explains this failure, too."""
        if not _tells_something(self.seen[check]):
            return None
        styles = [(), *((style,) for style in dict.fromkeys([*self._styles(check), *self._styles(check, True)]))]
        for way, first in [*self.found.items(), *((way, title) for title, way in self.earlier)]:
            style = next((style for style in styles if self.fits(check, way, *style)), None)
            if style is not None:
                return Cause(way, first, built=style[0] if style and style[0].says else None)
        if len(self.found) > 1 and any(self.fits(check, *self.found, *style) for style in styles):
            return Cause(*next(iter(self.found.items())))
        return None

    def name(
        self,
        check: str,
        again: Sequence[Callable[[], Sequence[Observation]]],
        experiments: Callable[[], Sequence[Observation]],
    ) -> Way | None:
        """The way of making a mistake that explains a failed check, or None.

        A mistake that breaks a check that passed was not made. Of several, the one that explains most of the other
        failed checks was; else `again` observes the check with other random numbers, and `experiments` other things,
        to tell them apart. First the listed mistakes are tried, then those that are generated, and then both once
        more: beside what was found already, and where an operation is made of others. One that also explains what
        the experiments show goes before one that does not, if it explains as many failed checks.
        """
        if not _tells_something(self.seen[check]) or self.in_vain == SEARCHES_IN_VAIN:
            return None
        second, shown = None, any(not isinstance(one.got, Raised) for one in self.seen[check] if not one.right)
        for beside in [(), *([tuple(self.found)] if self.found else []), *((style,) for style in self._styles(check))]:
            for ways in (self.ways, self.assignment.generated(self.section, self.seen[check]), self.last):
                way = self._search(check, ways, beside, [*again, experiments])
                tried = _wrong_first(experiments()) if way else []
                if way and (shown or tried) and self._explains([*beside, way], tried):
                    if second and self._explained(second) > self._explained(way, *beside):
                        way = second
                    self.found[way] = check
                    return way
                second = second or (way if shown else None)  # many mistakes raise the same exception
            if second:
                break
        second = second or self._where_shapes_tell_nothing(check)
        self.in_vain += second is None
        if second:
            self.found[second] = check
        return second

    def _explained(self, *ways: Way) -> int:
        """How many failed checks ways explain."""
        return sum(self.fits(other, *ways) for other in self.failed)

    def _where_shapes_tell_nothing(self, check: str) -> Way | None:
        """A wrong product that fits every shape of square matrices, whatever is done to it where it does not fit."""
        ways = self.assignment.where_shapes_tell_nothing(self.section, self.seen[check])
        return replace(ways[0], says=f"for square matrices, {ways[0].says}") if _one(ways) else None

    def _search(
        self,
        check: str,
        ways: Iterable[Way],
        beside: tuple[Way, ...],
        more: Sequence[Callable[[], Sequence[Observation]]],
    ) -> Way | None:
        matching = [way for way in ways if way not in beside and self.fits(check, *beside, way)]
        matching = [way for way in matching if all(self.fits(other, *beside, way) for other in self.passed)]
        if len(matching) > 1:
            counts = [self._explained(*beside, way) for way in matching]
            matching = [way for way, count in zip(matching, counts, strict=True) if count == max(counts)]
        for observe in more:
            if matching and _one(matching) is None:
                extra = _wrong_first(observe())
                matching = [way for way in matching if self._explains([*beside, way], extra)]
        return _one(matching)


def _wrong_first(seen: Sequence[Observation]) -> list[Observation]:
    """What is evidence, by code; that with something wrong first, because most mistakes do not explain it."""
    seen = [one for one in seen if LOOP not in one.code]
    wrong = {one.code for one in seen if not one.right}
    return sorted(seen, key=lambda one: one.code not in wrong)


def _one(ways: list[Way]) -> Way | None:
    """The first, if all are ways of one mistake; what only some of them say was not observed."""
    if len({way.mistake for way in ways}) != 1:
        return None
    common = min((way.says for way in ways), key=len)  # a longer one may add what was not observed
    says = common if all(way.says.startswith(common) for way in ways) else ways[0].mistake.title
    return replace(ways[0], says=says)


def _tells_something(observations: Sequence[Observation]) -> bool:
    """An exception that may have any reason is no evidence of a particular mistake."""
    wrong = [seen.got for seen in observations if not seen.right]
    return any(not isinstance(got, Raised) or got.kind != "other" for got in wrong)


def constant(
    observations: Sequence[Observation], again: Callable[[], Sequence[Observation]], arrays: bool = True
) -> bool:
    """Whether a wrong result stays the same when the input, and the result it should have, do not.

    Of results that are no `arrays` this says less: a length, or a name, may well be the same for other numbers.
    """
    same = 0
    for one, other in zip(observations, again(), strict=False):
        if one.code == other.code or one.see != other.see or one.right:
            continue
        differ = not _same(one.expected, other.expected)
        if isinstance(one.expected, np.ndarray) != arrays:
            continue
        if not arrays and not (differ and isinstance(one.expected, PLAIN)):
            continue
        parts = _parts(one.got)
        if not all(map(_is_typed, parts)) or not _same(one.got, other.got):
            return False
        if all(part in (-1, 0, 1, "") for part in parts):  # a slope, or a factor, that was left out
            return False
        if not arrays and all(isinstance(part, int) and abs(part) <= MOST_COUNTED for part in parts):
            return False
        same += differ
    return same > 0


def _parts(value: Any) -> list[Any]:
    """The numbers and texts that a result is made of."""
    if isinstance(value, np.ndarray):
        return value.ravel().tolist()
    if isinstance(value, dict):
        return [part for pair in value.items() for each in pair for part in _parts(each)]
    return [part for each in value for part in _parts(each)] if isinstance(value, CONTAINERS) else [value]


def _is_typed(part: Any) -> bool:
    """Whether somebody may have written it in place of a computation."""
    return (isinstance(part, str) and part not in UNSEEN) or (
        isinstance(part, (int, float)) and -math.inf < part < math.inf
    )


def explains(assignment: Assignment, ways: Sequence[Way], observations: Sequence[Observation]) -> bool:
    """Whether a library that makes these mistakes computes just what was observed."""
    for code, seen in itertools.groupby(observations, key=lambda seen: seen.code):
        group = list(seen)
        asked = assignment, tuple(ways), code, tuple(one.see for one in group)
        values = _known(*asked) if group[0].given is None else _computed(*asked, group[0].given)
        if not all(_same(value, one.got) for value, one in zip(values, group, strict=True)):
            return False
    return True


@functools.lru_cache(maxsize=1 << 14)
def _known(assignment: Assignment, ways: tuple[Way, ...], code: str, see: tuple[str, ...]) -> list[Any]:
    """As `_computed`, where nothing is the learner's own: in a class the same is asked again and again."""
    return _computed(assignment, ways, code, see)


def _computed(
    assignment: Assignment, ways: Sequence[Way], code: str, see: Sequence[str], given: Any = None
) -> list[Any]:
    """What a library that makes these mistakes computes: the worth of expressions after `code` has run.

    Raises:
        MemoryError: where there is too little memory just now, which says nothing of the mistakes.
    """
    library = assignment.imitation(given)
    for way in ways:
        way.change(library)
    variables = {"np": np, **library.names()}
    try:
        exec(compiled(code, "exec"), variables)
    except MemoryError:
        raise
    except Exception as error:
        return [NOTHING if each else Raised.of(error, line_of(error)) for each in see]
    values: list[Any] = []
    for each in see:
        try:
            values.append(library.plain(eval(compiled(each, "eval"), variables)) if each else NOTHING)
        except MemoryError:
            raise
        except Exception as error:
            values.append(Raised.of(error, 1))
    return values


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        if not (isinstance(one, (np.ndarray, float, int)) and isinstance(other, (np.ndarray, float, int))):
            return False
        one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
        return one.shape == other.shape and close(one, other)
    if isinstance(one, CONTAINERS) and isinstance(other, CONTAINERS):
        return same(observed(one), other)
    return type(one) is type(other) and one == other
