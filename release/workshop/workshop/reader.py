"""A small network that reads digits, shipped trained: what a learner meets before building one."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from checks import svg
from checks.observe import explain, text_of
from checks.svg import NotDrawn, kindly
from workshop.reading import array_of

SIDE = 8  # pixels of a picture, each way
INK = {".": 0.0, " ": 0.0, "+": 0.5, "#": 1.0}
FINE = 8  # points for each pixel and direction, while a drawing is prepared
TALL = SIDE * FINE
WIDTHS, SLANTS = (5, 6, 7), (-0.15, 0.0, 0.15, 0.3)  # of the ways in which one drawing is read
BLUR = 0.4  # pixels, as a pen with a soft tip
MEAN = 0.3  # ink of a pixel in the pictures that the network was trained with
SURE = 0.2  # the least lead of the highest score for an answer without a doubt
FOLDER = Path(__file__).resolve().parents[1] / "data"
EXAMPLE = "........\n..####..\n.#....#.\n.....#..\n....#...\n...#....\n..#.....\n.######."


def read_digit(picture: str | int = EXAMPLE, scores: Callable[[np.ndarray], Any] | None = None) -> None:
    """Let a small trained network read a digit: yours, or one of the pictures that it has not seen.

        tests.read_digit('''
        ........
        ..####..
        .#....#.
        .....#..
        ....#...
        ...#....
        ..#.....
        .######.
        ''')
        tests.read_digit(7)

    It shows the picture, the network's ten scores, and its answer, the digit with the highest score. The network has 64
    inputs, 32 hidden units with ReLU and 10 outputs, as the one that the notebook builds; it was trained for longer, on
    the same pictures and on some drawings. A drawing is first made like these pictures, in the middle and with soft
    strokes, in a few ways that differ a little: its scores are the means.

    Args:
        picture: a drawing as eight lines of eight characters, `#` for ink, `+` for half of it, `.` or a space for
            paper; or the number of one of the 360 held-out pictures, from 0.
        scores: a network of your own, which reads it then: from pictures, shape (n, 64), to ten scores for each, shape
            (n, 10), a tensor or an array. Where they are probabilities, they are shown as such.
    """
    with kindly():
        _show_digit(picture, scores)


def show_digit(picture: str | int = EXAMPLE) -> None:
    """Show such a picture, and no answer yet.

    Args:
        picture: as for `read_digit`.
    """
    with kindly():
        drawing, _, _, title = _looked_at(picture)
        alt = f"{title}: {SIDE} by {SIDE} pixels."
        svg.show_pictures(
            [svg.drawn(200, 200, alt, _pixels(drawing, 25), title, least=130)], _as_text(title, drawing), ""
        )


def _looked_at(picture: str | int) -> tuple[np.ndarray, np.ndarray, int | None, str]:
    """A picture, as it is and as a network sees it, shape (ways, 8, 8); which digit it is, if that is known; a title.

    Raises:
        NotDrawn: when it is none.
    """
    if isinstance(picture, str):
        drawing = drawn_in(picture)
        return drawing, prepared(drawing), None, "Your drawing"
    if isinstance(picture, (int, np.integer)) and not isinstance(picture, bool):
        drawing, label = held_out(int(picture))
        return drawing, drawing[None], label, f"Held-out picture {int(picture)}"
    raise NotDrawn(
        f"Give a drawing, as text in eight lines, or a number from 0 to 359, and not {text_of(picture, 40)}."
    )


def _as_text(title: str, drawing: np.ndarray) -> str:
    lines = ["".join(next(sign for sign in "#+." if value >= INK[sign] * 0.8) for value in row) for row in drawing]
    return "\n".join([title, *lines])


def _show_digit(picture: str | int, network: Callable[[np.ndarray], Any] | None) -> None:
    drawing, seen, label, title = _looked_at(picture)
    each = scores_of(seen) if network is None else _own(network, seen)
    shares = bool((each >= 0).all() and np.allclose(each.sum(axis=1), 1))
    what = "probabilities" if shares else "scores"
    scores = each.mean(axis=0).round(3 if shares else 2) + 0.0  # no -0.00
    told = [f"{value:.1%}" if shares else f"{value:.2f}" for value in scores]
    answer, says = int(scores.argmax()), _said(scores, label)
    signs = ["-" if value < 0 else "#" for value in scores]
    bars = [
        f"{digit}  {text:>5}  {sign * round(30 * min(abs(value), 1))}"
        for digit, (value, text, sign) in enumerate(zip(scores, told, signs, strict=True))
    ]
    alt = f"{title}: {SIDE} by {SIDE} pixels."
    alt_of_bars = f"The ten {what} as bars: " + ", ".join(f"{digit} has {text}" for digit, text in enumerate(told))
    shown = [svg.drawn(200, 200, alt, _pixels(drawing, 25), title, least=130)]
    if label is None:
        middle = len(seen) // 2
        alt = "The drawing in the middle, as tall as the picture, with soft strokes two pixels wide."
        shown.append(svg.drawn(200, 200, alt, _pixels(seen[middle], 25), "As the network sees it", least=130))
    shown.append(svg.drawn(330, 200, f"{alt_of_bars}.", _bars(scores, told, answer), f"Ten {what}", least=240))
    svg.show_pictures(shown, "\n".join([_as_text(title, drawing), "", what, *bars]), says)


def _own(scores: Callable[[np.ndarray], Any], pictures: np.ndarray) -> np.ndarray:
    """What a network of the learner's says of pictures.

    Raises:
        NotDrawn: when that is nothing to read a digit from.
    """
    try:
        found = array_of(scores(pictures.reshape(-1, SIDE * SIDE)), "scores")
    except Exception as error:
        raise NotDrawn(f"Your network cannot read it yet: {explain(error)}") from None
    if found.shape != (len(pictures), 10):
        raise NotDrawn(f"Your network gives scores of shape {found.shape}; ten for each picture are needed.")
    if not np.isfinite(found).all():
        raise NotDrawn(
            "Your network's scores are not finite: its training has diverged. Train it anew, with a smaller lr."
        )
    return found


def _said(scores: np.ndarray, label: int | None) -> str:
    """The answer in words."""
    second, first = np.argsort(scores)[-2:]
    sure = scores[first] - scores[second] >= SURE
    says = f"The network reads {_a(first)}" + ("." if sure else f", but it could be {_a(second)}, too.")
    if label is None:
        return says
    return f"{says} Right: it is a {label}." if label == first else f"{says} Wrong: it is a {label}."


def _pixels(picture: np.ndarray, size: float) -> list[str]:
    shapes = [
        svg.box(size * column, size * row, size, size, "ink", f'fill-opacity="{value:.2f}"')
        for (row, column), value in np.ndenumerate(picture)
        if value > 0.01
    ]
    return [*shapes, svg.box(0.5, 0.5, size * SIDE - 1, size * SIDE - 1, "faint")]


def _bars(scores: np.ndarray, told: list[str], answer: int) -> list[str]:
    """A bar for each digit, to the right of a line at 0; of a score below 0 to its left, dashed."""
    zero, right, left = 72, 180, 40  # pixels: where 0 stands, a score of 1, and the longest bar below 0
    shapes = [svg.line([(zero, 0), (zero, 200)], "faint")]
    for digit, value in enumerate(scores.tolist()):
        top, kind = 20 * digit, "strong" if digit == answer else ""
        start, end = max(zero + right * min(value, 0.0), zero - left), zero + right * min(max(value, 0.0), 1.0)
        fill = "value full" if digit == answer else "value light" if value >= 0 else "value dashed"
        shapes.append(svg.words(12, top + 15, str(digit), kind, size=14))
        shapes.append(svg.box(start, top + 3, max(end - start, 1), 14, fill))
        shapes.append(svg.words(end + 6, top + 15, told[digit], kind, "start"))
    return shapes


# ---------------------------------------------------------------- the network


@functools.cache
def _file(name: str) -> dict[str, np.ndarray]:
    path = FOLDER / name
    if not path.is_file():
        raise NotDrawn(f"The file data/{name} is not beside tests.py: get the whole workshop folder.")
    with np.load(path) as arrays:
        return dict(arrays)


def held_out(number: int) -> tuple[np.ndarray, int]:
    """One of the pictures that the network has not seen, and which digit it is."""
    digits = _file("digits.npz")
    others = split(len(digits["labels"]))[1]
    if not 0 <= number < len(others):
        raise NotDrawn(f"There are {len(others)} held-out pictures, from 0 to {len(others) - 1}; not {number}.")
    return digits["images"][others[number]] / 16, int(digits["labels"][others[number]])


def split(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Of so many pictures those for training, and those held out, as in the notebook."""
    shuffled = np.random.default_rng(0).permutation(number)
    return shuffled[:1437], shuffled[1437:]


def scores_of(pictures: np.ndarray) -> np.ndarray:
    """Ten scores for each picture: linear, ReLU, linear."""
    known = _file("reader.npz")
    hidden = np.maximum(pictures.reshape(-1, SIDE * SIDE) @ known["weight1"] + known["bias1"], 0)
    return hidden @ known["weight2"] + known["bias2"]


# ---------------------------------------------------------------- a drawing


def drawn_in(text: str) -> np.ndarray:
    """The ink of a drawing, shape (8, 8).

    Raises:
        NotDrawn: when it is none.
    """
    lines = [line.rstrip() for line in text.expandtabs(4).split("\n")]
    if max(map(len, lines)) > SIDE:  # indented with the code
        lines = textwrap.dedent("\n".join(lines)).split("\n")
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, 1):
        if other := next((sign for sign in line if sign not in INK), None):
            raise NotDrawn(
                f"Line {number} of the drawing has a {other!r}. Draw with # for ink, + for half of it, . for paper."
            )
    if not any(sign in line for line in lines for sign in "#+"):
        raise NotDrawn("There is no ink in this drawing. Draw with # for ink, + for half of it, . for paper.")
    tall, wide = len(lines), max(map(len, lines))
    if tall > SIDE or wide > SIDE:
        raise NotDrawn(
            f"This drawing has {tall} lines of up to {wide} characters. The network looks at {SIDE} by {SIDE} pixels: "
            f"draw in {SIDE} lines of {SIDE} characters."
        )
    picture = np.zeros((SIDE, SIDE))
    for row, line in enumerate(lines):
        picture[row, : len(line)] = [INK[sign] for sign in line]
    return picture


def prepared(drawing: np.ndarray) -> np.ndarray:
    """A drawing as the pictures of the training look, in several ways that differ a little, shape (ways, 8, 8).

    Those fill all eight rows, stand in the middle, and have soft strokes two pixels wide. Whoever draws a digit in
    eight lines of text makes it wider or narrower than a pen does, and upright: so it is read in several ways.
    """
    points = np.pad(np.kron(drawing, np.ones((FINE, FINE))), ((0, 0), (TALL, TALL)))
    return np.array([_fitted(points, width, slant) for width in WIDTHS for slant in SLANTS])


def _fitted(points: np.ndarray, width: float, slant: float) -> np.ndarray:
    """The ink in the middle of 8 by 8 pixels, as tall as these, at most so wide, and sheared."""
    points = np.array([np.roll(row, round(slant * (TALL / 2 - number))) for number, row in enumerate(points)])
    rows, columns = (np.flatnonzero(points.any(axis=axis)) for axis in (1, 0))
    points = points[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    tall, wide = points.shape
    across = round(FINE * min(max(1.5, SIDE * wide / tall), width))
    points = points[np.arange(TALL) * tall // TALL][:, np.arange(across) * wide // across]
    board = np.zeros((TALL, TALL))
    left = (TALL - across) // 2
    board[:, left : left + across] = points
    reach = np.arange(-2 * FINE, 2 * FINE + 1)
    pen = np.exp(-((reach / FINE / BLUR) ** 2) / 2)
    for axis in (0, 1):
        board = np.apply_along_axis(np.convolve, axis, board, pen / pen.sum(), "same")
    ink = board.reshape(SIDE, FINE, SIDE, FINE).mean(axis=(1, 3))
    return _inked(ink)


def _inked(ink: np.ndarray) -> np.ndarray:
    """Thin strokes darker, until there is as much ink as in the pictures of the training."""
    least, most = 0.1, 20.0
    for _ in range(20):
        middle = (least * most) ** 0.5
        least, most = (middle, most) if np.minimum(ink * middle, 1).mean() < MEAN else (least, middle)
    return np.minimum(ink * least, 1)


def _a(digit: int) -> str:
    return f"an {digit}" if digit == 8 else f"a {digit}"
