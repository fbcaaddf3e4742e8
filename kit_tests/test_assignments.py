"""Every assignment in source/ is put through its own proof: its release, its solutions and its sample class.

    pytest kit_tests/test_assignments.py -k my_course      one assignment's

A wrong solution is a file author/wrong/<name>.py: in comments the section in which it loses points and, if a known
mistake is to be named, that; then definitions in place of the solution's. One in author/right/ loses nothing.

    # section: softmax
    # mistake: axis-forgotten
    def softmax(scores): ...
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import build
import gate
import jupytext
import make_class
import nbformat
import pytest
import ready
from kit import ROOT

from checks.assignment import Assignment
from checks.notebook import only_shows
from checks.observe import quiet
from checks.reading import REGION
from checks.report import Report
from grading import results

SEEDS = range(5)
SAYS = re.compile(r"^# (section|mistake): (\S+)$", re.MULTILINE)
EVERY = pytest.mark.parametrize("name", build.assignments())


def made(kind: str) -> list[Path]:
    """The solutions of a kind that authors wrote."""
    return [path for name in build.assignments() for path in sorted(_authors(name).glob(f"{kind}/*.py"))]


def _authors(name: str) -> Path:
    return ROOT / "source" / name / "author"


def label(path: Path) -> str:
    """The assignment, and the name of a solution."""
    return f"{path.parents[2].name}-{path.stem}"


@cache
def declared(name: str) -> Assignment:
    return gate.declared(name, [one.folder for one in build.Course(name).family()])


def begin(name: str) -> None:
    """What a notebook of the assignment finds when it begins."""
    declared(name)  # whose folder is then among those that modules are found in
    for file in build.Course(name).facts.files:
        if file.endswith(".py"):  # a library that the one before has gone on with
            sys.modules.pop(Path(file).stem, None)


def names_with(path: Path) -> dict[str, Any]:
    """The names that the solution defines, and then this file."""
    begin(path.parents[2].name)
    text = build.Course(path.parents[2].name).text.read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in jupytext.reads(text, fmt="py:percent").cells:
        if cell.cell_type == "code" and not only_shows(cell):
            source = re.sub(r"^import tests$", "", cell.source, flags=re.MULTILINE)
            if "tests." not in source:
                exec(compile(source, f"<{cell.metadata.get('nbgrader', {}).get('grade_id')}>", "exec"), names)
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    return names


def reports(path: Path, section: str, names: dict[str, Any]) -> list[Report]:
    """What a section says of a solution, for some seeds."""
    (asked,) = [one for one in declared(path.parents[2].name).sections if one.id == section]
    found = [asked.run({name: names[name] for name in asked.takes}, seed) for seed in SEEDS]
    assert not any(check.status == "broken" for report in found for check in report.checks)
    return found


@EVERY
def test_what_is_generated_is_in_sync_and_the_solution_earns_all(name):
    command = [sys.executable, "source/build.py", "--prove", name]
    done = ready.run(command, cwd=ROOT, env=os.environ, timeout=600, forget=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", made("wrong"), ids=label)
def test_a_wrong_solution_loses_points_and_is_named_as_it_says(path):
    says = dict(SAYS.findall(path.read_text(encoding="utf-8")))
    for report in reports(path, says["section"], names_with(path)):
        assert report.score < report.points
        named = {check.mistake for check in report.checks if check.mistake}
        assert named == ({says["mistake"]} if "mistake" in says else set()), report.as_text()


@pytest.mark.parametrize("path", made("right"), ids=label)
def test_a_right_solution_loses_nothing(path):
    names = names_with(path)
    for section in declared(path.parents[2].name).sections:
        for report in reports(path, section.id, names):
            assert report.score == report.points, report.as_text()


class Idle(ast.NodeTransformer):
    """What is still open hands on what it is given: a function its first argument, a method without any its object."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        is_open = any(isinstance(line, ast.Expr) and ast.unparse(line) == "..." for line in node.body)
        if is_open and node.name != "__init__" and node.args.args:
            given = [each.arg for each in node.args.args if each.arg != "self"] or ["self"]
            node.body = [ast.Return(ast.Name(given[0], ast.Load()))]
        return node


def idle_names(name: str) -> dict[str, Any]:
    """What the notebook defines where its answers do nothing."""
    begin(name)
    text = build.Course(name).text.read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in jupytext.reads(text, fmt="py:percent").cells:
        if "nbgrader" in cell.metadata and not cell.metadata["nbgrader"]["grade"]:
            tree = Idle().visit(ast.parse(REGION.sub(r"\1...", cell.source)))
            for line in tree.body:  # some only show, and fail where an answer does nothing
                with contextlib.suppress(Exception), quiet():
                    code = compile(ast.fix_missing_locations(ast.Module([line], [])), "<idle>", "exec")
                    exec(code, names)
    return names


@EVERY
def test_answers_that_do_nothing_earn_nothing(name):
    """No check passes because nothing is left that it could ask."""
    sections, names = declared(name).sections, idle_names(name)
    assert any(names.get(each) is not None for section in sections for each in section.takes)
    for section in sections:
        report = section.run({each: names.get(each) for each in section.takes}, 0)
        assert [check.id for check in report.checks if check.status in ("passed", "broken")] == [], report.as_text()


@EVERY
def test_the_sample_class_gets_what_it_deserves(name, tmp_path):
    learners = make_class.sample_class(name)
    for learner, text in learners.items():
        folder = tmp_path / "submitted" / learner / name
        folder.mkdir(parents=True)
        (folder / f"{name}.ipynb").write_text(text, encoding="utf-8")
    db = f"--db=sqlite:///{tmp_path}/gradebook.db"
    places = [
        f"--CourseDirectory.{kind}_directory={tmp_path / kind}" for kind in ("submitted", "autograded", "release")
    ]
    journal = f"--ClassAutograde.journal_directory={tmp_path / '.grading'}"
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for command in (
        ["nbgrader", "generate_assignment", name, "--ProvedAssignment.proved=True", db, *places],
        ["grading", "autograde", name, db, *places, journal],
    ):
        done = ready.run([sys.executable, "-m", *command], cwd=ROOT, env={**os.environ, "PATH": path}, forget=True)
        assert done.returncode == 0 or "need a look" in done.stderr, done.stderr
    notebook = nbformat.read(build.Course(name).source, as_version=4)
    cells = gate.sections_of(notebook, declared(name))
    expected = json.loads((_authors(name) / "class" / "expected.json").read_text(encoding="utf-8"))
    assert expected.keys() == learners.keys()
    table = results.read(f"sqlite:///{tmp_path}/gradebook.db", name)
    got = {one.id: one.points for one in table.learners if one.state == "graded"}
    assert got == {learner: make_class.deserved(said, cells) for learner, said in expected.items()}
