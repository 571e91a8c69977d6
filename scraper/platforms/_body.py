"""The body of a post: HTML nodes -> sanitised HTML, text with a block a line, links and images.

`BodyWriter` reads ordinary HTML. A platform whose bodies hold galleries, placeholders or marks of its own subclasses
it and overrides `read_whole`, `image_of` or `file_of`. Nothing here raises on unexpected markup.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from html import escape
from urllib.parse import urljoin

from bs4 import Tag
from bs4.element import PageElement

from scraper.items import Image, Link
from scraper.platforms._html import BLOCKS, events, names_avatar, names_person, sanitise_html, text_of
from scraper.platforms._images import image_source
from scraper.platforms._tree import descendants
from scraper.platforms._values import clean, visible

Resolve = Callable[[str], str]

# Inline elements with a meaning; spans and the like only carry style.
_INLINE = frozenset("a abbr b cite code del em i ins mark q s small strong sub sup u".split())
# Elements that are one thing with all their content.
WHOLE_ELEMENTS = frozenset({"img", "video", "audio", "hr"})
# Blocks that hold other blocks: their tags stay as they are.
_CONTAINERS = frozenset("ul ol li blockquote figure table thead tbody tfoot tr td th dl".split())
# Blocks that hold text: a run of text takes the tag of the innermost one; in any other block (div) it becomes a `p`.
_TEXT_BLOCKS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "figcaption", "dt", "dd", "caption"})
# Containers in which a run of text needs no tag of its own.
_BARE = frozenset({"li", "td", "th"})
# "line one\nline two" is a soft break of the author; a line break before indentation is one of a program that
# re-indented the page ("Self-Care\n                    Routines")
_SOFT_BREAK = re.compile(r"\r?\n[ \t]{0,3}(?=\S)")

_MAX_INLINE = 30  # inline elements one inside the other; of what lies deeper only the text is taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The body of a post. `text` holds one block a line and no empty line; None where there is no text."""

    html: str | None = field(default=None, repr=False)
    text: str | None = field(default=None, repr=False)
    links: tuple[Link, ...] = ()
    images: tuple[Image, ...] = ()
    media_pending: bool = False  # a gallery, video, table, file or embedded page is empty or may be incomplete


def resolver(base: str) -> Resolve:
    """Return a function that makes addresses absolute; one that cannot be parsed stays as it is."""

    def resolve(link: str) -> str:
        try:
            return urljoin(base, link.strip())
        except ValueError:  # "http://[x"
            return link.strip()

    return resolve


def read_body(nodes: Iterable[PageElement], resolve: Resolve) -> Body:
    """Read the nodes of a body of ordinary HTML; `resolve` makes addresses absolute."""
    return BodyWriter(resolve).read(nodes)


class BodyWriter:
    """Collects the parts of one body in reading order, from a flat stream of events."""

    def __init__(self, resolve: Resolve) -> None:
        self.html: list[str] = []
        self.lines: list[str] = []
        self.links: list[Link] = []
        self.images: list[Image] = []
        self.media_pending = False
        self.resolve = resolve
        self.skipped: Tag | None = None  # the element whose content is not read
        self.blocks: list[str] = []  # open blocks
        self._run: list[str] = []  # markup of the open run of text
        self._plain: list[str] = []  # its text
        self._has_media = False  # it holds a picture
        self._inline: list[tuple[str, str]] = []  # open inline elements: (opening tag, closing tag)
        self._written: list[str] = []  # open blocks whose tags are written
        self._figures: list[tuple[Tag, int]] = []  # open figures, and the number of pictures before each
        self._anchor: list[str] | None = None  # texts of the open link
        self._href = ""
        self._rel: str | None = None

    def read(self, nodes: Iterable[PageElement]) -> Body:
        """Read the nodes and return what they hold."""
        for kind, node in events(nodes):
            if isinstance(node, str):
                self.text(node)
            elif kind == "open":
                self.open(node)
            else:
                self.close(node)
        self.flush()
        self._end_link()
        html = sanitise_html("".join(self.html)) if self.html else ""
        return Body(
            html=html or None,
            text="\n".join(self.lines) or None,
            links=tuple(self.links),
            images=tuple(self.images),
            media_pending=self.media_pending,
        )

    # --- what a platform overrides

    def read_whole(self, tag: Tag) -> bool:
        """Read an element that is one thing with all its content: a picture, film or rule. False: it is none."""
        if tag.name not in WHOLE_ELEMENTS:
            return False
        if tag.name == "img":
            image = self.image_of(tag)
            if image is not None:
                self.add_image(image)
        elif tag.name in ("video", "audio"):
            self.add_film(tag)
        else:
            self.add_rule()
        return True

    def image_of(self, tag: Tag) -> Image | None:
        """Return the picture of an `img`; None where it names no file."""
        source = image_source(tag)
        if source is None or names_avatar(source):
            return None
        return Image(url=self.resolve(source), alt=clean(str(tag.get("alt") or "")))

    def file_of(self, link: Link) -> Image | None:
        """Return the file that belongs to the post where a link leads to one; none in ordinary HTML."""
        return None

    # --- events

    def open(self, tag: Tag) -> None:
        """Begin an element."""
        if self.skipped is not None:
            return
        name = tag.name
        if self.read_whole(tag):
            self.skipped = tag
        elif name == "br":
            self._plain.append(" ")
            self._run.append("<br>")
        elif name in BLOCKS:
            self.flush()
            self.blocks.append(name)
            if name == "figure":
                self._figures.append((tag, len(self.images)))
            if name in _CONTAINERS or name in _TEXT_BLOCKS:
                self._written.append(name)
            if name in _CONTAINERS:
                self.html.append(f'<ol start="{tag["start"]}">' if name == "ol" and _has_start(tag) else f"<{name}>")
        elif name in _INLINE:
            self._open_inline(tag)

    def close(self, tag: Tag) -> None:
        """End an element."""
        if self.skipped is not None:
            if tag is self.skipped:
                self.skipped = None
            return
        name = tag.name
        if name in BLOCKS and self.blocks and self.blocks[-1] == name:
            self._close_block(name)
        elif name in _INLINE and self._inline:
            if name == "a" and self._anchor is not None:
                self._end_link()
            self._run.append(self._inline.pop()[1])

    def text(self, text: str) -> None:
        """Add a string of the open element."""
        if self.skipped is None:
            self._plain.append(text)
            if self._anchor is not None:
                self._anchor.append(text)
            markup = escape(text, quote=False)
            self._run.append(_SOFT_BREAK.sub("<br>", markup) if "\n" in markup else markup)

    # --- parts

    def flush(self) -> None:
        """End the run of text: it becomes a line of text and a block of markup."""
        if self._plain or self._has_media:
            self._write_run()
        self._run.clear()
        if self._inline:
            self._run.extend(start for start, _ in self._inline[:_MAX_INLINE])
        if self._anchor:
            self._anchor.append(" ")

    def add_image(self, image: Image) -> None:
        """Add a picture to the images and to the open run of markup."""
        self.images.append(image)
        self._run.append(f'<img src="{escape(image.url)}" alt="{escape(image.alt or "")}">')
        self._has_media = True

    def add_film(self, tag: Tag) -> None:
        """Add the file of a `video` or `audio` to the images, where an address that can be fetched names it."""
        for player in (tag, next(descendants(tag, "source"), None)):
            source = player.get("src") if player is not None else None
            if isinstance(source, str) and source and not source.startswith(("blob:", "data:")):
                self.images.append(Image(url=self.resolve(source), kind="video"))
                break

    def add_rule(self) -> None:
        """Add a horizontal rule."""
        self.flush()
        self.html.append("<hr>")

    def _close_block(self, name: str) -> None:
        self.flush()
        self.blocks.pop()
        if name in _CONTAINERS or name in _TEXT_BLOCKS:
            self._written.pop()
        if name == "figure":
            self._add_caption(*self._figures.pop())
        if name in _CONTAINERS:
            if self.html and self.html[-1] == f"<{name}>":
                self.html.pop()  # nothing came between
            else:
                self.html.append(f"</{name}>")

    def _write_run(self) -> None:
        line = clean("".join(self._plain))
        if line is not None and visible(line):
            self.lines.append(line)
        else:
            line = None
        if line is not None or self._has_media:
            closing = "".join(end for _, end in reversed(self._inline[:_MAX_INLINE]))
            markup = "".join(self._run).strip() + closing
            if not self._written or self._written[-1] != "pre":
                markup = " ".join(markup.split())
            innermost = self.blocks[-1] if self.blocks else "p"
            if self._has_media or innermost in _BARE:
                self.html.append(markup)
            else:
                tag = self._written[-1] if self._written and self._written[-1] in _TEXT_BLOCKS else "p"
                self.html.append(f"<{tag}>{markup}</{tag}>")
        self._plain.clear()
        self._has_media = False

    def _open_inline(self, tag: Tag) -> None:
        start, end = f"<{tag.name}>", f"</{tag.name}>"
        href = tag.get("href") if tag.name == "a" else None
        is_address = isinstance(href, str) and href.strip() and not href.strip().lower().startswith("javascript:")
        if isinstance(href, str) and is_address and not names_person(tag):
            self._end_link()  # a link inside a link: the markup is broken, both are taken
            self._href = self.resolve(href)
            self._rel = clean(" ".join(tag.get_attribute_list("rel"))) if tag.get("rel") else None
            self._anchor = []
            start = f'<a href="{escape(self._href)}">'
        elif tag.name == "a" or len(self._inline) >= _MAX_INLINE:
            start = end = ""
        self._inline.append((start, end))
        self._run.append(start)

    def _end_link(self) -> None:
        """End the open link, if there is one."""
        if self._anchor is not None:
            link = Link(url=self._href, text=clean("".join(self._anchor)), rel=self._rel)
            self.links.append(link)
            file = self.file_of(link)
            if file is not None:
                self.images.append(file)
            self._anchor = None

    def _add_caption(self, figure: Tag, earlier: int) -> None:
        """Give the pictures of a figure that ends, all but the `earlier` ones, its caption."""
        caption = text_of(next(descendants(figure, "figcaption"), None))
        if caption is not None:
            self.images[earlier:] = [replace(image, caption=caption) for image in self.images[earlier:]]


def _has_start(tag: Tag) -> bool:
    """Tell whether a list begins at another number than 1."""
    start = tag.get("start")
    return isinstance(start, str) and start.isascii() and start.isdigit() and len(start) < 6 and start != "1"
