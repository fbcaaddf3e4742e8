# section: functions
# truth: mask with dropped dims
def max_deriv(base, x, axis, keepdims):
    if axis is not None and not keepdims:
        base = np.expand_dims(base, axis)
    mask = x.data == x.data.max(axis=axis, keepdims=True)
    return base * mask / mask.sum(), None, None
