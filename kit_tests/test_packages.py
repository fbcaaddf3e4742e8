"""What is installed is what is written down: ranges for people, locks with hashes for `make`, a list for tools."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from checks import facts
from grading import worker

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {"requirements.txt": "requirements.lock", "requirements-test.txt": "requirements-test.lock"}
PYTHONS = ("3.11", "3.12", "3.13")


def ranges(name: str) -> list[Requirement]:
    """What a file of ranges asks for, with the files that it takes in."""
    lines = [line.partition(" #")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    found = [Requirement(line) for line in lines if line and not line.startswith(("#", "-r"))]
    return found + [one for line in lines if line.startswith("-r ") for one in ranges(line[3:])]


def pins(name: str) -> list[tuple[Requirement, list[str]]]:
    """The pins of a lock, each with the hashes of its files."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    found = []
    for line in text.splitlines():
        if not line.startswith("#"):
            pin, *hashes = re.split(r"\s+--hash=", line.strip())
            found.append((Requirement(pin), hashes))
    return found


def here(marker: Marker | None, python: str | None = None) -> bool:
    version = {"python_version": python, "python_full_version": f"{python}.0"} if python else {}
    return marker is None or marker.evaluate({"extra": "", **version})


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_what_its_ranges_ask_for_once_for_each_python(name, python):
    pinned = [(canonicalize_name(pin.name), pin) for pin, _ in pins(LOCKS[name]) if here(pin.marker, python)]
    assert len(dict(pinned)) == len(pinned)
    for wanted in ranges(name):
        assert re.fullmatch(r"==[^,*]+", str(dict(pinned)[canonicalize_name(wanted.name)].specifier))
        version = str(dict(pinned)[canonicalize_name(wanted.name)].specifier)[2:]
        assert wanted.specifier.contains(version), f"{wanted.name} {version} is no {wanted.specifier}: make lock"


@pytest.mark.parametrize("lock", LOCKS.values())
def test_every_pin_has_hashes_and_no_place_to_load_it_from(lock):
    for pin, hashes in pins(lock):
        assert hashes and all(re.fullmatch("sha256:[0-9a-f]{64}", one) for one in hashes), pin.name
        assert pin.url is None
    assert "://" not in (ROOT / lock).read_text(encoding="utf-8")


def test_a_learner_installs_what_a_learners_folder_uses_and_nothing_of_graders_and_authors():
    own = ranges("release/workshop/requirements.txt")
    assert own == ranges("requirements.txt")[: len(own)]
    assert not {"nbgrader", "bleach", "jupytext", "ruff", "pytest-xdist"} & {one.name for one in own}
    optional = facts.read(ROOT / "release" / "workshop").optional
    assert optional == ("torch", "torchvision") and not {*optional} & {one.name for one in own}
    installed = worker.packages(str(one) for one in own)
    providers = importlib.metadata.packages_distributions()
    folder = ROOT / "release" / "workshop"
    files = [path for path in folder.rglob("*.py") if "__pycache__" not in path.parts]
    trees = [node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    imported = {alias.name for node in trees if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in trees if isinstance(node, ast.ImportFrom)}
    packages = {name.partition(".")[0] for name in imported} - {*sys.stdlib_module_names, "checks", "tests", "workshop"}
    assert {"numpy", "torch", "matplotlib", "pytest", "IPython"} <= packages
    for package in packages - {*optional}:
        assert {canonicalize_name(name) for name in providers[package]} & installed.keys(), package


def test_who_tests_has_all_that_who_grades_has():
    graded, tested = (
        {(pin.name, str(pin.specifier), *hashes) for pin, hashes in pins(lock)} for lock in LOCKS.values()
    )
    assert graded <= tested


def test_the_list_of_packages_is_that_of_the_lock():
    document = json.loads((ROOT / "packages.cdx.json").read_text(encoding="utf-8"))
    assert document["bomFormat"] == "CycloneDX"
    listed = [(part["name"], part["version"]) for part in document["components"]]
    assert sorted(listed) == sorted((pin.name, str(pin.specifier)[2:]) for pin, _ in pins("requirements-test.lock"))


def test_what_is_installed_is_what_the_lock_says():
    other = {
        pin.name: importlib.metadata.version(pin.name)
        for pin, _ in pins("requirements-test.lock")
        if here(pin.marker) and not pin.specifier.contains(importlib.metadata.version(pin.name))
    }
    assert other == {}, "make test"


def test_what_no_verdict_depends_on_is_not_loaded_by_what_judges():
    loaded = "import sys; from grading import execute, worker; print(*[m for m in sys.modules if 'grading.' in m])"
    done = subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True)
    names = {f"{name.rpartition('.')[2]}.py" for name in done.stdout.split()}
    assert {"worker.py", "judge.py"} <= names and not names & worker.DESK
    assert all((ROOT / "grading" / name).exists() for name in worker.DESK)


@pytest.mark.parametrize("package", ["torch", "numpy", "bleach", "nbconvert", "pyzmq", "mistune", "pygments", "jinja2"])
def test_another_version_of_what_a_verdict_or_a_page_is_made_with_is_another_kit(package, monkeypatch):
    distribution = importlib.metadata.distribution

    class Newer:
        def __init__(self, old: importlib.metadata.Distribution) -> None:
            self.version, self.requires = f"{old.version}.1", old.requires

    before = worker.kit.__wrapped__("workshop")
    assert before == worker.kit("workshop")
    monkeypatch.setattr(
        importlib.metadata,
        "distribution",
        lambda name: Newer(distribution(name)) if canonicalize_name(name) == package else distribution(name),
    )
    assert worker.kit.__wrapped__("workshop") != before


def test_a_pin_has_the_extras_that_others_ask_of_it():
    """Else pip, where every file needs its hash, takes what is asked for as something that is not pinned."""
    pinned = {canonicalize_name(pin.name): pin for pin, _ in pins("requirements-test.lock") if here(pin.marker)}
    asked = [Requirement(one) for name in pinned for one in importlib.metadata.requires(name) or []]
    some = [one for one in asked if one.extras and here(one.marker)]
    assert some
    for one in some:
        assert one.extras <= pinned[canonicalize_name(one.name)].extras, one
