"""The tests of the notebook: tensors that differentiate themselves, as far as a small model needs them.

tests.test_tensor(MyTensor)
tests.test_module(MyModule, Parameter, MyTensor)
tests.test_matmul(matmul, MyTensor)
tests.test_linear(Linear, MyTensor)
tests.test_relu(ReLU, MyTensor)
tests.test_sgd(SGD, Parameter, MyTensor)
tests.test_mseloss(MSELoss, MyTensor)
tests.test_model(SuperModel, MSELoss, SGD, MyTensor)

What is right differentiates forward: a value carries how it changes with each leaf that it was made of.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from checks.assignment import Assignment, Library
from checks.mistakes import Mistakes
from checks.observe import Failed, Kind
from checks.oracle import Oracle
from checks.programs import Choices, Program
from checks.progress import show_progress
from checks.report import Score
from checks.section import Section
from checks.trial import Trial, literal

# ---------------------------------------------------------------- what is right


class _Tensor:
    """A value, and its slopes: how each of its elements changes with each element of a leaf, by leaf."""

    taken = -1  # how the right side of a difference counts

    def __init__(self, data: Any, requires_grad: bool = False, slopes: dict[_Tensor, np.ndarray] | None = None) -> None:
        self.data, self.requires_grad = np.array(data, float), requires_grad
        self.grad: _Tensor | None = None
        own = np.eye(self.data.size).reshape(self.data.shape * 2)
        self.slopes = slopes or ({self: own} if requires_grad else {})

    def __getitem__(self, index: Any) -> Any:
        return self.data[index]

    def __add__(self, other: _Tensor) -> _Tensor:
        return _each(self.data + other.data, (self, 1), (other, 1))

    def __sub__(self, other: _Tensor) -> _Tensor:
        return _each(self.data - other.data, (self, 1), (other, self.taken))

    def __mul__(self, other: _Tensor) -> _Tensor:
        return _each(self.data * other.data, (self, other.data), (other, self.data))

    def __truediv__(self, other: _Tensor) -> _Tensor:
        ratio = self.data / other.data
        return _each(ratio, (self, 1 / other.data), (other, -ratio / other.data))

    def backward(self, base: _Tensor) -> None:
        for leaf, slope in self.slopes.items():
            share = np.tensordot(base.data, slope, self.data.ndim)
            leaf.grad = _Tensor(share if leaf.grad is None else leaf.grad.data + share)


def _each(value: np.ndarray, *parts: tuple[_Tensor, Any]) -> _Tensor:
    """The result of an operation that works element by element: parts, each with the derivative for it."""
    slopes: dict[_Tensor, Any] = {}
    for part, derivative in parts:
        for leaf, slope in part.slopes.items():
            wide = slope.reshape((1,) * (value.ndim - part.data.ndim) + slope.shape)
            factor = np.broadcast_to(derivative, value.shape).reshape(value.shape + (1,) * leaf.data.ndim)
            slopes[leaf] = slopes.get(leaf, 0) + factor * wide
    return type(parts[0][0])(value, bool(slopes), slopes)


def _matmul(a: _Tensor, b: _Tensor) -> _Tensor:
    slopes = {leaf: np.moveaxis(np.tensordot(b.data, slope, (0, 1)), 0, 1) for leaf, slope in a.slopes.items()}
    for leaf, slope in b.slopes.items():
        slopes[leaf] = slopes.get(leaf, 0) + np.tensordot(a.data, slope, (1, 0))
    return _Tensor(a.data @ b.data, bool(slopes), slopes)


class _Parameter:
    def __init__(self, tensor: _Tensor) -> None:
        self.tensor = _Tensor(tensor.data, True)


class _Module:
    def parameters(self) -> list[_Parameter]:
        found: dict[_Parameter, None] = {}
        for value in vars(self).values():
            found |= dict.fromkeys([value] if isinstance(value, _Parameter) else getattr(value, "parameters", list)())
        return [*found]

    def __call__(self, x: _Tensor) -> _Tensor:
        return self.forward(x)


class _Linear(_Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        self.weight = _Parameter(_Tensor(np.ones((inputs, outputs))))
        self.bias = _Parameter(_Tensor(np.zeros(outputs)))

    def forward(self, x: _Tensor) -> _Tensor:
        return _matmul(x, self.weight.tensor) + self.bias.tensor


class _ReLU(_Module):
    def forward(self, x: _Tensor) -> _Tensor:
        return _each(np.maximum(x.data, 0), (x, x.data > 0))


class _SGD:
    def __init__(self, parameters: list[_Parameter], lr: float) -> None:
        self.tensors, self.lr = [parameter.tensor for parameter in parameters], lr

    def zero_grad(self) -> None:
        for tensor in self.tensors:
            tensor.grad = None

    def step(self) -> None:
        for tensor in self.tensors:
            if tensor.grad:
                tensor.data -= self.lr * tensor.grad.data


class _MSELoss:
    def __call__(self, y: _Tensor, target: _Tensor) -> _Tensor:
        error = y - target
        share = 2 * error.data / error.data.size
        slopes = {leaf: np.tensordot(share, slope, share.ndim) for leaf, slope in error.slopes.items()}
        return _Tensor((error.data**2).mean(), bool(slopes), slopes)


class _Right(Oracle):
    """Its answers are arrays."""

    def _values(self, *asked: Any) -> Mapping[str, Any]:
        return MappingProxyType({text: _array(value) for text, value in super()._values(*asked).items()})


def _array(value: Any) -> Any:
    return value.data if isinstance(value, _Tensor) else value


# ---------------------------------------------------------------- a mistake that is known


class _Imitation(Library):
    def plain(self, value: Any) -> Any:
        return _array(value)


def _added(library: Library) -> None:
    library.parts["MyTensor"] = type("MyTensor", (_Tensor,), {"taken": 1})


MISTAKES = Mistakes()
MISTAKES.add(
    "right-not-negated",
    "tensor",
    "the right side of a difference gets the gradient of a sum",
    "What happens to a - b when b grows?",
    "Its share is the upstream gradient, negated.",
    "Tiny > Tensor",
    _added,
)
MISTAKES.add(
    "array-not-tensor",
    "tensor module matmul linear relu sgd mseloss model",
    "a result is an array, and no tensor",
    "Of which class is it?",
    "Make a tensor of it.",
)


class _Tiny(Assignment):
    ahead = ("data", "grad", "tensor")

    def imitation(self, given: Any = None) -> _Imitation:
        return _Imitation(self.oracle.names("float64"))


PARTS = {
    **{"MyTensor": _Tensor, "MyModule": _Module, "Parameter": _Parameter, "matmul": _matmul, "Linear": _Linear},
    **{"ReLU": _ReLU, "SGD": _SGD, "MSELoss": _MSELoss},
}
ASSIGNMENT = _Tiny(
    "Tiny",
    __file__,
    reference=_Right(lambda precision: PARTS),
    mistakes=MISTAKES,
    result=Kind("MyTensor", mistake="array-not-tensor", holds="data", marks="backward"),
)


def progress() -> None:
    """Show the points of all sections so far, and what is next."""
    show_progress(ASSIGNMENT)


def _gradients(trial: Trial, code: str, upstream: tuple[int, ...], **leaves: tuple[int, ...]) -> None:
    """The gradients of leaves with these shapes, after code that makes y, which has the shape `upstream`."""
    lines = [f"{name} = MyTensor({literal(trial.draw(*shape))}, requires_grad=True)" for name, shape in leaves.items()]
    lines += [code, f"y.backward(MyTensor({literal(trial.draw(*upstream))}))"]
    trial.same("\n".join(lines), *(f"{name}.grad" for name in leaves))


# ---------------------------------------------------------------- Tensor

TENSOR = Section("tensor", "Tensor", "tests.test_tensor(MyTensor)", assignment=ASSIGNMENT)


@TENSOR.check(2, hints=["np.array(data)"])
def create(trial: Trial) -> None:
    """A tensor holds what it is made of"""
    trial.same(f"y = MyTensor({literal(trial.draw(2, 3))})", "y")


@TENSOR.check(1, needs=["create"], hints=["np.array makes one of a tuple, too."])
def kinds(trial: Trial) -> None:
    """A tensor can be made of a tuple"""
    trial.same(f"y = MyTensor({tuple(trial.draw(3).tolist())})", "y")


@TENSOR.check(2, needs=["create"], hints=["__getitem__"])
def indexing(trial: Trial) -> None:
    """An index reads numbers"""
    trial.same(f"first = MyTensor({literal(trial.draw(2, 3))})[0, 1]", "first")


@TENSOR.check(5, needs=["create"], hints=["The arrays do the work."])
def values(trial: Trial) -> None:
    """The values of a + b, a - b, a * b and a / b"""
    a, b = (literal(trial.draw(2)) for _ in "ab")
    code = f"a, b = MyTensor({a}), MyTensor({b})\ntotal, difference, product, ratio = a + b, a - b, a * b, a / b"
    trial.same(code, "total", "difference", "product", "ratio")


@TENSOR.check(8, needs=["create"], hints=["What was stretched is added up again."])
def sums(trial: Trial) -> None:
    """The gradients of a + b and a - b"""
    for code in ("y = a + b", "y = a - b"):
        _gradients(trial, code, (2, 3), a=(2, 3), b=(3,))


@TENSOR.check(8, needs=["create"], hints=["Each side gets the other one, times the upstream gradient."])
def products(trial: Trial) -> None:
    """The gradients of a * b"""
    _gradients(trial, "y = a * b", (2, 3), a=(2, 1), b=(2, 3))


@TENSOR.check(9, needs=["create"], hints=["d(a/b)/db = -a/b**2"])
def ratios(trial: Trial) -> None:
    """The gradients of a / b"""
    _gradients(trial, "y = a / b", (2,), a=(2,), b=(2,))


def _reused(choices: Choices) -> Program:
    """Sums and products of two leaves, which are used again and again."""
    lines = [f"a = MyTensor({choices.array(2).tolist()}, requires_grad=True)", "y = a * a"]
    for _ in range(choices.below(3)):
        lines.append(f"y = y {choices.of('+*')} {choices.of('ay')}")
    return Program("\n".join([*lines, "y.backward(MyTensor([1.0, 2.0]))"]), ("y", "a.grad"))


@TENSOR.check(5, needs=["products"], hints=["Every use of a adds its share."], any_program=True)
def reused(trial: Trial) -> None:
    """Any sums and products that use a tensor several times"""
    trial.programs(_reused, count=4)


def test_tensor(MyTensor: Any, seed: int | None = None) -> Score:
    """Tensors: 40 points."""
    return TENSOR.score(seed, MyTensor=MyTensor)


# ---------------------------------------------------------------- Module

MODULE = Section(
    "module",
    "Module",
    "tests.test_module(MyModule, Parameter, MyTensor)",
    builds_on=[(TENSOR, ["create"])],
    assignment=ASSIGNMENT,
)
HELD = "held = repr(sorted([parameter.tensor.data.tolist() for parameter in m.parameters()]))"


@MODULE.check(4, hints=["__setattr__ has kept them for you."])
def own(trial: Trial) -> None:
    """parameters() lists a module's own ones"""
    trial.same(f"m = MyModule()\nm.a, m.b = Parameter(MyTensor([1.5])), Parameter(MyTensor([2.5]))\n{HELD}", "held")


@MODULE.check(4, needs=["own"], hints=["Every module in it has parameters() too."])
def nested(trial: Trial) -> None:
    """parameters() lists those of modules in it, each one once"""
    code = "m = MyModule()\nm.a = Parameter(MyTensor([1.5]))\nm.inner = MyModule()\nm.inner.b = m.a"
    trial.same(f"{code}\nm.inner.c = Parameter(MyTensor([2.5]))\n{HELD}", "held")


@MODULE.check(2, hints=["__call__ returns self.forward(x)."])
def calls(trial: Trial) -> None:
    """To call a module calls its forward"""
    trial.expect("m = MyModule()\nm.forward = MyTensor\ny = m([1.5, 2.5])", y=np.array([1.5, 2.5]))


def test_module(MyModule: Any, Parameter: Any, MyTensor: Any, seed: int | None = None) -> Score:
    """Modules: 10 points."""
    return MODULE.score(seed, MyModule=MyModule, Parameter=Parameter, MyTensor=MyTensor)


# ---------------------------------------------------------------- Matmul

MATMUL = Section(
    "matmul",
    "Matmul",
    "tests.test_matmul(matmul, MyTensor)",
    builds_on=[(TENSOR, ["create"])],
    assignment=ASSIGNMENT,
)


SIZES = ((2, 3, 2), (1, 2, 3), (3, 1, 2), (2, 2, 2))


@MATMUL.check(2, hints=["a.data @ b.data"])
def product(trial: Trial) -> None:
    """The values of matmul(a, b)"""
    for rows, inner, columns in SIZES:
        a, b = literal(trial.draw(rows, inner)), literal(trial.draw(inner, columns))
        trial.same(f"y = matmul(MyTensor({a}), MyTensor({b}))", "y")


@MATMUL.check(3, hints=["Each gradient is the product of the upstream one with the other side, turned over."])
def product_gradients(trial: Trial) -> None:
    """The gradients of matmul(a, b)"""
    for rows, inner, columns in SIZES:
        _gradients(trial, "y = matmul(a, b)", (rows, columns), a=(rows, inner), b=(inner, columns))


def test_matmul(matmul: Any, MyTensor: Any, seed: int | None = None) -> Score:
    """The product of matrices: 5 points."""
    return MATMUL.score(seed, matmul=matmul, MyTensor=MyTensor)


# ---------------------------------------------------------------- Layers

LINEAR = Section(
    "linear",
    "Linear",
    "tests.test_linear(Linear, MyTensor)",
    builds_on=[(TENSOR, ["create"]), (MODULE, []), (MATMUL, [])],
    assignment=ASSIGNMENT,
)
RELU = Section(
    "relu", "ReLU", "tests.test_relu(ReLU, MyTensor)", builds_on=[(TENSOR, ["create"])], assignment=ASSIGNMENT
)


@LINEAR.check(4, hints=["matmul(x, weight) + bias"])
def weighted(trial: Trial) -> None:
    """A layer multiplies by its weight and adds its bias"""
    x = literal(trial.draw(2, 3))
    code = f"layer = Linear(3, 2)\nweight, bias = layer.weight.tensor.data, layer.bias.tensor.data\nx = {x}"
    variables = trial.run(f"{code}\ny, weight, bias = layer(MyTensor(x)), MyTensor(weight), MyTensor(bias)")
    weight, bias = (trial.read(variables, name) for name in ("weight", "bias"))
    trial.see(variables, {"y": np.array(ast.literal_eval(x)) @ weight + bias}, code)


@LINEAR.check(6, needs=["weighted"], hints=["parameters() has both of them."])
def weight_gradients(trial: Trial) -> None:
    """Its parameters are two, and get gradients"""
    x, upstream = literal(trial.draw(2, 3)), literal(trial.draw(2, 2))
    code = f"layer = Linear(3, 2)\nlayer(MyTensor({x})).backward(MyTensor({upstream}))\nhas = len(layer.parameters())"
    trial.same(code, "has", "layer.weight.tensor.grad", "layer.bias.tensor.grad")


def test_linear(Linear: Any, MyTensor: Any, seed: int | None = None) -> Score:
    """A layer: 10 points."""
    return LINEAR.score(seed, Linear=Linear, MyTensor=MyTensor)


@RELU.check(2, hints=["np.maximum(x.data, 0)"])
def cut(trial: Trial) -> None:
    """What is negative becomes 0"""
    trial.same(f"y = ReLU()(MyTensor({[1.5, -2.5, *trial.draw(2).tolist()]}))", "y")


@RELU.check(3, hints=["base * (x.data > 0)"])
def cut_gradient(trial: Trial) -> None:
    """Nothing flows back there"""
    x, upstream = [1.5, -2.5, *trial.draw(1).tolist()], literal(trial.draw(3))
    trial.same(f"x = MyTensor({x}, requires_grad=True)\nReLU()(x).backward(MyTensor({upstream}))", "x.grad")


def test_relu(ReLU: Any, MyTensor: Any, seed: int | None = None) -> Score:
    """A bend: 5 points."""
    return RELU.score(seed, ReLU=ReLU, MyTensor=MyTensor)


# ---------------------------------------------------------------- Optimizer

OPTIMIZER = Section(
    "sgd",
    "Optimizer",
    "tests.test_sgd(SGD, Parameter, MyTensor)",
    builds_on=[(TENSOR, ["create"]), (MODULE, [])],
    assignment=ASSIGNMENT,
)
WITH_GRADIENT = """\
p = Parameter(MyTensor({}))
p.tensor.grad = MyTensor({})
optimizer = SGD([p], 0.1)
"""


@OPTIMIZER.check(2, hints=["parameter.tensor.grad = None"])
def forgets(trial: Trial) -> None:
    """zero_grad() forgets all gradients"""
    code = WITH_GRADIENT.format([1.5], [2.5])
    trial.same(f"{code}optimizer.zero_grad()\nforgotten = p.tensor.grad is None", "forgotten")


@OPTIMIZER.check(6, hints=["data -= lr * gradient"])
def steps(trial: Trial) -> None:
    """step() goes downhill"""
    trial.same(f"{WITH_GRADIENT.format(*(literal(trial.draw(3)) for _ in range(2)))}optimizer.step()", "p.tensor")


def test_sgd(SGD: Any, Parameter: Any, MyTensor: Any, seed: int | None = None) -> Score:
    """Steps downhill: 8 points."""
    return OPTIMIZER.score(seed, SGD=SGD, Parameter=Parameter, MyTensor=MyTensor)


# ---------------------------------------------------------------- Loss

LOSS = Section(
    "mseloss",
    "Loss",
    "tests.test_mseloss(MSELoss, MyTensor)",
    builds_on=[(TENSOR, ["create"])],
    assignment=ASSIGNMENT,
)


@LOSS.check(3, hints=["Subtract, square, take the mean."])
def mean_square(trial: Trial) -> None:
    """The mean of the squares"""
    y, target = literal(trial.draw(2, 3)), literal(trial.draw(2, 3))
    trial.same(f"loss = MSELoss()(MyTensor({y}), MyTensor({target}))", "loss")


@LOSS.check(5, needs=["mean_square"], hints=["2 (y - t) / n"])
def mean_square_gradient(trial: Trial) -> None:
    """Its gradient"""
    y, target = literal(trial.draw(2, 3)), literal(trial.draw(2, 3))
    code = f"y = MyTensor({y}, requires_grad=True)\nMSELoss()(y, MyTensor({target})).backward(MyTensor(1.0))"
    trial.same(code, "y.grad")


def test_mseloss(MSELoss: Any, MyTensor: Any, seed: int | None = None) -> Score:
    """How far it is off: 8 points."""
    return LOSS.score(seed, MSELoss=MSELoss, MyTensor=MyTensor)


# ---------------------------------------------------------------- Model

MODEL = Section(
    "model",
    "Model",
    "tests.test_model(SuperModel, MSELoss, SGD, MyTensor)",
    builds_on=[(TENSOR, ["create"]), (MODULE, []), (LINEAR, []), (RELU, []), (OPTIMIZER, []), (LOSS, [])],
    assignment=ASSIGNMENT,
)


@MODEL.check(2, hints=["Its last layer has two outputs."])
def two_scores(trial: Trial) -> None:
    """Four numbers become two"""
    x = literal(trial.draw(3, 4, positive=True))
    trial.expect(f"shape = SuperModel()(MyTensor({x})).data.shape", shape=(3, 2))


@MODEL.check(12, needs=["two_scores"], hints=["Do its parameters() get gradients?"])
def learns(trial: Trial) -> None:
    """A step makes the loss smaller"""
    x, target = literal(trial.draw(3, 4)), literal(trial.draw(3, 2))
    code = f"model, x, target = SuperModel(), MyTensor({x}), MyTensor({target})\nbefore = model(x)"
    variables = trial.run(code, see="before")
    # Compared here: in a kernel the learner's own numbers would say which is smaller.
    before = _loss(trial.read(variables, "before"), target)
    step = (
        "MSELoss()(model(x), target).backward(MyTensor(1.0))\nSGD(model.parameters(), 0.001).step()\nafter = model(x)"
    )
    after = _loss(trial.read(trial.run(step, see="after", after=code, **variables), "after"), target)
    if not after < before:
        raise Failed(f"the loss goes from {before:.4g} to {after:.4g}", "a smaller one")


def _loss(scores: np.ndarray, target: str) -> float:
    return float(((scores - np.array(ast.literal_eval(target))) ** 2).mean())


def test_model(SuperModel: Any, MSELoss: Any, SGD: Any, MyTensor: Any, seed: int | None = None) -> Score:
    """All of it: 14 points."""
    return MODEL.score(seed, SuperModel=SuperModel, MSELoss=MSELoss, SGD=SGD, MyTensor=MyTensor)
