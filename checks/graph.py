"""The graph that a tensor remembers, and PyTorch's graph of the same expression: what to draw, and what differs."""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checks import oracle
from checks.observe import array_of, class_name, close, printable, text_of

MOST = 60  # tensors in one picture; of a larger graph the rest is folded into one box
LARGEST = 100_000  # tensors that are counted
DEPTH = 6  # of what an operation holds, in which its inputs are looked for
ROOM = 24  # characters in one line of a box


class NotDrawn(Exception):
    """There is no graph to draw; the message says what is missing."""


@dataclass(eq=False)
class Node:
    """One tensor of a graph, and the operation that made it.

    Attributes:
        tensor: the tensor itself; None for the box that stands for those that are not drawn.
        name: of the variable that holds it, or of its own.
        operation: what made it; empty on a leaf.
        inputs: what it was computed from, in order; the same one twice if it was used twice.
        value: what it holds.
        gradient: None if there is none.
        traced: whether it requires a gradient.
        remark: a line more, in words.
        differs: whether its gradient is the first that is not PyTorch's.
    """

    tensor: Any
    name: str = ""
    operation: str = ""
    inputs: list[Node] = field(default_factory=list)
    value: np.ndarray | None = None
    gradient: np.ndarray | None = None
    traced: bool = True
    remark: str = ""
    differs: bool = False

    def lines(self) -> list[str]:
        """What its box says."""
        if self.tensor is None:
            return [self.name, self.remark]
        made = f"{self.name} = {self.operation}" if self.operation else self.name
        about = [] if self.operation else ["leaf" if self.traced else "constant"]
        about += [f"shape {self.value.shape}" if self.value.ndim else "scalar"] if self.value is not None else []
        lines = [made, ", ".join(about)]
        if self.value is not None:
            lines.append(numbers(self.value))
        if self.gradient is not None:
            lines.append(f"grad {numbers(self.gradient)}")
        return lines + ([self.remark] if self.remark else [])


def numbers(array: np.ndarray) -> str:
    """An array in a few characters."""
    return printable(" ".join(np.array2string(array, precision=4, threshold=8, edgeitems=2).split()), ROOM)


# ---------------------------------------------------------------- the learner's graph


def is_tensor(thing: Any) -> bool:
    kind = type(thing)
    return not isinstance(thing, type) and hasattr(kind, "backward") and hasattr(thing, "backward_op")


def inputs_of(tensor: Any) -> tuple[list[Any], list[Any]]:
    """The tensors that an operation was applied to, and the plain numbers beside them.

    `backward_op` may be anything: an object, a tuple, a list of pairs, a function with what it has captured. The
    tensors that lie nearest to its surface are the inputs; where it holds none, those that lie in the tensor itself.
    """
    for start in (tensor.backward_op, tensor):
        level, seen = [start], {id(tensor)} - {id(start)}
        for _ in range(DEPTH):
            found, constants, deeper = [], [], []
            for thing in level:
                for part in _parts(thing):
                    if is_tensor(part):
                        found += [part] if part is not tensor else []
                    elif type(thing) in (tuple, list) and isinstance(part, (int, float)) and part is not True:
                        constants.append(part)
                    elif id(part) not in seen:
                        seen.add(id(part))
                        deeper.append(part)
            if found:
                return found, constants
            level = deeper[:1000]
    return [], []


def _parts(thing: Any) -> Iterator[Any]:
    """What a container, a function or an object holds. What a function has captured lies a step deeper."""
    if isinstance(thing, (str, bytes, np.ndarray, np.generic, int, float, type, types.ModuleType)) or thing is None:
        return
    if isinstance(thing, dict):
        yield from thing.values()
    elif isinstance(thing, (tuple, list, set, frozenset)):
        yield from thing
    elif isinstance(thing, functools.partial):
        yield from (thing.args, thing.keywords, thing.func)
    elif isinstance(thing, types.MethodType):
        yield from (thing.__self__, thing.__func__)
    elif isinstance(thing, types.FunctionType):
        cells = []
        for cell in thing.__closure__ or ():
            try:
                cells.append(cell.cell_contents)
            except ValueError:  # not assigned yet
                continue
        yield [*cells, *(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values()]
    else:
        yield from getattr(thing, "__dict__", {}).values()
        for kind in type(thing).__mro__:
            slots = kind.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                mangled = f"_{kind.__name__.lstrip('_')}{name}" if name.startswith("__") else name
                if name not in ("__weakref__", "__dict__") and hasattr(thing, mangled):
                    yield getattr(thing, mangled)


def _operation(op: Any, constants: list[Any]) -> str:
    """The name of an operation, as the learner calls it: of itself, else of what it holds, else of its class."""
    for part in (op, *_parts(op)):
        if isinstance(part, functools.partial):
            part = part.func
        if isinstance(part, (types.FunctionType, type)):
            said = part.__qualname__.rpartition(".")[2]
        elif isinstance(part, str):
            said = part
        elif isinstance(getattr(part, "name", None), str):
            said = part.name
        elif part is not None and not is_tensor(part) and "__str__" in _own_names(type(part)):
            said = str(part)
        else:
            continue
        if re.fullmatch(r"\w[\w ]*", said):
            break
    else:
        said = "operation" if isinstance(op, (tuple, list, dict)) else class_name(op)
    return printable(" ".join([said, *map(str, constants)]), ROOM - 4)


def _own_names(kind: type) -> set[str]:
    """The names that a class defines which is none of Python's or NumPy's own."""
    return {name for base in kind.__mro__ if base.__module__ not in ("builtins", "numpy") for name in base.__dict__}


def graph_of(tensor: Any, names: dict[int, str], most: int = MOST) -> list[Node]:
    """The graph of a tensor: inputs before results, itself last.

    Args:
        names: of the variables that hold tensors, by the tensor's id.
        most: nodes; the rest, furthest from the result, becomes a single one.

    Raises:
        NotDrawn: when there is no graph.
    """
    if not is_tensor(tensor):
        raise NotDrawn(f"draw_graph draws a MyTensor with its backward_op, and this is {text_of(tensor, 60)}.")
    if tensor.backward_op is None:
        raise NotDrawn(
            "The backward_op of this tensor is None, so it is a leaf: there is nothing to draw. If an operation made "
            "it, that operation recorded nothing. Does one of its inputs have requires_grad=True?"
        )
    nodes, waiting, lost = {id(tensor): Node(tensor)}, [tensor], []
    while waiting and len(nodes) < LARGEST:  # breadth first: what is nearest to the result is drawn
        some, waiting = waiting, []
        for each in some:
            node = nodes[id(each)]
            node.traced = bool(each.requires_grad)
            if each.backward_op is None:
                continue
            found, constants = inputs_of(each)
            node.operation = _operation(each.backward_op, constants)
            if not found:
                node.remark = "inputs: not found"
                lost.append(node)
            for part in found:
                if id(part) not in nodes:
                    nodes[id(part)] = Node(part)
                    waiting.append(part)
                node.inputs.append(nodes[id(part)])
    drawn = list(nodes.values())
    if len(drawn) > most:
        drawn = _folded(drawn, most, names)
    order = _sorted(drawn)
    for number, node in enumerate((node for node in order if node.operation), 1):
        node.name = f"t{number}"
    leaves = iter(range(1, len(order) + 1))
    for node in order:
        if node.tensor is not None:
            node.name = names.get(id(node.tensor)) or node.name or f"leaf{next(leaves)}"
            node.value = _array(node.tensor)
            node.gradient = _array(node.tensor.grad)
    order[-1].name = names.get(id(tensor), "result")
    return order


def _folded(nodes: list[Node], most: int, names: dict[int, str]) -> list[Node]:
    """The first of the nodes, and one box for all others."""
    kept, others = nodes[: most - 1], nodes[most - 1 :]
    known = [names[id(node.tensor)] for node in others if id(node.tensor) in names]
    more = f"{len(others):,} more tensors" if len(nodes) < LARGEST else "many more tensors"
    box = Node(None, f"... {more}", remark=printable(", ".join(known), ROOM) or "not drawn")
    hidden = set(others)
    for node in kept:
        node.inputs = [box if each in hidden else each for each in node.inputs]
    return [*kept, box]


def _sorted(nodes: list[Node]) -> list[Node]:
    """Inputs before results; the first of `nodes` last. Kahn's algorithm, from the result."""
    consumers = dict.fromkeys(nodes, 0)
    for node in nodes:
        for each in node.inputs:
            consumers[each] += 1
    order, ready = [], [node for node, count in consumers.items() if not count]
    while ready:
        node = ready.pop()
        order.append(node)
        for each in node.inputs:
            consumers[each] -= 1
            if not consumers[each]:
                ready.append(each)
    return order[::-1]


def _array(thing: Any) -> np.ndarray | None:
    """What a tensor or an array holds; None where that cannot be read."""
    try:
        return None if thing is None else array_of(thing, "it")
    except Exception:
        return None


def gradients(nodes: list[Node], base: np.ndarray) -> dict[Node, np.ndarray | None]:
    """The gradient of every tensor of a graph, as the learner's backward computes it.

    Only leaves keep theirs, so each result in turn becomes one: without its operation. All is put back afterwards.
    A result whose operation cannot be taken away is left out.
    """
    result = nodes[-1].tensor
    upstream = type(result)(base)
    traced = [node for node in nodes if node.traced and node.tensor is not None]
    before = [(node.tensor, node.tensor.grad) for node in traced]
    found: dict[Node, np.ndarray | None] = {nodes[-1]: base}

    def walk() -> None:
        for tensor, _ in before:
            tensor.grad = None
        result.backward(upstream)

    try:
        walk()
        found |= {node: _array(node.tensor.grad) for node in traced if not node.operation}
        for node in traced:
            if node in found:
                continue
            op = node.tensor.backward_op
            try:
                node.tensor.backward_op = None
            except AttributeError:
                continue
            try:
                walk()
                found[node] = _array(node.tensor.grad)
            except Exception:  # an engine that does not end its walk there
                continue
            finally:
                node.tensor.backward_op = op
        return found
    finally:
        for tensor, grad in before:
            tensor.grad = grad


# ---------------------------------------------------------------- PyTorch's graph


def graph_in_pytorch(expression: str, variables: dict[str, Any], base: np.ndarray) -> list[Node]:
    """PyTorch's graph of an expression, with all gradients; inputs before results, the result last.

    Args:
        variables: what the names in the expression stand for: the learner's leaves, numbers, arrays.
        base: the upstream gradient.

    Raises:
        NotDrawn: when PyTorch cannot compute it.
    """
    torch = oracle.load()
    known = {**oracle.names(), "relu": torch.relu, "sum": _sum}
    try:
        code = compile(expression.strip(), "<expression>", "eval")
    except SyntaxError as error:
        raise NotDrawn(
            f"{expression!r} is no expression ({error.msg}): write for example beside='a * x + b'."
        ) from None
    leaves: dict[int, Node] = {}
    scope: dict[str, Any] = {}
    for name in code.co_names:
        if name in known or name not in variables:
            scope |= {name: known[name]} if name in known else {}
            continue
        value = variables[name]
        if is_tensor(value):
            if value.backward_op is not None:
                raise NotDrawn(f"{name} is a result itself: write the expression with leaves only.")
            if id(value) not in leaves:
                array, traced = array_of(value, name), bool(value.requires_grad)
                leaves[id(value)] = Node(torch.tensor(array, requires_grad=traced), name, traced=traced, value=array)
            value = leaves[id(value)].tensor
        elif not isinstance(value, (int, float, tuple, list, np.ndarray, np.generic)):
            raise NotDrawn(f"{name} is {an_object(value)}, which PyTorch cannot run: write out what it does.")
        scope[name] = torch.tensor(np.asarray(value, np.float64)) if isinstance(value, np.ndarray) else value
    nodes = {id(node.tensor): node for node in leaves.values()}

    class Recorder(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function: Any, kinds: Any, args: Any = (), kwargs: Any = None) -> Any:
            made = function(*args, **(kwargs or {}))
            if isinstance(made, torch.Tensor) and made.grad_fn is not None and id(made) not in nodes:
                tensors = [each for each in args if isinstance(each, torch.Tensor)]
                constants = [each for each in args if isinstance(each, (int, float)) and not isinstance(each, bool)]
                for each in tensors:
                    nodes.setdefault(id(each), Node(each, traced=each.requires_grad, value=oracle.plain(each)))
                name = " ".join([type(made.grad_fn).__name__, *map(str, constants)])
                made.retain_grad()
                inputs = [nodes[id(each)] for each in tensors]
                nodes[id(made)] = Node(
                    made, operation=printable(name, ROOM - 4), inputs=inputs, value=oracle.plain(made)
                )
            return made

    try:
        with Recorder():
            result = eval(code, {"__builtins__": {}}, scope)
    except Exception as error:
        raise NotDrawn(f"PyTorch cannot compute {expression!r}: {printable(str(error))}") from None
    if not isinstance(result, torch.Tensor) or result.grad_fn is None:
        raise NotDrawn(f"In PyTorch {expression!r} has no graph: is there a leaf with requires_grad=True in it?")
    if base.shape != tuple(result.shape):
        raise NotDrawn(f"In PyTorch {expression!r} has shape {tuple(result.shape)}, your result {base.shape}.")
    result.backward(torch.tensor(base))
    root, reached = nodes[id(result)], []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.append(node)
            waiting += node.inputs
    order = _sorted(reached)
    for number, node in enumerate(node for node in order if node.operation):
        node.name = f"t{number + 1}"
    for node in order:
        node.name = node.name or "constant"
        node.gradient = oracle.plain(node.tensor.grad) if node.traced else None
    return order


def an_object(value: Any) -> str:
    kind = class_name(value)
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {kind}"


def _sum(x: Any, axis: Any = None) -> Any:
    return x.sum() if axis is None else x.sum(axis)


# ---------------------------------------------------------------- side by side


def pairs(own: list[Node], theirs: list[Node]) -> dict[Node, Node]:
    """Which tensor of PyTorch's graph stands for which of the learner's: leaves by name, results by their place."""
    by_name = {node.name: node for node in theirs if not node.operation}
    found = {node: by_name[node.name] for node in own if node.name in by_name and not node.operation}
    waiting = [(own[-1], theirs[-1])]
    while waiting:
        mine, other = waiting.pop()
        if mine in found or mine.tensor is None or bool(mine.operation) != bool(other.operation):
            continue
        if mine.value is None or mine.value.shape != other.value.shape or not close(mine.value, other.value):
            continue
        if mine.operation:
            found[mine] = other
        mine_in, other_in = ([each for each in node.inputs if each.traced] for node in (mine, other))
        if len(mine_in) == len(other_in):
            # A function that has captured its inputs may hold them in another order.
            if mine_in and mine_in[0].value is not None and _unlike(mine_in[0], other_in[0]):
                mine_in = mine_in[::-1]
            waiting += zip(mine_in, other_in, strict=True)
    return found


def _unlike(one: Node, other: Node) -> bool:
    return one.value.shape != other.value.shape or not close(one.value, other.value)


def mark(own: list[Node], theirs: list[Node], found: dict[Node, Node]) -> str:
    """Mark the first tensor, walking back from the result, whose gradient is not PyTorch's; a sentence about it."""
    if own[-1] not in found:
        return "The values differ already: PyTorch computes another result. First make the value right."
    for node in reversed(own):
        other = found.get(node)
        if other is None or not node.traced or node is own[-1]:
            continue
        if node.gradient is None and node.operation:  # not known
            continue
        if node.gradient is None:
            says = "has no gradient"
        elif node.gradient.shape != other.gradient.shape:
            says = f"has a gradient of shape {node.gradient.shape} instead of {other.gradient.shape}"
        elif not close(node.gradient, other.gradient):
            says = "has another gradient"
        else:
            continue
        node.differs = other.differs = True
        node.remark, other.remark = "✗ differs from PyTorch", "✗ yours differs"
        users = [each for each in own if node in each.inputs]
        by = " and ".join(dict.fromkeys(f"{each.operation.split()[0]} of {each.name}" for each in users))
        return (
            f"✗ Walking back from {own[-1].name}, {node.name} is the first that {says}. All nearer to {own[-1].name} "
            f"are right, so look at what hands it on: {by}."
        )
    leaves = {node for node in theirs if node.traced and not node.operation}
    if leaves <= set(found.values()):
        return "✓ All gradients are PyTorch's."
    missing = ", ".join(sorted(node.name for node in leaves - set(found.values())))
    return f"Not compared: {missing}, which your graph does not lead to. What was compared agrees."
