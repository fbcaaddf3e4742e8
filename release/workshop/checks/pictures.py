"""Pictures of a network that learns: curves while it trains, what it answers everywhere, what its first layer sees."""

from __future__ import annotations

import base64
import html
import io
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from checks.observe import Kind, array_of
from checks.report import in_notebook, show

HOLDER = Kind("tensor", "", holds="data", marks="")  # what a training hands over, where it is no number or array
PAUSE = 0.25  # seconds between two pictures of a training that goes on
GRID = 60  # points along each side, at which a network is asked for the picture of its regions
STAGES = 6  # of a training that is over, side by side
DIVERGES = "the loss grows: training diverges; try a smaller lr"
REGIONS = "Points of the plane, and the region in which the network answers each class"
HIGHEST = 1e300  # loss in a curve: beyond it the numbers of the axis overflow
WARNING = "#b3400f"  # of words: dark enough to read on the white of a figure, as the colors of areas are not
DPI = 100  # points to an inch of the page
# Of classes: first those that stand for nothing else, as blue does for values, and orange for gradients.
COLORS, MARKS = ["#4d8f1a", "#7b4fa3", "#1b6ca8", "#d95f02"], ["o", "s", "^", "D"]


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
        self.remark = ""
        self.handle: Any = None
        self.last = -PAUSE

    def __call__(self, loss: float) -> None:
        self.losses.append(float(array_of(loss, "the loss", HOLDER).sum()))
        self.lines.append(f"epoch {len(self.losses)}: loss {self.losses[-1]:.4g}{self._more()}")
        grown = not np.isfinite(self.losses[-1]) or 0 < 1000 * abs(self.losses[0]) < self.losses[-1]
        if grown and not self.remark:
            self.lines[-1] += f" ({DIVERGES})"
        self.remark = DIVERGES if grown else ""
        if not in_notebook():
            print(self.lines[-1], flush=True)
            return
        if self.handle is None:
            from IPython import get_ipython

            get_ipython().events.register("post_run_cell", self._finish)
        if time.monotonic() - self.last > PAUSE:
            self._show()

    def _finish(self, result: Any = None) -> None:
        """The last picture, when the cell has ended."""
        from IPython import get_ipython

        get_ipython().events.unregister("post_run_cell", self._finish)
        self._show(ended=True)
        self.handle = None

    def _show(self, ended: bool = False) -> None:
        from IPython.display import display

        figure, alt = self._ended() if ended else self._picture()
        if self.remark:
            figure.subplots_adjust(top=figure.subplotpars.top - 0.12)
            figure.suptitle(self.remark, color=WARNING)
            alt += f" {self.remark.capitalize()}."
        forms = figure_forms(figure, alt, "\n".join(self.lines[-200:]), scale=2 if ended else 1)
        if self.handle is None:
            self.handle = display(forms, raw=True, display_id=True)
        else:
            self.handle.update(forms, raw=True)
        self.last = time.monotonic()

    def _more(self) -> str:
        return ""

    def _picture(self) -> tuple[Any, str]:
        """A figure, and its description."""
        raise NotImplementedError

    def _ended(self) -> tuple[Any, str]:
        """What stays when the training is over."""
        return self._picture()


class _Curves(_Live):
    def __init__(self, accuracy: Callable[[], float] | None) -> None:
        super().__init__()
        self.accuracy, self.shares = accuracy, []

    def _more(self) -> str:
        if self.accuracy is None:
            return ""
        self.shares.append(float(self.accuracy()))
        return f", accuracy {self.shares[-1]:.1%}"

    def _picture(self) -> tuple[Any, str]:
        what = "The loss of each epoch" if self.accuracy is None else "The loss and the accuracy of each epoch"
        figure = new_figure(7.2, 2.6, left=0.09, right=0.98, bottom=0.2, top=0.88)
        curves = [("mean loss", self.losses)] + ([("accuracy", self.shares)] if self.accuracy else [])
        for number, (name, values) in enumerate(curves):
            axes = figure.add_subplot(1, len(curves), number + 1)
            drawn = [value if abs(value) < HIGHEST else np.nan for value in values]
            axes.plot(range(1, len(values) + 1), drawn, "o-", color=COLORS[2 - 2 * number], markersize=3)
            axes.set(xlabel="epoch", title=f"{name}: {values[-1]:.4g}" if not number else f"{name}: {values[-1]:.1%}")
            axes.set_ylim(0, None if not number else 1)
            axes.locator_params(axis="x", integer=True)
            axes.grid(alpha=0.3)
        return figure, f"{what} as curves. {self.lines[-1].capitalize()}."


class _Regions(_Live):
    def __init__(self, scores: Callable[[np.ndarray], Any], points: np.ndarray, labels: np.ndarray) -> None:
        super().__init__()
        if points.ndim != 2 or points.shape[1] != 2 or labels.shape != points.shape[:1]:
            raise ValueError(
                f"points have shape (n, 2) and labels (n,), not {points.shape} and {labels.shape}: one row and one "
                "label for each example"
            )
        self.scores, self.points, self.labels = scores, points, labels
        low, high = points.min(axis=0) - 0.3, points.max(axis=0) + 0.3
        self.places = np.meshgrid(*np.linspace(low, high, GRID).T)
        self.stages: dict[int, np.ndarray] = {}  # epochs 1, 2, 4, 8, ...: what was answered then at these places

    def _answers(self, points: np.ndarray) -> np.ndarray:
        return array_of(self.scores(points), "scores", HOLDER).argmax(axis=1)

    def _regions(self) -> np.ndarray:
        x, y = self.places
        return self._answers(np.column_stack([x.ravel(), y.ravel()])).reshape(x.shape)

    def _more(self) -> str:
        epoch = len(self.losses)
        if epoch & (epoch - 1) == 0:
            self.stages[epoch] = self._regions()
        return f", {np.mean(self._answers(self.points) == self.labels):.1%} of the points on the right side"

    def _picture(self) -> tuple[Any, str]:
        figure = new_figure(5, 3.9, left=0.1, right=0.97, bottom=0.16, top=0.92)
        axes = figure.add_subplot()
        self._draw(axes, self._regions(), 12)
        names = axes.get_legend_handles_labels()
        figure.legend(*names, loc="lower center", ncols=len(names[1]), fontsize=10, frameon=False)
        axes.set_title(self.lines[-1], fontsize=10)
        return figure, f"{REGIONS}. {self.lines[-1].capitalize()}."

    def _ended(self) -> tuple[Any, str]:
        """Stages of the training, its first epoch and its last among them: it may have been over before one looked."""
        stages = list({**self.stages, len(self.losses): self._regions()}.items())
        chosen = [stages[n] for n in sorted({*np.linspace(0, len(stages) - 1, STAGES).round().astype(int)})]
        columns = min(len(chosen), 3)
        rows = -(-len(chosen) // columns)
        figure = new_figure(
            2.4 * columns, 2.2 * rows + 0.3, left=0.01, right=0.99, bottom=0.08, top=0.94, wspace=0.03, hspace=0.16
        )
        for number, (epoch, answers) in enumerate(chosen, 1):
            axes = figure.add_subplot(rows, columns, number, xticks=[], yticks=[])
            self._draw(axes, answers, 3)
            axes.set_title(f"epoch {epoch}: loss {self.losses[epoch - 1]:.4g}", fontsize=11)
        names = axes.get_legend_handles_labels()
        figure.legend(*names, loc="lower center", ncols=len(names[1]), fontsize=11, markerscale=2, frameon=False)
        lines = " ".join(f"{self.lines[epoch - 1].capitalize()}." for epoch, _ in chosen)
        return figure, f"{REGIONS}, at {len(chosen)} stages of the training. {lines}"

    def _draw(self, axes: Any, answers: np.ndarray, size: float) -> None:
        classes = int(self.labels.max()) + 1
        colors = [COLORS[number % len(COLORS)] for number in range(classes)]
        axes.contourf(*self.places, answers, levels=np.arange(classes + 1) - 0.5, colors=colors, alpha=0.25)
        for number, color in enumerate(colors):
            own, mark = self.points[self.labels == number], MARKS[number % len(MARKS)]
            axes.scatter(*own.T, s=size, color=color, marker=mark, label=f"class {number}")


def show_figure(figure: Any, alt: str) -> None:
    """Show a figure of matplotlib with a description for those who do not see it; where none can be shown, print that.

    Args:
        figure: such as plt.gcf(). It is closed, so that the cell does not show it once more.
        alt: what the figure shows, in a sentence or two.
    """
    from matplotlib import pyplot as plt

    forms = figure_forms(figure, alt, alt, bbox_inches="tight")  # as a notebook trims it
    plt.close(figure)
    show(forms)


def new_figure(width: float, height: float, **margins: float) -> Any:
    """A figure in inches that no window or cell shows by itself. Drawing it is twice as fast with margins given."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout=None if margins else "constrained", facecolor="white")
    if margins:
        figure.subplots_adjust(**margins)
    return figure


def figure_forms(figure: Any, alt: str, text: str, scale: int = 2, **saved: Any) -> dict[str, Any]:
    """A figure as a display: a picture with its description, or the text where none can be shown.

    Args:
        scale: points of the picture for each pixel of the page: two are crisp on a fine screen.
    """
    from matplotlib.colors import rgb_to_hsv, to_rgb

    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI * scale, **saved)
    content = file.getvalue()
    wide = round(int.from_bytes(content[16:20], "big") / scale)  # as a PNG tells it
    data = base64.b64encode(content).decode("ascii")
    # A light figure is turned in a dark page: black words get white, colors stay.
    kind = ' class="minitorch-figure"' if rgb_to_hsv(to_rgb(figure.get_facecolor()))[2] > 0.5 else ""
    picture = (
        f'{STYLE if kind else ""}<img{kind} alt="{html.escape(alt)}" src="data:image/png;base64,{data}" width="{wide}" '
        'style="max-width: 100%; height: auto">'
    )
    return {"text/plain": text, "text/html": picture}


DARK = '[data-jp-theme-light="false"]', ".vscode-dark", '[data-vscode-theme-kind="vscode-high-contrast"]'
STYLE = (
    f"<style>{', '.join(f'{page} .minitorch-figure' for page in DARK)}"
    " { filter: invert(0.93) hue-rotate(180deg); }</style>"
)
