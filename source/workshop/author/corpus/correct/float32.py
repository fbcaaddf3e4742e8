# Single precision: all is float32 unless a dtype asks for something else, and gradients are tensors made of tensors.
import numpy as np

F32 = np.dtype(np.float32)


class MyTensor:
    # numpy must not take over in  array * tensor
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if type(data) not in (list, tuple) and not isinstance(data, (np.ndarray, np.number, np.bool_, int, float)):
            raise TypeError("data: list, tuple, array or number")
        arr = np.asarray(data)
        if arr.dtype.kind not in "biuf":
            raise TypeError("data: elements must be numbers")
        self.__arr = np.array(arr, dtype=F32 if dtype is None else dtype, order="C")
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack
        self.rank = 0  # 1 + the largest rank among the inputs

    data = property(lambda self: self.__arr)
    dtype = property(lambda self: self.__arr.dtype)
    shape = property(lambda self: self.__arr.shape)
    strides = property(lambda self: self.__arr.strides)
    size = property(lambda self: self.__arr.size)

    def __repr__(self):
        flag = ", requires_grad=True" if self.requires_grad else ""
        return f"MyTensor({self.__arr!r}{flag})"

    def __getitem__(self, key):
        return self.__arr[key]

    def __setitem__(self, key, value):
        self.__arr[key] = getattr(value, "data", value) if isinstance(value, MyTensor) else value

    # ---- arithmetic: every rule gets the upstream gradient as a tensor and answers with a tensor

    def __add__(self, other):
        a, b = self, like(other, self)
        return op(a.data + b.data, [a, b], lambda g: [fit(g, a), fit(g, b)])

    def __sub__(self, other):
        a, b = self, like(other, self)
        return op(a.data - b.data, [a, b], lambda g: [fit(g, a), fit(-g, b)])

    def __mul__(self, other):
        a, b = self, like(other, self)
        return op(a.data * b.data, [a, b], lambda g: [fit(g * const(b), a), fit(g * const(a), b)])

    def __truediv__(self, other):
        a, b = self, like(other, self)

        def rule(g):
            u, v = const(a), const(b)
            return [fit(g / v, a), fit(-(g * u) / (v * v), b)]

        return op(a.data / b.data, [a, b], rule)

    def __pow__(self, n):
        a = self

        def rule(g):
            return [g * n * const(a) ** (n - 1)] if n != 0 else [g * 0]

        whole = a.dtype.kind != "f"
        return op((a.data.astype(F32) if whole else a.data) ** n, [a], rule)

    def __neg__(self):
        return op(-self.data, [self], lambda g: [-g])

    def __radd__(self, other):
        return like(other, self).__add__(self)

    def __rsub__(self, other):
        return like(other, self).__sub__(self)

    def __rmul__(self, other):
        return like(other, self).__mul__(self)

    def __rtruediv__(self, other):
        return like(other, self).__truediv__(self)

    def backward(self, base=None):
        if not self.requires_grad:
            return
        # all tensors below this one that take part
        nodes = {id(self): self}
        todo = [self]
        while todo:
            for t in inputs_of(todo.pop()):
                if id(t) not in nodes:
                    nodes[id(t)] = t
                    todo.append(t)
        grads = {id(self): MyTensor(np.ones(self.shape), self.dtype) if base is None else like(base, self)}
        # a result has a higher rank than its inputs: when its turn comes, its gradient is complete
        for t in sorted(nodes.values(), key=lambda t: t.rank, reverse=True):
            g = grads.pop(id(t))
            if t.backward_op is None:
                total = g.data if t.grad is None else t.grad.data + g.data
                t.grad = MyTensor(total, t.dtype if t.dtype.kind == "f" else F32)
                continue
            inputs, rule = t.backward_op
            for x, gx in zip(inputs, rule(g), strict=True):
                if x.requires_grad:
                    grads[id(x)] = grads[id(x)] + gx if id(x) in grads else gx


def inputs_of(t):
    return [x for x in t.backward_op[0] if x.requires_grad] if t.backward_op is not None else []


def const(t):
    return MyTensor(t.data, t.dtype)


def like(value, t):
    """value as a tensor; numbers and arrays without one of their own take the precision of t"""
    if isinstance(value, MyTensor):
        return value
    return MyTensor(value, t.dtype if t.dtype.kind == "f" else None)


def op(result, inputs, rule):
    result = np.asarray(result)
    wide = any(x.dtype == np.float64 for x in inputs)
    narrow = result.dtype == np.float64 and not wide
    out = MyTensor(result, F32 if narrow else result.dtype)
    if any(x.requires_grad for x in inputs):
        out.requires_grad = True
        out.backward_op = (inputs, rule)
        out.rank = 1 + max(x.rank for x in inputs)
    return out


def fit(g, t):
    """g summed to the shape of t"""
    if g.shape == t.shape:
        return g
    padded = (1,) * (len(g.shape) - len(t.shape)) + t.shape
    axes = tuple(i for i, (have, want) in enumerate(zip(g.shape, padded, strict=True)) if have != want)
    return MyTensor(g.data.sum(axis=axes, keepdims=True).reshape(t.shape), g.dtype)


def matmul(a, b):
    def rule(g):
        ga = MyTensor(g.data @ b.data.T, g.dtype)
        gb = MyTensor(np.multiply.outer(a.data, g.data) if a.data.ndim == 1 else a.data.T @ g.data, g.dtype)
        return [ga, gb]

    return op(a.data @ b.data, [a, b], rule)


class Parameter:
    def __init__(self, tensor):
        tensor.requires_grad = True
        self.tensor = tensor
        self.name = None


class MyModule:
    def __setattr__(self, key, value):
        members = vars(self).setdefault("members", {})
        members[key] = value if isinstance(value, (Parameter, MyModule)) else None
        if isinstance(value, Parameter) and value.name is None:
            value.name = key
        object.__setattr__(self, key, value)

    def parameters(self):
        out = []
        self.gather(out, [])
        return out

    def gather(self, out, been):
        been.append(self)
        for m in vars(self).get("members", {}).values():
            if isinstance(m, Parameter) and all(m is not p for p in out):
                out.append(m)
            elif isinstance(m, MyModule) and all(m is not b for b in been):
                m.gather(out, been)

    def __call__(self, x):
        return self.forward(x)


def uniform(bound, *shape):
    return MyTensor(np.random.uniform(-bound, bound, shape))


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        self.w = Parameter(uniform(input_size**-0.5, input_size, output_size))
        self.b = Parameter(uniform(input_size**-0.5, output_size))

    def forward(self, x):
        return matmul(x, self.w.tensor) + self.b.tensor


class ReLU(MyModule):
    def forward(self, x):
        def rule(g):
            return [MyTensor(np.where(x.data > 0, g.data, 0), g.dtype)]

        return op(np.maximum(x.data, 0), [x], rule)


class SGD:
    def __init__(self, parameters, lr=0.01):
        self.params = list(parameters)
        self.lr = lr

    def zero_grad(self):
        for p in self.params:
            p.tensor.grad = None

    def step(self):
        for t in (p.tensor for p in self.params):
            if t.grad is not None:
                t[...] = t.data - self.lr * t.grad.data


class MSELoss:
    def __call__(self, y, target):
        d = like(y, target) - target
        squares = d * d
        n = squares.size

        def rule(g):
            return [MyTensor(np.full(squares.shape, g.data / n), g.dtype)]

        return op(squares.data.mean(), [squares], rule)


class SuperModel(MyModule):
    def __init__(self):
        self.one = Linear(64, 32)
        self.two = Linear(32, 10)
        self.relu = ReLU()

    def forward(self, x):
        return self.two(self.relu(self.one(x)))


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    x, y = np.asarray(images, F32), np.asarray(targets, F32)
    optimizer, criterion, losses = SGD(model.parameters(), lr), MSELoss(), []
    for epoch in range(epochs):
        perm = np.random.permutation(len(x))
        running = 0.0
        for i in range(0, len(x), batch_size):
            idx = perm[i : i + batch_size]
            loss = criterion(model(MyTensor(x[idx])), MyTensor(y[idx]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            running += loss.data.item() * idx.size
        losses.append(running / len(x))
        if live:
            live(losses[epoch])
    return losses
