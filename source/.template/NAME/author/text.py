# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # TITLE
#
# A classifier gives each class a *score*. Here you make probabilities of scores, and a number that says how good they are.
#
# `...` marks the places where your code belongs. The cell after it tests your work, and its points are the cell's value.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

import tests

# %% [markdown]
# ## Softmax
#
# Of the scores $s$ in a row, softmax makes the probabilities
#
# $$p_i = \frac{e^{s_i}}{\sum_j e^{s_j}},$$
#
# which are positive and add up to 1 in each row.
#
# <details><summary>Hint 1</summary>
#
# Begin with one row, then give your function two of them.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Each row has a sum of its own: `sum(axis=1, keepdims=True)` has the shape to divide by.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "softmax", "locked": false, "schema_version": 3, "solution": true, "task": false}
def softmax(scores: np.ndarray) -> np.ndarray:
    """The probabilities of scores, shape (rows, classes)."""
    ### BEGIN SOLUTION
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_softmax", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_softmax(softmax)

# %% [markdown]
# ## Loss
#
# Each row has a *target*: the number of the class that is right. The loss is the mean of $-\log p$ over all rows, where $p$
# is the probability that the row gives to its target.
#
# <details><summary>Hint</summary>
#
# `p[np.arange(len(targets)), targets]` takes one number out of each row.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def loss(scores: np.ndarray, targets: list[int]) -> float:
    """How bad scores are, shape (rows, classes), for targets, one for each row."""
    ### BEGIN SOLUTION
    probabilities = softmax(scores)[np.arange(len(targets)), targets]
    return -np.log(probabilities).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_loss", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_loss(loss)

# %%
tests.progress()
