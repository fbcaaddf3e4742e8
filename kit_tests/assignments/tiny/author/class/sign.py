# Took the right side of a difference for that of a sum, which costs the check of sums.
# others: solution

# %% tensor: definitions
def sub_deriv(base, *tensors):
    """left - right"""
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(base, right.shape)
