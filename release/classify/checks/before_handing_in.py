"""What grading would see in a notebook, before it is handed in.

    python -m checks.before_handing_in my.ipynb

Its cells run from top to bottom, as they do when it is graded, and each section is tested where its test stands.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from checks import facts
from checks.assignment import Assignment
from checks.notebook import (
    TEST_CALL,
    code_cells,
    grade_id,
    is_no_work,
    names_of,
    nbgrader_mark,
    only_shows,
    the_notebook,
)
from checks.report import Report
from checks.section import Section

# Beside Python's own modules. A test of the jail compares it with what is there.
INSTALLED = {"numpy", "matplotlib", "tqdm", "PIL", "IPython"}
MAGIC = re.compile(r"^[ \t]*[%!].*", re.MULTILINE)


def look(path: Path, assignment: Assignment) -> tuple[list[tuple[Section, float]], list[str]]:
    """The points of each section, and a sentence for each thing that the learner should look at.

    Raises:
        ValueError: when the file is no notebook, with a sentence.
    """
    remarks: list[str] = []
    cells = code_cells(path, remarks)
    by_test = {section.test: section for section in assignment.sections}
    reports: dict[str, Report] = {}
    undefined: dict[str, list[str]] = {}

    def judge(test: str, names: dict[str, Any]) -> None:
        if test in by_test:
            wanted = by_test[test].takes
            undefined[test] = [name for name in wanted if name not in names]
            reports[test] = by_test[test].run({name: names.get(name) for name in wanted})

    names, failures = names_of(path, at_test=judge)
    remarks += [*_copies(cells), *_work_in_tests(cells)]
    for test, section in by_test.items():
        if test not in reports:
            remarks.append(f"The test of {section.title}, {section.call}, is missing: here it ran at the end.")
            judge(test, names)
        for name in undefined[test]:
            where = f"only below tests.{test}" if name in names else "nowhere"
            remarks.append(f"{section.title} tests {name}, and that is defined {where}.")
    remarks += [f"An error in {failure.splitlines()[0]}" for failure in failures]
    remarks += _absent(cells, _libraries(path.parent))
    return [(section, reports[test].score) for test, section in by_test.items()], remarks


def _copies(cells: list[dict[str, Any]]) -> list[str]:
    """What is to be said on the marks by which grading knows the cells."""
    there = Counter(filter(None, map(grade_id, cells)))
    if not there:
        return [
            "The marks by which grading knows its cells are lost, as on Google Colab: answers are found by what they "
            "define. Keep trials below the tests."
        ]
    return [
        f"The cell {name!r} is there {count} times: of an answer the last one above its test counts."
        for name, count in there.items()
        if count > 1
    ]


def _work_in_tests(cells: list[dict[str, Any]]) -> list[str]:
    """What is to be said of answers that stand beside a test."""
    remarks = []
    for cell in cells:
        lines = cell["source"].split("\n")
        is_test = nbgrader_mark(cell).get("grade") and any(map(TEST_CALL.fullmatch, lines))
        if is_test and not all(line.startswith("#") or is_no_work(line) for line in lines):
            name = grade_id(cell)
            remarks.append(f"Something was written into the test cell {name!r}: answers belong into their own cells.")
    return remarks


def _libraries(folder: Path) -> frozenset[str]:
    """Modules that came with a notebook."""
    try:
        return facts.read(folder).libraries
    except (OSError, ValueError):  # it was moved alone
        return frozenset()


def _absent(cells: list[dict[str, Any]], libraries: frozenset[str]) -> list[str]:
    """What cells import and grading has not, with the first cell that does."""
    found: dict[str, int] = {}
    for number, cell in enumerate(cells, 1):
        if only_shows(cell):
            continue
        try:
            tree = ast.parse(MAGIC.sub("pass", cell["source"]))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in ast.walk(tree):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            for package in {module.partition(".")[0] for module in modules}:
                if package not in sys.stdlib_module_names | INSTALLED | {"tests"} | libraries:
                    found.setdefault(package, number)
    return [
        f"Code cell {number} imports {package}, which is not there when it is graded: what uses it fails."
        for package, number in found.items()
    ]


def as_text(name: str, points: list[tuple[Section, float]], remarks: list[str]) -> str:
    """What the command prints."""
    width = max(len(section.title) for section, _ in points)
    rows = [f"  {section.title:{width}}  {score:>4g} of {section.points:g}" for section, score in points]
    total, most = sum(score for _, score in points), sum(section.points for section, _ in points)
    lines = [f"{name} as grading would see it:", "", *rows, f"  {'all':{width}}  {total:>4g} of {most:g}", ""]
    if remarks:
        lines += ["Look at this before you hand it in:", "", *(f"- {remark}" for remark in remarks), ""]
    else:
        lines += ["Nothing else needs a look."]
    if total < most:
        lines.append(
            "When it is graded, what comes after a section that lost points is also tested on right earlier sections, "
            "and the better result counts."
        )
    return "\n".join(lines).rstrip()


def main(arguments: list[str] | None = None) -> int:
    """0: nothing needs a look; 1: something does; 2: there is no notebook that can be read."""
    parser = argparse.ArgumentParser(
        prog="python -m checks.before_handing_in", description="Say what grading would see in a notebook."
    )
    parser.add_argument("notebook", type=Path, nargs="?", help="by default the only one in this folder")
    path = parser.parse_args(arguments).notebook
    os.environ.setdefault("MPLBACKEND", "agg")
    try:
        import tests

        path = path or the_notebook(Path())
        points, remarks = look(path, tests.ASSIGNMENT)
    except (ValueError, ImportError) as error:
        print(error, file=sys.stderr)
        return 2
    print(as_text(path.name, points, remarks))
    return int(bool(remarks))


if __name__ == "__main__":
    sys.exit(main())
