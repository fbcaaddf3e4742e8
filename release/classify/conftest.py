"""`pytest tests.py --notebook my.ipynb`: the tests of a notebook, one result for each section."""

from __future__ import annotations

import contextlib
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    with contextlib.suppress(ValueError):  # a conftest.py in a folder above has already added it
        parser.addoption("--notebook", help="the notebook that tests.py tests; by default the only one in this folder")


class Test(pytest.Function):
    """A function of tests.py, which is given a notebook's names: pytest would look for fixtures."""

    def __init__(self, *, function: Callable[..., Any], **options: Any) -> None:
        super().__init__(callobj=lambda: None, **options)
        self.function_of_tests = function

    def score(self, find: Callable[[str], Any]) -> Any:
        """What it gives for names that `find` finds."""
        wanted = inspect.signature(self.function_of_tests).parameters
        return self.function_of_tests(**{name: find(name) for name in wanted if name not in ("seed", "until")})


class NotebookTests:
    """Gives the notebook's names to the functions of tests.py, and fails those that do not earn all points.

    A test runs where the notebook calls it: what cells below it define anew is not tested, nor used. One that the
    notebook does not call runs at its end.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.notebook: str | None = config.getoption("--notebook")
        self.names: dict[str, Any] | None = None
        self.items: dict[str, Test] = {}
        self.scores: dict[str, Any] = {}  # of tests that the notebook calls
        self.failures: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(self, collector: pytest.Collector, name: str, obj: Any) -> Test | None:
        if collector.path.name != "tests.py" or not name.startswith("test_") or not inspect.isfunction(obj):
            return None
        return Test.from_parent(collector, name=name, function=obj)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items = {item.name: item for item in session.items if isinstance(item, Test)}

    def find(self, name: str) -> Any:
        """What a name stands for at the end of the notebook."""
        if self.names is None:
            from checks.notebook import names_of, the_notebook

            os.environ.setdefault("MPLBACKEND", "agg")
            try:
                path = Path(self.notebook) if self.notebook else the_notebook(Path())
                self.names, self.failures = names_of(path, at_test=self._test)
            except ValueError as error:
                pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
        return self.names.get(name)

    def _test(self, test: str, names: dict[str, Any]) -> None:
        if item := self.items.get(test):
            self.scores[test] = item.score(names.get)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        if not isinstance(pyfuncitem, Test):
            return None
        self.find("")  # a test that the notebook calls runs then
        score = self.scores.get(pyfuncitem.name)
        if score is None:
            score = pyfuncitem.score(self.find)
        if score.report.practice and not score.report.passed:  # nothing depends on it
            pytest.skip(score.report.as_text().split("\n", 1)[0])
        if score < score.report.points:
            notes = "".join(f"\n\nNote: {failure}" for failure in self.failures)
            pytest.fail(score.report.as_text() + notes, pytrace=False)
        return True


def pytest_configure(config: pytest.Config) -> None:
    if not config.pluginmanager.hasplugin("notebook-tests"):
        config.pluginmanager.register(NotebookTests(config), "notebook-tests")
