# section: cross_entropy
# truth: log_softmax over rows
class CrossEntropyLoss:
    def __call__(self, scores, labels):
        m = np.zeros(scores.shape)
        m[np.arange(len(labels)), labels] = 1
        return -(log_softmax(scores, axis=0) * MyTensor(m)).sum() / len(labels)
