"""`python -m grading similar`: pairs of hand-ins that share more than their common source explains, side by side."""

from __future__ import annotations

import argparse
import bisect
import hashlib
import itertools
import json
import shutil
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from checks.notebook import code_cells
from checks.observe import printable
from grading import assignments, pages, submissions
from grading.fingerprints import GRAM, Class, Code, Pair

ROOT = Path(__file__).resolve().parent.parent
SHARE = 0.6  # measured: see docs/instructor.md
LEAST = 80  # grams that are shared, some ten lines: the same short work is written by many
MOST_PAIRS = 200  # that are shown
MOST_PLACES = 30  # of a pair
MOST_LISTED = 40  # in a terminal; the page has all that are shown
BELOW = 5  # pairs that come next, and are only named
JOIN = "\n\f\n"  # between cells


@dataclass
class HandedIn:
    """One hand-in: whose it is, its code, where the cells begin in it, and a digest of its files."""

    name: str
    code: Code
    cells: list[tuple[int, int]]  # where each begins, and its number in the notebook
    files: str

    def lines(self, begin: int, end: int) -> tuple[int, int]:
        """The whole lines that hold these characters."""
        text = self.code.text
        after = text.find("\n", end)
        return text.rfind("\n", 0, begin) + 1, len(text) if after < 0 else after

    def where(self, begin: int, end: int) -> str:
        """Which lines of which cell these characters are."""
        starts = [start for start, _ in self.cells]
        first, last = (bisect.bisect_right(starts, place) - 1 for place in (begin, max(begin, end - 1)))
        start, number = self.cells[first]
        line = self.code.text.count("\n", start, begin) + 1
        if last != first:
            return f"cells {number} to {self.cells[last][1]}"
        return f"cell {number}, lines {line} to {self.code.text.count(chr(10), start, end) + 1}"


@dataclass
class Side:
    """The whole lines that hold a shared run of tokens: what is shared of them, and what stands around it."""

    where: str
    before: str
    shared: str
    after: str


@dataclass
class Shared:
    """A pair as it is shown: its places are the longest ones, in the left one's order."""

    left: str
    right: str
    share: float
    lines: int = 0
    places: list[tuple[Side, Side]] = field(default_factory=list)  # the left one's, and the right one's
    more: int = 0


@dataclass
class Found:
    """What the comparison of a class found."""

    assignment: str
    count: int
    most: int
    share: float
    identical: list[dict[str, Any]]
    pairs: list[Shared]
    below: list[Shared]
    unread: list[tuple[str, str]]
    untouched: int = 0
    short: int = 0
    left_out: int = 0  # pairs that are too many to show
    title: str = ""

    @property
    def compared(self) -> str:
        """How many were, in a sentence."""
        parts = [f"{self.count} hand-ins of {self.assignment} were compared"]
        if self.untouched:
            parts.append(f"{self.untouched} hold nothing but what was handed out, or the solution")
        if self.short:
            parts.append(f"{self.short} hold too little of their own to tell")
        if self.unread:
            parts.append(f"{len(self.unread)} could not be read")
        more = f" Of the pairs {self.left_out} more are not shown." if self.left_out else ""
        return f"{'; '.join(parts)}.{more}"


@dataclass
class Course:
    """What is nobody's own: the names of the notebooks, their code cells, and all of it as it is compared."""

    names: list[str]
    cells: set[str]
    codes: list[Code]


def course(assignment: str, source: Path, release: Path) -> Course:
    """Of an assignment, with its solution, and as released.

    Raises:
        LookupError: where there is no such assignment.
    """
    notebooks = sorted((source / assignment).glob("*.ipynb"))
    if not notebooks:
        raise LookupError(assignments.not_there(assignment, source))
    there = [*notebooks, *sorted((release / assignment).glob("*.ipynb"))]
    try:
        cells = [[cell["source"] for cell in code_cells(path)] for path in there]
    except ValueError as error:
        raise LookupError(str(error)) from None
    codes = [Code.read(JOIN.join(each)) for each in cells]
    return Course([path.stem for path in notebooks], {*itertools.chain.from_iterable(cells)}, codes)


def read(
    top: Path, assignment: str, course: Course, unread: list[tuple[str, str]], prefix: str = ""
) -> Iterator[HandedIn]:
    """The hand-ins in a folder like submitted/ (<learner>/<assignment>/), without cells that are as the course's.

    `unread` gets those that cannot be read.
    """
    folders = sorted(path for path in top.glob("*") if not path.name.startswith("."))
    for folder in tqdm(folders, desc="reading", unit="hand-in", disable=not sys.stderr.isatty(), leave=False):
        if not (folder / assignment).is_dir():
            continue
        who, sources, cells, digest = prefix + folder.name, [], [], hashlib.sha256()
        length, remarks, is_code = 0, [], False
        for name in course.names:
            found = submissions.collect(folder / assignment, name, course.names, top)
            digest.update(found.content or b"")
            submission = found.read()
            remarks += submission.remarks
            for number, cell in enumerate(submission.cells, 1):
                is_code = is_code or cell["cell_type"] == "code"
                if cell["cell_type"] == "code" and cell["source"] not in course.cells:
                    cells.append((length, number))
                    sources.append(cell["source"])
                    length += len(cell["source"]) + len(JOIN)
        if is_code:
            yield HandedIn(who, Code.read(JOIN.join(sources)), cells, digest.hexdigest())
        else:
            unread.append((who, (remarks or ["it holds no code."])[-1]))


def compare(
    assignment: str,
    submitted: Path,
    source: Path = ROOT / "source",
    release: Path = ROOT / "release",
    earlier: tuple[Path, ...] = (),
    share: float = SHARE,
    only: set[str] | None = None,
) -> Found:
    """Compare the hand-ins of a class with each other, and with those of earlier ones.

    Args:
        submitted: the folder of the hand-ins; `earlier` are others like it.
        share: of their own that pairs have in common, of which the places are found.
        only: the names of two: no other pair is looked at, and this one whatever it shares.

    Raises:
        LookupError: where there is nothing to compare, with what to do.
    """
    given = course(assignment, source, release)
    unread: list[tuple[str, str]] = []
    for folder in (submitted, *earlier):
        if not folder.is_dir():
            raise LookupError(f"There is no folder {folder}: hand-ins lie in <folder>/<learner>/{assignment}/.")
    handed = [*read(submitted, assignment, given, unread)]
    if len(handed) < 2 and not earlier:
        raise LookupError(
            f"{submitted} holds {len(handed) or 'no'} hand-in{'s' * (len(handed) != 1)} of {assignment} that can be "
            "read: there is nothing to compare."
        )
    own = len(handed)
    for folder in earlier:
        handed += read(folder, assignment, given, unread, f"{folder.name}/")
    total = len(handed)
    # Of those that are the same one is compared, else each of them would be with each other.
    known = Class(given.codes, []).given
    sets = {id(each): each.code.own(known) for each in handed}
    groups: dict[Any, list[HandedIn]] = {}
    same = {each.files: sets[id(each)].tobytes() for each in handed}  # a file that is the same has the same code
    for each in handed:
        long = len(sets[id(each)]) >= LEAST
        groups.setdefault(same[each.files] if long else each.files, []).append(each)
    untouched = [each for each in handed if not len(sets[id(each)])]
    identical = []
    for group in groups.values():
        if len(group) > 1 and group[0].code.text:
            files = len({each.files for each in group})
            what = "the same file" if files == 1 else "the same code, but for names, comments, layout and order"
            identical.append({"what": what, "who": [each.name for each in group]})
    alone = [group[0] for group in groups.values() if len(sets[id(group[0])]) >= LEAST]
    short = sum(0 < len(each) < LEAST for each in sets.values())
    places = {id(each): number for number, each in enumerate(handed)}
    this = [each for each in alone if places[id(each)] < own]
    alone = this + [each for each in alone if places[id(each)] >= own]
    together = Class(given.codes, [each.code for each in alone], len(this))
    pairs = sorted(together.pairs(LEAST), key=lambda pair: (-pair.share, pair.left, pair.right))
    if only:
        pairs = [pair for pair in pairs if {alone[pair.left].name, alone[pair.right].name} == only]
    above = [pair for pair in pairs if pair.share >= share or only]
    shown = [
        _shared(together, pair, alone)
        for pair in tqdm(above[:MOST_PAIRS], desc="aligning", unit="pair", disable=not sys.stderr.isatty(), leave=False)
    ]
    below = [
        Shared(alone[pair.left].name, alone[pair.right].name, pair.share)
        for pair in pairs[len(above) : len(above) + BELOW]
    ]
    return Found(
        *(assignment, total, together.most, share, identical, shown, below, unread, len(untouched), short),
        left_out=len(above) - len(shown),
        title=f"Similar hand-ins of {assignment}",
    )


def _shared(together: Class, pair: Pair, handed: list[HandedIn]) -> Shared:
    left, right = handed[pair.left], handed[pair.right]
    made = Shared(left.name, right.name, pair.share)
    found = together.places(pair)
    shown = sorted(found, key=lambda place: -place.length)[:MOST_PLACES]
    lines: set[int] = set()
    for place in found:
        first, last = left.code.span(place.left, place.length)
        begin = left.code.text.count("\n", 0, first)
        lines |= {begin + each for each in range(left.code.text.count("\n", first, last) + 1)}
        if place in shown:
            made.places.append((_side(left, place.left, place.length), _side(right, place.right, place.length)))
    made.lines, made.more = len(lines), len(found) - len(shown)
    return made


def _side(handed: HandedIn, first: int, length: int) -> Side:
    begin, end = handed.code.span(first, length)
    line, after = handed.lines(begin, end)
    text = handed.code.text
    return Side(handed.where(begin, end), text[line:begin], text[begin:end], text[end:after])


# ---------------------------------------------------------------- what a person reads


def as_text(found: Found) -> str:
    """What there is, in a terminal: groups and pairs, a line each."""
    lines = [found.compared]
    for group in found.identical:
        lines += textwrap.wrap(f"{group['what']}: {', '.join(map(_name, group['who']))}", 100, subsequent_indent="  ")
    lines += [
        "",
        f"{len(found.pairs) + found.left_out} pairs share at least {percent(found.share)} of what is their own:",
    ]
    if found.pairs:
        lines += ["", "share  lines  hand-ins"]
        listed = found.pairs[:MOST_LISTED]
        lines += [f"{percent(p.share):>5}  {p.lines:5}  {_name(p.left)} and {_name(p.right)}" for p in listed]
        lines += [f"and {len(found.pairs) - MOST_LISTED} more, on the page"] * (len(found.pairs) > MOST_LISTED)
    if found.below:
        next_ones = "; ".join(f"{_name(p.left)} and {_name(p.right)} {percent(p.share)}" for p in found.below)
        lines += ["", *textwrap.wrap(f"The next ones, which are below: {next_ones}.", 100)]
    for who, why in found.unread:
        lines += textwrap.wrap(f"Not compared: {_name(who)}: {printable(why)}", 100, subsequent_indent="  ")
    return "\n".join(lines)


def side_by_side(pair: Shared, width: int | None = None) -> str:
    """The shared places of a pair, in two columns."""
    half = max(20, ((width or shutil.get_terminal_size((120, 40)).columns) - 3) // 2)
    lines = []
    for place in pair.places:
        sides = [
            [f"{_name(who)}, {side.where}", *_indented(side)]
            for who, side in zip((pair.left, pair.right), place, strict=True)
        ]
        lines += [
            "",
            *(
                f"{one:{half}} | {other}".rstrip()
                for one, other in itertools.zip_longest(
                    *[[cut for line in side for cut in (_cut(line, half) or [""])] for side in sides], fillvalue=""
                )
            ),
        ]
    return "\n".join(lines)


def _indented(side: Side) -> list[str]:
    lines = textwrap.dedent(side.before + side.shared + side.after).split("\n")
    return [printable(line.replace("\t", "    "), 2000) for line in lines]


def _cut(line: str, width: int) -> list[str]:
    return [line[begin : begin + width] for begin in range(0, len(line), width)]


def percent(share: float) -> str:
    """What is below a threshold is shown below it, too."""
    return f"{int(100 * share + 1e-9)}%"


def _name(name: str) -> str:
    return printable(name, 80)


def as_json(found: Found) -> str:
    pairs = [
        {
            "left": pair.left,
            "right": pair.right,
            "share": round(pair.share, 4),
            "lines": pair.lines,
            "places": [[side.where for side in place] for place in pair.places],
        }
        for pair in found.pairs
    ]
    below = [{"left": pair.left, "right": pair.right, "share": round(pair.share, 4)} for pair in found.below]
    kept = {"assignment": found.assignment, "hand_ins": found.count, "threshold": found.share, "usual": found.most}
    return json.dumps(
        {**kept, "identical": found.identical, "pairs": pairs, "below": below, "unread": found.unread}, indent=1
    )


def main(arguments: list[str], chosen: Any) -> int:
    """The command; `chosen` tells the assignment from what was typed."""
    parser = argparse.ArgumentParser(prog="python -m grading similar", description=__doc__)
    parser.add_argument("assignment", nargs="?")
    parser.add_argument("--submitted", type=Path, default=ROOT / "submitted", help="the folder of the hand-ins")
    parser.add_argument(
        "--earlier", type=Path, action="append", default=[], help="a folder like it, of another class or year"
    )
    parser.add_argument(
        "--share", type=float, default=SHARE, help="of their own that pairs have in common (%(default)s)"
    )
    parser.add_argument("--pair", nargs=2, metavar="LEARNER", help="show the places of these two in the terminal")
    parser.add_argument("--to", type=Path, default=ROOT / pages.DESK, help="where pages are written")
    options = parser.parse_args(arguments)
    assignment = chosen(options.assignment)
    if not 0 <= options.share <= 1:
        raise LookupError(f"--share is a number between 0 and 1, and not {options.share:g}.")
    only = {*options.pair} if options.pair else None
    found = compare(assignment, options.submitted, earlier=(*options.earlier,), share=options.share, only=only)
    if options.pair:
        if not found.pairs:
            raise LookupError(
                f"{' and '.join(map(_name, options.pair))} share fewer than {LEAST} runs of {GRAM} tokens of "
                "their own, or are the same, or not there."
            )
        print(
            "\n".join(
                f"{_name(p.left)} and {_name(p.right)}: {percent(p.share)}\n{side_by_side(p)}" for p in found.pairs
            )
        )
        return 0
    place = pages.write(options.to / assignment / "similar.html", page(found))
    pages.write(options.to / assignment / "similar.json", as_json(found))
    print(f"{as_text(found)}\n\nThe places, side by side: {place}")
    return 0


def page(found: Found) -> str:
    return pages.page("similar", **vars(found), compared=found.compared, least=LEAST, gram=GRAM, percent=percent)
