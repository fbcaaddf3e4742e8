"""Kernels as Jupyter sees them; each is used once, and the next one starts meanwhile."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

import zmq
from jupyter_client import KernelManager
from jupyter_client.blocking import BlockingKernelClient

from grading import jail
from grading.kernel.wire import SOCKETS
from grading.limits import Limits
from grading.processes import MOST_GROWTH, DeadKernel, Zygote, started

MOST_WAITING = 10_000  # messages at either end: of more some are lost, such as that a cell has come to its end


class JailedKernelClient(BlockingKernelClient):
    """A client that takes no message of any length, and never looks again for a kernel that is gone."""

    def _create_connected_socket(self, channel: str, identity: bytes | None = None) -> Any:
        made = self.context.socket(zmq.SUB if channel == "iopub" else zmq.DEALER)
        made.linger = 0
        made.setsockopt(zmq.MAXMSGSIZE, MOST_GROWTH)  # a value that is shown comes whole, and is cut here
        made.setsockopt(zmq.RECONNECT_IVL, -1)
        made.setsockopt(zmq.RCVHWM, MOST_WAITING)
        made.setsockopt(zmq.SNDTIMEO, 0)  # else it waits for ever to send where the kernel has hung up
        if identity:
            made.identity = identity
        made.connect(self._make_url(channel))
        return made


class JailedKernel(KernelManager):
    """Jupyter's face of a kernel's process: the sockets by which it is told what to run, and shows what came of it.

    Every socket that it listens on was made here, in a folder it cannot see, and handed down as a file descriptor.

    Args:
        zygote: of which it is a copy; without one, it starts by itself.

    Raises:
        OSError: when it cannot be started, such as when the zygote cannot enter the jail.
    """

    client_factory = JailedKernelClient

    def __init__(self, level: jail.Level, limits: Limits, files: Path, zygote: Zygote | None = None) -> None:
        super().__init__()
        self._made = contextlib.ExitStack()  # what `close` closes, the last one first
        folder = tempfile.mkdtemp(prefix="mt-")  # 0700
        self._made.callback(shutil.rmtree, folder, ignore_errors=True)
        # A socket's path has at most 108 bytes, and a folder for temporary files may be deep: this path is short.
        opened = os.open(folder, os.O_RDONLY)
        self._made.callback(os.close, opened)
        short = f"/proc/self/fd/{opened}"
        self.transport, self.ip = "ipc", f"{short if os.path.isdir(short) else folder}/s"
        self.session.key = secrets.token_hex(16).encode()
        told = {"key": self.session.key.decode(), "most_waiting": MOST_WAITING}
        try:
            with contextlib.ExitStack() as stack:
                listening = []
                for port, name in enumerate(SOCKETS, 1):
                    setattr(self, f"{name}_port", port)
                    listening.append(stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)))
                    listening[-1].bind(f"{self.ip}-{port}")
                    listening[-1].listen(8)
                self.process = started(zygote, level, limits, files, listening, told)
            self._made.callback(self.process.close)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._made.close()


class KernelSupply:
    """Kernels, each used once. While one is at work the next one starts, so that nobody waits for it.

    Args:
        zygote: of which kernels are copies; without one, every kernel starts by itself.

    Attributes:
        expected: how many more will be taken.
    """

    def __init__(self, level: jail.Level, limits: Limits, files: Path, zygote: Zygote | None) -> None:
        self.level, self.limits, self.files, self.zygote = level, limits, files, zygote
        self.expected = 0
        self.spare: JailedKernel | None = None

    def close(self) -> None:
        if self.spare is not None:
            self.spare.close()

    def take(self) -> JailedKernel:
        """A kernel that is ready, to be closed by the caller.

        Raises:
            DeadKernel: when it does not start.
        """
        self.expected -= 1
        kernel = self._ready()
        if self.expected > 0:
            with contextlib.suppress(OSError):
                self.spare = self._launch()
        return kernel

    def _ready(self) -> JailedKernel:
        try:
            kernel, self.spare = self.spare or self._launch(), None
        except OSError as error:
            raise DeadKernel(f"no kernel can be started ({error})") from error
        try:
            kernel.process.wait_until_ready()
        except BaseException:
            kernel.close()
            raise
        return kernel

    def _launch(self) -> JailedKernel:
        if self.zygote is not None:
            try:
                return JailedKernel(self.level, self.limits, self.files, self.zygote)
            except ProcessLookupError:  # it was killed
                self.zygote = None
            except OSError:  # Linux does not allow it here, or has no room for it now
                pass
        return JailedKernel(self.level, self.limits, self.files)
