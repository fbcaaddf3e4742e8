"""Mistakes that can happen in any section: the tools of the first notebook in the wrong hands."""

from __future__ import annotations

from classify.mistakes.known import EVERYWHERE, known

known(
    "array-not-tensor",
    EVERYWHERE,
    "the result is an array or a number, not a MyTensor",
    "What would the next operation need, to go on with your result?",
    "Hand back a MyTensor: computed with tensors, or made of the array with its operation recorded.",
    "Functions",
)
known(
    "tensor-for-array",
    EVERYWHERE,
    "a MyTensor stands where an array is needed",
    "NumPy's functions work on arrays. Where does a tensor keep its own?",
    "tensor.data is the array. A rule gets `base` as an array, and its inputs as tensors.",
    "Functions",
)
known(
    "array-for-tensor",
    EVERYWHERE,
    "an array or a number stands where a tensor is needed",
    "Which of the two has grad, backward_op and backward()?",
    "Do not take `.data` where the graph is to see the value.",
    "Functions",
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
    "Does the result know the operation that made it?",
    "Compute with tensors, or record: MyTensor(result, requires_grad=True, crossOpBack=...).",
    "Functions",
)
known(
    "recorded-without-need",
    "functions cross_entropy modes",
    "a result requires a gradient though no input does",
    "Who would ask for this gradient?",
    "Record only where an input requires a gradient.",
    "Functions",
)
known(
    "upstream-changed",
    "functions cross_entropy modes",
    "a rule changes the upstream gradient that it is handed",
    "base *= ... writes into the array of whoever handed it in. Who else needs it?",
    "Make a new array: base * slope in place of base *= slope.",
    "Functions",
)
known(
    "input-changed",
    EVERYWHERE,
    "the call changes what it was given",
    "Who else holds this array?",
    "Make a new array: x - y in place of x -= y; copy before you write.",
    "Functions",
)
