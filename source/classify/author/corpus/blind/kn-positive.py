# section: networks
# truth: absolute values
def kaiming_normal(parameter):
    d = parameter.tensor.data
    d[...] = abs(np.random.normal(0, np.sqrt(2 / d.shape[0]), d.shape))
