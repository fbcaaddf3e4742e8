"""The course that most tests here grade: a copy of the framework with one assignment, assignments/tiny/, and no other.

So what an author changes in source/ changes no verdict here. It is made once: for all workers of pytest-xdist before
they begin, else when a test first asks for it.
"""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from multiprocessing import util
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "tiny"  # of the assignment
PLACE = "MINITORCH_TESTS_KIT"  # the variable that says where the course lies
AUTHORED = ROOT / "kit_tests" / "assignments" / NAME
FRAMEWORK = [
    *("checks", "grading", "conftest.py", "requirements.txt", "nbgrader_config.py", "source/.template"),
    *("source/build.py", "source/gate.py", "source/make_class.py", "kit_tests/kit.py", "kit_tests/ready.py"),
]


def place() -> str:
    """A folder for the course, which goes with this process."""
    made = tempfile.mkdtemp(prefix="mt-kit-")
    util.Finalize(None, functools.partial(shutil.rmtree, made, ignore_errors=True), exitpriority=-1)
    return made


@functools.cache
def course() -> Path:
    """The course's folder. Its code is a copy: each module looks for what it needs beside its own file."""
    if PLACE not in os.environ:
        os.environ[PLACE] = place()
    folder = Path(os.environ[PLACE]) / "course"
    with open(folder.with_name("lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            scratch = folder.with_name("scratch")
            _make(scratch)
            scratch.rename(folder)
    return folder


def copied(names: Iterable[str], folder: Path) -> Path:
    """A folder with copies of files and folders of this repository, in the same places."""
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def _make(folder: Path) -> None:
    copied(FRAMEWORK, folder)
    shutil.copytree(AUTHORED, folder / "source" / NAME, ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run([sys.executable, "source/build.py", NAME], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
