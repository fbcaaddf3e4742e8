"""What learners' code displayed and wrote, made safe to look at: in the graded notebook, formgrader and feedback."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import html
import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import unquote

import bleach
from bleach.css_sanitizer import CSSSanitizer
from bleach.html5lib_shim import Filter
from nbformat import NotebookNode, from_dict

from checks.observe import OutOfTime, printable
from grading.budget import Budget
from grading.images import SHOWN_SIDE, Gallery, Picture, Unfit, content_of

MOST_OUTPUTS = 200  # of one cell
MOST_TEXT = 100_000  # characters of one output
MOST_FORMS = 20  # of one display
MOST_PICTURES = 200  # of one piece of HTML
SIDES = {"width", "height"}
WIDE = 1000  # pixels, of a picture that may be wider than a page
SECONDS = 1.0  # to make one piece of HTML safe: HTML can be written that takes hours
PICTURE_SECONDS = 5.0
PAGE_SECONDS = 30.0  # for all pieces of a page: a notebook can have thousands
TOO_LONG = "its form, which takes too long to show"
MOST_KEPT = 500  # texts
LARGEST_KEPT = 200_000  # characters
PLAIN = "text/plain"
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
# Nothing is loaded from elsewhere: it would tell who looks at the page, and when. What a text brings along is checked,
# and put in when all else is safe.
BROUGHT = re.compile(r"cid:\d+|attachment:.+")
INSIDE = re.compile(
    r"""(?i)\bsrc\s*=\s*(?:(["'])data:image/[\w.+-]+;base64,([\w+/=\s]*)\1|data:image/[\w.+-]+;base64,([\w+/]+={0,2}))"""
)
BLOCKS = re.compile(r"(?is)<(script|style|svg)\b.*?(</\1\s*>|$)")
RUNNING = re.compile(r"(?i)<(script|iframe|object|embed|video|audio|canvas)\b")
SEEN = re.compile(r"<img\b|(?:^|>)[^<]*[^<\s]")  # in safe HTML


def _allowed(tag: str, name: str, value: str) -> bool:
    if name == "class":
        return CLASSES.fullmatch(value) is not None
    if name == "style":
        return re.search(r"[\\(/]", value) is None
    if name == "href":
        return tag == "a" and LINKS.fullmatch(value) is not None
    if name == "src":
        return tag == "img" and (
            bool(BROUGHT.fullmatch(value)) or (bool(re.fullmatch(HERE, value)) and ".." not in value)
        )
    return name in {
        "a": ("title",),
        "img": ("alt", "title", "width", "height"),
        "td": ("colspan", "rowspan"),
        "th": ("colspan", "rowspan", "scope"),
        "details": ("open",),
        "ol": ("start",),
    }.get(tag, ())


_budget: contextvars.ContextVar[Budget | None] = contextvars.ContextVar("_budget", default=None)


@contextlib.contextmanager
def within(budget: Budget) -> Iterator[None]:
    """Inside, all that is made fit to be looked at takes from this time; when it is over, words and text are left."""
    before = _budget.set(budget)
    try:
        yield
    finally:
        _budget.reset(before)


def _piece(seconds: float = SECONDS) -> contextlib.AbstractContextManager[None]:
    """Inside, one piece is made.

    Raises:
        OutOfTime: when that takes longer, or there is no time left for any.
    """
    return (_budget.get() or Budget(math.inf)).work(seconds)


def _of_page(context: Any) -> Budget:
    """The time for the page that Jinja makes in a context."""
    resources = context.get("resources")
    return Budget(PAGE_SECONDS) if resources is None else resources.setdefault("seconds", Budget(PAGE_SECONDS))


def left_out(what: str) -> str:
    return f"... left out here: {what} ..."


class _Pictures(Filter):
    """Puts in, in place of a picture's name, the picture; and of one that is not there, words.

    A short text can call a large picture any number of times: all that are put in are twice as long as all that there
    are, at most.
    """

    def __init__(self, source: Any, pictures: Mapping[str, str]) -> None:
        super().__init__(source)
        self.pictures = pictures
        self.room = 2 * sum(map(len, pictures.values()))

    def __iter__(self) -> Iterator[Any]:
        for token in super().__iter__():
            if token.get("name") != "img":
                yield token
                continue
            name = token["data"].get((None, "src"), "")
            beside = name if re.fullmatch(HERE, name) else left_out("a picture that does not come with the notebook")
            shown = self.pictures.get(unquote(name), beside)
            if shown.startswith("data:"):
                self.room -= len(shown)
                shown = shown if self.room >= 0 else left_out("a picture that is shown too often")
            if shown.startswith("..."):  # no path does
                yield {"type": "Characters", "data": shown}
            else:
                token["data"] |= {(None, "src"): shown, (None, "style"): "max-width: 100%"}
                yield token


def safe_html(text: str, gallery: Gallery, attached: Any = None, most: float = float("inf")) -> str:
    """HTML without anything that runs, loads or covers the page; as text where that cannot be found out in time.

    Args:
        text: HTML.
        gallery: of the notebook's pictures.
        attached: a cell's attachments, which the text calls by their names.
        most: characters of the text, without the pictures in it.

    Raises:
        Unfit: when it has more, or nothing that can be shown is left of it.
    """
    contents: list[Any] = []

    def named(content: Any) -> str:
        contents[MOST_PICTURES:] = []
        contents.append(content)
        return f'src="cid:{len(contents) - 1}"'

    def block(found: re.Match) -> str:
        return f'<img alt="" {named(found[0])}>' if found[1].lower() == "svg" else ""

    try:
        with _piece():
            running = ", ".join(sorted({tag.lower() for tag in RUNNING.findall(text)}))
            bare = INSIDE.sub(lambda found: named(found[2] or found[3]), BLOCKS.sub(block, text))
            if len(bare) > most:
                raise Unfit(f"HTML of {len(bare):,} characters, which are more than {most:,}")
        pictures = {f"cid:{number}": _uri(content, gallery) for number, content in enumerate(contents[:MOST_PICTURES])}
        for name, forms in (attached or {}).items():
            pictures[f"attachment:{name}"] = _uri(next(iter(forms.values()), ""), gallery)
        cleaner = bleach.Cleaner(
            tags=TAGS,
            attributes=_allowed,
            protocols={"http", "https", "mailto", "cid", "attachment"},
            css_sanitizer=CSSSanitizer(allowed_css_properties=STYLES),
            strip=True,
            filters=[partial(_Pictures, pictures=pictures)],
        )
        with _piece():
            made = cleaner.clean(bare)
    except Unfit:
        raise
    except (OutOfTime, Exception):
        return _plainly(_text(text))
    lost = f"what runs or loads something ({running})" if running else ""
    if lost and not SEEN.search(made):
        raise Unfit(lost)
    return f"{made}<p>{left_out(lost)}</p>" if lost else made


def _uri(content: Any, gallery: Gallery) -> str:
    """A picture as the source of an `img`, or words."""
    try:
        return picture(content, gallery).uri
    except Unfit as error:
        return left_out(str(error))


def picture(content: Any, gallery: Gallery) -> Picture:
    """A picture as it can be shown.

    Args:
        content: as notebooks hold it.
        gallery: of the notebook's pictures.

    Raises:
        Unfit: when it cannot, or takes too long.
    """
    try:
        with _piece(PICTURE_SECONDS):
            return gallery.fit(content_of(content))
    except OutOfTime:
        raise Unfit("a picture, which takes too long to show") from None


def _plainly(text: str) -> str:
    return f"<pre>{html.escape(text)}</pre><p>{left_out(TOO_LONG)}</p>"


def markdown2html(context: Any, source: Any) -> str:
    """nbconvert's filter of this name, with the result made safe; `context` is Jinja's."""
    render, attached = _markdown(), context.get("cell", {}).get("attachments")
    is_usual = not attached and "data:" not in str(source)
    with within(budget := _of_page(context)):
        try:
            if is_usual and (known := _usual.get(str(source))):
                return known
            with _piece():
                text = render(str(source))
            made = safe_html(text, budget.gallery, attached)
            if is_usual:
                _usual.keep(str(source), made)
            return made
        except Unfit as error:
            return f"<p>{left_out(str(error))}</p>"
        except (OutOfTime, Exception):
            return _plainly(str(source))


class _Kept(dict[Any, str]):
    """What became of texts that many pages have: those of the course. It follows from the text alone."""

    def keep(self, text: Any, made: str) -> None:
        if len(self) < MOST_KEPT and len(made) <= LARGEST_KEPT and TOO_LONG not in made:
            self[text] = made


_usual, _highlighted = _Kept(), _Kept()


@functools.cache
def _markdown() -> Callable[[str], str]:
    """With all that it imports, as `_highlighter`."""
    from mistune import HTMLRenderer
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Renderer(IPythonRenderer):
        """nbconvert's, but attachments stay what they are called: it would raise for one that is not there."""

        image = HTMLRenderer.image

    return lambda text: MarkdownWithMath(renderer=Renderer(escape=False)).render(text)


def highlight_code(context: Any, source: str, language: str | None = None, metadata: Any = None) -> str:
    """nbconvert's filter of this name, in bounded time: 100,000 characters of code can take Pygments an hour."""
    highlight, key = _highlighter(), (source, language, (metadata or {}).get("magics_language"))
    if key in _highlighted:
        return _highlighted[key]
    try:
        with within(_of_page(context)), _piece(SECONDS / 2):
            made = highlight(source, language, metadata)
        _highlighted.keep(key, made)
        return made
    except (OutOfTime, Exception):
        return f'<div class="highlight"><pre>{html.escape(source)}</pre></div>'


@functools.cache
def _highlighter() -> Callable[..., str]:
    """With all that it imports, for a second: only those who make pages need it, and a deadline must not cut it."""
    from nbconvert.filters.highlight import Highlight2HTML

    made = Highlight2HTML(pygments_lexer="ipython3")
    made("pass")
    return made


def output(kind: str, **holds: Any) -> NotebookNode:
    """As nbformat's `new_output`, which holds each against the schema of notebooks: of ours it is known."""
    return from_dict({"output_type": kind, **holds})


def safe_outputs(outputs: Any, gallery: Gallery) -> list[NotebookNode]:
    """Of a cell's outputs what can be shown, in known forms only; words in place of the rest.

    Args:
        outputs: as they came.
        gallery: of the notebook's pictures.
    """
    joined = list(_joined(outputs))
    safe = [made for one in joined[:MOST_OUTPUTS] if (made := _safe(one, gallery)) is not None]
    if len(joined) > MOST_OUTPUTS:
        safe.append(output("stream", name="stdout", text=f"... {len(joined) - MOST_OUTPUTS} more outputs ..."))
    return safe


def _joined(outputs: Any) -> Iterator[Any]:
    """The outputs, with streams that continue each other as one, and lines as a terminal leaves them.

    nbconvert does the same, but takes a time that grows with the square of a line's length.
    """
    for stream, some in itertools.groupby(outputs, lambda o: o.get("output_type") == "stream" and o.get("name")):
        if stream is False:
            yield from some
            continue
        lines = "".join(_whole(one.get("text")) for one in some).split("\n")
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
        yield {"output_type": "stream", "name": stream, "text": text}


def _safe(given: Any, gallery: Gallery) -> NotebookNode | None:
    kind = given.get("output_type")
    if kind == "stream":
        name = "stderr" if given.get("name") == "stderr" else "stdout"
        return output("stream", name=name, text=_text(given.get("text")))
    if kind == "error":
        lines = given.get("traceback")
        lines = [_text(line, 5000) for line in lines[:200]] if isinstance(lines, list) else []
        return output(
            "error", ename=_text(given.get("ename"), 200), evalue=_text(given.get("evalue"), 2000), traceback=lines
        )
    data = given.get("data")
    if kind not in ("display_data", "execute_result") or not isinstance(data, dict) or not data:
        return None
    said = given.get("metadata")
    kept, looks, lost = {}, {}, []
    for mime, value in [*data.items()][:MOST_FORMS]:
        look = _look(said.get(mime)) if isinstance(said, dict) else {}
        try:
            form, made = _form(mime, value, look, gallery)
            kept.setdefault(form, made)
            looks |= {form: look} if look else {}
        except Unfit as error:
            lost.append(left_out(str(error)))
    if not kept.keys() - {PLAIN}:  # else the same is shown in another form
        kept[PLAIN] = "\n".join([*kept.values(), *lost])
    return output("display_data", metadata=looks, data=kept)


def _form(mime: Any, value: Any, look: dict[str, Any], gallery: Gallery) -> tuple[str, str]:
    """One form of a display, as it can be shown: its MIME type, and its text.

    Raises:
        Unfit: when it cannot.
    """
    if mime in (PLAIN, "text/markdown", "text/latex"):
        return mime, _text(value)
    if mime == "text/html":
        made = safe_html(_whole(value), gallery, most=MOST_TEXT)
        if not made.strip():
            raise Unfit("HTML that shows nothing")
        return mime, made
    if not isinstance(mime, str) or not mime.startswith("image/"):
        raise Unfit(f"a display of type {printable(str(mime), 60)}")
    shown = picture(value, gallery)
    if shown.mime in ("image/png", "image/jpeg") and (look.keys() & SIDES or shown.width <= WIDE):
        return shown.mime, shown.base64
    # Pages show no others by themselves, and wide ones beyond their edge; JupyterLab no SVG that it does not trust.
    return "text/html", f'<img alt="" src="{shown.uri}" style="max-width: 100%; background-color: white">'


def _look(said: Any) -> dict[str, Any]:
    """How a picture is to be shown: in which size, as on screens with small pixels, and before what."""
    if not isinstance(said, dict):
        return {}
    look = {side: said[side] for side in said.keys() & SIDES}
    if not all(type(size) is int and 0 < size <= SHOWN_SIDE for size in look.values()):
        look = {}
    if said.get("needs_background") in ("light", "dark"):
        look["needs_background"] = said["needs_background"]
    return look


def _whole(value: Any) -> str:
    text = "".join(map(str, value)) if isinstance(value, list) else value if isinstance(value, str) else ""
    return text.encode("utf-8", "replace").decode("utf-8")


def _text(value: Any, most: int = MOST_TEXT) -> str:
    text = _whole(value)
    return text if len(text) <= most else f"{text[:most]}\n... {len(text) - most:,} more characters ..."
