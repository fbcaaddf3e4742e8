"""`pytest tests.py --notebook my.ipynb`: the tests of a notebook, one result for each section."""

from __future__ import annotations

import contextlib
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NAMES = ["MyTensor", "MyModule", "Parameter", "matmul", "Linear", "ReLU", "SGD", "MSELoss", "SuperModel", "train"]


def pytest_addoption(parser: pytest.Parser) -> None:
    with contextlib.suppress(ValueError):  # a conftest.py in a folder above has already added it
        parser.addoption("--notebook", default="workshop.ipynb", help="the notebook that tests.py tests")


def run_test(item: pytest.Function, find: Callable[[str], Any]) -> Any:
    """The score of a test of tests.py on a notebook's names; pytest itself would leave out those with a default."""
    return item.obj(**{name: find(name) for name in inspect.signature(item.obj).parameters if name != "seed"})


class NotebookTests:
    """Gives the notebook's names to the functions of tests.py, and fails those that do not earn all points.

    A test runs where the notebook calls it: what cells below it define anew is not tested, nor used. One that the
    notebook does not call runs at its end.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.path = Path(config.getoption("--notebook"))
        self.names: dict[str, Any] | None = None
        self.items: dict[str, pytest.Function] = {}
        self.scores: dict[str, Any] = {}  # of tests that the notebook calls
        self.failures: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items = {item.name: item for item in session.items if item.path.name == "tests.py"}

    def find(self, name: str) -> Any:
        """What a name stands for at the end of the notebook."""
        if self.names is None:
            from checks.notebook import names_of

            os.environ.setdefault("MPLBACKEND", "agg")
            self.names, self.failures = names_of(self.path, at_test=self._test)
        return self.names.get(name)

    def _test(self, test: str, names: dict[str, Any]) -> None:
        if item := self.items.get(test):
            self.scores[test] = run_test(item, names.get)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        if pyfuncitem.path.name != "tests.py":
            return None
        score = self.scores.get(pyfuncitem.name)
        if score is None:
            score = run_test(pyfuncitem, self.find)
        if score < score.report.points:
            notes = "".join(f"\n\nNote: {failure}" for failure in self.failures)
            pytest.fail(score.report.as_text() + notes, pytrace=False)
        return True


def pytest_configure(config: pytest.Config) -> None:
    if not config.pluginmanager.hasplugin("notebook-tests"):
        config.pluginmanager.register(NotebookTests(config), "notebook-tests")


def _fixture(name: str) -> Any:
    @pytest.fixture(name=name)
    def value(request: pytest.FixtureRequest) -> Any:
        try:
            return request.config.pluginmanager.get_plugin("notebook-tests").find(name)
        except ValueError as error:
            pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)

    return value


for _name in NAMES:
    globals()[_name] = _fixture(_name)
