"""`python -m grading export`: a class's points and feedback pages, in the form that a platform takes.

Scales, and rules for what is dropped or comes on top, are left to the platform.
"""

from __future__ import annotations

import argparse
import contextlib
import html
import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.api import Comment
from tqdm import tqdm

from checks.observe import printable
from grading import assignments, attempts, collect, gradebook, pages, platforms, results, roster, submissions, tables
from grading.platforms import Unreadable
from grading.results import Learner, Results, number
from grading.roster import Roster, Unknown
from grading.submissions import Unusable

ROOT = Path(__file__).resolve().parent.parent
FORMATS = ("canvas", "moodle", "gradescope", "csv", "xlsx")
MOST_NAMED = 10  # in a sentence
RUN = """\
#!/usr/bin/env python3
# Gives each submission the points that were worked out elsewhere: nothing of it is run.
import json, pathlib, shutil

home = pathlib.Path("/autograder")
users = json.loads((home / "submission_metadata.json").read_text())["users"]
names = json.loads((home / "source" / "learners.json").read_text())
keys = [str(user.get(key) or "").casefold() for user in users for key in ("email", "sid", "name")]
known = [names[key] for key in keys if key in names]
found = home / "results" / "results.json"
if known:
    shutil.copy(home / "source" / "results" / known[0], found)
else:
    says = "There are no points for this submission: its email address is not known."
    found.write_text(json.dumps({"score": 0, "output": says, "visibility": "after_published"}))
"""


@dataclass
class Line:
    """What goes out of one learner.

    Attributes:
        learner: as the gradebook has it.
        total: what counts; None: nothing is handed out for it.
        cells: points by the cell's name, before penalty and extra credit.
        comments: lines of text; the first ones are points.
    """

    learner: Learner
    total: float | None
    cells: dict[str, float | None]
    comments: list[str] = field(default_factory=list)


@dataclass
class Class:
    """What goes out of a class.

    Attributes:
        found: its results.
        lines: by learner, in their order.
        by_section: whether each section has a column of its own.
        says: what whoever exports should know, a sentence each.
    """

    found: Results
    lines: dict[str, Line]
    by_section: bool = False
    says: list[str] = field(default_factory=list)

    def columns(self) -> list[tuple[str, float, Callable[[Line], float | None]]]:
        """The columns of points: title, maximum, and what stands in a line."""
        if not self.by_section:
            return [(self.found.assignment, self.found.points, lambda line: line.total)]
        named = [(f"{self.found.assignment}: {cell.title}", cell.points, _cell(cell.name)) for cell in self.found.cells]
        more = [
            (f"{self.found.assignment}: {title}", 0.0, read)
            for title, read in (("extra credit", lambda line: line.learner.extra), ("penalty", _penalty))
            if any(read(line) for line in self.lines.values())
        ]
        return [*named, *more]


def _cell(name: str) -> Callable[[Line], float | None]:
    return lambda line: line.cells.get(name)


def _penalty(line: Line) -> float | None:
    return -line.learner.penalty if line.learner.penalty else None


def gather(found: Results, comments: dict[str, list[str]] | None, by_section: bool, zeros: bool) -> Class:
    """What goes out.

    Args:
        found: the results.
        comments: by learner, what persons wrote; None: no comments go out at all.
        by_section: whether each section has a column of its own.
        zeros: whether who handed in nothing gets 0; else nothing is said of them.
    """
    made = Class(found, {}, by_section)
    for one in found.learners:
        handed_out = one.state == "graded" or (zeros and one.state == "nothing")
        cells = {cell.name: one.points.get(cell.name) if one.state == "graded" else None for cell in found.cells}
        if handed_out and one.state == "nothing":
            cells = dict.fromkeys(cells, 0.0)
        line = made.lines[one.id] = Line(one, one.total if handed_out else None, cells)
        if comments is not None and one.state == "graded":
            line.comments = [*_points(found, one), *comments.get(one.id, [])]
    kinds = {
        "handed in something that is not graded": [one.id for one in found.learners if one.state == "not graded"],
        "handed in something newer than what is graded": [one.id for one in found.learners if one.changed],
        "have points by hand for older work": [one.id for one in found.learners if one.stale],
        "wait for a person's points": [one.id for one in found.learners if one.state == "graded" and one.waits],
    }
    made.says += [f"{len(ids)} {what}: {named(ids)}." for what, ids in kinds.items() if ids]
    return made


def _points(found: Results, one: Learner) -> list[str]:
    """A learner's points, a line each."""
    said = []
    for cell in found.cells:
        mark = one.marks.get(cell.name)
        points = "not graded" if mark is None or mark.points is None else f"{number(mark.points)} of {cell.points:g}"
        extra = f", and {number(mark.extra)} extra" if mark and mark.extra else ""
        said.append(f"{cell.title}: {points}{extra}")
    if one.penalty:
        late = f" ({results.duration(one.seconds_late)} late)" if one.seconds_late else ""
        said.append(f"Penalty: -{number(one.penalty)}{late}")
    return said


def comments(db_url: str, found: Results) -> dict[str, list[str]]:
    """What persons wrote to learners in formgrader, by learner, in one query."""
    made: dict[str, list[str]] = {}
    with gradebook.opened(db_url) as book:
        rows = gradebook.of_cells(book, found.assignment, Comment, Comment.manual_comment)
        for learner, _, cell, text in rows:
            if text and text.strip():
                made.setdefault(learner, []).append(f"{cell.removeprefix('test_')}: {text.strip()}")
    return made


def named(names: Iterable[str]) -> str:
    """Some of them, for a sentence."""
    shown = [printable(name, 60) for name in names]
    more = f" and {len(shown) - MOST_NAMED} more" if len(shown) > MOST_NAMED else ""
    return ", ".join(shown[:MOST_NAMED]) + more


def rounded(points: float | None, digits: int = 2) -> float | None:
    """As platforms show it: a sum of points has digits that nobody gave."""
    if points is None:
        return None
    made = round(points, digits)
    return int(made) if made == int(made) else made


# ---------------------------------------------------------------- tables


def as_csv(made: Class) -> str:
    """A line for each learner."""
    heads, rows = _table(made)
    return tables.as_csv(heads, rows) + "\n"


def _table(made: Class) -> tuple[list[str], list[list[tables.Field]]]:
    columns = made.columns()
    has_comments = any(line.comments for line in made.lines.values())
    heads = ["learner", "first name", "last name", "email", *(title for title, _, _ in columns)]
    heads += ["total"] * made.by_section + ["of", "status"] + ["comment"] * has_comments
    rows = []
    for id, line in made.lines.items():
        one = line.learner
        points = [rounded(read(line), 4) for _, _, read in columns]
        points += [rounded(line.total, 4)] * made.by_section
        row = [id, one.first_name, one.last_name, one.email, *points, made.found.points, "; ".join(one.status)]
        rows.append([*row, *["\n".join(line.comments)] * has_comments])
    return heads, rows


def as_xlsx(made: Class) -> bytes:
    """The same as a spreadsheet, in which no text is a formula, whatever it begins with."""
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    sheet.title = "points"
    heads, rows = _table(made)
    for place, row in enumerate([heads, *rows], 1):
        for column, value in enumerate(row, 1):
            cell = sheet.cell(place, column)
            if isinstance(value, str):
                text = value.encode("utf-8", "replace").decode("utf-8")
                cell.value = ILLEGAL_CHARACTERS_RE.sub(" ", text)[:32_000]
                cell.data_type = "s"
                cell.alignment = Alignment(wrap_text="\n" in text, vertical="top")
            elif value is not None:
                cell.value = value
            if place == 1:
                cell.font = Font(bold=True)
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = sheet.dimensions
    for column, head in enumerate(heads, 1):
        longest = max([len(head), *(len(str(row[column - 1] or "").split("\n")[0]) for row in rows)])
        sheet.column_dimensions[get_column_letter(column)].width = min(60, longest + 2)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


# ---------------------------------------------------------------- platforms


def as_canvas(made: Class, into: Path | None, column: str | None, known: Roster, titles: Sequence[str]) -> str:
    """A file for Canvas' "Import" of grades: students and the columns of points, nothing else is touched.

    Args:
        into: the file that Canvas' "Export" gave: students are called as there, and the assignment is the one that is
            there. Without it the column makes a new assignment.
        column: of that file, where its name is not the assignment's.
        known: the students of the gradebook.
        titles: names of the assignment.

    Raises:
        Unreadable: when the file is none of Canvas', or it is not clear which column is meant.
    """
    columns = made.columns()
    if into is None:
        students = [_student(line) for line in made.lines.values()]
        rows = [(student, line) for student, line in zip(students, made.lines.values(), strict=True)]
        heads, possible = (
            [*platforms.CANVAS_HEADS, *(title for title, _, _ in columns)],
            [most for _, most, _ in columns],
        )
    else:
        heads, *lines = roster.lines_of(into, made.says)
        if "Section" not in heads or "ID" not in heads[:3]:
            raise Unreadable(f"{into.name} is no gradebook of Canvas, as it has no columns ID and Section.")
        end = heads.index("Section") + 1
        possible = [most for _, most, _ in columns]
        names = [title for title, _, _ in columns]
        if not made.by_section:
            names = [platforms.canvas_column(heads, titles, column)]
            there = next(
                (_field(line, heads.index(names[0])) for line in lines if "Points Possible" in _field(line, 0)), ""
            )
            if there and _number(there) != possible[0]:
                made.says.append(f"Canvas has {there} points possible in {names[0]!r}, and here are {possible[0]:g}.")
                possible = [there]
        heads = [*heads[:end], *names]
        found = _whose(lines, heads, known, made)
        rows = [([_field(lines[place], at) for at in range(end)], made.lines[id]) for place, id in found.items()]
    width = len(heads) - len(columns) - 1
    body = [[*student, *(rounded(read(line)) for _, _, read in columns)] for student, line in rows]
    return tables.as_csv(heads, [[platforms.CANVAS_POINTS, *[""] * width, *possible], *body]) + "\n"


def _student(line: Line) -> list[str]:
    one = line.learner
    name = ", ".join(filter(None, (one.last_name, one.first_name))) or one.id
    return [name, one.lms_id, "", one.id, ""]


def as_moodle(made: Class, into: Path | None, known: Roster) -> str:
    """The grading worksheet of a Moodle assignment with grades in it, and comments, if there are any.

    Raises:
        Unreadable: when there is no worksheet.
    """
    if into is None:
        raise Unreadable(
            "Moodle takes grades in its own worksheet only, whose numbers of participants nobody else knows: download "
            "it (View all submissions, Download grading worksheet), and give it with --into."
        )
    if made.by_section:
        raise Unreadable(
            "A grading worksheet of Moodle has one grade for each: leave out --by section; --comments has them."
        )
    heads, *lines = roster.lines_of(into, made.says)
    where = platforms.worksheet(heads)
    has_comments = any(line.comments for line in made.lines.values())
    if has_comments and "comment" not in where:
        made.says.append("The worksheet has no column for comments: switch on Feedback comments in Moodle's settings.")
    body, locked, other = [[*row, *[""] * (len(heads) - len(row))] for row in lines], [], set()
    for place, id in _whose(lines, heads, known, made).items():
        row, line = body[place], made.lines[id]
        if _field(row, where.get("changeable", -1)).casefold() in ("no", "nein", "non"):
            locked.append(id)
            continue
        most = _field(row, where.get("maximum", -1))
        if _number(most) not in (None, made.found.points):
            other.add(most)
        if line.total is not None:
            row[where["grade"]] = rounded(line.total)
        if line.comments and "comment" in where:
            row[where["comment"]] = "<br>".join(html.escape(text, quote=False) for text in line.comments)
    if other:
        made.says.append(f"Moodle's maximum is {', '.join(sorted(other))}, and here are {made.found.points:g} points.")
    if locked:
        made.says.append(f"{len(locked)} have a grade that Moodle does not let change: {named(locked)}.")
    return tables.as_csv(heads, body) + "\n"


def _number(text: str) -> float | None:
    with contextlib.suppress(ValueError):
        return float(text.replace(",", "."))
    return None


def _field(row: Sequence[str], place: int) -> str:
    return row[place].strip() if 0 <= place < len(row) else ""


def _whose(lines: Sequence[list[str]], heads: Sequence[str], known: Roster, made: Class) -> dict[int, str]:
    """Which lines of a platform's list mean which learner; who is not found is said."""
    where = platforms.columns(heads)
    found, unknown = {}, []
    for place, row in enumerate(lines):
        said = {what: " ".join(_field(row, column).split()) for what, column in where.items()}
        if not any(said.values()) or platforms.NOBODY.fullmatch(said.get("full", "")):
            continue
        try:
            member = known.whose(roster.person_of(said))
        except Unknown:
            member = None
        if member is None or member.id not in made.lines:
            unknown.append(said.get("full") or said.get("email") or said.get("key", ""))
        else:
            found[place] = member.id
    if unknown:
        made.says.append(
            f"{len(unknown)} of the platform's list are not known here, and get nothing: {named(unknown)}."
        )
    there = {*found.values()}
    if left := [id for id, line in made.lines.items() if line.total is not None and id not in there]:
        made.says.append(f"{len(left)} have points here and are not in the platform's list: {named(left)}.")
    return found


def as_gradescope(made: Class, reports: dict[str, attempts.Reports]) -> bytes:
    """An autograder for Gradescope that gives each submission its points, with a results.json for each learner."""
    keys: dict[str, str] = {}
    documents = {}
    for place, (id, line) in enumerate(made.lines.items(), 1):
        if line.total is None:
            continue
        name = f"{place}.json"
        documents[name] = json.dumps(gradescope_results(made, line, reports.get(id, {})), indent=1)
        one = line.learner
        for key in (id, one.email, one.lms_id, one.name):
            if key:
                keys.setdefault(key.casefold(), name)
    files = {f"results/{name}": content for name, content in documents.items()}
    files |= {"learners.json": json.dumps(keys, indent=1), "setup.sh": "#!/bin/sh\n", "run_autograder": RUN}
    return _zipped(((name, content.encode()) for name, content in files.items()), ("setup.sh", "run_autograder"))


def gradescope_results(made: Class, line: Line, reports: attempts.Reports) -> dict[str, Any]:
    """What Gradescope reads of one submission."""
    tests = []
    for cell in made.found.cells:
        checks = [f"{check.status}: {check.title}" for check in reports.get(cell.name, ())]
        points = line.cells.get(cell.name)
        tests.append(
            {
                "name": cell.title,
                "score": rounded(points or 0.0),
                "max_score": rounded(cell.points),
                "output": "\n".join(checks),
                "output_format": "text",
                "visibility": "after_published",
            }
        )
    return {
        "score": rounded(line.total),
        "output": "\n".join(line.comments),
        "output_format": "text",
        "visibility": "after_published",
        "stdout_visibility": "hidden",
        "tests": tests,
    }


# ---------------------------------------------------------------- feedback


def feedback_names(
    form: str, archive: Path | None, into: Path | None, known: Roster, made: Class
) -> dict[str, Callable[[str], str]]:
    """How a platform finds whose a feedback file is: for each learner, the path of a file with a given name.

    Raises:
        Unreadable: when that is not known.
    """
    if form == "moodle" and into is not None and archive is None:
        heads, *lines = roster.lines_of(into, [])
        where, found = platforms.columns(heads), {}
        place = platforms.worksheet(heads)["identifier"]
        for line, id in _whose(lines, heads, known, made).items():
            row = lines[line]
            folder = platforms.moodle_folder(_field(row, where.get("full", -1)), platforms.bare_key(row[place]))
            found[id] = _within(folder)
        return found
    if archive is None:
        needed = "the archive with the hand-ins that you have downloaded, with --archive" + (
            ", or the grading worksheet, with --into" if form == "moodle" else ""
        )
        raise Unreadable(f"{form.capitalize()} finds whose a page is by the names in its own files: give {needed}.")
    with collect.opened(archive) as members:
        names = [name for name, entry in members.items() if isinstance(entry, collect.Entry)]
        pieces = platforms.ALL[form].found(names, lambda name: members[name].read()).pieces
    if not pieces:
        raise Unreadable(f"{archive.name} is no archive of hand-ins from {form.capitalize()}.")
    made_of: dict[str, platforms.Piece] = {}
    unknown = set()
    for piece in sorted(pieces, key=lambda piece: (piece.path.endswith(".ipynb"), piece.order, piece.member)):
        for person in piece.people:
            try:
                member = known.whose(person)
            except Unknown:
                member = None
            if member is None:
                unknown.add(person.name or person.key)
            else:
                made_of[member.id] = piece  # the newest notebook
    if unknown:
        made.says.append(f"{len(unknown)} in {archive.name} are not known here: {named(sorted(unknown))}.")
    if form == "canvas":
        return {id: _instead(piece.member) for id, piece in made_of.items()}
    return {
        id: _within(platforms.moodle_folder(piece.people[0].name, piece.people[0].key)) for id, piece in made_of.items()
    }


def _within(folder: str) -> Callable[[str], str]:
    return lambda name: f"{folder}/{name}"


def _instead(member: str) -> Callable[[str], str]:
    """The member's own name, with the end of the file that takes its place."""
    stem = member.rpartition("/")[2].rpartition(".")[0] or member.rpartition("/")[2]
    return lambda name: f"{stem}.{name.rpartition('.')[2]}"


def feedback(made: Class, names: dict[str, Callable[[str], str]], folder: Path, end: str) -> tuple[bytes, int]:
    """A zip file with the pages, or graded notebooks, of learners; and of how many it has some.

    Args:
        names: paths in the file, by learner.
        folder: of the pages: <learner>/<assignment>/.
        end: of the names of pages: ".html", ".ipynb".
    """
    missing: list[str] = []
    graded = [id for id, line in made.lines.items() if line.learner.state == "graded"]
    notebooks = list(dict.fromkeys(cell.notebook for cell in made.found.cells))

    def found() -> Iterator[tuple[str, bytes]]:
        for id in tqdm(graded, desc="packing", unit="learner", disable=not sys.stderr.isatty(), leave=False):
            has_some = False
            for name in notebooks if id in names else ():
                with contextlib.suppress(Unusable):
                    page = submissions.read_file(folder / id / made.found.assignment / f"{name}{end}")
                    has_some = True
                    yield names[id](f"{name}{end}"), page
            if not has_some:
                missing.append(id)

    packed = _zipped(found())
    if missing:
        made.says.append(f"{len(missing)} are graded and have no page in {folder.name}: {named(missing)}.")
    return packed, len(graded) - len(missing)


def _zipped(files: Iterable[tuple[str, bytes]], programs: Iterable[str] = ()) -> bytes:
    """A zip file, the same for the same files."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if name in programs else 0o644) << 16
            archive.writestr(entry, content)
    return data.getvalue()


# ---------------------------------------------------------------- the command


def main(arguments: list[str], chosen: Callable[[str | None], str]) -> int:
    """The command; `chosen` tells the assignment from what was typed."""
    parser = argparse.ArgumentParser(prog="python -m grading export", description=__doc__.split("\n")[0])
    parser.add_argument("assignment", nargs="?")
    parser.add_argument("--format", required=True, choices=FORMATS)
    parser.add_argument(
        "--by", choices=("total", "section"), default="total", help="one column, or one for each section"
    )
    parser.add_argument(
        "--comments", action="store_true", help="points by section, and what persons wrote, as comments"
    )
    parser.add_argument("--zeros", action="store_true", help="0 for those who handed in nothing")
    parser.add_argument("--into", type=Path, help="the platform's own list: Canvas' gradebook, Moodle's worksheet")
    parser.add_argument("--column", help="of Canvas' gradebook, if its name is not the assignment's")
    parser.add_argument("--feedback-zip", action="store_true", help="feedback pages for the platform, too")
    parser.add_argument("--notebooks", action="store_true", help="with it: graded notebooks in place of pages")
    parser.add_argument(
        "--archive", type=Path, help="the archive of hand-ins that the platform gave: it names whose is which"
    )
    parser.add_argument("--db", default=f"sqlite:///{ROOT / 'gradebook.db'}", help="the gradebook (nbgrader's db_url)")
    parser.add_argument("--submitted", type=Path, default=ROOT / "submitted", help="what was handed in")
    parser.add_argument("--autograded", type=Path, default=ROOT / "autograded", help="the graded notebooks")
    parser.add_argument("--feedback", type=Path, default=ROOT / "feedback", help="the feedback pages")
    parser.add_argument("--journal", type=Path, default=ROOT / ".grading", help="where the results are kept")
    parser.add_argument("--to", type=Path, default=ROOT / pages.DESK, help="where files are written")
    options = parser.parse_args(arguments)
    assignment = chosen(options.assignment)
    try:
        return _export(options, assignment)
    except (Unreadable, gradebook.GradebookError) as error:
        raise LookupError(f"Nothing was written. {error}") from None


def _export(options: argparse.Namespace, assignment: str) -> int:
    found = results.read(options.db, assignment, submitted=options.submitted, journal=options.journal)
    words = comments(options.db, found) if options.comments else None
    made = gather(found, words, options.by == "section", options.zeros)
    known, form, folder = roster.of_gradebook(options.db), options.format, options.to / assignment
    files: dict[str, str | bytes] = {}
    if form == "canvas":
        declared = assignments.facts_of(assignment)
        titles = [assignment, *([declared.title] if declared else [])]
        files["canvas.csv"] = as_canvas(made, options.into, options.column, known, titles)
        if options.comments:
            made.says.append("Canvas' gradebook takes no comments: hand out pages, with --feedback-zip.")
    elif form == "moodle":
        files["moodle.csv"] = as_moodle(made, options.into, known)
    elif form == "gradescope":
        graded = [id for id, line in made.lines.items() if line.learner.state == "graded"]
        names = list(dict.fromkeys(cell.notebook for cell in found.cells))
        files["gradescope.zip"] = as_gradescope(made, attempts.now(options.autograded, assignment, graded, names))
    elif form == "csv":
        files["points.csv"] = as_csv(made)
    else:
        files["points.xlsx"] = as_xlsx(made)
    count = sum(line.total is not None for line in made.lines.values())
    said = [f"{count} of {len(made.lines)} learners have points."]
    if options.feedback_zip:
        if form not in ("canvas", "moodle"):
            raise Unreadable("Pages go to Canvas and Moodle as a zip file: --feedback-zip is for these formats.")
        whose = feedback_names(form, options.archive, options.into, known, made)
        place, end = (options.autograded, ".ipynb") if options.notebooks else (options.feedback, ".html")
        files[f"{form}-feedback.zip"], packed = feedback(made, whose, place, end)
        said.append(f"{packed} have a page in {form}-feedback.zip.")
    places = [pages.write(folder / name, content) for name, content in files.items()]
    print("\n".join([*said, *dict.fromkeys(made.says), *map(str, places)]))
    return 0
