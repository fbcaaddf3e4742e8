import numpy as np
import builtins

NUMBERS = (list, tuple, np.ndarray, np.number, int, float)
FORWARD = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
}
SLOPES = {
    "add": lambda g, a, b: (g, g),
    "sub": lambda g, a, b: (g, -g),
    "mul": lambda g, a, b: (g * b, g * a),
    "div": lambda g, a, b: (g / b, -g * a / (b * b)),
}


def make_rule(name):
    slope = SLOPES[name]

    def rule(base, *tensors):
        arrays = [t.data for t in tensors]
        return tuple(unbroadcast(g, t.shape) for g, t in zip(slope(base, *arrays), tensors))

    return rule


RULES = {name: make_rule(name) for name in SLOPES}
add_deriv, sub_deriv, mul_deriv, div_deriv = (RULES[n] for n in ("add", "sub", "mul", "div"))


def pow_deriv(base, *args):
    tensor, power = args
    if power == 0:
        return base * 0.0, None
    return base * (power * np.power(tensor.data, power - 1)), None


def unbroadcast(gradient, shape):
    padded = (1,) * (gradient.ndim - len(shape)) + tuple(shape)
    axes = tuple(i for i, n in enumerate(padded) if n == 1)
    return gradient.sum(axis=axes, keepdims=True).reshape(shape)


class MyCrossBackward:
    def __init__(self, *args, backward_function, name):
        self.inputs = args
        self.__rule = backward_function
        self.__name = name

    def __str__(self):
        return self.__name

    def __call__(self, x):
        return self.run(x)

    def run(self, base):
        gradients = self.__rule(base, *self.inputs)
        if isinstance(gradients, (np.ndarray, np.generic)):
            raise TypeError("a rule must return a tuple")
        return gradients


def record(values, inputs, rule, name):
    wanted = any(t.requires_grad for t in inputs if isinstance(t, MyTensor))
    if not wanted:
        return MyTensor(values)
    op = MyCrossBackward(*inputs, backward_function=rule, name=name)
    return MyTensor(values, requires_grad=True, crossOpBack=op)


def operator(name, reflected=False):
    def method(self, other):
        if not isinstance(other, MyTensor):
            if not isinstance(other, NUMBERS):
                return NotImplemented
            other = MyTensor(other)
        left, right = (other, self) if reflected else (self, other)
        values = FORWARD[name](left.data, right.data)
        return record(values, (left, right), RULES[name], name.title() + "Backward")

    return method


class MyTensor:
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if not isinstance(data, NUMBERS):
            raise TypeError("numbers, please")
        self.__data = np.array(data, dtype=dtype)
        if self.__data.dtype.kind not in "biufc":
            raise TypeError("numbers, please")
        self.dtype = self.__data.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack

    @property
    def data(self):
        return self.__data

    @property
    def shape(self):
        return self.data.shape

    @property
    def strides(self):
        return self.data.strides

    @property
    def size(self):
        return self.data.size

    def __repr__(self):
        return "MyTensor(" + repr(self.data) + ", requires_grad=" + str(self.requires_grad) + ")"

    def __getitem__(self, index):
        return self.data[index]

    def __setitem__(self, index, value):
        self.data[index] = value

    __add__ = operator("add")
    __radd__ = operator("add", reflected=True)
    __sub__ = operator("sub")
    __rsub__ = operator("sub", reflected=True)
    __mul__ = operator("mul")
    __rmul__ = operator("mul", reflected=True)
    __truediv__ = operator("div")
    __rtruediv__ = operator("div", reflected=True)

    def __pow__(self, power):
        return record(self.data**power, (self, power), pow_deriv, "PowBackward")

    def __neg__(self):
        return record(-self.data, (self,), lambda base, x: (-base,), "NegBackward")

    def backward(self, base=None):
        if not self.requires_grad:
            return
        if base is None:
            upstream = np.ones(self.shape, self.dtype)
        else:
            upstream = base.data if isinstance(base, MyTensor) else np.asarray(base, self.dtype)
            if upstream.shape != self.shape:
                raise ValueError("shape of base")

        def parents(t):
            inputs = t.backward_op.inputs if t.backward_op is not None else ()
            return [i for i in inputs if isinstance(i, MyTensor) and i.requires_grad]

        waiting = {}
        known, todo = {id(self)}, [self]
        while todo:
            for p in parents(todo.pop()):
                waiting[id(p)] = waiting.get(id(p), 0) + 1
                if id(p) not in known:
                    known.add(id(p))
                    todo.append(p)

        arrived = {id(self): upstream}
        ready = [self]

        def deliver(t, share):
            key = id(t)
            arrived[key] = share if key not in arrived else arrived[key] + share
            waiting[key] -= 1
            if not waiting[key]:
                ready.append(t)

        while ready:
            t = ready.pop(0)
            g = arrived.pop(id(t))
            if t.backward_op is None:
                t.grad = np.copy(g if t.grad is None else t.grad + g)
            else:
                for p, share in zip(t.backward_op.inputs, t.backward_op.run(g)):
                    if isinstance(p, MyTensor) and p.requires_grad:
                        deliver(p, share)


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
        owned = isinstance(value, (Parameter, MyModule))
        if owned and "_MyModule__sub_modules" not in self.__dict__:
            raise RuntimeError(f"call super().__init__() before setting {name}")
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
        found, seen = [], set()

        def visit(module):
            for p in module.__parameters.values():
                if id(p) not in seen:
                    seen.add(id(p))
                    found.append(p)
            for sub in module.__sub_modules.values():
                visit(sub)

        visit(self)
        return found


def matmul_deriv(base, *tensors):
    left, right = tensors
    grad_left = base @ right.data.T
    if left.data.ndim == 1:
        return grad_left, np.outer(left.data, base)
    return grad_left, left.data.T @ base


def matmul(a, b):
    return record(a.data @ b.data, (a, b), matmul_deriv, "MatMulBackward")


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        super().__init__()
        bound = 1 / np.sqrt(input_size)
        self.weight = Parameter(MyTensor(bound * (2 * np.random.rand(input_size, output_size) - 1)))
        self.bias = Parameter(MyTensor(np.zeros((output_size,))))

    def forward(self, x):
        return matmul(x, self.weight.tensor) + self.bias.tensor


def relu(x):
    mask = x.data > 0

    def rule(base, x):
        return (base * mask,)

    return record(np.maximum(x.data, 0), (x,), rule, "ReluBackward")


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
        with_grad = [p.tensor for p in self.params if p.tensor.grad is not None]
        for t in with_grad:
            np.subtract(t.data, self.lr * t.grad, out=t.data, casting="same_kind")


def sum_deriv(base, *args):
    x, axis = args
    axes = range(x.data.ndim) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    axes = [a % x.data.ndim for a in axes]
    shape = [1 if i in axes else n for i, n in enumerate(x.shape)]
    return np.zeros(x.shape) + np.reshape(base, shape), None


def sum(x, axis=None):
    if not isinstance(x, MyTensor):
        return builtins.sum(x) if axis is None else builtins.sum(x, axis)
    result = x.data.sum(axis=axis)
    if x.requires_grad:
        op = MyCrossBackward(x, axis, backward_function=sum_deriv, name="SumBackward")
        return MyTensor(result, requires_grad=True, crossOpBack=op)
    return MyTensor(result)


class MSELoss:
    def __call__(self, y, y_target):
        error = y - y_target
        return sum(error**2) * (1 / error.size)


def batches(n, size):
    order = np.random.permutation(n)
    return [order[i : i + size] for i in range(0, n, size)]


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    losses = []
    loss_function = MSELoss()
    optimizer = SGD(model.parameters(), lr)

    def learn(rows):
        optimizer.zero_grad()
        loss = loss_function(model(MyTensor(images[rows])), MyTensor(targets[rows]))
        loss.backward()
        optimizer.step()
        return float(loss.data)

    for _ in range(epochs):
        results = [(learn(rows), len(rows)) for rows in batches(len(images), batch_size)]
        losses.append(builtins.sum(l * n for l, n in results) / len(images))
        if live:
            live(losses[-1])
    return losses


class SuperModel(MyModule):
    def __init__(self):
        super().__init__()
        self.first = Linear(64, 48)
        self.act = ReLU()
        self.last = Linear(48, 10)

    def forward(self, x):
        for layer in (self.first, self.act, self.last):
            x = layer(x)
        return x
