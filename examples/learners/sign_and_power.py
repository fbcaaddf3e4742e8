# Forgot the minus of -b in the rule of a - b, and the factor n in the rule of a ** n. Deserves 34 of 40 for tensor:
# without sub_gradient 2, sub_numbers 1, power_gradient 2 and broadcast_operators 1 (it includes -). All else works, as
# MSELoss has the prediction on the left and squares by multiplying: 94 of 100.
# others: solution

# %% tensor: definitions
def sub_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    """left - right"""
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(base, right.shape)


def pow_deriv(base: np.ndarray, *args: Any) -> tuple[np.ndarray, None]:
    """tensor ** power. The power is a number: it gets no gradient, so None."""
    tensor, power = args
    return base * tensor.data ** (power - 1), None
