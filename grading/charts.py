"""Charts of a class as SVG: matplotlib draws them, and the page that they stand in gives the colors.

What is drawn holds numbers and titles of sections only; every chart has a text that says the same.
"""

from __future__ import annotations

import functools
import html
import io
import re
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grading.insight import SectionFacts

# Colors that matplotlib is given, and what the page has in their place: see templates/page.html.
TEXT, EDGE, BAR, PART, NONE, PAGE = "#010101", "#020202", "#030303", "#040404", "#050505", "#060606"
NAMES = {TEXT: "text", EDGE: "edge", BAR: "bar", PART: "part", NONE: "none", PAGE: "page"}
ON_PAGE = {color: f"var(--{name})" for color, name in NAMES.items()}
WIDTH = 9.0  # inches
MOST_LINES = 400  # of a chart
Draw = Callable[..., str]


STYLE = {
    **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "hatch.color"), TEXT),
    **dict.fromkeys(("axes.edgecolor", "grid.color"), EDGE),
    **dict.fromkeys(("axes.spines.top", "axes.spines.right"), False),
    **{"svg.fonttype": "none", "svg.hashsalt": "chart", "font.size": 11, "hatch.linewidth": 0.7},
}


def _chart(height: Callable[[Any], float]) -> Callable[[Draw], Callable[..., str]]:
    """A chart of so many inches: what is decorated draws it, and returns its text for those who do not see it."""

    def decorated(draw: Draw) -> Callable[..., str]:
        @functools.wraps(draw)
        def svg(found: Sequence[Any], *more: Any) -> str:
            if not found:
                return ""
            from matplotlib import rc_context  # it takes a second to load
            from matplotlib.figure import Figure

            file = io.StringIO()
            with rc_context(STYLE):
                figure = Figure(figsize=(WIDTH, height(found)), layout="constrained")
                axes = figure.subplots()
                figure.patch.set_alpha(0)
                axes.patch.set_alpha(0)
                says = draw(axes, found, *more)
                figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
            return _on_page(file.getvalue(), draw.__name__, says)

        return svg

    return decorated


def _on_page(made: str, name: str, says: str) -> str:
    """As an element of a page: in its colors, and with ids of its own."""
    made = re.sub(r"<metadata>.*?</metadata>", "", made[made.index("<svg") :], flags=re.DOTALL)
    for color, of_page in ON_PAGE.items():
        made = made.replace(color, of_page)
    made = re.sub(r'\bid="', f'id="{name}-', made)
    made = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", made)
    return made.replace("<svg ", f'<svg role="img" aria-label="{html.escape(says)}" ', 1)


@_chart(lambda totals: 2.9)
def histogram(axes: Any, totals: Sequence[float], points: float) -> str:
    """How many learners have how many points."""
    most = max(points, *totals)
    bins = [points * step / 10 for step in range(11)] + ([most] if most > points else [])
    counts, _, bars = axes.hist(totals, bins=bins, color=BAR, rwidth=0.92)
    axes.bar_label(bars, [f"{int(count)}" if count else "" for count in counts])
    axes.axvline(statistics.median(totals), color=TEXT, linestyle="--", linewidth=1)
    axes.set_xlabel(f"points of {points:g} (dashed: the median, {statistics.median(totals):g})")
    axes.set_ylabel("learners")
    axes.set_xticks(bins, [f"{each:g}" for each in bins])
    axes.yaxis.get_major_locator().set_params(integer=True)
    parts = [f"{int(n)} from {a:g} to {b:g}" for n, a, b in zip(counts, bins, bins[1:], strict=False) if n]
    return f"Learners by points: {'; '.join(parts)}. The median is {statistics.median(totals):g}."


@_chart(lambda found: 0.9 + 0.42 * len(found))
def sections(axes: Any, found: Sequence[SectionFacts]) -> str:
    """Of each section how many have all of its points, a part, and none."""
    places = range(len(found))
    left = [0] * len(found)
    for what, color, hatch in (("full", BAR, ""), ("part", PART, ""), ("none", NONE, "//")):
        counts = [getattr(section, what) for section in found]
        label = {"full": "all points", "part": "a part", "none": "none"}[what]
        bars = axes.barh(places, counts, left=left, color=color, hatch=hatch, label=label, height=0.7)
        axes.bar_label(
            bars,
            [str(count) if count else "" for count in counts],
            label_type="center",
            fontsize=9.5,
            bbox={"facecolor": PAGE, "edgecolor": "none", "pad": 1.2},
        )
        left = [a + b for a, b in zip(left, counts, strict=True)]
    axes.set_yticks(places, [section.title for section in found])
    axes.invert_yaxis()
    axes.set_xlabel("learners")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False)
    says = "; ".join(f"{s.title}: {s.full} have all points, {s.part} a part, {s.none} none" for s in found)
    return f"Points by section. {says}."


@_chart(lambda totals: 3.2)
def ways(axes: Any, totals: Sequence[Sequence[float]], points: float) -> str:
    """The points of each learner over the hand-ins, and what those who handed in so often had at the median."""
    for each in totals[:MOST_LINES]:
        axes.plot(range(1, len(each) + 1), each, color=BAR, alpha=max(0.12, min(0.6, 8 / len(totals))), linewidth=1.2)
    longest = max(map(len, totals))
    steps = range(1, longest + 1)
    middle = [statistics.median(each[step - 1] for each in totals if len(each) >= step) for step in steps]
    axes.plot(steps, middle, color=TEXT, marker="o", linewidth=2)
    axes.set_xlabel("hand-in (dots: the median of those who came so far)")
    axes.set_ylabel("points by the tests")
    axes.set_ylim(0, max(points, *map(max, totals)) * 1.03)
    axes.set_xticks(steps)
    often = Counter(map(len, totals))
    says = "; ".join(f"{value:g} at hand-in {step}" for step, value in zip(steps, middle, strict=True))
    counts = ", ".join(f"{count} handed in {times} times" for times, count in sorted(often.items()))
    return f"Points over the hand-ins: {counts}. The median was {says}."
