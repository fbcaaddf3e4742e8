# section: cross_entropy
# truth: right: eye and own softmax
def softmax(x, axis=-1):
    e = (x - x.max(axis=axis, keepdims=True)).exp()
    return e / e.sum(axis=axis, keepdims=True)
def log_softmax(x, axis=-1):
    m = x.max(axis, True)
    return x - m - (x - m).exp().sum(axis, True).log()
class CrossEntropyLoss:
    def __call__(self, scores, labels):
        hot = np.eye(scores.shape[1])[labels]
        return (log_softmax(scores, 1) * MyTensor(-hot)).sum(axis=1).mean()
