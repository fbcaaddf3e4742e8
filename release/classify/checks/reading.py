"""What a notebook file holds, whatever happened to it: its cells, and a sentence for each thing that is wrong."""

from __future__ import annotations

import codecs
import itertools
import json
import re
from typing import Any

LARGEST_CELL = 1_000_000  # characters
MOST_CELLS = 20_000  # that are looked at
MOST_VALUES = 3_000_000  # in a notebook file: each takes some hundred bytes of memory, however short it is written
MOST_WRONG = 100_000  # places of a file that are not in its encoding
LONGEST_NAME = 100  # characters
BLANK = " \t\r\n\ufeff"  # before and after a notebook
TEXT = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\Z)', re.DOTALL)  # in JSON
# In an answer cell of a course's notebook: these lines, and with what stands between, for which learners get `...`.
MARKER = re.compile(r"^ *### (?:BEGIN|END) SOLUTION *\n?", re.MULTILINE)
REGION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?### END SOLUTION", re.MULTILINE | re.DOTALL)
KINDS = {  # what is handed in for a notebook, by how it begins
    r"<(!doctype )?html|<\?xml|<head|<!--": "a web page",
    r"%PDF": "a PDF",
    r"version https://git-lfs": "a pointer of Git LFS to a file",
    r"\{\\rtf": "a text of a word processor",
}


class Unusable(ValueError):
    """A file cannot be used; the message says why, to the learner."""


def shown_name(name: str) -> str:
    """The name of a file, for a sentence."""
    return repr(name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}...")


def cells_of(content: bytes, name: str, remarks: list[str]) -> list[dict[str, Any]]:
    """The cells of a notebook file of any version, as plain dictionaries.

    Raises:
        Unusable: when it is no notebook.
    """
    document = _document(content, name, remarks)
    found: list[Any] = []
    if isinstance(document, dict) and isinstance(document.get("cells"), list):
        found = document["cells"]
    elif isinstance(document, dict) and isinstance(document.get("worksheets"), list):  # versions 2 and 3
        sheets = [sheet.get("cells") for sheet in document["worksheets"] if isinstance(sheet, dict)]
        found = [cell for cells in sheets if isinstance(cells, list) for cell in cells]
        remarks.append(f"{shown_name(name)} has an old notebook format; it was converted.")
    if not found:
        raise Unusable(f"{shown_name(name)} is not a notebook: it has no cells. Hand it in again.")
    plain = (cell for cell in map(_plain, found) if cell is not None and len(cell["source"]) <= LARGEST_CELL)
    cells = list(itertools.islice(plain, MOST_CELLS))
    if len(cells) < len(found):
        remarks.append(
            f"{len(found) - len(cells):,} of {len(found):,} cells were left out: they are damaged, have more than "
            f"{LARGEST_CELL:,} characters, or come after the first {MOST_CELLS:,}."
        )
    return cells


def _document(content: bytes, name: str, remarks: list[str]) -> Any:
    """What a file of JSON holds.

    Raises:
        Unusable: when it is none, or holds too much.
    """
    text = _text(content, name, remarks)
    if not text:
        raise Unusable(f"{shown_name(name)} is empty: hand it in again.")
    if _holds_more(text):
        most = f"more than {MOST_VALUES:,} values"
        raise Unusable(f"{shown_name(name)} holds {most}: clear the outputs of all cells, save, and hand it in again.")
    try:
        document, end = json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise Unusable(_why_no_json(text, name, error)) from None
    if rest := text[end:].strip(BLANK):
        remarks.append(f"After the end of the notebook {shown_name(name)} has {len(rest):,} more characters: left out.")
    return document


def _text(content: bytes, name: str, remarks: list[str]) -> str:
    """The text of a file of JSON, in UTF-8, -16 or -32, without what is blank before it, and without null characters.

    Bytes that are no text there are read as Windows writes them, whose apostrophes and accents mostly get in.

    Raises:
        Unusable: when it is no text.
    """
    encoding = json.detect_encoding(content)
    try:
        text = content.decode(encoding, "surrogatepass").lstrip(BLANK)
    except UnicodeDecodeError:
        wrong = content.decode(encoding, "replace").count("\ufffd")
        text = content.decode(encoding, "of-windows").lstrip(BLANK) if wrong <= MOST_WRONG else ""
        if not text.startswith("{"):
            raise Unusable(f"{shown_name(name)} is not text in UTF-8, so no notebook: hand it in again.") from None
        remarks.append(
            f"{shown_name(name)} is not all in UTF-8: what is not was read as Windows writes it. Its text may have "
            f"changed in {wrong:,} place{'s' * (wrong != 1)}."
        )
    if "\0" in text:
        text = text.replace("\0", "").lstrip(BLANK)
        remarks.append(f"{shown_name(name)} holds null characters, as after a disk was full: they were left out.")
    return text


def _of_windows(error: UnicodeError) -> tuple[str, int]:
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("of-windows", _of_windows)


def _why_no_json(text: str, name: str, error: ValueError | RecursionError) -> str:
    """A sentence on a file that is no JSON: what it is, if that can be seen."""
    if conflict := re.search(r"^<{7}(?: |$)", text, re.MULTILINE):
        line = text.count("\n", 0, conflict.start()) + 1
        return (
            f"{shown_name(name)} holds a conflict of git (line {line}: <<<<<<<), two versions in one file: decide for "
            "one, and hand it in again."
        )
    for begins, what in KINDS.items():
        if re.match(begins, text, re.IGNORECASE):
            return f"{shown_name(name)} is {what}, not the notebook: hand in the notebook itself."
    where = f" near line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
    return f"{shown_name(name)} is damaged{where} and cannot be read: hand it in again."


def _holds_more(text: str) -> bool:
    """Whether JSON holds more than MOST_VALUES: each of them is after a bracket or comma that is in no text."""
    if sum(map(text.count, "[{,")) <= MOST_VALUES:
        return False
    text = TEXT.sub("", text)
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
