"""`python -m grading insight`: what the class needs to hear, on one page: points, mistakes, checks, ways.

gradebook, autograded/, journal  ->  Facts  ->  a page for the desk, one without names for the lecture, JSON
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from checks.mistakes import Mistakes
from checks.observe import printable
from checks.report import WORDS
from grading import assignments, attempts, charts, pages, results
from grading.attempts import Attempt, Check, Reports
from grading.journal import Journal
from grading.results import Learner, Results

ROOT = Path(__file__).resolve().parent.parent
MOST_MISTAKES, MOST_UNNAMED, MOST_EXAMPLES = 40, 40, 3
MOST_QUOTED = 600  # characters of an example
FEWEST = 10  # learners, below which nothing is said on what a check tells
GROUP = 0.27  # of a class are its upper and its lower group: Kelley (1939)
WEAK = 0.1  # of the share that passes, by which the upper group is better, at least, if a check tells something


@dataclass
class SectionFacts:
    """A graded cell: how its points are spread, and its checks."""

    name: str
    title: str
    points: float
    mean: float | None
    full: int
    part: int
    none: int
    checks: list[CheckFacts] = field(default_factory=list)


@dataclass
class CheckFacts:
    """A check: how many are in which state, and what it tells of a class."""

    id: str
    title: str
    points: float
    states: dict[str, int]
    tells: float | None = None  # the share of the upper group that passes, without that of the lower group
    weak: str = ""  # why it tells nothing

    @property
    def passed(self) -> int:
        return self.states.get("passed", 0)


@dataclass
class MistakeFacts:
    """A known mistake: its words, how many have it, and who."""

    id: str
    title: str
    where: str
    hints: tuple[str, ...]
    now: list[str]
    before: list[str]  # who had it in an earlier hand-in, and not any more


@dataclass
class UnnamedFacts:
    """A check that failed for a reason that nobody could name."""

    where: str
    title: str
    who: list[str]
    examples: list[dict[str, str]]


@dataclass
class StuckFacts:
    """The first check that does not pass: whom it stops, and who has handed in again without getting past it."""

    where: str
    title: str
    who: list[str]
    again: list[str]


@dataclass
class Way:
    """A learner's hand-ins, the oldest first: the points of the tests; and the first check that does not pass now."""

    learner: str
    totals: list[float]
    open: str


@dataclass
class Facts:
    """All that a page says."""

    assignment: str
    points: float
    count: int
    nothing: int
    waiting: int  # handed in, and not graded
    totals: list[float]
    sections: list[SectionFacts]
    mistakes: list[MistakeFacts]
    unnamed: list[UnnamedFacts]
    stuck: list[StuckFacts]
    ways: list[Way]
    unread: list[str] = field(default_factory=list)  # whose reports are not there
    damage: str = ""

    @property
    def quartiles(self) -> list[float]:
        if len(self.totals) < 2:
            return self.totals * 3
        return statistics.quantiles(self.totals, n=4, method="inclusive")


def gather(
    found: Results,
    autograded: Path,
    journal: Journal,
    known: Mistakes,
) -> Facts:
    """The facts of a class.

    Args:
        found: its points.
        autograded: the folder of the graded notebooks.
        journal: what was graded before.
        known: the assignment's known mistakes.
    """
    graded = [one for one in found.learners if one.state == "graded"]
    names = list(dict.fromkeys(cell.notebook for cell in found.cells))
    now = attempts.now(autograded, found.assignment, [one.id for one in graded], names)
    history = attempts.history(journal, found.assignment)
    earlier = {learner: made[:-1] for learner, made in history.items() if len(made) > 1 and learner in now}
    # The log has the mistakes of earlier hand-ins, but for old ones; where somebody was stuck only the results know.
    wanted = [each for made in earlier.values() for each in made if each is made[-1] or not each.mistakes]
    attempts.look_up(journal, wanted)
    titles = {cell.name: cell.title for cell in found.cells}
    return Facts(
        assignment=found.assignment,
        points=found.points,
        count=len(graded),
        nothing=sum(one.state == "nothing" for one in found.learners),
        waiting=sum(one.state == "not graded" for one in found.learners),
        totals=sorted(one.total for one in graded),
        sections=_sections(found, graded, now),
        mistakes=_mistakes(now, earlier, titles, known),
        unnamed=_unnamed(now, titles),
        stuck=_stuck(now, earlier, titles),
        ways=_ways(graded, history, now, titles),
        unread=[one.id for one in graded if one.id not in now],
        damage=journal.damage(),
    )


def _sections(found: Results, graded: Sequence[Learner], now: dict[str, Reports]) -> list[SectionFacts]:
    """Each graded cell, with its checks in the order of the reports that have most of them."""
    made = []
    order = sorted((one.id for one in graded if one.id in now), key=_total_of(graded))
    size = max(1, round(GROUP * len(order)))
    lower, upper = order[:size], order[-size:]
    for cell in found.cells:
        points = [mark.points for one in graded if (mark := one.marks.get(cell.name)) and mark.points is not None]
        full = sum(each >= cell.points for each in points)
        none = sum(each <= 0 < cell.points for each in points)
        mean = statistics.fmean(points) if points else None
        facts = SectionFacts(cell.name, cell.title, cell.points, mean, full, len(points) - full - none, none)
        states: dict[str, dict[str, str]] = {}  # of checks, by learner
        known: dict[str, Check] = {}
        for learner, said in now.items():
            for check in said.get(cell.name, ()):
                known.setdefault(check.id, check)
                states.setdefault(check.id, {})[learner] = check.status
        for id, by in states.items():
            check = known[id]
            counted = CheckFacts(
                id, check.title, check.points, {status: [*by.values()].count(status) for status in WORDS}
            )
            if len(order) >= FEWEST and check.points:
                high, low = (_share(by, group) for group in (upper, lower))
                counted.tells = None if high is None or low is None else high - low
                counted.weak = _weak(counted, len(by))
            facts.checks.append(counted)
        made.append(facts)
    return made


def _total_of(graded: Sequence[Learner]) -> Callable[[str], tuple[float, str]]:
    totals = {one.id: one.raw for one in graded}  # what somebody was late tells nothing of the work
    return lambda learner: (totals[learner], learner)


def _share(by: dict[str, str], group: Sequence[str]) -> float | None:
    """The share of a group that passes, of those whose report has the check."""
    known = [by[learner] == "passed" for learner in group if learner in by]
    return sum(known) / len(known) if known else None


def _weak(check: CheckFacts, count: int) -> str:
    if check.passed == count:
        return "everybody passes"
    if not check.passed:
        return "nobody passes"
    if check.tells is not None and check.tells < WEAK:
        return "the upper quarter of the class passes no more often than the lower one"
    return ""


def _mistakes(
    now: dict[str, Reports], earlier: dict[str, list[Attempt]], titles: dict[str, str], known: Mistakes
) -> list[MistakeFacts]:
    """The known mistakes, the commonest first."""
    found: dict[str, MistakeFacts] = {}

    def of(id: str, cell: str) -> MistakeFacts:
        title, hints = (known[id].title, known[id].hints) if id in known else (id, ())
        return found.setdefault(id, MistakeFacts(id, title, titles.get(cell, cell), hints, [], []))

    for learner, said in now.items():
        having = _where(attempts.named(said))
        for id, cell in having.items():
            of(id, cell).now.append(learner)
        had: dict[str, str] = {}
        for attempt in earlier.get(learner, ()):
            had |= _where(attempt.mistakes or attempts.named(attempt.reports or {}))
        for id in had.keys() - having.keys():
            of(id, had[id]).before.append(learner)
    return sorted(found.values(), key=lambda each: (-len(each.now), -len(each.before), each.id))


def _where(mistakes: dict[str, list[str]]) -> dict[str, str]:
    """The cell in which each mistake shows first."""
    found: dict[str, str] = {}
    for cell, ids in mistakes.items():
        for id in ids:
            found.setdefault(id, cell)
    return found


def _unnamed(now: dict[str, Reports], titles: dict[str, str]) -> list[UnnamedFacts]:
    """What failed without a name, by check."""
    found: dict[tuple[str, str], UnnamedFacts] = {}
    for learner, said in now.items():
        for cell, checks in said.items():
            for check in checks:
                if check.status != "failed" or check.mistake:
                    continue
                where = titles.get(cell, cell)
                facts = found.setdefault((cell, check.id), UnnamedFacts(where, check.title, [], []))
                facts.who.append(learner)
                quoted = {name: getattr(check, name)[:MOST_QUOTED] for name in ("snippet", "expected", "got")}
                if len(facts.examples) < MOST_EXAMPLES and quoted not in [
                    {name: each[name] for name in quoted} for each in facts.examples
                ]:
                    facts.examples.append({"learner": learner, **quoted})
    return sorted(found.values(), key=lambda each: (-len(each.who), each.where, each.title))


def _first_open(reports: Reports | None) -> tuple[str, Check] | None:
    """The first check that does not pass, and its cell: one that only waits stops nobody."""
    for cell, checks in (reports or {}).items():
        for check in checks:
            if check.status in ("failed", "missing") and check.points:
                return cell, check
    return None


def _stuck(now: dict[str, Reports], earlier: dict[str, list[Attempt]], titles: dict[str, str]) -> list[StuckFacts]:
    """Where learners are, in the notebook's order."""
    found: dict[tuple[str, str], StuckFacts] = {}
    for learner, said in now.items():
        if (first := _first_open(said)) is None:
            continue
        cell, check = first
        facts = found.setdefault((cell, check.id), StuckFacts(titles.get(cell, cell), check.title, [], []))
        facts.who.append(learner)
        before = _first_open(earlier[learner][-1].reports) if learner in earlier else None
        if before and (before[0], before[1].id) == (cell, check.id):
            facts.again.append(learner)
    order = {name: place for place, name in enumerate(titles)}
    return [found[key] for key in sorted(found, key=lambda key: (order.get(key[0], len(order)), -len(found[key].who)))]


def _ways(
    graded: Sequence[Learner], history: dict[str, list[Attempt]], now: dict[str, Reports], titles: dict[str, str]
) -> list[Way]:
    """Of those that the journal knows."""
    made = []
    for one in graded:
        if attempted := history.get(one.id):
            first = _first_open(now.get(one.id))
            stands = f"{titles.get(first[0], first[0])}: {first[1].title}" if first else ""
            made.append(Way(one.id, [attempt.total for attempt in attempted], stands))
    return sorted(made, key=lambda way: (-len(way.totals), way.learner))


# ---------------------------------------------------------------- what a person reads


def drawn(facts: Facts) -> dict[str, str]:
    """The charts of a page."""
    return {
        "totals": charts.histogram(facts.totals, facts.points),
        "sections": charts.sections([each for each in facts.sections if each.full + each.part + each.none]),
        "ways": charts.ways([way.totals for way in facts.ways if len(way.totals) > 1], facts.points),
    }


def as_html(facts: Facts, charts: dict[str, str], lecture: bool = False) -> str:
    """The page; for the lecture without names, and without what learners wrote."""
    weak = [(section, check) for section in facts.sections for check in section.checks if check.weak]
    lost = [
        (section, check)
        for section in facts.sections
        for check in sorted(section.checks, key=lambda check: check.passed)
        if sum(check.states.values()) > check.passed
    ]
    return pages.page(
        "insight",
        title=f"{facts.assignment}: the class" if lecture else f"{facts.assignment}: the class, for its instructor",
        facts=facts,
        lecture=lecture,
        drawn=charts,
        weak=weak,
        lost=lost,
        mistakes=facts.mistakes[:MOST_MISTAKES],
        unnamed=facts.unnamed[:MOST_UNNAMED],
        number=lambda value: "-" if value is None else f"{value:.4g}",
        percent=lambda part, whole: f"{100 * part / whole:.0f}%" if whole else "-",
        mean=statistics.fmean(facts.totals) if facts.totals else None,
    )


def as_json(facts: Facts) -> str:
    return json.dumps({**asdict(facts), "quartiles": facts.quartiles}, indent=1)


def as_text(facts: Facts) -> str:
    """What is most worth knowing, in a screen."""
    lines = [f"{facts.assignment}: {facts.count} graded, {facts.nothing} handed in nothing"]
    if facts.totals:
        low, middle, high = facts.quartiles
        lines.append(f"median {middle:g} of {facts.points:g} points; half of the class has {low:g} to {high:g}")
    if facts.mistakes:
        lines += ["", "The commonest mistakes:", " now  before  "]
        lines += [f"{len(m.now):4}  {len(m.before):6}  {m.where}: {m.title}" for m in facts.mistakes[:8]]
    if facts.stuck:
        lines += ["", "Where they are stuck:"]
        most = sorted(facts.stuck, key=lambda each: -len(each.who))[:5]
        lines += [f"{len(each.who):4}  {each.where}: {each.title}" for each in most]
    if facts.unread:
        lines.append(f"Of {len(facts.unread)} no report is there: {_some(facts.unread)}")
    if facts.damage:
        lines.append(facts.damage)
    return "\n".join(printable(line, 160) for line in lines)


def _some(names: Iterable[str]) -> str:
    first, *more = [[*names][:10], *[*names][10:]]
    return ", ".join(first) + (f" and {len(more)} more" if more else "")


def main(arguments: list[str], chosen: Callable[[str | None], str]) -> int:
    """The command; `chosen` tells the assignment from what was typed."""
    parser = argparse.ArgumentParser(prog="python -m grading insight", description=__doc__.split("\n")[0])
    parser.add_argument("assignment", nargs="?")
    parser.add_argument("--lecture", action="store_true", help="only the page for the lecture, without names")
    parser.add_argument("--db", default=f"sqlite:///{ROOT / 'gradebook.db'}", help="the gradebook (nbgrader's db_url)")
    parser.add_argument("--submitted", type=Path, default=ROOT / "submitted", help="what was handed in")
    parser.add_argument("--autograded", type=Path, default=ROOT / "autograded", help="the graded notebooks")
    parser.add_argument("--journal", type=Path, default=ROOT / ".grading", help="where the results are kept")
    parser.add_argument("--to", type=Path, default=ROOT / pages.DESK, help="where pages are written")
    options = parser.parse_args(arguments)
    assignment = chosen(options.assignment)
    found = results.read(options.db, assignment, submitted=options.submitted)
    facts = gather(found, options.autograded, Journal(options.journal), assignments.mistakes(assignment))
    if not facts.count:
        raise LookupError(
            f"Nothing of {assignment} is graded so far: run python -m grading autograde {assignment} first."
        )
    folder, made = options.to / assignment, drawn(facts)
    places = [pages.write(folder / "insight-lecture.html", as_html(facts, made, lecture=True))]
    if not options.lecture:
        places.insert(0, pages.write(folder / "insight.html", as_html(facts, made)))
        pages.write(folder / "insight.json", as_json(facts))
    print("\n".join([as_text(facts), "", *map(str, places)]))
    return 0
