"""`nbgrader autograde`, with the verdict given outside the learner's kernel.

    submitted/  ->  read, restored, into a folder of our own  ->  nbgrader's autograde  ->  autograded/, gradebook

Two classes carry it. JudgedAutograde is nbgrader's converter; here it never looks at a file as a learner wrote it, and
goes on whatever happens. JudgedExecute runs the learner's cells in the jail and has the judge evaluate graded cells.
"""

from __future__ import annotations

import contextlib
import copy
import datetime
import errno
import functools
import glob
import gzip
import logging
import os
import re
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import Any

import jinja2
import nbformat
import nbgrader.api
import nbgrader.apps.api
import nbgrader.apps.autogradeapp
import nbgrader.converters.autograde as stock
import nbgrader.preprocessors
from nbformat import NotebookNode
from nbgrader.converters.base import NbGraderException
from nbgrader.exchange.default import Exchange
from nbgrader.utils import rmtree
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from traitlets import Bool, Enum, Float, Integer, List, Unicode

from checks.facts import NAME, Facts
from grading import assignments, attempts, dates, gradebook, jail, ledger, outputs, plan, submissions, worker
from grading.budget import Budget
from grading.execute import Bench
from grading.journal import Journal
from grading.limits import Settings
from grading.processes import DeadKernel
from grading.submissions import SECRET, TIMESTAMP
from grading.worker import ATTEMPTS, not_graded, out_of_memory

# What lies beside a course's notebook and is no file of the course's own: the tests, and what makes or describes them.
OURS = ("*.ipynb", "tests.py", "conftest.py", "checks", "learner.md", "author", NAME, "*.new", ".*", "__pycache__")
LATENESS = re.compile(r"seconds late$|^Late submission penalty: ")  # in nbgrader's log


def _trait(limit: Field) -> Any:
    """What nbgrader has for one of our limits: it has its default, says what it is, and takes nothing else."""
    if limit.metadata["among"]:
        made = Enum(limit.metadata["among"], limit.default, help=limit.metadata["help"])
    else:
        kind = {bool: Bool, int: Integer, float: Float, tuple: List}[type(limit.default)]
        made = kind(limit.default, help=limit.metadata["help"])
    return made.tag(config=True)


class JudgedExecute(nbgrader.preprocessors.Execute):
    """In place of nbgrader's: runs a notebook in the jail, with the judge. All of `Settings` can be set."""

    vars().update({limit.name: _trait(limit) for limit in fields(Settings)})

    def settings(self) -> Settings:
        return Settings(**{field.name: getattr(self, field.name) for field in fields(Settings)})

    def preprocess(self, nb: NotebookNode, resources: Any, km: Any = None) -> tuple[NotebookNode, Any]:
        converter, name = self.parent.parent, resources["nbgrader"]["notebook"]
        for attempt in range(1, ATTEMPTS + 1):
            budget = copy.deepcopy(converter.budgets[name])  # what a failure of the machine took does not count
            try:
                remarks, _ = converter.bench.grade(nb, converter.courses[name], budget)
                break
            except DeadKernel as error:
                if attempt == ATTEMPTS:
                    raise NbGraderException(not_graded(out_of_memory(error))) from error
        for remark in remarks:
            converter.remark(resources, remark)
        submissions.note(nb, converter.remarks_on(resources))
        return nb, resources


class SaveGrades(nbgrader.preprocessors.SaveAutoGrades):
    """In place of nbgrader's: extra credit is a person's, too, who is to look again when other work was graded."""

    def _add_score(self, cell: NotebookNode, resources: Any) -> None:
        super()._add_score(cell, resources)
        mark = cell.metadata["nbgrader"]["grade_id"]
        grade = self.gradebook.find_grade(mark, self.notebook_id, self.assignment_id, self.student_id)
        if grade.extra_credit:
            grade.needs_manual_grade = True
            self.gradebook.db.commit()


class JudgedAutograde(stock.Autograde):
    """nbgrader's autograde on copies: it sees restored notebooks only, never a file as the learner wrote it."""

    autograde_preprocessors = List(
        [
            JudgedExecute,
            *(
                SaveGrades if each is stock.SaveAutoGrades else each
                for each in stock.Autograde.autograde_preprocessors.default_args[0]
                if each is not stock.Execute
            ),
        ]
    ).tag(config=True)

    dates_file = Unicode(dates.NAME, help="Due dates, extensions and penalties, in the course's folder.").tag(
        config=True
    )
    journal_directory = Unicode(".grading", help="Where results are kept, in the course's folder.").tag(config=True)
    seed = Integer(None, allow_none=True, help="Of all checks of a run; drawn anew for each without one.").tag(
        config=True
    )

    def start(self) -> None:
        execute = JudgedExecute(parent=self, config=self.config)
        self.remarks: dict[str, list[str]] = {}
        self.courses: dict[str, NotebookNode] = {}  # the notebooks in `source/`, by name
        self.budgets: dict[str, Budget] = {}  # of the learner's notebooks that are graded now, by name
        self.done: list[str] = []
        self.failed: set[str] = set()  # that have been begun, and not ended
        with contextlib.ExitStack() as stack:
            try:
                if not execute.enabled:  # nbgrader gives full marks to a graded cell without output
                    raise jail.JailError("Nothing was graded: notebooks must be executed. Leave out --no-execute.")
                self.dates = self._read_dates()
                if self.dates is not None:  # which what nbgrader says of lateness has not heard of
                    stack.enter_context(without(self.log, LATENESS))
                jail.keep_private(self._private())
                if not self._source().is_dir():
                    raise ImportError(assignments.not_there(self.coursedir.assignment_id, self._source().parent))
                folder = Path(
                    stack.enter_context(tempfile.TemporaryDirectory(prefix="mt-grading-", dir=self._scratch()))
                )
                self.submitted, self.staged = self.coursedir.submitted_directory, folder / "submitted"
                declared = self._declared()
                settings = execute.settings()
                if declared is not None and declared.hidden is not None:
                    settings = replace(settings, hidden=declared.hidden)
                self._open(settings, self._course_files(folder / "files"), stack)
            except (jail.JailError, gradebook.GradebookError, dates.DatesError, ImportError, OSError) as error:
                self.log.error(str(error))
                raise NbGraderException(str(error)) from error
            self.coursedir.submitted_directory = str(self.staged)
            try:
                super().start()
            finally:
                self.coursedir.submitted_directory = self.submitted

    @functools.cached_property
    def journal(self) -> Journal:
        return Journal(Path(self.coursedir.root) / self.journal_directory)

    def _declared(self) -> Facts | None:
        """The facts of the assignment, where it declares some.

        Raises:
            ImportError: where the tests that its cells call are not known here.
        """
        name, source = self.coursedir.assignment_id, self._source().resolve()
        found = assignments.facts_of(name)
        if found is None and (source / NAME).exists():
            raise ImportError(f"{source} declares tests, and {assignments.SOURCE} is graded here: grade it there.")
        if found is None and (why := assignments.undeclared(name, self._course_notebooks())):
            raise ImportError(f"Nothing was graded. {why}")
        return found

    def _read_dates(self) -> dates.Dates | None:
        """What the course's dates say of the assignment; None where they say nothing.

        Raises:
            DatesError: when they cannot be read.
        """
        try:
            calendar = dates.read(Path(self.coursedir.root, self.dates_file))
        except dates.DatesError as error:
            raise dates.DatesError(f"Nothing was graded. {error}") from None
        there = assignments.there(self._source().parent)
        for name in sorted(calendar.assignments.keys() - set(there)):
            self.log.warning("%s has a part [%s], and source/ no such assignment.", self.dates_file, name)
        return calendar.assignments.get(self.coursedir.assignment_id)

    def apply_dates(self, penalties: bool) -> list[str]:
        """Have due date, extensions and, at the end, penalties be those of the course's dates; what is to be said.

        Raises:
            GradebookError: when they cannot be written.
        """
        return (
            []
            if self.dates is None
            else gradebook.patiently(functools.partial(self._with_dates, penalties), self.log.warning)
        )

    def extend(self, student: str) -> None:
        """Give a submission that nbgrader has just made its learner's extension."""
        if self.dates is not None and self.dates.due is not None:
            with stock.Gradebook(self.coursedir.db_url, self.coursedir.course_id) as book:
                submission = book.find_submission(self.coursedir.assignment_id, student)
                submission.extension = self.dates.extensions.get(student)
                book.db.commit()

    def _with_dates(self, penalties: bool) -> list[str]:
        with gradebook.transaction(self.coursedir.db_url, self.coursedir.course_id) as opened:
            try:
                return dates.apply(opened, self.coursedir.assignment_id, self.dates, penalties)
            except nbgrader.api.MissingEntry:  # which was said
                return []

    def _private(self) -> list[Path]:
        """What no learner may read: the course with all that others have handed in, and the exchange."""
        kinds = ("source", "solution", "submitted", "autograded", "feedback")
        places = [getattr(self.coursedir, f"{kind}_directory") for kind in kinds]
        places += [make_url(self.coursedir.db_url).database or "", Exchange(config=self.config).root]
        return [Path(self.coursedir.root, place) for place in [*places, "earlier", self.journal_directory]]

    def _scratch(self) -> Path | None:
        """The folder for a folder with what is read; None for the system's."""
        return None

    def _open(self, settings: Settings, files: Path, stack: contextlib.ExitStack) -> None:
        """Make ready what grades."""
        gradebook.is_writable(self.coursedir.db_url)
        seed = drawn_seed() if self.seed is None else self.seed
        self.bench = stack.enter_context(Bench(settings, files, seed, self.coursedir.assignment_id))
        self.log.warning(self.bench.level.as_text())

    def _course_files(self, folder: Path) -> Path:
        """What lies beside the course's notebook and is no part of the tests, for kernels to read."""
        # As nbgrader releases the rest, learners have it.
        left_out = shutil.ignore_patterns(*OURS, *self.coursedir.ignore)
        source, name = self._source(), self.coursedir.assignment_id
        packages = {*assignments.family(name)}

        def ignored(place: str, names: list[str]) -> set[str]:
            return {*left_out(place, names), *(packages if Path(place) == source else ())}

        try:
            shutil.copytree(source, folder, ignore=ignored)
        except shutil.Error as error:
            (file, _, why), *_ = error.args[0]
            raise OSError(f"{file} cannot be copied: {why}") from None
        return folder

    def init_notebooks(self) -> None:
        """Find the submissions, as nbgrader does, but also those without a notebook of the right name."""
        coursedir, assignment_id = self.coursedir, self.coursedir.assignment_id
        self.top = Path(coursedir.root, self.submitted)
        self.assignments, self.notebooks = {}, []
        self.students: dict[str, str] = {}  # by what is staged
        self.folders: dict[str, Path] = {}  # that were handed in
        for student, place in self._handed_in():
            try:
                with submissions.opened(place, self.top) as folder:
                    staged = coursedir.format_path(str(self.staged), student, assignment_id)
                    os.makedirs(staged)
                    self._stage_timestamp(student, folder, Path(staged))
                    self._stage_secret(folder, Path(staged))
            except OSError as error:
                link = error.errno in (errno.ELOOP, errno.ENOTDIR)
                why = "is a link to another folder: hand in the folder itself" if link else f"fails: {error.strerror}"
                self._note(student, f"This {why}.")
                continue
            self.students[staged] = student
            self.folders[staged] = place
            self.assignments[staged] = []
            for name in self._names():  # nbgrader gives 0 points where one is missing
                Path(staged, f"{name}.ipynb").touch()
            for course in self._course_notebooks():
                self.assignments[staged].append(os.path.join(staged, course.name))
        if not self.assignments:
            super().init_notebooks()  # which says what might have been meant

    def _handed_in(self) -> Iterator[tuple[str, Path]]:
        """Learners' ids, and the folders that they have handed in; of others it is noted why they are left out."""
        coursedir = self.coursedir
        step, root, assignment = map(glob.escape, (self.submitted, coursedir.root, coursedir.assignment_id))
        fields = {"nbgrader_step": step, "assignment_id": assignment}
        pattern = self._pattern(self.submitted, "(?P<student_id>[^/]+)", coursedir.assignment_id)
        # An id with brackets is no pattern, where there is such a learner.
        for wanted in (coursedir.student_id, glob.escape(coursedir.student_id)):
            structure = coursedir.directory_structure.format(student_id=wanted, **fields)
            places = glob.glob(os.path.join(root, structure), include_hidden=True)
            for place in sorted(places):
                student = re.fullmatch(pattern, place)["student_id"]
                if not os.path.isdir(place) or not student.isprintable():
                    self._note(ascii(student), "This is no folder, or its name cannot be used.")
                elif student.startswith("."):
                    self._note(
                        student, "This is left out, as nbgrader passes by names that begin with a dot: rename it."
                    )
                else:
                    yield student, Path(place)
            if places or wanted == glob.escape(wanted):
                break

    def _pattern(self, step: str, student: str, assignment: str) -> str:
        """A regular expression for paths. nbgrader's own takes the folder of a step for one, too."""
        return self.coursedir.format_path(re.escape(step), student, assignment, escape=True)

    def _format_source(self, assignment_id: str, student_id: str, escape: bool = False) -> str:
        if escape:
            return self._pattern(self._input_directory, student_id, assignment_id)
        return super()._format_source(assignment_id, student_id)

    def _course_notebooks(self) -> list[Path]:
        return sorted(self._source().glob(f"{self.coursedir.notebook_id}.ipynb"))

    def _names(self) -> list[str]:
        """Of all notebooks of the assignment."""
        return sorted(path.stem for path in self._source().glob("*.ipynb"))

    def _source(self) -> Path:
        """The course's folder of the assignment."""
        return Path(self.coursedir.format_path(self.coursedir.source_directory, ".", self.coursedir.assignment_id))

    def _stage_timestamp(self, student: str, folder: int, staged: Path) -> None:
        if TIMESTAMP not in os.listdir(folder):
            return
        try:
            text = dates.dated(submissions.read_file(TIMESTAMP, 1000, below=folder))
        except dates.Unclear as error:
            self._note(student, f"{error} When this was handed in is not known.")
        except Exception:  # dateutil has more kinds than ValueError
            self._note(student, "timestamp.txt holds no date: when this was handed in is not known.")
        else:
            (staged / TIMESTAMP).write_text(text, encoding="utf-8")

    def _stage_secret(self, folder: int, staged: Path) -> None:
        """What nbgrader's exchange puts beside a submission, and needs to hand its feedback out."""
        with contextlib.suppress(submissions.Unusable, UnicodeDecodeError):
            secret = submissions.read_file(SECRET, 1000, below=folder).decode("ascii")
            if re.fullmatch(r"[0-9a-f]+", secret):
                (staged / SECRET).write_text(secret, encoding="ascii")

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """As nbgrader, but what a run that was stopped left half done is done again."""
        place = Path(self._format_dest(assignment_id, student_id))
        if (
            self.coursedir.notebook_id == "*"
            and place.exists()
            and not all(_is_finished(place / course.name) for course in self._course_notebooks())
        ):
            rmtree(str(place))
        return super().init_destination(assignment_id, student_id)

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Put the learner's notebooks, restored, where nbgrader reads them."""
        staged = Path(self._format_source(assignment_id, student_id))
        self.done.append(student_id)
        self.failed.add(student_id)
        names, place = self._names(), self.folders[str(staged)]
        found = {name: submissions.collect(place, name, names, self.top) for name in names}
        self.handed_in = plan.digest_of({name: each.content for name, each in found.items()})
        for course in self._course_notebooks():
            self.courses[course.stem] = nbformat.read(course, as_version=4)
            submission = found[course.stem].read()
            budget = self.budgets[course.stem] = Budget(self.bench.settings.judge_seconds)
            notebook = submissions.restore(submission, self.courses[course.stem], budget)
            for remark in submission.remarks:
                self._note(student_id, remark)
            nbformat.write(notebook, staged / course.name)
        with stock.Gradebook(self.coursedir.db_url, self.coursedir.course_id) as book:
            self.by_hand = gradebook.by_hand(book, assignment_id, [student_id]).get(student_id, {})
            self.before = gradebook.scores(book, assignment_id, [student_id]).get(student_id)
        super().init_assignment(assignment_id, student_id)
        self.extend(student_id)

    def note_written(self, student: str) -> None:
        """Have the log of the course say which points were written, for which work."""
        last, handed_in = self.logged.get(student), self.handed_in
        with stock.Gradebook(self.coursedir.db_url, self.coursedir.course_id) as book:
            points = gradebook.scores(book, self.coursedir.assignment_id, [student]).get(student, {})
        place = Path(self._format_dest(self.coursedir.assignment_id, student))
        written = {path.stem: path.read_bytes() for path in sorted(place.glob("*.ipynb")) if path.stem in self.courses}
        about = {"seed": self.bench.seed, "level": self.bench.level.name}
        graded = worker.Graded({name: gzip.compress(data, 1) for name, data in written.items()}, trace=about)
        key = worker.digest([handed_in, {name: worker.digest(data) for name, data in written.items()}])
        self.journal.put(key, graded)
        why = "something else was handed in" if last and last["handed_in"] != handed_in else "graded again"
        entry = {
            "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "assignment": self.coursedir.assignment_id,
            "learner": student,
            "total": sum(filter(None, points.values())),
            "points": points,
            "before": self.before,
            "why": [why if last else "graded for the first time"],
            **{**about, "handed_in": handed_in, "result": key},
            "setup": {"kit": worker.kit(self.coursedir.assignment_id)},
            "mistakes": attempts.named(attempts.of_notebooks(written.values())),
            **ledger.marks(self.by_hand, last),
        }
        self.journal.log([entry])
        if remark := ledger.stale(entry):
            self._note(student, remark[0].upper() + remark[1:])

    def set_permissions(self, assignment_id: str, student_id: str) -> None:
        super().set_permissions(assignment_id, student_id)
        try:
            self.note_written(student_id)
        except OSError as error:
            self.log.warning("%s: the log cannot be written (%s).", student_id, sentence(error))
        self.failed.discard(student_id)  # nothing comes after this

    def convert_notebooks(self) -> None:
        """Grade all; then say how many need a look, and end with status 1 if some do."""
        failed, start = None, time.perf_counter()
        self.logged = self.journal.last(self.coursedir.assignment_id)
        self.bench.supply.expected = len(self.assignments)
        try:
            self.apply_dates(penalties=False)  # nbgrader's own plugin asks for them
            try:
                with _sentences(self.log):
                    super().convert_notebooks()
            except NbGraderException as error:
                failed = str(error)
            for line in self.apply_dates(penalties=True):
                self.log.warning(line)
        except gradebook.GradebookError as error:
            self.log.error(str(error))
            raise NbGraderException(str(error)) from error
        for student in self.failed:
            self._note(student, "not graded, not the learner's fault: see above.")
        for student, remarks in sorted(self.remarks.items()):
            for remark in remarks:
                self.log.warning("%s: %s", student, remark)
        total = time.perf_counter() - start
        spent = self.bench.spent
        parts = {**spent, "nbgrader and the rest": total - spent.total()}
        self.log.info("%.1f s: %s", total, ", ".join(f"{part} {seconds:.1f} s" for part, seconds in parts.items()))
        graded = f"{len(self.done)} submission{'s' * (len(self.done) != 1)} graded"
        if not self.remarks and failed is None:
            self.log.warning("%s, none needs a look", graded)
            return
        self.log.error("%s, %d need a look: %s", graded, len(self.remarks), ", ".join(sorted(self.remarks)))
        raise NbGraderException(failed or "some submissions need a look")

    def remark(self, resources: Any, remark: str) -> None:
        self._note(resources["nbgrader"]["student"], remark)

    def remarks_on(self, resources: Any) -> list[str]:
        return self.remarks.get(resources["nbgrader"]["student"], [])

    def _note(self, student: str, remark: str) -> None:
        self.remarks.setdefault(student, []).append(remark)


def drawn_seed() -> int:
    """A run's seed, which nobody can foresee, nor find by trying all."""
    return secrets.randbits(64)


@contextlib.contextmanager
def _filtered(log: Any, told: Callable[[logging.LogRecord], bool]) -> Iterator[None]:
    """Inside, only such lines are logged."""
    logger = getattr(log, "logger", log)  # of an adapter
    logger.addFilter(told)
    try:
        yield
    finally:
        logger.removeFilter(told)


def _sentences(log: Any) -> contextlib.AbstractContextManager[None]:
    """Inside, nbgrader logs what went wrong with a submission in a sentence, and the traceback for --debug."""

    def told(record: logging.LogRecord) -> bool:
        said, error = record.getMessage(), sys.exc_info()[1]
        if record.levelno == logging.ERROR and error is not None and said.startswith("Traceback"):
            record.msg, record.args = sentence(error), ()
            getattr(log, "logger", log).debug("%s", said)
        return "traceback for details" not in said

    return _filtered(log, told)


def without(log: Any, pattern: re.Pattern) -> contextlib.AbstractContextManager[None]:
    """Inside, lines that this pattern is found in are not logged."""
    return _filtered(log, lambda record: not pattern.search(record.getMessage()))


def sentence(error: BaseException) -> str:
    """What an exception says, for an instructor."""
    if isinstance(error, DBAPIError):
        return f"the gradebook cannot be used: {error.orig}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}{f' ({error.filename})' if error.filename else ''}"
    ours = isinstance(error, (NbGraderException, OSError))
    return str(error) if ours else f"{type(error).__name__}: {error}"


def _is_finished(path: Path) -> bool:
    """Whether a graded notebook has the outputs of its graded cells."""
    try:
        cells = nbformat.read(path, as_version=4).cells
    except (OSError, ValueError, nbformat.reader.NotJSONError):
        return False
    return all(cell.outputs for cell in cells if cell.cell_type == "code" and submissions.is_grade(cell))


def configure(config: Any) -> None:
    """Have nbgrader grade in this way, from the command line and from formgrader."""
    # nbgrader has no setting for the class that autogrades: what goes on around a notebook is only reached so.
    nbgrader.apps.autogradeapp.Autograde = nbgrader.apps.api.Autograde = JudgedAutograde
    nbgrader.preprocessors.saveautogrades.Gradebook = gradebook.QuickGradebook  # it looks for each cell, and we again
    # It opens the gradebook nine times for a submission: SQLAlchemy works out each statement once for an engine.
    if not hasattr(nbgrader.api.create_engine, "cache_info"):
        nbgrader.api.create_engine = functools.lru_cache(nbgrader.api.create_engine)
    config.NotebookExporter.optimistic_validation = True  # once, not after each of its preprocessors
    config.HTMLExporter.filters = {
        "markdown2html": jinja2.pass_context(outputs.markdown2html),
        "highlight_code": jinja2.pass_context(outputs.highlight_code),
    }
