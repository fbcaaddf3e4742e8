# section: optimizers
# truth: state by position among those with gradient
class SGD:
    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.v = {}
    def zero_grad(self):
        for p in self.params:
            p.tensor.grad = None
    def step(self):
        for i, p in enumerate([q for q in self.params if q.tensor.grad is not None]):
            data = p.tensor.data
            g = p.tensor.grad.data + self.weight_decay * data
            v = self.momentum * self.v.get(i, 0.0) + g
            self.v[i] = v
            data -= self.lr * v
