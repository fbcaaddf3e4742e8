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
# # Tiny
#
# Welcome. Tensors that differentiate themselves, as far as a small model needs them.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

import tests

# %% tags=["torch"]
import torch  # is shown to learners, and not run while grading

# %% [markdown]
# ## Tensor
#
# A tensor can be made of a list or a tuple, is read by its index, and computes with others.

# %% nbgrader={"grade": false, "grade_id": "tensor", "locked": false, "schema_version": 3, "solution": true, "task": false}
class MyCrossBackward:
    """One operation of the graph: its inputs, and the rule that differentiates it. (Given.)"""

    def __init__(self, *inputs, backward_function, name):
        self.inputs, self.rule, self.name = inputs, backward_function, name


class MyTensor:
    """An array that records the operations it takes part in."""

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        ### BEGIN SOLUTION
        array = np.array(data, dtype=dtype or np.float64)
        self.__data = array
        self.dtype, self.requires_grad, self.grad, self.backward_op = array.dtype, requires_grad, None, crossOpBack
        ### END SOLUTION

    ### BEGIN SOLUTION
    @property
    def shape(self):
        return self.__data.shape

    @property
    def data(self):
        return self.__data
    ### END SOLUTION

    def __repr__(self):
        text = "MyTensor(not written yet)"
        ### BEGIN SOLUTION
        text = f"MyTensor({self.__data}, requires_grad={self.requires_grad})"
        ### END SOLUTION
        return text

    ### BEGIN SOLUTION
    def __getitem__(self, index):
        return self.__data[index].copy()
    ### END SOLUTION

    # The operators: + - * /
    ### BEGIN SOLUTION
    def __binary(self, other, forward, rule, name):
        result, is_recorded = forward(self.__data, other.__data), self.requires_grad or other.requires_grad
        op = MyCrossBackward(self, other, backward_function=rule, name=name) if is_recorded else None
        return MyTensor(result, requires_grad=is_recorded, crossOpBack=op)

    def __add__(self, other):
        return self.__binary(other, np.add, add_deriv, "AddBackward")

    def __sub__(self, other):
        return self.__binary(other, np.subtract, sub_deriv, "SubBackward")

    def __mul__(self, other):
        return self.__binary(other, np.multiply, mul_deriv, "MulBackward")

    def __truediv__(self, other):
        return self.__binary(other, np.true_divide, div_deriv, "DivBackward")
    ### END SOLUTION

    def backward(self, base=None):
        """Add to the `grad` of every leaf its share of the gradient of this tensor."""
        ### BEGIN SOLUTION
        gradient = np.ones(self.shape) if base is None else base.data
        op = self.backward_op
        if op is None:
            self.grad = MyTensor(gradient if self.grad is None else self.grad.data + gradient)
            return
        for tensor, share in zip(op.inputs, op.rule(gradient, *op.inputs), strict=True):
            if tensor.requires_grad:
                tensor.backward(MyTensor(share))
        ### END SOLUTION


# The rules. `base` is the upstream gradient; a rule returns one gradient for each input.


def unbroadcast(gradient, shape):
    """Undo broadcasting: sum `gradient` over the axes that were stretched, down to `shape`."""
    ### BEGIN SOLUTION
    while gradient.ndim > len(shape):
        gradient = gradient.sum(axis=0)
    for axis, n in enumerate(shape):
        if gradient.shape[axis] != n:
            gradient = gradient.sum(axis=axis, keepdims=True)
    return gradient
    ### END SOLUTION


def add_deriv(base, *tensors):
    """left + right. (An example, given.)"""
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(base, right.shape)


def sub_deriv(base, *tensors):
    """left - right"""
    ### BEGIN SOLUTION
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(-base, right.shape)
    ### END SOLUTION


def mul_deriv(base, *tensors):
    """left * right, element by element"""
    ### BEGIN SOLUTION
    left, right = tensors
    return unbroadcast(base * right.data, left.shape), unbroadcast(base * left.data, right.shape)
    ### END SOLUTION


def div_deriv(base, *tensors):
    """left / right, element by element"""
    ### BEGIN SOLUTION
    left, right = tensors
    return unbroadcast(base / right.data, left.shape), unbroadcast(-base * left.data / right.data**2, right.shape)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_tensor", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_tensor(MyTensor)

# %% [markdown]
# ## Module
#
# A module has parameters, and modules.

# %% nbgrader={"grade": false, "grade_id": "module", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Parameter:
    """A tensor that training changes. (Given.)"""

    def __init__(self, tensor: MyTensor):
        self.tensor = tensor
        self.tensor.requires_grad = True


class MyModule:
    """A part of a network: it owns parameters and smaller modules, and computes with them."""

    def __init__(self):
        self.__parameters, self.__modules = {}, {}

    def __setattr__(self, name, value):
        """Called by Python for every `self.name = value`. (Given.)"""
        if isinstance(value, Parameter):
            self.__parameters[name] = value
        elif isinstance(value, MyModule):
            self.__modules[name] = value
        super().__setattr__(name, value)

    def __call__(self, x):
        return self.forward(x)

    def parameters(self):
        """All parameters of this module and of the modules in it, each one once."""
        ### BEGIN SOLUTION
        found = {id(parameter): parameter for parameter in self.__parameters.values()}
        for module in self.__modules.values():
            found |= {id(parameter): parameter for parameter in module.parameters()}
        return list(found.values())
        ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_module", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_module(MyModule, Parameter, MyTensor)

# %% [markdown]
# ## Matmul
#
# The product of matrices, which records itself.

# %% nbgrader={"grade": false, "grade_id": "matmul", "locked": false, "schema_version": 3, "solution": true, "task": false}
def matmul_deriv(base, *tensors):
    """left @ right"""
    ### BEGIN SOLUTION
    left, right = tensors
    return base @ right.data.T, left.data.T @ base
    ### END SOLUTION


def matmul(a, b):
    """The product of a and b, recorded when one of them requires a gradient."""
    ### BEGIN SOLUTION
    is_recorded = a.requires_grad or b.requires_grad
    op = MyCrossBackward(a, b, backward_function=matmul_deriv, name="MatmulBackward") if is_recorded else None
    return MyTensor(a.data @ b.data, requires_grad=is_recorded, crossOpBack=op)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_matmul", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_matmul(matmul, MyTensor)

# %% [markdown]
# ## Layers
#
# A layer multiplies by its weight and adds its bias; another one cuts what is negative.

# %% nbgrader={"grade": false, "grade_id": "layers", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, inputs, outputs):
        super().__init__()
        ### BEGIN SOLUTION
        self.weight = Parameter(MyTensor(np.random.uniform(-1, 1, (inputs, outputs))))
        self.bias = Parameter(MyTensor(np.zeros(outputs)))
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return matmul(x, self.weight.tensor) + self.bias.tensor
        ### END SOLUTION


class ReLU(MyModule):
    """max(x, 0), element by element"""

    def forward(self, x):
        ### BEGIN SOLUTION
        op = MyCrossBackward(x, backward_function=relu_deriv, name="ReluBackward") if x.requires_grad else None
        return MyTensor(np.maximum(x.data, 0), requires_grad=x.requires_grad, crossOpBack=op)
        ### END SOLUTION


### BEGIN SOLUTION
def relu_deriv(base, *tensors):
    (x,) = tensors
    return (base * (x.data > 0),)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_linear", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_linear(Linear, MyTensor)

# %% nbgrader={"grade": true, "grade_id": "test_relu", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_relu(ReLU, MyTensor)

# %% [markdown]
# ## Optimizer
#
# It takes steps downhill.

# %% nbgrader={"grade": false, "grade_id": "optimizer", "locked": false, "schema_version": 3, "solution": true, "task": false}
class SGD:
    """Gradient descent."""

    def __init__(self, parameters, lr=1e-2):
        self.lr = lr
        self.params = list(parameters)

    def zero_grad(self):
        """Forget the gradients."""
        ### BEGIN SOLUTION
        for parameter in self.params:
            parameter.tensor.grad = None
        ### END SOLUTION

    def step(self):
        """Move every parameter that has a gradient a little downhill, in place."""
        ### BEGIN SOLUTION
        for parameter in self.params:
            data, gradient = parameter.tensor.data, parameter.tensor.grad
            if gradient is not None:
                data -= self.lr * gradient.data
        ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_sgd", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_sgd(SGD, Parameter, MyTensor)

# %% [markdown]
# ## Loss
#
# How far something is off: the mean of the squares.

# %% nbgrader={"grade": false, "grade_id": "loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mean_deriv(base, *tensors):
    """The mean of all elements."""
    ### BEGIN SOLUTION
    (x,) = tensors
    return (base * np.ones(x.shape) / x.data.size,)
    ### END SOLUTION


class MSELoss:
    """Mean squared error."""

    def __call__(self, y, y_target):
        ### BEGIN SOLUTION
        difference = y - y_target
        square = difference * difference
        op = MyCrossBackward(square, backward_function=mean_deriv, name="MeanBackward") if y.requires_grad else None
        return MyTensor(square.data.mean(), requires_grad=y.requires_grad, crossOpBack=op)
        ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_mseloss", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_mseloss(MSELoss, MyTensor)

# %% [markdown]
# ## Model
#
# Four numbers become two.

# %% nbgrader={"grade": false, "grade_id": "model", "locked": false, "schema_version": 3, "solution": true, "task": false}
class SuperModel(MyModule):
    """Maps rows of four numbers to rows of two."""

    ### BEGIN SOLUTION
    def __init__(self):
        super().__init__()
        self.hidden, self.relu, self.output = Linear(4, 3), ReLU(), Linear(3, 2)

    def forward(self, x):
        return self.output(self.relu(self.hidden(x)))
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_model", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_model(SuperModel, MSELoss, SGD, MyTensor)

# %% [markdown]
# A file lies beside this notebook, and you can see how far you are.

# %%
np.loadtxt("data/numbers.csv", delimiter=",").shape

# %%
tests.progress()
