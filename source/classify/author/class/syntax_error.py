# A bracket is missing in AdamW's cell, which does not run: what it would define is not there. All else is right.
# others: solution

# %% optimizers
class AdamW(Adam):
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas, eps, weight_decay

    def decayed(self, tensor):
        data = tensor.data
        data *= 1 - self.lr * self.weight_decay
        return tensor.grad.data
