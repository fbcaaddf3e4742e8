# section: optimizers
# truth: b1*t in place of power
class Adam:
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.m, self.v, self.t = {}, {}, {}
        self.count = 0
    def zero_grad(self):
        for p in self.params:
            p.tensor.grad = None
    def step(self):
        self.count += 1
        b1, b2 = self.betas
        for p in self.params:
            if p.tensor.grad is None:
                continue
            data = p.tensor.data
            g = p.tensor.grad.data + self.weight_decay * data
            t = self.t[p] = self.t.get(p, 0) + 1
            m = self.m[p] = b1 * self.m.get(p, 0.0) + (1 - b1) * g
            v = self.v[p] = b2 * self.v.get(p, 0.0) + (1 - b2) * g**2
            mh, vh = m / (1 - b1 * t), v / (1 - b2**t)
            data -= self.lr * mh / (np.sqrt(vh) + self.eps)


class AdamW(Adam):
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas, eps, 0.0)
        self.decay = weight_decay
    def step(self):
        for p in self.params:
            if p.tensor.grad is not None:
                data = p.tensor.data
                data -= self.lr * self.decay * data
        super().step()
