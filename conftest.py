"""`pytest tests.py --notebook my.ipynb`: the tests of a notebook, one result for each section."""

from __future__ import annotations

import contextlib
import inspect
import os
from pathlib import Path
from typing import Any

import pytest

NAMES = ["MyTensor", "MyModule", "Parameter", "matmul", "Linear", "ReLU", "SGD", "MSELoss", "SuperModel", "train"]


def pytest_addoption(parser: pytest.Parser) -> None:
    with contextlib.suppress(ValueError):  # a conftest.py in a folder above has already added it
        parser.addoption("--notebook", default="workshop.ipynb", help="the notebook that tests.py tests")


class NotebookTests:
    """Gives the notebook's names to the functions of tests.py, and fails those that do not earn all points."""

    def __init__(self, config: pytest.Config) -> None:
        self.path = Path(config.getoption("--notebook"))
        self.names: dict[str, Any] | None = None
        self.failures: list[str] = []

    def find(self, name: str) -> Any:
        if self.names is None:
            from checks.notebook import names_of

            os.environ.setdefault("MPLBACKEND", "agg")
            self.names, self.failures = names_of(self.path)
        return self.names.get(name)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        if pyfuncitem.path.name != "tests.py":
            return None
        given = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
        for name in set(inspect.signature(pyfuncitem.obj).parameters) - {*given, "seed"}:  # pytest fills no defaults
            given[name] = self.find(name)
        score = pyfuncitem.obj(**given)
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
