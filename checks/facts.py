"""What tools have to know of an assignment before they can import it: the file assignment.toml.

A Python that is too old can read this file, too, down to 3.8: the notebook's first cell says then that it is.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, fields
from pathlib import Path

NAME = "assignment.toml"


PATTERNS = [
    ("packages", r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", "the name of a package, as pip installs it"),
    ("optional", r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", "the name of a package, as pip installs it"),
    ("hidden", r"[A-Za-z_]\w*", "a name to import, without a dot"),
    ("builds_on", r"[A-Za-z_]\w*", "the name of an assignment"),
    ("files", r"(?!/)(?!.*(^|/)\.\.(/|$)).+", "a file beside the notebook"),
]


@dataclass(frozen=True)
class Facts:
    """The facts of one assignment.

    Attributes:
        title: a word or two, as in "Statistics so far: 12 of 100 points".
        packages: that its notebook needs, for its first cell to look for.
        optional: those of them that only cells that show something need: no test does.
        files: beside the notebook, without one of which a learner has not the whole folder.
        hidden: what learners' code cannot import while it is graded, by the names to import it; None: what
            differentiates by itself (grading/jail.py).
        builds_on: other assignments whose modules its tests import.
        at_top: whether its notebook also lies in the course's folder, for those who learn alone.
    """

    title: str
    packages: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    hidden: tuple[str, ...] | None = None
    builds_on: tuple[str, ...] = ()
    at_top: bool = False

    @property
    def libraries(self) -> frozenset[str]:
        """The modules and packages among `files`, by the names to import them: what answers go on with."""
        code = [Path(file) for file in self.files if file.endswith(".py")]
        modules = {path.stem for path in code if len(path.parts) == 1}
        packages = {path.parent.name for path in code if path.name == "__init__.py" and len(path.parts) == 2}
        return frozenset(modules | packages) - {*getattr(sys, "stdlib_module_names", ())}


def read(folder: Path) -> Facts:
    """The facts in a folder.

    Raises:
        FileNotFoundError: where there are none.
        ValueError: where they cannot be read, with what is wrong.
    """
    import tomllib

    path = folder / NAME
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # no TOML, no UTF-8
        raise ValueError(f"{path} cannot be read: {error}.") from None
    known = {field.name: field.type for field in fields(Facts)}
    if unknown := found.keys() - known.keys():
        raise ValueError(f"{path} says {sorted(unknown)[0]!r}, which is none of {', '.join(known)}.")
    for name, value in found.items():
        kind = {"title": str, "at_top": bool}.get(name, list)
        if type(value) is not kind or (kind is list and any(type(each) is not str for each in value)):
            wanted = {str: "a text", bool: "true or false", list: "a list of texts"}[kind]
            raise ValueError(f"{path}: {name} is to be {wanted}.")
    if not found.get("title", "").strip():
        raise ValueError(f"{path} gives no title.")
    for name, pattern, what in PATTERNS:
        for each in found.get(name, ()):
            if not re.fullmatch(pattern, each):
                raise ValueError(f"{path}: {name} holds {each!r}, and that is not {what}.")
    return Facts(**{name: tuple(value) if isinstance(value, list) else value for name, value in found.items()})


def declared(source: Path) -> list[str]:
    """The names of all assignments in a folder that declare something."""
    return sorted(path.parent.name for path in source.glob(f"*/{NAME}"))


def family(name: str, source: Path) -> dict[str, Facts]:
    """The facts of an assignment and of those that it builds on, which come first, by their names.

    Raises:
        FileNotFoundError: where one of them has none.
        ValueError: where some cannot be read, or they build on one another.
    """
    found: dict[str, Facts] = {}

    def add(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise ValueError(f"The assignments {', '.join(above)} build on one another: see {NAME}.")
        own = read(source / name)
        for other in own.builds_on:
            add(other, (*above, name))
        found.setdefault(name, own)

    add(name, ())
    return found
