# section: cross_entropy
# truth: mean over all elements
class CrossEntropyLoss:
    def __call__(self, scores, labels):
        m = np.zeros(scores.shape)
        m[np.arange(len(labels)), labels] = 1
        return -(log_softmax(scores) * MyTensor(m)).mean()
