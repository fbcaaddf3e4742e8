"""The learner's desk and the instructor's, in a real JupyterLab and a real browser.

Pictures of every step are kept where SCREENSHOTS names a folder: to be looked at, in both themes and widths.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import proof
import pytest
from course import Graded, environment, place
from kit import ROOT
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from workshop import mistakes as known

RELEASE = ROOT / "release" / "workshop" / "workshop.ipynb"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync", "--disable-quic"]
SECONDS = 180  # for a cell, or a page
THEMES = ["JupyterLab Light", "JupyterLab Dark"]
WIDTHS = [1280, 800]
CELLS = json.loads(RELEASE.read_text(encoding="utf-8"))

# Each answer with the tests after it, and the corpus's mistakes in the first and in the second try.
STEPS = {
    "tensor": (["test_tensor"], ["sub-right-not-negated", "mul-own-factors"], ["mul-own-factors"]),
    "module": (["test_module"], ["parameters-gives-tensors"], ["parameters-children-not-grandchildren"]),
    "matmul": (["test_matmul"], ["matmul-star"], ["matmul-rule-right-turned"]),
    "layers": (
        ["test_linear", "test_relu"],
        ["linear-weight-times-x", "relu-takes-abs"],
        ["linear-forward-without-bias", "relu-rule-at-least-zero"],
    ),
    "optimizer": (["test_sgd"], ["step-adds"], ["step-without-guard"]),
    "loss": (["test_mseloss"], ["mse-sum-of-squares"], ["mse-divided-by-rows"]),
    "model": (
        ["test_train", "test_model"],
        ["train-without-step", "model-gives-hidden-units"],
        ["train-mean-of-batches", "model-relu-forgotten"],
    ),
}

# The cells of an answer that has several.
ANSWER_CELLS = {"tensor": ["data", "unbroadcast", "rules", "operators", "tensor"], "model": ["train", "model"]}


def solution(name: str) -> str:
    """The reference's text of an answer cell."""
    cells = json.loads((ROOT / "solutions" / "workshop" / "workshop.ipynb").read_text(encoding="utf-8"))
    return "".join(cells["cells"][place(cells, name)]["source"])


def with_mistakes(answer: str, mistakes: list[str]) -> dict[str, str]:
    """The right answer with mistakes of the corpus in it, cell by cell."""
    cells = {name: solution(name) for name in ANSWER_CELLS.get(answer, [answer])}
    for mistake in mistakes:
        for old, new in proof.BY_NAME[mistake].changes:
            name = next(name for name, source in cells.items() if old in source)
            cells[name] = cells[name].replace(old, new)
    return cells


class Lab:
    """A JupyterLab server with settings of its own, in a folder."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        places = {
            name: str(scratch / name.lower())
            for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "HOME")
        }
        settings = scratch / "settings"
        tracker = settings / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
        tracker.parent.mkdir(parents=True)
        tracker.parent.with_name("apputils-extension").mkdir()
        news = tracker.parent.with_name("apputils-extension") / "notification.jupyterlab-settings"
        news.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
        # All cells are in the page, as they would be after scrolling through it.
        tracker.write_text(json.dumps({"windowingMode": "none"}))
        for path in places.values():
            Path(path).mkdir(parents=True, exist_ok=True)
        self.log = scratch / "jupyter.log"
        command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0"]
        command += [f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url="]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, f"--LabApp.user_settings_dir={settings}"],
                cwd=folder,
                env=environment(**places, MPLBACKEND="module://matplotlib_inline.backend_inline"),
                stdout=log,
                stderr=log,
            )
        self.url, self.token = "", ""
        ends = time.monotonic() + SECONDS
        while not self.url and time.monotonic() < ends and self.process.poll() is None:
            for file in Path(places["JUPYTER_RUNTIME_DIR"]).glob("jpserver-*.json"):
                with contextlib.suppress(ValueError, KeyError):
                    about = json.loads(file.read_text())
                    self.url, self.token = about["url"], about["token"]
            time.sleep(0.1)
        assert self.url, self.log.read_text()

    def address(self, path: str) -> str:
        return f"{self.url}{path}?token={self.token}"

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


class Desk:
    """A notebook in a browser, as a person uses it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.cells = page.locator(".jp-Notebook .jp-Cell")

    def cell(self, name: str) -> Locator:
        return self.cells.nth(place(CELLS, name))

    def write(self, cell: Locator, source: str) -> None:
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(source)

    def run(self, cell: Locator) -> None:
        """Click into a cell, press Shift+Enter, and wait for its end."""
        prompt = cell.locator(".jp-InputPrompt").first
        before = prompt.inner_text()
        cell.locator(".jp-InputArea").first.click()
        self.page.keyboard.press("Shift+Enter")
        self.ended(prompt, before)

    def answer(self, cells: dict[str, str]) -> None:
        """Write cells, one after the other, and run each."""
        for name, source in cells.items():
            self.write(self.cell(name), source)
            self.run(self.cell(name))

    def ended(self, prompt: Locator, before: str) -> None:
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            now = prompt.inner_text()
            if now != before and re.fullmatch(r"\[\d+\]:", now.strip()):
                return
            time.sleep(0.05)
        pytest.fail(f"the cell did not end: {prompt.inner_text()}")

    def report(self, name: str) -> Locator:
        return self.cell(name).locator(".minitorch-report")

    def points(self, name: str) -> float:
        head = self.report(name).locator("strong").first.inner_text()
        return float(re.search(r"([\d.]+) of", head)[1])

    def look(self, name: str) -> None:
        """Keep a picture, where somebody wants to look at it."""
        look(self.page, name)


def look(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png")


def new_page(browser: Browser) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(SECONDS * 1000)
    return page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "no browser is there: apt-get install chromium"
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release, as a learner gets it."""
    folder = tmp_path_factory.mktemp("desk") / "workshop"
    shutil.copytree(RELEASE.parent, folder)
    return folder


@pytest.fixture(scope="module")
def desk(browser: Browser, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    lab = Lab(folder, tmp_path_factory.mktemp("lab"))
    page = new_page(browser)
    page.goto(lab.address("lab/tree/workshop.ipynb"))
    made = Desk(page)
    expect(made.cells).to_have_count(len(CELLS["cells"]))
    page.wait_for_function("window.jupyterapp.shell.currentWidget.sessionContext?.session?.kernel?.status == 'idle'")
    yield made
    page.close()
    lab.close()


def test_the_notebook_opens_and_the_setup_runs(desk):
    expect(desk.page.locator("h1", has_text="Minitorch workshop")).to_be_visible()
    desk.run(desk.cell("setup"))
    assert not desk.cell("setup").locator(".jp-OutputArea-output").count()
    desk.look("opened")


@pytest.mark.parametrize("answer", STEPS)
def test_each_try_is_told_from_the_one_before(desk, answer):
    graded, *tries = STEPS[answer]
    points = []
    for mistakes in [None, *tries, []]:
        if mistakes is not None:
            desk.answer(with_mistakes(answer, mistakes))
        else:
            for name in ANSWER_CELLS.get(answer, [answer]):
                desk.run(desk.cell(name))
        points.append([])
        for number, name in enumerate(graded):
            desk.run(desk.cell(name))
            report = desk.report(name)
            points[-1].append(desk.points(name))
            if mistakes:
                wrong = proof.BY_NAME[mistakes[number]]
                alone = proof.report(proof.SECTIONS[wrong.section], proof.solution(wrong.name))
                named = [known.KNOWN[id].title for id in wrong.accepted] + [alone.open.says]
                opened = report.locator("li > details[open] > summary").first
                assert any(says in opened.inner_text() for says in named), opened.inner_text()
                assert report.locator("li > details[open] > .told > details > summary").first.inner_text() == "Hint 1"
        desk.cell(graded[0]).scroll_into_view_if_needed()
        desk.look(f"{answer}-{len(points)}")
    full = [next(c for c in CELLS["cells"] if _id(c) == name)["metadata"]["nbgrader"]["points"] for name in graded]
    assert sum(points[0]) <= 1.5 and points[-1] == full  # a module has been given that much
    assert all(one < right for tried in points[1:-1] for one, right in zip(tried, full, strict=True)), points
    assert sum(points[1]) < sum(points[2])


def _id(cell: dict[str, Any]) -> str | None:
    return cell["metadata"].get("nbgrader", {}).get("grade_id")


def with_a_graph(desk: Desk, tensor: dict[str, str]) -> Locator:
    """Have the tensor's report offer a graph, and draw that in a new cell after it."""
    desk.answer(tensor)
    desk.run(desk.cell("test_tensor"))
    told = desk.report("test_tensor").locator("li > details[open] > .told")
    snippet, call = (told.locator(where).first.inner_text() for where in (".seen > pre", ":scope > pre"))
    assert call.startswith("tests.draw_graph(y, beside=")
    new = desk.cells.nth(place(CELLS, "test_tensor") + 1)  # where the next cell begins, until it is deleted
    desk.cell("test_tensor").locator(".jp-InputPrompt").click()
    desk.page.keyboard.press("b")
    desk.write(new, f"{snippet}\n{call}")
    desk.run(new)
    return new


def without_the_graph(desk: Desk) -> None:
    desk.cells.nth(place(CELLS, "test_tensor") + 1).locator(".jp-InputPrompt").click()
    desk.page.keyboard.press("d")
    desk.page.keyboard.press("d")
    expect(desk.cells).to_have_count(len(CELLS["cells"]))
    desk.answer(with_mistakes("tensor", []))
    desk.run(desk.cell("test_tensor"))


def test_the_graph_that_a_report_offers_shows_where_it_goes_wrong(desk):
    new = with_a_graph(desk, with_mistakes("tensor", ["mul-own-factors"]))
    graph = new.locator(".minitorch-graph")
    expect(graph).to_contain_text("✗ Walking back from y")
    assert graph.locator("rect.differs").count() == 2
    new.scroll_into_view_if_needed()
    desk.look("graph-differs")
    without_the_graph(desk)


def test_a_hint_unfolds_with_the_keyboard(desk):
    desk.answer(with_mistakes("loss", ["mse-sum-of-squares"]))
    desk.run(desk.cell("test_mseloss"))
    hint = desk.report("test_mseloss").locator("details[open] details").first
    assert hint.get_attribute("open") is None
    hint.locator("summary").first.focus()
    desk.page.keyboard.press("Enter")
    assert hint.get_attribute("open") is not None
    desk.write(desk.cell("loss"), solution("loss"))


def test_restart_and_run_all(desk):
    page = desk.page
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("Restart Kernel and Run All Cells")).click()
    prompts = [desk.cells.nth(number) for number, cell in enumerate(CELLS["cells"]) if cell["cell_type"] == "code"]
    page.locator(".jp-Dialog").get_by_role("button", name="Confirm Kernel Restart").click()
    page.wait_for_function("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status == 'idle'")
    last = prompts[-1].locator(".jp-InputPrompt")
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends and last.inner_text().strip() != f"[{len(prompts)}]:":
        time.sleep(0.2)
    assert last.inner_text().strip() == f"[{len(prompts)}]:"
    for name in [name for graded, *_ in STEPS.values() for name in graded]:
        assert "Excellent!" in desk.report(name).locator("strong").first.inner_text(), name
    errors = page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']")
    assert errors.all_inner_texts() == []
    desk.look("run-all")


def test_progress_is_still_known_after_the_restart(desk, folder):
    where = next(n for n, cell in enumerate(CELLS["cells"]) if "tests.progress()" in "".join(cell["source"]))
    shown = desk.cells.nth(where).locator(".jp-OutputArea-output")
    expect(shown).to_contain_text("Workshop: ")
    expect(shown).to_contain_text("by another kernel")
    desk.run(desk.cells.nth(where))
    expect(shown).to_contain_text("Workshop: 100 of 100 points")
    expect(shown).not_to_contain_text("by another kernel")
    expect(shown).to_contain_text("All points are yours")
    assert set(json.loads((folder / "progress.json").read_text())["Workshop"]) >= {"tensor", "model"}
    desk.cells.nth(where).scroll_into_view_if_needed()
    desk.look("progress")


def test_graph_curves_regions_and_weights_are_drawn(desk):
    graph = desk.page.locator(".minitorch-graph").first
    assert graph.locator("svg[role=img][aria-label]").count() == 2
    assert "All gradients are PyTorch's" in graph.inner_text()
    pictures = desk.page.locator("img[alt*='loss and the accuracy'], img[alt*='region'], img[alt*='weights of']")
    assert pictures.count() >= 4  # two of regions
    for number in range(pictures.count()):
        assert pictures.nth(number).evaluate("picture => picture.naturalWidth") > 300
        pictures.nth(number).scroll_into_view_if_needed()
        desk.look(f"picture-{number + 1}")


# Contrast as in WCAG 2.2: of a text's color, on what lies behind it.
CONTRAST = """
element => {
  // As rgb(255, 0, 0), or where colors are mixed as color(srgb 1 0 0).
  const numbers = color => color.match(/[\\d.]+/g).map((n, i) => n * (color.startsWith('color') && i < 3 ? 255 : 1));
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const layers = [];  // what lies behind it, some of it translucent, down to what is not
  for (let below = element; below; below = below.parentElement) {
    const [r, g, b, alpha = 1] = numbers(getComputedStyle(below).backgroundColor);
    if (alpha > 0) layers.push([r, g, b, alpha]);
    if (alpha >= 1) break;
  }
  const mixed = (back, [r, g, b, alpha]) => [r, g, b].map((v, i) => v * alpha + back[i] * (1 - alpha));
  const behind = layers.reverse().reduce(mixed, [255, 255, 255]);
  const style = getComputedStyle(element);
  const front = element instanceof SVGElement ? style.fill : style.color;
  const [a, b] = [light(numbers(front)), light(behind)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""


def test_everything_is_legible_in_both_themes_and_widths(desk):
    """Reports of right and of wrong answers, hints and pasted code, graphs with and without a mark, tables."""
    page = desk.page
    with_a_graph(desk, with_mistakes("tensor", ["mul-own-factors"]))
    report, marked = desk.report("test_tensor"), page.locator(".minitorch-graph:has(rect.differs)")
    for theme in THEMES:
        page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
        page.wait_for_function("dark => (document.body.dataset.jpThemeLight == 'false') == dark", arg="Dark" in theme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(500)
            for where in (".minitorch-report", ".minitorch-graph"):
                shown = page.locator(f"{where} :is(td, th, pre, p, summary, strong, text, li > div)")
                seen = shown.evaluate_all(f"found => found.filter(e => e.checkVisibility()).map({CONTRAST})")
                assert len(seen) > 20 and min(seen) >= 4.5, (theme, where, seen)
                for wide, room in page.locator(where).evaluate_all("f => f.map(e => [e.scrollWidth, e.clientWidth])"):
                    assert wide <= room + 1, (where, wide, room)
            pictures = page.locator("img[alt*='loss']").first
            for name, what in {"report": report, "graph": marked, "picture": pictures}.items():
                what.scroll_into_view_if_needed()
                desk.look(f"{name}-{theme.split()[1].lower()}-{width}")
    page.set_viewport_size({"width": 1280, "height": 900})
    without_the_graph(desk)


def test_the_validate_button_finds_nothing_wrong(desk):
    desk.page.get_by_role("button", name="Validate").click()  # which saves, too
    dialog = desk.page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("Success! Your notebook passes all the tests.")
    desk.look("validated")
    dialog.get_by_role("button").last.click()
    desk.page.keyboard.press("Control+S")
    desk.page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")


# ---------------------------------------------------------------- handed in


def nbgrader(folder: Path, command: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A command of nbgrader's for the workshop, in an instructor's folder."""
    call = [sys.executable, "-m", "nbgrader", command, "workshop", f"--db=sqlite:///{folder}/gradebook.db", *options]
    for name in ("submitted", "autograded", "feedback", "release"):
        call.append(f"--CourseDirectory.{name}_directory={folder / name}")
    return subprocess.run(call, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=900)


def saved_in(folder: Path) -> str:
    """The notebook that JupyterLab has saved; for a moment, while it saves it by itself, the file is empty."""
    ends = time.monotonic() + SECONDS
    while not (text := (folder / "workshop.ipynb").read_text(encoding="utf-8")).endswith("}\n"):
        assert time.monotonic() < ends, text[-200:]
        time.sleep(0.1)
    return text


@pytest.fixture(scope="module")
def graded(desk, folder, tmp_path_factory) -> Graded:
    """The course of an instructor, with what was saved at the desk handed in by one learner, and less by another."""
    made = tmp_path_factory.mktemp("course")
    saved = saved_in(folder)
    half = json.loads(saved)
    half["cells"][place(half, "loss")]["source"] = with_mistakes("loss", ["mse-sum-of-squares"])["loss"]
    half["cells"].append(dict(half["cells"][place(half, "setup")], id="again"))
    for learner, content in (("ada", saved), ("ben", json.dumps(half))):
        submitted = made / "submitted" / learner / "workshop"
        submitted.mkdir(parents=True)
        (submitted / "workshop.ipynb").write_text(content, encoding="utf-8")
    subprocess.run([sys.executable, "source/build.py", "--support", "workshop"], cwd=ROOT, check=True)
    release = nbgrader(made, "generate_assignment", "--ProvedAssignment.proved=True")
    assert release.returncode == 0, release.stderr
    done = nbgrader(made, "autograde")
    assert "2 submissions graded, 1 need a look: ben" in done.stderr, done.stderr
    feedback = nbgrader(made, "generate_feedback")
    assert feedback.returncode == 0, feedback.stderr
    return Graded(done.returncode, done.stderr, made)


def test_what_was_saved_earns_all_points_and_has_a_feedback_page(graded, browser):
    assert sum(graded.points("ada").values()) == 100
    page = new_page(browser)
    page.goto((graded.folder / "feedback" / "ben" / "workshop" / "workshop.html").as_uri())
    expect(page.locator("body")).to_contain_text("Score: ")
    expect(page.get_by_text("Notes from grading")).to_be_visible()
    look(page, "feedback-notes")
    report = page.locator("details[open] summary").filter(has_text="mean").first
    report.scroll_into_view_if_needed()
    look(page, "feedback-report")
    page.close()


def test_formgrader_shows_the_class_and_a_report(graded, browser, tmp_path_factory):
    shutil.copytree(ROOT / "source" / "workshop", graded.folder / "source" / "workshop")
    config = f"""\
c = get_config()
load_subconfig("nbgrader_config.py", path={str(ROOT)!r})
c.CourseDirectory.root = {str(graded.folder)!r}
"""
    (graded.folder / "nbgrader_config.py").write_text(config, encoding="utf-8")
    lab = Lab(graded.folder, tmp_path_factory.mktemp("formgrader"))
    page = new_page(browser)
    try:
        page.goto(lab.address("formgrader"))
        row = page.get_by_role("row").filter(has=page.get_by_role("link", name="workshop", exact=True))
        expect(row).to_contain_text("2")  # submissions
        look(page, "formgrader")
        page.get_by_role("link", name="Manual Grading").click()
        page.get_by_role("link", name="workshop", exact=True).click()  # the assignment, then its notebook
        page.wait_for_url("**/gradebook/workshop")
        page.get_by_role("link", name="workshop", exact=True).last.click()
        page.wait_for_url("**/gradebook/workshop/workshop")
        expect(page.locator("tbody")).to_contain_text("100")
        look(page, "formgrader-class")
        page.get_by_role("link", name=re.compile("Submission #")).first.click()
        expect(page.locator("body")).to_contain_text("of 40 points")
        page.get_by_text("My automatic differentiation: 40 of 40 points").scroll_into_view_if_needed()
        look(page, "formgrader-submission")
    finally:
        page.close()
        lab.close()
