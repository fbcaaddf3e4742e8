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

    def __init__(
        self,
        data: list | tuple | np.ndarray | np.number | int | float,
        dtype: np.dtype | type | None = None,
        requires_grad: bool = False,
        crossOpBack: MyCrossBackward | None = None,
    ) -> None:
        if isinstance(data, bool) or not isinstance(data, (list, tuple, np.ndarray, np.number, int, float)):
            raise TypeError(f"MyTensor cannot hold a {type(data).__name__}")
        self.__data = np.array(data, dtype=dtype)
        if self.__data.dtype.kind not in "biufc":
            raise TypeError(f"MyTensor cannot hold elements of type {self.__data.dtype}")
        if requires_grad and not np.issubdtype(self.__data.dtype, np.floating):
            self.__data = self.__data.astype(np.float64)
        self.dtype = self.__data.dtype
        self.requires_grad = requires_grad
        self.grad = None
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
        return f"MyTensor({self.__data}, requires_grad={self.requires_grad})"

    def __str__(self) -> str:
        return self.__repr__()

    def __getitem__(self, index):
        return self.__data[index]

    def __setitem__(self, index, value) -> None:
        if self.requires_grad:
            raise RuntimeError("a tensor that requires a gradient cannot be written to")
        self.__data[index] = value

    def __wrap(self, other):
        if isinstance(other, MyTensor):
            return other
        return MyTensor(other)

    def __binary(self, left, right, function, rule, name):
        left = self.__wrap(left)
        right = self.__wrap(right)
        values = function(left.data, right.data)
        if left.requires_grad or right.requires_grad:
            op = MyCrossBackward(left, right, backward_function=rule, name=name)
            return MyTensor(values, requires_grad=True, crossOpBack=op)
        return MyTensor(values)

    def __add__(self, other):
        return self.__binary(self, other, np.add, add_deriv, "AddBackward")

    def __radd__(self, other):
        return self.__binary(other, self, np.add, add_deriv, "AddBackward")

    def __sub__(self, other):
        return self.__binary(self, other, np.subtract, sub_deriv, "SubBackward")

    def __rsub__(self, other):
        return self.__binary(other, self, np.subtract, sub_deriv, "SubBackward")

    def __mul__(self, other):
        return self.__binary(self, other, np.multiply, mul_deriv, "MulBackward")

    def __rmul__(self, other):
        return self.__binary(other, self, np.multiply, mul_deriv, "MulBackward")

    def __truediv__(self, other):
        return self.__binary(self, other, np.divide, div_deriv, "DivBackward")

    def __rtruediv__(self, other):
        return self.__binary(other, self, np.divide, div_deriv, "DivBackward")

    def __pow__(self, power):
        values = self.__data ** power
        if self.requires_grad:
            op = MyCrossBackward(self, power, backward_function=pow_deriv, name="PowBackward")
            return MyTensor(values, requires_grad=True, crossOpBack=op)
        return MyTensor(values)

    def __neg__(self):
        values = -self.__data
        if self.requires_grad:
            op = MyCrossBackward(self, backward_function=neg_deriv, name="NegBackward")
            return MyTensor(values, requires_grad=True, crossOpBack=op)
        return MyTensor(values)

    def backward(self, base: "MyTensor | None" = None) -> None:
        """Add to the `grad` of every leaf its share of the gradient of this tensor."""
        if not self.requires_grad:
            return
        first = np.ones(self.shape) if base is None else base.data

        # 1. how often is each tensor an input?
        consumers = {self: 0}
        stack = [self]
        while stack:
            tensor = stack.pop()
            if tensor.backward_op is None:
                continue
            for source in tensor.backward_op.inputs:
                if not isinstance(source, MyTensor) or not source.requires_grad:
                    continue
                if source not in consumers:
                    consumers[source] = 0
                    stack.append(source)
                consumers[source] += 1

        # 2. hand the gradients on, from the result to the leaves
        gradients = {self: first}
        ready = [self]
        while ready:
            tensor = ready.pop()
            gradient = gradients.pop(tensor)
            if tensor.backward_op is None:
                if tensor.grad is None:
                    tensor.grad = np.array(gradient)
                else:
                    tensor.grad = np.asarray(tensor.grad + gradient)
                continue
            shares = tensor.backward_op(gradient)
            for source, share in zip(tensor.backward_op.inputs, shares):
                if not isinstance(source, MyTensor) or not source.requires_grad:
                    continue
                if source in gradients:
                    gradients[source] = gradients[source] + share
                else:
                    gradients[source] = share
                consumers[source] -= 1
                if consumers[source] == 0:
                    ready.append(source)


def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo broadcasting: sum `gradient` over the axes that were stretched, down to `shape`."""
    extra = gradient.ndim - len(shape)
    gradient = gradient.sum(axis=tuple(range(extra)))
    for axis, length in enumerate(shape):
        if length == 1 and gradient.shape[axis] != 1:
            gradient = gradient.sum(axis=axis, keepdims=True)
    return gradient


def add_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    """left + right. (An example, given.)"""
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(base, right.shape)


def sub_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    """left - right"""
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(-base, right.shape)


def mul_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    """left * right, element by element"""
    left, right = tensors
    return unbroadcast(base * right.data, left.shape), unbroadcast(base * left.data, right.shape)


def div_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    """left / right, element by element"""
    left, right = tensors
    of_left = base / right.data
    of_right = -base * left.data / right.data**2
    return unbroadcast(of_left, left.shape), unbroadcast(of_right, right.shape)


def pow_deriv(base: np.ndarray, *args: Any) -> tuple[np.ndarray, None]:
    """tensor ** power. The power is a number: it gets no gradient, so None."""
    tensor, power = args
    if power == 0:
        return np.zeros(tensor.shape), None
    return base * power * tensor.data ** (power - 1), None


def neg_deriv(base, *tensors):
    return (-base,)


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
        found = {}
        for parameter in self.__parameters.values():
            found[id(parameter)] = parameter
        for module in self.__sub_modules.values():
            for parameter in module.parameters():
                found[id(parameter)] = parameter
        return list(found.values())


def matmul_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    """left @ right: (n, k) @ (k, m) -> (n, m), or for one row (k,) @ (k, m) -> (m,)"""
    left, right = tensors
    rows = left.data.reshape(-1, right.shape[0])
    upstream = base.reshape(-1, right.shape[1])
    of_left = upstream @ right.data.T
    of_right = rows.T @ upstream
    return of_left.reshape(left.shape), of_right


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    """The matrix product of a, (n, k) or (k,), and b, (k, m), recorded when one of them requires a gradient."""
    values = a.data @ b.data
    if a.requires_grad or b.requires_grad:
        op = MyCrossBackward(a, b, backward_function=matmul_deriv, name="MatmulBackward")
        return MyTensor(values, requires_grad=True, crossOpBack=op)
    return MyTensor(values)


class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        bound = 1 / np.sqrt(input_size)
        self.weight = Parameter(MyTensor(np.random.uniform(-bound, bound, (input_size, output_size))))
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x: MyTensor) -> MyTensor:
        return matmul(x, self.weight.tensor) + self.bias.tensor


def relu(x: MyTensor) -> MyTensor:
    """max(x, 0), element by element"""
    values = np.maximum(x.data, 0)
    if x.requires_grad:
        op = MyCrossBackward(x, backward_function=relu_deriv, name="ReluBackward")
        return MyTensor(values, requires_grad=True, crossOpBack=op)
    return MyTensor(values)


def relu_deriv(base, *tensors):
    (x,) = tensors
    return (base * (x.data > 0),)


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
            if parameter.tensor.grad is None:
                continue
            data = parameter.tensor.data
            data -= self.lr * parameter.tensor.grad


def sum_deriv(base: np.ndarray, *args: Any) -> tuple[np.ndarray, None]:
    """sum(x, axis). The axis gets no gradient, so None."""
    x, axis = args
    if axis is not None:
        base = np.expand_dims(base, axis)
    return base * np.ones_like(x.data), None


def sum(x: MyTensor, axis: int | tuple[int, ...] | None = None) -> MyTensor:
    """The sum over `axis` (None: over all elements). (Given; from here on it hides Python's own sum.)"""
    result = x.data.sum(axis=axis)
    if x.requires_grad:
        op = MyCrossBackward(x, axis, backward_function=sum_deriv, name="SumBackward")
        return MyTensor(result, requires_grad=True, crossOpBack=op)
    return MyTensor(result)


class MSELoss:
    """Mean squared error."""

    def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:
        """The mean of (y - y_target)**2 over all elements: a scalar tensor."""
        difference = y - y_target
        return sum(difference**2) / difference.size


class SuperModel(MyModule):
    """Maps a batch of images, shape (n, 64), to one score per digit, shape (n, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = Linear(64, 32)
        self.relu = ReLU()
        self.output = Linear(32, 10)

    def forward(self, x: MyTensor) -> MyTensor:
        return self.output(self.relu(self.hidden(x)))


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
    loss_function = MSELoss()
    optimizer = SGD(model.parameters(), lr=lr)
    progress = tqdm(range(epochs), file=sys.stdout, disable=live is not None)
    for epoch in progress:
        order = np.random.permutation(len(images))
        total = 0.0
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            x = MyTensor(images[batch])
            target = MyTensor(targets[batch])
            optimizer.zero_grad()
            loss = loss_function(model(x), target)
            loss.backward()
            optimizer.step()
            total += float(loss.data) * len(batch)
        losses.append(total / len(order))
        if live:
            live(losses[-1])
        progress.set_postfix(loss=losses[-1])
    return losses
