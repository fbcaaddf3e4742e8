"""Mistakes with the graph: what is recorded, and the walk back."""

from __future__ import annotations

import functools
import operator

from checks.mistakes import Way
from workshop.changes import (
    BINARY,
    ORDERS,
    UNARY,
    along_every_path,
    asks_truth,
    asks_truth_of_buffer,
    base_kept,
    beyond_leaves,
    both,
    clipped,
    counting_each_consumer_once,
    counting_each_visit,
    cut,
    first,
    flag_lost,
    from_the_leaves,
    inner_grad,
    inner_kept,
    keep_in_place,
    last,
    last_saved,
    leaf_buffer_kept,
    merge_in_place,
    misplaced,
    needs_as,
    once_each,
    one_path,
    part,
    returns_operand,
    same_input_once,
    starting,
    taken_apart,
    tape_emptied,
    waiting,
    wraps_flagged,
    writes_operand,
    writes_upstream,
    zero_is_none,
    zero_is_nothing,
)
from workshop.mistakes.known import KNOWN, OPERATORS, PATHS, WALK, known

# ---------------------------------------------------------------- the tensor: recording


known(
    "requires-grad-lost",
    "tensor",
    "a result does not require a gradient although an operand does",
    "If one operand can change, can the result?",
    "requires_grad of the result: left.requires_grad or right.requires_grad.",
    OPERATORS,
    ("a result remembers its operation, but says that it requires no gradient", flag_lost),
    *(
        (says, part(needs=functools.partial(needs_as, how, binary_only)))
        for binary_only in (False, True)
        for says, how in (
            ("a result never requires a gradient", lambda tensors: False),
            ("a result follows its left operand only", lambda tensors: tensors[0].requires_grad),
            ("a result follows its right operand only", lambda tensors: tensors[-1].requires_grad),
            (
                "a result requires a gradient only if both operands do",
                lambda tensors: all(x.requires_grad for x in tensors),
            ),
        )
    ),
)
known(
    "requires-grad-always",
    "tensor",
    "a result requires a gradient although no operand does",
    "If no operand can change, can the result?",
    "requires_grad of the result: left.requires_grad or right.requires_grad.",
    OPERATORS,
    part(needs=lambda op, tensors: True),
)
known(
    "recorded-without-need",
    "tensor",
    "an operation is recorded although no operand requires a gradient",
    "Who will ever walk through this part of the graph?",
    "Record only when left.requires_grad or right.requires_grad; else backward_op stays None.",
    OPERATORS,
)
known(
    "number-requires-grad",
    "tensor",
    "a plain number as an operand becomes a tensor that requires a gradient",
    "In x + 2, who wants the gradient of 2?",
    "MyTensor(2): requires_grad is False by default.",
    OPERATORS,
    wraps_flagged,
)
known(
    "not-recorded",
    "tensor",
    "backward_op of a result is None although an operand requires a gradient",
    "Where can backward() find the operation that made the tensor?",
    "Pass the MyCrossBackward to the result: MyTensor(values, requires_grad=True, crossOpBack=...).",
    OPERATORS,
    part(records=lambda op, needed: False),
)
known(
    "gradient-on-constants",
    "tensor",
    "a tensor that requires no gradient gets one",
    "Who asked for the gradient of a constant?",
    "Skip every input whose requires_grad is False.",
    WALK,
    part(follows=lambda tensor: True),
)
known(
    "upstream-wrong-shape",
    "tensor",
    "backward() without an argument does not start from ones in the shape of the output",
    "How many numbers has the output, and which gradient has each of them with respect to itself?",
    "np.ones(self.shape): a 1 for every element of the output.",
    WALK,
)
known(
    "backward-without-grad",
    "tensor",
    "backward() of a tensor that requires no gradient does something",
    "What is there to do for a tensor that nobody wants a gradient of?",
    "if not self.requires_grad: return.",
    WALK,
    part(without_grad=lambda tensor: True),  # the check says so itself, but for a grad that was not None before
)


# ---------------------------------------------------------------- the tensor: the walk


known(
    "gradient-overwritten",
    "tensor",
    "a new gradient replaces the one that was there",
    "In x * x the tensor x receives two contributions. Which one should it keep?",
    "Add them: new gradient = old gradient + contribution.",
    PATHS,
    ("of several paths to a tensor only the last one counts", part(merge=lambda old, new: new)),
    ("of several paths to a tensor only the first one counts", part(merge=lambda old, new: old)),
    ("a second backward() replaces the gradient instead of adding to it", part(keep=last)),
    ("of several paths to a tensor only the last one counts", part(walk=along_every_path, keep=last)),
    ("of several paths to a tensor only the first one counts", part(walk=along_every_path, keep=first)),
    ("of several paths to a tensor only the last one counts", part(walk=one_path(-1))),
    ("of several paths to a tensor only the first one counts", part(walk=one_path(0))),
    *(
        (f"of several paths to a tensor only the {which} one counts", change)
        for newest, turned in ORDERS
        for which, merge, keep in (("last", lambda old, new: new, last), ("first", lambda old, new: old, first))
        for change in (
            part(walk=waiting(newest, turned, True), keep=keep),
            part(walk=waiting(newest, turned, False), merge=merge),
            part(walk=waiting(newest, turned, True), keep=keep, merge=merge),
        )
    ),
    ("each contribution replaces the one before", part(merge=lambda old, new: new, keep=last)),
    ("in a + a only one of the two contributions arrives", same_input_once(0)),
    ("in a + a only one of the two contributions arrives", same_input_once(1)),
)


known(
    "base-ignored",
    "tensor",
    "backward(base) gives the same for every base",
    "Your rules may be right. With which gradient does backward() start?",
    "The walk starts with base.data. Ones are for base None only.",
    WALK,
    starting(lambda base: 0 * base + 1),
    starting(lambda base: 0 * base),
    part(start=lambda base: 0 * base),
)
known(
    "base-changed",
    "tensor",
    "backward(base) starts with something else than base",
    "Your rules may be right. What happens to base before the first rule gets it?",
    "The walk starts with base.data, as it is.",
    WALK,
    *(
        (f"backward(base) starts with {what}", change)
        for what, of_base in (
            ("base**2", lambda base: base**2),
            ("2 * base", lambda base: 2 * base),
            ("base / 2", lambda base: base / 2),
            ("-base", lambda base: -base),
            ("1 + base", lambda base: 1 + base),
            ("the sum of base, everywhere", lambda base: 0 * base + base.sum()),
            ("the mean of base, everywhere", lambda base: 0 * base + base.mean()),
            ("base without its sign", lambda base: abs(base)),
            ("the first element of base, everywhere", lambda base: 0 * base + base.flatten()[0]),
        )
        for change in (starting(of_base), part(start=of_base))
    ),
)
known(
    "second-backward-lost",
    "tensor",
    "a second backward() adds nothing to the gradient",
    "What does the second call find that the first one left behind?",
    "Each call starts afresh, and then adds to grad: grad = grad + new when there is one already.",
    WALK,
    part(keep=first),
)
known(
    "zero-taken-for-none",
    "tensor",
    "a gradient of 0 is taken for no gradient",
    "+1 and then -1 makes 0. How does your code tell this 0 from `nothing yet`?",
    "Test `grad is None`: a gradient of 0 is a gradient.",
    WALK,
    part(keep=zero_is_none),
    part(merge=lambda old, new: old + new if (old + new).any() else new),
    part(keep=zero_is_none, merge=lambda old, new: old + new if (old + new).any() else new),
    part(walk=along_every_path, keep=zero_is_none),
    ("a leaf whose gradient is 0 everywhere gets none", part(keep=zero_is_nothing)),
    ("a leaf whose gradient is 0 everywhere gets none", part(walk=along_every_path, keep=zero_is_nothing)),
    ("the truth of an array is asked to find out whether there is a gradient", part(keep=asks_truth)),
    ("the truth of an array is asked to find out whether there is a gradient", part(merge=asks_truth_of_buffer)),
)
known(
    "handed-on-too-early",
    "tensor",
    "a tensor hands its gradient on before all contributions to it have arrived",
    "b = a + a; c = b * b: how many contributions does b get, and when does it know the last one has come?",
    "Wait for every consumer: count them first, or go through a topological order from its end.",
    WALK,
    *(
        part(walk=once_each(newest, at_once, False, turned, leaves_too))
        for newest, at_once in ((False, False), (True, False), (False, True))
        for turned in (False, True)
        for leaves_too in (False, True)
    ),
)
KNOWN["handed-on-too-early"].ways.append(
    Way(
        KNOWN["handed-on-too-early"],
        "a consumer that uses a tensor twice is counted once: the gradient is handed on too early",
        part(walk=counting_each_consumer_once),
    )
)
known(
    "counted-too-often",
    "tensor",
    "a tensor counts more uses than it has, and waits in vain: its gradient never comes",
    "b = a + a; y = b + b: how often is a an input? And how often does your count come past it?",
    "Count an operation's inputs once: walk on from a tensor only when it is met for the first time.",
    WALK,
    part(walk=counting_each_visit),
)
known(
    "handed-on-again",
    "tensor",
    "a tensor that is used twice hands its whole gradient on twice",
    "When the second contribution arrives, which part of the sum has been handed on already?",
    "Hand on once, when all contributions have arrived. Or, on each path, hand on the new contribution only.",
    WALK,
    *(
        part(walk=once_each(newest, at_once, True, turned, leaves_too))
        for newest, at_once in ((False, False), (True, False), (False, True))
        for turned in (False, True)
        for leaves_too in (False, True)
    ),
)
known(
    "wrong-end",
    "tensor",
    "the walk does not get from the result to the leaves: no gradient reaches them",
    "Which tensor's gradient is known at first, and what becomes of the walk after the first step?",
    "In the topological order every tensor comes after its inputs. Go through it from its end, the result.",
    WALK,
    part(walk=from_the_leaves(False)),
    part(walk=from_the_leaves(False, zeros=True)),
)
known(
    "walk-incomplete",
    "tensor",
    "only the inputs of the last operation get a gradient: the walk ends there, or goes the wrong way round",
    "The result's inputs have their gradient now. Who hands it on to *their* inputs?",
    "Go through the topological order from its end, the result: every operation on the way hands on to its inputs.",
    WALK,
    part(walk=from_the_leaves(True)),
)
known(
    "share-lost",
    "tensor",
    "only one of the two inputs of an operation gets a gradient, whatever the operation",
    "A rule returns one gradient for each input. Does backward() hand on all of them, and remembers an operation both?",
    "for tensor, share in zip(op.inputs, op.run(gradient)): each input gets its share.",
    WALK,
    *(
        (
            f"the {side} operand of an operation gets no gradient, whatever the operation",
            both(*(cut(op, place) for op in ops)),
        )
        for ops in (tuple(BINARY), ("add", "sub", "mul"), ("add", "mul"))
        for place, side in ((0, "left"), (1, "right"))
    ),
)
known(
    "shares-misplaced",
    "tensor",
    "where the left operand needs no gradient, the right one gets the left one's",
    "A rule returns one gradient for each input, also for a constant. Who gets which, when an input is left out?",
    "Pair the inputs with their gradients first, zip(op.inputs, op.run(gradient)), and leave out constants then.",
    WALK,
    *(
        misplaced(stretches, *ops)
        for ops in (tuple(BINARY), ("add", "mul", "div"), ("add", "mul"))
        for stretches in (False, True)
    ),
)
known(
    "leaf-backward-lost",
    "tensor",
    "backward() of a leaf gives it no gradient",
    "y = a, with no operation between: what is the derivative of a with respect to itself?",
    "The result is a leaf itself then: it keeps base. Only what requires no gradient returns early.",
    WALK,
    part(walk=beyond_leaves),
)
known(
    "path-by-path",
    "tensor",
    "a shared tensor is visited once for every path: 40 in a row take 2**40 visits",
    "A tensor used twice, ten times in a row, has 1,024 paths. How many tensors are there?",
    "Visit each tensor once, when all contributions to it have arrived.",
    WALK,
)
known(
    "recursion-limit",
    "tensor",
    "a chain of 2,000 operations exceeds Python's recursion limit",
    "How many calls are open at the same time, when backward() calls itself for every operation?",
    "Use a stack: a list with append and pop, and a loop.",
    WALK,
)
known(
    "stale-backward",
    "tensor",
    "a second backward() counts the first one again",
    "What of the first call is still stored when the second one starts?",
    "Clear it: start every backward() with an empty dictionary of gradients, and an empty record.",
    WALK,
    leaf_buffer_kept,
)


known(
    "stale-inner-gradients",
    "tensor",
    "a second walk hands on again what tensors on the way received in the first one",
    "y.backward() twice: which gradient has y itself when the second walk starts?",
    "The gradients of one walk belong to it: a dictionary that every backward() makes anew.",
    WALK,
    inner_kept,
)
known(
    "graph-taken-apart",
    "tensor",
    "backward() takes the graph apart: a second one finds less of it",
    "What does the second backward() find that the first one has left?",
    "A graph may be walked again: leave backward_op as it is.",
    WALK,
    taken_apart(True),
    taken_apart(False),
    tape_emptied(False),
    tape_emptied(True),
)
known(
    "inner-gradient-kept",
    "tensor",
    "a tensor that is no leaf keeps a gradient",
    "Which tensors shall hold a gradient after backward(): all, or those that you made yourself?",
    "Store grad where backward_op is None, on the leaves.",
    WALK,
    inner_grad,
)
known(
    "saved-shared",
    "tensor",
    "results of one operation share what it saved: the last one overwrites what the others need",
    "a * b alone is right. What does the next multiplication do with what the first one keeps for backward()?",
    "Keep the inputs in an object of their own for every result: MyCrossBackward(left, right, ...).",
    OPERATORS,
    *(
        (f"the next {code} overwrites what the one before has saved", last_saved(op))
        for op, (code, _) in BINARY.items()
    ),
    ("the next a ** n overwrites what the one before has saved", last_saved("pow")),
    last_saved(*BINARY),
    last_saved(*BINARY, *UNARY),
)
known(
    "operand-changed",
    "tensor relu mseloss matmul",
    "an operation changes what it is given",
    "Is the array that you write into a new one, or the operand's own?",
    "Work on a new array: `a = a * 2` makes one, `a *= 2` and out=a do not.",
    OPERATORS,
    *(
        (f"{code} changes {'ab'[place]}", writes_operand(op, place, shared))
        for op, (code, _) in {**BINARY, **UNARY}.items()
        for place in ((0, 1) if op in BINARY else (0,))
        for shared in (False, True)
    ),
    *((f"{code} changes a, and gives a itself", returns_operand(op)) for op, (code, _) in {**BINARY, **UNARY}.items()),
    *(("relu(x) changes x", writes_operand("relu", 0, shared)) for shared in (False, True)),
)
known(
    "upstream-changed",
    "tensor relu",
    "a rule writes into the upstream gradient that it is given",
    "Who else holds the array base?",
    "base * x makes a new array; base *= x changes the one that others hold, too.",
    WALK,
    *(
        (f"the rule of {code} writes into base", writes_upstream(op, place, before))
        for op, (code, _) in {**BINARY, **UNARY, "relu": ("relu(x)", "")}.items()
        for place in ((0, 1) if op in BINARY else (0,))
        for before in (False, True)
    ),
)
known(
    "gradient-clipped",
    "tensor",
    "large gradients are cut off",
    "What should the gradient of 1000 * a be?",
    "Keep gradients as they are: a limit belongs into an optimizer, if anywhere.",
    WALK,
    *(part(keep=clipped(most)) for most in (1, 5, 10, 100)),
)
known(
    "gradient-aliased",
    "tensor",
    "two gradients share memory: changing one changes the other",
    "`old += share` writes into the array old. Who else holds that array: another tensor, or who gave base?",
    "Add by old + share, which makes a new array; and what is kept in a grad is a copy.",
    WALK,
    (
        "contributions are added into an array that another tensor also holds",
        part(merge=lambda old, new: operator.iadd(old, new)),
    ),
    *(
        (
            "contributions are added into an array that another tensor also holds",
            part(merge=lambda old, new: operator.iadd(old, new), walk=waiting(newest, turned, False)),
        )
        for newest, turned in ORDERS
    ),
    *(
        (
            "contributions are added into an array that another tensor also holds",
            part(merge=merge_in_place, walk=waiting(newest, turned, False)),
        )
        for newest, turned in ORDERS
    ),
    ("backward(base) of a leaf keeps the array of base, and the next one adds into it", base_kept),
    *(
        ("grad is added to in place, in an array that another tensor also holds", part(keep=keep_in_place, **more))
        for more in ({}, {"merge": lambda old, new: operator.iadd(old, new)}, {"walk": along_every_path})
    ),
)
known(
    "gradient-read-only",
    "tensor",
    "a gradient is a read-only view: writing into it raises an exception",
    "np.broadcast_to gives a view in which one number stands for many. Who may write there?",
    "Store a copy: np.array(...), or start from np.ones(...).",
    WALK,
)
