import numpy as np
import builtins
from typing import Any


# dL/da for every node a of the graph, as in the lecture notes. G is dL/d(output).


class MyTensor:
    """A value together with the way in which it was obtained."""

    ACCEPTED = (list, tuple, np.ndarray, np.number, int, float)

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None) -> None:
        if not isinstance(data, self.ACCEPTED):
            raise TypeError(f"data must be numbers, not {type(data)}")
        self.__data = np.array(data, dtype=dtype)
        self.dtype = self.__data.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack

    @property
    def data(self) -> np.ndarray:
        return self.__data

    @property
    def shape(self) -> tuple:
        return self.__data.shape

    @property
    def strides(self) -> tuple:
        return self.__data.strides

    @property
    def size(self) -> int:
        return self.__data.size

    def __repr__(self) -> str:
        return f"MyTensor({self.__data.tolist()}, requires_grad={self.requires_grad})"

    def __getitem__(self, index):
        return self.__data[index]

    def __setitem__(self, index, value) -> None:
        self.__data[index] = value

    __array_ufunc__ = None

    def __record(self, a, b, values, rule, name) -> "MyTensor":
        """c = f(a, b), with f's derivative noted where it is wanted."""
        if a.requires_grad or b.requires_grad:
            f = MyCrossBackward(a, b, backward_function=rule, name=name)
            return MyTensor(values, requires_grad=True, crossOpBack=f)
        return MyTensor(values)

    def __constant(self, c) -> "MyTensor":
        return c if isinstance(c, MyTensor) else MyTensor(c)

    def __add__(self, b):
        b = self.__constant(b)
        return self.__record(self, b, self.data + b.data, add_deriv, "AddBackward")

    def __sub__(self, b):
        b = self.__constant(b)
        return self.__record(self, b, self.data - b.data, sub_deriv, "SubBackward")

    def __mul__(self, b):
        b = self.__constant(b)
        return self.__record(self, b, self.data * b.data, mul_deriv, "MulBackward")

    def __truediv__(self, b):
        b = self.__constant(b)
        return self.__record(self, b, self.data / b.data, div_deriv, "DivBackward")

    def __radd__(self, a):
        a = self.__constant(a)
        return self.__record(a, self, a.data + self.data, add_deriv, "AddBackward")

    def __rsub__(self, a):
        a = self.__constant(a)
        return self.__record(a, self, a.data - self.data, sub_deriv, "SubBackward")

    def __rmul__(self, a):
        a = self.__constant(a)
        return self.__record(a, self, a.data * self.data, mul_deriv, "MulBackward")

    def __rtruediv__(self, a):
        a = self.__constant(a)
        return self.__record(a, self, a.data / self.data, div_deriv, "DivBackward")

    def __pow__(self, n):
        values = self.data**n
        if not self.requires_grad:
            return MyTensor(values)
        f = MyCrossBackward(self, n, backward_function=pow_deriv, name="PowBackward")
        return MyTensor(values, requires_grad=True, crossOpBack=f)

    def __neg__(self):
        return self * -1

    def __topological_order(self) -> list:
        """Every node after everything it was computed from (depth first, post-order)."""
        order, seen = [], set()
        stack = [(self, False)]
        while stack:
            node, inputs_done = stack.pop()
            if inputs_done:
                order.append(node)
                continue
            if node in seen:
                continue
            seen.add(node)
            stack.append((node, True))
            if node.backward_op is not None:
                for v in node.backward_op.inputs:
                    if isinstance(v, MyTensor) and v.requires_grad:
                        stack.append((v, False))
        return order

    def backward(self, base=None) -> None:
        """Reverse accumulation."""
        if not self.requires_grad:
            return
        if base is None:
            upstream = np.ones(self.shape, self.dtype)
        else:
            upstream = base.data if isinstance(base, MyTensor) else np.asarray(base, self.dtype)
            if upstream.shape != self.shape:
                raise ValueError(f"base has shape {upstream.shape}, this tensor {self.shape}")
        adjoint = {self: upstream}
        for v in reversed(self.__topological_order()):
            G = adjoint.pop(v)
            if v.backward_op is None:
                v.grad = np.array(G if v.grad is None else v.grad + G)
                continue
            for u, dLdu in zip(v.backward_op.inputs, v.backward_op.run(G)):
                if isinstance(u, MyTensor) and u.requires_grad:
                    adjoint[u] = adjoint[u] + dLdu if u in adjoint else dLdu


class MyCrossBackward:
    """One operation of the graph: its inputs, and the rule that differentiates it. (Given.)"""

    def __init__(self, *args: Any, backward_function, name: str) -> None:
        self.inputs = args
        self.__rule = backward_function
        self.__name = name

    def __str__(self) -> str:
        return self.__name

    def __call__(self, x):
        return self.run(x)

    def run(self, base):
        gradients = self.__rule(base, *self.inputs)
        if isinstance(gradients, (np.ndarray, np.generic)):
            raise TypeError(f"the rule of {self} must return a tuple, one gradient for each input")
        return gradients


def unbroadcast(gradient, shape):
    """Sum over the extra axes in front, then over the axes of length 1."""
    extra = gradient.ndim - len(shape)
    S = gradient.sum(axis=tuple(range(extra)))
    ones = tuple(i for i, n in enumerate(shape) if n == 1)
    return S.sum(axis=ones, keepdims=True)


def add_deriv(base, *tensors):
    a, b = tensors
    return unbroadcast(base, a.shape), unbroadcast(base, b.shape)


def sub_deriv(base, *tensors):
    # d(a - b)/da = 1, d(a - b)/db = -1
    a, b = tensors
    return unbroadcast(base, a.shape), unbroadcast(-base, b.shape)


def mul_deriv(base, *tensors):
    # d(ab)/da = b, d(ab)/db = a
    a, b = tensors
    return unbroadcast(base * b.data, a.shape), unbroadcast(base * a.data, b.shape)


def div_deriv(base, *tensors):
    # d(a/b)/da = 1/b, d(a/b)/db = -a/b^2
    a, b = tensors
    dLda = base / b.data
    dLdb = -base * a.data / b.data**2
    return unbroadcast(dLda, a.shape), unbroadcast(dLdb, b.shape)


def pow_deriv(base, *args):
    # d(x^n)/dx = n x^(n-1)
    x, n = args
    slope = n * x.data ** (n - 1) if n != 0 else np.zeros(x.shape)
    return base * slope, None


class Parameter:
    """Holds a tensor that training changes. (Given.)"""

    def __init__(self, tensor: MyTensor) -> None:
        if not np.issubdtype(tensor.data.dtype, np.floating):
            tensor = MyTensor(tensor.data, dtype=np.float64)
        self.tensor = tensor
        self.tensor.requires_grad = True
        self.__name = None

    @property
    def name(self):
        return self.__name

    @name.setter
    def name(self, x) -> None:
        self.__name = x


class MyModule:
    def __init__(self) -> None:
        self.__parameters = {}
        self.__sub_modules = {}

    def __setattr__(self, name: str, value: Any) -> None:
        owned = isinstance(value, (Parameter, MyModule))
        if owned and "_MyModule__sub_modules" not in self.__dict__:
            where = f"{type(self).__name__}.__init__"
            raise RuntimeError(f"call super().__init__() in {where} before setting {name}")
        self.__dict__.get("_MyModule__parameters", {}).pop(name, None)
        self.__dict__.get("_MyModule__sub_modules", {}).pop(name, None)
        if isinstance(value, Parameter):
            value.name = value.name or name
            self.__parameters[name] = value
        elif isinstance(value, MyModule) and value is not self:
            self.__sub_modules[name] = value
        super().__setattr__(name, value)

    def __call__(self, x):
        return self.forward(x)

    def parameters(self):
        """The union over the tree, each element once."""
        union = list(self.__parameters.values())
        for module in self.__sub_modules.values():
            union = union + module.parameters()
        return list(dict.fromkeys(union))


def matmul_deriv(base, *tensors):
    # C = A B:  dL/dA = G B^T,  dL/dB = A^T G
    A, B = tensors
    G = base.reshape(-1, B.shape[1])
    A2 = A.data.reshape(-1, B.shape[0])
    dLdA = G @ B.data.T
    dLdB = A2.T @ G
    return dLdA.reshape(A.shape), dLdB


def matmul(a, b):
    C = a.data @ b.data
    if not (a.requires_grad or b.requires_grad):
        return MyTensor(C)
    f = MyCrossBackward(a, b, backward_function=matmul_deriv, name="MatmulBackward")
    return MyTensor(C, requires_grad=True, crossOpBack=f)


class Linear(MyModule):
    """Y = X W + b"""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        bound = 1 / np.sqrt(input_size)
        W = np.random.uniform(-bound, bound, size=(input_size, output_size))
        b = np.zeros(output_size)
        self.weight = Parameter(MyTensor(W))
        self.bias = Parameter(MyTensor(b))

    def forward(self, x):
        W, b = self.weight.tensor, self.bias.tensor
        return matmul(x, W) + b


def relu(x):
    y = np.maximum(x.data, 0)
    if not x.requires_grad:
        return MyTensor(y)
    f = MyCrossBackward(x, backward_function=relu_deriv, name="ReluBackward")
    return MyTensor(y, requires_grad=True, crossOpBack=f)


def relu_deriv(base, x):
    # the step function, 0 at 0
    return (np.where(x.data > 0, base, 0),)


class ReLU(MyModule):
    def __init__(self) -> None:
        super().__init__()

    def forward(self, x):
        return relu(x)


class SGD:
    """W <- W - lr dL/dW"""

    def __init__(self, parameters, lr=1e-2) -> None:
        self.lr = lr
        self.params = list(parameters)

    def zero_grad(self) -> None:
        for p in self.params:
            p.tensor.grad = None

    def step(self) -> None:
        for p in self.params:
            if p.tensor.grad is not None:
                W, dLdW = p.tensor.data, p.tensor.grad
                W -= self.lr * dLdW


def sum_deriv(base, *args):
    x, axis = args
    if axis is None:
        G = base
    else:
        G = np.expand_dims(base, axis)
    return G * np.ones(x.shape), None


def sum(x, axis=None):
    if not isinstance(x, MyTensor):
        return builtins.sum(x) if axis is None else builtins.sum(x, axis)
    result = x.data.sum(axis=axis)
    if x.requires_grad:
        op = MyCrossBackward(x, axis, backward_function=sum_deriv, name="SumBackward")
        return MyTensor(result, requires_grad=True, crossOpBack=op)
    return MyTensor(result)


class MSELoss:
    """L = 1/N sum (y_i - t_i)^2"""

    def __call__(self, y, y_target):
        N = y.size
        L = sum((y - y_target) ** 2) / N
        return L


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    losses = []
    loss_function = MSELoss()
    optimizer = SGD(model.parameters(), lr)
    n = len(images)
    for _ in range(epochs):
        sigma = np.random.permutation(n)
        L_epoch = 0.0
        for k in range(0, n, batch_size):
            B = sigma[k : k + batch_size]
            optimizer.zero_grad()
            Y = model(MyTensor(images[B]))
            L = loss_function(Y, MyTensor(targets[B]))
            L.backward()
            optimizer.step()
            L_epoch += len(B) * float(L.data)
        losses.append(L_epoch / n)
        if live:
            live(losses[-1])
    return losses


class SuperModel(MyModule):
    def __init__(self) -> None:
        super().__init__()
        self.first = Linear(64, 32)
        self.relu = ReLU()
        self.second = Linear(32, 10)

    def forward(self, x):
        return self.second(self.relu(self.first(x)))
