"""Processes that have imported what others need: a copy of one starts in a tenth of the time that a new one takes."""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grading import jail

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 120.0  # to import all that, on a machine that is busy


class Warm:
    """A process that becomes one copy of itself more for each request.

    A request is a packet: a document in JSON, with descriptors. The first of them is the way back, so that several
    processes can ask; on it the copy's number is sent, with a descriptor of it where there is such a thing, or what is
    wrong. The process ends when nobody can ask any more, its copies go on.

    Args:
        command: what to run, but for its last argument: the number of the descriptor where requests come in.
        options: of subprocess.Popen.
    """

    def __init__(self, command: Sequence[str], folder: Path | str, **options: Any) -> None:
        kind = socket.SOCK_SEQPACKET if sys.platform.startswith("linux") else socket.SOCK_STREAM
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, kind)
        with theirs:
            self.process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is not for it
                **options,
            )

    def copy(self, document: Any, given: Sequence[int]) -> tuple[int, int | None]:
        """One copy more: its number, and a descriptor of it, which stays right when the number is given to another.

        Raises:
            ProcessLookupError: when there is nothing any more to copy.
            OSError: when it cannot be done.
        """
        answer, theirs = socket.socketpair()
        answer.settimeout(SECONDS)
        with answer:
            with theirs:
                try:
                    socket.send_fds(self.socket, [json.dumps(document).encode("ascii")], [theirs.fileno(), *given])
                except BrokenPipeError:
                    raise ProcessLookupError("the process has ended") from None
            said, descriptors, _, _ = socket.recv_fds(answer, 1000, 1)
        if not said:
            raise ProcessLookupError("the process has ended")
        if not said.isdigit():
            raise OSError(said.decode("utf-8", "replace"))
        return int(said), descriptors[0] if descriptors else None

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        self.socket.close()


class Workers(Warm):
    """The process that loads the tests, and what they need; its copies grade (see worker.py).

    Args:
        home: a folder for all that it and they make.
        assignment: whose tests it loads.
        oracle: what they compare answers with.
    """

    def __init__(self, home: str, assignment: str, oracle: str) -> None:
        self.home, self.loaded = home, (assignment, oracle)
        command = [sys.executable, "-m", "grading.worker", home, assignment, oracle]
        super().__init__(command, ROOT, env={**os.environ, **jail.ONE_THREAD})


_workers: Workers | None = None
_home: tempfile.TemporaryDirectory | None = None


def workers(assignment: str, oracle: str) -> Workers:
    """This process's, for an assignment and what answers are compared with.

    Begun with the first call, it takes some seconds to load.
    """
    global _workers, _home
    if _home is None:
        _home = tempfile.TemporaryDirectory(prefix="mt-", ignore_cleanup_errors=True)
    if _workers is not None and _workers.loaded != (assignment, oracle):
        forget_workers()  # its copies go on
    if _workers is None:
        _workers = Workers(_home.name, assignment, oracle)
    return _workers


def forget_workers() -> None:
    """Have the next worker be the copy of another process: this one has ended."""
    global _workers
    if _workers is not None:
        _workers.close()
        _workers = None


@atexit.register
def end_workers() -> None:
    """End the process, and remove the folder: no worker is left."""
    global _home
    forget_workers()
    if _home is not None:
        _home.cleanup()
        _home = None
