"""Pages that an instructor opens in a browser: one file each, which loads nothing and runs nothing.

They follow the browser's theme, and print in black on white. Templates are Jinja2's, in templates/; whatever comes from
learners is escaped, by Jinja2, in all of them.
"""

from __future__ import annotations

import functools
import os
import tempfile
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).resolve().parent / "templates"
DESK = "desk"  # the folder of what is made for a person to look at, or to upload


@functools.cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(name: str, **values: Any) -> str:
    """The page that a template makes."""
    return _templates().get_template(f"{name}.html").render(**values)


def write(place: Path, content: str | bytes) -> Path:
    """Write a file as a whole or not at all; its place."""
    place.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    descriptor, beside = tempfile.mkstemp(prefix=f".{place.name}.", suffix=".new", dir=place.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), 0o600)  # whoever else uses the machine need not read of learners
        os.replace(beside, place)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    return place
