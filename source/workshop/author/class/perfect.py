# The reference solution in every cell. Deserves everything: 100 of 100.
# others: solution
