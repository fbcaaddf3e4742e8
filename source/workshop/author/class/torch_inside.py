# Has PyTorch do all the work inside MyTensor, and in what computes with it: right answers everywhere, and nothing of
# that is built. Deserves 34 of 100: modules, Linear, train and the model call no PyTorch, and work on the reference's
# tensor.
# (Where torch is not installed, as in the jail, the first cell already fails.)
# others: solution

# %% tensor
from typing import Any

import torch


class MyCrossBackward:
    def __init__(self, *args: Any, backward_function: Any, name: str) -> None:
        self.name = name


class MyTensor:
    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if isinstance(data, torch.Tensor):
            self.tensor = data
        elif isinstance(data, (list, tuple, np.ndarray, np.number, int, float)):
            array = np.array(data, dtype=dtype or np.float64)
            self.tensor = torch.tensor(array, requires_grad=requires_grad)
        else:
            raise TypeError("numbers, please")

    @property
    def data(self):
        return self.tensor.detach().numpy()

    dtype = property(lambda self: self.data.dtype)
    shape = property(lambda self: self.data.shape)
    strides = property(lambda self: self.data.strides)
    size = property(lambda self: self.data.size)
    backward_op = property(lambda self: self.tensor.grad_fn)

    @property
    def requires_grad(self):
        return self.tensor.requires_grad

    @requires_grad.setter
    def requires_grad(self, flag):
        self.tensor.requires_grad_(flag)

    @property
    def grad(self):
        return None if self.tensor.grad is None else self.tensor.grad.numpy()

    @grad.setter
    def grad(self, value):
        self.tensor.grad = value

    def __repr__(self):
        return f"MyTensor({self.data}, requires_grad={self.requires_grad})"

    def __getitem__(self, index):
        return self.data[index]

    def __setitem__(self, index, value):
        self.data[index] = value

    def __add__(self, other):
        return MyTensor(self.tensor + torch_of(other))

    def __sub__(self, other):
        return MyTensor(self.tensor - torch_of(other))

    def __mul__(self, other):
        return MyTensor(self.tensor * torch_of(other))

    def __truediv__(self, other):
        return MyTensor(self.tensor / torch_of(other))

    def __rsub__(self, other):
        return MyTensor(other - self.tensor)

    def __rtruediv__(self, other):
        return MyTensor(other / self.tensor)

    def __pow__(self, power):
        return MyTensor(self.tensor**power)

    def __neg__(self):
        return MyTensor(-self.tensor)

    __radd__, __rmul__ = __add__, __mul__

    def backward(self, base=None):
        if self.requires_grad:
            self.tensor.backward(torch.ones_like(self.tensor) if base is None else base.tensor)


def torch_of(other):
    return other.tensor if isinstance(other, MyTensor) else other


tensor_a = MyTensor([3, 4, 5, 6, 7])

# %% matmul
def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    return MyTensor(a.tensor @ b.tensor)


# %% layers: definitions
def relu(x: MyTensor) -> MyTensor:
    return MyTensor(torch.relu(x.tensor))


# %% optimizer: definitions
class SGD:
    def __init__(self, parameters: list[Parameter], lr: float = 1e-2) -> None:
        self.optimizer = torch.optim.SGD([parameter.tensor.tensor for parameter in parameters], lr=lr)
        self.zero_grad, self.step = self.optimizer.zero_grad, self.optimizer.step


# %% loss
class MSELoss:
    def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:
        return MyTensor(torch.nn.functional.mse_loss(y.tensor, y_target.tensor))
