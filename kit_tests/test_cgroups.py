"""Control groups: the limits on all processes of a jail together, what is said where there are none, what is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from course import wait_for
from jailed import Kernel
from kit import ROOT

from checks.observe import Failed
from grading import __main__, cgroups, jail, run, warm

MIB = 1 << 20
grouped = pytest.mark.skipif(bool(jail.probe().no_groups), reason=f"no control groups: {jail.probe().no_groups}")


def seen(kernel: Kernel, code: str, see: str):
    kernel.execute(code)
    return kernel.names([see])[see]


HOLD = """
import os, signal, time
def hold(mib):
    \"\"\"A process that holds so much memory, or what ended it.\"\"\"
    read, write = os.pipe()
    child = os.fork()
    if not child:
        held = bytearray(mib << 20)
        for place in range(0, len(held), 4096):
            held[place] = 1
        os.write(write, b"1")
        signal.pause()
    os.close(write)
    there = os.read(read, 1) == b"1"
    return child if there else -os.waitpid(child, 0)[1]
def together(count):
    held = [hold(200) for _ in range(count)]
    return [each for each in held if each > 0 and not os.waitpid(each, os.WNOHANG)[0]]
"""


@grouped
@pytest.mark.parametrize(("count", "fits"), [(4, True), (7, False)])
def test_the_memory_of_all_processes_of_a_jail_together_has_a_limit(count, fits):
    """Of 1,200 MiB; each may have 200."""
    kernel = Kernel(memory=1200 * MIB)
    alive = len(seen(kernel, f"{HOLD}alive = together({count})", "alive"))
    assert (alive == count, kernel.kernel.group.ran_out()) == (fits, not fits)
    kernel.close()


WRITE = """
import subprocess
def write(mib, place):
    return subprocess.run(['dd', 'if=/dev/zero', f'of={place}/x', 'bs=1M', f'count={mib}']).returncode
"""


@grouped
def test_the_files_of_a_jail_count_as_its_memory():
    kernel = Kernel(memory=600 * MIB, disk=400 * MIB, file=400 * MIB)
    write = seen(kernel, WRITE, "write")
    assert write(350, "/tmp") == 0
    with pytest.raises(Failed, match="needed more than 600 MiB of memory together"):
        write(350, "/dev/shm")
    kernel.close()


@grouped
def test_processes_are_counted_and_one_more_than_are_allowed_is_not_started():
    kernel = Kernel(processes=30)
    code = """
import os, signal
def start(count):
    children = []
    try:
        for _ in range(count):
            child = os.fork()
            if not child:
                signal.pause()
            children.append(child)
    except OSError:
        pass
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return len(children)
few, many = start(10), start(40)
"""
    few, many = seen(kernel, code, "few"), kernel.names(["many"])["many"]
    assert (few, 10 <= many < 30) == (10, True)
    kernel.close()


@grouped
def test_time_of_processes_that_live_shortly_and_that_nobody_waits_for_is_counted():
    kernel = Kernel()
    clock = kernel.kernel.clock()
    clock.look()
    before = clock()
    code = """
import os, time
for _ in range(50):
    child = os.fork()
    if not child:
        if os.fork():
            os._exit(0)
        ends = time.process_time() + 0.02
        while time.process_time() < ends:
            pass
        os._exit(0)
    os.waitpid(child, 0)
"""
    kernel.execute(code)
    ends = time.monotonic() + 60
    while clock() - before < 1.0 and time.monotonic() < ends:
        clock.look()
    assert clock() - before >= 1.0
    kernel.close()


def groups_of(process: int) -> list[Path]:
    return [place for folder in cgroups.found().folders.values() for place in folder.glob(f"mt-{process}-*")]


@grouped
def test_no_group_is_left_behind_when_a_jail_is_closed():
    before = groups_of(os.getpid())
    kernel = Kernel()
    kernel.execute("import subprocess\nsubprocess.Popen(['sleep', '1000'])")
    assert len(groups_of(os.getpid())) == len(before) + 4
    kernel.close()
    assert groups_of(os.getpid()) == before


@grouped
def test_no_group_is_left_behind_when_the_grader_is_killed():
    code = "import sys, time\nsys.path.insert(0, 'kit_tests')\nfrom jailed import Kernel\n"
    code += "kernel = Kernel()\nprint('ready', flush=True)\ntime.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) as grader:
        assert grader.stdout.readline() == b"ready\n"
        assert groups_of(grader.pid)
        grader.send_signal(signal.SIGKILL)
    wait_for(lambda: not groups_of(grader.pid))


# ---------------------------------------------------------------- where they can be made

MOUNTS = """22 27 0:21 / /proc rw,relatime - proc proc rw
35 31 0:32 {root} {one}/memory rw - cgroup cgroup rw,memory
32 31 0:29 {root} {one}/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
39 31 0:36 {root} {one}/pids rw - cgroup cgroup rw,pids
41 31 0:38 / {two} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate
"""


def test_the_own_groups_are_found_as_they_are_mounted_also_in_a_container():
    mounts = MOUNTS.format(root="/docker/x", one="/one", two="/two")
    groups = (
        "5:memory:/docker/x/grader\n3:cpu,cpuacct:/docker/x\n2:pids:/docker/x\n1:name=systemd:/s\n0::/user/a.scope\n"
    )
    assert cgroups._own(groups, mounts) == cgroups.Place(
        1,
        {
            "memory": Path("/one/memory/grader"),
            "pids": Path("/one/pids"),
            **dict.fromkeys(("cpu", "cpuacct"), Path("/one/cpu,cpuacct")),
        },
    )
    only_two = "\n".join(line for line in mounts.splitlines() if "cgroup2" in line)
    assert cgroups._own("0::/user/a.scope\n", only_two).folders["pids"] == Path("/two/user/a.scope")
    with pytest.raises(cgroups.Unavailable, match="no control groups"):
        cgroups._own(groups, "22 27 0:21 / /proc rw,relatime - proc proc rw")


def delegated(
    folder: Path, controllers: str = "cpu memory pids", below: str = "", processes: str = ""
) -> cgroups.Place:
    """A group of version 2 as its files show it; where the grader finds that it may make others."""
    files = {"controllers": controllers, "subtree_control": below, "procs": processes or str(os.getpid())}
    folder.mkdir()
    for name, text in files.items():
        (folder / f"cgroup.{name}").write_text(text + "\n")
    return cgroups._delegated(cgroups.Place(2, dict.fromkeys(cgroups.CONTROLLERS, folder)))


def test_in_version_2_the_grader_moves_to_a_group_of_its_own_and_limits_those_beside_it(tmp_path):
    own = tmp_path / "own"
    place = delegated(own)
    assert (own / "grader" / "cgroup.procs").read_text() == str(os.getpid())
    assert (own / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"
    assert cgroups._delegated(cgroups.Place(2, dict.fromkeys(cgroups.CONTROLLERS, own / "grader"))) == place
    group = cgroups.Group(place, jail.Limits(memory=5 * MIB, processes=7))
    (folder,) = group._every()
    assert folder.parent == own
    limits = {file.name: file.read_text() for file in folder.iterdir()}
    assert limits == {"memory.max": str(5 * MIB), "pids.max": "11", "cpu.max": "100000 100000"}
    (folder / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    assert group.seconds() == 2.5
    for events, ran_out in (("oom 0\noom_kill 1", False), ("oom 2\noom_kill 0", False), ("oom 2\noom_kill 1", True)):
        (folder / "memory.events").write_text(events)
        assert group.ran_out() == ran_out


@pytest.mark.parametrize(
    ("shown", "says"),
    [
        ({"controllers": "pids"}, "no group .* is delegated to the grader: start `systemd-run --user --scope"),
        ({"processes": "1\n2"}, "other programs are in the grader's control group"),
    ],
)
def test_where_version_2_is_not_delegated_the_grader_says_what_to_do_and_moves_nobody(tmp_path, shown, says):
    with pytest.raises(cgroups.Unavailable, match=says):
        delegated(tmp_path / "own", **shown)
    assert not (tmp_path / "own" / "grader").exists()


def test_the_level_says_whether_each_jail_has_a_control_group():
    with_groups = jail.Level("bubblewrap", user=1, no_groups="")
    assert "all processes together, by control groups)" in with_groups.as_text()
    assert "NOT limited" not in with_groups.as_text()
    without = jail.Level("bubblewrap", user=1, no_groups="start it so")
    assert "NOT limited: the memory of all processes of a jail together. start it so." in without.as_text()


def test_a_class_run_looks_for_groups_while_it_is_the_only_process_in_its_own(monkeypatch):
    """In version 2 a group that holds another program, such as its first worker, cannot be divided."""
    order = []
    monkeypatch.setattr(cgroups, "found", lambda: order.append("groups"))
    monkeypatch.setattr(warm, "workers", lambda assignment, _: order.append(f"workers of {assignment}"))
    monkeypatch.setattr(run.ClassApp, "launch_instance", lambda _: order.append("run"))
    assert __main__.main(["autograde", "workshop"]) == 0
    assert order == ["groups", "workers of workshop", "run"]
