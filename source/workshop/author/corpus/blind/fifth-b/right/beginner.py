import numpy as np
import builtins


class MyTensor:
    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if not isinstance(data, (list, tuple, np.ndarray, np.number, int, float)):
            raise TypeError("MyTensor cannot hold " + type(data).__name__)
        self.__data = np.array(data, dtype=dtype)
        self.dtype = self.__data.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack

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
        text = f"MyTensor({self.__data}, requires_grad={self.requires_grad})"
        return text

    def __getitem__(self, index):
        return self.__data[index]

    def __setitem__(self, index, value):
        self.__data[index] = value


def unbroadcast(gradient, shape):
    result = gradient
    # the dimensions that are missing in front
    while result.ndim > len(shape):
        result = result.sum(axis=0)
    # the dimensions of length 1
    for i in range(len(shape)):
        if shape[i] == 1:
            result = result.sum(axis=i, keepdims=True)
    return result


def add_deriv(base, *tensors):
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(base, right.shape)


def sub_deriv(base, *tensors):
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(-base, right.shape)


def mul_deriv(base, *tensors):
    left, right = tensors
    left_gradient = base * right.data
    right_gradient = base * left.data
    return unbroadcast(left_gradient, left.shape), unbroadcast(right_gradient, right.shape)


def div_deriv(base, *tensors):
    left, right = tensors
    left_gradient = base / right.data
    right_gradient = -base * left.data / (right.data * right.data)
    return unbroadcast(left_gradient, left.shape), unbroadcast(right_gradient, right.shape)


def pow_deriv(base, *args):
    tensor, power = args
    if power == 0:
        return np.zeros_like(tensor.data), None
    return base * power * tensor.data ** (power - 1), None


def neg_deriv(base, *tensors):
    return (-base,)


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


class MyTensor(MyTensor):
    __array_ufunc__ = None

    def __add__(self, other):
        if not isinstance(other, MyTensor):
            other = MyTensor(other)
        values = self.data + other.data
        if self.requires_grad or other.requires_grad:
            op = MyCrossBackward(self, other, backward_function=add_deriv, name="AddBackward")
            return MyTensor(values, requires_grad=True, crossOpBack=op)
        return MyTensor(values)

    def __radd__(self, other):
        return MyTensor(other) + self

    def __sub__(self, other):
        if not isinstance(other, MyTensor):
            other = MyTensor(other)
        values = self.data - other.data
        if self.requires_grad or other.requires_grad:
            op = MyCrossBackward(self, other, backward_function=sub_deriv, name="SubBackward")
            return MyTensor(values, requires_grad=True, crossOpBack=op)
        return MyTensor(values)

    def __rsub__(self, other):
        return MyTensor(other) - self

    def __mul__(self, other):
        if not isinstance(other, MyTensor):
            other = MyTensor(other)
        values = self.data * other.data
        if self.requires_grad or other.requires_grad:
            op = MyCrossBackward(self, other, backward_function=mul_deriv, name="MulBackward")
            return MyTensor(values, requires_grad=True, crossOpBack=op)
        return MyTensor(values)

    def __rmul__(self, other):
        return MyTensor(other) * self

    def __truediv__(self, other):
        if not isinstance(other, MyTensor):
            other = MyTensor(other)
        values = self.data / other.data
        if self.requires_grad or other.requires_grad:
            op = MyCrossBackward(self, other, backward_function=div_deriv, name="DivBackward")
            return MyTensor(values, requires_grad=True, crossOpBack=op)
        return MyTensor(values)

    def __rtruediv__(self, other):
        return MyTensor(other) / self

    def __pow__(self, power):
        values = self.data ** power
        if self.requires_grad:
            op = MyCrossBackward(self, power, backward_function=pow_deriv, name="PowBackward")
            return MyTensor(values, requires_grad=True, crossOpBack=op)
        return MyTensor(values)

    def __neg__(self):
        values = -self.data
        if self.requires_grad:
            op = MyCrossBackward(self, backward_function=neg_deriv, name="NegBackward")
            return MyTensor(values, requires_grad=True, crossOpBack=op)
        return MyTensor(values)


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

        # 1. count how often each tensor is an input
        counts = {self: 0}
        stack = [self]
        while stack:
            tensor = stack.pop()
            if tensor.backward_op is None:
                continue
            for parent in tensor.backward_op.inputs:
                if not isinstance(parent, MyTensor) or not parent.requires_grad:
                    continue
                if parent not in counts:
                    counts[parent] = 0
                    stack.append(parent)
                counts[parent] = counts[parent] + 1

        # 2. the walk
        gradients = {self: upstream}
        ready = [self]
        while ready:
            tensor = ready.pop()
            gradient = gradients[tensor]
            if tensor.backward_op is None:
                if tensor.grad is None:
                    tensor.grad = np.array(gradient)
                else:
                    tensor.grad = np.array(tensor.grad + gradient)
                continue
            shares = tensor.backward_op(gradient)
            for parent, share in zip(tensor.backward_op.inputs, shares):
                if parent not in counts:
                    continue
                if parent in gradients:
                    gradients[parent] = gradients[parent] + share
                else:
                    gradients[parent] = share
                counts[parent] = counts[parent] - 1
                if counts[parent] == 0:
                    ready.append(parent)


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
        found = []
        for parameter in self.__parameters.values():
            found.append(parameter)
        for module in self.__sub_modules.values():
            for parameter in module.parameters():
                found.append(parameter)
        once = []
        for parameter in found:
            if parameter not in once:
                once.append(parameter)
        return once


def matmul_deriv(base, *tensors):
    left, right = tensors
    if left.data.ndim == 1:
        row = left.data.reshape(1, -1)
        g = base.reshape(1, -1)
        left_gradient = (g @ right.data.T).reshape(left.shape)
        right_gradient = row.T @ g
    else:
        left_gradient = base @ right.data.T
        right_gradient = left.data.T @ base
    return left_gradient, right_gradient


def matmul(a, b):
    values = a.data @ b.data
    if a.requires_grad or b.requires_grad:
        op = MyCrossBackward(a, b, backward_function=matmul_deriv, name="MatmulBackward")
        return MyTensor(values, requires_grad=True, crossOpBack=op)
    return MyTensor(values)


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        super().__init__()
        bound = 1 / np.sqrt(input_size)
        weight = np.random.uniform(-bound, bound, (input_size, output_size))
        self.weight = Parameter(MyTensor(weight))
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x):
        y = matmul(x, self.weight.tensor)
        y = y + self.bias.tensor
        return y


def relu(x):
    values = np.maximum(x.data, 0)
    if x.requires_grad:
        op = MyCrossBackward(x, backward_function=relu_deriv, name="ReluBackward")
        return MyTensor(values, requires_grad=True, crossOpBack=op)
    return MyTensor(values)


def relu_deriv(base, x):
    gradient = np.where(x.data > 0, base, 0)
    return (gradient,)


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
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        for parameter in self.params:
            gradient = parameter.tensor.grad
            if gradient is None:
                continue
            data = parameter.tensor.data
            data -= self.lr * gradient


def sum_deriv(base, *args):
    x, axis = args
    if axis is not None:
        base = np.expand_dims(base, axis)
    return base * np.ones_like(x.data), None


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
        difference = y - y_target
        squares = difference ** 2
        return sum(squares) / squares.size


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    losses = []
    loss_function = MSELoss()
    optimizer = SGD(model.parameters(), lr)
    for epoch in range(epochs):
        order = np.random.permutation(len(images))
        total = 0.0
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            x = MyTensor(images[batch])
            target = MyTensor(targets[batch])
            optimizer.zero_grad()
            y = model(x)
            loss = loss_function(y, target)
            loss.backward()
            optimizer.step()
            total = total + float(loss.data) * len(batch)
        losses.append(total / len(images))
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
        y = self.hidden(x)
        y = self.relu(y)
        y = self.output(y)
        return y
