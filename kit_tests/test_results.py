"""`python -m grading results`: the table is that of nbgrader, and says what there is to know of each learner."""

from __future__ import annotations

import contextlib
import csv
import datetime
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import kit
import pytest
import ready
from course import Course, environment, notebook
from nbgrader.api import Gradebook

from grading import assignments, plan, results, tables
from grading.journal import Journal
from grading.results import Cell, Learner, Mark, Results

CELLS = ("test_tensor", "test_module", "test_matmul", "test_linear", "test_relu", "test_sgd", "test_mseloss")


@pytest.fixture(autouse=True)
def here(monkeypatch) -> None:
    """The course's assignment is known in this process, too."""
    monkeypatch.setattr(assignments, "SOURCE", kit.course() / "source")


def graded(book: Gradebook, learner: str, auto: dict[str, float | None], at: str | None = None, **by: Any) -> None:
    """Write marks into a gradebook as autograding, formgrader and a plugin for late work do.

    Args:
        auto: points by the tests; other cells have 0.
        by: "manual" and "extra", each by cells, "penalty", and "anew": cells that were autograded after that.
    """
    book.update_or_create_student(learner)
    when = {} if at is None else {"timestamp": datetime.datetime.fromisoformat(at)}
    submission = book.update_or_create_submission("tiny", learner, **when)
    (made,) = submission.notebooks
    made.late_submission_penalty = by.get("penalty")
    for grade in made.grades:
        grade.auto_score = auto.get(grade.name, 0.0)
        grade.manual_score = by.get("manual", {}).get(grade.name)
        grade.extra_credit = by.get("extra", {}).get(grade.name)
        grade.needs_manual_grade = grade.name in by.get("anew", ()) or (
            grade.auto_score is None and grade.manual_score is None
        )
    book.db.commit()


@pytest.fixture(scope="module")
def klass(tmp_path_factory) -> Course:
    """A gradebook with all that can be in one."""
    made = Course(tmp_path_factory.mktemp("results"))
    full = {"test_tensor": 40.0, "test_module": 10.0, "test_matmul": 5.0}
    with contextlib.closing(Gradebook(made.db, "minitorch")) as book:
        book.find_assignment("tiny").duedate = datetime.datetime(2026, 1, 4)
        graded(book, "ann", full)
        graded(book, "bob", full, "2026-01-05 02:30:00", penalty=15.0)
        graded(book, "cem", {"test_tensor": 3.5}, manual={"test_module": 7.0}, extra={"test_tensor": 2.0})
        graded(book, "dan", {**full, "test_model": None})
        graded(book, "eva", full, manual={"test_matmul": 1.0}, anew=("test_matmul",))
        graded(book, "fay", {"test_tensor": 4.0}, penalty=9.0)
        graded(book, "gil", dict.fromkeys((*CELLS, "test_model")))
        book.update_or_create_student("hal", first_name="Hal", last_name="=HYPERLINK(1)", email="hal@example.org")
        graded(book, "ida [1]", full, extra={"test_matmul": 1.0}, anew=("test_matmul",))
        book.update_or_create_student('zoë, "\n|', first_name="Zo\u00eb")
    return made


def exported(made: Course) -> dict[str, dict[str, str]]:
    """What `nbgrader export` says of each learner, by id."""
    command = [sys.executable, "-m", "nbgrader", "export", f"--db={made.db}", f"--to={made.folder}/grades.csv"]
    done = ready.run(command, env=made.environment())
    assert done.returncode == 0, done.stderr
    text = (made.folder / "grades.csv").read_text(encoding="utf-8")
    heads, *lines = text.split("\n")
    # It escapes nothing: what comes before and after the id has a known number of fields.
    found = {}
    for line in lines:
        parts = line.split(",")
        if len(parts) == len(heads.split(",")):
            found[parts[3]] = dict(zip(heads.split(","), parts, strict=True))
    return found


def test_totals_and_penalties_are_those_that_nbgrader_exports(klass):
    table = results.read(klass.db, "tiny")
    told = exported(klass)
    found = {one.id: one for one in table.learners}
    assert len(told) == 9 and told.keys() < found.keys() and len(found) == 10
    for id, said in told.items():
        assert found[id].total == float(said["score"]), id
        assert found[id].raw == float(said["raw_score"]), id
        assert found[id].penalty == float(said["late_submission_penalty"]), id
        assert table.points == float(said["max_score"])
    assert {id: found[id].total for id in ("bob", "cem", "fay", "hal")} == {"bob": 40, "cem": 12.5, "fay": 0, "hal": 0}


def test_status_says_what_there_is_to_know(klass):
    said = {one.id: one.status for one in results.read(klass.db, "tiny").learners}
    assert said["ann"] == []
    assert said["bob"] == ["late by 1 d 2 h"]
    assert said["dan"] == ["waits for a person: model"]
    assert said["eva"] == said["ida [1]"] == ["mark by hand is for older work: matmul"]
    assert said["gil"] == ["not graded yet"]
    assert said["hal"] == ["handed in nothing"]


def test_a_cell_has_the_title_of_its_section(klass):
    table = results.read(klass.db, "tiny")
    assert [cell.name for cell in table.cells] == [*CELLS, "test_model"]  # the notebook's order
    assert table.cells[0].title == "Tensor" and table.cells[0].notebook == "tiny"
    assert all(cell.title for cell in table.cells)


def test_what_was_handed_in_since_is_said(klass, tmp_path):
    journal = Journal(tmp_path / ".grading")
    for learner in ("ann", "bob", "new", "hal", ".dot"):
        place = tmp_path / "submitted" / learner / "tiny"
        place.mkdir(parents=True)
        (place / "tiny.ipynb").write_text(json.dumps(notebook()))
    digest = plan.handed_in(tmp_path / "submitted" / "ann" / "tiny", ["tiny"], tmp_path / "submitted")
    with journal.locked():
        journal.log([{"assignment": "tiny", "learner": name, "handed_in": digest} for name in ("ann", "bob")])
    about = tmp_path / "submitted" / "new" / "tiny" / ".collected.json"
    about.write_text('{"platform": "canvas", "late": true}')
    changed = notebook(tensor="x = 1")
    (tmp_path / "submitted" / "bob" / "tiny" / "tiny.ipynb").write_text(json.dumps(changed))
    table = results.read(klass.db, "tiny", submitted=tmp_path / "submitted", journal=journal.folder)
    said = {one.id: one.status for one in table.learners}
    assert said["ann"] == [] and said["bob"] == ["handed in anew, not graded yet", "late by 1 d 2 h"]
    assert said["hal"] == ["not graded yet"] and ".dot" not in said
    assert said["new"] == ["not graded yet", "late, says canvas"]


def run(klass: Course, *options: str) -> Any:
    command = [sys.executable, "-m", "grading", "results", "tiny", "--db", klass.db, *options]
    command += [f"--submitted={klass.folder}/submitted", f"--journal={klass.folder}/.grading"]
    return ready.run(command, env=environment())


def test_the_table_in_a_terminal(klass):
    lines = run(klass).stdout.split("\n")
    heads = lines[0].split()
    assert heads[0] == "learner" and heads[-5:] == ["extra", "penalty", "total", "name", "status"]
    bob = next(line for line in lines if line.startswith("bob "))
    assert bob.split()[:4] == ["bob", "40", "10", "5"] and " -15     40 " in bob and "late by 1 d 2 h" in bob
    cem = next(line for line in lines if line.startswith("cem "))
    assert " 3.5 " in cem and " 7* " in cem and " 12.5" in cem
    gil = next(line for line in lines if line.startswith("gil "))
    assert gil.split()[1:10] == ["-"] * 9
    of = next(line for line in lines if line.startswith("of "))
    assert of.split() == ["of", "40", "10", "5", "10", "5", "8", "8", "14", "100"]
    assert "* given by hand" in lines


def test_other_forms_are_read_back(klass):
    rows = list(csv.DictReader(io.StringIO(run(klass, "--format=csv").stdout)))
    told = exported(klass)
    assert len(rows) == 10
    by_id = {row["learner"]: row for row in rows}
    assert {id: float(row["total"]) for id, row in by_id.items() if row["total"] and id in told} == {
        id: float(said["score"]) for id, said in told.items() if id != "gil"
    }
    assert by_id["gil"]["total"] == "" and by_id["hal"]["status"] == "handed in nothing"
    assert by_id["hal"]["last name"] == "'=HYPERLINK(1)"  # which no spreadsheet computes
    assert by_id["cem"]["by hand"] == "test_tensor test_module"
    document = json.loads(run(klass, "--format=json").stdout)
    assert [one["id"] for one in document["learners"]] == [row["learner"] for row in rows]
    eva = next(one for one in document["learners"] if one["id"] == "eva")
    assert eva["total"] == 51 and eva["marks"]["test_matmul"]["stale"] and eva["stale"] == ["test_matmul"]
    assert document["cells"][0]["title"] == "Tensor" and document["due"] == "2026-01-04T00:00:00"
    lines = run(klass, "--format=markdown").stdout.splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + 10 + 1 and len({line.replace("\\|", "").count("|") for line in table}) == 1


def test_an_encoding_without_a_letter_costs_the_letter_only(klass):
    command = [sys.executable, "-m", "grading", "results", "tiny", "--db", klass.db]
    env = environment(PYTHONIOENCODING="ascii")
    done = subprocess.run(command, cwd=kit.course(), env=env, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr
    assert "zo\\xeb" in done.stdout


def test_a_reader_that_goes_away_ends_it_quietly(klass):
    command = [sys.executable, "-m", "grading", "results", "tiny", "--db", klass.db]
    with subprocess.Popen(
        command, cwd=kit.course(), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        said = process.stderr.read().decode()
    assert process.returncode == 1 and said == ""


def test_some_time_in_words():
    said = [results.duration(each) for each in (0.5, 59, 60, 3601, 3660, 90000, 86401, 172800)]
    assert said == ["less than 1 s", "59 s", "1 min", "1 h", "1 h 1 min", "1 d 1 h", "1 d", "2 d"]


def test_numbers_and_texts_in_tables():
    assert [tables.number(each) for each in (None, 0, 2.5, 1 / 3, 100000.25)] == [
        "-",
        "0",
        "2.5",
        "0.333333",
        "100000.25",
    ]
    assert [tables.defused(each) for each in ("=1", "+a", "-3.5", "@x", "a=1", "+49 1")] == [
        *("'=1", "'+a", "-3.5", "'@x", "a=1", "'+49 1"),
    ]
    made = tables.as_text(["a", "b"], [["日本", "1"], ["e\u0301", "10"]], ["of", "3"], left=2)
    assert made.split("\n")[2:4] == ["日本   1", "e\u0301     10"]


def test_a_class_of_a_thousand_is_read_in_few_queries(tmp_path):
    """As many as for a class of one: nbgrader's own objects ask for each grade."""
    from sqlalchemy import event

    counts = []
    for learners in (1, 30):
        made = Course(_folder(tmp_path / str(learners)))
        with contextlib.closing(Gradebook(made.db, "minitorch")) as book:
            for number in range(learners):
                graded(book, f"learner-{number}", {})
        asked = []

        def note(*_: Any, asked: list[int] = asked) -> None:
            asked.append(1)

        from sqlalchemy.engine import Engine

        event.listen(Engine, "before_cursor_execute", note)
        try:
            results.read(made.db, "tiny")
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_a_model_without_a_gradebook():
    cells = [Cell("test_a", 4, "A", "n"), Cell("test_b", 6, "B", "n")]
    one = Learner("one", marks={"test_a": Mark(4.0), "test_b": Mark(2.5)}, total=6.5, state="graded")
    two = Learner("two", state="not graded")
    lines = Results("x", cells, [one, two]).as_text().split("\n")
    assert lines[0].split() == ["learner", "a", "b", "total", "status"]
    assert lines[2].split() == ["one", "4", "2.5", "6.5"]
    assert lines[3].split() == ["two", "-", "-", "-", "not", "graded", "yet"]
    assert lines[-1].split() == ["of", "4", "6", "10"]
