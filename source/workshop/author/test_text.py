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


def minutes(text: str) -> int:
    """What a line in italics below a heading says first."""
    return int(re.search(r"^\*[^*]*?(\d+) minutes", text, re.MULTILINE)[1])


def test_the_minutes_of_the_parts_add_up_to_those_of_the_summary():
    text = "\n".join(cell.source for cell in CELLS if cell.cell_type == "markdown")
    rows = re.findall(r"^\| (?:\.\.\. )?([A-Z][^|]+) \|.*\| (\d+) \|$", text, re.MULTILINE)
    summary = {name: int(n) for name, n in rows}
    below = dict(re.findall(r"^(#+ .+?)\n+(?=(\*[^*\n]*\d+ minutes[^*\n]*\*))", text, re.MULTILINE))
    told = {heading.lstrip("# "): minutes(line) for heading, line in below.items()}
    assert {name: summary[name] for name in told if name in summary} == {n: told[n] for n in told if n in summary}
    assert len({*told} & {*summary}) == len(summary) - 2  # Set-up and Conclusion are said in the Summary alone
    steps = [n for name, n in told.items() if name.startswith("Step ")]
    assert len(steps) == 5 and f"Then building, in five steps, {sum(steps)} minutes" in text
    model = text[text.index("## Make a model!") : text.index("## Conclusion")]
    parts = [int(n) for n in re.findall(r"^\*[^*\n]*?(\d+) minutes\.\*$", model, re.MULTILINE)]
    assert sum(parts) + 10 == told["Make a model!"] and f"10 for what follows, {sum(parts)} for the five parts" in model
    hours = sum(summary.values()) / 60
    assert 7.25 <= hours <= 7.5 and "some seven and a half hours" in text
