"""Draws the graph that a tensor remembers, beside PyTorch's of the same expression; and the weights of a layer."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from checks.drawing import Node, numbers, show_graphs, show_steps
from checks.observe import explain, learner_code, quiet, text_of
from checks.pictures import figure_forms, new_figure
from checks.report import show
from checks.svg import NotDrawn, kindly
from workshop.graph import (
    MOST,
    Graph,
    alike,
    evaluated,
    gradients,
    graph_in_pytorch,
    graph_of,
    is_tensor,
    mark,
    names_in,
    names_of,
    pairs,
    walked,
)
from workshop.oracle import ORACLE
from workshop.reading import array_of

SECONDS = 10.0  # for all that runs the learner's code
MOST_STEPS = 12  # of a walk
ALONE = "PyTorch cannot be imported here, so that its graph does not stand beside yours."


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
    with kindly("The graph"):
        show_graphs(*_drawn(graph, {**caller.f_globals, **caller.f_locals}, beside, base))


def walk_graph(graph: Any, base: Any = None) -> None:
    """Go backward through the graph that a tensor remembers, one operation at a time.

        tests.walk_graph(y)
        tests.walk_graph("(a * x + b) * a")

    Each step shows which operation is at work, what it hands to its inputs, and which gradients have arrived so far.
    Your own rules compute them, your tensors stay as they were. Choose a step with the buttons above the picture.

    Args:
        graph: a result of your operations, with its `backward_op`; or an expression of your variables as text.
        base: the upstream gradient, in the tensor's shape; None means ones.

    It draws graphs of up to 60 tensors, and up to 12 steps: of more the first ones, and the end.
    """
    caller = sys._getframe(1)
    with kindly("The walk"):
        show_steps(*_walked(graph, {**caller.f_globals, **caller.f_locals}, base))


def _walked(graph: Any, variables: dict[str, Any], base: Any) -> tuple[list[tuple[str, list[Node]]], str]:
    """The steps to draw, each with its sentence; and a sentence about them all."""
    with learner_code(SECONDS):
        tensor = evaluated(graph, dict(variables)) if isinstance(graph, str) else graph
        own = graph_of(tensor, names_of(variables))
    if len(own.nodes) > MOST:
        raise NotDrawn(f"This graph has {len(own.nodes):,} tensors: up to {MOST} can be walked. Take a smaller one.")
    if lost := _lost(own, "walked"):
        raise NotDrawn(lost.strip())
    upstream = np.ones(_value(own).shape) if base is None else _upstream(base, own)
    with learner_code(SECONDS), quiet():
        whole = gradients(own, [], upstream, between=False)
        walk = _by_operation(own, upstream)
    rooms = {node: len(numbers(node.value, rows=True)) if node.value is not None else 1 for node in own.nodes}
    start = {own.result: upstream}
    steps = [(f"{own.result.name} starts with {_short(upstream)}", _stage(own.nodes, start, rooms))]
    for number, (node, parts, arrived) in enumerate(walk, 1):
        if number < MOST_STEPS or number == len(walk):
            after = f"After {number - MOST_STEPS} more, " if number > MOST_STEPS else ""
            title = f"{after}{node.operation} of {node.name}: {'; '.join(parts)}"
            steps.append((title, _stage(own.nodes, arrived, rooms, node)))
    arrived = walk[-1][2] if walk else start
    wrong = [
        node.name
        for node in own.nodes
        if not node.operation and node.traced and not alike(arrived.get(node), whole.get(id(node.tensor)))
    ]
    if wrong:
        says = (
            f"✗ backward() itself gives {', '.join(wrong)} another gradient than these single steps add up to: look at "
            "how it adds what arrives, and at when it hands it on."
        )
    else:
        says = f"✓ At the end the leaves have what {own.result.name}.backward() gives them."
    return steps, says


def _by_operation(own: Graph, upstream: np.ndarray) -> list[tuple[Node, list[str], dict[Node, np.ndarray]]]:
    """Each operation, what it hands on in words, and what has arrived then.

    Some engines cannot walk a part of a graph. Of these only whole gradients are known: they arrive with the last part.
    """
    arrived, steps = {own.result: upstream}, []
    try:
        walk = walked(own, upstream)
    except KeyboardInterrupt:
        raise
    except Exception:
        whole = gradients(own, [], upstream)
        parts = Counter(each for node in own.nodes for each in dict.fromkeys(node.inputs))
        for node in reversed(own.nodes):
            told = []
            for each in dict.fromkeys(each for each in node.inputs if each.traced):
                parts[each] -= 1
                total = whole.get(id(each.tensor))
                if parts[each] or total is None:
                    told.append(f"{each.name} gets {'a part' if parts[each] else 'its gradient, which nobody keeps'}")
                else:
                    arrived[each] = total
                    told.append(f"{each.name} has {_short(total)}")
            if node.operation and node.traced:
                steps.append((node, told, dict(arrived)))
        return steps
    for node, handed in walk:
        told = []
        for each, share in handed.items():
            if share is None:
                told.append(f"{each.name} gets nothing")
                continue
            told.append(f"{each.name} gets {_short(share)}")
            if each in arrived:
                arrived[each] = np.asarray(arrived[each] + share)
                told[-1] += f", and has {_short(arrived[each])} so far"
            else:
                arrived[each] = share
        steps.append((node, told, dict(arrived)))
    return steps


def _stage(
    nodes: list[Node], arrived: dict[Node, np.ndarray], rooms: dict[Node, int], at_work: Node | None = None
) -> list[Node]:
    """The graph at one step: copies of its nodes with the gradients that have arrived."""
    copies = {
        node: replace(node, gradient=arrived.get(node), works=node is at_work, room=rooms[node] if node.traced else 0)
        for node in nodes
    }
    for copy in copies.values():
        copy.arguments = [copies[each] if isinstance(each, Node) else each for each in copy.arguments]
    return list(copies.values())


def _short(array: np.ndarray) -> str:
    return numbers(array, rows=False)[0] if array.ndim else f"{float(array):.5g}"


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
    says = _lost(own, "drawn")
    if not expression:
        return [(title, own.drawn())], says
    if not isinstance(expression, str):
        raise NotDrawn("beside=True needs the expression itself: tests.draw_graph('a * x + b', beside=True).")
    if ORACLE.alone:
        return [(title, own.drawn())], f"{says}{ALONE}".strip()
    ones = np.ones(_value(own).shape)
    upstream = None if base is None else _upstream(base, own)
    theirs = graph_in_pytorch(expression, variables, ones if upstream is None else upstream)
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
        return not alike(value, own.result.value)
    except Exception:
        return False


def _lost(own: Graph, done: str) -> str:
    """What to say of operations whose inputs are not to be found, that are to be drawn or walked."""
    lost = [node.name for node in own.nodes if node.operation and not node.inputs]
    if not lost:
        return ""
    return (
        f"The backward_op of {', '.join(lost[:5])} holds no tensors that could be found. To be {done}, it has to keep "
        "its inputs, for example in a list. "
    )


def _value(own: Graph) -> np.ndarray:
    """What the result holds. Where that could not be read, this raises, and says what is wrong with it."""
    if own.result.value is None:
        with learner_code(SECONDS):
            return array_of(own.result.tensor, "the result")
    return own.result.value


def _upstream(base: Any, own: Graph) -> np.ndarray:
    with learner_code(SECONDS):
        try:
            found = array_of(np.asarray(base, np.float64) if isinstance(base, (list, tuple)) else base, "base")
        except Exception:
            needs = "base, the upstream gradient, has to be a number, a list of numbers, an array or a tensor"
            raise NotDrawn(f"{needs}, and this is {text_of(base, 60)}.") from None
    if found.shape != (shape := _value(own).shape):
        raise NotDrawn(f"The upstream gradient has shape {found.shape}, the result {shape}.")
    return found


def draw_weights(model: Any, side: int = 8) -> None:
    """Draw what each unit of a model's first layer looks for: its weights, as a picture of `side` by `side` pixels.

    The first parameter that has `side * side` rows or columns is taken for the first layer's weight.
    """
    with kindly():
        _show_weights(model, side)


def _show_weights(model: Any, side: int) -> None:
    found = [array_of(parameter.tensor, "a parameter") for parameter in model.parameters() or []]
    weight = next((each for each in found if each.ndim == 2 and side * side in each.shape), None)
    if weight is None:
        why = f"No parameter of this model has {side * side} rows or columns"
        raise NotDrawn(f"{why if found else 'parameters() of this model gives nothing'}: there is nothing to draw.")
    if not np.isfinite(weight).all():
        diverged = "The weights of the first layer are not finite, so training has diverged"
        raise NotDrawn(f"{diverged}: there is nothing to draw. Make the model anew, and try a smaller lr.")
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
    board = board / largest  # huge weights would overflow in a picture
    # By roots: most weights are far smaller than the largest, and would look alike, in a dark page black.
    picture = axes.imshow(np.sign(board) * np.sqrt(np.abs(board)), cmap="PuOr_r", vmin=-1, vmax=1)
    axes.axis("off")
    bar = figure.colorbar(picture, ax=axes, ticks=[-1, -0.5, 0, 0.5, 1], fraction=0.05, pad=0.02)
    words = [f"{-largest:.2g}: ink here lowers the unit", f"{-largest / 4:.2g}", "0"]
    words += [f"+{largest / 4:.2g}", f"+{largest:.2g}: ink here raises the unit"]
    bar.ax.set_yticklabels(words)
    what = f"The weights of {len(drawn)} of {len(units)} units of the first layer"
    alt = f"{what}, each as a picture of {side} by {side} pixels, from {-largest:.2g} to {largest:.2g}."
    if weight.shape[0] == weight.shape[1]:
        reading = "The weight is square: each column is taken for a unit, as in x @ weight."
        axes.set_title(reading, fontsize=9)
        alt += f" {reading}"
    show(figure_forms(figure, alt, alt))
