"""What crosses between the judge and the learner's kernel: JSON plus raw array bytes, never pickle.

A message is two lengths, a JSON document and the bytes of its arrays one after the other. Both sides use this file.
The judge takes nothing for granted of what it reads: types, lengths, counts and nesting are checked.

| value | in JSON |
| --- | --- |
| None, a bool, an int, a float, a str | itself |
| list, tuple, slice, iterator over a list | {"list": [...]}, {"tuple": [...]}, {"slice": [...]}, {"iter": [...]} |
| dict (also OrderedDict, defaultdict) with plain keys, Counter | {"dict": [[key, value], ...]}, {"counter": [...]} |
| set, frozenset of plain values | {"set": [...]}, {"frozenset": [...]} |
| complex, bytes, range | {"complex": [real, imaginary]}, {"bytes": text}, {"range": [start, stop, step]} |
| np.ndarray | {"array": [dtype, shape, writeable, reference]}, its bytes in C order after the JSON |
| NumPy scalar, scalar type, dtype | {"scalar": dtype} and its bytes, {"type": name}, {"dtype": name} |
| an array of texts | {"texts": [shape, [text, ...]]} |
| any other array, or one that is too large | {"shape": [dtype kind, shape]} |
| any other object of the kernel | {"ref": [number, class name]} |
| from the judge only: a function of a test, with what it reads | {"function": [code, name, values]} |
| from the judge only: a module, or something in it | {"global": [module, name]} |
"""

from __future__ import annotations

import contextlib
import json
import math
import socket
import struct
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

SOCKETS = (
    "shell",
    "stdin",
    "control",
    "iopub",
)  # that a kernel listens on, by Jupyter's names
LARGEST = 16 << 20  # bytes of one message, to or from a kernel
HEAD = struct.Struct("<II")
_JSON = json.JSONEncoder(separators=(",", ":")).encode
KINDS = "biufc"  # NumPy's kinds of numbers; their bytes hold no pointers
DEEPEST = 8  # containers within containers
MOST_ROWS = 1_000_000  # of an array without elements; numbers of a range
MOST_ELEMENTS = 1 << 24  # in one message, of such arrays and the characters of arrays of texts together
MOST_VALUES = 100_000  # in one message
MOST_REFERENCES = 2000  # to objects, in one message
MOST_UNASKED = 100  # attributes in one message that nobody has asked for yet
MOST_PRINTED = 2000  # characters of what is printed meanwhile: more than a report shows
LONGEST_NAME = 1000  # characters of a class's name, which is kept as it comes
MOST_TEXTS = 10_000  # in one array
LARGEST_INT = 1 << 14_000  # Python prints and reads integers of at most 4,300 figures; this has 4,215
MOST_PAIRS = 1000  # of one dict or set: numbers can be chosen that Python sorts into one place
OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift")
LIST_ITERATOR = type(iter([]))
PLAIN = {type(None), bool, int, float, str}  # kinds of values that JSON has
MADE_OF_ITEMS = {"list": list, "tuple": tuple, "iter": iter, "slice": lambda items: slice(*items)}
SAME = {id(kind) for kind in PLAIN - {int}}  # that cross as they are; a class of the learner's may have no hash


class WireError(Exception):
    """The other side sent something that is no message, or a value does not fit into one."""


class Channel:
    """One end of a stream socket that carries messages.

    Args:
        end: the socket.
        largest: bytes that a message may have. A quarter of them may be JSON, which takes many times that in memory.
    """

    def __init__(self, end: socket.socket, largest: int) -> None:
        self.socket, self.largest = end, largest
        self.received = 0  # bytes of all messages
        self.ends = math.inf  # when to give up waiting, on the monotonic clock
        self.is_over: Callable[[], bool] = lambda: False  # asked now and then while waiting: whether to give up
        # Waking up now and then costs less than a new time limit for each message. It must be more often than the
        # alarm of a deadline rings, ten times a second: Python starts to wait anew after each signal.
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            end.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", 0, 40_000))

    def send(self, document: Any, blobs: list[bytes]) -> None:
        """Send a message.

        Raises:
            WireError: when it is too long.
            TimeoutError: when the other side does not take it in time.
        """
        text = _JSON(document).encode("ascii")
        size = sum(map(len, blobs))
        self._check(len(text), size)
        left = memoryview(b"".join([HEAD.pack(len(text), size), text, *blobs]))
        while left:
            with contextlib.suppress(BlockingIOError):
                left = left[self.socket.send(left) :]
            if left:
                self._in_time()

    def receive(self) -> tuple[Any, bytes]:
        """The next message: its document, and the bytes of its arrays.

        Raises:
            WireError: for anything else.
            EOFError: at the end.
            TimeoutError: when it does not come in time.
        """
        got = bytearray()
        text, size = HEAD.unpack_from(self._at_least(HEAD.size, got))
        self._check(text, size)
        start = HEAD.size + text
        self._at_least(start + size, got)
        if len(got) > start + size:
            raise WireError("more than one message")
        self.received += len(got)
        try:
            return json.loads(bytes(got[HEAD.size : start])), bytes(got[start:])
        except (ValueError, RecursionError) as error:
            raise WireError(f"not a message ({type(error).__name__})") from None

    def _check(self, text: int, size: int) -> None:
        if text + size > self.largest:
            raise WireError(f"a message of {text + size:,} bytes is too long: at most {self.largest:,}")
        if text > self.largest // 4:
            raise WireError(f"a message with {text:,} bytes of JSON is too long: at most {self.largest // 4:,}")

    def _at_least(self, count: int, got: bytearray) -> bytearray:
        while len(got) < count:
            try:
                part = self.socket.recv(65536)
            except BlockingIOError:
                self._in_time()
                continue
            if not part:
                raise EOFError
            got += part
            if len(got) < count:
                self._in_time()
        return got

    def _in_time(self) -> None:
        if time.monotonic() > self.ends or self.is_over():
            raise TimeoutError


class Encoder:
    """Values as JSON and bytes.

    Args:
        refer: gives the form of an object that stays where it is.
        number: gives the number by which the other side knows an array, or None.
        largest: bytes of all arrays together.
        iterators: whether an iterator over a list is handed over, with what is left in it.
    """

    def __init__(
        self,
        refer: Callable[[Any], Any],
        number: Callable[[np.ndarray], int | None],
        largest: int,
        iterators: bool = False,
    ) -> None:
        self.refer, self.number, self.left, self.iterators = refer, number, largest, iterators
        self.blobs: list[bytes] = []
        self.left_out = False  # whether there was an array whose values stay here

    def encode(self, value: Any, deep: int = 0) -> Any:
        kind = type(value)
        if id(kind) in SAME:
            return value
        if kind is int:
            return value if -LARGEST_INT < value < LARGEST_INT else self.refer(value)
        if deep < DEEPEST:
            if kind is list or kind is tuple:
                if SAME.issuperset(map(id, map(type, value))):  # most of what programs show
                    return {kind.__name__: [*value]}
                return {kind.__name__: [self.encode(item, deep + 1) for item in value]}
            if kind in (dict, OrderedDict, defaultdict, Counter) and _are_keys(value):
                pairs = [[self.encode(k, deep + 1), self.encode(v, deep + 1)] for k, v in value.items()]
                return {"counter" if kind is Counter else "dict": pairs}
            if kind in (set, frozenset) and _are_keys(value):
                return {kind.__name__: [self.encode(item, deep + 1) for item in value]}
            if kind is LIST_ITERATOR and self.iterators:
                return {"iter": [self.encode(item, deep + 1) for item in value]}
            if kind is slice:
                return {"slice": [self.encode(n, deep + 1) for n in (value.start, value.stop, value.step)]}
            if kind is range and not value[MOST_ROWS:]:
                bounds = [value.start, value.stop, value.step]
                return {"range": bounds} if all(map(_is_key, bounds)) else self.refer(value)
        if kind is complex:
            return {"complex": [value.real, value.imag]}
        if kind is bytes:
            return {"bytes": value.decode("latin-1")}
        if isinstance(value, np.ndarray) and kind.__module__.partition(".")[0] == "numpy":
            return self._array(value)
        if isinstance(value, np.generic) and not isinstance(value, np.str_):
            if value.dtype.kind not in KINDS:
                self.left_out = True
                return {"shape": [value.dtype.kind, []]}
            self.blobs.append(value.tobytes())
            return {"scalar": value.dtype.str}
        if isinstance(value, type) and issubclass(value, np.generic) and value.__module__ == "numpy":
            return {"type": value.__name__}
        if isinstance(value, np.dtype) and value.kind in KINDS:
            return {"dtype": value.str}
        for plain in (str, int, float):  # what is derived from them counts as them
            if isinstance(value, plain):
                return plain.__str__(value) if plain is str else self.encode(plain.__pos__(value))
        return self.refer(value)

    def _array(self, value: np.ndarray) -> Any:
        value_bytes = value.size * value.itemsize
        if value.dtype.kind == "U" and value.size <= MOST_TEXTS and value_bytes <= self.left:
            self.left -= value_bytes
            return {"texts": [list(value.shape), value.ravel().tolist()]}
        if value.dtype.kind not in KINDS or value_bytes > self.left:
            self.left_out = True
            return {"shape": [value.dtype.kind, list(value.shape)]}
        self.left -= value_bytes
        self.blobs.append(np.ascontiguousarray(value).tobytes())
        return {"array": [value.dtype.str, list(value.shape), bool(value.flags.writeable), self.number(value)]}


class Decoder:
    """Values from JSON and bytes.

    Args:
        data: the bytes of all arrays.
        dereference: gives the object of a reference.
        array: gives an array to hand out, from (array, writeable, reference).
        described: gives what stands for an array whose values did not come, from (dtype kind, shape).
        build: gives what code of the judge's stands for, from its tag and form; nobody builds what comes from a kernel.

    Nothing is built from a number before it is checked: what takes no bytes on the way could fill the memory here.
    """

    def __init__(
        self,
        data: bytes,
        dereference: Callable[[Any], Any],
        array: Callable[[np.ndarray, bool, Any], np.ndarray],
        described: Callable[[str, tuple[int, ...]], Any],
        build: Callable[[str, Any, Callable[[Any], Any]], Any] | None = None,
    ) -> None:
        self.data, self.at, self.values, self.elements = data, 0, 0, 0
        self.dereference, self.array, self.described, self.build = dereference, array, described, build

    def decode(self, form: Any, deep: int = 0) -> Any:
        """The value of its JSON form.

        Raises:
            WireError: when it is none.
        """
        self.values += 1
        if self.values > MOST_VALUES:
            raise WireError("too many values")
        if type(form) in PLAIN:
            return form
        if type(form) is not dict or len(form) != 1 or deep > DEEPEST + 1:
            raise WireError("not a value")
        ((tag, inside),) = form.items()
        try:
            return self._decode(tag, inside, deep)
        except (TypeError, ValueError, KeyError, OverflowError, AttributeError, RecursionError) as error:
            raise WireError(f"not a value ({type(error).__name__})") from None

    def _decode(self, tag: str, inside: Any, deep: int) -> Any:
        if tag == "ref":
            return self.dereference(inside)
        if tag in MADE_OF_ITEMS:
            if type(inside) is not list:
                raise WireError("not a value")
            if PLAIN.issuperset(map(type, inside)) and len(inside) <= MOST_VALUES - self.values:
                self.values += len(inside)
                items = inside
            else:
                items = [self.decode(item, deep + 1) for item in inside]
            return MADE_OF_ITEMS[tag](items)
        if tag in ("dict", "counter") and len(inside) <= MOST_PAIRS:
            pairs = {self._key(key, deep): self.decode(value, deep + 1) for key, value in inside}
            return pairs if tag == "dict" else Counter(pairs)
        if tag in ("set", "frozenset") and len(inside) <= MOST_PAIRS:
            return {"set": set, "frozenset": frozenset}[tag](self._key(item, deep) for item in inside)
        if tag == "range" and all(type(n) is int for n in inside):
            found = range(*inside)
            if found[MOST_ROWS:]:
                raise WireError("too long a range")
            return found
        if tag == "complex" and all(type(n) is float for n in inside):
            return complex(*inside)
        if tag == "bytes":
            return inside.encode("latin-1")
        if tag == "texts":
            shape, texts = inside
            shape = _shape(shape)
            if any(type(text) is not str for text in texts):
                raise WireError("not a text")
            # NumPy gives each text of an array as much room as the longest.
            self.elements += len(texts) * max(map(len, texts), default=0)
            if len(texts) > MOST_TEXTS or self.elements > MOST_ELEMENTS:
                raise WireError("too much text")
            if extent(shape) > MOST_ROWS:
                return self.described("U", shape)
            return np.array(texts, str).reshape(shape)
        if tag == "array":
            dtype, shape, writeable, reference = inside
            dtype, shape = _dtype(dtype), _shape(shape)
            if 0 in shape and extent(shape) > MOST_ROWS:
                return self.described(dtype.kind, shape)
            return self.array(self._numbers(dtype, shape), writeable is True, reference)
        if tag == "scalar":
            return self._numbers(_dtype(inside), ())[()]
        if tag == "type":
            return np.sctypeDict[inside]
        if tag == "dtype":
            return _dtype(inside)
        if tag == "shape":
            kind, shape = inside
            if type(kind) is not str or len(kind) != 1:
                raise WireError("not a kind")
            return self.described(kind, _shape(shape))
        if tag in ("function", "global") and self.build is not None:
            return self.build(tag, inside, self.decode)
        raise WireError("not a value")

    def _key(self, form: Any, deep: int) -> Any:
        key = self.decode(form, deep + 1)
        if not _is_key(key):
            raise WireError("not a key")
        return key

    def _numbers(self, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
        start, self.at = self.at, self.at + math.prod(shape) * dtype.itemsize
        if self.at > len(self.data):
            raise WireError("an array is longer than its bytes")
        if self.at == start:
            self.elements += extent(shape)
            if self.elements > MOST_ELEMENTS:
                raise WireError("too many rows without elements")
            return np.zeros(shape, dtype)
        return np.frombuffer(self.data, np.uint8, self.at - start, start).view(dtype).reshape(shape).copy()


def extent(shape: tuple[int, ...]) -> int:
    """How many things an array would be as lists: its elements, or its rows where these have none."""
    return math.prod(max(n, 1) for n in shape)


def stand_in(kind: str, shape: tuple[int, ...]) -> np.ndarray:
    """For an array whose values did not come: one element stands for all of them."""
    return np.broadcast_to(np.zeros((), kind if kind in "OSUVMm" else "O"), shape)


def _is_key(value: Any) -> bool:
    """Whether a value is plain, and its hash Python's own."""
    kind = type(value)
    if kind in (tuple, frozenset):
        return all(map(_is_key, value))
    if kind is int:
        return -LARGEST_INT < value < LARGEST_INT
    if isinstance(value, np.generic):
        return value.dtype.kind in KINDS or isinstance(value, np.str_)
    return value is None or kind in (bool, float, str, complex, bytes)


def _are_keys(values: Any) -> bool:
    return len(values) <= MOST_PAIRS and all(map(_is_key, values))


def _dtype(text: Any) -> np.dtype:
    if type(text) is not str or len(text) > 6 or text[1:2] not in KINDS or not text[2:].isdigit():
        raise WireError("not a dtype")
    return np.dtype(text)


def _shape(shape: Any) -> tuple[int, ...]:
    if type(shape) is not list or len(shape) > 32 or any(type(n) is not int or not 0 <= n < 1 << 40 for n in shape):
        raise WireError("not a shape")
    return tuple(shape)
