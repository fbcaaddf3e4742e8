from corpus.entry import Blind

WRONG = [
    # ------------------------------------------------------------ tensor: holding numbers
    Blind(
        "copies-unless-dtype-is-asked", "beginner", "tensor", "memory",
        "With a dtype the constructor uses np.asarray, so an array that already has it is not copied but shared.",
        (("self.__data = np.array(data, dtype=dtype)", "self.__data = np.array(data) if dtype is None else np.asarray(data, dtype)"),),
    ),
    Blind(
        "repr-written-once", "iterators", "tensor", "state",
        "The text of repr is made in the constructor and kept, so it shows old values after a write by index.",
        (
            ("        self.number = next(MyTensor.__numbers)", "        self.number = next(MyTensor.__numbers)\n        self.__text = f\"MyTensor({self.__data}, requires_grad={self.requires_grad})\""),
            ("        return f\"MyTensor({self.__data}, requires_grad={self.requires_grad})\"\n\n    def __getitem__", "        return self.__text\n\n    def __getitem__"),
        ),
    ),
    Blind(
        "setitem-into-a-new-array", "sourcelike", "tensor", "memory",
        "tensor[i] = v replaces the tensor's array by a changed copy, so whoever holds tensor.data does not see the write.",
        (("        self.__data[index] = value", "        changed = self.__data.copy()\n        changed[index] = value\n        self.__data = changed"),),
    ),
    Blind(
        "data-with-a-setter", "compact", "tensor", "property",
        "data has got a setter, so that assigning it does not raise AttributeError.",
        (("    data = property(lambda self: self.__data)\n", "    data = property(\n        lambda self: self.__data, lambda self, array: setattr(self, \"_MyTensor__data\", array)\n    )\n"),),
    ),
    Blind(
        "index-gives-a-tensor", "beginner", "tensor", "misunderstanding",
        "Indexing wraps what it reads in a new MyTensor in place of giving plain NumPy values.",
        (("        return self.__data[index]", "        return MyTensor(self.__data[index])"),),
    ),
    Blind(
        "grad-starts-as-zeros", "compact", "tensor", "state",
        "A tensor that requires a gradient starts with a grad of zeros, not None.",
        (("    self.grad, self.backward_op = None, crossOpBack", "    self.grad, self.backward_op = (np.zeros(self.__data.shape) if requires_grad else None), crossOpBack"),),
    ),
    Blind(
        "small-numbers-are-kept-once", "sourcelike", "tensor", "sharing",
        "Arrays of plain numbers are kept in a class-level cache, so two tensors made of the same number share one array.",
        (
            ("    @staticmethod\n    def _storage(", "    _numbers: dict = {}\n\n    @staticmethod\n    def _storage("),
            ("        if isinstance(data, (list, tuple, np.ndarray, np.number, int, float)):\n", "        if isinstance(data, (int, float)):\n            key = (type(data), data, dtype)\n            return MyTensor._numbers.setdefault(key, np.array(data, dtype=dtype))\n        if isinstance(data, (list, tuple, np.ndarray, np.number)):\n"),
        ),
    ),
    Blind(
        "only-text-is-refused", "iterators", "tensor", "validation",
        "The constructor refuses only text: None and dictionaries become arrays of objects in place of a TypeError.",
        (("        if not isinstance(data, (list, tuple, np.ndarray) + numeric):", "        if isinstance(data, (str, bytes)) and not isinstance(data, numeric):"),),
    ),
    Blind(
        "dtype-said-not-looked-up-and-no-numpy-numbers", "textbook", "tensor", "pair",
        "dtype is float64 wherever none was asked for, even if the array holds whole numbers or float32; and NumPy's numbers are refused as data.",
        (
            ("        self.dtype = self.__data.dtype", "        self.dtype = np.dtype(dtype or np.float64)"),
            ("    ACCEPTED = (list, tuple, np.ndarray, np.number, int, float)", "    ACCEPTED = (list, tuple, np.ndarray, int, float)"),
        ),
    ),
    # ------------------------------------------------------------ tensor: unbroadcast
    Blind(
        "one-extra-dimension-and-power-zero", "beginner", "tensor", "pair",
        "unbroadcast sums over at most one missing dimension in front (an if in place of a while); and x ** 0 has the gradient nan at 0.",
        (
            ("    while result.ndim > len(shape):", "    if result.ndim > len(shape):"),
            ("    if power == 0:\n        return np.zeros_like(tensor.data), None\n", ""),
        ),
    ),
    Blind(
        "ones-before-the-front", "textbook", "tensor", "order",
        "unbroadcast sums the axes of length 1 before the extra ones in front are gone, so it sums the wrong axes where both occur.",
        (
            ("    S = gradient.sum(axis=tuple(range(extra)))\n", ""),
            ("    return S.sum(axis=ones, keepdims=True)", "    S = gradient.sum(axis=ones, keepdims=True)\n    return S.sum(axis=tuple(range(extra)))"),
        ),
    ),
    Blind(
        "same-count-is-same-shape", "sourcelike", "tensor", "shape",
        "unbroadcast returns the gradient as it is when only the number of elements agrees, so (1, 3) for an operand of shape (3,) keeps its extra dimension.",
        (("    if gradient.shape == tuple(shape):", "    if gradient.size == int(np.prod(shape)):"),),
    ),
    # ------------------------------------------------------------ tensor: the rules
    Blind(
        "divisor-from-the-folded-gradient", "sourcelike", "tensor", "order",
        "div_deriv computes the divisor's gradient from the dividend's after that was unbroadcast, so it is wrong where the dividend was stretched.",
        (
            ("    grad_left = base / right.data\n", "    grad_left = unbroadcast(base / right.data, left.shape)\n"),
            ("    return unbroadcast(grad_left, left.shape), unbroadcast(grad_right, right.shape)\n\n\ndef pow_deriv", "    return grad_left, unbroadcast(grad_right, right.shape)\n\n\ndef pow_deriv"),
        ),
    ),
    Blind(
        "power-not-below-zero", "textbook", "tensor", "rule",
        "pow_deriv clips the lowered power at 0 to be safe from dividing by zero, so negative powers and roots get a wrong gradient.",
        (("    slope = n * x.data ** (n - 1) if n != 0 else np.zeros(x.shape)", "    slope = n * x.data ** max(n - 1, 0)"),),
    ),
    Blind(
        "mul-writes-into-base", "beginner", "tensor", "memory",
        "mul_deriv multiplies the upstream gradient in place, which changes the base that it was handed.",
        (
            ("    left_gradient = base * right.data\n    right_gradient = base * left.data\n", "    right_gradient = base * left.data\n    left_gradient = base\n    left_gradient *= right.data\n"),
        ),
    ),
    Blind(
        "square-is-two-x-on-both-sides", "beginner", "tensor", "misunderstanding",
        "For x * x mul_deriv returns 2x for each of the two operands, and the walk adds them up to 4x.",
        (("    left_gradient = base * right.data\n", "    if left is right:\n        return 2 * base * left.data, 2 * base * left.data\n    left_gradient = base * right.data\n"),),
    ),
    Blind(
        "whole-powers-and-element-strides", "sourcelike", "tensor", "pair",
        "strides count elements, not bytes; and pow_deriv cuts the power to a whole number, so roots get a wrong gradient.",
        (
            ("        return self.__data.strides", "        return tuple(s // self.__data.itemsize for s in self.__data.strides)"),
            ("    tensor, exponent = args\n", "    tensor, exponent = args[0], int(args[1])\n"),
        ),
    ),
    Blind(
        "no-care-at-zero-and-neg-hands-on-plus", "compact", "tensor", "pair",
        "pow_deriv writes x**(n-1) as x**n / x, which is nan at 0; and the rule of unary minus hands the gradient on without its sign.",
        (
            ("    return (base * n * x.data ** (n - 1) if n else np.zeros_like(base)), None", "    return (base * n * x.data**n / x.data if n else np.zeros_like(base)), None"),
            ("lambda base, x: (-base,), \"Neg\"", "lambda base, x: (base,), \"Neg\""),
        ),
    ),
    # ------------------------------------------------------------ tensor: operators
    Blind(
        "rsub-records-swapped", "textbook", "tensor", "order",
        "5 - x has the right value, but its operands are recorded in swapped order, so x receives a gradient with the wrong sign.",
        (("        return self.__record(a, self, a.data - self.data, sub_deriv, \"SubBackward\")", "        return self.__record(self, a, a.data - self.data, sub_deriv, \"SubBackward\")"),),
    ),
    Blind(
        "all-must-want-and-rsub-forgets-side", "iterators", "tensor", "pair",
        "A result requires a gradient only if all its tensors do; and number - x computes x - number.",
        (
            ("        wanted = any(t.requires_grad", "        wanted = all(t.requires_grad"),
            ("        return SUB.apply(other, self)", "        return SUB.apply(self, other)"),
        ),
    ),
    Blind(
        "number-in-the-tensors-dtype", "sourcelike", "tensor", "dtype",
        "A number at the right is wrapped with the left tensor's dtype, so 2.5 is cut to 2 beside whole numbers.",
        (("    right = right if isinstance(right, MyTensor) else MyTensor(right)\n", "    right = right if isinstance(right, MyTensor) else MyTensor(right, dtype=left.dtype)\n"),),
    ),
    Blind(
        "constants-remembered-by-value", "compact", "tensor", "state",
        "Each operator remembers its constants by value in a dictionary, so the dtype of the first use of a number decides over later ones (2 and 2.0 are one key), and arrays as operands raise an error.",
        (
            ("    f = RULES[name][0]\n\n", "    f = RULES[name][0]\n    constants = {}\n\n"),
            ("            other = MyTensor(other, np.result_type(self.dtype, other))", "            other = constants.setdefault(\n                other, MyTensor(other, np.result_type(self.dtype, other))\n            )"),
        ),
    ),
    Blind(
        "zero-plus-x-is-x", "beginner", "tensor", "sharing",
        "0 + x returns x itself, not a new tensor, so writing into the result changes x.",
        (("        return MyTensor(other) + self", "        if isinstance(other, (int, float)) and other == 0:\n            return self  # for Python's sum\n        return MyTensor(other) + self"),),
    ),
    Blind(
        "minus-is-a-leaf", "compact", "tensor", "graph",
        "-x is a new leaf that requires a gradient: the operation is not recorded, so nothing comes back to x.",
        (("    __neg__ = lambda self: record(-self.data, lambda base, x: (-base,), \"Neg\", self)", "    __neg__ = lambda self: MyTensor(-self.data, requires_grad=self.requires_grad)"),),
    ),
    Blind(
        "records-copies-of-its-inputs", "sourcelike", "tensor", "graph",
        "Operations record copies of their operands (to be safe from later writes), so gradients end in the copies and the real leaves get none.",
        (("    node = MyCrossBackward(*inputs, backward_function=rule, name=name)", "    inputs = tuple(\n        MyTensor(i.data, requires_grad=i.requires_grad, crossOpBack=i.backward_op)\n        if isinstance(i, MyTensor)\n        else i\n        for i in inputs\n    )\n    node = MyCrossBackward(*inputs, backward_function=rule, name=name)"),),
    ),
    Blind(
        "number-over-x-by-a-power", "textbook", "tensor", "dtype",
        "number / x is computed as number * x ** -1, which NumPy refuses for whole numbers.",
        (("        return self.__record(a, self, a.data / self.data, div_deriv, \"DivBackward\")", "        return a * self**-1"),),
    ),
    Blind(
        "power-by-repetition", "beginner", "tensor", "misunderstanding",
        "x ** n multiplies x by itself n - 1 times, so it fails for fractions, gives x for 0 and negative powers, and x itself for 1.",
        (("        values = self.data ** power\n        if self.requires_grad:\n            op = MyCrossBackward(self, power, backward_function=pow_deriv, name=\"PowBackward\")\n            return MyTensor(values, requires_grad=True, crossOpBack=op)\n        return MyTensor(values)\n", "        result = self\n        for _ in range(power - 1):\n            result = result * self\n        return result\n"),),
    ),
    Blind(
        "numpy-takes-the-lead", "sourcelike", "tensor", "operators",
        "__array_ufunc__ = None is gone, so an array (or a NumPy number) at the left spreads over the tensor itself and gives an array of objects.",
        (("    __array_ufunc__ = None\n\n", ""),),
    ),
    # ------------------------------------------------------------ tensor: the walk
    Blind(
        "seen-when-pushed", "textbook", "tensor", "walk",
        "The depth-first search marks a node as seen when it is pushed, not when it is opened, so the order is not topological where a node is reached by a short and a long path.",
        (
            ("            if node in seen:\n                continue\n            seen.add(node)\n", ""),
            ("                    if isinstance(v, MyTensor) and v.requires_grad:\n                        stack.append((v, False))", "                    if isinstance(v, MyTensor) and v.requires_grad and v not in seen:\n                        seen.add(v)\n                        stack.append((v, False))"),
        ),
    ),
    Blind(
        "pre-order-walk", "textbook", "tensor", "walk",
        "The walk goes through the nodes in pre-order, as the search first meets them, so a shared node hands on its gradient before all of it has arrived.",
        (
            ("            if inputs_done:\n                order.append(node)\n                continue\n", "            if inputs_done:\n                continue\n"),
            ("            seen.add(node)\n", "            seen.add(node)\n            order.append(node)\n"),
            ("        for v in reversed(self.__topological_order()):\n            G = adjoint.pop(v)\n", "        for v in self.__topological_order():\n            G = adjoint.get(v, np.zeros(v.shape))\n"),
        ),
    ),
    Blind(
        "seen-as-a-default-argument", "textbook", "tensor", "defaults",
        "The set of seen nodes is a default argument, so it is remembered: nodes of an earlier walk are missing in each later one.",
        (
            ("    def __topological_order(self) -> list:", "    def __topological_order(self, seen=set()) -> list:"),
            ("        order, seen = [], set()\n", "        order = []\n"),
        ),
    ),
    Blind(
        "counts-as-a-default-argument", "beginner", "tensor", "defaults",
        "The counts are kept in a default argument and survive the walk, so a second walk over the same graph does not count again and gets stuck.",
        (
            ("    def backward(self, base=None):", "    def backward(self, base=None, counts={}):"),
            ("        counts = {self: 0}\n", "        counts[self] = 0\n"),
        ),
    ),
    Blind(
        "x-times-x-counts-once", "compact", "tensor", "walk",
        "An operation that takes the same tensor twice is counted as one consumer, so for x * x the tensor is visited after the first of two shares.",
        (("            for i in edges(stack.pop()):", "            for i in dict.fromkeys(edges(stack.pop())):"),),
    ),
    Blind(
        "consumers-counted-while-recording", "compact", "tensor", "state",
        "Consumers are counted when operations are recorded, also those that do not lead to this result, so a walk that sees only a part of them waits forever.",
        (
            ("    op = MyCrossBackward(*inputs, backward_function=rule, name=name + \"Backward\")\n", "    for i in inputs:\n        if isinstance(i, MyTensor):\n            i.consumers = getattr(i, \"consumers\", 0) + 1\n    op = MyCrossBackward(*inputs, backward_function=rule, name=name + \"Backward\")\n"),
            ("                waiting[i] = waiting.get(i, 0) + 1", "                waiting[i] = getattr(i, \"consumers\", 1)"),
        ),
    ),
    Blind(
        "oldest-first", "iterators", "tensor", "walk",
        "The heap gives out the oldest tensor first, so each share is handed on as it comes: right numbers, but nodes are visited once for every path.",
        (("        key = -tensor.number\n", "        key = tensor.number\n"),),
    ),
    Blind(
        "one-buffer-that-is-never-emptied", "sourcelike", "tensor", "pair",
        "The buffer is a class attribute that all walks share; and what is taken from it stays in it, so later walks add to the gradients of earlier ones.",
        (
            ("    def __init__(self) -> None:\n        self._buffer: dict[int, Any] = {}\n", "    _buffer: dict[int, Any] = {}\n"),
            ("        return self._buffer.pop(id(tensor))", "        return self._buffer[id(tensor)]"),
        ),
    ),
    Blind(
        "places-counted-after-the-filter", "sourcelike", "tensor", "walk",
        "Operands are numbered after those without gradient were left out, so where the left one is a constant, the right one receives the left one's gradient.",
        (
            ("        return [\n            (position, operand)\n            for position, operand in enumerate(tensor.backward_op.inputs)\n            if isinstance(operand, MyTensor) and operand.requires_grad\n        ]", "        wanted = [\n            operand\n            for operand in tensor.backward_op.inputs\n            if isinstance(operand, MyTensor) and operand.requires_grad\n        ]\n        return list(enumerate(wanted))"),
        ),
    ),
    Blind(
        "buffer-adds-in-place", "sourcelike", "tensor", "memory",
        "The buffer adds shares in place, into an array that a rule may have handed to both operands, or that is the caller's base.",
        (
            ("        old = self._buffer.get(id(tensor))\n        self._buffer[id(tensor)] = share if old is None else old + share", "        if id(tensor) in self._buffer:\n            self._buffer[id(tensor)] += share\n        else:\n            self._buffer[id(tensor)] = share"),
        ),
    ),
    Blind(
        "leaf-takes-base-itself", "beginner", "tensor", "pair",
        "backward on a leaf overwrites its grad in place of adding; and it keeps the array of base itself, not a copy.",
        (("        # 1. count how often each tensor is an input\n", "        if self.backward_op is None:\n            self.grad = upstream\n            return\n\n        # 1. count how often each tensor is an input\n"),),
    ),
    Blind(
        "shares-in-a-dictionary", "textbook", "tensor", "walk",
        "The shares of an operation go through a dictionary with the inputs as keys, so an input that occurs twice keeps only its second share.",
        (("            for u, dLdu in zip(v.backward_op.inputs, v.backward_op.run(G)):", "            for u, dLdu in dict(zip(v.backward_op.inputs, v.backward_op.run(G))).items():"),),
    ),
    Blind(
        "zero-is-not-worth-the-way", "compact", "tensor", "walk",
        "Shares that are all zero are skipped, without lowering the count, so leaves with a gradient of zero keep None and tensors that also get other shares are never visited.",
        (("                if i in waiting:\n                    arrived", "                if i in waiting and np.any(share):\n                    arrived"),),
    ),
    Blind(
        "frees-the-graph", "beginner", "tensor", "state",
        "The walk removes the backward_op of each result that it has passed, so results become leaves and the graph cannot be walked again.",
        (("            shares = tensor.backward_op(gradient)\n            for parent, share in zip(tensor.backward_op.inputs, shares):\n", "            op = tensor.backward_op\n            tensor.backward_op = None  # free the memory\n            shares = op(gradient)\n            for parent, share in zip(op.inputs, shares):\n"),),
    ),
    Blind(
        "each-walk-starts-clean", "textbook", "tensor", "state",
        "Each walk first sets the grad of all its nodes to None, so the gradients of several walks are not added up.",
        (("        adjoint = {self: upstream}\n", "        adjoint = {self: upstream}\n        for v in self.__topological_order():\n            v.grad = None\n"),),
    ),
    Blind(
        "counts-by-recursion", "sourcelike", "tensor", "walk",
        "The dependencies are counted by recursion, which ends at Python's limit of about 1,000 calls in a long graph.",
        (
            ("        seen = {id(root)}\n        queue = [root]\n        while queue:\n            tensor = queue.pop()\n            for _, operand in self.next_edges(tensor):\n                self.dependencies[id(operand)] = self.dependencies.get(id(operand), 0) + 1\n                if id(operand) not in seen:\n                    seen.add(id(operand))\n                    queue.append(operand)\n", "        for _, operand in self.next_edges(root):\n            new = id(operand) not in self.dependencies\n            self.dependencies[id(operand)] = self.dependencies.get(id(operand), 0) + 1\n            if new:\n                self.compute_dependencies(operand)\n"),
        ),
    ),
    Blind(
        "numbered-by-depth", "iterators", "tensor", "walk",
        "Tensors are numbered by their depth in the graph, but the number is also the key under which gradients arrive, so tensors of equal depth get each other's gradients.",
        (("        self.number = next(MyTensor.__numbers)", "        self.number = 0\n        if crossOpBack is not None:\n            self.number = 1 + max(t.number for t in crossOpBack.inputs if isinstance(t, MyTensor))"),),
        nameable=False,
    ),
    Blind(
        "base-only-gives-its-shape", "iterators", "tensor", "misunderstanding",
        "The walk starts with ones also where a base is given: only the shape of base is looked at.",
        (("        walk.arrive(self, upstream)", "        walk.arrive(self, np.ones_like(upstream))"),),
    ),
    Blind(
        "equal-values-are-the-same-tensor", "beginner", "tensor", "walk",
        "MyTensor defines __eq__ and __hash__ by its values, so in the dictionaries of the walk two tensors with equal values are one key and one of them gets the gradients of both.",
        (("class MyTensor(MyTensor):\n    def backward(", "class MyTensor(MyTensor):\n    def __eq__(self, other):\n        return isinstance(other, MyTensor) and np.array_equal(self.data, other.data)\n\n    def __hash__(self):\n        return hash(self.data.tobytes())\n\n    def backward("),),
    ),
    Blind(
        "constants-collect-too-and-last-share-wins", "textbook", "tensor", "pair",
        "Leaves that require no gradient get one, too; and a second walk overwrites the grad of a leaf in place of adding.",
        (
            ("                    if isinstance(v, MyTensor) and v.requires_grad:\n", "                    if isinstance(v, MyTensor):\n"),
            ("                if isinstance(u, MyTensor) and u.requires_grad:\n", "                if isinstance(u, MyTensor):\n"),
            ("                v.grad = np.array(G if v.grad is None else v.grad + G)", "                v.grad = np.array(G)"),
        ),
    ),
    # ------------------------------------------------------------ module
    Blind(
        "one-per-name", "beginner", "module", "misunderstanding",
        "parameters() keeps one parameter for each name, so of all weights in the tree only one is left, and of all biases.",
        (("        once = []\n        for parameter in found:\n            if parameter not in once:\n                once.append(parameter)\n        return once", "        once = {}\n        for parameter in found:\n            once[parameter.name] = parameter\n        return list(once.values())"),),
    ),
    Blind(
        "list-remembered-after-first-call", "textbook", "module", "state",
        "parameters() keeps its first answer, so what is added, replaced or removed later does not show.",
        (("        union = list(self.__parameters.values())\n        for module in self.__sub_modules.values():\n            union = union + module.parameters()\n        return list(dict.fromkeys(union))", "        if not hasattr(self, \"all_parameters\"):\n            union = list(self.__parameters.values())\n            for module in self.__sub_modules.values():\n                union = union + module.parameters()\n            self.all_parameters = list(dict.fromkeys(union))\n        return self.all_parameters"),),
    ),
    Blind(
        "memo-as-a-default-argument", "sourcelike", "module", "defaults",
        "The memo of visited modules is a default argument that all calls share, so a module is found only by the first call that meets it.",
        (("    def modules(self, memo: set | None = None):\n        memo = set() if memo is None else memo\n", "    def modules(self, memo: set = set()):\n"),),
    ),
    Blind(
        "adopts-the-childrens-parameters", "iterators", "module", "state",
        "parameters() enters the sub-modules' parameters under their own names into the module's dictionary, so equal names replace each other and a module that was replaced leaves its parameters behind.",
        (
            ("        yield from self.__parameters.values()\n        for module in self.__sub_modules.values():\n            yield from module.each_parameter()\n", "        for module in self.__sub_modules.values():\n            for parameter in module.each_parameter():\n                self.__parameters[parameter.name] = parameter\n        yield from self.__parameters.values()\n"),
        ),
    ),
    Blind(
        "modules-once-but-not-parameters", "sourcelike", "module", "sharing",
        "Each module is visited once, but a parameter that two different modules share is listed twice.",
        (("                if parameter in memo:\n                    continue\n                memo.add(parameter)\n", ""),),
    ),
    Blind(
        "stops-at-the-first-known", "sourcelike", "module", "walk",
        "At a parameter that was met before the loop breaks in place of going on, so the other parameters of that module are missing.",
        (("                if parameter in memo:\n                    continue\n", "                if parameter in memo:\n                    break\n"),),
    ),
    Blind(
        "owner-or-composer", "beginner", "module", "misunderstanding",
        "A module that owns parameters itself does not look into its sub-modules.",
        (("        for module in self.__sub_modules.values():\n            for parameter in module.parameters():", "        modules = self.__sub_modules.values() if not found else []\n        for module in modules:\n            for parameter in module.parameters():"),),
    ),
    Blind(
        "only-children-no-grandchildren", "compact", "module", "walk",
        "parameters() reads the dictionaries of the direct sub-modules, so what lies deeper in the tree is missing.",
        (("for p in m.parameters()]\n        return", "for p in m._MyModule__parameters.values()]\n        return"),),
    ),
    Blind(
        "equal-numbers-count-as-shared", "textbook", "module", "sharing",
        "Two parameters with equal numbers are taken for the same one, so new biases of zeros are listed only once.",
        (("        return list(dict.fromkeys(union))", "        once = []\n        for p in union:\n            if not any(np.array_equal(p.tensor.data, q.tensor.data) for q in once):\n                once.append(p)\n        return once"),),
    ),
    Blind(
        "frozen-are-left-out", "compact", "module", "misunderstanding",
        "parameters() leaves out parameters whose tensor does not require a gradient at the moment.",
        (("        return list(dict.fromkeys([*self.__parameters.values(), *deeper]))", "        found = dict.fromkeys([*self.__parameters.values(), *deeper])\n        return [p for p in found if p.tensor.requires_grad]"),),
    ),
    Blind(
        "tensors-not-parameters-twice", "iterators", "module", "pair",
        "parameters() gives the tensors in place of the Parameter objects; and a shared one is listed as often as it is met.",
        (("        once = {id(parameter): parameter for parameter in self.each_parameter()}\n        return list(once.values())", "        return [parameter.tensor for parameter in self.each_parameter()]"),),
    ),
    Blind(
        "own-list-is-handed-down", "beginner", "module", "pair",
        "The list of found parameters is a default argument: it grows from call to call and across modules; and only sub-modules directly below are asked for what they own.",
        (
            ("    def parameters(self):\n        found = []\n", "    def parameters(self, found=[]):\n"),
            ("            for parameter in module.parameters():\n", "            for parameter in module._MyModule__parameters.values():\n"),
        ),
    ),
    # ------------------------------------------------------------ matmul
    Blind(
        "transpose-by-reshape", "textbook", "matmul", "shape",
        "matmul_deriv turns matrices over by reshape, which keeps the order of the elements: the shapes are right, the numbers are not.",
        (
            ("    dLdA = G @ B.data.T\n    dLdB = A2.T @ G\n", "    dLdA = G @ B.data.reshape(B.shape[1], B.shape[0])\n    dLdB = A2.reshape(A2.shape[1], A2.shape[0]) @ G\n"),
        ),
    ),
    Blind(
        "recorded-for-the-left-only", "beginner", "matmul", "graph",
        "matmul records only if its left operand requires a gradient, so the weight gets none where the input is plain data.",
        (("    if a.requires_grad or b.requires_grad:\n        op = MyCrossBackward(a, b, backward_function=matmul_deriv", "    if a.requires_grad:\n        op = MyCrossBackward(a, b, backward_function=matmul_deriv"),),
    ),
    Blind(
        "none-ends-the-round", "sourcelike", "matmul", "pair",
        "Where a rule returns None the walk leaves the operation in place of passing the input by, and matmul_deriv gives None for the wrong operand, so a right operand with a constant at its left gets no gradient.",
        (
            ("            for position, operand in self.next_edges(tensor):\n                self.buffer.add(operand, outputs[position])", "            for position, operand in self.next_edges(tensor):\n                if outputs[position] is None:\n                    break\n                self.buffer.add(operand, outputs[position])"),
            ("    if right.requires_grad:\n        if left.data.ndim == 1:", "    if left.requires_grad and right.requires_grad:\n        if left.data.ndim == 1:"),
        ),
    ),
    Blind(
        "batch-of-one-is-a-row", "beginner", "matmul", "shape",
        "A batch of one, shape (1, k), is taken for a single row, and its gradient gets the shape (k,).",
        (
            ("    if left.data.ndim == 1:\n        row", "    if left.data.ndim == 1 or left.shape[0] == 1:\n        row"),
            ("        left_gradient = (g @ right.data.T).reshape(left.shape)", "        left_gradient = (g @ right.data.T).reshape(-1)"),
        ),
    ),
    Blind(
        "row-becomes-a-batch", "compact", "matmul", "shape",
        "The product of a single row stays a matrix with one row: shape (1, m) in place of (m,).",
        (("    return record(a.data @ b.data, matmul_deriv, \"Matmul\", a, b)", "    return record(np.atleast_2d(a.data) @ b.data, matmul_deriv, \"Matmul\", a, b)"),),
    ),
    Blind(
        "outer-for-a-row-turned", "iterators", "matmul", "shape",
        "The gradient of the right operand adds up the wrong index: it is G times A, turned over, so it has shape (m, k) and is wrong also for square matrices.",
        (("    toward_right = np.einsum(\"nk,nm->km\",", "    toward_right = np.einsum(\"nk,nm->mk\","),),
    ),
    # ------------------------------------------------------------ linear
    Blind(
        "seeds-in-each-layer", "beginner", "linear", "state",
        "Each Linear seeds NumPy's generator itself, so layers of one size start with the same weights, and whatever is drawn later repeats too.",
        (("        weight = np.random.uniform(-bound, bound, (input_size, output_size))", "        np.random.seed(0)\n        weight = np.random.uniform(-bound, bound, (input_size, output_size))"),),
    ),
    Blind(
        "turned-over-when-built", "sourcelike", "linear", "state",
        "The transposed weight is computed once in the constructor, so forward goes on with the first numbers after the weight has changed.",
        (
            ("        self.reset_parameters()\n\n", "        self.reset_parameters()\n        self.turned = transpose(self.weight.tensor)\n\n"),
            ("        return linear(x, self.weight.tensor, self.bias.tensor)", "        return matmul(x, self.turned) + self.bias.tensor"),
        ),
    ),
    Blind(
        "bias-as-one-row-and-large-weights", "textbook", "linear", "pair",
        "The bias has shape (1, out), so that a single row of shape (in,) gives a result of shape (1, out) in place of (out,); and the weights are drawn with size 1, not divided by the root of the number of inputs.",
        (
            ("        b = np.zeros(output_size)", "        b = np.zeros((1, output_size))"),
            ("        W = np.random.uniform(-bound, bound, size=(input_size, output_size))", "        W = np.random.normal(size=(input_size, output_size))"),
        ),
    ),
    Blind(
        "one-bias-for-all-units", "iterators", "linear", "misunderstanding",
        "The layer has a single bias number that all units share, in place of one for each.",
        (("        self.bias = Parameter(MyTensor(np.zeros(output_size)))", "        self.bias = Parameter(MyTensor(np.zeros(1)))"),),
    ),
    Blind(
        "bias-added-into-the-data", "beginner", "linear", "graph",
        "The bias is added to the product's array in place, beside the record, so it never receives a gradient.",
        (("        y = y + self.bias.tensor\n", "        y.data[...] += self.bias.tensor.data\n"),),
    ),
    Blind(
        "bias-shared-by-size", "textbook", "linear", "sharing",
        "Biases are kept in a class-level dictionary by size, so all layers with as many outputs share one bias.",
        (
            ("    \"\"\"Y = X W + b\"\"\"\n", "    \"\"\"Y = X W + b\"\"\"\n\n    biases = {}\n"),
            ("        b = np.zeros(output_size)\n", ""),
            ("        self.bias = Parameter(MyTensor(b))", "        if output_size not in Linear.biases:\n            Linear.biases[output_size] = Parameter(MyTensor(np.zeros(output_size)))\n        self.bias = Linear.biases[output_size]"),
        ),
    ),
    Blind(
        "input-taken-out-of-its-graph", "sourcelike", "linear", "graph",
        "forward wraps the input's array in a new tensor, so the input, and all layers before, get no gradient.",
        (("        return linear(x, self.weight.tensor, self.bias.tensor)", "        return linear(MyTensor(x.data), self.weight.tensor, self.bias.tensor)"),),
    ),
    Blind(
        "units-start-equal", "iterators", "linear", "misunderstanding",
        "Only one column of weights is drawn and repeated, so all units of a layer start equal and stay so.",
        (("            MyTensor(np.random.uniform(-bound, bound, (input_size, output_size)))", "            MyTensor(np.tile(np.random.uniform(-bound, bound, (input_size, 1)), output_size))"),),
    ),
    Blind(
        "bound-from-the-outputs-no-minus", "beginner", "linear", "pair",
        "The bound of the weights comes from the number of outputs, not of inputs; and the weights are drawn from 0 up, so that all are positive.",
        (
            ("        bound = 1 / np.sqrt(input_size)\n", "        bound = 1 / np.sqrt(output_size)\n"),
            ("np.random.uniform(-bound, bound, (input_size, output_size))", "np.random.uniform(0, bound, (input_size, output_size))"),
        ),
    ),
    Blind(
        "memory-of-the-last-batch", "textbook", "linear", "state",
        "forward keeps its first result and gives it again whenever an input of the same shape comes, whatever its numbers are.",
        (("        W, b = self.weight.tensor, self.bias.tensor\n        return matmul(x, W) + b", "        W, b = self.weight.tensor, self.bias.tensor\n        if getattr(self, \"y\", None) is None or self.x_shape != x.shape:\n            self.x_shape, self.y = x.shape, matmul(x, W) + b\n        return self.y"),),
    ),
    Blind(
        "transpose-hands-on-unturned", "sourcelike", "linear", "rule",
        "The rule of transpose hands the gradient on without turning it back, so the weight's gradient has the wrong shape, or for square weights the wrong numbers.",
        (("    return (base.T,)", "    return (base,)"),),
    ),
    Blind(
        "row-without-bias-and-bias-a-plain-tensor", "compact", "linear", "pair",
        "A single row gets no bias; and the bias is a tensor, no Parameter, so that parameters() does not find it.",
        (
            ("        self.weight, self.bias = (\n            Parameter(MyTensor(draw(*shape))) for shape in ((input_size, output_size), (output_size,))\n        )", "        self.weight = Parameter(MyTensor(draw(input_size, output_size)))\n        self.bias = MyTensor(draw(output_size), requires_grad=True)"),
            ("        return matmul(x, self.weight.tensor) + self.bias.tensor", "        y = matmul(x, self.weight.tensor)\n        return y + self.bias if len(x.shape) == 2 else y"),
        ),
    ),
    # ------------------------------------------------------------ relu
    Blind(
        "mask-of-the-last-call", "textbook", "relu", "state",
        "The mask is kept in one place by the last call of relu, so if relu was called twice before backward both use the second mask.",
        (
            ("    y = np.maximum(x.data, 0)\n", "    y = np.maximum(x.data, 0)\n    relu.mask = x.data > 0\n"),
            ("    return (np.where(x.data > 0, base, 0),)", "    return (np.where(relu.mask, base, 0),)"),
        ),
    ),
    Blind(
        "nothing-to-do-returns-x", "sourcelike", "relu", "sharing",
        "If no element is negative, relu returns its input itself, so that a write into the result changes the input.",
        (("    return _make(np.maximum(x.data, 0), relu_deriv", "    if np.all(x.data >= 0):\n        return x\n    return _make(np.maximum(x.data, 0), relu_deriv"),),
    ),
    Blind(
        "clips-the-input-itself", "beginner", "relu", "memory",
        "relu sets the negative elements of its input to 0 in place.",
        (("    values = np.maximum(x.data, 0)\n", "    values = x.data\n    values[values < 0] = 0\n"),),
    ),
    Blind(
        "gates-the-gradient-by-its-own-sign", "iterators", "relu", "misunderstanding",
        "The rule applies ReLU to the gradient too: it lets only positive upstream gradients through, where it should look at x.",
        (("    return (np.where(x.data > 0, base, 0),)", "    return (np.where((x.data > 0) & (base > 0), base, 0),)"),),
    ),
    Blind(
        "result-decides-at-zero", "compact", "relu", "rule",
        "The rule's mask asks whether the result equals x, so at 0 the gradient passes where PyTorch takes 0.",
        (("    return (np.where(x.data > 0, base, 0),)", "    return (np.where(np.maximum(x.data, 0) == x.data, base, 0),)"),),
    ),
    Blind(
        "mask-as-a-factor", "beginner", "relu", "pair",
        "relu is a product with a mask of numbers, so minus infinity gives nan, and the mask is 1 at 0, so that the gradient passes there.",
        (("    values = np.maximum(x.data, 0)\n    if x.requires_grad:\n        op = MyCrossBackward(x, backward_function=relu_deriv, name=\"ReluBackward\")\n        return MyTensor(values, requires_grad=True, crossOpBack=op)\n    return MyTensor(values)\n", "    return x * MyTensor(np.where(x.data < 0, 0.0, 1.0))\n"),),
    ),
    # ------------------------------------------------------------ sgd
    Blind(
        "stops-at-the-first-without-gradient", "beginner", "sgd", "walk",
        "At a parameter without a gradient step breaks off the loop, so that all parameters after it stay where they are.",
        (("            if gradient is None:\n                continue\n            data", "            if gradient is None:\n                break\n            data"),),
    ),
    Blind(
        "gradients-slip-by-one", "sourcelike", "sgd", "walk",
        "All tensors are collected but only the gradients that exist, so after a parameter without a gradient each one is moved by its neighbor's.",
        (
            ("            if p.tensor.grad is not None:\n                params_with_grad.append(p.tensor)\n                d_p_list.append(p.tensor.grad)\n", "            params_with_grad.append(p.tensor)\n            if p.tensor.grad is not None:\n                d_p_list.append(p.tensor.grad)\n"),
        ),
    ),
    Blind(
        "momentum-that-nobody-asked-for", "sourcelike", "sgd", "state",
        "step keeps a velocity for each parameter and adds nine tenths of the last one, so from the second step on it moves too far.",
        (
            ("        for param, d_p in zip(tensors, gradients):\n            param.data[...] -= self.lr * d_p", "        for param, d_p in zip(tensors, gradients):\n            velocity = 0.9 * self.state.get(id(param), 0) + d_p\n            self.state[id(param)] = velocity\n            param.data[...] -= self.lr * velocity"),
            ("        self.params = list(parameters)\n", "        self.params = list(parameters)\n        self.state = {}\n"),
        ),
    ),
    Blind(
        "generator-walked-once", "iterators", "sgd", "state",
        "The parameters are kept as a generator, which the first zero_grad or step uses up: from then on nothing moves.",
        (("        self.params = list(parameters)", "        self.params = (parameter for parameter in parameters)"),),
    ),
    Blind(
        "one-list-for-all-optimizers", "beginner", "sgd", "sharing",
        "The list of parameters is a class attribute that each new optimizer extends, so an optimizer also moves and clears the parameters of all others.",
        (("    def __init__(self, parameters, lr=1e-2):\n        self.lr = lr\n        self.params = list(parameters)", "    params = []\n\n    def __init__(self, parameters, lr=1e-2):\n        self.lr = lr\n        self.params += list(parameters)"),),
    ),
    Blind(
        "new-array-through-the-back-door", "compact", "sgd", "memory",
        "step puts a new array into the tensor by its hidden name, so whoever holds the old array does not see the change.",
        (("            np.subtract(t.data, self.lr * t.grad, out=t.data, casting=\"same_kind\")", "            t._MyTensor__data = (t.data - self.lr * t.grad).astype(t.dtype)"),),
    ),
    Blind(
        "scales-the-gradient-itself", "textbook", "sgd", "memory",
        "step multiplies the gradient by lr in place, so the grad is changed and a second step without a new backward is too small.",
        (("                W -= self.lr * dLdW", "                dLdW *= self.lr\n                W -= dLdW"),),
    ),
    Blind(
        "zeros-in-place-of-none", "beginner", "sgd", "misunderstanding",
        "zero_grad sets the gradients to arrays of zeros, not to None.",
        (("            parameter.tensor.grad = None", "            parameter.tensor.grad = np.zeros(parameter.tensor.shape)"),),
    ),
    Blind(
        "row-by-row-and-slower-each-time", "iterators", "sgd", "pair",
        "step goes through the rows of the array, which a parameter without dimensions does not have; and it lowers the rate by one percent each time.",
        (("            data -= self.lr * tensor.grad.data\n", "            for row in range(len(data)):\n                data[row] -= self.lr * tensor.grad.data[row]\n        self.lr *= 0.99\n"),),
    ),
    Blind(
        "forgets-after-the-step-faster-default", "textbook", "sgd", "pair",
        "step sets the gradients to None when it has used them; and without lr the rate is 0.1 in place of 0.01.",
        (
            ("                W -= self.lr * dLdW", "                W -= self.lr * dLdW\n                p.tensor.grad = None"),
            ("    def __init__(self, parameters, lr=1e-2) -> None:", "    def __init__(self, parameters, lr=1e-1) -> None:"),
        ),
    ),
    # ------------------------------------------------------------ mseloss
    Blind(
        "count-of-the-first-call", "textbook", "mseloss", "state",
        "The loss object keeps the number of elements of its first call, so a batch of another size is divided by the wrong number.",
        (("        N = y.size\n        L = sum((y - y_target) ** 2) / N\n", "        if not hasattr(self, \"N\"):\n            self.N = y.size\n        L = sum((y - y_target) ** 2) / self.N\n"),),
    ),
    Blind(
        "difference-is-a-new-leaf", "beginner", "mseloss", "graph",
        "The difference is computed with the arrays and wrapped in a new tensor, so the loss is right but y gets no gradient.",
        (("        difference = y - y_target\n", "        wanted = y.requires_grad or y_target.requires_grad\n        difference = MyTensor(y.data - y_target.data, requires_grad=wanted)\n"),),
    ),
    Blind(
        "repeats-each-number-in-a-row", "compact", "mseloss", "axes",
        "sum_deriv repeats each number as often as the summed axis is long and reshapes, which puts them in the right places only for the last axis, and fails for several axes.",
        (("    G = base if axis is None else np.expand_dims(base, axis)\n    return np.broadcast_to(G, x.shape).copy(), None", "    if axis is None:\n        return np.full(x.shape, base), None\n    return np.repeat(base, x.shape[axis]).reshape(x.shape), None"),),
    ),
    Blind(
        "axes-not-counted-from-the-end", "sourcelike", "mseloss", "axes",
        "sum_deriv does not understand negative axes: it puts no 1 in their place, so the reshape fails.",
        (("        return np.full(x.shape, base), None\n    axes = axis if isinstance(axis, tuple) else (axis,)\n    axes = [a % x.data.ndim for a in axes]\n", "        return np.full(x.shape, base), None\n    axes = axis if isinstance(axis, tuple) else (axis,)\n"),),
    ),
    Blind(
        "axes-put-back-one-by-one", "textbook", "mseloss", "order",
        "sum_deriv puts several summed axes back one after the other in the order in which they were given, which is wrong or fails if that is not ascending, or if they are counted from the end.",
        (("        G = np.expand_dims(base, axis)\n", "        G = base\n        for a in axis if isinstance(axis, tuple) else (axis,):\n            G = np.expand_dims(G, a)\n"),),
    ),
    Blind(
        "rule-of-its-own-without-upstream", "compact", "mseloss", "rule",
        "MSELoss records a rule of its own that forgets the upstream gradient, so what is done with the loss afterwards does not count.",
        (("        return sum((y - y_target) ** 2) / y.size", "        d = y.data - y_target.data\n        rule = lambda base, y, t: (2 * d / d.size, -2 * d / d.size)\n        return record((d * d).mean(), rule, \"MSELoss\", y, y_target)"),),
    ),
    Blind(
        "mean-of-all-losses-so-far", "iterators", "mseloss", "state",
        "The loss object remembers all its losses and returns their mean, so a result depends on earlier calls.",
        (("        return sum(error * error) / error.size", "        loss = sum(error * error) / error.size\n        self.losses = [*getattr(self, \"losses\", []), loss]\n        return builtins.sum(self.losses) / len(self.losses)"),),
    ),
    Blind(
        "reduction-sum-by-default", "sourcelike", "mseloss", "defaults",
        "The default of reduction is \"sum\", so MSELoss() adds the squares up in place of taking the mean.",
        (("    def __init__(self, reduction: str = \"mean\") -> None:", "    def __init__(self, reduction: str = \"sum\") -> None:"),),
    ),
    Blind(
        "gradient-of-a-sum-is-its-elements", "iterators", "mseloss", "misunderstanding",
        "sum_deriv multiplies the upstream gradient by the elements of x, as if it were a product, where each element's derivative is 1.",
        (("    return base + np.zeros(x.shape), None", "    return base * x.data, None"),),
    ),
    Blind(
        "per-example-and-axes-not-put-back", "beginner", "mseloss", "pair",
        "MSELoss divides by the batch size in place of the number of elements; and sum_deriv does not put the summed axis back, so it works for axis 0 only.",
        (
            ("        return sum(squares) / squares.size", "        return sum(squares) / (squares.shape[0] if squares.shape else 1)"),
            ("    if axis is not None:\n        base = np.expand_dims(base, axis)\n", ""),
        ),
    ),
    # ------------------------------------------------------------ train
    Blind(
        "shuffles-the-callers-arrays", "sourcelike", "train", "memory",
        "The loader shuffles images and targets in place, alike, so after training the caller's own arrays stand in another order.",
        (
            ("        indices = np.random.permutation(len(self.images))\n        for start in range(0, len(indices), self.batch_size):\n            chosen = indices[start : start + self.batch_size]\n            yield self.images[chosen], self.targets[chosen]", "        state = np.random.get_state()\n        np.random.shuffle(self.images)\n        np.random.set_state(state)\n        np.random.shuffle(self.targets)\n        for start in range(0, len(self.images), self.batch_size):\n            end = start + self.batch_size\n            yield self.images[start:end], self.targets[start:end]"),
        ),
    ),
    Blind(
        "mini-batches-are-used-up", "iterators", "train", "state",
        "The generator of mini-batches is made once before the epochs, so after the first epoch it is used up and nothing is trained any more.",
        (("    for _ in range(epochs):\n        total = builtins.sum(one_step(rows) for rows in mini_batches(len(images), batch_size))", "    batches = mini_batches(len(images), batch_size)\n    for _ in range(epochs):\n        total = builtins.sum(one_step(rows) for rows in batches)"),),
    ),
    Blind(
        "running-loss-runs-on", "sourcelike", "train", "state",
        "The running loss starts once before the epochs, so the log is the mean over all epochs so far.",
        (("    for epoch in range(epochs):\n        running_loss, seen = 0.0, 0\n", "    running_loss, seen = 0.0, 0\n    for epoch in range(epochs):\n"),),
    ),
    Blind(
        "forgets-once-per-epoch", "beginner", "train", "training",
        "zero_grad is called once for each epoch, not before each mini-batch, so the gradients of the epoch's mini-batches pile up.",
        (
            ("        total = 0.0\n", "        total = 0.0\n        optimizer.zero_grad()\n"),
            ("            target = MyTensor(targets[batch])\n            optimizer.zero_grad()\n", "            target = MyTensor(targets[batch])\n"),
        ),
    ),
    Blind(
        "measured-after-the-epoch", "compact", "train", "training",
        "The log holds the loss of all examples after the epoch, computed anew with the trained parameters, not the losses taken when each example's turn came.",
        (("        losses.append(float(np.mean(log)))", "        losses.append(float(loss_function(model(MyTensor(images)), MyTensor(targets)).data))"),),
    ),
    Blind(
        "same-shuffle-every-epoch", "iterators", "train", "training",
        "The order comes from a generator with a fixed seed that is made anew each time, so all epochs, and all trainings, see the examples in the same order.",
        (("    order = iter(np.random.permutation(count))", "    order = iter(np.random.default_rng(0).permutation(count))"),),
    ),
    Blind(
        "rest-is-dropped-and-live-gets-the-list", "textbook", "train", "pair",
        "A smaller last mini-batch is left out; and live is called with the list of all losses, not with the latest.",
        (
            ("        for k in range(0, n, batch_size):", "        for k in range(0, n - batch_size + 1, batch_size):"),
            ("            live(losses[-1])", "            live(losses)"),
        ),
    ),
    # ------------------------------------------------------------ model
    Blind(
        "layers-in-a-list", "beginner", "model", "misunderstanding",
        "The layers are kept in a plain list, where no parameters are found, so training changes nothing.",
        (
            ("        self.hidden = Linear(64, 32)\n        self.relu = ReLU()\n        self.output = Linear(32, 10)\n", "        self.layers = [Linear(64, 32), ReLU(), Linear(32, 10)]\n"),
            ("        y = self.hidden(x)\n        y = self.relu(y)\n        y = self.output(y)\n        return y", "        y = x\n        for layer in self.layers:\n            y = layer(y)\n        return y"),
        ),
    ),
    Blind(
        "layers-belong-to-the-class", "textbook", "model", "sharing",
        "The layers are attributes of the class: they are not registered, so no parameters are found, and all models share them.",
        (("    def __init__(self) -> None:\n        super().__init__()\n        self.first = Linear(64, 32)\n        self.relu = ReLU()\n        self.second = Linear(32, 10)\n", "    first = Linear(64, 32)\n    relu = ReLU()\n    second = Linear(32, 10)\n\n    def __init__(self) -> None:\n        super().__init__()\n"),),
    ),
    Blind(
        "new-output-layer-at-each-call", "compact", "model", "state",
        "forward makes a new output layer at each call, with new random weights, so the scores are random and what the old one learned is lost.",
        (
            ("        return self.output(relu(self.hidden(x)))", "        self.output = Linear(48, 10)\n        return self.output(relu(self.hidden(x)))"),
        ),
    ),
    Blind(
        "hidden-layer-is-cut-off", "beginner", "model", "graph",
        "forward hands only the array of the hidden layer on, so the hidden layer receives no gradient and stays at its random start.",
        (("        y = self.relu(y)\n        y = self.output(y)", "        y = self.relu(MyTensor(y.data))\n        y = self.output(y)"),),
    ),
    Blind(
        "scaled-by-the-company-it-keeps", "compact", "model", "misunderstanding",
        "forward subtracts the batch's mean picture, so the scores of a picture depend on the others in its batch, and a single picture becomes all zeros.",
        (("        return self.output(relu(self.hidden(x)))", "        centered = x - MyTensor(x.data.mean(axis=0))\n        return self.output(relu(self.hidden(centered)))"),),
    ),
    Blind(
        "centers-the-callers-pictures", "sourcelike", "model", "memory",
        "forward centers the pictures in place, so the tensor that it was given is changed.",
        (("        x = self.fc1(x)\n", "        x.data[...] -= x.data.mean(axis=1, keepdims=True)\n        x = self.fc1(x)\n"),),
    ),
    Blind(
        "all-weights-from-zero", "iterators", "model", "training",
        "The model sets all its weights to zero at the start, so the hidden units are all 0 and the gradients of both layers' weights stay 0 forever.",
        (("        self.output = Linear(40, 10)\n", "        self.output = Linear(40, 10)\n        for parameter in self.parameters():\n            parameter.tensor.data[...] = 0\n"),),
    ),
    Blind(
        "dropout-that-never-sleeps", "textbook", "model", "training",
        "forward drops half of the hidden units at random, also when digits are read, so the same picture gets other scores each time.",
        (("        return self.second(self.relu(self.first(x)))", "        h = self.relu(self.first(x))\n        kept = np.random.random(h.shape) < 0.5\n        return self.second(h * MyTensor(2.0 * kept))"),),
    ),
    Blind(
        "two-units-and-relu-at-the-end", "iterators", "model", "pair",
        "There are only two hidden units, too few to tell ten digits apart; and a ReLU behind the output layer cuts off all negative scores, with their gradients.",
        (
            ("        self.hidden = Linear(64, 40)", "        self.hidden = Linear(64, 2)"),
            ("        self.output = Linear(40, 10)", "        self.output = Linear(2, 10)"),
            ("        for layer in (self.hidden, self.relu, self.output):", "        for layer in (self.hidden, self.relu, self.output, self.relu):"),
        ),
    ),
]
