"""Graphs as pictures: boxes in layers, crisp at any size, in the colors of the page; and as text."""

from __future__ import annotations

import html
import math
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from checks import svg
from checks.observe import printable, writable
from checks.report import BARS, TEXT, show
from checks.svg import GRADIENT, VALUE, themed

ROOM = 30  # characters in one line of a box
LINE, LETTER = 16, 7.4  # height of a line and width of a character, in pixels
GAP, RISE = 18, 44  # between boxes side by side, and between layers
BEND = 16  # of the width, for an edge on its way past boxes
FAR = 3  # layers; an edge that spans more of them tells at its tip where it comes from
SMALLEST = 0.75  # of its width, to which a picture shrinks beside another one: letters of 9 pixels


@dataclass(eq=False)
class Node:
    """One tensor of a graph, and the operation that made it.

    Attributes:
        tensor: the tensor itself; None for the box that stands for those that are not drawn.
        name: of the variable that holds it, or of its own.
        operation: what made it; empty on a leaf.
        arguments: what it was computed from, in order, plain numbers among it; the same one twice if it was used twice.
        value: what it holds.
        gradient: None if there is none.
        traced: whether it requires a gradient.
        remark: a line more, in words.
        differs: whether its gradient is the first that is another one.
        works: whether its operation is the one at work, when a walk is drawn: then it hands a gradient to its inputs.
        room: lines that are kept free for a gradient to come.
        stands_for: in a graph of the oracle's, the learner's tensor that a leaf was made from.
    """

    tensor: Any
    name: str = ""
    operation: str = ""
    arguments: list[Node | int | float] = field(default_factory=list)
    value: np.ndarray | None = None
    gradient: np.ndarray | None = None
    traced: bool = True
    remark: str = ""
    differs: bool = False
    works: bool = False
    room: int = 0
    stands_for: Any = None

    @property
    def inputs(self) -> list[Node]:
        """Of its arguments, the tensors."""
        return [each for each in self.arguments if isinstance(each, Node)]

    def call(self) -> str:
        """The operation with its arguments."""
        names = (each.name if isinstance(each, Node) else str(each) for each in self.arguments)
        return f"{self.operation}({', '.join(names)})"

    def about(self) -> list[str]:
        """What it is, and its shape."""
        what = [] if self.operation or self.tensor is None else ["leaf" if self.traced else "constant"]
        return what + ([f"shape {self.value.shape}" if self.value.ndim else "scalar"] if self.value is not None else [])

    def numbers(self, rows: bool) -> list[tuple[str, str]]:
        """What it holds, and its gradient: lines, each with its kind."""
        value, gradient = ([] if each is None else numbers(each, rows) for each in (self.value, self.gradient))
        return [(row, "value") for row in value] + [
            (f"{'     ' if number else 'grad '}{row}", "gradient") for number, row in enumerate(gradient)
        ]

    def lines(self) -> list[tuple[str, str]]:
        """What its box says, each line with its kind, as STYLE knows it.

        Tensors among the arguments have arrows; of a number only the place tells its part.
        """
        plain = len(self.inputs) == len(self.arguments)
        made = [printable(self.operation if plain else self.call(), ROOM)] if self.operation else []
        free = [("", "")] * (self.room if self.gradient is None else 0)
        remark = [(self.remark, "first")] if self.remark else []
        about = [(each, "") for each in [*made, *self.about()]]
        return [(self.name, "first"), *about, *self.numbers(rows=True), *free, *remark]


def numbers(array: np.ndarray, rows: bool) -> list[str]:
    """An array in a few characters: in one line, or a matrix in a line for each row."""
    text = np.array2string(writable(array), precision=4, threshold=8, edgeitems=2, max_line_width=200)
    if not rows or array.ndim != 2:
        return [printable(" ".join(text.split()), ROOM)]
    lines = text.split("\n")
    return [printable(line.ljust(max(map(len, lines))), ROOM) for line in lines]


class Spot(NamedTuple):
    """Where the box of a node stands, by the node's number and layer; or where its edges pass another layer."""

    number: int
    level: int
    bend: bool


class Laid(NamedTuple):
    """Where all stands across the page, which is the same for all stages of one graph.

    Attributes:
        spots, steps: see `_spots`.
        across: the middle of each spot.
        width: of a box.
    """

    spots: list[Spot]
    steps: Counter[tuple[Spot, Spot]]
    across: dict[Spot, float]
    width: float


def laid_out(nodes: list[Node], *others: list[Node]) -> Laid:
    """The layout of a graph; with `others`, its further stages, of which a box has room for what each says."""
    spots, steps = _spots(nodes)
    width = LETTER * max(len(line) for some in (nodes, *others) for node in some for line, _ in node.lines()) + 14
    return Laid(spots, steps, _columns(spots, steps, width + GAP), width)


def as_text(nodes: list[Node]) -> str:
    """A line for each tensor, inputs before results."""
    rows = []
    for node in nodes:
        made = f"{node.name} = {node.call()}" if node.operation else node.name
        more = [line for line, _ in node.numbers(rows=False)] + ([node.remark] if node.remark else [])
        rows.append((made, ", ".join(node.about()), "  ".join(more)))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(f"  {row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}".rstrip() for row in rows)


def as_figure(nodes: list[Node], title: str, laid: Laid | None = None, alt: str = "") -> str:
    """The graph from leaves at the top to the result at the bottom; its colors are those of the page.

    It takes a share of the room in its line, from its full width down to SMALLEST of it.
    """
    spots, steps, across, width = laid or laid_out(nodes)
    texts = [node.lines() for node in nodes]
    heights = [LINE * len(lines) + 12 for lines in texts]
    levels = [0] * (1 + max(spot.level for spot in spots))
    for spot, height in zip(spots, heights, strict=False):  # the boxes come first
        levels[spot.level] = max(levels[spot.level], height)
    tops = [2 + sum(levels[:level]) + RISE * level for level in range(len(levels))]
    working = [(spot, node) for spot, node in zip(spots, nodes, strict=False) if node.works]
    shapes, come_far = [], {}
    for (start, end), times in steps.items():
        # Out of a box below, down past the boxes of its layer; then into a box from above, or past those of the next.
        bottom = tops[start.level] + levels[start.level]
        now = any(
            nodes[start.number] in node.inputs and (end.level <= spot.level if end.bend else end is spot)
            for spot, node in working
        )
        starts = bottom if start.bend else tops[start.level] + heights[start.number]
        arrives = tops[end.level] - (0 if end.bend else 6)
        middle = (bottom + arrives) / 2
        for number in range(times):
            aside = (number - (times - 1) / 2) * 24
            a, b = across[start] + aside, across[end] + aside
            line = f"M{a:.1f},{starts}V{bottom}C{a:.1f},{middle} {b:.1f},{middle} {b:.1f},{arrives}"
            line += f"v{levels[end.level]}" if end.bend else ""
            kind = "edge now" if now else "edge"
            shapes.append(f'<path class="{kind}" fill="none" stroke="currentColor" d="{line}"/>')
            if now and not start.bend:  # the gradient arrives
                shapes.append(f'<path class="tip now" d="M{a - 4:.1f},{starts + 9}h8l-4,-9z"/>')
            if not (now or end.bend):
                shapes.append(f'<path class="tip" d="M{b - 4:.1f},{arrives - 4}h8l-4,9z"/>')
        if not end.bend and end.level - spots[start.number].level > FAR:
            come_far.setdefault((end, across[start] < across[end]), []).append(nodes[start.number].name)
    for (end, from_left), names in come_far.items():
        x, anchor = (across[end] - 8, "end") if from_left else (across[end] + 8, "start")
        words = html.escape(printable(", ".join(names), int(width / 2 / LETTER)))
        shapes.append(
            f'<text class="far" x="{x:.1f}" y="{tops[end.level] - 3}" style="text-anchor: {anchor}">{words}</text>'
        )
    for spot, node, lines, height in zip(spots, nodes, texts, heights, strict=False):
        middle, top = across[spot], tops[spot.level]
        kind = (
            "works"
            if node.works
            else "differs"
            if node.differs
            else "more"
            if node.tensor is None
            else "result"
            if node.operation
            else "leaf"
        )
        shapes.append(
            f'<rect class="{kind}" fill="none" stroke="currentColor" x="{middle - width / 2:.1f}" y="{top}" '
            f'width="{width:.1f}" height="{height}" rx="{3 if node.operation else 14}"/>'
        )
        for number, (line, mark) in enumerate(lines, 1):
            weight = f' class="{mark}"' if mark else ""
            words = re.sub("^ | $| (?= )", "\u00a0", html.escape(line))  # the rows of a matrix stay in line
            shapes.append(f'<text{weight} x="{middle:.1f}" y="{top + LINE * number + 1}">{words}</text>')
    wide = math.ceil(max(x + (0 if spot.bend else width / 2) for spot, x in across.items()) + 2)
    tall = tops[-1] + levels[-1] + 2
    return svg.drawn(wide, tall, _described(alt or title, nodes), shapes, title, least=math.ceil(SMALLEST * wide))


def _spots(nodes: list[Node]) -> tuple[list[Spot], Counter[tuple[Spot, Spot]]]:
    """The boxes, in the order of their nodes, then the bends; and the steps between, each with how often it is taken.

    All edges of a node go down together, each as far as the layer above its consumer: however often a leaf is used,
    it takes one narrow column.
    """
    place = {node: number for number, node in enumerate(nodes)}
    edges = [(place[each], place[node]) for node in nodes for each in node.inputs]
    left = [0] * len(nodes)  # steps to the result, by the longest way: a leaf lies just above what first uses it
    for start, end in reversed(edges):
        left[start] = max(left[start], left[end] + 1)
    layers = [max(left) - number for number in left]
    spots = [Spot(number, level, False) for number, level in enumerate(layers)]
    steps: Counter[tuple[Spot, Spot]] = Counter()
    for start, end in edges:
        above = spots[start]
        for level in range(layers[start] + 1, layers[end]):
            below = Spot(start, level, True)
            steps[above, below] = 1
            above = below
        steps[above, spots[end]] += 1
    return list(dict.fromkeys([*spots, *(end for _, end in steps)])), steps


ROUNDS = 12  # in which the layers are put in order


def _places(spots: list[Spot], steps: Iterable[tuple[Spot, Spot]]) -> dict[Spot, float]:
    """Where spots stand across the page if all are equally wide: few edges cross, most run straight down.

    Sugiyama's way: each layer in the order of the middles of what it is joined to, in the layer above and in the one
    below in turn; the order with the fewest crossings is kept. Then each spot goes to the median of what it is joined
    to, as far as its neighbors leave it room.
    """
    made = {end for _, end in steps}
    joined: dict[Spot, list[Spot]] = {spot: [] for spot in spots}
    for start, end in steps:
        # An edge on its way past boxes goes straight on; and what goes on from a result counts more than what a leaf
        # adds: the results stand in a line, the leaves beside it.
        weight = 8 if start.bend and end.bend else 3 if start in made else 1
        joined[start] += [end] * weight
        joined[end] += [start] * weight
    layers: dict[int, list[Spot]] = {}
    for spot in spots:
        layers.setdefault(spot.level, []).append(spot)
    order = [layers[level] for level in sorted(layers)]

    def others(spot: Spot, way: int) -> list[Spot]:
        return [other for other in joined[spot] if (other.level - spot.level) * way >= 0]

    def place() -> dict[Spot, float]:
        return {spot: float(number) for layer in order for number, spot in enumerate(layer)}

    def crossings(at: dict[Spot, float]) -> int:
        found = 0
        for layer in order:
            ends = [[at[other] for other in others(spot, 1)] for spot in layer]
            found += sum(b < a for some, more in combinations(ends, 2) for a in some for b in more)
        return found

    best = (math.inf, order)
    for number in range(ROUNDS):
        at = place()
        if (now := crossings(at)) < best[0]:
            best = (now, [[*layer] for layer in order])
        way = -1 if number % 2 == 0 else 1
        for layer in order[::-way]:
            near = {spot: [at[other] for other in others(spot, way)] or [at[spot]] for spot in layer}
            layer.sort(key=lambda spot: sum(near[spot]) / len(near[spot]))
            at |= {spot: float(number) for number, spot in enumerate(layer)}
    order = best[1]
    at = place()
    for way in (-1, 1, -1, 1, 0, 0):
        for layer in order[:: -way or 1]:
            wanted = [[at[other] for other in others(spot, way)] or [at[spot]] for spot in layer]
            at |= zip(layer, _apart(wanted), strict=True)
    return at


def _apart(wanted: Sequence[Sequence[float]]) -> list[float]:
    """Of spots side by side, each of which would stand at some places: the nearest to them, in order and 1 apart."""
    groups: list[tuple[int, list[float]]] = []  # how many stand together, and where these would have the first one
    for number, places in enumerate(wanted):
        groups.append((1, [place - number for place in places]))
        while len(groups) > 1 and median(groups[-2][1]) > median(groups[-1][1]):
            (some, one), (more, other) = groups[-2:]
            groups[-2:] = [(some + more, one + other)]
    firsts = [median(places) for count, places in groups for _ in range(count)]
    return [first + number for number, first in enumerate(firsts)]


def _columns(spots: list[Spot], steps: Iterable[tuple[Spot, Spot]], width: float) -> dict[Spot, float]:
    """The middle of each spot across the page: a box takes `width`, a bend little.

    The layout takes all for equally wide. In its order all is pushed to the left, then to the right, what stands
    straight below one another together: halfway between, a result stands in the middle below its inputs.
    """
    columns: dict[float, list[Spot]] = {}
    for spot, x in _places(spots, steps).items():
        columns.setdefault(round(x, 2), []).append(spot)

    def pushed(order: list[float]) -> dict[Spot, float]:
        filled, found, middle = Counter(), {}, 0.0
        for x in order:
            halves = {spot: (BEND if spot.bend else width) / 2 for spot in columns[x]}
            middle = max([middle, *(filled[spot.level] + half for spot, half in halves.items())])
            for spot, half in halves.items():
                found[spot], filled[spot.level] = middle, middle + half
        return found

    to_left, to_right = pushed(sorted(columns)), pushed(sorted(columns, reverse=True))
    found = {spot: (to_left[spot] - to_right[spot]) / 2 for spot in spots}
    margin = min(x - (0 if spot.bend else (width - GAP) / 2) for spot, x in found.items())
    return {spot: x - margin + 2 for spot, x in found.items()}


def show_graphs(parts: Sequence[tuple[str, list[Node]]], says: str = "") -> None:
    """Show graphs side by side, each with its title, and a sentence about them."""
    text = "\n\n".join(f"{title}\n{as_text(nodes)}" for title, nodes in parts)
    figures = "".join(as_figure(nodes, title) for title, nodes in parts)
    _show(f"<div>{figures}</div>", text, says)


def _show(pictures: str, text: str, says: str) -> None:
    page = (
        f'<div class="minitorch-graph">{STYLE}{pictures}'
        f"{f'<p><strong>{html.escape(says)}</strong></p>' if says else ''}"
        f"<details><summary>As text</summary><pre>{html.escape(text)}</pre></details></div>"
    )
    show({"text/plain": f"{text}\n\n{says}".rstrip(), "text/html": page})


def show_steps(steps: Sequence[tuple[str, list[Node]]], says: str = "") -> None:
    """Show the stages of one graph, each with a sentence, to be chosen one after the other; and a sentence below.

    Buttons of plain HTML choose: no widgets and no scripts. Where a front end drops them, all stages are seen.
    """
    text = "\n".join(f"{number or 'start'}{'.' if number else ':'} {title}" for number, (title, _) in enumerate(steps))
    text += f"\n\n{as_text(steps[-1][1])}"
    laid = laid_out(*(nodes for _, nodes in steps))
    name, buttons, figures = f"steps-{secrets.token_hex(6)}", [], []
    for number, (title, nodes) in enumerate(steps):
        figure = as_figure(nodes, "", laid, f"Step {number or 'start'}. {title}")
        chosen = " checked" if not number else ""
        id = f"{name}-{number}"
        buttons.append(
            f'<input type="radio" class="at{number}" name="{name}" id="{id}"{chosen}>'
            f'<label for="{id}">{number or "start"}</label>'
        )
        figures.append(f'<div class="at{number}"><p>{html.escape(title)}</p>{figure}</div>')
    choices = ", ".join(f".minitorch-steps > .at{number}:checked ~ div > .at{number}" for number in range(len(steps)))
    pictures = (
        "<style>.minitorch-steps > div > div { display: none; }"
        f"{choices} {{ display: block; }}"
        ".minitorch-steps > label { padding: 0 0.8em 0 0.2em; cursor: pointer; }"
        ".minitorch-steps > input:checked + label { font-weight: bold; }"
        ".minitorch-steps p { margin: 0.4em 0; min-height: 2.8em; }</style>"
        f'<div class="minitorch-steps" role="group" aria-label="The steps of the walk"><span>Step: </span>'
        f"{''.join(buttons)}<div>{''.join(figures)}</div></div>"
    )
    _show(pictures, text, says)


def _described(title: str, nodes: list[Node]) -> str:
    """The graph in words, for those who do not see it."""
    made = [f"{node.name} = {node.call()}" for node in nodes if node.operation]
    differs = [f"The gradient of {node.name} differs." for node in nodes if node.differs]
    return ". ".join([title, *made[:12], *([f"and {len(made) - 12} more"] if len(made) > 12 else []), *differs])


STYLE = (
    "<style>"
    f".minitorch-graph {{ color: {TEXT}; }}"
    ".minitorch-graph > div:not(.minitorch-steps) { display: flex; flex-wrap: wrap; gap: 1em 2em; }"
    ".minitorch-graph figure { margin: 0; overflow-x: auto; }"
    ".minitorch-graph figcaption { margin-bottom: 0.5em; }"
    f".minitorch-graph text {{ fill: {TEXT}; font: 12px ui-monospace, Menlo, Consolas, monospace;"
    " text-anchor: middle; }"
    ".minitorch-graph .far { font-size: 10px; }"
    ".minitorch-graph .first { font-weight: bold; }"
    f".minitorch-graph .value {{ fill: {themed(VALUE)}; }}"
    f".minitorch-graph .gradient, .minitorch-graph .tip.now {{ fill: {themed(GRADIENT)}; }}"
    f".minitorch-graph rect {{ fill: none; stroke: {TEXT}; stroke-width: 1; }}"
    ".minitorch-graph .leaf { stroke-width: 2; }"
    ".minitorch-graph .more { stroke-dasharray: 5 4; }"
    f".minitorch-graph .differs {{ stroke: {BARS['failed']}; stroke-width: 4; }}"
    f".minitorch-graph .edge {{ fill: none; stroke: {TEXT}; stroke-width: 1.2; opacity: 0.75; }}"
    f".minitorch-graph .tip {{ fill: {TEXT}; }}"
    f".minitorch-graph .works {{ stroke: {themed(GRADIENT)}; stroke-width: 3; }}"
    f".minitorch-graph .now {{ stroke: {themed(GRADIENT)}; }}"
    ".minitorch-graph .edge.now { stroke-width: 2.2; stroke-dasharray: 7 4; opacity: 1; }"
    f".minitorch-graph pre {{ color: {TEXT}; background: transparent; overflow-x: auto; }}"
    "</style>"
)
