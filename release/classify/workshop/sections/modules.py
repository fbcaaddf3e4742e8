"""PyTorch architecture: the checks of `MyModule`."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from checks.observe import Failed, Missing, text_of
from checks.programs import Choices, Program, Unfit
from checks.report import Score
from checks.section import Section
from workshop.assignment import ASSIGNMENT
from workshop.reading import array_of
from workshop.sections.tensor import TENSOR
from workshop.trial import TensorTrial

MOST_PARAMETERS = 1000  # of a learner's module that are looked at

MODULE = Section(
    "module",
    "PyTorch architecture",
    "tests.test_my_module(MyModule, MyTensor, Parameter)",
    builds_on=[(TENSOR, ["create"])],
    assignment=ASSIGNMENT,
)


def parameters_are(
    trial: TensorTrial,
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
            trial.snippet = f"{code}\n[p.tensor.data.tolist() for p in m.parameters()]"  # which shows no addresses
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


def used_up(trial: TensorTrial) -> str | None:
    """The mistake that a call of parameters() leaves less for the next one."""
    lines = ["m = MyModule()", "m.inner = MyModule()", "m.own = Parameter(MyTensor([7.5]))"]
    lines += ["first, second = list(m.parameters()), list(m.parameters())"]
    found = trial.beside(trial.seconds).tries("\n".join([*lines, "fewer = len(second) < len(first)"]))
    return "parameters-used-up" if found and found["fewer"] else None


def left_over(trial: TensorTrial) -> str | None:
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


def trees_that_work(trial: TensorTrial) -> set[str]:
    """Names of TREES that are listed as PyTorch lists them."""
    return {*itertools.compress(TREES, trial.right([*TREES.values()]))}


@MODULE.check(2.5, hints=["__setattr__ has kept them for you."])
def own(trial: TensorTrial) -> None:
    """parameters() lists the module's own parameters"""
    parameters_are(trial, "m = MyModule()")
    parameters_are(trial, PARAMETERS, [1.5], [2.5, 3.5])


@MODULE.check(1, needs=["own"], hints=["Every sub-module has parameters() too."])
def nested(trial: TensorTrial) -> None:
    """parameters() lists those of sub-modules"""
    parameters_are(trial, NESTED, [1.5], [2.5, 3.5], inner=[[4.5]])
    parameters_are(trial, BESIDE, [1.5], [2.5, 3.5], inner=[[4.5], [5.5]])


@MODULE.check(0.5, needs=["nested"], hints=["Others may have its name and its numbers: what counts is the object."])
def alike(trial: TensorTrial) -> None:
    """Parameters that are alike in name or in value are all listed"""
    for name, value in (("first", 2.5), ("second", 1.5), ("first", 1.5)):
        parameters_are(trial, ALIKE.format(name=name, value=value), [1.5], [value])


@MODULE.check(0.5, needs=["nested"], hints=["Ask sub-modules for theirs: parameters() calls itself."])
def deep(trial: TensorTrial) -> None:
    """parameters() goes down to any depth"""
    parameters_are(trial, DEEP, [1.5], [2.5, 3.5], [4.5], [5.5], fewer="parameters-one-level")


@MODULE.check(0.5, needs=["alike"], hints=["Two names, one object: it is listed once, and all others are, too."])
def shared(trial: TensorTrial) -> None:
    """A shared parameter is listed once"""
    twice = "parameters-shared-twice"
    parameters_are(trial, f"{PARAMETERS}\nm.tied = m.first", [1.5], [2.5, 3.5], more=twice)
    parameters_are(trial, TIED, [1.5], [2.5, 3.5], [4.5], more=twice)
    after = f"{NESTED}\nm.again = m.inner\nm.last = MyModule()\nm.last.fifth = Parameter(MyTensor([6.5]))"
    parameters_are(trial, after, [1.5], [2.5, 3.5], [4.5], [6.5], more=twice)


@MODULE.check(1, needs=["own"], hints=["Keep parameters by name, so that a new one takes the old one's place."])
def reassigned(trial: TensorTrial) -> None:
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
def calling(trial: TensorTrial) -> None:
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
def any_tree(trial: TensorTrial) -> None:
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
