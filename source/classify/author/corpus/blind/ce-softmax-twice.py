# section: cross_entropy
# truth: log_softmax of softmax
class CrossEntropyLoss:
    def __call__(self, scores, labels):
        m = np.zeros(scores.shape)
        m[np.arange(len(labels)), labels] = 1
        return -(log_softmax(softmax(scores)) * MyTensor(m)).sum() / len(labels)
