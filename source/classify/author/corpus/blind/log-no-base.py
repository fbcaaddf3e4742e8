# section: functions
# truth: log rule 1/x
def log_deriv(base, x):
    return (1 / x.data,)
