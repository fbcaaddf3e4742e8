"""Answers the judge's requests inside the learner's kernel.

Everything here may have been replaced by the learner's code, and nothing depends on it: an answer is an answer, the
judge compares it with PyTorch's. A request is some lines of a check, or one call, operator, attribute or index, on
objects of this process; they stay here, the judge holds their numbers.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import io
import linecache
import marshal
import math
import operator
import signal
import sys
import time
import traceback
import types
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import wire

CHECK = "<check>"  # the file name of a check's code
MOST_AHEAD, MOST_OBJECTS, AHEAD_SECONDS = 1 << 16, 8, 0.1  # bytes, objects and time for what nobody has asked for yet
LONGEST_TEXT = 200  # characters that are sent without being asked for
PLAIN = (str, int, float, list, tuple, dict, type, np.generic, np.ndarray, np.dtype)


def run(code: np.ndarray, given: dict[str, Any]) -> dict[str, Any]:
    """Run a check's code over what its names stand for; the names that stand for something else afterwards."""
    names = {"np": np, "__builtins__": builtins, **given}
    variables = dict(names)
    exec(marshal.loads(code), variables)
    return {name: value for name, value in variables.items() if name not in names or names[name] is not value}


ACTIONS = {
    "run": run,
    "call": lambda function, args, kwargs: function(*args, **kwargs),
    "get": getattr,
    "set": setattr,
    "del": delattr,
    "array": np.asarray,
    **{
        each.__name__: each
        for each in (
            *(iter, reversed, next, len, repr, str, format, hash, float, int, complex, round, math.trunc),
            *(isinstance, issubclass),
        )
    },
    **{
        name: getattr(operator, name)
        for name in ("getitem", "setitem", "delitem", "index", "neg", "pos", "abs", "invert")
    },
    **{name: getattr(operator, f"__{name}__") for plain in wire.OPERATORS for name in (plain, f"i{plain}")},
}
HERE = (__file__, wire.__file__)


def _forms(args: list[Any]) -> Any:
    """What arguments hold, to see whether a call has changed them: its caller has the originals."""
    encoder = wire.Encoder(id, lambda _: None, MOST_AHEAD)
    with contextlib.suppress(Exception):  # a learner's class may do anything, which is no business of the judge's
        return [encoder.encode(arg) for arg in args], encoder.blobs


class OutOfTime(BaseException):
    """The deadline of a request has passed."""


class Printed(io.TextIOBase):
    """Takes what is printed, and keeps the beginning: a report shows it below the check."""

    def __init__(self) -> None:
        self.kept = ""

    def write(self, text: str) -> int:
        self.kept += text[: wire.MOST_PRINTED - len(self.kept)]
        return len(text)


class Server:
    """The objects that the judge knows by number, and the loop that answers its requests."""

    def __init__(self, channel: wire.Channel) -> None:
        self.channel = channel
        self.objects: dict[int, Any] = {}
        self.numbers: dict[int, int] = {}  # id of an object to its number
        self.next = 1
        self.handed: list[Any] = []  # what functions of a test read that came with the last request
        self.armed = False
        self.ends = 0.0, 0.0  # when the time of what runs now is over: that of the processor, and that which passes
        self.patience = 1.0  # seconds that may pass for one of processor time
        self.wary = False  # to look at something may take long
        self.attributes: list[str] = []  # that are sent though nobody has asked for them yet

    def serve(self, names: dict[str, Any], attributes: list[str]) -> None:
        """Answer requests until one says that the cell is done.

        Args:
            names: the notebook's.
            attributes: what is read of most objects; see Assignment.ahead.
        """
        self.attributes = [name for name in attributes if name.isidentifier()]
        before = signal.signal(signal.SIGALRM, self._ring)
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():  # as the checks do in a notebook
                warnings.simplefilter("ignore")
                self._serve(names)
        finally:
            signal.signal(signal.SIGALRM, before)

    def _serve(self, names: dict[str, Any]) -> None:
        while True:
            request, data = self.channel.receive()
            if request["do"] == "done":
                self.channel.send({"value": None}, [])
                return
            self._answer(request, data, names)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        if not self.armed:
            return
        left = min(self.ends[0] - time.process_time(), self.ends[1] - time.monotonic())
        if left <= 0:
            raise OutOfTime
        signal.setitimer(signal.ITIMER_REAL, left, 0.1)

    def _answer(self, request: dict[str, Any], data: bytes, names: dict[str, Any]) -> None:
        for number in request["drop"]:
            self.numbers.pop(id(self.objects.pop(number, None)), None)
        encoder = wire.Encoder(self._refer, self._number, self.channel.largest // 2)
        self.references = 0
        self.handed = []
        form, error, more, printed = None, None, {}, Printed()
        self.patience = request["patience"]
        try:
            decoder = wire.Decoder(data, self.objects.__getitem__, self._array, wire.stand_in, self._build)
            args = [decoder.decode(form) for form in request["args"]]
            before = _forms(args + self.handed) if request["do"] == "call" else None
            try:
                sys.stdout, shown = printed, sys.stdout
                self._arm(request["seconds"])
                value = names[args[0]] if request["do"] == "name" else ACTIONS[request["do"]](*args)
                form = encoder.encode(value)
            finally:
                self._disarm()
                sys.stdout = shown
            if before is not None and _forms(args + self.handed) != before:
                more["changed"] = True
            if ahead := self._ahead(request["do"], value, encoder):
                more["ahead"] = ahead
            del args, value
        except BaseException as raised:
            error = raised
        said = {"printed": printed.kept} if printed.kept else {}
        if error is None:
            try:
                self.channel.send({"value": form, **more, **said}, encoder.blobs)
                return
            except (wire.WireError, RecursionError) as raised:
                error = raised
        try:
            try:
                self._arm(1.0)
                told = self._described(error)
            finally:
                self._disarm()
        except BaseException:
            told = {"kinds": ["Exception"], "name": "Exception", "message": "(it cannot be shown)", "frames": []}
        self.channel.send({"error": told, **said}, [])
        traceback.clear_frames(error.__traceback__)

    def _ahead(self, action: str, value: Any, encoder: wire.Encoder) -> list[list[Any]]:
        """What is asked for next, more often than not: attributes of the objects that were found.

        Returns:
            For each attribute the object's number, the attribute's name and its form.
        """
        found: list[list[Any]] = []
        if action not in ("run", "get", "call") or self.wary or not self.attributes:
            return found
        values = list(value.values()) if action == "run" else value if type(value) in (list, tuple) else [value]
        encoder.left = min(encoder.left, MOST_AHEAD)
        try:
            try:
                self._arm(AHEAD_SECONDS)
                for thing in reversed(values[-MOST_OBJECTS:]):
                    self._look(thing, found, encoder, deep=2)
            finally:
                self._disarm()
        except OutOfTime:
            self.wary = True
        except BaseException:  # it is raised when it is asked for
            pass
        return found

    def _look(self, thing: Any, found: list[list[Any]], encoder: wire.Encoder, deep: int) -> None:
        number = self.numbers.get(id(thing))
        if number is None or isinstance(thing, np.ndarray):
            return
        for name in self.attributes:
            if len(found) == wire.MOST_UNASKED:
                return
            try:
                value = getattr(thing, name)
            except AttributeError:
                continue
            kind = type(value)
            small = kind is int or (id(kind) in wire.SAME and (kind is not str or len(value) <= LONGEST_TEXT))
            if small or (kind is np.ndarray and value.nbytes <= encoder.left):
                found.append([number, name, encoder.encode(value)])
            elif deep and not isinstance(value, PLAIN) and type(value).__module__ != "builtins":
                found.append([number, name, self._refer(value)])
                self._look(value, found, encoder, deep - 1)

    def _arm(self, seconds: float) -> None:
        """Raise OutOfTime after so much processor time. The judge goes by its own clocks: this one saves the kernel."""
        self.ends = time.process_time() + seconds, time.monotonic() + self.patience * seconds
        signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
        self.armed = True

    def _disarm(self) -> None:
        while self.armed:  # the alarm may still ring once, right here
            with contextlib.suppress(OutOfTime):
                self.armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _array(self, array: np.ndarray, writeable: bool, number: Any) -> np.ndarray:
        return array if number is None else self.objects[number]

    def _build(self, tag: str, inside: list[Any], decode: Callable[[Any], Any]) -> Any:
        """What a test hands over: something of a module, the module itself, or a function of the test's own."""
        if tag == "global":
            module = importlib.import_module(inside[0])
            return getattr(module, inside[1]) if inside[1] else module
        code, name, more = inside
        defaults, keywords, around, cells = decode(more)
        self.handed += [*around.values(), *cells]
        around["__builtins__"] = builtins
        closure = tuple(map(types.CellType, cells))
        function = types.FunctionType(marshal.loads(decode(code)), around, name, tuple(defaults), closure)
        function.__kwdefaults__ = keywords
        around.setdefault(name, function)
        return function

    def _refer(self, value: Any) -> Any:
        return {"ref": [self._number(value), type(value).__name__[: wire.LONGEST_NAME]]}

    def _number(self, value: Any) -> int:
        self.references += 1
        if self.references > wire.MOST_REFERENCES:
            raise wire.WireError(f"more than {wire.MOST_REFERENCES:,} objects")
        number = self.numbers.get(id(value))
        if number is None:
            number, self.next = self.next, self.next + 1
            self.numbers[id(value)] = number
            self.objects[number] = value
        return number

    def _described(self, error: BaseException) -> dict[str, Any]:
        """An exception in JSON: its class, its built-in bases, its message and the learner's frames."""
        if isinstance(error, OutOfTime):
            return {"kinds": ["OutOfTime"]}
        kind = type(error)
        kinds = [base.__name__ for base in kind.__mro__ if base.__module__ == builtins.__name__]
        if getattr(error, "minitorch_hidden", False):
            kinds.insert(0, "Hidden")
        try:
            message = str(error)[:2000]
        except Exception:
            message = "(its message cannot be shown)"
        own = [base.__name__ for base in kind.__mro__ if base.__module__ != builtins.__name__]
        found = {"kinds": kinds, "own": own, "name": kind.__name__, "message": message, "frames": []}
        if isinstance(error, AttributeError):
            found["attribute"] = error.name if isinstance(error.name, str) else None
            found["of_none"] = error.obj is None
        for frame, line in traceback.walk_tb(error.__traceback__):
            name = frame.f_code.co_filename
            if name not in HERE:
                where = "library" if name.startswith((sys.prefix, sys.base_prefix)) else "learner"
                held = linecache.cache.get(name, ())
                if len(held) > 1 and held[1] is None:  # a cell
                    text = linecache.getline(name, line).strip()[:200]
                else:
                    text = f"({name.rpartition('/')[2][:40]})" if name.endswith(".py") else ""
                found["frames"].append([frame.f_code.co_name, line, "check" if name == CHECK else where, text])
        found["frames"] = found["frames"][-20:]
        return found
