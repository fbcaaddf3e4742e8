import numpy as np
import builtins
from typing import Any

# ---------------------------------------------------------------- tensor


class MyTensor:
    def __init__(
        self,
        data: Any,
        dtype: Any = None,
        requires_grad: bool = False,
        crossOpBack: "MyCrossBackward | None" = None,
    ) -> None:
        self.__data = self._storage(data, dtype)
        self.dtype = self.__data.dtype
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack

    @staticmethod
    def _storage(data: Any, dtype: Any) -> np.ndarray:
        if isinstance(data, (list, tuple, np.ndarray, np.number, int, float)):
            return np.array(data, dtype=dtype, copy=True)
        raise TypeError(f"new(): invalid data type '{type(data).__name__}'")

    @property
    def data(self) -> np.ndarray:
        return self.__data

    @property
    def shape(self) -> tuple[int, ...]:
        return self.__data.shape

    @property
    def strides(self) -> tuple[int, ...]:
        return self.__data.strides

    @property
    def size(self) -> int:
        return self.__data.size

    @property
    def is_leaf(self) -> bool:
        return self.backward_op is None

    def __repr__(self) -> str:
        return "MyTensor({}, requires_grad={})".format(self.__data, self.requires_grad)

    def __getitem__(self, index: Any) -> Any:
        return self.__data[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self.__data[index] = value

    __array_ufunc__ = None

    def __add__(self, other: Any) -> "MyTensor":
        return _binary(np.add, add_deriv, "AddBackward", self, other)

    def __radd__(self, other: Any) -> "MyTensor":
        return _binary(np.add, add_deriv, "AddBackward", other, self)

    def __sub__(self, other: Any) -> "MyTensor":
        return _binary(np.subtract, sub_deriv, "SubBackward", self, other)

    def __rsub__(self, other: Any) -> "MyTensor":
        return _binary(np.subtract, sub_deriv, "SubBackward", other, self)

    def __mul__(self, other: Any) -> "MyTensor":
        return _binary(np.multiply, mul_deriv, "MulBackward", self, other)

    def __rmul__(self, other: Any) -> "MyTensor":
        return _binary(np.multiply, mul_deriv, "MulBackward", other, self)

    def __truediv__(self, other: Any) -> "MyTensor":
        return _binary(np.divide, div_deriv, "DivBackward", self, other)

    def __rtruediv__(self, other: Any) -> "MyTensor":
        return _binary(np.divide, div_deriv, "DivBackward", other, self)

    def __pow__(self, power: float) -> "MyTensor":
        return _make(np.power(self.__data, power), pow_deriv, "PowBackward", self, power)

    def __neg__(self) -> "MyTensor":
        return _make(np.negative(self.__data), neg_deriv, "NegBackward", self)

    def backward(self, base: "MyTensor | None" = None) -> None:
        if not self.requires_grad:
            return
        if base is None:
            upstream = np.ones(self.shape, self.dtype)
        else:
            upstream = base.data if isinstance(base, MyTensor) else np.asarray(base, self.dtype)
            if upstream.shape != self.shape:
                raise ValueError(f"base has shape {upstream.shape}, this tensor {self.shape}")
        Engine().execute(self, upstream)


def _make(values: Any, rule: Any, name: str, *inputs: Any) -> MyTensor:
    needs = [isinstance(i, MyTensor) and i.requires_grad for i in inputs]
    if not any(needs):
        return MyTensor(values)
    node = MyCrossBackward(*inputs, backward_function=rule, name=name)
    return MyTensor(values, requires_grad=True, crossOpBack=node)


def _binary(ufunc: Any, rule: Any, name: str, left: Any, right: Any) -> MyTensor:
    left = left if isinstance(left, MyTensor) else MyTensor(left)
    right = right if isinstance(right, MyTensor) else MyTensor(right)
    return _make(ufunc(left.data, right.data), rule, name, left, right)


# ---------------------------------------------------------------- autograd


class MyCrossBackward:
    def __init__(self, *args: Any, backward_function: Any, name: str) -> None:
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
            raise TypeError(f"the rule of {self} must return a tuple, one gradient for each input")
        return gradients


class InputBuffer:
    """Adds up what arrives for each tensor."""

    def __init__(self) -> None:
        self._buffer: dict[int, Any] = {}

    def add(self, tensor: MyTensor, share: Any) -> None:
        old = self._buffer.get(id(tensor))
        self._buffer[id(tensor)] = share if old is None else old + share

    def take(self, tensor: MyTensor) -> Any:
        return self._buffer.pop(id(tensor))


class Engine:
    """The walk."""

    def __init__(self) -> None:
        self.dependencies: dict[int, int] = {}
        self.buffer = InputBuffer()
        self.ready: list[MyTensor] = []

    @staticmethod
    def next_edges(tensor: MyTensor) -> list[tuple[int, MyTensor]]:
        if tensor.is_leaf:
            return []
        return [
            (position, operand)
            for position, operand in enumerate(tensor.backward_op.inputs)
            if isinstance(operand, MyTensor) and operand.requires_grad
        ]

    def compute_dependencies(self, root: MyTensor) -> None:
        seen = {id(root)}
        queue = [root]
        while queue:
            tensor = queue.pop()
            for _, operand in self.next_edges(tensor):
                self.dependencies[id(operand)] = self.dependencies.get(id(operand), 0) + 1
                if id(operand) not in seen:
                    seen.add(id(operand))
                    queue.append(operand)

    @staticmethod
    def accumulate_grad(leaf: MyTensor, gradient: Any) -> None:
        if leaf.grad is None:
            leaf.grad = np.array(gradient, copy=True)
        else:
            leaf.grad = np.array(leaf.grad + gradient)

    def execute(self, root: MyTensor, upstream: np.ndarray) -> None:
        self.compute_dependencies(root)
        self.buffer.add(root, upstream)
        self.ready.append(root)
        while self.ready:
            tensor = self.ready.pop()
            gradient = self.buffer.take(tensor)
            if tensor.is_leaf:
                self.accumulate_grad(tensor, gradient)
                continue
            outputs = tensor.backward_op(gradient)
            for position, operand in self.next_edges(tensor):
                self.buffer.add(operand, outputs[position])
                self.dependencies[id(operand)] -= 1
                if self.dependencies[id(operand)] == 0:
                    self.ready.append(operand)


def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """sum_to_size"""
    gradient = np.asarray(gradient)
    if gradient.shape == tuple(shape):
        return gradient
    leading = gradient.ndim - len(shape)
    axes = list(range(leading))
    for i in range(leading, gradient.ndim):
        if shape[i - leading] == 1 and gradient.shape[i] != 1:
            axes.append(i)
    return gradient.sum(axis=tuple(axes), keepdims=True).reshape(shape)


def add_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple:
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(base, right.shape)


def sub_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple:
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(np.negative(base), right.shape)


def mul_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple:
    left, right = tensors
    grad_left = base * right.data
    grad_right = base * left.data
    return unbroadcast(grad_left, left.shape), unbroadcast(grad_right, right.shape)


def div_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple:
    left, right = tensors
    grad_left = base / right.data
    grad_right = -grad_left * (left.data / right.data)
    return unbroadcast(grad_left, left.shape), unbroadcast(grad_right, right.shape)


def pow_deriv(base: np.ndarray, *args: Any) -> tuple:
    tensor, exponent = args
    if exponent == 0:
        return np.zeros(tensor.shape), None
    return base * (exponent * np.power(tensor.data, exponent - 1)), None


def neg_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple:
    return (np.negative(base),)


# ---------------------------------------------------------------- nn


class Parameter:
    def __init__(self, tensor: MyTensor) -> None:
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
    def __init__(self) -> None:
        self.__parameters: dict[str, Parameter] = {}
        self.__sub_modules: dict[str, MyModule] = {}

    def __setattr__(self, name: str, value: Any) -> None:
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

    def __call__(self, x: Any) -> Any:
        return self.forward(x)

    def modules(self, memo: set | None = None):
        memo = set() if memo is None else memo
        if self in memo:
            return
        memo.add(self)
        yield self
        for module in self.__sub_modules.values():
            yield from module.modules(memo)

    def own_parameters(self):
        return self.__parameters.values()

    def parameters(self) -> list[Parameter]:
        memo = set()
        result = []
        for module in self.modules():
            for parameter in module.own_parameters():
                if parameter in memo:
                    continue
                memo.add(parameter)
                result.append(parameter)
        return result


def matmul_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple:
    left, right = tensors
    grad_left = grad_right = None
    if left.requires_grad:
        grad_left = np.matmul(base, right.data.T)
    if right.requires_grad:
        if left.data.ndim == 1:
            grad_right = np.outer(left.data, base)
        else:
            grad_right = np.matmul(left.data.T, base)
    return grad_left, grad_right


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    return _make(np.matmul(a.data, b.data), matmul_deriv, "MmBackward", a, b)


def transpose_deriv(base: np.ndarray, x: MyTensor) -> tuple:
    return (base.T,)


def transpose(x: MyTensor) -> MyTensor:
    return _make(x.data.T, transpose_deriv, "TBackward", x)


class Linear(MyModule):
    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.in_features = input_size
        self.out_features = output_size
        self.weight = Parameter(MyTensor(np.empty((output_size, input_size))))
        self.bias = Parameter(MyTensor(np.empty(output_size)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = 1 / np.sqrt(self.in_features)
        for parameter in (self.weight, self.bias):
            data = parameter.tensor.data
            data[...] = np.random.uniform(-bound, bound, data.shape)

    def forward(self, x: MyTensor) -> MyTensor:
        return linear(x, self.weight.tensor, self.bias.tensor)


def linear(x: MyTensor, weight: MyTensor, bias: MyTensor) -> MyTensor:
    return matmul(x, transpose(weight)) + bias


def relu_deriv(base: np.ndarray, x: MyTensor) -> tuple:
    return (np.where(x.data > 0, base, 0),)


def relu(x: MyTensor) -> MyTensor:
    return _make(np.maximum(x.data, 0), relu_deriv, "ReluBackward", x)


class ReLU(MyModule):
    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: MyTensor) -> MyTensor:
        return relu(x)


# ---------------------------------------------------------------- optim


class SGD:
    def __init__(self, parameters: list[Parameter], lr: float = 1e-2) -> None:
        self.lr = lr
        self.params = list(parameters)

    def zero_grad(self) -> None:
        for p in self.params:
            p.tensor.grad = None

    def step(self) -> None:
        params_with_grad = []
        d_p_list = []
        for p in self.params:
            if p.tensor.grad is not None:
                params_with_grad.append(p.tensor)
                d_p_list.append(p.tensor.grad)
        self._sgd(params_with_grad, d_p_list)

    def _sgd(self, tensors: list[MyTensor], gradients: list[np.ndarray]) -> None:
        for param, d_p in zip(tensors, gradients):
            param.data[...] -= self.lr * d_p


# ---------------------------------------------------------------- loss


def sum_deriv(base: np.ndarray, *args: Any) -> tuple:
    x, axis = args
    if axis is None:
        return np.full(x.shape, base), None
    axes = axis if isinstance(axis, tuple) else (axis,)
    axes = [a % x.data.ndim for a in axes]
    kept = [1 if i in axes else n for i, n in enumerate(x.shape)]
    return np.reshape(base, kept) * np.ones(x.shape), None


def sum(x, axis=None):
    if not isinstance(x, MyTensor):
        return builtins.sum(x) if axis is None else builtins.sum(x, axis)
    result = x.data.sum(axis=axis)
    if x.requires_grad:
        op = MyCrossBackward(x, axis, backward_function=sum_deriv, name="SumBackward")
        return MyTensor(result, requires_grad=True, crossOpBack=op)
    return MyTensor(result)


class MSELoss:
    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = reduction

    def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:
        squared = (y - y_target) ** 2
        total = sum(squared)
        if self.reduction == "sum":
            return total
        return total / squared.size


# ---------------------------------------------------------------- training


class DataLoader:
    def __init__(self, images: np.ndarray, targets: np.ndarray, batch_size: int) -> None:
        self.images = images
        self.targets = targets
        self.batch_size = batch_size

    def __iter__(self):
        indices = np.random.permutation(len(self.images))
        for start in range(0, len(indices), self.batch_size):
            chosen = indices[start : start + self.batch_size]
            yield self.images[chosen], self.targets[chosen]


def train(
    model: MyModule,
    images: np.ndarray,
    targets: np.ndarray,
    epochs: int = 20,
    batch_size: int = 32,
    lr: float = 1.0,
    live: Any = None,
) -> list[float]:
    losses = []
    loss_function = MSELoss()
    loader = DataLoader(images, targets, batch_size)
    optimizer = SGD(model.parameters(), lr)
    for epoch in range(epochs):
        running_loss, seen = 0.0, 0
        for inputs, labels in loader:
            optimizer.zero_grad()
            outputs = model(MyTensor(inputs))
            loss = loss_function(outputs, MyTensor(labels))
            loss.backward()
            optimizer.step()
            running_loss += loss.data.item() * len(inputs)
            seen += len(inputs)
        losses.append(running_loss / seen)
        if live:
            live(losses[-1])
    return losses


class SuperModel(MyModule):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = Linear(64, 32)
        self.act = ReLU()
        self.fc2 = Linear(32, 10)

    def forward(self, x: MyTensor) -> MyTensor:
        x = self.fc1(x)
        x = self.act(x)
        x = self.fc2(x)
        return x
