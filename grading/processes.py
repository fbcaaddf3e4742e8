"""Processes of kernels, each with a channel to the judge: how they start, what they use, how and why they end.

There are three kinds, which `started` chooses from:

- Copied: a copy of the zygote that has entered a jail.
- Jailed: a program of its own, started in its jail, where there is no zygote.
- Unjailed: a program of its own, at level "process".
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from checks.observe import Deadline
from grading import cgroups, jail
from grading.budget import memory
from grading.kernel.wire import LARGEST, Channel, WireError
from grading.limits import Limits
from grading.warm import Warm

START_SECONDS = 60.0
PROGRAM = os.path.realpath(sys.executable)
MOST_GROWTH = 512 << 20  # bytes that this process may take while it listens to one kernel
MOST_OUTPUT = 1_000_000  # characters that one cell prints
GRACE = 6.0  # seconds of processor time that a cell has to stop
END_SECONDS = 10.0  # to end, for a kernel that has closed its channel: Linux does that first


class DeadKernel(Exception):
    """The kernel is gone; the message says why."""


class KernelProcess:
    """The process of one kernel; `wait_until_ready` before use.

    Args:
        level: of the jail.
        limits: on what it may use.
        files: a folder, which is copied into its scratch folder.
        listening: sockets on which it is to listen.
        told: what it is told beside, to be a kernel.

    Attributes:
        channel: to the judge.
        why: it has ended, as far as this is known.
        is_killed: whether this process has ended it.
        is_lost: whether it was killed, and neither by this process nor by what runs in its jail.
        limit: of the cell that it runs.
        pid: its number.

    Raises:
        OSError: when it cannot be started.
    """

    pid: int

    def __init__(
        self,
        level: jail.Level,
        limits: Limits,
        files: Path,
        listening: Sequence[socket.socket],
        told: dict[str, Any],
    ) -> None:
        self.level, self.limits = level, limits
        self.why: str | None = None
        self.is_killed = self.is_lost = False
        self.limit: Deadline | None = None
        mine, theirs = socket.socketpair()
        self.channel = Channel(mine, LARGEST)
        self._made = contextlib.ExitStack()  # what `close` closes, the last one first
        self._made.callback(mine.close)
        try:
            with theirs:
                self._start(files, [end.fileno() for end in (theirs, *listening)])
            self.channel.send({**told, **self._told(files)}, [])
        except BaseException:
            self.close()
            raise

    def _start(self, files: Path, given: list[int]) -> None:
        """Start it; `given` are the descriptors that it needs: its channel and its sockets."""
        raise NotImplementedError

    def _told(self, files: Path) -> dict[str, Any]:
        """What it is told first: see launcher.become_kernel."""
        return {
            "limits": self.limits.as_rlimits(self.level),
            "user": self.level.user,
            "hidden": list(jail.hidden(self.limits.hidden)),
            "most_output": MOST_OUTPUT,
            "jailed": False,
            "files": str(files),
        }

    def _run(self, command: Sequence[str], given: Sequence[int], **options: Any) -> None:
        """Start a program, of which the kernel is made."""
        self.process = subprocess.Popen(
            command, stderr=subprocess.DEVNULL, pass_fds=given, start_new_session=True, **options
        )
        self._made.callback(self.kill)

    def wait_until_ready(self) -> None:
        """Wait for the kernel to listen.

        Raises:
            DeadKernel: when it does not start.
        """
        self.channel.ends = time.monotonic() + START_SECONDS
        try:
            self.channel.receive()
            self._find()
        except (EOFError, OSError, WireError, ValueError, IndexError) as error:
            raise DeadKernel(f"the kernel did not start ({type(error).__name__})") from error

    def _find(self) -> None:
        """Find out its number, where that is only known now that it is ready."""

    def clock(self) -> ProcessorClock:
        """The time that it uses from now on."""
        return ProcessorClock(self.pid, None)

    def scratch(self) -> list[Path]:
        """The folders in memory that it writes to, as they are reached from here."""
        return []

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
        places, done, most = self.scratch(), threading.Event(), memory() + MOST_GROWTH

        def watch() -> None:
            while not done.wait(0.02):
                if memory() > most:
                    self.end(f"it sent so much that the grader would need more than {MOST_GROWTH >> 20} MiB for it")
                    return
                if any(_files(place) > self.limits.files for place in places):
                    self.end(f"it had more than {self.limits.files:,} files in one of its folders")
                    return
                if (limit := self.limit) and limit.left < -GRACE:
                    self.end(f"the cell took longer than {limit.seconds:.0f} seconds and could not be interrupted")
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
        if self.why is None and not self.is_killed and self.has_ended(END_SECONDS):
            self._find_why()

    def _find_why(self) -> None:
        self._kill_group()  # what it has started goes on, and when nobody waits for it any more its number is free
        self.is_lost = self.process.wait() == -signal.SIGKILL

    def has_ended(self, within: float = 0) -> bool:
        """Whether the kernel's process has ended, or does so within some seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(within)
        return self.process.poll() is not None

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def end(self, why: str) -> None:
        """Kill it for a reason."""
        self.why = why
        self.kill()

    def kill(self) -> None:
        """End it and all that it started."""
        self.is_killed = True
        self._kill_group()
        self.process.wait()

    def _kill_group(self) -> None:
        """Kill it and what it has started, as long as its number is surely its own."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End it, and give back all that was made for it."""
        self._made.close()


class Unjailed(KernelProcess):
    """A process with limits, a home and an environment of its own, and nothing around it."""

    def _start(self, files: Path, given: list[int]) -> None:
        home = tempfile.mkdtemp(prefix="mt-")  # and working directory
        self._made.callback(shutil.rmtree, home, ignore_errors=True)
        self._run(
            _launcher(given),
            given,
            env=jail.environment(home),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        self.pid = self.process.pid

    def has_ended(self, within: float = 0) -> bool:
        """As above, but its exit status is left for `kill`: until somebody takes it, its group has its number."""
        if not hasattr(os, "waitid"):  # macOS
            return super().has_ended(within)
        return _happens(self._is_over, within)

    def _is_over(self) -> bool:
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return self.process.returncode is not None or os.waitid(os.P_PID, self.pid, options) is not None


class Jailed(KernelProcess):
    """A process in a jail, which bubblewrap makes, and which ends when this process does.

    Attributes:
        process: bubblewrap's.
        group: of the jail, where it has one.
    """

    group: cgroups.Group | None = None
    _descriptor: int | None = None  # of the kernel; some Pythons cannot have one

    def _start(self, files: Path, given: list[int]) -> None:
        self._open_jail(files, _launcher(given), given, subprocess.DEVNULL).close()

    def _told(self, files: Path) -> dict[str, Any]:
        return {**super()._told(files), "jailed": True, "files": "/course"}

    def _open_jail(self, files: Path, program: list[str], given: list[int], out: int) -> socket.socket:
        """Have bubblewrap make the jail, with a program as process 1 of it.

        That one reads from a socket of this process, which is the result: it ends when this one does, whenever and
        however, and everything in the jail ends with it. (bubblewrap's --die-with-parent does not do it while the jail
        is being made. And a pipe could be opened by the kernel for writing, in /proc, where both have the same user.)
        """
        if not self.level.no_groups:
            self.group = cgroups.made(self.limits)
            self._made.callback(self.group.remove)
        # What bubblewrap says of process 1. In a file, not a pipe, whose end would end bubblewrap while that one still
        # waits for it.
        self._about = os.memfd_create("about the jail")
        self._made.callback(os.close, self._about)
        # The other end of what process 1 reads from; on it is told how the kernel ends.
        self._holds, theirs = socket.socketpair()
        self._made.callback(self._holds.close)
        with theirs, jail.refusing() as (options, read):
            about = ["--info-fd", str(self._about)]
            command = [*jail.command(self.level, self.limits, files)[:-1], *options, *about, "--", *program]
            if self.group is not None:
                command = self.group.entering(command)
            self._run(command, [*given, *read, self._about], stdin=theirs, stdout=out)
            return theirs.dup()

    @functools.cached_property
    def init(self) -> int:
        """The number of process 1 of the jail.

        Raises:
            ValueError: as long as there is none.
        """
        return json.loads(os.pread(self._about, 1000, 0))["child-pid"]

    def _find(self) -> None:
        self.pid = int(Path(f"/proc/{self.init}/task/{self.init}/children").read_text().split()[0])
        if hasattr(os, "pidfd_open"):
            self._take(os.pidfd_open(self.pid))

    def _take(self, descriptor: int) -> None:
        """Keep a descriptor of the kernel, which stays right when its number is given to another process."""
        self._descriptor = descriptor
        self._made.callback(os.close, descriptor)

    def clock(self) -> ProcessorClock:
        return ProcessorClock(self.pid, self.init, self.group)

    def scratch(self) -> list[Path]:
        return [Path(f"/proc/{self.init}/root{place}") for place in jail.SCRATCH]

    def _find_why(self) -> None:
        if self.group is not None and self.group.ran_out():
            self.why = f"its processes and files needed more than {self.limits.memory >> 20:,} MiB of memory together"
            return
        self._holds.settimeout(END_SECONDS)
        try:
            number, seconds = json.loads(self._holds.recv(1000))
        except (OSError, ValueError):  # whoever would tell was ended, too
            self.is_lost = True
        else:
            self.is_lost = number == signal.SIGKILL and seconds < self.limits.cpu

    def has_ended(self, within: float = 0) -> bool:
        if self._descriptor is None:
            return _happens(lambda: _state(self.pid) in "ZX", within)
        ended = select.poll()
        ended.register(self._descriptor, select.POLLIN)
        return bool(ended.poll(1000 * within))

    def interrupt(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self._descriptor is None:
                os.kill(self.pid, signal.SIGINT)
            else:
                signal.pidfd_send_signal(self._descriptor, signal.SIGINT)

    def kill(self) -> None:
        self.is_killed = True
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired, ValueError):
                os.kill(self.init, signal.SIGKILL)
                self.process.wait(5)  # bubblewrap outside ends when it has
        super().kill()  # while it makes the jail, process 1 would outlive it


class Copied(Jailed):
    """A copy of the zygote that has entered a jail, in which nothing happened until then.

    Raises:
        OSError: when it cannot enter.
    """

    def __init__(self, zygote: Zygote, *given: Any) -> None:
        self.zygote = zygote
        super().__init__(*given)

    def _start(self, files: Path, given: list[int]) -> None:
        with self._open_jail(files, ["sh", "-c", f"echo; exec {_waiting()}"], [], subprocess.PIPE) as theirs:
            with self.process.stdout:
                if not self.process.stdout.readline():
                    raise OSError("bubblewrap does not start")
            try:
                inside = os.pidfd_open(self.init)
            except ValueError as error:
                raise OSError("the jail has ended") from error
            try:
                self.pid, descriptor = self.zygote.enter(self.level, [inside, theirs.fileno(), *given])
            finally:
                os.close(inside)
        self._take(descriptor)
        if self.group is not None:  # before it is told anything
            self.group.add(self.pid)
        if hasattr(os, "sched_getaffinity"):  # where the grader is: one always waits for the other
            with contextlib.suppress(OSError):
                os.sched_setaffinity(self.pid, os.sched_getaffinity(0))

    def _find(self) -> None:
        """It told its number when it entered."""


def started(zygote: Zygote | None, level: jail.Level, *given: Any) -> KernelProcess:
    """A process of the kind that a level asks for, a copy of the zygote if there is one; see KernelProcess."""
    if level.name != "bubblewrap":
        return Unjailed(level, *given)
    return Jailed(level, *given) if zygote is None else Copied(zygote, level, *given)


def _launcher(given: Sequence[int]) -> list[str]:
    """The program that becomes a kernel with such descriptors."""
    return [sys.executable, "-u", str(jail.LAUNCHER), *map(str, given)]


@functools.cache
def _waiting() -> str:
    """What process 1 of a jail runs, for a copy of the zygote: it waits for the end of what it reads.

    It ignores that its children end, so that processes that lost their parent do not stay as zombies: where `env` can
    have it so, which is in coreutils since 8.31.
    """
    ignoring = "env --ignore-signal=CHLD"
    known = subprocess.run([*ignoring.split(), "true"], stderr=subprocess.DEVNULL).returncode == 0
    return f"{ignoring} cat" if known else "cat"


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
        is_ours = level.user is not None or not os.access(PROGRAM, os.W_OK)
        return level.name == "bubblewrap" and is_ours and hasattr(os, "pidfd_open")  # which some Pythons lack

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
        wanted = {"as_root": level.user is not None, "environment": environment, "folder": jail.WORK}
        number, descriptor = self.copy(wanted, given)
        if descriptor is None:  # there are none left here
            os.kill(number, signal.SIGKILL)
            raise OSError("no descriptor of the copy came")
        return number, descriptor

    def close(self) -> None:
        super().close()
        self.folder.cleanup()


def _happens(condition: Callable[[], bool], within: float) -> bool:
    """Whether a condition holds, or does so within some seconds."""
    ends = time.monotonic() + within
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.01)
    return True


def _state(process: int) -> str:
    """What /proc says of a process: "Z" when it has ended, "X" when it is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


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
