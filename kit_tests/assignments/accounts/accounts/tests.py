"""The tests of the notebook: a bank account, averages that move along a list, and words that are counted.

tests.test_account(Account)
tests.test_averages(moving_averages)
tests.test_words(count_words, summary)
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from checks.assignment import Assignment, Library
from checks.mistakes import Mistakes
from checks.programs import Choices, Program
from checks.progress import show_progress
from checks.report import Score
from checks.section import Section
from checks.trial import Trial

# ---------------------------------------------------------------- what is right


class _Account:
    limit = 0

    def __init__(self, owner: str) -> None:
        self.owner, self.entries = owner, []

    @property
    def balance(self) -> int:
        return sum(amount for _, amount in self.entries)

    def deposit(self, amount: int) -> None:
        if amount <= 0:
            raise ValueError("nothing to pay in")
        self.entries.append(("in", amount))

    def withdraw(self, amount: int) -> bool:
        if self.balance - amount < self.limit:
            return False
        self.entries.append(("out", -amount))
        return True

    def history(self) -> list[tuple[str, int]]:
        return list(self.entries)


def _moving_averages(numbers: list[float], width: int) -> list[float]:
    return [sum(numbers[at : at + width]) / width for at in range(len(numbers) - width + 1)]


def _count_words(text: str) -> dict[str, int]:
    return dict(Counter(text.lower().split()))


def _summary(text: str) -> tuple[str, float] | None:
    """The longest word, the first of several, and the mean length."""
    words = text.split()
    return (max(words, key=len), sum(map(len, words)) / len(words)) if words else None


# ---------------------------------------------------------------- mistakes that are known


def _without_limit(library: Library) -> None:
    library.parts["Account"] = type("Account", (_Account,), {"limit": float("-inf")})


def _short_windows(library: Library) -> None:
    def moving_averages(numbers: list[float], width: int) -> list[float]:
        windows = [numbers[max(0, at - width + 1) : at + 1] for at in range(len(numbers))]
        return [sum(window) / len(window) for window in windows]

    library.parts["moving_averages"] = moving_averages


def _with_case(library: Library) -> None:
    library.parts["count_words"] = lambda text: dict(Counter(text.split()))


MISTAKES = Mistakes()
MISTAKES.add(
    "uses-torch",
    "account averages words",
    "your code calls PyTorch",
    "What of this can Python do by itself?",
    "A class, a list and a dict are enough: nothing but Python.",
)
MISTAKES.add(
    "limit-forgotten",
    "account",
    "more can be taken out than there is",
    "What is the balance after that?",
    "Compare before anything changes, and return False where it is too much.",
    "Accounts > A bank account",
    _without_limit,
)
MISTAKES.add(
    "short-windows",
    "averages",
    "there are averages of fewer numbers than the width",
    "How many windows of this width are there in the list?",
    "The last one begins at len(numbers) - width.",
    "Accounts > Moving averages",
    _short_windows,
)
MISTAKES.add(
    "case-kept",
    "words",
    "The and the are counted as two words",
    "Which words of the text are the same?",
    "Make the text lower case first.",
    "Accounts > Words",
    _with_case,
)

ASSIGNMENT = Assignment(
    "Accounts",
    __file__,
    reference={
        "Account": _Account,
        "moving_averages": _moving_averages,
        "count_words": _count_words,
        "summary": _summary,
    },
    mistakes=MISTAKES,
)


def progress() -> None:
    """Show the points of all sections so far, and what is next."""
    show_progress(ASSIGNMENT)


# ---------------------------------------------------------------- A bank account

ACCOUNT = Section("account", "A bank account", "tests.test_account(Account)", assignment=ASSIGNMENT)


@ACCOUNT.check(1)
def empty(trial: Trial) -> None:
    """A new account belongs to somebody and is empty"""
    trial.same('account = Account("Ada")', "account.owner", "account.balance", "account.history()")


@ACCOUNT.check(2, needs=["empty"], hints=["Where does the account keep what was paid in?"])
def paid_in(trial: Trial) -> None:
    """What is paid in is there, and written down"""
    some = trial.rng.integers(1, 100, 2).tolist()
    code = f'account = Account("Ada")\naccount.deposit({some[0]})\naccount.deposit({some[1]})'
    trial.same(code, "account.balance", "account.history()")


@ACCOUNT.check(1, needs=["empty"], hints=["raise ValueError(...)"])
def refused(trial: Trial) -> None:
    """Nothing, or less, cannot be paid in"""
    for amount in (0, -5):
        tries = f"try:\n    account.deposit({amount})\nexcept ValueError:\n    said = 'no'\nelse:\n    said = 'yes'"
        trial.same(f'account = Account("Ada")\n{tries}', "said", "account.balance")


@ACCOUNT.check(2, needs=["paid_in"], hints=["withdraw says whether there was enough: True or False."])
def taken_out(trial: Trial) -> None:
    """What is there can be taken out, and no more"""
    for amount in (30, 100, 101):
        code = f'account = Account("Ada")\naccount.deposit(100)\nwas_there = account.withdraw({amount})'
        trial.same(code, "was_there", "account.balance", "account.history()")


def _any_orders(choices: Choices) -> Program:
    lines = ['account = Account("Ada")', "said = []"]
    for _ in range(1 + choices.below(5)):
        amount = 10 * (1 + choices.below(9))
        does = choices.of(["account.deposit({})", "said.append(account.withdraw({}))"])
        lines.append(does.format(amount))
    return Program("\n".join(lines), ("said", "account.balance", "account.history()"))


@ACCOUNT.check(2, needs=["taken_out"], any_program=True)
def any_orders(trial: Trial) -> None:
    """Any orders, one after the other"""
    trial.programs(_any_orders)


def test_account(Account: Any, seed: int | None = None) -> Score:
    """A bank account."""
    return ACCOUNT.score(seed, Account=Account)


# ---------------------------------------------------------------- Moving averages

AVERAGES = Section("averages", "Moving averages", "tests.test_averages(moving_averages)", assignment=ASSIGNMENT)


@AVERAGES.check(3, hints=["A window of width 2 on three numbers: which are the two windows?"])
def averages(trial: Trial) -> None:
    """The mean of each window"""
    for width in (2, 3):
        trial.same(f"y = moving_averages({trial.draw(5).tolist()}, {width})", "y")


@AVERAGES.check(1, needs=["averages"])
def too_wide(trial: Trial) -> None:
    """No window fits: an empty list"""
    trial.expect("y = moving_averages([1.5, 2.5], 3)", y=[])


def test_averages(moving_averages: Any, seed: int | None = None) -> Score:
    """Moving averages."""
    return AVERAGES.score(seed, moving_averages=moving_averages)


# ---------------------------------------------------------------- Words

WORDS = Section("words", "Words", "tests.test_words(count_words, summary)", assignment=ASSIGNMENT)


@WORDS.check(2, hints=["A dict: the word is the key."])
def counted(trial: Trial) -> None:
    """How often each word is there"""
    trial.same('y = count_words("one two one")', "y")
    trial.same('y = count_words("The cat and the dog")', "y")


@WORDS.check(2)
def summed_up(trial: Trial) -> None:
    """The longest word and the mean length, or None without any"""
    trial.same('y = summary("a cat climbs")', "y")
    trial.same('y = summary("")', "y")


def test_words(count_words: Any, summary: Any, seed: int | None = None) -> Score:
    """Words."""
    return WORDS.score(seed, count_words=count_words, summary=summary)
