# section: cross_entropy
# truth: right: fused rule
def ce_deriv(base, scores, labels):
    s = scores.data - scores.data.max(axis=1, keepdims=True)
    p = np.exp(s); p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(labels)), labels] -= 1
    return base * p / len(labels), None
class CrossEntropyLoss:
    def __call__(self, scores, labels):
        s = scores.data - scores.data.max(axis=1, keepdims=True)
        v = (np.log(np.exp(s).sum(axis=1)) - s[np.arange(len(labels)), labels]).mean()
        return record(v, ce_deriv, "CE", scores, labels)
