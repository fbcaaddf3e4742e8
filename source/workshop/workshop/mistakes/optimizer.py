"""Mistakes with the optimizer."""

from __future__ import annotations

import numpy as np

from workshop.changes import (
    decaying,
    first_only,
    forget_after,
    heavy_ball,
    in_place,
    moving,
    one_zero_instead,
    part,
    rebind,
    rebind_plain,
    rebind_recorded,
    rebind_with_gradient,
    stop_at_none,
    values_to_zero,
    zeros_instead,
)
from workshop.mistakes.known import known

# ---------------------------------------------------------------- SGD

SGD_TEXT = "Optimizer"


known(
    "sgd-uphill",
    "sgd",
    "step() goes uphill: it adds the gradient",
    "The gradient points to where the loss grows. Where do we want to go?",
    "Subtract: w - lr * gradient.",
    SGD_TEXT,
)
known(
    "sgd-rebinds",
    "sgd",
    "step() gives the parameter a new tensor: who holds the old one does not see the step",
    "Others may hold the tensor itself, as w does here. Do they see a new one?",
    "Change the array itself: data = parameter.tensor.data, then data -= ...",
    SGD_TEXT,
    moving(rebind),
    moving(rebind_plain),
    moving(rebind_with_gradient),
    moving(rebind_recorded),
)
known(
    "lr-ignored",
    "sgd",
    "step() does not use the learning rate it was given",
    "Try two values of lr: do the steps differ?",
    "Keep lr in __init__, and use self.lr in step().",
    SGD_TEXT,
)
known(
    "step-applied-twice",
    "sgd",
    "one step() moves as far as two",
    "How often does one call of step() change a parameter?",
    "Once per call: w - lr * gradient.",
    SGD_TEXT,
)
known(
    "step-averaged",
    "sgd",
    "step() divides the gradient by something",
    "The loss is a mean already. What is left to divide?",
    "w - lr * gradient, nothing else.",
    SGD_TEXT,
    ("step() moves along the mean of the gradient's elements", in_place(lambda w, g, lr: w - lr * g.mean())),
    ("step() divides by the length of the gradient", in_place(lambda w, g, lr: w - lr * g / np.sqrt((g**2).sum()))),
)
known(
    "step-other-formula",
    "sgd",
    "step() moves by something else than lr * gradient",
    "Which numbers take part in a step, and how often each?",
    "w - lr * gradient, nothing else.",
    SGD_TEXT,
)
known(
    "step-sign-only",
    "sgd",
    "step() uses the sign of the gradient only",
    "Should a steep place and a nearly flat one give the same step?",
    "w - lr * gradient.",
    SGD_TEXT,
    in_place(lambda w, g, lr: w - lr * np.sign(g)),
)
known(
    "step-replaces",
    "sgd",
    "step() replaces the parameter by the step",
    "Where do we step from?",
    "w - lr * gradient: the old value is still in there.",
    SGD_TEXT,
    in_place(lambda w, g, lr: -lr * g),
    in_place(lambda w, g, lr: lr * g),
    ("step() replaces the parameter by its gradient", in_place(lambda w, g, lr: g)),
    ("step() multiplies the parameter by the gradient", in_place(lambda w, g, lr: w - lr * g * w)),
)
known(
    "step-momentum",
    "sgd",
    "a step depends on the steps before it",
    "That is momentum, an extension. What does plain SGD know of the past?",
    "w - lr * gradient, afresh in every step.",
    SGD_TEXT,
    heavy_ball,
    *(("the learning rate shrinks with every step", decaying(factor)) for factor in (0.5, 0.9, 0.95, 0.99)),
)
known(
    "step-clears-gradient",
    "sgd",
    "step() removes the gradients",
    "Which method is for that?",
    "Leave the gradients alone in step(): zero_grad() removes them.",
    SGD_TEXT,
    part(step=forget_after),
)
known(
    "step-changes-copy",
    "sgd",
    "step() runs, and all parameters stay as they were",
    "What does step() write into? `data = data - ...` makes a new array and gives it a name.",
    "data -= self.lr * gradient changes the tensor's own array.",
    SGD_TEXT,
)
known(
    "step-changes-gradient",
    "sgd",
    "step() changes the gradient",
    "g = tensor.grad.data; g *= lr: whose array is g?",
    "Compute lr * gradient as a new array, and subtract that: data -= self.lr * gradient.",
    SGD_TEXT,
)
known(
    "step-first-only",
    "sgd",
    "only the first parameter is handled",
    "Is there a return inside the loop?",
    "Go through all of self.params.",
    SGD_TEXT,
    ("step() moves the first parameter only", first_only("step")),
    ("zero_grad() handles the first parameter only", first_only("zero_grad")),
)


known(
    "step-stops-at-none",
    "sgd",
    "after a parameter without gradient, step() leaves the others alone, too",
    "One parameter took no part in the loss. Why should the others wait?",
    "Skip this one parameter (continue, or an if around the update), and go on with the next.",
    SGD_TEXT,
    part(step=stop_at_none),
)
known(
    "step-crashes-on-none",
    "sgd",
    "step() fails when a parameter has no gradient",
    "What is the grad of a parameter that took no part in the loss?",
    "Skip a parameter whose tensor.grad is None.",
    SGD_TEXT,
)
known(
    "zero-grad-nothing",
    "sgd",
    "zero_grad() changes nothing: the old gradients remain",
    "Whose grad did you set? Ask the tensor afterwards.",
    "for parameter in self.params: parameter.tensor.grad = None.",
    SGD_TEXT,
    part(zero_grad=lambda optimizer: None),
)
known(
    "zero-grad-zeros",
    "sgd",
    "zero_grad() leaves zeros instead of None",
    "How would step() tell a parameter without gradient from one whose gradient is 0?",
    "parameter.tensor.grad = None.",
    SGD_TEXT,
    part(zero_grad=zeros_instead),
    part(zero_grad=one_zero_instead),
)
known(
    "zero-grad-resets-values",
    "sgd",
    "zero_grad() also changes the parameters",
    "Which of the two shall be forgotten: what was learned, or the gradient?",
    "Set parameter.tensor.grad = None, and leave the data alone.",
    SGD_TEXT,
    ("zero_grad() sets the parameters to 0, not their gradients", part(zero_grad=values_to_zero)),
)
known(
    "generator-consumed",
    "sgd",
    "only the first walk through the parameters finds any",
    "A generator is empty after one walk. How often do you go through the parameters?",
    "Keep a list: self.params = list(parameters).",
    SGD_TEXT,
    part(listed=lambda parameters: parameters),
    part(listed=lambda parameters: iter(list(parameters))),
)
