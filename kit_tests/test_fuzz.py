"""Random replies to the judge, random changes to notebooks and to the journal: only what is defined comes of them.

Each run takes the same steps in a few seconds; `pytest kit_tests/test_fuzz.py --fuzz=600` goes on for ten minutes each,
and `--fuzz-seed=7` takes others. What fails tells its step, which alone decides what is tried.
"""

from __future__ import annotations

import copy
import functools
import json
import math
import random
import time
from collections.abc import Iterator
from typing import Any

import course
import kit
import nbformat
import numpy as np
import pytest
from test_judge import answered, message

from checks.observe import Failed, Missing, OutOfTime, UsedTorch, learner_code, text_of
from grading import submissions
from grading.budget import Budget, limited_memory, memory
from grading.journal import Journal
from grading.remote import Remote
from grading.worker import Graded
from workshop.reading import array_of, compare, observed

MIB = 1 << 20
MOST_MEMORY = 300 * MIB  # that whatever comes may take
LONGEST = 10.0  # seconds of processor time for one step
ODD = [None, True, False, 0, -1, 1, 7, 2**31, 2**53, 2**63, -(2**70), 10**400, 0.5, math.nan, math.inf, -0.0]
ODD += ["", "a", "<f8", "<c16", "|b1", "|O8", "f", "O", "\0", "\ud800", "∂" * 300, "x" * 5000, "nbgrader", [], {}, [[]]]


@pytest.fixture
def steps(request) -> Iterator[random.Random]:
    """Random numbers for each step, as many as the option allows."""
    seed, seconds = request.config.getoption("--fuzz-seed"), request.config.getoption("--fuzz")

    def each(least: int) -> Iterator[random.Random]:
        number, ends = 0, time.monotonic() + seconds
        while number < least or time.monotonic() < ends:
            print(f"step {number} of --fuzz-seed={seed}")
            yield random.Random(f"{seed} {number}")
            number += 1

    return each


def changed(pick: random.Random, document: Any) -> Any:
    """The document with one to five of its parts left out, doubled, exchanged, or replaced by something odd."""
    document = copy.deepcopy(document)
    for _ in range(pick.randint(1, 5)):
        inside, key = document, None
        while isinstance(inside, (dict, list)) and inside:
            above, key = inside, pick.choice([*inside] if isinstance(inside, dict) else range(len(inside)))
            inside = above[key]
            if pick.random() < 0.2:
                break
        if key is None:
            return copy.deepcopy(pick.choice(ODD))
        kind = pick.randrange(5)
        if kind == 0:
            del above[key]
        elif kind == 1 and isinstance(above, list):
            above.insert(pick.randint(0, len(above)), copy.deepcopy(inside))
        elif kind == 2 and isinstance(above, list):
            other = pick.randrange(len(above))
            above[key], above[other] = above[other], above[key]
        elif kind == 3:
            above[key] = pick.choice([[inside], {"list": [inside]}, {"dict": [[inside, 1]]}, {str(inside)[:20]: 1}])
        else:
            above[key] = copy.deepcopy(pick.choice(ODD))
    return document


def damaged(pick: random.Random, content: bytes) -> bytes:
    """Bytes with some changed, cut out or put in."""
    for _ in range(pick.randint(1, 4)):
        start = pick.randrange(len(content) + 1)
        end = min(len(content), start + pick.choice([0, 1, 1, 3, 100, len(content)]))
        content = content[:start] + pick.randbytes(pick.choice([0, 1, 1, 4, 50])) + content[end:]
    return content


# ---------------------------------------------------------------- replies

ARRAY = {"array": ["<f8", [2, 1], True, 7]}
REPLIES = [
    {"value": {"list": [1, None, {"tuple": [2.5, "text"]}, {"slice": [1, 2, None]}]}},
    {"value": {"dict": [["y", {"ref": [3, "MyTensor"]}], ["n", 2]]}, "ahead": [[3, "data", ARRAY], [3, "grad", None]]},
    {"value": {"tuple": [ARRAY, {"scalar": "<f4"}, {"type": "float64"}, {"dtype": "<i8"}]}},
    {"value": {"list": [{"shape": ["O", [3]]}, {"shape": ["f", [1000, 1000]]}, {"iter": [1, 2]}]}},
    {"value": {"list": [{"array": ["<f8", [10**6, 0], True, 7]}, {"array": ["|b1", [8] + [1] * 15, False, 8]}]}},
    {"value": {"set": [1, {"tuple": [2, "a"]}, {"bytes": "\xff"}]}, "changed": True},
    {
        "value": {
            "list": [{"counter": [["a", 2]]}, {"frozenset": [None]}, {"range": [0, 9, 2]}, {"complex": [1.0, 2.0]}]
        }
    },
    {"value": {"texts": [[2, 1], ["a", "bcd"]]}},
    {"error": {"kinds": ["ValueError"], "name": "Odd", "message": "no", "frames": [["f", 3, "learner", "x = 1"]]}},
    {"error": {"kinds": ["AttributeError"], "attribute": "data", "of_none": True, "message": "no", "frames": []}},
]


@functools.singledispatch
def parts(value: Any) -> list[Any]:
    """Values that a check may find in a reply."""
    return [value]


@parts.register(list)
@parts.register(tuple)
def _(value: Any) -> list[Any]:
    return [value, *(part for item in value for part in parts(item))]


@parts.register
def _(value: dict) -> list[Any]:
    return [value, *(part for item in value.values() for part in parts(item))]


def looked_at(value: Any) -> None:
    """What checks do with a value; objects of a kernel are asked there."""
    for part in parts(value)[:200]:
        if issubclass(type(part), Remote):
            continue
        text_of(part)
        assert type(observed(part)) in (type(None), bool, int, float, str, tuple, list, dict, set, np.ndarray)
        for look in (lambda part=part: array_of(part, "it"), lambda part=part: compare("it", np.ones((2, 3)), part)):
            try:
                look()
            except (Failed, Missing) as error:
                assert len(str(error)) < 5000
            except AttributeError:  # a text has no data
                assert not isinstance(part, (np.ndarray, np.generic, float))


def test_random_replies_give_a_value_or_a_verdict_in_bounded_memory(steps):
    for pick in steps(1500):
        sent = changed(pick, pick.choice(REPLIES))
        bytes_ = message(sent, pick.randbytes(pick.choice([0, 8, 16, 32, 4096])))
        if pick.random() < 0.2:
            bytes_ = damaged(pick, bytes_)
        before = memory()
        with limited_memory(MOST_MEMORY):
            try:
                with learner_code(LONGEST):
                    value = answered(bytes_)
                    looked_at(value)
            except (MemoryError, SystemError, AssertionError, OutOfTime):
                raise
            except (Exception, UsedTorch):
                continue
        assert memory() - before < MOST_MEMORY


# ---------------------------------------------------------------- notebooks


@functools.cache
def source() -> nbformat.NotebookNode:
    return nbformat.read(kit.course() / "source" / "tiny" / "tiny.ipynb", as_version=4)


def graded_ids(notebook: Any) -> list[str]:
    return [cell.metadata.nbgrader["grade_id"] for cell in notebook.cells if submissions.is_grade(cell)]


def test_of_randomly_changed_notebooks_every_graded_cell_is_there_once_as_the_course_has_it(steps):
    given = course.submission("half")
    tests = {cell.metadata.nbgrader["grade_id"]: cell.source for cell in source().cells if submissions.is_grade(cell)}
    for pick in steps(60):
        content = json.dumps(changed(pick, given)).encode()
        if pick.random() < 0.3:
            content = damaged(pick, content)
        with limited_memory(MOST_MEMORY), learner_code(LONGEST):
            submission = submissions.HandedIn("workshop.ipynb", content).read()
            restored = submissions.restore(submission, source(), Budget(60))
            submissions.note(restored, submission.remarks)
        nbformat.validate(restored)
        assert graded_ids(restored) == graded_ids(source())
        for cell in restored.cells:
            if submissions.is_grade(cell) and cell.cell_type == "code":
                assert cell.source == tests[cell.metadata.nbgrader["grade_id"]]
        assert all(isinstance(remark, str) and len(remark) < 2000 for remark in submission.remarks)


# ---------------------------------------------------------------- the journal

TRACE = {"seed": 1, "level": "bubblewrap", "seconds": 0.5, "follow_through": {"relu": {"own": 0.0, "points": 5.0}}}
RESULT = Graded({"workshop": b"\x1f\x8b" + bytes(range(200))}, ["A note."], TRACE)


def test_a_randomly_damaged_journal_has_what_was_kept_or_nothing(steps, tmp_path):
    journal = Journal(tmp_path / "journal")
    noted = {"key": "k" * 64, "remarks": ["A note."], "scores": None, "files": {"workshop.ipynb": "0" * 64}}
    for pick in steps(60):
        journal.put("ab12", RESULT)
        journal.note("workshop", "learner", noted)
        journal.begin("setup", 5, anew=True)
        (journal.folder / "log.jsonl").unlink(missing_ok=True)
        journal.log([noted])
        for file in sorted(path for path in journal.folder.rglob("*.json*") if path.is_file()):
            content = file.read_bytes()
            if pick.random() < 0.5:
                file.write_bytes(damaged(pick, content))
            else:
                file.write_text(json.dumps(changed(pick, json.loads(content))))
        assert [entry for entry in journal.history()[0] if entry != noted] == []
        assert journal.get("ab12") in (None, RESULT)
        assert journal.written("workshop", "learner") in ({}, noted)
        assert journal.begin("setup", 6, anew=False) in (5, 6)
