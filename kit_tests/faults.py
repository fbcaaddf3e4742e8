"""What goes wrong with submissions, and what each of them deserves nevertheless.

Most learners here wrote a tensor without operators, and the modules: 15 points. What one deserves follows from
running the notebook from top to bottom, in the course's order: what is right and there when its section is tested
counts. After a section that loses points, what is right on the reference's earlier sections counts, too.
"""

from __future__ import annotations

import copy
import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from course import code_cell, notebook, place, solution, solutions, with_cell

Notebook = dict[str, Any]
NOTHING: dict[str, float] = {}
# A tensor that cannot compute: create 2, kinds 1, indexing 2.
TENSOR: dict[str, float] = {"tensor": 5}
BEGUN: dict[str, float] = {**TENSOR, "module": 10}
HALF: dict[str, float] = {"tensor": 40, "module": 10}
MODULE: dict[str, float] = {"module": 10}  # on the reference's tensor
ALL: dict[str, float] = {
    **{"tensor": 40, "module": 10, "matmul": 5, "linear": 10},
    **{"relu": 5, "sgd": 8, "mseloss": 8, "model": 14},
}


@dataclass(frozen=True)
class Fault:
    """One submission with something wrong.

    Attributes:
        name: of the learner.
        content: what is handed in as `file`.
        points: by section; nothing for those that are not there.
        says: a piece of the sentence that the learner reads in the notebook and the instructor in the log.
        shows: pieces of what the learner's own cells or the reports say; no matter for the instructor.
        beside: puts other things into the submission's folder.
    """

    name: str
    content: Callable[[], Notebook | bytes | None]
    points: dict[str, float]
    says: str | None = None
    shows: tuple[str, ...] = ()
    file: str = "tiny.ipynb"
    beside: Callable[[Path], None] | None = None


def begun(**answers: str) -> Notebook:
    """A tensor without operators, the modules, nothing else; without the code that a learner only reads.

    `answers` are others.
    """
    tensor, _ = solution("tensor").split("    # The operators")
    first = {"tensor": tensor, "module": solution("module")}
    made = notebook(**{**dict.fromkeys(solutions(), ""), **first, **answers})
    made["cells"] = [each for each in made["cells"] if each["cell_type"] != "code" or each["metadata"]]
    return made


def half(**answers: str) -> Notebook:
    """The first two sections, all of them."""
    return begun(**{"tensor": solution("tensor"), **answers})


def own(source: str, before: str = "module", base: Callable[[], Notebook] = begun) -> Callable[[], Notebook]:
    """A cell of the learner's own, before the cell with a grade_id."""
    return lambda: with_cell(base(), source, before)


def changed(answer: str, *changes: tuple[str, str]) -> Callable[[], Notebook]:
    """The first two sections with texts of an answer replaced."""

    def content() -> Notebook:
        source = solution(answer)
        for old, new in changes:
            assert old in source
            source = source.replace(old, new)
        return half(**{answer: source})

    return content


def solved() -> Notebook:
    return notebook(others="solution")


def cell(made: Notebook, grade_id: str) -> dict[str, Any]:
    return made["cells"][place(made, grade_id)]


def as_bytes(change: Callable[[str], str | bytes], base: Callable[[], Notebook] = begun) -> Callable[[], bytes]:
    """The notebook's text, changed."""

    def content() -> bytes:
        made = change(json.dumps(base(), indent=1))
        return made.encode() if isinstance(made, str) else made

    return content


def edited(change: Callable[[Notebook], Any], base: Callable[[], Notebook] = begun) -> Callable[[], Notebook]:
    """The notebook after `change` worked on it."""

    def content() -> Notebook:
        made = copy.deepcopy(base())
        change(made)
        return made

    return content


# ---------------------------------------------------------------- what happens to a notebook's cells


def windows(made: Notebook) -> None:
    for each in made["cells"]:
        each["source"] = "".join(each["source"]).replace("\n", "\r\n")


def odd_values(made: Notebook) -> None:
    """Half of a character, NULs, and numbers that JSON does not know."""
    tensor = cell(made, "tensor")
    tensor["source"] = "# half a smiley: \ud83d, and nothing: \x00\n" + "".join(tensor["source"])
    made["metadata"].update(name="\udcff", version=float("nan"), kernelspec=float("inf"))
    for each in made["cells"]:
        each["metadata"].update(weight=float("nan"), collapsed=float("-inf"), name="\udcff")


def damaged_cells(made: Notebook) -> None:
    made["cells"][3:3] = [None, 3, "cell", [], {}, {"cell_type": "code"}, {"source": [1, 2]}, *[None] * 100_000]


def large_outputs(made: Notebook) -> None:
    data = {"output_type": "display_data", "metadata": {}, "data": {"text/plain": "x" * 25_000_000}}
    lines = {"output_type": "stream", "name": "stdout", "text": ["a line of 25 bytes .....\n"] * 1_000_000}
    cell(made, "tensor")["outputs"] = [data, lines]


def markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": text, "metadata": {}}


def many_cells(made: Notebook) -> None:
    at = place(made, "tensor")
    made["cells"][at:at] = [markdown("a note") if number % 5 else code_cell("") for number in range(2500)]


def copied(made: Notebook) -> None:
    """A first version of an answer stands before it, and a test is there twice."""
    for grade_id, source in {"tensor": "class MyTensor: ...", "test_module": "tests.test_module()"}.items():
        twin = {**copy.deepcopy(cell(made, grade_id)), "id": f"twin-{grade_id}", "source": source}
        made["cells"].insert(place(made, grade_id), twin)


def stubs_at_the_end(made: Notebook) -> None:
    """What was handed out is pasted at the end, to look at it once more."""
    handed_out = notebook()
    made["cells"] += [{**copy.deepcopy(cell(handed_out, name)), "id": f"copy-{name}"} for name in ("tensor", "module")]


def in_test_cell(made: Notebook) -> None:
    """Written above the call of the test: editors beside JupyterLab do not lock cells."""
    answer, test = cell(made, "module"), cell(made, "test_module")
    test["source"] = "".join([*answer["source"], "\n\n", *test["source"]])
    answer["source"] = "".join(cell(notebook(), "module")["source"])


def deleted(*grade_ids: str) -> Callable[[Notebook], None]:
    def change(made: Notebook) -> None:
        made["cells"] = [c for c in made["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") not in grade_ids]

    return change


def split(made: Notebook) -> None:
    """An answer in two cells; as some front ends split, both have the mark."""
    tensor = cell(made, "tensor")
    tensor["source"], head, rest = "".join(tensor["source"]).partition("class MyTensor:")
    made["cells"].insert(place(made, "tensor") + 1, {**tensor, "id": "second", "source": head + rest})


def merge(made: Notebook, first: str, last: str) -> None:
    """Cells from one to another as one, which keeps the mark of the first."""
    begin, end = place(made, first), place(made, last)
    code = ["".join(c["source"]) for c in made["cells"][begin : end + 1] if c["cell_type"] == "code"]
    made["cells"][begin : end + 1] = [{**made["cells"][begin], "source": "\n\n".join(code)}]


def retyped(made: Notebook) -> None:
    kinds = {"setup": "raw", "tensor": "markdown", "test_tensor": "markdown", "module": "raw", "test_module": "raw"}
    for grade_id, kind in kinds.items():
        found = cell(made, grade_id)
        found["cell_type"] = kind
        del found["outputs"], found["execution_count"]


def stripped(made: Notebook) -> None:
    made["metadata"] = {}
    for each in made["cells"]:
        each["metadata"] = {}


def stripped_and_tried(made: Notebook) -> None:
    """Nothing but text is left. At the end there is a trial, which harms nothing as long as it stays there."""
    for each in made["cells"]:
        if each["metadata"].get("nbgrader", {}).get("solution"):
            each["source"] = "# by me\n" + "".join(each["source"])
        each["metadata"] = {}
        del each["id"]
    made["cells"].append(code_cell("def sub_deriv(base, *tensors):\n    return None, matmul(model, images)"))


def tests_edited(made: Notebook) -> None:
    """And the kernel is another one."""
    test = cell(made, "test_tensor")
    test["source"] = "print('all right')\n40.0"
    test["metadata"]["nbgrader"].update(points=400, locked=False, checksum="")
    cell(made, "test_module")["metadata"]["nbgrader"].update(points=-1)
    made["metadata"]["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    made["metadata"]["language_info"] = {"name": "R", "file_extension": ".r"}


def marks_edited(made: Notebook) -> None:
    cell(made, "test_tensor")["metadata"]["nbgrader"].update(grade=False, solution=True)
    cell(made, "tensor")["metadata"]["nbgrader"].update(grade=True, points=7, extra={"key": [1]}, task=True)
    cell(made, "module")["metadata"]["nbgrader"].update(grade_id="mine", schema_version=99)
    cell(made, "test_module")["metadata"]["nbgrader"] = "none"


def around(made: Notebook) -> None:
    made["cells"].insert(0, code_cell("import random\nprint('hello')"))
    made["cells"].insert(0, markdown("# My notes"))
    made["cells"].insert(place(made, "tensor"), {"cell_type": "raw", "source": "raw ``` text", "metadata": {}})
    made["cells"].insert(place(made, "test_module"), code_cell("m = MyModule()\nm.parameters()"))
    made["cells"] += [code_cell(f"text = '{'x' * 900_000}'"), code_cell("1 / 0"), markdown("the end")]


def version_3() -> bytes:
    old = nbformat.convert(nbformat.from_dict({**begun(), "nbformat": 4, "nbformat_minor": 4}), 3)
    return nbformat.writes(old, version=3).encode()


# ---------------------------------------------------------------- what lies in the folder


def texts(**files: str | bytes) -> Callable[[Path], None]:
    """Small files, by name; __ stands for a dot."""

    def beside(folder: Path) -> None:
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_bytes(text.encode() if isinstance(text, str) else text)

    return beside


def linked(name: str, to: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).symlink_to(to)


def pipe(name: str) -> Callable[[Path], None]:
    return lambda folder: os.mkfifo(folder / name)


def folder(name: str) -> Callable[[Path], None]:
    return lambda place: (place / name).mkdir()


def inside(name: str) -> Callable[[Path], None]:
    """The notebook lies in a folder of the folder."""

    def beside(folder: Path) -> None:
        (folder / name).mkdir()
        (folder / name / "tiny.ipynb").write_text(json.dumps(begun()))

    return beside


def zipped(name: str, blank: int = 0) -> Callable[[], bytes]:
    """A zip file with the notebook under this name, and so many blank characters behind it."""

    def content() -> bytes:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(name, json.dumps(begun()) + " " * blank)
        return made.getvalue()

    return content


def in_a_zip() -> bytes:
    """A zip file that holds the one with the notebook."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("a.zip", zipped("tiny.ipynb")())
    return made.getvalue()


def too_large(folder: Path) -> None:
    os.truncate(folder / "tiny.ipynb", 200 << 20)


def extra_files(folder: Path) -> None:
    (folder / "large.bin").touch()
    os.truncate(folder / "large.bin", 1 << 30)
    os.mkfifo(folder / "pipe")
    (folder / "broken").symlink_to("nowhere")
    (folder / "round").symlink_to("round")
    (folder / "data").symlink_to("/")
    (folder / "closed").mkdir(mode=0)
    (folder / "thousand").mkdir()
    for number in range(1000):
        (folder / "thousand" / f"{number}.txt").touch()
    for name in ("tests.py", "numpy.py", "-rf", "a\nb", "tiny.ipynb.bak", ".ipynb"):
        (folder / name).write_text("raise SystemExit")


def stopped_half_way(folder: Path) -> None:
    """What a run that was killed leaves: files of the course, and the notebook as it was before it was graded."""
    learner = folder.parent.name
    left = folder.parents[2] / "autograded" / learner / "tiny"
    left.mkdir(parents=True)
    (left / "tiny.ipynb").write_text(json.dumps(begun()))
    (left / "requirements.txt").write_text("numpy\n")


# ---------------------------------------------------------------- what learners' code does

METHOD = "    def __repr__"
METACLASS = """\
class Kind(type):
    def __call__(cls, *args, **kwargs):
        return super().__call__(*args, **kwargs)

    def __getattribute__(cls, name):
        return super().__getattribute__(name)"""
GOES_ON = """\
import subprocess, sys, threading, time


def late():
    for _ in range(2000):
        time.sleep(0.01)
        print("late", file=sys.stderr)


threading.Thread(target=late).start()
subprocess.Popen("sleep 600; echo late >&2", shell=True)"""
DEATHS = {
    "_exit": "import os\nos._exit(0)",
    "segfault": "import ctypes\nctypes.string_at(0)",
    "abort": "import os\nos.abort()",
    "terminate": "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)",
}


def dies(grade_id: str, how: str) -> Callable[[], Notebook]:
    """The kernel ends in an answer of an otherwise right notebook."""
    answer = {grade_id: f"{DEATHS[how]}\n{solution(grade_id)}"}
    return lambda: notebook(others="solution", **answer)


def dividing(*lines: str) -> Callable[[], Notebook]:
    """The rule of division begins with other lines; it is called when the gradients of a / b are tested."""
    head = 'left / right, element by element"""\n'
    return changed("tensor", (head, head + "".join(f"    {line}\n" for line in lines)))


def creating(what: str, base: Callable[[], Notebook] = begun) -> Callable[[], Notebook]:
    """The constructor of MyTensor does something else, too, before it keeps its array."""
    line = "        self.__data = array\n"

    def content() -> Notebook:
        made = base()
        tensor = cell(made, "tensor")
        assert line in tensor["source"]
        tensor["source"] = tensor["source"].replace(line, f"        {what}\n{line}")
        return made

    return content


def unusual_classes() -> Notebook:
    """A metaclass, an attribute that asks for itself, single precision, a generator of parameters: all right."""
    made = creating("array = array.astype(dtype or np.float32)", half)()
    tensor, module = cell(made, "tensor"), cell(made, "module")
    for answer, old, new in (
        (tensor, METHOD, f"    def __getattr__(self, name):\n        return getattr(self, name)\n\n{METHOD}"),
        (tensor, "class MyTensor:", f"{METACLASS}\n\n\nclass MyTensor(metaclass=Kind):"),
        (module, "return list(found.values())", "yield from found.values()"),
    ):
        assert old in answer["source"]
        answer["source"] = answer["source"].replace(old, new)
    return made


def begin_with(lines: str, made: Notebook) -> None:
    """The tensor's cell has other lines at its top."""
    tensor = cell(made, "tensor")
    tensor["source"] = f"{lines}\n{''.join(tensor['source'])}"


def raises_in_del(made: Notebook) -> None:
    tensor = cell(made, "tensor")
    tensor["source"] = tensor["source"].replace(METHOD, f"    def __del__(self):\n        1 / 0\n\n{METHOD}")


def notebook_only(made: Notebook) -> None:
    """Cells that need a person, a shell, or what is not installed."""
    at = place(made, "module")
    made["cells"][at:at] = [
        code_cell("input('How many?')"),
        code_cell("%%bash\necho from bash; exit 3"),
        code_cell("%matplotlib widget"),
        code_cell("%load_ext autoreload\n%autoreload 2\n%load_ext nowhere"),
        code_cell("import asyncio\nprint(await asyncio.sleep(0, 'waited'))"),
    ]


# When the gradients of a / b are wrong: 9 less for them.
NO_DIVISION: dict[str, float] = {**HALF, "tensor": 31}
# What is tested before the gradients of a / b: 5 for a tensor alone, 5 for values, 8 for + and -, 8 for *.
BEFORE_DIVISION: dict[str, float] = {**MODULE, "tensor": 26}
ENDED = "the kernel has ended"
STOPPED = "nothing could be run any more"
SLOW = "your code did not finish in time"
ABSENT = "not installed where they are graded: "
NO_DATE = "timestamp.txt holds no date"

FILES = [
    Fault("empty_file", lambda: b"", NOTHING, "'tiny.ipynb' is empty"),
    Fault("truncated_json", as_bytes(lambda text: text[: len(text) // 2]), NOTHING, "is damaged near line"),
    Fault("other_json", lambda: b'{"cells": 3, "nbformat": 4}', NOTHING, "is not a notebook"),
    Fault("deep_json", lambda: b'{"cells":' + b"[" * 200_000, NOTHING, "is damaged"),
    Fault(
        "windows", as_bytes(lambda text: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(), edited(windows)), BEGUN
    ),
    Fault("utf_16", as_bytes(lambda text: text.encode("utf-16")), BEGUN),
    Fault("odd_values", edited(odd_values), BEGUN),
    Fault("damaged_cells", edited(damaged_cells), BEGUN, "cells were left out: they are damaged"),
    Fault("version_3", version_3, BEGUN, "has an old notebook format"),
    Fault("fifty_megabytes_of_output", edited(large_outputs), BEGUN),
    Fault(
        "fifty_megabytes_of_text",
        edited(lambda made: made["cells"].append(markdown("x" * 50_000_000))),
        BEGUN,
        "have more than 1,000,000 characters",
    ),
    Fault("thousands_of_cells", edited(many_cells), BEGUN, "1,500 of 2,500 cells of your own were left out"),
    Fault("web_page", lambda: b"<!DOCTYPE html>\n<html>...", NOTHING, "is a web page, not the notebook"),
    Fault(
        "git_conflict",
        as_bytes(lambda text: text.replace("\n", "\n<<<<<<< HEAD\n", 1)),
        NOTHING,
        "holds a conflict of git (line 2: <<<<<<<)",
    ),
    Fault(
        "one_wrong_byte",
        as_bytes(lambda text: text.encode().replace(b"Welcome", b"\x92", 1)),
        BEGUN,
        "may have changed in 1 place",
    ),
    # What a merge of two versions leaves that knows notebooks.
    Fault(
        "git_conflict_in_an_answer",
        lambda: begun(tensor=f"<<<<<<< local\n{solution('tensor')}=======\n>>>>>>> remote\n"),
        MODULE,
        shows=("SyntaxError",),
    ),
    Fault("null_characters", as_bytes(lambda text: text.encode() + bytes(4096)), BEGUN, "holds null characters"),
    Fault("rubbish_after_it", as_bytes(lambda text: text + text[-100:]), BEGUN, "has 100 more characters: left out"),
    Fault("two_hundred_megabytes", begun, NOTHING, "at most 104,857,600 can be graded", beside=too_large),
]

FOLDERS = [
    Fault("empty_folder", lambda: None, NOTHING, "nor any other notebook"),
    Fault("no_notebook", lambda: b"f = 3", NOTHING, "nor any other notebook, but 'tiny.py'", file="tiny.py"),
    Fault("macos", begun, BEGUN, beside=texts(__DS_Store="x", ___tiny__ipynb=b"\0\5\x16\7\0\2\0\0Mac OS X")),
    Fault("json_after_its_name", begun, BEGUN, "'tiny.ipynb.json' was graded in", file="tiny.ipynb.json"),
    Fault("folder_in_folder", lambda: None, BEGUN, "'a/tiny.ipynb' was graded in its place", beside=inside("a")),
    Fault("zip_file", zipped("Übung/My work.ipynb"), BEGUN, "'work.zip/Übung/My work.ipynb' was", file="work.zip"),
    Fault("zip_bomb", zipped("a.ipynb", 100_000_000), NOTHING, "is packed smaller than a", file="work.zip"),
    Fault(
        "zip_in_a_zip", in_a_zip, NOTHING, "nor any other notebook, but 'work.zip', 'work.zip/a.zip'", file="work.zip"
    ),
    Fault("picture", lambda: b"\x89PNG", NOTHING, "nor any other notebook, but 'photo.png'", file="photo.png"),
    Fault("renamed", begun, BEGUN, "'My work (1).IPYNB' was graded in its place", file="My work (1).IPYNB"),
    Fault("Zo\u00eb [2] $(id) +1 'x' #%", begun, BEGUN, "'tiny.json' was graded", file="tiny.json"),
    Fault("renamed_oddly_and_empty", lambda: b"", NOTHING, "is empty", file="caf\udce9\n# **x**.ipynb"),
    Fault(
        "two_notebooks",
        begun,
        BEGUN,
        "other notebooks were not looked at: 'Untitled.ipynb'",
        beside=texts(Untitled__ipynb="{}"),
    ),
    Fault("notebook_is_a_folder", lambda: None, NOTHING, "nor any other notebook", beside=folder("tiny.ipynb")),
    # Of all that dateutil cannot read, this raises neither ValueError nor OverflowError.
    Fault("timestamp_of_a_long_number", begun, BEGUN, NO_DATE, beside=texts(timestamp__txt="1" * 40 + "h")),
    Fault(
        "timestamp_read_in_two_ways",
        lambda: None,
        NOTHING,
        "some read as 2026-03-10 and some as 2026-10-03",
        beside=texts(timestamp__txt="10.03.2026 12:00"),
    ),
    Fault(
        "timestamp_of_no_time_zone",
        lambda: None,
        NOTHING,
        "'XYZ' is no known time zone",
        beside=texts(timestamp__txt="2026-03-10 12:00:00 XYZ"),
    ),
    Fault("timestamp_is_a_pipe", begun, BEGUN, NO_DATE, beside=pipe("timestamp.txt")),
    Fault("timestamp_is_a_link", begun, BEGUN, NO_DATE, beside=linked("timestamp.txt", "/dev/zero")),
    Fault("extra_files", begun, BEGUN, beside=extra_files),
    Fault("stopped_half_way", begun, BEGUN, beside=stopped_half_way),
    # Only the notebook is handed in; what it needs beside it comes from the course.
    Fault(
        "answer_in_another_file",
        lambda: begun(tensor="from mine import MyTensor"),
        MODULE,
        f"{ABSENT}mine.",
        shows=("No module named 'mine'",),
        beside=texts(mine__py="class MyTensor: pass"),
    ),
]

CELLS = [
    Fault("copied_cells", edited(copied), BEGUN, "'tensor' is there 2 times"),
    Fault("deleted_tests", edited(deleted("setup", "test_tensor", "test_module")), BEGUN),
    Fault("deleted_answer", edited(deleted("tensor")), MODULE, "answer cell 'tensor' is missing"),
    Fault("split_answer", edited(split), BEGUN, "'tensor' is there 2 times"),
    Fault("merged_answer_and_test", edited(lambda made: merge(made, "module", "test_module")), BEGUN),
    Fault("merged_test_and_answer", edited(lambda made: merge(made, "test_tensor", "module")), BEGUN),
    # All is defined when the first test runs, so all is there for each test.
    Fault("merged_all", edited(lambda made: merge(made, "tensor", "test_module")), BEGUN, "'module' is missing"),
    Fault("backwards", edited(lambda made: made["cells"].reverse()), BEGUN, "not in the order of the notebook"),
    Fault("retyped", edited(retyped), BEGUN),
    Fault("metadata_stripped", edited(stripped), BEGUN),
    Fault("metadata_and_ids_stripped", edited(stripped_and_tried, solved), ALL),
    Fault("edited_tests", edited(tests_edited), BEGUN, "written into the test cell 'test_tensor'"),
    Fault("stubs_at_the_end", edited(stubs_at_the_end), BEGUN, "'module' is there 2 times"),
    Fault("answer_in_test_cell", edited(in_test_cell), BEGUN, "written into the test cell 'test_module'"),
    Fault("edited_marks", edited(marks_edited), BEGUN),
    Fault("cells_around", edited(around), BEGUN, shows=("ZeroDivisionError",)),
]

ENDS = [
    # Sections after the one that ends the kernel are judged in another.
    Fault("dies_in_tensor", dies("tensor", "_exit"), {**ALL, "tensor": 0}, ENDED),
    Fault("dies_in_module", dies("module", "segfault"), {**ALL, "module": 0}, ENDED),
    Fault("dies_in_matmul", dies("matmul", "abort"), {**ALL, "matmul": 0}, ENDED),
    Fault("dies_in_layers", dies("layers", "_exit"), {**ALL, "linear": 0, "relu": 0}, ENDED),
    Fault("dies_in_optimizer", dies("optimizer", "segfault"), {**ALL, "sgd": 0}, ENDED),
    Fault("dies_in_loss", dies("loss", "terminate"), {**ALL, "mseloss": 0}, ENDED),
    Fault("dies_in_model", dies("model", "segfault"), {**ALL, "model": 0}, ENDED),
    Fault(
        "dies_in_a_rule",
        dividing("import os", "os._exit(0)"),
        BEFORE_DIVISION,
        "the process that runs your code has ended",
    ),
    # What leaves a cell does not end the notebook.
    Fault("sys_exit", own("import sys\nsys.exit('done')"), BEGUN, shows=("SystemExit: done",)),
    Fault("exit", own("exit()"), BEGUN),
    Fault("exits_in_a_rule", dividing("raise SystemExit"), NO_DIVISION, shows=("your code raised SystemExit",)),
    Fault(
        "hangs_in_an_import",
        own("open('slow.py', 'w').write('while True: pass')\nimport slow", before="setup"),
        BEGUN,
        shows=("KeyboardInterrupt",),
    ),
    Fault("sleeps_longer", own("import time\ntime.sleep(9)\nprint('awake')"), BEGUN, shows=("awake",)),
    Fault(
        "ignores_interrupts",
        own("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"),
        BEGUN,
        "could not be interrupted",
    ),
    Fault(
        "ignores_signals",
        own("import signal\nfor number in (1, 2, 15): signal.signal(number, signal.SIG_IGN)"),
        BEGUN,
    ),
    # Tuples cost what is asked of them, 1; all other checks make their tensors of lists.
    Fault("hangs_in_a_constructor", creating("while type(data) is tuple: pass"), {**BEGUN, "tensor": 4}, shows=(SLOW,)),
    Fault("hangs_in_a_rule", dividing("while True: pass"), NO_DIVISION, shows=(SLOW,)),
    # In a loop of C, which no signal stops.
    Fault(
        "hangs_for_good_in_a_rule",
        dividing("import itertools", "max(itertools.repeat(0))"),
        BEFORE_DIVISION,
        "did not stop when its time was over",
    ),
    Fault(
        "closes_all_files",
        own("import os\nfor number in range(21):\n    try: os.close(number)\n    except OSError: pass"),
        BEGUN,
        STOPPED,
    ),
]

OUTPUT = [
    Fault("prints_on_one_line", own("print('x' * 100_000_000)"), BEGUN, shows=("more characters ...",)),
    Fault("prints_lines", own("for number in range(300_000): print(number)"), BEGUN, shows=("Output truncated",)),
    Fault("shows_a_long_value", own("'x' * 20_000_000"), BEGUN),
    Fault("shows_a_lot", own("for number in range(1_000): display(number)"), BEGUN, shows=("more outputs",)),
    Fault(
        "warns",
        own(
            "import sys\nfrom matplotlib import pyplot as plt\nfor _ in range(22): plt.figure(figsize=(1, 1))\n"
            "print('oh', file=sys.stderr)"
        ),
        BEGUN,
        shows=("More than 20 figures have been opened", "oh"),
    ),
    Fault("prints_in_a_constructor", creating("print('made')", half), HALF),
    Fault("raises_in_del", edited(raises_in_del), BEGUN),
    Fault("saves_a_large_file", own("np.save('large', np.zeros(9_000_000))"), BEGUN, shows=("OSError",)),
    Fault("closes_stdout", own("import sys\nsys.stdout.close()\nsys.stderr.close()"), BEGUN),
    Fault("goes_on", own(GOES_ON), BEGUN),
]

PYTHON = [
    # Nothing uses it: on the machine where it is installed it did no harm either.
    Fault(
        "imports_what_is_not_there",
        edited(lambda made: begin_with("import os, scipy.linalg as sl\nfrom pandas import DataFrame, Series", made)),
        BEGUN,
        f"{ABSENT}pandas, scipy.",
        shows=("No module named 'scipy' where notebooks are graded", "No module named 'pandas' where"),
    ),
    Fault(
        "uses_what_is_not_there",
        edited(lambda made: begin_with("import seaborn as sns\nsns.set_theme()", made)),
        MODULE,
        f"{ABSENT}seaborn.",
        shows=("No module named 'seaborn' where notebooks are graded",),
    ),
    Fault(
        "imports_all_of_it",
        edited(lambda made: begin_with("from scipy.special import *", made)),
        MODULE,
        f"{ABSENT}scipy.",
    ),
    Fault(
        "imports_it_late", dividing("import scipy"), NO_DIVISION, f"{ABSENT}scipy.", shows=("No module named 'scipy'",)
    ),
    Fault(
        "imports_it_elsewhere",
        lambda: with_cell(dividing("sp.special()")(), "import scipy as sp", "tensor"),
        NO_DIVISION,
        f"{ABSENT}scipy.",
    ),
    Fault(
        "asks_what_is_there",
        own("try:\n    import google.colab\nexcept ImportError:\n    print('not on Colab')\nimport seaborn"),
        BEGUN,
        shows=("not on Colab",),
    ),
    Fault(
        "notebook_only",
        edited(notebook_only),
        BEGUN,
        shows=("StdinNotImplementedError", "from bash", "not a recognised GUI", "No module named 'nowhere'", "waited"),
    ),
    Fault(
        "installs", own("!pip install --retries 0 no-such-package"), BEGUN, shows=("No matching distribution found",)
    ),
    # Nothing is left: the definition of Parameter names MyTensor.
    Fault("reset", own("%reset -f"), TENSOR, shows=("MyModule and MyTensor and Parameter are not defined",)),
    Fault(
        "work_folder_gone",
        own("import os, shutil\nshutil.rmtree(os.getcwd(), ignore_errors=True)\nos.chdir('/')\nos.listdir('data')"),
        BEGUN,
        shows=("FileNotFoundError",),
    ),
    # Python itself, and so its kernel, is broken from there on; what came before counts.
    Fault("hides_builtins", own("import builtins\nbuiltins.len = builtins.isinstance = print"), BEGUN, STOPPED),
    # Their own functions look for NumPy under this name.
    Fault("hides_numpy", own("np = 'mine'"), TENSOR, shows=("(tests.test_tensor), which does not pass yet",)),
    Fault("hides_ours", own("tests = server = wire = display = get_ipython = _ = 'mine'", before="test_tensor"), BEGUN),
    Fault("unusual_classes", unusual_classes, HALF),
    Fault("not_finite", dividing("return base * np.nan, base * np.inf"), NO_DIVISION, shows=("a.grad is nan",)),
    Fault("objects", creating("array = array.astype(object)"), MODULE, shows=("elements of type object",)),
    Fault(
        "a_gigabyte",
        changed("tensor", ("        return self.__data\n", "        return np.zeros(1 << 27)\n")),
        MODULE,
        shows=("134,217,728 elements",),
    ),
]

FAULTS = [*FILES, *FOLDERS, *CELLS, *ENDS, *OUTPUT, *PYTHON]
