import sys
from collections.abc import Callable, Iterator
from functools import partial
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
    """An n-dimensional array that can record the operations it takes part in.

    Numbers beside a tensor are weak, as in NumPy: a float32 tensor plus 2.5 stays float32.
    """

    # An ndarray on the left (array + tensor) leaves the work to our reflected operators.
    __array_ufunc__ = None

    def __init__(
        self,
        data: list | tuple | np.ndarray | np.number | int | float,
        dtype: np.dtype | type | None = None,
        requires_grad: bool = False,
        crossOpBack: MyCrossBackward | None = None,
    ) -> None:
        if isinstance(data, bool) or not isinstance(data, (list, tuple, np.ndarray, np.number, int, float)):
            raise TypeError(f"a MyTensor is made from numbers, not from {type(data).__name__}")
        array = np.array(data, dtype=dtype, copy=True)
        if array.dtype.kind in "OSUV":
            raise TypeError(f"a MyTensor is made from numbers, not from {array.dtype}")
        if requires_grad and array.dtype.kind not in "fc":
            array = array.astype(np.float64)
        self.__data = array
        self.dtype: np.dtype = array.dtype
        self.requires_grad = requires_grad
        self.grad: np.ndarray | None = None
        self.backward_op = crossOpBack

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
        parts = [repr(self.__data.tolist()), f"dtype={self.dtype}", f"requires_grad={self.requires_grad}"]
        return f"MyTensor({', '.join(parts)})"

    def __str__(self) -> str:
        return self.__repr__()

    def __getitem__(self, index: Any) -> Any:
        values = self.__data[index]
        return values.copy() if isinstance(values, np.ndarray) else values

    def __setitem__(self, index: Any, value: Any) -> None:
        if self.requires_grad:
            raise RuntimeError("cannot write into a tensor that requires a gradient")
        self.__data[index] = value.data if isinstance(value, MyTensor) else value

    # The operators. One method serves the four that have two operands.

    def __operand(self, other: Any) -> "MyTensor":
        if isinstance(other, MyTensor):
            return other
        if isinstance(other, (int, float)):
            return MyTensor(other, dtype=np.result_type(self.__data, other))
        return MyTensor(other)

    @staticmethod
    def __binary(function: Callable, left: "MyTensor", right: "MyTensor", rule: Callable, name: str) -> "MyTensor":
        values = function(left.data, right.data)
        return _result(values, left, right, rule=rule, name=name)

    def __add__(self, other: Any) -> "MyTensor":
        return self.__binary(np.add, self, self.__operand(other), add_deriv, "AddBackward")

    def __radd__(self, other: Any) -> "MyTensor":
        return self.__binary(np.add, self.__operand(other), self, add_deriv, "AddBackward")

    def __sub__(self, other: Any) -> "MyTensor":
        return self.__binary(np.subtract, self, self.__operand(other), sub_deriv, "SubBackward")

    def __rsub__(self, other: Any) -> "MyTensor":
        return self.__binary(np.subtract, self.__operand(other), self, sub_deriv, "SubBackward")

    def __mul__(self, other: Any) -> "MyTensor":
        return self.__binary(np.multiply, self, self.__operand(other), mul_deriv, "MulBackward")

    def __rmul__(self, other: Any) -> "MyTensor":
        return self.__binary(np.multiply, self.__operand(other), self, mul_deriv, "MulBackward")

    def __truediv__(self, other: Any) -> "MyTensor":
        return self.__binary(np.true_divide, self, self.__operand(other), div_deriv, "DivBackward")

    def __rtruediv__(self, other: Any) -> "MyTensor":
        return self.__binary(np.true_divide, self.__operand(other), self, div_deriv, "DivBackward")

    def __pow__(self, power: int | float) -> "MyTensor":
        if not isinstance(power, (int, float, np.number)):
            return NotImplemented
        return _result(np.power(self.__data, power), self, power, rule=pow_deriv, name="PowBackward")

    def __neg__(self) -> "MyTensor":
        return _result(np.negative(self.__data), self, rule=neg_deriv, name="NegBackward")

    def __topological(self) -> list["MyTensor"]:
        """Every tensor that requires a gradient, after all it was computed from; this one comes last."""
        order: list[MyTensor] = []
        entered: set[MyTensor] = set()
        stack: list[tuple[MyTensor, bool]] = [(self, False)]
        while stack:
            tensor, inputs_done = stack.pop()
            if inputs_done:
                order.append(tensor)
            elif tensor not in entered:
                entered.add(tensor)
                stack.append((tensor, True))
                if tensor.backward_op is not None:
                    for source in tensor.backward_op.inputs:
                        if isinstance(source, MyTensor) and source.requires_grad and source not in entered:
                            stack.append((source, False))
        return order

    def backward(self, base: "MyTensor | None" = None) -> None:
        """Add to the `grad` of every leaf its share of the gradient of this tensor."""
        if not self.requires_grad:
            return
        if base is not None and base.shape != self.shape:
            raise ValueError(f"base has shape {base.shape}, the tensor has {self.shape}")
        order = self.__topological()
        # One buffer for each tensor, of its shape and dtype. Shares are added to it in place; nobody else holds it.
        buffers = {tensor: np.zeros(tensor.shape, tensor.dtype) for tensor in order}
        buffers[self][...] = 1 if base is None else base.data
        for tensor in reversed(order):
            buffer = buffers[tensor]
            if tensor.backward_op is None:
                if tensor.grad is None:
                    tensor.grad = buffer
                else:
                    tensor.grad += buffer
                continue
            shares = tensor.backward_op(buffer)
            for source, share in zip(tensor.backward_op.inputs, shares):
                if share is not None:
                    buffers[source] += share


def _result(values: Any, *inputs: Any, rule: Callable, name: str) -> MyTensor:
    tensors = [item for item in inputs if isinstance(item, MyTensor)]
    if not any(tensor.requires_grad for tensor in tensors):
        return MyTensor(values)
    op = MyCrossBackward(*inputs, backward_function=rule, name=name)
    return MyTensor(values, requires_grad=True, crossOpBack=op)


# The rules. They calculate only what is asked for: None for an input that requires no gradient.


def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo broadcasting: sum `gradient` over the axes that were stretched, down to `shape`."""
    gradient = np.asarray(gradient)
    if gradient.shape == shape:
        return gradient
    front = tuple(range(gradient.ndim - len(shape)))
    gradient = np.add.reduce(gradient, axis=front)
    ones = tuple(axis for axis, length in enumerate(shape) if length == 1)
    return np.add.reduce(gradient, axis=ones, keepdims=True)


def add_deriv(base: np.ndarray, left: MyTensor, right: MyTensor) -> tuple:
    to_left = unbroadcast(base, left.shape) if left.requires_grad else None
    to_right = unbroadcast(base, right.shape) if right.requires_grad else None
    return to_left, to_right


def sub_deriv(base: np.ndarray, left: MyTensor, right: MyTensor) -> tuple:
    to_left = unbroadcast(base, left.shape) if left.requires_grad else None
    to_right = unbroadcast(np.negative(base), right.shape) if right.requires_grad else None
    return to_left, to_right


def mul_deriv(base: np.ndarray, left: MyTensor, right: MyTensor) -> tuple:
    to_left = unbroadcast(np.multiply(base, right.data), left.shape) if left.requires_grad else None
    to_right = unbroadcast(np.multiply(base, left.data), right.shape) if right.requires_grad else None
    return to_left, to_right


def div_deriv(base: np.ndarray, left: MyTensor, right: MyTensor) -> tuple:
    to_left = to_right = None
    if left.requires_grad:
        to_left = unbroadcast(np.true_divide(base, right.data), left.shape)
    if right.requires_grad:
        scratch = np.multiply(base, left.data)
        scratch = np.true_divide(scratch, np.square(right.data))
        to_right = unbroadcast(np.negative(scratch), right.shape)
    return to_left, to_right


def pow_deriv(base: np.ndarray, tensor: MyTensor, power: int | float) -> tuple:
    if power == 0:
        return np.zeros_like(base), None
    slope = np.power(tensor.data, power - 1)
    slope = slope * power
    return slope * base, None


def neg_deriv(base: np.ndarray, tensor: MyTensor) -> tuple:
    return (np.negative(base),)


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

    def __walk(self, seen: set[int]) -> Iterator[Parameter]:
        seen.add(id(self))
        for parameter in self.__parameters.values():
            if id(parameter) not in seen:
                seen.add(id(parameter))
                yield parameter
        for module in self.__sub_modules.values():
            if id(module) not in seen:
                yield from module.__walk(seen)

    def parameters(self) -> list[Parameter]:
        """All parameters of this module and of the modules in it, each one once."""
        return list(self.__walk(set()))


def matmul_deriv(base: np.ndarray, left: MyTensor, right: MyTensor) -> tuple:
    """left @ right: (n, k) @ (k, m) -> (n, m), or for one row (k,) @ (k, m) -> (m,)"""
    to_left = to_right = None
    if left.requires_grad:
        to_left = np.matmul(base, right.data.T)
    if right.requires_grad:
        if left.data.ndim == 1:
            to_right = np.multiply(left.data[:, None], base[None, :])
        else:
            to_right = np.matmul(left.data.T, base)
    return to_left, to_right


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    """The matrix product of a, (n, k) or (k,), and b, (k, m), recorded when one of them requires a gradient."""
    return _result(np.matmul(a.data, b.data), a, b, rule=matmul_deriv, name="MatmulBackward")


class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        bound = input_size**-0.5
        weight = np.empty((input_size, output_size))
        weight[...] = np.random.random(weight.shape)  # between 0 and 1
        weight *= 2 * bound
        weight -= bound
        self.weight = Parameter(MyTensor(weight))
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x: MyTensor) -> MyTensor:
        return matmul(x, self.weight.tensor) + self.bias.tensor


def relu(x: MyTensor) -> MyTensor:
    """max(x, 0), element by element"""
    positive = np.greater(x.data, 0)
    values = np.zeros_like(x.data)
    np.copyto(values, x.data, where=positive)
    return _result(values, x, rule=partial(relu_deriv, positive=positive), name="ReluBackward")


def relu_deriv(base: np.ndarray, x: MyTensor, *, positive: np.ndarray) -> tuple:
    return (np.multiply(base, positive),)


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
            data, grad = parameter.tensor.data, parameter.tensor.grad
            if grad is None:
                continue
            np.subtract(data, np.multiply(grad, self.lr), out=data, casting="same_kind")


def sum_deriv(base: np.ndarray, x: MyTensor, axis: int | tuple[int, ...] | None) -> tuple:
    """sum(x, axis). The axis gets no gradient, so None."""
    gradient = np.empty(x.shape, base.dtype)
    gradient[...] = base if axis is None else np.expand_dims(base, axis)
    return gradient, None


def sum(x: MyTensor, axis: int | tuple[int, ...] | None = None) -> MyTensor:
    """The sum over `axis` (None: over all elements)."""
    return _result(x.data.sum(axis=axis), x, axis, rule=sum_deriv, name="SumBackward")


def mse_deriv(base: np.ndarray, y: MyTensor, y_target: MyTensor, *, difference: np.ndarray) -> tuple:
    slope = difference * (2 / difference.size)
    slope = slope * base
    return slope if y.requires_grad else None, -slope if y_target.requires_grad else None


class MSELoss:
    """Mean squared error, as one operation with a rule of its own."""

    def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:
        """The mean of (y - y_target)**2 over all elements: a scalar tensor."""
        difference = np.subtract(y.data, y_target.data)
        values = np.mean(np.square(difference))
        return _result(values, y, y_target, rule=partial(mse_deriv, difference=difference), name="MSEBackward")


class SuperModel(MyModule):
    """Maps a batch of images, shape (n, 64), to one score per digit, shape (n, 10)."""

    def __init__(self, hidden_size: int = 48) -> None:
        super().__init__()
        self.first = Linear(64, hidden_size)
        self.activation = ReLU()
        self.second = Linear(hidden_size, 10)

    def forward(self, x: MyTensor) -> MyTensor:
        return self.second(self.activation(self.first(x)))


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
    count = len(images)
    order = np.arange(count)
    losses = np.zeros(epochs)
    loss_function = MSELoss()
    optimizer = SGD(model.parameters(), lr=lr)
    with tqdm(total=epochs, file=sys.stdout, disable=live is not None) as bar:
        for epoch in range(epochs):
            np.random.shuffle(order)
            for start in range(0, count, batch_size):
                rows = order[start : start + batch_size]
                optimizer.zero_grad()
                loss = loss_function(model(MyTensor(images[rows])), MyTensor(targets[rows]))
                loss.backward()
                optimizer.step()
                losses[epoch] += float(loss.data) * len(rows) / count
            bar.update()
            bar.set_postfix(loss=losses[epoch])
            if live:
                live(float(losses[epoch]))
    return losses.tolist()
