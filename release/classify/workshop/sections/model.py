"""Make a model!: the checks of `SuperModel`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from checks.observe import Failed, Missing, Waits
from checks.report import Score
from checks.section import Section
from workshop.assignment import ASSIGNMENT
from workshop.reading import array_of
from workshop.sections.layers import LINEAR, MATMUL, RELU
from workshop.sections.modules import MODULE, listed
from workshop.sections.tensor import TENSOR
from workshop.trial import TensorTrial

MODEL = Section(
    "model",
    "Make a model!",
    "tests.test_model(SuperModel, MSELoss, SGD, MyTensor)",
    builds_on=[
        (TENSOR, ["sub_gradient", "mul_gradient", "broadcast_new_axes", "paths"]),
        *((section, []) for section in (MODULE, MATMUL, LINEAR, RELU)),
    ],
    assignment=ASSIGNMENT,
)

DIGITS = Path(__file__).parents[2] / "data" / "digits.npz"
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


def batch(trial: TensorTrial) -> tuple[str, np.random.Generator]:
    """Code for a model and its input, and a generator in the state in which the code leaves its own."""
    seed = int(trial.rng.integers(1000))
    random = np.random.default_rng(seed)
    random.random((5, 64))
    code = f"np.random.seed({seed})\nmodel = SuperModel()\n"  # learners' code mostly draws from it
    return f"{code}random = np.random.default_rng({seed})\nx = MyTensor(random.random((5, 64)))\n", random


def scores_in(trial: TensorTrial, variables: dict[str, Any], name: str, shape: tuple[int, ...]) -> np.ndarray:
    scores = trial.read(variables, name)
    if scores.shape != shape:  # NumPy would stretch arrays of other shapes to fill the memory
        raise Failed(f"the scores have shape {scores.shape}", f"shape {shape}", mistake="model-wrong-shape")
    return scores


@MODEL.check(
    2, hints=["Make Linear layers in __init__ and call them in forward.", "Linear(64, 32), ReLU(), Linear(32, 10)"]
)
def model_shape(trial: TensorTrial) -> None:
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
def model_bends(trial: TensorTrial) -> None:
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


def moved_by_hand(trial: TensorTrial) -> Moved:
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
def model_reached(trial: TensorTrial) -> None:
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
def model_gradients(trial: TensorTrial) -> None:
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
        cut: whether no score is ever below 0, and some are 0, as behind a ReLU; they differ from picture to picture.
    """

    share: float
    size: float
    whole: bool
    cut: bool


def lesson(trial: TensorTrial, steps: int) -> Lesson:
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
    cut = bool((np.array([before, after]) >= 0).all() and (after == 0).any() and np.ptp(after, axis=0).any())
    return Lesson(float(share), float(np.sqrt(np.mean(before**2))), same(taught, after), cut)


# Two models, and the numbers in all parameters of the one in those of the other.
TWINS = """\
np.random.seed(1)
model, twin = SuperModel(), SuperModel()
for p, q in zip(model.parameters(), twin.parameters()):
    q.tensor.data[...] = p.tensor.data
x = MyTensor(np.random.default_rng(0).random((5, 64)))
scores, others = model(x).data.copy(), twin(x).data.copy()
alike = scores.shape == others.shape and bool(np.allclose(scores, others))"""


def unlisted(trial: TensorTrial) -> str | None:
    """The mistake not to list all parameters: models that have the same in all that are listed give other scores."""
    found = trial.beside(trial.seconds).tries(TWINS)
    return "model-layers-not-registered" if found and found["alike"] is False else None


@MODEL.check(
    1,
    needs=["model_shape"],
    hints=["Do all units learn? Look for a ReLU after the last layer, and for weights that start far from 0."],
    seconds=20.0,
)
def model_learns(trial: TensorTrial) -> None:
    """It learns: a short training lets it read half of the digits it has not seen"""
    found = lesson(trial, 60)
    if found.share < 0.5:
        got, mistake = f"{found.share:.0%} of the held-out digits right after 60 steps", None
        if found.size > LARGE_SCORES:  # it trains, but from too far away
            got += f"; a new model's scores are about {found.size:.2g}, the targets 0 or 1"
            mistake = "weights-too-large"
        elif found.cut:
            mistake = "model-relu-at-end"
        raise Failed(got, "at least 50% (guessing gives 10%)", mistake=mistake or unlisted(trial))


@MODEL.check(
    1,
    needs=["model_learns"],
    hints=[
        "A few more units, or fewer layers?",
    ],
    seconds=20.0,
)
def model_reads(trial: TensorTrial) -> None:
    """It learns to read nine of ten digits it has not seen"""
    for steps in (250, 1000):  # more where these are too few
        found = lesson(trial, steps)
        if not found.whole:  # what it reads, it reads with numbers that stay as they were drawn
            raise Failed("a parameter that the scores come from is not trained", mistake="model-detached")
        if found.share >= 0.9:
            return
    got = f"{found.share:.0%} of the held-out digits right after {steps} steps"
    raise Failed(got, "at least 90%", mistake="model-relu-at-end" if found.cut else unlisted(trial))


def test_model(SuperModel: Any, MSELoss: Any, SGD: Any, MyTensor: Any, seed: int | None = None) -> Score:
    """Make a model!: 8 points. Loss and steps are the test's own: MSELoss and SGD have tests of their own."""
    return MODEL.score(seed, SuperModel=SuperModel, MSELoss=MSELoss, SGD=SGD, MyTensor=MyTensor)
