"""Mistakes with tensors: making one, its operators and their rules, broadcasting."""

from __future__ import annotations

import functools

import numpy as np

from checks.mistakes import Way
from workshop.changes import (
    BINARY,
    REFLECTED,
    SYMBOLS,
    UNARY,
    averaged,
    axes_in_turn,
    both,
    by_repetition,
    by_size,
    cut,
    dropped_in_turn,
    everything,
    extra,
    first_axis_once,
    first_stretched_once,
    follows_one,
    from_the_left,
    last_axes,
    needs_both,
    no_reflected,
    number_breaks_backward,
    number_breaks_forward,
    number_breaks_on_both_sides,
    of_operators,
    part,
    recorded_twice,
    reduced,
    reductions,
    reflected_as,
    reflected_not_recorded,
    reflected_rule_of,
    refusing,
    rule,
    shaped_as,
    too_early,
    total,
    value,
)
from workshop.imitation import Library, Tensor
from workshop.mistakes.known import EVERYWHERE, HOLDS, KNOWN, OPERATORS, RULES, UNBROADCAST, known

# ---------------------------------------------------------------- the tensor: making one

known(
    "data-not-array",
    "tensor",
    "data is not a NumPy array",
    "What can an np.ndarray do that a list cannot?",
    "Keep np.array(data, dtype=dtype), and hand that array out as data.",
    HOLDS,
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
    HOLDS,
)
known(
    "kinds-refused",
    "tensor",
    "data that MyTensor should take are refused",
    "Which types does your test let through?",
    "isinstance(data, (list, tuple, np.ndarray, np.number, int, float)) lets all through that hold numbers.",
    HOLDS,
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
    HOLDS,
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
    HOLDS,
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
    HOLDS,
)
known(
    "requires-grad-ignored",
    "tensor",
    "requires_grad of a new tensor is not what was asked for",
    "Who reads the argument requires_grad, and what is it where nobody gives it?",
    "requires_grad=False in the signature, self.requires_grad = requires_grad in the constructor.",
    HOLDS,
)
known(
    "repr-without-values",
    "tensor",
    "repr does not show the values",
    "What would you like to see when you print a tensor?",
    "An f-string puts values into text: f'{self.__data}'.",
    HOLDS,
)
known(
    "repr-without-requires-grad",
    "tensor",
    "repr is the same with and without requires_grad",
    "Two tensors differ in requires_grad only. How does a reader tell?",
    "Put requires_grad into the text of repr.",
    HOLDS,
)
known(
    "write-lost",
    "tensor",
    "t[1, 2] = 9.5 does not change t",
    "Which array do you write into: the tensor's own, or a copy of it?",
    "self.__data[index] = value.",
    HOLDS,
    part(write=lambda tensor, index, value: None),
)

known(
    "dtype-not-kept",
    "tensor",
    "a NumPy array changes its dtype when it becomes a tensor",
    "Which dtype has np.array(data, dtype=None)?",
    "np.array(data, dtype=dtype): with None the data keep the dtype they have.",
    HOLDS,
)
known(
    "dtype-attribute",
    "tensor",
    "t.dtype is not the dtype of t.data",
    "Who tells the attribute what NumPy has chosen?",
    "self.dtype = array.dtype, after the array is made.",
    HOLDS,
)
known(
    "property-writable",
    "tensor",
    "data, shape, strides or size can be assigned",
    "What should t.shape = (3, 3) do?",
    "A property without a setter is read-only: put @property above the method, and nothing else.",
    HOLDS,
)
known(
    "data-is-copy",
    "tensor",
    "t.data gives a copy: what is written into it does not reach the tensor",
    "An optimizer writes into parameter.tensor.data. Which array should change?",
    "return self.__data, the array itself.",
    HOLDS,
)
known(
    "index-gives-tensor",
    "tensor",
    "t[1, 0] is a MyTensor, not a plain NumPy value",
    "What does indexing promise: a tensor, or NumPy's values?",
    "return self.__data[index]: outside the graph, nothing to wrap.",
    HOLDS,
)
known(
    "array-not-copied",
    "tensor",
    "the tensor shares memory with the array it was made from",
    "Who else holds the array that you keep?",
    "np.array(data) copies; np.asarray(data) keeps an array that is handed in.",
    HOLDS,
)
known(
    "result-aliased",
    "tensor relu",
    "a result shares memory with an operand",
    "Does every operation make an array of its own, also where it changes no value?",
    "Compute with NumPy's operators: they make a new array. Do not return self.",
    OPERATORS,
)

# ---------------------------------------------------------------- the tensor: operators, and their rules


for op, (code, rule_text) in {**BINARY, **UNARY}.items():
    known(
        f"{op}-sign",
        "tensor rules",
        f"a gradient of {code} has the right size but the wrong sign",
        f"Nudge one operand of {code} up a little: does the result go up or down?",
        rule_text,
        RULES,
    )
    known(
        f"{op}-upstream-missing",
        "tensor rules",
        f"the rule of {code} leaves the upstream gradient out",
        "With an upstream gradient of ones it looks right. What if y is only a step on the way to the result?",
        "Chain rule: the operation's own derivative times the upstream gradient. " + rule_text,
        RULES,
    )
    known(
        f"{op}-gradient-zero",
        "tensor rules",
        f"a gradient of {code} is 0 everywhere",
        f"Nudge one operand of {code} up a little: does the result really stay?",
        rule_text,
        RULES,
    )
    known(
        f"{op}-upstream-squared",
        "tensor rules",
        f"the rule of {code} multiplies by the upstream gradient twice",
        "Double the upstream gradient: by how much should the result grow?",
        "Multiply by the upstream gradient once. " + rule_text,
        RULES,
    )
    known(
        f"{op}-slope",
        "tensor rules",
        f"the rule of {code} is another formula",
        f"Nudge one operand of {code} up a little: by how much does the result grow?",
        rule_text,
        RULES,
    )

for op, (code, rule_text) in BINARY.items():
    known(
        f"{op}-wrong-operation",
        "tensor",
        f"{code} computes something else",
        f"What is [1, 2] {SYMBOLS[op]} [4, 3]?",
        f"Call NumPy's function for {SYMBOLS[op]}; was this operator copied from another one?",
        OPERATORS,
    )
    known(
        f"{op}-not-recorded",
        "tensor",
        f"an operand of {code} gets no gradient",
        "Is the operand among those that the operation remembers, and does the rule return a gradient for it?",
        "Record both operands, in the order in which the rule expects them; it returns one gradient for each.",
        OPERATORS,
        *((f"{code} sends no gradient to {'ab'[place]}", cut(op, place)) for place in (0, 1)),
        (f"{code} sends no gradient to a and b", cut(op, 0, 1)),
        (
            f"{code} is a new leaf, without the operation",
            part(records=lambda name, needed, op=op: needed and name != op),
        ),
    )
    known(
        f"{op}-rule-of-another",
        "tensor rules",
        f"the gradients of {code} are those of another operation",
        f"Which rule does {SYMBOLS[op]} hand to MyCrossBackward?",
        rule_text,
        RULES,
    )
    if op in ("sub", "div"):
        known(
            f"{op}-operands-swapped",
            "tensor",
            f"{code} gives b {SYMBOLS[op]} a",
            f"In {code} Python calls a.{REFLECTED[op].replace('__r', '__')}(b): which one is self?",
            f"self is the left operand: self {SYMBOLS[op]} other.",
            OPERATORS,
        )
    if op == "div":  # in a - b an exchange is a wrong sign on both sides
        known(
            f"{op}-gradients-exchanged",
            "tensor rules",
            f"the gradients of a and b in {code} are exchanged",
            "Which of the two gradients does a rule return first?",
            "One gradient for each input, in the order of the inputs. " + rule_text,
            RULES,
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
            f"self is the right operand there: the result is MyTensor(other) {SYMBOLS[op]} self.",
            OPERATORS,
            reversed_number,
        )
        known(
            f"r{op}-gradient-reversed",
            "tensor",
            f"the value of 2 {SYMBOLS[op]} a is right, its gradient is that of a {SYMBOLS[op]} 2",
            f"Which rule does 2 {SYMBOLS[op]} a record, and in which order does it remember the operands?",
            f"The rule of {SYMBOLS[op]}, with the operands as they stand in 2 {SYMBOLS[op]} a: the number first.",
            OPERATORS,
            reversed_inputs,
        )


known(
    "mul-own-operand",
    "tensor rules",
    "the gradients of a * b use the operand itself instead of the other one",
    "How fast does a * b grow when a grows: does that depend on a or on b?",
    "Use the other operand: " + BINARY["mul"][1],
    RULES,
)
known(
    "div-not-squared",
    "tensor rules",
    "d(a / b)/db divides by b instead of b**2",
    "Write a / b as a * b**-1. What is the derivative of b**-1?",
    BINARY["div"][1],
    RULES,
)
known(
    "div-numerator-missing",
    "tensor rules",
    "d(a / b)/db lacks the factor a",
    "Double a: how does the slope of a / b along b change?",
    BINARY["div"][1],
    RULES,
)
known(
    "div-left-wrong",
    "tensor rules",
    "d(a / b)/da is not 1 / b",
    "a / b is a * (1 / b): how fast does it grow with a?",
    BINARY["div"][1],
    RULES,
)
KNOWN["pow-sign"].ways.append(
    Way(
        KNOWN["pow-sign"],
        "the gradient of a ** n loses the sign of a",
        rule("pow", lambda g, a, n: (g * n * abs(a) ** (n - 1),)),
    )
)
known(
    "pow-exponent-kept",
    "tensor rules",
    "the gradient of a ** n keeps the power n instead of n - 1",
    "The derivative of a**2 is 2a, not 2a**2. What happened to the power?",
    UNARY["pow"][1],
    RULES,
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
    "tensor rules",
    "the gradient of a ** n lacks the factor n",
    "The derivative of a**3 is 3 a**2. Where does the 3 come from?",
    UNARY["pow"][1],
    RULES,
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
    "tensor rules",
    "the gradient of a ** n is right for n = 2 only",
    "Try n = 3, and n = -1.",
    UNARY["pow"][1],
    RULES,
)
known(
    "pow-wrong-variable",
    "tensor rules",
    "the gradient of a ** n is the derivative with respect to n",
    "n is a plain number here. Which of the two may change?",
    UNARY["pow"][1],
    RULES,
    rule("pow", lambda g, a, n: (g * a**n * np.log(a),)),
    rule("pow", lambda g, a, n: (g * a**n * np.log(abs(a)),)),
    (
        "the rule of a ** n takes a for n and n for a: base * a * n**(a - 1)",
        rule("pow", lambda g, a, n: (g * a * n ** (a - 1),)),
    ),
)
known(
    "pow-at-zero",
    "tensor rules",
    "the gradient of a ** n is wrong where a or n is 0",
    "What are d(a**0)/da, d(a**1)/da and d(a**2)/da at a = 0?",
    "n * a**(n-1) as it stands, and zeros where n is 0 (not where a is 0): 0 * 0**-1 is no number.",
    RULES,
    *(
        (says, rule("pow", formula))
        for says, formula in (
            ("d(a ** 0)/da is 0 * a**-1: no number where a is 0", lambda g, a, n: (g * n * a ** (n - 1),)),
            ("d(a ** n)/da divides by a: no number where a is 0", lambda g, a, n: (g * n * a**n / a if n else 0 * g,)),
            ("d(a ** n)/da divides by a: no number where a is 0", lambda g, a, n: (g * n * a**n / a,)),
            (
                "the gradient of a ** n is 0 wherever a is 0",
                lambda g, a, n: (np.where(a != 0, g * n * a ** (n - 1), 0 * g),),
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
    OPERATORS,
)
known(
    "pow-not-recorded",
    "tensor",
    "a ** n sends no gradient to a",
    "Is a among those that the operation remembers, and does the rule return a gradient for it?",
    "Record a and the power with pow_deriv, as + does with add_deriv; it returns a gradient and None.",
    OPERATORS,
    cut("pow", 0),
    ("a ** n is a new leaf, without the operation", part(records=lambda op, needed: needed and op != "pow")),
)
known(
    "neg-not-negated",
    "tensor",
    "-a gives a",
    "Which method does Python call for -a, and what should it return?",
    "__neg__ returns self * -1.",
    OPERATORS,
)
known(
    "neg-not-recorded",
    "tensor",
    "-a sends no gradient to a",
    "Is -a an operation of the graph, or only a new array?",
    "-a is a * -1: the multiplication records itself.",
    OPERATORS,
    cut("neg", 0),
    ("-a is a new leaf, without the operation", part(records=lambda op, needed: needed and op != "neg")),
    (
        "-a requires no gradient, though a does",
        lambda library: part(needs=lambda op, tensors: op != "neg" and Library.needs(library, op, tensors))(library),
    ),
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
    OPERATORS,
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
    OPERATORS,
)
known(
    "written-in-place",
    EVERYWHERE,
    "a result with fractions is written into an array of whole numbers that is there already",
    "-=, *= and out= write into an array that is there. Whose is it, and of which dtype?",
    "Make a new array, a - b in place of a -= b: NumPy then chooses its dtype, and nobody else's array changes.",
    OPERATORS,
)
known(
    "reflected-missing",
    "tensor",
    "a number on the left does not work",
    "In 2 + x Python asks 2 first, which does not know MyTensor. Whom does it ask next?",
    "Python tries the right operand's method: __radd__, __rsub__, __rmul__, __rtruediv__.",
    OPERATORS,
)
known(
    "number-not-wrapped",
    "tensor",
    "a plain number as an operand does not work",
    "What does your operator expect of `other`, and what does 2 not have?",
    "Wrap a number in a MyTensor first: if `other` is none, make one of it. Then there is only one case left.",
    OPERATORS,
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
    "tensor unbroadcast rules",
    WIDE,
    "NumPy repeated the smaller operand. Every repetition is one more path: where do their gradients meet?",
    "Sum the gradient over the axes that were stretched, until it has the operand's shape.",
    UNBROADCAST,
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
    "tensor unbroadcast rules",
    "the gradient of a broadcast operand is an average, not a sum",
    "Three rows use the same number. Does nudging it change the result as much as one row, or as three?",
    "Each repetition is a path, and paths add up: sum(...), not mean(...).",
    UNBROADCAST,
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
    "tensor unbroadcast rules",
    "an axis of length 1 is lost in the gradient",
    "What shape has the sum of a (3, 4) array over its last axis, and what shape has the operand?",
    "Sum with keepdims=True over the axes that had length 1: they stay, with length 1.",
    UNBROADCAST,
    reduced(dropped_in_turn),
    *reductions(False, "left as they are"),
)
known(
    "unbroadcast-wrong-axis",
    "tensor unbroadcast rules",
    "the gradient of a broadcast operand is summed over the wrong axis",
    "Shapes are aligned at the right. On which side do the new axes stand?",
    "New axes stand in front: sum over the first ones.",
    "Tensors > Shape",
    reduced(last_axes),
    reduced(from_the_left(lambda g, shape: total(g, [-1 - n for n in range(len(extra(g, shape)))]))),
)
known(
    "axes-renumbered",
    "tensor unbroadcast rules",
    "of several new axes, the second sum is over another axis than it should be",
    "A (2, 4, 3) array, summed over axis 0, has shape (4, 3). Which number has the axis of length 4 now?",
    "After one sum the axes have new numbers: sum over axis 0 each time, as often as there are new axes.",
    UNBROADCAST,
    reduced(axes_in_turn),
    reduced(from_the_left(lambda g, shape: functools.reduce(lambda g, axis: g.sum(axis), extra(g, shape), g))),
)
known(
    "unbroadcast-other-shape",
    "tensor unbroadcast rules",
    "a gradient gets the shape of another operand, not of its own",
    "Whose shape has the gradient of b: that of a, of the result, or of b?",
    "unbroadcast(gradient of a, shape of a), and unbroadcast(gradient of b, shape of b).",
    UNBROADCAST,
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
    "tensor unbroadcast rules",
    "the gradient of a broadcast operand counts one repetition only",
    "Every row used the operand. Why should only one of them send a gradient?",
    "Sum over all repetitions.",
    UNBROADCAST,
    *reductions("cut to their first element", "left as they are", False, "averaged"),
    *reductions("cut to their largest element", "left as they are", False, "averaged", "cut to their first element"),
)
known(
    "unbroadcast-sums-all",
    "tensor unbroadcast rules",
    "the gradient of a broadcast operand is the sum over all elements",
    "Which elements of the result depend on the first element of the operand?",
    "Sum over the stretched axes only; the others stay.",
    UNBROADCAST,
    reduced(everything),
    reduced(lambda g, *_: g.sum()),
)
