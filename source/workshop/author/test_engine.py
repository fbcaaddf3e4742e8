"""The reference solution: the engine that a learner builds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from answers import the_reference  # noqa: F401 - a fixture


@pytest.fixture(scope="module")
def Tensor(reference):
    return reference["MyTensor"]


@pytest.mark.parametrize("data", ["text", None, object(), {"a": 1}, {1, 2}, 1j, ["text"], [None]])
def test_anything_but_numbers_raises_a_type_error_that_says_so(Tensor, data):
    with pytest.raises(TypeError, match="MyTensor needs numbers"):
        Tensor(data)


@pytest.mark.parametrize(
    "data", [1, 1.5, True, [True, False], [1, 2], (1.5, 2), [[1], [2]], np.float32(2), np.True_, np.ones((2, 3))]
)
def test_numbers_become_a_numpy_array(Tensor, data):
    tensor = Tensor(data)
    assert np.array_equal(tensor.data, np.array(data))
    assert (tensor.shape, tensor.size, tensor.strides) == (tensor.data.shape, tensor.data.size, tensor.data.strides)


def test_integers_that_require_a_gradient_become_floats(Tensor):
    assert Tensor([1, 2], requires_grad=True).dtype == np.float64
    with pytest.raises(TypeError, match="only fractions"):
        Tensor([1, 2], dtype=np.int64, requires_grad=True)


def test_a_tensor_owns_its_numbers(Tensor):
    array = np.ones(3)
    tensor = Tensor(array)
    array[0] = 7
    assert tensor.data.tolist() == [1, 1, 1]


def test_data_is_read_only_and_in_place_updates_go_through_a_local_name(Tensor):
    tensor = Tensor([1.0])
    with pytest.raises(AttributeError):
        tensor.data = np.zeros(1)
    data = tensor.data
    data -= 0.5
    assert tensor.data.tolist() == [0.5]


def test_writing_into_a_recorded_tensor_is_refused(Tensor):
    tensor = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="requires a gradient"):
        tensor[0] = 5
    assert tensor[0] == 1.0


def test_numbers_keep_the_precision_of_the_tensor(Tensor):
    half = Tensor([1.0], dtype=np.float32)
    assert (2.0 * half + 1).dtype == np.float32
    assert (Tensor([1, 2]) * 0.5).data.tolist() == [0.5, 1.0]


def test_arrays_on_the_left_leave_the_work_to_the_tensor(Tensor):
    y = np.array([1.0, 2.0]) * Tensor([3.0, 4.0], requires_grad=True)
    assert type(y) is Tensor
    assert y.data.tolist() == [3, 8]


@pytest.mark.parametrize("other", ["text", None, [1.0]])
def test_other_operands_raise_pythons_own_type_error(Tensor, other):
    with pytest.raises(TypeError, match="unsupported operand"):
        Tensor([1.0]) + other
    with pytest.raises(TypeError, match="unsupported operand"):
        Tensor([1.0]) ** other


def test_a_chain_of_100_000_operations(Tensor):
    x = Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y * 1.00001
    y.backward()
    assert x.grad.data == pytest.approx(1.00001**100_000)


def test_a_ladder_of_10_000_diamonds(Tensor):
    x = Tensor(2.0, requires_grad=True)
    y = x
    for _ in range(10_000):
        y = y * 0.5 + y * 0.5
    y.backward()
    assert x.grad.data == pytest.approx(1.0)


def test_upstream_gradient_of_another_shape_is_refused(Tensor):
    y = Tensor([1.0, 2.0], requires_grad=True) * 2
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        y.backward(Tensor([1.0, 1.0, 1.0]))


def test_power_zero_has_gradient_zero_even_at_zero(Tensor):
    x = Tensor([0.0, 2.0], requires_grad=True)
    (x**0).backward()
    assert x.grad.data.tolist() == [0, 0]


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (0, 1, 2)])
def test_sum_and_its_gradient_match_pytorch(reference, axis):
    numbers = np.random.default_rng(1).normal(size=(2, 3, 4))
    mine = reference["MyTensor"](numbers, requires_grad=True)
    theirs = torch.tensor(numbers, requires_grad=True)
    y, expected = reference["sum"](mine, axis), theirs.sum() if axis is None else theirs.sum(dim=axis)
    base = np.random.default_rng(2).normal(size=tuple(expected.shape))
    y.backward(reference["MyTensor"](base))
    expected.backward(torch.tensor(base))
    np.testing.assert_allclose(y.data, expected.detach().numpy())
    np.testing.assert_allclose(mine.grad.data, theirs.grad.numpy())


@pytest.mark.parametrize(("left", "right"), [((3,), (3, 2)), ((4, 3), (3,)), ((3,), (3,)), ((4, 3), (3, 2))])
def test_matmul_of_vectors_and_matrices_matches_pytorch(reference, left, right):
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=left), rng.normal(size=right)
    mine = [reference["MyTensor"](array, requires_grad=True) for array in (a, b)]
    theirs = [torch.tensor(array, requires_grad=True) for array in (a, b)]
    y, expected = reference["matmul"](*mine), torch.matmul(*theirs)
    base = rng.normal(size=tuple(expected.shape))
    y.backward(reference["MyTensor"](base))
    expected.backward(torch.tensor(base))
    for tensor, oracle in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(tensor.grad.data, oracle.grad.numpy())


def test_a_module_without_super_init_says_so(reference):
    class Forgetful(reference["MyModule"]):
        def __init__(self):
            self.weight = reference["Parameter"](reference["MyTensor"]([1.0]))

    with pytest.raises(RuntimeError, match=r"super\(\).__init__\(\)"):
        Forgetful()


def test_training_steps_match_pytorch(reference):
    """Ten steps of a small network, parameter for parameter."""
    rng = np.random.default_rng(4)
    layers = [reference["Linear"](3, 5), reference["Linear"](5, 2)]
    mirror = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.ReLU(), torch.nn.Linear(5, 2)).double()
    for layer, theirs in zip(layers, (mirror[0], mirror[2]), strict=True):
        theirs.weight.data = torch.tensor(layer.weight.tensor.data.T.copy())
        theirs.bias.data = torch.tensor(layer.bias.tensor.data.copy())
    parameters = [parameter for layer in layers for parameter in layer.parameters()]
    mine, theirs = reference["SGD"](parameters, lr=0.1), torch.optim.SGD(mirror.parameters(), lr=0.1)
    for _ in range(10):
        x, target = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
        mine.zero_grad()
        y = layers[1](reference["ReLU"]()(layers[0](reference["MyTensor"](x))))
        reference["MSELoss"]()(y, reference["MyTensor"](target)).backward()
        mine.step()
        theirs.zero_grad()
        torch.nn.MSELoss()(mirror(torch.tensor(x)), torch.tensor(target)).backward()
        theirs.step()
    np.testing.assert_allclose(layers[0].weight.tensor.data.T, mirror[0].weight.detach().numpy())
    np.testing.assert_allclose(layers[1].bias.tensor.data, mirror[2].bias.detach().numpy())


def test_a_quotient_differentiates_where_a_square_leaves_the_range_of_float32(reference, Tensor):
    for size in (1e-30, 1e30):
        left, right = (np.array([size], dtype=np.float32) for _ in range(2))
        ours = [Tensor(array, requires_grad=True) for array in (left, right)]
        theirs = [torch.tensor(array, requires_grad=True) for array in (left, right)]
        (ours[0] / ours[1]).backward()
        (theirs[0] / theirs[1]).backward(torch.ones(1))
        for mine, other in zip(ours, theirs, strict=True):
            assert np.allclose(mine.grad.data, other.grad.numpy(), rtol=1e-5, atol=0)


def test_an_array_among_the_inputs_of_an_operation_is_no_tensor(reference, Tensor):
    """As an operation has it that picks rows by their numbers."""
    rows = np.array([2, 0])

    def picked(base, x, rows):
        gradient = np.zeros(x.shape)
        np.add.at(gradient, rows, base)
        return gradient, None

    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    op = reference["MyCrossBackward"](x, rows, backward_function=picked, name="PickBackward")
    (Tensor(x.data[rows], requires_grad=True, crossOpBack=op) * 2).backward()
    assert np.array_equal(x.grad.data, [2, 0, 2])
