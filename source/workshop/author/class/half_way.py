# Stopped after MyModule. Deserves tensor 40, module 10 and nothing for the rest: 50 of 100.
# others: untouched

# %% strides: solution

# %% numeric: solution

# %% data: solution

# %% unbroadcast: solution

# %% rules: solution

# %% operators: solution

# %% tensor: solution

# %% module: solution
