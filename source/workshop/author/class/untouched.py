# Handed the notebook in as it came. Deserves nothing: 0 of 100.
# others: untouched
