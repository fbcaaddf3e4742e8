"""How fast is grading? The same honest submissions, graded by stock nbgrader and through the judge, in turn.

    python benchmarks/grading.py                     # 20 submissions, 3 rounds
    python benchmarks/grading.py --submissions 5 --rounds 1

Stock nbgrader runs the tests inside the learner's kernel; its settings are the best of its own (kernels end at once,
cells that only show PyTorch are skipped). Times are of whole processes, one process each.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
HONEST = ["perfect", "another_style", "sign_and_power", "no_broadcast", "half_way"]
STOCK = """
c = get_config()
c.CourseDirectory.course_id = "minitorch"
c.ExecutePreprocessor.skip_cells_with_tag = "torch"
c.ExecutePreprocessor.timeout = 60
c.ExecutePreprocessor.shutdown_kernel = "immediate"
"""


def course(folder: Path, submissions: int, judged: bool) -> Path:
    """A course folder with its release made and so many submissions handed in."""
    folder.mkdir()
    if not judged:
        (folder / "nbgrader_config.py").write_text(STOCK, encoding="utf-8")
    shutil.copytree(ROOT / "source" / "workshop", folder / "source" / "workshop")
    for number in range(submissions):
        learner = HONEST[number % len(HONEST)]
        handed_in = ROOT / "examples" / "submitted" / learner / "workshop" / "workshop.ipynb"
        target = folder / "submitted" / f"{learner}_{number:03}" / "workshop"
        target.mkdir(parents=True)
        shutil.copy(handed_in, target)
    nbgrader(folder, judged, "generate_assignment", "workshop")
    return folder


def nbgrader(folder: Path, judged: bool, *arguments: str) -> tuple[float, str]:
    """Run an nbgrader command in a course, with the configuration here or with the stock one: seconds and log."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments, f"--course-dir={folder}"],
        cwd=ROOT if judged else folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"nbgrader {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
    return seconds, done.stderr


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--submissions", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    subprocess.run([sys.executable, ROOT / "source" / "build.py", "--support"], check=True)
    sys.path.insert(0, str(ROOT))
    from grading import jail
    from grading.results import read

    print(jail.probe().as_text())
    with tempfile.TemporaryDirectory() as scratch:
        ways = {way: course(Path(scratch) / way, options.submissions, way == "judge") for way in ("stock", "judge")}
        times: dict[str, list[float]] = {way: [] for way in ways}
        parts = ""
        for _ in tqdm(range(options.rounds), desc="rounds", disable=None, file=sys.stderr):
            for way, folder in ways.items():
                seconds, log = nbgrader(folder, way == "judge", "autograde", "workshop", "--force")
                times[way].append(seconds)
                if way == "judge":
                    parts = next(iter(re.findall(r"\d+\.\d s: .*", log)), "")
        points = {way: read(f"sqlite:///{folder}/gradebook.db", "workshop").rows for way, folder in ways.items()}
    if points["stock"] != points["judge"]:
        sys.exit(f"the points differ: {points}")
    print(f"{options.submissions} honest submissions, the same points both ways; whole processes, seconds:\n")
    print("| round | stock | judge | stock / judge |\n| ---: | ---: | ---: | ---: |")
    for number, (stock, judge) in enumerate(zip(times["stock"], times["judge"], strict=True), 1):
        print(f"| {number} | {stock:.1f} | {judge:.1f} | {stock / judge:.2f} |")
    ratio = statistics.median(s / j for s, j in zip(times["stock"], times["judge"], strict=True))
    each = statistics.median(times["judge"]) / options.submissions
    print(f"\nstock / judge, median: {ratio:.2f}; {each:.2f} s for a submission through the judge")
    print(f"the judge's last run: {parts}")


if __name__ == "__main__":
    main()
