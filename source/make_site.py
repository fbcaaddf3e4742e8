"""The course in a browser: a folder of plain files that any web server serves, and no other host is asked for anything.

    make site                            into site/, Pyodide from where its release lies
    make site PYODIDE=folder             from a folder that holds the files of that release, or from another address
    make site ASSIGNMENTS="workshop"     not every assignment: a later one may hold what solves an earlier one

JupyterLite is the notebook, Pyodide the Python in it. Which files of Pyodide's release are taken is written down with
their hashes, and so is which wheels of other packages: nothing else gets into the site. In it lie the release of every
assignment as learners get it, and a page to begin with. This runs in an environment of its own, requirements-site.lock.

    python source/make_site.py --pin --pyodide ADDRESS    write down the hashes of another release
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jinja2

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.dont_write_bytecode = True  # a folder __pycache__ in source/ would be an assignment to formgrader

from checks import facts  # noqa: E402

OWN = ROOT / "source" / ".site"  # the start page, settings, the list of hashes
PINNED = OWN / "pyodide.sha256"
REQUIREMENTS = ROOT / "requirements-site.lock"
EXTENSION = Path(sys.prefix, "share", "jupyter", "labextensions", "@jupyterlite", "pyodide-kernel-extension")
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"
LOCK = "pyodide-lock.json"  # Pyodide's list of its packages, with the hash of each
RUNTIME = ("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", LOCK)
KERNELS = ("ssl", "sqlite3", "jedi", "ipython", "micropip")  # what the kernel installs of Pyodide's when it starts
COMES_WITH_IT = ("piplite", "pyodide_kernel", "ipykernel")  # wheels that lie in its package
FROM_INDEX = ("comm", "tqdm")  # wheels of requirements-site.txt
# Compiled modules go where no learner sees them: each file in the folder of the notebook takes a while to write.
ENVIRONMENT = {"HOME": "/home/pyodide", "PYTHONPYCACHEPREFIX": "/tmp/pycache"}
APPS = ("notebooks", "tree", "lab")
# JupyterLite gives a downloaded notebook its path for a name, of which browsers make folder_name.ipynb.
DOWNLOADS = (b"(t.path,t.path)", b'(t.path,t.path.split("/").pop())')
NEITHER = ("__pycache__", "*.pyc", ".ipynb_checkpoints")


class SiteError(Exception):
    """The site cannot be built: what is wrong, and what to do. An earlier one is as it was."""


def pinned() -> tuple[str, dict[str, str]]:
    """Pyodide's version, and of its files that are taken the hashes, by name."""
    first, *lines = PINNED.read_text(encoding="utf-8").splitlines()
    return first.split()[-1], {name: digest for digest, name in map(str.split, lines)}


def pin(place: str) -> None:
    """Write down which files of a release are taken, with their hashes: those of wheels stand in its lock file."""
    runtime = {name: read(place, name) for name in RUNTIME}
    lock = json.loads(runtime[LOCK])
    found = {name: sha256(content) for name, content in runtime.items()}
    for name in closure(lock["packages"], [*KERNELS, *needed(lock["packages"])]):
        package = lock["packages"][name]
        found[package["file_name"]] = package["sha256"]
    lines = [f"# of Pyodide {lock['info']['version']}", *(f"{found[name]}  {name}" for name in sorted(found))]
    PINNED.write_text("\n".join([*lines, ""]), encoding="utf-8")


def needed(packages: Mapping[str, Any]) -> list[str]:
    """What the assignments need of the packages that Pyodide has."""
    names = facts.declared(ROOT / "source")
    wanted = {package for name in names for package in facts.read(ROOT / "source" / name).packages}
    return sorted(name for name in wanted if name in packages and name not in FROM_INDEX)


def closure(packages: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Packages with those that they need, by name."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = key(left.pop())
        if name not in found:
            found.add(name)
            left += packages[name]["depends"]
    return sorted(found)


def key(name: str) -> str:
    """A package's key in the lock file."""
    return name.replace("_", "-").lower()


def usual_place() -> str:
    """Where Pyodide's release lies: the address from which the kernel would take it, with our version."""
    schema = json.loads((EXTENSION / "static" / "schema" / "kernel.v0.schema.json").read_text(encoding="utf-8"))
    folder = schema["properties"]["pyodideUrl"]["default"].rpartition("/")[0]
    return re.sub(r"/v\d[^/]*", f"/v{pinned()[0]}", folder)


def read(place: str, name: str) -> bytes:
    """A file of Pyodide's release, out of a folder or from an address."""
    if not re.match("https?://", place):
        return Path(place, name).read_bytes()
    with urllib.request.urlopen(f"{place.rstrip('/')}/{name}", timeout=60) as answer:
        return answer.read()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def bring(place: str, folder: Path, earlier: Path) -> None:
    """Pyodide's files, each as it was written down; out of the earlier site where they lie there.

    Raises:
        SiteError: where one is not to be had, or is another one.
    """
    for name, digest in pinned()[1].items():
        kept = earlier / name
        try:
            content = kept.read_bytes() if kept.is_file() else b""
            if sha256(content) != digest:
                content = read(place, name)
        except OSError as error:
            raise SiteError(f"{name} cannot be had from {place}: {error}. docs/site.md says from where else.") from None
        if sha256(content) != digest:
            raise SiteError(f"{name} from {place} is not the file that {PINNED} lists: its hash is {sha256(content)}.")
        (folder / name).write_bytes(content)


def bring_wheels(folder: Path) -> list[Path]:
    """The wheels that are not Pyodide's: the kernel's own, and those of the package index."""
    pins = re.findall(rf"^(?:{'|'.join(FROM_INDEX)})==(?:.*\\\n)+.*\n", REQUIREMENTS.read_text("utf-8"), re.MULTILINE)
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "pins.txt").write_text("".join(pins), encoding="utf-8")
        options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--only-binary=:all:")
        run("pip", "download", *options, "--dest", scratch, "-r", Path(scratch, "pins.txt"))
        comes = [path for name in COMES_WITH_IT for path in (EXTENSION / "static" / "pypi").glob(f"{name}-*.whl")]
        return [Path(shutil.copy(wheel, folder)) for wheel in [*comes, *Path(scratch).glob("*.whl")]]


def lock_file(pyodides: Mapping[str, Any], ours: Iterable[Path]) -> dict[str, Any]:
    """Pyodide's lock file for what lies beside it: Python in the browser checks each hash again."""
    files = pinned()[1]
    packages = {name: package for name, package in pyodides["packages"].items() if package["file_name"] in files}
    for wheel in ours:
        name, version = wheel.name.split("-")[:2]
        packages[key(name)] = {
            "name": name,
            "version": version,
            "file_name": wheel.name,
            "sha256": sha256(wheel.read_bytes()),
            "imports": [name],
            "depends": [],
            "install_dir": "site",
            "package_type": "package",
            "unvendored_tests": False,
        }
    return pyodides | {"packages": packages}


def bring_releases(names: Iterable[str], folder: Path) -> list[dict[str, str]]:
    """What learners get, of each assignment in a folder of its own; and with which words its notebook begins."""
    source = ROOT / "source"
    found = []
    for name in sorted(names, key=lambda name: len(facts.family(name, source))):  # the one that others build on first
        shutil.copytree(ROOT / "release" / name, folder / name, ignore=shutil.ignore_patterns(*NEITHER))
        cells = json.loads((folder / name / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
        heading, *paragraphs = re.sub("[*`]", "", "".join(cells[0]["source"])).split("\n\n")
        begins = paragraphs[0] if paragraphs else ""
        found.append({"name": name, "heading": heading.lstrip("# "), "begins": begins})
    return found


def build(names: Iterable[str], place: str, to: Path) -> None:
    """Build the site beside the earlier one, then put it in its place.

    Raises:
        SiteError: where it cannot be built.
    """
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=f".{to.name}-") as scratch:
        lite, made = Path(scratch, "lite"), Path(scratch, "site")
        pyodide = lite / "static" / "pyodide"
        pyodide.mkdir(parents=True)
        bring(place, pyodide, to / "static" / "pyodide")
        lock = lock_file(json.loads((pyodide / LOCK).read_text(encoding="utf-8")), bring_wheels(pyodide))
        (pyodide / LOCK).write_text(json.dumps(lock), encoding="utf-8")
        assignments = bring_releases(names, lite / "files")
        options = {"packages": sorted(each["name"] for each in lock["packages"].values()), "env": ENVIRONMENT}
        kernel = {"disablePyPIFallback": True, "loadPyodideOptions": options}
        config = {"appName": "Notebooks", "litePluginSettings": {KERNEL: kernel}}
        settings = {"jupyter-lite-schema-version": 0, "jupyter-config-data": config}
        (lite / "jupyter-lite.json").write_text(json.dumps(settings), encoding="utf-8")
        shutil.copy(OWN / "overrides.json", lite)
        apps = (f"--apps={name}" for name in APPS)
        output = ("--no-sourcemaps", "--contents=files", f"--output-dir={made}")
        run("jupyterlite_core", "build", *apps, *output, cwd=lite)
        own_name(made)
        page = jinja2.Template((OWN / "index.html").read_text(encoding="utf-8"), autoescape=True)
        text = page.render(assignments=assignments, megabytes=round(size_of(pyodide)))
        (made / "index.html").write_text(text, encoding="utf-8")
        if to.exists():
            to.rename(Path(scratch, "earlier"))
        made.rename(to)
    print(f"made {to}, {size_of(to):.0f} MB. To look at it: python -m http.server --directory {to}")


def own_name(made: Path) -> None:
    """Have a downloaded notebook keep its name.

    Raises:
        SiteError: where this JupyterLite has other code.
    """
    scripts = [path for path in made.glob("build/*.js") if DOWNLOADS[0] in path.read_bytes()]
    if len(scripts) != 1:
        raise SiteError(
            f"{len(scripts)} scripts of this JupyterLite name what is downloaded, in place of one: take the version "
            "that requirements-site.lock has, or change DOWNLOADS in source/make_site.py."
        )
    scripts[0].write_bytes(scripts[0].read_bytes().replace(*DOWNLOADS))


def size_of(folder: Path) -> float:
    """In MB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def run(module: str, *options: str | Path, cwd: Path | None = None) -> None:
    """A program of this environment; what it writes is shown only if it fails."""
    command = [sys.executable, "-m", module, *map(str, options)]
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SiteError(f"{module} {options[0]} failed:\n{done.stdout}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the course as a folder that any web server serves.")
    there = facts.declared(ROOT / "source")
    parser.add_argument("assignment", nargs="*", help=f"of {', '.join(there)}: all, without one")
    parser.add_argument("--pyodide", metavar="PLACE", help="folder or address of Pyodide's files")
    parser.add_argument("--to", type=Path, default=ROOT / "site", help="the folder that is made")
    parser.add_argument("--pin", action="store_true", help="instead write down what lies there")
    options = parser.parse_args()
    place = options.pyodide or usual_place()
    names = options.assignment or there
    if unknown := {*names} - {*there}:
        raise SiteError(f"There is no assignment {sorted(unknown)[0]}: they are {', '.join(there)}.")
    if options.pin:
        pin(place)
    else:
        build(names, place, options.to.resolve())


if __name__ == "__main__":
    try:
        main()
    except SiteError as error:
        sys.exit(str(error))
