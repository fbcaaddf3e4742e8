"""Write the sample classes, examples/submitted/, from source/<assignment>/author/class/<learner>.py.

    python source/make_class.py

A learner's file says in comments who this is and what "# others:" are, the answer cells it does not list: "solution"
or "untouched". Then come the cells it lists, by grade_id:

    # %% layers                 this text is the cell
    # %% layers: solution       the reference solution
    # %% layers: definitions    the reference solution, but with these functions and classes

Beside them lies expected.json: what each of them loses, by the grade_id of test cells (see `deserved`).
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from checks.section import Section

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from checks.reading import MARKER  # noqa: E402

HEADER = re.compile(r"^# %% (\w+)(?:: (solution|definitions))?\n", re.MULTILINE)
OTHERS = re.compile(r"^# others: (solution|untouched)$", re.MULTILINE)


def answers(notebook: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The notebook's answer cells by grade_id."""
    found = [(cell["metadata"].get("nbgrader", {}), cell) for cell in notebook["cells"]]
    return {mark["grade_id"]: cell for mark, cell in found if mark.get("solution")}


def redefine(cell: str, definitions: str) -> str:
    """`cell` with the functions and classes of `definitions` in place of its own of the same names."""
    new = {node.name: ast.get_source_segment(definitions, node) for node in ast.parse(definitions).body}
    lines = cell.split("\n")
    for node in reversed(ast.parse(cell).body):
        if getattr(node, "name", None) in new:
            lines[node.lineno - 1 : node.end_lineno] = [new.pop(node.name)]
    if new:
        raise ValueError(f"the solution does not define {', '.join(new)}")
    return "\n".join(lines)


def submission(learner: str, release: str, solutions: dict[str, str]) -> str:
    """A learner's notebook file: the release with the learner's answers. ValueError says what is wrong in them."""
    notebook = json.loads(release)
    cells = answers(notebook)
    head, *parts = HEADER.split(learner + "\n")
    others = OTHERS.search(head)
    if others is None:
        raise ValueError('there is no line "# others: solution" or "# others: untouched"')
    written = dict(solutions) if others[1] == "solution" else {}
    for grade_id, how, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        if grade_id not in cells:
            raise ValueError(f"the release has no answer cell {grade_id}")
        if how is None:
            written[grade_id] = text.strip("\n")
        else:
            solution = solutions[grade_id]
            written[grade_id] = solution if how == "solution" else redefine(solution, text)
    for grade_id, source in written.items():
        cells[grade_id]["source"] = source
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def sample_class(assignment: str, root: Path = ROOT) -> dict[str, str]:
    """The notebook files of an assignment's learners, by learner."""
    try:
        release = (root / "release" / assignment / f"{assignment}.ipynb").read_text(encoding="utf-8")
        source = json.loads((root / "source" / assignment / f"{assignment}.ipynb").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SystemExit(f"There is no {error.filename}: run make release first.") from error
    solutions = {grade_id: MARKER.sub("", "".join(cell["source"])) for grade_id, cell in answers(source).items()}
    made = {}
    for path in sorted((root / "source" / assignment / "author" / "class").glob("*.py")):
        try:
            made[path.stem] = submission(path.read_text(encoding="utf-8"), release, solutions)
        except (ValueError, SyntaxError) as error:
            raise SystemExit(f"{path}: {error}") from error
    return made


def deserved(said: Mapping[str, float | list[str]], cells: Mapping[str, Section]) -> dict[str, float]:
    """The points of a learner by grade_id, as expected.json says it: a number, or which checks are lost; else all.

    Args:
        cells: the sections that cells test, by grade_id.

    Raises:
        ValueError: for what is no such cell or check.
    """
    found = {grade_id: section.points for grade_id, section in cells.items()}
    for grade_id, what in said.items():
        if grade_id not in cells:
            raise ValueError(f"there is no test cell {grade_id!r}")
        if isinstance(what, list):
            points = {check.id: check.points for check in cells[grade_id].checks}
            if unknown := set(what) - points.keys():
                raise ValueError(f"{grade_id} has no check {sorted(unknown)[0]!r}")
            what = found[grade_id] - sum(points[check] for check in what)
        found[grade_id] = what
    return found


if __name__ == "__main__":
    for assignment in (path.parents[1].name for path in sorted((ROOT / "source").glob("*/author/class"))):
        for learner, text in sample_class(assignment).items():
            target = ROOT / "examples/submitted" / learner / assignment / f"{assignment}.ipynb"
            target.parent.mkdir(parents=True, exist_ok=True)
            beside = target.with_suffix(".new")
            beside.write_text(text, encoding="utf-8", newline="\n")
            beside.replace(target)
