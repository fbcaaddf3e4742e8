"""float32 arrays, a switch in the operation itself, velocities kept on the parameters' dictionary of their own."""

# ruff: noqa: F821 (what the notebook and its library define is there)


class Operation(MyCrossBackward):
    """An operation with its rule as a closure."""

    recording = True

    def __init__(self, x, rule, name):
        super().__init__(x, backward_function=lambda base, x: (rule(base),), name=name)

    @classmethod
    def result(cls, x, values, rule, name):
        if not (x.requires_grad and cls.recording):
            return MyTensor(values)
        return MyTensor(values, requires_grad=True, crossOpBack=cls(x, rule, name))


def exp(x):
    values = np.exp(x.data)
    return Operation.result(x, values, lambda base: base * values, "exp")


def log(x):
    return Operation.result(x, np.log(x.data), lambda base: base / x.data, "log")


def total(x, axis=None, keepdims=False):
    def rule(base):
        if axis is None:
            return np.ones(x.shape) * base.sum()
        lengths = [1 if place == axis % len(x.shape) else n for place, n in enumerate(x.shape)]
        return np.array(np.broadcast_to(base.reshape(lengths), x.shape))

    return Operation.result(x, x.data.sum(axis, keepdims=keepdims), rule, "sum")


def average(x, axis=None, keepdims=False):
    return total(x, axis, keepdims) * (1.0 / (x.size if axis is None else x.shape[axis]))


def largest(x, axis=None, keepdims=False):
    top = x.data.max(axis, keepdims=True)

    def rule(base):
        winners = np.equal(x.data, top)
        return winners * (base.reshape(top.shape) / winners.sum(axis, keepdims=True))

    return Operation.result(x, top if keepdims else x.data.max(axis), rule, "max")


MyTensor.exp, MyTensor.log = exp, log
MyTensor.sum, MyTensor.mean, MyTensor.max = total, average, largest


def softmax(x, axis=-1):
    scores = x - largest(x, axis, True)
    return exp(scores) / total(exp(scores), axis, True)


def log_softmax(x, axis=-1):
    top = largest(x, axis, True)
    return (x - top) - log(total(exp(x - top), axis, True))


class CrossEntropyLoss:
    def __call__(self, scores, labels):
        choice = np.zeros(scores.shape, dtype=np.float32)
        for row, label in enumerate(labels):
            choice[row, label] = -1.0 / len(labels)
        return (log_softmax(scores) * choice).sum()


class SGD:
    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0):
        self.slots = [{"parameter": parameter} for parameter in parameters]
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay

    def zero_grad(self):
        for slot in self.slots:
            slot["parameter"].tensor.grad = None

    def step(self):
        for slot in self.slots:
            tensor = slot["parameter"].tensor
            if tensor.grad is None:
                continue
            direction = tensor.grad.data.copy()
            if self.weight_decay != 0:
                direction += self.weight_decay * tensor.data
            if self.momentum != 0:
                slot["buffer"] = direction + self.momentum * slot.get("buffer", 0)
                direction = slot["buffer"]
            array = tensor.data
            array -= self.lr * direction


def adam_direction(slot, gradient, betas, eps):
    slot["t"] = slot.get("t", 0) + 1
    corrected = []
    for key, value, beta in (("m", gradient, betas[0]), ("v", gradient * gradient, betas[1])):
        slot[key] = value * (1 - beta) + slot.get(key, 0) * beta
        corrected.append(slot[key] / (1 - beta ** slot["t"]))
    return corrected[0] / (corrected[1] ** 0.5 + eps)


class Adam(SGD):
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(parameters, lr, 0.0, weight_decay)
        self.betas, self.eps = betas, eps

    def step(self):
        for slot in self.slots:
            tensor = slot["parameter"].tensor
            if tensor.grad is not None:
                array = tensor.data
                gradient = self.decay(array, tensor.grad.data)
                array -= self.lr * adam_direction(slot, gradient, self.betas, self.eps)

    def decay(self, array, gradient):
        return gradient + array * self.weight_decay


class AdamW(Adam):
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def decay(self, array, gradient):
        array -= self.lr * self.weight_decay * array
        return gradient


def set_training(self, mode=True):
    self.training = mode
    waiting = [self]
    while waiting:
        for each in vars(waiting.pop()).values():
            if isinstance(each, MyModule):
                each.training = mode
                waiting.append(each)
    return self


MyModule.training = True
MyModule.train = set_training
MyModule.eval = lambda self: self.train(False)


class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        if self.p == 0 or not self.training:
            return x
        kept = np.where(np.random.uniform(size=x.shape) < self.p, 0.0, 1.0 / (1.0 - self.p))
        return Operation.result(x, x.data * kept, lambda base: base * kept, "dropout")


class no_grad:
    def __init__(self):
        self.before = []

    def __enter__(self):
        self.before.append(Operation.recording)
        Operation.recording = False

    def __exit__(self, *_):
        Operation.recording = self.before.pop()


def forgetting(method):
    """An operator of the engine, which records nothing while recording is off."""

    def operator(self, *other):
        found = method(self, *other)
        if not Operation.recording and isinstance(found, MyTensor):
            return MyTensor(found.data)
        return found

    return operator


for sign in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow", "neg"):
    setattr(MyTensor, f"__{sign}__", forgetting(getattr(MyTensor, f"__{sign}__")))


class Sequential(MyModule):
    def __init__(self, *modules):
        super().__init__()
        for module in modules:
            number = sum_of_modules(self)
            setattr(self, str(number), module)

    def forward(self, x):
        for number in range(sum_of_modules(self)):
            x = vars(self)[str(number)](x)
        return x


def sum_of_modules(sequential):
    return len([name for name in vars(sequential) if name.isdigit()])


def kaiming_normal(parameter):
    weight = parameter.tensor.data
    spread = (2 / weight.shape[0]) ** 0.5
    np.copyto(weight, spread * np.random.default_rng().standard_normal(weight.shape))


def walk(module, prefix):
    for name, each in vars(module).items():
        if isinstance(each, MyModule):
            yield from walk(each, [*prefix, name])
        elif isinstance(each, Parameter):
            yield ".".join([*prefix, name]), each.tensor.data


class State:
    def state_dict(self):
        return {name: array.copy() for name, array in walk(self, [])}

    def load_state_dict(self, state):
        own = dict(walk(self, []))
        for name, array in own.items():
            if name not in state:
                raise KeyError(f"no {name}")
            if np.asarray(state[name]).shape != array.shape:
                raise ValueError(f"{name} has another shape")
        if len(own) < len(state):
            raise KeyError("names that are not there: " + ", ".join(set(state).difference(own)))
        for name in own:
            own[name][...] = np.array(state[name])


MyModule.state_dict, MyModule.load_state_dict = State.state_dict, State.load_state_dict
