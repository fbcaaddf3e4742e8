"""Changes that make a library (imitation.py) compute what a mistake computes: parts, values, rules, walks, steps."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from workshop.imitation import SGD, Library, Module, Tensor, consumers, derived, summed_to, waiting_for_all

Change = Callable[[Library], None]


# ---------------------------------------------------------------- how to change a library


def part(**parts: Any) -> Change:
    """Replace parts."""

    def change(library: Library) -> None:
        library.__dict__.update(parts)

    return change


def value(op: str, function: Callable[..., Any]) -> Change:
    """Replace what an operation computes."""
    return lambda library: library.values.update({op: function})


def rule(op: str, function: Callable[..., Any]) -> Change:
    """Replace what an operation hands back."""
    return lambda library: library.rules.update({op: function})


def function(name: str, wrong: Callable[..., Any]) -> Change:
    """Replace a function that is written before there are tensors."""
    return lambda library: library.functions.update({name: wrong})


def cut(op: str, *places: int) -> Change:
    """Do not record inputs of an operation."""
    return lambda library: library.cut.update((op, place) for place in places)


def both(*changes: Change) -> Change:
    def change(library: Library) -> None:
        for one in changes:
            one(library)

    return change


def only(places: tuple[int, ...], op: str, wrong: Callable[..., Any], eager: bool = False) -> Change:
    """Hand wrong(right rule, place, g, *arrays) back to some of the inputs.

    `eager` computes it also when that input needs none: a rule that raises then raises in any case.
    """

    def change(library: Library) -> None:
        right = library.rules[op]

        def rule(g: Any, *arrays: Any) -> tuple[Any, ...]:
            shares = list(right(g, *arrays))
            for place in places:
                later = functools.partial(wrong, right, place, g, *arrays)
                shares[place] = later() if eager else later
            return tuple(shares)

        library.rules[op] = rule

    return change


def negative(right: Any, place: int, g: Any, *arrays: Any) -> Any:
    return -right(g, *arrays)[place]


def turned(x: Any) -> Any:
    return x.T if x.ndim == 2 else x.copy()


def zero(right: Any, place: int, g: Any, *arrays: Any) -> Any:
    return 0 * right(g, *arrays)[place]


def without_upstream(right: Any, place: int, g: Any, *arrays: Any) -> Any:
    return right(0 * g + 1, *arrays)[place]


# ---------------------------------------------------------------- the tensor: operators, and their rules

BINARY = {
    "add": ("a + b", "d(a+b)/da = 1 and d(a+b)/db = 1, each times the upstream gradient."),
    "sub": ("a - b", "d(a-b)/da = 1 and d(a-b)/db = -1, each times the upstream gradient."),
    "mul": ("a * b", "d(a*b)/da = b and d(a*b)/db = a, each times the upstream gradient."),
    "div": ("a / b", "d(a/b)/da = 1/b and d(a/b)/db = -a/b**2, each times the upstream gradient."),
}

UNARY = {
    "pow": ("a ** n", "d(a**n)/da = n * a**(n-1), times the upstream gradient."),
    "neg": ("-a", "d(-a)/da = -1, times the upstream gradient."),
}

SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}

REFLECTED = {"add": "__radd__", "sub": "__rsub__", "mul": "__rmul__", "div": "__rtruediv__"}


def follows_one(op: str, place: int, name: str, tensors: list[Tensor]) -> bool:
    return tensors[place].requires_grad if name == op else any(x.requires_grad for x in tensors)


def of_operators(change: Callable[[Library, frozenset[str]], None]) -> list[Change]:
    """A change to all binary operators, or to one of them."""
    every = [frozenset(SYMBOLS), *(frozenset([op]) for op in SYMBOLS)]
    return [lambda library, ops=ops: change(library, ops) for ops in every]


def no_reflected(library: Library, ops: frozenset[str]) -> None:
    def reflected(op: str, right: Tensor, number: float) -> Tensor:
        return _refuse() if op in ops else Library.reflected(library, op, right, number)

    library.reflected = reflected


def reflected_not_recorded(library: Library, op: str) -> None:
    def reflected(name: str, right: Tensor, number: float) -> Tensor:
        result = Library.reflected(library, name, right, number)
        if name == op:
            result.requires_grad, result.op = False, None
        return result

    library.reflected = reflected


def reflected_as(library: Library, op: str, other: str) -> None:
    """2 op a computes another operation."""

    def reflected(name: str, right: Tensor, number: float) -> Tensor:
        return Library.reflected(library, other if name == op else name, right, number)

    library.reflected = reflected


def reflected_rule_of(library: Library, op: str, other: str) -> None:
    """2 op a is recorded with the rule of another operation."""

    def reflected(name: str, right: Tensor, number: float) -> Tensor:
        result = Library.reflected(library, name, right, number)
        if name == op and result.op:
            result.op = (other, result.op[1])
        return result

    library.reflected = reflected


def number_breaks_forward(library: Library, ops: frozenset[str]) -> None:
    def binary(op: str, left: Tensor, other: Any) -> Tensor:
        if op in ops and not isinstance(other, Tensor):
            _refuse()
        return Library.binary(library, op, left, other)

    library.binary = binary


def number_breaks_on_both_sides(library: Library, ops: frozenset[str]) -> None:
    number_breaks_forward(library, ops)
    no_reflected(library, ops)


def number_breaks_backward(library: Library, ops: frozenset[str], left_too: bool = True) -> None:
    """The number itself becomes an input of the operation, and backward() asks it what only a tensor knows."""

    def wrap(beside: Tensor, number: float) -> Tensor:
        tensor = Library.wrap(library, beside, number)
        tensor.number = True
        return tensor

    def shares(tensor: Tensor, gradient: Any) -> Any:
        op, inputs = tensor.op
        if op in ops and any(getattr(x, "number", False) for x in inputs):
            _refuse()
        return Library.shares(library, tensor, gradient)

    library.wrap, library.shares = wrap, shares
    if not left_too:  # the reflected operators wrap their number
        library.reflected = lambda op, right, number: library.apply(op, Library.wrap(library, right, number), right)


def _refuse(*_: Any) -> Any:
    raise TypeError


def refusing(*kinds: type) -> Change:
    """Data of these types raise TypeError."""

    def change(library: Library) -> None:
        tensor = library.tensor
        library.tensor = lambda data, *more, **named: (
            _refuse() if isinstance(data, kinds) else tensor(data, *more, **named)
        )

    return change


def wraps_flagged(library: Library) -> None:
    """A plain number becomes a tensor that requires a gradient."""

    def wrap(beside: Tensor, number: float) -> Tensor:
        tensor = Library.wrap(library, beside, number)
        tensor.requires_grad = True
        return tensor

    library.wrap = wrap


def recorded_twice(place: int, *ops: str) -> Change:
    """Operations remember one of their two operands in both places."""

    def change(library: Library) -> None:
        apply = library.apply

        def applied(op: str, *inputs: Any) -> Tensor:
            result = apply(op, *inputs)
            if op in ops and result.op:
                result.op = (op, (inputs[place],) * 2)
            return result

        library.apply = applied

    return change


def needs_both(op: str, name: str, tensors: list[Tensor]) -> bool:
    return (all if name == op else any)(x.requires_grad for x in tensors)


def by_repetition(least: int) -> Callable[[Any, float], Any]:
    """A power as a product of n factors."""

    def power(a: Any, n: float) -> Any:
        return a ** max(n, least) if isinstance(n, int) else _refuse()

    return power


# ---------------------------------------------------------------- the tensor: broadcasting


def shaped_as(which: Callable[[int], int], raising: bool, *ops: str) -> Change:
    """Unbroadcast to the shape of another operand; where that is no sum, fail or leave the gradient as it is."""

    def change(library: Library) -> None:
        shares = library.shares

        def shared(tensor: Tensor, gradient: Any) -> Any:
            op, inputs = tensor.op
            if op not in (ops or BINARY):
                yield from shares(tensor, gradient)
                return
            given = library.rules[op](gradient, *(x.values for x in inputs))
            for place, x in library.inputs(tensor):
                shape = inputs[which(place)].shape
                try:
                    yield x, summed_to(given[place], shape)
                except ValueError:
                    if raising:
                        raise
                    yield x, given[place]

        library.shares = shared

    return change


def reduced(how: Callable[[Any, tuple[int, ...], str, int], Any], *ops: str, place: int | None = None) -> Change:
    """Unbroadcast otherwise: in all operators, or in some, or for one operand only."""

    def change(library: Library) -> None:
        def unbroadcast(g: Any, shape: tuple[int, ...], op: str, at: int) -> Any:
            if (ops and op not in ops) or place not in (None, at) or tuple(g.shape) == shape:
                return Library.unbroadcast(library, g, shape, op, at)
            return how(g, shape, op, at)

        library.unbroadcast = unbroadcast

    return change


def into_buffers(stretches: bool) -> Change:
    """What is handed on is added into zeros of the tensor's shape, which NumPy may stretch it to; or has to have it."""

    def change(library: Library) -> None:
        shares = library.shares

        def shared(tensor: Tensor, gradient: Any) -> Any:
            for x, share in shares(tensor, gradient):
                if share.shape != x.shape and not stretches:
                    raise ValueError("shape")
                yield x, np.broadcast_to(share, x.shape, subok=True)

        library.shares = shared

    return change


def extra(g: Any, shape: tuple[int, ...]) -> list[int]:
    """The axes that `shape` does not have."""
    return list(range(g.ndim - len(shape)))


def stretched(g: Any, shape: tuple[int, ...]) -> list[int]:
    """The axes of a gradient, extra ones already removed, that were stretched from length 1."""
    return [axis for axis, n in enumerate(shape) if n == 1 and g.shape[axis] != 1]


def total(g: Any, axes: list[int], keep: bool = False) -> Any:
    return g.sum(tuple(axes), keepdims=keep) if axes else g


def by_size(g: Any, shape: tuple[int, ...], *_: Any) -> Any:
    return g if g.size == math.prod(shape) else summed_to(g, shape)


def averaged(g: Any, shape: tuple[int, ...], *_: Any) -> Any:
    return summed_to(g, shape) * (math.prod(shape) / g.size)


REDUCTIONS: dict[str, Callable[[Any, list[int]], Any]] = {  # of axes, which stay with length 1
    "summed": lambda g, axes: g.sum(tuple(axes), keepdims=True),
    "averaged": lambda g, axes: g.mean(tuple(axes), keepdims=True),
    "left as they are": lambda g, axes: g,
    "cut to their first element": lambda g, axes: functools.reduce(lambda g, axis: g.take([0], axis), axes, g),
    "cut to their largest element": lambda g, axes: g.max(tuple(axes), keepdims=True),
}


def reducing(new: str, stretch: str, keep: bool) -> Callable[..., Any]:
    """An unbroadcast that treats new axes and stretched ones each in its way, and may lose the stretched ones."""

    def unbroadcast(g: Any, shape: tuple[int, ...], *_: Any) -> Any:
        axes = extra(g, shape)
        if axes:
            g = REDUCTIONS[new](g, axes)
            if new == "left as they are":
                return g
            g = g.reshape(g.shape[len(axes) :])
        axes = stretched(g, shape)
        if axes:
            g = REDUCTIONS[stretch](g, axes)
            if not keep:
                g = g.reshape([n for axis, n in enumerate(g.shape) if axis not in axes])
        return g.copy()

    return unbroadcast


def reductions(*ids: str | bool) -> list[tuple[str, Change]]:
    """The ways to unbroadcast that do the first of `ids` (with axes, or keeping them) and none of the others."""
    ways = []
    for new in REDUCTIONS:
        for stretch in REDUCTIONS:
            for keep in (True, False) if stretch != "left as they are" else (True,):
                made = (new, stretch, keep)
                if ids[0] in made and not any(id in made for id in ids[1:]):
                    lost = "" if keep else ", and lost"
                    says = f"a gradient's new axes are {new}, those of length 1 {stretch}{lost}"
                    ways.append((says, reduced(reducing(*made))))
    return ways


def last_axes(g: Any, shape: tuple[int, ...], *_: Any) -> Any:
    count = len(extra(g, shape))
    return total(g, [-1 - i for i in range(count)]) if count else summed_to(g, shape)


def everything(g: Any, shape: tuple[int, ...], *_: Any) -> Any:
    return np.broadcast_to(g.sum(), shape, subok=True).copy()


def first_axis_once(g: Any, shape: tuple[int, ...], *_: Any) -> Any:
    if extra(g, shape):
        g = g.sum(0)
    return g if extra(g, shape) else total(g, stretched(g, shape), keep=True)


def axes_in_turn(g: Any, shape: tuple[int, ...], *_: Any) -> Any:
    """New axes one after the other by their first numbers, although each sum gives those behind it new ones."""
    for axis in extra(g, shape):
        g = g.sum(axis)
    return total(g, stretched(g, shape), keep=True)


def from_the_left(new: Callable[[Any, tuple[int, ...]], Any]) -> Callable[..., Any]:
    """After `new`, every axis that has another length than the one of its number in `shape` is taken for stretched."""

    def unbroadcast(g: Any, shape: tuple[int, ...], *_: Any) -> Any:
        g = new(g, shape)
        return total(g, [axis for axis, n in enumerate(shape) if g.shape[axis] != n], keep=True)

    return unbroadcast


def first_stretched_once(g: Any, shape: tuple[int, ...], *_: Any) -> Any:
    g = total(g, extra(g, shape))
    return total(g, stretched(g, shape)[:1], keep=True)


def dropped_in_turn(g: Any, shape: tuple[int, ...], *_: Any) -> Any:
    """Axis after axis without keepdims: the axes behind move up."""
    g = total(g, extra(g, shape))
    for axis, n in enumerate(shape):
        if g.shape[axis] != n:
            g = g.sum(axis)
    return g


def too_early(op: str, *places: int) -> Change:
    """Sum first, multiply then: the product is as wide as before."""

    def change(library: Library) -> None:
        right = library.rules[op]

        def rule(g: Any, a: Any, b: Any) -> tuple[Any, ...]:
            shares = list(right(g, a, b))
            for place in places:
                shares[place] = right(summed_to(g, (a, b)[place].shape), a, b)[place]
            return tuple(shares)

        library.rules[op] = rule
        unbroadcast = library.unbroadcast
        library.unbroadcast = lambda g, shape, name, at: (
            g if name == op and at in places else unbroadcast(g, shape, name, at)
        )

    return change


# ---------------------------------------------------------------- the tensor: recording


def needs_as(how: Callable[[list[Tensor]], bool], binary_only: bool, op: str, tensors: list[Tensor]) -> bool:
    return any(x.requires_grad for x in tensors) if binary_only and op not in SYMBOLS else how(tensors)


def flag_lost(library: Library) -> None:
    apply = library.apply

    def applied(op: str, *inputs: Any) -> Tensor:
        result = apply(op, *inputs)
        if op in SYMBOLS:
            result.requires_grad = False
        return result

    library.apply = applied


# ---------------------------------------------------------------- the tensor: the walk


def along_every_path(library: Library, tensor: Tensor, gradient: Any) -> None:
    """Each rule pushes on at once: the values are right, the work doubles with every shared tensor."""
    if tensor.op is None:
        library.keep(tensor, gradient)
        return
    for x, share in library.shares(tensor, gradient):
        along_every_path(library, x, share)


def once_each(
    newest: bool = False, at_once: bool = False, again: bool = False, turned: bool = False, leaves_too: bool = False
) -> Any:
    """A walk that does not wait for all consumers. What comes too late is lost, or (`again`) all is sent once more.

    Leaves collect all that arrives, or (`leaves_too`) are visited like the others.
    """

    def walk(library: Library, result: Tensor, base: Any) -> None:
        arrived, queue, seen = {result: base}, [result], {result}

        def visit(tensor: Tensor) -> None:
            if tensor.op is None:
                library.keep(tensor, arrived[tensor])
                return
            shares = list(library.shares(tensor, arrived[tensor]))
            for x, share in reversed(shares) if turned else shares:
                if x.op is None and not leaves_too:
                    library.keep(x, share)
                    continue
                arrived[x] = arrived[x] + share if x in arrived else share
                if x not in seen or again:
                    seen.add(x)
                    visit(x) if at_once else queue.append(x)

        while queue:
            visit(queue.pop(-1 if newest else 0))

    return walk


def waiting(newest: bool | None, turned: bool, at_arrival: bool) -> Any:
    """The right walk in another order: of what is ready the last one first, the first one, or (None) the youngest.

    A leaf keeps each contribution at once, or all when they have arrived.
    """

    def walk(library: Library, result: Tensor, base: Any) -> None:
        arrived, ready, waits = {result: base}, [result], consumers(library, result)
        while ready:
            tensor = max(ready, key=lambda x: x.age) if newest is None else ready[-1 if newest else 0]
            ready.remove(tensor)
            gradient = arrived.pop(tensor)
            if tensor.op is None:
                library.keep(tensor, gradient)
                continue
            shares = list(library.shares(tensor, gradient))
            for x, share in reversed(shares) if turned else shares:
                if at_arrival and x.op is None:
                    library.keep(x, share)
                    continue
                arrived[x] = library.merge(arrived[x], share) if x in arrived else share
                waits[x] -= 1
                if waits[x] == 0:
                    ready.append(x)

    return walk


ORDERS = [(newest, turned) for newest in (True, False, None) for turned in (False, True)]


def counting_each_consumer_once(library: Library, result: Tensor, base: Any) -> None:
    """Two uses by one consumer count as one: the second contribution may come after the gradient was handed on."""
    waits = dict.fromkeys(order(library, result), 0)
    for tensor in waits:
        for x in {x for _, x in library.inputs(tensor)}:
            waits[x] += 1
    _handing_on(library, result, base, waits)


def counting_each_visit(library: Library, result: Tensor, base: Any) -> None:
    """A tensor is counted again for each path that leads to it, and waits for contributions that never come."""
    waits, stack = {result: 0}, [result]
    while stack:
        for _, x in library.inputs(stack.pop()):
            waits[x] = waits.get(x, 0) + 1
            stack.append(x)
    _handing_on(library, result, base, waits)


def _handing_on(library: Library, result: Tensor, base: Any, waits: dict[Tensor, int]) -> None:
    """A walk in which each tensor waits for as many contributions as were counted."""
    arrived, ready = {result: base}, [result]
    while ready:
        tensor = ready.pop()
        gradient = arrived.pop(tensor)
        if tensor.op is None:
            library.keep(tensor, gradient)
            continue
        for x, share in library.shares(tensor, gradient):
            arrived[x] = arrived[x] + share if x in arrived else share
            waits[x] -= 1
            if waits[x] == 0:
                ready.append(x)


def one_path(pick: int) -> Any:
    """Of all paths to a leaf only the first or the last one counts; the next backward() adds to it."""

    def walk(library: Library, result: Tensor, base: Any) -> None:
        found: dict[Tensor, list[Any]] = {}
        keep, library.keep = library.keep, lambda leaf, gradient: found.setdefault(leaf, []).append(gradient)
        along_every_path(library, result, base)
        library.keep = keep
        for leaf, gradients in found.items():
            keep(leaf, gradients[pick])

    return walk


def from_the_leaves(at_arrival: bool, zeros: bool = False) -> Any:
    def walk(library: Library, result: Tensor, base: Any) -> None:
        arrived = {result: base}
        for tensor in reversed(order(library, result)):
            gradient = arrived.get(tensor)
            if tensor.op is None:
                if zeros and gradient is None:
                    gradient = 0 * tensor.values
                if gradient is not None and (not at_arrival or tensor is result):
                    library.keep(tensor, gradient)
                continue
            for x, share in library.shares(tensor, gradient) if gradient is not None else ():
                if at_arrival and x.op is None:
                    library.keep(x, share)
                else:
                    arrived[x] = arrived[x] + share if x in arrived else share

    return walk


def order(library: Library, result: Tensor) -> list[Tensor]:
    """The tensors from the result to the leaves, each after all its consumers."""
    counts, ready, found = consumers(library, result), [result], []
    while ready:
        found.append(ready.pop())
        for _, x in library.inputs(found[-1]):
            counts[x] -= 1
            if counts[x] == 0:
                ready.append(x)
    return found


def last(leaf: Tensor, gradient: Any) -> None:
    leaf.grad = gradient.copy()


def first(leaf: Tensor, gradient: Any) -> None:
    leaf.grad = gradient.copy() if leaf.grad is None else leaf.grad


def zero_is_none(leaf: Tensor, gradient: Any) -> None:
    total = gradient if leaf.grad is None else leaf.grad + gradient
    leaf.grad = (total if total.any() else gradient).copy()


def zero_is_nothing(leaf: Tensor, gradient: Any) -> None:
    if gradient.any():
        leaf.grad = gradient.copy() if leaf.grad is None else leaf.grad + gradient


def asks_truth(leaf: Tensor, gradient: Any) -> None:
    if leaf.grad is not None and leaf.grad.size > 1:
        raise ValueError("truth value")
    zero_is_none(leaf, gradient)


def base_kept(library: Library) -> None:
    """The result is a leaf itself: it keeps what it is given, and the next backward() adds into that."""
    walk = library.walk

    def walked(library: Library, result: Tensor, base: Any) -> None:
        if result.op is None:
            keep_in_place(result, base)
        else:
            walk(library, result, base)

    library.walk, library.keep = walked, added_in_place


def added_in_place(leaf: Tensor, gradient: Any) -> None:
    leaf.grad = gradient.copy() if leaf.grad is None else operator.iadd(leaf.grad, gradient)


def clipped(most: float) -> Callable[[Tensor, Any], None]:
    def keep(leaf: Tensor, gradient: Any) -> None:
        leaf.grad = (gradient if leaf.grad is None else leaf.grad + gradient).clip(-most, most)

    return keep


def asks_truth_of_buffer(old: Any, new: Any) -> Any:
    if old.size > 1:
        raise ValueError("truth value")
    return old + new


def keep_in_place(leaf: Tensor, gradient: Any) -> None:
    """The array that arrives first is kept, and the next one added into it."""
    leaf.grad = gradient if leaf.grad is None else operator.iadd(leaf.grad, gradient)


def merge_in_place(old: Any, new: Any) -> Any:
    """As NumPy's += does it: a single number has no memory that others could share."""
    return operator.iadd(old, new) if old.ndim else old + new


def leaf_buffer_kept(library: Library) -> None:
    """What the first backward() summed up is added again by the second."""
    sums: dict[Tensor, Any] = {}

    def keep(leaf: Tensor, gradient: Any) -> None:
        sums[leaf] = sums.get(leaf, 0) + gradient
        Library.keep(library, leaf, sums[leaf])

    library.keep = keep


def misplaced(stretches: bool, *ops: str) -> Change:
    """The gradients of a rule go, one after the other, to those inputs that need one."""

    def change(library: Library) -> None:
        right = library.shares

        def shares(tensor: Tensor, gradient: Any) -> Any:
            op, inputs = tensor.op
            if op not in ops:
                yield from right(tensor, gradient)
                return
            given = library.rules[op](gradient, *(x.values if isinstance(x, Tensor) else x for x in inputs))
            for place, (_, x) in enumerate(library.inputs(tensor)):
                share = summed_to(given[place], getattr(inputs[place], "shape", x.shape))
                yield x, np.broadcast_to(share, x.shape, subok=True) if stretches else share

        library.shares = shares

    return change


def inputs_twice(library: Library, tensor: Tensor, shares: list[Any], pick: int) -> list[Any]:
    return [shares[pick]] if len(shares) == 2 and shares[0][0] is shares[1][0] else shares


def same_input_once(pick: int) -> Change:
    """In a + a only one of the two contributions arrives."""

    def change(library: Library) -> None:
        library.shares = lambda tensor, g: inputs_twice(library, tensor, list(Library.shares(library, tensor, g)), pick)
        library.walk = along_every_path

    return change


def starting(start: Callable[[Any], Any]) -> Change:
    """The walk starts with something else than base."""

    def change(library: Library) -> None:
        walk = library.walk
        library.walk = lambda library, result, base: walk(library, result, start(base))

    return change


def inner_kept(library: Library) -> None:
    """What every tensor has received is kept, and handed on again by the next walk."""
    sums: dict[Tensor, Any] = {}
    shares = library.shares

    def more(tensor: Tensor, gradient: Any) -> Any:
        sums[tensor] = sums[tensor] + gradient if tensor in sums else gradient
        return shares(tensor, sums[tensor])

    library.shares = more


def taken_apart(everywhere: bool) -> Change:
    """After the walk the result, or each result on the way, has forgotten the operation that made it."""

    def change(library: Library) -> None:
        walk = library.walk

        def once(library: Library, result: Tensor, base: Any) -> None:
            gone = order(library, result) if everywhere else [result]
            walk(library, result, base)
            for tensor in gone:
                tensor.op = None

        library.walk = once

    return change


def beyond_leaves(library: Library, result: Tensor, base: Any) -> None:
    """A walk that goes through operations only."""
    if result.op:
        waiting_for_all(library, result, base)


def tape_emptied(leaves: bool) -> Change:
    """After a walk all operations made so far are forgotten; their results are then like leaves, or lost."""

    def change(library: Library) -> None:
        apply, walk, inputs = library.apply, library.walk, library.inputs
        tape: set[Tensor] = set()

        def applied(op: str, *given: Any) -> Tensor:
            result = apply(op, *given)
            tape.add(result)
            return result

        def walked(library: Library, result: Tensor, base: Any) -> None:
            walk(library, result, base)
            for tensor in tape if leaves else ():
                tensor.op = None
            tape.clear()

        library.apply, library.walk = applied, walked
        library.inputs = lambda tensor: inputs(tensor) if tensor in tape else iter(())

    return change


def inner_grad(library: Library) -> None:
    """Every tensor keeps what it received, not only leaves."""
    shares = library.shares

    def kept(tensor: Tensor, gradient: Any) -> Any:
        tensor.grad = gradient.copy() if tensor.grad is None else tensor.grad + gradient
        return shares(tensor, gradient)

    library.shares = kept


def last_saved(*ops: str) -> Change:
    """All results of an operation share what it saved: the last call overwrites what the others need."""

    def change(library: Library) -> None:
        saved: dict[str, tuple[Any, ...]] = {}
        apply, shares = library.apply, library.shares

        def applied(op: str, *inputs: Any) -> Tensor:
            saved[op] = inputs
            return apply(op, *inputs)

        def shared(tensor: Tensor, gradient: Any) -> Any:
            op = tensor.op[0]
            if op not in ops:
                return shares(tensor, gradient)
            arrays = [x.values if isinstance(x, Tensor) else x for x in saved[op]]
            given = library.rules[op](gradient, *arrays)
            return [(x, library.unbroadcast(given[place], x.shape, op, place)) for place, x in library.inputs(tensor)]

        library.apply, library.shares = applied, shared

    return change


def writes_operand(op: str, place: int, shared: bool = False) -> Change:
    """The result is written into an operand; or it is the operand's own array."""

    def change(library: Library) -> None:
        right = library.values[op]

        def into(*arrays: Any) -> Any:
            result = right(*arrays)
            if result.shape != arrays[place].shape:
                return result
            arrays[place][...] = result
            return arrays[place] if shared else result

        library.values[op] = into

    return change


def returns_operand(op: str) -> Change:
    """The result is written into the left operand, which is handed back itself."""

    def change(library: Library) -> None:
        apply = library.apply

        def applied(name: str, *inputs: Any) -> Tensor:
            if name != op:
                return apply(name, *inputs)
            values = library.values[op](*(x.values if isinstance(x, Tensor) else x for x in inputs))
            if values.shape == inputs[0].shape:
                inputs[0].values[...] = values
            else:
                inputs[0].values = values
            return inputs[0]

        library.apply = applied

    return change


def writes_upstream(op: str, place: int, before_others: bool) -> Change:
    """A rule multiplies in the upstream gradient's own array; the other input sees what is there then."""

    def change(library: Library) -> None:
        right = library.rules[op]

        def rule(g: Any, *arrays: Any) -> tuple[Any, ...]:
            shares = list(right(g, *arrays))
            if shares[place].shape == g.shape:
                g[...] = shares[place]
                if before_others:
                    shares = list(right(g, *arrays))
                shares[place] = g
            return tuple(shares)

        library.rules[op] = rule

    return change


# ---------------------------------------------------------------- modules


def below(module: Module) -> list[tuple[str, Any]]:
    """The names and parameters of a module and of all modules in it."""
    found = []
    for name, value in module.current():
        found += below(value) if isinstance(value, Module) else [(name, value)]
    return found


def without_own(module: Module) -> list[Any]:
    own = [value for _, value in module.current()]
    return list(dict.fromkeys(value for _, value in below(module) if value not in own))


def by_value(module: Module) -> list[Any]:
    return list({value.tensor.data.tobytes(): value for _, value in below(module)}.values())


# ---------------------------------------------------------------- SGD


def moving(move: Callable[[SGD, Any, Any, Any], None]) -> Change:
    return part(move=move)


def in_place(new: Callable[[Any, Any, float], Any]) -> Change:
    """step() makes w, with gradient g, to new(w, g, lr)."""

    def move(optimizer: SGD, parameter: Any, values: Any, gradient: Any) -> None:
        values[...] = new(values, gradient, optimizer.lr)

    return moving(move)


def rebind(optimizer: SGD, parameter: Any, values: Any, gradient: Any) -> None:
    parameter.tensor = Tensor(optimizer.library, values - optimizer.lr * gradient, requires_grad=True)


def rebind_with_gradient(optimizer: SGD, parameter: Any, values: Any, gradient: Any) -> None:
    rebind(optimizer, parameter, values, gradient)
    parameter.tensor.grad = gradient


def rebind_plain(optimizer: SGD, parameter: Any, values: Any, gradient: Any) -> None:
    parameter.tensor = Tensor(optimizer.library, values - optimizer.lr * gradient)


def rebind_recorded(optimizer: SGD, parameter: Any, values: Any, gradient: Any) -> None:
    parameter.tensor = parameter.tensor - Tensor(optimizer.library, optimizer.lr * gradient)


def zeros_instead(optimizer: SGD) -> None:
    for parameter in optimizer.params:
        parameter.tensor.grad = 0 * parameter.tensor.values


def one_zero_instead(optimizer: SGD) -> None:
    for parameter in optimizer.params:
        parameter.tensor.grad = 0 * parameter.tensor.values.sum()


def values_to_zero(optimizer: SGD) -> None:
    for parameter in optimizer.params:
        parameter.tensor.values[...] = 0


def forget_after(optimizer: SGD) -> None:
    Library.step(optimizer.library, optimizer)
    optimizer.library.zero_grad(optimizer)


def first_only(method: str) -> Change:
    def change(library: Library) -> None:
        right = getattr(library, method)

        def apply(optimizer: SGD) -> None:
            params, optimizer.params = optimizer.params, optimizer.params[:1]
            right(optimizer)
            optimizer.params = params

        setattr(library, method, apply)

    return change


def heavy_ball(library: Library) -> None:
    speeds: dict[Any, Any] = {}

    def move(optimizer: SGD, parameter: Any, values: Any, gradient: Any) -> None:
        speeds[parameter] = 0.9 * speeds.get(parameter, 0) + gradient
        values -= optimizer.lr * speeds[parameter]

    library.move = move


def decaying(factor: float) -> Change:
    def step(optimizer: SGD) -> None:
        Library.step(optimizer.library, optimizer)
        optimizer.lr *= factor

    return part(step=step)


def stop_at_none(optimizer: SGD) -> None:
    for parameter in optimizer.params:
        if parameter.tensor.grad is None:
            break
        optimizer.library.move(optimizer, parameter, parameter.tensor.values, parameter.tensor.grad)


# ---------------------------------------------------------------- MSELoss


def mse(f: Callable[[Any, Any], Any], gradient: Callable[[Any, Any, Any], Any] | None = None) -> Change:
    """A loss that computes f(y, t), and the gradient that belongs to it or another one."""

    def change(library: Library) -> None:
        def own(g: Any, y: Any, t: Any) -> Any:
            return derived(lambda y: f(y, t), g, y)[0]

        def both(g: Any, y: Any, t: Any) -> tuple[Any, Any]:
            share = (gradient or own)(g, y, t)
            return share, -share

        library.values["mse"] = lambda y, t: f(y, t) + 0.0
        library.rules["mse"] = both

    return change


def mean_squared(y: Any, t: Any) -> Any:
    return ((y - t) ** 2).mean()


def gradient_only(gradient: Callable[[Any, Any, Any], Any]) -> Change:
    return mse(mean_squared, gradient)


def axis_ignored(g: Any, y: Any, t: Any) -> Any:
    if y.ndim > 1 and y.shape[0] != y.shape[-1]:
        raise ValueError("shape")
    return g * 2 * (y - t) / y.size
