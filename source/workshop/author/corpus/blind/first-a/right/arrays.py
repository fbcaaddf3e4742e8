"""NumPy one-liners: plain arrays as gradients, tables of rules, a depth-first post-order without recursion."""
import sys

import numpy as np
from tqdm import tqdm


class MyCrossBackward:
    def __init__(self, *args, backward_function, name):
        self.inputs, self.__rule, self.__name = args, backward_function, name

    def __str__(self):
        return self.__name

    def __call__(self, x):
        return self.run(x)

    def run(self, base):
        return self.__rule(base, *(i.data if isinstance(i, MyTensor) else i for i in self.inputs))


def unbroadcast(g, shape):
    g = g.sum(tuple(range(g.ndim - len(shape))))
    return g.sum(tuple(np.flatnonzero(np.array(shape, int) == 1)), keepdims=True)


# forward, gradient of the left operand, gradient of the right operand
BINARY = {
    "Add": (np.add, lambda g, a, b: g, lambda g, a, b: g),
    "Sub": (np.subtract, lambda g, a, b: g, lambda g, a, b: -g),
    "Mul": (np.multiply, lambda g, a, b: g * b, lambda g, a, b: g * a),
    "Div": (np.true_divide, lambda g, a, b: g / b, lambda g, a, b: -g * a / b**2),
}


def tracked(name, values, rule, *inputs):
    need = any(isinstance(i, MyTensor) and i.requires_grad for i in inputs)
    op = MyCrossBackward(*inputs, backward_function=rule, name=name + "Backward") if need else None
    return MyTensor(values, requires_grad=need, crossOpBack=op)


def elementwise(name, a, b):
    a, b = (t if isinstance(t, MyTensor) else MyTensor(t) for t in (a, b))
    f, da, db = BINARY[name]
    rule = lambda g, x, y: (unbroadcast(da(g, x, y), x.shape), unbroadcast(db(g, x, y), y.shape))
    return tracked(name, f(a.data, b.data), rule, a, b)


class MyTensor:
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if isinstance(data, bool) or not isinstance(data, list | tuple | np.ndarray | np.number | int | float):
            raise TypeError(f"no tensor from {type(data).__name__}")
        a = np.array(data, dtype=dtype)
        if not np.issubdtype(a.dtype, np.number) and a.dtype != bool:
            raise TypeError(f"no tensor of {a.dtype}")
        self.__data = a.astype(np.float64) if requires_grad and not np.issubdtype(a.dtype, np.floating) else a
        self.dtype, self.requires_grad, self.grad, self.backward_op = self.__data.dtype, requires_grad, None, crossOpBack

    @property
    def shape(self):
        return self.__data.shape

    @property
    def strides(self):
        return self.__data.strides

    @property
    def data(self):
        return self.__data

    @property
    def size(self):
        return self.__data.size

    def __repr__(self):
        return f"MyTensor({self.__data.tolist()}, dtype={self.dtype}, requires_grad={self.requires_grad})"

    def __str__(self):
        return self.__repr__()

    def __getitem__(self, i):
        return self.__data[i]

    def __setitem__(self, i, v):
        if self.requires_grad:
            raise RuntimeError("requires a gradient: read only")
        self.__data[i] = v

    __add__ = lambda self, other: elementwise("Add", self, other)
    __radd__ = lambda self, other: elementwise("Add", other, self)
    __sub__ = lambda self, other: elementwise("Sub", self, other)
    __rsub__ = lambda self, other: elementwise("Sub", other, self)
    __mul__ = lambda self, other: elementwise("Mul", self, other)
    __rmul__ = lambda self, other: elementwise("Mul", other, self)
    __truediv__ = lambda self, other: elementwise("Div", self, other)
    __rtruediv__ = lambda self, other: elementwise("Div", other, self)

    def __neg__(self):
        return tracked("Neg", -self.data, lambda g, x: (-g,), self)

    def __pow__(self, n):
        slope = lambda g, x, n: (g * n * x ** (n - 1 if n else 1), None)
        return tracked("Pow", self.data**n, slope, self, n)

    def parents(self):
        return [i for i in getattr(self.backward_op, "inputs", ()) if isinstance(i, MyTensor) and i.requires_grad]

    def backward(self, base=None):
        if not self.requires_grad:
            return
        order, seen, path = [], {self}, [(self, iter(self.parents()))]
        while path:
            node, rest = path[-1]
            child = next((p for p in rest if p not in seen), None)
            if child is None:
                order.append(node)
                path.pop()
            else:
                seen.add(child)
                path.append((child, iter(child.parents())))
        grads = {t: np.zeros(t.shape) for t in order}
        grads[self] = grads[self] + (1.0 if base is None else base.data)
        for node in reversed(order):
            if node.backward_op is None:
                node.grad = np.array(grads[node] if node.grad is None else node.grad + grads[node])
            else:
                for i, g in zip(node.backward_op.inputs, node.backward_op(grads[node])):
                    if g is not None and i in grads:
                        grads[i] = grads[i] + g


class Parameter:
    def __init__(self, tensor):
        if not np.issubdtype(tensor.data.dtype, np.floating):
            tensor = MyTensor(tensor.data, dtype=np.float64)
        self.tensor = tensor
        self.tensor.requires_grad = True
        self.__name = None

    @property
    def name(self):
        return self.__name

    @name.setter
    def name(self, x):
        self.__name = x


class MyModule:
    def __init__(self):
        self.__parameters = {}
        self.__sub_modules = {}

    def __setattr__(self, name, value):
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

    def __call__(self, x):
        return self.forward(x)

    def parameters(self):
        own = list(self.__parameters.values())
        deeper = [p for m in self.__sub_modules.values() for p in m.parameters()]
        return list({id(p): p for p in own + deeper}.values())


def matmul(a, b):
    rule = lambda g, x, w: (g @ w.T, np.atleast_2d(x).T @ np.atleast_2d(g))
    return tracked("Matmul", a.data @ b.data, rule, a, b)


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        super().__init__()
        r = 1 / np.sqrt(input_size)
        self.weight = Parameter(MyTensor(np.random.uniform(-r, r, (input_size, output_size))))
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x):
        w, b = self.weight.tensor, self.bias.tensor
        rule = lambda g, x, w, b: (g @ w.T, np.atleast_2d(x).T @ np.atleast_2d(g), np.atleast_2d(g).sum(0))
        return tracked("Linear", x.data @ w.data + b.data, rule, x, w, b)


def relu(x):
    return tracked("Relu", np.clip(x.data, 0, None), lambda g, x: (np.where(x > 0, g, 0),), x)


class ReLU(MyModule):
    def __init__(self):
        super().__init__()

    def forward(self, x):
        return relu(x)


class SGD:
    def __init__(self, parameters, lr=1e-2):
        self.lr = lr
        self.params = list(parameters)

    def zero_grad(self):
        for p in self.params:
            p.tensor.grad = None

    def step(self):
        for t in (p.tensor for p in self.params):
            if t.grad is not None:
                t.data[...] -= self.lr * t.grad


def sum(x, axis=None):
    rule = lambda g, x, axis: ((g if axis is None else np.expand_dims(g, axis)) * np.ones(x.shape), None)
    return tracked("Sum", np.sum(x.data, axis=axis), rule, x, axis)


class MSELoss:
    def __call__(self, y, y_target):
        return sum((y - y_target) ** 2) / y.size


class SuperModel(MyModule):
    def __init__(self):
        super().__init__()
        self.a, self.b = Linear(64, 32), Linear(32, 10)

    def forward(self, x):
        return self.b(relu(self.a(x)))


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    losses, mse, sgd = [], MSELoss(), SGD(model.parameters(), lr=lr)
    n = len(images)
    for _ in tqdm(range(epochs), file=sys.stdout, disable=live is not None):
        order, logged = np.random.permutation(n), []
        for rows in (order[i : i + batch_size] for i in range(0, n, batch_size)):
            sgd.zero_grad()
            loss = mse(model(MyTensor(images[rows])), MyTensor(targets[rows]))
            loss.backward()
            sgd.step()
            logged.append(loss.data * len(rows))
        losses.append(float(np.sum(logged) / n))
        if live:
            live(losses[-1])
    return losses
