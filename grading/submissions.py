"""From what a learner handed in to a notebook that can be graded, whatever was handed in.

The result has every cell of the course's own notebook that counts, in the course's order, with the learner's answers
and other cells between them. All else that a submission says (metadata, outputs, kernel, points) is left behind.
"""

from __future__ import annotations

import contextlib
import copy
import errno
import hashlib
import itertools
import json
import os
import re
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from checks.observe import printable
from grading.images import Gallery, Unfit, content_of

NOTES = "grading-notes"  # the id of the cell with the remarks
LARGEST_FILE = 100 << 20  # bytes of a notebook file
LARGEST_CELL = 1_000_000  # characters
MOST_CELLS = 20_000  # that are looked at
MOST_VALUES = 3_000_000  # in a notebook file: each takes some hundred bytes of memory, however short it is written
# Of the cells that are the learner's own, and so in none of the course's places:
MOST_OWN = 1000
LARGEST_OWN = 5_000_000  # characters of all together
LARGEST_ATTACHED = 8 << 20  # characters, in base64, of all pictures that are attached to cells
TESTS_CALL = re.compile(r"tests\.test_\w+\(")
TEXT = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\Z)', re.DOTALL)  # in JSON
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
DEFINITION = re.compile(r"^(?:class|def)[ \t]+(\w+)", re.MULTILINE)


class Unusable(Exception):
    """A file cannot be used; the message says why, to the learner."""


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
        for part in folder.relative_to(top).parts:
            place = os.open(part, FOLDER | os.O_NOFOLLOW, dir_fd=place)
            stack.callback(os.close, place)
        yield place


def read_file(path: Path | str, largest: int = LARGEST_FILE, below: int | None = None) -> bytes:
    """The bytes of a regular file, without following a link; `below` is a descriptor of the folder that it is in.

    Raises:
        Unusable: for anything else, and for a file that is too large.
    """
    name = os.path.basename(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=below)
    except OSError as error:
        why = "it is a link to another file" if error.errno == errno.ELOOP else error.strerror
        raise Unusable(f"{name!r} cannot be opened: {why}.") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            raise Unusable(f"{name!r} is no ordinary file, but a folder, link or device: hand in the file itself.")
        if status.st_size > largest:
            raise Unusable(f"{name!r} has {status.st_size:,} bytes; at most {largest:,} can be graded.")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(largest)
    finally:
        os.close(descriptor)


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

    The folder is opened once, and no folder below `top` may be a link (see `opened`).
    """
    found = HandedIn(f"{name}.ipynb")
    try:
        with opened(folder, top) as place:
            _collect(place, name, others, found)
    except OSError as error:
        found.remarks.append(f"What was handed in cannot be read: {error.strerror}.")
    return found


def _collect(place: int, name: str, others: Collection[str], found: HandedIn) -> None:
    there = sorted(path for path in os.listdir(place) if os.path.splitext(path)[1].lower() == ".ipynb")
    notebooks = [file for file in there if file.removesuffix(".ipynb") not in {*others} - {name}]
    if found.name not in notebooks:
        if len(notebooks) != 1:
            others = f"but {', '.join(map(repr, notebooks[:5]))}" if notebooks else "nor any other notebook"
            found.remarks.append(f"There is no {found.name} in what was handed in, {others}: hand it in again.")
            return
        found.remarks.append(f"There was no {found.name}: {notebooks[0]!r} was graded in its place.")
        found.name = notebooks[0]
    elif len(notebooks) > 1:
        others = ", ".join(repr(other) for other in notebooks[:5] if other != found.name)
        found.remarks.append(f"{found.name} was graded; other notebooks were not looked at: {others}.")
    try:
        found.content = read_file(found.name, below=place)
    except Unusable as error:
        found.remarks.append(str(error))


def cells_of(content: bytes, name: str, remarks: list[str]) -> list[dict[str, Any]]:
    """The cells of a notebook file of any version, as plain dictionaries.

    Raises:
        Unusable: when it is no notebook.
    """
    if not content.strip():
        raise Unusable(f"{name!r} is empty: hand it in again.")
    try:
        if _holds_more(content):
            most = f"more than {MOST_VALUES:,} values"
            raise Unusable(f"{name!r} holds {most}: clear the outputs of all cells, save, and hand it in again.")
        document = json.loads(content)  # in UTF-8, -16 or -32
    except UnicodeDecodeError:
        raise Unusable(f"{name!r} is not text in UTF-8, so no notebook: hand it in again.") from None
    except (ValueError, RecursionError) as error:
        where = f" near line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise Unusable(f"{name!r} is damaged{where} and cannot be read: hand it in again.") from None
    found: list[Any] = []
    if isinstance(document, dict) and isinstance(document.get("cells"), list):
        found = document["cells"]
    elif isinstance(document, dict) and isinstance(document.get("worksheets"), list):  # versions 2 and 3
        sheets = [sheet.get("cells") for sheet in document["worksheets"] if isinstance(sheet, dict)]
        found = [cell for cells in sheets if isinstance(cells, list) for cell in cells]
        remarks.append(f"{name!r} has an old notebook format; it was converted.")
    if not found:
        raise Unusable(f"{name!r} is not a notebook: it has no cells. Hand it in again.")
    plain = (cell for cell in map(_plain, found) if cell is not None and len(cell["source"]) <= LARGEST_CELL)
    cells = list(itertools.islice(plain, MOST_CELLS))
    if len(cells) < len(found):
        remarks.append(
            f"{len(found) - len(cells):,} of {len(found):,} cells were left out: they are damaged, have more than "
            f"{LARGEST_CELL:,} characters, or come after the first {MOST_CELLS:,}."
        )
    return cells


def _holds_more(content: bytes) -> bool:
    """Whether JSON holds more than MOST_VALUES: each of them is after a bracket or comma that is in no text."""
    if sum(content.count(mark) for mark in (b"[", b"{", b",")) <= MOST_VALUES:
        return False
    text = TEXT.sub("", content.decode(json.detect_encoding(content), "surrogatepass"))
    return sum(map(text.count, "[{,")) > MOST_VALUES


def _plain(cell: Any) -> dict[str, Any] | None:
    if not isinstance(cell, dict):
        return None
    source = cell.get("source", cell.get("input"))
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        return None
    source = source.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    source = source.encode("utf-8", "replace").decode("utf-8")
    kind = cell.get("cell_type")
    metadata, attachments = cell.get("metadata"), cell.get("attachments")
    return {
        "cell_type": kind if kind in ("code", "raw") else "markdown",
        "source": source,
        "metadata": metadata if isinstance(metadata, dict) else {},
        "id": cell.get("id") if isinstance(cell.get("id"), str) else None,
        "attachments": attachments if kind == "markdown" and isinstance(attachments, dict) else {},
    }


def restore(submission: Submission, course: NotebookNode) -> NotebookNode:
    """The course's notebook with the learner's work in it.

    The learner's cells are recognized by grade_id, else by cell id, else by their text, and answers also by what they
    define. Cells that count and are missing are put back; what counts is in the course's order.

    Args:
        submission: what was handed in; gets the remarks.
        course: the notebook in `source/`.
    """
    cells, remarks = submission.cells, submission.remarks
    _fit_attachments(cells, remarks)
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
        groups.append((place, [_counted(course.cells[place], cell)]))
        if _is_locked(course.cells[place]) and _holds_work(cell, course.cells[place]):
            groups[-1][1].append(_own(cell))
    if order != sorted(order):
        remarks.append("Cells were not in the order of the workshop: they were graded in that order.")
    there = set(order)
    for place, given in enumerate(course.cells):
        if place not in there and _nbgrader(given):
            if _nbgrader(given).get("solution"):
                grade_id = _nbgrader(given)["grade_id"]
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
        cell.id = cell.id if not cell.id.startswith("own") else f"own-{number}"
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


def _nbgrader(cell: Any) -> dict[str, Any]:
    found = cell["metadata"].get("nbgrader")
    return found if isinstance(found, dict) else {}


def is_grade(cell: Any) -> bool:
    """Whether a cell is the course's own, and gives points. An answer that a person grades is the learner's code."""
    return bool(_nbgrader(cell).get("grade")) and _is_locked(cell)


def is_answer(cell: Any) -> bool:
    """Whether a cell is code that the course has the learner write."""
    return cell["cell_type"] == "code" and bool(_nbgrader(cell).get("solution"))


def is_untouched(cell: NotebookNode) -> bool:
    """Whether an answer is as it was handed out: it has the checksum that nbgrader noted in its mark.

    That is worked out here because nbgrader, with all that it imports, would cost every worker half a second.
    """
    mark = _nbgrader(cell)
    points = [float(mark["points"])] if mark.get("grade") else []
    parts = [cell.source, cell.cell_type, bool(mark.get("grade")), True, False, mark["grade_id"], *points]
    return mark.get("checksum") == hashlib.md5("".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def _is_locked(cell: Any) -> bool:
    return bool(_nbgrader(cell)) and not _nbgrader(cell).get("solution")


def _counted(given: NotebookNode, cell: dict[str, Any] | None) -> NotebookNode:
    """A cell of the course; where it is the learner's to write, with the learner's text."""
    made = copy.deepcopy(given)
    if cell is not None and not _is_locked(given):
        made.source = cell["source"]
        if not _nbgrader(given) and cell["cell_type"] != given.cell_type:
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
    made.id = "own"
    return made


def _attached(cell: dict[str, Any], kind: str) -> dict[str, Any]:
    """What a new cell of a kind gets of what was attached to the learner's."""
    return {"attachments": cell["attachments"]} if kind == "markdown" and cell.get("attachments") else {}


def _fit_attachments(cells: list[dict[str, Any]], remarks: list[str]) -> None:
    """Have cells keep of what is attached to them the pictures that can be shown."""
    gallery, room, lost = Gallery(), LARGEST_ATTACHED, []
    for cell in cells:
        kept = {}
        for name, forms in cell["attachments"].items():
            try:
                first = next(iter(forms.values()), None) if isinstance(forms, dict) else None
                picture = gallery.fit(content_of(first))
                if room < len(name) + len(text := picture.base64):
                    raise Unfit(f"a picture after others of {LARGEST_ATTACHED - room:,} characters")
                room -= len(name) + len(text)
                kept[name.encode("utf-8", "replace").decode("utf-8")] = {picture.mime: text}
            except Unfit as error:
                lost.append(f"{printable(repr(name), 60)}, {error}")
        cell["attachments"] = kept
    if lost:
        number = f"{len(lost):,} attachments were" if len(lost) > 1 else "An attachment was"
        remarks.append(f"{number} left out: {'; '.join(lost[:3])}{'; ...' if lost[3:] else ''}.")


def _holds_work(cell: dict[str, Any], given: NotebookNode) -> bool:
    """Whether a cell that is the course's has code of the learner in it, as after merging cells."""
    lines = cell["source"].strip().split("\n")
    ours = set(given.source.split("\n"))
    return any(line.strip() and line not in ours and not TESTS_CALL.match(line) for line in lines)


def _recognized(cells: list[dict[str, Any]], course: NotebookNode, remarks: list[str]) -> list[int | None]:
    """For each of the learner's cells its place in the course's notebook, each place at most once."""
    by_grade_id = {_nbgrader(cell)["grade_id"]: place for place, cell in enumerate(course.cells) if _nbgrader(cell)}
    by_id = {cell.id: place for place, cell in enumerate(course.cells)}
    by_text: dict[str, int] = {}
    for place, cell in enumerate(course.cells):
        by_text.setdefault(_bare(cell.source), place)
    claims: list[int | None] = []
    for cell in cells:
        grade_id = _nbgrader(cell).get("grade_id")
        claim = by_grade_id.get(grade_id) if isinstance(grade_id, str) else None
        claim = by_id.get(cell["id"]) if claim is None else claim
        claims.append(by_text.get(_bare(cell["source"])) if claim is None else claim)
    for place, given in enumerate(course.cells):
        claiming = [number for number, claim in enumerate(claims) if claim == place]
        same = [number for number in claiming if _bare(cells[number]["source"]) == _bare(given.source)]
        # Of an answer's copies the last one counts, as when a notebook is run; of others the one that is as it was.
        kept = (claiming if _nbgrader(given).get("solution") else same or claiming)[-1:]
        for number in claiming:
            if number not in kept:
                claims[number] = None
        if len(claiming) > 1 and _nbgrader(given):
            remarks.append(f"The cell {_nbgrader(given)['grade_id']!r} is there {len(claiming)} times.")
    _find_answers(cells, claims, course)
    return claims


def _find_answers(cells: list[dict[str, Any]], claims: list[int | None], course: NotebookNode) -> None:
    """Answers whose mark is lost are the cells that define what the answer is to define."""
    lost = [
        place for place, given in enumerate(course.cells) if _nbgrader(given).get("solution") and place not in claims
    ]
    defined = [_defined(cell["source"]) for cell in cells] if lost else []
    for place in lost:
        wanted = _defined(course.cells[place].source)
        having = [
            (len(wanted & names), number)
            for number, names in enumerate(defined)
            if wanted & names and (claims[number] is None or _is_locked(course.cells[claims[number]]))
        ]
        if having:  # the one with the most of it, the last one of several
            claims[max(having)[1]] = place


def _bare(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.strip().split("\n"))


def _defined(source: str) -> set[str]:
    """Names of the classes and functions that code defines at its top. It is not parsed: learners wrote it."""
    return set(DEFINITION.findall(source))
