"""Whose the names in a graded cell are: the judge's own, or the learner's, who may have put anything in their place.

The course's notebook says it, never what was handed in. Of the cells before the graded one, the last that binds a name
decides:

| bound by | a name is |
| --- | --- |
| nothing, and Python has it; an import, in whatever cell | the judge's |
| an import of or from a Python file among the assignment's `files`, a library that answers go on with | the learner's |
| an answer, or any cell that is not locked | the learner's |
| a locked cell, as a function | the judge's: its lines run here, on the learner's objects where it names them |
| a locked cell, as a class, whose objects live where the learner's code makes them | the learner's |
| a locked cell, as a value made of the judge's names only | the judge's, and the learner's has to be the same |
| a locked cell, as a value made with the learner's names | the learner's |
| another graded cell | the judge's: graded cells run nowhere else |
"""

from __future__ import annotations

import ast
import builtins
import functools
import importlib
import symtable
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from grading.submissions import is_grade

FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
SCOPE = (*FUNCTION, ast.ClassDef, ast.Lambda)
IMPORT = (ast.Import, ast.ImportFrom)
CATCH = {"raises", "assertRaises", "assertRaisesRegex", "suppress", "assert_raises"}


@dataclass(frozen=True, eq=False)
class Line:
    """A statement at the top level of a cell.

    Attributes:
        node: the statement.
        reads: global names that it reads, those in functions of its own too.
        binds: names that it gives a value.
        changes: names whose objects it changes: `x[0] = 1`, `x.a = 1`, `x.sort()`.
        stores: those of them that it changes by assignment.
        is_import: whether it only imports, one name or all of a module's.
    """

    node: ast.stmt
    reads: frozenset[str]
    binds: frozenset[str]
    changes: frozenset[str]
    stores: frozenset[str]

    @property
    def is_import(self) -> bool:
        return isinstance(self.node, IMPORT)

    @property
    def is_function(self) -> bool:
        node = self.node
        return isinstance(node, FUNCTION) or (isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda))


@dataclass(frozen=True)
class Needed:
    """What a graded cell needs before it can be evaluated.

    Attributes:
        learners: names to ask the kernel for.
        lines: what the judge runs itself first, in this order.
        values: names that `lines` bind and that stand for the same in the kernel, if nobody has touched them.
        caught: of the learner's names those that the cell catches as exceptions.
    """

    learners: frozenset[str]
    lines: tuple[ast.stmt, ...]
    values: frozenset[str]
    caught: frozenset[str]


def needed(
    course: NotebookNode, grade_id: str, given: frozenset[str], libraries: frozenset[str] = frozenset()
) -> Needed:
    """What the graded cell of this id needs, but for the names that are `given`.

    Args:
        libraries: modules beside the notebook that the learner's code goes on with.
    """
    before: list[tuple[Line, str]] = []
    for cell in course.cells:
        if cell.cell_type != "code":
            continue
        mark = cell.metadata.get("nbgrader", {})
        if mark.get("grade_id") == grade_id:
            return _Owners(before, given, libraries).needed(cell.source)
        kind = "graded" if is_grade(cell) else "locked" if mark and not mark.get("solution") else "open"
        before += [(line, kind) for line in _lines(cell.source)]
    raise ValueError(f"the course has no cell {grade_id!r}")


def read_names(source: str) -> frozenset[str]:
    """Global names that code reads."""
    return _used(_table(source))


def bound_names(source: str) -> frozenset[str]:
    """Global names that code binds."""
    symbols = _table(source).get_symbols()
    return frozenset(each.get_name() for each in symbols if each.is_assigned() or each.is_imported())


def read_first(source: str) -> frozenset[str]:
    """Global names that code reads before it has surely bound them itself."""
    found: set[str] = set()
    bound: set[str] = set()
    for node in ast.parse(source).body:
        text = ast.unparse(node)
        found |= read_names(text) - bound
        if isinstance(node, (ast.Assign, ast.With, *IMPORT, *SCOPE)):
            bound |= bound_names(text)
    return frozenset(found)


class _Owners:
    """Whose names are, by the lines of the cells before a graded one; each with the kind of its cell."""

    def __init__(
        self, lines: Sequence[tuple[Line, str]], given: frozenset[str], libraries: frozenset[str] = frozenset()
    ) -> None:
        self.lines, self.given, self.libraries = lines, given, libraries
        self.imported = frozenset(name for line, _ in lines if line.is_import for name in line.binds)

    def needed(self, source: str) -> Needed:
        learners: set[str] = set()
        values: set[str] = set()
        run: set[int] = set()
        left, seen = [*read_first(source)], {*self.given}
        while left:
            name = left.pop()
            if name in seen:
                continue
            seen.add(name)
            if not self._is_judges(name):
                learners.add(name)
                continue
            made = self._making(name)
            left += [each for number in made for each in self.lines[number][0].reads]
            run.update(made)
            last = self._last(name)
            if last and last[1] == "locked" and not last[0].is_import and not last[0].is_function:
                values.add(name)
        lines = [self.lines[number][0].node for number in sorted(run)]
        caught = frozenset().union(*map(_caught, [ast.parse(source), *lines]))
        return Needed(frozenset(learners), tuple(lines), frozenset(values), caught & learners)

    def _last(self, name: str) -> tuple[Line, str] | None:
        """The line that decides, and the kind of its cell."""
        for line, kind in reversed(self.lines):
            if name in line.binds or (kind == "open" and name in line.stores and name not in self.imported):
                return line, kind
        return None

    def _is_judges(self, name: str) -> bool:
        last = self._last(name)
        is_value = last and last[1] == "locked" and not last[0].is_import and not last[0].is_function
        return not self._is_learners(name) and (not is_value or self._is_pure([name]))

    def _is_learners(self, name: str) -> bool:
        """Whether a name is the learner's by itself, and not because of what it is made of."""
        last = self._last(name)
        if last is None:
            if name in self.given:
                return False
            if stars := self._stars(name):
                return self._is_of_library(self.lines[stars[0]][0])
            return not hasattr(builtins, name)
        line, kind = last
        if line.is_import:
            return self._is_of_library(line)
        return kind == "open" or (kind == "locked" and isinstance(line.node, ast.ClassDef))

    def _is_of_library(self, line: Line) -> bool:
        """Whether a line imports a library that the learner's code goes on with, or something of it."""
        node = line.node
        module = (node.module or "") if isinstance(node, ast.ImportFrom) and not node.level else ""
        if isinstance(node, ast.Import):
            module = node.names[0].name
        return module.partition(".")[0] in self.libraries

    def _is_pure(self, names: Iterable[str]) -> bool:
        """Whether nothing of the learner's has a part in what names stand for."""
        left, seen = [*names], set()
        while left:
            name = left.pop()
            if name in seen:
                continue
            seen.add(name)
            if self._is_learners(name):
                return False
            if (last := self._last(name)) and not last[0].is_import:
                left += [each for number in self._making(name) for each in self.lines[number][0].reads]
        return True

    def _making(self, name: str) -> list[int]:
        """The places of the lines that make what a name of the judge's stands for."""
        last = self._last(name)
        if last is None:
            return self._stars(name)
        if last[0].is_import:  # and what locked cells do with a module, as to seed its random numbers
            return [
                number
                for number, (line, kind) in enumerate(self.lines)
                if (line.is_import and name in line.binds)
                or (kind == "locked" and name in line.changes and self._is_pure(line.reads - {name}))
            ]
        return [
            number
            for number, (line, kind) in enumerate(self.lines)
            if kind != "open" and name in line.binds | line.changes
        ]

    def _stars(self, name: str) -> list[int]:
        """The place of the last `from module import *` that gives a name, or may give it."""
        for number, (line, _) in reversed([*enumerate(self.lines)]):
            if isinstance(line.node, ast.ImportFrom) and line.node.names[0].name == "*" and not line.node.level:
                try:
                    module = importlib.import_module(line.node.module)
                except Exception:  # whose the name is nobody knows; it is said where the line is run
                    return [number]
                if name in getattr(module, "__all__", dir(module)):
                    return [number]
        return []


@functools.lru_cache(maxsize=1024)
def _lines(source: str) -> tuple[Line, ...]:
    """The statements of a cell, and each import in them by itself; none where the cell is no Python."""
    try:
        nodes = ast.parse(TransformerManager().transform_cell(source)).body
    except (SyntaxError, ValueError):
        return ()
    return tuple(_line(part) for node in nodes for part in _parts(node))


def _parts(node: ast.stmt) -> Iterator[ast.stmt]:
    if not isinstance(node, IMPORT):
        yield node
    for each in _walk(node):  # last, as the last line that binds a name decides
        if isinstance(each, ast.Import):
            yield from (ast.copy_location(ast.Import([alias]), each) for alias in each.names)
        elif isinstance(each, ast.ImportFrom):
            yield from (
                ast.copy_location(ast.ImportFrom(each.module, [alias], each.level), each) for alias in each.names
            )


def _line(node: ast.stmt) -> Line:
    text = ast.unparse(node)
    changes, stores = set(), set()
    for each in _walk(node):
        if isinstance(each, (ast.Attribute, ast.Subscript)) and not isinstance(each.ctx, ast.Load):
            stores.add(_root(each))
        elif isinstance(each, ast.Expr) and isinstance(each.value, ast.Call):
            changes.add(_root(each.value.func))
    return Line(node, read_names(text), bound_names(text), frozenset(changes | stores), frozenset(stores))


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """A statement and what is in it, but for what runs when a function of its own is called."""
    yield node
    for each in ast.iter_child_nodes(node):
        if not isinstance(each, SCOPE):
            yield from _walk(each)


def _caught(code: ast.AST) -> frozenset[str]:
    """Names that code catches as exceptions: `except E`, `except (E, F)`, `pytest.raises(E)` and the like."""
    found: list[ast.AST] = []
    for each in ast.walk(code):
        if isinstance(each, ast.ExceptHandler) and each.type is not None:
            found.append(each.type)
        elif isinstance(each, ast.Call) and getattr(each.func, "attr", getattr(each.func, "id", "")) in CATCH:
            found += each.args
    names = (part for each in found for part in (each.elts if isinstance(each, ast.Tuple) else [each]))
    return frozenset(name.id for name in names if isinstance(name, ast.Name))


def _root(node: ast.AST) -> str:
    """Of `x[0].a` the name x; empty where it begins otherwise, or is a name by itself."""
    is_part = False
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node, is_part = node.value, True
    return node.id if is_part and isinstance(node, ast.Name) else ""


def _table(source: str) -> symtable.SymbolTable:
    return symtable.symtable(source, "<graded cell>", "exec")


def _used(table: symtable.SymbolTable) -> frozenset[str]:
    names = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() and symbol.is_referenced()}
    return frozenset(names.union(*map(_used, table.get_children())))
