"""How good is the feedback? Wrong and correct solutions, judged by the checks.

    python source/workshop/author/proof.py               # the table: what is caught, and what is named
    python source/workshop/author/proof.py --seeds 200   # and: are the verdicts the same for 200 seeds?
    python source/workshop/author/proof.py --busy 8      # only: the same beside 8 busy processes? (a tenth of all)
    python source/workshop/author/proof.py --oracles 200 # only: does what is asked without PyTorch say the same?
    python source/workshop/author/proof.py --each        # a line for each solution

The wrong solutions (corpus/tensor.py, layers.py) are small named changes to the reference or to a correct solution; the
correct ones (corpus/correct/) are in styles of their own, and none has seen the reference.

- caught: the checks that observe the mistake fail, and nothing else in its section but what waits for them
- rightly named: the report's open check, the first to look at, names the mistake; no other check names another one
- wrongly named: some check names a mistake that was not made
- same through the judge: with the code in a jailed kernel every check says the same, seed for seed
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
os.environ["MPLBACKEND"] = "agg"

import argparse
import contextlib
import functools
import gc
import itertools
import multiprocessing
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from answers import AUTHORS, CELL, defined, names_for, solved_texts  # which says where the others lie

CORRECT = {path.stem: path for path in sorted((AUTHORS / "corpus" / "correct").glob("*.py"))}

import corpora  # noqa: E402
import jailed  # noqa: E402
import numpy as np  # noqa: E402
import oracles  # noqa: E402
import pytest  # noqa: E402
from corpus import layers, practice, tensor  # noqa: E402
from corpus.entry import Wrong  # noqa: E402
from tqdm import tqdm  # noqa: E402

import tests  # noqa: E402
import workshop.drawing  # noqa: E402
from checks import drawing, programs, svg, trial  # noqa: E402
from checks.observe import Clock, Failed, OutOfTime, learner_code, quiet  # noqa: E402
from checks.report import Report, Result  # noqa: E402
from checks.section import SECTION_SECONDS, Section, judged  # noqa: E402
from checks.trial import CHECK_SECONDS, Check, Trial  # noqa: E402
from workshop import oracle  # noqa: E402
from workshop.assignment import call_to_draw  # noqa: E402

TRAININGS = 25  # seeds
SECTIONS: dict[str, Section] = {section.id: section for section in tests.ASSIGNMENT.sections}
ALL_SECTIONS: dict[str, Section] = {section.id: section for section in tests.ASSIGNMENT.all_sections}
BY_NAME: dict[str, Wrong] = {wrong.name: wrong for wrong in [*tensor.WRONG, *layers.WRONG]}
PRACTICE: dict[str, Wrong] = {wrong.name: wrong for wrong in practice.WRONG}  # of sections without points
WRONG = BY_NAME | PRACTICE


def texts_of(style: str, changes: Iterable[tuple[str, str]] = ()) -> list[tuple[str, str]]:
    """(file name, source) of the reference or a correct solution, after changes to its text."""
    if style == "reference":
        return solved_texts(*changes)
    text = CORRECT[style].read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, f"{style}: {text.count(old)} times: {old}"
        text = text.replace(old, new)
    return [(f"<{style}>", text)]


def names_of(style: str, changes: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    """What the reference or a correct solution defines, after changes to its text."""
    return defined(texts_of(style, changes))


def solution_texts(name: str) -> list[tuple[str, str]]:
    wrong = WRONG.get(name)
    return texts_of(wrong.style, wrong.changes) if wrong else texts_of(name)


def solution(name: str) -> dict[str, Any]:
    """The names that a solution defines: a wrong one, a correct one, or the reference."""
    with quiet():
        return defined(solution_texts(name))


def report(of: Section, names: dict[str, Any], seed: int = 0) -> Report:
    """A section's report on the names of a solution."""
    return corpora.report(of, names_for(of, names), seed)


@dataclass
class Finding:
    """What the report of one wrong solution says.

    Attributes:
        cost: the share of its section's points that is lost.
        lost: ids of checks that did not pass.
        stray: of those, the ones that the mistake does not explain.
        named: check id to the mistake it names.
        open: the check that its report shows first.
        before: checks that lose points in the sections before, where the solution is right.
        judged: what the judge says of its code in a jailed kernel, where that differs.
        drawn: check id to what the drawing says that its report offers.
    """

    wrong: Wrong
    cost: float
    lost: set[str]
    stray: set[str]
    named: dict[str, str | None]
    open: Result | None
    before: list[str]
    judged: list[str]
    drawn: dict[str, str]

    @property
    def first(self) -> str | None:
        return self.open.mistake if self.open else None

    @property
    def same(self) -> bool:
        return not self.judged

    @property
    def caught(self) -> bool:
        return self.wrong.costs <= self.lost and not self.stray

    @property
    def rightly(self) -> bool:
        return self.first in (self.wrong.accepted or (None,)) and not self.wrongly

    @property
    def wrongly(self) -> bool:
        return any(id not in (None, *self.wrong.accepted) for id in self.named.values())


def find(name: str, is_judged: bool = True) -> Finding:
    """Judge one wrong solution in its section and in those before; here, and through the judge if `is_judged`."""
    wrong, names = BY_NAME[name], solution(name)
    home = SECTIONS[wrong.section]
    np.random.seed(0)  # of which most solutions draw their weights
    found = report(home, names)
    lost = {check.id for check in found.checks if check.status != "passed"}
    stray, explained = set(), {*wrong.costs}
    accused = {check.id for check in found.checks if check.status in ("failed", "missing")}
    for check in home.checks:
        if check.id in accused - wrong.costs:
            if check.any_program or explained & set(check.needs):
                explained.add(check.id)
            else:
                stray.add(check.id)
    earlier = [each for each in list(SECTIONS.values())[: list(SECTIONS).index(home.id)] if is_changed(each, wrong)]
    before = [f"{each.id}/{check.id}" for each in earlier for check in report(each, names).checks if not check.score]
    named = {check.id: check.mistake for check in found.checks if check.status in ("failed", "missing")}
    judged = differences(home, name, found, names) if is_judged else []
    return Finding(
        wrong,
        1 - found.score / found.points,
        lost,
        stray,
        named,
        found.open,
        before,
        judged,
        drawn(found, names),
    )


def is_changed(of: Section, wrong: Wrong) -> bool:
    """Whether what a section tests, or stands before it, is other than in the solution that was changed, which is right
    there: `scores` has seen it."""
    texts, own = texts_of(wrong.style), solution_texts(wrong.name)
    last = next((n for n, (file, _) in enumerate(own) if file == f"<{CELL.get(of.id, of.id)}>"), len(own))
    return texts[: last + 1] != own[: last + 1]


def drawn(found: Report, names: dict[str, Any]) -> dict[str, str]:
    """What the drawings say that a report offers, each pasted below its snippet."""
    said: dict[str, str] = {}
    with quiet(), pytest.MonkeyPatch.context() as patch:
        for check in found.checks:
            if check.snippet and (call := call_to_draw(check.snippet)):
                for module in (svg, drawing, workshop.drawing):
                    patch.setattr(module, "show", lambda forms, id=check.id: said.update({id: forms["text/plain"]}))
                pasted = {**names, "np": np, "tests": tests}
                with learner_code(CHECK_SECONDS):
                    exec(check.snippet, pasted)
                exec(call, pasted)
    return said


def differences(of: Section, name: str, found: Report, names: dict[str, Any], seed: int = 0) -> list[str]:
    """Where the judge, with the solution in a jailed kernel, says something else than a report."""
    other = jailed.report(of, solution_texts(name), list(names_for(of, names)), seed)
    return [
        f"{of.id}/{here.id}: {here.status}, {here.mistake}; through the judge {there.status}, {there.mistake}"
        for here, there in zip(found.checks, other.checks, strict=True)
        if (here.status, here.mistake) != (there.status, there.mistake)
    ]


def verdicts(name: str, seeds: Sequence[int], whole: int = 2) -> dict[str, dict[frozenset[str], list[int]]]:
    """Section to what is lost there, with the seeds that say so.

    A wrong solution is judged in its own section: all checks for the first `whole` seeds, then those that failed. Only
    they run code that differs from the correct solution, which is judged in full for every seed. Checks that draw no
    random numbers, of code that draws none, run once. A check that has to train, in vain, does so for TRAININGS seeds:
    it takes as long as all else together.
    """
    wrong, names = BY_NAME.get(name), solution(name)
    unguarded = not (wrong and "uses-torch" in wrong.accepted)
    lost: dict[str, dict[frozenset[str], list[int]]] = {}
    for id in [wrong.section] if wrong else SECTIONS:
        own, checks, fixed = names_for(SECTIONS[id], names), SECTIONS[id].checks, frozenset()
        for number, seed in enumerate(seeds):
            ways = [_fast] if wrong else [_faster, _fast]
            for way in ways if unguarded and number else [contextlib.nullcontext]:
                np.random.seed(seed)  # most solutions draw their weights from it
                with quiet(), way():
                    results, trials = judged(checks, SECTIONS[id], own, seed, Clock(SECTION_SECONDS))
                if all(result.status == "passed" for result in results.values()):
                    break
            gone = frozenset(id for id, result in results.items() if result.status != "passed") | fixed
            lost.setdefault(id, {}).setdefault(gone, []).append(seed)
            drop: set[str] = set()
            if number == 0 and id not in ("linear", "train", "model"):  # whose code draws random numbers itself
                drop = {id for id, trial in trials.items() if not trial.drew}
            if number == TRAININGS - 1 and wrong:
                drop |= {check.id for check in checks if check.seconds > CHECK_SECONDS}
            if number == whole - 1 and wrong:
                drop |= {check.id for check in checks if check.id not in gone}
            checks, fixed = _without(checks, drop, gone, fixed)
    return lost


def _without(
    checks: list[Check], drop: set[str], gone: frozenset[str], fixed: frozenset[str]
) -> tuple[list[Check], frozenset[str]]:
    """The checks but for some; and what is lost without running again: the failed of these, what waits for them."""
    left = []
    for check in checks:
        if check.id in drop:
            fixed |= {check.id} & gone
        elif fixed & set(check.needs):
            fixed |= {check.id}
        else:
            left.append(replace(check, needs=tuple(need for need in check.needs if need not in drop)))
    return left, fixed


@contextlib.contextmanager
def _fast() -> Iterator[None]:
    """Whether checks pass, no more: a check ends with its first failure, which is not explained.

    And without deadlines and the ban of PyTorch, which have been there for the first seed.
    """

    @contextlib.contextmanager
    def case(trial: Trial) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            trial.fail(error)
            raise OutOfTime from None

    @contextlib.contextmanager
    def learner_code(clock: Clock, *_: float) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            clock.theirs.append(error)
            raise

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Clock, "learner_code", learner_code)
        patch.setattr(Trial, "case", case)
        patch.setattr(trial, "explain", lambda error, meanings: Failed("it fails"))
        yield


@contextlib.contextmanager
def _faster() -> Iterator[None]:
    """Whether checks pass whose first seed has passed: the programs that are the same for every seed are not run again.

    And of new programs all are run whose results are finite, also those in which rounding could decide: to tell these
    takes PyTorch as long again. Who passes more passes; a failure here says nothing, and is to be asked with `_fast`.
    """
    made, same = programs.made, repr(np.random.default_rng(0).bit_generator.state)

    def is_finite(code: str, see: tuple[str, ...]) -> bool:
        values = oracle.ORACLE.values(code, see).values()
        return all(np.isfinite(value).all() for value in values if isinstance(value, np.ndarray))

    def new(make: programs.Maker, rng: np.random.Generator, count: int) -> dict[programs.Program, list[int]]:
        return {} if repr(rng.bit_generator.state) == same else made(make, rng, count)

    with _fast(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs, "made", new)
        patch.setattr(oracle.ORACLE, "steady", is_finite)
        yield


def _start() -> None:
    """In a process of its own, compiled code and PyTorch's answers are all kept: every solution is asked the same."""
    oracle.load().set_num_threads(1)
    oracle.linear(np.ones(2), np.ones((1, 2)), np.ones(1), np.ones(1))  # PyTorch's first backward imports for a second
    oracle.ORACLE.values = functools.lru_cache(None)(oracle.values.__wrapped__)
    trial.compiled = functools.lru_cache(None)(trial.compiled.__wrapped__)
    gc.collect()
    gc.freeze()  # all that PyTorch is made of would be looked through again and again
    gc.set_threshold(100_000, 20, 20)


@functools.cache
def _pool() -> ProcessPoolExecutor:
    """Processes that have loaded PyTorch, for all that is asked here; one, where other tests run at the same time."""
    count = 1 if "PYTEST_XDIST_WORKER" in os.environ else os.cpu_count()
    return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=_start)


def _all(function: Any, jobs: list[Any], what: str) -> list[Any]:
    """Run jobs in processes of their own, with a progress bar."""
    found = _pool().map(function, *zip(*jobs, strict=True))
    return list(tqdm(found, total=len(jobs), desc=what, file=sys.stderr, leave=False, disable=None))


def findings(among: int = 1) -> list[Finding]:
    """What is found of all wrong solutions, of one `among` so many through the judge, too."""
    return _all(find, [(name, number % among == 0) for number, name in enumerate(BY_NAME)], "wrong solutions")


def score(name: str) -> dict[str, float]:
    """Points of a solution in each section, or less if the judge says something else."""
    names, found = solution(name), {}
    np.random.seed(0)
    for id, of in SECTIONS.items():
        here = report(of, names)
        found[id] = -1.0 if differences(of, name, here, names) else here.score
    return found


def scores() -> dict[str, dict[str, float]]:
    """Points of each correct solution in each section; -1 where the judge says something else."""
    names = ["reference", *CORRECT]
    return dict(zip(names, _all(score, [(name,) for name in names], "correct solutions"), strict=True))


def unsteady(seeds: int, share: int = 1, among: int = 1) -> list[str]:
    """Solutions whose verdicts differ between seeds, in words.

    With a `share` of 8 each solution is asked an eighth of the seeds (and the first two), the next one others; the
    reference is asked all. Of the wrong solutions one `among` so many is asked.
    """
    names = ["reference", *CORRECT, *[*BY_NAME][::among]]
    jobs = []
    for number, name in enumerate(names):
        own = 1 if name == "reference" else share
        jobs.append((name, [0, 1, *range(2, seeds)[number % own :: own]]))
    words = []
    for name, lost in zip(names, _all(verdicts, jobs, f"{seeds} seeds"), strict=True):
        for id, by in lost.items():
            if len(by) > 1:
                usual = max(by, key=lambda gone: len(by[gone]))
                odd = {seed: sorted(gone ^ usual) for gone, some in by.items() if gone != usual for seed in some[:3]}
                words.append(f"{name}, {id}: differs for seeds {odd}")
            if name not in BY_NAME and set(by) != {frozenset()}:
                words.append(f"{name}, {id}: loses {sorted(map(sorted, by))}")
    return words


ORACLES = oracles.Both(oracle)


def asked_twice(seed: int) -> oracles.Compared:
    """All that the checks ask of the oracle with this seed, asked of PyTorch and of what is asked without it."""
    linear = oracle.linear
    with ORACLES.compared(seed) as found, pytest.MonkeyPatch.context() as patch:

        def linear_twice(*arrays: np.ndarray) -> Any:
            one = linear(*arrays)
            with ORACLES.asking(alone=True):
                other = linear(*arrays)
            found.compare(f"linear{arrays}", [*vars(one)], [*vars(one).values()], [*vars(other).values()])
            return one

        patch.setattr(oracle, "linear", linear_twice)
        names = solution("reference")
        for section in ALL_SECTIONS.values():
            assert report(section, names, seed).passed, section.id
    return found


def told_otherwise(name: str) -> list[str]:
    """Where a wrong solution is told something else, in its section, where PyTorch is not installed."""
    return ORACLES.told_otherwise(name, lambda: report(ALL_SECTIONS[WRONG[name].section], solution(name)))


@contextlib.contextmanager
def busy(processes: int) -> Iterator[None]:
    """Inside, so many processes use all that they can get of the processors; they end with this one."""
    spin = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    pass"
    running = [subprocess.Popen([sys.executable, "-c", spin]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def said(name: str) -> list[str]:
    """What every check says of a solution, and where the judge differs: of a wrong one in its section, else in all."""
    names, lines = solution(name), []
    for of in [SECTIONS[BY_NAME[name].section]] if name in BY_NAME else SECTIONS.values():
        np.random.seed(0)
        found = report(of, names)
        lines += [f"{of.id}/{check.id}: {check.status}, {check.mistake}, {check.score:g}" for check in found.checks]
        lines += differences(of, name, found, names)
    return lines


def sample(share: int) -> list[str]:
    """The reference, every so-many-th of all other solutions, and of the wrong ones those that never end."""
    names = [*CORRECT, *BY_NAME]
    endless = [name for name, wrong in BY_NAME.items() if "path-by-path" in wrong.accepted]
    return ["reference", *dict.fromkeys([*names[::share], *endless])]


def changed_by(processes: int, names: list[str]) -> list[str]:
    """What is said otherwise beside busy processes than without them."""
    jobs = [(name,) for name in names]
    idle = _all(said, jobs, "without busy processes")
    with busy(processes):
        beside = _all(said, jobs, f"beside {processes}")
    return [
        f"{name}: {before} | {after}"
        for name, *both in zip(names, idle, beside, strict=True)
        for before, after in itertools.zip_longest(*both)
        if before != after
    ]


def table(found: list[Finding]) -> str:
    """Per section: how many wrong solutions there are, caught, rightly and wrongly named, the same to the judge."""
    heads = ["section", "wrong solutions", "caught", "rightly named", "wrongly named", "same through the judge"]
    lines = [f"| {' | '.join(heads)} |", "| --- |" + " ---: |" * 5]
    for id in [*SECTIONS, "all"]:
        some = [finding for finding in found if id in (finding.wrong.section, "all")]
        counts = [
            len(some),
            *(sum(getattr(f, what) for f in some) for what in ("caught", "rightly", "wrongly", "same")),
        ]
        cells = [f"{n} ({n / max(1, len(some)):.1%})" if id == "all" else str(n) for n in counts]
        lines.append(f"| {id} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def costs(found: list[Finding]) -> str:
    """Per section: what wrong solutions cost, in quarters of its points, and the dearest ones."""
    lines = ["| section | up to a quarter | up to a half | more | the dearest |", "| --- |" + " ---: |" * 3 + " --- |"]
    for id in SECTIONS:
        some = sorted((f for f in found if f.wrong.section == id), key=lambda f: -f.cost)
        counts = [sum(low < f.cost <= high for f in some) for low, high in ((-1, 0.25), (0.25, 0.5), (0.5, 1))]
        dearest = ", ".join(f"{f.wrong.name} {f.cost:.0%}" for f in some[:3])
        lines.append(f"| {id} | {' | '.join(map(str, counts))} | {dearest} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=0, help="compare the verdicts for this many seeds, too")
    parser.add_argument("--each", action="store_true", help="a line for each wrong solution")
    parser.add_argument("--busy", type=int, default=0, help="only compare the verdicts beside so many busy processes")
    parser.add_argument("--oracles", type=int, default=0, help="only compare the oracles, in this many seeds")
    arguments = parser.parse_args()
    if arguments.oracles:
        found = _all(asked_twice, [(seed,) for seed in range(arguments.oracles)], "seeds")
        told = [word for some in _all(told_otherwise, [(name,) for name in WRONG], "wrong solutions") for word in some]
        print(oracles.said(found, len(WRONG), told))
        return
    if arguments.busy:
        names = sample(10)
        words = changed_by(arguments.busy, names)
        print(f"{len(names)} solutions, {arguments.busy} busy processes: " + ("\n".join(words) or "the same verdicts"))
        return
    found = findings()
    for f in found:
        if arguments.each or not f.caught or not f.rightly or f.judged:
            name = "rightly named" if f.rightly else "WRONGLY NAMED" if f.wrongly else "unnamed"
            print(f"{f.wrong.name}: {'caught' if f.caught else 'NOT CAUGHT'}, {name}")
            print(f"    is {' or '.join(f.wrong.accepted) or 'none of the list'}; named {f.named}")
            for line in f.judged:
                print(f"    {line}")
            if not f.caught:
                print(f"    costs {sorted(f.wrong.costs)}, lost {sorted(f.lost)}, stray {sorted(f.stray)}")
    print("\n" + table(found) + "\n")
    print(costs(found) + "\n")
    print("| correct solution | points of 100 |\n| --- | ---: |")
    for name, points in scores().items():
        print(f"| {name} | {sum(points.values()):g} |")
    if arguments.seeds:
        words = unsteady(arguments.seeds)
        print(f"\n{arguments.seeds} seeds: " + ("\n".join(words) or "the same verdicts for every solution"))


if __name__ == "__main__":
    main()
