"""Composed wherever it can be: classes with class-level helpers, softmax by logsumexp, memory in dictionaries."""

# ruff: noqa: F821, E402 (what the notebook and its library define is there)


class Exp:
    @staticmethod
    def rule(base, x, result):
        return base * result, None

    @staticmethod
    def apply(x):
        result = np.exp(x.data)
        if not x.requires_grad:
            return MyTensor(result)
        op = MyCrossBackward(x, result, backward_function=Exp.rule, name="Exp")
        return MyTensor(result, requires_grad=True, crossOpBack=op)


def make(result, rule, *inputs):
    op = MyCrossBackward(*inputs, backward_function=rule, name=rule.__name__)
    return MyTensor(result, requires_grad=True, crossOpBack=op) if inputs[0].requires_grad else MyTensor(result)


def log_rule(base, x):
    return (base * x.data**-1.0,)


def spread(base, x, axis, keepdims):
    """The upstream gradient in the shape of x."""
    if axis is None:
        return np.full(x.shape, base.reshape(-1)[0])
    shape = list(x.shape)
    shape[axis] = 1
    return np.repeat(base.reshape(shape), x.shape[axis], axis=axis)


def sum_rule(base, *args):
    x, axis, keepdims = args
    return (spread(base, x, axis, keepdims), None, None)


def max_rule(base, *args):
    x, axis, keepdims = args
    highest = x.data.max() if axis is None else x.data.max(axis=axis, keepdims=True)
    ties = np.isclose(x.data, highest, rtol=0, atol=0)
    count = ties.sum() if axis is None else ties.sum(axis=axis, keepdims=True)
    return (spread(base, x, axis, keepdims) * ties / count, None, None)


def _sum(self, axis=None, keepdims=False):
    return make(np.sum(self.data, axis=axis, keepdims=keepdims), sum_rule, self, axis, keepdims)


def _mean(self, axis=None, keepdims=False):
    total = self.sum(axis=axis, keepdims=keepdims)
    return total * (total.size / self.size)


def _max(self, axis=None, keepdims=False):
    return make(np.max(self.data, axis=axis, keepdims=keepdims), max_rule, self, axis, keepdims)


for name, method in {
    "exp": Exp.apply,
    "log": lambda self: make(np.log(self.data), log_rule, self),
    "sum": _sum,
    "mean": _mean,
    "max": _max,
}.items():
    setattr(MyTensor, name, method)


def log_softmax(x, axis=-1):
    highest = MyTensor(x.data.max(axis=axis, keepdims=True))
    return x - (highest + (x - highest).exp().sum(axis=axis, keepdims=True).log())


def softmax(x, axis=-1):
    return log_softmax(x, axis).exp()


class CrossEntropyLoss(MyModule):
    def __call__(self, scores, labels):
        classes = scores.shape[1]
        hot = MyTensor((np.arange(classes)[None, :] == np.asarray(labels)[:, None]).astype(float))
        return ((log_softmax(scores, axis=1) * hot).sum(axis=1) * -1).mean()


class Optimizer:
    def __init__(self, parameters, lr):
        self.params, self.lr = [*parameters], lr
        self.memory = {}

    def zero_grad(self):
        for each in self.params:
            each.tensor.grad = None

    def step(self):
        for each in self.params:
            gradient = each.tensor.grad
            if gradient is not None:
                array = each.tensor.data
                array[...] = self.moved(array, np.array(gradient.data), self.memory.setdefault(each, {}))


class SGD(Optimizer):
    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0):
        super().__init__(parameters, lr)
        self.momentum, self.weight_decay = momentum, weight_decay

    def moved(self, w, g, memory):
        g += self.weight_decay * w
        if "v" in memory:
            memory["v"] = self.momentum * memory["v"] + g
        else:
            memory["v"] = g
        return w - self.lr * memory["v"]


class Adam(Optimizer):
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(parameters, lr)
        self.beta1, self.beta2 = betas
        self.eps, self.weight_decay = eps, weight_decay

    def moved(self, w, g, memory):
        return self.adam(w, g + self.weight_decay * w, memory)

    def adam(self, w, g, memory):
        memory["t"] = memory.get("t", 0) + 1
        memory["m"] = memory.get("m", 0.0) * self.beta1 + g * (1 - self.beta1)
        memory["v"] = memory.get("v", 0.0) * self.beta2 + g * g * (1 - self.beta2)
        rate = self.lr * np.sqrt(1 - self.beta2 ** memory["t"]) / (1 - self.beta1 ** memory["t"])
        eps = self.eps * np.sqrt(1 - self.beta2 ** memory["t"])
        return w - rate * memory["m"] / (memory["v"] ** 0.5 + eps)


class AdamW(Adam):
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def moved(self, w, g, memory):
        return self.adam(w - self.lr * self.weight_decay * w, g, memory)


begin = MyModule.__init__


def begin_in_training(self):
    begin(self)
    self.training = True


def everything(module):
    yield module
    for each in list(vars(module).values()):
        if isinstance(each, MyModule):
            yield from everything(each)


def train(self):
    for each in everything(self):
        each.training = True
    return self


def evaluate(self):
    for each in everything(self):
        each.training = False
    return self


MyModule.__init__, MyModule.train, MyModule.eval = begin_in_training, train, evaluate


class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        if self.training:
            share = np.random.binomial(1, 1 - self.p, size=x.shape)
            return x * MyTensor(share / (1 - self.p))
        return x * 1


import contextlib

engine = {"recording": True}
original = MyTensor.__init__


def initialize(self, data, dtype=None, requires_grad=False, crossOpBack=None):
    recorded = crossOpBack is not None
    if recorded and not engine["recording"]:
        original(self, data, dtype)
    else:
        original(self, data, dtype, requires_grad, crossOpBack)


MyTensor.__init__ = initialize


@contextlib.contextmanager
def no_grad():
    before = engine["recording"]
    engine["recording"] = False
    try:
        yield
    finally:
        engine["recording"] = before


class Sequential(MyModule):
    def __init__(self, *modules):
        super().__init__()
        self.count = len(modules)
        for number in range(len(modules)):
            self.__setattr__(f"{number}", modules[number])

    def forward(self, x):
        for number in range(self.count):
            x = getattr(self, str(number))(x)
        return x


def kaiming_normal(parameter):
    fan_in, fan_out = parameter.tensor.shape
    parameter.tensor.data[:] = np.random.randn(fan_in, fan_out) * (2 / fan_in) ** 0.5
    return parameter


def state_dict(self):
    state = {}
    for name, value in vars(self).items():
        if isinstance(value, Parameter):
            state[name] = np.array(value.tensor.data)
        if isinstance(value, MyModule):
            for inner, array in value.state_dict().items():
                state[name + "." + inner] = array
    return state


def find(module, name):
    for step in name.split("."):
        module = getattr(module, step)
    return module


def load_state_dict(self, state):
    expected = self.state_dict()
    missing, unexpected = set(expected) - set(state), set(state) - set(expected)
    if missing or unexpected:
        raise KeyError(f"missing: {sorted(missing)}, unexpected: {sorted(unexpected)}")
    for name, array in expected.items():
        if array.shape != np.shape(state[name]):
            raise ValueError(f"{name}: {np.shape(state[name])} in place of {array.shape}")
    for name in expected:
        np.copyto(find(self, name).tensor.data, state[name])


MyModule.state_dict, MyModule.load_state_dict = state_dict, load_state_dict
