# Tensors know nothing about calculus: a graph object records dataclass nodes, and differentiates them.
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tqdm import tqdm


@dataclass(eq=False)
class Node:
    """One recorded operation: what went in, and how its upstream gradient is divided among the inputs."""

    label: str
    inputs: tuple
    pull: Callable
    settings: dict = field(default_factory=dict)

    def __str__(self) -> str:
        return self.label

    def shares(self, upstream: np.ndarray) -> tuple:
        return self.pull(upstream, *[source.data for source in self.inputs], **self.settings)


@dataclass
class Plan:
    """What a walk must know beforehand: all tensors it will meet, and how many shares each of them waits for."""

    tensors: list
    waiting: Counter


class Graph:
    """Records operations, and walks over them."""

    def result(self, label: str, values: Any, inputs: tuple, pull: Callable, **settings: Any) -> "MyTensor":
        """The tensor of an operation's values. A node is recorded only if somebody asks for gradients."""
        wanted = any(source.requires_grad for source in inputs)
        node = Node(label, inputs, pull, settings) if wanted else None
        return MyTensor(values, requires_grad=wanted, crossOpBack=node)

    def sources(self, tensor: "MyTensor") -> list:
        """The tensors that `tensor` was computed from and that want a gradient, each as often as it was used."""
        node = tensor.backward_op
        if node is None:
            return []
        return [source for source in node.inputs if source.requires_grad]

    def plan(self, root: "MyTensor") -> Plan:
        plan = Plan([root], Counter())
        known = {id(root)}
        for tensor in plan.tensors:  # the list grows while we go through it
            for source in self.sources(tensor):
                plan.waiting[id(source)] += 1
                if id(source) not in known:
                    known.add(id(source))
                    plan.tensors.append(source)
        return plan

    def differentiate(self, root: "MyTensor", start: np.ndarray) -> None:
        waiting = self.plan(root).waiting
        collected = {id(root): start}
        ready = [root]
        while ready:
            tensor = ready.pop()
            upstream = collected.pop(id(tensor))
            node = tensor.backward_op
            if node is None:
                self.deposit(tensor, upstream)
                continue
            for source, share in zip(node.inputs, node.shares(upstream)):
                if not source.requires_grad:
                    continue
                share = fold(share, source.shape)
                if id(source) in collected:
                    share = collected[id(source)] + share
                collected[id(source)] = share
                waiting[id(source)] -= 1
                if waiting[id(source)] == 0:
                    ready.append(source)

    def deposit(self, leaf: "MyTensor", gradient: np.ndarray) -> None:
        """Add to what lies in the grad of the leaf."""
        before = 0.0 if leaf.grad is None else as_array(leaf.grad)
        leaf.grad = MyTensor(before + gradient, dtype=leaf.grad_dtype)


GRAPH = Graph()


def as_array(value: Any) -> np.ndarray:
    """The array of a tensor; an array stays as it is."""
    return value.data if isinstance(value, MyTensor) else value


def fold(gradient: np.ndarray, shape: tuple) -> np.ndarray:
    """Sum over everything that broadcasting has stretched."""
    lead = gradient.ndim - len(shape)
    stretched = [lead + i for i, n in enumerate(shape) if n == 1]
    folded = gradient.sum(axis=tuple(range(lead)) + tuple(stretched))
    return folded.reshape(shape)


def pull_add(g, a, b):
    return g, g


def pull_sub(g, a, b):
    return g, -g


def pull_mul(g, a, b):
    return g * b, g * a


def pull_div(g, a, b):
    ratio = a / b
    return g / b, -g * ratio / b


def pull_pow(g, a, power):
    if power == 0:
        return (np.zeros_like(g),)
    return (g * power * np.power(a, power - 1),)


def pull_neg(g, a):
    return (np.negative(g),)


NUMBERS = (int, float, np.number, np.bool_)


class MyTensor:
    """An array, and where it came from."""

    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if not isinstance(data, (list, tuple, np.ndarray) + NUMBERS):
            raise TypeError(f"data must be numbers, not {type(data).__name__}")
        array = np.array(data)
        if array.dtype.kind in "OSUVMm":
            raise TypeError(f"data must be numbers, not {array.dtype}")
        if dtype is None and array.dtype.kind in "biu":
            dtype = np.float64  # there is no use for whole numbers here
        self.__data = np.array(array, dtype=dtype)
        self.dtype = self.__data.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack

    @property
    def data(self):
        return self.__data

    @property
    def shape(self):
        return self.__data.shape

    @property
    def strides(self):
        return self.__data.strides

    @property
    def size(self):
        return self.__data.size

    @property
    def grad_dtype(self):
        return self.dtype if self.dtype.kind in "fc" else np.dtype(np.float64)

    def __repr__(self):
        return f"MyTensor({np.array2string(self.__data, separator=', ')}, requires_grad={self.requires_grad})"

    def __getitem__(self, index):
        return self.__data[index].copy()

    def __setitem__(self, index, value):
        if self.requires_grad:
            raise RuntimeError("the graph may have used the old value: set requires_grad to False first")
        self.__data[index] = as_array(value)

    def __binary(self, other, label, function, pull, swapped=False):
        if isinstance(other, NUMBERS + (np.ndarray,)):
            other = MyTensor(other)
        if not isinstance(other, MyTensor):
            return NotImplemented
        pair = (other, self) if swapped else (self, other)
        return GRAPH.result(label, function(pair[0].data, pair[1].data), pair, pull)

    def __add__(self, other):
        return self.__binary(other, "Add", np.add, pull_add)

    def __radd__(self, other):
        return self.__binary(other, "Add", np.add, pull_add, swapped=True)

    def __sub__(self, other):
        return self.__binary(other, "Sub", np.subtract, pull_sub)

    def __rsub__(self, other):
        return self.__binary(other, "Sub", np.subtract, pull_sub, swapped=True)

    def __mul__(self, other):
        return self.__binary(other, "Mul", np.multiply, pull_mul)

    def __rmul__(self, other):
        return self.__binary(other, "Mul", np.multiply, pull_mul, swapped=True)

    def __truediv__(self, other):
        return self.__binary(other, "Div", np.divide, pull_div)

    def __rtruediv__(self, other):
        return self.__binary(other, "Div", np.divide, pull_div, swapped=True)

    def __pow__(self, power):
        if not isinstance(power, NUMBERS):
            return NotImplemented
        power = float(power)
        return GRAPH.result("Pow", np.power(self.__data, power), (self,), pull_pow, power=power)

    def __neg__(self):
        return GRAPH.result("Neg", np.negative(self.__data), (self,), pull_neg)

    def backward(self, base=None):
        if not self.requires_grad:
            return
        start = np.ones(self.shape, self.grad_dtype)
        if base is not None:
            start = start * base.data
        GRAPH.differentiate(self, start)


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
        result: list[Parameter] = []
        seen: set[int] = set()
        waiting: list[MyModule] = [self]
        entered: set[int] = set()
        while waiting:
            module = waiting.pop()
            if id(module) in entered:
                continue
            entered.add(id(module))
            for parameter in module.__parameters.values():
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    result.append(parameter)
            waiting.extend(reversed(module.__sub_modules.values()))
        return result


def pull_matmul(g, a, b):
    if a.ndim == 1:
        return b @ g, np.outer(a, g)
    return g @ b.T, a.T @ g


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    return GRAPH.result("Matmul", a.data @ b.data, (a, b), pull_matmul)


class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        limit = np.sqrt(6 / (input_size + output_size))  # Xavier
        start = np.random.uniform(-limit, limit, size=(input_size, output_size))
        self.weight = Parameter(MyTensor(start))
        self.bias = Parameter(MyTensor([0.0] * output_size))

    def forward(self, x: MyTensor) -> MyTensor:
        product = matmul(x, self.weight.tensor)
        return product + self.bias.tensor


def pull_relu(g, a):
    return (np.where(a > 0, g, 0.0),)


def relu(x: MyTensor) -> MyTensor:
    return GRAPH.result("Relu", np.where(x.data < 0, 0.0, x.data), (x,), pull_relu)


class ReLU(MyModule):
    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: MyTensor) -> MyTensor:
        return relu(x)


class SGD:
    """Stochastic gradient descent."""

    def __init__(self, parameters, lr: float = 1e-2) -> None:
        self.lr = lr
        self.params = list(parameters)

    def __tensors(self):
        return [parameter.tensor for parameter in self.params]

    def zero_grad(self) -> None:
        for tensor in self.__tensors():
            tensor.grad = None

    def step(self) -> None:
        for tensor in self.__tensors():
            if tensor.grad is None:
                continue
            tensor.data[...] = tensor.data - self.lr * as_array(tensor.grad)


def pull_sum(g, a, axis):
    if axis is not None:
        g = np.expand_dims(g, axis)
    return (g + np.zeros(a.shape),)


def sum(x: MyTensor, axis=None) -> MyTensor:
    return GRAPH.result("Sum", x.data.sum(axis=axis), (x,), pull_sum, axis=axis)


class MSELoss:
    def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:
        error = y - y_target
        total = sum(error * error)
        return total * (1 / error.size)


class SuperModel(MyModule):
    """64 pixels, 40 hidden units, 10 scores."""

    def __init__(self) -> None:
        super().__init__()
        self.first = Linear(64, 40)
        self.bend = ReLU()
        self.second = Linear(40, 10)

    def forward(self, x: MyTensor) -> MyTensor:
        x = self.first(x)
        x = self.bend(x)
        return self.second(x)


def mini_batches(count: int, batch_size: int):
    """Yield the row numbers of one epoch, in a new order."""
    rows = np.arange(count)
    np.random.shuffle(rows)
    for begin in range(0, count, batch_size):
        yield rows[begin : begin + batch_size]


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    """Train the model on mini-batches; the mean loss of each epoch."""
    losses: list[float] = []
    criterion = MSELoss()
    sgd = SGD(model.parameters(), lr)
    for _ in tqdm(range(epochs), disable=live is not None):
        weighted = 0.0
        for rows in mini_batches(len(images), batch_size):
            prediction = model(MyTensor(images[rows]))
            loss = criterion(prediction, MyTensor(targets[rows]))
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            weighted += loss.data.item() * len(rows)
        losses.append(weighted / len(images))
        if live:
            live(losses[-1])
    return losses
