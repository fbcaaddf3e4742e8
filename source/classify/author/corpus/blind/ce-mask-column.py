# section: cross_entropy
# truth: mask[:, labels]
class CrossEntropyLoss:
    def __call__(self, scores, labels):
        m = np.zeros(scores.shape)
        m[:, labels] = 1
        return -(log_softmax(scores) * MyTensor(m)).sum() / len(labels)
