"""Pictures as plain SVG in the colors of the page, light or dark: shapes, words, and the display that holds them.

Values are blue and gradients orange, here and in every other picture; words say beside it which is which.
"""

from __future__ import annotations

import contextlib
import html
import math
from collections.abc import Iterable, Iterator, Sequence

from checks.observe import explain, learner_code, quiet
from checks.report import TEXT, show

VALUE, GRADIENT = "#2b7cd3", "#d4611c"  # mixed with the text's color: darker in a light page
SMALLEST = 0.72  # of its width, to which a picture shrinks on a narrow page
SHARE = 0.7  # of the color in that mixture
TIP = 7  # pixels, of an arrow
SECONDS = 10.0  # for all that runs the learner's code in one display of pictures


class NotDrawn(Exception):
    """There is nothing to draw; the message says why, kindly."""


@contextlib.contextmanager
def kindly(what: str = "") -> Iterator[None]:
    """Inside, NotDrawn becomes its message, which is shown.

    Args:
        what: what cannot be drawn then, such as "The graph": whatever else goes wrong becomes a sentence about it.
            Without it, other exceptions pass.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise
    except NotDrawn as error:
        show({"text/plain": str(error)})
    except BaseException as error:
        if not what:
            raise
        show({"text/plain": f"{what} cannot be drawn: {explain(error)}"})


@contextlib.contextmanager
def in_time(what: str) -> Iterator[list[tuple[Sequence[str], str, str]]]:
    """Inside, the learner's code has its time, and whatever goes wrong becomes a sentence about `what`.

    What is put into the list are arguments of `show_pictures`, which is called with them at the end.
    """
    made: list[tuple[Sequence[str], str, str]] = []
    with kindly(what):
        with learner_code(SECONDS), quiet():
            yield made
        for each in made:
            show_pictures(*each)


def themed(color: str) -> str:
    """A color as CSS, to be read in a light and in a dark page."""
    return f"color-mix(in srgb, {color} {SHARE:.0%}, {TEXT})"


def mixed(color: str, text: str) -> str:
    """The same where the color of the text is known."""
    parts = zip(*(bytes.fromhex(each.lstrip("#")) for each in (color, text)), strict=True)
    return "#" + "".join(f"{round(SHARE * own + (1 - SHARE) * other):02x}" for own, other in parts)


def words(x: float, y: float, text: str, kind: str = "", anchor: str = "middle", size: float = 13) -> str:
    """A line of text; `kind` is one or more of STYLE's classes."""
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size:g}" '
        f'fill="currentColor">{html.escape(text)}</text>'
    )


def box(x: float, y: float, width: float, height: float, kind: str = "", more: str = "") -> str:
    """A rectangle; what `more` says are attributes."""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="{kind}" {place} fill="none" stroke="currentColor" {more}/>'


def dot(x: float, y: float, radius: float, kind: str = "") -> str:
    """A circle."""
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="none" stroke="currentColor"/>'


def line(points: Iterable[tuple[float, float]], kind: str = "") -> str:
    """A line through points."""
    path = "L".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<path class="{kind}" d="M{path}" fill="none" stroke="currentColor"/>'


def arrow(start: tuple[float, float], end: tuple[float, float], kind: str = "") -> str:
    """A straight arrow."""
    (x0, y0), (x1, y1) = start, end
    length = math.hypot(x1 - x0, y1 - y0) or 1.0
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    x, y = x1 - TIP * dx, y1 - TIP * dy
    corners = ((x1, y1), (x - dy * TIP / 2, y + dx * TIP / 2), (x + dy * TIP / 2, y - dx * TIP / 2))
    head = "L".join(f"{a:.1f},{b:.1f}" for a, b in corners)
    return f'{line([start, (x, y)], kind)}<path class="tip {kind}" d="M{head}Z" fill="currentColor"/>'


def drawn(width: float, height: float, alt: str, shapes: Iterable[str], title: str = "", least: float = 0) -> str:
    """A picture of so many pixels, with its title above.

    Args:
        least: how far it shrinks to stand beside others. Without it, it goes below them, and shrinks only there.
    """
    width, height = math.ceil(width), math.ceil(height)
    above = f"<figcaption>{html.escape(title)}</figcaption>" if title else ""
    level = "; justify-content: space-between" if least else ""  # titles at one height, pictures at another
    return (  # the keyboard can scroll it where it is wider than the page
        f'<figure tabindex="0" style="flex: 1 1 {least or width:g}px; max-width: min(100%, {width}px){level}">{above}'
        f'<svg role="img" aria-label="{html.escape(alt)}" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" style="width: 100%; min-width: {least or SMALLEST * width:g}px; height: auto" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(shapes)}</svg></figure>'
    )


def listed(text: str, title: str) -> str:
    """Lines of text in columns, with a title above, which go across the whole page: beside pictures."""
    return (
        f'<figure tabindex="0" style="flex: 1 1 100%"><figcaption>{html.escape(title)}</figcaption>'
        f'<pre style="white-space: pre">{html.escape(text)}</pre></figure>'
    )


def in_rows(pictures: Sequence[str]) -> list[str]:
    """Pictures that are shown side by side; four of them two by two, so that none is left alone in its row."""
    if len(pictures) != 4:
        return [*pictures]
    return [f'<div class="row">{"".join(pictures[n : n + 2])}</div>' for n in (0, 2)]


def show_pictures(pictures: Sequence[str], text: str, says: str = "") -> None:
    """Show pictures side by side, and a sentence below them; where none can be shown, the text and the sentence."""
    below = f"<p>{html.escape(says)}</p>" if says else ""
    page = f'<div class="minitorch-picture">{STYLE}<div>{"".join(pictures)}</div>{below}</div>'
    show({"text/plain": f"{text}\n\n{says}".rstrip(), "text/html": page})


STYLE = (
    "<style>"
    f".minitorch-picture {{ color: {TEXT}; }}"
    ".minitorch-picture > div, .minitorch-picture .row { display: flex; flex-wrap: wrap; gap: 1em 1.5em; }"
    ".minitorch-picture .row { flex: 1 1 100%; }"
    ".minitorch-picture figure { margin: 0; overflow-x: auto; display: flex; flex-direction: column;"
    " justify-content: flex-start; }"
    ".minitorch-picture figcaption { margin-bottom: 0.3em; font-weight: bold; }"
    ".minitorch-picture p { margin: 0.5em 0; max-width: 60em; }"
    f".minitorch-picture text {{ fill: {TEXT}; font-family: system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; }}"
    f".minitorch-picture pre {{ margin: 0; color: {TEXT}; background: transparent; }}"
    ".minitorch-picture .code { font-family: ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; }"
    ".minitorch-picture .strong { font-weight: bold; }"
    ".minitorch-picture .faint { opacity: 0.45; }"
    ".minitorch-picture .dashed { stroke-dasharray: 4 3; }"
    ".minitorch-picture .thick { stroke-width: 2.2; }"
    ".minitorch-picture .ink { fill: currentColor; stroke: none; shape-rendering: crispEdges; }"
    f".minitorch-picture .value {{ stroke: {themed(VALUE)}; }}"
    f".minitorch-picture .gradient {{ stroke: {themed(GRADIENT)}; }}"
    f".minitorch-picture text.value, .minitorch-picture .value.full, .minitorch-picture .value.tip"
    f" {{ fill: {themed(VALUE)}; stroke: none; }}"
    f".minitorch-picture text.gradient, .minitorch-picture .gradient.full, .minitorch-picture .gradient.tip"
    f" {{ fill: {themed(GRADIENT)}; stroke: none; }}"
    f".minitorch-picture .value.band {{ fill: {VALUE}; stroke: none; }}"
    f".minitorch-picture .value.light {{ fill: color-mix(in srgb, {VALUE} 10%, transparent); }}"
    f".minitorch-picture .gradient.light {{ fill: color-mix(in srgb, {GRADIENT} 10%, transparent); }}"
    "</style>"
)
