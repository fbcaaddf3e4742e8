"""Follow-through: what comes after a section that lost points is judged once more, on the reference's earlier sections.

    first pass     answer 1, test 1, answer 2, test 2, answer 3, test 3
    second pass    answer 1, reference 1, answer 2, test 2, reference 2, answer 3, test 3

The second pass is a notebook, run like any other in a kernel of its own. Nothing that it displays is kept, only its
verdicts, and of two verdicts on one test the better one counts. A section of the reference comes into the kernel when
the learner's has been judged, so it can help later sections only.
"""

from __future__ import annotations

import ast
import functools
import marshal
import os
import symtable
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_notebook

from checks.notebook import nbgrader_mark
from checks.report import FollowThrough
from grading.judge import Verdict
from grading.names import bound_names, read_names
from grading.submissions import defined_names, is_answer, is_grade, is_untouched

# The file name of the reference's code: frames of it are shown to nobody, as those of a library.
REFERENCE = os.path.join(sys.prefix, "<reference>")

# Nothing that is displayed is drawn, or asked what it looks like: plots take half of a notebook's time.
WITHOUT_DISPLAYS = "get_ipython().display_formatter.format = lambda *args, **kwargs: ({}, {})"


@dataclass
class Section:
    """Places in a notebook of answer cells, and of the test cells that come after them and before the next answer."""

    answers: list[int] = field(default_factory=list)
    tests: list[int] = field(default_factory=list)


def sections(cells: list[NotebookNode]) -> list[Section]:
    """The sections of a restored notebook, in order."""
    found = [Section()]
    for place, cell in enumerate(cells):
        if is_answer(cell):
            if found[-1].tests:
                found.append(Section())
            found[-1].answers.append(place)
        elif is_grade(cell) and cell.cell_type == "code":
            found[-1].tests.append(place)
    return found


def second_pass(
    notebook: NotebookNode,
    course: NotebookNode,
    verdicts: Mapping[str, Verdict],
    overran: Collection[int] = (),
    ended_at: int | None = None,
) -> NotebookNode | None:
    """The notebook of the second pass; None where there is nothing to judge again.

    Sections that lost points and come after one that did are judged again, if the learner has begun with them. Cells
    run as in the first pass, up to the last test that is judged again, but for the course's that only call tests.

    Args:
        notebook: the restored notebook.
        course: the notebook in `source/`, whose answers are the reference.
        verdicts: of the first pass, by grade_id.
        overran: places of cells whose time was over. They do not run again, but for answers that are to be judged:
            these may have waited for an earlier section.
        ended_at: the place of the cell that ended the kernel, which would end this one, too.

    Raises:
        SyntaxError: when an answer of the reference is no Python.
    """
    cells = notebook.cells
    found = sections(cells)
    lost = {place for section in found for place in section.tests if _is_lost(cells[place], verdicts)}
    after = [number for number, section in enumerate(found) if lost & {*section.tests}][1:]
    if not after:
        return None
    answers = {_grade_id(cell): cell.source for cell in course.cells if is_answer(cell)}
    reference = [[_compiled(answers[_grade_id(cells[place])]) for place in section.answers] for section in found]
    defines = [frozenset().union(*(loads.names for loads in loaded)) for loaded in reference]
    new = [frozenset().union(*(loads.new for loads in loaded)) for loaded in reference]
    again, answered = set(), set()
    for number in after:
        if not _is_begun(cells, found[number], defines[number]):
            continue
        for place in lost & {*found[number].tests} - {ended_at}:
            # What earlier sections define is there without any work of the learner's. So is a class that this one only
            # extends: something new has to be asked for beside it.
            asked = read_names(cells[place].source) & new[number]
            if asked and asked.isdisjoint(frozenset().union(*defines[:number])):
                again.add(place)
                answered.update(found[number].answers)
    if not again:
        return None
    given = {cell.id: cell.source for cell in course.cells if not nbgrader_mark(cell)}
    shows = {n for n, cell in enumerate(cells) if given.get(cell.id) == cell.source and _only_asks(cell.source)}
    left_out = {*overran} - answered | {ended_at} | shows
    loads = {section.tests[-1]: loaded for section, loaded in zip(found, reference, strict=True) if section.tests}
    made = new_notebook()
    made.cells.append(_code_cell(WITHOUT_DISPLAYS))
    for place, cell in enumerate(cells[: max(again) + 1]):
        if place in again if is_grade(cell) else place not in left_out and cell.cell_type == "code":
            made.cells.append(_code_cell(cell.source, cell.metadata))
        if place < max(again):
            made.cells += [_code_cell(each.source) for each in loads.get(place, ())]
    return made


@functools.lru_cache(maxsize=1024)
def _only_asks(source: str) -> bool:
    """Whether the course's code only calls tests, which do nothing where learners' cells run."""
    try:
        lines = ast.parse(source).body
    except (SyntaxError, ValueError):  # such as IPython's own
        return False
    return all(_asks(line) for line in lines)


def _asks(line: ast.stmt) -> bool:
    match line:
        case ast.Expr(ast.Call(ast.Attribute(ast.Name("tests"), _), args, keywords)):
            return all(map(_is_plain, [*args, *(keyword.value for keyword in keywords)]))
    return False


def _is_plain(value: ast.expr) -> bool:
    """Whether nothing is called to work out a value."""
    if isinstance(value, (ast.Tuple, ast.List)):
        return all(map(_is_plain, value.elts))
    if isinstance(value, ast.UnaryOp):
        return isinstance(value.operand, ast.Constant)
    return isinstance(value, (ast.Name, ast.Constant, ast.Lambda))


def _code_cell(source: str, metadata: Mapping[str, Any] | None = None) -> NotebookNode:
    """As nbformat's `new_code_cell`, which holds each against the schema of notebooks: this one is not kept."""
    return from_dict({"cell_type": "code", "metadata": metadata or {}, "source": source})


def _is_begun(cells: list[NotebookNode], section: Section, defines: Collection[str]) -> bool:
    """Whether the learner has written something of a section's answers, be it into its test cell."""
    if not section.answers or not all(is_untouched(cells[place]) for place in section.answers):
        return bool(section.answers)
    between = [cell for cell in cells[section.answers[0] : section.tests[-1]] if not nbgrader_mark(cell)]
    return any(not defined_names(cell.source).isdisjoint(defines) for cell in between if cell.cell_type == "code")


def better(
    notebook: NotebookNode, first: Mapping[str, Verdict], second: Mapping[str, Verdict]
) -> dict[str, FollowThrough]:
    """Have each test cell show the better of its verdicts, and both points.

    Of two that give the same, the first is shown, unless in its report everything waits for an earlier section.

    Args:
        notebook: the restored notebook.
        first, second: the verdicts of both passes, by grade_id.

    Returns:
        What was judged twice, by grade_id.
    """
    twice: dict[str, FollowThrough] = {}
    is_more = False  # points than the reports of the first pass add up
    for cell in notebook.cells:
        if not is_grade(cell) or cell.cell_type != "code":
            continue
        name, points = _grade_id(cell), _points(cell)
        own, other = first[name], second.get(name)
        if other is None:
            if is_more:
                cell.outputs = own.outputs(is_alone=True)
            continue
        both = twice[name] = FollowThrough(own.of(points), other.of(points), points)
        is_more |= both.reference > both.own
        says_more = both.reference == both.own and own.waits and not other.waits
        shown = other if both.reference > both.own or says_more else own
        cell.outputs = shown.outputs(both, is_alone=is_more or shown is other)
    return twice


@dataclass(frozen=True)
class Loads:
    """A cell that loads an answer of the reference, without its text.

    Attributes:
        source: of that cell.
        names: that the answer defines.
        new: those of them that it does not only extend, as `class Tree(Tree)` does.
    """

    source: str
    names: frozenset[str]
    new: frozenset[str]


@functools.lru_cache(maxsize=256)
def _compiled(source: str) -> Loads:
    """What loads an answer of the reference."""
    plain = TransformerManager().transform_cell(source)
    symbols = symtable.symtable(plain, REFERENCE, "exec").get_symbols()
    names = frozenset(each.get_name() for each in symbols if each.is_assigned() or each.is_imported())
    code = compile(plain, REFERENCE, "exec", dont_inherit=True)
    lines = ast.parse(plain).body
    others = "\n".join(ast.unparse(line) for line in lines if not _extends(line))
    extended = frozenset(line.name for line in lines if _extends(line)) - bound_names(others)
    return Loads(f"exec(__import__('marshal').loads({marshal.dumps(code)!r}))", names, names - extended)


def _extends(line: ast.stmt) -> bool:
    """Whether a line goes on with a class: its own name is among its bases."""
    return isinstance(line, ast.ClassDef) and any(isinstance(e, ast.Name) and e.id == line.name for e in line.bases)


def _is_lost(cell: NotebookNode, verdicts: Mapping[str, Verdict]) -> bool:
    return verdicts[_grade_id(cell)].of(_points(cell)) < _points(cell)


def _points(cell: NotebookNode) -> float:
    return float(cell.metadata.nbgrader["points"])


def _grade_id(cell: NotebookNode) -> str:
    return cell.metadata.nbgrader["grade_id"]
