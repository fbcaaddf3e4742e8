"""What is left of what a cell displayed: known forms only, of limited size, and nothing that runs or scores."""

from __future__ import annotations

import base64
import html
import io
import re
import struct
import zlib
from typing import Any

import nbformat
import numpy as np
import pytest
from matplotlib.figure import Figure
from nbconvert.filters.highlight import Highlight2HTML
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from grading import images, outputs
from grading.budget import Budget


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


def picture(form: str, width: int = 30, height: int = 20, mode: str = "RGB", **options: Any) -> str:
    """A picture of one color, in base64."""
    file = io.BytesIO()
    Image.new(mode, (width, height)).save(file, form, **options)
    return base64_of(file.getvalue())


def header(width: int, height: int) -> str:
    """A PNG of which only the header is there."""
    content = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return base64_of(
        b"\x89PNG\r\n\x1a\n\0\0\0\x0d" + content + struct.pack(">I", zlib.crc32(content)) + b"\0\0\0\0IDAT"
    )


PNG, JPEG, GIF = picture("PNG"), picture("JPEG"), picture("GIF")
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"><path d="M0 0 L30 20"/></svg>'


def display(data: Any, kind: str = "display_data", **more: Any) -> dict[str, Any]:
    return {"output_type": kind, "data": data, "metadata": {}, **more}


def stream(text: Any, name: Any = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def safe(*given: dict[str, Any]) -> list[Any]:
    """The outputs that are left; they can always be written into a notebook."""
    made = outputs.safe_outputs(list(map(nbformat.from_dict, given)), images.Gallery())
    notebook = new_notebook(cells=[new_code_cell("", outputs=made)])
    nbformat.validate(notebook)
    nbformat.writes(notebook).encode()
    return made


@pytest.mark.parametrize(
    ("mime", "value"),
    [
        ("text/plain", "a <b>"),
        ("text/html", "<p>a</p>"),
        ("text/markdown", "**a** $x^2$ <b>"),
        ("text/latex", r"$\frac{1}{2}$"),
        ("image/png", PNG),
        ("image/jpeg", JPEG),
    ],
)
def test_what_can_be_shown_is_shown(mime, value):
    assert [output.data for output in safe(display({mime: value}))] == [{mime: value}]


def shown_in_html(data: dict[str, Any]) -> str:
    """The picture that a display's HTML shows: its MIME type and content."""
    (shown,) = safe(display(data))
    (source,) = re.findall(r'<img alt="[^"]*" src="data:([^"]+)"', shown.data["text/html"])
    return source


@pytest.mark.parametrize(("mime", "value"), [("image/gif", GIF), ("image/svg+xml", SVG)])
def test_pictures_that_pages_do_not_show_by_themselves_are_shown_in_html(mime, value):
    kind, content = shown_in_html({mime: value, "text/plain": "there"}).split(";base64,")
    assert kind == mime
    assert base64.b64decode(content) == (
        base64.b64decode(value) if mime == "image/gif" else value.replace("/>", "></path>").encode()
    )


@pytest.mark.parametrize(
    "mime",
    [
        *("image/webp", "application/pdf", "application/javascript", "text/javascript", "audio/mpeg", ""),
        *("application/json", "application/vnd.jupyter.widget-view+json", "TEXT/HTML", "text/html "),
        *("application/vnd.minitorch.report+json", "application/vnd.vegalite.v5+json", "<b>" * 100),
    ],
)
def test_all_else_is_left_out_and_its_place_says_so(mime):
    (shown,) = safe(display({mime: "<script>1</script>"}))
    assert shown.data.keys() == {"text/plain"}
    assert re.fullmatch(r"\.\.\. left out here: .+ \.\.\.", shown.data["text/plain"])
    assert mime[:50] in shown.data["text/plain"] or mime == "image/webp"
    (shown,) = safe(display({mime: {"score": 40}, "text/plain": "there"}))
    assert shown.data["text/plain"].startswith("there\n... left out here: ")
    (shown,) = safe(display({mime: "<script>1</script>", "text/plain": "there", "image/png": PNG}))
    assert shown.data == {"text/plain": "there", "image/png": PNG}  # the same in another form


def test_a_display_of_many_forms_is_cut():
    (shown,) = safe(display({f"application/{number}": "x" for number in range(10_000)}))
    assert len(shown.data["text/plain"]) < 2000


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
        *(
            "x",
            '" onerror="alert(1)',
            "",
            None,
            3,
            {"data": PNG},
            "A" * 1_000_000,
            "é" * 100,
            "<svg",
            "<p/>",
            "<a" * 1000,
        ),
        *(base64_of(content) for content in (b"GIF89a", b"%PDF-1.4", base64.b64decode(PNG)[:20])),
        *(picture("TIFF"), picture("WEBP")),
    ],
    ids=range(16),
)
def test_what_is_no_picture_is_not_shown_as_one(forged):
    (shown,) = safe(display({"image/png": forged}))
    assert shown.data.keys() == {"text/plain"}
    assert shown.data["text/plain"].startswith("... left out here: ")


def test_a_picture_is_what_its_content_is():
    assert safe(display({"image/png": JPEG}))[0].data == {"image/jpeg": JPEG}


def test_nothing_but_the_picture_is_left_of_its_text():
    forged = '" onerror="alert(1)" '.join([PNG[:40], PNG[40:]])
    for shown in safe(display({"image/png": forged})):
        assert set(shown.data.get("image/png", "")) <= set(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
        )
    (shown,) = safe(display({"image/png": "\n".join([PNG[:40], PNG[40:]])}))
    assert shown.data == {"image/png": PNG}


def image_in(data: dict[str, str]) -> Any:
    """The picture of a display, opened."""
    forms = {mime: text for mime, text in data.items() if mime.startswith("image/")}
    content = forms.popitem()[1] if forms else re.search('base64,([^"]+)', data["text/html"])[1]
    return Image.open(io.BytesIO(base64.b64decode(content)))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "I;16"])
def test_a_large_picture_is_scaled_down(mode):
    (shown,) = safe(display({"image/png": picture("PNG", 4000, 3000, mode)}))
    with image_in(shown.data) as image:
        assert (image.format, image.size) == ("PNG", (2000, 1500))
    assert 'style="max-width: 100%; background-color: white"' in shown.data["text/html"]


@pytest.mark.parametrize("mode", ["L", "I;16"])
def test_a_large_picture_has_the_same_greys_when_it_is_scaled_down(mode):
    """Also of 16 bits, of which Pillow alone makes white of all that is lighter than 255 of 65,535."""
    greys = np.tile(np.linspace(0, 255, 4000).astype(np.uint8), (3000, 1))
    file = io.BytesIO()
    Image.fromarray(greys if mode == "L" else 257 * greys.astype(np.uint16)).save(file, "PNG")
    (shown,) = safe(display({"image/png": base64_of(file.getvalue())}))
    with image_in(shown.data) as image:
        shades = [image.convert("L").getpixel((x, 700)) for x in (0, 500, 1000, 1500, 1999)]
    assert shades == pytest.approx([0, 64, 128, 191, 255], abs=2)


def scanned(side: int, count: int) -> str:
    """A progressive JPEG, one scan of which is there so many times more; each has 53 bytes."""
    content = base64.b64decode(picture("JPEG", side, side, progressive=True))
    scans = [found.start() for found in images.SCAN.finditer(content)]
    one = content[scans[3] : scans[4]]
    return base64_of(content[: scans[4]] + count * one + content[scans[4] :])


@pytest.mark.parametrize(("side", "below", "above"), [(3000, 100, 102), (1000, 989, 991), (8000, 5, 6)])
def test_a_picture_is_scanned_so_many_times_and_no_more(side, below, above):
    """A thousand million pixels together; 10 scans are there anyway."""
    assert "left out" not in str(safe(display({"image/jpeg": scanned(side, below)})))
    (shown,) = safe(display({"image/jpeg": scanned(side, above)}))
    assert "a picture that is scanned more than" in shown.data["text/plain"]


@pytest.mark.parametrize("form", ["GIF", "PNG"])
@pytest.mark.parametrize(("frames", "moves"), [(50, True), (51, False)])
def test_a_picture_that_moves_has_so_many_pixels_and_stands_still_with_more(form, frames, moves):
    """200 million, of all its frames together."""
    file = io.BytesIO()
    first, *more = (Image.new("P", (2000, 2000), number) for number in range(frames))
    first.save(file, form, save_all=True, append_images=more)
    (shown,) = safe(display({f"image/{form.lower()}": base64_of(file.getvalue())}))
    with image_in(shown.data) as image:
        assert image.size == (2000, 2000)
        assert getattr(image, "n_frames", 1) == (frames if moves else 1)


@pytest.mark.parametrize(("form", "mode"), [("JPEG", "RGB"), ("JPEG", "CMYK"), ("JPEG", "L"), ("GIF", "P")])
def test_large_pictures_of_other_forms_are_scaled_down(form, mode):
    (shown,) = safe(display({f"image/{form.lower()}": picture(form, 3000, 4000, mode)}))
    with image_in(shown.data) as image:
        assert image.size == (1500, 2000)


def test_a_photo_that_was_taken_upright_is_shown_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    (shown,) = safe(display({"image/jpeg": picture("JPEG", 4000, 3000, exif=exif)}))
    with image_in(shown.data) as image:
        assert image.size == (1500, 2000)


@pytest.mark.parametrize(("side", "shown_side"), [(300, 300), (3000, 2000)])
def test_of_a_photo_that_holds_several_pictures_the_first_is_shown(side, shown_side):
    """As telephones make them, with a smaller one or one of the depth."""
    file = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(file, "MPO", save_all=True, append_images=[Image.new("RGB", (9, 9))])
    (shown,) = safe(display({"image/jpeg": base64_of(file.getvalue())}))
    with image_in(shown.data) as image:
        assert image.size == (shown_side, shown_side)
        assert image.convert("RGB").getpixel((1, 1))[0] > 250


@pytest.mark.parametrize(("width", "form"), [(1000, "image/png"), (1001, "text/html")])
def test_a_picture_is_never_wider_than_the_page(width, form):
    (shown,) = safe(display({"image/png": picture("PNG", width)}))
    assert [*shown.data] == [form]
    (shown,) = safe({**display({"image/png": picture("PNG", width)}), "metadata": {"image/png": {"width": 600}}})
    assert [*shown.data] == ["image/png"]


def test_a_picture_of_many_bytes_becomes_a_smaller_one():
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (1000, 1000, 4), dtype=np.uint8)
    Image.fromarray(noise).save(file, "PNG")
    (shown,) = safe(display({"image/png": base64_of(file.getvalue())}))
    assert len(shown.data["image/jpeg"]) < len(file.getvalue()) / 3


@pytest.mark.parametrize("size", [(40_000, 40_000), (8001, 8001), (2**31 - 1, 2**31 - 1), (1, 64_000_001)])
def test_a_picture_that_would_fill_the_memory_is_never_decoded(size):
    (shown,) = safe(display({"image/png": header(*size)}))
    assert shown.data.keys() == {"text/plain"}
    assert "more than 64,000,000" in shown.data["text/plain"]


def test_all_pictures_of_a_notebook_have_so_many_pixels():
    gallery = images.Gallery(left=2000)
    shown = outputs.safe_outputs([nbformat.from_dict(display({"image/png": PNG})) for _ in range(5)], gallery)
    assert [[*output.data] for output in shown] == [["image/png"]] * 3 + [["text/plain"]] * 2


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"width": 300, "height": 200}, {"width": 300, "height": 200}),  # of a screen with small pixels
        ({"width": 300, "needs_background": "light"}, {"width": 300, "needs_background": "light"}),
        ({"needs_background": '" onload="alert(1)'}, None),
        ({"needs_background": ["light"]}, None),
        ({"width": '1" onload="alert(1)'}, None),
        ({"width": True}, None),
        ({"width": 10**6}, None),
        ({"height": -1, "unconfined": True}, None),
        ("x", None),
    ],
)
def test_a_picture_has_the_size_that_it_is_to_be_shown_in(given, kept):
    (shown,) = safe({**display({"image/png": PNG}), "metadata": {"image/png": given, "filenames": {"image/png": "x"}}})
    assert shown.metadata == ({"image/png": kept} if kept else {})


# ---------------------------------------------------------------- SVG


def drawing(inside: str, **attributes: str) -> str:
    said = "".join(f" {name}='{value}'" for name, value in attributes.items())
    return f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"{said}>{inside}</svg>'


def left_of(svg: str) -> str:
    """What is left of an SVG."""
    return base64.b64decode(shown_in_html({"image/svg+xml": svg}).split(";base64,")[1]).decode()


@pytest.mark.parametrize(
    "given",
    [
        "<script>alert(1)</script>",
        "<g><script>alert(1)</script><script/></g>",
        "<path onload='alert(1)' d='M0 0'/>",
        "<foreignObject><p xmlns='http://www.w3.org/1999/xhtml' onclick='alert(1)'>x</p></foreignObject>",
        "<p xmlns='http://www.w3.org/1999/xhtml'><path d='alert(1)'/></p>",
        "<a xlink:href='javascript:alert(1)'><text>x</text></a>",
        "<use xlink:href='https://elsewhere/x.svg#a'/>",
        "<image xlink:href='https://elsewhere/x.png'/><image href='//elsewhere/x.png'/>",
        "<image href='data:image/svg+xml;base64,PHN2Zy8+'/>",
        "<style>@import 'https://elsewhere/x.css';</style>",
        "<style>path { fill: url(https://elsewhere/x.svg#a) }</style>",
        "<path style='fill: url(https://elsewhere/x.svg#a)'/><path fill='u\\72l(//elsewhere)'/>",
        "<set attributeName='onload' to='alert(1)'/><animate attributeName='href' values='javascript:alert(1)'/>",
        "<filter id='a'><feImage href='https://elsewhere/x.png'/></filter><g filter='url(#a)'/>",
        "<x:script xmlns:x='http://www.w3.org/2000/svg'>alert(1)</x:script>",
        "<text>&lt;script>alert(1)&lt;/script></text>",
        "<style>g { clip-path: ur<!-- x -->l(https://elsewhere) }</style><style><g>@import</g></style>",
        "<iframe src='https://elsewhere'/><audio src='https://elsewhere'/><!-- alert(1) --><?x alert(1)?>",
    ],
    ids=range(18),
)
def test_an_svg_neither_runs_nor_loads_anything(given):
    left = left_of(drawing(f"{given}<path d='M1 2'/>"))
    for part in (
        "<script",
        "onload",
        "onclick",
        "elsewhere",
        "javascript",
        "import",
        "animate",
        "svg+xml",
        "<filter",
        "<?",
        "<!",
    ):
        assert part not in left
    assert 'd="M1 2"' in left


def test_an_svg_of_matplotlib_stays_as_it_is_drawn():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    left.plot([1, 2], "o-", label="a < b & $x^2$")
    left.legend()
    left.bar([1, 2], [3, 4], hatch="/")
    right.imshow(np.random.default_rng(0).random((5, 5)))
    file = io.BytesIO()
    figure.savefig(file, format="svg")
    before, after = file.getvalue().decode(), left_of(file.getvalue().decode())
    for tag in ("path", "use", "g", "image", "pattern", "clipPath", "style", "rect"):
        assert len(re.findall(f"<{tag}[ >]", before)) == len(re.findall(f"<{tag}[ >]", after)), tag
    for attribute in ("d", "x", "style", "clip-path", "transform", "id"):
        assert len(re.findall(f' {attribute}="', before)) == len(re.findall(f' {attribute}="', after)), attribute


REPEATED = "<g id='g0'><path/></g>" + "".join(
    f"<g id='g{number}'>" + f"<use href='#g{number - 1}'/>" * 10 + "</g>" for number in range(1, 20)
)


def definition(tag: str, count: int, name: str = "many") -> str:
    return f"<{tag} id='{name}'>" + "<circle/>" * count + f"</{tag}>"


def drawn_by_another(attribute: str, many: str = "clipPath", count: int = 4900, used: int = 4900) -> str:
    """An SVG with a path that calls a definition of so many shapes, and is itself used so many times."""
    return drawing(f"{definition(many, count)}<path id='one' {attribute}/>" + "<use href='#one'/>" * used)


ENTITIES = "".join(f"<!ENTITY e{number} '{f'&e{number - 1};' * 10 if number else 'x'}'>" for number in range(20))


@pytest.mark.parametrize(
    "given",
    [
        drawing(REPEATED),
        drawing("<g id='a'><use href='#a'/></g>"),
        drawing("<g id='a'>" + "<path/>" * 5000 + "</g><g id='a'/>" + "<use href='#a'/>" * 100),
        drawing("<g id='a'>" + "<path/>" * 5000 + "</g>" + "<use href='#a'/>" * 100),
        drawing("<clipPath id='a'>" + "<path/>" * 5000 + "</clipPath>" + "<path clip-path='url( #a )'/>" * 100),
        # What is used calls more than it says itself: 4,900 times 4,900.
        drawn_by_another("clip-path='url(#many)'"),
        drawn_by_another("fill='url(#many)'", many="pattern"),
        drawn_by_another("style='stroke: url(#many)'", many="pattern"),
        # What is painted with it inherits it.
        drawing(definition("pattern", 200) + "<g fill='url(#many)'>" + "<path/>" * 200 + "</g>"),
        drawing(definition("g", 200) + definition("pattern", 200, "paint") + "<use href='#many' fill='url(#paint)'/>"),
        # One that clips is clipped by the next one, without end.
        drawing("<clipPath id='a' clip-path='url(#b)'/><clipPath id='b' clip-path='url(#a)'/>"),
        drawing("<pattern id='a' fill='url(#a)'><path/></pattern>"),
        drawing("".join(f"<clipPath id='c{n}' clip-path='url(#c{n + 1})'/>" for n in range(150))),
        f"<!DOCTYPE svg [{ENTITIES}]>" + drawing("<text>&e19;</text>"),
        "<!DOCTYPE svg [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" + drawing("<text>&e;</text>"),
        drawing("<g>" * 1000 + "</g>" * 1000),
        drawing("<path/>" * 30_000),
        drawing(f"<path d='{'M0 0 ' * 500_000}'/>"),
        drawing("<g>"),
    ],
    ids=range(19),
)
def test_an_svg_that_draws_too_much_is_left_out(given):
    (shown,) = safe(display({"image/svg+xml": given}))
    assert shown.data.keys() == {"text/plain"}
    assert shown.data["text/plain"].startswith("... left out here: an SVG")


@pytest.mark.parametrize(
    "given",
    [
        drawn_by_another("clip-path='url(#many)'", count=10, used=1500),
        drawn_by_another("fill='url(#many)'", many="pattern", count=10, used=1500),
        drawing("<g id='a'><path/></g><g id='b'>" + "<use href='#a'/>" * 9 + "</g>" + "<use href='#b'/>" * 100),
        drawing(definition("clipPath", 1) + "<g clip-path='url(#many)'>" + "<path/>" * 19_000 + "</g>"),
        drawing("<path fill='url(#nowhere)'/>"),
    ],
    ids=range(5),
)
def test_an_svg_that_draws_less_is_shown(given):
    assert shown_in_html({"image/svg+xml": given}).startswith("image/svg+xml")


@pytest.mark.parametrize("name", ["#%61", " #a", "#a b", "other.svg#a", "#a)", "&#35;%61"])
def test_what_an_svg_calls_in_another_way_is_not_called(name):
    left = left_of(
        drawing(f"<g id='a'><path/></g><use href='{name}'/><path fill='url({name})' style='fill: url({name})'/>")
    )
    assert "href" not in left and "url" not in re.sub(r"url\(\s*#a\)", "", left)


def test_what_only_a_definition_would_repeat_is_dropped():
    chain = "".join(
        f"<clipPath id='c{n}'><path clip-path='url(#c{n - 1})'/><use href='#c0'/></clipPath>" for n in range(20)
    )
    left = left_of(drawing(chain))
    assert "url(" not in left and "<use" not in left and left.count("<path") == 20


# ---------------------------------------------------------------- HTML


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
    left = re.sub('base64,[^"]*', "", shown.data.get("text/html", "")).lower()
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
        "../",
    ):
        assert part not in left
    for part in ("<svg", "<form", "<input", "<base", "<meta", "data:text", "=https", "'https"):
        assert part not in left


def test_honest_html_stays():
    table = '<table class="dataframe"><tr><th scope="row">a</th><td>1 &lt; 2</td></tr></table>'
    (shown,) = safe(display({"text/html": table}))
    assert "<th scope=" in shown.data["text/html"]
    assert "1 &lt; 2" in shown.data["text/html"]


@pytest.mark.parametrize(
    "given",
    [f'<img src="data:image/png;base64,{PNG}">', f"<p><IMG alt='a' SRC = data:image/png;base64,{PNG} title=b></p>"],
)
def test_pictures_in_html_stay(given):
    (shown,) = safe(display({"text/html": given}))
    assert f'src="data:image/png;base64,{PNG}"' in shown.data["text/html"]


def test_pictures_in_html_are_made_fit_and_do_not_count_as_text():
    large = picture("PNG", 4000, 3000)
    noise = base64_of(np.random.default_rng(0).bytes(1_000_000))
    given = f'<img src="data:image/png;base64,{large}"><img src="data:image/png;base64,{noise}">{SVG}'
    (shown,) = safe(display({"text/html": given}))
    first, second = re.findall('src="data:(image/[^;]+);base64,([^"]+)"', shown.data["text/html"])
    with image_in({first[0]: first[1]}) as image:
        assert image.size == (2000, 1500)
    assert second[0] == "image/svg+xml"
    assert "... left out here: a picture that is damaged" in shown.data["text/html"]


@pytest.mark.parametrize(
    "given",
    [
        "<img>",
        "<img src='https://elsewhere/pixel.png'>",
        "<img src='data:image/png;base64,'>",
        "<img src='data&colon;image/png;base64,AAAA'>",
        "<img src='data:text/html;base64,AAAA'>",
        "<img src='cid:7'>",
        "<img src='attachment:a.png'>",
        f"<img src='data:image/png;base64,{header(40_000, 40_000)}'>",
        f"<svg>{REPEATED}</svg>",
        "<svg><nbsp>&nbsp;</svg>",
    ],
    ids=range(10),
)
def test_in_html_words_stand_in_place_of_a_picture_that_cannot_be_shown(given):
    (shown,) = safe(display({"text/html": f"<p>before {given} after</p>"}))
    assert re.fullmatch(r"<p>before \.\.\. left out here: an? .+ \.\.\. after</p>", shown.data["text/html"])


def test_a_text_that_looks_like_a_picture_stays_a_text():
    (shown,) = safe(display({"text/html": f"<pre>data:image/png;base64,{PNG} cid:0</pre><img src=cid:0>"}))
    assert shown.data["text/html"].startswith(f"<pre>data:image/png;base64,{PNG} cid:0</pre>... left out")


def test_html_of_many_pictures_is_cut():
    (shown,) = safe(display({"text/html": f"<img src='data:image/gif;base64,{GIF}'>" * 300}))
    assert shown.data["text/html"].count("<img") == 200 and shown.data["text/html"].count("left out") == 100


@pytest.mark.parametrize("source", ["![a](attachment:a.png) ", "<img src='attachment:a.png'> "])
def test_a_picture_that_is_called_without_end_is_shown_twice(source):
    cell = nbformat.from_dict({"attachments": {"a.png": {"image/png": PNG}}})
    page = outputs.markdown2html({"cell": cell}, 1000 * source)
    assert page.count("<img") == 2 and page.count("a picture that is shown too often") == 998


def test_a_script_is_left_out_and_its_place_says_so():
    (shown,) = safe(display({"text/html": "<p>a</p><script>1</script><video src=x></video>"}))
    assert (
        shown.data["text/html"] == "<p>a</p><p>... left out here: what runs or loads something (script, video) ...</p>"
    )


@pytest.mark.parametrize("given", ["", "<style>p { color: red }</style>", " <!-- a -->"])
def test_html_that_shows_nothing_makes_room_for_another_form(given):
    (shown,) = safe(display({"text/html": given, "text/plain": "there"}))
    assert shown.data == {"text/plain": "there\n... left out here: HTML that shows nothing ..."}


@pytest.mark.parametrize("given", ["<script>1</script>", "<div><div class=plot></div><script>1</script></div>"])
def test_html_that_is_nothing_without_its_script_makes_room_for_another_form(given):
    (shown,) = safe(display({"text/html": given, "image/png": PNG, "text/plain": "chart"}))
    assert shown.data == {"image/png": PNG, "text/plain": "chart"}
    (shown,) = safe(display({"text/html": given, "text/plain": "chart"}))
    assert shown.data == {"text/plain": "chart\n... left out here: what runs or loads something (script) ..."}


@pytest.mark.parametrize(
    ("source", "attachments", "page"),
    [
        (
            "# a\n![b](attachment:c.png)",
            {"c.png": {"image/png": PNG}},
            f'<img src="data:image/png;base64,{PNG}" alt="b" style="max-width: 100%">',
        ),
        (
            "![b](<attachment:c d.png>)",
            {"c d.png": {"image/png": PNG}},
            f'<img src="data:image/png;base64,{PNG}" alt="b" style="max-width: 100%">',
        ),
        ("<img src='attachment:c.png' width=3>", {"c.png": {"image/png": PNG}}, f'src="data:image/png;base64,{PNG}"'),
        (
            "![b](attachment:d.png) *c*",
            {"c.png": {"image/png": PNG}},
            "that does not come with the notebook ... <em>c</em>",
        ),
        ("![b](attachment:c.png) *c*", None, "that does not come with the notebook ... <em>c</em>"),
        ("![b](figures/a.svg)", None, '<img src="figures/a.svg" alt="b" style="max-width: 100%">'),
        ("<script>1</script>", None, "<p>... left out here: what runs or loads something (script) ...</p>"),
        ("$a<b$ **c**", None, "$a&lt;b$ <strong>c</strong>"),
    ],
)
def test_markdown_is_shown_with_what_is_attached(source, attachments, page):
    cell = {"source": source, **({"attachments": attachments} if attachments else {})}
    assert page in outputs.markdown2html({"cell": nbformat.from_dict(cell)}, source)


@pytest.mark.parametrize("source", ["", "<!-- a comment -->"])
def test_markdown_that_shows_nothing_shows_nothing(source):
    assert outputs.markdown2html({}, source).strip() == ""


def test_long_texts_are_cut_and_say_so():
    assert safe(stream("x" * 1_000_000))[0].text == "x" * 100_000 + "\n... 900,000 more characters ..."
    shown = safe(display({"text/plain": "x" * 100_001, "text/html": "x" * 1_000_000}))[0].data
    assert shown["text/plain"].startswith(
        "x" * 100_000 + "\n... 1 more characters ...\n... left out here: HTML of 1,000,000"
    )
    assert shown.keys() == {"text/plain"}
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
    assert outputs.highlight_code({}, code) == Highlight2HTML()(code)


def test_code_that_takes_pygments_an_hour_is_shown_plainly():
    code = "a." * 100_000 + "<b>"
    page = outputs.highlight_code({}, code)
    assert html.escape(code) in page
    assert "<b>" not in page


SLOW = "<b>" * 4000  # bleach takes a time that grows with the square


def test_all_pieces_of_a_notebook_have_a_time_together_after_which_they_are_shown_as_text():
    """Each of them has one second."""
    budget = Budget(0.3)
    with outputs.within(budget):
        shown = [output.data["text/html"] for output in safe(*[display({"text/html": SLOW})] * 30)]
        (picture,) = safe(display({"image/png": PNG}))
    assert budget.left <= 0
    assert [text.startswith("<pre>") for text in shown[-10:]] == [True] * 10
    assert "its form, which takes too long to show" in shown[-1]
    assert "a picture, which takes too long to show" in picture.data["text/plain"]
    assert safe(display({"text/html": "<p>a</p>"}))[0].data == {"text/html": "<p>a</p>"}


def test_all_pictures_of_a_page_have_so_many_pixels():
    source, cell = "![a](attachment:a.png)", nbformat.from_dict({"attachments": {"a.png": {"image/png": PNG}}})
    page = {"resources": {"seconds": Budget(60)}, "cell": cell}
    page["resources"]["seconds"].gallery.left = 2 * 30 * 20
    assert ["<img" in outputs.markdown2html(page, source) for _ in range(3)] == [True, True, False]
    assert "a picture that comes after others" in outputs.markdown2html(page, source)


@pytest.mark.parametrize("filter", ["markdown2html", "highlight_code"])
def test_all_pieces_of_a_page_have_a_time_together_and_each_page_its_own(filter, monkeypatch):
    monkeypatch.setattr(outputs, "PAGE_SECONDS", 0.3)
    make = getattr(outputs, filter)
    slow = {"markdown2html": SLOW, "highlight_code": "a." * 5000}[filter]
    quick = {"markdown2html": "*{}*", "highlight_code": "{} = 1"}[filter].format
    formed = {"markdown2html": "</em>", "highlight_code": "<span"}[filter]
    page, other = {"resources": {}}, {"resources": {}}
    assert formed in make(page, quick("a"))
    for number in range(30):
        make(page, f"{slow}\n{number}")
    assert formed not in make(page, quick("b"))
    assert formed in make(page, quick("a"))  # which is known, as what all pages of a course have
    assert formed in make(other, quick("b"))
