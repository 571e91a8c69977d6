"""Rich content of Wix -> sanitised HTML, text, links and media. Three forms of it are read, the newer one natively:

*Ricos*  `{"nodes": [{"type": "PARAGRAPH", "nodes": [{"type": "TEXT", "textData": {...}}]}]}`, posts from 2021 on and
         every comment (dev.wix.com, "Ricos document"; node and decoration names as captured in 2024);
*numeric* the same tree with the numbers of the protocol buffer instead of names, `"type": 8` for VIDEO (2020-2021);
*Draft.js* `{"blocks": [...], "entityMap": {...}}`, before that (draftjs.org, `RawDraftContentState`).

Nothing here raises on a strange shape: what is not what it should be is passed over, its texts are kept.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from scraper.items import Image, Link
from scraper.platforms._html import sanitise_html
from scraper.platforms._json import dig, mapping, sequence, string
from scraper.platforms._values import clean, visible
from scraper.platforms.wix.draftjs import nodes_of_draft

Kind = Literal["image", "gallery", "video", "file"]
MEDIA = "https://static.wixstatic.com/media/"
VIDEOS = "https://video.wixstatic.com/"
FILES = "https://static.wixstatic.com/ugd/"
DEEPEST = 40  # real documents reach 8; what lies deeper is kept as one paragraph of text

# Names by the numbers of Wix's protocol buffers (`Node.Type`, `Decoration.Type`), in their order from 0.
NUMBERED = (
    "PARAGRAPH", "TEXT", "HEADING", "BULLETED_LIST", "ORDERED_LIST", "LIST_ITEM", "BLOCKQUOTE", "CODE_BLOCK", "VIDEO",
    "DIVIDER", "FILE", "GALLERY", "GIF", "HTML", "IMAGE", "LINK_PREVIEW", "MAP", "POLL", "APP_EMBED", "BUTTON",
    "COLLAPSIBLE_LIST", "TABLE", "EMBED", "COLLAPSIBLE_ITEM", "COLLAPSIBLE_ITEM_TITLE", "COLLAPSIBLE_ITEM_BODY",
    "TABLE_CELL", "TABLE_ROW", "EXTERNAL", "AUDIO", "CAPTION", "LAYOUT", "LAYOUT_CELL",
)  # fmt: skip
NUMBERED_STYLES = (
    "BOLD", "ITALIC", "UNDERLINE", "SPOILER", "ANCHOR", "MENTION", "LINK", "COLOR", "FONT_SIZE", "EXTERNAL",
    "STRIKETHROUGH",
)  # fmt: skip
TAGS = {
    "PARAGRAPH": "p", "BULLETED_LIST": "ul", "ORDERED_LIST": "ol", "LIST_ITEM": "li", "BLOCKQUOTE": "blockquote",
    "CODE_BLOCK": "pre", "TABLE": "table", "TABLE_ROW": "tr", "TABLE_CELL": "td", "CAPTION": "figcaption",
}  # fmt: skip
STYLES = {"ITALIC": "em", "UNDERLINE": "u", "STRIKETHROUGH": "s"}
# "https:", "mailto:" open an address that a reader can follow; "javascript:", "data:" do not
SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]*):", re.IGNORECASE)
# "wix:image://v1/ab12~mv2.jpg/photo.jpg#originWidth=10" -> "ab12~mv2.jpg"
INTERNAL = re.compile(r"wix:(?:image|document|video)://v1/([^/#?]+)")
# "https://static.wixstatic.com/media/ab12~mv2.jpg/v1/fill/w_10,h_10/file.jpg": what follows the name is a rendition
RENDITION = re.compile(r"(https?://static\.wixstatic\.com/media/[^/?#]+)[/?#].*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A rendered document. `text` holds one block a line and no empty line; both are "" where there is none."""

    html: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    links: tuple[Link, ...] = ()
    images: tuple[Image, ...] = ()


def media_url(source: object, base: str = MEDIA) -> str | None:
    """Address of the original file named by a media source, e.g. `{"id": "ab12~mv2.jpg"}`; None where it names none.

    `base` is where bare ids of this kind live. Escaped ids (`ab12%7Emv2.jpg`) are given unescaped, as pages name them.
    """
    source = {"id": source} if isinstance(source, str) else mapping(source)
    name = next(filter(None, (string(source.get(key)).strip() for key in ("url", "id", "file_name", "pathname"))), "")
    if match := INTERNAL.match(name):
        name = match[1]
    if not name:
        return None
    if base == VIDEOS and "/" not in name:
        name = f"video/{name}/file"
    address = name if SCHEME.match(name) or name.startswith("//") else base + name.lstrip("/").removeprefix("media/")
    return RENDITION.sub(r"\1", address).replace("%7E", "~").replace("%7e", "~") if followable(address) else None


def followable(url: str) -> bool:
    """A relative address, or one of the schemes that a page can link to."""
    scheme = SCHEME.match(url)
    return bool(url) and (scheme is None or scheme[1].lower() in ("http", "https", "mailto", "tel", "sms"))


def render(document: object) -> Body:
    """Render a Ricos, numeric or Draft.js document (the decoded JSON object; anything else gives an empty `Body`).

    Paragraphs, headings, list items, quotes, table cells, captions and button labels are blocks. A line break inside a
    block is white space, as on the page (which draws it by `white-space: pre-wrap`). Media stand in `images` by their
    original files. Never raises.
    """
    writer = _Writer()
    tree = mapping(document)
    for node in sequence(tree.get("nodes")) or nodes_of_draft(tree):
        writer.node(node, 0)
    writer.close()
    markup = sanitise_html("".join(writer.html)) if writer.html else ""
    return Body(html=markup, text="\n".join(writer.lines), links=tuple(writer.links), images=tuple(writer.images))


def _name(printed: object, names: Sequence[str]) -> str:
    """`PARAGRAPH`, `BOLD`, ... whether printed as a name or as its number."""
    if isinstance(printed, int) and 0 <= printed < len(names):
        return names[printed]
    return string(printed)


def _data(node: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The data object beside a node's type: `imageData` of IMAGE, in the numeric form also `image`."""
    first, *rest = kind.lower().split("_")
    name = first + "".join(word.title() for word in rest)
    return mapping(node.get(f"{name}Data") or node.get(name))


class _Writer:
    """Collects the parts of one document in reading order."""

    def __init__(self) -> None:
        self.html: list[str] = []
        self.lines: list[str] = []
        self.links: list[Link] = []
        self.images: list[Image] = []
        self._block: list[str] = []  # texts of the block that is open
        self._linked = ""  # address of the link that the text before belongs to
        self._label: list[str] = []  # and that link's texts so far

    def close(self) -> None:
        """End the open block: its text becomes a line."""
        line = clean("".join(self._block))
        if line and visible(line):
            self.lines.append(line)
        self._block.clear()
        self._linked = ""

    def node(self, raw: object, depth: int) -> None:
        node = mapping(raw)
        kind = _name(node.get("type"), NUMBERED)
        data = _data(node, kind)
        if kind == "TEXT":
            self._text(data)
        elif depth >= DEEPEST:
            self._line(" ".join(_texts(node)))
        elif kind in ("IMAGE", "GIF", "VIDEO", "FILE", "AUDIO", "GALLERY"):
            self._media(kind, data, sequence(node.get("nodes")), depth)
        elif kind == "DIVIDER":
            self.close()
            self.html.append("<hr>")
        else:
            level = data.get("level")
            level = min(max(level, 1), 6) if isinstance(level, int) else 2
            tag = f"h{level}" if kind == "HEADING" else TAGS.get(kind, "div")
            self._open(tag)
            self._card(kind, data)
            for child in sequence(node.get("nodes")):
                self.node(child, depth + 1)
            self._shut(tag)

    def _open(self, tag: str) -> None:
        self.close()
        self.html.append(f"<{tag}>")

    def _shut(self, tag: str) -> None:
        self.close()
        self.html.append(f"</{tag}>")

    def _line(self, text: str, tag: str = "p", link: str = "") -> None:
        """A block that consists of one plain text."""
        if text or link:
            self._open(tag)
            self._run(text, (), link)
            self._shut(tag)

    def _text(self, data: Mapping[str, Any]) -> None:
        tags, link, rel = [], "", None
        for raw in sequence(data.get("decorations")):
            style = mapping(raw)
            name = _name(style.get("type"), NUMBERED_STYLES)
            if name == "LINK":
                target = mapping(dig(style, "linkData", "link") or style.get("link"))
                link, rel = string(target.get("url")).strip(), _rel(target.get("rel"))
            elif name == "BOLD":
                weight = style.get("fontWeightValue")
                if not isinstance(weight, int) or weight >= 600:  # 400 unbolds a run of a bold heading
                    tags.append("strong")
            elif name in STYLES and style.get("italicData") is not False and style.get("underlineData") is not False:
                tags.append(STYLES[name])
        self._run(string(data.get("text")), tags, link, rel)

    def _run(self, text: str, tags: Sequence[str], link: str, rel: str | None = None) -> None:
        """Text of the open block; runs of one link that stand side by side are one link."""
        link = link if followable(link) else ""
        markup = html.escape(text, quote=False)
        for tag in dict.fromkeys(tags):
            markup = f"<{tag}>{markup}</{tag}>"
        if link:
            markup = f'<a href="{html.escape(link)}">{markup}</a>'
            if link == self._linked:
                self.links.pop()
            else:
                self._label.clear()
            self._label.append(text)
            self.links.append(Link(url=link, text=clean("".join(self._label)), rel=rel))
        self._linked = link
        self.html.append(markup)
        self._block.append(text)

    def _media(self, kind: str, data: Mapping[str, Any], children: Sequence[Any], depth: int) -> None:
        """A figure: media first, then its captions (children of type CAPTION; in older documents a string)."""
        found = tuple(_found(kind, data))
        self._open("figure")
        first, start = len(self.lines), len(self.images)
        target = string(dig(data, "link", "url")).strip()
        linked = bool(target) and followable(target)
        if linked:
            self.links.append(Link(url=target))
            self.html.append(f'<a href="{html.escape(target)}">')
        for media in found:
            source = html.escape(media.url)
            if media.kind in ("image", "gallery"):
                self.html.append(f'<img src="{source}" alt="{html.escape(media.alt or "")}">')
            else:
                self.html.append(f'<a href="{source}"></a>')
        if linked:
            self.html.append("</a>")
        if not children:  # documents of 2024 hold the caption in both forms
            self._line(string(data.get("caption")), "figcaption")
        for child in children:
            self.node(child, depth + 1)
        self._shut("figure")
        caption = " ".join(self.lines[first:]) or None
        self.images[start:start] = [
            Image(url=media.url, alt=media.alt, caption=media.caption or caption, kind=media.kind) for media in found
        ]

    def _card(self, kind: str, data: Mapping[str, Any]) -> None:
        """What blocks without text nodes of their own print: a button's label, a preview's title, a poll's options."""
        if kind == "BUTTON":
            self._line(string(data.get("text")), "div", string(dig(data, "link", "url")).strip())
        elif kind in ("LINK_PREVIEW", "APP_EMBED"):
            address = string(dig(data, "link", "url") or data.get("url")).strip()
            self._line(string(data.get("title") or data.get("name")), "p", address)
            self._line(string(data.get("description")))
        elif kind == "POLL":
            poll = mapping(data.get("poll"))
            for part in (poll, *sequence(poll.get("options"))):
                self._line(string(dig(part, "title")))
        elif kind in ("EMBED", "HTML"):
            address = string(data.get("src") or data.get("url")).strip()
            if address and followable(address):
                self._embedded(kind, address, mapping(data.get("oembed")))

    def _embedded(self, kind: str, address: str, oembed: Mapping[str, Any]) -> None:
        """A frame prints no text of its own: a widget's page is a file, a foreign video a video, the rest are links."""
        title = clean(string(oembed.get("title")))
        if kind == "HTML":
            self.images.append(Image(url=address, kind="file"))
        elif oembed.get("type") == "video":
            self.images.append(Image(url=address, alt=title, kind="video"))
        else:
            self.links.append(Link(url=address, text=title))


def _found(kind: str, data: Mapping[str, Any]) -> Iterator[Image]:
    """The files that a media node names."""
    if kind == "GALLERY":
        for raw in sequence(data.get("items")):
            item = mapping(raw)
            moving = bool(item.get("video"))
            part = mapping(item.get("video" if moving else "image"))
            source = dig(part, "media", "src") or part.get("src") or part.get("media")
            address = media_url(source, VIDEOS if moving else MEDIA)
            if address:
                alt = clean(string(item.get("altText")))
                yield Image(url=address, alt=alt, caption=clean(string(item.get("title"))),
                            kind="video" if moving else "gallery")  # fmt: skip
        return
    media: dict[str, tuple[object, str, Kind]] = {
        "IMAGE": (dig(data, "image", "src"), MEDIA, "image"),
        "GIF": (dig(data, "original", "gif") or dig(data, "original", "mp4"), MEDIA, "image"),
        "VIDEO": (dig(data, "video", "src"), VIDEOS, "video"),
        "FILE": (data.get("src"), FILES, "file"),
        "AUDIO": (dig(data, "audio", "src"), FILES, "file"),
    }
    source, base, shown_as = media[kind]
    address = media_url(source, base)
    if address:
        named = string(data.get("altText") or data.get("name") or data.get("title"))
        yield Image(url=address, alt=clean(named), kind=shown_as)


def _rel(value: object) -> str | None:
    """`{"noreferrer": true, "nofollow": false}` -> "noreferrer", as HTML writes it; None where nothing is true."""
    return " ".join(name for name, holds in mapping(value).items() if holds is True) or None


def _texts(node: Mapping[str, Any]) -> Iterator[str]:
    """Texts of everything below a node in reading order, however deep it goes."""
    waiting: list[Any] = [node]
    while waiting:
        inner = mapping(waiting.pop())
        text = string(dig(inner, "textData", "text"))
        if text:
            yield text
        waiting.extend(reversed(sequence(inner.get("nodes"))))
