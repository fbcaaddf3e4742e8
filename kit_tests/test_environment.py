"""The notebook's first cell: what is wrong with an environment or a folder is said in a sentence each."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from kit import ROOT

from checks import environment, facts
from checks.environment import problems
from checks.notebook import code_cells

FACTS = facts.read(ROOT)
FILES = ["tests.py", *FACTS.files, "requirements.txt"]
GOOD = {
    "numpy": "2.4.0",
    "torch": "2.15.0+cpu",
    "torchvision": "0.29.2",
    "matplotlib": "3.10.1",
    "tqdm": "4.67",
    "ipykernel": "7.1.0",
}
NEEDS = {"torchvision": ["numpy", "torch==2.15.0", "gdown>=4.7.3; extra == 'gdown'"]}


@pytest.fixture
def site(tmp_path) -> Path:
    return tmp_path / "site-packages"


def install(site: Path, needs: dict[str, list[str]] = NEEDS, **versions: str | None) -> list[str]:
    """Stand-ins of packages: what each says of itself; None for one that is not there."""
    for name, version in {**GOOD, **versions}.items():
        if version is not None:
            place = site / f"{name}-{version}.dist-info"
            place.mkdir(parents=True)
            lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
            lines += [f"Requires-Dist: {other}" for other in needs.get(name, [])]
            (place / "METADATA").write_text("\n".join(lines) + "\n")
    return [str(site)]


def workshop_folder(parent: Path) -> Path:
    """A folder with what the cell looks for."""
    folder = parent / "workshop"
    (folder / "data").mkdir(parents=True)
    for name in FILES:
        (folder / name).touch()
    return folder


def test_the_versions_that_are_asked_for_pass(site):
    assert set(GOOD) == set(FACTS.packages)
    assert problems(FACTS, ROOT, install(site)) == []


@pytest.mark.parametrize("name", [name for name in FACTS.packages if name not in FACTS.optional])
def test_a_package_that_is_missing(site, name):
    (said,) = problems(FACTS, ROOT, install(site, **{name: None}))
    assert said.startswith(f"{name} is not installed in this kernel's Python") and environment.INSTALL in said


def test_packages_that_no_test_needs_are_told_when_all_is_well(site):
    path = install(site, torch=None, torchvision=None)
    assert problems(FACTS, ROOT, path) == []
    said = environment.without(FACTS, ROOT, path)
    assert said.startswith("torch and torchvision are not installed, and no test needs them")
    assert said.endswith('python -m pip install "torch<2.16,>=2.15" "torchvision<0.30,>=0.29.2"')
    assert environment.without(FACTS, ROOT, install(site.with_name("whole"))) == ""


def test_an_empty_environment_is_one_sentence(site):
    (said,) = problems(FACTS, ROOT, install(site, **dict.fromkeys(FACTS.packages)))
    assert said.startswith("numpy, matplotlib, tqdm and ipykernel are")


@pytest.mark.parametrize("name", FACTS.packages)
def test_a_package_that_is_too_old(site, name):
    needs = NEEDS if name != "torch" else {"torchvision": ["torch"]}
    (said,) = problems(FACTS, ROOT, install(site, needs, **{name: "0.1"}))
    assert re.match(rf"{name} 0\.1 is installed, and the notebook needs {name}[<>=]", said) and "pip install" in said


def test_torchvision_that_was_built_for_another_torch(site):
    (said,) = problems(FACTS, ROOT, install(site, {"torchvision": ["torch==2.15.1"]}))
    assert "torchvision 0.29.2 was built for torch==2.15.1, and torch 2.15.0+cpu is installed" in said


def test_colab_runs_on_versions_of_its_own(site):
    path = install(site, **{"google_colab": "1.0.0", "tqdm": None, "torch": "2.11.0+cpu", "ipykernel": "6.17.1"})
    (said,) = problems(FACTS, ROOT, path)
    assert said == 'tqdm is not installed in this kernel\'s Python: in a cell run %pip install "tqdm<5,>=4.66"'


def test_in_a_browser_versions_are_its_own_and_nothing_of_pytorch_is_to_be_added(site, monkeypatch):
    monkeypatch.setattr(environment, "IN_BROWSER", True)
    path = install(site, torch=None, torchvision=None, ipykernel=None, matplotlib="3.8.4")
    assert problems(FACTS, ROOT, path) == []
    assert environment.without(FACTS, ROOT, path).endswith("are left out.")
    (said,) = problems(FACTS, ROOT, install(site.with_name("more"), tqdm=None))
    assert said.endswith('in a cell run %pip install "tqdm<5,>=4.66"')


def test_versions_of_what_is_optional_stand_in_comments(site, tmp_path):
    text = (ROOT / "release" / "workshop" / "requirements.txt").read_text(encoding="utf-8")
    assert "\n# torch>=" in text and "\ntorch" not in text
    folder = workshop_folder(tmp_path)
    (folder / "requirements.txt").write_text(text, encoding="utf-8")
    assert "torch<2.16,>=2.15" in environment.without(FACTS, folder, install(site, torch=None))
    (said,) = problems(FACTS, folder, install(site.with_name("old"), {}, torch="2.1.0"))
    assert said.endswith('run python -m pip install "torch<2.16,>=2.15".')


def test_cells_that_use_what_is_absent_are_left_out_and_what_they_would_make_is_absent_too(capsys):
    names = {"torch": environment.Absent("PyTorch"), "a": 1}
    leaves_out = environment.LeavesOut(names)

    def run(code):
        exec(compile(ast.fix_missing_locations(leaves_out.visit(ast.parse(code))), "<cell>", "exec"), names)
        return capsys.readouterr().out

    left_out = "This cell shows something with PyTorch, and is left out: no test needs it.\n"
    assert run("a = torch.ones(2)\nb = a + 1") == left_out
    assert run("class Model(torch.nn.Module):\n    pass") == left_out
    assert run("def train(model):\n    return Model(), torch") == left_out
    assert run("print(a)") == "1\n"
    assert run("print(b)") == run("import math\ntrain(Model())") == left_out
    assert run("def f(torch):\n    return torch\nb = 2\nprint(b, f(3), [a for torch in 'x'])") == "2 3 [1]\n"
    with pytest.raises(ImportError, match="PyTorch cannot be imported here"):
        names["torch"].nn  # noqa: B018


def test_another_module_named_tests(site, monkeypatch):
    monkeypatch.setitem(sys.modules, "tests", SimpleNamespace(__file__="/elsewhere/tests/__init__.py"))
    (said,) = problems(FACTS, ROOT, install(site))
    assert said.startswith("Another module named tests was imported already (/elsewhere/tests/__init__.py): restart")


def test_of_an_old_python_only_its_age_is_said(site, tmp_path):
    (said,) = problems(FACTS, tmp_path, [str(site)], (3, 10, 2))
    assert said.startswith("This is Python 3.10, and the notebook needs 3.11 or newer")


def first_cell(folder: Path, before: str) -> str:
    """What the notebook's first cell prints in a fresh interpreter, in which something was done before."""
    code = before + code_cells(ROOT / "workshop.ipynb")[0]["source"]
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_cell_speaks_also_in_an_old_python():
    old = "import sys; sys.version_info = (3, 9, 18); del sys.stdlib_module_names; sys.modules['packaging'] = None\n"
    said = first_cell(ROOT, old)
    assert (
        said.startswith("The notebook does not run here yet:")
        and "- This is Python 3.9, and the notebook needs 3.11" in said
    )
    for file in ("__init__.py", "environment.py", "facts.py"):  # all that the cell imports of the workshop
        ast.parse((ROOT / "checks" / file).read_text(encoding="utf-8"), feature_version=(3, 8))


def test_without_packaging_no_versions_are_compared_and_it_is_said_to_be_missing():
    said = first_cell(ROOT, "import sys; sys.modules['packaging'] = None\n")
    assert (
        said.startswith("The notebook does not run here yet:")
        and "- packaging is not installed in this kernel's Python: " in said
    )


def test_another_folder(site, tmp_path):
    (said,) = problems(FACTS, tmp_path, install(site))
    assert said.startswith(
        f"The notebook runs in {tmp_path}, where tests.py, data/digits.npz and requirements.txt are missing: keep it"
    )
    assert "missing" in problems(FACTS, tmp_path / "gone", [str(site)])[0]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_missing(site, tmp_path, name):
    folder = workshop_folder(tmp_path)
    path = install(site)
    assert problems(FACTS, folder, path) == []
    (folder / name).unlink()
    (said,) = problems(FACTS, folder, path)
    assert f", where {name} is missing: keep it" in said


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("torch.py", "torch.py beside the notebook hides the package torch"),
        ("numpy/__init__.py", "numpy beside the notebook hides the package numpy"),
        ("random.py", "random.py beside the notebook hides Python's own random"),
        ("tests/__init__.py", "The folder tests beside the notebook hides tests.py"),
    ],
)
def test_what_hides_a_package(site, tmp_path, name, says):
    folder = workshop_folder(tmp_path)
    for harmless in ("conftest.py", "notes.py"):
        (folder / harmless).touch()
    (folder / "tests").mkdir()  # without __init__.py it hides nothing
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).touch()
    (said,) = problems(FACTS, folder, install(site))
    assert said.startswith(says) and said.endswith("give it another name.")


def test_the_cell_says_that_all_is_well_here_and_imports_no_package():
    code = "import sys\nfrom checks.environment import check_setup\ncheck_setup()\n"
    code += "heavy = {'torch', 'torchvision', 'numpy', 'matplotlib', 'jupyterlab', 'nbgrader', 'IPython'}\n"
    code += "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("The set-up is complete: Python 3.") and "torch 2." in done.stdout


def test_the_cell_of_the_notebook_speaks_also_from_another_folder(tmp_path, capsys, monkeypatch, site):
    first = code_cells(ROOT / "workshop.ipynb")[0]
    assert "check_setup" in first["source"] and first["metadata"]["tags"] == ["torch"]
    assert "Open this notebook in the folder it came in" in first_cell(tmp_path, "")
    monkeypatch.chdir(tmp_path)
    environment.check_setup()
    assert capsys.readouterr().out.startswith("The notebook does not run here yet:")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "gives no title"),
        ("title = 3", "title is to be a text"),
        ("title = 'T'\npackage = []", "says 'package', which is none of title, packages,"),
        ("title = 'T'\npackages = 'numpy'", "packages is to be a list of texts"),
        ("title = 'T'\npackages = ['not valid!!']", "'not valid!!', and that is not the name of a package"),
        ("title = 'T'\nhidden = ['torch.nn']", "'torch.nn', and that is not a name to import"),
        ("title = 'T'\nhidden = ['']", "'', and that is not a name to import"),
        ("title = 'T'\nbuilds_on = ['../workshop']", "'../workshop', and that is not the name of an assignment"),
        ("title = 'T'\nfiles = ['/etc/passwd']", "'/etc/passwd', and that is not a file beside the notebook"),
        ("title = 'T'\nfiles = ['data/../../x']", "that is not a file beside the notebook"),
        ("title = ", "cannot be read"),
    ],
)
def test_facts_that_are_none_are_refused_with_a_sentence(tmp_path, text, says):
    (tmp_path / facts.NAME).write_text(text)
    with pytest.raises(ValueError) as raised:
        facts.read(tmp_path)
    assert says in str(raised.value) and str(tmp_path / facts.NAME) in str(raised.value)


def test_a_folder_without_its_facts_is_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(environment, "HERE", tmp_path)
    environment.check_setup()
    assert "A file that came with it is missing or damaged" in capsys.readouterr().out


def test_several_names_are_listed_as_one_speaks():
    said = [environment._are(names) for names in (["numpy"], ["numpy", "torch"], ["numpy", "torch", "torchvision"])]
    assert said == ["numpy is", "numpy and torch are", "numpy, torch and torchvision are"]
