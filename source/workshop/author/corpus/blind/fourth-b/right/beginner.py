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
        gradients = self.__rule(base, *self.inputs)
        if isinstance(gradients, (np.ndarray, np.generic)):  # whoever takes one after the other would get its rows
            raise TypeError(f"the rule of {self} must return a tuple, with one gradient for each input")
        return gradients


class MyTensor:
    """An n-dimensional array that can record the operations it takes part in."""

    # An ndarray on the left (array + tensor) leaves the work to our reflected operators.
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None) -> None:
        # first look if the data is something we know
        ok = False
        if isinstance(data, list):
            ok = True
        if isinstance(data, tuple):
            ok = True
        if isinstance(data, np.ndarray):
            ok = True
        if isinstance(data, np.number):
            ok = True
        if isinstance(data, int) or isinstance(data, float):
            ok = True
        if not ok:
            raise TypeError("MyTensor cannot hold a " + type(data).__name__)

        try:
            array = np.array(data)
        except ValueError:
            raise TypeError("the rows of a MyTensor must have the same length")
        kind = array.dtype.kind
        if kind not in "biufc":
            raise TypeError("MyTensor can only hold numbers")

        # which type shall the elements have?
        if dtype is not None:
            array = array.astype(dtype)
        else:
            if kind == "b" or kind == "i" or kind == "u":
                array = array.astype(np.float64)

        self.__data = array
        self.dtype = array.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack

    @property
    def shape(self) -> tuple[int, ...]:
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

    def __repr__(self) -> str:
        text = "MyTensor("
        text = text + str(self.__data)
        text = text + ", requires_grad="
        text = text + str(self.requires_grad)
        text = text + ")"
        return text

    def __str__(self) -> str:
        return self.__repr__()

    def __getitem__(self, index):
        value = self.__data[index]
        if isinstance(value, np.ndarray):
            value = value.copy()
        return value

    def __setitem__(self, index, value):
        if isinstance(value, MyTensor):
            value = value.data
        self.__data[index] = value

    # ---- plus ----
    def __add__(self, other):
        if not isinstance(other, MyTensor):
            other = MyTensor(other)
        values = self.data + other.data
        if self.requires_grad or other.requires_grad:
            op = MyCrossBackward(self, other, backward_function=add_deriv, name="AddBackward")
            result = MyTensor(values, requires_grad=True, crossOpBack=op)
        else:
            result = MyTensor(values)
        return result

    def __radd__(self, other):
        other = MyTensor(other)
        return other + self

    # ---- minus ----
    def __sub__(self, other):
        if not isinstance(other, MyTensor):
            other = MyTensor(other)
        values = self.data - other.data
        if self.requires_grad or other.requires_grad:
            op = MyCrossBackward(self, other, backward_function=sub_deriv, name="SubBackward")
            result = MyTensor(values, requires_grad=True, crossOpBack=op)
        else:
            result = MyTensor(values)
        return result

    def __rsub__(self, other):
        other = MyTensor(other)
        return other - self

    # ---- times ----
    def __mul__(self, other):
        if not isinstance(other, MyTensor):
            other = MyTensor(other)
        values = self.data * other.data
        if self.requires_grad or other.requires_grad:
            op = MyCrossBackward(self, other, backward_function=mul_deriv, name="MulBackward")
            result = MyTensor(values, requires_grad=True, crossOpBack=op)
        else:
            result = MyTensor(values)
        return result

    def __rmul__(self, other):
        other = MyTensor(other)
        return other * self

    # ---- divided by ----
    def __truediv__(self, other):
        if not isinstance(other, MyTensor):
            other = MyTensor(other)
        values = self.data / other.data
        if self.requires_grad or other.requires_grad:
            op = MyCrossBackward(self, other, backward_function=div_deriv, name="DivBackward")
            result = MyTensor(values, requires_grad=True, crossOpBack=op)
        else:
            result = MyTensor(values)
        return result

    def __rtruediv__(self, other):
        other = MyTensor(other)
        return other / self

    # ---- to the power of ----
    def __pow__(self, power):
        if not isinstance(power, (int, float, np.number)):
            raise TypeError("the power must be a number")
        numbers = self.data
        if numbers.dtype.kind in "biu" and power < 0:
            numbers = numbers.astype(np.float64)
        values = numbers**power
        if self.requires_grad:
            op = MyCrossBackward(self, power, backward_function=pow_deriv, name="PowBackward")
            result = MyTensor(values, requires_grad=True, crossOpBack=op)
        else:
            result = MyTensor(values)
        return result

    # ---- minus in front ----
    def __neg__(self):
        values = -self.data
        if self.requires_grad:
            op = MyCrossBackward(self, backward_function=neg_deriv, name="NegBackward")
            result = MyTensor(values, requires_grad=True, crossOpBack=op)
        else:
            result = MyTensor(values)
        return result

    def backward(self, base=None) -> None:
        if not self.requires_grad:
            return

        # step 1: the first gradient
        if base is None:
            first_gradient = np.ones(self.shape)
        else:
            first_gradient = np.array(base.data)

        # step 2: put all tensors in an order in which the inputs come before the results
        order = []
        finished = set()
        opened = set()
        stack = [self]
        while len(stack) > 0:
            tensor = stack[-1]
            if id(tensor) in finished:
                stack.pop()
            elif id(tensor) in opened:
                # all its inputs are done now
                stack.pop()
                finished.add(id(tensor))
                order.append(tensor)
            else:
                opened.add(id(tensor))
                if tensor.backward_op is not None:
                    for parent in tensor.backward_op.inputs:
                        if isinstance(parent, MyTensor):
                            if parent.requires_grad and id(parent) not in finished:
                                stack.append(parent)

        # step 3: walk through the order from its end
        gradients = {}
        gradients[id(self)] = first_gradient
        position = len(order) - 1
        while position >= 0:
            tensor = order[position]
            gradient = gradients[id(tensor)]
            if tensor.backward_op is None:
                # a leaf: keep it
                if tensor.grad is None:
                    tensor.grad = np.array(gradient)
                else:
                    tensor.grad = np.array(tensor.grad + gradient)
            else:
                inputs = tensor.backward_op.inputs
                shares = tensor.backward_op.run(gradient)
                for number in range(len(inputs)):
                    parent = inputs[number]
                    share = shares[number]
                    if isinstance(parent, MyTensor) and parent.requires_grad:
                        if id(parent) in gradients:
                            gradients[id(parent)] = gradients[id(parent)] + share
                        else:
                            gradients[id(parent)] = share
            position = position - 1


def unbroadcast(gradient, shape):
    """Undo broadcasting: sum `gradient` over the axes that were stretched, down to `shape`."""
    gradient = np.asarray(gradient)
    # dimensions in front that are not in shape at all
    while gradient.ndim > len(shape):
        gradient = gradient.sum(axis=0)
    # dimensions of length 1
    for axis in range(len(shape)):
        if shape[axis] == 1:
            gradient = gradient.sum(axis=axis, keepdims=True)
    return gradient


def add_deriv(base, *tensors):
    """left + right. (An example, given.)"""
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(base, right.shape)


def sub_deriv(base, *tensors):
    """left - right"""
    left, right = tensors
    left_gradient = unbroadcast(base, left.shape)
    right_gradient = unbroadcast(-base, right.shape)
    return left_gradient, right_gradient


def mul_deriv(base, *tensors):
    """left * right, element by element"""
    left, right = tensors
    left_gradient = base * right.data
    right_gradient = base * left.data
    left_gradient = unbroadcast(left_gradient, left.shape)
    right_gradient = unbroadcast(right_gradient, right.shape)
    return left_gradient, right_gradient


def div_deriv(base, *tensors):
    """left / right, element by element"""
    left, right = tensors
    left_gradient = base / right.data
    squared = right.data * right.data
    right_gradient = -base * left.data / squared
    left_gradient = unbroadcast(left_gradient, left.shape)
    right_gradient = unbroadcast(right_gradient, right.shape)
    return left_gradient, right_gradient


def pow_deriv(base, *args):
    """tensor ** power. The power is a number: it gets no gradient, so None."""
    tensor, power = args
    if power == 0:
        gradient = np.zeros(tensor.shape)
    else:
        numbers = tensor.data
        if numbers.dtype.kind != "f":
            numbers = numbers.astype(np.float64)
        slope = power * numbers ** (power - 1)
        gradient = base * slope
    return gradient, None


def neg_deriv(base, *tensors):
    """-x"""
    gradient = -base
    return (gradient,)


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

    def parameters(self) -> list[Parameter]:
        """All parameters of this module and of the modules in it, each one once."""
        found = []
        found_ids = []
        for parameter in self.__parameters.values():
            if id(parameter) not in found_ids:
                found.append(parameter)
                found_ids.append(id(parameter))
        for module in self.__sub_modules.values():
            for parameter in module.parameters():
                if id(parameter) not in found_ids:
                    found.append(parameter)
                    found_ids.append(id(parameter))
        return found


def matmul_deriv(base, *tensors):
    """left @ right: (n, k) @ (k, m) -> (n, m), or for one row (k,) @ (k, m) -> (m,)"""
    left, right = tensors
    left_matrix = left.data
    base_matrix = base
    if len(left.shape) == 1:
        left_matrix = left_matrix.reshape(1, -1)
        base_matrix = base_matrix.reshape(1, -1)
    left_gradient = base_matrix @ right.data.T
    right_gradient = left_matrix.T @ base_matrix
    left_gradient = left_gradient.reshape(left.shape)
    return left_gradient, right_gradient


def matmul(a, b):
    """The matrix product of a, (n, k) or (k,), and b, (k, m), recorded when one of them requires a gradient."""
    values = a.data @ b.data
    if a.requires_grad or b.requires_grad:
        op = MyCrossBackward(a, b, backward_function=matmul_deriv, name="MatmulBackward")
        return MyTensor(values, requires_grad=True, crossOpBack=op)
    else:
        return MyTensor(values)


class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        bound = 1 / np.sqrt(input_size)
        random_numbers = np.random.uniform(-bound, bound, (input_size, output_size))
        zeros = np.zeros(output_size)
        self.weight = Parameter(MyTensor(random_numbers))
        self.bias = Parameter(MyTensor(zeros))

    def forward(self, x):
        product = matmul(x, self.weight.tensor)
        shifted = product + self.bias.tensor
        return shifted


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

    def __init__(self, parameters, lr=1e-2) -> None:
        self.lr = lr
        self.params = list(parameters)  # a list, not a generator: it is walked at every step

    def zero_grad(self) -> None:
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self) -> None:
        for parameter in self.params:
            gradient = parameter.tensor.grad
            if gradient is not None:
                data = parameter.tensor.data
                change = self.lr * gradient
                data -= change


def sum_deriv(base, *args):
    """sum(x, axis). The axis gets no gradient, so None."""
    x, axis = args
    if axis is not None:
        base = np.expand_dims(base, axis)
    gradient = base * np.ones(x.shape)
    return gradient, None


def sum(x: MyTensor, axis: int | tuple[int, ...] | None = None) -> MyTensor:
    """The sum over `axis` (None: over all elements). (Given; from here on it hides Python's own sum.)"""
    result = x.data.sum(axis=axis)
    if x.requires_grad:
        op = MyCrossBackward(x, axis, backward_function=sum_deriv, name="SumBackward")
        return MyTensor(result, requires_grad=True, crossOpBack=op)
    return MyTensor(result)


class MSELoss:
    """Mean squared error."""

    def __call__(self, y, y_target):
        difference = y - y_target
        squared = difference**2
        total = sum(squared)
        number = squared.size
        return total / number


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
    """Train the model on mini-batches. Returns the mean loss of each epoch, over its examples."""
    losses = []
    loss_function = MSELoss()
    optimizer = SGD(model.parameters(), lr=lr)
    progress = tqdm(range(epochs), file=sys.stdout, disable=live is not None)
    for epoch in progress:
        total = 0.0
        order = np.random.permutation(len(images))
        start = 0
        while start < len(order):
            end = start + batch_size
            batch = order[start:end]
            x = MyTensor(images[batch])
            target = MyTensor(targets[batch])
            optimizer.zero_grad()
            y = model(x)
            loss = loss_function(y, target)
            loss.backward()
            optimizer.step()
            total = total + float(loss.data) * len(batch)
            start = end
        losses.append(total / len(images))
        progress.set_postfix(loss=losses[-1])
        if live:
            live(losses[-1])
    return losses
