from corpus.entry import Blind

WRONG = []


def wrong(name, style, section, kind, truth, *changes, nameable=True):
    WRONG.append(
        Blind(name=name, style=style, section=section, kind=kind, truth=truth, changes=tuple(changes), nameable=nameable)
    )


# ------------------------------------------------------------------------------------- rules and operators

wrong(
    "sub-right-keeps-sign", "beginner", "tensor", "rule",
    "The rule of left - right gives the right operand +G instead of -G: the minus is missing.",
    ("    grad_right = -base\n", "    grad_right = base\n"),
)
wrong(
    "div-right-by-wrong-square", "beginner", "tensor", "rule",
    "In the rule of left / right the gradient of the right operand is -G * right / left**2 instead of "
    "-G * left / right**2: the operands are mixed up.",
    ("-base * left.data / (right.data * right.data)", "-base * right.data / (left.data * left.data)"),
)
wrong(
    "div-right-square-missing", "meta", "tensor", "rule",
    "In the rule of a / b the gradient of the right operand is -G * a / b instead of -G * a / b**2: the square is missing.",
    ("lambda g, a, b: -g * a / b**2", "lambda g, a, b: -g * a / b"),
)
wrong(
    "pow-ignores-upstream", "meta", "tensor", "rule",
    "The rule of x ** n returns n * x**(n-1) alone: it does not multiply by the upstream gradient.",
    ("    return base * slope, None\n", "    return slope, None\n"),
)
wrong(
    "pow-exponent-not-lowered", "buffers", "tensor", "rule",
    "The rule of x ** n computes G * n * x**n: the exponent is not lowered by one.",
    ("    slope = np.power(tensor.data, power - 1)\n", "    slope = np.power(tensor.data, power)\n"),
)
wrong(
    "div-left-multiplies", "buffers", "tensor", "rule",
    "In the rule of left / right the gradient of the left operand is G * right instead of G / right.",
    ("np.true_divide(base, right.data), left.shape", "np.multiply(base, right.data), left.shape"),
)
wrong(
    "pow-zero-at-zero-is-nan", "primitives", "tensor", "rule",
    "The rule of x ** n has no case for n = 0: where x is 0 it computes 0 * 0**-1, so the gradient is nan and not 0.",
    ("    if power == 0:\n        return base * 0, None\n", ""),
)
wrong(
    "mul-right-ignores-upstream", "primitives", "tensor", "rule",
    "The rule of left * right gives the right operand just the left values: the upstream gradient is not multiplied in "
    "(for the left operand it is).",
    ("    return base * right.data, base * left.data\n", "    return base * right.data, left.data\n"),
)
wrong(
    "rsub-in-wrong-order", "primitives", "tensor", "operator",
    "__rsub__ computes self - other, so 5 - x gives x - 5, in value and gradient.",
    ("        return self.lift(other) + -self\n", "        return self + -self.lift(other)\n"),
)
wrong(
    "reflected-like-unreflected", "meta", "tensor", "operator",
    "The reflected operators keep the tensor on the left: 5 - x computes x - 5 and 6 / x computes x / 6 (for + and * it "
    "makes no difference).",
    ("        return apply(lift(other), self)\n", "        return apply(self, lift(other))\n"),
)
wrong(
    "mul-own-factor", "twophase", "tensor", "rule",
    "The rule of a * b gives each operand G times its own values instead of those of the other: the two are swapped.",
    ("    a.receive(base * b.data)\n    b.receive(base * a.data)\n", "    a.receive(base * a.data)\n    b.receive(base * b.data)\n"),
)
wrong(
    "pow-precedence", "twophase", "tensor", "rule",
    "The rule of x ** n computes G * n * x**n - 1: the parentheses around n - 1 are missing, so 1 is subtracted from the "
    "product and not from the exponent.",
    ("base * n * x.data ** (n - 1)", "base * n * x.data ** n - 1"),
)
wrong(
    "neg-rule-without-minus", "twophase", "tensor", "rule",
    "The rule of the unary minus hands on +G instead of -G.",
    ("def neg_deriv(base, x):\n    x.receive(-base)\n", "def neg_deriv(base, x):\n    x.receive(base)\n"),
)
wrong(
    "neg-not-recorded", "beginner", "tensor", "operator",
    "Unary minus is not recorded: -x is a new leaf without requires_grad, so no gradient passes through it.",
    (
        "        result = -self.data\n        if self.requires_grad:\n",
        "        result = -self.data\n        return MyTensor(result)\n        if self.requires_grad:\n",
    ),
)
wrong(
    "even-power-of-negative-base", "buffers", "tensor", "rule",
    "The rule of x ** n takes the absolute value of x: it computes G * n * |x|**(n-1), wrong in sign for negative x when n "
    "is even.",
    ("np.power(tensor.data, power - 1)", "np.power(np.abs(tensor.data), power - 1)"),
)

# ------------------------------------------------------------------------------- constructor and properties

wrong(
    "dtype-ignored", "beginner", "tensor", "constructor",
    "The constructor ignores its dtype argument: the array always has the dtype that NumPy chooses.",
    ("        array = np.array(data, dtype=dtype)\n", "        array = np.array(data)\n"),
)
wrong(
    "getitem-wraps", "beginner", "tensor", "constructor",
    "Indexing returns a MyTensor instead of plain NumPy values.",
    ("        return self.__data[index]\n", "        return MyTensor(self.__data[index])\n"),
)
wrong(
    "dtype-attribute-is-argument", "meta", "tensor", "constructor",
    "The attribute dtype is the constructor's argument and not the dtype of the array: it is None when no dtype was asked for.",
    ("        self.dtype = values.dtype\n", "        self.dtype = dtype\n"),
)
wrong(
    "data-is-a-copy", "meta", "tensor", "constructor",
    "The property data returns a copy of the array each time, so what is written into tensor.data changes nothing.",
    ("    data = property(lambda self: self.__data)\n", "    data = property(lambda self: self.__data.copy())\n"),
)
wrong(
    "float32-with-gradient-becomes-float64", "buffers", "tensor", "constructor",
    "With requires_grad=True every array is turned into float64, float32 as well, not just integers: the dtype that was asked "
    "for is lost.",
    ('        if requires_grad and array.dtype.kind not in "fc":\n', "        if requires_grad:\n"),
)
wrong(
    "repr-without-requires-grad", "buffers", "tensor", "constructor",
    "__repr__ shows the values and the dtype but not requires_grad.",
    ('f"dtype={self.dtype}", f"requires_grad={self.requires_grad}"]', 'f"dtype={self.dtype}"]'),
)
wrong(
    "size-is-length", "primitives", "tensor", "constructor",
    "The property size is the length of the first dimension (and fails for a scalar), not the number of all elements.",
    ("        return self.data.size\n", "        return len(self.data)\n"),
)
wrong(
    "tuples-refused", "primitives", "tensor", "constructor",
    "The constructor refuses tuples with TypeError; it only takes lists, arrays and numbers.",
    ("            case list() | tuple() | np.ndarray()", "            case list() | np.ndarray()"),
)
wrong(
    "strides-in-elements", "twophase", "tensor", "constructor",
    "The property strides counts in elements, as PyTorch's stride() does, instead of in bytes as NumPy does.",
    (
        "        return self.__data.strides\n",
        "        return tuple(step // self.__data.itemsize for step in self.__data.strides)\n",
    ),
)
wrong(
    "write-into-a-copy", "twophase", "tensor", "constructor",
    "__setitem__ converts the array (astype makes a copy) and writes into the copy, so tensor[0, 1] = 5 changes nothing.",
    ("        self.__data[key] = value\n", "        self.__data.astype(self.dtype)[key] = value\n"),
)

# -------------------------------------------------------------------------------------------- broadcasting

wrong(
    "unbroadcast-averages-ones", "beginner", "tensor", "broadcasting",
    "unbroadcast takes the mean instead of the sum over the dimensions that had length 1; the extra ones in front it sums.",
    ("            gradient = gradient.sum(axis=i, keepdims=True)\n", "            gradient = gradient.mean(axis=i, keepdims=True)\n"),
)
wrong(
    "unbroadcast-sums-from-behind", "beginner", "tensor", "broadcasting",
    "unbroadcast removes the extra dimensions by summing over the last axis instead of the first, so an operand with fewer "
    "dimensions gets a gradient summed over the wrong axis, often of the wrong shape.",
    ("        gradient = gradient.sum(axis=0)\n", "        gradient = gradient.sum(axis=-1)\n"),
)
wrong(
    "left-never-unbroadcast", "meta", "tensor", "broadcasting",
    "The rules undo broadcasting for the right operand only: a stretched left operand gets a gradient in the shape of the "
    "result.",
    ("            unbroadcast(operator.to_left(base, a, b), left.shape),\n", "            operator.to_left(base, a, b),\n"),
)
wrong(
    "unbroadcast-keepdims-missing", "buffers", "tensor", "broadcasting",
    "unbroadcast sums over the dimensions of length 1 without keepdims, so these dimensions vanish: an operand of shape "
    "(2, 1) gets a gradient of shape (2,).",
    ("    return np.add.reduce(gradient, axis=ones, keepdims=True)\n", "    return np.add.reduce(gradient, axis=ones)\n"),
)
wrong(
    "meet-takes-the-larger-shape", "primitives", "tensor", "broadcasting",
    "Two operands are brought to the shape of the one with more elements (the left one if they have as many) "
    "instead of their common broadcast shape, so (2, 1) with (1, 3), where both are stretched, fails.",
    (
        "        shape = np.broadcast_shapes(left.shape, right.shape)\n",
        "        shape = left.shape if left.size >= right.size else right.shape\n",
    ),
)
wrong(
    "unbroadcast-compares-sizes", "twophase", "tensor", "broadcasting",
    "unbroadcast returns the gradient as it is when it has as many elements as the operand, even if the shape differs: with "
    "a (1, 3) result an operand of shape (3,) gets a gradient of shape (1, 3).",
    (
        "    if gradient.shape == shape:\n        return gradient\n    wanted",
        "    if gradient.size == np.prod(shape):\n        return gradient\n    wanted",
    ),
)
wrong(
    "unbroadcast-stops-after-front", "primitives", "tensor", "broadcasting",
    "unbroadcast treats the dimensions of length 1 only where no dimension is missing in front: a (2, 1) operand in a (4, 2, 3) "
    "result is not summed over its last dimension.",
    ("        elif shape[axis - front] == 1:\n", "        elif front == 0 and shape[axis - front] == 1:\n"),
)

# ------------------------------------------------------------------------------------------------ the walk

wrong(
    "base-ignored", "beginner", "tensor", "walk",
    "backward ignores the values of base: it always starts with ones.",
    ("            start = np.array(base.data, dtype=self.dtype)\n", "            start = np.ones(base.shape, dtype=self.dtype)\n"),
)
wrong(
    "constants-get-gradients", "beginner", "tensor", "walk",
    "backward also follows inputs that require no gradient, so constants get a grad.",
    (
        "                if input.requires_grad == False:\n                    continue\n                if input in consumers:\n",
        "                if input in consumers:\n",
    ),
    (
        "                    if input.requires_grad == False:\n                        continue\n                    if input in gradients:\n",
        "                    if input in gradients:\n",
    ),
)
wrong(
    "consumer-counted-once-per-operation", "beginner", "tensor", "walk",
    "An operation that uses a tensor twice (b * b) is counted as one consumer but lowers the count twice, so if the tensor is "
    "used elsewhere as well, it hands on its gradient too early and the later contributions are lost.",
    ("            for input in tensor.backward_op.inputs:\n                if not", "            for input in set(tensor.backward_op.inputs):\n                if not"),
    nameable=False,
)
wrong(
    "contribution-overwrites", "meta", "tensor", "walk",
    "In the walk a second contribution to a tensor replaces the first instead of being added: of x * x only one path counts.",
    (
        "                pending[source] = pending[source] + share if source in pending else share\n",
        "                pending[source] = share\n",
    ),
)
wrong(
    "walks-from-the-leaves", "meta", "tensor", "walk",
    "backward goes through the tensors in the wrong direction, from the leaves to the result, and fails with KeyError at the "
    "first leaf, which has received no gradient yet.",
    ("key=lambda tensor: tensor._level, reverse=True)", "key=lambda tensor: tensor._level)"),
    nameable=False,
)
wrong(
    "second-backward-overwrites", "buffers", "tensor", "walk",
    "A second backward replaces the grad of a leaf instead of adding to it.",
    (
        "                if tensor.grad is None:\n                    tensor.grad = buffer\n                else:\n"
        "                    tensor.grad += buffer\n",
        "                tensor.grad = buffer\n",
    ),
)
wrong(
    "marked-when-pushed", "buffers", "tensor", "walk",
    "The order of the walk is not topological: a tensor is marked as visited when it is put on the stack and not when it is "
    "taken from it, so an intermediate result that is used at different depths hands on its gradient before all contributions "
    "have arrived.",
    (
        "                            stack.append((source, False))\n",
        "                            entered.add(source)\n                            stack.append((source, False))\n",
    ),
    (
        "            elif tensor not in entered:\n                entered.add(tensor)\n                stack.append((tensor, True))\n",
        "            else:\n                stack.append((tensor, True))\n",
    ),
)
wrong(
    "leaf-backward-does-nothing", "primitives", "tensor", "walk",
    "backward on a leaf does nothing: a leaf that requires a gradient should add base (or ones) to its own grad.",
    ("        if not self.requires_grad:\n            return\n        first", "        if not self.requires_grad or self.backward_op is None:\n            return\n        first"),
)
wrong(
    "backward-without-requires-grad", "primitives", "tensor", "walk",
    "backward on a tensor that requires no gradient sets its grad, instead of doing nothing.",
    ("        if not self.requires_grad:\n            return\n        first", "        first"),
)
wrong(
    "breadth-first-order", "twophase", "tensor", "walk",
    "backward goes through the graph breadth first instead of in a topological order: an intermediate result that is reached "
    "over paths of different lengths hands on its gradient before the contribution over the longer path has arrived.",
    (
        "        path = [(self, iter(self.parents()))]\n",
        "        path = [self]\n",
    ),
    (
        "            tensor, rest = path[-1]\n            for parent in rest:\n",
        "            tensor = path.pop(0)\n            done.append(tensor)\n            for parent in tensor.parents():\n",
    ),
    (
        "                    path.append((parent, iter(parent.parents())))\n                    break\n            else:\n"
        "                done.append(tensor)\n                path.pop()\n        return done\n",
        "                    path.append(parent)\n        return done[::-1]\n",
    ),
)
wrong(
    "intermediates-keep-grad", "twophase", "tensor", "walk",
    "backward also stores a grad on the intermediate results and the result itself; only leaves should keep one.",
    (
        "                if node.backward_op is None:\n                    total = node.flow if node.grad is None else node.grad + node.flow\n"
        "                    node.grad = np.array(total, dtype=node.dtype)\n",
        "                total = node.flow if node.grad is None else node.grad + node.flow\n"
        "                node.grad = np.array(total, dtype=node.dtype)\n",
    ),
)
wrong(
    "flow-never-removed", "twophase", "tensor", "walk",
    "The temporary gradients on the tensors are not removed after backward, so the next backward through the same tensors "
    "begins with those of the last one and adds too much.",
    ('                node.__dict__.pop("flow", None)\n', "                pass\n"),
)

# -------------------------------------------------------------------------------------------------- memory

wrong(
    "constructor-does-not-copy", "buffers", "tensor", "memory",
    "The constructor does not copy the array it is given: a later change to that array changes the tensor.",
    ("        array = np.array(data, dtype=dtype, copy=True)\n", "        array = np.asarray(data, dtype=dtype)\n"),
)
wrong(
    "contributions-added-in-place", "beginner", "tensor", "memory",
    "Contributions are added in place (+=) to an array that the rule of + has handed to both operands, so in (a + b) + a the "
    "gradient of b grows with that of a.",
    ("                        gradients[input] = gradients[input] + share\n", "                        gradients[input] += share\n"),
    nameable=False,
)
wrong(
    "sub-rule-negates-base-in-place", "buffers", "tensor", "memory",
    "The rule of left - right negates the upstream gradient in place, after having handed this same array to the left "
    "operand: if both require a gradient, the left one gets -G, too.",
    ("unbroadcast(np.negative(base), right.shape)", "unbroadcast(np.negative(base, out=base), right.shape)"),
    nameable=False,
)
wrong(
    "leaves-share-one-grad-array", "twophase", "tensor", "memory",
    "The grads of two leaves can be one and the same array: after (a + b).backward() a change of a.grad in place also "
    "changes b.grad, as nothing is copied.",
    ("            self.flow = gradient.copy()\n", "            self.flow = gradient\n"),
    ("                    node.grad = np.array(total, dtype=node.dtype)\n", "                    node.grad = np.asarray(total)\n"),
)
wrong(
    "leaf-grad-is-base", "meta", "tensor", "memory",
    "base is not copied: after x.backward(base), x a leaf, the array of base is x.grad, and later backward calls change base, "
    "as they add to grad in place.",
    ("else base.data.astype(self.dtype)}", "else base.data}"),
    (
        "                tensor.grad = np.array(upstream if tensor.grad is None else tensor.grad + upstream, dtype=tensor.dtype)\n",
        "                if tensor.grad is None:\n                    tensor.grad = np.asarray(upstream)\n                else:\n"
        "                    tensor.grad += upstream\n",
    ),
)
wrong(
    "relu-in-place", "meta", "relu", "memory",
    "ReLU writes its result into the array of its input: the negative values of x become 0.",
    ("record(np.where(x.data > 0, x.data, 0), x, rule=", "record(np.maximum(x.data, 0, out=x.data), x, rule="),
)
wrong(
    "loss-overwrites-prediction", "buffers", "mseloss", "memory",
    "MSELoss subtracts the target from the prediction in place: after the call the array of y holds the differences.",
    (
        "        difference = np.subtract(y.data, y_target.data)\n",
        "        difference = y.data\n        difference -= y_target.data\n",
    ),
)
wrong(
    "step-scales-the-gradient", "twophase", "sgd", "memory",
    "step multiplies the gradient by lr in place: the values of grad are changed, and a second step with the same gradient "
    "moves by lr**2 times it.",
    (
        "            data -= self.lr * tensor.grad\n",
        "            tensor.grad *= self.lr\n            data -= tensor.grad\n",
    ),
)
wrong(
    "train-shuffles-the-callers-arrays", "primitives", "train", "memory",
    "train shuffles the images and targets it was given in place, so the caller's arrays change their order.",
    (
        "        values, weights = [], []\n",
        "        images[:], targets[:] = images[order], targets[order]\n        order = np.arange(len(images))\n        values, weights = [], []\n",
    ),
)

# ------------------------------------------------------------------------------------------------- modules

wrong(
    "parameters-not-unique", "beginner", "module", "module",
    "parameters() lists a shared parameter, or the parameters of a module that stands in two places, more than once.",
    ("            if not already_there:\n                result.append(parameter)\n", "            result.append(parameter)\n"),
)
wrong(
    "parameters-one-level", "meta", "module", "module",
    "parameters() goes only one level deep: the parameters of modules inside sub-modules are missing.",
    ("for theirs in part.parameters()}", "for theirs in part.__parameters.values()}"),
)
wrong(
    "parameters-cached", "buffers", "module", "module",
    "parameters() remembers the list of its first call: parameters and modules that are added or replaced later do not show.",
    (
        "        return list(self.__walk(set()))\n",
        '        if "known" not in self.__dict__:\n            self.known = list(self.__walk(set()))\n        return list(self.known)\n',
    ),
)
wrong(
    "parameters-unique-by-value", "primitives", "module", "module",
    "parameters() drops a parameter whose values equal those of another one; only the same object should count as the same.",
    ("if not any(p is q for q in found[:i])]", "if not any(np.array_equal(p.tensor.data, q.tensor.data) for q in found[:i])]"),
)
wrong(
    "parameters-unique-by-name", "twophase", "module", "module",
    "parameters() keeps only one parameter for each name: of two layers that each have a weight only one's is listed.",
    ("                result.setdefault(id(parameter), parameter)\n", "                result.setdefault(parameter.name, parameter)\n"),
)
wrong(
    "own-parameters-only-at-the-bottom", "buffers", "module", "module",
    "parameters() leaves out the own parameters of a module that has sub-modules.",
    (
        "        for parameter in self.__parameters.values():\n            if id(parameter) not in seen:\n",
        "        for parameter in () if self.__sub_modules else self.__parameters.values():\n            if id(parameter) not in seen:\n",
    ),
)

# -------------------------------------------------------------------------------------------------- layers

wrong(
    "matmul-row-gradient-stays-matrix", "beginner", "matmul", "layer",
    "For a single row of shape (k,) the rule of matmul gives the left operand a gradient of shape (1, k): it is not reshaped "
    "back.",
    ("        grad_left = grad_left.reshape(left.shape)\n", ""),
)
wrong(
    "matmul-recorded-only-if-both", "beginner", "matmul", "layer",
    "matmul is recorded only if both operands require a gradient; one should be enough.",
    ("    if a.requires_grad or b.requires_grad:\n", "    if a.requires_grad and b.requires_grad:\n"),
)
wrong(
    "matmul-right-averaged", "meta", "matmul", "layer",
    "The rule of matmul divides the gradient of the right operand by the number of rows: it averages over the batch instead "
    "of adding.",
    ("rows.T @ upstream\n", "rows.T @ upstream / len(rows)\n"),
)
wrong(
    "matmul-left-not-transposed", "buffers", "matmul", "layer",
    "The rule of matmul computes G @ B for the left operand instead of G @ B transposed: wrong for square matrices, an error "
    "for others.",
    ("        to_left = np.matmul(base, right.data.T)\n", "        to_left = np.matmul(base, right.data)\n"),
)
wrong(
    "matmul-row-outer-swapped", "primitives", "matmul", "layer",
    "For a single row the rule of matmul gives the right operand the transpose of its gradient: the outer product of G and "
    "the row instead of the row and G.",
    ("np.outer(left.data, base)", "np.outer(base, left.data)"),
)
wrong(
    "linear-bound-from-outputs", "primitives", "linear", "layer",
    "The weights are drawn between -1/sqrt(output_size) and 1/sqrt(output_size) instead of with the input size.",
    ("(2 * np.random.rand(*shape) - 1) / np.sqrt(input_size)", "(2 * np.random.rand(*shape) - 1) / np.sqrt(output_size)"),
)
wrong(
    "linear-weights-positive", "buffers", "linear", "layer",
    "The weights are drawn between 0 and 2/sqrt(in) instead of between -1/sqrt(in) and 1/sqrt(in): they are all positive.",
    ("        weight -= bound\n", ""),
)
wrong(
    "linear-same-weights-each-time", "buffers", "linear", "layer",
    "Each Linear begins with the same weights: the random generator is made anew with a fixed seed for each layer.",
    ("        weight[...] = np.random.random(weight.shape)", "        weight[...] = np.random.default_rng(0).random(weight.shape)"),
)
wrong(
    "linear-bias-is-a-row-matrix", "meta", "linear", "layer",
    "The bias has the shape (1, output_size), so for a single row Linear returns the shape (1, output_size) instead of "
    "(output_size,).",
    ('            "bias": np.zeros(output_size),\n', '            "bias": np.zeros((1, output_size)),\n'),
)
wrong(
    "linear-bias-detached", "twophase", "linear", "layer",
    "forward adds the bias as a plain array (.data), outside the graph, so the bias never gets a gradient.",
    ("        return matmul(x, self.weight.tensor) + self.bias.tensor\n", "        return matmul(x, self.weight.tensor) + self.bias.tensor.data\n"),
)
wrong(
    "relu-mask-of-upstream", "beginner", "relu", "layer",
    "The rule of ReLU masks by the sign of the upstream gradient instead of the sign of x.",
    ("    mask = x.data > 0\n", "    mask = base > 0\n"),
)
wrong(
    "relu-one-at-zero", "twophase", "relu", "layer",
    "The derivative of ReLU at exactly 0 is taken as 1 instead of 0.",
    ("np.where(x.data > 0, base, 0)", "np.where(x.data >= 0, base, 0)"),
)
wrong(
    "relu-remembers-only-last-mask", "buffers", "relu", "layer",
    "ReLU keeps its mask in one place for all calls: when it is used twice before backward, the first use is differentiated "
    "with the mask of the second.",
    ("rule=partial(relu_deriv, positive=positive), name", "rule=relu_deriv, name"),
    ("    np.copyto(values, x.data, where=positive)\n", "    np.copyto(values, x.data, where=positive)\n    relu.positive = positive\n"),
    (
        "def relu_deriv(base: np.ndarray, x: MyTensor, *, positive: np.ndarray) -> tuple:\n    return (np.multiply(base, positive),)\n",
        "def relu_deriv(base: np.ndarray, x: MyTensor) -> tuple:\n    return (np.multiply(base, relu.positive),)\n",
    ),
)

# ----------------------------------------------------------------------------------------------------- SGD

wrong(
    "step-uphill", "beginner", "sgd", "optimizer",
    "step adds lr times the gradient instead of subtracting it: it goes uphill.",
    ("                data -= self.lr * gradient\n", "                data += self.lr * gradient\n"),
)
wrong(
    "step-makes-a-new-array", "meta", "sgd", "optimizer",
    "step does not work in place: it gives the tensor a new array, and whoever holds the old one does not see the change.",
    (
        "                tensor.data[...] -= self.lr * tensor.grad\n",
        "                tensor._MyTensor__data = tensor.data - self.lr * tensor.grad\n",
    ),
)
wrong(
    "step-stops-at-first-none", "buffers", "sgd", "optimizer",
    "step stops at the first parameter without a gradient: those that come after it are not moved.",
    ("            if grad is None:\n                continue\n", "            if grad is None:\n                break\n"),
)
wrong(
    "zero-grad-to-zeros", "beginner", "sgd", "optimizer",
    "zero_grad sets the gradients to arrays of zeros instead of None.",
    ("            parameter.tensor.grad = None\n", "            parameter.tensor.grad = np.zeros(parameter.tensor.shape)\n"),
)
wrong(
    "step-replaces-the-tensor", "primitives", "sgd", "optimizer",
    "step puts a new tensor into the parameter instead of changing the array in place: others that hold the tensor do not see "
    "the change.",
    (
        "                p.tensor.data[...] += downhill.data\n",
        "                p.tensor = MyTensor(p.tensor.data + downhill.data, requires_grad=True)\n",
    ),
)
wrong(
    "step-forgets-gradients", "twophase", "sgd", "optimizer",
    "step also sets the gradient of each parameter to None after using it; only zero_grad should, and a second step then does "
    "not move.",
    ("            data -= self.lr * tensor.grad\n", "            data -= self.lr * tensor.grad\n            tensor.grad = None\n"),
)
wrong(
    "lr-fixed-at-construction", "meta", "sgd", "optimizer",
    "The learning rate is not used: step always moves by 0.01 times the gradient, whatever lr is.",
    ("-= self.lr * tensor.grad\n", "-= 1e-2 * tensor.grad\n"),
)

# ---------------------------------------------------------------------------------------------------- loss

wrong(
    "mse-by-batch-size", "beginner", "mseloss", "loss",
    "MSELoss divides by the number of rows only, not by the number of all elements.",
    ("        return total / difference.size\n", "        return total / len(difference.data)\n"),
)
wrong(
    "sum-rule-ignores-upstream", "beginner", "mseloss", "loss",
    "The rule of sum returns ones: it does not multiply by the upstream gradient.",
    ("    gradient = base * np.ones_like(x.data)\n", "    gradient = np.ones_like(x.data)\n"),
)
wrong(
    "mse-cut-from-graph", "meta", "mseloss", "loss",
    "MSELoss computes the mean with NumPy and wraps it in a new tensor, so the loss is not connected to the graph and requires "
    "no gradient.",
    ("        return sum((y - y_target) ** 2) / y.size\n", "        return MyTensor(((y - y_target) ** 2).data.mean())\n"),
)
wrong(
    "mse-rule-ignores-upstream", "buffers", "mseloss", "loss",
    "The gradient of MSELoss ignores the upstream gradient: it is right only where the loss itself is the final result.",
    ("    slope = slope * base\n", ""),
)
wrong(
    "mse-target-gradient-sign", "buffers", "mseloss", "loss",
    "The target of MSELoss, if it requires a gradient, gets that of the prediction: the minus is missing.",
    ("-slope if y_target.requires_grad", "slope if y_target.requires_grad"),
)
wrong(
    "sum-rule-axis-not-put-back", "primitives", "mseloss", "loss",
    "The rule of sum does not put the summed axis back before it repeats the upstream gradient: with an axis other than the "
    "first it fails or, for a square x, repeats along the wrong one.",
    ("    if axis is not None:\n        base = np.expand_dims(base, axis)\n    return np.broadcast_to", "    return np.broadcast_to"),
)
wrong(
    "mse-one-loss-per-row", "twophase", "mseloss", "loss",
    "MSELoss sums over the last axis only: for a batch it returns one number for each row instead of a scalar.",
    ("        return sum((y_target - y) ** 2 / y.size)\n", "        return sum((y_target - y) ** 2 / y.size, axis=-1)\n"),
)

# ------------------------------------------------------------------------------------------------ training

wrong(
    "zero-grad-once-per-epoch", "beginner", "train", "training",
    "train calls zero_grad once at the start of each epoch instead of before each mini-batch, so the gradients pile up.",
    ("            optimizer.zero_grad()\n", ""),
    ("        loss_sum = 0.0\n", "        loss_sum = 0.0\n        optimizer.zero_grad()\n"),
)
wrong(
    "logs-the-last-batch", "beginner", "train", "training",
    "train logs the loss of the last mini-batch of each epoch instead of the mean over the epoch.",
    ("        losses.append(loss_sum / len(images))\n", "        losses.append(float(loss.data))\n"),
)
wrong(
    "no-shuffling", "meta", "train", "training",
    "train does not shuffle: each epoch takes the examples in the order in which they were given.",
    ("    order = np.random.permutation(count)\n", "    order = np.arange(count)\n"),
)
wrong(
    "train-default-lr", "meta", "train", "training",
    "train does not pass lr to SGD: it always trains with SGD's default of 0.01.",
    ("SGD(model.parameters(), lr)\n", "SGD(model.parameters())\n"),
)
wrong(
    "targets-not-shuffled-along", "buffers", "train", "training",
    "train takes the images in shuffled order but the targets in the original one, so they do not belong together.",
    ("MyTensor(targets[rows])", "MyTensor(targets[start : start + batch_size])"),
)
wrong(
    "zero-grad-before-step", "buffers", "train", "training",
    "train calls zero_grad between backward and step, so step finds no gradients and nothing is learned.",
    (
        "                optimizer.zero_grad()\n                loss = loss_function(model(MyTensor(images[rows])), MyTensor(targets[rows]))\n"
        "                loss.backward()\n",
        "                loss = loss_function(model(MyTensor(images[rows])), MyTensor(targets[rows]))\n"
        "                loss.backward()\n                optimizer.zero_grad()\n",
    ),
)
wrong(
    "mean-of-batches-unweighted", "primitives", "train", "training",
    "The mean loss of an epoch is the plain mean of the mini-batches' losses: a smaller last mini-batch counts as much as a "
    "full one.",
    ("np.average(values, weights=weights)", "np.mean(values)"),
)
wrong(
    "live-after-each-batch", "primitives", "train", "training",
    "train calls live after each mini-batch, with its loss, and not once after each epoch with the mean.",
    ("            weights.append(len(batch))\n", "            weights.append(len(batch))\n            if live:\n                live(values[-1])\n"),
    ("        bar.set_postfix(loss=losses[-1])\n        if live:\n            live(losses[-1])\n", "        bar.set_postfix(loss=losses[-1])\n"),
)
wrong(
    "last-batch-dropped", "twophase", "train", "training",
    "train leaves out the last mini-batch of an epoch if it is smaller than batch_size.",
    ("        while len(rest):\n", "        while len(rest) >= batch_size:\n"),
)
wrong(
    "shuffled-only-once", "twophase", "train", "training",
    "train shuffles only once, before the first epoch: all epochs take the examples in the same order.",
    ("    bar = None if live", "    order = np.random.permutation(len(images))\n    bar = None if live"),
    ("        rest = np.random.permutation(len(images))\n", "        rest = order\n"),
)
wrong(
    "model-without-relu", "beginner", "model", "training",
    "SuperModel does not use its ReLU: the two linear layers collapse into a single linear map.",
    ("        x = self.relu(x)\n", ""),
)
wrong(
    "layers-in-a-list", "twophase", "model", "training",
    "SuperModel keeps its first two layers in a plain list, where MyModule does not find them: parameters() lists only the "
    "last layer's, and the others are never trained.",
    (
        "        self.layer1 = Linear(64, 64)\n        self.layer2 = Linear(64, 32)\n",
        "        self.layers = [Linear(64, 64), Linear(64, 32)]\n",
    ),
    ("        for layer in (self.layer1, self.layer2):\n", "        for layer in self.layers:\n"),
)
wrong(
    "hidden-output-cut-from-graph", "buffers", "model", "training",
    "SuperModel's forward wraps the hidden layer's output in a new MyTensor, which cuts the graph: the first layer gets no "
    "gradient and is never trained.",
    ("self.second(self.activation(self.first(x)))", "self.second(MyTensor(self.activation(self.first(x)).data))"),
)

# ------------------------------------------------------------------------------------------------- partial

wrong(
    "pow-rule-still-a-stub", "beginner", "tensor", "partial",
    "pow_deriv is not written yet: it returns None, so backward through ** fails.",
    (
        "    tensor, power = args\n    if power == 0:\n        # x**0 is always 1\n        grad = np.zeros(tensor.shape)\n    else:\n"
        "        grad = base * power * tensor.data ** (power - 1)\n    return grad, None\n",
        "    ...\n",
    ),
)
wrong(
    "no-reflected-division", "buffers", "tensor", "partial",
    "__rtruediv__ is missing: 6 / x raises TypeError.",
    (
        '    def __rtruediv__(self, other: Any) -> "MyTensor":\n'
        '        return self.__binary(np.true_divide, self.__operand(other), self, div_deriv, "DivBackward")\n\n',
        "",
    ),
)
wrong(
    "parameters-own-only", "meta", "module", "partial",
    "parameters() lists only the module's own parameters: the sub-modules are not looked at yet.",
    (
        "        for part in self.__sub_modules.values():\n            unique |= {id(theirs): theirs for theirs in part.parameters()}\n",
        "",
    ),
)
wrong(
    "zero-grad-still-a-stub", "primitives", "sgd", "partial",
    "zero_grad is not written yet: it leaves all gradients as they are.",
    ("        for p in self.params:\n            p.tensor.grad = None\n", "        ...\n"),
)
wrong(
    "live-never-called", "twophase", "train", "partial",
    "train never calls live: that branch is still to be written.",
    ("            live(losses[-1])\n", "            ...\n"),
)
wrong(
    "matmul-rule-left-only", "twophase", "matmul", "partial",
    "The rule of matmul is half written: only the left operand gets its gradient, the right one gets zeros.",
    (
        '    b.receive(np.tensordot(a.data, base, axes=(0, 0)) if a.data.ndim == 2 else np.einsum("k,m->km", a.data, base))\n',
        "    b.receive(np.zeros(b.shape))  # later\n",
    ),
)

# -------------------------------------------------------------------------------------------------- copies

wrong(
    "rtruediv-copied-from-rsub", "beginner", "tensor", "copy",
    "__rtruediv__ subtracts: it was copied from __rsub__, and 6 / x computes 6 - x.",
    ("        return top / self\n", "        return top - self\n"),
)
wrong(
    "rsub-with-the-rule-of-add", "buffers", "tensor", "copy",
    "__rsub__ computes the right value but records the rule of +, so in 5 - x the gradient of x is +G instead of -G (x - 5 "
    "is right).",
    (
        'np.subtract, self.__operand(other), self, sub_deriv, "SubBackward"',
        'np.subtract, self.__operand(other), self, add_deriv, "AddBackward"',
    ),
)
wrong(
    "division-with-the-rule-of-mul", "meta", "tensor", "copy",
    "Division has the derivatives of multiplication: the left operand gets G * b and the right one G * a.",
    (
        "np.divide, lambda g, a, b: g / b, lambda g, a, b: -g * a / b**2)",
        "np.divide, lambda g, a, b: g * b, lambda g, a, b: g * a)",
    ),
)
wrong(
    "rtruediv-copied-from-rmul", "primitives", "tensor", "copy",
    "__rtruediv__ multiplies: it was copied from __rmul__, and 6 / x computes 6 * x.",
    ("        return self.lift(other) * self.reciprocal()\n", "        return self.lift(other) * self\n"),
)
wrong(
    "rmul-copied-from-radd", "twophase", "tensor", "copy",
    "__rmul__ adds: it was copied from __radd__, and 3 * x computes 3 + x.",
    ("        return self.mul(other, swapped=True)\n", "        return self.add(other, swapped=True)\n"),
)
wrong(
    "bias-copied-from-weight", "twophase", "linear", "copy",
    "The bias starts with random numbers, drawn as the weights are, instead of zeros.",
    ("uniform_parameter(0, output_size)", "uniform_parameter(1 / input_size**0.5, output_size)"),
)

# --------------------------------------------------------------------------------------------------- pairs

wrong(
    "pair-mul-left-and-step-uphill", "beginner", "tensor", "pair",
    "Two slips: the rule of left * right gives the left operand G times its own values instead of the right ones; and SGD's "
    "step goes uphill, adding lr times the gradient.",
    ("    grad_left = base * right.data\n", "    grad_left = base * left.data\n"),
    ("                data -= self.lr * gradient\n", "                data += self.lr * gradient\n"),
)
wrong(
    "pair-relu-and-mse", "meta", "relu", "pair",
    "Two slips: the derivative of ReLU at 0 is taken as 1; and MSELoss divides by the number of rows instead of the number "
    "of elements.",
    ("(base * (x.data > 0),)", "(base * (x.data >= 0),)"),
    ("        return sum((y - y_target) ** 2) / y.size\n", "        return sum((y - y_target) ** 2) / y.shape[0]\n"),
)
wrong(
    "pair-overwrite-and-no-zero-grad", "buffers", "tensor", "pair",
    "Two slips that hide each other in training: a second backward replaces the grad of a leaf instead of adding to it; and "
    "zero_grad does nothing.",
    (
        "                if tensor.grad is None:\n                    tensor.grad = buffer\n                else:\n"
        "                    tensor.grad += buffer\n",
        "                tensor.grad = buffer\n",
    ),
    ("        for parameter in self.params:\n            parameter.tensor.grad = None\n", "        pass\n"),
)
wrong(
    "pair-step-and-loss-signs", "primitives", "sgd", "pair",
    "Two slips that hide each other in training: step goes uphill, adding lr times the gradient; and MSELoss returns the "
    "negative of the mean squared error.",
    ("p.tensor.grad * -self.lr", "p.tensor.grad * self.lr"),
    ("        return sum(error * error) * (1 / error.size)\n", "        return sum(error * error) * (-1 / error.size)\n"),
)
wrong(
    "pair-division-and-minus", "twophase", "tensor", "pair",
    "Two slips: in the rule of a / b the minus of the right operand's gradient is missing; and so it is in the rule of the "
    "unary minus, which hands on +G.",
    ("    b.receive(-quotient * (a.data / b.data))\n", "    b.receive(quotient * (a.data / b.data))\n"),
    ("def neg_deriv(base, x):\n    x.receive(-base)\n", "def neg_deriv(base, x):\n    x.receive(base)\n"),
)
wrong(
    "pair-train-no-shuffle-sum-of-losses", "primitives", "train", "pair",
    "Two slips in train: it does not shuffle; and it logs the sum of the mini-batches' losses instead of their mean.",
    ("        order = np.random.permutation(len(images))\n", "        order = np.arange(len(images))\n"),
    ("float(np.average(values, weights=weights))", "float(np.sum(values))"),
)
