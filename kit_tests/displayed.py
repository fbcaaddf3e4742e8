"""What holds of every picture that a notebook shows, whichever front end shows it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any


def svgs(forms: dict[str, Any]) -> list[str]:
    """The pictures of what is displayed, each as text."""
    return re.findall(r"<svg.*?</svg>", forms["text/html"], re.DOTALL)


def fit_for_every_front_end(forms: dict[str, Any]) -> list[ET.Element]:
    """No scripts, the colors of the page, a description of each picture, all words in the text, too: the pictures."""
    page, text = forms["text/html"], forms["text/plain"]
    assert len(text) > 60
    assert not re.search(r"(?i)<script|\son\w+=|javascript:|@import|https?://(?!www.w3.org/2000/svg)", page)
    assert "var(--vscode-foreground, var(--jp-content-font-color1, currentColor))" in page
    found = [ET.fromstring(each) for each in svgs(forms)]
    assert found
    for picture in found:
        assert picture.get("role") == "img" and len(picture.get("aria-label")) > 20
        wide, tall = float(picture.get("width")), float(picture.get("height"))
        assert wide <= 780
        for element in picture.iter():
            for name, most in (("x", wide), ("cx", wide), ("y", tall), ("cy", tall)):
                assert -1 <= float(element.get(name, 0)) <= most + 1, element.attrib
    return found
