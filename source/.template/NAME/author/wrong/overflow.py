# section: softmax
def softmax(scores):
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
