import sys

sys.path.insert(0, "/tmp/blind2")
from corpus.entry import Blind

WRONG = []


def add(name, style, section, kind, truth, *changes, nameable=True):
    WRONG.append(Blind(name, style, section, kind, truth, tuple(changes), nameable))


# ---- rules and operators ----
add("sub-right-no-sign", "beginner", "tensor", "rule",
    "In the backward rule of subtraction the right operand gets the upstream gradient itself, without the minus sign.",
    ("right_gradient = unbroadcast(-base, right.shape)", "right_gradient = unbroadcast(base, right.shape)"))
add("div-right-not-squared", "iterators", "tensor", "rule",
    "In the backward rule of division the right operand (the denominator) gets -G * a / b instead of -G * a / b**2: "
    "the denominator is not squared.",
    ("-base * left / right**2", "-base * left / right"))
add("div-squares-numerator", "beginner", "tensor", "rule",
    "In the backward rule of division the gradient of the right operand is divided by the square of the left operand "
    "instead of the square of the right one: -G * a / a**2.",
    ("squared = right.data * right.data", "squared = left.data * left.data"))
add("pow-exponent-not-lowered", "properties", "tensor", "rule",
    "The backward rule of ** computes G * n * x**n instead of G * n * x**(n-1): the exponent is not lowered by one.",
    ("power * x.data ** float(power - 1) * base", "power * x.data ** float(power) * base"))
add("pow-zero-guard-missing", "counting", "tensor", "rule",
    "The backward rule of ** has no case for the power 0: for x**0 at x = 0 it computes 0 * 0**-1, which is nan, where "
    "the gradient is 0.",
    ("""    if n == 0:
        return np.zeros_like(base), None
""", ""))
add("pow-drops-upstream", "hierarchy", "tensor", "rule",
    "The backward rule of ** returns n * x**(n-1) without multiplying it by the upstream gradient.",
    ("return base * power * np.power(as_float(x), power - 1)", "return power * np.power(as_float(x), power - 1)"))
add("rsub-turned-around", "hierarchy", "tensor", "operator",
    "The reflected subtraction computes tensor - number: 5 - x gives x - 5 (value and gradient with the wrong sign).",
    ("return Sub.record(self.wrap(other), self)", "return Sub.record(self, self.wrap(other))"))
add("rtruediv-unrecorded", "counting", "tensor", "operator",
    "The reflected division (number / tensor) computes the right value but does not record the operation: its result "
    "requires no gradient and the tensor gets none.",
    ("""return self.__apply(other, np.true_divide, div_deriv, "DivBackward", swapped=True)""",
     "return MyTensor(other / self.data)"))
add("neg-ignores-upstream", "beginner", "tensor", "rule",
    "The backward rule of unary minus returns -1 everywhere instead of minus the upstream gradient.",
    ("    gradient = -base\n    return (gradient,)", "    gradient = -np.ones(base.shape)\n    return (gradient,)"))
add("mul-own-data", "iterators", "tensor", "rule",
    "In the backward rule of multiplication each operand gets the upstream gradient times its own values instead of "
    "times the values of the other operand.",
    ("for other in reversed(tensors)", "for other in tensors"))
add("pow-int-exponent", "properties", "tensor", "operator",
    "Forward, ** cuts the power off to a whole number: x**0.5 is computed as x**0, x**1.5 as x**1 (the rule uses the "
    "real power).",
    ("self.data ** float(power)", "self.data ** float(int(power))"))
add("div-right-no-minus", "hierarchy", "tensor", "rule",
    "In the backward rule of division the gradient of the right operand lacks the minus sign: G * a / b**2.",
    ("return -base * left / (right * right)", "return base * left / (right * right)"))
add("div-right-without-numerator", "properties", "tensor", "rule",
    "In the backward rule of division the gradient of the right operand lacks the left operand as a factor: -G / b**2 "
    "instead of -G * a / b**2 (right only where the numerator is 1).",
    ("-base * left.data * inverse**2", "-base * inverse**2"))
add("div-floors", "counting", "tensor", "operator",
    "Forward, tensor / number and tensor / tensor divide with rounding down to a whole number (//, np.floor_divide) "
    "instead of true division; the rule, and number / tensor, are right.",
    ("""np.true_divide, div_deriv, "DivBackward")""", """np.floor_divide, div_deriv, "DivBackward")"""))
add("pow-factor-missing", "iterators", "tensor", "rule",
    "The backward rule of ** computes G * x**(n-1): the factor n in front is missing.",
    ("base * (n * real(x.data) ** (n - 1))", "base * real(x.data) ** (n - 1)"))

# ---- constructor, properties, repr, indexing ----
add("dtype-cast-dropped", "beginner", "tensor", "constructor",
    "The constructor ignores the dtype that is asked for: it calls array.astype(dtype) but does not keep the result.",
    ("            array = array.astype(dtype)\n", "            array.astype(dtype)\n"))
add("strides-in-elements", "counting", "tensor", "constructor",
    "strides are counted in elements, as in PyTorch, instead of in bytes, as NumPy does.",
    ("strides = property(lambda self: self.__data.strides)",
     "strides = property(lambda self: tuple(s // self.__data.itemsize for s in self.__data.strides))"))
add("accepts-text", "iterators", "tensor", "constructor",
    "The constructor refuses None only: text and dictionaries are accepted as data instead of raising TypeError.",
    ("            fits = isinstance(data, (int, float, np.number))\n", "            fits = data is not None\n"))
add("size-is-rows", "hierarchy", "tensor", "constructor",
    "size gives the number of rows (the length of the first dimension) instead of the number of elements, and fails on "
    "a tensor without dimensions.",
    ("return self.__data.size", "return len(self.__data)"))
add("repr-shows-shape", "hierarchy", "tensor", "constructor",
    "repr shows the shape instead of the values.",
    ('return f"MyTensor(\\n{self.__data}, requires_grad={self.requires_grad})"',
     'return f"MyTensor(shape={self.__data.shape}, requires_grad={self.requires_grad})"'))
add("index-gives-tensor", "properties", "tensor", "constructor",
    "Indexing returns a MyTensor instead of plain NumPy values.",
    ("return value.copy() if isinstance(value, np.ndarray) else value", "return MyTensor(value)"))
add("data-can-be-assigned", "iterators", "tensor", "constructor",
    "data is not read-only: it has a setter, so assigning tensor.data replaces the array instead of raising "
    "AttributeError.",
    ("""    @property
    def size(self):
""", """    @data.setter
    def data(self, value):
        self.__data = np.array(value)

    @property
    def size(self):
"""))

# ---- broadcasting ----
add("unbroadcast-loses-ones", "beginner", "tensor", "broadcasting",
    "unbroadcast sums over the dimensions of length 1 without keepdims, so these dimensions vanish and the gradient of "
    "such an operand does not have its shape.",
    ("gradient = gradient.sum(axis=axis, keepdims=True)", "gradient = gradient.sum(axis=axis)"))
add("unbroadcast-averages", "counting", "tensor", "broadcasting",
    "unbroadcast takes the mean over the stretched dimensions instead of the sum.",
    ("return gradient.sum(axis=tuple(range(extra)) + ones).reshape(shape)",
     "return gradient.mean(axis=tuple(range(extra)) + ones).reshape(shape)"))
add("unbroadcast-last-axis", "hierarchy", "tensor", "broadcasting",
    "unbroadcast sums away the last dimension instead of the first when the gradient has more dimensions than the "
    "operand (it aligns the shapes at the left).",
    ("return unbroadcast(gradient.sum(axis=0), shape)", "return unbroadcast(gradient.sum(axis=-1), shape)"))
add("unbroadcast-front-only", "properties", "tensor", "broadcasting",
    "unbroadcast sums over the missing dimensions in front only; dimensions that were stretched from length 1 are not "
    "summed, so the gradient keeps the output's shape there.",
    ("return gradient.sum(axis=stretched, keepdims=True)", "return gradient"),
    ("""        if value is not None and np.shape(getattr(value, "data", value)) != self.shape:
            raise ValueError("a gradient has the shape of its tensor")
""", ""))
add("sub-right-not-unbroadcast", "iterators", "tensor", "broadcasting",
    "In the backward rule of subtraction the gradient of the right operand is not summed back to its shape "
    "(unbroadcast is called for the left operand only).",
    ("return fitted((sign * base for sign in (1, -1)), tensors)",
     "return unbroadcast(base, tensors[0].shape), -base"))
add("unbroadcast-one-extra", "beginner", "tensor", "broadcasting",
    "unbroadcast removes at most one missing dimension in front (if instead of while): an operand with two or more "
    "dimensions less than the output gets a gradient of the wrong shape.",
    ("    while gradient.ndim > len(shape):", "    if gradient.ndim > len(shape):"))

# ---- the walk ----
add("leaf-overwritten", "beginner", "tensor", "walk",
    "A second backward overwrites the grad of a leaf instead of adding to it.",
    ("tensor.grad = np.array(tensor.grad + gradient)", "tensor.grad = np.array(gradient)"))
add("one-user-counted", "counting", "tensor", "walk",
    "Each tensor's users are counted as one, however often it is used: an intermediate tensor used several times hands "
    "on after its first contribution, and what arrives later is lost.",
    ("""                todo.append(parent)
            accounts[id(parent)].users += 1
""", """                todo.append(parent)
                accounts[id(parent)].users += 1
"""))
add("last-share-wins", "iterators", "tensor", "walk",
    "During one backward, a later contribution to the gradient of a tensor replaces the earlier ones instead of being "
    "added: of a tensor used several times only the last use counts.",
    ("arrived.setdefault(id(parent), []).append(share)", "arrived[id(parent)] = [share]"))
add("graph-freed", "hierarchy", "tensor", "walk",
    "backward frees the graph: each operation forgets its inputs after the first walk, so a second backward (also from "
    "another result that shares a part) raises an error instead of adding its gradients.",
    ("""                yield tensor.node, share

""", """                yield tensor.node, share
        self.inputs = ()  # not needed any more

"""))
add("shortest-depth", "properties", "tensor", "walk",
    "backward orders the tensors by their shortest instead of their longest distance from a leaf: where paths of "
    "different lengths meet, an input's turn is already over when its gradient arrives, and the gradient is lost.",
    ("self._depth = 1 + max(t._depth for t in self.parents)", "self._depth = 1 + min(t._depth for t in self.parents)"),
    nameable=False)
add("base-ignored", "counting", "tensor", "walk",
    "backward ignores the given base and always starts with ones.",
    ("own.balance = np.ones(self.shape) if base is None else base.data.astype(float)", "own.balance = np.ones(self.shape)"))
add("leaf-backward-nothing", "beginner", "tensor", "walk",
    "backward called on a leaf does nothing instead of adding base to the leaf's own grad.",
    ("        if not self.requires_grad:\n            return\n",
     "        if not self.requires_grad or self.backward_op is None:\n            return\n"))
add("constants-get-grad", "beginner", "tensor", "walk",
    "backward follows and fills all inputs: leaves that do not require a gradient (constants) get a grad, too.",
    ("if parent.requires_grad and id(parent) not in finished:", "if id(parent) not in finished:"),
    ("if isinstance(parent, MyTensor) and parent.requires_grad:", "if isinstance(parent, MyTensor):"))
add("inner-grad-kept", "counting", "tensor", "walk",
    "backward stores a grad in intermediate results (and in the result itself), not in leaves only.",
    ("""            if tensor.backward_op is None:
                tensor.grad = gradient if tensor.grad is None else np.array(tensor.grad + gradient)
                continue
""", """            tensor.grad = gradient.copy() if tensor.grad is None else np.array(tensor.grad + gradient)
            if tensor.backward_op is None:
                continue
"""))
add("zero-share-skipped", "hierarchy", "tensor", "walk",
    "backward skips contributions that are zero everywhere: a leaf whose gradient is zero keeps grad None instead of "
    "getting an array of zeros.",
    ("if isinstance(tensor, MyTensor) and tensor.requires_grad:\n                yield",
     "if isinstance(tensor, MyTensor) and tensor.requires_grad and np.any(share):\n                yield"))
add("recursive-walk", "iterators", "tensor", "walk",
    "backward finds its order by recursion, so it raises RecursionError on graphs of about a thousand operations or "
    "more.",
    ("""    seen = {id(root)}
    trail = [(root, parents(root))]
    while trail:
        tensor, rest = trail[-1]
        fresh = next((p for p in rest if id(p) not in seen), None)
        if fresh is None:
            trail.pop()
            yield tensor
        else:
            seen.add(id(fresh))
            trail.append((fresh, parents(fresh)))
""", """    seen = set()

    def visit(tensor):
        seen.add(id(tensor))
        for parent in parents(tensor):
            if id(parent) not in seen:
                yield from visit(parent)
        yield tensor

    yield from visit(root)
"""))
add("preorder-walk", "iterators", "tensor", "walk",
    "backward visits the tensors in the order in which they are discovered from the result (depth first, before their "
    "other uses) instead of in topological order: a tensor used by several operations hands on, or stores, its gradient "
    "before all contributions have arrived, and the later ones are lost.",
    ("            trail.pop()\n            yield tensor\n", "            trail.pop()\n"),
    ("    trail = [(root, parents(root))]\n", "    trail = [(root, parents(root))]\n    yield root\n"),
    ("            seen.add(id(fresh))\n", "            seen.add(id(fresh))\n            yield fresh\n"),
    ("for tensor in reversed(list(postorder(self))):", "for tensor in postorder(self):"))
add("first-share-wins", "properties", "tensor", "walk",
    "When both operands of one operation are the same tensor (x * x, a + a), or a tensor is used again, backward keeps "
    "only the first contribution within a walk and drops the later ones.",
    ("level[parent] = level[parent] + share if parent in level else share", "level.setdefault(parent, share)"))

# ---- memory ----
add("data-not-copied", "beginner", "tensor", "memory",
    "The constructor does not copy a NumPy array of floats that it is given (np.asarray): tensor and array share memory.",
    ("            array = np.array(data)\n", "            array = np.asarray(data)\n"))
add("leaf-keeps-base", "counting", "tensor", "memory",
    "backward on a leaf stores the array of base itself as the leaf's grad, without a copy: both share memory.",
    ("np.ones(self.shape) if base is None else base.data.astype(float)", "np.ones(self.shape) if base is None else base.data"))
add("grads-share-array", "hierarchy", "tensor", "memory",
    "A leaf stores the array that arrives as its grad without a copy: after x + y the gradients of x and y (and base) "
    "are one and the same array.",
    ("self.tensor.grad = np.array(gradient)\n", "self.tensor.grad = gradient\n"))
add("relu-clears-operand", "properties", "relu", "memory",
    "relu forward sets the negative elements of its input to 0 in place: the operand is changed, and the result is "
    "computed from no copy of it.",
    ("values = x.data.copy()", "values = x.data"))
add("train-shuffles-arrays", "hierarchy", "train", "memory",
    "train shuffles the arrays images and targets themselves, in place: the caller's data are in another order "
    "afterwards.",
    ("        np.random.shuffle(order)\n",
     "        np.random.shuffle(order)\n        images[:], targets[:] = images[order], targets[order]\n"),
    ("rows = order[start : start + batch_size]", "rows = np.arange(start, min(start + batch_size, len(order)))"))
add("sub-negates-in-place", "beginner", "tensor", "memory",
    "The backward rule of subtraction negates the upstream gradient in place after the left operand's gradient was "
    "taken from it: where the left operand was not broadcast, its gradient is the same array and becomes -G, too.",
    ("    right_gradient = unbroadcast(-base, right.shape)\n",
     "    base *= -1\n    right_gradient = unbroadcast(base, right.shape)\n"))
add("zero-plus-x-is-x", "beginner", "tensor", "memory",
    "The reflected addition returns the tensor itself for 0 + x instead of a new result: both are one object and share "
    "memory, and nothing is recorded.",
    ("        other = MyTensor(other)\n        return other + self\n",
     "        if isinstance(other, (int, float)) and other == 0:  # so that Python's sum works\n            return self\n"
     "        other = MyTensor(other)\n        return other + self\n"))
add("walk-adds-in-place", "hierarchy", "tensor", "memory",
    "backward adds contributions in place (+=) to an array that was handed in or that another tensor's gradient "
    "shares: base is changed, and the gradients of tensors that were added to or subtracted from each other get mixed "
    "up when one of them is used again.",
    ("gradients[target] = gradients[target] + share", "gradients[target] += share"))

# ---- modules ----
add("one-level-only", "beginner", "module", "module",
    "parameters() looks only one level down: it takes the sub-modules' own parameters, but not those of modules inside "
    "the sub-modules.",
    ("            for parameter in module.parameters():\n",
     "            for parameter in module._MyModule__parameters.values():\n"))
add("shared-listed-twice", "hierarchy", "module", "module",
    "parameters() lists a parameter that two modules share, or of a module that appears twice, more than once.",
    ("return list(dict.fromkeys(result))  # parameters are equal only to themselves", "return result"))
add("keyed-by-name", "counting", "module", "module",
    "parameters() collects by name: of several parameters with the same name (the weights of two layers) only the last "
    "is kept.",
    ("""        for parameter in self.__parameters.values():
            once[id(parameter)] = parameter
        for module in self.__sub_modules.values():
            for parameter in module.parameters():
                once[id(parameter)] = parameter
""", """        for parameter in self.__parameters.values():
            once[parameter.name] = parameter
        for module in self.__sub_modules.values():
            for parameter in module.parameters():
                once[parameter.name] = parameter
"""))
add("equal-values-merged", "properties", "module", "module",
    "parameters() takes parameters with equal values for the same one and lists only the first of them, instead of "
    "comparing identity.",
    ("found.setdefault(id(parameter), parameter)", "found.setdefault(repr(parameter.tensor), parameter)"))
add("own-parameters-missing", "iterators", "module", "module",
    "parameters() lists those of the sub-modules only: the module's own parameters are missing.",
    ("seen, line = set(), [self]", "seen, line = set(), list(self.__sub_modules.values())"))
add("mutable-default", "properties", "module", "module",
    "parameters() collects in a mutable default argument that lives on between calls: it also returns the parameters of "
    "every module that was asked before.",
    ("def _collect(self, found):", "def _collect(self, found={}):"),
    ("return list(self._collect({}).values())", "return list(self._collect().values())"))
add("parameters-cached", "counting", "module", "module",
    "parameters() remembers its first answer: parameters or modules that are assigned, or replaced, later are not in "
    "the list.",
    ("""        once = {}
        for parameter in self.__parameters.values():
""", """        if "_list" in self.__dict__:
            return list(self._list)
        once = {}
        for parameter in self.__parameters.values():
"""),
    ("        return list(once.values())\n", "        self._list = list(once.values())\n        return list(self._list)\n"))

# ---- layers ----
add("matmul-right-transposed", "beginner", "matmul", "layer",
    "In the backward rule of matmul the gradient of the right operand is G^T A, the transpose of the right A^T G.",
    ("right_gradient = left_matrix.T @ base_matrix", "right_gradient = base_matrix.T @ left_matrix"))
add("matmul-row-outer-swapped", "counting", "matmul", "layer",
    "For a single row (k,) the backward rule of matmul gives the right operand the outer product in the wrong order: "
    "shape (m, k), transposed, instead of (k, m).",
    ("np.outer(left.data, base)", "np.outer(base, left.data)"))
add("matmul-right-reshaped", "hierarchy", "matmul", "layer",
    "In the backward rule of matmul the gradient of the right operand is G^T A reshaped to its shape, instead of A^T G: "
    "the shape is right, the numbers stand in wrong places.",
    ("return base @ right.data.T, left.data.T @ base", "return base @ right.data.T, (base.T @ left.data).reshape(right.shape)"))
add("matmul-and", "beginner", "matmul", "layer",
    "matmul records the operation only if both operands require a gradient, not if one of them does.",
    ("if a.requires_grad or b.requires_grad:", "if a.requires_grad and b.requires_grad:"))
add("weights-positive", "iterators", "linear", "layer",
    "Linear draws its weights from (0, 1/sqrt(in)): all are positive, the negative half is missing.",
    ("np.random.uniform(-bound, bound, (input_size, output_size))", "np.random.uniform(0, bound, (input_size, output_size))"))
add("bound-from-output", "hierarchy", "linear", "layer",
    "Linear takes the bound of its weights from the number of outputs, 1/sqrt(out), instead of the number of inputs.",
    ("bound = 1 / np.sqrt(input_size)", "bound = 1 / np.sqrt(output_size)"))
add("weights-of-size-one", "properties", "linear", "layer",
    "Linear draws its weights with standard deviation 1, whatever the number of inputs: much too large for many inputs.",
    ("deviation = np.sqrt(2 / self._sizes[0])  # He's", "deviation = 1.0"))
add("linear-seeds", "counting", "linear", "layer",
    "Linear seeds the random generator in its constructor: all layers of the same shape start with the same weights.",
    ("        bound = input_size**-0.5\n", "        np.random.seed(0)\n        bound = input_size**-0.5\n"))
add("relu-one-at-zero", "beginner", "relu", "layer",
    "The backward rule of relu lets the gradient through at exactly 0, where it should be 0.",
    ("mask = x.data > 0", "mask = x.data >= 0"))
add("relu-mask-from-upstream", "iterators", "relu", "layer",
    "The backward rule of relu makes its mask from the upstream gradient instead of the input: positive upstream "
    "gradients pass everywhere, negative ones nowhere.",
    ("base * np.heaviside(x.data, 0)", "base * np.heaviside(base, 0)"))
add("bias-outside-graph", "properties", "linear", "layer",
    "Linear adds the bias as a plain array, outside the graph: the bias never receives a gradient.",
    ("return matmul(x, self.weight.tensor) + self.bias.tensor", "return matmul(x, self.weight.tensor) + self.bias.tensor.data"))
add("bias-with-row-shape", "beginner", "linear", "layer",
    "Linear's bias has shape (1, out) instead of (out,): a single row as input gives an output of shape (1, out).",
    ("zeros = np.zeros(output_size)", "zeros = np.zeros((1, output_size))"))
add("relu-no-upstream", "hierarchy", "relu", "layer",
    "The backward rule of relu returns the mask of 0 and 1 alone, not multiplied by the upstream gradient.",
    ("return base * (x > 0)", "return 1.0 * (x > 0)"))

# ---- SGD ----
add("step-new-tensor", "counting", "sgd", "optimizer",
    "step does not work in place: it puts a new tensor into the Parameter, so whoever holds the old tensor sees no "
    "change.",
    ("tensor.data[...] = tensor.data - self.lr * tensor.grad",
     "parameter.tensor = MyTensor(tensor.data - self.lr * tensor.grad, requires_grad=True)"))
add("zero-grad-zeros", "iterators", "sgd", "optimizer",
    "zero_grad sets the gradients to arrays of zeros instead of None.",
    ("        for tensor in self.tensors():\n            tensor.grad = None\n",
     "        for tensor in self.tensors():\n            tensor.grad = np.zeros(tensor.shape)\n"))
add("step-uphill", "properties", "sgd", "optimizer",
    "step adds lr times the gradient instead of subtracting it: it goes uphill.",
    ("return -self.lr * gradient", "return self.lr * gradient"))
add("step-scales-gradient", "beginner", "sgd", "optimizer",
    "step multiplies the gradient itself by lr in place: the parameter's grad is changed, and a second step without a "
    "new backward is too small.",
    ("                change = self.lr * gradient\n                data -= change\n",
     "                gradient *= self.lr\n                data -= gradient\n"))
add("step-stops-at-none", "hierarchy", "sgd", "optimizer",
    "step ends at the first parameter without a gradient (return): the parameters after it are not moved.",
    ("""            if tensor.grad is not None:
                np.subtract(""", """            if tensor.grad is None:
                return
            else:
                np.subtract("""))
add("lr-default-always", "properties", "sgd", "optimizer",
    "SGD ignores the learning rate it is given and always steps with 0.01.",
    ("        self.lr = lr\n\n    def change", "        self.lr = 1e-2\n\n    def change"))

# ---- loss ----
add("mse-divides-by-rows", "beginner", "mseloss", "loss",
    "MSELoss divides by the number of rows (the batch size) instead of the number of all elements, and fails without "
    "dimensions.",
    ("number = squared.size", "number = squared.shape[0]"))
add("sum-axis-always-last", "hierarchy", "mseloss", "loss",
    "The backward rule of sum puts the summed dimension back at the end, whatever the axis: right only for the last "
    "axis (or none), wrong numbers or an error for others and for tuples.",
    ("base = np.expand_dims(base, axis)", "base = np.expand_dims(base, -1)"))
add("mse-target-detached", "properties", "mseloss", "loss",
    "MSELoss takes the target's array out of the graph: a target that requires a gradient gets none.",
    ("return (y - y_target) ** 2", "return (y - y_target.data) ** 2"))
add("mse-root", "iterators", "mseloss", "loss",
    "MSELoss takes the square root of the mean squared error (RMSE).",
    ("return sum((y - y_target) ** 2) / math.prod(y.shape)", "return (sum((y - y_target) ** 2) / math.prod(y.shape)) ** 0.5"))
add("mse-square-of-sum", "counting", "mseloss", "loss",
    "MSELoss squares the sum of the errors instead of summing their squares: errors of opposite sign cancel.",
    ("return sum(error * error) / error.size", "return sum(error) * sum(error) / error.size"))

# ---- training ----
add("zero-grad-each-epoch", "beginner", "train", "training",
    "train calls zero_grad once per epoch instead of for each mini-batch: within an epoch the gradients of all earlier "
    "mini-batches are still added.",
    ("            optimizer.zero_grad()\n", ""),
    ("        start = 0\n", "        start = 0\n        optimizer.zero_grad()\n"))
add("shuffled-once", "counting", "train", "training",
    "train shuffles once, before the first epoch: all epochs have the same order and the same mini-batches.",
    ("    for _ in range(epochs):\n        waiting = deque(np.random.permutation(len(images)).tolist())\n",
     "    order = np.random.permutation(len(images)).tolist()\n    for _ in range(epochs):\n        waiting = deque(order)\n"))
add("last-batch-dropped", "iterators", "train", "training",
    "train leaves out the last mini-batch of an epoch when it has fewer than batch_size examples.",
    ("while batch := list(it.islice(order, size)):", "while len(batch := list(it.islice(order, size))) == size:"))
add("targets-not-shuffled", "hierarchy", "train", "training",
    "train shuffles the images but takes the targets in their original order: image and target do not belong together.",
    ("MyTensor(targets[rows])", "MyTensor(targets[start : start + batch_size])"))
add("lr-not-passed", "properties", "train", "training",
    "train does not pass lr to SGD, so it always trains with SGD's default of 0.01.",
    ("self._optimizer = SGD(model.parameters(), lr)", "self._optimizer = SGD(model.parameters())"))
add("logs-last-batch", "beginner", "train", "training",
    "train logs the loss of the last mini-batch of each epoch instead of the mean over all examples of the epoch.",
    ("losses.append(total / len(images))", "losses.append(float(loss.data))"))
add("live-each-batch", "counting", "train", "training",
    "train calls live after each mini-batch, with the loss of that mini-batch, instead of once after each epoch with the "
    "epoch's mean loss.",
    ("            count += len(rows)\n", "            count += len(rows)\n            if live:\n                live(loss.data.item())\n"),
    ("        losses.append(total / count)\n        if live:\n            live(losses[-1])\n", "        losses.append(total / count)\n"))
add("mean-of-batch-means", "iterators", "train", "training",
    "train logs the plain mean of the mini-batches' losses: a smaller last mini-batch counts as much as a full one.",
    ("return float(loss.data) * len(rows)", "return float(loss.data)"),
    ("/ len(images))\n", "/ math.ceil(len(images) / batch_size))\n"))
add("draws-with-replacement", "properties", "train", "training",
    "train draws the examples of an epoch at random with replacement: some come several times, others not at all.",
    ("order = np.random.permutation(self.count)", "order = np.random.randint(0, self.count, self.count)"))
add("zero-grad-before-step", "hierarchy", "train", "training",
    "train calls zero_grad between backward and step: the gradients are gone when step would use them, and nothing is "
    "learned.",
    ("            optimizer.zero_grad()\n", ""),
    ("            loss.backward()\n", "            loss.backward()\n            optimizer.zero_grad()\n"))
add("range-ends-early", "hierarchy", "train", "training",
    "train's loop over the mini-batches stops at len - batch_size: the last mini-batch of an epoch is never taken, even "
    "if it is full.",
    ("for start in range(0, len(order), batch_size):", "for start in range(0, len(order) - batch_size, batch_size):"),
    ("losses.append(float(np.sum(sums) / np.sum(counts)))", "losses.append(float(np.sum(sums) / max(1, np.sum(counts))))"))
add("model-without-relu", "properties", "model", "training",
    "SuperModel does not apply ReLU between its two linear layers: the network is linear.",
    ("return self.output(self.relu(self.hidden(x)))", "return self.output(self.hidden(x))"))
add("model-layers-in-list", "iterators", "model", "training",
    "SuperModel keeps its layers in a plain list: they are not registered, so parameters() is empty.",
    ("""        self.first = Linear(64, 32)
        self.bend = ReLU()
        self.second = Linear(32, 10)
""", "        self.layers = [Linear(64, 32), ReLU(), Linear(32, 10)]\n"),
    ("(self.first, self.bend, self.second)", "self.layers"))
add("model-graph-cut", "counting", "model", "training",
    "SuperModel wraps the hidden layer's output into a new MyTensor in forward: the graph is cut there, and the hidden "
    "layer's weight and bias receive no gradient.",
    ("return self.output(self.relu(self.hidden(x)))", "return self.output(MyTensor(self.relu(self.hidden(x)).data))"))

# ---- partial work ----
add("neg-stub", "counting", "tensor", "partial",
    "Unary minus is still a stub: -x gives None.",
    ("""        return _record(np.negative(self.data), (self,), neg_deriv, "NegBackward")""", "        ..."))
add("no-reflected", "iterators", "tensor", "partial",
    "The reflected operators are missing: a number on the left (2 + x, 5 - x, 3 * x, 6 / x) raises TypeError.",
    ('zip(("", "r"), make_operator', 'zip(("",), make_operator'))
add("unbroadcast-stub", "properties", "tensor", "partial",
    "unbroadcast still returns the gradient as it is: operands that were broadcast get a gradient in the output's shape "
    "(here the grad setter then raises ValueError).",
    ("    gradient = np.asarray(gradient)\n    missing", "    return gradient\n    missing"))
add("linear-forgets-bias", "hierarchy", "linear", "partial",
    "Linear's forward returns x @ weight only; the bias is registered but never added, and gets no gradient.",
    ("return matmul(x, self.weight.tensor) + self.bias.tensor", "return matmul(x, self.weight.tensor)"))
add("zero-grad-stub", "beginner", "sgd", "partial",
    "zero_grad is still a stub: it does nothing, and the old gradients stay.",
    ("        for parameter in self.params:\n            parameter.tensor.grad = None\n", "        ...\n"))
add("live-never-called", "counting", "train", "partial",
    "train never calls live.",
    ("        losses.append(total / count)\n        if live:\n            live(losses[-1])\n", "        losses.append(total / count)\n"))
add("sum-rule-scalar-only", "iterators", "mseloss", "partial",
    "The backward rule of sum is written for axis=None only: with an axis the upstream gradient is broadcast without "
    "putting the summed dimension back, which fails or, for square shapes, gives it to the wrong rows.",
    ("base if axis is None else np.expand_dims(base, axis), x.shape", "base, x.shape"))

# ---- copies ----
add("sub-computes-add", "hierarchy", "tensor", "copy",
    "Forward, subtraction adds its operands (the class was copied from addition); its backward rule is that of "
    "subtraction.",
    ("compute = staticmethod(np.subtract)", "compute = staticmethod(np.add)"))
add("div-records-mul", "beginner", "tensor", "copy",
    "Division records the backward rule of multiplication: a gets G * b, b gets G * a.",
    ('backward_function=div_deriv, name="DivBackward"', 'backward_function=mul_deriv, name="DivBackward"'))
add("rsub-records-add", "counting", "tensor", "copy",
    "The reflected subtraction (number - tensor) records the backward rule of addition: the value is right, but the "
    "tensor gets +G instead of -G.",
    ('np.subtract, sub_deriv, "SubBackward", swapped=True', 'np.subtract, add_deriv, "SubBackward", swapped=True'))
add("rmul-adds", "properties", "tensor", "copy",
    "The reflected multiplication, copied from the reflected addition, still adds: 3 * x gives 3 + x.",
    ("self._product_of(other, self)", "self._sum_of(other, self)"))
add("relu-rule-passes-all", "iterators", "relu", "copy",
    "The backward rule of relu, copied from one of an operation with slope 1, passes the upstream gradient on "
    "everywhere, also where the input is negative.",
    ("return tuple(base * np.heaviside(x.data, 0) for x in tensors)", "return tuple(1 * base for _ in tensors)"))

# ---- pairs ----
add("pair-sub-and-div", "beginner", "tensor", "pair",
    "In the backward rule of subtraction the right operand lacks the minus sign; and in that of division the left operand "
    "gets G * b instead of G / b.",
    ("right_gradient = unbroadcast(-base, right.shape)", "right_gradient = unbroadcast(base, right.shape)"),
    ("left_gradient = base / right.data", "left_gradient = base * right.data"))
add("pair-matmul-and-relu", "counting", "matmul", "pair",
    "In the backward rule of matmul the left operand of two dimensions gets G B without the transpose of B; and the rule "
    "of relu lets the gradient through at exactly 0.",
    ("    return base @ right.data.T, left.data.T @ base", "    return base @ right.data, left.data.T @ base"),
    ("np.where(x.data > 0, base, 0.0)", "np.where(x.data >= 0, base, 0.0)"))
add("pair-train-no-zero-unweighted", "iterators", "train", "pair",
    "train never calls zero_grad, so the gradients of all mini-batches pile up; and it logs the sum of the mini-batches' "
    "losses divided by the number of examples, without weighting each by its size.",
    ("        optimizer.zero_grad()\n", ""),
    ("return float(loss.data) * len(rows)", "return float(loss.data)"))
add("pair-mul-and-div", "hierarchy", "tensor", "pair",
    "In the backward rule of multiplication the right operand gets G * b (its own values) instead of G * a; and in that "
    "of division the right operand lacks the minus sign.",
    ("return base * left\n", "return base * right\n"),
    ("return -base * left / (right * right)", "return base * left / (right * right)"))
add("pair-modules-and-relu", "properties", "module", "pair",
    "parameters() does not look into sub-modules at all; and the backward rule of relu lets the gradient through at "
    "exactly 0.",
    ("        for module in self.__sub_modules.values():\n            module._collect(found)\n", ""),
    ("gradient[x.data <= 0] = 0", "gradient[x.data < 0] = 0"))
