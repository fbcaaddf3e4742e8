"""Follow-through: after a section that lost points, later ones get what they deserve on right earlier sections."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import course
import kit
import nbformat
import pytest
from faults import ALL
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from checks.report import MIME
from grading import assignments, submissions
from grading.autograde import JudgedExecute
from grading.budget import Budget
from grading.execute import Bench, Settings
from grading.follow import second_pass
from grading.judge import Verdict
from grading.worker import Setup

ANSWERS = ("tensor", "module", "matmul", "layers", "optimizer", "loss")
WITHOUT_MODEL = {**ALL, "model": 0}
# Modules that do not list their parameters, but for which calls work: 2 of 10.
NO_PARAMETERS = course.solution("module").replace("def parameters(", "def parametres(")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("files")
    settings = Settings(required="bubblewrap", cell_seconds=2, submission_seconds=30)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assignments, "SOURCE", kit.course() / "source")
        with Bench(settings, folder, 1, "tiny") as made:
            yield made


@pytest.fixture(scope="module")
def tiny() -> NotebookNode:
    return nbformat.read(kit.course() / "source" / "tiny" / "tiny.ipynb", as_version=4)


class Graded:
    """A graded submission: its points, both points of what was judged twice, how many kernels were used, remarks."""

    def __init__(self, bench: Bench, source: NotebookNode, handed_in: dict[str, Any]) -> None:
        submission = submissions.HandedIn("x.ipynb", json.dumps(handed_in).encode()).read()
        budget = Budget(60)
        self.cells = submissions.restore(submission, source, budget).cells
        used, take = [], bench.supply.take
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bench.supply, "take", lambda: used.append(take()) or used[-1])
            remarks, twice = bench.grade(new_notebook(cells=self.cells), source, budget)
        self.kernels, self.remarks = len(used), [*submission.remarks, *remarks]
        self.twice = {name.removeprefix("test_"): (both.own, both.reference) for name, both in twice.items()}

    def outputs(self, name: str) -> list[NotebookNode]:
        return next(cell.outputs for cell in self.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == name)

    @property
    def points(self) -> dict[str, float | None]:
        """As nbgrader reads them, by grade_id; None: all that the cell gives."""
        numbers = {
            cell.metadata.nbgrader.grade_id.removeprefix("test_"): [
                float(output.data["text/plain"]) for output in cell.outputs if output.output_type == "execute_result"
            ]
            for cell in self.cells
            if submissions.is_grade(cell)
        }
        return {name: found[0] if found else None for name, found in numbers.items()}

    def shown(self, name: str, form: str = "text/plain") -> Any:
        return self.outputs(name)[0].data[form]


def handed_in(**answers: str) -> dict[str, Any]:
    """All solved but for these answers, without the code that is only read; no model, which takes its time."""
    made = course.notebook(**{name: course.solution(name) for name in ANSWERS}, model="# not written")
    for name, text in answers.items():
        made["cells"][course.place(made, name)]["source"] = text
    return {**made, "cells": [each for each in made["cells"] if "nbgrader" in each["metadata"]]}


def test_a_section_that_extends_a_class_of_earlier_ones_is_judged_again_for_what_is_new_in_it():
    answers = (
        "@grown\nclass Tree(Tree):\n    def leaves(self): return 1",
        "class Tree(Tree):\n    def depth(self): return 2\n\ndef climb(tree): return tree.depth()",
        "class Tree(Tree):\n    def fall(self): return 3",
    )
    asked = ("tests.test_0(Tree)", "tests.test_1(Tree, climb)", "tests.test_2(Tree)")
    cells, verdicts = [], {}
    for number, (answer, test) in enumerate(zip(answers, asked, strict=True)):
        for source, grade, name in ((answer, False, f"answer_{number}"), (test, True, f"test_{number}")):
            mark = {"grade_id": name, "grade": grade, "solution": not grade, "locked": grade, "schema_version": 3}
            cells.append(new_code_cell(source, metadata={"nbgrader": {**mark, "points": 1} if grade else mark}))
        verdicts[f"test_{number}"] = Verdict(0.0)
    notebook = new_notebook(cells=cells)
    again = second_pass(notebook, notebook, verdicts)
    assert [cell.source for cell in again.cells if cell.source.startswith("tests.")] == ["tests.test_1(Tree, climb)"]


# ---------------------------------------------------------------- a course with checks


def test_where_all_earlier_sections_are_right_there_is_no_second_kernel(bench, tiny):
    right = Graded(bench, tiny, handed_in())
    assert (right.points, right.kernels, right.twice) == (WITHOUT_MODEL, 1, {})
    assert right.shown("test_mseloss", MIME)["follow_through"] is None


def test_sections_after_a_broken_one_get_what_they_deserve_and_the_report_says_both(bench, tiny):
    made = Graded(bench, tiny, handed_in(module=NO_PARAMETERS))
    assert made.points == {**WITHOUT_MODEL, "module": 2}
    assert made.kernels == 2 and made.remarks == []
    assert made.twice == {"linear": (4, 10), "model": (0, 0)}
    says = f"With your own earlier sections: {made.twice['linear'][0]:g} of 10. "
    says += "With the reference's earlier sections: 10 of 10, and this counts."
    assert says in made.shown("test_linear").replace("\n", " ")
    assert says.replace("'", "&#x27;") in made.shown("test_linear", "text/html")
    report = made.shown("test_linear", MIME)
    assert report["follow_through"] == {"own": made.twice["linear"][0], "reference": 10, "points": 10}
    assert report["score"] == 10
    assert "own earlier sections: 0 of 14. With the reference's earlier sections: the same." in made.shown("test_model")
    # The sum so far, as the first pass has it, would be another one than the gradebook's.
    assert "so far: 47 of 100" in made.shown("test_matmul")
    assert "so far" not in made.shown("test_linear") + made.shown("test_relu") + made.shown("test_mseloss")


def test_of_two_broken_sections_each_loses_only_its_own_points(bench, tiny):
    broken = course.solution("layers").replace("base * (x.data > 0)", "base * (x.data < 0)")
    made = Graded(bench, tiny, handed_in(tensor="class MyTensor(", layers=broken))
    assert made.points == {**WITHOUT_MODEL, "tensor": 0, "relu": 2}
    assert made.twice["relu"] == (0, 2) and made.twice["sgd"] == (0, 8)
    hints = [check["status"] for check in made.shown("test_relu", MIME)["checks"]]
    assert "failed" in hints


def test_of_two_results_with_the_same_points_the_report_that_names_the_failure_is_shown(bench, tiny):
    doubled = course.solution("tensor").replace("return self.__data\n", "return self.__data * 2\n", 1)
    made = Graded(bench, tiny, handed_in(tensor=doubled, matmul="def matmul(a, b):\n    return a"))
    assert made.twice["matmul"] == (0, 0)
    assert made.shown("test_matmul", MIME)["checks"][0]["status"] == "failed"


def test_who_leaves_all_before_it_blank_gains_what_the_own_section_deserves(bench, tiny):
    blank = dict.fromkeys(ANSWERS, "# nothing")
    made = Graded(bench, tiny, handed_in(**{**blank, "optimizer": course.solution("optimizer")}))
    assert made.points == {**dict.fromkeys(ALL, 0), "sgd": 8}


def test_untouched_sections_are_not_judged_again(bench, tiny):
    release = nbformat.read(kit.course() / "release" / "tiny" / "tiny.ipynb", as_version=4)
    marks = {cell.metadata.nbgrader.grade_id: cell for cell in release.cells if submissions.is_answer(cell)}
    source = nbformat.from_dict(tiny)
    for cell in source.cells:
        if submissions.is_answer(cell):  # as nbgrader does before it grades
            cell.metadata.nbgrader.checksum = marks[cell.metadata.nbgrader.grade_id].metadata.nbgrader.checksum
    texts = {name: cell.source for name, cell in marks.items()}
    made = Graded(bench, source, handed_in(**texts))
    assert (made.kernels, sum(made.points.values())) == (1, 0)
    made = Graded(bench, source, handed_in(**{**texts, "matmul": course.solution("matmul")}))
    assert (made.kernels, made.twice) == (2, {"matmul": (0, 5)})
    # Written into the test cell, it is begun as well.
    typed = handed_in(**texts)
    test = typed["cells"][course.place(typed, "test_matmul")]
    test["source"] = f"{course.solution('matmul')}\n{''.join(test['source'])}"
    made = Graded(bench, source, typed)
    assert (made.kernels, made.twice) == (2, {"matmul": (0, 5)})


def test_cells_that_were_moved_or_are_missing_are_judged_again_in_the_courses_order(bench, tiny):
    made = handed_in(tensor="# nothing")
    cells = made["cells"]
    cells.insert(1, cells.pop(course.place(made, "loss")))
    del cells[course.place(made, "layers")]
    graded = Graded(bench, tiny, made)
    assert graded.points == {**WITHOUT_MODEL, "tensor": 0, "linear": 0, "relu": 0}
    assert any("not in the order" in remark for remark in graded.remarks)
    assert any("'layers' is missing" in remark for remark in graded.remarks)


def test_a_loop_in_one_section_takes_its_time_once_and_what_waited_for_it_gets_another_try(bench, tiny):
    endless = "import time\nbegun = time.monotonic()\nwhile True:\n    pass"
    training = f"{course.solution('model')}\nSGD([], 1).step()"
    slow = course.solution("optimizer").replace("for parameter in self.params:", "while True:", 2)
    made = Graded(bench, tiny, handed_in(module=endless, optimizer=slow, model=training))
    assert made.points == {**ALL, "module": 0, "sgd": made.points["sgd"]} and made.points["sgd"] < 8


def test_a_second_pass_that_ends_early_leaves_the_first_result_with_a_remark(bench, tiny):
    waits = "if 'MyTensor' in globals():\n    import os\n    os._exit(1)\n" + course.solution("layers")
    made = Graded(bench, tiny, handed_in(tensor="# nothing", layers=waits))
    assert made.points == {**dict.fromkeys(ALL, 0), "module": 10, "matmul": 5}
    assert "With the reference" not in made.shown("test_sgd")
    (remark,) = made.remarks
    assert "could not all be judged again" in remark and "the kernel has ended" in remark


def test_the_second_pass_has_a_share_of_the_time_of_its_own(bench, tiny, monkeypatch):
    monkeypatch.setattr(bench, "settings", replace(bench.settings, submission_seconds=4))
    works = "if 'MyTensor' in globals():\n    import time\n    while time.process_time() < 10:\n        pass\n"
    made = Graded(bench, tiny, handed_in(tensor="# nothing", layers=works + course.solution("layers")))
    assert made.points == {**dict.fromkeys(ALL, 0), "module": 10, "matmul": 5}
    (remark,) = made.remarks
    assert "took longer than 2 seconds" in remark


def test_what_ends_the_kernel_is_left_out_so_that_later_sections_are_judged(bench, tiny):
    made = Graded(bench, tiny, handed_in(matmul="import os\nos._exit(1)"))
    assert made.points == {**WITHOUT_MODEL, "matmul": 0}
    assert len(made.remarks) == 1 and "the kernel has ended" in made.remarks[0]


def test_a_setting_switches_it_off_and_a_change_of_it_or_of_the_reference_grades_again(bench, tiny, monkeypatch):
    off = replace(bench.settings, follow_through=False)
    monkeypatch.setattr(bench, "settings", off)
    made = Graded(bench, tiny, handed_in(module=NO_PARAMETERS))
    assert made.points["linear"] < 10 and made.kernels == 1
    assert JudgedExecute().settings().follow_through and "reference" in JudgedExecute.follow_through.help
    assert not JudgedExecute(follow_through=False).settings().follow_through
    setup = Setup({"a": nbformat.writes(tiny)}, {}, Settings(), 1, "kit")
    other = nbformat.from_dict(tiny)
    other.cells[next(n for n, c in enumerate(other.cells) if submissions.is_answer(c))].source += "\n"
    assert (
        len(
            {
                each.digest()
                for each in (
                    setup,
                    replace(setup, settings=off),
                    replace(setup, notebooks={"a": nbformat.writes(other)}),
                )
            }
        )
        == 3
    )


# ---------------------------------------------------------------- a course of another kind


def cells_of(**cells: str) -> list[NotebookNode]:
    """Cells by grade_id: those that begin with "test" are tests of 4 points, those with "given" no marks, the others
    answers."""
    made = []
    for name, source in cells.items():
        is_test = name.startswith("test")
        marks = {"grade": is_test, "solution": not is_test, "locked": is_test, "task": False, "schema_version": 3}
        marks |= {"grade_id": name} | ({"points": 4} if is_test else {})
        made.append(new_code_cell(source, id=name, metadata={} if name.startswith("given") else {"nbgrader": marks}))
    return made


def shop(**changes: str) -> NotebookNode:
    """Three sections with tests that assert: b builds on a, c on both."""
    cells = {
        "given_setup": "start = 10",
        "a": "def double(x):\n    return 2 * x",
        "test_a": "assert double(3) == 6",
        "given_data": "four = double(2)",
        "b": "%time start + 0\ndef more(x):\n    return double(x) + start",
        "test_b": "assert more(1) == 12\nassert more(2) == 14, 'more(2) is 14'",
        "test_b_number": "float(more(1) - 8)",
        "c": "total = sum(more(x) for x in range(3)) + four",
        "test_c": "assert total == 40",
    }
    return new_notebook(cells=cells_of(**{**cells, **changes}))


def test_tests_that_assert_are_judged_again_and_say_both(bench):
    made = Graded(bench, shop(), shop(a="def double(x):\n    return x"))
    assert made.points == {"a": 0, "b": None, "b_number": 4, "c": None}
    assert made.twice == {"b": (0, 4), "b_number": (3, 4), "c": (0, 4)}
    counts = "With your own earlier sections: 0 of 4. With the reference's earlier sections: 4 of 4, and this counts."
    assert made.shown("test_b") == f"The test passed.\n{counts}"
    assert "4 of 4" in made.shown("test_b", "text/html") and "0 points" not in made.shown("test_b", "text/html")
    assert made.shown("test_b_number").startswith("With your own earlier sections: 3 of 4.")


def test_a_test_of_what_earlier_sections_define_is_not_judged_again(bench):
    """Or the reference would earn the points."""
    whole = {"test_whole": "assert double(2) == 4"}
    redefined = {"d": "def more(x):\n    return double(x) + start + 0 * four", "test_d": "assert more(1) == 12"}
    source = shop(**whole, **redefined)
    made = Graded(bench, source, shop(a="# nothing", b="# nothing", c="# nothing", d="# nothing", **whole))
    assert set(made.points.values()) == {0}
    assert set(made.twice) == {"b", "b_number", "c"}


def test_the_reference_is_loaded_without_its_text(bench, monkeypatch):
    looks = "try:\n    raise SystemExit\nexcept SystemExit:\n    pass\n"
    looks += "import inspect, linecache\nfound = repr((In, linecache.cache, inspect.getmodule(double)))\n"
    looks += "try:\n    found += inspect.getsource(double)\nexcept OSError:\n    found += 'no source'\n"
    looks += "def more(x):\n    return 12 if '2 * ' + 'x' not in found and found.endswith('no source') else found"
    made = Graded(bench, shop(), shop(a="def double(x):\n    return x", b=looks, c="total = 1"))
    assert made.twice["b_number"] == (0, 4), made.shown("test_b_number")


def test_a_reference_that_is_no_python_leaves_the_first_result_and_says_so(bench):
    made = Graded(bench, shop(a="def ("), shop(a="# nothing"))
    assert set(made.points.values()) == {0} and made.kernels == 1
    (remark,) = made.remarks
    assert "an answer in source/ is no Python" in remark


def test_what_is_displayed_is_drawn_in_the_first_pass_only(bench):
    """Of the second nothing is kept."""
    drawn = (
        "drawn = []\nclass Picture:\n    def _repr_html_(self):\n        drawn.append(1)\n        return 'a picture'\n"
    )
    drawn += "display(Picture())\ntotal = sum(more(x) for x in range(3)) + four + len(drawn)"
    made = Graded(bench, shop(), shop(a="def double(x):\n    return x", c=drawn))
    assert made.twice["c"] == (0, 4)
    assert made.outputs("c")[0].data["text/html"] == "a picture"


def test_of_the_cells_only_those_run_again_that_somebody_needs():
    """None after the last test that is judged again, none whose time was over, and no reference after the last."""
    failed, passed = Verdict(0.0), Verdict(None)
    notebook = shop(a="# nothing", c="# training")
    verdicts = {"test_a": failed, "test_b": failed, "test_b_number": passed, "test_c": passed}
    made = second_pass(notebook, shop(), verdicts, overran={0, 3, 4})
    quiet, *others = [cell.source[:12] for cell in made.cells]
    assert quiet == "get_ipython(" and others == ["# nothing", "exec(__impor", "%time start ", "assert more("]
    assert second_pass(notebook, shop(), {**verdicts, "test_b": passed}) is None
    assert second_pass(notebook, shop(), verdicts, ended_at=5) is None


def test_cells_of_the_courses_that_only_call_tests_do_not_run_again():
    """But those that call anything else, or in which the learner has written, do."""

    def asked(text: str) -> NotebookNode:
        made = shop(a="# nothing")
        made.cells[4:4] = [
            new_code_cell("tests.test_double(double, (1, -2), by=lambda x: double(x))", id="asks"),
            new_code_cell("tests.test_double(double(1))", id="calls"),
            new_code_cell(text, id="written"),
        ]
        return made

    verdicts = {"test_a": Verdict(0.0), "test_b": Verdict(0.0), "test_b_number": Verdict(None), "test_c": Verdict(None)}
    made = second_pass(asked("tests.test_double(triple)"), asked("tests.test_double(double)"), verdicts)
    assert [cell.source for cell in made.cells if cell.source.startswith("tests.")] == [
        "tests.test_double(double(1))",
        "tests.test_double(triple)",
    ]
