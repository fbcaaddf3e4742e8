# Stopped after the modules.
# others: untouched

# %% tensor: solution

# %% module: solution
