import heapq
import itertools
import math
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
        if isinstance(gradients, (np.ndarray, np.generic)):
            raise TypeError(f"the rule of {self} must return a tuple, with one gradient for each input")
        return gradients


class MyTensor:
    """Each tensor gets a number when it is made. Whoever has the higher number was made later."""

    __array_ufunc__ = None
    __numbers = itertools.count()

    def __init__(
        self,
        data: list | tuple | np.ndarray | np.number | int | float,
        dtype: np.dtype | type | None = None,
        requires_grad: bool = False,
        crossOpBack: MyCrossBackward | None = None,
    ) -> None:
        accepted = (list, tuple, np.ndarray, np.number, int, float)
        if data is True or data is False or not isinstance(data, accepted):
            raise TypeError("data must be a list, a tuple, an array or a number, not " + type(data).__name__)
        data = np.array(data) if dtype is None else np.array(data).astype(dtype)
        if data.dtype.kind in "USO":
            raise TypeError("data must hold numbers")
        if requires_grad and not np.issubdtype(data.dtype, np.inexact):
            data = data.astype(np.float64)
        self.__data = data
        self.__requires_grad = requires_grad
        self.dtype = data.dtype
        self.grad = None
        self.backward_op = crossOpBack
        self.number = next(MyTensor.__numbers)

    @property
    def requires_grad(self):
        return self.__requires_grad

    @requires_grad.setter
    def requires_grad(self, value):
        self.__requires_grad = value

    @property
    def shape(self) -> tuple[int, ...]:
        return self.__data.shape

    @property
    def strides(self) -> tuple[int, ...]:
        return self.__data.strides

    @property
    def data(self) -> np.ndarray:
        return self.__data

    @property
    def size(self) -> int:
        return self.__data.size

    def __repr__(self) -> str:
        return "MyTensor(data={}, requires_grad={})".format(self.__data, self.requires_grad)

    def __str__(self) -> str:
        return self.__repr__()

    def __getitem__(self, position):
        return self.__data[position]

    def __setitem__(self, position, value):
        if self.requires_grad:
            raise RuntimeError("tensors that require a gradient are read only")
        self.__data[position] = value

    @staticmethod
    def _result(values, rule, name, *inputs):
        wanted = False
        for entry in inputs:
            if isinstance(entry, MyTensor) and entry.requires_grad:
                wanted = True
        if not wanted:
            return MyTensor(values)
        return MyTensor(values, requires_grad=True, crossOpBack=MyCrossBackward(*inputs, backward_function=rule, name=name))

    def _constant(self, value):
        """A number becomes a tensor; a whole number or a float takes on a floating dtype of ours."""
        if isinstance(value, MyTensor):
            return value
        if isinstance(value, (int, float)) and not isinstance(value, np.number) and self.dtype.kind == "f":
            return MyTensor(value, dtype=self.dtype)
        return MyTensor(value)

    def __add__(self, other):
        other = self._constant(other)
        return MyTensor._result(self.data + other.data, add_deriv, "AddBackward", self, other)

    def __radd__(self, other):
        return self + other

    def __sub__(self, other):
        other = self._constant(other)
        return MyTensor._result(self.data - other.data, sub_deriv, "SubBackward", self, other)

    def __rsub__(self, other):
        return self._constant(other) - self

    def __mul__(self, other):
        other = self._constant(other)
        return MyTensor._result(self.data * other.data, mul_deriv, "MulBackward", self, other)

    def __rmul__(self, other):
        return self * other

    def __truediv__(self, other):
        other = self._constant(other)
        return MyTensor._result(self.data / other.data, div_deriv, "DivBackward", self, other)

    def __rtruediv__(self, other):
        return self._constant(other) / self

    def __pow__(self, power):
        return MyTensor._result(self.data**power, pow_deriv, "PowBackward", self, power)

    def __neg__(self):
        return MyTensor._result(np.negative(self.data), neg_deriv, "NegBackward", self)

    def backward(self, base: "MyTensor | None" = None) -> None:
        if not self.requires_grad:
            return
        if base is None:
            base = MyTensor(np.ones(self.shape))
        # The youngest first: all that a tensor went into is younger than itself.
        arrived = {self.number: base.data}
        heap = [(-self.number, self)]
        while heap:
            _, tensor = heapq.heappop(heap)
            gradient = arrived.pop(tensor.number)
            if tensor.backward_op is None:
                tensor._add_to_grad(gradient)
                continue
            for entry, share in zip(tensor.backward_op.inputs, tensor.backward_op.run(gradient)):
                if not (isinstance(entry, MyTensor) and entry.requires_grad):
                    continue
                if entry.number in arrived:
                    arrived[entry.number] = arrived[entry.number] + share
                else:
                    arrived[entry.number] = share
                    heapq.heappush(heap, (-entry.number, entry))

    def _add_to_grad(self, gradient):
        """The grad is a MyTensor of its own."""
        if self.grad is None:
            self.grad = MyTensor(gradient)
        else:
            self.grad = MyTensor(self.grad.data + gradient)


def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo broadcasting: sum `gradient` over the axes that were stretched, down to `shape`."""
    result = np.asarray(gradient)
    axis = result.ndim - 1
    for length in reversed(shape):
        if length == 1:
            result = result.sum(axis=axis, keepdims=True)
        axis -= 1
    while axis >= 0:
        result = result.sum(axis=0)
        axis -= 1
    return result


def add_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    """left + right. (An example, given.)"""
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(base, right.shape)


def sub_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    """left - right"""
    of_left, of_right = add_deriv(base, *tensors)
    return of_left, -of_right


def mul_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    """left * right, element by element"""
    left, right = tensors
    grad_left = np.multiply(base, right.data)
    grad_right = np.multiply(base, left.data)
    return unbroadcast(grad_left, left.shape), unbroadcast(grad_right, right.shape)


def div_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    """left / right, element by element"""
    left, right = tensors
    grad_left = np.divide(base, right.data)
    grad_right = np.divide(-left.data, np.square(right.data)) * base
    return unbroadcast(grad_left, left.shape), unbroadcast(grad_right, right.shape)


def pow_deriv(base: np.ndarray, *args: Any) -> tuple[np.ndarray, None]:
    """tensor ** power. The power is a number: it gets no gradient, so None."""
    tensor, n = args
    inner = np.zeros_like(tensor.data)
    if n != 0:
        inner = np.power(tensor.data, n - 1)
    return base * (n * inner), None


def neg_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray]:
    return (np.negative(base),)


tensor_a = MyTensor([3, 4, 5, 6, 7])  # one to play with


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
        everything = list(self.__parameters.values())
        for part in self.__sub_modules.values():
            everything += part.parameters()
        unique = []
        for candidate in everything:
            if candidate not in unique:
                unique.append(candidate)
        return unique


def matmul_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    """left @ right: (n, k) @ (k, m) -> (n, m), or for one row (k,) @ (k, m) -> (m,)"""
    left, right = tensors
    if len(left.shape) == 1:
        row = left.data.reshape(1, -1)
        above = base.reshape(1, -1)
        return np.matmul(above, right.data.T).reshape(-1), np.matmul(row.T, above)
    return np.einsum("nm,km->nk", base, right.data), np.einsum("nk,nm->km", left.data, base)


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    """The matrix product of a, (n, k) or (k,), and b, (k, m), recorded when one of them requires a gradient."""
    return MyTensor._result(np.dot(a.data, b.data), matmul_deriv, "MatmulBackward", a, b)


class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        edge = 1 / math.sqrt(input_size)
        self.weight = Parameter(MyTensor(np.random.uniform(-edge, edge, size=(input_size, output_size))))
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x: MyTensor) -> MyTensor:
        product = matmul(x, self.weight.tensor)
        return product + self.bias.tensor


def relu_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray]:
    gradient = np.array(base)
    gradient[tensors[0].data <= 0] = 0
    return (gradient,)


def relu(x: MyTensor) -> MyTensor:
    """max(x, 0), element by element"""
    values = np.array(x.data)
    values[values < 0] = 0
    return MyTensor._result(values, relu_deriv, "ReluBackward", x)


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

    def zero_grad(self) -> None:
        """Forget the gradients: set the grad of every parameter to None."""
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient a little downhill, in place."""
        for parameter in self.params:
            gradient = parameter.tensor.grad
            if isinstance(gradient, MyTensor):
                gradient = gradient.data
            if gradient is not None:
                array = parameter.tensor.data
                array -= gradient * self.lr


def sum_deriv(base: np.ndarray, *args: Any) -> tuple[np.ndarray, None]:
    """sum(x, axis). The axis gets no gradient, so None."""
    x, axis = args
    gradient = np.zeros_like(x.data)
    if axis is None:
        gradient += base
    else:
        gradient += np.expand_dims(base, axis)
    return gradient, None


def sum(x: MyTensor, axis: int | tuple[int, ...] | None = None) -> MyTensor:
    """The sum over `axis` (None: over all elements). (Given; from here on it hides Python's own sum.)"""
    result = x.data.sum(axis=axis)
    if x.requires_grad:
        op = MyCrossBackward(x, axis, backward_function=sum_deriv, name="SumBackward")
        return MyTensor(result, requires_grad=True, crossOpBack=op)
    return MyTensor(result)


def mse_deriv(base, *inputs):
    y, t = inputs
    gradient = base * 2 * (y.data - t.data) / y.size
    return gradient, -gradient


class MSELoss:
    """Mean squared error, as an operation of its own."""

    def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:
        """The mean of (y - y_target)**2 over all elements: a scalar tensor."""
        value = np.mean((y.data - y_target.data) ** 2)
        return MyTensor._result(value, mse_deriv, "MseBackward", y, y_target)


class SuperModel(MyModule):
    """Maps a batch of images, shape (n, 64), to one score per digit, shape (n, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.layer1 = Linear(64, 100)
        self.activation = ReLU()
        self.layer2 = Linear(100, 10)

    def forward(self, x: MyTensor) -> MyTensor:
        x = self.layer1(x)
        x = self.activation(x)
        x = self.layer2(x)
        return x


def train(
    model: MyModule,
    images: np.ndarray,
    targets: np.ndarray,
    epochs: int = 20,
    batch_size: int = 32,
    lr: float = 1.0,
    live: Callable[[float], None] | None = None,
) -> list[float]:
    """Train the model on mini-batches."""
    losses = []
    optimizer = SGD(model.parameters(), lr=lr)
    lossfn = MSELoss()
    steps = math.ceil(len(images) / batch_size)
    for epoch in tqdm(range(epochs), file=sys.stdout, disable=bool(live)):
        indices = np.random.permutation(len(images))
        summed = 0
        for i in range(steps):
            idx = indices[i * batch_size : (i + 1) * batch_size]
            inputs, wanted = MyTensor(images[idx]), MyTensor(targets[idx])
            loss = lossfn(model(inputs), wanted)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            summed += loss.data.item() * idx.size
        losses.append(summed / len(images))
        if live:
            live(losses[-1])
    return losses
