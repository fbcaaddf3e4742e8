"""The names that a notebook's code defines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from checks.observe import explain, learner_code, quiet


def code_cells(path: Path) -> list[dict[str, Any]]:
    """The code cells of a notebook file, each with its `source` as one string and its `metadata`.

    Raises:
        ValueError: when the file is no notebook, with a sentence.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8-sig"))["cells"]
        return [
            {"source": "".join(cell["source"]), "metadata": cell.get("metadata") or {}}
            for cell in cells
            if cell["cell_type"] == "code"
        ]
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a notebook that can be read ({type(error).__name__}: {error})") from error


def _nothing(*_: Any) -> None:
    pass


def grade_id(cell: dict[str, Any]) -> str:
    return _nbgrader(cell).get("grade_id", "")


def _nbgrader(cell: dict[str, Any]) -> dict[str, Any]:
    return cell["metadata"].get("nbgrader") or {}


def names_of(
    path: Path,
    wanted: Callable[[dict[str, Any]], bool] = lambda cell: True,
    seconds: float = 60.0,
) -> tuple[dict[str, Any], list[str]]:
    """Run a notebook's code cells in this process, except the graded ones, and return what they define.

    A cell that fails or takes longer than `seconds` does not keep the others from running.

    Returns:
        The names, and a sentence for each cell that failed.
    """
    from IPython.core.inputtransformer2 import TransformerManager

    # Magics such as %matplotlib inline have no meaning here; the rest of their cell has.
    shell = SimpleNamespace(run_line_magic=_nothing, run_cell_magic=_nothing, system=_nothing)
    names: dict[str, Any] = {"__name__": "__main__", "get_ipython": lambda: shell}
    failures = []
    for number, cell in enumerate(code_cells(path), 1):
        graded = _nbgrader(cell).get("grade") or cell["source"].lstrip().startswith("tests.test_")
        if graded or "torch" in cell["metadata"].get("tags", []) or not wanted(cell):
            continue
        with quiet():
            try:
                source = TransformerManager().transform_cell(cell["source"])
                with learner_code(seconds):
                    exec(compile(source, f"cell {number}", "exec"), names)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                failures.append(f"code cell {number} ({grade_id(cell) or 'no grade_id'}): {explain(error)}")
    return names, failures
