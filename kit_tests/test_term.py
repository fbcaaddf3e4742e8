"""A term: from what a platform hands over to what it takes back, by the commands of docs/instructor.md alone."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
import sys
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import ready
from course import Course, course, submission
from nbgrader.api import Gradebook

KINDS = {"ann": "all", "bob": "half", "cem": "wrong", "dan": "half", "eva": "all"}  # fay hands in nothing
PEOPLE = {id: (f"{id.capitalize()} Ames", 100 + number) for number, id in enumerate([*KINDS, "fay"])}
POINTS = {"all": 86.0, "half": 50.0}


def work(learner: str) -> str:
    return json.dumps(submission(KINDS[learner], [*KINDS].index(learner)))


def zipped(place: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return place


def run(made: Course, command: str, *options: Any, reads: tuple[str, ...] = ()) -> Any:
    """A command of `python -m grading` in this course."""
    where = [f"--{name}={made.folder / name}" for name in reads]
    arguments = [sys.executable, "-m", "grading", command, *map(str, options), *where]
    done = ready.run(arguments, env=made.environment())
    assert "Traceback" not in done.stderr, done.stderr
    return done


def pages(made: Course) -> Any:
    return ready.run(
        [sys.executable, "-m", "grading", "feedback", "tiny", "--jobs=1", *made.places()], env=made.environment()
    )


def rows(place: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(place.read_text(encoding="utf-8"))))


@pytest.fixture(scope="module")
def canvas(tmp_path_factory) -> Course:
    """Canvas' archive of the first week, and of the second one: dan comes late, bob has handed in again."""
    made = course(tmp_path_factory.mktemp("canvas") / "course")
    names = {id: f"ames{id}_{{}}{key}_{900 + key}_tiny.ipynb" for id, (_, key) in PEOPLE.items()}
    first = {names[id].format(""): work(id) for id in ("ann", "cem", "eva")}
    first[names["bob"].format("")] = json.dumps(submission("none", 9))
    second = {names[id].format(""): work(id) for id in ("ann", "cem", "eva")}
    second |= {names["dan"].format("LATE_"): work("dan"), f"amesbob_{PEOPLE['bob'][1]}_990_tiny-1.ipynb": work("bob")}
    zipped(made.folder / "1.zip", first)
    zipped(made.folder / "2.zip", second)
    lines = [f'"Ames, {id.capitalize()}",{key},S{key},{id},Lab 1,' for id, (_, key) in PEOPLE.items()]
    heads = "Student,ID,SIS User ID,SIS Login ID,Section,Tiny (42)\n    Points Possible,,,,,100\n"
    (made.folder / "gradebook.csv").write_text(heads + "\n".join(lines) + "\n", encoding="utf-8-sig")
    return made


@pytest.fixture(scope="module")
def graded(canvas) -> Course:
    """The same, filed and graded."""
    folder, db = canvas.folder, f"--db={canvas.db}"
    taken = [folder / "1.zip", folder / "2.zip", "--roster", folder / "gradebook.csv", db]
    done = run(canvas, "collect", *taken, reads=("submitted", "earlier"))
    assert done.returncode == 0 and "5 learners: 5 filed, 0 unchanged, 1 earlier hand-in kept" in done.stdout
    assert "late, says the platform: dan" in done.stdout and "handed in nothing: 1: fay" in done.stdout
    assert canvas.grade_class().status == 0
    return canvas


def test_from_canvas_and_back(graded):
    canvas, folder, db = graded, graded.folder, f"--db={graded.db}"
    with closing(Gradebook(canvas.db, "minitorch")) as book:  # as in formgrader
        book.find_grade("test_matmul", "tiny", "tiny", "bob").manual_score = 4.0
        book.find_comment("matmul", "tiny", "tiny", "bob").manual_comment = "Nearly."
        book.db.commit()
    done = pages(canvas)
    assert done.returncode == 0 and "5 learners: 5 made" in done.stderr
    options = ["tiny", "--format=canvas", "--feedback-zip", db, f"--to={folder}/desk"]
    options += ["--into", folder / "gradebook.csv", "--archive", folder / "2.zip"]
    done = run(canvas, "export", *options, reads=("submitted", "autograded", "feedback"))
    assert done.returncode == 0 and "5 of 6 learners have points." in done.stdout
    _, *lines = rows(folder / "desk" / "tiny" / "canvas.csv")
    found = {line["SIS Login ID"]: line["Tiny (42)"] for line in lines}
    assert {id: float(found[id]) for id in ("ann", "bob", "dan", "eva")} == {
        **{"ann": POINTS["all"], "bob": POINTS["half"] + 4, "dan": POINTS["half"], "eva": POINTS["all"]}
    }
    assert found["fay"] == "" and 0 < float(found["cem"]) < POINTS["all"]
    with zipfile.ZipFile(folder / "desk" / "tiny" / "canvas-feedback.zip") as archive:
        assert f"amesbob_{PEOPLE['bob'][1]}_990_tiny-1.html" in archive.namelist() and len(archive.namelist()) == 5
        assert b"A comment on your answer" in archive.read(f"amesbob_{PEOPLE['bob'][1]}_990_tiny-1.html")


def test_from_moodle_and_back(graded, tmp_path):
    """With due dates, and what Canvas' class was graded with: nothing is graded twice."""
    made = course(tmp_path / "course")
    shutil.copytree(graded.folder / ".grading" / "results", made.folder / ".grading" / "results")
    at = dict.fromkeys(KINDS, "Saturday, 3 January 2026, 9:15 PM") | {"dan": "Tuesday, 6 January 2026, 9:15 AM"}
    at["eva"] = at["dan"]  # who has more time
    files = {f"{PEOPLE[id][0]}_{PEOPLE[id][1]}_assignsubmission_file_/tiny.ipynb": work(id) for id in KINDS}
    zipped(made.folder / "all.zip", files)
    heads = "Identifier,Full name,ID number,Status,Grade,Maximum grade,Last modified (submission),Last modified (grade)"
    lines = [
        f'Participant {key},{name},{id},Submitted,,100.00,"{at.get(id, "-")}",-' for id, (name, key) in PEOPLE.items()
    ]
    (made.folder / "worksheet.csv").write_text("\n".join([heads, *lines, ""]), encoding="utf-8-sig")
    (made.folder / "dates.toml").write_text(
        '[tiny]\ndue = 2026-01-04\nper_day = "10%"\n[tiny.extensions]\neva = "3 days"\n'
    )
    worksheet = made.folder / "worksheet.csv"
    taken = [made.folder / "all.zip", "--roster", worksheet, f"--db={made.db}"]
    done = run(made, "collect", *taken, reads=("submitted", "earlier"))
    assert done.returncode == 0 and "5 learners: 5 filed" in done.stdout
    again = made.grade_class(f"--JudgedAutograde.dates_file={made.folder}/dates.toml")
    assert again.status == 0 and "5 unchanged" in again.log
    assert pages(made).returncode == 0
    options = ["tiny", "--format=moodle", "--feedback-zip", f"--db={made.db}", f"--to={made.folder}/desk"]
    done = run(made, "export", *options, "--into", worksheet, reads=("submitted", "autograded", "feedback"))
    assert done.returncode == 0, done.stderr
    found = {line["ID number"]: line["Grade"] for line in rows(made.folder / "desk" / "tiny" / "moodle.csv")}
    half = POINTS["half"]
    assert {id: found[id] for id in ("ann", "bob", "dan", "eva", "fay")} == {
        **{"ann": "86", "bob": "50", "dan": f"{half - 2 * half / 10:g}", "eva": "86", "fay": ""}
    }
    assert 0 < float(found["cem"]) < POINTS["all"]
    with zipfile.ZipFile(made.folder / "desk" / "tiny" / "moodle-feedback.zip") as archive:
        assert f"Dan Ames_{PEOPLE['dan'][1]}_assignfeedback_file/tiny.html" in archive.namelist()
    with closing(sqlite3.connect(made.folder / "gradebook.db")) as database:
        ((late,),) = database.execute("select count(*) from submitted_notebook where late_submission_penalty > 0")
    assert late == 1
