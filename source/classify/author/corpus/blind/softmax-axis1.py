# section: cross_entropy
# truth: axis fixed to 1
def softmax(x, axis=-1):
    p = (x - MyTensor(x.data.max(axis=1, keepdims=True))).exp()
    return p / p.sum(1, keepdims=True)
