"""Rich content of Wix -> sanitised HTML, text, links and media. Three forms of it are read, the newest one natively:

*Ricos*  `{"nodes": [{"type": "PARAGRAPH", "nodes": [{"type": "TEXT", "textData": {...}}]}]}`, posts from 2021 on and
         every comment (dev.wix.com, "Ricos document"; node and decoration names as captured in 2024);
*numeric* the same tree with the numbers of the protocol buffer instead of names, `"type": 8` for VIDEO (2020-2021);
*Draft.js* `{"blocks": [...], "entityMap": {...}}`, before that (draftjs.org, `RawDraftContentState`).

Nothing here raises on an unexpected shape: a node of no known kind is skipped, and the texts inside it are read.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scraper.items import Image, Link
from scraper.platforms._body import Body
from scraper.platforms._html import sanitise_html
from scraper.platforms._json import dig, mapping, sequence, string
from scraper.platforms._values import clean, visible
from scraper.platforms.wix.richtext.draftjs import nodes_of_draft
from scraper.platforms.wix.richtext.ricos_media import is_followable, media_of

DEEPEST = 40  # real documents reach 8; what lies deeper becomes one paragraph of text

# Names by the numbers of Wix's protocol buffers (`Node.Type`, `Decoration.Type`), in their order from 0.
NUMBERED = (
    "PARAGRAPH",
    "TEXT",
    "HEADING",
    "BULLETED_LIST",
    "ORDERED_LIST",
    "LIST_ITEM",
    "BLOCKQUOTE",
    "CODE_BLOCK",
    "VIDEO",
    "DIVIDER",
    "FILE",
    "GALLERY",
    "GIF",
    "HTML",
    "IMAGE",
    "LINK_PREVIEW",
    "MAP",
    "POLL",
    "APP_EMBED",
    "BUTTON",
    "COLLAPSIBLE_LIST",
    "TABLE",
    "EMBED",
    "COLLAPSIBLE_ITEM",
    "COLLAPSIBLE_ITEM_TITLE",
    "COLLAPSIBLE_ITEM_BODY",
    "TABLE_CELL",
    "TABLE_ROW",
    "EXTERNAL",
    "AUDIO",
    "CAPTION",
    "LAYOUT",
    "LAYOUT_CELL",
)
NUMBERED_STYLES = (
    "BOLD",
    "ITALIC",
    "UNDERLINE",
    "SPOILER",
    "ANCHOR",
    "MENTION",
    "LINK",
    "COLOR",
    "FONT_SIZE",
    "EXTERNAL",
    "STRIKETHROUGH",
)
TAGS = {
    "PARAGRAPH": "p",
    "BULLETED_LIST": "ul",
    "ORDERED_LIST": "ol",
    "LIST_ITEM": "li",
    "BLOCKQUOTE": "blockquote",
    "CODE_BLOCK": "pre",
    "TABLE": "table",
    "TABLE_ROW": "tr",
    "TABLE_CELL": "td",
    "CAPTION": "figcaption",
}
STYLES = {"ITALIC": "em", "UNDERLINE": "u", "STRIKETHROUGH": "s"}


def render(document: object) -> Body:
    """Render a Ricos, numeric or Draft.js document (the decoded JSON object; anything else gives an empty `Body`).

    Paragraphs, headings, list items, quotes, table cells, captions and button labels are blocks. A line break inside a
    block is white space, as on the page (which draws it by `white-space: pre-wrap`). `images` holds the original files
    of all media. Never raises.
    """
    writer = _Writer()
    tree = mapping(document)
    for node in sequence(tree.get("nodes")) or nodes_of_draft(tree):
        writer.node(node, 0)
    writer.close()
    markup = sanitise_html("".join(writer.html)) if writer.html else ""
    return Body(
        html=markup or None,
        text="\n".join(writer.lines) or None,
        links=tuple(writer.links),
        images=tuple(writer.images),
    )


def _name(printed: object, names: Sequence[str]) -> str:
    """Return the name of a type (`PARAGRAPH`, `BOLD`) that is written as a name or as a number."""
    if isinstance(printed, int) and 0 <= printed < len(names):
        return names[printed]
    return string(printed)


def _data(node: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Return the data object of a node: `imageData` of IMAGE, in the numeric form also `image`."""
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
        self._block: list[str] = []  # texts of the open block
        self._linked = ""  # address of the link that the preceding text belongs to
        self._label: list[str] = []  # the texts of that link so far

    def close(self) -> None:
        """End the open block: its text becomes a line."""
        line = clean("".join(self._block))
        if line and visible(line):
            self.lines.append(line)
        self._block.clear()
        self._linked = ""

    def node(self, raw: object, depth: int) -> None:
        """Read a node and the nodes inside it."""
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
        """Write a block that consists of one plain text."""
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
        """Add text to the open block; adjacent runs of the same link become one link."""
        link = link if is_followable(link) else ""
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
        """Write a figure: media, then captions (children of type CAPTION; in older documents a string)."""
        files = tuple(media_of(kind, data))
        self._open("figure")
        first_line, first_image = len(self.lines), len(self.images)
        target = string(dig(data, "link", "url")).strip()
        linked = bool(target) and is_followable(target)
        if linked:
            self.links.append(Link(url=target))
            self.html.append(f'<a href="{html.escape(target)}">')
        for media in files:
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
        caption = " ".join(self.lines[first_line:]) or None
        self.images[first_image:first_image] = [
            Image(url=media.url, alt=media.alt, caption=media.caption or caption, kind=media.kind) for media in files
        ]

    def _card(self, kind: str, data: Mapping[str, Any]) -> None:
        """Write what blocks without text nodes print: a button's label, a preview's title, a poll's options."""
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
            if address and is_followable(address):
                self._embedded(kind, address, mapping(data.get("oembed")))

    def _embedded(self, kind: str, address: str, oembed: Mapping[str, Any]) -> None:
        """Add a frame, which prints no text: a widget's page is a file, another site's video a video, else a link."""
        title = clean(string(oembed.get("title")))
        if kind == "HTML":
            self.images.append(Image(url=address, kind="file"))
        elif oembed.get("type") == "video":
            self.images.append(Image(url=address, alt=title, kind="video"))
        else:
            self.links.append(Link(url=address, text=title))


def _rel(value: object) -> str | None:
    """Return the `rel` of a link as HTML writes it: `{"noreferrer": true, "nofollow": false}` -> "noreferrer"."""
    return " ".join(name for name, is_set in mapping(value).items() if is_set is True) or None


def _texts(node: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of all nodes below one, in reading order, at any depth."""
    pending: list[Any] = [node]
    while pending:
        inner = mapping(pending.pop())
        text = string(dig(inner, "textData", "text"))
        if text:
            yield text
        pending.extend(reversed(sequence(inner.get("nodes"))))
