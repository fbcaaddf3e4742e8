"""The class, from the command line.

python -m grading autograde ASSIGNMENT    grade a class as `nbgrader autograde` does, many submissions at a time
python -m grading results ASSIGNMENT      print its points
python -m grading trace LEARNER           say how a learner's verdicts came about
python -m grading sample                  grade the sample class in examples/
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
# Lines of nbgrader's log that say nothing about the submissions.
NOISE = r" INFO\]|running over TCP without encryption|Alternative text is missing"


class GradingError(Exception):
    """Grading cannot go on; the message says what to do."""


def nbgrader(*arguments: str, show: str | None = None) -> None:
    """Run an nbgrader command in the course.

    Its warnings and errors go to the terminal, and of the lines that match the pattern `show` the group "shown".

    Raises:
        GradingError: when it fails.
    """
    command = [sys.executable, "-m", "nbgrader", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if show and (match := re.search(show, line)):
                print(f"  {match['shown']}", flush=True)
            elif not re.search(NOISE, line):
                print(line, end="", file=sys.stderr)
    if process.returncode:
        raise GradingError(f"`nbgrader {' '.join(arguments)}` failed: its messages above say why")


def sample() -> None:
    """Grade examples/submitted from scratch, in a gradebook of its own, as an instructor grades a class."""
    # nbgrader copies what lies beside the source notebook to every submission: tests.py, checks/, data/.
    subprocess.run([sys.executable, ROOT / "source" / "build.py", "--support"], check=True)
    for name in ("autograded", "feedback", "release"):
        shutil.rmtree(EXAMPLES / name, ignore_errors=True)
    gradebook = EXAMPLES / "gradebook.db"
    gradebook.unlink(missing_ok=True)
    here = [
        f"--db=sqlite:///{gradebook}",
        *(
            f"--CourseDirectory.{name}_directory={EXAMPLES / name}"
            for name in ("submitted", "autograded", "feedback", "release")
        ),
    ]
    nbgrader("generate_assignment", "workshop", *here)
    shutil.rmtree(EXAMPLES / "release", ignore_errors=True)  # only the gradebook's entry was wanted
    learners = sum((folder / "workshop").is_dir() for folder in (EXAMPLES / "submitted").iterdir())
    print(f"grading {learners} learners ...", flush=True)
    failures = []
    converting = r"Converting notebook .*/submitted/(?P<shown>[^/]+)/"
    for command, show in (("autograde", converting), ("generate_feedback", None)):
        try:
            nbgrader(command, "workshop", "--force", *here, show=show)
        except GradingError as error:  # some submission could not be graded: the others have their results
            failures.append(str(error))
    from grading import results

    print()
    print(results.read(f"sqlite:///{gradebook}", "workshop").as_text())
    print(f"\nfeedback pages: {EXAMPLES / 'feedback'}/<learner>/workshop/workshop.html")
    if failures:
        raise GradingError("\n".join(failures))


def trace(journal: Path, assignment: str, learner: str) -> str:
    """How the verdicts on a learner's submission came about, as JSON.

    Raises:
        LookupError: when nothing is known.
    """
    from grading.journal import Journal

    noted = Journal(journal).written(assignment, learner)
    found = Journal(journal).get(noted.get("key", "-"))
    if found is None:
        raise LookupError(
            f"{journal} knows nothing of {learner!r}: only what `python -m grading autograde` has graded can be traced."
        )
    return json.dumps({"result": noted["key"], "points": noted["scores"], **found.trace}, indent=2)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m grading", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    table = commands.add_parser("results", help="print the points of a class")
    table.add_argument("assignment", nargs="?", default="workshop")
    table.add_argument("--db", default=f"sqlite:///{ROOT / 'gradebook.db'}", help="the gradebook (nbgrader's db_url)")
    commands.add_parser("sample", help="grade the sample class in examples/")
    about = commands.add_parser("trace", help="say how a learner's verdicts came about")
    about.add_argument("learner")
    about.add_argument("assignment", nargs="?", default="workshop")
    about.add_argument("--journal", type=Path, default=ROOT / ".grading", help="where the results are kept")
    commands.add_parser("autograde", add_help=False, help="grade a class, many submissions at a time")
    options, others = parser.parse_known_args(arguments)
    # nbgrader calls `alembic` by name: it lies beside the interpreter.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    if options.command == "autograde":
        if not any(other.startswith(("--scheduler", "--dry-run", "--help", "-h")) for other in others):
            from grading.warm import workers

            workers()  # it takes longer to load than nbgrader, beside it
        from grading.run import ClassApp

        ClassApp.launch_instance(others)
        return 0
    if others:
        parser.error(f"unknown: {' '.join(others)}")
    try:
        if options.command == "results":
            from grading import results

            print(results.read(options.db, options.assignment).as_text())
        elif options.command == "trace":
            print(trace(options.journal, options.assignment, options.learner))
        else:
            sample()
    except (GradingError, LookupError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
