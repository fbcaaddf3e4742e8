# section: functions
# truth: mask where above mean
def max_deriv(base, x, axis, keepdims):
    if axis is not None and not keepdims:
        base = np.expand_dims(base, axis)
    mask = x.data >= x.data.mean(axis=axis, keepdims=True)
    return base * mask / mask.sum(axis=axis, keepdims=True), None, None
