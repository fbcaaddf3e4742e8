"""The texts that learners read: short enough between two cells, code that fits a narrow page, a report as it is."""

from __future__ import annotations

import re

import pytest
from answers import AUTHORS, cells, names_for, solved

import tests

BEFORE_A_TEST, IN_ALL = 5, 40  # minutes: before the first test, and in the whole notebook
WIDEST = 100  # characters of a line of code: more scrolls sideways
MINUTES, WORDS_A_MINUTE = 5, 200  # of reading before the next cell to run
CELLS = cells()


def read_before_cells() -> list[tuple[str, int]]:
    """(first words, number of words) of the text before each cell to run, without what is folded: it is not for all."""
    texts = [""]
    for cell in CELLS:
        if cell.cell_type == "markdown":
            texts[-1] += "\n\n" + cell.source
        else:
            texts.append("")
    found = []
    for text in texts:
        told = re.sub(r"<details>.*?</details>|^```.*?^```|!\[|\]\([^)]*\)", "", text, flags=re.DOTALL | re.MULTILINE)
        words = re.findall(r"[^\W\d_]+", told)
        found.append((" ".join(words[:6]), len(words)))
    return found


READ = read_before_cells()


@pytest.mark.parametrize(("begins", "words"), [(begins, words) for begins, words in READ if words])
def test_no_text_before_a_cell_takes_more_than_five_minutes(begins, words):
    assert words <= MINUTES * WORDS_A_MINUTE


def test_the_first_test_comes_soon_and_the_whole_is_read_in_forty_minutes():
    code = [cell.source for cell in CELLS if cell.cell_type == "code"]
    first = next(n for n, source in enumerate(code) if source.startswith("tests.test_"))
    words = [words for _, words in READ]
    assert sum(words[: first + 1]) <= BEFORE_A_TEST * WORDS_A_MINUTE
    assert sum(words) <= IN_ALL * WORDS_A_MINUTE


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
    assert sum(parts) + 5 == told["Make a model!"] and f"5 for what follows, {sum(parts)} for the five parts" in model
    hours = sum(summary.values()) / 60
    assert 4.75 <= hours <= 5 and "some five hours" in " ".join(text.split())


def test_the_report_that_learners_are_shown_is_one_that_the_checks_give():
    page = (AUTHORS / "learner.md").read_text(encoding="utf-8")
    shown = re.search(r"^```text\n(ReLU: .*?)\n```", page, re.MULTILINE | re.DOTALL)[1]
    head, _, *rest = shown.split("\n")  # the second line adds up other sections, too
    seed = int(re.search(r"seed=(\d+)", shown)[1])
    report = tests.RELU.run(names_for(tests.RELU, solved(("np.where(x.data > 0, base, 0)", "base"))), seed)
    assert "\n".join([head, *rest]) == report.as_text()
