# section: functions
# truth: exp rule G*x*exp(x)
def exp_deriv(base, x):
    return (base * x.data * np.exp(x.data),)
