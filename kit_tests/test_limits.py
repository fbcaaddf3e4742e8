"""The figures of docs/security.md, from both sides: what is just below a limit works, what is above it is refused.

Those of pictures and outputs are in test_outputs.py, of time and elements in test_judge.py, of all processes of a jail
together in test_cgroups.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import Any

import pytest
from jailed import Kernel
from kit import ROOT
from test_judge import answered, message
from traitlets import TraitError
from traitlets.config import Config

from checks.observe import LARGEST, Failed
from grading import budget, images, jail, judge, kernels, outputs, remote
from grading.__main__ import _oracle
from grading.autograde import JudgedExecute
from grading.kernel import wire
from grading.limits import Settings

MIB = 1 << 20


@pytest.fixture
def small() -> Iterator[Kernel]:
    """A kernel with little of everything."""
    made = Kernel(file=3 * MIB, disk=8 * MIB, processes=40, memory=1024 * MIB)
    made.execute(TRIES)
    yield made
    made.close()


TRIES = """
import os, signal
import numpy as np

def write(place, mib, files=1):
    \"\"\"How many MiB fit into a folder, in so many files.\"\"\"
    written = 0
    try:
        for number in range(files):
            with open(f"{place}/{number}", "wb", buffering=0) as file:
                for _ in range(mib):
                    written += file.write(bytes(1 << 20))
    except OSError as error:
        return error.strerror
    finally:
        for number in range(files):
            if os.path.exists(f"{place}/{number}"):
                os.unlink(f"{place}/{number}")
    return written >> 20

def take(mib):
    return len(np.empty(mib << 20, np.uint8)) >> 20

def start(count):
    children = []
    try:
        for _ in range(count):
            child = os.fork()
            if not child:
                signal.pause()
            children.append(child)
    except OSError as error:
        return error.strerror
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return count

def make(count):
    for number in range(count):
        open(f"/tmp/{number}", "w").close()
    return count

def text(size):
    return "x" * size

def numbers(count):
    return [1] * count

def array(count):
    return np.ones(count, np.uint8)
"""


def of(kernel: Kernel, name: str) -> Any:
    return kernel.names([name])[name]


def test_a_process_has_so_much_address_space(small):
    take = of(small, "take")
    assert take(400) == 400
    with pytest.raises(Exception, match="Unable to allocate"):
        take(1024)


@pytest.mark.parametrize(
    ("name", "below", "gives", "above", "says"),
    [
        ("write", ("/tmp", 3), 3, ("/tmp", 4), "File too large"),
        ("write", ("/learner", 2, 3), 6, ("/learner", 2, 5), "No space left on device"),
        ("write", ("/dev/shm", 2, 3), 6, ("/dev/shm", 2, 5), "No space left on device"),
        ("start", (20,), 20, (45,), "Resource temporarily unavailable"),
        ("text", (4 * MIB - 100,), "x" * (4 * MIB - 100), (4 * MIB,), "JSON is too long: at most 4,194,304"),
        ("numbers", (99_999,), [1] * 99_999, (100_000,), "too many values"),
    ],
)
def test_a_kernel_has_so_much_and_no_more(small, name, below, gives, above, says):
    use = of(small, name)
    assert use(*below) == gives
    try:
        assert use(*above) == says
    except Exception as error:
        assert says in str(error)


def test_a_kernel_has_so_many_files_and_is_ended_with_more():
    kernel = Kernel(files=2000)
    kernel.execute(TRIES)
    with kernel.kernel.watched():
        make = of(kernel, "make")
        assert make(1900) == 1900
        with pytest.raises(Failed, match="it had more than 2,000 files in one of its folders"):
            make(200_000)
    kernel.close()


def test_replies_of_a_submission_have_so_many_bytes_together(monkeypatch):
    kernel = Kernel()
    kernel.execute(TRIES)
    array = of(kernel, "array")
    monkeypatch.setattr(remote, "MOST_RECEIVED", kernel.kernel.channel.received + 3 * MIB)
    assert [array(MIB - 1000).size for _ in range(2)] == [MIB - 1000] * 2
    with pytest.raises(Failed, match="your code gave more than"):
        array(2 * MIB)
    kernel.close()


@pytest.mark.parametrize(
    ("below", "above"),
    [
        ({"ref": [7, "A"]}, {"ref": [1 << 31, "A"]}),
        ({"dict": [[n, 1] for n in range(1000)]}, {"dict": [[n, 1] for n in range(1001)]}),
        (
            {"list": [{"ref": [n, "A"]} for n in range(remote.MOST_REFERENCES)]},
            {"list": [{"ref": [n, "A"]} for n in range(remote.MOST_REFERENCES + 1)]},
        ),
        (
            {"list": [{"array": ["<f8", [LARGEST, 0], True, 1]}] * 16},
            {"list": [{"array": ["<f8", [LARGEST, 0], True, 1]}] * 17},
        ),
        ({"array": ["|b1", [0] * 32, True, 1]}, {"array": ["|b1", [0] * 33, True, 1]}),
        ({"array": ["|b1", [0, (1 << 40) - 1], True, 1]}, {"array": ["|b1", [0, 1 << 40], True, 1]}),
    ],
    ids=["number", "pairs", "objects", "rows", "dimensions", "length"],
)
def test_a_reply_has_so_much_and_no_more(below, above):
    answered(message({"value": below}))
    with pytest.raises(Failed, match="sent something unreadable"):
        answered(message({"value": above}))


def test_the_guide_has_the_figures_that_hold():
    """In the table the defaults; in the text those that cannot be set."""
    guide = (ROOT / "docs" / "security.md").read_text(encoding="utf-8").partition("\n## Limits\n")[2]
    guide = " ".join(guide.split())
    settings = Settings()
    table = dict(re.findall(r"\| `(\w+)` \| `?([\w, ]+?)`? \|", guide))
    assert table.keys() == {limit.name for limit in fields(Settings)} - {"hidden", "skipped"}  # which are no figures
    for name, shown in table.items():
        value = getattr(settings, name)
        expected = value if isinstance(value, (str, bool)) else f"{value:,.0f}"
        if Settings.__dataclass_fields__[name].metadata["unit"] == "bytes":
            expected = f"{value >> 30} GiB" if value >> 30 else f"{value >> 20} MiB"
        assert shown == str(expected), name
    for figure in (
        f"at most {wire.LARGEST >> 20} MiB, a quarter of it JSON",
        f"all replies of one submission {remote.MOST_RECEIVED >> 20} MiB",
        f"at most {wire.MOST_VALUES:,} values, {wire.MOST_REFERENCES:,} of them objects",
        f"read up to {LARGEST:,} elements",
        f"may grow by {kernels.MOST_GROWTH >> 20} MiB",
        f"gives it {budget.MOST_MEMORY >> 30} GiB at most",
        f"has {outputs.SECONDS:g} s, a picture {outputs.PICTURE_SECONDS:g} s",
        f"A picture of more than {images.MOST_PIXELS // 10**6} million pixels",
        f"those after {images.MOST_OF_ALL // 10**6} million of all",
        f"are more than {images.MOST_SCANNED // 10**6:,} million",
        f"more than {images.SHOWN_SIDE} on a side, or {images.SHOWN_BYTES['PNG'] >> 20} MiB (a GIF 3 MiB)",
        f"draws at most {images.MOST_ELEMENTS:,} elements",
        f"with {judge.GRACE:g} s more",
        f"formgrader {outputs.PAGE_SECONDS:g} s for all its pieces",
    ):
        assert figure in guide
    assert LARGEST == wire.MOST_ROWS


def test_all_limits_can_be_set_and_reach_kernels_by_way_of_other_machines():
    said = Config()
    values = {"memory": 1024 * MIB, "cell_seconds": 7, "required": "bubblewrap", "hidden": ["jax"], "skipped": ["a"]}
    for name, value in values.items():
        said.JudgedExecute[name] = value
    settings = JudgedExecute(config=said).settings()
    assert settings == Settings(**json.loads(json.dumps(asdict(settings)))) == Settings(**values)
    assert settings.hidden == ("jax",) and hash(settings)
    assert settings.as_rlimits(jail.probe())["AS"] == 1024 * MIB
    assert Settings(submission_seconds=10).as_rlimits(jail.probe())["CPU"] == 16
    traits = JudgedExecute.class_traits(config=True)
    assert {limit.name: limit.metadata["help"] for limit in fields(Settings)}.items() <= {
        name: trait.help for name, trait in traits.items()
    }.items()
    assert JudgedExecute().settings() == Settings()
    for of_few in ("required", "oracle"):
        with pytest.raises(TraitError):
            JudgedExecute(**{of_few: "nothing"})
    assert JudgedExecute(oracle="numpy").settings().oracle == "numpy"


def test_what_answers_are_compared_with_is_seen_before_the_configuration_is_read():
    """Else a process would import PyTorch for nothing."""
    chosen = 'c.JudgedExecute.oracle = "numpy"\n'
    assert _oracle("", []) == _oracle(f"# {chosen}", ["workshop"]) == Settings().oracle
    assert _oracle(f"c = get_config()\n{chosen}", []) == _oracle("", ["--JudgedExecute.oracle=numpy"]) == "numpy"
    assert _oracle(chosen, ["--JudgedExecute.oracle=pytorch"]) == "pytorch"
