# section: cross_entropy
# truth: labels from 1
class CrossEntropyLoss:
    def __call__(self, scores, labels):
        m = np.zeros(scores.shape)
        m[np.arange(len(labels)), labels - 1] = 1
        return -(log_softmax(scores) * MyTensor(m)).sum() / len(labels)
