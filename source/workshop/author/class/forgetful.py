# Forgot the mask in ReLU's gradient, the body of zero_grad, the minus in step, and the outputs in MSELoss's mean.
# Deserves relu 3.75 of 5 (all but the gradient where x <= 0), sgd 2.5 of 8 (neither method works, but step works in place,
# leaves the gradients as they are and skips parameters without one) and mseloss 7 of 8 (right for a vector, wrong for a
# batch). The rest works, train and the model on the reference's ReLU, SGD and loss: 92.25 of 100.
# others: solution

# %% layers: definitions
def relu_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray]:
    return (base,)


# %% optimizer
class SGD:
    """Stochastic gradient descent."""

    def __init__(self, parameters: list[Parameter], lr: float = 1e-2) -> None:
        self.lr = lr
        self.params = list(parameters)  # a list, not a generator: it is walked at every step

    def zero_grad(self) -> None:
        """Forget the gradients: set the grad of every parameter to None."""
        for parameter in self.params:
            parameter.tensor.grad  # TODO

    def step(self) -> None:
        """Move every parameter that has a gradient a little downhill, in place."""
        for parameter in self.params:
            if parameter.tensor.grad is not None:
                data = parameter.tensor.data
                data += self.lr * parameter.tensor.grad.data


# %% loss: definitions
class MSELoss:
    """Mean squared error."""

    def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:
        """The mean of (y - y_target)**2 over all elements: a scalar tensor."""
        return sum((y - y_target) ** 2) / y.shape[0]
