"""What a person sees of a run."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tqdm import tqdm

from checks.observe import printable

LINE_SECONDS = 10.0  # between lines on the progress, where there is no terminal


class Progress:
    """What a person sees of a run: a bar in a terminal, elsewhere a line now and then.

    Args:
        total: how many submissions there are.
        dry: whether nothing is done.
    """

    def __init__(self, total: int, dry: bool = False) -> None:
        self.total, self.dry, self.begun = total, dry, time.monotonic()
        self.counts: Counter[str] = Counter()
        self.seconds = 0.0  # of workers
        self.looks: list[str] = []
        self.bar = tqdm(total=total, desc="grading", unit="submission", disable=dry or not sys.stderr.isatty())
        self.told = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: Any) -> None:
        self.bar.close()

    def step(self, how: str, learner: str, remarks: Sequence[str] = (), seconds: float = 0.0) -> None:
        """One submission more: "graded", "unchanged", "not graded" or "to grade"; with what there is to look at."""
        self.counts[how] += 1
        if how == "graded":
            self.seconds += seconds
        self.bar.update()
        name = printable(learner, 60)
        if self.dry:
            print(f"{how}: {name}")
        if remarks:
            if learner not in self.looks:  # what was taken back had been looked at, too
                self.looks.append(learner)
            for remark in remarks:
                tqdm.write(f"{name}: {remark}", file=sys.stderr)
        now = time.monotonic()
        if self.bar.disable and not self.dry and now > self.told + LINE_SECONDS:
            self.told = now
            done = self.counts.total()
            rate = done / (now - self.begun)
            left = (self.total - done) / rate
            print(
                f"{done} of {self.total} submissions, {rate:.2f} a second, about {left:.0f} s left",
                file=sys.stderr,
                flush=True,
            )

    def look(self, learner: str, remark: str) -> None:
        """There is something to look at, which turned up when it was written."""
        if learner not in self.looks:
            self.looks.append(learner)
        tqdm.write(f"{printable(learner, 60)}: {remark}", file=sys.stderr)

    def take_back(self, how: str) -> None:
        """A submission was not "graded" or "unchanged" after all; its next step says what it is."""
        self.counts[how] -= 1
        self.bar.update(-1)

    def finish(self) -> bool:
        """Say what was done; whether some submissions need a look."""
        said = [f"{count} {how}" for how, count in self.counts.items() if count]
        if not self.dry:
            said.append(f"{len(self.looks)} need a look" if self.looks else "none needs a look")
        took = time.monotonic() - self.begun
        if graded := self.counts["graded"]:
            said.append(f"{took:.1f} s in all: {took / graded:.2f} s each, {self.seconds / graded:.2f} s of a worker")
        print(f"{self.total} submission{'s' * (self.total != 1)}: {', '.join(said)}", file=sys.stderr)
        return bool(self.looks)
