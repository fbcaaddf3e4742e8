"""What the notebook promises: the checks that ask it, and a wrong solution that loses these and no others.

As for the first notebook (source/workshop/author/promises.py). The wrong solutions are those of classify_corpus.py, and
those that were written blind: of corpus/blind/, and "second: ..." and so on of its folders.
"""

# ruff: noqa: E501 (quotes are read as they stand)

from __future__ import annotations

from promised import Promise

# How the paragraphs begin that say what a class or function does, beside those that name it.
PARAGRAPHS = (
    "**What you will build:**",
    "If several are the largest",
    "- **The values**",
    "- **The gradient**",
    "- **Without a gradient**",
    "- **What is remembered**",
    "`optimizer.lr` may",
    "**Weight decay** pulls",
    "Weight decay is added",
    "`AdamW` derives",
    "*10 minutes.* Every module",
    "Where could recording",
    "*10 minutes.* Most networks",
    "- **Names**",
    "- **Copies**",
    "- **In place**",
    "- **By name**",
    "- **No guessing**",
)
LARGE = "cross_entropy/log_softmax_large cross_entropy/loss_large"
SHARED = " ".join(
    f"optimizers/{kind}_{what}"
    for kind in ("adam", "adamw")
    for what in ("several", "without_gradient", "from_a_generator")
)
WITH_ADAM = "optimizers/adam_steps optimizers/adam_settings optimizers/adam_decay optimizers/adamw_steps"
PROMISES = {
    "functions": [
        Promise("exp(x), element by element", "functions/exp_gradient", "exp-rule-x"),
        Promise("log(x), element by element", "functions/log_gradient", "log-rule-times"),
        Promise("e to the power of each element.", "functions/exp_value", "exp-base-two"),
        Promise("The natural logarithm of each element.", "functions/log_value", "log-base-two"),
        Promise("the two rules, and the two methods.", "functions/exp_value", "exp-minus-one"),
        Promise("and returns a tuple with one gradient for each of them.", "functions/exp_gradient", "exp-no-upstream"),
        Promise(
            "As always, nothing that is handed in is changed,",
            "functions/exp_gradient functions/left_alone",
            "exp-in-place",
        ),
        Promise("neither tensors nor `base`.", "functions/left_alone", "second: log-rule-in-place"),
        Promise(
            "which remembers how it was made if x requires a gradient.", "functions/left_alone", "log-always-recorded"
        ),
        Promise("`sum_deriv`,", "functions/sum_gradient functions/mean_gradient", "sum-rule-own-shape"),
        Promise("x.sum(axis, keepdims).", "functions/sum_gradient functions/mean_gradient", "sum-rule-divides"),
        Promise("`x.sum(axis=None, keepdims=False)`", "functions/sum_value", "third: sum-default-axis-zero"),
        Promise("and `x.mean(axis=None, keepdims=False)`,", "functions/mean_value", "mean-is-sum"),
        Promise("for tensors of any number of dimensions.", "functions/mean_value", "mean-rows"),
        Promise("`axis` is `None`, for all elements,", "functions/sum_value", "third: sum-default-axis-zero"),
        Promise("or a whole number, also a negative one.", "functions/sum_value functions/mean_value", "sum-neg-axis"),
        Promise("The results are tensors,", "functions/exp_value", "exp-array"),
        Promise(
            "without dimensions where `axis` is `None` and `keepdims` is not asked for.",
            "functions/mean_value",
            "mean-keepdims",
        ),
        Promise(
            "The sum over an axis (None: over all elements).",
            "functions/sum_value functions/mean_value",
            "sum-axis-ignored",
        ),
        Promise(
            "axis: the dimension that is summed; negative ones count from the last.",
            "functions/sum_value functions/mean_value",
            "sum-neg-axis",
        ),
        Promise(
            "keepdims: whether it stays, with length 1.",
            "functions/sum_keepdims functions/mean_value",
            "sum-keepdims-ignored",
        ),
        Promise("The mean over an axis (None: over all elements).", "functions/mean_value", "mean-size"),
        Promise(
            "Both `sum` and `/` know their rules, so `mean` needs none.", "functions/mean_gradient", "mean-rule-sum"
        ),
        Promise("`max_deriv`,", "functions/max_gradient", "max-everywhere"),
        Promise("x.max(axis, keepdims).", "functions/max_gradient", "max-of-all"),
        Promise("and `x.max(axis=None, keepdims=False)`.", "functions/max_value", "max-is-min"),
        Promise(
            "The largest element along an axis (None: of all elements).", "functions/max_value", "max-axis-ignored"
        ),
        Promise(
            "If several are the largest, they *share it evenly*, as in `torch.amax`.",
            "functions/max_ties",
            "max-ties-all",
        ),
    ],
    "cross_entropy": [
        Promise("`softmax(x, axis=-1)`,", "cross_entropy/softmax_value", "softmax-axis-zero"),
        Promise("Each row (along `axis`) has a sum of its own.", "cross_entropy/softmax_value", "softmax-all"),
        Promise("along any axis, for scores of any size,", "cross_entropy/softmax_axis", "softmax-axis-last"),
        Promise("up to 1,000 and beyond, with gradients.", "cross_entropy/softmax_large", "softmax-no-maximum"),
        Promise(
            "Probabilities, positive and with the sum 1 along an axis,",
            "cross_entropy/softmax_value",
            "softmax-not-divided",
        ),
        Promise("from scores of any size.", "cross_entropy/softmax_large", "softmax-maximum-of-all"),
        Promise(
            "It is composed of what tensors can do; no new rule is needed.",
            "cross_entropy/softmax_gradient cross_entropy/softmax_large",
            "softmax-rule-diagonal",
        ),
        Promise("`log_softmax(x, axis=-1)`,", "cross_entropy/log_softmax_value", "log-softmax-axis-zero"),
        Promise("by this formula,", LARGE, "log-softmax-log-of-softmax"),
        Promise("along any axis.", "cross_entropy/log_softmax_axis", "second: log-softmax-always-rows"),
        Promise("The logarithm of softmax(x, axis),", "cross_entropy/log_softmax_value", "log-softmax-no-log"),
        Promise("also where that is too small for a number.", LARGE, "log-softmax-no-maximum"),
        Promise(
            "`CrossEntropyLoss`,",
            "cross_entropy/log_softmax_gradient cross_entropy/log_softmax_large",
            "log-softmax-rule-one-minus-p",
        ),
        Promise(
            "called with scores of shape $(n, C)$ and labels of shape $(n,)$,",
            "cross_entropy/loss_value",
            "loss-classes",
        ),
        Promise(
            "an array of whole numbers of any type (`int64`, `uint8`, ...).",
            "cross_entropy/loss_labels",
            "loss-changes-labels",
        ),
        Promise("It gives a tensor without dimensions.", "cross_entropy/loss_value", "loss-plain-number"),
        Promise("A scalar tensor.", "cross_entropy/loss_value", "loss-plain-number"),
        Promise(
            "up to 1,000 and beyond: you apply `log_softmax`, nobody else does.",
            "cross_entropy/loss_large",
            "loss-log-of-softmax",
        ),
        Promise(
            "One loss object is called again and again, with batches of any size.",
            "cross_entropy/loss_labels",
            "loss-remembers",
        ),
        Promise("Scores and labels stay as they are.", "cross_entropy/loss_labels", "loss-changes-labels"),
        Promise(
            "The mean over all rows of minus the logarithm of the right class's probability.",
            "cross_entropy/loss_value",
            "loss-sum",
        ),
        Promise("How far probabilities are from the right answers.", "cross_entropy/loss_value", "loss-sign"),
        Promise("scores: one for each class in each row, shape (n, classes).", "cross_entropy/loss_value", "loss-rows"),
        Promise(
            "labels: the right class of each row, whole numbers, shape (n,).",
            "cross_entropy/loss_gradient cross_entropy/loss_large",
            "loss-indexed",
        ),
    ],
    "optimizers": [
        Promise("Stochastic gradient descent, with momentum", "optimizers/sgd_momentum", "sgd-one-minus"),
        Promise("and weight decay.", "optimizers/sgd_decay", "sgd-no-decay"),
        Promise("With both 0 this is the `SGD` that you know.", "optimizers/sgd_plain", "sgd-uphill"),
        Promise("They change **in place**:", "optimizers/sgd_in_place", "sgd-rebinds"),
        Promise("It stays as it is:", "optimizers/sgd_in_place", "sgd-changes-gradient"),
        Promise("Move every parameter that has a gradient,", "optimizers/sgd_without_gradient", "sgd-stops"),
        Promise("in place.", "optimizers/adam_in_place optimizers/adamw_in_place", "adam-adamw-makes-tensors"),
        Promise(
            "where `grad` is `None`, a parameter is left alone: nothing of it changes,",
            "optimizers/sgd_without_gradient",
            "sgd-none-is-zero",
        ),
        Promise(
            "nor what is remembered of it.",
            "optimizers/adam_without_gradient optimizers/adamw_without_gradient",
            "adam-adamw-count-of-all",
        ),
        Promise("**What is remembered** belongs to one parameter,", SHARED, "adam-adamw-one-state"),
        Promise("in one optimizer.", "optimizers/sgd_memory", "sgd-of-class"),
        Promise(
            "It is still there after `zero_grad()`,",
            "optimizers/adam_memory optimizers/adamw_memory",
            "third: adam-state-of-class",
        ),
        Promise("and when somebody has given the parameter another tensor.", "optimizers/sgd_memory", "sgd-by-tensor"),
        Promise(
            "A dictionary with the `Parameter` objects as keys keeps it.",
            "optimizers/sgd_several optimizers/sgd_without_gradient optimizers/sgd_from_a_generator",
            "sgd-one-velocity",
        ),
        Promise("in a list or from a generator.", "optimizers/sgd_from_a_generator", "sgd-generator"),
        Promise(
            "`optimizer.lr` may be changed between two steps: a new rate counts from the next step on.",
            "optimizers/sgd_momentum",
            "second: rate-inside-the-velocity",
        ),
        Promise("**Weight decay** pulls every parameter a little toward 0,", "optimizers/sgd_decay", "sgd-decay-sign"),
        Promise("It is added to the gradient *before* all else:", "optimizers/sgd_decay", "sgd-decay-late"),
        Promise(
            "Steps of about the same size for every parameter, whatever the size of its gradients.",
            "optimizers/adam_first optimizers/adamw_steps",
            "adam-adamw-no-root",
        ),
        Promise("Weight decay is added to the gradient, as in `SGD`.", "optimizers/adam_decay", "adam-decoupled"),
        Promise(
            r"What is remembered are $m$ and $v$ as they are, not the corrected ones.", WITH_ADAM, "adam-adamw-stored"
        ),
        Promise(
            "added to the root, not inside of it.",
            "optimizers/adam_settings optimizers/adamw_steps",
            "adam-adamw-eps-inside",
        ),
        Promise("`AdamW` derives from your `Adam`:", "optimizers/adamw_steps", "adamw-decay-after"),
        Promise(
            "Adam, with the weight decay beside the gradient and not in it.",
            "optimizers/adamw_steps",
            "adamw-decay-in-gradient",
        ),
        Promise("weight_decay: float = 0.01,", "optimizers/adamw_default", "adamw-default-decay"),
    ],
    "modes": [
        Promise("Every module has an attribute `training`, `True` at first.", "modes/train_eval", "mode-new-in-eval"),
        Promise("`module.eval()` sets it to `False`,", "modes/train_eval", "mode-exchanged"),
        Promise("in the module and in all modules below, at any depth;", "modes/below", "mode-one-level"),
        Promise("`module.train()` sets it to `True` again.", "modes/train_eval", "mode-exchanged"),
        Promise(
            "Both return the module itself, so that `model = Network().eval()` can be written.",
            "modes/train_eval",
            "mode-no-return",
        ),
        Promise(
            "(A module that is added later is in training, until one of them is called again.)",
            "modes/train_eval",
            "mode-of-class",
        ),
        Promise(
            "Nothing else changes: parameters can be trained in both modes.", "modes/below", "mode-eval-stops-learning"
        ),
        Promise("Set `training` to True, here", "modes/train_eval", "mode-exchanged"),
        Promise("Set `training` to False, here", "modes/train_eval", "mode-of-class"),
        Promise("and in all modules below; returns this module.", "modes/below", "mode-own-only"),
        Promise("While training, drops each element with probability p;", "modes/dropout_share", "dropout-never"),
        Promise("1 / (1 - p) times the others.", "modes/dropout_scale", "dropout-unscaled"),
        Promise("`forward` of `Dropout(p)`,", "modes/dropout_gradient", "dropout-new-mask-back"),
        Promise(r"for $0 \le p < 1$", "modes/dropout_scale", "dropout-default"),
        Promise("and inputs of any shape.", "modes/dropout_elements", "dropout-of-rows"),
        Promise("Of any shape.", "modes/dropout_elements", "dropout-of-columns"),
        Promise("With $p = 0$ nothing is dropped.", "modes/dropout_eval", "dropout-zero-is-default"),
        Promise("In evaluation, dropout hands its input on as it is.", "modes/dropout_eval", "dropout-in-eval"),
        Promise("anew in each forward pass.", "modes/dropout_elements", "dropout-one-mask-of-init"),
        Promise(
            "`with no_grad():` what is computed inside is not recorded.", "modes/no_grad_inside", "no-grad-nothing"
        ),
        Promise(
            "the result of an operation forgets both, while `no_grad.inside` is not 0.",
            "modes/no_grad_inside",
            "no-grad-flag-only",
        ),
        Promise(
            "A *leaf*, a tensor that no operation has made, has no `crossOpBack` and keeps what it asks for: "
            "`MyTensor([1.0], requires_grad=True)` requires a gradient in such a block, too.",
            "modes/no_grad_leaves",
            "no-grad-leaves",
        ),
        Promise("`__enter__` and `__exit__` of `no_grad`.", "modes/no_grad_after", "no-grad-stays"),
        Promise(
            "Blocks may stand in one another, and after the inner one the outer one still holds.",
            "modes/no_grad_nested",
            "no-grad-nested",
        ),
        Promise(
            "To make such an object, `no_grad()` without `with`, changes nothing yet.",
            "modes/no_grad_after",
            "no-grad-at-once",
        ),
        Promise(
            "Modes are another matter: dropout that drops outside of such a block drops in it, too.",
            "modes/no_grad_leaves",
            "second: no-grad-stops-dropout",
        ),
        Promise(
            "*however* it ends: also when something in it raises an exception, which then goes on",
            "modes/no_grad_exception",
            "no-grad-swallows",
        ),
    ],
    "networks": [
        Promise("Modules one after the other.", "networks/order", "sequential-reversed"),
        Promise("each module gets what the one before it gives,", "networks/order", "sequential-first"),
        Promise("and gradients go back through all of it.", "networks/through", "sequential-detached"),
        Promise("`Sequential()` hands on its input.", "networks/order", "sequential-empty-gives-none"),
        Promise(
            "A `Sequential` may stand in another one, a module in two places, and there may be more than ten of them.",
            "networks/order",
            "seq-same-input",
        ),
        Promise(
            "Its `parameters()` are those of all its modules,",
            "networks/inside networks/nested_names",
            "sequential-not-registered",
        ),
        Promise(
            "which come from `MyModule` if the modules are registered under these names.",
            "networks/nested_names",
            "sequential-from-one",
        ),
        Promise("`kaiming_normal(parameter)`.", "networks/filled_in_place", "kaiming-seeded"),
        Promise("It fills the weight of a linear layer in place,", "networks/filled_in_place", "kaiming-new-tensor"),
        Promise("with normal random numbers, of the mean 0", "networks/normal", "kaiming-uniform"),
        Promise(r"and the standard deviation $\sqrt{2 / \text{in}}$.", "networks/spread", "kaiming-variance"),
        Promise(
            r"A weight of `Linear` has the shape $(\text{in}, \text{out})$, so $\text{in}$ is the length of its first "
            "dimension.",
            "networks/spread",
            "kaiming-fan-out",
        ),
        Promise(
            "Fill the weight of a linear layer, shape (inputs, outputs), in place, with random numbers.",
            "networks/filled_in_place",
            "kaiming-new-tensor",
        ),
        Promise(
            "They are normal, with the mean 0 and the standard deviation sqrt(2 / inputs).",
            "networks/normal",
            "kaiming-positive",
        ),
        Promise(
            "**Names** are the attributes' names on the way down, with dots between them:",
            "networks/nested_names",
            "state-underscores",
        ),
        Promise('`"hidden.weight"`, or `"0.bias"` in a `Sequential`.', "networks/nested_names", "sequential-named"),
        Promise("A shared parameter stands under each of its names.", "networks/nested_names", "state-once"),
        Promise('All parameters, by names such as "hidden.weight".', "networks/nested_names", "state-own"),
        Promise("Copies of all parameters' arrays, by these names.", "networks/names", "state-tensors"),
        Promise("`module.state_dict()` gives them by name, as arrays;", "networks/names", "state-lists"),
        Promise(
            "**Copies**: what is in the dictionary does not change when training goes on,",
            "networks/copies",
            "state-references",
        ),
        Promise(
            "nor does what was loaded change when somebody writes into the dictionary.",
            "networks/load",
            "load-references",
        ),
        Promise(
            "**In place**: loading changes the arrays that are there; the parameters keep their tensors, which "
            "optimizers know.",
            "networks/load",
            "load-new-tensors",
        ),
        Promise("Copy arrays into the parameters.", "networks/load", "load-own-only"),
        Promise("**By name**: in the dictionary the names may stand in any order,", "networks/load", "ld-by-order"),
        Promise("and loading leaves it as it is.", "networks/load", "load-empties"),
        Promise("**No guessing**: a name that is missing in the dictionary,", "networks/refused", "load-takes-missing"),
        Promise("or that the module does not have, raises `KeyError`;", "networks/refused", "load-takes-unexpected"),
        Promise("an array of another shape raises `ValueError`.", "networks/refused", "load-takes-shapes"),
        Promise("Both say in a sentence what is wrong,", "networks/refused", "load-bare-names"),
        Promise("and then *nothing* has been changed.", "networks/refused", "load-half"),
        Promise("KeyError: for a name that is missing, or too many.", "networks/refused", "load-takes-unexpected"),
        Promise("ValueError: for an array of another shape.", "networks/refused", "load-takes-shapes"),
        Promise("Nothing is changed then.", "networks/refused", "load-half"),
    ],
}
NOTHING = {
    "given: no learner writes it": [
        "A tensor of these values,",
        "(Given.)",
        "rule: called with the upstream gradient, x and all of `more`; gives one gradient for each of them, None for what is "
        'no tensor. name: of the operation, such as "ExpBackward". more: what else the rule needs, such as an axis.',
        "Goes on with the class of minitorch.py.",
        "`record`, which is given, makes the result and has it remember the rule.",
        "It is called with the values, the rule, a "
        "name, the tensor, and what else the rule needs. A rule gets `base` and these inputs,",
        "Forget the gradients.",
        "Where could recording be switched off? Every operation makes its result by `MyTensor(values, requires_grad=True, "
        "crossOpBack=...)`. So the constructor is the one place, and the cell below extends it:",
        "- **The values** are the array `parameter.tensor.data`.",
        "- **The gradient** is the tensor `parameter.tensor.grad`, so its array is `parameter.tensor.grad.data`.",
        "`class MyModule(MyModule):` with `@extends` grows the class of `minitorch.py`, so that `Linear` and `ReLU` have them, "
        "too. The sub-modules are in `self.__sub_modules`, a dictionary by name; since the class here has the same name as "
        "the one there, the two underscores mean the same.",
        "`MyModule` registers a module that is assigned to an attribute, as in `self.hidden = Linear(64, 32)`; into lists it "
        "does not look.",
    ],
    "our recommendation: who organizes it otherwise passes, too": [
        "Axis and keepdims get no gradient, so None.",
        "`data = parameter.tensor.data`, then `data -= ...`, as others hold this array, too.",
        "`parameter.tensor.data -= ...` in one line raises an error here, unlike in PyTorch.",
        "`base` is $G$, the gradient of the result, as an array.",
        "`gradient + ...` makes a new array, `gradient += ...` would not. (In a library of your own `grad` may be an array. "
        "Then leave the last `.data` out.)",
        "all that you do not write again is Adam's.",
        "`named_parameters` is a stepping stone: all parameters, by name.",
    ],
    "says why, or what for": [
        "**What you will build:**",
        "the two methods.",
        "these two methods.",
        "`Sequential`.",
        "(Nobody is right there: at such a place is a kink, as ReLU has at 0.)",
        "Scores are those of a network as they are,",
        "- **Without a gradient**,",
        "as if by a spring, so that none grows large without need.",
        "Nearly all large networks of today are trained with it.",
        "*10 minutes.*",
        "Most networks are modules one after the other.",
        "`Sequential(Linear(64, 32), ReLU(), Linear(32, 10))` is such a network, in one line:",
        "(PyTorch's weights are turned around.)",
        "`x.exp()`, `x.log()`, `x.sum()`, `x.mean()` and `x.max()`. (The first notebook had a sum as a function.",
        "**A class that grows over two files.** `MyTensor` is in `minitorch.py`, and now gets new methods here.",
        "It would not be enough now: the operators in `minitorch.py` use the name `MyTensor` *of their own file*.",
        "The same goes for `MyModule` later: all layers that exist learn what you add to it. (You may as well assign a "
        "function, `MyTensor.length = length`.",
        "*15 minutes.* NumPy's `sum` takes an `axis`: the dimension that is summed, and then is gone.",
        "With the upstream gradient `[10, 20]` of `x.sum(axis=1)`, `x` receives `[[10, 10, 10], [20, 20, 20]]`.",
        "`x.max(axis=1)` is `[3, 2]`.",
        "You build three, `SGD`, `Adam` and `AdamW`.",
        "In `step`, for each `parameter`:",
        "In PyTorch, what is computed in a block `with torch.no_grad():` is not recorded: results require no gradient, even if "
        "their inputs do.",
        "such a dictionary can be put into a file, and `module.load_state_dict(state)` puts it into another network of the "
        "same form.",
    ],
    "about a picture, or what to play with": [
        "Plain `SGD` has to be careful for the sake of $y$.",
        r"`SGD` jumps from side to side, as $1 - 0.9 \cdot 2 = -0.8$ of $y$ is left after each step, and crawls along the "
        "valley.",
        "Which rate of `SGD` is too large?",
        "**Your turn:** `Dropout(0.1)`, `Dropout(0.9)`, and `Dropout(0.5).eval()`.",
    ],
}
