"""Feedback pages: nbgrader's, with one screen first, and renewed whenever they do not show what counts now.

    autograded/, gradebook  ->  feedback/<learner>/<assignment>/<notebook>.html

A page says at its end what it was made from. Where that is not what is there now (the work was graded again, a person
gave points or a comment, a penalty has changed), `nbgrader generate_feedback` makes it again, without --force, and so
does formgrader. `python -m grading feedback` does the same with several processes.
"""

from __future__ import annotations

import glob
import logging
import multiprocessing
import os
import re
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, ClassVar

import nbgrader
import nbgrader.apps.api
import nbgrader.apps.generatefeedbackapp
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.utils import find_all_files
from sqlalchemy.exc import SQLAlchemyError
from tqdm import tqdm
from traitlets import Integer, List, default
from traitlets.config import Config

from checks.observe import printable
from grading import first_screen, gradebook, pages
from grading.autograde import LATENESS, sentence, without
from grading.submissions import SECRET, TIMESTAMP
from grading.worker import digest

TEMPLATES = Path(__file__).with_name("templates")
NBGRADERS = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"
MADE_FROM = re.compile(r"<!-- made from ([0-9a-f]{64}) -->\s*\Z")
TAIL = 200  # bytes at the end of a page, among which that is
PICTURE = re.compile(r"<img\b(?![^>]*\balt=)")
UNDESCRIBED = "No description has been provided for this image"
# What a page, or the exchange that hands it back, may need beside it.
PICTURES = ("*.png", "*.jpg", "*.jpeg", "*.gif", "*.svg", "*.webp", TIMESTAMP, SECRET)


class Page(HTMLExporter):
    """nbconvert's, which reads the whole page once more to find pictures without a description: that takes longer than
    all else."""

    def from_notebook_node(self, nb: NotebookNode, resources: Any = None, **kw: Any) -> tuple[str, Any]:
        resources = self._init_resources(resources)
        types = WidgetsDataTypeFilter(notebook_metadata=self._nb_metadata, parent=self, resources=resources)
        self.register_filter("filter_data_type", types)
        text, resources = super(HTMLExporter, self).from_notebook_node(nb, resources, **kw)
        return PICTURE.sub(f'<img alt="{UNDESCRIBED}"', text), resources


class Feedback(GenerateFeedback):
    """nbgrader's feedback, which notices what has changed, takes ids with any characters, and begins with a screen."""

    preprocessors = List([first_screen.Grades, first_screen.FirstScreen, CSSHTMLHeaderPreprocessor]).tag(config=True)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        settings = Config()
        settings.HTMLExporter.template_name = "feedback_page"
        settings.HTMLExporter.extra_template_basedirs = [str(TEMPLATES), str(NBGRADERS)]
        paths = self.config.HTMLExporter.extra_template_paths
        settings.HTMLExporter.extra_template_paths = [*paths, str(NBGRADERS)]  # whose page ours extends
        self.update_config(settings)

    @default("exporter_class")
    def _exporter_class_default(self) -> type:
        return Page

    def init_notebooks(self) -> None:
        """Find the graded notebooks, as nbgrader does, but take brackets in names for brackets."""
        coursedir, assignment = self.coursedir, self.coursedir.assignment_id
        self.assignments, self.notebooks = {}, []
        for wanted in dict.fromkeys((coursedir.student_id, glob.escape(coursedir.student_id))):
            place = coursedir.directory_structure.format(
                nbgrader_step=glob.escape(self._input_directory),
                student_id=wanted,
                assignment_id=glob.escape(assignment),
            )
            for folder in sorted(glob.glob(os.path.join(glob.escape(coursedir.root), place))):
                found = sorted(glob.glob(os.path.join(glob.escape(folder), f"{coursedir.notebook_id}.ipynb")))
                if found:
                    self.assignments[folder] = found
            if self.assignments:
                break
        if not self.assignments:
            super().init_notebooks()  # which says what might have been meant
        try:
            gradebook.is_there(coursedir.db_url)
            with Gradebook(coursedir.db_url, coursedir.course_id) as book:
                self.shown = gradebook.shown(book, assignment)
        except (MissingEntry, SQLAlchemyError, gradebook.GradebookError) as error:
            missing = isinstance(error, MissingEntry)
            why = f"the gradebook has no assignment {assignment!r}" if missing else sentence(error)
            self.log.error("No pages were made: %s", why)
            raise NbGraderException(why) from error

    def _format_source(self, assignment_id: str, student_id: str, escape: bool = False) -> str:
        if escape:  # of the folder, nbgrader's own would be a pattern
            return self.coursedir.format_path(re.escape(self._input_directory), student_id, assignment_id, escape=True)
        return super()._format_source(assignment_id, student_id)

    def made_from(self, folder: str, student: str) -> dict[str, str]:
        """Digests of all that decides on a learner's pages, by notebook."""
        rows, found = self.shown.get(student, []), {}
        for path in self.assignments[folder]:
            name = Path(path).stem
            grades = [row for row in rows if row[1] == name]
            found[name] = digest([VERSION, digest(Path(path).read_bytes()), grades])
        return found

    def is_current(self, folder: str, student: str) -> bool:
        """Whether all pages of a learner show what counts now."""
        place = Path(self._format_dest(self.coursedir.assignment_id, student))
        return all(_made_from(place / f"{name}.html") == made for name, made in self.made_from(folder, student).items())

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        if super().init_destination(assignment_id, student_id):
            return True
        excluded = self.coursedir.student_id_exclude.split(",")
        folder = self._format_source(assignment_id, student_id)
        return student_id not in excluded and not self.is_current(folder, student_id)

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Put beside the pages what they may show; nbgrader copies all that lies beside the graded notebook."""
        source, place = (Path(form(assignment_id, student_id)) for form in (self._format_source, self._format_dest))
        for file in find_all_files(str(source), self.coursedir.ignore):
            if any(fnmatch(Path(file).name.lower(), pattern) for pattern in PICTURES):
                target = place / Path(file).relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.unlink(missing_ok=True)
                shutil.copy(file, target)

    def write_single_notebook(self, output: str, resources: Any) -> None:
        """Write a page as a whole, with what it was made from."""
        about = resources["nbgrader"]
        place = Path(self._format_dest(about["assignment"], about["student"]))
        folder = self._format_source(about["assignment"], about["student"])
        made = self.made_from(folder, about["student"])[about["notebook"]]
        pages.write(place / f"{about['notebook']}.html", f"{output.rstrip()}\n<!-- made from {made} -->\n")


def _made_from(page: Path) -> str:
    """What a page was made from; empty for one that does not say so, or is not there."""
    try:
        with open(page, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
            match = MADE_FROM.search(file.read().decode("utf-8", "replace"))
    except OSError:
        return ""
    return match[1] if match else ""


DECIDING = (Path(__file__), Path(first_screen.__file__), *sorted((TEMPLATES / "feedback_page").glob("[!.]*.*")))
VERSION = [digest(each.read_bytes()) for each in DECIDING]  # of pages


# ---------------------------------------------------------------- with several processes


class ClassFeedback(Feedback):
    """The pages of a class, several at a time."""

    jobs = Integer(0, min=0, help="Pages made at the same time; 0: one for each core.").tag(config=True)

    def convert_notebooks(self) -> None:
        """Make what is not current; then say how many there are.

        Raises:
            NbGraderException: when some could not be made.
        """
        global _converter
        begun, failed = time.monotonic(), {}
        excluded = self.coursedir.student_id_exclude.split(",")
        students = {self._student(folder): folder for folder in self.assignments}
        students = {student: folder for student, folder in students.items() if student not in excluded}
        todo = [student for student, folder in students.items() if self.force or not self.is_current(folder, student)]
        _converter = self
        quiet = without(self.log, LATENESS)  # the page says it
        with quiet, tqdm(total=len(todo), desc="feedback", unit="page", disable=not sys.stderr.isatty()) as bar:
            for student in todo[:1]:  # here: what pages need is loaded then, for all
                if why := _make(student):
                    failed[student] = why
                bar.update()
            many = self.jobs or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(4))
            if todo[1:]:
                pool = ProcessPoolExecutor(min(many, len(todo)), multiprocessing.get_context("fork"))
                try:
                    pending = {pool.submit(_make, student): student for student in todo[1:]}
                    for future in as_completed(pending):
                        if why := future.result():
                            failed[pending[future]] = why
                        bar.update()
                except BrokenProcessPool:
                    self.log.error("A process that made pages was ended: run the same command again to go on.")
                    raise NbGraderException("a process was ended") from None
                finally:
                    pool.shutdown(wait=True, cancel_futures=True)
        for student, why in sorted(failed.items()):
            print(f"{printable(student, 60)}: no page could be made: {why}.", file=sys.stderr)
        said = [f"{len(todo) - len(failed)} made", f"{len(students) - len(todo)} unchanged"]
        said += [f"{len(failed)} failed"] * bool(failed)
        took = f", {time.monotonic() - begun:.1f} s" if todo else ""
        print(f"{len(students)} learner{'s' * (len(students) != 1)}: {', '.join(said)}{took}", file=sys.stderr)
        if failed:
            raise NbGraderException("some pages could not be made")

    def _student(self, folder: str) -> str:
        pattern = self._format_source("(?P<assignment>.*)", "(?P<student>.*)", escape=True)
        return re.fullmatch(pattern, folder)["student"]

    def make(self, student: str) -> None:
        """One learner's pages."""
        assignment = self.coursedir.assignment_id
        self.notebooks = sorted(self.assignments[self._format_source(assignment, student)])
        self.run_pre_convert_hook()
        self.init_assignment(assignment, student)
        for path in self.notebooks:
            self.convert_single_notebook(path)
        self.set_permissions(assignment, student)
        self.run_post_convert_hook()


_converter: ClassFeedback | None = None  # of this process, and of those that are copies of it


def _make(student: str) -> str:
    """Make a learner's pages; why they could not be made, or nothing."""
    try:
        _converter.make(student)
    except Exception as error:  # of nbconvert, nbgrader, or the file system
        return sentence(error).rstrip(".")
    return ""


class FeedbackApp(nbgrader.apps.generatefeedbackapp.GenerateFeedbackApp):
    """nbgrader's `generate_feedback` with several processes."""

    name = "python -m grading feedback"
    description = "Make the feedback pages of a class that are not there, or do not show what counts now."
    aliases: ClassVar[dict[str, Any]] = {
        **nbgrader.apps.generatefeedbackapp.aliases,
        "jobs": "ClassFeedback.jobs",
    }

    @default("log_level")
    def _log_level(self) -> int:
        return logging.WARNING

    @default("classes")
    def _classes_default(self) -> list[Any]:
        return [*super()._classes_default(), ClassFeedback]

    def start(self) -> None:
        nbgrader.apps.generatefeedbackapp.GenerateFeedback = ClassFeedback
        super().start()


def configure() -> None:
    """Have nbgrader make pages in this way, from the command line and from formgrader."""
    nbgrader.apps.generatefeedbackapp.GenerateFeedback = nbgrader.apps.api.GenerateFeedback = Feedback
