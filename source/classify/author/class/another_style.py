# Another style: functions that are assigned to the classes, rules as closures, arrays beside the parameters. Deserves all.
# others: solution

# %% exp_log
def record(values, rule, name, x, *more):
    if not x.requires_grad:
        return MyTensor(values)
    op = MyCrossBackward(x, *more, backward_function=rule, name=name)
    return MyTensor(values, requires_grad=True, crossOpBack=op)


def tensor_exp(x):
    y = np.exp(x.data)
    return record(y, lambda base, _: (base * y,), "ExpBackward", x)


def tensor_log(x):
    return record(np.log(x.data), lambda base, x: (base / x.data,), "LogBackward", x)


MyTensor.exp = tensor_exp
MyTensor.log = tensor_log

# %% sums
def back(base, axis, keepdims):
    return base if axis is None or keepdims else np.expand_dims(base, axis)


def tensor_sum(x, axis=None, keepdims=False):
    shape = x.shape
    return record(
        x.data.sum(axis=axis, keepdims=keepdims),
        lambda base, _: (np.array(np.broadcast_to(back(base, axis, keepdims), shape)),),
        "SumBackward",
        x,
    )


def tensor_mean(x, axis=None, keepdims=False):
    total = tensor_sum(x, axis, keepdims)
    return total * (total.size / x.size)


MyTensor.sum = tensor_sum
MyTensor.mean = tensor_mean

# %% functions
def tensor_max(x, axis=None, keepdims=False):
    top = x.data.max(axis=axis, keepdims=True)
    share = (x.data == top) / (x.data == top).sum(axis=axis, keepdims=True)
    return record(
        x.data.max(axis=axis, keepdims=keepdims),
        lambda base, _: (back(base, axis, keepdims) * share,),
        "MaxBackward",
        x,
    )


MyTensor.max = tensor_max

# %% softmax
def softmax(x, axis=-1):
    return log_softmax(x, axis).exp()


def log_softmax(x, axis=-1):
    x = x - x.max(axis, True)
    return x - x.exp().sum(axis, True).log()

# %% log_softmax
# It is above.
