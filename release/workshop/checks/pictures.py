"""Pictures of a network that learns: curves while it trains, what it answers everywhere, what its first layer sees."""

from __future__ import annotations

import base64
import html
import io
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from checks.observe import array_of
from checks.report import in_notebook, show

PAUSE = 0.25  # seconds between two pictures of a training that goes on
GRID = 60  # points along each side, at which a network is asked for the picture of its regions
COLORS, MARKS = ["#d95f02", "#1b6ca8", "#4d8f1a", "#7b4fa3"], ["o", "s", "^", "D"]


def live(accuracy: Callable[[], float] | None = None) -> Callable[[float], None]:
    """Curves of the loss, and of the accuracy, that grow while a network trains.

    Args:
        accuracy: gives the share of right answers, from 0 to 1, whenever it is called.

    Returns:
        What to call after each epoch, with its mean loss. Where no picture can be shown it prints a line instead.
    """
    return _Curves(accuracy)


def live_regions(
    scores: Callable[[np.ndarray], Any], points: np.ndarray, labels: np.ndarray
) -> Callable[[float], None]:
    """A picture, while a network trains, of what it answers at each place of the plane.

    Args:
        scores: from points, shape (n, 2), to a score for each class, shape (n, classes): a tensor or an array.
        points: the examples, shape (n, 2).
        labels: their classes, whole numbers from 0, shape (n,).

    Returns:
        What to call after each epoch, with its mean loss. Where no picture can be shown it prints a line instead.
    """
    return _Regions(scores, np.asarray(points, np.float64), np.asarray(labels))


class _Live:
    """What is shown anew in one place while a training goes on."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.lines: list[str] = []
        self.handle: Any = None
        self.last = -PAUSE

    def __call__(self, loss: float) -> None:
        self.losses.append(float(array_of(loss, "the loss").sum()))
        self.lines.append(f"epoch {len(self.losses)}: loss {self.losses[-1]:.4g}{self._more()}")
        if not in_notebook():
            print(self.lines[-1], flush=True)
            return
        if self.handle is None:
            from IPython import get_ipython

            get_ipython().events.register("post_run_cell", self._finish)
        epoch = len(self.losses)
        if epoch & (epoch - 1) == 0 or time.monotonic() - self.last > PAUSE:  # 1, 2, 4, 8, ... also when it goes fast
            self._show()

    def _finish(self, result: Any = None) -> None:
        """The last picture, when the cell has ended."""
        from IPython import get_ipython

        get_ipython().events.unregister("post_run_cell", self._finish)
        self._show()
        self.handle = None

    def _show(self) -> None:
        from IPython.display import display

        forms = _forms(self._figure(), f"{self._alt()} {self.lines[-1].capitalize()}.", "\n".join(self.lines[-200:]))
        if self.handle is None:
            self.handle = display(forms, raw=True, display_id=True)
        else:
            self.handle.update(forms, raw=True)
        self.last = time.monotonic()

    def _more(self) -> str:
        return ""

    def _alt(self) -> str:
        raise NotImplementedError

    def _figure(self) -> Any:
        raise NotImplementedError


class _Curves(_Live):
    def __init__(self, accuracy: Callable[[], float] | None) -> None:
        super().__init__()
        self.accuracy, self.shares = accuracy, []

    def _more(self) -> str:
        if self.accuracy is None:
            return ""
        self.shares.append(float(self.accuracy()))
        return f", accuracy {self.shares[-1]:.1%}"

    def _alt(self) -> str:
        what = "The loss of each epoch" if self.accuracy is None else "The loss and the accuracy of each epoch"
        return f"{what} as curves."

    def _figure(self) -> Any:
        figure = _new_figure(7.2, 2.6)
        curves = [("mean loss", self.losses)] + ([("accuracy", self.shares)] if self.accuracy else [])
        for number, (what, values) in enumerate(curves):
            axes = figure.add_subplot(1, len(curves), number + 1)
            axes.plot(range(1, len(values) + 1), values, "o-", color=COLORS[1 - number], markersize=3)
            axes.set(xlabel="epoch", title=f"{what}: {values[-1]:.4g}" if not number else f"{what}: {values[-1]:.1%}")
            axes.set_ylim(0, None if not number else 1)
            axes.locator_params(axis="x", integer=True)
            axes.grid(alpha=0.3)
        return figure


class _Regions(_Live):
    def __init__(self, scores: Callable[[np.ndarray], Any], points: np.ndarray, labels: np.ndarray) -> None:
        super().__init__()
        if points.ndim != 2 or points.shape[1] != 2 or labels.shape != points.shape[:1]:
            raise ValueError(
                f"points have shape (n, 2) and labels (n,), not {points.shape} and {labels.shape}: one row and one "
                "label for each example"
            )
        self.scores, self.points, self.labels = scores, points, labels

    def _answers(self, points: np.ndarray) -> np.ndarray:
        return array_of(self.scores(points), "scores").argmax(axis=1)

    def _more(self) -> str:
        return f", {np.mean(self._answers(self.points) == self.labels):.1%} of the points on the right side"

    def _alt(self) -> str:
        return "Points of the plane, and the region in which the network answers each class."

    def _figure(self) -> Any:
        figure = _new_figure(5, 3.6)
        axes = figure.add_subplot()
        low, high = self.points.min(axis=0) - 0.3, self.points.max(axis=0) + 0.3
        x, y = np.meshgrid(np.linspace(low[0], high[0], GRID), np.linspace(low[1], high[1], GRID))
        answers = self._answers(np.column_stack([x.ravel(), y.ravel()])).reshape(x.shape)
        classes = int(self.labels.max()) + 1
        colors = [COLORS[number % len(COLORS)] for number in range(classes)]
        edges = np.arange(classes + 1) - 0.5
        axes.contourf(x, y, answers, levels=edges, colors=colors, alpha=0.25)
        for number, color in enumerate(colors):
            own, mark = self.points[self.labels == number], MARKS[number % len(MARKS)]
            axes.scatter(*own.T, s=12, color=color, marker=mark, label=f"class {number}")
        axes.legend(loc="upper right", fontsize=8)
        axes.set_title(self.lines[-1], fontsize=9)
        return figure


def draw_weights(model: Any, side: int = 8) -> None:
    """Draw what each unit of a model's first layer looks for: its weights, as a picture of `side` by `side` pixels.

    The first parameter that has `side * side` rows or columns is taken for the first layer's weight.
    """
    for parameter in model.parameters():
        weight = array_of(parameter.tensor, "a parameter")
        if weight.ndim == 2 and side * side in weight.shape:
            break
    else:
        show({"text/plain": f"No parameter of this model has {side * side} rows or columns: there is nothing to draw."})
        return
    units = weight.T if weight.shape[0] == side * side else weight
    drawn, columns = units[:32], 8
    rows = -(-len(drawn) // columns)
    board = np.full((rows * (side + 1) + 1, columns * (side + 1) + 1), np.nan)
    for number, unit in enumerate(drawn):
        top, left = (number // columns) * (side + 1) + 1, (number % columns) * (side + 1) + 1
        board[top : top + side, left : left + side] = unit.reshape(side, side)
    largest = float(np.nanmax(np.abs(board))) or 1.0
    figure = _new_figure(0.62 * columns + 2.2, 0.62 * rows + 0.2)
    axes = figure.add_subplot()
    picture = axes.imshow(board, cmap="PuOr_r", vmin=-largest, vmax=largest)
    axes.axis("off")
    bar = figure.colorbar(picture, ax=axes, ticks=[-largest, 0, largest], fraction=0.05, pad=0.02)
    bar.ax.set_yticklabels([f"{-largest:.2f}: ink here counts against", "0", f"+{largest:.2f}: ink here counts for"])
    what = f"The weights of {len(drawn)} of {len(units)} units of the first layer"
    alt = f"{what}, each as a picture of {side} by {side} pixels, from {-largest:.2f} to {largest:.2f}."
    show(_forms(figure, alt, alt))


def _new_figure(width: float, height: float) -> Any:
    """A figure in inches that no window or cell shows by itself."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def _forms(figure: Any, alt: str, text: str) -> dict[str, Any]:
    """A figure as a display: a picture with its description, or the text where none can be shown."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    data = base64.b64encode(file.getvalue()).decode("ascii")
    picture = f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}" style="max-width: 100%">'
    return {"text/plain": text, "text/html": picture}
