"""The mistakes that learners make: what each one computes, and the words for it. Every mistake is listed here, once.

`known(...)` adds a mistake; its ways are changes (changes.py) to a Library (imitation.py) that make it. Of a mistake
without ways they are generated from what was observed (slips.py); or it is read from the text of an exception
(exceptions.py), or recognized by the check itself, which raises `Failed(..., mistake=id)`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from checks.changes import (
    BINARY,
    ORDERS,
    REFLECTED,
    SYMBOLS,
    UNARY,
    Change,
    along_every_path,
    asks_truth,
    asks_truth_of_buffer,
    averaged,
    axis_ignored,
    base_kept,
    below,
    beyond_leaves,
    both,
    by_repetition,
    by_size,
    by_value,
    clipped,
    counting_each_consumer_once,
    cut,
    decaying,
    dropped_in_turn,
    everything,
    extra,
    first,
    first_axis_once,
    first_only,
    first_stretched_once,
    flag_lost,
    follows_one,
    forget_after,
    from_the_leaves,
    from_the_left,
    gradient_only,
    heavy_ball,
    in_place,
    inner_grad,
    inner_kept,
    into_buffers,
    keep_in_place,
    last,
    last_axes,
    last_saved,
    leaf_buffer_kept,
    merge_in_place,
    misplaced,
    moving,
    mse,
    needs_as,
    needs_both,
    negative,
    no_reflected,
    number_breaks_backward,
    number_breaks_forward,
    number_breaks_on_both_sides,
    of_operators,
    once_each,
    one_path,
    one_zero_instead,
    only,
    part,
    rebind,
    rebind_plain,
    rebind_recorded,
    rebind_with_gradient,
    recorded_twice,
    reduced,
    reductions,
    reflected_as,
    reflected_not_recorded,
    reflected_rule_of,
    refusing,
    returns_operand,
    rule,
    same_input_once,
    shaped_as,
    starting,
    stop_at_none,
    taken_apart,
    tape_emptied,
    too_early,
    total,
    turned,
    value,
    values_to_zero,
    waiting,
    without_own,
    without_upstream,
    wraps_flagged,
    writes_operand,
    writes_upstream,
    zero,
    zero_is_none,
    zero_is_nothing,
    zeros_instead,
)
from checks.imitation import Library, Tensor, rows

MATHEMATICS = "Automatic differentiation > The mathematics"
PATHS = "Automatic differentiation > Several paths: a sum"
BEHAVES = "Automatic differentiation > How MyTensor behaves"
HINTS = "Automatic differentiation > Hints"
EVERYWHERE = "tensor module matmul linear relu sgd mseloss train model"
DAG = "Automatic differentiation > My automatic differentiation"


@dataclass(eq=False)
class Mistake:
    """A known mistake.

    Attributes:
        id: stable name, kebab-case.
        sections: ids of the sections of tests.py in which it shows.
        title: what is observed, in one line.
        hints: the nudge, the rule, and where to read in the notebook.
        ways: how a library makes it.
    """

    id: str
    sections: tuple[str, ...]
    title: str
    hints: tuple[str, str, str]
    ways: list[Way] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Way:
    """One way to make a mistake: what is observed, in one line, and the change to a library."""

    mistake: Mistake
    says: str
    change: Change


KNOWN: dict[str, Mistake] = {}


# What may be made of what, without any mistake: then a mistake in one operation shows in the other, too.
NEG = ("neg", lambda library, a: library.binary("mul", a, -1))
SUB = ("sub", lambda library, a, b: library.apply("add", a, library.apply("neg", b)))
DIV = ("div", lambda library, a, b: library.apply("mul", a, library.apply("pow", b, -1)))
STYLE = Mistake("", (), "", ("", "", ""))
STYLES: list[Way] = [  # each with a pattern of the code that it makes a difference to
    Way(STYLE, code, lambda library, built=built: library.built.update(built))
    for code, *built in (
        (r"[-=+*/(] ?-[a-z(]", NEG),
        (r"[-=+*/(] ?-[a-z(]", ("neg", lambda library, a: library.reflected("mul", a, -1))),
        (r"[-=+*/(] ?-[a-z(]", ("neg", lambda library, a: library.reflected("sub", a, 0))),
        (r"\w - \w", SUB),
        (r"\w - \w", NEG, SUB),
        (r"\w - \w", ("sub", lambda library, a, b: library.apply("add", a, library.binary("mul", b, -1)))),
        (r"\w / \w", DIV),
        (
            r"layer\(",
            ("linear", lambda library, x, w, b: library.apply("add", library.apply("matmul", x, w), b)),
        ),
    )
]
DIVISION = next(style for style in STYLES if style.says == r"\w / \w")
# How the gradients of an engine may be added up, where one of another shape raises an exception.
BUFFERS = [Way(STYLE, "", into_buffers(stretches)) for stretches in (True, False)]


def known(
    id: str, sections: str, title: str, nudge: str, rule: str, read: str, *ways: Change | tuple[str, Change]
) -> None:
    """Add a mistake; a way may have a line of its own."""
    assert id not in KNOWN, id
    mistake = KNOWN[id] = Mistake(id, tuple(sections.split()), title, (nudge, rule, f"Read “{read}” in the notebook."))
    for way in ways:
        says, change = way if isinstance(way, tuple) else (title, way)
        mistake.ways.append(Way(mistake, says, change))


# Changes of memory that others see: they can look like many a wrong formula, which is tried first.
LAST_TRIED = {"operand-changed", "upstream-changed", "saved-shared"}


def of(section: str) -> Iterator[Mistake]:
    """The mistakes that show in a section."""
    return (mistake for mistake in KNOWN.values() if section in mistake.sections)


# ---------------------------------------------------------------- the tensor: making one

known(
    "data-not-array",
    "tensor",
    "data is not a NumPy array",
    "What can an np.ndarray do that a list cannot?",
    "Keep np.array(data, dtype=dtype), and hand that array out as data.",
    BEHAVES,
)
known(
    "dtype-ignored",
    "tensor",
    "the dtype that was asked for is not the dtype of the data",
    "Who reads the argument dtype?",
    "np.array(data, dtype=dtype): None lets NumPy choose.",
    "Tensors > Types",
)
known(
    "accepts-anything",
    "tensor",
    "data that are no numbers are accepted",
    "What should MyTensor('text') do?",
    "Test the type first: isinstance(data, (list, tuple, np.ndarray, np.number, int, float)); else raise TypeError.",
    BEHAVES,
)
known(
    "kinds-refused",
    "tensor",
    "data that MyTensor should take are refused",
    "Which types does your test let through?",
    "isinstance(data, (list, tuple, np.ndarray, np.number, int, float)) lets all through that hold numbers.",
    BEHAVES,
    ("tuples are refused", refusing(tuple)),
    ("single numbers are refused", refusing(int, float, np.number)),
    ("single numbers and tuples are refused", refusing(int, float, np.number, tuple)),
    ("whole numbers are refused", refusing(int, np.integer)),
    ("NumPy's numbers are refused", refusing(np.number)),
    ("NumPy's numbers and tuples are refused", refusing(np.number, tuple)),
    ("Python's numbers are refused", refusing(int, float)),
)
known(
    "wrong-exception",
    "tensor",
    "data that are no numbers raise something else than TypeError",
    "Which exception tells that a value has the wrong type?",
    "raise TypeError(...) before NumPy sees the data.",
    BEHAVES,
)
known(
    "strides-in-elements",
    "tensor",
    "strides count elements, not bytes",
    "NumPy and PyTorch count strides differently. Which one is the array yours is made of?",
    "Hand on the array's own strides: they count bytes.",
    "Tensors > Strides",
    part(strides=lambda data: tuple(n // data.itemsize for n in data.strides)),
)
known(
    "size-is-length",
    "tensor",
    "size is something else than the number of elements",
    "How many numbers does a tensor of shape (2, 3) hold?",
    "size is the product of the shape: hand on the array's own size.",
    BEHAVES,
    part(size=lambda data: data.shape[0] if data.ndim else 1),
    part(size=lambda data: data.nbytes),
    part(size=lambda data: data.ndim),
    part(size=lambda data: data.shape),
)
known(
    "grad-not-none",
    "tensor",
    "grad of a new tensor is not None",
    "Which gradient has a tensor that no backward() has reached?",
    "self.grad = None in the constructor: a gradient of 0 is something else than none.",
    BEHAVES,
)
known(
    "requires-grad-ignored",
    "tensor",
    "requires_grad of a new tensor is not what was asked for",
    "Who reads the argument requires_grad, and what is it where nobody gives it?",
    "requires_grad=False in the signature, self.requires_grad = requires_grad in the constructor.",
    BEHAVES,
)
known(
    "repr-without-values",
    "tensor",
    "repr does not show the values",
    "What would you like to see when you print a tensor?",
    "An f-string puts values into text: f'{self.__data}'.",
    BEHAVES,
)
known(
    "repr-without-requires-grad",
    "tensor",
    "repr is the same with and without requires_grad",
    "Two tensors differ in requires_grad only. How does a reader tell?",
    "Put requires_grad into the text of repr.",
    BEHAVES,
)
known(
    "write-lost",
    "tensor",
    "t[1, 2] = 9.5 does not change t",
    "Which array do you write into: the tensor's own, or a copy of it?",
    "self.__data[index] = value.",
    BEHAVES,
    part(write=lambda tensor, index, value: None),
)

known(
    "dtype-not-kept",
    "tensor",
    "a NumPy array changes its dtype when it becomes a tensor",
    "Which dtype has np.array(data, dtype=None)?",
    "np.array(data, dtype=dtype): with None the data keep the dtype they have.",
    BEHAVES,
)
known(
    "dtype-attribute",
    "tensor",
    "t.dtype is not the dtype of t.data",
    "Who tells the attribute what NumPy has chosen?",
    "self.dtype = array.dtype, after the array is made.",
    BEHAVES,
)
known(
    "property-writable",
    "tensor",
    "data, shape, strides or size can be assigned",
    "What should t.shape = (3, 3) do?",
    "A property without a setter is read-only: put @property above the method, and nothing else.",
    BEHAVES,
)
known(
    "data-is-copy",
    "tensor",
    "t.data gives a copy: what is written into it does not reach the tensor",
    "An optimizer writes into parameter.tensor.data. Which array should change?",
    "return self.__data, the array itself.",
    BEHAVES,
)
known(
    "index-gives-tensor",
    "tensor",
    "t[1, 0] is a MyTensor, not a plain NumPy value",
    "What does indexing promise: a tensor, or NumPy's values?",
    "return self.__data[index]: outside the graph, nothing to wrap.",
    BEHAVES,
)
known(
    "array-not-copied",
    "tensor",
    "the tensor shares memory with the array it was made from",
    "Who else holds the array that you keep?",
    "np.array(data) copies; np.asarray(data) keeps an array that is handed in.",
    BEHAVES,
)
known(
    "result-aliased",
    "tensor relu",
    "a result shares memory with an operand",
    "Does every operation make an array of its own, also where it changes no value?",
    "Compute with NumPy's operators: they make a new array. Do not return self.",
    BEHAVES,
)

# ---------------------------------------------------------------- the tensor: operators, and their rules


for op, (code, rule_text) in {**BINARY, **UNARY}.items():
    known(
        f"{op}-sign",
        "tensor",
        f"a gradient of {code} has the right size but the wrong sign",
        f"Nudge one operand of {code} up a little: does the result go up or down?",
        rule_text,
        MATHEMATICS,
    )
    known(
        f"{op}-upstream-missing",
        "tensor",
        f"the rule of {code} leaves the upstream gradient out",
        "With an upstream gradient of ones it looks right. What if y is only a step on the way to the result?",
        "Chain rule: the operation's own derivative times the upstream gradient. " + rule_text,
        MATHEMATICS,
    )
    known(
        f"{op}-gradient-zero",
        "tensor",
        f"a gradient of {code} is 0 everywhere",
        f"Nudge one operand of {code} up a little: does the result really stay?",
        rule_text,
        MATHEMATICS,
    )
    known(
        f"{op}-upstream-squared",
        "tensor",
        f"the rule of {code} multiplies by the upstream gradient twice",
        "Double the upstream gradient: by how much should the result grow?",
        "Multiply by the upstream gradient once. " + rule_text,
        MATHEMATICS,
    )
    known(
        f"{op}-slope",
        "tensor",
        f"the rule of {code} is another formula",
        f"Nudge one operand of {code} up a little: by how much does the result grow?",
        rule_text,
        MATHEMATICS,
    )

for op, (code, rule_text) in BINARY.items():
    known(
        f"{op}-wrong-operation",
        "tensor",
        f"{code} computes something else",
        f"What is [1, 2] {SYMBOLS[op]} [4, 3]?",
        f"Call NumPy's function for {SYMBOLS[op]}; was this operator copied from another one?",
        BEHAVES,
    )
    known(
        f"{op}-not-recorded",
        "tensor",
        f"an operand of {code} gets no gradient",
        "Is the operand among those that the operation remembers, and does the rule return a gradient for it?",
        "Record both operands, in the order in which the rule expects them; it returns one gradient for each.",
        HINTS,
        *((f"{code} sends no gradient to {'ab'[place]}", cut(op, place)) for place in (0, 1)),
        (f"{code} sends no gradient to a and b", cut(op, 0, 1)),
    )
    known(
        f"{op}-rule-of-another",
        "tensor",
        f"the gradients of {code} are those of another operation",
        f"Which rule does {SYMBOLS[op]} hand to MyCrossBackward?",
        rule_text,
        MATHEMATICS,
    )
    if op in ("sub", "div"):
        known(
            f"{op}-operands-swapped",
            "tensor",
            f"{code} gives b {SYMBOLS[op]} a",
            f"In {code} Python calls a.{REFLECTED[op].replace('__r', '__')}(b): which one is self?",
            f"self is the left operand: self {SYMBOLS[op]} other.",
            BEHAVES,
        )
    if op == "div":  # in a - b an exchange is a wrong sign on both sides
        known(
            f"{op}-gradients-exchanged",
            "tensor",
            f"the gradients of a and b in {code} are exchanged",
            "Which of the two gradients does a rule return first?",
            "One gradient for each input, in the order of the inputs. " + rule_text,
            MATHEMATICS,
        )

    def reversed_number(library: Library, op: str = op) -> None:
        binary = library.binary
        library.reflected = lambda name, right, number: (
            binary(op, right, number) if name == op else Library.reflected(library, name, right, number)
        )

    def reversed_inputs(library: Library, op: str = op) -> None:
        """The value is right, but the rule sees the operands in the wrong order."""

        def reflected(name: str, right: Tensor, number: float) -> Tensor:
            result = Library.reflected(library, name, right, number)
            if name == op and result.op:
                result.op = (op, result.op[1][::-1])
            return result

        library.reflected = reflected

    if op in ("sub", "div"):
        known(
            f"r{op}-reversed",
            "tensor",
            f"2 {SYMBOLS[op]} a gives a {SYMBOLS[op]} 2",
            f"Python asks the right operand: in a.{REFLECTED[op]}(2), which one is self?",
            f"self is the right operand there: the result is other {SYMBOLS[op]} self.",
            BEHAVES,
            reversed_number,
        )
        known(
            f"r{op}-gradient-reversed",
            "tensor",
            f"the value of 2 {SYMBOLS[op]} a is right, its gradient is that of a {SYMBOLS[op]} 2",
            f"Which rule does 2 {SYMBOLS[op]} a record, and in which order does it remember the operands?",
            f"The rule of {SYMBOLS[op]}, with the operands as they stand in 2 {SYMBOLS[op]} a: the number first.",
            BEHAVES,
            reversed_inputs,
        )


known(
    "mul-own-operand",
    "tensor",
    "the gradients of a * b use the operand itself instead of the other one",
    "How fast does a * b grow when a grows: does that depend on a or on b?",
    "Use the other operand: " + BINARY["mul"][1],
    MATHEMATICS,
)
known(
    "div-not-squared",
    "tensor",
    "d(a / b)/db divides by b instead of b**2",
    "Write a / b as a * b**-1. What is the derivative of b**-1?",
    BINARY["div"][1],
    MATHEMATICS,
)
known(
    "div-numerator-missing",
    "tensor",
    "d(a / b)/db lacks the factor a",
    "Double a: how does the slope of a / b along b change?",
    BINARY["div"][1],
    MATHEMATICS,
)
known(
    "div-left-wrong",
    "tensor",
    "d(a / b)/da is not 1 / b",
    "a / b is a * (1 / b): how fast does it grow with a?",
    BINARY["div"][1],
    MATHEMATICS,
)
KNOWN["pow-sign"].ways.append(
    Way(
        KNOWN["pow-sign"],
        "the gradient of a ** n loses the sign of a",
        rule("pow", lambda g, a, n: (g * n * a.abs() ** (n - 1),)),
    )
)
known(
    "pow-exponent-kept",
    "tensor",
    "the gradient of a ** n keeps the power n instead of n - 1",
    "The derivative of a**2 is 2a, not 2a**2. What happened to the power?",
    UNARY["pow"][1],
    MATHEMATICS,
    *(
        (f"d(a ** n)/da is {text}: n - 1 belongs in parentheses", rule("pow", formula))
        for text, formula in (
            ("base * n * a**n - 1", lambda g, a, n: (g * n * a**n - 1,)),
            ("base * (n * a**n - 1)", lambda g, a, n: (g * (n * a**n - 1),)),
        )
    ),
)
known(
    "pow-factor-missing",
    "tensor",
    "the gradient of a ** n lacks the factor n",
    "The derivative of a**3 is 3 a**2. Where does the 3 come from?",
    UNARY["pow"][1],
    MATHEMATICS,
    ("d(a ** n)/da has the factor n - 1 in place of n", rule("pow", lambda g, a, n: (g * (n - 1) * a ** (n - 1),))),
)
for text, formula in (
    ("base * (n * a)**(n - 1)", lambda g, a, n: (g * (n * a) ** (n - 1),)),
    ("(base * n * a)**(n - 1)", lambda g, a, n: ((g * n * a) ** (n - 1),)),
    ("(base * a)**(n - 1) * n", lambda g, a, n: (n * (g * a) ** (n - 1),)),
):
    slope = KNOWN["pow-slope"]
    slope.ways.append(Way(slope, f"d(a ** n)/da is {text}: only a belongs under the power", rule("pow", formula)))
known(
    "pow-only-squares",
    "tensor",
    "the gradient of a ** n is right for n = 2 only",
    "Try n = 3, and n = -1.",
    UNARY["pow"][1],
    MATHEMATICS,
)
known(
    "pow-wrong-variable",
    "tensor",
    "the gradient of a ** n is the derivative with respect to n",
    "n is a plain number here. Which of the two may change?",
    UNARY["pow"][1],
    MATHEMATICS,
    rule("pow", lambda g, a, n: (g * a**n * a.log(),)),
    rule("pow", lambda g, a, n: (g * a**n * a.abs().log(),)),
    (
        "the rule of a ** n takes a for n and n for a: base * a * n**(a - 1)",
        rule("pow", lambda g, a, n: (g * a * n ** (a - 1),)),
    ),
)
known(
    "pow-at-zero",
    "tensor",
    "the gradient of a ** n is wrong where a or n is 0",
    "What are d(a**0)/da, d(a**1)/da and d(a**2)/da at a = 0?",
    "n * a**(n-1) as it stands, and zeros where n is 0 (not where a is 0): 0 * 0**-1 is no number.",
    MATHEMATICS,
    *(
        (says, rule("pow", formula))
        for says, formula in (
            ("d(a ** 0)/da is 0 * a**-1: no number where a is 0", lambda g, a, n: (g * n * a ** (n - 1),)),
            ("d(a ** n)/da divides by a: no number where a is 0", lambda g, a, n: (g * n * a**n / a if n else 0 * g,)),
            ("d(a ** n)/da divides by a: no number where a is 0", lambda g, a, n: (g * n * a**n / a,)),
            (
                "the gradient of a ** n is 0 wherever a is 0",
                lambda g, a, n: ((g * n * a ** (n - 1)).where(a != 0, 0 * g),),
            ),
            *(
                (
                    f"d(a ** 0)/da is {text}: the value of a ** 0 is 1, its slope is 0",
                    lambda g, a, n, times=times: (g * n * a ** (n - 1) if n else 0 * g + times(g),),
                )
                for text, times in (("base", lambda g: g), ("1", lambda g: 1))
            ),
            (
                "the gradient of a ** n is 0 for every n below 1",
                lambda g, a, n: (g * n * a ** (n - 1) if n >= 1 else 0 * g,),
            ),
            (
                "the gradient of a ** n is 0 for every n that is not above 0",
                lambda g, a, n: (g * n * a ** (n - 1) if n > 0 else 0 * g,),
            ),
        )
    ),
)
known(
    "pow-wrong-operation",
    "tensor",
    "a ** n computes something else",
    "What is 3 ** 2?",
    "NumPy's operator for a power is **: the array first, then the number.",
    BEHAVES,
)
known(
    "pow-not-recorded",
    "tensor",
    "a ** n sends no gradient to a",
    "Is a among those that the operation remembers, and does the rule return a gradient for it?",
    "Record a and the power with pow_deriv, as + does with add_deriv; it returns a gradient and None.",
    HINTS,
    cut("pow", 0),
)
known(
    "neg-not-negated",
    "tensor",
    "-a gives a",
    "Which method does Python call for -a, and what should it return?",
    "__neg__ returns self * -1.",
    BEHAVES,
)
known(
    "neg-not-recorded",
    "tensor",
    "-a sends no gradient to a",
    "Is -a an operation of the graph, or only a new array?",
    "-a is a * -1: the multiplication records itself.",
    BEHAVES,
    cut("neg", 0),
)


known(
    "integer-truncation",
    "tensor",
    "fractions are cut off: a result is kept in whole numbers",
    "Which dtype have [1, 2] and the result of [1, 2] / 2?",
    "Let NumPy choose the dtype of a result, and make a number a tensor with its own dtype.",
    "Tensors > Types",
    part(truncates="results"),
    part(truncates="numbers"),
    part(truncates="both"),
    ("the numbers a tensor is given are cut to whole ones", part(truncates="data")),
    ("the numbers a tensor is given are cut to whole ones, when no dtype is given", part(truncates="data alone")),
)
known(
    "pow-exponent-cut",
    "tensor",
    "a ** n is right for some whole n only",
    "What are 4 ** 0.5 and 4 ** -1, and what does your ** do with such an n?",
    "NumPy's ** takes any number: the array ** n, without int(n) and without a loop.",
    BEHAVES,
    ("a ** n cuts n to a whole number", value("pow", lambda a, n: a ** int(n))),
    (
        "a ** n cuts n to a whole number",
        both(value("pow", lambda a, n: a ** int(n)), rule("pow", lambda g, a, n: (g * int(n) * a ** (int(n) - 1),))),
    ),
    ("a ** n is right for whole n from 0 on only", value("pow", lambda a, n: a ** max(0, int(n)))),
    ("the gradient of a ** n cuts n to a whole number", rule("pow", lambda g, a, n: (g * int(n) * a ** (int(n) - 1),))),
    *(
        ("the gradient of a ** n cuts n - 1 to a whole number", rule("pow", formula))
        for formula in (
            lambda g, a, n: (g * n * a ** int(n - 1),),
            lambda g, a, n: (g * n * a ** (int(n) - 1),),
        )
    ),
    *(
        (f"a ** n multiplies a by itself, which is right for whole n from {least} on only", change)
        for least, change in ((least, value("pow", by_repetition(least))) for least in (0, 1))
    ),
    (
        "the gradient of a ** n takes a power of 0 where n - 1 is below 0",
        rule("pow", lambda g, a, n: (g * n * a ** max(n - 1, 0),)),
    ),
    ("the gradient of a ** n loses the sign of n - 1", rule("pow", lambda g, a, n: (g * n * a ** abs(n - 1),))),
    ("the gradient of a ** n loses the sign of n", rule("pow", lambda g, a, n: (g * abs(n) * a ** (n - 1),))),
)
known(
    "floor-division",
    "tensor",
    "a / b is rounded down, as // does",
    "What are 7 / 2 and 7 // 2?",
    "/ divides, // also rounds down: np.divide, or / between the arrays.",
    BEHAVES,
)
known(
    "written-in-place",
    EVERYWHERE,
    "a result with fractions is written into an array of whole numbers that is there already",
    "-=, *= and out= write into an array that is there. Whose is it, and of which dtype?",
    "Make a new array, a - b in place of a -= b: NumPy then chooses its dtype, and nobody else's array changes.",
    BEHAVES,
)
known(
    "reflected-missing",
    "tensor",
    "a number on the left does not work",
    "In 2 + x Python asks 2 first, which does not know MyTensor. Whom does it ask next?",
    "Python tries the right operand's method: __radd__, __rsub__, __rmul__, __rtruediv__.",
    BEHAVES,
)
known(
    "number-not-wrapped",
    "tensor",
    "a plain number as an operand does not work",
    "What does your operator expect of `other`, and what does 2 not have?",
    "Wrap a number first: if it is not a MyTensor, make one of it. Then there is only one case left.",
    HINTS,
)


for id, changes in {
    "reflected-missing": of_operators(no_reflected),
    "number-not-wrapped": [
        *of_operators(number_breaks_forward),
        *of_operators(number_breaks_on_both_sides),
        *of_operators(number_breaks_backward),
        *of_operators(functools.partial(number_breaks_backward, left_too=False)),
    ],
}.items():
    KNOWN[id].ways += [Way(KNOWN[id], KNOWN[id].title, change) for change in changes]

for op, symbol in SYMBOLS.items():
    two = f"2 {symbol} a"
    for id, says, change in (
        (f"{op}-not-recorded", f"{two} sends no gradient to a", functools.partial(reflected_not_recorded, op=op)),
        *(
            (
                f"{op}-wrong-operation",
                f"{two} gives 2 {SYMBOLS[other]} a",
                functools.partial(reflected_as, op=op, other=other),
            )
            for other in SYMBOLS
            if other != op
        ),
        *(
            (
                f"{op}-rule-of-another",
                f"the gradient of {two} is that of 2 {SYMBOLS[other]} a",
                functools.partial(reflected_rule_of, op=op, other=other),
            )
            for other in SYMBOLS
            if other != op and (op, other) != ("sub", "add")  # that is rsub-gradient-reversed
        ),
    ):
        KNOWN[id].ways.append(Way(KNOWN[id], says, change))

for op, code in {**{op: code for op, (code, _) in {**BINARY, **UNARY}.items()}}.items():
    lost = KNOWN[f"{op}-not-recorded"]
    needs = functools.partial(lambda op, name, tensors: name != op and any(x.requires_grad for x in tensors), op)
    lost.ways.append(Way(lost, f"the result of {code} requires no gradient", part(needs=needs)))
    recorded = functools.partial(lambda op, name, needed: needed and name != op, op)
    lost.ways.append(Way(lost, f"the result of {code} is a new leaf, without the operation", part(records=recorded)))
    if op in BINARY:
        for place, side in ((0, "left"), (1, "right")):
            needs = functools.partial(follows_one, op, place)
            lost.ways.append(Way(lost, f"the result of {code} follows its {side} operand only", part(needs=needs)))
        says = f"the result of {code} requires a gradient only if both operands do"
        lost.ways.append(Way(lost, says, part(needs=functools.partial(needs_both, op))))

for ops, code in ((tuple(SYMBOLS), "an operation"), *(((op,), code) for op, (code, _) in BINARY.items())):
    lost = KNOWN[f"{ops[0]}-not-recorded"]
    for place, side in ((0, "left"), (1, "right")):
        says = f"{code} records its {side} operand twice, and not the other one"
        lost.ways.append(Way(lost, says, recorded_twice(place, *ops)))

# ---------------------------------------------------------------- the tensor: broadcasting


WIDE = "the gradient of a broadcast operand has the shape of the result, not of the operand"
known(
    "not-unbroadcast",
    "tensor",
    WIDE,
    "NumPy repeated the smaller operand. Every repetition is one more path: where do their gradients meet?",
    "Sum the gradient over the axes that were stretched, until it has the operand's shape.",
    MATHEMATICS,
    reduced(lambda g, *_: g),
    reduced(lambda g, *_: g, place=0),
    reduced(lambda g, *_: g, place=1),
    *reductions("left as they are"),
    ("only the first of several new axes is summed", reduced(first_axis_once)),
    (
        "only the first of several new axes is summed",
        reduced(from_the_left(lambda g, shape: g.sum(0) if extra(g, shape) else g)),
    ),
    ("new axes are not summed", reduced(from_the_left(lambda g, shape: g))),
    ("a gradient with as many elements as the operand keeps its own shape", reduced(by_size)),
    ("only the first of several stretched axes is summed", reduced(first_stretched_once)),
    *(
        (f"in {BINARY[op][0]} the gradient is summed before it is multiplied, and not after", too_early(op, *places))
        for op in ("mul", "div")
        for places in ((0,), (1,), (0, 1))
    ),
    *(
        (
            f"in a {SYMBOLS[op]} b the gradient of a broadcast operand has the shape of the result",
            reduced(lambda g, *_: g, op, place=at),
        )
        for op in ("sub", "mul", "div")
        for at in (None, 0, 1)
    ),
    *(
        (
            f"in {' and '.join(SYMBOLS[op] for op in ops)} the gradient of a broadcast operand has the result's shape",
            reduced(lambda g, *_: g, *ops),
        )
        for ops in (("sub", "mul"), ("sub", "div"), ("mul", "div"), ("sub", "mul", "div"))
    ),
)
known(
    "unbroadcast-averages",
    "tensor",
    "the gradient of a broadcast operand is an average, not a sum",
    "Three rows use the same number. Does nudging it change the result as much as one row, or as three?",
    "Each repetition is a path, and paths add up: sum(...), not mean(...).",
    MATHEMATICS,
    reduced(averaged),
    *reductions("averaged", "left as they are", False),
    *(
        (
            f"in a {SYMBOLS[op]} b the gradient of a broadcast operand is an average, not a sum",
            reduced(averaged, op, place=at),
        )
        for op in ("sub", "mul", "div")
        for at in (None, 0, 1)
    ),
)
known(
    "axis-dropped",
    "tensor",
    "an axis of length 1 is lost in the gradient",
    "What shape has the sum of a (3, 4) array over its last axis, and what shape has the operand?",
    "Sum with keepdims=True over the axes that had length 1: they stay, with length 1.",
    MATHEMATICS,
    reduced(dropped_in_turn),
    *reductions(False, "left as they are"),
)
known(
    "unbroadcast-wrong-axis",
    "tensor",
    "the gradient of a broadcast operand is summed over the wrong axis",
    "Shapes are aligned at the right. On which side do the new axes stand?",
    "New axes stand in front: sum over the first ones.",
    "Tensors > Shape",
    reduced(last_axes),
    reduced(from_the_left(lambda g, shape: total(g, [-1 - n for n in range(len(extra(g, shape)))]))),
)
known(
    "unbroadcast-other-shape",
    "tensor",
    "a gradient gets the shape of another operand, not of its own",
    "Whose shape has the gradient of b: that of a, of the result, or of b?",
    "unbroadcast(gradient of a, shape of a), and unbroadcast(gradient of b, shape of b).",
    MATHEMATICS,
    *(
        (says.format(code), shaped_as(which, raising, *ops))
        for code, ops in (("an operation", ()), *((code, (op,)) for op, (code, _) in BINARY.items()))
        for says, which in (
            ("all gradients of {} get the shape of its first operand", lambda place: 0),
            ("all gradients of {} get the shape of its last operand", lambda place: -1),
            ("the gradients of {} get the shape of the other operand", lambda place: 1 - place),
        )
        for raising in (False, True)
    ),
)
known(
    "unbroadcast-takes-one",
    "tensor",
    "the gradient of a broadcast operand counts one repetition only",
    "Every row used the operand. Why should only one of them send a gradient?",
    "Sum over all repetitions.",
    MATHEMATICS,
    *reductions("cut to their first element", "left as they are", False, "averaged"),
    *reductions("cut to their largest element", "left as they are", False, "averaged", "cut to their first element"),
)
known(
    "unbroadcast-sums-all",
    "tensor",
    "the gradient of a broadcast operand is the sum over all elements",
    "Which elements of the result depend on the first element of the operand?",
    "Sum over the stretched axes only; the others stay.",
    MATHEMATICS,
    reduced(everything),
    reduced(lambda g, *_: g.sum()),
)

# ---------------------------------------------------------------- the tensor: recording


known(
    "requires-grad-lost",
    "tensor",
    "a result does not require a gradient although an operand does",
    "If one operand can change, can the result?",
    "requires_grad of the result: left.requires_grad or right.requires_grad.",
    BEHAVES,
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
    BEHAVES,
    part(needs=lambda op, tensors: True),
)
known(
    "recorded-without-need",
    "tensor",
    "an operation is recorded although no operand requires a gradient",
    "Who will ever walk through this part of the graph?",
    "Record only when left.requires_grad or right.requires_grad; else backward_op stays None.",
    BEHAVES,
)
known(
    "number-requires-grad",
    "tensor",
    "a plain number as an operand becomes a tensor that requires a gradient",
    "In x + 2, who wants the gradient of 2?",
    "MyTensor(2): requires_grad is False by default.",
    BEHAVES,
    wraps_flagged,
)
known(
    "not-recorded",
    "tensor",
    "backward_op of a result is None although an operand requires a gradient",
    "Where can backward() find the operation that made the tensor?",
    "Pass the MyCrossBackward to the result: MyTensor(values, requires_grad=True, crossOpBack=...).",
    HINTS,
    part(records=lambda op, needed: False),
)
known(
    "gradient-on-constants",
    "tensor",
    "a tensor that requires no gradient gets one",
    "Who asked for the gradient of a constant?",
    "Skip every input whose requires_grad is False.",
    BEHAVES,
    part(follows=lambda tensor: True),
)
known(
    "upstream-wrong-shape",
    "tensor",
    "backward() without an argument does not start from ones in the shape of the output",
    "How many numbers has the output, and which gradient has each of them with respect to itself?",
    "np.ones(self.shape): a 1 for every element of the output.",
    BEHAVES,
)
known(
    "backward-without-grad",
    "tensor",
    "backward() of a tensor that requires no gradient does something",
    "What is there to do for a tensor that nobody wants a gradient of?",
    "if not self.requires_grad: return.",
    BEHAVES,
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
    HINTS,
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
    HINTS,
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
            ("base without its sign", lambda base: base.abs()),
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
    BEHAVES,
    part(keep=first),
)
known(
    "zero-taken-for-none",
    "tensor",
    "a gradient of 0 is taken for no gradient",
    "+1 and then -1 makes 0. How does your code tell this 0 from `nothing yet`?",
    "Test `grad is None`: a gradient of 0 is a gradient.",
    HINTS,
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
    HINTS,
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
    "handed-on-again",
    "tensor",
    "a tensor that is used twice hands its whole gradient on twice",
    "When the second contribution arrives, which part of the sum has been handed on already?",
    "Hand on once, when all contributions have arrived. Or, on each path, hand on the new contribution only.",
    HINTS,
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
    DAG,
    part(walk=from_the_leaves(False)),
    part(walk=from_the_leaves(False, zeros=True)),
)
known(
    "walk-incomplete",
    "tensor",
    "only the inputs of the last operation get a gradient: the walk ends there, or goes the wrong way round",
    "The result's inputs have their gradient now. Who hands it on to *their* inputs?",
    "Go through the topological order from its end, the result: every operation on the way hands on to its inputs.",
    DAG,
    part(walk=from_the_leaves(True)),
)
known(
    "share-lost",
    "tensor",
    "only one of the two inputs of an operation gets a gradient, whatever the operation",
    "A rule returns one gradient for each input. Does backward() hand on all of them, and remembers an operation both?",
    "for tensor, share in zip(op.inputs, op.run(gradient)): each input gets its share.",
    DAG,
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
    DAG,
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
    BEHAVES,
    part(walk=beyond_leaves),
)
known(
    "path-by-path",
    "tensor",
    "a shared tensor is visited once for every path: 40 in a row take 2**40 visits",
    "A tensor used twice, ten times in a row, has 1,024 paths. How many tensors are there?",
    "Visit each tensor once, when all contributions to it have arrived.",
    HINTS,
)
known(
    "recursion-limit",
    "tensor",
    "a chain of 2,000 operations exceeds Python's recursion limit",
    "How many calls are open at the same time, when backward() calls itself for every operation?",
    "Use a stack: a list with append and pop, and a loop.",
    HINTS,
)
known(
    "stale-backward",
    "tensor",
    "a second backward() counts the first one again",
    "What of the first call is still stored when the second one starts?",
    "Clear it: start every backward() with an empty dictionary of gradients, and an empty record.",
    BEHAVES,
    leaf_buffer_kept,
)


known(
    "stale-inner-gradients",
    "tensor",
    "a second walk hands on again what tensors on the way received in the first one",
    "y.backward() twice: which gradient has y itself when the second walk starts?",
    "The gradients of one walk belong to it: a dictionary that every backward() makes anew.",
    BEHAVES,
    inner_kept,
)
known(
    "graph-taken-apart",
    "tensor",
    "backward() takes the graph apart: a second one finds less of it",
    "What does the second backward() find that the first one has left?",
    "A graph may be walked again: leave backward_op as it is.",
    BEHAVES,
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
    BEHAVES,
    inner_grad,
)
known(
    "saved-shared",
    "tensor",
    "results of one operation share what it saved: the last one overwrites what the others need",
    "a * b alone is right. What does the next multiplication do with what the first one keeps for backward()?",
    "Keep the inputs in an object of their own for every result: MyCrossBackward(left, right, ...).",
    HINTS,
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
    BEHAVES,
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
    HINTS,
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
    BEHAVES,
    *(part(keep=clipped(most)) for most in (1, 5, 10, 100)),
)
known(
    "gradient-aliased",
    "tensor",
    "two gradients share memory: changing one changes the other",
    "After `x.grad = g`, what does `x.grad += 1` do to g?",
    "Copy before storing.",
    HINTS,
    (
        "contributions are added into an array that another tensor also holds",
        part(merge=lambda old, new: old.add_(new)),
    ),
    *(
        (
            "contributions are added into an array that another tensor also holds",
            part(merge=lambda old, new: old.add_(new), walk=waiting(newest, turned, False)),
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
        for more in ({}, {"merge": lambda old, new: old.add_(new)}, {"walk": along_every_path})
    ),
)
known(
    "gradient-read-only",
    "tensor",
    "a gradient is a read-only view: writing into it raises an exception",
    "np.broadcast_to gives a view in which one number stands for many. Who may write there?",
    "Store a copy: np.array(...), or start from np.ones(...).",
    HINTS,
)

# ---------------------------------------------------------------- modules

MODULES = "PyTorch architecture"


known(
    "parameters-nested-missing",
    "module",
    "parameters() leaves out those of sub-modules",
    "A network is a module made of layers. Where are its weights?",
    "The module's own parameters, then those of every sub-module: each of them has parameters(), too.",
    MODULES,
)
known(
    "parameters-some-modules",
    "module",
    "parameters() reaches some of the sub-modules only",
    "Is there a return inside the loop over the sub-modules, or does one take the other's place?",
    "Go through all of them, and return after the loop.",
    MODULES,
)
known(
    "parameters-kept-between-calls",
    "module",
    "parameters() still holds what it held when it was called before",
    "Where does the list begin to exist: in the call, or before it?",
    "Make it in parameters(): found = []. A default argument, found=[], or an attribute is the same one in each call.",
    MODULES,
)
known(
    "parameters-used-up",
    "module",
    "a second call of parameters() finds less than the first one",
    "What does the first call leave behind, and where does it stand: in the call, or outside it?",
    "What was visited is a matter of one call: make the set in it, and hand it on to those of the sub-modules.",
    MODULES,
)
known(
    "parameters-of-first-call",
    "module",
    "parameters() lists what was there when it was called first, whatever was assigned since",
    "What does the second call do: look again, or give back what the first one found?",
    "Collect anew in each call: modules change between two calls.",
    MODULES,
)
known(
    "parameters-of-all-modules",
    "module",
    "parameters() of a new module holds those of other modules",
    "Whose dictionary is it: the object's, or the class's?",
    "Make it in __init__, one for each object: what stands in the class itself is shared by all.",
    MODULES,
)
known(
    "parameters-one-level",
    "module",
    "parameters() leaves out those of modules in modules",
    "It works for one level. What does a sub-module do about *its* sub-modules?",
    "Call parameters() of each sub-module: recursion reaches any depth.",
    MODULES,
)
known(
    "parameters-own-missing",
    "module",
    "parameters() leaves out the module's own ones",
    "Which parameters were assigned to the module itself?",
    "Start with self.__parameters.values(), then add those of the sub-modules.",
    MODULES,
    part(parameters=without_own),
    part(parameters=lambda module: []),
)
known(
    "parameters-shared-twice",
    "module",
    "a shared parameter is listed twice",
    "Two names, one object. How often would the optimizer move it?",
    "Collect in a dictionary with id(parameter) as the key: each object is there once.",
    MODULES,
)
known(
    "parameters-replaced-kept",
    "module",
    "a parameter or module that was replaced is still listed",
    "m.first was assigned twice. Which object does m.first name now?",
    "Keep parameters by name in a dictionary: a new one takes the old one's place.",
    MODULES,
)
known(
    "parameters-not-parameters",
    "module",
    "parameters() holds something else than Parameters",
    "What does an optimizer do with each thing in the list?",
    "List the Parameter objects themselves, in one flat list.",
    MODULES,
)
known(
    "call-returns-nothing",
    "module",
    "calling a module gives None",
    "Where does the result of forward go?",
    "return self.forward(x).",
    MODULES,
)
known(
    "parameters-by-value",
    "module",
    "different parameters with equal values are listed once",
    "Are two parameters the same because they hold the same numbers?",
    "Sharing means being the same object: compare with `is`, or by id(parameter).",
    MODULES,
    part(parameters=by_value),
)
known(
    "parameters-by-name",
    "module",
    "of parameters with the same name in different modules only one is listed",
    "Every Linear has a `weight`. What happens to a dictionary with the key 'weight'?",
    "Use the object, not its name: id(parameter) is the key.",
    MODULES,
    part(parameters=lambda module: list(dict(reversed(below(module))).values())),
    part(parameters=lambda module: list(dict(below(module)).values())),
)

# ---------------------------------------------------------------- matmul

MATMUL = "Base layers > Matrix multiplication"


known(
    "matmul-elementwise",
    "matmul",
    "matmul multiplies element by element",
    "What is (2, 3) times (3, 4)?",
    "In NumPy `*` works element by element; the matrix product is `@`.",
    MATMUL,
)
known(
    "matmul-wrong-operation",
    "matmul",
    "matmul(a, b) computes something else",
    "What is (2, 3) times (3, 4), and what becomes of it in your function?",
    "NumPy's operator is @: hand its result on as it is.",
    MATMUL,
)
known(
    "matmul-operands-swapped",
    "matmul",
    "matmul(a, b) gives b @ a",
    "A matrix product is not the same the other way round. Which operand stands on the left?",
    "a.data @ b.data.",
    MATMUL,
)
known(
    "matmul-transposed",
    "matmul",
    "matmul transposes where it should not",
    "(n, k) times (k, m) is (n, m). What has to be turned over on the way forward?",
    "Nothing: a.data @ b.data.",
    MATMUL,
)


known(
    "matmul-transpose-missing",
    "matmul",
    "a gradient of matmul multiplies by the other operand without turning it over",
    "The upstream gradient has shape (n, m), b has (k, m), and the gradient of a (n, k). Which product fits?",
    "base @ b.T for a, and a.T @ base for b.",
    MATMUL,
    (
        "for a single row, a is not turned over: a row is its own transpose, it has to become a matrix first",
        rule("matmul", lambda g, a, b: (lambda: g @ b.T, lambda: (a.T if a.ndim == 2 else rows(a)) @ rows(g))),
    ),
    (
        "for a single row, a is not turned over: a row is its own transpose, it has to become a matrix first",
        rule("matmul", lambda g, a, b: (g @ b.T, (a.T if a.ndim == 2 else rows(a)) @ rows(g))),
    ),
)
known(
    "matmul-factors-swapped",
    "matmul",
    "a gradient of matmul has its two factors in the wrong order",
    "Which of base and the other operand stands on the left?",
    "base @ b.T for a, and a.T @ base for b: everything stays on its side.",
    MATMUL,
)
known(
    "matmul-gradient-transposed",
    "matmul",
    "a gradient of matmul is transposed",
    "A gradient has the shape of its tensor. Which shape has yours?",
    "base @ b.T for a, and a.T @ base for b.",
    MATMUL,
)
known(
    "matmul-gradients-exchanged",
    "matmul",
    "the gradients of a and b are exchanged",
    "Which of the two gradients does a rule return first?",
    "One gradient for each input, in the order of the inputs: (base @ b.T, a.T @ base).",
    MATMUL,
)
known(
    "matmul-gradient-elementwise",
    "matmul",
    "a gradient of matmul multiplies element by element",
    "Element A[i, l] takes part in a whole row of the result. How many products add up?",
    "The gradients are matrix products again: base @ b.T for a, and a.T @ base for b.",
    MATMUL,
)
known(
    "matmul-gradient-averaged",
    "matmul",
    "a gradient of matmul is the mean over the rows of the batch, not the sum",
    "The loss divides by the number of examples, if it wants a mean. Should the product divide once more?",
    "base @ b.T for a, and a.T @ base for b, without dividing.",
    MATMUL,
    *(
        (
            f"the gradient of {letters} is divided by the number of rows",
            only(places, "matmul", lambda right, place, g, a, b: right(g, a, b)[place] / rows(a).shape[0]),
        )
        for letters, places in (("a", (0,)), ("b", (1,)), ("a and b", (0, 1)))
    ),
)
known(
    "matmul-not-recorded",
    "matmul",
    "an operand of matmul gets no gradient",
    "Which tensors must the operation remember, so that backward() finds them?",
    "Record both operands, when one of them requires a gradient.",
    MATMUL,
    ("matmul sends no gradient to a", cut("matmul", 0)),
    ("matmul sends no gradient to b", cut("matmul", 1)),
    cut("matmul", 0, 1),
    ("matmul is recorded only if a requires a gradient", part(needs=lambda op, tensors: tensors[0].requires_grad)),
    ("matmul is recorded only if b requires a gradient", part(needs=lambda op, tensors: tensors[1].requires_grad)),
    ("matmul is recorded only if both require a gradient", part(needs=lambda op, ts: all(t.requires_grad for t in ts))),
    ("the result of matmul is a new leaf, without the operation", part(records=lambda op, needed: False)),
    ("the result of matmul requires no gradient", part(needs=lambda op, tensors: False)),
)
for id, says, wrong, nudge in (
    ("matmul-sign", "has the right size but the wrong sign", negative, "Is there a minus in the formulas?"),
    ("matmul-gradient-zero", "is 0 everywhere", zero, "Does the product really not change with its operand?"),
    (
        "matmul-upstream-missing",
        "is the same for every upstream gradient",
        without_upstream,
        "What if y is only a step on the way to the result?",
    ),
):
    known(
        id,
        "matmul",
        f"a gradient of matmul {says}",
        nudge,
        "base @ b.T for a, and a.T @ base for b.",
        MATMUL,
        *(
            (f"the gradient of {letters} {says}", only(places, "matmul", wrong))
            for letters, places in (("a", (0,)), ("b", (1,)), ("a and b", (0, 1)))
        ),
    )

# ---------------------------------------------------------------- Linear

LINEAR = "Base layers > Linear and ReLU"
known(
    "linear-not-registered",
    "linear",
    "the layer computes, and its parameters() is empty",
    "Where are weight and bias kept: each in an attribute of the layer, as a Parameter?",
    "self.weight = Parameter(MyTensor(...)), and the same for self.bias: a list or a plain tensor is not registered.",
    LINEAR,
)
known(
    "linear-bias-missing",
    "linear",
    "parameters() of a Linear layer holds no bias",
    "What does the layer give for an input of zeros?",
    "y = x W + b, with two parameters: self.weight and self.bias = Parameter(MyTensor(np.zeros(output_size))).",
    LINEAR,
)
known(
    "linear-weight-missing",
    "linear",
    "parameters() of a Linear layer holds no weight",
    "Which numbers of the layer shall training change?",
    "self.weight = Parameter(MyTensor(...)): MyModule registers it by itself.",
    LINEAR,
)
known(
    "zero-initialisation",
    "linear",
    "the weights do not start random",
    "Two units with equal weights get equal gradients. Will they ever differ?",
    "Draw them: np.random.uniform(-bound, bound, (input_size, output_size)).",
    LINEAR,
)
known(
    "units-alike",
    "linear",
    "numbers of a new weight repeat: not each place is drawn on its own",
    "Two units with equal weights get equal gradients. Will they ever differ?",
    "Draw a number for every place: np.random.uniform(-bound, bound, (input_size, output_size)).",
    LINEAR,
)
known(
    "linear-parameter-shape",
    "linear",
    "a parameter of the layer has another shape than its sizes ask for",
    "Linear(3, 2) makes 2 numbers of 3. How many weights and how many biases does that take?",
    "The weight has the shape (input_size, output_size), the bias (output_size,).",
    LINEAR,
)
known(
    "weights-drawn-once",
    "linear",
    "two new layers have the same weights",
    "When are the random numbers drawn: once, or for each layer?",
    "Draw them in __init__, without a fixed seed.",
    LINEAR,
)
known(
    "weights-not-finite",
    "linear",
    "new weights are not numbers: they hold nan or inf",
    "Where do they come from: a division by 0, or memory that nothing was written into?",
    "np.random.uniform(-bound, bound, (input_size, output_size)), bound = 1 / np.sqrt(input_size).",
    LINEAR,
)
known(
    "weights-on-one-side",
    "linear",
    "the weights lie on one side of 0",
    "np.random.rand draws between 0 and 1. Could a unit then lower a score when its input grows?",
    "Draw both signs alike: np.random.uniform(-bound, bound, (input_size, output_size)).",
    LINEAR,
)
known(
    "weights-too-large",
    "linear model",
    "the numbers of a new layer start too large for training",
    "A unit adds up one product for each of its inputs. How large does the sum get with a hundred of them?",
    "Smaller, the more inputs there are: np.random.uniform(-bound, bound), bound = 1 / np.sqrt(input_size).",
    LINEAR,
)
known(
    "weights-too-small",
    "linear",
    "the weights start so small that next to nothing gets through the layer",
    "Each layer shrinks what it hands on, and what it hands back. What is left after three?",
    "np.random.uniform(-bound, bound), bound = 1 / np.sqrt(input_size).",
    LINEAR,
)
known(
    "linear-bias-not-added",
    "linear",
    "the layer does not add its bias",
    "What does the layer give for an input of zeros?",
    "y = x W + b.",
    LINEAR,
    value("linear", lambda x, w, b: x @ w),
    ("the layer subtracts its bias", value("linear", lambda x, w, b: x @ w - b)),
    ("the layer adds its bias twice", value("linear", lambda x, w, b: x @ w + b + b)),
)
known(
    "linear-weight-orientation",
    "linear",
    "x and the weight meet the wrong way round",
    "Which of the two stands left in the product, and which axis of the weight belongs to the inputs?",
    "With a weight of shape (inputs, outputs), y = matmul(x, weight) + bias: x stands left.",
    LINEAR,
    value("linear", lambda x, w, b: x @ w.T.reshape(w.shape) + b),
    value("linear", lambda x, w, b: x @ w.T + b),
    value("linear", lambda x, w, b: w @ x + b),
)
known(
    "linear-row-refused",
    "linear",
    "a single row of shape (inputs,) does not work",
    "Which shape has one input that is no batch?",
    "NumPy's @ takes a vector on the left; a rule may treat it as a matrix of one row.",
    LINEAR,
)
known(
    "linear-row-becomes-batch",
    "linear",
    "a single row comes back as a batch of one",
    "One row goes in, of shape (inputs,). Which shape comes out?",
    "Shape (inputs,) gives (outputs,); shape (n, inputs) gives (n, outputs).",
    LINEAR,
    value("linear", lambda x, w, b: rows(x) @ w + b),
)
known(
    "bias-not-summed",
    "linear",
    "the gradient of the bias is not summed over the batch",
    "The bias is used once for every row. How many contributions does it get?",
    "Sum the upstream gradient over the batch: axis 0.",
    LINEAR,
    only((2,), "linear", lambda right, place, g, *_: g),
    (
        "the gradient of the bias counts one row of the batch only",
        only((2,), "linear", lambda right, place, g, *_: rows(g)[0]),
    ),
    (
        "the gradient of the bias counts one row of the batch only",
        only((2,), "linear", lambda right, place, g, *_: rows(g)[-1]),
    ),
    (
        "the gradient of the bias is summed over the wrong axis",
        only((2,), "linear", lambda right, place, g, *_: rows(g).sum(1)),
    ),
    ("the gradient of the bias is one sum over everything", only((2,), "linear", lambda right, place, g, *_: g.sum())),
)
known(
    "bias-averaged",
    "linear",
    "the gradient of the bias is the mean over the batch, not the sum",
    "The loss divides by the number of examples, if it wants a mean. Should the layer divide once more?",
    "Sum over the batch.",
    LINEAR,
    only((2,), "linear", lambda right, place, g, *_: rows(g).mean(0)),
)
known(
    "weight-averaged",
    "linear",
    "the gradient of the weight is the mean over the batch, not the sum",
    "The loss divides by the number of examples, if it wants a mean. Should the layer divide once more?",
    "x.T @ base, without dividing.",
    LINEAR,
    only((1,), "linear", lambda right, place, g, x, *_: right(g, x, *_)[1] / rows(x).shape[0]),
)
known(
    "linear-detached",
    "linear",
    "a gradient does not get through the Linear layer",
    "Does the layer compute with tensors, or with their arrays?",
    "Compute with self.weight.tensor and x themselves, not with their data: the graph has to see them.",
    LINEAR,
    ("the weight gets no gradient", cut("linear", 1)),
    ("the bias gets no gradient", cut("linear", 2)),
    ("the input gets no gradient", cut("linear", 0)),
    ("weight and bias get no gradient", cut("linear", 1, 2)),
    ("neither the parameters nor the input get a gradient", cut("linear", 0, 1, 2)),
    ("weight and input get no gradient", cut("linear", 0, 1)),
)
for id, says, wrong, nudge in (
    ("linear-sign", "has the right size but the wrong sign", negative, "Is there a minus in y = x W + b?"),
    ("linear-gradient-zero", "is 0 everywhere", zero, "Does the output really not change?"),
    (
        "linear-upstream-missing",
        "is the same for every upstream gradient",
        without_upstream,
        "What if y is only a step on the way to the loss?",
    ),
    (
        "linear-gradient-transposed",
        "is transposed",
        lambda right, place, g, *arrays: turned(right(g, *arrays)[place]),
        "A gradient has the shape of its tensor.",
    ),
):
    known(
        id,
        "linear",
        f"a gradient of the Linear layer {says}",
        nudge,
        "x.T @ base for the weight, the sum of base over the batch for the bias, base @ weight.T for x.",
        LINEAR,
        *(
            (f"the gradient of the {what} {says}", only((place,), "linear", wrong))
            for place, what in enumerate(("input", "weight", "bias"))
        ),
    )

# ---------------------------------------------------------------- ReLU

known(
    "relu-abs",
    "relu",
    "relu gives the absolute value",
    "What should become of -2?",
    "max(x, 0): negative numbers become 0.",
    LINEAR,
)
known(
    "relu-leaky",
    "relu",
    "relu lets a part of negative numbers through",
    "That is called a leaky ReLU. What should become of -2 here?",
    "max(x, 0): negative numbers become 0.",
    LINEAR,
)
known(
    "relu-clipped",
    "relu",
    "relu cuts large numbers off",
    "What should become of 90?",
    "max(x, 0): positive numbers stay as they are.",
    LINEAR,
)
known(
    "relu-other-function",
    "relu",
    "relu computes another function",
    "Draw max(x, 0): flat on one side, a straight line on the other.",
    "np.maximum(x.data, 0).",
    LINEAR,
    ("relu gives 1 for positive numbers instead of the number", value("relu", lambda x: (x > 0) * 1.0)),
    ("relu gives the largest element for all", value("relu", lambda x: x.max().clamp(min=0) + 0 * x)),
    ("relu gives a single number", value("relu", lambda x: x.max().clamp(min=0))),
    ("relu gives the sigmoid of x", value("relu", lambda x: x.sigmoid())),
    ("relu gives log(1 + exp(x))", value("relu", lambda x: (1 + x.exp()).log())),
)
known(
    "relu-unmasked",
    "relu",
    "the gradient also flows back where x < 0",
    "Where relu is flat, how much does its output change with x?",
    "base * (x.data > 0): nothing flows back where x < 0.",
    LINEAR,
)
known(
    "relu-kink-one",
    "relu",
    "at x = 0 the gradient is 1, in PyTorch it is 0",
    "Is 0 greater than 0?",
    "Mask with x > 0, not x >= 0: at the kink we take 0.",
    LINEAR,
)
known(
    "relu-kink-half",
    "relu",
    "at x = 0 the gradient is 0.5, in PyTorch it is 0",
    "Any value from 0 to 1 would do in theory. Which one does PyTorch take?",
    "Mask with x > 0: at the kink we take 0.",
    LINEAR,
)
known(
    "relu-mask-inverted",
    "relu",
    "the gradient flows back where x < 0 and stops where x > 0",
    "On which side does relu let x through?",
    "base * (x.data > 0).",
    LINEAR,
)
known(
    "relu-mask-of-upstream",
    "relu",
    "relu is applied to the upstream gradient instead of masking it by x",
    "Which of the two decides where something flows back: the sign of x, or of the upstream gradient?",
    "base * (x.data > 0).",
    LINEAR,
)
known(
    "relu-upstream-missing",
    "relu",
    "the gradient is the same for every upstream gradient",
    "What if relu is only a step on the way to the loss?",
    "base * (x.data > 0): the mask times the upstream gradient.",
    LINEAR,
)
known(
    "relu-gradient-times-x",
    "relu",
    "the gradient is multiplied by x",
    "Where x > 0, relu(x) = x. How steep is that?",
    "base * (x.data > 0): the slope is 1, whatever x is.",
    LINEAR,
)
known(
    "relu-sign",
    "relu",
    "the gradient has the right size but the wrong sign",
    "Where x > 0, does relu(x) rise or fall?",
    "base * (x.data > 0).",
    LINEAR,
)
known(
    "relu-gradient-zero",
    "relu",
    "the gradient is 0 everywhere",
    "Where x > 0, relu(x) = x. How steep is that?",
    "base * (x.data > 0).",
    LINEAR,
)
known(
    "relu-not-recorded",
    "relu",
    "relu sends no gradient back to x",
    "Is relu an operation of the graph, or only a new array?",
    "Record it as matmul does, with a rule relu_deriv.",
    LINEAR,
    cut("relu", 0),
    ("the result of relu is a new leaf, without the operation", part(records=lambda op, needed: False)),
    ("the result of relu requires no gradient", part(needs=lambda op, tensors: False)),
)

# ---------------------------------------------------------------- SGD

SGD_TEXT = "Optimizer"


known(
    "sgd-uphill",
    "sgd",
    "step() goes uphill: it adds the gradient",
    "The gradient points to where the loss grows. Where do we want to go?",
    "Subtract: w - lr * gradient.",
    SGD_TEXT,
)
known(
    "sgd-rebinds",
    "sgd",
    "step() gives the parameter a new tensor: who holds the old one does not see the step",
    "Others may hold the tensor itself, as w does here. Do they see a new one?",
    "Change the array itself: data = parameter.tensor.data, then data -= ...",
    SGD_TEXT,
    moving(rebind),
    moving(rebind_plain),
    moving(rebind_with_gradient),
    moving(rebind_recorded),
)
known(
    "lr-ignored",
    "sgd",
    "step() does not use the learning rate it was given",
    "Try two values of lr: do the steps differ?",
    "Keep lr in __init__, and use self.lr in step().",
    SGD_TEXT,
)
known(
    "step-applied-twice",
    "sgd",
    "one step() moves as far as two",
    "How often does one call of step() change a parameter?",
    "Once per call: w - lr * gradient.",
    SGD_TEXT,
)
known(
    "step-averaged",
    "sgd",
    "step() divides the gradient by something",
    "The loss is a mean already. What is left to divide?",
    "w - lr * gradient, nothing else.",
    SGD_TEXT,
    ("step() moves along the mean of the gradient's elements", in_place(lambda w, g, lr: w - lr * g.mean())),
    ("step() divides by the length of the gradient", in_place(lambda w, g, lr: w - lr * g / (g**2).sum().sqrt())),
)
known(
    "step-other-formula",
    "sgd",
    "step() moves by something else than lr * gradient",
    "Which numbers take part in a step, and how often each?",
    "w - lr * gradient, nothing else.",
    SGD_TEXT,
)
known(
    "step-sign-only",
    "sgd",
    "step() uses the sign of the gradient only",
    "Should a steep place and a nearly flat one give the same step?",
    "w - lr * gradient.",
    SGD_TEXT,
    in_place(lambda w, g, lr: w - lr * g.sign()),
)
known(
    "step-replaces",
    "sgd",
    "step() replaces the parameter by the step",
    "Where do we step from?",
    "w - lr * gradient: the old value is still in there.",
    SGD_TEXT,
    in_place(lambda w, g, lr: -lr * g),
    in_place(lambda w, g, lr: lr * g),
    ("step() replaces the parameter by its gradient", in_place(lambda w, g, lr: g)),
    ("step() multiplies the parameter by the gradient", in_place(lambda w, g, lr: w - lr * g * w)),
)
known(
    "step-momentum",
    "sgd",
    "a step depends on the steps before it",
    "That is momentum, an extension. What does plain SGD know of the past?",
    "w - lr * gradient, afresh in every step.",
    SGD_TEXT,
    heavy_ball,
    *(("the learning rate shrinks with every step", decaying(factor)) for factor in (0.5, 0.9, 0.95, 0.99)),
)
known(
    "step-clears-gradient",
    "sgd",
    "step() removes the gradients",
    "Which method is for that?",
    "Leave the gradients alone in step(): zero_grad() removes them.",
    SGD_TEXT,
    part(step=forget_after),
)
known(
    "step-changes-copy",
    "sgd",
    "step() runs, and all parameters stay as they were",
    "What does step() write into? `data = data - ...` makes a new array and gives it a name.",
    "data -= self.lr * gradient changes the tensor's own array.",
    SGD_TEXT,
)
known(
    "step-changes-gradient",
    "sgd",
    "step() changes the gradient",
    "g = tensor.grad.data; g *= lr: whose array is g?",
    "Compute lr * gradient as a new array, and subtract that: data -= self.lr * gradient.",
    SGD_TEXT,
)
known(
    "step-first-only",
    "sgd",
    "only the first parameter is handled",
    "Is there a return inside the loop?",
    "Go through all of self.params.",
    SGD_TEXT,
    ("step() moves the first parameter only", first_only("step")),
    ("zero_grad() handles the first parameter only", first_only("zero_grad")),
)


known(
    "step-stops-at-none",
    "sgd",
    "after a parameter without gradient, step() leaves the others alone, too",
    "One parameter took no part in the loss. Why should the others wait?",
    "Skip this one parameter (continue, or an if around the update), and go on with the next.",
    SGD_TEXT,
    part(step=stop_at_none),
)
known(
    "step-crashes-on-none",
    "sgd",
    "step() fails when a parameter has no gradient",
    "What is the grad of a parameter that took no part in the loss?",
    "Skip a parameter whose tensor.grad is None.",
    SGD_TEXT,
)
known(
    "zero-grad-nothing",
    "sgd",
    "zero_grad() changes nothing: the old gradients remain",
    "Whose grad did you set? Ask the tensor afterwards.",
    "for parameter in self.params: parameter.tensor.grad = None.",
    SGD_TEXT,
    part(zero_grad=lambda optimizer: None),
)
known(
    "zero-grad-zeros",
    "sgd",
    "zero_grad() leaves zeros instead of None",
    "How would step() tell a parameter without gradient from one whose gradient is 0?",
    "parameter.tensor.grad = None.",
    SGD_TEXT,
    part(zero_grad=zeros_instead),
    part(zero_grad=one_zero_instead),
)
known(
    "zero-grad-resets-values",
    "sgd",
    "zero_grad() also changes the parameters",
    "Which of the two shall be forgotten: what was learned, or the gradient?",
    "Set parameter.tensor.grad = None, and leave the data alone.",
    SGD_TEXT,
    ("zero_grad() sets the parameters to 0, not their gradients", part(zero_grad=values_to_zero)),
)
known(
    "generator-consumed",
    "sgd",
    "only the first walk through the parameters finds any",
    "A generator is empty after one walk. How often do you go through the parameters?",
    "Keep a list: self.params = list(parameters).",
    SGD_TEXT,
    part(listed=lambda parameters: parameters),
    part(listed=lambda parameters: iter(list(parameters))),
)
# ---------------------------------------------------------------- MSELoss

LOSS = "Loss functions"


known(
    "mse-sum",
    "mseloss",
    "the loss is the sum of the squared errors, not their mean",
    "Would the loss double if every example came twice?",
    "Divide the sum by the number of elements.",
    LOSS,
)
known(
    "mse-batch-only",
    "mseloss",
    "the loss is not the mean over all elements of a batch",
    "A (2, 3) prediction has 6 elements. By how many do you divide?",
    "Divide by the size, not by the batch size: y.size.",
    LOSS,
)
known(
    "mse-remembers",
    "mseloss",
    "a loss object that was called before gives another loss",
    "Which number of the first call does the second one still use?",
    "Work everything out from y and y_target of this call: nothing is kept in self.",
    LOSS,
)
known(
    "mse-not-scalar",
    "mseloss",
    "the loss is not a single number",
    "Training wants one number to make smaller. How many do you return?",
    "Sum over all elements: sum(...) without an axis.",
    LOSS,
)
known(
    "mse-not-squared",
    "mseloss",
    "the errors are not squared",
    "Errors of +1 and -1: what is their mean, and is that a good prediction?",
    "Square the differences, then take the mean.",
    LOSS,
)
known(
    "mse-other-function",
    "mseloss",
    "the loss computes something else",
    "How far is the prediction from the target, element by element?",
    "Subtract, square, take the mean over all elements.",
    LOSS,
    (
        "the loss divides by the number of elements in whole numbers",
        mse(lambda y, t: ((y - t) ** 2).sum() * (1 // y.numel())),
    ),
)
known(
    "mse-root",
    "mseloss",
    "the loss is the root of the mean squared error",
    "The M, the S and the E are there. Is there an R in MSE?",
    "The mean of the squares, without a root.",
    LOSS,
)
known(
    "mse-half",
    "mseloss",
    "the loss is half the mean of the squared errors",
    "Some books divide by 2, to make the gradient simpler. PyTorch?",
    "The mean of the squares, without another factor.",
    LOSS,
)
known(
    "mse-two-missing",
    "mseloss",
    "the gradient of the prediction lacks the factor 2",
    "What is the derivative of u**2?",
    "d(loss)/dy = 2 (y - target) / n, times the upstream gradient.",
    LOSS,
)
known(
    "mse-sign",
    "mseloss",
    "the gradient of the prediction has the right size but the wrong sign",
    "The prediction is too high. Does the loss grow or shrink when it goes higher still?",
    "d(loss)/dy = 2 (y - target) / n: prediction - target.",
    LOSS,
)
known(
    "mse-gradient-not-averaged",
    "mseloss",
    "the gradient of the prediction is not divided by the number of elements",
    "The loss divides by n. What does that do to its derivative?",
    "d(loss)/dy = 2 (y - target) / n, times the upstream gradient.",
    LOSS,
)
known(
    "mse-gradient-averaged-twice",
    "mseloss",
    "the gradient of the prediction is divided by the number of elements once too often",
    "The mean divides by n. Does a rule on the way back, that of sum for example, divide once more?",
    "d(loss)/dy = 2 (y - target) / n; a sum hands its upstream gradient to every element, undivided.",
    LOSS,
)
known(
    "mse-upstream-missing",
    "mseloss",
    "the gradient is the same for every upstream gradient",
    "What if the loss is only a part of a larger one?",
    "d(loss)/dy = 2 (y - target) / n, times the upstream gradient.",
    LOSS,
)
known(
    "mse-gradient-not-error",
    "mseloss",
    "the gradient of the prediction is not 2 (y - target) / n",
    "Which difference tells how far the prediction is from the target?",
    "d(loss)/dy = 2 (y - target) / n, times the upstream gradient.",
    LOSS,
    ("the gradient is the sign of the error", gradient_only(lambda g, y, t: g * (y - t).sign() / y.numel())),
    ("the gradient is the sign of the error", gradient_only(lambda g, y, t: g * 2 * (y - t).sign() / y.numel())),
    ("every element gets the mean error", gradient_only(lambda g, y, t: g * 2 * (y - t).mean() + 0 * y)),
    ("the gradient is 0 everywhere", gradient_only(lambda g, y, t: 0 * y)),
    (
        "every element gets the mean of the gradients",
        gradient_only(lambda g, y, t: (g * 2 * (y - t) / y.numel()).mean() + 0 * y),
    ),
)
known(
    "mse-not-recorded",
    "mseloss",
    "the loss sends no gradient back to the prediction",
    "Does the loss compute with tensors, or with their arrays?",
    "Compute with y and y_target themselves, not with their data: the graph has to see them.",
    LOSS,
    cut("mse", 0),
    part(needs=lambda op, tensors: False),
)
known(
    "mse-target-sign",
    "mseloss",
    "the gradient of the target has the sign of the prediction's",
    "Nudge the target up instead of the prediction: does y - target go up, too?",
    "d(loss)/dtarget is -d(loss)/dy.",
    LOSS,
    rule("mse", lambda g, y, t: (g * 2 * (y - t) / y.numel(),) * 2),
)
known(
    "sum-axis-ignored",
    "mseloss",
    "the gradient of a sum over one axis does not get back into the shape of its input",
    "sum(x, axis=1) lost an axis. Which shape has its upstream gradient, and which one has x?",
    "Put the axis back first: np.expand_dims(base, axis), then repeat along it.",
    LOSS,
    gradient_only(axis_ignored),
)

# ---------------------------------------------------------------- the model

MODEL = "Make a model! > The model and its training"
known(
    "train-moves-nothing",
    "train",
    "training leaves all parameters where they were, and none holds a gradient when it ends",
    "Is loss.backward() called? And does zero_grad() stand before it, or between it and step()?",
    "In this order: zero_grad, forward, loss, loss.backward(), optimizer.step().",
    MODEL,
)
known(
    "train-without-step",
    "train",
    "the parameters have gradients when training ends, but no step has used them",
    "Is step() called at all, does it come after loss.backward(), and which parameters was SGD given?",
    "In this order: zero_grad, forward, loss, loss.backward(), optimizer.step(), of SGD(model.parameters(), lr).",
    MODEL,
)
known(
    "train-some-parameters",
    "train",
    "training moves some of the parameters only",
    "What is SGD given: all that the model has?",
    "SGD(model.parameters(), lr): every module lists those of all its layers.",
    MODEL,
)
known(
    "train-lr-ignored",
    "train",
    "a step of training is the same for every lr",
    "Which learning rate does your optimizer have?",
    "SGD(model.parameters(), lr): without it, SGD takes its default.",
    MODEL,
)
known(
    "train-without-zero-grad",
    "train",
    "a mini-batch still holds the gradients of those before",
    "backward adds to the gradients. Who removes the old ones, and how often?",
    "optimizer.zero_grad() in the inner loop, before each backward().",
    MODEL,
)
known(
    "train-rows-apart",
    "train",
    "the examples of a mini-batch are compared with the targets of others",
    "Row 7 of images belongs to row 7 of targets. Is this still so after shuffling?",
    "One order for both: images[batch] and targets[batch].",
    MODEL,
)
known(
    "train-epochs-ignored",
    "train",
    "training takes another number of epochs than it is asked for",
    "Where does the outer loop end, and where does the function return?",
    "for _ in range(epochs): ..., and return losses after it.",
    MODEL,
)
known(
    "train-examples-left-out",
    "train",
    "an epoch leaves the last examples out, where they do not fill a mini-batch",
    "With 12 examples and mini-batches of 5, what becomes of the last two?",
    "range(0, len(order), batch_size) goes on to the end; a slice may be shorter than batch_size.",
    MODEL,
)
known(
    "train-one-batch",
    "train",
    "an epoch ends after its first mini-batch",
    "Is there a return or a break in the loop over the mini-batches, or is there no such loop?",
    "for start in range(0, len(order), batch_size): all five lines stand in it, and nothing ends it early.",
    MODEL,
)
known(
    "train-batch-size-ignored",
    "train",
    "the mini-batches do not have batch_size examples",
    "Where does the length of a mini-batch come from?",
    "batch = order[start : start + batch_size]",
    MODEL,
)
known(
    "train-other-stride",
    "train",
    "the mini-batches do not begin batch_size examples apart",
    "A mini-batch begins, the next one begins: how many examples lie between, with another batch_size?",
    "for start in range(0, len(order), batch_size): the step is batch_size, too.",
    MODEL,
)
known(
    "train-examples-not-once",
    "train",
    "an epoch does not show every example once",
    "What sees to it that every example gets its turn in an epoch, and only one?",
    "One order for an epoch, np.random.permutation(len(images)); each slice begins where the last ends.",
    MODEL,
)
known(
    "train-not-shuffled",
    "train",
    "the examples come in the order in which they were given",
    "What if all the zeros came first, and then all the ones?",
    "order = np.random.permutation(len(images)), and rows by order[start : start + batch_size].",
    MODEL,
)
known(
    "train-changes-arrays",
    "train",
    "train changes the images or targets that it is given",
    "Who else holds the arrays that you shuffle?",
    "Shuffle row numbers, order = np.random.permutation(len(images)), and take images[batch]: that copies.",
    "Make a model! > The model and its training",
)
known(
    "train-shuffled-once",
    "train",
    "the mini-batches hold the same examples in every epoch",
    "When is the order drawn: once, or for each epoch?",
    "order = np.random.permutation(len(images)) inside the loop over the epochs.",
    MODEL,
)
known(
    "train-losses-not-numbers",
    "train",
    "the losses are not a list of numbers",
    "What would a curve be drawn from?",
    "float(loss.data) is the number in a loss; return losses after the last epoch.",
    MODEL,
)
known(
    "train-loss-of-one-batch",
    "train",
    "the loss of an epoch is that of one of its mini-batches",
    "An epoch has many mini-batches. Whose loss is logged?",
    "Add them all up, each times its length, and divide by the number of examples.",
    MODEL,
)
known(
    "train-loss-unweighted",
    "train",
    "the loss of an epoch counts a small last mini-batch as much as a full one",
    "A mini-batch of 5 has a mean loss of 1, the last one, of 2, a mean loss of 8. What is the mean over all 7?",
    "total += float(loss.data) * len(batch), and in the end total / len(images).",
    MODEL,
)
known(
    "train-loss-not-divided",
    "train",
    "the losses of an epoch are added up, but not divided as a mean wants it",
    "Over how many is the mean?",
    "total += float(loss.data) * len(batch), and in the end total / len(images).",
    MODEL,
)
known(
    "train-loss-kept",
    "train",
    "the loss of an epoch still holds those of the epochs before",
    "Where does the sum start from, in the second epoch?",
    "total = 0.0 at the start of each epoch.",
    MODEL,
)
known(
    "train-loss-later",
    "train",
    "the losses are worked out after the steps, not when each mini-batch has its turn",
    "The loss that goes backward is at hand. What has changed when the model is asked once more?",
    "total += float(loss.data) * len(batch), of the loss that went backward.",
    MODEL,
)
known(
    "train-loss-of-each-batch",
    "train",
    "the losses are those of all mini-batches, not one for each epoch",
    "How many numbers shall there be after 20 epochs?",
    "Append the mean once, after the loop over the mini-batches.",
    MODEL,
)
known(
    "train-live-silent",
    "train",
    "live is never called",
    "What is the last argument for?",
    "if live: live(losses[-1]), at the end of each epoch.",
    MODEL,
)
known(
    "train-live-at-other-times",
    "train",
    "live is not called once at the end of each epoch",
    "In which loop does the call stand?",
    "In the loop over the epochs, after the one over the mini-batches.",
    MODEL,
)
known(
    "train-live-told-other-numbers",
    "train",
    "live is not told the loss of the epoch",
    "Which number does a curve of the loss need?",
    "live(losses[-1]), after it was appended.",
    MODEL,
)
known(
    "train-needs-live",
    "train",
    "without live, train does not work",
    "What is live when nobody hands one in?",
    "if live: live(losses[-1])",
    MODEL,
)
known(
    "model-straight",
    "model",
    "the model is one straight line: nothing bends between its layers",
    "Two linear layers in a row are one linear layer. What belongs between them?",
    "Linear, ReLU, Linear.",
    LINEAR,
)
known(
    "model-layers-not-registered",
    "model",
    "parameters() of the model does not list those of all layers",
    "Where are the layers kept: each in an attribute of its own, or in a list?",
    "self.hidden = Linear(...): MyModule registers what is assigned to an attribute, not what is in a list.",
    MODULES,
)
known(
    "model-layer-unused",
    "model",
    "a layer of the model takes no part in its output",
    "Which layer does forward leave out?",
    "Use every layer in forward, one after the other.",
    MODEL,
)
known(
    "model-detached",
    "model",
    "forward uses a parameter that gets no gradient from the loss",
    "Does forward hand on tensors, or their arrays?",
    "Hand on the tensors themselves: MyTensor(x.data) is a new leaf, and the graph ends there.",
    MODEL,
)
known(
    "model-wrong-shape",
    "model",
    "the model does not give ten scores for each picture",
    "How many digits are there, and which shape goes in?",
    "(n, 64) goes in and (n, 10) comes out: the last layer has 10 outputs.",
    MODEL,
)
known(
    "model-beside-its-parameters",
    "model",
    "the model's scores do not come from its parameters alone",
    "Put the old numbers back into all parameters: what should the model answer?",
    "forward computes the scores from x and the layers, anew each time.",
    MODEL,
)
known(
    "model-changes",
    "model",
    "the model gives the same pictures other scores when it is asked again",
    "What is made anew in forward, drawn there, or kept from the call before?",
    "Make the layers once, in __init__; forward only calls them.",
    MODEL,
)
known(
    "model-silent",
    "model",
    "the model gives every picture the same scores",
    "Is there a unit that any picture can still move?",
    "No ReLU after the last layer, and random weights before the first.",
    LINEAR,
)

# ---------------------------------------------------------------- anywhere

known(
    "uses-torch",
    EVERYWHERE,
    "your code calls PyTorch",
    "Which library shall do the arithmetic?",
    "Build it with NumPy: PyTorch is what you rebuild.",
    "Set-up",
)
known(
    "array-not-tensor",
    EVERYWHERE,
    "the result is a plain array or number, not a MyTensor",
    "Could somebody go on computing with the result, and call backward() in the end?",
    "Give back a MyTensor, recorded if an input requires a gradient.",
    BEHAVES,
)
known(
    "hard-coded",
    EVERYWHERE,
    "the result is the same for different inputs",
    "The tests draw new numbers each time. Where does your result depend on the input?",
    "Compute it from the input, by the general rule.",
    "How to read a report",
)

# ---------------------------------------------------------------- anywhere: what an exception says (exceptions.py)

for id, title, nudge, rule_text, read in (
    (
        "method-misnamed",
        "a method has another name than the one that Python looks for",
        "Which name has the method that Python calls for this operator?",
        "Python 3 calls __add__, __sub__, __mul__, __truediv__, __pow__, __neg__, and __radd__ ... from the right.",
        BEHAVES,
    ),
    (
        "returns-none",
        "a method computes something and returns nothing",
        "What does a Python function give that ends without return?",
        "End it with return: print shows a value, return hands it on.",
        BEHAVES,
    ),
    (
        "property-assigned",
        "a property is assigned to",
        "A property is a method that is read like an attribute. What should an assignment to it do?",
        "Assign to the attribute behind it: self.__data = ..., and leave the property for reading.",
        BEHAVES,
    ),
    (
        "self-missing",
        "a method has no parameter for the object that it is called on",
        "What is the first parameter of a method?",
        "def backward(self, base=None): Python hands the object in as self.",
        BEHAVES,
    ),
    (
        "arguments-do-not-match",
        "a function is called with another number of arguments than it has parameters",
        "Compare the line that defines it with the line that calls it: who is right?",
        "Each parameter without a default takes one argument. A method also gets self; a rule, base and all inputs.",
        HINTS,
    ),
    (
        "rule-returns-none",
        "the rule of an operation gives None",
        "Is the rule written, and does it end with return?",
        "It returns a tuple: one gradient for each input.",
        HINTS,
    ),
    (
        "none-is-used",
        "something is None where a value is needed",
        "Which name in that line is None? Does it come from a function without return, or has nothing arrived there?",
        "Test `is None` before you use it, and end functions with return.",
        HINTS,
    ),
    (
        "super-init-missing",
        "__init__ of the base class has not run",
        "Who makes the dictionaries in which MyModule keeps parameters?",
        "The first line of a module's __init__: super().__init__().",
        MODULES,
    ),
    (
        "tensor-for-array",
        "a MyTensor is used like an array",
        "Is it a tensor or an array? backward(base) is handed a MyTensor, a rule base as an array.",
        "Take its data: tensor.data is the array in a tensor.",
        HINTS,
    ),
    (
        "array-for-tensor",
        "an array or a number is used like a MyTensor",
        "Is it a tensor or an array? Only tensors know requires_grad and backward_op.",
        "Wrap numbers first, hand tensors on as tensors, and in a rule take the arrays out with .data.",
        HINTS,
    ),
    (
        "name-without-value",
        "a name is used that has no value",
        "Is it spelled as where it was assigned, and has that line run?",
        "Assign it on every branch before it is used; inside a method an attribute is self.name.",
        HINTS,
    ),
    (
        "unhashable",
        "objects cannot be used in a set or as keys of a dictionary",
        "A class that defines __eq__ loses its hash. Do you need __eq__?",
        "Leave __eq__ out: then == means the same object. Or use id(tensor) as the key.",
        HINTS,
    ),
    (
        "property-called",
        "what is no function is called like one",
        "Which of your names are properties, and which hold a value under the name of a function?",
        "tensor.data and tensor.shape are read without parentheses.",
        BEHAVES,
    ),
    (
        "values-do-not-match",
        "not as many values come as are expected",
        "How many values came, and how many names wait for them? print(...) what comes, in the line before.",
        "A rule returns one gradient for each input, in a tuple (None for a number), at each walk through the graph.",
        HINTS,
    ),
    (
        "calls-itself",
        "a function or property calls itself without end",
        "Which line of it leads back to itself?",
        "A property data returns self.__data, not self.data.",
        BEHAVES,
    ),
    (
        "parameter-for-tensor",
        "a Parameter is used like its tensor",
        "What does a Parameter hold, and under which name?",
        "Take its tensor: parameter.tensor.data is the array, parameter.tensor.grad its gradient.",
        MODULES,
    ),
    (
        "other-kind",
        "an object is of another kind than the line takes it for",
        "Of which kind is it? print(type(...)) just before that line tells.",
        "Give arguments in their order. A tensor's array is tensor.data, a Parameter's tensor .tensor.",
        HINTS,
    ),
    (
        "key-not-there",
        "a dictionary is asked for a key that it does not have",
        "Which key is it, which ones were put in before, and should it be there already?",
        "d[key] = value puts a key in. d.get(key) and `key in d` may be asked for one that is not there.",
        HINTS,
    ),
    (
        "index-not-there",
        "an element is asked for that is not there",
        "How many elements are there at that line, and which one is asked for?",
        "print(len(...)) just before that line. Elements have the numbers 0 to len - 1; an empty list has none to pop.",
        HINTS,
    ),
    (
        "shapes-do-not-meet",
        "arrays meet whose shapes do not fit",
        "Which shapes have the arrays in that line? print(x.shape) just before it tells.",
        "Element by element: equal shapes, or 1. A @ B: as many columns as rows. reshape: as many elements as before.",
        "Tensors > Shape",
    ),
    (
        "truth-of-array",
        "an array is asked whether it is true",
        "`if grad:` and `a or b` ask for one answer. How many elements has the array?",
        "`is None` tells whether there is a gradient; (a == b).all() whether all elements agree.",
        HINTS,
    ),
):
    known(id, EVERYWHERE, title, nudge, rule_text, read)
