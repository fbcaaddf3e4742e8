"""Commands of nbgrader's, of `python -m grading`, of pytest and of builds, run by copies of a process that has imported
what they need: nbgrader and the judge take longer to load than most classes here take to be graded.

    run([sys.executable, "-m", "nbgrader", ...], ...)   as subprocess.run does, but for start and imports

A command has its own folder, environment, arguments and output, and ends by itself. What it starts as a program of its
own starts as ever, but for the process that loads the tests for workers, which is a copy of the command's, and for the
zygote of its kernels, which is one for all commands. Of a command in another course (`forget`), Python programs that it
waits for are run in this way, too, as those of a build.

The process runs in the course of kit.py, which has a copy of this file: its modules are those of that course.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import util
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent  # in the process: the course
PACKAGES = sys.path[1:]
sys.path[1:1] = [str(ROOT)]

import kit  # noqa: E402

from grading import jail, warm  # noqa: E402

LARGEST = 1 << 17  # bytes of a request
PLACE = "MINITORCH_TESTS_READY"  # the variable that says where it is asked
LOADED = ("nbconvert.exporters", "nbgrader.apps.nbgraderapp", "pytest", "sqlalchemy.dialects.sqlite", "grading.run")
# Modules of which another course, or a learner's folder, has its own.
OWN = ("answers", "checks", "conftest", "grading", "kit", "make_class", "tests", "tiny", "workshop")


class Ready:
    """The process, and the way to its copies. It loads what they need when it is first asked for one."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="mt-ready-")
        self.place = f"{self.folder.name}/s"
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(self.place)
            listener.listen(100)
            self.process = subprocess.Popen(
                [sys.executable, kit.course() / "kit_tests" / "ready.py", str(listener.fileno())],
                cwd=kit.course(),
                stdin=subprocess.PIPE,  # it ends with this one
                pass_fds=[listener.fileno()],
            )

    def close(self) -> None:
        self.process.communicate()
        self.folder.cleanup()


@functools.cache
def place() -> str:
    """Where it is asked: that of pytest-xdist's workers is one for all (see conftest.py)."""
    if PLACE in os.environ:
        return os.environ[PLACE]
    made = Ready()
    util.Finalize(None, made.close, exitpriority=0)
    return made.place


def run(
    command: Sequence[str],
    *,
    cwd: Path | str | None = None,
    env: Mapping[str, str],
    timeout: float = 3600,
    is_one: bool = False,
    forget: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run a Python command to its end: `python -m module ...`, `python -c code` or `python file ...`.

    Args:
        cwd: the course's folder without it.
        is_one: whether errors are written where the output is.
        forget: whether the folder has its own tests and checks.

    Raises:
        subprocess.TimeoutExpired: when it takes longer than `timeout` seconds.
    """
    python, *arguments = map(str, command)
    assert python == sys.executable, command
    kind = arguments.pop(0) if arguments[0] in ("-m", "-c") else "file"
    folder = str(cwd or kit.course())
    said = {"kind": kind, "arguments": arguments, "folder": folder, "environment": {**env}, "forget": forget}
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asked,
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
    ):
        asked.connect(place())
        given = [output, output if is_one else errors]
        socket.send_fds(asked, [json.dumps(said).encode()], [each.fileno() for each in given])
        asked.settimeout(timeout)
        watcher = None
        try:
            watcher = int(asked.recv(100) or 0)
            status = int(asked.recv(100) or 256)
        except TimeoutError:
            if watcher:
                os.killpg(watcher, signal.SIGKILL)
            raise subprocess.TimeoutExpired(command, timeout) from None
        if not watcher or status == 256:
            raise RuntimeError("the process that is to run this command, or who waits for it, has ended")
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode("utf-8"))
    return subprocess.CompletedProcess(command, status, *texts)


# ---------------------------------------------------------------- the process


class Copied(warm.Workers):
    """The process that loads the tests for workers: they are loaded."""

    def __init__(self, home: str, assignment: str, oracle: str) -> None:
        self.home, self.loaded = home, (assignment, oracle)
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        child = os.fork()
        if not child:
            from grading import worker

            try:
                self.socket.close()
                os.setsid()
                os.environ |= jail.ONE_THREAD
                sys.argv[1:] = [home, assignment, oracle, str(theirs.detach())]
                worker.main()
            finally:
                os._exit(1)
        theirs.close()
        self.number = child

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.number, signal.SIGKILL)
        os.waitpid(self.number, 0)
        self.socket.close()


def load() -> Any:
    """Load what commands import and the tests, and try what jails can do here. The zygote, where there can be one."""
    from nbgrader import api

    from grading import assignments, execute, processes

    for module in LOADED:
        importlib.import_module(module)
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    version = api.get_alembic_version()  # nbgrader runs alembic for it, for each new gradebook
    api.get_alembic_version = lambda: version
    assignments.load_tests(kit.NAME)
    one = processes.Zygote() if processes.Zygote.is_safe(jail.probe()) else None
    if one:
        one.folder._finalizer.detach()  # commands end, too

        class Shared(processes.Zygote):
            """The one of all commands, which goes on when a command ends."""

            def __init__(self) -> None:
                vars(self).update(vars(one))

            def close(self) -> None:
                pass

        processes.Zygote = execute.Zygote = Shared
    tempfile.tempdir = None  # each command has its own
    gc.collect()
    gc.freeze()
    return one


def main() -> None:
    """Become one command for each request."""
    listener, is_loaded, zygote = socket.socket(fileno=int(sys.argv[1])), False, None
    where, bwrap = listener.getsockname(), shutil.which("bwrap")
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        asked, _ = listener.accept()
        with asked:
            message, given, _, _ = socket.recv_fds(asked, LARGEST, 2)
            if not is_loaded:
                zygote, is_loaded = load(), True
                signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait for commands
            if os.fork():
                for descriptor in given:
                    os.close(descriptor)
                continue
            listener.close()
            os.setsid()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            asked.send(str(os.getpid()).encode())
            if command := os.fork():
                asked.send(str(os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])).encode())
                os._exit(0)
        become(json.loads(message), where, bwrap, *given)
        return
    if zygote:
        zygote.process.kill()
        shutil.rmtree(zygote.folder.name, ignore_errors=True)


def become(said: Any, where: str, bwrap: str | None, output: int, errors: int) -> None:
    """Be the command that is asked for.

    `where` others can be asked for. `bwrap` is what has told what jails can do; elsewhere they may do less.
    """
    os.chdir(said["folder"])
    os.environ.clear()
    os.environ.update(said["environment"])
    opened = (os.open(os.devnull, os.O_RDONLY), output, errors)
    for number, descriptor in enumerate(opened):
        os.dup2(descriptor, number)
    for descriptor in {*opened}:
        os.close(descriptor)
    if "TMPDIR" in os.environ:  # by which a test knows what it has started (see `processes`)
        os.open(os.environ["TMPDIR"], os.O_PATH)
    jail._command.cache_clear()
    if shutil.which("bwrap") != bwrap:
        jail.probe.cache_clear()
    if said["forget"]:
        for name in [name for name in sys.modules if name.partition(".")[0] in OWN]:
            del sys.modules[name]
        os.environ[PLACE] = where
        subprocess.run = functools.partial(_waits, subprocess.run)
    else:
        warm.Workers = Copied
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    sys.path[:] = [said["folder"], *PACKAGES]
    what, *sys.argv[1:] = said["arguments"]
    if said["kind"] == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    elif said["kind"] == "-c":
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
    else:
        sys.path[0] = str(Path(what).resolve().parent)
        runpy.run_path(what, run_name="__main__")


def _waits(by_itself: Callable[..., Any], command: Sequence[str], **options: Any) -> Any:
    """As subprocess.run: a Python program whose output is wanted is a copy, too."""
    known = {"cwd", "env", "capture_output", "text", "timeout"}
    if command[0] != sys.executable or not options.get("capture_output") or options.keys() - known:
        return by_itself(command, **options)
    env, cwd, timeout = options.get("env") or os.environ, options.get("cwd") or Path.cwd(), options.get("timeout")
    done = run(command, cwd=cwd, env=env, timeout=timeout or 3600, forget=True)
    if not options.get("text"):
        done.stdout, done.stderr = done.stdout.encode(), done.stderr.encode()
    return done


if __name__ == "__main__":
    main()
