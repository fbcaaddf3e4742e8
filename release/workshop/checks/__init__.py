"""What the checks of tests.py are made of.

`report`: what a check found, as text, HTML and JSON. `observe`: running learner code and reading what it computed.
`oracle`: PyTorch behind the learner's API. `section`: checks in teaching order.
`notebook`: the names that a notebook's code defines.

Only NumPy is imported here; torch comes with the first check that runs.
"""
