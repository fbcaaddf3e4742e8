# section: cross_entropy
# truth: shift by mean
def softmax(x, axis=-1):
    p = (x - x.mean(axis, keepdims=True)).exp()
    return p / p.sum(axis, keepdims=True)
