"""Wrong solutions: each a small change to one of the right styles."""
from corpus.entry import Blind

WRONG = []


def add(name, style, section, kind, truth, *changes, nameable=True):
    WRONG.append(Blind(name, style, section, kind, truth, tuple(changes), nameable))


# ---------------------------------------------------------------------------------------------- rules and operators

add("div-right-without-numerator", "closures", "tensor", "rule",
    "Division, backward, right operand: the gradient is -G / b**2 instead of -G * a / b**2; the numerator a is missing, so it is right only where a is 1, as in 1 / x.",
    ("other.receive(-g * self.data / other.data**2)", "other.receive(-g / other.data**2)"))

add("power-as-quotient", "closures", "tensor", "rule",
    "Power, backward: x**(n-1) is computed as x**n / x, so the gradient is NaN (0/0) wherever an element of x is 0, for example for x**2 at 0.",
    ("self.receive(g * n * self.data ** (n - 1))", "self.receive(g * n * self.data**n / self.data)"))

add("power-guard-too-wide", "closures", "tensor", "rule",
    "Power, backward: the guard for n == 0 was written n < 1, so fractional powers below 1 and negative powers get a gradient of 0, too.",
    ("            if n == 0:\n", "            if n < 1:  # the exponent n - 1 would be negative\n"))

add("sub-minus-on-the-left", "heap", "tensor", "rule",
    "Subtraction, backward: the minus stands at the wrong operand; the left operand receives -G and the right one +G.",
    ("    return of_left, -of_right\n", "    return -of_left, of_right\n"))

add("div-right-without-upstream", "heap", "tensor", "rule",
    "Division, backward, right operand: the upstream gradient is missing; it returns -a / b**2, which is right only where G is 1.",
    ("grad_right = np.divide(-left.data, np.square(right.data)) * base", "grad_right = np.divide(-left.data, np.square(right.data))"))

add("power-precedence", "kahn", "tensor", "rule",
    "Power, backward: the parentheses around n - 1 are missing, so G * n * x**n - 1 is computed instead of G * n * x**(n-1).",
    ("return base * power * tensor.data ** (power - 1), None", "return base * power * tensor.data ** power - 1, None"))

add("power-zero-gives-one", "kahn", "tensor", "rule",
    "Power, backward: for n = 0 the gradient is ones (the value of x**0) instead of zeros (its derivative).",
    ("        return np.zeros(tensor.shape), None\n", "        return np.ones(tensor.shape), None  # x**0 is 1\n"))

add("neg-slope-is-value", "mixins", "tensor", "rule",
    "Unary minus, backward: the slope is -x (the value of the result) instead of -1, so x receives -G * x; as subtraction adds the negative, its right operand gets this wrong gradient, too.",
    ("neg_deriv = elementwise(lambda x: (-1.0,))", "neg_deriv = elementwise(lambda x: (-x,))"))

add("div-right-operands-exchanged", "mixins", "tensor", "rule",
    "Division, backward, right operand: the operands are exchanged; the gradient is -G * b / a**2 (that of b / a along a) instead of -G * a / b**2.",
    ("(1 / right, -left / (right * right))", "(1 / right, -right / (left * left))"))

add("power-only-for-squares", "mixins", "tensor", "rule",
    "Power, backward: the gradient is G * n * x instead of G * n * x**(n-1), which is right for squares only.",
    ("(n * x ** (n - 1) if n != 0 else np.zeros_like(x), None)", "(n * x if n != 0 else np.zeros_like(x), None)"))

add("power-along-the-exponent", "vjp", "tensor", "rule",
    "Power, backward: the derivative along the exponent, x**n * log(x), was taken instead of the one along the base, n * x**(n-1).",
    ("slope = n * np.power(a, n - 1) if n else np.zeros(a.shape)", "slope = np.power(a, n) * np.log(a) if n else np.zeros(a.shape)"))

add("div-right-loses-a-denominator", "vjp", "tensor", "rule",
    "Division, backward, right operand: the gradient is -G * a / b instead of -G * a / b**2; the quotient is multiplied by G instead of by G / b.",
    ("unbroadcast(-share * quotient, np.shape(b))", "unbroadcast(-g * quotient, np.shape(b))"))

add("mul-left-own-value", "vjp", "tensor", "rule",
    "Multiplication, backward, left operand: it receives G * a, its own value, instead of G * b, the other's.",
    ("unbroadcast(g * b, np.shape(a)), unbroadcast(g * a, np.shape(b))", "unbroadcast(g * a, np.shape(a)), unbroadcast(g * a, np.shape(b))"))

add("rsub-negates-both", "mixins", "tensor", "operator",
    "Reflected subtraction, forward: number - x gives -(x + number) = -x - number; the number is negated, too.",
    ("        return (-self) + other\n", "        return -(self + other)\n"))

add("last-operand-decides", "heap", "tensor", "operator",
    "Recording: in the loop over the operands each one overwrites the answer, so only the last tensor operand decides whether the result requires a gradient; x - 2 or x * constant is not recorded, while constant * x is.",
    ("            if isinstance(entry, MyTensor) and entry.requires_grad:\n                wanted = True\n",
     "            if isinstance(entry, MyTensor):\n                wanted = entry.requires_grad\n"))

# ------------------------------------------------------------------------------------------------------ constructor

add("no-numpy-numbers", "heap", "tensor", "constructor",
    "Constructor: NumPy numbers are missing from the accepted types, so np.float32(3) or np.int64(3) raises TypeError (np.float64 passes, because it is a float).",
    ("accepted = (list, tuple, np.ndarray, np.number, int, float)", "accepted = (list, tuple, np.ndarray, int, float)"))

add("float32-lost-with-gradient", "heap", "tensor", "constructor",
    "Constructor: with requires_grad=True everything becomes float64, so the dtype that was asked for (float32) is ignored there.",
    ("        if requires_grad and not np.issubdtype(data.dtype, np.inexact):\n", "        if requires_grad:\n"))

add("dtype-as-asked", "kahn", "tensor", "constructor",
    "Constructor: self.dtype is the argument instead of the array's dtype, so it is None where no dtype was asked for.",
    ("        self.dtype = self.__data.dtype\n", "        self.dtype = dtype\n"))

add("getitem-wraps", "kahn", "tensor", "constructor",
    "Indexing: tensor[index] returns a MyTensor instead of plain NumPy values.",
    ("        return self.__data[index]\n", "        return MyTensor(self.__data[index])\n"))

add("data-is-a-copy", "mixins", "tensor", "constructor",
    "Property data: returns a copy of the array each time instead of the array itself, so nothing written into tensor.data arrives.",
    ("    def data(self) -> np.ndarray:\n        return self.__data\n", "    def data(self) -> np.ndarray:\n        return self.__data.copy()\n"))

add("strides-in-elements", "vjp", "tensor", "constructor",
    "Property strides: counts in elements, as PyTorch does, instead of in bytes, as NumPy does.",
    ("        return self.data.strides\n", "        return tuple(step // self.data.itemsize for step in self.data.strides)\n"))

add("size-adds-lengths", "vjp", "tensor", "constructor",
    "Property size: the lengths of the dimensions are added instead of multiplied, so it is right for vectors but, for example, 5 instead of 6 for shape (2, 3) and 0 instead of 1 for a scalar.",
    ("        return int(np.prod(self.shape))\n", "        return int(np.sum(self.shape))\n"))

# ----------------------------------------------------------------------------------------------------- broadcasting

add("unbroadcast-sums-at-the-back", "closures", "tensor", "broadcasting",
    "unbroadcast: the extra dimensions are summed away at the back (axis -1) instead of in front (axis 0), so an operand of shape (3,) that met (2, 3) gets row sums.",
    ("        gradient = gradient.sum(axis=0)\n", "        gradient = gradient.sum(axis=-1)\n"))

add("unbroadcast-averages-kept", "closures", "tensor", "broadcasting",
    "unbroadcast: along the dimensions where the operand has length 1 the gradient is averaged instead of summed (the extra dimensions in front are summed rightly).",
    ("            gradient = gradient.sum(axis=i, keepdims=True)\n", "            gradient = gradient.mean(axis=i, keepdims=True)\n"))

add("mul-right-sums-too-early", "heap", "tensor", "broadcasting",
    "Multiplication, backward, right operand: the upstream gradient is unbroadcast before it is multiplied by the left operand, so a stretched right operand gets sum(G) * sum(a) instead of sum(G * a); without broadcasting it is right.",
    ("grad_right = np.multiply(base, left.data)", "grad_right = np.multiply(unbroadcast(base, right.shape), left.data)"))

add("unbroadcast-one-extra-axis", "kahn", "tensor", "broadcasting",
    "unbroadcast: only one extra dimension in front is summed away, however many there are, so an operand that lacks two or more dimensions gets a gradient of the wrong shape.",
    ("    gradient = gradient.sum(axis=tuple(range(extra)))\n", "    if extra > 0:\n        gradient = gradient.sum(axis=0)\n"))

add("unbroadcast-aligned-left", "mixins", "tensor", "broadcasting",
    "unbroadcast: the operand's shape is padded with ones at the back, so the shapes are aligned at the left instead of the right; (3,) against (3, 3) sums rows instead of columns, other shapes raise.",
    ("padded = (1,) * (gradient.ndim - len(shape)) + tuple(shape)", "padded = tuple(shape) + (1,) * (gradient.ndim - len(shape))"))

add("sub-right-not-unbroadcast", "vjp", "tensor", "broadcasting",
    "Subtraction, backward, right operand: the gradient is -G without unbroadcast, so a stretched right operand gets a gradient in the shape of the output.",
    ("return unbroadcast(g, np.shape(a)), unbroadcast(-g, np.shape(b))", "return unbroadcast(g, np.shape(a)), -g"))

# --------------------------------------------------------------------------------------------------------- the walk

add("preorder", "closures", "tensor", "walk",
    "backward: the order is depth first in pre-order (a tensor before its inputs), not topological, so a tensor used by several operations hands on its gradient before all contributions have arrived, and the late ones are lost.",
    ("            seen.add(node)\n            stack.append((node, True))\n", "            seen.add(node)\n            order.append(node)\n"),
    ("        for node in reversed(order):\n", "        for node in order:\n"))

add("inbox-kept-between-walks", "closures", "tensor", "walk",
    "backward: the gradients collected during a walk are not cleared afterwards, so a second backward through the same or a shared graph adds the first walk's gradients again (leaves get 3 times the gradient after two walks over one operation).",
    ("        for node in order:\n            node.__inbox = None\n", ""),
    ("            gradient, node.__inbox = node.__inbox, None\n", "            gradient = node.__inbox\n"))

add("intermediates-keep-grad", "heap", "tensor", "walk",
    "backward: every visited tensor adds the gradient to its grad, so intermediate results and the result itself keep one, too, instead of leaves only.",
    ("            if tensor.backward_op is None:\n                tensor._add_to_grad(gradient)\n                continue\n",
     "            tensor._add_to_grad(gradient)\n            if tensor.backward_op is None:\n                continue\n"))

add("constants-get-grad", "heap", "tensor", "walk",
    "backward: inputs that do not require a gradient are not skipped, so constant tensors get a grad, too.",
    ("                if not (isinstance(entry, MyTensor) and entry.requires_grad):\n", "                if not isinstance(entry, MyTensor):\n"))

add("default-base-is-a-mean", "heap", "tensor", "walk",
    "backward without base: starts with 1 / size instead of with ones, so it differentiates the mean of the result's elements instead of their sum.",
    ("            base = MyTensor(np.ones(self.shape))\n", "            base = MyTensor(np.ones(self.shape) / self.size)\n"))

add("consumers-counted-once", "kahn", "tensor", "walk",
    "backward: a tensor's consumers are counted only at its first discovery, so a tensor used by several operations is ready after the first contribution, and the later ones are lost.",
    ("                    stack.append(source)\n                consumers[source] += 1\n",
     "                    stack.append(source)\n                    consumers[source] += 1\n"))

add("graph-freed", "kahn", "tensor", "walk",
    "backward: the graph is torn down on the way (backward_op is set to None), so a second backward, or one from another result that shares a part, no longer reaches the leaves and leaves a grad on former results.",
    ("            for source, share in zip(tensor.backward_op.inputs, shares):\n",
     "            inputs, tensor.backward_op = tensor.backward_op.inputs, None\n            for source, share in zip(inputs, shares):\n"))

add("shortest-path-level", "mixins", "tensor", "walk",
    "backward: the level of a tensor is 1 + the smallest level of its inputs instead of the largest, so the order of the walk is not topological: where paths of different length meet, contributions are lost or it raises.",
    ("self.level = 1 + max((source.level", "self.level = 1 + min((source.level"), nameable=False)

add("everything-recorded", "mixins", "tensor", "walk",
    "Recording: every result requires a gradient and is recorded, even where no operand requires one.",
    ("    if any(True for _ in op.sources()):\n        return MyTensor(values, requires_grad=True, crossOpBack=op)\n    return MyTensor(values)\n",
     "    return MyTensor(values, requires_grad=True, crossOpBack=op)\n"))

add("leaf-backward-does-nothing", "vjp", "tensor", "walk",
    "backward on a leaf itself: does nothing instead of adding base to the leaf's grad.",
    ("        if self.requires_grad:\n            pull_back(", "        if self.backward_op is not None:\n            pull_back("))

add("recursive-postorder", "vjp", "tensor", "walk",
    "backward: the topological order is built by recursion, so a graph of about a thousand operations or more in a row raises RecursionError.",
    ("""    order, known = [], {id(root)}
    stack = [(root, iter(parents(root)))]
    while stack:
        tensor, rest = stack[-1]
        for _, source in rest:
            if id(source) not in known:
                known.add(id(source))
                stack.append((source, iter(parents(source))))
                break
        else:
            order.append(tensor)
            stack.pop()
    return order
""", """    order, known = [], set()

    def visit(tensor):
        known.add(id(tensor))
        for _, source in parents(tensor):
            if id(source) not in known:
                visit(source)
        order.append(tensor)

    visit(root)
    return order
"""))

add("same-operand-twice", "vjp", "tensor", "walk",
    "backward: the shares of one operation are first put into a dictionary keyed by input, so where a tensor is both operands (x * x, x + x) only the second operand's share counts.",
    ("""        for place, source in parents(tensor):
            if id(source) in gradients:
                gradients[id(source)] = np.add(gradients[id(source)], shares[place])
            else:
                gradients[id(source)] = shares[place]
""", """        for source, share in {source: shares[place] for place, source in parents(tensor)}.items():
            if id(source) in gradients:
                gradients[id(source)] = np.add(gradients[id(source)], share)
            else:
                gradients[id(source)] = share
"""))

# ----------------------------------------------------------------------------------------------------------- memory

add("leaf-grad-not-copied", "closures", "tensor", "memory",
    "backward: the first gradient that reaches a leaf is stored without a copy, so grads of different leaves (a + b), or a grad and the base, share one array.",
    ("node.grad = np.array(gradient if node.grad is None else node.grad + gradient)",
     "node.grad = gradient if node.grad is None else node.grad + gradient"))

add("inbox-added-in-place", "closures", "tensor", "memory",
    "backward: contributions are added in place (+=) to the first array that arrived, which other tensors' gradients or base itself share after + and -; so base is changed and other leaves get wrong gradients.",
    ("        self.__inbox = gradient if self.__inbox is None else self.__inbox + gradient\n",
     "        if self.__inbox is None:\n            self.__inbox = gradient\n        else:\n            self.__inbox += gradient\n"))

add("constructor-does-not-copy", "kahn", "tensor", "memory",
    "Constructor: np.asarray instead of np.array, so the tensor shares memory with the array it was given.",
    ("        self.__data = np.array(data, dtype=dtype)\n", "        self.__data = np.asarray(data, dtype=dtype)\n"))

add("relu-changes-upstream", "heap", "relu", "memory",
    "ReLU, backward: the upstream gradient is set to 0 in place instead of in a copy, so base (or a gradient that another tensor holds, too) is changed.",
    ("    gradient = np.array(base)\n", "    gradient = base\n"))

add("mse-changes-prediction", "heap", "mseloss", "memory",
    "MSELoss, forward: the target is subtracted from the prediction's own array in place, so y is changed to y - t (and the gradient, computed from it later, is wrong).",
    ("        value = np.mean((y.data - y_target.data) ** 2)\n",
     "        error = y.data\n        error -= y_target.data\n        value = np.mean(error**2)\n"))

add("train-shuffles-callers-arrays", "closures", "train", "memory",
    "train: the shuffled rows are written back into the arrays images and targets that were handed in, so the caller's data are reordered.",
    ("        shuffled_images, shuffled_targets = images[shuffle], targets[shuffle]\n",
     "        images[:], targets[:] = images[shuffle], targets[shuffle]\n        shuffled_images, shuffled_targets = images, targets\n"))

# ---------------------------------------------------------------------------------------------------------- modules

add("parameters-by-value", "closures", "module", "module",
    "parameters(): two parameters count as the same if their values are equal, instead of only if they are the same object, so one of two equal parameters is missing.",
    ("if not any(p is q for q in result):", "if not any(np.array_equal(p.tensor.data, q.tensor.data) for q in result):"))

add("parameters-by-name", "kahn", "module", "module",
    "parameters(): collected under the parameter's name instead of its identity, so parameters of the same name in different modules (hidden.weight, output.weight) overwrite each other.",
    ("            for parameter in module.parameters():\n                found[id(parameter)] = parameter\n",
     "            for parameter in module.parameters():\n                found[parameter.name] = parameter\n"),
    ("        for parameter in self.__parameters.values():\n            found[id(parameter)] = parameter\n",
     "        for parameter in self.__parameters.values():\n            found[parameter.name] = parameter\n"))

add("parameters-one-level", "mixins", "module", "module",
    "parameters(): takes only the own parameters of the direct sub-modules, so parameters two or more levels down are missing.",
    ("            yield from module.parameters()\n", "            yield from module.__parameters.values()\n"))

add("parameters-repeated", "heap", "module", "module",
    "parameters(): a parameter is dropped only if it equals the one just before it, so shared parameters or modules are listed several times when others lie between.",
    ("            if candidate not in unique:\n", "            if not unique or candidate is not unique[-1]:\n"))

add("parameters-own-or-children", "vjp", "module", "module",
    "parameters(): a module that has sub-modules contributes only theirs; its own parameters are left out.",
    ("            for parameter in module.__parameters.values():\n                if parameter not in seen:  # a Parameter has no __eq__: this is identity\n",
     "            for parameter in module.__parameters.values():\n                if parameter not in seen and not module.__sub_modules:\n"))

add("parameters-are-tensors", "mixins", "module", "module",
    "parameters(): returns the tensors inside instead of the Parameter objects.",
    ("return list({id(p): p for p in self._walk()}.values())",
     "return list({id(p): getattr(p, \"tensor\", p) for p in self._walk()}.values())"))

# ----------------------------------------------------------------------------------------------------------- layers

add("matmul-row-outer-turned", "closures", "matmul", "layer",
    "matmul, backward, for a single row, gradient of b: the outer product is g with a, shape (m, k), instead of a with g, shape (k, m), so it is transposed.",
    ("b.receive(np.outer(a.data, g))", "b.receive(np.outer(g, a.data))"))

add("matmul-left-not-transposed", "heap", "matmul", "layer",
    "matmul, backward, left operand of two dimensions: G @ B instead of G @ B.T; wrong numbers for square B, an exception for others.",
    ("np.einsum(\"nm,km->nk\", base, right.data)", "np.einsum(\"nm,mk->nk\", base, right.data)"))

add("matmul-right-averages-rows", "mixins", "matmul", "layer",
    "matmul, backward, right operand: A.T @ G is divided by the number of rows of A, so it is the mean over the rows instead of their sum (right for one row only).",
    ("np.atleast_2d(a).T @ np.atleast_2d(base)", "np.atleast_2d(a).T @ np.atleast_2d(base) / len(np.atleast_2d(a))"))

add("matmul-records-for-left-only", "kahn", "matmul", "layer",
    "matmul: recorded only if the left operand requires a gradient; with a plain input and a weight that requires one, nothing is recorded and the weight gets no gradient.",
    ("    values = a.data @ b.data\n    if a.requires_grad or b.requires_grad:\n", "    values = a.data @ b.data\n    if a.requires_grad:\n"))

add("linear-positive-weights", "kahn", "linear", "layer",
    "Linear, initialization: the weights are drawn from (0, 1/sqrt(in)), so all are positive; both signs are needed.",
    ("np.random.uniform(-bound, bound, (input_size, output_size))", "np.random.uniform(0, bound, (input_size, output_size))"))

add("linear-bound-from-outputs", "vjp", "linear", "layer",
    "Linear, initialization: the bound of the weights is 1/sqrt(output_size) instead of 1/sqrt(input_size).",
    ("        limit = 1.0 / input_size**0.5\n", "        limit = 1.0 / output_size**0.5\n"))

add("linear-seeded", "closures", "linear", "layer",
    "Linear, initialization: each layer makes a generator with the same fixed seed, so all layers of one size start with the same weights instead of new ones.",
    ("np.random.rand(input_size, output_size)", "np.random.default_rng(0).random((input_size, output_size))"))

add("linear-bias-is-a-row-matrix", "mixins", "linear", "layer",
    "Linear: the bias has shape (1, out) instead of (out,), so a single row of shape (in,) gives a result of shape (1, out) instead of (out,).",
    ("np.zeros((output_size,), dtype=np.float64)", "np.zeros((1, output_size), dtype=np.float64)"))

add("linear-transpose-not-undone", "vjp", "linear", "layer",
    "Linear, backward, weight: the rule of the transpose passes the gradient on without transposing it back, so the weight's gradient is transposed (wrong shape unless in = out).",
    ("return a.T, lambda g: (g.T,)", "return a.T, lambda g: (g,)"))

add("linear-bias-unregistered", "heap", "linear", "layer",
    "Linear: the bias is a plain MyTensor instead of a Parameter, so parameters() lacks it and it is never trained.",
    ("        self.bias = Parameter(MyTensor(np.zeros(output_size)))\n", "        self.bias = MyTensor(np.zeros(output_size), requires_grad=True)\n"),
    ("        return product + self.bias.tensor\n", "        return product + self.bias\n"))

add("relu-slope-one-at-zero", "closures", "relu", "layer",
    "ReLU, backward: the mask is x >= 0, so at exactly 0 the gradient passes through instead of being 0.",
    ("    mask = x.data > 0\n", "    mask = x.data >= 0\n"))

add("relu-slope-is-value", "vjp", "relu", "layer",
    "ReLU, backward: G is multiplied by relu(x), the value, instead of by the mask of 0 and 1.",
    ("return np.where(positive, a, 0), lambda g: (g * positive,)", "return np.where(positive, a, 0), lambda g: (g * np.where(positive, a, 0),)"))

add("relu-mask-of-upstream", "kahn", "relu", "layer",
    "ReLU, backward: the mask is taken from the upstream gradient (G > 0) instead of from the input (x > 0), so negative gradients are cut off and those at negative inputs pass.",
    ("    return (base * (x.data > 0),)\n", "    return (base * (base > 0),)\n"))

add("relu-maximum-over-axis", "kahn", "relu", "layer",
    "ReLU, forward: np.max(x, 0) is the maximum along axis 0, not the element-wise maximum with 0 (np.maximum).",
    ("    values = np.maximum(x.data, 0)\n", "    values = np.max(x.data, 0)\n"))

# -------------------------------------------------------------------------------------------------------- optimizer

add("step-averages-gradient", "closures", "sgd", "optimizer",
    "SGD.step: the gradient is averaged over its first axis, as if that were the batch, so all rows of a parameter move by the same amount.",
    ("p.tensor.data[...] -= self.lr * p.tensor.grad\n", "p.tensor.data[...] -= self.lr * np.mean(p.tensor.grad, axis=0)\n"))

add("zero-grad-makes-zeros", "heap", "sgd", "optimizer",
    "SGD.zero_grad: sets the gradients to tensors of zeros instead of None.",
    ("            parameter.tensor.grad = None\n", "            parameter.tensor.grad = MyTensor(np.zeros(parameter.tensor.shape))\n"))

add("step-stops-at-missing-grad", "kahn", "sgd", "optimizer",
    "SGD.step: returns at the first parameter without a gradient instead of passing over it, so all parameters after it are not moved.",
    ("            if parameter.tensor.grad is None:\n                continue\n", "            if parameter.tensor.grad is None:\n                return\n"))

add("step-clears-gradients", "mixins", "sgd", "optimizer",
    "SGD.step: sets each gradient to None after using it, instead of leaving the gradients as they are.",
    ("out=tensor.data, casting=\"same_kind\")\n", "out=tensor.data, casting=\"same_kind\")\n            tensor.grad = None\n"))

add("step-makes-new-tensor", "vjp", "sgd", "optimizer",
    "SGD.step: puts a new tensor into the parameter instead of changing the array in place, so whoever holds the old tensor does not see the change (and the grad is gone).",
    ("np.copyto(tensor.data, tensor.data - self.lr * tensor.grad)",
     "parameter.tensor = MyTensor(tensor.data - self.lr * tensor.grad, requires_grad=True)"))

add("step-scales-with-parameter", "mixins", "sgd", "optimizer",
    "SGD.step: subtracts lr * grad * value instead of lr * grad: the step is multiplied by the parameter itself.",
    ("np.subtract(tensor.data, self.lr * tensor.grad, out", "np.subtract(tensor.data, self.lr * tensor.grad * tensor.data, out"))

# ------------------------------------------------------------------------------------------------------------- loss

add("mse-divides-by-rows", "closures", "mseloss", "loss",
    "MSELoss: divides by the number of rows (the batch size) instead of by the number of all elements, so it is too large by the number of outputs.",
    ("return sum(squares) * (1 / squares.size)", "return sum(squares) * (1 / len(squares.data))"))

add("sum-gradient-on-first-axis", "closures", "mseloss", "loss",
    "sum, backward with an axis: the upstream gradient always gets its dimension of length 1 back in front (axis 0) instead of at the summed axis.",
    ("            g = np.expand_dims(g, axis)\n", "            g = np.expand_dims(g, 0)\n"))

add("mse-target-sign", "heap", "mseloss", "loss",
    "MSELoss, backward, target: a target that requires a gradient receives 2/N * (y - t), as the prediction does, instead of the negative.",
    ("    return gradient, -gradient\n", "    return gradient, gradient\n"))

add("mse-squares-the-sum", "kahn", "mseloss", "loss",
    "MSELoss: the sum of the differences is squared, (sum(y - t))**2 / N, instead of the differences being squared before they are summed.",
    ("return sum(difference**2) / difference.size", "return sum(difference) ** 2 / difference.size"))

add("mse-is-a-root", "mixins", "mseloss", "loss",
    "MSELoss: returns the root of the mean squared error (RMSE) instead of the mean squared error.",
    ("return self.mean((y - y_target) ** 2)", "return self.mean((y - y_target) ** 2) ** 0.5"))

add("sum-gradient-of-a-mean", "kahn", "mseloss", "loss",
    "sum, backward: the upstream gradient is divided by the number of elements of x, as for a mean, so the gradient of MSELoss is divided by N twice.",
    ("    return base * np.ones_like(x.data), None\n", "    return base * np.ones_like(x.data) / x.size, None\n"))

# --------------------------------------------------------------------------------------------------------- training

add("last-batch-counts-full", "closures", "train", "training",
    "train, logging: each mini-batch's loss is weighted with batch_size, also the last, smaller one, so the epoch's mean is wrong when batch_size does not divide the number of examples.",
    ("epoch_loss += one_batch(x, t) * len(x) / n", "epoch_loss += one_batch(x, t) * batch_size / n"))

add("zero-grad-once-an-epoch", "heap", "train", "training",
    "train: zero_grad is called once at the start of each epoch instead of for each mini-batch, so gradients pile up over the mini-batches of an epoch.",
    ("            optimizer.zero_grad()\n", ""),
    ("        summed = 0\n", "        summed = 0\n        optimizer.zero_grad()\n"))

add("last-batch-dropped", "heap", "train", "training",
    "train: the number of mini-batches is rounded down, so the examples of a last, smaller mini-batch are left out of each epoch (and the logged loss, still divided by the number of all examples, is too small).",
    ("steps = math.ceil(len(images) / batch_size)", "steps = len(images) // batch_size"))

add("loss-of-whole-set-after-epoch", "kahn", "train", "training",
    "train, logging: at the end of an epoch the loss over all examples is computed anew with the final parameters, instead of the mean of the losses taken when each mini-batch had its turn.",
    ("        losses.append(total / len(order))\n", "        losses.append(float(loss_function(model(MyTensor(images)), MyTensor(targets)).data))\n"))

add("live-gets-last-batch", "kahn", "train", "training",
    "train: live is called with the loss of the epoch's last mini-batch instead of with losses[-1], the epoch's mean.",
    ("            live(losses[-1])\n", "            live(float(loss.data))\n"))

add("drawn-with-replacement", "mixins", "train", "training",
    "train: the rows of an epoch are drawn with replacement, so some examples come several times and others not at all.",
    ("            rows = np.arange(len(images))\n            np.random.shuffle(rows)\n",
     "            rows = np.random.choice(len(images), size=len(images))\n"))

add("shuffled-once", "vjp", "train", "training",
    "train: the examples are shuffled once before the first epoch, so every epoch has the same mini-batches in the same order.",
    ("    for _ in progress:\n        values, sizes = [], []\n        for batch in minibatches(len(images), batch_size):\n",
     "    batches = list(minibatches(len(images), batch_size))\n    for _ in progress:\n        values, sizes = [], []\n        for batch in batches:\n"))

add("learning-rate-not-passed", "vjp", "train", "training",
    "train: lr is not passed to SGD, which uses its default of 0.01.",
    ("optimizer = SGD(model.parameters(), lr)", "optimizer = SGD(model.parameters())"))

add("model-in-a-list", "mixins", "model", "training",
    "SuperModel: the layers are kept in a plain list, which MyModule does not look into, so parameters() is empty and nothing is trained.",
    ("            setattr(self, f\"step{i}\", step)\n", "            self.steps = list(steps)\n"),
    ("            x = getattr(self, f\"step{i}\")(x)\n", "            x = self.steps[i](x)\n"))

add("model-cuts-the-graph", "kahn", "model", "training",
    "SuperModel, forward: the hidden layer's output is wrapped into a new MyTensor from its data, which cuts the graph, so the hidden layer's parameters get no gradient.",
    ("return self.output(self.relu(self.hidden(x)))", "return self.output(MyTensor(self.relu(self.hidden(x)).data))"))

# ---------------------------------------------------------------------------------------------------------- partial

add("unbroadcast-without-extra-axes", "heap", "tensor", "partial",
    "unbroadcast: only the dimensions of length 1 are summed; the loop that sums away the extra dimensions in front is not written yet.",
    ("    while axis >= 0:\n        result = result.sum(axis=0)\n        axis -= 1\n", ""))

add("rtruediv-stub", "closures", "tensor", "partial",
    "Reflected division (6 / x): not written yet, it returns None.",
    ("    def __rtruediv__(self, other):\n        return lift(other) / self\n", "    def __rtruediv__(self, other):\n        ...\n"))

add("mse-value-only", "vjp", "mseloss", "partial",
    "MSELoss: the value is computed with NumPy and not recorded, so the loss requires no gradient and backward does nothing.",
    ("        d = y - y_target\n        return sum(d**2) / d.size\n", "        d = y.data - y_target.data\n        return MyTensor((d**2).mean())\n"))

add("zero-grad-stub", "mixins", "sgd", "partial",
    "SGD.zero_grad: not written yet, the gradients stay.",
    ("        for parameter in self.params:\n            parameter.tensor.grad = None\n", "        ...\n"))

add("sum-axis-unwritten", "kahn", "mseloss", "partial",
    "sum, backward: the case with an axis is not written (the summed dimension is not put back), so sum(x, axis=1) gives a wrong gradient or raises; without an axis, and for axis 0, it is right.",
    ("    if axis is not None:\n        base = np.expand_dims(base, axis)\n    return base * np.ones_like", "    if axis is not None:\n        ...\n    return base * np.ones_like"))

# ----------------------------------------------------------------------------------------------------------- copies

add("rsub-with-rule-of-add", "kahn", "tensor", "copy",
    "Reflected subtraction (5 - x), backward: recorded with add_deriv, copied from __radd__, so x receives +G instead of -G; its value is right.",
    ("        return self.__binary(other, self, np.subtract, sub_deriv, \"SubBackward\")\n",
     "        return self.__binary(other, self, np.subtract, add_deriv, \"SubBackward\")\n"))

add("div-left-from-mul", "kahn", "tensor", "copy",
    "Division, backward, left operand: G * b, as in mul_deriv, instead of G / b.",
    ("    of_left = base / right.data\n", "    of_left = base * right.data\n"))

add("rtruediv-not-reflected", "vjp", "tensor", "copy",
    "Reflected division, forward: 6 / x computes x / 6, because __rtruediv__ is the same as __truediv__.",
    ("= operator(p_div), reflected(p_div)", "= operator(p_div), operator(p_div)"))

add("strides-copied-from-shape", "heap", "tensor", "copy",
    "Property strides: copied from shape, it returns the shape.",
    ("        return self.__data.strides\n", "        return self.__data.shape\n"))

add("mul-closure-copied-from-add", "closures", "tensor", "copy",
    "Multiplication, backward, right operand: it receives G, as in __add__, instead of G * a.",
    ("            other.receive(g * self.data)\n", "            other.receive(g)\n"))

# ------------------------------------------------------------------------------------------------------------ pairs

add("pair-neg-and-mse-factor", "heap", "tensor", "pair",
    "Two slips: unary minus, backward, passes G instead of -G; and MSELoss, backward, lacks the factor 2.",
    ("    return (np.negative(base),)\n", "    return (base,)\n"),
    ("    gradient = base * 2 * (y.data - t.data) / y.size\n", "    gradient = base * (y.data - t.data) / y.size\n"))

add("pair-no-base-and-overwritten-grad", "mixins", "tensor", "pair",
    "Two slips: backward ignores base and always starts with ones; and a leaf's grad is replaced by each backward instead of added to.",
    ("upstream = np.ones(self.shape) if base is None else np.array(base.data)", "upstream = np.ones(self.shape)"),
    ("        if self.grad is None:\n            self.grad = np.zeros(self.shape)\n        self.grad = np.asarray(self.grad + gradient)\n",
     "        self.grad = np.array(gradient)\n"))

add("pair-power-zero-and-row-matmul", "vjp", "tensor", "pair",
    "Two slips: power, backward, has no guard for n = 0, so x**0 at x = 0 gives NaN instead of 0; and matmul, backward, for a single row a, gives b the outer product of g with a, shape (m, k), instead of a with g, shape (k, m).",
    ("slope = n * np.power(a, n - 1) if n else np.zeros(a.shape)", "slope = n * np.power(a, n - 1.0)"),
    ("return b @ g, a[:, None] * g[None, :]", "return b @ g, g[:, None] * a[None, :]"))

add("pair-uphill-and-log", "closures", "sgd", "pair",
    "Two slips: SGD.step adds lr * grad instead of subtracting it; and train, logging, sums the loss over the epoch's examples without dividing by their number.",
    ("p.tensor.data[...] -= self.lr", "p.tensor.data[...] += self.lr"),
    ("one_batch(x, t) * len(x) / n", "one_batch(x, t) * len(x)"))

add("pair-div-sign-and-unweighted-log", "kahn", "tensor", "pair",
    "Two slips: division, backward, right operand, lacks the minus (G * a / b**2); and train, logging, weights each mini-batch's loss with batch_size, also the last, smaller one.",
    ("    of_right = -base * left.data / right.data**2\n", "    of_right = base * left.data / right.data**2\n"),
    ("total += float(loss.data) * len(batch)", "total += float(loss.data) * batch_size"))
