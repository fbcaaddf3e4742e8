"""A large class of all kinds of learners, graded by `python -m grading autograde` in one run after the other.

    python benchmarks/large.py                      # 10, 100 and 1,000 submissions
    python benchmarks/large.py --sizes 20 --jobs 1

Of 1,000 submissions 400 are complete, 450 partial or partly wrong, 100 broken and 50 hostile (the tests' faults and
attacks), all of the tests' own small assignment; each is another file. Every kind is first graded once by `nbgrader
autograde`, one after the other, with the same seed and limits: what the class is given must be the same. Everything
happens in a folder and in a jail of its own, attacks reach for what is made here.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "kit_tests"), str(ROOT / "source"), str(ROOT)]

import attacks  # noqa: E402
import faults  # noqa: E402
import kit  # noqa: E402
import make_class  # noqa: E402
from course import Course, code_cell, course, left, notebook, results, solutions, workers_of  # noqa: E402
from test_attacks import Outside  # noqa: E402
from tqdm import tqdm  # noqa: E402

SEED = 17
OPTIONS = [
    *("--JudgedExecute.required=bubblewrap", f"--JudgedExecute.memory={1 << 30}"),
    *("--JudgedExecute.cell_seconds=10", "--JudgedExecute.submission_seconds=40"),
]
SHARES = {"complete": 40, "partial": 45, "broken": 10, "hostile": 5}
COMPLETE = ("perfect", "sign")
WRONG = (
    ("base * right.data", "base * left.data"),
    ("base / right.data", "base * right.data"),
    ("left.shape), unbroadcast(base,", "left.shape), unbroadcast(-base,"),
    ("base @ right.data.T", "base @ right.data"),
    ("x.data > 0", "x.data < 0"),
    ("data -= self.lr", "data += self.lr"),
    ("/ x.data.size", ""),
)


@dataclass
class Kind:
    """Submissions that deserve the same.

    Attributes:
        content: the notebook, or the bytes of the file, or None.
        file: its name.
        beside: puts other things into the folder.
    """

    content: Any
    file: str = "tiny.ipynb"
    beside: Callable[[Path], None] | None = None


@dataclass
class Run:
    """What was seen of one run.

    Attributes:
        seconds: of the whole command.
        scores: points by learner.
        line: the summary that it printed.
        memory: of the main process in MiB, by how many results there were.
        descriptors: that the main process had open, likewise.
        workers: memory in MiB of the largest worker, likewise.
        each: seconds of a worker for a submission, by group.
    """

    seconds: float
    scores: dict[str, float]
    line: str
    memory: dict[int, float] = field(default_factory=dict)
    descriptors: dict[int, int] = field(default_factory=dict)
    workers: dict[int, float] = field(default_factory=dict)
    each: dict[str, float] = field(default_factory=dict)


def kinds(outside: Outside) -> dict[str, dict[str, Kind]]:
    """All kinds, by group and name."""
    solved = solutions()
    examples = {name: json.loads(text) for name, text in make_class.sample_class(kit.NAME, kit.course()).items()}
    partial = {f"first-{count}": notebook(**dict(list(solved.items())[:count])) for count in range(1, len(solved))}
    for number, (old, new) in enumerate(WRONG):
        assert any(old in text for text in solved.values()), old
        partial[f"wrong-{number}"] = notebook(**{name: text.replace(old, new) for name, text in solved.items()})
    partial |= {name: made for name, made in examples.items() if name not in COMPLETE}
    return {
        "complete": {name: Kind(examples[name]) for name in COMPLETE},
        "partial": {name: Kind(made) for name, made in partial.items()},
        "broken": {each.name: Kind(each.content(), each.file, each.beside) for each in faults.FAULTS if _small(each)},
        "hostile": {
            each.name: Kind(
                attacks.notebook(each, outside.targets),
                beside=(lambda folder, each=each: each.files(folder, outside.targets)) if each.files else None,
            )
            for each in attacks.ATTACKS
        },
    }


def _small(fault: faults.Fault) -> bool:
    """Whether a broken submission may be there many times: not those with huge files, or a graded notebook already."""
    return fault.name not in ("two_hundred_megabytes", "fifty_megabytes_of_output", "stopped_half_way")


def chosen(groups: dict[str, dict[str, Kind]], count: int) -> list[tuple[str, str]]:
    """(group, kind) of so many learners, in the shares of a class and in a random order, the same in each run."""
    drawn = random.Random(SEED)
    made = []
    for group, share in SHARES.items():
        names = sorted(groups[group])
        drawn.shuffle(names)
        made += [(group, names[number % len(names)]) for number in range(round(count * share / 100))]
    drawn.shuffle(made)
    return made


def hand_in(made: Course, learner: str, kind: Kind) -> None:
    """A kind's submission; with a comment of its own, where it has cells."""
    content = kind.content
    if isinstance(content, dict) and isinstance(content.get("cells"), list) and content.get("nbformat") == 4:
        content = {**content, "cells": [*content["cells"], code_cell(f"# {learner}")]}
    folder = made.hand_in(learner, content, kind.file)
    if kind.beside:
        kind.beside(folder)


def points(made: Course) -> dict[str, float]:
    from grading.results import read

    return {one.id: sum(score or 0 for score in one.points.values()) for one in read(made.db, "tiny").learners}


def graded(made: Course, groups: dict[str, str], jobs: int) -> Run:
    """Grade the class, and watch."""
    start = time.perf_counter()
    running = made.start(f"--seed={SEED}", f"--jobs={jobs}", *OPTIONS)
    memory, descriptors, workers = {}, {}, {}
    process = Path(f"/proc/{running.pid}")
    log: list[str] = []
    reader = threading.Thread(target=lambda: log.extend(running.stdout))
    reader.start()
    with tqdm(total=len(groups), desc=f"{len(groups)} submissions", disable=None, file=sys.stderr) as bar:
        while running.poll() is None:
            done = results(made)
            bar.update(done - bar.n)
            with contextlib.suppress(OSError, IndexError, ValueError):  # something has ended, or not begun
                memory[done] = _memory(process)
                descriptors[done] = len(list((process / "fd").iterdir()))
                workers[done] = max(_memory(Path(f"/proc/{pid}")) for pid in workers_of(made, running.pid))
            time.sleep(0.5)
    seconds = time.perf_counter() - start
    reader.join()
    run = Run(seconds, points(made), next(line.strip() for line in log if " submissions: " in line))
    run.memory, run.descriptors, run.workers = memory, descriptors, workers
    spent: dict[str, list[float]] = {}
    for learner, group in groups.items():
        noted = json.loads((made.folder / ".grading" / "learners" / "tiny" / f"{learner}.json").read_text())
        result = made.folder / ".grading" / "results" / noted["key"][:2] / f"{noted['key']}.json"
        spent.setdefault(group, []).append(json.loads(result.read_text())["trace"]["seconds"])
    run.each = {group: sum(seconds) / len(seconds) for group, seconds in spent.items()}
    return run


def _memory(process: Path) -> float:
    return int((process / "status").read_text().split("VmRSS:")[1].split()[0]) / 1024


def at(seen: dict[int, float], count: int) -> float:
    """What was seen when so many results were there, or soon after."""
    return next((value for done, value in sorted(seen.items()) if done >= count), seen[max(seen)])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    problems = []
    with tempfile.TemporaryDirectory(prefix="large-") as scratch, contextlib.ExitStack() as stack:
        outside = Outside(Path(scratch))
        (Path(scratch) / "course").mkdir()
        outside.prepare(stack, "nobody")
        groups = kinds(outside)
        wanted = dict(sorted({kind: group for group, kind in chosen(groups, max(options.sizes))}.items()))
        alone = course(Path(scratch) / "alone")
        for kind, group in wanted.items():
            hand_in(alone, kind, groups[group][kind])
        print(f"{len(wanted)} kinds, one after the other, by nbgrader autograde ...", flush=True)
        start = time.perf_counter()
        alone.grade(f"--JudgedAutograde.seed={SEED}", *OPTIONS)
        print(f"{time.perf_counter() - start:.0f} s\n", flush=True)
        expected = points(alone)
        heads = ["submissions", "whole run, s", "s each", *(f"{group}, s of a worker" for group in SHARES)]
        print(f"| {' | '.join(heads)} |\n|{' ---: |' * len(heads)}", flush=True)
        for count in options.sizes:
            made = course(Path(scratch) / f"class-{count}")
            learners = {f"{n:04}-{kind}": (group, kind) for n, (group, kind) in enumerate(chosen(groups, count))}
            for learner, (group, kind) in learners.items():
                hand_in(made, learner, groups[group][kind])
            run = graded(made, {learner: group for learner, (group, _) in learners.items()}, options.jobs)
            cost = [f"{run.each.get(group, 0):.2f}" for group in SHARES]
            print(f"| {count} | {run.seconds:.0f} | {run.seconds / count:.2f} | {' | '.join(cost)} |", flush=True)
            others = {
                learner: (run.scores.get(learner), expected[kind])
                for learner, (_, kind) in learners.items()
                if run.scores.get(learner) != expected[kind]
            }
            if others:
                problems.append(f"{count}: other points than one by one: {others}")
            ends = time.monotonic() + 10
            while (remains := left(made)) and time.monotonic() < ends:
                time.sleep(0.1)
            if remains or outside.marked():
                problems.append(f"{count}: left behind: {remains}, {outside.marked()}")
        print(f"\n{run.line}")
        groups_of = Counter(group for group, _ in learners.values())
        print(f"learners: {', '.join(f'{number} {group}' for group, number in groups_of.items())}")
        for what, seen in (
            ("memory of the main process (MiB)", run.memory),
            ("open files of the main process", run.descriptors),
            ("memory of the largest worker (MiB)", run.workers),
        ):
            early, late = at(seen, count // 10), at(seen, count)
            course_of = ", ".join(f"{at(seen, done):.0f} at {done}" for done in range(count // 10, count, count // 10))
            print(f"{what}: {course_of}, {late:.0f} at the end ({late / early:.2f}x)")
    print("\n".join(problems) or "every submission has the points of a one-by-one run; nothing is left behind")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
