"""A jailed kernel to try solutions in, one after the other, with the judge's hands."""

from __future__ import annotations

import functools
import tempfile
from multiprocessing import util
from pathlib import Path
from typing import Any

from checks.report import Report
from checks.section import Section
from grading import jail
from grading.kernels import JailedKernel
from grading.processes import Zygote
from grading.remote import Connection, execute

CLEAR = """
for _ in [name for name in globals() if not name.startswith("_") and name not in ("In", "Out", "exit", "quit")]:
    del globals()[_]
__import__("numpy").random.seed(0)
"""


class Kernel:
    """Runs code in a jail and gives its names as the judge's proxies."""

    def __init__(self, **limits: int) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="mt-empty-")
        self.jupyter = JailedKernel(jail.probe(), jail.Limits(**limits), Path(self.folder.name), zygote())
        self.kernel, self.client = self.jupyter.process, self.jupyter.client()
        self.kernel.wait_until_ready()
        self.client.start_channels(hb=False, stdin=False, control=False)
        self.connection = Connection(self.kernel, 5.0, 1e9, 10**9)
        self.connection.cell_left = 1e9
        self.serving = False
        self.ahead: tuple[str, ...] = ("data", "grad", "tensor")  # see checks.assignment.Assignment

    def execute(self, code: str) -> None:
        """Run code as a cell, to its end."""
        self._rest()
        sent = self.client.execute(code, allow_stdin=False)
        while True:
            message = self.client.shell_channel.get_msg(timeout=60)
            if message["parent_header"].get("msg_id") == sent:
                return

    def load(self, texts: list[tuple[str, str]]) -> None:
        """Forget all names, draw the same numbers, and run sources one after the other, up to one that raises."""
        self.execute("\n".join([CLEAR, *(f"exec(compile({source!r}, {file!r}, 'exec'))" for file, source in texts)]))

    def names(self, wanted: list[str]) -> dict[str, Any]:
        """What names stand for; None for those that are not defined."""
        self.listen()
        found = {}
        for name in wanted:
            try:
                found[name] = self.connection.ask("name", name)
            except KeyError:
                found[name] = None
        return found

    def listen(self) -> None:
        if not self.serving:
            self.client.execute(f"__import__('server').answer{self.ahead!r}", silent=True, store_history=False)
            self.serving = True

    def _rest(self) -> None:
        if self.serving:
            self.connection.done()
            self.serving = False

    def close(self) -> None:
        self.client.stop_channels()
        self.jupyter.close()
        self.folder.cleanup()


@functools.cache
def zygote() -> Zygote | None:
    """The one of this process, where there can be one."""
    if not Zygote.is_safe(jail.probe()):
        return None
    made = Zygote()
    util.Finalize(None, made.close, exitpriority=0)
    return made


@functools.cache
def kernel() -> Kernel:
    """The one of this process."""
    made = Kernel()
    util.Finalize(None, made.close, exitpriority=1)
    return made


def report(section: Section, texts: list[tuple[str, str]], names: list[str], seed: int) -> Report:
    """A section's report on what sources define in a jailed kernel."""
    if kernel().connection.gone:
        kernel().close()
        kernel.cache_clear()
    kernel().load(texts)
    section.assignment.execute = execute
    return section.run(kernel().names(names), seed)
