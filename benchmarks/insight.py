"""What an instructor waits for once a large class is graded: its table, its page, its export, and feedback pages.

    python benchmarks/insight.py                       # 1,000 learners, 200 feedback pages, 3 rounds
    python benchmarks/insight.py --learners 100 --pages 20 --rounds 1

Some learners of the workshop's sample class are graded, once. Each learner of the large class has the result of one of
them, under another name, and an earlier hand-in: gradebook, graded notebooks and journal are written here, and nothing
of this class is run. Beside it `nbgrader export`, which writes points only, and `nbgrader generate_feedback`, which
makes one page after the other. Times are of whole commands, in turn; memory is that of the largest process of each.
"""

from __future__ import annotations

import argparse
import datetime
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
HONEST = ("perfect", "another_style", "sign_and_power", "no_broadcast", "half_way")
EARLIER = "half_way"  # what everybody has handed in before
NAME = "workshop"


@dataclass
class Took:
    """What a command has used: seconds that passed, seconds of processors, and MiB."""

    seconds: float
    processor: float
    memory: float


class Course:
    """A course in a folder of its own, with the release known to its gradebook."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.db = folder, f"sqlite:///{folder}/gradebook.db"
        folder.mkdir()
        self.nbgrader("generate_assignment", "--ProvedAssignment.proved=True")

    def run(self, *command: str) -> Took:
        """A command, to its end."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        log = self.folder / "log"
        with log.open("w") as file:
            begun = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, env={**os.environ, "PATH": path}, stdout=file, stderr=file
            )
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{log.read_text()[-3000:]}")
        return Took(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)

    def nbgrader(self, command: str, *options: str, by: str = "nbgrader") -> Took:
        """A command of nbgrader's, or one of ours that takes its options."""
        kinds = ("submitted", "autograded", "feedback", "release")
        places = [f"--CourseDirectory.{kind}_directory={self.folder / kind}" for kind in kinds]
        return self.run(by, command, NAME, f"--db={self.db}", *places, *options)

    def desk(self, command: str, *options: str, reads: tuple[str, ...] = ()) -> Took:
        """A command of the desk, and the folders that it asks for beside the usual ones."""
        places = {"journal": ".grading", "submitted": "submitted", **{kind: kind for kind in reads}}
        where = [f"--{kind}={self.folder / folder}" for kind, folder in places.items()]
        return self.run("grading", command, NAME, f"--db={self.db}", *where, *options)

    def feedback(self, by: str, *options: str) -> Took:
        """Pages, made anew."""
        shutil.rmtree(self.folder / "feedback", ignore_errors=True)
        return self.nbgrader("generate_feedback" if by == "nbgrader" else "feedback", *options, by=by)

    def place(self, kind: str, learner: str) -> Path:
        return self.folder / kind / learner / NAME / f"{NAME}.ipynb"

    def hand_in(self, learner: str, source: Path, kind: str = "submitted") -> None:
        place = self.place(kind, learner)
        place.parent.mkdir(parents=True)
        shutil.copyfile(source, place)


def graded(folder: Path) -> Course:
    """Some of the sample class, graded."""
    made = Course(folder)
    for learner in HONEST:
        made.hand_in(learner, ROOT / "examples" / "submitted" / learner / NAME / f"{NAME}.ipynb")
    made.nbgrader("autograde", f"--JudgedAutograde.journal_directory={folder / '.grading'}")
    return made


def name_of(number: int) -> str:
    return f"learner-{number:04}"


def large(folder: Path, few: Course, count: int) -> Course:
    """A class of so many, each with the result of one of a few."""
    from nbgrader.api import Grade

    from grading import gradebook, results
    from grading.journal import Journal

    made, old, new = Course(folder), Journal(few.folder / ".grading"), Journal(folder / ".grading")
    last = old.last(NAME)
    points = {one.id: one.points for one in results.read(few.db, NAME).learners}
    for entry in last.values():
        new.put(entry["result"], old.get(entry["result"]))
    entries, kinds = [], {name_of(number): HONEST[number % len(HONEST)] for number in range(count)}
    with gradebook.transaction(made.db, gradebook.COURSE) as book:
        for learner, kind in tqdm(kinds.items(), desc="learners", disable=None, file=sys.stderr):
            made.hand_in(learner, few.place("submitted", kind))
            made.hand_in(learner, few.place("autograded", kind), "autograded")
            book.update_or_create_student(learner, first_name="Ada", last_name=f"Lovelace of {learner}")
            book.update_or_create_submission(NAME, learner, timestamp=datetime.datetime(2026, 1, 31, 12))
            entries += [{**last[each], "learner": learner} for each in (EARLIER, kind)]
        for learner, _, cell, grade in gradebook.of_cells(book, NAME, Grade, Grade):
            grade.auto_score, grade.needs_manual_grade = points[kinds[learner]][cell], False
    new.log(entries)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--learners", type=int, default=1000)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of nbgrader's queries, as in nbgrader_config.py
    subprocess.run([sys.executable, ROOT / "source" / "build.py", "--support", NAME], check=True)
    with tempfile.TemporaryDirectory(prefix="insight-") as scratch:
        made = large(Path(scratch) / "large", graded(Path(scratch) / "few"), options.learners)
        others = [name_of(number) for number in range(options.pages, options.learners)]
        without = f"--CourseDirectory.student_id_exclude={','.join(others)}"
        ways = {
            "results": lambda: made.desk("results", "--format=csv"),
            "insight": lambda: made.desk("insight", reads=("autograded", "to")),
            "export": lambda: made.desk("export", "--format=csv", reads=("to",)),
            "nbgrader export": lambda: made.run("nbgrader", "export", f"--db={made.db}", f"--to={made.folder}/it.csv"),
            "feedback": lambda: made.feedback("grading", without),
            "nbgrader generate_feedback": lambda: made.feedback("nbgrader", without),
        }
        took: dict[str, list[Took]] = {way: [] for way in ways}
        for _ in tqdm(range(options.rounds), desc="rounds", disable=None, file=sys.stderr):
            for way, measured in ways.items():
                took[way].append(measured())
    print(f"{options.learners} learners, {options.pages} feedback pages; the median of {options.rounds} rounds:\n")
    heads = ["command", "s", "s of processors", "MiB"]
    print(f"| {' | '.join(heads)} |\n| --- |{' ---: |' * (len(heads) - 1)}")
    for way, each in took.items():
        columns = zip(*[(one.seconds, one.processor, one.memory) for one in each], strict=True)
        seconds, processor, memory = map(statistics.median, columns)
        print(f"| {way} | {seconds:.1f} | {processor:.1f} | {memory:.0f} |")


if __name__ == "__main__":
    main()
