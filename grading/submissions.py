"""From what a learner handed in to a notebook that can be graded, whatever was handed in.

The result has every cell of the course's own notebook that counts, in the course's order, with the learner's answers
and other cells between them. All else that a submission says (metadata, outputs, kernel, points) is left behind.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import io
import itertools
import os
import re
import stat
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from checks.notebook import TEST_CALL, is_no_work, nbgrader_mark
from checks.reading import REGION, Unusable, cells_of, shown_name
from grading import outputs
from grading.budget import Budget
from grading.images import Unfit

# Beside the notebooks of a submission, from an instructor or a program:
TIMESTAMP = "timestamp.txt"  # when it was handed in
SECRET = "submission_secret.txt"  # what nbgrader's exchange needs to hand feedback out
ABOUT = ".collected.json"  # what is known of it; grading passes by what begins with a dot
NOTES = "grading-notes"  # the id of the cell with the remarks
OWN = "own"  # how the ids of cells begin that are the learner's, and so in none of the course's places
LARGEST_FILE = 100 << 20  # bytes of a notebook file
MOST_FILES = 10_000  # of a submission, that are looked at when the notebook is not where it should be
DEEPEST = 8  # folders in folders
MOST_ARCHIVES = 5  # zip files that are looked into
MOST_ENTRIES = 50_000  # of a zip file
MOST_RATIO = 200  # of an entry's size to the packed one's
ANY_RATIO = 1 << 20  # bytes, up to which it may be more
MOST_TRIED = 10  # files whose name says nothing, and which are read to see whether they are notebooks
MOST_LISTED = 5  # names in a sentence
# Of the cells that are the learner's own, and so in none of the course's places:
MOST_OWN = 1000
LARGEST_OWN = 5_000_000  # characters of all together
LARGEST_ATTACHED = 8 << 20  # characters, in base64, of all pictures that are attached to cells
ATTACHED_SHARE = 0.5  # of the grader's own time for a notebook: its work is judged, whatever is attached to it
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
ZIP = b"PK\3\4"  # how one begins
# In the name of a file. More may follow, as in x.ipynb.txt.
NOTEBOOK = re.compile(r"\.ipynb(?![a-z0-9])", re.IGNORECASE)
DEFINITION = re.compile(r"^([ \t]*)(?:class|def)[ \t]+(\w+)", re.MULTILINE)


@dataclass
class Submission:
    """What was handed in, as far as it can be used.

    Attributes:
        cells: plain cells: cell_type "code", "markdown" or "raw", source, metadata, id, attachments.
        remarks: what the learner and the instructor should know, a sentence each.
    """

    cells: list[dict[str, Any]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@contextlib.contextmanager
def opened(folder: Path, top: Path | None = None) -> Iterator[int]:
    """A descriptor of a submission's folder: what is read relative to it is read there, wherever its name leads by now.

    Args:
        folder: its path.
        top: a folder above, else the next one; none of those below it may be a link.

    Raises:
        OSError: when it cannot be opened.
    """
    top = folder.parent if top is None else top
    with contextlib.ExitStack() as stack:
        place = os.open(top, FOLDER)
        stack.callback(os.close, place)
        yield _entered(stack, place, folder.relative_to(top).parts)


def _entered(stack: contextlib.ExitStack, place: int, folders: Iterable[str]) -> int:
    """A descriptor, until the stack closes, of the folder that these names lead to; a link on the way is an OSError."""
    for folder in folders:
        place = os.open(folder, FOLDER | os.O_NOFOLLOW, dir_fd=place)
        stack.callback(os.close, place)
    return place


def read_file(path: Path | str, largest: int = LARGEST_FILE, below: int | None = None) -> bytes:
    """The bytes of a regular file, without following a link.

    Args:
        path: of the file.
        largest: its size, in bytes.
        below: descriptor of the folder that the path begins in; none of the folders on the way may be a link then.

    Raises:
        Unusable: for anything else, and for a file that is too large.
    """
    shown = shown_name(os.path.basename(path))
    with contextlib.ExitStack() as stack:
        try:
            if below is not None:
                *folders, path = Path(path).parts
                below = _entered(stack, below, folders)
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=below)
        except OSError as error:
            why = "it is a link to another file" if error.errno == errno.ELOOP else error.strerror
            raise Unusable(f"{shown} cannot be opened: {why}.") from None
        stack.callback(os.close, descriptor)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            raise Unusable(f"{shown} is no ordinary file, but a folder, link or device: hand in the file itself.")
        if status.st_size > largest:
            raise Unusable(f"{shown} has {status.st_size:,} bytes; at most {largest:,} can be graded.")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(largest)


@dataclass
class HandedIn:
    """The file that was handed in for one notebook.

    Attributes:
        name: of the file.
        content: its bytes; None when there is none that can be graded.
        remarks: what the learner and the instructor should know, a sentence each.
    """

    name: str
    content: bytes | None = None
    remarks: list[str] = field(default_factory=list)

    def read(self) -> Submission:
        """What it holds."""
        submission = Submission(remarks=list(self.remarks))
        if self.content is not None:
            try:
                submission.cells = cells_of(self.content, self.name, submission.remarks)
            except Unusable as error:
                submission.remarks.append(str(error))
        return submission


def collect(folder: Path, name: str, others: Collection[str] = (), top: Path | None = None) -> HandedIn:
    """What a submission's folder holds for the notebook `name`; `others` are the assignment's other ones.

    The notebook of this name counts, else the only one that there is: in the folder, else in a folder of it or in a
    zip file, or with something after its name, else under another kind of name. The folder is opened once, and no
    folder below `top` may be a link (see `opened`).
    """
    found = HandedIn(f"{name}.ipynb")
    try:
        with opened(folder, top) as place:
            found.name, found.content = _find(place, name, frozenset(others) - {name}, found.remarks)
    except Unusable as error:
        found.remarks.append(str(error))
    except OSError as error:
        found.remarks.append(f"What was handed in cannot be read: {error.strerror}.")
    return found


def _find(place: int, name: str, not_this: frozenset[str], remarks: list[str]) -> tuple[str, bytes]:
    """The notebook's file in the folder with this descriptor: its path and its bytes.

    Raises:
        Unusable: when there is none, or it is not clear which; the message names what is there.
    """
    top = {path: read for path, read in files_below(place, 0).items() if path.lower().endswith(".ipynb")}
    files, path = top, _chosen(top, name, not_this, remarks)
    if path is None:
        files = files_below(place, DEEPEST)
        for each in [each for each in files if each.lower().endswith(".zip")][:MOST_ARCHIVES]:
            try:
                files |= _in_zip(each, files[each]())
            except Unusable as error:
                remarks.append(str(error))
        path = _chosen([each for each in files if NOTEBOOK.search(_base(each))], name, not_this, remarks)
        path = path or _chosen(_like_notebooks(files), name, not_this, remarks)
    if path is None:
        listed = f", but {_listed([*files])}" if files else ""
        raise Unusable(
            f"There is no {name}.ipynb in what was handed in, nor any other notebook{listed}: hand it in again."
        )
    content = files[path]()
    if not content.startswith(ZIP):
        return path, content
    inside = _in_zip(path, content)
    chosen = _chosen([each for each in inside if NOTEBOOK.search(_base(each))], name, not_this, remarks)
    if chosen is None:
        raise Unusable(f"{shown_name(path)} is a zip file without a notebook: hand in the notebook itself.")
    return chosen, inside[chosen]()


def _chosen(paths: Iterable[str], name: str, not_this: frozenset[str], remarks: list[str]) -> str | None:
    """Which of these notebooks is graded: the one of the right name, or the only one; None where there is none.

    Raises:
        Unusable: when it is not clear which.
    """
    stems = {path: NOTEBOOK.split(_base(path))[0] for path in paths}
    mine = [path for path, stem in stems.items() if stem not in not_this]
    right = [path for path in mine if stems[path] == name]
    if len(right) != 1 and len(mine) != 1:
        if mine:
            raise Unusable(f"There is no {name}.ipynb in what was handed in, but {_listed(mine)}: hand it in again.")
        return None
    (path,) = right if len(right) == 1 else mine
    if path != f"{name}.ipynb":
        remarks.append(f"There was no {name}.ipynb: {shown_name(path)} was graded in its place.")
    if others := [other for other in mine if other != path]:
        remarks.append(f"{_base(path)} was graded; other notebooks were not looked at: {_listed(others)}.")
    return path


def files_below(place: int, deepest: int, most: int | None = None) -> dict[str, Callable[[], bytes]]:
    """What lies in a folder, by descriptor, and so many levels below: paths, and what reads them; at most so many."""
    paths: list[str] = []
    most = MOST_FILES if most is None else most
    for root, folders, files, _ in os.fwalk(".", dir_fd=place):  # it follows no links
        paths += [os.path.normpath(os.path.join(root, file)) for file in sorted(files) if not is_hidden(file)]
        folders[:] = (
            [folder for folder in sorted(folders) if not is_hidden(folder)] if root.count("/") < deepest else []
        )
        if len(paths) > most:
            break
    return {path: functools.partial(read_file, path, below=place) for path in paths[:most]}


def is_hidden(name: str) -> bool:
    """Whether a file or folder is a program's own, as what macOS keeps in ._homework.ipynb."""
    return name.startswith(".") or name in ("__MACOSX", "__pycache__", "site-packages")


def _in_zip(name: str, content: bytes) -> dict[str, Callable[[], bytes]]:
    """What lies in a zip file: paths, which begin with its name, and what reads them. Nothing is written anywhere.

    Raises:
        Unusable: when it is damaged, or holds too much.
    """
    if content.count(b"PK\1\2") > MOST_ENTRIES:  # each entry begins so
        raise Unusable(f"{shown_name(name)} holds more than {MOST_ENTRIES:,} files: hand in the notebook itself.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except Exception as error:  # somebody may have written it to break who reads it
        raise Unusable(f"{shown_name(name)} is damaged and cannot be opened ({type(error).__name__}).") from None
    found = {}
    for entry in archive.infolist():
        parts = [part for part in entry.filename.replace("\\", "/").split("/") if part not in ("", ".", "..")]
        if parts and not entry.is_dir() and not any(map(is_hidden, parts)):
            path = "/".join([name, *parts])
            found[path] = functools.partial(unpacked, archive, entry, path)
    return found


def unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: str) -> bytes:
    """What an entry of a zip file holds.

    Raises:
        Unusable: when it cannot be read, or is larger than a notebook may be.
    """
    if entry.flag_bits & 1:
        raise Unusable(f"{shown_name(path)} is locked with a password: hand in the notebook itself.")
    if entry.file_size > LARGEST_FILE:
        raise Unusable(f"{shown_name(path)} has {entry.file_size:,} bytes; at most {LARGEST_FILE:,} can be graded.")
    if entry.file_size > max(ANY_RATIO, MOST_RATIO * entry.compress_size):
        raise Unusable(f"{shown_name(path)} is packed smaller than a notebook can be: hand in the notebook itself.")
    # Of other methods Python's library unpacks more than it is asked for.
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unusable(f"{shown_name(path)} is packed in an unusual way: hand in the notebook itself.")
    try:
        with archive.open(entry) as file:
            return file.read(LARGEST_FILE)
    except Exception as error:  # as above
        raise Unusable(f"{shown_name(path)} is damaged and cannot be unpacked ({type(error).__name__}).") from None


def _like_notebooks(files: Mapping[str, Callable[[], bytes]]) -> list[str]:
    """Those of a few files with names of other kinds that hold what looks like a notebook."""
    found = []
    for path in [each for each in files if os.path.splitext(each)[1].lower() in ("", ".json", ".txt")][:MOST_TRIED]:
        with contextlib.suppress(Unusable):
            content = files[path]()
            if content.lstrip().startswith(b"{") and (b'"cells"' in content or b'"worksheets"' in content):
                found.append(path)
    return found


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_LISTED:,} more" if len(names) > MOST_LISTED else ""
    return ", ".join(map(shown_name, names[:MOST_LISTED])) + more


def restore(submission: Submission, course: NotebookNode, budget: Budget) -> NotebookNode:
    """The course's notebook with the learner's work in it.

    The learner's cells are recognized by grade_id, else by cell id, else by their text, and answers also by what they
    define. Cells that count and are missing are put back; what counts is in the course's order.

    Args:
        submission: what was handed in; gets the remarks.
        course: the notebook in `source/`.
        budget: the grader's own time for this notebook, which making pictures fit takes from.
    """
    cells, remarks = submission.cells, submission.remarks
    with outputs.within(budget):
        _fit_attachments(cells, remarks, budget)
    places = _recognized(cells, course, remarks)
    order = [place for place in places if place is not None]
    too_many = _too_many(cells, places, remarks)
    notebook = new_notebook(
        metadata={key: course.metadata[key] for key in ("kernelspec", "language_info") if key in course.metadata}
    )
    # A group is a recognized cell and the learner's own cells that follow it.
    groups: list[tuple[int, list[NotebookNode]]] = [(-1, [])]
    for number, (cell, place) in enumerate(zip(cells, places, strict=True)):
        if place is None:
            if number not in too_many:
                groups[-1][1].append(_own(cell))
            continue
        given = course.cells[place]
        above, below = _around(cell, given) if _is_locked(given) else ("", "")
        groups.append((place, [_own({**cell, "source": above})] if above else []))
        groups[-1][1].append(_counted(given, cell))
        if below:
            groups[-1][1].append(_own({**cell, "source": below}))
        if is_grade(given) and any(line and line[0] != "#" for line in f"{above}\n{below}".split("\n")):
            remarks.append(
                f"Something was written into the test cell {nbgrader_mark(given)['grade_id']!r}: what stands above the "
                "test ran before it, the rest after it."
            )
    if order != sorted(order):
        remarks.append(
            "Cells were not in the order of the notebook that was handed out: they were graded in that order."
        )
    there = set(order)
    for place, given in enumerate(course.cells):
        if place not in there and nbgrader_mark(given):
            if nbgrader_mark(given).get("solution"):
                grade_id = nbgrader_mark(given)["grade_id"]
                if cells:
                    remarks.append(
                        f"The answer cell {grade_id!r} is missing: only what other cells define for it was graded."
                    )
                missing = {"source": "# This cell is missing.", "cell_type": "code", "metadata": {}}
                groups.append((place, [_counted(given, missing)]))
            else:
                groups.append((place, [_counted(given, None)]))
    for _, group in sorted(groups, key=lambda group: group[0]):
        notebook.cells += group
    for number, cell in enumerate(notebook.cells):
        cell.id = f"{OWN}-{number}" if is_own(cell) else cell.id
    note(notebook, remarks)
    return notebook


def note(notebook: NotebookNode, remarks: list[str]) -> None:
    """Show the remarks in a cell of their own at the top."""
    notebook.cells = [cell for cell in notebook.cells if cell.get("id") != NOTES]
    if remarks:
        lines = "\n".join(f"- {remark}" for remark in remarks)
        cell = new_markdown_cell(f"**Notes from grading**\n\n{lines}")
        cell.id = NOTES
        notebook.cells.insert(0, cell)


def is_own(cell: Any) -> bool:
    """Whether a cell of a notebook that was put together here is the learner's, and no place of the course's."""
    return cell.get("id", "").startswith(OWN)


def is_grade(cell: Any) -> bool:
    """Whether a cell is the course's own, and gives points. An answer that a person grades is the learner's code."""
    return bool(nbgrader_mark(cell).get("grade")) and _is_locked(cell)


def is_answer(cell: Any) -> bool:
    """Whether a cell is code that the course has the learner write."""
    return cell["cell_type"] == "code" and bool(nbgrader_mark(cell).get("solution"))


def is_untouched(cell: NotebookNode) -> bool:
    """Whether an answer is as it was handed out: it has the checksum that nbgrader noted in its mark."""
    return nbgrader_mark(cell).get("checksum") == _checksum(cell, nbgrader_mark(cell))


def _checksum(cell: Any, mark: dict[str, Any]) -> str:
    """Of an answer with this mark, as nbgrader works it out.

    That is done here because nbgrader, with all that it imports, would cost every worker half a second.
    """
    points = [float(mark["points"])] if mark.get("grade") else []
    parts = [cell["source"], cell["cell_type"], bool(mark.get("grade")), True, False, mark["grade_id"], *points]
    return hashlib.md5("".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def _is_locked(cell: Any) -> bool:
    return bool(nbgrader_mark(cell)) and not nbgrader_mark(cell).get("solution")


def _counted(given: NotebookNode, cell: dict[str, Any] | None) -> NotebookNode:
    """A cell of the course; where it is the learner's to write, with the learner's text."""
    made = from_dict(given)
    if cell is not None and not _is_locked(given):
        made.source = cell["source"]
        if not nbgrader_mark(given) and cell["cell_type"] != given.cell_type:
            return _own(cell)
        made.pop("attachments", None)
        made.update(_attached(cell, made.cell_type))
    if made.cell_type == "code":
        made.outputs, made.execution_count = [], None
    made.metadata = NotebookNode(
        {key: made.metadata[key] for key in ("nbgrader", "tags", "deletable", "editable") if key in made.metadata}
    )
    return made


def _too_many(cells: list[dict[str, Any]], places: list[int | None], remarks: list[str]) -> set[int]:
    """Which of the learner's own cells are left out, the last of too many."""
    own = [number for number, place in enumerate(places) if place is None]
    lengths = itertools.accumulate(len(cells[number]["source"]) for number in own)
    most = sum(length <= LARGEST_OWN for length in itertools.islice(lengths, MOST_OWN))
    if own[most:]:
        remarks.append(
            f"{len(own) - most:,} of {len(own):,} cells of your own were left out: at most {MOST_OWN:,} cells and "
            f"{LARGEST_OWN:,} characters are graded."
        )
    return set(own[most:])


def _own(cell: dict[str, Any]) -> NotebookNode:
    make = new_code_cell if cell["cell_type"] == "code" else new_markdown_cell
    source = cell["source"] if cell["cell_type"] != "raw" else f"```text\n{cell['source'].replace('```', '')}\n```"
    made = make(source, **_attached(cell, cell["cell_type"]))
    made.id = OWN
    return made


def _attached(cell: dict[str, Any], kind: str) -> dict[str, Any]:
    """What a new cell of a kind gets of what was attached to the learner's."""
    return {"attachments": cell["attachments"]} if kind == "markdown" and cell.get("attachments") else {}


def _fit_attachments(cells: list[dict[str, Any]], remarks: list[str], budget: Budget) -> None:
    """Have cells keep of what is attached to them the pictures that can be shown, as long as there is time."""
    room, lost = LARGEST_ATTACHED, []
    for cell in cells:
        kept = {}
        for name, forms in cell["attachments"].items():
            try:
                first = next(iter(forms.values()), None) if isinstance(forms, dict) else None
                if budget.left < (1 - ATTACHED_SHARE) * budget.seconds:
                    raise Unfit("a picture after others that took too long to show")
                picture = outputs.picture(first, budget.gallery)
                if room < len(name) + len(text := picture.base64):
                    raise Unfit(f"a picture after others of {LARGEST_ATTACHED - room:,} characters")
                room -= len(name) + len(text)
                kept[name.encode("utf-8", "replace").decode("utf-8")] = {picture.mime: text}
            except Unfit as error:
                lost.append(f"{shown_name(name)}, {error}")
        cell["attachments"] = kept
    if lost:
        number = f"{len(lost):,} attachments were" if len(lost) > 1 else "An attachment was"
        remarks.append(f"{number} left out: {'; '.join(lost[:3])}{'; ...' if lost[3:] else ''}.")


def _around(cell: dict[str, Any], given: NotebookNode) -> tuple[str, str]:
    """What of a locked cell is the learner's, as after merging cells: above the course's test, and below it.

    Each is empty where there is nothing. In a cell that is no test, all is below.
    """
    lines, ours = cell["source"].split("\n"), given.source.strip().split("\n")
    end = begin = 0
    if is_grade(given) and cell["cell_type"] == "code":
        end = next((n for n, line in enumerate(lines) if line == ours[-1] or TEST_CALL.fullmatch(line)), len(lines))
        begin = end + 1
    parts = []
    for part in (lines[:end], lines[begin:]):
        is_more = any(line not in ours and not is_no_work(line) for line in part)
        parts.append("\n".join(part) if is_more else "")
    return parts[0], parts[1]


def _recognized(cells: list[dict[str, Any]], course: NotebookNode, remarks: list[str]) -> list[int | None]:
    """For each of the learner's cells its place in the course's notebook, each place at most once."""
    by_grade_id = {
        nbgrader_mark(cell)["grade_id"]: place for place, cell in enumerate(course.cells) if nbgrader_mark(cell)
    }
    by_id = {cell.id: place for place, cell in enumerate(course.cells)}
    by_text: dict[str, int] = {}
    for place, cell in enumerate(course.cells):
        by_text.setdefault(_bare(cell.source), place)
    claims: list[int | None] = []
    for cell in cells:
        grade_id = nbgrader_mark(cell).get("grade_id")
        claim = by_grade_id.get(grade_id) if isinstance(grade_id, str) else None
        claim = by_id.get(cell["id"]) if claim is None else claim
        claims.append(by_text.get(_bare(cell["source"])) if claim is None else claim)
    tests: dict[int, int] = {}  # which copy of a test an answer was chosen by
    for place, given in enumerate(course.cells):
        claiming = [number for number, claim in enumerate(claims) if claim == place]
        if len(claiming) > 1:
            if nbgrader_mark(given).get("solution"):
                kept, test = _last_above(claiming, place, cells, claims, course)
                tests[test] = _test_of(place, course)
                which = "the last one above its test" if kept < test else "the last one that was begun"
            else:  # of others the one that is as it was
                same = [number for number in claiming if _bare(cells[number]["source"]) == _bare(given.source)]
                kept = next((n for n in claiming if tests.get(n) == place), (same or claiming)[-1])
            for number in claiming:
                if number != kept:
                    claims[number] = None
            if nbgrader_mark(given):
                counts = f": {which} was graded" if nbgrader_mark(given).get("solution") else ""
                remarks.append(f"The cell {nbgrader_mark(given)['grade_id']!r} is there {len(claiming)} times{counts}.")
    _find_answers(cells, claims, course)
    return claims


def _test_of(place: int, course: NotebookNode) -> int:
    """The place of the first test after an answer; behind the last place where there is none."""
    return next((test for test in range(place, len(course.cells)) if is_grade(course.cells[test])), len(course.cells))


def _tests_there(test: int, claims: list[int | None]) -> list[int]:
    """Where the copies of a test stand among the learner's cells; without one, where it will be put back."""
    there = [number for number, claim in enumerate(claims) if claim == test]
    later = (number for number, claim in enumerate(claims) if claim is not None and claim > test)
    return there or [next(later, len(claims))]


def _last_above(
    copies: list[int], place: int, cells: list[dict[str, Any]], claims: list[int | None], course: NotebookNode
) -> tuple[int, int]:
    """Which copy of an answer counts, and where the test stands that it is above.

    It is the last one above its test, as when the notebook is run; an answer that nobody began is none, as long as
    there is another one.
    """
    mark = nbgrader_mark(course.cells[place])
    begun = [
        number for number in copies if nbgrader_mark(cells[number]).get("checksum") != _checksum(cells[number], mark)
    ]
    tests = _tests_there(_test_of(place, course), claims)
    for test in reversed(tests):
        above = [number for number in copies if number < test]
        if above and above[-1] in begun:
            return above[-1], test
    return (begun or copies)[-1], tests[-1]


def _find_answers(cells: list[dict[str, Any]], claims: list[int | None], course: NotebookNode) -> None:
    """Answers whose mark is lost are the cells that define what the answer is to define.

    Those above one test stay in the learner's order, as a class may grow from cell to cell: a place stays empty rather
    than that a cell is moved past another one.
    """
    lost = [
        place
        for place, given in enumerate(course.cells)
        if nbgrader_mark(given).get("solution") and place not in claims
    ]
    if not lost:
        return
    texts = [_bare(cell["source"]) for cell in cells]
    defined = [defined_names(text) for text in texts]
    within = [defined_names(text, within=True) for text in texts]
    last = itertools.accumulate((-1 if claim is None else claim for claim in claims), max)
    next_ = itertools.accumulate((len(course.cells) if claim is None else claim for claim in claims[::-1]), min)
    between = [*zip(last, [*next_][::-1], strict=True)]  # recognized places, above each cell and below it

    def shares(place: int) -> dict[int, float]:
        """How much of an answer each of the cells has that may be its cell."""
        source = course.cells[place].source
        wanted, handed_out = defined_names(source), _bare(REGION.sub(r"\1...", source))
        parts = defined_names(source, within=True)  # which tell the cells of one class apart
        having = {}
        for number, claim in enumerate(claims):
            is_like = wanted & defined[number] or texts[number] == handed_out
            if is_like and (claim is None or _is_locked(course.cells[claim])):
                share = len(parts & within[number]) / len(parts) if parts else 1.0
                above, below = between[number]
                having[number] = share if above < place < below else share / 2  # it would have to be moved
        test = _tests_there(_test_of(place, course), claims)[-1]  # trials come after it
        return {number: share for number, share in having.items() if number < test} or having

    for _, group in itertools.groupby(lost, lambda place: _test_of(place, course)):
        places = [*group]
        for place, number in zip(places, _in_order([shares(place) for place in places]), strict=True):
            if number is not None:
                claims[number] = place


def _in_order(shares: list[dict[int, float]]) -> list[int | None]:
    """For places one of the cells each, or none, so that both have the same order.

    It is the choice whose shares have the largest sum, and of several the one with the last cells.

    Args:
        shares: for each place how much of it the cells have, by their numbers.
    """
    numbers = sorted(set().union(*shares))
    # For the first of these cells, one after the other: the sum, and which were chosen, the last one first.
    best: list[tuple[float, Any]] = [(0.0, ())] * (len(numbers) + 1)
    for share in shares:
        before, best = best, [(total, (-1, chosen)) for total, chosen in best]
        for count, number in enumerate(numbers):
            best[count + 1] = max(best[count], best[count + 1])
            if number in share:
                total, chosen = before[count]
                best[count + 1] = max(best[count + 1], (total + share[number], (number, chosen)))
    found, rest = [], best[-1][1]
    while rest:
        number, rest = rest
        found.append(number if number >= 0 else None)
    return found[::-1]


def _bare(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.strip().split("\n"))


def defined_names(source: str, within: bool = False) -> set[str]:
    """Names of the classes and functions that code defines, at its top or also `within` those.

    It is not parsed: learners wrote it.
    """
    return {name for space, name in DEFINITION.findall(source) if within or not space}
