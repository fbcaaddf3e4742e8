"""Pictures and toys that the notebook calls: what they show and say, of right, half-written and wrong work."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import proof
import pytest
import reader as training
from answers import solved, the_reference  # noqa: F401 - one is a fixture
from displayed import fit_for_every_front_end, svgs
from displays import ABX, leaves, shown_by, what_is_shown  # noqa: F401 - one is a fixture

import tests
from checks import drawing, svg
from workshop import drawing as tensor_drawing
from workshop import pictures, reader

# The first ten fill the picture, the next ten are drawn in its middle, the last ten are small and in a corner.
DRAWN = """
...##... ...##... .+###+.. .####... #....#.. .######. ....#... ######.. .+###+.. ..####..
..#..#.. ..###... #....#.. ....##.. #....#.. #....... ..##.... .....#.. .#...#.. .#...##.
.#....#. .#.##... .....#.. ....#... #....#.. #....... .#...... ....##.. .#...#.. .#....#.
.#....#. ...##... .....#.. .###.... #######. #####... #....... ....#... ..###... ..#####.
.#....#. ...##... ....#... ....##.. .....#.. .....#.. ######.. ..####.. .#...#.. ......#.
.#....#. ...##... ...#.... .....#.. .....#.. ......#. #.....#. ...#.... #.....#. .....##.
..#..#.. ...##... ..#..... ....##.. .....#.. .#...#.. #.....#. ..##.... #.....#. ....##..
...##... ...##... .######. #####... .....#.. ..###... .#####.. ..#..... .#####.. ..##....

........ ........ ........ ........ ........ ........ ........ ........ ........ ........
..+##+.. ....##.. ..+##+.. ..+###.. ...+#... ..#####. ...+#... .######. ..+##+.. ..+###..
.##..##. ...+##.. .##..##. .....##. ..+##... ..##.... ..##.... .....##. .##..##. .##..##.
.##..##. ....##.. ....+##. ...###.. .+#.##.. ..####.. .#####.. ....##.. ..####.. .##..##.
.##..##. ....##.. ...+#... .....##. .######. .....##. .##..##. ...##... .##..##. ..+####.
..+##+.. ....##.. .######. .+###+.. ....##.. ..####.. ..+##+.. ...##... ..+##+.. ...+##..
........ ........ ........ ........ ........ ........ ........ ........ ........ ........
........ ........ ........ ........ ........ ........ ........ ........ ........ ........

.###.... #....... ###..... .##..... #.#..... ####.... .##..... ####.... .##..... .###....
#...#... #....... ...#.... #..#.... #.#..... #....... #....... ...#.... #..#.... #..#....
#...#... #....... ...#.... ...#.... #.#..... ###..... #....... ..#..... #..#.... #..#....
#...#... #....... ..#..... .##..... ####.... ...#.... ###..... ..#..... .##..... .###....
#...#... #....... .#...... ...#.... ..#..... ...#.... #..#.... .#...... #..#.... ...#....
.###.... #....... ####.... ###..... ..#..... ###..... .##..... .#...... .##..... .##.....
"""


@pytest.mark.parametrize("color", [svg.VALUE, svg.GRADIENT])
@pytest.mark.parametrize(("text", "page"), [("#212121", "#ffffff"), ("#ffffff", "#111111"), ("#cccccc", "#1f1f1f")])
def test_values_and_gradients_can_be_read_in_light_and_dark_pages(color, text, page):
    """As WCAG 2 asks of text: of JupyterLab's two themes, and of VS Code's dark one."""

    def luminance(color: str) -> float:
        rgb = np.array([*bytes.fromhex(color[1:])]) / 255
        return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722)

    dark, light = sorted((luminance(svg.mixed(color, text)), luminance(page)))
    assert (light + 0.05) / (dark + 0.05) >= 4.5
    assert f"color-mix(in srgb, {color} 70%" in svg.STYLE and f"color-mix(in srgb, {color} 70%" in drawing.STYLE


# ---------------------------------------------------------------- a digit is read


def test_the_trained_network_is_in_sync_and_reads_what_it_has_not_seen():
    with np.load(training.FILE) as kept:
        again = training.trained()
        assert {*kept} == {*again}
        assert all(np.allclose(kept[name], again[name], atol=1e-3) for name in again)
    right = sum(reader.scores_of(picture)[0].argmax() == digit for picture, digit in map(reader.held_out, range(360)))
    assert right >= 0.95 * 360


def test_it_reads_drawings_that_it_was_not_shown():
    read = [
        (digit, reader.scores_of(reader.prepared(reader.drawn_in(text))).mean(axis=0).argmax())
        for digit, text in training.drawings(DRAWN)
    ]
    right = [digit == answer for digit, answer in read]
    assert sum(right[:10]) >= 9 and sum(right) >= 26 and len(right) == 30


@pytest.mark.parametrize(
    "change",
    [
        str.strip,
        lambda text: text.replace(".", " "),
        lambda text: f"\n\n{text}\n  \n",
        lambda text: "".join(f"\n        {line}" for line in text.split("\n")),
    ],
)
def test_a_drawing_may_be_indented_and_have_spaces_for_paper(change):
    assert (reader.drawn_in(change(reader.EXAMPLE)) > 0).sum() == 16
    assert reader.scores_of(reader.prepared(reader.drawn_in(change(reader.EXAMPLE)))).mean(axis=0).argmax() == 2


def test_a_digit_is_shown_with_its_scores_and_the_answer_in_words(shown):
    tests.read_digit()
    forms = shown.pop()
    fit_for_every_front_end(forms)
    assert forms["text/plain"].endswith("The network reads a 2.") and "The network reads a 2." in forms["text/html"]
    assert forms["text/html"].count("<svg") == 3
    tests.read_digit(np.int64(7))
    forms = shown.pop()
    fit_for_every_front_end(forms)
    assert "Held-out picture 7" in forms["text/html"] and "reads a 5. Right: it is a 5." in forms["text/plain"]
    said = [tests.read_digit(number) or shown.pop()["text/plain"] for number in range(360)]
    assert 1 <= sum(". Wrong: it is a " in text for text in said) <= 18
    assert any("but it could be a" in text for text in said)


@pytest.mark.parametrize(
    ("picture", "says"),
    [
        ("", "There is no ink in this drawing"),
        ("........\n" * 8, "There is no ink"),
        ("#" * 9, "This drawing has 1 lines of up to 9 characters"),
        ("#\n" * 9, "This drawing has 9 lines"),
        ("..#..\n..x..", "Line 2 of the drawing has a 'x'. Draw with # for ink"),
        ("<script>", "Line 1 of the drawing has a '<'"),
        (360, "There are 360 held-out pictures, from 0 to 359; not 360."),
        (-1, "from 0 to 359; not -1."),
        (True, "Give a drawing, as text in eight lines, or a number from 0 to 359, and not True."),
        (None, "and not None"),
        ([[1]], "and not [[1]]"),
    ],
)
def test_what_cannot_be_read_is_said_kindly(shown, picture, says):
    tests.read_digit(picture)
    forms = shown.pop()
    assert set(forms) == {"text/plain"} and says in forms["text/plain"]


def test_without_its_file_the_network_says_what_is_missing(shown, monkeypatch, tmp_path):
    monkeypatch.setattr(reader, "FOLDER", tmp_path)
    reader._file.cache_clear()
    tests.read_digit()
    assert shown.pop()["text/plain"].startswith("The file data/reader.npz is not beside tests.py")


def test_a_network_of_the_learners_own_reads(reference, shown):
    """With the numbers of ours it says the same."""
    model, MyTensor = reference["SuperModel"](), reference["MyTensor"]
    with np.load(reader.FOLDER / "reader.npz") as arrays:
        for layer, number in ((model.hidden, 1), (model.output, 2)):
            layer.weight.tensor.data[...] = arrays[f"weight{number}"]
            layer.bias.tensor.data[...] = arrays[f"bias{number}"]
    for picture in (reader.EXAMPLE, 7):
        tests.read_digit(picture)
        tests.read_digit(picture, lambda pictures: model(MyTensor(pictures)))
        assert shown.pop() == shown.pop()


@pytest.mark.parametrize(
    ("scores", "says"),
    [
        (lambda pictures: None, "Your network cannot read it yet: "),
        (lambda pictures: 1 / 0, "Your network cannot read it yet: your code raised ZeroDivisionError"),
        (lambda pictures: pictures, "Your network gives scores of shape (12, 64); ten for each picture"),
        (lambda pictures: np.full((len(pictures), 10), np.nan), "training has diverged"),
    ],
)
def test_a_network_that_cannot_read_yet_is_told_so_kindly(shown, scores, says):
    tests.read_digit(reader.EXAMPLE, scores)
    (forms,) = shown
    assert set(forms) == {"text/plain"} and says in forms["text/plain"]


# ---------------------------------------------------------------- steps down a valley


def test_steps_of_four_rates_and_how_each_went(shown):
    tests.draw_descent(lambda w: w**2, lambda w: 2 * w, start=3.0, rates=(0.01, 0.1, 0.9, 1.1))
    forms = shown.pop()
    fit_for_every_front_end(forms)
    assert forms["text/plain"].split("\n")[:4] == [
        "lr = 0.01: it crawls, from w = 3 to 2.66 in 6 steps: 3 2.94 2.88 2.82 2.77 2.71 2.66",
        "lr = 0.1: it comes near the minimum, from w = 3 to 0.786 in 6 steps: 3 2.4 1.92 1.54 1.23 0.983 0.786",
        "lr = 0.9: it jumps from side to side, and comes nearer, from w = 3 to 0.786 in 6 steps: "
        "3 -2.4 1.92 -1.54 1.23 -0.983 0.786",
        "lr = 1.1: it diverges, and ends higher than it began, from w = 3 to 8.96 in 6 steps: "
        "3 -3.6 4.32 -5.18 6.22 -7.46 8.96",
    ]
    found = forms["text/html"]
    assert found.count("<svg") == 4 and found.count("out of the picture") == 1
    for word in ("it crawls", "it comes near", "it jumps", "it diverges"):
        assert word in found


def test_a_path_that_was_walked_with_tensors(reference, shown):
    MyTensor = reference["MyTensor"]
    w, numbers, arrays = MyTensor(3.0, requires_grad=True), [], []
    for _ in range(60):
        numbers.append(float(w.data))
        arrays.append(MyTensor(w.data))
        w.grad = None
        (w**2).backward()
        w.data[...] -= 0.1 * w.grad.data
    said = []
    for path in (numbers, arrays):
        tests.draw_descent(lambda w: w**2, path=path)
        said.append(shown.pop())
        fit_for_every_front_end(said[-1])
    assert said[0] == said[1] and said[0]["text/plain"].startswith(
        "It arrives, from w = 3 to 5.75e-06 in 59 steps: 3 2.4"
    )
    tests.draw_descent(lambda w: MyTensor(w) * w, path=numbers)  # whose result is a tensor
    assert shown.pop() == said[0]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ([1.9, 1.3, 1.1, 0.97, 0.961, 0.96], "It arrives"),
        ([1.9, 1.9], "It stays where it is"),
        ([1.9], "It stays where it is"),
        ([0.0, -0.1, -0.25], "It is on its way"),
        ([0.5, 1e200], "It diverges"),
        ([0.5, float("inf")], "It diverges"),
    ],
)
def test_how_a_path_went(shown, path, says):
    tests.draw_descent(lambda w: (np.float64(w) ** 2 - 1) ** 2 + 0.3 * w, path=path)
    forms = shown.pop()
    fit_for_every_front_end(forms)
    assert forms["text/plain"].startswith(says)


def test_python_numbers_that_overflow_diverge(shown):
    tests.draw_descent(lambda w: w**2, path=[3.0, 1e100, 1e200])
    assert shown.pop()["text/plain"].startswith("It diverges")
    tests.draw_descent(lambda w: w**2, lambda w: 2 * w, start=3.0, rates=5, steps=400)
    assert shown.pop()["text/plain"].startswith("lr = 5: it diverges")


def test_a_valley_that_is_not_the_lowest(shown):
    tests.draw_descent(lambda w: np.cos(6 * w) + w, path=[3.0, 0.5, 0.495, 0.4951, 0.4951])
    assert "not the lowest" in shown.pop()["text/plain"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "needs the derivative and a start, or a path"),
        ({"path": []}, "The path is empty"),
        ({"path": [[1.0, 2.0]]}, "a place of the path is a list"),
        ({"path": [np.ones(2)]}, "a place of the path has shape (2,): a single number is needed."),
        ({"path": [1, 2], "f": lambda w: ...}, "cannot be drawn"),
        ({"path": [1, 2], "f": lambda w: w.shape}, "cannot be drawn: your code raised AttributeError"),
        ({"path": [1, 2], "f": lambda w: None}, "f(w) is None"),
        ({"path": [1, 2], "f": lambda w: float("nan")}, "no finite numbers"),
        ({"df": lambda w: None, "start": 1.0}, "df(w) is None"),
        ({"df": lambda w: w, "start": 1.0, "rates": ["a"]}, "cannot be drawn"),
        ({"path": 3}, "cannot be drawn"),
    ],
)
def test_what_is_no_descent_is_said_kindly(shown, given, says):
    tests.draw_descent(**{"f": lambda w: w * w, **given})
    forms = shown.pop()
    assert set(forms) == {"text/plain"} and says in forms["text/plain"]


def test_a_path_of_one_object_says_that_it_has_changed(reference, shown):
    w = reference["MyTensor"](3.0)
    for path in ([w] * 3, [w.data] * 3):
        tests.draw_descent(lambda w: w**2, path=path)
        assert "one and the same object" in shown.pop()["text/plain"]


# ---------------------------------------------------------------- a network


def test_layers_are_columns_and_modules_a_tree(reference, shown):
    tests.draw_network(reference["SuperModel"]())
    forms = shown.pop()
    fit_for_every_front_end(forms)
    assert forms["text/plain"].split("\n") == [
        "model       SuperModel                               2,410 numbers",
        "├── hidden  Linear      weight (64, 32), bias (32,)  2,080 numbers",
        "├── relu    ReLU        no parameters",
        "└── output  Linear      weight (32, 10), bias (10,)  330 numbers",
        "",
        "It has 2,410 numbers to train.",
    ]
    page = forms["text/html"]
    for said in ("64 inputs", "32 units", "then ReLU", "10 outputs", ">hidden<", "weight (64, 32)", "⋮"):
        assert said in page, said
    assert "hidden from 64 to 32 numbers, then ReLU, output from 32 to 10 numbers." in page
    assert page.count("<circle") == 3 * 6


@pytest.mark.parametrize("style", sorted({"reference", *proof.CORRECT}))
def test_a_network_of_any_correct_internals_is_drawn(style, shown):
    tests.draw_network(proof.solution(style)["SuperModel"]())
    forms = shown.pop()
    fit_for_every_front_end(forms)
    page, text = forms["text/html"], forms["text/plain"]
    assert "64 inputs" in page and "10 outputs" in page and "parameters()" not in text and "do not fit" not in text
    assert re.search(r"It has [\d,]+ numbers to train.$", text)


NETWORKS = """
class Block(MyModule):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear, self.relu = Linear(inputs, outputs), ReLU()

class Deep(MyModule):
    def __init__(self, *sizes):
        super().__init__()
        for number, (one, two) in enumerate(zip(sizes, sizes[1:])):
            setattr(self, f"block{number}", Block(one, two))
        self.again = self.block0
        self.itself = self

class Gap(MyModule):
    def __init__(self):
        super().__init__()
        self.one, self.two, self.scale = Linear(3, 4), Linear(5, 1), Parameter(MyTensor(1.0))

class Own(MyModule):
    def __init__(self):
        super().__init__()
        self.weight, self.bias = Parameter(MyTensor(np.ones((2, 5)))), Parameter(MyTensor(np.ones(2)))

class Late(MyModule):
    def parameters(self): raise RuntimeError("<b>")

class Half(MyModule):
    def __init__(self):
        super().__init__()
        self.hidden = Linear(4, 3)

    def parameters(self): return [self.hidden.weight]

class Nothing(Half):
    def parameters(self): ...
"""


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("Deep(2, 16, 5, 1)", "│   ├── linear  Linear  weight (16, 5), bias (5,)   85 numbers"),
        ("Deep(2, 16, 5, 1)", "├── again       Block   the same as block0"),
        ("Deep(2, 16, 5, 1)", "└── itself      Deep    the same as the model"),
        ("Deep(*range(1, 12))", "It has 505 numbers to train."),
        ("Gap()", "one gives 4 numbers and two takes 5: they do not fit one after the other."),
        ("Gap()", "model    Gap     scale ()                  23 numbers"),
        ("Own()", "model  Own  weight (2, 5), bias (2,)  12 numbers"),
        ("Late()", "parameters() does not work yet. No module in it holds a matrix yet"),
        ("MyModule()", "No module in it holds a matrix yet, so there are no layers to draw."),
        ("Half()", "parameters() does not give hidden.bias: no optimizer would change it."),
        ("Nothing()", "parameters() gives nothing yet. It has 15 numbers to train."),
        ("SuperModel", "It has 2,410 numbers to train."),
        ("MyTensor", "The network cannot be drawn: "),
        ("None", "and this is None."),
        ("MyTensor(3.0)", "draw_network draws a model"),
    ],
)
def test_networks_of_all_kinds(reference, shown, model, says):
    exec(f"{NETWORKS}\ntests.draw_network({model})", {**reference, "tests": tests})
    forms = shown.pop()
    assert says in forms["text/plain"], forms["text/plain"]
    if "<svg" in forms.get("text/html", ""):
        fit_for_every_front_end(forms)


def test_a_weight_the_other_way_round_is_seen_by_its_bias(reference, shown):
    exec(f"{NETWORKS}\ntests.draw_network(Own())", {**reference, "tests": tests})
    page = shown.pop()["text/html"]
    assert "5 inputs" in page and "2 outputs" in page


# ---------------------------------------------------------------- two shapes that meet


@pytest.mark.parametrize(
    ("a", "b", "repeated", "summed"),
    [
        ((2, 3), (3,), ["b          3   repeated 2 times along dimension 0"], ["", "0"]),
        ((2, 1), (1, 3), ["a       2  1   repeated 3 times along dimension 1"], ["1", "0"]),
        ((3,), (3,), [], ["", ""]),
        ((), (4,), ["a           repeated 4 times along dimension 0"], ["0", ""]),
        ((4, 5), (), ["repeated 4 times along dimension 0 and 5 times along dimension 1"], ["", "s 0 and 1"]),
        ((1, 1), (1,), [], ["", " 0"]),
        ((10, 32), (32,), ["repeated 10 times"], ["", "0"]),
        ((300, 300), (300, 1), ["repeated 300 times along dimension 1"], ["", "1"]),
        (
            (5, 3, 4),
            (3, 1),
            ["b          3  1   repeated 5 times along dimension 0 and 4 times along dimension 2"],
            ["", "0 and 2"],
        ),
        ((0, 3), (3,), [], ["", "0"]),
        (np.ones((2, 3)), [3], [], ["", "0"]),
        (3, 3, [], ["", ""]),
    ],
)
def test_two_shapes_meet_and_the_gradient_folds_back(shown, a, b, repeated, summed):
    tests.draw_broadcast(a, b)
    forms = shown.pop()
    if "<svg" in forms["text/html"]:
        fit_for_every_front_end(forms)
    text = forms["text/plain"]
    for line in repeated:
        assert line in text and line.strip() in forms["text/html"], text
    for name, axes in zip("ab", summed, strict=True):
        how = "is summed over dimension" if axes else "has the result's shape"
        assert re.search(rf"The gradient of {name} {how}.*?{axes}", text), text
    drawn = a not in ((5, 3, 4), (0, 3), (300, 300)) if isinstance(a, tuple) else True
    assert forms["text/html"].count("<svg") == (2 if drawn else 0)
    assert len(forms["text/html"]) < 60_000 and len(text) < 4000


def test_the_sums_are_those_of_the_gradient(shown):
    tests.draw_broadcast((2, 3), (3,))
    forms = shown.pop()
    assert "[5 7 9]" in forms["text/plain"] and "[[11 22 33]\n [14 25 36]]" in forms["text/plain"]
    assert forms["text/html"].count('class="value dashed"') == 3
    tests.draw_broadcast((2, 1), (1, 3))
    assert "[[ 6]\n [15]]" in shown.pop()["text/plain"]


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        ((2, 3), (2,), "(2, 3) and (2,) do not fit. Aligned at the right, 3 meets 2"),
        ((4, 2, 3), (5, 2, 3), "4 meets 5: the two lengths have to be equal, or one of them 1."),
        ("a", 3, "a should be a shape, such as (2, 3) or (3,), and is 'a'."),
        ((2, -1), 3, "a should be a shape"),
        ((2.0, 1), 3, "a should be a shape"),
        (3, None, "b should be a shape"),
        ((1,) * 9, 3, "a has 9 dimensions"),
        ((10**8,) * 3, 1, "Up to two dimensions are drawn, and these are more."),  # more than NumPy can count
    ],
)
def test_shapes_that_do_not_fit_say_why(shown, a, b, says):
    tests.draw_broadcast(a, b)
    assert says in shown.pop()["text/plain"]


# ---------------------------------------------------------------- backward, step by step


def test_each_step_says_what_is_handed_on_and_what_has_arrived(reference, shown):
    MyTensor = reference["MyTensor"]
    names = leaves(MyTensor, a=2.0, x=3.0, b=1.0)
    forms = shown_by(shown, "y = a * x + b * x\ntests.walk_graph(y)", names)
    assert forms["text/plain"].split("\n")[:4] == [
        "start: y starts with 1",
        "1. AddBackward of y: t1 gets 1; t2 gets 1",
        "2. MulBackward of t2: b gets 3; x gets 1",
        "3. MulBackward of t1: a gets 3; x gets 2, and has 3 so far",
    ]
    assert forms["text/plain"].endswith("✓ At the end the leaves have what y.backward() gives them.")
    page = forms["text/html"]
    assert (
        page.count("<svg") == page.count('type="radio"') == page.count("<label") == 4 and page.count(" checked>") == 1
    )
    assert not re.search(r"(?i)<script|\son\w+=|javascript:", page)
    pictures = [ET.fromstring(each) for each in svgs(forms)]
    assert len({(each.get("width"), each.get("height")) for each in pictures}) == 1  # nothing jumps from step to step
    known = [len(re.findall(r">grad ", each)) for each in svgs(forms)]
    assert known == [1, 3, 5, 6]
    assert [each.count('class="works"') for each in svgs(forms)] == [0, 1, 1, 1]
    assert page.count('class="edge now"') == 6
    assert all(each.grad is None for each in names.values())


UNSET = {"dataclass_graph": "holds no tensors that could be found"}


@pytest.mark.parametrize("style", sorted({"reference", *proof.CORRECT}))
def test_any_correct_internals_are_walked_and_stay_as_they_were(style, shown):
    names = leaves(proof.solution(style)["MyTensor"], **ABX)
    code = "y = (a * x + b) * a - 2 / x\ny.backward()\nbefore = [t.grad for t in (a, x, b, y)]\nop = y.backward_op\n"
    code += "tests.walk_graph(y, base=[[1, 2], [3, 4.0]])\n"
    code += "assert all(t.grad is g for t, g in zip((a, x, b, y), before)) and y.backward_op is op\n"
    text = shown_by(shown, code, names)["text/plain"]
    assert UNSET.get(style, "✓ At the end the leaves have what y.backward() gives them.") in text, text


@pytest.mark.parametrize("mistake", ["walk-on-arrival"])
def test_a_walk_that_adds_up_to_something_else_is_told(shown, mistake):
    names = leaves(proof.solution(mistake)["MyTensor"], **ABX)
    text = shown_by(shown, "b = a + a\nc = b + a\ny = c + b\ntests.walk_graph(y)", names)["text/plain"]
    assert "✗ backward() itself gives a another gradient than these single steps add up to" in text, text


def test_a_long_walk_shows_its_beginning_and_its_end(reference, shown):
    names = leaves(reference["MyTensor"], **ABX)
    forms = shown_by(shown, "y = x\nfor _ in range(25): y = y * a\ntests.walk_graph(y)", names)
    assert (
        forms["text/html"].count("<svg") == 13 and "12. After 13 more, MulBackward of t1: x gets" in forms["text/plain"]
    )


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("tests.walk_graph(a)", "it is a leaf"),
        ("tests.walk_graph(3)", "and this is 3"),
        ("tests.walk_graph('a +')", "your code raised SyntaxError"),
        ("tests.walk_graph('a * x', base=[1.0])", "The upstream gradient has shape (1,), the result (2, 2)."),
        (
            "y = x\nfor _ in range(60): y = y * a\ntests.walk_graph(y)",
            "This graph has 62 tensors: up to 60 can be walked.",
        ),
    ],
)
def test_what_cannot_be_walked_is_said_kindly(reference, shown, code, says):
    forms = shown_by(shown, code, leaves(reference["MyTensor"], **ABX))
    assert set(forms) == {"text/plain"} and says in forms["text/plain"]


def test_a_result_that_cannot_be_read_ends_a_walk_in_time(reference, shown, monkeypatch):
    class Slow(reference["MyTensor"]):
        asked = 0

        @property
        def data(self):
            Slow.asked += 1
            while Slow.asked > 1:
                pass
            raise ValueError

    monkeypatch.setattr(tensor_drawing, "SECONDS", 0.2)
    names = leaves(reference["MyTensor"], a=2.0)
    y = Slow(1.0, requires_grad=True)
    y.backward_op = (names["a"] * 2).backward_op
    for call in ("walk_graph(y)", "draw_graph(y, beside='a * 2')"):
        Slow.asked = 0
        assert "did not finish in time" in shown_by(shown, f"tests.{call}", {**names, "y": y})["text/plain"]


def test_a_rule_that_raises_or_gives_nothing_is_said(shown):
    changes = ("base * right.data, left.shape", "base * right.dta, left.shape")
    text = shown_by(shown, "tests.walk_graph('a * x')", leaves(solved(changes)["MyTensor"], **ABX))["text/plain"]
    assert "The walk cannot be drawn: your code raised AttributeError" in text


# ---------------------------------------------------------------- what ReLU does to a plane


def test_lines_are_straight_without_relu_and_bend_with_it(reference, shown):
    first, second = np.array([[1.0, -0.5, 0.6], [0.4, 1.0, -1.0]]), np.array([[1.0], [0.8], [-1.2]])
    MyTensor, matmul, ReLU = reference["MyTensor"], reference["matmul"], reference["ReLU"]
    tests.draw_plane(
        lambda points: points @ first @ second,
        lambda points: matmul(ReLU()(MyTensor(points @ first)), MyTensor(second)),
        titles=("without ReLU", "with <ReLU>"),
    )
    forms = shown.pop()
    fit_for_every_front_end(forms)
    assert re.match(
        r"without ReLU: a linear function, its lines are straight and equally far apart, from -", forms["text/plain"]
    )
    assert (
        "with <ReLU>: not linear, its lines bend" in forms["text/plain"] and "with &lt;ReLU&gt;" in forms["text/html"]
    )
    linear, bent = svgs(forms)
    lines = [re.findall(r'<path class="value" d="(.*?)"', each) for each in (linear, bent)]
    assert len(lines[0]) == pictures.LEVELS and all(each.count("L") == 1 for each in lines[0])  # from border to border
    assert any(each.count("L") > 1 for each in lines[1])
    assert len(forms["text/html"]) < 60_000


@pytest.mark.parametrize(
    ("f", "says"),
    [
        (lambda points: points[:, 0] * 0 + 2, "function 1: the value is 2 everywhere."),
        (lambda points: np.maximum(points[:, 0], 0), "function 1: not linear, its lines bend, from 0 to 2."),
        (lambda points: points, "function 1 gives the shape (3721, 2) for points of shape (3721, 2)"),
        (lambda points: None, "what function 1 gives is None"),
        (lambda points: ..., "The plane cannot be drawn"),
        (lambda points: points.nothing, "The plane cannot be drawn: your code raised AttributeError"),
        (lambda points: points[:, 0] / 0, "values that are not finite"),
        (None, "The plane cannot be drawn"),
    ],
)
def test_planes_of_all_kinds(shown, f, says):
    tests.draw_plane(f)
    forms = shown.pop()
    assert says in forms["text/plain"]
    if "text/html" in forms:
        fit_for_every_front_end(forms)


def test_a_part_of_the_plane_that_is_none_is_said(shown):
    tests.draw_plane(abs, low=2, high=2)
    assert "low and high are to be two numbers, low the smaller one, not 2 and 2." in shown.pop()["text/plain"]


# ---------------------------------------------------------------- where no picture can be shown


def test_in_a_terminal_each_picture_is_its_text(reference, capsys):
    x = reference["MyTensor"](3.0, requires_grad=True)
    calls = {
        "The network reads a 2.": tests.read_digit,
        "It comes near the minimum": lambda: tests.draw_descent(lambda w: w**2, path=[3.0, 1.0, 0.5]),
        "It has 2,410 numbers to train.": lambda: tests.draw_network(reference["SuperModel"]()),
        "[5 7 9]": lambda: tests.draw_broadcast((2, 3), (3,)),
        "1. MulBackward of ": lambda: tests.walk_graph(x * x),
        "its lines bend": lambda: tests.draw_plane(lambda points: points[:, 0] ** 2),
        "b should be a shape": lambda: tests.draw_broadcast(3, None),
    }
    for says, call in calls.items():
        assert call() is None
        assert says in capsys.readouterr().out
