"""Every promise of the notebook is asked by checks, and its checks can be lost without any others."""

from __future__ import annotations

import re

import proof
import pytest
from answers import TEXT, authored, cells, names_for
from promised import Notebook, Promise, Table, flat
from promises import NOTHING, PARAGRAPHS, PROMISES

pytestmark = pytest.mark.long

NOTEBOOK = Notebook(
    [cell.source for cell in cells() if cell.cell_type == "markdown"],
    [source for _, source in authored()],
    "### My automatic differentiation",  # between them is what learners build
    "## Conclusion",
    PARAGRAPHS,
)
TABLE = Table(PROMISES, NOTHING, proof.ALL_SECTIONS, lambda name, of: names_for(of, proof.solution(name)))


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


SOURCES = {
    "behaviour": behaviour,
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
    assert not TABLE.not_in([flat(text) for _, text in sections()] + NOTEBOOK.docstrings())
    assert not [start for start in PARAGRAPHS if not any(text.startswith(start) for text in NOTEBOOK.paragraphs())]


def test_every_check_asks_a_promise():
    assert not TABLE.unasked()


@pytest.mark.parametrize("promise", TABLE.rows, ids=lambda promise: promise.quote[:60])
def test_a_wrong_solution_loses_the_checks_of_a_promise_and_no_others(promise: Promise):
    TABLE.assert_lost_alone(promise, proof.WRONG[promise.broken_by].section)
