"""Starts the learner's kernel inside the jail: limits first, then an ordinary ipykernel on sockets made outside.

The judge made the sockets that listen, and gives them down as file descriptors: the kernel needs neither a network nor
a folder that both sides can write to.

    launcher.py DESCRIPTOR ...        a kernel; the descriptors are its channel to the judge, and its sockets
    launcher.py --zygote DESCRIPTOR   a process that imports what kernels need, and becomes a copy of itself in a jail
                                      for each message; the descriptor is its socket to the grader
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import importlib
import importlib.util
import io
import json
import linecache
import logging
import os
import random
import resource
import select
import shutil
import signal
import socket
import sys
import threading
import zlib
from typing import Any

import absent
import seccomp
import wire

USERS = 1_000_000  # that a kernel may become one of, where the jail was entered as root
CLONE_NEWUSER = 0x10000000
SPACES = 0x6E020000  # CLONE_NEW of the other namespaces: mnt, pid, net, ipc, uts, cgroup
LATER = (  # what a kernel imports when it starts, and with its first cells
    *("ipykernel.kernelapp", "tornado.platform.asyncio", "tornado.queues", "pydoc", "IPython.core.completerlib"),
    *("IPython.core.oinspect", "IPython.extensions.storemagic", "numpy.random", "multiprocessing.synchronize"),
    *("ipykernel.debugger", "IPython.core.logger", "IPython.core.pylabtools", "faulthandler", "encodings.cp437", "pdb"),
)


class Limited:
    """A stream that swallows what a cell prints beyond `most` characters, and says so once.

    With nothing to flush, to flush does not wait for the thread that sends: ipykernel does it four times in a cell.
    """

    def __init__(self, stream: Any, most: int) -> None:
        self._stream, self._most, self._left = stream, most, most
        self._write, self._flush, self._full = stream.write, stream.flush, True
        stream.write, stream.flush = self.write, self.flush

    def flush(self) -> None:
        if self._full:
            self._full = False
            self._flush()

    def write(self, text: str) -> int:
        self._full = True
        if not isinstance(text, str) or len(text) <= self._left:
            self._left -= len(text) if isinstance(text, str) else 0
            return self._write(text)
        if self._left >= 0:
            self._write(text[: self._left])
            self._write(f"\n... more than {self._most:,} characters printed: the rest is left out ...\n")
            self._left = -1
        return len(text)

    def reset(self, *_: Any) -> None:
        self._left = self._most


def limit(config: dict[str, Any]) -> None:
    """Set the limits of this process and its children, and give up root if the jail was entered with it."""
    for name, value in config["limits"].items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is not None:
            hard = resource.getrlimit(kind)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            with contextlib.suppress(ValueError, OSError):  # macOS has no limit on the address space
                resource.setrlimit(kind, (value, value))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # when the machine is out of memory, this goes first
    linux = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
    for capability in range(64 if linux else 0):  # who enters a jail's user namespace could have them all
        linux.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
    if config["user"] is not None:
        # A user of its own: Linux counts the processes of one user in all jails together.
        user = config["user"] + int.from_bytes(os.urandom(4), "little") % USERS
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    if linux:  # what could be inherited, too
        header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        linux.capset(header, nothing)


class Hider:
    """Finds, in place of libraries and their parts, the package that stands for them."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.partition(".")[0] not in self.names:
            return None
        place = f"{os.path.dirname(__file__)}/hidden"
        return importlib.util.spec_from_file_location(name, f"{place}/__init__.py", submodule_search_locations=[])


def warm_up() -> None:
    """Import what every notebook needs, and draw once, while there is time.

    Not with pyplot: it would choose its backend now, and the one that notebooks show their plots with asks for IPython
    when it is imported, which is there later.
    """
    with contextlib.suppress(Exception):
        import tqdm  # noqa: F401
        from matplotlib import pyplot  # noqa: F401
        from matplotlib.figure import Figure

        figure = Figure()
        axes = figure.subplots()
        axes.plot([0.01, 10], [0.01, 10], label="a")
        axes.set(title="A", xlabel="a", ylabel="b")
        axes.legend()
        for scale in ("linear", "log"):  # whose numbers are formulas, for which there is a parser
            axes.set(xscale=scale, yscale=scale)
            figure.savefig(io.BytesIO(), format="png", bbox_inches="tight")
    linecache.clearcache()  # the parser has looked from where it is called


def end_with(judge: socket.socket) -> None:
    """End with the judge, as a jail does."""
    gone = select.poll()
    gone.register(judge, getattr(select, "POLLRDHUP", 0))
    gone.poll()
    os._exit(1)


def speed_up(kernel: Any) -> None:
    """Have cells begin sooner; nothing else changes."""
    from ipykernel import ipkernel

    shell = kernel.shell
    # ipykernel has each cell's text transformed twice, and gives it a hash for a name, worked out byte by byte.
    transform_cell, transform_ast, imports = shell.transform_cell, shell.transform_ast, True

    @functools.lru_cache(1)
    def transformed(text: str) -> str:
        nonlocal imports
        imports = "import" in text
        return transform_cell(text)

    def transformed_ast(node: Any) -> Any:  # where there is nothing to transform, IPython still goes through all of it
        return transform_ast(node) if imports or len(shell.ast_transformers) > 1 else node

    shell.transform_cell, shell.transform_ast = transformed, transformed_ast

    def get_code_name(text: str, *_: Any) -> str:
        return f"/tmp/ipykernel_{os.getpid()}/{zlib.crc32(text.encode('utf-8', 'replace'))}.py"

    shell.compile.get_code_name = get_code_name
    # IPython compiles it once more to see whether it awaits something.
    awaits = shell.should_run_async

    def should_run_async(cell: str, *, transformed_cell: str | None = None, **more: Any) -> bool:
        is_candidate = transformed_cell is None or "await" in transformed_cell or "async" in transformed_cell
        return is_candidate and awaits(cell, transformed_cell=transformed_cell, **more)

    shell.should_run_async = should_run_async
    # It looks at the arguments of what runs a cell each time, and writes all that it does into a log that nobody reads.
    accepts = ipkernel._accepts_parameters(shell.run_cell_async, ["cell_id", "cell_meta"])
    ipkernel._accepts_parameters = lambda *_: accepts
    kernel.log.setLevel(logging.WARNING)
    # Whoever sent a cell knows what it is and that it runs: of four messages about each, two say something.
    kernel._publish_execute_input = lambda *_: None
    publish = kernel._publish_status

    def publish_status(status: str, *rest: Any) -> None:
        if status != "busy":
            publish(status, *rest)

    kernel._publish_status = publish_status


@functools.cache
def kernel_app() -> Any:
    """The class of a kernel, to be made where there is time: that takes longer than to make the kernel's sockets."""
    import zmq
    from ipykernel.kernelapp import IPKernelApp
    from traitlets.config import Config

    class App(IPKernelApp):
        """ipykernel on listening sockets that it is given. What it may be told otherwise, nobody does here."""

        given: tuple[list[int], dict[str, Any]]  # descriptors, and what the kernel was told

        def parse_command_line(self, argv: Any = None) -> None:
            self.update_config(Config({"HistoryManager": {"enabled": False}}))

        def load_config_file(self, *_: Any, **__: Any) -> None:
            pass

        def _try_bind_socket(self, s: Any, port: int) -> int:
            sockets, told = self.given
            s.setsockopt(zmq.USE_FD, sockets[port - 1])
            s.setsockopt(zmq.SNDHWM, told["most_waiting"])  # of more, some are lost
            s.bind(f"ipc://minitorch-{port}")
            return port

        def init_connection_file(self) -> None:
            self.transport, self.ip = "ipc", "minitorch"
            for port, name in enumerate(wire.SOCKETS, 1):
                setattr(self, f"{name}_port", port)
            self.session.key = self.given[1]["key"].encode("ascii")

        def init_control(self, context: Any) -> None:
            super().init_control(context)
            self.debug_shell_socket.close(linger=0)  # it would look for a path that is not there, for ever

        def init_heartbeat(self) -> None:
            pass

        def init_poller(self) -> None:
            pass

        def write_connection_file(self, **kwargs: Any) -> None:
            pass

        def log_connection_info(self) -> None:
            pass

    return App


def become_kernel(channel: wire.Channel, sockets: list[int]) -> None:
    """Set the limits, and run a kernel on sockets that listen: those of wire.SOCKETS."""
    config, _ = channel.receive()
    for entry in os.scandir(config["files"]):
        (shutil.copytree if entry.is_dir() else shutil.copy)(entry.path, entry.name)
    limit(config)
    if config["jailed"]:
        seccomp.install(kernel=os.getpid())  # bubblewrap put one on those that it started
        os.kill = seccomp.kill
    else:
        threading.Thread(target=end_with, args=(channel.socket,), daemon=True).start()
    sys.meta_path.insert(0, Hider(config["hidden"]))

    app = kernel_app().instance()
    app.given = sockets, config
    app.initialize()
    shell = app.shell
    app.kernel._execute_sleep = 0  # for clients that do not wait for the idle status

    for stream in (sys.stdout, sys.stderr):
        shell.events.register("pre_execute", Limited(stream, config["most_output"]).reset)

    speed_up(app.kernel)
    shell.ast_transformers.append(absent.Imports())
    shell.ask_exit = lambda: print("exit: while grading, the notebook goes on.")

    import server

    serving = server.Server(channel)
    # What the judge has the kernel execute.
    server.answer = lambda *attributes: serving.serve(shell.user_ns, [*attributes])
    if "matplotlib.pyplot" not in sys.modules:
        warm_up()
    listens = threading.Event()
    app.iopub_thread.schedule(listens.set)
    listens.wait(5)
    channel.send({"value": "ready"}, [])
    app.start()


def zygote(end: socket.socket) -> None:
    """For each request (see grading/warm.py), become one kernel more in the jail whose descriptor comes with it.

    To import all this takes ten times as long as to copy it. No learner's code runs in this process, it holds no
    secret, and a copy keeps nothing open by which it could be reached.
    """
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: it ends with whoever started it
    ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: kernels that have ended are cleared away
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # at once
    gone = select.poll()
    gone.register(end, 0)
    if gone.poll(0):
        return
    for module in LATER:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    import server  # noqa: F401

    kernel_app()
    warm_up()
    gc.collect()
    gc.freeze()  # copies do not look through it
    while True:
        message, given, _, _ = socket.recv_fds(end, 1 << 16, 4 + len(wire.SOCKETS))
        if not message:
            return
        answer = given.pop(0)
        if os.fork():
            for descriptor in (answer, *given):
                os.close(descriptor)
            continue
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            enter(socket.socket(fileno=answer), json.loads(message), given)
        finally:
            os._exit(1)


def enter(answer: socket.socket, wanted: dict[str, Any], given: list[int]) -> None:
    """Have a copy become a kernel in a jail; tell the grader its number outside, a descriptor of it, and how it ends.

    `given` are descriptors: of a process in the jail, of a socket for how the kernel ends, the kernel's channel and
    sockets.
    """
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(given[0], SPACES if wanted["as_root"] else SPACES | CLONE_NEWUSER):
            raise OSError(ctypes.get_errno(), "the jail cannot be entered")
        kernel = os.fork()  # only what is started now is among the jail's processes
        if kernel:
            socket.send_fds(answer, [str(kernel).encode()], [os.pidfd_open(kernel)])
    except OSError as error:
        answer.send(str(error).encode())
        os._exit(1)
    answer.detach()
    if kernel:
        keep_open(given[1])
        tell_end(given[1], *os.wait4(kernel, 0)[1:])
        os._exit(0)
    os.setsid()  # whoever waits for it is not of its group
    keep_open(*given[2:])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    os.chdir(wanted["folder"])
    sys.argv = sys.argv[:1]
    for module in (random, sys.modules["numpy.random"]):  # else all learners would draw the same
        module.seed()
    become_kernel(wire.Channel(socket.socket(fileno=given[2]), wire.LARGEST), given[3:])


def keep_open(*descriptors: int) -> None:
    """Close all others but the first three: whoever has the other end of one sees when the kernel ends."""
    lowest = 3
    for descriptor in [*sorted(descriptors), os.sysconf("SC_OPEN_MAX")]:
        os.closerange(lowest, descriptor)
        lowest = descriptor + 1


def tell_end(descriptor: int, status: int, used: resource.struct_rusage) -> None:
    """Tell the grader what signal ended a kernel, 0 for none, and the seconds of processor time that it used."""
    with contextlib.suppress(OSError):  # it is gone
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        os.write(descriptor, json.dumps([number, used.ru_utime + used.ru_stime]).encode())


def stand_by() -> None:
    """As process 1 of a jail: have the kernel be another process, clear away what has ended, and end with the grader.

    On the socket that it reads from it tells how the kernel has ended.
    """
    kernel = os.fork()
    if kernel:
        keep_open()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all that nobody handles, Linux keeps from process 1

        def clear_away(*_: Any) -> None:
            with contextlib.suppress(ChildProcessError):
                while (ended := os.wait4(-1, os.WNOHANG))[0]:
                    if ended[0] == kernel:
                        tell_end(0, *ended[1:])

        signal.signal(signal.SIGCHLD, clear_away)
        clear_away()
        while os.read(0, 1):
            pass
        os._exit(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)


def main() -> None:
    if os.getpid() == 1:
        stand_by()
    sys.modules["debugpy"] = None  # nobody debugs here, and it takes longer to load than all the rest
    end = socket.socket(fileno=int(sys.argv[2 if sys.argv[1] == "--zygote" else 1]))
    if sys.argv[1] == "--zygote":
        zygote(end)
    else:
        become_kernel(wire.Channel(end, wire.LARGEST), [int(number) for number in sys.argv[2:]])


if __name__ == "__main__":
    main()
