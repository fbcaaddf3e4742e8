# Stopped after MyModule. Deserves tensor 40, module 10 and nothing for the rest: 50 of 100.
# others: untouched

# %% tensor: solution

# %% module: solution
