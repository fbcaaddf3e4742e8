"""A notebook's cells run here as in a kernel, and what grading would see is said before it is handed in."""

from __future__ import annotations

import builtins
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import kit
import pytest
from course import code_cell, notebook, place, with_cell
from kit import ROOT

from checks import before_handing_in, oracle
from checks.notebook import names_of, the_notebook

sys.path.append(str(kit.AUTHORED))
from tiny import tests


def saved(folder: Path, *sources: str, **metadata: Any) -> Path:
    """A notebook with code cells; the metadata is that of the last one."""
    cells = [code_cell(source) for source in sources]
    cells[-1]["metadata"] = metadata
    path = folder / "x.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("x = 3", 3),
        ("%%time\nx = 3", 3),
        ("%%capture out\nprint('printed')\nx = 3", 3),
        ("%time x = 3", 3),
        ("%timeit -n1 -r1 pass\nx = 3", 3),
        ("%matplotlib inline\nx = 3", 3),
        ("display('shown')\nx = 3", 3),
        ("from IPython.display import display, Markdown\ndisplay(Markdown('shown'))\nx = 3", 3),
        ("import asyncio\nx = await asyncio.sleep(0, 3)", 3),
        ("async def f():\n    return 3\nx = await f()", 3),
        ("x = !echo 3\nx = int(x[0])", 3),
        ("!echo shown\nx = 3", 3),
        ("what = 3\n!echo {what} > out.txt\nx = int(open('out.txt').read())", 3),
        ("%%writefile mine.py\nx = 3", None),
        ("%env MINE=3\nx = int(__import__('os').environ['MINE'])", 3),
        ("x = get_ipython() is __import__('IPython').get_ipython()", True),
        ("x = __name__ == '__main__' and __import__('sys').modules['__main__'].__dict__ is globals()", True),
        ("class A: pass\nimport pickle\nx = type(pickle.loads(pickle.dumps(A()))) is A", True),
        ("def f():\n    return 3\nimport inspect\nx = len(inspect.getsource(f).split('\\n'))", 3),
        ("x = 3\n?x", 3),
        ("x = 3;", 3),
    ],
)
def test_a_cell_does_what_it_does_in_a_kernel(tmp_path, monkeypatch, source, value):
    monkeypatch.chdir(tmp_path)
    names, failures = names_of(saved(tmp_path, source))
    assert failures == ([] if value is not None or "write" in source else failures)
    assert names.get("x") == value


def test_what_a_cell_writes_can_be_imported_and_values_are_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    path = saved(tmp_path, "%%writefile of_mine.py\nx = 3", "from of_mine import x", "x + 1", "y = _")
    names, failures = names_of(path)
    assert failures == []
    assert (names["x"], names["y"]) == (3, 4)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("%%time\n1 / 0", "ZeroDivisionError"),
        ("x = 3\ny = (", "SyntaxError"),
        ("await nothing", "NameError"),
        ("%no_such_magic", "UsageError"),
        ("raise SystemExit", "SystemExit"),
        ("input('how many?')", "EOFError"),
        ("torch.ones(2) + 1", "calls PyTorch"),
        ("while True: pass", "did not finish in time"),
        ("%%time\nwhile True: pass", "did not finish in time"),
        ("import asyncio\nwhile True: await asyncio.sleep(0)", "did not finish in time"),
        ("class E(Exception):\n    def _render_traceback_(self):\n        while True: pass\nraise E", "E"),
        ("class E(Exception):\n    def __bool__(self): return False\nraise E('mine')", "mine"),
    ],
)
def test_a_cell_that_fails_is_said_and_the_others_run(tmp_path, source, says):
    oracle.load()  # which takes longer
    path = saved(tmp_path, "import torch\nbefore = 1", source, "after = before + 1")
    names, failures = names_of(path, seconds=1.0)
    assert len(failures) == 1, failures
    assert failures[0].startswith("code cell 2 (no grade_id): ") and says in failures[0]
    assert names["after"] == 2


def test_exit_ends_nothing_and_tests_and_cells_that_show_pytorch_do_not_run(tmp_path):
    names, failures = names_of(saved(tmp_path, "exit()", "x = 1", "x = 2", tags=["torch"]))
    assert (names["x"], failures) == (1, [])
    names, failures = names_of(saved(tmp_path, "x = 1", "assert x == 2; x = 3", nbgrader={"grade": True}))
    assert (names["x"], failures) == (1, [])
    assert names_of(saved(tmp_path, "x = 1", "1", tags=3))[1] == []


def test_what_stands_around_a_test_runs_and_its_place_is_told(tmp_path):
    seen = []
    path = saved(
        tmp_path,
        "x = 1\ntests.test_a(x)\nx = 2",
        "%%time\ntests.test_b(x, seed=3);  # again",
        "tests.test_a(\n    x\n)",
        "x = 3\ntests.test_c(x)\ntests.test_a(x)\nx = 4",
        nbgrader={"grade": True},
    )
    names, failures = names_of(path, at_test=lambda test, names: seen.append((test, names["x"])))
    assert seen == [("test_a", 1), ("test_b", 2), ("test_c", 3), ("test_a", 3)]
    assert (names["x"], failures) == (4, [])


def test_a_run_leaves_the_process_as_it_was(tmp_path, capsys):
    import IPython

    before = (sys.modules["__main__"], sys.stdin, sys.stdout, sys.excepthook, os.getcwd(), hasattr(sys, "ps1"))
    names, _ = names_of(
        saved(tmp_path, "print('x'); display(3)", "f = lambda: display(4)", "import sys; sys.stdin.read()")
    )
    assert before == (sys.modules["__main__"], sys.stdin, sys.stdout, sys.excepthook, os.getcwd(), hasattr(sys, "ps1"))
    assert IPython.get_ipython() is None and not hasattr(builtins, "get_ipython")
    assert capsys.readouterr().out == ""
    names["f"]()  # what it defined goes on working
    assert capsys.readouterr().out == "4\n"


# ---------------------------------------------------------------- before handing in


def looked_at(folder: Path, made: dict[str, Any]) -> tuple[dict[str, float], list[str]]:
    """Points by section that are not all, and what is said."""
    path = folder / "tiny.ipynb"
    path.write_text(json.dumps(made))
    points, remarks = before_handing_in.look(path, tests.ASSIGNMENT)
    assert [section for section, _ in points] == tests.ASSIGNMENT.sections
    return {section.id: score for section, score in points if score < section.points}, remarks


def solved(**answers: str) -> dict[str, Any]:
    """A right notebook, without what needs the file beside it."""
    made = notebook(others="solution", **answers)
    made["cells"] = [cell for cell in made["cells"] if cell["cell_type"] != "code" or "nbgrader" in cell["metadata"]]
    return made


def test_of_a_right_notebook_nothing_is_said(tmp_path):
    assert looked_at(tmp_path, solved()) == ({}, [])


def test_points_are_those_of_the_answers_as_they_stand_above_their_tests(tmp_path):
    made = solved()
    made["cells"].append({**made["cells"][place(made, "module")], "source": "class MyModule: ..."})
    lost, said = looked_at(tmp_path, made)
    assert lost == {}
    assert said == ["The cell 'module' is there 2 times: of an answer the last one above its test counts."]


def test_what_is_missing_or_fails_is_said(tmp_path):
    made = with_cell(solved(module="import pandas\n1 / 0"), "import scipy.linalg, numpy.linalg, os, tests", "module")
    made["cells"].pop(place(made, "test_relu"))
    lost, said = looked_at(tmp_path, made)
    assert lost["module"] == 0 and "tensor" not in lost and "matmul" not in lost
    assert "The test of ReLU, tests.test_relu(ReLU, MyTensor), is missing: here it ran at the end." in said
    assert "Module tests MyModule, and that is defined nowhere." in said
    (error,) = [line for line in said if "(module)" in line]
    assert re.match(r"An error in code cell \d+ \(module\): your code raised ModuleNotFoundError: No module n", error)
    for package in ("pandas", "scipy"):
        assert any(re.match(rf"Code cell \d+ imports {package}, which is not there", line) for line in said)
    assert not any(
        re.match(r"Code cell \d+ imports (numpy|os|tests|tqdm|matplotlib|collections)", each) for each in said
    )


def test_an_answer_below_its_test_is_said_to_be(tmp_path):
    made = solved()
    answer = made["cells"].pop(place(made, "loss"))
    made["cells"].insert(place(made, "test_mseloss") + 1, answer)
    assert "Loss tests MSELoss, and that is defined only below tests.test_mseloss." in looked_at(tmp_path, made)[1]


def test_work_in_a_test_cell_counts_and_is_said(tmp_path):
    made = solved(module="")
    test = made["cells"][place(made, "test_module")]
    test["source"] = "".join([*solved()["cells"][place(made, "module")]["source"], "\n", *test["source"]])
    lost, (said,) = looked_at(tmp_path, made)
    assert lost == {} and said.startswith("Something was written into the test cell 'test_module': ")


def test_lost_marks_are_said(tmp_path):
    made = solved()
    for cell in made["cells"]:
        cell["metadata"] = {}
    lost, (said,) = looked_at(tmp_path, made)
    assert lost == {} and said.startswith("The marks by which grading knows its cells are lost")


def command(*arguments: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "checks.before_handing_in", *arguments],
        cwd=kit.course() / "release" / "tiny",
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_command_says_points_and_what_to_look_at(tmp_path):
    made = notebook(tensor="class MyTensor: ...")
    made["cells"] = [cell for cell in made["cells"] if "nbgrader" in cell["metadata"]]
    text = json.dumps(made).encode() + b"\n}"
    (tmp_path / "x.ipynb").write_bytes(text)
    done = command(tmp_path / "x.ipynb")
    assert done.returncode == 1 and done.stderr == ""
    assert re.search(r"^  Tensor +0 of 40$", done.stdout, re.MULTILINE)
    assert re.search(r"^  all +0 of 100$", done.stdout, re.MULTILINE)
    assert "- After the end of the notebook 'x.ipynb' has 1 more characters: left out." in done.stdout


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot be read: No such file"), (b"", "is empty"), (b"<html>", "is a web page, not the notebook")],
)
def test_the_command_says_what_is_no_notebook(tmp_path, content, says):
    if content is not None:
        (tmp_path / "x.ipynb").write_bytes(content)
    done = command(tmp_path / "x.ipynb")
    assert done.returncode == 2
    assert says in done.stderr and "Traceback" not in done.stderr


def test_the_only_notebook_of_the_folder_is_looked_at():
    done = command()
    assert done.returncode == 0 and "tiny.ipynb as grading would see it:" in done.stdout
    assert "Nothing else needs a look." in done.stdout


def test_learners_are_told_of_the_packages_that_it_knows(tmp_path):
    page = (ROOT / "docs" / "learner.md").read_text(encoding="utf-8")
    line = re.search(r"^Installed there: (.*?)\.$", page, re.MULTILINE | re.DOTALL)[1]
    assert set(re.findall(r"`(\w+)`", line)) == before_handing_in.INSTALLED


@pytest.mark.parametrize("refuses", [False, True])
def test_what_is_left_of_a_cell_that_was_cut_off_does_not_go_on_in_another_one(tmp_path, refuses):
    step = "    n += 1\n    await asyncio.sleep(0)"
    if refuses:
        step = "    n += 1\n    try: await asyncio.sleep(0)\n    except asyncio.CancelledError: pass"
    endless = f"import asyncio\nn = 0\nwhile True:\n{step}"
    path = saved(tmp_path, endless, "before = n", "await asyncio.sleep(0.01)\nsame = n == before")
    names, failures = names_of(path, seconds=0.5)
    assert len(failures) == 1 and "did not finish in time" in failures[0]
    assert names["before"] > 0 and names["same"]


def test_the_notebook_of_a_folder_is_the_only_one_but_for_those_that_were_set_aside(tmp_path):
    for name in ("a.ipynb", "a-mine-1.ipynb", "a-mine-12.ipynb"):
        (tmp_path / name).touch()
    assert the_notebook(tmp_path).name == "a.ipynb"
    (tmp_path / "b.ipynb").touch()
    with pytest.raises(ValueError, match=r"this folder has a\.ipynb, b\.ipynb"):
        the_notebook(tmp_path)
