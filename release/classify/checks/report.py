"""What the checks of one section found, and the three forms a learner or a tool reads it in."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

UNTOLD = {"drawing", "printed"}  # of a check, to tools
MIME = "application/vnd.minitorch.report+json"
WIDTH = 80
PRINTED = "What your code printed here"
INDENT = 16  # of the title of a check, behind its status and points
WORDS = {"passed": "passed", "failed": "FAILED", "waiting": "waiting", "missing": "to do", "broken": "broken"}
BARS = {
    "passed": "#2e8b57",
    "failed": "#d13438",
    "waiting": "#8a8a8a",
    "missing": "#8a8a8a",
    "broken": "#b8860b",
}
SYMBOLS = {"passed": "✓", "waiting": "…", "missing": "○", "broken": "!", "failed": "✗"}  # from good to bad
LONG = 25  # lines of code that is shown folded
PLAIN = "list-style: none; margin: 0; padding: 0"


@dataclass(frozen=True)
class Drawing:
    """A call that draws what a snippet shows, and the line above it."""

    says: str
    call: str


@dataclass
class Result:
    """One check's verdict. `expected`, `got` and `snippet` are text; `hints` go from nudge to rule."""

    id: str
    title: str
    points: float
    score: float = 0.0
    status: str = "waiting"  # "passed", "failed", "waiting", "missing" or "broken"
    expected: str | None = None
    got: str | None = None
    snippet: str | None = None
    mistake: str | None = None
    hints: list[str] = field(default_factory=list)
    says: str | None = None  # what was observed, in one line
    drawing: Drawing | None = None  # of what the snippet shows
    stage: str | None = None  # the id of its stage
    printed: str | None = None  # what the learner's code printed meanwhile


@dataclass(frozen=True)
class Part:
    """The results of a stage, or of a section that has none."""

    title: str | None
    checks: list[Result]

    @property
    def status(self) -> str:
        """The worst of its checks; where all others wait for something, that is what it does."""
        return max((check.status for check in self.checks), key=[*SYMBOLS].index)

    def so_far(self, practice: bool) -> str:
        """What is earned of it, in words."""
        if practice:
            return f"{count_passed(self.checks)} of {counted(len(self.checks), 'check')}"
        points = sum(check.points for check in self.checks)
        return f"{sum(check.score for check in self.checks):g} of {counted(points, 'point')}"

    def lines(self) -> list[tuple[Result, str]]:
        """Each check with its line; of a run of checks that wait for the same thing, the first one has it."""
        told = [_line(check) for check in self.checks]
        return [
            (check, "" if check.status == "waiting" and line == before else line)
            for check, line, before in zip(self.checks, told, ["", *told], strict=False)
        ]


@dataclass(frozen=True)
class FollowThrough:
    """A section's points on the learner's earlier sections, and on the reference's: the better ones count."""

    own: float
    reference: float
    points: float  # that the section gives

    def __str__(self) -> str:
        own, reference = (f"{score:g} of {self.points:g}" for score in (self.own, self.reference))
        if self.reference == self.own:
            return f"With your own earlier sections: {own}. With the reference's earlier sections: the same."
        counts = ", and this counts"
        own, reference = (own, reference + counts) if self.reference > self.own else (own + counts, reference)
        return f"With your own earlier sections: {own}. With the reference's earlier sections: {reference}."


@dataclass
class Report:
    """The results of one section, in teaching order."""

    section: str
    title: str
    call: str  # what a learner types to run these checks again
    seed: int
    checks: list[Result]
    progress: str | None = None  # the assignment so far, in one line
    follow_through: FollowThrough | None = None  # where it was judged a second time
    causes: list[Any] = field(default_factory=list)  # ways of known mistakes that explain the failures
    fault: str | None = None  # of the checks, which kept them from looking for mistakes: for their author
    stages: Mapping[str, str] = field(default_factory=dict)  # the titles of the section's stages, by id
    until: str | None = None  # the last stage that was looked at; all were without it
    whole: float | None = None  # what the section is worth, of which this may be a part: points, or checks for practice
    practice: bool = False  # whether it gives no points
    note: str | None = None  # on what the work was compared with

    @property
    def points(self) -> float:
        return sum(check.points for check in self.checks)

    @property
    def passed(self) -> bool:
        return self.count_passed == len(self.checks)

    @property
    def count_passed(self) -> int:
        return count_passed(self.checks)

    @property
    def score(self) -> float:
        return min(sum(check.score for check in self.checks), self.points)

    def as_dict(self) -> dict[str, Any]:
        """The report for tools: plain JSON types only."""
        return {
            "section": self.section,
            "title": self.title,
            "points": self.points,
            "score": self.score,
            "seed": self.seed,
            "checks": [
                {key: value for key, value in vars(check).items() if key not in UNTOLD} | {"hints": [*check.hints]}
                for check in self.checks
            ],
            "follow_through": asdict(self.follow_through) if self.follow_through else None,
        }

    @property
    def open(self) -> Result | None:
        """The check to look at first: the first that failed, else the first that is not written yet."""
        for status in ("failed", "missing"):
            for check in self.checks:
                if check.status == status:
                    return check
        return None

    def _head(self) -> str:
        praise = ". Excellent!" if (self.passed if self.practice else self.score == self.points) else ""
        title = f"{self.title}, up to “{self.stages[self.until]}”" if self.until else self.title
        if self.practice:
            return f"{title}: {self.count_passed} of {counted(len(self.checks), 'check')} passed{praise}"
        return f"{title}: {self.score:g} of {self.points:g} points{praise}"

    def _below(self) -> list[str]:
        """The sentences below the head."""
        so_far = f"Of the {self.whole:g} points of the whole section, {self.score:g} so far." if self.until else ""
        practice = "For practice: it gives no points." if self.practice else ""
        return [str(line) for line in (practice or so_far, self.progress, self.follow_through, self.note) if line]

    def _again(self) -> str:
        until = f", until={self.until!r}" if self.until else ""
        return f"{self.call[:-1]}{until}, seed={self.seed})"

    def _parts(self) -> list[Part]:
        """The checks by stages, in order; one part without a title where the section has no stages."""
        by_stage: dict[str | None, list[Result]] = {}
        for check in self.checks:
            by_stage.setdefault(check.stage, []).append(check)
        return [Part(self.stages.get(stage), checks) for stage, checks in by_stage.items()]

    def _open_part(self, parts: list[Part]) -> Part | None:
        """The part to look at: that of the check that stands open, else the first that does not pass."""
        first = self.open
        holds = [part for part in parts if any(check is first for check in part.checks)]
        return next(iter(holds or [part for part in parts if part.status != "passed"]), None)

    def as_text(self) -> str:
        """What the HTML says, in at most 80 columns (snippets keep their own line breaks): of stages that are folded a
        line, with what failed in them, and what was printed."""
        lines = [line for said in (self._head(), *self._below()) for line in _wrapped(said, 0)] + [""]
        parts = self._parts()
        opened = self._open_part(parts)
        for part in parts:
            margin = ""
            if part.title is not None:
                margin = "  "
                verdict = f"{SYMBOLS[part.status]} {WORDS[part.status]:8}"
                lines += _wrapped(f"{verdict}{part.title}: {part.so_far(self.practice)}", 10)
            for check, line in part.lines():
                if part.title is None or part is opened or check.printed or check.status in ("failed", "broken"):
                    lines += self._lines(check, line, margin)
        return "\n".join([*lines, "", "The same numbers again:", f"    {self._again()}"])

    def _lines(self, check: Result, line: str, margin: str) -> list[str]:
        points = "" if self.practice else f"{check.points:4g}  "
        indent = len(margin) + INDENT - (6 if self.practice else 0)
        lines = _wrapped(f"{margin}{SYMBOLS[check.status]} {WORDS[check.status]:8}{points}{check.title}", indent)
        if line:
            lines += _wrapped(" " * indent + line, indent)
        if check is self.open:
            lines += _details(check)
        return lines + _printed(check)

    def as_html(self) -> str:
        """The report as one HTML element: no scripts, colors from the notebook's theme, all text escaped."""
        parts = self._parts()
        opened = self._open_part(parts)
        below = "".join(f"<br>{html.escape(line)}" for line in self._below())
        return (
            f'<div class="minitorch-report">{STYLE}<p><strong>{html.escape(self._head())}</strong>{below}</p>'
            f"{''.join(self._part(part, part is opened) for part in parts)}"
            f"<p>The same numbers again: <code>{html.escape(self._again())}</code></p></div>"
        )

    def _part(self, part: Part, is_open: bool) -> str:
        rows = "".join(self._row(check, line) for check, line in part.lines())
        rows = f'<ul style="{PLAIN}">{rows}</ul>'
        if part.title is None:
            return rows
        says = f"{html.escape(part.title)}: {part.so_far(self.practice)}"
        return (
            f'<details class="stage"{" open" if is_open else ""}><summary>{mark(part.status)} {says}</summary>'
            f"{rows}</details>"
        )

    def _row(self, check: Result, line: str) -> str:
        points = "" if self.practice else f'<span class="points">{check.score:g} of {check.points:g}</span> '
        what = f"{mark(check.status)} {points}<span>{html.escape(check.title)}"
        if line:
            what += f"<br>{html.escape(line)}"
        what += "</span>"
        inside = _details_html(check)
        if inside:
            shown = " open" if check is self.open else ""
            what = f"<details{shown}><summary>{what}</summary>{inside}</details>"
        else:
            what = f"<div>{what}</div>"
        bar = f"border-left: 4px solid {BARS[check.status]}"
        return f'<li class="{check.status}" style="{PLAIN} 0 0 4px; {bar}">{what}</li>'

    def mimebundle(self) -> dict[str, Any]:
        """The three forms, keyed by MIME type, as a notebook output holds them."""
        return {"text/plain": self.as_text(), "text/html": self.as_html(), MIME: self.as_dict()}

    def show(self) -> None:
        """Display the report in a notebook; elsewhere print its text."""
        show(self.mimebundle() if in_notebook() else {"text/plain": self.as_text()})


def in_notebook() -> bool:
    """Whether something shows what is displayed: a shell with a kernel. IPython in a terminal only prints."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None


def show(forms: dict[str, Any]) -> None:
    """Display something, given in several forms by MIME type, in a notebook; elsewhere print its text."""
    if not in_notebook():
        print(forms["text/plain"])
        return
    from IPython.display import display

    display(forms, raw=True)


class Score(float):
    """The points a section earned. It prints as a plain number, which nbgrader reads as partial credit."""

    report: Report

    def __new__(cls, report: Report) -> Score:
        score = super().__new__(cls, report.score)
        score.report = report
        return score


class Practiced(Score):
    """What a section for practice gives: no points, which a notebook does not show below its report."""

    def _ipython_display_(self) -> None:
        pass


def _line(check: Result) -> str:
    """What is wrong, or missing, or waited for, in one line."""
    return (check.says or check.got or "").split("\n", 1)[0]


def _rest(check: Result) -> str:
    """What was got, without the line that has been said."""
    got, line = check.got or "", _line(check)
    if check.expected is not None:
        return got
    first, _, rest = got.partition("\n")
    if first == line or (line.endswith("…") and first.startswith(line[:-1])):  # it was cut there
        return rest
    return got.removeprefix(f"{line}: ")


def _wrapped(line: str, indent: int) -> list[str]:
    return textwrap.wrap(line, WIDTH, subsequent_indent=" " * indent, drop_whitespace=True) or [""]


def _block(label: str, text: str) -> list[str]:
    """A labelled text under a check; every line is kept, long ones are folded at 80 columns."""
    lines = []
    for number, line in enumerate(text.split("\n")):
        head = f"{label:10}" if number == 0 else " " * 10
        lines += _wrapped(" " * 4 + head + line, 14) if line.strip() else [""]
    return lines


def _details(check: Result) -> list[str]:
    lines = []
    if check.expected is not None:
        lines += _block("expected", check.expected)
    if _rest(check):
        lines += _block("got" if check.expected is not None else "", _rest(check))
    code = []
    if check.snippet:
        code += ["", "    Paste this into a new cell to see it:", ""]
        code += ["        " + line for line in check.snippet.split("\n")] + [""]
        if check.drawing:
            code += [f"    {check.drawing.says}", "", f"        {check.drawing.call}", ""]
    hints = [line for number, hint in enumerate(check.hints, 1) for line in _block(f"hint {number}", hint)]
    return [*lines, *hints, *code] if _is_long(check.snippet) else [*lines, *code, *hints]


def _is_long(snippet: str | None) -> bool:
    """Whether it is shown folded; as text, after all else."""
    return snippet is not None and snippet.count("\n") >= LONG


def _printed(check: Result) -> list[str]:
    if not check.printed:
        return []
    lines = ["", f"    {PRINTED}:", ""]
    for line in check.printed.split("\n"):
        lines += [" " * 8 + part for part in textwrap.wrap(line, WIDTH - 8, replace_whitespace=False) or [""]]
    return [*lines, ""]


def count_passed(checks: Iterable[Result]) -> int:
    return sum(check.status == "passed" for check in checks)


def mark(status: str) -> str:
    """How something went, as symbol and word."""
    return f'<span class="verdict">{SYMBOLS[status]} {WORDS[status]}</span>'


def counted(count: float, noun: str, plural: str = "") -> str:
    return f"{count:.12g} {noun if count == 1 else plural or noun + 's'}"


def _pre(text: str, folded: bool = False) -> str:
    """Text as it stands; of much of it only the number of its lines is seen before it is unfolded."""
    shown = f"<pre>{html.escape(text)}</pre>"
    return f"<details><summary>{text.count(chr(10)) + 1} lines</summary>{shown}</details>" if folded else shown


def _details_html(check: Result) -> str:
    """What unfolds below a check; nothing where there is nothing more to say."""
    boxes = []
    if check.snippet:
        boxes.append(("code", check.snippet))
    if check.expected is not None:
        boxes += [("expected", check.expected), ("got", check.got or "")]
    elif check.status in ("failed", "missing", "broken") and _rest(check):
        boxes.append(("details", _rest(check)))
    seen = "".join(f"<span>{label}</span>{_pre(text, label == 'code' and _is_long(text))}" for label, text in boxes)
    parts = [f'<div class="seen">{seen}</div>'] if boxes else []
    if check.snippet:
        then = html.escape(f" {check.drawing.says}", quote=False) if check.drawing else ""
        parts.append(f"<p>Paste this code into a new cell to see it.{then}</p>")
        parts += [_pre(check.drawing.call)] if check.drawing else []
    hints = ""
    for number, hint in reversed(list(enumerate(check.hints, 1))):  # each opens the way to the next
        hints = f"<details><summary>Hint {number}</summary><p>{html.escape(hint)}</p>{hints}</details>"
    parts.append(hints)
    if check.printed:
        parts.append(f"<details><summary>{PRINTED}</summary>{_pre(check.printed)}</details>")
    return f'<div class="told">{"".join(parts)}</div>' if any(parts) else ""


TEXT = "var(--vscode-foreground, var(--jp-content-font-color1, currentColor))"
FAINT, EDGE = "rgba(127, 127, 127, 0.12)", "rgba(127, 127, 127, 0.35)"  # on light and on dark pages
STYLE = f"""<style>
.minitorch-report {{ color: {TEXT}; max-width: 60em; line-height: 1.5; }}
.minitorch-report p {{ max-width: 80ch; margin: 0.5em 0; }}
.minitorch-report strong {{ font-size: 1.15em; }}
.minitorch-report li {{ margin: 0; border-bottom: 1px solid {EDGE}; }}
.minitorch-report .stage li:last-child {{ border-bottom: none; }}
.minitorch-report li > div, .minitorch-report summary {{ display: flex; gap: 0.6em; padding: 0.3em 0.6em; }}
.minitorch-report summary {{ cursor: pointer; }}
.minitorch-report li > div::before, .minitorch-report summary::before {{ flex: 0 0 0.8em; content: ""; }}
.minitorch-report summary::before {{ content: "▸"; }}
.minitorch-report details[open] > summary::before {{ content: "▾"; }}
.minitorch-report .verdict {{ flex: 0 0 5.2em; white-space: nowrap; }}
.minitorch-report .points {{ flex: 0 0 6em; white-space: nowrap; }}
.minitorch-report .verdict ~ span:last-child {{ flex: 1; max-width: 80ch; }}
.minitorch-report li.failed > details > summary > .verdict {{ font-weight: bold; }}
.minitorch-report .stage {{ margin: 0.4em 0; border: 1px solid {EDGE}; border-radius: 3px; }}
.minitorch-report .stage > summary {{ background: {FAINT}; font-weight: 600; }}
.minitorch-report .told {{ margin: 0 0.6em 0.6em 2em; }}
.minitorch-report .told summary {{ padding-left: 0; }}
.minitorch-report .told details > :not(summary) {{ margin: 0.2em 0 0.2em 1.4em; }}
.minitorch-report .seen {{ display: grid; grid-template-columns: 4.6em 1fr; gap: 0.3em 0.8em; }}
.minitorch-report.minitorch-report .seen > pre {{ margin: 0; }}
.minitorch-report .seen > span {{ padding: 0.4em 0; }}
.minitorch-report.minitorch-report pre {{ color: {TEXT}; background: {FAINT}; padding: 0.5em 0.8em; border-radius: 3px;
  border: 0; font-size: 0.93em; line-height: 1.45; white-space: pre-wrap; overflow-wrap: anywhere; }}
.minitorch-report code {{ color: {TEXT}; background: {FAINT}; padding: 0.1em 0.3em; border-radius: 3px; }}
</style>"""
