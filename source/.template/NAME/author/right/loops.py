# Row by row, with Python's own numbers in the loss.
def softmax(scores):
    rows = []
    for row in scores:
        powers = [np.exp(score - max(row)) for score in row]
        rows.append([power / sum(powers) for power in powers])
    return np.array(rows)


def loss(scores, targets):
    probabilities = [float(row[target]) for row, target in zip(softmax(scores), targets)]
    return float(-np.mean(np.log(probabilities)))
