"""Points and pages in the form that platforms take: every file that is written is read back as the platform does it."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
import kit
import openpyxl
import pytest
import ready
from course import Course, environment
from nbgrader.api import Gradebook
from test_results import graded

from grading import assignments, export, platforms, results
from grading.attempts import Check

FULL = {"test_tensor": 40.0, "test_module": 10.0}
MOODLE = "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,Last modified (grade)"
MOODLE += ",Feedback comments\n"
MOODLE += "".join(
    f"Participant {number},{name},{email},Submitted,,{most},{change},{at},\n"
    for number, name, email, most, change, at in [
        (11, "Ann Ames", "ann@example.org", "100.00", "Yes", '"Monday, 5 January 2026, 10:00 AM"'),
        (12, "Bob Böhm", "bob@example.org", "100.00", "Yes", "-"),
        (13, "Cem Can", "cem@example.org", "100.00", "No", "-"),
        (14, "Nobody Here", "nobody@example.org", "10.00", "Yes", "-"),
        (15, "Hal Hill", "hal@example.org", "50.00", "Yes", "-"),
    ]
)
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Other (7),Tiny (42),Final Score\n"
    "    Points Possible,,,,,5.0,50.0,(read only)\n"
    '"Ames, Ann",901,S1,ann,Lab 1,3.0,,88\n'
    '"Böhm, Bob",902,S2,bob,Lab 1,,,77\n'
    '"Student, Test",999,,f00,Lab 1,,,\n'
    '"Hill, Hal",,,hal,Lab 2,,,\n'
    '"Here, Nobody",903,S9,nobody,Lab 2,,,\n'
)
# Of docs/specs.md of gradescope/autograder_samples.
VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
GRADESCOPE = {
    "type": "object",
    "required": ["score"],
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": {"enum": ["text", "html", "simple_format", "md", "ansi"]},
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "name": {"type": "string"},
                    "number": {"type": "string"},
                    "output": {"type": "string"},
                    "output_format": {"enum": ["text", "html", "simple_format", "md", "ansi"]},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "visibility": VISIBILITY,
                },
            },
        },
    },
}


@pytest.fixture(autouse=True)
def here(monkeypatch) -> None:
    """The course's assignment is known in this process, too."""
    monkeypatch.setattr(assignments, "SOURCE", kit.course() / "source")


@pytest.fixture(scope="module")
def klass(tmp_path_factory) -> Course:
    """A class with names, a penalty, points and words by hand, somebody to grade, and somebody who is not there."""
    made = Course(tmp_path_factory.mktemp("export"))
    with closing(Gradebook(made.db, "minitorch")) as book:
        graded(book, "ann", FULL)
        graded(book, "bob", {"test_tensor": 10.1, "test_module": 0.2}, penalty=1.0)
        graded(book, "cem", FULL, manual={"test_module": 7.0}, extra={"test_tensor": 2.0})
        graded(book, "=cmd|x", {**FULL, "test_model": None})
        names = {"ann": ("Ann", "Ames", "901"), "bob": ("Bob", "Böhm", "902"), "cem": ("Cem", "Can", "")}
        for id, (first, last, lms) in names.items():
            told = {"lms_user_id": lms} if lms else {}
            book.update_or_create_student(id, first_name=first, last_name=last, email=f"{id}@example.org", **told)
        book.update_or_create_student("hal", first_name="Hal", last_name="Hill", email="hal@example.org")
        comment = book.find_comment("tensor", "tiny", "tiny", "cem")
        comment.manual_comment = "Well done <b>&\nmore"
        book.db.commit()
    for learner in ("ann", "bob", "=cmd|x"):
        for folder, end in (("feedback", "html"), ("autograded", "ipynb")):
            place = made.folder / folder / learner / "tiny" / f"tiny.{end}"
            place.parent.mkdir(parents=True)
            place.write_text(f"{folder} of {learner}")
    return made


def command(klass: Course, form: str, *options: Any) -> Any:
    places = [f"--db={klass.db}", f"--to={klass.folder / 'desk'}", f"--journal={klass.folder / '.grading'}"]
    places += [f"--{name}={klass.folder / name}" for name in ("submitted", "autograded", "feedback")]
    arguments = [sys.executable, "-m", "grading", "export", "tiny", "--format", form, *places, *options]
    return ready.run(arguments, env=environment())


def written(klass: Course, name: str) -> bytes:
    return (klass.folder / "desk" / "tiny" / name).read_bytes()


def rows(content: bytes | str) -> list[dict[str, str]]:
    text = content.decode("utf-8") if isinstance(content, bytes) else content
    return list(csv.DictReader(io.StringIO(text)))


# ---------------------------------------------------------------- CSV, XLSX


def test_csv_has_what_counts_and_defuses_formulas(klass):
    done = command(klass, "csv")
    assert done.returncode == 0, done.stderr
    found = {row["learner"]: row for row in rows(written(klass, "points.csv"))}
    assert {id: row["tiny"] for id, row in found.items()} == {
        "ann": "50", "bob": "9.3", "cem": "49", "'=cmd|x": "50", "hal": "",
    }  # fmt: skip
    assert "4 of 5 learners have points." in done.stdout
    assert "1 wait for a person's points: =cmd|x." in done.stdout
    assert "comment" not in found["cem"]


def test_by_section_with_comments_and_zeros(klass):
    assert command(klass, "csv", "--by", "section", "--comments", "--zeros").returncode == 0
    found = {row["learner"]: row for row in rows(written(klass, "points.csv"))}
    assert found["cem"]["tiny: Tensor"] == "40" and found["cem"]["tiny: Module"] == "7"
    assert found["cem"]["tiny: extra credit"] == "2" and found["cem"]["total"] == "49"
    assert found["bob"]["tiny: penalty"] == "-1" and found["hal"]["total"] == "0"
    assert "Tensor: 40 of 40, and 2 extra" in found["cem"]["comment"]
    assert "tensor: Well done <b>&\nmore" in found["cem"]["comment"] and found["hal"]["comment"] == ""


def test_a_spreadsheet_is_read_back_and_holds_no_formula(klass):
    assert command(klass, "xlsx", "--by", "section", "--comments").returncode == 0
    sheet = openpyxl.load_workbook(io.BytesIO(written(klass, "points.xlsx"))).active
    heads, *lines = [[cell.value for cell in row] for row in sheet.iter_rows()]
    found = {line[0]: dict(zip(heads, line, strict=True)) for line in lines}
    assert found["bob"]["tiny: Tensor"] == 10.1 and found["bob"]["total"] == 9.3
    assert found["=cmd|x"]["learner"] == "=cmd|x"
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "inlineStr", "n"}


def test_a_spreadsheet_takes_any_characters(klass):
    found = results.read(klass.db, "tiny")
    made = export.gather(found, {"ann": ["\0\x1b[31m=1+1", "\ud800" * 3, "x" * 40_000]}, False, False)
    sheet = openpyxl.load_workbook(io.BytesIO(export.as_xlsx(made))).active
    assert any("=1+1" in str(cell.value) for row in sheet.iter_rows() for cell in row)


# ---------------------------------------------------------------- Canvas


def canvas(klass: Course, tmp_path: Path, *options: Any, text: str = CANVAS) -> Any:
    (tmp_path / "gradebook.csv").write_text(text, encoding="utf-8-sig")
    return command(klass, "canvas", "--into", tmp_path / "gradebook.csv", *options)


def taken_by_canvas(content: bytes) -> dict[str, dict[str, str]]:
    """As lib/gradebook_importer.rb reads it: the heads are asked for; lines by ID, else by login."""
    lines = list(csv.reader(io.StringIO(content.decode("utf-8"))))
    heads = lines[0]
    assert "Student" in heads[0] and "ID" in heads[1] and heads[4] == "Section"
    assert re.match("SIS\\s+User\\s+ID", heads[2]) and re.match("SIS\\s+Login\\s+ID", heads[3])
    assert "Points Possible" in lines[1][0] and all(len(line) == len(heads) for line in lines)
    return {line[1] or line[3]: dict(zip(heads, line, strict=True)) for line in lines[1:]}


def test_canvas_takes_its_own_list_with_one_column(klass, tmp_path):
    done = canvas(klass, tmp_path)
    assert done.returncode == 0, done.stderr
    found = taken_by_canvas(written(klass, "canvas.csv"))
    assert [*next(iter(found.values()))][5:] == ["Tiny (42)"]
    assert found["901"]["Tiny (42)"] == "50" and found["902"]["Tiny (42)"] == "9.3" and found["hal"]["Tiny (42)"] == ""
    assert found["901"]["Student"] == "Ames, Ann" and found["901"]["Section"] == "Lab 1"
    assert "903" not in found and "999" not in found
    assert "1 of the platform's list are not known here, and get nothing: Here, Nobody." in done.stdout
    assert "2 have points here and are not in the platform's list: =cmd|x, cem." in done.stdout
    assert "Canvas has 50.0 points possible in 'Tiny (42)', and here are 100." in done.stdout


def test_canvas_without_a_list_and_by_section(klass):
    assert command(klass, "canvas", "--by", "section").returncode == 0
    found = taken_by_canvas(written(klass, "canvas.csv"))
    assert found["901"]["tiny: Tensor"] == "40" and found["cem"]["Student"] == "Can, Cem"
    assert found["'=cmd|x"]["tiny: Module"] == "10"


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        (CANVAS.replace("Tiny", "Week 3"), (), "Say --column with one of: Other (7), Week 3 (42)."),
        (CANVAS, ("--column", "nosuch"), "It is not clear which column is meant"),
        ("Name,Points\nAnn,3\n", (), "is no gradebook of Canvas, as it has no columns ID and Section"),
        ("", (), "is empty"),
        ("sep=;", (), "is empty"),
        ("\0\0", (), "is no text"),
    ],
)
def test_what_canvas_would_not_take_is_said(klass, tmp_path, text, options, says):
    (klass.folder / "desk" / "tiny" / "canvas.csv").unlink(missing_ok=True)
    done = canvas(klass, tmp_path, *options, text=text)
    assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr
    assert not (klass.folder / "desk" / "tiny" / "canvas.csv").exists()


def test_a_blank_line_in_a_list_is_nobody(klass, tmp_path):
    heads, rest = CANVAS.split("\n", 1)
    assert canvas(klass, tmp_path, text=f"{heads}\n\n{rest}").returncode == 0
    assert taken_by_canvas(written(klass, "canvas.csv"))["901"]["Tiny (42)"] == "50"


def test_a_column_can_be_named(klass, tmp_path):
    assert canvas(klass, tmp_path, "--column", "week 3", text=CANVAS.replace("Tiny", "Week 3")).returncode == 0
    assert taken_by_canvas(written(klass, "canvas.csv"))["901"]["Week 3 (42)"] == "50"


@pytest.mark.parametrize(
    ("heads", "wanted", "found"),
    [
        (["Student", "Tiny (1)", "Tiny, part 2 (2)"], None, "Tiny (1)"),
        (["Student", "A tiny thing (1)", "Other (2)"], None, "A tiny thing (1)"),
        (["Student", "Other (2)", "Final Score"], None, "Other (2)"),
        (["Student", "Tiny (1)", "Other (2)"], "OTHER", "Other (2)"),
    ],
)
def test_the_column_that_is_meant(heads, wanted, found):
    assert platforms.canvas_column(heads, ["tiny"], wanted) == found


# ---------------------------------------------------------------- Moodle


def test_moodle_takes_its_worksheet_back(klass, tmp_path):
    (tmp_path / "sheet.csv").write_text(MOODLE, encoding="utf-8")
    done = command(klass, "moodle", "--into", tmp_path / "sheet.csv", "--comments")
    assert done.returncode == 0, done.stderr
    found = {row["Identifier"]: row for row in rows(written(klass, "moodle.csv"))}
    before = {row["Identifier"]: row for row in rows(MOODLE)}
    assert found["Participant 11"]["Grade"] == "50" and found["Participant 12"]["Grade"] == "9.3"
    assert (
        found["Participant 13"]["Grade"] == "" and "1 have a grade that Moodle does not let change: cem" in done.stdout
    )
    assert "Moodle's maximum is 50.00, and here are 100 points." in done.stdout
    for number, row in found.items():  # all else is as it came
        kept = {**row, "Grade": "", "Feedback comments": ""}
        assert kept == before[number]
    assert found["Participant 12"]["Feedback comments"].startswith("Tensor: 10.1 of 40<br>Module: 0.2 of 10<br>")
    assert found["Participant 12"]["Feedback comments"].endswith("Penalty: -1")


def test_of_two_columns_the_one_that_moodle_means_counts():
    heads = ["ID", "Note", "Identifier", "Grade", "Last modified (grade)"]
    assert platforms.worksheet(heads) == {"identifier": 2, "grade": 3, "modified": 4}


def test_words_in_comments_are_escaped_for_moodle(klass, tmp_path):
    (tmp_path / "sheet.csv").write_text(MOODLE.replace(",No,", ",Yes,"), encoding="utf-8")
    assert command(klass, "moodle", "--into", tmp_path / "sheet.csv", "--comments").returncode == 0
    (cem,) = [row for row in rows(written(klass, "moodle.csv")) if row["Full name"] == "Cem Can"]
    assert "tensor: Well done &lt;b&gt;&amp;\nmore" in cem["Feedback comments"]


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        (None, (), "Moodle takes grades in its own worksheet only"),
        ("Full name,Grade\nAnn,1\n", (), "has no column Identifier, Last modified (grade)"),
        (MOODLE, ("--by", "section"), "has one grade for each: leave out --by section"),
    ],
)
def test_what_moodle_would_not_take_is_said(klass, tmp_path, text, options, says):
    if text is not None:
        (tmp_path / "sheet.csv").write_text(text, encoding="utf-8")
        options = (*options, "--into", tmp_path / "sheet.csv")
    done = command(klass, "moodle", *options)
    assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr


# ---------------------------------------------------------------- Gradescope


def test_gradescope_results_have_the_documented_form(klass):
    found = results.read(klass.db, "tiny")
    made = export.gather(found, {}, False, False)
    reports = {"test_tensor": (Check("a", "Adds", "failed", 1, 0),)}
    for line in made.lines.values():
        if line.total is not None:
            told = export.gradescope_results(made, line, reports)
            jsonschema.validate(told, GRADESCOPE)
    assert told["tests"][0]["output"] == "failed: Adds"


def test_gradescopes_autograder_gives_each_submission_its_points(klass, tmp_path):
    done = command(klass, "gradescope", "--comments")
    assert done.returncode == 0, done.stderr
    place = tmp_path / "autograder"
    with zipfile.ZipFile(io.BytesIO(written(klass, "gradescope.zip"))) as archive:
        assert {"setup.sh", "run_autograder"} <= {*archive.namelist()}
        archive.extractall(place / "source")
    (place / "results").mkdir()
    program = (place / "source" / "run_autograder").read_text()
    assert program == export.RUN
    for users, score in (
        ([{"email": "BOB@example.org", "name": "B"}], 9.3),
        ([{"email": "x@example.org", "name": "x"}, {"email": "ann@example.org"}], 50),
        ([{"email": "stranger@example.org", "name": None}], 0),
    ):
        (place / "submission_metadata.json").write_text(json.dumps({"users": users}))
        own = program.replace('"/autograder"', repr(str(place)))
        subprocess.run([sys.executable, "-c", own], check=True)
        told = json.loads((place / "results" / "results.json").read_text())
        jsonschema.validate(told, GRADESCOPE)
        assert told["score"] == score


# ---------------------------------------------------------------- feedback


def archive(place: Path, names: dict[str, str]) -> Path:
    with zipfile.ZipFile(place, "w") as made:
        for name, content in names.items():
            made.writestr(name, content)
    return place


def packed(klass: Course, name: str) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(written(klass, name))) as made:
        assert made.testzip() is None
        return {entry: made.read(entry).decode() for entry in made.namelist()}


def test_moodle_finds_whose_page_it_is_by_the_worksheet_or_the_archive(klass, tmp_path):
    (tmp_path / "sheet.csv").write_text(MOODLE, encoding="utf-8")
    done = command(klass, "moodle", "--into", tmp_path / "sheet.csv", "--feedback-zip")
    assert done.returncode == 0, done.stderr
    pages = {
        "Ann Ames_11_assignfeedback_file/tiny.html": "feedback of ann",
        "Bob Böhm_12_assignfeedback_file/tiny.html": "feedback of bob",
    }
    assert packed(klass, "moodle-feedback.zip") == pages
    assert "2 are graded and have no page in feedback: =cmd|x, cem." in done.stdout
    for path in pages:  # as importziplib.php takes them apart
        name, participant, kind, plugin, *_ = path.partition("/")[0].split("_", 4)
        assert participant.isdigit() and (kind, plugin) == ("assignfeedback", "file") and "_" not in name
    given = archive(tmp_path / "a.zip", {"Ann Ames_21_assignsubmission_file/tiny.ipynb": "{}"})
    options = ("--into", tmp_path / "sheet.csv", "--feedback-zip", "--archive", given)
    assert command(klass, "moodle", *options).returncode == 0
    assert packed(klass, "moodle-feedback.zip") == {"Ann Ames_21_assignfeedback_file/tiny.html": "feedback of ann"}


def test_canvas_finds_whose_page_it_is_by_the_names_in_its_archive(klass, tmp_path):
    given = archive(
        tmp_path / "submissions.zip",
        {
            "amesann_901_5001_tiny.ipynb": "{}",
            "amesann_901_5002_notes.txt": "",
            "böhmbob_LATE_902_5003_tiny-1.ipynb": "{}",
            "herenobody_903_5004_tiny.ipynb": "{}",
        },
    )
    done = canvas(klass, tmp_path, "--feedback-zip", "--archive", given)
    assert done.returncode == 0, done.stderr
    pages = packed(klass, "canvas-feedback.zip")
    assert pages == {
        "amesann_901_5001_tiny.html": "feedback of ann",
        "böhmbob_LATE_902_5003_tiny-1.html": "feedback of bob",
    }
    for path in pages:  # as abstract_assignment.rb takes them apart
        assert [part for part in path.split("_") if part.isdigit()][:2] in (["901", "5001"], ["902", "5003"])
    assert "1 in submissions.zip are not known here: herenobody." in done.stdout
    assert canvas(klass, tmp_path, "--feedback-zip", "--notebooks", "--archive", given).returncode == 0
    assert packed(klass, "canvas-feedback.zip")["amesann_901_5001_tiny.ipynb"] == "autograded of ann"


@pytest.mark.parametrize(
    ("form", "content", "says"),
    [
        ("canvas", None, "give the archive with the hand-ins that you have downloaded, with --archive."),
        ("canvas", {"x.txt": ""}, "is no archive of hand-ins from Canvas"),
        ("csv", None, "--feedback-zip is for these formats"),
    ],
)
def test_what_pages_cannot_be_named_by_is_said(klass, tmp_path, form, content, says):
    options = [] if content is None else ["--archive", archive(tmp_path / "a.zip", content)]
    done = command(klass, form, "--feedback-zip", *options)
    assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr
