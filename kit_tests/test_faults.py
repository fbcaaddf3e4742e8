"""Submissions with something wrong, all in one class: each gets what it deserves, and nobody else notices."""

from __future__ import annotations

import re

import pytest
from course import Course, Graded
from faults import ALL, FAULTS, HALF, half, solved

from grading import jail

# Learners with nothing wrong, among the others.
HONEST = {"a_reference": (solved, ALL), "half_way": (half, HALF)}
SECONDS = {"request_seconds": 1, "cell_seconds": 6, "submission_seconds": 30}


def grade(course: Course) -> Graded:
    """As an instructor does, but for shorter limits; without --force, as most of the time."""
    options = [f"--JudgedExecute.{name}={value}" for name, value in SECONDS.items()]
    done = course.nbgrader("autograde", "tiny", "--JudgedAutograde.seed=1", *options)
    return Graded(done.returncode, done.stdout + done.stderr, course.folder)


def hand_in_honest_work(course: Course) -> None:
    for learner, (work, _) in HONEST.items():
        course.hand_in(learner, work())


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Course:
    assert jail.probe().name == "bubblewrap", jail.probe().why
    return Course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def quiet(course) -> Graded:
    """A class with nothing wrong."""
    fresh = (course.folder / "gradebook.db").read_bytes()
    hand_in_honest_work(course)
    graded = grade(course)
    quiet = course.folder / "quiet"
    quiet.mkdir()
    for name in ("gradebook.db", "autograded"):
        (course.folder / name).rename(quiet / name)
    (course.folder / "gradebook.db").write_bytes(fresh)
    return Graded(graded.status, graded.log, quiet)


@pytest.fixture(scope="module")
def graded(course, quiet) -> Graded:
    """The same class with all faults in it."""
    for fault in FAULTS:
        folder = course.hand_in(fault.name, fault.content(), fault.file)
        if fault.beside:
            fault.beside(folder)
    return grade(course)


def last_line(graded: Graded) -> str:
    return graded.log.strip().split("\n")[-1]


def shown(graded: Graded, learner: str) -> str:
    """All that a graded notebook shows as text."""
    parts = []
    for cell in graded.notebook(learner)["cells"]:
        for output in cell.get("outputs", []):
            parts += [output.get("text", ""), output.get("data", {}).get("text/plain", ""), output.get("evalue", "")]
            parts += output.get("traceback", [])
    return re.sub(r"\x1b\[[\d;]*m", "", "\n".join("".join(part) for part in parts))


def test_the_table_names_each_fault_once():
    names = [fault.name for fault in FAULTS] + list(HONEST)
    assert len(set(names)) == len(names)
    assert len(FAULTS) >= 100


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_earns_what_the_work_deserves(graded, fault):
    assert graded.points(fault.name) == {**dict.fromkeys(ALL, 0), **fault.points}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_learner_and_instructor_read_what_is_wrong(graded, fault):
    said = [line for line in graded.log.split("\n") if re.search(rf"\] {re.escape(fault.name)}: ", line)]
    remarks = graded.remarks(fault.name)
    if fault.says is None:
        assert said == [] and remarks == ""
    else:
        assert fault.says in remarks
        assert any(fault.says in line for line in said)
    for piece in fault.shows:
        assert piece in shown(graded, fault.name)


def test_a_class_with_nothing_wrong(quiet):
    assert quiet.status == 0
    assert last_line(quiet).endswith(f"{len(HONEST)} submissions graded, none needs a look")
    for learner, (_, points) in HONEST.items():
        assert quiet.points(learner) == {**dict.fromkeys(ALL, 0), **points}


def test_the_run_ends_with_how_many_need_a_look(graded):
    names = sorted(fault.name for fault in FAULTS if fault.says)
    assert graded.status == 1
    expected = f"{len(FAULTS) + len(HONEST)} submissions graded, {len(names)} need a look: {', '.join(names)}"
    assert last_line(graded).endswith(expected)
    assert "Traceback" not in graded.log


@pytest.mark.parametrize("learner", HONEST)
def test_nobody_else_notices(quiet, graded, learner):
    assert graded.points(learner) == quiet.points(learner)
    assert graded.remarks(learner) == ""

    def cells(run: Graded) -> list:
        made = run.notebook(learner)["cells"]
        return [(cell["id"], cell["cell_type"], cell["source"]) for cell in made]

    assert cells(graded) == cells(quiet)
