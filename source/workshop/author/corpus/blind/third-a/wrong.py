"""Wrong solutions: each a small change to one of the right ones."""
from corpus.entry import Blind

WRONG = []


def add(name, style, section, kind, truth, *changes, nameable=True):
    WRONG.append(Blind(name, style, section, kind, truth, tuple(changes), nameable))


# ---------------------------------------------------------------- rules and operators

add("pow-rule-bare-array", "careful", "tensor", "rule",
    "The backward rule of ** returns the bare array instead of a tuple (gradient, None), so backward through a power "
    "other than 0 raises TypeError.",
    ("    return base * power * tensor.data ** (power - 1), None", "    return base * power * tensor.data ** (power - 1)"))

add("neg-rule-bare-array", "tape", "tensor", "rule",
    "The backward rule of unary minus returns the array itself instead of a tuple with one gradient, so the walk takes "
    "the first row of -upstream as the gradient of the operand (and a scalar raises TypeError).",
    ("    return (0 - base,)", "    return 0 - base"))

add("neg-rule-uses-input", "arrays", "tensor", "rule",
    "Backward of unary minus: the operand receives minus its own values (-x) instead of minus the upstream gradient.",
    ("lambda g, x: (-g,), self)", "lambda g, x: (-x,), self)"))

add("mul-rule-overwrites-base", "careful", "tensor", "rule",
    "Backward of *: the rule overwrites base with upstream * right before it computes the right operand's gradient, so the "
    "right operand receives upstream * left * right instead of upstream * left.",
    ("    return unbroadcast(base * right.data, left.shape), unbroadcast(base * left.data, right.shape)",
     "    base = base * right.data\n    return unbroadcast(base, left.shape), unbroadcast(base * left.data, right.shape)"))

add("mul-saves-on-class", "functions", "tensor", "rule",
    "Backward of *: forward saves the operands on the class Mul instead of on the node, so every multiplication "
    "differentiates with the operands of the multiplication that was computed last.",
    ("        ctx.save(a, b)\n        return a * b", "        Mul.saved = (a, b)\n        return a * b"),
    ("        a, b = ctx.saved\n        return unbroadcast(g * b, a.shape)", "        a, b = Mul.saved\n        return unbroadcast(g * b, a.shape)"),
    nameable=False)

add("div-right-without-numerator", "arrays", "tensor", "rule",
    "Backward of /: the right operand receives -upstream / right**2, the numerator is missing as a factor.",
    ("lambda g, a, b: -g * a / b**2", "lambda g, a, b: -g / b**2"))

add("div-right-squares-numerator", "tape", "tensor", "rule",
    "Backward of /: the right operand's gradient divides by the square of the left operand instead of the right one "
    "(upstream * -left / left**2).",
    ("-left.data / np.square(right.data)", "-left.data / np.square(left.data)"))

add("pow-precedence", "closures", "tensor", "rule",
    "Backward of **: the parentheses around n - 1 are missing, so the slope is n * x**n - 1 instead of n * x**(n - 1).",
    ("slope = n * self.data ** (n - 1) if", "slope = n * self.data ** n - 1 if"))

add("pow-guards-the-base", "tape", "tensor", "rule",
    "Backward of **: the special case asks whether x is 0 instead of whether the power is 0, so wherever x is 0 the gradient "
    "is 0 also for x**1, where it is the upstream gradient.",
    ("    if power == 0:\n        return base * 0.0, None\n    return base * tensor.data ** (power - 1) * power, None",
     "    safe = np.where(tensor.data == 0, 1, tensor.data)\n"
     "    return base * np.where(tensor.data == 0, 0.0, safe ** (power - 1.0) * power), None"))

add("pow-int-exponent", "functions", "tensor", "operator",
    "** converts the power to an int, so a fractional power is cut off, in the value and in the gradient: x**0.5 is "
    "computed as x**0 and x**2.5 as x**2.",
    ("        return Pow.apply(self, n)", "        return Pow.apply(self, int(n))"))

add("rmul-returns-nothing", "tape", "tensor", "operator",
    "__rmul__ has no return, so number * tensor gives None.",
    ('    def __rmul__(self, other):\n        return binary("*", other, self)', '    def __rmul__(self, other):\n        binary("*", other, self)'))

add("rtruediv-by-negative-power", "closures", "tensor", "operator",
    "__rtruediv__ computes other * self ** -1, which raises ValueError for number / tensor where the tensor holds whole "
    "numbers, because NumPy refuses negative powers of integers.",
    ("        return as_tensor(other) / self", "        return as_tensor(other) * self ** -1"))

add("div-old-name", "arrays", "tensor", "operator",
    "The division operator is named __div__ (Python 2) instead of __truediv__, so tensor / tensor and tensor / number raise "
    "TypeError (number / tensor still works).",
    ('    __truediv__ = lambda self, other: elementwise("Div", self, other)', '    __div__ = lambda self, other: elementwise("Div", self, other)'))

add("wraps-only-int", "careful", "tensor", "operator",
    "The binary operators wrap only an int operand in a MyTensor; a float operand, as in x * 0.5 or 0.5 - x, raises "
    "AttributeError because a float has no data.",
    ("        if not isinstance(other, MyTensor):\n            other = MyTensor(other)", "        if isinstance(other, int):\n            other = MyTensor(other)"))

add("result-keeps-int-dtype", "careful", "tensor", "operator",
    "The unrecorded result of + - * / is forced to the dtype of the tensor whose method is called, so a whole-number tensor "
    "with a fraction gives a result cut off to integers (MyTensor([1, 2]) / 2 gives [0, 1]).",
    ("        return MyTensor(values)\n\n    def __add__", "        return MyTensor(values, dtype=self.dtype)\n\n    def __add__"))

add("records-only-if-last-needs", "functions", "tensor", "operator",
    "Every recorded operation decides with its last tensor operand only whether the result requires a gradient: the loop "
    "overwrites the flag, so x * constant or x + 1 is not recorded while constant * x is.",
    ("            if isinstance(a, MyTensor) and a.requires_grad:\n                needs = True",
     "            if isinstance(a, MyTensor):\n                needs = a.requires_grad"))

add("pow-parent-mixed-up", "arrays", "tensor", "rule",
    "Backward of **: the parameter names of the rule are in the wrong order (g, n, x), so the gradient is "
    "upstream * x * n**(x - 1) instead of upstream * n * x**(n - 1).",
    ("slope = lambda g, x, n: (g", "slope = lambda g, n, x: (g"),
    ("(n - 1 if n else 1), None)", "(n - 1), None)"))

# ---------------------------------------------------------------- constructor, properties, indexing

add("strides-without-property", "careful", "tensor", "constructor",
    "strides lacks its @property decorator, so tensor.strides is a bound method instead of a tuple.",
    ("    @property\n    def strides(self)", "    def strides(self)"))

add("repr-prints", "tape", "tensor", "constructor",
    "__repr__ prints the text and returns nothing, so repr(tensor) and str(tensor) raise TypeError.",
    ('        return f"MyTensor({values}, requires_grad={self.requires_grad})"', '        print(f"MyTensor({values}, requires_grad={self.requires_grad})")'))

add("dtype-is-the-argument", "careful", "tensor", "constructor",
    "tensor.dtype is the dtype argument of the constructor instead of the array's dtype, so it is None when none was asked "
    "for.",
    ("        self.dtype = array.dtype", "        self.dtype = dtype"))

add("size-is-len", "closures", "tensor", "constructor",
    "size is len of the array, the number of rows instead of the number of elements; for a scalar tensor it raises TypeError.",
    ("size = property(lambda self: self.__data.size)", "size = property(lambda self: len(self.__data))"))

add("grad-starts-as-zero", "functions", "tensor", "constructor",
    "grad of a new tensor is 0.0 instead of None.",
    ("        self.grad = None\n        self.backward_op = crossOpBack", "        self.grad = 0.0\n        self.backward_op = crossOpBack"))

add("data-returns-copy", "arrays", "tensor", "constructor",
    "The data property returns a copy of the array instead of the array itself, so writing into tensor.data does not change "
    "the tensor.",
    ("    def data(self):\n        return self.__data", "    def data(self):\n        return self.__data.copy()"))

add("getitem-gives-tensor", "functions", "tensor", "constructor",
    "Reading by index returns a new MyTensor instead of plain NumPy values.",
    ("        return self.data[key]", "        return MyTensor(self.data[key])"))

add("setitem-wrong-name", "closures", "tensor", "constructor",
    "Writing by index is named __setItem__ instead of __setitem__, so tensor[0] = 5 raises TypeError.",
    ("    def __setitem__(self, where, value):", "    def __setItem__(self, where, value):"))

add("text-raises-valueerror", "tape", "tensor", "constructor",
    "The constructor raises ValueError instead of TypeError for data that is not numeric (None, a dictionary, text).",
    ('raise TypeError(f"MyTensor needs numbers, not {data!r}")', 'raise ValueError(f"MyTensor needs numbers, not {data!r}")'))

# ---------------------------------------------------------------- broadcasting

add("unbroadcast-return-in-loop", "careful", "tensor", "broadcasting",
    "unbroadcast has its return inside the loop over the shape, so only the first axis is looked at (a stretched later axis, "
    "as of shape (2, 1), is not summed), and for an operand of shape () it returns None.",
    ("            gradient = gradient.sum(axis=axis, keepdims=True)\n    return gradient",
     "            gradient = gradient.sum(axis=axis, keepdims=True)\n        return gradient"))

add("unbroadcast-axis-in-if", "tape", "tensor", "broadcasting",
    "unbroadcast advances its axis counter only inside the if, so with a shape like (2, 1) it sums over axis 0 instead of "
    "axis 1: the axis counter lags behind every axis that was not stretched.",
    ("keepdims=True)\n        axis += 1", "keepdims=True)\n            axis += 1"))

add("unbroadcast-means-front", "arrays", "tensor", "broadcasting",
    "unbroadcast averages over the extra dimensions in front instead of summing over them, so an operand of shape (3,) that "
    "met (2, 3), or a number's shape (), gets the mean of its paths.",
    ("    g = g.sum(tuple(range(g.ndim - len(shape))))", "    g = g.mean(tuple(range(g.ndim - len(shape))))"))

add("unbroadcast-aligned-left", "functions", "tensor", "broadcasting",
    "unbroadcast pads the operand's shape with ones at the right instead of at the left, so an operand of shape (3,) that "
    "met (3, 3) is summed over the wrong axis, and one that met (2, 3) raises ValueError in reshape.",
    ("    padded = (1,) * (gradient.ndim - len(shape)) + tuple(shape)", "    padded = tuple(shape) + (1,) * (gradient.ndim - len(shape))"))

add("unbroadcast-first-stretched-only", "closures", "tensor", "broadcasting",
    "The undoing of broadcasting sums only over the first stretched axis of length 1, so an operand of shape (1, 1) that met "
    "(2, 3) gets a gradient of shape (1, 3).",
    ("array.sum(axis=stretched, keepdims=True)", "array.sum(axis=stretched[0], keepdims=True)"))

# ---------------------------------------------------------------- the walk

add("walk-preorder", "arrays", "tensor", "walk",
    "backward visits the tensors in depth-first pre-order (as they are discovered) instead of a topological order, so a tensor "
    "that is used by several operations may hand on (or, a leaf, store) its gradient before all contributions have arrived, and the "
    "late ones are lost: in a + (a + b) a gets 1 instead of 2.",
    ("        order, seen, path = [], {self}, [(self, iter(self.parents()))]", "        order, seen, path = [self], {self}, [(self, iter(self.parents()))]"),
    ("                order.append(node)\n                path.pop()", "                path.pop()"),
    ("                seen.add(child)\n", "                seen.add(child)\n                order.append(child)\n"),
    ("        for node in reversed(order):", "        for node in order:"))

add("seen-mutable-default", "closures", "tensor", "walk",
    "backward keeps the set of visited tensors in a mutable default argument, so it survives the call: a second backward of the "
    "same result adds nothing, and tensors visited in an earlier walk (or new ones with a reused id) get no further gradient.",
    ("    def backward(self, base=None):", "    def backward(self, base=None, seen=set()):"),
    ("        order, seen, todo = [], set(), [(self, False)]", "        order, todo = [], [(self, False)]"))

add("grad-truth-value", "careful", "tensor", "walk",
    "backward asks `if not tensor.grad` instead of `is None`, so a second gradient for a leaf with more than one element raises "
    "ValueError (the truth value of an array is ambiguous).",
    ("                if tensor.grad is None:", "                if not tensor.grad:"))

add("heap-without-tiebreak", "functions", "tensor", "walk",
    "backward's heap holds (level, tensor) without a tie-breaker, so two different tensors on the same level, as the leaves a and "
    "b of a + b, are compared with < and raise TypeError.",
    ("        heap = [(-self.level, next(ticket), self)]", "        heap = [(-self.level, self)]"),
    ("            _, _, tensor = heapq.heappop(heap)", "            _, tensor = heapq.heappop(heap)"),
    ("heapq.heappush(heap, (-parent.level, next(ticket), parent))", "heapq.heappush(heap, (-parent.level, parent))"))

add("heap-pushed-each-time", "functions", "tensor", "walk",
    "backward pushes a tensor on the heap for each contribution instead of only for the first one, so a tensor that is used "
    "twice is taken twice and the second time raises KeyError.",
    ("                    waiting[id(parent)] = share\n                    heapq.heappush(", "                    waiting[id(parent)] = share\n                heapq.heappush("))

add("saved-freed-after-walk", "functions", "tensor", "walk",
    "An operation forgets its saved operands after the first backward, so a second backward through it (also from another result "
    "that shares it) raises ValueError.",
    ("        return self.backward_function(self, upstream)",
     "        gradients = self.backward_function(self, upstream)\n        self.saved = ()\n        return gradients"))

add("tape-break", "tape", "tensor", "walk",
    "backward leaves the loop (break instead of continue) as soon as it meets an operation recorded after this result, so if "
    "anything was computed later the leaves get no gradient and the result itself keeps one.",
    ("            if number > self.position:\n                continue", "            if number > self.position:\n                break"),
    nameable=False)

add("tape-cleared", "tape", "tensor", "walk",
    "backward clears the tape at its end, so a second backward, also from another result recorded before, gives the leaves "
    "nothing.",
    ("        # what is left has come from no operation", "        TAPE.clear()\n        # what is left has come from no operation"))

add("zero-shares-skipped", "tape", "tensor", "walk",
    "backward skips shares that are all zero, so a leaf whose gradient is zero (as x of x * 0) keeps grad None instead of zeros.",
    ("                if share is not None and isinstance(source, MyTensor)", "                if share is not None and np.any(share) and isinstance(source, MyTensor)"))

add("starts-with-scalar-one", "tape", "tensor", "walk",
    "Without a base backward starts with the single number 1 instead of ones in the tensor's shape, so x + y of several elements "
    "gives scalar gradients, or an IndexError where a shape holds a 1.",
    ("        flowing = {self: np.ones(self.shape) if base is None", "        flowing = {self: np.array(1.0) if base is None"))

add("inner-tensors-keep-grad", "closures", "tensor", "walk",
    "backward stores the gradient also in every intermediate result and in the result itself (if instead of elif), not only in "
    "the leaves.",
    ("                node.backward_op.push(up)\n            elif node.grad is None:", "                node.backward_op.push(up)\n            if node.grad is None:"))

add("leaf-backward-does-nothing", "functions", "tensor", "walk",
    "backward called on a leaf returns at once instead of adding the base (or ones) to the leaf's grad.",
    ("        if not self.requires_grad:\n            return\n        upstream", "        if not self.requires_grad or self.backward_op is None:\n            return\n        upstream"))

add("walk-recursive", "closures", "tensor", "walk",
    "backward orders the graph with a recursive function, so a graph of some thousand operations raises RecursionError.",
    ("""        while todo:
            node, expanded = todo.pop()
            if expanded:
                order.append(node)
                continue
            if id(node) in seen:
                continue
            seen.add(id(node))
            todo.append((node, True))
            if node.backward_op is not None:
                for operand in node.backward_op.inputs:
                    if operand.requires_grad and id(operand) not in seen:
                        todo.append((operand, False))
""", """        def visit(node):
            if id(node) in seen:
                return
            seen.add(id(node))
            if node.backward_op is not None:
                for operand in node.backward_op.inputs:
                    if operand.requires_grad:
                        visit(operand)
            order.append(node)

        visit(self)
"""))

add("shares-in-a-dictionary", "arrays", "tensor", "walk",
    "backward puts the shares of an operation into a dictionary keyed by input, so when the same tensor is both operands (x * x, "
    "a + a, a - a) only the share of the right operand counts.",
    ("                for i, g in zip(node.backward_op.inputs, node.backward_op(grads[node])):",
     "                for i, g in dict(zip(node.backward_op.inputs, node.backward_op(grads[node]))).items():"))

add("consumers-counted-once", "careful", "tensor", "walk",
    "The count of consumers is raised only when a tensor is first seen, so each tensor counts as used once and hands on (or stores) "
    "its gradient after the first contribution; contributions that other operations make later are lost.",
    ("                    stack.append(source)\n                consumers[source] += 1", "                    stack.append(source)\n                    consumers[source] += 1"))

add("counting-break", "careful", "tensor", "walk",
    "The loop that counts consumers ends (break instead of continue) at the first leaf it takes from the stack, so the rest of the "
    "graph is not counted: backward raises KeyError, or inner tensors hand on too early.",
    ("            if tensor.backward_op is None:\n                continue\n            for source", "            if tensor.backward_op is None:\n                break\n            for source"))

add("keyerror-for-constants", "arrays", "tensor", "walk",
    "backward looks up every input in the dictionary of gradients without asking whether it requires one, so an operation with a "
    "constant operand (x + 2, 3 * x, or a tensor without gradient) raises KeyError.",
    ("                    if g is not None and i in grads:", "                    if g is not None:"))

add("base-used-as-tensor", "careful", "tensor", "walk",
    "backward(base) starts with the MyTensor base itself instead of its array, so rules that need an array raise AttributeError "
    "(a MyTensor has no ndim) and others store a non-numeric array.",
    ("if base is None else base.data.astype(np.float64)", "if base is None else base"))

# ---------------------------------------------------------------- memory

add("constructor-asarray", "careful", "tensor", "memory",
    "The constructor uses np.asarray and does not copy, so the tensor shares memory with the array it was made of.",
    ("        array = np.array(data, dtype=dtype)  # np.array copies", "        array = np.asarray(data, dtype=dtype)"))

add("leaf-grads-shared", "functions", "tensor", "memory",
    "backward stores the first gradient of a leaf without copying it, so both leaves of a + b hold the same array as their grad.",
    ("tensor.grad = np.array(g) if tensor.grad is None", "tensor.grad = g if tensor.grad is None"),
    ("    padded = (1,) *", "    if gradient.shape == tuple(shape):\n        return gradient\n    padded = (1,) *"))

add("contributions-added-in-place", "tape", "tensor", "memory",
    "backward adds a further contribution in place (+=) to an array that another input's gradient or the upstream gradient also "
    "is, so in a graph like (a + b) + a the gradient of b is changed too (it gets 2 instead of 1).",
    ("                        flowing[source] = flowing[source] + share", "                        flowing[source] += share"),
    nameable=False)

add("sub-negates-in-place", "careful", "tensor", "memory",
    "Backward of -: the rule negates the upstream gradient in place, so the left operand's gradient, which is the same array "
    "unless that operand was stretched, is negated as well.",
    ("    return unbroadcast(base, left.shape), unbroadcast(-base, right.shape)",
     "    left_gradient = unbroadcast(base, left.shape)\n    base *= -1\n    return left_gradient, unbroadcast(base, right.shape)"))

add("relu-writes-into-input", "careful", "relu", "memory",
    "relu sets the negative elements to 0 in the input's own array instead of in a copy, so the input tensor is changed.",
    ("    values = np.maximum(x.data, 0)", "    values = x.data\n    values[values < 0] = 0"))

add("mse-subtracts-in-place", "functions", "mseloss", "memory",
    "MSELoss subtracts the target from the prediction in place, so the prediction tensor holds the differences afterwards.",
    ("        ctx.save(y - t)\n        return np.mean((y - t) ** 2)", "        y -= t\n        ctx.save(y)\n        return np.mean(y ** 2)"))

add("closure-shares-added-in-place", "closures", "tensor", "memory",
    "backward takes base's array without a copy and adds contributions to a result in place, and the closure of + hands the same "
    "array to both operands, so accumulating in one (x + y + x) changes the gradient of the other and the array in base.",
    ("np.array(base.data, dtype=float)", "base.data"),
    ("            self._arrived = share if self._arrived is None else self._arrived + share",
     "            if self._arrived is None:\n                self._arrived = share\n            else:\n                self._arrived += share"),
    nameable=False)

# ---------------------------------------------------------------- modules

add("parameters-by-name", "arrays", "module", "module",
    "parameters() removes duplicates by the parameter's name instead of by identity, so of several parameters with the same name "
    "(the weights of two layers) only the last one is in the list.",
    ("{id(p): p for p in own + deeper}", "{p.name: p for p in own + deeper}"))

add("parameters-mutable-default", "careful", "module", "module",
    "parameters() collects in a mutable default argument, so it keeps what earlier calls found and also returns the parameters of "
    "other modules.",
    ("    def parameters(self) -> list[Parameter]:", "    def parameters(self, found={}) -> list[Parameter]:"),
    ("        found = {}\n        for parameter", "        for parameter"))

add("parameters-gives-tensors", "closures", "module", "module",
    "parameters() returns the tensors (p.tensor) instead of the Parameter objects.",
    ("                if not any(p is q for q in result):\n                    result.append(p)",
     "                if not any(p.tensor is q for q in result):\n                    result.append(p.tensor)"))

add("parameters-one-level", "functions", "module", "module",
    "parameters() takes its own parameters and those of its direct sub-modules only; modules deeper in the tree are left out.",
    ("            yield from module.__walk()", "            yield from module.__parameters.values()"))

add("parameters-return-in-loop", "tape", "module", "module",
    "parameters() returns inside the loop, after the first module, so the parameters of all sub-modules are missing.",
    ("            modules.extend(reversed(list(module.__sub_modules.values())))\n        return collected",
     "            modules.extend(reversed(list(module.__sub_modules.values())))\n            return collected"))

add("parameters-twice", "arrays", "module", "module",
    "parameters() does not remove duplicates: a parameter or module that is shared comes more than once.",
    ("        return list({id(p): p for p in own + deeper}.values())", "        return own + deeper"))

add("parameters-append-list", "careful", "module", "module",
    "parameters() puts the list of each sub-module's parameters as one element into its result instead of its parameters, so the "
    "result holds lists within the list.",
    ("            for parameter in module.parameters():\n                found[id(parameter)] = parameter",
     "            found[id(module)] = module.parameters()"))

# ---------------------------------------------------------------- layers

add("matmul-left-no-transpose", "careful", "matmul", "layer",
    "Backward of matmul: the left operand's gradient is upstream @ right without the transpose; wrong numbers for a square right "
    "operand, a ValueError for others.",
    ("(upstream @ right.data.T).reshape", "(upstream @ right.data).reshape"))

add("matmul-single-row", "tape", "matmul", "layer",
    "Backward of matmul does not treat a single row, shape (k,): the right operand's gradient left.T @ upstream is then a dot "
    "product of two vectors (a number, or a ValueError) instead of the (k, m) outer product.",
    ("    if left.data.ndim == 1:\n        return right.data @ base, left.data[:, None] * base[None, :]\n", ""))

add("matmul-right-turned", "functions", "matmul", "layer",
    "Backward of matmul: for matrices the right operand's gradient is upstream.T @ left, the transpose of left.T @ upstream.",
    ("np.matmul(a.T, g)", "np.matmul(g.T, a)"))

add("linear-only-positive", "functions", "linear", "layer",
    "Linear's weights are drawn from (0, 1/sqrt(in)) only, so none of them is negative.",
    ("(2 * np.random.rand(input_size, output_size) - 1) * limit", "np.random.rand(input_size, output_size) * limit"))

add("linear-own-fixed-seed", "careful", "linear", "layer",
    "Linear draws its weights with a generator of a fixed seed, so all layers of one size start with the same weights.",
    ("np.random.uniform(-bound, bound, (input_size, output_size))", "np.random.default_rng(42).uniform(-bound, bound, (input_size, output_size))"))

add("linear-bias-plain-tensor", "closures", "linear", "layer",
    "Linear's bias is a plain MyTensor instead of a Parameter, so it is not among the parameters and gets no gradient.",
    ("        self.bias = Parameter(MyTensor([0.0] * output_size))", "        self.bias = MyTensor([0.0] * output_size)"),
    ("+ self.bias.tensor", "+ self.bias"))

add("linear-bias-not-summed", "arrays", "linear", "layer",
    "Backward of Linear: the bias receives the upstream gradient without the sum over the batch, shape (n, out) instead of (out,).",
    ("np.atleast_2d(g).sum(0))", "g)"))

add("linear-parameters-in-a-list", "tape", "linear", "layer",
    "Linear keeps weight and bias in a plain list instead of in attributes, so they are not registered: parameters() is empty and "
    "there is no weight or bias.",
    ("        self.weight = Parameter(MyTensor(np.random.uniform(low=-high, high=high, size=(input_size, output_size))))\n"
     "        self.bias = Parameter(MyTensor(np.zeros(output_size)))",
     "        self.params = [\n            Parameter(MyTensor(np.random.uniform(low=-high, high=high, size=(input_size, output_size)))),\n"
     "            Parameter(MyTensor(np.zeros(output_size))),\n        ]"),
    ("        xw = matmul(x, self.weight.tensor)\n        return xw + self.bias.tensor",
     "        xw = matmul(x, self.params[0].tensor)\n        return xw + self.params[1].tensor"))

add("linear-detaches-input", "careful", "linear", "layer",
    "Linear wraps the input's array in a new MyTensor before the product, so the input (and every layer before) gets no gradient.",
    ("        return matmul(x, self.weight.tensor) + self.bias.tensor", "        x = MyTensor(x.data)\n        return matmul(x, self.weight.tensor) + self.bias.tensor"))

add("relu-mask-of-upstream", "careful", "relu", "layer",
    "Backward of relu: the mask is made of the upstream gradient (base > 0) instead of the input, so positive upstream passes also "
    "where x is negative, and negative upstream never passes.",
    ("    return (base * (x.data > 0),)", "    return (base * (base > 0),)"))

add("relu-one-at-zero", "functions", "relu", "layer",
    "Backward of relu: at x = 0 the upstream gradient is let through (mask a >= 0) instead of 0.",
    ("        ctx.save(a > 0)", "        ctx.save(a >= 0)"))

add("relu-if", "closures", "relu", "layer",
    "relu decides with one if on the whole array instead of element by element, so an input with more than one element raises "
    "ValueError (ambiguous truth value).",
    ("    mask = x.data > 0\n    return MyTensor._result(np.where(mask, x.data, 0), (x,), lambda up: x._receive(up * mask), \"ReluBackward\")",
     "    if x.data > 0:\n        return x * 1\n    else:\n        return x * 0"))

add("relu-clips-at-one", "arrays", "relu", "layer",
    "relu cuts values also from above: it is np.clip(x, 0, 1), so elements greater than 1 become 1.",
    ("np.clip(x.data, 0, None)", "np.clip(x.data, 0, 1)"))

add("relu-drops-upstream", "tape", "relu", "layer",
    "Backward of relu returns the mask of 0 and 1 without multiplying it by the upstream gradient.",
    ("    return (kept * base,)", "    return (kept,)"))

# ---------------------------------------------------------------- optimizer

add("step-rebinds", "careful", "sgd", "optimizer",
    "step rebinds a local name (data = data - ...) instead of changing the array in place, so no parameter moves.",
    ("                data -= self.lr * parameter.tensor.grad", "                data = data - self.lr * parameter.tensor.grad"))

add("step-return-at-none", "tape", "sgd", "optimizer",
    "step returns at the first parameter without a gradient instead of skipping it, so the parameters after it do not move.",
    ("            if tensor.grad is None:\n                continue", "            if tensor.grad is None:\n                return"))

add("step-new-tensor", "closures", "sgd", "optimizer",
    "step gives the Parameter a new tensor instead of changing the array in place, so others who hold the tensor do not see the "
    "change (and the gradient is gone with the old tensor).",
    ("            p.tensor.data[...] -= self.lr * gradient.data", "            p.tensor = MyTensor(p.tensor.data - self.lr * gradient.data, requires_grad=True)"))

add("zero-grad-on-parameter", "functions", "sgd", "optimizer",
    "zero_grad sets grad on the Parameter object instead of on its tensor, so the tensors keep their gradients.",
    ("            parameter.tensor.grad = None", "            parameter.grad = None"))

add("zero-grad-zeros", "arrays", "sgd", "optimizer",
    "zero_grad sets the gradients to arrays of zeros instead of None.",
    ("            p.tensor.grad = None", "            p.tensor.grad = np.zeros(p.tensor.shape)"))

add("step-mixes-tensor-and-array", "closures", "sgd", "optimizer",
    "step subtracts lr times the gradient MyTensor from the array instead of lr times the gradient's array, so it raises "
    "TypeError as soon as a parameter has a gradient.",
    ("self.lr * gradient.data", "self.lr * gradient"))

add("step-scales-gradient", "tape", "sgd", "optimizer",
    "step multiplies the gradient by lr in place, so the gradients are changed by a step.",
    ("            array[...] = array - self.lr * tensor.grad", "            tensor.grad *= self.lr\n            array[...] = array - tensor.grad"))

# ---------------------------------------------------------------- loss

add("mse-divides-by-batch", "careful", "mseloss", "loss",
    "MSELoss divides by the number of rows (shape[0]) instead of by the number of all elements.",
    ("        return sum(difference**2) / difference.size", "        return sum(difference**2) / difference.shape[0]"))

add("mse-detached", "arrays", "mseloss", "loss",
    "MSELoss computes the mean with NumPy on the arrays and wraps the number in a new MyTensor, so the loss requires no gradient "
    "and its backward does nothing.",
    ("        return sum((y - y_target) ** 2) / y.size", "        return MyTensor(np.mean((y.data - y_target.data) ** 2))"))

add("mse-ignores-upstream", "functions", "mseloss", "loss",
    "Backward of MSELoss ignores the upstream gradient, so the gradient of 3 * loss is that of loss.",
    ("        grad = g * 2 * difference / difference.size", "        grad = 2 * difference / difference.size"))

add("sum-ignores-axis", "careful", "mseloss", "loss",
    "sum_deriv does not put the summed axis back, so backward through sum(x, axis=1) raises ValueError, or for a square x "
    "repeats the upstream gradient along the wrong axis.",
    ("    if axis is not None:\n        base = np.expand_dims(base, axis)\n    return base * np.ones_like(x.data), None",
     "    return base * np.ones_like(x.data), None"))

add("mse-keeps-size", "tape", "mseloss", "loss",
    "MSELoss remembers the number of elements of its first call and divides by it in all later calls, so the same loss object is "
    "wrong for a batch of another size.",
    ("        count = y.size\n        return sum((y - y_target) ** 2) / count",
     "        if not hasattr(self, \"count\"):\n            self.count = y.size\n        return sum((y - y_target) ** 2) / self.count"))

add("mse-sums-rows-only", "closures", "mseloss", "loss",
    "MSELoss sums over axis 0 only, so for a batch with several outputs the loss is one number for each output instead of a scalar.",
    ("        return sum(error * error) * (1 / error.size)", "        return sum(error * error, axis=0) * (1 / error.size)"))

# ---------------------------------------------------------------- training and the model

add("train-zero-grad-per-epoch", "careful", "train", "training",
    "train calls zero_grad once at the beginning of each epoch instead of for each mini-batch, so gradients of earlier mini-batches "
    "are added up.",
    ("            optimizer.zero_grad()\n            y = model", "            y = model"),
    ("        total = 0.0\n        for start", "        total = 0.0\n        optimizer.zero_grad()\n        for start"))

add("train-zero-grad-not-called", "tape", "train", "training",
    "train writes optimizer.zero_grad without parentheses, so it is never called and all gradients add up.",
    ("            optimizer.zero_grad()", "            optimizer.zero_grad"))

add("train-shuffles-once", "closures", "train", "training",
    "train shuffles once before the first epoch instead of anew in each epoch.",
    ("    bar = range(epochs)", "    np.random.shuffle(rows)\n    bar = range(epochs)"),
    ("    for _ in bar:\n        np.random.shuffle(rows)\n", "    for _ in bar:\n"))

add("train-drops-last-batch", "functions", "train", "training",
    "train leaves out a last mini-batch that is smaller than batch_size, so some examples are not shown in an epoch (and with fewer "
    "examples than batch_size it raises).",
    ("    for start in range(0, count, size):", "    for start in range(0, count - size + 1, size):"))

add("train-log-unweighted", "arrays", "train", "training",
    "train logs the mean of the mini-batches' losses without weighting them by their sizes, which differs from the mean over the "
    "examples when the last mini-batch is smaller.",
    ("logged.append(loss.data * len(rows))", "logged.append(loss.data)"),
    ("losses.append(float(np.sum(logged) / n))", "losses.append(float(np.mean(logged)))"))

add("train-ignores-lr", "functions", "train", "training",
    "train does not hand lr to SGD, so it always trains with SGD's default learning rate 0.01.",
    ("    optimizer = SGD(model.parameters(), lr=lr)", "    optimizer = SGD(model.parameters())"))

add("train-targets-unshuffled", "closures", "train", "training",
    "train takes the targets in their original order while the images are shuffled, so a row of images meets the target of another.",
    ("MyTensor(targets[some])", "MyTensor(targets[begin : begin + batch_size])"))

add("train-return-in-epoch", "tape", "train", "training",
    "train returns inside the loop over epochs, so it trains for one epoch only.",
    ("        if live:\n            live(losses[-1])\n    return losses", "        if live:\n            live(losses[-1])\n        return losses"))

add("train-live-gets-list", "careful", "train", "training",
    "train calls live with the whole list of losses instead of the latest mean loss.",
    ("            live(losses[-1])", "            live(losses)"))

add("train-total-not-reset", "careful", "train", "training",
    "train sets the running total to 0 only once, before the first epoch, so each logged loss also contains those of all earlier "
    "epochs.",
    ("    progress = tqdm(", "    total = 0.0\n    progress = tqdm("),
    ("        total = 0.0\n        for start", "        for start"))

add("train-shuffles-callers-arrays", "tape", "train", "training",
    "train shuffles the given images in place with np.random.shuffle and leaves the targets as they are, so the caller's array is "
    "changed and images no longer belong to their targets.",
    ("        order = np.random.permutation(images.shape[0])", "        np.random.shuffle(images)\n        order = np.arange(images.shape[0])"))

add("train-logs-after-step", "arrays", "train", "training",
    "train logs the loss of each mini-batch computed again after the step instead of the loss that was taken when its turn came.",
    ("            logged.append(loss.data * len(rows))",
     "            loss = mse(model(MyTensor(images[rows])), MyTensor(targets[rows]))\n            logged.append(loss.data * len(rows))"))

add("model-return-in-loop", "tape", "model", "training",
    "SuperModel's forward returns inside its loop, after the first layer, so it gives (n, 64) values instead of ten scores.",
    ("            x = step(x)\n        return x", "            x = step(x)\n            return x"))

add("model-layers-in-list", "functions", "model", "training",
    "SuperModel keeps its linear layers in a plain list, so they are not registered and parameters() is empty.",
    ("        self.into = Linear(64, self.HIDDEN)\n        self.out = Linear(self.HIDDEN, 10)", "        self.layers = [Linear(64, self.HIDDEN), Linear(self.HIDDEN, 10)]"),
    ("        x = self.into(x)\n        x = self.relu(x)\n        x = self.out(x)", "        x = self.layers[0](x)\n        x = self.relu(x)\n        x = self.layers[1](x)"))

add("model-no-super-init", "careful", "model", "training",
    "SuperModel does not call super().__init__() before it sets its layers, so making one raises RuntimeError.",
    ("        super().__init__()\n        self.hidden", "        self.hidden"))

add("model-layers-made-in-forward", "arrays", "model", "training",
    "SuperModel makes its second linear layer anew in each forward, so its scores are random from call to call and what that layer "
    "learns is lost.",
    ("        return self.b(relu(self.a(x)))", "        self.b = Linear(32, 10)\n        return self.b(relu(self.a(x)))"))

# ---------------------------------------------------------------- partial work

add("unbroadcast-still-stub", "careful", "tensor", "partial",
    "unbroadcast still returns the gradient unchanged, so stretched operands get gradients in the output's shape.",
    ("""    extra = gradient.ndim - len(shape)
    if extra > 0:
        gradient = gradient.sum(axis=tuple(range(extra)))
    for axis, length in enumerate(shape):
        if length == 1:
            gradient = gradient.sum(axis=axis, keepdims=True)
    return gradient""", "    return gradient"))

add("pow-rule-stub", "functions", "tensor", "partial",
    "The backward rule of ** is not written (it returns None), so backward through a power raises TypeError.",
    ("        a, n = ctx.saved\n        if n == 0:\n            return np.zeros_like(g), None\n        return g * (n * np.power(a, n - 1)), None",
     "        a, n = ctx.saved\n        ..."))

add("reflected-division-stub", "tape", "tensor", "partial",
    "__rtruediv__ is still a stub that returns None, so number / tensor gives None.",
    ('        return binary("/", other, self)', "        ..."))

add("no-setitem", "arrays", "tensor", "partial",
    "Writing by index is missing (no __setitem__), so tensor[0, 1] = 5 raises TypeError.",
    ('''    def __setitem__(self, i, v):
        if self.requires_grad:
            raise RuntimeError("requires a gradient: read only")
        self.__data[i] = v

''', ""))

add("zero-grad-stub", "closures", "sgd", "partial",
    "zero_grad is still a stub, so the gradients stay.",
    ("        for p in self.params:\n            p.tensor.grad = None", "        ..."))

add("train-without-live", "functions", "train", "partial",
    "train never calls live.",
    ("        if live:\n            live(losses[-1])\n", ""))

# ---------------------------------------------------------------- copies not adapted

add("div-recorded-with-mul-rule", "tape", "tensor", "copy",
    "A division is recorded with the rule of multiplication: backward of / gives upstream * right to the left operand and "
    "upstream * left to the right one.",
    ("    return record(left.data / right.data, div_deriv,", "    return record(left.data / right.data, mul_deriv,"))

add("sub-copied-from-add", "functions", "tensor", "copy",
    "Backward of - is a copy of +: the right operand receives the upstream gradient without the minus.",
    ("unbroadcast(g, shape_a), -unbroadcast(g, shape_b)", "unbroadcast(g, shape_a), unbroadcast(g, shape_b)"))

add("strides-copied-from-shape", "careful", "tensor", "copy",
    "strides is a copy of shape: it returns the array's shape.",
    ("        return self.__data.strides", "        return self.__data.shape"))

add("rtruediv-copied-from-rmul", "closures", "tensor", "copy",
    "number / tensor multiplies: __rtruediv__ is a copy of __rmul__ and computes other * self.",
    ("        return as_tensor(other) / self", "        return as_tensor(other) * self"))

add("second-layer-copied", "closures", "model", "copy",
    "SuperModel's second layer is made with the input size of the first (64 instead of 48), so calling the model raises "
    "ValueError.",
    ("        self.second = Linear(48, 10)", "        self.second = Linear(64, 10)"))

add("linear-input-rule-copied-from-forward", "arrays", "linear", "copy",
    "Backward of Linear: the input's gradient is the forward product copied with the upstream gradient in x's place, "
    "g @ w instead of g @ w.T: wrong numbers for square weights and a ValueError for others.",
    ("rule = lambda g, x, w, b: (g @ w.T,", "rule = lambda g, x, w, b: (g @ w,"))

# ---------------------------------------------------------------- pairs

add("pair-overwrite-and-pow-factor", "careful", "tensor", "pair",
    "Two slips: a second backward overwrites a leaf's grad instead of adding to it, and backward of ** forgets the factor n "
    "(it gives upstream * x**(n - 1)).",
    ("                    tensor.grad = np.array(tensor.grad + gradient)", "                    tensor.grad = np.array(gradient)"),
    ("    return base * power * tensor.data ** (power - 1), None", "    return base * tensor.data ** (power - 1), None"))

add("pair-rsub-and-uphill", "arrays", "tensor", "pair",
    "Two slips: number - tensor computes tensor - number (__rsub__ has its operands the wrong way round), and SGD's step adds "
    "lr * grad instead of subtracting it.",
    ('    __rsub__ = lambda self, other: elementwise("Sub", other, self)', '    __rsub__ = lambda self, other: elementwise("Sub", self, other)'),
    ("                t.data[...] -= self.lr * t.grad", "                t.data[...] += self.lr * t.grad"))

add("pair-no-bias-and-no-zero-grad", "functions", "linear", "pair",
    "Two slips: Linear does not add its bias in forward, and train never calls zero_grad.",
    ("        return Add.apply(product, self.bias.tensor)", "        return product"),
    ("            optimizer.zero_grad()\n", ""))

add("pair-div-sign-and-sum-loss", "closures", "tensor", "pair",
    "Two slips: backward of / gives the right operand a gradient without the minus, and MSELoss is the sum of the squared errors, "
    "not divided by the number of elements.",
    ("            other._receive(-up * quotient / other.data)", "            other._receive(up * quotient / other.data)"),
    ("        return sum(error * error) * (1 / error.size)", "        return sum(error * error)"))

add("pair-constants-and-relu-zero", "tape", "tensor", "pair",
    "Two slips: tensors that require no gradient get a grad in backward, too, and relu's value for a negative element "
    "is 0.01 * x (a leaky relu) instead of 0.",
    ("                if share is not None and isinstance(source, MyTensor) and source.requires_grad:", "                if share is not None and isinstance(source, MyTensor):"),
    ("    return record(np.where(x.data < 0, 0, x.data), relu_deriv", "    return record(np.where(x.data < 0, 0.01 * x.data, x.data), relu_deriv"))
