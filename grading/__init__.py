"""The instructor's side: grading a class and reading the results. Imports `checks`, never the other way."""
