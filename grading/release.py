"""`nbgrader generate_assignment`, from the command line and from formgrader, through the gate of source/build.py.

It is what `make release` does then: release, solution, notebook and gradebook change together, or nothing does. A
release that is to lie elsewhere is only made where all is in sync. An assignment that declares nothing is nbgrader's.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbgrader.apps.api
import nbgrader.apps.generateassignmentapp
from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import NbGraderException
from traitlets import Bool

from checks import facts
from grading import assignments

BUILD = assignments.ROOT / "source" / "build.py"


class ProvedAssignment(GenerateAssignment):
    """In place of nbgrader's: what is declared in source/ is proved first."""

    proved = Bool(False, help="Whether it has been proved: source/build.py says so.").tag(config=True)

    def start(self) -> None:
        name, root = self.coursedir.assignment_id, Path(self.coursedir.root)
        ours = (root / self.coursedir.source_directory).resolve() == assignments.SOURCE
        is_there = Path(self._format_dest(name, ".")).exists() and not self.force
        if self.proved or not ours or name not in facts.declared(assignments.SOURCE) or is_there:
            super().start()  # which leaves a release that is there as it is
            return
        own = (root / self.coursedir.release_directory).resolve() == assignments.ROOT / "release"
        command = [sys.executable, str(BUILD), name, "--db", self.coursedir.db_url, *([] if own else ["--prove"])]
        # The packages of an assignment may have changed since this process began: formgrader's runs for days.
        done = subprocess.run(command, env={**os.environ, "PYTHONIOENCODING": "utf-8"}, capture_output=True)
        said = (done.stderr if done.returncode else done.stdout).decode("utf-8", "replace").strip()
        if done.returncode:
            self.log.error("%s\nNothing was changed.", said)
            raise NbGraderException(said)
        self.log.warning("%s", said)
        if not own:
            super().start()


def configure(config: Any) -> None:
    """Have nbgrader generate in this way."""
    for place in (nbgrader.apps.generateassignmentapp, nbgrader.apps.api):
        place.GenerateAssignment = ProvedAssignment
