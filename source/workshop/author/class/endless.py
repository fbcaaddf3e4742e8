# Left an endless loop above SGD, so the cell never gets to defining it. Deserves sgd 0; everything else works, MSELoss
# below the loop too, and train and the model, which are tested with SGD, with the reference's: 92 of 100.
# others: solution

# %% optimizer
while True:
    pass


class SGD:
    """Stochastic gradient descent."""

    def __init__(self, parameters: list[Parameter], lr: float = 1e-2) -> None:
        self.lr = lr
        self.params = list(parameters)

    def zero_grad(self) -> None:
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self) -> None:
        for parameter in self.params:
            if parameter.tensor.grad is not None:
                data = parameter.tensor.data
                data -= self.lr * parameter.tensor.grad.data
