# section: cross_entropy
# truth: clips scores
def softmax(x, axis=-1):
    x = MyTensor(np.clip(x.data, -50, 50), requires_grad=x.requires_grad)
    p = x.exp()
    return p / p.sum(axis, keepdims=True)
