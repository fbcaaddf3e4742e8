"""Mistakes that can happen anywhere here."""

from __future__ import annotations

from workshop.mistakes.known import EVERYWHERE, HOLDS, OPERATORS, RULES, WALK, known
from workshop.mistakes.modules import MODULES

# ---------------------------------------------------------------- anywhere

known(
    "uses-torch",
    EVERYWHERE,
    "your code calls PyTorch",
    "Which library shall do the arithmetic?",
    "Build it with NumPy: PyTorch is what you rebuild.",
    "Set-up",
)
known(
    "array-not-tensor",
    EVERYWHERE,
    "the result is a plain array or number, not a MyTensor",
    "Could somebody go on computing with the result, and call backward() in the end?",
    "Give back a MyTensor, recorded if an input requires a gradient.",
    OPERATORS,
)
known(
    "hard-coded",
    EVERYWHERE,
    "the result is the same for different inputs",
    "The tests draw new numbers each time. Where does your result depend on the input?",
    "Compute it from the input, by the general rule.",
    "How to read a report",
)

# ---------------------------------------------------------------- anywhere: what an exception says (exceptions.py)

for id, title, nudge, rule_text, read in (
    (
        "method-misnamed",
        "a method has another name than the one that Python looks for",
        "Which name has the method that Python calls for this operator?",
        "Python 3 calls __add__, __sub__, __mul__, __truediv__, __pow__, __neg__, and __radd__ ... from the right.",
        OPERATORS,
    ),
    (
        "returns-none",
        "a method computes something and returns nothing",
        "What does a Python function give that ends without return?",
        "End it with return: print shows a value, return hands it on.",
        "",
    ),
    (
        "property-assigned",
        "a property is assigned to",
        "A property is a method that is read like an attribute. What should an assignment to it do?",
        "In the class assign to the attribute behind it, self.__data; elsewhere write into it: t.data[...] = ...",
        HOLDS,
    ),
    (
        "self-missing",
        "a method has no parameter for the object that it is called on",
        "What is the first parameter of a method?",
        "def backward(self, base=None): Python hands the object in as self.",
        HOLDS,
    ),
    (
        "arguments-do-not-match",
        "a function is called with another number of arguments than it has parameters",
        "Compare the line that defines it with the line that calls it: who is right?",
        "Each parameter without a default takes one argument. A method also gets self; a rule, base and all inputs.",
        "",
    ),
    (
        "rule-returns-none",
        "the rule of an operation gives None",
        "Is the rule written, and does it end with return?",
        "It returns a tuple: one gradient for each input.",
        RULES,
    ),
    (
        "none-is-used",
        "something is None where a value is needed",
        "Which name in that line is None? Does it come from a function without return, or has nothing arrived there?",
        "Test `is None` before you use it, and end functions with return.",
        "",
    ),
    (
        "super-init-missing",
        "__init__ of the base class has not run",
        "Who makes the dictionaries in which MyModule keeps parameters?",
        "The first line of a module's __init__: super().__init__().",
        MODULES,
    ),
    (
        "tensor-for-array",
        "a MyTensor is used like an array",
        "Is it a tensor or an array? backward(base) is handed a MyTensor, a rule base as an array.",
        "Take its data: base.data is the array in base, tensor.data the one in any tensor.",
        WALK,
    ),
    (
        "tensor-for-number",
        "a MyTensor is used like a number",
        "Who asks for a number in that line, and what is handed to it?",
        "float(tensor.data) is the number in a tensor that holds one, such as a loss.",
        HOLDS,
    ),
    (
        "array-for-tensor",
        "an array or a number is used like a MyTensor",
        "Is it a tensor or an array? Only tensors know requires_grad and backward_op.",
        "backward passes by inputs that are no tensors, such as a power; operators wrap numbers, but not the power.",
        WALK,
    ),
    (
        "name-without-value",
        "a name is used that has no value",
        "Is it spelled as where it was assigned, and has that line run?",
        "Assign it on every branch before it is used; inside a method an attribute is self.name.",
        "",
    ),
    (
        "unhashable",
        "objects cannot be used in a set or as keys of a dictionary",
        "A class that defines __eq__ loses its hash. Do you need __eq__?",
        "Leave __eq__ out: then == means the same object. Or use id(tensor) as the key.",
        "",
    ),
    (
        "property-called",
        "what is no function is called like one",
        "Which of your names are properties, and which hold a value under the name of a function?",
        "tensor.data and tensor.shape are read without parentheses.",
        HOLDS,
    ),
    (
        "values-do-not-match",
        "not as many values come as are expected",
        "How many values came, and how many names wait for them? print(...) what comes, in the line before.",
        "A rule returns one gradient for each input, in a tuple (None for a number), at each walk through the graph.",
        WALK,
    ),
    (
        "calls-itself",
        "a function or property calls itself without end",
        "Which line of it leads back to itself?",
        "A property data returns self.__data, not self.data.",
        HOLDS,
    ),
    (
        "parameter-for-tensor",
        "a Parameter is used like its tensor",
        "What does a Parameter hold, and under which name?",
        "Take its tensor: parameter.tensor.data is the array, parameter.tensor.grad its gradient.",
        MODULES,
    ),
    (
        "other-kind",
        "an object is of another kind than the line takes it for",
        "Of which kind is it? print(type(...)) just before that line tells.",
        "Give arguments in their order. A tensor's array is tensor.data, a Parameter's tensor .tensor.",
        "",
    ),
    (
        "key-not-there",
        "a dictionary is asked for a key that it does not have",
        "Which key is it, which ones were put in before, and should it be there already?",
        "d[key] = value puts a key in. d.get(key) and `key in d` may be asked for one that is not there.",
        "",
    ),
    (
        "index-not-there",
        "an element is asked for that is not there",
        "How many elements are there at that line, and which one is asked for?",
        "print(len(...)) just before that line. Elements have the numbers 0 to len - 1; an empty list has none to pop.",
        "",
    ),
    (
        "shapes-do-not-meet",
        "arrays meet whose shapes do not fit",
        "Which shapes have the arrays in that line? print(x.shape) just before it tells.",
        "Element by element: equal shapes, or 1. A @ B: as many columns as rows. reshape: as many elements as before.",
        "Tensors > Shape",
    ),
    (
        "truth-of-array",
        "an array is asked whether it is true",
        "`if grad:` and `a or b` ask for one answer. How many elements has the array?",
        "`is None` tells whether there is a gradient; (a == b).all() whether all elements agree.",
        "",
    ),
):
    known(id, EVERYWHERE, title, nudge, rule_text, read)
