"""Every promise of the notebook is asked by checks, and its checks can be lost without any others."""

from __future__ import annotations

import ast
import functools
import re

import numpy as np
import proof
import pytest
from answers import TEXT, authored, cells, names_for
from promises import NOTHING, PARAGRAPHS, PROMISES, Promise

from checks.observe import Clock, quiet
from checks.reading import REGION
from checks.section import SECTION_SECONDS, judged

pytestmark = pytest.mark.long

ROWS = [promise for some in PROMISES.values() for promise in some]
CHECKS = {f"{of.id}/{check.id}": check for of in proof.ALL_SECTIONS.values() for check in of.checks}
STARTS, ENDS = "### My automatic differentiation", "## Conclusion"  # between them is what learners build


def flat(text: str) -> str:
    return " ".join(text.split())


@functools.cache
def building() -> str:
    """What the notebook says of what learners build, without hints, code and tables; a blank line parts paragraphs."""
    texts = [cell.source for cell in cells() if cell.cell_type == "markdown"]
    (first,), (last,) = ([i for i, text in enumerate(texts) if text.startswith(head + "\n")] for head in (STARTS, ENDS))
    told = "\n\n".join(texts[first:last])
    return re.sub(r"<details>.*?</details>|```.*?```|^#.*?$|^\|.*?$", "", told, flags=re.DOTALL | re.MULTILINE)


@functools.cache
def answers() -> tuple[ast.Module, ...]:
    """The answer cells as learners get them."""
    return tuple(ast.parse(REGION.sub(r"\1...", source)) for _, source in authored())


def behaviour() -> list[str]:
    """The bullets of the steps that build `MyTensor`."""
    steps = [text for name, text in sections() if name.startswith("#### Step ")]
    return [
        flat(bullet) for step in steps for bullet in re.findall(r"^- .*?(?=^- |^$)", step, re.DOTALL | re.MULTILINE)
    ]


def sections() -> list[tuple[str, str]]:
    """(heading, text) of the notebook."""
    text = re.sub(r"^# ?", "", TEXT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    parts = re.split(r"^(#+ .*)$", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def docstrings() -> list[str]:
    """Each docstring of an answer cell, in the pieces between the headings Args and Returns."""
    found = []
    for cell in answers():
        for node in ast.walk(cell):
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and (text := ast.get_docstring(node)):
                found += [flat(piece) for piece in re.split(r"^(?:Args|Returns):$", text, flags=re.MULTILINE)]
    return found


def parts() -> list[str]:
    """Paragraphs and bullets."""
    return [flat(part) for part in re.split(r"\n\n|\n(?=- |\d\. )", building())]


def paragraphs() -> list[str]:
    """The paragraphs that say what a class or function does."""
    return [part for part in parts() if part.startswith(PARAGRAPHS)]


def sentences() -> list[str]:
    """The sentences that name, as code, something that an answer cell defines."""
    nodes = [node for cell in answers() for node in ast.walk(cell)]
    defined = {node.name for node in nodes if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    found = []
    for part in parts():
        if not part.startswith(("**In PyTorch:**", "*Building")):
            for sentence in re.split(r"(?<=[.!?:])\s+(?=[A-Z`*])", part):
                codes = re.findall(r"`([^`]+)`", sentence)
                if any(re.split(r"\W", code.rpartition(".")[2])[0] in defined for code in codes):
                    found.append(sentence)
    return found


def left_of(text: str) -> str:
    """A text without what the table quotes of it."""
    quotes = [promise.quote for promise in ROWS] + [quote for some in NOTHING.values() for quote in some]
    for quote in sorted(quotes, key=len, reverse=True):
        text = text.replace(quote, " ")
    return text


@pytest.mark.parametrize("source", [behaviour, docstrings, paragraphs, sentences], ids=lambda source: source.__name__)
def test_every_word_of_it_is_in_the_table_or_promises_nothing(source):
    texts = source()
    assert texts
    left = {text: left_of(text) for text in texts}
    assert not {text: rest for text, rest in left.items() if re.search(r"\w", rest)}


def test_all_that_the_table_quotes_is_in_the_notebook():
    notebook = [flat(text) for _, text in sections()] + docstrings()
    quotes = [promise.quote for promise in ROWS] + [quote for some in NOTHING.values() for quote in some]
    assert not [quote for quote in quotes if not any(quote in text for text in notebook)]
    assert not [start for start in PARAGRAPHS if not any(text.startswith(start) for text in paragraphs())]


def test_every_check_asks_a_promise():
    """Random programs ask all of a section's at once."""
    asked = {id for promise in ROWS for id in promise.checks}
    assert asked <= {*CHECKS}
    unasked = {id for id, check in CHECKS.items() if not check.any_program} - asked
    assert not unasked


@functools.cache
def lost(name: str, section: str, *programs: str) -> dict[str, str]:
    """The checks of a section that a wrong solution does not pass, with their status; of random programs these only."""
    names, of = proof.solution(name), proof.ALL_SECTIONS[section]
    checks = [check for check in of.checks if not check.any_program or check.id in programs]
    np.random.seed(0)  # of which most solutions draw their weights
    with quiet():
        results, _ = judged(checks, of, names_for(of, names), 0, Clock(SECTION_SECONDS))
    return {f"{section}/{id}": result.status for id, result in results.items() if result.status != "passed"}


def stands_on(id: str, others: set[str]) -> bool:
    """Whether a check needs one of the others, perhaps by way of further ones."""
    section = id.partition("/")[0]
    needs = {f"{section}/{need}" for need in CHECKS[id].needs}
    return bool(needs & others) or any(stands_on(need, others) for need in needs)


@pytest.mark.parametrize("promise", ROWS, ids=lambda promise: promise.quote[:60])
def test_a_wrong_solution_loses_the_checks_of_a_promise_and_no_others(promise: Promise):
    found: dict[str, str] = {}
    for section in {id.partition("/")[0] for id in promise.checks} | {proof.WRONG[promise.broken_by].section}:
        programs = sorted(id.partition("/")[2] for id in promise.checks if CHECKS[id].any_program)
        found |= lost(promise.broken_by, section, *programs)
    assert {*promise.checks} <= {*found}
    # What waits is not lost by itself; "needs" does not tell all of it, as some checks look for an operator that works.
    failed = {id for id, status in found.items() if status != "waiting"} - {*promise.checks}
    assert not {id for id in failed if not stands_on(id, {*promise.checks})}
