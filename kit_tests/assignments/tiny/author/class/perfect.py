# Solved everything.
# others: solution
