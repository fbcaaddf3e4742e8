"""From the author's text to what learners and instructors use: `python source/build.py`, or `make release`.

    source/workshop.py                  the one source: jupytext percent format, solutions between markers
      -> source/workshop/workshop.ipynb the same as a notebook, which JupyterLab can open and edit
      -> release/workshop/, workshop.ipynb   without solutions (nbgrader generate_assignment)
      -> solutions/workshop/workshop.ipynb   with solutions (nbgrader generate_solution), which must earn all points

Edits made in source/workshop/workshop.ipynb are carried back into the text first.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import jupytext
import nbformat

ROOT = Path(__file__).resolve().parent.parent
TEXT = ROOT / "source" / "workshop.py"
SOURCE = ROOT / "source" / "workshop" / "workshop.ipynb"
RELEASE = ROOT / "release" / "workshop"
SOLUTION = ROOT / "solutions" / "workshop" / "workshop.ipynb"
# What a learner's folder holds beside the notebook.
SUPPORT = ["tests.py", "conftest.py", "requirements.txt", "checks/*.py", "data/*", "figures/*.svg", "docs/learner.md"]
NOT_THE_LEARNERS = b"# ---- for instructors and authors"  # begins the rest of requirements.txt
STAMP = "minitorch"  # the notebook metadata that tells whether somebody edited the generated notebook


class BuildError(Exception):
    """The build cannot go on; the message says what to do."""


def text_to_notebook(text: str) -> nbformat.NotebookNode:
    """The authored text as a notebook: the same text gives the same bytes."""
    notebook = jupytext.reads(text, fmt="py:percent")
    taken: set[str] = set()
    for cell in notebook.cells:
        cell.metadata.pop("lines_to_next_cell", None)
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.id = name or "c" + hashlib.sha256(cell.source.encode()).hexdigest()[:10]
        if cell.id in taken:
            raise BuildError(f"{TEXT}: two cells are the same or share a grade_id: {cell.source[:60]!r}")
        taken.add(cell.id)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        STAMP: {"generated": fingerprint(notebook)},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def fingerprint(notebook: nbformat.NotebookNode) -> str:
    """A hash of what an author writes: the cells' types, sources, tags and nbgrader settings."""
    kept = ("nbgrader", "tags")
    cells = [
        [cell.cell_type, cell.source, {key: cell.metadata[key] for key in kept if key in cell.metadata}]
        for cell in notebook.cells
    ]
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()


def carry_back(edited: nbformat.NotebookNode) -> str:
    """An edited notebook as authored text."""
    notebook = nbformat.from_dict(edited)
    for cell in notebook.cells:
        cell.metadata = {key: cell.metadata[key] for key in ("nbgrader", "tags") if key in cell.metadata}
    header = TEXT.read_text(encoding="utf-8").split("# ---\n", 2)[1]
    body = jupytext.writes(notebook, fmt="py:percent").split("# ---\n", 2)[-1]
    return f"# ---\n{header}# ---\n{body}"


def update_source() -> None:
    """Bring text and source notebook together, whichever of the two was edited.

    Raises:
        BuildError: when both were.
    """
    fresh = text_to_notebook(TEXT.read_text(encoding="utf-8"))
    if SOURCE.exists():
        try:
            notebook = nbformat.read(SOURCE, as_version=4)
        except Exception as error:
            raise BuildError(f"{SOURCE} cannot be read ({error}). Delete it to make it anew from {TEXT}.") from error
        recorded = notebook.metadata.get(STAMP, {}).get("generated")
        if fingerprint(notebook) != recorded != fingerprint(fresh):
            raise BuildError(
                f"Both {TEXT} and {SOURCE} have changed. Keep one: `git checkout` the text, or delete the notebook."
            )
        if fingerprint(notebook) != recorded:
            print(f"carrying the edits of {SOURCE} back into {TEXT}")
            write(TEXT, carry_back(notebook))
            fresh = text_to_notebook(TEXT.read_text(encoding="utf-8"))
    write(SOURCE, dumps(fresh))


def dumps(notebook: nbformat.NotebookNode) -> str:
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def write(path: Path, text: str) -> None:
    """Write beside, then rename: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    beside.write_text(text, encoding="utf-8", newline="\n")
    beside.replace(path)


def copy_support(folder: Path) -> None:
    """Put what the notebook needs beside it, in place of what an earlier build put there.

    What is there and right is not touched: somebody may be grading with it.
    """
    wanted = {folder / file.relative_to(ROOT): file for pattern in SUPPORT for file in ROOT.glob(pattern)}
    for target, file in wanted.items():
        content = file.read_bytes()
        if file.name == "requirements.txt":
            content = content.partition(NOT_THE_LEARNERS)[0].rstrip() + b"\n"
        if not target.is_file() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            beside = target.with_name(f"{target.name}.{os.getpid()}.new")
            beside.write_bytes(content)
            beside.replace(target)
    for name in {pattern.split("/")[0] for pattern in SUPPORT if "/" in pattern}:
        for old in (folder / name).rglob("*"):
            if old.is_file() and old not in wanted and not old.name.endswith(".new"):
                old.unlink()


def nbgrader(*arguments: str) -> str:
    """Run an nbgrader command in the course and return what it prints.

    Raises:
        BuildError: with its output, when it fails.
    """
    # nbgrader calls `alembic` by name: it lies beside the interpreter.
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise BuildError(f"nbgrader {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def without_outputs(path: Path) -> str:
    """A generated notebook without what running it left behind."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata = nbformat.read(SOURCE, as_version=4).metadata
    return dumps(notebook)


def set_aside_a_learners_work() -> None:
    """Keep the workshop.ipynb that somebody worked in: this folder is also where people learn alone."""
    mine, released = ROOT / "workshop.ipynb", RELEASE / "workshop.ipynb"
    if mine.exists() and released.exists() and mine.read_bytes() != released.read_bytes():
        number = 1
        while (kept := ROOT / f"workshop-mine-{number}.ipynb").exists():
            number += 1
        mine.rename(kept)
        print(f"workshop.ipynb held somebody's work: it is now {kept.name}")


def build() -> None:
    """Regenerate everything.

    Raises:
        BuildError: with what to do. The release that was there is kept then.
    """
    update_source()
    copy_support(SOURCE.parent)
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".build-") as scratch:
        print("generating the release ...", flush=True)
        nbgrader("generate_assignment", "workshop", "--force", f"--CourseDirectory.release_directory={scratch}/release")
        made = Path(scratch) / "release" / "workshop"
        write(made / "workshop.ipynb", without_outputs(made / "workshop.ipynb"))
        print("generating the solution ...", flush=True)
        # Its cells run when it is validated; running them twice would prove nothing more.
        nbgrader(
            "generate_solution",
            "workshop",
            "--force",
            f"--CourseDirectory.solution_directory={scratch}/solutions",
            "--Execute.enabled=False",
        )
        solved = Path(scratch) / "solutions" / "workshop"
        print("validating the solution ...", flush=True)
        verdict = nbgrader("validate", str(solved / "workshop.ipynb"))
        if "Success! Your notebook passes all the tests." not in verdict:
            raise BuildError(f"The reference solution does not pass:\n{verdict}")
        write(SOLUTION, without_outputs(solved / "workshop.ipynb"))
        copy_support(SOLUTION.parent)
        set_aside_a_learners_work()
        write(ROOT / "workshop.ipynb", (made / "workshop.ipynb").read_text(encoding="utf-8"))
        RELEASE.parent.mkdir(exist_ok=True)
        if RELEASE.exists():
            RELEASE.rename(Path(scratch) / "old")
        made.rename(RELEASE)
    print(f"made {RELEASE}, workshop.ipynb and {SOLUTION}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Generate the release and the solution from source/workshop.py.")
    parser.add_argument("--support", action="store_true", help="only put tests.py and the like into source/workshop")
    try:
        if parser.parse_args().support:
            copy_support(SOURCE.parent)
        else:
            build()
    except BuildError as error:
        sys.exit(str(error))
