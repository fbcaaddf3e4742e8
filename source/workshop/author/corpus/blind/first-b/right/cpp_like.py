import sys
from collections import deque
from collections.abc import Callable
from enum import IntEnum
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


class Op(IntEnum):
    ADD = 0
    SUB = 1
    MUL = 2
    DIV = 3


class Graph:
    """The part of the graph that one backward() walks: nodes by id, edges as adjacency lists."""

    def __init__(self) -> None:
        self.nodes: list["MyTensor"] = []
        self.adjacency: list[list[tuple[int, int]]] = []  # adjacency[v] = [(u, slot), ...]
        self.in_degree: list[int] = []
        self.index: dict[int, int] = {}

    def node_id(self, tensor: "MyTensor") -> int:
        key = id(tensor)
        if key not in self.index:
            self.index[key] = len(self.nodes)
            self.nodes.append(tensor)
            self.adjacency.append([])
            self.in_degree.append(0)
        return self.index[key]

    def build(self, root: "MyTensor") -> None:
        self.node_id(root)
        v = 0
        while v < len(self.nodes):  # nodes grows while we read it
            op = self.nodes[v].backward_op
            if op is not None:
                for slot, operand in enumerate(op.inputs):
                    if isinstance(operand, MyTensor) and operand.requires_grad:
                        u = self.node_id(operand)
                        self.adjacency[v].append((u, slot))
                        self.in_degree[u] += 1
            v += 1


class MyTensor:
    """An n-dimensional array that can record the operations it takes part in."""

    __array_ufunc__ = None

    def __init__(
        self,
        data: list | tuple | np.ndarray | np.number | int | float,
        dtype: np.dtype | type | None = None,
        requires_grad: bool = False,
        crossOpBack: MyCrossBackward | None = None,
    ) -> None:
        if type(data) is bool or not isinstance(data, (list, tuple, np.ndarray, np.number, int, float)):
            raise TypeError("MyTensor: unsupported type " + type(data).__name__)
        buffer: np.ndarray = np.array(data, dtype=dtype, copy=True)
        kind: str = buffer.dtype.kind
        if kind not in ("b", "i", "u", "f", "c"):
            raise TypeError("MyTensor: unsupported element type " + str(buffer.dtype))
        if requires_grad and kind in ("b", "i", "u"):
            buffer = buffer.astype(np.float64)
        self.__data: np.ndarray = buffer
        self.dtype: np.dtype = buffer.dtype
        self.requires_grad: bool = requires_grad
        self.grad: np.ndarray | None = None
        self.backward_op: MyCrossBackward | None = crossOpBack

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
        flag = "true" if self.requires_grad else "false"
        return "MyTensor{%s, requires_grad=%s}" % (self.__data.tolist(), flag.capitalize())

    def __str__(self) -> str:
        return self.__repr__()

    def __getitem__(self, index: Any) -> Any:
        return self.__data[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        if self.requires_grad:
            raise RuntimeError("MyTensor: write to a tensor that requires grad")
        self.__data[index] = value

    @staticmethod
    def __binary(op: Op, lhs: Any, rhs: Any) -> "MyTensor":
        if not isinstance(lhs, MyTensor):
            lhs = MyTensor(lhs)
        if not isinstance(rhs, MyTensor):
            rhs = MyTensor(rhs)
        if op == Op.ADD:
            out, rule, name = lhs.data + rhs.data, add_deriv, "AddBackward"
        elif op == Op.SUB:
            out, rule, name = lhs.data - rhs.data, sub_deriv, "SubBackward"
        elif op == Op.MUL:
            out, rule, name = lhs.data * rhs.data, mul_deriv, "MulBackward"
        else:
            out, rule, name = lhs.data / rhs.data, div_deriv, "DivBackward"
        return record(out, MyCrossBackward(lhs, rhs, backward_function=rule, name=name))

    def __add__(self, rhs: Any) -> "MyTensor":
        return MyTensor.__binary(Op.ADD, self, rhs)

    def __radd__(self, lhs: Any) -> "MyTensor":
        return MyTensor.__binary(Op.ADD, lhs, self)

    def __sub__(self, rhs: Any) -> "MyTensor":
        return MyTensor.__binary(Op.SUB, self, rhs)

    def __rsub__(self, lhs: Any) -> "MyTensor":
        return MyTensor.__binary(Op.SUB, lhs, self)

    def __mul__(self, rhs: Any) -> "MyTensor":
        return MyTensor.__binary(Op.MUL, self, rhs)

    def __rmul__(self, lhs: Any) -> "MyTensor":
        return MyTensor.__binary(Op.MUL, lhs, self)

    def __truediv__(self, rhs: Any) -> "MyTensor":
        return MyTensor.__binary(Op.DIV, self, rhs)

    def __rtruediv__(self, lhs: Any) -> "MyTensor":
        return MyTensor.__binary(Op.DIV, lhs, self)

    def __pow__(self, exponent: int | float) -> "MyTensor":
        if isinstance(exponent, MyTensor):
            return NotImplemented
        out = self.__data ** exponent if exponent >= 0 else np.power(self.__data, float(exponent))
        return record(out, MyCrossBackward(self, exponent, backward_function=pow_deriv, name="PowBackward"))

    def __neg__(self) -> "MyTensor":
        return record(-self.__data, MyCrossBackward(self, backward_function=neg_deriv, name="NegBackward"))

    def backward(self, base: "MyTensor | None" = None) -> None:
        if not self.requires_grad:
            return
        graph = Graph()
        graph.build(self)
        n = len(graph.nodes)
        gradient = [np.zeros(node.shape) for node in graph.nodes]
        gradient[0] += np.ones(self.shape) if base is None else base.data
        ready = deque([0])  # the root: no edge leads to it
        while ready:
            v = ready.popleft()
            node = graph.nodes[v]
            if node.backward_op is None:
                if node.grad is None:
                    node.grad = np.zeros(node.shape)
                node.grad = np.asarray(node.grad + gradient[v])
                continue
            shares = node.backward_op.run(gradient[v])
            for u, slot in graph.adjacency[v]:
                gradient[u] += shares[slot]
                graph.in_degree[u] -= 1
                if graph.in_degree[u] == 0:
                    ready.append(u)


def record(out: np.ndarray, op: MyCrossBackward) -> MyTensor:
    for operand in op.inputs:
        if isinstance(operand, MyTensor) and operand.requires_grad:
            return MyTensor(out, requires_grad=True, crossOpBack=op)
    return MyTensor(out)


def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Every element of the gradient is added to the cell of the operand that it was read from."""
    if gradient.shape == shape:
        return gradient
    cells = 1
    for extent in shape:
        cells *= extent
    source = np.broadcast_to(np.arange(cells).reshape(shape), gradient.shape)
    result = np.zeros(cells)
    np.add.at(result, source.reshape(-1), gradient.reshape(-1))
    return result.reshape(shape)


def add_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    lhs, rhs = tensors
    return unbroadcast(base, lhs.shape), unbroadcast(base, rhs.shape)


def sub_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    lhs, rhs = tensors
    return unbroadcast(base, lhs.shape), unbroadcast(np.negative(base), rhs.shape)


def mul_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    lhs, rhs = tensors
    return unbroadcast(base * rhs.data, lhs.shape), unbroadcast(base * lhs.data, rhs.shape)


def div_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    lhs, rhs = tensors
    d_lhs = np.asarray(base / rhs.data)
    d_rhs = np.asarray(-d_lhs * (lhs.data / rhs.data))
    return unbroadcast(d_lhs, lhs.shape), unbroadcast(d_rhs, rhs.shape)


def pow_deriv(base: np.ndarray, *args: Any) -> tuple[np.ndarray, None]:
    x, exponent = args
    slope = np.zeros(x.shape)
    if exponent != 0:
        slope += exponent * np.power(x.data, float(exponent) - 1.0)
    return base * slope, None


def neg_deriv(base: np.ndarray, *args: Any) -> tuple[np.ndarray]:
    return (np.negative(base),)


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
        result: list[Parameter] = []
        seen: set[int] = set()
        stack: list[MyModule] = [self]
        visited: set[int] = set()
        while stack:
            module = stack.pop()
            if id(module) in visited:
                continue
            visited.add(id(module))
            for parameter in module.__parameters.values():
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    result.append(parameter)
            stack.extend(reversed(list(module.__sub_modules.values())))
        return result


def matmul_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    lhs, rhs = tensors
    k, m = rhs.shape
    n = lhs.size // k
    a = lhs.data.reshape(n, k)
    g = base.reshape(n, m)
    d_lhs = np.empty((n, k))
    d_rhs = np.empty((k, m))
    np.matmul(g, rhs.data.transpose(), out=d_lhs)
    np.matmul(a.transpose(), g, out=d_rhs)
    return d_lhs.reshape(lhs.shape), d_rhs


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    out = np.matmul(a.data, b.data)
    return record(out, MyCrossBackward(a, b, backward_function=matmul_deriv, name="MatmulBackward"))


class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        limit: float = 1.0 / np.sqrt(input_size)
        self.weight = Parameter(MyTensor(np.random.uniform(low=-limit, high=limit, size=(input_size, output_size))))
        self.bias = Parameter(MyTensor([0.0] * output_size))

    def forward(self, x: MyTensor) -> MyTensor:
        return matmul(x, self.weight.tensor) + self.bias.tensor


def relu(x: MyTensor) -> MyTensor:
    out = np.where(x.data > 0, x.data, 0)
    return record(out, MyCrossBackward(x, backward_function=relu_deriv, name="ReluBackward"))


def relu_deriv(base: np.ndarray, *args: MyTensor) -> tuple[np.ndarray]:
    (x,) = args
    return (np.where(x.data > 0, base, 0.0),)


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
        self.params = list(parameters)

    def zero_grad(self) -> None:
        for i in range(len(self.params)):
            self.params[i].tensor.grad = None

    def step(self) -> None:
        for i in range(len(self.params)):
            tensor = self.params[i].tensor
            if tensor.grad is None:
                continue
            tensor.data[...] -= self.lr * tensor.grad


def sum_deriv(base: np.ndarray, *args: Any) -> tuple[np.ndarray, None]:
    x, axis = args
    if axis is not None:
        base = np.expand_dims(base, axis)
    return np.multiply(base, np.ones(x.shape)), None


def sum(x: MyTensor, axis: int | tuple[int, ...] | None = None) -> MyTensor:
    return record(x.data.sum(axis=axis), MyCrossBackward(x, axis, backward_function=sum_deriv, name="SumBackward"))


class MSELoss:
    """Mean squared error."""

    def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:
        diff = y - y_target
        return sum(diff * diff) * (1.0 / diff.size)


class SuperModel(MyModule):
    """Maps a batch of images, shape (n, 64), to one score per digit, shape (n, 10)."""

    N_IN: int = 64
    N_HIDDEN: int = 32
    N_OUT: int = 10

    def __init__(self) -> None:
        super().__init__()
        self.hidden = Linear(self.N_IN, self.N_HIDDEN)
        self.activation = ReLU()
        self.output = Linear(self.N_HIDDEN, self.N_OUT)

    def forward(self, x: MyTensor) -> MyTensor:
        h = self.hidden.forward(x)
        h = self.activation.forward(h)
        return self.output.forward(h)


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
    losses: list[float] = []
    loss_function = MSELoss()
    optimizer = SGD(model.parameters(), lr=lr)
    n: int = images.shape[0]
    order: np.ndarray = np.arange(n)
    progress = tqdm(total=epochs, file=sys.stdout, disable=live is not None)
    for _epoch in range(epochs):
        np.random.shuffle(order)
        accumulated: float = 0.0
        begin: int = 0
        while begin < n:
            end = min(begin + batch_size, n)
            rows = order[begin:end]
            optimizer.zero_grad()
            loss = loss_function(model(MyTensor(images[rows])), MyTensor(targets[rows]))
            loss.backward()
            optimizer.step()
            accumulated += loss.data.item() * (end - begin)
            begin = end
        losses.append(accumulated / n)
        progress.update(1)
        if live is not None:
            live(losses[-1])
    progress.close()
    return losses
