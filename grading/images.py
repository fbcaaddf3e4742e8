"""Pictures that learners show or attach, made fit to be looked at: of known forms, bounded, scaled down where large.

A picture's size is read from its header before anything of it is decoded.
"""

from __future__ import annotations

import base64
import io
import itertools
import re
import warnings
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "GIF")
SHOWN_SIDE = 2000  # pixels: a larger picture is scaled down to it
SHOWN_BYTES = {"PNG": 1 << 20, "JPEG": 1 << 20, "GIF": 3 << 20}  # of a picture that stays as it is: GIFs move
MOST_PIXELS = 64_000_000  # of one that is scaled down: more than cameras and screens have
MOST_OF_ALL = 200_000_000  # pixels of all pictures of a notebook, as they came, and of all frames of one that moves
# Pixels of a JPEG, times its scans: 53 bytes have all its pixels gone through once more. Cameras make 10 scans at most.
MOST_SCANNED = 1_000_000_000
SCAN = re.compile(rb"\xff\xda\0[\x06-\x0e][\0-\4]")  # how one begins, and hardly anything else
KEPT_MODES = ("L", "LA", "RGB", "RGBA")
SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
SVG_BYTES = 2 << 20
MOST_ELEMENTS = 20_000  # of an SVG, also of what is drawn when each is drawn as often as it is used
MOST_DEPTH = 100
DRAWN = {
    *("svg", "g", "defs", "symbol", "use", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text"),
    *("tspan", "image", "clipPath", "pattern", "linearGradient", "radialGradient", "stop", "style"),
}
PASSED = {"a", "switch"}  # only what is in them is drawn
CLOSED = {"clipPath", "pattern"}  # what is in them refers to nothing
NAME = re.compile(r"(?!on|filter|mask)[a-z][\w-]*", re.IGNORECASE)
LOCAL = re.compile(r"url\(\s*['\"]?#([\w.:-]+)['\"]?\s*\)", re.IGNORECASE)
UNSAFE = re.compile(r"[\\@<]|url\(|script|filter|mask|expression", re.IGNORECASE)


class Unfit(Exception):
    """Something cannot be shown; the message says what it is, and why."""


class Picture(NamedTuple):
    """A picture that can be shown. An SVG has no width."""

    mime: str
    content: bytes
    width: int = 0

    @property
    def base64(self) -> str:
        return base64.b64encode(self.content).decode("ascii")

    @property
    def uri(self) -> str:
        return f"data:{self.mime};base64,{self.base64}"


@dataclass
class Gallery:
    """The pictures of one notebook.

    Attributes:
        left: pixels that those to come may have.
    """

    left: int = MOST_OF_ALL

    def fit(self, content: bytes) -> Picture:
        """A picture as it can be shown.

        Raises:
            Unfit: when it cannot.
        """
        if content.lstrip()[:1] == b"<":
            return Picture("image/svg+xml", _Drawing(self).read(content))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what is too large for Pillow is for us, too
                with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                    return self._fit(image, content)
        except MemoryError:
            raise Unfit("a picture for which there is not enough memory") from None
        except Image.DecompressionBombError:
            raise Unfit(f"a picture of more than {MOST_PIXELS:,} pixels") from None
        except Unfit:
            raise
        except Exception:
            raise Unfit(f"a picture that is damaged, or no {', '.join(FORMATS)} or SVG") from None

    def _fit(self, image: Any, content: bytes) -> Picture:
        form = "JPEG" if image.format == "MPO" else image.format  # a photo with more than one picture: the first
        pixels, small = image.width * image.height, max(image.size) <= SHOWN_SIDE
        frames = content.count(b"fcTL") if form == "PNG" else getattr(image, "n_frames", 1)
        if pixels > MOST_PIXELS:
            raise Unfit(f"a picture of {image.width:,} x {image.height:,} pixels, which are more than {MOST_PIXELS:,}")
        if pixels > self.left:
            raise Unfit(f"a picture that comes after others of {MOST_OF_ALL - self.left:,} pixels")
        self.left -= pixels
        most = MOST_SCANNED // pixels
        if form == "JPEG" and any(itertools.islice(SCAN.finditer(content), most, None)):
            raise Unfit(f"a picture that is scanned more than {most:,} times")
        if small and len(content) <= SHOWN_BYTES[form] and pixels * frames <= MOST_OF_ALL:
            return Picture(Image.MIME[form], content, image.width)
        image.draft("RGB", (SHOWN_SIDE, SHOWN_SIDE))  # of a JPEG then not all is decoded
        if image.mode.startswith("I"):  # 16 bits of grey, of which Pillow keeps the lower ones, cut off at 255
            image = image.point(lambda grey: grey / 256).convert("L")
        if image.mode not in KEPT_MODES:
            image = image.convert("RGBA")
        image.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
        image = ImageOps.exif_transpose(image)
        if form != "JPEG":
            made = _saved(image, "PNG")
            if len(made) <= SHOWN_BYTES["PNG"]:
                return Picture("image/png", made, image.width)
        if image.mode != "RGB":
            paper = Image.new("RGBA", image.size, "white")
            paper.alpha_composite(image.convert("RGBA"))
            image = paper.convert("RGB")
        return Picture("image/jpeg", _saved(image, "JPEG", quality=85), image.width)


def _saved(image: Any, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def content_of(value: Any) -> bytes:
    """The bytes of a picture as notebooks hold it: a text, or its lines, in base64; an SVG also as it is.

    Raises:
        Unfit: when it is something else.
    """
    text = "".join(map(str, value)) if isinstance(value, list) else value
    if not isinstance(text, str):
        raise Unfit("a picture that is no text")
    if text.lstrip()[:1] == "<":
        return text.encode("utf-8", "replace")
    try:
        return base64.b64decode(text)
    except ValueError:
        raise Unfit("a picture that is no base64") from None


@dataclass
class _Element:
    """One of an SVG, as far as it decides how much is drawn.

    Attributes:
        inside: the elements in it.
        once: ids of what is drawn with it, or cuts it, one time.
        each: ids of what paints it: what is in it inherits that.
        drawn: how many elements are drawn where it is, once that is known.
    """

    inside: list[_Element] = field(default_factory=list)
    once: list[str] = field(default_factory=list)
    each: list[str] = field(default_factory=list)
    drawn: int | None = None


@dataclass
class _Drawing:
    """An SVG, written anew with known elements only: nothing that runs, loads, or is drawn more often than can be.

    Only shown as a picture, it could neither run nor load anything. But a few lines can ask for billions of shapes,
    each of which is used several times by the next one.

    Attributes:
        gallery: to which the pictures in it belong.
        path: the elements around the place that is read; None: not drawn.
        around: these elements, in one that stands for the whole.
        named: elements by id, which should be one each.
        count: of elements.
        style: where in what is made the text of the last style begins.
    """

    gallery: Gallery
    made: list[str] = field(default_factory=list)
    path: list[str | None] = field(default_factory=list)
    around: list[_Element] = field(default_factory=lambda: [_Element()])
    named: dict[str, list[_Element]] = field(default_factory=dict)
    count: int = 0
    style: int = 0

    def read(self, content: bytes) -> bytes:
        """Its bytes, anew.

        Raises:
            Unfit: when it is no SVG, or too large.
        """
        if len(content) > SVG_BYTES:
            raise Unfit(f"an SVG of {len(content):,} bytes, which are more than {SVG_BYTES:,}")
        parser = expat.ParserCreate("utf-8", " ")
        parser.StartElementHandler, parser.EndElementHandler = self._begin, self._end
        parser.CharacterDataHandler, parser.EntityDeclHandler = self._text, self._refuse
        parser.buffer_text = True
        try:
            parser.Parse(content, True)
        except expat.ExpatError:
            raise Unfit("an SVG that is damaged") from None
        self._count_drawn(self.around[0].inside[0], 1)
        return "".join(self.made).encode("utf-8", "replace")

    def _count_drawn(self, element: _Element, depth: int) -> int:
        """How many elements are drawn where this one is, with all that it refers to, each as often as it is drawn.

        Raises:
            Unfit: for too many, in number or in each other, as are those that refer to themselves.
        """
        if element.drawn is None:
            if depth > MOST_DEPTH:
                raise Unfit(f"an SVG of more than {MOST_DEPTH} elements in each other, or in what they use")
            drawn = 1 + sum(self._count_drawn(each, depth + 1) for each in element.inside)
            drawn += sum(self._count_named(id, depth + 1) for id in element.once)
            element.drawn = drawn * (1 + sum(self._count_named(id, depth + 1) for id in element.each))
            if element.drawn > MOST_ELEMENTS:
                raise Unfit(f"an SVG that draws more than {MOST_ELEMENTS:,} shapes")
        return element.drawn

    def _count_named(self, id: str, depth: int) -> int:
        return max((self._count_drawn(each, depth) for each in self.named.get(id, ())), default=0)

    def _refuse(self, *_: Any) -> None:
        raise Unfit("an SVG with entities")

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        space, _, tag = name.rpartition(" ")
        self.count += 1
        if self.count > MOST_ELEMENTS or len(self.path) == MOST_DEPTH:
            raise Unfit(f"an SVG of more than {MOST_ELEMENTS:,} elements, or more than {MOST_DEPTH} in each other")
        if not self.path and (tag != "svg" or space not in ("", SVG)):
            raise Unfit("a text that is no SVG")
        is_closed = bool(CLOSED & {*self.path})
        is_drawn = space in ("", SVG) and ((tag in DRAWN and not (is_closed and tag == "use")) or tag in PASSED)
        is_drawn = is_drawn and (not self.path or self.path[-1] not in (None, "style"))
        element = _Element()
        self.path.append(tag if is_drawn else None)
        self.around[-1].inside.append(element)
        self.around.append(element)
        if "id" in attributes:
            self.named.setdefault(attributes["id"], []).append(element)
        if not is_drawn or tag in PASSED:
            return
        kept = {name.rpartition(" ")[2]: self._value(tag, name, attributes[name], is_closed) for name in attributes}
        shown = "".join(f" {name}={quoteattr(value)}" for name, value in kept.items() if value is not None)
        spaces = f' xmlns="{SVG}"' if len(self.path) == 1 else ""
        self.made.append(f"<{tag}{spaces}{shown}>")
        self.style = len(self.made) if tag == "style" else self.style

    def _value(self, tag: str, name: str, value: str, is_closed: bool) -> str | None:
        """An attribute's value; None where it is left out."""
        space, _, name = name.rpartition(" ")
        if name == "href" and space in ("", XLINK):
            if tag == "image":
                return self._picture(value)
            if not re.fullmatch(r"#[\w.:-]+", value) or tag not in ("use", "linearGradient", "radialGradient"):
                return None
            self.around[-1].once.append(value[1:])
            return value
        if space or not NAME.fullmatch(name) or (is_closed and LOCAL.search(value)):
            return None
        if name in ("id", "class"):
            return value
        if UNSAFE.search(LOCAL.sub("", value)):
            return None
        element = self.around[-1]
        (element.once if name == "clip-path" else element.each).extend(LOCAL.findall(value))
        return value

    def _picture(self, value: str) -> str | None:
        found = re.fullmatch(r"data:image/(?:png|jpeg);base64,([\w+/=\s]+)", value)
        if not found:
            return None
        picture = self.gallery.fit(content_of(found[1]))
        return picture.uri if picture.width else None

    def _text(self, text: str) -> None:
        if self.path[-1] in ("text", "tspan", "a", "style"):
            self.made.append(escape(text))

    def _end(self, name: str) -> None:
        tag, _ = self.path.pop(), self.around.pop()
        if tag == "style" and UNSAFE.search("".join(self.made[self.style :])):
            del self.made[self.style :]
        if tag is not None and tag not in PASSED:
            self.made.append(f"</{tag}>")
