"""The class, from the command line.

python -m grading autograde ASSIGNMENT    grade a class as `nbgrader autograde` does, many submissions at a time
python -m grading collect ARCHIVE...       file what a platform hands over in submitted/
python -m grading dates ASSIGNMENT        due dates, extensions and penalties of dates.toml, into the gradebook
python -m grading feedback ASSIGNMENT     make the feedback pages that do not show what counts now, many at a time
python -m grading results ASSIGNMENT      print its points, and what there is to know of each learner
python -m grading history LEARNER         every graded hand-in: points, mistakes, what has changed
python -m grading trace LEARNER           say how a learner's verdicts came about, and all points before
python -m grading trace                   print the log: who got which points when, and why
python -m grading export ASSIGNMENT       write points and pages for Canvas, Moodle, Gradescope, as CSV, as XLSX
python -m grading insight ASSIGNMENT      make a page of points, mistakes, checks and ways
python -m grading similar ASSIGNMENT      find hand-ins that share more than their common source explains
python -m grading sample                  grade the sample classes in examples/

ASSIGNMENT can be left out where there is only one in source/.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import functools
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from grading.journal import Journal
    from grading.results import Results

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
# Commands that are modules of this package, each with its own options: main(arguments, chosen) gives the exit status.
DESK = {
    "export": "write points and feedback pages in the form that a platform takes",
    "history": "say what a learner has handed in, with points, mistakes, and what has changed",
    "insight": "make a page of what a class needs to hear",
    "similar": "find hand-ins that share more than their common source explains",
}
PLATFORMS = ("canvas", "moodle", "gradescope", "ilias", "google", "plain", "files")
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


def chosen(name: str | None) -> str:
    """An assignment's name; that of the only one in source/ where none is given.

    Raises:
        GradingError: where there are several, or none.
    """
    from grading import assignments

    if name:
        return name
    there = assignments.there()
    if len(there) != 1:
        raise GradingError(f"Say which assignment: source/ holds {', '.join(there) or 'none so far'}.")
    return there[0]


def sample() -> None:
    """Grade the sample classes, examples/submitted, from scratch and as an instructor grades a class.

    They have a gradebook of their own.

    Raises:
        GradingError: when some submission could not be graded, or there are none.
    """
    names = sorted(path.parents[1].name for path in ROOT.glob("source/[!.]*/author/class"))
    learners = {name: [*EXAMPLES.glob(f"submitted/*/{name}")] for name in names}
    if not any(learners.values()):
        raise GradingError(f"There is no {EXAMPLES / 'submitted'}: run `python source/make_class.py` first.")
    # nbgrader copies what lies beside the source notebook to every submission: tests.py, checks/, data/.
    subprocess.run([sys.executable, ROOT / "source" / "build.py", "--support"], check=True)
    for name in ("autograded", "feedback", "release", ".grading"):
        shutil.rmtree(EXAMPLES / name, ignore_errors=True)
    gradebook = EXAMPLES / "gradebook.db"
    gradebook.unlink(missing_ok=True)
    here = [
        f"--db=sqlite:///{gradebook}",
        f"--JudgedAutograde.journal_directory={EXAMPLES / '.grading'}",
        *(
            f"--CourseDirectory.{name}_directory={EXAMPLES / name}"
            for name in ("submitted", "autograded", "feedback", "release")
        ),
    ]
    from grading import results

    failures = []
    converting = r"Converting notebook .*/submitted/(?P<shown>[^/]+)/"
    for name in names:
        # `make release` has proved it.
        nbgrader("generate_assignment", name, "--ProvedAssignment.proved=True", *here)
        print(
            f"grading the sample class of {name}, {len(learners[name])} learners in examples/submitted ...", flush=True
        )
        for command, show in (("autograde", converting), ("generate_feedback", None)):
            try:
                nbgrader(command, name, "--force", *here, show=show)
            except GradingError as error:  # some submission could not be graded: the others have their results
                failures.append(str(error))
        print()
        print(results.read(f"sqlite:///{gradebook}", name).as_text())
        print(f"\nfeedback pages: {EXAMPLES / 'feedback'}/<learner>/{name}/{name}.html\n")
    for name in ("release", ".grading"):  # only the gradebook's entries were wanted
        shutil.rmtree(EXAMPLES / name, ignore_errors=True)
    print(
        "These were made-up learners. Your own class: put its notebooks into submitted/<learner>/<assignment>/, then "
        f"run python -m grading autograde {names[0] if len(names) == 1 else 'ASSIGNMENT'} (see docs/instructor.md)."
    )
    if failures:
        raise GradingError("\n".join(failures))


def trace(journal: Journal, assignment: str, learner: str) -> str:
    """How the verdicts on a learner's submission came about, and all points that were written, as JSON.

    Raises:
        LookupError: when nothing is known.
    """
    noted = journal.written(assignment, learner)
    found = journal.get(noted.get("key", "-"))
    history = [entry for entry in _history(journal) if (entry["assignment"], entry["learner"]) == (assignment, learner)]
    if found is None and not history:
        raise LookupError(
            f"{journal.folder} knows nothing of {learner!r}: only what `python -m grading autograde` has graded can be "
            "traced."
        )
    known = {"result": noted["key"], "points": noted["scores"], **found.trace} if found else {}
    return json.dumps({**known, "history": history}, indent=2)


def log(journal: Journal) -> str:
    """Who got which points when, from which run, and why: a line each."""
    from grading.tables import number

    lines = []
    for entry in _history(journal):
        points = ", ".join(f"{cell.rpartition('/')[2]} {number(value)}" for cell, value in entry["points"].items())
        was = "" if entry["before"] is None else f", {sum(filter(None, entry['before'].values())):g} before"
        run = f"seed {entry['seed']}, kit {entry['setup']['kit'][:8]}, level {entry['level']}"
        lines.append(
            f"{entry['at']}  {entry['assignment']}  {entry['learner']}  {entry['total']:g}{was} ({points}): "
            f"{', '.join(entry['why'])}; {run}"
        )
    return "\n".join(lines)


def _history(journal: Journal) -> list[dict[str, Any]]:
    """The entries of the log; what cannot be read is said."""
    entries, bad = journal.history()
    if bad:
        print(f"Left out: {bad} line{'s' * (bad > 1)} of the log that cannot be read.", file=sys.stderr)
    if damage := journal.damage():
        print(damage, file=sys.stderr)
    return entries


def _places(command: argparse.ArgumentParser) -> None:
    """The options that say where a course's results lie."""
    command.add_argument("--db", default=f"sqlite:///{ROOT / 'gradebook.db'}", help="the gradebook (nbgrader's db_url)")
    command.add_argument("--submitted", type=Path, default=ROOT / "submitted", help="what was handed in")
    command.add_argument("--journal", type=Path, default=ROOT / ".grading", help="where the results are kept")


def _collect(options: argparse.Namespace) -> int:
    """File what platforms hand over; 1 where something was not placed.

    Raises:
        GradingError: when nothing can be done.
    """
    from grading import assignments, collect, dates, gradebook, roster
    from grading.platforms import Unreadable

    name = chosen(options.assignment)
    notebooks = sorted(path.stem for path in (assignments.SOURCE / name).glob("*.ipynb"))
    if not notebooks:
        raise GradingError(assignments.not_there(name))
    remarks: list[str] = []
    try:
        zone = dates.read(options.dates).zone
        listed = roster.read(options.roster, remarks) if options.roster else None
    except (dates.DatesError, Unreadable) as error:
        raise GradingError(f"Nothing was collected. {error}") from None
    try:
        known = roster.of_gradebook(options.db)
    except gradebook.NoGradebook:
        known = None
        remarks.append(
            "There is no gradebook yet, so it does not know these students: run `make release`, then this once more."
        )
    except gradebook.GradebookError as error:
        raise GradingError(f"Nothing was collected. {error}") from None
    course = collect.Course(name, notebooks, options.submitted, options.earlier, zone)
    students = roster.Roster() if known is None else known
    report = collect.collect(
        course, options.archives, students, listed, options.platform, options.zip_times, options.dry_run
    )
    if known is not None and not options.dry_run:
        try:
            gradebook.patiently(lambda: known.write(options.db), print)
        except gradebook.GradebookError as error:
            raise GradingError(f"{report.as_text()}\nThe students are not in the gradebook: {error}") from None
    print("\n".join([*remarks, report.as_text()]))
    return int(report.trouble)


def _dates(options: argparse.Namespace) -> None:
    """Write what dates.toml says into the gradebook, and print what holds then.

    Raises:
        GradingError: when that cannot be done.
    """
    from nbgrader.api import MissingEntry

    from grading import dates, gradebook

    name = chosen(options.assignment)

    def written() -> tuple[list[str], str]:
        with gradebook.transaction(options.db, gradebook.COURSE) as book:
            return dates.apply(book, name, found), dates.as_text(book, name, found)

    try:
        gradebook.is_there(options.db)
        found = dates.read(options.dates).assignments.get(name)
        if found is None:
            raise GradingError(f"{options.dates} says nothing of {name!r}: write [{name}] and due = 2026-01-31.")
        said, text = gradebook.patiently(written, functools.partial(print, file=sys.stderr))
        print("\n".join(said), file=sys.stderr, end="\n" * bool(said))
        print(text)
    except MissingEntry:
        raise GradingError(f"{options.db} holds no assignment {name!r}: run `make release` first") from None
    except (dates.DatesError, gradebook.GradebookError) as error:
        raise GradingError(str(error)) from None


def _results(options: argparse.Namespace) -> Results:
    """What these options ask for.

    Raises:
        LookupError: when it cannot be read.
    """
    from grading import results

    assignment = chosen(options.assignment)
    return results.read(options.db, assignment, submitted=options.submitted, journal=options.journal)


def _oracle(configuration: str, options: list[str]) -> str:
    """What answers are compared with, as it looks before nbgrader reads its configuration: to be wrong costs time."""
    found = re.findall(r"(?m)^[^#\n]*JudgedExecute\.oracle *= *[\"']?(\w+)", "\n".join([configuration, *options]))
    return found[-1] if found else "pytorch"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m grading", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    table = commands.add_parser("results", help="print the points of a class")
    table.add_argument("assignment", nargs="?")
    table.add_argument("--format", default="text", choices=("text", "markdown", "csv", "json"))
    _places(table)
    taking = commands.add_parser("collect", help="file what a platform hands over in submitted/")
    taking.add_argument("archives", nargs="+", type=Path, metavar="ARCHIVE", help="a zip file, or a folder")
    taking.add_argument("--assignment", help="if there are several in source/")
    taking.add_argument("--roster", type=Path, help="a list of students, CSV, from the platform or nbgrader")
    taking.add_argument("--platform", choices=PLATFORMS, help="whose archives these are, where that is not clear")
    taking.add_argument("--zip-times", action="store_true", help="times in the archives are those of the hand-in")
    taking.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    taking.add_argument("--earlier", type=Path, default=ROOT / "earlier", help="where earlier hand-ins are kept")
    taking.add_argument("--dates", type=Path, default=ROOT / "dates.toml", help="the course's dates")
    _places(taking)
    due = commands.add_parser("dates", help="due dates, extensions and penalties, into the gradebook")
    due.add_argument("assignment", nargs="?")
    due.add_argument("--dates", type=Path, default=ROOT / "dates.toml", help="the course's dates")
    _places(due)
    commands.add_parser("sample", help="grade the sample classes in examples/")
    about = commands.add_parser("trace", help="say how verdicts came about")
    about.add_argument("learner", nargs="?", help="without one: all that was written, a line each")
    about.add_argument("assignment", nargs="?")
    about.add_argument("--journal", type=Path, default=ROOT / ".grading", help="where the results are kept")
    commands.add_parser("autograde", add_help=False, help="grade a class, many submissions at a time")
    commands.add_parser("feedback", add_help=False, help="make the feedback pages of a class")
    for name, does in DESK.items():
        commands.add_parser(name, add_help=False, help=does)
    options, others = parser.parse_known_args(arguments)
    # nbgrader calls `alembic` by name: it lies beside the interpreter.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    if options.command == "autograde":
        if not any(other.startswith(("--scheduler", "--dry-run", "--help", "-h")) for other in others):
            from checks import facts  # and nothing that takes long to load: see below
            from grading import cgroups
            from grading.warm import workers

            with contextlib.suppress(cgroups.Unavailable):
                cgroups.found()  # while this process is alone in its group, which all that it starts will be in
            wanted = [other.removeprefix("--assignment=") for other in others]
            known = [name for name in facts.declared(ROOT / "source") if name in wanted]
            # It takes longer to load than nbgrader, beside it.
            workers(known[0] if known else "", _oracle((ROOT / "nbgrader_config.py").read_text("utf-8"), others))
        from grading.run import ClassApp

        ClassApp.launch_instance(others)
        return 0
    if options.command == "feedback":
        from grading.feedback import FeedbackApp

        FeedbackApp.launch_instance(others)
        return 0
    if others and options.command not in DESK:
        parser.error(f"unknown: {' '.join(others)}")
    try:
        if options.command == "results":
            print(_results(options).text(options.format))
        elif options.command == "collect":
            return _collect(options)
        elif options.command == "dates":
            _dates(options)
        elif options.command == "trace":
            from grading.journal import Journal

            journal = Journal(options.journal)
            learner = options.learner
            print(trace(journal, chosen(options.assignment), learner) if learner else log(journal))
        elif options.command in DESK:
            return importlib.import_module(f"grading.{options.command}").main(others, chosen)
        else:
            sample()
    except (GradingError, LookupError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


class Forgiving:
    """Standard error, which may be closed or full while a run goes on: then nothing more is shown."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def open_streams() -> None:
    """Have what is closed lead nowhere: else the next file that is opened takes its number, and what is printed.

    Standard output that is closed stays one that nothing can be written to.
    """
    for number, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # it gets the lowest number that is free
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stdout.reconfigure(errors="backslashreplace")  # a name that the terminal's encoding does not have
    sys.stderr = Forgiving(sys.stderr or os.fdopen(2, "w", closefd=False))


def run() -> int:
    """The command, which says in a sentence what the machine does not let it do."""
    open_streams()
    try:
        try:
            status = main()
        except SystemExit as ended:  # of nbgrader's
            status = ended.code
        sys.stdout.flush()
        return status
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # nobody reads on, as after `| head`
            why = f"{error.strerror or error}{f' ({error.filename})' if error.filename else ''}"
            why = "standard output is closed" if error.errno == errno.EBADF else why
            print(f"This cannot go on: {why}.", file=sys.stderr)
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python writes once more what could not be written
        return 1


if __name__ == "__main__":
    sys.exit(run())
