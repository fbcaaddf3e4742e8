import numpy as np
import builtins


class MyTensor:
    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if not isinstance(data, list | tuple | np.ndarray | np.number | int | float):
            raise TypeError(f"not a {type(data).__name__}")
        self.__data = np.array(data, dtype=dtype)
        self.dtype, self.requires_grad = self.__data.dtype, requires_grad
        self.grad, self.backward_op = None, crossOpBack

    data = property(lambda self: self.__data)
    shape = property(lambda self: self.__data.shape)
    strides = property(lambda self: self.__data.strides)
    size = property(lambda self: self.__data.size)

    __repr__ = lambda self: f"MyTensor({self.__data!r}, requires_grad={self.requires_grad})"
    __getitem__ = lambda self, index: self.__data[index]
    __setitem__ = lambda self, index, value: self.__data.__setitem__(index, value)


def unbroadcast(gradient, shape):
    padded = (1,) * (gradient.ndim - len(shape)) + tuple(shape)
    axes = tuple(i for i, n in enumerate(padded) if n == 1)
    return gradient.sum(axis=axes, keepdims=True).reshape(shape)


# name: (values, gradient of the left, gradient of the right)
RULES = {
    "Add": (np.add, lambda G, a, b: G, lambda G, a, b: G),
    "Sub": (np.subtract, lambda G, a, b: G, lambda G, a, b: -G),
    "Mul": (np.multiply, lambda G, a, b: G * b, lambda G, a, b: G * a),
    "Div": (np.divide, lambda G, a, b: G / b, lambda G, a, b: -G * a / b**2),
}


def elementwise(name):
    _, left_rule, right_rule = RULES[name]

    def rule(base, *tensors):
        arrays = [t.data for t in tensors]
        return tuple(
            unbroadcast(r(base, *arrays), t.shape) for r, t in zip((left_rule, right_rule), tensors)
        )

    return rule


add_deriv, sub_deriv, mul_deriv, div_deriv = map(elementwise, RULES)


def pow_deriv(base, *args):
    x, n = args
    return (base * n * x.data ** (n - 1) if n else np.zeros_like(base)), None


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
            raise TypeError(f"the rule of {self} must return a tuple, one gradient for each input")
        return gradients


def record(values, rule, name, *inputs):
    """The tensor of the values; it remembers rule and inputs if one of them wants a gradient."""
    if not any(getattr(i, "requires_grad", False) for i in inputs):
        return MyTensor(values)
    op = MyCrossBackward(*inputs, backward_function=rule, name=name + "Backward")
    return MyTensor(values, requires_grad=True, crossOpBack=op)


def operator(name, rule, swap=False):
    f = RULES[name][0]

    def method(self, other):
        if not isinstance(other, MyTensor):
            other = MyTensor(other, np.result_type(self.dtype, other))
        a, b = (other, self) if swap else (self, other)
        return record(f(a.data, b.data), rule, name, a, b)

    return method


class MyTensor(MyTensor):
    __array_ufunc__ = None
    __add__, __radd__ = operator("Add", add_deriv), operator("Add", add_deriv, swap=True)
    __sub__, __rsub__ = operator("Sub", sub_deriv), operator("Sub", sub_deriv, swap=True)
    __mul__, __rmul__ = operator("Mul", mul_deriv), operator("Mul", mul_deriv, swap=True)
    __truediv__, __rtruediv__ = operator("Div", div_deriv), operator("Div", div_deriv, swap=True)
    __pow__ = lambda self, n: record(self.data**n, pow_deriv, "Pow", self, n)
    __neg__ = lambda self: record(-self.data, lambda base, x: (-base,), "Neg", self)


def edges(tensor):
    """The inputs of a tensor that want a gradient, each as often as it is one."""
    inputs = tensor.backward_op.inputs if tensor.backward_op else ()
    return [i for i in inputs if isinstance(i, MyTensor) and i.requires_grad]


class MyTensor(MyTensor):
    def backward(self, base=None):
        if not self.requires_grad:
            return
        if base is None:
            upstream = np.ones(self.shape, self.dtype)
        else:
            upstream = base.data if isinstance(base, MyTensor) else np.asarray(base, self.dtype)
            if upstream.shape != self.shape:
                raise ValueError(f"base has shape {upstream.shape}, this tensor {self.shape}")

        waiting, stack = {self: 0}, [self]
        while stack:
            for i in edges(stack.pop()):
                if i not in waiting:
                    stack.append(i)
                waiting[i] = waiting.get(i, 0) + 1

        arrived, ready = {self: [upstream]}, [self]
        while ready:
            t = ready.pop()
            total = builtins.sum(arrived.pop(t))
            if t.backward_op is None:
                t.grad = np.array(total if t.grad is None else t.grad + total)
                continue
            for i, share in zip(t.backward_op.inputs, t.backward_op(total)):
                if i in waiting:
                    arrived.setdefault(i, []).append(share)
                    waiting[i] -= 1
                    if not waiting[i]:
                        ready.append(i)


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
        deeper = [p for m in self.__sub_modules.values() for p in m.parameters()]
        return list(dict.fromkeys([*self.__parameters.values(), *deeper]))


def matmul_deriv(base, *tensors):
    a, b = (np.atleast_2d(t.data) for t in tensors)
    G = np.atleast_2d(base)
    return (G @ b.T).reshape(tensors[0].shape), a.T @ G


def matmul(a, b):
    return record(a.data @ b.data, matmul_deriv, "Matmul", a, b)


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        super().__init__()
        draw = lambda *shape: np.random.uniform(-1, 1, shape) / np.sqrt(input_size)
        self.weight, self.bias = (
            Parameter(MyTensor(draw(*shape))) for shape in ((input_size, output_size), (output_size,))
        )

    def forward(self, x):
        return matmul(x, self.weight.tensor) + self.bias.tensor


def relu_deriv(base, x):
    return (np.where(x.data > 0, base, 0),)


def relu(x):
    return record(np.maximum(x.data, 0), relu_deriv, "Relu", x)


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
        for t in [p.tensor for p in self.params if p.tensor.grad is not None]:
            np.subtract(t.data, self.lr * t.grad, out=t.data, casting="same_kind")


def sum_deriv(base, *args):
    x, axis = args
    G = base if axis is None else np.expand_dims(base, axis)
    return np.broadcast_to(G, x.shape).copy(), None


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
        return sum((y - y_target) ** 2) / y.size


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    losses = []
    loss_function = MSELoss()
    optimizer = SGD(model.parameters(), lr)
    for _ in range(epochs):
        order = np.random.permutation(len(images))
        log = []
        for batch in (order[i : i + batch_size] for i in range(0, len(order), batch_size)):
            optimizer.zero_grad()
            loss = loss_function(model(MyTensor(images[batch])), MyTensor(targets[batch]))
            loss.backward()
            optimizer.step()
            log += [float(loss.data)] * len(batch)
        losses.append(float(np.mean(log)))
        if live:
            live(losses[-1])
    return losses


class SuperModel(MyModule):
    def __init__(self):
        super().__init__()
        self.hidden, self.output = Linear(64, 48), Linear(48, 10)

    def forward(self, x):
        return self.output(relu(self.hidden(x)))
