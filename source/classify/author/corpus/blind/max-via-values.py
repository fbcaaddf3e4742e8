# section: functions
# truth: max rule hands on G times max
def max_deriv(base, x, axis, keepdims):
    if axis is not None and not keepdims:
        base = np.expand_dims(base, axis)
    mask = x.data == x.data.max(axis=axis, keepdims=True)
    return base * x.data * mask / mask.sum(axis=axis, keepdims=True), None, None
