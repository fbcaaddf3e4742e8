"""The checks of each section: right work earns its points, wrong work loses its own, nothing breaks them."""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
import re
import sys
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from answers import ANSWERS, CELL, authored, names_for, solved, the_reference, untouched  # noqa: F401 - one is a fixture

import tests
from checks import observe
from checks.observe import (
    Deadline,
    Failed,
    Missing,
    text_of,
)
from checks.reading import REGION
from checks.report import Report
from checks.trial import _agrees
from workshop import oracle
from workshop.reading import array_of, compare

SECTIONS = {section.id: section for section in tests.ASSIGNMENT.sections}


POINTS = {
    "tensor": 40,
    "module": 10,
    "matmul": 5,
    "linear": 10,
    "relu": 5,
    "sgd": 8,
    "mseloss": 8,
    "train": 6,
    "model": 8,
}


def run(section: str, names: dict, seed: int | None = 1) -> Report:
    return SECTIONS[section].run(names_for(SECTIONS[section], names), seed)


def lost(report: Report) -> set[str]:
    return {check.id for check in report.checks if check.status != "passed"}


@pytest.fixture
def hasty(monkeypatch):
    """Every deadline of learner code comes after a quarter of its time: what never ends is waited for in vain."""
    monkeypatch.setattr(observe, "Deadline", lambda seconds, *more, **named: Deadline(seconds / 4, *more, **named))


@pytest.fixture
def hastier(monkeypatch):
    """After a twentieth: where nothing has to come to its end."""
    monkeypatch.setattr(observe, "Deadline", lambda seconds, *more, **named: Deadline(seconds / 20, *more, **named))


def test_points_are_those_of_the_design():
    assert {name: section.points for name, section in SECTIONS.items()} == POINTS


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("seed", range(5))
def test_the_reference_earns_all_points(reference, section, seed):
    report = run(section, reference, seed)
    assert report.score == POINTS[section], report.as_text()


@pytest.mark.parametrize("section", SECTIONS)
def test_an_untouched_notebook_earns_nothing_and_is_told_so_kindly(section):
    report = run(section, untouched())
    assert report.score == 0
    assert "not written yet" in report.as_text()
    assert {check.status for check in report.checks} <= {"missing", "waiting"}
    assert "Traceback" not in report.as_text() and "raised" not in report.as_text()


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_that_nobody_began_is_to_do_where_those_before_are_solved(section):
    own = ANSWERS.index(CELL.get(section, section))
    left = {name: REGION.sub(r"\1...", text) for name, text in authored()[own:]}
    report = run(section, solved(**left))
    assert {check.status for check in report.checks} <= {"missing", "waiting", "passed"}, report.as_text()


# One small change to the reference, and the checks that may notice it (all others must pass).
WRONG = [
    (
        "tensor",
        "return unbroadcast(base, left.shape), unbroadcast(-base, right.shape)",
        "-base",
        "base",
        {"sub_gradient"},
    ),
    ("tensor", "base * power * tensor.data", "base * power *", "base *", {"power_gradient"}),
    ("tensor", "power * tensor.data ** (power - 1)", "(power - 1)", "power", {"power_gradient"}),
    ("tensor", "-base * (left.data / right.data) /", "(left.data / right.data)", "left.data", {"div_gradient"}),
    (
        "tensor",
        "unbroadcast(base * right.data, left.shape)",
        "base * right",
        "right",
        {"mul_gradient", "negative_gradient"},
    ),
    ("tensor", "np.ones(self.shape, self.dtype)", "np.ones(self.shape, self.dtype)", "np.ones(())", {"upstream"}),
    ("tensor", "if left.requires_grad or right.requires_grad:", "if left", "if True or left", {"records", "flag"}),
    ("tensor", "gradients[tensor] + share if tensor in gradients else share", "gradients[tensor] +", "", {"paths"}),
    ("tensor", "gradient if node.grad is None else node.grad.data + gradient", "node.grad.data +", "", {"accumulate"}),
    ("tensor", "gradient = gradient.sum(axis=0)", "sum(", "mean(", {"broadcast_new_axes"}),
    ("tensor", "gradient.sum(axis=axis, keepdims=True)", "sum(", "mean(", {"broadcast_length_one"}),
    (
        "tensor",
        'raise TypeError(f"MyTensor needs numbers (a list',
        "TypeError",
        "ValueError",
        {"refuse"},
    ),
    ("matmul", "(base @ columns.T).reshape", "columns.T", "columns", {"matmul_left"}),
    ("matmul", "(rows.T @ base).reshape", "rows.T", "rows", {"matmul_right"}),
    ("linear", "+ self.bias.tensor", "+ self.bias.tensor", "", {"linear_bias"}),
    (
        "linear",
        "np.random.uniform(-bound, bound, ",
        "np.random.uniform(-bound, bound, ",
        "np.zeros(",
        {"linear_random"},
    ),
    ("relu", "np.where(x.data > 0, base, 0)", ">", ">=", {"relu_kink"}),
    (
        "relu",
        "(np.where(x.data > 0, base, 0),)",
        "np.where(x.data > 0, base, 0)",
        "base",
        {"relu_gradient", "relu_kink"},
    ),
    ("relu", "np.maximum(x.data, 0)", "np.maximum(x.data, 0)", "abs(x.data)", {"relu_value"}),
    ("sgd", "data -= self.lr", "-=", "+=", {"step"}),
    ("sgd", "data -= self.lr * tensor", "self.lr", "0.1", {"step_lr"}),
    ("sgd", "data -= self.lr", "data -=", "parameter.tensor = tensor -", {"step_in_place", "step_keeps_gradients"}),
    ("sgd", "self.params = list(parameters)", "list(parameters)", "parameters", {"step_walks"}),
    ("sgd", "if tensor.grad is not None:", "if tensor.grad is not None:", "if True:", {"step_without_gradient"}),
    ("sgd", "parameter.tensor.grad = None", "parameter.tensor.grad = None", "pass", {"zero_grad"}),
    ("mseloss", " / difference.size", " / difference.size", "", {"mse_value"}),
    ("mseloss", " / difference.size", "difference.size", "difference.shape[0]", {"mse_batch"}),
    (
        "mseloss",
        "difference = y - y_target",
        "y - y_target",
        "MyTensor((y - y_target).data)",
        {"mse_gradient"},
    ),
    ("module", "found += module.parameters()", "found +=", "found =", {"nested"}),
    ("module", "list(dict.fromkeys(found))", "list(dict.fromkeys(found))", "found", {"shared"}),
    (
        "module",
        'self.__dict__.get("_MyModule__sub_modules", {}).pop(name, None)',
        'self.__dict__.get("_MyModule__sub_modules", {}).pop(name, None)',
        "pass",
        {"any_tree"},
    ),
    ("tensor", "np.true_divide", "np.true_divide", "(lambda a, b: (a / b).astype(a.dtype))", {"div", "div_numbers"}),
    (
        "tensor",
        "dtype=self.dtype if weak else None",
        "self.dtype if weak else None",
        "self.dtype",
        {f"{name}_numbers" for name in ("add", "sub", "mul", "div")},
    ),
    ("tensor", "if not self.requires_grad:", "not self.requires_grad", "False", {"constants"}),
    ("relu", "np.maximum(x.data, 0)", "np.maximum(x.data, 0)", "np.clip(x.data, 0, 6)", {"relu_value"}),
    ("relu", "return relu(x)", "relu(x)", "relu(x).data", {"relu_value"}),
    ("module", "list(dict.fromkeys(found))", "dict.fromkeys(found)", "{p.name: p for p in found}.values()", {"alike"}),
    ("mseloss", " / difference.size", " / difference.size", ".data / difference.size", {"mse_value"}),
    ("tensor", "array = np.array(data, dtype=dtype)", "np.array(", "np.asarray(", {"copied", "independent"}),
    ("tensor", "if power == 0:", "power == 0", "False", {"power_zero"}),
    ("linear", "rows = left.data.reshape(-1, left.shape[-1])", ".reshape(-1, left.shape[-1])", "", {"linear_row"}),
    ("model", "self.relu(self.hidden(x))", "self.relu(self.hidden(x))", "self.hidden(x)", {"model_bends"}),
    ("model", "self.hidden(x)", "self.hidden(x)", "MyTensor(self.hidden(x).data)", {"model_reached", "model_reads"}),
]


@pytest.mark.parametrize(("section", "line", "old", "new", "caught"), WRONG)
def test_a_mistake_costs_its_own_checks_only(section, line, old, new, caught):
    assert old in line
    names = solved((line, line.replace(old, new)))
    for seed in range(3):
        report = run(section, names, seed)
        assert caught <= lost(report), report.as_text()
        needs = {check.id: set(check.needs) for check in SECTIONS[section].checks}
        composed = {check.id for check in SECTIONS[section].checks if check.any_program}
        accused = {check.id for check in report.checks if check.status in ("failed", "missing")}
        for id in accused - caught - composed:  # nothing else, but for what stands on it
            assert needs[id] & lost(report), f"{id}: {report.as_text()}"


FLAG_IGNORED = (
    "        self.requires_grad = requires_grad\n",
    "        self.requires_grad = crossOpBack is not None\n",
)


BASE_IGNORED = ("        if base is None:\n", "        if True:\n")


@pytest.mark.parametrize(
    ("slips", "costs"),
    [
        ([FLAG_IGNORED], {"attributes", "printing"}),
        ([BASE_IGNORED], {"upstream"}),
        ([FLAG_IGNORED, BASE_IGNORED], {"attributes", "printing", "upstream"}),
    ],
    ids=["flag", "base", "both"],
)
def test_slips_that_checks_go_around_cost_what_they_break_alone_and_together(slips, costs):
    assert lost(run("tensor", solved(*slips))) == costs


@pytest.mark.parametrize(
    ("section", "line", "new", "check", "says"),
    [
        (
            "tensor",
            "name=name)\n            return MyTensor(result, requires_grad=True, crossOpBack=op)",
            "name=name)\n            return MyTensor(result, requires_grad=True)",
            "records",
            "y requires a gradient, but its backward_op is None",
        ),
        (
            "relu",
            "return (np.where(x.data > 0, base, 0),)",
            "return np.where(x.data > 0, base, 0)",
            "relu_gradient",
            "the rule of ReluBackward must return a tuple, one gradient for each input",
        ),
        (
            "sgd",
            "parameter.tensor.grad = None",
            "parameter.grad = None",
            "zero_grad",
            "zero_grad() sets p.grad, and p.tensor.grad stays as it was",
        ),
    ],
)
def test_what_a_newcomer_could_not_read_from_numbers_is_said(section, line, new, check, says):
    report = run(section, solved((line, new)))
    (found,) = [each for each in report.checks if each.id == check]
    assert found.status == "failed" and says in f"{found.got} {found.says}"


def test_a_gradient_made_of_nothing_is_called_that():
    with pytest.raises(Failed, match=r"a\.grad holds None where a number should be"):
        array_of(np.array([None, 1.0]), "a.grad")


def test_a_failure_shows_code_that_reproduces_it():
    names = solved(("unbroadcast(-base, right.shape)", "unbroadcast(base, right.shape)"))
    (failed,) = [check for check in run("tensor", names).checks if check.id == "sub_gradient"]
    pasted = {**names}
    *code, last = failed.snippet.split("\n")
    exec("\n".join(code), pasted)
    assert last == "b.grad"
    number = float(re.search(r"b.grad has shape \(\)\n(.*)\n", failed.got).group(1))
    assert float(eval(last, pasted).data) == pytest.approx(number, abs=1e-3)
    assert "largest difference" in failed.got
    assert failed.hints


def test_the_sub_module_that_was_replaced_is_forgotten():
    line = 'self.__dict__.get("_MyModule__sub_modules", {}).pop(name, None)'
    kept = "self.__sub_modules[name] = value"
    names = solved((line, "pass"), (kept, "self.__sub_modules[f'{name}{len(self.__sub_modules)}'] = value"))
    assert lost(run("module", names)) == {"reassigned"}


@pytest.mark.parametrize("raising", ["data -= self.lr", "result = a.data @ b.data"])
def test_every_snippet_runs_as_it_stands(raising):
    names = solved((raising, "raise ValueError('no'); " + raising))
    for section in SECTIONS:
        for check in run(section, names).checks:
            if check.status == "failed" and check.snippet:
                with pytest.raises(ValueError, match="no"):
                    exec(check.snippet, {**names, "np": np})


def test_an_attribute_that_never_returns_is_cut(reference, hastier):
    class Hangs(reference["Parameter"]):
        reads = 0

        @property
        def tensor(self):
            Hangs.reads += 1
            while Hangs.reads > 5:
                pass
            return self.__dict__["tensor"]

        @tensor.setter
        def tensor(self, value):
            self.__dict__["tensor"] = value

    report = run("sgd", {**reference, "Parameter": Hangs})
    assert "did not finish in time" in report.as_text() or "took too long" in report.as_text()


def test_what_stands_on_an_earlier_mistake_waits_instead_of_being_called_not_written():
    names = solved(("ready.append(tensor)", "ready.insert(0, tensor) if False else None"))
    report = run("sgd", names)
    assert report.score == 0
    assert "tests.test_tensor_class" in report.as_text()


def test_a_later_section_points_to_the_earlier_mistake():
    names = solved(("unbroadcast(-base, right.shape)", "unbroadcast(base, right.shape)"))
    del names["sum"]
    exec(
        "def broken(y, t):\n    return (y - t)[None]\nclass MSELoss:\n    __call__ = lambda self, y, t: broken(y, t)",
        names,
    )
    report = run("mseloss", names)
    assert report.score == 0
    assert "The gradients of a - b" in report.as_text()


def test_shared_work_that_doubles_is_stopped_early():
    push = """        if self.backward_op is None:
            self.grad = MyTensor(upstream if self.grad is None else self.grad.data + upstream)
            return
        for tensor, share in zip(self.backward_op.inputs, self.backward_op(upstream)):
            if isinstance(tensor, MyTensor) and tensor.requires_grad:
                if tensor.backward_op is None:
                    tensor.grad = MyTensor(share if tensor.grad is None else tensor.grad.data + share)
                else:
                    tensor.backward(MyTensor(share))
        return
"""
    marker = "        # The first walk, given"
    names = solved((marker, push + marker))
    report = run("tensor", names)
    assert lost(report) == {"visited_once"}, report.as_text()
    assert report.score == 39


class Raises:
    def __init__(self, *_, **__):
        raise RuntimeError("no")


class Liar:
    """Equal to everything, with a shape that is a text and a repr that raises."""

    shape, size, strides, dtype, requires_grad, grad, backward_op = "(2, 3)", "6", None, "float", "yes", 7, "op"

    def __init__(self, *_, **__):
        self.data = np.array(["a", object()], dtype=object)

    def __eq__(self, other):
        return True

    __hash__ = None

    def __repr__(self):
        raise ValueError("no repr")

    def __add__(self, other):
        return self

    __radd__ = __sub__ = __mul__ = __truediv__ = __pow__ = __add__

    def backward(self, base=None):
        sys.exit("bye")

    def __del__(self):
        raise RuntimeError("from __del__")


class Noisy:
    def __init__(self, *_, **__):
        print("x" * 1_000_000)
        print("error", file=sys.stderr)
        self.data = np.zeros((0,))

    @property
    def shape(self):
        raise SystemExit(3)


class Huge(Noisy):
    def __init__(self, *_, **__):
        self.data = np.broadcast_to(np.float64(1.0), (10_000_000,))


BAD = [
    None,
    7,
    "text",
    [],
    lambda *_: None,
    lambda *_, **__: 1.5,
    object(),
    Raises,
    Liar,
    Noisy,
    Huge,
    int,
    np.array,
    type,
]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Liar's __del__ raises
@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: getattr(bad, "__name__", None) or text_of(bad, 20))
def test_objects_that_are_not_what_a_check_expects_are_reported(section, bad, reference, capfd):
    own = names_for(SECTIONS[section], reference)
    for names in (dict.fromkeys(own, bad), {**own, next(iter(own)): bad}):
        report = SECTIONS[section].run(names)
        assert 0 <= report.score < report.points
        assert len(report.as_text()) < 20_000
        report.as_html()
        json.dumps(report.as_dict())
    assert capfd.readouterr().err == ""


def test_an_endless_loop_is_cut_and_the_other_checks_go_on(monkeypatch, hasty):
    names = solved(("result = self.__data**power", "while True: pass"))
    for check in tests.TENSOR.checks:
        if check.id == "power":
            monkeypatch.setitem(check.__dict__, "seconds", 0.2)
    report = run("tensor", names)
    assert lost(report) == {"power", "power_gradient", "power_zero"}
    assert "did not finish in time" in report.as_text()


def test_computing_with_torch_is_refused():
    names = solved()
    exec(
        "import torch\n"
        "def matmul(a, b):\n"
        "    return MyTensor(torch.matmul(torch.from_numpy(a.data), torch.from_numpy(b.data)).numpy())",
        names,
    )
    report = run("matmul", names)
    assert report.score == 0
    assert "build it with NumPy" in report.as_text()


def test_a_tensor_that_holds_a_torch_tensor_is_refused(reference):
    import torch

    class MyTensor:
        def __init__(self, data, **_):
            self.data = torch.as_tensor(np.asarray(data, dtype=float))

    report = SECTIONS["tensor"].run({"MyTensor": MyTensor})
    assert report.score == 0
    assert "build it with NumPy" in report.as_text()


def test_text_fits_80_columns(reference):
    for names in (reference, untouched(), solved(("unbroadcast(-base, right.shape)", "base"))):
        for section in SECTIONS:
            report = run(section, names)
            too_long = [line for line in report.as_text().split("\n") if len(line) > 80 and "seed=" not in line]
            assert not too_long


def test_a_report_shows_the_workshop_so_far(reference, capsys):
    wrong = solved(("unbroadcast(-base, right.shape)", "base"))
    tests.ASSIGNMENT.forget()
    tests.test_tensor_class(wrong["MyTensor"], seed=1)
    assert "Workshop so far: 39 of 100 points, 1 of 9 graded tests run." in capsys.readouterr().out
    tests.test_relu(reference["ReLU"], reference["MyTensor"], seed=1)
    text = capsys.readouterr().out
    assert text.startswith(
        "ReLU: 5 of 5 points. Excellent!\nWorkshop so far: 44 of 100 points, 2 of 9 graded tests run.\n"
    )
    tests.test_matmul(None, reference["MyTensor"], seed=1)
    text = " ".join(capsys.readouterr().out.split())
    assert "What fails here may come from an earlier section: My automatic differentiation." in text
    tests.test_linear(None, reference["MyTensor"], reference["Parameter"], seed=1)
    text = " ".join(capsys.readouterr().out.split())
    assert "an earlier section: My automatic differentiation, Matrix multiplication." in text
    tests.test_relu(None, reference["MyTensor"], seed=1)
    text = " ".join(capsys.readouterr().out.split())
    assert "an earlier section: My automatic differentiation." in text  # which uses no matrix product
    tests.ASSIGNMENT.forget()


def test_one_operator_that_hangs_ends_python_or_calls_torch_costs_its_own_checks_only(monkeypatch, hasty):
    for check in tests.TENSOR.checks:
        monkeypatch.setitem(check.__dict__, "seconds", 1.5)
    line = 'return self.__binary(other, np.subtract, sub_deriv, "SubBackward")'
    for broken in (
        "while True: pass",
        "__import__('torch').ones(2) + 1",
        "raise SystemExit",
        "return None",
        "return self.data - other.data",
    ):
        report = run("tensor", solved((line, broken)))
        assert lost(report) == {"sub", "sub_gradient", "sub_numbers"}, (broken, report.as_text())
        assert report.score == 40 - 1 - 1 - 0.5


@pytest.mark.parametrize("does", ["while True: pass", "raise SystemExit"])
def test_an_operation_that_stops_on_results_only_costs_compositions_and_is_shown_in_one(does, hasty):
    line = 'return self.__binary(other, np.subtract, sub_deriv, "SubBackward")'
    report = run("tensor", solved((line, f"if self.backward_op is not None:\n            {does}\n        {line}")))
    (found,) = [check for check in report.checks if check.status != "passed"]
    assert found.id == "programs"
    assert re.search(r"^u = .*\ny = u - ", found.snippet, re.MULTILINE)


def test_powers_are_composed_where_products_are_wrong():
    """Their names share a letter, and nothing else."""
    wrong = ("unbroadcast(base * left.data, right.shape)", "unbroadcast(-base * left.data, right.shape)")
    power = "        result = self.__data**power\n"
    of_results = (power, f"{power}        if self.backward_op is not None:\n            result = result + 1.0\n")
    assert lost(run("tensor", solved(wrong))) == {"mul_gradient"}
    assert lost(run("tensor", solved(wrong, of_results))) == {"mul_gradient", "programs"}


@pytest.mark.parametrize(
    ("expected", "got", "agrees"),
    [
        (np.array([1.5, 2.5]), [1.5, 2.5], True),
        (np.array([1.5, 2.5]), ["1.5", "2.5"], False),
        (np.array(1.5), "1.5", False),
        (np.array([1.5, 2.5]), [[1.5], [2.5, 3.5]], False),
        (np.array(1.5), [], False),
        (np.array(1.5), None, False),
        (np.array(1.5), 10**400, False),
        (np.array(1.5), eval("[" * 50 + "1.5" + "]" * 50), False),
        (True, 1.0, False),
        (None, 0, False),
        ("1", "1", True),
    ],
)
def test_what_programs_show_is_compared_as_what_checks_look_at(expected, got, agrees):
    assert _agrees(expected, got) is agrees
    if type(got) is not list:
        with contextlib.nullcontext() if agrees else pytest.raises((Failed, Missing, AttributeError, OverflowError)):
            compare("it", expected, got)


def test_a_small_start_is_no_silent_model():
    names = solved(("bound = 1 / np.sqrt(input_size)", "bound = 1e-4"))
    assert "model_bends" not in lost(run("model", names))


def test_scores_of_other_shapes_are_not_stretched_into_the_whole_memory():
    names = solved()
    shapes = itertools.chain([(5, 10)], itertools.cycle([(1000, 1), (1, 1000)]))

    class Stretching(names["SuperModel"]):
        def forward(self, x):
            return names["MyTensor"](np.ones(next(shapes)) * len(x.data))

    report = run("model", {**names, "SuperModel": Stretching})
    bends = next(check for check in report.checks if check.id == "model_bends")
    assert bends.status == "failed"
    assert "(1000, 1)" in bends.got or "(1, 1000)" in bends.got


def test_parameters_without_end_are_not_all_looked_at():
    names = solved()

    class Endless(names["MyModule"]):
        def parameters(self):
            return itertools.repeat(names["Parameter"](names["MyTensor"]([1.5])))

    report = run("module", {**names, "MyModule": Endless})
    assert "more than 1,000" in next(check for check in report.checks if check.id == "own").got


def test_what_was_seen_is_kept_small():
    """Nor do frames of failures keep it, until Python looks for what only keeps itself."""
    names = {**solved(), "large": np.ones(999_999, np.int8)}
    exec(
        "MyTensor.kept = None\ndef keep(self, value): self.kept = value\n"
        "MyTensor.grad = property(lambda self: None if self.kept is None else large, keep)",
        names,
    )
    tracemalloc.start()
    gc.disable()
    try:
        report = tests.TENSOR.run(names_for(tests.TENSOR, names), 1)
        assert tracemalloc.get_traced_memory()[0] < 200 << 20
    finally:
        gc.enable()
        tracemalloc.stop()
    assert any("shape (999999,) instead of" in str(check.says) for check in report.checks)


def test_arrays_are_read_as_copies():
    array = np.ones(2)
    read = array_of(array, "x")
    read[0] = 5
    assert array[0] == 1


def test_the_oracles_optimizer_is_pytorchs():
    torch, names = oracle.load(), oracle.in_pytorch()
    for lr in (0.1, 0.37):
        ours, theirs = (torch.tensor([1.5, -2.5], dtype=torch.float64, requires_grad=True) for _ in range(2))
        unused = torch.tensor([3.5], requires_grad=True)
        optimizer = names["SGD"]([SimpleNamespace(tensor=ours), SimpleNamespace(tensor=unused)], lr=lr)
        reference = torch.optim.SGD([theirs, unused], lr=lr)
        for tensor, step in ((ours, optimizer), (theirs, reference)):
            for _ in range(3):
                step.zero_grad()
                assert tensor.grad is None
                (tensor**3).sum().backward()
                step.step()
        assert torch.equal(ours, theirs)
        assert unused.tolist() == [3.5]
