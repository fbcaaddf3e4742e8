"""New rules in NumPy for all that is hot; modes by hand; moments in dictionaries by position."""

# ruff: noqa: F821 (what the notebook and its library define is there)


def exp_deriv(base, x):
    return (base * np.exp(x.data),)


def log_deriv(base, x):
    return (base / x.data,)


def recorded(result, rule, name, *inputs):
    if any(isinstance(x, MyTensor) and x.requires_grad for x in inputs):
        op = MyCrossBackward(*inputs, backward_function=rule, name=name)
        return MyTensor(result, requires_grad=True, crossOpBack=op)
    return MyTensor(result)


def exp(self):
    return recorded(np.exp(self.data), exp_deriv, "ExpBackward", self)


def log(self):
    return recorded(np.log(self.data), log_deriv, "LogBackward", self)


MyTensor.exp = exp
MyTensor.log = log


def put_back(base, axis, keepdims):
    return base if axis is None or keepdims else np.expand_dims(base, axis)


def sum_deriv(base, x, axis, keepdims):
    return put_back(base, axis, keepdims) * np.ones_like(x.data), None, None


def tensor_sum(self, axis=None, keepdims=False):
    result = self.data.sum(axis=axis, keepdims=keepdims)
    return recorded(result, sum_deriv, "SumBackward", self, axis, keepdims)


def mean(self, axis=None, keepdims=False):
    count = self.size if axis is None else self.shape[axis]
    return self.sum(axis, keepdims) / count


def max_deriv(base, x, axis, keepdims):
    mask = x.data == x.data.max(axis=axis, keepdims=True)
    mask = mask / mask.sum(axis=axis, keepdims=True)
    return put_back(base, axis, keepdims) * mask, None, None


def tensor_max(self, axis=None, keepdims=False):
    result = self.data.max(axis=axis, keepdims=keepdims)
    return recorded(result, max_deriv, "MaxBackward", self, axis, keepdims)


MyTensor.sum = tensor_sum
MyTensor.mean = mean
MyTensor.max = tensor_max


def softmax(x, axis=-1):
    powers = (x - x.max(axis=axis, keepdims=True)).exp()
    return powers / powers.sum(axis=axis, keepdims=True)


def log_softmax(x, axis=-1):
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - shifted.exp().sum(axis=axis, keepdims=True).log()


class CrossEntropyLoss:
    def __call__(self, scores, labels):
        right = np.zeros(scores.shape)
        right[np.arange(len(labels)), labels] = 1
        return -(log_softmax(scores) * MyTensor(right)).sum() / len(labels)


class SGD:
    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.velocity = [0.0] * len(self.params)

    def zero_grad(self):
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        for i, parameter in enumerate(self.params):
            if parameter.tensor.grad is None:
                continue
            data = parameter.tensor.data
            gradient = parameter.tensor.grad.data + self.weight_decay * data
            self.velocity[i] = self.momentum * self.velocity[i] + gradient
            data -= self.lr * self.velocity[i]


class Adam:
    decoupled = False

    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.m = [0.0] * len(self.params)
        self.v = [0.0] * len(self.params)
        self.t = [0] * len(self.params)

    def zero_grad(self):
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        b1, b2 = self.betas
        for i, parameter in enumerate(self.params):
            if parameter.tensor.grad is None:
                continue
            data = parameter.tensor.data
            gradient = parameter.tensor.grad.data
            if self.decoupled:
                data *= 1 - self.lr * self.weight_decay
            else:
                gradient = gradient + self.weight_decay * data
            self.t[i] += 1
            self.m[i] = b1 * self.m[i] + (1 - b1) * gradient
            self.v[i] = b2 * self.v[i] + (1 - b2) * gradient**2
            m = self.m[i] / (1 - b1 ** self.t[i])
            v = self.v[i] / (1 - b2 ** self.t[i])
            data -= self.lr * m / (np.sqrt(v) + self.eps)


class AdamW(Adam):
    decoupled = True

    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas, eps, weight_decay)


MyModule.training = True


def modules_in(module):
    return [each for each in vars(module).values() if isinstance(each, MyModule)]


def set_mode(module, training):
    module.training = training
    for each in modules_in(module):
        set_mode(each, training)
    return module


MyModule.train = lambda self: set_mode(self, True)
MyModule.eval = lambda self: set_mode(self, False)


class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        mask = np.random.random(x.shape) >= self.p
        return x * MyTensor(mask / (1 - self.p))


recording = [True]
make = MyTensor.__init__


def make_unrecorded(self, data, dtype=None, requires_grad=False, crossOpBack=None):
    if crossOpBack is not None and not recording[0]:
        requires_grad, crossOpBack = False, None
    make(self, data, dtype, requires_grad, crossOpBack)


MyTensor.__init__ = make_unrecorded


class no_grad:
    def __enter__(self):
        self.before = recording[0]
        recording[0] = False

    def __exit__(self, *error):
        recording[0] = self.before


class Sequential(MyModule):
    def __init__(self, *modules):
        super().__init__()
        for i, module in enumerate(modules):
            setattr(self, str(i), module)
        self.modules = modules

    def forward(self, x):
        for module in self.modules:
            x = module(x)
        return x


def kaiming_normal(parameter):
    data = parameter.tensor.data
    data[...] = np.random.normal(0, np.sqrt(2 / data.shape[0]), data.shape)


def named(module, before=""):
    found = {}
    for name, value in vars(module).items():
        if isinstance(value, Parameter):
            found[before + name] = value
        elif isinstance(value, MyModule):
            found.update(named(value, f"{before}{name}."))
    return found


def state_dict(self):
    return {name: parameter.tensor.data.copy() for name, parameter in named(self).items()}


def load_state_dict(self, state):
    own = named(self)
    for name in own:
        if name not in state:
            raise KeyError(f"{name} is missing")
        if np.shape(state[name]) != own[name].tensor.shape:
            raise ValueError(f"{name} has shape {np.shape(state[name])}, not {own[name].tensor.shape}")
    for name in state:
        if name not in own:
            raise KeyError(f"{name} is not known")
    for name, parameter in own.items():
        parameter.tensor.data[...] = state[name]


MyModule.state_dict = state_dict
MyModule.load_state_dict = load_state_dict
