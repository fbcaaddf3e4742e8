"""A class whose grading is killed again and again, at random moments: is the result that of an undisturbed run?

    python benchmarks/kills.py                            # a class of 60, 20 kills
    python benchmarks/kills.py --submissions 8 --kills 3 --seed 2

A kill (SIGKILL) hits the run itself or, as when the plug is pulled, all processes that it has started, too; each at its
own moment, from the first second to the last results. The same command goes on. In the end gradebook, graded notebooks
and journal are compared with those of an uninterrupted run, all but the times in them.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "kit_tests"), str(ROOT / "source"), str(ROOT)]

from course import Course, course, left, processes, results, wait_for  # noqa: E402
from test_class import files, kept, rows  # noqa: E402
from tqdm import tqdm  # noqa: E402

PAUSE = 2.0  # seconds that each submission sleeps: there is something to kill
LATEST = 3.0  # seconds between a result and the kill that waits for it
OPTIONS = ("--seed=17", "--jobs=2")


def moments(kills: int, submissions: int, seed: int) -> list[tuple[int, float, bool]]:
    """Of each kill: after how many results and how many seconds more, and whether it hits all processes."""
    drawn = random.Random(seed)
    after = sorted(drawn.randrange(submissions) for _ in range(kills))
    return [(count, drawn.uniform(0, LATEST), drawn.random() < 0.5) for count in after]


def kill(made: Course, after: int, seconds: float, all_of_it: bool) -> bool:
    """Begin a run and kill it; whether it was still at work."""
    running = made.start(*OPTIONS)
    try:
        wait_for(lambda: results(made) >= after or running.poll() is not None)
        time.sleep(seconds)
        is_at_work = running.poll() is None
        if is_at_work and all_of_it:
            os.killpg(running.pid, signal.SIGKILL)
    finally:
        running.kill()
        running.communicate()
    wait_for(lambda: not processes(made))
    return is_at_work


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--submissions", type=int, default=60)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kills-") as scratch:
        whole, killed = (course(Path(scratch) / name, options.submissions, PAUSE) for name in ("whole", "killed"))
        start = time.perf_counter()
        whole.grade_class(*OPTIONS)
        print(f"{options.submissions} submissions: {time.perf_counter() - start:.0f} s without a kill", flush=True)
        hit, reached = 0, []
        for moment in tqdm(moments(options.kills, options.submissions, options.seed), desc="kills", file=sys.stderr):
            hit += kill(killed, *moment)
            reached.append(results(killed))
        log = killed.grade_class(*OPTIONS).log
        print(f"{hit} of {options.kills} kills hit a run at work; results by then: {', '.join(map(str, reached))}")
        print(next(line for line in log.splitlines() if " submissions: " in line))
        looks = {"gradebook": rows, "graded notebooks": files, "journal": kept}
        problems = [f"another {what}" for what, look in looks.items() if look(killed) != look(whole)]
        ends = time.monotonic() + 60
        while (remains := left(killed)) and time.monotonic() < ends:
            time.sleep(0.1)
        problems += remains + [str(path) for path in killed.folder.glob("**/*.new")]
    print("\n".join(problems) or "gradebook, graded notebooks and journal are those of the uninterrupted run")
    sys.exit(bool(problems) or hit < options.kills)


if __name__ == "__main__":
    main()
