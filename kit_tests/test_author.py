"""What an author meets: a new assignment from the template, what the build refuses, and who can be graded with it.

All of it on small assignments, in a course that holds the framework and nothing else.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter, OrderedDict
from collections.abc import Iterator
from pathlib import Path

import build
import gate
import kit
import make_class
import nbformat
import numpy as np
import pytest
import ready
from kit import ROOT
from nbgrader.api import Gradebook

from checks import facts
from checks.observe import Failed, Missing, compare, same
from checks.programs import reading
from checks.reading import REGION
from checks.report import MIME
from grading import results

FRAMEWORK = [
    *("checks", "grading", "conftest.py", "requirements.txt", "nbgrader_config.py"),
    *("source/.template", "source/build.py", "source/gate.py", "source/make_class.py", "Makefile"),
    *("kit_tests/conftest.py", "kit_tests/kit.py", "kit_tests/ready.py", "kit_tests/test_assignments.py"),
]
PAGE = (ROOT / "docs" / "author.md").read_text(encoding="utf-8")
NUMBER = itertools.count(1)


def framework(folder: Path) -> Path:
    """A course without any assignment."""
    return kit.copied(FRAMEWORK, folder)


def run(course: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A Python command in a course, which has its own modules of the framework."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, **variables}
    return ready.run([sys.executable, *command], cwd=course, env=environment, timeout=900, forget=True)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{text.count(old)} times: {old}"
    path.write_text(text.replace(old, new), encoding="utf-8")


# ---------------------------------------------------------------- what the build refuses, before it makes anything


@pytest.fixture
def tiny(tmp_path) -> build.Course:
    """A new assignment. Its package has a name of its own in each test, as it is imported."""
    (tmp_path / "source").mkdir()
    name = f"tiny_{next(NUMBER)}"
    build.new(name, tmp_path)
    return build.Course(name, tmp_path)


def refused(course: build.Course) -> str:
    """What the build says when it refuses an assignment."""
    with pytest.raises(build.BuildError) as error:
        build.agreed(course)
    return str(error.value)


def test_points_of_a_cell_follow_from_its_checks(tiny):
    _, text, notebook = build.agreed(tiny)
    assert '"points"' not in text
    points = {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points for cell in notebook.cells if gate.is_test(cell)
    }
    assert points == {"test_softmax": 6, "test_loss": 4}
    build.write(tiny.source, build.dumps(notebook))
    cell = next(cell for cell in notebook.cells if gate.is_test(cell))
    cell.source += "  # all of them"
    build.write(tiny.source, build.dumps(notebook))  # an edit in JupyterLab: the points do not come into the text
    _, text, _ = build.agreed(tiny)
    assert "  # all of them" in text and '"points"' not in text


def test_checks_that_give_more_points_are_no_edit_of_the_text(tiny):
    _, text, notebook = build.agreed(tiny)
    notebook.cells[0].source += "\n\nWelcome."
    build.write(tiny.source, build.dumps(notebook))
    after, _ = build.brought_together(tiny, {"test_softmax": 60, "test_loss": 4})
    assert after.replace("\n#\n# Welcome.", "", 1) == text


def test_points_in_the_text_that_the_checks_do_not_give(tiny):
    edit(
        tiny.text, '"grade_id": "test_loss", "locked": true,', '"grade_id": "test_loss", "locked": true, "points": 15,'
    )
    assert "cell test_loss: 15 points, its checks: 4. Take" in refused(tiny)


def test_points_changed_in_jupyterlab_are_refused_and_the_text_stays(tiny):
    _, text, notebook = build.agreed(tiny)
    build.write(tiny.source, build.dumps(notebook))
    edit(tiny.source, '"points": 4', '"points": 5.5')
    assert "cell test_loss: 5.5 points, its checks: 4." in refused(tiny)
    assert tiny.text.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ("loss(None, None)", r"cell test_loss: it is graded, and it calls no test\. .*\(test_softmax, test_loss\)"),
        ("tests.test_losses(loss)", r"cell test_loss: it is graded, and it calls test_losses\. "),
        ("tests.test_softmax(softmax)", r"cell test_loss: it calls test_softmax, as cell test_softmax does\."),
        ("# tests.test_loss(loss)", r"cell test_loss: it is graded, and it calls no test\."),
    ],
)
def test_a_graded_cell_that_calls_no_test_of_its_own(tiny, new, says):
    edit(tiny.text, "\ntests.test_loss(loss)", f"\n{new}")
    said = refused(tiny)
    assert re.search(says, said)
    assert "section loss: no graded cell calls tests.test_loss(loss). Add one" in said


def test_a_section_that_is_taken_out_of_the_text_only(tiny):
    text = tiny.text.read_text(encoding="utf-8")
    start, end = text.index("# %% [markdown]\n# ## Loss"), text.index("# %%\ntests.progress()")
    tiny.text.write_text(text[:start] + text[end:], encoding="utf-8")
    assert refused(tiny).startswith("section loss: no graded cell calls tests.test_loss(loss).")


def test_a_heading_in_another_language_leaves_no_hint_without_a_place(tiny):
    edit(tiny.text, "# ## Softmax", "# ## Wahrscheinlichkeiten")
    title = tiny.facts.title
    assert f"mistake axis-forgotten: its hint says “{title} > Softmax”, and the notebook has no such" in refused(tiny)


def test_a_heading_that_stands_below_another_one_is_another_one(tiny):
    edit(tiny.text, "# ## Softmax", "# ## Loss\n#\n# ### Softmax")
    build.agreed(tiny)  # the title is still above it
    edit(tiny.text, f"# # {tiny.facts.title}", "# # Elsewhere")
    assert "no such heading" in refused(tiny)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            '"softmax",\n    "all',
            '"softmaxes",\n    "all',
            "it shows in 'softmaxes', and the sections are loss, softmax",
        ),
        ("def test_loss(", "def test_losses(", "section loss: it is called by tests.test_loss"),
        ("from typing import Any", "from typing import Some", "cannot be imported: ImportError: cannot import name"),
        ("ASSIGNMENT = A", "ASSIGNMENT = None; A", "cannot be imported|declares no ASSIGNMENT"),
        ("def several(", "def one_target(", "has a check 'one_target' already"),
        ('LOSS = Section("loss"', 'LOSS = Section("softmax"', "section softmax: .* has two of this name"),
        (
            '"tests.test_loss(loss)", builds',
            '"tests.test_softmax(loss)", builds',
            "section test_softmax: .* has two of this",
        ),
        ("@LOSS.check(2, needs", "@LOSS.check(-2, needs", "section loss: its checks give 0 points"),
        ('needs=["one_target"]', 'needs=["two"]', "needs ['two'], which do not stand before it"),
    ],
)
def test_a_package_that_does_not_fit(tiny, old, new, says):
    edit(tiny.tests, old, new)
    said = refused(tiny)
    assert says in said or re.search(says, said)


def test_learners_install_what_their_assignment_needs_and_no_more(tiny):
    path = tiny.root / "requirements.txt"
    path.write_text(
        "# Python 3.11 or newer.\ntorch>=2\n# the learner\nnumpy>=2.0,<3\n# ---- for instructors and authors\n"
    )
    edit(tiny.folder / facts.NAME, '["numpy", "ipykernel"]', '["numpy", "pandas"]')
    made = dict(build.support(build.Course(tiny.assignment, tiny.root)))["requirements.txt"].decode()
    assert made == "# Python 3.11 or newer.\nnumpy>=2.0,<3\nipykernel\njupyterlab\npandas\npytest\n"
    whole = (ROOT / "release" / "workshop" / "requirements.txt").read_bytes()
    assert dict(build.support(build.Course("workshop")))["requirements.txt"] == whole


def test_a_name_that_the_reference_lacks_is_no_fault_of_the_learner(tiny):
    """A solution that is right loses the points then: the build refuses it, with this report."""
    edit(tiny.tests, ', "loss": _loss', "")
    declared, _, _ = build.agreed(tiny)
    report = declared.sections[1].run({"loss": lambda scores, targets: 1.0})
    assert report.score == 0 and report.checks[0].status == "broken"
    assert "its author should know: NameError: name 'loss' is not defined" in " ".join(report.as_text().split())


def test_titles_that_do_not_agree_or_are_taken(tiny):
    (tiny.root / "source" / "other").mkdir()
    (tiny.root / "source" / "other" / facts.NAME).write_text(f'title = "{tiny.facts.title}"\n')
    assert refused(tiny).startswith(f"other has the title {tiny.facts.title!r}, too")
    edit(tiny.folder / facts.NAME, tiny.facts.title, "Another")
    assert "says title = 'Another'" in refused(build.Course(tiny.assignment, tiny.root))


def test_an_assignment_that_is_not_there_or_says_nonsense(tmp_path, tiny):
    with pytest.raises(build.BuildError, match=f"the assignments are {tiny.assignment}"):
        build.Course("nosuch", tmp_path)
    (tiny.folder / facts.NAME).write_text('title = "Tiny"\nbuilds_on = ["nosuch"]\n')
    assert "There is no" in refused(build.Course(tiny.assignment, tmp_path))
    (tiny.folder / facts.NAME).write_text(f'title = "Tiny"\nbuilds_on = ["{tiny.assignment}"]\n')
    assert "build on one another" in refused(build.Course(tiny.assignment, tmp_path))


# ---------------------------------------------------------------- a new assignment


@pytest.mark.parametrize("name", ["my course", "class", "1st", "größe", "json", "numpy", "build", "checks", "../x", ""])
def test_a_name_that_cannot_be_is_refused_and_nothing_is_written(tmp_path, name):
    (tmp_path / "source").mkdir()
    with pytest.raises(build.BuildError, match=r"cannot be the name|has a module|already"):
        build.new(name, tmp_path)
    assert [*tmp_path.iterdir()] == [tmp_path / "source"] and not [*(tmp_path / "source").iterdir()]


def test_what_is_there_is_not_overwritten(tiny):
    with pytest.raises(build.BuildError, match="already"):
        build.new(tiny.assignment, tiny.root)


# ---------------------------------------------------------------- two assignments, with docs/author.md at hand


def commands() -> list[list[str]]:
    """The commands of the page, in order."""
    blocks = re.findall(r"^```bash\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).splitlines()
    assert len(lines) >= 5 and all(line.startswith("python ") for line in lines)
    return [line.split()[1:] for line in lines]


def files(course: Path, *but: str) -> dict[str, bytes]:
    """All files of a course, but for those in some folders, and what Python leaves behind."""
    found = (path for path in sorted(course.rglob("*")) if path.is_file())
    names = {path.relative_to(course).as_posix(): path for path in found if "__pycache__" not in path.parts}
    return {name: path.read_bytes() for name, path in names.items() if not name.startswith(but)}


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """A course with an assignment that the page's commands made, and one that was written after it."""
    made = framework(tmp_path_factory.mktemp("author") / "course")
    (first, *others), own = commands(), ("source/accounts/", "release/accounts/", "solutions/accounts/", "gradebook.db")
    done = run(made, *first)
    assert done.returncode == 0, done.stderr
    shutil.copytree(ROOT / "kit_tests" / "assignments" / "accounts", made / "source" / "accounts")
    before = files(made, *own)
    done = run(made, "source/build.py", "accounts")
    assert done.returncode == 0, done.stderr
    assert "account 8, averages 4, words 4, together 16 points" in done.stdout
    assert files(made, *own) == before  # nothing outside its folder
    for command in others:
        done = run(made, *command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        if command[-1] == "sample":
            (made / "table.txt").write_text(done.stdout)
    return made


BOTH = pytest.mark.parametrize("name", ["accounts", "my_course"])


@BOTH
def test_the_sample_class_gets_what_it_deserves_each_from_its_own_assignment(course, name):
    """Both are in one gradebook."""
    sys.path.append(str(course / "source" / name))
    declared = gate.declared(name, [course / "source" / name])
    cells = gate.sections_of(nbformat.read(course / "source" / name / f"{name}.ipynb", 4), declared)
    expected = json.loads((course / "source" / name / "author" / "class" / "expected.json").read_text())
    table = results.read(f"sqlite:///{course}/examples/gradebook.db", name)
    got = {one.id: one.points for one in table.learners if one.state == "graded"}
    assert got == {learner: make_class.deserved(said, cells) for learner, said in expected.items()}
    assert table.points == declared.points
    printed = (course / "table.txt").read_text()
    assert f"grading the sample class of {name}, 3 learners in examples/submitted" in printed
    assert "Your own class: " in printed and "python -m grading autograde ASSIGNMENT" in printed


@BOTH
def test_feedback_names_the_mistake_and_shows_nobody_elses_sections(course, name):
    learner, mistake = {"accounts": ("generous", "limit-forgotten"), "my_course": ("forgetful", "axis-forgotten")}[name]
    path = course / "examples" / "autograded" / learner / name / f"{name}.ipynb"
    reports = [
        output.data[MIME]
        for cell in nbformat.read(path, 4).cells
        for output in cell.get("outputs", ())
        if MIME in output.get("data", {})
    ]
    assert mistake in {check["mistake"] for report in reports for check in report["checks"]}
    sections = {"accounts": {"account", "averages", "words"}, "my_course": {"softmax", "loss"}}
    assert {report["section"] for report in reports} == sections[name]


@BOTH
def test_a_learner_gets_all_that_the_notebook_needs_and_nothing_of_the_authors(course, name):
    release, author = course / "release" / name, course / "source" / name / "author"
    there = {path.relative_to(release).parts[0] for path in release.rglob("*") if path.is_file()}
    ours = {"checks", "docs", "conftest.py", "requirements.txt", "tests.py"}
    assert there == {f"{name}.ipynb", facts.NAME, name, *ours}
    needed = (release / "requirements.txt").read_text().split("\n")
    assert [re.split("[<>=]", line)[0] for line in needed] == [
        *("# Python 3.11 or newer.", "numpy", "jupyterlab", "ipykernel", "pytest"),
        "",
    ]
    kept = {path.read_bytes() for path in author.rglob("*") if path.is_file()}
    assert len(kept) > 5 and not any(path.read_bytes() in kept for path in release.rglob("*") if path.is_file())
    shown = (release / f"{name}.ipynb").read_text(encoding="utf-8")
    for region in REGION.finditer((author / "text.py").read_text(encoding="utf-8")):
        for line in map(str.strip, region.group(0).split("\n")):
            assert len(line) < 12 or json.dumps(line)[1:-1] not in shown


def test_a_change_of_one_assignment_grades_that_one_again_only(course):
    asks = "from grading.worker import kit; print(kit('accounts'), kit('my_course'))"
    before = run(course, "-c", asks).stdout.split()
    path = course / "source" / "accounts" / "accounts" / "tests.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "\n# changed\n", encoding="utf-8")
    after = run(course, "-c", asks).stdout.split()
    path.write_text(text, encoding="utf-8")
    assert len(before) == 2 and before[0] != after[0] and before[1] == after[1]


def test_two_assignments_in_one_process_do_not_see_each_other(course, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where points are kept
    first, second = (gate.declared(name, [course / "source" / name]) for name in ("accounts", "my_course"))
    sys.modules["accounts.tests"].test_words(None, None)
    assert first.earned == {"words": 0} and second.earned == {}
    assert not {*first.oracle.names("float64")} & {*second.oracle.names("float64")}
    assert first.mistakes.keys() - second.mistakes.keys() == {"limit-forgotten", "short-windows", "case-kept"}


def test_formgrader_lists_the_assignments_and_nothing_else(course):
    done = run(course, "source/build.py", "--support", PYTHONDONTWRITEBYTECODE="")
    assert done.returncode == 0, done.stderr
    code = "from nbgrader.apps import NbGraderAPI; print(sorted(NbGraderAPI().get_source_assignments()))"
    done = run(course, "-c", code)
    assert done.stdout == "['accounts', 'my_course']\n", done.stderr


# ---------------------------------------------------------------- the gate, from every door


@pytest.fixture
def kept(course) -> Iterator[Path]:
    """The course, which is as it was after the test."""
    before = files(course)
    yield course
    for name in files(course).keys() - before.keys():
        (course / name).unlink()
    for name, content in before.items():
        build.write(course / name, content)


def test_nbgraders_own_command_refuses_a_solution_that_loses_points_and_changes_nothing(kept):
    edit(kept / "source" / "my_course" / "author" / "text.py", "log(probabilities).mean()", "log(probabilities).sum()")
    before = files(kept)
    assert "gradebook.db" in before
    done = run(kept, "-m", "nbgrader", "generate_assignment", "my_course", "--force")
    assert done.returncode == 1
    assert "cell test_loss: 2 of 4 points" in done.stderr and "tests.test_loss(loss, seed=" in done.stderr
    assert "y is " in done.stderr and "Nothing was changed." in done.stderr and "Traceback" not in done.stderr
    assert files(kept) == before


def test_a_build_refuses_a_solution_that_loses_points_and_shows_its_report(kept):
    edit(kept / "source" / "my_course" / "author" / "text.py", "log(probabilities).mean()", "log(probabilities).sum()")
    before = files(kept)
    done = run(kept, "source/build.py")
    assert done.returncode == 1
    assert files(kept) == before
    assert "The solution does not earn all points" in done.stderr
    assert "cell test_loss: 2 of 4 points" in done.stderr and "tests.test_loss(loss, seed=" in done.stderr
    assert "FAILED" in done.stderr and "Partial credit" not in done.stderr


def test_a_release_that_cannot_be_made_leaves_everything_as_it_was(kept):
    text = kept / "source" / "my_course" / "author" / "text.py"
    text.write_text(text.read_text(encoding="utf-8").replace("### END SOLUTION", "### END"), encoding="utf-8")
    before = files(kept)
    assert "gradebook.db" in before
    done = run(kept, "source/build.py", "my_course")
    assert done.returncode == 1
    assert "nbgrader generate_assignment my_course failed" in done.stderr and "Traceback" not in done.stderr
    assert "RuntimeError: no end solution statement found" in done.stderr
    assert files(kept) == before


def test_all_that_is_generated_is_made_anew_where_it_is_not_there_and_nothing_else_may_lie_there(kept):
    """Also what lies at the top, of the assignment that says so."""
    source, places = kept / "source" / "my_course", ("release/my_course/", "solutions/my_course/")
    before = {name: content for name, content in files(kept).items() if name.startswith(places)}
    stated = f"{(source / facts.NAME).read_text(encoding='utf-8')}at_top = true\n"
    (source / facts.NAME).write_text(stated, encoding="utf-8")
    (source / "my_course.ipynb").unlink()
    for place in places:
        shutil.rmtree(kept / place)
    done = run(kept, "source/build.py", "my_course")
    assert done.returncode == 0, done.stderr
    after = files(kept)
    made = {name: content for name, content in after.items() if name.startswith(places)}
    assert made == {name: stated.encode() if Path(name).name == facts.NAME else before[name] for name in before}
    assert after["my_course.ipynb"] == after["release/my_course/my_course.ipynb"]
    assert run(kept, "-c", "import tests; print(tests.ASSIGNMENT.title)").stdout == "My course\n"
    (kept / "release" / "my_course" / "more").write_text("of an earlier build")
    done = run(kept, "source/build.py", "--prove", "my_course")
    assert done.returncode == 1 and "more is not what" in done.stderr and "make release" in done.stderr


def test_formgrader_goes_through_the_same_gate(kept):
    """Its API is called in a process that has been running for long."""
    code = (
        "from nbgrader.apps import NbGraderAPI, NbGrader; app = NbGrader(); app.load_config_file(); "
        "api = NbGraderAPI(config=app.config); made = api.generate_assignment('my_course'); "
        "print(made['success'], made.get('log'))"
    )
    edit(kept / "source" / "my_course" / "author" / "text.py", "# ## Loss", "# ## Verlust")
    tests = kept / "source" / "my_course" / "my_course" / "tests.py"
    edit(tests, '"My course > Softmax"', '"My course > Loss"')
    before = files(kept)
    done = run(kept, "-c", code)
    assert "False" in done.stdout and "its hint says “My course > Loss”" in done.stdout, done.stdout + done.stderr
    assert files(kept) == before
    edit(tests, '"My course > Loss"', '"My course > Verlust"')
    done = run(kept, "-c", code)
    assert "True" in done.stdout, done.stdout + done.stderr
    assert "Verlust" in (kept / "release" / "my_course" / "my_course.ipynb").read_text(encoding="utf-8")
    assert "Verlust" in (kept / "solutions" / "my_course" / "my_course.ipynb").read_text(encoding="utf-8")


def test_points_can_change_and_no_mark_is_lost_but_no_cell_is_renamed_under_submissions(kept):
    db = f"sqlite:///{kept}/gradebook.db"
    with Gradebook(db) as book:
        book.add_student("ada")
        book.add_submission("my_course", "ada")
        grade = book.find_grade("test_loss", "my_course", "my_course", "ada")
        grade.manual_score, grade.auto_score = 3.5, 4.0
        book.db.commit()
    edit(kept / "source" / "my_course" / "my_course" / "tests.py", "@LOSS.check(2, needs", "@LOSS.check(3, needs")
    done = run(kept, "source/build.py", "my_course")
    assert done.returncode == 0, done.stderr
    with Gradebook(db) as book:
        grade = book.find_grade("test_loss", "my_course", "my_course", "ada")
        assert (grade.manual_score, grade.auto_score, grade.max_score) == (3.5, 4.0, 5.0)
    edit(kept / "source" / "my_course" / "author" / "text.py", '"grade_id": "test_loss"', '"grade_id": "test_losses"')
    before = files(kept)
    done = run(kept, "source/build.py", "my_course")
    assert done.returncode == 1 and "The gradebook holds submissions of my_course" in done.stderr
    assert "Traceback" not in done.stderr
    assert files(kept) == before


# ---------------------------------------------------------------- commands that say what there is


def test_an_assignment_that_is_not_there_is_answered_with_those_that_are(course):
    for program in ("nbgrader", "grading"):
        done = run(course, "-m", program, "autograde", "nosuch")
        assert done.returncode == 1
        assert f"There is no assignment 'nosuch' in {course}/source, which holds accounts, my_course." in done.stderr
        assert "Traceback" not in done.stderr and "Errno" not in done.stderr
    for command in (["results"], ["trace", "ada"]):
        done = run(course, "-m", "grading", *command)
        assert done.returncode == 1
        assert done.stderr == "Say which assignment: source/ holds accounts, my_course.\n"


def test_results_that_nobody_reads_on_or_that_a_pipe_cannot_write(course, tmp_path):
    shutil.copy(course / "examples" / "gradebook.db", tmp_path / "gradebook.db")
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as book:
        book.add_student("зоя")
        book.add_submission("accounts", "зоя")
    command = f"-m grading results accounts --db=sqlite:///{tmp_path}/gradebook.db"
    encoded = {**os.environ, "PYTHONIOENCODING": "latin-1"}  # which Python reads when it starts
    done = subprocess.run([sys.executable, *command.split()], cwd=course, env=encoded, capture_output=True, text=True)
    assert done.returncode == 0 and "\\u0437" in done.stdout and not done.stderr
    script = f"{sys.executable} {command} | true"
    done = subprocess.run(["sh", "-c", script], cwd=course, capture_output=True, text=True)
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


def test_make_clean_removes_what_can_be_made_again_and_no_mark(tmp_path):
    made = framework(tmp_path / "course")
    marks = ["gradebook.db", ".grading/log", "autograded/ada/x.ipynb", "feedback/ada/x.html", "submitted/ada/x.ipynb"]
    again = ["environment/bin/python", "examples/gradebook.db", "examples/autograded/ada/x.ipynb"]
    for name in [*marks, *again]:
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text("there")
    before = files(made)
    done = subprocess.run(["make", "clean", "VENV=environment"], cwd=made, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert before.keys() - files(made).keys() == {*again}


# ---------------------------------------------------------------- plain results


@pytest.mark.parametrize(
    ("expected", "right"),
    [
        (2.5, [2.5, np.float32(2.5), np.array(2.5), 2.5000001]),
        (2.0, [2, np.int64(2), 2.0]),
        (float("nan"), [float("nan"), np.nan]),
        ([1.5, 2.5], [[1.5, 2.5], (1.5, 2.5), [np.float64(1.5), 2.50000001]]),
        ((3, "a"), [(3, "a"), [np.int64(3), "a"]]),
        ([], [[], ()]),
        ("word", ["word", np.str_("word")]),
        ({"a": 1.0, "b": [2]}, [{"b": [2], "a": 1}, Counter(a=1, b=0) | {"b": (2,)}, OrderedDict(a=1.0, b=[2])]),
        ({1, 2}, [{2, 1}, frozenset([1, 2])]),
        (None, [None]),
        (np.array(["a", "b"]), [np.array(["a", "b"])]),
        ([np.array([1.0, 2.0]), None], [[np.array([1, 2]), None]]),
        (1 + 2j, [1 + 2j, np.complex128(1 + 2j)]),
    ],
)
def test_plain_results_that_are_right(expected, right):
    for got in right:
        compare("y", expected, got)
        assert same(expected, got)


@pytest.mark.parametrize(
    ("expected", "got", "says"),
    [
        (2.5, 3, "y is 3 instead of 2.5"),
        (2.5, 2.501, "y is 2.501 instead of 2.5"),
        (2.5, "2.5", "y is '2.5', a str, not a number"),
        (2.5, [2.5], "y is [2.5], a list, not a number"),
        ([1.5, 2.5], [1.5], "y has 1 element instead of 2"),
        ([1.5, 2.5], [-1.5, -2.5], "y has the right size but the wrong sign"),
        ([1.5, 2.5], [3.0, 5.0], "y is 2 times what it should be"),
        ([1.5, 2.5], np.array([1.5, 2.5]), "y is a ndarray, not a list"),
        (["a", ["b", 1]], ["a", ["b", 2]], "y[1][1] is 2 instead of 1"),
        (["a", "b"], "ab", "y is a str, not a list"),
        ((2, 3), (3, 2), "y is (3, 2) instead of (2, 3)"),
        ((8, 2.0), (8.0, 2.0), "y[0] is 8.0, a float, not an int"),
        ([1.0, 2.0], [np.array([1.0, 2.0]), 2.0], "y[0] is array([1., 2.]), a ndarray, not a number"),
        ({"a": 1}, {"a": 2}, "y['a'] is 2 instead of 1"),
        ({"a": 1}, {}, "y has no key 'a'"),
        ({"a": 1}, {"a": 1, "b": 2}, "y has a key 'b', which should not be there"),
        ({1, 2}, {1}, "y lacks 2"),
        ({1}, {1, 2}, "y has 2, which should not be there"),
        ("word", "words", "y is 'words' instead of 'word'"),
        ("a" * 40, "a" * 39 + "b", "y differs from character 39 on"),
        (None, 0, "y is 0 instead of None"),
        (np.array([1.0]), [1.0], "y is a list, not an array: np.array(...) makes one"),
        (np.array(["a"]), np.array(["b"]), "y[0] is 'b' instead of 'a'"),
    ],
)
def test_plain_results_that_are_wrong_are_told_apart_in_words(expected, got, says):
    with pytest.raises(Failed) as error:
        compare("y", expected, got)
    assert error.value.says.startswith(says)


def test_what_gives_nothing_is_not_written_yet():
    for expected in (2.5, [1], {"a": 1}, "word", 3):
        with pytest.raises(Missing, match="y is None: not written yet"):
            compare("y", expected, None)
    with pytest.raises(Failed, match=r"y\.shape is None"):
        compare("y.shape", (2,), None)


def test_programs_read_plain_results_as_they_are():
    names = {"np": np}
    exec(reading(None), names)
    some = {"a": [1, (2.5, "b")], "c": np.array([1.0, 2.0]), "d": {1, 2}, "e": None}
    assert names["read"](some) == {"a": [1, [2.5, "b"]], "c": [1.0, 2.0], "d": {1, 2}, "e": None}
    assert names["read"](list(range(1000))) == "1000 elements"
