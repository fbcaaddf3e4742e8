"""What a notebook promises, against a table: checks that ask each promise, and a wrong solution that loses them alone.

An author's table quotes the notebook. Its words are looked for in what learners read of what they build: docstrings of
the answer cells, paragraphs and sentences. The tests are in an assignment's own folder.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from checks.observe import Clock, quiet
from checks.reading import REGION
from checks.section import SECTION_SECONDS, Section, judged


@dataclass(frozen=True, init=False)
class Promise:
    """A promise of a notebook.

    Attributes:
        quote: what the notebook says, in its own words; white space does not matter.
        checks: the checks that ask it, "section/check" each.
        broken_by: name of a wrong solution that loses these checks, what stands on them, and nothing else.
    """

    quote: str
    checks: tuple[str, ...]
    broken_by: str

    def __init__(self, quote: str, checks: str, broken_by: str) -> None:
        for key, value in zip(self.__dataclass_fields__, (quote, tuple(checks.split()), broken_by), strict=True):
            object.__setattr__(self, key, value)


def flat(text: str) -> str:
    return " ".join(text.split())


class Notebook:
    """What a notebook says of what learners build, without hints, code and tables.

    Args:
        texts: its Markdown cells, in order.
        answers: the sources of its answer cells, with solution markers.
        starts, ends: the headings between which learners build, as lines.
        paragraphs: how the paragraphs begin that say what a class or function does, beside those that name it.
    """

    def __init__(
        self, texts: Sequence[str], answers: Iterable[str], starts: str, ends: str, paragraphs: tuple[str, ...]
    ) -> None:
        self.starts = paragraphs
        # The answer cells as learners get them.
        self.answers = [ast.parse(REGION.sub(r"\1...", source)) for source in answers]
        (first,), (last,) = (
            [i for i, text in enumerate(texts) if text.startswith(f"{head}\n")] for head in (starts, ends)
        )
        told = "\n\n".join(texts[first:last])  # a blank line parts paragraphs
        told = re.sub(r"<details>.*?</details>|```.*?```|^#.*?$|^\|.*?$", "", told, flags=re.DOTALL | re.MULTILINE)
        self.parts = [flat(part) for part in re.split(r"\n\n|\n(?=- |\d\. )", told)]  # paragraphs and bullets

    def docstrings(self) -> list[str]:
        """Each docstring of an answer cell, in the pieces between its headings."""
        found = []
        for cell in self.answers:
            for node in ast.walk(cell):
                if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and (text := ast.get_docstring(node)):
                    found += [
                        flat(piece) for piece in re.split(r"^(?:Args|Returns|Raises):$", text, flags=re.MULTILINE)
                    ]
        return found

    def paragraphs(self) -> list[str]:
        """The paragraphs that say what a class or function does."""
        return [part for part in self.parts if part.startswith(self.starts)]

    def sentences(self) -> list[str]:
        """The sentences that name, as code, something that an answer cell defines."""
        nodes = [node for cell in self.answers for node in ast.walk(cell)]
        defined = {node.name for node in nodes if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
        found = []
        for part in self.parts:
            if not part.startswith(("**In PyTorch:**", "*Building")):
                for sentence in re.split(r"(?<=[.!?:])\s+(?=[A-Z`*])", part):
                    codes = re.findall(r"`([^`]+)`", sentence)
                    if any(re.split(r"\W", code.rpartition(".")[2])[0] in defined for code in codes):
                        found.append(sentence)
        return found


class Table:
    """An author's table of promises, and of what promises nothing, by the reason."""

    def __init__(
        self,
        promises: Mapping[str, Sequence[Promise]],
        nothing: Mapping[str, Sequence[str]],
        sections: Mapping[str, Section],
        names: Callable[[str, Section], dict[str, Any]],
    ) -> None:
        self.rows = [promise for some in promises.values() for promise in some]
        self.quotes = [promise.quote for promise in self.rows] + [quote for some in nothing.values() for quote in some]
        self.sections, self.names = sections, names
        self.checks = {f"{of.id}/{check.id}": check for of in sections.values() for check in of.checks}
        self.lost = functools.cache(self._lost)

    def not_in_it(self, texts: Iterable[str]) -> dict[str, str]:
        """Texts of the notebook to what is left of them without all that the table quotes."""
        found = {}
        for text in texts:
            left = text
            for quote in sorted(self.quotes, key=len, reverse=True):
                left = left.replace(quote, " ")
            if re.search(r"\w", left):
                found[text] = left
        return found

    def not_in(self, texts: Sequence[str]) -> list[str]:
        """Quotes that no text of the notebook has."""
        return [quote for quote in self.quotes if not any(quote in text for text in texts)]

    def unasked(self) -> set[str]:
        """Checks that no promise names. Random programs ask all of a section's at once."""
        asked = {id for promise in self.rows for id in promise.checks}
        assert asked <= {*self.checks}, asked - {*self.checks}
        return {id for id, check in self.checks.items() if not check.any_program} - asked

    def _lost(self, name: str, section: str, *programs: str) -> dict[str, str]:
        """The checks of a section that a wrong solution does not pass, with their status; of random programs these."""
        of = self.sections[section]
        names = self.names(name, of)
        checks = [check for check in of.checks if not check.any_program or check.id in programs]
        np.random.seed(0)  # of which most solutions draw their weights
        with quiet():
            results, _ = judged(checks, of, names, 0, Clock(SECTION_SECONDS))
        return {f"{section}/{id}": result.status for id, result in results.items() if result.status != "passed"}

    def stands_on(self, id: str, others: set[str]) -> bool:
        """Whether a check needs one of the others, perhaps by way of further ones."""
        section = id.partition("/")[0]
        needs = {f"{section}/{need}" for need in self.checks[id].needs}
        return bool(needs & others) or any(self.stands_on(need, others) for need in needs)

    def assert_lost_alone(self, promise: Promise, section: str) -> None:
        """A wrong solution, of a section, loses the checks of its promise, what stands on them, and no others."""
        found: dict[str, str] = {}
        for one in {id.partition("/")[0] for id in promise.checks} | {section}:
            programs = sorted(id.partition("/")[2] for id in promise.checks if self.checks[id].any_program)
            found |= self.lost(promise.broken_by, one, *programs)
        assert {*promise.checks} <= {*found}, (promise.broken_by, found)
        # What waits is not lost by itself; "needs" does not tell all of it, as some checks look for what works.
        failed = {id for id, status in found.items() if status != "waiting"} - {*promise.checks}
        more = {id for id in failed if not self.stands_on(id, {*promise.checks})}
        assert not more, (promise.broken_by, more)
