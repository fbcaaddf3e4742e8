# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Classify

# %%
import minitorch

# minitorch.use("../workshop/workshop.ipynb")  # your own library in place of the kit's

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import tests
from minitorch import MyCrossBackward, MyTensor, Parameter, extends
from minitorch import Linear, MSELoss, MyModule, ReLU, matmul, train

# %% [markdown]
# ## Functions
#
# ### Exponential and logarithm

# %% nbgrader={"grade": false, "grade_id": "exp_log", "locked": false, "schema_version": 3, "solution": true, "task": false}
def record(values: np.ndarray, rule: Callable, name: str, x: MyTensor, *more: Any) -> MyTensor:
    """A tensor of these values, which remembers how it was made if x requires a gradient. (Given.)

    Args:
        rule: called with the upstream gradient, x and all of `more`; gives one gradient for each of
            them, None for what is no tensor.
        name: of the operation, such as "ExpBackward".
        more: what else the rule needs, such as an axis.
    """
    if not x.requires_grad:
        return MyTensor(values)
    op = MyCrossBackward(x, *more, backward_function=rule, name=name)
    return MyTensor(values, requires_grad=True, crossOpBack=op)


def exp_deriv(base: np.ndarray, x: MyTensor) -> tuple[np.ndarray]:
    """exp(x), element by element"""
    ### BEGIN SOLUTION
    return (base * np.exp(x.data),)
    ### END SOLUTION


def log_deriv(base: np.ndarray, x: MyTensor) -> tuple[np.ndarray]:
    """log(x), element by element"""
    ### BEGIN SOLUTION
    return (base / x.data,)
    ### END SOLUTION


@extends
class MyTensor(MyTensor):
    """Goes on with the class of minitorch.py."""

    def exp(self) -> "MyTensor":
        """e to the power of each element."""
        ### BEGIN SOLUTION
        return record(np.exp(self.data), exp_deriv, "ExpBackward", self)
        ### END SOLUTION

    def log(self) -> "MyTensor":
        """The natural logarithm of each element."""
        ### BEGIN SOLUTION
        return record(np.log(self.data), log_deriv, "LogBackward", self)
        ### END SOLUTION

# %%
tests.test_functions(MyTensor, until="exp_log")

# %% [markdown]
# ### Sums and means

# %% nbgrader={"grade": false, "grade_id": "sums", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sum_deriv(
    base: np.ndarray, x: MyTensor, axis: int | None, keepdims: bool
) -> tuple[np.ndarray, None, None]:
    """x.sum(axis, keepdims). Axis and keepdims get no gradient, so None."""
    ### BEGIN SOLUTION
    if axis is not None and not keepdims:
        base = np.expand_dims(base, axis)  # put the axis back, with length 1
    return base * np.ones_like(x.data), None, None  # every element has the same share
    ### END SOLUTION


@extends
class MyTensor(MyTensor):
    """Goes on with the class of minitorch.py."""

    def sum(self, axis: int | None = None, keepdims: bool = False) -> "MyTensor":
        """The sum over an axis (None: over all elements).

        Args:
            axis: the dimension that is summed; negative ones count from the last.
            keepdims: whether it stays, with length 1.
        """
        ### BEGIN SOLUTION
        values = self.data.sum(axis=axis, keepdims=keepdims)
        return record(values, sum_deriv, "SumBackward", self, axis, keepdims)
        ### END SOLUTION

    def mean(self, axis: int | None = None, keepdims: bool = False) -> "MyTensor":
        """The mean over an axis (None: over all elements)."""
        ### BEGIN SOLUTION
        count = self.size if axis is None else self.shape[axis]
        return self.sum(axis, keepdims) / count
        ### END SOLUTION

# %%
tests.test_functions(MyTensor, until="sums")

# %% [markdown]
# ### Maximum

# %% nbgrader={"grade": false, "grade_id": "functions", "locked": false, "schema_version": 3, "solution": true, "task": false}
def max_deriv(
    base: np.ndarray, x: MyTensor, axis: int | None, keepdims: bool
) -> tuple[np.ndarray, None, None]:
    """x.max(axis, keepdims). Axis and keepdims get no gradient, so None."""
    ### BEGIN SOLUTION
    if axis is not None and not keepdims:
        base = np.expand_dims(base, axis)
    largest = x.data == x.data.max(axis=axis, keepdims=True)
    return base * largest / largest.sum(axis=axis, keepdims=True), None, None
    ### END SOLUTION


@extends
class MyTensor(MyTensor):
    """Goes on with the class of minitorch.py."""

    def max(self, axis: int | None = None, keepdims: bool = False) -> "MyTensor":
        """The largest element along an axis (None: of all elements)."""
        ### BEGIN SOLUTION
        values = self.data.max(axis=axis, keepdims=keepdims)
        return record(values, max_deriv, "MaxBackward", self, axis, keepdims)
        ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_functions", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_functions(MyTensor)

# %% [markdown]
# ## Cross-entropy
#
# ### Softmax

# %% nbgrader={"grade": false, "grade_id": "softmax", "locked": false, "schema_version": 3, "solution": true, "task": false}
def softmax(x: MyTensor, axis: int = -1) -> MyTensor:
    """Probabilities, positive and with the sum 1 along an axis, from scores of any size."""
    ### BEGIN SOLUTION
    highest = MyTensor(x.data.max(axis=axis, keepdims=True))  # a constant: it changes no result
    powers = (x - highest).exp()
    return powers / powers.sum(axis, keepdims=True)
    ### END SOLUTION

# %%
tests.test_cross_entropy(softmax, None, None, MyTensor, until="softmax")

# %% [markdown]
# ### Log-softmax

# %% nbgrader={"grade": false, "grade_id": "log_softmax", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_softmax(x: MyTensor, axis: int = -1) -> MyTensor:
    """The logarithm of softmax(x, axis), also where that is too small for a number."""
    ### BEGIN SOLUTION
    shifted = x - MyTensor(x.data.max(axis=axis, keepdims=True))
    return shifted - shifted.exp().sum(axis, keepdims=True).log()
    ### END SOLUTION

# %%
tests.test_cross_entropy(softmax, log_softmax, None, MyTensor, until="log_softmax")

# %% [markdown]
# ### The loss

# %% nbgrader={"grade": false, "grade_id": "cross_entropy", "locked": false, "schema_version": 3, "solution": true, "task": false}
class CrossEntropyLoss:
    """How far probabilities are from the right answers."""

    def __call__(self, scores: MyTensor, labels: np.ndarray) -> MyTensor:
        """The mean over all rows of minus the logarithm of the right class's probability.

        Args:
            scores: one for each class in each row, shape (n, classes).
            labels: the right class of each row, whole numbers, shape (n,).

        Returns:
            A scalar tensor.
        """
        ### BEGIN SOLUTION
        chosen = np.zeros(scores.shape, scores.dtype)
        chosen[np.arange(len(labels)), labels] = 1  # a mask: indexing would leave the graph
        return -(log_softmax(scores) * MyTensor(chosen)).sum() / len(labels)
        ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_cross_entropy", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_cross_entropy(softmax, log_softmax, CrossEntropyLoss, MyTensor)

# %% [markdown]
# ## Optimizers
#
# ### Momentum and weight decay

# %% nbgrader={"grade": false, "grade_id": "momentum", "locked": false, "schema_version": 3, "solution": true, "task": false}
class SGD:
    """Stochastic gradient descent, with momentum and weight decay."""

    def __init__(
        self,
        parameters: list[Parameter],
        lr: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        self.params = list(parameters)
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        ### BEGIN SOLUTION
        self.velocities: dict[Parameter, np.ndarray] = {}
        ### END SOLUTION

    def zero_grad(self) -> None:
        """Forget the gradients. (Given.)"""
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient, in place."""
        ### BEGIN SOLUTION
        for parameter in self.params:
            tensor = parameter.tensor
            if tensor.grad is None:
                continue
            data = tensor.data
            push = tensor.grad.data + self.weight_decay * data
            if self.momentum:
                push = push + self.momentum * self.velocities.get(parameter, 0.0)
                self.velocities[parameter] = push
            data -= self.lr * push
        ### END SOLUTION

# %%
tests.test_optimizers(SGD, None, None, MyTensor, Parameter, until="sgd")

# %% [markdown]
# ### Adam

# %% nbgrader={"grade": false, "grade_id": "adam", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Adam:
    """Steps of about the same size for every parameter, whatever the size of its gradients."""

    def __init__(
        self,
        parameters: list[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        self.params = list(parameters)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        ### BEGIN SOLUTION
        self.state: dict[Parameter, tuple[int, Any, Any]] = {}  # steps taken, and both means
        ### END SOLUTION

    def zero_grad(self) -> None:
        """Forget the gradients. (Given.)"""
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient, in place."""
        ### BEGIN SOLUTION
        for parameter in self.params:
            tensor = parameter.tensor
            if tensor.grad is not None:
                data = tensor.data
                data -= self.lr * self.direction(parameter, self.decayed(tensor))

    def decayed(self, tensor: MyTensor) -> np.ndarray:
        """The gradient, with the weight decay in it."""
        if not self.weight_decay:
            return tensor.grad.data
        return tensor.grad.data + self.weight_decay * tensor.data

    def direction(self, parameter: Parameter, gradient: np.ndarray) -> np.ndarray:
        """Where to go, by Kingma and Ba (2015); it counts as a step of this parameter."""
        beta1, beta2 = self.betas
        steps, mean, square = self.state.get(parameter, (0, 0.0, 0.0))
        steps += 1
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient**2
        self.state[parameter] = steps, mean, square  # as they are, not corrected
        return mean / (1 - beta1**steps) / (np.sqrt(square / (1 - beta2**steps)) + self.eps)
        ### END SOLUTION

# %%
tests.test_optimizers(SGD, Adam, None, MyTensor, Parameter, until="adam")

# %% [markdown]
# ### AdamW

# %% nbgrader={"grade": false, "grade_id": "optimizers", "locked": false, "schema_version": 3, "solution": true, "task": false}
class AdamW(Adam):
    """Adam, with the weight decay beside the gradient and not in it."""

    def __init__(
        self,
        parameters: list[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay)

    ### BEGIN SOLUTION
    def decayed(self, tensor: MyTensor) -> np.ndarray:
        """The gradient as it is; the weights themselves shrink first."""
        data = tensor.data
        data *= 1 - self.lr * self.weight_decay
        return tensor.grad.data
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_optimizers", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_optimizers(SGD, Adam, AdamW, MyTensor, Parameter)

# %% [markdown]
# ## Modes
#
# ### Training and evaluation

# %% nbgrader={"grade": false, "grade_id": "training", "locked": false, "schema_version": 3, "solution": true, "task": false}
@extends
class MyModule(MyModule):
    """Goes on with the class of minitorch.py."""

    training = True  # of a class, all its objects have it, until they get one of their own

    def train(self) -> "MyModule":
        """Set `training` to True, here and in all modules below; returns this module."""
        ### BEGIN SOLUTION
        return self.__set_training(True)
        ### END SOLUTION

    def eval(self) -> "MyModule":
        """Set `training` to False, here and in all modules below; returns this module."""
        ### BEGIN SOLUTION
        return self.__set_training(False)

    def __set_training(self, training: bool) -> "MyModule":
        self.training = training
        for module in self.__sub_modules.values():
            module.__set_training(training)
        return self
        ### END SOLUTION

# %%
tests.test_modes(MyModule, None, None, MyTensor, Parameter, until="modes")

# %% [markdown]
# ### Dropout

# %% nbgrader={"grade": false, "grade_id": "dropout", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Dropout(MyModule):
    """While training, drops each element with probability p, and scales the others by 1 / (1 - p)."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: MyTensor) -> MyTensor:
        """Of any shape."""
        ### BEGIN SOLUTION
        if not self.training or self.p == 0:
            return x
        kept = np.random.random(x.shape) >= self.p
        return x * MyTensor(kept / (1 - self.p), dtype=x.dtype)
        ### END SOLUTION

# %%
tests.test_modes(MyModule, Dropout, None, MyTensor, Parameter, until="dropout")

# %% [markdown]
# ### no_grad

# %% nbgrader={"grade": false, "grade_id": "modes", "locked": false, "schema_version": 3, "solution": true, "task": false}
class no_grad:
    """`with no_grad():` what is computed inside is not recorded."""

    inside = 0  # of how many such blocks the program is

    ### BEGIN SOLUTION
    def __enter__(self) -> None:
        no_grad.inside += 1

    def __exit__(self, *exception: Any) -> None:
        no_grad.inside -= 1
    ### END SOLUTION


@extends
class MyTensor(MyTensor):
    """Goes on with the class of minitorch.py. (Given.)"""

    # The constructor as it was, also when this cell has run before.
    construct = getattr(MyTensor, "construct", MyTensor.__init__)

    def __init__(
        self,
        data: Any,
        dtype: Any = None,
        requires_grad: bool = False,
        crossOpBack: MyCrossBackward | None = None,
    ) -> None:
        if no_grad.inside and crossOpBack is not None:  # the result of an operation
            requires_grad, crossOpBack = False, None
        self.construct(data, dtype, requires_grad, crossOpBack)

# %% nbgrader={"grade": true, "grade_id": "test_modes", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_modes(MyModule, Dropout, no_grad, MyTensor, Parameter)

# %% [markdown]
# ## Networks
#
# ### Sequential

# %% nbgrader={"grade": false, "grade_id": "sequential", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Sequential(MyModule):
    """Modules one after the other."""

    def __init__(self, *modules: MyModule) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.modules = modules
        for number, module in enumerate(modules):
            setattr(self, str(number), module)  # which registers it
        ### END SOLUTION

    def forward(self, x: Any) -> Any:
        ### BEGIN SOLUTION
        for module in self.modules:
            x = module(x)
        return x
        ### END SOLUTION

# %%
tests.test_networks(Sequential, MyModule, None, MyTensor, Parameter, until="sequential")

# %% [markdown]
# ### Initialization

# %% nbgrader={"grade": false, "grade_id": "initialization", "locked": false, "schema_version": 3, "solution": true, "task": false}
def kaiming_normal(parameter: Parameter) -> None:
    """Fill the weight of a linear layer, shape (inputs, outputs), in place, with random numbers.

    They are normal, with the mean 0 and the standard deviation sqrt(2 / inputs).
    """
    ### BEGIN SOLUTION
    data = parameter.tensor.data
    data[...] = np.random.normal(0, np.sqrt(2 / data.shape[0]), data.shape)
    ### END SOLUTION

# %%
tests.test_networks(
    Sequential, MyModule, kaiming_normal, MyTensor, Parameter, until="initialization"
)

# %% [markdown]
# ### State dictionaries

# %% nbgrader={"grade": false, "grade_id": "networks", "locked": false, "schema_version": 3, "solution": true, "task": false}
@extends
class MyModule(MyModule):
    """Goes on with the class of minitorch.py."""

    def named_parameters(self, prefix: str = "") -> dict[str, Parameter]:
        """All parameters, by names such as "hidden.weight"."""
        ### BEGIN SOLUTION
        found = {prefix + name: parameter for name, parameter in self.__parameters.items()}
        for name, module in self.__sub_modules.items():
            found |= module.named_parameters(f"{prefix}{name}.")
        return found
        ### END SOLUTION

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all parameters' arrays, by these names."""
        ### BEGIN SOLUTION
        named = self.named_parameters().items()
        return {name: parameter.tensor.data.copy() for name, parameter in named}
        ### END SOLUTION

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Copy arrays into the parameters.

        Raises:
            KeyError: for a name that is missing, or too many.
            ValueError: for an array of another shape. Nothing is changed then.
        """
        ### BEGIN SOLUTION
        own = self.named_parameters()
        if missing := own.keys() - state.keys():
            raise KeyError(f"the state has no {', '.join(sorted(missing))}")
        if unknown := state.keys() - own.keys():
            raise KeyError(f"this module has no {', '.join(sorted(unknown))}")
        for name, parameter in own.items():
            shape, given = parameter.tensor.shape, np.shape(state[name])
            if given != shape:
                raise ValueError(f"{name} has shape {shape} here, and {given} in the state")
        for name, parameter in own.items():
            parameter.tensor.data[...] = state[name]
        ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_networks", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_networks(Sequential, MyModule, kaiming_normal, MyTensor, Parameter)

# %%
tests.progress()
