import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from tqdm import tqdm


class MyCrossBackward:
    """One operation of the graph: its inputs, and the rule that differentiates it. (Given.)"""

    def __init__(self, *args: Any, backward_function: Callable[..., Any], name: str) -> None:
        self.inputs = args
        self.__rule = backward_function
        self.__name = name

    def __str__(self) -> str:
        return self.__name

    def __call__(self, x: np.ndarray) -> Any:
        """`op(x)` is the same as `op.run(x)`."""
        return self.run(x)

    def run(self, base: np.ndarray) -> Any:
        """Apply the rule."""
        gradients = self.__rule(base, *self.inputs)
        if isinstance(gradients, (np.ndarray, np.generic)):  # whoever takes one after the other would get its rows
            raise TypeError(f"the rule of {self} must return a tuple, with one gradient for each input")
        return gradients


class MyTensor:
    """An n-dimensional array that can record the operations it takes part in."""

    # An ndarray on the left (array + tensor) leaves the work to our reflected operators.
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        # first look if we can use this kind of data
        if isinstance(data, bool):
            raise TypeError("True and False are no numbers for a tensor")
        if not isinstance(data, (list, tuple, np.ndarray, np.number, int, float)):
            raise TypeError("cannot make a tensor from " + str(type(data)))
        # np.array makes a copy
        array = np.array(data, dtype=dtype)
        if array.dtype.kind not in "biufc":
            raise TypeError("cannot make a tensor with elements of type " + str(array.dtype))
        # whole numbers cannot be trained
        if requires_grad == True and array.dtype.kind in "biu":
            array = array.astype(np.float64)
        self.__data = array
        self.dtype = array.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack

    @property
    def shape(self):
        return self.__data.shape

    @property
    def strides(self):
        return self.__data.strides

    @property
    def data(self):
        return self.__data

    @property
    def size(self):
        return self.__data.size

    def __repr__(self):
        text = "MyTensor(" + str(self.__data)
        text = text + ", requires_grad=" + str(self.requires_grad) + ")"
        return text

    def __str__(self):
        return self.__repr__()

    def __getitem__(self, index):
        return self.__data[index]

    def __setitem__(self, index, value):
        if self.requires_grad:
            raise RuntimeError("this tensor requires a gradient, you cannot write into it")
        if isinstance(value, MyTensor):
            value = value.data
        self.__data[index] = value

    # ---- plus ----
    def __add__(self, other):
        if isinstance(other, MyTensor):
            b = other
        else:
            b = MyTensor(other)
        result = self.data + b.data
        if self.requires_grad or b.requires_grad:
            op = MyCrossBackward(self, b, backward_function=add_deriv, name="AddBackward")
            return MyTensor(result, requires_grad=True, crossOpBack=op)
        else:
            return MyTensor(result)

    def __radd__(self, other):
        # other + self is the same as self + other
        return self + other

    # ---- minus ----
    def __sub__(self, other):
        if isinstance(other, MyTensor):
            b = other
        else:
            b = MyTensor(other)
        result = self.data - b.data
        if self.requires_grad or b.requires_grad:
            op = MyCrossBackward(self, b, backward_function=sub_deriv, name="SubBackward")
            return MyTensor(result, requires_grad=True, crossOpBack=op)
        else:
            return MyTensor(result)

    def __rsub__(self, other):
        # other - self: the other one stands on the left
        left = MyTensor(other)
        return left - self

    # ---- times ----
    def __mul__(self, other):
        if isinstance(other, MyTensor):
            b = other
        else:
            b = MyTensor(other)
        result = self.data * b.data
        if self.requires_grad or b.requires_grad:
            op = MyCrossBackward(self, b, backward_function=mul_deriv, name="MulBackward")
            return MyTensor(result, requires_grad=True, crossOpBack=op)
        else:
            return MyTensor(result)

    def __rmul__(self, other):
        # other * self is the same as self * other
        return self * other

    # ---- divided by ----
    def __truediv__(self, other):
        if isinstance(other, MyTensor):
            b = other
        else:
            b = MyTensor(other)
        result = self.data / b.data
        if self.requires_grad or b.requires_grad:
            op = MyCrossBackward(self, b, backward_function=div_deriv, name="DivBackward")
            return MyTensor(result, requires_grad=True, crossOpBack=op)
        else:
            return MyTensor(result)

    def __rtruediv__(self, other):
        # other / self: the other one stands on top
        top = MyTensor(other)
        return top / self

    # ---- power ----
    def __pow__(self, power):
        if not isinstance(power, (int, float, np.number)):
            raise TypeError("the power must be a number")
        result = self.data ** power
        if self.requires_grad:
            op = MyCrossBackward(self, power, backward_function=pow_deriv, name="PowBackward")
            return MyTensor(result, requires_grad=True, crossOpBack=op)
        else:
            return MyTensor(result)

    # ---- unary minus ----
    def __neg__(self):
        result = -self.data
        if self.requires_grad:
            op = MyCrossBackward(self, backward_function=neg_deriv, name="NegBackward")
            return MyTensor(result, requires_grad=True, crossOpBack=op)
        else:
            return MyTensor(result)

    def backward(self, base=None):
        if self.requires_grad == False:
            return

        # where to start
        if base is None:
            start = np.ones(self.shape, dtype=self.dtype)
        else:
            start = np.array(base.data, dtype=self.dtype)

        # Step 1: count how often each tensor is used as an input.
        consumers = {}
        seen = {}
        to_visit = [self]
        seen[self] = True
        while len(to_visit) > 0:
            tensor = to_visit.pop()
            if tensor.backward_op is None:
                continue
            for input in tensor.backward_op.inputs:
                if not isinstance(input, MyTensor):
                    continue
                if input.requires_grad == False:
                    continue
                if input in consumers:
                    consumers[input] = consumers[input] + 1
                else:
                    consumers[input] = 1
                if input not in seen:
                    seen[input] = True
                    to_visit.append(input)

        # Step 2: start with the result.
        gradients = {}
        gradients[self] = start
        ready = [self]

        while len(ready) > 0:
            # Step 3: take one that is ready
            tensor = ready.pop()
            gradient = gradients[tensor]
            del gradients[tensor]
            if tensor.backward_op is None:
                # a leaf: add it
                if tensor.grad is None:
                    tensor.grad = np.array(gradient, dtype=tensor.dtype)
                else:
                    tensor.grad = np.array(tensor.grad + gradient, dtype=tensor.dtype)
            else:
                # Step 4: not a leaf: hand it on
                shares = tensor.backward_op(gradient)
                number = 0
                for input in tensor.backward_op.inputs:
                    share = shares[number]
                    number = number + 1
                    if not isinstance(input, MyTensor):
                        continue
                    if input.requires_grad == False:
                        continue
                    if input in gradients:
                        gradients[input] = gradients[input] + share
                    else:
                        gradients[input] = share
                    consumers[input] = consumers[input] - 1
                    if consumers[input] == 0:
                        ready.append(input)


def unbroadcast(gradient, shape):
    """Undo broadcasting: sum `gradient` over the axes that were stretched, down to `shape`."""
    # the extra dimensions in front
    while gradient.ndim > len(shape):
        gradient = gradient.sum(axis=0)
    # those that had length 1
    for i in range(len(shape)):
        if shape[i] == 1:
            gradient = gradient.sum(axis=i, keepdims=True)
    return np.asarray(gradient)


def add_deriv(base, *tensors):
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(base, right.shape)


def sub_deriv(base, *tensors):
    left, right = tensors
    grad_left = base
    grad_right = -base
    return unbroadcast(grad_left, left.shape), unbroadcast(grad_right, right.shape)


def mul_deriv(base, *tensors):
    left, right = tensors
    grad_left = base * right.data
    grad_right = base * left.data
    return unbroadcast(grad_left, left.shape), unbroadcast(grad_right, right.shape)


def div_deriv(base, *tensors):
    left, right = tensors
    grad_left = base / right.data
    grad_right = -base * left.data / (right.data * right.data)
    return unbroadcast(grad_left, left.shape), unbroadcast(grad_right, right.shape)


def pow_deriv(base, *args):
    tensor, power = args
    if power == 0:
        # x**0 is always 1
        grad = np.zeros(tensor.shape)
    else:
        grad = base * power * tensor.data ** (power - 1)
    return grad, None


def neg_deriv(base, *tensors):
    return (-base,)


tensor_a = MyTensor([3, 4, 5, 6, 7])


class Parameter:
    """A tensor that training changes. (Given.)"""

    def __init__(self, tensor: MyTensor) -> None:
        if not np.issubdtype(tensor.data.dtype, np.floating):  # small steps would be lost in integers
            tensor = MyTensor(tensor.data, dtype=np.float64)
        self.tensor: MyTensor = tensor
        self.tensor.requires_grad = True
        self.__name: str | None = None

    @property
    def name(self) -> str | None:
        return self.__name

    @name.setter
    def name(self, x: str) -> None:
        self.__name = x


class MyModule:
    """A part of a network: it owns parameters and smaller modules, and computes with them."""

    def __init__(self) -> None:
        self.__parameters: dict[str, Parameter] = {}
        self.__sub_modules: dict[str, MyModule] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        """Called by Python for every `self.name = value`: register parameters and sub-modules. (Given.)"""
        if isinstance(value, (Parameter, MyModule)) and "_MyModule__sub_modules" not in self.__dict__:
            raise RuntimeError(f"call super().__init__() in {type(self).__name__}.__init__ before setting {name}")
        # What stood under this name before is registered no longer.
        self.__dict__.get("_MyModule__parameters", {}).pop(name, None)
        self.__dict__.get("_MyModule__sub_modules", {}).pop(name, None)
        if isinstance(value, Parameter):
            value.name = value.name or name  # a shared parameter keeps its first name
            self.__parameters[name] = value
        elif isinstance(value, MyModule) and value is not self:
            self.__sub_modules[name] = value
        super().__setattr__(name, value)

    def __call__(self, x: Any) -> Any:
        """`module(x)` is `module.forward(x)`, which the subclass defines."""
        return self.forward(x)

    def parameters(self):
        """All parameters of this module and of the modules in it, each one once."""
        everything = []
        # my own
        for parameter in self.__parameters.values():
            everything.append(parameter)
        # those of my sub-modules
        for module in self.__sub_modules.values():
            for parameter in module.parameters():
                everything.append(parameter)
        # each one only once
        result = []
        for parameter in everything:
            already_there = False
            for other in result:
                if other is parameter:
                    already_there = True
            if not already_there:
                result.append(parameter)
        return result


def matmul_deriv(base, *tensors):
    """left @ right: (n, k) @ (k, m) -> (n, m), or for one row (k,) @ (k, m) -> (m,)"""
    left, right = tensors
    if len(left.shape) == 1:
        # one row: make it a matrix
        row = left.data.reshape(1, -1)
        base_row = base.reshape(1, -1)
        grad_left = base_row @ right.data.T
        grad_left = grad_left.reshape(left.shape)
        grad_right = row.T @ base_row
    else:
        grad_left = base @ right.data.T
        grad_right = left.data.T @ base
    return grad_left, grad_right


def matmul(a, b):
    """The matrix product of a, (n, k) or (k,), and b, (k, m), recorded when one of them requires a gradient."""
    result = a.data @ b.data
    if a.requires_grad or b.requires_grad:
        op = MyCrossBackward(a, b, backward_function=matmul_deriv, name="MatmulBackward")
        return MyTensor(result, requires_grad=True, crossOpBack=op)
    else:
        return MyTensor(result)


class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, input_size, output_size):
        super().__init__()
        bound = 1 / np.sqrt(input_size)
        numbers = np.random.uniform(-bound, bound, (input_size, output_size))
        self.weight = Parameter(MyTensor(numbers))
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x):
        product = matmul(x, self.weight.tensor)
        return product + self.bias.tensor


def relu(x):
    """max(x, 0), element by element"""
    values = np.maximum(x.data, 0)
    if x.requires_grad:
        op = MyCrossBackward(x, backward_function=relu_deriv, name="ReluBackward")
        return MyTensor(values, requires_grad=True, crossOpBack=op)
    else:
        return MyTensor(values)


def relu_deriv(base, *tensors):
    x = tensors[0]
    mask = x.data > 0
    return (base * mask,)


class ReLU(MyModule):
    """The relu function as a module: it has no parameters. (Given.)"""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: MyTensor) -> MyTensor:
        return relu(x)


class SGD:
    """Stochastic gradient descent."""

    def __init__(self, parameters: list[Parameter], lr: float = 1e-2) -> None:
        self.lr = lr
        self.params = list(parameters)  # a list, not a generator: it is walked at every step

    def zero_grad(self):
        """Forget the gradients: set the grad of every parameter to None."""
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        """Move every parameter that has a gradient a little downhill, in place."""
        for parameter in self.params:
            gradient = parameter.tensor.grad
            if gradient is not None:
                data = parameter.tensor.data
                data -= self.lr * gradient


def sum_deriv(base, *args):
    """sum(x, axis). The axis gets no gradient, so None."""
    x, axis = args
    if axis is not None:
        base = np.expand_dims(base, axis)
    gradient = base * np.ones_like(x.data)
    return gradient, None


def sum(x, axis=None):
    """The sum over `axis` (None: over all elements). (Given; from here on it hides Python's own sum.)"""
    result = x.data.sum(axis=axis)
    if x.requires_grad:
        op = MyCrossBackward(x, axis, backward_function=sum_deriv, name="SumBackward")
        return MyTensor(result, requires_grad=True, crossOpBack=op)
    return MyTensor(result)


class MSELoss:
    """Mean squared error."""

    def __call__(self, y, y_target):
        """The mean of (y - y_target)**2 over all elements: a scalar tensor."""
        difference = y - y_target
        squares = difference ** 2
        total = sum(squares)
        return total / difference.size


class SuperModel(MyModule):
    """Maps a batch of images, shape (n, 64), to one score per digit, shape (n, 10)."""

    def __init__(self):
        super().__init__()
        self.hidden = Linear(64, 32)
        self.relu = ReLU()
        self.output = Linear(32, 10)

    def forward(self, x):
        x = self.hidden(x)
        x = self.relu(x)
        x = self.output(x)
        return x


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    """Train the model on mini-batches."""
    losses = []
    loss_function = MSELoss()
    optimizer = SGD(model.parameters(), lr=lr)
    if live:
        epoch_numbers = range(epochs)
    else:
        epoch_numbers = tqdm(range(epochs), file=sys.stdout)
    for epoch in epoch_numbers:
        order = np.random.permutation(len(images))
        loss_sum = 0.0
        start = 0
        while start < len(order):
            batch = order[start : start + batch_size]
            x = MyTensor(images[batch])
            target = MyTensor(targets[batch])
            optimizer.zero_grad()
            y = model(x)
            loss = loss_function(y, target)
            loss.backward()
            optimizer.step()
            loss_sum = loss_sum + float(loss.data) * len(batch)
            start = start + batch_size
        losses.append(loss_sum / len(images))
        if live:
            live(losses[-1])
    return losses
