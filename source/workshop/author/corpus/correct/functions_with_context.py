# Functions with a context: a class per operation with static forward(ctx, ...) and backward(ctx, g), as in PyTorch.
"""A small autograd after PyTorch's design.

`Function.apply` runs an operation and, when an input requires a gradient, ties a `Node` to the result. Nodes are
numbered in the order of creation; `run_engine` always works on the youngest node that is ready, from a heap.
Integers stay integers until an operation makes them real numbers.
"""

from __future__ import annotations

import heapq
import itertools
from typing import Any, ClassVar

import numpy as np


class Context:
    """What forward leaves for backward."""

    def __init__(self) -> None:
        self.saved: tuple[Any, ...] = ()
        self.needs_input_grad: tuple[bool, ...] = ()

    def save_for_backward(self, *values: Any) -> None:
        self.saved = values


class Node:
    """A recorded operation."""

    numbers: ClassVar[itertools.count] = itertools.count()

    def __init__(self, function: type[Function], ctx: Context, inputs: tuple[Any, ...]) -> None:
        self.function = function
        self.ctx = ctx
        # Inputs without a gradient are not kept alive by the graph.
        self.inputs = tuple(x if need else None for x, need in zip(inputs, ctx.needs_input_grad, strict=True))
        self.number = next(self.numbers)

    def __repr__(self) -> str:
        return f"<{self.function.__name__}Backward>"


class Function:
    @staticmethod
    def forward(ctx: Context, *args: Any) -> Any:
        raise NotImplementedError

    @staticmethod
    def backward(ctx: Context, g: np.ndarray) -> tuple[np.ndarray | None, ...]:
        raise NotImplementedError

    @classmethod
    def apply(cls, *args: Any) -> MyTensor:
        ctx = Context()
        ctx.needs_input_grad = tuple(isinstance(arg, MyTensor) and arg.requires_grad for arg in args)
        result = MyTensor(cls.forward(ctx, *(arg.data if isinstance(arg, MyTensor) else arg for arg in args)))
        if any(ctx.needs_input_grad):
            result.requires_grad = True
            result.backward_op = Node(cls, ctx, args)
        return result


def run_engine(root: MyTensor, g: np.ndarray) -> None:
    """Send the gradient `g` of `root` down to the leaves."""
    if root.backward_op is None:
        accumulate_grad(root, g)
        return
    gradients = {root.backward_op.number: g}
    ready = [(-root.backward_op.number, root.backward_op)]
    while ready:
        _, node = heapq.heappop(ready)
        outgoing = node.function.backward(node.ctx, gradients.pop(node.number))
        for x, gradient in zip(node.inputs, outgoing, strict=True):
            if x is None or gradient is None:
                continue
            if x.backward_op is None:
                accumulate_grad(x, gradient)
            elif x.backward_op.number in gradients:
                gradients[x.backward_op.number] = gradients[x.backward_op.number] + gradient
            else:
                gradients[x.backward_op.number] = gradient
                heapq.heappush(ready, (-x.backward_op.number, x.backward_op))


def accumulate_grad(leaf: MyTensor, g: np.ndarray) -> None:
    dtype = leaf.dtype if leaf.dtype.kind == "f" else np.float64
    if leaf.grad is None:
        leaf.grad = MyTensor(g, dtype=dtype)  # a copy
    else:
        leaf.grad = MyTensor(leaf.grad.data + g, dtype=dtype)


def reduce_to(g: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The adjoint of broadcasting an array of `shape` to g's shape."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    return g.sum(axis=tuple(i for i, length in enumerate(shape) if length == 1), keepdims=True)


def real(array: np.ndarray) -> np.ndarray:
    return array if array.dtype.kind == "f" else array.astype(np.float64)


class Add(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(np.shape(a), np.shape(b))
        return a + b

    @staticmethod
    def backward(ctx, g):
        return tuple(reduce_to(g, shape) for shape in ctx.saved)


class Sub(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(np.shape(a), np.shape(b))
        return a - b

    @staticmethod
    def backward(ctx, g):
        left, right = ctx.saved
        return reduce_to(g, left), reduce_to(-g, right)


class Mul(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a * b

    @staticmethod
    def backward(ctx, g):
        a, b = ctx.saved
        left, right = ctx.needs_input_grad
        return (
            reduce_to(g * b, np.shape(a)) if left else None,
            reduce_to(g * a, np.shape(b)) if right else None,
        )


class Div(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return np.true_divide(a, b)

    @staticmethod
    def backward(ctx, g):
        a, b = ctx.saved
        left, right = ctx.needs_input_grad
        return (
            reduce_to(g / b, np.shape(a)) if left else None,
            reduce_to(g * -(a / b) / b, np.shape(b)) if right else None,
        )


class Pow(Function):
    @staticmethod
    def forward(ctx, a, exponent):
        if exponent < 0 or exponent != int(exponent):
            a = real(a)
        ctx.save_for_backward(a, exponent)
        return a**exponent

    @staticmethod
    def backward(ctx, g):
        a, exponent = ctx.saved
        if exponent == 0:
            return np.zeros_like(g), None
        return g * exponent * real(a) ** (exponent - 1), None


class Neg(Function):
    @staticmethod
    def forward(ctx, a):
        return -a

    @staticmethod
    def backward(ctx, g):
        return (-g,)


class MatMul(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a @ b

    @staticmethod
    def backward(ctx, g):
        a, b = ctx.saved
        if a.ndim == 1:
            return b @ g, a[:, None] * g
        return g @ b.T, a.T @ g


class Clamp(Function):
    """max(a, 0)"""

    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a > 0)
        return np.maximum(a, 0)

    @staticmethod
    def backward(ctx, g):
        (above,) = ctx.saved
        return (np.where(above, g, 0.0),)


class Mean(Function):
    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a.shape, a.size)
        return a.mean()

    @staticmethod
    def backward(ctx, g):
        shape, size = ctx.saved
        return (np.broadcast_to(g / size, shape),)


class MyTensor:
    __array_ufunc__ = None

    def __init__(self, data: Any, dtype: Any = None, requires_grad: bool = False, crossOpBack: Any = None) -> None:
        if not isinstance(data, (list, tuple, np.ndarray, np.generic, int, float)):
            raise TypeError(f"new(): invalid data type {type(data).__name__!r}")
        self._data = np.array(data, dtype=dtype, order="C")
        if self._data.dtype.kind == "b":
            self._data = self._data.astype(np.int64)
        if self._data.dtype.kind not in "iuf":
            raise TypeError(f"new(): invalid element type {self._data.dtype}")
        if requires_grad:
            self._data = real(self._data)
        self.requires_grad = requires_grad
        self.grad: MyTensor | None = None
        self.backward_op: Node | None = crossOpBack

    @property
    def data(self) -> np.ndarray:
        return self._data

    @property
    def dtype(self) -> np.dtype:
        return self._data.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape

    @property
    def strides(self) -> tuple[int, ...]:
        return self._data.strides

    @property
    def size(self) -> int:
        return self._data.size

    def __repr__(self) -> str:
        history = f", backward_op={self.backward_op}" if self.backward_op is not None else ""
        return f"MyTensor({self._data}, requires_grad={self.requires_grad}{history})"

    def __getitem__(self, index: Any) -> Any:
        return self._data[index].copy()

    def __setitem__(self, index: Any, value: Any) -> None:
        value = constant(value)
        if np.asarray(value).dtype.kind == "f":
            self._data = real(self._data)
        self._data[index] = value

    def __add__(self, other: Any) -> MyTensor:
        return Add.apply(self, operand(other))

    def __radd__(self, other: Any) -> MyTensor:
        return Add.apply(operand(other), self)

    def __sub__(self, other: Any) -> MyTensor:
        return Sub.apply(self, operand(other))

    def __rsub__(self, other: Any) -> MyTensor:
        return Sub.apply(operand(other), self)

    def __mul__(self, other: Any) -> MyTensor:
        return Mul.apply(self, operand(other))

    def __rmul__(self, other: Any) -> MyTensor:
        return Mul.apply(operand(other), self)

    def __truediv__(self, other: Any) -> MyTensor:
        return Div.apply(self, operand(other))

    def __rtruediv__(self, other: Any) -> MyTensor:
        return Div.apply(operand(other), self)

    def __pow__(self, exponent: float) -> MyTensor:
        return Pow.apply(self, exponent)

    def __neg__(self) -> MyTensor:
        return Neg.apply(self)

    def backward(self, base: Any = None) -> None:
        if self.requires_grad:
            run_engine(self, np.ones(self.shape) if base is None else real(np.asarray(constant(base))))


def operand(value: Any) -> Any:
    """Tensors and plain numbers as they are (a plain number leaves a float32 tensor float32), the rest checked."""
    return value if isinstance(value, (MyTensor, int, float)) else MyTensor(value)


def constant(value: Any) -> Any:
    return value.data if isinstance(value, MyTensor) else value


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    return MatMul.apply(a, b)


class Parameter:
    def __init__(self, tensor: MyTensor) -> None:
        tensor._data = real(tensor._data)
        tensor.requires_grad = True
        self.tensor = tensor
        self.name: str | None = None


class MyModule:
    _parameters: dict[str, Parameter]
    _modules: dict[str, MyModule]

    def __init__(self) -> None:
        self.__dict__.update(_parameters={}, _modules={})

    def __setattr__(self, name: str, value: Any) -> None:
        for registry in (self._parameters, self._modules):
            registry.pop(name, None)
        self.__dict__.pop(name, None)
        if isinstance(value, Parameter):
            value.name = name
            self._parameters[name] = value
        elif isinstance(value, MyModule):
            self._modules[name] = value
        else:
            self.__dict__[name] = value

    def __getattr__(self, name: str) -> Any:
        for registry in ("_parameters", "_modules"):
            if name in self.__dict__.get(registry, ()):
                return self.__dict__[registry][name]
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}", name=name, obj=self)

    def modules(self) -> list[MyModule]:
        found, queue = {}, [self]
        for module in queue:
            if id(module) not in found:
                found[id(module)] = module
                queue.extend(module._modules.values())
        return list(found.values())

    def parameters(self) -> list[Parameter]:
        unique = {id(p): p for module in self.modules() for p in module._parameters.values()}
        return list(unique.values())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)


class Linear(MyModule):
    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        rng = np.random.default_rng()
        bound = input_size**-0.5
        self.weight = Parameter(MyTensor(rng.uniform(-bound, bound, (input_size, output_size))))
        self.bias = Parameter(MyTensor(rng.uniform(-bound, bound, (output_size,))))

    def forward(self, x: MyTensor) -> MyTensor:
        return matmul(x, self.weight.tensor) + self.bias.tensor


class ReLU(MyModule):
    def forward(self, x: MyTensor) -> MyTensor:
        return Clamp.apply(x)


class SGD:
    def __init__(self, parameters: Any, lr: float = 0.01) -> None:
        self.parameters = tuple(parameters)
        self.lr = lr

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.tensor.grad = None

    def step(self) -> None:
        for parameter in self.parameters:
            if parameter.tensor.grad is not None:
                weights = parameter.tensor.data
                weights -= self.lr * parameter.tensor.grad.data


class MSELoss(MyModule):
    def forward(self, y: MyTensor, target: MyTensor) -> MyTensor:
        error = y - target
        return Mean.apply(error * error)


class SuperModel(MyModule):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = Linear(64, 64)
        self.relu = ReLU()
        self.fc2 = Linear(64, 10)

    def forward(self, x: MyTensor) -> MyTensor:
        return self.fc2(self.relu(self.fc1(x)))


def train(
    model: MyModule,
    images: np.ndarray,
    targets: np.ndarray,
    epochs: int = 20,
    batch_size: int = 32,
    lr: float = 1.0,
    live: Any = None,
) -> list[float]:
    optimizer = SGD(model.parameters(), lr)
    loss_function = MSELoss()
    losses: list[float] = []
    generator = np.random.default_rng()
    for _ in range(epochs):
        rows = iter(generator.permutation(len(images)).tolist())
        sizes, values = [], []
        while batch := list(itertools.islice(rows, batch_size)):
            optimizer.zero_grad()
            loss = loss_function(model(MyTensor(images[batch])), MyTensor(targets[batch]))
            loss.backward()
            optimizer.step()
            sizes.append(len(batch))
            values.append(float(loss.data))
        losses.append(float(np.average(values, weights=sizes)))
        if live:
            live(losses[-1])
    return losses
