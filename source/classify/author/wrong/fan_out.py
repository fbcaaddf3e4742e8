# section: networks
# mistake: kaiming-fan-out
def kaiming_normal(parameter):
    data = parameter.tensor.data
    data[...] = np.random.normal(0, np.sqrt(2 / data.shape[1]), data.shape)
