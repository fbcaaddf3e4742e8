# section: networks
# truth: variance in place of deviation
def kaiming_normal(parameter):
    d = parameter.tensor.data
    d[...] = np.random.normal(0, 2 / d.shape[0], d.shape)
