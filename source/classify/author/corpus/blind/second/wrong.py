"""Wrong solutions, by somebody who has seen the notebook and the library only."""

from classify_corpus import Blind

WRONG = [
    # ---- functions
    Blind(
        "exp-rule-without-upstream", "terse", "functions", "rule",
        "The rule of exp returns exp(x) alone: the upstream gradient is not multiplied in.",
        (("return (np.exp(x.data) * base,)", "return (np.exp(x.data) * np.ones_like(base),)"),),
    ),
    Blind(
        "log-rule-divides-by-log", "careful", "functions", "rule",
        "The rule of log divides the upstream gradient by log(x), where it should be x.",
        (("return (base / x.data,)", "return (base / np.log(x.data),)"),),
    ),
    Blind(
        "log-rule-multiplies", "numpyish", "functions", "rule",
        "The rule of log multiplies the upstream gradient by x in place of dividing it.",
        (("np.divide(base, x.data)", "np.multiply(base, x.data)"),),
    ),
    Blind(
        "log-of-base-ten", "numpyish", "functions", "concept",
        "x.log() takes the logarithm to the base 10, not the natural one.",
        (("record(np.log(self.data), log_deriv", "record(np.log10(self.data), log_deriv"),),
    ),
    Blind(
        "exp-derived-like-a-power", "composed", "functions", "concept",
        "exp is derived as if it were a power with a fixed exponent: G * x * exp(x - 1) in place of G * exp(x).",
        (("return (base * x.exp().data,)", "return (base * x.data * (x - 1).exp().data,)"),),
    ),
    Blind(
        "exp-rule-takes-the-input-for-the-result", "functional", "functions", "concept",
        "The rule of exp multiplies by x, as if that were the result of exp; the input has to be put through exp again.",
        (("exp_deriv = elementwise(np.exp)", "exp_deriv = elementwise(lambda values: values)"),),
    ),
    Blind(
        "log-result-is-a-leaf", "functional", "functions", "concept",
        "log makes a fresh tensor that requires a gradient but does not remember x: the graph ends there and x receives nothing.",
        (('return record(np.log(x.data), log_deriv, "log", x)', "return MyTensor(np.log(x.data), requires_grad=x.requires_grad)"),),
    ),
    Blind(
        "sum-rule-expands-always", "careful", "functions", "axes",
        "The rule of sum puts the dimension back even where keepdims has kept it, so base gets one dimension too many.",
        (
            (
                "if axis is not None and not keepdims:\n        base = np.expand_dims(base, axis)\n    return base * np.ones_like",
                "if axis is not None:\n        base = np.expand_dims(base, axis)\n    return base * np.ones_like",
            ),
        ),
    ),
    Blind(
        "sum-rule-never-expands", "terse", "functions", "axes",
        "The rule of sum broadcasts base as it is: where the dimension was dropped it is not put back, so only axis 0 works.",
        (("return np.broadcast_to(b, x.shape).copy(), None, None", "return np.broadcast_to(base, x.shape).copy(), None, None"),),
    ),
    Blind(
        "sum-rule-shares-evenly", "composed", "functions", "concept",
        "The rule of sum divides the upstream gradient among the elements that were summed: that is the rule of the mean.",
        (
            (
                "return np.reshape(base, kept) + np.zeros_like(x.data), None, None\n",
                "share = np.reshape(base, kept) / (x.size / np.size(base))\n    return share + np.zeros_like(x.data), None, None\n",
            ),
        ),
    ),
    Blind(
        "sum-ignores-keepdims", "careful", "functions", "partial",
        "x.sum drops the dimension also when keepdims=True is asked for.",
        (("total = self.data.sum(axis=axis, keepdims=keepdims)", "total = self.data.sum(axis=axis)"),),
    ),
    Blind(
        "mean-ignores-keepdims", "careful", "functions", "partial",
        "x.mean does not hand keepdims on to the sum, so the dimension is always dropped.",
        (("return self.sum(axis, keepdims) / count", "return self.sum(axis) / count"),),
    ),
    Blind(
        "mean-divides-by-all", "classy", "functions", "axes",
        "x.mean divides by the number of all elements also when an axis is given.",
        (("lengths = self.shape if axis is None else (self.shape[axis],)", "lengths = self.shape"),),
    ),
    Blind(
        "mean-takes-axis-zero-for-none", "terse", "functions", "axes",
        "x.mean asks `not axis`, so axis 0 counts as None and the sum over it is divided by the number of all elements.",
        (("n = self.size if axis is None else", "n = self.size if not axis else"),),
    ),
    Blind(
        "mean-of-all-by-rows", "functional", "functions", "axes",
        "Without an axis the mean is divided by the number of rows, not of elements.",
        (("(x.size if axis is None else x.shape[axis])", "(x.shape[axis or 0] if x.shape else 1)"),),
    ),
    Blind(
        "mean-rule-of-the-sum", "numpyish", "functions", "rule",
        "The mean's own rule does not divide: the gradient is that of the sum, too large by the count.",
        (("return array_spread(base, x.shape, axis, keepdims) / count, None, None", "return np.array(array_spread(base, x.shape, axis, keepdims)), None, None"),),
    ),
    Blind(
        "mean-leaves-the-graph", "composed", "functions", "concept",
        "The mean is computed from the sum's plain values and wrapped as a new tensor: nothing comes back to x.",
        (("return total / (self.size / total.size)", "return MyTensor(total.data / (self.size / total.size))"),),
    ),
    Blind(
        "negative-axes-not-widened", "classy", "functions", "axes",
        "The upstream gradient is reshaped by comparing places with the axis, which finds no place for a negative axis.",
        (("            shape[self.axis] = 1\n", "            shape = [1 if i == self.axis else n for i, n in enumerate(shape)]\n"),),
    ),
    Blind(
        "ties-get-all", "terse", "functions", "rule",
        "Where several are the largest, each of them receives the whole upstream gradient: it is not shared.",
        (("return b * m / m.sum(axis, keepdims=True), None, None", "return b * m, None, None"),),
    ),
    Blind(
        "ties-first-only", "careful", "functions", "copy",
        "At a tie the first of the largest takes the whole gradient, as torch.max(dim) does; they should share it.",
        (
            (
                "    mask = x.data == highest\n",
                "    mask = np.zeros(x.shape, dtype=bool)\n    if axis is None:\n        mask.flat[x.data.argmax()] = True\n"
                "    else:\n        np.put_along_axis(mask, np.expand_dims(x.data.argmax(axis=axis), axis), True, axis=axis)\n",
            ),
        ),
    ),
    Blind(
        "ties-counted-over-all", "functional", "functions", "axes",
        "The gradient of max is divided by the number of largest elements in the whole tensor, not in each row.",
        (("np.count_nonzero(mask, axis=axis, keepdims=True)", "np.count_nonzero(mask)"),),
    ),
    Blind(
        "max-mask-of-all", "numpyish", "functions", "axes",
        "The mask of max compares with the largest of all elements, so rows that do not have it are divided by 0.",
        (("np.amax(array, axis=axis, keepdims=True), rtol=0, atol=0)", "np.amax(array), rtol=0, atol=0)"),),
    ),
    Blind(
        "nearly-largest-share", "numpyish", "functions", "copy",
        "The mask is made by np.isclose with its tolerances, so elements a little below the largest share its gradient.",
        ((", rtol=0, atol=0)", ")"),),
    ),
    Blind(
        "max-gradient-to-everybody", "composed", "functions", "partial",
        "The rule of max spreads the gradient over all elements, divided by the ties: the mask is not multiplied in.",
        (("return spread * won / ties, None, None", "return spread / ties, None, None"),),
    ),
    Blind(
        "max-ties-sum-without-keepdims", "classy", "functions", "shapes",
        "The number of ties is summed without keepdims, so it lines up with columns and not with rows.",
        (("weights / weights.sum(axis=self.axis, keepdims=True)", "weights / weights.sum(axis=self.axis)"),),
    ),
    Blind(
        "log-rule-in-place", "careful", "functions", "memory",
        "The rule of log divides base in place: the array of the upstream gradient that was handed in is changed.",
        (("return (base / x.data,)", "base /= x.data\n    return (base,)"),),
    ),
    Blind(
        "exp-and-mean-pair", "numpyish", "functions", "pair",
        "Two slips: the rule of exp forgets the upstream gradient, and the mean's rule counts all elements also along an axis.",
        (
            ("np.multiply(base, np.exp(x.data))", "np.exp(x.data)"),
            ("count = x.size if axis is None else x.shape[axis]", "count = x.size"),
        ),
    ),
    # ---- cross_entropy
    Blind(
        "softmax-unshifted", "careful", "cross_entropy", "partial",
        "softmax takes the powers of the scores as they are: the maximum is computed but never taken away, so large scores overflow.",
        (("powers = (x - highest).exp()", "powers = x.exp()"),),
    ),
    Blind(
        "softmax-shifted-by-overall-maximum", "terse", "cross_entropy", "axes",
        "softmax takes the largest of all scores away, not that of each row: in rows far below it all powers are 0, and 0 / 0 follows.",
        (("e = (x - x.max(axis, True)).exp()", "e = (x - x.max()).exp()"),),
    ),
    Blind(
        "softmax-sums-over-all", "careful", "cross_entropy", "axes",
        "softmax divides by the sum over all elements: the whole table adds up to 1, not each row.",
        (("return powers / powers.sum(axis, keepdims=True)", "return powers / powers.sum()"),),
    ),
    Blind(
        "normalizer-without-keepdims", "classy", "cross_entropy", "shapes",
        "The sum of the powers drops its dimension, so rows are divided by the sums of other rows (or shapes do not fit).",
        (("self.powers.sum(axis=self.axis, keepdims=True)", "self.powers.sum(axis=self.axis)"),),
    ),
    Blind(
        "softmax-always-last-axis", "functional", "cross_entropy", "axes",
        "softmax sums over the last axis whatever axis is asked for.",
        (("return powers * total(powers, axis, True) ** -1", "return powers * total(powers, -1, True) ** -1"),),
    ),
    Blind(
        "shift-by-the-smallest", "composed", "cross_entropy", "rule",
        "The smallest score is taken away, not the largest: the powers are at least 1 and overflow when scores are far apart.",
        (("x - MyTensor(np.max(x.data, axis=axis, keepdims=True))", "x - MyTensor(np.min(x.data, axis=axis, keepdims=True))"),),
    ),
    Blind(
        "softmax-rule-diagonal", "numpyish", "cross_entropy", "rule",
        "softmax's own rule is G * p * (1 - p), as for a sigmoid: that a score also lowers the other probabilities is missing.",
        (("return p * (base - np.sum(base * p, axis=axis, keepdims=True)), None", "return base * p * (1 - p), None"),),
    ),
    Blind(
        "softmax-shifts-in-place", "numpyish", "cross_entropy", "memory",
        "softmax takes the maximum away in place: the scores that were handed in are changed.",
        (("    powers = np.exp(array - np.amax(array, axis=axis, keepdims=True))\n", "    array -= np.amax(array, axis=axis, keepdims=True)\n    powers = np.exp(array)\n"),),
    ),
    Blind(
        "softmax-leaves-the-graph", "functional", "cross_entropy", "concept",
        "The sum of the powers is divided out as a constant, from its plain values: no gradient goes through it.",
        (("return powers * total(powers, axis, True) ** -1", "return powers * MyTensor(total(powers, axis, True).data ** -1)"),),
    ),
    Blind(
        "log-of-softmax", "careful", "cross_entropy", "concept",
        "log_softmax is the logarithm of softmax: a probability too small for a number gives minus infinity.",
        (("    return shifted - normalizer\n", "    return softmax(x, axis).log()\n"),),
    ),
    Blind(
        "log-of-softmax-plus-epsilon", "terse", "cross_entropy", "copy",
        "log_softmax is log(softmax + 1e-12): nothing below about -27.6 can come out, and the gradient vanishes there.",
        (("return s - s.exp().sum(axis, True).log()", "return (softmax(x, axis) + 1e-12).log()"),),
    ),
    Blind(
        "log-softmax-of-unshifted-scores", "terse", "cross_entropy", "order",
        "The logarithm of the shifted sum is taken from the scores before the shift, so the result is too large by the maximum.",
        (("return s - s.exp().sum(axis, True).log()", "return x - s.exp().sum(axis, True).log()"),),
    ),
    Blind(
        "log-softmax-sum-of-unshifted-powers", "composed", "cross_entropy", "partial",
        "In the sum of log_softmax stand the powers of the scores before the shift: they overflow, and do not match the shifted scores.",
        (("return below - below.exp().sum(axis=axis, keepdims=True).log()", "return below - x.exp().sum(axis=axis, keepdims=True).log()"),),
    ),
    Blind(
        "log-before-the-sum", "careful", "cross_entropy", "order",
        "log_softmax sums the logarithms of the powers in place of taking the logarithm of their sum.",
        (("shifted.exp().sum(axis, keepdims=True).log()", "shifted.exp().log().sum(axis, keepdims=True)"),),
    ),
    Blind(
        "log-softmax-always-rows", "terse", "cross_entropy", "axes",
        "The sum in log_softmax is always over the last axis, whatever axis is asked for.",
        (("s.exp().sum(axis, True).log()", "s.exp().sum(-1, True).log()"),),
    ),
    Blind(
        "log-softmax-rule-for-one-hot", "numpyish", "cross_entropy", "rule",
        "log_softmax's own rule is G - p: the probabilities are not multiplied by the sum of the upstream gradient.",
        (("return base - p * np.sum(base, axis=axis, keepdims=True), None", "return base - p, None"),),
    ),
    Blind(
        "loss-mean-over-scores", "classy", "cross_entropy", "concept",
        "The loss is divided by the number of all scores, rows times classes, in place of the number of rows.",
        (("return chosen.sum() * (-1.0 / scores.shape[0])", "return chosen.sum() * (-1.0 / chosen.size)"),),
    ),
    Blind(
        "loss-sum-not-mean", "terse", "cross_entropy", "partial",
        "The loss is the sum over the rows: it is never divided by how many there are.",
        ((".sum() / -len(labels)", ".sum() * -1"),),
    ),
    Blind(
        "loss-without-minus", "careful", "cross_entropy", "rule",
        "The minus is missing: the loss is negative, and training would make the right class improbable.",
        (("return -(logs * MyTensor(mask)).sum() / rows", "return (logs * MyTensor(mask)).sum() / rows"),),
    ),
    Blind(
        "loss-by-indexing", "careful", "cross_entropy", "concept",
        "The right logarithms are taken out by indexing plain values: the loss is right but no gradient reaches the scores.",
        (("return -(logs * MyTensor(mask)).sum() / rows", "return MyTensor(-logs[np.arange(rows), labels].mean(), requires_grad=scores.requires_grad)"),),
    ),
    Blind(
        "softmax-twice", "composed", "cross_entropy", "concept",
        "The loss applies softmax to the scores and then log_softmax to the probabilities.",
        (("picked = (log_softmax(scores) * right)", "picked = (log_softmax(softmax(scores)) * right)"),),
    ),
    Blind(
        "loss-of-probabilities", "functional", "cross_entropy", "partial",
        "The loss is minus the mean probability of the right class: its logarithm is never taken.",
        (("total(log_softmax(scores) * one_hot", "total(softmax(scores) * one_hot"),),
    ),
    Blind(
        "loss-also-of-wrong-classes", "functional", "cross_entropy", "copy",
        "The loss is binary cross-entropy: it adds log(1 - p) of all wrong classes to the logarithm of the right one.",
        (
            (
                "        per_row = total(log_softmax(scores) * one_hot(labels, scores.shape), axis=1)\n",
                "        hot = one_hot(labels, scores.shape)\n        wrong = (softmax(scores) * -1 + 1 + 1e-300).log() * (1 - hot)\n"
                "        per_row = total(log_softmax(scores) * hot + wrong, axis=1)\n",
            ),
        ),
    ),
    Blind(
        "mask-all-labels-in-all-rows", "careful", "cross_entropy", "axes",
        "The mask is set by mask[:, labels]: each row has a 1 at the labels of all rows.",
        (("mask[np.arange(rows), labels] = 1", "mask[:, labels] = 1"),),
    ),
    Blind(
        "labels-from-one", "classy", "cross_entropy", "rule",
        "Labels are counted from 1: the mask is set one class before the right one.",
        (("mask[row, label] = 1.0", "mask[row, int(label) - 1] = 1.0"),),
    ),
    Blind(
        "one-hot-as-wide-as-the-batch", "terse", "cross_entropy", "shapes",
        "The one-hot rows are as long as the batch has rows, not as there are classes.",
        (("hot = np.eye(scores.shape[1])[labels]", "hot = np.eye(len(labels))[labels]"),),
    ),
    Blind(
        "loss-keeps-a-dimension", "composed", "cross_entropy", "shapes",
        "The loss has the shape (1,): it is a mean with keepdims=True, not a tensor without dimensions.",
        (("return -picked.mean()", "return -picked.mean(keepdims=True)"),),
    ),
    Blind(
        "fused-rule-without-n", "numpyish", "cross_entropy", "rule",
        "The loss's own rule gives p - t without the division by the number of rows.",
        (("return base * gradient / n, None", "return base * gradient, None"),),
    ),
    Blind(
        "sum-and-sign-pair", "careful", "cross_entropy", "pair",
        "Two slips in the loss: it is summed over the rows, not averaged, and the minus is missing.",
        (("return -(logs * MyTensor(mask)).sum() / rows", "return (logs * MyTensor(mask)).sum()"),),
    ),
    # ---- optimizers
    Blind(
        "momentum-as-running-mean", "careful", "optimizers", "rule",
        "The velocity is a running mean: the gradient goes in with the factor 1 - momentum.",
        (
            (
                "velocity = self.momentum * self.velocities.get(parameter, 0.0) + gradient",
                "velocity = self.momentum * self.velocities.get(parameter, 0.0) + (1 - self.momentum) * gradient",
            ),
        ),
    ),
    Blind(
        "rate-inside-the-velocity", "terse", "optimizers", "order",
        "The velocity collects lr * g in place of g, so a change of the rate reaches only what comes after it.",
        (
            ("self.v[p] = self.momentum * self.v.get(p, 0) + g", "self.v[p] = self.momentum * self.v.get(p, 0) + self.lr * g"),
            ("w -= self.lr * self.v[p]", "w -= self.v[p]"),
        ),
    ),
    Blind(
        "one-velocity-for-all", "terse", "optimizers", "state",
        "There is one velocity for all parameters: each parameter goes on with what the one before it has left.",
        (
            ("self.v[p] = self.momentum * self.v.get(p, 0) + g", "self.v = self.momentum * self.v + g"),
            ("w -= self.lr * self.v[p]", "w -= self.lr * self.v"),
            ("        self.v = {}\n", "        self.v = 0\n"),
        ),
    ),
    Blind(
        "velocity-forgotten", "composed", "optimizers", "state",
        "The velocity is stored only at a parameter's first step: later ones add to the first gradient again and again.",
        (
            (
                "            self.velocities[parameter] = velocity\n",
                "            self.velocities.setdefault(parameter, velocity)\n",
            ),
        ),
    ),
    Blind(
        "sgd-makes-new-tensors", "composed", "optimizers", "memory",
        "SGD puts a new tensor into the parameter in place of changing the array that is there.",
        (("            data -= self.lr * velocity\n", "            parameter.tensor = MyTensor(data - self.lr * velocity, requires_grad=True)\n"),),
    ),
    Blind(
        "decay-added-into-the-gradient", "numpyish", "optimizers", "memory",
        "SGD adds the weight decay to the gradient's own array: the gradient is changed by the step.",
        (("g = np.array(p.tensor.grad.data)", "g = p.tensor.grad.data"),),
    ),
    Blind(
        "old-velocity-changed", "numpyish", "optimizers", "memory",
        "The velocity is scaled and added to in place, so an old velocity that somebody holds changes.",
        (("v = np.multiply(self.velocities[p], self.momentum)", "v = self.velocities[p]\n            v *= self.momentum"),),
    ),
    Blind(
        "decay-beside-momentum", "functional", "optimizers", "order",
        "SGD's weight decay is added after the momentum: it does not go through the velocity.",
        (
            ("self.momentum * self.velocities[parameter] + decayed(parameter, self.weight_decay)", "self.momentum * self.velocities[parameter] + parameter.tensor.grad.data"),
            ("move(parameter, self.lr * velocity)", "move(parameter, self.lr * (velocity + self.weight_decay * parameter.tensor.data))"),
        ),
    ),
    Blind(
        "sgd-rolls-on-without-gradient", "careful", "optimizers", "state",
        "SGD takes a missing gradient for 0: such a parameter decays and rolls on with its velocity.",
        (
            (
                "            if parameter.tensor.grad is None:\n                continue\n            data = parameter.tensor.data\n",
                "            data = parameter.tensor.data\n",
            ),
            (
                "gradient = parameter.tensor.grad.data + self.weight_decay * data",
                "gradient = (parameter.tensor.grad.data if parameter.tensor.grad is not None else 0.0) + self.weight_decay * data",
            ),
        ),
    ),
    Blind(
        "decay-pushes-away", "terse", "optimizers", "rule",
        "SGD subtracts the decay from the gradient: parameters are pushed away from 0.",
        (("g = p.tensor.grad.data + self.weight_decay * w", "g = p.tensor.grad.data - self.weight_decay * w"),),
    ),
    Blind(
        "nesterov", "composed", "optimizers", "copy",
        "SGD looks ahead as Nesterov's variant does: it moves by g + momentum * v in place of v.",
        (("            data -= self.lr * velocity\n", "            data -= self.lr * (self.gradient(parameter) + self.momentum * velocity)\n"),),
    ),
    Blind(
        "velocities-of-the-class", "careful", "optimizers", "state",
        "The velocities are kept in the class: a new SGD for the same parameters goes on with those of the old one.",
        (
            ("        self.velocities: dict[Parameter, np.ndarray] = {}\n", ""),
            ('    """Stochastic gradient descent, with momentum and weight decay."""\n', '    """Stochastic gradient descent, with momentum and weight decay."""\n\n    velocities: dict[Parameter, np.ndarray] = {}\n'),
        ),
    ),
    Blind(
        "adam-uncorrected", "careful", "optimizers", "partial",
        "Adam uses the running means as they are: they are not corrected for their start at 0.",
        (("m_hat = m / (1 - beta1**t)", "m_hat = m"), ("v_hat = v / (1 - beta2**t)", "v_hat = v")),
    ),
    Blind(
        "adam-corrects-only-m", "functional", "optimizers", "partial",
        "Adam corrects only the mean of the gradients; the mean of the squares is used as it is.",
        (("v_hat = corrected(v, self.betas[1], t + 1)", "v_hat = v"),),
    ),
    Blind(
        "adam-counts-from-zero", "functional", "optimizers", "order",
        "Adam's corrections use the count before the step, so the first one divides by 0.",
        (("m_hat = corrected(m, self.betas[0], t + 1)", "m_hat = corrected(m, self.betas[0], t)"), ("v_hat = corrected(v, self.betas[1], t + 1)", "v_hat = corrected(v, self.betas[1], t)")),
    ),
    Blind(
        "adam-one-count-for-all", "terse", "optimizers", "state",
        "Adam counts its own calls: a parameter that had no gradient for a while is corrected as if it had taken all steps.",
        (
            ("        b1, b2 = self.betas\n", "        b1, b2 = self.betas\n        self.t = getattr(self, 't', 0) + 1\n"),
            ("t, m, v = t + 1, b1 * m", "t, m, v = self.t, b1 * m"),
        ),
    ),
    Blind(
        "adam-counts-every-parameter", "composed", "optimizers", "state",
        "One count is shared by all parameters and goes up with each of them, so the second parameter's first step is counted as its second.",
        (
            ("count = self.counts.get(parameter, 0) + 1", 'count = self.counts.get("t", 0) + 1'),
            ("self.counts[parameter] = count", 'self.counts["t"] = count'),
        ),
    ),
    Blind(
        "adam-epsilon-in-the-root", "classy", "optimizers", "rule",
        "Epsilon is added inside of the root.",
        (("(np.sqrt(v_hat) + self.eps)", "np.sqrt(v_hat + self.eps)"),),
    ),
    Blind(
        "adam-without-root", "functional", "optimizers", "partial",
        "Adam divides by the mean of the squares itself: the root is missing.",
        (("(np.sqrt(v_hat) + self.eps)", "(v_hat + self.eps)"),),
    ),
    Blind(
        "adam-squares-the-mean", "careful", "optimizers", "concept",
        "The second mean collects squares of the running mean m, not of the gradient.",
        (("(1 - beta2) * gradient**2", "(1 - beta2) * m**2"),),
    ),
    Blind(
        "adam-betas-swapped", "composed", "optimizers", "order",
        "The two betas are swapped: the first one is used for the squares.",
        (("first, second = self.betas", "second, first = self.betas"),),
    ),
    Blind(
        "adam-remembers-corrected", "careful", "optimizers", "state",
        "Adam stores the corrected means and goes on from those.",
        (
            ("            self.state[parameter] = t, m, v\n", ""),
            ("            data -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)\n", "            data -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)\n            self.state[parameter] = t, m_hat, v_hat\n"),
        ),
    ),
    Blind(
        "adam-correction-power-of-one-minus-beta", "numpyish", "optimizers", "rule",
        "The corrections are (1 - beta) ** t in place of 1 - beta ** t: right in the first step only.",
        (("bias1 = 1 - np.power(b1, self.t[p])", "bias1 = np.power(1 - b1, self.t[p])"), ("bias2 = 1 - np.power(b2, self.t[p])", "bias2 = np.power(1 - b2, self.t[p])")),
    ),
    Blind(
        "adam-ignores-decay", "careful", "optimizers", "partial",
        "Adam takes weight_decay and does nothing with it.",
        (("        return tensor.grad.data + self.weight_decay * tensor.data\n", "        return tensor.grad.data\n"),),
    ),
    Blind(
        "adam-decays-the-gradient-in-place", "careful", "optimizers", "memory",
        "Adam adds the decay to the gradient's own array, which is changed by the step.",
        (("        return tensor.grad.data + self.weight_decay * tensor.data\n", "        gradient = tensor.grad.data\n        gradient += self.weight_decay * tensor.data\n        return gradient\n"),),
    ),
    Blind(
        "adamw-decays-twice", "terse", "optimizers", "partial",
        "AdamW shrinks the parameter and still adds the decay to the gradient.",
        (("            else:\n                g = g + self.weight_decay * w\n", "            g = g + self.weight_decay * w\n"),),
    ),
    Blind(
        "adamw-is-adam", "numpyish", "optimizers", "partial",
        "AdamW has a constructor only: its steps are Adam's, with the decay in the gradient.",
        (
            (
                "    def step(self):\n        for p in self.params:\n            if p.tensor.grad is not None:\n                w = p.tensor.data\n"
                "                w -= self.lr * self.weight_decay * w\n                self.update(p, p.tensor.grad.data)\n",
                "",
            ),
        ),
    ),
    Blind(
        "adamw-decays-last", "numpyish", "optimizers", "order",
        "AdamW shrinks the parameter after Adam's step, not before it.",
        (
            (
                "                w -= self.lr * self.weight_decay * w\n                self.update(p, p.tensor.grad.data)\n",
                "                self.update(p, p.tensor.grad.data)\n                w -= self.lr * self.weight_decay * w\n",
            ),
        ),
    ),
    Blind(
        "adamw-decay-without-rate", "careful", "optimizers", "rule",
        "AdamW shrinks the parameter by the decay alone: the learning rate is missing.",
        (("data -= self.lr * self.weight_decay * data", "data -= self.weight_decay * data"),),
    ),
    Blind(
        "adamw-default-decay-zero", "functional", "optimizers", "copy",
        "AdamW's weight_decay is 0 by default, as Adam's is; it should be 0.01.",
        (("eps=1e-8, weight_decay=0.01):", "eps=1e-8, weight_decay=0.0):"),),
    ),
    Blind(
        "adamw-shrinks-all", "composed", "optimizers", "walk",
        "AdamW shrinks also the parameters that have no gradient.",
        (
            (
                "        for parameter in self.with_gradient():\n            data = parameter.tensor.data\n            data -= self.lr * self.weight_decay * data\n",
                "        for parameter in self.params:\n            data = parameter.tensor.data\n            data -= self.lr * self.weight_decay * data\n",
            ),
        ),
    ),
    Blind(
        "adamw-shrinks-a-copy", "classy", "optimizers", "memory",
        "AdamW computes the shrunk parameter and drops it: the array itself is not changed, so there is no decay at all.",
        (("        data -= self.lr * self.weight_decay * data\n", "        data = data - self.lr * self.weight_decay * data\n"),),
    ),
    Blind(
        "momentum-and-epsilon-pair", "classy", "optimizers", "pair",
        "Two slips: the velocity takes in only 1 - momentum of the gradient, and Adam adds epsilon inside of the root.",
        (
            ("self.value = self.momentum * self.value + gradient", "self.value = self.momentum * self.value + (1 - self.momentum) * gradient"),
            ("(np.sqrt(v_hat) + self.eps)", "np.sqrt(v_hat + self.eps)"),
        ),
    ),
    # ---- modes
    Blind(
        "eval-of-itself-only", "careful", "modes", "walk",
        "eval sets the attribute of the module itself and of none below it.",
        (("        for module in self.__sub_modules.values():\n            module.eval()\n", ""),),
    ),
    Blind(
        "eval-one-level-down", "numpyish", "modes", "walk",
        "eval sets the attribute of the direct sub-modules but does not go on to theirs.",
        (("self.__sub_modules[name].eval()", "self.__sub_modules[name].training = False"),),
    ),
    Blind(
        "mode-first-child-only", "terse", "modes", "walk",
        "The return stands inside of the loop: only the first sub-module is reached, and a module without any returns None.",
        (("            m.train(mode)\n        return self\n", "            m.train(mode)\n            return self\n"),),
    ),
    Blind(
        "train-returns-nothing", "careful", "modes", "partial",
        "train does not return the module.",
        (("            module.train()\n        return self\n", "            module.train()\n"),),
    ),
    Blind(
        "eval-of-the-class", "careful", "modes", "state",
        "eval sets the attribute of the class MyModule: all networks are switched that have none of their own.",
        (("        self.training = False\n", "        MyModule.training = False\n"),),
    ),
    Blind(
        "eval-trains-the-others", "careful", "modes", "copy",
        "eval was copied from train and still calls train of the modules below.",
        (("            module.eval()\n", "            module.train()\n"),),
    ),
    Blind(
        "eval-toggles", "classy", "modes", "concept",
        "eval turns the attribute around in each module: called a second time it switches back to training.",
        (("            module.training = False\n", "            module.training = not module.training\n"),),
    ),
    Blind(
        "modules-of-two-levels", "classy", "modes", "walk",
        "The walk finds the module and its direct sub-modules; those below are never put on the stack.",
        (("            waiting.extend(module.__sub_modules.values())\n", "            found.extend(module.__sub_modules.values())\n"),),
    ),
    Blind(
        "train-does-not-come-back", "functional", "modes", "partial",
        "train sets the attribute of the module itself again, but what eval has switched below stays off.",
        (("MyModule.train = lambda self: switch(True, self)", 'MyModule.train = lambda self: (setattr(self, "training", True), self)[1]'),),
    ),
    Blind(
        "eval-freezes-parameters", "composed", "modes", "concept",
        "eval also stops the recording: it sets requires_grad of all parameters to False.",
        (("        self.training = training\n", "        self.training = training\n        for parameter in self.parameters():\n            parameter.tensor.requires_grad = training\n"),),
    ),
    Blind(
        "dropout-keeps-the-dropped", "careful", "modes", "rule",
        "Dropout keeps the elements that should be dropped: a share of p is left, where 1 - p should be.",
        (("kept = np.random.random(x.shape) >= self.p", "kept = np.random.random(x.shape) < self.p"),),
    ),
    Blind(
        "dropout-unscaled", "terse", "modes", "partial",
        "Dropout does not divide the kept elements by 1 - p.",
        (("(np.random.rand(*x.shape) >= self.p) / (1 - self.p)", "(np.random.rand(*x.shape) >= self.p) * 1.0"),),
    ),
    Blind(
        "dropout-divided-by-p", "composed", "modes", "rule",
        "Dropout divides the kept elements by p in place of 1 - p.",
        (("x = x * self.mask(x.shape) / (1 - self.p)", "x = x * self.mask(x.shape) / self.p"),),
    ),
    Blind(
        "dropout-multiplied-by-share", "functional", "modes", "rule",
        "Dropout multiplies the kept elements by 1 - p in place of dividing them.",
        (("return x * MyTensor(kept / (1 - p))", "return x * MyTensor(kept * (1 - p))"),),
    ),
    Blind(
        "dropout-scales-in-evaluation", "classy", "modes", "copy",
        "Dropout is that of the first paper: unscaled in training, and times 1 - p in evaluation.",
        (
            ("factors = np.where(dropped, 0.0, 1.0 / (1.0 - self.p))", "factors = np.where(dropped, 0.0, 1.0)"),
            ("            return x * MyTensor(factors)\n        return x\n", "            return x * MyTensor(factors)\n        return x * (1.0 - self.p)\n"),
        ),
    ),
    Blind(
        "dropout-mask-kept", "numpyish", "modes", "state",
        "Dropout draws its mask once for each shape and keeps it for all later passes.",
        (
            (
                "        factors = (np.random.random_sample(x.shape) >= self.p) / (1 - self.p)\n",
                '        if getattr(self, "factors", np.zeros(0)).shape != x.shape:\n            self.factors = (np.random.random_sample(x.shape) >= self.p) / (1 - self.p)\n        factors = self.factors\n',
            ),
        ),
    ),
    Blind(
        "dropout-same-columns", "functional", "modes", "shapes",
        "Dropout draws one mask for a row and uses it for all rows: whole columns are dropped.",
        (("np.random.binomial(1, 1 - p, x.shape)", "np.random.binomial(1, 1 - p, x.shape[-1:])"),),
    ),
    Blind(
        "dropout-exact-count", "classy", "modes", "concept",
        "Dropout drops an exact share of the elements in each pass, in place of each one by its own chance.",
        (("dropped = np.random.uniform(size=x.shape) < self.p", "dropped = np.random.permutation(x.size).reshape(x.shape) < round(self.p * x.size)"),),
    ),
    Blind(
        "dropout-all-or-nothing", "terse", "modes", "shapes",
        "Dropout draws one number for the whole input: everything is dropped or nothing.",
        (("np.random.rand(*x.shape) >= self.p", "np.random.rand() >= self.p"),),
    ),
    Blind(
        "dropout-leaves-the-graph", "numpyish", "modes", "concept",
        "Dropout's result is a tensor of plain values that does not remember its input: no gradient comes back.",
        (('return record(x.data * factors, dropout_deriv, "DropoutBackward", x, factors)', "return MyTensor(x.data * factors)"),),
    ),
    Blind(
        "dropout-backward-without-mask", "numpyish", "modes", "rule",
        "Dropout's rule hands the upstream gradient on as it is: the mask is missing on the way back.",
        (("return base * factors, None", "return base, None"),),
    ),
    Blind(
        "dropout-in-place", "careful", "modes", "memory",
        "Dropout sets elements of its input's own array to 0: what was handed in is changed.",
        (("        return x * MyTensor(kept / (1 - self.p))\n", "        x.data[...] *= kept\n        return x * MyTensor(kept / (1 - self.p))\n"),),
    ),
    Blind(
        "dropout-never-off", "functional", "modes", "partial",
        "Dropout does not look at the mode: it drops in evaluation, too.",
        (("return dropout(x, self.p) if self.training else x", "return dropout(x, self.p)"),),
    ),
    Blind(
        "dropout-asks-the-class", "terse", "modes", "state",
        "Dropout looks at the class's attribute, which is always True, and not at its own: eval has no effect on it.",
        (("if not self.training or self.p == 0:", "if not MyModule.training or self.p == 0:"),),
    ),
    Blind(
        "dropout-seeded", "composed", "modes", "state",
        "Dropout makes a generator with a fixed seed in each pass: the same elements are dropped every time.",
        (("kept = np.random.random(shape) >= self.p", "kept = np.random.default_rng(0).random(shape) >= self.p"),),
    ),
    Blind(
        "no-grad-is-a-switch", "careful", "modes", "concept",
        "no_grad is a switch: the end of an inner block switches recording on again while the outer one still holds.",
        (("no_grad.inside += 1", "no_grad.inside = 1"), ("no_grad.inside -= 1", "no_grad.inside = 0")),
    ),
    Blind(
        "no-grad-count-of-the-object", "terse", "modes", "concept",
        "The count is raised in the object, not in the class: recording is never switched off.",
        (("no_grad.inside += 1", "self.inside += 1"), ("no_grad.inside -= 1", "self.inside -= 1")),
    ),
    Blind(
        "no-grad-swallows-exceptions", "numpyish", "modes", "concept",
        "__exit__ returns True: an exception in the block disappears.",
        (("        no_grad.inside -= 1\n", "        no_grad.inside -= 1\n        return True\n"),),
    ),
    Blind(
        "no-grad-stuck-after-exception", "functional", "modes", "state",
        "__exit__ lowers the count only if the block ended well: after an exception recording stays off.",
        (("        no_grad.inside = no_grad.inside - 1\n", "        if kind is None:\n            no_grad.inside = no_grad.inside - 1\n"),),
    ),
    Blind(
        "no-grad-begins-when-made", "classy", "modes", "order",
        "The count is raised by the constructor: making the object switches recording off before any block begins.",
        (("    def __enter__(self) -> \"no_grad\":\n        type(self).inside += 1\n        return self\n", "    def __init__(self) -> None:\n        type(self).inside += 1\n\n    def __enter__(self) -> \"no_grad\":\n        return self\n"),),
    ),
    Blind(
        "no-grad-never-ends", "composed", "modes", "copy",
        "__exit__ raises the count again in place of lowering it: recording stays off after the block.",
        (("self.change(-1)", "self.change(1)"),),
    ),
    Blind(
        "no-grad-stops-dropout", "terse", "modes", "concept",
        "no_grad also switches the mode: Dropout hands its input on in such a block.",
        (
            ("        no_grad.inside += 1\n", "        no_grad.inside += 1\n        MyModule.training = False\n"),
            ("        no_grad.inside -= 1\n", "        no_grad.inside -= 1\n        MyModule.training = no_grad.inside == 0\n"),
        ),
    ),
    Blind(
        "dropout-inverted-unscaled-pair", "careful", "modes", "pair",
        "Two slips in Dropout: it keeps the share p in place of 1 - p, and does not scale what is kept.",
        (
            ("kept = np.random.random(x.shape) >= self.p", "kept = np.random.random(x.shape) < self.p"),
            ("return x * MyTensor(kept / (1 - self.p))", "return x * MyTensor(kept)"),
        ),
    ),
    # ---- networks
    Blind(
        "sequential-only-a-tuple", "careful", "networks", "concept",
        "The modules are kept in a tuple only, and not registered: the network has no parameters.",
        (("        for number, module in enumerate(modules):\n            setattr(self, str(number), module)\n", ""),),
    ),
    Blind(
        "sequential-names-from-one", "terse", "networks", "rule",
        "The modules' names begin with \"1\", not \"0\".",
        (("for i, m in enumerate(modules):", "for i, m in enumerate(modules, 1):"),),
    ),
    Blind(
        "sequential-layer-names", "classy", "networks", "rule",
        "The modules are named \"layer0\" and so on, not \"0\".",
        (("setattr(self, str(index), self.chain[index])", 'setattr(self, f"layer{index}", self.chain[index])'),),
    ),
    Blind(
        "sequential-leaves-out-the-last", "classy", "networks", "walk",
        "forward leaves out the last module.",
        (("for module in self.chain:", "for module in self.chain[:-1]:"),),
    ),
    Blind(
        "sequential-each-from-the-input", "careful", "networks", "walk",
        "Each module gets the network's input, not what the one before it gives: only the last one counts.",
        (("        for module in self.modules:\n            x = module(x)\n        return x\n", "        result = x\n        for module in self.modules:\n            result = module(x)\n        return result\n"),),
    ),
    Blind(
        "sequential-returns-early", "numpyish", "networks", "walk",
        "The return stands in the loop: only the first module is run, and without modules the result is None.",
        (("            x = layer(x)\n        return x\n", "            x = layer(x)\n            return x\n"),),
    ),
    Blind(
        "sequential-backwards", "functional", "networks", "order",
        "The modules are run from the last to the first.",
        (("below(self).values(), x)", "reversed(below(self).values()), x)"),),
    ),
    Blind(
        "sequential-names-sorted-as-text", "composed", "networks", "order",
        "The names are sorted as texts, \"10\" before \"2\": with more than ten modules the third is named \"10\".",
        (("self.names = [str(place) for place in range(len(modules))]", "self.names = sorted(str(place) for place in range(len(modules)))"),),
    ),
    Blind(
        "kaiming-by-outputs", "numpyish", "networks", "axes",
        "The deviation is sqrt(2 / out): the number of outputs is taken for that of inputs.",
        (("array[:, :] = np.sqrt(2 / n_in)", "array[:, :] = np.sqrt(2 / n_out)"),),
    ),
    Blind(
        "kaiming-variance", "careful", "networks", "rule",
        "The root is missing: the standard deviation is 2 / in.",
        (("np.random.normal(0.0, np.sqrt(2 / inputs), data.shape)", "np.random.normal(0.0, 2 / inputs, data.shape)"),),
    ),
    Blind(
        "kaiming-without-the-two", "functional", "networks", "rule",
        "The standard deviation is sqrt(1 / in): the 2 that makes up for ReLU is missing.",
        (("np.sqrt(2.0 / data.shape[0])", "np.sqrt(1.0 / data.shape[0])"),),
    ),
    Blind(
        "kaiming-even", "classy", "networks", "concept",
        "The weights are drawn evenly between -sqrt(2 / in) and sqrt(2 / in), not normally.",
        (("np.random.normal(scale=np.sqrt(2 / fan_in), size=weight.shape)", "np.random.uniform(-np.sqrt(2 / fan_in), np.sqrt(2 / fan_in), weight.shape)"),),
    ),
    Blind(
        "kaiming-new-tensor", "terse", "networks", "memory",
        "A new tensor is put into the parameter: the array that was there is not filled.",
        (("    w[:] = np.random.randn(*w.shape) * (2 / len(w)) ** 0.5\n", "    parameter.tensor = MyTensor(np.random.randn(*w.shape) * (2 / len(w)) ** 0.5, requires_grad=True)\n"),),
    ),
    Blind(
        "kaiming-rebinds", "composed", "networks", "memory",
        "The random numbers are given to a local name: the parameter stays as it was.",
        (("np.copyto(parameter.tensor.data, np.random.normal(0, deviation, (inputs, outputs)))", "data = parameter.tensor.data\n    data = np.random.normal(0, deviation, (inputs, outputs))"),),
    ),
    Blind(
        "kaiming-same-rows", "classy", "networks", "shapes",
        "One row of random numbers is drawn and put into all rows.",
        (("size=weight.shape)", "size=weight.shape[1])"),),
    ),
    Blind(
        "names-lose-the-prefix", "careful", "networks", "walk",
        "The prefix is not handed down: below the second level names lack their beginning.",
        (('found |= module.named_parameters(f"{prefix}{name}.")', 'found |= module.named_parameters(f"{name}.")'),),
    ),
    Blind(
        "names-without-dots", "terse", "networks", "rule",
        "There are no dots between the parts of a name.",
        (('m.named_parameters(prefix + k + ".")', "m.named_parameters(prefix + k)"),),
    ),
    Blind(
        "names-of-two-levels", "numpyish", "networks", "walk",
        "Only the module and its direct sub-modules are walked: parameters below those have no name.",
        (
            (
                '            found.update(self.__sub_modules[key].named_parameters(prefix + key + "."))\n',
                "            for name, parameter in vars(self.__sub_modules[key]).items():\n                if isinstance(parameter, Parameter):\n                    found[prefix + key + \".\" + name] = parameter\n",
            ),
        ),
    ),
    Blind(
        "names-from-the-parameter", "functional", "networks", "concept",
        "The name is the one that the parameter remembers, not the attribute's: a parameter with two names stands under its first only.",
        (("yield prefix + name, parameter", "yield prefix + parameter.name, parameter"),),
    ),
    Blind(
        "shared-only-once", "composed", "networks", "partial",
        "A shared parameter stands under one of its names only: those that were seen before are left out.",
        (
            (
                '            named = named | module.named_parameters(f"{prefix}{name}.")\n',
                '            more = module.named_parameters(f"{prefix}{name}.")\n            named |= {key: value for key, value in more.items() if value not in named.values()}\n',
            ),
        ),
    ),
    Blind(
        "state-is-alive", "careful", "networks", "memory",
        "state_dict gives the parameters' own arrays, not copies: they change when training goes on.",
        (("state[name] = parameter.tensor.data.copy()", "state[name] = parameter.tensor.data"),),
    ),
    Blind(
        "state-of-tensors", "numpyish", "networks", "concept",
        "state_dict gives tensors, not arrays.",
        (("return {name: np.array(named[name].tensor.data) for name in named}", "return {name: MyTensor(named[name].tensor.data) for name in named}"),),
    ),
    Blind(
        "load-makes-new-tensors", "careful", "networks", "memory",
        "Loading puts new tensors into the parameters in place of changing the arrays that are there.",
        (("parameter.tensor.data[...] = state[name]", "parameter.tensor = MyTensor(state[name], requires_grad=True)"),),
    ),
    Blind(
        "load-takes-the-arrays", "terse", "networks", "memory",
        "Loading makes the dictionary's arrays the parameters' own: the old arrays are left behind, and whoever writes into the dictionary changes the network.",
        (("p.tensor.data[...] = state[k]", "p.tensor._MyTensor__data = state[k]"),),
    ),
    Blind(
        "load-ignores-unknown-names", "composed", "networks", "partial",
        "A name that the module does not have is passed over in silence.",
        (('                raise KeyError(f"{name} is in the dictionary, but no parameter has this name")\n', "                continue\n"),),
    ),
    Blind(
        "load-ignores-missing-names", "classy", "networks", "partial",
        "A name that is missing in the dictionary raises nothing: what is there is loaded.",
        (
            ("        if missing:\n            raise KeyError(f\"missing in the dictionary: {', '.join(missing)}\")\n", ""),
            ("            if self.state[name].shape != parameter.tensor.shape:", "            if name in self.state and self.state[name].shape != parameter.tensor.shape:"),
        ),
    ),
    Blind(
        "load-half-way", "careful", "networks", "order",
        "Each shape is checked just before its array is copied: when a later one is wrong, the earlier ones are changed already.",
        (
            (
                "                )\n        # All is well: only now is anything changed.\n        for name, parameter in own.items():\n            parameter.tensor.data[...] = state[name]\n",
                "                )\n            parameter.tensor.data[...] = state[name]\n",
            ),
        ),
    ),
    Blind(
        "load-compares-sizes", "terse", "networks", "shapes",
        "Loading compares how many elements there are, not the shapes, so an array of another shape may be broadcast or fail half-way.",
        (("if p.tensor.shape != state[k].shape]", "if p.tensor.size != state[k].size]"),),
    ),
    Blind(
        "load-without-shapes", "numpyish", "networks", "partial",
        "Shapes are not compared at all: an array of length 1 fills the parameter, another one fails half-way.",
        (("            if arrays[name].shape != named[name].tensor.shape:\n", "            if arrays[name].dtype.kind not in \"fiub\":\n"),),
    ),
    Blind(
        "load-key-error-for-shapes", "numpyish", "networks", "rule",
        "A wrong shape raises KeyError, not ValueError.",
        (('raise ValueError(f"the array {name} has the shape', 'raise KeyError(f"the array {name} has the shape'),),
    ),
    Blind(
        "load-runtime-error", "classy", "networks", "copy",
        "What is wrong raises RuntimeError as in PyTorch; the notebook asks for KeyError and ValueError.",
        (
            ("raise KeyError(f\"missing in", "raise RuntimeError(f\"missing in"),
            ("raise KeyError(f\"unknown to", "raise RuntimeError(f\"unknown to"),
            ("raise ValueError(f\"the array for", "raise RuntimeError(f\"the array for"),
        ),
    ),
    Blind(
        "load-empties-the-dictionary", "composed", "networks", "memory",
        "Loading takes the arrays out of the dictionary that was handed in: afterwards it is empty.",
        (("np.copyto(parameter.tensor.data, state[name])", "np.copyto(parameter.tensor.data, state.pop(name))"),),
    ),
    Blind(
        "load-in-the-order-of-the-dictionary", "functional", "networks", "order",
        "Arrays are put into the parameters in the order in which the dictionary has them, not by name.",
        (("    for name in own:\n        np.copyto(own[name].tensor.data, state[name])\n", "    for name, array in zip(own, list(state.values())):\n        np.copyto(own[name].tensor.data, array)\n"),),
    ),
    Blind(
        "load-bare-names", "composed", "networks", "partial",
        "A missing name raises KeyError with the bare name in place of a sentence.",
        (('raise KeyError(f"{name} is missing in the dictionary")', "raise KeyError(name)"),),
    ),
    Blind(
        "kaiming-and-state-pair", "terse", "networks", "pair",
        "Two slips: the deviation is sqrt(2 / size) of the whole weight, and state_dict gives arrays that are no copies.",
        (
            ("(2 / len(w)) ** 0.5", "(2 / w.size) ** 0.5"),
            ("return {k: p.tensor.data.copy() for", "return {k: p.tensor.data for"),
        ),
    ),
]
