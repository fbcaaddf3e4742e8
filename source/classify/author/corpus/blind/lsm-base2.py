# section: cross_entropy
# truth: log2
def log_softmax(x, axis=-1):
    s = x - MyTensor(x.data.max(axis=axis, keepdims=True))
    return (s - s.exp().sum(axis, keepdims=True).log()) / np.log(2)
