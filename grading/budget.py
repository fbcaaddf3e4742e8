"""Time and memory of the grader's own, which what a learner hands in or sends can use up: both have a limit."""

from __future__ import annotations

import contextlib
import math
import mmap
import resource
import sys
import time
from collections.abc import Iterator

from checks.observe import OutOfTime, own_code
from grading.images import Gallery

MOST_MEMORY = 1 << 30  # bytes that grading may take in this process, beside what it has when that begins


class Budget:
    """Processor time of this thread for one notebook, its attachments, verdicts and outputs together, or for one page.

    Args:
        seconds: for all of it.

    Attributes:
        gallery: the pictures of the notebook or page.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds, self._spent = seconds, 0.0
        self.gallery = Gallery()
        self._begun: float | None = None

    @property
    def left(self) -> float:
        now = 0.0 if self._begun is None else time.thread_time() - self._begun
        return self.seconds - self._spent - now

    @contextlib.contextmanager
    def work(self, at_most: float = math.inf, grace: float = 0.0) -> Iterator[None]:
        """Count the time that is spent inside.

        Args:
            at_most: seconds for what is inside.
            grace: seconds beside, for whoever looks at `left` to come to an end.

        Raises:
            OutOfTime: when it is used up.
        """
        if self.left <= 0:
            raise OutOfTime
        self._begun = time.thread_time()
        try:
            with own_code(min(at_most, self.left) + grace):
                yield
        finally:
            self._spent += time.thread_time() - self._begun
            self._begun = None


@contextlib.contextmanager
def limited_memory(most: int = MOST_MEMORY) -> Iterator[None]:
    """Inside, Linux gives this process no more memory than that beside what it has: what asks gets a MemoryError.

    Its data count (RLIMIT_DATA), not its address space, of which PyTorch's libraries alone have gigabytes. A process
    that does more than grade, as formgrader's, has its own limit back afterwards.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    before, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _data() + most
    with contextlib.suppress(ValueError):  # it has less already
        resource.setrlimit(resource.RLIMIT_DATA, (limit if before < 0 else min(limit, before), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, hard))


def memory() -> int:
    """Bytes of memory that this process has for itself, without files; 0 where nobody tells."""
    try:
        with open("/proc/self/statm", "rb") as file:
            _, resident, of_files, *_ = map(int, file.read().split())
    except OSError:  # macOS
        return 0
    return (resident - of_files) * mmap.PAGESIZE


def _data() -> int:
    """Bytes of this process that RLIMIT_DATA counts: not the stack, which `statm` counts among its data."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmData:"))
