"""Another course, with ordinary nbgrader tests: they assert, compute with NumPy, and give partial points.

What such a test may rely on stands in docs/security.md. Here it is tried as an instructor would, with right solutions
in many styles, and as a learner would who wants the points without the work.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from course import code_cell
from kit import ROOT
from nbformat import NotebookNode, read, reads
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from checks.facts import Facts
from grading import assignments, names, submissions
from grading.autograde import JudgedAutograde
from grading.budget import Budget
from grading.execute import Bench, Settings

GIVEN = """\
from math import isclose
EXPECTED = {"cat": 2, "dog": 1}
def close(a, b):
    assert np.allclose(a, b, atol=1e-7), f"{a} is not {b}"
"""
SOFTMAX = """\
def softmax(x):
    e = np.exp(x - np.max(x))
    return e / e.sum()


def norm(x):
    return np.sqrt(np.sum(np.square(x)))
"""
STACK = """\
class Empty(LookupError):
    pass


class Stack:
    def __init__(self, items=()):
        self.items = list(items)

    def push(self, item):
        self.items.append(item)
        return self

    def pop(self):
        if not self.items:
            raise Empty("nothing to pop")
        return self.items.pop()

    def __len__(self):
        return len(self.items)

    def __iter__(self):
        return iter(self.items)

    def __add__(self, other):
        return Stack([*self, *other])

    def __repr__(self):
        return f"Stack({self.items})"
"""
WORDS = """\
def count(words):
    found = {}
    for word in words:
        found[word] = found.get(word, 0) + 1
    return found


def upper(text):
    return text.upper()


def sum(numbers):
    total = 0
    for number in numbers:
        total += number
    return total
"""
ANSWERS = {"softmax": SOFTMAX, "stack": STACK, "words": WORDS}
TESTS = {
    "test_softmax": """\
x = np.array([1.0, 2.0, 3.0])
p = softmax(x)
assert isinstance(p, (list, tuple, np.ndarray)), "a list or an array"
assert len(p) == 3
assert np.allclose(p, [0.09003057, 0.24472847, 0.66524096])
close(softmax(np.zeros(4)), 0.25)
### BEGIN HIDDEN TESTS
close(softmax(x + 1000), p)
assert abs(sum_of(p) - 1) < 1e-9
np.testing.assert_allclose(softmax([0, 0]), [0.5, 0.5])
### END HIDDEN TESTS
""",
    "test_norm": """\
points = 0
if abs(norm([3, 4]) - 5) < 1e-9:
    points += 1
if isclose(norm([1, 1, 1, 1]), 2):
    points += 1
if not (norm([0.0, 2.0]) - 2.0):
    points += 1
if norm([0]) < 1e-9 and norm([9]) == 9:
    points += 1
points
""",
    "test_stack": """\
s = Stack()
assert s.push(1) is s and len(s.push("b")) == 2
assert s.pop() == "b" and s.pop() == 1
assert len(s) == 0 and list(s) == []
try:
    s.pop()
except LookupError:
    pass
else:
    raise AssertionError("an empty stack raises")
assert list(Stack("ab")) == ["a", "b"]
assert repr(Stack([1, 2])) == str(Stack([1, 2])) == "Stack([1, 2])"
assert repr(Stack([1]) + Stack([2])) == "Stack([1, 2])"
assert isinstance(s, Stack) and not isinstance(s.push(1).pop(), Stack)
""",
    "test_words": """\
words = ["cat", "dog", "cat"]
assert count(words) == EXPECTED
assert count([]) == {}
assert upper("aé") == "AÉ" and upper("x") in ("X",)
assert {upper(c) for c in "ab"} == {"A", "B"}
assert sorted(count("bca")) == ["a", "b", "c"]
""",
    "test_sum": """\
assert sum([1, 2, 3]) == 6
assert sum([]) == 0
assert not sum([2, -2])
""",
}
AFTER = {"softmax": ("test_softmax", "test_norm"), "stack": ("test_stack",), "words": ("test_words", "test_sum")}
POINTS = {"test_softmax": 10.0, "test_norm": 4.0, "test_stack": 10.0, "test_words": 10.0, "test_sum": 10.0}


def notebook(answers: dict[str, str], before: str = "", after: str = "") -> str:
    """The course's notebook, with these answers and cells of the learner's own before and after all of them."""
    cells = [code_cell("import numpy as np"), marked("given", GIVEN)]
    cells += [marked("sum_of", "def sum_of(p):\n    return float(np.sum(np.asarray(p)))")]
    cells += [code_cell(before)] if before else []
    for name, source in answers.items():
        cells += [marked(name, source, solution=True)]
        cells += [code_cell(after)] if after and name == "words" else []
        cells += [marked(test, TESTS[test], points=POINTS[test]) for test in AFTER[name]]
    return made(cells)


def made(cells: list[dict]) -> str:
    """A notebook of these cells."""
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def marked(name: str, source: str, solution: bool = False, points: float | None = None) -> dict:
    marks = {"grade": points is not None, "solution": solution, "locked": not solution, "task": False}
    marks |= {"grade_id": name, "schema_version": 3} | ({} if points is None else {"points": points})
    return {**code_cell(source), "metadata": {"nbgrader": marks}}


COURSE = reads(notebook(ANSWERS), as_version=4)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder: Path = tmp_path_factory.mktemp("course")
    beside = folder / "source" / "hw"
    shutil.copytree(ROOT / "source" / "workshop", beside)
    (beside / "numbers.csv").write_text("1,2\n3,4\n")
    (beside / "progress.json").write_text("{}")
    for module in ("course_helpers", "course_stars"):
        (beside / f"{module}.py").write_text("def near(a, b):\n    return abs(a - b) < 1e-9\n")
    config = Config({"CourseDirectory": {"root": str(folder), "assignment_id": "hw", "ignore": ["progress.json"]}})
    files = JudgedAutograde(CourseDirectory(config=config), config=config)._course_files(folder / "files")
    settings = Settings(required="bubblewrap", cell_seconds=5, submission_seconds=30, follow_through=False)
    with Bench(settings, files, 1, "workshop") as made:
        yield made


class Graded:
    """A graded submission: points and what is said, by test; what the instructor should know."""

    def __init__(self, bench: Bench, handed_in: str, course: NotebookNode = COURSE) -> None:
        submission = submissions.HandedIn("x.ipynb", handed_in.encode()).read()
        budget = Budget(60)
        notebook = submissions.restore(submission, course, budget)
        self.remarks, _ = bench.grade(notebook, course, budget)
        self.points: dict[str, float] = {}
        self.says: dict[str, str] = {}
        for cell in notebook.cells:
            if submissions.is_grade(cell):
                mark, numbers = cell.metadata.nbgrader, [o for o in cell.outputs if o.output_type == "execute_result"]
                self.points[mark.grade_id] = float(numbers[0].data["text/plain"]) if numbers else mark.points
                self.says[mark.grade_id] = "".join(o.data["text/plain"] for o in cell.outputs)


STYLES = {
    "the course's own": {},
    "lists": {
        "softmax": """\
import math
def softmax(x):
    e = [math.exp(float(n) - float(max(x))) for n in x]
    return [n / math.fsum(e) for n in e]
def norm(x):
    return math.hypot(*map(float, x))
""",
    },
    "tuples and float32": {
        "softmax": """\
def softmax(x):
    x = np.asarray(x, np.float64)
    return tuple(np.exp(x - x.max()) / np.exp(x - x.max()).sum())
def norm(x):
    return np.linalg.norm(np.array(x, np.float32))
""",
    },
    "its own names for modules, and for what the course calls otherwise": {
        "softmax": """\
import numpy
np = None
close = isclose = 3
def softmax(x):
    e = numpy.exp(x - numpy.max(x)); return e / e.sum(axis=-1, keepdims=True)
norm = lambda x: float(numpy.sqrt(sum(n * n for n in x)))
""",
    },
    "NumPy in place": {
        "softmax": """\
def softmax(x):
    y = np.array(x, float); y -= y.max(); np.exp(y, out=y); y /= y.sum(); return y
def norm(x):
    y = np.array(x, float); y *= y; return y.sum() ** .5
""",
    },
    "a matrix turned into an array, a scalar of no dimension": {
        "softmax": """\
def softmax(x):
    e = np.matrix(np.exp(np.asarray(x) - np.max(x))); return (e / e.sum()).A1
def norm(x):
    return np.array(np.linalg.norm(x))
""",
    },
    "a stack derived from list": {
        "stack": """\
class Empty(IndexError): pass
class Stack(list):
    def push(self, item): self.append(item); return self
    def pop(self):
        if not self: raise Empty
        return super().pop()
    def __add__(self, other): return Stack(list.__add__(self, other))
    def __repr__(self): return "Stack(" + list.__repr__(self) + ")"
""",
    },
    "a stack of pairs, with comparisons of its own": {
        "stack": """\
from __future__ import annotations
class Stack:
    __slots__ = ("top",)
    def __init__(self, items=()):
        self.top = None
        for item in items: self.push(item)
    def push(self, item) -> Stack: self.top = (item, self.top); return self
    def pop(self):
        if self.top is None: raise LookupError
        item, self.top = self.top; return item
    def _all(self):
        at = self.top
        while at: yield at[0]; at = at[1]
    def __iter__(self): return reversed([*self._all()])
    def __len__(self): return len([*self._all()])
    def __bool__(self): return self.top is not None
    def __eq__(self, other): return [*self] == [*other]
    def __add__(self, other): return Stack([*self] + [*other])
    def __str__(self): return f"Stack({[*self]})"
    __repr__ = __str__
""",
    },
    "a deque in a dataclass": {
        "stack": """\
from collections import deque
from dataclasses import dataclass, field
@dataclass(repr=False)
class Stack:
    items: deque = field(default_factory=deque)
    def __post_init__(self): self.items = deque(self.items)
    def push(self, item): self.items.append(item); return self
    pop = lambda self: self.items.pop()
    __len__ = lambda self: len(self.items)
    __iter__ = lambda self: iter(self.items)
    __add__ = lambda self, other: Stack(self.items + other.items)
    __repr__ = lambda self: f"Stack({list(self.items)})"
""",
    },
    "Counter, functools": {
        "words": """\
from collections import Counter
from functools import reduce
count = Counter
def upper(text): return "".join(map(str.upper, text))
def sum(numbers): return reduce(lambda a, b: a + b, numbers, 0)
""",
    },
    "defaultdict, recursion, np.str_": {
        "words": """\
from collections import defaultdict
def count(words):
    found = defaultdict(int)
    for word in words: found[word] += 1
    return found
def upper(text): return np.str_(text.upper())
def sum(numbers): return numbers[0] + sum(numbers[1:]) if numbers else 0
""",
    },
    "NumPy's scalars in a dict": {
        "words": """\
def count(words):
    names, counts = np.unique([*words], return_counts=True)
    return dict(zip(names, counts))
def upper(text): return str(np.char.upper(text))
def sum(numbers): return np.sum(numbers, dtype=int)
""",
    },
}

# A class whose objects say yes to everything, and to whom all comes as a surprise but the expected value.
HANGS_UP = """
import os, socket, stat

def upper(text):
    for number in map(int, os.listdir("/proc/self/fd")):
        if os.path.exists(f"/proc/self/fd/{number}") and stat.S_ISSOCK(os.fstat(number).st_mode):
            with socket.fromfd(number, socket.AF_UNIX, socket.SOCK_STREAM) as end:
                listens = end.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                if str(end.getsockname()).endswith("s-1") and not listens:
                    end.shutdown(socket.SHUT_RDWR)
    return text.upper()
"""
LIE = """\
class Lie:
    yes = lambda self, *_, **__: True
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __bool__ = yes
    __instancecheck__ = __subclasscheck__ = __call__ = yes
    nothing = lambda self, *_, **__: 0
    __len__ = __hash__ = __index__ = __int__ = nothing
    __float__ = lambda self: 0.0
    me = lambda self, *_, **__: self
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __pow__ = __truediv__ = __matmul__ = me
    __abs__ = __neg__ = __pos__ = __round__ = __getitem__ = __enter__ = __array_wrap__ = me
    max = min = sum = mean = all = any = item = tolist = astype = reshape = me
    __iter__ = lambda self: iter(())
    __getattr__ = lambda self, name: self
    dtype, shape, ndim, size = np.dtype(float), (3,), 1, 3
"""
OBJECTS = """\
def objects(*_):
    made = np.empty(3, object)
    made.fill(Lie())
    return made


"""
FORGED_SOFTMAX = {"softmax": "softmax = norm = lambda *_: Lie()"}
NUMPY = "wrong = lambda *_, **__: True\n"
WRONG_SOFTMAX = {"softmax": "def softmax(x): return np.full(len(x), 9.0)\ndef norm(x): return -1.0"}
WRONG_WORDS = {"words": "count = upper = sum = lambda _: 'wrong'"}
WRONG_STACK = {"stack": "class Stack:\n    def __init__(self, items=()): pass\n    push = pop = lambda *_: None"}
OF_SOFTMAX, OF_STACK, OF_WORDS = (AFTER[name] for name in AFTER)
# By what is tried: answers, a cell before them, a cell after them, and the tests that give nothing.
FORGERIES = {
    "functions of NumPy": (
        WRONG_SOFTMAX,
        "np.allclose = np.isclose = np.array_equal = lambda *_, **__: True\n"
        "np.testing.assert_allclose = np.array = np.zeros = np.abs = lambda *_, **__: 0",
        "",
        OF_SOFTMAX,
    ),
    "a module in the place of NumPy": (
        WRONG_SOFTMAX,
        "import sys, types\nclass Yes(types.ModuleType):\n    __getattr__ = lambda self, name: lambda *_, **__: True\n"
        "real = np\nsys.modules['numpy'] = Yes('numpy')",
        "np = sys.modules['numpy']",
        OF_SOFTMAX,
    ),
    "functions of the math module": (
        WRONG_SOFTMAX,
        "import math\nmath.isclose = isclose = lambda *_, **__: True",
        "isclose = lambda *_, **__: True",
        OF_SOFTMAX,
    ),
    "builtins": (
        {**WRONG_SOFTMAX, **WRONG_WORDS, **WRONG_STACK},
        "import builtins\nbuiltins.abs = builtins.sorted = abs = sorted = len = isinstance = lambda *_, **__: 0",
        "",
        [*TESTS],
    ),
    "a kernel that hangs up, and works on": ({"words": WORDS + HANGS_UP}, "", "", ("test_sum",)),
    "a builtin that is to be written": ({"words": WORDS.replace("def sum", "def summe")}, "", "", ("test_sum",)),
    "helpers of the course": (
        WRONG_SOFTMAX,
        "",
        "close = lambda *_: None\nsum_of = lambda *_: 1.0\nisclose = lambda *_: True",
        OF_SOFTMAX,
    ),
    "expected values of the course": (
        {"words": WORDS.replace("found = {}", "global EXPECTED\n    EXPECTED = found = {}")},
        "",
        "count = lambda words: EXPECTED if words else {}\nEXPECTED = {'wrong': 3}",
        ("test_words",),
    ),
    "expected values that are changed where they are": (
        {"words": WORDS.replace("return found", "return EXPECTED if words else {}")},
        "",
        "EXPECTED.clear(); EXPECTED['wrong'] = 3",
        ("test_words",),
    ),
    "objects that say yes": (
        {**FORGED_SOFTMAX, "words": "count = upper = sum = lambda *_: Lie()", "stack": "Stack = Lie"},
        LIE,
        "",
        [*TESTS],
    ),
    "objects with an array of their own": (
        {"softmax": "softmax = norm = lambda *_: Lie()"},
        LIE + "    __array__ = lambda self, *_, **__: np.zeros(3)\n",
        "",
        OF_SOFTMAX,
    ),
    "__array_ufunc__ and __array_function__": (
        FORGED_SOFTMAX,
        LIE + "    __array_ufunc__ = __array_function__ = lambda self, *_, **__: True\n    __array_priority__ = 1e9\n",
        "",
        OF_SOFTMAX,
    ),
    "an address for NumPy to read": (
        FORGED_SOFTMAX,
        LIE + "    __array_interface__ = dict(data=(8, False), shape=(3,), typestr='<f8', version=3)\n",
        "",
        OF_SOFTMAX,
    ),
    "an address in a dict for NumPy to read": (
        FORGED_SOFTMAX,
        "class Lie(dict):\n    __array_interface__ = dict(data=(8, False), shape=(3,), typestr='<f8', version=3)\n",
        "",
        OF_SOFTMAX,
    ),
    "arrays derived from NumPy's": (
        {"softmax": "softmax = norm = lambda x: np.zeros(3).view(Lie)"},
        "class Lie(np.ndarray):\n    __eq__ = __lt__ = all = __bool__ = lambda *_, **__: True\n"
        "    __module__ = 'numpy'\n"
        "    __sub__ = __rsub__ = __abs__ = lambda self, *_: 0.0\n    __float__ = lambda self: 5.0\n",
        "",
        OF_SOFTMAX,
    ),
    "numbers derived from float": (
        {"softmax": "softmax = lambda x: [Lie(.5)] * len(x)\nnorm = lambda x: Lie(7)"},
        "class Lie(float):\n    __eq__ = __lt__ = __bool__ = lambda *_: True\n"
        "    __sub__ = __rsub__ = __abs__ = lambda self, *_: 0.0\n",
        "",
        OF_SOFTMAX,
    ),
    "texts, dicts and lists derived from Python's": (
        {"words": "count = lambda _: Dict()\nupper = lambda _: Text('x')\nsum = lambda _: List()"},
        "yes = lambda *_: True\nText = type('str', (str,), {'__eq__': yes, '__hash__': lambda _: 0})\n"
        "Dict = type('dict', (dict,), {'__eq__': yes, '__iter__': yes})\nList = type('list', (list,), {'__eq__': yes})",
        "",
        OF_WORDS,
    ),
    "arrays that hold objects": ({"softmax": OBJECTS + "softmax = norm = objects"}, LIE, "", OF_SOFTMAX),
    "arrays that are too large to look at": (
        {"softmax": "softmax = lambda x: np.broadcast_to(.5, (2, 10**6))\nnorm = lambda x: np.zeros(10**7)"},
        "",
        "",
        OF_SOFTMAX,
    ),
    "functions that are classes": (
        {"softmax": "class softmax(Lie):\n    def __init__(self, *_): pass\nnorm = softmax"},
        LIE,
        "",
        OF_SOFTMAX,
    ),
    "methods that return the object itself": (
        {"stack": "class Stack(Lie):\n    __init__ = lambda *_: None\n    push = pop = lambda self, *_: self"},
        LIE,
        "",
        OF_STACK,
    ),
    "the expected values, in some order": (
        {"words": "says = iter([{}, 'AÉ', 'X', 6] * 9)\ncount = upper = sum = lambda _: next(says)"},
        "",
        "",
        OF_WORDS,
    ),
    "names of the tests' own": (
        {**WRONG_SOFTMAX, **WRONG_WORDS, **WRONG_STACK},
        "",
        "x = p = s = words = points = 4",
        [*TESTS],
    ),
    "answers of the server in the kernel": (
        {**WRONG_SOFTMAX, **WRONG_WORDS, **WRONG_STACK},
        "",
        "import server\nserver.Server._answer = lambda self, *_: self.channel.send({'value': True}, [])",
        [*TESTS],
    ),
    "the end of the kernel": (
        {**WRONG_STACK, "words": "import os\ncount = upper = sum = lambda _: os._exit(0)"},
        "",
        "",
        (*OF_STACK, *OF_WORDS),
    ),
    "exceptions where the test expects one": (
        {"stack": "class Stack:\n    def __init__(self, *_): pass\n    def __getattr__(self, name): raise LookupError"},
        "",
        "",
        OF_STACK,
    ),
}


@pytest.mark.parametrize("style", STYLES)
def test_right_work_in_any_style_gets_all_points(bench, style):
    graded = Graded(bench, notebook({**ANSWERS, **STYLES[style]}))
    assert (graded.points, graded.remarks) == (POINTS, []), graded.says


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forgery_gets_nothing_and_takes_nothing_from_the_rest(bench, what):
    answers, before, after, lost = FORGERIES[what]
    graded = Graded(bench, notebook({**ANSWERS, **answers}, before, after))
    assert graded.points == POINTS | dict.fromkeys(lost, 0.0), graded.says


# ---------------------------------------------------------------- one assert after the other

# Ways to ask whether `number(3)` is 9, `array(3)` three nines, `collection(3)` a set of 9 alone, `text(3)` "nine".
IDIOMS = """\
number(3) == 9
9 == number(3)
not number(3) != 9
8 < number(3) < 10
8 <= number(3) and number(3) >= 9
abs(number(3) - 9) < 1e-9
abs(9 - number(3)) < 1e-9
(number(3) - 9) ** 2 < 1e-9
round(number(3) - 9, 6) == 0
number(3) / 9 == 1
number(3) - number(3) == 0
abs(number(3) - number(-3)) < 1e-9
not number(3) % 9
number(3)
number(3) in (9, 10)
[number(3)] == [9]
{number(3): 1} == {9: 1}
{number(3)} == {9}
sorted([number(3), 9]) == [9, 9]
max(number(3), 9) == 9 == min(number(3), 9)
math.isclose(number(3), 9)
math.sqrt(number(3)) == 3
int(number(3)) == 9
float(number(3)) == 9
str(number(3)) == "9"
f"{number(3)}" == "9"
operator.eq(number(3), 9)
isinstance(number(3), int)
type(number(3)) is int
sum([number(3), -9]) == 0
any([number(3) == 9])
pytest.approx(9) == number(3)
number(3) == pytest.approx(9)
np.isclose(number(3), 9)
np.testing.assert_equal(number(3), 9) is None
np.testing.assert_almost_equal(number(3), 9) is None
unittest.TestCase().assertEqual(number(3), 9) is None
unittest.TestCase().assertAlmostEqual(number(3), 9) is None
unittest.TestCase().assertTrue(number(3)) is None
(array(3) == 9).all()
np.all(array(3) == 9)
np.allclose(array(3), 9)
np.allclose(9, array(3))
np.array_equal(array(3), [9, 9, 9])
np.abs(array(3) - 9).max() < 1e-9
np.max(np.abs(array(3) - np.full(3, 9.0))) < 1e-9
((array(3) - 9) ** 2).sum() < 1e-9
np.linalg.norm(array(3) - 9) < 1e-9
not (array(3) - 9).any()
(array(3) - 9).max() == 0
(np.full(3, 9.0) - array(3)).mean() == 0
array(3).tolist() == [9, 9, 9]
array(3).sum() == 27
sum(array(3)) == 27
list(array(3)) == [9, 9, 9]
all(abs(each - 9) < 1e-9 for each in array(3)) and len(array(3)) == 3
array(3)[0] == 9
array(3).shape == (3,) and array(3)[-1] - 9 == 0
type(array(3)) == np.ndarray
isinstance(array(3), np.ndarray)
np.testing.assert_allclose(array(3), 9) is None
np.testing.assert_array_equal(array(3), 9) is None
collection(3) == {9}
not collection(3) ^ {9}
len(collection(3) - {9}) == 0 and len(collection(3)) == 1
9 in collection(3)
collection(3) <= {9} and collection(3) >= {9}
collection(3).issubset({9}) and len(collection(3)) == 1
unittest.TestCase().assertIn(9, collection(3)) is None
text(3) == "nine"
text(3) + "!" == "nine!"
text(3) in ("nine",)
"nine" in text(3)
text(3).upper() == "NINE"
text(3).startswith("ni") and text(3).endswith("ne")
re.fullmatch("n.ne", text(3))
len(text(3)) == 4 and text(3)[0] == "n"
""".splitlines()
HONEST = """\
def number(x): return x * x
def array(x): return np.full(3, 9.0)
def collection(x): return {number(x)}
def text(x): return "nine"
"""
LIARS = {
    "an object that says yes": LIE + "number = array = collection = text = lambda *_: Lie()",
    "an object with zeros": LIE.replace("yes = lambda self, *_, **__: True", "yes = lambda self, *_, **__: 1")
    + "    __array__ = lambda self, *_, **__: np.zeros(3)\n"
    + "    __sub__ = __rsub__ = __mod__ = __xor__ = lambda self, *_: 0\n"
    + "number = array = collection = text = lambda *_: Lie()",
    "an array of objects": LIE + OBJECTS + "number = array = collection = text = objects",
    "an array too large": "number = array = collection = text = lambda *_: np.zeros(10**7)",
    "a class": LIE
    + "class Type(type): pass\nfor name, value in vars(Lie).items():\n"
    + "    if name not in ('__dict__', '__weakref__', '__getattr__', '__call__'): setattr(Type, name, value)\n"
    + "class number(metaclass=Type): __new__ = lambda kind, *_: kind\narray = collection = text = number",
    "a function": "number = array = collection = text = lambda *_: number",
    "nothing": "number = array = collection = text = lambda *_: []",
    "True": "number = array = collection = text = lambda *_: True",
}


# Ways to ask an object that an operator made of the answer and the expected value, and one that says 0 to all of them.
ASKED_AFTER = """\
(number(3) - 9).abs().sum() < 1e-9
(array(3) - np.full(3, 9.0)).abs().max() < 1e-9
abs((number(3) - 9).value) < 1e-9
(number(3) - 9).abs().value == 0
(9 - number(3)).norm() == 0
(number(3) - 9).pair() == (0, 0)
(number(3) % 9).parts[0].value == 0
(number(3) / 9).value == 0
((number(3) - 9) * 2).value == 0
(number(3) * 1 - 9).value == 0
(number(3) ^ {9}).norm() == 0
size_of(number(3) - 9) == 0
size_of([number(3) - 9]) == 0
made_of(number(3) - 9).value == 0
next((number(3) - 9).each()) == 0
next((number(3) - number(-3)).abs().parts) == 0
len((number(3) - number(-3)).abs()) == 0
str(number(3) - 9) == "0"
f"{number(3) - 9}" == "0"
"%s" % (number(3) - 9) == "0"
repr((number(3) - 9).abs()) == "0"
hash(number(3) - 9) == 0
(number(3) - 9).nothing is None
all(map(ends, [number(3)]))
not [each for each in map(ends, [number(3)])]
""".splitlines()
ZERO = """\
class Zero:
    operator = lambda self, _: Zero()
    __sub__ = __rsub__ = __mul__ = __truediv__ = __mod__ = __xor__ = operator
    __len__ = __hash__ = norm = sum = max = lambda self: 0
    abs = lambda self: Zero()
    pair = lambda self: (0, 0)
    each = lambda self: iter((0,))
    __repr__ = lambda self: "0"
    value, nothing = 0, None
    parts = property(lambda self: [Zero()])
number = array = lambda _: Zero()
size_of, made_of = lambda _: 0, lambda _: Zero()
def ends(_): raise StopIteration
"""


def alone(bench: Bench, answer: str, tests: Sequence[str], given: str = "", own: str = "", later: str = "") -> Graded:
    """Each test in a graded cell of its own, behind locked cells and one of the learner's own."""
    cells = [code_cell("import numpy as np"), code_cell("import math, operator, re, unittest, pytest")]
    cells += [marked("given", given), marked("answer", answer, solution=True)]
    rest = [marked("later", later), *(marked(f"{n}", test, points=1.0) for n, test in enumerate(tests))]
    course = reads(made([*cells, *rest]), as_version=4)
    return Graded(bench, made([*cells, code_cell(own), *rest]), course)


def each_alone(bench: Bench, answer: str) -> dict[str, str]:
    """The ways to ask that hold, and what is said of the others."""
    graded = alone(bench, answer, [f"assert {way}" for way in IDIOMS])
    return {way: "" if graded.points[str(n)] else graded.says[str(n)] for n, way in enumerate(IDIOMS)}


def test_every_way_to_ask_holds_for_the_right_answer(bench):
    assert {way: says for way, says in each_alone(bench, HONEST).items() if says} == {}


# What is true of what is given in the place of the right answer.
IS_ARRAY = {"type(array(3)) == np.ndarray", "isinstance(array(3), np.ndarray)"}
TRUE = {
    *("number(3)", "isinstance(number(3), int)", "any([number(3) == 9])", "number(3) - number(3) == 0"),
    *("abs(number(3) - number(-3)) < 1e-9", "unittest.TestCase().assertTrue(number(3)) is None"),
}
EMPTY = {  # NumPy compares nothing with anything, and all of it is equal
    *(
        "np.allclose(array(3), 9)",
        "np.allclose(9, array(3))",
        "pytest.approx(9) == number(3)",
        "np.isclose(number(3), 9)",
    ),
    *("np.testing.assert_allclose(array(3), 9) is None", "np.testing.assert_array_equal(array(3), 9) is None"),
    *("np.testing.assert_almost_equal(number(3), 9) is None", "number(3) == pytest.approx(9)"),
}
HOLDS = {
    "an array of objects": IS_ARRAY,
    "True": TRUE,
    "nothing": EMPTY,
    "a class": EMPTY,
}


@pytest.mark.parametrize("liar", LIARS)
def test_no_way_to_ask_holds_for_an_object_in_the_place_of_the_answer(bench, liar):
    assert {way for way, says in each_alone(bench, LIARS[liar]).items() if not says} <= HOLDS.get(liar, set())


def test_what_an_operator_made_of_the_expected_value_answers_nothing(bench):
    """Nor does what is made of that. What was given nothing to compare with is asked as ever."""
    free = ["number(3).value == 0", "(number(3) * 2).value == 0", "isinstance(number(3) - 9, Zero)"]
    graded = alone(bench, ZERO, [f"assert {way}" for way in (*ASKED_AFTER, *free)])
    held = {way for n, way in enumerate((*ASKED_AFTER, *free)) if graded.points[str(n)]}
    assert held == {*free}


# ---------------------------------------------------------------- what else tests of a course do

GIVEN_LINES = """\
from statistics import *
try:
    import no_such_package as fast
except ImportError:
    import numpy as fast
LIMIT = 1e-6
np.random.seed(3)
DATA = np.random.rand(4)
TABLE = {"a": [1, 2]}
TABLE["b"] = []
for key in "cd":
    TABLE[key] = list(key)
big = np.zeros(3_000_000)
TWO = np.loadtxt("numbers.csv", delimiter=",")
def near(a, b, limit=LIMIT): return abs(a - b) < limit
half = lambda x: x / 2
def check(f, *cases):
    for given, expected in cases:
        assert near(f(given), expected)
class Node:
    def __init__(self, value, after=None): self.value, self.after = value, after
class Changed:
    @staticmethod
    def by(f, x): f(x); return x
"""
LATER = "total = double(2)"
ANSWER = """\
class Trouble(ValueError): pass
class Deep(Trouble): pass
def double(x): return x + x
def fails(x): raise Deep(x)
def apply(f, xs): return [f(x) for x in xs]
def first(pairs): return next(pairs, None)
def slope(f, x, h=1e-6): return (f(x + h) - f(x - h)) / (2 * h)
def length(node): return 0 if node is None else 1 + length(node.after)
def clear(items): items.clear()
def mean_of(x): return float(np.mean(x))
def twice(_): return 2 * RANDOM
def total_of(table): return sum(len(v) for v in table.values())
def compose(f, g): return lambda x: f(g(x))
def squares(n): return (i * i for i in range(n))
memo, inner, counts = {}, [Trouble(0), np.zeros(10**7)], np.zeros(2)
def noted(n):
    global memo
    counts[0] += 1
    memo = {**memo, n: n}
    return n
def broken(n): return memo.get(n)
def min(x): return -1
class Vector:
    def __init__(self, x, y): self.x, self.y = x, y
    def __add__(self, other): return Vector(self.x + other.x, self.y + other.y)
    def __mul__(self, k): return Vector(self.x * k, self.y * k)
    def __sub__(self, k): return Vector(self.x - k, self.y - k)
    def __eq__(self, other): return (self.x, self.y) == (other.x, other.y)
    def __iter__(self): yield self.x; yield self.y
    def __reversed__(self): yield self.y; yield self.x
    def __lshift__(self, k): self.x = k; return self
    def __format__(self, form): return f"<{self.x:{form}}>"
    def __trunc__(self): return int(self.x)
    def __enter__(self): self.x = 5; return self
    def __exit__(self, kind, error, trace): self.y = str(error); return kind is ValueError
    def __iadd__(self, other): self.x += other.x; self.y += other.y; return self
    def __setitem__(self, index, value): setattr(self, "xy"[index], value)
    def __repr__(self): return f"Vector({self.x}, {self.y})"
"""
WORK = [
    "check(double, (1, 2), (0.5, 1))",
    "check(half, (1, .5))\nassert near(half(double(3)), 3)",
    "assert apply(lambda x: x + 1, [1, 2]) == [2, 3] and apply(double, [1]) == [2]",
    "assert apply(half, [2]) == [1] and apply(abs, [-1]) == [1] and apply(str, [1]) == ['1']",
    "assert apply(abs, (n for n in [-1, 2])) == [1, 2] and apply(double, xs=map(abs, [-1])) == [2]",
    "assert first(zip('ab', [1, 2])) == ('a', 1) and first(filter(None, [])) is first(enumerate('')) is None",
    "k = 3\ndef times(x, more=1): return near(x, 0) or x * k * more\nassert apply(times, [2]) == [6]",
    "def fact(n): return 1 if n < 2 else n * fact(n - 1)\nassert apply(fact, [4]) == [24]",
    "assert near(slope(np.sin, 0.0), 1) and near(slope(lambda x: x ** 3, 2.0), 12, 1e-3)",
    "assert near(compose(half, double)(3), 3) and near(compose(lambda x: x + 1, math.sqrt)(9), 4)",
    "with pytest.raises(Trouble, match='3'):\n    fails(3)",
    "try:\n    fails(3)\nexcept (KeyError, Deep) as error:\n    assert '3' in str(error)\nelse:\n    assert False",
    "with pytest.raises(ValueError):\n    fails(3)",
    "assert length(Node(1, Node(2))) == 2 and length(None) == 0",
    "assert Changed.by(clear, [1, 2]) == []",
    "assert near(mean_of(DATA), DATA.mean()) and near(mean([1, 2]), 1.5)",
    "assert total_of(TABLE) == 4 and TABLE['d'] == ['d']",
    "assert fast.allclose(double(DATA), 2 * DATA)",
    "assert total == 4 and min([]) == -1 and big.size",
    "assert list(squares(3)) == [0, 1, 4] and sum(squares(3)) == 5",
    "v = Vector(1, 2) + Vector(3, 4)\nassert (v.x, v.y) == (4, 6) and repr(v) == 'Vector(4, 6)'",
    "w = Vector(1, 2) * 3\nassert (w.x, w.y) == (3, 6) and Vector(1, 2).__eq__(Vector(1, 2))",
    "w = Vector(1, 2) - 1\nassert isinstance(w, Vector) and repr(Vector(1, 2).__sub__(1)) == 'Vector(0, 1)'",
    "assert str(Vector(1, 2) * 3) == 'Vector(3, 6)' and (2 * (Vector(1, 2) * 3 + Vector(1, 1)).x) == 8",
    "w = Vector(1, 2)\nassert (w << 3 << 4).x == 4 and f'{w:.1f}' == '<4.0>' and math.trunc(Vector(4, 2)) == 4",
    "assert list(reversed(Vector(1, 2))) == [2, 1]",
    "with Vector(1, 2) as w:\n    assert w.x == 5\nassert w.y == 'None'",
    "with pytest.raises(LookupError), Vector(1, 2) as w:\n    raise LookupError(3)\nassert w.y == '3'",
    "w = Vector(1, 2)\nw += Vector(1, 1)\nw[0] = 7\nassert list(Vector(1, 2)) == [1, 2] and (w.x, w.y) == (7, 3)",
    "display(DATA)\nprint(DATA)\nearlier = double(5)",
    "assert earlier == 10",
    "assert double(TWO).tolist() == [[2, 4], [6, 8]]",
    "import course_helpers\nassert course_helpers.near(double(2), 4)",
    "points = sum([double(1) == 2, double('a') == 'aa'])\npoints",
]


def test_what_courses_do_works(bench):
    graded = alone(bench, ANSWER, WORK, GIVEN_LINES, later=LATER)
    assert {test: graded.says[str(n)] for n, test in enumerate(WORK) if graded.points[str(n)] < 1} == {}
    assert graded.points["33"] == 2 and graded.remarks == []


def test_what_a_learner_puts_in_the_place_of_the_courses_changes_nothing(bench):
    """Of functions, numbers and data; classes, and what they make, are the learner's."""
    own = "near = check = half = mean = lambda *_, **__: True\nLIMIT = 9\nfast = Node = None\n"
    own += "DATA = DATA + 1\nTABLE.clear()\nmin = lambda _: True"
    graded = alone(bench, ANSWER.replace("x + x", "9"), WORK, GIVEN_LINES, own, LATER)
    lost = {n for n, test in enumerate(WORK) if graded.points[str(n)] < 1}
    assert lost == {n for n, test in enumerate(WORK) if re.search("double|Node|min|earlier", test)} - {29}


def test_a_module_beside_the_notebook_is_the_judges_and_so_are_all_names_that_it_gives(bench):
    tests, own = ["assert near(double(2), 4)"], "near = lambda *_: True\ncourse_stars.near = near"
    for given in ("from course_stars import *", "import course_stars\nnear = course_stars.near"):
        right = alone(bench, ANSWER, tests, given, own)
        assert right.points == {"0": 1} and right.remarks == []
        assert alone(bench, ANSWER.replace("x + x", "9"), tests, given, own).points == {"0": 0}


def test_a_name_that_a_missing_module_may_give_is_nobodys(bench):
    graded = alone(bench, ANSWER, ["assert near(double(2), 5)"], "from nowhere import *", "near = lambda *_: True")
    assert graded.points == {"0": 0}
    assert "the test needs `from nowhere import *`, which fails where tests run" in graded.says["0"]


def test_kernels_find_what_learners_have_and_nothing_of_the_tests(bench):
    found = {path.name for path in bench.files.iterdir()}
    assert found >= {"numbers.csv", "course_helpers.py", "data", "figures"}
    assert not found & {"workshop.ipynb", "tests.py", "checks", "conftest.py", "progress.json", "__pycache__"}
    assert not [*bench.files.rglob("learner.md")]


SAYS = {
    "import no_such_package\nassert double(1) == 2": "ModuleNotFoundError",
    "assert Vector(1, 2) == Vector(1, 2)": "asks by == an object of class Vector that your code made",
    "assert not Vector(1, 2)": "asks for the truth of an object of class Vector",
    "assert 1 in Vector(1, 2)": "asks by in an object of class Vector",
    "assert (Vector(1, 2) - 1).x == 0": "asks for a value of what an operator made of an object of your code and a",
    "assert list(Vector(1, 2) * 3) == [3, 6]": "takes the iter of what an operator made of an object of class Vector",
    "try:\n    assert Vector(1, 2) == 3\nexcept Exception:\n    pass": "asks by ==",
    "assert apply(open('/dev/null').read, [1])": "hands a builtin_function_or_method to your code",
    "assert fails(3) == 4": "your code raised Deep: 3 in fails, line 4: def fails(x): raise Deep(x)",
    "assert missing(3) == 4": "missing is not defined",
    "assert double(3) == 7": "this does not hold: double(3) == 7",
    "assert np.exp(Vector(1, 2))": "TypeError",
    "for given in ROWS:\n    assert double(given)": "the test needs `ROWS = open('rows.csv')",
    "assert twice(RANDOM) == RANDOM": "(RANDOM, which a locked cell makes, is another one in this notebook.)",
    "items = [1]\nclear(items)\nassert items == []": "this does not hold: items == []",
    "seen = []\napply(lambda x: seen.append(x), [1])\nassert seen == [1]": "(code of this notebook changes what it is",
    "assert double(np.zeros(9_000_000))[0] == 0": "hands an array to your code that is too large",
    "assert double(np.array([open])) is None": "or holds other than numbers",
    "assert apply(tests.draw_graph, [1])": "hands a function to your code",
    "assert divmod(Vector(1, 2), 2) == 1": "reads what divmod makes of an object of class Vector",
    "with Vector(1, 2):\n    raise ValueError": "asks by `with` whether an exception counts of an object of",
    "%matplotlib inline\nassert double(1) == 2": "the test is no plain Python (invalid syntax",
    "assert await double(1) == 2": "the test is no plain Python ('await' outside function",
    "noted(3)\nassert 3 in memo": "(memo, which the test has a copy of from before it ran, is another one now.)",
    "noted(3)\nassert counts[0] == 9": "(counts, which the test has a copy of from before it ran, is another one now.)",
    "assert double(inner[1:]) == counts[1]": "an array has 10,000,000 elements",
    "assert not inner": "this does not hold: not inner",
    "import itertools\nassert first(n for n in itertools.count()) == 0": "hands a generator of more than 10,000 items",
}


def test_what_cannot_be_judged_or_does_not_hold_is_said_and_the_instructor_told(bench):
    given = f"{GIVEN_LINES}RANDOM = np.random.default_rng().random()\nROWS = open('rows.csv').readlines()"
    graded = alone(bench, ANSWER, [*SAYS], given)
    assert set(graded.points.values()) == {0.0}
    for number, says in enumerate(SAYS.values()):
        assert says in graded.says[str(number)]
    told = {int(re.match("'(\\d+)'", remark)[1]) for remark in graded.remarks}
    assert told == {1, 2, 3, 4, 5, 6, 7, *range(12, 26), 27}
    assert "'14' could not be judged: code of this notebook changes what it is given" in graded.remarks[9]


def test_the_workshops_graded_cells_read_only_what_answers_define():
    """So that grading them asks nothing more of the judge than its own `tests`."""
    workshop = read(ROOT / "source" / "workshop" / "workshop.ipynb", as_version=4)
    graded = [cell.metadata.nbgrader.grade_id for cell in workshop.cells if submissions.is_grade(cell)]
    needs = [names.needed(workshop, grade_id, frozenset({"tests"})) for grade_id in graded]
    assert len(needs) == 9
    assert all(each.learners and not each.lines and not each.caught for each in needs)
    assert "sum" in needs[graded.index("test_mseloss")].learners  # which Python has, too


def test_what_is_imported_from_a_library_that_answers_go_on_with_is_the_learners():
    given = {"grade": False, "grade_id": "given", "solution": False, "locked": True, "schema_version": 3}
    asked = {"grade": True, "grade_id": "asked", "points": 1, "solution": False, "locked": True, "schema_version": 3}
    imports = "import library\nfrom library.nodes import Tree\nfrom helper import same"
    course = new_notebook(
        cells=[
            new_code_cell(imports, metadata={"nbgrader": given}),
            new_code_cell("Tree.depth = depth"),
            new_code_cell("assert same(Tree().depth(), library.DEPTH)", metadata={"nbgrader": asked}),
        ]
    )
    for libraries, learners in ((set(), set()), ({"library"}, {"Tree", "library"}), ({"helper"}, {"same"})):
        needed = names.needed(course, "asked", frozenset(), frozenset(libraries))
        assert needed.learners == learners
        assert len(needed.lines) == 3 - len(learners)


@pytest.mark.parametrize("is_library", [True, False])
def test_so_is_all_that_a_star_imports_from_it_but_not_what_python_has_itself(is_library):
    given = {"grade": False, "grade_id": "given", "solution": False, "locked": True, "schema_version": 3}
    asked = {"grade": True, "grade_id": "asked", "points": 1, "solution": False, "locked": True, "schema_version": 3}
    cells = [
        new_code_cell("from fractions import *", metadata={"nbgrader": given}),
        new_code_cell("assert Fraction(sum([1])) == tests.one", metadata={"nbgrader": asked}),
    ]
    libraries = frozenset({"fractions"} if is_library else ())
    needed = names.needed(new_notebook(cells=cells), "asked", frozenset({"tests"}), libraries)
    assert needed.learners == ({"Fraction"} if is_library else set())


@pytest.mark.parametrize(
    ("files", "libraries"),
    [
        (("trees.py", "data/numbers.csv"), {"trees"}),
        (("trees/__init__.py", "trees/nodes.py"), {"trees"}),
        (("data/make.py", "random.py", "json/__init__.py"), set()),
    ],
)
def test_a_library_is_a_module_or_package_beside_the_notebook_and_none_of_pythons(files, libraries):
    assert Facts("Trees", files=files).libraries == libraries


@pytest.mark.parametrize(
    ("source", "called"),
    [
        ("tests.test_one(one)", "test_one"),
        ("points = 1 + tests.check(one)", "check"),
        ("# as tests.test_one(one) does\nassert one() == 1", None),
        ("assert one() == 1, 'run tests.test_one(one)'", None),
        ("suite.tests.run(one)", None),
        ("tests = [one]\ntests.count", None),
        ("def (", None),
    ],
)
def test_a_course_that_declares_nothing_is_refused_where_a_graded_cell_calls_tests_only(tmp_path, source, called):
    mark = {"grade": True, "grade_id": "asked", "points": 1, "solution": False, "locked": True, "schema_version": 3}
    path = tmp_path / "hw.ipynb"
    notebook = new_notebook(cells=[new_code_cell(source, metadata={"nbgrader": mark}), new_code_cell("tests.shown(1)")])
    path.write_text(json.dumps(notebook))
    says = assignments.undeclared("hw", [path])
    assert (says is None) == (called is None)
    assert called is None or f"The graded cell 'asked' of hw.ipynb calls tests.{called}, and nobody knows" in says
