"""How good are the verdicts on what nobody has tuned them on? Solutions written with only the notebook at hand.

    python source/workshop/author/blind.py fourth                   # the table of a corpus: corpus/blind/fourth-*
    python source/workshop/author/blind.py fourth --each            # a line for each solution
    python source/workshop/author/blind.py fourth --sheet sheet.json # what a person needs to judge the names

- caught: the section whose promise is broken loses points; elsewhere: only another one does
- full: it earns 100 of 100
- named, placed, false: as a person has judged the report's first failed check against the truth (names.json): the
  mistake itself is said; it is not, but the place is right; something is said that is not so
"""

from __future__ import annotations

import argparse
import collections
import functools
import json
import runpy
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import proof
from answers import AUTHORS, defined, names_for
from corpora import loses
from corpus.entry import Blind

from checks.observe import quiet
from checks.report import Report
from workshop import mistakes

FOLDER = AUTHORS / "corpus" / "blind"


@functools.cache
def corpus(name: str) -> dict[str, tuple[Blind, Path]]:
    """The wrong solutions of a corpus by writer and name, each with its writer's folder."""
    return {
        f"{folder.name.rpartition('-')[2]}/{wrong.name}": (wrong, folder)
        for folder in sorted(FOLDER.glob(f"{name}-*"))
        for wrong in runpy.run_path(str(folder / "wrong.py"))["WRONG"]
    }


def right(name: str) -> list[Path]:
    """The right solutions that were written for a corpus; links are to those of another one."""
    found = FOLDER.glob(f"{name}-*/right/*.py")
    return sorted(path for path in found if not path.is_symlink() and not path.parent.is_symlink())


def source_of(wrong: Blind, folder: Path) -> str:
    text = (folder / "right" / f"{wrong.style}.py").read_text(encoding="utf-8")
    for old, new in wrong.changes:
        assert text.count(old) == 1, (wrong.name, old)
        text = text.replace(old, new)
    return text


def reports(text: str, sections: Iterable[str] = proof.SECTIONS, seed: int = 0) -> dict[str, Report]:
    """Sections' reports on a solution's code."""
    with quiet():
        names = defined([("<solution>", text)])
    found = {}
    for id in sections:
        np.random.seed(seed)
        found[id] = proof.report(proof.SECTIONS[id], names, seed)
    return found


@dataclass
class Verdict:
    """What all sections say of one wrong solution.

    Attributes:
        lost: section to the points that are lost there.
        said: what its own section says: the mistakes that are named, and the first failed check.
    """

    name: str
    section: str
    lost: dict[str, float]
    said: dict[str, Any]

    @property
    def caught(self) -> bool:
        return self.section in self.lost


def judge(name: str, solution: str) -> Verdict:
    """What the checks of all sections say of one wrong solution of a corpus."""
    wrong, folder = corpus(name)[solution]
    found = reports(source_of(wrong, folder))
    lost = {id: report.points - report.score for id, report in found.items() if report.score < report.points}
    where = wrong.section if wrong.section in lost else next(iter(lost), wrong.section)
    return Verdict(solution, wrong.section, lost, sheet(wrong, found[where]))


def is_caught(name: str, solution: str) -> bool:
    """Whether a wrong solution of a corpus loses points in its section."""
    wrong, folder = corpus(name)[solution]
    own = proof.SECTIONS[wrong.section]
    with quiet():
        names = names_for(own, defined([("<solution>", source_of(wrong, folder))]))
    return loses(own, names)


def sheet(wrong: Blind, report: Report) -> dict[str, Any]:
    """What a person needs to judge a name by."""
    failed = [check for check in report.checks if check.status in ("failed", "missing")]
    first = report.open
    return {
        "truth": wrong.truth,
        "nameable": wrong.nameable,
        "section": report.section,
        "named": {check.id: mistakes.KNOWN[check.mistake].title for check in failed if check.mistake in mistakes.KNOWN},
        "first": first and {key: getattr(first, key) for key in ("id", "title", "status", "mistake", "says", "got")},
        "hints": list(first.hints) if first else [],
        "snippet": first and first.snippet,
        "others": {check.id: check.says for check in failed if check is not first},
    }


def score(path: str) -> float:
    """Points of 100 of a right solution."""
    return sum(report.score for report in reports(Path(path).read_text(encoding="utf-8")).values())


def table(name: str, verdicts: list[Verdict]) -> str:
    """What was caught and, as far as names.json says, named."""
    kept = FOLDER / "names.json"
    judged = json.loads(kept.read_text(encoding="utf-8")).get(name, {}) if kept.exists() else {}
    rows = []
    for id in [*proof.SECTIONS, "all"]:
        some = [verdict for verdict in verdicts if id in (verdict.section, "all")]
        names = collections.Counter(judged.get(verdict.name) for verdict in some)
        counts = [
            len(some),
            sum(verdict.caught for verdict in some),
            sum(bool(verdict.lost) and not verdict.caught for verdict in some),
            sum(not verdict.lost for verdict in some),
            *(names[what] for what in ("named", "placed", "false")),
        ]
        cells = [f"{n} ({n / max(1, len(some)):.1%})" if id == "all" and n != len(some) else str(n) for n in counts]
        rows.append(f"| {id} | {' | '.join(cells)} |")
    heads = "| section | wrong | caught | elsewhere only | full marks | named | placed | falsely named |"
    return "\n".join([heads, "| --- |" + " ---: |" * 7, *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("corpus", help="such as first: the folders corpus/blind/first-*")
    parser.add_argument("--each", action="store_true", help="a line for each wrong solution")
    parser.add_argument("--sheet", type=Path, help="write what is said of each into this file")
    arguments = parser.parse_args()
    name = arguments.corpus
    verdicts = proof._all(judge, [(name, solution) for solution in corpus(name)], "wrong solutions")
    if arguments.sheet:
        sheets = {verdict.name: {**verdict.said, "lost": verdict.lost} for verdict in verdicts}
        arguments.sheet.write_text(json.dumps(sheets, indent=1), encoding="utf-8")
    for verdict in verdicts:
        if arguments.each or not verdict.caught:
            first = verdict.said["first"] or {}
            print(
                f"{verdict.name} ({verdict.section}): lost {verdict.lost}; {first.get('mistake')}: {first.get('says')}"
            )
    print("\n" + table(name, verdicts) + "\n")
    print("| right solution | points of 100 |\n| --- | ---: |")
    paths = right(name)
    for path, points in zip(paths, proof._all(score, [(str(path),) for path in paths], "right solutions"), strict=True):
        print(f"| {path.parent.parent.name}/{path.stem} | {points:g} |")


if __name__ == "__main__":
    main()
