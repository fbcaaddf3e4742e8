"""Mistakes that can happen in any section: the tools of the first notebook in the wrong hands."""

from __future__ import annotations

from classify.mistakes.known import EVERYWHERE, known

known(
    "array-not-tensor",
    EVERYWHERE,
    "the result is an array or a number, not a MyTensor",
    "Indexing a tensor gives plain numbers, and .data an array: is there one of these on the way to the result?",
    "Compute with tensors to the end. To pick elements, multiply by a mask, MyTensor(mask), and sum.",
)
known(
    "tensor-for-array",
    EVERYWHERE,
    "a MyTensor stands where an array is needed",
    "NumPy's functions work on arrays. Where does a tensor keep its own? And a gradient is a tensor, too.",
    "tensor.data is the array, tensor.grad.data that of its gradient. A rule gets `base` as an array.",
)
known(
    "array-for-tensor",
    EVERYWHERE,
    "an array or a number stands where a tensor is needed",
    "Which of the two has grad, backward_op and methods such as exp(): a tensor, or its .data?",
    "Leave .data out where a tensor is needed: tensor.grad, not tensor.data.grad.",
)
known(
    "tensor-for-number",
    EVERYWHERE,
    "a MyTensor stands where a number is needed",
    "Where does a tensor that holds one number keep it?",
    "float(tensor.data) is that number.",
)
known(
    "tensor-written",
    EVERYWHERE,
    "a tensor that requires a gradient is written into by index",
    "The graph may still need what it holds. Is it a parameter that should move, or an input that should stay?",
    "A parameter moves by its array: data = parameter.tensor.data, then data -= ... Of an input make a new tensor.",
)
known(
    "rule-without-tuple",
    EVERYWHERE,
    "a rule returns an array where a tuple is needed",
    "A rule gives one gradient for each of its inputs, in a tuple. What makes a tuple of a single one?",
    "A comma: return (base * ...,)",
    "Functions > Exponential and logarithm",
)
known(
    "modules-by-name",
    EVERYWHERE,
    "a loop goes through the names of modules, and not through the modules",
    "for each in dictionary: what is `each`, a key or a value?",
    "self.__sub_modules.values() has the modules, .items() both.",
    "Modes > Training and evaluation",
)
known(
    "name-without-value",
    EVERYWHERE,
    "a name is used that has no value",
    "Is it spelled as where it was assigned, and has that line run?",
    "In a method write self.name for what the object has, and the class's name before the dot for what the class has.",
)
known(
    "property-assigned",
    EVERYWHERE,
    "a property is assigned to",
    "tensor.data cannot be replaced, but what it gives can be written into. How?",
    "data = parameter.tensor.data, then data -= ... or data[...] = ...: the array stays, its elements change.",
)
known(
    "truth-of-array",
    EVERYWHERE,
    "an array is asked whether it is true",
    "`if a:` asks for one answer, and so does Python's own max(x), for each two rows. How many elements has the array?",
    "The largest along an axis is x.max(axis, keepdims=True), a method. `is None` tells whether there is anything.",
)
known(
    "parameter-for-tensor",
    EVERYWHERE,
    "a Parameter stands where its tensor is needed",
    "A parameter holds a tensor. Where?",
    "parameter.tensor is the tensor, parameter.tensor.data its array.",
    "Optimizers",
)
known(
    "other-kind",
    EVERYWHERE,
    "an object is of another kind than the line takes it for",
    "Of which kind is it? print(type(...)) just before that line tells.",
    "Give arguments in their order, and take out of an object what the line needs.",
)
known(
    "gradient-read-only",
    EVERYWHERE,
    "a gradient is an array that can only be read",
    "np.broadcast_to makes a view. May others write into it?",
    "Hand on an array of your own: base * np.ones(...), or a copy.",
    "Functions",
)
known(
    "super-init-missing",
    EVERYWHERE,
    "the dictionaries of MyModule are not there yet: its __init__ has not run",
    "What does MyModule.__init__ make that every module needs?",
    "Call super().__init__() first in your class's __init__.",
    "Modes",
)
known(
    "not-recorded",
    "functions cross_entropy modes",
    "the result sends no gradient back",
    "Where does the way from the result back to the input end? .data, an index and MyTensor(...) leave the graph.",
    "Compute with tensors all the way: pick elements by a mask, MyTensor(mask), not by index. Or record(...) a rule.",
)
known(
    "recorded-without-need",
    "functions cross_entropy modes",
    "a result requires a gradient though no input does",
    "Who would ask for this gradient?",
    "Record only where an input requires a gradient.",
)
known(
    "upstream-changed",
    "functions cross_entropy modes",
    "a rule changes the upstream gradient that it is handed",
    "base *= ... writes into the array of whoever handed it in. Who else needs it?",
    "Make a new array: base * slope in place of base *= slope.",
)
known(
    "input-changed",
    EVERYWHERE,
    "the call changes what it was given",
    "Who else holds this array?",
    "Make a new array: x - y in place of x -= y; copy before you write.",
)
