"""Objects of the learner's kernel, as the checks hold them: what is done with them is asked for, in one request each.

A check runs on them as it runs on objects of its own process. Numbers, text, containers and arrays come as copies;
writing into an array writes into the kernel's, too. Nothing that arrives is executed, unpickled or followed.

What decides is never asked there: whether an object is equal to something, is true or holds something is no operation,
but Undecided. Nor is the other operand of an operator given away for an answer: see `Connection.told`.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import itertools
import linecache
import marshal
import math
import re
import sys
import time
import types
import weakref
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from checks import observe
from checks.assignment import local_execute
from checks.observe import (
    LARGEST,
    PATIENCE,
    Deadline,
    Failed,
    OutOfTime,
    UsedTorch,
    an,
    class_name,
    printable,
    too_large,
    undisturbed,
)
from grading.kernel import wire
from grading.processes import KernelProcess

# Frames of this package lie between a check's code and the learner's: a report shows neither.
observe.BETWEEN.append(str(Path(__file__).parent))
BUILT_IN = (
    *(TypeError, ValueError, AttributeError, IndexError, KeyError, LookupError, ZeroDivisionError, OverflowError),
    *(FloatingPointError, ArithmeticError, RecursionError, NotImplementedError, RuntimeError, UnboundLocalError),
    *(NameError, ModuleNotFoundError, ImportError, AssertionError, MemoryError, StopIteration, FileNotFoundError),
    *(PermissionError, TimeoutError, OSError, EOFError, BufferError, SyntaxError, Exception),
)
KINDS = {kind.__name__: kind for kind in BUILT_IN}
WORD = re.compile(r"[^\W\d]\w*")
MOST_RECEIVED = 256 << 20  # bytes of all replies of one submission
MOST_REFERENCES = wire.MOST_REFERENCES + 2 * wire.MOST_UNASKED  # in one reply
GRACE = 4.0  # seconds of processor time past its deadline that the kernel has to say so
# What a number, a text or a container can be asked, which a test may have expected in the place of an object.
OF_PLAIN = {name for kind in (float, complex, str, list, tuple, dict, set, np.ndarray) for name in dir(kind)}
OF_PLAIN -= {*dir(object), "data", "shape", "size", "dtype", "ndim", "strides", "copy"}
DECIDING = {name for name in dir(str) if name.startswith("is")}  # of these what is answered with yes or no
DECIDING |= {"all", "any", "startswith", "endswith", "issubset", "issuperset", "isdisjoint", "is_integer"}
OURS = {"checks", "grading", "tests"}  # packages that no kernel has
LAZY = {types.GeneratorType, map, zip, filter, enumerate}
MOST_ITEMS = 10_000  # of one of those
ASKING = {"sub", "truediv", "floordiv", "mod", "and", "xor"}  # operators by which tests compare: `f(x) - 3` with 0
ANSWERS = {"isinstance", "issubclass", "run"}  # requests that say nothing of a value that operators were given
PLAINLY = "a test can compare plain values only (numbers, texts, lists, tuples, dicts, sets, arrays), and this one"

OF_BOTH = "what an operator made of an object of your code and a value of the test"


class Undecided(Failed):
    """A test would have the learner's own code say whether it is right."""


class Connection:
    """Requests to one kernel, within limits of time and number.

    Args:
        kernel: where the objects are.
        request_seconds: for one request.
        total_seconds: for all of them.
        most_requests: how many there may be.
    """

    def __init__(self, kernel: KernelProcess, request_seconds: float, total_seconds: float, most_requests: int) -> None:
        self.kernel, self.request_seconds, self.left, self.most = kernel, request_seconds, total_seconds, most_requests
        self.requests = 0
        self.references = 0  # in the last reply
        self.cell_left = total_seconds
        self.own_left: Callable[[], float] = lambda: math.inf  # seconds that the judge's own work may still take
        self.gone: str | None = None  # why nothing can be asked any more
        self.known: weakref.WeakValueDictionary[int, Remote] = weakref.WeakValueDictionary()
        self.held: dict[int, int] = {}  # how many proxies there are of each number
        self.forgotten: list[int] = []
        self.handed: list[int] = []  # ids of a test's functions that are being encoded
        self.classes: dict[str, type] = {}
        self.errors: dict[str, type[Exception]] = {}  # what a test catches, by name
        # What operators gave, who were told what may be the expected value, and all that was made of it: whether it
        # may be asked for no plain value at all.
        self.told: dict[int, bool] = {}
        self.carried: bool | None = None  # what `told` says of all that the last request handed over
        self.changed = False  # whether the kernel says that a call changed what it was given, which came as a copy
        self.raised: tuple[BaseException, types.TracebackType | None] | None = None  # by the learner's code, and where
        self.undecided: str | None = None  # why the last cell cannot be judged, though its test may have gone on
        self.ahead: dict[tuple[int, str], Any] = {}  # attributes that came with the last reply, by number and name

    def ask(self, what: str, *args: Any) -> Any:
        """One operation in the kernel: its result, or its exception, raised here.

        Raises:
            OutOfTime: past the deadline of the check, the request, the cell or the submission.
            Failed: when the kernel is gone.
        """
        if self.gone is not None:
            raise Failed(self.gone)
        if what == "get" and self.ahead:
            known = _slot(args[0], "_number"), args[1]
            if known in self.ahead and known[0] not in self.told:
                return self.ahead[known]
        self.ahead = {}
        if self.own_left() <= 0:  # what follows waits, too
            observe.charge(math.inf)
            raise OutOfTime
        seconds = min(self.cell_left, self.left, observe.time_left())
        if what != "run":  # a check's code has as long as its check gives it
            seconds = min(seconds, self.request_seconds)
        self.requests += 1
        if seconds <= 0:
            raise OutOfTime
        if self.requests > self.most:
            raise self._stop(f"your code needed more than {self.most:,} requests")
        self.carried = None
        encoder = self.encoder = wire.Encoder(self._reference, _number_of, self.kernel.channel.largest, iterators=True)
        drop = [number for number in self.forgotten if number not in self.held]
        self.forgotten.clear()
        document = {"do": what, "args": [encoder.encode(arg) for arg in args], "drop": drop}
        if encoder.left_out:
            raise self.undecidable(
                "the test hands an array to your code that is too large, or holds other than numbers"
            )
        if what in ANSWERS:
            self.carried = None
        here, there = time.thread_time(), self._deadline(seconds)
        try:
            with undisturbed:
                reply, data = self._exchange(document, encoder.blobs, there)
            if there.left <= 0:  # whatever its own clocks say: an answer after its time is no answer
                raise OutOfTime
            found = self._read(reply, data, what)
            if self.carried and not issubclass(type(found), Remote) and (found is not None or what == "get"):
                raise self.undecidable(f"{PLAINLY} asks for a value of {OF_BOTH}")
            return found
        finally:
            used = there.used
            observe.charge(used)
            used += time.thread_time() - here  # which the deadlines of this process know
            self.left -= used
            self.cell_left -= used
            if self.left <= 0 or self.cell_left <= 0:  # what follows waits, as when a section's time is over
                observe.charge(math.inf)

    def begin(self) -> None:
        """A cell begins."""
        self.told.clear()
        self.errors.clear()
        self.changed = False
        self.undecided = self.raised = None

    def catchable(self, name: str, kind: Any) -> Any:
        """Of a class of exceptions in the kernel one to catch what is raised there by this name; else `kind`."""
        if issubclass(type(kind), Remote):
            for base in BUILT_IN:
                if self.ask("issubclass", kind, base) is True:
                    return self.errors.setdefault(name, _exception(base, name))
        return kind

    def undecidable(self, why: str) -> Undecided:
        """What the cell's test did cannot be judged, whatever it makes of the exception."""
        self.undecided = self.undecided or why
        return Undecided(why)

    def done(self) -> None:
        """The cell is done: the kernel goes on with the notebook. The time that it takes is the submission's."""
        if self.gone is None:
            there = self._deadline(0)
            with contextlib.suppress(Failed), undisturbed:
                self._exchange({"do": "done", "args": [], "drop": []}, [], there)
            self.left -= there.used

    def _deadline(self, seconds: float) -> Deadline:
        """Of the kernel, by clocks that it cannot reach."""
        return Deadline(seconds, self.kernel.clock())

    def _exchange(self, document: Any, blobs: list[bytes], deadline: Deadline) -> tuple[dict[str, Any], bytes]:
        channel = self.kernel.channel

        def is_over() -> bool:
            deadline.processor.look()
            return deadline.left < -GRACE

        channel.ends, channel.is_over = math.inf, is_over
        document["seconds"], document["patience"] = deadline.seconds, PATIENCE
        try:
            channel.send(document, blobs)
            reply, data = channel.receive()
        except TimeoutError:
            raise self._stop("your code did not stop when its time was over") from None
        except (EOFError, OSError):
            self.kernel.notice_end()
            raise self._stop(self.kernel.why or "the process that runs your code has ended") from None
        except wire.WireError as error:
            raise self._stop(f"the process that runs your code sent something unreadable: {error}") from None
        except BaseException:  # whoever stopped this: there is half a message left
            self._stop("grading was interrupted")
            raise
        if type(reply) is not dict:
            raise self._stop("the process that runs your code sent something unreadable")
        if type(printed := reply.get("printed")) is str:
            observe.hand_over(printed[: wire.MOST_PRINTED])
        if channel.received > MOST_RECEIVED:
            raise self._stop(f"your code gave more than {MOST_RECEIVED:,} bytes to look at")
        return reply, data

    def _read(self, reply: dict[str, Any], data: bytes, what: str) -> Any:
        if "error" in reply:
            raise self._error(reply["error"], what)
        self.references = 0
        decoder = wire.Decoder(data, self._object, self._array, self._described)
        try:
            value = decoder.decode(reply.get("value"))
            self.changed |= reply.get("changed") is True
            if type(reply.get("ahead")) is list and len(reply["ahead"]) <= wire.MOST_UNASKED:
                for number, name, form in reply["ahead"]:
                    if type(name) is not str:
                        raise wire.WireError("not a reference")
                    self.ahead[self._numbered(number), name] = decoder.decode(form)
            return value
        except (wire.WireError, TypeError, ValueError) as error:
            raise self._stop(f"the process that runs your code sent something unreadable: {error}") from None

    def _stop(self, why: str) -> Failed:
        """Nothing more can be asked: the kernel ends."""
        self.gone = why
        self.kernel.kill()
        return Failed(why)

    def _reference(self, value: Any) -> Any:
        """The form of what has no plain one: an object of the kernel, or code of a test that is handed over."""
        if issubclass(type(value), Remote):
            if object.__getattribute__(value, "_connection") is not self:
                raise Failed("an object of another notebook")
            number = object.__getattribute__(value, "_number")
            if number in self.told:
                self.carried = self.carried or self.told[number]
            return {"ref": number}
        if type(value) is Described:
            raise self.undecidable(value.why)
        if isinstance(value, types.ModuleType) and value.__name__ not in OURS:
            return {"global": [value.__name__, ""]}
        if isinstance(value, types.FunctionType) and value.__code__.co_filename.startswith("<"):
            return {"function": self._function(value)}
        module, name = getattr(value, "__module__", None) or "numpy", getattr(value, "__name__", "")
        is_known = callable(value) and getattr(sys.modules.get(module), name, None) is value
        if is_known and module.partition(".")[0] not in OURS:
            return {"global": [module, name]}
        kind = class_name(value)
        self.undecidable(f"the test hands {an(kind)} to your code, which runs in another process")
        raise TypeError(f"a check cannot send {kind} to a kernel")

    def _function(self, value: types.FunctionType) -> list[Any]:
        """A function of a test, with what it reads, but for functions that are being handed over already."""
        if len(self.handed) > wire.DEEPEST:
            raise TypeError("a check cannot send functions that hold so many others to a kernel")
        self.handed.append(id(value))
        try:
            around = {name: value.__globals__[name] for name in _reads(value.__code__) & value.__globals__.keys()}
            around = {name: each for name, each in around.items() if id(each) not in self.handed}
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            more = self.encoder.encode([list(value.__defaults__ or ()), value.__kwdefaults__ or {}, around, cells])
        finally:
            self.handed.pop()
        return [self.encoder.encode(_packed(value.__code__)), value.__name__, more]

    def _object(self, inside: Any) -> Any:
        if type(inside) is not list or len(inside) != 2:
            raise wire.WireError("not a reference")
        number, name = self._numbered(inside[0]), inside[1]
        if type(name) is not str or len(name) > wire.LONGEST_NAME:
            raise wire.WireError("not a reference")
        if self.carried is not None:
            self.tell(number, self.carried)
        found = self.known.get(number)
        if found is None:  # one proxy for one object: checks compare with `is`
            found = object.__new__(self.classes.get(name) or self._class(name))
            object.__setattr__(found, "_connection", self)
            object.__setattr__(found, "_number", number)
            self.known[number] = found
            self.held[number] = self.held.get(number, 0) + 1
        return found

    def _numbered(self, number: Any) -> int:
        """The number of an object. They are few, and not chosen so that Python sorts them all into one place."""
        self.references += 1
        if type(number) is not int or not 0 <= number < 1 << 31 or self.references > MOST_REFERENCES:
            raise wire.WireError("not a reference, or too many of them")
        return number

    def tell(self, number: int, asked: bool) -> None:
        """An object may know a value of the test's. `asked` says whether it was given to compare with."""
        self.told[number] = asked or self.told.get(number, False)

    def forget(self, number: int) -> None:
        """A proxy is gone: the kernel may drop the object, with the next request."""
        self.held[number] -= 1
        if not self.held[number]:
            del self.held[number]
            self.forgotten.append(number)

    def _class(self, name: str) -> type:
        """A class of proxies that is named as the learner's, for reports to show."""
        if len(self.classes) > 1000:
            raise wire.WireError("too many classes")
        made = self.classes[name] = type(printable(name, 60), (Remote,), {"__slots__": ()})
        return made

    def _described(self, kind: str, shape: tuple[int, ...]) -> Any:
        """What stands for an array of which only the kind of its elements and its shape came."""
        if kind in wire.KINDS or wire.extent(shape) > LARGEST:
            return Described(self, shape)
        element = np.empty((), object)
        element[()] = Unread(self)
        return np.broadcast_to(element, shape)

    def _array(self, array: np.ndarray, writeable: bool, number: Any) -> np.ndarray:
        number = self._numbered(number)
        found = array.view(RemoteArray)
        found._connection, found._number = self, number
        found.flags.writeable = writeable
        self.held[number] = self.held.get(number, 0) + 1
        return found

    def _error(self, told: Any, what: str) -> BaseException:
        """An exception of the kernel, as one of the same name and built-in base, with the learner's frames.

        Only `next` ends an iteration here, as of generators (PEP 479): `all(map(f, xs))` would end where f says so.
        """
        if type(told) is not dict or type(told.get("kinds")) is not list:
            return self._stop("the process that runs your code sent something unreadable")
        if told["kinds"][:1] == ["OutOfTime"]:
            return OutOfTime()
        if told["kinds"][:1] == ["Hidden"]:
            return UsedTorch(printable(_text(told.get("message"))))
        base = next((KINDS[kind] for kind in told["kinds"] if type(kind) is str and kind in KINDS), Exception)
        if type(told.get("own")) is list:
            base = next((self.errors[name] for name in told["own"] if type(name) is str and name in self.errors), base)
        if issubclass(base, StopIteration) and what != "next":
            base = RuntimeError
        error = _exception(base, printable(_text(told.get("name"), "Exception"), 60))()
        error.args = (_text(told.get("message")),)
        if base is AttributeError:
            error.name = told.get("attribute") if type(told.get("attribute")) is str else None
            error.obj = None if told.get("of_none") is True else "an object of the kernel"
        self.raised = error, _frames(told.get("frames"))
        return error.with_traceback(self.raised[1])


def _packed(code: types.CodeType) -> np.ndarray:
    """Code on its way to a kernel, which runs the same Python. To compile it there takes ten times as long."""
    return np.frombuffer(marshal.dumps(code), np.uint8)


def _reads(code: types.CodeType) -> set[str]:
    """Global names that code reads."""
    inner = (part for part in code.co_consts if isinstance(part, types.CodeType))
    own = {each.argval for each in dis.get_instructions(code) if each.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return own.union(*map(_reads, inner))


@functools.lru_cache(maxsize=256)
def _exception(base: type[Exception], name: str) -> type[Exception]:
    def __init__(self: Exception) -> None:
        Exception.__init__(self)

    def __str__(self: Exception) -> str:
        return str(self.args[0])

    return type(name, (base,), {"__init__": __init__, "__str__": __str__})


def _text(value: Any, otherwise: str = "") -> str:
    return value[:2000] if type(value) is str else otherwise


def _frames(told: Any) -> types.TracebackType | None:
    """A traceback that shows the learner's functions and lines, made of code that does nothing but raise."""
    trace = None
    for entry in reversed(told[-20:] if type(told) is list else []):
        if type(entry) is not list or len(entry) != 4:
            continue
        name, line, where, text = entry
        if type(name) is not str or type(line) is not int or not 0 < line < 10_000:
            continue
        if where == "check":
            trace = types.TracebackType(trace, _frame(observe.SCRIPT, "<module>"), 0, line)
        elif where == "learner":
            file = f"<learner, line {line}: {_text(text)}>"
            linecache.cache[file] = (0, None, [""] * (line - 1) + [_text(text)], file)
            _shown.append(file)
            trace = types.TracebackType(trace, _frame(file, printable(name, 60)), 0, line)
    while len(_shown) > 100:
        linecache.cache.pop(_shown.popleft(), None)
    return trace


_shown: deque[str] = deque()  # file names that linecache holds a line of


@functools.lru_cache(maxsize=256)
def _frame(file: str, name: str) -> types.FrameType:
    code = compile("raise ValueError", file, "exec").replace(co_name=name)
    try:
        exec(code, {})
    except ValueError as error:
        return error.__traceback__.tb_next.tb_frame


@functools.lru_cache(maxsize=4096)
def _compiled(code: str) -> np.ndarray:
    return _packed(observe.compiled(code, "exec"))


@functools.lru_cache(maxsize=4096)
def _words(code: str) -> frozenset[str]:
    """What may be a name in code."""
    return frozenset(WORD.findall(code)) - {"np"}


def execute(code: str, variables: dict[str, Any]) -> None:
    """Run a check's code: over objects of a kernel there, as one request, because each operation would be one."""
    there = next((value for value in variables.values() if issubclass(type(value), Remote)), None)
    if there is None:
        local_execute(code, variables)
        return
    names = _words(code)
    given = {name: variables[name] for name in names if name in variables}
    connection = _slot(there, "_connection")
    found = connection.ask("run", _compiled(code), given)
    if type(found) is not dict or not set(found) <= names:
        raise connection._stop("the process that runs your code sent something unreadable")
    variables.update(found)


class Remote:
    """An object that lives in a kernel. What Python asks of it, it asks there, but for what decides something."""

    __slots__ = ("__weakref__", "_connection", "_number")
    __array_ufunc__ = None  # NumPy's operators leave the operation to it

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):
            _slot(self, "_connection").forget(_slot(self, "_number"))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        keywords = {name: _listed(self, value) for name, value in kwargs.items()}
        return _ask("call", self, [_listed(self, value) for value in args], keywords)

    def __getattribute__(self, name: str) -> Any:
        # NumPy and others look for addresses of memory in attributes of this kind, and read what is there.
        if name in ("__class__", "__dict__", "__del__") or name.startswith(("__array", "__dlpack", "__cuda")):
            return object.__getattribute__(self, name)
        if name in OF_PLAIN:
            _look(self, f"reads .{name} of")
            if name in DECIDING:
                raise _undecidable(self, f"asks by .{name}()")
        return _ask("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        _ask("set", self, name, value)

    def __delattr__(self, name: str) -> None:
        _ask("del", self, name)

    def __getitem__(self, index: Any) -> Any:
        _look(self, "takes an element of")
        return _ask("getitem", self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        _ask("setitem", self, index, value)

    def __delitem__(self, index: Any) -> None:
        _ask("delitem", self, index)

    def __next__(self) -> Any:
        return _ask("next", self)

    def __enter__(self) -> Any:
        return _ask("get", self, "__enter__")()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: Any) -> None:
        leave = _ask("get", self, "__exit__")
        if kind is None:
            leave(None, None, None)
        elif issubclass(kind, Exception):  # others are the judge's own, as OutOfTime
            kind = next(each for each in BUILT_IN if issubclass(kind, each))
            made = _slot(self, "_connection").ask("call", kind, [str(error)], {})
            answer = leave(kind, made, None)
            if not (answer is None or answer is False):
                raise _undecidable(self, "asks by `with` whether an exception counts of")

    def __repr__(self) -> str:
        return _ask("repr", self)

    def __str__(self) -> str:
        return _ask("str", self)

    def __format__(self, form: str) -> str:
        return _ask("format", self, form)

    def __hash__(self) -> int:
        return _ask("hash", self)

    def __instancecheck__(self, value: Any) -> bool:
        return issubclass(type(value), Remote) and _ask("isinstance", value, self) is True

    def __subclasscheck__(self, kind: Any) -> bool:
        return issubclass(type(kind), Remote) and _ask("issubclass", kind, self) is True

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        _look(self, "takes the numbers of")
        found = _ask("array", self)
        if not isinstance(found, np.ndarray) or found.dtype.kind not in f"{wire.KINDS}U":
            raise _undecidable(self, "takes the numbers of")
        return np.array(found, dtype, subok=False)


class Unread:
    """Stands for each element of an array whose values did not come, as they are no numbers or texts."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.why = f"{PLAINLY} computes with an array of your code that holds other things"

    def __repr__(self) -> str:
        return "?"


class Described(observe.Described):
    """An array of which only the shape came: it has too many numbers, or rows. There is nothing to compute with."""

    __module__ = "numpy"
    __array_ufunc__ = None  # NumPy's operators leave the operation to it

    def __init__(self, connection: Connection, shape: tuple[int, ...]) -> None:
        self.connection, self.shape, self.ndim, self.size = connection, shape, len(shape), math.prod(shape)
        self.why = too_large("an array", shape) or "arrays have more bytes together than are read at once"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # NumPy and others look for attributes of this kind
            raise AttributeError(name)
        raise self.connection.undecidable(self.why)


def _slot(remote: Remote, name: str) -> Any:
    return object.__getattribute__(remote, name)


def _ask(what: str, remote: Remote, *args: Any) -> Any:
    return _slot(remote, "_connection").ask(what, remote, *args)


def _listed(remote: Remote, value: Any) -> Any:
    """An argument; what computes its items one by one, which a test's code does here, as an iterator over a list."""
    if type(value) not in LAZY:
        return value
    items = list(itertools.islice(value, MOST_ITEMS + 1))
    if len(items) > MOST_ITEMS:
        raise _slot(remote, "_connection").undecidable(
            f"the test hands {an(class_name(value))} of more than {MOST_ITEMS:,} items to your code"
        )
    return iter(items)


def _undecidable(remote: Remote, does: str) -> Undecided:
    why = f"{PLAINLY} {does} an object of class {class_name(remote)} that your code made"
    return _slot(remote, "_connection").undecidable(why)


def _look(remote: Remote, does: str) -> None:
    """Take a look at an object as at a plain value.

    Raises:
        Undecided: where an operator gave it, or it was made of what one gave: `abs(f(x) - 3) < 1e-9` compares what
            `f` gives with 3, and not what a class of the learner's makes of both.
    """
    if _slot(remote, "_number") in _slot(remote, "_connection").told:
        raise _undecidable(remote, f"{does} what an operator made of")


def _decides(name: str, asks: str) -> None:
    def refuse(self: Remote, *_: Any) -> Any:
        raise _undecidable(self, asks)

    setattr(Remote, name, refuse)


for _name, _sign in {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}.items():
    _decides(f"__{_name}__", f"asks by {_sign}")
_decides("__bool__", "asks for the truth of")
_decides("__contains__", "asks by in")
for _name in ("__divmod__", "__rdivmod__"):
    _decides(_name, "reads what divmod makes of")


def _operated(name: str, asks: bool, *operands: Any) -> Any:
    """What an operator gives: an object. It may know the other operand, which may be the expected value."""
    remotes = [each for each in operands if issubclass(type(each), Remote)]
    connection = _slot(remotes[0], "_connection")
    found = connection.ask(name, *operands)
    if not issubclass(type(found), Remote):
        raise _undecidable(remotes[0], "reads the value that an operator made of")
    connection.tell(_slot(found, "_number"), asks and len(remotes) < len(operands))
    return found


def _operator(name: str) -> None:
    asks = name in ASKING
    setattr(Remote, f"__{name}__", lambda self, other: _operated(name, asks, self, other))
    setattr(Remote, f"__r{name}__", lambda self, other: _operated(name, asks, other, self))
    setattr(Remote, f"__i{name}__", lambda self, other: _operated(f"i{name}", asks, self, other))


for _name in wire.OPERATORS:
    _operator(_name)


def _unary(name: str, does: str) -> None:
    def ask(self: Remote, *args: Any) -> Any:
        _look(self, does)
        return _ask(name, self, *args)

    setattr(Remote, f"__{name}__", ask)


for _name in (
    *("iter", "reversed", "len", "float", "int", "index", "complex"),
    *("abs", "round", "trunc", "neg", "pos", "invert"),
):
    _unary(_name, f"takes the {_name} of")


def _refuse(self: Unread | Described, *_: Any, **__: Any) -> Any:
    raise self.connection.undecidable(self.why)


for _name in (
    *("eq", "ne", "lt", "le", "gt", "ge", "bool", "hash", "float", "int", "complex", "index", "abs", "neg", "pos"),
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "radd", "rsub", "rmul", "rtruediv", "rpow", "str"),
):
    setattr(Unread, f"__{_name}__", _refuse)
    setattr(Described, f"__{_name}__", _refuse)
for _name in ("len", "iter", "getitem", "setitem", "contains", "matmul", "rmatmul", "array"):
    setattr(Described, f"__{_name}__", _refuse)


class _Array(type(np.ndarray)):
    """Has `type(x) == np.ndarray` hold, as in a notebook."""

    def __eq__(cls, other: Any) -> bool:
        return cls is other or other is np.ndarray

    def __hash__(cls) -> int:
        return hash(np.ndarray)


class RemoteArray(np.ndarray, metaclass=_Array):
    """A copy of an array in a kernel; writing an element writes it there, too."""

    __module__ = "numpy"

    _connection: Connection | None = None
    _number: int | None = None

    def __setitem__(self, index: Any, value: Any) -> None:
        if self._connection is not None:
            self._connection.ask("setitem", self, index, value)
        np.ndarray.__setitem__(self, index, value)

    def __del__(self) -> None:
        if self._connection is not None:
            self._connection.forget(self._number)


for _kind in (RemoteArray, Described):  # as a report calls it
    _kind.__name__ = _kind.__qualname__ = "ndarray"


def _number_of(array: np.ndarray) -> int | None:
    return getattr(array, "_number", None)
