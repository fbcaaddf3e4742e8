"""Graphs as pictures: boxes in layers, crisp at any size, in the colors of the page; and as text."""

from __future__ import annotations

import html
import math
import re
import sys
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from checks.graph import (
    Graph,
    Node,
    NotDrawn,
    evaluated,
    gradients,
    graph_in_pytorch,
    graph_of,
    is_tensor,
    mark,
    names_in,
    names_of,
    pairs,
)
from checks.observe import array_of, close, explain, learner_code, printable, quiet, text_of
from checks.report import BARS, TEXT, show

SECONDS = 10.0  # for all that runs the learner's code
LINE, LETTER = 16, 7.4  # height of a line and width of a character, in pixels
GAP, RISE = 18, 44  # between boxes side by side, and between layers
BEND = 16  # of the width, for an edge on its way past boxes
FAR = 3  # layers; an edge that spans more of them tells at its tip where it comes from
SMALLEST = 0.75  # of its width, to which a picture shrinks beside another one: letters of 9 pixels


class Spot(NamedTuple):
    """Where the box of a node stands, by the node's number and layer; or where its edges pass another layer."""

    number: int
    level: int
    bend: bool


def as_text(nodes: list[Node]) -> str:
    """A line for each tensor, inputs before results."""
    rows = []
    for node in nodes:
        made = f"{node.name} = {node.call()}" if node.operation else node.name
        more = [*node.numbers(rows=False), *([node.remark] if node.remark else [])]
        rows.append((made, ", ".join(node.about()), "  ".join(more)))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(f"  {row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}".rstrip() for row in rows)


def as_figure(nodes: list[Node], title: str) -> str:
    """The graph from leaves at the top to the result at the bottom; its colors are those of the page.

    It takes a share of the room in its line, from its full width down to SMALLEST of it.
    """
    spots, steps = _spots(nodes)
    texts = [node.lines() for node in nodes]
    heights = [LINE * len(lines) + 12 for lines in texts]
    levels = [0] * (1 + max(spot.level for spot in spots))
    for spot, height in zip(spots, heights, strict=False):  # the boxes come first
        levels[spot.level] = max(levels[spot.level], height)
    tops = [2 + sum(levels[:level]) + RISE * level for level in range(len(levels))]
    width = LETTER * max(len(line) for lines in texts for line in lines) + 14
    across = _columns(spots, steps, width + GAP)
    shapes, come_far = [], {}
    for (start, end), times in steps.items():
        # Out of a box below, down past the boxes of its layer; then into a box from above, or past those of the next.
        bottom = tops[start.level] + levels[start.level]
        starts = bottom if start.bend else tops[start.level] + heights[start.number]
        arrives = tops[end.level] - (0 if end.bend else 6)
        middle = (bottom + arrives) / 2
        for number in range(times):
            aside = (number - (times - 1) / 2) * 24
            a, b = across[start] + aside, across[end] + aside
            line = f"M{a:.1f},{starts}V{bottom}C{a:.1f},{middle} {b:.1f},{middle} {b:.1f},{arrives}"
            line += f"v{levels[end.level]}" if end.bend else ""
            shapes.append(f'<path class="edge" fill="none" stroke="currentColor" d="{line}"/>')
            if not end.bend:
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
        kind = "differs" if node.differs else "more" if node.tensor is None else "result" if node.operation else "leaf"
        shapes.append(
            f'<rect class="{kind}" fill="none" stroke="currentColor" x="{middle - width / 2:.1f}" y="{top}" '
            f'width="{width:.1f}" height="{height}" rx="{3 if node.operation else 14}"/>'
        )
        for number, line in enumerate(lines, 1):
            weight = ' class="first"' if number == 1 or line == node.remark else ""
            words = re.sub("^ | $| (?= )", "\u00a0", html.escape(line))  # the rows of a matrix stay in line
            shapes.append(f'<text{weight} x="{middle:.1f}" y="{top + LINE * number + 1}">{words}</text>')
    wide = math.ceil(max(x + (0 if spot.bend else width / 2) for spot, x in across.items()) + 2)
    tall = tops[-1] + levels[-1] + 2
    least = math.ceil(SMALLEST * wide)
    return (
        f'<figure style="flex: 1 1 {least}px; max-width: min(100%, {wide}px)">'
        f"<figcaption>{html.escape(title)}</figcaption>"
        f'<svg role="img" aria-label="{html.escape(_described(title, nodes))}" width="{wide}" height="{tall}" '
        f'style="width: 100%; min-width: {least}px; height: auto" '
        f'viewBox="0 0 {wide} {tall}" xmlns="http://www.w3.org/2000/svg">{"".join(shapes)}</svg></figure>'
    )


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


def _columns(spots: list[Spot], steps: Iterable[tuple[Spot, Spot]], width: float) -> dict[Spot, float]:
    """The middle of each spot across the page: a box takes `width`, a bend little.

    The layout takes all for equally wide. In its order all is pushed to the left, then to the right, what stands
    straight below one another together: halfway between, a result stands in the middle below its inputs.
    """
    import igraph

    place, made = {spot: number for number, spot in enumerate(spots)}, {end for _, end in steps}
    # What goes on from a result counts more than what a leaf adds: the results stand in a line, the leaves beside it.
    edges = [(place[start], place[end]) for start, end in steps for _ in range(3 if start in made else 1)]
    layout = igraph.Graph(len(spots), edges, directed=True).layout_sugiyama([each.level for each in spots], maxiter=200)
    columns: dict[float, list[Spot]] = {}
    for spot, (x, _) in zip(spots, layout, strict=True):
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


def draw_graph(graph: Any, beside: str | bool = False, base: Any = None) -> None:
    """Draw the graph that a tensor remembers: leaves at the top, the tensor itself at the bottom.

    Args:
        graph: a result of your operations, with its `backward_op`; or an expression of your variables as text, such as
            "a * x + b" or "u = a * x; u + u", which is computed first.
        beside: the same expression as text (True if `graph` is it): PyTorch's graph of it is drawn, too. Then both go
            backward, and the first tensor whose gradient differs is marked. Your own gradients stay as they are.
        base: the upstream gradient for that, in the tensor's shape; None means ones.

    It draws up to 60 tensors; of a larger graph the rest is folded into one box.
    """
    caller = sys._getframe(1)
    try:
        parts, says = _drawn(graph, {**caller.f_globals, **caller.f_locals}, beside, base)
        text = "\n\n".join(f"{title}\n{as_text(nodes)}" for title, nodes in parts)
        try:
            figures = "".join(as_figure(nodes, title) for title, nodes in parts)
        except ImportError as error:
            figures = f"<p>No picture ({html.escape(str(error))}): python -m pip install -r requirements.txt</p>"
    except NotDrawn as error:
        show({"text/plain": str(error)})
        return
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        show({"text/plain": f"The graph cannot be drawn: {explain(error)}"})
        return
    page = (
        f'<div class="minitorch-graph">{STYLE}<div>{figures}</div>'
        f"{f'<p><strong>{html.escape(says)}</strong></p>' if says else ''}"
        f"<details><summary>As text</summary><pre>{html.escape(text)}</pre></details></div>"
    )
    show({"text/plain": f"{text}\n\n{says}".rstrip(), "text/html": page})


def _drawn(
    graph: Any, variables: dict[str, Any], beside: str | bool, base: Any
) -> tuple[list[tuple[str, list[Node]]], str]:
    """The graphs to draw, each with its title, and a sentence about them."""
    named = {name: value for name, value in variables.items() if is_tensor(value) and not name.startswith("_")}
    expression = graph if beside is True else beside
    used = [name for name in names_in(expression) if name in named] if isinstance(expression, str) else []
    with learner_code(SECONDS):
        names = names_of(variables) | {id(named[name]): name for name in used}  # the names of the expression win
        tensor = evaluated(graph, dict(variables)) if isinstance(graph, str) else graph
        own = graph_of(tensor, names)
    results = sum(bool(node.operation) for node in own.nodes)
    title = f"Yours: {own.result.name}, {len(own.nodes):,} tensors, {results:,} made by operations"
    says = ""
    if lost := [node.name for node in own.nodes if node.operation and not node.inputs]:
        says = (
            f"The backward_op of {', '.join(lost[:5])} holds no tensors that could be found. To be drawn, it has to "
            "keep its inputs, for example in a list. "
        )
    if not expression:
        return [(title, own.drawn())], says
    if not isinstance(expression, str):
        raise NotDrawn("beside=True needs the expression itself: tests.draw_graph('a * x + b', beside=True).")
    if own.result.value is None:
        with learner_code(SECONDS):
            array_of(tensor, "the result")  # it raises, and says what is wrong with it
    upstream, shape = None if base is None else _upstream(base), own.result.value.shape
    if upstream is not None and upstream.shape != shape:
        raise NotDrawn(f"The upstream gradient has shape {upstream.shape}, the result {shape}.")
    theirs = graph_in_pytorch(expression, variables, np.ones(shape) if upstream is None else upstream)
    here = {id(node.tensor) for node in own.nodes}
    aside = [Node(named[name], name, traced=bool(named[name].requires_grad)) for name in used]
    aside = [node for node in aside if id(node.tensor) not in here]
    try:
        with learner_code(SECONDS), quiet():
            known = gradients(own, list(named.values()), upstream)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        says += f"Going backward, {explain(error)}"
    else:
        for node in [*own.nodes, *aside]:
            node.gradient = known.get(id(node.tensor))
        with quiet():  # numbers that have diverged make NumPy warn
            found = pairs(own, theirs, aside)
            if own.result not in found and _has_changed(expression, variables, own):
                says += f"Your variables have changed since {own.result.name} was computed: compute it again."
            else:
                says += mark(own, theirs, aside, found)
    return [(title, own.drawn()), (f"PyTorch's: {expression}", theirs.drawn())], says


def _has_changed(expression: str, variables: dict[str, Any], own: Graph) -> bool:
    """Whether the learner's own classes compute another value now."""
    try:
        with learner_code(SECONDS), quiet():
            value = array_of(evaluated(expression, dict(variables)), "it")
        return value.shape != own.result.value.shape or not close(value, own.result.value)
    except Exception:
        return False


def _upstream(base: Any) -> np.ndarray:
    with learner_code(SECONDS):
        try:
            return array_of(np.asarray(base, np.float64) if isinstance(base, (list, tuple)) else base, "base")
        except Exception:
            needs = "base, the upstream gradient, has to be a number, a list of numbers, an array or a tensor"
            raise NotDrawn(f"{needs}, and this is {text_of(base, 60)}.") from None


def _described(title: str, nodes: list[Node]) -> str:
    """The graph in words, for those who do not see it."""
    made = [f"{node.name} = {node.call()}" for node in nodes if node.operation]
    differs = [f"The gradient of {node.name} differs." for node in nodes if node.differs]
    return ". ".join([title, *made[:12], *([f"and {len(made) - 12} more"] if len(made) > 12 else []), *differs])


STYLE = (
    "<style>"
    f".minitorch-graph {{ color: {TEXT}; }}"
    ".minitorch-graph > div { display: flex; flex-wrap: wrap; gap: 1em 2em; }"
    ".minitorch-graph figure { margin: 0; overflow-x: auto; }"
    ".minitorch-graph figcaption { margin-bottom: 0.5em; }"
    f".minitorch-graph text {{ fill: {TEXT}; font: 12px ui-monospace, Menlo, Consolas, monospace;"
    " text-anchor: middle; }"
    ".minitorch-graph .far { font-size: 10px; }"
    ".minitorch-graph .first { font-weight: bold; }"
    f".minitorch-graph rect {{ fill: none; stroke: {TEXT}; stroke-width: 1; }}"
    ".minitorch-graph .leaf { stroke-width: 2; }"
    ".minitorch-graph .more { stroke-dasharray: 5 4; }"
    f".minitorch-graph .differs {{ stroke: {BARS['failed']}; stroke-width: 4; }}"
    f".minitorch-graph .edge {{ fill: none; stroke: {TEXT}; stroke-width: 1.2; opacity: 0.75; }}"
    f".minitorch-graph .tip {{ fill: {TEXT}; }}"
    f".minitorch-graph pre {{ color: {TEXT}; background: transparent; overflow-x: auto; }}"
    "</style>"
)
