# section: optimizers
# truth: decay not through velocity
class SGD:
    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.v = {}
    def zero_grad(self):
        for p in self.params:
            p.tensor.grad = None
    def step(self):
        for p in self.params:
            if p.tensor.grad is None:
                continue
            data = p.tensor.data
            g = p.tensor.grad.data
            v = self.momentum * self.v.get(p, 0.0) + g
            self.v[p] = v
            data -= self.lr * (v + self.weight_decay * data)
