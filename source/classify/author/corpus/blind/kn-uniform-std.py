# section: networks
# truth: uniform of that deviation
def kaiming_normal(parameter):
    d = parameter.tensor.data
    s = np.sqrt(6 / d.shape[0])
    d[...] = np.random.uniform(-s, s, d.shape)
