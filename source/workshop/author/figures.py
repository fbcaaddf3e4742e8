"""Draw the workshop's figures: `python source/workshop/author/figures.py` writes source/workshop/figures/*.svg.

Plain strings, no dates and no random ids, so the same code gives the same bytes. Each picture lies on a
card of its own, so it reads the same wherever it is put: a light card, or a dark one where the page asks for that.
"""

import sys
from math import hypot
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from checks.svg import GRADIENT, VALUE, mixed

FIGURES = Path(__file__).resolve().parents[1] / "figures"

INK, CARD, BORDER = "#1b2430", "#ffffff", "#b8c1cc"
LEAF, RESULT, OPERATION = "#e3f1e5", "#eef1f5", "#fff1cc"
FORWARD, BACKWARD = mixed(VALUE, "#000000"), mixed(GRADIENT, "#000000")
DARK = {
    INK: "#e6eaf0",
    CARD: "#15191e",
    BORDER: "#4a5563",
    LEAF: "#1d3a27",
    RESULT: "#29313b",
    OPERATION: "#453a16",
    FORWARD: mixed(VALUE, "#ffffff"),
    BACKWARD: mixed(GRADIENT, "#ffffff"),
}
TIMES = "&#215;"
FONT = "'DejaVu Sans', Verdana, Arial, sans-serif"


def text(x: float, y: float, words: str, size: int = 16, color: str = INK, style: str = "", anchor="middle") -> str:
    """Words centered on (x, y), with a rim in the card's color so that a line behind them does not disturb."""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{color}" text-anchor="{anchor}" {style}'
        f' stroke="{CARD}" stroke-width="4" paint-order="stroke">{words}</text>'
    )


def tensor(x: float, y: float, formula: str, value: str, gradient: str, fill: str) -> str:
    """A box: the tensor's name, its value, and the gradient of y that reaches it."""

    def line(below: float, words: str, color: str, style: str = 'font-size="15"') -> str:
        return f'<text x="{x:g}" y="{y + below:g}" {style} fill="{color}" text-anchor="middle">{words}</text>'

    return "\n".join(
        [
            f'<rect x="{x - 66:g}" y="{y - 38:g}" width="132" height="76" rx="10" fill="{fill}" stroke="{INK}"/>',
            line(-16, formula, INK, 'font-size="17" font-weight="bold"'),
            line(7, value, FORWARD),
            line(29, gradient, BACKWARD),
        ]
    )


def operation(x: float, y: float, sign: str) -> str:
    """A circle with the operation's sign."""
    style = f'font-size="27" font-weight="bold" fill="{INK}" text-anchor="middle"'
    return (
        f'<circle cx="{x:g}" cy="{y:g}" r="27" fill="{OPERATION}" stroke="{INK}"/>\n'
        f'<text x="{x:g}" y="{y + 9:g}" {style}>{sign}</text>'
    )


def arrow(start: tuple[float, float], end: tuple[float, float], backward: bool = False) -> str:
    """A straight arrow; the backward ones are dashed."""
    color, name = (BACKWARD, "back") if backward else (FORWARD, "forth")
    dash = ' stroke-dasharray="7 5"' if backward else ""
    (x0, y0), (x1, y1) = start, end
    return (
        f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{color}" stroke-width="2.5"{dash}'
        f' marker-end="url(#{name})"/>'
    )


def edge(left: tuple[float, float], right: tuple[float, float], gradient: str, lift: float = 26) -> str:
    """Two arrows between the points: forward, and beside it backward with the gradient it carries."""
    (x0, y0), (x1, y1) = left, right
    length = hypot(x1 - x0, y1 - y0)
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    px, py = -dy * 6, dx * 6  # to the side
    forth = arrow((x0 - px, y0 - py), (x1 - 4 * dx - px, y1 - 4 * dy - py))
    back = arrow((x1 + px, y1 + py), (x0 + 4 * dx + px, y0 + 4 * dy + py), backward=True)
    label = text((x0 + x1) / 2 + px * 3, (y0 + y1) / 2 + lift, gradient, 15, BACKWARD) if gradient else ""
    return f"{forth}\n{back}\n{label}"


def legend(x: float, y: float) -> str:
    """What the two kinds of arrow mean, in words."""
    return "\n".join(
        [
            arrow((x, y), (x + 52, y)),
            text(x + 64, y + 5, "forward: values", 15, FORWARD, anchor="start"),
            arrow((x + 262, y), (x + 210, y), backward=True),
            text(x + 274, y + 5, "backward: gradients of y", 15, BACKWARD, anchor="start"),
        ]
    )


def card(width: int, height: int, title: str, description: str, *parts: str) -> str:
    """The whole picture."""
    heads = "\n".join(
        f'<marker id="{name}" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="13" markerHeight="13"'
        f' markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0 L10,5 L0,10 z" fill="{color}"/></marker>'
        for name, color in (("forth", FORWARD), ("back", BACKWARD))
    )
    body = "\n".join(parts)
    rules = " ".join(
        f'[{part}="{light}"] {{ {part}: {dark}; }}' for light, dark in DARK.items() for part in ("fill", "stroke")
    )
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return f"""<svg xmlns="http://www.w3.org/2000/svg" {size} \
role="img" aria-labelledby="title description" font-family="{FONT}">
<title id="title">{title}</title>
<desc id="description">{description}</desc>
<style>@media (prefers-color-scheme: dark) {{ {rules} }}</style>
<defs>
{heads}
</defs>
<rect x="1" y="1" width="{width - 2}" height="{height - 2}" rx="16" fill="{CARD}" stroke="{BORDER}"/>
{body}
</svg>
"""


def graph() -> str:
    """The graph of y = a * x + b at a = 2, x = 3, b = 1."""
    return card(
        920,
        420,
        "The graph of y = a * x + b",
        "The leaves a = 2 and x = 3 enter a multiplication that gives u = 6. u and the leaf b = 1 enter an addition "
        "that gives y = 7. Backward, the gradient 1 starts at y and passes the addition unchanged to u and to b. "
        "The multiplication sends 1 times x = 3 to a, and 1 times a = 2 to x.",
        edge((151, 95), (284, 141), "1 · x = 3", 34),
        edge((151, 235), (284, 169), "1 · a = 2", 34),
        edge((336, 155), (424, 155), ""),
        edge((556, 160), (635, 200), "1", 26),
        edge((151, 340), (636, 226), "1", 30),
        edge((688, 213), (764, 213), ""),
        tensor(85, 80, "a", "value 2", "gradient 3", LEAF),
        tensor(85, 235, "x", "value 3", "gradient 2", LEAF),
        tensor(85, 340, "b", "value 1", "gradient 1", LEAF),
        operation(310, 155, TIMES),
        tensor(490, 155, f"u = a {TIMES} x", "value 6", "gradient 1", RESULT),
        operation(662, 213, "+"),
        tensor(830, 213, "y = u + b", "value 7", "starts with 1", RESULT),
        text(85, 30, "leaves", 16, INK, 'font-style="italic"'),
        text(490, 104, "intermediate result", 16, INK, 'font-style="italic"'),
        text(830, 162, "result", 16, INK, 'font-style="italic"'),
        legend(420, 392),
    )


def paths() -> str:
    """The two paths of y = x * x at x = 3."""

    def curve(side: int, label_y: float) -> str:
        """Both arrows of one path: above the middle (side -1) or below it (side 1)."""
        bend, near, far = 150 + side * 100, 150 + side * 26, 150 + side * 19
        line = 'fill="none" stroke-width="2.5"'
        forth = f'd="M166,{near - 5} Q275,{bend - 5} 379,{far - 8}" stroke="{FORWARD}" marker-end="url(#forth)"'
        back = f'd="M381,{far + 8} Q275,{bend + 9} 170,{near + 8}" stroke="{BACKWARD}" marker-end="url(#back)"'
        label = text(275, label_y, "1 · x = 3", 15, BACKWARD)
        return f'<path {forth} {line}/>\n<path {back} {line} stroke-dasharray="7 5"/>\n{label}'

    return card(
        700,
        320,
        "Two paths from x to y = x * x",
        "The leaf x = 3 enters a multiplication twice, as its left and as its right input; the result y is 9. "
        "Backward, the gradient 1 of y takes both paths. Each path brings 1 times 3 = 3 back to x, "
        "and x adds them to 6.",
        curve(-1, 124),
        curve(1, 240),
        edge((426, 150), (524, 150), "", 30),
        tensor(100, 150, "x", "value 3", "3 + 3 = 6", LEAF),
        operation(399, 150, TIMES),
        tensor(590, 150, f"y = x {TIMES} x", "value 9", "starts with 1", RESULT),
        text(275, 66, "as the left operand", 15),
        text(275, 262, "as the right operand", 15),
        legend(180, 296),
    )


def cells(x: float, y: float, rows: list[list[int]], fills: dict[int, str], side: float = 56) -> str:
    """A grid of numbers, its upper left corner at (x, y)."""
    return "\n".join(
        f'<rect x="{x + column * side:g}" y="{y + row * side:g}" width="{side:g}" height="{side:g}"'
        f' fill="{fills[number]}" stroke="{INK}"/>\n'
        f'<text x="{x + (column + 0.5) * side:g}" y="{y + (row + 0.5) * side + 7:g}" font-size="20"'
        f' fill="{FORWARD}" text-anchor="middle">{number}</text>'
        for row, numbers in enumerate(rows)
        for column, number in enumerate(numbers)
    )


def strides() -> str:
    """One storage, read as a matrix and as its transpose."""
    first, second = [3, 4, 7], [2, 5, 1]
    fills = dict.fromkeys(first, LEAF) | dict.fromkeys(second, OPERATION)
    storage = 292

    def view(x: float, name: str, rows: list[list[int]], right: int, down: int) -> str:
        """A matrix with the steps in it, and what they are called."""
        wide, high = len(rows[0]) * 56, len(rows) * 56
        return "\n".join(
            [
                text(x, 190, name, 17, INK, 'font-weight="bold"', "start"),
                text(x, 213, f"shape ({len(rows)}, {len(rows[0])}), strides ({down}, {right})", 16, anchor="start"),
                cells(x, 262, rows, fills),
                arrow((x + 28, 250), (x + 84, 250)),  # from the middle of one cell to that of the next: one step
                text(x + wide + 10, 255, f"a step right: {right} bytes", 16, FORWARD, anchor="start"),
                arrow((x - 14, 290), (x - 14, 346)),
                text(x - 2, 262 + high + 26, f"a step down: {down} bytes", 16, FORWARD, anchor="start"),
            ]
        )

    return card(
        920,
        480,
        "One storage, read as a matrix and as its transpose",
        "The storage holds 3, 4, 7, 2, 5, 1, each 8 bytes after the one before. With shape (2, 3) and strides (24, 8) "
        "it is a matrix with the rows 3, 4, 7 and 2, 5, 1: a step right is 8 bytes, a step down 24. With shape (3, 2) "
        "and strides (8, 24) it is the transpose with the rows 3, 2 and 4, 5 and 7, 1: a step right is 24 bytes, a "
        "step down 8.",
        text(storage - 14, 72, "storage", 17, INK, 'font-weight="bold"', "end"),
        cells(storage, 38, [first + second], fills),
        text(storage - 14, 116, "byte", 15, anchor="end"),
        *(text(storage + (i + 0.5) * 56, 116, str(8 * i), 15) for i in range(6)),
        view(80, "a", [first, second], 8, 24),
        view(560, "a.T", [[3, 2], [4, 5], [7, 1]], 24, 8),
    )


def candle() -> str:
    """A model with one parameter: its errors on two examples, and its loss with the first steps of training."""

    def axes(x: float, across: str, up: str, ticks: list[tuple[float, str]], rises: list[tuple[float, str]]) -> str:
        """Two axes that meet at (x, 370), with their names."""
        return "\n".join(
            [
                f'<path d="M{x:g},60 V370 H{x + 350:g}" fill="none" stroke="{INK}" stroke-width="1.5"/>',
                text(x + 350, 418, across, 17, anchor="end"),
                text(x - 8, 46, up, 17, anchor="start"),
                *(text(place, 392, words, 17) for place, words in ticks),
                *(text(x - 8, place + 6, words, 17, anchor="end") for place, words in rises),
            ]
        )

    def example(hours: float, cm: float) -> tuple[float, float]:
        return 60 + 80 * hours, 370 - 38 * cm

    def at(w: float) -> tuple[float, float]:
        return 490 + 110 * (w - 0.4), 370 - 27 * 5 * (w - 2) ** 2

    def error(hours: float, cm: float, words: str) -> str:
        (x, y), (_, below) = example(hours, cm), example(hours, hours)
        return (
            f'<line x1="{x:g}" y1="{y:g}" x2="{x:g}" y2="{below:g}" stroke="{INK}" stroke-width="2"'
            f' stroke-dasharray="3 4"/>\n<circle cx="{x:g}" cy="{y:g}" r="7" fill="{INK}"/>\n'
            + text(x - 10, (y + below) / 2 + 5, words, 17, anchor="end")
        )

    (x0, y0), (x1, y1) = example(0, 0), example(4, 4)
    valley = " L".join(f"{x:.1f},{y:.1f}" for x, y in (at(0.53 + 0.03 * i) for i in range(99)))
    (start_x, start_y), second, third = at(1.0), at(1.5), at(1.75)
    dots = "\n".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{BACKWARD}"/>' for x, y in (at(1.0), second, third)
    )
    slope = 27 * 10 / 110  # of the tangent, in pixels
    tangent = f"M{start_x - 44:.1f},{start_y - 44 * slope:.1f} L{start_x + 53:.1f},{start_y + 53 * slope:.1f}"

    def step(start: tuple[float, float], end: tuple[float, float]) -> str:
        """A step in w, beside the curve, and from there down to the loss at the new place."""
        (x0, y0), (x1, y1) = start, end
        down = f'<line x1="{x1:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{BACKWARD}" stroke-width="1.5"'
        return arrow((x0 + 7, y0), (x1, y0), backward=True) + f'\n{down} stroke-dasharray="2 4"/>'

    return card(
        920,
        436,
        "The candle: errors of a model, and the valley of its loss",
        "Left: the examples (1 hour, 2 cm) and (3 hours, 6 cm), and the line y = 1 x, with the errors -1 and -3 "
        "between them. Right: the loss over w, a valley with its lowest point at w = 2. At w = 1 the loss is 5 and its "
        "slope -10. A step leads to w = 1.5, the next one to w = 1.75.",
        axes(
            60,
            "hours",
            "cm shorter",
            [(example(hours, 0)[0], str(hours)) for hours in (1, 2, 3, 4)],
            [(example(0, cm)[1], str(cm)) for cm in (2, 4, 6)],
        ),
        f'<line x1="{x0:g}" y1="{y0:g}" x2="{x1:g}" y2="{y1:g}" stroke="{FORWARD}" stroke-width="2.5"/>',
        text(x1 - 14, y1 + 50, "model: y = 1 x", 17, FORWARD),
        error(1, 2, "error -1"),
        error(3, 6, "error -3"),
        text(*example(1.02, 2.55), "target 2", 17),
        text(*example(3.02, 6.55), "target 6", 17),
        axes(
            490,
            "w",
            "loss",
            [(at(w)[0], f"{w:g}") for w in (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)],
            [(370 - 27 * loss, str(loss)) for loss in (1, 5, 10)],
        ),
        f'<path d="M{valley}" fill="none" stroke="{FORWARD}" stroke-width="2.5"/>',
        f'<path d="{tangent}" fill="none" stroke="{BACKWARD}" stroke-width="2.5"/>',
        step((start_x, start_y), second),
        step(second, third),
        dots,
        text(start_x + 12, start_y - 44, "w = 1: loss 5, slope -10", 17, BACKWARD, anchor="start"),
        text(start_x + 12, start_y - 14, "a step", 17, BACKWARD, anchor="start"),
        text(second[0] + 10, second[1] - 18, "w = 1.5", 17, BACKWARD, anchor="start"),
        text(third[0] + 9, second[1] + 5, "w = 1.75", 15, BACKWARD, anchor="start"),
    )


def main() -> None:
    """Write every figure."""
    FIGURES.mkdir(exist_ok=True)
    for draw in (strides, candle, graph, paths):
        (FIGURES / f"{draw.__name__}.svg").write_text(draw(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
