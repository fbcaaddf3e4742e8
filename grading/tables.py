"""Tables for people and for programs: text, Markdown, CSV. What is shown in them comes from learners, too."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Sequence

from checks.observe import printable

FORMULA = re.compile(r"[=+\-@\t\r\n]")  # how a text begins that a spreadsheet would compute
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
WIDEST = 60  # of a cell in a terminal
Field = str | float | int | None


def number(points: float | None) -> str:
    """As it is shown; "-" where there is none."""
    return "-" if points is None else f"{round(points, 6):g}" if abs(points) < 1e5 else f"{points:.2f}"


def defused(text: str) -> str:
    """A text that no spreadsheet takes for a formula: one that could be gets an apostrophe, which shows it as it is."""
    is_formula = len(text) > 1 and FORMULA.match(text) and not NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text


def as_csv(heads: Sequence[str], rows: Sequence[Sequence[Field]]) -> str:
    """A CSV file, RFC 4180 but for the ends of its lines; numbers with all their digits, nothing for None."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    for row in [heads, *rows]:
        writer.writerow([defused(_encodable(field)) if isinstance(field, str) else field for field in row])
    return file.getvalue().rstrip("\n")


def as_text(heads: Sequence[str], rows: Sequence[Sequence[str]], last: Sequence[str], left: int = 1) -> str:
    """A table for a terminal: the first column, and those from number `left` on, begin on the left."""
    body = [[printable(field, WIDEST) for field in row[:left]] + [*map(printable, row[left:])] for row in rows]
    widths = [max(_width(line[column]) for line in [heads, *body, last]) for column in range(len(heads))]

    def line(fields: Sequence[str]) -> str:
        parts = []
        for column, (field, width) in enumerate(zip(fields, widths, strict=True)):
            space = " " * (width - _width(field))
            parts.append(field + space if column == 0 or column >= left else space + field)
        return "  ".join(parts).rstrip()

    rule = "  ".join("-" * width for width in widths)
    return "\n".join([line(heads), rule, *map(line, body), rule, line(last)])


def as_markdown(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """A table in Markdown (GitHub's), the same columns on the left."""
    rule = ["---" if column == 0 or column >= left else "---:" for column in range(len(heads))]
    lines = [[_escaped(field) for field in row] for row in [heads, *rows]]
    return "\n".join("| " + " | ".join(line) + " |" for line in [lines[0], rule, *lines[1:]])


def _escaped(text: str) -> str:
    """A text that Markdown shows as it is."""
    text = re.sub(r"([\\`*_{}\[\]()#+!|~])", r"\\\1", printable(text))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _encodable(text: str) -> str:
    """Without halves of characters, which no encoding has."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
