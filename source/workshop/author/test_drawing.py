"""What a notebook draws: graphs, training, weights; and where a learner is in the workshop."""

from __future__ import annotations

import base64
import io
import itertools
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import IPython.display
import numpy as np
import proof
import pytest
from answers import ROOT, authored, solved, the_reference  # noqa: F401 - one is a fixture
from displayed import svgs
from displays import ABX, leaves, shown_by, what_is_shown  # noqa: F401 - one is a fixture
from matplotlib import colors
from matplotlib import pyplot as plt
from matplotlib.text import Text

import tests
from checks import pictures, progress, report
from checks.assignment import Assignment
from checks.section import Section
from workshop import drawing as tensor_drawing
from workshop.assignment import call_to_draw
from workshop.graph import arguments_of

EXPRESSION = "(a * x + b) * a - 2 / x"
TENSOR_CELL = dict(authored())["tensor"]
SVG = "{http://www.w3.org/2000/svg}"


def drawn(shown: list[dict[str, Any]], code: str, names: dict[str, Any]) -> str:
    """The text of what code draws, run as a cell."""
    return shown_by(shown, code, names)["text/plain"]


def abx(MyTensor: Any) -> dict[str, Any]:
    return {"MyTensor": MyTensor, **leaves(MyTensor, **ABX)}


def test_leaves_operations_shapes_values_and_gradients(reference, shown):
    names = leaves(reference["MyTensor"], a=2.0, x=[3.0, -1.0], b=1.0)
    text = drawn(shown, "y = a * x + b\ny.backward()\ntests.draw_graph(y)", names)
    lines = [re.sub(r"\s+", " ", line).strip() for line in text.split("\n")]
    assert lines[0] == "Yours: y, 5 tensors, 2 made by operations"
    assert set(lines[1:]) == {
        "a leaf, scalar 2. grad 2.",
        "x leaf, shape (2,) [ 3. -1.] grad [2. 2.]",
        "b leaf, scalar 1. grad 2.",
        "t1 = MulBackward(a, x) shape (2,) [ 6. -2.]",
        "y = AddBackward(t1, b) shape (2,) [ 7. -1.]",
    }


@pytest.mark.parametrize("style", ["reference", *proof.CORRECT])
def test_any_correct_internals_are_drawn_and_agree_with_pytorch(style, shown):
    names = abx(proof.solution(style)["MyTensor"])
    text = drawn(shown, f"tests.draw_graph({EXPRESSION!r}, beside=True, base=[[1, 2], [3, 4.0]])", names)
    assert "✓ All gradients are PyTorch's." in text
    if style == "dataclass_graph":  # whose operations know operations, no tensors
        assert "holds no tensors that could be found" in text
        return
    own = text.split("PyTorch's:")[0]
    for name in "axb":
        assert re.search(rf"^  {name} +leaf, shape", own, re.MULTILINE), text
    assert 5 <= own.count(" = ") <= 8  # some have no operation for - or / of its own
    assert "✓ All gradients are PyTorch's." in text


@pytest.mark.parametrize("style", ["reference", "dataclass_graph", "tape", "mixins", "recursive_buffer"])
@pytest.mark.parametrize("expression", [EXPRESSION, "x" + " * a" * 70])  # the second is folded
def test_drawing_changes_nothing(style, expression, shown):
    names = abx(proof.solution(style)["MyTensor"])
    code = f"y = {expression}\ny.backward()\nbefore = [t.grad for t in (a, x, b, y)]\nop = y.backward_op\n"
    code += f"tests.draw_graph(y, beside={expression!r})\n"
    code += "assert all(t.grad is g for t, g in zip((a, x, b, y), before)) and y.backward_op is op\n"
    drawn(shown, code, names)
    twice = np.copy(names["a"].grad if isinstance(names["a"].grad, np.ndarray) else names["a"].grad.data)
    exec("y = " + expression + "\ny.backward()", names)
    once = names["a"].grad if isinstance(names["a"].grad, np.ndarray) else names["a"].grad.data
    assert np.allclose(2 * twice, once)


@pytest.mark.parametrize(
    ("mistakes", "expression", "says"),
    [
        (["sub-right-not-negated"], "(a - x * c) * b", "t1 is the first that differs: its gradient has the right size"),
        (["sub-right-not-negated"], "(a - x * c) * b", "SubBackward of t2"),
        (["mul-own-factors"], "a - x * c", "MulBackward of t1"),
        (["walk-on-arrival"], "b = a + a; c = b + a; c + b", "adds up what arrives at"),
        (["mul-not-unbroadcast"], "a * s", "s is the first that has a gradient of shape (2, 2) instead of ()"),
        (["mul-right-taken-for-constant"], "a * x", "x is the first that differs: its gradient is 0 everywhere"),
        (["sub-right-not-negated"], "a + (-(x * c))", "✓ All gradients"),
        (["sub-adds"], "a - x", "The values differ already"),
    ],
)
def test_the_first_tensor_with_another_gradient_is_marked(mistakes, expression, says, shown):
    changes = [change for name in mistakes for change in proof.BY_NAME[name].changes]
    MyTensor = solved(*changes)["MyTensor"]
    names = {**abx(MyTensor), **leaves(MyTensor, c=[[0.5, 0.25], [4.0, -1.0]], s=3.0)}
    exec(f"tests.draw_graph({expression!r}, beside=True, base=[[1, 2], [3, 4.0]])", {**names, "tests": tests})
    forms = shown.pop()
    assert says in forms["text/plain"]
    differs = re.findall(r'<rect class="differs"', forms["text/html"])
    assert len(differs) == (0 if "values" in says or "✓" in says else 2)
    assert forms["text/html"].count("✗ differs from PyTorch") >= len(differs) // 2  # in words, too


def test_what_is_used_twice_is_computed_once_or_twice(reference, shown):
    for code in ("u = a * x; u + u", "u = a * x\ny = u + u", "a * x + a * x"):
        for beside in ("u = a * x; y = u + u", "a * x + a * x"):
            names = leaves(reference["MyTensor"], a=3.0, x=4.0)
            text = drawn(shown, f"tests.draw_graph({code!r}, beside={beside!r}, base=2.0)", names)
            assert "✓ All gradients are PyTorch's." in text, text


def test_nothing_is_claimed_of_gradients_that_are_not_there(shown):
    written = re.search(r"        if not self.requires_grad:\n.*?(?=        ### END)", TENSOR_CELL, re.DOTALL)
    names = leaves(solved((written[0], "        ...\n"))["MyTensor"], a=3.0, x=4.0)
    text = drawn(shown, "tests.draw_graph('a * x + x', beside=True)", names)
    assert text.endswith("Your backward() gives no tensor a gradient: there is nothing to compare yet.")


def test_a_tensor_that_gets_no_gradient_is_marked(shown):
    MyTensor = solved(("                    stack.append(tensor)\n", "                    pass\n"))["MyTensor"]
    text = drawn(shown, f"tests.draw_graph({EXPRESSION!r}, beside=True, base=[[1, 2], [3, 4.0]])", abx(MyTensor))
    assert "is the first that has no gradient" in text


def test_a_constant_that_gets_a_gradient_is_marked(shown):
    names = solved(*proof.BY_NAME["constants-followed"].changes)
    names |= leaves(names["MyTensor"], a=2.0) | {"c": names["MyTensor"](3.0)}
    exec("tests.draw_graph('a * c', beside=True)", {**names, "tests": tests})
    forms = shown.pop()
    assert "✗ Your backward() gives c a gradient, though requires_grad is False there." in forms["text/plain"]
    assert forms["text/html"].count('<rect class="differs"') == 1


def test_a_backward_that_raises_is_drawn_all_the_same(shown):
    MyTensor = solved(("base * right.data, left.shape", "base * right.dta, left.shape"))["MyTensor"]
    text = drawn(shown, "tests.draw_graph('a * x', beside=True)", abx(MyTensor))
    assert "Going backward, your code raised AttributeError" in text and "MulBackward0(a, x)" in text


def boxes(svg: ET.Element) -> list[tuple[float, ...]]:
    return [tuple(float(box.get(key)) for key in ("x", "y", "width", "height")) for box in svg.iter(f"{SVG}rect")]


def points(svg: ET.Element) -> Iterator[tuple[float, float]]:
    """Along all edges, some pixels apart."""
    for edge in svg.iter(f"{SVG}path"):
        if edge.get("class") != "edge":
            continue
        a, starts, bottom, *curve, b, arrives = map(float, re.findall(r"[-\d.]+", edge.get("d").partition("v")[0]))
        passed = float(edge.get("d").partition("v")[2] or 0)
        assert curve[0] == a and curve[2] == b and curve[1] == curve[3] == (bottom + arrives) / 2
        for t in np.linspace(0, 1, 21):
            yield a, starts + t * (bottom - starts)
            shares = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
            yield np.dot(shares, (a, a, b, b)), np.dot(shares, (bottom, curve[1], curve[1], arrives))
            yield b, arrives + t * passed


LOOP = "y = x\nfor _ in range({}): y = y * a + x"
NETWORK = """
class Network(MyModule):
    def __init__(self):
        super().__init__()
        self.first, self.relu, self.second = Linear(4, 8), ReLU(), Linear(8, 3)

    def forward(self, x):
        return self.second(self.relu(self.first(x)))

network = Network()
y = MSELoss()(network(MyTensor([[1.5, -2.0, 0.5, 3.0]] * 5)), MyTensor([[1.0, 0.0, 0.0]] * 5))
y.backward()
"""


@pytest.mark.parametrize(
    ("code", "number", "widest"),
    [
        (LOOP.format(2), 6, 500),
        (LOOP.format(12), 26, 500),
        (LOOP.format(28), 58, 500),
        (LOOP.format(60), 60, 700),  # folded
        (NETWORK, 16, 700),
        ("y = x\nfor _ in range(39): y = y + y", 40, 300),
        ("y = x\nfor _ in range(19): y = y + relu(y) - a", 59, 700),
        ("y = x\nfor n in range(29): y = y * MyTensor(float(n), requires_grad=True)", 59, 500),
        ("p, y = a, x\nfor _ in range(20): p, y = y, p + y * b", 43, 700),
        ("y = matmul(a, x) * (b - x) + (a * x) / x", 9, 700),
    ],
)
def test_boxes_stand_apart_and_edges_run_between_them_on_a_narrow_page(reference, shown, code, number, widest):
    exec(f"{code}\ntests.draw_graph(y)", {**reference, **abx(reference["MyTensor"]), "tests": tests})
    forms = shown.pop()
    page, svg = forms["text/html"], ET.fromstring(svgs(forms)[0])
    assert svg.get("role") == "img" and svg.get("aria-label").startswith("Yours: y, ")
    found, wide, tall = boxes(svg), float(svg.get("width")), float(svg.get("height"))
    assert len(found) == number and wide <= widest
    for x, y, width, height in found:
        assert x >= 0 and y >= 0 and x + width <= wide and y + height <= tall
    for (x, y, width, height), (left, top, across, down) in itertools.combinations(found, 2):
        assert x + width < left or left + across < x or y + height < top or top + down < y
    for (x, y), (left, top, across, down) in itertools.product(points(svg), found):
        assert 0 <= x <= wide and not (left < x < left + across and top < y < top + down)
    assert "<script" not in page and "on" + "click" not in page


def test_an_edge_that_comes_from_far_tells_its_tensor(reference, shown):
    exec(f"{LOOP.format(3)}\ntests.draw_graph(y)", {**abx(reference["MyTensor"]), "tests": tests})
    assert re.findall(r'<text class="far".*?>(.*?)</text>', shown.pop()["text/html"]) == ["x", "a", "x"]


def test_operands_stand_from_left_to_right_and_a_picture_is_the_same_each_time(reference, shown):
    code = "y = (a - x) / (b - c)\ntests.draw_graph(y)"
    names = {**abx(reference["MyTensor"]), **leaves(reference["MyTensor"], c=3.0), "tests": tests}
    exec(f"{code}\n{code}", names)
    forms = shown.pop()
    page, svg = forms["text/html"], ET.fromstring(svgs(forms)[0])
    at = {text.text: float(text.get("x")) for text in svg.iter(f"{SVG}text") if text.get("class") == "first"}
    assert at["a"] < at["x"] < at["b"] < at["c"] and at["t1"] < at["y"] < at["t2"]
    assert page == shown.pop()["text/html"]


def test_a_matrix_stands_in_its_rows(reference, shown):
    exec("tests.draw_graph('a * x')", {**abx(reference["MyTensor"]), "tests": tests})
    forms = shown.pop()
    assert (
        ">[[ 1.5 -2. ]\u00a0</text>" in forms["text/html"] and ">\u00a0[ 0.5\u00a0 3. ]]</text>" in forms["text/html"]
    )
    assert "[[ 1.5 -2. ] [ 0.5 3. ]]" in forms["text/plain"]  # there in one line


@pytest.mark.parametrize("expression", ["a * x + b * x", "(a * x + b) * a", "(a - x ** 2) / b", "matmul(a, x) + b"])
@pytest.mark.parametrize("scalars", [True, False])
def test_two_small_graphs_stand_side_by_side(reference, shown, expression, scalars):
    """In an output of 780 pixels: a notebook as wide as 900. The letters keep 9 of their 12 pixels."""
    names = abx(reference["MyTensor"])
    if scalars and "matmul" not in expression:
        names |= leaves(reference["MyTensor"], a=2.5, x=3.25, b=-1.125)
    exec(f"tests.draw_graph({expression!r}, beside=True)", {**reference, **names, "tests": tests})
    page = shown.pop()["text/html"]
    least, widths = (list(map(int, re.findall(each, page))) for each in (r"flex: 1 1 (\d+)px", r'svg .*?width="(\d+)"'))
    assert sum(least) + 32 <= 780 and all(9 * wide <= 12 * part for wide, part in zip(widths, least, strict=True))


@pytest.mark.parametrize("operations", [59, 60, 100, 20_000])
def test_a_large_graph_is_folded_and_says_so(reference, shown, operations):
    names = leaves(reference["MyTensor"], x=1.0)
    exec("y = x\n" + f"for _ in range({operations}): y = -y\ntests.draw_graph(y)", {**names, "tests": tests})
    forms = shown.pop()
    found = boxes(ET.fromstring(svgs(forms)[0]))
    assert len(found) == min(2 * operations + 1, 60)
    assert f"{2 * operations + 1 - 59:,} more tensors" in forms["text/plain"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1e308])
@pytest.mark.parametrize("beside", ["", ", beside='a * x - x'"])
def test_a_graph_of_numbers_that_have_diverged_is_drawn_without_a_warning(reference, shown, value, beside):
    names = leaves(reference["MyTensor"], a=[[value, 1.0], [-value, 2.0]], x=[[1.0, value], [value, 0.5]])
    with np.errstate(all="ignore"):  # what the learner's own operations warn of is theirs
        exec("y = a * x - x\ny.backward()", names)
    text = drawn(shown, f"tests.draw_graph(y{beside})", names)
    assert str(value).split("e")[0] in text and ("✓ All gradients" in text) == bool(beside), text


def test_what_cannot_be_drawn_is_said(reference, shown):
    names = {**abx(reference["MyTensor"]), "Linear": reference["Linear"], "number": 3, "re": re, "mine": abx}
    names |= {"line": reference["Linear"](2, 2), "sum": reference["sum"]}
    names["large"] = reference["MyTensor"](np.ones((250_001, 2, 2)), requires_grad=True)
    names["u"] = names["a"] * names["x"]
    for code, says in {
        "a": "it is a leaf",
        "None": "this is None",
        "number": "this is 3",
        "'a +'": "your code raised SyntaxError",
        "'a + nothing'": "NameError",
        "u, beside='a *'": "is no expression",
        "u, beside='u * 1'": "u is a result itself",
        "u, beside='line(a)'": "MSELoss(): write it with these, instead of line.",
        "u, beside='np.exp(a)'": "PyTorch cannot compute",
        "u, beside='re.relu(a)'": "re is the package re. PyTorch's graph can be drawn of",
        "u, beside='relu(a) + mine(a)'": "mine is the function abx.",
        "u, beside='Linear(2, 2)(a)'": "Linear is the class Linear.",
        "u, beside='missing * a'": "PyTorch cannot compute",
        "u, beside='number * 2'": "has no graph",
        "u, beside=True": "needs the expression itself",
        "u, beside='a * x', base=1.0": "The upstream gradient has shape (), the result (2, 2)",
        "u, beside='a * x', base='3'": "base, the upstream gradient, has to be a number, a list of numbers, an array "
        "or a tensor, and this is '3'.",
        "u, beside='a * x', base=['a']": "or a tensor, and this is ['a'].",
        "u, beside='a * x', base=[[1], [2, 3]]": "or a tensor, and this is [[1], [2, 3]].",
        "u, beside='a * x', base=re": "or a tensor, and this is <module 're'",
        "large * a, beside='large * a'": "the result has 1,000,004 elements: up to 1,000,000 are read",
        "'sum(large * a)', beside=True": "large has 1,000,004 elements: up to 1,000,000 are read",
        "u, beside='a[0] * x[0]'": "has shape (2,), your result (2, 2)",
    }.items():
        assert says in drawn(shown, f"tests.draw_graph({code})", names), code


def test_odd_ways_to_hold_inputs(reference):
    """Keys, numbered copies, functions in a list, flags beside the inputs, a gradient that is a tensor."""
    MyTensor = reference["MyTensor"]
    a, b = MyTensor([1.0], requires_grad=True), MyTensor([2.0], requires_grad=True)

    def holding(*tensors: Any) -> Any:
        return lambda: tensors

    for op, arguments in (
        ({a: "rule", b: "rule"}, [a, b]),
        (SimpleNamespace(inputs=[a, b], saved=(a, b), flags=(True, False), axes=(0, 1)), [a, b]),
        ([holding(a), holding(b), holding(a), holding(b)], [a, b]),
        (SimpleNamespace(parents=[a], grad=b), [a]),
        ((a, 3), [a, 3]),
        ((3, a), [3, a]),
        ([(a, 2), (b, 3)], [a, 2, b, 3]),
        ([(lambda exponent, x: lambda: x.data**exponent)(3, a)], [a, 3]),  # captured: the order is that of the names
    ):
        y = MyTensor([3.0], requires_grad=True, crossOpBack=op)
        assert [*map(id, arguments_of(y))] == [*map(id, arguments)], op
        y.grad = MyTensor([1.0])
        assert len(arguments_of(y)) == len(arguments)


def test_numbers_stand_among_the_arguments_of_their_operation(reference, shown):
    names = {**abx(reference["MyTensor"]), "sum": reference["sum"]}
    for code, own, theirs in (
        ("x ** 3", "PowBackward(x, 3)", "PowBackward0(x, 3)"),
        ("sum(x, 1)", "SumBackward(x, 1)", "SumBackward1(x, 1)"),
        ("sum(x, axis=1)", "SumBackward(x, 1)", "SumBackward1(x, 1)"),
        ("2 - x", "SubBackward(leaf1, x)", "RsubBackward1(2, x)"),
        ("2 / x", "DivBackward(leaf1, x)", "division(2, x)"),
        ("x + 2", "AddBackward(x, leaf1)", "AddBackward0(x, 2)"),
    ):
        exec(f"tests.draw_graph({code!r}, beside=True)", {**names, "tests": tests})
        forms = shown.pop()
        for call in (own, theirs):
            assert f"result = {call}" in forms["text/plain"], forms["text/plain"]
            number = re.search(r"[(, ]\d[,)]", call)
            assert f">{call if number else call.partition('(')[0]}</text>" in forms["text/html"]


def test_equal_values_names_in_use_and_changed_variables(reference, shown):
    names = leaves(reference["MyTensor"], a=[3.0], b=[3.0])
    text = drawn(shown, "weight = a\nt1 = a * 2\ntests.draw_graph(t1 - b * 2, beside='a * 2 - b * 2')", names)
    assert "✓ All" in text and "weight" not in text and "t2 = MulBackward(b, leaf" in text
    code = "y = a * b\na.data[...] = 5.0\ntests.draw_graph(y, beside='a * b')"
    assert "Your variables have changed since y was computed" in drawn(shown, code, names)


@pytest.mark.parametrize("style", sorted({"reference", *proof.CORRECT} - {"dataclass_graph", "functions_with_context"}))
def test_parameters_have_the_names_they_are_held_by(style, shown):
    """But for two styles: one's operations hold no tensors, the other's modules no attributes."""
    code = "class Net(MyModule):\n"
    code += "    def __init__(self):\n        super().__init__()\n        self.hidden = Linear(2, 3)\n"
    code += "    def forward(self, x):\n        return self.hidden(x)\n"
    code += "net = Net()\ny = net(MyTensor([[1.5, -2.0]]))\nfirst, *others = net.parameters()\n"
    exec(code + "tests.draw_graph(y)\ndel first\ntests.draw_graph(y)", {**proof.solution(style), "tests": tests})
    later, earlier = shown.pop()["text/plain"], shown.pop()["text/plain"]
    assert re.search(r"^  first +leaf", earlier, re.MULTILINE), earlier
    held = re.findall(r"^  (net\.hidden\.\w+) +leaf", later, re.MULTILINE)
    assert held and all(later.count(name) >= 2 for name in held), later  # there, and in a formula


def test_a_tensor_that_is_neither_true_nor_false(reference, shown):
    def refuse(self: Any) -> bool:
        raise ValueError("is it true?")

    kind = type("Odd", (reference["MyTensor"],), {"__bool__": refuse})
    text = drawn(shown, "tests.draw_graph('a * x', beside=True)", leaves(kind, a=2.0, x=3.0))
    assert "✓ All gradients are PyTorch's." in text


class Hostile:
    """An operation that makes trouble when it is looked at."""

    def __init__(self, tensor: Any, how: str) -> None:
        self.inputs, self.how = [tensor], [how]

    def __str__(self) -> str:
        if self.how == ["endless"]:
            while True:
                pass
        if self.how == ["raises"]:
            raise RuntimeError("<b>no</b>")
        return "<script>alert(1)</script>"


@pytest.mark.parametrize("how", ["endless", "raises", "script", "itself"])
def test_an_operation_that_makes_trouble_is_a_sentence_or_a_plain_name(reference, shown, how, monkeypatch):
    monkeypatch.setattr(tensor_drawing, "SECONDS", 0.5)
    MyTensor = reference["MyTensor"]
    x = MyTensor(1.0, requires_grad=True)
    y = MyTensor(2.0, requires_grad=True, crossOpBack=Hostile(x, how))
    if how == "itself":
        y.backward_op.inputs = [y.backward_op.inputs, y.backward_op]
    exec("tests.draw_graph(y)", {"y": y, "x": x, "tests": tests})
    forms = shown.pop()
    assert "<script" not in forms.get("text/html", "") and "<b>" not in forms.get("text/html", "")
    said = {"endless": "did not finish in time", "raises": "RuntimeError"}
    assert said.get(how, "y = Hostile") in forms["text/plain"]


def test_the_snippet_of_a_read_only_gradient_shows_that_it_is(shown):
    found = proof.report(tests.TENSOR, proof.solution("slots-grad-is-a-view"))
    assert found.open.id == "independent" and found.open.snippet.endswith("\na.grad.flags.writeable")
    assert "draw_graph" not in found.as_text()  # the numbers are right


def test_a_failing_gradient_offers_to_draw_its_graph(shown):
    changes = proof.BY_NAME["mul-own-factors"].changes + proof.BY_NAME["sub-right-not-negated"].changes
    names = solved(*changes)
    found = tests.TENSOR.run({"MyTensor": names["MyTensor"]}, seed=1)
    offered = 0
    for check in found.checks:
        call = call_to_draw(check.snippet) if check.snippet and check.status == "failed" else None
        if call:
            offered += 1
            text = drawn(shown, f"{check.snippet}\n{call}", names)
            if "beside" in call:
                assert "✗ Walking back from y" in text, text
    assert offered >= 3
    first = next(check for check in found.checks if check.id == "sub_gradient")
    assert call_to_draw(first.snippet) in found.as_text() and "tests.draw_graph(y, beside=" in found.as_html()


LEAVES = "a = MyTensor(2.0, requires_grad=True)\nc = MyTensor(3.0)\n"


@pytest.mark.parametrize(
    ("snippet", "offer"),
    [
        ("y = a * c\ny.backward()\na.grad", "tests.draw_graph(y, beside='a * c')"),
        ("y = a * c\ny.backward(MyTensor(3.0))\ny", "tests.draw_graph(y, beside='a * c', base=3.0)"),
        ("y = a * c\ny.backward(c)\na.grad", "tests.draw_graph(y, beside='a * c', base=c)"),
        ("u = a * c\ny = u + u\ny.backward()\na.grad", "tests.draw_graph(y, beside='u = a * c; y = u + u')"),
        ("line = Linear(1, 1)\ny = line(a)\ny.backward()\na.grad", "tests.draw_graph(y)"),
        ("y = a * c\ny.backward()", None),  # it raised, or never ended
        ("y = a * c\ny.backward()\nc.grad", None),  # PyTorch gives a constant none, but it may have been there before
        ("y = a * c\ny.backward()\na.grad.flags.writeable", None),
        ("y = a * c\nz = a * a\ny.backward()\nz.backward()\na.grad", None),
        ("y = a\nfor _ in range(40):\n    y = y + y\ny.backward()\na.grad", None),
        ("y = a * c\ny = y + a\ny.backward()\na.grad", None),
        ("y = MyTensor(2.0, requires_grad=True)\ny.backward()\ny.grad", None),
        ("y = a * c\ny", None),
    ],
)
def test_a_drawing_is_offered_where_it_shows_what_failed(snippet, offer):
    assert call_to_draw(LEAVES + snippet) == offer


# ---------------------------------------------------------------- a network that learns


@pytest.fixture
def nowhere(monkeypatch):
    monkeypatch.setattr(pictures, "in_notebook", lambda: False)


def test_without_a_notebook_training_prints_a_line_for_each_epoch(nowhere, capsys):
    live = tests.live(accuracy=lambda: 0.875)
    live(0.5)
    live(0.25)
    assert capsys.readouterr().out == "epoch 1: loss 0.5, accuracy 87.5%\nepoch 2: loss 0.25, accuracy 87.5%\n"
    tests.live()(0.125)
    assert capsys.readouterr().out == "epoch 1: loss 0.125\n"


def test_in_a_terminal_ipython_prints_a_line_for_each_epoch_too(tmp_path):
    code = "import tests; live = tests.live(); live(0.5); live(0.25)"
    command = [sys.executable, "-m", "IPython", "-c", code]
    own = {**os.environ, "IPYTHONDIR": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True)
    assert done.stdout == "epoch 1: loss 0.5\nepoch 2: loss 0.25\n", done.stderr


def test_a_notebook_is_a_shell_with_a_kernel(monkeypatch):
    for shell, expected in ((None, False), (SimpleNamespace(), False), (SimpleNamespace(kernel="one"), True)):
        monkeypatch.setattr("IPython.get_ipython", lambda shell=shell: shell)
        assert report.in_notebook() is expected


def test_regions_show_what_is_answered_and_refuse_other_shapes(nowhere, capsys):
    points, labels = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0]]), np.array([1, 0, 1])
    live = tests.live_regions(lambda some: some, points, labels)  # the larger coordinate is the answer
    live(0.1)
    assert "epoch 1: loss 0.1, 66.7% of the points on the right side" in capsys.readouterr().out
    assert live._picture()[0].axes[0].get_title() == live.lines[-1]
    with pytest.raises(ValueError, match=r"points have shape \(n, 2\) and labels \(n,\)"):
        tests.live_regions(lambda some: some, points.T, labels)


@pytest.mark.parametrize("losses", [(1.0, 900.0, 1001.0, 1e59), (np.nan, np.inf), (0.5, 1e308, np.inf)])
def test_a_training_that_diverges_is_told_so_once(nowhere, capsys, losses):
    live = tests.live()
    for loss in losses:
        live(loss)
    assert capsys.readouterr().out.count(pictures.DIVERGES) == 1
    live(losses[0] if np.isfinite(losses[0]) else 1.0)  # another lr, with the same curve
    live(np.inf)
    assert capsys.readouterr().out.count(pictures.DIVERGES) == 1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("losses", [(1.0, 1e308), (1e308,), (-1e308, 1e308), (1e299, 2e299), (np.nan, np.inf, -np.inf)])
def test_the_curve_of_a_huge_loss_is_drawn_without_a_warning(cell, losses):
    live = tests.live(accuracy=lambda: np.nan)
    forms = cell(lambda: [live(loss) for loss in losses])
    assert f"loss {losses[-1]:.4g}, accuracy nan%" in forms["text/html"]


@pytest.fixture
def cell(monkeypatch):
    """A function that runs a function as a notebook's cell, and gives what is displayed in the end."""
    ends, forms = [], []
    events = SimpleNamespace(
        register=lambda _, end: ends.append(end),
        unregister=lambda _, end: ends.remove(end),
    )
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(events=events, kernel="one"))
    handle = SimpleNamespace(update=lambda some, raw: forms.append(some))
    monkeypatch.setattr(IPython.display, "display", lambda some, raw, display_id: forms.append(some) or handle)

    def run(function: Any) -> dict[str, Any]:
        function()
        for end in [*ends]:
            end()
        return forms[-1]

    return run


def test_the_curve_of_a_training_that_diverges_says_so(cell):
    live = tests.live()
    forms = cell(lambda: [live(loss) for loss in (1.0, 1e59, np.inf, np.nan)])
    assert "The loss grows: training diverges; try a smaller lr." in re.search('alt="([^"]*)"', forms["text/html"])[1]
    figures: list[Any] = []
    live._picture = lambda: (figures.append(pictures.new_figure(3, 2, top=0.9)) or figures[0], "")
    live._show()
    assert figures[0].get_suptitle() == pictures.DIVERGES


@pytest.mark.parametrize(
    ("epochs", "chosen"),
    [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (100, [1, 2, 8, 16, 64, 100]), (64, [1, 2, 4, 16, 32, 64])],
)
def test_regions_leave_the_stages_of_the_training(cell, epochs, chosen):
    points, labels = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0]]), np.array([1, 0, 1])
    asked = [0]

    def scores(some: np.ndarray) -> np.ndarray:
        asked[0] += len(some) > len(points)
        return some * [1, len(watch.losses)]

    watch = tests.live_regions(scores, points, labels)
    forms = cell(lambda: [watch(1 / (1 + epoch)) for epoch in range(epochs)])
    assert asked[0] < 20  # a picture is drawn now and then, not in each epoch
    alt = re.search('alt="([^"]*)"', forms["text/html"])[1]
    assert alt.startswith("Points of the plane, and the region") and f"at {len(chosen)} stages" in alt
    assert [int(epoch) for epoch in re.findall(r"Epoch (\d+): loss", alt)] == chosen
    figure, _ = watch._ended()
    assert [axes.get_title() for axes in figure.axes] == [f"epoch {n}: loss {1 / n:.4g}" for n in chosen]


def a_model(*tensors: np.ndarray) -> Any:
    return SimpleNamespace(parameters=lambda: [SimpleNamespace(tensor=tensor) for tensor in tensors])


@pytest.mark.parametrize("turned", [False, True])
def test_weights_are_drawn_in_either_orientation(shown, turned):
    weight = np.arange(64 * 3.0).reshape(64, 3)
    tests.draw_weights(a_model(np.zeros(3), weight.T if turned else weight))
    forms = shown.pop()
    assert "3 of 3 units" in forms["text/plain"] and f'alt="{forms["text/plain"]}"' in forms["text/html"]
    assert "data:image/png;base64," in forms["text/html"] and "square" not in forms["text/plain"]


def test_how_a_square_weight_is_read_is_said(shown):
    tests.draw_weights(a_model(np.eye(64)))
    assert "The weight is square: each column is taken for a unit, as in x @ weight." in shown.pop()["text/plain"]


def test_a_model_without_pictures_to_draw_says_so(shown):
    for parameters in ([], None):
        tests.draw_weights(SimpleNamespace(parameters=lambda found=parameters: found))
        assert shown.pop()["text/plain"] == "parameters() of this model gives nothing: there is nothing to draw."
    tests.draw_weights(a_model(np.zeros(64), np.zeros((3, 2))))
    assert "No parameter of this model has 64 rows or columns: there is nothing" in shown.pop()["text/plain"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", [slice(None), (0, 0)])
def test_weights_that_are_not_finite_are_told_to_have_diverged(shown, value, where):
    weight = np.ones((64, 3))
    weight[where] = value
    tests.draw_weights(a_model(weight))
    forms = shown.pop()
    assert set(forms) == {"text/plain"} and "are not finite, so training has diverged" in forms["text/plain"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [1e308, 1e-320, 0.0])
def test_weights_of_any_finite_size_are_drawn_without_a_warning(shown, value):
    tests.draw_weights(a_model(value * np.linspace(-1, 1, 192).reshape(64, 3)))
    assert "data:image/png" in shown.pop()["text/html"]


def contrast(one: Any, other: Any) -> float:
    """Of two colors, from 1 to 21, as WCAG 2 defines it: 4.5 is needed to read a text."""

    def luminance(color: Any) -> float:
        rgb = np.array(colors.to_rgb(color))
        return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722)

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_all_words_in_pictures_have_enough_contrast(cell, shown, monkeypatch):
    """On the figure's own background, which is the same in a light and in a dark page."""
    assert contrast("black", "white") == pytest.approx(21) and contrast("#777777", "white") == pytest.approx(4.48, 0.01)
    figures = []
    forms = pictures.figure_forms
    for module in (pictures, tensor_drawing):
        monkeypatch.setattr(
            module, "figure_forms", lambda figure, *more, **how: figures.append(figure) or forms(figure, *more, **how)
        )
    watch = tests.live_regions(lambda some: some, np.eye(2), np.array([0, 1]))
    for live in (tests.live(lambda: 0.5), watch):
        cell(lambda live=live: [live(1.0), live(1e9)])
    tests.draw_weights(a_model(np.eye(64)))
    words = [(text, figure) for figure in figures for text in figure.findobj(Text) if text.get_text()]
    assert pictures.DIVERGES in [text.get_text() for text, _ in words] and len(figures) >= 3
    for text, figure in words:
        assert figure.get_facecolor()[3] == 1  # the page does not shine through
        assert contrast(text.get_color(), figure.get_facecolor()) >= 4.5, text


def test_a_figure_is_shown_once_with_its_description(shown):
    figure = plt.figure(figsize=(4, 2))
    plt.plot([1, 2, 4])
    tests.show_figure(figure, 'A curve that rises: "steep" <script>alert(1)</script> & more')
    (forms,) = shown
    assert forms["text/plain"] == 'A curve that rises: "steep" <script>alert(1)</script> & more'
    said = "A curve that rises: &quot;steep&quot; &lt;script&gt;alert(1)&lt;/script&gt; &amp; more"
    page = rf'<style>(.*)</style><img class="minitorch-figure" alt="{re.escape(said)}" src="data:image/png;base64,(.*)"'
    style, picture, wide = re.fullmatch(
        page + ' width="([0-9]+)" style="max-width: 100%; height: auto">', forms["text/html"]
    ).groups()
    assert "invert" in style and 300 < int(wide) <= 400
    picture = base64.b64decode(picture)
    assert plt.imread(io.BytesIO(picture)).std() > 0.01  # something is drawn
    assert not plt.fignum_exists(figure.number)  # the cell does not show it once more


def test_a_figure_that_is_dark_already_is_not_turned_in_a_dark_page(shown):
    tests.show_figure(plt.figure(facecolor="black"), "A dark figure.")
    assert "minitorch-figure" not in shown.pop()["text/html"]


def test_where_no_figure_can_be_shown_its_description_is_printed(capsys):
    tests.show_figure(plt.figure(), "Nothing at all.")
    assert capsys.readouterr().out == "Nothing at all.\n"


# ---------------------------------------------------------------- where am I?


@pytest.fixture
def workshop(monkeypatch, tmp_path) -> Assignment:
    """Two sections of 2 points each, in a notebook whose kernel has just started."""
    monkeypatch.setattr(progress, "FILE", tmp_path / "progress.json")
    monkeypatch.setattr(progress, "_here", set())
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(report, "show", lambda forms: None)
    made = Assignment("Workshop")
    for id in ("one", "two"):
        section = Section(id, f"Section {id}", f"tests.test_{id}(f)", assignment=made)

        @section.check(1.5)
        def returns(trial):
            """f returns something"""
            trial.expect("n = f() > 0", n=True)

        @section.check(0.5)
        def three(trial):
            """f returns 3"""
            trial.expect("n = f()", n=3)

    return made


def told(workshop: Assignment, shown: list[dict[str, Any]]) -> list[str]:
    progress.show_progress(workshop)
    forms = shown.pop()
    for line in forms["text/plain"].split("\n"):
        for part in re.split(r"\s{2,}", line.strip()):
            assert part.replace("'", "&#x27;") in forms["text/html"]
    return [re.sub(r"\s+", " ", line) for line in forms["text/plain"].split("\n")]


def test_progress_of_this_kernel_and_of_the_one_before(workshop, shown, monkeypatch):
    assert told(workshop, shown)[:4] == [
        "Workshop: 0 of 4 points",
        "",
        "○ not run - / 2 Section one",
        "○ not run - / 2 Section two",
    ]
    workshop.sections[0].score(1, f=lambda: 3)
    workshop.sections[1].score(1, f=lambda: 2)
    lines = told(workshop, shown)
    assert lines[0] == "Workshop: 3.5 of 4 points"
    assert lines[2:4] == ["✓ all points 2 / 2 Section one", "… in part 1.5 / 2 Section two look at: f returns 3"]
    assert lines[5] == "Next: Section two, then run tests.test_two(f)"
    monkeypatch.setattr(progress, "_here", set())  # a restart
    lines = told(workshop, shown)
    assert lines[0] == "Workshop: 3.5 of 4 points" and "by another kernel" in lines[2]
    progress.FILE.unlink()
    assert told(workshop, shown)[0] == "Workshop: 0 of 4 points"


DEEP = "[" * 100_000 + "]" * 100_000
NESTED = "[" * 900 + "]" * 900  # json may read it and then not write it


def kept(score: str, points: str = "2", more: str = "") -> str:
    one = f'{{"score": {score}, "points": {points}, "open": null, "when": "2026-10-01T12:00"{more}}}'
    return f'{{"Workshop": {{"one": {one}}}}}'


def test_a_progress_file_is_read(workshop, shown):
    progress.FILE.write_text(kept("1.5"))
    lines = told(workshop, shown)
    assert lines[0] == "Workshop: 1.5 of 4 points"
    assert lines[2] == "… in part 1.5 / 2 Section one from 2026-10-01 12:00, by another kernel"


@pytest.mark.parametrize(
    "text",
    [
        *("", "[1]", '{"Workshop": 3}', '{"Workshop": {"one": 3}}', '{"Workshop": {"one": {"score": "2"}}}'),
        *("\x00", "{", DEEP),
        *map(kept, ("NaN", "Infinity", "-1", "99", "true", '"2"', "null", "1" + "0" * 400, "1" + "0" * 5000)),
        *(kept("9", "9"), kept("2", "NaN"), kept("Infinity", "Infinity"), kept("2", "2", f', "more": {NESTED}')),
    ],
    ids=lambda text: text[:40],
)
def test_a_progress_file_that_is_none_is_as_no_file(workshop, shown, text):
    progress.FILE.write_text(text)
    assert told(workshop, shown)[0] == "Workshop: 0 of 4 points"
    workshop.sections[0].score(1, f=lambda: 3)
    assert told(workshop, shown)[0] == "Workshop: 2 of 4 points"
    assert set(json.loads(progress.FILE.read_text())["Workshop"]) == {"one"}


def test_what_another_assignment_has_kept_stays_as_far_as_it_is_sound(workshop, shown):
    other = kept("1.5").replace("Workshop", "Classify")[1:-1].replace('"one"', '"bad": 3, "one"')
    progress.FILE.write_text(f'{{{other}, "Third": 3}}')
    assert told(workshop, shown)[0] == "Workshop: 0 of 4 points"
    workshop.sections[0].score(1, f=lambda: 3)
    found = json.loads(progress.FILE.read_text())
    assert found.keys() == {"Classify", "Workshop"} and found["Classify"].keys() == {"one"}
    assert found["Classify"]["one"]["score"] == 1.5


def test_outside_of_a_notebook_and_in_a_folder_that_is_none_nothing_is_kept(workshop, monkeypatch, tmp_path):
    monkeypatch.setattr(progress, "FILE", tmp_path / "missing" / "progress.json")
    workshop.sections[0].score(1, f=lambda: 3)  # and no exception
    monkeypatch.setattr(progress, "FILE", tmp_path / "progress.json")
    monkeypatch.setattr(progress, "in_notebook", lambda: False)
    workshop.sections[0].score(1, f=lambda: 3)
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- what front ends show


def test_what_is_displayed_is_fit_for_every_front_end(reference, shown, workshop, monkeypatch):
    """No scripts, colors of the page, alt text, and a complete text where no HTML is shown (untrusted workspaces)."""
    names = abx(reference["MyTensor"])
    exec(f"tests.draw_graph({EXPRESSION!r}, beside=True)", {**names, "tests": tests})
    tests.draw_weights(reference["SuperModel"]())
    progress.show_progress(workshop)
    changes = proof.BY_NAME["mul-own-factors"].changes
    found = tests.TENSOR.run({"MyTensor": solved(*changes)["MyTensor"]}, seed=1)
    shown.append(found.mimebundle())
    assert len(shown) == 4
    for forms in shown:
        page, text = forms["text/html"], forms["text/plain"]
        assert len(text) > 60 and not re.search(
            r"(?i)<script|\son\w+=|javascript:|@import|https?://(?!www.w3.org/2000/svg)", page
        )
        assert "<img" in page or "var(--vscode-foreground, var(--jp-content-font-color1, currentColor))" in page
        assert all(len(alt) > 20 for alt in re.findall(r'(?:alt|aria-label)="([^"]*)"', page))
        assert page.count("<img") + page.count("<svg") == len(re.findall(r'(?:alt|aria-label)="', page))
        for word in re.findall(r"(?:FAILED|passed|✗ [a-z]+|✓ [a-z]+)", page):
            assert word in text  # what colors say, words say, too
