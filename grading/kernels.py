"""Kernels in the jail, as nbclient drives them, each with a channel of its own to the judge."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zmq
from jupyter_client import AsyncKernelManager
from jupyter_client.asynchronous import AsyncKernelClient

from checks.observe import Deadline
from grading import cgroups, jail
from grading.budget import memory
from grading.kernel.wire import Channel, WireError
from grading.warm import Warm

SOCKETS = ("shell", "stdin", "control", "iopub")
START_SECONDS = 60.0
PROGRAM = os.path.realpath(sys.executable)
LARGEST = 16 << 20  # bytes of one message, to or from the kernel
MOST_GROWTH = 512 << 20  # bytes that this process may take while it listens to one kernel
MOST_WAITING = 10_000  # messages at either end: of more some are lost, such as that a cell has come to its end
GRACE = 6.0  # seconds of processor time that a cell has to stop
END_SECONDS = 10.0  # to end, for a kernel that has closed its channel: Linux does that first
HUNG_UP = "the kernel has closed the connection on which it is told what to run"
LOST = "its kernel was ended from outside"


class DeadKernel(Exception):
    """The kernel is gone; the message says why."""


class JailedKernelClient(AsyncKernelClient):
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


@functools.cache
def _waiting() -> str:
    """What process 1 of a jail runs, for a copy of the zygote: it waits for the end of what it reads.

    It ignores that its children end, so that processes that lost their parent do not stay as zombies: where `env` can
    have it so, which is in coreutils since 8.31.
    """
    ignoring = "env --ignore-signal=CHLD"
    known = subprocess.run([*ignoring.split(), "true"], stderr=subprocess.DEVNULL).returncode == 0
    return f"{ignoring} cat" if known else "cat"


class JailedKernel(AsyncKernelManager):
    """One kernel in its jail: its process, its folder, its sockets and its channel to the judge.

    Every socket that it listens on was made here, in a folder it cannot see, and handed down as a file descriptor.
    """

    client_factory = JailedKernelClient

    def launch(self, level: jail.Level, limits: jail.Limits, files: Path, zygote: Zygote | None = None) -> JailedKernel:
        """Start the process, or a copy of the zygote; `wait_until_ready` before use.

        `files` are copied into its scratch folder.

        Raises:
            OSError: when the zygote cannot enter the jail.
        """
        self.level, self.limits = level, limits
        self.why: str | None = None  # it has ended, as far as this is known
        self.group: cgroups.Group | None = None
        self.is_killed = False  # by this process
        self.is_lost = False  # it was killed, and neither by this process nor by what runs in its jail
        self.limit: Deadline | None = None  # of the cell that it runs
        self.folder = Path(tempfile.mkdtemp(prefix="mt-"))  # 0700
        # A socket's path has at most 108 bytes, and a folder for temporary files may be deep: this path is short.
        self.opened = os.open(self.folder, os.O_RDONLY)
        short = Path(f"/proc/self/fd/{self.opened}")
        self.transport, self.ip = "ipc", str((short if short.is_dir() else self.folder) / "s")
        self.shell_port, self.stdin_port, self.control_port, self.iopub_port = range(1, len(SOCKETS) + 1)
        self.session.key = secrets.token_hex(16).encode()
        self.pid: int | None = None  # of the kernel
        self.descriptor: int | None = None  # of the kernel: it stays right when the number is given to another process
        self.init: int | None = None  # of process 1 of the jail
        self.process: subprocess.Popen | None = None
        self._told: int | None = None  # descriptor of what bubblewrap writes about that
        # The other end of what process 1 reads from; on it is told how the kernel ends.
        self._holds: socket.socket | None = None
        mine, theirs = socket.socketpair()
        self.channel = Channel(mine, LARGEST)
        config = {
            "limits": limits.as_rlimits(level),
            "user": level.user,
            "jailed": level.name == "bubblewrap",
            "key": self.session.key.decode(),
            "largest": LARGEST,
            "most_waiting": MOST_WAITING,
            "most_output": 1_000_000,
            "hidden": list(jail.hidden(limits.hidden)),
            "files": "/course" if level.name == "bubblewrap" else str(files),
        }
        given = [theirs]
        try:
            try:
                for port in range(1, len(SOCKETS) + 1):
                    given.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
                    given[-1].bind(f"{self.ip}-{port}")
                    given[-1].listen(8)
                numbers = [end.fileno() for end in given]
                if not level.no_groups:
                    self.group = cgroups.made(limits)
                if zygote is None:
                    self._start(files, numbers)
                else:
                    self._enter(files, numbers, zygote)
            finally:
                for end in given:
                    end.close()
            self.channel.send(config, [])
        except BaseException:
            self.close()
            raise
        return self

    def _start(self, files: Path, given: list[int]) -> None:
        """Start a process of its own."""
        program = [sys.executable, "-u", str(jail.LAUNCHER), *map(str, given)]
        if self.level.name == "bubblewrap":
            self._open_jail(files, program, given, subprocess.DEVNULL).close()
            return
        home = self.folder / "home"  # and working directory
        home.mkdir()
        self.process = subprocess.Popen(
            program,
            env=jail.environment(str(home)),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=given,
            start_new_session=True,
        )

    def _enter(self, files: Path, given: list[int], zygote: Zygote) -> None:
        """Have a copy of the zygote enter a jail in which nothing happens yet."""
        with self._open_jail(files, ["sh", "-c", f"echo; exec {_waiting()}"], [], subprocess.PIPE) as theirs:
            with self.process.stdout:
                if not self.process.stdout.readline():
                    raise OSError("bubblewrap does not start")
            try:
                inside = os.pidfd_open(self._find_init())
            except ValueError as error:
                raise OSError("the jail has ended") from error
            try:
                self.pid, self.descriptor = zygote.enter(self.level, [inside, theirs.fileno(), *given])
            finally:
                os.close(inside)
        if self.group is not None:  # before it is told anything
            self.group.add(self.pid)
        if hasattr(os, "sched_getaffinity"):  # where the grader is: one always waits for the other
            with contextlib.suppress(OSError):
                os.sched_setaffinity(self.pid, os.sched_getaffinity(0))

    def _open_jail(self, files: Path, program: list[str], given: list[int], out: int) -> socket.socket:
        """Start bubblewrap, and a program as process 1 of its jail.

        That one reads from a socket of this process, which is the result: it ends when this one does, whenever and
        however, and everything in the jail ends with it. (bubblewrap's --die-with-parent does not do it while the jail
        is being made. And a pipe could be opened by the kernel for writing, in /proc, where both have the same user.)
        """
        # In a file, not a pipe, whose end would end bubblewrap while process 1 still waits for it.
        self._told = os.memfd_create("about the jail")
        self._holds, theirs = socket.socketpair()
        with theirs, jail.refusing() as (options, read):
            about = ["--info-fd", str(self._told)]
            command = [*jail.command(self.level, self.limits, files)[:-1], *options, *about, "--", *program]
            self.process = subprocess.Popen(
                command if self.group is None else self.group.entering(command),
                stdin=theirs,
                stdout=out,
                stderr=subprocess.DEVNULL,
                pass_fds=[*given, *read, self._told],
                start_new_session=True,
            )
            return theirs.dup()

    def _find_init(self) -> int:
        """The number of process 1 of the jail, in which something has been started."""
        self.init = json.loads(os.pread(self._told, 1000, 0))["child-pid"]
        return self.init

    def wait_until_ready(self) -> None:
        """Wait for the kernel to listen.

        Raises:
            DeadKernel: when it does not start.
        """
        self.channel.ends = time.monotonic() + START_SECONDS
        try:
            self.channel.receive()
            if self.pid is None:
                self.pid = self._find_kernel() if self.level.name == "bubblewrap" else self.process.pid
                if hasattr(os, "pidfd_open"):
                    self.descriptor = os.pidfd_open(self.pid)
        except (EOFError, OSError, WireError, ValueError, IndexError) as error:
            raise DeadKernel(f"the kernel did not start ({type(error).__name__})") from error

    def _find_kernel(self) -> int:
        init = self._find_init()
        return int(Path(f"/proc/{init}/task/{init}/children").read_text().split()[0])

    def clock(self) -> ProcessorClock:
        """The time that it uses from now on."""
        return ProcessorClock(self.pid, self.init, self.group)

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

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Inside, the kernel is killed when what it sends fills the memory of this process, when it has made too many
        files, or when a cell does not stop.

        libzmq reads all that comes, asked or not. It limits the size of a message's part and the number of messages,
        but a message has any number of parts. When the other end is gone, it gives back those that it has.
        """
        places = [Path(f"/proc/{self.init}/root{place}") for place in jail.SCRATCH] if self.init else []
        done, most = threading.Event(), memory() + MOST_GROWTH

        def watch() -> None:
            while not done.wait(0.02):
                if memory() > most:
                    self.why = f"it sent so much that the grader would need more than {MOST_GROWTH >> 20} MiB for it"
                    self.kill()
                    return
                if any(_files(place) > self.limits.files for place in places):
                    self.why = f"it had more than {self.limits.files:,} files in one of its folders"
                    self.kill()
                    return
                if (limit := self.limit) and limit.left < -GRACE:
                    self.why = f"the cell took longer than {limit.seconds:.0f} seconds and could not be interrupted"
                    self.kill()
                    return

        watching = threading.Thread(target=watch, daemon=True)
        watching.start()
        try:
            yield
        finally:
            done.set()
            watching.join()

    def notice_end(self) -> None:
        """Find out why it does not answer any more: afterwards `is_lost` says whether the machine has ended it.

        In a jail Linux refuses to kill the kernel, in every way that there is (see kernel/seccomp.py), so when it was
        killed, and not by this process, nor at the limit of its processor time or of its control group's memory, that
        came from outside. At level "process" its own code may have done it.
        """
        if self.why is not None or self.is_killed or not self._has_ended(END_SECONDS):
            return
        if self.group is not None and self.group.ran_out():
            self.why = f"its processes and files needed more than {self.limits.memory >> 20:,} MiB of memory together"
            return
        if self.level.name != "bubblewrap":
            self.is_lost = self.process.wait() == -signal.SIGKILL
            return
        self._holds.settimeout(END_SECONDS)
        try:
            number, seconds = json.loads(self._holds.recv(1000))
        except (OSError, ValueError):  # whoever would tell was ended, too
            self.is_lost = True
        else:
            self.is_lost = number == signal.SIGKILL and seconds < self.limits.cpu

    def _has_ended(self, within: float) -> bool:
        """Whether the kernel's process has ended, or does so within some seconds."""
        if self.descriptor is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(within)
            return self.process.poll() is not None
        ended = select.poll()
        ended.register(self.descriptor, select.POLLIN)
        return bool(ended.poll(1000 * within))

    async def _async_is_alive(self) -> bool:
        return not self._has_ended(0)

    is_alive = _async_is_alive

    async def interrupt_kernel(self) -> None:
        self.interrupt()

    async def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:
        self.kill()

    async def cleanup_resources(self, restart: bool = False) -> None:
        self.close()

    def interrupt(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self.descriptor is None:
                self.process.send_signal(signal.SIGINT)
            else:
                signal.pidfd_send_signal(self.descriptor, signal.SIGINT)

    def kill(self) -> None:
        """End it and all that it started."""
        self.is_killed = True
        if self.init is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.kill(self.init, signal.SIGKILL)
                self.process.wait(5)  # bubblewrap outside ends when it has
        if self.process.returncode is None:
            # While it makes the jail, bubblewrap's process 1 would outlive it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        if self.process is not None:
            self.kill()
        if self.group is not None:
            self.group.remove()
            self.group = None
        if self._holds is not None:
            self._holds.close()
        if self._told is not None:
            os.close(self._told)
            self._told = None
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None
        if self.opened is not None:
            os.close(self.opened)
            self.opened = None
        self.channel.socket.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class ProcessorClock:
    """Processor time of a kernel and of all in its jail, as Linux counts it: nothing is asked of the kernel.

    To look at one process takes less than a microsecond, at all of them more: what the others use counts from the first
    `look` on. Without a control group, of those that end between two looks counts what their parents wait for.

    Args:
        kernel: its number.
        init: that of process 1 of its jail, whose children those become that lost their parents.
        group: of the jail.
    """

    def __init__(self, kernel: int, init: int | None, group: cgroups.Group | None = None) -> None:
        self.kernel, self.init, self.group = kernel, init, group
        self.before: float | None = None  # what all others had used when this began
        self.others = 0.0

    def __call__(self) -> float:
        return _processor_time(self.kernel) + self.others

    def look(self) -> None:
        """Take in what the others have used."""
        if self.group is not None:
            with contextlib.suppress(OSError):  # it has been removed
                used = self.group.seconds() - _processor_time(self.kernel)
                self.before = used if self.before is None else self.before
                self.others = max(self.others, used - self.before)
            return
        everyone = _family(self.kernel) | (_family(self.init) if self.init else set())
        used = sum(map(_waited_for, everyone)) + sum(map(_processor_time, everyone - {self.kernel}))
        self.before = used if self.before is None else self.before
        self.others = max(self.others, used - self.before)


def _processor_time(process: int) -> float:
    """Seconds that all threads of a process have run; on macOS, where nobody tells, all that pass."""
    if not sys.platform.startswith("linux"):
        return time.monotonic()
    try:
        return time.clock_gettime(~process << 3 | 2)  # as clock_getcpuclockid(3) numbers the clocks
    except OSError:  # it has ended
        return 0.0


def _waited_for(process: int) -> float:
    """Seconds that those children ran that have ended and that it waited for."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _family(process: int) -> set[int]:
    """A process and all that descend from it."""
    found, ahead = set(), [process]
    while ahead:
        found.add(parent := ahead.pop())
        with contextlib.suppress(OSError):  # it has ended
            for thread in os.listdir(f"/proc/{parent}/task"):
                with contextlib.suppress(OSError):
                    children = map(int, Path(f"/proc/{parent}/task/{thread}/children").read_text().split())
                    ahead += set(children) - found
    return found


class Zygote(Warm):
    """A process that has imported what kernels need: a copy of it is a kernel in a tenth of the time.

    It holds nothing of the grader's, runs no learner's code, and has no descriptor but its socket to the grader. Its
    copies enter a jail that bubblewrap has made before they do anything else.
    """

    @staticmethod
    def is_safe(level: jail.Level) -> bool:
        """Whether copies may enter jails of this level.

        A process can open the program that it runs, from within a jail, too, though nothing can be written there: so
        it must not be one that a learner's kernel may write to.
        """
        return level.name == "bubblewrap" and (level.user is not None or not os.access(PROGRAM, os.W_OK))

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="mt-", ignore_cleanup_errors=True)
        cached = Path(self.folder.name, ".matplotlib")
        cached.mkdir()
        for fonts in jail.fonts():
            shutil.copyfile(fonts, cached / fonts.name)
        super().__init__(
            [sys.executable, "-u", str(jail.LAUNCHER), "--zygote"],
            self.folder.name,
            env=jail.environment(self.folder.name),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def enter(self, level: jail.Level, given: list[int]) -> tuple[int, int]:
        """Have a copy enter a jail: its number, and a descriptor of it.

        `given` are descriptors: of a process in the jail, of a socket where is told how the copy ends, then those that
        it needs.

        Raises:
            OSError: when it cannot.
        """
        environment = {**jail.environment(jail.WORK), "PWD": jail.WORK}
        return self.copy({"as_root": level.user is not None, "environment": environment, "folder": jail.WORK}, given)

    def close(self) -> None:
        super().close()
        self.folder.cleanup()


def _files(folder: Path) -> int:
    """How many files and folders there are in a file system in memory."""
    try:
        found = os.statvfs(folder)
    except OSError:  # it is gone, with the kernel
        return 0
    return found.f_files - found.f_ffree


def _run_on(processors: set[int], *processes: int) -> None:
    """Have all threads of processes run there."""
    for process in processes:
        with contextlib.suppress(OSError):  # it is gone
            for thread in os.listdir(f"/proc/{process}/task"):
                with contextlib.suppress(OSError):
                    os.sched_setaffinity(int(thread), processors)


class KernelSupply:
    """Kernels, each used once. While one is at work the next one starts, so that nobody waits for it.

    Args:
        zygote: of which kernels are copies; without one, every kernel starts by itself.

    Attributes:
        expected: how many more will be taken.
    """

    def __init__(self, level: jail.Level, limits: jail.Limits, files: Path, zygote: Zygote | None) -> None:
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
            kernel.wait_until_ready()
        except BaseException:
            kernel.close()
            raise
        return kernel

    def _launch(self) -> JailedKernel:
        if self.zygote is not None:
            try:
                return JailedKernel().launch(self.level, self.limits, self.files, self.zygote)
            except ProcessLookupError:  # it was killed
                self.zygote = None
            except OSError:  # Linux does not allow it here, or has no room for it now
                pass
        return JailedKernel().launch(self.level, self.limits, self.files)
