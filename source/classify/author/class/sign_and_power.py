# Forgot to take the maximum away, in softmax and in log_softmax: nan where scores are large. The loss is built on it.
# others: solution

# %% softmax: definitions
def softmax(x, axis=-1):
    powers = x.exp()
    return powers / powers.sum(axis, keepdims=True)

# %% log_softmax: definitions
def log_softmax(x, axis=-1):
    return softmax(x, axis).log()
