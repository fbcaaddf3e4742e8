import numpy as np
from minitorch import MyCrossBackward, MyModule, MyTensor, Parameter, extends

# Names and formulas as in the text: G upstream gradient, s scores, p probabilities, t targets, L loss.


def record(values, rule, name, x, *more):
    if not x.requires_grad:
        return MyTensor(values)
    op = MyCrossBackward(x, *more, backward_function=rule, name=name)
    return MyTensor(values, requires_grad=True, crossOpBack=op)


def exp_deriv(base, x):
    """d e^x / dx = e^x"""
    return (base * np.exp(x.data),)


def log_deriv(base, x):
    """d log x / dx = 1 / x"""
    return (base / x.data,)


def sum_deriv(base, x, axis, keepdims):
    """Each element counts once."""
    G = base if axis is None or keepdims else np.expand_dims(base, axis)
    return G * np.ones_like(x.data), None, None


def max_deriv(base, x, axis, keepdims):
    """The largest receive all, in equal shares."""
    G = base if axis is None or keepdims else np.expand_dims(base, axis)
    mask = x.data == x.data.max(axis=axis, keepdims=True)
    return G * mask / mask.sum(axis=axis, keepdims=True), None, None


@extends
class MyTensor(MyTensor):
    def exp(self):
        return record(np.exp(self.data), exp_deriv, "ExpBackward", self)

    def log(self):
        return record(np.log(self.data), log_deriv, "LogBackward", self)

    def sum(self, axis=None, keepdims=False):
        S = np.sum(self.data, axis=axis, keepdims=keepdims)
        return record(S, sum_deriv, "SumBackward", self, axis, keepdims)

    def mean(self, axis=None, keepdims=False):
        n = self.size if axis is None else self.shape[axis]
        return self.sum(axis, keepdims) / n

    def max(self, axis=None, keepdims=False):
        M = np.max(self.data, axis=axis, keepdims=keepdims)
        return record(M, max_deriv, "MaxBackward", self, axis, keepdims)


def softmax(x, axis=-1):
    """p_i = e^(s_i - m) / sum_j e^(s_j - m)"""
    m = x.max(axis, keepdims=True)
    e = (x - m).exp()
    return e / e.sum(axis, keepdims=True)


def log_softmax(x, axis=-1):
    """log p_i = (s_i - m) - log sum_j e^(s_j - m)"""
    m = x.max(axis, keepdims=True)
    z = x - m
    return z - z.exp().sum(axis, True).log()


class CrossEntropyLoss:
    """L = -1/n sum_r log p_(r, c_r)"""

    def __call__(self, scores, labels):
        n, C = scores.shape
        t = np.zeros((n, C))
        t[np.arange(n), labels] = 1
        log_p = log_softmax(scores, axis=1)
        return -1 / n * (MyTensor(t) * log_p).sum()


class SGD:
    """v <- mu v + g,  w <- w - lr v"""

    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.velocities = {}

    def zero_grad(self):
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        mu, lam = self.momentum, self.weight_decay
        for theta in self.params:
            if theta.tensor.grad is not None:
                w, dL_dw = theta.tensor.data, theta.tensor.grad.data
                g = dL_dw + lam * w
                v = mu * self.velocities.get(theta, 0.0) + g
                w -= self.lr * v
                self.velocities[theta] = v


class Adam:
    """w <- w - lr m^ / (sqrt(v^) + eps)"""

    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.state = {}

    def zero_grad(self):
        for parameter in self.params:
            parameter.tensor.grad = None

    def gradient(self, theta):
        """g = dL/dw + lambda w"""
        return theta.tensor.grad.data + self.weight_decay * theta.tensor.data

    def step(self):
        b1, b2 = self.betas
        for theta in self.params:
            if theta.tensor.grad is None:
                continue
            t, m, v = self.state.get(theta, (0, 0.0, 0.0))
            g = self.gradient(theta)
            t += 1
            m = b1 * m + (1 - b1) * g
            v = b2 * v + (1 - b2) * g**2
            self.state[theta] = t, m, v
            m_hat = m / (1 - b1**t)
            v_hat = v / (1 - b2**t)
            w = theta.tensor.data
            w -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)


class AdamW(Adam):
    """w <- w - lr lambda w, then Adam's step"""

    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def gradient(self, theta):
        """g = dL/dw, and the decay beside it"""
        w = theta.tensor.data
        w *= 1 - self.lr * self.weight_decay
        return theta.tensor.grad.data


@extends
class MyModule(MyModule):
    training = True

    def train(self):
        self.training = True
        for child in self.__sub_modules.values():
            child.train()
        return self

    def eval(self):
        self.training = False
        for child in self.__sub_modules.values():
            child.eval()
        return self


class Dropout(MyModule):
    """y = x * b / (1 - p), b = 1 with probability 1 - p"""

    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        if self.training:
            b = np.random.binomial(1, 1 - self.p, x.shape)
            return x * MyTensor(b / (1 - self.p))
        return x


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


class Sequential(MyModule):
    """f_n(... f_1(f_0(x)))"""

    def __init__(self, *modules):
        super().__init__()
        self.f = modules
        for i, module in enumerate(modules):
            setattr(self, str(i), module)

    def forward(self, x):
        for f in self.f:
            x = f(x)
        return x


def kaiming_normal(parameter):
    """w ~ N(0, 2 / n_in)"""
    w = parameter.tensor.data
    n_in, n_out = w.shape
    sigma = (2 / n_in) ** 0.5
    w[...] = sigma * np.random.standard_normal((n_in, n_out))


@extends
class MyModule(MyModule):
    def named_parameters(self, prefix=""):
        theta = {prefix + name: own for name, own in self.__parameters.items()}
        for name, child in self.__sub_modules.items():
            theta |= child.named_parameters(f"{prefix}{name}.")
        return theta

    def state_dict(self):
        return {name: theta.tensor.data.copy() for name, theta in self.named_parameters().items()}

    def load_state_dict(self, state):
        theta = self.named_parameters()
        missing = theta.keys() - state.keys()
        unknown = state.keys() - theta.keys()
        if missing:
            raise KeyError(f"these names are missing: {sorted(missing)}")
        if unknown:
            raise KeyError(f"no parameters have these names: {sorted(unknown)}")
        for name, array in state.items():
            if array.shape != theta[name].tensor.shape:
                raise ValueError(f"{name} should have the shape {theta[name].tensor.shape}, not {array.shape}")
        for name, array in state.items():
            theta[name].tensor.data[...] = array
