# Forgot the minus of -b in the rule of a - b, and the factor n in the rule of a ** n. Deserves 37.5 of 40 for tensor:
# without sub_gradient 1, power_gradient 1 and power_zero 0.5; what else is tested does without both rules. MSELoss
# squares by multiplying and has the prediction on the left: by itself it fails only where a random program has it on the
# right, and on the reference's tensor it earns all. All else works: 97.5 of 100.
# others: solution

# %% rules: definitions
def sub_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    """left - right"""
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(base, right.shape)


def pow_deriv(base: np.ndarray, *args: Any) -> tuple[np.ndarray, None]:
    """tensor ** power. The power is a number: it gets no gradient, so None."""
    tensor, power = args
    return base * tensor.data ** (power - 1), None
