# Adam without the correction of its means, and dropout that does not scale what is left. All else is right.
# others: solution

# %% adam: definitions
class Adam:
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.m, self.v = {}, {}

    def zero_grad(self):
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        for parameter in self.params:
            if parameter.tensor.grad is None:
                continue
            data = parameter.tensor.data
            gradient = parameter.tensor.grad.data + self.weight_decay * data
            beta1, beta2 = self.betas
            self.m[parameter] = beta1 * self.m.get(parameter, 0.0) + (1 - beta1) * gradient
            self.v[parameter] = beta2 * self.v.get(parameter, 0.0) + (1 - beta2) * gradient**2
            data -= self.lr * self.m[parameter] / (np.sqrt(self.v[parameter]) + self.eps)

# %% optimizers: definitions
class AdamW(Adam):
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas, eps, 0.0)
        self.decay = weight_decay

    def step(self):
        for parameter in self.params:
            if parameter.tensor.grad is not None:
                data = parameter.tensor.data
                data -= self.lr * self.decay * data
        super().step()

# %% dropout: definitions
class Dropout(MyModule):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        return x * MyTensor(np.random.random(x.shape) >= self.p, dtype=x.dtype)
