# section: networks
# truth: seeded each time
def kaiming_normal(parameter):
    d = parameter.tensor.data
    d[...] = np.random.default_rng(0).normal(0, np.sqrt(2 / d.shape[0]), d.shape)
