# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Minitorch workshop
#
# Here you rebuild the core of PyTorch in plain Python and NumPy. At the end your own little library learns to read
# handwritten digits.
#
# You need **Python** (functions, classes), and derivatives as school teaches them. All else is explained on the way.
#
# - **Predict:** say what the next cell will show, then run it. A wrong guess is worth more than a right one.
# - **Your turn:** change the cell above and run it again. You cannot break anything.
# - **Build:** complete a cell: your code takes the place of `...`. Hints come before it; open them one at a time. The cell
#   after it tests your work. After a change, run all the cells below it again.

# %% [markdown]
# ## Summary
#
# | Section | You will | At its end | Minutes |
# | --- | --- | --- | --- |
# | Set-up | meet a network that reads, and build its last step | your first test has passed | 15 |
# | Tensors | look at types, shapes and strides | you know how an array lies in memory | 20 |
# | Reminders | recall training, and differentiate numerically | a model learns with your derivative | 20 |
# | Automatic differentiation | see how a program differentiates | you know what to build | 10 |
# | ... Step 1: a tensor holds numbers | build `MyTensor` | it prints itself, and the first points are yours | 20 |
# | ... Step 2: broadcasting, backward | build `unbroadcast` | you see how a gradient folds back | 15 |
# | ... Step 3: the rules | build the rules of the operations | they agree with your numeric derivative | 15 |
# | ... Step 4: operators that remember | have `MyTensor` record | it computes like NumPy | 25 |
# | ... Step 5: the walk | build `backward` | you see your own graph, and roll down a curve with it | 30 |
# | PyTorch architecture | build `MyModule` | a network is drawn, with all its parameters | 15 |
# | Base layers | build `matmul`, `Linear` and `ReLU` | you see what a layer does to a plane | 35 |
# | Optimizer | build `SGD` | you watch the steps of several rates in a valley | 15 |
# | Loss functions | build `MSELoss` | your library is complete | 15 |
# | Make a model! | train your network on digits, then in PyTorch | it reads the digit that you draw | 45 |
# | Conclusion | look back, and ahead | you can go on by yourself | 5 |
#
# The times are for somebody who knows Python and a little NumPy, and meets all else here for the first time: some five
# hours, in as many sittings as you like. If NumPy is new to you, too, take some two hours more; whoever has built such
# things before needs about half.

# %% [markdown]
# ## Set-up
#
# Click into the next cell and press `Shift+Enter`: that runs it, and goes on to the one below. It says what to do if
# something is missing; [docs/learner.md](docs/learner.md) takes you through a set-up step by step.

# %% tags=["torch"]
try:
    from checks.environment import check_setup
except ImportError:
    print("tests.py and checks/ are not here. Open this notebook in the folder it came in,")
    print("then restart the kernel. On Google Colab: first run the cell that unpacks the folder,")
    print("see docs/learner.md.")
else:
    check_setup()

# %% [markdown]
# Run the next two cells as well: what your code is built with, and PyTorch, which the tests compare it with. All that you
# build and test works without PyTorch, too.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import builtins
import sys
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from tqdm import tqdm

import tests

# %% tags=["torch"]
try:
    import torch
    import torchvision
    from torchvision.transforms import v2
except (ImportError, OSError) as error:
    torch = torchvision = v2 = tests.absent("PyTorch", error)

# %% [markdown]
# ### A network that reads
#
# This *neural network* has learned to read handwritten digits. Its input is a drawing of 8 lines with 8 characters: `.` is
# paper, `+` gray, `#` ink. It gives each of the ten digits a score, and answers with the highest.
#
# **Predict:** will it read this one? Which digit gets the second highest score?

# %%
tests.read_digit("""
..###...
.#++#+..
....##..
....#+..
...##...
..+#....
..##+++.
..#####.
""")

# %% [markdown]
# In the middle is your drawing as the network gets it: moved to the center and blurred a little.
#
# **Your turn:** draw another digit. Can you draw one that it misreads? (`tests.read_digit(7)` reads one of 360 pictures.)
#
# Nobody told it what a 2 looks like. It is a formula with 2,410 numbers, found by many small steps, each in the direction
# in which the mistakes became smaller. How does a program know that direction? That is what you will build.

# %% [markdown]
# ### Your first test
#
# **Build** the last step of such a network, `answer`: given the scores of the ten digits, which digit is it (2 minutes)?
# So `answer([0.1, -0.3, 0.8, 0.2, 0.0, 0.1, -0.2, 0.3, 0.1, 0.0])` is 2, the place of 0.8.
#
# <details>
# <summary>Hint</summary>
#
# `max(scores)` is the highest score, and `scores.index(score)` is where a score stands in the list.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def answer(scores: list[float]) -> int:
    """The digit with the highest score.

    Args:
        scores: one for each digit, that of 0 first; all of them may be negative.
    """
    ### BEGIN SOLUTION
    return scores.index(max(scores))
    ### END SOLUTION

# %% [markdown]
# Now test it:

# %%
tests.test_answer(answer)

# %% [markdown]
# ### How to read a report
#
# A report has a line for each check. The one to look at stands open: it shows the smallest input that goes wrong, as
# code to paste into a new cell, what is right beside what you gave, and hints. Inputs are random. The call at its end
# repeats them. (Break `answer`, and run both cells again, to see one that fails.)
#
# This test was for practice. In a graded one each check is worth a part of the section's points, and an answer that works
# in part earns a part of them: the number below the report. More in
# [docs/learner.md](docs/learner.md#reading-a-report). The next cell shows where you are, at any time; it remembers
# across restarts.

# %%
tests.progress()

# %% [markdown]
# ## Tensors
#
# *Reading, playing and a small test, 20 minutes.*
#
# A *tensor* is an array with any number of dimensions whose elements all have one type. With no dimension it is a
# single number (a *scalar*), with one a vector, with two a matrix. Its *shape* is the number of elements along each
# dimension: that drawing became a tensor of shape (8, 8). NumPy's arrays work in the same way, so we look at them first.

# %% [markdown]
# ### Types
#
# The type of the elements, the *dtype*, decides how many bytes each takes, which numbers it can hold, and how fast we
# compute. It is a tradeoff, easily forgotten: `float32` is smaller and faster and keeps about 7 decimal digits,
# `float64` keeps about 16. PyTorch's default is `float32`, NumPy's is `float64`. And integers cannot hold a fraction,
# so anything we want to change in small steps must be floating point.
#
# <details>
# <summary>If you want to know: why faster?</summary>
#
# A processor has instructions that work on several numbers at once (SIMD). With 128-bit registers, one such instruction
# handles four `float32` (32 bits each) or two `float64` (64 bits each). Wider registers hold more of both, but always
# twice as many `float32`.
#
# </details>
#
# **Predict** the three lines: how many bytes do three numbers take? How many digits of 1/3 are right? What is left of
# 2.9?

# %%
single = np.array([1, 2, 3], dtype=np.float32)
double = np.array([1, 2, 3], dtype=np.float64)
print("bytes:     ", single.nbytes, "and", double.nbytes)
print("one third: ", np.float32(1) / 3, "and", np.float64(1) / 3)

whole = np.array([1, 2, 3])  # whole numbers: NumPy chooses int64
whole[0] = 2.9
print("an integer:", whole[0], whole.dtype)

# %% [markdown]
# <details>
# <summary>If you like: a smaller type</summary>
#
# **Your turn:** `np.float16` takes 2 bytes. How many digits of 1/3 does it keep? What does it make of 100,000? (NumPy warns
# in red that this number is too large for it.)
#
# </details>

# %% [markdown]
# ### Shape
#
# In memory a tensor's elements lie in a row, one after the other: its *storage*. The shape says how to read them, so to
# read them in another one, with `reshape`, usually moves no data. Neighbors in the last dimension usually lie side by side,
# and going through them in this order makes good use of the processor's cache.
#
# A *reduction* makes few numbers of many, such as a sum or a mean: of all elements, or along one dimension (NumPy calls it
# an *axis*), which then is gone.
#
# *Broadcasting* lets arrays of different shapes meet in one operation. The shapes are aligned at the right; a
# dimension that is missing or has length 1 is stretched to the other's length, as if its elements were repeated. All
# other lengths must be equal. So `(2, 3)` and `(3,)` give `(2, 3)`, and so do `(2, 1)` and `(1, 3)`.
#
# **Predict** the shapes of the five results, and then one number in each.

# %%
matrix = np.arange(6).reshape(2, 3)
row = np.array([10, 20, 30])  # shape (3,)
column = np.array([[100], [200]])  # shape (2, 1)
print(matrix, "shape", matrix.shape, "\n")
arrays = {
    "matrix + row": matrix + row,
    "matrix + column": matrix + column,
    "row + column": row + column,
    "matrix.sum(axis=0)": matrix.sum(axis=0),
    "matrix.sum(axis=1)": matrix.sum(axis=1),
}
for code, array in arrays.items():
    print(f"{code:18}  shape {array.shape}:", array.tolist())

# %% [markdown]
# **Your turn:** give `row` two elements in place of three. Why does NumPy refuse? And why does it not, when it has
# one?

# %% [markdown]
# ### Strides
#
# The *stride* of a dimension is the step to take in the storage to move on by one in that dimension. Element `[i, j]` lies
# `i * stride_0 + j * stride_1` after the first one. NumPy's `.strides` counts in **bytes**. PyTorch's `.stride()`, with
# parentheses, counts in **elements**.
#
# ![Six numbers lie in a row in the storage, 8 bytes each: 3, 4, 7, 2, 5, 1. Read with shape (2, 3) and strides (24, 8) they are a matrix with the rows 3, 4, 7 and 2, 5, 1: a step right is 8 bytes, a step down is 24. Read with shape (3, 2) and strides (8, 24) they are its transpose, with the rows 3, 2 and 4, 5 and 7, 1.](figures/strides.svg)
#
# The second reading is the *transpose* of the first, `a.T` in NumPy: the matrix turned over, so that its rows become its
# columns. To make it, it is enough to swap the two lengths and the two strides. Not one element moves: both are *views*
# of one storage.
#
# **Predict** all that is printed: the strides, also of a row that broadcasting stretched, and what `a` is after a change
# in its transpose.

# %%
a = np.array([[3, 4, 7], [2, 5, 1]], dtype=np.int64)  # 8 bytes per element
print("a:   shape", a.shape, "strides", a.strides)
print("a.T: shape", a.T.shape, "strides", a.T.strides)
print("the stretched row: strides", np.broadcast_to(a[0], (2, 3)).strides)

a.T[0, 1] = 99
print(a)

# %% [markdown]
# The stride 0 is how broadcasting repeats a row without copying it: the step to its repetition is no step at all.
#
# **Build** `strides_of`, which NumPy computes for a new array, as `np.zeros` makes it (5 minutes). Its elements lie row after
# row: the last dimension's neighbors side by side, `itemsize` bytes apart. So `strides_of((2, 3), 8)` is `(24, 8)`, a tuple
# of whole numbers. This one is for practice, too.
#
# <details>
# <summary>Hint 1</summary>
#
# Begin with the last dimension. What is its stride, and what is the one before it, where a step passes a whole row?
#
# </details>
#
# <details>
# <summary>Hint 2</summary>
#
# Keep a `step`, which is `itemsize` at first. For each length of `reversed(shape)`: the step is this dimension's
# stride; multiplied by the length it is the next one's. You find the last stride first: in the end turn the list around,
# `[::-1]`, and make a tuple of it.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "strides", "locked": false, "schema_version": 3, "solution": true, "task": false}
def strides_of(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """The strides, in bytes, of an array whose elements lie row after row.

    Args:
        shape: the lengths of any number of dimensions; () is a scalar.
        itemsize: how many bytes one element takes.
    """
    ### BEGIN SOLUTION
    strides, step = [], itemsize
    for length in reversed(shape):
        strides.insert(0, step)
        step *= length
    return tuple(strides)
    ### END SOLUTION

# %%
tests.test_strides(strides_of)

# %% [markdown]
# ### In PyTorch
#
# `torch.tensor` makes a tensor from a list, and `dtype=` chooses its type. There are
# [many more ways to create one](https://docs.pytorch.org/docs/stable/torch.html#creation-ops). Most names are
# NumPy's; three that are not: `stride()` counts elements, `numel()` is the number of elements, and `size()` is the
# shape. Some operations, such as the matrix product, refuse two tensors of different types.
#
# **Predict** the strides, and the three dtypes.

# %% tags=["torch"]
a = torch.tensor([[3, 4, 7], [2, 5, 1]])
print("a:  ", a.size(), a.numel(), "elements of", a.element_size(), "bytes, stride", a.stride())
print("a.T:", a.T.size(), "stride", a.T.stride())

b = torch.tensor([4.0, 2.0, 4.0, 5.0])
c = torch.tensor([4, 2, 4, 5], dtype=torch.float64)
print(a.dtype, b.dtype, c.dtype)

# %% [markdown]
# ## Reminders
#
# *Reading, playing and a small test, 20 minutes.*
#
# ### Machine learning
#
# A candle burns. After 1 hour it is 2 cm shorter, after 3 hours 6 cm. How much shorter is it after 4 hours?
#
# Machine learning makes such a prediction from *examples*: inputs $x$ (hours), each with the output that we want, its
# *target* $t$ (cm). It needs a *model*, a formula with adjustable numbers in it, its *parameters*. Ours is
# $y = w \cdot x$, with one parameter, $w$. We do not know it, so we begin anywhere, with $w = 1$:
#
# | input $x$ | prediction $y = w x$ | target $t$ | error $y - t$ | squared |
# | --- | --- | --- | --- | --- |
# | 1 | 1 | 2 | -1 | 1 |
# | 3 | 3 | 6 | -3 | 9 |
#
# The *loss* $L$ is one number that says how far the predictions are from the targets. We take the mean of the squared
# errors, $(1 + 9) / 2 = 5$. (Squared, too high and too low do not cancel, and large errors count most.)
#
# *Training* changes the parameter, bit by bit, so that the loss shrinks. Up or down? Nudge it: with $w = 1.1$ the
# loss is 4.05, with $w = 0.9$ it is 6.05. So it falls as $w$ grows, by $(4.05 - 6.05) / 0.2 = -10$ for each unit.
# This slope is the derivative, $\frac{dL}{dw} = -10$. Now take a step *against* the slope: the slope times a small
# number, the *learning rate* $lr$. With $lr = 0.05$:
#
# $$w \leftarrow w - lr \cdot \frac{dL}{dw} = 1 - 0.05 \cdot (-10) = 1.5$$
#
# There the loss is 1.25. The slope is now $-5$, the next step leads to $w = 1.75$, and so on down the valley: that is
# *gradient descent*, by which nearly all networks learn.
#
# ![Left: the two examples (1, 2) and (3, 6) and the line y = 1 x, with the errors -1 and -3 as vertical lines between them. Right: the loss over w, a valley with its lowest point at w = 2. At w = 1 the loss is 5 and the slope -10; a step leads to w = 1.5 with the loss 1.25, the next one to w = 1.75.](figures/candle.svg)
#
# **Several parameters.** Had somebody burned the candle before, $y = w x + b$ would fit better, with $b$ for what was
# missing at the start. Then each parameter is nudged alone while the other one stays. The slope for $w$ alone is
# written $\frac{\partial L}{\partial w}$, the *partial derivative*: the round d, $\partial$, says that all else is
# held still. The *gradient* of $L$ is all of them together, one number for each parameter. At $w = 1$, $b = 0$ it is
# $(-10, -4)$: with $b = 0.1$ the loss is 4.61, with $b = -0.1$ it is 5.41, and $(4.61 - 5.41) / 0.2 = -4$.
#
# **A neural network** is a model with many parameters, composed of small functions, its *layers*. In a *linear layer*
# each output is $x_1 w_1 + x_2 w_2 + \dots + b$: the factors are its *weights*, $b$ is its *bias*. You will build one
# later, and what stands between two of them. Training stays the same: predict, loss, gradient, step. Each small function
# is easy to differentiate; the chain rule, below, puts these derivatives together, and a program can do that for us.
#
# **Predict:** for which $w$ is the loss 0? What is it at $w = 3$?

# %%
hours, shorter = np.array([1.0, 3.0]), np.array([2.0, 6.0])


def candle_loss(w: float) -> float:
    """The mean squared error of the model y = w * hours."""
    return np.mean((w * hours - shorter) ** 2)


for w in (0.9, 1.0, 1.1, 1.5, 2.0, 3.0):
    print(f"w = {w}: loss {candle_loss(w):.2f}")

# %% [markdown]
# <details>
# <summary>If you like: a target that no line meets</summary>
#
# **Your turn:** move a target, for example `shorter = np.array([2.0, 7.0])`. No $w$ makes the loss 0 now. Which one
# is best? (Then put it back: the numbers below go on with 6.)
#
# </details>

# %% [markdown]
# ### Numeric differentiation
#
# The derivative of $f$ at $x$ is *defined* as a limit:
#
# $$f'(x) = \lim_{h \to 0} \frac{f(x + h) - f(x)}{h}$$
#
# *Analytic* differentiation finds a formula for it, with rules and tables. *Numeric* differentiation stops at a small
# but finite $h$, with the *forward difference* or with the *central* one, which looks to both sides as we did with the
# candle:
#
# $$f'(x) \approx \frac{f(x + h) - f(x)}{h} \qquad\text{or}\qquad f'(x) \approx \frac{f(x + h) - f(x - h)}{2h}$$
#
# For example $f(x) = x^2$ at $x = 3$, where $f'(3) = 6$. With $h = 0.1$ the forward difference gives
# $(9.61 - 9) / 0.1 = 6.1$, and the central one $(9.61 - 8.41) / 0.2 = 6$.
#
# **Build** `numeric_derivative`, the central difference (5 minutes). You will check the rules of your library with
# it. Nearly all functions of NumPy take arrays as well as numbers, element by element, so the same line does both.
#
# <details>
# <summary>Hint 1</summary>
#
# `f` is a function, handed in as a value: call it, once to the right of `x` and once to the left.
#
# </details>
#
# <details>
# <summary>Hint 2</summary>
#
# The two places are `2 * h` apart. Dividing by that needs parentheses: `/ 2 * h` would multiply by `h`.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "numeric", "locked": false, "schema_version": 3, "solution": true, "task": false}
def numeric_derivative(f: Callable[[Any], Any], x: Any, h: float = 1e-5) -> Any:
    """The derivative of f at x, by the central difference.

    Args:
        f: from a number to a number; from an array to an array, element by element.
        x: a number, or an array, which stays as it is.
        h: the step to each side.

    Returns:
        A number, or an array with the derivative at each element.
    """
    ### BEGIN SOLUTION
    return (f(x + h) - f(x - h)) / (2 * h)
    ### END SOLUTION

# %%
tests.test_numeric(numeric_derivative)

# %% [markdown]
# **Predict** these two lines. (`lambda x: x**2` is a function without a name: it takes `x` and returns `x**2`.)

# %%
print(numeric_derivative(lambda x: x**2, np.array([1.0, 2.0, 3.0])))
print(numeric_derivative(np.exp, np.array([0.0, 1.0])), "and exp itself:", np.exp([0.0, 1.0]))

# %% [markdown]
# Now the model of the candle learns, with a derivative that you have written.
#
# **Predict:** two steps you know. How many does it take until $w$ is within 0.01 of the best value, 2?

# %%
rate = 0.05

w, walk = 1.0, [1.0]
for step in range(8):
    slope = numeric_derivative(candle_loss, w)
    if slope is None:
        print("First write numeric_derivative, above.")
        break
    w = w - rate * slope
    walk.append(w)
    print(f"step {step + 1}: slope {slope:6.2f}, w = {w:.4f}, loss {candle_loss(w):.4f}")
print(f"After 4 hours the candle is {4 * w:.2f} cm shorter.")

# The rest only draws: you need not read it.
around = np.linspace(min(0.5, *walk), max(3.5, *walk), 100)
plt.figure(figsize=(7, 3.5))
plt.plot(around, [candle_loss(w) for w in around], label="loss")
plt.plot(walk, [candle_loss(w) for w in walk], "o--", label="steps")
plt.xlabel("w")
plt.ylabel("loss of the candle")
plt.legend()
tests.show_figure(  # plt.show(), but with words for those who do not see the picture
    plt.gcf(),
    f"The loss over w is a valley with its lowest point at w = 2. {len(walk) - 1} steps with "
    f"the rate {rate} lead from w = 1 to w = {walk[-1]:.3f}.",
)

# %% [markdown]
# **Your turn:** set `rate` to 0.1, to 0.2 and to 0.21. With one of them $w$ is there at once, with one it comes no
# nearer, with one it runs away. Which is which?
#
# <details>
# <summary>Why</summary>
#
# Each step multiplies the distance to the lowest point by $1 - 10 \cdot rate$, so 0.1 is perfect, and beyond 0.2 the
# steps grow. The 10 is the *second derivative*: how fast the slope itself changes, so how much the valley bends. Nobody knows it for a network, so rates are
# found by trying.
#
# </details>
#
# How small should $h$ be? The *truncation* error, from stopping before the limit, shrinks with $h$ (like $h$ forward,
# like $h^2$ central). The *rounding* error grows like $1/h$: the two values of $f$ agree in more and more digits, and
# their difference keeps only the last few of the 16.
#
# **Predict:** which $h$ is best for which difference? Then look. (Both axes are *logarithmic*: each mark is 100 times the
# one before.)

# %%
h = np.logspace(-15, 0, 61)
x = 1.0
forward = (np.sin(x + h) - np.sin(x)) / h
central = (np.sin(x + h) - np.sin(x - h)) / (2 * h)
exact = np.cos(x)  # the analytic derivative of sin

# The rest only draws: you need not read it.
plt.figure(figsize=(7, 4))
plt.loglog(h, abs(forward - exact), "o-", markersize=3, label="forward difference")
plt.loglog(h, abs(central - exact), "s--", markersize=3, label="central difference")
plt.xlabel("h")
plt.ylabel("error of the derivative of sin at 1")
plt.gca().xaxis.set_major_formatter("{x:.0e}")  # 1e-05, as Python prints it
plt.gca().yaxis.set_major_formatter("{x:.0e}")
plt.legend()
plt.grid(alpha=0.3)
tests.show_figure(
    plt.gcf(),
    "The error of the derivative of sin at 1 against the step h, both axes logarithmic: two "
    "valleys. The forward difference is best near h = 1e-8, the central difference near 1e-5, "
    "and lower there.",
)

# %% [markdown]
# Two valleys: truncation on the right, rounding on the left.
#
# Numeric differentiation needs at least one more evaluation of the model for *every* parameter, and is rarely exact.
# So it is too slow for training a network, but good for checking a derivative that you wrote yourself.
#
# PyTorch needs no nudges. `requires_grad=True` marks a tensor with respect to which we want to differentiate: what is
# computed from it is recorded. Then `backward()`, called on the loss, leaves the derivative in the tensor's `grad`,
# exact up to rounding. However many parameters there are, all their derivatives together take about twice as long as
# the loss itself. That is what you build next.
#
# **Predict** the value of `grad` at $w = 1$.

# %% tags=["torch"]
w = torch.tensor(1.0, requires_grad=True)
loss = torch.mean((w * torch.tensor([1.0, 3.0]) - torch.tensor([2.0, 6.0])) ** 2)
loss.backward()
print("loss", loss.item(), " slope", w.grad.item())

# %% [markdown]
# ## Automatic differentiation
#
# *Reading, 10 minutes. Then building, in five steps, 105 minutes.*
#
# *Automatic differentiation* computes exact derivatives (up to rounding) of whatever a program calculates: it applies
# the chain rule to one simple operation after another.
#
# ### The chain rule
#
# The derivative of $p(x) = f(g(x))$ is
#
# $$p'(x) = f'(g(x)) \cdot g'(x)$$
#
# Take $y = ax + b$. The inner function multiplies, $g(x) = ax$; the outer one adds, $f(u) = u + b$. With $u = g(x)$
# this is indeed $f(g(x)) = ax + b$. Now $g'(x) = a$ and $f'(u) = 1$, so
#
# $$\frac{dy}{dx} = f'(g(x)) \cdot g'(x) = 1 \cdot a = a$$
#
# One more function is no harder: $z = (ax + b)^2$ adds an outer $q(y) = y^2$ with $q'(y) = 2y$, so
# $\frac{dz}{dx} = 2(ax + b) \cdot 1 \cdot a$. With $a = 2$, $x = 3$ and $b = 1$ that is
# $2 \cdot 7 \cdot 1 \cdot 2 = 28$.
#
# We multiply from the outside in. Each operation receives the derivative of the final result with respect to *its own
# output*: the **upstream gradient**. It multiplies it by its own derivative and hands the product on to its inputs.
# At the final result we start with $\frac{dy}{dy} = 1$.
#
# ### Several paths: a sum
#
# If $y$ depends on $x$ through several intermediate results $u_1, \dots, u_n$, every path contributes, and the
# contributions are **added**:
#
# $$\frac{dy}{dx} = \sum_{i=1}^{n} \frac{\partial y}{\partial u_i} \cdot \frac{du_i}{dx}$$
#
# ($\sum$ adds up what follows, for $i = 1, 2, \dots, n$.)
#
# The smallest example is $y = x \cdot x$. As the left operand, $x$ receives the upstream gradient 1 times the other
# operand: $1 \cdot x$. As the right operand it receives $1 \cdot x$ once more. The sum is $2x$, as it should be: 6 at
# $x = 3$.
#
# ![Two paths lead from x = 3 to y = x * x = 9. Backward, each path brings the gradient 3 to x, which adds them to 6.](figures/paths.svg)
#
# Two lessons for our program. Gradients that arrive at the same place *accumulate*: we add, we do not overwrite. And a
# tensor does well to wait until all contributions to it have arrived. To hand on each one as it comes would be right,
# too, but costs one walk for every path.
#
# Why *backward*, from the result to the inputs? Because one such walk gives the derivatives of one result with respect to
# **all** inputs; forward, each walk gives those with respect to one. A network has one loss, and thousands of parameters.
#
# Here is the same in PyTorch. `grad_fn` is the operation that made a result.
#
# **Predict:** what does the cell print for `dy/dx`?

# %% tags=["torch"]
x = torch.tensor(3.0, requires_grad=True)
y = x * x
y.backward()
print("y =", y.item(), " dy/dx =", x.grad.item(), " recorded as", type(y.grad_fn).__name__)

# %% [markdown]
# ### My automatic differentiation
#
# *Building, 105 minutes in five steps. This is the heart of the workshop; all that follows is short.*
#
# **What you will build:** `MyTensor`, a class that wraps a NumPy array, records the operations it takes part in, and
# differentiates them. Everything else in the workshop computes with it, and training needs its gradients. (You could go
# further and write the storage in C; that is not for this notebook.)
#
# | Step | You write | Its test |
# | --- | --- | --- |
# | 1. A tensor holds numbers | `MyTensor`: constructor, properties, indexing | first stage |
# | 2. Broadcasting, backward | `unbroadcast` | practice |
# | 3. The rules | `sub_deriv`, `mul_deriv`, `div_deriv`, `pow_deriv` | practice |
# | 4. Operators that remember | `+`, `-`, `*`, `/`, `**` of `MyTensor` | two stages |
# | 5. The walk | `backward` of `MyTensor` | all stages |
#
# The tests of steps 1, 4 and 5 are one: `tests.test_tensor_class(MyTensor)`. Its checks stand in stages, and the first two
# calls stop where you are. Practice tests carry no points; they tell you early what would be hard to find later.
#
# **A class that grows.** In a notebook a class can be written over several cells. `class MyTensor(MyTensor):` makes a new
# class of the same name, with all that the old one has and what you add. So when you change an earlier step, run the cells
# below it again.
#
# That is our recommendation. You are free to organize it otherwise, say as one class in one cell: the graded test looks only
# at how `MyTensor` behaves.

# %% [markdown]
# #### Step 1: a tensor holds numbers
#
# *20 minutes.* So far a tensor is an array, with a little bookkeeping for later (given).
#
# - **Data** may be a list or tuple (also nested), a NumPy array, a NumPy number, an `int` or a `float`. Anything else
#   (text, `None`, a dictionary) raises `TypeError`. Copy what you are given, as `torch.tensor` does.
# - **`dtype`** is the array's: the one that was asked for, else NumPy's choice.
# - **`requires_grad`** says whether the gradient of this tensor is wanted. **`grad`** will hold it: it is `None` at first.
#   **`backward_op`** is the operation that made the tensor, `None` on a leaf. A **leaf** is a tensor that comes from no
#   operation: so far, all of them.
# - **`data`** (the array itself, no copy), **`shape`**, **`strides`** (NumPy's, in bytes) and **`size`** (the number of
#   elements) are read-only properties: to assign one raises `AttributeError`.
# - **`repr`** shows the values and `requires_grad`.
# - **Indexing**: `tensor[0, 1]` gives plain NumPy values. `tensor[0, 1] = 5` writes.
#
# <details>
# <summary>If you want to do more: what else passes</summary>
#
# All `float32`, if you choose so. Whole numbers as `float64`: wise where they shall have a gradient, because NumPy refuses
# to add a fraction to whole numbers in place. (PyTorch refuses a gradient for them.) No writing by index where the tensor
# requires a gradient, because a result may depend on the old value.
#
# </details>
#
# <details>
# <summary>Hint 1: the constructor, a nudge</summary>
#
# `np.array` turns lists, tuples and single numbers into an array, and always makes a copy. What does it do with text or a
# dictionary? It takes them, too. So ask first: `isinstance(data, (list, tuple, ...))`.
#
# </details>
#
# <details>
# <summary>Hint 2: the rest</summary>
#
# `np.array(data, dtype=dtype)` lets NumPy choose where `dtype` is `None`; the array's own `.dtype` is the one to keep.
# The array knows its shape, strides and size: hand them on. Python calls `__getitem__(self, index)` for `tensor[index]`,
# and `__setitem__(self, index, value)` for `tensor[index] = value`: hand the index on to the array. An f-string puts
# values into text.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "data", "locked": false, "schema_version": 3, "solution": true, "task": false}
class MyTensor:
    """An n-dimensional array that can record the operations it takes part in."""

    def __init__(
        self,
        data: list | tuple | np.ndarray | np.number | int | float,
        dtype: np.dtype | type | None = None,
        requires_grad: bool = False,
        crossOpBack: "MyCrossBackward | None" = None,
    ) -> None:
        # Set: self.__data (a NumPy array) and self.dtype.
        # The two underscores make Python store `__data` as `_MyTensor__data`: hidden, not secret.
        ### BEGIN SOLUTION
        if crossOpBack is not None:  # the result of an operation owns its fresh array
            array = np.asarray(data, dtype=dtype)
        elif not isinstance(data, (np.ndarray, list, tuple, np.generic, int, float)):
            kind = type(data).__name__
            raise TypeError(f"MyTensor needs numbers (a list, tuple, array or one), not {kind}")
        else:
            array = np.array(data, dtype=dtype)  # a copy, as torch.tensor makes one
            if array.dtype.kind not in "fiub":
                raise TypeError(f"MyTensor needs numbers, not elements of type {array.dtype}")
            if requires_grad and array.dtype.kind != "f":
                if dtype is not None:
                    raise TypeError(f"only fractions can require a gradient, not {array.dtype}")
                array = array.astype(np.float64)
        self.__data = array
        self.dtype = array.dtype
        ### END SOLUTION
        # What later steps need; `crossOpBack` is for step 4. (Given.)
        self.requires_grad = requires_grad
        self.grad = None
        self.backward_op = crossOpBack

    # A property is read like an attribute: `tensor.shape`, without parentheses.
    # (An example, given.)
    @property
    def shape(self) -> tuple[int, ...]:
        return self.__data.shape

    # Now write the same for: strides, data and size.
    ### BEGIN SOLUTION
    @property
    def strides(self) -> tuple[int, ...]:
        return self.__data.strides

    @property
    def data(self) -> np.ndarray:
        return self.__data

    @property
    def size(self) -> int:
        return self.__data.size
    ### END SOLUTION

    def __repr__(self) -> str:
        text = "MyTensor(not written yet)"
        # Show the values and requires_grad.
        ### BEGIN SOLUTION
        text = f"MyTensor({self.__data}, requires_grad={self.requires_grad})"
        ### END SOLUTION
        return text

    # Indexing: tensor[0, 1] reads (plain NumPy values), tensor[0, 1] = 5 writes.
    ### BEGIN SOLUTION
    def __getitem__(self, index: Any) -> Any:
        return self.__data[index].copy()

    def __setitem__(self, index: Any, value: Any) -> None:
        if self.requires_grad:
            raise RuntimeError("a tensor that requires a gradient may be in a graph: it stays")
        self.__data[index] = value
    ### END SOLUTION

# %% [markdown]
# Let's test your code, as far as it goes!

# %%
tests.test_tensor_class(MyTensor, until="data")

# %% [markdown]
# #### Step 2: broadcasting, backward
#
# *15 minutes.* The upstream gradient $G$ of an operation always has the shape of the operation's *output*. But a gradient
# always has the shape of *its tensor*. Where broadcasting stretched an operand, the two differ.
#
# *Broadcasting* repeats elements, and each repetition is one more path. So the gradient of a stretched operand is the
# **sum** over the stretched dimensions. If the gradient of the output is `[[1, 2, 3], [4, 5, 6]]`, an operand of shape `(3,)`
# gets `[5, 7, 9]`, one of shape `(2, 1)` gets `[[6], [15]]`, and one of shape `()` gets `21`. This sum is the work of
# `unbroadcast`. Here the operand of shape `(3,)` as a picture:

# %%
tests.draw_broadcast((2, 3), (3,))

# %% [markdown]
# **What you will build:** `unbroadcast(gradient, shape)`, which folds a gradient back to the shape of the operand, and leaves
# the one that it is given as it is. (Sum and broadcasting are each other's rule: you will meet this again when you build
# `sum`.)
#
# <details>
# <summary>Hint 1: a nudge</summary>
#
# Compare the two shapes, aligned at the right. Which dimensions of the gradient are not in `shape` at all? Which have
# length 1 there?
#
# </details>
#
# <details>
# <summary>Hint 2: the rule</summary>
#
# Sum over the extra dimensions in front (`gradient.ndim - len(shape)` of them). Sum over those where `shape` has a 1,
# with `keepdims=True`, so that the 1 stays. Sum, do not average: each repetition is a path.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "unbroadcast", "locked": false, "schema_version": 3, "solution": true, "task": false}
def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo broadcasting: sum `gradient` over the axes that were stretched, down to `shape`."""
    # First sum over the axes in front that `shape` does not have, then over those where it has a 1.
    ### BEGIN SOLUTION
    if gradient.shape == shape:
        return gradient
    while gradient.ndim > len(shape):  # an axis that `shape` does not have
        gradient = gradient.sum(axis=0)
    for axis, n in enumerate(shape):
        if gradient.shape[axis] != n:  # stretched from length 1
            gradient = gradient.sum(axis=axis, keepdims=True)
    return gradient
    ### END SOLUTION

# %% [markdown]
# A short test, for practice:

# %%
tests.test_unbroadcast(unbroadcast)

# %% [markdown]
# #### Step 3: the rules
#
# *15 minutes.* A **rule** is the calculus of one operation. It gets the upstream gradient `base` and the operation's inputs,
# and returns one gradient for each input. Inside a rule everything is NumPy: `base` is an array, and so is `left.data`.
#
# All operations here work element by element. With $G$ for `base`:
#
# | Operation | Gradient of the first operand | Gradient of the second |
# | --- | --- | --- |
# | $a + b$ | $G$ | $G$ |
# | $a - b$ | $G$ | $-G$ |
# | $a \cdot b$ | $G \cdot b$ | $G \cdot a$ |
# | $a / b$ | $G / b$ | $-G \cdot a / b^2$ |
# | $x^n$ | $G \cdot n x^{n-1}$, and 0 where $n = 0$ | none: the power $n$ is a number |
# | $-x$ | $-G$ | |
#
# (For $-x$ there is no rule to write: in step 4 `self * -1` will do. Why $-a / b^2$? $1 / b$ is $b^{-1}$, so its slope is $-b^{-2}$.)
#
# A plain number as an operand is a constant: $x + 2$, $3x$, $x / 2$ and $1 / x$ are special cases of the lines above.
#
# *By hand:* `left = [2, 3]`, `right = [5, 7]` and the upstream gradient `[1, 10]`. For `left * right` the left
# operand receives `[1*5, 10*7] = [5, 70]`, the right one `[1*2, 10*3] = [2, 30]`.
#
# `add_deriv` is given as an example. Like it, each rule of two operands ends with `unbroadcast`, so that every gradient gets
# the shape of its own operand.
#
# <details>
# <summary>Hint 1: a nudge</summary>
#
# Each line of the table is one `return`. In $a \cdot b$: how fast does the product grow when $a$ grows?
#
# </details>
#
# <details>
# <summary>Hint 2: the power</summary>
#
# Think of $x^0$ at $x = 0$. It is constant, so its gradient is 0; but $0 \cdot x^{-1}$ divides by zero.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "rules", "locked": false, "schema_version": 3, "solution": true, "task": false}
# The rules. `base` is the upstream gradient (an array in the output's shape);
# a rule returns one gradient for each input, in that input's shape.


def add_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    """left + right. (An example, given.)"""
    left, right = tensors
    return unbroadcast(base, left.shape), unbroadcast(base, right.shape)


def sub_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    """left - right"""
    left, right = tensors
    ### BEGIN SOLUTION
    return unbroadcast(base, left.shape), unbroadcast(-base, right.shape)
    ### END SOLUTION


def mul_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    """left * right, element by element"""
    left, right = tensors
    ### BEGIN SOLUTION
    return unbroadcast(base * right.data, left.shape), unbroadcast(base * left.data, right.shape)
    ### END SOLUTION


def div_deriv(base: np.ndarray, *tensors: MyTensor) -> tuple[np.ndarray, np.ndarray]:
    """left / right, element by element"""
    left, right = tensors
    ### BEGIN SOLUTION
    return (
        unbroadcast(base / right.data, left.shape),
        # Divided twice: a square leaves the range of float32 early.
        unbroadcast(-base * (left.data / right.data) / right.data, right.shape),
    )
    ### END SOLUTION


def pow_deriv(base: np.ndarray, *args: Any) -> tuple[np.ndarray, None]:
    """tensor ** power. The power is a number: it gets no gradient, so None."""
    tensor, power = args
    ### BEGIN SOLUTION
    if power == 0:  # x ** 0 is constant; 0 * x ** -1 would divide by zero at x = 0
        return np.zeros_like(base), None
    return base * power * tensor.data ** (power - 1), None
    ### END SOLUTION

# %% [markdown]
# Are they right? You have a tool for that: the numeric derivative that you wrote in Reminders. With an upstream gradient of
# ones, a rule should give nearly the same.

# %%
left, right = np.array([2.0, 3.0]), np.array([5.0, 7.0])
for name, f, rule in (
    ("left - right", np.subtract, sub_deriv),
    ("left * right", np.multiply, mul_deriv),
    ("left / right", np.divide, div_deriv),
):
    numeric = (
        numeric_derivative(lambda x, f=f: f(x, right), left),
        numeric_derivative(lambda x, f=f: f(left, x), right),
    )
    try:
        ruled = rule(np.ones(2), MyTensor(left), MyTensor(right))
    except Exception as error:  # the test below says more
        ruled = f"{type(error).__name__}: {error}"
    print(name)
    print("    numerically: ", *numeric)
    print("    by your rule:", *(ruled if isinstance(ruled, tuple) else [ruled]))

# %% [markdown]
# The numeric derivative took two evaluations for each operand, the rule one product. And the rule is exact.
#
# <details>
# <summary>If you want to know: how does one check thousands of derivatives at once?</summary>
#
# By nudging all numbers of $x$ together, each by $h$ times a random number of its own. All these random numbers are an array
# $v$ of the shape of $x$, a *direction*. For a small $h$ each number changes the result by its own derivative times the way
# that it has gone, so $\frac{f(x + hv) - f(x - hv)}{2h}$ should be the sum of gradient times $v$. One wrong derivative spoils
# the sum.
#
# </details>
#
# Now the test, with random upstream gradients, and shapes that broadcast:

# %%
tests.test_rules(MyTensor, sub_deriv, mul_deriv, div_deriv, pow_deriv)

# %% [markdown]
# #### Step 4: operators that remember
#
# *25 minutes.* Now tensors compute, and note how. The recorded operations form a *directed acyclic graph*, a **DAG**: arrows
# lead from inputs to results, and never in a circle. Here is the graph of `y = a * x + b` with `a = 2`, `x = 3` and `b = 1`:
#
# ![The graph of y = a * x + b. The leaves a = 2 and x = 3 enter a multiplication with the result u = 6; u and the leaf b = 1 enter an addition with the result y = 7. Backward, the gradient of y starts with 1; u and b receive 1, a receives 3 and x receives 2.](figures/graph.svg)
#
# - `a`, `x` and `b` are **leaves**. The others are results.
# - **Forward**, along the solid arrows, the values are computed and the operations recorded. That is this step.
# - **Backward**, along the dashed arrows, each operation hands gradients to its inputs. That is the next one.
#
# `MyCrossBackward` (given) is one operation of the graph: the gradient crosses it, from the result to the inputs. It holds
# these inputs and the operation's rule. (Later a given function, `sum`, records with it: if you organize it otherwise, change
# that one, too.)
#
# - **Operators**: `+`, `-`, `*`, `/`, `**` (a number as the power) and unary minus, with tensors and with numbers on
#   either side. The result is a `MyTensor`. It requires a gradient if any operand does. If none does, nothing is
#   recorded.
# - **Memory**: nothing that is handed in is changed, neither operands nor the array in `data`. No two tensors or gradients
#   share memory: writing into one leaves all others as they are. The functions and layers that you will build on `MyTensor`
#   keep to this, too.
#
# Python translates operators into methods. If the left operand cannot handle the operation (its method returns
# `NotImplemented`, a constant of Python's), Python tries the *reflected* method of the right one:
#
# | You write | Python calls | Or, reflected | For example |
# | --- | --- | --- | --- |
# | `a + b` | `a.__add__(b)` | `b.__radd__(a)` | `2 + x` |
# | `a - b` | `a.__sub__(b)` | `b.__rsub__(a)` | `5 - x`: the 5 is still on the left |
# | `a * b` | `a.__mul__(b)` | `b.__rmul__(a)` | `3 * x` |
# | `a / b` | `a.__truediv__(b)` | `b.__rtruediv__(a)` | `6 / x` |
# | `a ** n` | `a.__pow__(n)` | not needed | |
# | `-a` | `a.__neg__()` | | |
#
# The operators of two operands differ only in their NumPy function, their rule and their name. So one private method,
# `__binary`, does the work for all: complete that one first. `__add__` and `__radd__`, which use it, are given; the others
# follow them.
#
# <details>
# <summary>Hint 1: how to define an operator</summary>
#
# ```python
# class TestObject:
#     def __init__(self, data: int) -> None:
#         self.data = data
#
#     def __add__(self, other: "TestObject") -> "TestObject":
#         return TestObject(self.data + other.data)
#
#
# a = TestObject(3)
# b = TestObject(4)
# print((a + b).data)  # a + b is a.__add__(b): 7
# ```
#
# `__div__` might not be right: `__truediv__` ;)
#
# </details>
#
# <details>
# <summary>Hint 2: the reflected operators, and the power</summary>
#
# `5 - x` calls `x.__rsub__(5)`: `self` is the *right* operand there, as `reflected=True` says. Subtraction and division
# mind the order. `**` has a plain number as its exponent, which stays one: its rule is given the tensor and this number.
#
# </details>
#
# <details>
# <summary>Hint 3: how to record an operation</summary>
#
# If one of the operands requires a gradient, the result is
#
# ```text
# MyTensor(values, requires_grad=True, crossOpBack=MyCrossBackward(
#     left, right, backward_function=add_deriv, name="AddBackward"))
# ```
#
# and otherwise just `MyTensor(values)`.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "operators", "locked": false, "schema_version": 3, "solution": true, "task": false}
class MyCrossBackward:
    """One operation of the graph: its inputs, and the rule that differentiates it. (Given.)"""

    def __init__(self, *args: Any, backward_function: Callable[..., Any], name: str) -> None:
        self.inputs = args
        self.__rule = backward_function
        self.__name = name

    def __str__(self) -> str:
        return self.__name

    def __call__(self, x: np.ndarray) -> Any:
        """`op(x)` is the same as `op.run(x)`."""
        return self.run(x)

    def run(self, base: np.ndarray) -> Any:
        """Apply the rule.

        Args:
            base: the upstream gradient, in the shape of the operation's output.

        Returns:
            What the rule returns: one gradient for each input.
        """
        gradients = self.__rule(base, *self.inputs)
        if isinstance(gradients, (np.ndarray, np.generic)):  # its rows would pass for gradients
            raise TypeError(f"the rule of {self} must return a tuple, one gradient for each input")
        return gradients


class MyTensor(MyTensor):  # goes on with the class of step 1
    """An n-dimensional array that can record the operations it takes part in."""

    # An ndarray on the left (array + tensor) leaves the work to our reflected operators.
    __array_ufunc__ = None

    def __wrap(self, other: Any) -> "MyTensor | None":
        """`other` as a tensor, or None if it is nothing we can compute with. (Given.)"""
        if isinstance(other, MyTensor):
            return other
        if isinstance(other, np.bool_):  # what x.data > 0 gives for a single number
            other = int(other)
        if not isinstance(other, (int, float, np.number, np.ndarray)):
            return None
        # A number takes over the tensor's precision: float32 times 2.0 stays float32.
        weak = not isinstance(other, np.ndarray) and self.dtype.kind == "f"
        return MyTensor(other, dtype=self.dtype if weak else None)

    # One method for + - * /: `forward` is their NumPy function, `rule` and `name` are to record.
    def __binary(
        self, other: Any, forward: Callable, rule: Callable, name: str, reflected: bool = False
    ) -> "MyTensor":
        other = self.__wrap(other)
        if other is None:
            return NotImplemented
        left, right = (other, self) if reflected else (self, other)
        # Both are tensors now. Compute with their arrays, and return the result as a MyTensor:
        # recorded, if one of the two requires a gradient.
        ### BEGIN SOLUTION
        result = forward(left.__data, right.__data)
        if left.requires_grad or right.requires_grad:
            op = MyCrossBackward(left, right, backward_function=rule, name=name)
            return MyTensor(result, requires_grad=True, crossOpBack=op)
        return MyTensor(result)
        ### END SOLUTION

    # (An example, given.)
    def __add__(self, other: Any) -> "MyTensor":
        return self.__binary(other, np.add, add_deriv, "AddBackward")

    def __radd__(self, other: Any) -> "MyTensor":
        return self.__binary(other, np.add, add_deriv, "AddBackward", reflected=True)

    # Like these two: - * / (np.subtract, np.multiply, np.true_divide).
    # Then ** (the power is a plain number, so without __binary) and unary minus.
    ### BEGIN SOLUTION
    def __sub__(self, other: Any) -> "MyTensor":
        return self.__binary(other, np.subtract, sub_deriv, "SubBackward")

    def __rsub__(self, other: Any) -> "MyTensor":
        return self.__binary(other, np.subtract, sub_deriv, "SubBackward", reflected=True)

    def __mul__(self, other: Any) -> "MyTensor":
        return self.__binary(other, np.multiply, mul_deriv, "MulBackward")

    def __rmul__(self, other: Any) -> "MyTensor":
        return self.__binary(other, np.multiply, mul_deriv, "MulBackward", reflected=True)

    def __truediv__(self, other: Any) -> "MyTensor":
        return self.__binary(other, np.true_divide, div_deriv, "DivBackward")

    def __rtruediv__(self, other: Any) -> "MyTensor":
        return self.__binary(other, np.true_divide, div_deriv, "DivBackward", reflected=True)

    def __pow__(self, power: int | float) -> "MyTensor":
        if not isinstance(power, (int, float, np.number)):
            return NotImplemented
        result = self.__data**power
        if self.requires_grad:
            op = MyCrossBackward(self, power, backward_function=pow_deriv, name="PowBackward")
            return MyTensor(result, requires_grad=True, crossOpBack=op)
        return MyTensor(result)

    def __neg__(self) -> "MyTensor":
        return self * -1
    ### END SOLUTION

# %% [markdown]
# The values, and what is recorded; gradients come with the next step.

# %%
tests.test_tensor_class(MyTensor, until="operators")

# %% [markdown]
# #### Step 5: the walk
#
# *30 minutes.* `y.backward()` starts at `y` with a gradient of ones, and walks the graph to the leaves. At each operation it
# calls the rule, and adds up what the rule returns for each input.
#
# *By hand:* `b = a + a` and `c = b * b` with `a = 3`, so `b` is 6 and `c` is 36. `c.backward()`:
#
# | Visited | What has arrived | It hands on |
# | --- | --- | --- |
# | `c` | 1, the start | $1 \cdot 6$ and $1 \cdot 6$, both to `b` |
# | `b`, when both are there | $6 + 6 = 12$ | 12 and 12, both to `a` |
# | `a`, a leaf | $12 + 12 = 24$ | nothing: `a.grad` becomes 24 |
#
# **A plan** of two walks (others are as good). The first one, given, goes from the result toward the leaves and counts in
# `consumers` how often each tensor is an input: here `a` 2 and `b` 2. The second one, yours, visits, from the result on,
# each tensor to which all these contributions have come. Among an operation's inputs there may be a plain number, the power
# in `x ** 2`: its gradient is `None`, and it is passed by.
#
# And this is what holds, whatever your plan is:
#
# - Only leaves keep their gradient, in `grad`: an array, or a `MyTensor`, as you like.
# - In a **topological order** every tensor comes after everything it was computed from. `backward` goes through such an
#   order from its end, so each tensor is visited once, when all contributions to it have arrived.
# - **`backward(base)`** starts with the upstream gradient `base`, a `MyTensor` in the tensor's own shape; rules take arrays,
#   so the walk starts with `base.data`. It *adds* to the `grad` of every leaf that requires one; all other tensors keep
#   none. On a leaf itself it adds `base` to the leaf's `grad`. For a tensor that requires no gradient it does nothing.
# - **The graph** stays as it is: `backward` may walk it again, also from another result that shares a part of it, and each
#   walk adds its own gradients. It may be thousands of operations long.
# - **Memory**, once more: `base` is not changed either, and what is kept in a `grad` is an array of its own.
#
# <details>
# <summary>If you want to know: what if the result has many elements, and what does a walk cost?</summary>
#
# `backward` differentiates one number at a time. If `y` has many elements, that number is $L$, the sum of all elements of
# `base` times `y`, and the gradients are those of $L$. Without a `base` take ones: then $L$ is the sum of `y`'s elements.
# (In books: a *vector-Jacobian product*. The matrix of all derivatives of all elements is never built.)
#
# The whole walk costs about twice as much as computing `y`, however many leaves there are, and the memory of all that was
# recorded.
#
# </details>
#
# <details>
# <summary>Hint 1: a nudge</summary>
#
# In the example: what goes wrong if `b` hands on its gradient after the first of the two contributions, and never again?
#
# And a tensor that is used twice, ten times in a row, has $2^{10}$ paths but only eleven nodes. Visit nodes, not paths.
#
# </details>
#
# <details>
# <summary>Hint 2: the rule</summary>
#
# 1. `while ready:` take a tensor out of it, with `ready.pop()`, and its gradient, with `gradients.pop(tensor)`.
# 2. A leaf's `backward_op` is `None`. Add the gradient to its `grad`; "none yet" is `grad is None` (a gradient of zero is
#    a gradient!).
# 3. Otherwise `op.run(gradient)` gives a share for each of `op.inputs`: `zip` pairs them. An input that is not in
#    `consumers` (ask first whether it is a tensor) gets none.
# 4. Add each share to the entry of its input by `old + share`, not by `+=`: that would change an array which a rule may
#    have handed to two inputs.
#
# </details>
#
# <details>
# <summary>Hint 3: keys and copies</summary>
#
# `MyTensor` objects can be the keys of a dictionary, because the class defines no `__eq__`. What you store in a `grad` must
# be an array of its own, not one that another tensor also holds: copy it.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "tensor", "locked": false, "schema_version": 3, "solution": true, "task": false}
class MyTensor(MyTensor):  # goes on with the class of step 4
    """An n-dimensional array that can record the operations it takes part in."""

    def backward(self, base: "MyTensor | None" = None) -> None:
        """Add the gradient of sum(base * self) to the `grad` of every leaf that requires one.

        Args:
            base: the upstream gradient, in this tensor's shape. None means ones.
        """
        # Where the walk starts (given):
        if not self.requires_grad:
            return
        if base is None:
            upstream = np.ones(self.shape, self.dtype)
        else:
            upstream = base.data if isinstance(base, MyTensor) else np.asarray(base, self.dtype)
            if upstream.shape != self.shape:
                raise ValueError(f"base has shape {upstream.shape}, this tensor {self.shape}")
        # The first walk, given, counts how often each tensor is an input: its consumers.
        # Loops, because recursion ends at about 1,000 calls.
        consumers = {self: 0}
        stack = [self]
        while stack:
            op = stack.pop().backward_op
            for tensor in op.inputs if op is not None else ():
                if not isinstance(tensor, MyTensor) or not tensor.requires_grad:
                    continue  # a number, or a constant
                if tensor in consumers:
                    consumers[tensor] += 1
                else:
                    consumers[tensor] = 1
                    stack.append(tensor)
        # The second walk is yours. `gradients` holds what has arrived, `ready` the tensors at which
        # all has arrived.
        gradients = {self: upstream}
        ready = [self]
        # While there is a ready tensor, take it, and its gradient:
        # 1. If it is a leaf, add the gradient to its `grad`.
        # 2. Otherwise run its operation's rule on the gradient. Add each share to what has arrived
        #    at its input, and lower that one's count in `consumers`: at 0 it is ready.
        ### BEGIN SOLUTION
        while ready:
            node = ready.pop()
            gradient = gradients.pop(node)
            op = node.backward_op
            if op is None:  # a leaf. MyTensor(...) copies, so no two leaves share an array
                total = gradient if node.grad is None else node.grad.data + gradient
                node.grad = MyTensor(total, dtype=node.dtype)
                continue
            for tensor, share in zip(op.inputs, op.run(gradient), strict=True):
                if isinstance(tensor, MyTensor) and tensor in consumers:
                    gradients[tensor] = gradients[tensor] + share if tensor in gradients else share
                    consumers[tensor] -= 1
                    if consumers[tensor] == 0:
                        ready.append(tensor)
        ### END SOLUTION

# %% [markdown]
# Let's test your code, all of it! It is the longest of all the tests; its stages open one after the other. When a value or a
# gradient is wrong, the report often offers a call that draws your graph, too.

# %% nbgrader={"grade": true, "grade_id": "test_tensor", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_tensor_class(MyTensor)

# %% [markdown]
# #### Your own graph
#
# `tests.draw_graph(t)` draws the graph of any result `t` of yours, leaves at the top. With `beside=True` and an expression
# as text, PyTorch's graph stands next to it, and the first tensor is marked whose gradient differs.
#
# **Predict:** in the next cell `x` is used twice. What are the gradients of `a`, `x` and `b`?

# %% tags=["torch"]
a, x, b = (MyTensor(number, requires_grad=True) for number in (2.0, 3.0, 4.0))
tests.draw_graph("a * x + b * x", beside=True)

# %% [markdown]
# And the walk through it, step by step:

# %%
tests.walk_graph("a * x + b * x")

# %% [markdown]
# #### Roll down a curve
#
# What is a gradient good for? It points uphill, so a small step the other way leads down. Here is a curve, written with
# your operators, and a ball that starts at 6. Each step is `x - 0.5 * gradient`, in place: `x.data[...]` is the whole array
# in `x`.
#
# **Predict:** the curve is $x^2 / 4 - x$. Where does the ball come to rest? (Its slope is $x / 2 - 1$.)

# %%
def curve(x: Any) -> Any:
    """For numbers and tensors alike."""
    return x * x / 4 - x


if hasattr(MyTensor, "__truediv__"):
    x, path = MyTensor(6.0, requires_grad=True), []
    for _ in range(20):
        path.append(float(x.data))
        x.grad = None  # else gradients add up
        curve(x).backward()
        if x.grad is not None:
            x.data[...] -= 0.5 * x.grad[...]
    tests.draw_descent(curve, path=path, names=("height", "x"))
else:
    print("Your tensors cannot compute yet: see step 4.")

# %% [markdown]
# You have just *trained* one number: the heart of all that follows.
#
# **Your turn:** let the ball begin at -4. What do steps of `2 * gradient` do, and of `5 * gradient`?
#
# <details>
# <summary>If you want to know: in PyTorch</summary>
#
# Tensors live on a device (CPU, GPU), operations and rules are written in C++, `backward` is called
# on a scalar unless you pass the upstream gradient, a second `backward` needs `retain_graph=True` at the first, and indexing
# is itself a recorded operation. `t.size()` is the shape there, and `t.numel()` counts the elements. One more difference:
# after `y = x * c`, writing into the constant `c` falsifies our gradient of `x` silently. PyTorch raises an error then.
#
# </details>

# %% [markdown]
# ## PyTorch architecture
#
# *Building, 15 minutes.*
#
# PyTorch builds networks from components. A **module** is an object that turns an input into an output and *owns*
# what it needs for that: its parameters, and smaller modules that it is composed of. So a whole network is a module
# too, a tree of modules. Here is one, such as you will soon build. (Its first layer is called *hidden*: its outputs are
# neither inputs nor outputs of the network.)
#
# ```text
# network
# ├── hidden      weight, bias
# ├── relu        (no parameters)
# └── output      weight, bias
#
# network.parameters()  gives  hidden.weight, hidden.bias, output.weight, output.bias
# ```
#
# **What you will build:** `parameters()`, which collects all parameters in the tree. The optimizer will need that list.
#
# The base class `MyModule` *registers* parameters and sub-modules by itself. Python calls `__setattr__` for every
# `self.name = value`, and the given code notes there, in two dictionaries, what is a `Parameter` and what is a `MyModule`,
# each under its name. A module must call `super().__init__()` before it sets a parameter or a module: that makes the two
# dictionaries.
#
# The rule for `parameters()`: each parameter **once**, at any depth. Two modules may share one parameter, and one
# module may appear in two places. Sharing means being the same object (`is`), not having equal values.
#
# <details>
# <summary>If you want to know: what else about names</summary>
#
# - A name assigned again replaces its old entry.
# - The two underscores of `self.__parameters` become `_MyModule__parameters`. A parameter called `self.__weight` in a
#   class `Linear` would register as `_Linear__weight`, so call it `self.weight`.
# - Neither we nor PyTorch look into plain lists. PyTorch has `nn.ModuleList` for that; here, give each module a name.
#
# </details>
#
# <details>
# <summary>Hint 1: a nudge</summary>
#
# A module's parameters are its own ones, and the parameters of each of its sub-modules. Which method gives you those?
#
# </details>
#
# <details>
# <summary>Hint 2: the own ones, and the others</summary>
#
# The dictionaries are `self.__parameters` and `self.__sub_modules`; their `.values()` come in the order of assignment.
# Each sub-module is a `MyModule` and has a `parameters()` of its own: recursion reaches any depth.
#
# </details>
#
# <details>
# <summary>Hint 3: each one once</summary>
#
# A dictionary has each key only once, and keeps their order: `list(dict.fromkeys(found))`. Two parameters are the same
# key only if they are the same object, because their class defines no `__eq__`.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "module", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Parameter:
    """Holds a tensor that training changes. (Given.)"""

    def __init__(self, tensor: MyTensor) -> None:
        # Training adds fractions in place, and NumPy refuses to add those to whole numbers.
        if not np.issubdtype(tensor.data.dtype, np.floating):
            tensor = MyTensor(tensor.data, dtype=np.float64)
        self.tensor: MyTensor = tensor
        self.tensor.requires_grad = True
        self.__name: str | None = None

    @property
    def name(self) -> str | None:
        return self.__name

    @name.setter
    def name(self, x: str) -> None:
        self.__name = x


class MyModule:
    """A part of a network: it owns parameters and smaller modules, and computes with them."""

    def __init__(self) -> None:
        self.__parameters: dict[str, Parameter] = {}
        self.__sub_modules: dict[str, MyModule] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        """Register parameters and sub-modules. (Given.)

        Python calls this for every `self.name = value`.
        """
        owned = isinstance(value, (Parameter, MyModule))
        if owned and "_MyModule__sub_modules" not in self.__dict__:
            where = f"{type(self).__name__}.__init__"
            raise RuntimeError(f"call super().__init__() in {where} before setting {name}")
        # What stood under this name before is registered no longer.
        self.__dict__.get("_MyModule__parameters", {}).pop(name, None)
        self.__dict__.get("_MyModule__sub_modules", {}).pop(name, None)
        if isinstance(value, Parameter):
            value.name = value.name or name  # a shared parameter keeps its first name
            self.__parameters[name] = value
        elif isinstance(value, MyModule) and value is not self:
            self.__sub_modules[name] = value
        super().__setattr__(name, value)

    def __call__(self, x: Any) -> Any:
        """`module(x)` is `module.forward(x)`, which the subclass defines."""
        return self.forward(x)

    def parameters(self) -> list[Parameter]:
        """All parameters of this module and of the modules in it, each one once."""
        ### BEGIN SOLUTION
        found = list(self.__parameters.values())
        for module in self.__sub_modules.values():
            found += module.parameters()
        return list(dict.fromkeys(found))  # each once: a key of a dictionary is there only once
        ### END SOLUTION

# %% [markdown]
# Let's test it!

# %% nbgrader={"grade": true, "grade_id": "test_module", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_my_module(MyModule, MyTensor, Parameter)

# %% [markdown]
# And this is what it is good for: a network drawn from its modules, with what `parameters()` finds in it. Its layers do
# not compute yet, they only own.
#
# **Predict:** how many numbers can training change in it?

# %%
class Layer(MyModule):
    """It owns a weight and a bias, and cannot compute yet."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = Parameter(MyTensor(np.zeros((inputs, outputs))))
        self.bias = Parameter(MyTensor(np.zeros(outputs)))


class Network(MyModule):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = Layer(2, 3)
        self.output = Layer(3, 1)


tests.draw_network(Network)

# %% [markdown]
# They are 13: $2 \cdot 3$ and 3 in `hidden`, $3 \cdot 1$ and 1 in `output`.
#
# **Your turn:** another layer, other sizes. And what changes with a line `self.again = self.hidden`?
#
# **In PyTorch:** a `torch.nn.Parameter` *is* a tensor (ours holds one, in `.tensor`), and `parameters()` is a
# generator: it hands out one after the other, and `list(...)` makes a list of them.

# %% [markdown]
# ## Base layers
#
# *Building, 35 minutes: 15 for `matmul`, 20 for `Linear` and `ReLU`.*
#
# `Linear` and `ReLU` are the bread and butter of neural networks. A linear layer mixes all its inputs by a matrix
# product, so that comes first.

# %% [markdown]
# ### Matrix multiplication
#
# **What you will build:** `matmul(a, b)`, the matrix product that records itself, and its rule.
#
# *By hand:* $A = \begin{pmatrix} 1 & 2 \end{pmatrix}$ and $B = \begin{pmatrix} 3 & 4 & 5 \\ 6 & 7 & 8 \end{pmatrix}$.
# Each element of $C = AB$, in NumPy `A @ B`, is a row of $A$ times a column of $B$, pair by pair, added up:
#
# $$1 \cdot 3 + 2 \cdot 6 = 15 \qquad 1 \cdot 4 + 2 \cdot 7 = 18 \qquad 1 \cdot 5 + 2 \cdot 8 = 21$$
#
# So $C = \begin{pmatrix} 15 & 18 & 21 \end{pmatrix}$. Now backward, with the upstream gradient
# $G = \begin{pmatrix} 1 & 0 & 2 \end{pmatrix}$, one number for each element of $C$. The 1 in $A$ took part in all three,
# with the factors 3, 4 and 5: three paths, which we add. The 2 took part with 6, 7 and 8:
#
# $$1 \cdot 3 + 0 \cdot 4 + 2 \cdot 5 = 13 \qquad 1 \cdot 6 + 0 \cdot 7 + 2 \cdot 8 = 22$$
#
# So the gradient of $A$ is $\begin{pmatrix} 13 & 22 \end{pmatrix}$. The 3 in $B$ took part in the first element only, with
# the factor 1 of $A$: $1 \cdot 1 = 1$. In the same way all of $B$ gets
# $\begin{pmatrix} 1 & 0 & 2 \\ 2 & 0 & 4 \end{pmatrix}$.
#
# The shapes: $A$ is $(n, k)$ and $B$ is $(k, m)$, here $(1, 2)$ and $(2, 3)$; $C$ and its upstream gradient $G$ are
# $(n, m)$. Each of the two gradients is a matrix product again, of $G$ with one of the two *transposed*, written
# $B^\top$, in NumPy `B.T`. Which product is it? The shapes tell.
#
# <details>
# <summary>The same with letters, for any shapes</summary>
#
# In general, for $A$ of shape $(n, k)$ and $B$ of shape $(k, m)$ the product $C = AB$ has shape $(n, m)$, and
# ($\sum$ adds up what follows, here for $l = 1, 2, \dots, k$)
#
# $$C_{ij} = \sum_{l=1}^{k} A_{il} B_{lj}$$
#
# Let $L$ be the one number that is differentiated (in a network, the loss), and $G$ the upstream gradient, of $C$'s
# shape: $G_{ij} = \frac{\partial L}{\partial C_{ij}}$. Then
#
# $$\frac{\partial L}{\partial A_{il}} = \sum_{j=1}^{m} G_{ij} B_{lj} \qquad\qquad \frac{\partial L}{\partial B_{lj}} = \sum_{i=1}^{n} A_{il} G_{ij}$$
#
# </details>
#
# Later `Linear` will also be given a single row: $A$ of shape $(k,)$. It counts as one of shape $(1, k)$; the product then
# has shape $(m,)$, and the gradient of $A$ shape $(k,)$.
#
# <details>
# <summary>Hint 1: a nudge</summary>
#
# In NumPy `*` works element by element, and `@` is the matrix product. Which product of $G$, shape $(n, m)$, with
# $B$, shape $(k, m)$, can have $A$'s shape $(n, k)$? One of the two has to be turned over.
#
# </details>
#
# <details>
# <summary>Hint 2: the rule</summary>
#
# $G B^\top$ for $A$, and $A^\top G$ for $B$. The shapes: $(n, m)(m, k) = (n, k)$ and $(k, n)(n, m) = (k, m)$. With
# square matrices a missing transpose keeps the shape and gives wrong numbers, so try it on others.
#
# </details>
#
# <details>
# <summary>Hint 3: to record it</summary>
#
# As in `__binary`: if `a` or `b` requires a gradient, the result is recorded, with `a` and `b` as the inputs.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "matmul", "locked": false, "schema_version": 3, "solution": true, "task": false}
def matmul_deriv(
    base: np.ndarray, *tensors: MyTensor
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """left @ right: (n, k) @ (k, m) -> (n, m), or for one row (k,) @ (k, m) -> (m,)"""
    left, right = tensors
    # A, B and G as matrices: a vector counts as one row on the left, as one column on the right.
    # (Given.)
    rows = left.data.reshape(-1, left.shape[-1])
    columns = right.data.reshape(right.shape[0], -1)
    base = base.reshape(rows.shape[0], columns.shape[1])
    # Now the two gradients; reshape each to the shape of its own operand.
    ### BEGIN SOLUTION
    return (  # None where nobody asks for the gradient: that saves a product
        (base @ columns.T).reshape(left.shape) if left.requires_grad else None,
        (rows.T @ base).reshape(right.shape) if right.requires_grad else None,
    )
    ### END SOLUTION


def matmul(a: MyTensor, b: MyTensor) -> MyTensor:
    """The matrix product of a, (n, k) or (k,), and b, (k, m).

    It is recorded when one of them requires a gradient.
    """
    ### BEGIN SOLUTION
    result = a.data @ b.data
    if a.requires_grad or b.requires_grad:
        op = MyCrossBackward(a, b, backward_function=matmul_deriv, name="MatmulBackward")
        return MyTensor(result, requires_grad=True, crossOpBack=op)
    return MyTensor(result)
    ### END SOLUTION

# %% [markdown]
# Small, but everything after it stands on it. Test:

# %% nbgrader={"grade": true, "grade_id": "test_matmul", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_matmul(matmul, MyTensor)

# %% [markdown]
# **In PyTorch:** `torch.matmul` also multiplies whole stacks of matrices, broadcasting the dimensions in front.

# %% [markdown]
# ### Linear and ReLU
#
# **What you will build:** the two layers that your network will be made of, as modules.
#
# A **linear layer** turns rows of `input_size` numbers into rows of `output_size` numbers, one for each of its *units*.
# Inputs come in a *batch*: $n$ of them at once, one in each row.
#
# $$\underset{(n,\ \text{out})}{Y} = \underset{(n,\ \text{in})}{X}\ \underset{(\text{in},\ \text{out})}{W} + \underset{(\text{out},)}{b}$$
#
# The bias $b$ is added to each row by broadcasting. Backward, the weight, the bias and the input all receive a gradient.
#
# **The weights start random.** We draw them uniformly from
# $\left(-\frac{1}{\sqrt{\text{in}}}, \frac{1}{\sqrt{\text{in}}}\right)$, anew for each layer. (The bias may start with
# zeros.) Both signs are needed, and the size matters: weights of size 1 make sums that grow with every layer.
#
# <details>
# <summary>If you want to know: why random, why the root, and what else would pass?</summary>
#
# If the weights were all zero, or all equal, all units between input and output would compute the same and receive the
# same gradient: they would stay equal forever.
#
# The *variance*, the mean squared distance from the mean, of a sum of independent numbers is the sum of their variances. So
# a sum of $\text{in}$ numbers is typically $\sqrt{\text{in}}$ times as large as one of them, and we divide by just that.
# (Other initializations of such a size, as those called Xavier and He, pass, too.)
#
# Strictly speaking this map is *affine*: linear, plus a shift. If you prefer the weight as $(\text{out}, \text{in})$, with
# $XW^\top + b$, that passes too; you then need a transpose with a rule of its own.
#
# </details>
#
# **ReLU** (rectified linear unit) works element by element:
#
# $$\mathrm{relu}(x) = \max(x, 0) = \begin{cases} 0 & \text{if } x < 0 \\ x & \text{otherwise} \end{cases}$$
#
# Its derivative is 1 for $x > 0$ and 0 for $x < 0$. At 0 there is a kink and no derivative; we take 0, as PyTorch does.
#
# **Why ReLU?** Because linear layers alone *collapse*: two of them in a row are one linear layer,
#
# $$(XW_1 + b_1)W_2 + b_2 = X(W_1W_2) + (b_1W_2 + b_2)$$
#
# and no number of them can bend, as $|x|$ does at 0. With ReLU in between they can: $|x| = \mathrm{relu}(x) +
# \mathrm{relu}(-x)$.
#
# <details>
# <summary>If you want to know: how far can they bend?</summary>
#
# The *universal approximation theorem* says: any continuous function on a closed and bounded set is approximated as closely
# as you like by a network with ReLU between two linear layers, if it has enough units. It does not say how many are enough,
# nor that training finds them. The two layers are popular because they are simple and fast, and train well.
#
# </details>
#
# Does a function $f$ bend at 0? That can be tested: without a bend it goes straight through, and $f(-X) = -f(X)$.
#
# **Predict:** for which is that so, for two products in a row, or for two with ReLU between them?

# %%
rng = np.random.default_rng(0)
X, W1, W2 = rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), rng.normal(size=(3, 2))


def straight(X: np.ndarray) -> np.ndarray:
    return (X @ W1) @ W2


def bent(X: np.ndarray) -> np.ndarray:
    return np.maximum(X @ W1, 0) @ W2


print("two products are one:        ", np.allclose(straight(X), X @ (W1 @ W2)))
print("f(-X) is -f(X), two products:", np.allclose(straight(-X), -straight(X)))
print("f(-X) is -f(X), with ReLU:   ", np.allclose(bent(-X), -bent(X)))

# %% [markdown]
# *By hand:* $x = (1, 2)$, $W = \begin{pmatrix} 1 & 0 & -1 \\ 2 & 1 & 0 \end{pmatrix}$ and $b = (0.5, 0, 0)$. Then
# $xW = (5, 2, -1)$, the linear layer gives $(5.5, 2, -1)$ and ReLU $(5.5, 2, 0)$. Backward with the upstream gradient
# $(1, 10, 100)$: ReLU lets $(1, 10, 0)$ through. This is also the gradient of $b$; that of $W$ is
# $x^\top (1, 10, 0) = \begin{pmatrix} 1 & 10 & 0 \\ 2 & 20 & 0 \end{pmatrix}$.
#
# <details>
# <summary>Hint 1: the gradients of Linear, a nudge</summary>
#
# Do you need a new rule at all? `matmul` and `+` already know how to differentiate themselves, and `+` knows about
# broadcasting.
#
# </details>
#
# <details>
# <summary>Hint 2: Linear, the recipe</summary>
#
# In `__init__`: `self.weight = Parameter(MyTensor(np.random.uniform(-bound, bound, (input_size, output_size))))`, and a
# bias of `np.zeros(output_size)` in the same way. In `forward`: `matmul` with `self.weight.tensor`, plus
# `self.bias.tensor`.
#
# </details>
#
# <details>
# <summary>Hint 3: ReLU, a nudge</summary>
#
# ReLU is a multiplication with a mask of 0 and 1, element by element. What does its rule do with the upstream gradient?
#
# </details>
#
# <details>
# <summary>Hint 4: ReLU, the rule</summary>
#
# Forward `np.maximum(x.data, 0)`. (A number that is none, `nan`, stays one in it. `np.where(x.data > 0, x.data, 0)` would
# make it 0, and hide that a training diverges.) Write a rule `relu_deriv(base, x)` that returns
# `np.where(x.data > 0, base, 0)`, in a tuple because there is one gradient for each input, and record the operation as
# `matmul` does.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "layers", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Linear(MyModule):
    """y = x @ weight + bias"""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        # Two parameters: self.weight (random) and self.bias.
        bound = 1 / np.sqrt(input_size)
        ### BEGIN SOLUTION
        values = np.random.uniform(-bound, bound, (input_size, output_size))
        self.weight = Parameter(MyTensor(values))
        self.bias = Parameter(MyTensor(np.zeros(output_size)))
        ### END SOLUTION

    def forward(self, x: MyTensor) -> MyTensor:
        """x @ weight + bias

        Args:
            x: one row, shape (input_size,), or a batch, shape (n, input_size).

        Returns:
            shape (output_size,) or (n, output_size).
        """
        ### BEGIN SOLUTION
        return matmul(x, self.weight.tensor) + self.bias.tensor
        ### END SOLUTION


def relu(x: MyTensor) -> MyTensor:
    """max(x, 0), element by element"""
    ### BEGIN SOLUTION
    result = np.maximum(x.data, 0)
    if x.requires_grad:
        op = MyCrossBackward(x, backward_function=relu_deriv, name="ReluBackward")
        return MyTensor(result, requires_grad=True, crossOpBack=op)
    return MyTensor(result)
    ### END SOLUTION


# Its rule:
### BEGIN SOLUTION
def relu_deriv(base: np.ndarray, x: MyTensor) -> tuple[np.ndarray]:
    """The upstream gradient where x > 0, else 0: also at the kink, as in PyTorch."""
    return (np.where(x.data > 0, base, 0),)
### END SOLUTION


class ReLU(MyModule):
    """The relu function as a module: it has no parameters. (Given.)"""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: MyTensor) -> MyTensor:
        return relu(x)

# %% [markdown]
# You know what time it is? Testing time!

# %% nbgrader={"grade": true, "grade_id": "test_linear", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_linear(Linear, MyTensor, Parameter)

# %% nbgrader={"grade": true, "grade_id": "test_relu", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_relu(ReLU, MyTensor)

# %% [markdown]
# **What ReLU does to a plane.** Two new layers of yours turn each point of a plane into a number: first one after the
# other, then with ReLU between them. The pictures show this number for each point of the plane.
#
# **Predict:** where equal numbers form lines, in which of the two pictures are they straight?

# %%
np.random.seed(1)
first, second = Linear(2, 8), Linear(8, 1)
tests.draw_plane(
    lambda points: second(first(MyTensor(points))),
    lambda points: second(relu(first(MyTensor(points)))),
    titles=("without ReLU", "with ReLU"),
)

# %% [markdown]
# Each of the eight units of the first layer folds the plane along one line, where its value is 0. All these lines go
# through the middle if the biases are still 0; training will move them.
#
# <details>
# <summary>If you like: other layers</summary>
#
# **Your turn:** another seed, 2 units in place of 8, or 200. What does a line `first.bias.tensor.data[0] = 1` do, before
# the pictures are drawn?
#
# </details>
#
# **In PyTorch:** `nn.Linear` keeps its weight as `(out, in)`, computes $XW^\top + b$, and draws the bias at random,
# too.

# %% [markdown]
# ## Optimizer
#
# *Building, 15 minutes.*
#
# **What you will build:** `SGD`, the object that changes the parameters. It is given the network's `parameters()` and
# has two methods: `zero_grad()` sets all their gradients to `None`, and `step()` applies them.
#
# **Gradient descent.** The gradient of the loss $L$ with respect to the parameters $W$ points uphill, so we go a small step
# the other way:
#
# $$W \leftarrow W - \mathrm{lr} \cdot \frac{\partial L}{\partial W}$$
#
# The *learning rate* $\mathrm{lr}$ is like speed in a video game: fast, you cross large distances quickly, but it is
# hard to stop at the right spot. Too fast, and every step overshoots by more than the one before: training
# *diverges*. Too slow, and it takes forever. In general it leads to a *local* minimum at most, a place where no small
# step improves anything.
#
# **Stochastic.** To use all examples for each step would be slow. We take a small random part of them, a
# **mini-batch** of, say, 32: its gradient is an estimate of the whole. One pass through all the examples, mini-batch by
# mini-batch, is an **epoch**.
#
# **In code.** You are given `Parameter` objects: the tensor is in `.tensor`, its gradient in `.tensor.grad`. Others may hold
# the same tensor, so `step` changes its array *in place*. It leaves parameters without a gradient alone, and all gradients
# as they are. Because `backward` *adds* to them, `zero_grad` must remove the old ones before each mini-batch.
#
# *By hand:* $L = w^2$ at $w = 3$ has the gradient 6. With $\mathrm{lr} = 0.1$ one step leads to
# $3 - 0.1 \cdot 6 = 2.4$.
#
# **Predict:** where do the steps lead with the rates 0.01, 0.9 and 1.1: nearer to the minimum at 0, how fast, and from
# which side? The gradient is $2w$, so each step multiplies $w$ by $1 - 2 \cdot \mathrm{lr}$.

# %%
tests.draw_descent(
    lambda w: w**2,
    lambda w: 2 * w,
    start=3.0,
    rates=(0.01, 0.1, 0.9, 1.1),
)

# %% [markdown]
# With 0.01 it crawls. With 0.9 it jumps from side to side, and comes nearer just as fast as with 0.1: each step multiplies
# $w$ by $-0.8$, or by $0.8$. With 1.1 it diverges. The border is here at 1; in general it is two over the *second
# derivative*, which says how fast the slope changes (here always 2). The more a valley bends, the smaller your steps must
# be.
#
# <details>
# <summary>Hint 1: a nudge</summary>
#
# Would somebody who holds the tensor see the change if you made a *new* tensor or array? And what is the `grad` of a
# parameter that took no part in the loss?
#
# </details>
#
# <details>
# <summary>Hint 2: in place</summary>
#
# Change the array itself: `data = parameter.tensor.data`, then `data -= ...`. With `parameter.tensor.data -= ...` Python
# would change it *and then* raise `AttributeError`, because it finally tries to assign the property.
#
# </details>
#
# <details>
# <summary>Hint 3: the rule</summary>
#
# For each parameter whose `grad` is not `None`, subtract `self.lr` times the gradient's array. Leave the others alone.
# That array is `grad.data` if your `grad` is a `MyTensor`, and `grad` itself if it is an array: an array's own `.data` is
# something else, its memory.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "optimizer", "locked": false, "schema_version": 3, "solution": true, "task": false}
class SGD:
    """Stochastic gradient descent."""

    def __init__(self, parameters: list[Parameter], lr: float = 1e-2) -> None:
        self.lr = lr
        self.params = list(parameters)  # a list, not a generator: it is walked at every step

    def zero_grad(self) -> None:
        """Forget the gradients: set the grad of every parameter to None."""
        ### BEGIN SOLUTION
        for parameter in self.params:
            parameter.tensor.grad = None
        ### END SOLUTION

    def step(self) -> None:
        """Move every parameter that has a gradient a little downhill, in place."""
        ### BEGIN SOLUTION
        for parameter in self.params:
            tensor = parameter.tensor
            if tensor.grad is not None:
                data = tensor.data
                data -= self.lr * tensor.grad.data
        ### END SOLUTION

# %% [markdown]
# TESSSSTING!

# %% nbgrader={"grade": true, "grade_id": "test_sgd", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_sgd(SGD, MyTensor, Parameter)

# %% [markdown]
# **Two valleys.** $L = \frac{w^4}{4} - w^2 + \frac{w}{4}$ has two, and the left one is lower. We start on the right, at
# $w = 2.2$.
#
# **Predict:** which of the rates end in the right valley, a local minimum, and which in the left one?

# %%
tests.draw_descent(
    lambda w: w**4 / 4 - w**2 + w / 4,
    lambda w: w**3 - 2 * w + 1 / 4,
    start=2.2,
    rates=(0.02, 0.1, 0.4),
    steps=20,
)

# %% [markdown]
# <details>
# <summary>If you like: valleys of your own</summary>
#
# **Your turn:** other rates, another start, your own function with its derivative.
#
# </details>
#
# **In PyTorch:** `torch.optim.SGD` also offers momentum and weight decay; `step` works in place too, with recording
# switched off.

# %% [markdown]
# ## Loss functions
#
# *Building, 15 minutes.*
#
# **What you will build:** `MSELoss`, the *mean squared error*. As its name implies, it is the mean of the squared
# errors, that is, of the squared differences between the prediction $y$ and the target $t$. Both have the same shape,
# with $N$ elements in all (for a batch, the batch size times the number of outputs):
#
# $$L = \frac{1}{N} \sum_{i=1}^{N} (y_i - t_i)^2 \qquad\qquad \frac{\partial L}{\partial y_i} = \frac{2}{N} (y_i - t_i)$$
#
# *By hand:* $y = (1, 4)$ and $t = (0, 2)$ give $L = \frac{1 + 4}{2} = 2.5$, and the gradient of $y$ is $(1, 2)$.
#
# You may have guessed that this needs a `sum` that can differentiate itself. Its forward half is given. Its rule,
# `sum_deriv`, is yours, and then `MSELoss` is two lines. In a sum each element counts once, so its
# derivative is 1: each element receives the upstream gradient of the sum that it went into. For `x` of shape
# `(2, 3)`, `sum(x, axis=1)` has shape `(2,)`; its upstream gradient `[10, 20]` becomes
# `[[10, 10, 10], [20, 20, 20]]`.
#
# Have you seen this before, the other way around? Summing and broadcasting are each other's rule: what is summed forward
# is repeated backward, and what is repeated forward is summed backward, by `unbroadcast`.
#
# From this cell on, the name `sum` stands for this function, everywhere in the notebook. What is no tensor it hands on to
# Python's own `sum`.
#
# <details>
# <summary>If you want to know: why MSE?</summary>
#
# It is the usual choice when the outputs are quantities. Classification, choosing one of several classes, usually uses
# *cross-entropy*, which compares probabilities and pushes harder when the network is sure and wrong. We use MSE for both,
# because it needs only what you have already built and is good enough for our digits.
#
# </details>
#
# <details>
# <summary>Hint 1: sum_deriv, a nudge</summary>
#
# Which shape does `base` have, and which one must the gradient have? Broadcasting can do the repeating, once the
# dimensions stand in the right places.
#
# </details>
#
# <details>
# <summary>Hint 2: sum_deriv, the rule</summary>
#
# If `axis` is not `None`, put the summed dimensions back, with length 1: `np.expand_dims(base, axis)` takes an int or
# a tuple. Then `base * np.ones_like(x.data)`, a fresh array. (`np.broadcast_to` would give a read-only view.) `axis`
# is no tensor and gets `None`.
#
# </details>
#
# <details>
# <summary>Hint 3: MSELoss</summary>
#
# The difference, squared, summed over everything, divided by its `size`: not by the batch size alone. No new rule is
# needed.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sum_deriv(base: np.ndarray, *args: Any) -> tuple[np.ndarray, None]:
    """sum(x, axis). The axis gets no gradient, so None."""
    x, axis = args
    ### BEGIN SOLUTION
    if axis is not None:
        base = np.expand_dims(base, axis)  # put the summed axes back, with length 1
    return base * np.ones_like(x.data), None  # every element has the same share
    ### END SOLUTION


def sum(x: MyTensor, axis: int | tuple[int, ...] | None = None) -> MyTensor:
    """The sum over `axis` (None: over all elements). (Given.)"""
    if not isinstance(x, MyTensor):  # what Python's own sum is for, it still does
        return builtins.sum(x) if axis is None else builtins.sum(x, axis)
    result = x.data.sum(axis=axis)
    if x.requires_grad:
        op = MyCrossBackward(x, axis, backward_function=sum_deriv, name="SumBackward")
        return MyTensor(result, requires_grad=True, crossOpBack=op)
    return MyTensor(result)


class MSELoss:
    """Mean squared error."""

    def __call__(self, y: MyTensor, y_target: MyTensor) -> MyTensor:
        """The mean of (y - y_target)**2 over all elements: a scalar tensor."""
        ### BEGIN SOLUTION
        if y.shape != y_target.shape:
            raise ValueError(f"the prediction has shape {y.shape}, not {y_target.shape}")
        difference = y - y_target
        return sum(difference**2) / difference.size
        ### END SOLUTION

# %% [markdown]
# Testing again :/ (almost the last time, I promise)

# %% nbgrader={"grade": true, "grade_id": "test_mseloss", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_mseloss(MSELoss, MyTensor, sum)

# %% [markdown]
# Here is the example with `axis=1` and the upstream gradient `[10, 20]`, beside PyTorch's.

# %% tags=["torch"]
x = MyTensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
tests.draw_graph("sum(x, axis=1)", beside=True, base=[10.0, 20.0])

# %% [markdown]
# **A valley of your own.** Four points lie on the line $y = 3x + 1$. The lines $y = wx + 1$ miss them by more or less.
# The picture shows the loss for each $w$, computed by your `MSELoss`, and steps along its slope, which your `backward` finds.
# Its second derivative is the mean of $2x^2$, $2 \cdot \frac{14}{4} = 7$.
#
# **Predict:** which of the rates 0.01, 0.1, 0.27 and 0.3 come nearer to $w = 3$, and from which side?

# %%
places, heights = np.array([0.0, 1.0, 2.0, 3.0]), np.array([1.0, 4.0, 7.0, 10.0])


def line_loss(w: MyTensor) -> MyTensor:
    """The loss of the line y = w * x + 1 on the four points."""
    return MSELoss()(w * MyTensor(places) + 1, MyTensor(heights))


def slope(w: float) -> MyTensor:
    """The derivative of the loss with respect to w."""
    weight = MyTensor(w, requires_grad=True)
    line_loss(weight).backward()
    return weight.grad


tests.draw_descent(
    lambda w: line_loss(MyTensor(w)),
    slope,
    start=0.0,
    rates=(0.01, 0.1, 0.27, 0.3),
)

# %% [markdown]
# <details>
# <summary>If you like: a point far from the line</summary>
#
# **Your turn:** move a point up, far away from the line. What happens to the valley, and to its lowest place?
#
# </details>
#
# **In PyTorch:** losses are modules (`torch.nn.MSELoss` is an `nn.Module`). How the many squares become one number is
# called the *reduction*: the mean is the default, and `reduction="sum"` adds them up.

# %% [markdown]
# ## Make a model!
#
# *Building and playing, 45 minutes: 5 for what follows, 40 for the five parts below. Let's see your creativity at work!*
#
# **What you will build:** a network, and the loop that trains it. You have all the parts. Here they learn a straight
# line, $y = 3x + 1$, from four points. The five lines in the loop are the heart of nearly all deep learning:
#
# ```python
# np.random.seed(0)
# x = MyTensor([[0.0], [1.0], [2.0], [3.0]])
# target = MyTensor([[1.0], [4.0], [7.0], [10.0]])
#
# line = Linear(1, 1)
# loss_function = MSELoss()
# optimizer = SGD(line.parameters(), lr=0.1)
# for step in range(200):
#     optimizer.zero_grad()  # forget the old gradients
#     y = line(x)  # forward
#     loss = loss_function(y, target)
#     loss.backward()  # calculate the gradients
#     optimizer.step()  # apply them
#
# print(loss)  # nearly 0
# print([parameter.tensor for parameter in line.parameters()])  # nearly 3 and 1
# ```
#
# Each step builds a new graph: `line(x)` records the operations anew, with the numbers that the parameters have now. The
# old graph is forgotten with the old `loss`.
#
# <details>
# <summary>If you like: try it</summary>
#
# **Your turn:** paste it into a new cell. What do 20 steps give in place of 200, and what does `lr=0.3`?
#
# </details>

# %% [markdown]
# ### The training loop
#
# *Building, 15 minutes.*
#
# The loop, `train`, for any model and any examples. An example is a row of `images` (they may be
# anything that numbers describe), and the same row of `targets` is what the model should answer to it.
#
# - In each epoch shuffle the examples anew, and take each once, in mini-batches of `batch_size`. The last one may be
#   smaller. A row of `images` and the same row of `targets` stay together.
# - With each mini-batch do the five lines from above, with `SGD` for all of the model's parameters, and `lr`.
# - Log one number for each epoch in `losses`: the mean loss over its examples, each taken when its turn came.
#
# `train` may be given a function, `live`. If it is (`if live:`), call `live(losses[-1])` after each epoch: it draws how
# the training goes. Without it, you may show a progress bar with `tqdm`.
#
# *By hand:* five examples and `batch_size=2`. `np.random.permutation(5)` may give `[3, 0, 4, 1, 2]`: the mini-batches are
# the rows 3 and 0, then 4 and 1, then 2 alone. With their mean losses 0.6, 0.4 and 0.5 that of the epoch is
# $(2 \cdot 0.6 + 2 \cdot 0.4 + 1 \cdot 0.5) / 5 = 0.5$.
#
# <details>
# <summary>Hint 1: mini-batches</summary>
#
# For each `start` in `range(0, len(order), batch_size)`, `batch = order[start : start + batch_size]` holds the next row
# numbers, `MyTensor(images[batch])` is the input and `MyTensor(targets[batch])` the target.
#
# </details>
#
# <details>
# <summary>Hint 2: the log</summary>
#
# `loss.data` is an array without dimensions: `float(loss.data)` is a number. It is a mean: times `len(batch)` it is the
# sum over the mini-batch.
#
# </details>
#
# <details>
# <summary>If you like: a progress bar</summary>
#
# `progress = tqdm(range(epochs), file=sys.stdout, disable=live is not None)` and `for epoch in progress:` show a bar only
# where `live` does not draw; `progress.set_postfix(loss=losses[-1])` writes the latest loss beside it.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "train", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train(
    model: MyModule,
    images: np.ndarray,
    targets: np.ndarray,
    epochs: int = 20,
    batch_size: int = 32,
    lr: float = 1.0,
    live: Callable[[float], None] | None = None,
) -> list[float]:
    """Train the model on mini-batches.

    Args:
        images: one example in each row, shape (n, input_size).
        targets: what the model should answer, shape (n, output_size).
        epochs: how often each example is shown.
        batch_size: examples in a mini-batch; the last of an epoch may have fewer.
        lr: the learning rate.
        live: called with the mean loss after each epoch, if it is given.

    Returns:
        The mean loss of each epoch, over its examples.
    """
    losses = []
    loss_function = MSELoss()
    # Make the optimizer. Then, in each epoch:
    # 1. Shuffle the row numbers: order = np.random.permutation(len(images)).
    # 2. For each mini-batch, the next batch_size numbers of order, do the five lines, and add its
    #    loss, times the number of its examples, to a total.
    # 3. Append total / len(images) to losses, and call live.
    ### BEGIN SOLUTION
    optimizer = SGD(model.parameters(), lr)
    progress = tqdm(range(epochs), desc="training", file=sys.stdout, disable=live is not None)
    for _ in progress:
        order = np.random.permutation(len(images))
        total = 0.0
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            optimizer.zero_grad()
            y = model(MyTensor(images[batch]))
            loss = loss_function(y, MyTensor(targets[batch]))
            loss.backward()
            optimizer.step()
            total += float(loss.data) * len(batch)
        losses.append(total / len(images))
        progress.set_postfix(loss=f"{losses[-1]:.4f}", refresh=False)
        if live:
            live(losses[-1])
    ### END SOLUTION
    return losses

# %% [markdown]
# A loop with a slip may still train, only less well. The test of `train` gives it a small model that notes what it is
# shown, and takes the same mini-batches with PyTorch.

# %%
# To try it here. Its points are given once, at the end, where the same test stands again.
tests.test_train(train, MyModule, Parameter, matmul, SGD, MSELoss, MyTensor)

# %% [markdown]
# ### Two moons
#
# *Playing, 5 minutes.*
#
# In two dimensions we can see all that a network answers. Here two classes of points lie in the
# plane like two moons, and a small network gives each place a score for each class. Its answer is the class with the
# higher score. First it is a network *without ReLU*, two linear layers in a row. (`np.random.seed(0)` lets `Linear` and
# `train` draw the same in every run.)
#
# **Predict:** which border will it draw between the two classes? About how many of the points will lie on the right side
# of it? (It is soon over: pictures of its stages stay to be looked at.)

# %%
class Moons(MyModule):
    """Maps points, shape (n, 2), to a score for each of two classes, shape (n, 2)."""

    def __init__(self, with_relu: bool) -> None:
        super().__init__()
        self.hidden = Linear(2, 16)
        self.relu = ReLU()
        self.output = Linear(16, 2)
        self.with_relu = with_relu

    def forward(self, x: MyTensor) -> MyTensor:
        y = self.hidden(x)
        if self.with_relu:
            y = self.relu(y)
        return self.output(y)


chance = np.random.default_rng(0)
moon = np.arange(300) % 2  # the class of each point
angle = chance.uniform(0, np.pi, 300)
side = 1 - 2 * moon  # the second moon is the first one turned around, and moved
points = np.column_stack([side * np.cos(angle) + moon, side * np.sin(angle) + moon / 2])
points += chance.normal(0, 0.1, points.shape)


def learn_moons(with_relu: bool, epochs: int = 100, lr: float = 0.2) -> None:
    """Train a new network on the moons, and draw where it answers which class."""
    np.random.seed(0)
    moons = Moons(with_relu)
    watch = tests.live_regions(lambda places: moons(MyTensor(places)), points, moon)
    targets = np.eye(2)[moon]  # (1, 0) for a point of class 0, (0, 1) for one of class 1
    if watch and not train(moons, points, targets, epochs, lr=lr, live=watch):
        print("No training yet: write train first.")
    elif watch:
        right = np.mean(np.argmax(moons(MyTensor(points)).data, axis=1) == moon)
        print(f"{right:.0%} of the points lie on the right side.")


learn_moons(with_relu=False)

# %% [markdown]
# The border is straight, and one point in eight lies on the wrong side: two linear layers are one linear layer.
#
# **Predict:** and now with ReLU between them?

# %%
learn_moons(with_relu=True)

# %% [markdown]
# It bends until it lies between the moons. That is what ReLU is for.
#
# <details>
# <summary>If you like: other networks</summary>
#
# **Your turn:** fewer epochs, another rate, and in `Moons` 2, 4 or 8 hidden units, each of which can fold the plane once.
# With few it depends on the random start how well the border can bend: try other seeds, too.
#
# </details>

# %% [markdown]
# ### The digits
#
# *Reading, 2 minutes.*
#
# We ship 1,797 pictures of handwritten digits, 8 by 8 pixels with values from 0 to 16. They are from E. Alpaydin and
# C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository,
# [doi:10.24432/C50P49](https://doi.org/10.24432/C50P49), under CC BY 4.0; `data/README.md` says more.
#
# - Each picture becomes a row of 64 numbers, scaled to lie between 0 and 1.
# - We shuffle them and set 360 aside. These **held-out** pictures take no part in training: what the network does
#   with them shows whether it has learned digits, or only memorized its examples.
# - The target of a picture is **one-hot**: ten numbers, all 0 but for a 1 at the digit's place. A 3 is
#   `[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]`. The network gives ten *scores*, and its answer is the place of the highest.

# %%
with np.load("data/digits.npz") as digits:
    images = digits["images"].reshape(-1, 64) / 16.0
    labels = digits["labels"]


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Labels, shape (n,), to targets, shape (n, 10)."""
    return np.eye(10)[labels]


shuffled = np.random.default_rng(0).permutation(len(images))  # the same split each time
train_images, held_out_images = images[shuffled[:1437]], images[shuffled[1437:]]
train_labels, held_out_labels = labels[shuffled[:1437]], labels[shuffled[1437:]]
print("training:", train_images.shape, " held-out:", held_out_images.shape)
print("label", train_labels[0], "becomes", one_hot(train_labels[:1])[0])


def predict(model: MyModule, images: np.ndarray) -> np.ndarray:
    """The digit with the highest score for each image."""
    return np.argmax(model(MyTensor(images)).data, axis=1)


def accuracy(model: MyModule, images: np.ndarray, labels: np.ndarray) -> float:
    """The share of the images that the model reads correctly."""
    return float(np.mean(predict(model, images) == labels))

# %% [markdown]
# ### The model
#
# *Building and playing, 13 minutes.*
#
# Now your network, `SuperModel`. The shapes, for a mini-batch of $n$ pictures and, say, 32
# *hidden* units (between input and output): $(n, 64) \to (n, 32) \to (n, 10)$.
#
# The cell also trains it. (The learning rate of 1.0 looks large. But MSE takes the mean over all elements, the ten outputs
# included, so its gradients are small.)
#
# <details>
# <summary>Hint 1: a nudge</summary>
#
# Two linear layers. What belongs between them so that they do not collapse?
#
# </details>
#
# <details>
# <summary>Hint 2: the recipe</summary>
#
# In `__init__`, after `super().__init__()`: `self.hidden = Linear(64, 32)`, `self.relu = ReLU()` and
# `self.output = Linear(32, 10)`. `forward(self, x)` applies one after the other.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "model", "locked": false, "schema_version": 3, "solution": true, "task": false}
class SuperModel(MyModule):
    """Maps a batch of images, shape (n, 64), to one score per digit, shape (n, 10)."""

    # The layers, each in an attribute of its own; and then forward(self, x), which applies them.
    def __init__(self) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.hidden = Linear(64, 32)
        self.relu = ReLU()
        self.output = Linear(32, 10)

    def forward(self, x: MyTensor) -> MyTensor:
        return self.output(self.relu(self.hidden(x)))
    ### END SOLUTION


np.random.seed(0)  # the same random weights and mini-batches each time
model = SuperModel()
losses = []
if hasattr(model, "forward"):
    live = tests.live(accuracy=lambda: accuracy(model, held_out_images, held_out_labels))
    losses = train(model, train_images, one_hot(train_labels), live=live)

# %% [markdown]
# How did it go? The next cells show it. They wait until `losses` holds something.

# %%
if losses:
    held_out = accuracy(model, held_out_images, held_out_labels)
    print(f"mean loss: {losses[0]:.4f} in the first epoch, {losses[-1]:.4f} in the last one")
    print(f"training accuracy: {accuracy(model, train_images, train_labels):.1%}")
    print(f"held-out accuracy: {held_out:.1%}")
    if not model.parameters():
        print("Nothing is trained: model.parameters() is empty. Keep each layer in an attribute of")
        print("its own, not in a list.")
    elif not (losses[-1] < losses[0] and held_out > 0.9):
        print("The loop does not train yet as it could. Is there a ReLU between the layers, and")
        print("none behind the last one? Does tests.test_train, above, give all its points?")
else:
    print("No training yet: `losses` is empty.")

# %% [markdown]
# The loss falls steeply at first and then ever more slowly. Expect a held-out accuracy of 95% or more, about the
# same as the training accuracy. Guessing would give 10%.
#
# And these are the pictures:

# %%
# It only draws: you need not read it.
if losses:
    predictions = predict(model, held_out_images)
    wrong_first = np.argsort(predictions == held_out_labels, kind="stable")[:24]
    board = np.zeros((3 * 12, 8 * 12))  # 3 rows of 8 pictures, each with room for words above it
    plt.figure(figsize=(10, 4))
    for number, i in enumerate(wrong_first):
        top, left = 12 * (number // 8) + 3, 12 * (number % 8) + 2
        board[top : top + 8, left : left + 8] = held_out_images[i].reshape(8, 8)
        correct = predictions[i] == held_out_labels[i]
        words, color = f"{predictions[i]}: right", "darkgreen"
        if not correct:
            words, color = f"{predictions[i]}: wrong, a {held_out_labels[i]}", "firebrick"
        plt.text(left + 4, top - 1, words, ha="center", fontsize=9, color=color)
    plt.imshow(board, cmap="gray_r", vmin=0, vmax=1)
    plt.axis("off")
    wrong = np.sum(predictions != held_out_labels)
    tests.show_figure(
        plt.gcf(),
        "24 held-out pictures of digits, each with the network's answer; "
        f"{min(wrong, 24)} of them are misread.",
    )
else:
    print("No training yet: `losses` is empty.")

# %% [markdown]
# You see 24 of the held-out pictures, the misread ones first, each with the network's answer. Would you have read them all
# correctly?
#
# And what does the network look for? Each hidden unit adds up the 64 pixels with weights of its own. Drawn as pictures,
# the weights show where ink raises the unit's value and where it lowers it. Do not expect digits: a few units show a
# stroke or an edge.

# %%
if losses:
    tests.draw_weights(model)
else:
    print("No training yet: `losses` is empty.")

# %% [markdown]
# **Your turn**, and guess before you look: what does the curve do with `lr=30`? (NumPy warns in red that numbers overflow.)
# Without `zero_grad`? In a new cell make a new `tests.live(...)`, too: each goes on with its own curve.
#
# <details>
# <summary>If you like: other networks</summary>
#
# - With 2 hidden units, or 200? (With 2, expect to read one digit in six: two numbers tell too little, and nothing is
#   broken.) Without the ReLU? (After the moons you may be surprised: in 64 dimensions straight borders part the digits
#   nearly as well.)
# - One caution: if you choose by the held-out accuracy again and again, those pictures are no longer quite held out.
#   Serious work sets a third part aside for choosing.
#
# </details>
#
# The last tests. First that of the loop again: here it gives its points (once, though you have run it above).

# %% nbgrader={"grade": true, "grade_id": "test_train", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_train(train, MyModule, Parameter, matmul, SGD, MSELoss, MyTensor)

# %% [markdown]
# And the model. Its test moves your model's parameters by hand and compares what the scores do with their
# gradients. (You know this from the Reminders.)
#
# Then it trains a new `SuperModel` with a loop, a loss and an optimizer of its own, on digits whose pixels and
# classes it has mixed, and wants nine of ten held-out ones read.

# %% nbgrader={"grade": true, "grade_id": "test_model", "locked": true, "schema_version": 3, "solution": false, "task": false}
tests.test_model(SuperModel, MSELoss, SGD, MyTensor)

# %% [markdown]
# The workshop began with a network that reads what you draw. Now yours does.
#
# **Predict:** will it read this one? Then draw your own.

# %%
if losses:
    tests.read_digit(
        """
        ..###...
        .#++#+..
        ....##..
        ....#+..
        ...##...
        ..+#....
        ..##+++.
        ..#####.
        """,
        lambda pictures: model(MyTensor(pictures)),
    )
else:
    print("No training yet: `losses` is empty.")

# %% [markdown]
# ### The same in PyTorch
#
# *Reading and running, 5 minutes.*
#
# The same digits, the same network. You know what each line on the right does, because
# you have built it:
#
# | Yours | PyTorch's |
# | --- | --- |
# | `class SuperModel(MyModule):` | `class TorchModel(torch.nn.Module):` |
# | `self.hidden = Linear(64, 32)` | `self.hidden = torch.nn.Linear(64, 32)` |
# | `self.relu = ReLU()` | `self.relu = torch.nn.ReLU()` |
# | `self.output = Linear(32, 10)` | `self.output = torch.nn.Linear(32, 10)` |
# | `loss_function = MSELoss()` | `loss_function = torch.nn.MSELoss()` |
# | `optimizer = SGD(model.parameters(), lr)` | `optimizer = torch.optim.SGD(model.parameters(), lr)` |
# | `for start in range(0, len(order), batch_size):` | `for batch, target in loader:` |
# | `y = model(MyTensor(images[batch]))` | `y = model(batch)` |
# | `loss = loss_function(y, MyTensor(targets[batch]))` | `loss = loss_function(y, target)` |
# | `zero_grad()`, `backward()`, `step()` | the same |
#
# First the network. The last lines give it a picture, and print the error that everybody meets first.

# %% tags=["torch"]
class TorchModel(torch.nn.Module):
    """Maps a batch of images, shape (n, 64), to one score per digit, shape (n, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = torch.nn.Linear(64, 32)
        self.relu = torch.nn.ReLU()
        self.output = torch.nn.Linear(32, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(self.relu(self.hidden(x)))


try:
    TorchModel()(torch.tensor(train_images[:1]))
except RuntimeError as error:
    print("RuntimeError:", error)

# %% [markdown]
# *Double* is `float64`, NumPy's default, and *Float* is `float32`, the dtype of PyTorch's layers. A matrix product mixes
# no dtypes in PyTorch. So say which one you want when you make a tensor of NumPy's numbers.
#
# Next the loop. A `DataLoader` hands out the mini-batches; with `shuffle=True` it shuffles anew in each epoch. Where
# nothing is to be differentiated, `torch.no_grad()` switches recording off. (Ours always records, and forgets.)

# %% tags=["torch"]
def to_torch(array: np.ndarray) -> torch.Tensor:
    return torch.tensor(array, dtype=torch.float32)


def train_torch(
    model: torch.nn.Module,
    images: torch.Tensor,
    targets: torch.Tensor,
    epochs: int = 20,
    batch_size: int = 32,
    lr: float = 1.0,
) -> None:
    """Train the model on mini-batches."""
    examples = torch.utils.data.TensorDataset(images, targets)
    loader = torch.utils.data.DataLoader(examples, batch_size=batch_size, shuffle=True)
    loss_function = torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr)
    for _ in range(epochs):
        for batch, target in loader:
            optimizer.zero_grad()
            y = model(batch)
            loss = loss_function(y, target)
            loss.backward()
            optimizer.step()


def accuracy_torch(model: torch.nn.Module, images: torch.Tensor, labels: np.ndarray) -> float:
    """The share of the images that the model reads correctly."""
    with torch.no_grad():
        scores = model(images)
    return float(np.mean(scores.argmax(dim=1).numpy() == labels))


torch.manual_seed(0)
network = TorchModel()
train_torch(network, to_torch(train_images), to_torch(one_hot(train_labels)))
share = accuracy_torch(network, to_torch(held_out_images), held_out_labels)
print(f"PyTorch reads {share:.1%} of the held-out pictures.")

# %% [markdown]
# The same accuracy, but for chance. Is it the same *function*? We make a network of PyTorch's with the numbers of your
# trained model, and compare the scores. `torch.nn.Sequential` is a module that applies its parts one after the other.
#
# **Predict:** PyTorch keeps the weight of a linear layer as $(\text{out}, \text{in})$. What has to happen to yours if it is
# $(\text{in}, \text{out})$? And to how many digits will the scores agree, when `float32` has about 7?

# %% tags=["torch"]
def in_pytorch(own: MyModule) -> torch.nn.Module:
    """The linear layers of your model in PyTorch, with their numbers, and ReLU between them."""
    turned = (2, 3) in [parameter.tensor.shape for parameter in Linear(2, 3).parameters()]
    parts = []
    for linear in [part for part in vars(own).values() if isinstance(part, Linear)]:
        # Squeezed, since a bias may be a row of shape (1, out). The weight has more dimensions.
        arrays = [np.squeeze(parameter.tensor.data) for parameter in linear.parameters()]
        bias, weight = sorted(arrays, key=np.ndim)
        weight = weight.T if turned else weight  # PyTorch's are (out, in)
        outputs, inputs = weight.shape
        layer = torch.nn.Linear(inputs, outputs)
        with torch.no_grad():  # to copy numbers is no operation of a graph
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.copy_(torch.tensor(bias))
        parts += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*parts[:-1])


if losses:
    twin = in_pytorch(model)
    print(twin)
    scores = model(MyTensor(held_out_images)).data
    with torch.no_grad():
        twin_scores = twin(to_torch(held_out_images)).numpy()
    print("yours:    ", np.round(scores[0], 3))
    print("PyTorch's:", np.round(twin_scores[0], 3))
    print("the same scores:", np.allclose(scores, twin_scores, atol=1e-5))
    print(f"largest difference: {np.abs(scores - twin_scores).max():.1g}")
else:
    print("No training yet: `losses` is empty.")

# %% [markdown]
# Your network *is* a PyTorch network. What does PyTorch add, beside its speed on large ones? Hundreds of operations with
# their rules, other layers, losses and optimizers, files, and a GPU if there is one.
#
# <details>
# <summary>If you want to know: on a GPU, and into a file</summary>
#
# Paste this into a new cell: it trains on the GPU, if you have one, and saves the result. (A GPU is no faster with networks
# as small as this one.)
#
# ```python
# device = "cuda" if torch.cuda.is_available() else "cpu"
# network = TorchModel().to(device)
# inputs = to_torch(train_images).to(device)
# targets = to_torch(one_hot(train_labels)).to(device)
# train_torch(network, inputs, targets)
#
# torch.save(network.state_dict(), "digits.pt")  # all parameters, by name
# again = TorchModel()
# again.load_state_dict(torch.load("digits.pt", map_location="cpu"))
# share = accuracy_torch(again, to_torch(held_out_images), held_out_labels)
# print(f"read from the file: {share:.1%}")
# ```
#
# </details>
#
# <details>
# <summary>If you like: another optimizer, another loss</summary>
#
# **Your turn:** in `train_torch` take `torch.optim.Adam` in place of `torch.optim.SGD`, and `lr=0.01`. Or cross-entropy,
# `torch.nn.CrossEntropyLoss()`, with `lr=0.1`. Which reads most of the held-out digits?
#
# </details>

# %% [markdown]
# ### Other pictures: MNIST and FashionMNIST
#
# *If you like.*
#
# The package `torchvision` downloads famous data sets: MNIST, 70,000 handwritten digits, and FashionMNIST, as many pieces
# of clothing, both with 28 by 28 pixels, so 784 numbers. This function hands them to *your* network as NumPy arrays. A
# *transform* changes pictures into what a network wants; these two take all pictures at once.

# %% tags=["torch"]
def load_images(
    dataset_class: type[torchvision.datasets.MNIST],
    root: str,
    train: bool = True,
    download: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Load MNIST, FashionMNIST or another data set of their family.

    Args:
        dataset_class: torchvision.datasets.MNIST, torchvision.datasets.FashionMNIST, ...
        root: the folder in which the files are kept.
        train: the training pictures, or the held-out ones.
        download: fetch the files if they are not there yet.

    Returns:
        The images, shape (n, 784), float32 between 0 and 1, and the labels, shape (n,).
    """
    dataset = dataset_class(root, train=train, download=download)
    transform = v2.Compose(
        [
            v2.ToDtype(torch.float32, scale=True),  # 0 to 255 becomes 0.0 to 1.0
            v2.Lambda(lambda images: images.flatten(start_dim=1)),
        ]
    )
    return transform(dataset.data).numpy(), dataset.targets.numpy()

# %% [markdown]
# <details>
# <summary>If you like: train on FashionMNIST</summary>
#
# Paste this into a new cell. The first run downloads some 30 MB. An epoch has 1,875 mini-batches here and takes a few
# seconds. The inputs are twelve times as many as before, and so the gradients are larger: take smaller steps. For MNIST,
# write `torchvision.datasets.MNIST`.
#
# ```python
# class FashionModel(MyModule):
#     def __init__(self) -> None:
#         super().__init__()
#         self.hidden = Linear(784, 64)
#         self.relu = ReLU()
#         self.output = Linear(64, 10)
#
#     def forward(self, x: MyTensor) -> MyTensor:
#         return self.output(self.relu(self.hidden(x)))
#
#
# root = "datasets"
# fashion = torchvision.datasets.FashionMNIST
# fashion_images, fashion_labels = load_images(fashion, root, train=True, download=True)
# held_out_fashion, held_out_fashion_labels = load_images(fashion, root, train=False, download=True)
#
# np.random.seed(0)
# fashion_model = FashionModel()
# fashion_losses = train(fashion_model, fashion_images, one_hot(fashion_labels), epochs=5, lr=0.2)
# read = accuracy(fashion_model, held_out_fashion, held_out_fashion_labels)
# print(f"held-out accuracy: {read:.1%}")
# ```
#
# </details>

# %% [markdown]
# ## Conclusion
#
# Well done! You have made a mini version of PyTorch, and you know what happens behind each of these lines:
#
# | Yours | PyTorch's |
# | --- | --- |
# | `MyTensor`, `backward_op`, `backward()` | `torch.Tensor`, `grad_fn`, `backward()` |
# | a rule such as `mul_deriv` | `torch.autograd.Function.backward` |
# | `Parameter`, `MyModule` | `torch.nn.Parameter`, `torch.nn.Module` |
# | `matmul`, `Linear`, `ReLU` | `torch.matmul`, `torch.nn.Linear`, `torch.nn.ReLU` |
# | `SGD` | `torch.optim.SGD` |
# | `sum`, `MSELoss` | `torch.sum`, `torch.nn.MSELoss` |
# | the loop over mini-batches | `torch.utils.data.DataLoader`, and the same five lines |
#
# And you have trained a network in PyTorch itself. Where to go next, from easy to hard:
#
# - follow PyTorch's own [tutorials](https://docs.pytorch.org/tutorials/): you know what they talk about;
# - add `exp` and `log` with their rules, and build cross-entropy from them: for scores $s$ and the right class $c$ it is
#   $\log \sum_j e^{s_j} - s_c$;
# - give `SGD` a momentum, or write the optimizer Adam;
# - write a convolution layer, which looks everywhere for the same small patterns. Where digits lie anywhere in a larger
#   picture, a network with one read 87% of them in a trial, one of linear layers 53%. (On FashionMNIST, where all things
#   lie in the middle, a small one gained nothing in a few epochs.)
# - extend it into a library of your own, with the storage in C.

# %%
tests.progress()  # the whole workshop
