"""What tests of pictures share: what is displayed, and what holds of every picture."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
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


def svgs(forms: dict[str, Any]) -> list[str]:
    """The pictures of what is displayed, each as text."""
    return re.findall(r"<svg.*?</svg>", forms["text/html"], re.DOTALL)


def fit_for_every_front_end(forms: dict[str, Any]) -> None:
    """No scripts, the colors of the page, a description of each picture, all words in the text, too."""
    page, text = forms["text/html"], forms["text/plain"]
    assert len(text) > 60
    assert not re.search(r"(?i)<script|\son\w+=|javascript:|@import|https?://(?!www.w3.org/2000/svg)", page)
    assert "var(--vscode-foreground, var(--jp-content-font-color1, currentColor))" in page
    found = svgs(forms)
    assert found
    for each in found:
        picture = ET.fromstring(each)
        assert picture.get("role") == "img" and len(picture.get("aria-label")) > 20
        wide, tall = float(picture.get("width")), float(picture.get("height"))
        assert wide <= 780
        for element in picture.iter():
            for name, most in (("x", wide), ("cx", wide), ("y", tall), ("cy", tall)):
                assert -1 <= float(element.get(name, 0)) <= most + 1, element.attrib
