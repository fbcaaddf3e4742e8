# section: optimizers
# truth: right: lists by position
class Adam:
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False):
        self.ps = [*parameters]
        self.h = lr, betas, eps, weight_decay, decoupled
        self.m = [0] * len(self.ps); self.v = [0] * len(self.ps); self.t = [0] * len(self.ps)
    def zero_grad(self):
        for p in self.ps:
            p.tensor.grad = None
    def step(self):
        lr, (b1, b2), eps, wd, dec = self.h
        for i, p in enumerate(self.ps):
            g = p.tensor.grad
            if g is None:
                continue
            w = p.tensor.data
            g = g.data
            if dec:
                w -= lr * wd * w
            else:
                g = g + wd * w
            self.t[i] += 1
            self.m[i] = self.m[i] + (1 - b1) * (g - self.m[i])
            self.v[i] = b2 * self.v[i] + (1 - b2) * g * g
            a = lr * np.sqrt(1 - b2 ** self.t[i]) / (1 - b1 ** self.t[i])
            w -= a * self.m[i] / (np.sqrt(self.v[i]) + eps * np.sqrt(1 - b2 ** self.t[i]))
class AdamW(Adam):
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas, eps, weight_decay, True)
