"""No mistakes: how functions may be made of others, so that a mistake in these shows in them, too."""

from __future__ import annotations

from typing import Any

import numpy as np

from checks.mistakes import Mistake, Style
from classify.imitation import Library


def mean(library: Library, x: Any, axis: Any, keepdims: bool) -> Any:
    count = x.values.size if axis is None else x.shape[axis]
    return library.binary("div", library.apply("sum", x, axis, keepdims), count)


def loss(library: Library, x: Any, labels: Any) -> Any:
    hot = library.tensor(np.eye(x.shape[1])[labels])
    picked = library.apply("sum", library.apply("mul", library.apply("log_softmax", x, -1), hot), None, False)
    return library.binary("div", library.apply("neg", picked), len(labels))


def log_of_softmax(library: Library, x: Any, axis: Any) -> Any:
    return library.apply("log", library.apply("softmax", x, axis))


def built(**parts: Any) -> Any:
    return lambda library: library.built.update(parts)


STYLE = Mistake("", (), "", ())
STYLES: list[Style] = [  # each with a pattern of the code that it makes a difference to
    Style(STYLE, r"\.mean\(", built(mean=mean)),
    Style(STYLE, r"CrossEntropyLoss\(", built(cross_entropy=loss)),
    Style(STYLE, r"\blog_softmax\(", built(log_softmax=log_of_softmax)),
]
