"""Wrong solutions of what is for practice."""

from __future__ import annotations

import functools

from corpus.entry import Wrong
from corpus.tensor import DIV_SLOPE

STEPS = """\
    for length in reversed(shape):
        strides.insert(0, step)
        step *= length
"""
CENTRAL = "    return (f(x + h) - f(x - h)) / (2 * h)\n"
FOURTH_ORDER = (
    "    near, far = f(x + h) - f(x - h), f(x + 2 * h) - f(x - 2 * h)\n    return (8 * near - far) / (12 * h)\n"
)
EXTRAPOLATED = """\
    wide, half = (f(x + h) - f(x - h)) / (2 * h), (f(x + h / 2) - f(x - h / 2)) / h
    return (4 * half - wide) / 3
"""
IN_PLACE = "    x += h\n    right = f(x)\n    x -= 2 * h\n    return (right - f(x)) / (2 * h)\n"


SUM_NEW, SUM_ONE = "gradient = gradient.sum(axis=0)", "gradient = gradient.sum(axis=axis, keepdims=True)"
MUL_RULE = "return unbroadcast(base * right.data, left.shape), unbroadcast(base * left.data, right.shape)"
POW_SLOPE = "return base * power * tensor.data ** (power - 1), None"


def of(section: str, name: str, mistake: str, costs: str, *change: str) -> Wrong:
    return Wrong(name, mistake, section, costs, (change[0], change[1]))


answered, strides, folded, ruled = (
    functools.partial(of, section) for section in ("answer", "strides", "unbroadcast", "rules")
)


def numeric(name: str, mistake: str, costs: str, instead: str) -> Wrong:
    return of("numeric", name, mistake, costs, CENTRAL, instead)


BEST = "    return scores.index(max(scores))\n"
SEARCHED = """\
    digit, best = 0, 0
    for place, score in enumerate(scores):
        if score > best:
            digit, best = place, score
    return digit
"""

WRONG = [
    answered("answer-is-a-score", "answer-score", "highest", BEST, "    return max(scores)\n"),
    answered("answer-of-the-lowest", "answer-lowest", "highest", BEST, BEST.replace("max", "min")),
    answered("answer-counted-from-one", "answer-from-one", "highest", BEST, BEST.replace("\n", " + 1\n")),
    answered("answer-above-zero", "answer-from-zero", "all_negative", BEST, SEARCHED),
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
    numeric("numeric-of-fourth-order", "", "central", FOURTH_ORDER),
    numeric("numeric-extrapolated", "", "central", EXTRAPOLATED),
    numeric("numeric-sums", "numeric-one-for-all", "arrays", "    return np.sum(f(x + h) - f(x - h)) / (2 * h)\n"),
    numeric("numeric-steps-in-place", "numeric-in-place", "arrays", IN_PLACE),
    folded("fold-returns-what-it-gets", "not-unbroadcast", "new_axes length_one", "gradient.shape == shape", "True"),
    folded(
        "fold-sums-all",
        "",
        "equal_shapes",
        "        return gradient\n    while",
        "        return gradient.sum()\n    while",
    ),
    folded(
        "fold-writes-into-its-gradient",
        "",
        "both",
        "    while gradient.ndim",
        "    given, gradient = gradient, gradient.copy()\n    given[...] = 0\n    while gradient.ndim",
    ),
    folded("fold-means-new-axes", "unbroadcast-averages", "new_axes", SUM_NEW, SUM_NEW.replace("sum", "mean")),
    folded("fold-means-length-one", "unbroadcast-averages", "length_one", SUM_ONE, SUM_ONE.replace("sum", "mean")),
    folded("fold-last-axes", "unbroadcast-wrong-axis", "new_axes", SUM_NEW, SUM_NEW.replace("0", "-1")),
    folded("fold-first-row", "unbroadcast-takes-one", "new_axes", SUM_NEW, "gradient = gradient[0]"),
    folded(
        "fold-by-numbers-of-before",
        "axes-renumbered",
        "new_axes",
        "    while gradient.ndim > len(shape):  # an axis that `shape` does not have\n        " + SUM_NEW,
        "    for axis in range(gradient.ndim - len(shape)):\n        gradient = gradient.sum(axis=axis)",
    ),
    folded("fold-drops-axes", "axis-dropped", "length_one", SUM_ONE, "gradient = gradient.sum(axis=axis)"),
    ruled(
        "rule-sub-sign", "sub-sign", "sub_deriv", "unbroadcast(-base, right.shape)", "unbroadcast(base, right.shape)"
    ),
    ruled(
        "rule-mul-own-operand",
        "mul-own-operand",
        "mul_deriv",
        MUL_RULE,
        "return unbroadcast(base * left.data, left.shape), unbroadcast(base * right.data, right.shape)",
    ),
    ruled(
        "rule-mul-no-upstream",
        "mul-upstream-missing",
        "mul_deriv",
        MUL_RULE,
        "return unbroadcast(right.data, left.shape), unbroadcast(left.data, right.shape)",
    ),
    ruled("rule-mul-of-tensors", "rule-of-tensors", "stretched", MUL_RULE, MUL_RULE.replace(".data", "")),
    ruled("rule-mul-unfolded", "not-unbroadcast", "stretched", MUL_RULE, "return base * right.data, base * left.data"),
    ruled("rule-div-not-squared", "div-not-squared", "div_deriv", DIV_SLOPE, "-base * left.data / right.data"),
    ruled("rule-div-sign", "div-sign", "div_deriv", DIV_SLOPE, DIV_SLOPE[1:]),
    ruled("rule-div-left-lost", "div-numerator-missing", "div_deriv", DIV_SLOPE, "-base / right.data**2"),
    ruled("rule-pow-no-factor", "pow-factor-missing", "pow_deriv", POW_SLOPE, POW_SLOPE.replace("power * ", "")),
    ruled("rule-pow-kept", "pow-exponent-kept", "pow_deriv", POW_SLOPE, POW_SLOPE.replace("(power - 1)", "power")),
    ruled("rule-pow-alone", "rule-without-tuple", "pow_deriv", POW_SLOPE, POW_SLOPE.replace(", None", "")),
    ruled("rule-pow-of-one", "rule-without-tuple", "pow_deriv", POW_SLOPE, POW_SLOPE.replace(", None", ",")),
    ruled("rule-pow-at-zero", "pow-at-zero", "pow_zero", "if power == 0:", "if False:"),
]
