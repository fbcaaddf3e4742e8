"""What lies beside this notebook and is made of the first one: its library as a module, and its data.

`source/build.py` asks for it, and writes it into source/classify/.
"""

from __future__ import annotations

import re
from pathlib import Path

import jupytext

from checks.reading import MARKER

CELLS = [
    *("data", "unbroadcast", "rules", "operators", "tensor"),
    *("module", "matmul", "layers", "optimizer", "loss", "train"),
]
SHOWN = re.compile(r"^(import matplotlib.pyplot as plt|import tests)\n?", re.MULTILINE)  # no answer needs them
DATA = ("README.md", "digits.npz", "reader.npz")
ABOUT = '''\
"""The library of the first notebook, as a module: tensors that differentiate themselves, and what is built on them.

    from minitorch import Linear, MyTensor, matmul

Its cells are those of the workshop's solution, one after the other; the last part is for notebooks that go on with it.
Generated: `python source/build.py classify` writes it from source/workshop/author/text.py.
"""
'''


def made(source: Path) -> dict[str, bytes]:
    """Files by name, relative to this assignment's folder.

    Args:
        source: the folder of all assignments.
    """
    workshop = source / "workshop"
    more = (source / "classify" / "author" / "library.py").read_text(encoding="utf-8")
    text = library((workshop / "author" / "text.py").read_text(encoding="utf-8"), more)
    data = {f"data/{name}": (workshop / "data" / name).read_bytes() for name in DATA}
    return {"minitorch.py": text.encode(), **data}


def library(text: str, more: str) -> str:
    """The module: the set-up and the answer cells of the first notebook's text, and what comes after them."""
    cells = jupytext.reads(text, fmt="py:percent").cells
    marked = {cell.metadata["nbgrader"]["grade_id"]: cell.source for cell in cells if "nbgrader" in cell.metadata}
    parts = [f"# ---- {name}\n\n\n{_plain(marked[name])}" for name in CELLS]
    parts.append(more.partition('"""\n')[2].strip())
    return f"{ABOUT}\n{SHOWN.sub('', marked['setup']).strip()}\n\n" + "\n\n\n".join(parts) + "\n"


def _plain(cell: str) -> str:
    return MARKER.sub("", cell).strip()
