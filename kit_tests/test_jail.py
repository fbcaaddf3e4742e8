"""The jail's levels, what each says, and what a kernel in it sees; nbgrader's other ways to grade."""

from __future__ import annotations

import ctypes
import errno
import functools
import itertools
import json
import os
import platform
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import jailed
import kit
import pytest
from course import Course, Graded, notebook, read, submission, wait_for
from jailed import Kernel
from kit import ROOT
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from grading import jail, processes
from grading.budget import memory
from grading.kernel import seccomp
from grading.kernels import JailedKernel, KernelSupply
from grading.processes import Zygote
from grading.run import ClassAutograde

refusing = pytest.mark.skipif(not seccomp.program(), reason="the numbers of this machine's system calls are not known")


def seen(kernel: Kernel, code: str):
    """What an expression is worth inside the jail."""
    kernel.execute(f"import os, sys, resource, socket\nseen = {code}")
    return kernel.names(["seen"])["seen"]


# ---------------------------------------------------------------- inside


def test_inside_there_are_no_files_but_those_of_python_and_the_system(kernel):
    assert set(seen(kernel, "os.listdir('/')")) <= {
        *("bin", "dev", "etc", "lib", "lib64", "learner", "proc", "tmp", "usr", "course"),
        *(path.parts[1] for path in jail._readable()),
    }
    assert set(seen(kernel, "os.listdir('/etc')")) <= {"ld.so.cache", "localtime", "fonts", "alternatives"}
    project = seen(kernel, f"sorted(os.listdir({str(ROOT)!r}))")
    assert set(project) <= {".venv", "grading"}
    assert seen(kernel, f"os.listdir({str(ROOT / 'grading')!r})") == ["kernel"]


def test_inside_of_what_is_shared_on_the_machine_there_are_programs_and_libraries(kernel):
    """nbgrader's exchange, with what others have handed in, is in /usr/local/share if not set."""
    assert set(seen(kernel, "os.listdir('/usr')")) <= {"bin", "lib", "lib64", "share", "local"}
    assert set(seen(kernel, "os.listdir('/usr/local')")) <= {"bin", "lib", "lib64", "share"}
    assert seen(kernel, "not os.path.exists('/usr/local/share') or os.listdir('/usr/local/share')") in (True, ["fonts"])


@pytest.fixture
def environment(tmp_path, monkeypatch) -> Iterator[Path]:
    """An environment in whose folder there is a course, too."""
    for name in ("lib/course/submitted", "submitted"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "canary").write_text("another learner's")
    monkeypatch.setattr(sys, "exec_prefix", str(tmp_path))
    jail._command.cache_clear()
    yield tmp_path
    jail._command.cache_clear()


def test_of_an_environment_its_packages_can_be_read_and_not_a_course_beside_them(environment, monkeypatch):
    canaries = [environment / "submitted" / "canary", environment / "lib" / "course" / "submitted" / "canary"]
    command = [*jail.command(jail.probe(), jail.Limits()), "cat", *map(str, canaries)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == "another learner's" and f"{canaries[0]}: No such file" in done.stderr
    touch = [*command[: command.index("cat")], "touch", environment / "new"]
    assert "Permission denied" in subprocess.run(touch, capture_output=True, text=True).stderr
    assert jail.exposed([*canaries, environment / "lib" / "nothing"]) == canaries[1:]
    with pytest.raises(jail.JailError, match=f"could read {canaries[1]}. .* Move the course"):
        jail.keep_private(canaries)
    (environment / "linked").symlink_to(environment / "lib" / "course")
    assert jail.exposed([environment / "linked" / "submitted"])
    monkeypatch.setattr(jail, "probe", lambda: jail.Level("process"))  # which says itself that it hides nothing
    jail.keep_private(canaries)


def test_no_folder_that_is_shown_has_pytorch(environment):
    """Neither that of the Python that an environment was made with, nor one that is shown under a second name."""
    for name in ("lib/python3.11/site-packages", "lib/python3/dist-packages"):
        (environment / name / "torch").mkdir(parents=True)
        (environment / name / "torch" / "canary").touch()
    jail.hidden.cache_clear()
    search = ["find", *map(str, jail._readable()), "-maxdepth", "4", "-path", "*-packages/torch/*"]
    done = subprocess.run([*jail.command(jail.probe(), jail.Limits()), *search], capture_output=True, text=True)
    jail.hidden.cache_clear()
    found = {Path(line).name for line in done.stdout.splitlines()}
    assert found == {path.name for path in (jail.KERNEL / "hidden").iterdir()}


@pytest.mark.parametrize("kind", ["submitted", "source", "gradebook", "exchange", "journal"])
def test_a_course_that_learners_could_read_is_not_graded(kind, environment, tmp_path_factory):
    """Whatever of it lies where Python is installed."""
    elsewhere, inside = tmp_path_factory.mktemp("course"), environment / "lib" / "course"
    config = Config()
    config.CourseDirectory.root = str(elsewhere)
    private = inside / kind
    private.mkdir(exist_ok=True)
    if kind == "gradebook":
        config.CourseDirectory.db_url = f"sqlite:///{private}"
    elif kind == "exchange":
        config.Exchange.root = str(private)
    elif kind == "journal":
        config.ClassAutograde.journal_directory = str(private)
    else:
        config.CourseDirectory[f"{kind}_directory"] = str(private)
    grader = ClassAutograde(CourseDirectory(config=config), config=config)
    with pytest.raises(NbGraderException, match=f"could read {private}"):
        grader.start()


def test_inside_nothing_can_be_written_but_the_scratch_folders(kernel):
    code = "[p for p in ['/', '/usr', '/etc', sys.prefix, sys.base_prefix, '/learner', '/tmp', '/dev/shm', "
    code += "os.path.dirname(np.__file__)] if os.access(p, os.W_OK)]"
    kernel.execute("import numpy as np")
    assert seen(kernel, code) == ["/learner", "/tmp", "/dev/shm"]


def test_inside_the_environment_is_ours(kernel, monkeypatch):
    assert set(seen(kernel, "sorted(os.environ)")) <= {*jail.environment("x"), "PWD", "LC_CTYPE"} | {
        name for name in seen(kernel, "sorted(os.environ)") if name.startswith(("JPY_", "PYDEVD", "CLICOLOR", "TERM"))
    } | {"PAGER", "GIT_PAGER", "FORCE_COLOR"}


def test_inside_there_is_no_network(kernel):
    assert seen(kernel, "[name for _, name in socket.if_nameindex()]") == ["lo"]


def test_inside_there_are_no_privileges(kernel):
    status = seen(kernel, "open('/proc/self/status').read()")
    fields = dict(line.split(":\t", 1) for line in status.split("\n") if ":\t" in line)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(fields[name], 16) == 0, name
    assert fields["NoNewPrivs"] == "1"
    assert seen(kernel, "os.getuid()") != 0


def test_inside_the_limits_hold(kernel):
    limits = jail.Limits().as_rlimits(jail.probe())
    for name in limits:
        assert seen(kernel, f"resource.getrlimit(resource.RLIMIT_{name})") == (limits[name], limits[name])
    code = "(lambda s: s.f_blocks * s.f_frsize)(os.statvfs({!r}))"
    for place in ("/learner", "/tmp", "/dev/shm"):
        assert seen(kernel, code.format(place)) <= jail.Limits().disk


def test_inside_processes_see_their_own_only(kernel):
    assert len(seen(kernel, "[name for name in os.listdir('/proc') if name.isdigit()]")) <= 3


def answer(code: bytes, machine: int, call: int, *arguments: int) -> int:
    """What a filter says to a system call: 0, or an error. As Linux runs it, for other machines than this one, too."""
    seen, at, value = struct.pack("<IIQ6q", call, machine, 0, *arguments, *[0] * (6 - len(arguments))), 0, 0
    while True:
        step, if_so, if_not, number = struct.unpack_from("HBBI", code, at)
        if step == 0x06:
            return 0 if number == 0x7FFF0000 else number & 0xFFFF
        at += 8
        if step == 0x20:
            (value,) = struct.unpack_from("<I", seen, number)
        elif step == 0x54:
            value &= number
        else:
            is_so = {0x15: value == number, 0x35: value >= number, 0x45: bool(value & number)}[step]
            at += 8 * (if_so if is_so else if_not)


@pytest.mark.parametrize("name", list(seccomp.MACHINES))
def test_the_filter_of_each_machine_allows_these_calls_and_no_others(name, monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: name)
    monkeypatch.setattr(sys, "platform", "linux")
    here, says = list(seccomp.MACHINES).index(name), functools.partial(answer, seccomp.program())
    machine, number = seccomp.MACHINES[name], {call: each[here] for call, each in seccomp.NUMBERS.items()}
    listed = {each[here] for each in (seccomp.ALLOWED | seccomp.NUMBERS).values()}
    absent = {each[here] for each in seccomp.ABSENT.values()} | set(range(seccomp.NEW, 600))
    looked_at = {number[call] for call in ("socket", "socketpair", "setsockopt", "ioctl", "clone")}
    for call in set(range(600)) - looked_at:
        expected = 0 if call in listed else errno.ENOSYS if call in absent else errno.EPERM
        assert says(machine, call, 1, 1, 1) == expected, call
    assert says(1, 0) == says(machine, 0x40000000) == errno.EPERM  # of another kind of processor, and under other names
    for family, kind, protocol in itertools.product(range(50), range(11), (0, 6, 12, 17, 132, 256, 262)):
        usual = kind < 4 and protocol in {1: [0], 2: [0, 6, 17], 16: [0]}.get(family, [])
        for call in ("socket", "socketpair"):
            refused = says(machine, number[call], family, kind | 0x80800, protocol)
            assert refused == (0 if usual else errno.EAFNOSUPPORT), (family, kind, protocol)
    for option in itertools.product(range(20), range(40)):
        refused = says(machine, number["setsockopt"], 3, *option)
        assert refused == (errno.EPERM if option in ((1, 13), (6, 31)) else 0), option
    assert [says(machine, number["ioctl"], 0, call) for call in (0x5423, 0x5413)] == [errno.EPERM, 0]
    flags = (0x10000011, 0x11, 9)
    assert [says(machine, number["clone"], each) for each in flags] == [errno.EPERM, 0, errno.EPERM]


@pytest.mark.parametrize("name", list(seccomp.MACHINES))
def test_the_filter_of_a_kernel_refuses_to_kill_it_and_lets_children_be_killed(name, monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: name)
    monkeypatch.setattr(sys, "platform", "linux")
    here, says = list(seccomp.MACHINES).index(name), functools.partial(answer, seccomp.program(kernel=7))
    machine, number = seccomp.MACHINES[name], {call: each[here] for call, each in seccomp.NUMBERS.items()}
    without = functools.partial(answer, seccomp.program())
    for call in set(range(600)) - {number[each] for each in KILLING}:
        assert says(machine, call, 1, 9, 9) == without(machine, call, 1, 9, 9), call
    for call, cases in KILLING.items():
        for arguments, refused in cases.items():
            assert says(machine, number[call], *arguments) == (errno.EPERM if refused else 0), (call, arguments)
            assert call == "clone" or without(machine, number[call], *arguments) == 0


KILLING = {  # arguments of system calls, and whether they are refused
    **{"kill": {(8, 9): True, (-1, 9): True, (8, 15): False}, "tkill": {(8, 9): True, (8, 2): False}},
    "tgkill": {(7, 8, 9): True, (7, 7, 15): False, (8, 8, 9): False},
    **{"rt_sigqueueinfo": {(8, 9): True, (8, 10): False}, "rt_tgsigqueueinfo": {(8, 8, 9): True, (8, 8, 10): False}},
    "pidfd_send_signal": {(3, 9): True, (3, 15): False},
    "timer_create": {(0, 1 << 40): True},
    "fcntl": {(3, 10, 9): True, (3, 10, 10): False, (3, 3, 9): False},
    "clone": {(9,): True, (17,): False, (0x3D0F00,): False},
    "setrlimit": {(0, 1 << 40): True, (15, 1 << 40): True, (7, 1 << 40): False},
    "prlimit64": {(0, 0, 1 << 40): True, (0, 15, 8): True, (0, 0, 0): False, (0, 7, 8): False},
}


@refusing
@pytest.mark.parametrize("copied", [True, False])
def test_inside_nothing_kills_the_kernel_and_children_can_be_killed(copied, monkeypatch):
    """Each way that Linux has: by a signal now or later, to a number, a thread, a group or a descriptor, at a limit."""
    if not copied:
        monkeypatch.setattr(jailed, "zygote", lambda: None)
    kernel = Kernel()
    kernel.execute(f"{WAYS_TO_KILL}\nerrors = [error(way) for way in ways]")
    assert seen(kernel, "errors") == [errno.EPERM] * seen(kernel, "len(ways)") and seen(kernel, "len(ways)") > 15
    kernel.execute("""
import multiprocessing, subprocess
child = subprocess.Popen(["sleep", "600"])
child.kill()
ended = [child.wait()]
try:
    subprocess.run(["sleep", "600"], timeout=0.01)
except subprocess.TimeoutExpired:
    ended.append("in time")
with subprocess.Popen(["sleep", "600"]) as child:
    child.send_signal(signal.SIGTERM)
ended.append(child.returncode)
""")
    assert seen(kernel, "ended") == [-9, "in time", -15]
    kernel.close()


WAYS_TO_KILL = r"""
import ctypes, errno, fcntl, os, posix, resource, signal, subprocess, threading
libc = ctypes.CDLL(None, use_errno=True)
numbers = {each: pair["x86_64 aarch64".split().index(os.uname().machine)] for each, pair in NUMBERS.items()}
me, thread = os.getpid(), threading.Thread(target=threading.Event().wait, daemon=True)
thread.start()
information = ctypes.create_string_buffer((9).to_bytes(4, "little") + bytes(4) + b"\xff" * 4, 128)  # SI_QUEUE
event = ctypes.create_string_buffer(bytes(8) + (9).to_bytes(4, "little"), 64)  # SIGEV_SIGNAL
ends = os.pipe()

def call(name, *arguments):
    if libc.syscall(numbers[name], *arguments) == -1:
        raise OSError(ctypes.get_errno(), name)

def in_child(way):
    child = os.fork()
    if child == 0:
        os._exit(error(way))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def error(way):
    try:
        found = way()
    except OSError as raised:
        return raised.errno
    except ValueError:  # of resource
        return errno.EPERM
    return found

ways = [
    lambda: os.kill(me, 9),
    lambda: posix.kill(me, 9),
    lambda: posix.kill(thread.native_id, 9),
    lambda: posix.kill(0, 9),
    lambda: posix.kill(-1, 9),
    lambda: os.killpg(me, 9),
    lambda: signal.pthread_kill(thread.ident, 9),
    lambda: call("tkill", thread.native_id, 9),
    lambda: call("tgkill", me, me, 9),
    lambda: call("rt_sigqueueinfo", me, 9, information),
    lambda: call("rt_tgsigqueueinfo", me, me, 9, information),
    lambda: call("pidfd_send_signal", os.pidfd_open(me), 9, 0, 0),
    lambda: call("pidfd_send_signal", os.open("/proc/self", os.O_RDONLY), 9, 0, 0),
    lambda: call("timer_create", 1, event, ctypes.create_string_buffer(8)),
    lambda: fcntl.fcntl(ends[0], 10, 9),
    lambda: call("clone", 9, 0, 0, 0, 0),
    lambda: resource.setrlimit(resource.RLIMIT_CPU, (1, 1)),
    lambda: resource.prlimit(0, resource.RLIMIT_CPU, (1, 1)),
    lambda: in_child(lambda: posix.kill(me, 9)),
    lambda: in_child(lambda: posix.kill(-1, 9)),
    lambda: in_child(lambda: resource.prlimit(me, resource.RLIMIT_CPU, (1, 1))),
    lambda: subprocess.run(["sh", "-c", "kill -9 $PPID"], stderr=subprocess.DEVNULL).returncode and errno.EPERM,
]
""".replace("NUMBERS", repr(seccomp.NUMBERS), 1)


@refusing
def test_inside_a_terminal_has_one_discipline(kernel):
    """Others are parts of Linux that are loaded for whoever asks."""
    kernel.execute("""
import fcntl, os, pty, struct
def discipline(call, number):
    try:
        return fcntl.ioctl(ends[0], call, struct.pack("i", number)) and True
    except OSError as error:
        return error.errno
ends = pty.openpty()
""")
    assert seen(kernel, "discipline(0x5423, 0)") == errno.EPERM
    assert seen(kernel, "discipline(0x5424, 0)") is True


@refusing
def test_inside_there_are_few_kinds_of_sockets_and_none_lingers(kernel):
    kernel.execute("""
import socket, struct
def opens(*kind):
    try:
        socket.socket(*kind).close()
        return True
    except OSError as error:
        return error.errno
def sets(level, option, value):
    try:
        with socket.socket(socket.AF_INET) as end:
            end.setsockopt(level, option, value)
        return True
    except OSError as error:
        return error.errno
""")
    usual = [(socket.AF_UNIX, 1), (socket.AF_UNIX, 2), (socket.AF_INET, 1, 6), (socket.AF_INET, 2, 17), (16, 3, 0)]
    assert seen(kernel, f"[opens(*kind) for kind in {[tuple(map(int, kind)) for kind in usual]}]") == [True] * 5
    # IPv6, SCTP under both names, MPTCP, SMC, netfilter, IPsec, a virtual machine's host, packets
    rare = [(10, 1), (2, 5), (2, 1, 132), (2, 1, 262), (2, 1, 256), (16, 3, 12), (16, 3, 6), (40, 1), (17, 3)]
    assert seen(kernel, f"[opens(*kind) for kind in {rare}]") == [errno.EAFNOSUPPORT] * len(rare)
    assert seen(kernel, "sets(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 30))") == errno.EPERM
    assert seen(kernel, "sets(socket.IPPROTO_TCP, 31, b'tls')") == errno.EPERM  # without connection: ENOTCONN
    assert seen(kernel, "sets(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)") is True
    assert seen(kernel, "sets(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)") is True


@pytest.mark.parametrize(
    ("line", "use"),
    [
        ("import nowhere", "nowhere.x"),
        ("import os, nowhere.part as n", "n.x"),
        ("import nowhere.part", "nowhere.part"),
        ("from nowhere import f", "f(1)"),
        ("from nowhere.part import f, g as h", "h[0]"),
        ("from nowhere import Base", "type('A', (), {})\n    class A(Base): pass"),
        ("%%time\nimport nowhere", "nowhere()"),
        ("begun = 0\nimport nowhere as n; begun += 1", "[*n]"),
        ("import asyncio, nowhere\nawait asyncio.sleep(0)", "nowhere.x = 3"),
    ],
)
def test_inside_an_import_of_what_is_not_there_fails_when_it_is_used(kernel, line, use):
    kernel.execute(f"{line}\nbegun = True")
    assert seen(kernel, "begun") is True
    kernel.execute(
        f"try:\n    {use}\nexcept ModuleNotFoundError as error:\n    said = error.name, str(error)\nbegun = 0"
    )
    assert seen(kernel, "said") == ("nowhere", "No module named 'nowhere' where notebooks are graded")
    kernel.execute("del said")


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    import nowhere\nexcept ImportError:\n    fails = True",
        "import contextlib as c\nwith c.suppress(ImportError):\n    fails = True\n    import nowhere\n    fails = 0",
        "fails = True\nimport matplotlib.nowhere\nfails = False",
        "fails = True\nfrom numpy import nowhere\nfails = False",
        "fails = True\nfrom nowhere import *\nfails = False",
        "open('broken.py', 'w').write('import missing_too')\nfails = True\nimport broken\nfails = False",
        "import importlib.util\nimport nowhere\nfails = importlib.util.find_spec('nowhere') is None",
        "open('made.py', 'w').write('x = 3')\nimport made\nfails = made.x == 3",
        "from __future__ import annotations\nfails = True",
    ],
)
def test_inside_who_asks_whether_a_package_is_there_is_told_and_other_imports_are_as_ever(kernel, code):
    kernel.execute("fails = None")
    kernel.execute(code)
    assert seen(kernel, "fails") is True


def test_inside_there_are_the_packages_that_learners_are_told_of(kernel):
    page = (ROOT / "docs" / "learner.md").read_text(encoding="utf-8")
    line = re.search(r"^Installed there: (.*?)\.$", page, re.MULTILINE | re.DOTALL)[1]
    names = re.findall(r"`(\w+)`", line)
    assert {"numpy", "matplotlib"} < set(names)
    for name in names:
        kernel.execute(f"there = False\nimport {name}\nthere = type({name}).__name__")
        assert seen(kernel, "there") == "module", name


def test_each_kernel_draws_other_random_numbers():
    draws = []
    for _ in range(2):
        kernel = Kernel()
        kernel.execute("import random, numpy as np")
        draws.append(seen(kernel, "[random.random(), float(np.random.rand()), os.urandom(4).hex()]"))
        kernel.close()
    assert all(one != other for one, other in zip(*draws, strict=True))


def test_a_kernel_is_as_one_that_was_started_by_itself(monkeypatch):
    """What it sees and may do does not tell whether it is a copy of the zygote."""
    looks = (
        "sorted(os.environ)",
        "os.getcwd()",
        "sys.path",
        "sorted(os.listdir('.'))",
        "signal.getsignal(signal.SIGINT) is not None and signal.pthread_sigmask(signal.SIG_BLOCK, [])",
        "[open(f'/proc/self/{name}').read() for name in ('limits', 'cgroup', 'uid_map')]",
        "[line.split()[4:6] for line in open('/proc/self/mountinfo')]",
        "[os.readlink(f'/proc/self/fd/{n}').split(':')[0] for n in (0, 1, 2)]",
        "[resource.getrlimit(n) for n in range(16)]",
    )

    def look() -> list:
        kernel = Kernel()
        kernel.execute("import signal")
        found = [str(seen(kernel, code)) for code in looks]
        kernel.close()
        return found

    copied = look()
    monkeypatch.setattr(jailed, "zygote", lambda: None)
    assert copied == look()


def test_where_learners_could_write_their_own_program_kernels_start_by_themselves(monkeypatch):
    level = jail.Level("bubblewrap", user=None)
    monkeypatch.setattr(os, "access", lambda path, mode: True)
    assert not Zygote.is_safe(level)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert Zygote.is_safe(level)
    assert not Zygote.is_safe(jail.Level("process"))


def test_without_the_zygote_kernels_start_by_themselves(tmp_path):
    """It was killed, or Linux does not let it enter a jail: grading goes on."""
    zygote = Zygote()
    supply = KernelSupply(jail.probe(), jail.Limits(), tmp_path, zygote)
    for gone in (False, True):
        kernel = supply.take()
        assert (supply.zygote is None) == gone and not kernel.process.has_ended()
        kernel.close()
        zygote.process.kill()
        zygote.process.wait()
    zygote.close()


def test_a_python_that_has_no_descriptors_of_processes_grades_too(monkeypatch):
    """Some are built for a Linux of before: their kernels are no copies."""
    monkeypatch.delattr(os, "pidfd_open")
    assert not Zygote.is_safe(jail.probe())
    monkeypatch.setattr(jailed, "zygote", lambda: None)
    kernel = Kernel()
    kernel.execute("import time")
    kernel.client.execute("open('begun', 'w').close(); time.sleep(600)", silent=True)
    wait_for(Path(f"/proc/{kernel.kernel.pid}/cwd/begun").exists)
    assert not kernel.kernel.has_ended()
    kernel.kernel.interrupt()
    kernel.execute("x = 1")
    kernel.client.execute("import os; os._exit(0)", silent=True)
    assert kernel.kernel.has_ended(10)
    kernel.close()


def test_where_there_is_no_descriptor_left_of_a_copy_it_is_none(monkeypatch):
    zygote = jailed.zygote()
    ended = []
    monkeypatch.setattr(zygote, "copy", lambda *_: (ended.append("begun") or 2**22 + 1, None))
    monkeypatch.setattr(os, "kill", lambda number, _: ended.append(number))
    with pytest.raises(OSError, match="no descriptor"):
        zygote.enter(jail.probe(), [])
    assert ended == ["begun", 2**22 + 1]


@pytest.mark.parametrize("noticed", [False, True])
def test_at_level_process_what_a_kernel_started_ends_with_the_notebook(monkeypatch, noticed):
    """Also where the kernel has ended before, by itself."""
    monkeypatch.setattr(jailed.jail, "probe", lambda: jail.Level("process"))
    monkeypatch.setattr(jailed, "zygote", lambda: None)
    kernel, mark = Kernel(), f"98{os.getpid()}"
    kernel.execute(f"import os, subprocess, threading; subprocess.Popen(['sleep', '{mark}'])")

    def others() -> list[bytes]:
        return [c for c in map(read, Path("/proc").glob("[0-9]*/cmdline")) if mark.encode() in c]

    assert others()
    kernel.client.execute("threading.Timer(0.1, os._exit, [0]).start()", silent=True)
    assert kernel.kernel.has_ended(30)
    if noticed:
        kernel.kernel.notice_end()
        assert not kernel.kernel.is_lost
    kernel.close()
    wait_for(lambda: not others())


@pytest.mark.parametrize("level", ["bubblewrap", "process"])
def test_everything_ends_with_the_grader(level):
    """Also when the grader is killed, and the kernel has asked not to be."""
    mark = f"97{os.getpid()}"
    code = f"""
import os, signal, sys
sys.path[:0] = [{str(ROOT / "kit_tests")!r}, {str(ROOT)!r}]
import jailed
if {level == "process"}:
    jailed.jail.probe, jailed.zygote = lambda: jailed.jail.Level("process"), lambda: None
kernel = jailed.Kernel()
kernel.execute("import subprocess, ctypes; ctypes.CDLL(None).prctl(1, 0)")
if {level == "bubblewrap"}:
    kernel.execute("subprocess.Popen(['sleep', '{mark}'], start_new_session=True)")
print(kernel.kernel.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == -signal.SIGKILL, done.stderr
    kernel = Path(f"/proc/{int(done.stdout)}/cmdline")
    wait_for(lambda: not read(kernel))  # a zombie has no command
    wait_for(lambda: not [c for c in map(read, Path("/proc").glob("[0-9]*/cmdline")) if mark.encode() in c])


@pytest.mark.parametrize("copied", [True, False])
def test_process_1_of_a_jail_has_nothing_that_the_kernel_could_keep_open(copied, monkeypatch):
    """It waits for the end of a socket, which cannot be opened in /proc, and has none of the kernel's descriptors."""
    if not copied:
        monkeypatch.setattr(jailed, "zygote", lambda: None)
    kernel = Kernel()
    try:
        opened = Path(f"/proc/{kernel.kernel.init}/fd")
        assert os.readlink(opened / "0").startswith("socket:")
        others = {os.readlink(place).split(":")[0] for place in opened.iterdir() if int(place.name) > 2}
        assert "socket" not in others, others
    finally:
        kernel.close()


@pytest.mark.parametrize("copied", [True, False])
def test_processes_that_have_lost_their_parent_leave_room_for_others(copied, monkeypatch):
    if not copied:
        monkeypatch.setattr(jailed, "zygote", lambda: None)
    kernel = Kernel()
    code = """
import os, pathlib, time
for _ in range(5):
    if os.fork() == 0:
        parent = os.getpid()
        if os.fork() == 0:
            while os.getppid() == parent:
                time.sleep(0.001)
        os._exit(0)
    os.wait()
deadline = time.monotonic() + 20
while time.monotonic() < deadline:
    found = [path.name for path in pathlib.Path("/proc").glob("[0-9]*")]
    if len(found) <= 2:
        break
    time.sleep(0.05)
found = sorted(map(int, found))
"""
    try:
        kernel.execute(code)
        assert seen(kernel, "found == [1, os.getpid()]") is True, seen(kernel, "found")
    finally:
        kernel.close()


def test_a_kernel_that_fills_the_graders_memory_is_killed(monkeypatch):
    """A message of any number of parts, which nobody has to receive for libzmq to read it."""
    looks = []
    monkeypatch.setattr(processes, "MOST_GROWTH", 64 << 20)
    monkeypatch.setattr(processes, "memory", lambda: looks.append(memory()) or looks[-1])
    kernel = Kernel()
    code = """
import time
shell, to = get_ipython().kernel.shell_stream.socket, get_ipython().kernel._parent_ident["shell"][0]
shell.send_multipart([to, *[bytes(15 << 20)] * 24], copy=False)
time.sleep(30)
"""
    try:
        before = memory()
        with kernel.kernel.watched():
            kernel.execute("for _ in range(30): display({'text/plain': 'x' * (1 << 20)}, raw=True)")
            looks.clear()
            wait_for(lambda: len(looks) > 1)
            assert not kernel.kernel.has_ended()
            kernel.client.execute(code)
            wait_for(lambda: kernel.kernel.process.poll() is not None)
            assert memory() < before + (240 << 20)  # less than all, and it serves what comes next
            assert "64 MiB" in kernel.kernel.why
    finally:
        kernel.close()


def test_a_kernel_that_has_ended_leaves_no_process():
    """Also where nobody clears away what has lost its parent, as in many containers: here, this process."""
    libc = ctypes.CDLL(None)
    libc.prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
    try:
        kernels = [Kernel() for _ in range(2)]
        numbers = [number for each in kernels for number in (each.kernel.pid, each.kernel.init)]
        for each in kernels:
            each.close()
        wait_for(lambda: not [number for number in numbers if Path(f"/proc/{number}").exists()])
    finally:
        libc.prctl(36, 0)


def test_a_kernel_that_is_closed_while_its_jail_is_being_made_leaves_no_process(tmp_path):
    for moment in range(60):
        kernel = JailedKernel(jail.probe(), jail.Limits(), tmp_path)
        time.sleep(moment % 20 / 5000)
        kernel.close()
    wait_for(lambda: not [place for place in Path("/proc").glob("[0-9]*/cmdline") if bytes(tmp_path) in read(place)])


def test_a_grader_that_is_killed_while_a_jail_is_being_made_leaves_no_process(tmp_path):
    """At many moments: there is one in which nothing binds the jail to whoever makes it but the pipe."""
    code = f"""
import os, signal, sys, time
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from grading import jail
from grading.kernels import JailedKernel
jail.command(jail.probe(), jail.Limits())
for moment in range(100):
    folder = Path({str(tmp_path)!r}, str(moment))
    folder.mkdir()
    grader = os.fork()
    if grader == 0:
        JailedKernel(jail.probe(), jail.Limits(), folder)
        time.sleep(60)
        os._exit(0)
    time.sleep(0.002 + moment % 25 / 2500)
    os.kill(grader, signal.SIGKILL)
    os.waitpid(grader, 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    wait_for(lambda: not [place for place in Path("/proc").glob("[0-9]*/cmdline") if bytes(tmp_path) in read(place)])


# ---------------------------------------------------------------- levels


@pytest.mark.parametrize(
    ("complaint", "says"),
    [
        ("bwrap: setting up uid map: Permission denied", "AppArmor forbids bubblewrap"),
        ("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", "AppArmor forbids bubblewrap"),
        ("bwrap: No permissions to create new namespace, likely because the kernel does not allow", "in a container"),
        ("bwrap: Creating new namespace failed: Operation not permitted", "in a container"),
        ("bwrap: execvp /home/x/.venv/bin/python: Permission denied", "Python cannot be read inside the jail"),
        ("bwrap: execvp /opt/python: No such file or directory", "Python cannot be read inside the jail"),
        ("ModuleNotFoundError: No module named 'numpy'", "Python cannot be read inside the jail"),
        ("something else\nlast line", "bubblewrap does not work here: last line"),
        ("", "bubblewrap does not work here"),
    ],
)
def test_a_jail_that_does_not_start_says_why_and_what_to_do(complaint, says):
    assert says in jail.explain(complaint)


def test_without_bubblewrap_the_level_is_process_and_says_what_to_install(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    level = jail.probe.__wrapped__()
    assert level.name == "process"
    assert "apt install bubblewrap" in level.as_text()
    assert "grade only notebooks you trust" in level.as_text()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "use WSL2, a Linux machine" in jail.probe.__wrapped__().as_text()


def test_what_this_linux_or_bubblewrap_cannot_limit_is_said(monkeypatch):
    as_user = jail.Level("bubblewrap", options=["--unshare-user"])
    assert "limited memory, time, processes, disk use)." in as_user.as_text()
    assert "NPROC" in jail.Limits().as_rlimits(as_user)
    monkeypatch.setattr(jail, "_linux", lambda: (5, 10))  # it would count all processes of that user
    assert "NPROC" not in jail.Limits().as_rlimits(as_user)
    assert "memory, time, disk use). NOT limited: processes, which Linux 5.14 can do." in as_user.as_text()
    assert "time, processes, disk use)." in jail.Level("bubblewrap", user=2_000_000).as_text()
    monkeypatch.setattr(jail, "_help", lambda: "--tmpfs DEST")
    as_root = jail.Level("bubblewrap", user=2_000_000)
    assert "time, processes). NOT limited: disk use, which bubblewrap 0.7 can do." in as_root.as_text()


def test_an_environment_that_is_reached_by_a_link_can_be_read(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "linked").symlink_to(sys.prefix)
    (tmp_path / "outer").symlink_to("folder")
    linked = tmp_path / "outer" / "linked"
    code = """if True:
        import sys
        sys.path[:0] = ["kit_tests", "."]
        from jailed import Kernel, jail
        print(sys.prefix, jail.probe().name, jail.probe().why)
        kernel = Kernel()
        draw = "from matplotlib import pyplot; pyplot.plot([1]); pyplot.savefig('drawn.png'); drawn = True"
        kernel.execute(draw)
        print(kernel.names(["drawn"])["drawn"])"""
    python = linked / Path(sys.executable).relative_to(sys.prefix)
    done = subprocess.run([python, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == [str(linked), "bubblewrap", "True"], done


def test_the_fonts_of_every_matplotlib_are_there(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path))
    for version in ("3.11.0", "390"):  # the one that was written last is not always the one in use
        (tmp_path / f"fontlist-v{version}.json").write_text("{}")
    level = jail.Level("bubblewrap")
    jail._command.cache_clear()
    command = jail.command(level, jail.Limits())
    jail._command.cache_clear()
    assert {f"{jail.WORK}/.matplotlib/fontlist-v{version}.json" for version in ("3.11.0", "390")} <= set(command)


def test_below_the_required_level_nothing_is_graded():
    with pytest.raises(jail.JailError, match=r"level 'bubblewrap' is required.*level 'process'.*do this"):
        jail.require(jail.Level("process", why="do this"), "bubblewrap")
    jail.require(jail.Level("process"), "process")
    jail.require(jail.Level("bubblewrap"), "process")


def without_bwrap(folder: Path) -> str:
    """A PATH on which everything is but bwrap."""
    for name in ("sh", "env", "uname"):
        (folder / name).symlink_to(shutil.which(name))
    return os.pathsep.join([str(Path(sys.executable).parent), str(folder)])


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    made = Course(tmp_path_factory.mktemp("course"))
    made.hand_in("honest", notebook("solution"))
    return made


@pytest.fixture(scope="module")
def small_course(tmp_path_factory):
    """One in which little is written: where it is no matter what is graded."""
    made = Course(tmp_path_factory.mktemp("course"))
    made.hand_in("honest", submission("half"))
    return made


def test_level_process_gives_the_same_points_and_says_that_it_isolates_nothing(course, tmp_path, monkeypatch):
    """The notebook is the reference: nothing else may run at this level here."""
    monkeypatch.setenv("PATH", without_bwrap(tmp_path))
    graded = course.grade()
    assert "jail: process ONLY" in graded.log
    assert graded.status == 0, graded.log
    assert sum(graded.points("honest").values()) == 100
    refused = course.grade("--JudgedExecute.required=bubblewrap")
    assert refused.status == 1
    assert "Nothing was graded: level 'bubblewrap' is required" in refused.log
    assert "Traceback" not in refused.log


# ---------------------------------------------------------------- an ordinary user

NOBODY = 65534
BESIDE_MANY_THREADS = """
import subprocess, sys, threading
for _ in range(100):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
sys.exit(subprocess.call(sys.argv[1:]))
"""


def as_ordinary_user(*command: str) -> list[str]:
    """A command as an ordinary user runs it, also where these tests run as root.

    Python, this repository and the course may lie in a folder that is closed to others, such as /root: then they alone
    are in it.
    """
    if os.geteuid() != 0:
        return list(command)
    needed = [Path(place).resolve() for place in (sys.base_prefix, sys.prefix, ROOT, kit.course())]
    closed = sorted({parent for place in needed for parent in place.parents if not parent.stat().st_mode & 0o001})
    options = []
    for folder in closed:
        options += ["--perms", "755", "--tmpfs", str(folder)]
    for place in (place for place in needed if any(place.is_relative_to(folder) for folder in closed)):
        for parent in (each for each in reversed(place.parents) if any(map(each.is_relative_to, closed))):
            options += ["--perms", "755", "--dir", str(parent)]
        options += ["--ro-bind", str(place), str(place)]
    program = [shutil.which("bwrap"), "--bind", "/", "/", "--dev-bind", "/dev", "/dev", *options, "--"]
    become = [shutil.which("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return [*program, *become, *command]


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mt-", dir="/tmp") as folder:  # pytest's own are closed to others
        yield Path(folder)


def _own(home: Path) -> dict[str, str]:
    """Give the home to the ordinary user; the variables for its programs."""
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", home], check=True)
    return {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.mark.parametrize(
    ("level", "command"),
    [("bubblewrap", "nbgrader"), ("bubblewrap", "grading"), ("process", "nbgrader")],
)
def test_an_ordinary_user_grades_beside_programs_with_many_threads(level, command, home):
    made = Course(home)
    made.hand_in("all", submission("all"))  # the reference: nothing else may run at level "process"
    journal = [f"--ClassAutograde.journal_directory={home}/.grading", "--jobs=1"] if command == "grading" else []
    env = {**made.environment(), **_own(home)}
    if level == "process":
        (home / "bin").mkdir()
        env["PATH"] = without_bwrap(home / "bin")
    command = [sys.executable, "-m", command, "autograde", "tiny", *made.places(), *journal]
    command = as_ordinary_user(sys.executable, "-c", BESIDE_MANY_THREADS, *command)
    done = subprocess.run(command, cwd=kit.course(), env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert command[0] == sys.executable or (home / "gradebook.db").stat().st_uid == NOBODY
    assert sum(Graded(0, "", home).points("all").values()) == 86
    assert "grading" in command or f"jail: {level}" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="all of these tests run as an ordinary user")
def test_an_ordinary_users_jail_holds_as_that_of_root(home):
    tests = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={home}/tests", __file__]
    chosen = "inside or of_an_environment or as_one_that_was_started or process_1 or lost_their_parent"
    command = as_ordinary_user(sys.executable, *tests, "-k", chosen)
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **_own(home)}, capture_output=True, text=True)
    assert done.returncode == 0 and " passed" in done.stdout and "skipped" not in done.stdout, done.stdout


# ---------------------------------------------------------------- nbgrader's other ways


def test_not_executing_would_give_full_marks_so_it_is_refused(small_course):
    graded = small_course.grade("--no-execute")
    assert graded.status == 1
    assert "notebooks must be executed" in graded.log
    assert "Traceback" not in graded.log


def test_a_run_that_was_stopped_goes_on(small_course):
    assert small_course.grade().status == 0
    place = small_course.folder / "autograded" / "honest" / "tiny" / "tiny.ipynb"
    half = json.loads(place.read_text(encoding="utf-8"))
    for cell in half["cells"]:
        cell.get("outputs", []).clear()
    os.chmod(place, 0o644)
    place.write_text(json.dumps(half), encoding="utf-8")
    done = small_course.nbgrader("autograde", "tiny")
    assert done.returncode == 0, done.stderr
    assert "1 submission graded" in done.stderr
    assert "Skipping" not in done.stderr
    again = small_course.nbgrader("autograde", "tiny")
    assert "Skipping" in again.stderr and "0 submissions graded" in again.stderr


@pytest.mark.parametrize("command", ["autograde", "generate_feedback", "generate_assignment"])
def test_where_grading_cannot_be_loaded_nbgrader_does_nothing(command, tmp_path):
    """It goes on when its configuration fails, and would run learners' code as the instructor's own."""
    made = Course(tmp_path)
    made.hand_in("learner", notebook())
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    (tmp_path / "grading").mkdir()
    (tmp_path / "grading" / "__init__.py").write_text("import nothing_like_that")
    before = sorted(tmp_path.iterdir())
    program = [sys.executable, "-m", "nbgrader", command, "tiny", *made.places()]
    done = subprocess.run(program, cwd=tmp_path, env=made.environment(), capture_output=True, text=True)
    assert done.returncode == 1
    assert "Nothing was done" in done.stderr and "No module named 'nothing_like_that'" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "start",
    [
        "from nbgrader.apps import AutogradeApp as App; sys.argv[1:] = ['tiny']",
        "import runpy; sys.argv[1:] = ['autograde', 'tiny']",
    ],
)
def test_on_windows_grading_says_where_it_works(start):
    run = "runpy.run_module('grading', run_name='__main__')" if "runpy" in start else "App.launch_instance()"
    code = f"import sys; sys.path.insert(0, '.'); {start}; sys.platform = 'win32'; {run}"
    done = subprocess.run([sys.executable, "-c", code], cwd=kit.course(), capture_output=True, text=True)
    assert done.returncode == 1
    assert "grading needs Linux or macOS. On Windows use WSL2" in done.stderr
    assert "Traceback" not in done.stderr or "runpy" in start  # Python itself leaves it out for -m
    guide = (ROOT / "docs" / "instructor.md").read_text(encoding="utf-8")
    assert "On Windows use WSL2" in guide and "Scripts" not in guide


def test_formgrader_grades_through_the_judge(small_course):
    """It calls nbgrader's API from within a running event loop."""
    code = f"""
import asyncio, os, sys
os.chdir({str(kit.course())!r})
from nbgrader.apps import NbGrader
from nbgrader.apps.api import NbGraderAPI
from traitlets.config import Config
app = NbGrader()
app.load_config_file()
config = Config(app.config)
for name in ("submitted", "autograded", "release"):
    config.CourseDirectory[name + "_directory"] = {str(small_course.folder)!r} + "/" + name
config.CourseDirectory.db_url = "sqlite:///{small_course.folder}/gradebook.db"
async def main():
    result = NbGraderAPI(config=config).autograde("tiny", "honest", force=True)
    print(result["success"], result.get("log", ""), result.get("error", ""))
asyncio.run(main())
"""
    command, env = [sys.executable, "-c", code], small_course.environment()
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=env)
    assert done.stdout.startswith("True"), done.stdout + done.stderr
    assert "jail: bubblewrap" in done.stdout
    assert "1 submission graded, none needs a look" in done.stdout
