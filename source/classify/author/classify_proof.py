"""How good is the feedback? Wrong and right solutions, judged by the checks.

    python source/classify/author/classify_proof.py             # the table: what is caught, and what is named
    python source/classify/author/classify_proof.py --each      # a line for each solution
    python source/classify/author/classify_proof.py --seeds 40  # and: are the verdicts the same for so many seeds?
    python source/classify/author/classify_proof.py --judge     # only: does the judge say the same of each?
    python source/classify/author/classify_proof.py --oracles 200  # only: does NumPy say what PyTorch does?
    python source/classify/author/classify_proof.py NAME        # the report of one solution

The wrong solutions (classify_corpus.py) are a few definitions in place of a right solution's; the right ones
(corpus/right/) are in styles of their own.

- caught: its section loses points
- rightly named: the report's open check names the mistake; no other check names another one
- wrongly named: some check names a mistake that was not made
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

os.environ["MPLBACKEND"] = "agg"
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
# Else there is a folder __pycache__ in source/, which formgrader takes for an assignment.
sys.dont_write_bytecode = True

AUTHORS = Path(__file__).resolve().parent
ROOT = AUTHORS.parents[2]
sys.path[:0] = [str(path) for path in (ROOT, ROOT / "kit_tests", ROOT / "source" / "workshop", AUTHORS.parent, AUTHORS)]

import corpora  # noqa: E402
import jupytext  # noqa: E402
import oracles  # noqa: E402
from classify_corpus import WRONG, Wrong  # noqa: E402

from checks.assignment import local_execute  # noqa: E402
from checks.observe import quiet  # noqa: E402
from checks.report import Report  # noqa: E402
from classify import oracle, tests  # noqa: E402

RIGHT = {path.stem: path for path in sorted((AUTHORS / "corpus" / "right").glob("*.py"))}
SECTIONS = {section.id: section for section in tests.ASSIGNMENT.sections}
BY_NAME = {wrong.name: wrong for wrong in WRONG}
ENGINE = AUTHORS.parent / "minitorch.py"
ANSWER = {"solution": True, "grade": False}


@functools.cache
def reference() -> str:
    """The answers of the notebook's solution."""
    cells = jupytext.reads((AUTHORS / "text.py").read_text(encoding="utf-8"), fmt="py:percent").cells
    answers = [cell.source for cell in cells if ANSWER.items() <= cell.metadata.get("nbgrader", {}).items()]
    return "\n\n\n".join(source for source in answers if "tests." not in source)


def sources(name: str) -> list[tuple[str, str]]:
    """(file name, source) of what defines a solution, the engine first: a wrong one, a right one, or the reference."""
    wrong = BY_NAME.get(name)
    style = wrong.style if wrong else name
    text = reference() if style == "reference" else RIGHT[style].read_text(encoding="utf-8")
    engine = ENGINE.read_text(encoding="utf-8")
    return [("<engine>", engine), (f"<{style}>", text), *([("<wrong>", wrong.code)] if wrong else [])]


def defined(texts: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The names that sources define, one after the other."""
    names: dict[str, Any] = {"__name__": "__main__"}
    with quiet():
        for file, source in texts:
            exec(compile(source, file, "exec"), names)
    return names


def solution(name: str) -> dict[str, Any]:
    """The names that a solution defines."""
    return defined(sources(name))


def beside_its_library(text: str) -> dict[str, Any]:
    """The names that a solution defines which imports the library, a new one."""
    library = types.ModuleType("minitorch")
    exec(compile(ENGINE.read_text(encoding="utf-8"), "minitorch.py", "exec"), library.__dict__)
    sys.modules["minitorch"] = library
    names = defined([("<solution>", text)])
    return {name: getattr(library, name) for name in ("MyTensor", "Parameter", "MyModule")} | names


def is_caught(section: str, names: dict[str, Any]) -> bool:
    """Whether a solution loses points in a section."""
    of = SECTIONS[section]
    return corpora.loses(of, {name: names[name] for name in of.takes})


def report(section: str, names: dict[str, Any], seed: int = 0) -> Report:
    of = SECTIONS[section]
    return corpora.report(of, {name: names[name] for name in of.takes}, seed)


class Finding:
    """What the report of one wrong solution says."""

    def __init__(self, wrong: Wrong, found: Report) -> None:
        self.wrong, self.report = wrong, found
        self.named = {check.id: check.mistake for check in found.checks if check.mistake}
        self.lost = {check.id for check in found.checks if check.status != "passed"}
        self.cost = 1 - found.score / found.points
        self.caught = found.score < found.points
        self.open = found.open.mistake if found.open else None
        self.wrongly = any(id not in wrong.accepted for id in self.named.values())
        self.rightly = self.open in (wrong.accepted or (None,)) and not self.wrongly


def find(name: str, seed: int = 0) -> Finding:
    wrong = BY_NAME[name]
    return Finding(wrong, report(wrong.section, solution(name), seed))


def scores() -> dict[str, dict[str, float]]:
    """Right solution to its points, by section."""
    return {name: {id: report(id, solution(name)).score for id in SECTIONS} for name in ("reference", *RIGHT)}


def table(findings: Iterable[Finding]) -> str:
    """Percentages of what is caught and named, in each section."""
    rows = [f"{'section':14} {'wrong':>6} {'caught':>7} {'named':>7} {'falsely':>8}"]
    findings = list(findings)
    for id in (*SECTIONS, "all"):
        some = [each for each in findings if id in (each.wrong.section, "all")]
        if some:
            counts = [
                sum(getattr(each, what) for each in some) / len(some) for what in ("caught", "rightly", "wrongly")
            ]
            rows.append(f"{id:14} {len(some):6} " + " ".join(f"{share:7.1%}" for share in counts))
    return "\n".join(rows)


def unsteady(seeds: int, names: Iterable[str] | None = None) -> list[str]:
    """Solutions whose checks do not pass and fail alike for every seed."""
    bad = []
    for name in names or (*BY_NAME, "reference", *RIGHT):
        wrong = BY_NAME.get(name)
        made = None if wrong else solution(name)
        for id in [wrong.section] if wrong else SECTIONS:
            seen = set()
            for seed in range(seeds):  # a wrong one anew for each: what it leaves behind is no matter of seeds
                found = report(id, made or solution(name), seed)
                seen.add(frozenset(check.id for check in found.checks if check.status != "passed"))
            if len(seen) > 1 or (not wrong and seen != {frozenset()}):
                bad.append(f"{name}: {id}: {sorted(map(sorted, seen))}")
    return bad


def differences(name: str, seed: int = 0) -> list[str]:
    """Where the judge, with the solution in a jailed kernel, says something else than a report here."""
    import jailed

    wrong, made = BY_NAME.get(name), solution(name)
    found = []
    for id in [wrong.section] if wrong else SECTIONS:
        tests.ASSIGNMENT.execute = local_execute
        here = report(id, made, seed)
        there = jailed.report(SECTIONS[id], sources(name), SECTIONS[id].takes, seed)
        tests.ASSIGNMENT.execute = local_execute
        found += [
            f"{name}: {id}/{one.id}: {one.status}, {one.mistake}; through the judge {other.status}, {other.mistake}: "
            f"{other.got}"
            for one, other in zip(here.checks, there.checks, strict=True)
            if (one.status, one.mistake) != (other.status, other.mistake)
        ]
    return found


ORACLES = oracles.Both(oracle)


def asked_twice(seed: int) -> oracles.Compared:
    """All that the checks ask of the oracle with this seed, asked of PyTorch and of what is asked without it."""
    names = solution("reference")
    with ORACLES.compared(seed) as found:
        for id in SECTIONS:
            assert report(id, names, seed).passed, id
    return found


def told_otherwise(name: str) -> list[str]:
    """Where a wrong solution is told something else, in its section, where PyTorch is not installed."""
    return ORACLES.told_otherwise(name, lambda: report(BY_NAME[name].section, solution(name)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?")
    parser.add_argument("--section")
    parser.add_argument("--each", action="store_true")
    parser.add_argument("--judge", action="store_true")
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--oracles", type=int, default=0)
    args = parser.parse_args()
    if args.name:
        wrong = BY_NAME.get(args.name)
        for id in [args.section or wrong.section] if args.section or wrong else SECTIONS:
            print(report(id, solution(args.name)).as_text())
        return
    if args.oracles:
        told = (word for name in BY_NAME for word in told_otherwise(name))
        print(oracles.said([asked_twice(seed) for seed in range(args.oracles)], len(BY_NAME), told))
        return
    names = [name for name, wrong in BY_NAME.items() if args.section in (None, wrong.section)]
    if args.judge:
        different = [line for name in ("reference", *RIGHT, *names) for line in differences(name)]
        print("\n".join(different) or "the judge says the same of each")
        return
    findings = [find(name) for name in names]
    for each in findings:
        if args.each or not each.caught or not each.rightly:
            said = sorted({*each.named.values()})
            print(
                f"{each.wrong.name:34} costs {each.cost:4.0%} open {each.open}; named {said}; lost {sorted(each.lost)}"
            )
    print(table(findings))
    if not args.section:
        for name, points in scores().items():
            print(f"{name:14} {sum(points.values()):g}")
    if args.seeds:
        print("\n".join(unsteady(args.seeds, names if args.section else None)) or "steady")


if __name__ == "__main__":
    main()
