"""The assignments of this course: what is declared of each in source/, and the tests that judge it.

One that declares nothing is an ordinary nbgrader assignment: its graded cells ask with `assert`, and have no `tests`.
"""

from __future__ import annotations

import ast
import atexit
import functools
import gc
import importlib
import re
import sys
import types
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np

from checks import facts
from checks.assignment import Assignment
from checks.facts import Facts
from checks.mistakes import Mistakes
from checks.notebook import code_cells, grade_id, nbgrader_mark
from checks.reading import cells_of
from grading.limits import ORACLES
from grading.remote import OURS

ROOT = Path(__file__).resolve().parent.parent
BESIDE = {"tests.py", "conftest.py", "requirements.txt", "checks", "docs", "author"}  # made, or of no learner's
PASSING = ("__pycache__", "*.pyc", "*.new", ".*")
SOURCE = ROOT / "source"
TEST = re.compile(r"\btests\.(test_\w+)")


def family(name: str) -> dict[str, Facts]:
    """The facts of an assignment and of those that it builds on, which come first; none where it declares nothing.

    Raises:
        ImportError: where they cannot be read, or one of them is not there, with a sentence.
    """
    try:
        return facts.family(name, SOURCE) if name else {}
    except FileNotFoundError as error:
        if Path(error.filename).parent == SOURCE / name:
            return {}
        raise ImportError(f"There is no {error.filename}.") from None
    except (ValueError, OSError) as error:
        raise ImportError(str(error)) from None


def facts_of(name: str) -> Facts | None:
    """What is declared of an assignment; None where nothing is.

    Raises:
        ImportError: as above.
    """
    return family(name).get(name)


def libraries(name: str) -> frozenset[str]:
    """Modules beside an assignment's notebook that learners' code goes on with.

    Raises:
        ImportError: as above.
    """
    declared = facts_of(name)
    return declared.libraries if declared else frozenset()


def there(source: Path = SOURCE) -> list[str]:
    """The names of all assignments in a course's source folder, also of those that declare nothing."""
    return sorted({path.parent.name for path in source.glob("[!.]*/*.ipynb")})


def not_there(name: str, source: Path = SOURCE) -> str:
    """What is said of an assignment that there is none of."""
    return f"There is no assignment {name!r} in {source}, which holds {', '.join(there(source)) or 'none so far'}."


def code(name: str) -> list[Path]:
    """The files that decide on an assignment's verdicts: code, data and facts of its own and of those it builds on."""
    return [path for each in family(name) for path in _own(SOURCE / each)]


def _own(folder: Path) -> list[Path]:
    found = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        passing = any(fnmatch(part, pattern) for part in parts for pattern in PASSING)
        if path.is_file() and not passing and parts[0] not in BESIDE and path.suffix != ".ipynb":
            found.append(path)
    return found


def undeclared(name: str, notebooks: Iterable[Path]) -> str | None:
    """What is said where graded cells of an assignment that declares nothing call tests."""
    for path in notebooks:
        for cell in code_cells(path):
            if nbgrader_mark(cell).get("grade") and (called := _called(cell["source"])):
                return (
                    f"The graded cell {grade_id(cell)!r} of {path.name} calls tests.{called}, and nobody knows that: "
                    f"there is no {SOURCE / name / facts.NAME}."
                )
    return None


def titles(name: str) -> dict[tuple[str, str], str]:
    """The title of what each graded cell tests, by its notebook and grade_id, in the order of the cells.

    Empty where it is not known: no notebook here, a cell that calls no tests, or tests that cannot be imported.
    """
    found = {}
    sections: dict[str, str] = {}
    try:
        if family(name):
            sections = {section.test: section.title for section in _imported(name).ASSIGNMENT.sections}
    except Exception:  # an author at work on them: a table of points needs no titles
        sections = {}
    for path in sorted((SOURCE / name).glob("*.ipynb")):
        try:
            cells = cells_of(path.read_bytes(), path.name, [])
        except (OSError, ValueError):
            continue
        for cell in cells:
            if nbgrader_mark(cell).get("grade") or nbgrader_mark(cell).get("task"):
                tests = TEST.findall(cell["source"])
                found[path.stem, grade_id(cell)] = next((sections[test] for test in tests if test in sections), "")
    return found


def mistakes(name: str) -> Mistakes:
    """The known mistakes of an assignment; the general ones where its tests cannot be imported."""
    try:
        return _imported(name).ASSIGNMENT.mistakes if family(name) else Mistakes()
    except Exception:  # as above
        return Mistakes()


def _called(source: str) -> str | None:
    """The first function of `tests` that code calls."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError):  # the judge says so
        return None
    for node in nodes:
        match node:
            case ast.Call(ast.Attribute(ast.Name("tests"), called)):
                return called
    return None


def _none(assignment: str, name: str) -> None:
    raise AttributeError(f"tests has no {name}: there is no source/{assignment}/{facts.NAME}")


def load_tests(name: str, oracle: str = ORACLES[0]) -> types.ModuleType:
    """The trusted tests of an assignment, ready to judge; a module without any where it declares nothing.

    Args:
        oracle: what answers are compared with, one of ORACLES.

    Raises:
        ImportError: with what to do; also where its files have changed since it was loaded.
    """
    files = [*code(name), *sorted((ROOT / "checks").glob("*.py"))]
    state = [(path, path.stat().st_mtime_ns, path.stat().st_size) for path in files]
    if name not in _loaded:
        _loaded[name] = _load(name), state
    tests, before = _loaded[name]
    if before != state:
        raise ImportError(f"The tests of {name} have changed since this program began: start it again.")
    for each in _asked(tests):
        each.get_ready(without_torch=oracle == "numpy")
    return tests


_loaded: dict[str, tuple[types.ModuleType, list[Any]]] = {}  # and what its files were then


def _load(name: str) -> types.ModuleType:
    import IPython.display  # noqa: F401 - what reports need when they are shown

    if not family(name):
        tests = types.ModuleType("tests")
        tests.__getattr__ = functools.partial(_none, name)
        tests.ASSIGNMENT = Assignment(name or "Assignment")
        return tests
    tests = _imported(name)
    if not isinstance(getattr(tests, "ASSIGNMENT", None), Assignment):
        raise ImportError(f"{tests.__file__} declares no ASSIGNMENT: see docs/author.md.")
    np.random.default_rng(0)  # NumPy loads this part of itself when it is first asked for it
    atexit.register(gc.freeze)  # else Python looks through all that PyTorch made before it ends: half a second
    return tests


def _asked(tests: types.ModuleType) -> list[Assignment]:
    """The assignment, and those that its sections build on."""
    own = tests.ASSIGNMENT
    return [*dict.fromkeys([own, *(one.assignment for section in own.all_sections for one, _ in section.builds_on)])]


def _imported(name: str) -> types.ModuleType:
    """The module with the tests of an assignment that declares them."""
    for each in family(name):
        OURS.add(each)
        if (place := str(SOURCE / each)) not in sys.path:
            sys.path.append(place)
    return importlib.import_module(f"{name}.tests")
