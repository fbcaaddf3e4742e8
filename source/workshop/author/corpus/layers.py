"""Wrong solutions of the sections on modules, layers, optimizer, loss and model."""

from __future__ import annotations

from corpus.entry import Wrong

# Texts of the reference that several entries replace.

PARAMETERS = """\
        found = list(self.__parameters.values())
        for module in self.__sub_modules.values():
            found += module.parameters()
        return list(dict.fromkeys(found))  # each once: a key of a dictionary is there only once
"""
# The same as a walk, which others write.
WALK = """\
        found: dict[int, Parameter] = {}
        seen = set()
        modules = [self]
        while modules:
            module = modules.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            for parameter in module.__parameters.values():
                found.setdefault(id(parameter), parameter)
            modules.extend(reversed(module.__sub_modules.values()))
        return list(found.values())
"""
KEEP = "                found.setdefault(id(parameter), parameter)\n"

LEFT = "(base @ columns.T).reshape(left.shape)"
RIGHT = "(rows.T @ base).reshape(right.shape)"
MATMUL_RETURN = """\
    return (  # None where nobody asks for the gradient: that saves a product
        (base @ columns.T).reshape(left.shape) if left.requires_grad else None,
        (rows.T @ base).reshape(right.shape) if right.requires_grad else None,
    )
"""
PRODUCT = "    result = a.data @ b.data\n"
RECORD_MATMUL = (
    "    if a.requires_grad or b.requires_grad:\n        op = MyCrossBackward(a, b, backward_function=matmul"
)

WEIGHT = """\
        values = np.random.uniform(-bound, bound, (input_size, output_size))
        self.weight = Parameter(MyTensor(values))
"""
BIAS = "        self.bias = Parameter(MyTensor(np.zeros(output_size)))\n"
FORWARD = "        return matmul(x, self.weight.tensor) + self.bias.tensor\n"
RELU = "def relu(x: MyTensor) -> MyTensor:\n"
RELU_VALUE = "    result = np.maximum(x.data, 0)\n"
RELU_RULE = "    return (np.where(x.data > 0, base, 0),)\n"
RELU_RECORD = """\
    if x.requires_grad:
        op = MyCrossBackward(x, backward_function=relu_deriv, name="ReluBackward")
        return MyTensor(result, requires_grad=True, crossOpBack=op)
"""

STORE = "        self.params = list(parameters)  # a list, not a generator: it is walked at every step\n"
ZERO = "            parameter.tensor.grad = None\n"
ZERO_LOOP = """\
        for parameter in self.params:
            parameter.tensor.grad = None
"""
STEP_LOOP = """\
        for parameter in self.params:
            tensor = parameter.tensor
"""
STEP = "                data -= self.lr * tensor.grad.data\n"
STEP_DATA = "                data = tensor.data\n" + STEP
STEP_GUARD = "            if tensor.grad is not None:\n"

SUM_RULE = """\
    if axis is not None:
        base = np.expand_dims(base, axis)  # put the summed axes back, with length 1
"""
SUM_SHARE = "    return base * np.ones_like(x.data), None  # every element has the same share\n"
MSE = "class MSELoss:\n"
DIFFERENCE = "        difference = y - y_target\n"
MEAN = "        return sum(difference**2) / difference.size\n"

UNIFORM = "np.random.uniform(-bound, bound, (input_size, output_size))"
HIDDEN = "        self.hidden = Linear(64, 32)\n"
OUTPUT = "        self.output = Linear(32, 10)\n"
LAYERS = HIDDEN + "        self.relu = ReLU()\n" + OUTPUT
SCORES = "        return self.output(self.relu(self.hidden(x)))\n"
OPTIMIZER = "    optimizer = SGD(model.parameters(), lr)\n"
SHUFFLE = "        order = np.random.permutation(len(images))\n"
BATCHES = "        for start in range(0, len(order), batch_size):\n"
BATCH = "            batch = order[start : start + batch_size]\n"
FORGET = "            optimizer.zero_grad()\n"
COMPARE = "            loss = loss_function(y, MyTensor(targets[batch]))\n"
BACKWARD = "            loss.backward()\n"
APPLY = "            optimizer.step()\n"
TOTAL = "        total = 0.0\n"
ADD = "            total += float(loss.data) * len(batch)\n"
LOG = "        losses.append(total / len(images))\n"
SHOW = '        progress.set_postfix(loss=f"{losses[-1]:.4f}", refresh=False)\n'
TELL = "        if live:\n            live(losses[-1])\n"
RETURN = "    return losses"


def walk(*changes):
    """A walk over the modules, after changes to its text."""
    changed = WALK
    for old, new in changes:
        assert old in changed, old
        changed = changed.replace(old, new)
    return PARAMETERS, changed


def fused_linear(x="base @ w.data.T", weight="rows.T @ base", bias="base.sum(axis=0)"):
    """A Linear that records one operation, with a rule of its own. The defaults are right."""
    rule = f"""\
def linear_deriv(base, x, w, b):
    base, rows = np.atleast_2d(base), np.atleast_2d(x.data)
    dx = {x}
    if dx is not None and x.data.ndim == 1:
        dx = dx[0]
    return dx, {weight}, {bias}


"""
    forward = """\
        w, b = self.weight.tensor, self.bias.tensor
        op = MyCrossBackward(x, w, b, backward_function=linear_deriv, name="LinearBackward")
        return MyTensor(x.data @ w.data + b.data, requires_grad=True, crossOpBack=op)
"""
    return (FORWARD, forward), (RELU, rule + RELU)


def fused_mse(prediction="base * 2 * difference / difference.size", value="np.mean(difference**2)", before=""):
    """An MSELoss that records one operation, with a rule of its own. The defaults are right."""
    rule = f"""\
def mse_deriv(base, y, target):
    difference = y.data - target.data
    gradient = {prediction}
    return gradient, -gradient


"""
    forward = f"""\
{before}        difference = y.data - y_target.data
        value = {value}
        if not (y.requires_grad or y_target.requires_grad):
            return MyTensor(value)
        op = MyCrossBackward(y, y_target, backward_function=mse_deriv, name="MSEBackward")
        return MyTensor(value, requires_grad=True, crossOpBack=op)
"""
    return (DIFFERENCE + MEAN, forward), (MSE, rule + MSE)


MODULE = [
    Wrong(
        "parameters-own-dictionary-only",
        "parameters-nested-missing",
        "module",
        "nested",
        (PARAMETERS, "        return list(self.__parameters.values())\n"),
    ),
    Wrong(
        "parameters-walk-never-extended",
        "parameters-nested-missing",
        "module",
        "nested",
        walk(("            modules.extend(reversed(module.__sub_modules.values()))\n", "")),
    ),
    Wrong(
        "parameters-once-only",
        "parameters-used-up",
        "module",
        "reassigned",
        walk(
            ("            if id(module) in seen:\n", "            if 'listed' in module.__dict__:\n"),
            ("            seen.add(id(module))\n", "            module.__dict__['listed'] = True\n"),
        ),
    ),
    Wrong(
        "parameters-in-a-list-that-is-kept",
        "parameters-kept-between-calls",
        "module",
        "reassigned",
        (
            "        return list(dict.fromkeys(found))",
            "        self.__dict__.setdefault('kept', []).extend(dict.fromkeys(found))\n        return self.kept",
        ),
    ),
    Wrong(
        "parameters-in-one-list-for-all-calls",
        "parameters-kept-between-calls",
        "module",
        "nested reassigned",
        ("    def parameters(self) -> list[Parameter]:", "    def parameters(self, kept=[]) -> list[Parameter]:"),
        walk(
            (
                "        return list(found.values())\n",
                "        kept.extend(found.values())\n        return list(kept)\n",
            )
        ),
    ),
    Wrong(
        "modules-of-the-class",
        "parameters-of-all-modules",
        "module",
        "alike deep reassigned",
        (
            "        self.__parameters: dict[str, Parameter] = {}\n",
            "        self.__dict__['_MyModule__parameters'] = MyModule.__dict__.get('shared') or {}\n"
            "        MyModule.shared = self.__parameters\n",
        ),
    ),
    Wrong(
        "parameters-return-in-loop",
        "parameters-some-modules",
        "module",
        "nested",
        (
            PARAMETERS,
            """\
        found = {id(parameter): parameter for parameter in self.__parameters.values()}
        for module in self.__sub_modules.values():
            found.update((id(parameter), parameter) for parameter in module.parameters())
            return list(found.values())
        return list(found.values())
""",
        ),
    ),
    Wrong(
        "parameters-children-not-grandchildren",
        "parameters-one-level",
        "module",
        "deep",
        (
            PARAMETERS,
            """\
        found = list(self.__parameters.values())
        for module in self.__sub_modules.values():
            found.extend(module.__parameters.values())
        return list({id(parameter): parameter for parameter in found}.values())
""",
        ),
    ),
    Wrong(
        "parameters-walk-extended-by-own-children",
        "parameters-one-level",
        "module",
        "deep",
        walk(
            ("modules.extend(reversed(module.__sub_modules.values()))", "modules.extend(self.__sub_modules.values())")
        ),
    ),
    Wrong(
        "parameters-start-at-children",
        "parameters-own-missing",
        "module",
        "own",
        walk(("        modules = [self]\n", "        modules = list(self.__sub_modules.values())\n")),
    ),
    Wrong(
        "parameters-own-of-leaf-modules-only",
        "parameters-own-missing & parameters-nested-missing",
        "module",
        "nested",
        (
            PARAMETERS,
            """\
        if not self.__sub_modules:
            return list(self.__parameters.values())
        found = {}
        for module in self.__sub_modules.values():
            found.update((id(parameter), parameter) for parameter in module.parameters())
        return list(found.values())
""",
        ),
    ),
    Wrong(
        "parameters-concatenated-lists",
        "parameters-shared-twice",
        "module",
        "shared",
        (
            PARAMETERS,
            """\
        found = list(self.__parameters.values())
        for module in self.__sub_modules.values():
            found += module.parameters()
        return found
""",
        ),
    ),
    Wrong(
        "parameters-only-modules-once",
        "parameters-shared-twice",
        "module",
        "shared",
        walk(
            ("        found: dict[int, Parameter] = {}\n", "        found = []\n"),
            (KEEP, "                found.append(parameter)\n"),
            ("        return list(found.values())\n", "        return found\n"),
        ),
    ),
    Wrong(
        "parameters-keyed-by-name",
        "parameters-by-name",
        "module",
        "alike",
        walk((KEEP, "                found.setdefault(parameter.name, parameter)\n")),
    ),
    Wrong(
        "parameters-dictionaries-merged",
        "parameters-by-name",
        "module",
        "alike",
        (
            PARAMETERS,
            """\
        def collect(module):
            found = dict(module.__parameters)
            for child in module.__sub_modules.values():
                found.update(collect(child))
            return found

        return list(collect(self).values())
""",
        ),
    ),
    Wrong(
        "parameters-compared-by-array-equal",
        "parameters-by-value",
        "module",
        "alike",
        walk(
            (
                KEEP,
                """\
                if not any(np.array_equal(parameter.tensor.data, other.tensor.data) for other in found.values()):
                    found[id(parameter)] = parameter
""",
            ),
        ),
    ),
    Wrong(
        "parameters-keyed-by-text",
        "parameters-by-value",
        "module",
        "alike",
        walk((KEEP, "                found.setdefault(str(parameter.tensor), parameter)\n")),
    ),
    Wrong(
        "replaced-parameter-stored-by-id",
        "parameters-replaced-kept",
        "module",
        "reassigned",
        ("            self.__parameters[name] = value\n", "            self.__parameters[id(value)] = value\n"),
    ),
    Wrong(
        "replaced-module-stored-by-id",
        "parameters-replaced-kept",
        "module",
        "reassigned",
        ("            self.__sub_modules[name] = value\n", "            self.__sub_modules[id(value)] = value\n"),
    ),
    Wrong(
        "parameters-cached-at-first-call",
        "parameters-of-first-call",
        "module",
        "reassigned",
        (
            "        found = list(self.__parameters.values())\n",
            """\
        if "cached" in self.__dict__:
            return self.cached
        found = list(self.__parameters.values())
""",
        ),
        (
            "        return list(dict.fromkeys(found))",
            "        self.cached = list(dict.fromkeys(found))\n        return self.cached",
        ),
    ),
    Wrong(
        "parameters-of-names",
        "modules-by-name",
        "module",
        "nested",
        ("for module in self.__sub_modules.values():", "for module in self.__sub_modules:"),
    ),
    Wrong(
        "parameters-lists-in-list",
        "parameters-not-parameters & other-kind",
        "module",
        "nested",
        (
            PARAMETERS,
            """\
        found = list(self.__parameters.values())
        for module in self.__sub_modules.values():
            found.append(module.parameters())
        return found
""",
        ),
    ),
    Wrong(
        "parameters-gives-tensors",
        "parameters-not-parameters",
        "module",
        "own",
        walk(
            (
                "        return list(found.values())\n",
                "        return [parameter.tensor for parameter in found.values()]\n",
            ),
        ),
    ),
    Wrong(
        "call-without-return",
        "call-returns-nothing",
        "module",
        "calling",
        ("        return self.forward(x)\n", "        self.forward(x)\n"),
    ),
    Wrong(
        "closures-children-own-dictionary",
        "parameters-one-level",
        "module",
        "deep",
        (
            "*(q for m in self._modules.values() for q in m.parameters())",
            "*(q for m in self._modules.values() for q in m._params.values())",
        ),
        style="closures",
    ),
    Wrong(
        "closures-modules-in-a-list",
        "parameters-replaced-kept",
        "module",
        "reassigned",
        ("        self._params, self._modules = {}, {}\n", "        self._params, self._modules = {}, []\n"),
        ("        self._modules.pop(name, None)\n", ""),
        ("            self._modules[name] = value\n", "            self._modules.append(value)\n"),
        ("for m in self._modules.values() for q", "for m in self._modules for q"),
        style="closures",
    ),
    Wrong(
        "tape-keyed-by-name",
        "parameters-by-name",
        "module",
        "alike",
        (
            "found.update((id(parameter), parameter) for parameter in module._own.values())",
            "found.update((parameter.name, parameter) for parameter in module._own.values())",
        ),
        style="tape",
    ),
    Wrong(
        "tensor-parameter-each-walk-forgets",
        "parameters-shared-twice",
        "module",
        "shared",
        ("yield from thing.parameters(seen)", "yield from thing.parameters()"),
        style="tensor_parameter",
    ),
    Wrong(
        "self-forgotten",
        "self-missing",
        "module",
        "own",
        ("    def parameters(self) -> list[Parameter]:", "    def parameters() -> list[Parameter]:"),
    ),
]

MATMUL = [
    Wrong(
        "matmul-star",
        "matmul-elementwise",
        "matmul",
        "matmul_value",
        (PRODUCT, "    result = a.data * b.data\n"),
    ),
    Wrong(
        "matmul-products-not-summed",
        "matmul-elementwise",
        "matmul",
        "matmul_value",
        (PRODUCT, "    result = a.data[:, :, None] * b.data\n"),
    ),
    Wrong(
        "matmul-b-first",
        "matmul-operands-swapped",
        "matmul",
        "matmul_value",
        (PRODUCT, "    result = b.data @ a.data\n"),
    ),
    Wrong(
        "matmul-inner",
        "matmul-transposed",
        "matmul",
        "matmul_value",
        (PRODUCT, "    result = np.inner(a.data, b.data)\n"),
    ),
    Wrong(
        "matmul-result-turned",
        "matmul-transposed",
        "matmul",
        "matmul_value",
        (PRODUCT, "    result = b.data.T @ a.data.T\n"),
    ),
    Wrong(
        "matmul-left-turned",
        "matmul-transposed",
        "matmul",
        "matmul_value",
        (PRODUCT, "    result = a.data.T @ b.data\n"),
    ),
    Wrong(
        "matmul-rule-without-transposes",
        "matmul-transpose-missing",
        "matmul",
        "matmul_left matmul_right",
        (MATMUL_RETURN, "    return base @ right.data, left.data @ base\n"),
    ),
    Wrong(
        "matmul-rule-reshape-for-transpose",
        "matmul-transpose-missing",
        "matmul",
        "matmul_left matmul_right",
        (LEFT, "(base @ columns.reshape(columns.shape[::-1])).reshape(left.shape)"),
        (RIGHT, "(rows.reshape(rows.shape[::-1]) @ base).reshape(right.shape)"),
    ),
    Wrong(
        "matmul-rule-left-reshaped",
        "matmul-transpose-missing",
        "matmul",
        "matmul_left",
        (LEFT, "(base @ columns.reshape(columns.shape[::-1])).reshape(left.shape)"),
    ),
    Wrong(
        "matmul-rule-right-reshaped",
        "matmul-transpose-missing",
        "matmul",
        "matmul_right",
        (RIGHT, "(rows.reshape(rows.shape[::-1]) @ base).reshape(right.shape)"),
    ),
    Wrong(
        "matmul-rule-left-transposed-if-needed",
        "matmul-transpose-missing",
        "matmul",
        "matmul_left",
        (
            MATMUL_RETURN,
            """\
    other = columns if base.shape[1] == columns.shape[0] else columns.T
    return (base @ other).reshape(left.shape), (rows.T @ base).reshape(right.shape)
""",
        ),
    ),
    Wrong(
        "matmul-rule-factors-the-other-way",
        "matmul-factors-swapped",
        "matmul",
        "matmul_left matmul_right",
        (MATMUL_RETURN, "    return right.data.T @ base, base @ left.data.T\n"),
    ),
    Wrong(
        "matmul-rule-right-factors-swapped",
        "matmul-factors-swapped",
        "matmul",
        "matmul_right",
        (RIGHT, "(base @ rows.T).reshape(right.shape)"),
    ),
    Wrong(
        "matmul-rule-left-turned",
        "matmul-gradient-transposed",
        "matmul",
        "matmul_left",
        (LEFT, "columns @ base.T"),
    ),
    Wrong(
        "matmul-rule-right-turned",
        "matmul-gradient-transposed",
        "matmul",
        "matmul_right",
        (RIGHT, "base.T @ rows"),
    ),
    Wrong(
        "matmul-rule-right-turned-and-reshaped",
        "matmul-gradient-transposed",
        "matmul",
        "matmul_right",
        (RIGHT, "(base.T @ rows).reshape(right.shape)"),
    ),
    Wrong(
        "matmul-rule-returns-right-first",
        "matmul-gradients-exchanged",
        "matmul",
        "matmul_left matmul_right",
        (MATMUL_RETURN, "    return (rows.T @ base).reshape(right.shape), (base @ columns.T).reshape(left.shape)\n"),
    ),
    Wrong(
        "matmul-rule-of-mul",
        "matmul-gradient-elementwise",
        "matmul",
        "matmul_left matmul_right",
        (
            MATMUL_RETURN,
            "    return unbroadcast(base * right.data, left.shape), unbroadcast(base * left.data, right.shape)\n",
        ),
    ),
    Wrong(
        "matmul-recorded-with-mul-deriv",
        "matmul-gradient-elementwise",
        "matmul",
        "matmul_left matmul_right",
        ("backward_function=matmul_deriv", "backward_function=mul_deriv"),
    ),
    Wrong(
        "matmul-recorded-for-a-only",
        "matmul-not-recorded",
        "matmul",
        "matmul_right",
        (RECORD_MATMUL, RECORD_MATMUL.replace("a.requires_grad or b.requires_grad", "a.requires_grad")),
    ),
    Wrong(
        "matmul-recorded-if-both",
        "matmul-not-recorded",
        "matmul",
        "matmul_left matmul_right",
        (RECORD_MATMUL, RECORD_MATMUL.replace(" or ", " and ")),
    ),
    Wrong(
        "matmul-new-leaf",
        "matmul-not-recorded",
        "matmul",
        "matmul_left matmul_right",
        (PRODUCT, PRODUCT + "    return MyTensor(result, requires_grad=a.requires_grad or b.requires_grad)\n"),
    ),
    Wrong(
        "matmul-rule-right-is-constant",
        "matmul-not-recorded",
        "matmul",
        "matmul_right",
        (
            '(a, b, backward_function=matmul_deriv, name="MatmulBackward")',
            '(a, MyTensor(b.data), backward_function=matmul_deriv, name="MatmulBackward")',
        ),
    ),
    Wrong(
        "matmul-rule-left-negated",
        "matmul-sign",
        "matmul",
        "matmul_left",
        (LEFT, "(-base @ columns.T).reshape(left.shape)"),
    ),
    Wrong(
        "matmul-rule-right-placeholder",
        "matmul-gradient-zero",
        "matmul",
        "matmul_right",
        (RIGHT, "np.zeros(right.shape)"),
    ),
    Wrong(
        "matmul-rule-right-rows-summed",
        "matmul-upstream-missing",
        "matmul",
        "matmul_right",
        (RIGHT, "np.repeat(rows.sum(axis=0)[:, None], columns.shape[1], axis=1).reshape(right.shape)"),
    ),
    Wrong(
        "matmul-rule-from-ones",
        "matmul-upstream-missing",
        "matmul",
        "matmul_left matmul_right",
        (
            "    base = base.reshape(rows.shape[0], columns.shape[1])\n",
            "    base = np.ones((rows.shape[0], columns.shape[1]))\n",
        ),
    ),
    Wrong(
        "matmul-rule-right-averaged-over-rows",
        "matmul-gradient-averaged",
        "matmul",
        "matmul_right",
        (RIGHT, "(rows.T @ base / len(rows)).reshape(right.shape)"),
    ),
    Wrong(
        "matmul-by-torch",
        "uses-torch",
        "matmul",
        "matmul_value",
        (
            PRODUCT,
            "    import torch\n\n    result = torch.matmul(torch.tensor(a.data), torch.tensor(b.data)).numpy()\n",
        ),
    ),
    Wrong(
        "matmul-rule-by-torch",
        "uses-torch",
        "matmul",
        "matmul_left matmul_right",
        (
            MATMUL_RETURN,
            """\
    import torch

    a = torch.tensor(rows, requires_grad=True)
    b = torch.tensor(columns, requires_grad=True)
    torch.matmul(a, b).backward(torch.tensor(base))
    return a.grad.numpy().reshape(left.shape), b.grad.numpy().reshape(right.shape)
""",
        ),
    ),
    Wrong(
        "matmul-of-the-example",
        "hard-coded",
        "matmul",
        "matmul_value",
        (PRODUCT, "    result = np.array([[15.0, 18.0, 21.0]])\n"),
    ),
    Wrong(
        "closures-matmul-left-turned",
        "matmul-gradient-transposed",
        "matmul",
        "matmul_left",
        ("        a._add_grad(np.dot(out.grad, b.data.T))\n", "        a._add_grad(np.dot(b.data, out.grad.T))\n"),
        style="closures",
    ),
    Wrong(
        "closures-matmul-only-first-operand",
        "matmul-not-recorded",
        "matmul",
        "matmul_right",
        ("    out = _out(np.dot(a.data, b.data), a, b)\n", "    out = _out(np.dot(a.data, b.data), a)\n"),
        (
            "        b._add_grad(np.outer(a.data, out.grad) if a.data.ndim == 1 else np.dot(a.data.T, out.grad))\n",
            "",
        ),
        style="closures",
    ),
    Wrong(
        "minimal-sum-axis-not-put-back",
        "shapes-do-not-meet",
        "matmul",
        "matmul_left matmul_right",
        ("np.broadcast_to(np.expand_dims(up, axis), self.shape)", "np.broadcast_to(up, self.shape)"),
        style="minimal_operators",
    ),
    Wrong(
        "minimal-matmul-not-summed",
        "matmul-elementwise",
        "matmul",
        "matmul_value",
        ("    return (a.reshape(*a.shape, 1) * b).sum(axis=-2)\n", "    return a.reshape(*a.shape, 1) * b\n"),
        style="minimal_operators",
    ),
    Wrong(
        "context-matmul-gradients-exchanged",
        "matmul-gradients-exchanged",
        "matmul",
        "matmul_left matmul_right",
        ("        return g @ b.T, a.T @ g\n", "        return a.T @ g, g @ b.T\n"),
        style="functions_with_context",
    ),
    Wrong(
        "tensor-parameter-matmul-right-turned",
        "matmul-gradient-transposed",
        "matmul",
        "matmul_right",
        ('np.einsum("ni,nj->ij", ', 'np.einsum("ni,nj->ji", '),
        style="tensor_parameter",
    ),
    Wrong(
        "matmul-left-reshaped-and-right-negated",
        "matmul-transpose-missing & matmul-sign",
        "matmul",
        "matmul_left matmul_right",
        (LEFT, "(base @ columns.reshape(columns.shape[::-1])).reshape(left.shape)"),
        (RIGHT, "-(rows.T @ base).reshape(right.shape)"),
    ),
    Wrong(
        "matmul-relu",
        "matmul-transpose-missing",
        "matmul",
        "matmul_left",
        ("(base @ columns.T)", "(base @ columns.reshape(columns.shape[::-1]))"),
    ),
    Wrong(
        "matmul-row-stays-a-batch",
        "",
        "matmul",
        "matmul_row",
        (PRODUCT, "    result = np.atleast_2d(a.data) @ b.data\n"),
    ),
    Wrong(
        "matmul-rule-for-batches-only",
        "",
        "matmul",
        "matmul_row_gradients",
        (LEFT, "base @ right.data.T"),
        (RIGHT, "left.data.T @ base"),
    ),
    Wrong(
        "matmul-rule-clears-upstream",
        "upstream-changed",
        "matmul",
        "matmul_untouched",
        (
            MATMUL_RETURN,
            f"    gradients = {LEFT}, {RIGHT}\n    base[...] = 0  # no longer needed\n    return gradients\n",
        ),
    ),
]

LINEAR = [
    Wrong(
        "linear-keeps-no-attributes",
        "linear-not-registered",
        "linear",
        "linear_parameters linear_random linear_batch linear_weight linear_bias linear_input",
        (WEIGHT, WEIGHT.replace("self.weight =", "self.__dict__['weight'] =")),
        (BIAS, BIAS.replace("self.bias =", "self.__dict__['bias'] =")),
    ),
    Wrong(
        "linear-without-bias",
        "linear-bias-missing",
        "linear",
        "linear_parameters linear_bias",
        (BIAS, ""),
        (FORWARD, "        return matmul(x, self.weight.tensor)\n"),
    ),
    Wrong(
        "linear-bias-plain-tensor",
        "linear-bias-missing",
        "linear",
        "linear_parameters linear_bias",
        (BIAS, "        self.bias = MyTensor(np.zeros(output_size), requires_grad=True)\n"),
        (FORWARD, "        return matmul(x, self.weight.tensor) + self.bias\n"),
    ),
    Wrong(
        "linear-bias-number",
        "linear-bias-missing",
        "linear",
        "linear_parameters linear_bias",
        (BIAS, "        self.bias = 0.0\n"),
        (FORWARD, "        return matmul(x, self.weight.tensor) + self.bias\n"),
    ),
    Wrong(
        "linear-weight-plain-tensor",
        "linear-weight-missing",
        "linear",
        "linear_parameters linear_weight",
        (
            WEIGHT,
            """\
        self.weight = MyTensor(np.random.uniform(-bound, bound, (input_size, output_size)), requires_grad=True)
""",
        ),
        (FORWARD, "        return matmul(x, self.weight) + self.bias.tensor\n"),
    ),
    Wrong(
        "linear-weight-in-a-list",
        "linear-weight-missing",
        "linear",
        "linear_parameters linear_weight",
        (WEIGHT, WEIGHT.replace("Parameter(", "[Parameter(").rstrip() + "]\n"),
        (FORWARD, "        return matmul(x, self.weight[0].tensor) + self.bias.tensor\n"),
    ),
    Wrong(
        "linear-zeros",
        "zero-initialisation",
        "linear",
        "linear_random",
        (UNIFORM, "np.zeros((input_size, output_size))"),
    ),
    Wrong(
        "linear-constant-bound",
        "zero-initialisation",
        "linear",
        "linear_random",
        (UNIFORM, "np.full((input_size, output_size), bound)"),
    ),
    Wrong(
        "linear-bound-of-whole-division",
        "zero-initialisation",
        "linear",
        "linear_random",
        ("        bound = 1 / np.sqrt(input_size)\n", "        bound = 1 // np.sqrt(input_size + 1)\n"),
    ),
    Wrong(
        "linear-seeded-in-init",
        "weights-drawn-once",
        "linear",
        "linear_random",
        (WEIGHT, "        np.random.seed(0)\n" + WEIGHT),
    ),
    Wrong(
        "linear-generator-with-seed",
        "weights-drawn-once",
        "linear",
        "linear_random",
        ("np.random.uniform(-bound, bound, (", "np.random.default_rng(42).uniform(-bound, bound, ("),
    ),
    Wrong(
        "linear-drawn-into-class-attribute",
        "weights-drawn-once",
        "linear",
        "linear_random",
        (
            '    """y = x @ weight + bias"""\n\n',
            '    """y = x @ weight + bias"""\n\n    numbers = np.random.uniform(-1, 1, 10_000)\n\n',
        ),
        (
            UNIFORM,
            "np.resize(bound * self.numbers, (input_size, output_size))",
        ),
    ),
    Wrong(
        "linear-weights-of-rand",
        "weights-on-one-side",
        "linear",
        "linear_random",
        (UNIFORM, "np.random.rand(input_size, output_size) * bound"),
    ),
    Wrong(
        "linear-weights-mostly-positive",
        "weights-on-one-side",
        "linear",
        "linear_random",
        (UNIFORM, "np.random.uniform(-bound / 3, bound, (input_size, output_size))"),
    ),
    Wrong(
        "linear-weights-all-negative",
        "weights-on-one-side",
        "linear",
        "linear_random",
        (UNIFORM, "-np.abs(np.random.normal(0, bound, (input_size, output_size)))"),
    ),
    Wrong(
        "linear-weights-randn",
        "weights-too-large",
        "linear",
        "linear_random",
        (UNIFORM, "np.random.randn(input_size, output_size)"),
    ),
    Wrong(
        "linear-weights-between-minus-one-and-one",
        "weights-too-large",
        "linear",
        "linear_random",
        (UNIFORM, "np.random.uniform(-1, 1, (input_size, output_size))"),
    ),
    Wrong(
        "linear-bound-is-root",
        "weights-too-large",
        "linear",
        "linear_random",
        ("        bound = 1 / np.sqrt(input_size)\n", "        bound = np.sqrt(input_size)\n"),
    ),
    Wrong(
        "linear-bound-of-outputs-squared",
        "weights-too-small",
        "linear",
        "linear_random",
        ("        bound = 1 / np.sqrt(input_size)\n", "        bound = 1 / output_size**2\n"),
    ),
    Wrong(
        "linear-weights-not-a-number",
        "weights-not-finite",
        "linear",
        "linear_random",
        ("        bound = 1 / np.sqrt(input_size)\n", "        bound = np.float64(0) / np.float64(0)\n"),
        (UNIFORM, "bound * np.ones((input_size, output_size))"),
    ),
    Wrong(
        "linear-one-bias-for-all-units",
        "linear-parameter-shape & shapes-do-not-meet",
        "linear",
        "linear_parameters linear_bias",
        (BIAS, BIAS.replace("output_size", "1")),
    ),
    Wrong(
        "linear-bias-for-each-input",
        "linear-parameter-shape & shapes-do-not-meet",
        "linear",
        "linear_parameters linear_batch linear_weight linear_bias linear_input",
        (BIAS, BIAS.replace("output_size", "input_size")),
    ),
    Wrong(
        "linear-every-row-alike",
        "units-alike",
        "linear",
        "linear_random",
        (UNIFORM, "np.tile(np.random.uniform(-bound, bound, output_size), (input_size, 1))"),
    ),
    Wrong(
        "linear-reports-zeros",
        "zero-initialisation & linear-detached",
        "linear",
        "linear_random linear_batch linear_weight linear_bias linear_input",
        (
            BIAS,
            BIAS + "        self.kept = np.array(self.weight.tensor.data)\n        self.weight.tensor.data[...] = 0\n",
        ),
        (FORWARD, "        return matmul(x, MyTensor(self.kept)) + self.bias.tensor\n"),
    ),
    Wrong(
        "linear-reports-nan",
        "weights-not-finite & linear-detached",
        "linear",
        "linear_random linear_batch linear_weight linear_bias linear_input",
        (
            BIAS,
            BIAS + "        self.kept = np.array(self.weight.tensor.data)\n"
            "        self.weight.tensor.data[...] = np.nan\n",
        ),
        (FORWARD, "        return matmul(x, MyTensor(self.kept)) + self.bias.tensor\n"),
    ),
    Wrong(
        "linear-with-a-third-parameter",
        "",
        "linear",
        "linear_parameters",
        (BIAS, BIAS + "        self.scale = Parameter(MyTensor(np.ones(output_size)))\n"),
    ),
    Wrong(
        "linear-remembers-its-first-answer",
        "",
        "linear",
        "any_network",
        (
            FORWARD,
            """\
        if not hasattr(self, "answer"):
            self.answer = matmul(x, self.weight.tensor) + self.bias.tensor
        return self.answer
""",
        ),
    ),
    Wrong(
        "linear-forward-without-bias",
        "linear-bias-not-added",
        "linear",
        "linear_bias",
        (FORWARD, "        return matmul(x, self.weight.tensor)\n"),
    ),
    Wrong(
        "linear-bias-result-dropped",
        "linear-bias-not-added",
        "linear",
        "linear_bias",
        (
            FORWARD,
            """\
        y = matmul(x, self.weight.tensor)
        y + self.bias.tensor
        return y
""",
        ),
    ),
    Wrong(
        "linear-bias-subtracted",
        "linear-bias-not-added",
        "linear",
        "linear_bias",
        (FORWARD, "        return matmul(x, self.weight.tensor) - self.bias.tensor\n"),
    ),
    Wrong(
        "linear-weight-out-in-not-turned",
        "linear-weight-orientation",
        "linear",
        "linear_batch linear_weight linear_bias linear_input",
        ("(-bound, bound, (input_size, output_size))", "(-bound, bound, (output_size, input_size))"),
    ),
    Wrong(
        "linear-weight-times-x",
        "linear-weight-orientation",
        "linear",
        "linear_batch linear_weight linear_bias linear_input",
        (FORWARD, "        return matmul(self.weight.tensor, x) + self.bias.tensor\n"),
    ),
    Wrong(
        "linear-unpacks-two-axes",
        "linear-row-refused",
        "linear",
        "linear_row",
        (
            FORWARD,
            """\
        n, inputs = x.shape
        assert inputs == self.weight.tensor.shape[0], f"{n} rows of {inputs} numbers"
"""
            + FORWARD,
        ),
    ),
    Wrong(
        "linear-bias-repeated-for-each-row",
        "",
        "linear",
        "linear_row",
        (
            FORWARD,
            """\
        ones = MyTensor(np.ones((x.shape[0], 1)))
        bias = MyTensor(np.zeros((1, self.bias.tensor.size))) + self.bias.tensor
        return matmul(x, self.weight.tensor) + matmul(ones, bias)
""",
        ),
    ),
    Wrong(
        "linear-bias-as-matrix",
        "linear-row-becomes-batch",
        "linear",
        "linear_row",
        ("Parameter(MyTensor(np.zeros(output_size)))", "Parameter(MyTensor(np.zeros((1, output_size))))"),
    ),
    Wrong(
        "linear-row-wrapped",
        "linear-row-becomes-batch",
        "linear",
        "linear_row",
        (
            FORWARD,
            "        if len(x.shape) == 1:\n            x = MyTensor([x.data])\n" + FORWARD,
        ),
    ),
    Wrong("fused-bias-not-summed", "bias-not-summed", "linear", "linear_bias", *fused_linear(bias="base")),
    Wrong("fused-bias-of-first-row", "bias-not-summed", "linear", "linear_bias", *fused_linear(bias="base[0]")),
    Wrong(
        "fused-bias-summed-over-outputs",
        "bias-not-summed",
        "linear",
        "linear_bias",
        *fused_linear(bias="base.sum(axis=1)"),
    ),
    Wrong(
        "fused-bias-summed-to-a-number", "bias-not-summed", "linear", "linear_bias", *fused_linear(bias="base.sum()")
    ),
    Wrong("fused-bias-averaged", "bias-averaged", "linear", "linear_bias", *fused_linear(bias="base.mean(axis=0)")),
    Wrong(
        "fused-weight-averaged",
        "weight-averaged",
        "linear",
        "linear_weight",
        *fused_linear(weight="rows.T @ base / len(rows)"),
    ),
    Wrong(
        "fused-weight-negated",
        "linear-sign",
        "linear",
        "linear_weight",
        *fused_linear(weight="-rows.T @ base"),
    ),
    Wrong("fused-bias-negated", "linear-sign", "linear", "linear_bias", *fused_linear(bias="-base.sum(axis=0)")),
    Wrong(
        "fused-bias-is-a-constant",
        "linear-gradient-zero",
        "linear",
        "linear_bias",
        *fused_linear(bias="np.zeros_like(b.data)"),
    ),
    Wrong(
        "fused-bias-ones",
        "linear-upstream-missing",
        "linear",
        "linear_bias",
        *fused_linear(bias="np.full(b.shape, float(len(base)))"),
    ),
    Wrong(
        "fused-weight-without-upstream",
        "linear-upstream-missing",
        "linear",
        "linear_weight",
        *fused_linear(weight="rows.T @ np.ones_like(base)"),
    ),
    Wrong(
        "fused-input-without-upstream",
        "linear-upstream-missing",
        "linear",
        "linear_input",
        *fused_linear(x="np.ones_like(base) @ w.data.T"),
    ),
    Wrong(
        "fused-weight-turned",
        "linear-gradient-transposed",
        "linear",
        "linear_weight",
        *fused_linear(weight="base.T @ rows"),
    ),
    Wrong(
        "fused-input-turned",
        "linear-gradient-transposed",
        "linear",
        "linear_input",
        *fused_linear(x="w.data @ base.T"),
    ),
    Wrong(
        "fused-weight-not-turned-over",
        "shapes-do-not-meet",
        "linear",
        "linear_weight linear_bias linear_input",
        *fused_linear(weight="rows @ base"),
    ),
    Wrong(
        "fused-weight-reshaped",
        "",
        "linear",
        "linear_weight",
        *fused_linear(weight="rows.reshape(rows.shape[::-1]) @ base"),
    ),
    Wrong(
        "fused-input-zeros", "linear-gradient-zero", "linear", "linear_input", *fused_linear(x="np.zeros(rows.shape)")
    ),
    Wrong(
        "linear-input-from-data",
        "linear-detached",
        "linear",
        "linear_input",
        (FORWARD, "        x = MyTensor(x.data)\n" + FORWARD),
    ),
    Wrong(
        "linear-weight-from-data",
        "linear-detached",
        "linear",
        "linear_weight",
        (FORWARD, "        return matmul(x, MyTensor(self.weight.tensor.data)) + self.bias.tensor\n"),
    ),
    Wrong(
        "linear-bias-from-data",
        "linear-detached",
        "linear",
        "linear_bias",
        (FORWARD, "        return matmul(x, self.weight.tensor) + self.bias.tensor.data\n"),
    ),
    Wrong(
        "linear-all-from-data",
        "linear-detached",
        "linear",
        "linear_weight linear_bias linear_input",
        (FORWARD, "        return MyTensor(x.data @ self.weight.tensor.data + self.bias.tensor.data)\n"),
    ),
    Wrong(
        "linear-new-leaf",
        "linear-detached",
        "linear",
        "linear_weight linear_bias linear_input",
        (
            FORWARD,
            """\
        y = x.data @ self.weight.tensor.data + self.bias.tensor.data
        return MyTensor(y, requires_grad=True)
""",
        ),
    ),
    Wrong(
        "slots-turned-weight-gradient",
        "shapes-do-not-meet",
        "linear",
        "linear_weight linear_bias linear_input",
        ("(self.__data.T, (self, np.transpose))", "(self.__data.T, (self, lambda g: g))"),
        style="slots_and_arrays",
    ),
    Wrong(
        "slots-weight-not-turned",
        "linear-weight-orientation",
        "linear",
        "linear_batch linear_weight linear_bias linear_input",
        ("matmul(x, self.weight.tensor.T)", "matmul(x, self.weight.tensor)"),
        style="slots_and_arrays",
    ),
    Wrong(
        "pushed-counts-bias-as-matrix",
        "linear-row-becomes-batch",
        "linear",
        "linear_row",
        ("np.zeros((1, output_size))[0]", "np.zeros((1, output_size))"),
        style="pushed_counts",
    ),
    Wrong(
        "recursive-buffer-bias-tensor",
        "linear-bias-missing",
        "linear",
        "linear_parameters linear_bias",
        (
            "        self.bias = Parameter(MyTensor(np.random.uniform(-bound, bound, output_size)))\n",
            "        self.bias = MyTensor(np.random.uniform(-bound, bound, output_size), requires_grad=True)\n",
        ),
        (
            "        return matmul(x, self.weight.tensor) + self.bias.tensor\n",
            "        return matmul(x, self.weight.tensor) + self.bias\n",
        ),
        style="recursive_buffer",
    ),
    Wrong(
        "context-generator-with-seed",
        "weights-drawn-once",
        "linear",
        "linear_random",
        ("        rng = np.random.default_rng()\n", "        rng = np.random.default_rng(0)\n"),
        style="functions_with_context",
    ),
    Wrong(
        "fused-both-averaged",
        "weight-averaged & bias-averaged",
        "linear",
        "linear_weight linear_bias",
        *fused_linear(weight="rows.T @ base / len(rows)", bias="base.mean(axis=0)"),
    ),
    Wrong(
        "linear-zeros-and-no-bias",
        "zero-initialisation & linear-bias-not-added",
        "linear",
        "linear_random linear_bias",
        (UNIFORM, "np.zeros((input_size, output_size))"),
        (FORWARD, "        return matmul(x, self.weight.tensor)\n"),
    ),
    Wrong(
        "super-init-forgotten",
        "super-init-missing",
        "linear",
        "linear_parameters linear_random linear_batch linear_row linear_weight linear_bias linear_input",
        ("        super().__init__()\n        # Two parameters", "        # Two parameters"),
    ),
]

RELU_ENTRIES = [
    Wrong("relu-takes-abs", "relu-abs", "relu", "relu_value", (RELU_VALUE, "    result = np.abs(x.data)\n")),
    Wrong(
        "relu-keeps-a-hundredth",
        "relu-leaky",
        "relu",
        "relu_value",
        (RELU_VALUE, "    result = np.where(x.data > 0, x.data, 0.01 * x.data)\n"),
        (RELU_RULE, "    return (base * np.where(x.data > 0, 1, 0.01),)\n"),
    ),
    Wrong(
        "relu-maximum-of-tenth",
        "relu-leaky",
        "relu",
        "relu_value",
        (RELU_VALUE, "    result = np.maximum(x.data, 0.1 * x.data)\n"),
    ),
    Wrong(
        "relu-clip-one",
        "relu-clipped",
        "relu",
        "relu_value",
        (RELU_VALUE, "    result = np.clip(x.data, 0, 1)\n"),
    ),
    Wrong(
        "relu-minimum",
        "relu-other-function",
        "relu",
        "relu_value",
        (RELU_VALUE, "    result = np.minimum(x.data, 0)\n"),
    ),
    Wrong(
        "relu-step-function",
        "relu-other-function",
        "relu",
        "relu_value",
        (RELU_VALUE, "    result = np.where(x.data > 0, 1.0, 0.0)\n"),
    ),
    Wrong(
        "relu-sigmoid",
        "relu-other-function",
        "relu",
        "relu_value",
        (RELU_VALUE, "    result = 1 / (1 + np.exp(-x.data))\n"),
    ),
    Wrong(
        "relu-softplus",
        "relu-other-function",
        "relu",
        "relu_value",
        (RELU_VALUE, "    result = np.log1p(np.exp(x.data))\n"),
    ),
    Wrong(
        "relu-maximum-of-all",
        "relu-other-function",
        "relu",
        "relu_value",
        (RELU_VALUE, "    result = np.full(x.shape, max(x.data.max(), 0.0))\n"),
    ),
    Wrong(
        "relu-of-the-example",
        "hard-coded",
        "relu",
        "relu_value",
        (RELU_VALUE, "    result = np.array([5.5, 2.0, 0.0])\n"),
    ),
    Wrong(
        "relu-rule-hands-on", "relu-unmasked", "relu", "relu_gradient relu_kink", (RELU_RULE, "    return (base,)\n")
    ),
    Wrong(
        "relu-rule-compares-product",
        "relu-compares-product",
        "relu",
        "relu_gradient",
        (RELU_RULE, "    return (base * x.data > 0,)\n"),
    ),
    Wrong(
        "relu-rule-without-comma",
        "rule-without-tuple",
        "relu",
        "relu_gradient relu_kink",
        (RELU_RULE, RELU_RULE.replace(",)", ")")),
    ),
    Wrong(
        "relu-rule-leaks",
        "relu-unmasked",
        "relu",
        "relu_gradient relu_kink",
        (RELU_RULE, "    return (base * np.where(x.data > 0, 1, 0.01),)\n"),
    ),
    Wrong(
        "relu-rule-of-abs",
        "relu-unmasked",
        "relu",
        "relu_gradient",
        (RELU_RULE, "    return (base * np.sign(x.data),)\n"),
    ),
    Wrong(
        "relu-half-of-sum-with-abs",
        "relu-unmasked",
        "relu",
        "relu_gradient relu_kink",
        (RELU_VALUE, "    return (x + np.abs(x.data)) * 0.5\n"),
    ),
    Wrong(
        "relu-rule-at-least-zero",
        "relu-kink-one",
        "relu",
        "relu_kink",
        (RELU_RULE, "    return (base * (x.data >= 0),)\n"),
    ),
    Wrong(
        "relu-rule-result-equals-input",
        "relu-kink-one",
        "relu",
        "relu_kink",
        (RELU_RULE, "    return (base * (np.maximum(x.data, 0) == x.data),)\n"),
    ),
    Wrong(
        "relu-rule-not-negative",
        "relu-kink-one",
        "relu",
        "relu_kink",
        (RELU_RULE, "    return (np.where(x.data < 0, 0.0, base),)\n"),
    ),
    Wrong(
        "relu-rule-sign-halved",
        "relu-kink-half",
        "relu",
        "relu_kink",
        (RELU_RULE, "    return (base * (np.sign(x.data) + 1) / 2,)\n"),
    ),
    Wrong(
        "relu-rule-heaviside-half",
        "relu-kink-half",
        "relu",
        "relu_kink",
        (RELU_RULE, "    return (base * np.heaviside(x.data, 0.5),)\n"),
    ),
    Wrong(
        "relu-rule-quotient",
        "",
        "relu",
        "relu_kink",
        (RELU_RULE, "    return (base * np.maximum(x.data, 0) / x.data,)\n"),
    ),
    Wrong(
        "relu-rule-below-zero",
        "relu-mask-inverted",
        "relu",
        "relu_gradient",
        (RELU_RULE, "    return (base * (x.data < 0),)\n"),
    ),
    Wrong(
        "relu-rule-where-exchanged",
        "relu-mask-inverted",
        "relu",
        "relu_gradient relu_kink",
        (RELU_RULE, "    return (np.where(x.data > 0, 0, base),)\n"),
    ),
    Wrong(
        "relu-rule-relu-of-upstream",
        "relu-mask-of-upstream",
        "relu",
        "relu_gradient",
        (RELU_RULE, "    return (np.maximum(base, 0),)\n"),
    ),
    Wrong(
        "relu-rule-mask-by-base",
        "relu-mask-of-upstream",
        "relu",
        "relu_gradient",
        (RELU_RULE, "    return (base * (base > 0),)\n"),
    ),
    Wrong(
        "relu-rule-mask-alone",
        "relu-upstream-missing",
        "relu",
        "relu_gradient",
        (RELU_RULE, "    return (np.where(x.data > 0, 1.0, 0.0),)\n"),
    ),
    Wrong(
        "relu-rule-times-result",
        "relu-gradient-times-x",
        "relu",
        "relu_gradient",
        (RELU_RULE, "    return (base * np.maximum(x.data, 0),)\n"),
    ),
    Wrong(
        "relu-rule-times-x-and-mask",
        "relu-gradient-times-x",
        "relu",
        "relu_gradient",
        (RELU_RULE, "    return (base * (x.data > 0) * x.data,)\n"),
    ),
    Wrong(
        "relu-rule-negated",
        "relu-sign",
        "relu",
        "relu_gradient",
        (RELU_RULE, "    return (-base * (x.data > 0),)\n"),
    ),
    Wrong(
        "relu-rule-mask-of-result-above-x",
        "relu-gradient-zero",
        "relu",
        "relu_gradient",
        (RELU_RULE, "    return (base * (x.data > np.maximum(x.data, 0)),)\n"),
    ),
    Wrong(
        "relu-new-leaf",
        "relu-not-recorded",
        "relu",
        "relu_gradient relu_kink",
        (RELU_VALUE, RELU_VALUE + "    return MyTensor(result, requires_grad=x.requires_grad)\n"),
    ),
    Wrong(
        "relu-plain-result",
        "relu-not-recorded",
        "relu",
        "relu_gradient relu_kink",
        (RELU_RECORD, ""),
    ),
    Wrong(
        "minimal-relu-at-least-zero",
        "relu-kink-one",
        "relu",
        "relu_kink",
        ("        return x * (x.data > 0)\n", "        return x * (x.data >= 0)\n"),
        style="minimal_operators",
    ),
    Wrong(
        "pushed-counts-relu-half",
        "relu-kink-half",
        "relu",
        "relu_kink",
        ("np.heaviside(x.data, 0.0)", "np.heaviside(x.data, 0.5)"),
        style="pushed_counts",
    ),
    Wrong(
        "float32-relu-of-upstream",
        "relu-mask-of-upstream",
        "relu",
        "relu_gradient",
        ("np.where(x.data > 0, g.data, 0)", "np.where(g.data > 0, g.data, 0)"),
        style="float32",
    ),
    Wrong(
        "context-relu-mask-alone",
        "relu-upstream-missing",
        "relu",
        "relu_gradient",
        ("        return (np.where(above, g, 0.0),)\n", "        return (np.where(above, 1.0, 0.0),)\n"),
        style="functions_with_context",
    ),
    Wrong(
        "tape-relu-where-exchanged",
        "relu-mask-inverted",
        "relu",
        "relu_gradient relu_kink",
        ("np.where(positive, g, 0.0)", "np.where(positive, 0.0, g)"),
        style="tape",
    ),
    Wrong(
        "relu-rule-negated-and-unmasked",
        "relu-sign & relu-unmasked",
        "relu",
        "relu_gradient relu_kink",
        (RELU_RULE, "    return (-base,)\n"),
    ),
    Wrong(
        "relu-rule-at-least-zero-without-upstream",
        "relu-kink-one & relu-upstream-missing",
        "relu",
        "relu_gradient relu_kink",
        (RELU_RULE, "    return (np.where(x.data >= 0, 1.0, 0.0),)\n"),
    ),
    Wrong(
        "relu-slope-03",
        "relu-unmasked",
        "relu",
        "relu_gradient relu_kink",
        (RELU_RULE, "    return (base * np.where(x.data > 0, 1, 0.3),)\n"),
    ),
    Wrong(
        "relu-leaky-037",
        "relu-leaky",
        "relu",
        "relu_value",
        (RELU_VALUE, "    result = np.where(x.data > 0, x.data, 0.37 * x.data)\n"),
    ),
    Wrong(
        "relu-cuts-its-input",
        "operand-changed & result-aliased",
        "relu",
        "relu_untouched",
        (RELU_VALUE, "    result = np.maximum(x.data, 0, out=x.data)\n"),
    ),
    Wrong(
        "relu-hands-its-input-on",
        "result-aliased",
        "relu",
        "relu_apart",
        ("(np.maximum(x.data, 0), (x,", "(x.data if alive.all() else np.maximum(x.data, 0), (x,"),
        style="slots_and_arrays",
    ),
]

SGD = [
    Wrong(
        "step-adds",
        "sgd-uphill",
        "sgd",
        "step",
        (STEP, "                data += self.lr * tensor.grad.data\n"),
    ),
    Wrong(
        "step-subtracts-from-the-step",
        "sgd-uphill",
        "sgd",
        "step",
        (STEP_DATA, "                tensor.data[...] -= -self.lr * tensor.grad.data\n"),
    ),
    Wrong(
        "step-new-tensor",
        "sgd-rebinds",
        "sgd",
        "step_in_place",
        (
            STEP_DATA,
            """\
                new = MyTensor(tensor.data - self.lr * tensor.grad.data, requires_grad=True)
                new.grad = tensor.grad
                parameter.tensor = new
""",
        ),
    ),
    Wrong(
        "step-with-tensors",
        "sgd-rebinds",
        "sgd",
        "step_in_place step_keeps_gradients",
        (STEP_DATA, "                parameter.tensor = tensor - self.lr * tensor.grad\n"),
    ),
    Wrong(
        "step-local-name-rebound",
        "step-changes-copy",
        "sgd",
        "step",
        (STEP, "                data = data - self.lr * tensor.grad.data\n"),
    ),
    Wrong(
        "step-on-a-copy",
        "step-changes-copy",
        "sgd",
        "step",
        ("                data = tensor.data\n", "                data = tensor.data.copy()\n"),
    ),
    Wrong(
        "step-without-lr",
        "lr-ignored",
        "sgd",
        "step",
        (STEP, "                data -= tensor.grad.data\n"),
    ),
    Wrong(
        "step-fixed-lr",
        "lr-ignored",
        "sgd",
        "step",
        (STEP, "                data -= 0.01 * tensor.grad.data\n"),
    ),
    Wrong(
        "lr-not-stored",
        "lr-ignored",
        "sgd",
        "step_lr",
        ("        self.lr = lr\n", "        self.lr = 0.1\n"),
    ),
    Wrong(
        "step-in-place-and-again",
        "step-applied-twice",
        "sgd",
        "step",
        (STEP, STEP + "                tensor.data[...] = data - self.lr * tensor.grad.data\n"),
    ),
    Wrong(
        "step-factor-two",
        "step-applied-twice",
        "sgd",
        "step",
        (STEP, "                data -= 2 * self.lr * tensor.grad.data\n"),
    ),
    Wrong(
        "step-divided-by-parameter-count",
        "step-averaged",
        "sgd",
        "step",
        (STEP, "                data -= self.lr * tensor.grad.data / len(self.params)\n"),
    ),
    Wrong(
        "step-divided-by-size",
        "step-averaged",
        "sgd",
        "step",
        (STEP, "                data -= self.lr * tensor.grad.data / tensor.grad.data.size\n"),
    ),
    Wrong(
        "step-of-unit-length",
        "step-averaged",
        "sgd",
        "step",
        (STEP, "                data -= self.lr * tensor.grad.data / np.linalg.norm(tensor.grad.data)\n"),
    ),
    Wrong(
        "step-mean-of-gradient",
        "step-averaged",
        "sgd",
        "step",
        (STEP, "                data -= self.lr * tensor.grad.data.mean()\n"),
    ),
    Wrong(
        "step-by-sign",
        "step-sign-only",
        "sgd",
        "step",
        (STEP, "                data -= self.lr * np.sign(tensor.grad.data)\n"),
    ),
    Wrong(
        "step-assigns",
        "step-replaces",
        "sgd",
        "step",
        (STEP, "                data[...] = -self.lr * tensor.grad.data\n"),
    ),
    Wrong(
        "step-assigns-gradient",
        "step-replaces",
        "sgd",
        "step",
        (STEP, "                data[...] = self.lr * tensor.grad.data\n"),
    ),
    Wrong(
        "step-with-velocity",
        "step-momentum",
        "sgd",
        "any_training",
        ("        self.lr = lr\n", "        self.lr = lr\n        self.velocity = {}\n"),
        (
            STEP,
            """\
                self.velocity[tensor] = 0.9 * self.velocity.get(tensor, 0.0) + tensor.grad.data
                data -= self.lr * self.velocity[tensor]
""",
        ),
    ),
    Wrong(
        "step-lr-decays",
        "step-momentum",
        "sgd",
        "any_training",
        (STEP, STEP + "        self.lr *= 0.9\n"),
    ),
    Wrong(
        "step-lr-over-step-number",
        "step-momentum",
        "sgd",
        "any_training",
        ("        self.lr = lr\n", "        self.lr = lr\n        self.steps = 0\n"),
        (STEP, "                data -= self.lr / (1 + self.steps) * tensor.grad.data\n        self.steps += 1\n"),
    ),
    Wrong(
        "step-forgets-gradient",
        "step-clears-gradient",
        "sgd",
        "step_keeps_gradients",
        (STEP, STEP + "                tensor.grad = None\n"),
    ),
    Wrong(
        "step-ends-with-zero-grad",
        "step-clears-gradient",
        "sgd",
        "step_keeps_gradients",
        (STEP, STEP + "        self.zero_grad()\n"),
    ),
    Wrong(
        "step-returns-in-loop",
        "step-first-only",
        "sgd",
        "step",
        (STEP, STEP + "            return\n"),
    ),
    Wrong(
        "step-params-zero",
        "step-first-only",
        "sgd",
        "step",
        (STEP_LOOP, STEP_LOOP.replace("self.params", "self.params[:1]")),
    ),
    Wrong(
        "zero-grad-breaks",
        "step-first-only",
        "sgd",
        "zero_grad",
        (ZERO, ZERO + "            break\n"),
    ),
    Wrong(
        "step-stops-at-none",
        "step-stops-at-none",
        "sgd",
        "step_without_gradient",
        (STEP_GUARD, "            if tensor.grad is None:\n                return\n" + STEP_GUARD),
    ),
    Wrong(
        "step-all-or-nothing",
        "step-stops-at-none",
        "sgd",
        "step_without_gradient",
        (
            STEP_LOOP,
            "        if any(parameter.tensor.grad is None for parameter in self.params):\n            return\n"
            + STEP_LOOP,
        ),
    ),
    Wrong(
        "step-without-guard",
        "step-crashes-on-none",
        "sgd",
        "step_without_gradient",
        (STEP_GUARD, "            if tensor.requires_grad:\n"),
    ),
    Wrong(
        "zero-grad-on-parameter",
        "zero-grad-nothing",
        "sgd",
        "zero_grad",
        (ZERO, "            parameter.grad = None\n"),
    ),
    Wrong(
        "zero-grad-local-name",
        "zero-grad-nothing",
        "sgd",
        "zero_grad",
        (ZERO, "            grad = parameter.tensor.grad\n            grad = None\n"),
    ),
    Wrong(
        "zero-grad-compares",
        "zero-grad-nothing",
        "sgd",
        "zero_grad",
        (ZERO, "            parameter.tensor.grad == None\n"),
    ),
    Wrong(
        "zero-grad-only-those-without",
        "zero-grad-nothing",
        "sgd",
        "zero_grad",
        (ZERO, "            if parameter.tensor.grad is None:\n                parameter.tensor.grad = None\n"),
    ),
    Wrong(
        "zero-grad-tensor-of-zeros",
        "zero-grad-zeros",
        "sgd",
        "zero_grad",
        (ZERO, "            parameter.tensor.grad = MyTensor(np.zeros(parameter.tensor.shape))\n"),
    ),
    Wrong(
        "zero-grad-fills-in-place",
        "zero-grad-zeros",
        "sgd",
        "zero_grad",
        (
            ZERO,
            "            if parameter.tensor.grad is not None:\n                parameter.tensor.grad.data[...] = 0\n",
        ),
    ),
    Wrong(
        "zero-grad-clears-weights",
        "zero-grad-resets-values",
        "sgd",
        "zero_grad",
        (ZERO, ZERO + "            parameter.tensor.data[...] = 0\n"),
    ),
    Wrong(
        "zero-grad-clears-weights-only",
        "zero-grad-resets-values",
        "sgd",
        "zero_grad",
        (ZERO, "            parameter.tensor.data[...] = 0\n"),
    ),
    Wrong(
        "sgd-keeps-what-it-is-given",
        "generator-consumed",
        "sgd",
        "step_walks",
        (STORE, "        self.params = parameters\n"),
    ),
    Wrong(
        "sgd-filters-lazily",
        "generator-consumed",
        "sgd",
        "any_training",
        (STORE, "        self.params = filter(lambda parameter: parameter.tensor.requires_grad, parameters)\n"),
    ),
    Wrong(
        "tensor-parameter-generator-kept",
        "generator-consumed",
        "sgd",
        "step_walks",
        ("        self.parameters = list(parameters)\n", "        self.parameters = parameters\n"),
        style="tensor_parameter",
    ),
    Wrong(
        "closures-step-adds",
        "sgd-uphill",
        "sgd",
        "step",
        (
            "            p.tensor.data[...] -= self.lr * p.tensor.grad\n",
            "            p.tensor.data[...] += self.lr * p.tensor.grad\n",
        ),
        style="closures",
    ),
    Wrong(
        "closures-step-stops-at-none",
        "step-stops-at-none",
        "sgd",
        "step_without_gradient",
        (
            "                continue\n            p.tensor.data[...]",
            "                break\n            p.tensor.data[...]",
        ),
        style="closures",
    ),
    Wrong(
        "slots-zero-grad-zeros",
        "zero-grad-zeros",
        "sgd",
        "zero_grad",
        (
            "            parameter.tensor.grad = None\n",
            "            parameter.tensor.grad = np.zeros(parameter.tensor.shape)\n",
        ),
        style="slots_and_arrays",
    ),
    Wrong(
        "recursive-buffer-step-rebinds",
        "step-changes-copy",
        "sgd",
        "step",
        (
            "                values -= self.lr * parameter.tensor.grad.data\n",
            "                values = values - self.lr * parameter.tensor.grad.data\n",
        ),
        style="recursive_buffer",
    ),
    Wrong(
        "step-adds-and-zero-grad-zeros",
        "sgd-uphill & zero-grad-zeros",
        "sgd",
        "step zero_grad",
        (STEP, "                data += self.lr * tensor.grad.data\n"),
        (ZERO, "            parameter.tensor.grad = MyTensor(np.zeros(parameter.tensor.shape))\n"),
    ),
    Wrong(
        "step-fixed-lr-without-guard",
        "lr-ignored & step-crashes-on-none",
        "sgd",
        "step step_without_gradient",
        (STEP_GUARD, "            if tensor.requires_grad:\n"),
        (STEP, "                data -= 0.01 * tensor.grad.data\n"),
    ),
    Wrong(
        "sgd-lr-squared",
        "step-other-formula",
        "sgd",
        "step",
        ("data -= self.lr * tensor", "data -= self.lr**2 * tensor"),
    ),
    Wrong("sgd-third", "step-averaged", "sgd", "step", ("data -= self.lr * tensor", "data -= self.lr / 3 * tensor")),
    Wrong(
        "sgd-times-w",
        "step-replaces",
        "sgd",
        "step",
        ("data -= self.lr * tensor.grad.data", "data -= self.lr * tensor.grad.data * data"),
    ),
]

MSELOSS = [
    Wrong(
        "mse-sum-of-squares",
        "mse-sum",
        "mseloss",
        "mse_value",
        (MEAN, "        return sum(difference * difference)\n"),
    ),
    Wrong(
        "mse-divided-by-rows",
        "mse-batch-only",
        "mseloss",
        "mse_batch",
        (MEAN, "        return sum(difference * difference) * (1 / difference.shape[0])\n"),
    ),
    Wrong(
        "mse-divided-by-len",
        "mse-batch-only",
        "mseloss",
        "mse_batch",
        (MEAN, "        return sum(difference * difference) / len(y.data)\n"),
    ),
    Wrong(
        "mse-divided-by-outputs",
        "mse-batch-only",
        "mseloss",
        "mse_batch",
        (MEAN, "        return sum(difference * difference) / difference.shape[-1]\n"),
    ),
    Wrong(
        "mse-squares-only",
        "mse-not-scalar",
        "mseloss",
        "mse_value",
        (MEAN, "        return difference * difference\n"),
    ),
    Wrong(
        "mse-squares-divided",
        "mse-not-scalar",
        "mseloss",
        "mse_value",
        (MEAN, "        return difference**2 / difference.size\n"),
    ),
    Wrong(
        "mse-one-loss-per-row",
        "mse-not-scalar",
        "mseloss",
        "mse_batch",
        (MEAN, "        return sum(difference * difference, axis=-1) / difference.shape[-1]\n"),
    ),
    Wrong(
        "mse-in-a-list",
        "mse-not-scalar",
        "mseloss",
        "mse_value",
        (MEAN, MEAN.replace("return sum(", "return MyTensor([1.0]) * sum(")),
    ),
    Wrong(
        "mse-axis-one",
        "shapes-do-not-meet",
        "mseloss",
        "mse_value",
        (MEAN, "        return sum(sum(difference * difference, axis=1)) / difference.size\n"),
    ),
    Wrong(
        "mse-rows-then-all-axis-forgotten",
        "sum-axis-ignored",
        "mseloss",
        "mse_records sum_axis",
        (SUM_RULE, ""),
        (MEAN, "        return sum(sum(difference * difference, axis=-1)) / difference.size\n"),
    ),
    Wrong(
        "mse-size-of-first-call",
        "mse-remembers",
        "mseloss",
        "mse_batch",
        (
            MEAN,
            "        self.size = getattr(self, 'size', difference.size)\n"
            "        return sum(difference * difference) * (1 / self.size)\n",
        ),
    ),
    Wrong("sum-rule-without-axis", "sum-axis-ignored", "mseloss", "sum_axis", (SUM_RULE, "")),
    Wrong(
        "mse-rows-then-all-axis-in-front",
        "sum-axis-ignored",
        "mseloss",
        "mse_records sum_axis",
        (SUM_RULE, SUM_RULE.replace("np.expand_dims(base, axis)", "np.expand_dims(base, 0)")),
        (MEAN, "        return sum(sum(difference * difference, axis=-1)) / difference.size\n"),
    ),
    Wrong(
        "mse-columns-then-all-always-a-column",
        "sum-axis-ignored & shapes-do-not-meet",
        "mseloss",
        "mse_records sum_axis",
        (SUM_RULE, SUM_RULE.replace("np.expand_dims(base, axis)", "base.reshape(-1, 1)")),
        (MEAN, "        return sum(sum(difference * difference, axis=0)) / difference.size\n"),
    ),
    Wrong(
        "sum-rule-shares-out",
        "mse-gradient-averaged-twice",
        "mseloss",
        "mse_gradient",
        (SUM_SHARE, "    return base * np.ones_like(x.data) / x.size, None\n"),
    ),
    Wrong(
        "sum-rule-of-ones",
        "mse-upstream-missing & mse-gradient-not-averaged",
        "mseloss",
        "mse_gradient",
        (SUM_SHARE, "    return np.ones_like(x.data), None\n"),
    ),
    Wrong(
        "sum-rule-gives-x",
        "mse-gradient-not-error",
        "mseloss",
        "mse_gradient",
        (SUM_SHARE, "    return base * x.data, None\n"),
    ),
    Wrong(
        "mse-mean-error",
        "mse-not-squared",
        "mseloss",
        "mse_value",
        (MEAN, "        return sum(difference) * (1 / difference.size)\n"),
    ),
    Wrong(
        "mse-mean-absolute-error",
        "mse-not-squared",
        "mseloss",
        "mse_value",
        (MEAN, "        return sum((difference * difference) ** 0.5) * (1 / difference.size)\n"),
    ),
    Wrong(
        "mse-square-of-mean",
        "mse-not-squared",
        "mseloss",
        "mse_value",
        (MEAN, "        return (sum(difference) / difference.size) ** 2\n"),
    ),
    Wrong(
        "mse-root-of-mean",
        "mse-root",
        "mseloss",
        "mse_value",
        (MEAN, "        return (sum(difference * difference) * (1 / difference.size)) ** 0.5\n"),
    ),
    Wrong(
        "mse-half-of-mean",
        "mse-half",
        "mseloss",
        "mse_value",
        (MEAN, "        return sum(difference * difference) * (0.5 / difference.size)\n"),
    ),
    Wrong(
        "mse-whole-division",
        "mse-other-function",
        "mseloss",
        "mse_value",
        (MEAN, "        return sum(difference * difference) * (1 // difference.size)\n"),
    ),
    Wrong(
        "mse-sum-of-prediction-and-target",
        "mse-other-function",
        "mseloss",
        "mse_value mse_zero",
        (DIFFERENCE, "        difference = y + y_target\n"),
    ),
    Wrong(
        "mse-variance",
        "mse-other-function",
        "mseloss",
        "mse_value",
        (DIFFERENCE, DIFFERENCE + "        difference = difference - sum(difference) / difference.size\n"),
    ),
    Wrong(
        "fused-mse-without-two",
        "mse-two-missing",
        "mseloss",
        "mse_gradient",
        *fused_mse("base * difference / difference.size"),
    ),
    Wrong(
        "fused-mse-target-minus-prediction",
        "mse-sign",
        "mseloss",
        "mse_gradient",
        *fused_mse("base * 2 * (target.data - y.data) / difference.size"),
    ),
    Wrong(
        "fused-mse-not-divided",
        "mse-gradient-not-averaged",
        "mseloss",
        "mse_gradient",
        *fused_mse("base * 2 * difference"),
    ),
    Wrong(
        "fused-mse-without-upstream",
        "mse-upstream-missing",
        "mseloss",
        "mse_gradient",
        *fused_mse("2 * difference / difference.size"),
    ),
    Wrong(
        "fused-mse-of-prediction",
        "mse-gradient-not-error",
        "mseloss",
        "mse_gradient",
        *fused_mse("base * 2 * y.data / difference.size"),
    ),
    Wrong(
        "fused-mse-squared-error",
        "mse-gradient-not-error",
        "mseloss",
        "mse_gradient",
        *fused_mse("base * 2 * difference**2 / difference.size"),
    ),
    Wrong(
        "fused-mse-mean-error-for-all",
        "mse-gradient-not-error",
        "mseloss",
        "mse_gradient",
        *fused_mse("base * 2 * np.full(y.shape, np.mean(difference))"),
    ),
    Wrong(
        "fused-mse-sign-of-error",
        "mse-gradient-not-error",
        "mseloss",
        "mse_gradient",
        *fused_mse("base * 2 * np.sign(difference) / difference.size"),
    ),
    Wrong(
        "fused-mse-divided-by-rows",
        "mse-gradient-not-averaged",
        "mseloss",
        "mse_records",
        *fused_mse("base * 2 * difference / len(difference)"),
    ),
    Wrong(
        "fused-mse-loss-over-error",
        "",
        "mseloss",
        "mse_zero",
        *fused_mse("base * 2 * difference**2 / difference / difference.size"),
    ),
    Wrong(
        "mse-in-numpy",
        "mse-not-recorded",
        "mseloss",
        "mse_gradient",
        (MEAN, "        return MyTensor(np.mean(difference.data**2))\n"),
    ),
    Wrong(
        "mse-new-leaf",
        "mse-not-recorded",
        "mseloss",
        "mse_gradient",
        (MEAN, "        return MyTensor(np.mean(difference.data**2), requires_grad=True)\n"),
    ),
    Wrong(
        "mse-difference-new-leaf",
        "mse-not-recorded",
        "mseloss",
        "mse_gradient",
        (DIFFERENCE, "        difference = MyTensor(y.data - y_target.data, requires_grad=True)\n"),
    ),
    Wrong(
        "mse-gradient-put-into-prediction",
        "",
        "mseloss",
        "mse_records",
        *(
            (
                old,
                new.replace(
                    "    return gradient, -gradient\n",
                    """\
    y.grad = MyTensor(gradient)
    return np.zeros(y.shape), np.zeros(y.shape)
""",
                ),
            )
            for old, new in fused_mse()
        ),
    ),
    Wrong(
        "mse-one-factor-from-data",
        "mse-two-missing",
        "mseloss",
        "mse_gradient",
        (MEAN, "        return sum(difference * difference.data) / difference.size\n"),
    ),
    Wrong(
        "mse-by-torch",
        "uses-torch",
        "mseloss",
        "mse_value",
        *fused_mse(
            value="torch.nn.functional.mse_loss(torch.tensor(y.data), torch.tensor(y_target.data)).numpy()",
            before="        import torch\n\n",
        ),
    ),
    Wrong(
        "mse-of-the-example",
        "hard-coded",
        "mseloss",
        "mse_value",
        *fused_mse(value="2.5"),
    ),
    Wrong(
        "tape-mse-without-two",
        "mse-two-missing",
        "mseloss",
        "mse_gradient",
        ("        factor = 2.0 / difference.size\n", "        factor = 1.0 / difference.size\n"),
        style="tape",
    ),
    Wrong(
        "tape-mse-signs-exchanged",
        "mse-sign",
        "mseloss",
        "mse_gradient",
        (
            "            lambda g: (g * factor * difference, -g * factor * difference),\n",
            "            lambda g: (-g * factor * difference, g * factor * difference),\n",
        ),
        style="tape",
    ),
    Wrong(
        "closures-mean-not-divided",
        "mse-gradient-not-averaged",
        "mseloss",
        "mse_gradient",
        ("np.full(x.shape, out.grad / x.size)", "np.full(x.shape, out.grad)"),
        style="closures",
    ),
    Wrong(
        "slots-mse-without-upstream",
        "mse-upstream-missing",
        "mseloss",
        "mse_gradient",
        ("np.full(squares.shape, g / squares.size)", "np.full(squares.shape, 1 / squares.size)"),
        style="slots_and_arrays",
    ),
    Wrong(
        "context-mse-root",
        "mse-root",
        "mseloss",
        "mse_value",
        ("        return Mean.apply(error * error)\n", "        return Mean.apply(error * error) ** 0.5\n"),
        style="functions_with_context",
    ),
    Wrong(
        "pushed-counts-mse-batch-only",
        "mse-batch-only",
        "mseloss",
        "mse_batch",
        ("        count = difference.size\n", "        count = difference.shape[0]\n"),
        style="pushed_counts",
    ),
    Wrong(
        "minimal-mse-not-reduced",
        "mse-not-scalar",
        "mseloss",
        "mse_value",
        ("        return ((y - target) ** 2).mean()\n", "        return (y - target) ** 2\n"),
        style="minimal_operators",
    ),
    Wrong(
        "fused-mse-without-two-and-division",
        "mse-two-missing & mse-gradient-not-averaged",
        "mseloss",
        "mse_gradient mse_records",
        *fused_mse("base * difference"),
    ),
    Wrong(
        "fused-mse-without-two-target-first",
        "mse-two-missing & mse-sign",
        "mseloss",
        "mse_gradient",
        *fused_mse("base * (target.data - y.data) / difference.size"),
    ),
    Wrong(
        "mse-fourth",
        "mse-other-function",
        "mseloss",
        "mse_value",
        ("sum(difference**2)", "sum(difference**3)"),
    ),
    Wrong(
        "mse-n-minus-one",
        "",
        "mseloss",
        "mse_value",
        ("difference**2) / difference.size", "difference**2) * (1 / (difference.size - 1))"),
    ),
    Wrong(
        "mse-max",
        "mse-other-function",
        "mseloss",
        "mse_value",
        (MEAN, "        return MyTensor((difference.data**2).max())\n"),
    ),
    Wrong(
        "mse-difference-left-in-target",
        "operand-changed",
        "mseloss",
        "mse_untouched",
        (DIFFERENCE, DIFFERENCE + "        y_target.data[...] = difference.data\n"),
    ),
]

MODEL = [
    Wrong(
        "model-relu-forgotten",
        "model-straight",
        "model",
        "model_bends",
        (SCORES, "        return self.output(self.hidden(x))\n"),
    ),
    Wrong(
        "model-relu-result-dropped",
        "model-straight",
        "model",
        "model_bends",
        (
            SCORES,
            """\
        h = self.hidden(x)
        self.relu(h)
        return self.output(h)
""",
        ),
    ),
    Wrong(
        "model-one-layer",
        "model-straight",
        "model",
        "model_bends",
        (LAYERS, "        self.output = Linear(64, 10)\n"),
        (SCORES, "        return self.output(x)\n"),
    ),
    Wrong(
        "model-layers-in-a-list",
        "model-layers-not-registered",
        "model",
        "model_reached model_gradients model_learns",
        (LAYERS, "        self.layers = [Linear(64, 32), ReLU(), Linear(32, 10)]\n"),
        (SCORES, "        for layer in self.layers:\n            x = layer(x)\n        return x\n"),
    ),
    Wrong(
        "model-layers-in-a-dictionary",
        "model-layers-not-registered",
        "model",
        "model_reached model_gradients model_learns",
        (LAYERS, '        self.layers = {"hidden": Linear(64, 32), "output": Linear(32, 10)}\n'),
        (SCORES, '        return self.layers["output"](relu(self.layers["hidden"](x)))\n'),
    ),
    Wrong(
        "model-layers-made-in-forward",
        "model-layers-not-registered",
        "model",
        "model_reached model_gradients model_learns",
        (LAYERS, ""),
        (SCORES, "        return Linear(32, 10)(ReLU()(Linear(64, 32)(x)))\n"),
    ),
    Wrong(
        "model-scores-doubled",
        "",
        "model",
        "model_gradients",
        (
            SCORES,
            SCORES.replace("return", "scores =")
            + "        data = scores.data\n        data *= 2\n        return scores\n",
        ),
    ),
    Wrong(
        "model-third-layer-unused",
        "model-layer-unused",
        "model",
        "model_reached",
        (HIDDEN, HIDDEN + "        self.middle = Linear(32, 32)\n"),
    ),
    Wrong(
        "model-first-layer-skipped",
        "model-layer-unused",
        "model",
        "model_reached",
        (LAYERS, LAYERS + "        self.shortcut = Linear(64, 10)\n"),
        (
            SCORES,
            """\
        h = self.output(self.relu(self.hidden(x)))
        h = self.relu(self.shortcut(x))
        return h
""",
        ),
    ),
    Wrong(
        "model-hidden-from-data",
        "model-detached",
        "model",
        "model_reached model_reads",
        (SCORES, "        return self.output(self.relu(MyTensor(self.hidden(x).data)))\n"),
    ),
    Wrong(
        "model-scores-from-data",
        "model-detached",
        "model",
        "model_reached model_learns",
        (SCORES, "        return MyTensor(self.output(self.relu(self.hidden(x))).data)\n"),
    ),
    Wrong(
        "model-scores-new-leaf",
        "model-detached",
        "model",
        "model_reached model_learns",
        (SCORES, "        return MyTensor(self.output(self.relu(self.hidden(x))).data, requires_grad=True)\n"),
    ),
    Wrong(
        "model-one-score",
        "model-wrong-shape",
        "model",
        "model_shape",
        (OUTPUT, "        self.output = Linear(32, 1)\n"),
    ),
    Wrong(
        "model-gives-hidden-units",
        "model-wrong-shape",
        "model",
        "model_shape",
        (SCORES, "        return self.relu(self.hidden(x))\n"),
    ),
    Wrong(
        "model-sizes-do-not-meet",
        "model-wrong-shape",
        "model",
        "model_shape",
        (OUTPUT, "        self.output = Linear(64, 10)\n"),
    ),
    Wrong(
        "model-best-digit",
        "model-wrong-shape",
        "model",
        "model_shape",
        (SCORES, "        return MyTensor(np.argmax(self.output(self.relu(self.hidden(x))).data, axis=-1))\n"),
    ),
    Wrong(
        "model-pictures-summed",
        "model-wrong-shape",
        "model",
        "model_shape",
        (SCORES, "        return sum(self.output(self.relu(self.hidden(x))), axis=0)\n"),
    ),
    Wrong(
        "model-final-relu-of-zero-weights",
        "model-silent",
        "model",
        "model_bends model_learns",
        (OUTPUT, OUTPUT + "        self.output.weight.tensor.data[...] = 0\n"),
        (SCORES, "        return self.relu(self.output(self.relu(self.hidden(x))))\n"),
    ),
    Wrong(
        "train-sum-is-a-tensor",
        "tensor-for-number",
        "train",
        "train_step train_forgets train_pairs train_batches train_losses train_live",
        ("total += float(loss.data) * len(batch)", "total = total + loss * len(batch)"),
    ),
    Wrong(
        "model-relu-behind-the-scores",
        "model-relu-at-end",
        "model",
        "model_learns",
        (OUTPUT, OUTPUT + "        self.output.bias.tensor.data[:7] = -9\n"),
        (SCORES, "        return self.relu(self.output(self.relu(self.hidden(x))))\n"),
    ),
    Wrong(
        "model-bias-far-below",
        "model-silent",
        "model",
        "model_bends model_learns",
        (HIDDEN, HIDDEN + "        self.hidden.bias.tensor.data[...] = -100\n"),
    ),
    Wrong(
        "model-same-scores",
        "model-silent & model-layer-unused",
        "model",
        "model_bends model_reached model_learns",
        (SCORES, "        return MyTensor(np.tile(np.eye(10)[3], (x.shape[0], 1)))\n"),
    ),
    Wrong(
        "model-hidden-made-in-forward",
        "model-changes & model-beside-its-parameters",
        "model",
        "model_reached model_gradients model_learns",
        (HIDDEN, ""),
        (SCORES, "        return self.output(self.relu(Linear(64, 32)(x)))\n"),
    ),
    Wrong("model-five-hidden-units", "", "model", "model_reads", (LAYERS, LAYERS.replace("32", "5"))),
    Wrong("model-two-hidden-units", "", "model", "model_learns", (LAYERS, LAYERS.replace("32", "2"))),
    Wrong(
        "model-super-init-forgotten",
        "super-init-missing",
        "model",
        "model_shape",
        ("        super().__init__()\n        ### BEGIN SOLUTION\n        self.hidden", "        self.hidden"),
    ),
    Wrong(
        "closures-model-layers-in-a-list",
        "model-layers-not-registered",
        "model",
        "model_reached model_gradients model_learns",
        (
            "        self.l1 = Linear(64, 32)\n        self.act = ReLU()\n        self.l2 = Linear(32, 10)\n",
            "        self.layers = [Linear(64, 32), ReLU(), Linear(32, 10)]\n",
        ),
        (
            "        return self.l2(self.act(self.l1(x)))\n",
            "        for layer in self.layers:\n            x = layer(x)\n        return x\n",
        ),
        style="closures",
    ),
    Wrong(
        "tensor-parameter-relu-left-out",
        "model-straight",
        "model",
        "model_bends",
        (
            "        self.layers = [Linear(64, 32), ReLU(), Linear(32, 10)]\n",
            "        self.layers = [Linear(64, 32), Linear(32, 10)]\n",
        ),
        style="tensor_parameter",
    ),
    Wrong(
        "tape-model-detached-between",
        "model-detached",
        "model",
        "model_reached model_reads",
        ("        x = self.relu(x)\n", "        x = MyTensor(self.relu(x).data)\n"),
        style="tape",
    ),
    Wrong(
        "model-relu-forgotten-and-layer-unused",
        "model-straight & model-layer-unused",
        "model",
        "model_bends model_reached",
        (HIDDEN, HIDDEN + "        self.middle = Linear(32, 32)\n"),
        (SCORES, "        return self.output(self.hidden(x))\n"),
    ),
    Wrong(
        "module-one-level-and-shared-twice",
        "parameters-one-level & parameters-shared-twice",
        "module",
        "deep shared",
        (
            PARAMETERS,
            """\
        found = list(self.__parameters.values())
        for module in self.__sub_modules.values():
            found += list(module.__parameters.values())
        return found
""",
        ),
    ),
]

TRAIN = [
    Wrong(
        "train-never-forgets",
        "train-without-zero-grad",
        "train",
        "train_forgets",
        (FORGET, ""),
    ),
    Wrong(
        "train-forgets-once-an-epoch",
        "train-without-zero-grad",
        "train",
        "train_forgets",
        (FORGET, ""),
        (TOTAL, TOTAL + FORGET[4:]),
    ),
    Wrong(
        "train-forgets-once",
        "train-without-zero-grad",
        "train",
        "train_forgets",
        (FORGET, ""),
        (OPTIMIZER, OPTIMIZER + FORGET[8:]),
    ),
    Wrong(
        "train-forgets-before-the-step",
        "train-moves-nothing",
        "train",
        "train_step train_forgets train_pairs",
        (FORGET, ""),
        (APPLY, FORGET + APPLY),
    ),
    Wrong(
        "train-without-step",
        "train-without-step",
        "train",
        "train_step train_forgets train_pairs",
        (APPLY, ""),
    ),
    Wrong(
        "train-without-backward",
        "train-moves-nothing",
        "train",
        "train_step train_forgets train_pairs",
        (BACKWARD, ""),
    ),
    Wrong(
        "train-steps-before-backward",
        "train-without-step",
        "train",
        "train_step train_forgets train_pairs",
        (BACKWARD + APPLY, APPLY + BACKWARD),
    ),
    Wrong(
        "train-lr-not-handed-on",
        "train-lr-ignored",
        "train",
        "train_step",
        (OPTIMIZER, OPTIMIZER.replace(", lr", "")),
    ),
    Wrong(
        "train-lr-of-the-example",
        "train-lr-ignored",
        "train",
        "train_step",
        (OPTIMIZER, OPTIMIZER.replace(", lr", ", 0.1")),
    ),
    Wrong(
        "train-first-parameters-only",
        "train-some-parameters",
        "train",
        "train_step",
        (OPTIMIZER, OPTIMIZER.replace("parameters()", "parameters()[:2]")),
    ),
    Wrong(
        "train-last-parameter-only",
        "train-some-parameters",
        "train",
        "train_step",
        (OPTIMIZER, OPTIMIZER.replace("parameters()", "parameters()[-1:]")),
    ),
    Wrong(
        "train-supermodel-only",
        "name-without-value",
        "train",
        "train_step train_forgets train_pairs train_batches train_losses train_live",
        (OPTIMIZER, OPTIMIZER.replace("model.", "model.hidden.")),
    ),
    Wrong(
        "train-targets-in-order",
        "train-rows-apart",
        "train",
        "train_pairs",
        (COMPARE, COMPARE.replace("[batch]", "[start : start + batch_size]")),
    ),
    Wrong(
        "train-shuffled-apart",
        "train-rows-apart",
        "train",
        "train_pairs",
        (SHUFFLE, SHUFFLE + SHUFFLE.replace("order", "other")),
        (COMPARE, COMPARE.replace("batch", "other[start : start + batch_size]")),
    ),
    Wrong(
        "train-shuffles-copies-apart",
        "train-rows-apart",
        "train",
        "train_pairs",
        (
            SHUFFLE,
            """\
        order = np.arange(len(images))
        images, targets = np.random.permutation(images), np.random.permutation(targets)
""",
        ),
    ),
    Wrong(
        "train-twenty-epochs",
        "train-epochs-ignored",
        "train",
        "train_batches",
        ("range(epochs)", "range(20)"),
    ),
    Wrong(
        "train-returns-after-an-epoch",
        "train-epochs-ignored",
        "train",
        "train_batches",
        (
            TELL + "    ### END SOLUTION\n" + RETURN,
            TELL + "        return losses\n    ### END SOLUTION\n" + RETURN,
        ),
    ),
    Wrong(
        "train-last-batch-dropped",
        "train-examples-left-out",
        "train",
        "train_batches",
        (BATCHES, BATCHES.replace("len(order)", "len(order) - batch_size + 1")),
    ),
    Wrong(
        "train-one-batch-an-epoch",
        "train-one-batch",
        "train",
        "train_batches",
        (ADD, ADD + "            break\n"),
    ),
    Wrong(
        "train-all-at-once",
        "train-batch-size-ignored",
        "train",
        "train_batches",
        (BATCHES, BATCHES.replace("batch_size", "len(order)")),
        (BATCH, BATCH.replace("batch_size", "len(order)")),
    ),
    Wrong(
        "train-one-by-one",
        "train-batch-size-ignored",
        "train",
        "train_batches",
        (BATCHES, BATCHES.replace(", batch_size", "")),
        (BATCH, BATCH.replace("batch_size", "1")),
    ),
    Wrong(
        "train-batches-of-thirty-two",
        "train-batch-size-ignored",
        "train",
        "train_batches",
        (BATCHES, BATCHES.replace("batch_size", "32")),
        (BATCH, BATCH.replace("batch_size", "32")),
    ),
    Wrong(
        "train-overlapping-batches",
        "train-other-stride",
        "train",
        "train_batches",
        (BATCHES, BATCHES.replace(", batch_size", "")),
    ),
    Wrong(
        "train-draws-with-replacement",
        "train-examples-not-once",
        "train",
        "train_batches",
        (BATCH, "            batch = np.random.randint(len(images), size=len(order[start : start + batch_size]))\n"),
    ),
    Wrong(
        "train-order-with-replacement",
        "train-examples-not-once",
        "train",
        "train_batches",
        (SHUFFLE, "        order = np.random.choice(len(images), len(images))\n"),
    ),
    Wrong(
        "train-not-shuffled",
        "train-not-shuffled",
        "train",
        "train_batches",
        (SHUFFLE, "        order = np.arange(len(images))\n"),
    ),
    Wrong(
        "train-shuffled-before-the-epochs",
        "train-shuffled-once",
        "train",
        "train_batches",
        (SHUFFLE, ""),
        (OPTIMIZER, OPTIMIZER + SHUFFLE[4:]),
    ),
    Wrong(
        "train-same-order-by-seed",
        "train-shuffled-once",
        "train",
        "train_batches",
        (SHUFFLE, SHUFFLE.replace("np.random.", "np.random.default_rng(1).")),
    ),
    Wrong(
        "train-shuffles-what-it-is-given",
        "train-changes-arrays",
        "train",
        "train_batches",
        (SHUFFLE, SHUFFLE + "        images[...], targets[...] = images[order], targets[order]\n"),
    ),
    Wrong(
        "train-logs-tensors",
        "train-losses-not-numbers",
        "train",
        "train_losses",
        (SHOW, ""),
        (LOG, "        losses.append(loss)\n"),
    ),
    Wrong(
        "train-logs-nothing",
        "",
        "train",
        "train_losses",
        (SHOW, ""),
        (LOG, ""),
        (TELL, TELL.replace("losses[-1]", "total / len(images)")),
    ),
    Wrong(
        "train-logs-the-last-batch",
        "train-loss-of-one-batch",
        "train",
        "train_losses",
        (LOG, "        losses.append(float(loss.data))\n"),
    ),
    Wrong(
        "train-mean-of-batches",
        "train-loss-unweighted",
        "train",
        "train_losses",
        (ADD, ADD.replace(" * len(batch)", "")),
        (LOG, LOG.replace("len(images)", "-(-len(order) // batch_size)")),
    ),
    Wrong(
        "train-loss-weighed-and-not-divided",
        "train-loss-not-divided",
        "train",
        "train_losses",
        (LOG, LOG.replace(" / len(images)", "")),
    ),
    Wrong(
        "train-loss-divided-twice",
        "train-loss-divided-otherwise",
        "train",
        "train_losses",
        (ADD, ADD.replace(" * len(batch)", "")),
    ),
    Wrong(
        "train-total-goes-on",
        "train-loss-kept",
        "train",
        "train_losses",
        (TOTAL, ""),
        (OPTIMIZER, OPTIMIZER + TOTAL[4:]),
    ),
    Wrong(
        "train-total-over-all-epochs",
        "train-loss-kept",
        "train",
        "train_losses",
        (TOTAL, ""),
        (OPTIMIZER, OPTIMIZER + TOTAL[4:]),
        (LOG, "        losses.append(total / len(images) / (len(losses) + 1))\n"),
    ),
    Wrong(
        "train-logs-after-the-step",
        "train-loss-later",
        "train",
        "train_losses",
        (
            ADD,
            "            again = loss_function(model(MyTensor(images[batch])), MyTensor(targets[batch]))\n"
            "            total += float(again.data) * len(batch)\n",
        ),
    ),
    Wrong(
        "train-logs-the-finished-epoch",
        "train-loss-later",
        "train",
        "train_losses",
        (LOG, "        losses.append(float(loss_function(model(MyTensor(images)), MyTensor(targets)).data))\n"),
    ),
    Wrong(
        "train-logs-each-batch",
        "train-loss-of-each-batch",
        "train",
        "train_losses",
        (LOG, ""),
        (ADD, "            losses.append(float(loss.data))\n"),
    ),
    Wrong(
        "train-live-forgotten",
        "train-live-silent",
        "train",
        "train_live",
        (TELL, ""),
    ),
    Wrong(
        "train-live-for-each-batch",
        "train-live-at-other-times",
        "train",
        "train_live",
        (TELL, ""),
        (ADD, ADD + "            if live:\n                live(float(loss.data))\n"),
    ),
    Wrong(
        "train-live-at-the-end",
        "train-live-at-other-times",
        "train",
        "train_live",
        (
            TELL + "    ### END SOLUTION\n",
            TELL[4:].replace("        live", "    for loss in losses:\n            live").replace("losses[-1]", "loss")
            + "    ### END SOLUTION\n",
        ),
    ),
    Wrong(
        "train-live-before-the-epoch",
        "train-live-at-other-times",
        "train",
        "train_live",
        (TELL, ""),
        (TOTAL, TOTAL + TELL.replace("if live", "if live and losses")),
    ),
    Wrong(
        "train-live-told-all-losses",
        "train-live-told-other-numbers",
        "train",
        "train_live",
        (TELL, TELL.replace("[-1]", "")),
    ),
    Wrong(
        "train-live-told-the-last-batch",
        "train-live-told-other-numbers",
        "train",
        "train_live",
        (TELL, TELL.replace("losses[-1]", "float(loss.data)")),
    ),
    Wrong(
        "train-live-not-asked-for",
        "train-needs-live",
        "train",
        "train_live",
        (TELL, TELL.replace("if live:", "if True:")),
    ),
    Wrong(
        "generators-skips-an-example",
        "train-other-stride",
        "train",
        "train_batches",
        (
            "[row for _, row in zip(range(size), order, strict=False)]",
            "[row for row, _ in zip(order, range(size), strict=False)]",
        ),
        style="generators",
    ),
    Wrong(
        "tape-forgets-between-backward-and-step",
        "train-moves-nothing",
        "train",
        "train_step train_forgets train_pairs",
        (
            "            sgd.step()\n            sgd.zero_grad()\n",
            "            sgd.zero_grad()\n            sgd.step()\n",
        ),
        style="tape",
    ),
    Wrong(
        "slots-rows-of-the-place",
        "train-rows-apart",
        "train",
        "train_pairs",
        ("MyTensor(targets[rows])", "MyTensor(targets[begin:end])"),
        style="slots_and_arrays",
    ),
]

NO_TENSOR = [
    Wrong(
        "step-scales-the-gradient-itself",
        "step-changes-gradient",
        "sgd",
        "step_keeps_gradients",
        (
            "                data -= self.lr * tensor.grad.data",
            "                gradient = tensor.grad.data\n"
            "                gradient *= self.lr\n"
            "                data -= gradient",
        ),
    ),
    Wrong(
        "relu-gives-an-array",
        "array-not-tensor",
        "relu",
        "relu_value",
        ("        return relu(x)", "        return relu(x).data"),
    ),
    Wrong(
        "mse-gives-a-number",
        "array-not-tensor",
        "mseloss",
        "mse_value mse_zero",
        (
            "        return sum(difference**2) / difference.size",
            "        return float((difference * difference).data.mean())",
        ),
    ),
]
# What an exception says of itself, told with the line that it was raised in.
RAISED = [
    Wrong(
        "parameter-has-no-grad",
        "parameter-for-tensor",
        "sgd",
        "step",
        (STEP, STEP.replace("tensor.grad", "parameter.grad")),
    ),
    Wrong("lr-never-kept", "name-without-value", "sgd", "step", ("        self.lr = lr\n", "")),
    Wrong(
        "relu-of-the-tensor",
        "tensor-for-array",
        "relu",
        "relu_value",
        (RELU_VALUE, "    result = np.maximum(x, 0)\n"),
    ),
    Wrong(
        "batches-beyond-the-end",
        "index-not-there",
        "train",
        "train_step train_forgets train_pairs train_batches train_losses train_live",
        (SHUFFLE, SHUFFLE + "        order[len(order) :].tolist().pop()\n"),
    ),
    Wrong(
        "product-of-unlike-shapes",
        "shapes-do-not-meet",
        "matmul",
        "matmul_left",
        (LEFT, "(base @ columns.T).reshape(1, 1)"),
    ),
    Wrong(
        "batch-by-a-number",
        "other-kind",
        "train",
        "train_step train_forgets train_pairs train_batches train_losses train_live",
        (BATCHES, BATCHES.replace("range(0, len(order), batch_size)", "batch_size")),
    ),
]
MORE = [
    Wrong(
        "product-doubled",
        "matmul-wrong-operation",
        "matmul",
        "matmul_value",
        (PRODUCT, "    result = 2 * (a.data @ b.data)\n"),
    ),
    Wrong(
        "target-gets-the-gradient-of-the-prediction",
        "mse-target-sign",
        "mseloss",
        "any_loss",
        (
            "def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:\n",
            "def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:\n"
            "        if y_target.requires_grad:\n"
            "            y_target = MyTensor(y_target.data, requires_grad=True, crossOpBack=MyCrossBackward(\n"
            "                y_target, backward_function=lambda base, target: (-base,), name='Turned'))\n",
        ),
    ),
    Wrong(
        "batches-begin-eight-apart",
        "train-other-stride",
        "train",
        "train_batches",
        (BATCHES, BATCHES.replace("batch_size", "8")),
    ),
]

WRONG = [*MODULE, *MATMUL, *LINEAR, *RELU_ENTRIES, *SGD, *MSELOSS, *TRAIN, *MODEL, *NO_TENSOR, *RAISED, *MORE]
