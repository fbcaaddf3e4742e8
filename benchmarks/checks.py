"""How long does a learner wait for a test cell?

    python benchmarks/checks.py                                  # some ten seconds
    python benchmarks/checks.py --rounds 3                       # fewer repetitions
    python benchmarks/checks.py --notebook my.ipynb              # another notebook's answers
    python benchmarks/checks.py --without-torch                  # as where PyTorch is not installed
    python benchmarks/checks.py --browser                        # with deadlines as in a browser (Python 3.12)
    python benchmarks/checks.py --wrong                          # and the worst wrong solutions: some three minutes

For each function of tests.py, called as its cell calls it but with the report thrown away: seconds for the first call
in this process, and the median of the warm calls after it. The functions are called in turn, round after round, each
time with new random numbers. The import of PyTorch, which the first test cell of a session waits for, is timed on its
own and not in the table.

With --wrong, the same for the wrong solutions of source/workshop/author/corpus: for each section the one that takes
longest, and the one whose mistake takes longest to name.

The goals are for warm calls: on the reference solution tests.test_tensor_class under 0.5 s and all eight under 1.5 s;
naming a mistake under 0.5 s; without PyTorch no first call over 1 s. A solution that never ends takes what its
deadline allows.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
os.environ["MPLBACKEND"] = "agg"

import argparse
import contextlib
import inspect
import io
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import tests  # noqa: E402
from checks import observe  # noqa: E402
from checks.notebook import names_of  # noqa: E402
from checks.report import Score  # noqa: E402
from workshop import oracle  # noqa: E402

SOLUTION = ROOT / "solutions" / "workshop" / "workshop.ipynb"
OPTIONS = ("seed", "until")  # of test functions, beside answers
GOALS = {"test_tensor_class": 0.5, "all": 1.5}  # seconds, warm


def answers(notebook: Path) -> dict[str, Any]:
    """The names that the notebook's cells define, all of them run; the digits are found beside tests.py.

    Raises:
        SystemExit: with a sentence, when there is no notebook or one of its cells fails.
    """
    notebook = notebook.resolve()
    os.chdir(ROOT)
    try:
        names, failures = names_of(notebook)
    except ValueError as error:
        sys.exit(f"{error}\nMake the solution with `make release`, or choose a notebook with --notebook.")
    if failures:
        sys.exit("\n".join(failures))
    return names


def test_functions() -> list[Callable[..., Score]]:
    """The functions of tests.py, in the notebook's order."""
    return [function for name, function in vars(tests).items() if name.startswith("test_")]


def seconds(function: Callable[..., Score], names: dict[str, Any]) -> float:
    """Time one call, with the answers its parameters ask for; say so when they do not earn all points."""
    given = {name: names[name] for name in inspect.signature(function).parameters if name not in OPTIONS}
    with contextlib.redirect_stdout(io.StringIO()):
        start = perf_counter()
        score = function(**given)
        elapsed = perf_counter() - start
    if score < score.report.points:
        print(score.report.as_text(), file=sys.stderr)
    return elapsed


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--notebook", type=Path, default=SOLUTION, help="whose answers to test")
    parser.add_argument("--wrong", action="store_true", help="time the wrong solutions, too")
    parser.add_argument("--rounds", type=int, default=11, help="warm calls of each function (default: 11)")
    parser.add_argument("--without-torch", action="store_true", help="nothing can import PyTorch")
    parser.add_argument("--browser", action="store_true", help="deadlines without signals and threads")
    arguments = parser.parse_args()
    observe.IN_BROWSER = arguments.browser
    if arguments.without_torch:
        sys.modules["torch"] = None  # type: ignore[assignment]
    rounds = max(1, arguments.rounds)
    names = answers(arguments.notebook)

    start, referee = perf_counter(), "without PyTorch"
    if not oracle.ORACLE.alone:  # which imports it where that is possible
        imported, torch = perf_counter() - start, oracle.load()
        referee = f"import of PyTorch {torch.__version__}: {imported:.2f} s"
        torch.set_num_threads(1)

    functions = test_functions()
    first = [seconds(function, names) for function in functions]
    warm = [
        [seconds(function, names) for function in functions]
        for _ in tqdm(range(rounds), desc="warm calls", unit="round", file=sys.stderr, leave=False)
    ]
    medians = [statistics.median(column) for column in zip(*warm, strict=True)]

    print(f"One thread; {referee}; medians of {rounds} warm calls\n")
    print("| function | first call, s | warm, s | goal, warm |")
    print("| --- | ---: | ---: | ---: |")
    rows = [(function.__name__, *times) for function, *times in zip(functions, first, medians, strict=True)]
    rows.append(("all", sum(first), statistics.median(sum(row) for row in warm)))
    for name, cold, usual in rows:
        goal = f"under {GOALS[name]} s" if name in GOALS else ""
        print(f"| {name} | {cold:.3f} | {usual:.3f} | {goal} |")

    if arguments.wrong:
        print("\n" + worst())


def worst() -> str:
    """A table: per section the slowest wrong solution, and the one that is slowest to name."""
    sys.path.insert(0, str(ROOT / "source" / "workshop" / "author"))
    import proof

    from checks import section

    naming, right = [0.0], section._named

    def timed(*args: Any) -> Any:
        start = perf_counter()
        try:
            return right(*args)
        finally:
            naming[0] += perf_counter() - start

    section._named = timed
    slowest: dict[str, tuple[float, float, str]] = {}
    hardest: dict[str, tuple[float, str]] = {}
    for wrong in tqdm(proof.BY_NAME.values(), desc="wrong solutions", file=sys.stderr, leave=False):
        names, times, named = proof.solution(wrong.name), [], []
        for seed in (1, 2):  # the first call, and a warm one
            naming[0], start = 0.0, perf_counter()
            proof.report(proof.SECTIONS[wrong.section], names, seed)
            times.append(perf_counter() - start)
            named.append(naming[0])
        id = wrong.section
        slowest[id] = max(slowest.get(id, (0.0, 0.0, "")), (times[1], times[0], wrong.name))
        hardest[id] = max(hardest.get(id, (0.0, "")), (named[1], wrong.name))
    section._named = right
    lines = [
        "| section | slowest wrong solution | first call, s | warm, s | longest to name | s | goal |",
        "| --- | --- | ---: | ---: | --- | ---: | ---: |",
    ]
    for id, (warm, cold, name) in slowest.items():
        lines.append(
            f"| {id} | {name} | {cold:.2f} | {warm:.2f} | {hardest[id][1]} | {hardest[id][0]:.2f} | under 0.5 |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
