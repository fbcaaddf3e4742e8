"""Starts the learner's kernel inside the jail: limits first, then an ordinary ipykernel on sockets made outside.

The judge made the sockets that listen, and gives them down as file descriptors: the kernel needs neither a network nor
a folder that both sides can write to.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import importlib.util
import io
import os
import platform
import resource
import shutil
import socket
import struct
import sys
from typing import Any

import wire

USERS = 1_000_000  # that a kernel may become one of, where the jail was entered as root
FAMILIES = (socket.AF_UNIX, socket.AF_INET, 10, 16)  # of sockets that a namespace covers; AF_INET6, AF_NETLINK
CLONE_NEWUSER, CLONE3 = 0x10000000, 435
CALLS = {  # by machine: what audits call it, then numbers of system calls
    "x86_64": {"audit": 0xC000003E, "socket": 41, "clone": 56, "unshare": 272, "keys": (248, 249, 250)},
    "aarch64": {"audit": 0xC00000B7, "socket": 198, "clone": 220, "unshare": 97, "keys": (217, 218, 219)},
}


class Limited:
    """A stream that swallows what a cell prints beyond `most` characters, and says so once."""

    def __init__(self, stream: Any, most: int) -> None:
        self._stream, self._most, self._left = stream, most, most
        self._write = stream.write
        stream.write = self.write

    def write(self, text: str) -> int:
        if not isinstance(text, str) or len(text) <= self._left:
            self._left -= len(text) if isinstance(text, str) else 0
            return self._write(text)
        if self._left >= 0:
            self._write(text[: self._left])
            self._write(f"\n... more than {self._most:,} characters printed: the rest is left out ...\n")
            self._left = -1
        return len(text)

    def reset(self, *_: Any) -> None:
        self._left = self._most


def limit(config: dict[str, Any]) -> None:
    """Set the limits of this process and its children, and give up root if the jail was entered with it."""
    for name, value in config["limits"].items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is not None:
            hard = resource.getrlimit(kind)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            with contextlib.suppress(ValueError, OSError):  # macOS has no limit on the address space
                resource.setrlimit(kind, (value, value))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # when the machine is out of memory, this goes first
    if config["user"] is not None:
        # A user of its own: Linux counts the processes of one user in all jails together.
        user = config["user"] + int.from_bytes(os.urandom(4), "little") % USERS
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
        header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        ctypes.CDLL(None).capset(header, nothing)  # what could be inherited, too


def refuse_calls() -> None:
    """Have Linux refuse what no namespace of the jail covers, to this process and its children (seccomp, in BPF).

    Refused are sockets to the machine below a virtual one and other rare families, namespaces of the learner's own, in
    which much of Linux can be reached that is not made for strangers, and keyrings, which outlive a process.

    Raises:
        OSError: when this Linux cannot do so.
    """
    calls = CALLS.get(platform.machine())
    if not sys.platform.startswith("linux") or calls is None:
        return

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
    program = [machine, step(equal, calls["audit"], 1), answer(errno.EPERM), number]
    program += where(at_least, 0x40000000, answer(errno.EPERM))  # the same calls under other numbers
    program += where(equal, calls["socket"], argument, *families, answer(errno.EAFNOSUPPORT))
    program += [*where(equal, calls["clone"], *spaces), *where(equal, calls["unshare"], *spaces)]
    program += where(equal, CLONE3, answer(errno.ENOSYS))  # its flags cannot be seen: clone is used instead
    program += [each for call in calls["keys"] for each in where(equal, call, answer(errno.EPERM))] + [answer(0)]
    code = ctypes.create_string_buffer(b"".join(program))
    whole = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, whole):  # PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP
        raise OSError(ctypes.get_errno(), "no system calls can be refused")


class Hider:
    """Finds, in place of libraries and their parts, the package that stands for them."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.partition(".")[0] not in self.names:
            return None
        place = f"{os.path.dirname(__file__)}/hidden"
        return importlib.util.spec_from_file_location(name, f"{place}/__init__.py", submodule_search_locations=[])


def warm_up() -> None:
    """Import what notebooks import, and draw once."""
    import tqdm  # noqa: F401
    from matplotlib import pyplot
    from matplotlib_inline import backend_inline  # noqa: F401

    figure, axes = pyplot.subplots(figsize=(1, 1))
    axes.plot([1, 2])
    figure.savefig(io.BytesIO(), format="png")
    pyplot.close(figure)


def main() -> None:
    channel = wire.Channel(socket.socket(fileno=int(sys.argv[1])), 1 << 24)
    config, _ = channel.receive()
    channel.largest = config["largest"]
    for entry in os.scandir(config["files"]):
        (shutil.copytree if entry.is_dir() else shutil.copy)(entry.path, entry.name)
    limit(config)
    if config["jailed"]:
        refuse_calls()
    sys.meta_path.insert(0, Hider(config["hidden"]))

    import zmq
    from ipykernel.kernelapp import IPKernelApp

    class App(IPKernelApp):
        """ipykernel on listening sockets that it is given."""

        def _try_bind_socket(self, s: Any, port: int) -> int:
            s.setsockopt(zmq.USE_FD, config["sockets"][port - 1])
            s.bind(f"ipc://minitorch-{port}")
            return port

        def init_connection_file(self) -> None:
            self.transport, self.ip = "ipc", "minitorch"
            self.shell_port, self.stdin_port, self.control_port, self.iopub_port = 1, 2, 3, 4
            self.session.key = config["key"].encode("ascii")

        def init_control(self, context: Any) -> None:
            super().init_control(context)
            self.debug_shell_socket.close(linger=0)  # it would look for a path that is not there, for ever

        def init_heartbeat(self) -> None:
            pass

        def init_poller(self) -> None:
            pass

        def write_connection_file(self, **kwargs: Any) -> None:
            pass

        def log_connection_info(self) -> None:
            pass

    app = App.instance()
    app.initialize(["--HistoryManager.enabled=False", "--IPKernelApp.no_stdout=False"])
    shell = app.shell

    for stream in (sys.stdout, sys.stderr):
        shell.events.register("pre_execute", Limited(stream, config["most_output"]).reset)

    shell.ask_exit = lambda: print("exit: while grading, the notebook goes on.")

    import server

    serving = server.Server(channel)
    server.answer = lambda: serving.serve(shell.user_ns)  # what the judge has the kernel execute
    with contextlib.suppress(Exception):  # what every notebook needs, while there is time
        warm_up()
    channel.send({"value": "ready"}, [])
    app.start()


if __name__ == "__main__":
    main()
