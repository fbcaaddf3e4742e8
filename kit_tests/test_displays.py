"""What learners show reaches the graded notebook, the person who grades, and the feedback page."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import jailed
import pytest
from course import Course, Graded, course, submission, with_cell
from PIL import Image

PLOT = "plt.plot([1, {number}])"
LEARNERS = {
    f"{kind}-{number}": f"{code}\n{end}"
    for number in range(5)
    for kind, code, end in (
        ("shown", PLOT.format(number=number), "plt.show()"),
        ("unshown", PLOT.format(number=number), "np.zeros(3)"),
        ("figure", "figure, axes = plt.subplots()\naxes.plot([1, 2])", "None"),
        ("inline", f"%matplotlib inline\n{PLOT.format(number=number)}", "plt.show()"),
    )
}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Course:
    """A class of 20, graded, with its feedback: each draws in a cell of its own."""
    made = course(tmp_path_factory.mktemp("course"))
    for learner, code in LEARNERS.items():
        made.hand_in(learner, with_cell(submission("none"), f"# a plot\n{code}"))
    graded = made.grade_class("--jobs=2")
    assert graded.status == 0, graded.log
    feedback = made.nbgrader("generate_feedback", "workshop")
    assert feedback.returncode == 0, feedback.stderr
    return made


def pictures_of(made: Course, learner: str) -> list[str]:
    """The pictures, in base64, of the cell with a plot."""
    cells = Graded.notebook(made, learner)["cells"]
    (outputs,) = [cell["outputs"] for cell in cells if "".join(cell["source"]).startswith("# a plot")]
    return [output["data"]["image/png"].strip() for output in outputs if "image/png" in output.get("data", {})]


def page_of(made: Course, learner: str) -> str:
    return Path(made.folder, "feedback", learner, "workshop", "workshop.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_plot_of_each_of_a_class_is_in_the_graded_notebook_and_on_the_feedback_page(made, learner):
    (picture,) = pictures_of(made, learner)
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        assert min(image.size) > 300
        assert len(image.convert("RGB").getcolors(1 << 20)) > 10
    assert picture in re.sub(r"\s", "", page_of(made, learner))


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
        ("callable(tests.live()) and bool(tests.live())", True),
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
