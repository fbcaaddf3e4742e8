"""Training: the checks of `train`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from checks.observe import Failed, Missing, text_of
from checks.report import Score, counted
from checks.section import Section
from checks.trial import literal
from workshop import oracle
from workshop.assignment import ASSIGNMENT
from workshop.reading import observed
from workshop.sections.layers import MATMUL
from workshop.sections.loss import LOSS, SQUARES
from workshop.sections.modules import MODULE, items
from workshop.sections.optimizer import OPTIMIZER
from workshop.trial import TensorTrial

TRAIN = Section(
    "train",
    "Training",
    "tests.test_train(train, MyModule, Parameter, matmul, SGD, MSELoss, MyTensor)",
    builds_on=[
        SQUARES,
        (MODULE, ["nested", "calling"]),
        (MATMUL, ["matmul_left", "matmul_right"]),
        (OPTIMIZER, ["zero_grad", "step_lr", "step_in_place"]),
        (LOSS, ["mse_batch", "mse_gradient"]),
    ],
    assignment=ASSIGNMENT,
)

LR = 0.2  # with numbers this small a few steps stay far from diverging
MOST_ROWS = 3000  # shown to a model in a training of this section, where a few dozen are asked for
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
    losses.append(float(loss.data))
    each = [MSELoss()(forward(MyTensor(images[n])), MyTensor(targets[n])) for n in (rows, slice(None))]
    later.append([float(loss.data) for loss in each])
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

    trial: TensorTrial
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
    trial: TensorTrial,
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
        with trial.clock.learner_code(trial.seconds):
            logged = items(variables["losses"], MOST_ROWS)
        if logged:
            got = f"train gives {counted(len(logged), 'loss', 'losses')}, and never calls the model"
            raise Failed(got, "a call of the model with each mini-batch")
        raise Missing("train never calls the model: it is not written yet, or its loops never begin")
    if not count:
        got = f"the model is called {counted(len(batches), 'time')}, without any example to look at"
        raise Failed(got, "rows of images in each")
    trained = list(itertools.compress(batches, stepped))
    if sum(map(len, trained)) == epochs * examples:
        batches = trained
    else:  # nothing moves, or not at every mini-batch: that has checks of its own
        stepped = [True] * len(batches)
    return Training(trial, model, code, variables, lr, epochs, examples, batches, stepped)


def pace(trial: TensorTrial, lr: float = LR) -> list[float]:
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
def train_step(trial: TensorTrial) -> None:
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
def train_forgets(trial: TensorTrial) -> None:
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
def train_pairs(trial: TensorTrial) -> None:
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
def train_batches(trial: TensorTrial) -> None:
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


def numbers_in(trial: TensorTrial, values: Any, what: str) -> np.ndarray:
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
def train_losses(trial: TensorTrial) -> None:
    """It returns the loss of each epoch, the mean over its examples"""
    lr = 1e-9  # next to nothing moves: a loss depends on its mini-batch alone
    rates = pace(trial, lr)
    told_losses(trial, training(trial, 5, 2, 2, lr, alike="targets", large=4), rates)  # so that losses differ
    lr = 0.02  # each loss is that of its turn
    rates = pace(trial, lr)
    one = training(trial, 5, 2, 3, lr, large=4)
    if trial.first is None and trial.works(lambda scratch: replace(one, trial=scratch).held(rates)):
        told_losses(trial, one, rates)


def told_losses(trial: TensorTrial, one: Training, rates: Sequence[float]) -> None:
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
        ("train-loss-divided-otherwise", each(lambda losses, sizes: losses.sum() / sizes.sum())),
        ("train-loss-divided-otherwise", each(lambda losses, sizes: losses @ sizes / len(sizes))),
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
def train_live(trial: TensorTrial) -> None:
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
