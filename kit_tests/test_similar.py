"""Hand-ins that share more than their common source explains, found in a class of the tiny assignment."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import kit
import pytest
import ready
from course import code_cell, environment, notebook, submission, with_cell
from planted import copied, program

from grading import fingerprints, similar
from grading.fingerprints import GRAM, Class, Code

LEARNERS = 12


def hand_in(top: Path, learner: str, content: Any, name: str = "tiny.ipynb") -> None:
    place = top / learner / "tiny" / name
    place.parent.mkdir(parents=True)
    place.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def work(seed: int) -> dict[str, Any]:
    """A solved notebook with a program of one's own."""
    return with_cell(submission("all", 0), program(seed))


@pytest.fixture(scope="module")
def submitted(tmp_path_factory) -> Path:
    """A class: own work, a copy, two that are the same, what was handed out, what cannot be read, a name to escape."""
    top = tmp_path_factory.mktemp("class") / "submitted"
    for seed in range(LEARNERS):
        hand_in(top, f"learner-{seed:02}", work(seed))
    hand_in(top, "copyist", with_cell(submission("half", 1), copied(program(3), seed=1, altered=0.1)))
    hand_in(top, "twin-a", work(100))
    hand_in(top, "twin-b", work(100))
    hand_in(top, "renamer", with_cell(submission("all", 0), copied(program(5), seed=2)))
    hand_in(top, "<b>eve & co", with_cell(submission("all", 3), copied(program(7), seed=3, altered=0.2)))
    hand_in(top, "untouched-a", notebook())
    hand_in(top, "untouched-b", notebook())
    hand_in(top, "damaged", "{")
    return top


@pytest.fixture(scope="module")
def found(submitted) -> similar.Found:
    course = kit.course()
    return similar.compare("tiny", submitted, course / "source", course / "release")


def command(*options: Any) -> Any:
    return ready.run([sys.executable, "-m", "grading", "similar", *options], env=environment())


# ---------------------------------------------------------------- what is found


def test_planted_copies_are_found_and_nothing_else(found):
    assert {frozenset((pair.left, pair.right)) for pair in found.pairs} == {
        frozenset(("copyist", "learner-03")),
        frozenset(("<b>eve & co", "learner-07")),
    }
    assert all(pair.share > 0.75 and pair.lines > 50 for pair in found.pairs)


def test_a_terminal_gets_the_first_of_many_pairs():
    pairs = [similar.Shared(f"left-{number}", "right", 0.9) for number in range(similar.MOST_LISTED + 3)]
    lines = similar.as_text(similar.Found("tiny", 50, 5, 0.6, [], pairs, [], [])).split("\n")
    assert lines[2].startswith("43 pairs share") and lines[-1] == "and 3 more, on the page"
    assert sum(" and right" in line for line in lines) == similar.MOST_LISTED


def test_what_is_the_same_is_said_at_once(found):
    said = {tuple(group["who"]): group["what"] for group in found.identical}
    assert said[("twin-a", "twin-b")] == "the same file"
    assert said[("learner-05", "renamer")].startswith("the same code, but for names")
    assert len(said) == 2  # what was handed out is nobody's


def test_what_cannot_be_compared_is_said(found):
    assert found.untouched == 2
    ((who, why),) = found.unread
    assert who == "damaged" and "is damaged" in why
    assert "2 hold nothing but what was handed out" in found.compared and "1 could not be read" in found.compared


def test_places_show_the_same_work_on_both_sides(found):
    pair = next(pair for pair in found.pairs if "copyist" in (pair.left, pair.right))
    for place in pair.places:
        left, right = (Code.read(side.shared).numbers.tolist() for side in place)
        assert left == right and len(left) >= GRAM // 2
        assert all(re.match(r"cells? \d+", side.where) for side in place)


def test_what_many_of_a_class_have_is_nobodys(tmp_path):
    for seed in range(10):
        hand_in(tmp_path, f"learner-{seed}", with_cell(work(seed), program(1000)))
    course = kit.course()
    assert not similar.compare("tiny", tmp_path, course / "source", course / "release").pairs


def test_earlier_classes_are_compared_with_this_one_and_not_with_each_other(tmp_path):
    for name, seeds in (("now", (1, 2)), ("before", (3, 4))):
        for seed in seeds:
            hand_in(tmp_path / name, f"learner-{seed}", work(seed))
    hand_in(tmp_path / "now", "copyist", with_cell(submission("all", 5), copied(program(3), 5, altered=0.1)))
    hand_in(tmp_path / "before", "old-copyist", with_cell(submission("all", 6), copied(program(4), 6, altered=0.1)))
    course = kit.course()
    places = (tmp_path / "now", course / "source", course / "release", (tmp_path / "before",))
    (pair,) = similar.compare("tiny", *places).pairs
    assert {pair.left, pair.right} == {"copyist", "before/learner-3"}


# ---------------------------------------------------------------- code, whatever it is


@pytest.mark.parametrize(
    "text",
    [
        "",
        "def",
        '"""never closed',
        "'\\",
        "\\",
        "\0\ud800\n",
        "%timeit x\n!rm -rf /",
        "x = (((",
        "é = 1\n" * 50,
        '"' * 999,
    ],
)
def test_code_of_any_kind_gives_tokens(text):
    assert len(Code.read(text).grams) >= 0


MANY = ["\t", " \n", "\u2003", "\r", "\x1c\f", "'", "\\", "%", "1.", '"' * 3 + "a" + "'" * 3 + "b"]


@pytest.mark.parametrize("many", MANY)
def test_code_takes_a_time_that_grows_with_its_length_only(many):
    """It would be minutes."""
    for end in ("", "\n", "x", "\\", "\u00a0"):
        Code.read("x = 1\n" + many * 150_000 + end)


def test_names_comments_docstrings_layout_and_order_change_nothing():
    one = 'def f(a, b):\n    """Says."""\n    # why\n    for x in a:\n        b = b + x * (2)\n    return [b, "t"]\n'
    other = "def g( left,right, ):\n  for item in left: right=right+item*2;\n  return [right, 'another']"
    first, second = Code.read(one * 2), Code.read(other)
    assert first.own(fingerprints.NONE).tolist() != []
    assert {*first.own(fingerprints.NONE)} >= {*Code.read(one).own(fingerprints.NONE)}
    assert len({*Code.read(one).own(fingerprints.NONE)} & {*second.own(fingerprints.NONE)}) > 5


def test_more_code_than_a_hand_in_has_is_bounded_and_quick():
    code = Code.read("x = 1\n" * 1_000_000)
    assert len(code.text) == fingerprints.MOST_CODE
    texts = [code, Code.read("y = 1\n" * 1000 + program(1)), Code.read("z = 1\n" * 1000 + program(1))]
    together = Class([], texts)
    for pair in together.pairs():
        for place in together.places(pair):
            assert place.length >= GRAM // 2


# ---------------------------------------------------------------- the command


def test_the_command_writes_a_page_and_says_what_it_found(submitted, tmp_path):
    done = command("tiny", "--submitted", submitted, "--to", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "the same file: twin-a, twin-b" in done.stdout
    assert re.search(r"^ *\d+% +\d+  copyist and learner-03$", done.stdout, re.MULTILINE)
    page = (tmp_path / "tiny" / "similar.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;eve &amp; co" in page and "<b>eve" not in page
    assert "<script" not in page and not re.search(r'(src|href)="(?!#)', page)
    kept = json.loads((tmp_path / "tiny" / "similar.json").read_text(encoding="utf-8"))
    assert kept["threshold"] == similar.SHARE and len(kept["pairs"]) == 2
    assert [path.name for path in (tmp_path / "tiny").iterdir() if path.suffix not in (".html", ".json")] == []


def test_one_pair_is_shown_in_the_terminal(submitted, tmp_path):
    done = command("tiny", "--submitted", submitted, "--pair", "learner-03", "copyist", "--to", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "copyist and learner-03:" in done.stdout and " | learner-03, cell " in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("nosuch",), "There is no assignment 'nosuch'"),
        (("tiny", "--submitted", "/nowhere"), "There is no folder /nowhere: hand-ins lie in"),
        (("tiny", "--share", "7"), "--share is a number between 0 and 1, and not 7."),
        (("tiny", "--pair", "nobody", "learner-01"), "nobody and learner-01 share fewer than"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(submitted, options, says):
    done = command(*options, *([] if "--submitted" in options else ["--submitted", submitted]))
    assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr


def test_a_class_of_one_is_said(tmp_path):
    hand_in(tmp_path, "alone", {**notebook(), "cells": [code_cell("x = 1")]})
    done = command("tiny", "--submitted", tmp_path)
    assert done.returncode == 1 and "holds 1 hand-in of tiny that can be read: there is nothing" in done.stderr
