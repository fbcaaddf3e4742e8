"""Runs a notebook's cells in this process as a kernel does: with magics, `display`, `await` and `!`."""

from __future__ import annotations

import asyncio
import atexit
import builtins
import contextlib
import io
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from IPython.core.async_helpers import get_asyncio_loop
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from checks.observe import OutOfTime, learner_code, quiet

SECONDS = 1.0  # for what is left of a cell to end


class Shell(InteractiveShell):
    """IPython as in a kernel, but that it shows nothing, asks nobody, and keeps no history."""

    raised: BaseException | None = None  # by the cell that runs
    place = ""  # where the frames of its code are said to be

    def run(self, source: str, seconds: float, place: str) -> BaseException | None:
        """Run a cell for at most so many seconds; what it raises.

        Raises:
            KeyboardInterrupt: when somebody stops it.
        """
        self.raised, self.place = None, place
        stdin, sys.stdin = sys.stdin, io.StringIO()
        try:
            with quiet(), learner_code(seconds):
                result = self.run_cell(source, store_history=True)
                found = (result.error_before_exec, result.error_in_exec, self.raised)
                error = next((each for each in found if each is not None), None)
        except BaseException as raised:  # the time was over outside of the cell's own code
            error = raised
        finally:
            sys.stdin = stdin
        if isinstance(error, OutOfTime):
            end_tasks()
        if type(error) is KeyboardInterrupt:
            raise error
        return error

    def showtraceback(self, *_: Any, **__: Any) -> None:
        """Keep the exception: to show it is learner's code, too, and may never end."""
        self.raised = sys.exc_info()[1] if self.raised is None else self.raised

    showsyntaxerror = showtraceback

    def _format_exception_for_storage(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {}  # as above

    def init_virtualenv(self) -> None:
        pass

    def init_prompts(self) -> None:
        pass  # they would make libraries believe that somebody types

    def enable_gui(self, gui: str | None = None) -> None:
        pass

    def ask_exit(self) -> None:
        pass

    @staticmethod
    def _tee(channel: str) -> contextlib.AbstractContextManager:
        return contextlib.nullcontext()  # IPython keeps all that is printed


def end_tasks() -> None:
    """End what a cell that was cut off in an `await` has left in IPython's loop: it would go on in the next `await`."""
    loop = get_asyncio_loop()
    if left := asyncio.all_tasks(loop):
        for task in left:
            task.cancel()
        try:
            with quiet(), learner_code(SECONDS):
                loop.run_until_complete(asyncio.wait(left))
        except (OutOfTime, RuntimeError):  # one that does not let itself be cancelled
            loop.close()  # IPython makes another one


@contextlib.contextmanager
def opened() -> Iterator[Shell]:
    """A fresh shell; what it defines can be used after it is closed."""
    main = sys.modules["__main__"]
    with tempfile.TemporaryDirectory(prefix="notebook-") as folder:
        shell = Shell.instance(ipython_dir=folder, config=Config({"HistoryManager": {"enabled": False}}))
        shell.compile.get_code_name = lambda *_: shell.place
        try:
            yield shell
        finally:
            atexit.unregister(shell.atexit_operations)
            Shell.clear_instance()
            sys.modules["__main__"] = main
            vars(builtins).pop("get_ipython", None)  # IPython leaves it behind where a cell was cut off in an `await`
