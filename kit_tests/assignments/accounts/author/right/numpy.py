# With NumPy, a Counter and a balance that is worked out anew.
from collections import Counter

import numpy as np


class Account:
    def __init__(self, owner):
        self.owner, self.amounts = owner, []

    @property
    def balance(self):
        return sum(self.amounts)

    def deposit(self, amount):
        if amount < 1:
            raise ValueError("no")
        self.amounts += [amount]

    def withdraw(self, amount):
        enough = amount <= self.balance
        if enough:
            self.amounts += [-amount]
        return enough

    def history(self):
        return tuple(("in" if amount > 0 else "out", amount) for amount in self.amounts)


def moving_averages(numbers, width):
    return list(np.convolve(numbers, np.ones(width), "valid") / width) if len(numbers) >= width else []


def count_words(text):
    return Counter(text.lower().split())


def summary(text):
    words = text.split()
    lengths = np.array([len(word) for word in words])
    return [words[lengths.argmax()], lengths.mean()] if words else None
