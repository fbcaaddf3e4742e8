"""What is left of what a cell displayed: known forms only, of limited size, and nothing that runs or scores."""

from __future__ import annotations

import base64
import html
from typing import Any

import nbformat
import pytest
from nbconvert.filters.highlight import Highlight2HTML
from nbformat.v4 import new_code_cell, new_notebook

from grading import outputs

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(100)).decode()
JPEG = base64.b64encode(b"\xff\xd8\xff" + bytes(100)).decode()


def display(data: Any, kind: str = "display_data", **more: Any) -> dict[str, Any]:
    return {"output_type": kind, "data": data, "metadata": {}, **more}


def stream(text: Any, name: Any = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def safe(*given: dict[str, Any]) -> list[Any]:
    """The outputs that are left; they can always be written into a notebook."""
    made = outputs.safe_outputs(list(map(nbformat.from_dict, given)))
    notebook = new_notebook(cells=[new_code_cell("", outputs=made)])
    nbformat.validate(notebook)
    nbformat.writes(notebook).encode()
    return made


@pytest.mark.parametrize("mime", ["text/plain", "text/html", "image/png", "image/jpeg"])
def test_what_can_be_shown_is_shown(mime):
    value = {"text/plain": "a <b>", "text/html": "<p>a</p>", "image/png": PNG, "image/jpeg": JPEG}[mime]
    assert [output.data for output in safe(display({mime: value}))] == [{mime: value}]


@pytest.mark.parametrize(
    "mime",
    [
        *("image/svg+xml", "image/gif", "image/webp", "application/pdf", "application/javascript", "text/javascript"),
        *("text/latex", "text/markdown", "application/json", "application/vnd.jupyter.widget-view+json", "audio/mpeg"),
        *("application/vnd.minitorch.report+json", "application/vnd.vegalite.v5+json", "TEXT/HTML", "text/html ", ""),
    ],
)
def test_all_else_is_left_out(mime):
    assert safe(display({mime: "<script>1</script>"})) == []
    (shown,) = safe(display({mime: {"score": 40}, "text/plain": "there"}))
    assert shown.data == {"text/plain": "there"}


def test_a_result_becomes_a_display_so_that_it_is_no_score():
    (shown,) = safe(display({"text/plain": "40.0"}, "execute_result", execution_count=1, transient={"display_id": "x"}))
    assert shown == {"output_type": "display_data", "data": {"text/plain": "40.0"}, "metadata": {}}


@pytest.mark.parametrize("data", [None, "text", [], {}, 3])
@pytest.mark.parametrize("kind", ["display_data", "execute_result", "update_display_data", "pyout", "", None])
def test_what_has_no_data_is_left_out(kind, data):
    assert safe(display(data, kind)) == []


@pytest.mark.parametrize("value", [None, 3, {}, ["a", 3, None], b"\xff", "\ud800", True], ids=str)
def test_values_of_no_text_become_text_or_nothing(value):
    for output in (display({"text/plain": value, "text/html": value}), stream(value)):
        for shown in safe(output):
            text = shown.get("text") or shown.get("data", {}).get("text/plain", "")
            assert isinstance(text, str)
            text.encode()


@pytest.mark.parametrize(
    "forged",
    [
        base64.b64encode(b"<svg onload=alert(1)>").decode(),
        base64.b64encode(b"GIF89a").decode(),
        JPEG,
        "x",
        '" onerror="alert(1)',
        "",
        None,
        3,
        [PNG],
        {"data": PNG},
        "A" * (outputs.MOST_IMAGE + 4),
        "é" * 100,
    ],
    ids=range(12),
)
def test_what_is_no_picture_is_not_shown_as_one(forged):
    assert safe(display({"image/png": forged})) == []


def test_nothing_but_the_picture_is_left_of_its_text():
    forged = '" onerror="alert(1)" '.join([PNG[:40], PNG[40:]])
    for shown in safe(display({"image/png": forged})):
        assert set(shown.data["image/png"]) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
    (shown,) = safe(display({"image/png": "\n".join([PNG[:40], PNG[40:]])}))
    assert shown.data == {"image/png": PNG}


@pytest.mark.parametrize(
    "given",
    [
        "<script>alert(1)</script>",
        "<SCRIPT src=https://elsewhere/x.js>",
        "<script",
        "<img src=x onerror=alert(1)>",
        "<img src='https://elsewhere/pixel.png'>",
        "<img src='//elsewhere/pixel.png'>",
        "<img src='../../other/workshop.html'>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href='JaVa\tScRiPt:alert(1)'>x</a>",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "<iframe src=https://elsewhere></iframe>",
        "<style>body { display: none }</style>",
        "<div style='position: fixed; top: 0; background: url(https://elsewhere)'>x</div>",
        "<svg><script>alert(1)</script></svg>",
        "<form action=https://elsewhere><input name=x></form>",
        "<base href=https://elsewhere>",
        "<meta http-equiv=refresh content='0;url=https://elsewhere'>",
        "<details open ontoggle=alert(1)>x</details>",
        "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    ],
    ids=range(19),
)
def test_html_neither_runs_nor_loads_nor_covers_anything(given):
    (shown,) = safe(display({"text/html": given, "text/plain": "there"}))
    left = shown.data.get("text/html", "").lower()
    for part in (
        "<script",
        "onerror",
        "ontoggle",
        "elsewhere/",
        "javascript:",
        "<iframe",
        "<style",
        "position",
        "url(",
        "..",
    ):
        assert part not in left
    for part in ("<svg", "<form", "<input", "<base", "<meta", "data:text", "=https", "'https"):
        assert part not in left


def test_honest_html_stays():
    table = '<table class="dataframe"><tr><th scope="row">a</th><td>1 &lt; 2</td></tr></table>'
    (shown,) = safe(display({"text/html": table}))
    assert "<th scope=" in shown.data["text/html"]
    assert "1 &lt; 2" in shown.data["text/html"]


def test_long_texts_are_cut_and_say_so():
    assert safe(stream("x" * 1_000_000))[0].text == "x" * 100_000 + "\n... 900,000 more characters ..."
    shown = safe(display({"text/plain": "x" * 100_001, "text/html": "x" * 1_000_000}))[0].data
    assert shown == {"text/plain": "x" * 100_000 + "\n... 1 more characters ..."}
    (error,) = safe(
        {
            "output_type": "error",
            "ename": "E" * 1000,
            "evalue": "v" * 100_000,
            "traceback": ["line " * 10_000] * 1000,
        }
    )
    assert len(error.ename) < 300 and len(error.evalue) < 3000
    assert len(error.traceback) == 200 and len(error.traceback[0]) < 6000


@pytest.mark.parametrize("lines", [None, "text", {}, [None, 3, ["a", 2]]])
def test_an_error_of_no_form_is_still_one(lines):
    (error,) = safe({"output_type": "error", "ename": None, "evalue": 3, "traceback": lines})
    assert (error.ename, error.evalue) == ("", "")
    assert all(isinstance(line, str) for line in error.traceback)


def test_many_outputs_are_cut_and_counted():
    shown = safe(*(display({"text/plain": str(number)}) for number in range(1000)))
    assert len(shown) == 201
    assert shown[-1].text == "... 800 more outputs ..."


def test_a_stream_has_a_name():
    assert [output.name for output in safe(stream("a", "stderr"), stream("b", "stdin"), stream("c", None))] == [
        "stderr",
        "stdout",
        "stdout",
    ]


def test_code_is_highlighted_as_nbconvert_does():
    code = "def f(x):\n    return x + 1  # <b>"
    assert outputs.highlight_code(code) == Highlight2HTML()(code)


def test_code_that_takes_pygments_an_hour_is_shown_plainly():
    code = "a." * 100_000 + "<b>"
    page = outputs.highlight_code(code)
    assert html.escape(code) in page
    assert "<b>" not in page
