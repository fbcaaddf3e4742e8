"""Pictures of ideas: the steps down a valley, a network, two shapes that meet, a function of two numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from checks import svg
from checks.observe import class_name, printable, text_of
from checks.svg import NotDrawn, in_time
from workshop.graph import is_tensor
from workshop.reading import array_of


def _number(value: Any, what: str) -> float:
    array = array_of(value, what)
    if array.size != 1:
        raise NotDrawn(f"{what} has shape {array.shape}: a single number is needed.")
    return float(array.ravel()[0])


# ---------------------------------------------------------------- steps down a valley

CURVE = 161  # points of a curve
MOST_STEPS = 500
FAR = 1e9  # where a path that diverges is not followed any further
PANEL, ALONE = (300, 200), (460, 260)  # pixels of one panel of several, and of a single one


def draw_descent(
    f: Callable[[Any], Any],
    df: Callable[[Any], Any] | None = None,
    start: float | None = None,
    rates: float | Sequence[float] = (0.1,),
    steps: int = 6,
    path: Sequence[Any] | None = None,
    names: tuple[str, str] = ("loss", "w"),
) -> None:
    """Draw a function of one number as a valley, and the steps that gradient descent takes in it.

        tests.draw_descent(lambda w: w**2, lambda w: 2 * w, start=3.0, rates=(0.01, 0.1, 0.9, 1.1))
        tests.draw_descent(f, path=places)  # the places that your own loop has visited

    There is one panel for each learning rate, with a word on how it went.

    Args:
        f: the loss, of one number.
        df: its derivative. Not needed with a `path`.
        start: where the steps begin.
        rates: the learning rates.
        steps: how many steps each takes.
        path: the visited places, numbers or tensors: then these are drawn, and `df`, `start` and `rates` not used.
        names: of what is drawn, and of the number.
    """
    with in_time("The valley") as made:
        if path is not None:
            paths = [("", _visited(path))]
        elif df is None or start is None:
            raise NotDrawn(
                "draw_descent needs the derivative and a start, or a path: tests.draw_descent(f, path=places)."
            )
        else:
            rates = [rates] if np.ndim(rates) == 0 else list(rates)
            paths = [(f"lr = {rate:g}", _descended(df, _number(start, "start"), rate, steps)) for rate in rates[:12]]
        losses = [[_loss(f, place) for place in places] for _, places in paths]
        low, high, highest = _limits([places for _, places in paths], losses)
        grid = [float(place) for place in np.linspace(low, high, CURVE)]
        curve = np.array([_loss(f, place) for place in grid])
        if not np.isfinite(curve).any():
            raise NotDrawn("f(w) is no finite number around these places: there is nothing to draw.")
        size = PANEL if len(paths) > 1 else ALONE
        valley = Valley(grid, curve, highest, *size, names[1])
        panels, lines = [], []
        for (title, places), own in zip(paths, losses, strict=True):
            verdict = _verdict(places, own, float(np.nanmin([*curve, *own])))
            ends = f"from {names[1]} = {places[0]:.3g} to {places[-1]:.3g} in {len(places) - 1} steps"
            told = f"{title}: {verdict}" if title else f"{verdict[0].upper()}{verdict[1:]}"
            visited = " ".join(f"{place:.3g}" for place in places[:12]) + (" ..." if len(places) > 12 else "")
            lines.append(f"{told}, {ends}: {visited}")
            alt = f"The {names[0]} over {names[1]} as a valley, and the steps in it. {told}, {ends}."
            panels.append(svg.drawn(*size, alt, valley.shapes(places, own), told, least=0.9 * size[0]))
        says = f"Blue line: the {names[0]} at each {names[1]}. Orange: the steps, from the ring where they start."
        made.append((svg.in_rows(panels), "\n".join(lines), says))


def _loss(f: Callable[[Any], Any], place: float) -> float:
    try:
        return _number(f(place), "f(w)")
    except (OverflowError, ZeroDivisionError):  # what Python says where NumPy says inf
        return math.inf


def _visited(path: Sequence[Any]) -> list[float]:
    items = list(itertools.islice(path, MOST_STEPS))
    if not items:
        raise NotDrawn("The path is empty: append a place to it at each step.")
    if len(items) > 1 and all(item is items[0] for item in items) and not isinstance(items[0], (int, float)):
        raise NotDrawn(
            "The path holds one and the same object, again and again, and that has changed with each step: append its "
            "number, as in path.append(float(w.data))."
        )
    return [_number(item, "a place of the path") for item in items]


def _descended(df: Callable[[Any], Any], start: float, rate: float, steps: int) -> list[float]:
    places = [start]
    while len(places) <= min(steps, MOST_STEPS) and abs(places[-1]) < FAR:
        places.append(places[-1] - rate * _number(df(places[-1]), "df(w)"))
    return places


def _diverges(losses: list[float]) -> bool:
    return not math.isfinite(losses[-1]) or losses[-1] > losses[0]


def _limits(paths: list[list[float]], losses: list[list[float]]) -> tuple[float, float, float]:
    """From where to where the valley is drawn, and how high: of those that diverge the first steps are enough."""
    seen = [
        (place, loss)
        for path, own in zip(paths, losses, strict=True)
        for place, loss in list(zip(path, own, strict=True))[: 3 if _diverges(own) else None]
        if abs(place) < FAR and math.isfinite(loss)
    ]
    if not seen:
        raise NotDrawn("The places, or f(w) there, are no finite numbers: there is nothing to draw.")
    low, high = min(seen)[0], max(seen)[0]
    margin = (0.15 if len(paths) > 1 else 0.4) * (high - low) or max(1.0, abs(low))
    return low - margin, high + margin, max(loss for _, loss in seen)


def _verdict(places: list[float], losses: list[float], lowest: float) -> str:
    """How it went, in words."""
    moves = np.diff(places)
    if len(moves) == 0 or not moves.any():
        return "it stays where it is"
    if _diverges(losses):
        return "it diverges, and ends higher than it began"
    done = (losses[0] - losses[-1]) / ((losses[0] - lowest) or 1.0)
    if len(moves) > 1 and np.mean(moves[1:] * moves[:-1] < 0) > 0.5:
        return "it jumps from side to side, and comes nearer" if done > 0.05 else "it jumps from side to side"
    if done >= 0.9:
        return "it arrives" if done > 0.9999 else "it comes near the minimum"
    if abs(moves[-1]) < 0.01 * abs(moves[0]):
        return "it comes to rest in a valley that is not the lowest here"
    return "it crawls" if done < 0.5 else "it is on its way"


@dataclass
class Valley:
    """A curve in a panel of so many pixels, and the steps in it."""

    grid: list[float]
    curve: np.ndarray
    highest: float  # of the places that are to be seen
    wide: float
    tall: float
    name: str  # of the number

    def __post_init__(self) -> None:
        self.left, self.right, self.top, self.bottom = 12.0, self.wide - 22.0, 18.0, self.tall - 34.0
        finite = self.curve[np.isfinite(self.curve)]
        self.floor = float(finite.min())
        above = max(self.highest - self.floor, 0.25 * float(finite.max() - self.floor)) or 1.0
        self.ceiling = self.floor + 1.2 * above

    def at(self, place: float, loss: float) -> tuple[float, float]:
        """Where a place and its loss stand."""
        share = (place - self.grid[0]) / (self.grid[-1] - self.grid[0])
        height = (loss - self.floor) / (self.ceiling - self.floor)
        return self.left + (self.right - self.left) * share, self.bottom - (self.bottom - self.top) * height

    def shapes(self, places: list[float], losses: list[float]) -> list[str]:
        """The panel."""
        shapes, run = self._axis(), []
        for place, value in [*zip(self.grid, self.curve, strict=True), (0.0, math.nan)]:
            if math.isfinite(value) and value <= self.ceiling:
                run.append(self.at(place, value))
            elif run:
                shapes.append(svg.line(run, "value thick"))
                run = []
        spots = [self.at(*each) for each in zip(places, losses, strict=True)]
        for (x0, y0), (x1, y1) in itertools.pairwise(spots):
            if not math.isfinite(x1 + y1):
                break
            borders = (x0, x1, self.left), (x0, x1, self.right), (y0, y1, self.top)
            share = min(1.0, *(_share(*each) for each in borders))
            if share < 1.0:
                x, y = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
                shapes.append(svg.arrow((x0, y0), (x, y), "gradient"))
                beside = min(max(x, self.left + 50), self.right - 50)
                shapes.append(svg.words(beside, self.top - 5, "out of the picture", "gradient", size=12))
                break
            shapes.append(svg.line([(x0, y0), (x1, y1)], "gradient"))
            shapes.append(svg.dot(x1, y1, 3.2, "gradient full"))
        return [*shapes, svg.dot(*spots[0], 5.5, "gradient thick")]

    def _axis(self) -> list[str]:
        """Round numbers below the curve."""
        low, high, level = self.grid[0], self.grid[-1], self.bottom + 10
        step = 10 ** math.floor(math.log10((high - low) / 3))
        step *= max(each for each in (1, 2, 5) if (high - low) / (each * step) >= 3)
        shapes = [svg.line([(self.left, level), (self.right, level)], "faint")]
        shapes.append(svg.words(self.right + 6, level + 4, self.name, "", "start", 12))
        for number in range(math.ceil(low / step), math.floor(high / step) + 1):
            x, _ = self.at(number * step, self.floor)
            shapes.append(svg.line([(x, level - 3), (x, level + 3)], "faint"))
            shapes.append(svg.words(x, level + 17, f"{number * step:.10g}", "", size=11))
        return shapes


def _share(start: float, end: float, border: float) -> float:
    """How far one gets on the way before a border that lies in between; else all the way."""
    return (border - start) / (end - start) if (start - border) * (end - border) < 0 else 1.0


# ---------------------------------------------------------------- a network

UNITS = 7  # of a layer that are drawn; of more, the first and the last
MOST_LAYERS = 6  # with a matrix, that are drawn
MOST_MODULES = 60  # lines of the tree
DEPTH = 8
WIDE, ROUND, APART = 780, 9, 27  # pixels: the picture, the radius of a unit, and from one unit to the next


@dataclass
class Part:
    """A module or a parameter in the tree: its name, class, own parameters, and what is in it."""

    name: str
    kind: str
    parameters: dict[str, np.ndarray]
    again: str = ""  # the name under which it stood before
    parts: list[Part] = field(default_factory=list)

    @property
    def numbers(self) -> int:
        return sum(array.size for array in self.parameters.values()) + sum(part.numbers for part in self.parts)

    def row(self) -> tuple[str, str, str]:
        """What the tree says of it."""
        own = ", ".join(f"{name} {array.shape}" for name, array in self.parameters.items())
        held = f"the same as {self.again}" if self.again else own or ("" if self.parts else "no parameters")
        return self.kind, held, f"{self.numbers:,} numbers" if self.numbers else ""


def draw_network(model: Any) -> None:
    """Draw a network from a model: its layers as columns of units, the tree of its modules, how many numbers train.

        tests.draw_network(model)

    The layers are the modules that hold a matrix, in the order in which the model's attributes were set. Between two
    columns each line is a weight; of a large layer the first and the last units are drawn.

    Args:
        model: a MyModule of yours, finished or not; or a class, of which one is made.
    """
    with in_time("The network") as made:
        model = model() if isinstance(model, type) else model
        if not _is_module(model):
            raise NotDrawn(
                f"draw_network draws a model, an object of a class derived from MyModule, and this is "
                f"{text_of(model, 60)}."
            )
        found = Found({}, {})
        root = _part(model, "", 0, found)
        told = [_counted(model, found, root)]
        text = _tree(root)
        layers = _layers(root)
        shown = f"Its first {MOST_MODULES} modules have" if len(found.modules) >= MOST_MODULES else "It has"
        told += [f"{shown} {root.numbers:,} numbers to train." if root.numbers else "", *_gaps(layers)]
        if not layers:
            told.append("No module in it holds a matrix yet, so there are no layers to draw.")
        pictures = [_network(layers)] if layers else []
        made.append(([*pictures, svg.listed(text, "Its modules")], text, " ".join(each for each in told if each)))


class Found(NamedTuple):
    """The modules and the parameters that were met, by their id: where they stand."""

    modules: dict[int, str]
    parameters: dict[int, str]


def _is_module(thing: Any) -> bool:
    return not isinstance(thing, type) and not is_tensor(thing) and callable(getattr(type(thing), "parameters", None))


def _part(module: Any, name: str, depth: int, found: Found) -> Part:
    """The tree below a module."""
    part = Part(name, class_name(module), {})
    found.modules[id(module)] = name or "the model"
    for key, value in list(getattr(module, "__dict__", {}).items()):
        path = f"{name}.{key}" if name else key
        if _is_module(value):
            if id(value) in found.modules:
                part.parts.append(Part(path, class_name(value), {}, again=found.modules[id(value)]))
            elif depth < DEPTH and len(found.modules) < MOST_MODULES:
                part.parts.append(_part(value, path, depth + 1, found))
            continue
        tensor = None if is_tensor(value) else getattr(value, "tensor", None)
        if is_tensor(tensor) and id(value) not in found.parameters:
            found.parameters[id(value)] = path
            part.parameters[printable(key, 40)] = array_of(tensor, path)
    return part


def _tree(root: Part) -> str:
    """The tree as text, a line for each module."""
    rows: list[tuple[str, str, str, str]] = []

    def add(part: Part, before: str, branch: str) -> None:
        name = part.name.rpartition(".")[2] or "model"
        rows.append((printable(f"{before}{branch}{name}", 60), *part.row()))
        below = before + {"": "", "├── ": "│   ", "└── ": "    "}[branch]
        for number, each in enumerate(part.parts, 1):
            add(each, below, "└── " if number == len(part.parts) else "├── ")

    add(root, "", "")
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(f"{text:{wide}}" for text, wide in zip(row, widths, strict=True)).rstrip() for row in rows
    )


@dataclass
class Layer:
    """A matrix from so many numbers to so many; and the modules without parameters that follow."""

    name: str
    kind: str
    sizes: tuple[int, int]
    shapes: list[str]
    after: list[str]


def _layers(root: Part) -> list[Layer]:
    layers: list[Layer] = []

    def add(part: Part) -> None:
        matrices = {name: array for name, array in part.parameters.items() if array.ndim == 2}
        if len(matrices) == 2:  # one may be a bias, written as a row
            one, two = sorted(matrices, key=lambda name: matrices[name].size)
            if 1 in matrices[one].shape and matrices[one].size in matrices[two].shape:
                del matrices[one]
        for name, matrix in matrices.items():
            shapes = [f"{key} {array.shape}" for key, array in part.parameters.items()] if len(matrices) == 1 else []
            sizes = _sizes(matrix, part, layers[-1].sizes[1] if layers else None)
            layers.append(Layer(part.name or name, part.kind, sizes, shapes or [f"{name} {matrix.shape}"], []))
        if layers and not part.parameters and not part.parts and not part.again:
            layers[-1].after.append(part.kind)
        for each in part.parts:
            add(each)

    add(root)
    return layers


def _sizes(matrix: np.ndarray, part: Part, before: int | None) -> tuple[int, int]:
    """From how many numbers to how many: a bias tells, or what came before; else the rows are the inputs."""
    rows, columns = matrix.shape
    biases = [array.size for array in part.parameters.values() if array is not matrix and array.size in matrix.shape]
    turned = rows in biases and columns not in biases if biases and rows != columns else before == columns != rows
    return (columns, rows) if turned else (rows, columns)


def _counted(model: Any, found: Found, root: Part) -> str:
    """What `parameters()` gives, where it is not what was found; where nothing was, its parameters are the model's."""
    try:
        given = model.parameters()
        if given is None:
            return "parameters() gives nothing yet."
        given = list(given)
    except Exception:
        return "parameters() does not work yet."
    if not found.parameters:
        for number, each in enumerate(given, 1):
            name = printable(str(getattr(each, "name", None) or "parameter"), 40)
            root.parameters[name if name not in root.parameters else f"{name}{number}"] = array_of(each.tensor, name)
        return ""
    missing = [name for key, name in found.parameters.items() if key not in set(map(id, given))]
    if not missing:
        return ""
    more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
    them = "it" if len(missing) == 1 else "them"
    return f"parameters() does not give {', '.join(missing[:4])}{more}: no optimizer would change {them}."


def _gaps(layers: list[Layer]) -> list[str]:
    """Where a layer does not take what the one before gives."""
    return [
        f"{one.name} gives {one.sizes[1]} numbers and {two.name} takes {two.sizes[0]}: they do not fit one after the "
        "other."
        for one, two in itertools.pairwise(layers)
        if one.sizes[1] != two.sizes[0]
    ]


def _network(layers: list[Layer]) -> str:
    """The picture: a column of units for each layer's numbers, lines for the weights between."""
    shown = layers[:MOST_LAYERS]
    sizes = [shown[0].sizes[0], *(layer.sizes[1] for layer in shown)]
    tall = 2 * ROUND + APART * (min(UNITS, max(sizes)) - 1)
    top, apart = 62, min(190, (WIDE - 110) / len(shown))
    xs = [55 + apart * number for number in range(len(sizes))]
    shapes, columns = [], [_column(size, top, tall) for size in sizes]
    for layer, x0, x1, left, right in zip(shown, xs, xs[1:], columns, columns[1:], strict=False):
        shapes += [svg.line([(x0 + ROUND, y0), (x1 - ROUND, y1)], "value faint") for y0 in left for y1 in right]
        middle = (x0 + x1) / 2
        room = int(apart / 6.5)
        for number, (line, kind) in enumerate(
            [(layer.name, "strong"), *((shape, "value") for shape in layer.shapes[:2])]
        ):
            shapes.append(svg.words(middle, 16 + 15 * number, printable(line, room), kind, size=12))
    for number, (size, x, column) in enumerate(zip(sizes, xs, columns, strict=True)):
        after = shown[number - 1].after if number else []
        for y in column:
            shapes.append(svg.dot(x, y, ROUND))
            if any("relu" in kind.lower() for kind in after):  # the bend of ReLU in each unit
                shapes.append(svg.line([(x - 5, y + 3), (x, y + 3), (x + 4, y - 4)], "thick"))
        if len(column) < size:
            shapes.append(svg.words(x, top + tall / 2 + 5, "⋮", "strong", size=18))
        last = number == len(sizes) - 1
        word = "inputs" if not number else "outputs" if last and len(shown) == len(layers) else "units"
        shapes.append(svg.words(x, top + tall + 22, f"{size:,} {word if size != 1 else word[:-1]}", size=12))
        for line, kind in enumerate(after[:2]):
            shapes.append(svg.words(x, top + tall + 38 + 15 * line, f"then {printable(kind, 14)}", size=12))
    most = max(min(2, len(layer.after)) for layer in shown)
    if len(shown) < len(layers):
        shapes.append(svg.words(xs[-1] + 22, top + tall / 2, "…", "strong", "start", 18))
    sentence = ", ".join(
        f"{layer.name} from {layer.sizes[0]} to {layer.sizes[1]} numbers"
        + (f", then {' and '.join(layer.after)}" if layer.after else "")
        for layer in layers
    )
    alt = f"The network as columns of units with lines for the weights between them: {sentence}."
    return svg.drawn(
        xs[-1] + 55,
        top + tall + 28 + 15 * most,
        alt,
        shapes,
        "The network: each line is a weight",
    )


def _column(size: int, top: float, tall: float) -> list[float]:
    """The middles of the units of one column: few stand in its middle, of many some are left out there."""
    if size <= UNITS:
        first = top + tall / 2 - APART * (size - 1) / 2
        return [first + APART * number for number in range(size)]
    places = [top + ROUND + APART * number for number in range(UNITS)]
    return places[:3] + places[-3:]


# ---------------------------------------------------------------- two shapes that meet

ALONG = 5  # cells of a row or column that are drawn; of more, the first and the last
MOST_CELLS = 2000
ALIGNED = "The shapes, aligned at the right"
MOST_DIMENSIONS = 8
CELL, BETWEEN, LETTER = 28, 46, 7.6  # pixels: the height of a cell, from grid to grid, the width of a character


def draw_broadcast(shape_a: Any, shape_b: Any) -> None:
    """Draw how two shapes meet in an operation such as a + b, and how the gradient folds back.

        tests.draw_broadcast((2, 3), (3,))
        tests.draw_broadcast((2, 1), (1, 3))

    Forward, dashed cells are repetitions. Backward, each repetition is one more path: the gradient of a stretched
    operand is the sum over the dimensions in which it was stretched. The numbers are made up, the sums are right.

    Args:
        shape_a: the shape of the left operand; or an array or a tensor, of which the shape is taken.
        shape_b: that of the right one.
    """
    with in_time("The two shapes") as made:
        shapes = {name: _shape(each, name) for name, each in (("a", shape_a), ("b", shape_b))}
        met = list(itertools.zip_longest(*(shape[::-1] for shape in shapes.values()), fillvalue=1))
        apart = next(((one, two) for one, two in met if one != two and 1 not in (one, two)), None)
        if apart is None:
            made.append(_met(shapes, tuple(two if one == 1 else one for one, two in reversed(met))))
        else:
            table = _aligned(shapes, {}, ())
            made.append(([svg.listed(table, ALIGNED)], table, _why_not(*shapes.values(), *apart)))


def _met(shapes: dict[str, tuple[int, ...]], result: tuple[int, ...]) -> tuple[list[str], str, str]:
    """Two shapes that fit: the pictures, the text, and a sentence."""
    stretched = {name: _stretched(shape, result) for name, shape in shapes.items()}
    table = _aligned({**shapes, "result": result}, stretched, result)
    says = " ".join(_folds(name, shape, stretched[name]) for name, shape in shapes.items())
    if len(result) > 2:
        return [svg.listed(table, ALIGNED)], table, f"Up to two dimensions are drawn, and these are more. {says}"
    if not 0 < math.prod(result) <= MOST_CELLS:
        return [svg.listed(table, ALIGNED)], table, says
    arrays = {
        name: step * np.arange(1, math.prod(shape) + 1).reshape(shape)
        for step, (name, shape) in zip((1, 10), shapes.items(), strict=True)
    }
    upstream = np.arange(1, math.prod(result) + 1).reshape(result)
    sums = {
        name: upstream.sum(axis=tuple(axes), keepdims=True).reshape(shapes[name]) for name, axes in stretched.items()
    }
    lines = [table, "", "a + b, for example", _text(arrays["a"] + arrays["b"])]
    for name, array in sums.items():
        lines += [f"gradient of {name}, if that of the result is 1, 2, 3, ...", _text(array)]
    pictures = [svg.listed(table, ALIGNED), _forward(arrays, result, stretched), _backward(upstream, sums, stretched)]
    return pictures, "\n".join(lines), says


def _stretched(shape: tuple[int, ...], result: tuple[int, ...]) -> list[int]:
    """The dimensions of the result in which an operand is repeated, or that it does not have."""
    new = len(result) - len(shape)
    return [axis for axis, length in enumerate(result) if axis < new or shape[axis - new] != length]


def _why_not(a: tuple[int, ...], b: tuple[int, ...], one: int, two: int) -> str:
    return (
        f"{a} and {b} do not fit. Aligned at the right, {one} meets {two}: the two lengths have to be equal, or one of "
        "them 1."
    )


def _shape(thing: Any, name: str) -> tuple[int, ...]:
    shape = getattr(thing, "shape", thing)
    shape = (shape,) if isinstance(shape, (int, np.integer)) and not isinstance(shape, bool) else shape
    if not isinstance(shape, (tuple, list)) or not all(type(n) in (int, np.int64) and 0 <= n < 10**9 for n in shape):
        raise NotDrawn(f"{name} should be a shape, such as (2, 3) or (3,), and is {text_of(thing, 40)}.")
    if len(shape) > MOST_DIMENSIONS:
        raise NotDrawn(f"{name} has {len(shape)} dimensions: up to {MOST_DIMENSIONS} are looked at.")
    return tuple(map(int, shape))


def _aligned(shapes: dict[str, tuple[int, ...]], stretched: dict[str, list[int]], result: tuple[int, ...]) -> str:
    """Shapes in lines, aligned at the right, and where each is repeated."""
    dimensions = max(map(len, shapes.values()))
    width = max([len(str(n)) for shape in shapes.values() for n in shape] + [1])
    lines = []
    for name, shape in shapes.items():
        cells = [""] * (dimensions - len(shape)) + [str(n) for n in shape]
        repeated = _repeated(stretched.get(name, []), result)
        lines.append(f"{name:8}{'  '.join(f'{cell:>{width}}' for cell in cells)}   {repeated}".rstrip())
    return "\n".join(lines)


def _repeated(axes: list[int], result: tuple[int, ...]) -> str:
    along = [f"{result[axis]} times along dimension {axis}" for axis in axes if result[axis] > 1]
    return f"repeated {' and '.join(along)}" if along else ""


def _folds(name: str, shape: tuple[int, ...], axes: list[int]) -> str:
    """What happens to the gradient of an operand."""
    if not axes:
        return f"The gradient of {name} has the result's shape {shape} as it is."
    over = f"dimension{'s' * (len(axes) > 1)} {' and '.join(map(str, axes))}"
    return f"The gradient of {name} is summed over {over}, and has the shape {shape}."


def _text(array: np.ndarray) -> str:
    return np.array2string(array, threshold=60, edgeitems=2)


def _forward(arrays: dict[str, np.ndarray], result: tuple[int, ...], stretched: dict[str, list[int]]) -> str:
    shapes, x = [], 4.0
    whole = {name: np.broadcast_to(array, result) for name, array in arrays.items()}
    whole["a + b"] = whole["a"] + whole["b"]
    signs = {"a": "+", "b": "=", "a + b": ""}
    for name, array in whole.items():
        grid = Grid(array, "value", stretched.get(name, []))
        title = f"{name}  {arrays[name].shape}" if name in arrays else f"{name}  {result}"
        shapes += grid.shapes(x, 30)
        shapes.append(svg.words(x, 18, title, "code", "start", 12))
        x += max(grid.wide, LETTER * len(title))
        if signs[name]:
            shapes.append(svg.words(x + BETWEEN / 2, 30 + grid.tall / 2 + 6, signs[name], "strong", size=18))
            x += BETWEEN
    repeats = ", ".join(
        f"{name} {_repeated(axes, result)}" for name, axes in stretched.items() if _repeated(axes, result)
    )
    alt = f"Cells of a and of b and their sums, shape {result}. {repeats or 'Nothing is repeated'}."
    return svg.drawn(x + 4, grid.tall + 36, alt, shapes, "Forward: values, repetitions dashed")


def _backward(upstream: np.ndarray, sums: dict[str, np.ndarray], stretched: dict[str, list[int]]) -> str:
    whole, title = Grid(upstream, "gradient", []), f"of a + b  {upstream.shape}"
    x, y, rows, widest = 4.0 + max(whole.wide, LETTER * len(title)), 0.0, [], 0.0
    for name, array in sums.items():
        axes, own = stretched[name], Grid(array, "gradient", [])
        sign = f"sum over dimension{'s' * (len(axes) > 1)} {', '.join(map(str, axes))}" if axes else "as it is"
        middle, title_of = y + 30 + own.tall / 2, f"of {name}  {array.shape}"
        rows += [
            svg.words(x + 85, middle - 6, sign, "gradient", size=11),
            svg.arrow((x + 14, middle), (x + 156, middle), "gradient"),
            svg.words(x + 170, y + 18, title_of, "code", "start", 12),
            *own.shapes(x + 170, y + 30),
        ]
        widest, y = max(widest, own.wide, LETTER * len(title_of)), y + own.tall + 38
    top = max(0.0, (y - 8 - 30 - whole.tall) / 2)
    shapes = [svg.words(4, top + 18, title, "code", "start", 12), *whole.shapes(4, top + 30), *rows]
    told = " ".join(_folds(name, array.shape, stretched[name]) for name, array in sums.items())
    alt = f"The gradient of the result, and what becomes of it. {told}"
    wide, tall = x + 170 + widest + 4, max(y, top + 36 + whole.tall)
    return svg.drawn(wide, tall, alt, shapes, "Backward: gradients, repetitions summed")


class Grid:
    """The cells of an array of up to two dimensions."""

    def __init__(self, array: np.ndarray, kind: str, stretched: list[int]) -> None:
        self.array, self.kind = array.reshape((1,) * (2 - array.ndim) + array.shape), kind
        self.stretched = {axis + 2 - array.ndim for axis in stretched}
        self.rows, self.columns = map(_some, self.array.shape)
        self.cell = max(34.0, 8.2 * len(str(int(self.array.max()))) + 14)
        self.wide, self.tall = self.cell * len(self.columns), float(CELL * len(self.rows))

    def shapes(self, left: float, top: float) -> list[str]:
        found = []
        for number, row in enumerate(self.rows):
            for place, column in enumerate(self.columns):
                x, y = left + self.cell * place, top + CELL * number
                if row is None or column is None:
                    found.append(svg.words(x + self.cell / 2, y + CELL / 2 + 5, "⋮" if row is None else "…"))
                    continue
                again = (0 in self.stretched and row > 0) or (1 in self.stretched and column > 0)
                found.append(
                    svg.box(x + 1.5, y + 1.5, self.cell - 3, CELL - 3, f"{self.kind} {'dashed' if again else 'light'}")
                )
                found.append(svg.words(x + self.cell / 2, y + CELL / 2 + 5, str(self.array[row, column]), self.kind))
        return found


def _some(length: int) -> list[int | None]:
    """The places of a row that are drawn; None for those left out."""
    return list(range(length)) if length <= ALONG else [*range(ALONG - 2), None, length - 1]


# ---------------------------------------------------------------- a function of two numbers

PLANE = 61  # points along each side
LEVELS = 9  # lines
MAP = (300, 300)  # pixels
MOST_PLANES = 4
FLAT = 1e-9  # of the range of the values: what a plane may differ from a fitted one


def draw_plane(
    f: Callable[[np.ndarray], Any],
    *others: Callable[[np.ndarray], Any],
    titles: Sequence[str] = (),
    low: float = -2.0,
    high: float = 2.0,
) -> None:
    """Draw functions of two numbers as maps: lines of equal value, more blue where the value is higher.

        tests.draw_plane(lambda points: (points @ W1) @ W2, lambda points: np.maximum(points @ W1, 0) @ W2,
                         titles=("without ReLU", "with ReLU"))

    Of a linear function, however many layers it has, the lines are straight and equally far apart. ReLU bends them.

    Args:
        f: from points, an array of shape (n, 2), to one value for each: an array or a tensor of shape (n,) or (n, 1).
        others: more functions, drawn beside it.
        titles: what stands above each.
        low: the least of the two numbers.
        high: their largest.
    """
    with in_time("The plane") as made:
        functions = (f, *others)[:MOST_PLANES]
        if not (isinstance(low, (int, float)) and isinstance(high, (int, float)) and low < high):
            raise NotDrawn(f"low and high are to be two numbers, low the smaller one, not {low!r} and {high!r}.")
        names = [*map(str, titles), *(f"function {number}" for number in range(len(titles) + 1, len(functions) + 1))]
        side = np.linspace(low, high, PLANE)
        points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
        maps = [_map(each, points.copy(), name) for each, name in zip(functions, names, strict=False)]
        says = [f"{name}: {_shape_of(points, values)}." for name, values in zip(names, maps, strict=False)]
        panels = [
            svg.drawn(*MAP, f"A map with lines of equal value. {told}", _contours(side, values), name, least=220)
            for name, values, told in zip(names, maps, says, strict=False)
        ]
        made.append((panels, "\n".join(says), "Each line goes through places of equal value; more blue is higher."))


def _map(f: Callable[[np.ndarray], Any], points: np.ndarray, name: str) -> np.ndarray:
    values = array_of(f(points), f"what {name} gives")
    if values.shape not in ((len(points),), (len(points), 1)):
        raise NotDrawn(
            f"{name} gives the shape {values.shape} for points of shape {points.shape}: one value for each point is "
            f"needed, ({len(points)},) or ({len(points)}, 1)."
        )
    if not np.isfinite(values).all():
        raise NotDrawn(f"{name} gives values that are not finite: there is nothing to draw.")
    smallest = FLAT * float(np.ptp(values))  # what rounding leaves would make ragged lines where all is even
    return (np.round(values / smallest) * smallest if smallest else values).reshape(PLANE, PLANE)


def _contours(side: np.ndarray, values: np.ndarray) -> list[str]:
    """One map: bands and lines of equal value, what some lines stand for, and the axes."""
    from contourpy import contour_generator

    left, top, wide, tall = 34.0, 6.0, MAP[0] - 44.0, MAP[1] - 44.0

    def at(points: np.ndarray) -> np.ndarray:
        shares = (points - side[0]) / (side[-1] - side[0])
        return np.column_stack([left + wide * shares[:, 0], top + tall * (1 - shares[:, 1])])

    shapes, labels, low, high = [], [], float(values.min()), float(values.max())
    found = contour_generator(side, side, values)
    for number, level in enumerate(_levels(low, high) if high > low else ()):
        for points, starts in zip(*found.filled(level, np.inf), strict=True):
            rings = [_corners(at(points[a:b])) for a, b in itertools.pairwise(starts)]
            path = "".join("M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in ring) + "Z" for ring in rings)
            shapes.append(f'<path class="value band" fill="currentColor" fill-opacity="0.07" d="{path}"/>')
        lines = [at(each) for each in found.lines(level)]
        shapes += [svg.line(_corners(each), "value") for each in lines]
        if lines and number % 3 == 1:
            longest = max(lines, key=len)
            x, y = longest[len(longest) // 2]
            labels.append((min(max(x, left + 16), left + wide - 16), min(max(y, top + 12), top + tall - 8), level))
    if high == low:
        labels = [(left + wide / 2, top + tall / 2, low)]
    shapes.append(svg.box(left, top, wide, tall))
    for x, y, level in labels:
        shapes.append(svg.words(x, y - 3, f"{level:.3g}", "strong", size=12))
    for place in (side[0], side[len(side) // 2], side[-1]):
        x, y = at(np.array([[place, place]]))[0]
        shapes.append(svg.words(x, top + tall + 15, f"{place:.3g}", size=11))
        shapes.append(svg.words(left - 5, y + 4, f"{place:.3g}", "", "end", 11))
    shapes.append(svg.words(left + wide / 2, MAP[1] - 6, "first number →", size=11))
    turned = f'transform="rotate(-90 12 {top + tall / 4:.1f})"'
    upright = svg.words(12, top + tall / 4, "second number →", size=11).replace("<text ", f"<text {turned} ", 1)
    return [*shapes, upright]


def _levels(low: float, high: float) -> list[float]:
    """Round values between two, equally far apart: all are multiples of their distance."""
    most = (high - low) / (LEVELS + 1)
    power = 10.0 ** math.floor(math.log10(most))
    step = power * max(each for each in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8) if each * power <= most * (1 + FLAT))
    middle = round((low + high) / 2 / step)
    return [step * (middle + number) for number in range(-(LEVELS // 2), LEVELS // 2 + 1)]


def _corners(points: np.ndarray) -> np.ndarray:
    """A line without the points on its straight parts."""
    if len(points) < 3:
        return points
    before, after = points[1:-1] - points[:-2], points[2:] - points[1:-1]
    bends = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]) > 1e-4
    return points[np.r_[True, bends, True]]


def _shape_of(points: np.ndarray, values: np.ndarray) -> str:
    """Whether the lines of equal value are straight, in words; found by fitting a plane."""
    if np.ptp(values) <= FLAT * max(1.0, np.abs(values).max()):
        return f"the value is {values[0, 0]:.3g} everywhere"
    design = np.column_stack([points, np.ones(len(points))])
    fitted = design @ np.linalg.lstsq(design, values.ravel(), rcond=None)[0]
    ends = f"from {values.min():.3g} to {values.max():.3g}"
    if np.abs(fitted - values.ravel()).max() <= 1e-6 * np.ptp(values):
        return f"a linear function, its lines are straight and equally far apart, {ends}"
    return f"not linear, its lines bend, {ends}"
