"""Pictures of ideas: the steps down a valley, a network, two shapes that meet, a function of two numbers."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from checks import svg
from checks.observe import explain, learner_code, quiet
from checks.report import show
from workshop.reading import array_of

SECONDS = 10.0  # for all that runs the learner's code in one picture


class Untold(Exception):
    """There is nothing to draw; the message says why, kindly."""


@contextlib.contextmanager
def _kindly(what: str) -> Iterator[None]:
    """Inside, whatever goes wrong becomes a sentence."""
    try:
        with learner_code(SECONDS), quiet():
            yield
    except KeyboardInterrupt:
        raise
    except Untold as error:
        show({"text/plain": str(error)})
    except BaseException as error:
        show({"text/plain": f"{what} cannot be drawn: {explain(error)}"})


def _number(value: Any, what: str) -> float:
    array = array_of(value, what)
    if array.size != 1:
        raise Untold(f"{what} has shape {array.shape}: a single number is needed.")
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
    """
    with _kindly("The valley"):
        if path is not None:
            paths = [("", _visited(path))]
        elif df is None or start is None:
            raise Untold(
                "draw_descent needs the derivative and a start, or a path: tests.draw_descent(f, path=places)."
            )
        else:
            rates = [rates] if isinstance(rates, (int, float)) else list(rates)
            paths = [(f"lr = {rate:g}", _descended(df, _number(start, "start"), rate, steps)) for rate in rates[:12]]
        losses = [[_number(f(place), "f(w)") for place in places] for _, places in paths]
        low, high, highest = _limits([places for _, places in paths], losses)
        grid = [float(place) for place in np.linspace(low, high, CURVE)]
        curve = np.array([_number(f(place), "f(w)") for place in grid])
        if not np.isfinite(curve).any():
            raise Untold("f(w) is no finite number around these places: there is nothing to draw.")
        size = PANEL if len(paths) > 1 else ALONE
        valley = Valley(grid, curve, highest, *size)
        panels, lines = [], []
        for (title, places), own in zip(paths, losses, strict=True):
            verdict = _verdict(places, own, float(np.nanmin([*curve, *own])))
            ends = f"from w = {places[0]:.3g} to {places[-1]:.3g} in {len(places) - 1} steps"
            told = f"{title}: {verdict}" if title else f"{verdict[0].upper()}{verdict[1:]}"
            visited = " ".join(f"{place:.3g}" for place in places[:12]) + (" ..." if len(places) > 12 else "")
            lines.append(f"{told}, {ends}: {visited}")
            alt = f"The loss over w as a valley, and the steps in it. {told}, {ends}."
            panels.append(svg.drawn(*size, alt, valley.shapes(places, own), told, least=0.9 * size[0]))
        says = "Blue line: the loss at each w. Orange: the steps, from the ring where they start."
        svg.show_pictures(panels, "\n".join(lines), says)


def _visited(path: Sequence[Any]) -> list[float]:
    items = list(itertools.islice(path, MOST_STEPS))
    if not items:
        raise Untold("The path is empty: append a place to it at each step.")
    if len(items) > 1 and all(item is items[0] for item in items) and not isinstance(items[0], (int, float)):
        raise Untold(
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
        raise Untold("The places, or f(w) there, are no finite numbers: there is nothing to draw.")
    low, high = min(seen)[0], max(seen)[0]
    margin = (0.15 if len(paths) > 1 else 0.4) * (high - low) or max(1.0, abs(low))
    return low - margin, high + margin, max(loss for _, loss in seen)


def _verdict(places: list[float], losses: list[float], lowest: float) -> str:
    """How it went, in words."""
    moves = np.diff(places)
    if len(moves) == 0 or not moves.any():
        return "it stays where it is"
    if _diverges(losses):
        return "it diverges, each step ends higher"
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

    def __post_init__(self) -> None:
        self.left, self.right, self.top, self.bottom = 12.0, self.wide - 22.0, 14.0, self.tall - 34.0
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
                shapes.append(svg.words(beside, max(y - 4, 11), "out of the picture", "gradient", size=11))
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
        shapes.append(svg.words(self.right + 6, level + 4, "w", "", "start", 12))
        for number in range(math.ceil(low / step), math.floor(high / step) + 1):
            x, _ = self.at(number * step, self.floor)
            shapes.append(svg.line([(x, level - 3), (x, level + 3)], "faint"))
            shapes.append(svg.words(x, level + 17, f"{number * step:.10g}", "", size=11))
        return shapes


def _share(start: float, end: float, border: float) -> float:
    """How far one gets on the way before a border that lies in between; else all the way."""
    return (border - start) / (end - start) if (start - border) * (end - border) < 0 else 1.0
