from corpus.entry import Blind

WRONG = []


def add(name, style, section, kind, truth, *changes, nameable=True):
    WRONG.append(Blind(name, style, section, kind, truth, tuple(changes), nameable))


# ---------------------------------------------------------------- rules and operators

add("div-right-not-squared", "careful", "tensor", "rule",
    "In the backward rule of a / b the gradient of the right operand divides by b instead of b squared: it is -G * a / b.",
    ("-base * left.data / right.data**2", "-base * left.data / right.data"))
add("pow-precedence", "careful", "tensor", "rule",
    "The backward rule of x ** n lacks parentheses around n - 1: it computes G * n * x**n - 1 instead of G * n * x**(n - 1).",
    ("base * power * tensor.data ** (power - 1)", "base * power * tensor.data ** power - 1"))
add("rtruediv-order", "careful", "tensor", "operator",
    "The reflected division computes its operands in the wrong order: 6 / x gives x / 6 (value and gradient).",
    ('div_deriv, "DivBackward", reflected=True)', 'div_deriv, "DivBackward")'))
add("needs-both", "careful", "tensor", "operator",
    "The result of +, -, * and / is recorded, and requires a gradient, only if both operands require one instead of any of them.",
    ("if left.requires_grad or right.requires_grad:", "if left.requires_grad and right.requires_grad:"))
add("pow-no-upstream", "closures", "tensor", "rule",
    "The backward rule of x ** n leaves out the upstream gradient: it hands on n * x**(n - 1) without multiplying it by G.",
    ("self._receive(up * slope)", "self._receive(slope)"))
add("div-right-quotient", "closures", "tensor", "rule",
    "In the backward rule of a / b the gradient of the right operand lacks a division by b: it is -G * a / b instead of -G * a / b**2.",
    ("other._receive(-up * quotient / other.data)", "other._receive(-up * quotient)"))
add("neg-unrecorded", "closures", "tensor", "operator",
    "Unary minus does not record itself: -x never requires a gradient, so no gradient flows back through it.",
    ('return MyTensor._result(-self.data, (self,), lambda up: self._receive(-up), "NegBackward")', "return MyTensor(-self.data)"))
add("only-left-decides", "closures", "tensor", "operator",
    "Whether a result is recorded is decided by the left operand alone: with a constant on the left and a tensor that requires a gradient on the right the result requires none.",
    ("if not any(operand.requires_grad for operand in operands):", "if not operands[0].requires_grad:"))
add("pow-zero-at-zero", "functions", "tensor", "rule",
    "The backward rule of x ** 0 has no case of its own: at x = 0 it multiplies 0 by 0**-1 and gives nan instead of 0.",
    ("        if n == 0:\n            return np.zeros_like(g), None\n", ""))
add("div-precedence", "functions", "tensor", "rule",
    "In the backward rule of a / b the gradient of the right operand lacks parentheses around the square: -G * a / b * b is -G * a instead of -G * a / b**2.",
    ("-(g * a) / (b * b)", "-(g * a) / b * b"))
add("pow-by-repetition", "functions", "tensor", "operator",
    "x ** n multiplies x by itself n - 1 times, which is right only for whole n from 1: x ** 0 and negative powers give x, and a power given as a float raises TypeError.",
    ("        return Pow.apply(self, n)", "        result = self\n        for _ in range(n - 1):\n            result = result * self\n        return result"))
add("always-recorded", "functions", "tensor", "operator",
    "Operations are recorded even if no operand requires a gradient: the result of constants has a backward_op instead of None.",
    ("crossOpBack=node if needs else None)", "crossOpBack=node)"))
add("rsub-inputs-swapped", "tape", "tensor", "operator",
    "5 - x has the right value but is recorded with its operands in the wrong order, x first: x receives G instead of -G.",
    ('return binary("-", other, self)',
     'other = MyTensor(other)\n        return record(other.data - self.data, sub_deriv, "SubBackward", self, other)'))
add("neg-sign", "tape", "tensor", "rule",
    "The backward rule of unary minus hands on G instead of -G.",
    ("return (0 - base,)", "return (base,)"))
add("div-left-inverse", "tape", "tensor", "rule",
    "In the backward rule of a / b the left operand receives G * b instead of G / b.",
    ("for_left = base * (1 / right.data)", "for_left = base * right.data"))
add("mul-own-operand", "arrays", "tensor", "rule",
    "In the backward rule of a * b each operand is multiplied by itself instead of the other one: a receives G * a and b receives G * b.",
    ('(np.multiply, lambda g, a, b: g * b, lambda g, a, b: g * a)', '(np.multiply, lambda g, a, b: g * a, lambda g, a, b: g * b)'))
add("div-right-no-upstream", "arrays", "tensor", "rule",
    "In the backward rule of a / b the gradient of the right operand leaves out the upstream gradient: it is -a / b**2 without the factor G.",
    ("lambda g, a, b: -g * a / b**2", "lambda g, a, b: -a / b**2"))
add("pow-clamped", "arrays", "tensor", "rule",
    "The backward rule of x ** n never lets the exponent n - 1 go below 0: for powers below 1, such as -1 or 0.5, it gives G * n instead of G * n * x**(n - 1).",
    ("x ** (n - 1 if n else 1)", "x ** max(n - 1, 0)"))
add("rsub-is-sub", "arrays", "tensor", "operator",
    "The reflected subtraction has its operands in the wrong order: 5 - x gives x - 5 (value and gradient).",
    ('__rsub__ = lambda self, other: elementwise("Sub", other, self)', '__rsub__ = lambda self, other: elementwise("Sub", self, other)'))

# ---------------------------------------------------------------- constructor and properties

add("repr-no-flag", "careful", "tensor", "constructor",
    "__repr__ shows the values but not requires_grad.",
    ('f"MyTensor({self.__data}, requires_grad={self.requires_grad})"', 'f"MyTensor({self.__data})"'))
add("size-is-len", "closures", "tensor", "constructor",
    "size is the length of the first dimension instead of the number of all elements (and it raises for a tensor without dimensions).",
    ("size = property(lambda self: self.__data.size)", "size = property(lambda self: len(self.__data))"))
add("data-copy", "closures", "tensor", "constructor",
    "The property data returns a copy of the array instead of the array itself, so changes through it do not reach the tensor.",
    ("data = property(lambda self: self.__data)", "data = property(lambda self: self.__data.copy())"))
add("dtype-ignored", "functions", "tensor", "constructor",
    "The constructor ignores its dtype argument: the array always has the dtype that NumPy chooses.",
    ("self.__data = np.array(data, dtype)", "self.__data = np.array(data)"))
add("grad-starts-zero", "functions", "tensor", "constructor",
    "A new tensor's grad is an array of zeros instead of None.",
    ("        self.grad = None\n", "        self.grad = np.zeros_like(self.__data)\n"))
add("strides-in-elements", "tape", "tensor", "constructor",
    "strides counts in elements, as PyTorch's do, instead of in bytes.",
    ("return self.__data.strides", "return tuple(s // self.__data.itemsize for s in self.__data.strides)"))
add("float32-default", "tape", "tensor", "constructor",
    "Without a dtype argument the data become float32, as PyTorch's default, instead of the dtype that NumPy chooses.",
    ("self.__data = np.array(data, dtype=dtype)", "self.__data = np.array(data, dtype=np.float32 if dtype is None else dtype)"))
add("numpy-numbers-refused", "tape", "tensor", "constructor",
    "The constructor refuses NumPy numbers that are no Python floats, such as np.float32(2) or np.int64(3), with TypeError.",
    ("(list, tuple, np.ndarray, np.number, int, float)", "(list, tuple, np.ndarray, int, float)"))
add("getitem-tensor", "arrays", "tensor", "constructor",
    "Indexing returns a MyTensor instead of plain NumPy values.",
    ("return self.__data[i]", "return MyTensor(self.__data[i])"))
add("at-least-one-dimension", "arrays", "tensor", "constructor",
    "The constructor turns a single number into an array with one dimension: the shape of MyTensor(3) is (1,) instead of ().",
    ("a = np.array(data, dtype=dtype)", "a = np.atleast_1d(np.array(data, dtype=dtype))"))

# ---------------------------------------------------------------- broadcasting

add("unbroadcast-mean", "careful", "tensor", "broadcasting",
    "unbroadcast averages instead of summing over the dimensions of length 1 that were stretched.",
    ("gradient = gradient.sum(axis=axis, keepdims=True)", "gradient = gradient.mean(axis=axis, keepdims=True)"))
add("sub-right-not-unbroadcast", "careful", "tensor", "broadcasting",
    "The backward rule of a - b does not undo broadcasting for the right operand: a stretched b gets a gradient in the shape of the output.",
    ("unbroadcast(base, left.shape), unbroadcast(-base, right.shape)", "unbroadcast(base, left.shape), -base"))
add("one-extra-dimension", "closures", "tensor", "broadcasting",
    "Undoing broadcasting removes only one of the extra dimensions in front: an operand that lacks two or more dimensions gets a gradient of a wrong shape.",
    ("while len(array.shape) > len(shape):", "if len(array.shape) > len(shape):"))
add("aligned-left", "functions", "tensor", "broadcasting",
    "unbroadcast aligns the two shapes at the left instead of at the right: for an operand that lacks dimensions it sums over the last axes instead of the first.",
    ("(1,) * (gradient.ndim - len(shape)) + tuple(shape)", "tuple(shape) + (1,) * (gradient.ndim - len(shape))"))
add("mul-unbroadcast-too-early", "functions", "tensor", "broadcasting",
    "The backward rule of a * b sums the upstream gradient down to the operand's shape before multiplying by the other operand, instead of summing the product.",
    ("unbroadcast(g * b, a.shape), unbroadcast(g * a, b.shape)", "unbroadcast(g, a.shape) * b, unbroadcast(g, b.shape) * a"))
add("no-keepdims", "tape", "tensor", "broadcasting",
    "unbroadcast sums over stretched dimensions of length 1 without keepdims: the gradient of an operand of shape (1, 3) has shape (3,).",
    ("        if length == 1 and gradient.shape[axis] > 1:\n            gradient = gradient.sum(axis=axis, keepdims=True)\n        axis += 1",
     "        if length == 1 and gradient.shape[axis] > 1:\n            gradient = gradient.sum(axis=axis)\n        else:\n            axis += 1"))
add("first-one-only", "arrays", "tensor", "broadcasting",
    "unbroadcast sums over only the first dimension of length 1: an operand with several stretched dimensions of length 1, such as (1, 1), gets a gradient of a wrong shape.",
    ("np.flatnonzero(np.array(shape, int) == 1))", "np.flatnonzero(np.array(shape, int) == 1)[:1])"))

# ---------------------------------------------------------------- the walk

add("count-once", "careful", "tensor", "walk",
    "backward counts each tensor as an input only once, however many consumers it has: an intermediate result hands its gradient on after the first contribution, and what arrives later is lost.",
    ("                    stack.append(source)\n                consumers[source] += 1", "                    stack.append(source)\n                    consumers[source] += 1"))
add("paths-overwrite", "careful", "tensor", "walk",
    "backward overwrites instead of adding when several contributions arrive at one tensor: x * x gives x only one of its two shares.",
    ("gradients[source] = gradients[source] + share", "gradients[source] = share"))
add("zero-is-no-gradient", "careful", "tensor", "walk",
    "backward does not store a gradient that is all zeros: the leaf's grad stays None.",
    ("            if tensor.backward_op is None:\n                if tensor.grad is None:", "            if tensor.backward_op is None:\n                if not np.any(gradient):\n                    continue\n                if tensor.grad is None:"))
add("not-forgotten", "closures", "tensor", "walk",
    "What arrived at a tensor is not cleared after the walk: a second backward through the same tensors hands the old contributions on once more.",
    ("up, node._arrived = node._arrived, None", "up = node._arrived"))
add("preorder", "closures", "tensor", "walk",
    "backward goes through the tensors in depth-first pre-order, which is no topological order: a tensor with several consumers hands its gradient on before all contributions have arrived.",
    ("            todo.append((node, True))\n", "            order.append(node)\n"), ("node = order.pop()", "node = order.pop(0)"))
add("recursive-order", "closures", "tensor", "walk",
    "backward finds its order by recursion: a chain of about a thousand operations ends in RecursionError.",
    ("""        order, seen, todo = [], set(), [(self, False)]
        while todo:
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
""", """        order, seen = [], set()

        def visit(node):
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
add("constants-get-grad", "functions", "tensor", "walk",
    "backward also gives a grad to tensors that require none: a constant operand's grad is set.",
    ("if not (isinstance(parent, MyTensor) and parent.requires_grad):", "if not isinstance(parent, MyTensor):"))
add("backward-on-constant", "functions", "tensor", "walk",
    "backward does not stop for a tensor that requires no gradient: called on a constant it sets that tensor's own grad.",
    ("        if not self.requires_grad:\n            return\n", ""))
add("leaf-start-ignored", "functions", "tensor", "walk",
    "backward called on a leaf does nothing, instead of adding the base to the leaf's own grad.",
    ("        if not self.requires_grad:\n            return\n", "        if not self.requires_grad or self.backward_op is None:\n            return\n"))
add("scalar-start", "tape", "tensor", "walk",
    "Without a base, backward starts with the single number 1 whatever the tensor's shape, instead of ones in its shape: for tensors with dimensions the gradients have a wrong shape or are not summed, and some rules raise.",
    ("np.ones(self.shape) if base is None", "np.array(1.0) if base is None"))
add("tape-forward", "tape", "tensor", "walk",
    "backward goes through the operations in the order in which they were made, not in reverse: only the last operation hands its gradient on, and of a chain of two or more the leaves get nothing.",
    ("sorted(TAPE.keys(), reverse=True)", "sorted(TAPE.keys())"))
add("tape-emptied", "tape", "tensor", "walk",
    "backward forgets all recorded operations when it ends: a second backward through the same graph, or through another one made before, no longer reaches the leaves.",
    ("        # what is left has come from no operation\n", "        TAPE.clear()\n"))
add("inner-grads-kept", "tape", "tensor", "walk",
    "backward also stores a grad in intermediate results and in the tensor it is called on, though only leaves keep their gradient.",
    ("            shares = result.backward_op(flowing.pop(result))", "            result.grad = flowing.pop(result)\n            shares = result.backward_op(result.grad)"))
add("second-backward-replaces", "arrays", "tensor", "walk",
    "A second backward replaces the grad of a leaf instead of adding to it.",
    ("node.grad = np.array(grads[node] if node.grad is None else node.grad + grads[node])", "node.grad = np.array(grads[node])"))
add("breadth-first", "arrays", "tensor", "walk",
    "backward goes through the tensors breadth first, by their shortest distance from the result, which is no topological order: a tensor that is also reached by a longer path hands its gradient on too early and what arrives later is lost.",
    ("""        order, seen, path = [], {self}, [(self, iter(self.parents()))]
        while path:
            node, rest = path[-1]
            child = next((p for p in rest if p not in seen), None)
            if child is None:
                order.append(node)
                path.pop()
            else:
                seen.add(child)
                path.append((child, iter(child.parents())))
""", """        order, seen = [self], {self}
        for node in order:
            for p in node.parents():
                if p not in seen:
                    seen.add(p)
                    order.append(p)
"""), ("for node in reversed(order):", "for node in order:"))
add("both-sides-one-share", "arrays", "tensor", "walk",
    "When one tensor is both operands of an operation, backward keeps only the last of its two shares: x * x gives x instead of 2x.",
    ("for i, g in zip(node.backward_op.inputs, node.backward_op(grads[node])):", "for i, g in dict(zip(node.backward_op.inputs, node.backward_op(grads[node]))).items():"))
add("base-ignored", "arrays", "tensor", "walk",
    "backward ignores its base and always starts with ones.",
    ("grads[self] + (1.0 if base is None else base.data)", "grads[self] + 1.0"))

# ---------------------------------------------------------------- memory

add("no-copy", "careful", "tensor", "memory",
    "The constructor does not copy an array that it is given: a later change of that array changes the tensor.",
    ("array = np.array(data, dtype=dtype)", "array = np.asarray(data, dtype=dtype)"))
add("grads-shared", "careful", "tensor", "memory",
    "backward stores a gradient in a leaf without copying it and later adds to it in place: both leaves of an addition share one array, so a second backward adds to each of them twice.",
    ("tensor.grad = np.array(gradient)", "tensor.grad = gradient"), ("tensor.grad = np.array(tensor.grad + gradient)", "tensor.grad += gradient"))
add("flow-in-place", "tape", "tensor", "memory",
    "backward adds contributions in place to an array that other tensors' gradients share (both operands of + are handed the same one): when a sum's operand is used again, the gradients of the others change, too.",
    ("flowing[source] = flowing[source] + share", "flowing[source] += share"), nameable=False)
add("neg-in-place", "tape", "tensor", "memory",
    "The backward rule of unary minus changes the upstream gradient in place: in -a + b, where both share it, b receives the negated gradient as well.",
    ("return (0 - base,)", "base *= -1\n    return (base,)"))
add("relu-backward-in-place", "closures", "relu", "memory",
    "ReLU's backward multiplies the upstream gradient by its mask in place: in relu(a) + b, where both share it, b's gradient is masked as well.",
    ('    return MyTensor._result(np.where(mask, x.data, 0), (x,), lambda up: x._receive(up * mask), "ReluBackward")',
     '    def push(up):\n        up *= mask\n        x._receive(up)\n\n    return MyTensor._result(np.where(mask, x.data, 0), (x,), push, "ReluBackward")'))
add("relu-changes-input", "arrays", "relu", "memory",
    "relu writes its result into the array of its input, so the negative values of x itself become 0.",
    ("np.clip(x.data, 0, None)", "np.clip(x.data, 0, None, out=x.data)"))
add("mse-changes-prediction", "functions", "mseloss", "memory",
    "MSELoss subtracts the target from the prediction's own array in place: y holds the differences afterwards.",
    ("        ctx.save(y - t)\n        return np.mean((y - t) ** 2)", "        y -= t\n        ctx.save(y)\n        return np.mean(y**2)"))
add("train-reorders-examples", "closures", "train", "memory",
    "train shuffles the images and targets that it was given in place: the caller's arrays are in another order afterwards.",
    ("        np.random.shuffle(rows)\n", "        mixed = np.random.permutation(len(images))\n        images[:] = images[mixed]\n        targets[:] = targets[mixed]\n"))
add("div-changes-upstream", "careful", "tensor", "memory",
    "The backward rule of a / b divides the upstream gradient in place: the right operand's gradient is computed from G / b instead of G, and tensors that share the upstream gradient are given G / b as well.",
    ("left_gradient = base / right.data", "base /= right.data\n    left_gradient = base"), nameable=False)

# ---------------------------------------------------------------- modules

add("default-dictionary", "careful", "module", "module",
    "parameters() collects in a dictionary that is a default argument, so one and the same for all calls: it also returns parameters of modules asked before, and those that were replaced.",
    ("def parameters(self) -> list[Parameter]:", "def parameters(self, found={}) -> list[Parameter]:"),
    ("        found = {}\n", ""))
add("equal-values-dropped", "closures", "module", "module",
    "parameters() leaves out parameters whose values equal those of another one, instead of only the same object met again.",
    ("if not any(p is q for q in result):", "if not any(np.array_equal(p.tensor.data, q.tensor.data) for q in result):"))
add("one-level", "functions", "module", "module",
    "parameters() looks only one level deep: the parameters of sub-modules of sub-modules are missing.",
    ("            yield from module.__walk()", "            yield from module.__parameters.values()"))
add("name-as-key", "tape", "module", "module",
    "parameters() recognizes parameters by name instead of identity: of several parameters with one name, such as the weights of two layers, only the first is returned.",
    ("if id(parameter) not in known:\n                    known.add(id(parameter))", "if parameter.name not in known:\n                    known.add(parameter.name)"))
add("own-left-out", "arrays", "module", "module",
    "parameters() leaves out a module's own parameters if its sub-modules have any.",
    ("for p in own + deeper}", "for p in deeper or own}"))
add("no-deduplication", "arrays", "module", "module",
    "parameters() returns shared parameters, and those of a module that stands in two places, several times.",
    ("return list({id(p): p for p in own + deeper}.values())", "return own + deeper"))
add("first-sub-module-only", "tape", "module", "module",
    "parameters() goes only into the first sub-module of each module: the parameters of the others are missing.",
    ("modules.extend(reversed(list(module.__sub_modules.values())))", "modules.extend(list(module.__sub_modules.values())[:1])"))

# ---------------------------------------------------------------- layers

add("matmul-left-no-transpose", "careful", "matmul", "layer",
    "The backward rule of matmul lacks the transpose of the right matrix in the left one's gradient: it computes G @ B instead of G @ B.T.",
    ("upstream @ right.data.T", "upstream @ right.data"))
add("matmul-right-turned", "tape", "matmul", "layer",
    "In the backward rule of matmul (for a batch) the gradient of the right matrix is transposed: G.T @ A instead of A.T @ G.",
    ("base @ right.data.T, left.data.T @ base", "base @ right.data.T, base.T @ left.data"))
add("matmul-outer-order", "functions", "matmul", "layer",
    "For a single row on the left, matmul's backward gives the right matrix the outer product in the wrong order, outer(G, a) instead of outer(a, G): its gradient is transposed.",
    ("np.outer(a, g)", "np.outer(g, a)"))
add("matmul-row-forgotten", "arrays", "matmul", "layer",
    "The backward rule of matmul does not handle a single row of shape (k,): for the right matrix x.T @ g is a plain dot product, or an error, instead of a matrix.",
    ("    rule = lambda g, x, w: (g @ w.T, np.atleast_2d(x).T @ np.atleast_2d(g))", "    rule = lambda g, x, w: (g @ w.T, x.T @ g)"))
add("init-positive", "functions", "linear", "layer",
    "Linear draws its weights from 0 to 1/sqrt(input_size) instead of from -1/sqrt(input_size) to 1/sqrt(input_size): none is negative.",
    ("(2 * np.random.rand(input_size, output_size) - 1) * limit", "np.random.rand(input_size, output_size) * limit"))
add("init-no-root", "careful", "linear", "layer",
    "Linear draws its weights from between -1/input_size and 1/input_size: the square root is missing in the bound.",
    ("bound = 1 / np.sqrt(input_size)", "bound = 1 / input_size"))
add("init-output-size", "closures", "linear", "layer",
    "Linear takes the bound of its random weights from output_size instead of input_size: 1/sqrt(output_size).",
    ("k = 1 / math.sqrt(input_size)", "k = 1 / math.sqrt(output_size)"))
add("same-seed", "tape", "linear", "layer",
    "Linear draws its weights from a generator with a fixed seed: all layers of one size start with the same weights.",
    ("MyTensor(np.random.uniform(low=-high", "MyTensor(np.random.default_rng(0).uniform(low=-high"))
add("bias-gradient-mean", "arrays", "linear", "layer",
    "The gradient of Linear's bias is the mean of the upstream gradient over the batch instead of its sum.",
    ("np.atleast_2d(g).sum(0))", "np.atleast_2d(g).mean(0))"))
add("bias-no-parameter", "careful", "linear", "layer",
    "Linear's bias is a plain MyTensor and no Parameter, so parameters() does not contain it.",
    ("self.bias = Parameter(MyTensor(np.zeros(output_size)))", "self.bias = MyTensor(np.zeros(output_size), requires_grad=True)"),
    ("self.weight.tensor) + self.bias.tensor", "self.weight.tensor) + self.bias"))
add("relu-at-zero", "functions", "relu", "layer",
    "ReLU's derivative at 0 is taken to be 1 instead of 0.",
    ("ctx.save(a > 0)", "ctx.save(a >= 0)"))
add("relu-masks-by-gradient", "careful", "relu", "layer",
    "ReLU's backward takes its mask from the upstream gradient instead of the input: it lets positive gradients pass instead of those where x > 0.",
    ("base * (x.data > 0)", "base * (base > 0)"))
add("relu-times-value", "tape", "relu", "layer",
    "ReLU's backward multiplies the upstream gradient by max(x, 0) instead of by 1 where x > 0 (and 0 elsewhere).",
    ("kept[x.data > 0] = 1.0", "kept[x.data > 0] = x.data[x.data > 0]"))
add("relu-keeps-last-mask", "closures", "relu", "layer",
    "The ReLU module keeps its mask in an attribute that backward reads: when one module is used twice before backward, both uses are masked by the last input.",
    ("    def forward(self, x):\n        return relu(x)",
     '    def forward(self, x):\n        self.mask = x.data > 0\n        return MyTensor._result(np.where(self.mask, x.data, 0), (x,), lambda up: x._receive(up * self.mask), "ReluBackward")'))

# ---------------------------------------------------------------- SGD

add("step-uphill", "careful", "sgd", "optimizer",
    "step adds lr times the gradient instead of subtracting it.",
    ("data -= self.lr * parameter.tensor.grad", "data += self.lr * parameter.tensor.grad"))
add("step-new-tensor", "closures", "sgd", "optimizer",
    "step puts a new tensor into the parameter instead of changing the tensor's array in place: others who hold the tensor do not see the change.",
    ("p.tensor.data[...] -= self.lr * gradient.data", "p.tensor = MyTensor(p.tensor.data - self.lr * gradient.data, requires_grad=True)"))
add("zero-grad-wrong-object", "closures", "sgd", "optimizer",
    "zero_grad sets an attribute grad of the Parameter objects to None instead of that of their tensors: the gradients stay.",
    ("p.tensor.grad = None", "p.grad = None"))
add("step-clears", "functions", "sgd", "optimizer",
    "step also sets the gradients to None after it has applied them, which only zero_grad should do.",
    ('out=tensor.data, casting="same_kind")', 'out=tensor.data, casting="same_kind")\n            tensor.grad = None'))
add("step-stops", "tape", "sgd", "optimizer",
    "step ends at the first parameter without a gradient instead of passing over it: the parameters after it are not changed.",
    ("            if tensor.grad is None:\n                continue\n", "            if tensor.grad is None:\n                return\n"))
add("zero-grad-zeros", "tape", "sgd", "optimizer",
    "zero_grad sets the gradients to arrays of zeros instead of None.",
    ("parameter.tensor.grad = None", "parameter.tensor.grad = np.zeros(parameter.tensor.shape)"))
add("step-scales-gradient", "arrays", "sgd", "optimizer",
    "step multiplies the stored gradients by lr in place: grad is changed, and a second step without a new backward moves by lr**2 times the gradient.",
    ("t.data[...] -= self.lr * t.grad", "t.grad *= self.lr\n                t.data[...] -= t.grad"))

# ---------------------------------------------------------------- loss

add("mse-by-rows", "careful", "mseloss", "loss",
    "MSELoss divides by the length of the first dimension (the batch size) instead of by the number of all elements.",
    ("/ difference.size", "/ len(difference.data)"))
add("mse-factor-two", "functions", "mseloss", "loss",
    "The gradient of MSELoss lacks the factor 2: it is (y - t) / N instead of 2 (y - t) / N.",
    ("grad = g * 2 * difference / difference.size", "grad = g * difference / difference.size"))
add("sum-gradient-mean", "closures", "mseloss", "loss",
    "The backward rule of sum divides the upstream gradient by the number of elements, so the gradient of MSELoss is N times too small (its value is right).",
    ("x._receive(up + np.zeros(x.shape))", "x._receive(up / x.size + np.zeros(x.shape))"))
add("mse-root", "arrays", "mseloss", "loss",
    "MSELoss takes the square root of the mean squared error.",
    ("return sum((y - y_target) ** 2) / y.size", "return (sum((y - y_target) ** 2) / y.size) ** 0.5"))
add("mse-upstream-forgotten", "functions", "mseloss", "loss",
    "The backward rule of MSELoss leaves out the upstream gradient: a loss that is scaled or computed with further has the gradient of the plain loss.",
    ("grad = g * 2 * difference / difference.size", "grad = 2 * difference / difference.size"))
add("sum-axis-not-put-back", "tape", "mseloss", "loss",
    "The backward rule of sum does not put the summed axis back: with axis=1 the upstream gradient is laid along the wrong dimension or raises.",
    ("        base = base.reshape([1 if i in axes else n for i, n in enumerate(x.shape)])\n", "        base = base * 1.0\n"))

# ---------------------------------------------------------------- training and the model

add("zero-grad-per-epoch", "careful", "train", "training",
    "train calls zero_grad once per epoch instead of before each mini-batch: gradients of earlier mini-batches are added to later ones.",
    ("        total = 0.0\n", "        total = 0.0\n        optimizer.zero_grad()\n"),
    ("            optimizer.zero_grad()\n            y = model", "            y = model"))
add("shuffled-once", "closures", "train", "training",
    "train shuffles the examples only once, before the first epoch, instead of anew in each epoch.",
    ("    rows = np.arange(len(images))\n", "    rows = np.random.permutation(len(images))\n"), ("        np.random.shuffle(rows)\n", ""))
add("targets-unshuffled", "closures", "train", "training",
    "train takes shuffled rows of the images but the targets in their original order: inputs and targets of a mini-batch do not belong together.",
    ("MyTensor(targets[some])", "MyTensor(targets[begin : begin + batch_size])"))
add("lr-forgotten", "functions", "train", "training",
    "train does not pass its lr on to SGD, which uses its default of 0.01.",
    ("optimizer = SGD(model.parameters(), lr=lr)", "optimizer = SGD(model.parameters())"))
add("live-last-batch", "careful", "train", "training",
    "train calls live with the loss of the epoch's last mini-batch instead of the mean loss of the epoch.",
    ("live(losses[-1])", "live(float(loss.data))"))
add("log-not-reset", "tape", "train", "training",
    "train does not start the sum of the losses anew in each epoch: the logged loss of an epoch contains all epochs before it.",
    ("        squared = 0.0\n", ""), ("    losses = []\n", "    losses = []\n    squared = 0.0\n"))
add("epoch-short", "tape", "train", "training",
    "train runs one epoch fewer than epochs says.",
    ("tqdm(range(epochs), ", "tqdm(range(1, epochs), "))
add("last-batch-dropped", "arrays", "train", "training",
    "train leaves out the last mini-batch of an epoch if it is smaller than batch_size: these examples are not trained on in that epoch.",
    ("for i in range(0, n, batch_size)", "for i in range(0, n - batch_size + 1, batch_size)"))
add("mean-unweighted", "arrays", "train", "training",
    "The logged loss is the plain mean of the mini-batches' losses: a smaller last mini-batch counts as much as the full ones.",
    ("logged.append(loss.data * len(rows))", "logged.append(loss.data)"), ("float(np.sum(logged) / n)", "float(np.mean(logged))"))
add("backward-after-step", "functions", "train", "training",
    "train calls step before backward, right after zero_grad, so no gradient is ever applied: the model does not learn.",
    ("            loss.backward()\n            optimizer.step()\n", "            optimizer.step()\n            loss.backward()\n"), nameable=False)
add("layers-in-a-list", "tape", "model", "training",
    "SuperModel keeps its layers in a plain list, where they are not registered: its parameters() is empty, so it cannot be trained.",
    ("        self.layer1 = Linear(64, 64)\n        self.relu1 = ReLU()\n        self.layer2 = Linear(64, 10)\n", "        self.layers = [Linear(64, 64), ReLU(), Linear(64, 10)]\n"),
    ("(self.layer1, self.relu1, self.layer2)", "self.layers"))
add("no-relu-between", "functions", "model", "training",
    "SuperModel has no ReLU between its two linear layers: together they are one linear (affine) map.",
    ("        x = self.relu(x)\n", ""))

# ---------------------------------------------------------------- partial work

add("pow-rule-stub", "careful", "tensor", "partial",
    "The backward rule of ** is not written yet (it returns None): x ** n has the right value, but backward through it fails.",
    ("    tensor, power = args\n    if power == 0:\n        return np.zeros(tensor.shape), None\n    return base * power * tensor.data ** (power - 1), None", "    ..."))
add("rtruediv-missing", "closures", "tensor", "partial",
    "The reflected division __rtruediv__ is missing: 6 / x raises TypeError.",
    ("    def __rtruediv__(self, other):\n        return as_tensor(other) / self\n\n", ""))
add("sub-right-unwritten", "tape", "tensor", "partial",
    "The backward rule of a - b is half written: it returns None for the right operand, which gets no gradient.",
    ("unbroadcast(base, left.shape), unbroadcast(base * -1, right.shape)", "unbroadcast(base, left.shape), None"))
add("zero-grad-stub", "arrays", "sgd", "partial",
    "zero_grad is not written yet: it does nothing and the gradients stay.",
    ("        for p in self.params:\n            p.tensor.grad = None\n", "        ...\n"))
add("bias-unused", "tape", "linear", "partial",
    "Linear's forward leaves out the bias: it returns x @ weight.",
    ("return xw + self.bias.tensor", "return xw"))
add("no-log", "careful", "train", "partial",
    "train trains but does not log: it returns an empty list and never calls live.",
    ("        losses.append(total / len(images))\n        progress.set_postfix(loss=losses[-1])\n        if live:\n            live(losses[-1])\n", ""))

# ---------------------------------------------------------------- copied and not adapted

add("rmul-add-rule", "careful", "tensor", "copy",
    "The reflected multiplication has the right value but is recorded with the rule of addition: the gradient of x in 3 * x is G instead of 3 G.",
    ('    def __rmul__(self, other):\n        return self.__operation(other, np.multiply, mul_deriv, "MulBackward", reflected=True)',
     '    def __rmul__(self, other):\n        return self.__operation(other, np.multiply, add_deriv, "MulBackward", reflected=True)'))
add("div-left-from-mul", "closures", "tensor", "copy",
    "The backward rule of a / b was copied from multiplication for the left operand: it receives G * b instead of G / b.",
    ("self._receive(up / other.data)", "self._receive(up * other.data)"))
add("sub-from-add", "functions", "tensor", "copy",
    "The backward rule of a - b was copied from addition: the right operand receives G instead of -G.",
    ("return unbroadcast(g, shape_a), -unbroadcast(g, shape_b)", "return unbroadcast(g, shape_a), +unbroadcast(g, shape_b)"))
add("bias-like-weight", "functions", "linear", "copy",
    "Linear's bias is drawn at random like the weights instead of starting with zeros.",
    ("MyTensor(np.zeros((output_size,)))", "MyTensor((2 * np.random.rand(output_size) - 1) * limit)"))
add("rtruediv-multiplies", "tape", "tensor", "copy",
    "The reflected division was copied from the reflected multiplication: 6 / x computes 6 * x.",
    ('return binary("/", other, self)', 'return binary("*", other, self)'))
add("size-is-shape", "arrays", "tensor", "copy",
    "size returns the shape instead of the number of elements.",
    ("return self.__data.size", "return self.__data.shape"))
add("sub-gradients-swapped", "arrays", "tensor", "rule",
    "The subtraction's gradients are swapped: in a - b the left operand receives -G and the right one G.",
    ('"Sub": (np.subtract, lambda g, a, b: g, lambda g, a, b: -g)', '"Sub": (np.subtract, lambda g, a, b: -g, lambda g, a, b: g)'))

# ---------------------------------------------------------------- two at once

add("pair-sub-and-mse", "careful", "tensor", "pair",
    "Two slips: the backward rule of a - b gives the right operand G instead of -G; and MSELoss divides by the length of the first dimension instead of by the number of all elements.",
    ("unbroadcast(-base, right.shape)", "unbroadcast(base, right.shape)"), ("/ difference.size", "/ len(difference.data)"))
add("pair-pow-and-relu", "closures", "tensor", "pair",
    "Two slips: the backward rule of x ** n lacks the factor n, giving G * x**(n - 1); and ReLU's derivative at 0 is 1 instead of 0.",
    ("slope = n * self.data ** (n - 1)", "slope = self.data ** (n - 1)"), ("mask = x.data > 0", "mask = x.data >= 0"))
add("pair-div-and-train", "functions", "tensor", "pair",
    "Two slips: in the backward rule of a / b the gradient of the right operand lacks its minus sign; and train never calls zero_grad, so gradients of all mini-batches add up.",
    ("-(g * a) / (b * b)", "(g * a) / (b * b)"), ("            optimizer.zero_grad()\n", ""))
add("pair-matmul-and-sgd", "tape", "matmul", "pair",
    "Two slips: for a batch, matmul's backward gives the right matrix the gradient A @ G, without the transpose of A, instead of A.T @ G; and step adds lr times the gradient instead of subtracting it.",
    ("left.data.T @ base", "left.data @ base"), ("array - self.lr * tensor.grad", "array + self.lr * tensor.grad"))
add("pair-accumulate-and-walk", "arrays", "tensor", "pair",
    "Two slips: backward replaces a leaf's grad at a second call instead of adding to it; and x ** n ignores the upstream gradient in its backward rule.",
    ("node.grad = np.array(grads[node] if node.grad is None else node.grad + grads[node])", "node.grad = np.array(grads[node])"),
    ("(g * n * x ** (n - 1 if n else 1), None)", "(n * x ** (n - 1 if n else 1), None)"))
