"""Random programs: code over the learner's API that nobody thought of, and the smallest of it that still shows a fault.

A program is made from a sequence of small numbers, its choices. To shrink a program its choices are shrunk, with parts
left out and numbers lowered, and the program made anew, so that whatever comes out is a program that the maker could
have made (MacIver and Donaldson, Test-case reduction via test-case generation, 2020). The library Hypothesis works in
this way, too; here a program costs a learner no further package and a judge no request of its own: all programs of a
check run at once.
"""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
# Simple numbers that binary fractions hold exactly, at least 0.5 away from zero.
NUMBERS = (2.0, 3.0, 5.0, 0.5, 1.5, -2.0, 4.0, -3.0, 2.5, -0.5, 3.5, -1.5)
MOST_TRIES = 250  # programs that are run to find a smaller one
LARGEST = 60.0  # values of a program: small enough for float32
MOST_MADE = 256  # sets of programs that are kept
MOST_READ = 100  # elements of an array: those of a program have ten, and all of them cross between processes


class Unfit(Exception):
    """These choices make no program: its numbers would be too large, or divide by almost zero."""


class Choices:
    """A sequence of choices: those given, then random ones, or zeros without a generator. 0 is the simplest choice.

    Attributes:
        taken: the choices that were made.
    """

    def __init__(self, given: Iterable[int] = (), rng: np.random.Generator | None = None) -> None:
        self._given: Iterator[int] = iter(given)
        self._rng = rng
        self._numbers = 0
        self.taken: list[int] = []

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1."""
        given = next(self._given, None)
        if given is None:
            given = int(self._rng.integers(n)) if self._rng is not None else 0
        self.taken.append(min(given, n - 1))
        return self.taken[-1]

    def of(self, options: Sequence[Item]) -> Item:
        return options[self.below(len(options))]

    def array(self, *shape: int, positive: bool = False) -> np.ndarray:
        """Numbers of this shape; where all choices are the simplest ones, no two neighbours are alike."""
        values = np.empty(shape)
        for index in np.ndindex(*shape):
            values[index] = NUMBERS[(self._numbers + self.below(len(NUMBERS))) % len(NUMBERS)]
            self._numbers += 1
        return abs(values) if positive else values


@dataclass(frozen=True)
class Program:
    """Code over the learner's API, and the expressions that are looked at when it has run."""

    code: str
    see: tuple[str, ...]


Maker = Callable[[Choices], Program]

# What a learner's object holds, as plain numbers, texts and containers.
# (Whether it is of the right class, other checks have asked.)
READ = """\
def read(x, most={most}):
    if x is None or type(x) in (bool, int, float, str):
        return x
    if isinstance(x, (list, tuple, dict, set, frozenset)):
        if len(x) > most:
            return f"{{len(x)}} elements"
        if isinstance(x, dict):
            return {{key: read(each) for key, each in x.items()}}
        return x if isinstance(x, (set, frozenset)) else [read(each) for each in x]
    array = np.array(x if isinstance(x, (np.ndarray, np.generic)) else {held})
    return array.tolist() if array.size <= most else f"{{array.size}} elements"
"""


def reading(holds: str | None) -> str:
    """Code that reads an object: what is no number, text or container holds an array in the attribute `holds`."""
    return READ.format(most=MOST_READ, held=f"x.{holds}" if holds else "x")


def together(programs: Sequence[Program], holds: str | None = None) -> str:
    """Code that runs programs one after the other and leaves in `seen` what each one shows, or None where it raised.

    `holds` is the attribute with the array of an object.
    """
    return _together(tuple(programs), holds)


@functools.lru_cache(maxsize=MOST_MADE)
def _together(programs: tuple[Program, ...], holds: str | None) -> str:
    parts = [reading(holds), "seen = []"]
    for program in programs:
        looked_at = ", ".join(f"read({expression})" for expression in program.see)
        parts.append("def program():\n" + textwrap.indent(f"{program.code}\nreturn [{looked_at}]", "    "))
        parts.append("try:\n    seen.append(program())\nexcept Exception:\n    seen.append(None)")
    return "\n".join(parts)


@dataclass(frozen=True)
class Pairs:
    """Every operation on every other one: programs of two operations, all in one loop.

    Attributes:
        first: code that runs once, before all pairs.
        start: code that makes a, b and c, which go into the operations, and what else there has to be.
        inner: expressions of a and b, the value of which is u.
        outer: expressions of u, a and c, the value of which is y.
        see: expressions that are looked at then.
        last: code that runs when there is a y.
    """

    first: str
    start: str
    inner: tuple[str, ...]
    outer: tuple[str, ...]
    see: tuple[str, ...]
    last: str = ""

    def code(self, holds: str | None = None) -> str:
        """Code that leaves in `seen` what each pair shows, or None where it raised."""
        looked_at = ", ".join(f"read({expression})" for expression in self.see)
        pair = ["u = inner(a, b)", "y = outer(u, a, c)", self.last, f"return [{looked_at}]"]
        return "\n".join(
            [
                reading(holds),
                self.first,
                "def pair(inner, outer):",
                textwrap.indent("\n".join([self.start, *pair]), "    "),
                f"inners = [{', '.join(f'lambda a, b: {one}' for one in self.inner)}]",
                f"outers = [{', '.join(f'lambda u, a, c: {one}' for one in self.outer)}]",
                "seen = []",
                "for inner in inners:",
                "    for outer in outers:",
                "        try:",
                "            seen.append(pair(inner, outer))",
                "        except Exception:",
                "            seen.append(None)",
            ]
        )

    def programs(self) -> list[Program]:
        """Each pair as a program of its own, in the order of `code`."""
        return [
            Program(f"{self.first}{self.start}\nu = {inner}\ny = {outer}\n{self.last}".rstrip(), self.see)
            for inner in self.inner
            for outer in self.outer
        ]


def made(make: Maker, rng: np.random.Generator, count: int) -> dict[Program, list[int]]:
    """So many different programs, with their choices; fewer where most choices make none.

    They depend on the maker's code, on what it closes over and on the generator: with the same of all three, as for
    everybody in a class, they are made once. A maker closes over sets, and over what never changes.
    """
    around = (cell.cell_contents for cell in make.__closure__ or ())
    same = make.__code__, *(frozenset(each) if type(each) is set else each for each in around)
    where = make.__module__, make.__code__.co_filename  # else the same text in another module is the same code
    key = where, same, repr(rng.bit_generator.state), count
    if key not in _made:
        if len(_made) == MOST_MADE:
            _made.clear()
        _made[key] = _new(make, rng, count), rng.bit_generator.state
    found, rng.bit_generator.state = _made[key]
    return found


_made: dict[Hashable, tuple[dict[Program, list[int]], Mapping[str, object]]] = {}  # and how the generator is left


def _new(make: Maker, rng: np.random.Generator, count: int) -> dict[Program, list[int]]:
    found: dict[Program, list[int]] = {}
    for _ in range(4 * count):
        if len(found) == count:
            break
        choices = Choices(rng=rng)
        try:
            found.setdefault(make(choices), choices.taken)
        except Unfit:
            continue
    return found


def smallest(make: Maker, choices: Sequence[int], fails: Callable[[Program, Sequence[int]], bool]) -> Program:
    """The smallest program found that still fails: the fewest choices, and of those the lowest.

    `fails` is given a program and its choices.
    """
    best = list(choices)
    program = make(Choices(best))
    known: set[tuple[int, ...]] = set()

    def better(trial: list[int]) -> bool:
        nonlocal best, program
        if tuple(trial) in known or len(known) == MOST_TRIES:
            return False
        known.add(tuple(trial))
        made = Choices(trial)
        try:
            smaller = make(made)
        except Unfit:
            return False
        if (len(made.taken), made.taken) >= (len(best), best) or not fails(smaller, made.taken):
            return False
        best, program = made.taken, smaller
        return True

    again = True
    while again and len(known) < MOST_TRIES:
        again = False
        for length in (16, 8, 4, 3, 2, 1):
            at = len(best) - length
            while at >= 0:
                again |= better(best[:at] + best[at + length :])
                at = min(at - 1, len(best) - length)
        for at in range(len(best)):
            for lower in (0, best[at] // 2, best[at] - 1) if at < len(best) and best[at] else ():
                if at < len(best) and lower < best[at] and better([*best[:at], lower, *best[at + 1 :]]):
                    again = True
                    break
    return program
