"""Wrong solutions by somebody who has seen the notebook only."""

from classify_corpus import Blind

B = Blind
WRONG = []


def add(section, name, style, kind, truth, *changes, nameable=True):
    WRONG.append(Blind(name, style, section, kind, truth, changes, nameable=nameable))


# ---------------------------------------------------------------- functions
S = "functions"
add(S, "exp-power-rule", "beginner", "rule", "The rule of exp is the power rule, x * e^(x - 1), instead of e^x.",
    ("    values = np.exp(x.data)\n    grad = base * values", "    grad = base * x.data * np.exp(x.data - 1)"))
add(S, "log-rule-multiplies", "beginner", "rule", "The rule of log multiplies the upstream gradient by x instead of dividing it.",
    ("grad = base / x.data", "grad = base * x.data"))
add(S, "log-base-ten", "beginner", "concept", "log is the logarithm to base 10, not the natural one.",
    ("np.log(self.data)", "np.log10(self.data)"))
add(S, "exp-base-two", "textbook", "concept", "exp gives powers of 2 instead of powers of e.",
    ("record(np.exp(self.data)", "record(np.exp2(self.data)"))
add(S, "sum-rule-no-dimension-back", "beginner", "shape", "The rule of sum does not put a dropped dimension back before it broadcasts.",
    ("        if keepdims == False:\n            base = np.expand_dims(base, axis)\n        grad = np.ones(x.shape) * base", "        grad = np.ones(x.shape) * base"))
add(S, "mean-always-by-size", "beginner", "axis", "The mean along an axis divides by the number of all elements instead of the length of the axis.",
    ("count = self.shape[axis]", "count = self.size"))
add(S, "mean-by-first-length", "textbook", "axis", "The mean divides by the length of the first dimension, whatever the axis is.",
    ("N = self.size if axis is None else self.shape[axis]", "N = self.size if axis is None else self.shape[0]"))
add(S, "mean-by-other-axes", "oneliners", "axis", "The mean along an axis divides by the number of means, the product of the other lengths, instead of the length of that axis.",
    ("self.shape if axis is None else self.shape[axis]", "self.shape if axis is None else np.delete(self.shape, axis)"))
add(S, "max-ties-all-in-full", "beginner", "rule", "At a tie each of the largest elements receives the whole upstream gradient instead of an even share.",
    ("grad = base * mask / how_many", "grad = base * mask"))
add(S, "max-count-of-all-rows", "textbook", "axis", "The rule of max divides by the number of maxima in the whole tensor instead of those in the same row.",
    ("count = indicator.sum(axis=axis, keepdims=True)", "count = indicator.sum()"))
add(S, "max-mask-of-whole-tensor", "helpers", "axis", "The rule of max compares with the maximum of the whole tensor instead of that of each row.",
    ("self.array.max(axis=self.axis, keepdims=True)", "self.array.max()"))
add(S, "max-tie-to-first", "oneliners", "rule", "At a tie only the first of the largest receives the gradient (argmax), they do not share it.",
    ("top = lambda x, axis: x.data == x.data.max(axis=axis, keepdims=True)",
     "top = lambda x, axis: (np.arange(x.size).reshape(x.shape) == x.data.argmax()) if axis is None else (\n    np.indices(x.shape)[axis] == np.expand_dims(x.data.argmax(axis=axis), axis))"))
add(S, "dimension-back-for-none", "torchlike", "partial", "The rules of sum and max try to restore a dimension also where axis is None, so the sum over all elements has no backward.",
    ("if keepdim or dim is None:", "if keepdim:"))
add(S, "dimension-back-at-end", "torchlike", "axis", "The dropped dimension is always put back as the last one, also when another one was summed.",
    ("np.expand_dims(output, dim)", "np.expand_dims(output, -1)"))
add(S, "dimension-back-last-closure", "closures", "axis", "The upstream gradient is reshaped with length 1 in the last dimension instead of in the reduced one.",
    ("shape[axis] = 1", "shape[-1] = 1"))
add(S, "log-derived-twice", "closures", "rule", "The rule of log is the derivative of 1/x, -1/x^2, instead of 1/x.",
    ("elementwise(lambda values: 1 / values)", "elementwise(lambda values: -1 / values**2)"))
add(S, "exp-rule-writes-upstream", "helpers", "memory", "The rule of exp writes its result into the array of the upstream gradient.",
    ("np.multiply(base, np.exp(x.data))", "np.multiply(base, np.exp(x.data), out=base)"))
add(S, "log-rule-divides-in-place", "beginner", "memory", "The rule of log divides the upstream gradient in place, so what was handed in is changed.",
    ("    grad = base / x.data\n    return (grad,)", "    base /= x.data\n    return (base,)"))
add(S, "exp-writes-into-input", "oneliners", "memory", "exp overwrites the values of the tensor it is called on.",
    ("record(np.exp(self.data), exp_deriv", "record(np.exp(self.data, out=self.data), exp_deriv"))
add(S, "exp-not-recorded", "beginner", "partial", "exp makes its result without recording the operation, so no gradient comes back.",
    ('return record(values, exp_deriv, "ExpBackward", self)', "return MyTensor(values)"))
add(S, "mean-by-numpy", "textbook", "concept", "mean is computed by NumPy outside of the graph, so its result has no gradient.",
    ("return self.sum(axis=axis, keepdims=keepdims) * (1 / N)", "return MyTensor(self.data.mean(axis=axis, keepdims=keepdims))"))
add(S, "sum-forgets-keepdims", "helpers", "shape", "sum ignores keepdims: the summed dimension is always gone.",
    ("total = self.data.sum(axis=axis, keepdims=keepdims)", "total = self.data.sum(axis=axis)"))
add(S, "max-with-rule-of-sum", "torchlike", "copy", "max is recorded with the rule of sum, so every element receives the gradient.",
    ("record(result, max_deriv,", "record(result, sum_deriv,"))
add(S, "log-with-rule-of-exp", "closures", "copy", "log is recorded with the rule of exp.",
    ('"log": (np.log, log_deriv)', '"log": (np.log, exp_deriv)'))
add(S, "sum-default-axis-zero", "beginner", "axis", "sum() without an axis sums over the first dimension only, as its default is axis 0 and not None.",
    ("def sum(self, axis=None, keepdims=False):", "def sum(self, axis=0, keepdims=False):"))
add(S, "mean-drops-keepdims", "beginner", "shape", "mean does not hand keepdims on to sum, so the dimension is always gone.",
    ("total = self.sum(axis, keepdims)", "total = self.sum(axis)"))
add(S, "sum-rule-of-mean", "textbook", "rule", "The rule of sum splits the gradient among the elements, as a mean does, instead of giving each one all of it.",
    ("    return stretch(base, x, axis, keepdims), None, None", "    return stretch(base, x, axis, keepdims) * (base.size / x.size), None, None"))
add(S, "mean-axis-zero-is-none", "torchlike", "concept", "`if axis` takes axis 0 for None, so the mean along axis 0 divides by the number of all elements.",
    ("        if axis is not None:\n            dim_prod", "        if axis:\n            dim_prod"))
add(S, "dimension-back-twice", "helpers", "shape", "The rules put the dimension back also when keepdims kept it, so gradients get one dimension too many.",
    ("if self.keepdims or self.axis is None:", "if self.axis is None:"))
add(S, "max-mask-without-dimension", "beginner", "shape", "The rule of max compares with maxima whose dimension is gone unless keepdims was asked for, so rows are compared with the wrong maximum.",
    ("biggest = np.max(x.data, axis=axis, keepdims=True)", "biggest = np.max(x.data, axis=axis, keepdims=keepdims)"))
add(S, "max-with-mask-of-relu", "textbook", "copy", "The rule of max uses ReLU's mask, x > 0, instead of the places of the maximum.",
    ("(x.data == M)", "(x.data > 0)"))
add(S, "exp-forgets-upstream", "torchlike", "rule", "The rule of exp returns e^x alone: the upstream gradient is forgotten.",
    ("return (grad * result,)", "return (result,)"))
add(S, "log-forgets-upstream", "textbook", "rule", "The rule of log returns 1/x alone: the upstream gradient is forgotten.",
    ("return (G / x.data,)", "return (1 / x.data,)"))
add(S, "max-multiplies-by-count", "torchlike", "rule", "At a tie the gradient is multiplied by the number of the largest instead of divided by it.",
    ("(grad * mask) / mask.sum", "(grad * mask) * mask.sum"))
add(S, "pair-mean-size-ties", "beginner", "pair", "The mean along an axis divides by the number of all elements, and the maxima of a tie do not share the gradient.",
    ("count = self.shape[axis]", "count = self.size"), ("grad = base * mask / how_many", "grad = base * mask"))
add(S, "pair-log-rule-max-of-all", "helpers", "pair", "The rule of log multiplies by x instead of dividing, and the rule of max compares with the maximum of the whole tensor.",
    ("np.divide(base, x.data)", "np.multiply(base, x.data)"), ("self.array.max(axis=self.axis, keepdims=True)", "self.array.max()"))

# ---------------------------------------------------------------- cross_entropy
S = "cross_entropy"
add(S, "softmax-no-shift", "beginner", "partial", "softmax does not subtract the largest score, so scores of 1,000 overflow to nan.",
    ("    shifted = x - highest\n", "    shifted = x\n"))
add(S, "softmax-sum-of-all", "beginner", "axis", "softmax divides by the sum over the whole tensor instead of a sum for each row.",
    ("total = powers.sum(axis, keepdims=True)", "total = powers.sum()"))
add(S, "softmax-sum-without-dimension", "textbook", "shape", "softmax divides by sums whose dimension is gone, so broadcasting divides rows by the sums of others.",
    ("return e / e.sum(axis=axis, keepdims=True)", "return e / e.sum(axis=axis)"))
add(S, "softmax-rule-no-coupling", "textbook", "rule", "The rule of softmax is G * p only: what the sum in the denominator gives back is missing.",
    ("return p * (base - (base * p).sum(axis=axis, keepdims=True)), None", "return p * base, None"))
add(S, "softmax-rule-diagonal", "textbook", "rule", "The rule of softmax is p (1 - p) G, the sigmoid's: only the diagonal of the Jacobian, without the effect on the other classes.",
    ("return p * (base - (base * p).sum(axis=axis, keepdims=True)), None", "return base * p * (1 - p), None"))
add(S, "log-softmax-rule-sum-is-one", "textbook", "rule", "The rule of log_softmax subtracts p instead of p times the sum of the upstream gradient.",
    ("return base - p * base.sum(axis=axis, keepdims=True), None", "return base - p, None"))
add(S, "log-softmax-rule-last-axis", "textbook", "axis", "Backward through log_softmax always takes the last axis, forward the one asked for.",
    ("p = softmax_values(x.data, axis)\n    return base - p * base.sum(axis=axis, keepdims=True), None",
     "p = softmax_values(x.data, -1)\n    return base - p * base.sum(axis=-1, keepdims=True), None"))
add(S, "log-of-softmax", "beginner", "concept", "log_softmax takes the logarithm of the finished softmax, which is -inf where a probability underflows to 0.",
    ("return shifted - sum_of_powers.log()", "return softmax(x, axis).log()"))
add(S, "log-of-softmax-plus-tiny", "torchlike", "concept", "log_softmax takes the logarithm of softmax plus 1e-12, so it never goes below -27.6 and is slightly off elsewhere.",
    ("return shifted - tmp_sum.log()", "return (softmax(input, axis) + 1e-12).log()"))
add(S, "shift-by-overall-maximum", "helpers", "axis", "All rows are shifted by the maximum of the whole tensor, so a row far below it underflows to 0/0.",
    ("MyTensor(x.data.max(axis=axis, keepdims=True))", "MyTensor(x.data.max())"))
add(S, "loss-sum-not-mean", "helpers", "concept", "The loss is the sum over the rows, not their mean.",
    ("return per_row.mean()", "return per_row.sum()"))
add(S, "loss-mean-over-all-scores", "beginner", "concept", "The loss divides by the number of scores (rows times classes) instead of the number of rows.",
    ("return total * -1 / n", "return total * -1 / scores.size"))
add(S, "loss-divides-by-classes", "textbook", "axis", "The loss divides by the number of classes instead of the number of rows.",
    ("(-1 / n)", "(-1 / C)"))
add(S, "loss-without-minus", "beginner", "rule", "The minus is missing: the loss is the mean logarithm itself, and gets smaller the worse the network is.",
    ("return total * -1 / n", "return total / n"))
add(S, "loss-softmax-before", "closures", "concept", "Softmax is applied to the scores before log_softmax, so it is applied twice.",
    ("(log_softmax(scores) * one_hot())", "(log_softmax(softmax(scores)) * one_hot())"))
add(S, "log-softmax-no-log", "oneliners", "rule", "log_softmax subtracts the sum of the powers itself, not its logarithm.",
    ("shift(x, axis).exp().sum(axis, keepdims=True).log()", "shift(x, axis).exp().sum(axis, keepdims=True)"))
add(S, "softmax-divides-by-maximum", "torchlike", "concept", "softmax divides the scores by their maximum where it should subtract it.",
    ("exp_input = (input - max_input).exp()", "exp_input = (input / max_input).exp()"))
add(S, "nll-gradient-not-by-n", "torchlike", "rule", "Backward of the loss does not divide by the number of rows, though forward is a mean.",
    ("= -grad / target.size", "= -grad"))
add(S, "nll-gradient-sign", "torchlike", "rule", "Backward of the loss has the wrong sign: it pushes away from the right class.",
    ("= -grad / target.size", "= grad / target.size"))
add(S, "classes-counted-in-labels", "textbook", "concept", "The number of classes is taken from the largest label of the batch instead of the scores, and fails where the last class does not occur.",
    ("n, C = scores.shape", "n, C = len(labels), int(labels.max()) + 1"))
add(S, "labels-from-one", "oneliners", "concept", "Labels are taken as counted from 1, so the class before the right one is asked for.",
    ("np.asarray(labels)[:, None]", "np.asarray(labels).astype(int)[:, None] - 1"))
add(S, "loss-keeps-first-targets", "helpers", "state", "The loss object keeps the mask of its first call, so the labels of later batches are ignored.",
    ("targets = OneHot(scores.shape[1]).encode(labels)", 'targets = self.__dict__.setdefault("targets", OneHot(scores.shape[1]).encode(labels))'))
add(S, "loss-keeps-first-batch-size", "closures", "state", "The loss object divides by the size of its first batch in all later calls.",
    ("return -picked.sum() / len(labels)", 'self.n = getattr(self, "n", len(labels))\n        return -picked.sum() / self.n'))
add(S, "mask-whole-columns", "closures", "concept", "The mask sets the columns of all labels in every row, not one place in each row.",
    ("mask[np.arange(len(labels)), labels] = 1", "mask[:, labels] = 1"))
add(S, "loss-leaves-graph", "torchlike", "concept", "The right logarithms are picked by indexing and the result is not recorded, so no gradient comes back.",
    ('return record(output, nll_loss_backward, "NllLossBackward0", log_probs, target)', "return MyTensor(output)"))
add(S, "softmax-shifts-in-place", "textbook", "memory", "softmax subtracts the maximum in place, so the scores that were handed in are changed.",
    ("    e = np.exp(s - m)\n", "    s -= m\n    e = np.exp(s)\n"))
add(S, "log-softmax-shifts-in-place", "textbook", "memory", "log_softmax subtracts the maximum in place, so the scores that were handed in are changed.",
    ("    z = s - s.max(axis=axis, keepdims=True)\n", "    s -= s.max(axis=axis, keepdims=True)\n    z = s\n"))
add(S, "labels-shifted-in-place", "beginner", "memory", "The smallest label is subtracted from the labels in place: the caller's labels change, and the wrong classes are asked for where class 0 is not in the batch.",
    ("        n = len(labels)\n", "        n = len(labels)\n        labels -= labels.min()  # from 0\n"))
add(S, "softmax-default-axis-zero", "torchlike", "axis", "The default axis of softmax is the first dimension, not the last.",
    ("def softmax(input, axis=-1):\n    max_input", "def softmax(input, axis=0):\n    max_input"))
add(S, "loss-over-the-batch-axis", "helpers", "axis", "The loss applies log_softmax along the batch (axis 0) instead of along the classes.",
    ("log_softmax(scores, axis=1)", "log_softmax(scores, axis=0)"))
add(S, "total-ignores-axis", "closures", "axis", "The sum of the powers is always taken along the last axis, whatever axis was asked for.",
    ("return x.sum(axis=axis, keepdims=True)", "return x.sum(axis=-1, keepdims=True)"))
add(S, "loss-squared-errors", "oneliners", "concept", "The loss is the squared error of the probabilities, not cross-entropy.",
    ("return -(log_softmax(scores) * hot).sum(axis=1).mean()", "return ((softmax(scores) - hot) ** 2).sum(axis=1).mean()"))
add(S, "loss-without-logarithm", "oneliners", "concept", "The loss is minus the mean probability of the right class, without the logarithm.",
    ("return -(log_softmax(scores) * hot).sum(axis=1).mean()", "return -(softmax(scores) * hot).sum(axis=1).mean()"))
add(S, "loss-keeps-a-dimension", "helpers", "shape", "The loss has the shape (1,) instead of no dimensions.",
    ("return per_row.mean()", "return per_row.mean(keepdims=True)"))
add(S, "softmax-powers-constant", "beginner", "concept", "The powers in softmax are computed by NumPy outside of the graph, so no gradient reaches the scores.",
    ("    powers = shifted.exp()\n", "    powers = MyTensor(np.exp(shifted.data))\n"))
add(S, "log-softmax-total-constant", "helpers", "concept", "The logarithm of the sum is taken outside of the graph, as a constant: the scores' gradient lacks the part through the sum.",
    ("return shifted.scores - shifted.total.log()", "return shifted.scores - MyTensor(np.log(shifted.total.data))"))
add(S, "log-softmax-unshifted-left", "closures", "order", "log_softmax subtracts the logarithm of the shifted sum from the scores that are not shifted, so it is too large by the maximum.",
    ("return z - total(z.exp()).log()", "return x - total(z.exp()).log()"))
add(S, "log-softmax-no-shift", "beginner", "partial", "log_softmax does not shift by the maximum, so large scores overflow.",
    ("biggest = x.max(axis, keepdims=True)\n    shifted = x - biggest", "shifted = x"))
add(S, "pair-no-shift-mean-of-all", "beginner", "pair", "softmax does not subtract the largest score, and the loss divides by the number of all scores.",
    ("    shifted = x - highest\n", "    shifted = x\n"), ("return total * -1 / n", "return total * -1 / scores.size"))
add(S, "pair-softmax-twice-sum", "closures", "pair", "The loss applies softmax before log_softmax, and is a sum over the rows instead of their mean.",
    ("(log_softmax(scores) * one_hot())", "(log_softmax(softmax(scores)) * one_hot())"), ("return -picked.sum() / len(labels)", "return -picked.sum()"))

# ---------------------------------------------------------------- optimizers
S = "optimizers"
add(S, "momentum-as-running-mean", "beginner", "copy", "The velocity takes only 1 - momentum of each new gradient, like Adam's running mean.",
    ("self.momentum * self.velocities[parameter] + gradient", "self.momentum * self.velocities[parameter] + (1 - self.momentum) * gradient"))
add(S, "velocity-not-stored", "beginner", "partial", "The velocity is never stored, so every step begins without one: there is no momentum.",
    ("            self.velocities[parameter] = velocity\n", ""))
add(S, "velocity-not-used", "beginner", "partial", "The velocity is kept, but the parameter moves by the gradient alone.",
    ("data -= self.lr * velocity", "data -= self.lr * gradient"))
add(S, "decay-beside-momentum", "textbook", "order", "SGD applies the weight decay beside the velocity instead of adding it to the gradient before.",
    ("g = parameter.tensor.grad.data + lam * w", "g = parameter.tensor.grad.data"), ("w -= lr * v", "w -= lr * (v + lam * w)"))
add(S, "decay-pushes-away", "textbook", "rule", "Weight decay has the wrong sign in SGD: it pushes parameters away from 0.",
    ("parameter.tensor.grad.data + lam * w", "parameter.tensor.grad.data - lam * w"))
add(S, "decay-times-rate-twice", "textbook", "rule", "SGD multiplies the weight decay by the learning rate before it is added to the gradient, so the rate counts twice.",
    ("parameter.tensor.grad.data + lam * w", "parameter.tensor.grad.data + lr * lam * w"))
add(S, "state-by-name", "torchlike", "state", "What is remembered is kept by the parameter's name, so parameters of the same name, or without one, share it.",
    ("self.state[p])", "self.state[p.name])"))
add(S, "state-by-tensor", "torchlike", "state", "What is remembered is kept by tensor, not by parameter, and is lost when a parameter gets another tensor.",
    ("self.state[p])", "self.state[p.tensor])"))
add(S, "zero-grad-forgets-velocities", "beginner", "state", "zero_grad of SGD also empties the velocities.",
    ("self.velocities = {}\n\n    def zero_grad(self):\n", "self.velocities = {}\n\n    def zero_grad(self):\n        self.velocities = {}\n"))
add(S, "zero-grad-forgets-means", "beginner", "state", "zero_grad of Adam also empties the running means and the counts.",
    ("self.v = {}\n\n    def zero_grad(self):\n", "self.v = {}\n\n    def zero_grad(self):\n        self.t, self.m, self.v = {}, {}, {}\n"))
add(S, "generator-kept", "beginner", "memory", "SGD keeps the generator instead of a list of the parameters; after one walk it is empty.",
    ("self.params = list(parameters)\n        self.lr, self.momentum", "self.params = parameters\n        self.lr, self.momentum"))
add(S, "step-makes-new-tensor", "textbook", "memory", "SGD gives the parameter a new tensor instead of changing its array in place.",
    ("w -= lr * v", "parameter.tensor = MyTensor(w - lr * v, requires_grad=True)"))
add(S, "step-on-a-copy", "textbook", "memory", "The step of SGD is assigned to a local name only: the parameter itself never changes.",
    ("w -= lr * v", "w = w - lr * v"))
add(S, "decay-added-into-gradient-array", "beginner", "memory", "SGD adds the weight decay to the gradient's array in place, so the gradient is changed.",
    ("gradient = gradient + self.weight_decay * data", "gradient += self.weight_decay * data"))
add(S, "velocity-is-the-gradient-array", "torchlike", "memory", "The first velocity is the gradient's own array, and is then changed in place with it.",
    ("buf = grad.copy()", "buf = grad"), ("buf = self.momentum * buf + grad", "buf *= self.momentum\n                buf += grad"))
add(S, "no-gradient-as-zero", "helpers", "concept", "A parameter without a gradient is treated as if it were 0: it goes on moving by what is remembered.",
    ("            if tensor.grad is None:\n                continue\n", "            if tensor.grad is None:\n                tensor.grad = MyTensor(np.zeros(tensor.shape))\n"))
add(S, "adam-no-gradient-as-zero", "oneliners", "concept", "Adam treats a missing gradient as 0 instead of leaving the parameter alone.",
    ("            if p.tensor.grad is None: continue\n            w = p.tensor.data\n            g = self.decay(w, p.tensor.grad.data)",
     "            w = p.tensor.data\n            g = self.decay(w, np.zeros(w.shape) if p.tensor.grad is None else p.tensor.grad.data)"))
add(S, "stops-at-missing-gradient", "helpers", "walk", "The step ends at the first parameter without a gradient: those after it are not moved.",
    ("            if tensor.grad is None:\n                continue\n", "            if tensor.grad is None:\n                break\n"))
add(S, "adam-m-uncorrected", "beginner", "partial", "Adam does not correct the mean of the gradients for its start at 0.",
    ("m_hat = self.m[parameter] / (1 - beta1**t)", "m_hat = self.m[parameter]"))
add(S, "adam-v-uncorrected", "textbook", "partial", "Adam does not correct the mean of the squares for its start at 0.",
    ("v_hat = v / (1 - b2**t)", "v_hat = v"))
add(S, "adam-eps-inside-root", "beginner", "order", "Adam adds epsilon inside of the root instead of to the root.",
    ("np.sqrt(v_hat) + self.eps", "np.sqrt(v_hat + self.eps)"))
add(S, "adam-eps-before-correction", "torchlike", "order", "Adam adds epsilon to the root before the correction of v, so it is corrected with it.",
    ("np.sqrt(exp_avg_sq) / np.sqrt(bias_correction2) + self.eps", "(np.sqrt(exp_avg_sq) + self.eps) / np.sqrt(bias_correction2)"))
add(S, "adam-stores-corrected", "textbook", "state", "Adam remembers the corrected means instead of m and v as they are.",
    ("            self.state[parameter] = t, m, v\n", ""), ("            v_hat = v / (1 - b2**t)\n", "            v_hat = v / (1 - b2**t)\n            self.state[parameter] = t, m_hat, v_hat\n"))
add(S, "adam-one-count-for-all", "oneliners", "state", "Adam counts calls of step, not the steps of each parameter: one that had no gradient is corrected as if it had.",
    ("        for i, p in enumerate(self.params):\n            if p.tensor.grad is None: continue", "        self.t += 1\n        for i, p in enumerate(self.params):\n            if p.tensor.grad is None: continue"),
    ("            self.t[i] += 1\n", ""))
add(S, "adam-count-over-parameters", "beginner", "state", "One count for all parameters grows with each parameter of each step, so the correction is right for the first one of the first step only.",
    ("            self.t[parameter] += 1\n            t = self.t[parameter]\n", '            self.count = getattr(self, "count", 0) + 1\n            t = self.count\n'))
add(S, "adam-count-from-two", "closures", "state", "Adam's count is 2 in the first step: it begins with 1 and grows before it is used.",
    ('{"t": 0,', '{"t": 1,'))
add(S, "adam-count-stays-one", "torchlike", "state", "Adam's count is set to 1 in each step and does not grow, so all steps are corrected like the first.",
    ('state["step"] += 1', 'state["step"] = 1'))
add(S, "adam-betas-swapped", "closures", "copy", "Adam's betas are swapped: the mean of the squares takes the first one.",
    ("beta1, beta2 = self.betas", "beta2, beta1 = self.betas"))
add(S, "adam-absolute-not-square", "helpers", "rule", "Adam's second mean is of the absolute gradients, not of their squares.",
    ("np.square(gradient)", "np.abs(gradient)"))
add(S, "adam-square-of-mean", "helpers", "concept", "Adam's second mean takes the square of the corrected mean instead of the square of the gradient.",
    ("np.square(gradient)", "np.square(mean)"))
add(S, "adam-no-root", "textbook", "rule", "Adam divides by the mean of the squares itself, without the root.",
    ("np.sqrt(v_hat) + self.eps", "v_hat + self.eps"))
add(S, "adam-no-decay", "textbook", "partial", "Adam ignores its weight decay.",
    ("return parameter.tensor.grad.data + self.weight_decay * parameter.tensor.data", "return parameter.tensor.grad.data"))
add(S, "adam-means-weights-swapped", "torchlike", "rule", "Adam's mean of the gradients keeps 1 - beta1 of the old one and takes beta1 of the new one.",
    ("(1 - beta1) * (grad - exp_avg)", "beta1 * (grad - exp_avg)"))
add(S, "adam-squares-summed", "torchlike", "rule", "Adam adds the whole square to the second mean, without the factor 1 - beta2.",
    ("exp_avg_sq += (1 - beta2) * grad * grad", "exp_avg_sq += grad * grad"))
add(S, "adam-uphill", "textbook", "rule", "Adam goes uphill: the step is added.",
    ("w -= self.lr * (m_hat", "w += self.lr * (m_hat"))
add(S, "adamw-is-adam", "textbook", "partial", "AdamW is Adam with another default: its decay is still in the gradient.",
    ("        w = parameter.tensor.data\n        w -= self.lr * self.weight_decay * w\n        return parameter.tensor.grad.data", "        return super().gradient(parameter)"))
add(S, "adamw-decay-without-rate", "oneliners", "rule", "AdamW shrinks the weights by the decay alone, without the learning rate.",
    ("w * (1 - self.lr * self.weight_decay)", "w * (1 - self.weight_decay)"))
add(S, "adamw-decays-twice", "helpers", "concept", "AdamW shrinks the parameter and adds the decay to the gradient as well.",
    ("        return gradient\n\n\n@extends", "        return super().decayed(gradient, data)\n\n\n@extends"))
add(S, "adamw-shrinks-all", "beginner", "state", "AdamW shrinks also the parameters that have no gradient.",
    ("            if parameter.tensor.grad is not None:\n                data = parameter.tensor.data\n                data -= self.lr * decay * data\n",
     "            data = parameter.tensor.data\n            data -= self.lr * decay * data\n"))
add(S, "adamw-decay-once", "beginner", "state", "AdamW sets its weight decay to 0 for Adam's step and does not set it back: only the first step decays.",
    ("        super().step()\n        self.weight_decay = decay\n", "        super().step()\n"))
add(S, "adamw-decay-after-step", "beginner", "order", "AdamW shrinks the weights after Adam's step instead of before.",
    ("            if parameter.tensor.grad is not None:\n                data = parameter.tensor.data\n                data -= self.lr * decay * data\n", "            pass\n"),
    ("        super().step()\n        self.weight_decay = decay\n", "        super().step()\n        self.weight_decay = decay\n        for parameter in self.params:\n            if parameter.tensor.grad is not None:\n                data = parameter.tensor.data\n                data -= self.lr * decay * data\n"))
add(S, "adamw-default-decay-zero", "beginner", "copy", "AdamW's default weight decay is 0 as Adam's, not 0.01.",
    ("eps=1e-8, weight_decay=0.01", "eps=1e-8, weight_decay=0.0"))
add(S, "adam-state-of-class", "textbook", "state", "Adam's state belongs to the class, so a second optimizer goes on with what the first one remembered.",
    ("class Adam:\n", "class Adam:\n    state = {}\n\n"), ("        self.state = {}\n", ""))
add(S, "sgd-nesterov", "torchlike", "copy", "SGD takes Nesterov's step, the gradient plus momentum times the velocity, instead of the velocity.",
    ("            grad = buf\n", "            grad = grad + self.momentum * buf\n"))
add(S, "velocity-shared", "closures", "state", "There is one velocity for all parameters instead of one for each.",
    ('self.state = {parameter: {"velocity": 0.0} for parameter in self.params}', 'self.state = dict.fromkeys(self.params, {"velocity": 0.0})'))
add(S, "pair-eps-inside-m-uncorrected", "beginner", "pair", "Adam adds epsilon inside of the root, and does not correct the mean of the gradients.",
    ("np.sqrt(v_hat) + self.eps", "np.sqrt(v_hat + self.eps)"), ("m_hat = self.m[parameter] / (1 - beta1**t)", "m_hat = self.m[parameter]"))
add(S, "pair-decay-sign-adamw-rate", "oneliners", "pair", "Adam's weight decay has the wrong sign, and AdamW's lacks the learning rate.",
    ("return g + self.weight_decay * w", "return g - self.weight_decay * w"), ("w * (1 - self.lr * self.weight_decay)", "w * (1 - self.weight_decay)"))

# ---------------------------------------------------------------- modes
S = "modes"
add(S, "train-not-below", "beginner", "partial", "train() sets the attribute of the module itself only, not of those below.",
    ("        self.training = True\n        for module in self.__sub_modules.values():\n            module.train()\n", "        self.training = True\n"))
add(S, "eval-returns-nothing", "textbook", "partial", "eval() does not return the module.",
    ("            child.eval()\n        return self\n", "            child.eval()\n"))
add(S, "eval-one-level", "beginner", "walk", "eval() reaches the modules directly below only, not those deeper.",
    ("            module.eval()\n", "            module.training = False\n"))
add(S, "eval-trains-below", "beginner", "copy", "eval() calls train() of the modules below, so these are in training.",
    ("            module.eval()\n", "            module.train()\n"))
add(S, "mode-of-class", "closures", "state", "The mode is set in the class, so all modules of the same class change with it.",
    ("module.training = value", "type(module).training = value"))
add(S, "eval-sets-mymodule", "beginner", "state", "eval() sets the attribute of the class MyModule, so it also changes modules that have nothing to do with this one.",
    ("        self.training = False\n", "        MyModule.training = False\n"))
add(S, "mode-not-of-itself", "helpers", "walk", "The mode of the modules below is set, but not that of the module itself.",
    ("        self.training = training\n        for module in self.__sub_modules.values():\n            module.set_mode(training)\n",
     "        for module in self.__sub_modules.values():\n            module.training = training\n            module.set_mode(training)\n"))
add(S, "modes-return-the-value", "closures", "concept", "train() and eval() return the new value of the attribute instead of the module.",
    ("        return self\n\n    return method", "        return value\n\n    return method"))
add(S, "mode-first-child-only", "torchlike", "walk", "The return stands inside of the loop, so only the first module below is reached, and a module without any returns None.",
    ("            module._set_training(mode)\n        return self", "            module._set_training(mode)\n            return self"))
add(S, "eval-is-train", "oneliners", "copy", "eval() sets training to True, like train().",
    ("set_training(self, False)", "set_training(self, True)"))
add(S, "dropout-keeps-p", "beginner", "rule", "Dropout keeps an element with probability p and drops it with 1 - p.",
    ("random_numbers >= self.p", "random_numbers < self.p"))
add(S, "dropout-divides-by-p", "textbook", "rule", "Dropout divides what is kept by p instead of by 1 - p.",
    ("mask = B / q", "mask = B / self.p"))
add(S, "dropout-no-scaling", "helpers", "partial", "Dropout does not divide what is kept by 1 - p.",
    ("self.factor = 1 / (1 - p)", "self.factor = 1.0"))
add(S, "dropout-scales-in-eval-too", "oneliners", "concept", "In evaluation dropout multiplies its input by 1 - p, though training has made up for it already.",
    ("if self.training else x\n", "if self.training else x * (1 - self.p)\n"))
add(S, "dropout-scales-in-eval-only", "beginner", "concept", "Dropout scales by 1 - p in evaluation instead of dividing by it in training.",
    ("            return x\n        random", "            return x * (1 - self.p)\n        random"), ("mask = kept / (1 - self.p)", "mask = kept * 1.0"))
add(S, "dropout-mask-kept", "beginner", "state", "Dropout keeps the random numbers of its first pass and drops the same elements in each later one.",
    ("        random_numbers = np.random.random(x.shape)\n",
     '        if getattr(self, "numbers", np.zeros(0)).shape != x.shape:\n            self.numbers = np.random.random(x.shape)\n        random_numbers = self.numbers\n'))
add(S, "dropout-seeded", "closures", "state", "Each mask comes from a new generator with the same seed, so the same elements are dropped in each pass.",
    ("np.random.random(shape) < p", "np.random.default_rng(0).random(shape) < p"))
add(S, "dropout-all-or-nothing", "helpers", "shape", "One random number decides for the whole input: it is dropped as a whole or not at all.",
    ("np.random.random(shape) >= p", "np.random.random() >= p"))
add(S, "dropout-same-in-each-row", "oneliners", "shape", "The mask is drawn for the last dimension only, so the same elements are dropped in every row.",
    ("np.random.random(x.shape)", "np.random.random(x.shape[-1:])"))
add(S, "dropout-whole-rows", "closures", "shape", "One random number for each row drops whole rows instead of single elements.",
    ("np.random.random(shape) < p", "np.broadcast_to(np.random.random(shape[:1] + (1,) * (len(shape) - 1)), shape) < p"))
add(S, "dropout-gradient-unmasked", "textbook", "rule", "Backward of dropout hands the whole gradient on, also to what was dropped.",
    ("return base * mask, None", "return base, None"))
add(S, "dropout-gradient-unscaled", "textbook", "rule", "Backward of dropout masks the gradient but does not divide it by 1 - p.",
    ("return base * mask, None", "return base * (mask > 0), None"))
add(S, "dropout-leaves-graph", "torchlike", "concept", "Dropout computes its result outside of the graph, so no gradient comes back.",
    ("return input * MyTensor(noise)", "return MyTensor(input.data * noise)"))
add(S, "dropout-writes-into-input", "textbook", "memory", "Dropout drops in the array of its input, so the input is changed.",
    ("        return record(x.data * mask, dropout", "        values = x.data\n        values *= mask\n        return record(values, dropout"))
add(S, "dropout-always", "beginner", "partial", "Dropout drops in evaluation, too.",
    ("        if self.training == False:\n            return x\n", ""))
add(S, "dropout-in-eval-only", "torchlike", "copy", "Dropout has the modes the wrong way round: it drops in evaluation and hands on in training.",
    ("if not training or p == 0:", "if training or p == 0:"))
add(S, "dropout-eval-detached", "helpers", "concept", "In evaluation dropout returns a new tensor with the same values, which has left the graph.",
    ("            return Mask(x.shape, self.p).apply(x)\n        return x\n", "            return Mask(x.shape, self.p).apply(x)\n        return MyTensor(x.data)\n"))
add(S, "dropout-mask-of-last-pass", "textbook", "state", "Backward uses the mask of the module's latest pass, not that of the pass it belongs to.",
    ("return record(x.data * mask, dropout_deriv,", "self.mask = mask\n        return record(x.data * mask, lambda base, x, _: (base * self.mask, None),"))
add(S, "no-grad-exit-sets-zero", "beginner", "concept", "The end of a no_grad block sets the count to 0, so after an inner block the outer one no longer holds.",
    ("no_grad.inside = no_grad.inside - 1", "no_grad.inside = 0"))
add(S, "no-grad-counts-in-object", "textbook", "state", "The count is raised in the object instead of the class, so nothing is switched off.",
    ("no_grad.inside += 1", "self.inside += 1"), ("no_grad.inside -= 1", "self.inside -= 1"))
add(S, "no-grad-swallows-exceptions", "helpers", "concept", "__exit__ returns True, so an exception in the block is swallowed.",
    ("        return False\n", "        return True\n"))
add(S, "no-grad-stays-after-exception", "helpers", "state", "__exit__ lowers the count only if there was no exception, so recording stays off after one.",
    ("        no_grad.inside -= 1\n        return False\n", "        if kind is None:\n            no_grad.inside -= 1\n        return False\n"))
add(S, "no-grad-never-ends", "oneliners", "partial", "__exit__ does nothing: after the first block nothing is recorded any more.",
    ("no_grad.inside -= 1", "pass"))
add(S, "no-grad-begins-when-made", "torchlike", "order", "The count is raised when the object is made, not when the block begins.",
    ("    def __enter__(self):\n        no_grad.inside += 1\n", "    def __init__(self):\n        no_grad.inside += 1\n\n    def __enter__(self):\n        return self\n"))
add(S, "no-grad-enter-sets-one", "closures", "concept", "__enter__ sets the count to 1 instead of raising it, so the end of an inner block ends the outer one as well.",
    ("type(self).inside += 1", "type(self).inside = 1"))
add(S, "no-grad-remembers-in-object", "torchlike", "state", "__exit__ sets back what the object remembers from __enter__, and an object entered twice at once forgets the first: recording stays off.",
    ("    def __enter__(self):\n        no_grad.inside += 1\n", "    def __enter__(self):\n        self.before = no_grad.inside\n        no_grad.inside += 1\n"),
    ("        no_grad.inside -= 1\n", "        no_grad.inside = self.before\n"))
add(S, "pair-dropout-keeps-p-no-scaling", "oneliners", "pair", "Dropout keeps with probability p, and does not divide by 1 - p.",
    ("(np.random.random(x.shape) >= self.p) / (1 - self.p)", "(np.random.random(x.shape) < self.p) * 1.0"))
add(S, "pair-eval-one-level-exit-zero", "beginner", "pair", "eval() reaches the modules directly below only, and the end of an inner no_grad block ends the outer one.",
    ("            module.eval()\n", "            module.training = False\n"), ("no_grad.inside = no_grad.inside - 1", "no_grad.inside = 0"))

# ---------------------------------------------------------------- networks
S = "networks"
add(S, "sequential-not-registered", "beginner", "partial", "Sequential keeps its modules in a tuple only: they are not registered, so it has no parameters.",
    ("        for i in range(len(modules)):\n            setattr(self, str(i), modules[i])\n", ""))
add(S, "sequential-names-from-one", "beginner", "order", "The names in a Sequential begin with \"1\" instead of \"0\".",
    ("setattr(self, str(i), modules[i])", "setattr(self, str(i + 1), modules[i])"))
add(S, "sequential-names-layer", "torchlike", "concept", "The modules of a Sequential are named \"layer0\", \"layer1\" instead of \"0\", \"1\".",
    ("self.add_module(str(idx), module)", 'self.add_module("layer" + str(idx), module)'))
add(S, "sequential-backwards", "textbook", "order", "Sequential calls its modules from the last to the first.",
    ("for f in self.f:", "for f in reversed(self.f):"))
add(S, "sequential-all-get-input", "textbook", "concept", "Every module of a Sequential gets the network's input instead of what the one before it gives.",
    ("y = f(y)", "y = f(x)"))
add(S, "sequential-first-only", "beginner", "walk", "The return stands inside of the loop, so Sequential calls its first module only.",
    ("            x = module(x)\n        return x", "            x = module(x)\n            return x"))
add(S, "sequential-each-once", "helpers", "concept", "A module that stands in two places is called once only.",
    ("            self.order.append(module)\n", "            if module not in self.order:\n                self.order.append(module)\n"))
add(S, "sequential-list-of-class", "helpers", "state", "The list of modules belongs to the class, so every Sequential calls the modules of all others, too.",
    ("class Sequential(MyModule):\n", "class Sequential(MyModule):\n    order = []\n\n"), ("        self.order = []\n", ""))
add(S, "sequential-empty-fails", "oneliners", "partial", "Sequential() without modules fails instead of handing on its input.",
    ("range(self.n), x)", 'range(1, self.n), getattr(self, "0")(x))'))
add(S, "sequential-used-up", "helpers", "state", "forward takes the modules out of the list, so the second call does nothing.",
    ("        for module in self.order:\n            x = module.forward(x)\n", "        while self.order:\n            x = self.order.pop(0).forward(x)\n"))
add(S, "sequential-one-name", "closures", "copy", "All modules are registered under the same name, so only the last one remains.",
    ("setattr(self, key, module)", 'setattr(self, "module", module)'))
add(S, "sequential-generator-of-modules", "closures", "memory", "Sequential walks a generator, which is used up after the first call.",
    ("self.run = compose(modules)", "self.run = compose(module for module in modules)"))
add(S, "kaiming-no-root", "beginner", "rule", "The deviation is 2 / in, without the root.",
    ("np.sqrt(2 / inputs)", "2 / inputs"))
add(S, "kaiming-pytorch-fan", "torchlike", "axis", "The number of inputs is taken from the second dimension, as in PyTorch's weights, which are turned around.",
    ("fan_in, fan_out = tensor.shape", "fan_out, fan_in = tensor.shape"))
add(S, "kaiming-gain-one", "helpers", "rule", "The deviation is sqrt(1 / in): the 2 for ReLU is missing.",
    ("gain=2", "gain=1"))
add(S, "kaiming-uniform", "textbook", "concept", "The numbers are drawn evenly, not normally, and their deviation is too small.",
    ("np.random.standard_normal((n_in, n_out))", "np.random.uniform(-1, 1, (n_in, n_out))"))
add(S, "kaiming-not-in-place", "beginner", "memory", "The random numbers are assigned to a local name, so the weight does not change.",
    ("data[...] = np.random.normal", "data = np.random.normal"))
add(S, "kaiming-new-tensor", "oneliners", "memory", "kaiming_normal gives the parameter a new tensor instead of filling its array.",
    ("parameter.tensor.data[:] = np.random.randn(*parameter.tensor.shape) * (2 / parameter.tensor.shape[0]) ** 0.5",
     "parameter.tensor = MyTensor(np.random.randn(*parameter.tensor.shape) * (2 / parameter.tensor.shape[0]) ** 0.5, requires_grad=True)"))
add(S, "kaiming-rows-alike", "textbook", "shape", "Only one row is drawn and broadcast, so all inputs of a unit have the same weight.",
    ("np.random.standard_normal((n_in, n_out))", "np.random.standard_normal(n_out)"))
add(S, "kaiming-by-size", "closures", "axis", "The deviation takes the number of all weights for the number of inputs.",
    ("(2 / len(array)) ** 0.5", "(2 / array.size) ** 0.5"))
add(S, "kaiming-adds", "helpers", "memory", "The random numbers are added to the weights that are there instead of replacing them.",
    ("array[...] = np.random.normal", "array += np.random.normal"))
add(S, "kaiming-seeded", "torchlike", "state", "kaiming_normal seeds its generator, so every layer of the same shape gets the same weights.",
    ("np.random.normal(0.0, std", "np.random.default_rng(0).normal(0.0, std"))
add(S, "names-without-dot", "beginner", "partial", "The names have no dots between the parts.",
    ('prefix + name + "."', "prefix + name"))
add(S, "names-lose-upper-levels", "helpers", "walk", "The prefix is not handed down: names of deeper parameters have their last module only.",
    ('module.named_parameters(f"{prefix}{name}.")', 'module.named_parameters(f"{name}.")'))
add(S, "names-one-level", "helpers", "walk", "Only the parameters of the modules directly below are found, not those deeper.",
    ('found |= module.named_parameters(f"{prefix}{name}.")', 'found |= {f"{prefix}{name}.{key}": parameter for key, parameter in module.__parameters.items()}'))
add(S, "names-own-forgotten", "closures", "partial", "A module's own parameters are left out if it has modules below.",
    ("            for name, parameter in module.__parameters.items():\n", "            for name, parameter in module.__parameters.items() if not module.__sub_modules else ():\n"))
add(S, "names-shared-once", "closures", "concept", "A shared parameter stands under its first name only, not under each of its names.",
    ("                found[path + name] = parameter\n", "                if parameter not in found.values():\n                    found[path + name] = parameter\n"))
add(S, "state-not-copied", "oneliners", "memory", "state_dict gives the parameters' own arrays, which change when training goes on.",
    ("p.tensor.data.copy()", "p.tensor.data"))
add(S, "state-of-tensors", "torchlike", "concept", "state_dict gives tensors instead of arrays.",
    ("destination[name] = param.tensor.data.copy()", "destination[name] = MyTensor(param.tensor.data)"))
add(S, "load-new-tensors", "beginner", "memory", "Loading gives the parameters new tensors instead of changing the arrays that are there.",
    ("            data = own[name].tensor.data\n            data[...] = state[name]\n", "            own[name].tensor = MyTensor(state[name], requires_grad=True)\n"))
add(S, "load-binds-arrays", "closures", "memory", "Loading puts the dictionary's arrays themselves into the tensors, so both share their memory.",
    ("own[name].tensor.data[...] = state[name]", "own[name].tensor._MyTensor__data = state[name]"))
add(S, "load-too-many-accepted", "beginner", "partial", "A name that the module does not have raises no error.",
    ("        for name in state:\n            if name not in own:\n                raise KeyError(\"the module has no \" + name)\n", ""))
add(S, "load-missing-skipped", "oneliners", "partial", "A name that is missing in the dictionary is passed over silently.",
    ('        if lost := own.keys() - state.keys(): raise KeyError(f"no array for {lost}")\n', "        own = {k: p for k, p in own.items() if k in state}\n"),
    ("if more := state.keys() - own.keys()", "if more := state.keys() - self.named_parameters().keys()"))
add(S, "load-while-checking", "textbook", "order", "Shapes are checked in the same loop that loads, so the parameters before a wrong shape are changed already.",
    ("not {parameter.tensor.shape}\")\n        for name, parameter in theta.items():\n", "not {parameter.tensor.shape}\")\n"))
add(S, "load-missing-found-late", "beginner", "order", "Unknown names are looked for after loading, so everything is changed when the error is raised.",
    ("        for name in state:\n            if name not in own:\n                raise KeyError(\"the module has no \" + name)\n", ""),
    ("            data[...] = state[name]\n", "            data[...] = state[name]\n        for name in state:\n            if name not in own:\n                raise KeyError(\"the module has no \" + name)\n"))
add(S, "load-shape-runtime-error", "torchlike", "copy", "A wrong shape raises RuntimeError, as in PyTorch, instead of ValueError.",
    ('raise ValueError(f"size', 'raise RuntimeError(f"size'))
add(S, "load-missing-value-error", "torchlike", "copy", "A missing name raises ValueError instead of KeyError.",
    ('raise KeyError(f"Missing', 'raise ValueError(f"Missing'))
add(S, "load-compares-sizes", "closures", "shape", "Loading compares the number of elements only, so a turned or flat array is not refused before something is changed.",
    ("if np.shape(state[name]) != own[name].tensor.shape}", "if np.size(state[name]) != own[name].tensor.size}"))
add(S, "load-shapes-unchecked", "helpers", "partial", "Shapes are not checked: what broadcasts is loaded, and the rest fails in the middle.",
    ("        check.shapes()\n", ""))
add(S, "load-error-only-for-both", "helpers", "concept", "KeyError is raised only if names are missing and too many at the same time, so names too many alone are accepted.",
    ("if missing or surplus:", "if missing and surplus:"))
add(S, "load-empties-dictionary", "oneliners", "memory", "Loading takes the arrays out of the dictionary, which is empty afterwards.",
    ("p.tensor.data[...] = state[k]", "p.tensor.data[...] = state.pop(k)"))
add(S, "load-by-order", "textbook", "order", "Arrays are loaded by their order in the dictionary instead of by name.",
    ("        for name, parameter in theta.items():\n            parameter.tensor.data[...] = state[name]", "        for parameter, array in zip(theta.values(), state.values()):\n            parameter.tensor.data[...] = array"))
add(S, "pair-fan-out-no-root", "beginner", "pair", "The deviation takes the number of outputs for that of inputs, and has no root.",
    ("inputs = data.shape[0]", "inputs = data.shape[1]"), ("np.sqrt(2 / inputs)", "2 / inputs"))
add(S, "pair-not-copied-too-many", "beginner", "pair", "state_dict gives the parameters' own arrays, and loading accepts names that the module does not have.",
    ("own[name].tensor.data.copy()", "own[name].tensor.data"),
    ("        for name in state:\n            if name not in own:\n                raise KeyError(\"the module has no \" + name)\n", ""))
