"""Checks, whatever they are given: what a report says of it, and what ends learners' code in time."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from kit import ROOT

from checks import observe
from checks.assignment import Assignment
from checks.notebook import names_of
from checks.observe import (
    PATIENCE,
    Deadline,
    OutOfTime,
    learner_code,
    printable,
    text_of,
    time_left,
    undisturbed,
)
from checks.programs import Program
from checks.report import MIME, STYLE, Report, Result
from checks.section import Section
from checks.trial import Trial, Workaround, literal

CLIPPING = Section(
    *("clip", "Clipping", "tests.test_clip(clip)"),
    assignment=Assignment("Small", reference={"clip": lambda x: np.maximum(x, 0), "np": np}),
)


@CLIPPING.check(2, hints=["What is the larger of -1 and 0?", "np.maximum compares each element."])
def values(trial: Trial) -> None:
    """Negative numbers become 0"""
    trial.same(f"y = clip(np.array({literal(trial.draw(2, 3))}))", "y")


@CLIPPING.check(0.5, needs=["values"])
def whole(trial: Trial) -> None:
    """Whole numbers, too"""
    trial.same("y = clip(np.array([-2, 2]))", "y")


def clip_that(does: str) -> Callable[[Any], Any]:
    """A learner's clip that does something else first."""
    names: dict[str, Any] = {"np": np}
    exec(f"def clip(x):\n    {does}\n    return np.maximum(x, 0)", names)
    return names["clip"]


def run(clip: Any, seed: int | None = 1) -> Report:
    return CLIPPING.run({"clip": clip}, seed)


@pytest.fixture
def hastier(monkeypatch):
    """Every deadline comes after a twentieth of its time: where nothing has to come to its end."""
    monkeypatch.setattr(observe, "Deadline", lambda seconds, *more, **named: Deadline(seconds / 20, *more, **named))


def test_slips_that_hide_each_other_are_gone_around_together():
    code = "y = number(1.5)"
    around = [
        Workaround((Program(code, ("y",)),), *change)
        for change in ((r"number\(1.5", "number(1.5, dtype=float"), (r"\)$", ", known=True)"))
    ]
    right = Assignment("A", reference={"number": lambda data, dtype=None, known=False: np.array(data)})
    section = Section("s", "S", "tests.test_s(number)", assignment=right, workarounds=around)
    section.check(1, title="A number")(lambda trial: trial.same(code, "y"))
    assert section.run(
        {"number": lambda data, dtype=None, known=False: np.array(data if dtype and known else 0.0)}
    ).score


def test_the_score_is_a_plain_number_and_the_report_travels_as_json():
    with contextlib.redirect_stdout(io.StringIO()) as out:
        score = CLIPPING.score(7, clip=clip_that("pass"))
    assert repr(score) == str(score) == "2.5" and isinstance(score, float)
    assert out.getvalue().strip() == score.report.as_text()
    data = json.loads(json.dumps(score.report.mimebundle()[MIME]))
    assert list(data) == ["section", "title", "points", "score", "seed", "checks", "follow_through"]
    assert (data["section"], data["points"], data["score"], data["seed"]) == ("clip", 2.5, 2.5, 7)
    of_a_check = ["id", "title", "points", "score", "status", "expected", "got", "snippet", "mistake", "hints", "says"]
    assert all(list(check) == [*of_a_check, "stage"] for check in data["checks"])


def test_a_seed_repeats_a_run():
    first = run(abs, None)
    assert run(abs, first.seed).as_dict() == first.as_dict()
    assert f"seed={first.seed})" in first.as_text()
    assert run(abs, first.seed + 1).as_dict() != first.as_dict()


@pytest.mark.parametrize("seed", ["7", -1, 1.5, True])
def test_a_seed_that_is_none_is_refused_with_a_sentence(seed):
    with pytest.raises(TypeError, match="seed is a whole number"):
        run(abs, seed)


# ---------------------------------------------------------------- deadlines


@pytest.fixture(params=["in the main thread", "in another thread"])
def run_in(request):
    """Runs a function, and raises what it raises."""
    if request.param == "in the main thread":
        return lambda work: work()
    return lambda work: ThreadPoolExecutor(1).submit(work).result()


def forever():
    while True:
        pass


def test_a_deadline_cuts_an_endless_loop(run_in):
    def work():
        with learner_code(0.2):
            forever()

    with pytest.raises(OutOfTime):
        run_in(work)


def test_a_deadline_is_one_of_processor_time_that_code_which_waits_does_not_use(run_in):
    def work():
        with learner_code(0.5):
            time.sleep(0.8)

    run_in(work)


def test_code_that_sleeps_is_cut_when_a_multiple_of_its_time_has_passed(run_in):
    def work():
        with learner_code(0.05):
            while True:
                time.sleep(0.01)

    with pytest.raises(OutOfTime):
        run_in(work)


def test_what_other_threads_do_is_not_the_learners_time(monkeypatch):
    """Such as those of BLAS, and of a progress bar. They let go of Python's lock, as this one does."""
    monkeypatch.setattr(observe, "PATIENCE", 1000.0)
    done = threading.Event()
    text = b"x" * (1 << 20)

    def others():
        while not done.is_set():
            hashlib.sha256(text)

    busy = threading.Thread(target=others)
    busy.start()
    try:
        with learner_code(0.5):
            before = time.process_time()
            while time.process_time() < before + 0.8:
                time.sleep(0.01)
    finally:
        done.set()
        busy.join()


def test_a_deadline_goes_on_after_one_inside_it(run_in):
    def work():
        with learner_code(0.3):
            with learner_code(5.0):
                assert time_left() <= 0.3
            forever()

    with pytest.raises(OutOfTime):
        run_in(work)


def test_a_deadline_waits_for_what_is_not_to_be_disturbed(run_in):
    seen = []

    def work():
        with learner_code(0.1):
            with undisturbed:
                with undisturbed:
                    pass
                ends = time.thread_time() + 0.3
                while time.thread_time() < ends:
                    pass
                seen.append("not cut")
            forever()

    with pytest.raises(OutOfTime):
        run_in(work)
    assert seen == ["not cut"]


def test_of_the_time_that_passes_a_part_counts_and_never_more_than_all(monkeypatch):
    now = {"processor": 5.0, "passed": 100.0}
    monkeypatch.setattr(time, "monotonic", lambda: now["passed"])
    deadline = Deadline(4.0, lambda: now["processor"])
    used = []
    for processor, passed in [(0, 0), (1, 2), (1, 12), (1, 30), (50, 30)]:
        now.update(processor=5.0 + processor, passed=100.0 + passed)
        used.append(deadline.used)
    assert used == [0, 1, 12 / PATIENCE, 30 / PATIENCE, 30]


def test_to_refuse_torch_takes_no_imports_in_the_learners_time():
    """A deadline that cuts an import short leaves modules behind that are never whole again."""
    code = "import sys\nfrom checks import oracle\nfrom checks.observe import UsedTorch, learner_code\n"
    code += "torch = oracle.load()\nbefore = set(sys.modules)\ntry:\n    with learner_code(9):\n"
    code += "        torch.ones(2) * 2\nexcept UsedTorch:\n    print(sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert [name for name in eval(done.stdout) if name.startswith("torch.")] == []


def test_learner_text_is_escaped_and_stripped_of_terminal_codes():
    evil = "<script>alert(1)</script>\x1b[31m\x00"
    report = run(clip_that(f"raise ValueError({evil!r})"))
    assert "<script" not in report.as_html()
    assert "&lt;script&gt;" in report.as_html()
    assert "\x1b" not in report.as_text() and "\x00" not in report.as_text()


def test_a_report_fits_80_columns():
    for clip in (
        clip_that("pass"),
        abs,
        clip_that("raise ValueError('no ' * 100)"),
        clip_that("return 'no' * 100"),
        None,
    ):
        text = run(clip).as_text()
        assert not [line for line in text.split("\n") if len(line) > 80 and "seed=" not in line]


def test_titles_stand_below_each_other_whatever_the_points():
    points = (0.5, 1, 2.5, 10)
    report = Report("s", "S", "tests.test_s()", 1, [Result(str(each), "a title", each) for each in points])
    lines = [line for line in report.as_text().split("\n") if "a title" in line]
    assert [line.split()[2] for line in lines] == ["0.5", "1", "2.5", "10"]
    assert len({line.index("a title") for line in lines}) == 1


def test_hints_open_one_by_one_and_the_first_failure_stands_open():
    report = run(clip_that("return x * 1.7 - 0.3"))
    page = report.as_html()
    assert page.count("<details open>") == 1
    assert re.search(r"Hint 1</summary><p>[^<]+</p><details><summary>Hint 2</summary>", page)
    failed, waits = report.checks
    assert (failed.status, waits.status) == ("failed", "waiting") and waits.got.startswith("waits for")


def test_a_long_result_is_cut_to_a_part_of_a_screen():
    assert len(run(clip_that("raise ValueError('no ' * 100_000)")).open.got) < 1000
    assert len(run(clip_that("return np.zeros((40, 2))")).open.got.split("\n")) <= 13


def test_html_has_no_scripts_and_its_style_stays_in_its_class():
    report = Report(
        "relu", "ReLU", "tests.test_relu(ReLU, MyTensor)", 1, [Result("a", "A", 1, got="x", status="failed")]
    )
    page = report.as_html()
    assert "<script" not in page and "onclick" not in page and "http" not in page
    # Untrusted notebooks lose the style element: what keeps the table readable stands in the elements.
    for opening in re.findall(r"<t[dh]\b[^>]*>", page):
        assert "text-align: left" in opening
    for rule in re.findall(r"([^{}]+)\{", STYLE.removeprefix("<style>")):
        assert all(selector.strip().startswith(".minitorch-report") for selector in rule.split(","))


def test_a_repr_that_raises_or_is_endless_is_shown_shortly():
    class Silent:
        def __repr__(self):
            raise ValueError("no repr")

    assert text_of(Silent()) == "<Silent, whose repr raises ValueError>"
    assert len(text_of("x" * 10_000_000)) <= 200
    assert printable("a\x1b[1mb\x07c\n") == "ab c "


def test_an_exception_whose_message_raises_or_never_comes_is_a_result(tmp_path, hastier):
    """In a check, and in a cell that `pytest tests.py --notebook` runs."""
    for body in ("raise SystemExit", "while True: pass"):
        bad = f"class Bad(Exception):\n    def __str__(self):\n        {body}\nraise Bad"
        assert run(clip_that(f"exec({bad!r})")).score == 0
        cells = [{"cell_type": "code", "source": bad, "metadata": {}}, {"cell_type": "code", "source": "x = 1"}]
        (tmp_path / "x.ipynb").write_text(json.dumps({"cells": cells}))
        found, failures = names_of(tmp_path / "x.ipynb")
        assert found["x"] == 1
        assert "cannot be shown" in failures[0]


@pytest.mark.parametrize("body", ["while True: pass", "raise SystemExit", "return Failed"])
def test_an_exception_that_lies_about_its_class_is_a_result(body, hastier):
    code = f"""
from checks.observe import Failed
class Bad(Exception):
    mistake = "nonsense"
    @property
    def __class__(self):
        {body}
raise Bad("bad")
"""
    report = run(clip_that(f"exec({code!r})"))
    assert report.score == 0
    assert "your code raised" in report.as_text()


def test_a_verdict_that_learner_code_raises_is_an_exception_like_others():
    code = "from checks.observe import Failed; raise Failed('fine', mistake='nonsense')"
    report = run(clip_that(f"exec({code!r})"))
    assert report.open.mistake is None
    assert "your code raised Failed" in report.as_text()


def test_what_was_observed_stays_one_line():
    assert len(run(clip_that("return [*x.flat] * 5000")).as_text().split("\n")) < 60
    error = "type('A' * 9000 + chr(27), (Exception,), {})('no')"
    report = run(clip_that(f"raise {error}"))
    assert len(report.open.says) <= 160 and "\x1b" not in report.as_text()


def test_checks_import_without_torch():
    names = ", ".join(f"checks.{path.stem}" for path in sorted((ROOT / "checks").glob("[!_]*.py")))
    code = f"import sys, {names}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize(
    ("error", "platform", "says"),
    [
        ("ImportError('none')", "win32", "(none). Install it into this notebook's kernel: python -m pip install -r"),
        ("OSError('no DLL')", "win32", "(no DLL). Install the Microsoft Visual C++ Redistributable (https://"),
        ("OSError('no .so')", "linux", "(no .so). Run python -m pip uninstall torch torchvision, then python -m pip"),
    ],
)
def test_what_to_do_about_a_torch_that_does_not_load_is_said(tmp_path, error, platform, says):
    (tmp_path / "torch.py").write_text(f"raise {error}")
    code = "import sys\nfrom checks import oracle\n"
    code += f"sys.path.insert(0, {str(tmp_path)!r})\nsys.platform = {platform!r}\n"
    code += "try:\n    oracle.load()\nexcept ImportError as said:\n    print(said)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert says in done.stdout, done.stderr


def test_what_the_oracle_keeps_can_only_be_read():
    found = CLIPPING.assignment.oracle.values("y = clip(np.array([1.5, -2.5]))", ("y",))
    with pytest.raises(ValueError, match="read-only"):
        found["y"][0] = 9.0
    with pytest.raises(TypeError):
        found["y"] = None
