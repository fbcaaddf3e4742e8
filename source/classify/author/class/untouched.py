# The notebook as it was handed out. Deserves nothing.
# others: untouched
