"""Random programs of tensors, made of what works alone."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from checks.observe import Waits
from checks.programs import LARGEST, Choices, Pairs, Program, Unfit
from checks.trial import literal
from workshop.trial import SCALAR, TensorTrial

SYMBOLS = "+-*/"
# The shape of the results of a program, and those of its leaves.
STRETCHED = {(2,): [(2,), (1,), ()], (2, 3): [(2, 3), (3,), (2, 1), (1, 3), ()], (): [()]}
TWO = "a = MyTensor([2.0, 3.0], requires_grad=True)\nb = MyTensor([5.0, -1.5], requires_grad=True)\n"
GIVEN = "g = MyTensor([0.5, 1.5])\n"
MATRICES = "a = MyTensor([[2.0, 3.0], [0.5, 4.0]], requires_grad=True)\n"
MATRICES += "b = MyTensor([[5.0, -1.5], [2.5, 3.0]], requires_grad=True)\n"


def alone(code: str, *see: str, base: str = "g") -> Program:
    """A program of a single operation, which goes backward."""
    return Program(f"{TWO}{GIVEN}y = {code}\ny.backward({base})", ("y", "hasattr(y, 'requires_grad')", *see))


# What works alone may be composed. A name holds the operator that is needed, or tells what a program looks at.
PARTS = {
    **{symbol: alone(f"a {symbol} b", "a.grad", "b.grad", "a.data", "b.data", "g.data") for symbol in SYMBOLS},
    **{f"{symbol} number": alone(f"a {symbol} 2.5", "a.grad", "a.data", "g.data") for symbol in SYMBOLS},
    **{f"number {symbol}": alone(f"2.5 {symbol} a", "a.grad", "a.data", "g.data") for symbol in SYMBOLS},
    **{f"** {power}": alone(f"b ** {power}", "b.grad", "b.data", "g.data") for power in (2, 3, -1)},
    "-a": alone("-a", "a.grad", "a.data", "g.data"),
    "flags": Program(
        "a = MyTensor([1.5], requires_grad=True)\nb = MyTensor([2.5])\nx, y, z, w = a + b, b + a, b + b, b + 2.0",
        ("x.requires_grad", "y.requires_grad", "z.requires_grad", "z.backward_op is None", "w.requires_grad"),
    ),
    "constants": Program(f"{TWO}{GIVEN}y = a + g\ny.backward(g)", ("g.grad",)),
    "ones": Program(
        f"{TWO}c = MyTensor([[1.5, 2.5]], requires_grad=True)\ny = a + b\ny.backward()\nz = c + c\nz.backward()",
        ("a.grad", "c.grad"),
    ),
    "none yet": Program(TWO, ("a.grad",)),
    "single number": SCALAR,
    "leaves only": Program(f"{TWO}{GIVEN}u = a + b\ny = u + a\ny.backward(g)", ("u.grad", "y.grad")),
}


def on_matrices(part: Program) -> Program:
    """The same with matrices in place of vectors."""
    given = "g = MyTensor([[0.5, 1.5], [2.0, -1.0]])\n"
    return replace(part, code=part.code.replace(TWO, MATRICES).replace(GIVEN, given))


def parts_that_work(trial: TensorTrial) -> set[str]:
    """Names of PARTS that do alone what PyTorch does. Broadcasting is looked at with the operators that work."""
    symbols = [symbol for symbol in operators_that_compute(trial) if differentiates(trial, symbol)]
    some = [name for name in PARTS if not {*name.split()} & {*SYMBOLS} - {*symbols}]
    works = {*some}
    for parts in ({name: PARTS[name] for name in some}, {name: on_matrices(PARTS[name]) for name in some}):
        works -= {name for name, right in zip(parts, trial.right([*parts.values()]), strict=True) if not right}
    stretched = [in_shapes(symbol, *pair) for symbol in symbols for pair in BROADCAST]
    return works | ({"broadcasting"} if all(trial.right(stretched)) else set())


BROADCAST = [((2, 3), (3,)), ((3,), (2, 3)), ((2, 1), (1, 3)), ((2, 3), ()), ((2, 1), (4, 2, 3))]


def in_shapes(symbol: str, one: tuple[int, ...], other: tuple[int, ...]) -> Program:
    """A program of one operator and two operands of these shapes."""
    choices = Choices()
    a, b = choices.array(*one), choices.array(*other)
    lines = [f"a = MyTensor({literal(a)}, requires_grad=True)", f"b = MyTensor({literal(b)}, requires_grad=True)"]
    lines += [f"y = a {symbol} b", f"y.backward(MyTensor({literal(choices.array(*(a + b).shape))}))"]
    return Program("\n".join(lines), ("y", "a.grad", "b.grad"))


def shapes(trial: TensorTrial, *wanted: tuple[int, ...]) -> list[tuple[int, ...]]:
    """These shapes, without that of a single number where `MyTensor` does not take one yet."""
    return [shape for shape in wanted if shape or trial.right([SCALAR])[0]]


def forward(program: Program) -> Program:
    """A program without its way back, and what can be seen of it: for where no gradient is right."""
    lines = [line for line in program.code.split("\n") if ".backward(" not in line]
    return Program("\n".join(lines), tuple(see for see in program.see if "grad" not in see))


def waits_for_value(value: bool, gradient: bool) -> None:
    """Where a value is wrong, a gradient that is right counts; another one may be the right one of what is computed.

    Raises:
        Waits: when neither is right.
    """
    if not (value or gradient):
        raise Waits("waits for the value, which is not right yet")


def differentiates(trial: TensorTrial, symbol: str) -> bool:
    """Whether an operator and its gradients are right alone, for vectors and for matrices."""
    return all(trial.right([program])[0] for program in (PARTS[symbol], in_shapes(symbol, (2, 2), (2, 2))))


def operator_that_works(trial: TensorTrial) -> str:
    """The first operator whose value and gradients are right: what looks at the graph need not wait for `+`.

    Raises:
        Waits: when there is none.
    """
    for symbol in operators_that_compute(trial):
        if differentiates(trial, symbol):
            return symbol
    raise Waits("waits for an operator whose value and gradients are right")


def computes(trial: TensorTrial, *codes: str) -> list[bool]:
    """Whether expressions of a and b have the right value, for vectors and for matrices."""
    right = dict.fromkeys(codes, True)
    for made in (TWO, MATRICES):  # what never ends is not tried again: of many such programs only a few are waited for
        left = [code for code in codes if right[code]]
        some = [Program(f"{made}y = {code}", ("y", "hasattr(y, 'requires_grad')")) for code in left]
        right.update(zip(left, trial.right(some), strict=True))
    return [right[code] for code in codes]


def operators_that_compute(trial: TensorTrial) -> str:
    """The operators whose values are right.

    Raises:
        Waits: when there is none.
    """
    right = computes(trial, *(f"a {symbol} b" for symbol in SYMBOLS))
    if not any(right):
        raise Waits("waits for an operator whose value is right")
    return "".join(itertools.compress(SYMBOLS, right))


def pairs(works: set[str], *functions: str) -> Pairs:
    """Each operation that works alone on each other one; `functions` are names of functions of one tensor."""
    symbols = [symbol for symbol in SYMBOLS if symbol in works]
    inner = [f"a {symbol} b" for symbol in symbols] + [f"{name}(a)" for name in functions]
    outer = [
        f"{one} {symbol} {other}"
        for symbol in symbols
        for one, other in (("u", "c"), ("c", "u"), ("u", "a"), ("a", "u"), ("u", "u"))
    ]
    outer += [code for name in functions for code in (f"{name}(u)", f"u * {name}(c)", f"{name}(c) + u")]
    others = {"-a": "-a", "** 2": "a ** 2", "number -": "2.5 - a", "* number": "a * 2.5"}
    for part in others.keys() & works:
        inner.append(others[part])
        outer.append(others[part].replace("a", "u"))
    see = ["y", "a.grad", "a.data", "b.data", "c.data", "g.data", *(["y.requires_grad"] if "flags" in works else [])]
    if "none yet" in works:
        see += ["b.grad", "c.grad"]
    if "leaves only" in works:
        see += ["u.grad", "y.grad"]
    values = {"a": [2.0, -3.0], "b": [5.0, 1.5], "c": [-2.0, 0.5]}
    start = [f"{name} = MyTensor({value}, requires_grad=True)" for name, value in values.items()]
    return Pairs(
        "", "\n".join([*start, "g = MyTensor([0.5, 1.5])"]), tuple(inner), tuple(outer), tuple(see), "y.backward(g)"
    )


class Composition:
    """A program of several operations: DAGs with numbers, constants, broadcasting, tensors that are used twice.

    Args:
        choices: what it looks like.
        works: the names of PARTS that it may use.
        functions: name to NumPy's function, of functions of one tensor that it uses, too; it raises Unfit for numbers
            that it is not to be given.
    """

    def __init__(
        self, choices: Choices, works: set[str], functions: dict[str, Callable[[np.ndarray], np.ndarray]] | None = None
    ) -> None:
        self.choices, self.works, self.functions = choices, works, functions or {}
        self.symbols = [symbol for symbol in SYMBOLS if symbol in works]
        self.others = [part for part in sorted(works) if part == "-a" or part.startswith("** ")]
        some = [shape for shape in STRETCHED if shape or "single number" in works]
        shape = choices.of(some)
        stretched = [shape for shape in STRETCHED[shape] if shape in some or shape]
        self.shapes = stretched if "broadcasting" in works else [shape]
        self.leaves: list[str] = []
        self.constants: list[str] = []
        self.results: list[str] = []
        self.values: dict[str, np.ndarray] = {}
        self.made: list[str] = []
        self.lines: list[str] = []

    def tensor(self, traced: bool = True) -> str:
        """A new leaf; one that is not traced is a constant."""
        kept, letters = (self.leaves, "abcdef") if traced else (self.constants, "hklmno")
        if len(kept) == len(letters):
            return kept[-1]
        name, value = letters[len(kept)], self.choices.array(*self.choices.of(self.shapes))
        kept.append(name)
        self.values[name] = value
        self.made.append(f"{name} = MyTensor({literal(value)}{', requires_grad=True' if traced else ''})")
        return name

    def operand(self) -> str:
        """A result, a leaf or a constant."""
        which = self.choices.below(5)
        if which == 3 or not self.values:
            return self.tensor()
        if which == 4:
            return self.tensor(traced=not {"flags", "constants"} <= self.works)
        return [*self.values][-1] if which == 0 else self.choices.of([*self.values])

    def operation(self, name: str) -> None:
        """`name = ...`: one more result."""
        kinds = [*self.functions, *self.symbols, *(["other"] * 2 if self.others else [])]
        kind, left = self.choices.of(kinds), self.operand()
        if kind in self.functions:
            code = f"{kind}({left})"
        elif kind == "other":
            part = self.choices.of(self.others)
            code = f"-{left}" if part == "-a" else f"{left} {part}"
        else:
            symbol, form = kind, self.choices.below(6)
            number = repr(float(self.choices.array())) if form > 3 else ""
            if form == 4 and f"{symbol} number" in self.works:
                code = f"{left} {symbol} {number}"
            elif form == 5 and f"number {symbol}" in self.works:
                code = f"{number} {symbol} {left}"
            else:
                code = f"{left} {symbol} {self.operand()}"
        divisor = code.rpartition("/ ")[2] if "/" in code else left if "** -1" in code else ""
        if divisor and np.abs(eval(divisor, {}, self.values)).min() < 0.25:
            raise Unfit
        self.values[name] = np.asarray(eval(code.replace("** -1", "** -1.0"), {**self.functions}, self.values))
        if not np.abs(self.values[name]).max() <= LARGEST:
            raise Unfit
        self.results.append(name)
        self.lines.append(f"{name} = {code}")

    def operations(self, *last: str) -> None:
        """Up to six operations, the last ones with these names."""
        for name in "uvwpq"[: 6 - len(last)]:
            if not self.choices.below(4):
                break
            self.operation(name)
        for name in last:
            self.operation(name)

    def base(self, result: str, name: str = "g") -> str:
        """The name of an upstream gradient for a result, or nothing for ones."""
        if "ones" in self.works and not self.choices.below(3):
            return ""
        self.made.append(f"{name} = MyTensor({literal(self.choices.array(*self.values[result].shape))})")
        self.constants.append(name)
        return name

    def reached(self, code: str) -> set[str]:
        """The leaves that some result is computed from which goes backward."""
        used = {line.partition(".")[0] for line in code.split("\n") if ".backward(" in line}
        for line in reversed(self.lines):
            name, _, made_of = line.partition(" = ")
            if name in used:
                used |= {node.id for node in ast.walk(ast.parse(made_of)) if isinstance(node, ast.Name)}
        return used & {*self.leaves}

    def program(self, *backward: str) -> Program:
        """The program that goes backward at last, and all that can be seen of it.

        Raises:
            Unfit: when a result that goes backward asks for no gradient.
        """
        traced = {*self.leaves}
        for line in self.lines:
            name, _, code = line.partition(" = ")
            if traced & {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}:
                traced.add(name)
        if not {line.partition(".")[0] for line in backward} <= traced:
            raise Unfit
        code = "\n".join([*self.lines, *backward])
        reached = self.leaves if "none yet" in self.works else sorted(self.reached(code))
        see = [*self.results, *(f"{name}.grad" for name in reached)]
        if "flags" in self.works:
            see += [f"{name}.requires_grad" for name in self.results]
        if "leaves only" in self.works:
            see += [f"{name}.grad" for name in self.results]
        if "constants" in self.works:
            see += [f"{name}.grad" for name in self.constants]
        see += [f"{name}.data" for name in [*self.leaves, *self.constants]]
        return Program("\n".join([*self.made, code]), tuple(see))


def once(
    choices: Choices, works: set[str], functions: dict[str, Callable[[np.ndarray], np.ndarray]] | None = None
) -> Program:
    """A result that goes backward once."""
    some = Composition(choices, works, functions)
    some.operations("y")
    return some.program(f"y.backward({some.base('y')})")


def again(choices: Choices, works: set[str], first_only: bool = False) -> Program:
    """One result that goes backward twice, two that share what is below them, or a leaf that goes backward itself.

    With `first_only` the same program, but for the second time.
    """
    some = Composition(choices, works)
    which = choices.below(3)
    some.operations(*("y", "z")[: 1 + (which == 1)])
    backward = [f"y.backward({some.base('y')})"]
    if which == 2:
        leaf = some.leaves[0] if some.leaves else some.tensor()
        backward.insert(0, f"{leaf}.backward({some.base(leaf, 's')})")
    else:
        other = "z" if which == 1 else "y"
        backward.append(f"{other}.backward({some.base(other, 's')})")
    if first_only and which == 1:  # z comes afterwards: that it is there at the first walk is part of what is asked
        later = some.lines.pop()
        first = some.program(backward[0])
        return replace(first, code=f"{first.code}\n{later}")
    return some.program(*(backward[which == 2 :][:1] if first_only else backward))
