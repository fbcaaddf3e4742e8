"""What is generated from source/workshop.py: in sync, without solutions, complete, and runnable from top to bottom."""

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
import nbclient
import nbformat
import pytest

from conftest import ANSWERS, REGION, ROOT, TEXT, authored

TABLE = {
    "setup": None,
    "tensor": None,
    "test_tensor": 40,
    "module": None,
    "test_module": 10,
    "matmul": None,
    "test_matmul": 5,
    "layers": None,
    "test_linear": 10,
    "test_relu": 5,
    "optimizer": None,
    "test_sgd": 8,
    "loss": None,
    "test_mseloss": 8,
    "model": None,
    "test_train": 6,
    "test_model": 8,
}
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
GENERATED = [
    ROOT / "source" / "workshop" / "workshop.ipynb",
    ROOT / "release" / "workshop" / "workshop.ipynb",
    ROOT / "solutions" / "workshop" / "workshop.ipynb",
    ROOT / "workshop.ipynb",
]


def notebook(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory) -> Path:
    """A copy of the course, with everything generated anew there."""
    course = tmp_path_factory.mktemp("course") / "workshop"
    shutil.copytree(
        ROOT,
        course,
        ignore=shutil.ignore_patterns(".git", ".venv", "gradebook.db*", "examples", ".*_cache", "__pycache__"),
    )
    shutil.rmtree(course / "release")
    shutil.rmtree(course / "solutions")
    (course / "workshop.ipynb").unlink()
    subprocess.run([sys.executable, "source/build.py"], cwd=course, check=True, timeout=300)
    return course


def test_generated_files_are_in_sync_and_the_solution_validates(rebuilt):
    committed = [
        path.relative_to(ROOT)
        for path in (ROOT / "release").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and ".ipynb_checkpoints" not in path.parts
    ]
    committed += [path.relative_to(ROOT) for path in GENERATED if "release" not in path.parts]
    assert len(committed) > 15
    for path in committed:
        assert (rebuilt / path).read_bytes() == (ROOT / path).read_bytes(), f"{path} is out of date: make release"
    made = {path.relative_to(rebuilt) for path in (rebuilt / "release").rglob("*") if path.is_file()}
    assert made <= set(committed), f"not committed: {made - set(committed)}"


def test_figures_are_in_sync(tmp_path):
    shutil.copytree(ROOT / "source", tmp_path / "source", ignore=shutil.ignore_patterns("workshop"))
    subprocess.run([sys.executable, "source/figures.py"], cwd=tmp_path, check=True)
    for figure in (ROOT / "figures").glob("*.svg"):
        assert (tmp_path / "figures" / figure.name).read_bytes() == figure.read_bytes()


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: str(path.relative_to(ROOT)))
def test_cells_are_those_of_the_design(path):
    cells = {c.metadata.nbgrader.grade_id: c for c in notebook(path).cells if "nbgrader" in c.metadata}
    assert {name: cell.metadata.nbgrader.get("points") for name, cell in cells.items()} == TABLE
    assert {name: cells[name].source for name in CALLS} == CALLS
    for name, cell in cells.items():
        settings = cell.metadata.nbgrader
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
    names = {path.relative_to(ROOT / "release").parts[1] for path in (ROOT / "release").rglob("*") if path.is_file()}
    assert names == {
        "workshop.ipynb",
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
        "tensor": "MyCrossBackward MyTensor unbroadcast add_deriv sub_deriv mul_deriv div_deriv pow_deriv",
        "module": "Parameter MyModule",
        "matmul": "matmul_deriv matmul",
        "layers": "Linear relu ReLU",
        "optimizer": "SGD",
        "loss": "sum_deriv sum MSELoss",
        "model": "SuperModel",
    }
    for name, wanted in seed.items():
        assert set(wanted.split()) <= definitions(cells[name]).keys()
    signatures = definitions(cells["tensor"]) | definitions(cells["optimizer"])
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
    assert scores(cells) == dict.fromkeys(CALLS, 0)
    reports = [o for c in cells for o in c.outputs if "application/vnd.minitorch.report+json" in o.get("data", {})]
    assert len(reports) == len(CALLS)
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
    assert scores(cells) == {name: points for name, points in TABLE.items() if points}
    printed = "".join(output.get("text", "") for cell in cells for output in cell.outputs)
    accuracy = float(re.search(r"held-out accuracy: ([\d.]+)%", printed).group(1))
    assert accuracy >= 93
    shown = [output["data"] for cell in cells for output in cell.outputs if "data" in output]
    assert not any("image/png" in data for data in shown)  # which would have no alt text
    assert sum("<img alt=" in data.get("text/html", "") for data in shown) == 5
    assert sum("<svg role=" in data.get("text/html", "") for data in shown) == 2


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
def course(tmp_path, monkeypatch) -> Path:
    (tmp_path / "source").mkdir()
    text = tmp_path / "source" / "workshop.py"
    text.write_text("# ---\n# jupyter: {}\n# ---\n\n# %%\nx = 1\n\n# %% [markdown]\n# Hello\n")
    monkeypatch.setattr(build, "TEXT", text)
    monkeypatch.setattr(build, "SOURCE", tmp_path / "source" / "workshop" / "workshop.ipynb")
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


def test_the_same_text_gives_the_same_bytes(course):
    build.update_source()
    first = build.SOURCE.read_bytes()
    build.SOURCE.unlink()
    build.update_source()
    assert build.SOURCE.read_bytes() == first


def test_an_edit_in_jupyterlab_is_carried_back_into_the_text(course):
    build.update_source()
    edit(build.SOURCE, "x = 1", "x = 2")
    build.update_source()
    assert "x = 2" in build.TEXT.read_text() and "# Hello" in build.TEXT.read_text()
    assert "x = 2" in build.SOURCE.read_text()


def test_an_edit_of_the_text_reaches_the_notebook(course):
    build.update_source()
    edit(build.TEXT, "Hello", "Welcome")
    build.update_source()
    assert "Welcome" in build.SOURCE.read_text()


def test_edits_on_both_sides_are_refused_and_nothing_is_lost(course):
    build.update_source()
    edit(build.SOURCE, "x = 1", "x = 2")
    edit(build.TEXT, "Hello", "Welcome")
    with pytest.raises(build.BuildError, match=r"Both .* have changed"):
        build.update_source()
    assert "x = 2" in build.SOURCE.read_text() and "Welcome" in build.TEXT.read_text()


def test_a_broken_source_notebook_gets_a_sentence(course):
    build.SOURCE.parent.mkdir()
    build.SOURCE.write_text("{")
    with pytest.raises(build.BuildError, match="cannot be read"):
        build.update_source()


def test_a_release_that_cannot_be_made_leaves_the_old_one(rebuilt):
    text = rebuilt / "source" / "workshop.py"
    before = (rebuilt / "release" / "workshop" / "workshop.ipynb").read_bytes()
    edit(text, "### END SOLUTION", "### END")
    done = subprocess.run([sys.executable, "source/build.py"], cwd=rebuilt, capture_output=True, text=True)
    assert done.returncode == 1
    assert "nbgrader generate_assignment" in done.stderr
    assert (rebuilt / "release" / "workshop" / "workshop.ipynb").read_bytes() == before


def test_a_solution_that_fails_its_own_tests_stops_the_build(rebuilt):
    text = rebuilt / "source" / "workshop.py"
    text.write_text(TEXT.read_text(encoding="utf-8").replace("base * (x.data > 0)", "base"), encoding="utf-8")
    before = (rebuilt / "solutions" / "workshop" / "workshop.ipynb").read_bytes()
    done = subprocess.run([sys.executable, "source/build.py"], cwd=rebuilt, capture_output=True, text=True)
    assert done.returncode == 1
    assert "The reference solution does not pass" in done.stderr
    assert (rebuilt / "solutions" / "workshop" / "workshop.ipynb").read_bytes() == before


def test_json_of_generated_notebooks_is_valid_nbformat():
    for path in GENERATED:
        nbformat.validate(json.loads(path.read_text(encoding="utf-8")))


def test_a_notebook_somebody_worked_in_is_set_aside(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "RELEASE", tmp_path / "release")
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "workshop.ipynb").write_text("released")
    for work in ("mine", "mine too"):
        (tmp_path / "workshop.ipynb").write_text(work)
        build.set_aside_a_learners_work()
    (tmp_path / "workshop.ipynb").write_text("released")
    build.set_aside_a_learners_work()
    assert [path.read_text() for path in sorted(tmp_path.glob("workshop-mine-*"))] == ["mine", "mine too"]
    assert (tmp_path / "workshop.ipynb").read_text() == "released"


def test_an_authors_own_files_beside_the_source_notebook_are_kept(tmp_path):
    (tmp_path / "picture.png").write_text("the author's")
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "old.py").write_text("from an earlier build")
    build.copy_support(tmp_path)
    assert (tmp_path / "picture.png").exists()
    assert (tmp_path / "tests.py").exists() and (tmp_path / "data" / "digits.npz").exists()
    assert not (tmp_path / "checks" / "old.py").exists()
