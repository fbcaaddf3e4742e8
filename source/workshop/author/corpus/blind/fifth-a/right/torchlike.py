import numpy as np
import builtins


class MyTensor:
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if not isinstance(data, (list, tuple, np.ndarray, np.number, int, float)):
            raise TypeError(f"cannot make a tensor of {type(data)}")
        self.__data = np.array(data, dtype=dtype, copy=True)
        if self.__data.dtype.kind in "OSUmM":
            raise TypeError(f"cannot make a tensor of {self.__data.dtype}")
        self.dtype = self.__data.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack

    @property
    def data(self):
        return self.__data

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
    def is_leaf(self):
        return self.backward_op is None

    def __repr__(self):
        return f"MyTensor({np.array2string(self.__data)}, requires_grad={self.requires_grad})"

    def __getitem__(self, index):
        return self.__data[index]

    def __setitem__(self, index, value):
        self.__data[index] = value

    def __add__(self, other):
        return Add.apply(self, as_tensor(other))

    def __radd__(self, other):
        return Add.apply(as_tensor(other), self)

    def __sub__(self, other):
        return Sub.apply(self, as_tensor(other))

    def __rsub__(self, other):
        return Sub.apply(as_tensor(other), self)

    def __mul__(self, other):
        return Mul.apply(self, as_tensor(other))

    def __rmul__(self, other):
        return Mul.apply(as_tensor(other), self)

    def __truediv__(self, other):
        return Div.apply(self, as_tensor(other))

    def __rtruediv__(self, other):
        return Div.apply(as_tensor(other), self)

    def __pow__(self, power):
        return Pow.apply(self, power)

    def __neg__(self):
        return Neg.apply(self)

    def backward(self, base=None):
        if not self.requires_grad:
            return
        if base is None:
            upstream = np.ones(self.shape, self.dtype)
        else:
            upstream = base.data if isinstance(base, MyTensor) else np.asarray(base, self.dtype)
            if upstream.shape != self.shape:
                raise ValueError(f"base {upstream.shape}, tensor {self.shape}")
        Engine().execute(self, upstream)


def as_tensor(value):
    return value if isinstance(value, MyTensor) else MyTensor(value)


class Engine:
    """Runs the graph backward, as torch/csrc/autograd/engine.cpp does."""

    def edges(self, tensor):
        if tensor.is_leaf:
            return
        for place, source in enumerate(tensor.backward_op.inputs):
            if isinstance(source, MyTensor) and source.requires_grad:
                yield place, source

    def compute_dependencies(self, root):
        dependencies = {root: 0}
        queue = [root]
        while queue:
            for _, source in self.edges(queue.pop()):
                if source not in dependencies:
                    dependencies[source] = 0
                    queue.append(source)
                dependencies[source] += 1
        return dependencies

    def accumulate(self, leaf, gradient):
        if leaf.grad is None:
            leaf.grad = np.array(gradient)
        else:
            leaf.grad = np.array(leaf.grad + gradient)

    def execute(self, root, upstream):
        dependencies = self.compute_dependencies(root)
        buffers = {root: upstream}
        ready = [root]
        while ready:
            tensor = ready.pop()
            gradient = buffers.pop(tensor)
            if tensor.is_leaf:
                self.accumulate(tensor, gradient)
                continue
            shares = tensor.backward_op(gradient)
            for place, source in self.edges(tensor):
                if source in buffers:
                    buffers[source] = buffers[source] + shares[place]
                else:
                    buffers[source] = shares[place]
                dependencies[source] -= 1
                if dependencies[source] == 0:
                    ready.append(source)


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


class Function:
    @classmethod
    def apply(cls, *inputs):
        arrays = [i.data if isinstance(i, MyTensor) else i for i in inputs]
        values = cls.forward(*arrays)
        if not any(isinstance(i, MyTensor) and i.requires_grad for i in inputs):
            return MyTensor(values)
        op = MyCrossBackward(*inputs, backward_function=cls.backward, name=cls.__name__ + "Backward")
        return MyTensor(values, requires_grad=True, crossOpBack=op)


def unbroadcast(gradient, shape):
    lead = gradient.ndim - len(shape)
    axes = list(range(lead))
    for i, length in enumerate(shape):
        if length == 1 and gradient.shape[lead + i] != 1:
            axes.append(lead + i)
    return gradient.sum(axis=tuple(axes)).reshape(shape)


class Add(Function):
    @staticmethod
    def forward(a, b):
        return a + b

    @staticmethod
    def backward(base, left, right):
        return unbroadcast(base, left.shape), unbroadcast(base, right.shape)


class Sub(Function):
    @staticmethod
    def forward(a, b):
        return a - b

    @staticmethod
    def backward(base, left, right):
        return unbroadcast(base, left.shape), -unbroadcast(base, right.shape)


class Mul(Function):
    @staticmethod
    def forward(a, b):
        return a * b

    @staticmethod
    def backward(base, left, right):
        return (
            unbroadcast(base * right.data, left.shape),
            unbroadcast(base * left.data, right.shape),
        )


class Div(Function):
    @staticmethod
    def forward(a, b):
        return a / b

    @staticmethod
    def backward(base, left, right):
        quotient = left.data / right.data
        return (
            unbroadcast(base / right.data, left.shape),
            unbroadcast(-base * quotient / right.data, right.shape),
        )


class Pow(Function):
    @staticmethod
    def forward(a, power):
        return a**power

    @staticmethod
    def backward(base, tensor, power):
        if power == 0:
            return np.zeros_like(base), None
        return base * (power * tensor.data ** (power - 1)), None


class Neg(Function):
    @staticmethod
    def forward(a):
        return -a

    @staticmethod
    def backward(base, tensor):
        return (-base,)


class T(Function):
    @staticmethod
    def forward(a):
        return a.T

    @staticmethod
    def backward(base, tensor):
        return (base.T,)


class MatMul(Function):
    @staticmethod
    def forward(a, b):
        return a @ b

    @staticmethod
    def backward(base, left, right):
        rows = np.atleast_2d(left.data)
        g = base.reshape(len(rows), right.shape[1])
        return (g @ right.data.T).reshape(left.shape), rows.T @ g


class Relu(Function):
    @staticmethod
    def forward(a):
        return np.maximum(a, 0)

    @staticmethod
    def backward(base, tensor):
        return (np.where(tensor.data > 0, base, 0.0),)


add_deriv, sub_deriv, mul_deriv = Add.backward, Sub.backward, Mul.backward
div_deriv, pow_deriv, matmul_deriv = Div.backward, Pow.backward, MatMul.backward
relu_deriv = Relu.backward


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

    def named_members(self):
        yield from self.__parameters.values()
        for module in self.__sub_modules.values():
            yield from module.named_members()

    def parameters(self):
        memo, result = set(), []
        for parameter in self.named_members():
            if parameter in memo:
                continue
            memo.add(parameter)
            result.append(parameter)
        return result


def matmul(a, b):
    return MatMul.apply(a, b)


class Linear(MyModule):
    """As in PyTorch: the weight is (out, in)."""

    def __init__(self, input_size, output_size):
        super().__init__()
        bound = 1 / np.sqrt(input_size)
        self.weight = Parameter(MyTensor(np.random.uniform(-bound, bound, (output_size, input_size))))
        self.bias = Parameter(MyTensor(np.random.uniform(-bound, bound, output_size)))

    def forward(self, x):
        return matmul(x, T.apply(self.weight.tensor)) + self.bias.tensor


def relu(x):
    return Relu.apply(x)


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
            if p.tensor.grad is not None:
                p.tensor.grad = None

    def step(self):
        for p in self.params:
            if p.tensor.grad is None:
                continue
            d_p = p.tensor.grad
            p.tensor.data[...] -= self.lr * d_p


def sum_deriv(base, *args):
    x, axis = args
    if axis is not None:
        base = np.expand_dims(base, axis)
    return np.array(np.broadcast_to(base, x.shape)), None


def sum(x, axis=None):
    if not isinstance(x, MyTensor):
        return builtins.sum(x) if axis is None else builtins.sum(x, axis)
    result = x.data.sum(axis=axis)
    if x.requires_grad:
        op = MyCrossBackward(x, axis, backward_function=sum_deriv, name="SumBackward")
        return MyTensor(result, requires_grad=True, crossOpBack=op)
    return MyTensor(result)


def mse_loss(input, target):
    difference = input - target
    return sum(difference**2) / difference.size


class MSELoss:
    def __call__(self, y, y_target):
        return mse_loss(y, y_target)


class DataLoader:
    def __init__(self, images, targets, batch_size):
        self.images, self.targets, self.batch_size = images, targets, batch_size

    def __iter__(self):
        order = np.random.permutation(len(self.images))
        for start in range(0, len(order), self.batch_size):
            index = order[start : start + self.batch_size]
            yield MyTensor(self.images[index]), MyTensor(self.targets[index])


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    losses = []
    loss_function = MSELoss()
    loader = DataLoader(images, targets, batch_size)
    optimizer = SGD(model.parameters(), lr)
    for _ in range(epochs):
        running, seen = 0.0, 0
        for x, target in loader:
            optimizer.zero_grad()
            loss = loss_function(model(x), target)
            loss.backward()
            optimizer.step()
            running += float(loss.data) * x.shape[0]
            seen += x.shape[0]
        losses.append(running / seen)
        if live:
            live(losses[-1])
    return losses


class SuperModel(MyModule):
    def __init__(self):
        super().__init__()
        self.fc1 = Linear(64, 32)
        self.relu = ReLU()
        self.fc2 = Linear(32, 10)

    def forward(self, x):
        return self.fc2(self.relu(self.fc1(x)))
