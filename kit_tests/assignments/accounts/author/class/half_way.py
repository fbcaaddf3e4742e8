# Wrote the account only.
# others: untouched

# %% account: solution
