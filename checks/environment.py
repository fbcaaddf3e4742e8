"""The set-up of the notebook, looked at before anything is built on it: a sentence for each thing that is wrong.

Nothing is installed, and no package is imported but `packaging`, which compares versions: what is installed says so
itself. This file is to be read by a Python that is too old as well, down to 3.8: else nobody says that it is.
"""

from __future__ import annotations

import ast
import symtable
import sys
from collections.abc import Sequence
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

from checks.facts import Facts, read

try:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.specifiers import SpecifierSet
except ImportError:  # it comes with others, and is told with those that are missing
    Requirement = None

PYTHON = (3, 11)
INSTALL = "python -m pip install -r requirements.txt"
IN_BROWSER = sys.platform == "emscripten"  # one thread, no signals, and no clock but the one on the wall
HERE = Path(__file__).resolve().parents[1]  # the folder of tests.py


def check_setup() -> None:
    """Say what is wrong with this kernel's environment and folder, and what to do; or that all is well."""
    try:
        facts = read(HERE) if sys.version_info >= PYTHON else Facts("notebook")
        found = problems(facts, Path.cwd(), sys.path)
    except (OSError, ValueError) as error:
        facts = Facts("notebook")
        found = [f"A file that came with it is missing or damaged ({error}): get the whole folder again."]
    if found:
        print("The notebook does not run here yet:\n")
        print("\n".join(f"- {sentence}" for sentence in found))
        print(f"\nThis kernel is {sys.executable}. After a change restart it, and run this cell again.")
        return
    known = {name: _version(name, sys.path) for name in facts.packages}
    versions = [f"{name} {known[name]}" for name in facts.packages[:3] if known[name]]
    print(f"The set-up is complete: {', '.join([f'Python {sys.version.split()[0]}', *versions])}.")
    if said := without(facts, Path.cwd(), sys.path):
        print(said)


def without(facts: Facts, folder: Path, path: Sequence[str]) -> str:
    """What a learner has to know of optional packages that are not there; nothing if all are."""
    missing = [name for name in facts.optional if _version(name, path) is None]
    if not missing:
        return ""
    them = "them" if len(missing) > 1 else "it"
    says = (
        f"{_are(missing)} not installed, and no test needs {them}. Cells that show something with {them} are left out."
    )
    if IN_BROWSER:  # where there are no packages of PyTorch
        return says
    do = _by_name(missing, _requirements(folder) if Requirement else {})
    return f"{says} To add {them} (docs/learner.md says how in little space): python -m pip install {do}"


def _by_name(names: Sequence[str], wanted: dict[str, str]) -> str:
    """What pip is to install, with the versions that are wanted."""
    return " ".join(f'"{name}{wanted.get(name, "")}"' for name in names)


class Absent:
    """Stands for a package that cannot be imported, and for what cells would have made with it."""

    def __init__(self, package: str) -> None:
        self._package = package

    def __getattr__(self, name: str) -> Any:
        raise ImportError(f"{self._package} cannot be imported here. If this only shows what it does, go on below.")


class LeavesOut(ast.NodeTransformer):
    """Leaves out the cells that use what is absent, with a sentence: an error would stop *Run All*.

    Args:
        names: the notebook's.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names

    def visit_Module(self, cell: ast.Module) -> ast.Module:
        try:
            whole = symtable.symtable(ast.unparse(cell), "<cell>", "exec")
        except SyntaxError:  # such as an `await`
            return cell
        made = {symbol.get_name() for symbol in whole.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
        stands = [self.names[name] for name in _globals(whole) - made if isinstance(self.names.get(name), Absent)]
        if not stands:
            return cell
        for name in made:
            self.names.setdefault(name, stands[0])
        package = stands[0]._package
        return ast.parse(f"print('This cell shows something with {package}, and is left out: no test needs it.')")


def _globals(table: symtable.SymbolTable) -> set[str]:
    """The names of the notebook's that are read, also by functions in a cell."""
    found = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced() and symbol.is_global()}
    return found.union(*map(_globals, table.get_children()))


def absent(package: str, error: Exception) -> Absent:
    """Say that an optional package cannot be imported, and give what stands for it: cells that use it are left out."""
    print(f"{package} cannot be imported here ({error}). It only shows what you rebuild: no test needs it.")
    print("Cells that use it are left out, each with a sentence that says so.")
    notebook = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if notebook and not any(isinstance(each, LeavesOut) for each in notebook.ast_transformers):
        notebook.ast_transformers.append(LeavesOut(notebook.user_ns))
    return Absent(package)


def problems(facts: Facts, folder: Path, path: Sequence[str], python: Sequence[int] = sys.version_info) -> list[str]:
    """What is wrong, a sentence each; none if all is well.

    Args:
        facts: of the assignment.
        folder: where the notebook runs.
        path: where Python looks for packages.
        python: the version of Python.
    """
    if tuple(python[:2]) < PYTHON:  # a newer one has packages of its own: what else is wrong here does not matter
        return [
            f"This is Python {python[0]}.{python[1]}, and the notebook needs {PYTHON[0]}.{PYTHON[1]} or newer: make "
            "the environment with a newer Python, and select it as the kernel."
        ]
    found = []
    files = ["tests.py", *facts.files, "requirements.txt"]
    if missing := [name for name in files if not (folder / name).is_file()]:
        found.append(
            f"The notebook runs in {folder}, where {_are(missing)} missing: keep it in its folder with all that came "
            "with it, and open it there."
        )
    return found + _packages(facts, folder, path) + _hidden(facts, folder) + _other_tests()


def _are(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last} are" if others else f"{last} is"


def _packages(facts: Facts, folder: Path, path: Sequence[str]) -> list[str]:
    """Packages that are missing, of another version, or do not belong together."""
    wanted = _requirements(folder) if Requirement else {}
    versions = {name: _version(name, path) for name in facts.packages}
    on_colab = _version("google-colab", path) is not None
    found = []
    given = (
        {*facts.optional, "ipykernel"} if IN_BROWSER else {*facts.optional}
    )  # a browser has a kernel of its own kind
    missing = [name for name, version in versions.items() if version is None and name not in given]
    if Requirement is None:
        missing.append("packaging")
    if missing:
        do = f"select the kernel .venv, or run {INSTALL} in the activated terminal."
        if on_colab or IN_BROWSER:
            do = f"in a cell run %pip install {_by_name(missing, wanted)}"
        found.append(f"{_are(missing)} not installed in this kernel's Python: {do}")
    if on_colab or IN_BROWSER or not Requirement:  # these run on versions of their own, and so does the notebook there
        return found
    for name, version in versions.items():
        if version is not None and name in wanted and not _is_within(version, wanted[name]):
            needs = f"the notebook needs {name}{wanted[name]}"
            do = f"python -m pip install {_by_name([name], wanted)}" if name in facts.optional else INSTALL
            found.append(f"{name} {version} is installed, and {needs}: run {do}.")
    built_for = _needs("torchvision", "torch", path)
    torch = (versions.get("torch") or "").partition("+")[0]
    if built_for and torch and not _is_within(torch, built_for):
        found.append(
            f"torchvision {versions['torchvision']} was built for torch{built_for}, and torch {versions['torch']} is "
            "installed: run python -m pip uninstall torch torchvision, then python -m pip install "
            f"{_by_name(['torch', 'torchvision'], wanted)}."
        )
    return found


def _requirements(folder: Path) -> dict[str, str]:
    """The versions that requirements.txt asks for, by package, also in comments, as of what is optional; none if there
    is no such file."""
    try:
        lines = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        try:
            requirement = Requirement(line.lstrip("# ").partition("#")[0].strip())
        except InvalidRequirement:  # words, an empty line
            continue
        found[requirement.name] = str(requirement.specifier)
    return found


def _distribution(name: str, path: Sequence[str]) -> Distribution | None:
    return next(iter(Distribution.discover(name=name, path=list(path))), None)


def _version(name: str, path: Sequence[str]) -> str | None:
    distribution = _distribution(name, path)
    return distribution.version if distribution else None


def _needs(name: str, other: str, path: Sequence[str]) -> str | None:
    """The versions of another package that a package says it needs."""
    distribution = _distribution(name, path)
    for line in (distribution.requires or []) if distribution else []:
        requirement = Requirement(line)
        if requirement.name == other and requirement.specifier:
            return str(requirement.specifier)
    return None


def _is_within(version: str, versions: str) -> bool:
    return SpecifierSet(versions).contains(version, prereleases=True)


def _other_tests() -> list[str]:
    """The module `tests`, if it is another one than the one here."""
    if "tests" not in sys.modules:
        return []
    place = getattr(sys.modules["tests"], "__file__", None)
    if place and Path(place).resolve() == HERE / "tests.py":
        return []
    where = f" ({place})" if place else ""
    return [f"Another module named tests was imported already{where}: restart the kernel, and run this cell first."]


def _hidden(facts: Facts, folder: Path) -> list[str]:
    """Files and folders beside the notebook that Python would import in place of a package, or of tests.py."""
    found = []
    for place in sorted(folder.iterdir()) if folder.is_dir() else []:
        is_package = place.is_dir() and (place / "__init__.py").is_file()
        name = place.name if is_package else place.stem if place.suffix == ".py" and place.is_file() else ""
        if name in facts.packages or name in sys.stdlib_module_names:
            found.append(
                f"{place.name} beside the notebook hides Python's own {name}: give it another name."
                if name in sys.stdlib_module_names
                else f"{place.name} beside the notebook hides the package {name}: give it another name."
            )
        elif name == "tests" and is_package:
            found.append("The folder tests beside the notebook hides tests.py: give it another name.")
    return found
