"""Stands for an assignment's tests in a learner's kernel: the judge runs the real ones outside.

What can be done with the real ones' values can be done with these: a test's is a number, and that of `live` and
`live_regions` is called after each epoch; it is false, so that a cell can save the work when nobody watches.
"""

from __future__ import annotations

import base64
import html
import io
from typing import Any

DPI = 100


class _Unwatched:
    """Is called after each epoch, and draws nothing."""

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __bool__(self) -> bool:
        return False


def live(*args: Any, **kwargs: Any) -> _Unwatched:
    """Draws nothing."""
    print("tests.live: while grading, no picture of a training is drawn.")
    return _Unwatched()


live_regions = live


def show_figure(figure: Any, alt: str) -> None:
    """Show a figure as the real one does."""
    from IPython.display import display
    from matplotlib import pyplot

    display(_Picture(figure, alt))
    pyplot.close(figure)


class _Picture:
    """A figure with a description. It is drawn where it is displayed."""

    def __init__(self, figure: Any, alt: str) -> None:
        self.figure, self.alt = figure, alt

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from matplotlib import rcParams

        file, box = io.BytesIO(), "tight"
        if self.figure.get_layout_engine() is None:  # else where things lie is known when all has been drawn once
            before = self.figure.dpi
            self.figure.set_dpi(DPI)
            box = self.figure.get_tightbbox().padded(rcParams["savefig.pad_inches"])
            self.figure.set_dpi(before)
        self.figure.savefig(file, format="png", dpi=DPI, bbox_inches=box)
        data = base64.b64encode(file.getvalue()).decode("ascii")
        picture = f'<img alt="{html.escape(self.alt)}" src="data:image/png;base64,{data}">'
        return {"text/plain": self.alt, "text/html": picture}


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)

    def graded_outside(*args: Any, **kwargs: Any) -> float | None:
        if not name.startswith("test_"):
            print(f"tests.{name}: while grading, this shows nothing.")
            return None
        print(f"tests.{name}: while grading, tests run in their own cells only. Here its value is 0.")
        return 0.0

    return graded_outside
