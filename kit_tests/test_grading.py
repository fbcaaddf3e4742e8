"""A sample class, graded by nbgrader itself as an instructor would; `pytest tests.py --notebook`."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import kit
import make_class
import pytest
import ready
from course import Course, environment
from kit import ROOT
from nbformat import from_dict

from checks.observe import learner_code
from checks.report import MIME
from grading import first_screen as screen
from grading import results

POINTS = {
    "test_tensor": 40,
    "test_module": 10,
    "test_matmul": 5,
    "test_linear": 10,
    "test_relu": 5,
    "test_sgd": 8,
    "test_mseloss": 8,
    "test_model": 14,
}
DESERVED = {
    "half_way": {**dict.fromkeys(POINTS, 0), "test_tensor": 40, "test_module": 10},
    "perfect": POINTS,
    "sign": {**POINTS, "test_tensor": 32},
    "syntax_error": {**POINTS, "test_module": 0},
}


@pytest.fixture(scope="module")
def submitted() -> Path:
    """The made-up learners' notebooks: <learner>/tiny/tiny.ipynb."""
    subprocess.run([sys.executable, "source/make_class.py"], cwd=kit.course(), check=True)
    return kit.course() / "examples" / "submitted"


@pytest.fixture(scope="module")
def graded(submitted) -> str:
    """What `python -m grading sample` prints."""
    command = [sys.executable, "-m", "grading", "sample"]
    done = subprocess.run(command, cwd=kit.course(), env=environment(), capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def page(learner: str) -> str:
    """The feedback page."""
    return (kit.course() / "examples" / "feedback" / learner / "tiny" / "tiny.html").read_text(encoding="utf-8")


def test_every_learner_gets_the_points_that_the_work_deserves(graded):
    table = results.read(f"sqlite:///{kit.course()}/examples/gradebook.db", "tiny")
    assert {cell.name: cell.points for cell in table.cells} == POINTS
    got = {one.id: one.points for one in table.learners if one.state == "graded"}
    assert got == DESERVED


def test_the_table_names_every_learner_and_where_the_feedback_is(graded):
    lines = graded.split("\n")
    for learner, points in DESERVED.items():
        (row,) = [line for line in lines if re.match(rf"{learner} +[\d-]", line)]
        assert float(row.split()[-1]) == sum(points.values())
    assert "examples/feedback" in graded
    for learner in DESERVED:
        assert len(page(learner)) > 10_000


def test_feedback_shows_the_report_of_the_first_mistake(graded):
    assert "minitorch-report" in page("sign")
    assert "The gradients of a + b and a - b" in page("sign")
    assert "the right side of a difference gets the gradient of a sum" in page("sign")
    assert "Paste this code into a new cell to see it." in page("sign")


def test_feedback_says_which_points_count_where_a_section_was_judged_twice(graded):
    says = html.unescape(re.sub(r"<[^>]*>", "", page("syntax_error")))
    assert "sections: 0 of 10. With the reference's earlier sections: 10 of 10, and this counts." in says


def test_the_sample_class_of_the_workshop_is_generated_from_its_release():
    made = make_class.sample_class("workshop")
    submitted = ROOT / "examples" / "submitted"
    assert set(made) == {path.name for path in submitted.iterdir()} and len(made) >= 8
    for learner, text in made.items():
        committed = (submitted / learner / "workshop" / "workshop.ipynb").read_text(encoding="utf-8")
        assert text == committed, f"{learner} is out of date: python source/make_class.py"


def test_a_learners_file_that_cannot_be_used_gets_a_sentence(tmp_path):
    source = {"tensor": "x = 1"}
    release = (kit.course() / "release" / "tiny" / "tiny.ipynb").read_text(encoding="utf-8")
    for text, sentence in (
        ("# nothing", "there is no line"),
        ("# others: untouched\n# %% nowhere\nx", "no answer cell nowhere"),
        ("# others: untouched\n# %% tensor: definitions\ndef f(): pass", "does not define f"),
    ):
        with pytest.raises(ValueError, match=sentence):
            make_class.submission(text, release, source)
    empty = json.loads(make_class.submission("# others: untouched\n# %% tensor\n", release, source))
    assert make_class.answers(empty)["tensor"]["source"] == ""


def test_an_unknown_assignment_gets_a_sentence(tmp_path):
    command = [sys.executable, "-m", "grading", "results", "nothing", "--db", Course(tmp_path).db]
    done = ready.run(command, env=environment())
    assert done.returncode == 1
    assert "holds no assignment 'nothing'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_gradebook_that_is_none_gets_a_sentence_and_none_is_made(tmp_path):
    (tmp_path / "text").write_text("x" * 1000)
    for db, says in (
        (f"sqlite:///{tmp_path}/none.db", "There is no gradebook"),
        (f"sqlite:///{tmp_path}/text", "cannot be opened as a gradebook"),
        ("nonsense", "cannot be opened as a gradebook"),
        ("mysql://x/y", "cannot be opened as a gradebook: No module named 'MySQLdb'"),
    ):
        with pytest.raises(LookupError, match=says):
            results.read(db, "tiny")
    assert [path.name for path in tmp_path.iterdir()] == ["text"]


# ---------------------------------------------------------------- pytest tests.py --notebook


def pytest_on(notebook: Path, *more: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests.py", "--notebook", str(notebook), *more]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return ready.run(command, cwd=kit.course() / "release" / "tiny", env=environment, timeout=300, forget=True)


def test_pytest_passes_a_right_notebook_with_one_result_per_function(submitted):
    done = pytest_on(submitted / "perfect" / "tiny" / "tiny.ipynb")
    assert done.returncode == 0, done.stdout
    assert "8 passed" in done.stdout


def test_pytest_fails_with_the_plain_text_report(submitted):
    done = pytest_on(submitted / "sign" / "tiny" / "tiny.ipynb")
    assert done.returncode == 1
    assert "1 failed, 7 passed" in done.stdout
    assert "Tensor:" in done.stdout and "✗ FAILED" in done.stdout


def test_pytest_on_an_untouched_notebook_fails_everything_kindly():
    done = pytest_on(kit.course() / "release" / "tiny" / "tiny.ipynb")
    assert "8 failed" in done.stdout
    assert done.stdout.count("not written yet") >= 8


def test_pytest_grades_what_runs_before_and_after_a_broken_cell(submitted):
    done = pytest_on(submitted / "syntax_error" / "tiny" / "tiny.ipynb", "-rA")
    assert "PASSED tests.py::test_tensor" in done.stdout
    assert "PASSED tests.py::test_matmul" in done.stdout
    assert "FAILED tests.py::test_linear" in done.stdout
    assert "SyntaxError" in done.stdout


def test_pytest_runs_cells_as_a_kernel_does(submitted, tmp_path):
    notebook = json.loads((submitted / "perfect" / "tiny" / "tiny.ipynb").read_text())
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "setup":
            cell["source"] = "%matplotlib inline\n!echo shown\ndisplay('shown')\n" + "".join(cell["source"])
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            cell["source"] = "%%time\n" + "".join(cell["source"])
    (tmp_path / "x.ipynb").write_text(json.dumps(notebook))
    assert "8 passed" in pytest_on(tmp_path / "x.ipynb").stdout


def test_pytest_tests_an_answer_as_it_stands_above_its_test(submitted, tmp_path):
    notebook = json.loads((submitted / "perfect" / "tiny" / "tiny.ipynb").read_text())
    (old,) = [c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == "module"]
    notebook["cells"].append({**old, "source": "class MyModule: ..."})
    (tmp_path / "x.ipynb").write_text(json.dumps(notebook))
    assert "1 passed" in pytest_on(tmp_path / "x.ipynb", "-k", "module").stdout


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: No such file"),
        ("", "is empty"),
        ("{}", "is not a notebook"),
        ("not json", "is damaged near line 1"),
        ('{"cells": 3}', "is not a notebook"),
        ('{"cells": []}', "is not a notebook: it has no cells"),
    ],
)
def test_pytest_on_something_that_is_no_notebook_says_so(tmp_path, content, says):
    path = tmp_path / "x.ipynb"
    if content is not None:
        path.write_text(content)
    done = pytest_on(path)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_pytest_on_a_notebook_without_the_cells_gives_nothing(tmp_path):
    (tmp_path / "x.ipynb").write_text('{"cells": [{"cell_type": "code", "source": "x = 1"}, {"cell_type": "code"}]}')
    done = pytest_on(tmp_path / "x.ipynb")
    assert "8 failed" in done.stdout
    assert "Traceback" not in done.stdout


def first_screen(learner: str) -> tuple[str, list[str]]:
    """The text above the notebook, and the rows of its table."""
    screen = re.search(r'<div id="first-screen">.*?</style>(.*?)</div>', page(learner), re.DOTALL)[1]
    rows = [re.sub(r"<[^>]*>", " ", row) for row in re.findall(r"<tr>(.*?)</tr>", screen)]
    words = html.unescape(re.sub(r"<[^>]*>", " ", screen))
    return " ".join(words.split()), [" ".join(html.unescape(row).split()) for row in rows]


def test_a_feedback_page_begins_with_points_mistakes_and_what_to_look_at_first(graded):
    words, rows = first_screen("sign")
    assert words.startswith(
        "tiny Score: 92 of 100 Look at this first: Tensor , “The gradients of a + b and a - b”: the"
    )
    assert rows[1] == "Tensor … 32 of 40 the right side of a difference gets the gradient of a sum"
    assert [row.split()[0] for row in rows[1:]] == [
        *("Tensor", "Module", "Matmul", "Linear", "ReLU", "Optimizer", "Loss", "Model")
    ]
    assert rows[2] == "Module ✓ 10 of 10"
    assert "Test cell" not in page("sign")
    for target in re.findall(r'<a href="#(test_\w+)">', page("sign")):
        assert f'<a name="{target}"></a>' in page("sign")
    words, rows = first_screen("syntax_error")
    assert (
        "Look at this first: Module : MyModule and Parameter are not defined: the cell for it did not run to its end."
        in words
    )
    assert rows[2].startswith("Module ✗ 0 of 10 MyModule and Parameter are not defined")
    assert "All points. Excellent!" in first_screen("perfect")[0]


def test_of_a_page_only_what_the_judge_left_is_believed():
    forged = {"title": "<b>Mine</b>", "checks": [{"status": "failed", "says": "<i>", "title": "t", "mistake": None}]}
    shown = {"output_type": "display_data", "metadata": {}, "data": {MIME: forged}}
    cells = [
        {"cell_type": "markdown", "source": "# `A` <script>", "metadata": {}},
        {"cell_type": "code", "source": "", "outputs": [shown], "metadata": {"nbgrader": mark("own", solution=True)}},
        {"cell_type": "code", "source": "", "outputs": [shown], "metadata": {"nbgrader": mark("test")}},
    ]
    notebook = from_dict({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    own, test = screen.entries(notebook)
    assert (own.title, own.says) == ("A <script>", []) and (test.title, test.says) == ("<b>Mine</b>", ["<i>"])
    made = screen.first_screen(notebook, {"notebook": "<n>", "score": 1, "max_score": 4, "late_penalty": 0.5})
    assert "Handed in late: 0.5 points less." in made
    assert not re.search("<script|<b>|<i>|<n>", made)


def test_headings_on_a_page_are_the_courses_whatever_a_learner_writes_below_them():
    long = "# a" + " " * 1_000_000 + "b"
    cells = [
        {"cell_type": "markdown", "id": "a", "source": "# First\n## `Tensor`\n```\n# no\n```\n#no", "metadata": {}},
        {"cell_type": "markdown", "id": "own-1", "source": "# Mine", "metadata": {}},
        {"cell_type": "code", "id": "b", "source": "", "outputs": [], "metadata": {"nbgrader": mark("one")}},
        {"cell_type": "markdown", "id": "c", "source": f"{long}\n# \n#" + "#" * 1_000_000, "metadata": {}},
        {"cell_type": "code", "id": "d", "source": "", "outputs": [], "metadata": {"nbgrader": mark("two")}},
        {"cell_type": "markdown", "id": "e", "source": "# " + "long " * 100, "metadata": {}},
        {"cell_type": "code", "id": "f", "source": "", "outputs": [], "metadata": {"nbgrader": mark("three")}},
    ]
    notebook = from_dict({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    with learner_code(30.0):
        titles = [entry.title for entry in screen.entries(notebook)]
    assert titles[:2] == ["Tensor", "a"]
    assert titles[2].startswith("long long") and len(titles[2]) <= 120


ABOUT = {"notebook": "n", "score": 1, "max_score": 4, "late_penalty": 0}


def page_of(*cells: dict[str, Any]) -> tuple[list[screen.Entry], str]:
    """What stands on the first screen of a notebook with these cells, and its text."""
    notebook = from_dict({"cells": [*cells], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    made = re.sub(r"<style>.*</style>", "", screen.first_screen(notebook, ABOUT), flags=re.DOTALL)
    return [*screen.entries(notebook)], " ".join(html.unescape(re.sub(r"<[^>]*>", " ", made)).split())


def judged_cell(grade_id: str, score: float, **checks: str) -> dict[str, Any]:
    """A graded cell with what the judge found, the status of each check."""
    told = [
        {"status": status, "title": f"the {name}", "says": None, "got": f"what of {name}", "mistake": None}
        for name, status in checks.items()
    ]
    shown = {"output_type": "display_data", "metadata": {}, "data": {MIME: {"title": grade_id, "checks": told}}}
    marked = {"nbgrader": {**mark(grade_id), "score": score}}
    return {"cell_type": "code", "source": "", "outputs": [shown], "metadata": marked}


def essay(score: float | None) -> dict[str, Any]:
    return {
        "cell_type": "markdown",
        "source": "Mine",
        "metadata": {"nbgrader": {**mark("essay", True), "score": score}},
    }


def test_a_check_that_could_not_look_gives_its_reason_and_is_nothing_to_look_at_first():
    entries, text = page_of(judged_cell("A", 1.0, one="passed", two="broken"))
    assert entries[0].says == ["the two: what of two"]
    assert "… 1 of 2 the two: what of two" in text
    assert "Look at this first" not in text and "All points" not in text
    entries, text = page_of(judged_cell("A", 1.0, two="broken"), judged_cell("B", 0.0, three="failed", four="broken"))
    assert entries[1].says == ["the three", "the four: what of four"]
    assert "Look at this first: B , “the three”" in text


def test_an_essay_that_nobody_has_read_waits_to_be_read():
    right = judged_cell("A", 2.0, one="passed")
    _, text = page_of(right, essay(None))
    assert "… of 2 waits to be read by a person" in text and "✗" not in text
    assert "Look at this first" not in text and "All points" not in text
    _, text = page_of(right, essay(0.0))
    assert "✗ 0 of 2" in text and "waits" not in text
    assert "All points. Excellent!" in page_of(right, essay(2.0))[1]


@pytest.mark.parametrize(("auto", "manual", "score"), [(None, None, None), (0.0, None, 0.0), (None, 0.0, 0.0)])
def test_points_that_a_person_has_yet_to_give_are_none(auto, manual, score):
    grade = types.SimpleNamespace(auto_score=auto, manual_score=manual, score=0.0, max_score=2.0)
    grades = screen.Grades()
    grades.gradebook = types.SimpleNamespace(find_grade=lambda *names: grade)
    grades.notebook_id, grades.assignment_id, grades.student_id = "n", "a", "s"
    cell = from_dict(essay(1.0))
    grades._get_score(cell, {})
    assert (cell.metadata.nbgrader.score, cell.metadata.nbgrader.points) == (score, 2.0)


def test_a_page_without_graded_cells_praises_nothing():
    assert "All points" not in page_of()[1]


def mark(grade_id: str, solution: bool = False) -> dict[str, Any]:
    return {
        "grade": True,
        "solution": solution,
        "locked": not solution,
        "grade_id": grade_id,
        "points": 2,
        "score": 0.5,
    }
