import numpy as np
from minitorch import Linear, MSELoss, MyCrossBackward, MyModule, MyTensor, Parameter, ReLU, extends, matmul


# ---- functions: the arithmetic on arrays first, then thin methods around it


def record(values, rule, name, x, *more):
    """(Given.)"""
    if not x.requires_grad:
        return MyTensor(values)
    op = MyCrossBackward(x, *more, backward_function=rule, name=name)
    return MyTensor(values, requires_grad=True, crossOpBack=op)


def exp_deriv(base, x):
    return (np.multiply(base, np.exp(x.data)),)


def log_deriv(base, x):
    return (np.divide(base, x.data),)


@extends
class MyTensor(MyTensor):
    def exp(self):
        return record(np.exp(self.data), exp_deriv, "ExpBackward", self)

    def log(self):
        return record(np.log(self.data), log_deriv, "LogBackward", self)


def array_spread(base, shape, axis, keepdims):
    """A gradient of a reduced array, in the shape of the array that was reduced (read only)."""
    if not keepdims and axis is not None:
        base = np.expand_dims(base, axis)
    return np.broadcast_to(base, shape)


def sum_deriv(base, x, axis, keepdims):
    return np.array(array_spread(base, x.shape, axis, keepdims)), None, None


def mean_deriv(base, x, axis, keepdims):
    count = x.size if axis is None else x.shape[axis]
    return array_spread(base, x.shape, axis, keepdims) / count, None, None


@extends
class MyTensor(MyTensor):
    def sum(self, axis=None, keepdims=False):
        return record(
            np.sum(self.data, axis=axis, keepdims=keepdims), sum_deriv, "SumBackward", self, axis, keepdims
        )

    def mean(self, axis=None, keepdims=False):
        return record(
            np.mean(self.data, axis=axis, keepdims=keepdims), mean_deriv, "MeanBackward", self, axis, keepdims
        )


def array_argmask(array, axis):
    """1 where an element is the largest along the axis, shared among several."""
    mask = np.isclose(array, np.amax(array, axis=axis, keepdims=True), rtol=0, atol=0)
    return mask / np.sum(mask, axis=axis, keepdims=True)


def max_deriv(base, x, axis, keepdims):
    return array_spread(base, x.shape, axis, keepdims) * array_argmask(x.data, axis), None, None


@extends
class MyTensor(MyTensor):
    def max(self, axis=None, keepdims=False):
        return record(
            np.amax(self.data, axis=axis, keepdims=keepdims), max_deriv, "MaxBackward", self, axis, keepdims
        )


# ---- cross_entropy: with rules of their own, which is allowed and saves walks


def array_softmax(array, axis):
    powers = np.exp(array - np.amax(array, axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)


def array_log_softmax(array, axis):
    shifted = array - np.amax(array, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def softmax_deriv(base, x, axis):
    p = array_softmax(x.data, axis)
    return p * (base - np.sum(base * p, axis=axis, keepdims=True)), None


def softmax(x, axis=-1):
    return record(array_softmax(x.data, axis), softmax_deriv, "SoftmaxBackward", x, axis)


def log_softmax_deriv(base, x, axis):
    p = array_softmax(x.data, axis)
    return base - p * np.sum(base, axis=axis, keepdims=True), None


def log_softmax(x, axis=-1):
    return record(array_log_softmax(x.data, axis), log_softmax_deriv, "LogSoftmaxBackward", x, axis)


def cross_entropy_deriv(base, scores, labels):
    n = len(labels)
    gradient = array_softmax(scores.data, 1)
    gradient[np.arange(n), labels] -= 1
    return base * gradient / n, None


class CrossEntropyLoss:
    def __call__(self, scores, labels):
        labels = np.array(labels)  # of our own: the way back needs them as they are now
        logs = array_log_softmax(scores.data, 1)
        loss = -np.mean(logs[np.arange(len(labels)), labels])
        return record(loss, cross_entropy_deriv, "CrossEntropyBackward", scores, labels)


# ---- optimizers: state in arrays of the parameters' shapes


class SGD:
    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.velocities = {p: np.zeros(p.tensor.shape) for p in self.params}

    def zero_grad(self):
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        for p in self.params:
            if p.tensor.grad is None:
                continue
            w = p.tensor.data
            g = np.array(p.tensor.grad.data)
            g += self.weight_decay * w
            v = np.multiply(self.velocities[p], self.momentum)
            v += g
            self.velocities[p] = v
            w -= self.lr * v


class Adam:
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.t = {p: 0 for p in self.params}
        self.m = {p: np.zeros(p.tensor.shape) for p in self.params}
        self.v = {p: np.zeros(p.tensor.shape) for p in self.params}

    def zero_grad(self):
        for parameter in self.params:
            parameter.tensor.grad = None

    def update(self, p, g):
        """Adam's step of one parameter, for the gradient g."""
        b1, b2 = self.betas
        self.t[p] += 1
        self.m[p] = b1 * self.m[p] + (1 - b1) * g
        self.v[p] = b2 * self.v[p] + (1 - b2) * np.square(g)
        bias1 = 1 - np.power(b1, self.t[p])
        bias2 = 1 - np.power(b2, self.t[p])
        # As PyTorch has it: the corrections taken out of the quotient.
        denominator = np.sqrt(self.v[p]) / np.sqrt(bias2) + self.eps
        w = p.tensor.data
        w -= (self.lr / bias1) * self.m[p] / denominator

    def step(self):
        for p in self.params:
            if p.tensor.grad is not None:
                self.update(p, p.tensor.grad.data + self.weight_decay * p.tensor.data)


class AdamW(Adam):
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def step(self):
        for p in self.params:
            if p.tensor.grad is not None:
                w = p.tensor.data
                w -= self.lr * self.weight_decay * w
                self.update(p, p.tensor.grad.data)


# ---- modes


@extends
class MyModule(MyModule):
    training = True

    def train(self):
        self.training = True
        for name in self.__sub_modules:
            self.__sub_modules[name].train()
        return self

    def eval(self):
        self.training = False
        for name in self.__sub_modules:
            self.__sub_modules[name].eval()
        return self


def dropout_deriv(base, x, factors):
    return base * factors, None


class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        factors = (np.random.random_sample(x.shape) >= self.p) / (1 - self.p)
        return record(x.data * factors, dropout_deriv, "DropoutBackward", x, factors)


class no_grad:
    inside = 0

    def __enter__(self):
        no_grad.inside += 1
        return self

    def __exit__(self, *exception):
        no_grad.inside -= 1


@extends
class MyTensor(MyTensor):
    construct = getattr(MyTensor, "construct", MyTensor.__init__)

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if no_grad.inside and crossOpBack is not None:
            requires_grad, crossOpBack = False, None
        self.construct(data, dtype, requires_grad, crossOpBack)


# ---- networks


class Sequential(MyModule):
    def __init__(self, *modules):
        super().__init__()
        self.layers = modules
        for i in np.arange(len(modules)):
            setattr(self, str(i), modules[i])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def kaiming_normal(parameter):
    array = parameter.tensor.data
    n_in, n_out = array.shape
    array[:, :] = np.sqrt(2 / n_in) * np.random.randn(n_in, n_out)


@extends
class MyModule(MyModule):
    def named_parameters(self, prefix=""):
        found = dict()
        for key in self.__parameters:
            found[prefix + key] = self.__parameters[key]
        for key in self.__sub_modules:
            found.update(self.__sub_modules[key].named_parameters(prefix + key + "."))
        return found

    def state_dict(self):
        named = self.named_parameters()
        return {name: np.array(named[name].tensor.data) for name in named}

    def load_state_dict(self, state):
        named = self.named_parameters()
        if not np.array_equal(sorted(named), sorted(state)):
            odd = sorted(set(named) ^ set(state))
            raise KeyError(f"the names differ, by {odd}")
        arrays = {name: np.array(state[name]) for name in named}
        for name in named:
            if arrays[name].shape != named[name].tensor.shape:
                raise ValueError(f"the array {name} has the shape {arrays[name].shape}: that does not fit")
        for name in named:
            named[name].tensor.data[...] = arrays[name]
