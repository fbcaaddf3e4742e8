# section: loss
def loss(scores, targets):
    return -sum(np.log(softmax(scores)[row, target]) for row, target in enumerate(targets))
