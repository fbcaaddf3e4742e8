"""What tests of pictures share: what is displayed."""

from __future__ import annotations

from typing import Any

import answers  # noqa: F401 - it says where the others lie
import pytest

import tests
from checks import drawing, pictures, progress, svg
from workshop import drawing as tensor_drawing

ABX = {"a": [[1.5, -2.0], [0.5, 3.0]], "x": [[2.0, 1.0], [1.0, 4.0]], "b": [1.0, -1.0]}


@pytest.fixture(name="shown")
def what_is_shown(monkeypatch) -> list[dict[str, Any]]:
    """What is displayed."""
    forms: list[dict[str, Any]] = []
    for module in (svg, drawing, pictures, progress, tensor_drawing):
        monkeypatch.setattr(module, "show", forms.append)
    return forms


def shown_by(shown: list[dict[str, Any]], code: str, names: dict[str, Any]) -> dict[str, Any]:
    """What code shows last, run as a cell."""
    exec(code, {**names, "tests": tests})
    return shown.pop()


def leaves(MyTensor: Any, **values: Any) -> dict[str, Any]:
    return {name: MyTensor(value, requires_grad=True) for name, value in values.items()}
