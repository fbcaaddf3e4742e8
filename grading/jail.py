"""The jail of a learner's kernel: what it can see, use up and reach.

Levels, strongest first:

- "bubblewrap": no network; a file system of its own (read-only Python and NumPy, a scratch folder in memory); processes
  of its own; no capabilities; rlimits.
- "process": rlimits and a clean environment only. The verdict is still given outside the kernel, but learners' code can
  read what you can read. For systems without bubblewrap.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import itertools
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from grading import cgroups
from grading.kernel import seccomp
from grading.limits import LEVELS, Limits

KERNEL = Path(__file__).resolve().parent / "kernel"
LAUNCHER = KERNEL / "launcher.py"
WORK = "/learner"  # the scratch folder: the kernel's working directory and home
SCRATCH = ("/tmp", WORK, "/dev/shm")  # what can be written to, in memory
# Of a folder that software is installed in. All of it may hold more: a course, or nbgrader's exchange, which is in
# /usr/local/share if not set.
PARTS = ("bin", "lib", "lib64", "pyvenv.cfg", "share")
# More threads, of NumPy, gain nothing: submissions are graded at the same time.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class JailError(Exception):
    """Learners' code cannot be run as asked; the message says why, and what to do."""


@dataclass(frozen=True)
class Level:
    """What a machine can do.

    Attributes:
        name: of LEVELS.
        why: why it is no stronger one, and what to do.
        options: of bwrap.
        user: the first of those that a kernel becomes one of, where the jail is entered as root: root is exempt from
            the limit on processes.
        no_groups: why jails have no control groups, and what to do; nothing where each has one.
    """

    name: str
    why: str = ""
    options: list[str] = field(default_factory=list)
    user: int | None = None
    no_groups: str = "they were not tried"

    @property
    def counts_processes(self) -> bool:
        """Whether Linux counts those of one jail only.

        Else it counts all of the user's: where those are many, such as a browser's, no kernel could start.
        """
        return self.name == "bubblewrap" and (self.user is not None or _linux() >= (5, 14))

    def as_text(self) -> str:
        if self.name == "bubblewrap":
            by = {"processes": "Linux 5.14", "disk use": "bubblewrap 0.7"}
            can = {"processes": self.counts_processes or not self.no_groups, "disk use": "--size" in _help()}
            limited = ["memory", "time", *(what for what in by if can[what])]
            lacking = "".join(f" NOT limited: {what}, which {by[what]} can do." for what in by if not can[what])
            if self.no_groups:
                lacking += f" NOT limited: the memory of all processes of a jail together. {self.no_groups}."
            else:
                limited.append("all processes together, by control groups")
            return f"jail: bubblewrap (no network, none of your files; limited {', '.join(limited)}).{lacking}"
        return (
            f"jail: process ONLY. {self.why} Verdicts cannot be forged, but until then learners' code can read your "
            "files, use your network and stop your programs: grade only notebooks you trust."
        )


def _linux() -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))


def environment(folder: str) -> dict[str, str]:
    """The environment variables of a kernel, all of them; `folder` is its home."""
    return {
        **ONE_THREAD,
        "MALLOC_ARENA_MAX": "1",
        "HOME": folder,
        "MPLCONFIGDIR": f"{folder}/.matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # ipykernel's; it sets it too late for a copy
        "TMPDIR": "/tmp" if folder == WORK else folder,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "PYTHONPATH": str(KERNEL),
        "PYTHONNOUSERSITE": "1",
        "PIP_RETRIES": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
    }


def _steps(path: Path) -> set[Path]:
    """The links on the way to a path, and where it lies."""
    for part in (*reversed(path.parents), path):
        if part.is_symlink():
            there = part.parent / os.readlink(part) / path.relative_to(part)
            return {part, *_steps(Path(os.path.normpath(there)))}
    return {path}


def _readable() -> list[Path]:
    """What a kernel needs to read: the interpreter, its packages, the system's libraries, and how to start."""
    paths = sysconfig.get_paths()
    prefixes = ["/usr", "/usr/local", sys.prefix, sys.base_prefix, sys.exec_prefix]
    wanted = {f"{prefix}/{part}" for prefix in prefixes for part in PARTS} - {"/usr/local/share"}
    wanted |= {paths[key] for key in ("stdlib", "purelib", "platlib")}
    wanted |= {"/usr/local/share/fonts", "/lib", "/lib64", "/bin", str(KERNEL)}
    wanted |= {f"/etc/{name}" for name in ("ld.so.cache", "localtime", "fonts", "alternatives")}
    found: list[Path] = []
    for path in sorted(set().union(*(_steps(Path(text)) for text in wanted if os.path.exists(text)))):
        if not any(path.is_relative_to(other) for other in found):
            found.append(path)
    return found


def exposed(places: Iterable[Path]) -> list[Path]:
    """Those files and folders that can be read inside, as they lie in what is shown there."""
    shown = [path.resolve() for path in _readable()]
    return [
        place
        for place in places
        if os.path.exists(place) and any(place.resolve().is_relative_to(path) for path in shown)
    ]


@functools.cache
def hidden(names: tuple[str, ...]) -> dict[str, list[Path]]:
    """Where those packages lie that are installed here, be it for another Python whose folder is shown, too."""
    found, folders = {}, [path for path in _readable() if not path.is_symlink()]
    for name in names:
        places = {place for path in folders for place in path.glob(f"python3*/*-packages/{name}")}
        with contextlib.suppress(ImportError, ValueError):
            if spec := importlib.util.find_spec(name):
                places |= {Path(place).resolve() for place in spec.submodule_search_locations or []}
                found[name] = []
        if places:
            found[name] = sorted(places)
    return found


def fonts() -> list[Path]:
    """Matplotlib's lists of fonts, one for each version that was used here, which takes its own.

    Making one takes seconds: it is made here once, and read by every kernel.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get("MPLCONFIGDIR") or f"{cache}/matplotlib")
    if not list(folder.glob("fontlist-*.json")):
        code = "import matplotlib.font_manager"
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    return sorted(folder.glob("fontlist-*.json"))


def command(level: Level, limits: Limits, files: Path | None = None) -> list[str]:
    """The bubblewrap command up to the program to run inside; nothing for level "process".

    `files` is shown inside, read-only, as /course: a folder that only the grader writes to.
    """
    if level.name != "bubblewrap":
        return []
    shown = ["--ro-bind", str(files), "/course"] if files else []
    # What bubblewrap made to mount things on is in memory, too, and of no limited size.
    closed = ["--remount-ro", "/dev", "--remount-ro", "/"]
    return [*_command(tuple(level.options), limits), *shown, *closed, "--"]


@contextlib.contextmanager
def refusing() -> Iterator[tuple[list[str], list[int]]]:
    """Options that put the filter of system calls on all processes of a jail, and the descriptors for bubblewrap."""
    code = seccomp.program()
    if not code:
        yield [], []
        return
    read, write = os.pipe()
    try:
        os.write(write, code)
        os.close(write)
        yield ["--seccomp", str(read)], [read]
    finally:
        os.close(read)


@functools.lru_cache
def _command(options: tuple[str, ...], limits: Limits) -> tuple[str, ...]:
    parts = [
        shutil.which("bwrap") or "bwrap",
        *options,
        "--as-pid-1",  # see processes.Jailed
        "--new-session",
        "--clearenv",
    ]
    for name, value in environment(WORK).items():
        parts += ["--setenv", name, value]
    size = ["--size", str(limits.disk)] if "--size" in _help() else []
    parts += ["--proc", "/proc", "--dev", "/dev"]
    for place in SCRATCH:  # before the rest: Python may be installed in /tmp
        parts += ["--perms", "1777", *size, "--tmpfs", place]
    readable = _readable()
    for parent in sorted({parent for path in readable for parent in path.parents if parent != Path("/")}):
        parts += ["--perms", "555", "--dir", str(parent)]  # else only root may pass; those in /tmp are not read-only
    for path in readable:
        if path.is_symlink():  # to what is shown, too
            parts += ["--symlink", os.readlink(path), str(path)]
        else:
            parts += ["--ro-bind", str(path), str(path)]
    for path in itertools.chain(*hidden(limits.hidden).values()):
        parts += ["--ro-bind", str(KERNEL / "hidden"), str(path)]
    parts += ["--perms", "1777", "--dir", f"{WORK}/.matplotlib"]
    for found in fonts():
        parts += ["--ro-bind", str(found), f"{WORK}/.matplotlib/{found.name}"]
    return (*parts, "--chdir", WORK)


@functools.cache
def _help() -> str:
    with contextlib.suppress(OSError):
        return subprocess.run(["bwrap", "--help"], capture_output=True, text=True).stdout
    return ""


def _strongest() -> Level:
    namespaces = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if os.geteuid() != 0:
        return Level("bubblewrap", options=["--unshare-user", *namespaces, "--cap-drop", "ALL"])
    capabilities = ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]  # to give up root
    return Level("bubblewrap", options=[*namespaces, *capabilities], user=2_000_000)


@functools.cache
def probe() -> Level:
    """The strongest level that works here, found by trying it."""
    if not sys.platform.startswith("linux"):
        return Level("process", why="bubblewrap needs Linux: use WSL2, a Linux machine or a Linux container.")
    if shutil.which("bwrap") is None:
        return Level(
            "process", why="bubblewrap is not installed: `apt install bubblewrap`, or `dnf install bubblewrap`."
        )
    level = _strongest()
    become = f"import os; os.setgid({level.user}); os.setuid({level.user})\n" if level.user else ""
    code = f"{become}import numpy, zmq, ipykernel, wire, server, seccomp\nseccomp.install()"
    with refusing() as (options, given):
        done = subprocess.run(
            [*command(level, Limits())[:-1], *options, "--", sys.executable, "-c", code],
            capture_output=True,
            text=True,
            errors="replace",
            pass_fds=given,
        )
    if done.returncode != 0:
        return Level("process", why=explain(done.stderr))
    try:
        cgroups.found()
    except cgroups.Unavailable as error:
        return replace(level, no_groups=str(error))
    return replace(level, no_groups="")


def explain(complaint: str) -> str:
    """What a failed start of bubblewrap means, and what to do."""
    if "setting up uid map: Permission denied" in complaint or "RTM_NEWADDR: Operation not permitted" in complaint:
        return (
            "AppArmor forbids bubblewrap to make user namespaces (Ubuntu 23.10 and newer): as an administrator run "
            "`apt install apparmor-profiles` and `ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict "
            "/etc/apparmor.d/` and `apparmor_parser -r /etc/apparmor.d/bwrap-userns-restrict`; or, for the whole "
            "machine, `sysctl kernel.apparmor_restrict_unprivileged_userns=0`."
        )
    if re.search("namespace|Operation not permitted", complaint):
        return (
            "The system does not let bubblewrap make namespaces: in a container start that with the right to "
            "(Docker: `--security-opt seccomp=unconfined --security-opt apparmor=unconfined --cap-add SYS_ADMIN`); "
            f"elsewhere an administrator allows user namespaces. It says: {_last(complaint)}"
        )
    if re.search("execvp|Permission denied|ModuleNotFoundError|No such file", complaint):
        return (
            f"Python cannot be read inside the jail ({sys.executable}, {sys.base_prefix}): make its folders readable "
            f"for everyone, or use one that is. It says: {_last(complaint)}"
        )
    return f"bubblewrap does not work here: {_last(complaint)}"


def _last(text: str) -> str:
    return (text.strip().split("\n") or [""])[-1][:300]


def require(level: Level, required: str) -> None:
    """Refuse to go on below a level.

    Raises:
        JailError: with what to do.
    """
    if LEVELS.index(level.name) < LEVELS.index(required):
        raise JailError(
            f"Nothing was graded: level {required!r} is required, and this machine has level {level.name!r}. "
            f"{level.why} Or allow the weaker level, for notebooks you trust: --JudgedExecute.required=process"
        )


def keep_private(places: Iterable[Path]) -> None:
    """Refuse to go on where learners' code could read what is not theirs, though the jail is said to hide it.

    Raises:
        JailError: with what to do.
    """
    if (found := exposed(places)) and probe().name == "bubblewrap":
        raise JailError(
            f"Nothing was graded: learners' code could read {', '.join(map(str, found))}. The jail shows Python, its "
            "environment and the system's libraries, and this lies in one of their folders. Move the course out of "
            "there, or have `c.Exchange.root` name another folder for the exchange."
        )
