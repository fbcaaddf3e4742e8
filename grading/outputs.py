"""What learners' code displayed and wrote, made safe to look at: in the graded notebook, formgrader and feedback."""

from __future__ import annotations

import base64
import binascii
import functools
import html
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import bleach
from bleach.css_sanitizer import CSSSanitizer
from nbformat import NotebookNode
from nbformat.v4 import new_output

from checks.observe import OutOfTime, learner_code

MOST_OUTPUTS = 200  # of one cell
MOST_TEXT = 100_000  # characters of one output
MOST_IMAGE = 4 << 20  # characters of one picture, in base64
SECONDS = 1.0  # to make one piece of HTML safe: HTML can be written that takes hours
SIGNATURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "del", "details", "div", "dl"),
    *("dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "kbd", "li", "ol", "p", "pre", "s", "span"),
    *("strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"),
}
STYLES = ("text-align", "vertical-align", "color", "background-color", "font-weight", "font-style", "padding", "border")


# What these classes look like is harmless; others of a page could cover it, or imitate its own parts.
CLASSES = re.compile(r"highlight|dataframe|anchor-link|[a-z]{1,2}\d?")
HERE = r"[\w.-][\w./ -]*"  # a path below the page's folder
LINKS = re.compile(rf"(https?://|mailto:|#).*|{HERE}", re.DOTALL)
# Nothing is loaded from elsewhere: it would tell who looks at the page, and when.
PICTURES = re.compile(rf"data:image/(png|jpeg|gif);base64,[\w+/=\s]*|{HERE}")


def _allowed(tag: str, name: str, value: str) -> bool:
    if name == "class":
        return CLASSES.fullmatch(value) is not None
    if name == "style":
        return re.search(r"[\\(/]", value) is None
    if name == "href":
        return tag == "a" and LINKS.fullmatch(value) is not None
    if name == "src":
        return tag == "img" and PICTURES.fullmatch(value) is not None and ".." not in value
    return name in {
        "a": ("title",),
        "img": ("alt", "title", "width", "height"),
        "td": ("colspan", "rowspan"),
        "th": ("colspan", "rowspan", "scope"),
        "details": ("open",),
        "ol": ("start",),
    }.get(tag, ())


_CLEANER = bleach.Cleaner(
    tags=TAGS,
    attributes=_allowed,
    protocols={"http", "https", "mailto", "data"},
    css_sanitizer=CSSSanitizer(allowed_css_properties=STYLES),
    strip=True,
)


def safe_html(text: str) -> str:
    """HTML without anything that runs, loads or covers the page; as text where that cannot be found out in time."""
    try:
        with learner_code(SECONDS):
            return _CLEANER.clean(re.sub(r"(?is)<(script|style|svg)\b.*?(</\1\s*>|$)", "", text))
    except (OutOfTime, Exception):
        return f"<pre>{html.escape(text)}</pre>"


def markdown2html(source: Any) -> str:
    """nbconvert's filter of this name, with the result made safe."""
    from nbconvert.filters.markdown_mistune import markdown2html_mistune

    try:
        with learner_code(SECONDS):
            text = markdown2html_mistune(str(source))
    except (OutOfTime, Exception):
        return f"<pre>{html.escape(str(source))}</pre>"
    return safe_html(text)


def highlight_code(source: str, language: str | None = None, metadata: Any = None) -> str:
    """nbconvert's filter of this name, in bounded time: 100,000 characters of code can take Pygments an hour."""
    highlight = _highlighter()
    try:
        with learner_code(SECONDS / 2):
            return highlight(source, language, metadata)
    except (OutOfTime, Exception):
        return f'<div class="highlight"><pre>{html.escape(source)}</pre></div>'


@functools.cache
def _highlighter() -> Callable[..., str]:
    """With all that it imports, for a second: only those who make pages need it, and a deadline must not cut it."""
    from nbconvert.filters.highlight import Highlight2HTML

    made = Highlight2HTML(pygments_lexer="ipython3")
    made("pass")
    return made


def safe_outputs(outputs: Any) -> list[NotebookNode]:
    """Of a cell's outputs what can be shown, in known forms only."""
    joined = list(_joined(outputs))
    safe = [made for output in joined[:MOST_OUTPUTS] if (made := _safe(output)) is not None]
    if len(joined) > MOST_OUTPUTS:
        safe.append(new_output("stream", name="stdout", text=f"... {len(joined) - MOST_OUTPUTS} more outputs ..."))
    return safe


def _joined(outputs: Any) -> Iterator[Any]:
    """The outputs, with streams that continue each other as one, and lines as a terminal leaves them.

    nbconvert does the same, but takes a time that grows with the square of a line's length.
    """
    for stream, some in itertools.groupby(outputs, lambda o: o.get("output_type") == "stream" and o.get("name")):
        if stream is False:
            yield from some
            continue
        lines = "".join(_whole(output.get("text")) for output in some).split("\n")
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
        yield {"output_type": "stream", "name": stream, "text": text}


def _safe(output: Any) -> NotebookNode | None:
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return new_output("stream", name=name, text=_text(output.get("text")))
    if kind == "error":
        lines = output.get("traceback")
        lines = [_text(line, 5000) for line in lines[:200]] if isinstance(lines, list) else []
        return new_output(
            "error", ename=_text(output.get("ename"), 200), evalue=_text(output.get("evalue"), 2000), traceback=lines
        )
    data = output.get("data")
    if kind not in ("display_data", "execute_result") or not isinstance(data, dict):
        return None
    kept = {}
    for mime, value in data.items():
        if mime == "text/plain":
            kept[mime] = _text(value)
        elif mime == "text/html" and len(_text(value)) < MOST_TEXT:
            kept[mime] = safe_html(_text(value))
        elif mime in SIGNATURES and (picture := _picture(value, SIGNATURES[mime])):
            kept[mime] = picture
    return new_output("display_data", data=kept) if kept else None


def _whole(value: Any) -> str:
    text = "".join(map(str, value)) if isinstance(value, list) else value if isinstance(value, str) else ""
    return text.encode("utf-8", "replace").decode("utf-8")


def _text(value: Any, most: int = MOST_TEXT) -> str:
    text = _whole(value)
    return text if len(text) <= most else f"{text[:most]}\n... {len(text) - most:,} more characters ..."


def _picture(value: Any, signature: bytes) -> str | None:
    """The picture anew from its bytes, so that nothing else hides in its text."""
    if not isinstance(value, str) or len(value) > MOST_IMAGE:
        return None
    try:
        content = base64.b64decode(value)
    except (binascii.Error, ValueError):
        return None
    return base64.b64encode(content).decode("ascii") if content.startswith(signature) else None
