"""What an assignment declares is what the framework says, asks for and finds, on tiny ones that are not in source/."""

from __future__ import annotations

import linecache
import re
import shutil
from pathlib import Path
from typing import Any

import build
import gate
import jailed
import numpy as np
import pytest
from kit import ROOT
from nbformat.v4 import new_code_cell, new_notebook

from checks.assignment import Assignment
from checks.mistakes import Mistakes
from checks.report import Drawing
from checks.section import Section
from checks.trial import Trial
from grading.progress import Progress


class Drawn(Assignment):
    """Results that can be drawn."""

    def drawing(self, snippet: str) -> Drawing | None:
        return Drawing("Then draw it beside Euclid's <own>:", f"tests.draw({snippet.count('y')})")


def doubling(assignment: Assignment | None = None) -> Section:
    section = Section("double", "Doubling", "tests.test_double(double)", assignment=assignment)

    @section.check(1)
    def doubled(trial: Trial) -> None:
        """Twice a number"""
        trial.expect("y = double(3)", y=6)

    return section


def test_a_report_offers_what_an_assignment_draws_in_its_words():
    report = doubling(Drawn("Doubling")).run({"double": lambda n: 3 * n}, seed=1)
    assert "    Then draw it beside Euclid's <own>:\n\n        tests.draw(2)\n" in report.as_text()
    assert " Then draw it beside Euclid's &lt;own&gt;:</p><pre>tests.draw(2)</pre>" in report.as_html()
    assert "draw" not in str(report.as_dict())
    assert "draw" not in doubling().run({"double": lambda n: 3 * n}, seed=1).as_text()


def test_a_check_that_has_skipped_all_it_would_ask_waits_and_earns_nothing():
    section = doubling()

    @section.check(2)
    def of_what_works(trial: Trial) -> None:
        """Of the numbers for which it works"""
        for number in (1, 2):
            if trial.tries(f"right = double({number}) == {2 * number}")["right"]:
                trial.expect(f"y = double({number})", y=2 * number)

    found = section.run({"double": lambda n: 2 * n + 1}, seed=1)
    assert [check.status for check in found.checks] == ["failed", "waiting"] and found.score == 0
    assert "none of that works yet" in found.checks[1].got
    assert section.run({"double": lambda n: 2 * n}, seed=1).score == 3


def test_a_line_of_a_file_beside_the_notebook_has_the_name_of_that_file(tmp_path):
    file = tmp_path / "numbers_of_mine.py"
    file.write_text("def double(n):\n    raise ValueError('no number')\n")
    names: dict[str, Any] = {}
    exec(compile(file.read_text(), str(file), "exec"), names)
    linecache.getline(str(file), 2)  # as where a notebook has shown a traceback
    (check,) = doubling().run({"double": names["double"]}, seed=1).checks
    assert check.got.split("\n") == [
        "your code raised ValueError: no number",
        "in double, line 2: (numbers_of_mine.py)",
    ]


def twice(value: Any) -> Section:
    """A section whose results are of a kind: what `value` makes of two random numbers."""
    section = Section(
        "of", "Of two numbers", "tests.test_of(of)", assignment=Assignment("Two", reference={"of": value})
    )

    @section.check(1)
    def some(trial: Trial) -> None:
        """Of two numbers"""
        trial.same(f"y = of({trial.draw(2).tolist()})", "y")

    return section


@pytest.mark.parametrize(
    ("right", "typed"),
    [
        (sum, 4.25),
        (lambda two: round(100 * two[0]), 137),
        (lambda two: [*two], [1.5, -2.5]),
        (lambda two: (two[0], None), [1.5, 3]),
        (lambda two: {"sum": sum(two), "both": two}, {"sum": 3.5, "both": [1.5, 2]}),
        (lambda two: {round(100 * n) for n in two}, {137, 30}),
        (lambda two: f"{two[0]:.2f}", "1.50"),
        (np.array, np.array([1.5, -2.5])),
    ],
    ids=["float", "int", "list", "tuple", "dict", "set", "text", "array"],
)
def test_an_answer_that_was_typed_is_found_whatever_kind_it_is_of(right, typed):
    (check,) = twice(right).run({"of": lambda two: typed}, seed=1).checks
    assert check.mistake == "hard-coded"
    (check,) = twice(right).run({"of": right}, seed=1).checks
    assert check.status == "passed"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (sum, lambda two: sum(two) + 1),  # another one each time
        (sum, lambda two: 0.0),  # a factor that was left out
        (lambda two: [*two], lambda two: []),
        (lambda two: two[0] > two[1], lambda two: two[0] < 1000),  # one of two
        (lambda two: [*two], lambda two: [float("nan"), 1.5]),  # nobody types that
        (lambda two: [*two], lambda two: [object(), 1.5]),
        (lambda two: 1.5, lambda two: 2.5),  # it has to be the same
        (sum, len),  # computed, and the same for all that are as long
        (lambda two: [*two], lambda two: [len(two), 10**400 + round(9 * two[0])]),
    ],
)
def test_of_what_else_is_wrong_it_is_not_said(right, wrong):
    report = twice(right).run({"of": wrong}, seed=1)
    (check,) = report.checks
    assert check.status != "passed" and check.mistake != "hard-coded" and report.fault is None


# ---------------------------------------------------------------- the page for learners


@pytest.fixture
def accounts(tmp_path) -> build.Course:
    place = tmp_path / "source" / "accounts"
    shutil.copytree(ROOT / "kit_tests" / "assignments" / "accounts", place)
    return build.Course("accounts", tmp_path)


def test_every_assignment_has_a_page_for_learners_that_speaks_of_it_and_of_no_other(accounts):
    page = build.guide(accounts)
    assert not re.search(r"workshop|\btorch\b|Tensor|ReLU|draw_graph|<!--|\b(NAME|TITLE)\b", page)
    assert "pytest tests.py --notebook accounts.ipynb" in page and "*Accounts so far* counts" in page
    assert dict(build.support(accounts))["docs/learner.md"].decode() == page


def test_an_assignments_own_words_stand_where_the_page_has_a_place_for_them(accounts):
    general, own = build.guide(accounts), accounts.folder / "author" / "learner.md"
    own.write_text(
        "<!-- verdicts -->\n| ✓ passed | it adds up | go on |\n<!-- colab-installs -->\n%pip install books\n"
    )
    page = build.guide(accounts)
    assert "| ✓ passed | it adds up | go on |\n| … waiting |" in page and "computes what is right" not in page
    assert "   %cd /content/accounts\n   %pip install books\n" in page  # as far in as the place is
    assert len(page.splitlines()) == len(general.splitlines()) + 1


@pytest.mark.parametrize(
    "words",
    [
        "<!--verdicts-->\n| ✓ passed | it adds up | go on |",  # no end of the last line
        "\n<!-- verdicts -->\n| ✓ passed | it adds up | go on |\n\n<!-- / -->\n\n",
    ],
)
def test_words_for_the_page_may_be_set_as_one_likes(accounts, words):
    (accounts.folder / "author" / "learner.md").write_text(words)
    assert "| ✓ passed | it adds up | go on |\n| … waiting |" in build.guide(accounts)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("<!-- verdict -->\n", "has words for verdict: the places are build-with, colab"),
        ("<!-- verdicts -->\n| a | b | c |\n<!-- by me -->", "has words for by me: "),
        ("| a | b | c |\n<!-- verdicts -->\n", "begins with words for no place"),
    ],
)
def test_words_that_the_page_has_no_place_for_are_refused(accounts, words, says):
    (accounts.folder / "author" / "learner.md").write_text(words)
    with pytest.raises(build.BuildError, match=says):
        build.guide(accounts)


def test_the_report_that_the_page_shows_is_one_that_the_checks_of_the_authors_guide_give(accounts):
    shown = re.search(r"^```text\n(Mean: .*?)\n```", build.guide(accounts), re.MULTILINE | re.DOTALL)[1]
    guide = (ROOT / "docs" / "author.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(re.search(r"^```python\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)[1], names)
    assert names["MEAN"].run({"mean": sum}, seed=7).as_text() == shown


# ---------------------------------------------------------------- what a kernel sends ahead

OBJECTS = """
import numpy as np

class Tree:
    def __init__(self, size, below=None):
        self.numbers, self.below, self.name, self.size = np.arange(float(size)), below, f"of {size}", size

def plant(*sizes):
    below = None
    for size in sizes:
        below = Tree(size, below)
    return below

class Odd(type):
    __hash__ = None

class Numbers(list, metaclass=Odd):
    pass

def odd():
    made = Tree(3)
    made.below = Numbers([1])
    return made

class Endless:
    def __getattr__(self, name):
        return Endless()

def many():
    return [Endless() for _ in range(8)]
"""


def read(ahead: tuple[str, ...], make: str, look: str) -> tuple[Any, int]:
    """What an expression on an object `t` gives, and how many requests that takes once the object is there."""
    kernel = jailed.Kernel()
    kernel.ahead = ahead
    kernel.execute(OBJECTS)
    names = kernel.names(["plant", "many", "odd"])
    names["t"] = eval(make, names)
    before = kernel.connection.requests
    found = eval(look, names)
    requests = kernel.connection.requests - before
    assert kernel.connection.gone is None
    kernel.close()
    return found, requests


@pytest.mark.parametrize(("ahead", "requests"), [((), 9), (("numbers", "below"), 0), (("no name", "numbers"), 6)])
def test_attributes_that_an_assignment_declares_come_with_a_result(ahead, requests):
    look = "[len(t.numbers), len(t.below.numbers), len(t.below.below.numbers), t.below.below.below]"
    assert read(ahead, "plant(1, 2, 3)", look) == ([3, 2, 1, None], requests)


def test_numbers_and_short_texts_come_too():
    look = "[t.name, t.size, t.below.name, t.below.size]"
    assert read(("below", "name", "size"), "plant(1, 2)", look) == (["of 2", 2, "of 1", 1], 0)


def test_a_class_that_has_no_hash_keeps_nothing_back():
    assert read(("below", "numbers"), "odd()", "len(t.numbers)") == (3, 0)


def test_of_what_has_no_end_no_more_comes_than_is_taken():
    assert read(("a", "b", "c"), "many()", "type(t[7].a.b.c).__name__") == ("Endless", 1)


# ---------------------------------------------------------------- what a build refuses


def agree(assignment: Assignment) -> None:
    """Put an assignment of one section through the gate."""
    (section,) = assignment.sections
    marks = {"grade": True, "grade_id": "test_double", "points": 1, "solution": False}
    notebook = new_notebook(cells=[new_code_cell(section.call, metadata={"nbgrader": marks})])
    gate.agree(notebook, assignment, Path("text.py"), Path("tests.py"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda library: library.parts.update(duoble=abs),
            r"it changes duoble, and what tests\.py asks for is double\.",
        ),
        (
            lambda library: library.parts.update(double=library.parts["duoble"]),
            "a way to make it fails .KeyError: 'duo",
        ),
    ],
)
def test_a_mistake_that_cannot_be_made_is_refused(change, says):
    mistakes = Mistakes()
    mistakes.add("tripled", "double", "it is thrice", "?", "!", "", change)
    section = doubling(Assignment("Doubling", reference={"double": abs}, mistakes=mistakes))
    with pytest.raises(build.BuildError, match=f"^mistake tripled: {says}"):
        agree(section.assignment)
    mistakes["tripled"].ways.clear()
    agree(section.assignment)


def test_where_nothing_is_right_but_values_mistakes_are_named_all_the_same():
    mistakes = Mistakes()
    thrice = {"double": lambda n: 3 * n}
    mistakes.add("tripled", "double", "it is thrice", "?", "!", "", lambda library: library.parts.update(thrice))
    section = doubling(Assignment("Doubling", mistakes=mistakes))
    agree(section.assignment)
    (check,) = section.run(thrice, seed=1).checks
    assert check.mistake == "tripled"


def test_names_to_be_sent_ahead_are_a_tuple():
    section = doubling()
    section.assignment.ahead = "balance"  # of a comma that was forgotten
    with pytest.raises(build.BuildError, match="ahead is a text, and is to be a tuple"):
        agree(section.assignment)


# ---------------------------------------------------------------- what is counted


def test_a_learner_whose_result_cannot_be_written_needs_one_look():
    progress = Progress(2)
    progress.step("graded", "ada", ["a cell is there twice"])
    progress.take_back("graded")
    progress.step("not graded", "ada", ["the gradebook is full"])
    progress.step("graded", "bob")
    assert progress.looks == ["ada"] and +progress.counts == {"graded": 1, "not graded": 1}


def test_a_section_for_practice_has_a_cell_that_is_not_graded():
    assignment = Assignment("Doubling")
    doubling(assignment)
    Section("try", "Trying", "tests.test_try(double)", assignment=assignment, practice=True)
    graded = new_code_cell("tests.test_double(double)")
    graded.metadata.nbgrader = {"grade": True, "solution": False, "grade_id": "test_double", "points": 1}
    text, file = Path("text.py"), Path("tests.py")
    with pytest.raises(gate.BuildError) as error:
        gate.agree(new_notebook(cells=[graded]), assignment, text, file)
    assert str(error.value).startswith("section try: no cell calls tests.test_try(double). Add one to text.py, without")
    tried = new_code_cell("tests.test_try(double)")
    gate.agree(new_notebook(cells=[tried, graded]), assignment, text, file)
    assert gate.points_of(assignment) == {"test_double": 1}
    tried.metadata.nbgrader = {**graded.metadata.nbgrader, "grade_id": "test_try"}
    with pytest.raises(
        gate.BuildError, match=r"cell test_try: it is graded, and it calls test_try\. It is to call one"
    ):
        gate.agree(new_notebook(cells=[tried, graded]), assignment, text, file)
