"""What learners show reaches the graded notebook, the person who grades, and the feedback page."""

from __future__ import annotations

import base64
import io
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jailed
import nbformat
import pytest
import ready
from course import Course, Graded, course, environment, submission, with_cell
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image
from test_desk import browser, look, new_page  # noqa: F401 - a fixture

from grading import execute
from grading.budget import Budget

PLOT = "plt.plot([1, {number}])"
IMPORTS = "from matplotlib import pyplot as plt"
LEARNERS = {
    f"{kind}-{number}": f"{IMPORTS}\n{code}\n{end}"
    for number in range(5)
    for kind, code, end in (
        ("shown", PLOT.format(number=number), "plt.show()"),
        ("unshown", PLOT.format(number=number), "np.zeros(3)"),
        ("figure", "figure, axes = plt.subplots()\naxes.plot([1, 2])", "None"),
        ("inline", f"%matplotlib inline\n{PLOT.format(number=number)}", "plt.show()"),
    )
}
SHOWS = r"""# markdown
from IPython.display import HTML, Image, Latex, Markdown, display
Markdown("**my result**: $x^2$ <b onclick=alert(1)>bold</b>")
# latex
Latex(r"$\frac{a}{b}$")
# svg
from matplotlib import pyplot as plt
%config InlineBackend.figure_formats = ["svg"]
plt.bar([1, 2], [3, 4], hatch="/")
plt.title("$x^2$")
plt.show()
# retina
%config InlineBackend.figure_formats = ["retina"]
plt.plot([3, 4])
plt.show()
# gif
import io
from PIL import Image as Pillow
file = io.BytesIO()
frames = [Pillow.new("RGB", (200, 100), (12 * number, 0, 0)) for number in range(20)]
frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
Image(file.getvalue(), format="gif")
# large
file = io.BytesIO()
Pillow.new("RGB", (5000, 4000), "teal").save(file, "JPEG")
Image(file.getvalue())
# huge
import zlib
head = b"IHDR" + (40_000).to_bytes(4, "big") * 2 + b"\x08\2\0\0\0"
head += zlib.crc32(head).to_bytes(4, "big")
Image(b"\x89PNG\r\n\x1a\n\0\0\0\x0d" + head + bytes(4) + b"IDAT", format="png")
# widget
display({"application/vnd.jupyter.widget-view+json": {}, "text/plain": "a slider"}, raw=True)
# chart
HTML("<div id=chart></div><script>alert(1)</script>")
# many
for number in range(300):
    display(HTML(f"<p>{number}</p>"))
"""
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
ATTACHED = {
    "cell_type": "markdown",
    "id": "attached",
    "metadata": {},
    "source": "*mine*: ![mine](attachment:a.png) ![lost](attachment:b.png)",
    "attachments": {"a.png": {"image/png": PNG}},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Course:
    """A class of 20, graded, with its feedback: each draws in a cell of its own. And one more who shows all kinds."""
    made = course(tmp_path_factory.mktemp("course"))
    for learner, code in LEARNERS.items():
        made.hand_in(learner, with_cell(submission("none"), f"# plot\n{code}"))
    shows = submission("none")
    for code in re.split(r"\n(?=# )", SHOWS):
        shows = with_cell(shows, code)
    made.hand_in("shows", {**shows, "cells": [*shows["cells"], ATTACHED]})
    graded = made.grade_class("--jobs=2")
    assert "21 graded, none needs a look" in graded.log, graded.log
    feedback = made.nbgrader("generate_feedback", "tiny")
    assert feedback.returncode == 0, feedback.stderr
    return made


def displays(made: Course, learner: str, name: str) -> list[dict[str, Any]]:
    """The outputs of the cell that begins with this comment."""
    cells = Graded.notebook(made, learner)["cells"]
    return next(cell["outputs"] for cell in cells if "".join(cell["source"]).startswith(f"# {name}\n"))


def shown(made: Course, name: str) -> dict[str, str]:
    """The forms of what such a cell of the one learner shows."""
    (output,) = displays(made, "shows", name)
    return {mime: "".join(text).strip() for mime, text in output["data"].items()}


def picture(content: str) -> Any:
    return Image.open(io.BytesIO(base64.b64decode(content)))


def place(made: Course, learner: str) -> Path:
    return made.folder / "feedback" / learner / "tiny" / "tiny.html"


def page(made: Course, learner: str) -> str:
    return re.sub(r"\s", "", place(made, learner).read_text(encoding="utf-8"))


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_plot_of_each_of_a_class_is_in_the_graded_notebook_and_on_the_feedback_page(made, learner):
    forms = [output.get("data", {}) for output in displays(made, learner, "plot")]
    (found,) = ["".join(form["image/png"]).strip() for form in forms if "image/png" in form]
    with picture(found) as image:
        assert min(image.size) > 300
        assert len(image.convert("RGB").getcolors(1 << 20)) > 10
    assert found in page(made, learner)


def test_markdown_and_latex_are_shown(made):
    assert shown(made, "markdown")["text/markdown"].startswith("**my result**: $x^2$")
    assert "<strong>myresult</strong>:$x^2$<b>bold</b>" in page(made, "shows")
    assert shown(made, "latex")["text/latex"] == r"$\frac{a}{b}$"
    assert r"$\frac{a}{b}$" in page(made, "shows")


def test_plots_as_svg_and_for_small_pixels_are_shown(made):
    svg = shown(made, "svg")["text/html"]
    content = base64.b64decode(re.fullmatch('<img alt="" src="data:image/svg\\+xml;base64,([^"]+)".*>', svg)[1])
    assert b"<pattern" in content and b"<use" in content
    assert re.sub(r"\s", "", svg.partition(" style")[0])[4:] in page(made, "shows")
    (retina,) = displays(made, "shows", "retina")
    with picture("".join(retina["data"]["image/png"])) as image:
        assert image.width == 2 * retina["metadata"]["image/png"]["width"]


def test_a_gif_moves_and_a_large_picture_is_scaled_down(made):
    gif = re.search('src="data:image/gif;base64,([^"]+)"', shown(made, "gif")["text/html"])[1]
    with picture(gif) as image:
        assert image.n_frames == 20
    assert gif in page(made, "shows")
    large = re.search('src="data:image/jpeg;base64,([^"]+)"', shown(made, "large")["text/html"])[1]
    with picture(large) as image:
        assert image.size == (2000, 1600)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("huge", "... left out here: a picture of more than 64,000,000 pixels ..."),
        ("widget", "a slider\n... left out here: a display of type application/vnd.jupyter.widget-view+json ..."),
        ("chart", "... left out here: what runs or loads something (script) ..."),
    ],
)
def test_what_is_left_out_says_so_in_its_place(made, name, words):
    assert shown(made, name)["text/plain"].endswith(words)
    assert re.sub(r"\s", "", words) in page(made, "shows")


def test_of_many_displays_the_first_are_shown_and_words_after_them(made):
    *first, more = displays(made, "shows", "many")
    assert [output["output_type"] for output in first] == ["display_data"] * 200
    assert re.fullmatch(r"\.\.\. \d+ more outputs \.\.\.", "".join(more["text"]))


@pytest.mark.parametrize(("most", "number"), [("MOST_MESSAGES", 2), ("MOST_BYTES", 300)])
def test_a_cell_that_shows_more_than_is_looked_at_says_so_at_its_end(most, number, monkeypatch):
    monkeypatch.setattr(execute, most, number)
    cells = [new_code_cell(), new_code_cell()]
    bench = SimpleNamespace(settings=execute.Settings())
    runner = execute.Runner(new_notebook(cells=cells), bench, new_notebook(), 1.0, Budget(1.0))
    runner.messages, runner.clear_before_next_output = 0, False
    for text in "abcd":
        message = {"header": {"msg_type": "stream"}, "content": {"name": "stdout", "text": 100 * text}}
        runner.process_message({"msg_type": "stream", "parent_header": {}, **message}, cells[1], 1)
    shown = [runner._kept(cell.outputs, place) for place, cell in enumerate(cells)]
    assert [[output.text for output in each] for each in shown] == [
        [],
        [100 * "a", 100 * "b", "... the rest is left out ..."],
    ]


def test_what_is_displayed_has_the_pixels_that_are_left_by_what_is_attached(monkeypatch):
    cells = [new_code_cell(outputs=[nbformat.v4.new_output("display_data", {"image/png": PNG})]) for _ in range(3)]
    budget = Budget(60)
    budget.gallery.left = 2
    bench = SimpleNamespace(settings=execute.Settings())
    runner = execute.Runner(new_notebook(cells=cells), bench, new_notebook(), 1.0, budget)
    monkeypatch.setattr(runner, "run_cells", list)
    assert runner.run() == []
    assert [[*cell.outputs[0].data] for cell in cells] == [["image/png"], ["image/png"], ["text/plain"]]


def test_a_picture_that_is_attached_is_shown_and_one_that_is_not_has_words(made):
    assert f'<em>mine</em>:<imgsrc="data:image/png;base64,{PNG}"alt="mine"' in page(made, "shows")
    assert "...leftouthere:apicturethatdoesnotcomewiththenotebook..." in page(made, "shows")


def test_a_browser_shows_all_pictures_of_a_feedback_page(made, browser):  # noqa: F811
    for theme in ("light", "dark"):
        opened = new_page(browser)
        opened.emulate_media(color_scheme=theme)
        opened.goto(place(made, "shows").as_uri(), wait_until="domcontentloaded")
        found = opened.locator("img:not([src^='figures'])")
        found.first.wait_for()
        sizes = found.evaluate_all(
            "all => Promise.all(all.map(e => e.decode().then(() => [e.naturalWidth, e.width, e.alt])))"
        )
        assert len(sizes) == 5
        for number, (natural, width, alt) in enumerate(sizes):
            assert natural > 0 and width <= 1050, (number, natural, width, alt)
            found.nth(number).scroll_into_view_if_needed()
            look(opened, f"shown-{theme}-{number}")
        opened.close()


@pytest.mark.parametrize("program", ["nbgrader", "grading"])
def test_plots_and_attached_pictures_in_answers_that_a_person_grades_are_shown(program, tmp_path):
    marks = {"grade": True, "solution": True, "locked": False, "task": False, "points": 9, "schema_version": 3}
    code, text = new_code_cell("# draw"), new_markdown_cell("Derive it.")
    for name, cell in {"drawn": code, "derived": text}.items():
        cell.id, cell.metadata.nbgrader = name, {**marks, "grade_id": name}
    source, submitted = tmp_path / "source" / "hw", tmp_path / "submitted" / "ada" / "hw"
    for folder in (source, submitted):
        folder.mkdir(parents=True)
        nbformat.write(new_notebook(cells=[code, text]), folder / "a.ipynb")
        code.source, text.source = "from matplotlib import pyplot\npyplot.plot([1, 2]);", ATTACHED["source"]
        text.attachments = ATTACHED["attachments"]
    for command in (("nbgrader", "generate_assignment"), (program, "autograde"), ("nbgrader", "generate_feedback")):
        call = [sys.executable, "-m", *command, "hw", f"--course-dir={tmp_path}"]
        done = ready.run(call, env=environment())
        assert done.returncode == 0, done.stderr
    graded = nbformat.read(tmp_path / "autograded" / "ada" / "hw" / "a.ipynb", 4)
    (plot,) = [each.data["image/png"].strip() for each in graded.cells[0].outputs]
    assert graded.cells[1].attachments == ATTACHED["attachments"]
    page = re.sub(r"\s", "", (tmp_path / "feedback" / "ada" / "hw" / "a.html").read_text(encoding="utf-8"))
    assert f"data:image/png;base64,{plot}" in page and f"data:image/png;base64,{PNG}" in page


# ---------------------------------------------------------------- what stands for the tests in a kernel


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("tests.test_relu(1, 2) + tests.test_sgd(seed=3)", 0.0),
        ("max(0, *[tests.test_relu(None)]) / 40 < 1", True),
        ("f'{tests.test_linear():.1f} of 10'", "0.0 of 10"),
        ("tests.live()(0.5)", None),
        ("tests.live(accuracy=lambda: 0.5)(loss=0.5)", None),
        ("tests.live_regions(lambda places: places, np.zeros((2, 2)), [0, 1])(0.5)", None),
        ("callable(tests.live()) and not tests.live()", True),
        ("[bool(tests.live_regions(abs, [], []))]", [False]),
        ("tests.draw_graph('a * b', beside=True) is tests.progress()", True),
        ("hasattr(tests, '__path__')", False),
    ],
)
def test_what_stands_for_the_tests_can_be_used_as_they_are(code, value):
    jailed.kernel().execute(f"import tests, numpy as np\nfound = {code}")
    assert jailed.kernel().names(["found"])["found"] == value


def test_a_figure_that_is_shown_with_words_is_shown_once():
    jailed.kernel().execute("""
import tests
from IPython.utils.capture import capture_output
from matplotlib import pyplot as plt
plt.plot([1, 2])
with capture_output() as captured:
    tests.show_figure(plt.gcf(), 'a "line"')
shown, left = [sorted(output.data) for output in captured.outputs], plt.get_fignums()
words = 'alt="a &quot;line&quot;"' in captured.outputs[0].data["text/html"]
""")
    found = jailed.kernel().names(["shown", "left", "words"])
    assert found == {"shown": [["text/html", "text/plain"]], "left": [], "words": True}


@pytest.mark.parametrize(
    "draw",
    [
        "plt.loglog([1, 20], [3, 1e9], 'o-', label='a'); plt.xlabel('h'); plt.legend(); plt.grid()",
        "plt.imshow(np.eye(3)); plt.axis('off'); plt.text(1, -1, 'above', ha='center')",
        "plt.figure(layout='constrained'); plt.plot([1, 2]); plt.colorbar(plt.cm.ScalarMappable(), ax=plt.gca())",
        "plt.figure(dpi=50).add_subplot(projection='3d').plot([1, 2], [3, 4], [5, 6])",
    ],
)
def test_a_figure_is_trimmed_as_matplotlib_trims_it(draw):
    jailed.kernel().execute(f"""
import base64, io, tests, numpy as np
from matplotlib import pyplot as plt
pictures = []
for trim in (False, True):
    {draw}
    if trim:
        plt.savefig(file := io.BytesIO(), format="png", dpi=100, bbox_inches="tight")
        pictures.append(base64.b64encode(file.getvalue()).decode())
    else:
        before = plt.gcf().dpi
        shown = tests._Picture(plt.gcf(), "")._repr_mimebundle_()["text/html"]
        unchanged = plt.gcf().dpi == before
        pictures.append(shown.split("base64,")[1].split(chr(34))[0])
    plt.close("all")
same = pictures[0] == pictures[1]
""")
    assert jailed.kernel().names(["same", "unchanged"]) == {"same": True, "unchanged": True}
