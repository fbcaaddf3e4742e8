"""Mistakes with the loss."""

from __future__ import annotations

import numpy as np

from workshop.changes import axis_ignored, cut, gradient_only, mse, part, rule
from workshop.mistakes.known import known

# ---------------------------------------------------------------- MSELoss

LOSS = "Loss functions"


known(
    "mse-sum",
    "mseloss",
    "the loss is the sum of the squared errors, not their mean",
    "Would the loss double if every example came twice?",
    "Divide the sum by the number of elements.",
    LOSS,
)
known(
    "mse-batch-only",
    "mseloss",
    "the loss is not the mean over all elements of a batch",
    "A (2, 3) prediction has 6 elements. By how many do you divide?",
    "Divide by the size, not by the batch size: y.size.",
    LOSS,
)
known(
    "mse-remembers",
    "mseloss",
    "a loss object that was called before gives another loss",
    "Which number of the first call does the second one still use?",
    "Work everything out from y and y_target of this call: nothing is kept in self.",
    LOSS,
)
known(
    "mse-not-scalar",
    "mseloss",
    "the loss is not a single number",
    "Training wants one number to make smaller. How many do you return?",
    "Sum over all elements: sum(...) without an axis.",
    LOSS,
)
known(
    "mse-not-squared",
    "mseloss",
    "the errors are not squared",
    "Errors of +1 and -1: what is their mean, and is that a good prediction?",
    "Square the differences, then take the mean.",
    LOSS,
)
known(
    "mse-other-function",
    "mseloss",
    "the loss computes something else",
    "How far is the prediction from the target, element by element?",
    "Subtract, square, take the mean over all elements.",
    LOSS,
    (
        "the loss divides by the number of elements in whole numbers",
        mse(lambda y, t: ((y - t) ** 2).sum() * (1 // y.size)),
    ),
)
known(
    "mse-root",
    "mseloss",
    "the loss is the root of the mean squared error",
    "The M, the S and the E are there. Is there an R in MSE?",
    "The mean of the squares, without a root.",
    LOSS,
)
known(
    "mse-half",
    "mseloss",
    "the loss is half the mean of the squared errors",
    "Some books divide by 2, to make the gradient simpler. PyTorch?",
    "The mean of the squares, without another factor.",
    LOSS,
)
known(
    "mse-two-missing",
    "mseloss",
    "the gradient of the prediction lacks the factor 2",
    "What is the derivative of u**2?",
    "d(loss)/dy = 2 (y - target) / n, times the upstream gradient.",
    LOSS,
)
known(
    "mse-sign",
    "mseloss",
    "the gradient of the prediction has the right size but the wrong sign",
    "The prediction is too high. Does the loss grow or shrink when it goes higher still?",
    "d(loss)/dy = 2 (y - target) / n: prediction - target.",
    LOSS,
)
known(
    "mse-gradient-not-averaged",
    "mseloss",
    "the gradient of the prediction is not divided by the number of elements",
    "The loss divides by n. What does that do to its derivative?",
    "d(loss)/dy = 2 (y - target) / n, times the upstream gradient.",
    LOSS,
)
known(
    "mse-gradient-averaged-twice",
    "mseloss",
    "the gradient of the prediction is divided by the number of elements once too often",
    "The mean divides by n. Does a rule on the way back, that of sum for example, divide once more?",
    "d(loss)/dy = 2 (y - target) / n; a sum hands its upstream gradient to every element, undivided.",
    LOSS,
)
known(
    "mse-upstream-missing",
    "mseloss",
    "the gradient is the same for every upstream gradient",
    "What if the loss is only a part of a larger one?",
    "d(loss)/dy = 2 (y - target) / n, times the upstream gradient.",
    LOSS,
)
known(
    "mse-gradient-not-error",
    "mseloss",
    "the gradient of the prediction is not 2 (y - target) / n",
    "Which difference tells how far the prediction is from the target?",
    "d(loss)/dy = 2 (y - target) / n, times the upstream gradient.",
    LOSS,
    ("the gradient is the sign of the error", gradient_only(lambda g, y, t: g * np.sign(y - t) / y.size)),
    ("the gradient is the sign of the error", gradient_only(lambda g, y, t: g * 2 * np.sign(y - t) / y.size)),
    ("every element gets the mean error", gradient_only(lambda g, y, t: g * 2 * (y - t).mean() + 0 * y)),
    ("the gradient is 0 everywhere", gradient_only(lambda g, y, t: 0 * y)),
    (
        "every element gets the mean of the gradients",
        gradient_only(lambda g, y, t: (g * 2 * (y - t) / y.size).mean() + 0 * y),
    ),
)
known(
    "mse-not-recorded",
    "mseloss",
    "the loss sends no gradient back to the prediction",
    "Does the loss compute with tensors, or with their arrays?",
    "Compute with y and y_target themselves, not with their data: the graph has to see them.",
    LOSS,
    cut("mse", 0),
    part(needs=lambda op, tensors: False),
)
known(
    "mse-target-sign",
    "mseloss",
    "the gradient of the target has the sign of the prediction's",
    "Nudge the target up instead of the prediction: does y - target go up, too?",
    "d(loss)/dtarget is -d(loss)/dy.",
    LOSS,
    rule("mse", lambda g, y, t: (g * 2 * (y - t) / y.size,) * 2),
)
known(
    "sum-axis-ignored",
    "mseloss",
    "the gradient of a sum over one axis does not get back into the shape of its input",
    "sum(x, axis=1) lost an axis. Which shape has its upstream gradient, and which one has x?",
    "Put the axis back first: np.expand_dims(base, axis), then repeat along it.",
    LOSS,
    gradient_only(axis_ignored),
)
