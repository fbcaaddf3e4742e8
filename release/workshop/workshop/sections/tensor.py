"""My automatic differentiation: the checks of `MyTensor`."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from checks.observe import Failed, Missing, OutOfTime, Waits, an, class_name, compiled, text_of
from checks.programs import Program
from checks.report import Score
from checks.section import Section
from checks.trial import CHECK_SECONDS, PROGRAM_SECONDS, Workaround, literal
from workshop import oracle
from workshop.assignment import ASSIGNMENT
from workshop.reading import is_bare
from workshop.sections.programs import (
    PARTS,
    SYMBOLS,
    again,
    computes,
    differentiates,
    once,
    operator_that_works,
    operators_that_compute,
    pairs,
    parts_that_work,
    shapes,
)
from workshop.trial import TensorTrial

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
    assignment=ASSIGNMENT,
    workarounds=[FLAG, BASE],
    draws=False,
)


TENSOR.stage("data", "A tensor holds numbers")


@TENSOR.check(
    0.5,
    hints=[
        "NumPy does the work: np.array(data).",
        "Keep it in self.__data and give it back in data, with @property above: t.data has no parentheses.",
    ],
)
def create(trial: TensorTrial) -> None:
    """A tensor holds the numbers it is given"""
    for data in ("[1.5, 2.5]", literal(trial.draw(2, 3)), f"np.array({literal(trial.draw(3))})"):
        trial.expect(f"t = MyTensor({data})", t=np.array(eval(data), dtype=np.float64))


@TENSOR.check(
    0.5,
    needs=["create"],
    hints=["np.array takes lists, tuples and single numbers alike: does your test of the type let them through?"],
)
def kinds(trial: TensorTrial) -> None:
    """So it does with tuples, single numbers, NumPy's numbers, whole numbers"""
    for data in ("1.5", "2", "np.float32(0.5)", "np.int64(3)", "[1, 2]", "(1.5, 2)", "((1.5, 2.5), [3.5, 4.5])"):
        with trial.means({TypeError: "kinds-refused", ValueError: "kinds-refused"}):
            trial.expect(f"t = MyTensor({data})", t=np.array(eval(data), dtype=np.float64))


@TENSOR.check(
    1, needs=["create"], hints=["np.array(data, dtype=dtype): None lets NumPy choose.", "self.dtype is the array's."]
)
def types(trial: TensorTrial) -> None:
    """dtype is the array's: the one that was asked for, else NumPy's choice"""
    for data, asked in (("[1.5, 2.5]", "float32"), ("[1, 2]", "float64"), ("np.array([1.5, 2.5])", "float32")):
        code = f"t = MyTensor({data}, dtype=np.{asked})\nname = 'None' if t.dtype is None else np.dtype(t.dtype).name"
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
            code = f"t = MyTensor({data})\nname = 'None' if t.dtype is None else np.dtype(t.dtype).name"
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
def refuse(trial: TensorTrial) -> None:
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
def attributes(trial: TensorTrial) -> None:
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
def printing(trial: TensorTrial) -> None:
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
    code = "t = MyTensor([1.5, -2.5])\nbefore = repr(t)\nt.data[:] = 7.5\nafter = repr(t)"
    variables = trial.run(f"{code}\nchanged = t.data.tolist() == [7.5, 7.5]", see="after")
    if variables["changed"] is True and "7.5" not in str.__str__(variables["after"]):
        raise Failed(f"repr gives {text_of(str.__str__(variables['after']))}", "the values of now: 7.5, twice")


@TENSOR.check(
    1,
    needs=["create"],
    hints=[
        "Python calls __getitem__(index) and __setitem__(index, value).",
        "Hand the index on to the array.",
        "data gives the array itself: who writes into that, writes into the tensor.",
    ],
)
def indexing(trial: TensorTrial) -> None:
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
    if trial.first is None:  # who holds the array sees what is written
        code = "t = MyTensor([1.5, 2.5])\nheld = t.data\nt[0] = 9.5"
        trial.see(trial.run(code), {"held.tolist()": [9.5, 2.5]}, code)


@TENSOR.check(
    0.5, needs=["create"], hints=["np.array(data) makes a copy, np.asarray(data) does not: which one do you keep?"]
)
def copied(trial: TensorTrial) -> None:
    """An array that is handed in is copied"""
    for array, given in (
        ("np.array([1.5, 2.5])", "array"),
        ("np.array([1.5, 2.5], dtype=np.float32)", "array"),
        ("np.array([1.5, 2.5])", "array, dtype=np.float64"),  # asked for what it is: np.asarray makes no copy
    ):
        code = f"array = {array}\nt = MyTensor({given})\narray[0] = 9.5"
        trial.see(trial.run(code), {"t.data": np.array([1.5, 2.5])}, code, {"t.data": "array-not-copied"})
    code = "t, other = MyTensor(1.5), MyTensor(1.5)\nshared = t.data is other.data"  # nor do two of one number
    if trial.first is None and (variables := trial.tries(code)):
        trial.see(variables, {"shared": False}, code)


TENSOR.stage("operators", "Operators")


def values(name: str, symbol: str, reflected: str) -> None:
    """The checks of a binary operator's values: of two tensors, and of a number on either side."""

    @TENSOR.check(1, id=name, title=f"The value of a {symbol} b", needs=["create"])
    def value(trial: TensorTrial) -> None:
        for shape in shapes(trial, (), (2,), (2, 3)):
            a, b = literal(trial.draw(*shape)), literal(trial.draw(*shape))
            trial.same(f"a = MyTensor({a})\nb = MyTensor({b})\ny = a {symbol} b", "y")
        trial.same(f"a = MyTensor([1, 2])\nb = MyTensor([4, 3])\ny = a {symbol} b", "y")

    @TENSOR.check(
        0.5,
        id=f"{name}_numbers",
        title=f"Numbers on either side: a {symbol} 2, 2 {symbol} a",
        needs=[name],
        hints=[
            f"Which one fails? Python computes 2 {symbol} a by asking the right operand: a.{reflected}(2).",
            f"Turn the number into a MyTensor first; mind which operand stands left in 2 {symbol} a.",
        ],
    )
    def numbers(trial: TensorTrial) -> None:
        trial.same(f"y = MyTensor([1, 2]) {symbol} 0.5", "y")
        trial.same(f"y = 0.5 {symbol} MyTensor([1, 2])", "y")
        for number in ("2", "0.5"):
            a = literal(trial.draw(2))
            trial.same(f"a = MyTensor({a})\ny = a {symbol} {number}", "y")
            trial.same(f"a = MyTensor({a})\ny = {number} {symbol} a", "y")


for _name, _symbol, _reflected in (
    ("add", "+", "__radd__"),
    ("sub", "-", "__rsub__"),
    ("mul", "*", "__rmul__"),
    ("div", "/", "__rtruediv__"),
):
    values(_name, _symbol, _reflected)


@TENSOR.check(0.5, needs=["create"])
def power(trial: TensorTrial) -> None:
    """The value of a ** 2, a ** -1, a ** 0.5"""
    for exponent in (2, 3, -1, 0.5):
        trial.same(f"a = MyTensor({literal(trial.draw(2, positive=True))})\ny = a ** {exponent}", "y")


@TENSOR.check(0.5, needs=["create"], hints=["__neg__: -a is a * -1."])
def negative(trial: TensorTrial) -> None:
    """The value of -a"""
    for shape in ((2,), (2, 3)):
        trial.same(f"a = MyTensor({literal(trial.draw(*shape))})\ny = -a", "y")


@TENSOR.check(0.5, needs=["create"], hints=["requires_grad of the result: left.requires_grad or right.requires_grad."])
def flag(trial: TensorTrial) -> None:
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
def records(trial: TensorTrial) -> None:
    """Recorded is what requires a gradient, and nothing else"""
    operators_that_compute(trial)
    operations = ["a + b", "a - b", "a * b", "a / b", "a ** 2", "a + 2", "2 * a", "-a"]
    for operation in itertools.compress(operations, computes(trial, *operations)):
        code = f"a = MyTensor([1.5])\nb = MyTensor([2.5])\ny = {operation}"
        with trial.case():
            variables = trial.run(code)
            always = "number-requires-grad" if operation in ("a + 2", "2 * a") else "requires-grad-always"
            means = {"y.requires_grad": always, "y.backward_op is None": "recorded-without-need"}
            trial.see(variables, {"y.requires_grad": False, "y.backward_op is None": True}, code, means)
    # ** and -a have one input, and are written apart: to record them is forgotten easily.
    for operation in itertools.compress(operations, computes(trial, *operations)):
        code = "a = MyTensor([1.5], requires_grad=True)\nb = MyTensor([2.5], requires_grad=True)\n"
        code = trial.adapted(f"{code}y = {operation}")
        with trial.case():
            variables = trial.run(code, see="y.backward_op")
            with trial.clock.learner_code(trial.seconds):
                lacks = variables["y"].backward_op is None
            trial.observe(code, "y.backward_op is None", False, lacks, not lacks)
            if lacks:
                what = f"y is {operation}" if operation in ("-a", "a ** 2") else "y requires a gradient"
                raise Failed(f"{what}, but its backward_op is None", "the operation that made y")


TENSOR.stage("gradients", "Gradients of one operation")


def gradient(name: str, symbol: str, *hints: str) -> None:
    """The check of a binary operator's gradients."""

    @TENSOR.check(1, id=f"{name}_gradient", title=f"The gradients of a {symbol} b", needs=[name], hints=hints)
    def gradient(trial: TensorTrial) -> None:
        trial.gradients(f"y = a {symbol} b", *({"a": shape, "b": shape} for shape in ((), (2,), (2, 3))))


gradient(
    "add",
    "+",
    "add_deriv is given, and calls unbroadcast: for equal shapes that returns the gradient as it is.",
    "backward calls the rule, and keeps what it returns on the leaves.",
)


gradient(
    "sub",
    "-",
    "Nudge b up: a - b goes down.",
    "d(a-b)/da = 1, d(a-b)/db = -1, times the upstream gradient.",
)
gradient(
    "mul",
    "*",
    "How fast does a * b grow when a grows?",
    "d(ab)/da = b, d(ab)/db = a, times the upstream gradient.",
)
gradient(
    "div",
    "/",
    "Write a / b as a * b**-1.",
    "d(a/b)/da = 1/b, d(a/b)/db = -a/b**2, times the upstream gradient.",
)


@TENSOR.check(
    1,
    needs=["power"],
    hints=[
        "The power drops by one.",
        "d(a**n)/da = n * a**(n-1), times the upstream gradient.",
    ],
)
def power_gradient(trial: TensorTrial) -> None:
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
def power_zero(trial: TensorTrial) -> None:
    """The gradient of a ** 0 is 0; at a = 0 the rule holds, too"""
    for exponent in (0, 2, 1):
        trial.gradients(f"y = a ** {exponent}", {"a": [1.5, 0.0]})


@TENSOR.check(0.5, needs=["negative"], hints=["-a is a * -1: recorded as such, it needs no rule of its own."])
def negative_gradient(trial: TensorTrial) -> None:
    """The gradient of -a"""
    trial.gradients("y = -a", {"a": (2,)}, {"a": (2, 3)})


@TENSOR.check(
    0.5,
    needs=["create"],
    hints=[
        "Which one fails? In 2 - a the tensor is the right operand, and gets the right operand's gradient.",
        "Turn the number into a MyTensor first: the operation is then recorded as any other.",
    ],
)
def numbers_gradient(trial: TensorTrial) -> None:
    """Gradients with a number on either side: a - 2, 2 / a"""
    symbols = [symbol for symbol in operators_that_compute(trial) if differentiates(trial, symbol)]
    codes = [code for symbol in symbols for code in (f"a {symbol} 2.5", f"2.5 {symbol} a")]
    known = [*itertools.compress(codes, computes(trial, *codes))]
    if not known:
        raise Waits("waits for an operator that is right with numbers, and whose gradients are right")
    for code, number in itertools.product(known, ("2", "0.5")):
        trial.gradients(f"y = {code.replace('2.5', number)}", {"a": (2,)})


@TENSOR.check(0.5, needs=["create"], hints=["Skip every input whose requires_grad is False."])
def constants(trial: TensorTrial) -> None:
    """Constants get no gradient"""
    y = f"y = a {operator_that_works(trial)} c"
    trial.gradients(y, {"a": (2,)}, constants={"c": trial.draw(2)})
    code = f"a = MyTensor([1.5], requires_grad=True)\nc = MyTensor([2.5])\n{y}\ny.backward(MyTensor([0.5]))"
    code = trial.adapted(code)
    with trial.case():
        trial.see(trial.run(code), {"c.grad": None}, code)
    if trial.first is None:
        code = "a = MyTensor([1.5])\nbefore = a.grad\na.backward(MyTensor([0.5]))"
        with trial.means({Exception: "backward-without-grad"}):
            variables = trial.run(code)
        means = {"a.grad": "backward-without-grad"} if variables["before"] is None else None
        trial.see(variables, {"a.grad": None}, code, means)


@TENSOR.check(
    1,
    needs=["create"],
    hints=["The walk starts with base.data, or with np.ones(self.shape) where there is no base."],
)
def upstream(trial: TensorTrial) -> None:
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


TENSOR.stage("broadcasting", "Broadcasting")


@TENSOR.check(
    1,
    needs=["create"],
    hints=[
        "NumPy repeated b for every row: every row sends a gradient back.",
        "Sum the gradient over the axes that b did not have, so that it gets b's shape.",
    ],
)
def broadcast_new_axes(trial: TensorTrial) -> None:
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
def broadcast_length_one(trial: TensorTrial) -> None:
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
def broadcast_operators(trial: TensorTrial) -> None:
    """Broadcasting over both at once, and with -, * and /"""
    usual = operator_that_works(trial)
    for one, other in (((1, 3), (3,)), ((2, 1), (4, 2, 3)), ((3, 2, 2), (1, 2))):
        trial.gradients(f"y = a {usual} b", {"a": one, "b": other})
    others = [each for each in operators_that_compute(trial) if each != usual and differentiates(trial, each)]
    if not others:
        raise Waits("waits for a second operator whose value and gradients are right")
    for symbol in others:
        trial.gradients(f"y = a {symbol} b", {"a": (2, 3), "b": (3,)}, {"a": (3, 1), "b": (3, 2)})


TENSOR.stage("graphs", "Any graph")


@TENSOR.check(
    0.5,
    needs=["create"],
    hints=[
        "In y = a + a, a reaches y on two paths.",
        "Add the contributions, and hand a tensor's gradient on only when all its consumers have sent theirs.",
    ],
)
def paths(trial: TensorTrial) -> None:
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
def late_use(trial: TensorTrial) -> None:
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
def accumulate(trial: TensorTrial) -> None:
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
def walk_again(trial: TensorTrial) -> None:
    """A graph may be walked again, and graphs may share tensors"""
    works = parts_that_work(trial)
    operator_that_works(trial)
    trial.programs(lambda choices: again(choices, works), given=lambda choices: again(choices, works, first_only=True))


@TENSOR.check(
    0.5,
    needs=["create"],
    hints=["Only leaves keep what arrives; on all others grad stays None.", "A leaf is a tensor without backward_op."],
)
def leaves_only(trial: TensorTrial) -> None:
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
def untouched(trial: TensorTrial) -> None:
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
    0.5,
    needs=["accumulate"],
    hints=[
        "After `x.grad = g`, `x.grad += 1` changes g too.",
        "Copy before storing: np.array(data) copies, np.asarray(data) does not.",
    ],
)
def independent(trial: TensorTrial) -> None:
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
def visited_once(trial: TensorTrial) -> None:
    """Shared work is done once, however deep the graph"""
    symbol = operator_that_works(trial)
    for rung, count, error, mistake in (
        ("y + y", 40, OutOfTime, "path-by-path"),
        ("(y + c) + (y + c)", 30, OutOfTime, "path-by-path"),
        ("y + c", 2000, RecursionError, "recursion-limit"),
    ):
        if trial.first is None:
            ladder(trial, rung.replace("+", symbol), count, error, mistake)


def ladder(trial: TensorTrial, rung: str, count: int, error: type[BaseException], mistake: str) -> None:
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
def programs(trial: TensorTrial) -> None:
    """Any program: random compositions of what works alone"""
    operator_that_works(trial)
    works = parts_that_work(trial)
    if len(operators_that_compute(trial)) < 3 or not works & {*SYMBOLS}:
        raise Waits("waits for at least three of the operators + - * /, and the gradients of one")
    trial.pairs(pairs(works))
    if trial.first is None:
        trial.programs(lambda choices: once(choices, works))


def test_tensor_class(MyTensor: Any, seed: int | None = None, until: str | None = None) -> Score:
    """My automatic differentiation: 40 points; `until` is the stage to stop at, such as "operators"."""
    return TENSOR.score(seed, until=until, MyTensor=MyTensor)
