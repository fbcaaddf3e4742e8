# section: cross_entropy
# truth: log(softmax+eps)
def log_softmax(x, axis=-1):
    return (softmax(x, axis) + 1e-8).log()
