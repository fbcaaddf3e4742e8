"""Wrong solutions of what is for practice."""

from __future__ import annotations

from corpus.entry import Wrong

STEPS = """\
    for length in reversed(shape):
        strides.insert(0, step)
        step *= length
"""
CENTRAL = "    return (f(x + h) - f(x - h)) / (2 * h)\n"
IN_PLACE = "    x += h\n    right = f(x)\n    x -= 2 * h\n    return (right - f(x)) / (2 * h)\n"


def strides(name: str, mistake: str, costs: str, *change: str) -> Wrong:
    return Wrong(name, mistake, "strides", costs, (change[0], change[1]))


def numeric(name: str, mistake: str, costs: str, instead: str) -> Wrong:
    return Wrong(name, mistake, "numeric", costs, (CENTRAL, instead))


WRONG = [
    strides("strides-of-elements", "strides-count-elements", "one_dimension", "[], itemsize", "[], 1"),
    strides("strides-of-doubles", "", "one_dimension", "[], itemsize", "[], 8"),
    strides(
        "strides-by-columns",
        "strides-column-major",
        "two_dimensions",
        STEPS,
        "    for length in shape:\n        strides.append(step)\n        step *= length\n",
    ),
    strides("strides-turned", "strides-from-last", "two_dimensions", "strides.insert(0, step)", "strides.append(step)"),
    strides(
        "strides-multiplied-too-early",
        "strides-own-length",
        "one_dimension",
        STEPS,
        "    for length in reversed(shape):\n        step *= length\n        strides.insert(0, step)\n",
    ),
    strides(
        "strides-of-one-length", "strides-one-length", "any_dimensions", "step *= length", "step = itemsize * length"
    ),
    numeric("numeric-looks-right", "numeric-forward", "central", "    return (f(x + h) - f(x)) / h\n"),
    numeric("numeric-looks-left", "numeric-forward", "central", "    return (f(x) - f(x - h)) / h\n"),
    numeric("numeric-without-two", "numeric-two-missing", "one_number", "    return (f(x + h) - f(x - h)) / h\n"),
    numeric("numeric-halved", "numeric-half", "one_number", "    return (f(x + h) - f(x)) / (2 * h)\n"),
    numeric("numeric-times-h", "numeric-parentheses", "one_number", "    return (f(x + h) - f(x - h)) / 2 * h\n"),
    numeric("numeric-difference", "numeric-not-divided", "one_number", "    return f(x + h) - f(x - h)\n"),
    numeric("numeric-right-from-left", "numeric-sign", "one_number", "    return (f(x - h) - f(x + h)) / (2 * h)\n"),
    numeric("numeric-own-h", "numeric-h-ignored", "central", "    h = 1e-5\n" + CENTRAL),
    numeric("numeric-sums", "numeric-one-for-all", "arrays", "    return np.sum(f(x + h) - f(x - h)) / (2 * h)\n"),
    numeric("numeric-steps-in-place", "numeric-in-place", "arrays", IN_PLACE),
]
