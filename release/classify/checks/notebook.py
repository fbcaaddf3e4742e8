"""A notebook's code cells, and the names that they define."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from checks.observe import explain
from checks.reading import cells_of

TEST_CALL = re.compile(r"tests\.(test_\w+)\(.*\)[ \t;]*(?:#.*)?")  # a line
STAGE = re.compile(r"\buntil\s*=")  # in such a line: it tests a part, on the way
SHOWS = "torch"  # tag of cells that only show something: see nbgrader_config.py
HOW_IT_RUNS = re.compile(r"%%(?:time|timeit|capture)\b.*")


def is_no_work(line: str) -> bool:
    """Whether a line of a test cell is nothing that a learner has written into it."""
    return not line.strip() or bool(TEST_CALL.fullmatch(line) or HOW_IT_RUNS.fullmatch(line))


def code_cells(path: Path, remarks: list[str] | None = None) -> list[dict[str, Any]]:
    """The code cells of a notebook file, each with its `source` as one string and its `metadata`.

    Args:
        path: of the file.
        remarks: gets a sentence for each thing that is wrong with it, and does not keep it from being read.

    Raises:
        ValueError: when the file is no notebook, with a sentence.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from error
    found = cells_of(content, path.name, [] if remarks is None else remarks)
    return [cell for cell in found if cell["cell_type"] == "code"]


def the_notebook(folder: Path) -> Path:
    """The only notebook in a folder, but for those that a build has set aside.

    Raises:
        ValueError: where there is none, or more, with a sentence.
    """
    there = sorted(path for path in folder.glob("*.ipynb") if not re.search(r"-mine-\d+$", path.stem))
    if len(there) != 1:
        names = ", ".join(path.name for path in there[:5])
        raise ValueError(f"Say which notebook: this folder has {names or 'none'}.")
    return there[0]


def grade_id(cell: dict[str, Any]) -> str:
    found = nbgrader_mark(cell).get("grade_id")
    return found if isinstance(found, str) else ""


def nbgrader_mark(cell: dict[str, Any]) -> dict[str, Any]:
    """What nbgrader notes of a cell; empty where there is nothing."""
    found = cell["metadata"].get("nbgrader")
    return found if isinstance(found, dict) else {}


def only_shows(cell: dict[str, Any]) -> bool:
    """Whether a cell shows something with PyTorch, and nothing else: grading does not run it."""
    tags = cell["metadata"].get("tags")
    return isinstance(tags, list) and SHOWS in tags


def names_of(
    path: Path,
    wanted: Callable[[dict[str, Any]], bool] = lambda cell: True,
    seconds: float = 60.0,
    at_test: Callable[[str, dict[str, Any]], None] = lambda test, names: None,
) -> tuple[dict[str, Any], list[str]]:
    """Run a notebook's code cells in this process, as a kernel does, and return what they define.

    A cell that fails or takes longer than `seconds` does not keep the others from running. Tests are not run, nor are
    cells that only show PyTorch.

    Args:
        path: of the notebook.
        wanted: which cells are run.
        seconds: for each cell.
        at_test: is called where a test stands, with its name and what is defined there.

    Returns:
        The names, and a sentence for each cell that failed.
    """
    from checks.shell import opened

    failures = []
    with opened() as shell:
        for number, cell in enumerate(code_cells(path), 1):
            if only_shows(cell) or not wanted(cell):
                continue
            for source, test in _pieces(cell):
                if not all(map(is_no_work, source.split("\n"))):
                    error = shell.run(source, seconds, f"cell {number}")
                    if error is not None:
                        failures.append(f"code cell {number} ({grade_id(cell) or 'no grade_id'}): {explain(error)}")
                if test:
                    at_test(test, shell.user_ns)
        return shell.user_ns, failures


def _pieces(cell: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A cell's code without its tests: what stands above each, with its name, and what stands below the last one."""
    lines: list[str] = []
    tests = 0
    for line in cell["source"].split("\n"):
        if test := TEST_CALL.fullmatch(line):
            yield "\n".join(lines), "" if STAGE.search(line) else test[1]
            tests, lines = tests + 1, []
        else:
            lines.append(line)
    is_test = nbgrader_mark(cell).get("grade") or cell["source"].lstrip().startswith("tests.test_")
    if tests or not is_test:  # else it is a test of another form
        yield "\n".join(lines), ""
