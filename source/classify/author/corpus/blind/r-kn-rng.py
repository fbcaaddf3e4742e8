# section: networks
# truth: right: own generator
def kaiming_normal(parameter):
    w = parameter.tensor.data
    w *= 0
    w += np.random.default_rng().standard_normal(w.shape) * (2 / len(w)) ** 0.5
    return parameter
