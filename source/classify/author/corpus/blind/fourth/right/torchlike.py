import numpy as np
from minitorch import Linear, MyCrossBackward, MyModule, MyTensor, Parameter, ReLU, extends
from collections import defaultdict
from collections.abc import Callable
from typing import Any


# ---- autograd


def record(values: np.ndarray, rule: Callable, name: str, x: MyTensor, *more: Any) -> MyTensor:
    if not x.requires_grad:
        return MyTensor(values)
    op = MyCrossBackward(x, *more, backward_function=rule, name=name)
    return MyTensor(values, requires_grad=True, crossOpBack=op)


def exp_deriv(base, x):
    return (base * np.exp(x.data),)


def log_deriv(base, x):
    return (base / x.data,)


def _restore_reduced_dim(grad, dim, keepdim):
    if dim is None or keepdim:
        return grad
    return np.expand_dims(grad, dim)


def sum_deriv(base, x, axis, keepdims):
    grad = _restore_reduced_dim(base, axis, keepdims)
    return np.broadcast_to(grad, x.shape), None, None


def _scale_grad_by_count(grad, mask, dim):
    return grad * mask / mask.sum(axis=dim, keepdims=True)


def max_deriv(base, x, axis, keepdims):
    grad = _restore_reduced_dim(base, axis, keepdims)
    result = x.data.max(axis=axis, keepdims=True)
    return _scale_grad_by_count(grad, x.data == result, axis), None, None


@extends
class MyTensor(MyTensor):
    def exp(self):
        return record(np.exp(self.data), exp_deriv, "ExpBackward0", self)

    def log(self):
        return record(np.log(self.data), log_deriv, "LogBackward0", self)

    def sum(self, axis=None, keepdims=False):
        out = self.data.sum(axis=axis, keepdims=keepdims)
        return record(out, sum_deriv, "SumBackward1", self, axis, keepdims)

    def mean(self, axis=None, keepdims=False):
        numel = self.size if axis is None else self.shape[axis]
        return self.sum(axis=axis, keepdims=keepdims) / numel

    def max(self, axis=None, keepdims=False):
        out = np.amax(self.data, axis=axis, keepdims=keepdims)
        return record(out, max_deriv, "AmaxBackward0", self, axis, keepdims)


# ---- functional


def _softmax_backward_data(grad_output, input, output, dim):
    inner = (grad_output * output).sum(axis=dim, keepdims=True)
    return output * (grad_output - inner), None, None


def softmax(x, axis=-1):
    shifted = x.data - x.data.max(axis=axis, keepdims=True)
    output = np.exp(shifted)
    output = output / output.sum(axis=axis, keepdims=True)
    return record(output, _softmax_backward_data, "SoftmaxBackward0", x, output.copy(), axis)


def _log_softmax_backward_data(grad_output, input, output, dim):
    total = grad_output.sum(axis=dim, keepdims=True)
    return grad_output - np.exp(output) * total, None, None


def log_softmax(x, axis=-1):
    shifted = x.data - x.data.max(axis=axis, keepdims=True)
    logsum = np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    output = shifted - logsum
    return record(output, _log_softmax_backward_data, "LogSoftmaxBackward0", x, output.copy(), axis)


def _nll_loss_backward(grad_output, input, target):
    grad_input = np.zeros_like(input.data)
    batch = len(target)
    grad_input[np.arange(batch), target] = -grad_output / batch
    return grad_input, None


def nll_loss(input, target):
    target = np.array(target)
    picked = input.data[np.arange(len(target)), target]
    return record(-picked.mean(), _nll_loss_backward, "NllLossBackward0", input, target)


def cross_entropy(input, target):
    return nll_loss(log_softmax(input, 1), target)


class CrossEntropyLoss:
    def __call__(self, scores, labels):
        return cross_entropy(scores, labels)


# ---- optim


class Optimizer:
    def __init__(self, params, defaults):
        self.params = list(params)
        self.state = defaultdict(dict)
        for key, value in defaults.items():
            setattr(self, key, value)

    def zero_grad(self):
        for p in self.params:
            p.tensor.grad = None

    def step(self):
        for p in self.params:
            if p.tensor.grad is None:
                continue
            self._single_tensor(p.tensor.data, p.tensor.grad.data, self.state[p])


class SGD(Optimizer):
    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0):
        super().__init__(parameters, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    def _single_tensor(self, param, d_p, state):
        if self.weight_decay != 0:
            d_p = d_p + self.weight_decay * param
        if self.momentum != 0:
            buf = state.get("momentum_buffer")
            if buf is None:
                buf = np.array(d_p)
            else:
                buf = self.momentum * buf + d_p
            state["momentum_buffer"] = buf
            d_p = buf
        param -= self.lr * d_p


class Adam(Optimizer):
    _decoupled = False

    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(parameters, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    def _single_tensor(self, param, grad, state):
        if not state:
            state["step"] = 0
            state["exp_avg"] = np.zeros_like(param)
            state["exp_avg_sq"] = np.zeros_like(param)
        state["step"] += 1
        if self._decoupled:
            param *= 1 - self.lr * self.weight_decay
        elif self.weight_decay != 0:
            grad = grad + self.weight_decay * param
        beta1, beta2 = self.betas
        state["exp_avg"] = state["exp_avg"] + (grad - state["exp_avg"]) * (1 - beta1)
        state["exp_avg_sq"] = beta2 * state["exp_avg_sq"] + (1 - beta2) * grad * grad
        bias_correction1 = 1 - beta1 ** state["step"]
        bias_correction2 = 1 - beta2 ** state["step"]
        step_size = self.lr / bias_correction1
        denom = np.sqrt(state["exp_avg_sq"]) / np.sqrt(bias_correction2) + self.eps
        param -= step_size * state["exp_avg"] / denom


class AdamW(Adam):
    _decoupled = True

    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas, eps, weight_decay)


# ---- nn.Module


@extends
class MyModule(MyModule):
    training = True

    def children(self):
        return list(self.__sub_modules.values())

    def train(self, mode=True):
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self):
        return self.train(False)


class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        noise = (np.random.rand(*x.shape) < 1 - self.p) / (1 - self.p)
        return x * MyTensor(noise)


class no_grad:
    inside = 0

    def __enter__(self) -> None:
        no_grad.inside += 1

    def __exit__(self, exc_type=None, exc_value=None, traceback=None) -> None:
        no_grad.inside -= 1


@extends
class MyTensor(MyTensor):
    construct = getattr(MyTensor, "construct", MyTensor.__init__)

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if no_grad.inside and crossOpBack is not None:
            requires_grad, crossOpBack = False, None
        self.construct(data, dtype, requires_grad, crossOpBack)


# ---- nn.Sequential, nn.init, state


class Sequential(MyModule):
    def __init__(self, *args):
        super().__init__()
        for idx, module in enumerate(args):
            self.add_module(str(idx), module)

    def add_module(self, name, module):
        setattr(self, name, module)

    def forward(self, input):
        for module in self.children():
            input = module(input)
        return input


def _calculate_fan_in(tensor):
    return tensor.shape[0]


def kaiming_normal(parameter):
    tensor = parameter.tensor
    gain = np.sqrt(2.0)
    std = gain / np.sqrt(_calculate_fan_in(tensor))
    tensor.data[:] = np.random.normal(0.0, std, size=tensor.shape)


@extends
class MyModule(MyModule):
    def _save_to_state_dict(self, destination, prefix):
        for name, param in self.__parameters.items():
            destination[prefix + name] = param
        for name, module in self.__sub_modules.items():
            module._save_to_state_dict(destination, prefix + name + ".")

    def named_parameters(self, prefix=""):
        destination = {}
        self._save_to_state_dict(destination, prefix)
        return destination

    def state_dict(self):
        destination = self.named_parameters()
        return {key: np.array(param.tensor.data) for key, param in destination.items()}

    def load_state_dict(self, state):
        own = self.named_parameters()
        missing_keys = [key for key in own if key not in state]
        unexpected_keys = [key for key in state if key not in own]
        if missing_keys or unexpected_keys:
            raise KeyError(f"Missing keys: {missing_keys}. Unexpected keys: {unexpected_keys}.")
        error_msgs = []
        for key, param in own.items():
            input_param = state[key]
            if input_param.shape != param.tensor.shape:
                error_msgs.append(f"size mismatch for {key}: {input_param.shape}, not {param.tensor.shape}")
        if error_msgs:
            raise ValueError("; ".join(error_msgs))
        for key, param in own.items():
            np.copyto(param.tensor.data, state[key])
