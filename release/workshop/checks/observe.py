"""Running learner code, and reading what it computed.

Nothing here trusts a learner's object: it may be None, lie about its class, raise from any method or never return.
A check touches it only by constructing, calling, operators, attributes and indexing, so that the same check
runs on an object of this process and on one that lives in another.
"""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import functools
import io
import itertools
import linecache
import logging
import math
import random
import re
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np

from checks import exceptions
from checks.environment import IN_BROWSER
from checks.report import counted

# Folders and files whose frames in a traceback are the check's own: those of assignments come to it.
CHECKS = [str(Path(__file__).parent.with_name("tests.py"))]
# Where else a frame is not the learner's: what is below the checks, Python and its packages. In a browser all files lie
# below sys.prefix.
NOT_THEIRS = (str(Path(__file__).parent), *(["/lib/"] if IN_BROWSER else [sys.prefix, sys.base_prefix]))
# Folders whose frames lie between a check and the learner's code, which may run in another process.
BETWEEN: list[str] = []
SCRIPT = "<check>"  # the file name of a check's code in tracebacks
OWN_TIME = getattr(time, "thread_time", time.monotonic)  # a clock of this thread's processor time
LOOKS = 100  # jumps and calls between two looks at it there
TOOL = 4  # by which Python knows who counts them
PATIENCE = 6.0  # seconds that may pass for one of processor time: the machine may be busy, or the code asleep
AGAIN = 0.1  # seconds until a deadline that has passed says so once more
SOONEST, INSISTING = 1e-6, 2e-5  # the same for code that has caught it SWALLOWED times: what an `except` block takes
SWALLOWED = 2
SHORTEST = 0.001  # seconds that it waits
LARGEST = 1_000_000  # elements read from one array of a learner
MOST_WRITTEN = 2500  # numbers of an array, in a text
CALLERS = 3  # frames of the learner's that are shown: where it was raised, and who called that
ADDRESS = re.compile(r"<(?:[\w.<>]+\.)?(\w+) object at 0x[0-9a-fA-F]+>")
CONTAINERS = (list, tuple, dict, set, frozenset)
MOST_PRINTED, LINES_PRINTED = 1000, 20  # of what learners' code prints in a check: characters and lines
DEEPEST = 8  # containers within containers
NUMBERS = "fiub"  # kinds of NumPy's types that are numbers, as a mask is
HUGE = 10**300  # whole numbers below this can be made floats
RTOL, ATOL = 1e-4, 1e-5  # wide enough for float32, far narrower than any wrong rule


class Failed(Exception):
    """The learner's code did something else than it should.

    Attributes:
        got, expected: both as text.
        says: what differs, in one line.
        mistake: the id of a known mistake, where what was seen can mean nothing else.
        raised: the lines of the learner's that an exception came through, where it was one.
        perhaps: what the text of an exception means, where nothing else explains the failure.
    """

    raised: str | None = None
    perhaps: exceptions.Meaning | None = None

    def __init__(
        self, got: str, expected: str | None = None, says: str | None = None, mistake: str | None = None
    ) -> None:
        super().__init__(got)
        self.got, self.expected, self.mistake = got, expected, mistake
        self.says = says or got.split("\n", 1)[0]


class Missing(Exception):
    """There is nothing to judge yet.

    Attributes:
        method: the method that Python looked for and did not find, where that is known.
        nothing: what gave None, where that is why.
    """

    def __init__(self, why: str, method: str | None = None, nothing: str | None = None) -> None:
        super().__init__(why)
        self.method, self.nothing = method, nothing


class Waits(Exception):
    """A check finds that what it builds on does not work: it waits, and says for what."""


class OutOfTime(BaseException):
    """The learner's code ran past its deadline. Not an Exception, so that `except Exception` does not swallow it."""


class UsedTorch(BaseException):
    """The learner's code called PyTorch."""


class Stopped(KeyboardInterrupt):
    """Somebody has stopped a test. A notebook shows the message, and no traceback: nothing is wrong there."""

    def _render_traceback_(self, *_: Any) -> list[str]:
        return [str(self)]


@dataclass(frozen=True)
class Raised:
    """An exception as an observation: what kind, and in which line of the check's code it surfaced."""

    kind: str  # "shape", "type", "truth" (of an array) or "other"
    line: int

    @classmethod
    def of(cls, error: BaseException, line: int) -> Raised:
        if issubclass(type(error), (TypeError, AttributeError)):
            return cls("type", line)
        if issubclass(type(error), IndexError):
            return cls("shape", line)
        arithmetic = issubclass(type(error), (ValueError, RuntimeError))
        if arithmetic and "truth value" in _message(error):
            return cls("truth", line)
        shape = arithmetic and re.search("shape|size|dimension|broadcast|mismatch|axis|align", _message(error))
        return cls("shape" if shape else "other", line)


@functools.lru_cache(maxsize=4096)
def compiled(code: str, mode: str, file: str = SCRIPT) -> CodeType:
    """A check's code, ready to run; `file` is its name in tracebacks."""
    return compile(code, file, mode)


def line_of(error: BaseException) -> int:
    """The line of a check's code that an exception came through."""
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == SCRIPT:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


class Deadline:
    """How long code may run, in seconds of processor time: a busy machine changes no verdict.

    Of the time that passes a PATIENCE-th counts at least, or code that sleeps would never end; and never more than all
    of it, or the other threads and processes that a clock may include would.

    Args:
        seconds: that may be used.
        processor: a clock of the processor time of whoever runs the code, in seconds.
        patience: seconds that may pass for one of processor time; PATIENCE without it.

    Attributes:
        elsewhere: seconds that were used on this code's behalf by whom that clock does not know.
    """

    def __init__(
        self, seconds: float, processor: Callable[[], float] = OWN_TIME, patience: float | None = None
    ) -> None:
        self.seconds, self.processor, self.elsewhere = seconds, processor, 0.0
        self.patience = PATIENCE if patience is None else patience
        self.begun, self.passed = processor(), time.monotonic()

    @property
    def used(self) -> float:
        passed = time.monotonic() - self.passed
        return max(min(self.processor() - self.begun, passed) + self.elsewhere, passed / self.patience)

    @property
    def left(self) -> float:
        return self.seconds - self.used


def learner_code(seconds: float) -> contextlib.AbstractContextManager[Deadline]:
    """Run learner code inside: without PyTorch, and no longer than `seconds`, nor than what it is inside of allows.

    Raises:
        OutOfTime: after `seconds`; at once when there are none.
        UsedTorch: when a PyTorch operation is called.
    """
    return _Elsewhere(seconds) if _elsewhere.get() else _here(seconds)


@contextlib.contextmanager
def _here(seconds: float) -> Iterator[Deadline]:
    enforced, clock = _enforced()
    deadline = Deadline(min(seconds, time_left()), clock)
    if deadline.seconds <= 0:
        raise OutOfTime
    before = _deadlines.set((*_deadlines.get(), deadline))
    try:
        with _no_torch(), enforced(deadline):
            yield deadline
    finally:
        _deadlines.reset(before)


class _Elsewhere:
    """The same where learner code runs in another process: who asks there enforces the deadline, and it has no PyTorch.

    A check does this thousands of times. An alarm that rings in between leaves a deadline behind, until `elsewhere`
    ends: only that of the judge's own time rings there, and then nothing is asked any more.
    """

    __slots__ = ("before", "deadline", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __enter__(self) -> Deadline:
        self.deadline = Deadline(min(self.seconds, time_left()))
        if self.deadline.seconds <= 0:
            raise OutOfTime
        self.before = _deadlines.set((*_deadlines.get(), self.deadline))
        return self.deadline

    def __exit__(self, *_: object) -> None:
        _deadlines.reset(self.before)


@contextlib.contextmanager
def elsewhere() -> Iterator[None]:
    """Inside, learner code runs in another process."""
    before, deadlines = _elsewhere.set(True), _deadlines.set(())
    try:
        yield
    finally:
        _deadlines.reset(deadlines)
        _elsewhere.reset(before)


@contextlib.contextmanager
def own_code(seconds: float) -> Iterator[None]:
    """Run the tester's own code inside, no longer than `seconds` of this thread's processor time.

    Raises:
        OutOfTime: then, and every tenth of a second from then on; while learner code runs inside, when that ends.
    """
    enforced, clock = _enforced()
    with enforced(Deadline(seconds, clock, patience=math.inf)):
        yield


def _enforced() -> tuple[Callable[[Deadline], contextlib.AbstractContextManager], Callable[[], float]]:
    """What makes a deadline hold in this thread, and its clock."""
    if IN_BROWSER:
        return _counted, OWN_TIME
    if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
        return _rung, OWN_TIME
    return _watched, _clock_of_this_thread()


_deadlines: contextvars.ContextVar[tuple[Deadline, ...]] = contextvars.ContextVar("_deadlines", default=())
_elsewhere: contextvars.ContextVar[bool] = contextvars.ContextVar("_elsewhere", default=False)


def time_left() -> float:
    """Seconds that the learner's code that runs now may still use; infinite when none runs."""
    return _deadlines.get()[-1].left if _deadlines.get() else math.inf


def charge(seconds: float) -> None:
    """Count what was used for the learner's code that runs now in another process."""
    for deadline in _deadlines.get():
        deadline.elsewhere += seconds


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drop what is printed, logged or warned inside, and what a learner's `__del__` raises.

    nbgrader reads anything on stderr as a failed test.
    """
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    logged = logging.root.manager.disable
    logging.disable()
    try:
        with (
            contextlib.redirect_stdout(Nowhere()),
            contextlib.redirect_stderr(Nowhere()),
            warnings.catch_warnings(),
            np.errstate(all="ignore"),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logged)
        sys.unraisablehook = hook


class Nowhere(io.TextIOBase):
    """Takes all text and keeps none."""

    def write(self, text: str) -> int:
        return len(text)


MOST_AT_A_TIME = 100_000  # characters printed that are looked at
ENDS = re.compile(r"(\r*\n|\r+)")  # of a line, and what goes back to its beginning
# How a line of tqdm's ends, such as "[00:02<00:01,  3.10it/s, loss=0.1]".
BAR = re.compile(r"\[\d\d:\d\d(?::\d\d)?(?:<[\d:?]+)?, *[\d.?]+ ?[^ \]]+/[^\]]+\]")


class Printed(io.TextIOBase):
    """Takes all text and keeps the beginning, as a terminal shows it: what comes after a carriage return stands in the
    place of what was before it in its line. Progress bars are left out: no two runs have the same."""

    def __init__(self) -> None:
        self._kept, self._line, self._is_over, self._is_cut = "", "", False, False

    def write(self, text: str) -> int:
        if len(self._kept) >= MOST_PRINTED:
            self._is_cut |= bool(text)
            return len(text)
        self._is_cut |= len(text) > MOST_AT_A_TIME
        for part in ENDS.split(text[:MOST_AT_A_TIME]):
            if part.endswith("\n"):
                self._kept += "" if BAR.search(self._line) else self._line + "\n"
                self._line, self._is_over = "", False
            elif part.startswith("\r"):
                self._is_over = True
            elif part:
                self._line = (part if self._is_over else self._line + part)[: MOST_PRINTED + 1]
                self._is_over = False
        return len(text)

    @property
    def shown(self) -> str | None:
        """The first lines, without control characters; None where there are none."""
        kept = self._kept + ("" if BAR.search(self._line) else self._line)
        lines = kept[:MOST_PRINTED].expandtabs().lstrip("\n").rstrip().split("\n")
        text = "\n".join(printable(line, MOST_PRINTED) for line in lines[:LINES_PRINTED])
        is_cut = self._is_cut or len(lines) > LINES_PRINTED or len(kept) > MOST_PRINTED
        return (f"{text}\n… and more" if is_cut else text) or None


def hand_over(text: str) -> None:
    """Give the check that runs what its learner's code printed in another process; where none runs, it is dropped.

    It never goes where the grader prints, nor to a test that catches what is printed.
    """
    if isinstance(sys.stdout, Printed):
        sys.stdout.write(text)


def _no_torch() -> contextlib.AbstractContextManager:
    """While it is open, every PyTorch operation raises UsedTorch (torch may not be there at all)."""
    return _torch_ban()() if sys.modules.get("torch") else contextlib.nullcontext()


@functools.cache
def _torch_ban() -> type:
    from torch.utils._python_dispatch import TorchDispatchMode

    class NoTorch(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            raise UsedTorch(str(func))

        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            return False  # else PyTorch imports for seconds when it is called first, in the learner's time

    return NoTorch


class _Undisturbed:
    """While it is open, a deadline that passes waits until it is closed: what is inside is not cut in the middle."""

    depth = 0  # how often it is open

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1


undisturbed = _Undisturbed()


@contextlib.contextmanager
def _rung(deadline: Deadline) -> Iterator[None]:
    """Raise OutOfTime inside when a deadline has passed, and every tenth of a second from then on.

    The same with KeyboardInterrupt, where somebody wants it to end. A loop that catches whatever is raised in it
    catches one of these, and not the next one, which comes before it is back in its `try`.
    """
    armed, raised, is_fast, ends = True, 0, False, OutOfTime

    def ring(signum: int, frame: FrameType | None) -> None:
        nonlocal raised, is_fast, ends
        if signum == signal.SIGINT:
            ends = KeyboardInterrupt
        if not armed:
            return
        if signum == signal.SIGINT:
            signal.setitimer(signal.ITIMER_REAL, AGAIN, AGAIN)
        if undisturbed.depth:
            return
        if ends is OutOfTime and (left := deadline.left) > 0:
            # Of the processor's time a thread uses a second in a second at most: not before then is it over.
            signal.setitimer(signal.ITIMER_REAL, max(left, SHORTEST), AGAIN)
            return
        was_fast, is_fast = is_fast, raised >= SWALLOWED and _is_in_theirs(frame)
        if is_fast or was_fast:  # at any time, not always at the same place of a loop
            signal.setitimer(signal.ITIMER_REAL, random.uniform(SOONEST, INSISTING) if is_fast else AGAIN, AGAIN)
        if is_fast or not was_fast:  # else it has come out of the learner's code, to where nothing may be cut in two
            raised += 1
            raise ends

    hook = sys.unraisablehook
    sys.unraisablehook = _dropping(hook)
    before = signal.signal(signal.SIGALRM, ring)
    pressed = signal.getsignal(signal.SIGINT)
    if pressed is signal.default_int_handler:
        signal.signal(signal.SIGINT, ring)
    outer, _ = signal.setitimer(signal.ITIMER_REAL, deadline.seconds, AGAIN)
    try:
        yield
    finally:
        while True:  # the alarm may still ring once, right here
            try:
                armed = False
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, before)
                if pressed is signal.default_int_handler:
                    signal.signal(signal.SIGINT, pressed)
                sys.unraisablehook = hook
                break
            except OutOfTime:
                pass
            except KeyboardInterrupt:
                ends = KeyboardInterrupt
        if outer:  # the deadline around this one looks how much is left
            signal.setitimer(signal.ITIMER_REAL, SHORTEST, AGAIN)
        if ends is KeyboardInterrupt:  # whatever was made of it
            raise KeyboardInterrupt


def _dropping(hook: Callable[[sys.UnraisableHookArgs], Any]) -> Callable[[sys.UnraisableHookArgs], Any]:
    """Where OutOfTime is raised in a callback of the interpreter's nobody can catch it, and nothing is lost: it comes
    again."""
    return lambda what: None if issubclass(what.exc_type, OutOfTime) else hook(what)


@contextlib.contextmanager
def _watched(deadline: Deadline) -> Iterator[None]:
    """The same on Windows and outside the main thread: an exception that a second thread sets reaches any loop."""
    done = threading.Event()
    me = ctypes.c_ulong(threading.get_ident())

    def watch() -> None:
        wait = deadline.seconds
        while not done.wait(wait):
            wait = max(deadline.left, SHORTEST)
            if deadline.left <= 0 and not undisturbed.depth:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(me, ctypes.py_object(OutOfTime))
                wait = AGAIN

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(me, None)


@contextlib.contextmanager
def _counted(deadline: Deadline) -> Iterator[None]:
    """The same in a browser, where nothing rings and nobody watches.

    Python tells of each jump, as every loop makes them, and of each call, and now and then it is looked how late it is.
    What is neither, as one long call of NumPy's, goes on to its end. Once it is too late, every jump and call of the
    learner's raises: that ends what catches one of them. (A function that jumps cannot: CPython leaves it at once.)
    """
    python = sys.monitoring
    events = python.events.JUMP, python.events.PY_START, python.events.PY_RESUME
    count, is_over = 0, False

    def look(*_: Any) -> None:
        nonlocal count, is_over
        count += 1
        if not is_over and count % LOOKS == 0:
            is_over = deadline.left <= 0
        if not is_over or undisturbed.depth:
            return
        frame = sys._getframe(1)
        if frame.f_code.co_filename != contextlib.__file__ and _is_in_theirs(frame):  # else it may be what ends this
            raise OutOfTime

    hook = sys.unraisablehook
    sys.unraisablehook = _dropping(hook)
    if python.get_tool(TOOL) is None:
        python.use_tool_id(TOOL, __name__)
    outer = [python.register_callback(TOOL, event, look) for event in events]
    python.set_events(TOOL, sum(events))
    try:
        yield
    finally:
        for event, callback in zip(events, outer, strict=True):
            python.register_callback(TOOL, event, callback)
        if None in outer:
            python.set_events(TOOL, python.events.NO_EVENTS)
        sys.unraisablehook = hook


def _clock_of_this_thread() -> Callable[[], float]:
    """Its processor time, for another thread to look at; on Windows and macOS that of all threads."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.process_time
    return functools.partial(time.clock_gettime, time.pthread_getcpuclockid(threading.get_ident()))


class Clock:
    """The time learner code has left in one section.

    Attributes:
        theirs: exceptions that came out of learner code in this check. All others are the check's own.
    """

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        self.theirs: list[BaseException] = []

    def learner_code(self, at_most: float) -> contextlib.AbstractContextManager[None]:
        return _CountedElsewhere(self, at_most) if _elsewhere.get() else self._here(at_most)

    @contextlib.contextmanager
    def _here(self, at_most: float) -> Iterator[None]:
        deadline = None
        try:
            with _here(min(at_most, self.left)) as deadline:
                yield
        except BaseException as error:
            self.theirs.append(error)
            raise
        finally:
            if deadline is not None:
                self.left -= deadline.used


class _CountedElsewhere(_Elsewhere):
    """The same where learner code runs in another process."""

    __slots__ = ("clock",)

    def __init__(self, clock: Clock, at_most: float) -> None:
        super().__init__(min(at_most, clock.left))
        self.clock = clock

    def __enter__(self) -> None:
        try:
            super().__enter__()
        except OutOfTime as error:
            self.clock.theirs.append(error)
            raise

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        super().__exit__()
        self.clock.left -= self.deadline.used
        if error is not None:
            self.clock.theirs.append(error)


@dataclass(frozen=True)
class Kind:
    """The class that an assignment's results are to be of, where they are not plain numbers and arrays.

    Attributes:
        name: of the class.
        mistake: the id of the mistake to give a plain number or array instead.
        holds: the attribute with the array that it holds.
        marks: an attribute of the class that no array has: it may be derived from one.
        doubts: how an expression ends, and what else it may mean that it is None.
    """

    name: str
    mistake: str
    holds: str
    marks: str
    doubts: Mapping[str, str] = field(default_factory=dict)


class Described:
    """Stands for an array that is not here, as it is too large to be read: there is its shape, and why."""

    shape: tuple[int, ...]
    why: str


def array_of(value: Any, what: str, kind: Kind | None = None) -> np.ndarray:
    """What a learner's array or number is, or what an object of a kind holds, as a new float64 array.

    Raises:
        Missing: for None.
        Failed: for anything that holds no numbers.
    """
    if value is None:
        doubts = kind.doubts if kind else {}
        doubt = next((doubt for end, doubt in doubts.items() if what.endswith(end)), ", or without return")
        raise Missing(f"{what} is None: not written yet{doubt}", nothing=what)
    if issubclass(type(value), (*CONTAINERS, str)):
        raise Failed(f"{what} is {an(class_name(value))}, not an array: np.array(...) makes one")
    if not issubclass(type(value), (Described, np.ndarray, np.generic, int, float)):
        if kind is None:
            raise Failed(
                f"{what} is {an(class_name(value))}, not an array",
                mistake="uses-torch" if _is_torch(type(value)) else None,
            )
        value = getattr(value, kind.holds)
        if value is None:
            raise Missing(f"the {kind.holds} of {what} is None: not written yet")
    own = type(value)
    if issubclass(own, Described):
        raise Failed(too_large(what, value.shape) or value.why)
    if not issubclass(own, (np.ndarray, np.generic, int, float)):
        mistake = "uses-torch" if _is_torch(own) else "data-not-array" if issubclass(own, (list, tuple)) else None
        got = f"{what} holds {an(class_name(value))}: build it with NumPy, its {kind.holds} is an np.ndarray"
        raise Failed(got, mistake=mistake)
    if issubclass(own, np.ndarray) and (why := too_large(what, np.ndarray.shape.__get__(value))):
        raise Failed(why)
    array = np.array(value, subok=False)
    if array.dtype.kind not in NUMBERS:
        if array.dtype == object and any(each is None for each in array.flat):
            raise Failed(
                f"{what} holds None where a number should be: nothing arrived there, or a function returned nothing"
            )
        raise Failed(f"{what} holds elements of type {array.dtype}, not numbers")
    return array.astype(np.float64, copy=False)  # it is a copy already


def too_large(what: str, shape: tuple[int, ...]) -> str:
    """Why an array of this shape is not read; nothing where it is. Rows count, also those without elements."""
    rows = math.prod(max(n, 1) for n in shape)
    if rows <= LARGEST:
        return ""
    things = f"{count:,} elements" if (count := math.prod(shape)) else f"{rows:,} rows without elements"
    return f"{what} has {things}: up to {LARGEST:,} are read"


def observed(value: Any, of: Kind | None = None) -> Any:
    """What was seen, in a form to compare: None, a bool, an int, a text, an array, or a container of such and floats.

    Of what is longer than anything that is expected, the beginning.
    """
    kind = type(value)
    if value is None or kind is bool or (kind is int and abs(value) < 1 << 63):
        return value
    if kind is str:
        return value[:1000]
    if issubclass(kind, (np.bool_, np.integer)):
        return value.item()
    if kind in (tuple, list) and all(issubclass(type(n), (int, np.integer)) for n in value):
        return tuple(int(n) for n in value[:100])
    try:
        return _contained(value, DEEPEST) if issubclass(kind, CONTAINERS) else array_of(value, "it", of)
    except Exception:
        return "unreadable"


def _contained(value: Any, deep: int) -> Any:
    """The same of what may lie in a container, as whatever is of class list, dict or set, or derived from one."""
    kind = type(value)
    if not issubclass(kind, CONTAINERS):
        return float(value) if issubclass(kind, (float, np.floating)) else observed(value)
    if not deep:
        return "unreadable"
    some = itertools.islice(_items(value), 100)
    if issubclass(kind, dict):
        return {_contained(key, 0): _contained(each, deep - 1) for key, each in some}
    if issubclass(kind, (set, frozenset)):
        return {_contained(each, 0) for each in some}
    return [_contained(each, deep - 1) for each in some]


def _items(container: Any) -> list[Any]:
    """What is in a container, whatever a class of the learner's that is derived from it has to say."""
    kind = next(kind for kind in CONTAINERS if issubclass(type(container), kind))
    return [*(kind.items(container) if kind is dict else kind.__iter__(container))]


def _is_torch(kind: type) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and issubclass(kind, torch.Tensor)


def compare(what: str, expected: Any, got: Any, kind: Kind | None = None) -> None:
    """Compare an observation with what is expected: arrays by shape and value, containers by what is in them.

    Raises:
        Failed, Missing: with both values as text.
    """
    if isinstance(expected, (np.ndarray, np.generic)) and expected.dtype.kind in NUMBERS:
        expected = np.asarray(expected)
        array = array_of(got, what, kind)
        if array.shape != expected.shape:
            says = f"{what} has shape {array.shape} instead of {expected.shape}"
            raise Failed(_shown(what, array), _shown(what, expected), says)
        if not close(array, expected):
            difference = np.abs(array - expected)
            note = f"\nlargest difference {difference.max():.3g}" if np.isfinite(difference).all() else ""
            raise Failed(_shown(what, array) + note, _shown(what, expected), f"{what} {relation(array, expected)}")
        return
    if got is None and expected is not None and what.isidentifier():
        raise Missing(f"{what} is None: not written yet, or without return", nothing=what)
    if not same(expected, got):
        raise Failed(f"{what} is {text_of(got)}", f"{what} is {text_of(expected)}", differs(what, expected, got))


def same(expected: Any, got: Any) -> bool:
    """Whether what is no array is what is expected: numbers as far as rounding allows, a list as good as a tuple."""
    kind = type(got)
    if isinstance(expected, np.ndarray):
        array = np.asarray(got) if issubclass(kind, np.ndarray) else None
        if array is None or array.shape != expected.shape:
            return False
        if expected.dtype.kind not in NUMBERS or array.dtype.kind not in NUMBERS:
            return same(expected.tolist(), array.tolist())
        return close(array.astype(np.float64), expected.astype(np.float64))
    if isinstance(expected, np.generic):
        return same(expected.item(), got)
    if isinstance(expected, (list, tuple)):
        if not issubclass(kind, (list, tuple)):
            return False
        items = _items(got)
        return len(items) == len(expected) and all(map(same, expected, items))
    if isinstance(expected, dict):
        if not issubclass(kind, dict):
            return False
        found = dict(_items(got))
        return found.keys() == expected.keys() and all(same(each, found[key]) for key, each in expected.items())
    if isinstance(expected, (set, frozenset)):
        return issubclass(kind, (set, frozenset)) and {*_items(got)} == expected
    if isinstance(expected, (bool, int)):
        return issubclass(kind, (bool, np.bool_, int, np.integer)) and int(got) == int(expected)
    if isinstance(expected, (float, complex)):
        number = _number(got)
        return number is not None and bool(np.isclose(number, expected, rtol=RTOL, atol=ATOL, equal_nan=True))
    if isinstance(expected, (str, bytes)):
        return kind in (type(expected), np.str_) and got == expected
    return got is expected


def _number(value: Any) -> Any:
    """A number of Python or NumPy, or what an array without dimensions holds; None for anything else, and for a whole
    number that is too large to compute with."""
    kind = type(value)
    if issubclass(kind, np.ndarray) and np.ndarray.shape.__get__(value) == ():
        value, kind = np.asarray(value)[()], type(np.asarray(value)[()])
    plain = issubclass(kind, (float, complex, np.bool_, np.number)) or (issubclass(kind, int) and abs(value) < HUGE)
    return value if plain else None


def differs(what: str, expected: Any, got: Any) -> str:
    """What is not the same, in one line: in a container the first place, where it is one of the same kind."""
    plainly = f"{what} is {text_of(got, 40)} instead of {text_of(expected, 40)}"
    kind = type(got)
    if isinstance(expected, (list, tuple)):
        if not issubclass(kind, (list, tuple)):
            return f"{what} is {an(class_name(got))}, not {an(class_name(expected))}"
        items = _items(got)
        if all(issubclass(type(each), (int, np.integer)) for each in (*expected, *items)) and len(expected) < 10:
            return plainly
        if len(items) != len(expected):
            return f"{what} has {counted(len(items), 'element')} instead of {len(expected)}"
        kinds = (
            at
            for at, (wanted, each) in enumerate(zip(expected, items, strict=True))
            if None not in (_number(wanted), _number(each)) and wanted == each and not same(wanted, each)
        )
        if (at := next(kinds, None)) is not None:
            wanted = an(class_name(expected[at]))
            return f"{what}[{at}] is {text_of(items[at], 40)}, {an(class_name(items[at]))}, not {wanted}"
        if all(_number(each) is not None and type(each) is not complex for each in (*expected, *items)):
            return f"{what} {relation(np.array(items, float), np.array(expected, float))}"
        at = next(at for at, each in enumerate(expected) if not same(each, items[at]))
        return differs(f"{what}[{at}]", expected[at], items[at])
    if isinstance(expected, dict):
        if not issubclass(kind, dict):
            return f"{what} is {an(class_name(got))}, not {an(class_name(expected))}"
        found = dict(_items(got))
        for key, each in expected.items():
            if key not in found:
                return f"{what} has no key {text_of(key, 40)}"
            if not same(each, found[key]):
                return differs(f"{what}[{text_of(key, 40)}]", each, found[key])
        more = next(key for key in found if key not in expected)
        return f"{what} has a key {text_of(more, 40)}, which should not be there"
    if isinstance(expected, (set, frozenset)):
        if not issubclass(kind, (set, frozenset)):
            return f"{what} is {an(class_name(got))}, not {an(class_name(expected))}"
        found = {*_items(got)}
        lacks, more = expected - found, found - expected
        return (
            f"{what} lacks {text_of(min(lacks, key=repr), 40)}"
            if lacks
            else (f"{what} has {text_of(min(more, key=repr), 40)}, which should not be there")
        )
    if isinstance(expected, np.ndarray):
        if not issubclass(kind, np.ndarray):
            return f"{what} is {an(class_name(got))}, not an array"
        array = np.asarray(got)
        if array.shape != expected.shape:
            return f"{what} has shape {array.shape} instead of {expected.shape}"
        if expected.dtype.kind in NUMBERS and array.dtype.kind in NUMBERS:
            return f"{what} {relation(array.astype(np.float64), expected.astype(np.float64))}"
        return differs(what, expected.tolist(), array.tolist())
    if isinstance(expected, float) and (number := _number(got)) is not None:
        shown = f"{expected:.4g}"
        return f"{what} is {number:.4g} instead of {shown}" if f"{number:.4g}" != shown else plainly
    if isinstance(expected, (float, str)) and kind is not type(expected) and got is not None:
        wanted = "a number" if isinstance(expected, float) else "a text"
        return f"{what} is {text_of(got, 40)}, {an(class_name(got))}, not {wanted}"
    if isinstance(expected, str) and kind is str and max(len(expected), len(got)) > 30:
        at = next(
            (at for at, both in enumerate(zip(expected, got, strict=False)) if both[0] != both[1]),
            min(len(expected), len(got)),
        )
        some = [text[max(at - 10, 0) : at + 20] for text in (got, expected)]
        return f"{what} differs from character {at} on: … {text_of(some[0])} instead of … {text_of(some[1])}"
    return plainly


def close(one: np.ndarray, other: np.ndarray) -> bool:
    """np.allclose for arrays of one shape, NaN equal to NaN; several times faster on small ones."""
    if one.dtype == other.dtype and one.tobytes() == other.tobytes():  # as where nothing is wrong
        return True
    difference = np.abs(one - other)
    if np.isfinite(difference).all():
        return bool((difference <= ATOL + RTOL * np.abs(other)).all())
    return bool(np.allclose(one, other, rtol=RTOL, atol=ATOL, equal_nan=True))


def relation(got: np.ndarray, expected: np.ndarray) -> str:
    """How an array differs from one of the same shape, plainly."""
    strange = np.argwhere(~np.isfinite(got) & np.isfinite(expected))
    if len(strange):
        index = tuple(map(int, strange[0]))
        where = f" at index {index[0] if len(index) == 1 else index}" if index else ""
        return f"is {got[index]}{where}"
    if not np.isfinite(got).all():
        return "is not finite everywhere"
    if not got.any():
        return "is 0 everywhere"
    if got.size == 1:
        return f"is {got.item():.4g} instead of {expected.item():.4g}"
    if np.allclose(got, -expected, rtol=RTOL, atol=ATOL):
        return "has the right size but the wrong sign"
    if got.ndim == 2 and got.shape == got.T.shape and np.allclose(got, expected.T, rtol=RTOL, atol=ATOL):
        return "is transposed"
    with np.errstate(all="ignore"):
        ratios = got / expected
    if np.isfinite(ratios).all() and np.allclose(ratios, ratios.flat[0], rtol=1e-3, atol=0):
        return f"is {ratios.flat[0]:.4g} times what it should be"
    wrong = ~np.isclose(got, expected, rtol=RTOL, atol=ATOL)
    return f"differs in {wrong.sum()} of {wrong.size} elements, by up to {np.abs(got - expected).max():.3g}"


def _shown(what: str, array: np.ndarray) -> str:
    numbers = np.array2string(writable(array), precision=4, suppress_small=True, threshold=60, max_line_width=60)
    return f"{what} has shape {array.shape}\n{numbers}"


def writable(array: np.ndarray) -> np.ndarray:
    """The array, flat where NumPy would write out thousands of numbers: of a short axis it leaves nothing out."""
    shape = np.ndarray.shape.__get__(array)
    return array if math.prod(min(n, 7) for n in shape) <= MOST_WRITTEN else np.ndarray.ravel(array)


def text_of(value: Any, longest: int = 200) -> str:
    """A learner's object as one short, printable line; its repr may raise or be endless."""
    try:
        text = repr(writable(value) if issubclass(type(value), np.ndarray) else value)
        text = text if type(text) is str else object.__repr__(value)
        text = ADDRESS.sub(r"<\1>", text[: 4 * longest])  # which is another one in each run
    except Exception as error:
        text = f"<{class_name(value)}, whose repr raises {class_name(error)}>"
    return printable(text, longest)


def printable(text: str, longest: int = 200) -> str:
    """`text` on one line, without terminal escapes and control characters, cut to `longest` characters."""
    text = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", text[: 2 * longest])
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def class_name(value: Any) -> str:
    """The name of a value's class, also when its metaclass has other ideas."""
    return printable(type.__dict__["__name__"].__get__(type(value)), 60)


def is_bare(value: Any, kind: Kind) -> bool:
    """Whether a result is a number or array instead of an object of a kind (which may be derived from an array)."""
    own = type(value)
    return issubclass(own, (Described, np.ndarray, np.generic, bool, int, float)) and not _has(own, kind.marks)


def _has(kind: type, name: str) -> bool:
    return any(name in type.__dict__["__dict__"].__get__(base) for base in type.__dict__["__mro__"].__get__(kind))


def an(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def explain(error: BaseException, meanings: Sequence[exceptions.Meaning] = ()) -> Failed | Missing:
    """A learner's exception as a verdict. Its message is learner code too: it may raise, or never come.

    Args:
        meanings: what texts of exceptions mean in an assignment, beside what they mean in any.
    """
    try:
        with learner_code(1.0):
            return _explain(error, meanings)
    except KeyboardInterrupt:
        raise
    except BaseException:
        verdict = Failed("your code raised an exception that cannot be shown")
        verdict.raised = ""
        return verdict


def _explain(error: BaseException, meanings: Sequence[exceptions.Meaning]) -> Failed | Missing:
    frames = traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), lookup_lines=False)
    frames = [frame for frame in frames if not frame.filename.startswith(tuple(BETWEEN))]
    if type(error) in (Failed, Missing) and not (frames and _is_theirs(frames[-1].filename)):
        return error
    if isinstance(error, OutOfTime):
        return Failed("your code did not finish in time: is there an endless loop, or work done over and over?")
    if isinstance(error, UsedTorch):
        return Failed("your code calls PyTorch: build it with NumPy", mistake="uses-torch")
    # Line by line on demand: a learner's code may claim to come from any file, and reading that one may never end.
    message = printable(_message(error))
    means = exceptions.meaning([kind.__name__ for kind in type(error).__mro__], message, meanings)
    is_there = means is not None and means.mistake == "returns-none"
    # Raised by what the check did, not inside their code.
    if not is_there and frames and _is_checks(frames[-1].filename):
        if isinstance(error, AttributeError):
            if getattr(error, "obj", error) is None:
                return Missing("it returned None: not written yet, or without return", nothing="it")
            if not exceptions.is_of_python(message):
                return Missing(f"not written yet: {message}", method=_plain(error.name))
        if isinstance(error, TypeError) and re.search(
            "unsupported operand|bad operand|not subscriptable|does not support item|NoneType", message
        ):
            method = exceptions.method_of(message)
            looked = f" (Python looks for a method {method})" if method else ""
            return Missing(f"not written yet: {message}{looked}", method=method)
    if isinstance(error, AttributeError) and error.name == "forward":
        return Missing("it has no method forward: not written yet", method="forward")
    where = "".join(map(_line, reversed([frame for frame in frames if _is_theirs(frame.filename)][-CALLERS:])))
    raised = f"your code raised {class_name(error)}: {message}"
    verdict = Failed(f"{raised}\n{means.says}{where}" if means else raised + where)
    verdict.raised = where
    if means:
        verdict.says, verdict.perhaps = means.says, means
    return verdict


def _line(frame: traceback.FrameSummary) -> str:
    """A line of the learner's that an exception came through; whose it is shows in the frame that called it."""
    if _is_cell(frame.filename):
        line = printable(frame.line or "")
    else:  # a file beside the notebook, by its name
        line = f"({printable(Path(frame.filename).name, 40)})" if frame.filename.endswith(".py") else ""
    return f"\nin {printable(frame.name, 60)}, line {frame.lineno}" + (f": {line}" if line else "")


def _plain(name: Any) -> str | None:
    return name if type(name) is str else None


def came_through(error: BaseException) -> bool:
    """Whether an exception came through a check's code, which learner code runs in, or from another process."""
    frames = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    return any(file == SCRIPT or file.startswith(tuple(BETWEEN)) for file in frames)


def _is_checks(filename: str) -> bool:
    """Whether what was raised in a file was raised by what a check did, not inside the learner's code."""
    return filename in (SCRIPT, __file__) or filename.startswith(tuple(CHECKS))


def _is_theirs(filename: str) -> bool:
    return filename != SCRIPT and not filename.startswith((*NOT_THEIRS, *CHECKS))


def _is_in_theirs(frame: FrameType | None) -> bool:
    """Whether a frame is the learner's code, a check's that runs there, or was called by it."""
    while frame is not None:
        file = frame.f_code.co_filename
        if file == SCRIPT or _is_theirs(file):
            return True
        if _is_checks(file) or file.startswith(NOT_THEIRS[0]):
            return False
        frame = frame.f_back
    return False


def _is_cell(filename: str) -> bool:
    """Whether the source of a file is that of a notebook cell, which IPython holds in memory: it has no time."""
    held = linecache.cache.get(filename, ())
    return len(held) > 1 and held[1] is None


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(its message cannot be shown)"
