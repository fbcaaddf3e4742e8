# A careful student: the notebook's own structure, one method for each operator, a recursive topological sort.
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
        if not isinstance(data, (list, tuple, np.ndarray, np.number, int, float)):
            raise TypeError(f"cannot make a MyTensor from {type(data).__name__}")
        values = np.array(data)  # a copy
        if values.dtype.kind not in "biufc":
            raise TypeError("a MyTensor holds numbers only")
        if dtype is not None:
            values = values.astype(dtype)
        elif requires_grad and values.dtype.kind != "f":
            values = values.astype(np.float64)
        self.__data = values
        self.dtype = values.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack

    # A property is read like an attribute: `tensor.shape`, without parentheses. (An example, given.)
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
        text = f"MyTensor({self.__data}, requires_grad={self.requires_grad})"
        return text

    def __str__(self) -> str:
        return self.__repr__()

    def __getitem__(self, index: Any) -> Any:
        return self.__data[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self.__data[index] = value

    # A number (or an array) becomes a tensor first. None: we cannot handle it.
    @staticmethod
    def __lift(other: Any) -> "MyTensor | None":
        if isinstance(other, MyTensor):
            return other
        if isinstance(other, (int, float, np.number, np.ndarray)):
            return MyTensor(other)
        return None

    def __add__(self, other: Any) -> "MyTensor":
        other = self.__lift(other)
        if other is None:
            return NotImplemented
        result = self.__data + other.__data
        if self.requires_grad or other.requires_grad:
            op = MyCrossBackward(self, other, backward_function=add_deriv, name="AddBackward")
            return MyTensor(result, requires_grad=True, crossOpBack=op)
        return MyTensor(result)

    def __radd__(self, other: Any) -> "MyTensor":
        return self + other

    def __sub__(self, other: Any) -> "MyTensor":
        other = self.__lift(other)
        if other is None:
            return NotImplemented
        result = self.__data - other.__data
        if self.requires_grad or other.requires_grad:
            op = MyCrossBackward(self, other, backward_function=sub_deriv, name="SubBackward")
            return MyTensor(result, requires_grad=True, crossOpBack=op)
        return MyTensor(result)

    def __rsub__(self, other: Any) -> "MyTensor":
        other = self.__lift(other)
        if other is None:
            return NotImplemented
        return other - self

    def __mul__(self, other: Any) -> "MyTensor":
        other = self.__lift(other)
        if other is None:
            return NotImplemented
        result = self.__data * other.__data
        if self.requires_grad or other.requires_grad:
            op = MyCrossBackward(self, other, backward_function=mul_deriv, name="MulBackward")
            return MyTensor(result, requires_grad=True, crossOpBack=op)
        return MyTensor(result)

    def __rmul__(self, other: Any) -> "MyTensor":
        return self * other

    def __truediv__(self, other: Any) -> "MyTensor":
        other = self.__lift(other)
        if other is None:
            return NotImplemented
        result = self.__data / other.__data
        if self.requires_grad or other.requires_grad:
            op = MyCrossBackward(self, other, backward_function=div_deriv, name="DivBackward")
            return MyTensor(result, requires_grad=True, crossOpBack=op)
        return MyTensor(result)

    def __rtruediv__(self, other: Any) -> "MyTensor":
        other = self.__lift(other)
        if other is None:
            return NotImplemented
        return other / self

    def __pow__(self, power: Any) -> "MyTensor":
        if not isinstance(power, (int, float, np.number)):
            return NotImplemented
        values = self.__data
        if power < 0 and values.dtype.kind in "biu":
            values = values.astype(np.float64)  # NumPy refuses whole numbers to a negative power
        result = values**power
        if self.requires_grad:
            op = MyCrossBackward(self, power, backward_function=pow_deriv, name="PowBackward")
            return MyTensor(result, requires_grad=True, crossOpBack=op)
        return MyTensor(result)

    def __neg__(self) -> "MyTensor":
        result = -self.__data
        if self.requires_grad:
            op = MyCrossBackward(self, backward_function=neg_deriv, name="NegBackward")
            return MyTensor(result, requires_grad=True, crossOpBack=op)
        return MyTensor(result)

    def backward(self, base: "MyTensor | None" = None) -> None:
        """Add to the `grad` of every leaf its share of the gradient of this tensor.

        Args:
            base: the upstream gradient, in this tensor's shape. None means ones.
        """
        if not self.requires_grad:
            return
        start = np.ones(self.shape) if base is None else np.array(base.data, dtype=np.float64)

        # Inputs come before results.
        order: list[MyTensor] = []
        visited: set[int] = set()

        def visit(tensor: "MyTensor") -> None:
            if id(tensor) in visited:
                return
            visited.add(id(tensor))
            if tensor.backward_op is not None:
                for parent in tensor.backward_op.inputs:
                    if isinstance(parent, MyTensor) and parent.requires_grad:
                        visit(parent)
            order.append(tensor)

        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, 1_000_000))  # a graph may be thousands of operations deep
        try:
            visit(self)
        finally:
            sys.setrecursionlimit(limit)

        gradients = {id(self): start}
        for tensor in reversed(order):
            gradient = gradients.pop(id(tensor))
            if tensor.backward_op is None:
                if tensor.grad is None:
                    tensor.grad = np.array(gradient)
                else:
                    tensor.grad = np.array(tensor.grad + gradient)
                continue
            shares = tensor.backward_op(gradient)
            for parent, share in zip(tensor.backward_op.inputs, shares):
                if not isinstance(parent, MyTensor) or not parent.requires_grad:
                    continue
                if id(parent) in gradients:
                    gradients[id(parent)] = gradients[id(parent)] + share
                else:
                    gradients[id(parent)] = share


# The rules.


def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo broadcasting: sum `gradient` over the axes that were stretched, down to `shape`."""
    extra = gradient.ndim - len(shape)
    for _ in range(extra):
        gradient = gradient.sum(axis=0)
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
    to_left = base / right.data
    to_right = -base * left.data / right.data / right.data
    return unbroadcast(to_left, left.shape), unbroadcast(to_right, right.shape)


def pow_deriv(base: np.ndarray, *args: Any) -> tuple[np.ndarray, None]:
    """tensor ** power. The power is a number: it gets no gradient, so None."""
    tensor, power = args
    if power == 0:
        return np.zeros(tensor.shape), None
    return base * power * tensor.data ** (power - 1.0), None


def neg_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray]:
    """-tensor"""
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
    k, m = right.shape
    rows = left.data.reshape(-1, k)
    upstream = base.reshape(len(rows), m)
    to_left = upstream @ right.data.T
    to_right = rows.T @ upstream
    return to_left.reshape(left.shape), to_right


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    """The matrix product of a, (n, k) or (k,), and b, (k, m), recorded when one of them requires a gradient."""
    result = a.data @ b.data
    if a.requires_grad or b.requires_grad:
        op = MyCrossBackward(a, b, backward_function=matmul_deriv, name="MatmulBackward")
        return MyTensor(result, requires_grad=True, crossOpBack=op)
    return MyTensor(result)


class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(input_size)
        self.weight = Parameter(MyTensor(np.random.uniform(-bound, bound, (input_size, output_size))))
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x: MyTensor) -> MyTensor:
        return matmul(x, self.weight.tensor) + self.bias.tensor


def relu(x: MyTensor) -> MyTensor:
    """max(x, 0), element by element"""
    result = np.maximum(x.data, 0)
    if x.requires_grad:
        op = MyCrossBackward(x, backward_function=relu_deriv, name="ReluBackward")
        return MyTensor(result, requires_grad=True, crossOpBack=op)
    return MyTensor(result)


def relu_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray]:
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
            if parameter.tensor.grad is not None:
                data = parameter.tensor.data
                data -= self.lr * parameter.tensor.grad


def sum_deriv(base: np.ndarray, *args: Any) -> tuple[np.ndarray, None]:
    """sum(x, axis). The axis gets no gradient, so None."""
    x, axis = args
    if axis is not None:
        base = np.expand_dims(base, axis)
    return base * np.ones(x.shape), None


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
    """Train the model on mini-batches. Returns the mean loss of each epoch, over its examples."""
    losses = []
    loss_function = MSELoss()
    optimizer = SGD(model.parameters(), lr=lr)
    progress = tqdm(range(epochs), file=sys.stdout, disable=live is not None)
    for epoch in progress:
        order = np.random.permutation(len(images))
        total = 0.0
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            optimizer.zero_grad()
            y = model(MyTensor(images[batch]))
            loss = loss_function(y, MyTensor(targets[batch]))
            loss.backward()
            optimizer.step()
            total += float(loss.data) * len(batch)
        losses.append(total / len(images))
        progress.set_postfix(loss=losses[-1])
        if live:
            live(losses[-1])
    return losses
