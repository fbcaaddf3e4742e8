"""What is generated of the workshop: without solutions, complete, and runnable from top to bottom.

That it is in sync, of this and of every other assignment, test_assignments.py proves.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import build
import gate
import nbclient
import nbformat
import pytest
from answers import ANSWERS, TEXT, authored
from kit import ROOT

import tests
from checks.reading import REGION

CALLS = {
    "test_tensor": "tests.test_tensor_class(MyTensor)",
    "test_module": "tests.test_my_module(MyModule, MyTensor, Parameter)",
    "test_matmul": "tests.test_matmul(matmul, MyTensor)",
    "test_linear": "tests.test_linear(Linear, MyTensor, Parameter)",
    "test_relu": "tests.test_relu(ReLU, MyTensor)",
    "test_sgd": "tests.test_sgd(SGD, MyTensor, Parameter)",
    "test_mseloss": "tests.test_mseloss(MSELoss, MyTensor, sum)",
    "test_train": "tests.test_train(train, MyModule, Parameter, matmul, SGD, MSELoss, MyTensor)",
    "test_model": "tests.test_model(SuperModel, MSELoss, SGD, MyTensor)",
}
ORDER = [
    *("setup", "tensor", "test_tensor", "module", "test_module", "matmul", "test_matmul", "layers", "test_linear"),
    *("test_relu", "optimizer", "test_sgd", "loss", "test_mseloss", "train", "model", "test_train", "test_model"),
]
GENERATED = [
    ROOT / "source" / "workshop" / "workshop.ipynb",
    ROOT / "release" / "workshop" / "workshop.ipynb",
    ROOT / "solutions" / "workshop" / "workshop.ipynb",
    ROOT / "workshop.ipynb",
]


SOURCE = ROOT / "source" / "workshop"


def points() -> dict[str, float]:
    """What each test cell is worth: what its checks give."""
    found = gate.sections_of(notebook(SOURCE / "workshop.ipynb"), tests.ASSIGNMENT)
    return {grade_id: section.points for grade_id, section in found.items()}


def notebook(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def tracked(folder: Path) -> set[Path]:
    """The files in a folder of the course, but for what running something leaves behind."""
    found = {path for path in (ROOT / folder).rglob("*") if path.is_file()}
    return {path.relative_to(ROOT) for path in found if not {"__pycache__", ".ipynb_checkpoints"} & {*path.parts}}


def at_top(name: str) -> list[Path]:
    """What lies in the course's folder of an assignment whose notebook does."""
    released = tracked(Path("release") / name)
    below = [path.relative_to(Path("release") / name) for path in released]
    others = {"checks", "docs", "conftest.py", "requirements.txt", name}
    return [path for path in below if path.parts[0] not in others]


def test_what_lies_at_the_top_is_what_lies_in_the_release():
    assert "workshop" in build.assignments()
    for name in build.assignments():
        assert len(tracked(Path("release") / name)) > 15
        if build.Course(name).facts.at_top:
            assert {Path(f"{name}.ipynb"), Path("tests.py"), Path("assignment.toml")} <= {*at_top(name)}
            for path in at_top(name):
                if path.name != "tests.py":  # which finds the package in source/
                    assert (ROOT / path).read_bytes() == (ROOT / "release" / name / path).read_bytes(), path
            says = [sys.executable, "-c", "import tests; print(tests.ASSIGNMENT.title)"]
            done = subprocess.run(says, cwd=ROOT, capture_output=True, text=True)
            assert done.stdout.strip() == build.Course(name).facts.title, done.stderr


def test_figures_are_in_sync(tmp_path):
    workshop = tmp_path / "source" / "workshop"
    shutil.copytree(SOURCE, workshop, ignore=shutil.ignore_patterns("*.svg", "checks", "__pycache__"))
    course = {**os.environ, "PYTHONPATH": str(ROOT)}  # where checks/ lies
    subprocess.run([sys.executable, workshop / "author" / "figures.py"], cwd=tmp_path, env=course, check=True)
    figures = {path.name for path in (SOURCE / "figures").glob("*.svg")}
    assert figures == {path.name for path in (workshop / "figures").glob("*.svg")} and len(figures) >= 2
    for name in figures:
        assert (workshop / "figures" / name).read_bytes() == (SOURCE / "figures" / name).read_bytes()


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: str(path.relative_to(ROOT)))
def test_cells_are_those_of_the_design(path):
    """There may be more of them."""
    cells = {c.metadata.nbgrader.grade_id: c for c in notebook(path).cells if "nbgrader" in c.metadata}
    assert [name for name in cells if name in ORDER] == ORDER
    assert {name: cells[name].metadata.nbgrader.points for name in points()} == points()
    assert all("points" not in cells[name].metadata.nbgrader for name in ORDER if name not in CALLS)
    assert {name: cells[name].source for name in CALLS} == CALLS
    for name in ORDER:
        settings = cells[name].metadata.nbgrader
        assert (settings.solution, settings.grade) == (name in ANSWERS, name in CALLS)
        assert settings.locked == (name not in ANSWERS)


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: str(path.relative_to(ROOT)))
def test_notebooks_carry_no_outputs(path):
    for cell in notebook(path).cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None


def test_torch_is_used_only_in_cells_with_the_tag():
    cells = [cell for cell in notebook(GENERATED[1]).cells if cell.cell_type == "code"]
    tagged = [cell for cell in cells if "torch" in cell.metadata.get("tags", [])]
    assert len(tagged) >= 3
    for cell in cells:
        if cell not in tagged:
            code = re.sub(r"#.*|\"\"\".*?\"\"\"", "", cell.source, flags=re.DOTALL if '"""' in cell.source else 0)
            assert not re.search(r"\btorch(vision)?\b", code), cell.source


def test_release_holds_no_solution_hidden_test_or_author_file():
    text = (ROOT / "release" / "workshop" / "workshop.ipynb").read_text(encoding="utf-8")
    assert text == (ROOT / "workshop.ipynb").read_text(encoding="utf-8")
    for marker in ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "YOUR CODE HERE"):
        assert marker not in text
    # Lines of the solution that also stand in given code or hints prove nothing: look at the long ones.
    given = "".join(REGION.sub("", source) for _, source in authored())
    hints = "".join(cell.source for cell in notebook(GENERATED[1]).cells if cell.cell_type == "markdown")
    released = "".join(cell.source for cell in notebook(GENERATED[1]).cells if cell.cell_type == "code")
    secret = 0
    for _, source in authored():
        for region in REGION.finditer(source):
            for line in map(str.strip, region.group(0).split("\n")):
                if len(line) > 25 and "SOLUTION" not in line and line not in given and line not in hints:
                    secret += 1
                    assert line not in released, line
    assert secret > 60
    names = {path.parts[2] for path in tracked(Path("release", "workshop"))}
    assert names == {
        "workshop.ipynb",
        "assignment.toml",
        "workshop",
        "tests.py",
        "conftest.py",
        "requirements.txt",
        "checks",
        "data",
        "figures",
        "docs",
    }


def definitions(source: str) -> dict[str, str]:
    """Every class, method and function of a cell with its signature."""
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            found[node.name] = f"class {node.name}"
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    found[f"{node.name}.{method.name}"] = ast.unparse(method.args)
        elif isinstance(node, ast.FunctionDef):
            found.setdefault(node.name, ast.unparse(node.args))
    return found


def test_every_given_name_and_signature_survives_and_stubs_do_nothing():
    cells = {c.metadata.nbgrader.grade_id: c.source for c in notebook(GENERATED[1]).cells if "nbgrader" in c.metadata}
    for name, source in authored():
        assert cells[name] == REGION.sub(r"\1...", source)
        assert definitions(REGION.sub(r"\1...", source)).items() <= definitions(cells[name]).items()
        assert "NotImplementedError" not in cells[name]
        assert cells[name].count("...") >= source.count("BEGIN SOLUTION") > 0
    seed = {
        "data": "MyTensor",
        "unbroadcast": "unbroadcast",
        "rules": "add_deriv sub_deriv mul_deriv div_deriv pow_deriv",
        "operators": "MyCrossBackward MyTensor",
        "tensor": "MyTensor",
        "module": "Parameter MyModule",
        "matmul": "matmul_deriv matmul",
        "layers": "Linear relu ReLU",
        "optimizer": "SGD",
        "loss": "sum_deriv sum MSELoss",
        "train": "train",
        "model": "SuperModel",
    }
    for name, wanted in seed.items():
        assert set(wanted.split()) <= definitions(cells[name]).keys()
    signatures = definitions(cells["data"]) | definitions(cells["optimizer"])
    assert re.sub(r": [^=,]+", "", signatures["MyTensor.__init__"]) == (
        "self, data, dtype=None, requires_grad=False, crossOpBack=None"
    )
    assert signatures["SGD.__init__"].startswith("self, parameters: list[Parameter], lr: float=")


def run_alone(notebook: nbformat.NotebookNode, folder: Path) -> list[nbformat.NotebookNode]:
    """Execute a notebook in a folder that holds nothing but the release, and return its code cells."""
    shutil.copytree(ROOT / "release" / "workshop", folder, dirs_exist_ok=True)
    client = nbclient.NotebookClient(
        notebook, timeout=120, allow_errors=True, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    # A backend set for the tests of this process would keep the kernel from showing pictures.
    client.execute(env={name: value for name, value in os.environ.items() if name not in ("MPLBACKEND", "PYTHONPATH")})
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def complaints(cells: list[nbformat.NotebookNode]) -> list[str]:
    return [
        f"{output.get('ename', 'stderr')}: {output.get('evalue', output.get('text'))}\nin\n{cell.source}"
        for cell in cells
        for output in cell.outputs
        if output.output_type == "error" or output.get("name") == "stderr"
    ]


def scores(cells: list[nbformat.NotebookNode]) -> dict[str, float]:
    return {
        cell.metadata.nbgrader.grade_id: float(output.data["text/plain"])
        for cell in cells
        if cell.metadata.get("nbgrader", {}).get("grade")
        for output in cell.outputs
        if output.output_type == "execute_result"
    }


def test_the_untouched_release_runs_alone_without_a_traceback_and_scores_nothing(tmp_path):
    cells = run_alone(notebook(ROOT / "release" / "workshop" / "workshop.ipynb"), tmp_path / "alone")
    assert complaints(cells) == []
    assert scores(cells) == dict.fromkeys(points(), 0)
    reports = [o for c in cells for o in c.outputs if "application/vnd.minitorch.report+json" in o.get("data", {})]
    tried = [c for c in cells if re.search(r"^tests\.test_", c.source, re.MULTILINE)]
    assert len(reports) == len(tried) > len(points())  # some are for practice, or stop at a stage
    assert all("not written yet" in report.data["text/plain"] for report in reports)


def python_blocks(text: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_solution_runs_with_every_markdown_example_and_scores_all_points(tmp_path):
    """Each example runs where it stands. (Those that need downloaded pictures: test_datasets.py.)"""
    solved = notebook(ROOT / "solutions" / "workshop" / "workshop.ipynb")
    cells, examples = [], 0
    for cell in solved.cells:
        cells.append(cell)
        if cell.cell_type == "markdown":
            for block in python_blocks(cell.source):
                if "download=True" not in block:
                    cells.append(nbformat.v4.new_code_cell(block))
                    examples += 1
    solved.cells = cells
    assert examples >= 2
    cells = run_alone(solved, tmp_path / "alone")
    assert complaints(cells) == []
    assert scores(cells) == points()
    printed = "".join(output.get("text", "") for cell in cells for output in cell.outputs)
    accuracy = float(re.search(r"held-out accuracy: ([\d.]+)%", printed).group(1))
    assert accuracy >= 93
    shown = [output["data"] for cell in cells for output in cell.outputs if "data" in output]
    assert not any("image/png" in data for data in shown)  # which would have no alt text
    pictures = re.findall(r"<(?:img|svg) [^>]*>", "".join(data.get("text/html", "") for data in shown))
    assert len(pictures) >= 20
    assert all(re.search(r'(?:alt|aria-label)="[^"]{20}|aria-hidden="true"', picture) for picture in pictures)


def test_links_and_pictures_of_the_notebook_resolve():
    release = ROOT / "release" / "workshop"
    text = "\n".join(cell.source for cell in notebook(release / "workshop.ipynb").cells if cell.cell_type == "markdown")
    links = re.findall(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", text)
    pictures = [target for bang, _, target in links if bang]
    assert len(pictures) >= 2
    for bang, alt, target in links:
        if bang:
            assert len(alt) > 20, f"{target} has no alt text"
        if not target.startswith("https://"):
            assert (release / target.split("#")[0]).exists(), target


def test_headings_do_not_skip_a_level():
    level = 0
    for cell in notebook(GENERATED[1]).cells:
        if cell.cell_type == "markdown":
            for hashes in re.findall(r"^(#+) ", re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL), re.MULTILINE):
                assert len(hashes) <= level + 1
                level = len(hashes)


TYPOS = """actualy|Autograds|multidimensionnal|precised|funtion|tranformation|mathematicaly|Pytorch|A tensors
layers and basically|know let's|Here an example|n result|L to W|has the speed|didn't|library of your[^a-z ]""".replace(
    "\n", "|"
)


def test_the_seeds_typos_stay_out():
    text = TEXT.read_text(encoding="utf-8")
    assert not re.search(rf"({TYPOS})", text)


# ---------------------------------------------------------------- the build on edited and broken input


@pytest.fixture
def course(tmp_path) -> build.Course:
    """An assignment of two cells."""
    folder = tmp_path / "source" / "tiny"
    (folder / "author").mkdir(parents=True)
    (folder / "assignment.toml").write_text('title = "Tiny"\n')
    (folder / "author" / "text.py").write_text(
        "# ---\n# jupyter: {}\n# ---\n\n# %%\nx = 1\n\n# %% [markdown]\n# Hello\n"
    )
    return build.Course("tiny", tmp_path)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def update(course: build.Course, points: dict[str, float] | None = None) -> None:
    """Bring text and notebook together, and write both."""
    text, made = build.brought_together(course, points or {})
    build.write(course.text, text)
    build.write(course.source, build.dumps(made))


def test_the_same_text_gives_the_same_bytes(course):
    update(course)
    first = course.source.read_bytes()
    course.source.unlink()
    update(course)
    assert course.source.read_bytes() == first


def test_an_edit_in_jupyterlab_is_carried_back_into_the_text(course):
    update(course)
    edit(course.source, "x = 1", "x = 2")
    update(course)
    assert "x = 2" in course.text.read_text() and "# Hello" in course.text.read_text()
    assert "x = 2" in course.source.read_text()


def test_an_edit_of_the_text_reaches_the_notebook(course):
    update(course)
    edit(course.text, "Hello", "Welcome")
    update(course)
    assert "Welcome" in course.source.read_text()


def test_edits_on_both_sides_are_refused_and_nothing_is_lost(course):
    update(course)
    edit(course.source, "x = 1", "x = 2")
    edit(course.text, "Hello", "Welcome")
    with pytest.raises(build.BuildError, match=r"Both .* have changed"):
        update(course)
    assert "x = 2" in course.source.read_text() and "Welcome" in course.text.read_text()


def test_a_broken_source_notebook_gets_a_sentence(course):
    course.source.write_text("{")
    with pytest.raises(build.BuildError, match="cannot be read"):
        update(course)


def test_one_number_changed_in_the_workshops_notebook_changes_one_line_of_its_text():
    """All blank lines stay, and points that follow from the checks are not written into the text."""
    text, points = TEXT.read_text(encoding="utf-8"), gate.points_of(tests.ASSIGNMENT)
    edited = notebook(SOURCE / "workshop.ipynb")
    assert build.carry_back(edited, text, points) == text
    cell = next(cell for cell in edited.cells if cell.cell_type == "code" and re.search(r"\d+\.\d+", cell.source))
    number = re.search(r"\d+\.\d+", cell.source)[0]
    cell.source = cell.source.replace(number, "0.123", 1)
    lines, made = text.split("\n"), build.carry_back(edited, text, points).split("\n")
    assert len(made) == len(lines) and sum(one != other for one, other in zip(lines, made, strict=True)) == 1


def test_cells_put_in_and_taken_out_leave_the_others_as_they_are():
    text, points = TEXT.read_text(encoding="utf-8"), gate.points_of(tests.ASSIGNMENT)
    edited = notebook(SOURCE / "workshop.ipynb")
    at = next(number for number, cell in enumerate(edited.cells) if cell.cell_type == "code") + 1
    edited.cells.insert(at, nbformat.v4.new_code_cell("def double(x):\n    return 2 * x"))
    made = build.carry_back(edited, text, points)
    assert made.replace("# %%\ndef double(x):\n    return 2 * x\n\n", "", 1) == text
    del edited.cells[at]
    gone = edited.cells.pop()
    made = build.carry_back(edited, text, points)
    assert text.startswith(made.rstrip("\n")) and gone.source[:30] not in made


def everything(course: Path) -> dict[Path, bytes]:
    """All files of a course, but for what Python and nbgrader leave behind."""
    return {
        path.relative_to(course): path.read_bytes()
        for path in sorted(course.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_json_of_generated_notebooks_is_valid_nbformat():
    for path in GENERATED:
        nbformat.validate(json.loads(path.read_text(encoding="utf-8")))


def test_a_notebook_somebody_worked_in_is_set_aside(course):
    course.release.mkdir(parents=True)
    (course.release / "tiny.ipynb").write_text("released")
    for work in (b"mine", b"mine too"):
        course.top.write_bytes(work)
        for path, content in build.set_aside(course, b"new").items():
            path.write_bytes(content)
    for work in (b"released", b"new"):
        course.top.write_bytes(work)
        assert build.set_aside(course, b"new") == {}
    assert [path.read_text() for path in sorted(course.root.glob("tiny-mine-*"))] == ["mine", "mine too"]


def test_an_authors_own_files_beside_the_source_notebook_are_kept(tmp_path):
    (tmp_path / "picture.png").write_text("the author's")
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "old.py").write_text("from an earlier build")
    build.copy_support(build.Course("workshop"), tmp_path)
    assert (tmp_path / "picture.png").exists()
    assert (tmp_path / "tests.py").exists() and (tmp_path / "checks" / "section.py").exists()
    assert not (tmp_path / "checks" / "old.py").exists()


def test_files_are_written_all_or_none(tmp_path):
    (tmp_path / "old").write_text("old")
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "file").write_text("there")
    wanted = {tmp_path / "old": b"new", tmp_path / "gone" / "file": None, tmp_path / "made" / "file": b"made"}
    before = everything(tmp_path)

    def fails() -> None:
        assert everything(tmp_path) == {Path("old"): b"new", Path("made/file"): b"made"}
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        build.change(wanted, fails)
    assert everything(tmp_path) == before and not (tmp_path / "made").exists()
    build.change(wanted, lambda: None)
    assert not (tmp_path / "gone").exists()


def test_what_is_made_of_other_assignments_is_staged_and_no_older_file_of_that_name(tmp_path):
    for name, builds_on in (("first", ""), ("second", 'builds_on = ["first"]')):
        folder = tmp_path / "source" / name
        (folder / "author").mkdir(parents=True)
        (folder / name).mkdir()
        (folder / "assignment.toml").write_text(f'title = "{name}"\n{builds_on}\n')
    (tmp_path / "source" / "first" / "author" / "text.py").write_text("x = 1\n")
    made = "def made(source):\n    return {'data/library.py': (source / 'first' / 'author' / 'text.py').read_bytes()}\n"
    (folder / "author" / "made.py").write_text(made)
    (folder / "data").mkdir()
    (folder / "data" / "library.py").write_text("x = 0\n")
    first, second = (build.Course(name, tmp_path) for name in ("first", "second"))
    assert build.made_of_others(first) == {} and build.made_of_others(second) == {"data/library.py": b"x = 1\n"}
    staged = build.stage(second, nbformat.v4.new_notebook(), tmp_path / "scratch")
    assert (staged.folder / "data" / "library.py").read_text() == "x = 1\n"
    assert not (staged.folder / "author").exists()
    edited = build.text_to_notebook("# %%\nx = 1")
    edited.cells[0].source = "x = 2"
    first.source.write_text(build.dumps(edited))
    with pytest.raises(build.BuildError, match=r"has edits that its text has not: first run .*build\.py first"):
        build.made_of_others(second)
    first.source.unlink()
    (second.folder / "author" / "made.py").write_text("def made(source):\n    return 1 / 0\n")
    with pytest.raises(build.BuildError, match=r"made\.py fails: ZeroDivisionError"):
        build.made_of_others(second)


# ---------------------------------------------------------------- nothing of the authors' reaches a learner


@pytest.mark.parametrize("name", build.assignments())
def test_nothing_of_the_authors_reaches_a_release(name):
    """No file below author/, and no line of a solution that is not given to learners elsewhere."""
    kept = {path.read_bytes() for path in (ROOT / "source" / name / "author").rglob("*") if path.is_file()}
    released = [ROOT / path for path in tracked(Path("release", name))]
    for path in released:
        assert "author" not in path.parts
        assert path.stat().st_size == 0 or path.read_bytes() not in kept, path
    text = build.Course(name).text.read_text(encoding="utf-8")
    given, shown = REGION.sub("", text), (ROOT / "release" / name / f"{name}.ipynb").read_text(encoding="utf-8")
    regions = [region.group(0) for region in REGION.finditer(text)]
    lines = {line.strip() for region in regions for line in region.split("\n")}
    secret = [line for line in lines if len(line) > 15 and "SOLUTION" not in line and line not in given]
    assert regions and secret
    for line in secret:
        assert json.dumps(line, ensure_ascii=False)[1:-1] not in shown, line
