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
# # Accounts
#
# A class, a list and a dict: nothing but Python.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import tests

# %% [markdown]
# ## A bank account
#
# `Account(owner)` has an `owner` and a `balance`. `deposit(amount)` pays in, and raises a `ValueError` for 0 and less.
# `withdraw(amount)` takes out if there is enough, and says whether there was. `history()` lists what happened: pairs like
# `("in", 20)` and `("out", -5)`.

# %% nbgrader={"grade": false, "grade_id": "account", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Account:
    def __init__(self, owner):
        ### BEGIN SOLUTION
        self.owner = owner
        self.balance = 0
        self._done = []
        ### END SOLUTION

    def deposit(self, amount):
        ### BEGIN SOLUTION
        if amount <= 0:
            raise ValueError(f"{amount} cannot be paid in")
        self.balance += amount
        self._done.append(("in", amount))
        ### END SOLUTION

    def withdraw(self, amount):
        ### BEGIN SOLUTION
        if amount > self.balance:
            return False
        self.balance -= amount
        self._done.append(("out", -amount))
        return True
        ### END SOLUTION

    def history(self):
        ### BEGIN SOLUTION
        return [*self._done]
        ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_account", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_account(Account)

# %% [markdown]
# ## Moving averages
#
# The mean of each `width` neighbours in a list, from the first ones to the last ones.

# %% nbgrader={"grade": false, "grade_id": "averages", "locked": false, "schema_version": 3, "solution": true, "task": false}
def moving_averages(numbers, width):
    ### BEGIN SOLUTION
    windows = zip(*(numbers[start:] for start in range(width)), strict=False)
    return [sum(window) / width for window in windows]
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_averages", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_averages(moving_averages)

# %% [markdown]
# ## Words
#
# `count_words` says how often each word is in a text, in lower case. `summary` gives the longest word and the mean length
# of all, or `None` where there are no words.

# %% nbgrader={"grade": false, "grade_id": "words", "locked": false, "schema_version": 3, "solution": true, "task": false}
def count_words(text):
    ### BEGIN SOLUTION
    counts = {}
    for word in text.lower().split():
        counts[word] = counts.get(word, 0) + 1
    return counts
    ### END SOLUTION


def summary(text):
    ### BEGIN SOLUTION
    found = text.split()
    if not found:
        return None
    return sorted(found, key=len, reverse=True)[0], len("".join(found)) / len(found)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_words", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_words(count_words, summary)

# %%
tests.progress()
