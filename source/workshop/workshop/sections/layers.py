"""Base layers: the checks of `matmul`, `Linear` and `ReLU`."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from checks.observe import Failed, Missing, Waits
from checks.programs import Choices, Program, Unfit
from checks.report import Score
from checks.section import Section
from checks.trial import literal
from workshop import oracle
from workshop.assignment import ASSIGNMENT
from workshop.reading import array_of, compare, observed
from workshop.sections.modules import MODULE, listed
from workshop.sections.programs import forward, once, pairs, parts_that_work, waits_for_value
from workshop.sections.tensor import TENSOR
from workshop.trial import TensorTrial

MATMUL = Section(
    "matmul",
    "Matrix multiplication",
    "tests.test_matmul(matmul, MyTensor)",
    builds_on=[(TENSOR, ["add_gradient", "paths"])],
    assignment=ASSIGNMENT,
)


@MATMUL.check(1.25, hints=["NumPy's operator is a.data @ b.data."])
def matmul_value(trial: TensorTrial) -> None:
    """The value of matmul(a, b)"""
    for (n, k), m in (((1, 1), 1), ((1, 2), 1), ((2, 3), 4), ((2, 2), 2)):
        a, b = literal(trial.draw(n, k)), literal(trial.draw(k, m))
        trial.same(f"a = MyTensor({a})\nb = MyTensor({b})\ny = matmul(a, b)", "y")


FACTORS = """\
a = MyTensor([[2.0, 3.0], [0.5, -1.5], [4.0, 2.5]]{})
b = MyTensor([[5.0, 0.5, 1.5, -0.5], [-2.0, 4.0, 3.5, 2.0]]{})
y = matmul(a, b)"""
FACTORS_OF_ONE_SHAPE = """\
a = MyTensor([[2.0, 3.0], [0.5, -1.5]]{})
b = MyTensor([[5.0, 0.5], [-2.0, 4.0]]{})
y = matmul(a, b)"""
PRODUCT = Program(FACTORS.format("", ""), ("y",))
PRODUCT_SHAPE = Program(FACTORS.format("", ""), ("tuple(y.shape) == (3, 4)", "hasattr(y, 'backward')"))
UPSTREAM_OF_PRODUCT = (
    "g = MyTensor([[1.5, 2.5, -0.5, 4.0], [3.0, 0.5, 2.0, 1.0], [-1.5, 2.0, 0.5, 3.5]])\ny.backward(g)"
)
SIDES = [
    [
        Program(f"{FACTORS.format(*flags)}\n{UPSTREAM_OF_PRODUCT}", (see,)),
        Program(f"{FACTORS_OF_ONE_SHAPE.format(*flags)}\ny.backward(MyTensor([[1.5, 2.5], [3.0, 0.5]]))", (see,)),
    ]
    for flags, see in (((", requires_grad=True", ""), "a.grad"), (("", ", requires_grad=True"), "b.grad"))
]


def sides_that_work(trial: TensorTrial) -> tuple[bool, bool]:
    """Whether the gradients of the left and of the right operand are right."""
    left, right = (all(trial.right(some)) for some in SIDES)
    return left, right


def product_is_right(trial: TensorTrial) -> bool:
    """Whether the value of a product is right: gradients can be asked without.

    Raises:
        Waits: when not even its shape is, which an upstream gradient must have.
    """
    right, shaped = trial.right([PRODUCT, PRODUCT_SHAPE])
    if not shaped:
        raise Waits("waits for a product of the right shape")
    return right


@MATMUL.check(
    0.5,
    hints=["Its shape is (n, k), the upstream gradient's (n, m): which product with b fits?", "grad_a = base @ b.T"],
)
def matmul_left(trial: TensorTrial) -> None:
    """The gradient of the left operand"""
    value = product_is_right(trial)
    waits_for_value(value, sides_that_work(trial)[0])
    for (n, k), m in (((1, 2), 1), ((2, 3), 2), ((2, 2), 2), ((3, 3), 3)):
        trial.gradients("y = matmul(a, b)", {"a": (n, k)}, constants={"b": trial.draw(k, m)}, value=value)


@MATMUL.check(
    0.5,
    hints=["Its shape is (k, m), the upstream gradient's (n, m): which product with a fits?", "grad_b = a.T @ base"],
)
def matmul_right(trial: TensorTrial) -> None:
    """The gradient of the right operand"""
    value = product_is_right(trial)
    waits_for_value(value, sides_that_work(trial)[1])
    for (n, k), m in (((1, 2), 1), ((2, 3), 2), ((2, 2), 2), ((3, 3), 3)):
        trial.gradients("y = matmul(a, b)", {"b": (k, m)}, constants={"a": trial.draw(n, k)}, value=value)


@MATMUL.check(
    0.5,
    needs=["matmul_value"],
    hints=["NumPy's operator takes a row of shape (k,), too: hand the arrays on as they are."],
)
def matmul_row(trial: TensorTrial) -> None:
    """The value of one row times a matrix, (k,) to (m,)"""
    for k, m in ((3, 2), (2, 3), (1, 1)):
        a, b = literal(trial.draw(k)), literal(trial.draw(k, m))
        trial.same(f"a = MyTensor({a})\nb = MyTensor({b})\ny = matmul(a, b)", "y")


@MATMUL.check(
    0.25,
    needs=["matmul_row"],
    hints=["In the rule make a row of shape (k,), and its upstream gradient, a matrix with one row: reshape."],
)
def matmul_row_gradients(trial: TensorTrial) -> None:
    """The gradients of one row times a matrix, as far as those of a batch are right"""
    left, right = sides_that_work(trial)
    if not (left or right):
        raise Waits("waits for a gradient of a batch")
    for k, m in ((3, 2), (2, 3), (1, 1)):
        a, b = trial.draw(k), trial.draw(k, m)
        if left:
            trial.gradients("y = matmul(a, b)", {"a": (k,)}, constants={"b": b})
        if right:
            trial.gradients("y = matmul(a, b)", {"b": (k, m)}, constants={"a": a})


MATRICES_STAY = Program(
    FACTORS.format(*[", requires_grad=True"] * 2) + f"\n{UPSTREAM_OF_PRODUCT}", ("a.data", "b.data", "g.data")
)


@MATMUL.check(0.75, hints=["`array *= ...` and `out=` change the array they are given: compute a new one."])
def matmul_untouched(trial: TensorTrial) -> None:
    """Both operands and the upstream gradient stay as they are"""
    product_is_right(trial)
    left, right = (", requires_grad=True" if works else "" for works in sides_that_work(trial))
    a, b, g = trial.draw(2, 3), trial.draw(3, 2), trial.draw(2, 2)
    code = f"array = np.array({literal(a)})\na = MyTensor(array{left})\nb = MyTensor({literal(b)}{right})\n"
    code += f"g = MyTensor({literal(g)})\ny = matmul(a, b)"
    handed = {"a.data": a, "b.data": b, "array[:]": a}
    means = dict.fromkeys(handed, "operand-changed") | {"g.data": "upstream-changed"}
    if left or right:
        code, handed = f"{code}\ny.backward(g)", handed | {"g.data": g}
    trial.see(trial.run(code), handed, code, means)


def products(choices: Choices, left: bool, right: bool, rows: bool) -> Program:
    """Matrix products, some by the same matrix twice, of batches or of rows.

    Products of products, where values and the gradient of the left operand work alone (`left`); else products of
    constants by matrices that they share. `right` says whether the right operand's gradient works, `rows` whether a row
    does.

    Raises:
        Unfit: when nothing in it asks for a gradient.
    """
    made: list[str] = []
    lines: list[str] = []
    backward: list[str] = []
    leaves: list[str] = []
    handed: list[str] = []

    def tensor(*shape: int, traced: bool) -> str:
        name, traced = "abcdefhkmnopqrst"[len(handed)], traced and choices.below(4) < 3
        handed.append(name)
        if traced:
            leaves.append(name)
        flag = ", requires_grad=True" if traced else ""
        made.append(f"{name} = MyTensor({literal(choices.array(*shape))}{flag})")
        return name

    def back(result: str, *shape: int) -> None:
        base = f"g{len(backward)}"
        made.append(f"{base} = MyTensor({literal(choices.array(*shape))})")
        handed.append(base)
        backward.append(f"{result}.backward({base})")

    size = 1 + choices.below(3)
    many = [] if rows and choices.below(4) == 3 else [1 + choices.below(3)]
    latest = tensor(*many, size, traced=left)
    matrix = ("", 0, 0)  # the last one on the right, and its shape
    for name in "uvwy":
        if name != "y" and not choices.below(3):
            continue
        if matrix[1] != size or not choices.below(2):  # else once more by the same matrix
            following = 1 + choices.below(3)
            matrix = (tensor(size, following, traced=right), size, following)
        lines.append(f"{name} = matmul({latest}, {matrix[0]})")
        if name == "y" or not left:
            back(name, *many, matrix[2])
        if left:
            latest, size = name, matrix[2]
        elif name != "y":
            latest = tensor(*many, size, traced=False)
    if not leaves:
        raise Unfit
    see = [line[0] for line in lines] + [f"{name}.grad" for name in leaves] + [f"{name}.data" for name in handed]
    return Program("\n".join([*made, *lines, *backward]), tuple(see))


@MATMUL.check(
    1.25,
    hints=["Each product alone is right. Run the snippet line by line: which tensor is the first that is wrong?"],
    any_program=True,
)
def any_product(trial: TensorTrial) -> None:
    """Any program: random products, of products and by the same matrix again"""
    value = product_is_right(trial)
    left, right = sides_that_work(trial)
    kept = trial.right([MATRICES_STAY])[0]
    if not (value or right):
        raise Waits("waits for the value of a product, or the gradient of its right operand")
    row = "a = MyTensor([2.0, 3.0])\nb = MyTensor([[5.0], [0.5]], requires_grad=True)\ny = matmul(a, b)\n"
    rows = left and right and trial.right([Program(f"{row}y.backward(MyTensor([1.5]))", ("y", "b.grad"))])[0]

    def some(choices: Choices) -> Program:
        if not (left or right):
            return forward(products(choices, True, True, False))
        program = products(choices, left and value, right, rows)
        seen = (see for see in program.see if (value or len(see) > 1) and (kept or not see.endswith(".data")))
        return replace(program, see=tuple(seen))

    trial.programs(some)


def test_matmul(matmul: Any, MyTensor: Any, seed: int | None = None) -> Score:
    """Matrix multiplication: 5 points."""
    return MATMUL.score(seed, matmul=matmul, MyTensor=MyTensor)


LINEAR = Section(
    "linear",
    "Linear",
    "tests.test_linear(Linear, MyTensor, Parameter)",
    builds_on=[(TENSOR, ["add_gradient", "broadcast_new_axes", "paths"]), (MODULE, []), (MATMUL, [])],
    assignment=ASSIGNMENT,
)


def weight_and_bias(trial: TensorTrial, layer: Any, inputs: int, outputs: int) -> dict[str, Any]:
    """The tensors of a layer's parameters by name, in their order: weight and bias, told apart by their shapes.

    Any other is `other0`, `other1` and so on.
    """
    with trial.clock.learner_code(trial.seconds):
        found = layer.parameters()
        if found is None:
            raise Missing("layer.parameters() returned None: not written yet")
        tensors = [parameter.tensor for parameter in listed(found)]
        shapes = [array_of(tensor, "a parameter of the layer").shape for tensor in tensors]
    if not shapes:
        code = "y = Linear(3, 2)(MyTensor([[1.0, 2.0, 3.0]]))"
        if trial.works(lambda scratch: scratch.read(scratch.run(code), "y")):
            raise Failed("parameters() of the layer is empty", "weight and bias", mistake="linear-not-registered")
        raise Missing("the layer has no parameters: not written yet")
    named: dict[str, Any] = {}
    for number, (tensor, shape) in enumerate(zip(tensors, shapes, strict=True)):
        name = "bias" if shape in ((outputs,), (1, outputs)) else f"other{number}"
        name = "weight" if shape in ((inputs, outputs), (outputs, inputs)) else name
        named[name if name not in named else f"other{number}"] = tensor
    return named


def not_there(found: dict[str, Any]) -> str | None:
    """The mistake in a layer's parameters: one is missing, or it is there in another shape."""
    missing = [part for part in ("weight", "bias") if part not in found]
    if len(missing) == 1 and len(found) == 1:
        return f"linear-{missing[0]}-missing"
    return "linear-parameter-shape" if missing and len(found) == 2 else None


@dataclass
class Layer:
    """A learner's layer, with numbers in its parameters that were written there.

    Attributes:
        variables, code: what made it, with the name `layer`.
        shown: the same, and the lines that write the numbers.
        weight, bias: its tensors; None where parameters() lists none.
        w, b: what they hold, w in the shape (inputs, outputs), whatever the shape of weight.
    """

    variables: dict[str, Any]
    code: str
    shown: str
    weight: Any
    bias: Any
    w: np.ndarray
    b: np.ndarray


def numbers_felt(
    trial: TensorTrial, name: str, inputs: int, outputs: int, code: str, variables: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Weight, shape (inputs, outputs), and bias of a layer, as its values show them: 0 gives the bias."""
    rows = f"np.vstack([np.zeros({inputs}), np.eye({inputs})])"
    values = trial.read(trial.run(f"y = {name}(MyTensor({rows}))", see="y", after=code, **variables), "y")
    if values.shape != (inputs + 1, outputs):
        raise Failed(f"y has shape {values.shape}", f"y has shape {(inputs + 1, outputs)}")
    return values[1:] - values[0], values[0]


def known_layer(trial: TensorTrial, inputs: int, outputs: int, name: str = "layer", with_bias: bool = False) -> Layer:
    """A new layer into which known numbers are written: what it should give is not taken from what it reports.

    Of a parameter that is not listed, the numbers are those that the layer's values show.
    """
    code = f"{name} = Linear({inputs}, {outputs})"
    shown = f"np.random.seed({trial.rng.integers(1000)})\n{code}"
    variables = trial.run(shown, see=name)
    tensors = weight_and_bias(trial, variables[name], inputs, outputs)
    w, b = trial.draw(inputs, outputs), trial.draw(outputs) if with_bias else np.zeros(outputs)
    lines, numbers = [f"{', '.join(tensors)}{',' * (len(tensors) == 1)} = (p.tensor for p in {name}.parameters())"], {}
    for part in [part for part in ("weight", "bias") if part in tensors]:
        with trial.clock.learner_code(trial.seconds):
            shape = array_of(tensors[part], part).shape
        numbers[part] = b.reshape(shape) if part == "bias" else w if shape == w.shape else w.T
        lines.append(f"{part}.data[...] = {literal(numbers[part])}")
    variables |= trial.run("\n".join(lines), after=shown, **variables)
    shown = "\n".join([shown, *lines])
    for part, written in numbers.items():
        kept = trial.read(variables, part)
        if not np.allclose(kept, written):
            trial.snippet = f"{shown}\n{part}"
            raise Failed(f"the {part} holds\n{kept}", f"what was written into its data:\n{written}")
    if not {"weight", "bias"} <= set(tensors):
        felt = numbers_felt(trial, name, inputs, outputs, shown, variables)
        w, b = w if "weight" in tensors else felt[0], b if "bias" in tensors else felt[1]
    return Layer(variables, code, shown, tensors.get("weight"), tensors.get("bias"), w, b)


@LINEAR.check(
    1, hints=["self.weight = Parameter(MyTensor(...)), and the same for self.bias.", "Call super().__init__() first."]
)
def linear_parameters(trial: TensorTrial) -> None:
    """parameters() lists a weight and a bias"""
    layer = trial.run("layer = Linear(3, 2)", see="[p.tensor.shape for p in layer.parameters()]")["layer"]
    found = weight_and_bias(trial, layer, 3, 2)
    if set(found) != {"weight", "bias"}:
        with trial.clock.learner_code(trial.seconds):
            shapes = [array_of(tensor, "a parameter of the layer").shape for tensor in found.values()]
        raise Failed(
            f"Linear(3, 2) has parameters of shapes {shapes}",
            "a weight of shape (3, 2) and a bias of shape (2,)",
            mistake=not_there(found),
        )


LOPSIDED = 0.2  # of a weight's root mean square: where its mean may lie. By chance it is a tenth of that.
SMALL, LARGE = 0.05, 2.0  # the root mean square of a weight, times the root of the inputs: those in use have 0.5 to 1.5


@LINEAR.check(
    1.5,
    hints=["Equal weights get equal gradients and stay equal.", "np.random.uniform(-bound, bound, shape) in __init__"],
)
def linear_random(trial: TensorTrial) -> None:
    """Weights start random, on both sides of 0, of a size that trains, new for every layer"""
    new_weights(trial, *(int(trial.rng.integers(*sizes)) for sizes in ((64, 100), (32, 60))))
    new_weights(trial, int(trial.rng.integers(200, 300)), 8)  # where the size goes by the inputs, and by nothing else


def new_weights(trial: TensorTrial, inputs: int, outputs: int) -> None:
    """Look at the weights of two new layers."""
    code = f"np.random.seed({trial.rng.integers(1000)})\n"
    code += f"layer, other = Linear({inputs}, {outputs}), Linear({inputs}, {outputs})"
    variables = trial.run(code, see="[(p.tensor.data.min(), p.tensor.data.max()) for p in layer.parameters()]")
    arrays = []
    for name in ("layer", "other"):
        tensor = weight_and_bias(trial, variables[name], inputs, outputs).get("weight")
        if tensor is None:
            arrays.append(numbers_felt(trial, name, inputs, outputs, code, variables)[0])
            continue
        with trial.clock.learner_code(trial.seconds):
            arrays.append(array_of(tensor, "weight"))
    one, two = arrays
    if not np.isfinite(one).all():
        raise Failed(f"a new weight holds {one[~np.isfinite(one)][0]}", "numbers", mistake="weights-not-finite")
    different = len(np.unique(one))
    if 2 * different < one.size:
        got = f"a new weight of {one.size} numbers holds {different} different ones"
        mistake = "zero-initialisation" if different == 1 else "units-alike"
        raise Failed(got, "a random number of its own in every place", mistake=mistake)
    if one.shape == two.shape and np.array_equal(one, two):
        expected = "new random numbers for every layer"
        raise Failed("two new layers have the same weight", expected, mistake="weights-drawn-once")
    mean, size = one.mean(), np.sqrt(np.mean(one**2))
    got = f"the weights of Linear({inputs}, {outputs}) lie between {one.min():.3g} and {one.max():.3g}"
    bound = 1 / np.sqrt(inputs)
    expected = f"about as between -{bound:.3g} and {bound:.3g}, where 1 / sqrt({inputs}) is {bound:.3g}"
    if abs(mean) > LOPSIDED * size:
        raise Failed(f"{got}; their mean is {mean:.3g}", expected, mistake="weights-on-one-side")
    if not SMALL <= size / bound <= LARGE:
        mistake = "weights-too-large" if size > bound else "weights-too-small"
        raise Failed(f"{got}; their root mean square is {size:.3g}", expected, mistake=mistake)


def linear(trial: TensorTrial, *shape: int, look_at: str, square: bool = False) -> None:
    """One observation of a layer, on an input of this shape, against PyTorch's."""
    inputs, outputs = shape[-1], shape[-1] - (not square)
    layer = known_layer(trial, inputs, outputs, with_bias=look_at == "bias")
    if look_at in ("weight", "bias") and getattr(layer, look_at) is None:
        lacks = not_there(weight_and_bias(trial, layer.variables["layer"], inputs, outputs))
        raise Failed(f"parameters() of the layer lists no {look_at} of the right shape", mistake=lacks)
    x, base = trial.draw(*shape), trial.draw(*shape[:-1], outputs)
    trial.given = layer.w, layer.b
    expected = oracle.linear(x, layer.w.T, layer.b, base)
    code = f"x = MyTensor({literal(x)}, requires_grad=True)\ny = layer(x)"
    try:
        variables = layer.variables | trial.run(code, see="y", after=layer.code, **layer.variables)
        code = f"{layer.code}\n{code}"
        if variables["y"] is None:
            raise Missing("layer(x) returned None: not written yet")
        if look_at in ("y", "bias"):
            trial.see(variables, {"y": expected.y}, code)
        if look_at == "y":
            return
        backward = f"y.backward(MyTensor({literal(base)}))"
        trial.run(backward, after=code, **variables)
        code = f"{code}\n{backward}"
        if look_at == "x":
            trial.see(variables, {"x.grad": expected.x}, code)
            return
        trial.snippet = f"{code}\n{look_at}.grad"
        with trial.clock.learner_code(trial.seconds):
            tensor = getattr(layer, look_at)
            got = tensor.grad
            seen, shape = observed(got), array_of(tensor, look_at).shape
        wanted, turned = expected.bias.reshape(-1), False
        if look_at == "weight":
            wanted, turned = expected.weight.T, shape != layer.w.shape
        try:
            with trial.clock.learner_code(trial.seconds):
                compare(f"{look_at}.grad", wanted.T if turned else wanted.reshape(shape), got)
        except (Failed, Missing):
            # The library that imitates mistakes has its weight as (inputs, outputs).
            turned = turned and isinstance(seen, np.ndarray)
            trial.observe(code, f"layer.{look_at}.grad", None, seen.T if turned else seen)
            raise
    finally:
        trial.snippet = layer.shown + (trial.snippet or "").removeprefix(layer.code)


@LINEAR.check(
    1.5,
    hints=["y = matmul(x, weight) + bias", "With a weight of shape (inputs, outputs) no transpose is needed."],
)
def linear_batch(trial: TensorTrial) -> None:
    """The value for a batch: (n, inputs) to (n, outputs)"""
    try:
        linear(trial, 2, 3, look_at="y")
    except ValueError:
        scratch = trial.beside(trial.seconds)
        with scratch.case():  # as many outputs as inputs: every product has a shape that fits
            linear(scratch, 2, 2, look_at="y", square=True)
        if scratch.first:
            trial.evidence += scratch.evidence
        elif set(weight_and_bias(scratch, scratch.run("layer = Linear(3, 2)")["layer"], 3, 2)) == {"weight", "bias"}:
            with trial.means({ValueError: "linear-weight-orientation"}):
                raise
        raise


@LINEAR.check(
    1,
    needs=["linear_batch"],
    hints=[
        "NumPy's @ takes a vector on the left.",
        "Look at the bias: with the shape (1, outputs) it would make a batch of one of a row.",
    ],
)
def linear_row(trial: TensorTrial) -> None:
    """One row, (inputs,) to (outputs,): its value and its gradients"""
    with trial.means({Exception: "linear-row-refused"}):
        linear(trial, 3, look_at="y")
    for name in ("x", "weight", "bias"):
        if trial.works(lambda scratch, name=name: linear(scratch, 2, 3, look_at=name)):
            linear(trial, 3, look_at=name)


@LINEAR.check(1, hints=["matmul(x, weight) + bias, with the tensors of the parameters: their rules do the rest."])
def linear_weight(trial: TensorTrial) -> None:
    """The gradient of the weight"""
    linear(trial, 4, 3, look_at="weight")


@LINEAR.check(
    1, hints=["Every row of the batch uses the bias once.", "Add it with +: broadcasting and its rule do the rest."]
)
def linear_bias(trial: TensorTrial) -> None:
    """The bias is added to every row; its gradient, summed over the batch"""
    linear(trial, 4, 3, look_at="bias")


@LINEAR.check(0.5, hints=["It is what the layer before needs: matmul has to record x too."])
def linear_input(trial: TensorTrial) -> None:
    """The gradient of the input"""
    linear(trial, 4, 3, look_at="x")


def network(choices: Choices, works: set[str]) -> Program:
    """Linear layers one after the other, some of them twice, for a batch or for one row; their numbers are written.

    Args:
        works: what is right in one layer alone: `value`, the gradients of `weight`, `bias` and `x`, and a `row`.
            Nothing else is looked at; without a bias that works it is 0.

    Raises:
        Unfit: for layers upon layers, where not both values and gradients go through one.
    """
    sizes = [choices.of([2, 3, 4])]
    made: list[str] = []
    lines: list[str] = []
    layers: dict[tuple[int, int], str] = {}
    for name in "uvy":
        if name != "y" and not choices.below(3):
            continue
        inputs, outputs = sizes[-1], choices.of([n for n in (2, 3, 4) if n != sizes[-1]])
        if (inputs, outputs) not in layers or choices.below(3) == 2:
            layer = layers[inputs, outputs] = ["one", "two", "three"][len(layers)]
            weight, bias = choices.array(inputs, outputs) / 4, choices.array(outputs) / 4 * ("bias" in works)
            made.append(f"{layer} = Linear({inputs}, {outputs})")
            made.append(f"w, b = MyTensor({literal(weight)}).data, MyTensor({literal(bias)}).data")
            made.append(f"for p in {layer}.parameters():")
            made.append("    shape = p.tensor.shape")
            made.append("    bias = b if b.shape[0] in shape else 0")
            made.append("    p.tensor.data[...] = w if shape == w.shape else w.T if shape == w.T.shape else bias")
        lines.append(f"{name} = {layers[inputs, outputs]}({lines[-1][0] if lines else 'x'})")
        sizes.append(outputs)
    if len(lines) > 1 and not {"value", "x"} <= works:
        raise Unfit
    rows = [] if choices.below(4) == 3 and "row" in works else [1 + choices.below(3)]
    made.append(f"x = MyTensor({literal(choices.array(*rows, sizes[0]) / 2)}, requires_grad=True)")
    made.append(f"g = MyTensor({literal(choices.array(*rows, sizes[-1]) / 2)})")
    lines.append("y.backward(g)")
    see = ["x.data", "g.data", *(line[0] for line in lines[:-1] if "value" in works)]
    see += ["x.grad"] if "x" in works else []
    for (inputs, outputs), layer in layers.items():  # in whatever order and orientation
        shapes = [f"({inputs}, {outputs})", f"({outputs}, {inputs})"] if "weight" in works else []
        shapes += [f"({outputs},)", f"(1, {outputs})"] if "bias" in works else []
        lines.append(f"kept = [p.tensor for p in {layer}.parameters() if p.tensor.data.shape in [{', '.join(shapes)}]]")
        gradients = "[np.ravel(getattr(t.grad, 'data', t.grad)) for t in kept if t.grad is not None]"
        lines.append(f"{layer}_gradients = np.sort(np.concatenate([np.zeros(0), *{gradients}]))")
        see.append(f"{layer}_gradients[:]")
    return Program("\n".join([*made, *lines]), tuple(see))


def layer_that_works(trial: TensorTrial) -> set[str]:
    """What is right in one layer alone, as `network` wants it."""
    asked = ("value", "weight", "x", "bias")
    three_rows = [*[0] * 14, 2]
    some = [network(Choices(three_rows), {what}) for what in asked]
    works = {*itertools.compress(asked, trial.right([forward(some[0]), *some[1:]]))}
    row = network(Choices([*[0] * 13, 3]), works | {"row"})
    return works | ({"row"} if trial.right([row])[0] else set())


@LINEAR.check(
    2.5,
    needs=["linear_batch"],
    hints=["One layer alone is right. Run the snippet line by line: which tensor is the first that is wrong?"],
    any_program=True,
)
def any_network(trial: TensorTrial) -> None:
    """Any network: random layers upon layers, some of them twice, for batches and for rows"""
    works = layer_that_works(trial)
    if not works:
        raise Waits("waits for a layer whose values or gradients are right")
    if "value" in works and "x" not in works:
        trial.programs(lambda choices: forward(network(choices, works | {"x"})))
    if trial.first is None and works & {"weight", "bias", "x"}:
        trial.programs(lambda choices: network(choices, works))


def test_linear(Linear: Any, MyTensor: Any, Parameter: Any, seed: int | None = None) -> Score:
    """The Linear layer: 10 points."""
    return LINEAR.score(seed, Linear=Linear, MyTensor=MyTensor, Parameter=Parameter)


RELU = Section(
    "relu", "ReLU", "tests.test_relu(ReLU, MyTensor)", builds_on=[(TENSOR, ["mul_gradient"])], assignment=ASSIGNMENT
)


@RELU.check(1.25, hints=["np.maximum(x.data, 0) compares each element with 0."])
def relu_value(trial: TensorTrial) -> None:
    """The value: max(x, 0)"""
    for data in ([0.5], [-0.5], [-2.5, 0.0, 2.5], [-90.0, 90.0], trial.draw(3, 4).tolist()):
        trial.same(f"relu = ReLU()\nx = MyTensor({data})\ny = relu(x)", "y")


# Above 0 and below it: the values, also of a rule that raises; then the gradients.
WALKS = [
    f"x = MyTensor([{some}], requires_grad=True)\ny = ReLU()(x)\ny.backward(MyTensor([0.5, -1.5]))"
    for some in ("2.5, 90.0", "-2.5, -90.0")
]
BENDS = [*(forward(Program(code, ("y",))) for code in WALKS), *(Program(code, ("x.grad",)) for code in WALKS)]
KINK = Program("x = MyTensor([0.0], requires_grad=True)\ny = ReLU()(x)\ny.backward(MyTensor([1.5]))", ("x.grad",))
RELU_KEEPS = Program(
    "x = MyTensor([2.0, -3.0], requires_grad=True)\ng = MyTensor([0.5, -1.5])\ny = ReLU()(x)\ny.backward(g)",
    ("x.data", "g.data"),
)


def relu_computes(trial: TensorTrial) -> bool:
    """Whether the value of relu is right: its gradient can be asked without.

    Raises:
        Waits: when it gives no tensor of the right shape, which an upstream gradient must have.
    """
    some = "x = MyTensor([2.5, -2.5, 90.0, -90.0])\ny = ReLU()(x)"
    shape = Program(some, ("tuple(y.shape) == (4,)", "hasattr(y, 'backward')"))
    right, shaped = trial.right([Program(some, ("y",)), shape])
    if not shaped:
        raise Waits("waits for a result in the shape of x")
    return right


@RELU.check(0.75, hints=["Where relu is flat, nothing flows back.", "np.where(x.data > 0, base, 0)"])
def relu_gradient(trial: TensorTrial) -> None:
    """The gradient: 1 where x > 0, 0 where x < 0"""
    value = relu_computes(trial)
    waits_for_value(value, all(trial.right(BENDS[2:])))
    for data in ([0.5], [-0.5], [-2.5, 2.5], [-90.0, 90.0], trial.draw(3, 4)):
        trial.gradients("y = ReLU()(x)", {"x": data}, value=value)


@RELU.check(0.5, hints=["x > 0, not x >= 0."])
def relu_kink(trial: TensorTrial) -> None:
    """At x = 0 the gradient is 0, as in PyTorch"""
    waits_for_value(relu_computes(trial), trial.right([KINK])[0])
    # Of this sign, so that a mask of the upstream gradient, which has a check of its own, passes for each seed.
    trial.same("x = MyTensor([0.0], requires_grad=True)\ny = ReLU()(x)\ny.backward(MyTensor([-1.5]))", "x.grad")
    if all(trial.right(BENDS)):
        trial.gradients("y = ReLU()(x)", {"x": [0.0, 0.5, 0.0, -0.5]})


@RELU.check(0.75, hints=["x.data[mask] = 0 writes into x: work on an array of its own."])
def relu_untouched(trial: TensorTrial) -> None:
    """x and the upstream gradient stay as they are"""
    relu_computes(trial)
    x, base = trial.draw(4, positive=True) * [1, -1, 1, -1], trial.draw(4)
    code = f"array = np.array({literal(x)})\nx = MyTensor(array, requires_grad=True)\ng = MyTensor({literal(base)})\n"
    code += "y = ReLU()(x)"
    if trial.tries(f"{code}\ny.backward(g)") is not None:  # a rule that raises has failed already
        code += "\ny.backward(g)"
    handed = {"x.data": x, "array[:]": x, "g.data": base}
    trial.see(trial.run(code), handed, code, dict.fromkeys(handed, "operand-changed") | {"g.data": "upstream-changed"})


@RELU.check(0.5, hints=["Give the result an array of its own, also where all of x is above 0."])
def relu_apart(trial: TensorTrial) -> None:
    """x and its result share no memory"""
    relu_computes(trial)
    x = trial.draw(4, positive=True)
    code = f"x = MyTensor({literal(x)})\ny = ReLU()(x)\ny.data[0] = 9.5"
    trial.see(trial.run(code), {"x.data": x}, code, {"x.data": "result-aliased"})


def bent(choices: Choices, works: set[str], above: bool, below: bool) -> Program:
    """A composition with relu of numbers above 0, below 0, or both. (0 itself has a check of its own.)"""

    def relu(x: np.ndarray) -> np.ndarray:
        if not ((x > 0) & above | (x < 0) & below).all():
            raise Unfit
        return np.maximum(x, 0)

    program = once(choices, works, {"relu": relu})
    if "relu(" not in program.code:
        raise Unfit
    return Program(f"relu = ReLU()\n{program.code}", program.see)


@RELU.check(
    1.25,
    hints=["relu alone is right. Run the snippet line by line: which tensor is the first that is wrong?"],
    any_program=True,
)
def any_bend(trial: TensorTrial) -> None:
    """Any program: relu in random compositions"""
    relu_computes(trial)
    above, below, flows_above, flows_below = trial.right(BENDS)
    kink, kept = trial.right([KINK, RELU_KEEPS])
    if not (above or below):
        raise Waits("waits for a value that is right")
    works = parts_that_work(trial)
    back = above and flows_above, below and flows_below

    def some(choices: Choices) -> Program:
        program = bent(choices, works, *back) if any(back) else forward(bent(choices, works, above, below))
        if kept:
            return program
        on_copies = re.sub(r"relu\((\w+)\)", r"relu(\1 * 1.0)", program.code)  # where its input is changed, not x
        return Program(on_copies, tuple(see for see in program.see if not see.endswith(".data")))

    if all(back) and kept:
        each = replace(pairs(works, "relu"), first="relu = ReLU()\n")
        if not kink:  # which relu of relu meets
            each = replace(each, outer=tuple(outer for outer in each.outer if outer != "relu(u)"))
        trial.pairs(each)
    if trial.first is None:
        trial.programs(some)


def test_relu(ReLU: Any, MyTensor: Any, seed: int | None = None) -> Score:
    """The ReLU layer: 5 points."""
    return RELU.score(seed, ReLU=ReLU, MyTensor=MyTensor)
