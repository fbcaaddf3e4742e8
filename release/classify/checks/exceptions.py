"""Exceptions that beginners meet, in words: what Python means, and where to look. Assignments add their own.

Python's own texts are for those who know what they mean. A text that is not listed here is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

PYTHONS = r"(?:list|tuple|dict|set|str|bytes|bool|int|float|function|generator|method|memoryview|ndarray|numpy\.\w+)"
OPERATORS = {
    "+": "__add__",
    "-": "__sub__",
    "*": "__mul__",
    "/": "__truediv__",
    "** or pow()": "__pow__",
    "unary -": "__neg__",
}


@dataclass(frozen=True)
class Meaning:
    """What an exception of this class with this text means.

    Attributes:
        kind: names of exception classes, as a pattern.
        text: a pattern that its message contains.
        says: the words for it, with the pattern's groups as {0}, {1} ...
        mistake: id of the known mistake whose hints help.
        sure: whether it tells more than a check that only saw that something was raised, or than experiments.
    """

    kind: str
    text: str
    says: str
    mistake: str
    sure: bool = True


MEANINGS = [
    Meaning(
        "AttributeError",
        r"property '(\w+)' of '(\w+)' object has no setter|can't set attribute(?: '(\w+)')?",
        "{0} is a property: it can be read, not assigned",
        "property-assigned",
    ),
    Meaning(
        "TypeError",
        r"(?<!<locals>)\.(\w+)\(\) takes 0 positional arguments but",  # a method: Python says of which class
        "{0}() has no parameter for the object that it is called on",
        "self-missing",
    ),
    Meaning(
        "TypeError",
        r"(<?\w+>?)\(\) (?:takes \d+ positional arguments? but \d+ (?:was|were) given|missing \d+ required positional)"
        r"|^(\w+) expected (?:at \w+ )?\d+ arguments?, got",
        "{0}() is called with another number of arguments than it has parameters",
        "arguments-do-not-match",
    ),
    Meaning(
        "TypeError",
        r"(__\w+__) returned non-\w+ \(type NoneType\)",
        "{0} returns None: does it print? Return the text",
        "returns-none",
    ),
    Meaning(
        "TypeError|AttributeError",
        r"'NoneType' object (?:is not|has no|does not|cannot)|NoneType",
        "something is None where a value is needed",
        "none-is-used",
        sure=False,
    ),
    Meaning(
        "NameError|UnboundLocalError",
        r"name '(\w+)' is not defined|(?:local|free) variable '(\w+)'",
        "{0} has no value where it is used",
        "name-without-value",
    ),
    Meaning(
        "TypeError",
        r"unhashable type: '(\w+)'",
        "a {0} is asked for its hash, and has none",
        "unhashable",
    ),
    Meaning(
        "TypeError",
        r"'(?:numpy\.)?(ndarray|tuple|int|float|float64|bool)' object is not callable",
        "a {0} is called like a function: is it what a property gives, or another name's value?",
        "property-called",
    ),
    Meaning(
        "ValueError|TypeError",
        r"zip\(\) argument \d is (?:longer|shorter)|values? to unpack|cannot unpack non-iterable",
        "not as many values came as were expected",
        "values-do-not-match",
        sure=False,
    ),
    Meaning(
        "RecursionError",
        r"maximum recursion depth",
        "a function or property calls itself, again and again",
        "calls-itself",
    ),
    Meaning(
        "ValueError",
        r"truth value of an array",
        "an array is asked whether it is true, and has many answers",
        "truth-of-array",
    ),
    Meaning("ValueError", r"is read-only", "an array that can only be read is written into", "read-only"),
    Meaning(
        "TypeError",  # NumPy's UFuncTypeError is one
        r"Cannot cast ufunc '\w+' output from dtype\('float64'\) to dtype\('(u?int\d+)'\)",
        "a result with fractions is to be written into an array of whole numbers ({0}): by -=, *= or out=?",
        "written-in-place",
    ),
    Meaning(
        "ValueError",
        r"setting an array element with a sequence",
        "NumPy cannot make one array of this: is there a list of another length in it?",
        "other-kind",
        sure=False,
    ),
    Meaning(
        "AttributeError",
        rf"'({PYTHONS})' object has no attribute '(\w+)'",
        "a {0} stands where something with {1} is needed",
        "other-kind",
        sure=False,
    ),
    Meaning(
        "AttributeError",
        r"module '([\w.]+)' has no attribute '(\w+)'",
        "{0} has no {1}",
        "name-without-value",
        sure=False,
    ),
    Meaning(
        "AttributeError",
        r"'(\w+)' object has no attribute '(\w+)'",
        "an object of class {0} has no attribute {1} when it is asked for it",
        "name-without-value",
        sure=False,
    ),
    Meaning(
        "TypeError",
        r"unsupported operand type\(s\) for (.+?): '([\w.]+)' and '([\w.]+)'"
        r"|'(\S+)' not supported between instances of '([\w.]+)' and '([\w.]+)'",
        "{0} cannot work with a {1} and a {2}",
        "other-kind",
        sure=False,
    ),
    Meaning(
        "TypeError",
        r"bad operand type for (.+?): '([\w.]+)'",
        "{0} cannot work with a {1}",
        "other-kind",
        sure=False,
    ),
    Meaning(
        "TypeError",
        r"'([\w.]+)' object is not (?:iterable|subscriptable|callable)|object of type '([\w.]+)' has no len"
        r"|after \* must be an iterable, not (\w+)",
        "a {0} stands where something of another kind is needed",
        "other-kind",
        sure=False,
    ),
    Meaning(
        "TypeError",
        r"iteration over a 0-d array|len\(\) of unsized object",
        "an array that holds one number, without an axis, is taken for a list",
        "other-kind",
        sure=False,
    ),
    Meaning(
        "TypeError",
        r"(isinstance|issubclass)\(\) arg 2 must be",
        "{0}() is asked about something that is no class: the class is its second argument",
        "other-kind",
    ),
    Meaning("KeyError", "", "a dictionary is asked for a key that is not in it", "key-not-there", sure=False),
    Meaning(
        "IndexError",
        r"index out of range|pop from (?:an )?empty|index \S+ is out of bounds",
        "an element is asked for that is not there",
        "index-not-there",
        sure=False,
    ),
    Meaning(
        "ValueError",
        r"could not be broadcast|cannot broadcast|cannot reshape|core dimension|broadcastable|shape|axes don't match",
        "arrays meet whose shapes do not fit",
        "shapes-do-not-meet",
        sure=False,
    ),
    Meaning(
        "ValueError|IndexError",  # NumPy's AxisError is both
        r"axis -?\d+ is out of bounds|too many indices for array",
        "an array is asked for an axis that it does not have",
        "shapes-do-not-meet",
        sure=False,
    ),
]


def meaning(kinds: Sequence[str], text: str, own: Sequence[Meaning] = ()) -> Meaning | None:
    """What an exception means: `kinds` are the names of its class and of those above it, `text` its message.

    What an assignment says of it, `own`, goes before what it means anywhere.
    """
    for each in (*own, *MEANINGS):
        found = any(re.fullmatch(each.kind, kind) for kind in kinds) and re.search(each.text, text)
        if found:
            says = each.says.format(*filter(None, found.groups()), "it")
            return replace(each, says=re.sub(r"\ba (?=[aeio])", "an ", says))
    return None


def is_of_python(text: str) -> bool:
    """Whether what lacks an attribute is an object of Python's or NumPy's, which nobody has to write."""
    return re.search(rf"'{PYTHONS}' object has no attribute", text) is not None


def method_of(text: str) -> str | None:
    """The method that Python looked for in vain, of an operator that does not work."""
    item = re.search(r"'\w+' object (?:does not support item assignment|(is not subscriptable))", text)
    if item:
        return "__getitem__" if item[1] else "__setitem__"
    found = re.search(r"(?:unsupported operand type\(s\) for|bad operand type for) (.+?): '([\w.]+)'", text)
    method = OPERATORS.get(found[1]) if found else None
    return method.replace("__", "__r", 1) if found and method and found[2] in ("int", "float") else method
