"""A wrong solution: a small named change to a correct one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, init=False)
class Wrong:
    """A wrong solution.

    Attributes:
        name: unique.
        accepted: ids of known mistakes, any of which names it; none where no listed mistake describes it.
        section: id of the section that loses points.
        costs: ids of the checks that fail because of it.
        changes: texts of the correct solution, and what replaces them.
        style: the correct solution: "reference", or the name of a file in correct/.
    """

    name: str
    accepted: tuple[str, ...]
    section: str
    costs: frozenset[str]
    changes: tuple[tuple[str, str], ...]
    style: str

    def __init__(
        self, name: str, mistake: str, section: str, costs: str, *changes: tuple[str, str], style: str = "reference"
    ) -> None:
        accepted = tuple(id for id in mistake.split(" & ") if id)
        values = (name, accepted, section, frozenset(costs.split()), changes, style)
        for key, value in zip(self.__dataclass_fields__, values, strict=True):
            object.__setattr__(self, key, value)


@dataclass(frozen=True)
class Blind:
    """A wrong solution by somebody who has seen the notebook only.

    Attributes:
        name: kebab-case, unique in its corpus.
        style: the right solution that it changes: the name of a file in its corpus' folder right/.
        section: where it must be caught: the first section whose promise it breaks.
        kind: of slip, such as "rule", "walk" or "memory".
        truth: what is wrong, in one sentence, as a tutor says it who has seen the code.
        changes: texts of the right solution, and what replaces them.
        nameable: whether a tutor could say it who sees the behavior only.
    """

    name: str
    style: str
    section: str
    kind: str
    truth: str
    changes: tuple[tuple[str, str], ...]
    nameable: bool = True
