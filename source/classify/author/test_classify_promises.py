"""Every promise of the notebook is asked by checks, and its checks can be lost without any others; times add up."""

from __future__ import annotations

import functools
import re
from typing import Any

import classify_blind
import classify_proof as proof
import jupytext
import pytest
from classify_corpus import Wrong
from classify_promises import NOTHING, PARAGRAPHS, PROMISES
from promised import Notebook, Promise, Table, flat

from checks.section import Section

pytestmark = pytest.mark.long

CELLS = jupytext.reads((proof.AUTHORS / "text.py").read_text(encoding="utf-8"), fmt="py:percent").cells
TEXTS = [cell.source for cell in CELLS if cell.cell_type == "markdown"]
NOTEBOOK = Notebook(
    TEXTS,
    [cell.source for cell in CELLS if proof.ANSWER.items() <= cell.metadata.get("nbgrader", {}).items()],
    "## Functions",  # between them is what learners build
    "## The digits again",
    PARAGRAPHS,
)


@functools.cache
def blind() -> dict[str, tuple[str, Wrong | tuple[str, str]]]:
    """Of wrong solutions that were written blind, the section, and what they are made of."""
    found: dict[str, Any] = {wrong.name: (wrong.section, wrong) for wrong, _ in classify_blind.written()}
    for corpus in classify_blind.CORPORA:
        for wrong in classify_blind.changed(corpus):
            text = classify_blind.text_of(corpus, wrong.style, wrong.changes)
            found[f"{corpus}: {wrong.name}"] = (wrong.section, text)
    return found


def section_of(name: str) -> str:
    return proof.BY_NAME[name].section if name in proof.BY_NAME else blind()[name][0]


def names(name: str, section: Section) -> dict[str, Any]:
    """Those of a wrong solution that a section's test is given."""
    if name in proof.BY_NAME:
        found = proof.solution(name)
    elif isinstance(made := blind()[name][1], str):
        found = proof.beside_its_library(made)
    else:
        found = proof.defined([*proof.sources("reference"), (name, made.code)])
    return {each: found[each] for each in section.takes}


TABLE = Table(PROMISES, NOTHING, proof.SECTIONS, names)
SOURCES = {
    "docstrings": NOTEBOOK.docstrings,
    "paragraphs": NOTEBOOK.paragraphs,
    "sentences": NOTEBOOK.sentences,
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_word_of_it_is_in_the_table_or_promises_nothing(source):
    texts = SOURCES[source]()
    assert texts
    assert not TABLE.not_in_it(texts)


def test_all_that_the_table_quotes_is_in_the_notebook():
    texts = [flat(part) for text in TEXTS for part in text.split("\n\n")]
    assert not TABLE.not_in([*NOTEBOOK.parts, *NOTEBOOK.docstrings(), *texts, *map(flat, (c.source for c in CELLS))])
    assert not [start for start in PARAGRAPHS if not any(text.startswith(start) for text in NOTEBOOK.paragraphs())]


def test_every_check_asks_a_promise():
    assert not TABLE.unasked()


@pytest.mark.parametrize("promise", TABLE.rows, ids=lambda promise: promise.quote[:60])
def test_a_wrong_solution_loses_the_checks_of_a_promise_and_no_others(promise: Promise):
    TABLE.assert_lost_alone(promise, section_of(promise.broken_by))


def test_the_minutes_of_steps_sections_and_all_add_up():
    (summary,) = [text for text in TEXTS if text.startswith("## Summary")]
    minutes = {
        name: int(count) for name, count in re.findall(r"^\| ([A-Z][\w -]+) \|.*\| (\d+) \|$", summary, re.MULTILINE)
    }
    assert len(minutes) == 7 and sum(minutes.values()) == 270 and "Four and a half hours in all." in summary
    told = re.split(r"^## (.+)$", "\n\n".join(TEXTS), flags=re.MULTILINE)
    for name, text in zip(told[1::2], told[2::2], strict=True):
        if says := re.search(r"^\*(?:Building|Playing), (\d+) minutes", text, re.MULTILINE):
            assert int(says[1]) == minutes[name], name
        if steps := re.findall(r"^\*(\d+) minutes\.\*", text, re.MULTILINE):
            assert sum(map(int, steps)) == minutes[name], name
