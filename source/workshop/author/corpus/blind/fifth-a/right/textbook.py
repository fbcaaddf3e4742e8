import numpy as np
import builtins


class MyTensor:
    """An n-dimensional array that can record the operations it takes part in."""

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if not isinstance(data, (list, tuple, np.ndarray, np.number, int, float)):
            raise TypeError(f"no tensor of {type(data).__name__}")
        self.__data = np.array(data, dtype=dtype)
        if not (np.issubdtype(self.__data.dtype, np.number) or self.__data.dtype == bool):
            raise TypeError(f"no tensor of {self.__data.dtype}")
        self.dtype = self.__data.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack

    shape = property(lambda self: self.__data.shape)
    strides = property(lambda self: self.__data.strides)
    data = property(lambda self: self.__data)
    size = property(lambda self: self.__data.size)

    def __repr__(self):
        return f"MyTensor({self.data.tolist()}, requires_grad={self.requires_grad})"

    def __getitem__(self, index):
        return self.data[index]

    def __setitem__(self, index, value):
        self.data[index] = value


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


class MyTensor(MyTensor):
    __array_ufunc__ = None

    @staticmethod
    def __binary(left, right, function, rule, name):
        left = left if isinstance(left, MyTensor) else MyTensor(left)
        right = right if isinstance(right, MyTensor) else MyTensor(right)
        values = function(left.data, right.data)
        if not (left.requires_grad or right.requires_grad):
            return MyTensor(values)
        op = MyCrossBackward(left, right, backward_function=rule, name=name)
        return MyTensor(values, requires_grad=True, crossOpBack=op)

    def __add__(self, other):
        return self.__binary(self, other, np.add, add_deriv, "AddBackward")

    def __radd__(self, other):
        return self.__binary(other, self, np.add, add_deriv, "AddBackward")

    def __sub__(self, other):
        return self.__binary(self, other, np.subtract, sub_deriv, "SubBackward")

    def __rsub__(self, other):
        return self.__binary(other, self, np.subtract, sub_deriv, "SubBackward")

    def __mul__(self, other):
        return self.__binary(self, other, np.multiply, mul_deriv, "MulBackward")

    def __rmul__(self, other):
        return self.__binary(other, self, np.multiply, mul_deriv, "MulBackward")

    def __truediv__(self, other):
        return self.__binary(self, other, np.divide, div_deriv, "DivBackward")

    def __rtruediv__(self, other):
        return self.__binary(other, self, np.divide, div_deriv, "DivBackward")

    def __pow__(self, power):
        if not isinstance(power, (int, float, np.number)):
            return NotImplemented
        values = self.data**power
        if not self.requires_grad:
            return MyTensor(values)
        op = MyCrossBackward(self, power, backward_function=pow_deriv, name="PowBackward")
        return MyTensor(values, requires_grad=True, crossOpBack=op)

    def __neg__(self):
        if not self.requires_grad:
            return MyTensor(-self.data)
        op = MyCrossBackward(self, backward_function=neg_deriv, name="NegBackward")
        return MyTensor(-self.data, requires_grad=True, crossOpBack=op)


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
        # Reverse post-order of a depth-first search: each tensor after all its consumers.
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            node, expanded = stack.pop()
            if expanded:
                order.append(node)
                continue
            if node in seen:
                continue
            stack.append((node, True))
            seen.add(node)
            for parent in node.backward_op.inputs if node.backward_op else ():
                if isinstance(parent, MyTensor) and parent.requires_grad and parent not in seen:
                    stack.append((parent, False))
        total = {self: upstream}
        for node in reversed(order):
            gradient = total.pop(node)
            if node.backward_op is None:
                node.grad = np.array(gradient if node.grad is None else node.grad + gradient)
                continue
            for parent, share in zip(node.backward_op.inputs, node.backward_op(gradient)):
                if isinstance(parent, MyTensor) and parent.requires_grad:
                    total[parent] = total[parent] + share if parent in total else share


def unbroadcast(gradient, shape):
    extra = gradient.ndim - len(shape)
    gradient = gradient.sum(axis=tuple(range(extra)))
    ones = tuple(i for i, length in enumerate(shape) if length == 1)
    return gradient.sum(axis=ones, keepdims=True)


def add_deriv(base, *tensors):
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(base, right.shape)


def sub_deriv(base, *tensors):
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(-base, right.shape)


def mul_deriv(base, *tensors):
    left, right = tensors
    d_left = base * right.data
    d_right = base * left.data
    return unbroadcast(d_left, left.shape), unbroadcast(d_right, right.shape)


def div_deriv(base, *tensors):
    left, right = tensors
    d_left = base / right.data
    d_right = base * (-left.data / right.data**2)
    return unbroadcast(d_left, left.shape), unbroadcast(d_right, right.shape)


def neg_deriv(base, x):
    return (-base,)


def pow_deriv(base, *args):
    tensor, power = args
    slope = np.zeros(tensor.shape) if power == 0 else power * tensor.data ** (power - 1)
    return base * slope, None


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
        found = list(self.__parameters.values())
        for module in self.__sub_modules.values():
            found += module.parameters()
        return list(dict.fromkeys(found))


def matmul_deriv(base, *tensors):
    left, right = tensors
    a = np.atleast_2d(left.data)
    g = np.atleast_2d(base)
    d_a = g @ right.data.T
    d_b = a.T @ g
    return d_a.reshape(left.shape), d_b


def matmul(a, b):
    values = a.data @ b.data
    if not (a.requires_grad or b.requires_grad):
        return MyTensor(values)
    op = MyCrossBackward(a, b, backward_function=matmul_deriv, name="MatMulBackward")
    return MyTensor(values, requires_grad=True, crossOpBack=op)


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        super().__init__()
        bound = 1 / np.sqrt(input_size)
        self.weight = Parameter(
            MyTensor(np.random.uniform(-bound, bound, (input_size, output_size)))
        )
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x):
        return matmul(x, self.weight.tensor) + self.bias.tensor


def relu(x):
    values = np.maximum(x.data, 0)
    if not x.requires_grad:
        return MyTensor(values)
    op = MyCrossBackward(x, backward_function=relu_deriv, name="ReLUBackward")
    return MyTensor(values, requires_grad=True, crossOpBack=op)


def relu_deriv(base, x):
    return (base * (x.data > 0),)


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
        for p in self.params:
            if p.tensor.grad is not None:
                p.tensor[...] = p.tensor.data - self.lr * p.tensor.grad


def sum_deriv(base, *args):
    x, axis = args
    full = base if axis is None else np.expand_dims(base, axis)
    return np.broadcast_to(full, x.shape).copy(), None


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
    optimizer = SGD(model.parameters(), lr=lr)
    n = len(images)
    for epoch in range(epochs):
        pi = np.random.permutation(n)
        epoch_sum = 0.0
        for k in range(0, n, batch_size):
            rows = pi[k : k + batch_size]
            optimizer.zero_grad()
            y = model(MyTensor(images[rows]))
            loss = loss_function(y, MyTensor(targets[rows]))
            loss.backward()
            optimizer.step()
            epoch_sum += float(loss.data) * len(rows)
        losses.append(epoch_sum / n)
        if live:
            live(losses[-1])
    return losses


class SuperModel(MyModule):
    def __init__(self):
        super().__init__()
        self.hidden = Linear(64, 32)
        self.relu = ReLU()
        self.output = Linear(32, 10)

    def forward(self, x):
        return self.output(self.relu(self.hidden(x)))
