# section: networks
# truth: sqrt(1/in)
def kaiming_normal(parameter):
    d = parameter.tensor.data
    d[...] = np.random.normal(0, np.sqrt(1 / d.shape[0]), d.shape)
