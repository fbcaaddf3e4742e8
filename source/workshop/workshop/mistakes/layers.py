"""Mistakes with layers: matmul, Linear, ReLU."""

from __future__ import annotations

import numpy as np

from workshop.changes import cut, negative, only, part, rule, turned, value, without_upstream, zero
from workshop.imitation import rows
from workshop.mistakes.known import known

# ---------------------------------------------------------------- matmul

MATMUL = "Base layers > Matrix multiplication"


known(
    "matmul-elementwise",
    "matmul",
    "matmul multiplies element by element",
    "What is (2, 3) times (3, 4)?",
    "In NumPy `*` works element by element; the matrix product is `@`.",
    MATMUL,
)
known(
    "matmul-wrong-operation",
    "matmul",
    "matmul(a, b) computes something else",
    "What is (2, 3) times (3, 4), and what becomes of it in your function?",
    "NumPy's operator is @: hand its result on as it is.",
    MATMUL,
)
known(
    "matmul-operands-swapped",
    "matmul",
    "matmul(a, b) gives b @ a",
    "A matrix product is not the same the other way round. Which operand stands on the left?",
    "a.data @ b.data.",
    MATMUL,
)
known(
    "matmul-transposed",
    "matmul",
    "matmul transposes where it should not",
    "(n, k) times (k, m) is (n, m). What has to be turned over on the way forward?",
    "Nothing: a.data @ b.data.",
    MATMUL,
)


known(
    "matmul-transpose-missing",
    "matmul",
    "a gradient of matmul multiplies by the other operand without turning it over",
    "The upstream gradient has shape (n, m), b has (k, m), and the gradient of a (n, k). Which product fits?",
    "base @ b.T for a, and a.T @ base for b.",
    MATMUL,
    (
        "for a single row, a is not turned over: a row is its own transpose, it has to become a matrix first",
        rule("matmul", lambda g, a, b: (lambda: g @ b.T, lambda: (a.T if a.ndim == 2 else rows(a)) @ rows(g))),
    ),
    (
        "for a single row, a is not turned over: a row is its own transpose, it has to become a matrix first",
        rule("matmul", lambda g, a, b: (g @ b.T, (a.T if a.ndim == 2 else rows(a)) @ rows(g))),
    ),
)
known(
    "matmul-factors-swapped",
    "matmul",
    "a gradient of matmul has its two factors in the wrong order",
    "Which of base and the other operand stands on the left?",
    "base @ b.T for a, and a.T @ base for b: everything stays on its side.",
    MATMUL,
)
known(
    "matmul-gradient-transposed",
    "matmul",
    "a gradient of matmul is transposed",
    "A gradient has the shape of its tensor. Which shape has yours?",
    "base @ b.T for a, and a.T @ base for b.",
    MATMUL,
)
known(
    "matmul-gradients-exchanged",
    "matmul",
    "the gradients of a and b are exchanged",
    "Which of the two gradients does a rule return first?",
    "One gradient for each input, in the order of the inputs: (base @ b.T, a.T @ base).",
    MATMUL,
)
known(
    "matmul-gradient-elementwise",
    "matmul",
    "a gradient of matmul multiplies element by element",
    "Element A[i, l] takes part in a whole row of the result. How many products add up?",
    "The gradients are matrix products again: base @ b.T for a, and a.T @ base for b.",
    MATMUL,
)
known(
    "matmul-gradient-averaged",
    "matmul",
    "a gradient of matmul is the mean over the rows of the batch, not the sum",
    "The loss divides by the number of examples, if it wants a mean. Should the product divide once more?",
    "base @ b.T for a, and a.T @ base for b, without dividing.",
    MATMUL,
    *(
        (
            f"the gradient of {letters} is divided by the number of rows",
            only(places, "matmul", lambda right, place, g, a, b: right(g, a, b)[place] / rows(a).shape[0]),
        )
        for letters, places in (("a", (0,)), ("b", (1,)), ("a and b", (0, 1)))
    ),
)
known(
    "matmul-not-recorded",
    "matmul",
    "an operand of matmul gets no gradient",
    "Which tensors must the operation remember, so that backward() finds them?",
    "Record both operands, when one of them requires a gradient.",
    MATMUL,
    ("matmul sends no gradient to a", cut("matmul", 0)),
    ("matmul sends no gradient to b", cut("matmul", 1)),
    cut("matmul", 0, 1),
    ("matmul is recorded only if a requires a gradient", part(needs=lambda op, tensors: tensors[0].requires_grad)),
    ("matmul is recorded only if b requires a gradient", part(needs=lambda op, tensors: tensors[1].requires_grad)),
    ("matmul is recorded only if both require a gradient", part(needs=lambda op, ts: all(t.requires_grad for t in ts))),
    ("the result of matmul is a new leaf, without the operation", part(records=lambda op, needed: False)),
    ("the result of matmul requires no gradient", part(needs=lambda op, tensors: False)),
)
for id, says, wrong, nudge in (
    ("matmul-sign", "has the right size but the wrong sign", negative, "Is there a minus in the formulas?"),
    ("matmul-gradient-zero", "is 0 everywhere", zero, "Does the product really not change with its operand?"),
    (
        "matmul-upstream-missing",
        "is the same for every upstream gradient",
        without_upstream,
        "What if y is only a step on the way to the result?",
    ),
):
    known(
        id,
        "matmul",
        f"a gradient of matmul {says}",
        nudge,
        "base @ b.T for a, and a.T @ base for b.",
        MATMUL,
        *(
            (f"the gradient of {letters} {says}", only(places, "matmul", wrong))
            for letters, places in (("a", (0,)), ("b", (1,)), ("a and b", (0, 1)))
        ),
    )

# ---------------------------------------------------------------- Linear

LINEAR = "Base layers > Linear and ReLU"
known(
    "linear-not-registered",
    "linear",
    "the layer computes, and its parameters() is empty",
    "Where are weight and bias kept: each in an attribute of the layer, as a Parameter?",
    "self.weight = Parameter(MyTensor(...)), and the same for self.bias: a list or a plain tensor is not registered.",
    LINEAR,
)
known(
    "linear-bias-missing",
    "linear",
    "parameters() of a Linear layer holds no bias",
    "What does the layer give for an input of zeros?",
    "y = x W + b, with two parameters: self.weight and self.bias = Parameter(MyTensor(np.zeros(output_size))).",
    LINEAR,
)
known(
    "linear-weight-missing",
    "linear",
    "parameters() of a Linear layer holds no weight",
    "Which numbers of the layer shall training change?",
    "self.weight = Parameter(MyTensor(...)): MyModule registers it by itself.",
    LINEAR,
)
known(
    "zero-initialisation",
    "linear",
    "the weights do not start random",
    "Two units with equal weights get equal gradients. Will they ever differ?",
    "Draw them: np.random.uniform(-bound, bound, (input_size, output_size)).",
    LINEAR,
)
known(
    "units-alike",
    "linear",
    "numbers of a new weight repeat: not each place is drawn on its own",
    "Two units with equal weights get equal gradients. Will they ever differ?",
    "Draw a number for every place: np.random.uniform(-bound, bound, (input_size, output_size)).",
    LINEAR,
)
known(
    "linear-parameter-shape",
    "linear",
    "a parameter of the layer has another shape than its sizes ask for",
    "Linear(3, 2) makes 2 numbers of 3. How many weights and how many biases does that take?",
    "The weight has the shape (input_size, output_size), the bias (output_size,).",
    LINEAR,
)
known(
    "weights-drawn-once",
    "linear",
    "two new layers have the same weights",
    "When are the random numbers drawn: once, or for each layer?",
    "Draw them in __init__, without a fixed seed.",
    LINEAR,
)
known(
    "weights-not-finite",
    "linear",
    "new weights are not numbers: they hold nan or inf",
    "Where do they come from: a division by 0, or memory that nothing was written into?",
    "np.random.uniform(-bound, bound, (input_size, output_size)), bound = 1 / np.sqrt(input_size).",
    LINEAR,
)
known(
    "weights-on-one-side",
    "linear",
    "the weights lie on one side of 0",
    "np.random.rand draws between 0 and 1. Could a unit then lower a score when its input grows?",
    "Draw both signs alike: np.random.uniform(-bound, bound, (input_size, output_size)).",
    LINEAR,
)
known(
    "weights-too-large",
    "linear model",
    "the numbers of a new layer start too large for training",
    "A unit adds up one product for each of its inputs. How large does the sum get with a hundred of them?",
    "Smaller, the more inputs there are: np.random.uniform(-bound, bound), bound = 1 / np.sqrt(input_size).",
    LINEAR,
)
known(
    "weights-too-small",
    "linear",
    "the weights start so small that next to nothing gets through the layer",
    "Each layer shrinks what it hands on, and what it hands back. What is left after three?",
    "np.random.uniform(-bound, bound), bound = 1 / np.sqrt(input_size).",
    LINEAR,
)
known(
    "linear-bias-not-added",
    "linear",
    "the layer does not add its bias",
    "What does the layer give for an input of zeros?",
    "y = x W + b.",
    LINEAR,
    value("linear", lambda x, w, b: x @ w),
    ("the layer subtracts its bias", value("linear", lambda x, w, b: x @ w - b)),
    ("the layer adds its bias twice", value("linear", lambda x, w, b: x @ w + b + b)),
)
known(
    "linear-weight-orientation",
    "linear",
    "the shape of the weight does not fit the product, or x and the weight meet the wrong way round",
    "Print weight.tensor.shape: is it (inputs, outputs)? And which of the two stands left in the product?",
    "A weight of shape (inputs, outputs) and matmul(x, weight) + bias belong together: x stands left.",
    LINEAR,
    value("linear", lambda x, w, b: x @ w.T.reshape(w.shape) + b),
    value("linear", lambda x, w, b: x @ w.T + b),
    value("linear", lambda x, w, b: w @ x + b),
)
known(
    "linear-row-refused",
    "linear",
    "a single row of shape (inputs,) does not work",
    "Which shape has one input that is no batch?",
    "NumPy's @ takes a vector on the left; a rule may treat it as a matrix of one row.",
    LINEAR,
)
known(
    "linear-row-becomes-batch",
    "linear",
    "a single row comes back as a batch of one",
    "One row goes in, of shape (inputs,). Which shape comes out?",
    "Shape (inputs,) gives (outputs,); shape (n, inputs) gives (n, outputs).",
    LINEAR,
    value("linear", lambda x, w, b: rows(x) @ w + b),
)
known(
    "bias-not-summed",
    "linear",
    "the gradient of the bias is not summed over the batch",
    "The bias is used once for every row. How many contributions does it get?",
    "Sum the upstream gradient over the batch: axis 0.",
    LINEAR,
    only((2,), "linear", lambda right, place, g, *_: g),
    (
        "the gradient of the bias counts one row of the batch only",
        only((2,), "linear", lambda right, place, g, *_: rows(g)[0]),
    ),
    (
        "the gradient of the bias counts one row of the batch only",
        only((2,), "linear", lambda right, place, g, *_: rows(g)[-1]),
    ),
    (
        "the gradient of the bias is summed over the wrong axis",
        only((2,), "linear", lambda right, place, g, *_: rows(g).sum(1)),
    ),
    ("the gradient of the bias is one sum over everything", only((2,), "linear", lambda right, place, g, *_: g.sum())),
)
known(
    "bias-averaged",
    "linear",
    "the gradient of the bias is the mean over the batch, not the sum",
    "The loss divides by the number of examples, if it wants a mean. Should the layer divide once more?",
    "Sum over the batch.",
    LINEAR,
    only((2,), "linear", lambda right, place, g, *_: rows(g).mean(0)),
)
known(
    "weight-averaged",
    "linear",
    "the gradient of the weight is the mean over the batch, not the sum",
    "The loss divides by the number of examples, if it wants a mean. Should the layer divide once more?",
    "x.T @ base, without dividing.",
    LINEAR,
    only((1,), "linear", lambda right, place, g, x, *_: right(g, x, *_)[1] / rows(x).shape[0]),
)
known(
    "linear-detached",
    "linear",
    "a gradient does not get through the Linear layer",
    "Does the layer compute with tensors, or with their arrays?",
    "Compute with self.weight.tensor and x themselves, not with their data: the graph has to see them.",
    LINEAR,
    ("the weight gets no gradient", cut("linear", 1)),
    ("the bias gets no gradient", cut("linear", 2)),
    ("the input gets no gradient", cut("linear", 0)),
    ("weight and bias get no gradient", cut("linear", 1, 2)),
    ("neither the parameters nor the input get a gradient", cut("linear", 0, 1, 2)),
    ("weight and input get no gradient", cut("linear", 0, 1)),
)
for id, says, wrong, nudge in (
    ("linear-sign", "has the right size but the wrong sign", negative, "Is there a minus in y = x W + b?"),
    ("linear-gradient-zero", "is 0 everywhere", zero, "Does the output really not change?"),
    (
        "linear-upstream-missing",
        "is the same for every upstream gradient",
        without_upstream,
        "What if y is only a step on the way to the loss?",
    ),
    (
        "linear-gradient-transposed",
        "is transposed",
        lambda right, place, g, *arrays: turned(right(g, *arrays)[place]),
        "A gradient has the shape of its tensor.",
    ),
):
    known(
        id,
        "linear",
        f"a gradient of the Linear layer {says}",
        nudge,
        "x.T @ base for the weight, the sum of base over the batch for the bias, base @ weight.T for x.",
        LINEAR,
        *(
            (f"the gradient of the {what} {says}", only((place,), "linear", wrong))
            for place, what in enumerate(("input", "weight", "bias"))
        ),
    )

# ---------------------------------------------------------------- ReLU

known(
    "relu-abs",
    "relu",
    "relu gives the absolute value",
    "What should become of -2?",
    "max(x, 0): negative numbers become 0.",
    LINEAR,
)
known(
    "relu-leaky",
    "relu",
    "relu lets a part of negative numbers through",
    "That is called a leaky ReLU. What should become of -2 here?",
    "max(x, 0): negative numbers become 0.",
    LINEAR,
)
known(
    "relu-clipped",
    "relu",
    "relu cuts large numbers off",
    "What should become of 90?",
    "max(x, 0): positive numbers stay as they are.",
    LINEAR,
)
known(
    "relu-other-function",
    "relu",
    "relu computes another function",
    "Draw max(x, 0): flat on one side, a straight line on the other.",
    "np.maximum(x.data, 0).",
    LINEAR,
    ("relu gives 1 for positive numbers instead of the number", value("relu", lambda x: (x > 0) * 1.0)),
    ("relu gives the largest element for all", value("relu", lambda x: x.max().clip(0) + 0 * x)),
    ("relu gives a single number", value("relu", lambda x: x.max().clip(0))),
    ("relu gives the sigmoid of x", value("relu", lambda x: 1 / (1 + np.exp(-x)))),
    ("relu gives log(1 + exp(x))", value("relu", lambda x: np.log(1 + np.exp(x)))),
)
known(
    "relu-unmasked",
    "relu",
    "the gradient also flows back where x < 0",
    "Where relu is flat, how much does its output change with x?",
    "np.where(x.data > 0, base, 0): nothing flows back where x < 0.",
    LINEAR,
)
known(
    "relu-kink-one",
    "relu",
    "at x = 0 the gradient is 1, in PyTorch it is 0",
    "Is 0 greater than 0?",
    "Mask with x > 0, not x >= 0: at the kink we take 0.",
    LINEAR,
)
known(
    "relu-kink-half",
    "relu",
    "at x = 0 the gradient is 0.5, in PyTorch it is 0",
    "Any value from 0 to 1 would do in theory. Which one does PyTorch take?",
    "Mask with x > 0: at the kink we take 0.",
    LINEAR,
)
known(
    "relu-mask-inverted",
    "relu",
    "the gradient flows back where x < 0 and stops where x > 0",
    "On which side does relu let x through?",
    "np.where(x.data > 0, base, 0).",
    LINEAR,
)
known(
    "relu-mask-of-upstream",
    "relu",
    "relu is applied to the upstream gradient instead of masking it by x",
    "Which of the two decides where something flows back: the sign of x, or of the upstream gradient?",
    "np.where(x.data > 0, base, 0).",
    LINEAR,
)
known(
    "relu-compares-product",
    "relu",
    "the gradient is 1 where base * x > 0, and 0 elsewhere: the product is compared, not x",
    "Which of the two does Python do first in base * x.data > 0: the product, or the comparison?",
    "`*` binds before `>`, and the result is True or False: base * (x.data > 0), or np.where(x.data > 0, base, 0).",
    LINEAR,
    only((0,), "relu", lambda right, place, g, x: (g * x > 0) * 1.0),
)
known(
    "relu-upstream-missing",
    "relu",
    "the gradient is the same for every upstream gradient",
    "What if relu is only a step on the way to the loss?",
    "np.where(x.data > 0, base, 0): the upstream gradient where x > 0.",
    LINEAR,
)
known(
    "relu-gradient-times-x",
    "relu",
    "the gradient is multiplied by x",
    "Where x > 0, relu(x) = x. How steep is that?",
    "np.where(x.data > 0, base, 0): the slope is 1, whatever x is.",
    LINEAR,
)
known(
    "relu-sign",
    "relu",
    "the gradient has the right size but the wrong sign",
    "Where x > 0, does relu(x) rise or fall?",
    "np.where(x.data > 0, base, 0).",
    LINEAR,
)
known(
    "relu-gradient-zero",
    "relu",
    "the gradient is 0 everywhere",
    "Where x > 0, relu(x) = x. How steep is that?",
    "np.where(x.data > 0, base, 0).",
    LINEAR,
)
known(
    "relu-not-recorded",
    "relu",
    "relu sends no gradient back to x",
    "Is relu an operation of the graph, or only a new array?",
    "Record it as matmul does, with a rule relu_deriv.",
    LINEAR,
    cut("relu", 0),
    ("the result of relu is a new leaf, without the operation", part(records=lambda op, needed: False)),
    ("the result of relu requires no gradient", part(needs=lambda op, tensors: False)),
)
