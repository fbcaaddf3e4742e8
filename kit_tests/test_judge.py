"""The judge's hands: objects in a jailed kernel behave as objects here, and no answer is taken for granted."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import math
import os
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
import types
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import jailed
import numpy as np
import pytest
from answers import names_for, solved, solved_texts
from course import wait_for
from jailed import Kernel
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

import tests
from checks import section
from checks.assignment import Assignment
from checks.observe import (
    Failed,
    Missing,
    OutOfTime,
    Printed,
    UsedTorch,
    class_name,
    elsewhere,
    explain,
    learner_code,
    text_of,
)
from checks.section import Section
from grading import assignments, jail, kernels, processes, remote
from grading.assignments import load_tests
from grading.budget import Budget, limited_memory
from grading.execute import Settings
from grading.judge import Judge, Verdict
from grading.kernel import wire
from grading.processes import ProcessorClock
from grading.remote import Connection
from workshop.reading import array_of, compare, is_bare

LARGEST = 1 << 20


def load(kernel: Kernel, code: str, *names: str):
    """Run code in the kernel and get what names stand for: one object, or a list of them."""
    kernel.load([("<cell>", f"import numpy as np\n{code}")])
    found = kernel.names(list(names))
    return found[names[0]] if len(names) == 1 else [found[name] for name in names]


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 0, -7, 2**70, 1.5, math.inf, "text ∂ \x1b[0m", "", [1, [2.5, None]], (1, ("a",)), {"a": [1]}),
        *(np.arange(6).reshape(2, 3), np.zeros((0, 3)), np.array(1.5), np.ones((2, 2), np.float32) * 0.1),
        *(
            np.arange(4)[::-2],
            np.array([True, False]),
            np.array([1 + 2j]),
            np.float32(0.1),
            np.int64(3),
            slice(1, None),
        ),
        *(
            np.float32,
            np.dtype(np.float64),
            1 - 2j,
            b"\xff\x00",
            range(3, 9, 2),
            Counter("aab"),
            np.array(["a", "bcd"]),
        ),
        *({1, (2, "a"), None}, frozenset([1.5]), {(1, 2): {"a", "b"}}, set(), np.array([["é"]])),
    ],
    ids=lambda value: type(value).__name__,  # a set is written in another order in each process
)
def test_values_cross_unchanged(kernel, value):
    back = load(kernel, "def back(value): return value", "back")(value)
    if isinstance(value, np.ndarray):
        assert isinstance(back, np.ndarray) and back.dtype == value.dtype
        np.testing.assert_array_equal(back, value)
    else:
        assert back == value
        assert type(back) is type(value)


def test_nan_crosses(kernel):
    assert math.isnan(load(kernel, "nan = float('nan')", "nan"))


def test_an_iterator_over_a_list_is_handed_over(kernel):
    total = load(kernel, "def total(numbers): return sum(numbers) + sum(numbers)", "total")
    assert total(iter([1, 2, 3])) == 6


def test_arrays_that_hold_no_numbers_come_as_their_shape(kernel):
    things, words = load(kernel, "things, words = np.array([None, 'a']), np.array(['a', 'b'])", "things", "words")
    for array in (things, words):
        assert array.shape == (2,)
        with pytest.raises(Failed, match="not numbers"):
            array_of(array, "a")


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ("np.broadcast_to(np.float64(1), (10**6, 10**6))", "has 1,000,000,000,000 elements: up to 1,000,000 are read"),
        ("np.broadcast_to(np.float64(1), (1000, 1001))", "has 1,001,000 elements"),
        ("np.zeros((10**8, 0))", "has 100,000,000 rows without elements"),
        ("np.zeros((1001, 0, 1000))", "has 1,001,000 rows without elements"),
        ("np.broadcast_to(np.array(None), (1000, 1001))", "has 1,001,000 elements"),
    ],
)
def test_of_arrays_with_too_many_elements_or_rows_only_the_shape_crosses(kernel, made, says):
    wide, tensor = load(kernel, f"wide = {made}\nclass T: data = wide\nt = T()", "wide", "t")
    assert wide.shape == eval(made, {"np": np}).shape
    assert is_bare(wide) and not is_bare(tensor)
    for where in (wide, tensor, eval(made, {"np": np})):
        with pytest.raises(Failed, match=f"^a {says}"):
            array_of(where, "a")


@pytest.mark.parametrize("made", ["np.ones((1000, 1000))", "np.zeros((1000, 0, 1000))", "np.zeros((0, 10**6))"])
def test_arrays_with_as_many_elements_or_rows_as_are_read_cross(kernel, made):
    wide = array_of(load(kernel, f"wide = {made}", "wide"), "a")
    np.testing.assert_array_equal(wide, eval(made, {"np": np}))


def test_an_array_with_many_axes_is_shown_by_its_first_and_last_numbers():
    """NumPy leaves nothing out of a short axis: it would write half a million numbers."""
    assert text_of(np.zeros((2,) * 19)).startswith("array([0., 0., 0., ..., 0., 0., 0.]")
    with pytest.raises(Failed) as raised:
        compare("a", np.ones((2,) * 19), np.zeros((2,) * 19))
    assert len(raised.value.got) < 500


def test_integers_cross_as_far_as_python_prints_them_and_larger_ones_stay(kernel):
    """Also as keys; what is derived from int, and a range, are no larger."""
    code = "class Int(int): pass\ndef power(n): return 2**n - 1\ndef key(n): return {power(n): -power(n)}\n"
    code += "def derived(n): return Int(power(n))\ndef bounds(n): return range(power(n), power(n) + 2)"
    power, key, derived, bounds = load(kernel, code, "power", "key", "derived", "bounds")
    assert power(14_000) == derived(14_000) == 2**14_000 - 1 and len(str(power(14_000))) == 4215
    assert key(14_000) == {2**14_000 - 1: 1 - 2**14_000} and list(bounds(1000)) == [2**1000 - 1, 2**1000]
    for large in (power(14_001), key(14_001), derived(14_001), bounds(14_001)):
        assert issubclass(type(large), remote.Remote)
    assert power(3) == 7


def test_a_number_derived_from_int_is_a_number(kernel):
    assert load(kernel, "class N(int):\n    __eq__ = lambda *_: True\nn = N(3)", "n") == 3


# ---------------------------------------------------------------- objects

POINT = """
class Point:
    made = 0

    def __init__(self, x=0):
        self.x, self.log = x, []
        self.array = np.zeros(2)

    def __add__(self, other):
        return Point(self.x + (other.x if isinstance(other, Point) else other))

    def __rsub__(self, other):
        return ("rsub", other)

    def __neg__(self):
        return Point(-self.x)

    def __getitem__(self, index):
        return index

    def me(self):
        return self

    def parts(self):
        yield self
        yield 2

    def __repr__(self):
        return f"Point({self.x})"
"""


def test_operations_run_where_the_object_is(kernel):
    Point = load(kernel, POINT, "Point")
    p = Point(3)
    assert (p + Point(4)).x == 7
    assert (p + 1).x == 4
    assert p.__rsub__(5) == ("rsub", 5)
    assert (-p).x == -3
    assert p[1:2, 0] == (slice(1, 2), 0)
    assert repr(p) == "Point(3)"
    p.x = 9
    assert p.x == 9
    p.method = Point
    assert p.method(2).x == 2
    with pytest.raises(TypeError, match="unsupported operand"):
        p * 2


def test_one_object_has_one_proxy_and_its_class_the_same_name(kernel):
    Point = load(kernel, POINT, "Point")
    p = Point()
    assert p.me() is p
    assert p.me() is not Point()
    assert [found is p for found in p.parts()] == [True, False]
    assert class_name(p) == "Point"
    p.log = [p, 1]
    assert p.log[0] is p


def test_dropped_proxies_free_their_objects(kernel):
    code = f"{POINT}\nimport weakref, gc\nalive = weakref.WeakSet()\nmake = lambda: (alive.add(p := Point()), p)[1]\n"
    make, count = load(kernel, f"{code}count = lambda: (gc.collect(), len(alive))[1]", "make", "count")
    for _ in range(50):
        make().me()
    assert count() <= 1
    kept = [make() for _ in range(5)]
    assert count() >= 5
    del kept


def test_writing_into_an_array_writes_into_the_kernels(kernel):
    p = load(kernel, f"{POINT}\np = Point()", "p")
    p.array[0] = 9.5
    assert p.array.tolist() == [9.5, 0]
    assert is_bare(p.array)
    copy = p.array + 1
    copy[0] = 0
    assert p.array[0] == 9.5


def test_a_read_only_array_stays_one(kernel):
    fixed = load(kernel, "fixed = np.broadcast_to(1.0, (2,))", "fixed")
    assert not fixed.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        fixed[0] = 2


def test_a_tensor_built_on_an_array_is_not_bare(kernel):
    code = "class T(np.ndarray):\n    def backward(self): pass\n    data = property(lambda self: np.asarray(self))\n"
    t = load(kernel, f"{code}t = np.zeros(2).view(T)", "t")
    assert not is_bare(t)
    compare("t", np.zeros(2), t)


def test_the_code_of_a_check_runs_in_the_kernel_as_one_request(kernel):
    from grading.remote import execute

    Point = load(kernel, POINT, "Point")
    variables = {"Point": Point, "np": np, "steps": np.arange(100)}
    before = kernel.connection.requests
    execute("p = q = Point(1)\nfor n in steps:\n    p = p + q\np.last = 3", variables)
    assert kernel.connection.requests - before == 1
    assert variables["p"].x == 101
    assert variables["p"].last == 3
    assert variables["n"] == 99


def test_an_exception_in_a_checks_code_tells_its_line(kernel):
    from checks.observe import line_of
    from grading.remote import execute

    Point = load(kernel, POINT, "Point")
    with pytest.raises(TypeError) as raised:
        execute("p = Point(1)\n\nfor n in range(3):\n    p = p + 1\n    p = p * 2", {"Point": Point})
    assert line_of(raised.value) == 5


# ---------------------------------------------------------------- exceptions


@pytest.mark.parametrize(
    ("raising", "kind", "message"),
    [
        ("1 / 0", ZeroDivisionError, "division by zero"),
        ("[][1]", IndexError, "list index"),
        ("{}['a']", KeyError, "'a'"),
        ("np.zeros(2) + np.zeros(3)", ValueError, "broadcast"),
        ("np.linalg.inv(np.zeros((2, 2)))", ValueError, "Singular"),
        ("b'\\xff'.decode()", ValueError, "invalid start byte"),
        ("(_ for _ in ()).throw(SystemExit(3))", Exception, "3"),
        ("(_ for _ in ()).throw(KeyboardInterrupt(4))", Exception, "4"),
        ("f()", RecursionError, "recursion"),
        ("None.x", AttributeError, "has no attribute 'x'"),
    ],
)
def test_exceptions_come_as_exceptions_of_the_same_built_in_kind(kernel, raising, kind, message):
    f = load(kernel, f"def f():\n    return {raising}", "f")
    with pytest.raises(kind, match=message):
        f()
    f = load(kernel, "def f():\n    return 3", "f")
    assert f() == 3


def test_only_next_ends_an_iteration(kernel):
    """Else `all(map(f, xs))` and `zip(map(f, xs), ys)` end where f says so, and hold."""
    code = "class Done(StopIteration): pass\ndef f(_): raise StopIteration\ndef g(_): raise Done\n"
    code += "def numbers(): yield 1"
    f, g, numbers = load(kernel, code, "f", "g", "numbers")
    for ends in (f, g):
        with pytest.raises(RuntimeError):
            all(map(ends, [1]))
    assert list(numbers()) == [1]


def test_a_report_shows_the_learners_function_line_and_class(kernel):
    code = (
        "class Strange(Exception): pass\n\n\ndef inner(x):\n    raise Strange(f'not {x}')\n\n\ndef f(x):\n    inner(x)"
    )
    f = load(kernel, code, "f")
    try:
        f(3)
    except Exception as error:
        verdict = explain(error)
    assert str(verdict).split("\n")[0] == "your code raised Strange: not 3"
    assert "in inner, line 6" in str(verdict)


@pytest.mark.parametrize(
    "told", [None, 3, {}, {"kinds": 3}, {"kinds": [[], {}], "name": [], "message": {}, "frames": 7}]
)
@pytest.mark.parametrize(
    "frames", [[["f", 1, "learner", "x"]], [[]], [["f", -1, "check", "x"], ["f", 2.5, False, 3], 7]]
)
def test_a_forged_exception_is_some_exception(told, frames):
    connection = Connection(types.SimpleNamespace(kill=lambda: None), 1, 1, 1)
    if isinstance(told, dict) and "kinds" in told:
        told = {**told, "frames": frames}
    assert isinstance(connection._error(told, "call"), Exception)


@pytest.mark.parametrize(
    "code",
    [
        "import torch\n\ndef f():\n    torch.ones(2)",
        "import torch as t\n\ndef f():\n    t.Tensor([1, 2])",
        "def f():\n    from torch import nn\n    nn.Linear(3, 2)",
        "from torch.nn import Linear\n\ndef f():\n    Linear(3, 2)",
        "import torch.nn.functional as F\n\ndef f():\n    F.relu(1)",
        "import torchvision\n\ndef f():\n    torchvision.datasets.MNIST('data')",
    ],
)
def test_pytorch_can_be_imported_and_whatever_is_done_with_it_says_to_build_it(kernel, code):
    f = load(kernel, code, "f")
    with pytest.raises(UsedTorch, match="build it with NumPy"):
        f()


def test_an_import_of_pytorch_disturbs_no_other_library(kernel):
    code = "import torch, torch.nn as nn, torchvision.transforms\nfrom torch.optim import SGD\ntorch.__version__\n"
    code += "from matplotlib import pyplot\npyplot.plot(np.ones(3))\npyplot.close()\nn = 3"
    assert load(kernel, code, "n") == 3


def test_warnings_and_floating_point_errors_are_no_exceptions_as_in_a_notebook(kernel):
    code = "import warnings\nwarnings.simplefilter('error')\nnp.seterr(all='raise')\n"
    code += "def f():\n    warnings.warn('careful')\n    return np.ones(1) / np.zeros(1)"
    assert load(kernel, code, "f")() == np.inf


def test_an_exception_that_cannot_be_shown_is_one(kernel):
    code = "class Bad(Exception):\n    def __str__(self):\n        while True: pass\ndef f():\n    raise Bad\n"
    f, g = load(kernel, f"{code}class Liar:\n    __class__ = property(lambda self: 1 / 0)\ng = Liar", "f", "g")
    with pytest.raises(Exception, match="cannot be shown"):
        f()
    with pytest.raises(ZeroDivisionError):
        g()


# ---------------------------------------------------------------- limits

SLOW = """
import os, signal, time
def work(seconds):
    ends = time.process_time() + seconds
    while time.process_time() < ends:
        pass
    return 7
def one(): return 1
"""


def test_a_deadline_of_the_check_ends_the_request_and_the_kernel_goes_on(kernel):
    work, one = load(kernel, SLOW, "work", "one")
    for _ in range(3):
        with pytest.raises(OutOfTime), learner_code(0.3):
            work(60)
        assert one() == 1


def test_a_kernel_that_the_machine_lets_wait_has_its_time_all_the_same(kernel):
    work = load(kernel, SLOW, "work")
    os.kill(kernel.kernel.pid, signal.SIGSTOP)
    goes_on = threading.Timer(1.5, os.kill, (kernel.kernel.pid, signal.SIGCONT))
    goes_on.start()
    with learner_code(1.0):
        assert work(0.1) == 7
    goes_on.join()


def test_a_kernel_that_sleeps_is_ended_when_a_multiple_of_its_time_has_passed(kernel):
    nap = load(kernel, f"{SLOW}def nap(seconds): time.sleep(seconds)", "nap")
    with learner_code(1.0):
        nap(1.2)
    with pytest.raises(OutOfTime), learner_code(0.1):
        nap(120)


def test_a_deadline_that_passes_where_no_exception_can_leave_passes_again_and_says_nothing(capfd, monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", sys.__unraisablehook__)  # pytest has one of its own
    rung = []

    def work(seconds):
        begun = time.thread_time()
        while time.thread_time() - begun < seconds:
            pass

    class Slow:
        def __del__(self):
            try:
                work(5)
            except OutOfTime:
                rung.append(True)
                raise  # which the interpreter drops, as it does in a weak reference's callback

    with pytest.raises(OutOfTime), learner_code(0.1):
        slow = Slow()
        del slow
        work(5)
    assert rung
    assert capfd.readouterr() == ("", "")
    assert sys.unraisablehook is sys.__unraisablehook__


DEAF = {
    "ignores its alarm": "signal.signal(signal.SIGALRM, signal.SIG_IGN)",
    "takes its alarm off": "signal.setitimer(signal.ITIMER_REAL, 0)",
    "puts its alarm off": "signal.setitimer(signal.ITIMER_REAL, 1000)",
    "handles its alarm": "signal.signal(signal.SIGALRM, lambda *_: None)",
    "masks its alarm": "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])",
    "sets its clocks": "time.process_time = time.monotonic = iter(range(10**9)).__next__",
}


@pytest.mark.parametrize("trick", DEAF)
def test_an_answer_after_its_time_is_none_though_the_kernel(trick):
    kernel = Kernel()
    code = f"""
clock = time.CLOCK_PROCESS_CPUTIME_ID
def late():
    ends = time.clock_gettime(clock) + 1
    {DEAF[trick]}
    while time.clock_gettime(clock) < ends:
        pass
    return 7
"""
    late, one = load(kernel, SLOW + code, "late", "one")
    with pytest.raises(OutOfTime), learner_code(0.3):
        late()
    assert one() == 1
    kernel.close()


@pytest.mark.parametrize("lost", [False, True])
def test_time_that_is_used_in_another_process_counts(kernel, lost):
    code = """
def away(seconds, lost):
    read, write = os.pipe()
    child = os.fork()
    if not child:
        if not lost or not os.fork():
            os.write(write, bytes([work(seconds)]))
        os._exit(0)
    if lost:
        os.waitpid(child, 0)
    return os.read(read, 1)[0]
"""
    away = load(kernel, SLOW + code, "away")
    with learner_code(2.0):
        assert away(0.2, lost) == 7
    with pytest.raises(OutOfTime), learner_code(0.3):
        away(1.2, lost)


def test_time_that_many_short_processes_use_counts_when_they_are_waited_for(kernel):
    code = """
def many(count):
    for _ in range(count):
        child = os.fork()
        if not child:
            work(0.02)
            os._exit(0)
        os.waitpid(child, 0)
    return 7
"""
    many = load(kernel, SLOW + code, "many")
    with pytest.raises(OutOfTime), learner_code(0.4):
        many(250)


def test_code_that_does_not_stop_loses_its_kernel_and_says_so(monkeypatch):
    monkeypatch.setattr(remote, "GRACE", 0.5)
    kernel = Kernel()
    code = """
def deaf():
    while True:
        try:
            work(60)
        except BaseException:
            pass
"""
    deaf = load(kernel, SLOW + code, "deaf")
    with pytest.raises(Failed, match="did not stop"), elsewhere(), learner_code(0.5):  # as the judge does
        deaf()
    with pytest.raises(Failed, match="did not stop"):
        deaf()
    assert kernel.kernel.process.poll() is not None
    kernel.close()


def test_time_that_is_over_has_the_same_verdicts_and_words_here_and_through_the_judge(kernel, monkeypatch):
    """Here it is the section's, there the cell's."""
    loops, tensor = ("result = self.__data**power", "while True: pass"), tests.TENSOR
    kernel.load(solved_texts(loops))
    names = kernel.names(["MyTensor"])
    monkeypatch.setattr(kernel.connection, "cell_left", 1.0)
    with monkeypatch.context() as judged:  # as the judge runs a check's code
        judged.setattr(tests.ASSIGNMENT, "execute", remote.execute)
        there = tensor.run(names, 1)
    monkeypatch.setattr(section, "SECTION_SECONDS", 1.0)
    here = tensor.run(names_for(tensor, solved(loops)), 1)
    assert [(check.id, check.status, check.got) for check in there.checks] == [
        (check.id, check.status, check.got) for check in here.checks
    ]
    assert {check.status for check in here.checks} == {"passed", "failed", "waiting"}


@pytest.mark.parametrize("copied", [True, False])
def test_a_kernel_that_ends_says_so(copied, monkeypatch):
    """At once, also where it is no copy of the zygote."""
    if not copied:
        monkeypatch.setattr(jailed, "zygote", lambda: None)
    kernel = Kernel()
    end = load(kernel, "import os\ndef end(): os._exit(1)", "end")
    with pytest.raises(Failed, match="has ended"):
        end()
    assert not kernel.kernel.is_lost
    kernel.close()


@pytest.mark.parametrize("victim", ["pid", "init"])
@pytest.mark.parametrize("copied", [True, False])
def test_a_kernel_that_was_killed_from_outside_is_known_from_one_that_ends(copied, victim, monkeypatch):
    """It alone, or its jail."""
    if not copied:
        monkeypatch.setattr(jailed, "zygote", lambda: None)
    kernel = Kernel()
    one = load(kernel, "def one(): return 1", "one")
    os.kill(getattr(kernel.kernel, victim), signal.SIGKILL)
    wait_for(lambda: kernel.kernel.has_ended())
    with pytest.raises(Failed, match="has ended"):
        one()
    assert kernel.kernel.is_lost
    kernel.close()


@pytest.mark.parametrize(
    "end",
    [
        "[os.close(each) for each in range(3, 60) if is_open(each)]",
        "os.kill(os.getpid(), signal.SIGTERM)",
        "os.abort()",
        "ctypes.CDLL(None).prctl(22, 2, program(0x80000000))",
    ],
)
def test_a_kernel_that_ends_itself_was_not_killed_from_outside(end, monkeypatch):
    """By signals, by a filter of its own, or as good as that, by closing what the judge listens to."""
    monkeypatch.setattr(processes, "END_SECONDS", 0.5)
    kernel = Kernel()
    code = f"""
import ctypes, os, signal, struct
def program(answer):
    kept.append(ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, answer)))
    kept.append(ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 1, ctypes.addressof(kept[0]))))
    return kept[1]
kept = []
def is_open(number):
    return os.path.exists(f"/proc/self/fd/{{number}}")
def end(): {end}
"""
    end = load(kernel, code, "end")
    with pytest.raises(Failed, match="has ended"):
        end()
    assert not kernel.kernel.is_lost
    kernel.close()


def test_a_kernel_that_ends_before_it_is_told_what_to_run_leaves_nothing(monkeypatch, tmp_path):
    def hangs_up(*_):
        raise BrokenPipeError

    made = []
    monkeypatch.setattr(processes.Channel, "send", hangs_up)
    monkeypatch.setattr(processes.Jailed, "_told", lambda process, _: made.append(process) or {})
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(BrokenPipeError):
        kernels.JailedKernel(jail.probe(), jail.Limits(), tmp_path)
    assert made[0].process.poll() is not None and not [*tmp_path.iterdir()]


def test_requests_are_counted(kernel):
    one = load(kernel, "def one(): return 1", "one")
    before = kernel.connection.most
    kernel.connection.most = kernel.connection.requests + 3
    kernel.connection.kernel, real = stand_in(kernel.kernel.channel), kernel.kernel
    try:
        with pytest.raises(Failed, match="more than"):
            for _ in range(10):
                one()
    finally:
        kernel.connection.kernel, kernel.connection.most, kernel.connection.gone = real, before, None


def test_too_many_objects_at_once_are_an_exception_of_the_one_request(kernel):
    many, one = load(
        kernel, "class A: pass\ndef many(): return [A() for _ in range(2001)]\ndef one(): return 1", "many", "one"
    )
    with pytest.raises(Exception, match="more than 2,000 objects"):
        many()
    assert one() == 1


def judged_in(
    kernel: Kernel, code: str | list[tuple[str, str]], source: str, seconds: float, *before: NotebookNode
) -> tuple[Verdict, Judge]:
    """The verdict on a graded cell over what code defines, and the judge, who has so much time of its own.

    `before` are the course's cells before it.
    """
    kernel.load([("<cell>", code)] if isinstance(code, str) else code)
    mark = {"grade_id": "test", "grade": True, "points": 1000}
    cell = new_code_cell(source, metadata={"nbgrader": mark})
    course = new_notebook(cells=[*before, cell])
    judge = Judge(kernel.kernel, tests, kernel.listen, Settings(), Budget(seconds), course, None)
    try:
        return judge.verdict(cell, None), judge
    finally:
        kernel.serving = False


def test_a_name_of_pythons_is_the_learners_and_a_test_that_can_does_without_where_there_is_none(kernel):
    asked = "tests.test_mseloss(MSELoss, MyTensor, sum)"
    answer = new_code_cell("def sum(x): ...", metadata={"nbgrader": {"grade_id": "loss", "solution": True}})
    solution = solved_texts(("return sum(difference", "return whole(difference"))
    lossy = "def sum(x, axis=None): return whole(x) if axis is None else MyTensor(x.data.sum(axis))"
    worth = tests.LOSS.points
    for after, source, points in (
        ("whole = sum", asked, worth),
        (f"whole = sum\n{lossy}", asked, worth - 0.5),
        ("whole = sum\ndel sum", asked, worth),
        ("del sum", "assert sum([1, 2]) == 3", 0),
    ):
        verdict, _ = judged_in(kernel, [*solution, ("<cell>", after)], source, 30, answer)
        assert verdict.points == points, (after, verdict.says)
    assert verdict.says == "sum is not defined: the cell for it did not run to its end."


LOUD = """\
import server
import torch
def late(): raise server.OutOfTime
def wrong(): raise ValueError
def ends(): raise SystemExit
def asks(): return torch.ones(2)
class Loud:
    def __init__(self, does): self.does = does
    def __str__(self): return self.does()
    __repr__ = __str__
"""


@pytest.mark.parametrize("does", ["late", "wrong", "ends", "asks"])
@pytest.mark.parametrize(
    ("test", "says"),
    [
        ("assert isinstance(y, int), y", "The test failed: (it cannot be shown)."),
        ("{}[y]", "Not graded: the test failed on what your code computed: KeyError: (it cannot be shown)."),
    ],
)
def test_a_learners_text_that_raises_is_a_message_that_cannot_be_shown(kernel, does, test, says):
    verdict, judge = judged_in(kernel, LOUD, f"y = Loud({does})\n{test}", 30)
    assert (verdict, judge.remarks) == (Verdict(0.0, says), [])


@pytest.mark.parametrize(
    ("test", "says"),
    [
        ("import sys\nsys.exit('no')", "The test failed: SystemExit: no."),
        ("import sys\nsys.exit(f())", "The test failed: SystemExit: 3."),
        ("import pytest\nwith pytest.raises(ValueError):\n    f()", "The test failed: Failed: DID NOT RAISE"),
        ("import pytest\npytest.skip('later')", "The test failed: Skipped: later."),
        ("raise GeneratorExit", "The test failed: GeneratorExit."),
    ],
)
def test_whatever_ends_a_test_is_its_verdict_and_never_the_judges_end(kernel, test, says):
    verdict, _ = judged_in(kernel, "def f(): return 3", test, 30)
    assert verdict.points == 0 and verdict.says.startswith(says)


def test_who_stops_the_judge_stops_it(kernel):
    with pytest.raises(KeyboardInterrupt):
        judged_in(kernel, "", "raise KeyboardInterrupt", 30)


def burn(seconds: float) -> None:
    ends = time.thread_time() + seconds
    while time.thread_time() < ends:
        pass


@pytest.mark.parametrize("cell", ["while True: pass", "while True: one()"])
def test_the_judges_own_time_on_a_cell_ends(kernel, cell, monkeypatch):
    monkeypatch.setattr("grading.judge.GRACE", 0.2)
    verdict, judge = judged_in(kernel, "def one(): return 1", cell, 0.3)
    assert (verdict.points, verdict.says) == (0, "Not graded: the time was over.")
    assert "more than 0.3 seconds of its own" in judge.remarks[0]
    again = judge.verdict(judge.course.cells[0], None)
    assert (again.points, len(judge.remarks)) == (0, 1)
    verdict, judge = judged_in(kernel, "def one(): return 1", "one()", 30)
    assert (verdict.points, judge.remarks) == (1, [])


def test_when_the_judges_own_time_ends_what_was_judged_by_then_counts(kernel, monkeypatch):
    load_tests("workshop")
    checks = [*tests.MODULE.checks]
    slow = checks[len(checks) // 2]

    def run(trial):
        burn(1.0)
        slow.run(trial)

    checks[len(checks) // 2] = dataclasses.replace(slow, run=run)
    monkeypatch.setattr(tests.MODULE, "checks", checks)
    verdict, _ = judged_in(kernel, solved_texts(), "tests.test_my_module(MyModule, MyTensor, Parameter)", 0.9)
    status = [check.status for check in verdict.report.checks]
    assert status[: len(checks) // 2] == ["passed"] * (len(checks) // 2)
    assert status[-1] == "waiting" and 0 < verdict.points < tests.MODULE.points


def test_time_that_a_kernel_takes_to_say_that_a_cell_is_done_is_the_submissions():
    kernel = Kernel()
    slow = "import server\nserve = server.Server._serve\n"
    slow += "server.Server._serve = lambda self, names: (serve(self, names), work(0.5), self.channel.send({}, []))\n"
    slow += "send = server.wire.Channel.send\n"
    slow += "server.wire.Channel.send = lambda self, said, blobs: said == {'value': None} or send(self, said, blobs)"
    one = load(kernel, f"{SLOW}{slow}", "one")
    assert one() == 1
    before = kernel.connection.left
    kernel.connection.done()
    assert before - kernel.connection.left >= 0.4
    kernel.close()


def test_the_memory_of_the_judge_has_a_limit_from_linux_while_it_grades():
    """What asks for more gets a MemoryError, at once: nothing here is ever written to."""

    def deep(left: int) -> int:  # the stack, which grows for good, does not count
        return left and max([left - 1], key=deep)

    before = sys.getrecursionlimit()
    sys.setrecursionlimit(50_000)
    deep(6000)
    sys.setrecursionlimit(before)
    with limited_memory(256 << 20):
        np.empty(200 << 20, np.uint8)
        with pytest.raises(MemoryError):
            np.empty(320 << 20, np.uint8)  # other threads of the tests give some back meanwhile
    np.empty(320 << 20, np.uint8)


# ---------------------------------------------------------------- messages that are none


def stand_in(channel: wire.Channel):
    """What the judge needs of a kernel: a channel to it, and the time of its process, which is ours."""
    clock = ProcessorClock(os.getpid(), None)
    nothing = lambda: None  # noqa: E731
    return types.SimpleNamespace(channel=channel, kill=nothing, notice_end=nothing, why=None, clock=lambda: clock)


def answered(
    *sent: bytes,
    largest: int = LARGEST,
    ask: Callable[[Connection], object] = lambda connection: connection.ask("name", "x"),
):
    """What the judge makes of bytes that come in place of an answer."""
    here, there = socket.socketpair()
    connection = Connection(stand_in(wire.Channel(here, largest)), 1.0, 10.0, 100)
    connection.cell_left = 10.0
    for part in sent:
        there.send(part)
    there.shutdown(socket.SHUT_WR)
    try:
        return ask(connection)
    finally:
        here.close()
        there.close()


def message(document: object, data: bytes = b"") -> bytes:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return struct.pack("<II", len(text), len(data)) + text + data


def test_an_honest_message_is_read():
    assert answered(message({"value": {"list": [1, None]}})) == [1, None]


@pytest.mark.parametrize(
    "bytes_",
    [
        b"",
        b"\x00",
        struct.pack("<II", 2**32 - 1, 2**32 - 1),
        struct.pack("<II", LARGEST, LARGEST),
        message(b"{"),
        message(b"[" * 100_000),
        message(b"[1]"),
        message(b"\xff\xfe"),
        message(b"1" * 10_000),
        struct.pack("<II", LARGEST // 4 + 1, 0),
        message({"value": {"pickle": "gASVAAAA"}}),
        message({"value": [1]}),
        message({"value": {"list": 3}}),
        message({"value": {"list": [], "tuple": []}}),
        message({"value": {"ref": "7"}}),
        message({"value": {"ref": [1]}}),
        message({"value": {"ref": [[], "x"]}}),
        message({"value": {"ref": [1, 7]}}),
        message({"value": {"ref": [2**61 - 1, "x"]}}),
        message({"value": {"ref": [-1, "x"]}}),
        message({"value": {"list": [{"ref": [number, "x"]} for number in range(3000)]}}),
        message({"value": {"array": ["<f8", [1], True, 2**31]}}, b"12345678"),
        message({"value": 1, "ahead": [[2**61 - 1, "data", 1]]}),
        message({"value": {"array": ["<f8", [2], True, 1]}}, b"1234567"),
        message({"value": {"array": ["<f8", [-1], True, 1]}}, b"12345678"),
        message({"value": {"array": ["<f8", [2**70], True, 1]}}),
        message({"value": {"array": ["<f8", [1] * 100, True, 1]}}, b"12345678"),
        message({"value": {"array": ["|O", [1], True, 1]}}, b"12345678"),
        message({"value": {"array": ["|O8", [1], True, 1]}}, b"12345678"),
        message({"value": {"array": ["<f7", [1], True, 1]}}, b"12345678"),
        message({"value": {"array": [["<f8"], [1], True, 1]}}, b"12345678"),
        message({"value": {"array": ["<f8", [1], True, None]}}, b"12345678"),
        message({"value": {"array": ["<f8"]}}),
        message({"value": {"scalar": "<U4"}}),
        message({"value": {"type": "object_"}}) + b"more",
        message({"value": {"type": ["float64"]}}),
        message({"value": {"dtype": "O"}}),
        message({"value": {"list": [{"array": ["<f8", [10**6, 0], True, 1]}] * 20}}),
        message({"value": {"shape": ["f", [2**39] * 33]}}),
        message({"value": {"shape": [[], []]}}),
        message({"value": {"dict": [[{"list": []}, 1]]}}),
        message({"value": {"dict": [[1]]}}),
        message({"value": {"dict": [[{"ref": [1, "x"]}, 1]]}}),
        message({"value": {"set": [{"ref": [1, "x"]}]}}),
        message({"value": {"set": [{"list": []}]}}),
        message({"value": {"set": [[]] * 1001}}),
        message({"value": {"counter": 3}}),
        message({"value": {"range": [1, 2, 0]}}),
        message({"value": {"range": ["1"]}}),
        message({"value": {"complex": [1, None]}}),
        message({"value": {"bytes": "\u1234"}}),
        message({"value": {"texts": [[2], ["a"]]}}),
        message({"value": {"texts": [[1], [2]]}}),
        message({"value": {"texts": []}}),
        message({"value": {"list": [{"texts": [[9999], ["a" * 500] + [""] * 9998]}] * 4}}),
        message({"value": {"range": [0, 1_000_001, 1]}}),
        message({"value": {"range": [0, 10**30, 1]}}),
        message({"value": {"texts": [[5000], ["a"] * 4999 + ["a" * 100_000]]}}),
        message({"value": {"slice": [1, 2, 3, 4]}}),
        message({"value": {"iter": 3}}),
        message({"error": None}),
        message({"error": {"kinds": None}}),
    ],
    ids=lambda sent: repr(sent[:60]),
)
def test_a_forged_answer_ends_the_kernel_with_a_sentence(bytes_):
    with pytest.raises(Failed, match="the process that runs your code"):
        answered(bytes_)


def test_no_answer_at_all_ends_in_time(monkeypatch):
    monkeypatch.setattr(remote, "GRACE", 0.1)
    here, there = socket.socketpair()
    connection = Connection(stand_in(wire.Channel(here, LARGEST)), 0.05, 10.0, 100)
    with pytest.raises(Failed, match="did not stop"):
        connection.ask("name", "x")
    there.close()


def test_a_graded_cell_that_imports_tests_gets_those_of_its_assignment(kernel):
    before = sys.modules["tests"]
    other = types.ModuleType("tests")
    other.ASSIGNMENT, other.test_it = tests.ASSIGNMENT, lambda: 0.5
    mark = {"grade_id": "test", "grade": True, "points": 1}
    cell = new_code_cell("import tests\ntests.test_it()", metadata={"nbgrader": mark})
    kernel.load([])
    judge = Judge(kernel.kernel, other, kernel.listen, Settings(), Budget(30), new_notebook(cells=[cell]), None)
    try:
        assert judge.verdict(cell, None).points == 0.5
    finally:
        kernel.serving = False
    assert sys.modules["tests"] is before


def test_a_test_of_several_answers_judges_those_that_are_there(kernel):
    other = types.ModuleType("tests")
    both = Section("both", "Both", "tests.test_two(one, two)", assignment=Assignment("Two"))

    @both.check(1)
    def first(trial):
        """one() is 1"""
        trial.expect("n = one()", n=1)

    @both.check(1)
    def second(trial):
        """two is there"""
        if trial.names["two"] is None:
            raise Missing("not written yet")

    other.ASSIGNMENT, other.test_two = both.assignment, lambda one, two=None: both.score(1, one=one, two=two)
    cell = new_code_cell(
        "tests.test_two(one, two)", metadata={"nbgrader": {"grade_id": "test", "grade": True, "points": 2}}
    )
    kernel.load([("<cell>", "def one():\n    return 1")])
    judge = Judge(kernel.kernel, other, kernel.listen, Settings(), Budget(30), new_notebook(cells=[cell]), None)
    try:
        verdict = judge.verdict(cell, None)
    finally:
        kernel.serving = False
    assert verdict.points == 1
    says, report, points = (output.data["text/plain"] for output in verdict.outputs())
    assert says == "two is not defined: the cell for it did not run to its end."
    assert report.startswith("Both: 1 of 2 points") and points == "1.0"


def test_tests_that_have_changed_since_they_were_loaded_judge_nobody(monkeypatch, tmp_path):
    load_tests("workshop")
    monkeypatch.setattr(assignments, "code", lambda name: [Path(__file__)])
    with pytest.raises(ImportError, match="have changed since this program began"):
        load_tests("workshop")


def test_what_learners_code_prints_while_it_is_judged_stands_below_its_check():
    """As in a notebook, whatever the code puts into it, and however much."""
    section = Section("f", "Functions", "tests.test_f(f)", assignment=Assignment("Functions"))

    @section.check(1)
    def one(trial):
        """f() is 1"""
        trial.expect("y = f()", y=1)

    code = "def f():\n    print('<b>\\x1b[31m\\udc80 here')\n    print('more ' * 10**6)\n    return {}"
    shown = [
        jailed.report(section, [("<cell>", code.format(value))], ["f"], seed=1).checks[0].printed
        for value in ("1", "2", "1 / 0")
    ]
    assert {text.split("\n")[0] for text in shown} == {"<b>  here"}
    assert all(text.endswith("… and more") and len(text) < 1100 for text in shown)
    jailed.kernel().execute("f = lambda: print('again')\nprint('a cell')")  # a cell's own go where they always did


def test_a_kernel_that_says_it_printed_what_is_no_text_is_not_believed(capsys):
    made = Kernel()
    try:
        lie = "server.Printed.kept = property(lambda self: [1], lambda self, text: None)"
        made.load([("<cell>", f"import server\n{lie}")])
        assert made.names(["x"]) == {"x": None}
    finally:
        made.close()
    assert capsys.readouterr().out == ""


PRINTED = ["\x1b]0;yours\x07\x1b[31mGraded: 100 of 100\n", "\ud800"]


@pytest.mark.parametrize("text", PRINTED, ids=["a terminal's escapes", "half a character"])
def test_what_learners_code_prints_while_no_check_runs_is_written_nowhere(text):
    sent = message({"value": 1, "printed": text})
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with contextlib.redirect_stdout(terminal):
        assert answered(sent) == 1
        answered(sent, ask=lambda connection: connection.done())
    assert terminal.buffer.getvalue() == b""
    with contextlib.redirect_stdout(io.StringIO()) as caught:  # as a test of an instructor's does
        assert answered(sent) == 1
    assert caught.getvalue() == ""
    with contextlib.redirect_stdout(Printed()) as printed:  # as a check does
        assert answered(sent) == 1
    assert printed.shown is None or printed.shown.isprintable()


def test_a_test_that_catches_what_is_printed_sees_nothing_of_the_learners(kernel):
    test = (
        "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as out:\n    f()\nout.getvalue() == ''"
    )
    verdict, _ = judged_in(kernel, "def f(): print('here')", test, 30)
    assert verdict.says == "The test passed."


def test_what_learners_code_draws_is_the_same_for_the_judge():
    section = Section("f", "Functions", "tests.test_f(f)", assignment=Assignment("Functions"))

    @section.check(1)
    def one(trial):
        """f() is 1"""
        trial.expect("y = f()", y=1)

    code = "import numpy as np\ndef f():\n    return np.random.randint(10**6)"
    names = {}
    exec(code, names)
    here = section.run({"f": names["f"]}, seed=10**19).checks[0].got
    there = [jailed.report(section, [("<cell>", code)], ["f"], seed=10**19).checks[0].got for _ in range(2)]
    assert there == [here, here]
