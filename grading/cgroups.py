"""Control groups: what Linux counts and limits of all processes of one jail together.

In version 2 they can be made below a group that was delegated to the grader, in version 1 where root may. Always they
lie below the group that this process is in, so that a limit on that one holds for all.
"""

from __future__ import annotations

import functools
import itertools
import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grading.limits import Limits

CONTROLLERS = ("memory", "pids", "cpu")
COUNTER = "cpuacct"  # of processor time, in version 1
LEAF = "grader"  # the group that the grader moves to: in version 2, one that has others below it holds no processes
PERIOD = 100_000  # microseconds, in which a jail has as many of processor time: one processor
NEAR = 1 << 20  # bytes to a limit where it has been reached: Linux counts some pages at a time
OWN = 4  # processes that make a jail
REMOVE_SECONDS = 2.0
START = "`systemd-run --user --scope -p Delegate=yes nbgrader autograde ASSIGNMENT`"
ENTER = 'while [ "$1" != -- ]; do echo $$ >"$1"/cgroup.procs || exit; shift; done; shift; exec "$@"'
_numbers = itertools.count(1)


class Unavailable(Exception):
    """No groups can be made here; the message says why, and what to do."""


@dataclass(frozen=True)
class Place:
    """Where groups can be made.

    Attributes:
        version: of control groups.
        folders: of the groups that new ones are made in, by controller; in version 2 all are one.
    """

    version: int
    folders: dict[str, Path]


class Group:
    """The group of one jail, to be removed when all its processes have ended.

    Raises:
        OSError: when it cannot be made.
    """

    def __init__(self, place: Place, limits: Limits) -> None:
        self.version, self.limits = place.version, limits
        name = f"{_name(os.getpid())}{next(_numbers)}"
        self.folders = {controller: folder / name for controller, folder in place.folders.items()}
        try:
            for folder in self._every():
                folder.mkdir()
            for controller, file, value in self._limits():
                self._write(controller, file, value)
        except OSError:
            self.remove()
            raise

    def _limits(self) -> Iterator[tuple[str, str, object]]:
        """Controller, file and value of each."""
        yield "pids", "pids.max", self.limits.processes + OWN
        if self.version == 2:
            yield "memory", "memory.max", self.limits.memory
            yield "cpu", "cpu.max", f"{PERIOD} {PERIOD}"
            swap, none = "memory.swap.max", 0
        else:
            yield "memory", "memory.limit_in_bytes", self.limits.memory
            yield "cpu", "cpu.cfs_period_us", PERIOD
            yield "cpu", "cpu.cfs_quota_us", PERIOD
            swap, none = "memory.memsw.limit_in_bytes", self.limits.memory  # of both together
        if (self.folders["memory"] / swap).exists():  # else there is no swap
            yield "memory", swap, none

    def entering(self, command: list[str]) -> list[str]:
        """A command that runs this one in the group from its beginning."""
        return ["sh", "-c", ENTER, "sh", *map(str, self._every()), "--", *command]

    def add(self, process: int) -> None:
        """Take a process in.

        Raises:
            OSError: when it cannot be done.
        """
        for folder in self._every():
            (folder / "cgroup.procs").write_text(str(process))

    def seconds(self) -> float:
        """Processor time of all processes that are or were in it."""
        if self.version == 2:
            return self._count("cpu", "cpu.stat", "usage_usec") / 1e6
        return int(self._read(COUNTER, "cpuacct.usage")) / 1e9

    def ran_out(self) -> bool:
        """Whether Linux ended a process of the group's, and all together had reached the limit on their memory.

        Where the machine's memory is short, Linux ends processes of groups that are far from their limit.
        """
        events = "memory.events" if self.version == 2 else "memory.oom_control"
        try:
            if not self._count("memory", events, "oom_kill"):
                return False
            if self.version == 2:
                return self._count("memory", events, "oom") > 0
            most = self.folders["memory"].glob("memory*.max_usage_in_bytes")  # with swap, and without
            return any(int(file.read_text()) > self.limits.memory - NEAR for file in most)
        except OSError:
            return False

    def remove(self) -> None:
        """Remove it; what is still in use after some time is removed when this process has ended."""
        ends = time.monotonic() + REMOVE_SECONDS
        for folder in self._every():
            while folder.exists() and time.monotonic() < ends:
                try:
                    folder.rmdir()
                except OSError:  # a process of it is about to end
                    time.sleep(0.005)

    def _every(self) -> list[Path]:
        return [*dict.fromkeys(self.folders.values())]

    def _write(self, controller: str, file: str, value: object) -> None:
        (self.folders[controller] / file).write_text(str(value))

    def _read(self, controller: str, file: str) -> str:
        return (self.folders[controller] / file).read_text()

    def _count(self, controller: str, file: str, name: str) -> int:
        fields = dict(line.split() for line in self._read(controller, file).splitlines())
        return int(fields.get(name, 0))


def made(limits: Limits) -> Group:
    """A group that goes with this process, however that ends.

    Raises:
        OSError: when it cannot be made.
        Unavailable: when there are none here.
    """
    place = found()
    _sweep(os.getpid())
    return Group(place, limits)


@functools.cache
def _sweep(process: int) -> subprocess.Popen:
    """Have what is left of this process's groups removed when it has ended. A process that is forked has others."""
    mine = " ".join(f"{shlex.quote(f'{folder}/{_name(process)}')}*" for folder in {*found().folders.values()})
    left = f'left=; for each in {mine}; do [ -d "$each" ] && left=1; done; [ $left ] || exit'
    code = f"cat; for _ in $(seq 60); do rmdir {mine}; {left}; sleep 0.5; done"
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(["sh", "-c", code], stdin=subprocess.PIPE, start_new_session=True, **silent)


def _name(process: int) -> str:
    return f"mt-{process}-"


def found() -> Place:
    """Where groups can be made.

    Raises:
        Unavailable: where they cannot.
    """
    place = _found()
    if isinstance(place, Unavailable):
        raise place
    return place


@functools.cache
def _found() -> Place | Unavailable:
    try:
        own = _own(Path("/proc/self/cgroup").read_text(), Path("/proc/self/mountinfo").read_text())
        place = _delegated(own) if own.version == 2 else own
        Group(place, Limits()).remove()
        return place
    except Unavailable as error:
        return error
    except OSError as error:
        hint = f": start {START}" if os.geteuid() else ""
        return Unavailable(f"control groups cannot be made here ({error.strerror}){hint}")


def _own(groups: str, mounts: str) -> Place:
    """The groups that a process is in, from what /proc/<process>/cgroup and mountinfo say.

    Raises:
        Unavailable: when one of them is nowhere to be found.
    """
    lines = (line.split(":", 2) for line in groups.splitlines())
    paths = {name: path for _, names, path in lines for name in names.split(",")}
    one: dict[str, Path] = {}
    two: Path | None = None
    for line in mounts.splitlines():
        mount, _, what = line.partition(" - ")
        (_, _, _, root, point, *_), (kind, _, options) = mount.split(), what.split(maxsplit=2)
        for name in options.split(",") if kind == "cgroup" else [""] if kind == "cgroup2" else []:
            if name in paths and Path(paths[name]).is_relative_to(root):
                folder = Path(point, Path(paths[name]).relative_to(root))
                if name:
                    one[name] = folder
                else:
                    two = folder
    if {*CONTROLLERS, COUNTER} <= {*one}:
        return Place(1, {name: one[name] for name in (*CONTROLLERS, COUNTER)})
    if two is None:
        raise Unavailable("there are no control groups here")
    return Place(2, dict.fromkeys(CONTROLLERS, two))


def _delegated(own: Place) -> Place:
    """In version 2, the group whose processes may be limited in groups below it: the grader moves to one of these.

    Raises:
        Unavailable: when that is not for the grader to do: other programs are in its group.
        OSError: when it is not allowed to.
    """
    folder = own.folders["memory"]
    if folder.name == LEAF:
        return Place(2, dict.fromkeys(CONTROLLERS, folder.parent))
    if not {*CONTROLLERS} <= {*(folder / "cgroup.controllers").read_text().split()}:
        raise Unavailable(f"no group with {', '.join(CONTROLLERS)} is delegated to the grader: start {START}")
    if {*CONTROLLERS} <= {*(folder / "cgroup.subtree_control").read_text().split()}:  # of the whole machine
        return own
    if (folder / "cgroup.procs").read_text().split() != [str(os.getpid())]:
        raise Unavailable(f"other programs are in the grader's control group: start {START}")
    leaf = folder / LEAF
    leaf.mkdir(exist_ok=True)
    (leaf / "cgroup.procs").write_text(str(os.getpid()))
    try:
        (folder / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in CONTROLLERS))
    except OSError:
        (folder / "cgroup.procs").write_text(str(os.getpid()))
        leaf.rmdir()
        raise
    return own
