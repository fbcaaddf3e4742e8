import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from tqdm import tqdm


class MyCrossBackward:
    """One operation of the graph: its inputs, and the rule that differentiates it. (Given.)"""

    def __init__(self, *args: Any, backward_function: Callable[..., Any], name: str) -> None:
        self.inputs = args
        self.__rule = backward_function
        self.__name = name

    def __str__(self) -> str:
        return self.__name

    def __call__(self, x: np.ndarray) -> Any:
        return self.run(x)

    def run(self, base: np.ndarray) -> Any:
        gradients = self.__rule(base, *self.inputs)
        if isinstance(gradients, (np.ndarray, np.generic)):
            raise TypeError(f"the rule of {self} must return a tuple, with one gradient for each input")
        return gradients


# every new tensor gets the next number, so results always have a bigger number than their inputs
how_many_tensors = [0]


class MyTensor:
    """An n-dimensional array that can record the operations it takes part in."""

    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        ok = False
        if isinstance(data, list):
            ok = True
        if isinstance(data, tuple):
            ok = True
        if isinstance(data, np.ndarray):
            ok = True
        if isinstance(data, np.number):
            ok = True
        if isinstance(data, int) and not isinstance(data, bool):
            ok = True
        if isinstance(data, float):
            ok = True
        if ok == False:
            raise TypeError("cannot make a tensor of " + str(type(data)))
        if dtype is None:
            array = np.array(data)
        else:
            array = np.array(data, dtype=dtype)
        if array.dtype.kind not in "fiubc":
            raise TypeError("a tensor holds numbers")
        if requires_grad:
            if array.dtype.kind in "iub":
                array = array.astype(np.float64)
        self.__data = array
        self.dtype = array.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack
        how_many_tensors[0] = how_many_tensors[0] + 1
        self.number = how_many_tensors[0]

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
        text = "MyTensor("
        text = text + str(self.__data)
        text = text + ", requires_grad="
        text = text + str(self.requires_grad)
        text = text + ")"
        return text

    def __str__(self):
        return self.__repr__()

    def __getitem__(self, index):
        return self.__data[index]

    def __setitem__(self, index, value):
        if self.requires_grad:
            raise RuntimeError("this tensor requires a gradient, you cannot write into it")
        self.__data[index] = value

    # ---------------------------------------------------------------- plus
    def __add__(self, other):
        if isinstance(other, MyTensor):
            b = other
        else:
            b = MyTensor(other)
        values = self.data + b.data
        if self.requires_grad or b.requires_grad:
            op = MyCrossBackward(self, b, backward_function=add_deriv, name="AddBackward")
            return MyTensor(values, requires_grad=True, crossOpBack=op)
        else:
            return MyTensor(values)

    def __radd__(self, other):
        return self + other

    # ---------------------------------------------------------------- minus
    def __sub__(self, other):
        if isinstance(other, MyTensor):
            b = other
        else:
            b = MyTensor(other)
        values = self.data - b.data
        if self.requires_grad or b.requires_grad:
            op = MyCrossBackward(self, b, backward_function=sub_deriv, name="SubBackward")
            return MyTensor(values, requires_grad=True, crossOpBack=op)
        else:
            return MyTensor(values)

    def __rsub__(self, other):
        # self is on the right here
        b = MyTensor(other)
        return b - self

    # ---------------------------------------------------------------- times
    def __mul__(self, other):
        if isinstance(other, MyTensor):
            b = other
        else:
            b = MyTensor(other)
        values = self.data * b.data
        if self.requires_grad or b.requires_grad:
            op = MyCrossBackward(self, b, backward_function=mul_deriv, name="MulBackward")
            return MyTensor(values, requires_grad=True, crossOpBack=op)
        else:
            return MyTensor(values)

    def __rmul__(self, other):
        return self * other

    # ---------------------------------------------------------------- divided by
    def __truediv__(self, other):
        if isinstance(other, MyTensor):
            b = other
        else:
            b = MyTensor(other)
        values = self.data / b.data
        if self.requires_grad or b.requires_grad:
            op = MyCrossBackward(self, b, backward_function=div_deriv, name="DivBackward")
            return MyTensor(values, requires_grad=True, crossOpBack=op)
        else:
            return MyTensor(values)

    def __rtruediv__(self, other):
        b = MyTensor(other)
        return b / self

    # ---------------------------------------------------------------- to the power
    def __pow__(self, power):
        if isinstance(power, MyTensor):
            raise TypeError("the power must be a number")
        values = self.data
        if values.dtype.kind in "iu" and power < 0:
            values = values.astype(np.float64)
        values = values**power
        if self.requires_grad:
            op = MyCrossBackward(self, power, backward_function=pow_deriv, name="PowBackward")
            return MyTensor(values, requires_grad=True, crossOpBack=op)
        else:
            return MyTensor(values)

    # ---------------------------------------------------------------- minus, alone
    def __neg__(self):
        values = -self.data
        if self.requires_grad:
            op = MyCrossBackward(self, backward_function=neg_deriv, name="NegBackward")
            return MyTensor(values, requires_grad=True, crossOpBack=op)
        else:
            return MyTensor(values)

    def backward(self, base=None):
        if self.requires_grad == False:
            return
        # 1. where do we start
        if base is None:
            start = np.ones(self.shape)
        else:
            start = np.array(base.data, dtype=np.float64)
        # 2. find all tensors that I was computed from (each one once)
        found = {}
        found[self.number] = self
        todo = [self]
        while len(todo) > 0:
            t = todo.pop()
            if t.backward_op is not None:
                for inp in t.backward_op.inputs:
                    if isinstance(inp, MyTensor):
                        if inp.requires_grad:
                            if inp.number not in found:
                                found[inp.number] = inp
                                todo.append(inp)
        # 3. the newest first: nobody can use a tensor before it exists
        numbers = list(found.keys())
        numbers.sort()
        numbers.reverse()
        gradients = {}
        gradients[self.number] = start
        for number in numbers:
            t = found[number]
            g = gradients[number]
            if t.backward_op is None:
                # a leaf
                if t.grad is None:
                    t.grad = np.array(g)
                else:
                    t.grad = np.array(t.grad + g)
            else:
                answers = t.backward_op(g)
                for i in range(len(t.backward_op.inputs)):
                    inp = t.backward_op.inputs[i]
                    if isinstance(inp, MyTensor):
                        if inp.requires_grad:
                            if inp.number in gradients:
                                gradients[inp.number] = gradients[inp.number] + answers[i]
                            else:
                                gradients[inp.number] = answers[i]


def unbroadcast(gradient, shape):
    # too many dimensions: add up the first one until it fits
    while len(gradient.shape) > len(shape):
        gradient = gradient.sum(axis=0)
    # now the lengths that are 1
    for i in range(len(shape)):
        if shape[i] == 1:
            if gradient.shape[i] != 1:
                gradient = gradient.sum(axis=i, keepdims=True)
    return gradient


def add_deriv(base, *tensors):
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(base, right.shape)


def sub_deriv(base, *tensors):
    left, right = tensors
    grad_left = unbroadcast(base, left.shape)
    grad_right = unbroadcast(-base, right.shape)
    return grad_left, grad_right


def mul_deriv(base, *tensors):
    left, right = tensors
    grad_left = base * right.data
    grad_right = base * left.data
    return unbroadcast(grad_left, left.shape), unbroadcast(grad_right, right.shape)


def div_deriv(base, *tensors):
    left, right = tensors
    grad_left = base / right.data
    grad_right = -base * left.data / (right.data * right.data)
    return unbroadcast(grad_left, left.shape), unbroadcast(grad_right, right.shape)


def pow_deriv(base, *args):
    x, power = args
    if power == 0:
        return np.zeros(x.shape), None
    else:
        return base * power * x.data ** (power - 1), None


def neg_deriv(base, *args):
    return (-base,)


class Parameter:
    """A tensor that training changes. (Given.)"""

    def __init__(self, tensor: MyTensor) -> None:
        if not np.issubdtype(tensor.data.dtype, np.floating):
            tensor = MyTensor(tensor.data, dtype=np.float64)
        self.tensor: MyTensor = tensor
        self.tensor.requires_grad = True
        self.__name: str | None = None

    @property
    def name(self) -> str | None:
        return self.__name

    @name.setter
    def name(self, x: str) -> None:
        self.__name = x


class MyModule:
    """A part of a network: it owns parameters and smaller modules, and computes with them."""

    def __init__(self) -> None:
        self.__parameters: dict[str, Parameter] = {}
        self.__sub_modules: dict[str, MyModule] = {}

    def __setattr__(self, name: str, value: Any) -> None:
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

    def __call__(self, x: Any) -> Any:
        return self.forward(x)

    def parameters(self) -> list[Parameter]:
        answer = []
        # my own ones
        for p in self.__parameters.values():
            already = False
            for q in answer:
                if q is p:
                    already = True
            if not already:
                answer.append(p)
        # those of my modules
        for m in self.__sub_modules.values():
            for p in m.parameters():
                already = False
                for q in answer:
                    if q is p:
                        already = True
                if not already:
                    answer.append(p)
        return answer


def matmul_deriv(base, *tensors):
    left, right = tensors
    A = left.data
    B = right.data
    G = base
    if len(A.shape) == 1:
        A = A.reshape(1, len(A))
        G = G.reshape(1, B.shape[1])
    grad_A = np.zeros(A.shape)
    grad_B = np.zeros(B.shape)
    for i in range(A.shape[0]):
        # row i of A made row i of the result
        grad_A[i] = B @ G[i]
        grad_B = grad_B + A[i].reshape(-1, 1) * G[i]
    if len(left.shape) == 1:
        grad_A = grad_A[0]
    return grad_A, grad_B


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    values = a.data @ b.data
    if a.requires_grad or b.requires_grad:
        op = MyCrossBackward(a, b, backward_function=matmul_deriv, name="MatmulBackward")
        return MyTensor(values, requires_grad=True, crossOpBack=op)
    else:
        return MyTensor(values)


class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        bound = 1 / np.sqrt(input_size)
        w = np.zeros((input_size, output_size))
        for i in range(input_size):
            w[i] = np.random.uniform(-bound, bound, output_size)
        b = np.zeros(output_size)
        self.weight = Parameter(MyTensor(w))
        self.bias = Parameter(MyTensor(b))

    def forward(self, x: MyTensor) -> MyTensor:
        product = matmul(x, self.weight.tensor)
        y = product + self.bias.tensor
        return y


def relu(x: MyTensor) -> MyTensor:
    values = x.data.copy()
    values[values < 0] = 0
    if x.requires_grad:
        op = MyCrossBackward(x, backward_function=relu_deriv, name="ReluBackward")
        return MyTensor(values, requires_grad=True, crossOpBack=op)
    else:
        return MyTensor(values)


def relu_deriv(base, x):
    gradient = np.array(base)
    gradient[x.data <= 0] = 0
    return (gradient,)


class ReLU(MyModule):
    """The relu function as a module: it has no parameters. (Given.)"""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: MyTensor) -> MyTensor:
        return relu(x)


class SGD:
    """Stochastic gradient descent."""

    def __init__(self, parameters: list[Parameter], lr: float = 1e-2) -> None:
        self.lr = lr
        self.params = list(parameters)

    def zero_grad(self) -> None:
        for p in self.params:
            p.tensor.grad = None

    def step(self) -> None:
        for p in self.params:
            if p.tensor.grad is not None:
                data = p.tensor.data
                change = self.lr * p.tensor.grad
                data -= change


def sum_deriv(base, *args):
    x, axis = args
    if axis is None:
        return base * np.ones(x.shape), None
    else:
        bigger = np.expand_dims(base, axis)
        return bigger * np.ones(x.shape), None


def sum(x: MyTensor, axis: int | tuple[int, ...] | None = None) -> MyTensor:
    """The sum over `axis` (None: over all elements). (Given; from here on it hides Python's own sum.)"""
    result = x.data.sum(axis=axis)
    if x.requires_grad:
        op = MyCrossBackward(x, axis, backward_function=sum_deriv, name="SumBackward")
        return MyTensor(result, requires_grad=True, crossOpBack=op)
    return MyTensor(result)


class MSELoss:
    """Mean squared error."""

    def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:
        difference = y - y_target
        squared = difference * difference
        total = sum(squared)
        mean = total / difference.size
        return mean


class SuperModel(MyModule):
    """Maps a batch of images, shape (n, 64), to one score per digit, shape (n, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.layer1 = Linear(64, 32)
        self.relu = ReLU()
        self.layer2 = Linear(32, 10)

    def forward(self, x):
        x = self.layer1(x)
        x = self.relu(x)
        x = self.layer2(x)
        return x


def train(
    model: MyModule,
    images: np.ndarray,
    targets: np.ndarray,
    epochs: int = 20,
    batch_size: int = 32,
    lr: float = 1.0,
    live: Callable[[float], None] | None = None,
) -> list[float]:
    """Train the model on mini-batches."""
    losses = []
    loss_function = MSELoss()
    optimizer = SGD(model.parameters(), lr)
    if live:
        bar = range(epochs)
    else:
        bar = tqdm(range(epochs), file=sys.stdout)
    for epoch in bar:
        order = np.random.permutation(len(images))
        total = 0.0
        start = 0
        while start < len(order):
            rows = order[start : start + batch_size]
            x = MyTensor(images[rows])
            t = MyTensor(targets[rows])
            optimizer.zero_grad()
            y = model(x)
            loss = loss_function(y, t)
            loss.backward()
            optimizer.step()
            total = total + float(loss.data) * len(rows)
            start = start + batch_size
        losses.append(total / len(images))
        if live:
            live(losses[-1])
        else:
            bar.set_postfix(loss=losses[-1])
    return losses
