"""Starts the learner's kernel inside the jail: limits first, then an ordinary ipykernel on sockets made outside.

The judge made the sockets that listen, and gives them down as file descriptors: the kernel needs neither a network nor
a folder that both sides can write to.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import io
import os
import resource
import shutil
import socket
import sys
from typing import Any

import wire


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
    if config["user"] is not None:
        os.setgroups([])
        os.setgid(config["user"])
        os.setuid(config["user"])
        header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        ctypes.CDLL(None).capset(header, nothing)  # what could be inherited, too


class Hider:
    """Finds, in place of libraries, the package that says that they are not there."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name in self.names:
            return importlib.util.spec_from_file_location(name, f"{os.path.dirname(__file__)}/hidden/__init__.py")
        return None


def warm_up() -> None:
    """Import what notebooks import, and draw once: fonts are looked up and read at the first drawing."""
    import tqdm  # noqa: F401
    from matplotlib import pyplot
    from matplotlib_inline import backend_inline  # noqa: F401

    figure, (curves, picture) = pyplot.subplots(1, 2)
    curves.loglog([1, 2], [1, 2], label="$10^{-1}$")
    curves.legend()
    picture.imshow([[0, 1]])
    figure.savefig(io.BytesIO(), format="png", bbox_inches="tight")
    pyplot.close(figure)


def main() -> None:
    channel = wire.Channel(socket.socket(fileno=int(sys.argv[1])), 1 << 24)
    config, _ = channel.receive()
    channel.largest = config["largest"]
    for entry in os.scandir(config["files"]):
        (shutil.copytree if entry.is_dir() else shutil.copy)(entry.path, entry.name)
    limit(config)
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

    import server

    serving = server.Server(channel)
    server.answer = lambda: serving.serve(shell.user_ns)  # what the judge has the kernel execute
    with contextlib.suppress(Exception):  # what every notebook needs, while there is time
        warm_up()
    channel.send({"value": "ready"}, [])
    app.start()


if __name__ == "__main__":
    main()
