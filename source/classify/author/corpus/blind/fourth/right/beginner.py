import numpy as np
from minitorch import MyCrossBackward, MyModule, MyTensor, Parameter, extends


def record(values, rule, name, x, *more):
    if not x.requires_grad:
        return MyTensor(values)
    op = MyCrossBackward(x, *more, backward_function=rule, name=name)
    return MyTensor(values, requires_grad=True, crossOpBack=op)


# ---------- functions


def exp_deriv(base, x):
    gradient = base * np.exp(x.data)
    return (gradient,)


def log_deriv(base, x):
    gradient = base / x.data
    return (gradient,)


def sum_deriv(base, x, axis, keepdims):
    gradient = np.zeros_like(x.data)
    if axis is not None:
        if not keepdims:
            base = np.expand_dims(base, axis)
    gradient = gradient + base
    return gradient, None, None


def max_deriv(base, x, axis, keepdims):
    largest = x.data.max(axis=axis, keepdims=True)
    is_largest = x.data == largest
    how_many = is_largest.sum(axis=axis, keepdims=True)
    if axis is not None and not keepdims:
        base = np.expand_dims(base, axis)
    share = base / how_many
    gradient = np.where(is_largest, share, 0.0)
    return gradient, None, None


@extends
class MyTensor(MyTensor):
    def exp(self):
        result = np.exp(self.data)
        return record(result, exp_deriv, "ExpBackward", self)

    def log(self):
        result = np.log(self.data)
        return record(result, log_deriv, "LogBackward", self)

    def sum(self, axis=None, keepdims=False):
        result = self.data.sum(axis=axis, keepdims=keepdims)
        return record(result, sum_deriv, "SumBackward", self, axis, keepdims)

    def mean(self, axis=None, keepdims=False):
        if axis is None:
            count = self.size
        else:
            count = self.shape[axis]
        total = self.sum(axis, keepdims)
        return total / count

    def max(self, axis=None, keepdims=False):
        result = self.data.max(axis=axis, keepdims=keepdims)
        return record(result, max_deriv, "MaxBackward", self, axis, keepdims)


# ---------- cross-entropy


def softmax(x, axis=-1):
    highest = MyTensor(x.data.max(axis=axis, keepdims=True))
    powers = (x - highest).exp()
    total = powers.sum(axis, keepdims=True)
    return powers / total


def log_softmax(x, axis=-1):
    highest = MyTensor(x.data.max(axis=axis, keepdims=True))
    shifted = x - highest
    powers = shifted.exp()
    total = powers.sum(axis, keepdims=True)
    return shifted - total.log()


class CrossEntropyLoss:
    def __call__(self, scores, labels):
        logs = log_softmax(scores)
        rows = len(labels)
        mask = np.zeros(scores.shape)
        for row in range(rows):
            right_class = int(labels[row])
            mask[row, right_class] = 1.0
        picked = logs * MyTensor(mask)
        return -picked.sum() / rows


# ---------- optimizers


class SGD:
    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.velocities = []
        for parameter in self.params:
            self.velocities.append(np.zeros_like(parameter.tensor.data))

    def zero_grad(self):
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        for i in range(len(self.params)):
            tensor = self.params[i].tensor
            if tensor.grad is None:
                continue
            w = tensor.data
            g = tensor.grad.data + self.weight_decay * w
            v = self.momentum * self.velocities[i] + g
            self.velocities[i] = v
            w -= self.lr * v


class Adam:
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.steps = []
        self.means = []
        self.squares = []
        for parameter in self.params:
            self.steps.append(0)
            self.means.append(np.zeros_like(parameter.tensor.data))
            self.squares.append(np.zeros_like(parameter.tensor.data))

    def zero_grad(self):
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        for i in range(len(self.params)):
            tensor = self.params[i].tensor
            if tensor.grad is None:
                continue
            g = tensor.grad.data + self.weight_decay * tensor.data
            self.move(i, g)

    def move(self, i, g):
        beta1, beta2 = self.betas
        self.steps[i] = self.steps[i] + 1
        t = self.steps[i]
        self.means[i] = beta1 * self.means[i] + (1 - beta1) * g
        self.squares[i] = beta2 * self.squares[i] + (1 - beta2) * g**2
        m_hat = self.means[i] / (1 - beta1**t)
        v_hat = self.squares[i] / (1 - beta2**t)
        w = self.params[i].tensor.data
        w -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)


class AdamW(Adam):
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def step(self):
        for i in range(len(self.params)):
            tensor = self.params[i].tensor
            if tensor.grad is None:
                continue
            w = tensor.data
            w -= self.lr * self.weight_decay * w
            self.move(i, tensor.grad.data)


# ---------- modes


@extends
class MyModule(MyModule):
    training = True

    def train(self):
        self.training = True
        for module in self.__sub_modules.values():
            module.train()
        return self

    def eval(self):
        self.training = False
        for module in self.__sub_modules.values():
            module.eval()
        return self


class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        chance = np.random.random(x.shape)
        kept = chance >= self.p
        mask = kept / (1 - self.p)
        return x * MyTensor(mask)


class no_grad:
    inside = 0

    def __enter__(self):
        no_grad.inside = no_grad.inside + 1

    def __exit__(self, *exception):
        no_grad.inside = no_grad.inside - 1


@extends
class MyTensor(MyTensor):
    construct = getattr(MyTensor, "construct", MyTensor.__init__)

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if no_grad.inside and crossOpBack is not None:
            requires_grad, crossOpBack = False, None
        self.construct(data, dtype, requires_grad, crossOpBack)


# ---------- networks


class Sequential(MyModule):
    def __init__(self, *modules):
        super().__init__()
        self.layers = []
        number = 0
        for module in modules:
            setattr(self, str(number), module)
            self.layers.append(module)
            number = number + 1

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def kaiming_normal(parameter):
    data = parameter.tensor.data
    inputs = data.shape[0]
    outputs = data.shape[1]
    deviation = np.sqrt(2 / inputs)
    for row in range(inputs):
        data[row] = np.random.normal(0, deviation, outputs)


@extends
class MyModule(MyModule):
    def named_parameters(self, prefix=""):
        found = {}
        for name, parameter in self.__parameters.items():
            found[prefix + name] = parameter
        for name, module in self.__sub_modules.items():
            more = module.named_parameters(prefix + name + ".")
            for long_name in more:
                found[long_name] = more[long_name]
        return found

    def state_dict(self):
        state = {}
        for name, parameter in self.named_parameters().items():
            state[name] = parameter.tensor.data.copy()
        return state

    def load_state_dict(self, state):
        own = self.named_parameters()
        for name in own:
            if name not in state:
                raise KeyError(f"the parameter {name} is missing in the dictionary")
        for name in state:
            if name not in own:
                raise KeyError(f"this module has no parameter {name}")
        for name in own:
            expected = own[name].tensor.shape
            given = np.shape(state[name])
            if given != expected:
                raise ValueError(f"{name} has the shape {given}, not {expected}")
        for name in own:
            own[name].tensor.data[...] = state[name]
