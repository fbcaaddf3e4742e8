"""The same honest submissions, graded by stock nbgrader, by nbgrader through the judge, and as a class, in turn.

    python benchmarks/grading.py                       # 20 submissions, 3 rounds: stock and judge
    python benchmarks/grading.py --ways stock class --submissions 40
    python benchmarks/grading.py --submissions 5 --rounds 1
    python benchmarks/grading.py --ways class numpy    # what answers are compared with: PyTorch, or NumPy

Stock nbgrader runs the tests inside the learner's kernel; its settings are the best of its own (kernels end at once,
cells that only show PyTorch are skipped). A class is graded by `python -m grading autograde` on all cores. Every
submission is another one (the journal grades equal ones once). Times are of whole commands.
"""

from __future__ import annotations

import argparse
import json
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
COMMANDS = {"stock": ["nbgrader"], "judge": ["nbgrader"], "class": ["grading"], "numpy": ["grading"]}
OPTIONS = {"numpy": ["--JudgedExecute.oracle=numpy"]}


def course(folder: Path, submissions: int, way: str) -> Path:
    """A course folder with its release made and so many submissions handed in."""
    folder.mkdir()
    if way == "stock":
        (folder / "nbgrader_config.py").write_text(STOCK, encoding="utf-8")
    shutil.copytree(ROOT / "source" / "workshop", folder / "source" / "workshop")
    for number in range(submissions):
        learner = HONEST[number % len(HONEST)]
        hand_in(
            folder, f"{learner}_{number:03}", ROOT / "examples" / "submitted" / learner / "workshop" / "workshop.ipynb"
        )
    run(folder, way, ["nbgrader", "generate_assignment"])
    return folder


def hand_in(folder: Path, learner: str, notebook: Path) -> None:
    """A copy of a notebook, with a cell of its own."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    own = {"cell_type": "code", "id": "own", "source": f"# {learner}", "metadata": {}, "outputs": []}
    content["cells"].append({**own, "execution_count": None})
    target = folder / "submitted" / learner / "workshop"
    target.mkdir(parents=True)
    (target / "workshop.ipynb").write_text(json.dumps(content), encoding="utf-8")


def run(folder: Path, way: str, command: list[str], *options: str) -> tuple[float, str]:
    """Run a command in a course, with the configuration here or with the stock one: seconds and log."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", *command, "workshop", *options, f"--course-dir={folder}"],
        cwd=folder if way == "stock" else ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    return seconds, done.stderr


def _points(db: str) -> dict[str, list[float | None]]:
    """The points of each learner, cell by cell."""
    from grading.results import read

    return {one.id: list(one.points.values()) for one in read(db, "workshop").learners}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--submissions", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ways", nargs="+", choices=COMMANDS, default=["stock", "judge"])
    options = parser.parse_args()
    subprocess.run([sys.executable, ROOT / "source" / "build.py", "--support"], check=True)
    sys.path.insert(0, str(ROOT))
    from grading import jail

    print(jail.probe().as_text())
    times: dict[str, list[float]] = {way: [] for way in options.ways}
    last = {}
    with tempfile.TemporaryDirectory() as scratch:
        folders = {way: course(Path(scratch) / way, options.submissions, way) for way in options.ways}
        for _ in tqdm(range(options.rounds), desc="rounds", disable=None, file=sys.stderr):
            for way, folder in folders.items():
                seconds, log = run(folder, way, [*COMMANDS[way], "autograde"], "--force", *OPTIONS.get(way, []))
                times[way].append(seconds)
                last[way] = next(iter(re.findall(r"\d+\.\d s: .*|\d+ submissions: .*", log)), "")
        points = {way: _points(f"sqlite:///{folder}/gradebook.db") for way, folder in folders.items()}
    fewest = points[options.ways[0]]  # a second pass gives more: stock nbgrader has none
    if any(
        got < least
        for rows in points.values()
        for who in fewest
        for got, least in zip(rows[who], fewest[who], strict=True)
    ):
        sys.exit(f"the points differ: {points}")
    first, *others = options.ways
    print(f"{options.submissions} honest submissions, by no way with fewer points than by the first; seconds:\n")
    heads = ["round", *options.ways, *(f"{first} / {way}" for way in others)]
    print(f"| {' | '.join(heads)} |\n|{' ---: |' * len(heads)}")
    for number, row in enumerate(zip(*times.values(), strict=True), 1):
        ratios = [f"{row[0] / seconds:.2f}" for seconds in row[1:]]
        print(f"| {number} | {' | '.join([f'{seconds:.1f}' for seconds in row] + ratios)} |")
    for way in others:
        ratio = statistics.median(one / other for one, other in zip(times[first], times[way], strict=True))
        each = statistics.median(times[way]) / options.submissions
        print(f"\n{first} / {way}, median: {ratio:.2f}; {each:.2f} s for a submission. The last run: {last[way]}")


if __name__ == "__main__":
    main()
