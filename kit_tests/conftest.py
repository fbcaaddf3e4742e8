"""What several tests of the kit share: the course's folders, and the names of the reference and of other solutions."""

from __future__ import annotations

import builtins
import functools
import os
import re
import sys
from pathlib import Path
from typing import Any

import jupytext
import pytest

os.environ["MPLBACKEND"] = "agg"  # before anything imports matplotlib

ROOT = Path(__file__).resolve().parent.parent
AUTHORS = ROOT / "source" / "workshop" / "author"  # the workshop's text, corpora and promises
sys.path[:0] = [str(ROOT), str(ROOT / "source"), str(AUTHORS.parent), str(AUTHORS)]

TEXT = AUTHORS / "text.py"
ANSWERS = ["tensor", "module", "matmul", "layers", "optimizer", "loss", "model"]
REGION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?### END SOLUTION", re.MULTILINE | re.DOTALL)


@functools.cache
def authored() -> tuple[tuple[str, str], ...]:
    """(grade_id, source) of the answer cells, with solution markers."""
    cells = jupytext.reads(TEXT.read_text(encoding="utf-8"), fmt="py:percent").cells
    sources = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in cells}
    return tuple((name, sources[name]) for name in ANSWERS)


def solved_texts(*changes: tuple[str, str], **cells: str) -> list[tuple[str, str]]:
    """(file name, source) of what defines the reference, after replacing texts in it or whole answer cells.

    The `model` cell trains: of it only what comes before is there.
    """
    texts = [("<setup>", "import numpy as np\nfrom tqdm import tqdm")]
    left = dict(changes)
    for name, source in authored():
        source = cells.get(name, source)
        for old in list(left):
            if old in source:
                source = source.replace(old, left.pop(old))
        if name == "model":
            source = source.split("\nnp.random.seed(0)")[0]
        texts.append((f"<{name}>", source))
    assert not left, f"not in the reference: {list(left)}"
    return texts


def solved(*changes: tuple[str, str], **cells: str) -> dict[str, Any]:
    """The names that the reference defines, after the changes."""
    return defined(solved_texts(*changes, **cells))


def defined(texts: list[tuple[str, str]]) -> dict[str, Any]:
    """The names that sources define, one after the other."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for file, source in texts:
        exec(compile(source, file, "exec"), names)
    return names


def untouched() -> dict[str, Any]:
    """The names that the untouched release defines."""
    return solved(**{name: REGION.sub(r"\1...", source) for name, source in authored()})


def names_for(section: Any, names: dict[str, Any]) -> dict[str, Any]:
    """Of all names, those that a section's test is given; None for Python's own, which a solution may do without."""
    return {name: names.get(name) if hasattr(builtins, name) else names[name] for name in section.takes}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz", type=float, default=0.0, help="seconds that each random test goes on for at least")
    parser.addoption("--attack", action="append", default=[], help="an attack of attacks.py: only it, or only these")
    parser.addoption("--fuzz-seed", type=int, default=0, help="what random tests try")


def pytest_configure(config: pytest.Config) -> None:
    """One course, and one process for its commands, for all workers of pytest-xdist."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        import kit
        import ready

        os.environ[kit.PLACE] = kit.place()
        os.environ[ready.PLACE] = ready.place()


# Files that take longest, the longest first: else the last of them would be waited for in the end.
LONGEST = (
    *("attacks", "feedback", "author", "blind", "class", "faults", "seeds", "desk", "grading", "cluster", "jail"),
    *("displays", "release", "assignments", "exchange", "follow", "judge", "asserts", "training", "notebook"),
    *("outputs", "docs", "cgroups", "calls"),
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files come first, and are marked so. With --attack only the tests of these attacks are left."""
    places = {f"test_{name}": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))
    for item in items:
        if item.path.stem in places:
            item.add_marker("long")
    wanted = {*config.getoption("--attack")}
    if not wanted:
        return
    left = [item for item in items if getattr(getattr(item, "callspec", None), "id", None) in wanted]
    if unknown := wanted - {item.callspec.id for item in left}:
        raise pytest.UsageError(f"--attack: attacks.py has no {', '.join(sorted(unknown))}")
    config.hook.pytest_deselected(items=[item for item in items if item not in left])
    items[:] = left


@pytest.fixture(scope="session")
def reference() -> dict[str, Any]:
    return solved()


@pytest.fixture(scope="module")
def kernel() -> Any:
    """A jailed kernel to try code in."""
    from jailed import Kernel

    from grading import jail

    assert jail.probe().name == "bubblewrap", jail.probe().why
    made = Kernel()
    yield made
    made.close()
