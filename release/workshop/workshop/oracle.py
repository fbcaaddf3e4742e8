"""PyTorch behind the learner's API: what a check's code computes there is what it should compute.

Where PyTorch is not installed, the library without a mistake (imitation.py) is asked in its place.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from checks.oracle import Oracle, load
from workshop.imitation import Library, answer, numeric_derivative, strides_of


@functools.cache
def in_pytorch(precision: str = "float64") -> dict[str, Any]:
    """The names of the learner's API, made of PyTorch."""
    torch = load()

    class Tensor(torch.Tensor):
        """A tensor of PyTorch, with what the notebook's `MyTensor` does otherwise."""

        tensor = property(lambda self: self)  # as a parameter: PyTorch's are tensors, the notebook's hold one
        backward_op = property(lambda self: self.grad_fn)

        def backward(self, base: Any = None) -> None:
            """From ones where PyTorch asks for a gradient; nothing where it raises; any number of times."""
            if self.requires_grad:
                upstream = torch.ones_like(self) if base is None else base
                torch.autograd.backward(self, upstream, retain_graph=True)

    def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Any:
        array = np.asarray(data, dtype=precision)
        return torch.tensor(array).as_subclass(Tensor).requires_grad_(requires_grad)

    def parameter(given: Any) -> Any:
        given._is_param = True  # by which PyTorch knows a parameter
        return given.requires_grad_()

    class Linear(torch.nn.Module):
        """torch.nn.Linear, with its weight as (inputs, outputs)."""

        def __init__(self, inputs: int, outputs: int) -> None:
            super().__init__()
            self.weight, self.bias = (
                parameter(tensor(np.zeros((inputs, outputs)))),
                parameter(tensor(np.zeros(outputs))),
            )

        def forward(self, x: Any) -> Any:
            return torch.nn.functional.linear(x, self.weight.T, self.bias)

    class SGD:
        """torch.optim.SGD without momentum: this update is its whole step. Importing it takes more than a second."""

        def __init__(self, parameters: Any, lr: float = 1e-2) -> None:
            self.params, self.lr = [parameter.tensor for parameter in parameters], lr

        def zero_grad(self) -> None:
            for parameter in self.params:
                parameter.grad = None

        @torch.no_grad()
        def step(self) -> None:
            for parameter in self.params:
                if parameter.grad is not None:
                    parameter.add_(parameter.grad, alpha=-self.lr)

    def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> Any:
        return torch.from_numpy(gradient).sum_to_size(shape)

    def rule(operation: Callable[..., Any]) -> Callable[..., Any]:
        """The gradients of an operation for its tensors, from an upstream gradient."""

        def derivatives(base: np.ndarray, *inputs: Any) -> tuple[Any, ...]:
            leaves = [x.detach().clone().requires_grad_() if isinstance(x, torch.Tensor) else x for x in inputs]
            tensors = [x for x in leaves if isinstance(x, torch.Tensor)]
            found = iter(torch.autograd.grad(operation(*leaves), tensors, torch.tensor(base)))
            return tuple(next(found) if isinstance(x, torch.Tensor) else None for x in leaves)

        return derivatives

    def total(x: Any, axis: Any = None) -> Any:
        return x.sum() if axis is None else x.sum(axis)

    return {
        "MyTensor": tensor,
        "Parameter": parameter,
        "MyModule": torch.nn.Module,
        "Linear": Linear,
        "matmul": torch.matmul,
        "ReLU": torch.nn.ReLU,
        "SGD": SGD,
        "MSELoss": torch.nn.MSELoss,
        "sum": total,
        "answer": answer,
        "strides_of": strides_of,
        "numeric_derivative": numeric_derivative,
        "unbroadcast": unbroadcast,
        "sub_deriv": rule(torch.sub),
        "mul_deriv": rule(torch.mul),
        "div_deriv": rule(torch.div),
        "pow_deriv": rule(torch.pow),
        "np": np,
    }


ORACLE = Oracle(in_pytorch, lambda precision: Library(precision=precision))
names, values, steady = ORACLE.names, ORACLE.values, ORACLE.steady


def linear(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, base: np.ndarray) -> SimpleNamespace:
    """What a linear layer gives, and its gradients.

    Args:
        x: shape (input_size,) or (n, input_size).
        weight: shape (output_size, input_size).
        bias: shape (output_size,).
        base: the upstream gradient, in the output's shape.
    """
    library = ORACLE.library()
    known = library.names()
    leaves = [known["MyTensor"](array, requires_grad=True) for array in (x, weight.T, bias)]
    y = known["matmul"](leaves[0], leaves[1]) + leaves[2]
    y.backward(known["MyTensor"](base))
    found = [library.plain(value) for value in (y, *(leaf.grad for leaf in leaves))]
    return SimpleNamespace(y=found[0], x=found[1], weight=found[2].T, bias=found[3])
