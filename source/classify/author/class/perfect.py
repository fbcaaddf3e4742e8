# The reference solution. Deserves all 100 points.
# others: solution
