"""What the checks of one section found, and the three forms a learner or a tool reads it in."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

UNTOLD = {"says", "drawing"}  # of a check, to tools
MIME = "application/vnd.minitorch.report+json"
WIDTH = 80
INDENT = 16  # of the title of a check, behind its status and points
WORDS = {"passed": "passed", "failed": "FAILED", "waiting": "waiting", "missing": "to do", "broken": "broken"}
BARS = {
    "passed": "#2e8b57",
    "failed": "#d13438",
    "waiting": "#8a8a8a",
    "missing": "#8a8a8a",
    "broken": "#b8860b",
}
# In the elements themselves: a front end that does not trust the notebook drops STYLE and keeps these.
LEFT = "text-align: left; vertical-align: top"
NARROW = "; white-space: nowrap"
SYMBOLS = {"passed": "✓", "failed": "✗", "waiting": "…", "missing": "○", "broken": "!"}


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
    note: str | None = None  # what else the learner should know
    causes: list[Any] = field(default_factory=list)  # ways of known mistakes that explain the failures
    fault: str | None = None  # of the checks, which kept them from looking for mistakes: for their author
    stages: Mapping[str, str] = field(default_factory=dict)  # the titles of the section's stages, by id
    until: str | None = None  # the last stage that was looked at; all were without it
    whole: float | None = None  # the points of the section, where this is a part of it
    practice: bool = False  # whether it gives no points

    @property
    def points(self) -> float:
        return sum(check.points for check in self.checks)

    @property
    def passed(self) -> bool:
        return all(check.status == "passed" for check in self.checks)

    @property
    def score(self) -> float:
        return min(sum(check.score for check in self.checks), self.points)

    def as_dict(self) -> dict[str, Any]:
        """The report for tools: plain JSON types only."""
        return {
            "section": self.section,
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
            passed = sum(check.status == "passed" for check in self.checks)
            return f"{title}: {passed} of {len(self.checks)} checks pass{praise}"
        return f"{title}: {self.score:g} of {self.points:g} points{praise}"

    def _below(self) -> list[str]:
        """The sentences below the head."""
        so_far = f"Of the {self.whole:g} points of the whole section, {self.score:g} so far." if self.until else ""
        practice = "For practice: it gives no points." if self.practice else ""
        return [str(line) for line in (practice or so_far, self.progress, self.follow_through) if line]

    def _again(self) -> str:
        until = f", until={self.until!r}" if self.until else ""
        return f"{self.call[:-1]}{until}, seed={self.seed})"

    def as_text(self) -> str:
        """Everything the HTML says, in at most 80 columns (snippets keep their own line breaks)."""
        lines = [line for said in (self._head(), *self._below()) for line in _wrapped(said, 0)] + [""]
        said = None  # a run of checks that wait for the same thing says so once
        for check in self.checks:
            lines += _wrapped(
                f"{SYMBOLS[check.status]} {WORDS[check.status]:8}{check.points:4g}  {check.title}", INDENT
            )
            if check.status != "passed" and _line(check) != said:
                lines += _wrapped(" " * INDENT + _line(check), INDENT)
            if check is self.open:
                lines += _details(check)
            said = _line(check)
        if self.note:
            lines += ["", *_wrapped(self.note, 0)]
        return "\n".join([*lines, "", "The same numbers again:", f"    {self._again()}"])

    def as_html(self) -> str:
        """The report as one HTML element: no scripts, colors from the notebook's theme, all text escaped."""
        before = ["", *map(_line, self.checks)]  # a run of checks that wait for the same thing says so once
        rows = "".join(self._row(check, said) for check, said in zip(self.checks, before, strict=False))
        return (
            f'<div class="minitorch-report">{STYLE}<p><strong>{html.escape(self._head())}</strong>'
            f"{''.join(f'<br>{html.escape(line)}' for line in self._below())}</p>"
            f"<table><thead><tr>{head('Result')}{head('Points')}{head('Check')}</tr></thead>"
            f"<tbody>{rows}</tbody></table>"
            f"{f'<p>{html.escape(self.note)}</p>' if self.note else ''}"
            f"<p>The same numbers again: <code>{html.escape(self._again())}</code></p></div>"
        )

    def _row(self, check: Result, said: str) -> str:
        word = f"{SYMBOLS[check.status]} {WORDS[check.status]}"
        what = html.escape(check.title)
        if check.status != "passed":
            shown = " open" if check is self.open else ""
            if check.status != "waiting" or _line(check) != said:
                what = f"{what}<br>{html.escape(_line(check))}"
            if check.status != "waiting":  # then there is nothing to unfold
                what = f"<details{shown}><summary>{what}</summary>{_details_html(check)}</details>"
        return (
            f'<tr class="{check.status}"><th scope="row" style="{LEFT}; border-left: 4px solid {BARS[check.status]}">'
            f"{word}</th>{cell(f'{check.score:g} / {check.points:g}', NARROW)}{cell(what)}</tr>"
        )

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
    got = check.got or ""
    return got if check.expected is not None else got.removeprefix(_line(check)).lstrip("\n")


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
    if check.snippet:
        lines += ["", "    Paste this into a new cell to see it:", ""]
        lines += ["        " + line for line in check.snippet.split("\n")] + [""]
        if check.drawing:
            lines += [f"    {check.drawing.says}", "", f"        {check.drawing.call}", ""]
    for number, hint in enumerate(check.hints, 1):
        lines += _block(f"hint {number}", hint)
    return lines


def head(text: str) -> str:
    return f'<th scope="col" style="{LEFT}">{text}</th>'


def cell(content: str, more: str = "") -> str:
    return f'<td style="{LEFT}{more}">{content}</td>'


def _pre(text: str) -> str:
    return f"<pre>{html.escape(text)}</pre>"


def _details_html(check: Result) -> str:
    parts = []
    if check.expected is not None:
        parts.append(
            f"<table><thead><tr>{head('expected')}{head('got')}</tr></thead><tbody><tr>"
            f"{cell(_pre(check.expected))}{cell(_pre(check.got or ''))}</tr></tbody></table>"
        )
    elif _rest(check):
        parts.append(_pre(_rest(check)))
    if check.snippet:
        parts.append(f"<p>Paste this into a new cell to see it:</p>{_pre(check.snippet)}")
        if check.drawing:
            parts.append(f"<p>{html.escape(check.drawing.says, quote=False)}</p>{_pre(check.drawing.call)}")
    hints = ""
    for number, hint in reversed(list(enumerate(check.hints, 1))):  # each opens the way to the next
        hints = f"<details><summary>Hint {number}</summary><p>{html.escape(hint)}</p>{hints}</details>"
    return "".join([*parts, hints])


TEXT = "var(--vscode-foreground, var(--jp-content-font-color1, currentColor))"
STYLE = (
    "<style>"
    f".minitorch-report {{ color: {TEXT}; max-width: 60em; }}"
    ".minitorch-report table { border-collapse: collapse; background: transparent; margin: 0.3em 0; }"
    f".minitorch-report th, .minitorch-report td {{ color: {TEXT}; background: transparent;"
    " padding: 0.2em 0.8em; white-space: normal; font-weight: normal; }"
    ".minitorch-report tbody th { white-space: nowrap; }"
    f".minitorch-report pre {{ color: {TEXT}; background: transparent; white-space: pre-wrap; margin: 0.2em 0;"
    " overflow-wrap: anywhere; }"
    ".minitorch-report summary { cursor: pointer; }"
    ".minitorch-report tr.failed > th { font-weight: bold; }"
    "</style>"
)
