# section: networks
# truth: new tensor
def kaiming_normal(parameter):
    d = parameter.tensor.data
    parameter.tensor = MyTensor(np.random.normal(0, np.sqrt(2 / d.shape[0]), d.shape), requires_grad=True)
