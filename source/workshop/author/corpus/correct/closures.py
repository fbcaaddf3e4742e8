# Closures: each result carries a _backward() that adds in place into the .grad arrays of its inputs (micrograd-like).
import math
import random

import numpy as np


def _unbroadcast(g, shape):
    while np.ndim(g) > len(shape):
        g = np.add.reduce(g, axis=0)
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return np.add.reduce(g, axis=stretched, keepdims=True) if stretched else g


class MyTensor:
    __array_priority__ = 1000
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        ok = isinstance(data, (list, tuple, np.ndarray, np.generic, int, float))
        arr = np.array(data, dtype=dtype, order="C") if ok else None
        if arr is None or arr.dtype.kind not in "fiub":
            raise TypeError("MyTensor wants numbers: a list, a tuple, an array, an int or a float")
        if dtype is None and arr.dtype.kind in "iub":
            arr = arr.astype("float64")
        self.__data = arr
        self.requires_grad = bool(requires_grad)
        self.grad = None
        self._prev = ()
        self._backward = crossOpBack

    @property
    def data(self):
        return self.__data

    @property
    def dtype(self):
        return self.__data.dtype

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
    def backward_op(self):
        return self._backward

    def __repr__(self):
        return f"<MyTensor data={self.data} requires_grad={self.requires_grad}>"

    def __getitem__(self, i):
        return self.__data[i]

    def __setitem__(self, i, v):
        self.__data[i] = v.data if isinstance(v, MyTensor) else v

    def _add_grad(self, g):
        # a constant has no .grad to add to
        if self.requires_grad:
            self.grad += _unbroadcast(g, self.shape)

    def __add__(self, other):
        other = _t(other)
        out = _out(self.data + other.data, self, other)

        def _backward():
            self._add_grad(out.grad)
            other._add_grad(out.grad)

        return _with(out, _backward)

    def __mul__(self, other):
        other = _t(other)
        out = _out(self.data * other.data, self, other)

        def _backward():
            self._add_grad(out.grad * other.data)
            other._add_grad(out.grad * self.data)

        return _with(out, _backward)

    def __sub__(self, other):
        other = _t(other)
        out = _out(self.data - other.data, self, other)

        def _backward():
            self._add_grad(out.grad)
            other._add_grad(-out.grad)

        return _with(out, _backward)

    def __truediv__(self, other):
        other = _t(other)
        out = _out(self.data / other.data, self, other)

        def _backward():
            self._add_grad(out.grad / other.data)
            other._add_grad(-out.grad * self.data / (other.data * other.data))

        return _with(out, _backward)

    def __pow__(self, k):
        x = self.data * 1.0
        out = _out(x**k, self)

        def _backward():
            if k != 0:
                self._add_grad(k * x ** (k - 1) * out.grad)

        return _with(out, _backward)

    def __neg__(self):
        return self * -1.0

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return _t(other) - self

    def __rtruediv__(self, other):
        return _t(other) / self

    def backward(self, base=None):
        if not self.requires_grad:
            return

        # inputs before results, without recursion
        topo, seen, todo = [], set(), [(self, False)]
        while todo:
            node, inputs_done = todo.pop()
            if inputs_done:
                topo.append(node)
            elif id(node) not in seen:
                seen.add(id(node))
                todo.append((node, True))
                todo.extend((p, False) for p in node._prev)

        inner = [node for node in topo if node._backward is not None]
        for node in inner:
            node.grad = np.zeros(node.shape)
        for node in topo:
            if node.grad is None:
                node.grad = np.zeros(node.shape, node.dtype if node.dtype.kind == "f" else float)

        self.grad += 1.0 if base is None else _t(base).data
        for node in reversed(inner):
            node._backward()
        for node in inner:
            node.grad = None


def _t(x):
    return x if isinstance(x, MyTensor) else MyTensor(x)


def _out(data, *inputs):
    out = MyTensor(data, requires_grad=any(p.requires_grad for p in inputs))
    out._prev = tuple(p for p in inputs if p.requires_grad)
    return out


def _with(out, _backward):
    if out.requires_grad:
        out._backward = _backward
    return out


def matmul(a, b):
    out = _out(np.dot(a.data, b.data), a, b)

    def _backward():
        a._add_grad(np.dot(out.grad, b.data.T))
        b._add_grad(np.outer(a.data, out.grad) if a.data.ndim == 1 else np.dot(a.data.T, out.grad))

    return _with(out, _backward)


def _relu(x):
    out = _out(np.where(x.data < 0, 0.0, x.data), x)

    def _backward():
        x._add_grad(out.grad * (x.data > 0))

    return _with(out, _backward)


def _mean(x):
    out = _out(np.mean(x.data), x)

    def _backward():
        x._add_grad(np.full(x.shape, out.grad / x.size))

    return _with(out, _backward)


class Parameter:
    def __init__(self, tensor):
        tensor.requires_grad = True
        self.tensor, self.name = tensor, None


class MyModule:
    def __init__(self):
        self._params, self._modules = {}, {}

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name in ("_params", "_modules"):
            return
        if not hasattr(self, "_modules"):
            MyModule.__init__(self)
        self._params.pop(name, None)
        self._modules.pop(name, None)
        if isinstance(value, Parameter):
            value.name = name
            self._params[name] = value
        if isinstance(value, MyModule):
            self._modules[name] = value

    def parameters(self):
        out = []
        for p in [*self._params.values(), *(q for m in self._modules.values() for q in m.parameters())]:
            if not any(p is q for q in out):
                out.append(p)
        return out

    def __call__(self, x):
        return self.forward(x)


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        super().__init__()
        k = 1 / math.sqrt(input_size)
        self.w = Parameter(MyTensor([[random.uniform(-k, k) for _ in range(output_size)] for _ in range(input_size)]))
        self.b = Parameter(MyTensor([random.uniform(-k, k) for _ in range(output_size)]))

    def forward(self, x):
        return matmul(x, self.w.tensor) + self.b.tensor


class ReLU(MyModule):
    def forward(self, x):
        return _relu(x)


class SGD:
    def __init__(self, parameters, lr=1e-2):
        self.ps = [*parameters]
        self.lr = lr

    def zero_grad(self):
        for p in self.ps:
            p.tensor.grad = None

    def step(self):
        for p in self.ps:
            if p.tensor.grad is None:
                continue
            p.tensor.data[...] -= self.lr * p.tensor.grad


class MSELoss:
    def __call__(self, y, target):
        return _mean((y - target) ** 2)


class SuperModel(MyModule):
    def __init__(self):
        super().__init__()
        self.l1 = Linear(64, 32)
        self.act = ReLU()
        self.l2 = Linear(32, 10)

    def forward(self, x):
        return self.l2(self.act(self.l1(x)))


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    optimizer = SGD(model.parameters(), lr)
    n = len(images)

    def learn(rows):
        optimizer.zero_grad()
        loss = MSELoss()(model(MyTensor(images[rows])), MyTensor(targets[rows]))
        loss.backward()
        optimizer.step()
        return float(loss.data) * len(rows)

    def epoch():
        order = random.sample(range(n), n)
        mean = math.fsum(learn(order[k : k + batch_size]) for k in range(0, n, batch_size)) / n
        if live is not None:
            live(mean)
        return mean

    return [epoch() for _ in range(epochs)]
