# Stopped after the loss. Deserves functions 15 and cross-entropy 25: 40 of 100.
# others: untouched

# %% exp_log: solution

# %% sums: solution

# %% functions: solution

# %% softmax: solution

# %% log_softmax: solution

# %% cross_entropy: solution
