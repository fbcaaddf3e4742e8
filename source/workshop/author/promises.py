"""What the notebook promises: the checks that ask it, and a wrong solution that loses these and no others.

Promises that say the same, in two places or in other words, may share checks and solution.

A learner reads the promises and is judged by the checks. test_promises.py fails where a promise of the text is asked by
no check, a check asks what no text promises, or no wrong solution loses a promise's checks and no others.
"""

from __future__ import annotations

from promised import Promise

# How the paragraphs begin that say what a class or function does, beside those that name it.
PARAGRAPHS = (
    "**What you will build:**",
    "- Only leaves",
    "*Broadcasting* repeats",
    "The rule for `parameters()`",
    "Later `Linear`",
    "A **linear layer**",
    "The bias $b$",
    "**The weights start random.**",
    "**ReLU** (rectified",
    "Its derivative",
    "$$W",
    "**In code.**",
    "$$L =",
    "Now your network, `SuperModel`",
    "The loop, `train`",
    "- In each epoch shuffle",
    "- With each mini-batch",
    "- Log one number",
    "`train` may be given",
)

ANY_MODEL = (
    "train/train_step train/train_forgets train/train_pairs train/train_batches train/train_losses train/train_live"
)
PROMISES = {
    "answer": [
        Promise("The digit with the highest score.", "answer/highest", "answer-of-the-lowest"),
        Promise("scores: one for each digit, that of 0 first;", "answer/highest", "answer-counted-from-one"),
        Promise("all of them may be negative.", "answer/all_negative", "answer-above-zero"),
    ],
    "strides": [
        Promise("The strides, in bytes,", "strides/one_dimension", "strides-of-elements"),
        Promise("of an array whose elements lie row after row.", "strides/two_dimensions", "strides-by-columns"),
        Promise(
            "shape: the lengths of any number of dimensions; () is a scalar.",
            "strides/any_dimensions",
            "strides-of-one-length",
        ),
        Promise("itemsize: how many bytes one element takes.", "strides/one_dimension", "strides-of-doubles"),
    ],
    "numeric": [
        Promise("The derivative of f at x,", "numeric/one_number", "numeric-without-two"),
        Promise("by the central difference.", "numeric/central", "numeric-looks-right"),
        Promise(
            "f: from a number to a number; from an array to an array, element by element.",
            "numeric/arrays",
            "numeric-sums",
        ),
        Promise("x: a number, or an array, which stays as it is.", "numeric/arrays", "numeric-steps-in-place"),
        Promise("h: the step to each side.", "numeric/central", "numeric-own-h"),
        Promise("A number, or an array with the derivative at each element.", "numeric/arrays", "numeric-sums"),
    ],
    "unbroadcast": [
        Promise(
            "which folds a gradient back to the shape of the operand",
            "unbroadcast/new_axes unbroadcast/length_one",
            "fold-returns-what-it-gets",
        ),
        Promise("and leaves the one that it is given as it is.", "unbroadcast/both", "fold-writes-into-its-gradient"),
        Promise("over the axes that were stretched,", "unbroadcast/equal_shapes", "fold-sums-all"),
    ],
    "rules": [
        Promise("left - right", "rules/sub_deriv", "rule-sub-sign"),
        Promise("left * right, element by element", "rules/mul_deriv", "rule-mul-own-operand"),
        Promise("left / right, element by element", "rules/div_deriv", "rule-div-sign"),
        Promise("tensor ** power.", "rules/pow_deriv", "rule-pow-no-factor"),
        Promise("and 0 where $n = 0$ |", "rules/pow_zero", "rule-pow-at-zero"),
        Promise(
            "Like it, each rule of two operands ends with `unbroadcast`, so that every gradient gets the shape of its "
            "own operand.",
            "rules/stretched",
            "rule-mul-unfolded",
        ),
    ],
    "tensor": [
        Promise("`MyTensor`, a class that wraps a NumPy array,", "tensor/create", "data-as-list"),
        Promise("records the operations it takes part in,", "tensor/records", "operation-under-another-name"),
        Promise("and differentiates them.", "tensor/programs", "products-share-what-they-keep"),
        Promise("An n-dimensional array", "tensor/create", "constructor-makes-integers"),
        Promise("that can record the operations it takes part in.", "tensor/records", "operation-under-another-name"),
        # The constructor, and what can be read of a tensor
        Promise("**Data** may be a list", "tensor/create", "constructor-makes-integers"),
        Promise("or tuple (also nested),", "tensor/kinds", "tuples-refused"),
        Promise("a NumPy array,", "tensor/create", "data-as-list"),
        Promise("a NumPy number,", "tensor/kinds", "numbers-of-numpy-refused"),
        Promise("an `int` or a `float`.", "tensor/kinds", "number-becomes-a-row"),
        Promise("Anything else (text, `None`, a dictionary) raises `TypeError`.", "tensor/refuse", "anything-goes-in"),
        Promise("raises `TypeError`.", "tensor/refuse", "text-raises-value-error"),
        Promise("Copy what you are given, as `torch.tensor` does.", "tensor/copied tensor/independent", "array-kept"),
        Promise("**`dtype`** is the array's:", "tensor/types", "dtype-as-asked-only"),
        Promise("the one that was asked for,", "tensor/types", "dtype-forgotten"),
        Promise("else NumPy's choice.", "tensor/types", "float-arrays-widened"),
        Promise(
            "**`grad`** will hold it: it is `None` at first.", "tensor/attributes", "grad-of-leaves-starts-at-zero"
        ),
        Promise(
            "**`backward_op`** is the operation that made the tensor,",
            "tensor/records",
            "operation-under-another-name",
        ),
        Promise("`None` on a leaf.", "tensor/attributes", "leaves-have-an-operation"),
        Promise("**`data`** (the array itself, no copy),", "tensor/indexing", "data-gives-a-copy"),
        Promise("**`shape`**, **`strides`** (NumPy's, in bytes)", "tensor/attributes", "strides-like-torch"),
        Promise("and **`size`** (the number of elements)", "tensor/attributes", "size-by-len"),
        Promise(
            "are read-only properties: to assign one raises `AttributeError`.",
            "tensor/attributes",
            "data-with-a-setter",
        ),
        Promise("**`repr`** shows the values", "tensor/printing", "repr-shows-shape"),
        Promise("and `requires_grad`.", "tensor/printing", "repr-of-array"),
        Promise(
            "**Indexing**: `tensor[0, 1]` gives plain NumPy values.",
            "tensor/indexing",
            "index-wraps",
        ),
        Promise("`tensor[0, 1] = 5` writes.", "tensor/indexing", "write-row-then-column"),
        # The operators: values, and what is recorded
        Promise("**Operators**: `+`,", "tensor/add", "add-takes-subtract"),
        Promise("`-`,", "tensor/sub", "sub-backwards"),
        Promise("`*`,", "tensor/mul", "mul-by-dot"),
        Promise("`/`,", "tensor/div", "div-whole-quotient"),
        Promise("`**` (a number as the power)", "tensor/power", "pow-whole-exponents-only"),
        Promise("and unary minus,", "tensor/negative", "neg-returns-self"),
        Promise(
            "with tensors and with numbers on either side.",
            "tensor/add_numbers tensor/sub_numbers tensor/mul_numbers tensor/div_numbers",
            "only-tensors-as-operands",
        ),
        Promise("`b.__radd__(a)` | `2 + x` |", "tensor/add_numbers", "radd-missing"),
        Promise("`b.__rsub__(a)` | `5 - x`: the 5 is still on the left |", "tensor/sub_numbers", "rsub-not-reflected"),
        Promise("`b.__rmul__(a)` | `3 * x` |", "tensor/mul_numbers", "rmul-missing"),
        Promise("`b.__rtruediv__(a)` | `6 / x` |", "tensor/div_numbers", "rdiv-not-reflected"),
        Promise(
            "The result is a `MyTensor`.",
            "tensor/add tensor/sub tensor/mul tensor/div tensor/negative tensor/flag tensor/records",
            "results-are-arrays",
        ),
        Promise("It requires a gradient if any operand does.", "tensor/flag", "flag-of-the-tensor-asked"),
        Promise("If none does, nothing is recorded.", "tensor/records", "operation-always-recorded"),
        # The rules
        Promise("left + right.", "tensor/add_gradient", "add-with-rule-of-sub"),
        Promise("left - right", "tensor/sub_gradient", "sub-right-not-negated"),
        Promise("left * right, element by element", "tensor/mul_gradient", "mul-right-copied"),
        Promise("left / right, element by element", "tensor/div_gradient", "div-denominator-not-squared"),
        Promise("tensor ** power.", "tensor/power_gradient", "pow-same-exponent"),
        Promise("| $a + b$ | $G$ | $G$ |", "tensor/add_gradient", "add-upstream-forgotten-on-the-right"),
        Promise("| $a - b$ | $G$ | $-G$ |", "tensor/sub_gradient", "sub-signs-exchanged"),
        Promise(r"| $a \cdot b$ | $G \cdot b$ | $G \cdot a$ |", "tensor/mul_gradient", "mul-minus-on-the-right"),
        Promise(r"| $a / b$ | $G / b$ | $-G \cdot a / b^2$ |", "tensor/div_gradient", "div-left-times-right"),
        Promise(r"| $x^n$ | $G \cdot n x^{n-1}$,", "tensor/power_gradient", "pow-without-n"),
        Promise("and 0 where $n = 0$ |", "tensor/power_zero", "power-zero-divides"),
        Promise("| $-x$ | $-G$ | |", "tensor/negative_gradient", "neg-hands-on-unchanged"),
        Promise("A plain number as an operand is a constant:", "tensor/numbers_gradient", "number-in-the-graph"),
        Promise(
            "*Broadcasting* repeats elements, and each repetition is one more path. So the gradient of a stretched "
            "operand is the **sum** over the stretched dimensions.",
            "tensor/broadcast_new_axes tensor/broadcast_length_one",
            "unbroadcast-by-mean",
        ),
        Promise(
            "a gradient always has the shape of *its tensor*.",
            "tensor/broadcast_new_axes tensor/broadcast_length_one",
            "unbroadcast-nothing",
        ),
        Promise("an operand of shape `(3,)` gets `[5, 7, 9]`,", "tensor/broadcast_new_axes", "new-axes-first-row"),
        Promise(
            "one of shape `(2, 1)` gets `[[6], [15]]`,",
            "tensor/broadcast_length_one",
            "stretched-axes-first-element",
        ),
        Promise("and one of shape `()` gets `21`.", "tensor/broadcast_new_axes", "unbroadcast-one-new-axis"),
        Promise(
            "Undo broadcasting: sum `gradient` over the axes that were stretched, down to `shape`.",
            "tensor/broadcast_new_axes tensor/broadcast_length_one",
            "unbroadcast-nothing",
        ),
        Promise(
            "one gradient for each input, in that input's shape.", "tensor/broadcast_operators", "mul-not-unbroadcast"
        ),
        # The walk
        Promise(
            "Gradients that arrive at the same place *accumulate*: we add, we do not overwrite.",
            "tensor/paths",
            "path-replaces-path",
        ),
        Promise(
            "every path contributes, and the contributions are **added**:",
            "tensor/paths tensor/late_use",
            "walk-on-arrival",
        ),
        Promise(
            "`backward` goes through such an order from its end, so each tensor is visited once, when all "
            "contributions to it have arrived.",
            "tensor/visited_once",
            "walk-along-paths",
        ),
        Promise(
            "- Only leaves keep their gradient, in `grad`:", "tensor/leaves_only", "every-tensor-keeps-its-gradient"
        ),
        Promise(
            "**`backward(base)`** starts with the upstream gradient `base`, a `MyTensor` in the tensor's own shape;",
            "tensor/upstream",
            "base-never-used",
        ),
        Promise("It *adds* to the `grad`", "tensor/accumulate", "new-grad-replaces-old"),
        Promise("of every leaf that requires one;", "tensor/constants", "constants-followed"),
        Promise("all other tensors keep none.", "tensor/leaves_only", "every-tensor-keeps-its-gradient"),
        Promise(
            "On a leaf itself it adds `base` to the leaf's `grad`.", "tensor/leaves_only", "leaf-has-nothing-to-walk"
        ),
        Promise(
            "For a tensor that requires no gradient it does nothing.", "tensor/constants", "backward-ignores-the-flag"
        ),
        Promise(
            "If `y` has many elements, that number is $L$, the sum of all elements of `base` times `y`, and the "
            "gradients are those of $L$.",
            "tensor/upstream",
            "base-never-used",
        ),
        Promise(
            "Without a `base` take ones: then $L$ is the sum of `y`'s elements.", "tensor/upstream", "upstream-averaged"
        ),
        Promise(
            "Add the gradient of sum(base * self) to the `grad` of every leaf that requires one.",
            "tensor/paths",
            "consumers-as-a-set",
        ),
        Promise("base: the upstream gradient, in this tensor's shape.", "tensor/upstream", "base-never-used"),
        Promise("None means ones.", "tensor/upstream", "upstream-own-values"),
        Promise("**The graph** stays as it is:", "tensor/walk_again", "graph-taken-apart"),
        Promise(
            "`backward` may walk it again, also from another result that shares a part of it, and each walk adds its "
            "own gradients.",
            "tensor/walk_again",
            "sums-of-an-earlier-walk",
        ),
        Promise("It may be thousands of operations long.", "tensor/visited_once", "walk-sorted-by-recursion"),
        Promise("**Memory**: nothing that is handed in is changed,", "tensor/untouched", "neg-turns-its-operand"),
        Promise("neither operands nor the array in `data`.", "tensor/untouched", "neg-turns-its-operand"),
        Promise(
            "No two tensors or gradients share memory: writing into one leaves all others as they are.",
            "tensor/independent",
            "power-one-is-the-tensor",
        ),
        Promise(
            "No two tensors or gradients share memory: writing into one leaves all others as they are.",
            "tensor/independent",
            "slots-grad-not-copied",
        ),
        Promise(
            "- **Memory**, once more: `base` is not changed either,",
            "tensor/untouched",
            "rule-of-mul-writes-into-base",
        ),
        Promise("and what is kept in a `grad` is an array of its own.", "tensor/independent", "slots-grad-not-copied"),
    ],
    "module": [
        Promise(
            "`parameters()`, which collects all parameters in the tree.", "module/own", "parameters-start-at-children"
        ),
        Promise(
            "A name assigned again replaces its old entry.", "module/reassigned", "parameters-cached-at-first-call"
        ),
        Promise(
            "The rule for `parameters()`: each parameter **once**,", "module/shared", "parameters-concatenated-lists"
        ),
        Promise("at any depth.", "module/deep", "parameters-children-not-grandchildren"),
        Promise("Two modules may share one parameter,", "module/shared", "parameters-only-modules-once"),
        Promise("and one module may appear in two places.", "module/shared", "tensor-parameter-each-walk-forgets"),
        Promise(
            "Sharing means being the same object (`is`), not having equal values.",
            "module/alike",
            "parameters-keyed-by-text",
        ),
        Promise(
            "A part of a network: it owns parameters and smaller modules,",
            "module/nested",
            "parameters-walk-never-extended",
        ),
        Promise("and computes with them.", "module/calling", "call-without-return"),
        Promise(
            "`module(x)` is `module.forward(x)`, which the subclass defines.", "module/calling", "call-without-return"
        ),
        Promise("All parameters of this module", "module/own", "parameters-gives-tensors"),
        Promise("and of the modules in it,", "module/nested", "parameters-own-dictionary-only"),
        Promise("each one once.", "module/alike", "parameters-keyed-by-name"),
        Promise("each one once.", "module/shared", "parameters-concatenated-lists"),
    ],
    "matmul": [
        Promise("`matmul(a, b)`, the matrix product", "matmul/matmul_value", "matmul-star"),
        Promise("that records itself, and its rule.", "matmul/matmul_left matmul/matmul_right", "matmul-new-leaf"),
        Promise(
            "In general, for $A$ of shape $(n, k)$ and $B$ of shape $(k, m)$ the product $C = AB$ has shape $(n, m)$, "
            "and",
            "matmul/matmul_value",
            "matmul-result-turned",
        ),
        Promise(r"C_{ij} = \sum_{l=1}^{k} A_{il} B_{lj}", "matmul/matmul_value", "matmul-products-not-summed"),
        Promise(
            r"\frac{\partial L}{\partial A_{il}} = \sum_{j=1}^{m} G_{ij} B_{lj}",
            "matmul/matmul_left",
            "matmul-rule-left-negated",
        ),
        Promise(
            r"\frac{\partial L}{\partial B_{lj}} = \sum_{i=1}^{n} A_{il} G_{ij}",
            "matmul/matmul_right",
            "matmul-rule-right-averaged-over-rows",
        ),
        Promise(
            "Later `Linear` will also be given a single row: $A$ of shape $(k,)$.",
            "matmul/matmul_row_gradients",
            "matmul-rule-for-batches-only",
        ),
        Promise(
            "It counts as one of shape $(1, k)$; the product then has shape $(m,)$,",
            "matmul/matmul_row",
            "matmul-row-stays-a-batch",
        ),
        Promise("and the gradient of $A$ shape $(k,)$.", "matmul/matmul_row_gradients", "matmul-rule-for-batches-only"),
        Promise(
            "left @ right: (n, k) @ (k, m) -> (n, m),",
            "matmul/matmul_left matmul/matmul_right",
            "matmul-rule-returns-right-first",
        ),
        Promise("or for one row (k,) @ (k, m) -> (m,)", "matmul/matmul_row_gradients", "matmul-rule-for-batches-only"),
        Promise("The matrix product of a, (n, k) or (k,), and b, (k, m).", "matmul/matmul_value", "matmul-left-turned"),
        Promise(
            "It is recorded when one of them requires a gradient.",
            "matmul/matmul_left matmul/matmul_right",
            "matmul-recorded-if-both",
        ),
        Promise(
            "The functions and layers that you will build on `MyTensor` keep to this, too.",
            "matmul/matmul_untouched",
            "matmul-rule-clears-upstream",
        ),
    ],
    "linear": [
        Promise(
            "the two layers that your network will be made of,",
            "linear/any_network",
            "linear-remembers-its-first-answer",
        ),
        Promise("as modules.", "linear/linear_parameters linear/linear_weight", "linear-weight-in-a-list"),
        Promise(
            "Two parameters: self.weight (random) and self.bias.",
            "linear/linear_parameters",
            "linear-with-a-third-parameter",
        ),
        Promise(
            "A **linear layer** turns rows of `input_size` numbers into rows of `output_size` numbers, one for each of "
            "its *units*. Inputs come in a *batch*: $n$ of them at once, one in each row.",
            "linear/linear_batch linear/linear_weight linear/linear_bias linear/linear_input",
            "linear-weight-out-in-not-turned",
        ),
        Promise(
            "The bias $b$ is added to each row by broadcasting.", "linear/linear_bias", "linear-forward-without-bias"
        ),
        Promise(
            "Backward, the weight, the bias and the input all receive a gradient.",
            "linear/linear_weight linear/linear_bias linear/linear_input",
            "linear-all-from-data",
        ),
        Promise("This is also the gradient of $b$;", "linear/linear_bias", "fused-bias-of-first-row"),
        Promise("that of $W$ is", "linear/linear_weight", "fused-weight-turned"),
        Promise("**The weights start random.**", "linear/linear_random", "linear-zeros"),
        Promise(
            r"We draw them uniformly from $\left(-\frac{1}{\sqrt{\text{in}}}, \frac{1}{\sqrt{\text{in}}}\right)$,",
            "linear/linear_random",
            "linear-weights-not-a-number",
        ),
        Promise("anew for each layer.", "linear/linear_random", "linear-seeded-in-init"),
        Promise("Both signs are needed,", "linear/linear_random", "linear-weights-of-rand"),
        Promise(
            "and the size matters: weights of size 1 make sums that grow with every layer.",
            "linear/linear_random",
            "linear-weights-between-minus-one-and-one",
        ),
        Promise(
            "y = x @ weight + bias",
            "linear/linear_batch linear/linear_weight linear/linear_bias linear/linear_input",
            "linear-weight-times-x",
        ),
        Promise(
            "x @ weight + bias",
            "linear/linear_batch linear/linear_weight linear/linear_bias linear/linear_input",
            "linear-weight-times-x",
        ),
        Promise("x: one row, shape (input_size,),", "linear/linear_row", "linear-row-wrapped"),
        Promise(
            "or a batch, shape (n, input_size).",
            "linear/linear_batch linear/linear_weight linear/linear_bias linear/linear_input",
            "slots-weight-not-turned",
        ),
        Promise("shape (output_size,) or (n, output_size).", "linear/linear_row", "linear-bias-as-matrix"),
    ],
    "relu": [
        Promise("**ReLU** (rectified linear unit) works element by element:", "relu/relu_value", "relu-maximum-of-all"),
        Promise(r"\mathrm{relu}(x) = \max(x, 0)", "relu/relu_value", "relu-takes-abs"),
        Promise("Its derivative is 1 for $x > 0$ and 0 for $x < 0$.", "relu/relu_gradient", "relu-rule-of-abs"),
        Promise(
            "At 0 there is a kink and no derivative; we take 0, as PyTorch does.",
            "relu/relu_kink",
            "relu-rule-at-least-zero",
        ),
        Promise("max(x, 0), element by element", "relu/relu_value", "relu-maximum-of-all"),
        Promise(
            "The functions and layers that you will build on `MyTensor` keep to this, too.",
            "relu/relu_untouched",
            "relu-cuts-its-input",
        ),
        Promise(
            "The functions and layers that you will build on `MyTensor` keep to this, too.",
            "relu/relu_apart",
            "relu-hands-its-input-on",
        ),
    ],
    "sgd": [
        Promise("`SGD`, the object that changes the parameters.", "sgd/step", "step-on-a-copy"),
        Promise(
            "It is given the network's `parameters()` and has two methods:",
            "sgd/step_walks",
            "sgd-keeps-what-it-is-given",
        ),
        Promise("`zero_grad()` sets all their gradients to `None`,", "sgd/zero_grad", "zero-grad-tensor-of-zeros"),
        Promise("and `step()` applies them.", "sgd/step", "step-local-name-rebound"),
        Promise(r"$$W \leftarrow W - \mathrm{lr} \cdot \frac{\partial L}{\partial W}$$", "sgd/step", "step-adds"),
        Promise(r"\mathrm{lr} \cdot \frac{\partial L}{\partial W}", "sgd/step_lr", "lr-not-stored"),
        Promise(
            "Others may hold the same tensor, so `step` changes its array *in place*.",
            "sgd/step_in_place",
            "step-new-tensor",
        ),
        Promise("It leaves parameters without a gradient alone,", "sgd/step_without_gradient", "step-stops-at-none"),
        Promise("and all gradients as they are.", "sgd/step_keeps_gradients", "step-scales-the-gradient-itself"),
        Promise(
            "Because `backward` *adds* to them, `zero_grad` must remove the old ones before each mini-batch.",
            "sgd/zero_grad",
            "zero-grad-only-those-without",
        ),
        Promise("Stochastic gradient descent.", "sgd/step", "step-by-sign"),
        Promise("Forget the gradients: set the grad of every parameter to None.", "sgd/zero_grad", "zero-grad-breaks"),
        Promise("Move every parameter", "sgd/step", "step-params-zero"),
        Promise("that has a gradient", "sgd/step_without_gradient", "step-all-or-nothing"),
        Promise("a little downhill,", "sgd/step", "step-assigns-gradient"),
        Promise("in place.", "sgd/step_in_place", "step-new-tensor"),
    ],
    "mseloss": [
        Promise("`MSELoss`, the *mean squared error*.", "mseloss/mse_value", "mse-mean-error"),
        Promise(
            "As its name implies, it is the mean of the squared errors, that is, of the squared differences between "
            "the prediction $y$ and the target $t$.",
            "mseloss/mse_value mseloss/mse_zero",
            "mse-sum-of-prediction-and-target",
        ),
        Promise(
            "Both have the same shape, with $N$ elements in all (for a batch, the batch size times the number of "
            "outputs):",
            "mseloss/mse_batch",
            "mse-divided-by-rows",
        ),
        Promise(r"$$L = \frac{1}{N} \sum_{i=1}^{N} (y_i - t_i)^2", "mseloss/mse_value", "mse-half-of-mean"),
        Promise(
            r"\qquad\qquad \frac{\partial L}{\partial y_i} = \frac{2}{N} (y_i - t_i)$$",
            "mseloss/mse_gradient",
            "fused-mse-without-two",
        ),
        Promise(
            r"\frac{\partial L}{\partial y_i} = \frac{2}{N} (y_i - t_i)",
            "mseloss/mse_zero",
            "fused-mse-loss-over-error",
        ),
        Promise(
            "You may have guessed that this needs a `sum` that can differentiate itself.",
            "mseloss/mse_records",
            "mse-gradient-put-into-prediction",
        ),
        Promise(
            "In a sum each element counts once, so its derivative is 1: each element receives the upstream gradient of "
            "the sum that it went into.",
            "mseloss/mse_gradient",
            "sum-rule-shares-out",
        ),
        Promise(
            "For `x` of shape `(2, 3)`, `sum(x, axis=1)` has shape `(2,)`; its upstream gradient `[10, 20]` becomes "
            "`[[10, 10, 10], [20, 20, 20]]`.",
            "mseloss/sum_axis",
            "sum-rule-without-axis",
        ),
        Promise("Mean squared error.", "mseloss/mse_value", "mse-mean-absolute-error"),
        Promise("The mean of (y - y_target)**2 over all elements:", "mseloss/mse_batch", "mse-divided-by-outputs"),
        Promise("a scalar tensor.", "mseloss/mse_value", "mse-squares-divided"),
        Promise(
            "The functions and layers that you will build on `MyTensor` keep to this, too.",
            "mseloss/mse_untouched",
            "mse-difference-left-in-target",
        ),
    ],
    "train": [
        Promise("The loop, `train`, for any model and any examples.", ANY_MODEL, "train-supermodel-only"),
        Promise(
            "- In each epoch shuffle the examples anew,", "train/train_batches", "train-shuffled-before-the-epochs"
        ),
        Promise("and take each once,", "train/train_batches", "train-draws-with-replacement"),
        Promise("in mini-batches of `batch_size`.", "train/train_batches", "train-batches-of-thirty-two"),
        Promise("The last one may be smaller.", "train/train_batches", "train-last-batch-dropped"),
        Promise(
            "A row of `images` and the same row of `targets` stay together.",
            "train/train_pairs",
            "train-shuffled-apart",
        ),
        Promise("- With each mini-batch do the five lines from above,", "train/train_forgets", "train-never-forgets"),
        Promise("with `SGD` for all of the model's parameters,", "train/train_step", "train-first-parameters-only"),
        Promise("and `lr`.", "train/train_step", "train-lr-not-handed-on"),
        Promise("- Log one number for each epoch in `losses`:", "train/train_losses", "train-logs-each-batch"),
        Promise(
            "the mean loss over its examples, each taken when its turn came.",
            "train/train_losses",
            "train-mean-of-batches",
        ),
        Promise("`train` may be given a function, `live`.", "train/train_live", "train-live-forgotten"),
        Promise("If it is (`if live:`),", "train/train_live", "train-live-not-asked-for"),
        Promise(
            "call `live(losses[-1])` after each epoch: it draws how the training goes.",
            "train/train_live",
            "train-live-for-each-batch",
        ),
        Promise(
            "Train the model on mini-batches.",
            "train/train_step train/train_forgets train/train_pairs",
            "train-without-step",
        ),
        Promise(
            "images: one example in each row, shape (n, input_size). targets: what the model should answer, shape "
            "(n, output_size).",
            "train/train_pairs",
            "train-targets-in-order",
        ),
        Promise("epochs: how often each example is shown.", "train/train_batches", "train-twenty-epochs"),
        Promise(
            "batch_size: examples in a mini-batch; the last of an epoch may have fewer.",
            "train/train_batches",
            "train-overlapping-batches",
        ),
        Promise("lr: the learning rate.", "train/train_step", "train-lr-of-the-example"),
        Promise(
            "live: called with the mean loss after each epoch, if it is given.",
            "train/train_live",
            "train-live-told-the-last-batch",
        ),
        Promise("The mean loss of each epoch, over its examples.", "train/train_losses", "train-loss-divided-twice"),
    ],
    "model": [
        Promise("a network, and the loop that trains it.", "model/model_learns", "model-two-hidden-units"),
        Promise("With ReLU in between they can:", "model/model_bends", "model-relu-forgotten"),
        Promise(
            "The shapes, for a mini-batch of $n$ pictures and, say, 32 *hidden* units (between input and output): "
            r"$(n, 64) \to (n, 32) \to (n, 10)$.",
            "model/model_shape",
            "model-gives-hidden-units",
        ),
        Promise(
            "Maps a batch of images, shape (n, 64), to one score per digit, shape (n, 10).",
            "model/model_shape",
            "model-one-score",
        ),
        Promise("Its test moves your model's parameters by hand", "model/model_reached", "model-third-layer-unused"),
        Promise(
            "and compares what the scores do with their gradients.", "model/model_gradients", "model-scores-doubled"
        ),
        Promise(
            "Then it trains a new `SuperModel` with a loop, a loss and an optimizer of its own, on digits whose pixels "
            "and classes it has mixed, and wants nine of ten held-out ones read.",
            "model/model_reads",
            "model-five-hidden-units",
        ),
    ],
}

# Reason to what the notebook says there.
NOTHING = {
    "given: no learner writes it": [
        "One operation of the graph: its inputs, and the rule that differentiates it.",
        "`op(x)` is the same as `op.run(x)`.",
        "Apply the rule.",
        "base: the upstream gradient, in the shape of the operation's output.",
        "What the rule returns: one gradient for each input.",
        "(An example, given.)",
        "(Given.)",
        "Holds a tensor that training changes.",
        "Register parameters and sub-modules.",
        "Python calls this for every `self.name = value`.",
        "The base class `MyModule` *registers* parameters and sub-modules by itself.",
        "Python calls `__setattr__` for every `self.name = value`, and the given code notes there, in two "
        "dictionaries, what is a `Parameter` and what is a `MyModule`, each under its name.",
        "A module must call `super().__init__()` before it sets a parameter or a module: that makes the two "
        "dictionaries.",
        "`other` as a tensor, or None if it is nothing we can compute with.",
        "`__add__` and `__radd__`, which use it, are given; the others follow them.",
        "A parameter called `self.__weight` in a class `Linear` would register as `_Linear__weight`, so call it "
        "`self.weight`.",
        "The relu function as a module: it has no parameters.",
        "**In code.** You are given `Parameter` objects: the tensor is in `.tensor`, its gradient in `.tensor.grad`.",
        "The sum over `axis` (None: over all elements). (Given.)",
        "From this cell on, the name `sum` stands for this function, everywhere in the notebook.",
        "What is no tensor it hands on to Python's own `sum`.",
    ],
    "our recommendation: who organizes it otherwise passes, too": [
        "This sum is the work of `unbroadcast`.",
        "So one private method, `__binary`, does the work for all: complete that one first.",
        "`MyCrossBackward` (given) is one operation of the graph: the gradient crosses it, from the result to the "
        "inputs.",
        "You are free to organize it otherwise, say as one class in one cell: the graded test looks only at how "
        "`MyTensor` behaves.",
        "rules take arrays, so the walk starts with `base.data`.",
        "`add_deriv` is given as an example.",
        "The power is a number: it gets no gradient, so None.",
        "sum(x, axis). The axis gets no gradient, so None.",
        "Its rule, `sum_deriv`, is yours, and then `MSELoss` is two lines.",
    ],
    "a liberty: either way passes": [
        "All `float32`, if you choose so. Whole numbers as `float64`:",
        "an array, or a `MyTensor`, as you like.",
        "No writing by index where the tensor requires a gradient, because a result may depend on the old value.",
        "(The bias may start with zeros.)",
        "(Other initializations of such a size, as those called Xavier and He, pass, too.)",
        "Without it, you may show a progress bar with `tqdm`.",
        r"If you prefer the weight as $(\text{out}, \text{in})$, with $XW^\top + b$, that passes too; you then need "
        r"a transpose with a rule of its own.",
    ],
    "says why, or what for": [
        "**What you will build:**",
        "Everything else in the workshop computes with it, and training needs its gradients. (You could go further "
        "and write the storage in C; that is not for this notebook.)",
        "If the gradient of the output is `[[1, 2, 3], [4, 5, 6]]`,",
        r"($\sum$ adds up what follows, here for $l = 1, 2, \dots, k$)",
        "You have all the parts. Here they learn a straight line, $y = 3x + 1$, from four points. The five lines "
        "in the loop are the heart of nearly all deep learning:",
        "An example is a row of `images` (they may be anything that numbers describe), and the same row of "
        "`targets` is what the model should answer to it.",
        "Now your network, `SuperModel`.",
        "**Your turn**, and guess before you look: what does the curve do with `lr=30`? (NumPy warns in red that "
        "numbers overflow.)",
        "Without `zero_grad`?",
        "`c.backward()`:",
        "It holds these inputs and the operation's rule.",
        "(Later a given function, `sum`, records with it: if you organize it otherwise, change that one, too.)",
        "The test of `train` gives it a small model that notes what it is shown, and takes the same mini-batches "
        "with PyTorch.",
        "(In books: a *vector-Jacobian product*. The matrix of all derivatives of all elements is never built.)",
        "- **`requires_grad`** says whether the gradient of this tensor is wanted.",
        "A **leaf** is a tensor that comes from no operation: so far, all of them.",
        "- `a`, `x` and `b` are **leaves**. The others are results.",
        "- **Forward**, along the solid arrows, the values are computed and the operations recorded. That is this "
        "step.",
        "- **Backward**, along the dashed arrows, each operation hands gradients to its inputs. That is the next one.",
        "- In a **topological order** every tensor comes after everything it was computed from.",
        "Here the operand of shape `(3,)` as a picture:",
        "(Sum and broadcasting are each other's rule: you will meet this again when you build `sum`.)",
        "`unbroadcast(gradient, shape)`,",
        "*30 minutes.* `y.backward()` starts at `y` with a gradient of ones, and walks the graph to the leaves.",
        "The optimizer will need that list.",
        "`Linear` and `ReLU` are the bread and butter of neural networks.",
        "Strictly speaking this map is *affine*: linear, plus a shift.",
    ],
    "about a picture, or what to play with": [
        "And this is what it is good for: a network drawn from its modules, with what `parameters()` finds in it.",
        "Summing and broadcasting are each other's rule: what is summed forward is repeated backward, and what is "
        "repeated forward is summed backward, by `unbroadcast`.",
        "The picture shows the loss for each $w$, computed by your `MSELoss`, and steps along its slope, which "
        "your `backward` finds.",
        "First it is a network *without ReLU*, two linear layers in a row.",
        "`np.random.seed(0)` lets `Linear` and `train` draw the same in every run.",
        "**Your turn:** in `train_torch` take `torch.optim.Adam` in place of `torch.optim.SGD`, and `lr=0.01`.",
    ],
}
