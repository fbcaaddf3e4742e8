"""Draws the graph that a tensor remembers, beside PyTorch's of the same expression; and the weights of a layer."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from checks.drawing import Node, show_graphs
from checks.observe import close, explain, learner_code, quiet, text_of
from checks.pictures import figure_forms, new_figure
from checks.report import show
from workshop.graph import (
    Graph,
    NotDrawn,
    evaluated,
    gradients,
    graph_in_pytorch,
    graph_of,
    is_tensor,
    mark,
    names_in,
    names_of,
    pairs,
)
from workshop.reading import array_of

SECONDS = 10.0  # for all that runs the learner's code


def draw_graph(graph: Any, beside: str | bool = False, base: Any = None) -> None:
    """Draw the graph that a tensor remembers: leaves at the top, the tensor itself at the bottom.

    Args:
        graph: a result of your operations, with its `backward_op`; or an expression of your variables as text, such as
            "a * x + b" or "u = a * x; u + u", which is computed first.
        beside: the same expression as text (True if `graph` is it): PyTorch's graph of it is drawn, too. Then both go
            backward, and the first tensor whose gradient differs is marked. Your own gradients stay as they are.
        base: the upstream gradient for that, in the tensor's shape; None means ones.

    It draws up to 60 tensors; of a larger graph the rest is folded into one box.
    """
    caller = sys._getframe(1)
    try:
        parts, says = _drawn(graph, {**caller.f_globals, **caller.f_locals}, beside, base)
        show_graphs(parts, says)
    except NotDrawn as error:
        show({"text/plain": str(error)})
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        show({"text/plain": f"The graph cannot be drawn: {explain(error)}"})


def _drawn(
    graph: Any, variables: dict[str, Any], beside: str | bool, base: Any
) -> tuple[list[tuple[str, list[Node]]], str]:
    """The graphs to draw, each with its title, and a sentence about them."""
    named = {name: value for name, value in variables.items() if is_tensor(value) and not name.startswith("_")}
    expression = graph if beside is True else beside
    used = [name for name in names_in(expression) if name in named] if isinstance(expression, str) else []
    with learner_code(SECONDS):
        names = names_of(variables) | {id(named[name]): name for name in used}  # the names of the expression win
        tensor = evaluated(graph, dict(variables)) if isinstance(graph, str) else graph
        own = graph_of(tensor, names)
    results = sum(bool(node.operation) for node in own.nodes)
    title = f"Yours: {own.result.name}, {len(own.nodes):,} tensors, {results:,} made by operations"
    says = ""
    if lost := [node.name for node in own.nodes if node.operation and not node.inputs]:
        says = (
            f"The backward_op of {', '.join(lost[:5])} holds no tensors that could be found. To be drawn, it has to "
            "keep its inputs, for example in a list. "
        )
    if not expression:
        return [(title, own.drawn())], says
    if not isinstance(expression, str):
        raise NotDrawn("beside=True needs the expression itself: tests.draw_graph('a * x + b', beside=True).")
    if own.result.value is None:
        with learner_code(SECONDS):
            array_of(tensor, "the result")  # it raises, and says what is wrong with it
    upstream, shape = None if base is None else _upstream(base), own.result.value.shape
    if upstream is not None and upstream.shape != shape:
        raise NotDrawn(f"The upstream gradient has shape {upstream.shape}, the result {shape}.")
    theirs = graph_in_pytorch(expression, variables, np.ones(shape) if upstream is None else upstream)
    here = {id(node.tensor) for node in own.nodes}
    aside = [Node(named[name], name, traced=bool(named[name].requires_grad)) for name in used]
    aside = [node for node in aside if id(node.tensor) not in here]
    try:
        with learner_code(SECONDS), quiet():
            known = gradients(own, list(named.values()), upstream)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        says += f"Going backward, {explain(error)}"
    else:
        for node in [*own.nodes, *aside]:
            node.gradient = known.get(id(node.tensor))
        with quiet():  # numbers that have diverged make NumPy warn
            found = pairs(own, theirs, aside)
            if own.result not in found and _has_changed(expression, variables, own):
                says += f"Your variables have changed since {own.result.name} was computed: compute it again."
            else:
                says += mark(own, theirs, aside, found)
    return [(title, own.drawn()), (f"PyTorch's: {expression}", theirs.drawn())], says


def _has_changed(expression: str, variables: dict[str, Any], own: Graph) -> bool:
    """Whether the learner's own classes compute another value now."""
    try:
        with learner_code(SECONDS), quiet():
            value = array_of(evaluated(expression, dict(variables)), "it")
        return value.shape != own.result.value.shape or not close(value, own.result.value)
    except Exception:
        return False


def _upstream(base: Any) -> np.ndarray:
    with learner_code(SECONDS):
        try:
            return array_of(np.asarray(base, np.float64) if isinstance(base, (list, tuple)) else base, "base")
        except Exception:
            needs = "base, the upstream gradient, has to be a number, a list of numbers, an array or a tensor"
            raise NotDrawn(f"{needs}, and this is {text_of(base, 60)}.") from None


def draw_weights(model: Any, side: int = 8) -> None:
    """Draw what each unit of a model's first layer looks for: its weights, as a picture of `side` by `side` pixels.

    The first parameter that has `side * side` rows or columns is taken for the first layer's weight.
    """
    found = [array_of(parameter.tensor, "a parameter") for parameter in model.parameters() or []]
    weight = next((each for each in found if each.ndim == 2 and side * side in each.shape), None)
    if weight is None:
        why = f"No parameter of this model has {side * side} rows or columns"
        show(
            {"text/plain": f"{why if found else 'parameters() of this model gives nothing'}: there is nothing to draw."}
        )
        return
    if not np.isfinite(weight).all():
        diverged = "The weights of the first layer are not finite, so training has diverged"
        show({"text/plain": f"{diverged}: there is nothing to draw. Make the model anew, and try a smaller lr."})
        return
    units = weight.T if weight.shape[0] == side * side else weight
    drawn, columns = units[:32], 8
    rows = -(-len(drawn) // columns)
    board = np.full((rows * (side + 1) + 1, columns * (side + 1) + 1), np.nan)
    for number, unit in enumerate(drawn):
        top, left = (number // columns) * (side + 1) + 1, (number % columns) * (side + 1) + 1
        board[top : top + side, left : left + side] = unit.reshape(side, side)
    largest = float(np.nanmax(np.abs(board))) or 1.0
    figure = new_figure(0.62 * columns + 2.2, 0.62 * rows + 0.2)
    axes = figure.add_subplot()
    picture = axes.imshow(board / largest, cmap="PuOr_r", vmin=-1, vmax=1)  # huge weights would overflow in it
    axes.axis("off")
    bar = figure.colorbar(picture, ax=axes, ticks=[-1, 0, 1], fraction=0.05, pad=0.02)
    words = [f"{-largest:.2g}: ink here lowers the unit", "0", f"+{largest:.2g}: ink here raises the unit"]
    bar.ax.set_yticklabels(words)
    what = f"The weights of {len(drawn)} of {len(units)} units of the first layer"
    alt = f"{what}, each as a picture of {side} by {side} pixels, from {-largest:.2g} to {largest:.2g}."
    if weight.shape[0] == weight.shape[1]:
        reading = "The weight is square: each column is taken for a unit, as in x @ weight."
        axes.set_title(reading, fontsize=9)
        alt += f" {reading}"
    show(figure_forms(figure, alt, alt))
