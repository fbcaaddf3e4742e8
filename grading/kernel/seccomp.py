"""What Linux refuses to all processes of the jail: system calls that no namespace covers (seccomp, in BPF).

Refused are sockets to the machine below a virtual one and other rare families, namespaces of the learner's own, in
which much of Linux can be reached that is not made for strangers, and keyrings, which outlive a process.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import socket
import struct
import sys

FAMILIES = (socket.AF_UNIX, socket.AF_INET, 10, 16)  # of sockets that a namespace covers; AF_INET6, AF_NETLINK
CLONE_NEWUSER, CLONE3 = 0x10000000, 435
CALLS = {  # by machine: what audits call it, then numbers of system calls
    "x86_64": {"audit": 0xC000003E, "socket": 41, "clone": 56, "unshare": 272, "keys": (248, 249, 250)},
    "aarch64": {"audit": 0xC00000B7, "socket": 198, "clone": 220, "unshare": 97, "keys": (217, 218, 219)},
}


def program() -> bytes:
    """The filter; nothing for a machine whose numbers are not known here."""
    calls = CALLS.get(platform.machine())
    if not sys.platform.startswith("linux") or calls is None:
        return b""

    def step(code: int, value: int, if_so: int = 0, if_not: int = 0) -> bytes:
        return struct.pack("HBBI", code, if_so, if_not, value)

    def answer(error: int) -> bytes:
        return step(0x06, 0x00050000 | error if error else 0x7FFF0000)

    def where(code: int, value: int, *steps: bytes) -> list[bytes]:
        return [step(code, value, 0, len(steps)), *steps]

    equal, at_least, any_bit = 0x15, 0x35, 0x45
    number, machine, argument = (step(0x20, place) for place in (0, 4, 16))
    families = [each for family in FAMILIES for each in where(equal, family, answer(0))]
    spaces = [argument, *where(any_bit, CLONE_NEWUSER, answer(errno.EPERM)), answer(0)]
    steps = [machine, step(equal, calls["audit"], 1), answer(errno.EPERM), number]
    steps += where(at_least, 0x40000000, answer(errno.EPERM))  # the same calls under other numbers
    steps += where(equal, calls["socket"], argument, *families, answer(errno.EAFNOSUPPORT))
    steps += [*where(equal, calls["clone"], *spaces), *where(equal, calls["unshare"], *spaces)]
    steps += where(equal, CLONE3, answer(errno.ENOSYS))  # its flags cannot be seen: clone is used instead
    steps += [each for call in calls["keys"] for each in where(equal, call, answer(errno.EPERM))] + [answer(0)]
    return b"".join(steps)


def install() -> None:
    """Put the filter on this process and its children.

    Raises:
        OSError: when this Linux cannot do so.
    """
    if not sys.platform.startswith("linux"):
        return
    libc, code = ctypes.CDLL(None, use_errno=True), program()
    buffer = ctypes.create_string_buffer(code)
    whole = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(buffer)))
    if libc.prctl(38, 1, 0, 0, 0) or (code and libc.prctl(22, 2, whole)):  # PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP
        raise OSError(ctypes.get_errno(), "no system calls can be refused")
