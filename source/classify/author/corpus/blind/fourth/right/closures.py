import numpy as np
from minitorch import MyCrossBackward, MyModule, MyTensor, Parameter


def record(values, rule, name, x, *more):
    if not x.requires_grad:
        return MyTensor(values)
    op = MyCrossBackward(x, *more, backward_function=rule, name=name)
    return MyTensor(values, requires_grad=True, crossOpBack=op)


# ---- functions: every rule is made by a function from what it multiplies with


def elementwise(slope):
    return lambda base, x: (base * slope(x.data),)


def reduction(weights):
    def rule(base, x, axis, keepdims):
        gone = axis is not None and not keepdims
        upstream = np.expand_dims(base, axis) if gone else base
        return upstream * weights(x.data, axis), None, None

    return rule


def even_shares(values, axis):
    mask = values == values.max(axis=axis, keepdims=True)
    return mask / mask.sum(axis=axis, keepdims=True)


exp_deriv = elementwise(np.exp)
log_deriv = elementwise(lambda values: 1 / values)
sum_deriv = reduction(lambda values, axis: np.ones_like(values))
max_deriv = reduction(even_shares)


def unary_method(function, rule, name):
    def method(self):
        return record(function(self.data), rule, name, self)

    return method


def reducing_method(function, rule, name):
    def method(self, axis=None, keepdims=False):
        return record(function(self.data, axis=axis, keepdims=keepdims), rule, name, self, axis, keepdims)

    return method


def mean(self, axis=None, keepdims=False):
    how_many = {True: lambda: self.size, False: lambda: self.shape[axis]}[axis is None]()
    return self.sum(axis, keepdims) * (1 / how_many)


MyTensor.exp = unary_method(np.exp, exp_deriv, "ExpBackward")
MyTensor.log = unary_method(np.log, log_deriv, "LogBackward")
MyTensor.sum = reducing_method(np.sum, sum_deriv, "SumBackward")
MyTensor.max = reducing_method(np.max, max_deriv, "MaxBackward")
MyTensor.mean = mean


# ---- cross-entropy


def shifted_and_total(x, axis):
    shifted = x - MyTensor(np.max(x.data, axis, keepdims=True))
    powers = shifted.exp()
    return {"shifted": shifted, "powers": powers, "total": powers.sum(axis, keepdims=True)}


def softmax(x, axis=-1):
    parts = shifted_and_total(x, axis)
    return parts["powers"] / parts["total"]


def log_softmax(x, axis=-1):
    parts = shifted_and_total(x, axis)
    return parts["shifted"] - parts["total"].log()


def one_hot(labels, classes):
    return MyTensor(np.eye(classes)[labels])


class CrossEntropyLoss:
    def __call__(self, scores, labels):
        of_right_ones = (one_hot(labels, scores.shape[1]) * log_softmax(scores)).sum(axis=1)
        return -of_right_ones.mean()


# ---- optimizers: an update is a closure over the optimizer; each parameter has a memory, a dictionary


def for_all(optimizer, update):
    memories = {}
    optimizer.memories = memories

    def step():
        for parameter in optimizer.params:
            tensor = parameter.tensor
            if tensor.grad is not None:
                memory = memories.setdefault(parameter, {})
                update(tensor.data, tensor.grad.data, memory)

    return step


def with_decay(optimizer, update):
    def decayed(data, gradient, memory):
        update(data, gradient + optimizer.weight_decay * data, memory)

    return decayed


def beside_decay(optimizer, update):
    def decayed(data, gradient, memory):
        data -= optimizer.lr * optimizer.weight_decay * data
        update(data, gradient, memory)

    return decayed


def heavy_ball(optimizer):
    def update(data, gradient, memory):
        memory["v"] = optimizer.momentum * memory.get("v", 0.0) + gradient
        data -= optimizer.lr * memory["v"]

    return update


def adaptive(optimizer):
    def running(memory, name, beta, value):
        memory[name] = beta * memory.get(name, 0.0) + (1 - beta) * value
        return memory[name] / (1 - beta ** memory["t"])

    def update(data, gradient, memory):
        memory["t"] = memory.get("t", 0) + 1
        mean = running(memory, "m", optimizer.betas[0], gradient)
        square = running(memory, "v", optimizer.betas[1], gradient**2)
        data -= optimizer.lr * mean / (np.sqrt(square) + optimizer.eps)

    return update


class SGD:
    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.one_step = for_all(self, with_decay(self, heavy_ball(self)))

    def zero_grad(self):
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        self.one_step()


class Adam:
    decay = staticmethod(with_decay)

    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.one_step = for_all(self, self.decay(self, adaptive(self)))

    def zero_grad(self):
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        self.one_step()


class AdamW(Adam):
    decay = staticmethod(beside_decay)

    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas, eps, weight_decay)


# ---- modes


def below(module):
    return vars(module)["_MyModule__sub_modules"]


def switch(name, value):
    def method(self):
        self.training = value
        for module in below(self).values():
            getattr(module, name)()
        return self

    return method


MyModule.training = True
MyModule.train = switch("train", True)
MyModule.eval = switch("eval", False)


def keep_all(x, p):
    return x


def drop(x, p):
    chances = np.random.uniform(0, 1, x.shape)
    return x * MyTensor(np.where(chances < p, 0.0, 1 / (1 - p)))


class Dropout(MyModule):
    ways = {True: drop, False: keep_all}

    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        return self.ways[self.training](x, self.p)


class no_grad:
    inside = 0

    def __enter__(self):
        no_grad.count(+1)

    def __exit__(self, *exception):
        no_grad.count(-1)

    @classmethod
    def count(cls, change):
        cls.inside += change


def forgetful(construct):
    def __init__(self, data, dtype=None, requires_grad=False, crossOpBack=None):
        if no_grad.inside and crossOpBack is not None:
            requires_grad, crossOpBack = False, None
        construct(self, data, dtype, requires_grad, crossOpBack)

    return __init__


MyTensor.construct = getattr(MyTensor, "construct", MyTensor.__init__)
MyTensor.__init__ = forgetful(MyTensor.construct)


# ---- networks


def chain(modules):
    def run(x):
        for module in modules:
            x = module(x)
        return x

    return run


class Sequential(MyModule):
    def __init__(self, *modules):
        super().__init__()
        named = {str(number): module for number, module in enumerate(modules)}
        for name, module in named.items():
            setattr(self, name, module)
        self.run = chain(modules)

    def forward(self, x):
        return self.run(x)


def kaiming_normal(parameter):
    array = parameter.tensor.data
    array[...] = np.random.normal(loc=0, scale=np.sqrt(2 / len(array)), size=array.shape)


def named_parameters(self, prefix=""):
    own = {prefix + name: parameter for name, parameter in vars(self)["_MyModule__parameters"].items()}
    deeper = [module.named_parameters(prefix + name + ".") for name, module in below(self).items()]
    for more in deeper:
        own.update(more)
    return own


def state_dict(self):
    return {name: parameter.tensor.data.copy() for name, parameter in self.named_parameters().items()}


def compare(own, state):
    if set(own) - set(state):
        raise KeyError(f"the dictionary lacks {set(own) - set(state)}")
    if set(state) - set(own):
        raise KeyError(f"the module does not have {set(state) - set(own)}")
    shapes = {name: (parameter.tensor.shape, state[name].shape) for name, parameter in own.items()}
    for name, (wanted, found) in shapes.items():
        if wanted != found:
            raise ValueError(f"the array of {name} has the shape {found}, not {wanted}")


def load_state_dict(self, state):
    own = self.named_parameters()
    compare(own, state)
    for name, parameter in own.items():
        parameter.tensor.data[...] = state[name]


MyModule.named_parameters = named_parameters
MyModule.state_dict = state_dict
MyModule.load_state_dict = load_state_dict
