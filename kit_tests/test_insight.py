"""What a class needs to hear, on a page: of a gradebook, graded notebooks and a journal that are written here."""

from __future__ import annotations

import datetime
import gzip
import json
import re
import sys
from pathlib import Path
from typing import Any

import kit
import pytest
import ready
from course import Course, environment
from nbgrader.api import Gradebook

from checks.report import MIME, Report
from checks.report import Result as Said
from grading import assignments, attempts, insight, results
from grading.journal import Journal
from grading.worker import Graded

CELLS = {"test_relu": ("zero", "slope"), "test_sgd": ("step",)}
BOTH = {"zero": "passed", "slope": "passed", "step": "passed"}


def graded_notebook(states: dict[str, str | tuple[str, str]]) -> str:
    """A graded notebook: of each check its state, or that and a known mistake."""
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "metadata": {}, "source": f'"{MIME}": {{"checks": []}}', "attachments": {MIME: {}}}
    ]
    for cell, checks in CELLS.items():
        made = []
        for id in checks:
            status, mistake = states[id] if isinstance(states[id], tuple) else (states[id], None)
            score = 2.5 * (status == "passed")
            made.append(
                Said(id, f"The check {id}", 2.5, score, status, got="<i>wrong</i>", mistake=mistake, hints=["Look."])
            )
        report = Report(cell.removeprefix("test_"), cell, f"{cell}()", 1, made)
        mark = {"grade": True, "grade_id": cell, "locked": True, "points": 5.0}
        output = {"output_type": "display_data", "metadata": {}, "data": report.mimebundle()}
        cells.append({"cell_type": "code", "metadata": {"nbgrader": mark}, "source": "", "outputs": [output]})
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1, sort_keys=True)


class Klass:
    """A class that is written down, as graded."""

    def __init__(self, folder: Path) -> None:
        self.course = Course(folder)
        self.folder, self.journal = folder, Journal(folder / ".grading")

    def graded(self, learner: str, *states: dict[str, Any]) -> None:
        """One learner's hand-ins, the last one counts."""
        for number, each in enumerate(states):
            key = f"{learner.encode().hex()}-{number}"
            text = graded_notebook(each)
            self.journal.put(key, Graded({"tiny": gzip.compress(text.encode())}, [], {}))
            total = sum(2.5 * (state == "passed") for state in each.values())
            entry = {"at": f"2026-01-0{number + 1}", "assignment": "tiny", "learner": learner, "total": total}
            entry |= {"points": {"tiny/test_relu": total}, "why": ["handed in"], "handed_in": key, "result": key}
            self.journal.log([entry])
        place = self.folder / "autograded" / learner / "tiny" / "tiny.ipynb"
        place.parent.mkdir(parents=True)
        place.write_text(text, encoding="utf-8")
        with Gradebook(self.course.db) as book:
            book.add_student(learner)
            submission = book.add_submission("tiny", learner, timestamp=datetime.datetime(2026, 1, 1))
            for grade in submission.notebooks[0].grades:
                grade.auto_score = sum(2.5 * (each.get(id) == "passed") for id in CELLS.get(grade.name, ()))
                grade.needs_manual_grade = False
            book.db.commit()

    def facts(self) -> insight.Facts:
        found = results.read(self.course.db, "tiny")
        known = assignments.mistakes("tiny")
        return insight.gather(found, self.folder / "autograded", self.journal, known)


@pytest.fixture(scope="module")
def klass(tmp_path_factory) -> Klass:
    made = Klass(tmp_path_factory.mktemp("insight"))
    slope = {**BOTH, "slope": ("failed", "right-not-negated")}
    for number in range(8):
        made.graded(f"good-{number}", BOTH)
    made.graded("learned", slope, BOTH)
    made.graded("stays", slope, {**slope, "step": "waiting"})
    made.graded("<b>eve</b>".replace("/", "|"), {**BOTH, "step": "failed"})
    made.graded("begins", {"zero": "missing", "slope": "waiting", "step": "waiting"})
    with Gradebook(made.course.db) as book:
        book.add_student("absent")
    return made


@pytest.fixture(scope="module")
def facts(klass) -> insight.Facts:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assignments, "SOURCE", kit.course() / "source")
        return klass.facts()


def test_points_are_those_of_the_gradebook(facts):
    assert (facts.count, facts.nothing, facts.waiting) == (12, 1, 0)
    assert facts.totals == sorted([7.5] * 9 + [2.5, 5.0, 0.0])
    (relu,) = [section for section in facts.sections if section.name == "test_relu"]
    assert (relu.full, relu.part, relu.none) == (10, 1, 1)


def test_mistakes_are_counted_now_and_before(facts):
    (mistake,) = facts.mistakes
    assert (mistake.id, mistake.now, mistake.before) == ("right-not-negated", ["stays"], ["learned"])
    assert mistake.title == "the right side of a difference gets the gradient of a sum" and mistake.hints


def test_what_nobody_could_name_is_quoted(facts):
    (unnamed,) = facts.unnamed
    assert unnamed.who == ["<b>eve<|b>"] and unnamed.examples[0]["got"] == "<i>wrong</i>"


def test_who_is_stuck_and_stays_there(facts):
    stuck = {each.title: (each.who, each.again) for each in facts.stuck}
    assert stuck == {
        "The check slope": (["stays"], ["stays"]),
        "The check zero": (["begins"], []),
        "The check step": (["<b>eve<|b>"], []),
    }


def test_the_way_over_hand_ins(facts):
    ways = {way.learner: way.totals for way in facts.ways}
    assert ways["learned"] == [5.0, 7.5] and ways["good-0"] == [7.5]
    assert facts.ways[0].learner in ("learned", "stays")  # the longest first


def test_checks_that_tell_nothing_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(assignments, "SOURCE", kit.course() / "source")
    made = Klass(tmp_path)
    for number in range(6):
        made.graded(f"good-{number}", {"zero": "passed", "slope": "passed", "step": "failed"})
        made.graded(f"weak-{number}", {"zero": "passed", "slope": "failed", "step": "passed"} | {"step": "failed"})
    checks = {check.id: check for section in made.facts().sections for check in section.checks}
    assert checks["zero"].weak == "everybody passes" and checks["step"].weak == "nobody passes"
    assert checks["slope"].weak == "" and checks["slope"].tells == 1


# ---------------------------------------------------------------- pages


def test_pages_escape_load_nothing_and_say_what_charts_show(facts):
    charts = insight.drawn(facts)
    for page in (insight.as_html(facts, charts), insight.as_html(facts, charts, lecture=True)):
        assert "<b>eve" not in page and "<i>wrong" not in page and "<script" not in page
        assert not re.search(r'(?:src|href)="(?!#)', page.replace("http://www.w3.org/1999/xlink", ""))
        assert not re.search(r"@import|url\((?!#)", page)
        charts = re.findall(r'<svg role="img" aria-label="([^"]+)"', page)
        assert len(charts) == 3 and "The median is 7.5" in charts[0]
        ids = re.findall(r'\bid="([^"]+)"', page)
        assert len(ids) == len({*ids})
        assert "#010101" not in page and "var(--text)" in page


def test_the_page_for_the_lecture_has_no_names_and_nothing_of_learners(facts):
    page = insight.as_html(facts, insight.drawn(facts), lecture=True)
    for learner in ("good-0", "learned", "stays", "begins", "eve&lt;", "absent", "wrong"):
        assert learner not in page.replace("stays there", ""), learner
    assert "The check slope" in page


def test_a_class_of_one_has_a_page(tmp_path, monkeypatch):
    monkeypatch.setattr(assignments, "SOURCE", kit.course() / "source")
    made = Klass(tmp_path)
    made.graded("alone", BOTH)
    facts = made.facts()
    assert "1 graded" in insight.as_html(facts, insight.drawn(facts)) and facts.quartiles == [7.5] * 3


# ---------------------------------------------------------------- reports, whatever a notebook holds


def test_reports_are_read_as_they_were_written():
    found = attempts.reports(graded_notebook({**BOTH, "slope": ("failed", "x")}).encode())
    assert {cell: [check.id for check in checks] for cell, checks in found.items()} == {
        cell: [*checks] for cell, checks in CELLS.items()
    }
    assert found["test_relu"][1].mistake == "x" and found["test_relu"][1].hints == ("Look.",)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        f'{{"{MIME}": '.encode(),
        f'{{"grade": true, "grade_id": "x", "{MIME}": {"[" * 5000}'.encode(),
        f'{{"grade": true, "grade_id": "x", "{MIME}": {{"checks": [1, {{}}, null, {{"points": "b"}}]}}}}'.encode(),
    ],
)
def test_what_is_no_report_is_left_out(content):
    assert attempts.reports(content) == {}


def test_a_learners_cell_gives_no_report():
    report = {"checks": [{"id": "a", "title": "A", "status": "passed", "points": 1, "score": 1}]}
    cell = {"metadata": {"nbgrader": {"grade": False, "grade_id": "own"}}, "outputs": [{"data": {MIME: report}}]}
    assert attempts.reports(json.dumps({"cells": [cell]}, indent=1).encode()) == {}


# ---------------------------------------------------------------- the command


def command(klass: Klass, to: Path, *options: Any) -> Any:
    places = [f"--db={klass.course.db}", f"--journal={klass.journal.folder}", f"--to={to}"]
    places += [f"--autograded={klass.folder / 'autograded'}", f"--submitted={klass.folder / 'submitted'}"]
    return ready.run([sys.executable, "-m", "grading", "insight", "tiny", *places, *options], env=environment())


def test_the_command_writes_pages_and_says_the_most_important(klass, tmp_path):
    done = command(klass, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "tiny: 12 graded, 1 handed in nothing" in done.stdout and "The commonest mistakes:" in done.stdout
    assert {path.name for path in (tmp_path / "tiny").iterdir()} == {
        *("insight.html", "insight-lecture.html", "insight.json"),
    }
    kept = json.loads((tmp_path / "tiny" / "insight.json").read_text(encoding="utf-8"))
    assert kept["count"] == 12 and kept["mistakes"][0]["now"] == ["stays"]


def test_only_the_page_for_the_lecture(klass, tmp_path):
    assert command(klass, tmp_path, "--lecture").returncode == 0
    assert [path.name for path in (tmp_path / "tiny").iterdir()] == ["insight-lecture.html"]


def test_nothing_graded_is_said(tmp_path):
    made = Klass(tmp_path)
    done = command(made, tmp_path)
    assert done.returncode == 1 and "Nothing of tiny is graded so far: run" in done.stderr
