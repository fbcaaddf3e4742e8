"""Pictures of ideas: softmax's temperature, losses and their slopes, ways down a landscape, dropout, sure mistakes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from checks import svg
from checks.svg import NotDrawn, in_time
from workshop.reading import array_of

DASHES = ("", "dashed", "faint")  # that tell several curves apart, beside the words at their ends


def _array(value: Any, what: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """What a learner's code gives, as finite numbers."""
    if value is None or value is ...:
        raise NotDrawn(f"There is nothing to draw yet: {what} is not written.")
    array = array_of(value, what)
    if shape is not None and array.shape != shape:
        raise NotDrawn(f"{what} has shape {array.shape}, and {shape} is needed.")
    if not np.isfinite(array).all():
        raise NotDrawn(f"{what} has values that are not finite (nan or inf): there is nothing to draw.")
    return array.astype(np.float64)


def _percent(share: float) -> str:
    share = round(share, 9)
    return f"{share:.0%}" if 0.01 <= share <= 0.99 or share in (0, 1) else f"{share:.1%}"


# ---------------------------------------------------------------- softmax

BAR, ROW = 100, 24  # pixels: the longest bar, and from one to the next


def draw_softmax(
    softmax: Callable[[np.ndarray], Any],
    scores: Sequence[float],
    temperatures: Sequence[float] = (0.5, 1, 2, 10),
    names: Sequence[str] | None = None,
) -> None:
    """Draw what softmax makes of scores, for several temperatures: the scores are divided by them first.

        tests.draw_softmax(lambda scores: softmax(MyTensor(scores)), [2.0, 1.0, 0.0])

    Args:
        softmax: from an array of scores, shape (classes,), to their probabilities, a tensor or an array.
        scores: one for each class.
        temperatures: positive numbers.
        names: of the classes; numbers from 0 without it.
    """
    with in_time("Softmax") as made:
        scores = np.asarray(scores, np.float64)
        if scores.ndim != 1 or not 0 < len(scores) <= 12:
            raise NotDrawn(f"draw_softmax draws up to 12 scores in a row, and not an array of shape {scores.shape}.")
        if not all(each > 0 for each in temperatures):
            raise NotDrawn("A temperature is a number above 0: the scores are divided by it.")
        names = [str(name) for name in (names or range(len(scores)))]
        found = [_array(softmax(scores / each), "softmax", scores.shape) for each in temperatures[:8]]
        panels, lines = [], []
        for temperature, shares in zip(temperatures, found, strict=False):
            title = f"temperature {temperature:g}"
            told = ", ".join(f"{name}: {_percent(share)}" for name, share in zip(names, shares, strict=True))
            lines.append(f"{title}: {told}; together {_percent(shares.sum())}")
            alt = f"Probabilities as bars at {title}. {told}."
            wide = 60 + BAR + 46
            panels.append(svg.drawn(wide, ROW * len(names) + 6, alt, _bars(names, shares), title, least=180))
        given = ", ".join(f"{name}: {score:g}" for name, score in zip(names, scores, strict=True))
        says = f"The scores are {given}. Below 1 the highest one takes more, above 1 all come nearer to one another."
        made.append((panels, "\n".join(lines), says))


def _bars(names: Sequence[str], shares: np.ndarray) -> list[str]:
    shapes = []
    for number, (name, share) in enumerate(zip(names, shares, strict=True)):
        top, length = ROW * number + 3, BAR * min(max(float(share), 0.0), 1.0)
        shapes.append(svg.words(52, top + 14, name[:8], "", "end"))
        shapes.append(svg.box(60, top, max(length, 1), ROW - 6, "value full"))
        shapes.append(svg.words(66 + length, top + 14, _percent(float(share)), "", "start"))
    return shapes


# ---------------------------------------------------------------- losses

CURVE = (360, 240)  # pixels of a panel
LEADS = 65  # points of a curve


def draw_losses(
    tensor: Callable[..., Any], losses: Mapping[str, Callable[[Any], Any]], low: float = -8.0, high: float = 8.0
) -> None:
    """Draw losses of one example with two classes, and their slopes, over the lead of the right class's score.

        tests.draw_losses(MyTensor, {"cross-entropy": lambda scores: CrossEntropyLoss()(scores, np.array([0]))})

    The scores are those of a row, shape (1, 2): the lead, which may be negative, and 0. The right class is the first.

    Args:
        tensor: MyTensor.
        losses: by name, from scores, a tensor, to the loss, a scalar tensor. Three at most.
        low: the least lead.
        high: the largest.
    """
    with in_time("The losses") as made:
        leads = np.linspace(low, high, LEADS)
        values: dict[str, np.ndarray] = {}
        slopes: dict[str, np.ndarray] = {}
        for name, loss in list(losses.items())[: len(DASHES)]:
            points = [_with_slope(tensor, loss, float(lead), name) for lead in leads]
            values[name], slopes[name] = np.array(points).T
        lines = [
            f"{name}: at a lead of {lead:g} the loss is {values[name][at]:.3g} and its slope {slopes[name][at]:.3g}"
            for name in values
            for at, lead in ((0, low), (LEADS // 2, leads[LEADS // 2]), (LEADS - 1, high))
        ]
        told = ". ".join(lines) + "."
        panels = [
            _curves(leads, values, "value", "The loss", f"The loss over the lead of the right class. {told}"),
            _curves(leads, slopes, "gradient", "Its slope", f"The slope of the loss over the lead. {told}"),
        ]
        says = (
            "Left of 0 the answer is wrong, the farther the surer. The steeper a loss is there, the harder it pulls "
            "the scores to where they should be."
        )
        made.append((panels, "\n".join(lines), says))


def _with_slope(tensor: Callable[..., Any], loss_of: Callable[[Any], Any], lead: float, name: str) -> list[float]:
    scores = tensor([[lead, 0.0]], requires_grad=True)
    loss = loss_of(scores)
    value = _array(loss, name, ())
    loss.backward()
    return [float(value), float(_array(scores.grad, f"the gradient of {name}", (1, 2))[0, 0])]


def _curves(leads: np.ndarray, curves: Mapping[str, np.ndarray], kind: str, title: str, alt: str) -> str:
    """One panel: several curves over the same axis, each with its name and a dash of its own."""
    wide, tall = CURVE
    left, right, top, bottom = 44.0, wide - 12.0, 12.0 + 16 * len(curves), tall - 36.0
    every = np.concatenate([*curves.values()])
    low, high = min(0.0, float(every.min())), max(0.0, float(every.max()))
    high += 1e-9 + 0.05 * (high - low)

    def at(lead: float, value: float) -> tuple[float, float]:
        share = (lead - leads[0]) / (leads[-1] - leads[0])
        return left + share * (right - left), bottom - (value - low) / (high - low) * (bottom - top)

    shapes = [svg.line([at(leads[0], 0.0), at(leads[-1], 0.0)], "faint")]
    if leads[0] < 0 < leads[-1]:
        shapes.append(svg.line([at(0.0, low), at(0.0, high)], "faint"))
    far = 0.08 * (high - low)  # apart, so that they can be read
    for value in [0.0, *(end for end in (low, float(every.max())) if abs(end) > far)]:
        shapes.append(svg.words(left - 6, at(leads[0], value)[1] + 4, f"{value:.2g}", "", "end", 11))
    for lead in (leads[0], 0.0, leads[-1]):
        if leads[0] <= lead <= leads[-1]:
            shapes.append(svg.words(at(lead, low)[0], bottom + 16, f"{lead:g}", "", size=11))
    shapes.append(svg.words((left + right) / 2, tall - 4, "lead of the right class's score", size=11))
    for number, (name, values) in enumerate(curves.items()):
        dash = f"{kind} thick {DASHES[number]}"
        shapes.append(svg.line([at(lead, value) for lead, value in zip(leads, values, strict=True)], dash))
        y = 10.0 + 16 * number
        shapes += [svg.line([(left, y), (left + 34, y)], dash), svg.words(left + 42, y + 4, name, "", "start", 12)]
    return svg.drawn(wide, tall, alt, shapes, title, least=290)


# ---------------------------------------------------------------- ways down a landscape

MAP = (250, 250)  # pixels of a panel
FINE = 81  # points of the map along each side
MOST_STEPS, MOST_WAYS = 500, 6
LEVELS = 10


def draw_ways(
    landscape: Callable[[Any, Any], Any],
    ways: Mapping[str, Sequence[tuple[float, float]]],
    low: tuple[float, float] = (-3.0, -3.0),
    high: tuple[float, float] = (3.0, 3.0),
) -> None:
    """Draw the places that optimizers have visited in one landscape, a map for each of them.

        tests.draw_ways(lambda x, y: x**2 / 10 + y**2, {"SGD": [(-2, 1), (-1.8, 0.5)]})

    Args:
        landscape: from two arrays of one shape to the loss at each place, an array.
        ways: by name, places (x, y) in the order of the steps.
        low: the least x and y of the map.
        high: the largest.
    """
    with in_time("The landscape") as made:
        sides = [np.linspace(low[axis], high[axis], FINE) for axis in (0, 1)]
        heights = _array(landscape(*np.meshgrid(*sides)), "the landscape", (FINE, FINE))
        panels, lines = [], []
        for name, way in list(ways.items())[:MOST_WAYS]:
            places = np.array([[float(x), float(y)] for x, y in itertools.islice(way, MOST_STEPS)])
            if not len(places):
                raise NotDrawn(f"The way of {name} is empty: it takes no step.")
            if len(places) > 1 and (places == places[0]).all():
                lines.append(f"{name}: it stays where it began. Is its step() written yet?")
                continue
            told = _told(name, places, landscape)
            lines.append(told)
            shapes = [*_levels(sides, heights), *_steps(places, low, high)]
            panels.append(svg.drawn(*MAP, f"A map of the loss, and a way down. {told}", shapes, name, least=200))
        says = (
            "Blue: lines of equal loss, lower inside. Orange: the steps, from the ring. From left to right x goes from "
            f"{low[0]:g} to {high[0]:g}, from the bottom up y from {low[1]:g} to {high[1]:g}."
        )
        if not panels:
            raise NotDrawn("There is nothing to draw yet. " + "\n".join(lines))
        if len(panels) < len(lines):
            says += " Not drawn: " + " ".join(line for line in lines if "it stays where" in line)
        made.append((panels, "\n".join(lines), says))


def _told(name: str, places: np.ndarray, landscape: Callable[[Any, Any], Any]) -> str:
    """How it went, in words."""
    steps = f"{len(places) - 1} step{'s' * (len(places) != 2)}"
    with np.errstate(all="ignore"):  # far outside there may be no numbers
        ends = [float(array_of(landscape(*place), "the landscape")) for place in places[[0, -1]]]
    x, y = places[-1]
    if not np.isfinite([*ends, x, y]).all() or ends[1] > 10 * abs(ends[0]) + 1:
        return f"{name}: it diverges in {steps}; try a smaller rate"
    return f"{name}: {steps} to ({x:.2g}, {y:.2g}), from a loss of {ends[0]:.3g} to {ends[1]:.2g}"


def _levels(sides: Sequence[np.ndarray], heights: np.ndarray) -> list[str]:
    from contourpy import contour_generator

    wide, tall = MAP
    above = heights - heights.min()
    found = contour_generator(*sides, above)
    shapes = []
    for level in float(above.max()) * (np.arange(1, LEVELS + 1) / (LEVELS + 1)) ** 2.5:  # more of them near the bottom
        for line in found.lines(level):
            points = [
                (
                    wide * (x - sides[0][0]) / (sides[0][-1] - sides[0][0]),
                    tall * (sides[1][-1] - y) / (sides[1][-1] - sides[1][0]),
                )
                for x, y in line
            ]
            shapes.append(svg.line(points, "value"))
    return [*shapes, svg.box(0.5, 0.5, wide - 1, tall - 1, "faint")]


def _steps(places: np.ndarray, low: Sequence[float], high: Sequence[float]) -> list[str]:
    """A way, as far as it is in the picture."""
    shapes = []
    spots = []
    for x, y in places:
        inside = low[0] <= x <= high[0] and low[1] <= y <= high[1]
        if not inside:
            break
        spots.append((MAP[0] * (x - low[0]) / (high[0] - low[0]), MAP[1] * (high[1] - y) / (high[1] - low[1])))
    if len(spots) > 1:
        shapes.append(svg.line(spots, "gradient"))
    shapes += [svg.dot(*spot, 2.2, "gradient full") for spot in spots[1:]]
    if spots:
        shapes.append(svg.dot(*spots[0], 5.5, "gradient thick"))
    if len(spots) < len(places):
        shapes.append(svg.words(MAP[0] / 2, 16, "out of the picture", "gradient", size=11))
    return shapes


# ---------------------------------------------------------------- dropout

CELL = 26  # pixels


def draw_dropout(layer: Any, tensor: Callable[..., Any], shape: tuple[int, int] = (3, 8), times: int = 3) -> None:
    """Draw what dropout makes of ones, several times: forward, and backward from an upstream gradient of ones.

        tests.draw_dropout(Dropout(0.5), MyTensor)

    Args:
        layer: the module.
        tensor: MyTensor.
        shape: of its input, at most 8 by 12.
        times: how often it is asked.
    """
    with in_time("Dropout") as made:
        rows, columns = (min(max(int(length), 1), most) for length, most in zip(shape, (8, 12), strict=True))
        panels, lines = [], []
        for number in range(1, min(max(times, 1), 6) + 1):
            x = tensor(np.ones((rows, columns)), requires_grad=True)
            y = layer(x)
            forward = _array(y, "what the layer gives", (rows, columns))
            y.backward()
            backward = _array(x.grad, "the gradient of the input", (rows, columns))
            dropped = int((forward == 0).sum())
            same = bool(((forward == 0) == (backward == 0)).all())
            told = f"{dropped} of {forward.size} dropped, the others are {_others(forward)}"
            told += "; backward the same ones" if same else "; backward other ones"
            lines.append(f"Pass {number}: {told}")
            wide, gap = CELL * columns + 2, 34
            shapes = [
                svg.words(1, 14, "forward: values", "value", "start", 12),
                *_cells(forward, 1.0, 22.0, "value"),
                svg.words(1, 22 + CELL * rows + 22, "backward: gradients", "gradient", "start", 12),
                *_cells(backward, 1.0, 22.0 + CELL * rows + gap - 4, "gradient"),
            ]
            tall = 2 * CELL * rows + 22 + gap
            panels.append(svg.drawn(max(wide, 140), tall, f"Pass {number}: {told}.", shapes, f"Pass {number}"))
        says = "Each cell is one element of the input, which is 1. Dashed: dropped, and 0."
        made.append((panels, "\n".join(lines), says))


def _others(values: np.ndarray) -> str:
    left = sorted({f"{value:.3g}" for value in values[values != 0]})
    return " or ".join(left[:3]) if left else "none"


def _cells(values: np.ndarray, left: float, top: float, kind: str) -> list[str]:
    shapes = []
    for (row, column), value in np.ndenumerate(values):
        x, y = left + CELL * column, top + CELL * row
        shapes.append(svg.box(x + 1, y + 1, CELL - 3, CELL - 3, f"{kind} {'light' if value else 'dashed'}"))
        shapes.append(
            svg.words(x + CELL / 2 - 0.5, y + CELL / 2 + 4, f"{value:.2g}", kind if value else "faint", size=11)
        )
    return shapes


# ---------------------------------------------------------------- mistakes

MOST_PICTURES, PIXEL = 8, 10


def draw_mistakes(pictures: np.ndarray, probabilities: Any, labels: np.ndarray, most: int = 8) -> None:
    """Draw the pictures that a network misreads, those first of which it is surest.

        tests.draw_mistakes(held_out_images, softmax(scores), held_out_labels)

    Args:
        pictures: shape (n, 64), from 0 (paper) to 1 (ink).
        probabilities: of each class, shape (n, classes): a tensor or an array.
        labels: the right classes, shape (n,).
        most: how many are drawn, 8 at most.
    """
    with in_time("The mistakes") as made:
        labels = np.asarray(labels)
        shares = _array(probabilities, "probabilities")
        if shares.ndim != 2 or len(shares) != len(labels):
            raise NotDrawn(
                f"probabilities have shape {shares.shape}: a row for each of {len(labels)} pictures is needed."
            )
        answers = shares.argmax(axis=1)
        wrong = np.flatnonzero(answers != labels)
        order = wrong[np.argsort(-shares[wrong, answers[wrong]], kind="stable")][: min(most, MOST_PICTURES)]
        panels, lines = [], []
        for place in order:
            said, right = int(answers[place]), int(labels[place])
            title = f"a {right}, read as {said}"
            told = f"{title}: {said} has {_percent(shares[place, said])}, {right} has {_percent(shares[place, right])}"
            lines.append(f"picture {place}: {told}")
            shapes = [
                *_pixels(np.asarray(pictures[place], np.float64).reshape(8, 8)),
                *(
                    svg.words(
                        0, 8 * PIXEL + 18 + 17 * number, f"{digit}: {_percent(shares[place, digit])}", kind, "start"
                    )
                    for number, (digit, kind) in enumerate(((said, "strong"), (right, "")))
                ),
            ]
            panels.append(svg.drawn(130, 8 * PIXEL + 42, f"{told}.", shapes, title, least=120))
        sure = int((shares[wrong, answers[wrong]] > 0.9).sum())
        says = f"{len(wrong)} of {len(labels)} are misread, {sure} of them with more than 90%."
        made.append((panels, "\n".join(lines), says))


def _pixels(picture: np.ndarray) -> list[str]:
    shapes = [
        svg.box(PIXEL * column, PIXEL * row, PIXEL, PIXEL, "ink", f'fill-opacity="{min(max(value, 0.0), 1.0):.2f}"')
        for (row, column), value in np.ndenumerate(picture)
        if value > 0.01
    ]
    return [*shapes, svg.box(0.5, 0.5, 8 * PIXEL - 1, 8 * PIXEL - 1, "faint")]
