"""Mistakes that are generated: the same slips for every operation, every rule and every place.

A slip is a formula close to the right one: another sign, factor or power, an operand in place of another, the upstream
gradient left out. Which one it is need not be tried out. What a check observed is solved for it: `calls` finds what
the operation was given and what came out, and of all formulas of a family those remain that give just that. They are
candidates, no more: like every way to make a mistake they have to explain all that was observed (evidence.py).
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from checks.mistakes import Way
from checks.observe import close, compiled
from workshop.changes import BINARY, SYMBOLS, Change, both
from workshop.imitation import SGD, Library, Parameter, Tensor, as_values, derived, rows
from workshop.mistakes import KNOWN

UPSTREAM, POWER = "base", "a ** n"  # factors of formulas, as the notebook calls them
MOST_SLIPS = 2  # that are told one by one
FEWEST = 3  # numbers that a formula is solved from
NICE = (1.0, -1.0, 2.0, 0.5, 3.0, 4.0, 0.25)


@dataclass(frozen=True)
class Call:
    """An operation as a check used it: what went in, and what came out of the learner's.

    Attributes:
        op: its name in the library that imitates mistakes, "step" for a step of the optimizer.
        place: the input whose gradient came out, -1 for the value.
        given: the operation's arrays; of a gradient the upstream gradient first.
        got, right: what came out, and what should have.
    """

    op: str
    place: int
    given: tuple[Any, ...]
    got: np.ndarray
    right: np.ndarray

    @property
    def is_right(self) -> bool:
        return self.got.shape == self.right.shape and close(self.got, self.right)


class Spy(Library):
    """The right library; it notes what every operation was given."""

    def __init__(self, given: Any = None) -> None:
        super().__init__(given)
        self.noted: list[tuple[Any, str, int, tuple[Any, ...]]] = []

    def apply(self, op: str, *inputs: Any) -> Tensor:
        result = super().apply(op, *inputs)
        if all(not isinstance(x, Tensor) or x.op is None for x in inputs):
            self.noted.append((result, op, -1, _arrays(inputs)))
        return result

    def shares(self, tensor: Tensor, gradient: Any) -> Iterator[tuple[Tensor, Any]]:
        op, inputs = tensor.op
        for (place, x), (_, share) in zip(self.inputs(tensor), super().shares(tensor, gradient), strict=True):
            self.noted.append((x, op, place, (gradient.copy(), *_arrays(inputs))))
            yield x, share

    def rule(self, op: str, base: np.ndarray, *inputs: Any) -> tuple[Any, ...]:
        shares = super().rule(op, base, *inputs)
        given = (as_values(np.array(base)), *_arrays(inputs))
        self.noted += [(share, op, place, given) for place, share in enumerate(shares) if share is not None]
        return shares

    def move(self, optimizer: SGD, parameter: Parameter, values: Any, gradient: Any) -> None:
        self.noted.append((parameter.tensor, "step", 0, (values.copy(), gradient.copy(), optimizer.lr)))
        super().move(optimizer, parameter, values, gradient)


def _arrays(inputs: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(x.values.copy() if isinstance(x, Tensor) else x for x in inputs)


def calls(observations: Sequence[Any]) -> list[Call]:
    """What was observed, as calls of single operations; nothing of what several of them have a part in."""
    found = []
    for code, seen in itertools.groupby(observations, key=lambda one: one.code):
        group = [one for one in seen if isinstance(one.got, np.ndarray) and isinstance(one.expected, np.ndarray)]
        if not group:
            continue
        spy = Spy(group[0].given)
        variables = spy.names()
        try:
            exec(compiled(code, "exec"), variables)
        except Exception:
            continue
        for one in group:
            is_gradient = one.see.endswith(".grad")
            try:
                owner = eval(compiled(one.see.removesuffix(".grad"), "eval"), variables)
            except Exception:
                continue
            notes = [note for note in spy.noted if note[0] is owner and (note[2] >= 0 or not is_gradient)]
            if is_gradient or any(op == "step" for _, op, *_ in notes):
                notes = [note for note in notes if (note[1] == "step") != is_gradient]
            if len(notes) == 1:
                found.append(Call(*notes[0][1:], one.got, one.expected))
    return found


# ---------------------------------------------------------------- formulas of factors and powers


@dataclass(frozen=True)
class Family:
    """Formulas that multiply powers of some factors, and the right one for each place.

    Attributes:
        of: how a place is called: "d(a / b)/db".
        factors: from the arrays of a call to the factors by name.
        powers: factor to the powers that are tried.
        right: for each place the constant, and the powers that are not 0.
        names: for each slip the first id that fits: of the place and what differs, factor to (right, tried) power and
            "" to the quotient of the constants.
    """

    of: tuple[str, ...]
    factors: Callable[..., dict[str, Any]]
    powers: Mapping[str, range]
    right: tuple[tuple[float, dict[str, int]], ...]
    names: Callable[[int, dict[str, Any]], str]


@dataclass(frozen=True)
class Formula:
    """constant * factor ** power * ..., for one place of an operation."""

    op: str
    place: int
    constant: float
    powers: tuple[tuple[str, int], ...]

    def __call__(self, *arrays: Any) -> Any:
        factors = FAMILIES[self.op].factors(*arrays)
        result: Any = self.constant
        for name, power in self.powers:
            result = result * factors[name] ** power
        # A constant is as wide as the gradient it stands for.
        return result + 0 * factors[next(iter(factors))]

    def __str__(self) -> str:
        powers = dict(self.powers)
        power_of_a = _exponent(powers.pop("a", 0)) if powers.pop(POWER, 0) else None
        above = [f"{name}**{power}" if power > 1 else name for name, power in powers.items() if power > 0]
        below = "".join(
            f" / {name}{f'**{-power}' if power < -1 else ''}" for name, power in powers.items() if power < 0
        )
        if power_of_a:
            above.append(f"a**{power_of_a}")
        sign, size = "-" if self.constant < 0 else "", abs(self.constant)
        if not above or round(size, 4) != 1:
            above.insert(0, f"{size:.4g}")
        return sign + " * ".join(above) + below

    @functools.cached_property
    def differs(self) -> dict[str, Any]:
        """Factor to (right, tried) power where they differ, and "" to how often the right constant it has."""
        constant, right = FAMILIES[self.op].right[self.place]
        mine = dict(self.powers)
        found: dict[str, Any] = {
            name: (right.get(name, 0), mine.get(name, 0))
            for name in FAMILIES[self.op].powers
            if right.get(name, 0) != mine.get(name, 0)
        }
        if abs(self.constant / constant - 1) > 1e-3:
            found[""] = self.constant / constant
        return found

    @property
    def slip(self) -> str:
        """What differs from the right formula, in words; where much does, the right one."""
        if len(self.differs) > MOST_SLIPS or POWER in self.differs:
            return f"it should be {Formula(self.op, self.place, *_right(self.op, self.place))}"
        gone = [name for name, (right, mine) in self._powers if right == 1 and mine == 0 and name != UPSTREAM]
        new = [name for name, (right, mine) in self._powers if right == 0 and mine == 1]
        words = []
        if len(gone) == len(new) == 1:
            words.append(f"{new[0]} stands where {gone[0]} should")
        if self.op == "pow" and "a" in self.differs and POWER not in self.differs:
            right, mine = map(_exponent, self.differs["a"])
            words.append(f"the power of a is {mine}, not {right}")
        for name, (right, mine) in self._powers:
            if name == "a" and words:
                continue
            if name not in gone + new or len(gone) != 1 or len(new) != 1:
                words.append(_difference(name, right, mine))
        ratio = self.differs.get("", 1.0)
        if ratio < 0:
            words.append("it has the wrong sign")
        if round(abs(ratio), 3) != 1:
            words.append(f"it is {abs(ratio):.3g} times as large as it should be" if not self._powers else "")
        return " and ".join(filter(None, words))

    @property
    def far(self) -> float:
        """How much differs: powers count by how many, another constant little if it is a likely one."""
        ratio = self.differs.get("", 1.0)
        likely = any(abs(abs(ratio) / nice - 1) < 1e-3 for nice in (1, 2, 0.5))
        return sum(abs(mine - right) for _, (right, mine) in self._powers) + (0 if ratio == 1 else 0.5 if likely else 4)

    @property
    def _powers(self) -> list[tuple[str, tuple[int, int]]]:
        return [(name, both) for name, both in self.differs.items() if name]


def _right(op: str, place: int) -> tuple[float, tuple[tuple[str, int], ...]]:
    constant, powers = FAMILIES[op].right[place]
    return constant, tuple(powers.items())


def _exponent(more: int) -> str:
    """n + more, as a formula has it."""
    return f"(n {'+' if more > 0 else '-'} {abs(more)})" if more else "n"


def _difference(name: str, right: int, mine: int) -> str:
    if name == UPSTREAM:
        return "the upstream gradient is left out" if mine == 0 else "the upstream gradient is multiplied in twice"
    if right == 0:
        return f"{'it is multiplied' if mine > 0 else 'it is divided'} by {name}"
    if mine == 0:
        return f"the factor {name} is missing" if right > 0 else f"the division by {name} is missing"
    if right * mine < 0:
        return (
            f"{name} {'multiplies' if mine > 0 else 'divides'} instead of {'dividing' if mine > 0 else 'multiplying'}"
        )
    if abs(right) == 2 and abs(mine) == 1:
        return f"{name} is not squared"
    return f"{name} has the power {abs(mine)}, not {abs(right)}"


def _tensor_names(op: str) -> Callable[[int, dict[str, Any]], str]:
    def name(place: int, differs: dict[str, Any]) -> str:
        changed = set(differs) - {""}
        if changed == {UPSTREAM}:
            return f"{op}-upstream-{'missing' if differs[UPSTREAM][1] == 0 else 'squared'}"
        if not changed:
            return f"{op}-sign" if differs[""] == -1 else f"{op}-slope"
        special = {
            "mul": [(changed >= {"a", "b"}, "mul-own-operand")],
            "div": [
                (place == 0, "div-left-wrong"),
                (differs.get("b") == (-2, -1), "div-not-squared"),
                (differs.get("a") == (1, 0), "div-numerator-missing"),
            ],
            "pow": [
                (differs.get(POWER) == (1, 0), "pow-only-squares"),
                (differs.get("n") == (1, 0), "pow-factor-missing"),
                (differs.get("(n - 1)") == (0, 1), "pow-factor-missing"),
                (differs.get("a") == (-1, 0), "pow-exponent-kept"),
            ],
        }
        return next((id for fits, id in special.get(op, ()) if fits), f"{op}-slope")

    return name


def _loss_names(place: int, differs: dict[str, Any]) -> str:
    if {"n", "the batch size"} & set(differs):
        # By how many elements it is divided, in powers of their number: once is right.
        divided = -sum(differs.get(name, (right,) * 2)[1] for name, right in (("n", -1), ("the batch size", 0)))
        return "mse-gradient-averaged-twice" if divided > 1 else "mse-gradient-not-averaged"
    if set(differs) - {"", UPSTREAM}:
        return "mse-gradient-not-error"
    if UPSTREAM in differs:
        return "mse-upstream-missing"
    return "mse-two-missing" if differs[""] > 0 else "mse-sign"


def _step_names(place: int, differs: dict[str, Any]) -> str:
    if set(differs) == {""}:
        if differs[""] < 0:
            return "sgd-uphill"
        return "step-applied-twice" if differs[""] > 1 else "step-averaged"
    if differs.get("lr") == (1, 0) and set(differs) <= {"", "lr"}:
        return "lr-ignored"
    return "step-other-formula"


def _two(g: Any, a: Any, b: Any) -> dict[str, Any]:
    return {UPSTREAM: g, "a": a, "b": b}


def _binary(op: str, code: str, *right: tuple[float, dict[str, int]]) -> Family:
    of = (f"d({code})/da", f"d({code})/db")
    return Family(of, _two, {UPSTREAM: range(3), "a": range(-3, 4), "b": range(-3, 4)}, right, _tensor_names(op))


FAMILIES: dict[str, Family] = {
    "add": _binary("add", "a + b", (1, {UPSTREAM: 1}), (1, {UPSTREAM: 1})),
    "sub": _binary("sub", "a - b", (1, {UPSTREAM: 1}), (-1, {UPSTREAM: 1})),
    "mul": _binary("mul", "a * b", (1, {UPSTREAM: 1, "b": 1}), (1, {UPSTREAM: 1, "a": 1})),
    "div": _binary("div", "a / b", (1, {UPSTREAM: 1, "b": -1}), (-1, {UPSTREAM: 1, "a": 1, "b": -2})),
    "pow": Family(
        ("d(a ** n)/da",),
        lambda g, a, n: {UPSTREAM: g, "n": n + 0 * g, "(n - 1)": n - 1 + 0 * g, POWER: a**n, "a": a},
        {UPSTREAM: range(3), "n": range(3), "(n - 1)": range(2), POWER: range(2), "a": range(-2, 3)},
        ((1, {UPSTREAM: 1, "n": 1, POWER: 1, "a": -1}),),
        _tensor_names("pow"),
    ),
    "neg": Family(
        ("d(-a)/da",),
        lambda g, a: {UPSTREAM: g, "a": a},
        {UPSTREAM: range(3), "a": range(-3, 4)},
        ((-1, {UPSTREAM: 1}),),
        _tensor_names("neg"),
    ),
    "mse": Family(
        ("d(loss)/dy",),
        lambda g, y, t: {
            "(y - target)": y - t,
            UPSTREAM: g + 0 * y,
            "n": y.size + 0 * y,
            "the batch size": (y.shape[0] if y.ndim else 1) + 0 * y,
            "y": y,
            "target": t,
        },
        {
            "(y - target)": range(4),
            UPSTREAM: range(3),
            "n": range(-2, 2),
            "the batch size": range(-1, 1),
            "y": range(2),
            "target": range(2),
        },
        ((2, {UPSTREAM: 1, "(y - target)": 1, "n": -1}),),
        _loss_names,
    ),
    "step": Family(
        ("the step",),
        lambda w, g, lr: {"lr": lr + 0 * g, "gradient": g, "w": w},
        {"lr": range(-1, 3), "gradient": range(-1, 3), "w": range(-1, 2)},
        ((1, {"lr": 1, "gradient": 1}),),
        _step_names,
    ),
}


def solved(some: Sequence[Call]) -> list[Formula]:
    """The formulas that give what all these calls of one operation and place gave; the closest to the right one."""
    op, place = some[0].op, some[0].place
    family = FAMILIES[op]
    columns: list[list[np.ndarray]] = []
    wanted = []
    for call in some:
        factors = family.factors(*call.given)
        arrays = [np.asarray(factors[name]) for name in family.powers]
        got = np.asarray(call.given[0]) - call.got if op == "step" else call.got
        if any(array.shape != got.shape for array in arrays):
            return []
        columns.append([array.ravel() for array in arrays])
        wanted.append(got.ravel())
    values, got = np.array([np.concatenate(rows) for rows in zip(*columns, strict=True)]), np.concatenate(wanted)
    used = np.abs(values).min(axis=1) > 0  # a power of 0 would hide all else
    if len(got) < FEWEST or not np.isfinite(values).all() or not np.abs(got).min() > 0 or not used.any():
        return []
    powers = _grid(op)[(_grid(op)[:, ~used] == 0).all(axis=1)]
    sizes = np.log(np.abs(got)) - powers[:, used] @ np.log(np.abs(values[used]))
    signs = np.sign(got) * np.where(powers[:, used] % 2 @ (values[used] < 0) % 2, -1, 1)
    fits = (np.ptp(sizes, axis=1) < 1e-6) & (signs == signs[:, :1]).all(axis=1)
    found = []
    for row in np.flatnonzero(fits):
        constant = float(signs[row, 0] * np.exp(sizes[row].mean()))
        constant = next((nice for nice in NICE if abs(constant / nice - 1) < 1e-6), constant)
        named = tuple((name, int(n)) for name, n in zip(family.powers, powers[row], strict=True) if n)
        found.append(Formula(op, place, constant, named))
    far = [formula.far for formula in found]
    return [formula for formula, n in zip(found, far, strict=True) if n == min(far) and formula.differs]


@functools.cache
def _grid(op: str) -> np.ndarray:
    return np.array(list(itertools.product(*FAMILIES[op].powers.values())))


# ---------------------------------------------------------------- where a slip shows

CONDITIONS: dict[str, Callable[..., bool]] = {
    "for single numbers": lambda x, *_: x.ndim == 0,
    "for tensors with one axis": lambda x, *_: x.ndim == 1,
    "for tensors with two axes": lambda x, *_: x.ndim == 2,
    "for tensors with an axis": lambda x, *_: x.ndim > 0,
    "for tensors with one element": lambda x, *_: x.size == 1,
    "for tensors with several elements": lambda x, *_: x.size > 1,
    "for a plain number and a tensor": lambda g, a, b=None, *_: b is not None and _dims(a) == 0 < _dims(b),
    "for a tensor and a plain number": lambda g, a, b=None, *_: b is not None and _dims(b) == 0 < _dims(a),
}


def _dims(x: Any) -> int:
    return getattr(x, "ndim", 0)


def _formulas(some: Sequence[Call]) -> Iterator[tuple[Formula | None, str, Callable[..., bool] | None]]:
    """Formulas for what an operation hands to one place, and where they hold; None is 0."""
    wrong = [call for call in some if not call.is_right]
    if all(not call.got.any() and call.got.shape == call.right.shape for call in wrong):
        yield None, "", None
        return
    found = solved(some)
    yield from ((formula, "", None) for formula in found)
    if found:
        return
    for formula in solved(wrong):
        for says, holds in CONDITIONS.items():
            if all(holds(*call.given) != call.is_right for call in some):
                yield formula, says, holds


def of_rules(some: Sequence[Call]) -> Iterator[Way]:
    """Other formulas in the rules of the operations that were called."""
    by: dict[str, dict[int, list[Call]]] = {}
    for call in some:
        if call.op in FAMILIES and call.place >= 0:
            by.setdefault(call.op, {}).setdefault(call.place, []).append(call)
    for op, places in by.items():
        if op == "mse":  # its second place mirrors the first
            places = {0: places.get(0, [])}
        wrong = {place: group for place, group in places.items() if any(not call.is_right for call in group)}
        options = [[(place, *option) for option in _formulas(group)] for place, group in sorted(wrong.items())]
        if options and all(options):
            for option in itertools.product(*options):
                if op != "step" or option[0][1]:  # a step that moves nothing may be lost, or not taken
                    yield _way(op, option)


def _way(op: str, option: Sequence[tuple[int, Formula | None, str, Any]]) -> Way:
    family = FAMILIES[op]
    changes = [_rule(op, place, formula, holds) for place, formula, _, holds in option]
    where = f", but only {option[0][2]}" if option[0][2] else ""
    formulas = [formula for _, formula, *_ in option]
    of = [family.of[place] for place, *_ in option]
    if None in formulas or op == "step":
        formula = formulas[0]
        if formula is None:
            id = "mse-gradient-not-error" if op == "mse" else f"{op}-gradient-zero"
            return Way(KNOWN[id], f"{' and '.join(of)} is 0 everywhere{where}", both(*changes))
        upward, size = formula.constant < 0, replace(formula, constant=abs(formula.constant))
        says = f"step() turns w into w {'+' if upward else '-'} {size}: {formula.slip}"
        return Way(KNOWN[family.names(0, formula.differs)], says, both(*changes))
    if not any(formula.powers for formula in formulas) and abs(formulas[0].constant) != 1:
        return Way(
            KNOWN["hard-coded"], f"{' and '.join(of)} is {formulas[0]}, whatever the operands are", both(*changes)
        )
    another = _another(op, formulas)
    if another and not where:
        id, says = another
        return Way(KNOWN[id], says, both(*changes))
    slips = [formula.slip for formula in formulas]
    if len(of) == 2 and slips[0] == slips[1]:
        says = f"{of[0]} and {of[1]}: {slips[0]}"
    else:
        says = "; ".join(
            f"{name} is {formula}: {slip}" for name, formula, slip in zip(of, formulas, slips, strict=True)
        )
    return Way(KNOWN[family.names(option[0][0], formulas[0].differs)], says + where, both(*changes))


def _another(op: str, formulas: Sequence[Formula]) -> tuple[str, str] | None:
    """Whether the rule is that of another operation, or its two gradients are exchanged."""
    mine = {formula.place: (formula.constant, dict(formula.powers)) for formula in formulas}
    rule = [mine.get(place, right) for place, right in enumerate(FAMILIES[op].right)]
    if len(rule) == 2:
        if rule == [*FAMILIES[op].right[::-1]] and f"{op}-gradients-exchanged" in KNOWN:
            return f"{op}-gradients-exchanged", KNOWN[f"{op}-gradients-exchanged"].title
        for other in ("add", "sub", "mul", "div"):
            if rule == [*FAMILIES[other].right] and {op, other} != {"add", "sub"} and op in SYMBOLS:
                return f"{op}-rule-of-another", f"the gradients of {CODES[op]} are those of {CODES[other]}"
    return None


def _rule(op: str, place: int, formula: Formula | None, holds: Callable[..., bool] | None) -> Change:
    def change(library: Library) -> None:
        if op == "step":

            def move(optimizer: SGD, parameter: Parameter, values: Any, gradient: Any) -> None:
                values -= formula(values.copy(), gradient, optimizer.lr)

            library.move = move
            return
        right = library.rules[op]

        def rule(g: Any, *arrays: Any) -> tuple[Any, ...]:
            shares = list(right(g, *arrays))
            if holds is None or holds(g, *arrays):
                shares[place] = 0 * shares[place] if formula is None else formula(g, *arrays)
                if op == "mse":
                    shares[1] = -shares[0]
            return tuple(shares)

        library.rules[op] = rule

    return change


# ---------------------------------------------------------------- values


def _dot(a: Any, b: Any) -> Any:
    if not (a.ndim and b.ndim):
        return a * b
    return (a * b).sum() if a.ndim == 1 else a @ b


OTHERS: dict[str, Callable[[Any, Any], Any]] = {  # what two operands may give
    "a + b": lambda a, b: a + b,
    "a - b": lambda a, b: a - b,
    "b - a": lambda a, b: b - a,
    "a * b": lambda a, b: a * b,
    "a / b": lambda a, b: a / b,
    "b / a": lambda a, b: b / a,
    "a ** b": lambda a, b: a**b,
    "b ** a": lambda a, b: b**a,
    "-a - b": lambda a, b: -a - b,
    "a % b": lambda a, b: a % b,
    "the matrix product of a and b": _dot,
    "a": lambda a, b: a + 0 * b,
    "b": lambda a, b: b + 0 * a,
    "the larger of a and b": lambda a, b: np.maximum(a, b),
    "the smaller of a and b": lambda a, b: np.minimum(a, b),
    "the elements of b behind those of a": lambda a, b: np.concatenate([x if x.ndim else x[None] for x in (a, b)]),
}
MATRICES: dict[str, Callable[[Any, Any], Any]] = {
    "a * b": lambda a, b: a * b,
    "b @ a": lambda a, b: b @ a,
    "a @ b.T": lambda a, b: a @ b.T,
    "a.T @ b": lambda a, b: a.T @ b,
    "the products without adding them up": lambda a, b: a[:, :, None] * b[None],
    "the sums of a * b": lambda a, b: (a * b).sum(-1, keepdims=True),
}
CHANGED: dict[str, Callable[[Any], Any]] = {  # what may become of a result
    "is negated": lambda y: -y,
    "loses its sign": lambda y: abs(y),
    "is cut to whole numbers": lambda y: np.trunc(y),
    "is rounded down": lambda y: np.floor(y),
    "is rounded": lambda y: np.rint(y),
    "is 0 everywhere": lambda y: 0 * y,
    "is doubled": lambda y: 2 * y,
    "is halved": lambda y: y / 2,
    "is squared": lambda y: y**2,
    "is turned into 1 / it": lambda y: 1 / y,
    "is transposed": lambda y: y.T if y.ndim == 2 else y,
    "is summed to one number": lambda y: y.sum(),
    "is averaged to one number": lambda y: y.mean(),
    "is summed over the rows": lambda y: y.sum(0) if y.ndim else y,
    "is summed over the columns": lambda y: y.sum(-1) if y.ndim else y,
    "gets an axis more": lambda y: y[None],
    "loses an axis": lambda y: y[0] if y.ndim else y,
    "loses its shape": lambda y: y.flatten(),
}
CODES = {"pow": "a ** n", "neg": "-a", "matmul": "matmul(a, b)", **{op: code for op, (code, _) in BINARY.items()}}


def _of_power(says: str) -> str:
    """The same of a ** n, whose second operand is n."""
    return re.sub(r"\bb\b", "n", says)


def of_values(some: Sequence[Call]) -> Iterator[Way]:
    """Other functions in place of the operations that were called."""
    for op in {call.op: None for call in some if call.place < 0 and call.op in CODES}:
        group = [call for call in some if call.op == op and call.place < 0]
        wrong = [call for call in group if not call.is_right]
        if not wrong:
            continue
        right, code = Library().values[op], CODES[op]
        others = {"a": lambda a: a} if op == "neg" else MATRICES if op == "matmul" else OTHERS
        functions = [(f"{code} gives {_of_power(says) if op == 'pow' else says}", f) for says, f in others.items()]
        functions += [
            (f"the result of {code} {says}", functools.partial(lambda f, right, *given: f(right(*given)), f, right))
            for says, f in CHANGED.items()
        ]
        likely = [(says, function) for says, function in functions if all(_gives(function, call) for call in wrong)]
        for says, function in likely:  # of what cannot be told apart, the plainest
            if all(_gives(function, call) for call in group):
                yield from _values(op, says, function, None)
                break
        else:
            for (says, function), (where, holds) in itertools.product(likely[:1], CONDITIONS.items()):
                if all(holds(call.given[0], *call.given) != call.is_right for call in group):
                    yield from _values(op, f"{says}, but only {where}", function, holds)


def _gives(function: Callable[..., Any], call: Call) -> bool:
    try:
        value = function(*(x.copy() if isinstance(x, np.ndarray) else x for x in call.given))
    except Exception:
        return False
    return tuple(value.shape) == call.got.shape and close(np.asarray(value), call.got)


def _values(op: str, says: str, function: Callable[..., Any], holds: Any) -> Iterator[Way]:
    """The value alone is another one, or its rule is, too."""
    mistake = KNOWN[_value_name(op, says)]

    def change(library: Library) -> None:
        right = library.values[op]
        library.values[op] = lambda *given: (
            function(*given) if holds is None or holds(given[0], *given) else right(*given)
        )

    def derived(library: Library) -> None:
        change(library)
        library.rules[op] = functools.partial(derived, library.values[op])

    yield Way(mistake, says, change)
    yield Way(mistake, says, derived)


def _value_name(op: str, says: str) -> str:
    if "rounded down" in says and op == "div":
        return "floor-division"
    if "whole numbers" in says or ("rounded" in says and op in SYMBOLS):
        return "integer-truncation"
    if says in ("a - b gives b - a", "a / b gives b / a"):
        return f"{op}-operands-swapped"
    if op == "matmul":
        if says.endswith("b @ a"):
            return "matmul-operands-swapped"
        if ".T" in says or "transposed" in says:
            return "matmul-transposed"
        return "matmul-wrong-operation" if says.startswith("the result") else "matmul-elementwise"
    return "neg-not-negated" if op == "neg" else f"{op}-wrong-operation"


# ---------------------------------------------------------------- matrix products

TURNS: dict[str, Callable[[Any], Any]] = {
    "{}": lambda x: x,
    "{}.T": lambda x: x.T,
    "{}.reshape(its shape reversed)": lambda x: x.reshape(tuple(x.shape)[::-1]),
}
ENDS: dict[str, Callable[[Any, tuple[int, ...]], Any]] = {
    "": lambda x, shape: x,
    ", reshaped": lambda x, shape: x.reshape(shape),
    ", summed to the operand's shape": lambda x, shape: np.broadcast_to(_squeezed(x, shape), shape),
    ", summed": lambda x, shape: _squeezed(x, shape),
}


def _squeezed(x: Any, shape: tuple[int, ...]) -> Any:
    """What an unbroadcast makes of a gradient of the wrong shape: every axis of another length is summed."""
    for axis, n in enumerate(shape):
        if x.shape[axis] != n:
            x = x.sum(axis, keepdims=True)
    return x


@dataclass(frozen=True)
class Product:
    """A product of two of the upstream gradient and the operands, each of them turned over or not.

    Attributes:
        place: the operand that it is the gradient of.
        left, right: which array, 0 for the upstream gradient, and how it is turned.
        elementwise: `*` instead of `@`.
        end: what becomes of it.
    """

    place: int
    left: tuple[int, str]
    right: tuple[int, str]
    elementwise: bool
    end: str

    def __call__(self, *arrays: Any) -> Any:
        one, other = (TURNS[turn](rows(arrays[which])) for which, turn in (self.left, self.right))
        return ENDS[self.end](one * other if self.elementwise else one @ other, tuple(arrays[1 + self.place].shape))

    def __str__(self) -> str:
        one, other = (turn.format((UPSTREAM, "a", "b")[which]) for which, turn in (self.left, self.right))
        return f"{one} {'*' if self.elementwise else '@'} {other}{self.end}"

    @property
    def name(self) -> str:
        other = 2 - self.place
        right = ((0, other), (other, 0))[self.place]
        order = (self.left[0], self.right[0])
        if self.elementwise:
            return "matmul-gradient-elementwise"
        if order == right:
            return "matmul-transpose-missing"
        if order == right[::-1]:
            turned = (self.left[1], self.right[1]) == (("{}", "{}.T"), ("{}.T", "{}"))[self.place]
            return "matmul-gradient-transposed" if turned else "matmul-factors-swapped"
        return "matmul-gradients-exchanged" if set(order) == {0, 1 + self.place} else "matmul-factors-swapped"


@functools.cache
def _products(place: int) -> list[Product]:
    """The likely ones first: those of the right two factors, and what is done to the product last."""
    pairs = [(one, other) for one in range(3) for other in range(3) if one != other and 0 in (one, other)]
    pairs.sort(key=lambda pair: 1 + place in pair)
    return [
        Product(place, (one, turn), (other, another), elementwise, end)
        for end in ENDS
        for elementwise in (False, True)
        for one, other in pairs
        for turn in TURNS
        for another in TURNS
    ]


def of_products(some: Sequence[Call]) -> Iterator[Way]:
    """Other products in the rule of matmul: always, or wherever their shape fits."""
    right = [(0, (0, "{}"), (2, "{}.T")), (1, (1, "{}.T"), (0, "{}"))]
    single = all(call.given[1].ndim == 1 for call in some if call.op == "matmul" and not call.is_right)
    alike = single or all(map(_is_square, some))  # to turn and to reshape are the same then
    options: list[list[Product]] = []
    for place in (0, 1):
        group = [call for call in some if call.op == "matmul" and call.place == place and call.got.ndim == 2]
        group = [call for call in group if call.got.shape == call.right.shape or not call.is_right]
        wrong = [call for call in group if not call.is_right]
        fits = [
            product
            for product in _products(place)
            if wrong and (place, product.left, product.right) not in right and all(_gives(product, c) for c in wrong)
            if not (alike and "reshape" in product.left[1] + product.right[1]) and not (single and product.elementwise)
        ]
        if fits:
            options.append(fits[:6])
    for found in itertools.product(*options) if options else ():
        gradient = " and ".join(f"the gradient of {'ab'[p.place]} is {p}" for p in found)
        for guarded in (False, True):
            for eager in (True, False):
                where = f"{', for a single row' if single else ''}{', wherever the shape fits' if guarded else ''}"
                changes = [_product_rule(product, guarded, eager, single) for product in found]
                yield Way(KNOWN[found[0].name], gradient + where, both(*changes))


def square(observations: Sequence[Any]) -> Iterator[Way]:
    """Other products in the rule of matmul, by what square matrices show: there every product has a shape that fits."""
    some = [call for call in calls(observations) if call.op == "matmul" and call.place >= 0]
    yield from of_products([call for call in some if _is_square(call)])


def _is_square(call: Call) -> bool:
    shapes = {tuple(x.shape) for x in call.given}
    return len(shapes) == 1 and all(len(shape) == 2 and shape[0] == shape[1] > 1 for shape in shapes)


def _product_rule(product: Product, guarded: bool, eager: bool, single: bool) -> Change:
    """`eager` computes it also when that input needs none: a rule that raises then raises in any case.

    `single` computes it for single rows only.
    """

    def change(library: Library) -> None:
        right = library.rules["matmul"]

        def rule(g: Any, a: Any, b: Any) -> tuple[Any, ...]:
            def share() -> Any:
                if single and a.ndim != 1:
                    return right(g, a, b)[product.place]
                try:
                    wrong = product(g, a, b)
                    if not guarded or wrong.shape == (a, b)[product.place].shape:
                        return wrong
                except ValueError:
                    if not guarded:
                        raise
                return right(g, a, b)[product.place]

            shares = list(right(g, a, b))
            shares[product.place] = share() if eager else share
            return tuple(shares)

        library.rules["matmul"] = rule

    return change


# ---------------------------------------------------------------- two straight lines that meet at 0


def of_relu(some: Sequence[Call]) -> Iterator[Way]:
    """Other slopes on the two sides of 0, in the value or in the gradient."""
    values = [call for call in some if call.op == "relu" and call.place < 0]
    rules = [call for call in some if call.op == "relu" and call.place == 0]
    if any(not call.is_right for call in values) and all(call.got.shape == call.right.shape for call in values):
        x, y = _joined((call.given[0], call.got) for call in values)
        slopes = _constant(y, x, x > 0), _constant(y, x, x < 0)
        if None not in slopes and not (y[x == 0] != 0).any():
            p, q = slopes
            if (p, q) != (1.0, 0.0):
                yield _relu_value(p, q)
        top = y.max()
        if np.array_equal(y, np.clip(x, 0, top)):
            yield Way(
                KNOWN["relu-clipped"],
                f"relu gives no more than {top:g}",
                lambda library: library.values.update(relu=lambda x: x.clip(0, top)),
            )
    if any(not call.is_right for call in rules) and all(call.got.shape == call.right.shape for call in rules):
        for says, of in (
            ("", lambda g, x: g),
            ("is multiplied by x", lambda g, x: g * x),
            ("lacks the upstream gradient", lambda g, x: 0 * g + 1),
            ("lets only positive upstream gradients through", lambda g, x: g.clip(0)),
        ):
            base, x, y = _joined((of(*call.given), call.given[1], call.got) for call in rules)
            sides = [_constant(y, base, where & (base != 0)) for where in (x > 0, x == 0, x < 0)]
            if None not in sides and not (y[base == 0] != 0).any() and (says or sides != [1.0, 0.0, 0.0]):
                yield from _relu_rule(says, of, [0.0 if side is True else side for side in sides], sides[1] is True)
                break  # the plainest


def _joined(rows: Iterable[tuple[Any, ...]]) -> list[np.ndarray]:
    return [np.concatenate([np.ravel(array) for array in arrays]) for arrays in zip(*rows, strict=True)]


def _constant(y: np.ndarray, x: np.ndarray, where: np.ndarray) -> float | bool | None:
    """c with y = c * x there; True where that tells nothing, None if there is none."""
    if not where.any():
        return True
    ratios = y[where] / x[where]
    return float(np.round(ratios[0], 9)) if np.ptp(ratios) < 1e-6 else None


def _relu_value(p: float, q: float) -> Way:
    if q == -p:
        id, says = "relu-abs", KNOWN["relu-abs"].title
    elif p == 1 and abs(q) < 1:
        id, says = "relu-leaky", f"relu gives {q:g} * x for negative x"
    elif (p, q) == (1.0, 1.0):
        id, says = "relu-other-function", "relu gives x unchanged"
    else:
        id, says = "relu-other-function", f"relu gives {p:g} * x for positive x and {q:g} * x for negative x"
    return Way(KNOWN[id], says, lambda library: library.values.update(relu=lambda x: p * x.clip(0) + q * x.clip(max=0)))


def _relu_rule(says: str, of: Callable[..., Any], sides: list[float], kink_unseen: bool) -> Iterator[Way]:
    p, z, q = sides
    for zero in dict.fromkeys((p, q, 0.0) if kink_unseen else (z,)):

        def rule(g: Any, x: Any, zero: float = zero) -> tuple[Any, ...]:
            return (of(g, x) * (p * (x > 0) + zero * (x == 0) + q * (x < 0)),)

        if says.startswith("is multiplied by x"):
            id = "relu-gradient-times-x"
        elif says.startswith("lacks"):
            id = "relu-upstream-missing"
        elif says:
            id = "relu-mask-of-upstream"
        elif p == q == z == 0:
            id = "relu-gradient-zero"
        elif (p, q) == (1.0, 0.0):
            id = "relu-kink-one" if z == 1 else "relu-kink-half"
        elif (p, q) == (-1.0, 0.0):
            id = "relu-sign"
        elif p == 0 and q == 1:
            id = "relu-mask-inverted"
        else:
            id = "relu-unmasked"
        shown = KNOWN[id].title
        if id == "relu-unmasked" and (p, q) != (1.0, 1.0):
            shown = f"the gradient is {p:g} times the upstream gradient where x > 0, {q:g} times where x < 0"
        yield Way(KNOWN[id], shown, lambda library, rule=rule: library.rules.update(relu=rule))


# ---------------------------------------------------------------- losses

ERRORS: dict[str, Callable[[Any, Any], Any]] = {  # of an element
    "the squared errors": lambda y, t: (y - t) ** 2,
    "the errors": lambda y, t: y - t,
    "the absolute errors": lambda y, t: abs(y - t),
    "the errors to the third": lambda y, t: (y - t) ** 3,
    "the squared errors around their mean": lambda y, t: (y - t - (y - t).mean()) ** 2,
    "y**2 - target**2": lambda y, t: y**2 - t**2,
    "(y + target)**2": lambda y, t: (y + t) ** 2,
    "y * target": lambda y, t: y * t,
    "y**2": lambda y, t: y**2,
}
TOGETHER: dict[str, tuple[str, Callable[[Any], Any]]] = {  # how one number is made of them
    "the mean of": ("", lambda e: e.mean()),
    "the sum of": ("mse-sum", lambda e: e.sum()),
    "the sum, divided by the batch size only, of": (
        "mse-batch-only",
        lambda e: e.sum() / (e.shape[0] if e.ndim else 1),
    ),
    "the sum, divided by the number of outputs only, of": ("mse-batch-only", lambda e: e.sum() / e.shape[-1]),
    "the sum, divided by n - 1, of": ("mse-half", lambda e: e.sum() / (e.size - 1)),
    "a number for every element:": ("mse-not-scalar", lambda e: e),
    "a number for every element, divided by n:": ("mse-not-scalar", lambda e: e / e.size),
    "a number for every row: the sum of": ("mse-not-scalar", lambda e: e.sum(-1)),
    "a number for every output: the sum of": ("mse-not-scalar", lambda e: e.sum(0)),
    "a number for every row: the mean of": ("mse-not-scalar", lambda e: e.mean(-1)),
    "a number for every output: the mean of": ("mse-not-scalar", lambda e: e.mean(0)),
    "an array of one number: the mean of": ("mse-not-scalar", lambda e: e.mean().reshape(1)),
    "the largest of": ("mse-other-function", lambda e: e.max()),
    "the root of the mean of": ("mse-root", lambda e: np.sqrt(e.mean())),
    "the root of the sum of": ("mse-root", lambda e: np.sqrt(e.sum())),
    "the square of the mean of": ("mse-not-squared", lambda e: e.mean() ** 2),
}


def of_losses(some: Sequence[Call]) -> Iterator[Way]:
    """Other errors, put together otherwise, perhaps with a factor."""
    group = [call for call in some if call.op == "mse" and call.place < 0]
    if all(call.is_right for call in group):
        return
    for (errors, of), (how, (id, made)) in itertools.product(ERRORS.items(), TOGETHER.items()):
        for times in (1.0, 2.0, 0.5, -1.0):
            loss = functools.partial(lambda of, made, times, y, t: times * made(of(y, t)), of, made, times)
            if (errors, how, times) != ("the squared errors", "the mean of", 1.0) and all(
                _gives(loss, call) for call in group
            ):
                plain = "mse-not-squared" if errors in ("the errors", "the absolute errors") else "mse-other-function"
                name = (id or "mse-half") if errors == "the squared errors" else plain
                factor = {1.0: "", 2.0: "twice ", 0.5: "half ", -1.0: "minus "}[times]

                def change(library: Library, loss: Any = loss) -> None:
                    library.values["mse"] = loss
                    library.rules["mse"] = functools.partial(derived, loss)

                yield Way(KNOWN[name], f"the loss is {factor}{how} {errors}", change)


def ways(section: str, observations: Sequence[Any]) -> Iterator[Way]:
    """The generated mistakes of a section that may explain what was observed."""
    some = calls(observations)
    if any(not call.is_right for call in some):
        for family in (of_values, of_rules, of_products, of_relu, of_losses):
            yield from (way for way in family(some) if section in way.mistake.sections)
