"""Stages and practice: what a section is made of, what its report shows of it, and what is kept of its points."""

from __future__ import annotations

import contextlib
import functools
import json
import re
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from kit import ROOT

from checks import progress, report
from checks.assignment import Assignment
from checks.notebook import names_of
from checks.observe import Printed, Stopped, learner_code
from checks.report import MIME, Practiced, Report, Result
from checks.section import Section
from checks.trial import Trial


def staged(assignment: Assignment | None = None) -> Section:
    """A section of two stages: f(3) is 3, then -3 and the sum; g comes last."""
    section = Section("f", "Functions", "tests.test_f(f, g)", assignment=assignment)
    section.stage("first", "First <steps>")

    @section.check(1)
    def three(trial: Trial) -> None:
        """f(3) is 3"""
        trial.expect("y = f(3)", y=3)

    @section.check(1)
    def minus(trial: Trial) -> None:
        """f(-3) is -3"""
        trial.expect("y = f(-3)", y=-3)

    section.stage("second", "Second steps")

    @section.check(2)
    def four(trial: Trial) -> None:
        """g(4) is 4"""
        trial.expect("y = g(4)", y=4)

    return section


def practice(assignment: Assignment, builds_on: Any = ()) -> Section:
    section = Section("try", "Trying", "tests.test_try(h)", builds_on, assignment=assignment, practice=True)

    @section.check()
    def one(trial: Trial) -> None:
        """h() is 1"""
        trial.expect("y = h()", y=1)

    @section.check(needs=["one"])
    def again(trial: Trial) -> None:
        """h() is 1 again"""
        trial.expect("y = h() + h()", y=2)

    return section


def same(value: Any) -> Any:
    return value


def test_up_to_a_stage_only_its_checks_run_and_the_points_are_those_so_far():
    found = staged().run({"f": same, "g": abs}, seed=1, until="first")
    assert [check.id for check in found.checks] == ["three", "minus"] and (found.score, found.points) == (2, 2)
    text = found.as_text()
    assert text.startswith("Functions, up to “First <steps>”: 2 of 2 points. Excellent!\n")
    assert "\nOf the 4 points of the whole section, 2 so far.\n" in text
    assert "    tests.test_f(f, g, until='first', seed=1)" in text
    early = staged().run({"f": same, "g": None}, seed=1, until="first")  # g has no value in the notebook yet
    assert "    tests.test_f(f, None, until='first', seed=1)" in early.as_text()
    whole = staged().run({"f": same, "g": abs}, seed=1)
    assert [check.stage for check in whole.checks] == ["first", "first", "second"]
    assert [check["stage"] for check in whole.as_dict()["checks"]] == ["first", "first", "second"]
    assert whole.until is None and "up to" not in whole.as_text()
    assert staged().run({"f": same, "g": abs}, seed=1, until="second").score == 4


def test_a_stage_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(ValueError, match=r"“Functions” has no stage 'third': until .* \('first', 'second'\)"):
        staged().run({}, until="third")
    with pytest.raises(ValueError, match="a stage 'first' already"):
        staged().stage("first", "Again")
    with pytest.raises(ValueError, match=r"“Trying” has no stage 'first': until is one of its stages \(none\)"):
        practice(Assignment("A")).run({}, until="first")


@pytest.fixture
def notebook(monkeypatch, tmp_path) -> list[dict[str, Any]]:
    """What is shown in a notebook whose points are kept in a file of its own."""
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(progress, "FILE", tmp_path / "progress.json")
    monkeypatch.setattr(progress, "_here", set())
    for module in (progress, report):
        monkeypatch.setattr(module, "in_notebook", lambda: True)
        monkeypatch.setattr(module, "show", shown.append)
    return shown


def told(assignment: Assignment, shown: list[dict[str, Any]]) -> list[str]:
    progress.show_progress(assignment)
    return [re.sub(r"\s+", " ", line) for line in shown[-1]["text/plain"].split("\n")]


def test_the_points_up_to_a_stage_count_and_never_lower_what_was_earned(notebook):
    assignment = Assignment("Course")
    section = staged(assignment)
    assert section.score(1, until="first", f=same, g=None) == 2
    assert told(assignment, notebook)[0] == "Course: 2 of 4 points"
    assert told(assignment, notebook)[2] == "… in part 2 / 4 Functions"
    section.score(1, until="first", f=abs, g=None)
    assert told(assignment, notebook)[0] == "Course: 2 of 4 points" and assignment.earned == {"f": 2}
    section.score(1, f=same, g=same)
    section.score(1, until="first", f=None, g=None)
    assert told(assignment, notebook)[2] == "✓ all points 4 / 4 Functions" and assignment.earned == {"f": 4}
    section.score(1, f=same, g=None)  # a whole run says what is so now
    assert told(assignment, notebook)[0] == "Course: 2 of 4 points" and assignment.earned == {"f": 2}


def test_after_a_restart_the_line_of_points_counts_what_was_kept(notebook):
    for made in range(2):  # a new assignment knows nothing but the file
        assignment = Assignment("Course")
        first, second = staged(assignment), Section("g", "Others", "tests.test_g(g)", assignment=assignment)
        second.check(1, id="one")(lambda trial: trial.expect("y = g(2)", y=2))
        (second if made else first).score(1, **({"g": same} if made else {"f": same, "g": same}))
    assert assignment.earned == {"g": 1}
    assert "Course so far: 5 of 5 points, 2 of 2 graded tests run." in notebook[-1]["text/plain"]


def test_where_points_of_before_count_though_a_stage_fails_now_a_sentence_says_so(notebook):
    assignment = Assignment("Course")
    section, _ = staged(assignment), practice(assignment)
    section.score(1, f=same, g=same)
    assert "lowers" not in notebook[-1]["text/plain"]
    section.score(1, until="first", f=abs, g=same)
    said = " ".join(notebook[-1]["text/plain"].split())
    assert (
        "4 of 4 points" in said and "These are the most you had: test_f without until= counts “Functions” anew" in said
    )
    section.score(1, until="first", f=same, g=same)
    assert "lowers" not in notebook[-1]["text/plain"]


def test_practice_gives_no_points_and_is_in_no_total(notebook):
    assignment = Assignment("Course")
    tried = practice(assignment)
    section = staged(assignment)
    section.builds_on = [(tried, [])]
    assert assignment.sections == [section] and assignment.points == 4
    assert told(assignment, notebook)[2:4] == ["○ not run practice Trying", "○ not run - / 4 Functions"]
    assert "Next: Trying, then run tests.test_try(h)" in told(assignment, notebook)
    score = tried.score(1, h=lambda: 2)
    assert repr(score) == "0.0" and isinstance(score, Practiced) and score.report.open.id == "one"
    text = notebook[-1]["text/plain"]
    assert text.startswith("Trying: 0 of 2 checks passed\nFor practice: it gives no points.\n")
    assert notebook[-1][MIME]["points"] == notebook[-1][MIME]["score"] == 0
    assert told(assignment, notebook)[:3] == [
        "Course: 0 of 4 points",
        "",
        "✗ none passed practice Trying look at: h() is 1",
    ]
    section.score(1, f=same, g=None)
    assert "may come from an earlier section: Trying." in notebook[-1]["text/plain"].replace("\n", " ")
    assert "Next: Functions, then run tests.test_f(f, g)" in told(assignment, notebook)  # practice may be left out
    tried.score(1, h=lambda: 1)
    assert notebook[-1]["text/plain"].startswith("Trying: 2 of 2 checks passed. Excellent!")
    section.score(1, f=same, g=same)
    lines = told(assignment, notebook)
    assert lines[0] == "Course: 4 of 4 points" and lines[2] == "✓ all passed practice Trying"
    assert lines[5] == "All points are yours. Well done!"
    assert json.loads(progress.FILE.read_text())["Course"]["try"]["points"] == 2


def test_practice_that_is_run_in_part_is_kept(notebook):
    """As a run to its end: under `until`, too, the number of its checks is what tells that it is the same test."""
    assignment = Assignment("Course")
    section = Section("try", "Trying", "tests.test_try(h)", assignment=assignment, practice=True)
    for stage in ("first", "second"):
        section.stage(stage, stage)

        @section.check(id=stage, title=stage)
        def check(trial: Trial) -> None:
            trial.expect("y = h()", y=1)

    section.score(1, until="first", h=lambda: 1)
    assert told(assignment, notebook)[2] == "… in part practice Trying"
    section.score(1, h=lambda: 1)
    section.score(1, until="first", h=lambda: 1)
    assert told(assignment, notebook)[2] == "✓ all passed practice Trying"


def test_a_check_for_practice_cannot_give_points():
    section = Section("try", "Trying", "tests.test_try(h)", practice=True)
    with pytest.raises(ValueError, match="gives points, and the section try is for practice"):
        section.check(1)(same)


def test_a_notebook_shows_no_number_below_a_report_of_practice():
    from IPython.core.interactiveshell import InteractiveShell

    score = Practiced(Report("try", "Trying", "tests.test_try(h)", 1, [], practice=True))
    assert InteractiveShell().display_formatter.format(score) == ({}, {})


def test_the_test_of_a_part_is_not_taken_for_the_test(tmp_path):
    made = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    for source in ("x = 1\ntests.test_f(x, until='first')", "x = 2\ntests.test_f(x)", "x = 3"):
        made["cells"].append({"cell_type": "code", "metadata": {}, "outputs": [], "source": source})
    (tmp_path / "x.ipynb").write_text(json.dumps(made))
    seen = []
    names, failures = names_of(tmp_path / "x.ipynb", at_test=lambda test, names: seen.append((test, names["x"])))
    assert (seen, failures, names["x"]) == ([("test_f", 2)], [], 3)


# ---------------------------------------------------------------- what is shown


def stages_of(page: str) -> list[tuple[bool, str]]:
    """Whether each stage stands open, and its line."""
    found = re.findall(r'<details class="stage"( open)?><summary>(.*?)</summary>', page)
    return [(bool(opened), re.sub(r"<[^>]*>", "", line)) for opened, line in found]


@pytest.mark.parametrize(
    ("f", "g", "lines"),
    [
        (same, same, ["✓ passed First <steps>: 2 of 2 points", "✓ passed Second steps: 2 of 2 points"]),
        (abs, abs, ["✗ FAILED First <steps>: 1 of 2 points", "✓ passed Second steps: 2 of 2 points"]),
        (same, abs, ["✓ passed First <steps>: 2 of 2 points", "✓ passed Second steps: 2 of 2 points"]),
        (same, None, ["✓ passed First <steps>: 2 of 2 points", "○ to do Second steps: 0 of 2 points"]),
        (None, None, ["○ to do First <steps>: 0 of 2 points", "○ to do Second steps: 0 of 2 points"]),
        (abs, lambda n: -n, ["✗ FAILED First <steps>: 1 of 2 points", "✗ FAILED Second steps: 0 of 2 points"]),
    ],
)
def test_the_stage_of_the_first_failure_stands_open_and_the_others_are_a_line_each(f, g, lines):
    found = staged().run({"f": f, "g": g}, seed=1)
    stages = stages_of(found.as_html())
    assert [line for _, line in stages] == [line.replace("<", "&lt;").replace(">", "&gt;") for line in lines]
    opened = [opened for opened, _ in stages]
    assert sum(opened) == (found.score < found.points)
    text = [re.sub(r" +", " ", line) for line in found.as_text().split("\n")]
    assert all(line in text for line in lines)
    failed = [check.title for check in found.checks if check.status == "failed"]
    assert [title for title in failed if any(title in line for line in text)] == failed
    assert ("f(3) is 3" in found.as_text()) == opened[0]
    assert ("g(4) is 4" in found.as_text()) == (opened[1] or "g(4) is 4" in failed)


def test_a_section_without_stages_has_none():
    assert stages_of(practice(Assignment("A")).run({"h": lambda: 2}, seed=1).as_html()) == []


def printing(times: int, text: str) -> Report:
    def f(n: int) -> int:
        for _ in range(times):
            print(text)
        return abs(n)

    return staged().run({"f": f, "g": abs}, seed=1)


def test_what_learners_code_prints_is_folded_below_its_check_and_bounded(capsys):
    found = printing(1, "<b>n</b> is \x1b[31mhere")
    assert [check.printed for check in found.checks] == ["<b>n</b> is here", "<b>n</b> is here", None]
    page = found.as_html()
    assert page.count("<details><summary>What your code printed here</summary><pre>&lt;b&gt;n") == 2
    assert found.as_text().count("What your code printed here:\n\n        <b>n</b> is here\n") == 2
    assert "printed" not in json.dumps(found.as_dict())
    assert capsys.readouterr().out == ""
    right = staged().run({"f": lambda n: print("here") or n, "g": same}, seed=1)  # of a stage that is folded, too
    assert right.passed and right.as_text().count("here:\n\n        here\n") == right.as_html().count("<pre>here<") == 2
    (many, *_) = printing(1000, "n").checks
    assert many.printed == "\n".join(["n"] * 20 + ["… and more"])
    (wide, *_) = printing(1, "n" * 10**6).checks
    assert wide.printed == "n" * 1000 + "\n… and more"
    assert max(map(len, printing(1, "n " * 400).as_text().split("\n"))) <= 80


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (["\r 10%\r 100%\nthen\r\nthis"], " 100%\nthen\nthis"),
        (["loading... 10%\rloading... 99%\rfailed: bad shape\n"], "failed: bad shape"),
        (["\rfailed: bad shape\n"], "failed: bad shape"),
        (["epoch 0", "\r", "epoch 1", "\r", "done", "\n"], "done"),
        (["last", "\r"], "last"),
        (["one", "\r", "\ntwo"], "one\ntwo"),
        (
            [
                "\r  0%|          | 0/4 [00:00<?, ?it/s]",
                "\r100%|####| 4/4 [00:00<00:00, 2894.62it/s, loss=1]",
                "\n",
                "x",
            ],
            "x",
        ),
        (["\r7it [00:02,  3.10s/it]"], None),
    ],
)
def test_what_is_written_over_a_line_stands_in_its_place_as_in_a_terminal(pieces, shown):
    printed = Printed()
    for piece in pieces:
        printed.write(piece)
    assert printed.shown == shown


def test_a_seed_repeats_what_learners_code_draws():
    import numpy as np

    seen = []

    def f(n: int) -> float:
        seen.append(np.random.random())
        return n

    for seed in (3, 3, 10**19):
        np.random.seed()
        state = np.random.get_state()[1].tolist()
        staged().run({"f": f, "g": abs}, seed=seed)
        assert np.random.get_state()[1].tolist() == state  # the notebook's goes on as it was
    assert seen[:2] == seen[2:4] and len({*seen}) == 4


# ---------------------------------------------------------------- stopped


def catches_all() -> None:
    while True:
        try:
            while True:
                pass
        except:  # noqa: E722
            pass


def goes_on() -> int:
    with contextlib.suppress(BaseException):
        time.sleep(60)
    return 1


def tried(f: Any, seconds: float = 0.2) -> Section:
    section = Section("f", "Functions", "tests.test_f(f)")

    @section.check(1, seconds=seconds)
    def ends(trial: Trial) -> None:
        """f ends"""
        trial.expect("y = f()", y=1)

    return section


def test_a_loop_that_catches_whatever_is_raised_ends_all_the_same():
    (check,) = tried(catches_all).run({"f": catches_all}).checks
    assert check.says.startswith("your code did not finish in time")
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.parametrize("f", [catches_all, goes_on, lambda: time.sleep(60)], ids=["catches", "goes_on", "sleeps"])
def test_who_stops_a_test_gets_one_line_whatever_the_code_catches(f, request):
    from IPython.core.interactiveshell import InteractiveShell

    # A run in the background is started with this signal ignored.
    request.addfinalizer(functools.partial(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT)))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(0.2, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt) as stopped:
        tried(f, 60).run({"f": f})
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    line = "Stopped while “f ends” was tested: nothing of this test is counted."
    shown = []
    shell = InteractiveShell()
    shell._showtraceback = lambda kind, error, lines: shown.extend(lines)
    shell.showtraceback((stopped.type, stopped.value, stopped.tb))
    assert shown == [line]


def test_who_stops_it_in_what_a_section_builds_on_is_told_no_check_of_another_test(request):
    request.addfinalizer(functools.partial(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT)))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    section = practice(Assignment("Course"), [(tried(catches_all, 60), ["ends"])])

    def pressed() -> None:
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threading.Timer(0.5, pressed).start()
    with pytest.raises(Stopped, match="Stopped while what “Trying” builds on was tested"):
        section.run({"f": catches_all, "h": lambda: 2})


def test_a_stop_counts_that_comes_when_the_code_has_just_ended(request, monkeypatch):
    request.addfinalizer(functools.partial(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT)))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    set_timer = signal.setitimer

    def pressed(which: int, seconds: float, *again: float) -> Any:
        if not seconds:  # the deadline's alarm is switched off
            signal.raise_signal(signal.SIGINT)
        return set_timer(which, seconds, *again)

    monkeypatch.setattr(signal, "setitimer", pressed)
    with pytest.raises(KeyboardInterrupt), learner_code(1.0):
        pass


def test_a_second_check_that_fails_in_the_same_way_says_why_too():
    text = staged().run({"f": lambda n: 1 / 0, "g": abs}, seed=1).as_text()
    assert text.count("division by zero") >= 2
    results = [Result(id, id, 1, status="failed", says="it is 4 instead of 3") for id in "ab"]
    assert Report("f", "F", "tests.test_f(f)", 1, results).as_text().count("it is 4 instead of 3") == 2


TESTS = '''
from checks.assignment import Assignment
from checks.section import Section

ASSIGNMENT = Assignment("Course")
TRY = Section("try", "Trying", "tests.test_try(h)", assignment=ASSIGNMENT, practice=True)
F = Section("f", "Functions", "tests.test_f(f)", assignment=ASSIGNMENT)
F.stage("first", "First steps")


@TRY.check()
def one(trial):
    """h() is 1"""
    trial.expect("y = h()", y=1)


@F.check(2)
def three(trial):
    """f(3) is 3"""
    trial.expect("y = f(3)", y=3)


def test_try(h, seed=None):
    return TRY.score(seed, h=h)


def test_f(f, seed=None, until=None):
    return F.score(seed, until, f=f)
'''


@pytest.mark.parametrize(("h", "says"), [("lambda: 1", "2 passed"), ("None", "1 passed, 1 skipped")])
def test_in_a_terminal_practice_that_does_not_pass_is_skipped(tmp_path, h, says):
    for name in ("checks", "conftest.py"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "tests.py").write_text(TESTS)
    cells = [f"h = {h}\nf = abs", "tests.test_try(h)", 'tests.test_f(f, until="first")', "tests.test_f(f)"]
    made = {"metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    made["cells"] = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source} for source in cells]
    (tmp_path / "x.ipynb").write_text(json.dumps(made))
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "tests.py", "--notebook", "x.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and says in done.stdout, done.stdout
    assert ("Trying: 0 of 1 check passed" in done.stdout) == ("skipped" in says)
    command = [sys.executable, "-m", "checks.before_handing_in", "x.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert re.search(r"all +2 of 2", done.stdout) and "Trying" not in done.stdout, done.stdout + done.stderr
