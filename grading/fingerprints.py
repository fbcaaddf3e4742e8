"""Code of many hand-ins, compared: what two of them share that neither the course's notebook nor the class explains.

    code -> tokens -> grams, runs of GRAM tokens -> without those of the course and the usual ones -> shared by two

Tokens are Python's, without comments, docstrings, line breaks, spaces, commas and parentheses. A name that the language
does not know counts as any other name, and a text as any other text. No gram goes on into the next function or cell.
So new names, other comments, another layout and another order of functions change nothing.

Saul Schleimer, Daniel Wilkerson, Alex Aiken, "Winnowing: Local Algorithms for Document Fingerprinting" (2003), compare
so, and keep a part of the grams. Of a class there is room for all: what is said of a pair is exact.

Nothing is run or compiled: learners wrote it.
"""

from __future__ import annotations

import builtins
import functools
import itertools
import keyword
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

GRAM = 12  # tokens
MOST_CODE = 300_000  # characters of a hand-in that are compared: a notebook has some tens of thousands
USUAL_SHARE, USUAL_LEAST = (
    0.1,
    4,
)  # a gram is usual where more than this share of the class has it, and more than so many
LARGEST_STEP = 1 << 22  # pairs that are counted at once
MOST_REPEATED = 20  # places of one gram that are looked at: some texts repeat themselves without end
TOKEN = re.compile(
    r"""
    (?P<magic> ^[ \t]*+[%!][^\n]* ) |
    [^\S\n\f]*+ (?:  # one of these always follows: else to look for it would take the square of their length
        (?P<name> [^\W\d]\w*+ (?!["']) ) |
        (?P<layout> [,()] ) |
        (?P<line> \n ) |
        (?P<number> \.?\d[\w.]* ) |
        (?P<comment> \#[^\n]* ) |
        (?P<text> (?i:[rbfut]{0,2}) (?: \"{3}(?:[^\\]|\\.)*?(?:\"{3}|\Z) | '{3}(?:[^\\]|\\.)*?(?:'{3}|\Z)
                  | "(?:[^"\\\n]|\\.)*"? | '(?:[^'\\\n]|\\.)*'? ) ) |
        (?P<cut> \f ) |
        (?P<end> \Z ) |
        (?P<sign> \*\*=? | //=? | -> | := | [-+*/%@&|^=<>!]= | << | >> | \.{3} | \S )
    )
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
PASSED_BY = ("magic", "layout", "comment", "end")
LANGUAGE = {*keyword.kwlist, *dir(builtins)}
BEGINNINGS = ("def", "class")  # of what can be moved as a whole
FACTOR = np.uint64(0x9E3779B97F4A7C15)
NOTHING = np.uint64(0)  # in the place of a gram that would go on into the next part
NONE = np.zeros(0, np.uint64)


@functools.lru_cache(maxsize=100_000)
def _number(token: str) -> int:
    return zlib.crc32(token.encode("utf-8", "replace")) + 1


@dataclass(frozen=True)
class Code:
    """Code as it is compared.

    Attributes:
        text: its characters; a form feed stands between cells.
        spans: where its tokens begin and end in it, a row for each.
        numbers: the tokens, each as a number.
        part: for each token which part it belongs to: a function, a class before its first method, or a cell.
    """

    text: str
    spans: np.ndarray
    numbers: np.ndarray
    part: np.ndarray

    @classmethod
    def read(cls, text: str) -> Code:
        """Of any text: what is no Python gives tokens, too."""
        text = text[:MOST_CODE]
        found = [token for token in TOKEN.finditer(text) if token.lastgroup not in PASSED_BY]
        spans, numbers, parts, part, begins = [], [], [], 0, True  # whether a line does
        for token, after in itertools.zip_longest(found, found[1:]):
            kind = token.lastgroup
            said = token[kind]
            part += kind == "cut" or said in BEGINNINGS
            if kind in ("line", "cut"):
                begins = True
                continue
            if kind == "text":
                if begins and (after is None or after.lastgroup == "line"):  # a docstring
                    continue
                said = "text"
            elif kind == "name" and said not in LANGUAGE:
                said = "name"
            begins = False
            spans.append(token.span(kind))
            numbers.append(_number(said))
            parts.append(part)
        return cls(
            text, np.array(spans, np.int32).reshape(-1, 2), np.array(numbers, np.uint64), np.array(parts, np.int32)
        )

    def span(self, first: int, length: int) -> tuple[int, int]:
        """Where so many tokens begin and end in the text."""
        return int(self.spans[first, 0]), int(self.spans[first + length - 1, 1])

    @cached_property
    def grams(self) -> np.ndarray:
        """A number for each run of GRAM tokens, the first one's first."""
        count = max(0, len(self.numbers) - GRAM + 1)
        made = np.zeros(count, np.uint64)
        for place in range(GRAM):
            made = made * FACTOR + self.numbers[place : place + count]
        made[self.part[GRAM - 1 :][:count] != self.part[:count]] = NOTHING
        return made

    def own(self, known: np.ndarray) -> np.ndarray:
        """Its grams, each once, that are not among those known."""
        return np.setdiff1d(self.grams[self.grams != NOTHING], known)


@dataclass(frozen=True)
class Place:
    """A run of tokens that two have: where it begins in each, and its length."""

    left: int
    right: int
    length: int


@dataclass(frozen=True)
class Pair:
    """Two hand-ins that share something.

    Attributes:
        left, right: their numbers in the class.
        shared: how many grams of their own both have.
        own: how many the one has that has fewer.
    """

    left: int
    right: int
    shared: int
    own: int

    @property
    def share(self) -> float:
        return self.shared / self.own


class Class:
    """The hand-ins of a class, compared with each other.

    Args:
        course: what is nobody's own: the release, the solution.
        codes: the hand-ins.
        own: how many of them are of this class; those behind are of earlier ones, and not compared with each other.

    Attributes:
        given: the grams of the course.
        most: how many may have a gram that is not usual.
        sets: the grams of each that are its own: neither the course's nor usual.
    """

    def __init__(self, course: Sequence[Code], codes: Sequence[Code], own: int | None = None) -> None:
        self.codes, self.own = codes, len(codes) if own is None else own
        self.given = np.unique(np.concatenate([NONE, *(code.grams for code in course)]))
        sets = [code.own(self.given) for code in codes]
        counted, owners = np.concatenate([NONE, *sets]), np.repeat(np.arange(len(codes)), [*map(len, sets)])
        order = np.argsort(counted, kind="stable")
        self._owners = owners[order]
        grams, self._first, self._counts = np.unique(counted[order], return_index=True, return_counts=True)
        self.most = max(USUAL_LEAST, int(USUAL_SHARE * len(codes)))
        self.sets = [np.setdiff1d(each, grams[self._counts > self.most]) for each in sets]

    def _shared(self) -> np.ndarray:
        """How many grams two have, for each two; 0 where the first one's number is not the lower one."""
        size = len(self.codes)
        shared = np.zeros(size * size, np.int32)
        for count in range(2, self.most + 1):
            first = self._first[self._counts == count]
            one, other = np.triu_indices(count, 1)
            step = max(1, LARGEST_STEP // len(one))
            for begin in range(0, len(first), step):
                rows = self._owners[first[begin : begin + step, None] + np.arange(count)]
                np.add.at(shared, (rows[:, one] * size + rows[:, other]).ravel(), 1)
        return shared.reshape(size, size)

    def pairs(self, least: int = 1) -> Iterator[Pair]:
        """All that share so many grams, and of which one is of this class."""
        shared = self._shared()
        shared[self.own :] = 0
        sizes = [*map(len, self.sets)]
        for left, right in np.argwhere(shared >= least).tolist():
            yield Pair(left, right, int(shared[left, right]), min(sizes[left], sizes[right]))

    def places(self, pair: Pair) -> list[Place]:
        """The runs of tokens that both have, in the left one's order; no token is in two of them."""
        left, right = self.codes[pair.left], self.codes[pair.right]
        both = np.intersect1d(self.sets[pair.left], self.sets[pair.right])
        where: dict[int, list[int]] = {}
        for place in np.flatnonzero(np.isin(right.grams, both)).tolist():
            where.setdefault(int(right.grams[place]), []).append(place)
        lengths: dict[tuple[int, int], int] = {}  # of runs, by where their last grams begin
        for place in np.flatnonzero(np.isin(left.grams, both)).tolist():
            for there in where[int(left.grams[place])][:MOST_REPEATED]:
                lengths[place, there] = lengths.pop((place - 1, there - 1), GRAM - 1) + 1
        runs: list[list[int]] = []
        for (place, there), length in sorted(lengths.items(), key=lambda run: (run[0][1] - run[0][0], run[0])):
            begin, other = place + GRAM - length, there + GRAM - length
            if runs and other - begin == runs[-1][2] - runs[-1][1]:  # what is between two may be usual, and the same
                end, other_end = runs[-1][1] + runs[-1][0], runs[-1][2] + runs[-1][0]
                if np.array_equal(left.numbers[end:begin], right.numbers[other_end:other]):
                    runs[-1][0] = place + GRAM - runs[-1][1]
                    continue
            runs.append([length, begin, other])
        taken, kept = (np.zeros(len(left.spans), bool), np.zeros(len(right.spans), bool)), []
        for length, begin, there in sorted(runs, key=lambda run: (-run[0], run[1:])):
            free = ~(taken[0][begin : begin + length] | taken[1][there : there + length])
            skipped = int(free.argmax())
            size = int(np.argmin([*free[skipped:], False]))
            if free.any() and size >= GRAM // 2:
                taken[0][begin + skipped :][:size] = taken[1][there + skipped :][:size] = True
                kept.append(Place(begin + skipped, there + skipped, size))
        return sorted(kept, key=lambda place: place.left)
