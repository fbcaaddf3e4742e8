# section: functions
# truth: expand_dims at 0 always
def sum_deriv(base, x, axis, keepdims):
    if axis is not None and not keepdims:
        base = np.expand_dims(base, 0)
    return base * np.ones_like(x.data), None, None
