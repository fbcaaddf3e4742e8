"""README and docs: examples run, links resolve, nothing of a machine or a person in the project."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from kit import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "data" / "README.md", *(ROOT / "docs").glob("*.md")])


def test_the_pages_are_there():
    assert {"README.md", "learner.md", "instructor.md", "developer.md"} <= {page.name for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_examples_run_from_the_root(page):
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    if blocks:
        done = subprocess.run([sys.executable, "-c", "\n".join(blocks)], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_pictures_resolve(page):
    for bang, text, target in re.findall(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if bang:
            assert len(text) > 20, f"{target} has no alt text"
        if not target.startswith("https://"):
            path, _, anchor = target.partition("#")
            linked = (page.parent / path) if path else page
            assert linked.exists(), target
            if anchor:
                headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
                slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
                assert anchor in slugs, target


def test_the_commands_of_the_readme_are_those_of_the_makefile():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "make grade" in text and "make test" in text
    for command in ("source/build.py", "source/make_class.py", "-m grading sample", "-m pytest"):
        assert command in text and command in makefile
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_versions_that_are_typed_are_those_of_the_requirements():
    wanted = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    typed = []
    for page in [*PAGES, ROOT / "source" / "workshop" / "author" / "text.py"]:
        typed += re.findall(r'"((?:torch|torchvision)[<>=][^"]*)"', page.read_text(encoding="utf-8"))
    assert {re.match(r"\w+", each)[0] for each in typed} == {"torch", "torchvision"} and set(typed) <= set(wanted)


def test_no_path_of_a_machine_and_no_registry_host_in_the_project():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    forbidden = re.compile("|".join(["/" + "root/", "/" + "work/", "pypi" + r"\.org", "files\\.python" + "hosted"]))
    for name in tracked.stdout.split("\n"):
        path = ROOT / name
        if name and path.is_file() and path.suffix not in {".png", ".npz"}:
            assert not forbidden.search(path.read_text(encoding="utf-8")), name
