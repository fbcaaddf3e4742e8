"""From an author's text to what learners and instructors use: `python source/build.py`, or `make release`.

    source/<assignment>/author/text.py            the one source: jupytext percent format, solutions between markers
      -> source/<assignment>/<assignment>.ipynb   the same as a notebook, which JupyterLab can open and edit
      -> release/<assignment>/                    without solutions (nbgrader generate_assignment)
      -> solutions/<assignment>/                  with solutions (nbgrader generate_solution), which must earn all
      -> <assignment>.ipynb                       the release's notebook, and what it needs, for those who learn alone
      -> the gradebook                            its cells and points

Edits made in the notebook in source/ are carried back into the text. Everything is made and proved in a scratch folder
first: then all of it changes, or nothing does.

    python source/build.py [ASSIGNMENT ...]    all assignments, without one
    python source/build.py --new ASSIGNMENT    begin another one, from a small example that is complete
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import functools
import hashlib
import importlib.util
import json
import keyword
import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
# Else there is a folder __pycache__ in source/, which formgrader takes for an assignment.
sys.dont_write_bytecode = True

import gate  # noqa: E402
from gate import BuildError  # noqa: E402

from checks import facts  # noqa: E402
from checks.assignment import Assignment  # noqa: E402

# What a learner's folder holds beside what lies in source/<assignment>/.
SUPPORT = ["conftest.py", "requirements.txt", "checks/*.py"]
EVERYBODYS = ("numpy", "ipykernel", "jupyterlab", "pytest")  # packages that checks and notebooks need
AUTHORS = "author"  # the folder that no learner gets
MADE = "made.py"  # in it: what lies beside the notebook and is made of other assignments, where there is such
TEMPLATE = ".template/NAME"  # of an assignment: nbgrader takes every folder in source/ for one that shows
NOT_RELEASED = ("__pycache__", "*.pyc", ".ipynb_checkpoints", "*.new")
RESERVED = {"author", "checks", "data", "docs", "figures", "tests"}  # names that a package cannot have
PAGE = "learner.md"  # for learners: in author/ what an assignment has to say, in source/.template/ all else
PLACE = re.compile(r"^( *)<!-- (\S+) -->\n(.*?)^ *<!-- / -->\n", re.MULTILINE | re.DOTALL)  # for an assignment's words
PARTS = {"checks", "docs"}  # the folders of what lies beside each notebook
NOT_THE_LEARNERS = b"# ---- for instructors and authors"  # begins the rest of requirements.txt
SPACE = "lines_to_next_cell"  # jupytext's note of blank lines, where they are not those that it would write
STAMP = "minitorch"  # the notebook metadata that tells whether somebody edited the generated notebook
# Lines of nbgrader's log that say nothing. Of tracebacks, which it indents by four, the last line says something.
NOISE = re.compile(
    r"\| (INFO|DEBUG)\]|^ {5}|^ *$|Traceback|During handling of|\] Removing|There was an error process|Please see the"
)
TESTS = '''\
"""What the notebook beside this file imports: its tests, which are in {place}."""
{path}
from {assignment}.tests import *{noqa}
'''
HERE = """
import sys
from pathlib import Path

for name in {names}:
    sys.path.append(str(Path(__file__).parent / "source" / name))
"""


class Course:
    """Where one assignment's files lie.

    Raises:
        BuildError: where there is no such assignment, or its facts cannot be read.
    """

    def __init__(self, assignment: str, root: Path = ROOT) -> None:
        self.assignment, self.root = assignment, root
        self.folder = root / "source" / assignment
        self.text = self.folder / AUTHORS / "text.py"
        self.tests = self.folder / assignment / "tests.py"
        self.source = self.folder / f"{assignment}.ipynb"
        self.release = root / "release" / assignment
        self.solution = root / "solutions" / assignment / f"{assignment}.ipynb"
        self.top = root / f"{assignment}.ipynb"
        with _sentences(root):
            self.facts = facts.read(self.folder)

    def family(self) -> list[Course]:
        """This assignment and those that it builds on, which come first.

        Raises:
            BuildError: where one of them is not there, or they build on one another.
        """
        with _sentences(self.root):
            names = [*facts.family(self.assignment, self.folder.parent)]
        return [Course(name, self.root) for name in names]


def assignments(root: Path = ROOT) -> list[str]:
    """The names of all assignments."""
    return facts.declared(root / "source")


@contextlib.contextmanager
def _sentences(root: Path) -> Iterator[None]:
    """Facts that cannot be read, as a BuildError."""
    try:
        yield
    except FileNotFoundError as error:
        there = ", ".join(assignments(root)) or "none so far"
        raise BuildError(f"There is no {error.filename}: the assignments are {there}.") from None
    except (ValueError, OSError) as error:
        raise BuildError(str(error)) from error


def text_to_notebook(
    text: str, where: Path | str = "the text", points: Mapping[str, float] | None = None
) -> NotebookNode:
    """The authored text as a notebook: the same text gives the same bytes.

    Args:
        where: the text's file, for messages.
        points: of the tests that cells call, by the tests' names.

    Raises:
        BuildError: where two cells cannot be told apart.
    """
    notebook = jupytext.reads(text, fmt="py:percent")
    taken: set[str] = set()
    for cell in notebook.cells:
        cell.metadata.pop(SPACE, None)
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.id = name or "c" + hashlib.sha256(cell.source.encode()).hexdigest()[:10]
        if cell.id in taken:
            raise BuildError(f"{where}: two cells are the same or share a grade_id: {cell.source[:60]!r}")
        taken.add(cell.id)
    gate.fill_points(notebook, points or {})
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        STAMP: {"generated": fingerprint(notebook)},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def fingerprint(notebook: NotebookNode) -> str:
    """A hash of what an author writes: the cells' types, sources, tags and nbgrader settings."""
    kept = ("nbgrader", "tags")
    cells = [
        [cell.cell_type, cell.source, {key: cell.metadata[key] for key in kept if key in cell.metadata}]
        for cell in notebook.cells
    ]
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()


def carry_back(edited: NotebookNode, text: str, points: Mapping[str, float] | None = None) -> str:
    """An edited notebook as authored text; `text` is what it was before, of which all stays that was not edited."""
    notebook = nbformat.from_dict(edited)
    for cell in notebook.cells:
        cell.metadata = {key: cell.metadata[key] for key in ("nbgrader", "tags") if key in cell.metadata}
    gate.without_points(notebook, points or {})
    before = jupytext.reads(text, fmt="py:percent")
    old = _matched(before, notebook)
    for number, cell in enumerate(notebook.cells):
        place = old.get(number)
        if place is None or old.get(number + 1, len(before.cells)) != place + 1:
            cell.metadata[SPACE] = 1  # in front of another cell than before, where jupytext might write two
        if place is not None and SPACE in before.cells[place].metadata:
            cell.metadata[SPACE] = before.cells[place].metadata[SPACE]
    header = text.split("# ---\n", 2)[1]
    body = jupytext.writes(notebook, fmt="py:percent").split("# ---\n", 2)[-1]
    return f"# ---\n{header}# ---\n{body}"


def _matched(before: NotebookNode, after: NotebookNode) -> dict[int, int]:
    """The numbers of cells in a notebook, and of the same ones in the one before, be it with another text."""
    found: dict[int, int] = {}
    one, other = ([f"{cell.cell_type} {cell.source}" for cell in notebook.cells] for notebook in (before, after))
    for what, start, end, first, last in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if what == "equal" or end - start == last - first:
            found |= zip(range(first, last), range(start, end), strict=True)
    return found


def brought_together(course: Course, points: Mapping[str, float]) -> tuple[str, NotebookNode]:
    """Text and source notebook as they are to be, whichever of the two was edited. Nothing is written.

    Raises:
        BuildError: when both were.
    """
    text, source = course.text, course.source
    try:
        written = text.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BuildError(f"{text} cannot be read: {error}.") from error
    fresh = text_to_notebook(written, text, points)
    if not source.exists():
        return written, fresh
    try:
        notebook = nbformat.read(source, as_version=4)
    except Exception as error:
        raise BuildError(f"{source} cannot be read ({error}). Delete it to make it anew from {text}.") from error
    recorded = notebook.metadata.get(STAMP, {}).get("generated")
    if fingerprint(notebook) == recorded:
        return written, fresh
    # Points may have changed in the checks, which is no edit of the text.
    known = {test: cell.metadata.nbgrader.get("points") for cell in notebook.cells for test in _test_of(cell)}
    if recorded == fingerprint(text_to_notebook(written, text, known)):
        points_then = known
    elif recorded == fingerprint(fresh):
        points_then = points
    else:
        raise BuildError(
            f"Both {text} and {source} have changed. Keep one: `git checkout` the text, or delete the notebook."
        )
    print(f"carrying the edits of {source} back into {text}")
    written = carry_back(notebook, written, points_then)
    return written, text_to_notebook(written, text, points)


def _test_of(cell: NotebookNode) -> list[str]:
    return gate.called(cell) if gate.is_test(cell) else []


def dumps(notebook: NotebookNode) -> str:
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def write(path: Path, text: str | bytes) -> None:
    """Write beside, then rename: a reader never sees half a file. What is there and right is not touched."""
    content = text.encode("utf-8") if isinstance(text, str) else text
    if _holds(path, content):  # somebody may be grading with it
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    beside.write_bytes(content)
    beside.replace(path)


def support(course: Course) -> Iterator[tuple[str, bytes]]:
    """What a learner's folder holds beside what lies in the assignment's own, by name."""
    for file in (file for pattern in SUPPORT for file in sorted(course.root.glob(pattern))):
        content = file.read_bytes()
        if file.name == "requirements.txt":
            content = _needed(content.partition(NOT_THE_LEARNERS)[0].decode().rstrip() + "\n", course).encode()
        yield file.relative_to(course.root).as_posix(), content
    yield f"docs/{PAGE}", guide(course).encode()
    name = course.assignment
    yield "tests.py", TESTS.format(place=f"{name}/", path="", assignment=name, noqa="").encode()


def guide(course: Course) -> str:
    """The page for learners: in some places the assignment's own words, where it has any, in place of the general ones.

    Raises:
        BuildError: for words to which there is no place.
    """
    page, own = (ROOT / "source" / TEMPLATE).with_name(PAGE).read_text(encoding="utf-8"), {}
    if (path := course.folder / AUTHORS / PAGE).exists():
        before, *found = re.split(r"^<!-- *(.*?) *-->\s*?$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        if before.strip():
            raise BuildError(f"{path} begins with words for no place. A line such as <!-- report --> comes first.")
        for key, words in zip(found[::2], found[1::2], strict=True):
            if key != "/":  # which ends a place in the template
                own[key] = words.removeprefix("\n").rstrip() + "\n"
    places = {key for _, key, _ in PLACE.findall(page)}
    if unknown := sorted(own.keys() - places):
        raise BuildError(f"{path} has words for {', '.join(unknown)}: the places are {', '.join(sorted(places))}.")

    def filled(place: re.Match[str]) -> str:
        indent, key, general = place.groups()
        return textwrap.indent(own[key], indent) if key in own else general

    return _named(PLACE.sub(filled, page), course.assignment, course.facts.title)


def _named(text: str, name: str, title: str) -> str:
    """A template's text for an assignment."""
    return re.sub(r"\b(NAME|TITLE)\b", lambda word: {"NAME": name, "TITLE": title}[word[0]], text)


def _needed(requirements: str, course: Course) -> str:
    """Of all requirements those of an assignment; what is optional as a comment, with what is said of it."""
    optional = {*course.facts.optional}
    missing = {*course.facts.packages, *EVERYBODYS}
    needed, later, said = [], [], []
    for line in requirements.splitlines():
        if name := re.match(r"[\w.-]+", line):
            if name[0] in missing:
                missing.remove(name[0])
                needed += [] if name[0] in optional else [line]
                later += [*said, f"# {line}"] if name[0] in optional else []
            said = []
        elif line.startswith("# Python"):
            needed.append(line)
        else:
            said.append(line)
    return "\n".join(
        [*needed, *sorted(missing - optional), *later, *(f"# {name}" for name in sorted(missing & optional)), ""]
    )


def copy_support(course: Course, folder: Path) -> None:
    """Put what the notebook needs beside it, in place of what an earlier build put there."""
    wanted = {folder / name: content for name, content in support(course)}
    for target, content in wanted.items():
        write(target, content)
    for old in (folder / "checks").rglob("*"):  # which is all made; in docs/ there may be an author's own
        if old.is_file() and old not in wanted and not old.name.endswith(".new"):
            old.unlink()


def made_of_others(course: Course) -> dict[str, bytes]:
    """What lies beside the notebook and is made of other assignments, by name; see docs/author.md.

    Raises:
        BuildError: where it cannot be made, or they have edits that are not in their texts yet.
    """
    path = course.folder / AUTHORS / MADE
    if not path.exists():
        return {}
    for other in course.family()[:-1]:
        if other.source.exists():
            notebook = nbformat.read(other.source, as_version=4)
            if fingerprint(notebook) != notebook.metadata.get(STAMP, {}).get("generated"):
                raise BuildError(
                    f"{course.assignment} is made of {other.assignment}, and {other.source} has edits that its text "
                    f"has not: first run python source/build.py {other.assignment}."
                )
    try:
        return runpy.run_path(str(path))["made"](course.folder.parent)
    except Exception as error:
        raise BuildError(f"{path} fails: {type(error).__name__}: {error}.") from error


def stage(course: Course, notebook: NotebookNode, scratch: Path) -> Course:
    """The assignment's folder as learners are to get it, in a course of its own, with the solutions still in it."""
    folder = scratch / "source" / course.assignment
    left_out = shutil.ignore_patterns(AUTHORS, *NOT_RELEASED)
    for one in course.family()[:-1]:  # whose modules are imported: a learner has them, too
        shutil.copytree(one.folder / one.assignment, folder / one.assignment, ignore=left_out)
    shutil.copytree(course.folder, folder, ignore=left_out, dirs_exist_ok=True)
    for name, content in made_of_others(course).items():
        write(folder / name, content)
    copy_support(course, folder)
    staged = Course(course.assignment, scratch)
    write(staged.source, dumps(notebook))
    return staged


def nbgrader(course: Course, *arguments: str) -> None:
    """Run an nbgrader command in the course.

    Raises:
        BuildError: with what it says, when it fails.
    """
    # nbgrader calls `alembic` by name: it lies beside the interpreter.
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=course.root, env=environment, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stdout + done.stderr).splitlines()
        said = "\n".join(line.strip() for line in lines if not NOISE.search(line))
        if "Cannot add or remove cells" in said:
            said = (
                f"The gradebook holds submissions of {course.assignment}, and graded, answered or locked cells "
                "were added, removed or renamed: nbgrader cannot carry that over. Make a new assignment of it, or take "
                f"the submissions out, with all their marks: nbgrader db assignment remove {course.assignment} --force"
            )
        raise BuildError(f"nbgrader {arguments[0]} {arguments[1]} failed:\n{said}")


def generate(course: Course, staged: Course, release: Path, *gradebook: str) -> None:
    """Have nbgrader make the release of what is staged, and write its cells and points into a gradebook.

    Raises:
        BuildError: when it cannot.
    """
    nbgrader(
        course,
        "generate_assignment",
        course.assignment,
        "--force",
        "--ProvedAssignment.proved=True",  # see grading/release.py
        f"--CourseDirectory.source_directory={staged.folder.parent}",
        f"--CourseDirectory.release_directory={release}",
        *gradebook,
    )


def without_outputs(path: Path, metadata: NotebookNode) -> str:
    """A generated notebook without what running it left behind."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata = metadata
    return dumps(notebook)


def proved(course: Course, staged: Course, metadata: NotebookNode) -> None:
    """Make release and solution of what is staged, in its course.

    Raises:
        BuildError: when they cannot be made, or the solution does not earn all points.
    """
    gradebook = f"--db=sqlite:///{staged.root}/gradebook.db"
    print(f"generating the release of {course.assignment} ...", flush=True)
    generate(course, staged, staged.release.parent, gradebook)
    made = staged.release / staged.source.name
    write(made, without_outputs(made, metadata))
    print("generating the solution ...", flush=True)
    nbgrader(
        course,
        "generate_solution",
        course.assignment,
        "--force",
        f"--CourseDirectory.source_directory={staged.folder.parent}",
        f"--CourseDirectory.solution_directory={staged.solution.parents[1]}",
        gradebook,
        "--Execute.enabled=False",
    )
    print("running the solution ...", flush=True)
    gate.earns_all(staged.solution)
    write(staged.solution, without_outputs(staged.solution, metadata))


def files(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, by relative path."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def at_top(course: Course, released: dict[str, bytes]) -> dict[Path, bytes]:
    """The release's notebook, and what it needs beside it, in the course's folder.

    Raises:
        BuildError: where another assignment lies there.
    """
    others = [name for name in assignments(course.root) if Course(name, course.root).facts.at_top]
    if len(others) > 1:
        raise BuildError(f"{', '.join(others)}: only one of them can lie at the top. See at_top in {facts.NAME}.")
    root, name = course.root, course.assignment
    names = [one.assignment for one in course.family()]
    path = HERE.format(names=json.dumps(names))
    text = TESTS.format(place=f"source/{name}/{name}/", path=path, assignment=name, noqa="  # noqa: E402, F403")
    wanted = {root / "tests.py": text.encode()}
    ours = {*dict(support(course))} - {f"docs/{PAGE}"}
    for below, content in released.items():
        if below not in ours and below.split("/")[0] not in names:
            wanted[root / below] = content
    return wanted


def beside_solution(course: Course, released: Mapping[str, bytes]) -> dict[Path, bytes | None]:
    """What a solved notebook needs beside it, in place of what an earlier build put there. Git ignores it."""
    folder = course.solution.parent
    ours = {*PARTS, *(one.assignment for one in course.family())}
    wanted: dict[Path, bytes | None] = {folder / name: None for name in files(folder) if name.split("/")[0] in ours}
    return wanted | {folder / name: content for name, content in released.items() if name != course.source.name}


def set_aside(course: Course, released: bytes) -> dict[Path, bytes]:
    """The notebook that somebody worked in, under another name: people learn alone in the course's folder, too."""
    mine, before = course.top, course.release / course.source.name
    if not (mine.exists() and before.exists()) or mine.read_bytes() in (before.read_bytes(), released):
        return {}
    number = 1
    while (kept := course.root / f"{course.assignment}-mine-{number}.ipynb").exists():
        number += 1
    print(f"{mine.name} held somebody's work: it is now {kept.name}")
    return {kept: mine.read_bytes()}


def change(wanted: Mapping[Path, bytes | None], then: Callable[[], None]) -> None:
    """Write files, or remove them for None, and do what comes then; if any of it fails, all files are as they were."""
    before: dict[Path, bytes | None] = {}
    try:
        for path, content in wanted.items():
            before[path] = path.read_bytes() if path.is_file() else None
            put(path, content)
        then()
    except BaseException:
        for path, content in before.items():
            put(path, content)
        raise


def _holds(path: Path, content: bytes | None) -> bool:
    return (path.read_bytes() if path.is_file() else None) == content


def put(path: Path, content: bytes | None) -> None:
    """Write a file, or remove it, with the folders that are empty then."""
    if content is not None:
        write(path, content)
        return
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if not folder.is_dir() or any(folder.iterdir()):
            break
        folder.rmdir()


def build(names: Sequence[str], db: str | None = None, only_prove: bool = False) -> None:
    """Regenerate everything of some assignments: all are made and proved before anything is changed.

    Args:
        db: nbgrader's name of the gradebook; the one of nbgrader_config.py without it.
        only_prove: change nothing, and refuse what has not been generated yet.

    Raises:
        BuildError: with what to do. Everything is as it was then.
    """
    gradebook = [f"--db={db}"] if db else []
    wanted: dict[Path, bytes | None] = {}
    then: list[Callable[[], None]] = []
    says: list[str] = []
    with contextlib.ExitStack() as stack:
        for course in map(Course, names):
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=course.root, prefix=".build-")))
            declared, text, notebook = agreed(course)
            staged = stage(course, notebook, scratch)
            proved(course, staged, notebook.metadata)
            wanted |= made(course, text, notebook, staged, only_prove)
            # Of what there are submissions to, nbgrader changes nothing but points and texts: no mark is lost.
            then.append(functools.partial(generate, course, staged, scratch / "again", *gradebook))
            points = ", ".join(f"{section.id} {section.points:g}" for section in declared.sections)
            says.append(f"made {course.release} and {course.solution}: {points}, together {declared.points:g} points")
        if only_prove:
            return
        change(wanted, lambda: [each() for each in then])
    for course in map(Course, names):
        copy_support(course, course.folder)
    print("\n".join(says))


def made(
    course: Course, text: str, notebook: NotebookNode, staged: Course, only_prove: bool
) -> dict[Path, bytes | None]:
    """All files that follow from what was proved; None for those that are to go.

    Raises:
        BuildError: where some file of somebody's would be lost, or only proving finds what has not been generated.
    """
    wanted: dict[Path, bytes | None] = {
        course.text: text.encode(),
        course.source: dumps(notebook).encode(),
        course.solution: staged.solution.read_bytes(),
        **{course.folder / name: content for name, content in made_of_others(course).items()},
    }
    released, before = files(staged.release), files(course.release)
    if course.facts.at_top:
        wanted |= at_top(course, released)
    wanted |= {course.release / name: None for name in before.keys() - released.keys()}
    wanted |= {course.release / name: content for name, content in released.items()}
    if only_prove:
        changed = [path for path, content in wanted.items() if not _holds(path, content)]
        if changed:
            raise BuildError(f"{changed[0]} is not what {course.folder} makes of it now: run make release.")
        return wanted
    if course.facts.at_top:
        for name in released.keys() - before.keys():
            if (path := course.root / name) in wanted and path.exists() and not _holds(path, wanted[path]):
                raise BuildError(f"{path} is there already, and {course.folder} has a {name}, too: rename that.")
        wanted |= set_aside(course, released[course.source.name])
    return wanted | beside_solution(course, released)


def agreed(course: Course) -> tuple[Assignment, str, NotebookNode]:
    """What an assignment declares, with text and notebook that agree with it.

    Raises:
        BuildError: where they do not.
    """
    declared = gate.declared(course.assignment, [one.folder for one in course.family()])
    _refuse_titles(course, declared.title)
    text, notebook = brought_together(course, gate.points_of(declared))
    gate.agree(notebook, declared, course.text, course.tests)
    return declared, text, notebook


def _refuse_titles(course: Course, title: str) -> None:
    if title != course.facts.title:
        raise BuildError(
            f"{course.folder / facts.NAME} says title = {course.facts.title!r}, and {course.tests} {title!r}: "
            "write the same in both."
        )
    for other in assignments(course.root):
        if other != course.assignment and Course(other, course.root).facts.title == title:
            raise BuildError(f"{other} has the title {title!r}, too: learners could not tell their points apart.")


def new(name: str, root: Path = ROOT) -> Path:
    """Begin an assignment: its folder, made from the template.

    Raises:
        BuildError: for a name that it cannot have. Nothing is written then.
    """
    folder, template = root / "source" / name, ROOT / "source" / TEMPLATE
    if not (name.isascii() and name.isidentifier()) or keyword.iskeyword(name):
        raise BuildError(
            f"{name!r} cannot be the name of a Python package: take letters, digits and _, as in my_course."
        )
    if name in RESERVED:
        raise BuildError(f"{name!r} cannot be the name: {', '.join(sorted(RESERVED))} lie beside each notebook.")
    if folder.exists():
        raise BuildError(f"There is a {folder} already.")
    if name in sys.stdlib_module_names or importlib.util.find_spec(name):
        raise BuildError(f"Python has a module {name} already, which would be imported instead: choose another name.")
    title = name.replace("_", " ").strip().capitalize() or name
    with tempfile.TemporaryDirectory(dir=root, prefix=".build-") as scratch:
        for path, content in files(template).items():
            write(Path(scratch, "new", re.sub(r"\bNAME\b", name, path)), _named(content.decode(), name, title))
        Path(scratch, "new").rename(folder)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description="Generate releases and solutions from source/.")
    parser.add_argument("assignment", nargs="*", help="all, without one")
    parser.add_argument("--new", metavar="NAME", help="begin another assignment")
    parser.add_argument("--support", action="store_true", help="only put tests.py and the like beside the notebooks")
    parser.add_argument("--prove", action="store_true", help="only prove them, and change nothing")
    parser.add_argument("--db", help="the gradebook (nbgrader's db_url)")
    options = parser.parse_args()
    if options.new:
        folder = new(options.new)
        print(f"made {folder}. Next: python source/build.py {options.new}")
        return
    names = options.assignment or assignments()
    if options.support:
        for course in map(Course, names):
            copy_support(course, course.folder)
    else:
        build(names, options.db, options.prove)


if __name__ == "__main__":
    try:
        main()
    except BuildError as error:
        sys.exit(str(error))
