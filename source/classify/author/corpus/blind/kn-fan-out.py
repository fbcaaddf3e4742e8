# section: networks
# truth: fan out
def kaiming_normal(parameter):
    d = parameter.tensor.data
    d[...] = np.random.normal(0, np.sqrt(2 / d.shape[1]), d.shape)
