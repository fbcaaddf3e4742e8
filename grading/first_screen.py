"""What a feedback page begins with: one screen with the points, the mistakes, and what to look at first."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbgrader.preprocessors import GetGrades
from traitlets import Bool

from checks.notebook import nbgrader_mark
from checks.report import MIME
from grading.submissions import is_grade, is_own

MOST_SAID = 3  # mistakes of a section
UNTOUCHED = "No response."  # nbgrader's comment on an answer as it was handed out
LONGEST_HEADING = 120  # characters
WAITS = "waits to be read by a person"
AGAIN = "the same cause as in "  # how a check begins that repeats one
STYLE = """<style>
:root { color-scheme: light; }
#first-screen { max-width: 66em; margin: 0 auto 2em; line-height: 1.5; }
#first-screen h1 { font-size: 2em; margin: 0.5em 0; }
#first-screen table { border-collapse: collapse; width: 100%; margin: 1em 0; }
#first-screen th, #first-screen td { padding: 0.4em 0.8em; text-align: left; vertical-align: top;
  border-bottom: 1px solid #ddd; }
#first-screen td.points { white-space: nowrap; }
#first-screen ul { margin: 0; padding-left: 1.2em; }
.text_cell_render td, .text_cell_render th { padding: 0.2em 0.8em 0.2em 0; vertical-align: top; }
</style>"""


@dataclass(frozen=True)
class Entry:
    """A graded cell on the first screen.

    Attributes:
        anchor: of the cell, below.
        title: the section's, else the heading above the cell.
        score, points: what it got, and what it gives.
        says: what was found to be wrong, a line each.
        first: the title of the check to look at first, where there is one.
        is_read: unless nobody has yet read what a person grades.
        is_theirs: whether what is wrong may be the learner's, and not only checks that could not look.
    """

    anchor: str
    title: str
    score: float
    points: float
    says: list[str]
    first: str | None
    is_read: bool = True
    is_theirs: bool = True

    @property
    def link(self) -> str:
        return f'<a href="#{html.escape(self.anchor)}">{html.escape(self.title)}</a>'

    @property
    def is_open(self) -> bool:
        """Whether there is something for the learner to look at."""
        return self.score < self.points and self.is_read and self.is_theirs

    def row(self) -> str:
        said = [f"<li>{html.escape(line)}</li>" for line in self.says[:MOST_SAID]]
        if len(self.says) > MOST_SAID:
            said.append(f"<li>and {len(self.says) - MOST_SAID} more</li>")
        symbol = "✓" if self.score >= self.points else "…" if self.score else "✗"
        list_of = f"<ul>{''.join(said)}</ul>" if said else ""
        points = f"{symbol} {self.score:g} of {self.points:g}" if self.is_read else f"… of {self.points:g}"
        return f'<tr><th scope="row">{self.link}</th><td class="points">{points}</td><td>{list_of}</td></tr>'


def entries(notebook: NotebookNode) -> Iterator[Entry]:
    """What stands on the first screen of a notebook whose marks hold its points."""
    heading = ""
    for cell in notebook.cells:
        mark = nbgrader_mark(cell)
        if cell.cell_type == "markdown":
            heading = heading if is_own(cell) or mark.get("solution") else _heading(cell.source) or heading
        if not (mark.get("grade") or mark.get("task")):
            continue
        report = _report(cell) if is_grade(cell) else {}  # the judge's: in other cells it may be the learner's
        checks = report.get("checks", [])
        lost = [check for check in checks if check["status"] in ("failed", "missing")]
        first = next((check for status in ("failed", "missing") for check in lost if check["status"] == status), None)
        says = [check["says"] or check["title"] for check in lost if check["status"] == "failed"]
        if not says and first:
            says = [f"{first['title']}: not written yet"]
        waits = [check["got"] for check in checks if check["status"] == "waiting"]
        broken = [f"{check['title']}: {check['got']}" for check in checks if check["status"] == "broken"]
        says = [*says, *broken] or waits[:1] or ([] if checks or not is_grade(cell) else _sentence(cell))
        is_read = is_grade(cell) or mark.get("score") is not None
        yield Entry(
            mark["grade_id"],
            report.get("title") or heading or mark["grade_id"],
            mark.get("score") or 0.0,
            mark.get("points") or 0.0,
            [*dict.fromkeys(line for line in says if not line.startswith(AGAIN))] if is_read else [WAITS],
            first["title"] if first else None,
            is_read,
            bool(first) or not broken,
        )


def _heading(source: str) -> str:
    """The last heading of a text, which learners may have made long; empty where there is none."""
    heading, is_code = "", False
    for line in source.split("\n"):
        if line.startswith("```"):
            is_code = not is_code
        elif line.startswith("#") and not is_code:
            text = line[:LONGEST_HEADING].lstrip("#")
            heading = text.strip().replace("`", "") if text.startswith(" ") and text.strip() else heading
    return heading


def _report(cell: NotebookNode) -> dict[str, Any]:
    """The report that the judge left in a graded cell, if there is one."""
    found = [output.data[MIME] for output in cell.get("outputs", ()) if MIME in output.get("data", {})]
    return found[0] if found else {}


def _sentence(cell: NotebookNode) -> list[str]:
    """What the judge says of a graded cell that has no report, and lost points."""
    shown = [output.data["text/plain"] for output in cell.get("outputs", ()) if output.output_type == "display_data"]
    return [shown[0].split("\n", 1)[0].rstrip(".")] if shown else []


def first_screen(notebook: NotebookNode, about: dict[str, Any]) -> str:
    """The HTML above the notebook; `about` is what nbgrader knows of it."""
    found = list(entries(notebook))
    lines = [f"<h1>{html.escape(about['notebook'])}</h1>"]
    lines.append(f"<p><strong>Score: {about['score']:g} of {about['max_score']:g}</strong></p>")
    if about["late_penalty"] > 0:
        lines.append(f"<p>Handed in late: {about['late_penalty']:g} points less.</p>")
    if open_ones := [entry for entry in found if entry.is_open]:
        first = next((entry for entry in open_ones if entry.first), open_ones[0])
        where = f", “{html.escape(first.first)}”" if first.first else ""
        why = f": {html.escape(first.says[0])}" if first.says else ""
        lines.append(f"<p><strong>Look at this first:</strong> {first.link}{where}{why}.</p>")
    elif found and all(entry.score >= entry.points for entry in found):
        lines.append("<p>All points. Excellent!</p>")
    rows = "".join(entry.row() for entry in found)
    head = "".join(f'<th scope="col">{title}</th>' for title in ("Section", "Points", "What was found"))
    lines.append(f'<table id="toc"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>')
    for cell in notebook.cells:
        mark = nbgrader_mark(cell)
        if mark.get("comment") and mark["comment"] != UNTOUCHED:
            anchor = html.escape(f"comment-{mark['grade_id']}")
            lines.append(f'<p><a href="#{anchor}">A comment on your answer {html.escape(mark["grade_id"])}</a></p>')
    lines.append("<p>Your notebook follows, with a report below each test.</p>")
    return f'<div id="first-screen">{STYLE}{"".join(lines)}</div>'


class Grades(GetGrades):
    """Fills in the points, but none where a person has yet to give them: nbgrader says 0 there, as of wrong answers."""

    def _get_score(self, cell: NotebookNode, resources: Any) -> None:
        super()._get_score(cell, resources)
        about = (self.notebook_id, self.assignment_id, self.student_id)
        grade = self.gradebook.find_grade(nbgrader_mark(cell)["grade_id"], *about)
        if grade.auto_score is None and grade.manual_score is None:
            cell.metadata.nbgrader["score"] = None


class FirstScreen(Preprocessor):
    """Makes the first screen, once nbgrader has filled in the points."""

    enabled = Bool(True).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        resources["first_screen"] = first_screen(nb, resources["nbgrader"])
        return nb, resources
