"""The workshop with other versions of Python: each in a fresh clone with an environment of its own.

    python kit_tests/environments.py python3.11 python3.12 python3.13

In each clone `make grade` installs everything and grades the sample class; then the notebook's first cell is run in two
kernels, one after the other, and once more without torch; and the solutions notebook is run from top to bottom. It
takes some minutes and 6 GB of disk for each version, and cleans up. Status 1 when something is not as it should be.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WARM_SECONDS = 3.0  # that the first cell may take, in a kernel that is not the first
# In a clone's own Python: seconds for each code cell of a notebook, with what it printed or showed.
RUN = """
import json, sys, time
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"][: int(sys.argv[2])]
seen = []
client = NotebookClient(notebook, timeout=600, kernel_name="python3")
with client.setup_kernel():
    for index, cell in enumerate(notebook.cells):
        start = time.perf_counter()
        client.execute_cell(cell, index)
        shown = [o.get("text") or o.get("data", {}).get("text/plain") or o.get("ename", "") for o in cell.outputs]
        seen.append([time.perf_counter() - start, "\\n".join(shown)])
print(json.dumps(seen))
"""


def run(folder: Path, *command: str) -> str:
    """What a command prints.

    Raises:
        SystemExit: when it fails, with what it said.
    """
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed in {folder}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def cells(folder: Path, notebook: str, count: int = 1000) -> list[tuple[float, str]]:
    """(seconds, shown text) of the first code cells of a notebook, run by the clone's own Python."""
    return [tuple(each) for each in json.loads(run(folder, ".venv/bin/python", "-c", RUN, notebook, str(count)))]


def tried(python: str, folder: Path) -> list[str]:
    """Try everything with one Python; a sentence for each thing that is wrong."""
    version = run(ROOT, python, "--version").strip()
    run(ROOT, "git", "clone", "--quiet", str(ROOT), str(folder))
    start = time.perf_counter()
    graded = run(folder, "make", "grade", f"PYTHON={python}")
    seconds = time.perf_counter() - start
    print(f"{version}: make grade in {seconds:.0f} s, with installing", flush=True)
    wrong = []
    expected = json.loads((ROOT / "source" / "workshop" / "author" / "class" / "expected.json").read_text())
    for learner, points in expected.items():
        found = re.search(rf"^\W*{learner}\b.*?([\d.]+)\W*$", graded, re.MULTILINE)
        if found is None or float(found[1]) != sum(points.values()):
            wrong.append(f"{learner} has {found and found[1]} points, not {sum(points.values())}")
    if changed := run(folder, "git", "status", "--short"):
        wrong.append(f"make grade has changed files:\n{changed}")
    ((cold, said),), ((warm, _),) = (cells(folder, "workshop.ipynb", 1) for _ in range(2))
    print(f"{version}: first cell {cold:.2f} s, {warm:.2f} s in the next kernel: {said.strip()}", flush=True)
    if not said.startswith(f"The set-up is complete: {version},") or warm > WARM_SECONDS:
        wrong.append(f"the first cell says in {warm:.1f} s: {said}")
    solved = cells(folder, "solutions/workshop/workshop.ipynb")
    totals = re.findall(r"Workshop so far: ([\d.]+) of ([\d.]+) points", "\n".join(shown for _, shown in solved))
    print(f"{version}: solutions run in {sum(took for took, _ in solved):.0f} s, {' of '.join(totals[-1])} points")
    if len(set(totals[-1])) != 1:
        wrong.append(f"the solutions have {totals[-1]} points")
    run(folder, ".venv/bin/python", "-m", "pip", "uninstall", "--quiet", "--yes", "torch")
    ((_, said),) = cells(folder, "workshop.ipynb", 1)
    print(f"{version}: without torch: {said.strip()}", flush=True)
    if "torch is not installed in this kernel's Python" not in said:
        wrong.append("the first cell does not say that torch is missing")
    return [f"{version}: {each}" for each in wrong]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("pythons", nargs="+", help="interpreters, by name or path")
    options = parser.parse_args()
    wrong = []
    for number, python in enumerate(options.pythons):
        with tempfile.TemporaryDirectory(prefix="minitorch-") as folder:
            wrong += tried(python, Path(folder, str(number)))
    print("\n".join(wrong) or "all is as it should be")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
