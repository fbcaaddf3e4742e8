# section: cross_entropy
# mistake: loss-sum
class CrossEntropyLoss:
    def __call__(self, scores, labels):
        chosen = np.eye(scores.shape[1])[labels]
        return -(log_softmax(scores) * MyTensor(chosen)).sum()
