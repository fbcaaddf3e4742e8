"""The graph that a tensor remembers, and PyTorch's graph of the same expression: what to draw, and what differs."""

from __future__ import annotations

import ast
import contextlib
import functools
import itertools
import math
import re
import types
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from checks.drawing import ROOM, Node
from checks.observe import an, class_name, close, printable, relation, text_of
from checks.oracle import plain
from checks.svg import NotDrawn
from workshop import oracle
from workshop.reading import array_of

MOST = 60  # tensors in one picture; of a larger graph the rest is folded into one box
SMALL = 500  # tensors up to which results in between are compared with PyTorch's, too
LARGEST = 100_000  # tensors that are counted
DEPTH = 6  # of what an operation holds, in which its inputs are looked for


class Graph:
    """A tensor, all it was computed from, and names for them.

    Attributes:
        nodes: inputs before results, the result last.
        nearest: the same, the nearest to the result first.

    Raises:
        NotDrawn: when it leads round in a circle.
    """

    def __init__(self, nearest: list[Node], names: dict[int, str]) -> None:
        self.nearest, self.nodes = nearest, _sorted(nearest)
        results, leaves = _free("t", names), _free("leaf", names)
        for node in self.nodes:
            node.name = names.get(id(node.tensor)) or node.name
            if not node.name:
                node.name = "result" if node is self.result else next(results if node.operation else leaves)

    @property
    def result(self) -> Node:
        return self.nodes[-1]

    @property
    def is_small(self) -> bool:
        return len(self.nodes) <= SMALL

    def leaves(self) -> dict[Node, frozenset[int]]:
        """For each node the leaves below it that require a gradient, each as the id of the learner's tensor."""
        below: dict[Node, frozenset[int]] = {}
        for node in self.nodes:
            if node.operation:
                below[node] = frozenset().union(*(below[each] for each in node.inputs))
            else:
                leaf = node.tensor if node.stands_for is None else node.stands_for
                below[node] = frozenset([id(leaf)] if node.traced else [])
        return below

    def drawn(self) -> list[Node]:
        """What is drawn: all, or the nearest, and one box for all others."""
        if len(self.nodes) <= MOST:
            return self.nodes
        others = self.nearest[MOST - 1 :]
        known = ", ".join(node.name for node in others if not re.fullmatch(r"(t|leaf)\d+", node.name))
        more = f"{len(others):,} more tensors" if len(self.nodes) < LARGEST else "many more tensors"
        box = Node(None, f"... {more}", remark=printable(known, ROOM) or "not drawn")
        kept = {node: replace(node) for node in self.nearest[: MOST - 1]}
        for node in kept.values():
            node.arguments = [kept.get(each, box) if isinstance(each, Node) else each for each in node.arguments]
        return _sorted([*kept.values(), box])


def _free(kind: str, names: dict[int, str]) -> Iterator[str]:
    """t1, t2, ..., but for those that are names already."""
    taken = set(names.values())
    return (name for number in itertools.count(1) if (name := f"{kind}{number}") not in taken)


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
    if len(order) < len(nodes):
        raise NotDrawn("This graph leads round in a circle: an operation holds a tensor that was made from its result.")
    return order[::-1]


# ---------------------------------------------------------------- the learner's graph


def is_tensor(thing: Any) -> bool:
    kind = type(thing)
    return not isinstance(thing, type) and hasattr(kind, "backward") and hasattr(thing, "backward_op")


def names_of(variables: dict[str, Any]) -> dict[int, str]:
    """Names of tensors, by their id: of the variable that holds it, itself or in a Parameter, else `layer.weight`."""
    names: dict[int, str] = {}
    holders, seen = [("", variables)], set()
    for path, held in holders:  # it grows: modules hold modules
        for name, value in held.items():
            if name.startswith("_") or isinstance(value, (type, types.ModuleType)):
                continue
            with contextlib.suppress(Exception):  # an object of another kind, that is odd
                inside = getattr(value, "__dict__", {})
                holds = "tensor" in inside or hasattr(type(value), "tensor")  # other objects are not asked
                tensor = value.tensor if holds and not is_tensor(value) else value
                if is_tensor(tensor):
                    names.setdefault(id(tensor), path + name)
                elif hasattr(type(value), "parameters") and id(value) not in seen:
                    seen.add(id(value))
                    holders.append((f"{path}{name}.", inside))
    return names


def graph_of(tensor: Any, names: dict[int, str]) -> Graph:
    """The graph of a learner's tensor.

    Args:
        names: of the variables that hold tensors, by the tensor's id.

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
    nodes, waiting = {id(tensor): Node(tensor)}, [tensor]
    while waiting and len(nodes) < LARGEST:  # breadth first
        some, waiting = waiting, []
        for each in some:
            node = nodes[id(each)]
            node.traced = bool(each.requires_grad)
            if each.backward_op is None:
                continue
            found = arguments_of(each)
            node.operation = _operation(each.backward_op)
            node.remark = "" if found else "inputs: not found"
            for part in found:
                if is_tensor(part) and id(part) not in nodes:
                    nodes[id(part)] = Node(part)
                    waiting.append(part)
                node.arguments.append(nodes.get(id(part), part))
    graph = Graph(list(nodes.values()), names)
    for node in graph.nodes if graph.is_small else graph.nearest[:MOST]:
        node.value, node.gradient = _array(node.tensor), _array(node.tensor.grad)
    return graph


def arguments_of(tensor: Any) -> list[Any]:
    """The tensors that an operation was applied to, and the plain numbers beside them, in order.

    `backward_op` may be anything: an object, a tuple, a list of pairs, a function with what it has captured. The
    tensors that lie nearest to its surface are the inputs; where it holds none, those that lie in the tensor itself.
    """
    not_inputs = {id(tensor), id(tensor.grad)}
    for start in (tensor.backward_op, tensor):
        level, seen = [start], {id(tensor): tensor}  # what was seen is kept: the id of what is gone is used again
        for _ in range(DEPTH):
            holders: dict[tuple[int, ...], list[Any]] = {}  # by their tensors: some engines keep them twice
            deeper = []
            for thing in level:
                tensors, plain = [], []
                for place, part in enumerate(_parts(thing)):
                    if is_tensor(part):
                        tensors += [(place, part)] if id(part) not in not_inputs else []
                    elif type(thing) in (tuple, list, _Captured) and type(part) in (int, float):
                        plain.append((math.inf if type(thing) is _Captured else place, part))
                    elif id(part) not in seen:
                        seen[id(part)] = part
                        deeper.append(part)
                if tensors:
                    ordered = sorted([*tensors, *plain], key=lambda each: each[0])
                    holders.setdefault(tuple(id(part) for _, part in tensors), [part for _, part in ordered])
            if holders:
                return [part for held in holders.values() for part in held]
            level = deeper[:1000]
    return []


class _Captured(list):
    """What a function has captured: its order is that of the names."""


def _parts(thing: Any) -> Iterator[Any]:
    """What a container, a function or an object holds. What a function has captured lies a step deeper."""
    if isinstance(thing, (str, bytes, np.ndarray, np.generic, int, float, type, types.ModuleType)) or thing is None:
        return
    if isinstance(thing, dict):
        yield from (*thing.keys(), *thing.values())
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
        yield _Captured([*cells, *(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values()])
    else:
        kept = dict(getattr(thing, "__dict__", {}))
        for kind in type(thing).__mro__:
            slots = kind.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                mangled = f"_{kind.__name__.lstrip('_')}{name}" if name.startswith("__") else name
                if name not in ("__weakref__", "__dict__") and hasattr(thing, mangled):
                    kept[mangled] = getattr(thing, mangled)
        yield from (part for name, part in kept.items() if name.strip("_") != "grad")


ANY = {"function", "run", "backward", "rule", "pull_back", "grad_fn", "lambda", "f", "fn", "closure"}  # names of rules


def _operation(op: Any) -> str:
    """The name of an operation, as the learner calls it: of itself, else of what it holds, else of its class."""
    for part in (op, *_parts(op)):
        if isinstance(part, functools.partial):
            part = part.func
        if isinstance(part, (types.FunctionType, type)):
            *outer, said = part.__qualname__.replace("<locals>", "").replace("<lambda>", "lambda").split(".")
            if said.strip("_") in ANY:  # then what made it says more: __mul__
                said = next((name for name in reversed(outer) if name), said)
        elif isinstance(part, str):
            said = part
        elif isinstance(getattr(part, "name", None), str):
            said = part.name
        elif part is not None and not is_tensor(part) and "__str__" in _own_names(type(part)):
            said = str(part)
        else:
            continue
        if re.fullmatch(r"\w[\w ]*|[-+*/@]{1,2}", said):
            break
    else:
        said = "operation" if isinstance(op, (tuple, list, dict)) else class_name(op)
    return printable(said, ROOM - 4)


def _own_names(kind: type) -> set[str]:
    """The names that a class defines which is none of Python's or NumPy's own."""
    return {name for base in kind.__mro__ if base.__module__ not in ("builtins", "numpy") for name in base.__dict__}


def _array(thing: Any) -> np.ndarray | None:
    """What a tensor or an array holds; None where that cannot be read."""
    try:
        return None if thing is None else array_of(thing, "it")
    except Exception:
        return None


Before = list[tuple[Any, Any, Any]]  # tensors, each with its gradient and its operation


def _before(tensors: Iterable[Any]) -> Before:
    each_once = {id(tensor): tensor for tensor in tensors}.values()
    return [(tensor, tensor.grad, tensor.backward_op) for tensor in each_once]


def _reset(before: Before, keep: bool) -> None:
    """All as it was, the gradients only to `keep` it so; else there are none."""
    for tensor, grad, op in before:
        tensor.grad = grad if keep else None
        if tensor.backward_op is not op:  # some engines take the graph apart
            tensor.backward_op = op


def gradients(
    graph: Graph, others: list[Any], base: np.ndarray | None, between: bool = True
) -> dict[int, np.ndarray | None]:
    """The gradient of every tensor, by its id, as the learner's backward computes it.

    Only leaves keep theirs, so each result in turn becomes one: without its operation. All is put back afterwards.
    A result whose operation cannot be taken away is left out, and all are in a large graph.

    Args:
        others: tensors that are not in the graph, but might get a gradient.
        base: the upstream gradient; None for a call without one.
        between: whether results between are asked for, too, one walk for each.
    """
    result = graph.result.tensor
    before = _before([*others, *(node.tensor for node in graph.nodes)])

    def walk() -> None:
        if base is None:
            result.backward()
        else:
            result.backward(type(result)(base.copy()))

    try:
        _reset(before, keep=False)
        walk()
        found = {id(tensor): _array(tensor.grad) for tensor, _, op in before if op is None}
        found[id(result)] = np.ones(graph.result.value.shape) if base is None else base
        for node in graph.nodes[:-1] if between and graph.is_small else []:
            if not node.operation or not node.traced:
                continue
            _reset(before, keep=False)
            try:
                node.tensor.backward_op = None
                walk()
                found[id(node.tensor)] = _array(node.tensor.grad)
            except Exception:  # it has no such setter, or the engine does not end its walk there
                continue
        return found
    finally:
        _reset(before, keep=True)


def walked(graph: Graph, base: np.ndarray) -> list[tuple[Node, dict[Node, np.ndarray | None]]]:
    """Each operation, from the result on, and what it hands to each of its inputs, as the learner's backward does.

    For each one its inputs become leaves, and it alone goes backward, with all that has arrived at its result so far.
    All is put back afterwards. It raises what an engine raises that cannot walk a part of a graph.
    """
    before = _before(node.tensor for node in graph.nodes)
    arrived, steps = {graph.result: base}, []
    try:
        for node in reversed(graph.nodes):
            if not node.operation or node not in arrived:
                continue
            inputs = list(dict.fromkeys(each for each in node.inputs if each.traced))
            _reset(before, keep=False)
            for each in inputs:
                each.tensor.backward_op = None
            node.tensor.backward(type(node.tensor)(arrived[node].copy()))
            handed = {each: _array(each.tensor.grad) for each in inputs}
            for each, share in handed.items():
                if share is not None:
                    arrived[each] = np.asarray(arrived[each] + share) if each in arrived else share
            steps.append((node, handed))
    finally:
        _reset(before, keep=True)
    return steps


# ---------------------------------------------------------------- PyTorch's graph


def graph_in_pytorch(expression: str, variables: dict[str, Any], base: np.ndarray) -> Graph:
    """PyTorch's graph of an expression, with all gradients.

    Args:
        variables: what the names in the expression stand for: the learner's leaves, numbers, arrays.
        base: the upstream gradient.

    Raises:
        NotDrawn: when PyTorch cannot compute it.
    """
    torch = oracle.load()
    modules = ("Linear", "MyModule")  # their numbers are the learner's own
    known = {name: value for name, value in oracle.in_pytorch().items() if name not in modules}
    known |= {"relu": torch.relu}
    leaves: dict[int, Node] = {}
    scope: dict[str, Any] = {"__builtins__": {}}
    for name in names_in(expression):
        if name in known or name not in variables:
            scope |= {name: known[name]} if name in known else {}
            continue
        value = variables[name]
        if is_tensor(value):
            if value.backward_op is not None:
                raise NotDrawn(f"{name} is a result itself: write the expression with leaves only.")
            if id(value) not in leaves:
                array, traced = array_of(value, name), bool(value.requires_grad)
                leaf = torch.tensor(array, requires_grad=traced)
                leaves[id(value)] = Node(leaf, name, traced=traced, value=array, stands_for=value)
            value = leaves[id(value)].tensor
        elif not isinstance(value, (int, float, tuple, list, np.ndarray, np.generic)):
            raise NotDrawn(
                f"{name} is {_an_object(value)}. PyTorch's graph can be drawn of an expression of your tensors, "
                f"numbers, + - * / **, matmul, sum, relu, ReLU() and MSELoss(): write it with these, instead of {name}."
            )
        scope[name] = torch.tensor(np.asarray(value, np.float64)) if isinstance(value, np.ndarray) else value
    nodes = {id(node.tensor): node for node in leaves.values()}

    class Recorder(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function: Any, kinds: Any, args: Any = (), kwargs: Any = None) -> Any:
            made = function(*args, **(kwargs or {}))
            if isinstance(made, torch.Tensor) and made.grad_fn is not None and id(made) not in nodes:
                arguments = []
                for each in (*args, *(kwargs or {}).values()):
                    if isinstance(each, torch.Tensor):
                        fresh = Node(each, traced=each.requires_grad, value=plain(each))
                        arguments.append(nodes.setdefault(id(each), fresh))
                    elif type(each) in (int, float):
                        arguments.append(each)
                name = printable(type(made.grad_fn).__name__, ROOM - 4)
                if function.__name__.startswith("__r"):  # 2 - a asks a
                    arguments.reverse()
                if function.__name__ in ("__rdiv__", "__rtruediv__"):  # PyTorch takes the inverse, then multiplies
                    name = "division"
                made.retain_grad()
                nodes[id(made)] = Node(made, operation=name, arguments=arguments, value=plain(made))
            return made

    try:
        with Recorder():
            result = evaluated(expression, scope)
    except NotDrawn:
        raise
    except Exception as error:
        raise NotDrawn(f"PyTorch cannot compute {expression!r}: {printable(str(error))}") from None
    if not isinstance(result, torch.Tensor) or result.grad_fn is None:
        raise NotDrawn(f"In PyTorch {expression!r} has no graph: is there a leaf with requires_grad=True in it?")
    if base.shape != tuple(result.shape):
        raise NotDrawn(f"In PyTorch {expression!r} has shape {tuple(result.shape)}, your result {base.shape}.")
    result.backward(torch.tensor(base))
    nearest, waiting = {}, [nodes[id(result)]]
    while waiting:  # breadth first
        nearest |= dict.fromkeys(waiting)
        waiting = list(dict.fromkeys(each for node in waiting for each in node.inputs if each not in nearest))
    graph = Graph(list(nearest), {})
    for node in graph.nodes:
        node.gradient = plain(node.tensor.grad) if node.traced else None
    return graph


def names_in(expression: str) -> list[str]:
    """The names that code takes from elsewhere.

    Raises:
        NotDrawn: when it is no code.
    """
    try:
        nodes = list(ast.walk(ast.parse(expression.strip())))
    except SyntaxError as error:
        raise NotDrawn(f"{expression!r} is no expression ({error.msg}): write something like 'a * x + b'.") from None
    names = [node for node in nodes if isinstance(node, ast.Name)]
    made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    return sorted({node.id for node in names} - made)


def evaluated(expression: str, variables: dict[str, Any]) -> Any:
    """The value of code: of its last line, which may be an assignment."""
    lines = ast.parse(expression.strip()).body
    if lines and isinstance(lines[-1], ast.Assign):
        lines.append(ast.Expr(ast.Name(ast.unparse(lines[-1].targets), ast.Load())))
    if not lines or not isinstance(lines[-1], ast.Expr):
        raise NotDrawn(f"{expression!r} has no value: write something like 'a * x + b'.")
    before = ast.fix_missing_locations(ast.Module(lines[:-1], []))
    last = ast.fix_missing_locations(ast.Expression(lines[-1].value))
    exec(compile(before, "<expression>", "exec"), variables)
    return eval(compile(last, "<expression>", "eval"), variables)


def _an_object(value: Any) -> str:
    for kind, says in ((type, "class"), (types.ModuleType, "package"), (types.FunctionType, "function")):
        if isinstance(value, kind):
            return f"the {says} {value.__name__}"
    return an(class_name(value))


# ---------------------------------------------------------------- side by side


def pairs(own: Graph, theirs: Graph, aside: list[Node]) -> dict[Node, list[Node]]:
    """Which tensors of PyTorch's graph stand for which of the learner's: leaves by identity, results by their place.

    A result that the learner computed once and used twice may be computed twice there: its gradient is their sum.

    Args:
        aside: leaves of the expression that the learner's graph does not lead to.
    """
    leaf = {id(node.stands_for): node for node in theirs.nodes if node.stands_for is not None}
    found = {node: [leaf[id(node.tensor)]] for node in [*own.nodes, *aside] if id(node.tensor) in leaf}
    if not alike(own.result.value, theirs.result.value):
        return found
    found[own.result] = [theirs.result]
    if not (own.is_small and theirs.is_small):
        return found
    below = own.leaves() | theirs.leaves()

    def fit(mine: Node, other: Node) -> bool:
        if bool(mine.operation) != bool(other.operation):
            return False
        return below[mine] == below[other] and alike(mine.value, other.value)

    waiting, seen = [(own.result, theirs.result)], set()
    while waiting:
        mine, other = pair = waiting.pop()
        if pair in seen or not mine.operation:
            continue
        seen.add(pair)
        found[mine] = list(dict.fromkeys([*found.get(mine, []), other]))
        mine_in, other_in = ([each for each in node.inputs if each.traced] for node in pair)
        if len(mine_in) != len(other_in):
            continue
        for order in (mine_in, mine_in[::-1]):  # a function that has captured its inputs may hold them otherwise
            if all(fit(*two) for two in zip(order, other_in, strict=True)):
                waiting += zip(order, other_in, strict=True)
                break
    # Where the two are written differently, results may still be the same: those that nothing else looks like.
    left = [node for node in own.nodes if node.operation and node not in found]
    taken = {other for others in found.values() for other in others}
    free = [node for node in theirs.nodes if node.operation and node not in taken]
    for mine in left:
        similar = [other for other in free if fit(mine, other)]
        if len(similar) == 1 and sum(fit(each, similar[0]) for each in left) == 1:
            found[mine] = similar
    return found


def alike(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    """Whether two arrays hold the same, as far as rounding allows; or neither is known."""
    if one is None or other is None:
        return one is other
    return one.shape == other.shape and close(one, other)


def mark(own: Graph, theirs: Graph, aside: list[Node], found: dict[Node, list[Node]]) -> str:
    """Mark the first tensor, walking back from the result, whose gradient is not PyTorch's; a sentence about it."""
    result = own.result
    if result not in found:
        return "The values differ already: PyTorch computes another result. First make the value right."
    compared = [node for node in [*aside, *own.nodes] if node in found and node.traced and node is not result]
    if compared and all(node.gradient is None for node in compared):
        return "Your backward() gives no tensor a gradient: there is nothing to compare yet."
    # A result in between may be unknown, because its operation could not be taken away.
    known = [node for node in compared if node.gradient is not None or not node.operation]
    for node in reversed(known):
        expected = sum(other.gradient for other in found[node])
        if node.gradient is None:
            says = "has no gradient"
        else:
            twins = [each.gradient for each in known if found[each] == found[node]]  # computed twice, and there once
            got = sum(gradient for gradient in twins if gradient is not None)
            if got.shape != expected.shape:
                says = f"has a gradient of shape {got.shape} instead of {expected.shape}"
            elif close(got, expected):
                continue
            else:
                says = f"differs: its gradient {relation(got, expected)}"
        node.differs, node.remark = True, "✗ differs from PyTorch"
        for other in found[node]:
            other.differs, other.remark = True, "✗ yours differs"
        return f"✗ Walking back from {result.name}, {node.name} is the first that {says}. {_where(own, node, known)}"
    strays = [node for node in [*aside, *own.nodes] if not node.traced and node.gradient is not None]
    for node in strays:
        node.differs, node.remark = True, "✗ a constant gets none"
    if strays:
        names = " and ".join(node.name for node in strays)
        return f"✗ Your backward() gives {names} a gradient, though requires_grad is False there. The others agree."
    reached = {other for others in found.values() for other in others}
    missing = sorted(node.name for node in theirs.nodes if node.traced and not node.operation and node not in reached)
    if missing:
        return f"Not compared: {', '.join(missing)}. What was compared agrees."
    return "✓ All gradients are PyTorch's."


def _where(own: Graph, node: Node, known: list[Node]) -> str:
    """Where to look for the mistake, as far as what is known tells."""
    users = [each for each in own.nodes if node in each.inputs]
    between, waiting = set(), list(users)
    while waiting:
        each = waiting.pop()
        if each not in between:
            between.add(each)
            waiting += [other for other in own.nodes if each in other.inputs]
    if not users or any(each not in known and each is not own.result for each in between):
        return f"What lies between is not known: the mistake is on the way from {own.result.name} to it."
    by = " and ".join(dict.fromkeys(f"{each.operation} of {each.name}" for each in users))
    where = f"All on the way to it are right, so look at what hands it on: {by}"
    # A result that stands alone gets its whole gradient even from a backward that hands on too early.
    uses = {each: sum(other.inputs.count(each) for other in own.nodes) for each in [node, *users]}
    if often := " and ".join(each.name for each, count in uses.items() if count > 1):
        where += f"; or at how backward() adds up what arrives at {often}, which is used more than once"
    return f"{where}."
