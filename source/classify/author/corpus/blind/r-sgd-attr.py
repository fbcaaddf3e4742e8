# section: optimizers
# truth: right: velocity on the parameter
class SGD:
    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0):
        self.parameters = tuple(parameters)
        self.lr = lr; self.mu = momentum; self.wd = weight_decay
        self.v = {id(p): None for p in self.parameters}
    def zero_grad(self):
        for p in self.parameters:
            p.tensor.grad = None
    def step(self):
        for p in self.parameters:
            if p.tensor.grad is not None:
                g = p.tensor.grad.data.copy()
                g += self.wd * p.tensor.data
                v = self.v[id(p)]
                v = g if v is None else self.mu * v + g
                self.v[id(p)] = v
                np.subtract(p.tensor.data, self.lr * v, out=p.tensor.data)
