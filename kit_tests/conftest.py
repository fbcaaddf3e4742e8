"""What several tests of the framework share: the course's folders, the processes that are ready, what comes first."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

os.environ["MPLBACKEND"] = "agg"  # before anything imports matplotlib

ROOT = Path(__file__).resolve().parent.parent
WORKSHOP = ROOT / "source" / "workshop"  # the assignment that many tests take for an example
sys.path[:0] = [str(ROOT), str(ROOT / "source"), str(WORKSHOP), str(WORKSHOP / "author")]


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


# Files that take longest, the longest first: else the last of them would be waited for in the end. An assignment's own
# tests, in source/, say so themselves: pytestmark = pytest.mark.long.
LONGEST = (
    *("attacks", "author", "site", "class", "faults", "desk", "grading", "cluster", "jail", "displays", "release"),
    *("assignments", "exchange", "follow", "judge", "asserts", "notebook", "outputs", "journal", "docs", "cgroups"),
    *("calls", "feedback_pages", "by_hand", "dates", "term", "history"),
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files come first, and are marked so. With --attack only the tests of these attacks are left."""
    places = {f"test_{name}": place for place, name in enumerate(LONGEST)}
    for item in items:
        if item.path.stem in places:
            item.add_marker("long")
    items.sort(key=lambda item: places.get(item.path.stem, -1 if item.get_closest_marker("long") else len(places)))
    wanted = {*config.getoption("--attack")}
    if not wanted:
        return
    left = [item for item in items if getattr(getattr(item, "callspec", None), "id", None) in wanted]
    if unknown := wanted - {item.callspec.id for item in left}:
        raise pytest.UsageError(f"--attack: attacks.py has no {', '.join(sorted(unknown))}")
    config.hook.pytest_deselected(items=[item for item in items if item not in left])
    items[:] = left


@pytest.fixture(scope="module")
def kernel() -> Any:
    """A jailed kernel to try code in."""
    from jailed import Kernel

    from grading import jail

    assert jail.probe().name == "bubblewrap", jail.probe().why
    made = Kernel()
    yield made
    made.close()
