"""The body of a Wix post, from the markup between `rcv-block-first` and `rcv-block-last`.

Every block is followed by an empty marker `<div type="paragraph" data-hook="rcv-block7">` that names its kind; around
the blocks stand wrappers with hashed classes, which are passed over. A picture is a `wow-image` whose `data-image-info`
names the original file (the `img` inside is a blurred preview, if it is there at all). Galleries, videos and embedded
pages are mostly empty shells that a script fills: the marker tells so. [reference: section 6, "HTML rendering"]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from html import escape

from bs4 import Tag
from bs4.element import PageElement

from scraper.items import Image, Link
from scraper.platforms._values import BLOCKS, clean, events, sanitise_html, text_of, visible
from scraper.platforms.wix.hooks import before, inside
from scraper.platforms.wix.images import picture_of

Resolve = Callable[[str], str]

# Inline elements that say something; spans and the like only carry style.
_INLINE = {
    "a",
    "abbr",
    "b",
    "cite",
    "code",
    "del",
    "em",
    "i",
    "ins",
    "mark",
    "q",
    "s",
    "small",
    "strong",
    "sub",
    "sup",
    "u",
}
# Blocks that hold other blocks: their tags are kept as they come.
_FRAMES = {"ul", "ol", "li", "blockquote", "figure", "table", "thead", "tbody", "tfoot", "tr", "td", "th", "dl"}
# Blocks that hold text: a run of text inside takes the tag of the innermost one; other blocks (div) give a `p`.
_TEXTS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "figcaption", "dt", "dd", "caption"}
# Frames in which a run of text needs no tag of its own.
_BARE = {"li", "td", "th"}

# Kinds of blocks whose markup is complete; any other kind that gave neither text nor media is a shell.
_COMPLETE = {
    "first", "last", "paragraph", "empty-line", "heading", "unstyled", "blockquote", "code-block", "divider", "image",
    "bulleted-list", "ordered-list", "collapsible-list", "button", "link-button", "action-button", "caption", "layout",
    *(f"h{level}" for level in range(1, 7)), *(f"header-{n}" for n in ("one", "two", "three", "four", "five", "six")),
    "unordered-list-item", "ordered-list-item", "list-item",
}  # fmt: skip
# "wix-draft-plugin-gallery", "wix-rich-content-plugin-collapsible-list" -> "gallery", "collapsible-list"
_PLUGIN = re.compile(r"^wix-(?:draft|rich-content)-plugin-")
# "line one\nline two" is a soft break of the author; a line break before indentation is one of a program that
# re-indented the page ("Self-Care\n                    Routines")
_SOFT_BREAK = re.compile(r"\r?\n[ \t]{0,3}(?=\S)")

_MOST_INLINE = 30  # inline elements one inside the other; what lies deeper keeps its text alone
# Blocks stand at most this many elements below the marker of the first one.
_DEEPEST_BLOCK = 3
_GALLERY = {"gallery-viewer", "galleryViewer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What stands between the first and the last block. `text` has a block a line; None where there is no text."""

    html: str | None = field(repr=False)
    text: str | None = field(repr=False)
    links: tuple[Link, ...]
    images: tuple[Image, ...]
    shells: bool  # a gallery, video, table, file or embedded page is an empty shell, or may hold more than is shown


def render(nodes: Iterable[PageElement], resolve: Resolve) -> Body:
    """Read the nodes between the block markers; `resolve` makes the addresses of links absolute. Never raises."""
    writer = _Writer(resolve)
    for kind, what in events(nodes):
        if isinstance(what, str):
            writer.text(what)
        elif kind == "open":
            writer.open(what)
        else:
            writer.close(what)
    writer.end()
    html = sanitise_html("".join(writer.html)) if writer.html else ""
    return Body(
        html=html or None,
        text="\n".join(writer.lines) or None,
        links=tuple(writer.links),
        images=tuple(writer.images),
        shells=writer.shells,
    )


class _Writer:
    """Collects the parts of a body in reading order, from a flat stream of events."""

    def __init__(self, resolve: Resolve) -> None:
        self.html: list[str] = []
        self.lines: list[str] = []
        self.links: list[Link] = []
        self.images: list[Image] = []
        self.shells = False
        self._resolve = resolve
        self._run: list[str] = []  # markup of the run of text that is open
        self._plain: list[str] = []  # its text
        self._has_media = False  # the run holds a picture
        self._inline: list[tuple[str, str]] = []  # open inline elements: (opening tag, closing tag)
        self._blocks: list[str] = []  # open blocks
        self._named: list[str] = []  # those of them whose tags are kept
        self._figures: list[tuple[Tag, int]] = []  # open figures, and the pictures that came before each
        self._skip: Tag | None = None  # the element whose content is not read
        self._anchor: list[str] | None = None  # texts of the link that is open
        self._href = ""
        self._rel: str | None = None
        self._before: dict[int, int] = {}  # element near the top -> lines, links and media that came before it

    # --- events

    def open(self, tag: Tag) -> None:
        """An element begins."""
        if self._skip is not None:
            return
        name = tag.name
        if len(self._blocks) <= _DEEPEST_BLOCK:
            self._before[id(tag)] = self._came()
        if self._alone(tag, str(tag.get("data-hook") or "")):
            self._skip = tag
        elif name == "br":
            self._plain.append(" ")
            self._run.append("<br>")
        elif name in BLOCKS:
            self._flush()
            self._blocks.append(name)
            if name == "figure":
                self._figures.append((tag, len(self.images)))
            if name in _FRAMES or name in _TEXTS:
                self._named.append(name)
            if name in _FRAMES:
                self.html.append(f'<ol start="{tag["start"]}">' if name == "ol" and _number(tag) else f"<{name}>")
        elif name in _INLINE:
            self._open_inline(tag)

    def _alone(self, tag: Tag, hook: str) -> bool:
        """Read an element that is one thing, whatever is in it: a marker, picture, gallery, film or rule."""
        if hook.startswith("rcv-block"):
            self._marker(tag)
        elif hook in _GALLERY:
            self._gallery(tag)
        elif tag.name in ("wow-image", "img"):
            self._picture(tag)
        elif tag.name in ("video", "audio"):
            self._film(tag)
        elif tag.name == "hr" or hook.startswith("divider"):
            self._flush()
            self.html.append("<hr>")
        else:
            return False
        return True

    def close(self, tag: Tag) -> None:
        """An element ends."""
        if self._skip is not None:
            if tag is self._skip:
                self._skip = None
            return
        name = tag.name
        if name in BLOCKS and self._blocks and self._blocks[-1] == name:
            self._flush()
            self._blocks.pop()
            if name in _FRAMES or name in _TEXTS:
                self._named.pop()
            if name == "figure":
                self._caption(*self._figures.pop())
            if name in _FRAMES:
                if self.html and self.html[-1] == f"<{name}>":
                    self.html.pop()  # nothing came between
                else:
                    self.html.append(f"</{name}>")
        elif name in _INLINE and self._inline:
            if name == "a" and self._anchor is not None:
                self._link()
            self._run.append(self._inline.pop()[1])

    def text(self, text: str) -> None:
        """A string of the element that is open."""
        if self._skip is None:
            self._plain.append(text)
            if self._anchor is not None:
                self._anchor.append(text)
            markup = escape(text, quote=False)
            self._run.append(_SOFT_BREAK.sub("<br>", markup) if "\n" in markup else markup)

    def end(self) -> None:
        """The body is over."""
        self._flush()
        self._link()

    # --- parts

    def _flush(self) -> None:
        """End the run of text: it becomes a line, and a block of markup."""
        if self._plain or self._has_media:
            self._block()
        self._run.clear()
        if self._inline:
            self._run.extend(start for start, _ in self._inline[:_MOST_INLINE])
        if self._anchor:
            self._anchor.append(" ")

    def _block(self) -> None:
        line = clean("".join(self._plain))
        if line is not None and visible(line):
            self.lines.append(line)
        else:
            line = None
        if line is not None or self._has_media:
            closing = "".join(end for _, end in reversed(self._inline[:_MOST_INLINE]))
            markup = "".join(self._run).strip() + closing
            if not self._named or self._named[-1] != "pre":
                markup = " ".join(markup.split())
            inner = self._blocks[-1] if self._blocks else "p"
            if self._has_media or inner in _BARE:
                self.html.append(markup)
            else:
                tag = self._named[-1] if self._named and self._named[-1] in _TEXTS else "p"
                self.html.append(f"<{tag}>{markup}</{tag}>")
        self._plain.clear()
        self._has_media = False

    def _open_inline(self, tag: Tag) -> None:
        start, end = f"<{tag.name}>", f"</{tag.name}>"
        href = tag.get("href") if tag.name == "a" else None
        if isinstance(href, str) and href.strip() and not href.strip().lower().startswith("javascript:"):
            self._link()  # a link inside a link: the markup is broken, keep both
            self._href = self._resolve(href)
            self._rel = clean(" ".join(tag.get_attribute_list("rel"))) if tag.get("rel") else None
            self._anchor = []
            start = f'<a href="{escape(self._href)}">'
        elif tag.name == "a" or len(self._inline) >= _MOST_INLINE:
            start = end = ""
        self._inline.append((start, end))
        self._run.append(start)

    def _link(self) -> None:
        """End the link that is open, if one is."""
        if self._anchor is not None:
            text = clean("".join(self._anchor))
            self.links.append(Link(url=self._href, text=text, rel=self._rel))
            if "/_files/" in self._href or "/ugd/" in self._href:
                self.images.append(Image(url=self._href, alt=text, kind="file"))
            self._anchor = None

    def _picture(self, tag: Tag) -> None:
        url, alt = picture_of(tag)
        if url is None:
            return
        self._add(Image(url=url, alt=alt))

    def _caption(self, figure: Tag, earlier: int) -> None:
        """A figure is over: its caption is that of the pictures in it."""
        caption = text_of(next(inside(figure, "figcaption"), None))
        if caption is not None:
            self.images[earlier:] = [replace(image, caption=caption) for image in self.images[earlier:]]

    def _gallery(self, tag: Tag) -> None:
        """A gallery shows the pictures first in view, each twice (a preview, a copy); the rest comes by script."""
        self.shells = True
        seen: set[str] = set()
        for picture in inside(tag, "wow-image", "img"):
            url, alt = picture_of(picture)
            if url is not None and url not in seen:
                seen.add(url)
                self._add(Image(url=url, alt=alt, kind="gallery"))

    def _film(self, tag: Tag) -> None:
        for player in (tag, next(inside(tag, "source"), None)):
            source = player.get("src") if player is not None else None
            if isinstance(source, str) and source and not source.startswith(("blob:", "data:")):
                self.images.append(Image(url=self._resolve(source), kind="video"))
                break

    def _add(self, image: Image) -> None:
        self.images.append(image)
        self._run.append(f'<img src="{escape(image.url)}" alt="{escape(image.alt or "")}">')
        self._has_media = True

    def _came(self) -> int:
        return len(self.lines) + len(self.images) + len(self.links)

    def _marker(self, tag: Tag) -> None:
        """The block before is over; one of a kind that a script fills, and that gave nothing, is a shell."""
        self._flush()
        kind = _PLUGIN.sub("", str(tag.get("type") or "").strip().lower()).replace("_", "-")
        came_before = self._before.get(id(before(tag)), -1)
        if kind and kind not in _COMPLETE and (self._came() == came_before or kind == "gallery"):
            self.shells = True


def _number(tag: Tag) -> bool:
    start = tag.get("start")
    return isinstance(start, str) and start.isascii() and start.isdigit() and len(start) < 6 and start != "1"
