"""What learners show reaches the graded notebook, the person who grades, and the feedback page."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

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
