"""From what was handed in to the notebook that is graded: nothing raises, nothing that counts is lost or changed."""

from __future__ import annotations

import copy
import functools
import io
import json
import os
import random
import re
import socket
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import kit
import make_class
import nbformat
import pytest
from course import code_cell, notebook, place, solution, solutions, with_cell

from checks.notebook import grade_id
from checks.observe import learner_code
from grading import submissions
from grading.budget import Budget
from grading.submissions import Submission, Unusable


@functools.cache
def source() -> nbformat.NotebookNode:
    """The course's notebook."""
    return nbformat.read(kit.course() / "source" / "tiny" / "tiny.ipynb", as_version=4)


@functools.cache
def counted() -> list[nbformat.NotebookNode]:
    return [cell for cell in source().cells if "nbgrader" in cell.metadata]


@functools.cache
def locked() -> set[str]:
    """All lines of cells that no learner writes."""
    cells = [cell for cell in counted() if not cell.metadata.nbgrader.solution]
    return {line for cell in cells for line in cell.source.split("\n")}


def handed_in(content: dict[str, Any] | bytes) -> Submission:
    submission = Submission()
    data = content if isinstance(content, bytes) else json.dumps(content).encode("utf-8", "surrogatepass")
    submission.cells = submissions.cells_of(data, "workshop.ipynb", submission.remarks)
    return submission


def restored(content: dict[str, Any] | bytes, budget: Budget | None = None) -> nbformat.NotebookNode:
    return submissions.restore(handed_in(content), source(), budget or Budget(60))


def answers(made: nbformat.NotebookNode) -> dict[str, str]:
    return {cell.metadata.nbgrader.grade_id: cell.source for cell in made.cells if "nbgrader" in cell.metadata}


def remarks(made: nbformat.NotebookNode) -> str:
    return "".join(cell.source for cell in made.cells if cell.id == submissions.NOTES)


def assert_gradable(made: nbformat.NotebookNode) -> None:
    """Each cell that counts is there once, in the course's order; what is locked is as in the course."""
    nbformat.validate(made)
    found = [cell for cell in made.cells if "nbgrader" in cell.metadata]
    assert list(map(grade_id, found)) == list(map(grade_id, counted()))
    for cell, given in zip(found, counted(), strict=True):
        assert cell.metadata == {key: given.metadata[key] for key in cell.metadata}
        assert (cell.cell_type, cell.id) == (given.cell_type, given.id)
        assert given.metadata.nbgrader.solution or cell.source == given.source
    assert made.metadata == {key: source().metadata[key] for key in ("kernelspec", "language_info")}
    assert all(not cell.get("outputs") for cell in made.cells)


def test_a_front_end_that_drops_editable_and_deletable_changes_nothing():
    made = notebook("solution")
    saved = copy.deepcopy(made)
    for cell in saved["cells"]:
        for key in ("editable", "deletable"):
            cell["metadata"].pop(key, None)
    assert saved != made
    assert restored(saved) == restored(made) and remarks(restored(saved)) == ""


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_every_encoding_of_json_is_read(encoding):
    submission = handed_in(json.dumps(notebook(tensor="x = 'é'"), ensure_ascii=False).encode(encoding))
    assert submission.remarks == []
    assert any(cell["source"] == "x = 'é'" for cell in submission.cells)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (b"{", "is damaged near line 1"),
        (b'{"cells": [],\n"a": tru', "is damaged near line 2"),
        (b"[" * 100_000, "is damaged"),
        (b'{"a":' * 100_000, "is damaged"),
        (b'{"cells": ' + b"9" * 5000 + b"}", "is damaged"),
        (b'{"a": "\xe9"}', "is not a notebook"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "is not text in UTF-8"),
        (b"\xff\xfe\x00", "is not text in UTF-8"),
        (b'{"a": "' + b"\xe9" * 100_001 + b'"}', "is not text in UTF-8"),
        (b"\x00" * 5000, "is empty"),
        (b"<!DOCTYPE html>\n<html><body>{}</body></html>", "is a web page, not the notebook"),
        (b"\n<HTML lang='en'>", "is a web page, not the notebook"),
        (b"%PDF-1.7 ...", "is a PDF, not the notebook"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "is a pointer of Git LFS"),
        (b"{\\rtf1 text}", "is a text of a word processor"),
        (
            b'{"cells": [\n<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> theirs\n]}',
            r"holds a conflict of git \(line 2: <<<<<<<\), two versions",
        ),
        (b"null", "is not a notebook"),
        (b"3", "is not a notebook"),
        (b'"text"', "is not a notebook"),
        (b"[]", "is not a notebook"),
        (b"{}", "is not a notebook"),
        (b'{"cells": {}}', "is not a notebook"),
        (b'{"cells": []}', "is not a notebook"),
        (b'{"worksheets": []}', "is not a notebook"),
        (b'{"worksheets": [3, {"cells": 4}, {}]}', "is not a notebook"),
        (b'{"cells": [' + b"[]," * 2_000_000 + b"[]]}", "holds more than 3,000,000 values: clear the outputs"),
    ],
    ids=range(28),
)
def test_what_is_no_notebook_gets_a_sentence(content, says):
    with pytest.raises(Unusable, match=says):
        handed_in(content)


def read_with_remark(data: bytes, cell: str) -> str:
    """Read a damaged file that still has this cell; the remark on it."""
    submission = handed_in(data)
    assert [each["source"] for each in submission.cells] == [cell]
    (remark,) = submission.remarks
    return remark


def test_bytes_of_another_encoding_cost_a_note_only():
    text = json.dumps({"cells": [code_cell("# it\u2019s caf\u00e9")]}, ensure_ascii=False)
    utf, windows = text.encode(), text.encode("cp1252")
    one = utf.replace("\u2019".encode(), b"\x92")
    assert "may have changed in 1 place." in read_with_remark(one, "# it\u2019s caf\u00e9")
    assert "may have changed in 2 places." in read_with_remark(windows, "# it\u2019s caf\u00e9")
    nothing = utf.replace("\u2019".encode(), b"\x81")  # nothing in Windows' encoding either
    assert "may have changed in 1 place." in read_with_remark(nothing, "# it\ufffds caf\u00e9")
    odd = text.encode("utf-16") + b"\n"
    assert "may have changed in 1 place." in read_with_remark(odd, "# it\u2019s caf\u00e9")


@pytest.mark.parametrize("where", ["{}\0\0\0", "{}\0\n\0", "\n{}\0"])
def test_null_characters_cost_a_note_only(where):
    text = where.replace("{}", json.dumps({"cells": [code_cell("x = 1")]}))
    assert "holds null characters" in read_with_remark(text.encode(), "x = 1")
    inside = json.dumps({"cells": [code_cell("x = 1")]}).replace("x = ", "x \0= ")
    assert "holds null characters" in read_with_remark(inside.encode(), "x = 1")


@pytest.mark.parametrize("rest", ["}", "]}\n", "rubbish", '{"cells": []}', "\n<<<<<<< HEAD", "<html>"])
def test_rubbish_after_the_notebook_costs_a_note_only(rest):
    text = json.dumps({"cells": [code_cell("x = 1")]}) + f"\n{rest}"
    remark = f"After the end of the notebook 'workshop.ipynb' has {len(rest.strip())} more characters: left out."
    assert read_with_remark(text.encode(), "x = 1") == remark


def test_control_characters_in_a_text_are_no_damage():
    text = json.dumps({"cells": [code_cell("x = 1 # a b")]}).replace("a b", "a\tb")
    assert [cell["source"] for cell in handed_in(text.encode()).cells] == ["x = 1 # a\tb"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_what_stands_in_texts_is_no_value(encoding):
    printed = {"output_type": "stream", "name": "stdout", "text": '[{"\\,' * 1_500_000}
    content = {"cells": [{**code_cell("x = 1"), "outputs": [printed]}]}
    assert handed_in(json.dumps(content).encode(encoding)).remarks == []


def test_a_folder_that_becomes_a_link_while_it_is_read_gives_nobody_elses_work(tmp_path, monkeypatch):
    """Between any two steps: before it is opened nothing is read, afterwards what lay there."""
    for learner in ("erin", "eve"):
        (tmp_path / learner / "workshop").mkdir(parents=True)
        (tmp_path / learner / "workshop" / "workshop.ipynb").write_text(learner)

    def swap(part: str) -> None:
        (tmp_path / part).rename(tmp_path / "aside")
        (tmp_path / part).symlink_to(tmp_path / part.replace("eve", "erin"))

    def swap_back(part: str) -> None:
        (tmp_path / part).unlink()
        (tmp_path / "aside").rename(tmp_path / part)

    folder, read = tmp_path / "eve" / "workshop", submissions.read_file
    for part in ("eve", "eve/workshop"):
        swap(part)
        found = submissions.collect(folder, "workshop", top=tmp_path)
        assert found.content is None and "cannot be read" in found.remarks[0]
        swap_back(part)
        monkeypatch.setattr(submissions, "read_file", lambda *a, **k: (swap(part), read(*a, **k))[1])  # noqa: B023
        assert submissions.collect(folder, "workshop", top=tmp_path).content == b"eve"
        monkeypatch.setattr(submissions, "read_file", read)
        swap_back(part)


def test_damaged_cells_are_left_out_and_counted():
    bad = [None, 3, "x", [], {}, {"source": 3}, {"source": [1]}, {"input": {}}, {"source": "x" * 1_000_001}]
    submission = handed_in({"cells": [*bad, code_cell("x = 1")]})
    assert [cell["source"] for cell in submission.cells] == ["x = 1"]
    assert submission.remarks == [
        "9 of 10 cells were left out: they are damaged, have more than 1,000,000 characters, or come after the first "
        "20,000."
    ]


def free_descriptor() -> int:
    """The lowest number that is free: the same again as long as nothing was left open."""
    descriptor = os.open(".", os.O_RDONLY)
    os.close(descriptor)
    return descriptor


def test_a_file_is_only_read_when_it_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "linked").write_bytes(b"12345")
    os.link(tmp_path / "linked", tmp_path / "hard")
    (tmp_path / "soft").symlink_to("file")
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
    assert submissions.read_file(tmp_path / "file") == b"12345"
    before = free_descriptor()
    for name, says in {
        "hard": "no ordinary file",
        "soft": "link to another file",
        "broken": "link to another file",
        "folder": "no ordinary file",
        "pipe": "no ordinary file",
        "socket": "cannot be opened",
        "nothing": "cannot be opened",
    }.items():
        with pytest.raises(Unusable, match=says):
            submissions.read_file(tmp_path / name)
    with pytest.raises(Unusable, match="has 5 bytes; at most 4"):
        submissions.read_file(tmp_path / "file", 4)
    assert free_descriptor() == before


def folder_with(folder: Path, files: Iterable[str]) -> Path:
    """A folder with notebooks of these paths; a path that begins with a zip file's name is in that.

    Each notebook holds its own path, without that of the zip file; what macOS adds, and other files, hold none.
    """
    for path in files:
        archive, inside = re.fullmatch(r"(?:(.*?\.zip)/)?(.*)", path, re.DOTALL).groups()
        is_notebook = re.search(r"\.ipynb|json$|/notebook$|workshop\.txt$", path, re.IGNORECASE) and "._" not in path
        text = json.dumps({"cells": [code_cell(inside)]}) if is_notebook else "Mac OS X"
        if archive:
            with zipfile.ZipFile(folder / archive, "a", zipfile.ZIP_DEFLATED) as file:
                file.writestr(inside, text)
        else:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    return folder


INSTEAD = "There was no workshop.ipynb: {} was graded in its place."


@pytest.mark.parametrize(
    ("files", "says", "graded"),
    [
        ([], "There is no workshop.ipynb in what was handed in, nor any other notebook: hand it in again.", None),
        (["a.ipynb", "b.ipynb"], "but 'a.ipynb', 'b.ipynb': hand it in again", None),
        (["a.ipynb"], INSTEAD, "a.ipynb"),
        (["WORKSHOP.IPYNB"], INSTEAD, "WORKSHOP.IPYNB"),
        (
            ["workshop.ipynb", "a.ipynb"],
            "workshop.ipynb was graded; other notebooks were not looked at: 'a.ipynb'",
            "workshop.ipynb",
        ),
        (["workshop.ipynb", ".ipynb", "a.ipynb.txt"], None, "workshop.ipynb"),
        (
            ["caf\udce9\n[AutogradeApp | ERROR] x.ipynb"],
            "'caf\\udce9\\n[AutogradeApp",
            "caf\udce9\n[AutogradeApp | ERROR] x.ipynb",
        ),
        # What macOS adds is no notebook.
        (["workshop.ipynb", "._workshop.ipynb", ".DS_Store"], None, "workshop.ipynb"),
        (["My work.ipynb", "._My work.ipynb", "__MACOSX/._My work.ipynb"], INSTEAD, "My work.ipynb"),
        (["workshop/workshop.ipynb", "__MACOSX/workshop/._workshop.ipynb"], INSTEAD, "workshop/workshop.ipynb"),
        # Something after its name.
        (["workshop.ipynb.json"], INSTEAD, "workshop.ipynb.json"),
        (["workshop.ipynb.txt"], INSTEAD, "workshop.ipynb.txt"),
        (["My work.ipynb (1)", "essay.txt"], INSTEAD, "My work.ipynb (1)"),
        (["a/b/My work.IPYNB.download", "a/tests.py"], INSTEAD, "a/b/My work.IPYNB.download"),
        # Another kind of name.
        (["workshop.json", "essay.txt"], INSTEAD, "workshop.json"),
        (["workshop.txt", "b.pdf"], INSTEAD, "workshop.txt"),
        (["a/notebook", "requirements.txt"], INSTEAD, "a/notebook"),
        (["a.json", "b.json"], "but 'a.json', 'b.json': hand it in again", None),
        # Folders.
        (["a/workshop.ipynb", "a/.ipynb_checkpoints/workshop-checkpoint.ipynb"], INSTEAD, "a/workshop.ipynb"),
        (["a/workshop.ipynb", "a/other.ipynb"], INSTEAD, "a/workshop.ipynb"),
        (["workshop.ipynb/workshop.ipynb"], INSTEAD, "workshop.ipynb/workshop.ipynb"),
        (["a/workshop.ipynb", "b/workshop.ipynb"], "but 'a/workshop.ipynb', 'b/workshop.ipynb': hand it in", None),
        (["a/" * 9 + "workshop.ipynb"], "nor any other notebook", None),
        (["second.ipynb"], "nor any other notebook, but 'second.ipynb': hand it in again", None),
        # Zip files.
        (["work.zip/workshop.ipynb"], INSTEAD, "work.zip/workshop.ipynb"),
        (
            ["Work.ZIP.zip/a/My work.ipynb", "Work.ZIP.zip/__MACOSX/a/._My work.ipynb"],
            INSTEAD,
            "Work.ZIP.zip/a/My work.ipynb",
        ),
        (["work.zip/../../workshop.ipynb"], "'work.zip/workshop.ipynb' was graded", "work.zip/../../workshop.ipynb"),
        (["work.zip//workshop.ipynb"], "'work.zip/workshop.ipynb' was graded", "work.zip//workshop.ipynb"),
        (["work.zip/a\\workshop.ipynb"], "'work.zip/a/workshop.ipynb' was graded", "work.zip/a\\workshop.ipynb"),
        (["work.zip/a.ipynb", "work.zip/b.ipynb"], "but 'work.zip/a.ipynb', 'work.zip/b.ipynb': hand it in", None),
        (["work.zip/workshop.ipynb.txt", "work.zip/a.ipynb"], INSTEAD, "work.zip/workshop.ipynb.txt"),
        (["work.zip/essay.docx"], "nor any other notebook, but 'work.zip', 'work.zip/essay.docx': hand it in", None),
        (["a.zip/pictures.png", "b.zip/workshop.ipynb"], INSTEAD, "b.zip/workshop.ipynb"),
        (["a.zip/workshop.ipynb", "b.zip/workshop.ipynb"], "but 'a.zip/workshop.ipynb', 'b.zip/workshop.ipynb'", None),
        (["a.zip", "workshop.rar"], "nor any other notebook, but 'a.zip', 'workshop.rar': hand it in again", None),
        ([f"{n}.py" for n in range(9)], "but '0.py', '1.py', '2.py', '3.py', '4.py' and 4 more: hand it in", None),
    ],
)
def test_the_notebook_is_found_or_what_is_there_is_named(tmp_path, files, says, graded):
    folder_with(tmp_path, files)
    before = free_descriptor()
    submission = submissions.collect(tmp_path, "workshop", ["workshop", "second"]).read()
    assert free_descriptor() == before
    path = graded and re.sub(r"^.*?\.zip/", "", graded).replace("\udce9", "?")
    assert [cell["source"] for cell in submission.cells] == ([path] if path else [])
    said = " ".join(submission.remarks)
    assert (said == "") if says is None else says.format(repr(graded)) in said
    assert said.isprintable()


def test_a_link_to_the_notebook_of_somebody_else_is_never_read(tmp_path):
    folder_with(tmp_path, ["ann/workshop.ipynb", "ann/deep/x.ipynb", "bob/essay.txt"])
    (tmp_path / "bob" / "deep").symlink_to("../ann/deep")
    found = submissions.collect(tmp_path / "bob", "workshop")
    assert found.content is None and "nor any other notebook" in found.remarks[0]
    (tmp_path / "bob" / "workshop.ipynb").symlink_to("../ann/workshop.ipynb")
    found = submissions.collect(tmp_path / "bob", "workshop")
    assert found.content is None and "'workshop.ipynb' cannot be opened: it is a link" in found.remarks[0]
    descriptor = os.open(tmp_path / "bob", os.O_RDONLY)
    with pytest.raises(Unusable, match=r"'x\.ipynb' cannot be opened"):
        submissions.read_file("deep/x.ipynb", below=descriptor)
    os.close(descriptor)


def zipped(**kinds: Any) -> bytes:
    """A zip file with a large notebook."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", kinds.get("method", zipfile.ZIP_DEFLATED)) as file:
        file.writestr("workshop.ipynb", kinds.get("text", json.dumps({"cells": [code_cell("x = 1")] * 50})))
    return made.getvalue()


def test_a_zip_file_that_is_called_a_notebook_is_looked_into(tmp_path):
    (tmp_path / "workshop.ipynb").write_bytes(zipped())
    submission = submissions.collect(tmp_path, "workshop").read()
    assert len(submission.cells) == 50
    assert submission.remarks == [INSTEAD.format("'workshop.ipynb/workshop.ipynb'")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\3\4 and no more", "'work.zip' is damaged and cannot be opened (BadZipFile)"),
        (zipped()[:-60], "'work.zip' is damaged and cannot be opened (BadZipFile)"),
        (zipped().replace(b"PK\1\2", b"PK\0\0"), "'work.zip' is damaged and cannot be opened (BadZipFile)"),
        (zipped()[:60] + b"\xff" * 30 + zipped()[90:], "'work.zip/workshop.ipynb' is damaged and cannot be unpacked"),
        (zipped(method=zipfile.ZIP_LZMA), "'work.zip/workshop.ipynb' is packed in an unusual way"),
        (zipped(text=" " * 5_000_000), "'work.zip/workshop.ipynb' is packed smaller than a notebook can be"),
        (zipped(text=" " * 100_000), "'work.zip/workshop.ipynb' is empty"),
        (zipped() + b"PK\1\2" * 50_000, "'work.zip' holds more than 50,000 files"),
    ],
    ids=range(8),
)
def test_a_zip_file_that_cannot_be_used_gets_a_sentence(tmp_path, content, says):
    (tmp_path / "work.zip").write_bytes(content)
    submission = submissions.collect(tmp_path, "workshop").read()
    assert submission.cells == [] and says in " ".join(submission.remarks)


def test_what_is_too_large_or_locked_in_a_zip_file_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "LARGEST_FILE", 1000)
    (tmp_path / "work.zip").write_bytes(zipped())
    assert "at most 1,000 can be graded" in submissions.collect(tmp_path, "workshop").remarks[-1]
    locked = bytearray(zipped())
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        locked[locked.index(mark) + at] |= 1
    (tmp_path / "work.zip").write_bytes(bytes(locked))
    assert "is locked with a password" in submissions.collect(tmp_path, "workshop").remarks[-1]


def test_of_a_folder_without_end_only_a_part_is_looked_at(tmp_path, monkeypatch):
    folder_with(tmp_path, ["a/1.py", "a/2.py", "z/workshop.ipynb"])
    assert submissions.collect(tmp_path, "workshop").content is not None
    monkeypatch.setattr(submissions, "MOST_FILES", 2)
    assert submissions.collect(tmp_path, "workshop").content is None


def test_a_folder_that_cannot_be_read_gets_a_sentence(tmp_path):
    assert submissions.collect(tmp_path / "nowhere", "workshop").remarks == [
        "What was handed in cannot be read: No such file or directory."
    ]


# ---------------------------------------------------------------- cells


@pytest.mark.parametrize("others", ["untouched", "solution"])
def test_restoring_changes_nothing_in_a_notebook_with_nothing_wrong(others):
    given = notebook(others=others)
    made = restored(given)
    assert_gradable(made)
    assert [(cell.id, cell.cell_type, cell.source) for cell in made.cells] == [
        (cell["id"], cell["cell_type"], "".join(cell["source"])) for cell in given["cells"]
    ]
    assert [cell.metadata.get("tags") for cell in made.cells] == [
        cell["metadata"].get("tags") for cell in given["cells"]
    ]
    assert remarks(made) == ""


PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def with_attachments(attachments: Any, kind: str = "markdown") -> dict[str, Any]:
    given = notebook()
    cell = {"cell_type": kind, "metadata": {}, "source": "![a](attachment:a.png)", "attachments": attachments}
    return {**given, "cells": [*given["cells"], cell]}


@pytest.mark.parametrize("picture", [PNG, [PNG[:40] + "\n", PNG[40:]]], ids=["text", "lines"])
def test_pictures_that_are_attached_stay(picture):
    made = restored(with_attachments({"a.png": {"image/png": picture}, "b \ud800.png": {"image/png": picture}}))
    assert_gradable(made)
    nbformat.writes(made).encode()
    assert made.cells[-1].attachments == {name: {"image/png": PNG} for name in ("a.png", "b ?.png")}
    assert remarks(made) == ""


def test_pictures_stay_that_are_attached_to_an_answer_which_a_person_grades():
    course = copy.deepcopy(source())
    mark = {
        "grade": True,
        "solution": True,
        "locked": False,
        "points": 5,
        "grade_id": "derivation",
        "schema_version": 3,
    }
    course.cells.append(nbformat.v4.new_markdown_cell("Derive it.", metadata={"nbgrader": mark}))
    course.cells[-1].attachments = {"ours.png": {"image/png": PNG}}
    given = with_attachments({"a.png": {"image/png": PNG}})
    given["cells"][-1]["metadata"] = {"nbgrader": mark}
    made = submissions.restore(handed_in(given), course, Budget(60))
    assert made.cells[-1].metadata.nbgrader == mark
    assert made.cells[-1].attachments == {"a.png": {"image/png": PNG}}


@pytest.mark.parametrize(
    ("attachments", "says"),
    [
        ({"a.pdf": {"application/pdf": "JVBERi0xLjQ="}}, "An attachment was left out: 'a.pdf', a picture that is"),
        (
            {"a": {"image/png": "<p/>"}, "b": {}, "c": 3, "\n**d**": {"x": 3}},
            "4 attachments were left out: 'a', a text",
        ),
        ({str(number): {"image/png": None} for number in range(10_000)}, "10,000 attachments were left out"),
        ({"a" * (9 << 20): {"image/png": PNG}}, "a picture after others of 0 characters"),
        (3, ""),
        ([], ""),
        ({}, ""),
    ],
    ids=range(7),
)
def test_what_is_attached_and_cannot_be_shown_is_left_out_with_a_note(attachments, says):
    made = restored(with_attachments(attachments))
    assert_gradable(made)
    assert "attachments" not in made.cells[-1]
    assert says in remarks(made) and len(remarks(made)) < 700
    assert bool(remarks(made)) == bool(says)


def test_what_is_attached_to_all_cells_has_so_much_room(monkeypatch):
    monkeypatch.setattr(submissions, "LARGEST_ATTACHED", 3 * len(PNG))
    given = with_attachments({"a.png": {"image/png": PNG}})
    given["cells"] += [given["cells"][-1]] * 4
    made = restored(given)
    assert ["attachments" in cell for cell in made.cells[-5:]] == [True, True, False, False, False]
    assert "3 attachments were left out" in remarks(made)


def test_what_is_attached_takes_half_of_the_graders_time_at_most():
    """Small pictures, which cost the more the more of them there are."""
    budget = Budget(0.5)
    made = restored(with_attachments({str(number): {"image/png": PNG} for number in range(20_000)}), budget)
    assert_gradable(made)
    assert 0 < len(made.cells[-1].attachments) < 20_000
    assert "attachments were left out" in remarks(made)
    assert "a picture after others that took too long to show" in remarks(made)
    assert 0 < budget.left < 0.25


def test_what_is_attached_has_so_many_pixels_of_those_of_the_notebook():
    budget = Budget(60)
    budget.gallery.left = 4
    made = restored(with_attachments({name: {"image/png": PNG} for name in "abc"}), budget)
    assert budget.gallery.left == 1 and remarks(made) == ""
    made = restored(with_attachments({name: {"image/png": PNG} for name in "abc"}), budget)
    assert made.cells[-1].attachments.keys() == {"a"} and "2 attachments were left out" in remarks(made)


def test_only_text_has_attachments():
    assert_gradable(restored(with_attachments({"a.png": {"image/png": PNG}}, "code")))
    assert_gradable(restored(with_attachments({"a.png": {"image/png": PNG}}, "raw")))


def test_nothing_handed_in_is_an_empty_notebook():
    made = submissions.restore(Submission(remarks=["There is nothing."]), source(), Budget(60))
    assert_gradable(made)
    assert remarks(made) == "**Notes from grading**\n\n- There is nothing."
    assert set(answers(made).values()) <= {cell.source for cell in counted()} | {"# This cell is missing."}


def test_a_cell_of_the_learners_own_stays_where_it_was():
    given = with_cell(notebook(others="solution"), "first = 1", "setup")
    given = with_cell(with_cell(given, "second = 2", "module"), "last = 3")
    made = restored(given)
    sources = [cell.source for cell in made.cells]
    assert sources[sources.index("first = 1") + 1] == answers(made)["setup"]
    assert sources[sources.index("second = 2") + 1] == solution_text("module")
    assert sources[-1] == "last = 3"


def solution_text(name: str) -> str:
    made = notebook(others="solution")
    return "".join(made["cells"][place(made, name)]["source"])


def strip(made: dict[str, Any], metadata: bool = True, ids: bool = True) -> dict[str, Any]:
    for cell in made["cells"]:
        if metadata:
            cell["metadata"] = {}
        if ids:
            cell.pop("id", None)
    return made


@pytest.mark.parametrize(("metadata", "ids"), [(True, False), (False, True), (True, True)])
def test_cells_without_marks_are_found_by_id_or_text(metadata, ids):
    made = restored(strip(notebook(others="solution"), metadata, ids))
    assert_gradable(made)
    assert {name: text for name, text in answers(made).items() if name in solutions()} == {
        name: solution_text(name) for name in solutions()
    }
    assert remarks(made) == ""


def test_of_several_cells_the_one_with_most_of_an_answer_is_the_answer():
    given = with_cell(strip(notebook(others="solution")), "def sub_deriv(base, *tensors):\n    ...")
    made = restored(given)
    assert answers(made)["tensor"] == solution_text("tensor")
    assert made.cells[-1].source.startswith("def sub_deriv")
    assert remarks(made) == ""


def test_without_marks_the_cells_of_a_class_that_grows_are_told_apart_by_their_methods():
    course = copy.deepcopy(source())
    place = next(number for number, cell in enumerate(course.cells) if grade_id(cell) == "tensor")
    grown = {
        "data": "class Stack:\n    def __init__(self): ...\n    def push(self, x): ...",
        "taking": "class Stack(Stack):\n    def pop(self): ...",
        "looking": "class Stack(Stack):\n    def peek(self): ...\n    def size(self): ...",
    }
    for name, text in reversed(grown.items()):
        cell = nbformat.v4.new_code_cell(text, metadata={"nbgrader": {**course.cells[place].metadata.nbgrader}})
        cell.metadata.nbgrader.grade_id = name
        course.cells.insert(place, cell)
    written = {name: text.replace("...", "pass") for name, text in grown.items()}
    given = strip(notebook(others="solution"))
    given["cells"][place:place] = [code_cell(text) for text in written.values()]
    made = submissions.restore(handed_in(strip(given)), course, Budget(60))
    assert {name: answers(made)[name] for name in written} == written
    assert remarks(made) == ""


STEPS = {  # of a class that grows, where each goes on with the one before
    "data": "class Stack:\n    def __init__(self): {}\n    def push(self, x): {}",
    "rule": "def double(x):\n    {}",
    "taking": "class Node:\n    pass\n\nclass Stack(Stack):\n    def pop(self): {}\n    def drop(self): {}",
    "looking": "class Stack(Stack):\n    def peek(self): {}",
}
WHOLE = "class Node:\n    pass\n\nclass Stack:\n" + "".join(
    f"    def {name}(self): pass\n" for name in ("__init__", "push", "pop", "drop", "peek")
)


def of_steps(**written: str | None) -> tuple[dict[str, str], list[str]]:
    """Without marks: which cells are found for the steps, and the learner's cells as they will run.

    What is not written is as it was handed out, and None is not there.
    """
    course, given = copy.deepcopy(source()), strip(notebook(others="solution"))
    at = next(number for number, cell in enumerate(course.cells) if grade_id(cell) == "tensor")
    mark = course.cells[at].metadata.nbgrader
    for name, text in reversed(STEPS.items()):
        region = "\n        ### BEGIN SOLUTION\n        pass\n        ### END SOLUTION"
        cell = nbformat.v4.new_code_cell(text.replace("{}", region))
        cell.metadata.nbgrader = {**mark, "grade_id": name}
        course.cells[at:at] = [nbformat.v4.new_markdown_cell(f"## On {name}"), cell]
        own = written.get(name, text.replace("{}", "\n        ..."))
        given["cells"][at:at] = [{**code_cell(f"## On {name}"), "cell_type": "markdown"}]
        given["cells"][at + 1 : at + 1] = [] if own is None else [code_cell(own)]
    before = [cell["source"] for cell in given["cells"] if cell["cell_type"] == "code"]
    made = submissions.restore(handed_in(strip(given)), course, Budget(60))
    after = [cell.source for cell in made.cells if cell.cell_type == "code" and cell.source in before]
    assert after == before
    assert "order" not in remarks(made)
    return {name: answers(made)[name] for name in STEPS}, before


def solved_step(name: str) -> str:
    return "# mine\n" + STEPS[name].replace("{}", "pass")


def test_without_marks_a_class_that_is_split_as_recommended_is_found_step_by_step():
    written = {name: solved_step(name) for name in STEPS}
    assert of_steps(**written)[0] == written


def test_without_marks_a_whole_class_in_the_last_cell_stays_below_the_steps_that_nobody_began():
    found, _ = of_steps(looking=WHOLE)
    assert found == {name: text.replace("{}", "\n        ...") for name, text in STEPS.items()} | {"looking": WHOLE}


def test_without_marks_a_whole_class_in_the_last_cell_stays_below_the_steps_that_are_solved():
    written = {name: solved_step(name) for name in STEPS} | {"looking": WHOLE}
    assert of_steps(**written)[0] == written


def test_without_marks_a_step_that_holds_the_first_one_stays_below_the_first_one_as_it_was_handed_out():
    solved = {name: solved_step(name) for name in ("rule", "looking")}
    found, _ = of_steps(taking=WHOLE, **solved)
    assert found == solved | {"taking": WHOLE, "data": STEPS["data"].replace("{}", "\n        ...")}


@pytest.mark.parametrize(
    "written",
    [
        {"data": WHOLE, "taking": None, "looking": None, "rule": solved_step("rule")},
        {**{name: solved_step(name) for name in STEPS}, "looking": None},
        {**{name: solved_step(name) for name in STEPS}, "rule": None, "data": None, "taking": WHOLE},
        {"data": WHOLE},
    ],
    ids=["all in the first step", "without the last", "without the first two", "all first, the rest untouched"],
)
def test_without_marks_steps_stay_in_the_learners_order_whichever_are_there(written):
    of_steps(**written)


def test_without_marks_an_answer_as_it_was_handed_out_is_found_though_it_defines_nothing():
    course = copy.deepcopy(source())
    answer = next(cell for cell in course.cells if grade_id(cell) == "matmul")
    answer.source = "# Write matmul here.\n### BEGIN SOLUTION\ndef matmul(a, b): return a @ b\n### END SOLUTION"
    given = strip(notebook(others="solution", matmul="# Write matmul here.\n..."))
    made = submissions.restore(handed_in(given), course, Budget(60))
    assert answers(made)["matmul"] == "# Write matmul here.\n..."
    assert remarks(made) == ""


def test_answers_that_are_missing_are_said_to_be():
    made = restored({"cells": [code_cell("class MyTensor: ...")]})
    assert_gradable(made)
    assert answers(made)["tensor"] == "class MyTensor: ..."
    for name in [*solutions()][1:]:
        assert answers(made)[name] == "# This cell is missing."
        assert f"The answer cell '{name}' is missing" in remarks(made)


@pytest.mark.parametrize(
    ("text", "above", "below"),
    [
        ("t = MyTensor([1])\n\n{}", "t = MyTensor([1])\n", None),
        ("{}\n\nt = MyTensor([1])", None, "\nt = MyTensor([1])"),
        ("x = 1\ntests.test_tensor(MyTensor, seed=3)\ny = 2", "x = 1", "y = 2"),
        ("class MyTensor: ...", "class MyTensor: ...", None),
        ("if True:\n    {}", "if True:\n    tests.test_tensor(MyTensor)", None),
        ("%%time\nx = 1\n{}", "%%time\nx = 1", None),
    ],
)
def test_work_in_a_test_cell_runs_where_it_stands_and_is_noted(text, above, below):
    given = notebook(others="solution")
    call = "tests.test_tensor(MyTensor)"
    given["cells"][place(given, "test_tensor")]["source"] = text.replace("{}", call)
    made = restored(given)
    assert_gradable(made)
    sources = [cell.source for cell in made.cells if cell.cell_type == "code"]
    plain = [cell.source for cell in restored(notebook(others="solution")).cells if cell.cell_type == "code"]
    at = plain.index(call)
    wanted = [source for source in (above, call, below) if source is not None]
    assert sources == plain[:at] + wanted + plain[at + 1 :]
    assert "Something was written into the test cell 'test_tensor'" in remarks(made)


@pytest.mark.parametrize("text", ["{}", "\n{}\n", "%%time\n{}", "tests.test_tensor(MyTensor, seed=3)", "# why?\n{}"])
def test_a_test_cell_without_work_in_it_is_not_noted(text):
    given = notebook()
    test = given["cells"][place(given, "test_tensor")]
    test["source"] = text.replace("{}", "".join(test["source"]))
    assert remarks(restored(given)) == ""


def test_work_in_another_locked_cell_runs_after_it():
    given = notebook()
    setup = given["cells"][place(given, "setup")]
    setup["source"] = "import math\n" + "".join(setup["source"])
    sources = [cell.source for cell in restored(given).cells]
    assert sources[sources.index(answers(restored(given))["setup"]) + 1] == setup["source"]
    assert remarks(restored(given)) == ""


def copy_of(given: dict[str, Any], name: str, source: str | None = None, how: str = "mark") -> dict[str, Any]:
    """A copy of a cell: JupyterLab copies the mark, VS Code the id."""
    made = copy.deepcopy(given["cells"][place(given, name)])
    made |= {} if source is None else {"source": source}
    made |= {"id": "copy"} if how == "mark" else {"metadata": {}}
    return made


COPIES = "there 2 times: the last one above its test was graded."


@pytest.mark.parametrize("how", ["mark", "id"])
def test_the_newest_copy_of_an_answer_counts_and_the_others_run_before_it(how):
    given = notebook(others="solution")
    given["cells"].insert(place(given, "module"), copy_of(given, "module", "old = 1", how))
    made = restored(given)
    assert_gradable(made)
    assert answers(made)["module"] == solution_text("module")
    sources = [cell.source for cell in made.cells]
    assert sources.index("old = 1") + 1 == sources.index(solution_text("module"))
    assert COPIES in remarks(made)


@pytest.mark.parametrize("how", ["mark", "id"])
@pytest.mark.parametrize("old", ["old = 1", None], ids=["another version", "a stub"])
def test_a_copy_of_an_answer_below_its_test_does_not_count_and_runs_where_it_stands(how, old):
    given = notebook(others="solution")
    stub = copy_of(notebook(), "module", old, how)
    given["cells"].append(stub)
    made = restored(given)
    assert_gradable(made)
    assert answers(made)["module"] == solution_text("module")
    assert made.cells[-1].source == "".join(stub["source"])
    assert COPIES in remarks(made) and "order" not in remarks(made)


def test_a_copy_between_two_tests_of_an_answer_is_judged_by_the_second():
    given = notebook(others="solution")
    given["cells"].insert(place(given, "test_relu"), copy_of(given, "layers", "class ReLU: ..."))
    made = restored(given)
    assert answers(made)["layers"] == solution_text("layers")
    sources = [cell.source for cell in made.cells]
    assert sources.index("class ReLU: ...") + 1 == sources.index("tests.test_relu(ReLU, MyTensor)")


def test_of_a_section_that_was_copied_with_its_test_the_newest_version_counts_but_no_stub():
    for source, counts in (("new = 1", "new = 1"), (None, solution_text("module"))):
        given = notebook(others="solution")
        given["cells"] += [copy_of(notebook(), "module", source), copy_of(notebook(), "test_module")]
        made = restored(given)
        assert_gradable(made)
        assert answers(made)["module"] == counts


def test_an_answer_below_its_test_counts_where_above_it_nobody_began():
    given = notebook()
    given["cells"].insert(place(given, "test_module") + 1, copy_of(given, "module", solution_text("module")))
    made = restored(given)
    assert answers(made)["module"] == solution_text("module")
    assert "there 2 times: the last one that was begun was graded." in remarks(made)


def test_without_the_test_a_copy_counts_that_stands_above_where_the_test_is_put_back():
    given = notebook(others="solution")
    given["cells"].append(copy_of(given, "module", "old = 1"))
    del given["cells"][place(given, "test_module")]
    assert answers(restored(given))["module"] == solution_text("module")


def test_without_marks_a_trial_below_the_test_is_no_answer():
    given = strip(notebook(others="solution"))
    trial = solution_text("model").replace("Linear(4, 3)", "Linear(4, 5)")
    given["cells"].append(code_cell(trial))
    made = restored(given)
    assert_gradable(made)
    assert answers(made)["model"] == solution_text("model")
    assert made.cells[-1].source == trial
    assert remarks(made) == ""


def test_too_many_cells_are_left_out_but_never_those_of_the_course():
    given = notebook(others="solution")
    given["cells"][3:3] = [code_cell(f"x = {number}") for number in range(1500)]
    made = restored(given)
    assert_gradable(made)
    assert len(made.cells) == len(source().cells) + 1000 + 1
    assert "500 of 1,500 cells of your own were left out" in remarks(made)
    given["cells"][3:3] = [code_cell("x" * 900_000)] * 7
    made = restored(given)
    assert_gradable(made)
    assert sum(len(cell.source) for cell in made.cells) < 6_000_000
    assert made.cells[4].source == made.cells[5].source == "x" * 900_000  # after the notes and three cells


@pytest.mark.parametrize(
    "text",
    [
        "(" * 900_000,
        "not " * 200_000,
        "class " * 150_000,
        "class" + " \t" * 400_000,
        "\n" * 900_000,
        "def f\n" * 100_000,
        "a" + ".a" * 400_000,
        "'" * 900_000,
        "```" * 300_000,
    ],
    ids=range(9),
)
def test_no_text_takes_long_or_breaks_anything(text):
    given = strip(notebook())
    given["cells"] = [{**code_cell(text), "cell_type": kind} for kind in ("code", "raw", "markdown")] + given["cells"]
    with learner_code(30.0):
        assert_gradable(restored(given))


def test_notes_are_replaced_not_repeated():
    made = restored(notebook())
    submissions.note(made, ["one"])
    submissions.note(made, ["one", "two"])
    assert remarks(made) == "**Notes from grading**\n\n- one\n- two"
    submissions.note(made, [])
    assert remarks(made) == ""


# ---------------------------------------------------------------- whatever happened to the cells

SCRAPS = [
    "",
    "x = 1",
    "class MyTensor:\n    pass",
    "def matmul(a, b): ...",
    "tests.test_relu(ReLU, MyTensor)",
    "1 +",
    "\x00\ud800",
]
JUNK = [None, 3, {}, [], "text", float("nan"), {"grade_id": []}, {"grade_id": "tensor"}, {"grade_id": "nothing"}]


def mangled(dice: random.Random) -> list[Any]:
    """The cells of a solution after some accidents."""
    cells: list[Any] = copy.deepcopy(notebook(others=dice.choice(["solution", "untouched"]))["cells"])
    for _ in range(dice.randrange(1, 12)):
        at = dice.randrange(len(cells))
        cell = cells[at]
        accident = dice.randrange(14)
        if accident == 0:
            dice.shuffle(cells)
        elif accident == 1:
            cells.insert(dice.randrange(len(cells)), copy.deepcopy(cell))
        elif accident == 2:
            del cells[at : at + dice.randrange(1, 20)]
            cells = cells or [code_cell("alone = 1")]
        elif accident == 3:
            cells.insert(
                at, {**code_cell(dice.choice(SCRAPS)), "cell_type": dice.choice(["code", "markdown", "raw", "heading"])}
            )
        elif accident == 4:
            cells.insert(at, dice.choice(JUNK))
        elif not isinstance(cell, dict):
            continue
        elif accident == 5:
            cell["cell_type"] = dice.choice(["code", "markdown", "raw", "heading", None, 3])
        elif accident == 6:
            cell["metadata"] = dice.choice([{}, None, {"nbgrader": dice.choice(JUNK)}])
        elif accident == 7:
            cell["id"] = dice.choice(["tensor", "test_tensor", "nowhere", 3, None, "own", submissions.NOTES])
        elif accident == 8:
            cell["source"] = dice.choice(SCRAPS)
        elif accident == 9:
            other = dice.choice(cells)
            if isinstance(other, dict) and isinstance(other.get("metadata"), dict):
                cell["metadata"] = other["metadata"]
        elif accident == 10:
            text = "".join(cell.get("source", ""))
            cut = dice.randrange(len(text) + 1)
            cells[at : at + 1] = [{**cell, "source": text[:cut]}, {**cell, "source": text[cut:], "id": "half"}]
        elif accident == 11:
            merged = [each for each in cells[at : at + 3] if isinstance(each, dict)]
            cells[at : at + 3] = [{**cell, "source": "\n".join("".join(each.get("source", "")) for each in merged)}]
        elif accident == 12:
            strip({"cells": [each for each in cells if isinstance(each, dict)]}, ids=dice.random() < 0.5)
        else:
            cells.reverse()
    return cells


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happened_to_the_cells_each_that_counts_is_there_once(seed):
    dice = random.Random(seed)
    for _ in range(10):
        cells = mangled(dice)
        submission = handed_in({"cells": cells})
        made = submissions.restore(submission, source(), Budget(60))
        assert_gradable(made)
        assert len({cell.id for cell in made.cells}) == len(made.cells)
        assert len(submission.remarks) < 40
        # No work gets lost: each line of code is there, but for lines of the course's locked cells.
        there = {line for cell in made.cells if cell.cell_type == "code" for line in cell.source.split("\n")}
        for cell in submission.cells:
            mine = {line for line in cell["source"].split("\n") if line.strip()} - locked()
            if cell["cell_type"] == "code":
                assert all(line in there or line.startswith("tests.test_") for line in mine)


def test_submissions_leave_the_course_as_it_is():
    before = copy.deepcopy(source())
    for seed in range(5):
        restored({"cells": mangled(random.Random(seed))})
    assert before == source()


def test_the_course_is_what_the_release_is_made_of():
    release = notebook()
    assert [cell["id"] for cell in release["cells"]] == [cell.id for cell in source().cells]
    assert solution("tensor") == make_class.MARKER.sub("", source().cells[place(release, "tensor")].source)
