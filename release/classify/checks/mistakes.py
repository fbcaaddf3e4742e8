"""Mistakes that learners make: an id, the words for it, and the ways to make it.

An assignment lists its own; those that are listed here can happen in any.

A way is a change to a library with the learner's API (`Assignment.imitation`): what that computes then is compared with
what was observed (evidence.py). A mistake without ways is read from the text of an exception (exceptions.py), or
recognized by a check, which raises `Failed(..., mistake=id)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Change = Callable[[Any], None]  # of a library, in place


@dataclass(eq=False)
class Mistake:
    """A known mistake.

    Attributes:
        id: stable name, kebab-case.
        sections: ids of the sections in which it shows.
        title: what is observed, in one line.
        hints: from nudge to rule, and where to read in the notebook.
        ways: how a library makes it.
    """

    id: str
    sections: tuple[str, ...]
    title: str
    hints: tuple[str, ...]
    ways: list[Way] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Way:
    """One way to make a mistake: what is observed, in one line, and the change to a library."""

    mistake: Mistake
    says: str
    change: Change


@dataclass(frozen=True, eq=False)
class Style(Way):
    """No mistake: how an operation may be made of others, so that a mistake in these shows in it, too.

    Attributes:
        says: a pattern of the code that it makes a difference to.
        sure: whether it was seen that it is made so, and does not only look like it.
    """

    sure: bool = False


class Mistakes(dict[str, Mistake]):
    """Mistakes by their ids: those of an assignment, and the general ones.

    Attributes:
        general: ids of the general ones that the assignment does not say in words of its own.
    """

    def __init__(self) -> None:
        super().__init__()
        for id, title, *hints in GENERAL:
            self[id] = Mistake(id, (), title, tuple(hints))
        self.general = {*self}

    def add(
        self,
        id: str,
        sections: str,
        title: str,
        nudge: str,
        rule: str,
        read: str = "",
        *ways: Change | tuple[str, Change],
    ) -> Mistake:
        """Add a mistake, or say a general one in other words; a way may have a line of its own.

        Args:
            sections: the ids of those in which it shows, with spaces between.
            read: the heading in the notebook, and those above it, under which a learner can read of it.

        Raises:
            ValueError: where there is one with this id already.
        """
        if id in self and id not in self.general:
            raise ValueError(f"there is a mistake {id!r} already")
        self.general.discard(id)
        hints = (nudge, rule, f"Read “{read}” in the notebook.") if read else (nudge, rule)
        mistake = self[id] = Mistake(id, tuple(sections.split()), title, hints)
        for way in ways:
            says, change = way if isinstance(way, tuple) else (title, way)
            mistake.ways.append(Way(mistake, says, change))
        return mistake

    def of(self, section: str) -> Iterator[Mistake]:
        """The mistakes that show in a section."""
        return (mistake for mistake in self.values() if section in mistake.sections)


GENERAL = [
    (
        "uses-torch",
        "your code calls PyTorch",
        "Which library shall do the arithmetic?",
        "Build it with NumPy: code that computes with PyTorch fails, also where its numbers are right.",
    ),
    (
        "hard-coded",
        "the result is the same for different inputs",
        "The tests draw new numbers each time. Where does your result depend on the input?",
        "Compute it from the input, by the general rule.",
    ),
    (
        "data-not-array",
        "the data of an object is no NumPy array",
        "What can an np.ndarray do that a list cannot?",
        "Make an array of it once, np.array(data), and keep that.",
    ),
    (
        "method-misnamed",
        "a method has another name than the one that Python looks for",
        "Which name has the method that Python calls for this operator?",
        "Python 3 calls __add__, __sub__, __mul__, __truediv__, __pow__, __neg__, and __radd__ ... from the right.",
    ),
    (
        "returns-none",
        "a function computes something and returns nothing",
        "What does a Python function give that ends without return?",
        "End it with return: print shows a value, return hands it on.",
    ),
    (
        "property-assigned",
        "a property is assigned to",
        "A property is a method that is read like an attribute. What should an assignment to it do?",
        "Assign to the attribute behind it, and leave the property for reading.",
    ),
    (
        "self-missing",
        "a method has no parameter for the object that it is called on",
        "What is the first parameter of a method?",
        "def method(self, ...): Python hands the object in as self.",
    ),
    (
        "arguments-do-not-match",
        "a function is called with another number of arguments than it has parameters",
        "Compare the line that defines it with the line that calls it: who is right?",
        "Each parameter without a default takes one argument. A method also gets self.",
    ),
    (
        "none-is-used",
        "something is None where a value is needed",
        "Which name in that line is None? Does it come from a function without return?",
        "Test `is None` before you use it, and end functions with return.",
    ),
    (
        "name-without-value",
        "a name is used that has no value",
        "Is it spelled as where it was assigned, and has that line run?",
        "Assign it on every branch before it is used; inside a method an attribute is self.name.",
    ),
    (
        "unhashable",
        "objects cannot be used in a set or as keys of a dictionary",
        "A class that defines __eq__ loses its hash, and a list has none. Which one is it?",
        "Use a tuple in place of a list, or leave __eq__ out: then == means the same object.",
    ),
    (
        "property-called",
        "what is no function is called like one",
        "Which of your names are properties, and which hold a value under the name of a function?",
        "A property is read without parentheses.",
    ),
    (
        "values-do-not-match",
        "not as many values come as are expected",
        "How many values came, and how many names wait for them? print(...) what comes, in the line before.",
        "a, b = values takes exactly two.",
    ),
    (
        "calls-itself",
        "a function or property calls itself without end",
        "Which line of it leads back to itself?",
        "A property data returns self._data, not self.data.",
    ),
    (
        "written-in-place",
        "a result with fractions is written into an array of whole numbers that is there already",
        "-=, *= and out= write into an array that is there. Whose is it, and of which dtype?",
        "Make a new array, a - b in place of a -= b: NumPy then chooses its dtype, and nobody else's array changes.",
    ),
    (
        "read-only",
        "an array that can only be read is written into",
        "Is it a view of another array, as np.broadcast_to makes one?",
        "Copy it before you write: array.copy().",
    ),
    (
        "other-kind",
        "an object is of another kind than the line takes it for",
        "Of which kind is it? print(type(...)) just before that line tells.",
        "Give arguments in their order, and take out of an object what the line needs.",
    ),
    (
        "key-not-there",
        "a dictionary is asked for a key that it does not have",
        "Which key is it, which ones were put in before, and should it be there already?",
        "d[key] = value puts a key in. d.get(key) and `key in d` may be asked for one that is not there.",
    ),
    (
        "index-not-there",
        "an element is asked for that is not there",
        "How many elements are there at that line, and which one is asked for?",
        "print(len(...)) just before that line. Elements have the numbers 0 to len - 1; an empty list has none to pop.",
    ),
    (
        "shapes-do-not-meet",
        "arrays meet whose shapes do not fit",
        "Which shapes have the arrays in that line? print(x.shape) just before it tells.",
        "Element by element: equal shapes, or 1. A @ B: as many columns as rows. reshape: as many elements as before.",
    ),
    (
        "truth-of-array",
        "an array is asked whether it is true",
        "`if a:` and `a or b` ask for one answer. How many elements has the array?",
        "`is None` tells whether there is one; (a == b).all() whether all elements agree.",
    ),
]
