"""How much of what a submission may use up. Each limit stands here once: its default, its unit, and what it is.

What can be set of them, in nbgrader_config.py or on the command line, follows from this: see autograde.JudgedExecute.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from checks.notebook import SHOWS

if TYPE_CHECKING:
    from grading.jail import Level

ORACLES = ("pytorch", "numpy")
LEVELS = ("process", "bubblewrap")  # of a jail, weakest first; see jail.py
MIB = 1 << 20
# Libraries that differentiate by themselves, which learners' code does not get where nothing else is declared.
HIDDEN = ("torch", "torchvision", "torchaudio", "functorch", "torchgen", "jax", "tensorflow", "mxnet", "autograd")


def _limit(default: Any, help: str, unit: str | None = None, among: tuple[str, ...] = ()) -> Any:
    """What can be set: a sentence without its stop, what it is counted in, all that it may be where that is few."""
    said = f"{help}, in {unit}." if unit else f"{help}."
    return field(default=default, metadata={"help": said, "unit": unit, "among": among})


@dataclass(frozen=True)
class Limits:
    """What one kernel may use, and what stands between it and the machine."""

    memory: int = _limit(
        2048 * MIB,
        "Address space of each process in the jail, and memory of all and of their files together, where the jail has "
        "a control group",
        "bytes",
    )
    processes: int = _limit(64, "Processes and threads at the same time, where Linux counts those of one jail")
    file: int = _limit(64 * MIB, "Size of one file that the kernel writes", "bytes")
    disk: int = _limit(128 * MIB, "Size of the scratch folder, of /tmp and of /dev/shm in the jail, of each", "bytes")
    files: int = _limit(20_000, "Files in the scratch folder, in /tmp and in /dev/shm in the jail, in each")
    hidden: tuple[str, ...] = _limit(
        HIDDEN, "Packages in whose place learners' code finds one that says so, where assignment.toml does not say"
    )
    submission_seconds: float = _limit(120.0, "Time for all cells and requests of one submission", "seconds")

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, list):  # as it comes from a configuration, and from JSON
                object.__setattr__(self, name, tuple(value))

    @property
    def cpu(self) -> int:
        """Seconds of processor time that each process has: by then the grader has ended all of them."""
        return int(1.5 * self.submission_seconds) + 1

    def as_rlimits(self, level: Level) -> dict[str, int]:
        """What Linux limits of each process, by the names that it has for that."""
        return {
            **{"AS": self.memory, "DATA": self.memory},
            **({"NPROC": self.processes} if level.counts_processes else {}),
            "FSIZE": self.file,
            "CPU": self.cpu,
            "CORE": 0,
            "NOFILE": 256,
        }


@dataclass(frozen=True)
class Settings(Limits):
    """How a submission is graded: what its kernel may use, and what the judge may."""

    required: str = _limit("process", "Refuse to grade below this level", among=LEVELS)
    request_seconds: float = _limit(5.0, "Time for one request of the judge to the kernel", "seconds")
    cell_seconds: float = _limit(30.0, "Time for one cell, and for all requests of one graded cell", "seconds")
    judge_seconds: float = _limit(
        60.0, "Time of the grader's own for a notebook: for its verdicts and for what it shows", "seconds"
    )
    most_requests: int = _limit(200_000, "Requests of the judge to one kernel")
    skipped: tuple[str, ...] = _limit((SHOWS,), "Cells with one of these tags are not run")
    oracle: str = _limit(
        "pytorch",
        "What answers are compared with where an assignment has both: PyTorch, or NumPy, which was compared with it "
        "beforehand, and loads faster",
        among=ORACLES,
    )
    follow_through: bool = _limit(
        True,
        "Judge what comes after a section that lost points once more, on the reference's earlier sections; the better "
        "result counts",
    )
