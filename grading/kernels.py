"""Kernels in the jail, as nbclient drives them, each with a channel of its own to the judge."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zmq
from jupyter_client import AsyncKernelManager
from jupyter_client.asynchronous import AsyncKernelClient

from grading import jail
from grading.kernel.wire import Channel, WireError

SOCKETS = ("shell", "stdin", "control", "iopub")
START_SECONDS = 60.0
LARGEST = 16 << 20  # bytes of one message, to or from the kernel


class DeadKernel(Exception):
    """The kernel is gone; the message says why."""


class JailedKernelClient(AsyncKernelClient):
    """A client that takes no message of any length, and never looks again for a kernel that is gone."""

    def _create_connected_socket(self, channel: str, identity: bytes | None = None) -> Any:
        made = self.context.socket(zmq.SUB if channel == "iopub" else zmq.DEALER)
        made.linger = 0
        made.setsockopt(zmq.MAXMSGSIZE, LARGEST)
        made.setsockopt(zmq.RECONNECT_IVL, -1)
        made.setsockopt(zmq.RCVHWM, 200)
        if identity:
            made.identity = identity
        made.connect(self._make_url(channel))
        return made


class JailedKernel(AsyncKernelManager):
    """One kernel in its jail: its process, its folder, its sockets and its channel to the judge.

    Every socket that it listens on was made here, in a folder it cannot see, and handed down as a file descriptor.
    """

    client_class = "grading.kernels.JailedKernelClient"

    def launch(self, level: jail.Level, limits: jail.Limits, files: Path) -> JailedKernel:
        """Start the process; `wait_until_ready` before use. `files` are copied into its scratch folder."""
        self.level = level
        self.folder = Path(tempfile.mkdtemp(prefix="mt-"))  # 0700; short: a socket's path has at most 108 bytes
        self.transport, self.ip = "ipc", str(self.folder / "s")
        self.shell_port, self.stdin_port, self.control_port, self.iopub_port = range(1, len(SOCKETS) + 1)
        self.session.key = secrets.token_hex(16).encode()
        self.pid: int | None = None  # of the kernel
        self.init: int | None = None  # of process 1 of the jail
        mine, theirs = socket.socketpair()
        listening = []
        for port in range(1, len(SOCKETS) + 1):
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(f"{self.ip}-{port}")
            listener.listen(8)
            listening.append(listener)
        told, tell = os.pipe()
        given = [theirs.fileno(), *(listener.fileno() for listener in listening)]
        inside = level.name == "bubblewrap"
        program = [sys.executable, "-u", str(jail.KERNEL / "launcher.py"), str(theirs.fileno())]
        if inside:
            wrapped = jail.command(level, limits, files)
            program = [*wrapped[:-1], "--info-fd", str(tell), "--", *program]
            given.append(tell)
        home = self.folder / "home"  # and working directory, where there is no other inside of a jail
        if not inside:
            home.mkdir()
        try:
            self.process = subprocess.Popen(
                program,
                env=None if inside else jail.environment(str(home)),
                cwd=None if inside else home,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=given,
                start_new_session=True,
            )
        finally:
            for end in (theirs, *listening):
                end.close()
            os.close(tell)
        self._told = told
        self.channel = Channel(mine, LARGEST)
        config = {
            "limits": limits.as_rlimits(),
            "user": level.user,
            "jailed": inside,
            "sockets": given[1:5],
            "key": self.session.key.decode(),
            "largest": LARGEST,
            "most_output": 1_000_000,
            "hidden": list(jail.hidden()),
            "files": "/course" if inside else str(files),
        }
        self.channel.send(config, [])
        return self

    def wait_until_ready(self) -> None:
        """Wait for the kernel to listen.

        Raises:
            DeadKernel: when it does not start.
        """
        self.channel.ends = time.monotonic() + START_SECONDS
        try:
            self.channel.receive()
            if self.level.name == "bubblewrap":
                with open(self._told, encoding="utf-8", closefd=False) as info:
                    self.init = json.load(info)["child-pid"]
                # Process 1 of the jail is bubblewrap's: it ends with this process, and everything ends with it. The
                # kernel could not be that: whoever changes user, or asks for it, no longer ends with the parent.
                self.pid = int(Path(f"/proc/{self.init}/task/{self.init}/children").read_text().split()[0])
            else:
                self.pid = self.init = self.process.pid
        except (EOFError, OSError, WireError, ValueError, IndexError) as error:
            raise DeadKernel(f"the kernel did not start ({type(error).__name__})") from error

    @property
    def has_kernel(self) -> bool:
        return self.process is not None

    @property
    def ipykernel(self) -> bool:
        return False  # nothing to add to its command

    @contextlib.contextmanager
    def beside(self) -> Iterator[None]:
        """Inside, this process and the kernel share one processor, to talk with each other.

        One always waits for the other, and to wake a processor that sleeps takes ten times as long as to go on where
        the other has stopped.
        """
        if not hasattr(os, "sched_getaffinity"):  # macOS
            yield
            return
        before = os.sched_getaffinity(0)
        _run_on({ctypes.CDLL(None).sched_getcpu()}, self.pid, os.getpid())
        try:
            yield
        finally:
            _run_on(before, self.pid, os.getpid())

    async def _async_is_alive(self) -> bool:
        return self.process.poll() is None

    is_alive = _async_is_alive

    async def interrupt_kernel(self) -> None:
        self.interrupt()

    async def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:
        self.kill()

    async def cleanup_resources(self, restart: bool = False) -> None:
        self.close()

    def interrupt(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid or self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        """End it and all that it started."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                if self.level.name == "process":
                    os.killpg(self.process.pid, signal.SIGKILL)
                elif self.init is not None:
                    os.kill(self.init, signal.SIGKILL)
            self.process.kill()
        self.process.wait()

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self.channel.socket.close()
        with contextlib.suppress(OSError):
            os.close(self._told)
        shutil.rmtree(self.folder, ignore_errors=True)


def _run_on(processors: set[int], *processes: int) -> None:
    """Have all threads of processes run there."""
    for process in processes:
        with contextlib.suppress(OSError):  # it is gone
            for thread in os.listdir(f"/proc/{process}/task"):
                with contextlib.suppress(OSError):
                    os.sched_setaffinity(int(thread), processors)


class KernelSupply:
    """Kernels, each used once. While one is at work the next one starts, so that nobody waits for it.

    Attributes:
        expected: how many more will be taken.
    """

    def __init__(self, level: jail.Level, limits: jail.Limits, files: Path) -> None:
        self.level, self.limits, self.files = level, limits, files
        self.expected = 0
        self.spare: JailedKernel | None = None

    def __enter__(self) -> KernelSupply:
        self.spare = self._launch()
        return self

    def __exit__(self, *_: Any) -> None:
        if self.spare is not None:
            self.spare.close()

    def take(self) -> JailedKernel:
        """A kernel that is ready, to be closed by the caller.

        Raises:
            DeadKernel: when it does not start.
        """
        self.expected -= 1
        try:
            kernel = self._ready()
        except (DeadKernel, OSError):  # the machine may have been full for a moment
            kernel = self._ready()
        if self.expected > 0:
            with contextlib.suppress(OSError):
                self.spare = self._launch()
        return kernel

    def _ready(self) -> JailedKernel:
        kernel, self.spare = self.spare or self._launch(), None
        try:
            kernel.wait_until_ready()
        except BaseException:
            kernel.close()
            raise
        return kernel

    def _launch(self) -> JailedKernel:
        return JailedKernel().launch(self.level, self.limits, self.files)
