# Lets people take out more than there is, and counts The and the apart.
# others: solution

# %% account: definitions
class Account:
    def __init__(self, owner):
        self.owner, self.balance, self.log = owner, 0, []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError
        self.balance += amount
        self.log.append(("in", amount))

    def withdraw(self, amount):
        self.balance -= amount
        self.log.append(("out", -amount))
        return True

    def history(self):
        return self.log

# %% words: definitions
def count_words(text):
    return {word: text.split().count(word) for word in text.split()}
