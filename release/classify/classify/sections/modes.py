"""Modes: the checks of train() and eval(), Dropout and no_grad."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from checks.observe import Failed, Missing, Waits
from checks.programs import Choices, Program
from checks.report import Score
from checks.section import Section
from checks.trial import literal
from classify.assignment import ASSIGNMENT
from workshop.trial import TensorTrial

MODES = Section(
    "modes",
    "Modes",
    "tests.test_modes(MyModule, Dropout, no_grad, MyTensor, Parameter)",
    assignment=ASSIGNMENT,
)
TREE = "m = MyModule()\nm.inner = MyModule()\nm.inner.deep = MyModule()\nm.other = MyModule()"
EVERY = ("m.training", "m.inner.training", "m.inner.deep.training", "m.other.training")

LEAF = "a = MyTensor([1.5, 2.5], requires_grad=True)\n"
RAISES = "try:\n    with no_grad():\n        raise ValueError('on purpose')\nexcept ValueError:\n    caught = True"
BLOCKS = {
    "no_grad": Program(f"{LEAF}with no_grad():\n    y = a * 2\nz = a * 3", ("y.requires_grad", "z.requires_grad")),
    "nested": Program(
        f"{LEAF}with no_grad():\n    with no_grad():\n        u = a * 2\n    y = a * 3\nz = a * 4",
        ("u.requires_grad", "y.requires_grad", "z.requires_grad"),
    ),
    "raises": Program(f"{LEAF}caught = False\n{RAISES}\ny = a * 3", ("y.requires_grad", "caught")),
}


def parts_that_work(trial: TensorTrial, blocks: bool) -> frozenset[str]:
    """What programs may be made of: what is right alone. Blocks only when their turn has come: one that ends badly
    leaves nothing recorded for checks after it."""
    some = {
        "new": Program(TREE, EVERY),
        "modes": Program(f"{TREE}\nm.eval()\nm.inner.train()", EVERY),
        "dropout": Program("d = Dropout(0.5)\nd.eval()\ny = d(MyTensor([1.5, 2.5]))", ("y",)),
    }
    some |= BLOCKS if blocks else {}
    return frozenset(name for name, right in zip(some, trial.right([*some.values()]), strict=True) if right)


def lives(choices: Choices, works: frozenset[str]) -> Program:
    """Modules that change their modes, dropout among them, and blocks in which nothing is recorded."""
    lines = [f"a = MyTensor({literal(choices.array(2))}, requires_grad=True)", "y = a * 2", "flags = []"]
    recording = "no_grad" in works  # else it may be off by now
    see = ["y", "y.requires_grad", "flags"] if recording else ["y"]
    modules = ["m"]
    if "modes" in works:
        lines.append("m = MyModule()")
        for number in range(choices.below(4)):
            inside = choices.of(modules)
            dropout = "dropout" in works and choices.below(2)
            lines.append(
                f"{inside}.part{number} = {f'Dropout({choices.of([0.5, 0.25])})' if dropout else 'MyModule()'}"
            )
            if not dropout:
                modules.append(f"{inside}.part{number}")
        lines += [] if "new" in works else ["m.train()"]
        see += [f"{name}.training" for name in modules]
    drop = "dropout" in works and choices.below(2)
    if drop:
        lines += ["d = Dropout(0.5)", "d.eval()"]
    for _ in range(1 + choices.below(4)):
        kind = choices.below(4)
        if kind == 0 and "modes" in works:
            lines.append(f"{choices.of(modules)}.{choices.of(['eval()', 'train()'])}")
        elif kind == 1 and drop:
            lines.append("y = d(y * a)")
        elif kind == 2 and recording and "raises" in works:
            lines.append(f"{RAISES}\nflags.append((y * a).requires_grad)")
        elif recording:
            inner = ["u = y * a", "flags.append(u.requires_grad)"]
            if "nested" in works and choices.below(2):
                inner = ["with no_grad():", *(f"    {line}" for line in inner), "flags.append((a + a).requires_grad)"]
            if choices.below(2):
                inner.append("y = y + u")
            lines.append("\n".join(["with no_grad():", *(f"    {line}" for line in inner)]))
        if recording:
            lines.append("flags.append((y * a).requires_grad)")
    if not recording:
        return Program("\n".join(lines), tuple(see))
    lines.append(f"z = y * a\nz.backward(MyTensor({literal(choices.array(2))}))")
    return Program("\n".join(lines), (*see, "a.grad"))


def any_of(part: str, points: float, title: str) -> None:
    """The check of any program with one part of the section, and with what else is right."""

    @MODES.check(
        points,
        id=f"any_{part}",
        title=title,
        hints=["Follow the snippet line by line: which modules are in training, and is recording on?"],
        any_program=True,
    )
    def any_life(trial: TensorTrial) -> None:
        works = parts_that_work(trial, blocks=part == "no_grad")
        if part not in works:
            raise Waits(f"waits for {'train() and eval()' if part == 'modes' else part}, right alone")
        trial.programs(lambda choices: lives(choices, works), count=12)


MODES.stage("modes", "Training and evaluation")


@MODES.check(
    1.5,
    hints=["Each module has an attribute of its own, training, which is True at first.", "End with return self."],
)
def train_eval(trial: TensorTrial) -> None:
    """train() and eval() set .training of a module, and return it"""
    trial.same("m = MyModule()", "m.training")
    code = "m, n = MyModule(), MyModule()\nm.eval()\nafter = MyModule()"
    with trial.case():
        means = dict.fromkeys(("n.training", "after.training"), "mode-of-all")
        trial.see(trial.run(code), dict.fromkeys(means, True), code, means)
    if trial.first:
        return
    code = "m = MyModule()\nback = m.eval()"
    variables = trial.run(code)
    if variables["back"] is None and trial.run("left = m.training", after=code, **variables)["left"] is True:
        trial.snippet = f"{code}\nm.training"
        raise Missing("eval() changed nothing, and gave nothing: not written yet")
    for calls in ("m.eval()", "m.eval()\nm.train()", "m.eval()\nm.eval()"):
        trial.same(f"m = MyModule()\n{calls}", "m.training")
    for call in ("m.eval()", "m.train()"):
        code = f"m = MyModule()\nback = {call}\nitself = back is m"
        with trial.case():
            trial.see(trial.run(code), {"itself": True}, code, {"itself": "mode-returns-nothing"})


@MODES.check(
    2,
    needs=["train_eval"],
    hints=["Which modules are in this one, and in those?", "Call the same method of each module in it."],
)
def below(trial: TensorTrial) -> None:
    """... and of all modules in it, at any depth"""
    for calls in ("m.eval()", "m.eval()\nm.train()", "m.inner.eval()", "m.eval()\nm.inner.train()"):
        trial.same(f"{TREE}\n{calls}", *EVERY)
    for calls in ("m.inner.eval()\nm.train()", "m.eval()\nm.inner.train()\nm.eval()"):  # m is in that mode already
        trial.same(f"{TREE}\n{calls}", *EVERY)
    code = (
        f"{TREE}\nm.inner.p = Parameter(MyTensor([1.5, 2.5], requires_grad=True))\nm.eval()\ny = m.inner.p.tensor * 2"
    )
    with trial.case():
        means = dict.fromkeys(("m.inner.p.tensor.requires_grad", "y.requires_grad"), "mode-stops-recording")
        trial.see(trial.run(code), dict.fromkeys(means, True), code, means)
    later = "m = MyModule()\nm.a = MyModule()\nm.eval()\nm.a = MyModule()\nm.a.p = Parameter(MyTensor([1.5]))"
    trial.same(f"{later}\nm.train()\nm.eval()", "m.a.training")


any_of("modes", 3.25, "Any program: modules in modules that change their modes")
MODES.stage("dropout", "Dropout")
MANY, MORE = (60, 50), (200, 200)  # elements, so many that their shares are seen
NEAR = 0.2  # how far a share may be off: that of whole columns, too, is nearly always closer


@MODES.check(
    1,
    hints=["Where module.training is False, or p is 0, what goes in comes out."],
)
def dropout_eval(trial: TensorTrial) -> None:
    """Dropout changes nothing in eval(), and nothing where p is 0"""
    drops(trial)
    x, base = literal(trial.draw(40)), literal(trial.draw(40))
    for made in ("d = Dropout(0.5)\nd.training = False", "d = Dropout(0)\nd.training = True"):
        code = f"{made}\nx = MyTensor({x}, requires_grad=True)\ny = d(x)"
        with trial.case():
            y = trial.run(code, see="y")
            left = np.ones(1) if y["y"] is None else trial.read(y, "y")
            if "False" in made and (left == 0).any():
                raise Failed("some elements of y are 0", "y is x", mistake="dropout-in-eval")
            if "False" not in made and (left == 0).all():
                raise Failed("all elements of y are 0", "y is x", mistake="dropout-keeps-p")
            if "False" not in made and np.isinf(left).any():
                raise Failed("some elements of y are infinite", "y is x", mistake="dropout-scaled-by-p")
        trial.same(code, "y")
        trial.same(f"{code}\n(y * 1).backward(MyTensor({base}))", "x.grad")


def dropped(
    trial: TensorTrial, p: float | None, shape: tuple[int, int] = MANY, again: bool = False
) -> list[np.ndarray]:
    """What Dropout makes of twos while training, once or twice: what is left of each, as a share of it.

    Raises:
        Failed, Missing: where it gives something of another shape.
    """
    x = f"MyTensor(np.full({shape}, 2.0))"
    code = f"d = Dropout({'' if p is None else p})\nd.training = True\ny = d({x})"
    variables = trial.run(code + (f"\nz = d({x})" if again else ""), see="y")
    if variables["y"] is None:
        raise Missing("y is None: not written yet, or without return", nothing="y")
    found = [trial.read(variables, name) for name in ("yz" if again else "y")]
    for array in found:
        if array.shape != shape:
            raise Failed(f"y has shape {array.shape}", f"y has shape {shape}")
    return [array / 2 for array in found]


def keeps_p(left: np.ndarray, p: float) -> bool:
    """Whether p seems to be the share that is kept, not the one that is dropped."""
    zeros = np.mean(left == 0)
    return zeros > 0 and abs(1 - zeros - p) < NEAR < abs(zeros - p)


@MODES.check(
    1.5,
    hints=["p is the probability to be dropped.", "mask = np.random.random(x.shape) >= p"],
)
def dropout_share(trial: TensorTrial) -> None:
    """While training, about a share p of the elements becomes 0"""
    for p in (0.2, 0.8):
        with trial.case():
            (left,) = dropped(trial, p, MORE)
            share = float(np.mean(left == 0))
            if share in (0, 1):  # each time?
                others = {float(np.mean(dropped(trial, p, MANY)[0] == 0)) for _ in range(12)}
                if others <= {0.0, 1.0} and len({share} | others) == 2:
                    raise Failed("all of y is 0, or nothing", f"about {p:.0%} of y are 0", mistake="dropout-one-mask")
            if abs(share - p) > NEAR or share == 0:
                mistake = "dropout-keeps-p" if keeps_p(left, p) else "dropout-nothing" if share == 0 else None
                raise Failed(f"{share:.0%} of y are 0", f"about {p:.0%} of y are 0", mistake=mistake)


@MODES.check(
    1.5,
    hints=["If half of all are dropped, by how much shall the others grow, so that the mean stays?", "mask / (1 - p)"],
)
def dropout_scale(trial: TensorTrial) -> None:
    """What is kept is scaled by 1 / (1 - p), and p is 0.5 if nothing is said"""
    drops(trial)
    for p in (0.8, 0.25, None):
        with trial.case():
            (left,) = dropped(trial, p)
            kept, wanted = left[left != 0], 1 / (1 - (0.5 if p is None else p))
            if kept.size and np.allclose(kept, wanted):
                continue
            factors = np.unique(np.round(kept, 4))
            says = f"what is kept is {' or '.join(f'{factor:g}' for factor in factors[:2])} times what it was"
            says = says if kept.size else "nothing is kept"
            mistake = None
            if p is None and trial.first is None:
                mistake = "dropout-default"
            elif p == 0.8 and factors.size == 1:
                kept_p = keeps_p(left, p) and factors[0] == 1 / p  # the one mistake, with all that follows
                mistake = "dropout-keeps-p" if kept_p else SCALES.get(float(factors[0]))
            raise Failed(says, f"what is kept is {wanted:g} times what it was", mistake=mistake)


SCALES = {  # of p = 0.8: other scales than 1 / (1 - p), and the mistake
    1.0: "dropout-unscaled",
    0.2: "dropout-scaled-down",
    0.8: "dropout-scaled-by-p",
    1.25: "dropout-scaled-by-p",
}


def drops(trial: TensorTrial, p: float = 0.5) -> None:
    """What a mask is like can be asked where there is one.

    Raises:
        Waits: where nothing is dropped, or all.
    """

    def some(scratch: TensorTrial) -> None:
        (left,) = dropped(scratch, p)
        if not 0 < np.mean(left == 0) < 1:
            raise Missing("no mask")

    if not trial.works(some):
        raise Waits("waits for a Dropout that drops some elements")


@MODES.check(
    1,
    hints=["np.random.random(x.shape) draws one number for each element.", "Draw in forward, not in __init__."],
)
def dropout_elements(trial: TensorTrial) -> None:
    """Each element by itself, and anew in each call"""
    drops(trial)
    with trial.case():
        left, again = dropped(trial, 0.5, again=True)
        zeros = left == 0
        if any(np.array_equal(zeros, np.broadcast_to(line, MANY)) for line in (zeros[:1], zeros[:, :1])):
            by = "row" if np.array_equal(zeros, np.broadcast_to(zeros[:, :1], MANY)) else "column"
            raise Failed(
                f"each {by} is dropped or kept as a whole", "each element by itself", mistake="dropout-one-mask"
            )
        if np.array_equal(zeros, again == 0):
            raise Failed(
                "the second call drops the same elements", "other elements each time", mistake="dropout-same-mask"
            )
        exact = [abs(zeros.sum(axis) - zeros.mean() * zeros.shape[axis]).max() for axis in (0, 1)]
        if min(exact) < 0.5:
            raise Failed("each row or column loses the same number of elements", "each element by itself")
        if len({int((dropped(trial, 0.5)[0] == 0).sum()) for _ in range(6)}) == 1:
            raise Failed("as many elements are dropped in each call", "each element by itself")
    with trial.case():
        code = "d, e = Dropout(0.5), Dropout(0.5)\nd.training = e.training = True"
        code += "\ny = d(MyTensor(np.ones(40)))\nz = e(MyTensor(np.ones(40)))"
        variables = trial.run(code, see="z")
        if np.array_equal(trial.read(variables, "y") == 0, trial.read(variables, "z") == 0):
            got = "two Dropout modules drop the same elements"
            raise Failed(got, "each its own", mistake="dropout-same-mask")


@MODES.check(
    1.5,
    hints=[
        "What was dropped has no influence on y: which gradient?",
        "Multiply tensors: x * MyTensor(mask / (1 - p)).",
    ],
)
def dropout_gradient(trial: TensorTrial) -> None:
    """The gradient goes through the same mask"""
    drops(trial)
    for shape in ((20,), (6, 5)):
        with trial.case():
            code = f"d = Dropout(0.5)\nd.training = True\nx = MyTensor(np.full({shape}, 2.0), requires_grad=True)"
            base = trial.draw(*shape)
            back = f"z = d(x)\nbase = MyTensor({literal(base)})\ny.backward(base)"  # another pass has another mask
            variables = trial.run(f"{code}\ny = d(x)\n{back}", see="x.grad")
            y = trial.read(variables, "y")
            if not np.array_equal(trial.read(variables, "x"), np.full(shape, 2.0)):
                raise Failed("x has changed", "x is as before", mistake="input-changed")
            shown = trial.snippet
            there = trial.run("there = x.grad is not None", **variables)["there"]
            trial.snippet = shown
            if there is not True:
                raise Failed("no gradient reaches x", "the gradient of x", mistake="not-recorded")
            if not np.allclose(trial.read(variables, "base"), base):
                raise Failed("base has changed", "base is as before", mistake="upstream-changed")
            gradient, wanted = trial.read(variables, "x.grad"), base * y / 2
            if gradient.shape != wanted.shape:
                raise Failed(f"x.grad has shape {gradient.shape}", f"x.grad has shape {wanted.shape}")
            if not np.allclose(gradient, wanted):
                mistake = "dropout-new-mask"
                if np.allclose(gradient, base):
                    mistake = "dropout-no-mask-back"
                elif np.array_equal(gradient == 0, wanted == 0):
                    mistake = "dropout-unscaled-back"
                says = "x.grad is not the upstream gradient times the mask"
                both = (f"x.grad = {np.round(array, 2)}" for array in (gradient, wanted))
                raise Failed(*both, says, mistake=mistake)


MODES.stage("no_grad", "no_grad")


def counts_in_object(trial: TensorTrial) -> bool:
    """Whether a block changes an attribute of its object under a name that the class has, too."""
    code = "block = no_grad()\nbefore = dict(vars(block))\nwith block:\n    inside = dict(vars(block))\n"
    code += "own = [name for name in inside if inside[name] != before.get(name) and hasattr(type(block), name)]"
    found = trial.tries(f"{code}\nfound = len(own) > 0")
    return found is not None and found["found"] is True


@MODES.check(
    1.5,
    hints=["MyTensor's constructor asks no_grad.inside. What is it inside of the block?", "no_grad.inside += 1"],
)
def no_grad_inside(trial: TensorTrial) -> None:
    """Inside of `with no_grad():` results require no gradient, and record nothing"""
    probe = "there = hasattr(no_grad, '__enter__') or not isinstance(no_grad, type)"
    if not trial.run(probe, see="with no_grad(): ...")["there"]:
        raise Missing("no_grad() has no method __enter__: not written yet", method="__enter__")
    operations = ["a * 2", "a + a", "a ** 2", "a.sum()", "(a * a).exp()"]
    right = trial.right([Program(f"{LEAF}y = {one}", ("y",)) for one in operations])
    if not any(right[:3]):
        raise Waits("waits for a tensor that computes, and records")
    nothing = "no-grad-counts-object" if counts_in_object(trial) else "no-grad-nothing"
    for operation in itertools.compress(operations, right):
        code = f"{LEAF}with no_grad():\n    y = {operation}"
        trial.same(code, "y")
        with trial.case():
            means = dict.fromkeys(("y.requires_grad", "y.backward_op is None"), nothing)
            trial.see(trial.run(code), dict(zip(means, (False, True), strict=True)), code, means)


@MODES.check(
    1,
    needs=["no_grad_inside"],
    hints=["__exit__ is called at the end of the block: it puts back what __enter__ found."],
)
def no_grad_after(trial: TensorTrial) -> None:
    """After the block all is recorded again"""
    code = f"{LEAF}with no_grad():\n    u = a * 2\ny = a * 3"
    if counts_in_object(trial):
        with trial.case():
            means = {"y.requires_grad": "no-grad-counts-object"}
            trial.see(trial.run(code), {"y.requires_grad": True}, code, means)
    else:
        trial.same(code, "y.requires_grad")
    if trial.first is None:  # else recording may be off by now
        trial.same(f"{code}\ny.backward(MyTensor([0.5, -1.5]))", "a.grad")
    if trial.first is None:
        code = f"{LEAF}block = no_grad()\ny = a * 3"
        with trial.case():
            trial.see(trial.run(code), {"y.requires_grad": True}, code, {"y.requires_grad": "no-grad-at-once"})


@MODES.check(
    1,
    needs=["no_grad_after"],
    hints=["A block in a block: its end must not switch recording on.", "Remember what was before, and put that back."],
)
def no_grad_nested(trial: TensorTrial) -> None:
    """Blocks may lie in one another"""
    code = f"{LEAF}with no_grad():\n    with no_grad():\n        u = a * 2\n    y = a * 3\nz = a * 4"
    trial.same(code, "u.requires_grad", "y.requires_grad", "z.requires_grad")
    code = f"{LEAF}with no_grad():\n    u = a * 2\nx = a * 2\nwith no_grad():\n    y = a * 3\nz = a * 4"
    trial.same(code, "u.requires_grad", "x.requires_grad", "y.requires_grad", "z.requires_grad")


@MODES.check(
    0.5,
    needs=["no_grad_inside"],
    hints=["A tensor that you make yourself is no result: it has no operation, and keeps what it asks for."],
)
def no_grad_leaves(trial: TensorTrial) -> None:
    """Nothing else changes in the block: new tensors keep what they ask for, modules their mode"""
    made = "with no_grad():\n    a = MyTensor([1.5], requires_grad=True)\n    b = MyTensor([2.5])"
    trial.same(
        f"{made}\n    p = Parameter(MyTensor([3.5]))", "a.requires_grad", "b.requires_grad", "p.tensor.requires_grad"
    )
    trial.same(f"{LEAF}with no_grad():\n    u = a * 2", "a.requires_grad")
    modes = "m = MyModule()\nbefore = m.training\nwith no_grad():\n    same = m.training == before"
    with trial.case():
        trial.see(trial.run(modes), {"same": True}, modes, {"same": "no-grad-stops-dropout"})
    if trial.names.get("Dropout") is not None and trial.works(drops):
        with trial.case():
            code = "d = Dropout(0.5)\nif not d.training:\n    d.training = True\n"
            code += "with no_grad():\n    y = d(MyTensor(np.ones(60)))"
            if (trial.read(trial.run(code, see="y"), "y") != 0).all():
                raise Failed("none of y is 0", "Dropout drops here, too", mistake="no-grad-stops-dropout")


@MODES.check(
    1,
    needs=["no_grad_after"],
    hints=[
        "Python calls __exit__ also when the block raises. With a generator: try, yield, finally.",
        "Return nothing that is true: that would swallow the exception.",
    ],
)
def no_grad_exception(trial: TensorTrial) -> None:
    """... also after an exception, which goes on"""
    code = f"{LEAF}caught = False\n{RAISES}\ny = a * 3"
    trial.same(code, "y.requires_grad", "caught")


any_of("no_grad", 1.75, "Any program: blocks in one another, modes that change, and dropout")


def test_modes(
    MyModule: Any = None,
    Dropout: Any = None,
    no_grad: Any = None,
    MyTensor: Any = ...,
    Parameter: Any = ...,
    seed: int | None = None,
    until: str | None = None,
) -> Score:
    """Modes: 20 points."""
    return MODES.score(
        seed, until, MyModule=MyModule, Dropout=Dropout, no_grad=no_grad, MyTensor=MyTensor, Parameter=Parameter
    )
