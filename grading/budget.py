"""Time of the grader's own, which what a learner's code sends can use up: it is counted, and ends."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator

from checks.observe import OutOfTime, own_code


class Budget:
    """Processor time of this thread for one submission's verdicts and outputs together, or for one page.

    Args:
        seconds: for all of it.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds, self._spent = seconds, 0.0
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
