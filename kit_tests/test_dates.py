"""dates.toml: due dates, extensions and penalties, in both graders and in the table of points."""

from __future__ import annotations

import contextlib
import datetime
import sys
from pathlib import Path
from typing import Any

import pytest
import ready
from course import Course, course, environment, submission
from nbgrader.api import Gradebook

from grading import dates, results
from grading.dates import DatesError

DAY = 86400


def read(tmp_path: Path, text: str) -> dates.Calendar:
    (tmp_path / "dates.toml").write_text(text, encoding="utf-8")
    return dates.read(tmp_path / "dates.toml")


def test_a_course_without_the_file_has_no_dates(tmp_path):
    assert dates.read(tmp_path / "dates.toml").assignments == {}


@pytest.mark.parametrize(
    ("zone", "due", "utc"),
    [
        ("UTC", "2026-01-31", "2026-01-31T23:59:59"),
        ("Europe/Berlin", "2026-01-31", "2026-01-31T22:59:59"),
        ("Europe/Berlin", "2026-07-31", "2026-07-31T21:59:59"),
        ("Europe/Berlin", "2026-01-31T18:00:00", "2026-01-31T17:00:00"),
        ("Europe/Berlin", '"2026-01-31 18:00"', "2026-01-31T17:00:00"),
        ("Europe/Berlin", "2026-01-31T18:00:00-05:00", "2026-01-31T23:00:00"),
        ("UTC", '"2026-1-31"', "2026-01-31T23:59:59"),
    ],
)
def test_a_due_date_is_read(tmp_path, zone, due, utc):
    found = read(tmp_path, f'timezone = "{zone}"\n[tiny]\ndue = {due}\n').assignments["tiny"]
    assert found.due_utc == datetime.datetime.fromisoformat(utc)


@pytest.mark.parametrize(
    ("said", "days"), [('"3 days"', 3), ("2", 2), ('"12 hours"', 0.5), ('"1 week"', 7), ("2026-02-03", 3)]
)
def test_an_extension_is_read(tmp_path, said, days):
    found = read(tmp_path, f'[tiny]\ndue = 2026-01-31\n[tiny.extensions]\n"a@b c" = {said}\n').assignments["tiny"]
    assert found.extensions == {"a@b c": datetime.timedelta(days=days)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tiny", "dates.toml cannot be read"),
        ('timezone = "Berlin"', "timezone = 'Berlin' is no known time zone"),
        ("timezone = 3", "timezone = 3 is no known time zone"),
        ("due = 2026-01-31", "'due' stands in no assignment's part"),
        ('[tiny]\ndue = "31.01.2026"', r'\[tiny\]: due = "31.01.2026" is no date: write 2026-01-31'),
        ('[tiny]\ndue = "01/02/2026"', "is no date"),
        ('[tiny]\ndue = "2026-02-31"', "is no date"),
        ("[tiny]\ndue = 3", "due = 3 is no date"),
        ("[tiny]\ndue = 18:00:00", "is no date"),
        ("[tiny]\ndew = 2026-01-31", "'dew' is not known; known are due, late_days"),
        ("[tiny]\nper_day = '10'", 'per_day = "10" is no amount'),
        ("[tiny]\nper_day = '120%'", "is no amount"),
        ("[tiny]\nper_day = -1", "is no amount"),
        ("[tiny]\nper_day = nan", "is no amount"),
        ("[tiny]\nlate_days = true", "late_days = True is no number of days"),
        ("[tiny]\ndue = 2026-01-31\n[tiny.extensions]\nada = 'soon'", 'ada = "soon" is no extension'),
        ("[tiny]\ndue = 2026-01-31\n[tiny.extensions]\nada = '99999999999999 days'", "is no extension"),
        ("[tiny]\ndue = 2026-01-31\n[tiny.extensions]\nada = 2026-01-01", "is before the due date"),
        ("[tiny.extensions]\nada = 3", "there are extensions and no due date"),
        ("[tiny]\nextensions = 3", "extensions is no part of its own"),
    ],
    ids=range(20),
)
def test_what_cannot_be_read_gets_a_sentence(tmp_path, text, says):
    with pytest.raises(DatesError, match=says):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("rules", "late", "penalty"),
    [
        ("per_day = 5", 0, 0),
        ("per_day = 5", 1, 5),
        ("per_day = 5", DAY, 5),
        ("per_day = 5", DAY + 1, 10),
        ("per_day = 5", 100 * DAY, 80),  # all that was earned, and no more
        ("per_day = '10%'", 2 * DAY, 16),
        ("per_day = '10%'\nmost = '30%'", 5 * DAY, 24),
        ("per_day = 5\nmost = 12", 5 * DAY, 12),
        ("late_days = 2\nper_day = 5", 2 * DAY, 0),
        ("late_days = 2\nper_day = 5", 2 * DAY + 1, 5),
        ("per_day = 5\nnothing_after = 7", 7 * DAY, 35),
        ("per_day = 5\nnothing_after = 7", 7 * DAY + 1, 80),
        ("nothing_after = 0", 1, 80),
        ("due = 2026-01-31", DAY, 0),
    ],
)
def test_what_lateness_costs(tmp_path, rules, late, penalty):
    assert read(tmp_path, f"[tiny]\n{rules}\n").assignments["tiny"].penalty(80.0, late) == penalty


# ---------------------------------------------------------------- in the gradebook

TEXT = """\
[tiny]
due = 2026-01-04
late_days = 1
per_day = "10%"
nothing_after = 7

[tiny.extensions]
granted = "2 days"
nobody = "1 day"
"""


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> list[tuple[Course, str]]:
    """The same class, graded by both commands."""
    graded = []
    for command in ("nbgrader", "grading"):
        made = course(tmp_path_factory.mktemp(command) / "course")
        for learner, at in (
            ("early", "2026-01-03 10:00:00 UTC"),
            ("granted", "2026-01-06 10:00:00 UTC"),
            ("late", "2026-01-06 10:00:00 UTC"),
            ("never", "2026-02-06 10:00:00 UTC"),
            ("unknown", None),
        ):
            folder = made.hand_in(learner, submission("half"))
            if at:
                (folder / "timestamp.txt").write_text(at)
        (made.folder / "dates.toml").write_text(TEXT)
        option = f"--JudgedAutograde.dates_file={made.folder}/dates.toml"
        graded.append((made, made.grade(option).log if command == "nbgrader" else made.grade_class(option).log))
    return graded


def test_both_graders_apply_them(both):
    for made, log in both:
        found = {one.id: one for one in results.read(made.db, "tiny").learners}
        assert {id: one.total for id, one in found.items()} == {
            **{"early": 50, "granted": 50, "late": 45, "never": 0, "unknown": 50}
        }, log
        assert {id: round(one.seconds_late / DAY, 2) for id, one in found.items()} == {
            **{"early": 0, "granted": 0, "late": 1.42, "never": 32.42, "unknown": 0}
        }
        assert "dates.toml gives an extension to 'nobody': the gradebook knows no such learner." in log
        assert "Traceback" not in log and "seconds late" not in log and "penalty: None" not in log


def run(made: Course, *options: str) -> Any:
    command = [sys.executable, "-m", "grading", "dates", "tiny", f"--db={made.db}", *options]
    return ready.run(command, env=environment())


def test_a_change_needs_no_regrading(both):
    made, _ = both[1]
    path = made.folder / "new.toml"
    path.write_text("[tiny]\ndue = 2026-01-04\nper_day = 4\n[tiny.extensions]\nnever = '5 weeks'\n")
    done = run(made, f"--dates={path}")
    assert done.returncode == 0 and done.stdout.splitlines() == [
        "tiny: due 2026-01-04 23:59:59 UTC",
        "extension of 35 d: never",
        "late by 1 d 10 h, which costs 8: granted",
        "late by 1 d 10 h, which costs 8: late",
        "nobody knows when 1 handed in: unknown",
    ]
    found = {one.id: one.total for one in results.read(made.db, "tiny").learners}
    assert found == {"early": 50, "granted": 42, "late": 42, "never": 50, "unknown": 50}
    graded = made.grade_class(f"--JudgedAutograde.dates_file={made.folder}/dates.toml")  # which grades nothing
    assert "5 unchanged" in graded.log
    assert {one.id: one.total for one in results.read(made.db, "tiny").learners}["late"] == 45


def test_without_a_due_date_that_of_the_gradebook_counts(both):
    made, _ = both[1]
    with contextlib.closing(Gradebook(made.db, "minitorch")) as book:
        book.find_assignment("tiny").duedate = datetime.datetime(2026, 1, 6)
        book.db.commit()
    (made.folder / "rules.toml").write_text("[tiny]\nper_day = 3\n")
    done = run(made, f"--dates={made.folder}/rules.toml")
    assert done.stdout.startswith("tiny: due 2026-01-06 00:00:00 UTC, as the gradebook has it\n")
    assert "late by 10 h, which costs 3: late" in done.stdout


def test_without_rules_nbgraders_plugin_decides(both):
    made, _ = both[0]
    path = made.folder / "due.toml"
    path.write_text("[tiny]\ndue = 2026-01-05\n")
    made.grade(f"--JudgedAutograde.dates_file={path}", "--LateSubmissionPlugin.penalty_method=zero")
    found = {one.id: one.total for one in results.read(made.db, "tiny").learners}
    assert found == {"early": 50, "granted": 0, "late": 0, "never": 0, "unknown": 50}


def test_a_date_that_cannot_be_read_stops_before_anything_is_graded(tmp_path):
    made = course(tmp_path / "course", 1)
    (made.folder / "dates.toml").write_text("[tiny]\ndue = 31.1.2026\n")
    for graded in (
        made.grade(f"--JudgedAutograde.dates_file={made.folder}/dates.toml"),
        made.grade_class(f"--JudgedAutograde.dates_file={made.folder}/dates.toml"),
    ):
        assert graded.status == 1 and "Nothing was graded. dates.toml cannot be read" in graded.log
        assert "Traceback" not in graded.log
    assert not (made.folder / "autograded").exists()
    done = run(made, f"--dates={made.folder}/dates.toml")
    assert done.returncode == 1 and "dates.toml cannot be read" in done.stderr and "Traceback" not in done.stderr
    (made.folder / "dates.toml").write_text("[other]\ndue = 2026-01-31\n")
    done = run(made, f"--dates={made.folder}/dates.toml")
    assert done.returncode == 1 and "says nothing of 'tiny'" in done.stderr
    (made.folder / "due.toml").write_text("[tiny]\ndue = 2026-01-31\n")
    for db, says in ((f"sqlite:///{made.folder}/due.toml", "file is not a database"), ("nonsense", "cannot be opened")):
        done = run(made, f"--dates={made.folder}/due.toml", f"--db={db}")
        assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr
    with contextlib.closing(Gradebook(made.db, "minitorch")) as book:
        assert book.find_assignment("tiny").duedate is None
