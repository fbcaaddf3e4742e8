"""Networks: the checks of Sequential, kaiming_normal and state dictionaries."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from checks.observe import Failed, Missing, Waits
from checks.programs import Choices, Program
from checks.report import Score
from checks.section import Section
from checks.trial import literal
from classify.assignment import ASSIGNMENT
from workshop.trial import TensorTrial

NETWORKS = Section(
    "networks",
    "Networks",
    "tests.test_networks(Sequential, MyModule, kaiming_normal, MyTensor, Parameter)",
    assignment=ASSIGNMENT,
)


def part(name: str, formula: str, *weights: list[float]) -> str:
    """Code of a module that computes a formula of x, with a weight w if there is one."""
    lines = [f"{name} = MyModule()"]
    lines += [f"{name}.w = Parameter(MyTensor({values}, requires_grad=True))" for values in weights]
    return "\n".join([*lines, f"{name}.forward = lambda x: {formula}"])


def twice_and_more(trial: TensorTrial) -> str:
    """Two modules whose order counts: one multiplies, one adds."""
    weights = [trial.draw(2).tolist() for _ in range(2)]
    return "\n".join(
        [part("f", "x * f.w.tensor", weights[0]), part("g", "x + g.w.tensor", weights[1]), part("h", "x * x")]
    )


HELD = "held = sorted([p.tensor.data.tolist() for p in n.parameters()])"
NETWORKS.stage("sequential", "Sequential")


@NETWORKS.check(1, hints=["The result of one module is what the next one gets.", "for module in ...: x = module(x)"])
def order(trial: TensorTrial) -> None:
    """Sequential calls its modules in order"""
    for inside in ("f, g", "g, f", "f, g, h", "f, f", "h", ", ".join(["f", "g"] * 6), ", ".join([*["g"] * 10, "f"])):
        code = f"{twice_and_more(trial)}\nn = Sequential({inside})\nx = MyTensor({literal(trial.draw(2))})"
        trial.same(f"{code}\ny = n(x)", "y")
    if trial.first is None:
        trial.same(f"n = Sequential()\ny = n(MyTensor({literal(trial.draw(2))}))", "y")


@NETWORKS.check(
    1,
    hints=["Who knows the modules: a list, or MyModule?", "setattr(self, str(number), module) registers each of them."],
)
def inside(trial: TensorTrial) -> None:
    """Its parameters are those of its modules, each once; its mode is theirs"""
    alone = "f = MyModule()\nf.forward = lambda x: x\nnothing = Sequential(f)(1.5) is None"
    if (trial.tries(alone) or {"nothing": False})["nothing"] is True:
        raise Waits("waits for a Sequential that computes something")
    for modules in ("f, g", "f, h, g", "f, f, g", "f, Sequential(h, g)"):
        trial.same(f"{twice_and_more(trial)}\nn = Sequential({modules})\n{HELD}", "held")
    trial.same("f = MyModule()\nn = Sequential(f)\nn.eval()", "f.training")


@NETWORKS.check(0.5, needs=["order"], hints=["Hand tensors on, not arrays."])
def through(trial: TensorTrial) -> None:
    """Gradients go back through all of it"""
    x, base = (literal(trial.draw(2)) for _ in range(2))
    for modules in ("f, g", "g, Sequential(f, h)"):
        code = f"{twice_and_more(trial)}\nn = Sequential({modules})\nx = MyTensor({x}, requires_grad=True)\ny = n(x)"
        trial.same(f"{code}\ny.backward(MyTensor({base}))", "x.grad", "f.w.tensor.grad", "g.w.tensor.grad")


def right_alone(trial: TensorTrial, some: dict[str, Program]) -> frozenset[str]:
    return frozenset(name for name, right in zip(some, trial.right([*some.values()]), strict=True) if right)


TWO = f"{part('f', 'x * f.w.tensor', [1.5, 2.0])}\n{part('g', 'x + g.w.tensor', [0.5, -1.0])}\n"


def nets(choices: Choices, works: frozenset[str]) -> Program:
    """Networks in networks: what they compute, and what they hold."""
    made: list[str] = []
    lines: list[str] = []
    for number in range(1 + choices.below(3)):
        formula = choices.of(["x * {0}.w.tensor", "x + {0}.w.tensor", "x * x"])
        weights = [choices.array(2).tolist()] if "w" in formula else []
        lines.append(part(f"f{number}", formula.format(f"f{number}"), *weights))
        made.append(f"f{number}")
    net = [choices.of(made) for _ in range(1 + choices.below(3))]
    net = net if "twice" in works else [*dict.fromkeys(net)]
    inner = choices.below(2)
    call = ", ".join([net[0], f"Sequential({', '.join(net[1:])})"] if inner and len(net) > 1 else net)
    lines.append(f"n = Sequential({call})")
    lines.append(f"x = MyTensor({literal(choices.array(2))}, requires_grad=True)\ny = n(x)")
    see = ["y"]
    if "parameters" in works:
        lines.append(HELD)
        see.append("held")
    if choices.below(2):
        lines.append("z = n(y)")
        see.append("z")
    return Program("\n".join(lines), tuple(see))


@NETWORKS.check(
    1.5,
    hints=["Follow the snippet line by line: which modules lie in which, and what does each one get?"],
    any_program=True,
)
def any_sequential(trial: TensorTrial) -> None:
    """Any network: what it computes, and its parameters"""
    works = right_alone(
        trial,
        {
            "order": Program(f"{TWO}n = Sequential(f, g)\ny = n(MyTensor([1.0, 2.0]))", ("y",)),
            "parameters": Program(f"{TWO}n = Sequential(f, Sequential(g))\n{HELD}", ("held",)),
            "twice": Program(f"{TWO}n = Sequential(f, g, f)\n{HELD}", ("held",)),
        },
    )
    if "order" not in works:
        raise Waits("waits for a Sequential that calls its modules")
    trial.programs(lambda choices: nets(choices, works), count=12)


NETWORKS.stage("initialization", "Initialization")
BEFORE = 9.0  # what parameters hold before they are filled
NOTHING = "p.tensor is as before: not written yet, or it fills a copy"
SIZES = ((200, 60), (60, 200), (500, 40))


def drawn(trial: TensorTrial, shape: tuple[int, int]) -> np.ndarray:
    code = f"p = Parameter(MyTensor(np.full({shape}, {BEFORE}), requires_grad=True))\nkaiming_normal(p)"
    values = trial.read(trial.run(code, see="p.tensor"), "p.tensor")
    if values.shape != shape:
        raise Failed(f"p.tensor has shape {values.shape}", f"p.tensor has shape {shape}")
    if (values == BEFORE).all():
        raise Missing(NOTHING)
    if any(np.array_equal(values, np.broadcast_to(line, shape)) for line in (values[:1], values[:, :1])):
        raise Failed("all rows or columns are alike", "a number of its own each", mistake="kaiming-alike")
    if values.mean() > BEFORE / 2:
        raise Failed("numbers around what p.tensor held before", "numbers around 0", mistake="kaiming-adds")
    return values


@NETWORKS.check(
    0.5,
    hints=[
        "Others may hold the tensor, or its array: change its elements.",
        "data = parameter.tensor.data; data[...] = ...",
    ],
)
def filled_in_place(trial: TensorTrial) -> None:
    """kaiming_normal(parameter) fills a parameter with new random numbers, in place"""
    code = "p = Parameter(MyTensor(np.full((20, 10), 9.0), requires_grad=True))\nw = p.tensor\narray = w.data"
    code += "\nkaiming_normal(p)"
    variables = trial.run(code, see="array[:]")
    values = trial.read(variables, "p.tensor")
    if (values == BEFORE).all():
        raise Missing(NOTHING)
    for name in ("w", "array[:]"):
        if not np.array_equal(trial.read(variables, name), values):
            trial.snippet = f"{code}\n{name}"
            raise Failed(f"{name} is not what p.tensor holds", "the same numbers", mistake="kaiming-not-in-place")
    trial.expect(f"{code}\nshape, asks = p.tensor.shape, p.tensor.requires_grad", shape=(20, 10), asks=True)
    if np.array_equal(drawn(trial, (20, 10)), drawn(trial, (20, 10))):
        raise Failed("the same numbers each time", "other numbers each time", mistake="kaiming-seeded")


@NETWORKS.check(
    1.5,
    hints=[
        "How many inputs go into each output: which side of a weight of shape (inputs, outputs)?",
        "np.sqrt(2 / data.shape[0])",
    ],
)
def spread(trial: TensorTrial) -> None:
    """Their standard deviation is sqrt(2 / inputs)"""
    for shape in SIZES:
        with trial.case():
            values = drawn(trial, shape)
            deviation, wanted = float(values.std()), float(np.sqrt(2 / shape[0]))
            if abs(deviation / wanted - 1) > 0.07:
                others = {
                    "kaiming-fan-out": np.sqrt(2 / shape[1]),
                    "kaiming-variance": 2 / shape[0],
                    "kaiming-no-root-two": np.sqrt(1 / shape[0]),
                    "kaiming-other-fan": np.sqrt(2 / (shape[0] + shape[1])),
                    "kaiming-uniform": np.sqrt(2 / shape[0] / 3),
                }
                near = [id for id, other in others.items() if abs(deviation / other - 1) < 0.07]
                one = near[0] if len(near) == 1 else None
                one = "kaiming-not-centered" if abs(values.mean()) > 0.1 * deviation else one
                got = f"a standard deviation of {deviation:.3f} for shape {shape}"
                raise Failed(got, f"a standard deviation of about {wanted:.3f}", mistake=one)


@NETWORKS.check(
    0.5,
    needs=["filled_in_place"],
    hints=[
        "Numbers of a normal distribution: around 0, and a few of them far out.",
        "np.random.normal(0, deviation, shape)",
    ],
)
def normal(trial: TensorTrial) -> None:
    """They are of a normal distribution around 0"""
    values = drawn(trial, (200, 60))
    values = values / values.std()
    if abs(values.mean()) > 0.07:
        raise Failed(
            f"their mean is {values.mean():.2f} standard deviations", "about 0", mistake="kaiming-not-centered"
        )
    within = float(np.mean(abs(values) < 1))
    if abs(within - 0.683) > 0.04 or abs(values).max() < 2.5:
        got = f"{within:.0%} of them are within one standard deviation, the largest is {abs(values).max():.1f} away"
        raise Failed(got, "about 68% of them are, and the largest is 4 away or so", mistake="kaiming-uniform")


NETWORKS.stage("state", "State dictionaries")
TREE = """\
m = MyModule()
m.w = Parameter(MyTensor([[1.5, 2.5, 0.5]]))
m.inner = MyModule()
m.inner.b = Parameter(MyTensor([3.5]))
m.inner.deep = MyModule()
m.inner.deep.w = Parameter(MyTensor([4.5, 5.5]))"""
FLAT = "m = MyModule()\nm.w = Parameter(MyTensor({w}))\nm.b = Parameter(MyTensor({b}))"
STATE = "state = m.state_dict()"


def flat(trial: TensorTrial) -> str:
    return FLAT.format(w=literal(trial.draw(2, 3)), b=literal(trial.draw(3)))


@NETWORKS.check(
    1,
    hints=["A dictionary from the name of each parameter to its array.", "The name is that of the attribute."],
)
def names(trial: TensorTrial) -> None:
    """state_dict() has the array of each parameter under its name"""
    trial.same(f"m = MyModule()\nm.w = Parameter(MyTensor({literal(trial.draw(2))}))\n{STATE}", "state")
    trial.same(f"{flat(trial)}\n{STATE}", "state")
    trial.same(f"m = MyModule()\n{STATE}", "state")


@NETWORKS.check(
    1,
    needs=["names"],
    hints=["The names of a part begin with its own name, and a dot.", "inner.deep.w; and in Sequential 0.w, 1.w."],
)
def nested_names(trial: TensorTrial) -> None:
    """... also in modules in it, with dots between the names"""
    trial.same(f"{TREE}\n{STATE}", "state")
    trial.same(f"{twice_and_more(trial)}\nn = Sequential(f, h, g)\nstate = n.state_dict()", "state")
    trial.same(f"{twice_and_more(trial)}\nm = MyModule()\nm.net = Sequential(g, Sequential(f))\n{STATE}", "state")
    trial.same(f"{twice_and_more(trial)}\nn = Sequential(f, g, f)\nstate = n.state_dict()", "state")
    trial.same(f"{TREE}\nm.again = m.inner\nm.same = m.w\n{STATE}", "state")
    many = ", ".join(["f", *["h"] * 10, "g"])
    trial.same(f"{twice_and_more(trial)}\nn = Sequential({many})\nstate = n.state_dict()", "state")


@NETWORKS.check(
    1,
    needs=["names"],
    hints=["What is saved stays, when training goes on.", "parameter.tensor.data.copy()"],
)
def copies(trial: TensorTrial) -> None:
    """What is saved are copies: training goes on without changing them, and the other way round"""
    change = "data = m.w.tensor.data\ndata += 1"
    code = f"{flat(trial)}\n{STATE}\n{change}"
    with trial.case():
        means = {"state": "state-references"}
        trial.see(trial.run(code), trial.assignment.oracle.values(code, ("state",)), code, means)
    code = f"m = MyModule()\nm.w = Parameter(MyTensor([1 / 3, 0.1]))\n{STATE}"
    trial.expect(f"{code}\nexact = state['w'].tolist() == [1 / 3, 0.1]", exact=True)
    code = f"{flat(trial)}\n{STATE}\nstate['w'] += 1"
    with trial.case():
        means = {"m.w.tensor": "state-references"}
        trial.see(trial.run(code), trial.assignment.oracle.values(code, ("m.w.tensor",)), code, means)


SHAPES = {"w": (2, 3), "b": (3,)}
SAVED = "saved = {{'w': np.array({w}), 'b': np.array({b})}}"


def saved(trial: TensorTrial) -> str:
    return SAVED.format(w=literal(trial.draw(2, 3)), b=literal(trial.draw(3)))


def flat_values(code: str) -> str:
    """What m.w was made of."""
    return re.search(r"m\.w = Parameter\(MyTensor\((.*)\)\)", code)[1]


@NETWORKS.check(
    1.5,
    hints=[
        "Copy each array into that of the parameter with its name.",
        "data = parameter.tensor.data; data[...] = state[name]",
    ],
)
def load(trial: TensorTrial) -> None:
    """load_state_dict() copies the arrays into the parameters, in place"""
    code = f"{flat(trial)}\nw = m.w.tensor\narray = w.data\n{saved(trial)}\nm.load_state_dict(saved)"
    variables = trial.run(f"{code}\nbefore = {flat_values(code)}\nsame = m.w.tensor.data.tolist() == before")
    trial.snippet = f"{code}\nm.w.tensor"
    if variables["same"] is True:
        raise Missing("m.w.tensor is as before: not written yet, or it fills a copy")
    trial.same(code, "m.w.tensor", "m.b.tensor")
    if trial.first is None:
        with trial.case():
            means = dict.fromkeys(("w", "array[:]"), "load-not-in-place")
            trial.see(trial.run(code), trial.assignment.oracle.values(code, tuple(means)), code, means)
        with trial.case():
            means = {"saved": "input-changed"}
            trial.see(trial.run(code), trial.assignment.oracle.values(code, tuple(means)), code, means)
        alike = [literal(trial.draw(2)) for _ in range(4)]
        other = (
            FLAT.format(w=alike[0], b=alike[1]) + f"\nsaved = {{'b': np.array({alike[2]}), 'w': np.array({alike[3]})}}"
        )
        trial.same(f"{other}\nm.load_state_dict(saved)", "m.w.tensor", "m.b.tensor")
    if trial.first is None:
        later = f"{code}\nsaved['w'] += 1"
        with trial.case():
            means = {"m.w.tensor": "load-references"}
            trial.see(trial.run(later), trial.assignment.oracle.values(later, tuple(means)), later, means)
        later = f"{code}\ndata = m.w.tensor.data\ndata += 1"
        with trial.case():
            means = {"saved": "load-references"}
            trial.see(trial.run(later), trial.assignment.oracle.values(later, tuple(means)), later, means)
    if trial.right([Program(f"{TREE}\n{STATE}", ("state",))])[0]:
        code = f"{TREE}\nstate = {SAVED_TREE}\nm.load_state_dict(state)"
        trial.same(code, "m.w.tensor", "m.inner.b.tensor", "m.inner.deep.w.tensor")


def refuses(trial: TensorTrial, change: str, mistake: str) -> None:
    """A wrong state raises, and changes nothing."""
    wanted = "ValueError" if mistake == "load-shapes" else "KeyError"
    lines = [flat(trial), "before = m.w.tensor.data.tolist(), m.b.tensor.data.tolist()", saved(trial), change]
    lines += ["raised = 'nothing'", "try:", "    m.load_state_dict(saved)"]
    lines[-3] = "raised, said = 'nothing', ''"
    for kind in ("KeyError", "ValueError", "Exception"):
        lines += [f"except {kind} as error:", f"    raised, said = '{kind}', str(error)"]
    code = "\n".join([*lines, "now = m.w.tensor.data.tolist(), m.b.tensor.data.tolist()", "unchanged = before == now"])
    with trial.case():
        variables = trial.run(f"{code}\nnothing = raised == 'nothing'")
        means = {"raised": mistake if variables["nothing"] is True else "load-other-exception"}
        trial.see(variables, {"raised": wanted}, code, means)
        trial.see(variables, {"unchanged": True}, code, {"unchanged": "load-half"})
        sentence = "len(said.split()) > 1"
        trial.see(variables, {sentence: True}, code, {sentence: "load-bare-names"})


@NETWORKS.check(
    1.5,
    needs=["load"],
    hints=[
        "Compare the names first, then the shapes, and only then copy.",
        'raise KeyError(f"{name} is missing"); raise ValueError(f"{name} has shape ...")',
    ],
)
def refused(trial: TensorTrial) -> None:
    """Names that are missing or unknown raise KeyError, other shapes ValueError, and nothing changes"""
    refuses(trial, "del saved['b']", "load-missing")
    refuses(trial, "saved['c'] = np.array([1.5])", "load-unexpected")
    for shape in ((3, 2), (1, 3), (3,), (2, 1), (1, 2, 3)):
        refuses(trial, f"saved['w'] = np.ones({shape})", "load-shapes")
    for shape in ((2, 3), (1, 3), (3, 1)):
        refuses(trial, f"saved['b'] = np.ones({shape})", "load-shapes")


def tree(choices: Choices, networks: bool) -> tuple[str, dict[str, np.ndarray], dict[str, str]]:
    """Code of a module with others in it; its parameters' arrays by name, and where each of them is."""
    lines, modules = ["m = MyModule()"], [("m", "")]
    arrays: dict[str, np.ndarray] = {}
    places: dict[str, str] = {}

    def holds(name: str, place: str) -> str:
        arrays[name], places[name] = choices.array(1 + choices.below(2)), f"{place}.tensor"
        return f"Parameter(MyTensor({literal(arrays[name])}))"

    for number in range(1 + choices.below(4)):
        (inside, before), kind = choices.of(modules), choices.below(3)
        own = f"part{number}"
        if kind == 1:
            lines.append(f"{inside}.{own} = MyModule()")
            modules.append((f"{inside}.{own}", f"{before}{own}."))
            lines.append(f"{inside}.{own}.w = {holds(f'{before}{own}.w', f'{inside}.{own}.w')}")
        elif kind == 2 and networks:
            made = holds(f"{before}{own}.0.w", f"f{number}.w")
            lines.append(f"f{number} = MyModule()\nf{number}.w = {made}\n{inside}.{own} = Sequential(f{number})")
        else:
            lines.append(f"{inside}.{own} = {holds(before + own, f'{inside}.{own}')}")
    return "\n".join(lines), arrays, places


def states(choices: Choices, works: frozenset[str]) -> Program:
    """The state of a module with others in it."""
    code, _, _ = tree(choices, "names" in works)
    return Program(f"{code}\n{STATE}", ("state",))


def loads(choices: Choices, works: frozenset[str]) -> Program:
    """A state that is loaded, in another order of its names; or refused, and then nothing changes."""
    code, arrays, places = tree(choices, "names" in works)
    order = [*arrays][::-1] if choices.below(2) else [*arrays]
    given = {name: literal(choices.array(*arrays[name].shape)) for name in order}
    wrong = choices.below(3) if "refuses" in works else 0
    if wrong == 1:
        given.pop(order[0])
    elif wrong == 2:
        given["other"] = "[1.5]"
    state = ", ".join(f"{name!r}: np.array({array})" for name, array in given.items())
    lines = [code, f"state = {{{state}}}", "raised = False", "try:\n    m.load_state_dict(state)"]
    lines.append("except KeyError:\n    raised = True")
    return Program("\n".join(lines), ("raised", *places.values()))


def any_of(name: str, make: Callable[[Choices, frozenset[str]], Program], title: str) -> None:
    """The check of any program with state_dict(), or with load_state_dict()."""

    @NETWORKS.check(
        1.25,
        id=f"any_{name}",
        title=title,
        hints=["Follow the snippet line by line: which modules lie in which, and under which names?"],
        any_program=True,
    )
    def any_state(trial: TensorTrial) -> None:
        works = right_alone(trial, WHOLE)
        if name not in works:
            raise Waits(f"waits for {'state_dict()' if name == 'state' else 'load_state_dict()'}, right alone")
        trial.programs(lambda choices: make(choices, works), count=12)


SAVED_TREE = "{'w': np.array([[0.5, 1.5, 2.0]]), 'inner.b': np.array([-1.5]), 'inner.deep.w': np.array([2.5, -3.5])}"
WHOLE = {  # what programs may be made of
    "state": Program(f"{TREE}\n{STATE}", ("state", "type(state['w']).__name__")),
    "names": Program(f"{TWO}n = Sequential(f, g)\nstate = n.state_dict()", ("state",)),
    "load": Program(f"{TREE}\nm.load_state_dict({SAVED_TREE})", ("m.w.tensor", "m.inner.b.tensor")),
    "refuses": Program(
        f"{FLAT.format(w=[1.5], b=[2.5])}\nraised = False\ntry:\n    m.load_state_dict({{'w': np.array([1.0])}})\n"
        "except KeyError:\n    raised = True",
        ("raised",),
    ),
}
any_of("state", states, "Any state: of modules in modules, and of networks")
any_of("load", loads, "Any state that is loaded, or refused")


def test_networks(
    Sequential: Any = None,
    MyModule: Any = None,
    kaiming_normal: Any = None,
    MyTensor: Any = ...,
    Parameter: Any = ...,
    seed: int | None = None,
    until: str | None = None,
) -> Score:
    """Networks: 15 points."""
    return NETWORKS.score(
        seed,
        until,
        Sequential=Sequential,
        MyModule=MyModule,
        kaiming_normal=kaiming_normal,
        MyTensor=MyTensor,
        Parameter=Parameter,
    )
