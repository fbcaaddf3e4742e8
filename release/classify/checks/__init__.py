"""What an assignment's checks are made of; it knows none of them.

`section`: checks in teaching order. `trial`: a check at work. `assignment`: what is declared of what is taught.
`observe`: running learner code and reading what it computed. `report`: what a check found, as text, HTML and JSON.
`notebook`: the names that a notebook's code defines.

Only NumPy is imported here; torch comes with the first check that runs, where an assignment compares with it.
"""
