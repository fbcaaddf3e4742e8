# Style: fused layers. Linear, ReLU and MSELoss are one operation each with a rule of their own; levels order the graph.
import numpy as np

OK = (list, tuple, np.ndarray, np.number, np.bool_, int, float)


def fit(g, shape):
    lead = g.ndim - len(shape)
    wide = tuple(i for i in range(g.ndim) if i < lead or shape[i - lead] < g.shape[i])
    return g.sum(wide).reshape(shape) if wide else g


def fused(value, op, *srcs):
    out = MyTensor(value)
    if any(s.requires_grad for s in srcs):
        out.requires_grad = True
        out.backward_op = op
        out.srcs = srcs
        out.level = 1 + max(s.level for s in srcs)
    return out


def wrap(x):
    return x if isinstance(x, MyTensor) else MyTensor(x)


class MyTensor:
    __array_ufunc__ = None  # np.float64(2) * t has to ask t

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if not isinstance(data, OK):
            raise TypeError(f"no tensor from {type(data).__name__}")
        self._d = np.array(data, dtype=dtype)
        if self._d.dtype.kind not in "biuf":
            raise TypeError(f"no tensor of {self._d.dtype}")
        self.requires_grad = requires_grad
        self.backward_op = crossOpBack
        self.grad = None
        self.srcs = ()
        self.level = 0

    data = property(lambda self: self._d)
    dtype = property(lambda self: self._d.dtype)
    shape = property(lambda self: self._d.shape)
    strides = property(lambda self: self._d.strides)
    size = property(lambda self: self._d.size)

    def __repr__(self):
        return f"<{self._d.tolist()} requires_grad={self.requires_grad}>"

    def __getitem__(self, i):
        return self._d[i]

    def __setitem__(self, i, v):
        self._d[i] = v

    def __add__(self, o):
        o = wrap(o)
        return fused(self._d + o._d, lambda g: (g, g), self, o)

    def __sub__(self, o):
        o = wrap(o)
        return fused(self._d - o._d, lambda g: (g, -g), self, o)

    def __mul__(self, o):
        o = wrap(o)
        return fused(self._d * o._d, lambda g: (g * o._d, g * self._d), self, o)

    def __truediv__(self, o):
        o = wrap(o)
        q = self._d / o._d
        return fused(q, lambda g: (g / o._d, -g * q / o._d), self, o)

    def __pow__(self, n):
        x = self._d * 1.0  # integers have no power of -1
        return fused(x**n, lambda g: (g * n * x ** (n - 1) if n else 0 * g,), self)

    def __neg__(self):
        return fused(-self._d, lambda g: (-g,), self)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, o):
        return wrap(o) - self

    def __rtruediv__(self, o):
        return wrap(o) / self

    def backward(self, base=None):
        if not self.requires_grad:
            return
        g = np.ones(self.shape) if base is None else np.array(base.data, dtype=float)
        # inputs always lie on a lower level than what is made of them
        levels = [{} for _ in range(self.level + 1)]
        levels[self.level][id(self)] = [self, g]
        while levels:
            for t, g in levels.pop().values():
                if t.backward_op is None:
                    t.grad = np.array(g if t.grad is None else t.grad + g)
                    continue
                for s, part in zip(t.srcs, t.backward_op(g), strict=True):
                    if s.requires_grad:
                        slot = levels[s.level].setdefault(id(s), [s, np.zeros(s.shape)])
                        slot[1] = slot[1] + fit(np.asarray(part), s.shape)


class Parameter:
    def __init__(self, tensor, name=None):
        self.tensor = tensor
        self.name = name
        tensor.requires_grad = True


class MyModule:
    def __setattr__(self, key, value):
        super().__setattr__(key, value)
        kept = self.__dict__.setdefault("_kept", {})
        kept.pop(key, None)
        if isinstance(value, (Parameter, MyModule)):
            kept[key] = value

    def __delattr__(self, key):
        super().__delattr__(key)
        self._kept.pop(key, None)

    def parameters(self):
        out = {}
        for v in self.__dict__.get("_kept", {}).values():
            for p in [v] if isinstance(v, Parameter) else v.parameters():
                out[id(p)] = p
        return list(out.values())

    def forward(self, x):
        raise NotImplementedError

    def __call__(self, *args):
        return self.forward(*args)


def matmul(a, b):
    def op(g):
        return g @ b.data.T, np.atleast_2d(a.data).T @ np.atleast_2d(g)

    return fused(a.data @ b.data, op, a, b)


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        r = input_size**-0.5
        self.weight = Parameter(MyTensor(np.random.uniform(-r, r, (output_size, input_size))))
        self.bias = Parameter(MyTensor(np.random.uniform(-r, r, (1, output_size))))

    def forward(self, x):
        w, b = self.weight.tensor, self.bias.tensor
        n_out, n_in = w.shape

        def op(g):
            rows = g.reshape(-1, n_out)
            return g @ w.data, rows.T @ x.data.reshape(-1, n_in), rows.sum(0, keepdims=True)

        return fused(x.data @ w.data.T + b.data[0], op, x, w, b)


class ReLU(MyModule):
    def forward(self, x):
        return fused((x.data + np.abs(x.data)) / 2, lambda g: (g * (x.data > 0),), x)


class SGD:
    def __init__(self, parameters, lr=0.01):
        self.ps = list(parameters)
        self.lr = lr

    def zero_grad(self):
        for p in self.ps:
            p.tensor.grad = None

    def step(self):
        for p in self.ps:
            if p.tensor.grad is not None:
                d = p.tensor.data
                d -= self.lr * p.tensor.grad


class MSELoss(MyModule):
    def forward(self, y, target):
        e = y.data - target.data

        def op(g):
            s = 2 * g / e.size * e
            return s, -s

        return fused(np.vdot(e, e) / e.size, op, y, target)


class SuperModel(MyModule):
    def __init__(self):
        self.a = Linear(64, 40)
        self.r = ReLU()
        self.b = Linear(40, 10)

    def forward(self, x):
        return self.b(self.r(self.a(x)))


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    opt, mse, means = SGD(model.parameters(), lr), MSELoss(), []
    both = np.hstack([images, targets])
    width = images.shape[1]
    for _ in range(epochs):
        np.random.shuffle(both)
        total = 0
        for i in range(0, len(both), batch_size):
            x, t = np.hsplit(both[i : i + batch_size], [width])
            opt.zero_grad()
            e = mse(model(MyTensor(x)), MyTensor(t))
            e.backward()
            opt.step()
            total += len(x) * e.data
        means += [float(total / len(both))]
        if live:
            live(means[-1])
    return means
