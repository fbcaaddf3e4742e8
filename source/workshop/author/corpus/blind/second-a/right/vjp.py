import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from tqdm import tqdm

# In the manner of HIPS autograd: a primitive is a function of plain arrays that returns its value and its vjp,
# a function from the upstream gradient to one gradient for each argument (None for what is no tensor).


class MyCrossBackward:
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


def unbroadcast(gradient, shape):
    gradient = np.asarray(gradient)
    front = gradient.ndim - len(shape)
    if front > 0:
        gradient = np.sum(gradient, axis=tuple(range(front)))
    ones = tuple(i for i, n in enumerate(shape) if n == 1)
    return np.sum(gradient, axis=ones, keepdims=True) if ones else gradient


def p_add(a, b):
    def vjp(g):
        return unbroadcast(g, np.shape(a)), unbroadcast(g, np.shape(b))

    return a + b, vjp


def p_sub(a, b):
    def vjp(g):
        return unbroadcast(g, np.shape(a)), unbroadcast(-g, np.shape(b))

    return a - b, vjp


def p_mul(a, b):
    def vjp(g):
        return unbroadcast(g * b, np.shape(a)), unbroadcast(g * a, np.shape(b))

    return a * b, vjp


def p_div(a, b):
    quotient = a / b

    def vjp(g):
        share = g / b
        return unbroadcast(share, np.shape(a)), unbroadcast(-share * quotient, np.shape(b))

    return quotient, vjp


def p_neg(a):
    return -a, lambda g: (-g,)


def p_pow(a, n):
    def vjp(g):
        slope = n * np.power(a, n - 1) if n else np.zeros(a.shape)
        return g * slope, None

    return a**n, vjp


def p_matmul(a, b):
    def vjp(g):
        if a.ndim == 1:
            return b @ g, a[:, None] * g[None, :]
        return g @ np.transpose(b), np.transpose(a) @ g

    return a @ b, vjp


def p_transpose(a):
    return a.T, lambda g: (g.T,)


def p_relu(a):
    positive = a > 0
    return np.where(positive, a, 0), lambda g: (g * positive,)


def p_sum(a, axis):
    def vjp(g):
        kept = a.sum(axis=axis, keepdims=True).shape
        return np.tile(np.reshape(g, kept), np.array(a.shape) // np.array(kept)) if a.ndim else np.array(g), None

    return a.sum(axis=axis), vjp


def call(primitive, *args):
    """Apply a primitive to tensors and numbers, and record it if a tensor asks for it."""
    plain = [arg.data if isinstance(arg, MyTensor) else arg for arg in args]
    value, vjp = primitive(*plain)
    if any(isinstance(arg, MyTensor) and arg.requires_grad for arg in args):
        name = primitive.__name__[2:].title() + "Backward"
        op = MyCrossBackward(*args, backward_function=lambda g, *inputs: vjp(g), name=name)
        return MyTensor(value, requires_grad=True, crossOpBack=op)
    return MyTensor(value)


def operator(primitive):
    return lambda self, other: call(primitive, self, other)


def reflected(primitive):
    return lambda self, other: call(primitive, other, self)


class MyTensor:
    __array_ufunc__ = None

    def __init__(
        self,
        data: list | tuple | np.ndarray | np.number | int | float,
        dtype: np.dtype | type | None = None,
        requires_grad: bool = False,
        crossOpBack: MyCrossBackward | None = None,
    ) -> None:
        match data:
            case bool():
                raise TypeError("True and False are no tensors")
            case list() | tuple() | np.ndarray() | np.number() | int() | float():
                self.__data = np.array(data, dtype)
            case _:
                raise TypeError(f"{type(data)} is no tensor")
        if self.__data.dtype.kind in "OSU":
            raise TypeError("a tensor holds numbers")
        if requires_grad and self.__data.dtype.kind != "f":
            self.__data = self.__data.astype("float64")
        self.dtype = self.__data.dtype
        self.requires_grad = bool(requires_grad)
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
        return int(np.prod(self.shape))

    def __repr__(self):
        grad = ", requires_grad=True" if self.requires_grad else ", requires_grad=False"
        return f"MyTensor({self.data!r}{grad})"

    def __str__(self):
        return self.__repr__()

    def __getitem__(self, index):
        return self.data[index]

    def __setitem__(self, index, value):
        if self.requires_grad:
            raise RuntimeError("cannot write into a tensor that requires a gradient")
        self.data[index] = value

    __add__, __radd__ = operator(p_add), reflected(p_add)
    __sub__, __rsub__ = operator(p_sub), reflected(p_sub)
    __mul__, __rmul__ = operator(p_mul), reflected(p_mul)
    __truediv__, __rtruediv__ = operator(p_div), reflected(p_div)
    __pow__ = operator(p_pow)

    def __neg__(self):
        return call(p_neg, self)

    def backward(self, base: "MyTensor | None" = None) -> None:
        if self.requires_grad:
            pull_back(self, np.ones(self.shape) if base is None else base.data)


def parents(tensor):
    """The inputs that need a gradient, each paired with its place among the inputs."""
    if tensor.backward_op is None:
        return []
    return [
        (place, source)
        for place, source in enumerate(tensor.backward_op.inputs)
        if isinstance(source, MyTensor) and source.requires_grad
    ]


def postorder(root):
    """Every tensor after all that it was computed from. A stack of iterators takes the place of recursion."""
    order, known = [], {id(root)}
    stack = [(root, iter(parents(root)))]
    while stack:
        tensor, rest = stack[-1]
        for _, source in rest:
            if id(source) not in known:
                known.add(id(source))
                stack.append((source, iter(parents(source))))
                break
        else:
            order.append(tensor)
            stack.pop()
    return order


def pull_back(root, upstream):
    gradients = {id(root): upstream}
    order = postorder(root)
    while order:
        tensor = order.pop()
        gradient = gradients.pop(id(tensor))
        if tensor.backward_op is None:
            tensor.grad = np.array(gradient if tensor.grad is None else np.add(tensor.grad, gradient))
            continue
        shares = tensor.backward_op(gradient)
        for place, source in parents(tensor):
            if id(source) in gradients:
                gradients[id(source)] = np.add(gradients[id(source)], shares[place])
            else:
                gradients[id(source)] = shares[place]


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
        seen, found = set(), []

        def visit(module):
            for parameter in module.__parameters.values():
                if parameter not in seen:  # a Parameter has no __eq__: this is identity
                    seen.add(parameter)
                    found.append(parameter)
            for child in module.__sub_modules.values():
                visit(child)

        visit(self)
        return found


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    return call(p_matmul, a, b)


class Linear(MyModule):
    """y = x @ weight.T + bias, the weight as PyTorch keeps it: (out, in)"""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        limit = 1.0 / input_size**0.5
        values = (np.random.random_sample((output_size, input_size)) - 0.5) * 2 * limit
        self.weight = Parameter(MyTensor(values))
        self.bias = Parameter(MyTensor(np.zeros(output_size)))

    def forward(self, x: MyTensor) -> MyTensor:
        return matmul(x, call(p_transpose, self.weight.tensor)) + self.bias.tensor


def relu(x: MyTensor) -> MyTensor:
    return call(p_relu, x)


class ReLU(MyModule):
    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: MyTensor) -> MyTensor:
        return relu(x)


class SGD:
    def __init__(self, parameters: list[Parameter], lr: float = 1e-2) -> None:
        self.lr = lr
        self.params = list(parameters)

    def zero_grad(self) -> None:
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self) -> None:
        for parameter in self.params:
            tensor = parameter.tensor
            if tensor.grad is not None:
                np.copyto(tensor.data, tensor.data - self.lr * tensor.grad)


def sum(x: MyTensor, axis: int | tuple[int, ...] | None = None) -> MyTensor:
    return call(p_sum, x, axis)


class MSELoss:
    def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:
        d = y - y_target
        return sum(d**2) / d.size


class SuperModel(MyModule):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = Linear(64, 64), Linear(64, 32), Linear(32, 10)

    def forward(self, x: MyTensor) -> MyTensor:
        return self.c(relu(self.b(relu(self.a(x)))))


def minibatches(count, batch_size):
    order = np.random.permutation(count)
    for start in range(0, count, batch_size):
        yield order[start : start + batch_size]


def train(
    model: MyModule,
    images: np.ndarray,
    targets: np.ndarray,
    epochs: int = 20,
    batch_size: int = 32,
    lr: float = 1.0,
    live: Callable[[float], None] | None = None,
) -> list[float]:
    losses = []
    loss_function = MSELoss()
    optimizer = SGD(model.parameters(), lr)
    progress = tqdm(range(epochs), file=sys.stdout, disable=live is not None)
    for _ in progress:
        values, sizes = [], []
        for batch in minibatches(len(images), batch_size):
            optimizer.zero_grad()
            loss = loss_function(model(MyTensor(images[batch])), MyTensor(targets[batch]))
            loss.backward()
            optimizer.step()
            values.append(float(loss.data))
            sizes.append(len(batch))
        losses.append(float(np.average(values, weights=sizes)))
        progress.set_postfix(loss=losses[-1])
        if live:
            live(losses[-1])
    return losses
