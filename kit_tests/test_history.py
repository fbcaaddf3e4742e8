"""`python -m grading history`: every graded hand-in of a learner, whichever command has graded it."""

from __future__ import annotations

import json
import shutil
import sys
from typing import Any

import pytest
import ready
from course import Course, course, environment, notebook, solution

SLIP = ("unbroadcast(-base, right.shape)", "unbroadcast(base, right.shape)")


@pytest.fixture(scope="module")
def graded(tmp_path_factory) -> Course:
    """Three hand-ins: a mistake; the mistake, and something more; all right."""
    made = course(tmp_path_factory.mktemp("history") / "course")
    tensor, module = solution("tensor"), solution("module")
    made.hand_in("ada", notebook(tensor=tensor.replace(*SLIP)))
    made.grade_class()
    made.hand_in("ada", notebook(tensor=tensor.replace(*SLIP), module=module))
    made.grade()
    made.hand_in("ada", notebook(tensor=tensor, module=module))
    made.grade_class()
    made.grade_class("--force")  # the same work
    return made


def run(made: Course, *options: str) -> Any:
    command = [sys.executable, "-m", "grading", "history", *options, f"--journal={made.folder}/.grading"]
    return ready.run(command, env=environment())


def test_each_hand_in_has_points_mistakes_and_what_has_changed(graded):
    done = run(graded, "ada")
    assert done.returncode == 0, done.stderr
    head, *parts = done.stdout.split("\n\n")
    assert head == "ada, tiny: 3 graded hand-ins; points are those that the tests gave"
    assert len(parts) == 3
    assert ": 34 points (graded for the first time)" in parts[0]
    words = "tensor: the right side of a difference gets the gradient of a sum"
    assert f"mistake, {words}" in parts[0].lower() and "what the checks said is not kept" not in done.stdout
    assert "changed: module 2 -> 10" in parts[1] and "lines: module +" in parts[1]
    assert f"mistake, {words}" in parts[1].lower()
    assert "changed: tensor 32 -> 40" in parts[2] and f"solved, {words}" in parts[2].lower()
    assert "lines: tensor +1 -1" in parts[2] and "+++" not in done.stdout
    shown = run(graded, "ada", "--diff").stdout
    assert ("--- tensor, before" in shown and f"+{' ' * 4}return" in shown.replace("   +", "+")) or SLIP[0] in shown


def test_programs_read_the_same(graded):
    told = json.loads(run(graded, "ada", "tiny", "--format=json").stdout)
    assert [step["total"] for step in told["hand_ins"]] == [34, 42, 50]
    first, second, third = told["hand_ins"]
    (mistake,) = first["mistakes"]["test_tensor"]
    assert second["mistakes"]["test_tensor"] == [mistake] and second["new"] == {}
    assert third["solved"] == {"test_tensor": [mistake]} and third["lines"] == {"tensor": [1, 1]}
    assert first["words"][mistake] and third["why"] == ["graded again"]


def test_who_has_nothing_gets_a_sentence(graded):
    done = run(graded, "nobody")
    assert done.returncode == 1 and "Nothing of 'nobody' was graded for tiny" in done.stderr


def test_points_and_mistakes_stay_when_results_are_deleted(graded):
    shutil.rmtree(graded.folder / ".grading" / "results")
    text = run(graded, "ada").stdout
    assert "changed: tensor 32 -> 40" in text and "solved, tensor: " in text
    assert text.count("what the checks said is not kept") == 3
