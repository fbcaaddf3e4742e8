"""What must hold of an assignment before anything is changed: its text and its checks agree, its solution earns all."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path

import nbclient
import nbformat
from nbformat import NotebookNode

from checks.assignment import Assignment, Library
from checks.notebook import SHOWS
from checks.report import MIME
from checks.section import Section

CALL = re.compile(r"^[^#\n]*\btests\.(test_\w+)\(", re.MULTILINE)
READ = re.compile(r"Read “(.+?)” in the notebook")
CELL_SECONDS = 60  # as nbgrader_config.py gives learners' cells
TERMINAL = re.compile(r"\x1b\[[0-9;]*m")


class BuildError(Exception):
    """The build cannot go on; the message says what to do."""


def declared(name: str, places: list[Path]) -> Assignment:
    """What an assignment's package declares; `places` are the folders to import it, and what it builds on, from.

    Raises:
        BuildError: where it cannot be imported, or declares nothing that can be built.
    """
    for place in map(str, places):
        if place not in sys.path:
            sys.path.append(place)
    file = places[-1] / name / "tests.py"
    try:
        module = importlib.import_module(f"{name}.tests")
    except Exception as error:
        where = [f"{frame.filename}, line {frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
        said = f"{type(error).__name__}: {error}"
        raise BuildError(f"{file} cannot be imported: {said} ({where[-1]}).") from error
    if Path(module.__file__ or "").resolve() != file.resolve():
        raise BuildError(f"Python finds {module.__file__} where {file} is wanted: give the assignment another name.")
    assignment = getattr(module, "ASSIGNMENT", None)
    if not isinstance(assignment, Assignment):
        raise BuildError(f"{file} declares no ASSIGNMENT = Assignment(...): see docs/author.md.")
    for names in ([one.id for one in assignment.all_sections], [one.test for one in assignment.all_sections]):
        if twice := [name for name in names if names.count(name) > 1]:
            raise BuildError(f"section {twice[0]}: {file} has two of this name. Give one of them another id and test.")
    for section in assignment.all_sections:
        if not hasattr(module, section.test):
            raise BuildError(f"section {section.id}: it is called by {section.call}, which {file} does not define.")
        if not section.practice and section.points <= 0:
            raise BuildError(
                f"section {section.id}: its checks give {section.points:g} points. Give them some in {file}, or make "
                "it practice=True."
            )
    return assignment


def is_test(cell: NotebookNode) -> bool:
    """Whether a cell is graded by what it computes."""
    mark = cell.metadata.get("nbgrader", {})
    return cell.cell_type == "code" and bool(mark.get("grade")) and not mark.get("solution")


def points_of(assignment: Assignment) -> dict[str, float]:
    """The points of each test, by the name of its function: those that its checks give."""
    return {section.test: section.points for section in assignment.sections}


def sections_of(notebook: NotebookNode, assignment: Assignment) -> dict[str, Section]:
    """The sections that cells test, by their grade_id."""
    by_test = {section.test: section for section in assignment.sections}
    cells = filter(is_test, notebook.cells)
    return {
        cell.metadata.nbgrader.grade_id: by_test[test] for cell in cells for test in called(cell) if test in by_test
    }


def called(cell: NotebookNode) -> list[str]:
    """The names of the tests that a cell calls."""
    return CALL.findall(cell.source)


def fill_points(notebook: NotebookNode, points: Mapping[str, float]) -> None:
    """Give the cells that call tests the tests' points, where the text gives them none."""
    for cell in filter(is_test, notebook.cells):
        found = [test for test in called(cell) if test in points]
        if len(found) == 1 and "points" not in cell.metadata.nbgrader:
            worth = points[found[0]]
            cell.metadata.nbgrader["points"] = int(worth) if worth == int(worth) else worth


def without_points(notebook: NotebookNode, points: Mapping[str, float]) -> None:
    """Take points out again that follow from the checks."""
    for cell in filter(is_test, notebook.cells):
        found = [test for test in called(cell) if test in points]
        if len(found) == 1 and cell.metadata.nbgrader.get("points") == points[found[0]]:
            cell.metadata.nbgrader = {k: v for k, v in cell.metadata.nbgrader.items() if k != "points"}


def agree(notebook: NotebookNode, assignment: Assignment, text: Path, tests: Path) -> None:
    """Refuse a notebook whose cells and headings are not those that the checks know of.

    Raises:
        BuildError: with all that is wrong, a sentence each.
    """
    wrong = [
        *_wrong_cells(notebook, assignment, text, tests),
        *_wrong_hints(notebook, assignment, text, tests),
        *_wrong_ways(assignment, tests),
        *([f"{tests}: ahead is a text, and is to be a tuple of names."] if isinstance(assignment.ahead, str) else []),
    ]
    if wrong:
        raise BuildError("\n".join(wrong))


def _wrong_cells(notebook: NotebookNode, assignment: Assignment, text: Path, tests: Path) -> Iterator[str]:
    points = points_of(assignment)
    callers: dict[str, str] = {}
    for cell in filter(is_test, notebook.cells):
        mark = cell.metadata.nbgrader
        name, given = mark.get("grade_id"), mark.get("points")
        found = called(cell)
        known = [test for test in found if test in points]
        if len(known) != 1 or len(found) != 1:
            calls = f"it calls {' and '.join(found)}" if found else "it calls no test"
            yield (
                f"cell {name}: it is graded, and {calls}. It is to call one of the tests that {tests} has a section "
                f"for ({', '.join(points) or 'none so far'})."
            )
            continue
        test = known[0]
        if test in callers:
            yield f"cell {name}: it calls {test}, as cell {callers[test]} does. Take one out: a section has one cell."
        callers[test] = name
        if given != points[test]:
            yield (
                f'cell {name}: {given:g} points, its checks: {points[test]:g}. Take "points" out of {text}: they '
                f"follow from the checks in {tests}. Or change the checks."
            )
    for section in assignment.sections:
        if section.test not in callers:
            yield (
                f"section {section.id}: no graded cell calls {section.call}. Add one to {text}, or take the section "
                f"out of {tests}."
            )
    tried = {test for cell in notebook.cells if cell.cell_type == "code" for test in called(cell)}
    for section in assignment.all_sections:
        if section.practice and section.test not in tried:
            yield (
                f"section {section.id}: no cell calls {section.call}. Add one to {text}, without points, or take the "
                f"section out of {tests}."
            )


def headings(notebook: NotebookNode) -> list[list[str]]:
    """The headings of a notebook, each with those above it, without the marks of code in them."""
    found: list[list[str]] = []
    above: list[tuple[int, str]] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = re.sub(r"^```.*?^```", "", cell.source, flags=re.DOTALL | re.MULTILINE)
            for hashes, title in re.findall(r"^(#+) +(.+?) *$", text, re.MULTILINE):
                above = [(level, name) for level, name in above if level < len(hashes)]
                above.append((len(hashes), title.replace("`", "")))
                found.append([name for _, name in above])
    return found


def _wrong_hints(notebook: NotebookNode, assignment: Assignment, text: Path, tests: Path) -> Iterator[str]:
    there = headings(notebook)
    sections = {section.id for section in assignment.all_sections}
    told = [(f"mistake {mistake.id}", mistake.hints) for mistake in assignment.mistakes.values()]
    told += [
        (f"section {one.id}, check {check.id}", check.hints) for one in assignment.all_sections for check in one.checks
    ]
    for who, hints in told:
        for read in (read for hint in hints for read in READ.findall(hint)):
            if not any(_leads(read.split(" > "), path) for path in there):
                yield (
                    f"{who}: its hint says “{read}”, and the notebook has no such heading. Write there what the "
                    f"heading is now, with those above it, in {tests.parent}; or change the heading in {text}."
                )
    for mistake in assignment.mistakes.values():
        for section in mistake.sections:
            if section not in sections:
                there_are = ", ".join(sorted(sections))
                yield f"mistake {mistake.id}: it shows in {section!r}, and the sections are {there_are}."


def _wrong_ways(assignment: Assignment, tests: Path) -> Iterator[str]:
    """Ways to make a mistake that fail, or change what nobody uses, such as a name that is misspelt: they explain
    nothing."""
    for mistake in assignment.mistakes.values():
        for way in mistake.ways:
            library = assignment.imitation()
            if not isinstance(library, Library):  # the assignment's own, which has other parts than names
                return
            there = {*library.parts} | {name for section in assignment.all_sections for name in section.takes}
            try:
                way.change(library)
            except Exception as error:
                yield f"mistake {mistake.id}: a way to make it fails ({type(error).__name__}: {error}), see {tests}."
                continue
            if more := sorted({*library.parts} - there):
                right = ", ".join(sorted(there)) or "nothing"
                yield f"mistake {mistake.id}: it changes {', '.join(more)}, and what {tests} asks for is {right}."


def _leads(parts: list[str], path: list[str]) -> bool:
    """Whether parts end at a heading, and the others stand above it in this order."""
    rest = iter(path)
    return parts[-1] == path[-1] and all(part in rest for part in parts)


def earns_all(path: Path) -> None:
    """Run a solution where it lies, and refuse one that raises or does not earn all points.

    Raises:
        BuildError: with the reports of the sections that lost some.
    """
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        allow_errors=True,
        skip_cells_with_tag=SHOWS,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute(stderr=subprocess.DEVNULL)  # of the kernel itself, which warns of its connection
    except nbclient.exceptions.CellTimeoutError as error:
        raise BuildError(f"A cell of the solution takes more than {CELL_SECONDS} s: {str(error)[:500]}") from error
    except nbclient.exceptions.DeadKernelError as error:
        raise BuildError(f"The kernel died while it ran the solution: {error}") from error
    wrong = list(filter(None, map(_lost, (cell for cell in notebook.cells if cell.cell_type == "code"))))
    if wrong:
        raise BuildError("The solution does not earn all points.\n\n" + "\n\n".join(wrong))


def _lost(cell: NotebookNode) -> str:
    """What a cell of the solution shows that it should not; nothing where all is well."""
    mark = cell.metadata.get("nbgrader", {})
    name = mark.get("grade_id") or repr(cell.source.strip().split("\n")[0][:60])
    tags = cell.metadata.get("tags", [])
    for output in cell.outputs:
        if output.output_type == "error" and "raises-exception" not in tags:
            frames = "\n".join(TERMINAL.sub("", line) for line in output.traceback)
            return f"cell {name}: {output.ename}: {output.evalue}\n{frames}"
    reports = [output.data for output in cell.outputs if MIME in output.get("data", {})]
    shown = [report["text/plain"] for report in reports]
    if not is_test(cell):  # then it may call a test for practice, or a part of one
        lost = any(check["status"] != "passed" for report in reports for check in report[MIME]["checks"])
        return "\n".join([f"cell {name}: not all of its checks pass", *shown]) if lost else ""
    scores = [output.data.get("text/plain") for output in cell.outputs if output.output_type == "execute_result"]
    try:
        score = float(scores[-1])
    except (IndexError, TypeError, ValueError):
        return f"cell {name}: its last line is to be the call of the test, whose points are its value."
    if score == mark["points"]:
        return ""
    return "\n".join([f"cell {name}: {score:g} of {mark['points']:g} points", *shown])
