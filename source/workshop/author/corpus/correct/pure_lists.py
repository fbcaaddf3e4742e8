# Style: lists and few tools. Gradients are tensors, rules are tensor arithmetic, matmul is a product and a sum.
import numpy as np


class MyTensor:
    __array_ufunc__ = None

    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        allowed = [list, tuple, np.ndarray, np.number, int, float]
        if not any(isinstance(data, kind) for kind in allowed):
            raise TypeError("MyTensor needs numbers")
        self.__data = np.array(data, dtype=dtype)
        self.dtype = self.__data.dtype
        self.requires_grad = requires_grad
        self.grad = None
        # None, or a list of pairs [input, rule]; a rule turns the gradient of this tensor into that of the input
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

    def __repr__(self):
        return "MyTensor(" + str(self.__data) + ", requires_grad=" + str(self.requires_grad) + ")"

    def __getitem__(self, index):
        return self.__data[index]

    def __setitem__(self, index, value):
        self.__data[index] = value

    def constant(self):
        """The same numbers without a history, for use inside of rules."""
        return MyTensor(self.__data)

    # ------------------------------------------------------------ operations

    def __add__(self, other):
        other = to_tensor(other)
        return new_tensor(
            self.data + other.data,
            [
                [self, lambda gradient: gradient],
                [other, lambda gradient: gradient],
            ],
        )

    def __mul__(self, other):
        other = to_tensor(other)
        return new_tensor(
            self.data * other.data,
            [
                [self, lambda gradient: gradient * other.constant()],
                [other, lambda gradient: gradient * self.constant()],
            ],
        )

    def __pow__(self, number):
        def rule(gradient):
            if number == 0:
                return gradient * 0.0
            return gradient * number * self.constant() ** (number - 1)

        return new_tensor(np.array(self.data, dtype=float) ** number, [[self, rule]])

    def __sub__(self, other):
        return self + -to_tensor(other)

    def __truediv__(self, other):
        return self * to_tensor(other) ** -1

    def __neg__(self):
        return self * -1

    def __radd__(self, other):
        return self + other

    def __rsub__(self, other):
        return to_tensor(other) - self

    def __rmul__(self, other):
        return self * other

    def __rtruediv__(self, other):
        return to_tensor(other) / self

    def reshape(self, *shape):
        return new_tensor(self.data.reshape(shape), [[self, lambda gradient: gradient.reshape(*self.shape)]])

    def sum(self, axis=None, keepdims=False):
        def rule(gradient):
            kept = np.sum(self.data, axis=axis, keepdims=True).shape
            return gradient.reshape(*kept) + MyTensor(np.zeros(self.shape))

        return new_tensor(np.sum(self.data, axis=axis, keepdims=keepdims), [[self, rule]])

    # ------------------------------------------------------------ gradients

    def backward(self, base=None):
        if not self.requires_grad:
            return
        if base is None:
            base = MyTensor(np.ones(self.shape))

        # First walk: how many times is each tensor used on the way to self?
        uses = {id(self): 0}
        to_visit = [self]
        while to_visit:
            for tensor, _ in to_visit.pop().inputs():
                if id(tensor) not in uses:
                    uses[id(tensor)] = 0
                    to_visit.append(tensor)
                uses[id(tensor)] += 1

        # Second walk: a tensor is ready when all of its uses have sent their gradients.
        arrived = {id(self): [MyTensor(base.data, dtype=float)]}
        ready = [self]
        while ready:
            tensor = ready.pop()
            gradient = add_all(arrived.pop(id(tensor)))
            if tensor.backward_op is None:
                if tensor.grad is None:
                    tensor.grad = gradient.constant()
                else:
                    tensor.grad = tensor.grad + gradient
            for source, rule in tensor.inputs():
                arrived.setdefault(id(source), []).append(sum_to_shape(rule(gradient), source.shape))
                uses[id(source)] -= 1
                if uses[id(source)] == 0:
                    ready.append(source)

    def inputs(self):
        """The pairs [input, rule] for the inputs that want a gradient."""
        return [pair for pair in self.backward_op or [] if pair[0].requires_grad]


def to_tensor(value):
    if isinstance(value, MyTensor):
        return value
    return MyTensor(value)


def new_tensor(value, history):
    for tensor, _ in history:
        if tensor.requires_grad:
            return MyTensor(value, requires_grad=True, crossOpBack=history)
    return MyTensor(value)


def add_all(tensors):
    total = tensors[0]
    for tensor in tensors[1:]:
        total = total + tensor
    return total


def sum_to_shape(gradient, shape):
    while len(gradient.shape) > len(shape):
        gradient = gradient.sum(axis=0)
    for axis in range(len(shape)):
        if shape[axis] == 1 and gradient.shape[axis] > 1:
            gradient = gradient.sum(axis=axis, keepdims=True)
    return gradient


def dot(a, b):
    return (a * b).sum()


def matmul(a, b):
    # (n, k, 1) * (k, m) is (n, k, m); the middle axis is the one to add up. One row has no n, and it works the same.
    return (a.reshape(*a.shape, 1) * b).sum(axis=-2)


def relu(x):
    is_positive = x.data > 0
    slope = MyTensor(np.where(is_positive, 1.0, 0.0))
    return new_tensor(np.where(is_positive, x.data, 0), [[x, lambda gradient: gradient * slope]])


class Parameter:
    def __init__(self, tensor, name=""):
        self.tensor = tensor
        self.name = name


class MyModule:
    def __init__(self):
        super().__setattr__("names", [])
        super().__setattr__("members", [])

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        self.forget(name)
        if isinstance(value, Parameter):
            value.name = name
        if isinstance(value, (Parameter, MyModule)):
            self.names.append(name)
            self.members.append(value)

    def __delattr__(self, name):
        super().__delattr__(name)
        self.forget(name)

    def forget(self, name):
        if name in self.names:
            place = self.names.index(name)
            del self.names[place]
            del self.members[place]

    def parameters(self):
        result = []
        for member in self.members:
            found = [member] if isinstance(member, Parameter) else member.parameters()
            for parameter in found:
                known = [parameter is other for other in result]
                if not any(known):
                    result.append(parameter)
        return result

    def forward(self, x):
        raise NotImplementedError

    def __call__(self, x):
        return self.forward(x)


class Linear(MyModule):
    def __init__(self, input_size, output_size):
        super().__init__()
        weights = []
        for _ in range(input_size):
            weights.append([np.random.uniform(-1, 1) / np.sqrt(input_size) for _ in range(output_size)])
        biases = [0.0 for _ in range(output_size)]
        self.weight = Parameter(MyTensor(weights, requires_grad=True))
        self.bias = Parameter(MyTensor(biases, requires_grad=True))

    def forward(self, x):
        return matmul(x, self.weight.tensor) + self.bias.tensor


class ReLU(MyModule):
    def forward(self, x):
        return relu(x)


class SGD:
    def __init__(self, parameters, lr):
        self.parameters = []
        for parameter in parameters:
            self.parameters.append(parameter)
        self.lr = lr

    def zero_grad(self):
        for parameter in self.parameters:
            parameter.tensor.grad = None

    def step(self):
        for parameter in self.parameters:
            if parameter.tensor.grad is None:
                continue
            change = parameter.tensor.grad * self.lr
            parameter.tensor[...] = parameter.tensor.data - change.data


class MSELoss(MyModule):
    def __call__(self, y, target):
        return self.forward(y, target)

    def forward(self, y, target):
        difference = y - target
        return dot(difference, difference) / difference.size


class SuperModel(MyModule):
    def __init__(self):
        super().__init__()
        self.layer1 = Linear(64, 32)
        self.layer2 = ReLU()
        self.layer3 = Linear(32, 10)

    def forward(self, x):
        for layer in [self.layer1, self.layer2, self.layer3]:
            x = layer(x)
        return x


def train(model, images, targets, epochs=20, batch_size=32, lr=1.0, live=None):
    optimizer = SGD(model.parameters(), lr)
    loss_function = MSELoss()
    losses = []
    for _ in range(epochs):
        rows = list(zip(images.tolist(), targets.tolist(), strict=True))
        np.random.shuffle(rows)
        total = 0.0
        while rows:
            batch = rows[:batch_size]
            del rows[:batch_size]
            optimizer.zero_grad()
            loss = loss_function(model(MyTensor([list(x) for x, _ in batch])), MyTensor([list(y) for _, y in batch]))
            loss.backward()
            optimizer.step()
            total += float(loss.data) * len(batch)
        losses.append(total / len(images))
        if live is not None:
            live(losses[-1])
    return losses
