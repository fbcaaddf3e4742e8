"""Wrong solutions: definitions in place of a right solution's.

The names are those of the notebook; `MyCrossBackward` is the engine's operation, `recorded(result, rule, name, *inputs)`
makes a tensor that knows it.
"""

# ruff: noqa: E501 (a solution in a line is read at a glance)

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Wrong:
    """A wrong solution.

    Attributes:
        name: unique.
        section: the section that loses points.
        accepted: ids of known mistakes, any of which names it; none where no listed mistake describes it.
        code: what stands in place of the right solution's.
        style: the right solution: "reference", or the name of a file in corpus/right/.
    """

    name: str
    section: str
    accepted: tuple[str, ...]
    code: str
    style: str = "arrays"


@dataclass(frozen=True)
class Blind:
    """A wrong solution by somebody who has seen the notebook only.

    Attributes:
        name: kebab-case, unique in its corpus.
        style: the right solution that it changes: the name of a file in its corpus' folder right/.
        section: where it must be caught.
        kind: of slip, such as "rule", "axes" or "memory".
        truth: what is wrong, in one sentence, as a tutor says it who has seen the code.
        changes: texts of the right solution, and what replaces them.
        nameable: whether a tutor could say it who sees the behavior only.
    """

    name: str
    style: str
    section: str
    kind: str
    truth: str
    changes: tuple[tuple[str, str], ...]
    nameable: bool = True


WRONG: list[Wrong] = []


def wrong(section: str, name: str, accepted: str, code: str, style: str = "arrays") -> None:
    WRONG.append(Wrong(name, section, tuple(accepted.split()), code, style))


def of(section: str, prefix: str, *entries: tuple[str, str, str], style: str = "arrays") -> None:
    for name, accepted, code in entries:
        wrong(section, f"{prefix}-{name}", accepted, code, style)


# ---------------------------------------------------------------- functions


def rule_of(op: str, body: str) -> str:
    """A rule of exp, log, sum or max in another way."""
    takes = "x" if op in ("exp", "log") else "x, axis, keepdims"
    rest = "" if op in ("exp", "log") else ", None, None"
    return f"def {op}_deriv(base, {takes}):\n    return {body}{rest or ','}"


def method_of(name: str, body: str, takes: str = "self, axis=None, keepdims=False") -> str:
    return f"def method({takes}):\n{body}\n\n\nMyTensor.{name} = method"


of(
    "functions",
    "exp",
    ("rule-x", "exp-rule", rule_of("exp", "base * x.data")),
    ("rule-one", "exp-rule", rule_of("exp", "base.copy()")),
    ("rule-power", "exp-rule", rule_of("exp", "base * x.data * np.exp(x.data - 1)")),
    ("rule-sign", "exp-rule", rule_of("exp", "-base * np.exp(x.data)")),
    ("no-upstream", "upstream-missing", rule_of("exp", "np.exp(x.data)")),
    ("base-two", "exp-other-function", method_of("exp", "    return recorded(2**self.data, exp_deriv, 'E', self)", "self")),
    ("minus-one", "exp-other-function", method_of("exp", "    return recorded(np.expm1(self.data), exp_deriv, 'E', self)", "self")),
    ("unrecorded", "not-recorded", method_of("exp", "    return MyTensor(np.exp(self.data))", "self")),
    ("array", "array-not-tensor", method_of("exp", "    return np.exp(self.data)", "self")),
    ("in-place", "input-changed", method_of("exp", "    data = self.data\n    data[...] = np.exp(data)\n    return recorded(data.copy(), exp_deriv, 'E', self)", "self")),
)  # fmt: skip
of(
    "functions",
    "log",
    ("rule-times", "log-rule", rule_of("log", "base * x.data")),
    ("rule-log", "log-rule", rule_of("log", "base / np.log(x.data)")),
    ("rule-square", "log-rule", rule_of("log", "-base / x.data**2")),
    ("no-upstream", "upstream-missing", rule_of("log", "1 / x.data")),
    ("base-two", "log-other-function", method_of("log", "    return recorded(np.log2(self.data), log_deriv, 'L', self)", "self")),
    ("base-ten", "log-other-function", method_of("log", "    return recorded(np.log10(self.data), log_deriv, 'L', self)", "self")),
    ("one-plus", "log-other-function", method_of("log", "    return recorded(np.log1p(self.data), log_deriv, 'L', self)", "self")),
    ("always-recorded", "recorded-without-need", method_of("log", "    op = MyCrossBackward(self, backward_function=log_deriv, name='L')\n    return MyTensor(np.log(self.data), requires_grad=True, crossOpBack=op)", "self")),
)  # fmt: skip
SUM = "    return recorded(self.data.sum(axis=axis, keepdims=keepdims), sum_deriv, 'S', self, axis, keepdims)"
MAX = "    return recorded(self.data.max(axis=axis, keepdims=keepdims), max_deriv, 'M', self, axis, keepdims)"
of(
    "functions",
    "sum",
    ("axis-ignored", "axis-ignored", method_of("sum", SUM.replace("axis=axis, ", "").replace("self, axis", "self, None"))),
    ("keepdims-ignored", "keepdims-ignored", method_of("sum", SUM.replace(", keepdims=keepdims", "").replace("axis, keepdims)", "axis, False)"))),
    ("zero-is-none", "axis-other", method_of("sum", "    axis = axis or None\n" + SUM)),
    ("rule-own-shape", "sum-rule-shape", rule_of("sum", "base")),
    ("rule-not-repeated", "sum-rule-shape", rule_of("sum", "put_back(base, axis, keepdims)")),
    ("rule-not-put-back", "sum-rule-shape", rule_of("sum", "base * np.ones_like(x.data)")),
    ("rule-always-put-back", "sum-rule-shape", rule_of("sum", "put_back(base, axis, False) * np.ones_like(x.data)")),
    ("rule-divides", "sum-rule-values", rule_of("sum", "put_back(base, axis, keepdims) * np.ones_like(x.data) / x.size")),
    ("no-upstream", "upstream-missing", rule_of("sum", "np.ones_like(x.data)")),
)  # fmt: skip
of(
    "functions",
    "mean",
    ("is-sum", "mean-is-sum", method_of("mean", "    return self.sum(axis, keepdims)")),
    ("size", "mean-other-count", method_of("mean", "    return self.sum(axis, keepdims) / self.size")),
    ("rows", "mean-other-count", method_of("mean", "    return self.sum(axis, keepdims) / (self.shape[0] if self.shape else 1)")),
    ("keepdims", "keepdims-ignored", method_of("mean", "    return self.sum(axis) / (self.size if axis is None else self.shape[axis])")),
    ("unrecorded", "not-recorded", method_of("mean", "    return MyTensor(self.data.mean(axis=axis, keepdims=keepdims))")),
    ("rule-sum", "mean-rule", method_of("mean", "    return recorded(self.data.mean(axis=axis, keepdims=keepdims), sum_deriv, 'A', self, axis, keepdims)")),
)  # fmt: skip
of(
    "functions",
    "max",
    ("ties-all", "max-ties-all", rule_of("max", "put_back(base, axis, keepdims) * (x.data == x.data.max(axis=axis, keepdims=True))")),
    ("ties-first", "max-ties-first", "def max_deriv(base, x, axis, keepdims):\n    place = x.data.argmax(axis=axis, keepdims=True)\n    mask = np.zeros(x.shape)\n    if axis is None:\n        mask.flat[place] = 1\n    else:\n        np.put_along_axis(mask, place, 1, axis)\n    return put_back(base, axis, keepdims) * mask, None, None"),
    ("everywhere", "max-rule", rule_of("max", "put_back(base, axis, keepdims) * np.ones_like(x.data)")),
    ("of-all", "max-rule", rule_of("max", "put_back(base, axis, keepdims) * (x.data == x.data.max())")),
    ("not-put-back", "max-rule-shape", rule_of("max", "base * (x.data == x.data.max(axis=axis, keepdims=keepdims))")),
    ("is-min", "max-other-function", method_of("max", "    return -recorded(np.max(-self.data, axis=axis, keepdims=keepdims), max_deriv, 'M', self, axis, keepdims)")),
    ("absolute", "max-other-function", method_of("max", MAX.replace("self.data.max(", "abs(self.data).max("))),
    ("axis-ignored", "axis-ignored", method_of("max", MAX.replace("axis=axis, ", "").replace("self, axis", "self, None"))),
    ("no-upstream", "upstream-missing", "right_rule = max_deriv\n\n\ndef max_deriv(base, *rest):\n    return right_rule(np.ones_like(base), *rest)"),
    ("argmax", "max-other-function", method_of("max", "    result = self.data.argmax(axis=axis, keepdims=keepdims)\n    return recorded(result * 1.0, max_deriv, 'M', self, axis, keepdims)")),
)  # fmt: skip

# ---------------------------------------------------------------- cross-entropy


def softmax(*lines: str) -> str:
    return "def softmax(x, axis=-1):\n" + "\n".join(f"    {line}" for line in lines)


def log_softmax(*lines: str) -> str:
    return "def log_softmax(x, axis=-1):\n" + "\n".join(f"    {line}" for line in lines)


def loss(*lines: str) -> str:
    body = "\n".join(f"        {line}" for line in lines)
    return f"class CrossEntropyLoss:\n    def __call__(self, scores, labels):\n{body}"


HOT = "hot = np.eye(scores.shape[1])[labels]"
P = "powers = (x - x.max(axis=axis, keepdims=True)).exp()"
OWN_RULE = """\
def softmax_deriv(base, x, axis):
    powers = np.exp(x.data - x.data.max(axis=axis, keepdims=True))
    p = powers / powers.sum(axis=axis, keepdims=True)
    return {}, None


def softmax(x, axis=-1):
    powers = np.exp(x.data - x.data.max(axis=axis, keepdims=True))
    return recorded(powers / powers.sum(axis=axis, keepdims=True), softmax_deriv, "SoftmaxBackward", x, axis)
"""
LOG_RULE = OWN_RULE.replace("def softmax", "def log_softmax").replace("recorded(powers / powers.sum(axis=axis, keepdims=True), softmax_deriv", "recorded(np.log(powers / powers.sum(axis=axis, keepdims=True)), log_softmax_deriv")  # fmt: skip
LOG_RULE = LOG_RULE.replace("recorded(np.log(powers / powers.sum(axis=axis, keepdims=True))", "recorded(x.data - x.data.max(axis=axis, keepdims=True) - np.log(powers.sum(axis=axis, keepdims=True))")  # fmt: skip
of(
    "cross_entropy",
    "softmax",
    ("no-maximum", "maximum-not-subtracted", softmax("return x.exp() / x.exp().sum(axis=axis, keepdims=True)")),
    ("maximum-of-all", "maximum-of-all", softmax("powers = (x - x.max()).exp()", "return powers / powers.sum(axis=axis, keepdims=True)")),
    ("minimum", "maximum-wrong-sign", softmax("powers = (x + (-x).max(axis=axis, keepdims=True)).exp()", "return powers / powers.sum(axis=axis, keepdims=True)")),
    ("all", "softmax-axis", softmax(P, "return powers / powers.sum()")),
    ("axis-zero", "softmax-axis", softmax("axis = 0", P, "return powers / powers.sum(axis=axis, keepdims=True)")),
    ("axis-last", "softmax-axis", softmax("axis = -1", P, "return powers / powers.sum(axis=axis, keepdims=True)")),
    ("keepdims-lost", "keepdims-lost", softmax(P, "return powers / powers.sum(axis=axis)")),
    ("max-keepdims-lost", "keepdims-lost", softmax("powers = (x - x.max(axis=axis)).exp()", "return powers / powers.sum(axis=axis, keepdims=True)")),
    ("no-exp", "softmax-other-function", softmax("return x / x.sum(axis=axis, keepdims=True)")),
    ("not-divided", "softmax-other-function", softmax("return (x - x.max(axis=axis, keepdims=True)).exp()")),
    ("sigmoid", "softmax-other-function", softmax("return 1 / (1 + (-x).exp())")),
    ("rule-diagonal", "softmax-rule", OWN_RULE.format("base * p * (1 - p)")),
    ("rule-no-p", "softmax-rule", OWN_RULE.format("base - (base * p).sum(axis=axis, keepdims=True)")),
    ("sum-detached", "part-detached softmax-rule", softmax(P, "return powers / MyTensor(powers.data.sum(axis=axis, keepdims=True))")),
    ("unrecorded", "not-recorded", softmax(P, "return MyTensor((powers / powers.sum(axis=axis, keepdims=True)).data)")),
    ("array", "array-not-tensor", softmax(P, "return (powers / powers.sum(axis=axis, keepdims=True)).data")),
)  # fmt: skip
of(
    "cross_entropy",
    "log-softmax",
    ("log-of-softmax", "softmax-underflows", log_softmax("return softmax(x, axis).log()")),
    ("epsilon", "softmax-underflows", log_softmax("return (softmax(x, axis) + 1e-12).log()")),
    ("no-maximum", "maximum-not-subtracted", log_softmax("return x - x.exp().sum(axis=axis, keepdims=True).log()")),
    ("maximum-once", "log-softmax-other-function", log_softmax(P, "return x - powers.sum(axis=axis, keepdims=True).log()")),
    ("no-log", "log-softmax-other-function", log_softmax(P, "return x - x.max(axis=axis, keepdims=True) - powers.sum(axis=axis, keepdims=True)")),
    ("sign", "log-softmax-other-function", "right = log_softmax\n\n\n" + log_softmax("return -right(x, axis)")),
    ("axis-zero", "softmax-axis", log_softmax("axis = 0", P, "return x - x.max(axis=axis, keepdims=True) - powers.sum(axis=axis, keepdims=True).log()")),
    ("keepdims-lost", "keepdims-lost", log_softmax(P, "return x - x.max(axis=axis, keepdims=True) - powers.sum(axis=axis).log()")),
    ("sum-detached", "part-detached log-softmax-rule", log_softmax(P, "return x - x.max(axis=axis, keepdims=True) - MyTensor(np.log(powers.data.sum(axis=axis, keepdims=True)))")),
    ("rule-one-minus-p", "log-softmax-rule", LOG_RULE.format("base * (1 - p)")),
    ("rule-minus-p", "log-softmax-rule", LOG_RULE.format("base - p")),
)  # fmt: skip
of(
    "cross_entropy",
    "loss",
    ("sum", "loss-sum", loss(HOT, "return -(log_softmax(scores) * MyTensor(hot)).sum()")),
    ("elements", "loss-over-elements", loss(HOT, "return -(log_softmax(scores) * MyTensor(hot)).mean()")),
    ("classes", "loss-over-elements", loss(HOT, "return -(log_softmax(scores) * MyTensor(hot)).sum() / scores.shape[1]")),
    ("sign", "loss-sign", loss(HOT, "return (log_softmax(scores) * MyTensor(hot)).sum() / len(labels)")),
    ("rows", "loss-not-scalar", loss(HOT, "return -(log_softmax(scores) * MyTensor(hot)).sum(axis=1)")),
    ("no-log", "loss-no-log", loss(HOT, "return -(softmax(scores) * MyTensor(hot)).sum() / len(labels)")),
    ("twice", "loss-no-log", loss(HOT, "return -(log_softmax(softmax(scores)) * MyTensor(hot)).sum() / len(labels)")),
    ("scores", "loss-no-log", loss(HOT, "return -(scores * MyTensor(hot)).sum() / len(labels)")),
    ("all-classes", "loss-other-classes", loss("return -log_softmax(scores).sum() / len(labels)")),
    ("every-pair", "loss-other-classes", loss("picked = log_softmax(scores)", "table = np.zeros(scores.shape)", "np.add.at(table, (slice(None), labels), 1)", "return -(picked * MyTensor(table)).sum() / len(labels)**2")),
    ("columns", "loss-axis", loss(HOT, "return -(log_softmax(scores, axis=0) * MyTensor(hot)).sum() / len(labels)")),
    ("log-of-softmax", "loss-overflows", loss(HOT, "return -((softmax(scores) * MyTensor(hot)).sum(axis=1).log()).mean()")),
    ("epsilon", "loss-overflows", loss(HOT, "return -((softmax(scores) + 1e-9).log() * MyTensor(hot)).sum() / len(labels)")),
    ("indexed", "not-recorded", loss("picked = log_softmax(scores)[np.arange(len(labels)), labels]", "return MyTensor(-picked.mean())")),
    ("one-hot-labels", "labels-one-hot", loss("return -(log_softmax(scores) * MyTensor(labels)).sum() / len(labels)")),
    ("rule-not-averaged", "loss-rule", "def loss_deriv(base, scores, labels):\n    p = softmax(MyTensor(scores.data)).data\n    return base * (p - np.eye(p.shape[1])[labels.data]), None\n\n\n" + loss(HOT, "value = -(log_softmax(MyTensor(scores.data)).data * hot).sum() / len(labels)", "return recorded(value, loss_deriv, 'L', scores, MyTensor(labels))")),
    ("remembers", "loss-remembers", "class CrossEntropyLoss:\n    def __init__(self):\n        self.count = None\n\n    def __call__(self, scores, labels):\n        self.count = self.count or len(labels)\n        hot = np.eye(scores.shape[1])[labels]\n        return -(log_softmax(scores) * MyTensor(hot)).sum() / self.count"),
    ("changes-labels", "input-changed", loss("hot = np.zeros(scores.shape)", "hot[np.arange(len(labels)), labels] = 1", "labels[...] = 0", "return -(log_softmax(scores) * MyTensor(hot)).sum() / len(labels)")),
)  # fmt: skip

# ---------------------------------------------------------------- optimizers


def changed(kind: str, *changes: tuple[str, str]) -> str:
    """An optimizer of the right solution, with some of its lines replaced."""
    text = OPTIMIZERS[kind]
    for old, new in changes:
        assert old in text, (kind, old)
        text = text.replace(old, new)
    return text


OPTIMIZERS = {
    "SGD": """\
class SGD:
    def __init__(self, parameters, lr, momentum=0.0, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.state = {}

    def zero_grad(self):
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        for parameter in self.params:
            if parameter.tensor.grad is None:
                continue
            data = parameter.tensor.data
            g = parameter.tensor.grad.data
            g = g + self.weight_decay * data
            v = self.momentum * self.state.get(parameter, 0.0) + g
            self.state[parameter] = v
            data -= self.lr * v
""",
    "Adam": """\
class Adam:
    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.params = list(parameters)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.state = {}

    def zero_grad(self):
        for parameter in self.params:
            parameter.tensor.grad = None

    def step(self):
        b1, b2 = self.betas
        for parameter in self.params:
            if parameter.tensor.grad is None:
                continue
            data = parameter.tensor.data
            g = parameter.tensor.grad.data
            g = g + self.weight_decay * data
            m, v, t = self.state.get(parameter, (0.0, 0.0, 0))
            t = t + 1
            m = b1 * m + (1 - b1) * g
            v = b2 * v + (1 - b2) * g**2
            self.state[parameter] = m, v, t
            m_hat, v_hat = m / (1 - b1**t), v / (1 - b2**t)
            data -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)
""",
}
OPTIMIZERS["AdamW"] = (
    OPTIMIZERS["Adam"]
    .replace("class Adam", "class AdamW")
    .replace("weight_decay=0.0):", "weight_decay=0.01):")
    .replace("            g = g + self.weight_decay * data\n", "            data *= 1 - self.lr * self.weight_decay\n")
)
ADAMS = "Adam AdamW"


def optimizer(name: str, accepted: str, kinds: str, *changes: tuple[str, str]) -> None:
    code = "\n\n".join(changed(kind, *changes) for kind in kinds.split())
    wrong("optimizers", f"{kinds.replace(' ', '-').lower()}-{name}", accepted, code)


V = "v = self.momentum * self.state.get(parameter, 0.0) + g"
M = "m = b1 * m + (1 - b1) * g"
SQUARES = "v = b2 * v + (1 - b2) * g**2"
HATS = "m_hat, v_hat = m / (1 - b1**t), v / (1 - b2**t)"
INTO = "g = g + self.weight_decay * data"
OUT = "data *= 1 - self.lr * self.weight_decay"
NONE = "            if parameter.tensor.grad is None:\n                continue\n"
KEYED = "self.state.get(parameter, "
optimizer("uphill", "step-other-formula", "SGD", ("data -= self.lr", "data += self.lr"))
optimizer("no-lr", "step-other-formula", "SGD", ("data -= self.lr * v", "data -= v"))
optimizer(
    "one-minus",
    "momentum-one-minus",
    "SGD",
    (V, "v = self.momentum * self.state.get(parameter, 0.0) + (1 - self.momentum) * g"),
)
optimizer("no-momentum", "momentum-formula", "SGD", (V, "v = g"))
optimizer("subtracted", "momentum-formula", "SGD", (V, "v = g - self.momentum * self.state.get(parameter, 0.0)"))
optimizer(
    "lr-in-velocity", "momentum-with-lr", "SGD", (V, "v = self.momentum * self.state.get(parameter, 0.0) + self.lr * g")
)
optimizer("nesterov", "momentum-formula", "SGD", ("data -= self.lr * v", "data -= self.lr * (g + self.momentum * v)"))
optimizer(
    "late",
    "momentum-formula",
    "SGD",
    ("data -= self.lr * v", "data -= self.lr * (old if self.momentum else v)"),
    (V, "old = self.state.get(parameter, 0.0)\n            " + V),
)
optimizer("no-decay", "decay-ignored", "SGD", (INTO, "pass"))
optimizer("decay-sign", "decay-sign", "SGD", (INTO, "g = g - self.weight_decay * data"))
optimizer("decay-of-gradient", "decay-other-variable", "SGD", (INTO, "g = g + self.weight_decay * g"))
optimizer("decay-half", "decay-other-variable", "SGD", (INTO, "g = g + 2 * self.weight_decay * data"))
optimizer(
    "decay-late",
    "decay-other-variable",
    "SGD",
    (INTO, "pass"),
    ("data -= self.lr * v", "data -= self.lr * (v + self.weight_decay * data)"),
)
optimizer("one-velocity", "state-shared", "SGD", ("get(parameter,", "get(0,"), ("state[parameter]", "state[0]"))
optimizer(
    "by-tensor",
    "state-lost",
    "SGD",
    ("get(parameter,", "get(parameter.tensor,"),
    ("state[parameter]", "state[parameter.tensor]"),
)
optimizer(
    "by-array",
    "state-lost",
    "SGD",
    ("get(parameter,", "get(id(parameter.tensor.data),"),
    ("state[parameter]", "state[id(parameter.tensor.data)]"),
)
optimizer(
    "of-class",
    "state-of-all",
    "SGD",
    ("        self.state = {}\n", ""),
    ("class SGD:\n", "class SGD:\n    state = {}\n\n"),
)
optimizer(
    "clears",
    "state-cleared",
    "SGD",
    ("            parameter.tensor.grad = None", "            parameter.tensor.grad = None\n        self.state = {}"),
)
optimizer("forgets", "momentum-formula", "SGD", ("            self.state[parameter] = v\n", ""))
optimizer(
    "rebinds",
    "step-rebinds",
    "SGD",
    ("data -= self.lr * v", "parameter.tensor = MyTensor(data - self.lr * v, requires_grad=True)"),
)
optimizer(
    "changes-gradient",
    "step-changes-gradient",
    "SGD",
    (INTO, "g += self.weight_decay * data"),
    ("data -= self.lr * v", "g *= self.lr\n            data -= self.lr * v"),
)
optimizer(
    "none-is-zero",
    "without-gradient-moved",
    "SGD",
    (NONE, ""),
    ("g = parameter.tensor.grad.data", "g = 0.0 if parameter.tensor.grad is None else parameter.tensor.grad.data"),
)
optimizer("stops", "step-stops-at-none", "SGD", ("continue", "break"))
optimizer("generator", "generator-consumed", "SGD", ("list(parameters)", "parameters"))
optimizer("no-correction", "bias-not-corrected", ADAMS, (HATS, "m_hat, v_hat = m, v"))
optimizer("no-correction-of-v", "bias-not-corrected", ADAMS, (HATS, "m_hat, v_hat = m / (1 - b1**t), v"))
optimizer("no-correction", "bias-not-corrected", "Adam", (HATS, "m_hat, v_hat = m, v"))
optimizer("no-power", "bias-not-corrected", ADAMS, (HATS, "m_hat, v_hat = m / (1 - b1), v / (1 - b2)"))
optimizer("count-from-two", "bias-count", ADAMS, (", 0))", ", 1))"))
optimizer("count-from-zero", "bias-count", ADAMS, ("            t = t + 1\n", ""), ("= m, v, t", "= m, v, t + 1"))
optimizer(
    "count-of-all",
    "count-shared",
    ADAMS,
    ("        self.state = {}", "        self.state = {}\n        self.t = 0"),
    ("            t = t + 1\n", "            t = self.t\n"),
    ("b1, b2 = self.betas", "b1, b2 = self.betas\n        self.t += 1"),
)
optimizer(
    "count-per-parameter",
    "count-shared",
    ADAMS,
    ("        self.state = {}", "        self.state = {}\n        self.t = 0"),
    ("            t = t + 1\n", "            self.t += 1\n            t = self.t\n"),
)
optimizer(
    "stored",
    "corrected-stored",
    ADAMS,
    ("            self.state[parameter] = m, v, t\n", ""),
    (HATS, HATS + "\n            self.state[parameter] = m_hat, v_hat, t"),
)
optimizer("eps-inside", "eps-inside", ADAMS, ("np.sqrt(v_hat) + self.eps", "np.sqrt(v_hat + self.eps)"))
optimizer("no-eps", "eps-inside", ADAMS, ("np.sqrt(v_hat) + self.eps", "np.sqrt(v_hat) + 1e-8"))
optimizer("no-root", "adam-formula", ADAMS, ("np.sqrt(v_hat) + self.eps", "v_hat + self.eps"))
optimizer("uphill", "adam-formula", ADAMS, ("data -= self.lr", "data += self.lr"))
optimizer("no-square", "adam-means", ADAMS, (SQUARES, "v = b2 * v + (1 - b2) * abs(g)"))
optimizer("in-full", "adam-means", ADAMS, (M, "m = b1 * m + g"))
optimizer("exchanged", "adam-means", ADAMS, ("b1, b2 = self.betas", "b2, b1 = self.betas"))
optimizer("betas-ignored", "adam-means", ADAMS, ("b1, b2 = self.betas", "b1, b2 = 0.9, 0.999"))
optimizer("forgets", "state-not-kept", ADAMS, ("            self.state[parameter] = m, v, t\n", ""))
optimizer("other-lr", "defaults-other", "Adam", ("lr=1e-3", "lr=1e-2"))
optimizer("no-decay", "decay-ignored", "Adam", (INTO, "pass"))
optimizer("decay-sign", "decay-sign", "Adam", (INTO, "g = g - self.weight_decay * data"))
optimizer("decoupled", "decay-outside-gradient", "Adam", (INTO, OUT))
optimizer("changes-gradient", "step-changes-gradient", "Adam", (INTO, "g += self.weight_decay * data"))
optimizer("one-state", "state-shared", ADAMS, ("get(parameter,", "get(0,"), ("state[parameter]", "state[0]"))
optimizer("decay-in-gradient", "decay-in-gradient", "AdamW", (OUT, INTO))
optimizer("decay-sign", "decay-sign", "AdamW", (OUT, "data *= 1 + self.lr * self.weight_decay"))
optimizer("decay-without-lr", "decay-without-lr", "AdamW", (OUT, "data *= 1 - self.weight_decay"))
optimizer(
    "decay-after",
    "decay-after-step",
    "AdamW",
    ("            " + OUT + "\n", ""),
    ("(np.sqrt(v_hat) + self.eps)", "(np.sqrt(v_hat) + self.eps)\n            " + OUT),
)
optimizer("default-decay", "defaults-other", "AdamW", ("weight_decay=0.01", "weight_decay=0.0"))
optimizer(
    "decays-all",
    "without-gradient-moved",
    "AdamW",
    ("            " + OUT + "\n", ""),
    (NONE, "            data = parameter.tensor.data\n            " + OUT + "\n" + NONE),
)

# ---------------------------------------------------------------- modes


def modes(*lines: str) -> str:
    return "def set_mode(module, training):\n" + "\n".join(f"    {line}" for line in lines)


def dropout(*lines: str, init: str = "self.p = p", p: str = "0.5") -> str:
    body = "\n".join(f"        {line}" for line in lines)
    return f"class Dropout(MyModule):\n    def __init__(self, p={p}):\n        super().__init__()\n        {init}\n\n    def forward(self, x):\n{body}"


def no_grad(enter: str, leave: str, init: str = "pass") -> str:
    return f"class no_grad:\n    def __init__(self):\n        {init}\n\n    def __enter__(self):\n        {enter}\n\n    def __exit__(self, *error):\n        {leave}"


OFF = "self.before = recording[0]; recording[0] = False"
BACK = "recording[0] = self.before"
EVAL = "if not self.training or self.p == 0: return x"
MASK = "mask = np.random.random(x.shape) >= self.p"
of(
    "modes",
    "mode",
    ("own-only", "mode-own-only", modes("module.training = training", "return module")),
    ("one-level", "mode-own-only", modes("module.training = training", "for each in modules_in(module):", "    each.training = training", "return module")),
    ("no-return", "mode-returns-nothing", modes("module.training = training", "for each in modules_in(module):", "    set_mode(each, training)")),
    ("exchanged", "mode-other-flag", modes("module.training = not training", "for each in modules_in(module):", "    set_mode(each, training)", "return module")),
    ("of-class", "mode-of-all", modes("MyModule.training = training", "return module")),
    ("first-only", "mode-own-only", modes("module.training = training", "for each in modules_in(module)[:1]:", "    set_mode(each, training)", "return module")),
    ("eval-only", "mode-own-only", "def own_mode(self):\n    self.training = True\n    return self\n\n\nMyModule.train = own_mode"),
    ("new-in-eval", "mode-other-flag", "MyModule.training = False"),
)  # fmt: skip
of(
    "modes",
    "dropout",
    ("keeps-p", "dropout-keeps-p", dropout(EVAL, "mask = np.random.random(x.shape) < self.p", "return x * MyTensor(mask / self.p)")),
    ("unscaled", "dropout-unscaled", dropout(EVAL, MASK, "return x * MyTensor(mask * 1.0)")),
    ("scaled-down", "dropout-scaled-down", dropout(EVAL, MASK, "return x * MyTensor(mask * (1 - self.p))")),
    ("scaled-by-p", "dropout-scaled-by-p", dropout(EVAL, MASK, "return x * MyTensor(mask / self.p)")),
    ("in-eval", "dropout-in-eval", dropout("if not self.training: return x * (1 - self.p)", MASK, "return x * MyTensor(mask / (1 - self.p))")),
    ("no-eval", "dropout-in-eval", dropout("if self.p == 0: return x", MASK, "return x * MyTensor(mask / (1 - self.p))")),
    ("one-mask-of-init", "dropout-same-mask", dropout(EVAL, "if self.mask is None: self.mask = np.random.random(x.shape) >= self.p", "return x * MyTensor(self.mask / (1 - self.p))", init="self.p, self.mask = p, None")),
    ("seeded", "dropout-same-mask", dropout(EVAL, "np.random.seed(0)", MASK, "return x * MyTensor(mask / (1 - self.p))")),
    ("of-rows", "dropout-one-mask", dropout(EVAL, "mask = np.random.random((*x.shape[:-1], 1) if len(x.shape) > 1 else x.shape) >= self.p", "return x * MyTensor(mask / (1 - self.p))")),
    ("of-columns", "dropout-one-mask", dropout(EVAL, "mask = np.random.random(x.shape[-1:]) >= self.p", "return x * MyTensor(mask / (1 - self.p))")),
    ("new-mask-back", "dropout-new-mask", "def drop_deriv(base, x, p):\n    return base * (np.random.random(base.shape) >= p) / (1 - p), None\n\n\n" + dropout(EVAL, MASK, "return recorded(x.data * mask / (1 - self.p), drop_deriv, 'D', x, self.p)")),
    ("no-mask-back", "dropout-no-mask-back", "def drop_deriv(base, x):\n    return (base.copy(),)\n\n\n" + dropout(EVAL, MASK, "return recorded(x.data * mask / (1 - self.p), drop_deriv, 'D', x)")),
    ("unscaled-back", "dropout-unscaled-back", "def drop_deriv(base, x, mask):\n    return base * mask.data, None\n\n\n" + dropout(EVAL, MASK, "return recorded(x.data * mask / (1 - self.p), drop_deriv, 'D', x, MyTensor(mask * 1.0))")),
    ("unrecorded", "not-recorded", dropout(EVAL, MASK, "return MyTensor(x.data * mask / (1 - self.p))")),
    ("default", "dropout-default", dropout(EVAL, MASK, "return x * MyTensor(mask / (1 - self.p))", p="0.25")),
    ("never", "dropout-nothing dropout-in-eval", dropout("if self.training or self.p == 0: return x", MASK, "return x * MyTensor(mask / (1 - self.p))")),
)  # fmt: skip
of(
    "modes",
    "no-grad",
    ("nothing", "no-grad-nothing", no_grad("pass", "pass")),
    ("stays", "no-grad-stays", no_grad(OFF, "pass")),
    ("exception", "no-grad-exception", "import contextlib\n\n\n@contextlib.contextmanager\ndef no_grad():\n    before, recording[0] = recording[0], False\n    yield\n    recording[0] = before"),
    ("swallows", "no-grad-swallows", no_grad(OFF, BACK + "; return True")),
    ("nested", "no-grad-nested", no_grad(OFF, "recording[0] = True")),
    ("at-once", "no-grad-at-once", no_grad("pass", BACK, init=OFF)),
    ("leaves", "no-grad-leaves", "def make_nothing(self, data, dtype=None, requires_grad=False, crossOpBack=None):\n    if not recording[0]:\n        requires_grad, crossOpBack = False, None\n    make(self, data, dtype, requires_grad, crossOpBack)\n\n\nMyTensor.__init__ = make_nothing"),
    ("flag-only", "no-grad-nothing", "def make_nothing(self, data, dtype=None, requires_grad=False, crossOpBack=None):\n    make(self, data, dtype, requires_grad, crossOpBack)\n    if crossOpBack is not None and not recording[0]:\n        self.requires_grad = False\n\n\nMyTensor.__init__ = make_nothing"),
)  # fmt: skip

# ---------------------------------------------------------------- networks


def sequential(forward: str, init: str = "setattr(self, str(i), module)") -> str:
    return f"class Sequential(MyModule):\n    def __init__(self, *modules):\n        super().__init__()\n        for i, module in enumerate(modules):\n            {init}\n        self.modules = modules\n\n    def forward(self, x):\n{forward}"


IN_TURN = "        for module in self.modules:\n            x = module(x)\n        return x"


def kaiming(*lines: str) -> str:
    return "def kaiming_normal(parameter):\n    data = parameter.tensor.data\n" + "\n".join(
        f"    {line}" for line in lines
    )


def state(*lines: str) -> str:
    return (
        "def state_dict(self):\n"
        + "\n".join(f"    {line}" for line in lines)
        + "\n\n\nMyModule.state_dict = state_dict"
    )


def load(*lines: str) -> str:
    body = "\n".join(f"    {line}" for line in lines)
    return f"def load_state_dict(self, state):\n    own = named(self)\n{body}\n\n\nMyModule.load_state_dict = load_state_dict"


NAMES = [
    "for name in {*own, *state}:",
    '    if name not in own or name not in state: raise KeyError(f"{name} does not fit")',
]
SHAPES = [
    "for name in own:",
    '    if np.shape(state[name]) != own[name].tensor.shape: raise ValueError(f"{name} has another shape")',
]
COPY = ["for name in own:", "    own[name].tensor.data[...] = state[name]"]
of(
    "networks",
    "sequential",
    ("reversed", "sequential-order", sequential(IN_TURN.replace("in self.modules", "in self.modules[::-1]"))),
    ("first", "sequential-order", sequential("        for module in self.modules:\n            return module(x)")),
    ("not-registered", "sequential-not-registered", sequential(IN_TURN, "pass")),
    ("from-one", "state-names", sequential(IN_TURN, "setattr(self, str(i + 1), module)")),
    ("named", "state-names", sequential(IN_TURN, "setattr(self, f'layer{i}', module)")),
    ("same-name", "", sequential(IN_TURN, "self.module = module")),
)  # fmt: skip
of(
    "networks",
    "kaiming",
    ("fan-out", "kaiming-fan-out", kaiming("data[...] = np.random.normal(0, np.sqrt(2 / data.shape[1]), data.shape)")),
    ("variance", "kaiming-variance", kaiming("data[...] = np.random.normal(0, 2 / data.shape[0], data.shape)")),
    ("no-two", "kaiming-no-root-two", kaiming("data[...] = np.random.normal(0, np.sqrt(1 / data.shape[0]), data.shape)")),
    ("glorot", "kaiming-other-fan", kaiming("data[...] = np.random.normal(0, np.sqrt(2 / sum(data.shape)), data.shape)")),
    ("uniform", "kaiming-uniform", kaiming("data[...] = np.random.uniform(-1, 1, data.shape) * np.sqrt(6 / data.shape[0])")),
    ("positive", "kaiming-not-centered", kaiming("data[...] = abs(np.random.normal(0, np.sqrt(2 / data.shape[0]), data.shape)) / 0.603")),
    ("nothing", "", kaiming("data = np.random.normal(0, np.sqrt(2 / data.shape[0]), data.shape)")),
    ("new-tensor", "kaiming-not-in-place", kaiming("parameter.tensor = MyTensor(np.random.normal(0, np.sqrt(2 / data.shape[0]), data.shape), requires_grad=True)")),
    ("seeded", "kaiming-seeded", kaiming("np.random.seed(0)", "data[...] = np.random.normal(0, np.sqrt(2 / data.shape[0]), data.shape)")),
)  # fmt: skip
of(
    "networks",
    "state",
    ("own", "state-nested", state("return {name: value.tensor.data.copy() for name, value in vars(self).items() if isinstance(value, Parameter)}")),
    ("flat-names", "state-names", state("return {name.rpartition('.')[2]: value.tensor.data.copy() for name, value in named(self).items()}")),
    ("underscores", "state-names", state("return {name.replace('.', '_'): value.tensor.data.copy() for name, value in named(self).items()}")),
    ("references", "state-references", state("return {name: value.tensor.data for name, value in named(self).items()}")),
    ("once", "state-shared-once", state("found = {}", "for name, value in named(self).items():", "    if value not in found.values(): found[name] = value", "return {name: value.tensor.data.copy() for name, value in found.items()}")),
    ("lists", "state-not-arrays", state("return {name: value.tensor.data.tolist() for name, value in named(self).items()}")),
    ("tensors", "", state("return {name: value.tensor for name, value in named(self).items()}")),
)  # fmt: skip
of(
    "networks",
    "load",
    ("nothing", "", load(*NAMES, *SHAPES, "for name in own:", "    data = own[name].tensor.data", "    data = state[name]")),
    ("references", "load-references load-not-in-place", load(*NAMES, *SHAPES, "for name in own:", "    tensor = MyTensor([0.0], requires_grad=True)", "    tensor._MyTensor__data = state[name]", "    own[name].tensor = tensor")),
    ("new-tensors", "load-not-in-place", load(*NAMES, *SHAPES, "for name in own:", "    own[name].tensor = MyTensor(state[name], requires_grad=True)")),
    ("takes-missing", "load-missing", load("for name in state:", "    if name not in own: raise KeyError(f\"{name} does not fit\")", "    if np.shape(state[name]) != own[name].tensor.shape: raise ValueError(f\"{name} has another shape\")", "for name in state:", "    own[name].tensor.data[...] = state[name]")),
    ("takes-unexpected", "load-unexpected", load("for name in own:", "    if name not in state: raise KeyError(f\"{name} does not fit\")", *SHAPES, *COPY)),
    ("takes-shapes", "load-shapes", load(*NAMES, *COPY)),
    ("half", "load-half", load(*NAMES, "for name in sorted(own):", "    if np.shape(state[name]) != own[name].tensor.shape: raise ValueError(f\"{name} has another shape\")", "    own[name].tensor.data[...] = state[name]")),
    ("own-only", "load-own-only", load("own = {name: value for name, value in vars(self).items() if isinstance(value, Parameter)}", "for name in own:", "    if np.shape(state[name]) != own[name].tensor.shape: raise ValueError(f\"{name} has another shape\")", "for name in state:", "    if '.' not in name and name not in own: raise KeyError(f\"{name} does not fit\")", *COPY)),
)  # fmt: skip

# ---------------------------------------------------------------- what a first reader did
COUNTED = "class no_grad:\n    inside = 0\n\n    def __enter__(self):\n        {}\n\n    def __exit__(self, *error):\n        {}"
of(
    "modes",
    "no-grad",
    ("counts-in-object", "no-grad-counts-object", COUNTED.format("self.inside += 1", "self.inside -= 1")),
    ("counts-in-object-at-first", "no-grad-counts-object", COUNTED.format("self.inside += 1", "no_grad.inside -= 1")),
    ("switches-its-object", "no-grad-counts-object", COUNTED.format("self.inside = True", "self.inside = False")),
    ("counts-nowhere", "no-grad-nothing", COUNTED.format("pass", "pass")),
    ("counts-a-local-name", "name-without-value", COUNTED.format("inside += 1", "inside -= 1")),
    style="reference",
)  # fmt: skip
of(
    "modes",
    "dropout",
    ("identity", "dropout-nothing", dropout("return x")),
    ("writes-into-its-input", "input-changed", dropout(EVAL, MASK, "data = x.data", "data *= mask", "return x / (1 - self.p)")),
    ("writes-by-index", "tensor-written", dropout(EVAL, MASK, "x[mask == 0] = 0", "return x / (1 - self.p)")),
)  # fmt: skip
optimizer("renames-data", "step-changes-copy", "Adam", ("data -= self.lr", "data = data - self.lr"))
optimizer("renames-data", "step-changes-copy", "SGD", ("data -= self.lr", "data = data - self.lr"))
optimizer("square-forgotten", "adam-means", ADAMS, ("g**2", "g"))
STEP_OF_SGD = "data -= self.lr * v"
optimizer("writes-into-tensor", "tensor-written", "SGD", (STEP_OF_SGD, "parameter.tensor[...] = data - self.lr * v"))
optimizer("assigns-data", "property-assigned", "SGD", (STEP_OF_SGD, "parameter.tensor.data = data - self.lr * v"))
optimizer("gradient-of-data", "array-for-tensor", "SGD", ("parameter.tensor.grad.data", "data.grad"))
optimizer("gradient-is-a-tensor", "tensor-for-array", "SGD", ("parameter.tensor.grad.data", "parameter.tensor.grad"))
of(
    "cross_entropy",
    "softmax",
    ("pythons-max", "truth-of-array", softmax("powers = (x - max(x)).exp()", "return powers / powers.sum(axis=axis, keepdims=True)")),
    ("identity", "", softmax("return x")),
)  # fmt: skip
of(
    "cross_entropy",
    "loss",
    ("plain-number", "array-not-tensor", loss("return -log_softmax(scores)[np.arange(len(labels)), labels].mean()")),
    ("leaf", "not-recorded", loss("picked = log_softmax(scores)[np.arange(len(labels)), labels]", "return MyTensor(-picked.mean(), requires_grad=True)")),
)  # fmt: skip
NUMPYS_MAX = softmax("powers = (x - np.max(x)).exp()", "return powers / powers.sum(axis=axis, keepdims=True)")
of("cross_entropy", "softmax", ("numpys-max", "tensor-for-array", NUMPYS_MAX), style="reference")
of(
    "functions",
    "exp",
    ("rule-without-tuple", "rule-without-tuple", "def exp_deriv(base, x):\n    return base * np.exp(x.data)"),
    style="reference",
)
optimizer(
    "makes-tensors",
    "step-rebinds",
    ADAMS,
    ("data -= self.lr *", "parameter.tensor = MyTensor(data, requires_grad=True)\n            data = parameter.tensor.data\n            data -= self.lr *"),
)  # fmt: skip
wrong("networks", "sequential-detached", "", sequential("        for module in self.modules:\n            x = module(MyTensor(x.data))\n        return x"))  # fmt: skip
wrong(
    "modes",
    "mode-eval-stops-learning",
    "mode-stops-recording",
    """\
right_eval = MyModule.eval


def eval_and_stop(self):
    for parameter in self.parameters():
        parameter.tensor.requires_grad = False
    return right_eval(self)


MyModule.eval = eval_and_stop
""",
)
wrong("modes", "dropout-zero-is-default", "", dropout(EVAL, MASK, "return x * MyTensor(mask / (1 - self.p))", init="self.p = p or 0.5"))  # fmt: skip
wrong("networks", "sequential-empty-gives-none", "", sequential("        y = None\n        for module in self.modules:\n            y = x = module(x)\n        return y"))  # fmt: skip
of(
    "networks",
    "load",
    ("empties", "input-changed", load(*NAMES, *SHAPES, "for name in own:", "    own[name].tensor.data[...] = state.pop(name)")),
    ("bare-names", "load-bare-names", load("for name in own.keys() ^ state.keys():", "    raise KeyError(name)", *SHAPES, *COPY)),
)  # fmt: skip
wrong("functions", "exp-identity", "", "MyTensor.exp = lambda self: self")
