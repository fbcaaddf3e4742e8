"""Experiments with operations on tensors: from simple to composed, so that the first that fails tells the place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from checks.experiments import SECONDS, Experiment, operation_of
from checks.observe import Raised
from workshop.mistakes import LAST_TRIED

if TYPE_CHECKING:
    from checks.evidence import Inference
    from checks.trial import Trial

# What raises an exception where the method is written, because a parameter is none; and what it is to have no effect.
WITHOUT_EFFECT = {
    "step": ("SGD([None], lr=0.1).step()", "step-changes-copy"),
    "zero_grad": ("SGD([None], lr=0.1).zero_grad()", "zero-grad-nothing"),
}


def without_effect(trial: Trial) -> str | None:
    """The id of the mistake to run without effect, where the method that was looked at is written."""
    called = re.findall(r"\.(\w+)\(\)", trial.snippet or "")
    code, mistake = WITHOUT_EFFECT.get(called[-1] if called else "", ("", None))
    if mistake and trial.first is not None and trial.first.verdict.nothing is None:
        return None if trial.works(lambda scratch: scratch.run(code)) else mistake
    return None


def only_given(trial: Trial, operation: str) -> bool:
    """Whether `+` gives None where no other operator is there: the method that is given stands on one to be written."""
    others = (f"y = MyTensor([1.5]) {symbol} MyTensor([2.5])" for symbol in "-*/")
    return " + " in operation and not any(trial.works(lambda scratch, code=code: scratch.run(code)) for code in others)


BUILT_OF = (ast.Add, ast.Mult, ast.Pow, ast.USub)  # what others may be made of
MADE = (ast.Sub, ast.Div)  # what may be made of them


def _kind(code: str) -> type[ast.AST] | None:
    """The kind of the single operation in a check's code."""
    operation = operation_of("y", code)
    return type(ast.parse(operation, mode="eval").body.op) if operation else None


def roots_first(failed: dict[str, Trial], inference: Inference) -> list[str]:
    """Failed checks in the order in which causes are looked for.

    First those that saw something change that should not: it makes many results look like those of wrong formulas.
    Of the others, those of operations that others are made of go before these.
    """
    changed = [id for id, trial in failed.items() if trial.first and trial.first.mistake in LAST_TRIED]
    failed = {id: trial for id, trial in failed.items() if id not in changed}
    kinds = {id: {_kind(one.code) for one in inference.seen[id] if not one.right} for id in failed}
    made = next((n for n, some in enumerate(kinds.values()) if some & {*MADE}), len(kinds))
    late = [*kinds][made:]
    roots = [id for id in late if kinds[id] and kinds[id] <= {*BUILT_OF}]
    return [*changed, *[*kinds][:made], *roots, *(id for id in late if id not in roots)]


QUOTIENTS = 30  # some of which round otherwise than the products with a power


def may_divide_by_power(trial: Trial) -> bool:
    """Whether a / b may be a * b ** -1: that rounds otherwise."""
    numbers = np.random.default_rng(0).uniform(0.5, 5, (2, QUOTIENTS)).tolist()
    code = f"a, b = np.array({numbers})\ny = MyTensor(a) / MyTensor(b)\nexact = np.array_equal(y.data, a / b)"
    found = trial.beside(SECONDS).tries(code)
    return found is None or found["exact"] is not True


def rule_without_result(trial: Trial, inference: Inference) -> str | None:
    """The operation whose rule gives None, where backward() meets one and gets through other operations."""
    assert trial.first is not None
    means = trial.first.verdict.perhaps
    code = trial.first.snippet or ""
    lines = code.split("\n")
    if means is None or means.mistake != "none-is-used" or not lines[-1].startswith("y.backward("):
        return None
    raised = any(isinstance(one.got, Raised) and one.got.line == len(lines) for one in trial.evidence)
    raised = raised and re.search("iterable|unpack|subscriptable|zip", str(trial.first.verdict))  # not in the rule
    if not raised or not _gradients_arrive(inference):
        return None
    call = re.search(r"^y = (\w+\([a-z, ]+\))$", code, re.MULTILINE)
    operation = call[1] if call else operation_of("y", code)
    if operation and not call and _kind(code) in MADE:
        return f"{operation}, or of what it is made of,"
    return operation


def number_not_wrapped(trial: Trial) -> bool:
    """Whether what fails with a plain number beside a tensor, as `a + 2`, works with the number in a MyTensor."""
    assert trial.first is not None
    means, code = trial.first.verdict.perhaps, trial.first.snippet or ""
    meant = means is not None and means.mistake in ("array-for-tensor", "other-kind")
    if not meant or not re.search(r"'(?:float|int|numpy\.\w+)'", str(trial.first.verdict)):
        return False
    code = re.sub(r"^y = -a$", "y = a * -1", code, flags=re.MULTILINE)  # of which it may be made
    number = r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])"
    operand = re.compile(rf"^(y = )({number})?(.*? [-+*/] |.*?)({number})?$", re.MULTILINE)
    wrapped = operand.sub(lambda found: found[1] + _wrapped(found[2]) + found[3] + _wrapped(found[4]), code)
    see = ("y",) if "y.backward" not in code else ("y", "a.grad")
    return wrapped != code and trial.works(lambda scratch: scratch.same(wrapped, *see))


def _wrapped(number: str | None) -> str:
    return f"MyTensor({number})" if number else ""


def rule_of_tensors(trial: Trial, inference: Inference) -> bool:
    """Whether a rule computes with a tensor: called alone, or in a walk that gets through other operations."""
    assert trial.first is not None
    means, code = trial.first.verdict.perhaps, trial.first.snippet or ""
    if means is None or means.mistake not in ("tensor-for-array", "tensor-for-number", "other-kind"):
        return False
    if "MyTensor" not in str(trial.first.verdict):
        return False
    if inference.section == "rules":
        return True
    made, _, walk = code.rpartition("\n")
    if inference.section != "tensor" or not walk.startswith("y.backward(") or operation_of("y", code) is None:
        return False
    ones = f"{made}\ny.backward()"  # else it is base that goes on as a tensor
    return _gradients_arrive(inference) and trial.beside(SECONDS).tries(ones) is None


def _gradients_arrive(inference: Inference) -> bool:
    """Whether a walk came to its end in a check that passed."""
    others = [one for id in inference.passed for one in inference.seen[id] if one.see.endswith(".grad")]
    return any(isinstance(one.got, np.ndarray) for one in others)


@dataclass(frozen=True)
class Unit:
    """One operation to experiment with.

    Attributes:
        sign: how a check's code shows that it is about this operation, as a pattern.
        code: the operation of the leaves a and b, or of a alone.
        again: the same of its result u and the leaf c, or of u alone.
        leaves: their numbers. None is near 0, and no two are alike.
        others: other numbers for the leaves, and what is said of them.
        usual: what is said of `leaves`.
    """

    sign: str
    code: str
    again: str
    leaves: dict[str, str]
    others: tuple[tuple[str, dict[str, str]], ...] = ()
    usual: str = "tensors with one axis"

    @property
    def inputs(self) -> list[str]:
        return [name for name in "ab" if re.search(rf"\b{name}\b", self.code)]


ROWS = {"a": "[1.5, -2.5]", "b": "[0.5, 4.0]", "c": "[3.0, -0.75]"}
# All the numbers of SHAPES, in the shape of ROWS: what is wrong for these depends on no shape.
MANY = {"a": "[1.5, -2.5, 2.0, 0.5, 3.5, -1.25]", "b": "[0.5, 4.0, -3.0, 2.5, 1.75, 0.6]"}
SHAPES = (
    ("single numbers", {"a": "1.5", "b": "0.5"}),
    ("one element in brackets", {"a": "[1.5]", "b": "[0.5]"}),
    ("two axes", {"a": "[[1.5, -2.5, 2.0], [0.5, 3.5, -1.25]]", "b": "[[0.5, 4.0, -3.0], [2.5, 1.75, 0.6]]"}),
    ("whole numbers on the right", {"a": "[1.5, -2.5]", "b": "[2, 4]"}),
)
WIDE = (
    ("a wide and a narrow tensor", {"a": "[[1.5, -2.5, 2.0], [0.5, 3.5, -1.25]]", "b": "[0.5, 4.0, -3.0]"}),
    ("a narrow and a wide tensor", {"a": "[0.5, 4.0, -3.0]", "b": "[[1.5, -2.5, 2.0], [0.5, 3.5, -1.25]]"}),
    ("a square and a narrow tensor", {"a": "[[1.5, -2.5], [0.5, 3.5]]", "b": "[0.5, 4.0]"}),
)
SQUARES = {"a": "[[1.5, -2.5], [0.5, 2.0]]", "b": "[[0.5, 4.0], [-3.0, 1.75]]", "c": "[[3.0, -0.75], [1.25, 0.6]]"}
TALL = {"a": "[[1.5, -2.5], [0.5, 2.0], [-1.25, 3.5]]", "b": "[[0.5], [4.0]]"}
UNITS = [
    *(Unit(rf" \{s} ", f"a {s} b", f"u {s} c", ROWS, SHAPES + WIDE) for s in ("+", "-", "/")),
    Unit(r" \* ", "a * b", "u * c", ROWS, SHAPES + WIDE),
    Unit(r"\*\*", "a ** 3", "u ** 2", ROWS, SHAPES),
    Unit(r"= -\w", "-a", "-u", ROWS, SHAPES),
    Unit(r"\bmatmul\(", "matmul(a, b)", "matmul(u, c)", SQUARES, (("a batch and a column", TALL),), "square matrices"),
    Unit(r"\b(?:ReLU\(\)|relu)\(", "ReLU()(a)", "ReLU()(u)", ROWS, SHAPES[:3]),
    Unit(r"\bMSELoss\(\)\(", "MSELoss()(a, b)", "MSELoss()(u, c)", ROWS | {"c": "2.0"}, SHAPES[:3]),
]


def experiments(unit: Unit) -> list[Experiment]:
    """From simple to composed: each changes one thing only, so that the first one that fails tells the place."""
    code, inputs = unit.code, unit.inputs
    grads = tuple(f"{name}.grad" for name in inputs)
    base = "[0.3, -1.7]" if unit.leaves is ROWS else "[[0.3, -1.7], [0.9, 2.2]]"
    if "MSE" in code:
        base = "-1.7"
    y, walk = f"y = {code}", f"y.backward(MyTensor({base}))"
    ones, like = "y.backward()", "y.backward(MyTensor(np.ones(y.shape)))"  # PyTorch starts so from numbers only

    def of(*lines: str, flags: str = "abc", leaves: dict[str, str] | None = None) -> str:
        wanted = set(re.findall(r"\b[abc]\b", "\n".join(lines)))
        made = [
            f"{name} = MyTensor({numbers}{', requires_grad=True' if name in flags else ''})"
            for name, numbers in {**unit.leaves, **(leaves or {})}.items()
            if name in wanted
        ]
        return "\n".join([*made, *lines])

    alone = of(y, walk)
    found = [
        Experiment(of(y), ("y",), "", ""),
        Experiment(
            of(y, flags=""),
            ("y",),
            f"{code} is right only when gradients are required",
            "Two branches: do both compute the same?",
        ),
        Experiment(
            of(y),
            tuple(inputs),
            f"{code} gives the right result, and changes {' or '.join(inputs)}",
            "Who writes into the array of an operand? `a += b` and out=a do.",
        ),
    ]
    if unit.leaves is ROWS:
        look = "Which numbers come out wrong, and which right?"
        says = f"{code} is right for some numbers, not for others"
        found.append(Experiment(of(y, leaves=MANY), ("y",), says, look))
    for says, leaves in unit.others:
        found.append(
            Experiment(
                of(y, leaves=leaves),
                ("y",),
                f"{code} is right for {unit.usual}, not for {says}",
                "What in the method depends on the shape, or on the type, of the numbers?",
            )
        )
    found.append(Experiment(of(y, ones), grads, "", "", of(y, like)))
    found.append(
        Experiment(
            alone,
            grads,
            f"the gradients of {code} are right for y.backward(), not for y.backward(base)",
            "Follow base from backward() into the rule, and out of it.",
        )
    )
    if len(inputs) == 2:
        for flags, other in (("a", "b"), ("b", "a")):
            found.append(
                Experiment(
                    of(y, walk, flags=flags),
                    (f"{flags}.grad", f"{other}.grad"),
                    f"the gradients of {code} are right when both require one, not when {flags} alone does",
                    "Which inputs does the operation remember, and which of its gradients belongs to which?",
                )
            )
    found.append(
        Experiment(
            of(f"g = MyTensor({base})", y, "y.backward(g)"),
            ("g", *inputs),
            f"the gradients of {code} are right, but backward(g) changes g or an operand",
            "Who writes into the array that a rule or backward() is given?",
        )
    )
    if unit.leaves is ROWS:
        says = f"the gradients of {code} are right for some numbers, not for others"
        found.append(Experiment(of(y, ones, leaves=MANY), grads, says, look, of(y, like, leaves=MANY)))
    for says, leaves in unit.others:
        found.append(
            Experiment(
                of(y, ones, leaves=leaves),
                grads,
                f"the gradients of {code} are right for {unit.usual}, not for {says}",
                "What in the rule depends on the shape, or on the type, of the numbers?",
                of(y, like, leaves=leaves),
            )
        )
    zeros = re.sub(r"[\d.]+", "0.0", base.replace("-", ""))
    found += [
        Experiment(
            of(y, f"y.backward(MyTensor({zeros}))"),
            grads,
            f"the gradients of {code} are right, but not where the upstream gradient is 0",
            "A gradient of 0 is a gradient: who takes it for none?",
        ),
        Experiment(
            of(y, walk, f"z = {code}", walk.replace("y", "z", 1)),
            grads,
            f"{code} is right once; a second y and backward() add something else",
            "What of the first backward() is still there when the second one begins?",
        ),
        Experiment(
            of(y, walk, walk),
            grads,
            f"{code} is right; y.backward() twice is not twice as much",
            "What did the first walk leave behind in the graph, or take out of it?",
            of(y, walk, f"y = {code}", walk),
        ),
        Experiment(
            of(f"u = {code}", f"y = {unit.again}", walk),
            (*grads, "c.grad") if "c" in unit.again else grads,
            f"{code} alone is right, {_with(unit.again, 'u', f'({code})')} is not",
            f"When u = {code} has its gradient: who hands it on, when, and with the inputs that which operation saved?",
        ),
        Experiment(
            of(f"u = {code}", f"y = {unit.again}", walk),
            ("u.grad",),
            f"{code} keeps a gradient on a tensor that is no leaf",
            "grad is for leaves: tensors without a backward_op.",
        ),
    ]
    if unit.leaves["c"].count("[") == unit.leaves["a"].count("["):
        found.append(
            Experiment(
                of(y, f"z = {_with(code, 'a', 'c')}", walk),
                (*grads, "c.grad"),
                f"{code} alone is right; it is wrong when the same operation is used once more before backward()",
                "Which part of the other result does y.backward() touch, or look at? It is none of its own.",
            )
        )
    if len(inputs) == 2:
        twice = _with(code, "b", "a")
        found.append(
            Experiment(
                of(f"y = {twice}", walk),
                ("a.grad",),
                f"{code} is right, {twice} is not: a reaches y on two paths",
                "Both paths hand something to a: does the sum arrive?",
            )
        )
    return found


def _with(code: str, name: str, other: str) -> str:
    return re.sub(rf"\b{name}\b", other, code)


def of(codes: Sequence[str], names: Mapping[str, Any]) -> Iterator[Experiment]:
    """All experiments on the operations that codes are about, of those that are defined."""
    for unit in UNITS:
        known = all(name in names for name in re.findall(r"matmul|ReLU|MSELoss", unit.code))
        if known and any(re.search(unit.sign, code.split("y.backward")[0]) for code in codes):
            yield from experiments(unit)
