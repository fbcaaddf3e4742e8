"""Weights, training and the model: any right way passes, and nothing is believed that was not seen."""

from __future__ import annotations

import re

import numpy as np
import proof
import pytest
from answers import names_for, solved, the_reference, untouched  # noqa: F401 - one is a fixture

from checks.report import Report
from workshop.reading import array_of
from workshop.sections.model import DIGITS

pytestmark = pytest.mark.long

UNIFORM = "np.random.uniform(-bound, bound, (input_size, output_size))"
BIAS = "        self.bias = Parameter(MyTensor(np.zeros(output_size)))\n"
HELD = "self.weight.tensor.data[...]"
FORWARD = "        return matmul(x, self.weight.tensor) + self.bias.tensor\n"
SIZE = "(input_size, output_size)"
DEEP = """\
class SuperModel(MyModule):
    def __init__(self):
        super().__init__()
        self.relu, self.depth = ReLU(), len(SIZES) - 1
        for number in range(self.depth):
            setattr(self, f"layer{number}", Linear(SIZES[number], SIZES[number + 1]))

    def forward(self, x):
        for number in range(self.depth):
            x = getattr(self, f"layer{number}")(x if number == 0 else self.relu(x))
        return x
"""


def run(section: str, names: dict, seed: int | None = 1) -> Report:
    return proof.SECTIONS[section].run(names_for(proof.SECTIONS[section], names), seed)


def lost(report: Report) -> set[str]:
    return {check.id for check in report.checks if check.status != "passed"}


@pytest.mark.parametrize("section", ["linear", "train", "model"])
def test_the_notebooks_random_numbers_go_on_as_if_no_test_had_run(reference, section):
    np.random.seed(5)
    expected = np.random.rand()
    np.random.seed(5)
    run(section, reference, 7)
    assert np.random.rand() == expected


@pytest.mark.parametrize(
    "weights",
    [
        f"np.random.normal(0, bound, {SIZE})",
        f"np.random.normal(0, np.sqrt(2 / input_size), {SIZE})",  # He
        f"np.random.uniform(-np.sqrt(6) * bound, np.sqrt(6) * bound, {SIZE})",
        f"np.random.uniform(-1, 1, {SIZE}) * np.sqrt(6 / (input_size + output_size))",  # Xavier
        f"np.random.randn{SIZE} * np.sqrt(2 / (input_size + output_size))",
        f"0.01 * np.random.randn{SIZE}",
        f"np.random.default_rng().uniform(-bound, bound, {SIZE}).astype(np.float32)",
        f"np.random.choice([-1.0, 1.0], {SIZE}) * np.random.rand{SIZE} * bound",
    ],
)
def test_usual_initializations_pass(weights):
    names = solved((UNIFORM, weights))
    for seed in range(10):
        assert run("linear", names, seed).score == 10
    assert run("model", names).score == 8


@pytest.mark.parametrize("sizes", [(64, 16, 10), (64, 128, 10), (64, 48, 48, 10), (64, 32, 32, 32, 32, 10)])
def test_models_of_all_widths_and_depths_earn_everything(sizes):
    names = solved(model=DEEP.replace("SIZES", repr(sizes)))
    for seed in range(3):
        report = run("model", names, seed)
        assert report.score == 8, report.as_text()


def test_a_seed_repeats_a_run_of_code_that_draws():
    wrong = {
        "linear": solved((FORWARD, FORWARD.replace("+", "-")), (UNIFORM, f"np.random.rand{SIZE}")),
        "train": proof.solution("train-shuffled-apart"),
        "model": solved(("Linear(64, 32)", "Linear(64, 2)"), ("Linear(32, 10)", "Linear(2, 10)")),
    }
    for section, names in wrong.items():
        np.random.seed(1)
        first = run(section, names, 3)
        np.random.seed(2)
        assert first.as_text() == run(section, names, 3).as_text()
        assert first.score < first.points


def test_the_snippet_of_a_layer_brings_its_numbers_back():
    names = solved((FORWARD, FORWARD.replace("self.bias.tensor", "self.bias.tensor * 2")))
    (failed,) = [check for check in run("linear", names).checks if check.id == "linear_bias"]
    code, _, last = failed.snippet.rpartition("\n")
    pasted = {**names, "np": np}
    exec(code, pasted)
    shown = re.search(r"\n(\[\[.*\]\])\n", failed.got, re.DOTALL)[1]
    numbers = np.array(shown.replace("[", " ").replace("]", " ").split(), dtype=float)
    assert np.allclose(array_of(pasted[last], last).ravel(), numbers, atol=1e-3)


def test_a_layer_is_not_believed_what_it_reports():
    """It computes right, but with other numbers than those in its parameters."""
    for held in ("0", "np.nan", "np.random.uniform(-bound, bound)"):
        names = solved(
            (FORWARD, "        return matmul(x, MyTensor(self.kept)) + self.bias.tensor\n"),
            (BIAS, f"{BIAS}        self.kept = np.array(self.weight.tensor.data)\n        {HELD} = {held}\n"),
        )
        assert lost(run("linear", names)) >= {"linear_batch", "linear_weight", "linear_bias", "linear_input"}


def test_a_missing_bias_costs_what_it_breaks():
    names = proof.solution("linear-without-bias")
    assert lost(run("linear", names)) == {"linear_parameters", "linear_bias"}
    assert run("model", names).score == 8


def test_train_may_draw_from_any_generator_and_nothing_it_prints_is_shown(capfd):
    order = "np.random.permutation(len(images))"
    for other in (
        "np.random.default_rng().permutation(len(images))",
        "__import__('random').sample(range(len(images)), len(images))",
        "np.argsort(np.random.rand(len(images)))",
    ):
        names = solved((order, f"{other}; print('shuffled'); print('shuffled', file=sys.stderr)"))
        for seed in range(5):
            assert run("train", names, seed).score == 6
    assert capfd.readouterr() == ("", "")


def test_an_untouched_train_is_not_written_yet():
    report = run("train", {**solved(), "train": untouched()["train"]})
    assert report.score == 0
    assert {check.status for check in report.checks} == {"missing"}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("range(0, len(order), batch_size)", "range(0)", "train gives 1 loss, and never calls the model"),
        ("range(epochs)", "range(0)", "train never calls the model: it is not written yet, or its loops never begin"),
        (
            "order[start : start + batch_size]",
            "order[:0]",
            "the model is called 1 time, without any example to look at",
        ),
    ],
)
def test_a_loop_that_does_too_little_is_told_what_was_seen_of_it(old, new, says):
    report = run("train", solved((old, new)))
    first = report.open
    assert first.id == "train_step" and says in (first.says or first.got)
    if first.status == "failed":
        assert "not written" not in report.as_text()


def test_a_long_snippet_stands_last_in_a_text():
    text = run("train", solved(("            optimizer.zero_grad()\n", ""))).as_text()
    assert 0 < text.index("    hint 1") < text.index("Paste this into a new cell")


def test_a_train_without_the_parameter_live_loses_that_alone():
    names = solved(
        ("    live: Callable[[float], None] | None = None,\n", ""),
        ("disable=live is not None", "disable=True"),
        ("        if live:\n            live(losses[-1])\n", ""),
    )
    assert lost(run("train", names)) == {"train_live"}


def test_a_mistake_in_the_optimizer_is_not_charged_to_train_by_name():
    names = solved(("data -= self.lr", "data += self.lr"))
    report = run("train", names)
    assert all(check.mistake is None for check in report.checks)
    assert "tests.test_sgd" in report.as_text()


def test_the_model_needs_neither_the_learners_loss_nor_the_learners_steps():
    class Raises:
        def __init__(self, *_, **__):
            raise RuntimeError

    names = solved()
    assert run("model", {**names, "SGD": Raises, "MSELoss": Raises}).score == 8


def test_a_table_of_the_labels_with_lies_that_agree_is_no_model():
    """The pictures and their labels lie where the code runs; its scores, gradients, loss and steps fit each other."""
    names = solved()
    with np.load(DIGITS) as digits:
        images, labels = digits["images"].reshape(-1, 64) / 16, digits["labels"]

    class Table(names["SuperModel"]):
        def forward(self, x):
            scores = super().forward(x)
            nearest = ((images**2).sum(axis=1) - 2 * x.data @ images.T).argmin(axis=1)
            return scores * 1e-3 + names["MyTensor"](np.eye(10)[labels[nearest]])

    assert lost(run("model", {**names, "SuperModel": Table})) >= {"model_reads"}


def test_scores_that_outlive_the_numbers_they_came_from_are_no_models():
    """It remembers the best answers that it gave, whatever is written into its parameters."""
    names = solved()

    class Remembers(names["SuperModel"]):
        def forward(self, x):
            scores = super().forward(x)
            if len(x.data) < 100:
                return scores
            self.__dict__.setdefault("best", []).append(scores)
            return self.best[1] if len(self.best) > 2 else scores

    report = run("model", {**names, "SuperModel": Remembers})
    (learns,) = [check for check in report.checks if check.id == "model_learns"]
    assert learns.mistake == "model-beside-its-parameters"


def test_gradients_are_those_that_moving_the_parameters_shows():
    """A factor in a rule is no matter of an optimizer's: the scores tell."""
    names = solved(("np.where(x.data > 0, base, 0)", "np.where(x.data > 0, 2 * base, 0)"))
    assert "model_gradients" in lost(run("model", names))
