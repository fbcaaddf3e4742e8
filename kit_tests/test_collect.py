"""`python -m grading collect`: from the archives of platforms to submitted/, whatever lies in them."""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import os
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import ready
from course import Course as GradedCourse
from course import environment, submission
from nbgrader.api import Gradebook

from grading import collect, platforms, roster, submissions
from grading.collect import Course, Report
from grading.roster import Member, Roster
from grading.submissions import ABOUT

WORK = "tiny.ipynb"


def zipped(files: Mapping[str, Any], dates: Mapping[str, tuple[int, ...]] | None = None) -> bytes:
    """A zip file; text and bytes by their names."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, (dates or {}).get(name, (2026, 1, 5, 10, 0, 0)))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return made.getvalue()


@pytest.fixture
def course(tmp_path) -> Course:
    return Course("tiny", ["tiny"], tmp_path / "submitted", tmp_path / "earlier")


def take(course: Course, *archives: Mapping[str, Any] | bytes, known: Roster | None = None, **more: Any) -> Report:
    """Collect archives that hold these files."""
    paths = []
    for number, content in enumerate(archives):
        path = course.submitted.parent / f"archive-{number}.zip"
        path.write_bytes(content if isinstance(content, bytes) else zipped(content, more.get("dates")))
        paths.append(path)
    more.pop("dates", None)
    return collect.collect(course, paths, Roster() if known is None else known, **more)


def filed(course: Course) -> dict[str, str]:
    """What lies in submitted/, by path: texts."""
    places = sorted(path for path in course.submitted.rglob("*") if path.is_file())
    return {
        str(path.relative_to(course.submitted)): path.read_bytes().decode("utf-8", "replace")
        for path in places
        if path.name != ABOUT
    }


def kept(course: Course) -> dict[str, str]:
    places = sorted(path for path in course.earlier.rglob("*") if path.is_file())
    return {str(path.relative_to(course.earlier)): path.read_text() for path in places if path.name != ABOUT}


# ---------------------------------------------------------------- platforms

ARCHIVES = {
    "canvas": {
        "lovelaceada_101_9001_tiny.ipynb": "ada",
        "lovelaceada_101_9002_notes.txt": "notes",
        "turingalan_LATE_102_9003_tiny-1.ipynb": "alan",
    },
    "moodle": {
        "Ada Lovelace_5001_assignsubmission_file_/tiny.ipynb": "ada",
        "Ada Lovelace_5001_assignsubmission_file_/notes.txt": "notes",
        "Alan Turing_5002_assignsubmission_file_/tiny.ipynb": "alan",
    },
    "gradescope": {
        "assignment_1_export/submission_metadata.yml": (
            "submission_7:\n  :submitters:\n  - :name: Ada Lovelace\n    :sid: '101'\n    :email: ada@example.org\n"
            "  :created_at: 2026-01-03 21:00:37.870513000 Z\n  :score: 1.0\n"
            "submission_8:\n  :submitters:\n  - :name: Alan Turing\n    :sid: '102'\n    :email: alan@example.org\n"
            "  :created_at: 2026-01-04 09:00:00.000000000 Z\n"
        ),
        "assignment_1_export/submission_7/tiny.ipynb": "ada",
        "assignment_1_export/submission_7/notes.txt": "notes",
        "assignment_1_export/submission_8/tiny.ipynb": "alan",
    },
    "ilias": {
        "Abgaben/Lovelace_Ada_ada_101/tiny.ipynb": "ada",
        "Abgaben/Lovelace_Ada_ada_101/notes.txt": "notes",
        "Abgaben/Turing_Alan_alan_102/Late Submission - tiny.ipynb": "alan",
    },
    "google": {
        "Tiny/Ada Lovelace - tiny.ipynb": "ada",
        "Tiny/Ada Lovelace - notes.txt": "notes",
        "Tiny/Alan Turing - tiny.ipynb": "alan",
    },
    "plain": {"class/ada/tiny.ipynb": "ada", "class/ada/notes.txt": "notes", "class/alan/tiny/tiny.ipynb": "alan"},
}
IDS = {
    "canvas": ("101", "102"),
    "moodle": ("ada-lovelace", "alan-turing"),
    "gradescope": ("101", "102"),
    "ilias": ("ada", "alan"),
    "google": ("ada-lovelace", "alan-turing"),
    "plain": ("ada", "alan"),
}
STUDENTS = [
    Member("al", "Ada", "Lovelace", "ada@example.org", "101"),
    Member("at", "Alan", "Turing", "alan@example.org", "102"),
]


@pytest.mark.parametrize("platform", ARCHIVES)
def test_an_archive_is_recognized_and_filed(course, platform):
    report = take(course, ARCHIVES[platform])
    assert not report.trouble and report.lines == []
    ada, alan = IDS[platform]
    found = filed(course)
    assert {path: text for path, text in found.items() if "timestamp" not in path} == {
        f"{ada}/tiny/tiny.ipynb": "ada",
        f"{ada}/tiny/notes.txt": "notes",
        f"{alan}/tiny/tiny.ipynb": "alan",
    }
    assert report.filed == sorted(IDS[platform])
    assert report.late == ([alan] if platform in ("canvas", "ilias") else [])
    about = json.loads((course.place(alan) / ABOUT).read_text())
    assert about["platform"] == platform and about["late"] == (platform in ("canvas", "ilias"))
    stamps = {path: text for path, text in found.items() if "timestamp" in path}
    if platform == "gradescope":
        assert stamps["101/tiny/timestamp.txt"] == "2026-01-03 21:00:37 UTC\n"
    elif platform == "ilias":
        assert stamps["ada/tiny/timestamp.txt"] == "2026-01-05 10:00:00 UTC\n"
    else:
        assert not stamps


@pytest.mark.parametrize("platform", ARCHIVES)
def test_students_that_are_known_get_their_own_ids(course, platform):
    if platform == "plain":
        pytest.skip("it has ids")
    report = take(course, ARCHIVES[platform], known=Roster([*STUDENTS, Member("gh", "Grace", "Hopper")]))
    assert report.filed == ["al", "at"] and report.nothing == ["gh"]


def test_moodle_has_flat_files_groups_and_texts_too(course):
    report = take(
        course,
        {
            "Jean-Luc Picard_1_assignsubmission_file_tiny.ipynb": "jl",
            "Group A-Ada Lovelace_2_assignsubmission_file_tiny.ipynb": "ada",
            "Ada Lovelace_2_assignsubmission_onlinetext_onlinetext.html": "<p>",
        },
        known=Roster([*STUDENTS, Member("jl", "Jean-Luc", "Picard")]),
    )
    assert report.filed == ["al", "jl"] and report.trouble
    assert "is a text that was typed in, no file: not placed" in report.lines[0]


def test_canvas_has_anonymous_students_and_texts_too(course):
    report = take(
        course,
        {"anon_aB3xY_77_tiny.ipynb": "a", "LATE_anon_Q9z_78_tiny.ipynb": "b", "lovelaceada_101_text.html": "<p>"},
    )
    assert report.filed == ["anon_Q9z", "anon_aB3xY"]
    assert report.late == ["anon_Q9z"] and "is a text or link, no file" in report.lines[0]


def test_a_group_of_gradescope_hands_in_for_each(course):
    metadata = "submission_1:\n  :submitters:\n" + "".join(
        f"  - :name: {name}\n    :sid: '{number}'\n    :email: {name}@example.org\n"
        for name, number in (("Ada", 1), ("Alan", 2))
    )
    take(course, {"a/submission_metadata.yml": metadata, "a/submission_1/tiny.ipynb": "both"})
    assert filed(course) == {"1/tiny/tiny.ipynb": "both", "2/tiny/tiny.ipynb": "both"}


@pytest.mark.parametrize(
    "metadata",
    ["a: &x [1]\nb: [*x, *x]\n", "[" * 100_000, "submission_1: 3", "\0", "- a", "submission_1:\n  :submitters: 4"],
    ids=range(6),
)
def test_metadata_that_cannot_be_read_gets_a_sentence(course, metadata):
    report = take(course, {"a/submission_metadata.yml": metadata, "a/submission_1/tiny.ipynb": "x"})
    assert "submission_metadata.yml cannot be read" in report.as_text() and not filed(course)


def test_files_that_are_named_after_their_learners_are_taken_when_one_says_so(course):
    files = {"ada.ipynb": "ada", "alan.ipynb": "alan"}
    report = take(course, files)
    assert "it is not clear whose archive this is" in report.lines[0] and not filed(course)
    take(course, files, platform="files")
    assert filed(course) == {"ada/tiny/tiny.ipynb": "ada", "alan/tiny/tiny.ipynb": "alan"}


def test_a_folder_is_taken_as_a_zip_file_of_it_and_its_timestamps_count(course, tmp_path):
    for learner in ("ada", "alan"):
        (tmp_path / "class" / learner).mkdir(parents=True)
        (tmp_path / "class" / learner / WORK).write_text(learner)
    (tmp_path / "class" / "ada" / "timestamp.txt").write_text("2026-01-03 12:00:00 +0100\n")
    (tmp_path / "class" / "alan" / "timestamp.txt").write_text("soon")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "class" / "alan" / "link.ipynb").symlink_to(tmp_path / "secret")
    report = collect.collect(course, [tmp_path / "class"], Roster())
    assert filed(course)["ada/tiny/timestamp.txt"] == "2026-01-03 11:00:00 UTC\n"
    assert "timestamp.txt holds no date" in report.as_text()
    assert "'link.ipynb' cannot be opened: it is a link" in report.as_text()
    assert filed(course)["alan/tiny/tiny.ipynb"] == "alan" and "secret" not in str(filed(course))


# ---------------------------------------------------------------- the newest


def test_the_newest_is_filed_and_earlier_ones_are_kept(course):
    first = {"lovelaceada_101_1_tiny.ipynb": "first"}
    second = {"lovelaceada_101_2_tiny-1.ipynb": "second"}
    third = {"lovelaceada_101_3_tiny-2.ipynb": "third"}
    take(course, first)
    report = take(course, second, third)
    assert report.filed == ["101"] and report.earlier == 2
    assert filed(course) == {"101/tiny/tiny.ipynb": "third"}
    assert sorted(kept(course).values()) == ["first", "second"]
    again = take(course, first, second, third)
    assert (again.filed, again.unchanged, again.earlier) == ([], ["101"], 0)
    assert take(course, first).unchanged == ["101"]  # which was replaced already
    assert filed(course) == {"101/tiny/tiny.ipynb": "third"} and len(kept(course)) == 2


def test_two_files_of_one_name_are_two_hand_ins(course):
    take(course, {"lovelaceada_101_1_tiny.ipynb": "first", "lovelaceada_101_2_tiny-1.ipynb": "second"})
    assert filed(course) == {"101/tiny/tiny.ipynb": "second"} and list(kept(course).values()) == ["first"]


def gradescope(text: str, at: str, zone: str = " Z") -> dict[str, str]:
    about = f"s:\n  :submitters:\n  - :name: A\n    :sid: '1'\n    :email: a@b.c\n  :created_at: {at}{zone}\n"
    return {"a/submission_metadata.yml": about, "a/s/tiny.ipynb": text}


def test_times_decide_where_there_are_any(course):
    take(course, gradescope("second", "2026-01-04 10:00:00"), gradescope("first", "2026-01-03 10:00:00"))
    assert filed(course)["1/tiny/tiny.ipynb"] == "second"
    report = take(course, gradescope("older still", "2026-01-02 10:00:00"))
    assert report.unchanged == ["1"] and report.earlier == 1 and filed(course)["1/tiny/tiny.ipynb"] == "second"
    assert set(kept(course)) >= {
        "tiny/1/2026-01-03 10.00.00 UTC/tiny.ipynb",
        "tiny/1/2026-01-02 10.00.00 UTC/tiny.ipynb",
    }
    take(course, gradescope("first", "2026-01-05 10:00:00"))  # handed in once more
    assert filed(course) == {"1/tiny/tiny.ipynb": "first", "1/tiny/timestamp.txt": "2026-01-05 10:00:00 UTC\n"}


def test_a_time_without_a_zone_is_the_courses(course):
    course.zone = datetime.timezone(datetime.timedelta(hours=5))
    take(course, gradescope("first", "2026-01-03 10:00:00", zone=""), gradescope("second", "2026-01-03 06:00:00"))
    assert filed(course) == {"1/tiny/tiny.ipynb": "second", "1/tiny/timestamp.txt": "2026-01-03 06:00:00 UTC\n"}
    assert "tiny/1/2026-01-03 05.00.00 UTC/tiny.ipynb" in kept(course)


def test_times_in_archives_count_when_one_says_so(course):
    at = {"ada/tiny.ipynb": (2026, 1, 5, 12, 0, 0)}
    course.zone = datetime.timezone(datetime.timedelta(hours=1))
    take(course, {"ada/tiny.ipynb": "x", "bob/tiny.ipynb": "y"}, dates=at, times=True)
    assert filed(course)["ada/tiny/timestamp.txt"] == "2026-01-05 11:00:00 UTC\n"


def test_a_dry_run_writes_nothing(course):
    report = take(course, ARCHIVES["canvas"], dry=True)
    assert report.filed == ["101", "102"] and not course.submitted.exists()


# ---------------------------------------------------------------- who is who


def test_two_of_one_name_are_told_apart_by_the_platforms_list_or_not_at_all(course):
    files = {
        "Ada Lovelace_1_assignsubmission_file_/tiny.ipynb": "one",
        "Ada Lovelace_2_assignsubmission_file_/tiny.ipynb": "two",
        "Alan Turing_3_assignsubmission_file_/tiny.ipynb": "alan",
    }
    report = take(course, files)
    assert "2 have this name (1, 2): give --roster" in report.as_text() and report.filed == ["alan-turing"]
    known = Roster([Member("a1", "Ada", "Lovelace", key="1"), Member("a2", "Ada", "Lovelace", key="2")])
    report = take(course, files, known=known)
    assert not report.trouble and filed(course)["a2/tiny/tiny.ipynb"] == "two"


def test_a_list_that_grows_is_looked_through_once_for_each_student(monkeypatch):
    asked = []
    names = Member.names
    monkeypatch.setattr(Member, "names", lambda one: [asked.append(one.id), names(one)][1])
    known = Roster()
    for number in range(50):
        assert known.whose(platforms.Person(login=f"learner-{number}")) is None
        known.add(Member(f"learner-{number}", full=f"Learner {number}"))
    assert len(asked) <= 2 * 50
    known.add(Member("learner-7", full="Ada Lovelace"))  # whose name it was not is found by it no more
    assert known.whose(platforms.Person("Learner 7")) is None
    assert known.whose(platforms.Person("Ada Lovelace")).id == "learner-7"


def test_a_name_that_two_students_have_is_no_ones(course):
    known = Roster([Member("a1", "Ada", "Lovelace"), Member("a2", "Ada", "Lovelace")])
    report = take(course, {"Ada Lovelace_1_assignsubmission_file_/tiny.ipynb": "x"}, known=known)
    assert "2 students are called 'adalovelace' (a1, a2)" in report.as_text() and not filed(course)


def test_two_of_one_name_with_ids_of_their_own_are_two(course):
    take(course, {"lovelaceada_101_1_tiny.ipynb": "one", "lovelaceada_102_2_tiny.ipynb": "two"})
    assert filed(course) == {"101/tiny/tiny.ipynb": "one", "102/tiny/tiny.ipynb": "two"}


# ---------------------------------------------------------------- hostile and broken


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("../../ada/tiny.ipynb", "its path leads out of the archive"),
        ("/etc/ada/tiny.ipynb", "its path leads out of the archive"),
        ("..\\..\\ada\\tiny.ipynb", "its path leads out of the archive"),
        ("/".join(["ada", *["deep"] * 20, WORK]), "lies in more than 12 folders"),
    ],
)
def test_what_leads_elsewhere_is_left_out_and_the_rest_is_filed(course, tmp_path, name, says):
    before = {str(path) for path in tmp_path.rglob("*")}
    report = take(course, {name: "evil", "bob/tiny.ipynb": "bob", "cem/tiny.ipynb": "cem"})
    assert says in report.as_text() and report.trouble
    assert filed(course) == {"bob/tiny/tiny.ipynb": "bob", "cem/tiny/tiny.ipynb": "cem"}
    new = {str(path) for path in tmp_path.rglob("*")} - before
    assert all(path.startswith((str(course.submitted), str(tmp_path / "archive-0.zip"))) for path in new)


def test_a_link_in_an_archive_is_no_file(course):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        info = zipfile.ZipInfo("ada/tiny.ipynb")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
        archive.writestr("bob/tiny.ipynb", "bob")
    report = take(course, made.getvalue())
    assert "is a link to another file" in report.as_text() and filed(course) == {"bob/tiny/tiny.ipynb": "bob"}


def test_a_bomb_costs_its_own_learner_only(course):
    report = take(course, {"ada/tiny.ipynb": b"0" * 50_000_000, "bob/tiny.ipynb": "bob", "bob/big.csv": b"0" * 9**8})
    assert "is packed smaller than a notebook can be" in report.as_text()
    assert filed(course) == {"bob/tiny/tiny.ipynb": "bob"} and not (course.submitted / "ada").exists()


def test_a_damaged_member_costs_its_own_learner_only(course):
    data = zipped({"ada/tiny.ipynb": os.urandom(1000), "bob/tiny.ipynb": "bob"})
    broken = data[:100] + b"\xff" * 50 + data[150:]
    report = take(course, broken)
    assert "is damaged and cannot be unpacked" in report.as_text() and filed(course) == {"bob/tiny/tiny.ipynb": "bob"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is no zip file"),
        (b"Rar!\x1a\x07", "it is no zip file"),
        (b"PK\3\4" + b"\0" * 100, "it is damaged"),
        (zipped({"ada/tiny.ipynb": "x"})[:-30], "it is damaged"),
        (zipped({}), "it holds no files"),
        (zipped({"__MACOSX/._x": "x"}), "it holds no files"),
    ],
    ids=range(6),
)
def test_one_bad_archive_harms_no_other(course, content, says):
    report = take(course, content, ARCHIVES["canvas"])
    assert report.lines[0].startswith("archive-0.zip was left out: ") and says in report.lines[0]
    assert report.filed == ["101", "102"] and report.trouble
    missing = collect.collect(course, [Path("nowhere.zip")], Roster())
    assert missing.lines == ["nowhere.zip was left out: there is no such file or folder."]


def test_a_list_of_members_that_is_too_long_is_not_read(course, monkeypatch):
    monkeypatch.setattr(collect, "LARGEST_DIRECTORY", 100)
    assert "its list of files has" in take(course, ARCHIVES["canvas"]).lines[0]
    monkeypatch.setattr(collect, "LARGEST_DIRECTORY", 1 << 20)
    monkeypatch.setattr(collect, "MOST_MEMBERS", 2)
    assert "it holds more than 2 files" in take(course, ARCHIVES["canvas"]).lines[0]


def test_learners_cannot_say_when_they_handed_in(course):
    files = {
        "lovelaceada_101_1_tiny.ipynb": "x",
        "lovelaceada_101_2_timestamp.txt": "2020-01-01",
        "lovelaceada_101_3_submission_secret.txt": "ab",
        "lovelaceada_101_4_.collected.json": "{}",
    }
    take(course, files)
    assert set(filed(course)) == {
        "101/tiny/tiny.ipynb",
        "101/tiny/theirs-timestamp.txt",
        "101/tiny/theirs-submission_secret.txt",
        "101/tiny/theirs-collected.json",
    }


def test_odd_names_are_files_here(course):
    files = {
        "ada/" + "ü" * 150 + ".ipynb": "long",
        "ada/a\nb.txt": "line",
        "ada/file": "x",
        "ada/file/inside.txt": "y",
        "bob/tiny.ipynb": "bob",
        "e\u0301va/tiny.ipynb": "eva",
    }
    report = take(course, files)
    assert "éva/tiny/tiny.ipynb" in filed(course) and filed(course)["bob/tiny/tiny.ipynb"] == "bob"
    assert report.trouble  # ada's file is a folder, too
    assert not list(course.submitted.glob("*/.*"))


@pytest.mark.parametrize("learner", [".hidden", "a\u202eb", "x" * 300, " "])
def test_a_learner_who_cannot_be_a_folder_is_left_out(course, learner):
    report = take(course, {f"{learner}/tiny.ipynb": "x", "bob/tiny.ipynb": "bob"})
    assert list(filed(course)) == ["bob/tiny/tiny.ipynb"]
    assert report.trouble or learner == ".hidden"  # what begins with a dot is a program's own


def test_learners_who_hand_in_zip_files_are_graded_as_ever(course):
    inner = zipped({"inside/tiny.ipynb": json.dumps(submission("half"))})
    take(course, {"lovelaceada_101_1_tiny.zip": inner})
    found = submissions.collect(course.place("101"), "tiny", ["tiny"], course.submitted)
    assert found.content and "tiny.zip/inside/tiny.ipynb" in found.remarks[0]


# ---------------------------------------------------------------- lists of students

LISTS = {
    "nbgrader": ("id,first_name,last_name,email,lms_user_id\nal,Ada,Lovelace,ada@example.org,101\n", "al"),
    "canvas": (
        "Student,ID,SIS User ID,SIS Login ID,Section,Tiny (77)\n    Points Possible,,,,,100\n"
        '"Lovelace, Ada",101,S1,al,A,\n"Student, Test",999,,,A,\n',
        "al",
    ),
    "moodle": (
        "Identifier,Full name,ID number,Email address,Status,Grade,Last modified (submission)\n"
        'Participant 5001,Ada Lovelace,al,ada@example.org,Submitted for grading,,"Saturday, 3 January 2026, 9:15 PM"\n',
        "al",
    ),
    "gradescope": (
        "First Name,Last Name,SID,Email,Role\nAda,Lovelace,al,ada@example.org,Student\nT,A,ta,t@a,TA\n",
        "al",
    ),
    "ilias": ("Login;Vorname;Nachname;E-Mail\nal;Ada;Lovelace;ada@example.org\n", "al"),
    "google": ("Last Name,First Name,Email Address\nLovelace,Ada,ada@example.org\n", "ada@example.org"),
}


@pytest.mark.parametrize("platform", LISTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_list_of_students_is_read(tmp_path, platform, encoding):
    text, id = LISTS[platform]
    (tmp_path / "list.csv").write_bytes(text.encode(encoding))
    remarks: list[str] = []
    found = roster.read(tmp_path / "list.csv", remarks)
    (member,) = found.members.values()
    assert (member.id, member.first, member.last, remarks) == (id, "Ada", "Lovelace", [])
    assert member.lms_id == ("101" if platform in ("nbgrader", "canvas") else "")
    assert member.key == {"moodle": "5001", "nbgrader": "101", "canvas": "101"}.get(platform, "")


def test_a_list_with_semicolons_tabs_or_in_windows_encoding_is_read(tmp_path):
    for between in (";", "\t"):
        text = between.join(["id", "first_name"]) + "\n" + between.join(["al", "Zoë"]) + "\n"
        (tmp_path / "list.csv").write_bytes(text.encode("cp1252"))
        remarks: list[str] = []
        found = roster.read(tmp_path / "list.csv", remarks)
        assert found.members["al"].first == "Zoë" and "is not in UTF-8" in remarks[0]
    (tmp_path / "list.csv").write_text("sep=;\r\nid;name\r\nal;Ada Lovelace\r\n\r\n")
    assert roster.read(tmp_path / "list.csv", []).members.keys() == {"al"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("sep=;", "is empty"),
        ("sep=;\n\n", "is empty"),
        ("a\0b", "is no text"),
        ("colour,size\nred,3\n", "has no column with ids; its first line says colour, size"),
        ("id,name\n", "names no students"),
        ("id,name\nal,Ada\nbo,Bo\nal,Alan\n", "has 'al' twice, in line 2 as 'Ada' and in line 4 as 'Alan'"),
        ("id,name\n../x,Ada\n", "line 2: '../x' cannot be an id"),
        ("id,name\n.x,Ada\n", "line 2: '.x' cannot be an id"),
        (f"id,name\n{'x' * 200},Ada\n", "cannot be an id: it has more than 128"),
        ('id,name\n"al,Ada\n', "cannot be read near line"),
    ],
    ids=range(12),
)
def test_a_list_that_cannot_be_used_gets_a_sentence(tmp_path, text, says):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(platforms.Unreadable, match=says.replace("(", r"\(")):
        roster.read(tmp_path / "list.csv", [])


def test_a_student_of_two_sections_is_one(tmp_path):
    text = 'Student,ID,SIS Login ID,Section\n"Lovelace, Ada",101,al,A\n"Lovelace, Ada",101,al,B\n'
    (tmp_path / "list.csv").write_text(text)
    assert list(roster.read(tmp_path / "list.csv", []).members) == ["al"]


def test_the_moodle_worksheet_says_who_it_is_and_when(course, tmp_path):
    (tmp_path / "list.csv").write_text(LISTS["moodle"][0])
    listed = roster.read(tmp_path / "list.csv", [])
    report = take(course, ARCHIVES["moodle"], listed=listed)
    assert report.filed == ["al", "alan-turing"]
    assert filed(course)["al/tiny/timestamp.txt"] == "2026-01-03 21:15:00 UTC\n"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-10 21:15", (3, 10)),
        ("10 March 2026, 9:15 PM", (3, 10)),
        ("31/03/2026 21:15", (3, 31)),
        ("10/03/2026 21:15", None),
        ("03/10/26", None),
        ("-", None),
        ("No submission", None),
        ("2026-01-31 10:00 +9999", None),
        ("9999-12-31 23:59 -1200", None),
    ],
)
def test_a_date_in_a_list_that_two_countries_read_differently_is_none(text, day):
    found = roster.when(text, datetime.UTC)
    assert (found and (found.month, found.day)) == day


def test_who_was_known_by_name_alone_keeps_that_id_when_a_list_comes(course, tmp_path):
    known = Roster()
    take(course, ARCHIVES["moodle"], known=known)
    (tmp_path / "list.csv").write_text(LISTS["moodle"][0])
    report = take(course, ARCHIVES["moodle"], known=known, listed=roster.read(tmp_path / "list.csv", []))
    assert report.unchanged == ["ada-lovelace", "alan-turing"] and report.nothing == []
    assert known.members["ada-lovelace"].email == "ada@example.org"


# ---------------------------------------------------------------- the command


@pytest.fixture
def graded(tmp_path) -> GradedCourse:
    return GradedCourse(tmp_path)


def run(made: GradedCourse, *options: str) -> Any:
    command = [sys.executable, "-m", "grading", "collect", f"--db={made.db}"]
    command += [f"--submitted={made.folder}/submitted", f"--earlier={made.folder}/earlier"]
    command += options  # a later --db counts
    return ready.run(command, env=environment())


def test_the_command_files_and_tells_the_gradebook(graded):
    (graded.folder / "a.zip").write_bytes(zipped(ARCHIVES["canvas"]))
    (graded.folder / "list.csv").write_text(
        'Student,ID,SIS User ID,SIS Login ID,Section\n"Lovelace, Ada",101,S1,al,A\n"Hopper, Grace",103,S3,gh,A\n'
    )
    done = run(graded, f"{graded.folder}/a.zip", f"--roster={graded.folder}/list.csv")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "2 learners: 2 filed, 0 unchanged",
        "late, says the platform: 102",
        "handed in nothing: 1: gh",
    ]
    with contextlib.closing(Gradebook(graded.db, "minitorch")) as book:
        known = {student.id: (student.first_name, student.last_name, student.lms_user_id) for student in book.students}
    assert known["al"] == ("Ada", "Lovelace", "101") and known["gh"] == ("Grace", "Hopper", "103")
    assert known["102"] == (None, "turingalan", "102")
    # Later, the list names whom it has not named before: an id stays what it was.
    (graded.folder / "list.csv").write_text('Student,ID,SIS Login ID,Section\n"Turing, Alan",102,at,A\n')
    done = run(graded, f"{graded.folder}/a.zip", f"--roster={graded.folder}/list.csv")
    assert done.returncode == 0 and "0 filed, 2 unchanged" in done.stdout
    with contextlib.closing(Gradebook(graded.db, "minitorch")) as book:
        alan = book.find_student("102")
        assert (alan.first_name, alan.last_name) == ("Alan", "Turing")


def test_bad_input_gets_a_sentence_and_status_1(graded):
    (graded.folder / "a.zip").write_bytes(b"nonsense")
    (graded.folder / "list.csv").write_text("x\ny\n")
    done = run(graded, f"{graded.folder}/a.zip", "--roster", f"{graded.folder}/list.csv")
    assert done.returncode == 1 and done.stderr.startswith("Nothing was collected. list.csv has no column with ids")
    done = run(graded, f"{graded.folder}/a.zip")
    assert done.returncode == 1 and "a.zip was left out: it is no zip file" in done.stdout
    (graded.folder / "text").write_text("x" * 1000)
    done = run(graded, f"{graded.folder}/a.zip", f"--db=sqlite:///{graded.folder}/text")
    assert done.returncode == 1 and done.stderr.startswith("Nothing was collected. ")
    assert "cannot be opened as a gradebook" in done.stderr and "Traceback" not in done.stderr
    done = run(graded, f"{graded.folder}/a.zip", "--assignment=nosuch")
    assert done.returncode == 1 and "There is no assignment 'nosuch'" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr and not (graded.folder / "submitted").exists()
