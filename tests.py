"""The tests of the Minitorch workshop: one function for each section of the notebook.

    tests.test_tensor_class(MyTensor)            # run the checks, show the report, return the points
    tests.test_tensor_class(MyTensor, seed=7)    # the same random numbers again
    pytest tests.py --notebook workshop.ipynb    # all sections of a notebook, from a terminal
    tests.progress()                             # the points of all sections so far, and what is next
    tests.draw_graph(y)                          # the graph that a tensor remembers

The checks of a section stand in the order in which to write the code. Most are a few lines of code that run twice,
once with your classes and once with PyTorch: the values and gradients must agree.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from checks import oracle
from checks.drawing import draw_graph as draw_graph
from checks.evidence import compiled
from checks.observe import (
    Failed,
    Missing,
    OutOfTime,
    Waits,
    an,
    array_of,
    class_name,
    compare,
    is_bare,
    observed,
    text_of,
)
from checks.pictures import draw_weights as draw_weights
from checks.pictures import live as live
from checks.pictures import live_regions as live_regions
from checks.pictures import show_figure as show_figure
from checks.programs import LARGEST, Choices, Pairs, Program, Unfit
from checks.progress import show_progress
from checks.section import CHECK_SECONDS, PROGRAM_SECONDS, SCALAR, Score, Section, Trial, Workaround, Workshop, literal

MOST_PARAMETERS = 1000  # of a learner's module that are looked at
WORKSHOP = Workshop()


def progress() -> None:
    """Show the points of all sections so far, and what is next."""
    show_progress(WORKSHOP)


# ---------------------------------------------------------------- My automatic differentiation

LEAF = Program("a = MyTensor([1.5], requires_grad=True)", ("a.requires_grad",))
UPSTREAM = [
    Program(
        f"a = MyTensor([2.0, 3.0], requires_grad=True)\nb = MyTensor([5.0, 1.5], requires_grad=True)\n{code}\n"
        "y.backward(MyTensor([0.5, 1.5]))",
        ("a.grad", "b.grad"),
    )
    for code in ("y = a + b", "y = a * b", "u = a * b\ny = u * a")
]
FLAG = Workaround(
    (LEAF,),
    r"^( *)(\w+) = MyTensor\((.*), requires_grad=True\)$",
    r"\1\2 = MyTensor(\3)\n\1\2.requires_grad = True",
)
BASE = Workaround(tuple(UPSTREAM), r"^( *\w+)\.backward\(.+\)$", r"\1.backward()")
TENSOR = Section(
    "tensor",
    "My automatic differentiation",
    "tests.test_tensor_class(MyTensor)",
    workshop=WORKSHOP,
    workarounds=[FLAG, BASE],
)


# -------- random programs of tensors

SYMBOLS = "+-*/"
# The shape of the results of a program, and those of its leaves.
STRETCHED = {(2,): [(2,), (1,), ()], (2, 3): [(2, 3), (3,), (2, 1), (1, 3), ()], (): [()]}
TWO = "a = MyTensor([2.0, 3.0], requires_grad=True)\nb = MyTensor([5.0, -1.5], requires_grad=True)\n"
GIVEN = "g = MyTensor([0.5, 1.5])\n"
MATRICES = "a = MyTensor([[2.0, 3.0], [0.5, 4.0]], requires_grad=True)\n"
MATRICES += "b = MyTensor([[5.0, -1.5], [2.5, 3.0]], requires_grad=True)\n"


def alone(code: str, *see: str, base: str = "g") -> Program:
    """A program of a single operation, which goes backward."""
    return Program(f"{TWO}{GIVEN}y = {code}\ny.backward({base})", ("y", "hasattr(y, 'backward')", *see))


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


def parts_that_work(trial: Trial) -> set[str]:
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


def shapes(trial: Trial, *wanted: tuple[int, ...]) -> list[tuple[int, ...]]:
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


def differentiates(trial: Trial, symbol: str) -> bool:
    """Whether an operator and its gradients are right alone, for vectors and for matrices."""
    return all(trial.right([program])[0] for program in (PARTS[symbol], in_shapes(symbol, (2, 2), (2, 2))))


def operator_that_works(trial: Trial) -> str:
    """The first operator whose value and gradients are right: what looks at the graph need not wait for `+`.

    Raises:
        Waits: when there is none.
    """
    for symbol in operators_that_compute(trial):
        if differentiates(trial, symbol):
            return symbol
    raise Waits("waits for an operator whose value and gradients are right")


def computes(trial: Trial, *codes: str) -> list[bool]:
    """Whether expressions of a and b have the right value, for vectors and for matrices."""
    right = dict.fromkeys(codes, True)
    for made in (TWO, MATRICES):  # what never ends is not tried again: of many such programs only a few are waited for
        left = [code for code in codes if right[code]]
        some = [Program(f"{made}y = {code}", ("y", "hasattr(y, 'backward')")) for code in left]
        right.update(zip(left, trial.right(some), strict=True))
    return [right[code] for code in codes]


def operators_that_compute(trial: Trial) -> str:
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
    return Pairs("", "\n".join([*start, "g = MyTensor([0.5, 1.5])"]), tuple(inner), tuple(outer), tuple(see))


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


@TENSOR.check(1, hints=["NumPy does the work: np.array(data).", "Keep it in self.__data and give it back in data."])
def create(trial: Trial) -> None:
    """A tensor holds the numbers it is given"""
    for data in ("[1.5, 2.5]", literal(trial.draw(2, 3)), f"np.array({literal(trial.draw(3))})"):
        trial.expect(f"t = MyTensor({data})", t=np.array(eval(data), dtype=np.float64))


@TENSOR.check(
    0.5,
    needs=["create"],
    hints=["np.array takes lists, tuples and single numbers alike: does your test of the type let them through?"],
)
def kinds(trial: Trial) -> None:
    """So it does with tuples, single numbers, NumPy's numbers, whole numbers"""
    for data in ("1.5", "2", "np.float32(0.5)", "np.int64(3)", "[1, 2]", "(1.5, 2)", "((1.5, 2.5), [3.5, 4.5])"):
        with trial.means({TypeError: "kinds-refused", ValueError: "kinds-refused"}):
            trial.expect(f"t = MyTensor({data})", t=np.array(eval(data), dtype=np.float64))


@TENSOR.check(
    1, needs=["create"], hints=["np.array(data, dtype=dtype): None lets NumPy choose.", "self.dtype is the array's."]
)
def types(trial: Trial) -> None:
    """dtype is the array's: the one that was asked for, else NumPy's choice"""
    for data, asked in (("[1.5, 2.5]", "float32"), ("[1, 2]", "float64"), ("np.array([1.5, 2.5])", "float32")):
        code = f"t = MyTensor({data}, dtype=np.{asked})\nname = np.dtype(t.dtype).name"
        with trial.case():
            means = {"t.data.dtype.name": "dtype-ignored", "name": "dtype-attribute"}
            trial.see(trial.run(code), dict.fromkeys(means, asked), code, means)
        code = f"t = MyTensor({data}, dtype=np.{asked}, requires_grad=True)\nname = t.data.dtype.name"
        with trial.case():
            trial.see(trial.run(code), {"name": asked}, code, {"name": "dtype-ignored"})
    if trial.first is None:
        means = {"t.data.dtype.name": "dtype-not-kept", "name": "dtype-attribute"}
        # Whoever computes in float32 throughout has chosen, too.
        usual = "float32" if trial.run("usual = MyTensor([2.5]).data.dtype.name")["usual"] == "float32" else "float64"
        for data in ("np.array([1.5, 2.5], dtype=np.float32)", "np.array([1.5, 2.5])", "[1.5, 2.5]"):
            code = f"t = MyTensor({data})\nname = np.dtype(t.dtype).name"
            with trial.case():
                expected = "float32" if "float32" in data else usual
                trial.see(trial.run(code), dict.fromkeys(means, expected), code, means)
            if usual == "float32":  # which the imitation of mistakes does not know
                del trial.evidence[-2:]


@TENSOR.check(
    0.5,
    needs=["create"],
    hints=["isinstance(data, (list, tuple, np.ndarray, np.number, int, float))", "raise TypeError('what is wrong')"],
)
def refuse(trial: Trial) -> None:
    """Anything but numbers raises TypeError"""
    for data in ('"text"', "None", '{"a": 1}'):
        lines = ["try:", f"    MyTensor({data})", "except TypeError:", "    refused = True"]
        code = "\n".join([*lines, "else:", "    refused = False"])
        with trial.means({Exception: "wrong-exception"}):
            trial.see(trial.run(code), {"refused": True}, code, {"refused": "accepts-anything"})


@TENSOR.check(
    1,
    needs=["create"],
    hints=[
        "shape is given as an example of a property.",
        "NumPy arrays have shape, strides and size: hand them on.",
    ],
)
def attributes(trial: Trial) -> None:
    """shape, strides, size, grad, backward_op and requires_grad of a new tensor"""
    code = f"t = MyTensor({literal(trial.draw(2, 3))})"
    variables = trial.run(code)
    expected = {"t.shape": (2, 3), "t.size": 6, "t.grad": None, "t.backward_op": None, "t.requires_grad": False}
    means = {"t.grad": "grad-not-none", "t.requires_grad": "requires-grad-ignored"}
    with trial.case():
        trial.see(variables, expected, code, means)
    with trial.clock.learner_code(trial.seconds):
        width = int(variables["t"].data.itemsize)
    with trial.case():
        trial.see(variables, {"t.strides": (3 * width, width)}, code)
    if width != 8:  # the imitation of mistakes knows float64 only
        trial.evidence.pop()
    code = "t = MyTensor([1.5, 2.5], requires_grad=True)"
    with trial.case():
        trial.see(trial.run(code), {"t.requires_grad": True, "t.grad": None, "t.backward_op": None}, code, means)
    for name in ("data", "shape", "strides", "size"):
        lines = ["t = MyTensor([1.5, 2.5])", "try:", f"    t.{name} = t.{name}", "except AttributeError:"]
        code = "\n".join([*lines, "    read_only = True", "else:", "    read_only = False"])
        with trial.case():
            trial.see(trial.run(code), {"read_only": True}, code, {"read_only": "property-writable"})


@TENSOR.check(0.5, needs=["create"], hints=["An f-string puts values into text: f'{self.__data}'."])
def printing(trial: Trial) -> None:
    """repr shows the values and requires_grad"""
    code = "flagged = MyTensor([1.5, -2.5], requires_grad=True)\n"
    code += "plain, with_gradient = repr(MyTensor([1.5, -2.5])), repr(flagged)"
    variables = trial.run(code, see="print(plain, with_gradient)")
    plain, with_gradient = str.__str__(variables["plain"]), str.__str__(variables["with_gradient"])
    if "not written yet" in plain:
        raise Missing("repr is not written yet")
    if "1.5" not in plain or "-2.5" not in plain:
        shown = text_of(plain)
        raise Failed(f"repr gives {shown}", "the values, 1.5 and -2.5, in the text", mistake="repr-without-values")
    trial.see(variables, {"flagged.requires_grad": True}, code, {"flagged.requires_grad": "requires-grad-ignored"})
    if plain == with_gradient:
        shown = text_of(plain)
        expected = "a text that also shows requires_grad"
        raise Failed(f"repr gives {shown} for both", expected, mistake="repr-without-requires-grad")


@TENSOR.check(
    1,
    needs=["create"],
    hints=[
        "Python calls __getitem__(index) and __setitem__(index, value).",
        "Hand the index on to the array.",
        "data gives the array itself: who writes into that, writes into the tensor.",
    ],
)
def indexing(trial: Trial) -> None:
    """t[1, 0] reads plain NumPy values and t[1, 2] = 9.5 writes"""
    numbers = trial.draw(2, 3)
    code = f"t = MyTensor({literal(numbers)})"
    variables = trial.run(code)
    with trial.case():
        trial.see(variables, {"t[1, 0]": numbers[1, 0], "t[0]": numbers[0].copy()}, code)
        for expression in ("t[1, 0]", "t[0]"):
            trial.snippet = f"{code}\n{expression}"
            with trial.clock.learner_code(trial.seconds):
                found = eval(compiled(expression, "eval"), variables)
            if not is_bare(found):
                got = f"{expression} is {an(class_name(found))}"
                raise Failed(got, "plain NumPy values", mistake="index-gives-tensor")
    numbers[1, 2] = 9.5
    trial.expect(f"{code}\nt[1, 2] = 9.5", t=numbers)
    if trial.first is None:
        code = "t = MyTensor([1.5, 2.5])\nt.data[0] = 9.5"  # which is how an optimizer changes it
        trial.see(trial.run(code), {"t.data": np.array([9.5, 2.5])}, code, {"t.data": "data-is-copy"})


def operator(name: str, symbol: str, reflected: str, *hints: str) -> None:
    """The three checks of a binary operator: its value, its gradients, and numbers on either side."""
    code = f"y = a {symbol} b"

    @TENSOR.check(1, id=name, title=f"The value of a {symbol} b", needs=["create"])
    def value(trial: Trial) -> None:
        for shape in shapes(trial, (), (2,), (2, 3)):
            a, b = literal(trial.draw(*shape)), literal(trial.draw(*shape))
            trial.same(f"a = MyTensor({a})\nb = MyTensor({b})\n{code}", "y")
        trial.same(f"a = MyTensor([1, 2])\nb = MyTensor([4, 3])\n{code}", "y")

    @TENSOR.check(1, id=f"{name}_gradient", title=f"The gradients of a {symbol} b", needs=[name], hints=hints)
    def gradient(trial: Trial) -> None:
        trial.gradients(code, *({"a": shape, "b": shape} for shape in ((), (2,), (2, 3))))

    @TENSOR.check(
        0.5,
        id=f"{name}_numbers",
        title=f"Numbers on either side: a {symbol} 2, 2 {symbol} a",
        needs=[f"{name}_gradient"],
        hints=[
            f"Which one fails? Python computes 2 {symbol} a by asking the right operand: a.{reflected}(2).",
            f"Turn the number into a MyTensor first; mind which operand stands left in 2 {symbol} a.",
        ],
    )
    def numbers(trial: Trial) -> None:
        trial.same(f"y = MyTensor([1, 2]) {symbol} 0.5", "y")
        trial.same(f"y = 0.5 {symbol} MyTensor([1, 2])", "y")
        for number in ("2", "0.5"):
            trial.gradients(f"y = a {symbol} {number}", {"a": (2,)})
            trial.gradients(f"y = {number} {symbol} a", {"a": (2,)})


operator(
    "add",
    "+",
    "__radd__",
    "add_deriv is given, and calls unbroadcast: for equal shapes that returns the gradient as it is.",
    "backward calls the rule, and keeps what it returns on the leaves.",
)


@TENSOR.check(0.5, needs=["create"], hints=["requires_grad of the result: left.requires_grad or right.requires_grad."])
def flag(trial: Trial) -> None:
    """A result requires a gradient when an input does"""
    symbol = operators_that_compute(trial)[0]
    for a, b in ((True, False), (False, True), (True, True), (False, False)):
        code = f"a = MyTensor([1.5], requires_grad={a})\nb = MyTensor([2.5], requires_grad={b})\ny = a {symbol} b"
        code = trial.adapted(code)
        with trial.case():
            trial.see(trial.run(code), {"y.requires_grad": a or b}, code)


@TENSOR.check(
    0.5, needs=["create"], hints=["backward_op is for results that require a gradient; on all others it stays None."]
)
def records(trial: Trial) -> None:
    """Recorded is what requires a gradient, and nothing else"""
    symbol = operators_that_compute(trial)[0]
    operations = ["a + b", "a - b", "a * b", "a / b", "a ** 2", "a + 2", "2 * a", "-a"]
    for operation in itertools.compress(operations, computes(trial, *operations)):
        code = f"a = MyTensor([1.5])\nb = MyTensor([2.5])\ny = {operation}"
        with trial.case():
            variables = trial.run(code)
            always = "number-requires-grad" if operation in ("a + 2", "2 * a") else "requires-grad-always"
            means = {"y.requires_grad": always, "y.backward_op is None": "recorded-without-need"}
            trial.see(variables, {"y.requires_grad": False, "y.backward_op is None": True}, code, means)
    code = f"a = MyTensor([1.5], requires_grad=True)\nb = MyTensor([2.5], requires_grad=True)\ny = a {symbol} b"
    code = trial.adapted(code)
    with trial.case():
        variables = trial.run(code, see="y.backward_op")
        with trial.clock.learner_code(trial.seconds):
            lacks = variables["y"].backward_op is None
        trial.observe(code, "y.backward_op is None", False, lacks, not lacks)
        if lacks:
            raise Failed("y requires a gradient, but its backward_op is None", "the operation that made y")
    if trial.first is None:
        code = "a = MyTensor([1.5])\nbefore = a.grad\na.backward(MyTensor([0.5]))"
        with trial.means({Exception: "backward-without-grad"}):
            variables = trial.run(code)
        means = {"a.grad": "backward-without-grad"} if variables["before"] is None else None
        trial.see(variables, {"a.grad": None}, code, means)


operator(
    "sub",
    "-",
    "__rsub__",
    "Nudge b up: a - b goes down.",
    "d(a-b)/da = 1, d(a-b)/db = -1, times the upstream gradient.",
)
operator(
    "mul",
    "*",
    "__rmul__",
    "How fast does a * b grow when a grows?",
    "d(ab)/da = b, d(ab)/db = a, times the upstream gradient.",
)
operator(
    "div",
    "/",
    "__rtruediv__",
    "Write a / b as a * b**-1.",
    "d(a/b)/da = 1/b, d(a/b)/db = -a/b**2, times the upstream gradient.",
)


@TENSOR.check(0.5, needs=["create"])
def power(trial: Trial) -> None:
    """The value of a ** 2, a ** -1, a ** 0.5"""
    for exponent in (2, 3, -1, 0.5):
        trial.same(f"a = MyTensor({literal(trial.draw(2, positive=True))})\ny = a ** {exponent}", "y")


@TENSOR.check(
    1,
    needs=["power"],
    hints=[
        "The power drops by one.",
        "d(a**n)/da = n * a**(n-1), times the upstream gradient.",
    ],
)
def power_gradient(trial: Trial) -> None:
    """The gradient of a ** n"""
    for exponent in (2, 3, -1, 0.5, 1):
        a = trial.draw(2, positive=True) * ([1, 1] if exponent == 0.5 else [-1, 1])  # a sign that gets lost shows
        trial.gradients(f"y = a ** {exponent}", {"a": a})


@TENSOR.check(
    0.5,
    needs=["power_gradient"],
    hints=[
        "a**0 is 1 everywhere: how does that change with a?",
        "0 * a**-1 divides by 0 at a = 0. Where the power is 0, return zeros.",
    ],
)
def power_zero(trial: Trial) -> None:
    """The gradient of a ** 0 is 0; at a = 0 the rule holds, too"""
    for exponent in (0, 2, 1):
        trial.gradients(f"y = a ** {exponent}", {"a": [1.5, 0.0]})


@TENSOR.check(1, needs=["create"], hints=["__neg__: -a is a * -1."])
def negative(trial: Trial) -> None:
    """Unary minus: -a"""
    trial.gradients("y = -a", {"a": (2,)}, {"a": (2, 3)})


@TENSOR.check(
    1,
    needs=["create"],
    hints=[
        "NumPy repeated b for every row: every row sends a gradient back.",
        "Sum the gradient over the axes that b did not have, so that it gets b's shape.",
    ],
)
def broadcast_new_axes(trial: Trial) -> None:
    """Broadcasting over new axes: (2, 3) + (3,)"""
    y = f"y = a {operator_that_works(trial)} b"
    trial.gradients(y, {"a": (2, 3), "b": (3,)}, {"a": (3,), "b": (2, 3)}, {"a": (2, 3), "b": ()})
    trial.gradients(y, {"a": (2, 2, 3), "b": (2, 3)}, {"a": (3,), "b": (2, 2, 3)})


@TENSOR.check(
    1,
    needs=["create"],
    hints=[
        "Which axes were stretched from 1 to something longer?",
        "Sum over them with keepdims=True, so that the axis stays with length 1.",
    ],
)
def broadcast_length_one(trial: Trial) -> None:
    """Broadcasting over axes of length 1: (3, 1) + (3, 4)"""
    y = f"y = a {operator_that_works(trial)} b"
    trial.gradients(y, {"a": (1,), "b": (2,)}, {"a": (2, 1), "b": (2, 2)}, {"a": (2, 2), "b": (1, 2)})
    trial.gradients(y, {"a": (3, 1), "b": (3, 4)}, {"a": (3, 1), "b": (1, 2)})
    trial.gradients(y, {"a": (1, 1), "b": (3, 4)})
    trial.gradients(y, {"a": (2, 1, 3), "b": (2, 4, 1)})


@TENSOR.check(
    0.5,
    needs=["broadcast_new_axes", "broadcast_length_one"],
    hints=["Every rule of a binary operator ends with unbroadcast(gradient, shape of the operand)."],
)
def broadcast_operators(trial: Trial) -> None:
    """Broadcasting over both at once, and with -, * and /"""
    usual = operator_that_works(trial)
    for one, other in (((1, 3), (3,)), ((2, 1), (4, 2, 3)), ((3, 2, 2), (1, 2))):
        trial.gradients(f"y = a {usual} b", {"a": one, "b": other})
    others = [each for each in operators_that_compute(trial) if each != usual and differentiates(trial, each)]
    if not others:
        raise Waits("waits for a second operator whose value and gradients are right")
    for symbol in others:
        trial.gradients(f"y = a {symbol} b", {"a": (2, 3), "b": (3,)}, {"a": (3, 1), "b": (3, 2)})


@TENSOR.check(0.5, needs=["create"], hints=["Skip every input whose requires_grad is False."])
def constants(trial: Trial) -> None:
    """Constants get no gradient"""
    y = f"y = a {operator_that_works(trial)} c"
    trial.gradients(y, {"a": (2,)}, constants={"c": trial.draw(2)})
    code = f"a = MyTensor([1.5], requires_grad=True)\nc = MyTensor([2.5])\n{y}\ny.backward(MyTensor([0.5]))"
    code = trial.adapted(code)
    trial.see(trial.run(code), {"c.grad": None}, code)


@TENSOR.check(
    1,
    needs=["create"],
    hints=["The walk starts with base.data, or with np.ones(self.shape) where there is no base."],
)
def upstream(trial: Trial) -> None:
    """backward(base) starts from base, backward() from ones in the shape of the output"""
    symbol = operator_that_works(trial)
    for shape in shapes(trial, (), (2,), (2, 3)):
        a, b, base = (literal(trial.draw(*shape)) for _ in range(3))
        code = f"a = MyTensor({a}, requires_grad=True)\nb = MyTensor({b}, requires_grad=True)\ny = a {symbol} b"
        with trial.case():
            given = trial.adapted(f"{code}\ny.backward(MyTensor({base}))", but=BASE)
            trial.see(trial.run(given), oracle.values(given, ("a.grad",)), given)
        # With an upstream gradient given, all was well.
        with trial.case(), trial.means({Exception: "upstream-wrong-shape"}):
            code = trial.adapted(f"{code}\ny.backward()")
            means = {"a.grad": "upstream-wrong-shape"}
            trial.see(trial.run(code), oracle.values(code, ("a.grad",)), code, means)


@TENSOR.check(
    0.5,
    needs=["create"],
    hints=[
        "In y = a + a, a reaches y on two paths.",
        "Add the contributions, and hand a tensor's gradient on only when all its consumers have sent theirs.",
    ],
)
def paths(trial: Trial) -> None:
    """A tensor used twice gets the sum over its paths"""
    symbol = operator_that_works(trial)
    for code in (
        "y = a + a",
        "b = a + a\ny = b + b",
        "b = a + a\nc = b + a\ny = c + b",
        "b = a + a\nc = b + a\ny = b + c",
    ):
        trial.gradients(code.replace("+", symbol), {"a": ()}, {"a": (2,)})
    for code in ("b = a + k\nc = a + a\ny = b + c", "b = a + k\nc = a + a\ny = c + b"):
        trial.gradients(code.replace("+", symbol), {"a": (), "k": ()}, {"a": (2,), "k": (2,)})
    if symbol == "+" and trial.right([PARTS["-"]])[0]:  # contributions whose sum is 0
        trial.gradients("y = a - a", {"a": ()}, {"a": (2,)})
        trial.gradients("b = a - a\nc = a + k\ny = b + c", {"a": (), "k": ()})
        trial.gradients("b = a - a\nc = a + k\ny = c + b", {"a": (), "k": ()})


@TENSOR.check(
    0.5,
    needs=["paths"],
    hints=[
        "Count how often a tensor is used: a + a uses it twice. It hands on what it has when all uses have sent theirs."
    ],
)
def late_use(trial: Trial) -> None:
    """So it does where one of the uses is far away"""
    symbol = operator_that_works(trial)
    for last in ("y = b + c", "y = c + b"):
        code = f"u = a + k\nd = u + k\ne = d + k\nb = e + k\nc = u + u\n{last}"
        trial.gradients(code.replace("+", symbol), {"a": (), "k": ()}, {"a": (2,), "k": (2,)})


@TENSOR.check(
    1,
    needs=["create"],
    hints=["Test `grad is None`: a gradient of 0 is a gradient.", "new grad = old grad + contribution"],
)
def accumulate(trial: Trial) -> None:
    """A second backward() adds to the gradient"""
    symbol = operator_that_works(trial)
    for first, second in ((1.0, -1.0), tuple(trial.draw(2).tolist())):
        code = "a = MyTensor([1.5, 2.5], requires_grad=True)\nb = MyTensor([3.5, 4.5], requires_grad=True)\n"
        code += f"y = a {symbol} b\ny.backward(MyTensor({[first] * 2}))\n"
        again = f"z = a {symbol} b\nz.backward(MyTensor({[second] * 2}))"
        trial.same(code + again, "a.grad")
        trial.same(f"{code}{again}\nz = a {symbol} b\nz.backward(MyTensor({[first] * 2}))", "a.grad")


@TENSOR.check(
    1,
    needs=["accumulate"],
    hints=[
        "Run the snippet line by line: after which backward() is a gradient wrong for the first time?",
        "Each walk keeps its gradients in a dictionary of its own, and leaves the graph as it is.",
    ],
    any_program=True,
)
def walk_again(trial: Trial) -> None:
    """A graph may be walked again, and graphs may share tensors"""
    works = parts_that_work(trial)
    operator_that_works(trial)
    trial.programs(lambda choices: again(choices, works), given=lambda choices: again(choices, works, first_only=True))


@TENSOR.check(
    0.5,
    needs=["create"],
    hints=["Only leaves keep what arrives; on all others grad stays None.", "A leaf is a tensor without backward_op."],
)
def leaves_only(trial: Trial) -> None:
    """Only leaves keep a gradient; backward() of a leaf gives it the upstream gradient"""
    symbol = operator_that_works(trial)
    code = f"a = MyTensor([1.5, 2.5], requires_grad=True)\ng = MyTensor({literal(trial.draw(2))})\n"
    walked = trial.adapted(f"{code}u = a {symbol} a\ny = u {symbol} a\ny.backward(g)")
    starts_with_none = trial.right([PARTS["none yet"]])[0]
    means = dict.fromkeys(("u.grad", "y.grad"), "inner-gradient-kept") if starts_with_none else None
    with trial.case():
        trial.see(trial.run(walked), {"u.grad": None, "y.grad": None}, walked, means)
    trial.same(f"{code}a.backward(g)", "a.grad")


@TENSOR.check(
    1,
    needs=["create"],
    hints=[
        "Which arrays does it write into? `array -= 1` and `out=` change the array they are given.",
        "Make a new one.",
    ],
    seconds=PROGRAM_SECONDS,  # those that never end are all waited for
)
def untouched(trial: Trial) -> None:
    """Nothing that is handed in is changed: operands, upstream gradient, arrays"""
    operations = ["a + b", "a - b", "a * b", "a / b", "a ** 2", "a ** 3", "-a", "a + 2.5", "2.5 - a", "2.5 / a"]
    if not any(known := computes(trial, *operations)):
        raise Waits("waits for an operation whose value is right")
    ran = False
    for code in itertools.compress(operations, known):
        numbers = trial.draw(3, 2)
        lines = [f"array = np.array({literal(numbers[0])})", "a = MyTensor(array, requires_grad=True)"]
        lines += [f"b = MyTensor({literal(numbers[1])}, requires_grad=True)", f"g = MyTensor({literal(numbers[2])})"]
        lines += [f"y = {code}", "y.backward(g)"]
        handed = {"a.data": numbers[0], "b.data": numbers[1], "g.data": numbers[2], "array[:]": numbers[0]}
        code = trial.adapted("\n".join(lines))
        means = dict.fromkeys(handed, "operand-changed") | {"g.data": "upstream-changed"}
        variables = trial.tries(code)
        if variables is None:  # what does not go backward has checks of its own
            continue
        ran = True
        with trial.case():
            trial.see(variables, handed, code, means)
    if not ran:
        raise Waits("waits for an operation that goes backward")


@TENSOR.check(
    1,
    needs=["accumulate"],
    hints=[
        "After `x.grad = g`, `x.grad += 1` changes g too.",
        "Copy before storing: np.array(data) copies, np.asarray(data) does not.",
    ],
)
def independent(trial: Trial) -> None:
    """No two tensors or gradients share memory"""
    symbol = operator_that_works(trial)
    one, two = literal(trial.draw(2)), literal(trial.draw(2))
    code = "a = MyTensor([1.5, 2.5], requires_grad=True)\nb = MyTensor([3.5, 4.5], requires_grad=True)\n"
    code = trial.adapted(f"{code}g = MyTensor({one})\ny = a {symbol} b\ny.backward(g)")
    again = trial.adapted(
        f"c = MyTensor([2.5, 0.5], requires_grad=True)\nz = a {symbol} c\nz.backward(MyTensor({two}))"
    )
    shared = {"a.grad": None, **dict.fromkeys(("b.grad", "g"), "gradient-aliased")}
    # Each on its own: a gradient that is a view of another one shows when that one has changed.
    variables = trial.run(code)
    trial.see(variables, oracle.values(code, tuple(shared)), code)
    trial.run(again, after=code, **variables)
    trial.see(variables, oracle.values(f"{code}\n{again}", tuple(shared)), f"{code}\n{again}", shared)
    variables, write = trial.run(code), "a.grad[0] = 9.5"
    if trial.tries(write, after=code, **variables):  # one that cannot be written into cannot change another one
        shared = {"b.grad": "gradient-aliased", "g": "gradient-aliased"}
        trial.see(variables, oracle.values(code, tuple(shared)), f"{code}\n{write}", shared)
    code = trial.adapted(f"a = MyTensor([1.5, 2.5], requires_grad=True)\ng = MyTensor({one})\na.backward(g)")
    if variables := trial.tries(f"{code}\n{write}"):
        trial.see(variables, oracle.values(code, ("g",)), f"{code}\n{write}", {"g": "gradient-aliased"})
    code = "a = MyTensor([1.5, 2.5], requires_grad=True)\nb = MyTensor([3.5, 4.5], requires_grad=True)\n"
    code = trial.adapted(f"{code}y = a {symbol} b\ny.backward()")
    variables = trial.tries(code)
    if variables is None:  # not writing is what matters here: "upstream" has looked at this
        return
    trial.writeable("a.grad", code, variables)
    with trial.means({ValueError: "gradient-read-only"}):
        trial.run(f"y = a {symbol} b\ny.backward()", after=code, **variables)
    for array in ("array = np.array([1.5, 2.5])", "array = np.array([1.5, 2.5], dtype=np.float32)"):
        code = f"{array}\nt = MyTensor(array)\narray[0] = 9.5"
        trial.see(trial.run(code), {"t.data": np.array([1.5, 2.5])}, code, {"t.data": "array-not-copied"})
    results = ("a + 0", "0 + a", "a - 0", "a * 1", "1 * a", "a / 1", "a ** 1")
    right = itertools.compress(results, computes(trial, *results))
    for code, flag in itertools.product(right, (", requires_grad=True", "")):
        code = trial.adapted(f"a = MyTensor([1.5, 2.5]{flag})\ny = {code}\ny.data[0] = 9.5")
        if variables := trial.tries(code):
            trial.see(variables, {"a.data": np.array([1.5, 2.5])}, code, {"a.data": "result-aliased"})


@TENSOR.check(
    1,
    needs=["paths"],
    hints=[
        "With 40 shared tensors in a row there are 2**40 paths: visit tensors, not paths.",
        "Python's recursion ends at about 1,000 calls: use a loop and a list.",
        "Count each tensor's consumers, or sort the graph first (topological order).",
    ],
    seconds=2.0,
)
def visited_once(trial: Trial) -> None:
    """Shared work is done once, however deep the graph"""
    symbol = operator_that_works(trial)
    for rung, count, error, mistake in (
        ("y + y", 40, OutOfTime, "path-by-path"),
        ("(y + c) + (y + c)", 30, OutOfTime, "path-by-path"),
        ("y + c", 2000, RecursionError, "recursion-limit"),
    ):
        if trial.first is None:
            ladder(trial, rung.replace("+", symbol), count, error, mistake)


def ladder(trial: Trial, rung: str, count: int, error: type[BaseException], mistake: str) -> None:
    """A graph of so many operations in a row; `mistake` is what `error` in its backward() means."""
    leaves = ["c", "x"] if "c" in rung else ["x"]
    code = "\n".join(f"{leaf} = MyTensor([1.0, 1.0], requires_grad=True)" for leaf in leaves)
    code = trial.adapted(f"{code}\ny = x\nfor _ in range({count}):\n    y = {rung}")
    backward = trial.adapted("y.backward(MyTensor([1.0, 2.0]))")
    with trial.case():
        quick, trial.seconds = trial.seconds, CHECK_SECONDS
        try:
            variables = trial.run(code)  # how long it takes to build the graph is not judged
        finally:
            trial.seconds = quick
        enough = trial.clock.left >= trial.seconds  # else it may be the time that earlier checks took
        with trial.means({error: mistake} if enough else {}):
            trial.run(backward, after=code, **variables)
        trial.see(variables, oracle.values(f"{code}\n{backward}", ("x.grad",)), f"{code}\n{backward}")


@TENSOR.check(
    10,
    needs=["create"],
    hints=[
        "Each operation is right alone. Run the snippet line by line: which tensor is the first that is wrong?",
        "Then shorten the snippet, as long as it stays wrong.",
    ],
    any_program=True,
)
def programs(trial: Trial) -> None:
    """Any program: random compositions of what works alone"""
    operator_that_works(trial)
    works = parts_that_work(trial)
    if len(operators_that_compute(trial)) < 3 or not works & {*SYMBOLS}:
        raise Waits("waits for at least three of the operators + - * /, and the gradients of one")
    trial.pairs(pairs(works))
    if trial.first is None:
        trial.programs(lambda choices: once(choices, works))


def test_tensor_class(MyTensor: Any, seed: int | None = None) -> Score:
    """My automatic differentiation: 40 points."""
    return TENSOR.score(seed, MyTensor=MyTensor)


# ---------------------------------------------------------------- PyTorch architecture

MODULE = Section(
    "module",
    "PyTorch architecture",
    "tests.test_my_module(MyModule, MyTensor, Parameter)",
    builds_on=[(TENSOR, ["create"])],
    workshop=WORKSHOP,
)


def parameters_are(
    trial: Trial,
    code: str,
    *expected: list[float],
    inner: Sequence[list[float]] = (),
    fewer: str | None = None,
    more: str | None = None,
    other: str | None = None,
) -> None:
    """`m.parameters()` holds each expected parameter once, in any order (they are told apart by their values).

    `inner` are expected, too: those of sub-modules. `fewer`, `more` and `other` name the mistake that a list with some
    left out, one with others beside them, or any other one comes from.
    """
    with trial.case():
        variables = trial.run(code, see="m.parameters()")
        with trial.clock.learner_code(trial.seconds):
            found = variables["m"].parameters()
            if found is None:
                raise Missing("parameters() returned None: not written yet")
            found = listed(found)
            strange = [item for item in found if not hasattr(item, "tensor")]
            if strange:
                got = f"parameters() holds {text_of(strange[0], 80)}"
                raise Failed(got, "objects of class Parameter", mistake="parameters-not-parameters")
            values = sorted((array_of(parameter.tensor, "a parameter").tolist() for parameter in found), key=repr)
        wanted = sorted([*expected, *inner], key=repr)
        trial.observe(code, "held(m.parameters())", repr(wanted), repr(values), values == wanted)
        if values != wanted:
            all_of_them, there = Counter(map(repr, wanted)), Counter(map(repr, values))
            if there < all_of_them:
                mistake = used_up(trial) or (left_out(there, expected, inner) if inner else fewer if values else None)
            else:
                mistake = left_over(trial) or (more if all_of_them < there else other)
            raise Failed(f"parameters holding {values}", f"parameters holding {wanted}", mistake=mistake)


def left_out(there: Counter[str], own: Sequence[list[float]], inner: Sequence[list[float]]) -> str | None:
    """The mistake to list only these of a module's own parameters and those of its sub-modules."""
    own_there, inner_there = (Counter(map(repr, some)) & there for some in (own, inner))
    if own_there.total() == len(own):
        return "parameters-some-modules" if inner_there else "parameters-nested-missing"
    return "parameters-own-missing" if inner_there.total() == len(inner) and not own_there else None


def used_up(trial: Trial) -> str | None:
    """The mistake that a call of parameters() leaves less for the next one."""
    lines = ["m = MyModule()", "m.inner = MyModule()", "m.own = Parameter(MyTensor([7.5]))"]
    lines += ["first, second = list(m.parameters()), list(m.parameters())"]
    found = trial.beside(trial.seconds).tries("\n".join([*lines, "fewer = len(second) < len(first)"]))
    return "parameters-used-up" if found and found["fewer"] else None


def left_over(trial: Trial) -> str | None:
    """The mistake to list what is another module's, or what was listed before."""
    lines = ["m, n = MyModule(), MyModule()", "m.own = Parameter(MyTensor([7.5]))"]
    lines += ["shared = any(p is m.own for p in n.parameters())"]
    lines += ["first, second = list(m.parameters()), list(m.parameters())"]
    lines += ["kept = len(first) != len(second) or any(p is not m.own for p in first)"]
    found = trial.beside(trial.seconds).tries("\n".join(lines))
    if found is None:
        return None
    if found["shared"]:
        return "parameters-of-all-modules"
    return "parameters-kept-between-calls" if found["kept"] else None


def items(values: Any, most: int) -> list[Any] | None:
    """The first elements of a learner's list, or None where it is nothing to walk through."""
    try:
        walk = iter(values)
    except TypeError:
        return None
    return list(itertools.islice(walk, most))


def listed(parameters: Any) -> list[Any]:
    """Parameters of a learner: no more than can be looked at.

    Raises:
        Failed: when it is no list of anything, or too long.
    """
    found = items(parameters, MOST_PARAMETERS + 1)
    if found is None:
        got = f"parameters() gives {text_of(parameters, 60)}"
        raise Failed(got, "a list of objects of class Parameter", mistake="parameters-not-parameters")
    if len(found) > MOST_PARAMETERS:
        raise Failed(f"parameters() gives more than {MOST_PARAMETERS:,} objects")
    return found


PARAMETERS = "m = MyModule()\nm.first = Parameter(MyTensor([1.5]))\nm.second = Parameter(MyTensor([2.5, 3.5]))"
NESTED = f"{PARAMETERS}\nm.inner = MyModule()\nm.inner.third = Parameter(MyTensor([4.5]))"
DEEP = f"{NESTED}\nm.inner.inner = MyModule()\nm.inner.inner.fourth = Parameter(MyTensor([5.5]))"
BESIDE = f"{NESTED}\nm.other = MyModule()\nm.other.fourth = Parameter(MyTensor([5.5]))"
ALIKE = """\
m = MyModule()
m.first = Parameter(MyTensor([1.5]))
m.inner = MyModule()
m.inner.{name} = Parameter(MyTensor([{value}]))"""
TIED = f"{NESTED}\nm.again = m.inner\nm.inner.tied = m.first"
AGAIN_FIRST = "m.first = Parameter(MyTensor([6.5]))"
AGAIN_INNER = "m.inner = MyModule()\nm.inner.first = Parameter(MyTensor([5.5]))"
HELD_BY_M = "held = repr(sorted([parameter.tensor.data.tolist() for parameter in m.parameters()]))"
# What a tree of modules may have, when it works alone.
TREES = {
    name: Program(f"{code}\n{HELD_BY_M}", ("held",))
    for name, code in {
        "nested": BESIDE,
        "deep": DEEP,
        "shared": TIED,
        "replaced": f"{NESTED}\nm.parameters()\n{AGAIN_FIRST}\n{AGAIN_INNER}",
        "names": ALIKE.format(name="first", value=2.5),
        "values": ALIKE.format(name="second", value=1.5),
    }.items()
}


def trees_that_work(trial: Trial) -> set[str]:
    """Names of TREES that are listed as PyTorch lists them."""
    return {*itertools.compress(TREES, trial.right([*TREES.values()]))}


@MODULE.check(2.5, hints=["__setattr__ has kept them for you."])
def own(trial: Trial) -> None:
    """parameters() lists the module's own parameters"""
    parameters_are(trial, "m = MyModule()")
    parameters_are(trial, PARAMETERS, [1.5], [2.5, 3.5])


@MODULE.check(1, needs=["own"], hints=["Every sub-module has parameters() too."])
def nested(trial: Trial) -> None:
    """parameters() lists those of sub-modules"""
    parameters_are(trial, NESTED, [1.5], [2.5, 3.5], inner=[[4.5]])
    parameters_are(trial, BESIDE, [1.5], [2.5, 3.5], inner=[[4.5], [5.5]])


@MODULE.check(0.5, needs=["nested"], hints=["Others may have its name and its numbers; id(parameter) is its own."])
def alike(trial: Trial) -> None:
    """Parameters that are alike in name or in value are all listed"""
    for name, value in (("first", 2.5), ("second", 1.5), ("first", 1.5)):
        parameters_are(trial, ALIKE.format(name=name, value=value), [1.5], [value])


@MODULE.check(0.5, needs=["nested"], hints=["Ask sub-modules for theirs: parameters() calls itself."])
def deep(trial: Trial) -> None:
    """parameters() goes down to any depth"""
    parameters_are(trial, DEEP, [1.5], [2.5, 3.5], [4.5], [5.5], fewer="parameters-one-level")


@MODULE.check(0.5, needs=["alike"], hints=["Two names, one object: it is listed once, and all others are, too."])
def shared(trial: Trial) -> None:
    """A shared parameter is listed once"""
    twice = "parameters-shared-twice"
    parameters_are(trial, f"{PARAMETERS}\nm.tied = m.first", [1.5], [2.5, 3.5], more=twice)
    parameters_are(trial, TIED, [1.5], [2.5, 3.5], [4.5], more=twice)
    after = f"{NESTED}\nm.again = m.inner\nm.last = MyModule()\nm.last.fifth = Parameter(MyTensor([6.5]))"
    parameters_are(trial, after, [1.5], [2.5, 3.5], [4.5], [6.5], more=twice)


@MODULE.check(1, needs=["own"], hints=["Keep parameters by name, so that a new one takes the old one's place."])
def reassigned(trial: Trial) -> None:
    """A replaced parameter is forgotten"""
    kept = {"more": "parameters-replaced-kept", "other": "parameters-replaced-kept"}
    parameters_are(trial, f"{PARAMETERS}\n{AGAIN_FIRST}", [2.5, 3.5], [6.5], **kept)
    if trial.right([TREES["nested"]])[0]:
        inner = "m.inner = MyModule()\nm.inner.first = Parameter(MyTensor([{}]))"
        parameters_are(trial, f"m = MyModule()\n{inner.format(1.5)}\n{inner.format(2.5)}", [2.5], **kept)
    if trial.first is None:  # who forgets it else gives back what an earlier call has found
        kept = dict.fromkeys(kept, "parameters-of-first-call")
        parameters_are(trial, f"{PARAMETERS}\nm.parameters()\n{AGAIN_FIRST}", [2.5, 3.5], [6.5], **kept)


@MODULE.check(1.5, hints=["__call__ returns self.forward(x)."])
def calling(trial: Trial) -> None:
    """Calling a module calls its forward"""
    code = "m = MyModule()\nm.forward = MyTensor\ny = m([1.5, 2.5])"
    variables = trial.run(code, see="y")
    if variables["y"] is None:
        raise Failed("m(x) gives None", "what forward gives", mistake="call-returns-nothing")
    trial.see(variables, {"y": np.array([1.5, 2.5])}, code)


def tree(choices: Choices, works: set[str]) -> Program:
    """Modules in modules, parameters that are shared, names that are assigned again, as far as that works alone.

    Args:
        works: the names of TREES that it may use.

    Raises:
        Unfit: when it uses another one.
    """
    lines, modules, parameters = ["m = MyModule()"], ["m"], []
    inside: dict[str, set[str]] = {"m": set()}  # module to all that were ever put below it
    taken: set[tuple[str, str]] = set()  # names of parameters, which PyTorch gives to no module
    places: list[tuple[str, str, str]] = []  # owner, name, what was put there
    for number in range(14):
        kind = choices.below(6)
        if number > 5 and not kind:
            break
        owner, name = choices.of(modules), choices.of("abcde")
        if kind <= 2 and len(parameters) < 5:
            same = choices.below(4) == 3 and len(parameters) > 0 and "values" in works
            value = 1.5 + len(parameters) - same  # two may be alike
            parameters.append("pqrst"[len(parameters)])
            lines.append(f"{parameters[-1]} = Parameter(MyTensor([{value}]))")
            what = parameters[-1]
        elif kind == 3 and len(modules) < 5:
            what = "mnokl"[len(modules)]
            modules.append(what)
            inside[what] = set()
            lines.append(f"{what} = MyModule()")
        elif kind == 4 and parameters:
            what = choices.of(parameters)
        else:
            what = choices.of(modules)
            if owner == what or owner in inside[what]:  # no module is in itself
                continue
        if what not in inside:
            taken.add((owner, name))
        elif (owner, name) in taken:
            continue
        else:
            for module in modules:
                if module == owner or owner in inside[module]:
                    inside[module] |= {what} | inside[what]
        uses = {
            "nested": what in inside,
            "deep": what in inside and owner != "m",
            "shared": any(what == other for _, _, other in places),
            "replaced": any((owner, name) == (module, other) for module, other, _ in places),
            "names": any(name == other for _, other, _ in places),
        }
        if not {feature for feature, used in uses.items() if used} <= works:
            raise Unfit
        places.append((owner, name, what))
        lines.append(f"{owner}.{name} = {what}")
    lines.append(HELD_BY_M)
    return Program("\n".join(lines), ("held",))


@MODULE.check(
    2.5,
    needs=["own"],
    hints=["Draw the tree of modules that the snippet makes. Who is where, and how often?"],
    any_program=True,
)
def any_tree(trial: Trial) -> None:
    """Any tree of modules: random ones, with shared and re-assigned parts"""
    works = trees_that_work(trial)
    if {"nested", "replaced"} <= works:  # a name that goes from a module to a parameter is too rare among random trees
        kept = {"more": "parameters-replaced-kept"}
        parameters_are(trial, f"{NESTED}\nm.inner = Parameter(MyTensor([6.5]))", [1.5], [2.5, 3.5], [6.5], **kept)
    if trial.first is None:
        trial.programs(lambda choices: tree(choices, works), count=30)


def test_my_module(MyModule: Any, MyTensor: Any, Parameter: Any, seed: int | None = None) -> Score:
    """PyTorch architecture: 10 points."""
    return MODULE.score(seed, MyModule=MyModule, MyTensor=MyTensor, Parameter=Parameter)


# ---------------------------------------------------------------- Base layers

MATMUL = Section(
    "matmul",
    "Matrix multiplication",
    "tests.test_matmul(matmul, MyTensor)",
    builds_on=[(TENSOR, ["add_gradient", "paths"])],
    workshop=WORKSHOP,
)


@MATMUL.check(1.25, hints=["NumPy's operator is a.data @ b.data."])
def matmul_value(trial: Trial) -> None:
    """The value of matmul(a, b)"""
    for (n, k), m in (((1, 1), 1), ((1, 2), 1), ((2, 3), 4), ((2, 2), 2)):
        a, b = literal(trial.draw(n, k)), literal(trial.draw(k, m))
        trial.same(f"a = MyTensor({a})\nb = MyTensor({b})\ny = matmul(a, b)", "y")


FACTORS = """\
a = MyTensor([[2.0, 3.0], [0.5, -1.5], [4.0, 2.5]]{})
b = MyTensor([[5.0, 0.5, 1.5, -0.5], [-2.0, 4.0, 3.5, 2.0]]{})
y = matmul(a, b)"""
FACTORS_OF_ONE_SHAPE = """\
a = MyTensor([[2.0, 3.0], [0.5, -1.5]]{})
b = MyTensor([[5.0, 0.5], [-2.0, 4.0]]{})
y = matmul(a, b)"""
PRODUCT = Program(FACTORS.format("", ""), ("y",))
PRODUCT_SHAPE = Program(FACTORS.format("", ""), ("tuple(y.shape) == (3, 4)", "hasattr(y, 'backward')"))
UPSTREAM_OF_PRODUCT = (
    "g = MyTensor([[1.5, 2.5, -0.5, 4.0], [3.0, 0.5, 2.0, 1.0], [-1.5, 2.0, 0.5, 3.5]])\ny.backward(g)"
)
SIDES = [
    [
        Program(f"{FACTORS.format(*flags)}\n{UPSTREAM_OF_PRODUCT}", (see,)),
        Program(f"{FACTORS_OF_ONE_SHAPE.format(*flags)}\ny.backward(MyTensor([[1.5, 2.5], [3.0, 0.5]]))", (see,)),
    ]
    for flags, see in (((", requires_grad=True", ""), "a.grad"), (("", ", requires_grad=True"), "b.grad"))
]


def sides_that_work(trial: Trial) -> tuple[bool, bool]:
    """Whether the gradients of the left and of the right operand are right."""
    left, right = (all(trial.right(some)) for some in SIDES)
    return left, right


def product_is_right(trial: Trial) -> bool:
    """Whether the value of a product is right: gradients can be asked without.

    Raises:
        Waits: when not even its shape is, which an upstream gradient must have.
    """
    right, shaped = trial.right([PRODUCT, PRODUCT_SHAPE])
    if not shaped:
        raise Waits("waits for a product of the right shape")
    return right


@MATMUL.check(
    0.5,
    hints=["Its shape is (n, k), the upstream gradient's (n, m): which product with b fits?", "grad_a = base @ b.T"],
)
def matmul_left(trial: Trial) -> None:
    """The gradient of the left operand"""
    value = product_is_right(trial)
    waits_for_value(value, sides_that_work(trial)[0])
    for (n, k), m in (((1, 2), 1), ((2, 3), 2), ((2, 2), 2), ((3, 3), 3)):
        trial.gradients("y = matmul(a, b)", {"a": (n, k)}, constants={"b": trial.draw(k, m)}, value=value)


@MATMUL.check(
    0.5,
    hints=["Its shape is (k, m), the upstream gradient's (n, m): which product with a fits?", "grad_b = a.T @ base"],
)
def matmul_right(trial: Trial) -> None:
    """The gradient of the right operand"""
    value = product_is_right(trial)
    waits_for_value(value, sides_that_work(trial)[1])
    for (n, k), m in (((1, 2), 1), ((2, 3), 2), ((2, 2), 2), ((3, 3), 3)):
        trial.gradients("y = matmul(a, b)", {"b": (k, m)}, constants={"a": trial.draw(n, k)}, value=value)


@MATMUL.check(
    0.75,
    hints=["In the rule make a row of shape (k,), and its upstream gradient, a matrix with one row: reshape."],
)
def matmul_row(trial: Trial) -> None:
    """One row, (k,) to (m,): its value and its gradients"""
    value = product_is_right(trial)
    left, right = sides_that_work(trial)
    if not (value or left or right):
        raise Waits("waits for the value or a gradient of a product")
    for k, m in ((1, 1), (3, 2), (2, 3)):
        a, b = trial.draw(k), trial.draw(k, m)
        if value:
            trial.same(f"a = MyTensor({literal(a)})\nb = MyTensor({literal(b)})\ny = matmul(a, b)", "y")
        if left:
            trial.gradients("y = matmul(a, b)", {"a": (k,)}, constants={"b": b}, value=value)
        if right:
            trial.gradients("y = matmul(a, b)", {"b": (k, m)}, constants={"a": a}, value=value)


MATRICES_STAY = Program(
    FACTORS.format(*[", requires_grad=True"] * 2) + f"\n{UPSTREAM_OF_PRODUCT}", ("a.data", "b.data", "g.data")
)


@MATMUL.check(0.75, hints=["`array *= ...` and `out=` change the array they are given: compute a new one."])
def matmul_untouched(trial: Trial) -> None:
    """Both operands and the upstream gradient stay as they are"""
    product_is_right(trial)
    left, right = (", requires_grad=True" if works else "" for works in sides_that_work(trial))
    a, b, g = trial.draw(2, 3), trial.draw(3, 2), trial.draw(2, 2)
    code = f"array = np.array({literal(a)})\na = MyTensor(array{left})\nb = MyTensor({literal(b)}{right})\n"
    code += f"g = MyTensor({literal(g)})\ny = matmul(a, b)"
    handed = {"a.data": a, "b.data": b, "array[:]": a}
    means = dict.fromkeys(handed, "operand-changed") | {"g.data": "upstream-changed"}
    if left or right:
        code, handed = f"{code}\ny.backward(g)", handed | {"g.data": g}
    trial.see(trial.run(code), handed, code, means)


def products(choices: Choices, left: bool, right: bool, rows: bool) -> Program:
    """Matrix products, some by the same matrix twice, of batches or of rows.

    Products of products, where values and the gradient of the left operand work alone (`left`); else products of
    constants by matrices that they share. `right` says whether the right operand's gradient works, `rows` whether a row
    does.

    Raises:
        Unfit: when nothing in it asks for a gradient.
    """
    made: list[str] = []
    lines: list[str] = []
    backward: list[str] = []
    leaves: list[str] = []
    handed: list[str] = []

    def tensor(*shape: int, traced: bool) -> str:
        name, traced = "abcdefhkmnopqrst"[len(handed)], traced and choices.below(4) < 3
        handed.append(name)
        if traced:
            leaves.append(name)
        flag = ", requires_grad=True" if traced else ""
        made.append(f"{name} = MyTensor({literal(choices.array(*shape))}{flag})")
        return name

    def back(result: str, *shape: int) -> None:
        base = f"g{len(backward)}"
        made.append(f"{base} = MyTensor({literal(choices.array(*shape))})")
        handed.append(base)
        backward.append(f"{result}.backward({base})")

    size = 1 + choices.below(3)
    many = [] if rows and choices.below(4) == 3 else [1 + choices.below(3)]
    latest = tensor(*many, size, traced=left)
    matrix = ("", 0, 0)  # the last one on the right, and its shape
    for name in "uvwy":
        if name != "y" and not choices.below(3):
            continue
        if matrix[1] != size or not choices.below(2):  # else once more by the same matrix
            following = 1 + choices.below(3)
            matrix = (tensor(size, following, traced=right), size, following)
        lines.append(f"{name} = matmul({latest}, {matrix[0]})")
        if name == "y" or not left:
            back(name, *many, matrix[2])
        if left:
            latest, size = name, matrix[2]
        elif name != "y":
            latest = tensor(*many, size, traced=False)
    if not leaves:
        raise Unfit
    see = [line[0] for line in lines] + [f"{name}.grad" for name in leaves] + [f"{name}.data" for name in handed]
    return Program("\n".join([*made, *lines, *backward]), tuple(see))


@MATMUL.check(
    1.25,
    hints=["Each product alone is right. Run the snippet line by line: which tensor is the first that is wrong?"],
    any_program=True,
)
def any_product(trial: Trial) -> None:
    """Any program: random products, of products and by the same matrix again"""
    value = product_is_right(trial)
    left, right = sides_that_work(trial)
    kept = trial.right([MATRICES_STAY])[0]
    if not (value or right):
        raise Waits("waits for the value of a product, or the gradient of its right operand")
    row = "a = MyTensor([2.0, 3.0])\nb = MyTensor([[5.0], [0.5]], requires_grad=True)\ny = matmul(a, b)\n"
    rows = left and right and trial.right([Program(f"{row}y.backward(MyTensor([1.5]))", ("y", "b.grad"))])[0]

    def some(choices: Choices) -> Program:
        if not (left or right):
            return forward(products(choices, True, True, False))
        program = products(choices, left and value, right, rows)
        seen = (see for see in program.see if (value or len(see) > 1) and (kept or not see.endswith(".data")))
        return replace(program, see=tuple(seen))

    trial.programs(some)


def test_matmul(matmul: Any, MyTensor: Any, seed: int | None = None) -> Score:
    """Matrix multiplication: 5 points."""
    return MATMUL.score(seed, matmul=matmul, MyTensor=MyTensor)


LINEAR = Section(
    "linear",
    "Linear",
    "tests.test_linear(Linear, MyTensor, Parameter)",
    builds_on=[(TENSOR, ["add_gradient", "broadcast_new_axes", "paths"]), (MODULE, []), (MATMUL, [])],
    workshop=WORKSHOP,
)


def weight_and_bias(trial: Trial, layer: Any, inputs: int, outputs: int) -> dict[str, Any]:
    """The tensors of a layer's parameters by name, in their order: weight and bias, told apart by their shapes.

    Any other is `other0`, `other1` and so on.
    """
    with trial.clock.learner_code(trial.seconds):
        found = layer.parameters()
        if found is None:
            raise Missing("layer.parameters() returned None: not written yet")
        tensors = [parameter.tensor for parameter in listed(found)]
        shapes = [array_of(tensor, "a parameter of the layer").shape for tensor in tensors]
    if not shapes:
        if trial.works(lambda scratch: scratch.run("Linear(3, 2)(MyTensor([[1.0, 2.0, 3.0]]))")):
            raise Failed("parameters() of the layer is empty", "weight and bias", mistake="linear-not-registered")
        raise Missing("the layer has no parameters: not written yet")
    named: dict[str, Any] = {}
    for number, (tensor, shape) in enumerate(zip(tensors, shapes, strict=True)):
        name = "bias" if shape in ((outputs,), (1, outputs)) else f"other{number}"
        name = "weight" if shape in ((inputs, outputs), (outputs, inputs)) else name
        named[name if name not in named else f"other{number}"] = tensor
    return named


def not_there(found: dict[str, Any]) -> str | None:
    """The mistake in a layer's parameters: one is missing, or it is there in another shape."""
    missing = [part for part in ("weight", "bias") if part not in found]
    if len(missing) == 1 and len(found) == 1:
        return f"linear-{missing[0]}-missing"
    return "linear-parameter-shape" if missing and len(found) == 2 else None


@dataclass
class Layer:
    """A learner's layer, with numbers in its parameters that were written there.

    Attributes:
        variables, code: what made it, with the name `layer`.
        shown: the same, and the lines that write the numbers.
        weight, bias: its tensors; None where parameters() lists none.
        w, b: what they hold, w in the shape (inputs, outputs), whatever the shape of weight.
    """

    variables: dict[str, Any]
    code: str
    shown: str
    weight: Any
    bias: Any
    w: np.ndarray
    b: np.ndarray


def numbers_felt(
    trial: Trial, name: str, inputs: int, outputs: int, code: str, variables: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Weight, shape (inputs, outputs), and bias of a layer, as its values show them: 0 gives the bias."""
    rows = f"np.vstack([np.zeros({inputs}), np.eye({inputs})])"
    values = trial.read(trial.run(f"y = {name}(MyTensor({rows}))", see="y", after=code, **variables), "y")
    if values.shape != (inputs + 1, outputs):
        raise Failed(f"y has shape {values.shape}", f"y has shape {(inputs + 1, outputs)}")
    return values[1:] - values[0], values[0]


def known_layer(trial: Trial, inputs: int, outputs: int, name: str = "layer", with_bias: bool = False) -> Layer:
    """A new layer into which known numbers are written: what it should give is not taken from what it reports.

    Of a parameter that is not listed, the numbers are those that the layer's values show.
    """
    code = f"{name} = Linear({inputs}, {outputs})"
    shown = f"np.random.seed({trial.rng.integers(1000)})\n{code}"
    variables = trial.run(shown, see=name)
    tensors = weight_and_bias(trial, variables[name], inputs, outputs)
    w, b = trial.draw(inputs, outputs), trial.draw(outputs) if with_bias else np.zeros(outputs)
    lines, numbers = [f"{', '.join(tensors)}{',' * (len(tensors) == 1)} = (p.tensor for p in {name}.parameters())"], {}
    for part in [part for part in ("weight", "bias") if part in tensors]:
        with trial.clock.learner_code(trial.seconds):
            shape = array_of(tensors[part], part).shape
        numbers[part] = b.reshape(shape) if part == "bias" else w if shape == w.shape else w.T
        lines.append(f"{part}.data[...] = {literal(numbers[part])}")
    variables |= trial.run("\n".join(lines), after=shown, **variables)
    shown = "\n".join([shown, *lines])
    for part, written in numbers.items():
        kept = trial.read(variables, part)
        if not np.allclose(kept, written):
            trial.snippet = f"{shown}\n{part}"
            raise Failed(f"the {part} holds\n{kept}", f"what was written into its data:\n{written}")
    if not {"weight", "bias"} <= set(tensors):
        felt = numbers_felt(trial, name, inputs, outputs, shown, variables)
        w, b = w if "weight" in tensors else felt[0], b if "bias" in tensors else felt[1]
    return Layer(variables, code, shown, tensors.get("weight"), tensors.get("bias"), w, b)


@LINEAR.check(
    1, hints=["self.weight = Parameter(MyTensor(...)), and the same for self.bias.", "Call super().__init__() first."]
)
def linear_parameters(trial: Trial) -> None:
    """parameters() lists a weight and a bias"""
    layer = trial.run("layer = Linear(3, 2)", see="layer.parameters()")["layer"]
    found = weight_and_bias(trial, layer, 3, 2)
    if set(found) != {"weight", "bias"}:
        with trial.clock.learner_code(trial.seconds):
            shapes = [array_of(tensor, "a parameter of the layer").shape for tensor in found.values()]
        raise Failed(
            f"Linear(3, 2) has parameters of shapes {shapes}",
            "a weight of shape (3, 2) and a bias of shape (2,)",
            mistake=not_there(found),
        )


LOPSIDED = 0.2  # of a weight's root mean square: where its mean may lie. By chance it is a tenth of that.
SMALL, LARGE = 0.05, 2.0  # the root mean square of a weight, times the root of the inputs: those in use have 0.5 to 1.5


@LINEAR.check(
    1.5,
    hints=["Equal weights get equal gradients and stay equal.", "np.random.uniform(-bound, bound, shape) in __init__"],
)
def linear_random(trial: Trial) -> None:
    """Weights start random, on both sides of 0, of a size that trains, new for every layer"""
    new_weights(trial, *(int(trial.rng.integers(*sizes)) for sizes in ((64, 100), (32, 60))))
    new_weights(trial, int(trial.rng.integers(200, 300)), 8)  # where the size goes by the inputs, and by nothing else


def new_weights(trial: Trial, inputs: int, outputs: int) -> None:
    """Look at the weights of two new layers."""
    code = f"np.random.seed({trial.rng.integers(1000)})\n"
    code += f"layer, other = Linear({inputs}, {outputs}), Linear({inputs}, {outputs})"
    variables = trial.run(code, see="layer.parameters()")
    arrays = []
    for name in ("layer", "other"):
        tensor = weight_and_bias(trial, variables[name], inputs, outputs).get("weight")
        if tensor is None:
            arrays.append(numbers_felt(trial, name, inputs, outputs, code, variables)[0])
            continue
        with trial.clock.learner_code(trial.seconds):
            arrays.append(array_of(tensor, "weight"))
    one, two = arrays
    if not np.isfinite(one).all():
        raise Failed(f"a new weight holds {one[~np.isfinite(one)][0]}", "numbers", mistake="weights-not-finite")
    different = len(np.unique(one))
    if 2 * different < one.size:
        got = f"a new weight of {one.size} numbers holds {different} different ones"
        mistake = "zero-initialisation" if different == 1 else "units-alike"
        raise Failed(got, "a random number of its own in every place", mistake=mistake)
    if one.shape == two.shape and np.array_equal(one, two):
        expected = "new random numbers for every layer"
        raise Failed("two new layers have the same weight", expected, mistake="weights-drawn-once")
    mean, size = one.mean(), np.sqrt(np.mean(one**2))
    got = f"the weights of Linear({inputs}, {outputs}) lie between {one.min():.3g} and {one.max():.3g}"
    bound = 1 / np.sqrt(inputs)
    expected = f"about as between -{bound:.3g} and {bound:.3g}, where 1 / sqrt({inputs}) is {bound:.3g}"
    if abs(mean) > LOPSIDED * size:
        raise Failed(f"{got}; their mean is {mean:.3g}", expected, mistake="weights-on-one-side")
    if not SMALL <= size / bound <= LARGE:
        mistake = "weights-too-large" if size > bound else "weights-too-small"
        raise Failed(f"{got}; their root mean square is {size:.3g}", expected, mistake=mistake)


def linear(trial: Trial, *shape: int, look_at: str, square: bool = False) -> None:
    """One observation of a layer, on an input of this shape, against torch.nn.functional.linear."""
    inputs, outputs = shape[-1], shape[-1] - (not square)
    layer = known_layer(trial, inputs, outputs, with_bias=look_at == "bias")
    if look_at in ("weight", "bias") and getattr(layer, look_at) is None:
        lacks = not_there(weight_and_bias(trial, layer.variables["layer"], inputs, outputs))
        raise Failed(f"parameters() of the layer lists no {look_at} of the right shape", mistake=lacks)
    x, base = trial.draw(*shape), trial.draw(*shape[:-1], outputs)
    trial.given = layer.w, layer.b
    expected = oracle.linear(x, layer.w.T, layer.b, base)
    code = f"x = MyTensor({literal(x)}, requires_grad=True)\ny = layer(x)"
    try:
        variables = layer.variables | trial.run(code, see="y", after=layer.code, **layer.variables)
        code = f"{layer.code}\n{code}"
        if variables["y"] is None:
            raise Missing("layer(x) returned None: not written yet")
        if look_at in ("y", "bias"):
            trial.see(variables, {"y": expected.y}, code)
        if look_at == "y":
            return
        backward = f"y.backward(MyTensor({literal(base)}))"
        trial.run(backward, after=code, **variables)
        code = f"{code}\n{backward}"
        if look_at == "x":
            trial.see(variables, {"x.grad": expected.x}, code)
            return
        trial.snippet = f"{code}\n{look_at}.grad"
        with trial.clock.learner_code(trial.seconds):
            tensor = getattr(layer, look_at)
            got = tensor.grad
            seen, shape = observed(got), array_of(tensor, look_at).shape
        wanted, turned = expected.bias.reshape(-1), False
        if look_at == "weight":
            wanted, turned = expected.weight.T, shape != layer.w.shape
        try:
            with trial.clock.learner_code(trial.seconds):
                compare(f"{look_at}.grad", wanted.T if turned else wanted.reshape(shape), got)
        except (Failed, Missing):
            # The library that imitates mistakes has its weight as (inputs, outputs).
            turned = turned and isinstance(seen, np.ndarray)
            trial.observe(code, f"layer.{look_at}.grad", None, seen.T if turned else seen)
            raise
    finally:
        trial.snippet = layer.shown + (trial.snippet or "").removeprefix(layer.code)


@LINEAR.check(
    1.5,
    hints=["y = matmul(x, weight) + bias", "With a weight of shape (inputs, outputs) no transpose is needed."],
)
def linear_batch(trial: Trial) -> None:
    """The value for a batch: (n, inputs) to (n, outputs)"""
    try:
        linear(trial, 2, 3, look_at="y")
    except ValueError:
        scratch = trial.beside(trial.seconds)
        with scratch.case():  # as many outputs as inputs: every product has a shape that fits
            linear(scratch, 2, 2, look_at="y", square=True)
        if scratch.first:
            trial.evidence += scratch.evidence
        elif set(weight_and_bias(scratch, scratch.run("layer = Linear(3, 2)")["layer"], 3, 2)) == {"weight", "bias"}:
            with trial.means({ValueError: "linear-weight-orientation"}):
                raise
        raise


@LINEAR.check(
    1,
    needs=["linear_batch"],
    hints=[
        "NumPy's @ takes a vector on the left.",
        "Look at the bias: with the shape (1, outputs) it would make a batch of one of a row.",
    ],
)
def linear_row(trial: Trial) -> None:
    """One row, (inputs,) to (outputs,): its value and its gradients"""
    with trial.means({Exception: "linear-row-refused"}):
        linear(trial, 3, look_at="y")
    for name in ("x", "weight", "bias"):
        if trial.works(lambda scratch, name=name: linear(scratch, 2, 3, look_at=name)):
            linear(trial, 3, look_at=name)


@LINEAR.check(1, hints=["matmul(x, weight) + bias, with the tensors of the parameters: their rules do the rest."])
def linear_weight(trial: Trial) -> None:
    """The gradient of the weight"""
    linear(trial, 4, 3, look_at="weight")


@LINEAR.check(
    1, hints=["Every row of the batch uses the bias once.", "Add it with +: broadcasting and its rule do the rest."]
)
def linear_bias(trial: Trial) -> None:
    """The bias is added to every row; its gradient, summed over the batch"""
    linear(trial, 4, 3, look_at="bias")


@LINEAR.check(0.5, hints=["It is what the layer before needs: matmul has to record x too."])
def linear_input(trial: Trial) -> None:
    """The gradient of the input"""
    linear(trial, 4, 3, look_at="x")


def network(choices: Choices, works: set[str]) -> Program:
    """Linear layers one after the other, some of them twice, for a batch or for one row; their numbers are written.

    Args:
        works: what is right in one layer alone: `value`, the gradients of `weight`, `bias` and `x`, and a `row`.
            Nothing else is looked at; without a bias that works it is 0.

    Raises:
        Unfit: for layers upon layers, where not both values and gradients go through one.
    """
    sizes = [choices.of([2, 3, 4])]
    made: list[str] = []
    lines: list[str] = []
    layers: dict[tuple[int, int], str] = {}
    for name in "uvy":
        if name != "y" and not choices.below(3):
            continue
        inputs, outputs = sizes[-1], choices.of([n for n in (2, 3, 4) if n != sizes[-1]])
        if (inputs, outputs) not in layers or choices.below(3) == 2:
            layer = layers[inputs, outputs] = ["one", "two", "three"][len(layers)]
            weight, bias = choices.array(inputs, outputs) / 4, choices.array(outputs) / 4 * ("bias" in works)
            made.append(f"{layer} = Linear({inputs}, {outputs})")
            made.append(f"w, b = MyTensor({literal(weight)}).data, MyTensor({literal(bias)}).data")
            made.append(f"for p in {layer}.parameters():")
            made.append("    shape = p.tensor.shape")
            made.append("    bias = b if b.shape[0] in shape else 0")
            made.append("    p.tensor.data[...] = w if shape == w.shape else w.T if shape == w.T.shape else bias")
        lines.append(f"{name} = {layers[inputs, outputs]}({lines[-1][0] if lines else 'x'})")
        sizes.append(outputs)
    if len(lines) > 1 and not {"value", "x"} <= works:
        raise Unfit
    rows = [] if choices.below(4) == 3 and "row" in works else [1 + choices.below(3)]
    made.append(f"x = MyTensor({literal(choices.array(*rows, sizes[0]) / 2)}, requires_grad=True)")
    made.append(f"g = MyTensor({literal(choices.array(*rows, sizes[-1]) / 2)})")
    lines.append("y.backward(g)")
    see = ["x.data", "g.data", *(line[0] for line in lines[:-1] if "value" in works)]
    see += ["x.grad"] if "x" in works else []
    for (inputs, outputs), layer in layers.items():  # in whatever order and orientation
        shapes = [f"({inputs}, {outputs})", f"({outputs}, {inputs})"] if "weight" in works else []
        shapes += [f"({outputs},)", f"(1, {outputs})"] if "bias" in works else []
        lines.append(f"kept = [p.tensor for p in {layer}.parameters() if p.tensor.data.shape in [{', '.join(shapes)}]]")
        gradients = "[np.ravel(getattr(t.grad, 'data', t.grad)) for t in kept if t.grad is not None]"
        lines.append(f"{layer}_gradients = np.sort(np.concatenate([np.zeros(0), *{gradients}]))")
        see.append(f"{layer}_gradients[:]")
    return Program("\n".join([*made, *lines]), tuple(see))


def layer_that_works(trial: Trial) -> set[str]:
    """What is right in one layer alone, as `network` wants it."""
    asked = ("value", "weight", "x", "bias")
    three_rows = [*[0] * 14, 2]
    some = [network(Choices(three_rows), {what}) for what in asked]
    works = {*itertools.compress(asked, trial.right([forward(some[0]), *some[1:]]))}
    row = network(Choices([*[0] * 13, 3]), works | {"row"})
    return works | ({"row"} if trial.right([row])[0] else set())


@LINEAR.check(
    2.5,
    needs=["linear_batch"],
    hints=["One layer alone is right. Run the snippet line by line: which tensor is the first that is wrong?"],
    any_program=True,
)
def any_network(trial: Trial) -> None:
    """Any network: random layers upon layers, some of them twice, for batches and for rows"""
    works = layer_that_works(trial)
    if not works:
        raise Waits("waits for a layer whose values or gradients are right")
    if "value" in works and "x" not in works:
        trial.programs(lambda choices: forward(network(choices, works | {"x"})))
    if trial.first is None and works & {"weight", "bias", "x"}:
        trial.programs(lambda choices: network(choices, works))


def test_linear(Linear: Any, MyTensor: Any, Parameter: Any, seed: int | None = None) -> Score:
    """The Linear layer: 10 points."""
    return LINEAR.score(seed, Linear=Linear, MyTensor=MyTensor, Parameter=Parameter)


RELU = Section(
    "relu", "ReLU", "tests.test_relu(ReLU, MyTensor)", builds_on=[(TENSOR, ["mul_gradient"])], workshop=WORKSHOP
)


@RELU.check(1.25, hints=["np.maximum(x.data, 0), or a mask of 0 and 1."])
def relu_value(trial: Trial) -> None:
    """The value: max(x, 0)"""
    for data in ([0.5], [-0.5], [-2.5, 0.0, 2.5], [-90.0, 90.0], trial.draw(3, 4).tolist()):
        trial.same(f"relu = ReLU()\nx = MyTensor({data})\ny = relu(x)", "y")


# Above 0 and below it.
BENDS = [
    Program(f"x = MyTensor([{some}], requires_grad=True)\ny = ReLU()(x)\ny.backward(MyTensor([0.5, -1.5]))", (see,))
    for see in ("y", "x.grad")
    for some in ("2.5, 90.0", "-2.5, -90.0")
]
KINK = Program("x = MyTensor([0.0], requires_grad=True)\ny = ReLU()(x)\ny.backward(MyTensor([1.5]))", ("x.grad",))
RELU_KEEPS = Program(
    "x = MyTensor([2.0, -3.0], requires_grad=True)\ng = MyTensor([0.5, -1.5])\ny = ReLU()(x)\ny.backward(g)",
    ("x.data", "g.data"),
)
RELU_APART = Program("x = MyTensor([2.0])\ny = ReLU()(x)\ny.data[0] = 9.5", ("x.data",))


def relu_computes(trial: Trial) -> bool:
    """Whether the value of relu is right: its gradient can be asked without.

    Raises:
        Waits: when it gives no tensor of the right shape, which an upstream gradient must have.
    """
    some = "x = MyTensor([2.5, -2.5, 90.0, -90.0])\ny = ReLU()(x)"
    shape = Program(some, ("tuple(y.shape) == (4,)", "hasattr(y, 'backward')"))
    right, shaped = trial.right([Program(some, ("y",)), shape])
    if not shaped:
        raise Waits("waits for a result in the shape of x")
    return right


@RELU.check(0.75, hints=["Where relu is flat, nothing flows back.", "base * (x.data > 0)"])
def relu_gradient(trial: Trial) -> None:
    """The gradient: 1 where x > 0, 0 where x < 0"""
    value = relu_computes(trial)
    waits_for_value(value, all(trial.right(BENDS[2:])))
    for data in ([0.5], [-0.5], [-2.5, 2.5], [-90.0, 90.0], trial.draw(3, 4)):
        trial.gradients("y = ReLU()(x)", {"x": data}, value=value)


@RELU.check(0.5, hints=["x > 0, not x >= 0."])
def relu_kink(trial: Trial) -> None:
    """At x = 0 the gradient is 0, as in PyTorch"""
    waits_for_value(relu_computes(trial), trial.right([KINK])[0])
    # Of this sign, so that a mask of the upstream gradient, which has a check of its own, passes for each seed.
    trial.same("x = MyTensor([0.0], requires_grad=True)\ny = ReLU()(x)\ny.backward(MyTensor([-1.5]))", "x.grad")
    if all(trial.right(BENDS)):
        trial.gradients("y = ReLU()(x)", {"x": [0.0, 0.5, 0.0, -0.5]})


@RELU.check(0.75, hints=["x.data[mask] = 0 writes into x: work on an array of its own."])
def relu_untouched(trial: Trial) -> None:
    """x and the upstream gradient stay as they are"""
    relu_computes(trial)
    x, base = trial.draw(4, positive=True) * [1, -1, 1, -1], trial.draw(4)
    code = f"array = np.array({literal(x)})\nx = MyTensor(array, requires_grad=True)\ng = MyTensor({literal(base)})\n"
    code += "y = ReLU()(x)\ny.backward(g)"
    handed = {"x.data": x, "array[:]": x, "g.data": base}
    trial.see(trial.run(code), handed, code, dict.fromkeys(handed, "operand-changed") | {"g.data": "upstream-changed"})


@RELU.check(0.5, hints=["Give the result an array of its own, also where all of x is above 0."])
def relu_apart(trial: Trial) -> None:
    """x and its result share no memory"""
    relu_computes(trial)
    x = trial.draw(4, positive=True)
    code = f"x = MyTensor({literal(x)})\ny = ReLU()(x)\ny.data[0] = 9.5"
    trial.see(trial.run(code), {"x.data": x}, code, {"x.data": "result-aliased"})


def bent(choices: Choices, works: set[str], above: bool, below: bool) -> Program:
    """A composition with relu of numbers above 0, below 0, or both. (0 itself has a check of its own.)"""

    def relu(x: np.ndarray) -> np.ndarray:
        if not ((x > 0) & above | (x < 0) & below).all():
            raise Unfit
        return np.maximum(x, 0)

    program = once(choices, works, {"relu": relu})
    if "relu(" not in program.code:
        raise Unfit
    return Program(f"relu = ReLU()\n{program.code}", program.see)


@RELU.check(
    1.25,
    hints=["relu alone is right. Run the snippet line by line: which tensor is the first that is wrong?"],
    any_program=True,
)
def any_bend(trial: Trial) -> None:
    """Any program: relu in random compositions"""
    relu_computes(trial)
    above, below, flows_above, flows_below = trial.right(BENDS)
    kink, kept = trial.right([KINK, RELU_KEEPS])
    if not (above or below):
        raise Waits("waits for a value that is right")
    works = parts_that_work(trial)
    back = above and flows_above, below and flows_below

    def some(choices: Choices) -> Program:
        program = bent(choices, works, *back) if any(back) else forward(bent(choices, works, above, below))
        if kept:
            return program
        on_copies = re.sub(r"relu\((\w+)\)", r"relu(\1 * 1.0)", program.code)  # where its input is changed, not x
        return Program(on_copies, tuple(see for see in program.see if not see.endswith(".data")))

    if all(back) and kept:
        each = replace(pairs(works, "relu"), first="relu = ReLU()\n")
        if not kink:  # which relu of relu meets
            each = replace(each, outer=tuple(outer for outer in each.outer if outer != "relu(u)"))
        trial.pairs(each)
    if trial.first is None:
        trial.programs(some)


def test_relu(ReLU: Any, MyTensor: Any, seed: int | None = None) -> Score:
    """The ReLU layer: 5 points."""
    return RELU.score(seed, ReLU=ReLU, MyTensor=MyTensor)


# ---------------------------------------------------------------- Optimizer

OPTIMIZER = Section(
    "sgd",
    "Optimizer",
    "tests.test_sgd(SGD, MyTensor, Parameter)",
    builds_on=[(TENSOR, ["add_gradient", "paths", "accumulate"])],
    workshop=WORKSHOP,
)


def sgd(trial: Trial, *steps: str, lr: float = 0.1, parameters: str = "[p, q]") -> str:
    """Code that makes two parameters p and q with gradients and an SGD optimizer, and then takes `steps`."""
    c, g = trial.draw(2), trial.draw(2)
    return "\n".join(
        [
            f"p = Parameter(MyTensor({literal(trial.draw(2))}, requires_grad=True))",
            f"q = Parameter(MyTensor({literal(trial.draw(2))}, requires_grad=True))",
            "w = p.tensor",
            f"optimizer = SGD({parameters}, lr={lr})",
            f"y = w + q.tensor + MyTensor({literal(c)})",
            f"y.backward(MyTensor({literal(g)}))",
            *steps,
        ]
    )


def does_something(trial: Trial, code: str, method: str, look_at: str) -> bool:
    """Whether calling a method of the optimizer changes what p.tensor, or its gradient, holds."""
    variables = trial.run(code)
    before = trial.read(variables, look_at)
    after = trial.run(f"optimizer.{method}()\nleft = {look_at}", after=code, **variables)
    return after["left"] is None or not np.array_equal(before, trial.read(after, "left"))


@OPTIMIZER.check(1, hints=["for parameter in self.params: parameter.tensor.grad = ..."])
def zero_grad(trial: Trial) -> None:
    """zero_grad() sets every gradient to None"""
    code = sgd(trial)

    def steps(scratch: Trial) -> None:
        if not does_something(scratch, code, "step", "p.tensor"):
            raise Missing("step() changed nothing: not written yet")

    if not does_something(trial, code, "zero_grad", "p.tensor.grad"):
        again = "before = hasattr(p, 'grad')\noptimizer.zero_grad()\nbeside = hasattr(p, 'grad') and not before"
        variables = trial.run(again, **trial.run(code))
        if variables["beside"]:
            trial.snippet = f"{code}\noptimizer.zero_grad()\np.tensor.grad"
            got = "zero_grad() sets p.grad, and p.tensor.grad stays as it was"
            raise Failed(got, "p.tensor.grad is None", mistake="zero-grad-nothing")
        if not trial.works(steps):
            trial.run("optimizer.zero_grad()", "p.tensor.grad", after=code, **trial.run(code))
            raise Missing("zero_grad() changed nothing: not written yet, or it meets no parameter")
    trial.same(f"{code}\noptimizer.zero_grad()", "p.tensor.grad", "q.tensor.grad")
    means = dict.fromkeys(("p.tensor", "q.tensor"), "zero-grad-resets-values")
    code += "\noptimizer.zero_grad()"
    trial.see(trial.run(code), oracle.values(code, tuple(means)), code, means)


@OPTIMIZER.check(1.5, hints=["w = w - lr * gradient, in place: data = w.data; data -= ..."])
def step(trial: Trial) -> None:
    """step() moves every parameter downhill"""
    code = sgd(trial)
    if not does_something(trial, code, "step", "p.tensor"):
        trial.snippet = f"{code}\noptimizer.step()\np.tensor"
        raise Missing("step() changed nothing: not written yet, or it changes a copy, or meets no parameter")
    trial.same(f"{code}\noptimizer.step()", "p.tensor", "q.tensor")
    trial.same(sgd(trial, "optimizer.step()"), "p.tensor", "q.tensor")
    if trial.first:  # another lr tells mistakes apart
        trial.same(sgd(trial, "optimizer.step()", lr=0.37), "p.tensor", "q.tensor")


@OPTIMIZER.check(0.5, needs=["step"], hints=["Use self.lr."])
def step_lr(trial: Trial) -> None:
    """step() moves by lr times the gradient"""
    for lr in (0.5, 0.001):
        trial.same(sgd(trial, "optimizer.step()", lr=lr), "p.tensor")


# What steps may meet, when it works alone.
ONE_STEP = """\
p = Parameter(MyTensor([1.5, 2.5], requires_grad=True))
q = Parameter(MyTensor([0.5, -2.0], requires_grad=True))
w = p.tensor
optimizer = SGD([p, q], lr={lr})
(w + w + q.tensor).backward(MyTensor([0.5, -1.5]))
optimizer.{method}()"""
WITHOUT = """\
p = Parameter(MyTensor([1.5, 2.5], requires_grad=True))
q = Parameter(MyTensor([0.5, -2.0], requires_grad=True))
(q.tensor + q.tensor).backward(MyTensor([0.5, -1.5]))
SGD([p, q], lr=0.1).step()"""
STEP = ONE_STEP.format(method="step", lr=0.1)
STEPS = {
    "step": Program(STEP, ("p.tensor", "q.tensor")),
    "lr": Program(ONE_STEP.format(method="step", lr=0.5), ("p.tensor",)),
    "zero_grad": Program(
        ONE_STEP.format(method="zero_grad", lr=0.1), ("p.tensor.grad", "q.tensor.grad", "p.tensor", "q.tensor")
    ),
    "in place": Program(STEP, ("w",)),
    "gradient": Program(STEP, ("p.tensor.grad", "q.tensor.grad")),
    "without": Program(WITHOUT, ("p.tensor", "q.tensor")),
}


def steps_that_work(trial: Trial) -> set[str]:
    """Names of STEPS that do what PyTorch does."""
    return {*itertools.compress(STEPS, trial.right([*STEPS.values()]))}


def moved_by_step(trial: Trial) -> None:
    """What a step leaves as it was can be asked of one that moves something, rightly or not.

    Raises:
        Waits: when nothing moves.
    """

    def moves(scratch: Trial) -> None:
        if not does_something(scratch, sgd(scratch), "step", "p.tensor"):
            raise Missing("step() changed nothing")

    if not trial.works(moves):
        raise Waits("waits for a step() that moves a parameter")


@OPTIMIZER.check(
    1,
    hints=[
        "Others may hold the tensor itself, or its array, as w does here: they would keep the old one.",
        "Change tensor.data's elements.",
    ],
)
def step_in_place(trial: Trial) -> None:
    """step() works in place: who holds the tensor, or its array, sees it"""
    moved_by_step(trial)
    code = sgd(trial, "array = w.data", "optimizer.step()")
    if trial.right([STEPS["step"]])[0]:
        trial.same(code, "w", "array[:]")
        return
    variables = trial.run(code)
    moved = trial.read(variables, "p.tensor")  # to wherever: that has a check of its own
    noted = len(trial.evidence)
    trial.see(variables, {"w": moved, "array[:]": moved}, code)
    del trial.evidence[noted:]  # in which a wrong step looks right


@OPTIMIZER.check(1, hints=["Skip a parameter whose tensor.grad is None."])
def step_without_gradient(trial: Trial) -> None:
    """Parameters without a gradient are left alone"""
    moved_by_step(trial)
    see = ("r.tensor", "p.tensor") if trial.right([STEPS["step"]])[0] else ("r.tensor",)
    unused = f"r = Parameter(MyTensor({literal(trial.draw(2))}, requires_grad=True))\n"
    with trial.means({Exception: "step-crashes-on-none"}):
        trial.same(unused + sgd(trial, "optimizer.step()", parameters="[r, p, q]"), *see)


@OPTIMIZER.check(0.5, hints=["`gradient *= lr` changes the gradient itself: compute lr * gradient."])
def step_keeps_gradients(trial: Trial) -> None:
    """step() leaves the gradients as they are"""
    moved_by_step(trial)
    code = sgd(trial, "optimizer.step()")
    means = dict.fromkeys(("p.tensor.grad", "q.tensor.grad"), "step-changes-gradient")
    variables = trial.run(code)
    if trial.run("left = p.tensor.grad", after=code, **variables)["left"] is None:
        means = {}  # a gradient that is gone has a mistake of its own
    trial.see(variables, oracle.values(code, ("p.tensor.grad", "q.tensor.grad")), code, means)


AGAIN = ["optimizer.step()", "optimizer.zero_grad()", "y = p.tensor + q.tensor", "y.backward(MyTensor([0.5, 1.5]))"]


@OPTIMIZER.check(
    0.5, needs=["step"], hints=["A generator of parameters is empty after one walk: keep list(parameters)."]
)
def step_walks(trial: Trial) -> None:
    """Parameters may come one by one, from a generator"""
    in_a_list = sgd(trial.beside(trial.seconds), *AGAIN, "optimizer.step()")
    again = AGAIN if trial.right([Program(in_a_list, ("p.tensor", "q.tensor"))])[0] else []
    trial.same(sgd(trial, *again, "optimizer.step()", parameters="iter([p, q])"), "p.tensor", "q.tensor")


def steps(choices: Choices, works: set[str]) -> Program:
    """Several steps with several parameters, by one or two optimizers.

    Where a step replaces the parameter, or changes its gradient, only one is made.

    Args:
        works: the names of STEPS that are right alone.

    Raises:
        Unfit: when step() meets a parameter without a gradient, and may not.
    """
    several = {"in place", "gradient"} <= works
    some = "pqrs"[: 1 + choices.below(4)]
    shape = choices.of([(2,), (1,), (2, 3)])
    lines = [f"{p} = Parameter(MyTensor({literal(choices.array(*shape))}, requires_grad=True))" for p in some]
    lines.append(f"optimizer = SGD([{', '.join(some)}], lr={choices.of([0.5, 0.25, 0.125]) if 'lr' in works else 0.1})")
    lines.append(f"w = {some[0]}.tensor")
    optimizers = {"optimizer": {*some}}
    if choices.below(4) == 3:
        optimizers["other"] = {some[-1]}
        lines.append(f"other = SGD([{some[-1]}], lr={choices.of([0.0625, 1.0]) if 'lr' in works else 0.1})")
    reached: set[str] = set()
    for number in range(9):
        kind, optimizer = choices.below(5), choices.of([*optimizers])
        last = number == 8 or (number > 1 and not kind)
        if last or kind == 2:
            if not ("without" in works or optimizers[optimizer] <= reached):
                raise Unfit
            lines.append(f"{optimizer}.step()")
            last = last or not several
        elif kind == 1 and "zero_grad" in works:
            lines.append(f"{optimizer}.zero_grad()")
            reached -= optimizers[optimizer]
        else:
            one, two = choices.of(some), choices.of(some)
            base = f"MyTensor({literal(choices.array(*shape))})"
            lines.append(f"({one}.tensor + {two}.tensor).backward({base})")
            reached |= {one, two}
        if last:
            break
    see = [f"{p}.tensor" for p in some]
    if "in place" in works:
        see.insert(0, "w")
    if "gradient" in works:
        see += [f"{p}.tensor.grad" for p in some]
    return Program("\n".join(lines), tuple(see))


@OPTIMIZER.check(
    2,
    needs=["step"],
    hints=["Follow one parameter through the snippet, line by line: its data and its grad."],
    any_program=True,
)
def any_training(trial: Trial) -> None:
    """Any program: every step works like the first, with several parameters and optimizers"""
    works = steps_that_work(trial)
    if {"in place", "gradient"} <= works:
        trial.same(sgd(trial, "optimizer.step()", "optimizer.step()"), "p.tensor")
        if "zero_grad" in works:
            trial.same(sgd(trial, *AGAIN, "optimizer.step()"), "p.tensor", "q.tensor")
    if trial.first is None:
        trial.programs(lambda choices: steps(choices, works))


def test_sgd(SGD: Any, MyTensor: Any, Parameter: Any, seed: int | None = None) -> Score:
    """Optimizer: 8 points."""
    return OPTIMIZER.score(seed, SGD=SGD, MyTensor=MyTensor, Parameter=Parameter)


# ---------------------------------------------------------------- Loss functions

LOSS = Section(
    "mseloss",
    "Loss functions",
    "tests.test_mseloss(MSELoss, MyTensor, sum)",
    builds_on=[
        (TENSOR, ["sub_gradient", "mul_gradient", "mul_numbers", "div_numbers", "power_gradient", "paths"]),
    ],
    workshop=WORKSHOP,
)


def mse(trial: Trial, *shape: int, gradient: bool = False, same: bool = False) -> None:
    y = trial.draw(*shape)
    target = y if same else np.round(y + trial.draw(*shape), 2)  # an error in every element
    lines = [f"y = MyTensor({literal(y)}, requires_grad=True)", f"target = MyTensor({literal(target)})"]
    lines.append("loss = MSELoss()(y, target)")
    if gradient:
        lines.append(f"loss.backward(MyTensor({literal(trial.draw())}))")
    trial.same("\n".join(lines), "y.grad" if gradient else "loss")


@LOSS.check(2, hints=["Subtract, square, add up with sum(...), divide by how many there are."])
def mse_value(trial: Trial) -> None:
    """The mean of the squared errors, as a scalar tensor"""
    mse(trial, 1)
    mse(trial, 3)
    if trial.first:  # a batch tells mistakes apart
        mse(trial, 2, 3)


@LOSS.check(1, needs=["mse_value"], hints=["A (2, 3) prediction has 6 elements: size, not shape[0]."])
def mse_batch(trial: Trial) -> None:
    """The mean is over all elements of a batch"""
    mse(trial, 2, 3)
    mse(trial, 4, 2)
    if trial.first is None:
        means = {"loss": "mse-remembers"}
        code = f"criterion = MSELoss()\ncriterion(MyTensor([1.5]), MyTensor([2.5]))\n{ONE_LOSS.format(**BATCH, u='y')}"
        code = code.replace("MSELoss()(", "criterion(")
        trial.see(trial.run(code), oracle.values(code, tuple(means)), code, means)


# What losses may meet, when it works alone.
ONE_LOSS = """y = MyTensor({y}, requires_grad=True)
u = {u}
t = MyTensor({t})
loss = MSELoss()(u, t)"""
ROW, BATCH = {"y": "[2.0, 3.0]", "t": "[0.5, 5.0]"}, {"y": "[[2.0, 3.0, 0.5], [1.5, 4.0, 2.5]]"}
BATCH["t"] = "[[0.5, 5.0, 2.0], [3.0, 1.5, 0.5]]"
LOSSES = {
    "value": Program(ONE_LOSS.format(**ROW, u="y"), ("loss",)),
    "gradient": Program(f"{ONE_LOSS.format(**ROW, u='y')}\nloss.backward(MyTensor(1.5))", ("y.grad",)),
    "goes on": Program(f"{ONE_LOSS.format(**ROW, u='y * y')}\nloss.backward(MyTensor(1.5))", ("y.grad",)),
    "batch": Program(ONE_LOSS.format(**BATCH, u="y"), ("loss",)),
    "gradient of a batch": Program(f"{ONE_LOSS.format(**BATCH, u='y')}\nloss.backward(MyTensor(1.5))", ("y.grad",)),
    "untouched": Program(ONE_LOSS.format(**ROW, u="y"), ("y.data", "t.data")),
}


def losses_that_work(trial: Trial) -> set[str]:
    """Names of LOSSES that do what PyTorch does."""
    return {*itertools.compress(LOSSES, trial.right([*LOSSES.values()]))}


def loss_is_scalar(trial: Trial) -> None:
    """What a loss does beside having the right value can be asked of any scalar tensor that depends on the prediction.

    Raises:
        Waits: when there is none.
    """
    made = [ONE_LOSS.format(y=y, t="[0.5, 5.0]", u="y") for y in ("[2.0, 3.0]", "[4.0, 9.0]")]
    code = made[0] + "\none = loss\n" + made[1]
    see = "tuple(loss.shape) == ()", "hasattr(loss, 'backward')", "float(one.data) != float(loss.data)"
    if not trial.right([Program(code, see)])[0]:
        raise Waits("waits for a loss that is a scalar tensor and depends on the prediction")


@LOSS.check(0.5)
def mse_zero(trial: Trial) -> None:
    """No error, no loss, no gradient"""
    loss_is_scalar(trial)
    mse(trial, 3, same=True)
    if trial.right([LOSSES["gradient"]])[0]:
        mse(trial, 3, same=True, gradient=True)


@LOSS.check(
    1.25,
    hints=[
        "Compute with tensors from start to end, and the graph does it for you.",
        "d(loss)/dy = 2 (y - target) / n, times the upstream gradient. Is sum_deriv right?",
    ],
)
def mse_gradient(trial: Trial) -> None:
    """The gradient of the prediction"""
    loss_is_scalar(trial)
    waits_for_value(*trial.right([LOSSES["value"], LOSSES["gradient"]]))
    mse(trial, 1, gradient=True)
    mse(trial, 3, gradient=True)


@LOSS.check(
    0.25,
    hints=["requires_grad and backward_op of the loss come from the operations it is made of."],
)
def mse_records(trial: Trial) -> None:
    """The gradient goes on to what the prediction was computed from"""
    loss_is_scalar(trial)
    works = losses_that_work(trial)
    shape = (2, 2) if {"batch", "gradient of a batch"} <= works else (3,)
    if "gradient" not in works:
        raise Waits("waits for a gradient that is right")
    if "batch" in works:
        mse(trial, 2, 3, gradient=True)
        if trial.first:  # another one tells mistakes apart
            mse(trial, 4, 2, gradient=True)
    code = "y = MyTensor([1.5, 2.5])\nloss = MSELoss()(y, MyTensor([2.5, 2.0]))"
    with trial.case():
        trial.see(trial.run(code), {"loss.requires_grad": False}, code)
    x, weight = trial.draw(*shape), trial.draw(*shape)
    target = np.round(x + weight + trial.draw(*shape), 2)
    code = f"w = MyTensor({literal(weight)}, requires_grad=True)\ny = w + MyTensor({literal(x)})\n"
    code += f"loss = MSELoss()(y, MyTensor({literal(target)}))"
    trial.same(f"{code}\nloss.backward()", *(["loss"] if "value" in works else []), "w.grad")


@LOSS.check(0.5, hints=["`-=` on an array changes it for everybody who holds it: compute a new one."])
def mse_untouched(trial: Trial) -> None:
    """Prediction and target stay as they are"""
    loss_is_scalar(trial)
    y, target = trial.draw(3), trial.draw(3)
    code = f"array = np.array({literal(target)})\ny = MyTensor({literal(y)}, requires_grad=True)\n"
    code += "target = MyTensor(array)\nloss = MSELoss()(y, target)"
    if trial.right([LOSSES["gradient"]])[0]:
        code += "\nloss.backward()"
    handed = {"target.data": target, "y.data": y, "array[:]": target}
    trial.see(trial.run(code), handed, code, dict.fromkeys(handed, "operand-changed"))


@LOSS.check(
    0.5,
    hints=[
        "sum(x, axis=1) lost an axis: which shape has its upstream gradient, and which one has x?",
        "np.expand_dims(base, axis) puts it back, with length 1.",
    ],
)
def sum_axis(trial: Trial) -> None:
    """sum over an axis: each element gets the upstream gradient of the sum that it went into"""
    if (given := trial.names.get("sum")) is None or given is sum:  # a solution that does without one of its own
        if not trial.right([LOSSES["gradient"]])[0]:
            raise Waits("waits for the gradient of the prediction")
        return
    alone = (
        "x = MyTensor([[2.0, 3.0, 0.5], [1.5, 4.0, 2.5]], requires_grad=True)\ny = sum(x)\ny.backward(MyTensor(1.5))"
    )
    if not trial.right([Program(alone, ("y", "x.grad"))])[0]:
        raise Waits("waits for the gradient of a sum over all elements")
    with trial.means({Exception: "sum-axis-ignored"}):
        for shape, axis in (((2, 3), 1), ((2, 3), 0), ((3, 3), 1), ((2, 3, 4), -2), ((2, 3, 4), (0, 2))):
            trial.gradients(f"y = sum(x, axis={axis})", {"x": shape})


def errors(choices: Choices, works: set[str]) -> Program:
    """Losses of random shapes, of computed predictions, added up or scaled.

    Args:
        works: the names of LOSSES that are right alone.

    Raises:
        Unfit: when it needs another one, or an error is 0.
    """
    batches = [(2, 3), (3, 1), (2, 2, 2)] if {"batch", "gradient of a batch"} <= works else []
    shape = choices.of([(2,), (1,), *batches])
    w, t, x = (choices.array(*shape) for _ in range(3))
    lines = [f"w = MyTensor({literal(w)}, requires_grad=True)", f"t = MyTensor({literal(t)})", "loss = MSELoss()"]
    see = ["w.grad", "t.data", "w.data", "t.grad"]
    number = choices.below(4) if "goes on" in works else 0
    result, code, u = [("w", "", w), ("u", "w * w", w * w), ("u", "w * x", w * x), ("u", "w + t", w + t)][number]
    if code == "w * x":
        lines.append(f"x = MyTensor({literal(x)})")
        see.append("x.data")
    if code:
        lines.append(f"u = {code}")
        see += ["u"] if "untouched" in works else []
    kind = choices.below(4)
    if kind > 1 and not {"goes on", "untouched"} <= works:
        raise Unfit
    if not (u - t).all() or (kind == 2 and not (w - t).all()):  # no error, which has a check of its own
        raise Unfit
    lines.append(
        [
            f"y = loss({result}, t)",
            f"y = loss({result}, t) * 3.0",
            f"y = loss({result}, t) + loss(w, t)",
            f"y = loss(t, {result})",
        ][kind]
    )
    see += ["y", "y.requires_grad"]
    see = [each for each in see if "untouched" in works or not each.endswith(".data")]
    lines.append("y.backward()" if choices.below(2) else f"y.backward(MyTensor({literal(choices.array())}))")
    return Program("\n".join(lines), tuple(see))


@LOSS.check(
    2,
    needs=["mse_value"],
    hints=["Follow w through the snippet: is what it goes into the loss's prediction, or its target?"],
    any_program=True,
)
def any_loss(trial: Trial) -> None:
    """Any program: losses of random shapes, of what was computed before"""
    works = losses_that_work(trial)
    if "gradient" in works:
        trial.programs(lambda choices: errors(choices, works))
    else:
        trial.programs(lambda choices: forward(errors(choices, works | {"gradient of a batch"})))


def test_mseloss(MSELoss: Any, MyTensor: Any, sum: Any = None, seed: int | None = None) -> Score:
    """Loss functions: 8 points. Without `sum` nothing is asked of it."""
    return LOSS.score(seed, MSELoss=MSELoss, MyTensor=MyTensor, sum=sum)


# ---------------------------------------------------------------- Training

TRAIN = Section(
    "train",
    "Training",
    "tests.test_train(train, MyModule, Parameter, matmul, SGD, MSELoss, MyTensor)",
    builds_on=[
        (TENSOR, ["sub_gradient", "mul_gradient", "mul_numbers", "div_numbers", "power_gradient", "paths"]),
        (MODULE, ["nested", "calling"]),
        (MATMUL, ["matmul_left", "matmul_right"]),
        (OPTIMIZER, ["zero_grad", "step_lr", "step_in_place"]),
        (LOSS, ["mse_batch", "mse_gradient"]),
    ],
    workshop=WORKSHOP,
)

LR = 0.2  # with numbers this small a few steps stay far from diverging
MOST_ROWS = 1000  # shown to a model in a training of this section, where a few dozen are asked for
# A model that notes which rows it is shown: their first number is different in each.
NOTING = """\
m = MyModule()
m.first, m.inner = Parameter(MyTensor({first}, requires_grad=True)), MyModule()
m.inner.second = Parameter(MyTensor({second}, requires_grad=True))
m.third = Parameter(MyTensor({third}, requires_grad=True))
seen, told, held = [], [], []


def values():
    return [np.array(p.tensor.data) for p in (m.first, m.inner.second, m.third)]


def forward(x):
    held.append(values())
    seen.append(np.atleast_2d(x.data)[:, 0].tolist())
    return matmul(matmul(matmul(x, m.first.tensor), m.inner.second.tensor), m.third.tensor)


m.forward = forward
images = np.array({images})
targets = np.array({targets})
"""
# Of each time that the model was shown rows: whether a parameter has moved until the next time, or until now.
STEPPED = "stepped = [not all(map(np.array_equal, *two)) for two in zip(held, [*held[1:], values()])]"
# The loop of the notebook on mini-batches that are known, with a rate for each parameter. `later` are the losses after
# the steps, of each mini-batch and of all rows.
FOLLOWING = """\
optimizers = [SGD([p], lr=lr) for p, lr in zip((m.first, m.inner.second, m.third), {rates})]
losses, later = [], []
for number, rows in enumerate({batches}):
    if number % {every} == 0:
        for optimizer in optimizers:
            optimizer.zero_grad()
    loss = MSELoss()(forward(MyTensor(images[rows])), MyTensor(targets[rows]))
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()
    losses.append(loss.item())
    later.append([MSELoss()(forward(MyTensor(images[n])), MyTensor(targets[n])).item() for n in (rows, slice(None))])
"""
HELD = ("m.first.tensor", "m.inner.second.tensor", "m.third.tensor")


@dataclass
class Training:
    """What a learner's train did with the model that notes its rows.

    Attributes:
        trial: the check.
        model, code: what made the model, and that with the call of train.
        variables: of `code`.
        lr, epochs, examples: asked for.
        batches: the numbers of the rows in each mini-batch, in the order in which the model was shown them.
        stepped: whether a step followed, each time that the model was shown rows; of a loss that is only looked at
            there is none, and its rows are no mini-batch.
    """

    trial: Trial
    model: str
    code: str
    variables: dict[str, Any]
    lr: float
    epochs: int
    examples: int
    batches: list[list[int]]
    stepped: list[bool]

    def followed(self, rates: Sequence[float] | None = None, every: int = 1) -> dict[str, Any]:
        """What PyTorch's parameters and losses are after the same mini-batches.

        `rates` are those of the three parameters, in place of lr; the gradients are forgotten in `every` so many steps.
        """
        rates = [self.lr] * 3 if rates is None else list(rates)
        code = self.model + FOLLOWING.format(rates=rates, batches=self.batches, every=every)
        return oracle.values(code, (*HELD, "losses", "later"))

    def moved(self) -> list[np.ndarray]:
        """How far each parameter is from its start."""
        start = oracle.values(self.model, HELD)
        return [self.trial.read(self.variables, name) - start[name] for name in HELD]

    def still(self) -> list[bool]:
        """Whether each parameter is where it was."""
        return [bool(np.allclose(moved, 0, atol=1e-6)) for moved in self.moved()]  # float32 rounds

    def without_a_step(self) -> str:
        """The mistake, where all parameters are where they were: gradients that nobody used, or none."""
        gradients = "[p.tensor.grad is not None for p in (m.first, m.inner.second, m.third)]"
        variables = self.trial.run(f"there = any({gradients})", after=self.code, **self.variables)
        return "train-without-step" if variables["there"] else "train-moves-nothing"

    def held(self, rates: Sequence[float] | None = None) -> None:
        """The parameters are what the same mini-batches make of PyTorch's."""
        followed = self.followed(rates)
        self.trial.see(self.variables, {name: followed[name] for name in HELD}, self.code)


def training(
    trial: Trial,
    examples: int,
    batch_size: int,
    epochs: int,
    lr: float = LR,
    alike: str = "",
    large: float = 1.0,
    live: bool | None = None,
) -> Training:
    """Have a learner's train work on a small model.

    Args:
        alike: names of what has the same numbers in every row, `images` or `targets`.
        large: times this are the images.
        live: whether train is given a function of that name; None: without, where it does not work with one.
    """
    inputs, inner, outputs = (int(n) for n in trial.rng.integers(2, 5, 3))
    shapes = {"first": (inputs, inner), "second": (inner, inner), "third": (inner, outputs)}
    numbers = {name: literal(np.round(trial.draw(*shape) / 4, 2)) for name, shape in shapes.items()}
    rows = {name: np.round(trial.draw(examples, n) / 3, 2) for name, n in (("images", inputs), ("targets", outputs))}
    rows["images"][:, 0] = np.arange(1, examples + 1) / 8
    rows["images"] *= large
    for name in alike.split():
        rows[name][:] = rows[name][0]
    model = NOTING.format(**numbers, **{name: literal(array) for name, array in rows.items()})
    code = f"np.random.seed({trial.rng.integers(1000)})\n{model}"
    call = f"losses = train(m, images, targets, epochs={epochs}, batch_size={batch_size}, lr={lr}"
    listening, silent = f"{call}, live=lambda loss: told.append((loss, len(seen))))", f"{call})"
    try:
        variables = trial.run(code + (silent if live is False else listening), see="losses")
    except TypeError:
        if live is not None:
            raise
        live = False
        trial.evidence.pop()
        variables = trial.run(code + silent, see="losses")
    code += silent if live is False else listening
    found = {number: row for row, number in reversed(list(enumerate(rows["images"][:, 0].tolist())))}
    try:
        shown = list(variables["seen"])
        count = sum(len(numbers) for numbers in shown)
        batches = [[found[number] for number in numbers] for numbers in shown] if count <= MOST_ROWS else []
        stepped = list(trial.run(STEPPED, after=code, **variables)["stepped"]) if batches else []
    except (KeyError, TypeError):
        raise Failed("the model was shown rows that are none of images", "rows of images, as they are") from None
    if count > MOST_ROWS:
        raise Failed(f"the model was shown {count:,} rows", f"{epochs} times {examples}")
    if not batches:
        raise Missing("train never calls the model: not written yet")
    trained = list(itertools.compress(batches, stepped))
    if sum(map(len, trained)) == epochs * examples:
        batches = trained
    else:  # nothing moves, or not at every mini-batch: that has checks of its own
        stepped = [True] * len(batches)
    return Training(trial, model, code, variables, lr, epochs, examples, batches, stepped)


def pace(trial: Trial, lr: float = LR) -> list[float]:
    """What each parameter moves in a first step, as a rate: what else is asked of train does not depend on it."""
    one = training(trial, 4, 4, 1, lr, alike="images targets")
    start, followed = oracle.values(one.model, HELD), one.followed()
    found = []
    for name, moved in zip(HELD, one.moved(), strict=True):
        wanted = followed[name] - start[name]
        found.append(float(lr * np.vdot(moved, wanted) / np.vdot(wanted, wanted)))
    right = min(found) > -1e-3 * lr and max(found) > 1e-3 * lr  # not uphill, and not nowhere
    return [max(rate, 0.0) for rate in found] if np.isfinite(found).all() and right else [lr] * 3


@TRAIN.check(
    1,
    hints=[
        "The five lines: zero_grad, forward, loss, backward, step.",
        "optimizer = SGD(model.parameters(), lr), once, before the epochs.",
    ],
)
def train_step(trial: Trial) -> None:
    """A mini-batch moves every parameter downhill, as far as lr says"""
    for lr in (LR, LR / 2):
        one = training(trial, 4, 4, 1, lr, alike="images targets")
        try:
            one.held()
        except Failed as failed:
            still = one.still()
            rates = pace(trial, lr), pace(trial, lr / 2)
            if all(still):
                failed.mistake = one.without_a_step()
            elif any(still):
                failed.mistake = "train-some-parameters"
            elif np.allclose(*rates, rtol=1e-3):  # the same step, whatever lr is
                failed.mistake = "train-lr-ignored"
            raise


@TRAIN.check(1, hints=["backward adds to the gradients: optimizer.zero_grad() before each mini-batch."])
def train_forgets(trial: Trial) -> None:
    """Each mini-batch starts without the gradients of the one before"""
    rates = pace(trial)
    one = training(trial, 6, 2, 2, alike="images targets")
    try:
        one.held(rates)
    except Failed as failed:
        for every in (len(one.batches) // one.epochs or 1, len(one.batches)):
            expected = one.followed(rates, every)
            if all(np.allclose(trial.read(one.variables, name), expected[name], atol=1e-5) for name in HELD):
                failed.mistake = "train-without-zero-grad"
        if all(one.still()):
            failed.mistake = one.without_a_step()
        raise


@TRAIN.check(
    1, hints=["One order for both: batch = order[start : start + batch_size], then images[batch] and targets[batch]."]
)
def train_pairs(trial: Trial) -> None:
    """Each example is compared with its own target"""
    rates = pace(trial)
    for _ in range(2):  # where the rows are apart, all may be with their own by chance
        one = training(trial, 6, 6, 1)
        try:
            one.held(rates)
        except Failed as failed:
            if all(one.still()):
                failed.mistake = one.without_a_step()
            elif trial.works(lambda scratch: training(scratch, 4, 4, 1, alike="images targets").held(rates)):
                failed.mistake = "train-rows-apart"  # with all rows alike it goes the right way
            raise


@TRAIN.check(
    1,
    hints=[
        "for start in range(0, len(order), batch_size): the last slice is as long as what is left.",
        "order = np.random.permutation(len(images)) at the start of each epoch.",
    ],
)
def train_batches(trial: Trial) -> None:
    """Each epoch shows every example once, in a new order, batch_size at a time"""
    size = int(trial.rng.integers(13, 17))  # a number that nobody has typed
    examples = 2 * size + int(trial.rng.integers(8, size))  # the last mini-batch is a smaller one
    one = training(trial, examples, size, 3)
    sizes = [len(rows) for rows in one.batches]
    epoch = [len(range(start, min(start + size, examples))) for start in range(0, examples, size)]
    trial.snippet = f"{one.code}\n[len(rows) for rows in seen]"
    if sizes != epoch * one.epochs:
        strides = [each for each in range(1, examples) if each != size]
        apart = [[len(range(start, min(start + size, examples))) for start in range(0, examples, n)] for n in strides]
        means = {
            "train-epochs-ignored": sizes == epoch * (len(sizes) // len(epoch)),
            "train-batch-size-ignored": sizes[0] != size,
            "train-one-batch": sizes == [size] * one.epochs,
            "train-examples-left-out": sizes == [size] * (examples // size) * one.epochs,
            "train-other-stride": any(sizes == some * one.epochs for some in apart),
            "train-examples-not-once": sum(sizes) > examples * one.epochs,
        }
        mistake = next((mistake for mistake, fits in means.items() if fits), None)
        raise Failed(f"the mini-batches hold {sizes} examples", f"{epoch * one.epochs}", mistake=mistake)
    trial.snippet = f"{one.code}\nseen"
    epochs = [one.batches[start : start + len(epoch)] for start in range(0, len(sizes), len(epoch))]
    for number, batches in enumerate(epochs, 1):
        order = [row for rows in batches for row in rows]
        if missed := examples - len(set(order)):
            got = f"in epoch {number} the model is shown {missed} of {examples} examples not at all, and others twice"
            raise Failed(got, "each example once in each epoch", mistake="train-examples-not-once")
        if order == sorted(order):
            got = f"in epoch {number} the examples come in the order in which they were given"
            raise Failed(got, "another order", mistake="train-not-shuffled")
    if len({frozenset(map(frozenset, batches)) for batches in epochs}) == 1:
        got = "the mini-batches hold the same examples in every epoch"
        raise Failed(got, "a new order for each epoch", mistake="train-shuffled-once")
    handed = oracle.values(one.model, ("images[:, :]", "targets[:, :]"))
    trial.see(one.variables, handed, one.code, dict.fromkeys(handed, "train-changes-arrays"))


def numbers_in(trial: Trial, values: Any, what: str) -> np.ndarray:
    """The numbers in a learner's list, shape (n,)."""
    with trial.clock.learner_code(trial.seconds):
        found = items(values, MOST_ROWS)
        if found is None:
            got = f"{what} is {text_of(values, 60)}"
            raise Failed(got, "a list of numbers", mistake="train-losses-not-numbers")
        for value in found:
            scalar = issubclass(type(value), np.ndarray) and np.ndarray.shape.__get__(value) == ()
            if not scalar and not issubclass(type(value), (int, float, np.number)):
                raise Failed(f"{what} holds {text_of(value, 60)}", "numbers", mistake="train-losses-not-numbers")
    return np.array([float(value) for value in found])


@TRAIN.check(
    1,
    hints=[
        "float(loss.data) is a number; add them up over the mini-batches, and append once for each epoch.",
        "Weigh each by the length of its mini-batch, and divide by the number of examples.",
    ],
)
def train_losses(trial: Trial) -> None:
    """It returns the loss of each epoch, the mean over its examples"""
    lr = 1e-9  # next to nothing moves: a loss depends on its mini-batch alone
    rates = pace(trial, lr)
    told_losses(trial, training(trial, 5, 2, 2, lr, alike="targets", large=4), rates)  # so that losses differ
    lr = 0.02  # each loss is that of its turn
    rates = pace(trial, lr)
    one = training(trial, 5, 2, 3, lr, large=4)
    if trial.first is None and trial.works(lambda scratch: replace(one, trial=scratch).held(rates)):
        told_losses(trial, one, rates)


def told_losses(trial: Trial, one: Training, rates: Sequence[float]) -> None:
    """The losses that a learner's train returns are those of PyTorch on the same mini-batches.

    Raises:
        Failed: with the mistake that gives such losses.
    """
    trial.snippet = f"{one.code}\nlosses"
    got = numbers_in(trial, one.variables["losses"], "losses")
    followed, sizes = one.followed(rates), np.array([len(rows) for rows in one.batches])
    batches, (again, whole) = np.array(followed["losses"]), np.array(followed["later"]).T
    epoch = (np.cumsum(sizes) - sizes) // one.examples  # of each mini-batch
    if sizes.sum() % one.examples:  # not all are shown once: that has a check of its own
        epoch = np.arange(len(sizes)) * one.epochs // len(sizes)

    def each(of: Callable[[np.ndarray, np.ndarray], float], losses: np.ndarray = batches) -> np.ndarray:
        return np.array([of(losses[epoch == number], sizes[epoch == number]) for number in np.unique(epoch)])

    def same(other: np.ndarray) -> bool:
        return got.shape == other.shape and np.allclose(got, other, rtol=1e-4, atol=1e-6)

    def mean(losses: np.ndarray, sizes: np.ndarray) -> float:
        return losses @ sizes / sizes.sum()

    right = each(mean)
    if same(right) or (sizes.sum() % one.examples and same(each(lambda losses, sizes: losses @ sizes / one.examples))):
        return
    epochs = np.arange(1, len(right) + 1)
    means = [
        ("train-loss-unweighted", each(lambda losses, sizes: losses.mean())),
        ("train-loss-unweighted", each(lambda losses, sizes: losses.sum() * sizes[0] / sizes.sum())),
        ("train-loss-of-one-batch", each(lambda losses, sizes: losses[-1])),
        ("train-loss-of-one-batch", each(lambda losses, sizes: losses[0])),
        ("train-loss-of-one-batch", each(lambda losses, sizes: losses[-1] * sizes[-1] / sizes.sum())),
        ("train-loss-not-divided", each(lambda losses, sizes: losses.sum())),
        ("train-loss-not-divided", each(lambda losses, sizes: losses @ sizes)),
        ("train-loss-not-divided", each(lambda losses, sizes: losses.sum() / sizes.sum())),
        ("train-loss-not-divided", each(lambda losses, sizes: losses @ sizes / len(sizes))),
        ("train-loss-kept", np.cumsum(right)),
        ("train-loss-kept", np.cumsum(right) / epochs),
        ("train-loss-kept", np.cumsum(each(lambda losses, sizes: losses.mean()))),
        ("train-loss-of-each-batch", batches),
        ("train-loss-later", each(mean, again)),
        ("train-loss-later", each(lambda losses, sizes: losses[-1], whole)),
    ]
    raise Failed(
        f"losses is {np.round(got, 4).tolist()}",
        f"losses is {np.round(right, 4).tolist()}",
        mistake=next((mistake for mistake, other in means if same(other)), None),
    )


@TRAIN.check(
    1,
    hints=["if live: live(losses[-1]), inside the loop over the epochs, after the one over the mini-batches."],
)
def train_live(trial: Trial) -> None:
    """After each epoch it calls live with the loss, if there is a live"""
    one = training(trial, 5, 2, 3, live=True)
    trial.snippet = f"{one.code}\ntold"
    told = list(one.variables["told"])
    if not told:
        raise Failed("live is never called", "a call after each epoch", mistake="train-live-silent")
    values, times = [value for value, _ in told], [sum(one.stepped[:count]) for _, count in told]
    losses = one.variables["losses"]
    with trial.clock.learner_code(trial.seconds):
        losses = items(losses, MOST_ROWS) or []
    # Which epochs and losses there are is no matter of live.
    right = [
        [len(one.batches) * number // count for number in range(1, count + 1)] for count in (one.epochs, len(losses))
    ]
    complete = sum(map(len, one.batches)) == one.epochs * one.examples  # else that has a check of its own
    if times not in right and (complete or len(told) != len(losses)):
        got = f"live is called {len(told)} times, after {times} mini-batches"
        raise Failed(
            got, f"a call after each epoch: after {right[0]} mini-batches", mistake="train-live-at-other-times"
        )
    if len(losses) == len(values):
        with trial.clock.learner_code(trial.seconds):
            pairs = zip(values, losses, strict=True)
            same = [value is loss or repr(observed(value)) == repr(observed(loss)) for value, loss in pairs]
            if not all(same):
                got = f"live is told {[text_of(value, 30) for value in values]}"
                expected = f"the losses of the epochs, {[text_of(loss, 30) for loss in losses]}"
                raise Failed(got, expected, mistake="train-live-told-other-numbers")
    with trial.means({TypeError: "train-needs-live"}):
        training(trial, 5, 2, 1, live=False)


def test_train(
    train: Any,
    MyModule: Any,
    Parameter: Any,
    matmul: Any,
    SGD: Any,
    MSELoss: Any,
    MyTensor: Any,
    seed: int | None = None,
) -> Score:
    """The training loop of “Make a model!”: 6 points."""
    names = {"MyModule": MyModule, "Parameter": Parameter, "matmul": matmul, "SGD": SGD, "MSELoss": MSELoss}
    return TRAIN.score(seed, train=train, MyTensor=MyTensor, **names)


# ---------------------------------------------------------------- Make a model!

MODEL = Section(
    "model",
    "Make a model!",
    "tests.test_model(SuperModel, MSELoss, SGD, MyTensor)",
    builds_on=[
        (TENSOR, ["sub_gradient", "mul_gradient", "broadcast_new_axes", "paths"]),
        *((section, []) for section in (MODULE, MATMUL, LINEAR, RELU)),
    ],
    workshop=WORKSHOP,
)

DIGITS = Path(__file__).parent / "data" / "digits.npz"
LARGE_SCORES = 2.0  # of a new model, root mean square; the targets are 0 and 1
MOST_MOVED = 20  # parameters of a model that are moved by hand
# Each of some parameters is moved by hand, there and back: what a gradient says must then happen to the scores.
MOVING = """\
moved = [model(x).data.copy()]
for p, moves in zip(some, directions):
    old = p.tensor.data.copy()
    for move in moves:
        for step in (small, -small):
            p.tensor.data[...] = old + step * move
            moved.append(model(x).data.copy())
    p.tensor.data[...] = old"""
# Adam (Kingma and Ba 2015) learns at one rate with models of all widths and depths. The loss and the step are the
# check's own; of the learner's parts it uses the model, and the gradients of its parameters.
LESSON = """\
start = [p.tensor.data.copy() for p in parameters]
before = model(MyTensor(held_out)).data.copy()
means, squares = ([np.zeros(array.shape) for array in start] for _ in range(2))
for number, rows in enumerate(batches, 1):
    for p in parameters:
        p.tensor.grad = None
    y = model(MyTensor(images[rows]))
    y.backward(MyTensor((y.data - targets[rows]) / len(rows)))
    for p, mean, square in zip(parameters, means, squares):
        if p.tensor.grad is not None:
            gradient = np.asarray(p.tensor.grad.data)
            mean += 0.1 * (gradient - mean)
            square += 0.01 * (gradient**2 - square)
            size = np.sqrt(square / (1 - 0.99**number)) + 1e-8
            p.tensor.data[...] -= 0.01 * mean / (1 - 0.9**number) / size
after = model(MyTensor(held_out)).data.copy()
learned = [p.tensor.data.copy() for p in parameters]
for p, old, new in zip(parameters, start, learned):
    p.tensor.data[...] = (old + new) / 2
between = model(MyTensor(held_out)).data.copy()
for p, old in zip(parameters, start):
    p.tensor.data[...] = old
again = model(MyTensor(held_out)).data.copy()
for p, new in zip(parameters, learned):
    p.tensor.data[...] = 0 if p.tensor.grad is None else new
taught = model(MyTensor(held_out)).data.copy()"""


def batch(trial: Trial) -> tuple[str, np.random.Generator]:
    """Code for a model and its input, and a generator in the state in which the code leaves its own."""
    seed = int(trial.rng.integers(1000))
    random = np.random.default_rng(seed)
    random.random((5, 64))
    code = f"np.random.seed({seed})\nmodel = SuperModel()\n"  # learners' code mostly draws from it
    return f"{code}random = np.random.default_rng({seed})\nx = MyTensor(random.random((5, 64)))\n", random


def scores_in(trial: Trial, variables: dict[str, Any], name: str, shape: tuple[int, ...]) -> np.ndarray:
    scores = trial.read(variables, name)
    if scores.shape != shape:  # NumPy would stretch arrays of other shapes to fill the memory
        raise Failed(f"the scores have shape {scores.shape}", f"shape {shape}", mistake="model-wrong-shape")
    return scores


@MODEL.check(
    2, hints=["Make Linear layers in __init__ and call them in forward.", "Linear(64, 32), ReLU(), Linear(32, 10)"]
)
def model_shape(trial: Trial) -> None:
    """SuperModel maps images (n, 64) to scores (n, 10)"""
    code = batch(trial)[0] + "y = model(x)"
    try:
        variables = trial.run(code, see="y.shape")
    except ValueError:
        if trial.evidence[-1].got.kind == "shape":  # layers that do not fit together
            with trial.means({ValueError: "model-wrong-shape"}):
                raise
        raise
    if variables["y"] is None:
        raise Missing("model(x) returned None: not written yet")
    with trial.clock.learner_code(trial.seconds):
        shape = array_of(variables["y"], "y").shape
    if shape != (5, 10):
        raise Failed(f"y has shape {shape}", "y has shape (5, 10)", mistake="model-wrong-shape")


@MODEL.check(2, needs=["model_shape"], hints=["Put a ReLU between two Linear layers."])
def model_bends(trial: Trial) -> None:
    """It bends: not only a linear map"""
    code = batch(trial)[0] + "a, b = random.normal(size=(2, 5, 64))\n"
    code += "a_scores, b_scores = model(MyTensor(a)).data, model(MyTensor(b)).data\n"
    code += "middle, mean = model(MyTensor((a + b) / 2)).data, (a_scores + b_scores) / 2"
    variables = trial.run(code, see="middle - mean")
    middle, a, b = (scores_in(trial, variables, name, (5, 10)) for name in ("middle", "a_scores", "b_scores"))
    spread, rounding = np.abs(a - b).max(), 1e-6 * np.abs(a).max()
    if spread <= rounding:
        raise Failed("the output is the same for different inputs", "a bend somewhere", mistake="model-silent")
    if np.abs(middle - (a + b) / 2).max() <= 1e-4 * spread + rounding:
        got = "halfway between two inputs the output is halfway, too: one straight line"
        raise Failed(got, "a bend somewhere", mistake="model-straight")


@dataclass
class Moved:
    """What moving some of a model's parameters by hand has shown.

    Attributes:
        count: how many parameters there are.
        cold: of those without a gradient the shape, and whether the scores move with it.
        wrong: of those with a wrong gradient the shape, what it says of three directions, and what happens.
        judged: how many gradients were looked at.
    """

    count: int
    cold: list[tuple[tuple[int, ...], bool]]
    wrong: list[tuple[tuple[int, ...], np.ndarray, np.ndarray]]
    judged: int


def moved_by_hand(trial: Trial) -> Moved:
    """Move parameters a little, and see what the scores do."""
    code, random = batch(trial)
    base = random.normal(size=(5, 10))
    code += "y = model(x)\ny.backward(MyTensor(random.normal(size=(5, 10))))"
    variables = trial.run(code, see="[p.tensor.grad for p in model.parameters()]")
    scores = scores_in(trial, variables, "y", (5, 10))
    with trial.clock.learner_code(trial.seconds):
        parameters = listed(variables["model"].parameters())
        gradients = [parameter.tensor.grad for parameter in parameters]
        gradients = [None if gradient is None else array_of(gradient, "a gradient") for gradient in gradients]
        values = [array_of(parameter.tensor, "a parameter") for parameter in parameters]
    if not parameters:
        raise Failed("model.parameters() is empty", "its parameters", mistake="model-layers-not-registered")
    # Those without a gradient, and a few of the others; so little that hardly a ReLU switches.
    some = sorted(range(len(parameters)), key=lambda n: (gradients[n] is not None, trial.rng.random()))[:MOST_MOVED]
    small = 1e-3 * min((size for size in (np.sqrt(np.mean(array**2)) for array in values) if size), default=1.0)
    directions = [trial.rng.choice(np.array([-1, 1], np.int8), (3, *values[n].shape)) for n in some]
    variables |= {"some": [parameters[n] for n in some], "directions": directions, "small": small}
    snippet = trial.snippet
    try:
        moved = iter(trial.run(MOVING, **variables)["moved"])
    finally:
        trial.snippet = snippet
    if not np.array_equal(array_of(next(moved), "the scores"), scores):
        got = "the same model gives other scores for the same pictures"
        raise Failed(got, "the same scores again", mistake="model-changes")
    cold, wrong = [], []
    for n, moves in zip(some, directions, strict=True):
        shown = [array_of(next(moved), "the scores") for _ in range(2 * len(moves))]
        if any(array.shape != scores.shape for array in shown):
            raise Failed("other numbers in a parameter change the shape of the scores", mistake="model-wrong-shape")
        if gradients[n] is None:
            cold.append((values[n].shape, any(not np.array_equal(array, scores) for array in shown)))
            continue
        if gradients[n].shape != values[n].shape:
            raise Failed(f"a gradient has shape {gradients[n].shape}", f"{values[n].shape}, as its parameter")
        rise = np.array([np.vdot(base, array - scores) for array in shown]).reshape(-1, 2) * [1, -1] / small
        said = np.array([np.vdot(gradients[n], move) for move in moves])
        close = 0.1 * np.linalg.norm(gradients[n]) + 1e-6 * np.abs(base * scores).sum() / small  # and rounding
        smooth = np.abs(rise[:, 0] - rise[:, 1]) <= close  # no gradient is right at a kink
        if (smooth & (np.abs(rise.mean(axis=1) - said) > close)).any():
            wrong.append((values[n].shape, said, rise.mean(axis=1)))
    return Moved(len(parameters), cold, wrong, len(some) - len(cold))


@MODEL.check(
    1,
    needs=["model_shape"],
    hints=[
        "Assign every layer to an attribute (self.hidden = ...), and use each one in forward.",
        "If the earlier sections pass, look for .data in forward: it leaves the graph.",
    ],
)
def model_reached(trial: Trial) -> None:
    """Every parameter gets a gradient"""
    found = moved_by_hand(trial)
    if found.cold:
        raise Failed(
            f"{len(found.cold)} of {found.count} parameters have no gradient: "
            f"those of shape {[shape for shape, _ in found.cold]}",
            "parameters that all get a gradient",
            mistake="model-detached" if any(used for _, used in found.cold) else "model-layer-unused",
        )


@MODEL.check(
    1,
    needs=["model_shape"],
    hints=["If the earlier sections pass: does forward compute with the layers alone, each time in the same way?"],
)
def model_gradients(trial: Trial) -> None:
    """Each gradient says what the scores do when its parameter moves"""
    found = moved_by_hand(trial)
    if found.wrong:
        shape, said, rise = found.wrong[0]
        raise Failed(
            f"the gradient of the parameter of shape {shape} says that sum(base * y) rises "
            f"by {np.round(said, 3).tolist()} for a step in each of three directions",
            f"{np.round(rise, 3).tolist()}, which is what it does",
        )
    if not found.judged:
        raise Waits("waits for a parameter that gets a gradient")


@dataclass
class Lesson:
    """What a new model has learned.

    Attributes:
        share: of the digits it has not seen, those that it reads.
        size: root mean square of its scores before.
        whole: whether all parameters that the scores come from had a gradient.
    """

    share: float
    size: float
    whole: bool


def lesson(trial: Trial, steps: int) -> Lesson:
    """Train a new model for so many steps.

    Nobody who knows the digits can have known these: which class has which number, and which pixel stands where, is
    drawn anew; the labels of the pictures held out stay here.
    """
    if not DIGITS.is_file():
        raise Failed("the file data/digits.npz is not beside tests.py: get the whole workshop folder")
    with np.load(DIGITS) as digits:
        order = trial.rng.permutation(len(digits["labels"]))
        images, labels = digits["images"].reshape(-1, 64)[order] / 16, digits["labels"][order]
    images = (images - images.mean(axis=0))[:, trial.rng.permutation(64)]  # what lies around 0 is learned sooner
    images = images + trial.rng.normal(0, 0.02, images.shape)
    labels = trial.rng.permutation(10)[labels]
    shown, held_out = slice(0, 1437), slice(1437, None)
    variables = trial.run(f"np.random.seed({trial.rng.integers(1000)})\nmodel = SuperModel()")
    with trial.clock.learner_code(trial.seconds):
        parameters = listed(variables["model"].parameters())
    if not parameters:
        raise Failed("model.parameters() is empty", "its parameters", mistake="model-layers-not-registered")
    data = {"images": images[shown], "targets": np.eye(10)[labels[shown]], "held_out": images[held_out]}
    batches = trial.rng.integers(0, 1437, (steps, 32))
    try:
        variables = trial.run(LESSON, **variables, **data, parameters=parameters, batches=batches)
    finally:
        trial.snippet = None  # it needs the data: the notebook's own training loop shows the same
    shape = len(images) - 1437, 10
    before, after, between = (scores_in(trial, variables, name, shape) for name in ("before", "after", "between"))
    again, taught = (scores_in(trial, variables, name, shape) for name in ("again", "taught"))
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        raise Failed("the scores are not finite everywhere")
    if np.array_equal(before, after):
        with trial.clock.learner_code(trial.seconds):
            cold = all(parameter.tensor.grad is None for parameter in parameters)
        mistake = "model-silent" if not np.ptp(before, axis=0).any() else "model-detached" if cold else None
        raise Failed("training leaves the scores as they were", "scores that training changes", mistake=mistake)

    def same(one: np.ndarray, other: np.ndarray) -> bool:
        return np.allclose(one, other, rtol=1e-3, atol=1e-5 * np.abs(after).max())

    if not same(before, again) or same(between, before) or same(between, after):
        got = "with its old numbers back in all parameters, the model does not give its old scores"
        if same(before, again):
            got = "with other numbers in all parameters, the model gives the same scores"
        raise Failed(got, "scores that come from the parameters alone", mistake="model-beside-its-parameters")
    share = np.mean(after.argmax(axis=1) == labels[held_out])
    return Lesson(float(share), float(np.sqrt(np.mean(before**2))), same(taught, after))


# Two models, and the numbers in all parameters of the one in those of the other.
TWINS = """\
np.random.seed(1)
model, twin = SuperModel(), SuperModel()
for p, q in zip(model.parameters(), twin.parameters()):
    q.tensor.data[...] = p.tensor.data
x = MyTensor(np.random.default_rng(0).random((5, 64)))
scores, others = model(x).data.copy(), twin(x).data.copy()
alike = scores.shape == others.shape and bool(np.allclose(scores, others))"""


def unlisted(trial: Trial) -> str | None:
    """The mistake not to list all parameters: models that have the same in all that are listed give other scores."""
    found = trial.beside(trial.seconds).tries(TWINS)
    return "model-layers-not-registered" if found and found["alike"] is False else None


@MODEL.check(
    1,
    needs=["model_shape"],
    hints=["Do all units learn? Look for a ReLU after the last layer, and for weights that start far from 0."],
    seconds=20.0,
)
def model_learns(trial: Trial) -> None:
    """It learns: a short training lets it read half of the digits it has not seen"""
    found = lesson(trial, 60)
    if found.share < 0.5:
        got, mistake = f"{found.share:.0%} of the held-out digits right after 60 steps", None
        if found.size > LARGE_SCORES:  # it trains, but from too far away
            got += f"; a new model's scores are about {found.size:.2g}, the targets 0 or 1"
            mistake = "weights-too-large"
        raise Failed(got, "at least 50% (guessing gives 10%)", mistake=mistake or unlisted(trial))


@MODEL.check(
    1,
    needs=["model_learns"],
    hints=[
        "A few more units, or fewer layers?",
    ],
    seconds=20.0,
)
def model_reads(trial: Trial) -> None:
    """It learns to read nine of ten digits it has not seen"""
    for steps in (250, 1000):  # more where these are too few
        found = lesson(trial, steps)
        if not found.whole:  # what it reads, it reads with numbers that stay as they were drawn
            raise Failed("a parameter that the scores come from is not trained", mistake="model-detached")
        if found.share >= 0.9:
            return
    got = f"{found.share:.0%} of the held-out digits right after {steps} steps"
    raise Failed(got, "at least 90%", mistake=unlisted(trial))


def test_model(SuperModel: Any, MSELoss: Any, SGD: Any, MyTensor: Any, seed: int | None = None) -> Score:
    """Make a model!: 8 points. Loss and steps are the test's own: MSELoss and SGD have tests of their own."""
    return MODEL.score(seed, SuperModel=SuperModel, MSELoss=MSELoss, SGD=SGD, MyTensor=MyTensor)
