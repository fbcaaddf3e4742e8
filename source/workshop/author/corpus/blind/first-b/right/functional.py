import sys
from collections.abc import Callable, Iterable
from functools import partial, reduce
from itertools import chain
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
        return self.run(x)

    def run(self, base: np.ndarray) -> Any:
        gradients = self.__rule(base, *self.inputs)
        if isinstance(gradients, (np.ndarray, np.generic)):
            raise TypeError(f"the rule of {self} must return a tuple, with one gradient for each input")
        return gradients


def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    padded = (1,) * (gradient.ndim - len(shape)) + tuple(shape)
    stretched = tuple(i for i, (g, s) in enumerate(zip(gradient.shape, padded)) if s == 1 and g != 1)
    return gradient.sum(axis=stretched, keepdims=True).reshape(shape)


def raw(x: Any) -> Any:
    return x.data if isinstance(x, MyTensor) else x


def power(x: np.ndarray, n: float) -> np.ndarray:
    return np.power(x.astype(float) if x.dtype.kind in "iu" else x, n) if n < 0 else np.power(x, n)


def restore(g: np.ndarray, axis: Any) -> np.ndarray:
    return g if axis is None else np.expand_dims(g, axis)


def row(a: np.ndarray) -> np.ndarray:
    return a.reshape(1, -1) if a.ndim == 1 else a


FORWARD = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.true_divide,
    "pow": power,
    "neg": np.negative,
    "matmul": np.matmul,
    "relu": lambda x: np.maximum(x, 0),
    "sum": lambda x, axis: x.sum(axis=axis),
}

# name -> (upstream gradient, *operands) -> one gradient for each operand, not yet unbroadcast
RULES = {
    "add": lambda g, a, b: (g, g),
    "sub": lambda g, a, b: (g, -g),
    "mul": lambda g, a, b: (g * b, g * a),
    "div": lambda g, a, b: (g / b, -g * a / b**2),
    "pow": lambda g, x, n: (g * n * power(x, n - 1) if n != 0 else np.zeros_like(g), None),
    "neg": lambda g, x: (-g,),
    "matmul": lambda g, a, b: ((row(g) @ b.T).reshape(a.shape), row(a).T @ row(g)),
    "relu": lambda g, x: (np.where(x > 0, g, 0.0),),
    "sum": lambda g, x, axis: (np.broadcast_to(restore(g, axis), x.shape), None),
}


def pull_back(name: str, base: np.ndarray, *operands: Any) -> tuple:
    """The rule of an operation, with each gradient brought to the shape of its operand."""
    shares = RULES[name](base, *map(raw, operands))
    return tuple(None if s is None else unbroadcast(s, o.shape) for s, o in zip(shares, operands))


def apply(name: str, *operands: Any) -> "MyTensor":
    values = FORWARD[name](*map(raw, operands))
    if any(isinstance(o, MyTensor) and o.requires_grad for o in operands):
        op = MyCrossBackward(*operands, backward_function=partial(pull_back, name), name=f"{name.title()}Backward")
        return MyTensor(values, requires_grad=True, crossOpBack=op)
    return MyTensor(values)


def lift(x: Any) -> "MyTensor":
    return x if isinstance(x, MyTensor) else MyTensor(x)


def parents(t: "MyTensor") -> list["MyTensor"]:
    inputs = t.backward_op.inputs if t.backward_op is not None else ()
    return [i for i in inputs if isinstance(i, MyTensor) and i.requires_grad]


def postorder(root: "MyTensor") -> list["MyTensor"]:
    """Every tensor after all that it was computed from."""
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        tensor, leaving = stack.pop()
        if leaving:
            order.append(tensor)
        elif tensor not in seen:
            seen.add(tensor)
            stack.append((tensor, True))
            stack.extend((p, False) for p in parents(tensor) if p not in seen)
    return order


class MyTensor:
    """An n-dimensional array that can record the operations it takes part in."""

    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None) -> None:
        if isinstance(data, bool) or not isinstance(data, (list, tuple, np.ndarray, np.number, int, float)):
            raise TypeError(f"no tensor can be made of {type(data).__name__}")
        array = np.array(data, dtype=dtype)
        if array.dtype.kind in "OSUMm":
            raise TypeError("a tensor holds numbers")
        self.__data = array.astype(np.float64) if requires_grad and array.dtype.kind in "biu" else array
        self.dtype = self.__data.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack

    shape = property(lambda self: self.__data.shape)
    strides = property(lambda self: self.__data.strides)
    data = property(lambda self: self.__data)
    size = property(lambda self: self.__data.size)

    def __repr__(self) -> str:
        return f"MyTensor({self.__data.tolist()}, requires_grad={self.requires_grad})"

    __str__ = __repr__

    def __getitem__(self, index):
        return self.__data[index]

    def __setitem__(self, index, value) -> None:
        if self.requires_grad:
            raise RuntimeError("no writing into a tensor that requires a gradient")
        self.__data[index] = value

    __add__ = lambda self, other: apply("add", self, lift(other))
    __radd__ = lambda self, other: apply("add", lift(other), self)
    __sub__ = lambda self, other: apply("sub", self, lift(other))
    __rsub__ = lambda self, other: apply("sub", lift(other), self)
    __mul__ = lambda self, other: apply("mul", self, lift(other))
    __rmul__ = lambda self, other: apply("mul", lift(other), self)
    __truediv__ = lambda self, other: apply("div", self, lift(other))
    __rtruediv__ = lambda self, other: apply("div", lift(other), self)
    __neg__ = lambda self: apply("neg", self)

    def __pow__(self, n):
        return NotImplemented if isinstance(n, MyTensor) else apply("pow", self, n)

    def backward(self, base: "MyTensor | None" = None) -> None:
        if not self.requires_grad:
            return
        seed = np.ones(self.shape) if base is None else np.asarray(base.data, dtype=float)

        def visit(flow: dict, tensor: "MyTensor") -> dict:
            gradient = flow[tensor]
            if tensor.backward_op is None:
                tensor.grad = np.array(gradient if tensor.grad is None else tensor.grad + gradient)
                return flow
            shares = zip(tensor.backward_op.inputs, tensor.backward_op(gradient))
            for source, share in shares:
                if isinstance(source, MyTensor) and source.requires_grad:
                    flow[source] = flow[source] + share if source in flow else share
            return flow

        reduce(visit, reversed(postorder(self)), {self: seed})


class Parameter:
    """A tensor that training changes. (Given.)"""

    def __init__(self, tensor: MyTensor) -> None:
        if not np.issubdtype(tensor.data.dtype, np.floating):
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
        self.__dict__.get("_MyModule__parameters", {}).pop(name, None)
        self.__dict__.get("_MyModule__sub_modules", {}).pop(name, None)
        if isinstance(value, Parameter):
            value.name = value.name or name
            self.__parameters[name] = value
        elif isinstance(value, MyModule) and value is not self:
            self.__sub_modules[name] = value
        super().__setattr__(name, value)

    def __call__(self, x: Any) -> Any:
        return self.forward(x)

    def parameters(self) -> list[Parameter]:
        inner = chain.from_iterable(m.parameters() for m in self.__sub_modules.values())
        return list({id(p): p for p in chain(self.__parameters.values(), inner)}.values())


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    return apply("matmul", a, b)


def relu(x: MyTensor) -> MyTensor:
    return apply("relu", x)


def sum(x: MyTensor, axis: int | tuple[int, ...] | None = None) -> MyTensor:
    return apply("sum", x, axis)


class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        bound = input_size**-0.5
        self.weight = Parameter(MyTensor(np.random.uniform(-bound, bound, (input_size, output_size))))
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x: MyTensor) -> MyTensor:
        return matmul(x, self.weight.tensor) + self.bias.tensor


class ReLU(MyModule):
    """The relu function as a module: it has no parameters. (Given.)"""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: MyTensor) -> MyTensor:
        return relu(x)


class SGD:
    """Stochastic gradient descent."""

    def __init__(self, parameters: Iterable[Parameter], lr: float = 1e-2) -> None:
        self.lr = lr
        self.params = list(parameters)

    def zero_grad(self) -> None:
        for tensor in (p.tensor for p in self.params):
            tensor.grad = None

    def step(self) -> None:
        for tensor in (p.tensor for p in self.params if p.tensor.grad is not None):
            np.subtract(tensor.data, self.lr * tensor.grad, out=tensor.data, casting="same_kind")


class MSELoss:
    """Mean squared error."""

    def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:
        return (lambda error: sum(error**2) / error.size)(y - y_target)


def compose(*functions: Callable) -> Callable:
    return lambda x: reduce(lambda value, function: function(value), functions, x)


class SuperModel(MyModule):
    """Maps a batch of images, shape (n, 64), to one score per digit, shape (n, 10)."""

    def __init__(self, hidden: int = 40) -> None:
        super().__init__()
        self.first = Linear(64, hidden)
        self.second = Linear(hidden, 10)

    def forward(self, x: MyTensor) -> MyTensor:
        return compose(self.first, relu, self.second)(x)


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
    criterion, optimizer = MSELoss(), SGD(model.parameters(), lr=lr)

    def learn(rows: np.ndarray) -> float:
        optimizer.zero_grad()
        loss = criterion(model(MyTensor(images[rows])), MyTensor(targets[rows]))
        loss.backward()
        optimizer.step()
        return float(loss.data) * len(rows)

    def batches() -> Iterable[np.ndarray]:
        order = np.random.permutation(len(images))
        return (order[i : i + batch_size] for i in range(0, len(order), batch_size))

    losses = []
    progress = tqdm(range(epochs), file=sys.stdout, disable=live is not None)
    for _ in progress:
        losses.append(reduce(lambda total, rows: total + learn(rows), batches(), 0.0) / len(images))
        progress.set_postfix(loss=losses[-1])
        if live:
            live(losses[-1])
    return losses
