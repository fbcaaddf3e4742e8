"""Exceptions that have a meaning of their own where tensors, parameters and modules are built."""

from __future__ import annotations

from checks.exceptions import Meaning

ARRAYS_ONLY = "ndim|sum|mean|reshape|transpose|T|astype|copy|flags|any|all|max|min|tolist|dot|squeeze|flatten|fill"
TENSORS_ONLY = "requires_grad|backward_op|grad|backward|tensor|parameters"
OF_TENSORS = f"requires_grad|backward_op|grad|backward|{ARRAYS_ONLY}|data|shape|size"

MEANINGS = [
    Meaning(
        "KeyError",
        r"^(-?\d{1,6}(?:\.\d+)?|None)$",  # not an address, as id() gives
        "{0} is looked for among tensors: an input that is not in `consumers`, such as a power, gets nothing",
        "key-not-there",
        sure=False,
    ),
    Meaning(
        "AttributeError|RuntimeError",
        r"(?<!'NoneType' object )has no attribute .(_MyModule__\w+).|call super\(\).__init__",
        "the dictionaries of MyModule are not there yet: its __init__ has not run",
        "super-init-missing",
    ),
    Meaning(
        "AttributeError",
        rf"'MyTensor' object has no attribute '({ARRAYS_ONLY})'",
        "a MyTensor stands where an array is needed: a tensor has no {0}, its data has",
        "tensor-for-array",
    ),
    Meaning(
        "TypeError",
        r"real number, not '?(MyTensor)\b|unsupported format string passed to (MyTensor)",
        "a {0} stands where a number is needed: float(tensor.data) is the one in a tensor that holds one",
        "tensor-for-number",
    ),
    Meaning(
        "TypeError",
        r"unsupported operand type\(s\) for ([-+*/]+)=?: '(float|int|numpy\.\w+)' and '(MyTensor)'",
        "a {1} {0} a {2}: Python asks the tensor on the right, and its class has no reflected method that takes it",
        "other-kind",
        sure=False,
    ),
    Meaning(
        "TypeError|ValueError",
        r"\b(?:not|got|from) (?:an? )?'?(MyTensor)\b",
        "a {0} stands where an array or a number is needed: its data is the array",
        "tensor-for-array",
    ),
    Meaning(
        "AttributeError",
        rf"'(?:numpy\.)?(?:ndarray|float64|float|int)' object has no attribute '({TENSORS_ONLY}|data|shape)'",
        "an array or a number stands where a tensor is needed: it has no {0}",
        "array-for-tensor",
    ),
    Meaning(
        "TypeError",
        r"the rule of .* must return a tuple",
        "a rule returns an array where a tuple is needed: a comma makes one, also of a single gradient",
        "rule-without-tuple",
    ),
    Meaning(
        "AttributeError",
        r"'str' object has no attribute '(?:parameters|_MyModule__\w+)'",
        "a loop over a dictionary goes through its names: a name is no module",
        "modules-by-name",
    ),
    Meaning("ValueError", r"is read-only", "an array that can only be read is written into", "gradient-read-only"),
    Meaning(
        "TypeError",
        r"operand '(MyTensor)' does not support ufuncs",
        "a {0} stands where an array is needed: NumPy's functions work on its data",
        "tensor-for-array",
    ),
    Meaning(
        "ValueError",
        r"setting an array element with a sequence",
        "NumPy cannot make one array of this: is it a MyTensor (its data is one), or a list of rows of two lengths?",
        "other-kind",
        sure=False,
    ),
    Meaning(
        "AttributeError",
        rf"'Parameter' object has no attribute '({OF_TENSORS})'",
        "a Parameter stands where its tensor is needed: it has no {0}, its tensor has",
        "parameter-for-tensor",
        sure=False,
    ),
    Meaning(
        "TypeError|ValueError",
        r"\b(?:not|got|from|of) .*\b(Parameter)\b",
        "a {0} stands where its tensor is needed",
        "parameter-for-tensor",
        sure=False,
    ),
]
