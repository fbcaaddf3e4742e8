from corpus.entry import Blind

WRONG = []


def wrong(name, style, section, kind, truth, *changes, nameable=True):
    WRONG.append(Blind(name=name, style=style, section=section, kind=kind, truth=truth, changes=tuple(changes), nameable=nameable))


# Operators and their rules

wrong(
    "div-right-squares-left", "buffers", "tensor", "rule",
    "Backward of a / b: the gradient of the right operand is -G*a/a**2, the left operand is squared in the denominator instead of the right one.",
    ("np.square(right.data)", "np.square(left.data)"),
)
wrong(
    "div-right-divides-once", "slots", "tensor", "rule",
    "Backward of a / b: the gradient of the right operand is -G*a/b, it is divided by b once instead of twice.",
    ("fit(-g * quotient / other.data, other.shape)", "fit(-g * quotient, other.shape)"),
)
wrong(
    "pow-from-value-over-x", "mathematician", "tensor", "rule",
    "Backward of x ** n: the derivative is computed as n * x**n / x, which is 0 / 0 = nan where x is 0.",
    ("return base * (n * x.data ** (n - 1.0)), None", "return base * n * x.data**n / x.data, None"),
)
wrong(
    "pow-exponent-truncated", "cpp_like", "tensor", "rule",
    "Backward of x ** n: the exponent n - 1 is formed from int(n), so fractional powers such as x ** 0.5 or x ** 2.5 get the wrong gradient.",
    ("np.power(x.data, float(exponent) - 1.0)", "np.power(x.data, int(exponent) - 1)"),
)
wrong(
    "reflected-is-plain", "meta", "tensor", "operator",
    "The reflected operators are the plain ones, so that 5 - x computes x - 5 and 6 / x computes x / 6.",
    ('setattr(MyTensor, f"__r{_name}__", _reflected)', 'setattr(MyTensor, f"__r{_name}__", _method)'),
)
wrong(
    "rsub-parenthesis", "mathematician", "tensor", "operator",
    "number - x (__rsub__) computes -(x + number) instead of number - x: the minus is applied to the number, too.",
    ("return as_tensor(other) + (-self)", "return -(self + as_tensor(other))"),
)
wrong(
    "neg-ignores-upstream", "meta", "tensor", "rule",
    "Backward of unary minus: it returns -1 everywhere and ignores the upstream gradient.",
    ('"neg": (np.negative, lambda base, x: (np.negative(base),)),', '"neg": (np.negative, lambda base, x: (np.full(x.shape, -1.0),)),'),
)
wrong(
    "neg-makes-a-leaf", "slots", "tensor", "operator",
    "Unary minus records no operation: its result requires a gradient but is a leaf, so nothing reaches the operand.",
    ('return MyTensor.result(-self.data, "NegBackward", (self, lambda g: -g))', "return MyTensor(-self.data, requires_grad=self.requires_grad)"),
)
wrong(
    "mul-same-operand-doubled-twice", "mathematician", "tensor", "rule",
    "Backward of x * x, with the same tensor on both sides: both operands get 2*G*x, so the sum is 4*G*x instead of 2*G*x.",
    (
        "    return base * b.data, a.data * base\n",
        "    if a is b:  # the derivative of a square\n        square = 2 * base * a.data\n        return square, square\n    return base * b.data, a.data * base\n",
    ),
)
wrong(
    "rsub-outside-the-graph", "slots", "tensor", "operator",
    "number - x (__rsub__) computes the values only: its result requires no gradient and is not recorded.",
    ("return self._wrap(other) - self", "return MyTensor(self._wrap(other).data - self.data)"),
)
wrong(
    "div-shares-one-array", "cpp_like", "tensor", "rule",
    "Backward of a / b: the left operand gets the gradient of the right one, -G*a/b**2, because that is computed in place in the array that holds the left one.",
    ("    d_rhs = np.asarray(-d_lhs * (lhs.data / rhs.data))\n", "    d_rhs = d_lhs\n    d_rhs *= -lhs.data / rhs.data\n"),
)
wrong(
    "pow-guards-x-not-n", "meta", "tensor", "rule",
    "Backward of x ** n: the gradient is set to 0 where x is 0 instead of where n is 0, so x ** 1 at 0 gets 0 instead of G.",
    ("np.where(n == 0, 0.0,", "np.where(x.data == 0, 0.0,"),
)
wrong(
    "square-shortcut-drops-upstream", "buffers", "tensor", "rule",
    "Backward of x ** 2: the special case for squares returns 2*x without the upstream gradient.",
    ("    slope = np.power(tensor.data, power - 1)\n", "    if power == 2:\n        return 2 * tensor.data, None\n    slope = np.power(tensor.data, power - 1)\n"),
)
wrong(
    "division-by-integers-raises", "mathematician", "tensor", "operator",
    "Division is a * b ** -1 and the power keeps integers, so dividing by a whole number or an integer tensor, as in x / 2, raises ValueError.",
    ("        if n < 0 and not np.issubdtype(x.dtype, np.inexact):\n            x = x.astype(np.float64)\n", ""),
)
wrong(
    "number-takes-the-tensors-dtype", "buffers", "tensor", "operator",
    "A plain number as an operand is converted to the dtype of the tensor, so with an integer tensor its fraction is cut off: MyTensor([1, 2]) + 0.5 is [1, 2].",
    ("return MyTensor(other, dtype=np.result_type(self.__data, other))", "return MyTensor(other, dtype=self.dtype)"),
)
wrong(
    "late-binding-in-the-rules", "meta", "tensor", "rule",
    "Backward of +, - and *: all of them use the rule of division, the last operator of the table, for both operands.",
    ("unbroadcast(operator.to_left(base, a, b), left.shape)", "unbroadcast(_operator.to_left(base, a, b), left.shape)"),
    ("unbroadcast(operator.to_right(base, a, b), right.shape)", "unbroadcast(_operator.to_right(base, a, b), right.shape)"),
)
wrong(
    "only-first-operand-records", "cpp_like", "tensor", "operator",
    "An operation is recorded only if its first operand requires a gradient: 2 * x, or constant + x, requires none.",
    ("    for operand in op.inputs:\n", "    for operand in op.inputs[:1]:\n"),
)
wrong(
    "mul-asks-the-other-operand", "buffers", "tensor", "rule",
    "Backward of a * b: each operand's gradient is computed only if the other one requires a gradient, so x times a constant gives x a gradient of 0.",
    ("unbroadcast(np.multiply(base, right.data), left.shape) if left.requires_grad else None", "unbroadcast(np.multiply(base, right.data), left.shape) if right.requires_grad else None"),
    ("unbroadcast(np.multiply(base, left.data), right.shape) if right.requires_grad else None", "unbroadcast(np.multiply(base, left.data), right.shape) if left.requires_grad else None"),
)

# Constructor, properties, repr, indexing

wrong(
    "numpy-numbers-refused", "buffers", "tensor", "constructor",
    "The constructor refuses NumPy numbers such as np.float32(1) and np.int64(1) with TypeError (only np.float64, which is a float, passes).",
    ("not isinstance(data, (list, tuple, np.ndarray, np.number, int, float))", "not isinstance(data, (list, tuple, np.ndarray, int, float))"),
)
wrong(
    "strides-in-elements", "cpp_like", "tensor", "constructor",
    "The property strides counts in elements, as PyTorch's stride(), instead of in bytes.",
    ("        return self.__data.strides\n", "        return tuple(step // self.__data.itemsize for step in self.__data.strides)\n"),
)
wrong(
    "size-is-len", "slots", "tensor", "constructor",
    "The property size is the length of the first dimension instead of the number of elements (and raises TypeError for a scalar).",
    ("        return self.__data.size\n", "        return len(self.__data)\n"),
)
wrong(
    "data-is-a-copy", "buffers", "tensor", "constructor",
    "The property data returns a copy of the array instead of the array itself, so writing into tensor.data changes nothing.",
    ("    def data(self) -> np.ndarray:\n        return self.__data\n", "    def data(self) -> np.ndarray:\n        return self.__data.copy()\n"),
)
wrong(
    "repr-asks-grad", "mathematician", "tensor", "constructor",
    "repr shows as requires_grad whether the tensor has a grad already, instead of its requires_grad.",
    ('f", requires_grad={self.requires_grad})"', 'f", requires_grad={self.grad is not None})"'),
)
wrong(
    "getitem-gives-a-tensor", "meta", "tensor", "constructor",
    "Indexing returns a new MyTensor instead of plain NumPy values.",
    ("        return self.__data[where]\n", "        return MyTensor(self.__data[where])\n"),
)
wrong(
    "dtype-ignored-for-arrays", "slots", "tensor", "constructor",
    "The constructor ignores the requested dtype when data is a NumPy array: MyTensor(np.array([1, 2]), dtype=np.float32) stays int64.",
    ("            case list() | tuple() | np.ndarray() |", "            case np.ndarray():\n                array = data.copy()\n            case list() | tuple() |"),
)

# Broadcasting

wrong(
    "unbroadcast-front-or-ones", "slots", "tensor", "broadcasting",
    "Unbroadcasting sums either over the extra dimensions in front or over those of length 1, never over both, so backward raises for (4, 2, 3) + (2, 1).",
    (
        "    axes = [*range(extra), *(i + extra for i, length in enumerate(shape) if length == 1)]\n",
        "    axes = [*range(extra)] if extra else [i for i, length in enumerate(shape) if length == 1]\n",
    ),
)
wrong(
    "unbroadcast-keeps-front-dimensions", "meta", "tensor", "broadcasting",
    "Unbroadcasting keeps the dimensions that were added in front, with length 1: an operand of shape (3,) stretched to (2, 3) gets a gradient of shape (1, 3).",
    ("return gradient.sum(axis=stretched, keepdims=True).reshape(shape)", "return gradient.sum(axis=stretched, keepdims=True)"),
)
wrong(
    "unbroadcast-averages-ones", "mathematician", "tensor", "broadcasting",
    "Unbroadcasting averages over the dimensions in which the operand has length 1 instead of summing; over the missing ones in front it sums.",
    ("return gradient.sum(axis=ones, keepdims=True)", "return gradient.mean(axis=ones, keepdims=True)"),
)
wrong(
    "unbroadcast-first-one-only", "buffers", "tensor", "broadcasting",
    "Unbroadcasting sums over the first dimension of length 1 only, so an operand of shape (1, 1) beside (2, 3) makes backward raise.",
    (
        "    ones = tuple(axis for axis, length in enumerate(shape) if length == 1)\n    return np.add.reduce(gradient, axis=ones, keepdims=True)\n",
        "    for axis, length in enumerate(shape):\n        if length == 1:\n            return np.add.reduce(gradient, axis=axis, keepdims=True)\n    return gradient\n",
    ),
)
wrong(
    "unbroadcast-cached-by-shape", "cpp_like", "tensor", "broadcasting",
    "Unbroadcasting caches its index map by the operand's shape alone, not also by the output's: when the same operand shape is stretched to a second shape, backward uses the old map, and raises (or, where the sizes agree, adds elements to the wrong places).",
    ("def unbroadcast(gradient: np.ndarray,", "CELLS: dict[tuple[int, ...], np.ndarray] = {}\n\n\ndef unbroadcast(gradient: np.ndarray,"),
    (
        "    source = np.broadcast_to(np.arange(cells).reshape(shape), gradient.shape)\n",
        "    if shape not in CELLS:\n        CELLS[shape] = np.broadcast_to(np.arange(cells).reshape(shape), gradient.shape)\n    source = CELLS[shape]\n",
    ),
)
wrong(
    "mul-left-sums-before-product", "slots", "tensor", "broadcasting",
    "Backward of a * b: for the left operand the upstream gradient is summed down to its shape before it is multiplied by b instead of after it, which is wrong where the left operand is stretched.",
    ("(self, lambda g: fit(g * other.data, self.shape))", "(self, lambda g: fit(g, self.shape) * other.data)"),
)
wrong(
    "common-shape-is-the-larger", "mathematician", "tensor", "broadcasting",
    "The common shape of two operands is taken to be the larger of the two shapes, so operands that are both stretched, as (2, 1) + (1, 3), raise ValueError.",
    (
        "    shape = np.broadcast_shapes(a.shape, b.shape)\n",
        "    shape = max(a.shape, b.shape, key=lambda s: (len(s), int(np.prod(s))))\n",
    ),
)

# The walk

wrong(
    "walk-in-preorder", "buffers", "tensor", "walk",
    "backward visits the tensors in the order in which a depth-first search enters them, not in a topological order: a result that is used again later in the graph hands its gradient on before all contributions have arrived.",
    ("                stack.append((tensor, True))\n", "                order.insert(0, tensor)\n"),
)
wrong(
    "walk-accumulates-in-place-on-shared", "mathematician", "tensor", "walk",
    "backward adds a second contribution in place into the array that the rule returned; the rule of + returns the same array for both operands, so the other operand of a + receives the contribution as well.",
    ("                    cotangent[a] = cotangent[a] + share\n", "                    cotangent[a] += share\n"),
)
wrong(
    "second-backward-overwrites", "meta", "tensor", "walk",
    "backward overwrites the grad of a leaf instead of adding to it, so a second backward forgets the first.",
    ("np.array(upstream if tensor.grad is None else tensor.grad + upstream, dtype=tensor.dtype)", "np.array(upstream, dtype=tensor.dtype)"),
)
wrong(
    "level-from-first-operand", "meta", "tensor", "walk",
    "The level that orders the walk counts only the first operand, so backward raises KeyError or loses contributions where a later operand is farther from the leaves than the first.",
    ("1 + max((t._level for t in sources(crossOpBack)), default=-1)", "1 + next((t._level for t in sources(crossOpBack)), -1)"),
    nameable=False,
)
wrong(
    "recursive-walk", "slots", "tensor", "walk",
    "backward orders the graph by recursion, so it raises RecursionError for a graph of some thousand operations.",
    (
        """    path = [(root, sources(root))]
    while path:
        tensor, rest = path[-1]
        for source in rest:
            if id(source) not in seen:
                seen.add(id(source))
                path.append((source, sources(source)))
                break
        else:
            finished.append(tensor)
            path.pop()
""",
        """
    def visit(tensor: MyTensor) -> None:
        for source in sources(tensor):
            if id(source) not in seen:
                seen.add(id(source))
                visit(source)
        finished.append(tensor)

    visit(root)
""",
    ),
)
wrong(
    "graph-cached-with-its-counters", "cpp_like", "tensor", "walk",
    "backward keeps its graph on the result together with the counts of consumers, which the first walk has used up: a second backward of the same result reaches no leaf and adds nothing.",
    ("        graph = Graph()\n        graph.build(self)\n", '        graph = self.__dict__.get("graph")\n        if graph is None:\n            graph = self.graph = Graph()\n            graph.build(self)\n'),
)
wrong(
    "leaf-backward-does-nothing", "slots", "tensor", "walk",
    "backward on a leaf does nothing instead of adding base to its grad.",
    ("        if not self.requires_grad:\n            return\n", "        if not self.requires_grad or self.backward_op is None:\n            return\n"),
)
wrong(
    "intermediates-keep-grad", "cpp_like", "tensor", "walk",
    "backward stores a grad in the intermediate results and in the result itself, not only in the leaves.",
    (
        """            if node.backward_op is None:
                if node.grad is None:
                    node.grad = np.zeros(node.shape)
                node.grad = np.asarray(node.grad + gradient[v])
                continue
""",
        """            if node.grad is None:
                node.grad = np.zeros(node.shape)
            node.grad = np.asarray(node.grad + gradient[v])
            if node.backward_op is None:
                continue
""",
    ),
)
wrong(
    "constants-get-a-grad", "mathematician", "tensor", "walk",
    "backward also gives a grad to leaves that require no gradient, when they take part in an operation with one that does.",
    ("                if not isinstance(a, MyTensor) or not a.requires_grad:\n", "                if not isinstance(a, MyTensor):\n"),
)
wrong(
    "default-base-is-a-scalar", "mathematician", "tensor", "walk",
    "backward without a base starts with a single 1 of shape () instead of ones in the tensor's shape, so that after + or unbroadcast the gradient of an array has the wrong shape or raises.",
    ("np.ones(self.shape) if base is None", "np.ones(()) if base is None"),
)
wrong(
    "consumers-counted-once-per-operation", "cpp_like", "tensor", "walk",
    "The count of consumers counts an operation that uses the same tensor twice (x * x) only once, but it is lowered twice, so such a tensor is visited before its other consumers have contributed, and their shares are lost.",
    (
        "                        self.adjacency[v].append((u, slot))\n                        self.in_degree[u] += 1\n",
        "                        if all(w != u for w, _ in self.adjacency[v]):\n                            self.in_degree[u] += 1\n                        self.adjacency[v].append((u, slot))\n",
    ),
)
wrong(
    "last-contribution-wins", "slots", "tensor", "walk",
    "backward keeps only the last contribution to a tensor that is used several times instead of adding them up, so x + x gives 1 instead of 2.",
    (
        "                    if id(source) in book:\n                        book[id(source)] = book[id(source)] + share\n                    else:\n                        book[id(source)] = share\n",
        "                    book[id(source)] = share\n",
    ),
)
wrong(
    "zero-gradients-skipped", "meta", "tensor", "walk",
    "backward drops gradients that are zero everywhere, so the grad of a leaf whose gradient is 0 stays None instead of an array of zeros.",
    ("            upstream = pending.pop(tensor)\n", "            upstream = pending.pop(tensor, None)\n            if upstream is None or not upstream.any():  # nothing to hand on\n                continue\n"),
)

# Memory

wrong(
    "constructor-shares-the-array", "slots", "tensor", "memory",
    "The constructor does not copy a NumPy array that it is given: tensor and array share their memory.",
    ("                array = np.array(data, dtype=dtype)\n", "                array = np.asarray(data, dtype=dtype)\n"),
)
wrong(
    "grad-is-the-base", "buffers", "tensor", "memory",
    "backward uses the array of base without a copy: on a leaf the grad is base's own array, and a second backward changes base.",
    ("        buffers[self][...] = 1 if base is None else base.data\n", "        if base is None:\n            buffers[self][...] = 1\n        else:\n            buffers[self] = base.data\n"),
)
wrong(
    "grads-share-memory", "mathematician", "tensor", "memory",
    "backward stores in grad the array that the rule returned, without a copy: after a + b the grads of a and b are one and the same array.",
    ("t.grad = np.array(g) if t.grad is None else", "t.grad = g if t.grad is None else"),
)
wrong(
    "sub-negates-upstream-in-place", "buffers", "tensor", "memory",
    "Backward of a - b: the upstream gradient is negated in place for the right operand, which turns the left operand's share, the same array, to -G, too (where the left one is not stretched and both require a gradient).",
    ("unbroadcast(np.negative(base), right.shape) if right.requires_grad", "unbroadcast(np.negative(base, out=base), right.shape) if right.requires_grad"),
)
wrong(
    "relu-in-place", "cpp_like", "relu", "memory",
    "relu sets the negative elements of its input to 0 in place, so the input tensor is changed.",
    ("    out = np.where(x.data > 0, x.data, 0)\n", "    out = x.data\n    out[out < 0] = 0\n"),
)
wrong(
    "relu-returns-its-input", "slots", "relu", "memory",
    "relu returns its input itself instead of a new tensor where no element is negative or 0, so that result and input share their memory.",
    ("    positive = x.data > 0\n", "    positive = x.data > 0\n    if positive.all():  # nothing to cut\n        return x\n"),
)
wrong(
    "loss-overwrites-the-prediction", "buffers", "mseloss", "memory",
    "MSELoss writes the difference into the array of the prediction y, so y is changed.",
    ("np.subtract(y.data, y_target.data)", "np.subtract(y.data, y_target.data, out=y.data)"),
)
wrong(
    "train-shuffles-the-callers-arrays", "cpp_like", "train", "memory",
    "train shuffles the arrays images and targets themselves, in place, so the caller's data is reordered.",
    ("        np.random.shuffle(order)\n", "        state = np.random.get_state()\n        np.random.shuffle(images)\n        np.random.set_state(state)\n        np.random.shuffle(targets)\n"),
)

# Modules

wrong(
    "parameters-by-name", "meta", "module", "module",
    "parameters() collects by the parameters' names instead of by identity, so of all parameters called weight (or bias) only one is returned.",
    ("unique = {id(own): own for own in", "unique = {own.name: own for own in"),
    ("unique |= {id(theirs): theirs for theirs in", "unique |= {theirs.name: theirs for theirs in"),
)
wrong(
    "visited-is-a-shared-default", "cpp_like", "module", "module",
    "parameters() keeps the set of visited modules as a default argument, which all calls share: a second call returns an empty list.",
    ("    def parameters(self) -> list[Parameter]:\n", "    def parameters(self, visited: set[int] = set()) -> list[Parameter]:\n"),
    ("        visited: set[int] = set()\n", ""),
)
wrong(
    "equal-values-count-as-shared", "slots", "module", "module",
    "parameters() takes two parameters with equal values for the same one and returns only the first, instead of comparing identity.",
    ("unique.setdefault(id(parameter), parameter)", "unique.setdefault(repr(parameter.tensor), parameter)"),
)
wrong(
    "two-levels-only", "mathematician", "module", "module",
    "parameters() takes only the own parameters of its direct sub-modules, so those that lie deeper are missing.",
    ("            union += module.parameters()\n", "            union += module.__parameters.values()\n"),
)
wrong(
    "parameters-cached", "buffers", "module", "module",
    "parameters() remembers the list of its first call, so parameters and sub-modules that are assigned or replaced later are missed.",
    ("        return list(self.__walk(set()))\n", '        if not hasattr(self, "_found"):\n            self._found = list(self.__walk(set()))\n        return self._found\n'),
)
wrong(
    "fresh-seen-for-each-module", "buffers", "module", "module",
    "parameters() starts a new set of seen ones for each sub-module, so a parameter or a module that two modules share is returned twice.",
    ("                yield from module.__walk(seen)\n", "                yield from module.__walk(set())\n"),
)

# Layers

wrong(
    "matmul-row-outer-swapped", "mathematician", "matmul", "layer",
    "Backward of matmul for a single row: the gradient of the right matrix is the outer product of G and the row instead of row and G, that is, transposed.",
    ("np.outer(a.data, base)", "np.outer(base, a.data)"),
)
wrong(
    "matmul-reshape-for-transpose", "cpp_like", "matmul", "layer",
    "Backward of matmul: for the right matrix A is reshaped to (k, n) instead of transposed, so its gradient is wrong when A has more than one row and more than one column.",
    ("np.matmul(a.transpose(), g, out=d_rhs)", "np.matmul(a.reshape(k, n), g, out=d_rhs)"),
)
wrong(
    "matmul-row-forgotten-in-the-rule", "slots", "matmul", "layer",
    "Backward of matmul for a single row of shape (k,): the gradient of the right matrix is not computed, the rule takes matrices only and raises ValueError.",
    ("np.atleast_2d(a.data), np.atleast_2d(g))", "a.data, g)"),
)
wrong(
    "transpose-backward-reshapes", "meta", "linear", "layer",
    "Linear: the gradient of the weight is not transposed back but only reshaped to the weight's shape (the rule of the transpose), so its numbers stand in the wrong places.",
    ("rule=lambda base, _: (base.T,)", "rule=lambda base, _: (base.reshape(x.shape),)"),
)
wrong(
    "weights-all-positive", "buffers", "linear", "layer",
    "Linear draws its initial weights from (0, 2/sqrt(in)) instead of (-1/sqrt(in), 1/sqrt(in)): none is negative.",
    ("        weight -= bound\n", ""),
)
wrong(
    "bound-from-output-size", "slots", "linear", "layer",
    "Linear takes the bound of its initial weights from the output size, 1/sqrt(out), instead of the input size.",
    ("bound = 1.0 / input_size**0.5", "bound = 1.0 / output_size**0.5"),
)
wrong(
    "each-layer-the-same-seed", "mathematician", "linear", "layer",
    "Linear draws its weights from a generator that it seeds with 0 each time, so all layers of one size start with the same weights.",
    ("unit = np.random.random_sample((input_size, output_size))", "unit = np.random.default_rng(0).random((input_size, output_size))"),
)
wrong(
    "one-bias-for-all-units", "cpp_like", "linear", "layer",
    "Linear has a single bias of shape (1,), which broadcasting adds to all units, instead of one for each unit.",
    ("MyTensor([0.0] * output_size)", "MyTensor([0.0])"),
)
wrong(
    "bias-added-as-array", "buffers", "linear", "layer",
    "Linear adds the array of the bias instead of its tensor, so the bias is a constant and gets no gradient.",
    ("return matmul(x, self.weight.tensor) + self.bias.tensor\n", "return matmul(x, self.weight.tensor) + self.bias.tensor.data\n"),
)
wrong(
    "relu-half-at-zero", "mathematician", "relu", "layer",
    "Backward of relu: at 0 it lets half of the upstream gradient through instead of none.",
    ("np.heaviside(x.data, 0.0)", "np.heaviside(x.data, 0.5)"),
)
wrong(
    "relu-masks-by-upstream", "meta", "relu", "layer",
    "Backward of relu: the mask is taken from the sign of the upstream gradient instead of that of the input.",
    ("rule=lambda base, x: (base * (x.data > 0),)", "rule=lambda base, x: (base * (base > 0),)"),
)

# SGD

wrong(
    "step-stops-at-none", "cpp_like", "sgd", "optimizer",
    "SGD.step stops at the first parameter without a gradient instead of skipping it, so those after it are not changed.",
    ("            if tensor.grad is None:\n                continue\n", "            if tensor.grad is None:\n                break\n"),
)
wrong(
    "zero-grad-on-the-parameter", "mathematician", "sgd", "optimizer",
    "SGD.zero_grad sets an attribute grad on the Parameter instead of on its tensor, so the gradients stay.",
    ("            parameter.tensor.grad = None\n", "            parameter.grad = None\n"),
)
wrong(
    "zero-grad-fills-zeros", "meta", "sgd", "optimizer",
    "SGD.zero_grad fills the gradients with zeros in place instead of setting them to None.",
    ("            tensor.grad = None\n", "            if tensor.grad is not None:\n                tensor.grad[...] = 0\n"),
)
wrong(
    "step-rebinds-a-local-name", "slots", "sgd", "optimizer",
    "SGD.step computes the new values into a local name, data = data - lr * grad, and never writes them into the parameter, which stays as it is.",
    ("            data -= self.lr * grad\n", "            data = data - self.lr * grad\n"),
)
wrong(
    "step-scales-the-gradient-in-place", "buffers", "sgd", "optimizer",
    "SGD.step multiplies the gradient by lr in place, so the grads are changed.",
    ("np.multiply(grad, self.lr)", "np.multiply(grad, self.lr, out=grad)"),
)
wrong(
    "step-makes-a-new-tensor", "mathematician", "sgd", "optimizer",
    "SGD.step gives the parameter a new tensor instead of changing the array in place, so others who hold the old tensor do not see the step.",
    ("                w[...] = w - self.lr * gradient\n", "                parameter.tensor = MyTensor(w - self.lr * gradient, requires_grad=True)\n"),
)

# Loss

wrong(
    "mse-divides-by-batch-size", "meta", "mseloss", "loss",
    "MSELoss divides by the batch size, the length of the first dimension, instead of by the number of all elements.",
    ("return sum((y - y_target) ** 2) / y.size", "return sum((y - y_target) ** 2) / y.shape[0]"),
)
wrong(
    "mse-ignores-upstream", "buffers", "mseloss", "loss",
    "Backward of MSELoss ignores the upstream gradient, so the gradients of 3 * loss are those of loss.",
    ("    slope = slope * base\n", ""),
)
wrong(
    "sum-rule-without-expand", "slots", "mseloss", "loss",
    "Backward of sum over an axis: the upstream gradient is stretched to the input's shape without putting the summed dimension back, so it raises, or for a square matrix with axis=1 repeats along the wrong dimension.",
    ("        kept = g if axis is None else np.expand_dims(g, axis)\n", "        kept = g\n"),
)
wrong(
    "sum-rule-negative-axis", "mathematician", "mseloss", "loss",
    "Backward of sum does not know negative axes: sum(x, axis=-1) raises ValueError in backward.",
    ("        axes = [i % x.data.ndim for i in axes]\n", ""),
)

# Training and the model

wrong(
    "shuffled-once", "cpp_like", "train", "training",
    "train shuffles the examples once before the first epoch instead of anew in each epoch.",
    ("        np.random.shuffle(order)\n", ""),
    ("    order: np.ndarray = np.arange(n)\n", "    order: np.ndarray = np.random.permutation(n)\n"),
)
wrong(
    "mean-of-batch-means", "buffers", "train", "training",
    "train logs the plain mean of the mini-batches' losses, so a smaller last one weighs as much as the others, instead of the mean over the examples.",
    ("float(loss.data) * len(rows) / count", "float(loss.data) / len(range(0, count, batch_size))"),
)
wrong(
    "last-batch-dropped", "meta", "train", "training",
    "train leaves out the last mini-batch of an epoch when it is smaller than batch_size, so some examples are not shown, and the logged sum is still divided by the number of all examples.",
    ("for start in range(0, count, size))", "for start in range(0, count - size + 1, size))"),
)
wrong(
    "live-gets-the-last-batch", "slots", "train", "training",
    "train calls live with the loss of the epoch's last mini-batch instead of the epoch's mean loss, losses[-1].",
    ("            live(losses[-1])\n", "            live(loss.data.item())\n"),
)
wrong(
    "loss-measured-after-the-epoch", "mathematician", "train", "training",
    "train logs the loss of the finished epoch's model on all examples instead of the mean of the losses taken when each example's turn came (and shows the model all examples once more).",
    ("        losses.append(total / n)\n", "        losses.append(float(loss(model(MyTensor(images)), MyTensor(targets)).data))\n"),
)
wrong(
    "targets-not-shuffled", "cpp_like", "train", "training",
    "train takes the targets in their original order while the images are shuffled, so images and targets of different rows meet.",
    ("MyTensor(targets[rows])", "MyTensor(targets[begin:end])"),
)
wrong(
    "drawn-with-replacement", "slots", "train", "training",
    "train draws the examples of an epoch with replacement, so some are shown several times and others not at all.",
    ("    order = np.random.permutation(n)\n", "    order = np.random.choice(n, n)\n"),
)
wrong(
    "zero-grad-once-an-epoch", "buffers", "train", "training",
    "train calls zero_grad once for each epoch instead of for each mini-batch, so the gradients of the mini-batches pile up.",
    ("                optimizer.zero_grad()\n", ""),
    ("            np.random.shuffle(order)\n", "            np.random.shuffle(order)\n            optimizer.zero_grad()\n"),
)
wrong(
    "batches-used-up", "meta", "train", "training",
    "train makes one generator of mini-batches before the loop over the epochs; the first epoch uses it up, so later epochs train nothing and log a loss of 0.",
    ("        for batch in batches(len(images), batch_size):\n", "        for batch in plan:\n"),
    ("    for _ in progress:\n", "    plan = batches(len(images), batch_size)\n    for _ in progress:\n"),
)
wrong(
    "meter-never-reset", "slots", "train", "training",
    "train never starts its running mean anew, so from the second epoch on it logs the mean loss of all epochs so far instead of that of the epoch.",
    ("        meter = Meter()\n", ""),
    ("    criterion = MSELoss()\n", "    criterion = MSELoss()\n    meter = Meter()\n"),
)
wrong(
    "layers-in-a-list", "meta", "model", "training",
    "SuperModel keeps its layers in a plain list, where they are not registered, so parameters() is empty and training changes nothing.",
    (
        '        for i in range(self.depth):\n            setattr(self, f"layer{i}", Linear(sizes[i], sizes[i + 1]))\n',
        "        self.layers = [Linear(sizes[i], sizes[i + 1]) for i in range(self.depth)]\n",
    ),
    ('            x = getattr(self, f"layer{i}")(relu(x) if i else x)\n', "            x = self.layers[i](relu(x) if i else x)\n"),
)
wrong(
    "model-cuts-the-graph", "slots", "model", "training",
    "SuperModel.forward wraps the hidden layer's values in a new MyTensor, which cuts the graph, so the first Linear gets no gradient.",
    ("        return self.output(self.relu(self.hidden(x)))\n", "        return self.output(MyTensor(self.relu(self.hidden(x)).data))\n"),
)
wrong(
    "new-output-layer-in-each-forward", "cpp_like", "model", "training",
    "SuperModel.forward makes a new random output layer in each call instead of using the registered one, so the scores change from call to call and the output layer never learns.",
    ("        return self.output.forward(h)\n", "        return Linear(self.N_HIDDEN, self.N_OUT).forward(h)\n"),
)

# Partial work

wrong(
    "unbroadcast-stub", "meta", "tensor", "partial",
    "unbroadcast is still the stub that returns the gradient as it is, so a stretched operand gets a gradient in the output's shape instead of its own.",
    (
        """    extra = gradient.ndim - len(shape)
    padded = (1,) * extra + tuple(shape)
    stretched = tuple(i for i, (n, m) in enumerate(zip(padded, gradient.shape)) if n == 1 and m != 1)
    return gradient.sum(axis=stretched, keepdims=True).reshape(shape)
""",
        "    return gradient\n",
    ),
)
wrong(
    "pow-rule-is-a-stub", "buffers", "tensor", "partial",
    "The rule of ** is not written, it returns None, so backward through a power raises TypeError.",
    (
        """    if power == 0:
        return np.zeros_like(base), None
    slope = np.power(tensor.data, power - 1)
    slope = slope * power
    return slope * base, None
""",
        "    ...\n",
    ),
)
wrong(
    "loss-not-summed", "cpp_like", "mseloss", "partial",
    "MSELoss is half done: it returns the squared errors divided by their number element by element, not their sum, so the loss has the shape of y instead of being a scalar.",
    ("return sum(diff * diff) * (1.0 / diff.size)", "return diff * diff * (1.0 / diff.size)"),
)
wrong(
    "relu-not-recorded", "mathematician", "relu", "partial",
    "relu computes its values but records no operation, so its result requires no gradient.",
    ('return primitive(np.maximum(x.data, 0), relu_deriv, "Relu", x)', "return MyTensor(np.maximum(x.data, 0))"),
)
wrong(
    "one-epoch-only", "slots", "train", "partial",
    "train returns inside the loop over the epochs, after the first one.",
    ('            progress.set_postfix(loss=f"{losses[-1]:.4f}")\n    return losses', '            progress.set_postfix(loss=f"{losses[-1]:.4f}")\n        return losses'),
)

# Copied and not adapted

wrong(
    "rtruediv-with-the-rule-of-mul", "buffers", "tensor", "copy",
    "Backward of number / x (__rtruediv__): it is recorded with the rule of *, so x gets G * number instead of -G * number / x**2.",
    (
        'return self.__binary(np.true_divide, self.__operand(other), self, div_deriv, "DivBackward")',
        'return self.__binary(np.true_divide, self.__operand(other), self, mul_deriv, "DivBackward")',
    ),
)
wrong(
    "sub-rule-copied-from-add", "slots", "tensor", "copy",
    "Backward of a - b: the right operand gets G instead of -G, as for +.",
    ("(other, lambda g: fit(-g, other.shape))", "(other, lambda g: fit(g, other.shape))"),
)
wrong(
    "div-left-copied-from-mul", "meta", "tensor", "copy",
    "Backward of a / b: the left operand gets G * b instead of G / b, as for *.",
    ("lambda g, a, b: g / b,", "lambda g, a, b: g * b,"),
)
wrong(
    "rsub-copied-from-sub", "cpp_like", "tensor", "copy",
    "number - x (__rsub__) computes x - number, as __sub__ does: the operands are not swapped.",
    ("return MyTensor.__binary(Op.SUB, lhs, self)", "return MyTensor.__binary(Op.SUB, self, lhs)"),
)
wrong(
    "rtruediv-copied-from-rmul", "mathematician", "tensor", "copy",
    "number / x (__rtruediv__) computes number * x, as __rmul__ does.",
    ("return as_tensor(other) * self**-1", "return as_tensor(other) * self"),
)

# Two slips at once

wrong(
    "pair-pow-factor-and-relu-at-zero", "slots", "tensor", "pair",
    "Two slips: backward of x ** n lacks the factor n (G * x**(n-1)), and backward of relu lets the upstream gradient through at 0, where it should be 0.",
    ("g * power * floats ** (power - 1)", "g * floats ** (power - 1)"),
    ("    positive = x.data > 0\n", "    positive = x.data >= 0\n"),
)
wrong(
    "pair-step-uphill-and-loss-without-mean", "cpp_like", "sgd", "pair",
    "Two slips: SGD.step adds lr times the gradient instead of subtracting it, and MSELoss is the sum of the squared errors, not divided by their number.",
    ("            tensor.data[...] -= self.lr * tensor.grad\n", "            tensor.data[...] += self.lr * tensor.grad\n"),
    ("return sum(diff * diff) * (1.0 / diff.size)", "return sum(diff * diff)"),
)
wrong(
    "pair-own-parameters-and-default-lr", "meta", "module", "pair",
    "Two slips: parameters() returns only the module's own parameters, not those of its sub-modules, and train does not pass lr to SGD, which uses its default of 0.01.",
    ("        for part in self.__sub_modules.values():\n            unique |= {id(theirs): theirs for theirs in part.parameters()}\n", ""),
    ("SGD(model.parameters(), lr)", "SGD(model.parameters())"),
)
wrong(
    "pair-mul-own-values-and-large-weights", "buffers", "tensor", "pair",
    "Two slips: backward of a * b multiplies the right operand's gradient by b itself instead of by a, and Linear draws its weights from (-1, 1), without the factor 1/sqrt(in).",
    ("unbroadcast(np.multiply(base, left.data), right.shape)", "unbroadcast(np.multiply(base, right.data), right.shape)"),
    ("bound = input_size**-0.5", "bound = 1.0"),
)
wrong(
    "pair-mean-by-rows-and-no-zero-grad", "mathematician", "mseloss", "pair",
    "Two slips: MSELoss divides by the length of the first dimension instead of the number of all elements, and train never calls zero_grad.",
    ("    return sum(x) / x.size\n", "    return sum(x) / len(x.data)\n"),
    ("            descent.zero_grad()\n", ""),
)
