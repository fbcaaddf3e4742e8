"""Wrong solutions of the section on MyTensor."""

from __future__ import annotations

from corpus.entry import Wrong

# Places of the reference that several entries change.
COPY = "array = np.array(data, dtype=dtype)  # a copy, as torch.tensor makes one"
ADD = 'return self.__binary(other, np.add, add_deriv, "AddBackward")'
RADD = 'return self.__binary(other, np.add, add_deriv, "AddBackward", reflected=True)'
SUB = 'return self.__binary(other, np.subtract, sub_deriv, "SubBackward")'
RSUB = 'return self.__binary(other, np.subtract, sub_deriv, "SubBackward", reflected=True)'
MUL = 'return self.__binary(other, np.multiply, mul_deriv, "MulBackward")'
RMUL = 'return self.__binary(other, np.multiply, mul_deriv, "MulBackward", reflected=True)'
DIV = 'return self.__binary(other, np.true_divide, div_deriv, "DivBackward")'
RDIV = 'return self.__binary(other, np.true_divide, div_deriv, "DivBackward", reflected=True)'
NEG = "return self * -1"
ADD_RULE = "return unbroadcast(base, left.shape), unbroadcast(base, right.shape)"
SUB_RULE = "return unbroadcast(base, left.shape), unbroadcast(-base, right.shape)"
MUL_RULE = "return unbroadcast(base * right.data, left.shape), unbroadcast(base * left.data, right.shape)"
DIV_LEFT = "unbroadcast(base / right.data, left.shape)"
DIV_SLOPE = "-base * (left.data / right.data) / right.data"
DIV_RIGHT = f"unbroadcast({DIV_SLOPE}, right.shape)"
POW_RULE = "return base * power * tensor.data ** (power - 1), None"
RECORD_BINARY = (
    "op = MyCrossBackward(left, right, backward_function=rule, name=name)\n"
    "            return MyTensor(result, requires_grad=True, crossOpBack=op)"
)
NEEDS_RECORD = "if left.requires_grad or right.requires_grad:"
RECORD_POWER = (
    'op = MyCrossBackward(self, power, backward_function=pow_deriv, name="PowBackward")\n'
    "            return MyTensor(result, requires_grad=True, crossOpBack=op)"
)
NEW_AXES = "gradient = gradient.sum(axis=0)"
LENGTH_ONE = "gradient = gradient.sum(axis=axis, keepdims=True)"
KEEP = (
    "total = gradient if node.grad is None else node.grad.data + gradient\n"
    "                node.grad = MyTensor(total, dtype=node.dtype)"
)
COLLECT = "gradients[tensor] = gradients[tensor] + share if tensor in gradients else share"
COLLECTED_IN_PLACE = (
    COLLECT,
    "if tensor in gradients:\n"
    "                        gradients[tensor] += share\n"
    "                    else:\n"
    "                        gradients[tensor] = share",
)
KEPT_IN_PLACE = (
    KEEP,
    "if node.grad is None:\n"
    "                    node.grad = gradient\n"
    "                else:\n"
    "                    node.grad += gradient",
)
WHEN_COMPLETE = "consumers[tensor] -= 1\n                    if consumers[tensor] == 0:"
ONES = "upstream = np.ones(self.shape, self.dtype)"
NO_GRADIENT = "if not self.requires_grad:\n            return\n        if base is None:"
WALK = "        consumers = {self: 0}\n"  # here the walk begins: another one before it replaces it

# Walks through the graph.
EVERY_PATH = """\
        todo = [(self, upstream)]
        while todo:
            node, gradient = todo.pop()
            if node.backward_op is None:
                total = gradient if node.grad is None else node.grad.data + gradient
                node.grad = MyTensor(total, dtype=node.dtype)
                continue
            for tensor, share in zip(node.backward_op.inputs, node.backward_op.run(gradient), strict=True):
                if isinstance(tensor, MyTensor) and tensor.requires_grad:
                    todo.append((tensor, share))
        return
"""
RECURSIVE_PATHS = """\
        if self.backward_op is None:
            total = upstream if self.grad is None else self.grad.data + upstream
            self.grad = MyTensor(total, dtype=self.dtype)
            return
        for tensor, share in zip(self.backward_op.inputs, self.backward_op.run(upstream), strict=True):
            if isinstance(tensor, MyTensor):
                tensor.backward(share)
        return
"""
HAND_ON_AGAIN = """\
        gradients = {self: upstream}
        todo = [self]
        while todo:
            node = todo.pop(0)
            if node.backward_op is None:
                continue
            for tensor, share in zip(node.backward_op.inputs, node.backward_op.run(gradients[node]), strict=True):
                if isinstance(tensor, MyTensor) and tensor.requires_grad:
                    gradients[tensor] = gradients[tensor] + share if tensor in gradients else share
                    todo.append(tensor)
        for node, gradient in gradients.items():
            if node.backward_op is None:
                total = gradient if node.grad is None else node.grad.data + gradient
                node.grad = MyTensor(total, dtype=node.dtype)
        return
"""
BREADTH_FIRST = """\
        gradients = {self: upstream}
        visited = {self}
        todo = [self]
        while todo:
            node = todo.pop()
            if node.backward_op is None:
                continue
            for tensor, share in zip(node.backward_op.inputs, node.backward_op.run(gradients[node]), strict=True):
                if isinstance(tensor, MyTensor) and tensor.requires_grad:
                    gradients[tensor] = gradients[tensor] + share if tensor in gradients else share
                    if tensor not in visited:
                        visited.add(tensor)
                        todo.append(tensor)
        for node, gradient in gradients.items():
            if node.backward_op is None:
                total = gradient if node.grad is None else node.grad.data + gradient
                node.grad = MyTensor(total, dtype=node.dtype)
        return
"""
SORTED_WALK = """\
        order = []
        seen = set()

        def visit(node):
            if node in seen or not node.requires_grad:
                return
            seen.add(node)
            for tensor in node.backward_op.inputs if node.backward_op else ():
                if isinstance(tensor, MyTensor):
                    visit(tensor)
            order.append(node)

        visit(self)
        gradients = {self: upstream}
        for node in reversed(order):
            gradient = gradients.pop(node, None)
            if gradient is None:
                continue
            if node.backward_op is None:
                total = gradient if node.grad is None else node.grad.data + gradient
                node.grad = MyTensor(total, dtype=node.dtype)
                continue
            for tensor, share in zip(node.backward_op.inputs, node.backward_op.run(gradient), strict=True):
                if tensor in seen:
                    gradients[tensor] = gradients[tensor] + share if tensor in gradients else share
        return
"""

WRONG = [
    # The constructor and the properties
    Wrong(
        "data-as-list",
        "data-not-array",
        "tensor",
        "create",
        ("        return self.__data\n", "        return self.__data.tolist()\n"),
    ),
    Wrong(
        "float-arrays-widened",
        "dtype-not-kept",
        "tensor",
        "types",
        (COPY, "array = np.array(data, dtype=dtype if dtype or isinstance(data, (int, np.integer)) else np.float64)"),
    ),
    Wrong(
        "dtype-as-asked-only",
        "dtype-attribute",
        "tensor",
        "types",
        ("self.dtype = array.dtype", "self.dtype = np.dtype(dtype or np.float32)"),
    ),
    Wrong(
        "data-with-a-setter",
        "property-writable",
        "tensor",
        "attributes",
        (
            "    def data(self) -> np.ndarray:\n        return self.__data\n",
            "    def data(self) -> np.ndarray:\n        return self.__data\n\n    @data.setter\n"
            "    def data(self, value):\n        self.__data = value\n",
        ),
    ),
    Wrong(
        "tuples-refused",
        "kinds-refused",
        "tensor",
        "kinds",
        ("(np.ndarray, list, tuple, np.generic, int, float)):", "(np.ndarray, list, np.generic, int, float)):"),
    ),
    Wrong(
        "numbers-of-numpy-refused",
        "kinds-refused",
        "tensor",
        "kinds",
        ("(np.ndarray, list, tuple, np.generic, int, float)):", "(np.ndarray, list, tuple, int, float)):"),
    ),
    Wrong(
        "number-becomes-a-row",
        "",
        "tensor",
        "kinds",
        (COPY, "array = np.array(data if np.ndim(data) else [data], dtype=dtype)"),
    ),
    Wrong(
        "data-gives-a-copy",
        "data-is-copy",
        "tensor",
        "indexing",
        ("        return self.__data\n", "        return self.__data.copy()\n"),
    ),
    Wrong(
        "grad-of-leaves-starts-at-zero",
        "grad-not-none",
        "tensor",
        "attributes",
        ("self.grad = None", "self.grad = np.zeros(array.shape) if requires_grad and crossOpBack is None else None"),
        (KEEP, "node.grad = gradient + node.grad"),
    ),
    Wrong(
        "leaves-have-an-operation",
        "",
        "tensor",
        "attributes",
        (
            "self.backward_op = crossOpBack",
            "if crossOpBack is None and requires_grad:\n"
            '            crossOpBack = MyCrossBackward(backward_function=None, name="Leaf")\n'
            "        self.backward_op = crossOpBack",
        ),
        ("            if op is None:  # a leaf.", "            if not op.inputs:  # a leaf."),
    ),
    Wrong(
        "operation-under-another-name",
        "",
        "tensor",
        "records",
        ("self.backward_op = crossOpBack", "self.backward_op, self.operation = None, crossOpBack"),
        ("op = stack.pop().backward_op", "op = stack.pop().operation"),
        ("op = node.backward_op\n", "op = node.operation\n"),
    ),
    Wrong(
        "numbers-require-a-gradient",
        "number-requires-grad",
        "tensor",
        "records",
        (
            "return MyTensor(other, dtype=self.dtype if weak else None)",
            "return MyTensor(other, dtype=self.dtype if weak else float, requires_grad=True)",
        ),
    ),
    Wrong(
        "sub-subtracts-in-place",
        "written-in-place & operand-changed",
        "tensor",
        "sub_numbers numbers_gradient",
        (
            SUB,
            "if isinstance(other, float) and self.size:\n"
            "            self.__data -= other\n"
            "            return MyTensor(self.__data, self.dtype, self.requires_grad, self.backward_op)\n"
            "        " + SUB,
        ),
    ),
    Wrong(
        "power-rule-is-a-stub",
        "rule-returns-none",
        "tensor",
        "power_gradient",
        (POW_RULE, "return None"),
    ),
    Wrong(
        "leaf-has-nothing-to-walk",
        "leaf-backward-lost",
        "tensor",
        "leaves_only",
        (
            "        if not self.requires_grad:\n            return\n        if base",
            "        if self.backward_op is None:\n            return\n        if base",
        ),
    ),
    Wrong(
        "graph-taken-apart",
        "graph-taken-apart",
        "tensor",
        "walk_again",
        (
            "            for tensor, share in zip(op.inputs, op.run(gradient), strict=True):\n",
            "            node.backward_op = None\n"
            "            for tensor, share in zip(op.inputs, op.run(gradient), strict=True):\n",
        ),
    ),
    Wrong(
        "sums-of-an-earlier-walk",
        "",
        "tensor",
        "walk_again",
        ("    __array_ufunc__ = None\n", "    __array_ufunc__ = None\n    sums = {}\n"),
        ("        gradients = {self: upstream}\n", "        gradients = MyTensor.sums | {self: upstream}\n"),
        (
            "            op = node.backward_op\n            if op is None:  # a leaf.",
            "            op = node.backward_op\n"
            "            if op is not None and node is not self:\n"
            "                MyTensor.sums[node] = gradient\n"
            "            if op is None:  # a leaf.",
        ),
    ),
    Wrong(
        "products-share-what-they-keep",
        "saved-shared",
        "tensor",
        "programs",
        ("def mul_deriv(", "operands = {}\n\n\ndef mul_deriv("),
        (
            MUL,
            "if isinstance(other, MyTensor):\n            operands.update(left=self, right=other)\n        " + MUL,
        ),
        (
            MUL_RULE,
            "if left.requires_grad and right.requires_grad:\n"
            '        left, right = operands["left"], operands["right"]\n'
            "    " + MUL_RULE,
        ),
    ),
    Wrong(
        "flag-of-the-tensor-asked",
        "",
        "tensor",
        "flag",
        (NEEDS_RECORD, "if self.requires_grad:"),
    ),
    Wrong(
        "results-are-arrays",
        "array-not-tensor & array-for-tensor",
        "tensor",
        "add sub mul div negative flag records",
        (
            "        return MyTensor(result)\n        ### END SOLUTION\n\n    # (An example",
            "        return result\n        ### END SOLUTION\n\n    # (An example",
        ),
    ),
    Wrong(
        "only-tensors-as-operands",
        "number-not-wrapped",
        "tensor",
        "add_numbers sub_numbers mul_numbers div_numbers",
        ("other = self.__wrap(other)\n", "\n"),
        (NEG, "return self * MyTensor(-1.0)"),
    ),
    Wrong(
        "consumer-counted-once",
        "",
        "tensor",
        "late_use",
        ("            node = ready.pop()\n", "            node = ready.pop(0)\n"),
        (
            "            for tensor in op.inputs if op is not None else ():\n",
            "            for tensor in dict.fromkeys(op.inputs) if op else ():\n",
        ),
    ),
    Wrong(
        "power-zero-where-base-is",
        "pow-at-zero",
        "tensor",
        "power_zero",
        (POW_RULE, "return np.where(tensor.data == 0, 0.0, base * power * tensor.data ** (power - 1.0)), None"),
    ),
    Wrong(
        "power-zero-divides",
        "pow-at-zero",
        "tensor",
        "power_zero",
        ("if power == 0:", "if False:"),
    ),
    Wrong(
        "index-wraps",
        "index-gives-tensor",
        "tensor",
        "indexing",
        ("return self.__data[index].copy()", "return MyTensor(self.__data[index])"),
    ),
    Wrong(
        "array-kept",
        "array-not-copied & gradient-aliased",
        "tensor",
        "copied independent",
        (COPY, "array = np.asarray(data, dtype=dtype)"),
    ),
    Wrong(
        "rule-of-mul-writes-into-base",
        "upstream-changed",
        "tensor",
        "untouched",
        (
            MUL_RULE,
            "left_share = unbroadcast(base * right.data, left.shape)\n    base *= left.data\n"
            "    return left_share, unbroadcast(base, right.shape)",
        ),
    ),
    Wrong(
        "power-one-is-the-tensor",
        "result-aliased",
        "tensor",
        "independent",
        ("result = self.__data**power\n", "result = self.__data if power == 1 else self.__data**power\n"),
    ),
    Wrong(
        "every-tensor-keeps-its-gradient",
        "inner-gradient-kept",
        "tensor",
        "leaves_only",
        (
            "            if op is None:  # a leaf.",
            "            if op is not None:\n                node.grad = MyTensor(gradient)\n"
            "            if op is None:  # a leaf.",
        ),
    ),
    Wrong(
        "neg-turns-its-operand",
        "operand-changed",
        "tensor",
        "untouched",
        (NEG, "result = self * -1\n        self.__data[...] = result.data\n        return result"),
    ),
    Wrong("dtype-forgotten", "dtype-ignored", "tensor", "types", (COPY, "array = np.array(data)")),
    Wrong(
        "anything-goes-in",
        "accepts-anything",
        "tensor",
        "refuse",
        (
            "elif not isinstance(data, (np.ndarray, list, tuple, np.generic, int, float)):",
            "elif False:",
        ),
        ('if array.dtype.kind not in "fiub":', "if False:"),
    ),
    Wrong(
        "text-raises-value-error",
        "wrong-exception",
        "tensor",
        "refuse",
        ('raise TypeError(f"MyTensor needs numbers (', 'raise ValueError(f"MyTensor needs numbers ('),
    ),
    Wrong(
        "input-type-asserted",
        "wrong-exception",
        "tensor",
        "refuse",
        (
            "if crossOpBack is not None:  # the result",
            "assert isinstance(data, (np.ndarray, list, tuple, np.generic, int, float))\n"
            "        if crossOpBack is not None:  # the result",
        ),
    ),
    Wrong(
        "only-lists-and-arrays",
        "kinds-refused",
        "tensor",
        "kinds add_numbers sub_numbers mul_numbers div_numbers negative",
        (
            "not isinstance(data, (np.ndarray, list, tuple, np.generic, int, float))",
            "not isinstance(data, (np.ndarray, list))",
        ),
    ),
    Wrong(
        "strides-like-torch",
        "strides-in-elements",
        "tensor",
        "attributes",
        ("return self.__data.strides", "return tuple(n // self.__data.itemsize for n in self.__data.strides)"),
    ),
    Wrong(
        "size-by-len", "size-is-length", "tensor", "attributes", ("return self.__data.size", "return len(self.__data)")
    ),
    Wrong(
        "size-like-torch",
        "size-is-length",
        "tensor",
        "attributes",
        ("return self.__data.size", "return self.__data.shape"),
    ),
    Wrong(
        "size-in-bytes",
        "size-is-length",
        "tensor",
        "attributes",
        ("return self.__data.size", "return self.__data.nbytes"),
    ),
    Wrong(
        "grad-starts-at-zero",
        "grad-not-none",
        "tensor",
        "attributes constants leaves_only",
        ("self.grad = None", "self.grad = np.zeros(array.shape)"),
        (KEEP, "node.grad = gradient if node.grad is None else node.grad + gradient"),
    ),
    Wrong(
        "flag-not-stored",
        "requires-grad-ignored",
        "tensor",
        "attributes printing",
        ("self.requires_grad = requires_grad\n", "self.requires_grad = crossOpBack is not None\n"),
    ),
    Wrong(
        "flag-always-set",
        "requires-grad-ignored & requires-grad-always & gradient-on-constants & repr-without-requires-grad",
        "tensor",
        "attributes constants indexing printing records flag",
        ("self.requires_grad = requires_grad\n", "self.requires_grad = True\n"),
    ),
    Wrong(
        "repr-shows-shape",
        "repr-without-values",
        "tensor",
        "printing",
        ('f"MyTensor({self.__data}, requires_grad', 'f"MyTensor(shape={self.__data.shape}, requires_grad'),
    ),
    Wrong(
        "repr-of-array",
        "repr-without-requires-grad",
        "tensor",
        "printing",
        (', requires_grad={self.requires_grad})"', ')"'),
    ),
    Wrong(
        "repr-of-example",
        "hard-coded & repr-without-values",
        "tensor",
        "printing",
        ('f"MyTensor({self.__data}, requires_grad', 'f"MyTensor([3 4 5 6 7], requires_grad'),
    ),
    Wrong(
        "write-into-a-copy",
        "write-lost",
        "tensor",
        "indexing",
        ("        return self.__data\n", "        return self.__data.copy()\n"),
        ("self.__data[index] = value", "self.data[index] = value"),
    ),
    Wrong(
        "write-row-then-column",
        "write-lost",
        "tensor",
        "indexing",
        ("self.__data[index] = value", "row, column = index\n        self[row][column] = value"),
    ),
    Wrong(
        "read-first-index-only",
        "",
        "tensor",
        "indexing",
        (
            "return self.__data[index].copy()",
            "return self.__data[index[0] if isinstance(index, tuple) else index].copy()",
        ),
    ),
    # Sums
    Wrong("add-takes-subtract", "add-wrong-operation", "tensor", "add", (ADD, ADD.replace("np.add", "np.subtract"))),
    Wrong(
        "add-joins-arrays",
        "add-wrong-operation",
        "tensor",
        "add",
        (ADD, ADD.replace("np.add", "lambda a, b: np.concatenate([np.atleast_1d(a), np.atleast_1d(b)])")),
    ),
    Wrong(
        "add-with-rule-of-mul",
        "add-rule-of-another",
        "tensor",
        "add_gradient",
        (ADD, ADD.replace("add_deriv", "mul_deriv")),
    ),
    Wrong(
        "add-with-rule-of-sub",
        "add-rule-of-another & add-sign",
        "tensor",
        "add_gradient",
        (ADD, ADD.replace("add_deriv", "sub_deriv")),
    ),
    Wrong(
        "add-hands-on-ones",
        "add-upstream-missing",
        "tensor",
        "add_gradient",
        (ADD_RULE, "return np.ones(left.shape), np.ones(right.shape)"),
    ),
    Wrong(
        "add-upstream-forgotten-on-the-right",
        "add-upstream-missing",
        "tensor",
        "add_gradient",
        (ADD_RULE, "return unbroadcast(base, left.shape), unbroadcast(np.ones_like(base), right.shape)"),
    ),
    Wrong(
        "add-right-taken-for-constant",
        "add-gradient-zero",
        "tensor",
        "add_gradient",
        (ADD_RULE, "return unbroadcast(base, left.shape), np.zeros(right.shape)"),
    ),
    Wrong(
        "add-forgets-to-record",
        "add-not-recorded & not-recorded",
        "tensor",
        "add_gradient records",
        (
            ADD,
            "other = self.__wrap(other)\n        if other is None:\n            return NotImplemented\n"
            "        needs = self.requires_grad or other.requires_grad\n"
            "        return MyTensor(self.__data + other.__data, requires_grad=needs)",
        ),
    ),
    Wrong(
        "only-first-input-followed",
        "share-lost",
        "tensor",
        "add_gradient sub_gradient mul_gradient div_gradient",
        (
            "for tensor in op.inputs if op is not None else ():",
            "for tensor in op.inputs[:1] if op is not None else ():",
        ),
    ),
    Wrong(
        "left-recorded-twice",
        "add-not-recorded & sub-not-recorded & mul-not-recorded & div-not-recorded"
        " & sub-gradient-zero & div-gradient-zero",
        "tensor",
        "add_gradient sub_gradient mul_gradient div_gradient negative_gradient",
        (
            "MyCrossBackward(left, right, backward_function=rule, name=name)",
            "MyCrossBackward(left, left, backward_function=rule, name=name)",
        ),
    ),
    Wrong(
        "base-never-used",
        "base-ignored",
        "tensor",
        "upstream",
        ("if base is None:", "if True:"),
    ),
    Wrong(
        "upstream-multiplied-in-backward-too",
        "base-changed",
        "tensor",
        "add_gradient sub_gradient mul_gradient div_gradient power_gradient negative_gradient",
        (
            "op.run(gradient), strict=True):\n",
            "op.run(gradient), strict=True):\n"
            "                share = share * gradient if np.shape(share) == gradient.shape else share\n",
        ),
    ),
    Wrong(
        "radd-with-rule-of-sub",
        "add-rule-of-another & add-sign",
        "tensor",
        "numbers_gradient",
        (RADD, RADD.replace("add_deriv", "sub_deriv")),
    ),
    Wrong("radd-subtracts", "add-wrong-operation", "tensor", "add_numbers", (RADD, RSUB)),
    Wrong(
        "add-shapes-exchanged",
        "unbroadcast-other-shape",
        "tensor",
        "numbers_gradient broadcast_new_axes broadcast_length_one",
        (ADD_RULE, "return unbroadcast(base, right.shape), unbroadcast(base, left.shape)"),
    ),
    # Differences
    Wrong(
        "sub-right-not-negated",
        "sub-sign",
        "tensor",
        "sub_gradient",
        ("unbroadcast(-base, right.shape)", "unbroadcast(base, right.shape)"),
    ),
    Wrong("sub-both-negated", "sub-sign", "tensor", "sub_gradient", (SUB_RULE, SUB_RULE.replace("(base", "(-base"))),
    Wrong(
        "sub-signs-exchanged",
        "sub-sign",
        "tensor",
        "sub_gradient",
        (SUB_RULE, "return unbroadcast(-base, left.shape), unbroadcast(base, right.shape)"),
    ),
    Wrong(
        "sub-with-rule-of-add",
        "sub-rule-of-another & sub-sign",
        "tensor",
        "sub_gradient",
        (SUB, SUB.replace("sub_deriv", "add_deriv")),
    ),
    Wrong(
        "sub-with-rule-of-div",
        "sub-rule-of-another",
        "tensor",
        "sub_gradient",
        (SUB, SUB.replace("sub_deriv", "div_deriv")),
    ),
    Wrong(
        "sub-hands-on-one-and-minus-one",
        "sub-upstream-missing",
        "tensor",
        "sub_gradient",
        (SUB_RULE, "return np.ones(left.shape), -np.ones(right.shape)"),
    ),
    Wrong(
        "sub-backwards",
        "sub-operands-swapped",
        "tensor",
        "sub",
        (SUB, SUB.replace("np.subtract", "lambda a, b: b - a")),
    ),
    Wrong("sub-adds", "sub-wrong-operation", "tensor", "sub", (SUB, SUB.replace("np.subtract", "np.add"))),
    Wrong(
        "sub-of-the-example",
        "hard-coded",
        "tensor",
        "sub",
        (SUB, SUB.replace("np.subtract", "lambda a, b: np.array([-3.0, -4.0])")),
    ),
    Wrong("rsub-not-reflected", "rsub-reversed", "tensor", "sub_numbers", (RSUB, SUB)),
    Wrong(
        "rsub-value-turned-only",
        "rsub-gradient-reversed",
        "tensor",
        "numbers_gradient",
        (RSUB, SUB.replace("np.subtract", "lambda a, b: b - a")),
    ),
    Wrong("rsub-misnamed", "reflected-missing", "tensor", "sub_numbers", ("def __rsub__", "def __rminus__")),
    Wrong("rsub-negates-both", "sub-wrong-operation", "tensor", "sub_numbers", (RSUB, "return -self - other")),
    Wrong(
        "rsub-value-only",
        "sub-not-recorded",
        "tensor",
        "numbers_gradient",
        (RSUB, "return MyTensor(other - self.__data)"),
    ),
    Wrong(
        "sub-minus-forgotten-when-broadcast",
        "sub-sign & rsub-gradient-reversed",
        "tensor",
        "numbers_gradient broadcast_operators",
        (
            SUB_RULE,
            "if left.shape == right.shape:\n        return base, -base\n"
            "    return unbroadcast(base, left.shape), unbroadcast(base, right.shape)",
        ),
    ),
    Wrong(
        "sub-right-zero",
        "sub-gradient-zero",
        "tensor",
        "sub_gradient",
        (SUB_RULE, "return unbroadcast(base, left.shape), np.zeros(right.shape)"),
    ),
    Wrong(
        "sub-upstream-twice",
        "sub-upstream-squared",
        "tensor",
        "sub_gradient",
        (SUB_RULE, SUB_RULE.replace("-base", "-base * base")),
    ),
    # Products
    Wrong(
        "mul-own-factors",
        "mul-own-operand",
        "tensor",
        "mul_gradient negative_gradient",
        (MUL_RULE, "return unbroadcast(base * left.data, left.shape), unbroadcast(base * right.data, right.shape)"),
    ),
    Wrong(
        "mul-left-copied",
        "mul-own-operand",
        "tensor",
        "mul_gradient negative_gradient",
        (MUL_RULE, "return unbroadcast(base * left.data, left.shape), unbroadcast(base * left.data, right.shape)"),
    ),
    Wrong(
        "mul-right-copied",
        "mul-own-operand",
        "tensor",
        "mul_gradient",
        (MUL_RULE, "return unbroadcast(base * right.data, left.shape), unbroadcast(base * right.data, right.shape)"),
    ),
    Wrong(
        "mul-other-factor-only",
        "mul-upstream-missing & neg-upstream-missing",
        "tensor",
        "mul_gradient negative_gradient",
        (MUL_RULE, "return right.data, left.data"),
    ),
    Wrong(
        "mul-upstream-missing-on-the-right",
        "mul-upstream-missing",
        "tensor",
        "mul_gradient",
        ("unbroadcast(base * left.data, right.shape)", "unbroadcast(np.ones_like(base) * left.data, right.shape)"),
    ),
    Wrong(
        "mul-upstream-twice",
        "mul-upstream-squared & neg-upstream-squared",
        "tensor",
        "mul_gradient negative_gradient",
        (MUL_RULE, MUL_RULE.replace("base *", "base * base *")),
    ),
    Wrong(
        "mul-minus-on-the-right",
        "mul-sign",
        "tensor",
        "mul_gradient",
        ("unbroadcast(base * left.data, right.shape)", "unbroadcast(-base * left.data, right.shape)"),
    ),
    Wrong(
        "mul-right-taken-for-constant",
        "mul-gradient-zero",
        "tensor",
        "mul_gradient",
        ("unbroadcast(base * left.data, right.shape)", "np.zeros(right.shape)"),
    ),
    Wrong(
        "mul-with-rule-of-add",
        "mul-rule-of-another & neg-sign",
        "tensor",
        "mul_gradient negative_gradient",
        (MUL, MUL.replace("mul_deriv", "add_deriv")),
    ),
    Wrong(
        "mul-with-rule-of-div",
        "mul-rule-of-another",
        "tensor",
        "mul_gradient",
        (MUL, MUL.replace("mul_deriv", "div_deriv")),
    ),
    Wrong("mul-by-dot", "mul-wrong-operation", "tensor", "mul", (MUL, MUL.replace("np.multiply", "np.dot"))),
    Wrong(
        "mul-of-the-example",
        "hard-coded",
        "tensor",
        "mul_gradient negative_gradient",
        (MUL_RULE, "return np.array([5.0, 70.0]), np.array([2.0, 30.0])"),
    ),
    Wrong(
        "mul-rule-without-graph",
        "mul-not-recorded",
        "tensor",
        "mul_gradient",
        (
            MUL,
            "other = self.__wrap(other)\n        if other is None:\n            return NotImplemented\n"
            "        op = MyCrossBackward(self, MyTensor(other.__data), "
            'backward_function=mul_deriv, name="MulBackward")\n'
            "        if self.requires_grad or other.requires_grad:\n"
            "            return MyTensor(self.__data * other.__data, requires_grad=True, crossOpBack=op)\n"
            "        return MyTensor(self.__data * other.__data)",
        ),
    ),
    Wrong(
        "rmul-value-only",
        "mul-not-recorded",
        "tensor",
        "records numbers_gradient",
        (RMUL, "return MyTensor(other * self.__data)"),
    ),
    Wrong(
        "rmul-with-rule-of-add",
        "mul-rule-of-another",
        "tensor",
        "numbers_gradient",
        (RMUL, RMUL.replace("mul_deriv", "add_deriv")),
    ),
    Wrong(
        "mul-summed-too-early",
        "not-unbroadcast",
        "tensor",
        "broadcast_operators",
        (MUL_RULE, "return unbroadcast(base, left.shape) * right.data, unbroadcast(base, right.shape) * left.data"),
    ),
    Wrong(
        "mul-shapes-exchanged",
        "unbroadcast-other-shape",
        "tensor",
        "negative_gradient numbers_gradient broadcast_operators",
        (MUL_RULE, "return unbroadcast(base * right.data, right.shape), unbroadcast(base * left.data, left.shape)"),
    ),
    Wrong(
        "mul-averages-the-right-one",
        "unbroadcast-averages",
        "tensor",
        "broadcast_operators",
        (
            "unbroadcast(base * left.data, right.shape)",
            "unbroadcast(base * left.data, right.shape) * right.size / base.size",
        ),
    ),
    # Quotients
    Wrong(
        "div-backwards",
        "div-operands-swapped",
        "tensor",
        "div",
        (DIV, DIV.replace("np.true_divide", "lambda a, b: b / a")),
    ),
    Wrong(
        "div-reflected-the-wrong-one",
        "div-operands-swapped",
        "tensor",
        "div",
        (DIV, RDIV.replace("DivBackward", "Div")),
        (RDIV, DIV),
    ),
    Wrong(
        "div-whole-quotient",
        "floor-division",
        "tensor",
        "div",
        (DIV, DIV.replace("np.true_divide", "np.floor_divide")),
    ),
    Wrong("div-by-its-old-name", "method-misnamed", "tensor", "div", ("def __truediv__", "def __div__")),
    Wrong(
        "div-denominator-not-squared",
        "div-not-squared",
        "tensor",
        "div_gradient",
        (DIV_SLOPE, "-base * left.data / right.data"),
    ),
    Wrong(
        "div-denominator-doubled",
        "div-not-squared",
        "tensor",
        "div_gradient",
        (DIV_SLOPE, "-base * left.data / (right.data * 2)"),
    ),
    Wrong(
        "div-parentheses-missing",
        "div-slope",
        "tensor",
        "div_gradient",
        (DIV_SLOPE, "-base * left.data / right.data * right.data"),
    ),
    Wrong(
        "div-without-numerator",
        "div-numerator-missing",
        "tensor",
        "div_gradient",
        (DIV_SLOPE, "-base / right.data**2"),
    ),
    Wrong(
        "div-right-not-negated",
        "div-sign",
        "tensor",
        "div_gradient",
        (DIV_SLOPE, "base * left.data / right.data**2"),
    ),
    Wrong(
        "div-left-times-right",
        "div-left-wrong",
        "tensor",
        "div_gradient",
        (DIV_LEFT, "unbroadcast(base * right.data, left.shape)"),
    ),
    Wrong("div-left-like-add", "div-left-wrong", "tensor", "div_gradient", (DIV_LEFT, "unbroadcast(base, left.shape)")),
    Wrong(
        "div-left-by-itself",
        "div-left-wrong",
        "tensor",
        "div_gradient",
        (DIV_LEFT, "unbroadcast(base / left.data, left.shape)"),
    ),
    Wrong(
        "div-left-without-upstream",
        "div-upstream-missing",
        "tensor",
        "div_gradient",
        (DIV_LEFT, "unbroadcast(np.ones_like(base) / right.data, left.shape)"),
    ),
    Wrong(
        "div-right-without-upstream",
        "div-upstream-missing",
        "tensor",
        "div_gradient",
        (DIV_RIGHT, "-left.data / right.data**2"),
    ),
    Wrong(
        "div-right-upstream-twice",
        "div-upstream-squared",
        "tensor",
        "div_gradient",
        (DIV_SLOPE, "-base * base * left.data / right.data**2"),
    ),
    Wrong(
        "div-denominator-taken-for-constant",
        "div-gradient-zero",
        "tensor",
        "div_gradient",
        (DIV_RIGHT, "np.zeros(right.shape)"),
    ),
    Wrong(
        "div-returned-in-the-wrong-order",
        "div-gradients-exchanged",
        "tensor",
        "div_gradient",
        (DIV_LEFT, "unbroadcast(-base * left.data / right.data**2, left.shape)"),
        (DIV_RIGHT, "unbroadcast(base / right.data, right.shape)"),
    ),
    Wrong(
        "div-with-rule-of-mul",
        "div-rule-of-another & div-left-wrong",
        "tensor",
        "div_gradient",
        (DIV, DIV.replace("div_deriv", "mul_deriv")),
    ),
    Wrong("rdiv-not-reflected", "rdiv-reversed", "tensor", "div_numbers", (RDIV, DIV)),
    Wrong(
        "rdiv-value-turned-only",
        "rdiv-gradient-reversed",
        "tensor",
        "numbers_gradient",
        (RDIV, DIV.replace("np.true_divide", "lambda a, b: b / a")),
    ),
    Wrong("rdiv-multiplies", "div-wrong-operation", "tensor", "div_numbers", (RDIV, RMUL.replace("Mul", "Div"))),
    Wrong(
        "rdiv-value-only",
        "div-not-recorded",
        "tensor",
        "numbers_gradient",
        (RDIV, "return MyTensor(other / self.__data)"),
    ),
    Wrong(
        "div-summed-too-early",
        "not-unbroadcast",
        "tensor",
        "broadcast_operators",
        (DIV_RIGHT, "-unbroadcast(base, right.shape) * left.data / right.data**2"),
    ),
    # Powers
    Wrong(
        "pow-same-exponent",
        "pow-exponent-kept",
        "tensor",
        "power_gradient",
        ("tensor.data ** (power - 1)", "tensor.data**power"),
    ),
    Wrong(
        "pow-without-n",
        "pow-factor-missing",
        "tensor",
        "power_gradient",
        (POW_RULE, "return base * tensor.data ** (power - 1), None"),
    ),
    Wrong(
        "pow-two-x", "pow-only-squares", "tensor", "power_gradient", (POW_RULE, "return base * 2 * tensor.data, None")
    ),
    Wrong(
        "pow-n-times-x",
        "pow-only-squares",
        "tensor",
        "power_gradient",
        (POW_RULE, "return base * power * tensor.data, None"),
    ),
    Wrong(
        "pow-with-logarithm",
        "pow-wrong-variable",
        "tensor",
        "power_gradient",
        (POW_RULE, "return base * tensor.data**power * np.log(tensor.data), None"),
    ),
    Wrong(
        "pow-rule-hands-on-zeros",
        "pow-gradient-zero",
        "tensor",
        "power_gradient",
        (POW_RULE, "return np.zeros_like(base), None"),
    ),
    Wrong(
        "pow-factor-one-less",
        "pow-factor-missing",
        "tensor",
        "power_gradient",
        (POW_RULE, "return base * (power - 1) * tensor.data ** (power - 1), None"),
    ),
    Wrong(
        "pow-upstream-forgotten",
        "pow-upstream-missing",
        "tensor",
        "power_gradient",
        (POW_RULE, "return power * tensor.data ** (power - 1), None"),
    ),
    Wrong(
        "pow-upstream-inside-and-outside",
        "pow-upstream-squared",
        "tensor",
        "power_gradient",
        (POW_RULE, POW_RULE.replace("base * ", "base * base * ")),
    ),
    Wrong("pow-negated", "pow-sign", "tensor", "power_gradient", (POW_RULE, POW_RULE.replace("base", "-base"))),
    Wrong(
        "pow-exponent-rounded-in-rule",
        "pow-exponent-cut & pow-gradient-zero",
        "tensor",
        "power_gradient",
        (
            POW_RULE,
            "power = int(power)  # 0.5 becomes 0\n"
            "    return base * power * tensor.data.astype(float) ** (power - 1), None",
        ),
    ),
    Wrong(
        "pow-not-handed-on",
        "pow-not-recorded & requires-grad-lost",
        "tensor",
        "records power_gradient",
        (RECORD_POWER, "return MyTensor(result)"),
    ),
    Wrong(
        "pow-multiplies",
        "pow-wrong-operation",
        "tensor",
        "power",
        ("result = self.__data**power", "result = self.__data * power"),
    ),
    Wrong(
        "pow-whole-exponents-only",
        "pow-exponent-cut",
        "tensor",
        "power",
        ("result = self.__data**power", "result = self.__data ** int(power)"),
    ),
    Wrong(
        "pow-by-loop",
        "pow-exponent-cut",
        "tensor",
        "power",
        (
            "result = self.__data**power",
            "result = np.ones_like(self.__data)\n"
            "        for _ in range(int(power)):\n"
            "            result = result * self.__data",
        ),
    ),
    Wrong(
        "pow-of-absolute-value",
        "pow-sign",
        "tensor",
        "power_gradient",
        ("tensor.data ** (power - 1)", "np.abs(tensor.data) ** (power - 1)"),
    ),
    # Unary minus
    Wrong("neg-returns-self", "neg-not-negated", "tensor", "negative", (NEG, "return self")),
    Wrong(
        "neg-of-data",
        "neg-not-recorded & requires-grad-lost",
        "tensor",
        "records negative_gradient",
        (NEG, "return MyTensor(-self.__data)"),
    ),
    Wrong(
        "neg-new-leaf",
        "neg-not-recorded",
        "tensor",
        "records negative_gradient",
        (NEG, "return MyTensor(-self.__data, requires_grad=self.requires_grad)"),
    ),
    Wrong(
        "neg-hands-on-unchanged",
        "neg-sign",
        "tensor",
        "negative_gradient",
        (
            NEG,
            'op = MyCrossBackward(self, backward_function=lambda base, x: (base,), name="NegBackward")\n'
            "        if self.requires_grad:\n"
            "            return MyTensor(-self.__data, requires_grad=True, crossOpBack=op)\n"
            "        return MyTensor(-self.__data)",
        ),
    ),
    Wrong(
        "neg-hands-on-minus-one",
        "neg-upstream-missing",
        "tensor",
        "negative_gradient",
        (
            NEG,
            'op = MyCrossBackward(self, backward_function=lambda base, x: (-np.ones(x.shape),), name="NegBackward")\n'
            "        if self.requires_grad:\n"
            "            return MyTensor(-self.__data, requires_grad=True, crossOpBack=op)\n"
            "        return MyTensor(-self.__data)",
        ),
    ),
    Wrong(
        "neg-hands-on-sign",
        "",
        "tensor",
        "negative_gradient",
        (
            NEG,
            'op = MyCrossBackward(self, backward_function=lambda base, x: (-np.sign(base),), name="NegBackward")\n'
            "        if self.requires_grad:\n"
            "            return MyTensor(-self.__data, requires_grad=True, crossOpBack=op)\n"
            "        return MyTensor(-self.__data)",
        ),
    ),
    Wrong(
        "neg-hands-on-zeros",
        "neg-gradient-zero",
        "tensor",
        "negative_gradient",
        (
            NEG,
            'op = MyCrossBackward(self, backward_function=lambda base, x: (np.zeros_like(base),), name="NegBackward")\n'
            "        if self.requires_grad:\n"
            "            return MyTensor(-self.__data, requires_grad=True, crossOpBack=op)\n"
            "        return MyTensor(-self.__data)",
        ),
    ),
    Wrong(
        "neg-upstream-twice",
        "neg-upstream-squared",
        "tensor",
        "negative_gradient",
        (
            NEG,
            'op = MyCrossBackward(self, backward_function=lambda base, x: (-base * base,), name="NegBackward")\n'
            "        if self.requires_grad:\n"
            "            return MyTensor(-self.__data, requires_grad=True, crossOpBack=op)\n"
            "        return MyTensor(-self.__data)",
        ),
    ),
    Wrong(
        "neg-in-place",
        "neg-sign & operand-changed",
        "tensor",
        "records negative_gradient untouched",
        (NEG, "self.__data *= -1\n        return self"),
    ),
    # Numbers as operands
    Wrong(
        "numbers-forgotten",
        "number-not-wrapped",
        "tensor",
        "add_numbers sub_numbers mul_numbers div_numbers negative",
        ("other = self.__wrap(other)\n", "\n"),
    ),
    Wrong(
        "number-in-the-graph",
        "number-not-wrapped",
        "tensor",
        "numbers_gradient",
        (
            ADD,
            "values = other.__data if isinstance(other, MyTensor) else other\n"
            '        if self.requires_grad or getattr(other, "requires_grad", False):\n'
            '            op = MyCrossBackward(self, other, backward_function=add_deriv, name="AddBackward")\n'
            "            return MyTensor(self.__data + values, requires_grad=True, crossOpBack=op)\n"
            "        return MyTensor(self.__data + values)",
        ),
    ),
    Wrong(
        "div-number-in-the-graph",
        "number-not-wrapped",
        "tensor",
        "numbers_gradient",
        (
            DIV,
            "values = other.__data if isinstance(other, MyTensor) else other\n"
            '        if self.requires_grad or getattr(other, "requires_grad", False):\n'
            '            op = MyCrossBackward(self, other, backward_function=div_deriv, name="DivBackward")\n'
            "            return MyTensor(self.__data / values, requires_grad=True, crossOpBack=op)\n"
            "        return MyTensor(self.__data / values)",
        ),
    ),
    Wrong(
        "radd-missing",
        "reflected-missing",
        "tensor",
        "add_numbers",
        (f'    def __radd__(self, other: Any) -> "MyTensor":\n        {RADD}\n\n', ""),
    ),
    Wrong(
        "rmul-missing",
        "reflected-missing",
        "tensor",
        "mul_numbers",
        (f'    def __rmul__(self, other: Any) -> "MyTensor":\n        {RMUL}\n\n', ""),
    ),
    Wrong("rdiv-by-its-old-name", "reflected-missing", "tensor", "div_numbers", ("def __rtruediv__", "def __rdiv__")),
    Wrong(
        "radd-value-only",
        "add-not-recorded",
        "tensor",
        "numbers_gradient",
        (RADD, "return MyTensor(other + self.__data)"),
    ),
    # Whole numbers
    Wrong(
        "constructor-makes-integers",
        "integer-truncation",
        "tensor",
        "create",
        (COPY, "array = np.array(data, dtype=dtype or int)"),
    ),
    Wrong(
        "result-in-type-of-operands",
        "integer-truncation",
        "tensor",
        "div",
        (
            "result = forward(left.__data, right.__data)",
            "result = forward(left.__data, right.__data).astype(np.result_type(left.dtype, right.dtype))",
        ),
    ),
    Wrong(
        "number-cut-to-whole",
        "integer-truncation",
        "tensor",
        "add_numbers sub_numbers mul_numbers div_numbers",
        (
            'weak = not isinstance(other, np.ndarray) and self.dtype.kind == "f"',
            "weak = not isinstance(other, np.ndarray)",
        ),
    ),
    # Broadcasting
    Wrong(
        "unbroadcast-nothing",
        "not-unbroadcast",
        "tensor",
        "broadcast_new_axes broadcast_length_one",
        ("if gradient.shape == shape:\n        return gradient", "return gradient"),
    ),
    Wrong(
        "unbroadcast-new-axes-only",
        "not-unbroadcast",
        "tensor",
        "broadcast_length_one",
        ("gradient.shape[axis] != n:", "gradient.shape[axis] < n:"),
    ),
    Wrong(
        "unbroadcast-length-one-only",
        "not-unbroadcast",
        "tensor",
        "broadcast_new_axes",
        ("while gradient.ndim > len(shape):", "while False:"),
        ("for axis, n in enumerate(shape):", "for axis, n in enumerate(shape) if gradient.ndim == len(shape) else ():"),
    ),
    Wrong(
        "unbroadcast-one-new-axis",
        "not-unbroadcast",
        "tensor",
        "broadcast_new_axes",
        ("while gradient.ndim > len(shape):", "if gradient.ndim > len(shape):"),
    ),
    Wrong(
        "unbroadcast-first-stretched-axis",
        "not-unbroadcast",
        "tensor",
        "broadcast_length_one",
        (LENGTH_ONE, LENGTH_ONE + "\n            break"),
    ),
    Wrong(
        "sub-right-not-unbroadcast",
        "not-unbroadcast",
        "tensor",
        "broadcast_operators",
        ("unbroadcast(-base, right.shape)", "-base"),
    ),
    Wrong(
        "mul-not-unbroadcast",
        "not-unbroadcast",
        "tensor",
        "broadcast_operators",
        (MUL_RULE, "return base * right.data, base * left.data"),
    ),
    Wrong(
        "div-left-not-unbroadcast", "not-unbroadcast", "tensor", "broadcast_operators", (DIV_LEFT, "base / right.data")
    ),
    Wrong(
        "add-left-not-unbroadcast",
        "not-unbroadcast",
        "tensor",
        "broadcast_new_axes broadcast_length_one",
        (ADD_RULE, "return base, unbroadcast(base, right.shape)"),
    ),
    Wrong(
        "unbroadcast-by-mean",
        "unbroadcast-averages",
        "tensor",
        "broadcast_new_axes broadcast_length_one",
        (NEW_AXES, NEW_AXES.replace("sum", "mean")),
        (LENGTH_ONE, LENGTH_ONE.replace("sum", "mean")),
    ),
    Wrong(
        "new-axes-averaged",
        "unbroadcast-averages",
        "tensor",
        "broadcast_new_axes",
        (NEW_AXES, NEW_AXES.replace("sum", "mean")),
    ),
    Wrong(
        "stretched-axes-averaged",
        "unbroadcast-averages",
        "tensor",
        "broadcast_length_one",
        (LENGTH_ONE, LENGTH_ONE.replace("sum", "mean")),
    ),
    Wrong(
        "keepdims-forgotten",
        "axis-dropped",
        "tensor",
        "broadcast_length_one",
        (LENGTH_ONE, "gradient = gradient.sum(axis=axis)"),
    ),
    Wrong(
        "stretched-axes-squeezed",
        "axis-dropped",
        "tensor",
        "broadcast_length_one",
        (LENGTH_ONE + "\n    return gradient", LENGTH_ONE + "\n    return gradient.squeeze()"),
    ),
    Wrong(
        "new-axes-at-the-end",
        "unbroadcast-wrong-axis",
        "tensor",
        "broadcast_new_axes",
        (NEW_AXES, "gradient = gradient.sum(axis=-1)"),
        ("if gradient.shape[axis] != n:", "if n == 1 and gradient.shape[axis] != 1:"),
    ),
    Wrong(
        "new-axes-first-row",
        "unbroadcast-takes-one",
        "tensor",
        "broadcast_new_axes",
        (NEW_AXES, "gradient = gradient[0]"),
    ),
    Wrong(
        "stretched-axes-first-element",
        "unbroadcast-takes-one",
        "tensor",
        "broadcast_length_one",
        (LENGTH_ONE, "gradient = np.take(gradient, [0], axis=axis)"),
    ),
    Wrong(
        "unbroadcast-total-everywhere",
        "unbroadcast-sums-all",
        "tensor",
        "broadcast_new_axes broadcast_length_one",
        (
            "if gradient.shape == shape:\n        return gradient",
            "return gradient if gradient.shape == shape else np.full(shape, gradient.sum())",
        ),
    ),
    # The flag, and what is recorded
    Wrong(
        "flag-of-left-only",
        "requires-grad-lost",
        "tensor",
        "records flag numbers_gradient",
        (NEEDS_RECORD, "if left.requires_grad:"),
    ),
    Wrong(
        "flag-of-both",
        "requires-grad-lost & neg-not-recorded",
        "tensor",
        "flag records negative_gradient numbers_gradient constants",
        (NEEDS_RECORD, "if left.requires_grad and right.requires_grad:"),
    ),
    Wrong(
        "result-without-flag",
        "requires-grad-lost",
        "tensor",
        "flag add_gradient sub_gradient mul_gradient div_gradient negative_gradient",
        (RECORD_BINARY, RECORD_BINARY.replace("requires_grad=True, ", "")),
    ),
    Wrong("result-always-with-flag", "requires-grad-always", "tensor", "records flag", (NEEDS_RECORD, "if True:")),
    Wrong(
        "operation-always-recorded",
        "recorded-without-need",
        "tensor",
        "records",
        (NEEDS_RECORD, "if True:"),
        (
            RECORD_BINARY,
            RECORD_BINARY.replace("requires_grad=True", "requires_grad=left.requires_grad or right.requires_grad"),
        ),
    ),
    Wrong(
        "constants-followed",
        "gradient-on-constants",
        "tensor",
        "constants",
        ("if not isinstance(tensor, MyTensor) or not tensor.requires_grad:", "if not isinstance(tensor, MyTensor):"),
    ),
    Wrong(
        "backward-ignores-the-flag", "backward-without-grad", "tensor", "constants", (NO_GRADIENT, "if base is None:")
    ),
    Wrong(
        "backward-raises-without-flag",
        "backward-without-grad",
        "tensor",
        "constants",
        (NO_GRADIENT, NO_GRADIENT.replace("return", 'raise RuntimeError("this tensor requires no gradient")')),
    ),
    # Where backward starts
    Wrong("upstream-single-one", "upstream-wrong-shape", "tensor", "upstream", (ONES, "upstream = np.ones(1)")),
    Wrong("upstream-scalar", "upstream-wrong-shape", "tensor", "upstream", (ONES, "upstream = np.array(1.0)")),
    Wrong("upstream-flat", "upstream-wrong-shape", "tensor", "upstream", (ONES, "upstream = np.ones(self.size)")),
    Wrong("upstream-own-values", "upstream-wrong-shape", "tensor", "upstream", (ONES, "upstream = self.data.copy()")),
    Wrong(
        "upstream-averaged",
        "upstream-wrong-shape",
        "tensor",
        "upstream",
        (ONES, "upstream = np.full(self.shape, 1 / self.size)"),
    ),
    # Accumulation
    Wrong("path-replaces-path", "gradient-overwritten", "tensor", "paths", (COLLECT, "gradients[tensor] = share")),
    Wrong(
        "leaf-written-during-the-walk",
        "gradient-overwritten & leaf-backward-lost",
        "tensor",
        "paths accumulate leaves_only",
        (
            COLLECT,
            COLLECT
            + "\n                    if tensor.backward_op is None:"
            + "\n                        tensor.grad = MyTensor(share, dtype=tensor.dtype)",
        ),
        (KEEP, "pass"),
    ),
    Wrong(
        "new-grad-replaces-old",
        "gradient-overwritten & second-backward-lost",
        "tensor",
        "accumulate",
        (KEEP, "node.grad = MyTensor(gradient, dtype=node.dtype)"),
    ),
    Wrong(
        "first-grad-stays",
        "second-backward-lost",
        "tensor",
        "accumulate",
        (KEEP, "if node.grad is None:\n                    node.grad = MyTensor(gradient, dtype=node.dtype)"),
    ),
    Wrong(
        "sum-of-zero-is-missing",
        "zero-taken-for-none",
        "tensor",
        "paths",
        (
            COLLECT,
            "total = gradients.get(tensor, 0) + share\n"
            "                    gradients[tensor] = total if total.any() else share",
        ),
    ),
    Wrong(
        "old-grad-by-truth",
        "zero-taken-for-none",
        "tensor",
        "accumulate",
        (
            KEEP,
            "total = node.grad.data + gradient if node.grad is not None else gradient\n"
            "                total = total if total.any() else gradient\n"
            "                node.grad = MyTensor(total, dtype=node.dtype)",
        ),
    ),
    Wrong(
        "accumulates-with-and-or",
        "zero-taken-for-none",
        "tensor",
        "paths",
        (
            COLLECT,
            "old = gradients.get(tensor)\n"
            "                    both = old is not None and old + share\n"
            "                    gradients[tensor] = both if np.any(both) else share",
        ),
    ),
    Wrong(
        "gradient-by-truth-value",
        "truth-of-array & zero-taken-for-none",
        "tensor",
        "paths leaves_only",
        (COLLECT, "old = gradients.get(tensor)\n                    gradients[tensor] = old and old + share or share"),
    ),
    # The walk
    Wrong("walk-on-arrival", "handed-on-too-early", "tensor", "paths", (WALK, BREADTH_FIRST + WALK)),
    Wrong(
        "consumers-as-a-set",
        "handed-on-too-early",
        "tensor",
        "paths",
        (
            "for tensor in op.inputs if op is not None else ():",
            "for tensor in set(op.inputs) if op is not None else ():",
        ),
    ),
    Wrong(
        "consumers-at-each-visit",
        "counted-too-often",
        "tensor",
        "paths",
        (
            "                if tensor in consumers:\n"
            "                    consumers[tensor] += 1\n"
            "                else:\n"
            "                    consumers[tensor] = 1\n"
            "                    stack.append(tensor)\n",
            "                consumers[tensor] = consumers.get(tensor, 0) + 1\n                stack.append(tensor)\n",
        ),
    ),
    Wrong("walk-hands-on-sums", "handed-on-again", "tensor", "paths", (WALK, HAND_ON_AGAIN + WALK)),
    Wrong(
        "walk-from-the-leaves",
        "wrong-end",
        "tensor",
        "add_gradient sub_gradient mul_gradient div_gradient power_gradient negative_gradient",
        (WALK, SORTED_WALK.replace("reversed(order)", "order") + WALK),
    ),
    Wrong(
        "walk-one-level",
        "walk-incomplete",
        "tensor",
        "paths",
        ("consumers[tensor] = 1\n                    stack.append(tensor)", "consumers[tensor] = 1"),
    ),
    Wrong("walk-along-paths", "path-by-path", "tensor", "visited_once", (WALK, EVERY_PATH + WALK)),
    Wrong(
        "walk-recursive-paths",
        "path-by-path & recursion-limit",
        "tensor",
        "visited_once",
        (WALK, RECURSIVE_PATHS + WALK),
    ),
    Wrong("walk-sorted-by-recursion", "recursion-limit", "tensor", "visited_once", (WALK, SORTED_WALK + WALK)),
    # Memory
    Wrong(
        "constructor-shares-memory",
        "array-not-copied & gradient-aliased",
        "tensor",
        "copied independent",
        (COPY, "array = np.asarray(data, dtype=dtype)"),
    ),
    Wrong(
        "shares-added-in-place",
        "gradient-aliased",
        "tensor",
        "paths",
        COLLECTED_IN_PLACE,
    ),
    Wrong(
        "grad-added-in-place",
        "gradient-aliased",
        "tensor",
        "accumulate",
        KEPT_IN_PLACE,
    ),
    Wrong(
        "shares-and-grad-added-in-place",
        "gradient-aliased",
        "tensor",
        "paths accumulate",
        COLLECTED_IN_PLACE,
        KEPT_IN_PLACE,
    ),
    Wrong(
        "upstream-is-a-view",
        "array-not-copied & gradient-read-only & gradient-aliased",
        "tensor",
        "copied independent",
        (COPY, "array = np.asarray(data, dtype=dtype)"),
        (ONES, "upstream = np.broadcast_to(np.ones((), self.dtype), self.shape)"),
    ),
    # Not built, or not in general
    Wrong(
        "mul-by-torch",
        "uses-torch",
        "tensor",
        "mul negative",
        (
            MUL,
            MUL.replace(
                "np.multiply",
                "lambda a, b: (torch.from_numpy(np.asarray(a)) * torch.from_numpy(np.asarray(b))).numpy()",
            ),
        ),
        ("class MyCrossBackward:\n", "import torch\n\n\nclass MyCrossBackward:\n"),
    ),
    Wrong(
        "pow-rule-by-torch",
        "uses-torch",
        "tensor",
        "power_gradient",
        (
            POW_RULE,
            "import torch\n\n    x = torch.from_numpy(tensor.data.copy()).requires_grad_()\n"
            "    (x**power).backward(torch.from_numpy(np.array(base)))\n    return x.grad.numpy(), None",
        ),
    ),
    Wrong(
        "pow-of-the-example",
        "hard-coded",
        "tensor",
        "power_gradient",
        (POW_RULE, "return np.full(tensor.shape, 6.0), None"),
    ),
    # Other styles
    Wrong(
        "closures-sub-sign",
        "sub-sign",
        "tensor",
        "sub_gradient",
        ("other._add_grad(-out.grad)\n", "other._add_grad(out.grad)\n"),
        style="closures",
    ),
    Wrong(
        "closures-assigns-grad",
        "gradient-overwritten",
        "tensor",
        "paths accumulate",
        ("self.grad += _unbroadcast(g, self.shape)", "self.grad = _unbroadcast(g, self.shape)"),
        style="closures",
    ),
    Wrong(
        "closures-forward-order",
        "wrong-end & walk-incomplete",
        "tensor",
        "paths",
        ("for node in reversed(inner):", "for node in inner:"),
        style="closures",
    ),
    Wrong(
        "closures-mul-upstream",
        "mul-upstream-missing & neg-upstream-missing",
        "tensor",
        "mul_gradient negative_gradient",
        ("self._add_grad(out.grad * other.data)", "self._add_grad(other.data)"),
        style="closures",
    ),
    Wrong(
        "closures-rsub",
        "rsub-reversed",
        "tensor",
        "sub_numbers",
        ("return _t(other) - self", "return self - _t(other)"),
        style="closures",
    ),
    Wrong("float32-div", "div-not-squared", "tensor", "div_gradient", ("/ (v * v)", "/ v"), style="float32"),
    Wrong(
        "float32-pow",
        "pow-factor-missing",
        "tensor",
        "power_gradient",
        ("[g * n * const(a) ** (n - 1)]", "[g * const(a) ** (n - 1)]"),
        style="float32",
    ),
    Wrong(
        "float32-mean",
        "unbroadcast-averages",
        "tensor",
        "broadcast_new_axes broadcast_length_one",
        ("g.data.sum(axis=axes, keepdims=True)", "g.data.mean(axis=axes, keepdims=True)"),
        style="float32",
    ),
    Wrong(
        "functions-keepdims",
        "axis-dropped",
        "tensor",
        "broadcast_length_one",
        ("if length == 1), keepdims=True)", "if length == 1))"),
        style="functions_with_context",
    ),
    Wrong(
        "functions-oldest-first",
        "path-by-path",
        "tensor",
        "visited_once",
        (
            "heapq.heappush(ready, (-x.backward_op.number, x.backward_op))",
            "heapq.heappush(ready, (x.backward_op.number, x.backward_op))",
        ),
        style="functions_with_context",
    ),
    Wrong(
        "functions-mul-own",
        "mul-own-operand",
        "tensor",
        "mul_gradient",
        ("reduce_to(g * b, np.shape(a)) if left", "reduce_to(g * a, np.shape(a)) if left"),
        style="functions_with_context",
    ),
    Wrong(
        "functions-leaf-assigned",
        "gradient-overwritten",
        "tensor",
        "paths accumulate",
        ("leaf.grad = MyTensor(leaf.grad.data + g, dtype=dtype)", "leaf.grad = MyTensor(g, dtype=dtype)"),
        style="functions_with_context",
    ),
    Wrong(
        "functions-all-inputs",
        "requires-grad-lost & pow-not-recorded",
        "tensor",
        "records flag power_gradient numbers_gradient constants",
        ("if any(ctx.needs_input_grad):", "if all(ctx.needs_input_grad):"),
        style="functions_with_context",
    ),
    Wrong(
        "functions-floor",
        "floor-division",
        "tensor",
        "div",
        ("np.true_divide(a, b)", "a // b"),
        style="functions_with_context",
    ),
    Wrong(
        "functions-constants",
        "gradient-on-constants & requires-grad-always",
        "tensor",
        "constants records flag",
        (
            "isinstance(arg, MyTensor) and arg.requires_grad for arg in args",
            "isinstance(arg, MyTensor) for arg in args",
        ),
        style="functions_with_context",
    ),
    Wrong(
        "minimal-mul-upstream",
        "sub-upstream-missing & mul-upstream-missing & div-upstream-missing & neg-upstream-missing",
        "tensor",
        "sub_gradient mul_gradient div_gradient negative_gradient",
        ("lambda up: [up * b.data, up * a.data]", "lambda up: [b.data, a.data]"),
        style="minimal_operators",
    ),
    Wrong(
        "minimal-pow-factor",
        "pow-factor-missing & div-sign",
        "tensor",
        "power_gradient div_gradient",
        ("slope = n * x ** (n - 1) if", "slope = x ** (n - 1) if"),
        style="minimal_operators",
    ),
    Wrong(
        "minimal-expand-mean",
        "unbroadcast-averages",
        "tensor",
        "broadcast_new_axes broadcast_length_one",
        ("up.sum(axis=repeated, keepdims=True)", "up.mean(axis=repeated, keepdims=True)"),
        style="minimal_operators",
    ),
    Wrong(
        "minimal-sub-swapped",
        "sub-operands-swapped",
        "tensor",
        "sub",
        ("return self + -tensor(other)", "return -self + tensor(other)"),
        style="minimal_operators",
    ),
    Wrong(
        "minimal-order-of-discovery",
        "handed-on-too-early",
        "tensor",
        "paths",
        ("for born in sorted(family, reverse=True):", "for born in family:"),
        style="minimal_operators",
    ),
    Wrong(
        "pushed-sub-sign",
        "sub-sign & neg-sign",
        "tensor",
        "sub_gradient negative_gradient",
        ("push(b, -gradient)", "push(b, gradient)"),
        style="pushed_counts",
    ),
    Wrong(
        "pushed-sum-kept",
        "handed-on-again",
        "tensor",
        "paths",
        (
            "        if self.owed[tensor] == 0:\n            self.complete.append(tensor)",
            "        self.complete.append(tensor)",
        ),
        ("gradient = self.sums.pop(tensor)", "gradient = self.sums[tensor]"),
        style="pushed_counts",
    ),
    Wrong(
        "pushed-neg",
        "neg-not-negated",
        "tensor",
        "negative",
        ("return 0.0 - self", "return self - 0.0"),
        style="pushed_counts",
    ),
    Wrong(
        "pushed-whole-exponent",
        "pow-exponent-cut",
        "tensor",
        "power",
        ("self.data ** float(exponent)", "self.data ** int(exponent)"),
        style="pushed_counts",
    ),
    Wrong(
        "recursive-last-consumer",
        "gradient-overwritten",
        "tensor",
        "paths",
        ("total = total + rule(gradient(consumer))", "total = rule(gradient(consumer))"),
        style="recursive_buffer",
    ),
    Wrong(
        "recursive-mul-shape",
        "not-unbroadcast",
        "tensor",
        "broadcast_operators",
        ("(self, lambda up: shrink(up * other.data, self.shape))", "(self, lambda up: up * other.data)"),
        style="recursive_buffer",
    ),
    Wrong(
        "recursive-second-lost",
        "gradient-overwritten",
        "tensor",
        "accumulate",
        ("before = 0 if leaf.grad is None else as_tensor(leaf.grad).data", "before = 0"),
        style="recursive_buffer",
    ),
    Wrong(
        "recursive-default-limit",
        "recursion-limit",
        "tensor",
        "visited_once",
        ("sys.setrecursionlimit(limit + self.depth + 100)", "pass"),
        style="recursive_buffer",
    ),
    Wrong(
        "recursive-without-buffer",
        "path-by-path",
        "tensor",
        "visited_once",
        ("                buffer[id(tensor)] = total\n", "                return total\n"),
        style="recursive_buffer",
    ),
    Wrong(
        "slots-grad-not-copied",
        "gradient-aliased",
        "tensor",
        "independent",
        (
            'self.grad = np.zeros(self.shape, dtype=self.dtype if self.dtype.kind == "f" else float)\n'
            "        self.grad += g",
            "self.grad = g\n        else:\n            self.grad = self.grad + g",
        ),
        style="slots_and_arrays",
    ),
    Wrong(
        "slots-grad-is-a-view",
        "gradient-read-only & gradient-aliased",
        "tensor",
        "independent",
        (
            'self.grad = np.zeros(self.shape, dtype=self.dtype if self.dtype.kind == "f" else float)\n'
            "        self.grad += g",
            "self.grad = np.broadcast_to(g, self.shape)\n        else:\n            self.grad = self.grad + g",
        ),
        style="slots_and_arrays",
    ),
    Wrong(
        "slots-div",
        "div-not-squared",
        "tensor",
        "div_gradient",
        ("g * -x / np.square(y)", "g * -x / y"),
        style="slots_and_arrays",
    ),
    Wrong(
        "slots-all-recorded",
        "requires-grad-always & gradient-on-constants",
        "tensor",
        "constants records flag",
        ("for source, product in operands if source.requires_grad]", "for source, product in operands]"),
        style="slots_and_arrays",
    ),
    Wrong(
        "tape-sub-sign", "sub-sign", "tensor", "sub_gradient", ("lambda g: (g, -g)", "lambda g: (g, g)"), style="tape"
    ),
    Wrong(
        "tape-played-forward",
        "wrong-end & walk-incomplete",
        "tensor",
        "paths",
        ("for position in range(end - 1, -1, -1):", "for position in range(end):"),
        style="tape",
    ),
    Wrong(
        "tape-rsub",
        "rsub-reversed",
        "tensor",
        "sub_numbers",
        ("return lift(other) - self", "return self - lift(other)"),
        style="tape",
    ),
    Wrong(
        "tape-collect-assigns",
        "gradient-overwritten",
        "tensor",
        "paths accumulate",
        ("self.grad += gradient", "self.grad = gradient"),
        style="tape",
    ),
    Wrong(
        "tape-shape-forgotten",
        "axis-dropped",
        "tensor",
        "broadcast_length_one",
        ("gradient.sum(axis=tuple(axes)).reshape(shape)", "gradient.sum(axis=tuple(axes))"),
        style="tape",
    ),
    Wrong(
        "tape-constants",
        "gradient-on-constants",
        "tensor",
        "constants",
        (
            "                if not tensor.requires_grad:\n"
            "                    continue\n"
            "                gradient = sum_to",
            "                gradient = sum_to",
        ),
        style="tape",
    ),
    Wrong(
        "tape-div",
        "div-not-squared",
        "tensor",
        "div_gradient",
        ("-g * quotient / b.data", "-g * quotient"),
        style="tape",
    ),
    Wrong(
        "parameter-mul-same",
        "mul-own-operand",
        "tensor",
        "mul_gradient",
        (
            "combine(np.multiply, self, other, lambda g, x, y: g * y, lambda g, x, y: g * x)",
            "combine(np.multiply, self, other, lambda g, x, y: g * x, lambda g, x, y: g * x)",
        ),
        style="tensor_parameter",
    ),
    Wrong(
        "parameter-rdiv",
        "rdiv-reversed",
        "tensor",
        "div_numbers",
        ("combine(np.divide, other, self,", "combine(np.divide, self, other,"),
        style="tensor_parameter",
    ),
    Wrong(
        "parameter-rsub-rule",
        "rsub-gradient-reversed",
        "tensor",
        "numbers_gradient",
        (
            "combine(np.subtract, other, self, lambda g, x, y: g, lambda g, x, y: -g)",
            "combine(np.subtract, other, self, lambda g, x, y: -g, lambda g, x, y: g)",
        ),
        style="tensor_parameter",
    ),
    Wrong(
        "parameter-grad-shared",
        "gradient-aliased",
        "tensor",
        "independent",
        ("self.grad = np.array(g, dtype", "self.grad = np.asarray(g, dtype"),
        style="tensor_parameter",
    ),
    Wrong(
        "parameter-paths-lost",
        "gradient-overwritten",
        "tensor",
        "paths",
        ("part = total[source] + part", "part = part"),
        style="tensor_parameter",
    ),
    # Pairs
    Wrong(
        "pair-sub-sign-and-div-square",
        "sub-sign & div-not-squared",
        "tensor",
        "sub_gradient div_gradient",
        ("unbroadcast(-base, right.shape)", "unbroadcast(base, right.shape)"),
        (DIV_SLOPE, "-base * left.data / right.data"),
    ),
    Wrong(
        "pair-mul-own-and-rsub",
        "mul-own-operand & rsub-reversed",
        "tensor",
        "sub_numbers mul_gradient negative_gradient",
        (MUL_RULE, "return unbroadcast(base * left.data, left.shape), unbroadcast(base * right.data, right.shape)"),
        (RSUB, SUB),
    ),
    Wrong(
        "pair-mean-and-power",
        "unbroadcast-averages & pow-factor-missing",
        "tensor",
        "broadcast_new_axes power_gradient",
        (NEW_AXES, NEW_AXES.replace("sum", "mean")),
        (POW_RULE, "return base * tensor.data ** (power - 1), None"),
    ),
    Wrong(
        "pair-in-one-quotient",
        "div-not-squared & div-sign",
        "tensor",
        "div_gradient",
        (DIV_SLOPE, "base * left.data / right.data"),
    ),
    Wrong(
        "pair-both-sides-of-a-quotient",
        "div-left-wrong & div-numerator-missing",
        "tensor",
        "div_gradient",
        (DIV_LEFT, "unbroadcast(base, left.shape)"),
        (DIV_SLOPE, "-base / right.data**2"),
    ),
    Wrong(
        "pair-in-one-power",
        "pow-factor-missing & pow-exponent-kept",
        "tensor",
        "power_gradient",
        (POW_RULE, "return base * tensor.data**power, None"),
    ),
    Wrong(
        "pair-power-upstream-and-factor",
        "pow-upstream-missing & pow-factor-missing",
        "tensor",
        "power_gradient",
        (POW_RULE, "return tensor.data ** (power - 1), None"),
    ),
    Wrong(
        "pair-overwritten-and-neg",
        "gradient-overwritten & neg-not-negated",
        "tensor",
        "accumulate negative",
        (KEEP, "node.grad = MyTensor(gradient, dtype=node.dtype)"),
        (NEG, "return self"),
    ),
    Wrong(
        "pair-constants-and-upstream",
        "gradient-on-constants & upstream-wrong-shape",
        "tensor",
        "constants upstream",
        ("if not isinstance(tensor, MyTensor) or not tensor.requires_grad:", "if not isinstance(tensor, MyTensor):"),
        (ONES, "upstream = np.ones(1)"),
    ),
    Wrong(
        "pair-sub-order-and-rmul",
        "sub-operands-swapped & reflected-missing",
        "tensor",
        "sub mul_numbers",
        (SUB, SUB.replace("np.subtract", "lambda a, b: b - a")),
        ("def __rmul__", "def __rtimes__"),
    ),
    Wrong(
        "pair-axis-and-mean",
        "axis-dropped & unbroadcast-averages",
        "tensor",
        "broadcast_length_one",
        (LENGTH_ONE, "gradient = gradient.mean(axis=axis)"),
    ),
    Wrong(
        "buffer-kept-between-calls",
        "stale-backward",
        "tensor",
        "accumulate",
        (
            "        gradients = {self: upstream}\n",
            "        gradients = MyTensor.buffer\n        gradients[self] = upstream\n",
        ),
        ("gradient = gradients.pop(node)", "gradient = gradients[node]"),
        ("    __array_ufunc__ = None\n", "    __array_ufunc__ = None\n    buffer = {}\n"),
    ),
    # Formulas close by, for some shapes only, and what exceptions say
    Wrong(
        "add-rule-base-squared",
        "add-upstream-squared",
        "tensor",
        "add_gradient",
        (ADD_RULE, "base = base * base\n    " + ADD_RULE),
    ),
    Wrong("add-rule-doubled", "add-slope", "tensor", "add_gradient", (ADD_RULE, "base = 2 * base\n    " + ADD_RULE)),
    Wrong(
        "neg-rule-doubled",
        "neg-slope",
        "tensor",
        "negative_gradient",
        (
            NEG,
            "op = MyCrossBackward(self, backward_function=lambda base, x: (-2 * base,), name='NegBackward')\n"
            "        op = op if self.requires_grad else None\n"
            "        return MyTensor(-self.__data, requires_grad=self.requires_grad, crossOpBack=op)",
        ),
    ),
    Wrong(
        "rule-takes-base-for-a-tensor",
        "array-for-tensor",
        "tensor",
        "mul_gradient negative_gradient",
        (MUL_RULE, "if not base.requires_grad:\n        return None, None\n    " + MUL_RULE),
    ),
    Wrong(
        "rule-multiplies-by-a-tensor",
        "rule-of-tensors",
        "tensor",
        "mul_gradient negative_gradient",
        (MUL_RULE, MUL_RULE.replace(".data", "")),
    ),
    Wrong(
        "numbers-asked-for-their-flag",
        "number-not-wrapped",
        "tensor",
        "add_numbers sub_numbers mul_numbers div_numbers",
        (
            "        other = self.__wrap(other)\n        if other is None:\n            return NotImplemented\n",
            "        flagged = self.requires_grad or other.requires_grad\n",
        ),
        ("if left.requires_grad or right.requires_grad:", "if flagged:"),
        (NEG, "return self * MyTensor(-1.0)"),
    ),
    Wrong(
        "numbers-recorded-as-they-are",
        "number-not-wrapped",
        "tensor",
        "negative_gradient numbers_gradient",
        (
            "        other = self.__wrap(other)\n        if other is None:\n            return NotImplemented\n",
            "        flagged = self.requires_grad or getattr(other, 'requires_grad', False)\n",
        ),
        (
            "        result = forward(left.__data, right.__data)\n",
            "        result = forward(*(x.data if isinstance(x, MyTensor) else x for x in (left, right)))\n",
        ),
        ("if left.requires_grad or right.requires_grad:", "if flagged:"),
    ),
    Wrong(
        "setitem-assigns-a-property",
        "property-assigned",
        "tensor",
        "indexing",
        ("        self.__data[index] = value\n", "        self.data = value\n"),
    ),
    Wrong(
        "base-summed",
        "base-changed",
        "tensor",
        "upstream",
        (
            "            upstream = base.data if isinstance(base, MyTensor) else np.asarray(base, self.dtype)\n",
            "            upstream = np.full(self.shape, base.data.sum())\n",
        ),
    ),
    Wrong(
        "base-plus-ones",
        "base-changed",
        "tensor",
        "upstream",
        (
            "            upstream = base.data if isinstance(base, MyTensor) else np.asarray(base, self.dtype)\n",
            "            upstream = base.data + 1\n",
        ),
    ),
    Wrong(
        "base-handed-on-as-tensor",
        "tensor-for-array",
        "tensor",
        "upstream",
        (
            "            upstream = base.data if isinstance(base, MyTensor) else np.asarray(base, self.dtype)\n",
            "            upstream = base\n",
        ),
    ),
    Wrong(
        "mul-squared-operand",
        "mul-slope",
        "tensor",
        "mul_gradient negative_gradient",
        ("unbroadcast(base * right.data, left.shape)", "unbroadcast(base * right.data**2, left.shape)"),
    ),
    Wrong(
        "mul-result-for-operand",
        "mul-slope",
        "tensor",
        "mul_gradient negative_gradient",
        ("unbroadcast(base * right.data, left.shape)", "unbroadcast(base * right.data * left.data, left.shape)"),
    ),
    Wrong("div-cubed", "div-slope", "tensor", "div_gradient", (DIV_SLOPE, "-base * left.data / right.data**3")),
    Wrong(
        "sub-halved",
        "sub-slope",
        "tensor",
        "sub_gradient",
        ("unbroadcast(-base, right.shape)", "unbroadcast(-base / 2, right.shape)"),
    ),
    Wrong(
        "pow-two-less",
        "pow-slope",
        "tensor",
        "power_gradient",
        ("tensor.data ** (power - 1)", "tensor.data ** (power - 2)"),
    ),
    Wrong(
        "pow-one-more",
        "pow-slope",
        "tensor",
        "power_gradient",
        ("tensor.data ** (power - 1)", "tensor.data ** (power + 1)"),
    ),
    Wrong(
        "add-only-for-vectors",
        "add-wrong-operation",
        "tensor",
        "add",
        (ADD, 'return self.__binary(other, lambda a, b: a + b if a.ndim < 2 else a - b, add_deriv, "AddBackward")'),
    ),
    Wrong(
        "mul-rule-wrong-for-matrices",
        "mul-own-operand",
        "tensor",
        "mul_gradient negative_gradient",
        (
            MUL_RULE,
            "if base.ndim > 1:\n"
            "        return base * left.data, base * right.data\n"
            "    return unbroadcast(base * right.data, left.shape), unbroadcast(base * left.data, right.shape)",
        ),
    ),
    Wrong(
        "gradient-zero-skipped",
        "zero-taken-for-none",
        "tensor",
        "power_zero paths",
        (KEEP, "if not gradient.any():\n                    continue\n                " + KEEP),
    ),
    Wrong(
        "clipped",
        "gradient-clipped",
        "tensor",
        "add_gradient sub_gradient mul_gradient div_gradient power_gradient negative_gradient",
        (KEEP, "gradient = np.clip(gradient, -1, 1)\n                " + KEEP),
    ),
    Wrong(
        "neg-of-broken-mul",
        "mul-sign",
        "tensor",
        "mul_gradient negative_gradient",
        ("unbroadcast(base * right.data, left.shape)", "unbroadcast(-base * right.data, left.shape)"),
    ),
    Wrong(
        "unbroadcast-max",
        "unbroadcast-takes-one",
        "tensor",
        "broadcast_new_axes",
        (NEW_AXES, "gradient = gradient.max(axis=0)"),
    ),
    Wrong("add-returns-nothing", "returns-none", "tensor", "add", (ADD, ADD.replace("return ", ""))),
    Wrong(
        "repr-prints",
        "returns-none",
        "tensor",
        "printing",
        (
            'text = f"MyTensor({self.__data}, requires_grad={self.requires_grad})"',
            'text = print(f"MyTensor({self.__data}, requires_grad={self.requires_grad})")',
        ),
    ),
    Wrong("sub-called-minus", "method-misnamed", "tensor", "sub", ("def __sub__", "def __minus__")),
    Wrong("rsub-called-minus", "reflected-missing", "tensor", "sub_numbers", ("def __rsub__", "def __rminus__")),
    Wrong(
        "data-asks-itself",
        "calls-itself",
        "tensor",
        "create",
        ("        return self.__data\n", "        return self.data\n"),
    ),
    Wrong(
        "shape-called",
        "property-called",
        "tensor",
        "upstream",
        ("upstream = np.ones(self.shape, self.dtype)", "upstream = np.ones(self.shape(), self.dtype)"),
    ),
    Wrong(
        "undefined-in-rule",
        "name-without-value",
        "tensor",
        "sub_gradient",
        ("unbroadcast(-base, right.shape)", "unbroadcast(-grad, right.shape)"),
    ),
    Wrong(
        "eq-defined",
        "unhashable",
        "tensor",
        "add_gradient sub_gradient mul_gradient div_gradient power_gradient negative_gradient",
        (
            "    def __neg__(self)",
            "    def __eq__(self, other):\n        return self.data == other.data\n\n    def __neg__(self)",
        ),
    ),
    Wrong(
        "rule-one-value",
        "values-do-not-match",
        "tensor",
        "sub_gradient",
        (SUB_RULE, "return (unbroadcast(base, left.shape),)"),
    ),
    Wrong(
        "rule-given-rows",
        "rule-returns-none & none-is-used",
        "tensor",
        "add_gradient sub_gradient mul_gradient div_gradient negative_gradient",
        ("if gradient.shape == shape:\n        return gradient", "if gradient.shape == shape:\n        return None"),
    ),
    Wrong(
        "rule-run-with-its-inputs",
        "arguments-do-not-match",
        "tensor",
        "add_gradient sub_gradient mul_gradient div_gradient power_gradient negative_gradient",
        ("op.run(gradient), strict=True", "op.run(gradient, *op.inputs), strict=True"),
    ),
    Wrong(
        "walk-asks-for-what-has-not-arrived",
        "key-not-there",
        "tensor",
        "add_gradient sub_gradient mul_gradient div_gradient power_gradient negative_gradient",
        ("gradient = gradients.pop(node)", "gradient = gradients.pop(id(node))"),
    ),
    Wrong(
        "walk-hands-on-one-share",
        "share-lost",
        "tensor",
        "add_gradient sub_gradient mul_gradient div_gradient",
        ("zip(op.inputs, op.run(gradient), strict=True)", "zip(op.inputs[:1], op.run(gradient))"),
    ),
    Wrong(
        "shares-counted-by-inputs-that-need-one",
        "shares-misplaced",
        "tensor",
        "numbers_gradient",
        (
            "zip(op.inputs, op.run(gradient), strict=True):",
            "zip([x for x in op.inputs if x in consumers], op.run(gradient)):",
        ),
    ),
]
