# section: networks
# truth: uniform of that bound
def kaiming_normal(parameter):
    d = parameter.tensor.data
    s = np.sqrt(2 / d.shape[0])
    d[...] = np.random.uniform(-s, s, d.shape)
