"""Where am I: the points of all sections, as far as they are known, and what is next.

What a test found is kept in a small file beside tests.py, so that it is still known after a restart of the kernel. The
file is the learner's, to delete at will; nothing is ever graded by it.
"""

from __future__ import annotations

import contextlib
import datetime
import html
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checks.report import STYLE, TEXT, Report, in_notebook, show

if TYPE_CHECKING:
    from checks.assignment import Assignment
    from checks.section import Section

FILE = Path(__file__).parent.with_name("progress.json")
_here: set[tuple[str, str]] = set()  # sections whose test has run in this process
# In the elements themselves: a front end that does not trust the notebook drops STYLE and keeps these.
LEFT = "text-align: left; vertical-align: top"
NARROW = "; white-space: nowrap"
TABLE = f"""<style>
.minitorch-report.minitorch-report table {{ border-collapse: collapse; background: transparent; margin: 0.5em 0;
  font-size: 1em; }}
.minitorch-report th, .minitorch-report td {{ color: {TEXT}; background: transparent; padding: 0.3em 0.8em;
  white-space: normal; font-weight: normal; }}
.minitorch-report tbody th {{ white-space: nowrap; }}
.minitorch-report td small {{ font-size: 1em; opacity: 0.8; }}
</style>"""


def keep(assignment: Assignment, report: Report) -> None:
    """Keep what a test found; only in a notebook. A folder that cannot be written keeps nothing."""
    if not in_notebook():
        return
    first = report.open
    found = {
        "score": report.count_passed if report.practice else report.score,
        "points": report.whole,
        "open": first.title if first else None,
        "when": datetime.datetime.now().isoformat(timespec="minutes"),
    }
    kept = _kept()
    before = kept.setdefault(assignment.title, {}).get(report.section)
    if report.until and before and before["points"] == found["points"] and before["score"] >= found["score"]:
        return  # a part of the section takes nothing away
    _here.add((assignment.title, report.section))
    kept[assignment.title][report.section] = found
    beside = FILE.with_suffix(f".{os.getpid()}.new")
    with contextlib.suppress(OSError):
        try:
            beside.write_text(json.dumps(kept, indent=1), encoding="utf-8")
            beside.replace(FILE)
        finally:
            beside.unlink(missing_ok=True)


def known(assignment: Assignment) -> dict[str, dict[str, Any]]:
    """What the file says of each section; nothing of what is no such thing."""
    return _kept().get(assignment.title, {})


def _kept() -> dict[str, dict[str, dict[str, Any]]]:
    """What the file says of each section, by assignments."""
    try:
        kept = json.loads(FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    some = {title: found for title, found in kept.items() if isinstance(found, dict)} if isinstance(kept, dict) else {}
    return {title: {id: one for id, one in found.items() if _is_sound(one)} for title, found in some.items()}


def _is_sound(found: Any) -> bool:
    """Whether this is what `keep` writes, and nothing more: what else there is might not be written again."""
    number = (int, float)  # and no bool, which is an int as well
    return (
        isinstance(found, dict)
        and found.keys() == {"score", "points", "open", "when"}
        and type(found["score"]) in number
        and type(found["points"]) in number
        and 0 <= found["score"] <= found["points"]  # false for NaN
        and isinstance(found["open"], (str, type(None)))
        and isinstance(found["when"], str)
    )


def _row(assignment: Assignment, section: Section, found: dict[str, Any] | None) -> tuple[str, str, str]:
    """Result, points and remark of a section; nothing is found of one that was not run."""
    score = f"{found['score']:g}" if found else "-"
    points = "practice" if section.practice else f"{score} / {section.points:g}"
    if found is None:
        return "○ not run", points, ""
    full = found["score"] == found["points"]
    remark = "" if full or not found["open"] else f"look at: {found['open']}"
    if (assignment.title, section.id) not in _here:
        remark = f"{remark + '; ' if remark else ''}from {found['when'].replace('T', ' ')}, by another kernel"
    if section.practice:
        word = "✓ all passed" if full else "… in part" if found["score"] else "✗ none passed"
    else:
        word = "✓ all points" if full else "… in part" if found["score"] else "✗ no points"
    return word, points, remark


def table(assignment: Assignment) -> tuple[str, list[tuple[str, str, str, str]], str]:
    """A head, a row for each section (title, result, points, remark), and what is next."""
    sections = assignment.all_sections
    worth = {section.id: section.worth for section in sections}
    # Those with other points are of other tests.
    run = {id: found for id, found in known(assignment).items() if found["points"] == worth.get(id)}
    done = [id for id, found in run.items() if found["score"] == found["points"]]
    rows = [(section.title, *_row(assignment, section, run.get(section.id))) for section in sections]
    earned = sum(run[section.id]["score"] for section in assignment.sections if section.id in run)
    begun, ended = (
        max((place for place, section in enumerate(sections) if section.id in some), default=-1) for some in (run, done)
    )
    # Practice may be left out: who has tried it, or is behind it, goes on.
    left_out = [
        section.id
        for place, section in enumerate(sections)
        if section.practice and (place < ended or (section.id in run and place < begun))
    ]
    todo = [section for section in sections if section.id not in [*done, *left_out]]
    left = [section for section in sections if section.practice and section.id in run and section.id not in done]
    line = f"Next: {todo[0].title}, then run {todo[0].call}" if todo else "All points are yours. Well done!"
    if left and not todo:
        line += f" If you like: {left[0].title}, for practice."
    return f"{assignment.title}: {earned:g} of {assignment.points:g} points", rows, line


def _head(text: str) -> str:
    return f'<th scope="col" style="{LEFT}">{text}</th>'


def _cell(content: str, more: str = "") -> str:
    return f'<td style="{LEFT}{more}">{content}</td>'


def _with_remark(title: str, remark: str) -> str:
    """Both in one cell of the table, which so fits a narrow page."""
    return html.escape(title) + (f"<br><small>{html.escape(remark)}</small>" if remark else "")


def show_progress(assignment: Assignment) -> None:
    title, rows, line = table(assignment)
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"{row[1]:{widths[1]}}  {row[2]:>{widths[2]}}  {row[0]:{widths[0]}}  {row[3]}".rstrip() for row in rows]
    note = f"Kept in {FILE.name} beside tests.py; delete it to begin anew. It is never graded."
    cells = "".join(
        f'<tr><th scope="row" style="{LEFT}">{html.escape(row[1])}</th>'
        f"{_cell(html.escape(row[2]), NARROW)}{_cell(_with_remark(row[0], row[3]))}</tr>"
        for row in rows
    )
    page = (
        f'<div class="minitorch-report">{STYLE}{TABLE}<p><strong>{html.escape(title)}</strong></p><table><thead><tr>'
        f"{_head('Result')}{_head('Points')}{_head('Section')}</tr></thead><tbody>{cells}</tbody></table>"
        f"<p>{html.escape(line)}</p><p>{html.escape(note)}</p></div>"
    )
    show({"text/plain": "\n".join([title, "", *lines, "", line, note]), "text/html": page})
