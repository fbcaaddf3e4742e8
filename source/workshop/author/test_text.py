"""The notebook's text: short enough between two cells, and code that fits a narrow page."""

from __future__ import annotations

import re

import pytest
from answers import cells

WIDEST = 100  # characters of a line of code: more scrolls sideways
MINUTES, WORDS_A_MINUTE = 5, 200  # of reading before the next cell to run
CELLS = cells()


def read_before_a_cell() -> list[tuple[str, int]]:
    """(first words, number of words) of the texts between cells to run, without hints, which open one at a time."""
    texts, found = [""], []
    for cell in CELLS:
        if cell.cell_type == "markdown":
            texts[-1] += "\n\n" + cell.source
        else:
            texts.append("")
    for text in texts:
        told = re.sub(r"<details>.*?</details>|^```.*?^```|!\[|\]\([^)]*\)", "", text, flags=re.DOTALL | re.MULTILINE)
        words = re.findall(r"[^\W\d_]+", told)
        if words:
            found.append((" ".join(words[:6]), len(words)))
    return found


@pytest.mark.parametrize(("begins", "words"), read_before_a_cell())
def test_no_text_before_a_cell_takes_more_than_five_minutes(begins, words):
    assert words <= MINUTES * WORDS_A_MINUTE


def test_no_line_of_code_scrolls_sideways():
    given = [line for cell in CELLS if cell.cell_type == "code" for line in cell.source.split("\n")]
    pasted = [
        line
        for cell in CELLS
        for block in re.findall(r"^```\w+\n(.*?)^```", cell.source, re.DOTALL | re.MULTILINE)
        for line in block.split("\n")
    ]
    assert [line for line in given + pasted if len(line) > WIDEST] == []
