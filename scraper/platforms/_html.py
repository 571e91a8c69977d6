"""HTML nodes as text and events, and HTML made safe. Nothing here raises on unexpected markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Literal

import nh3
from bs4 import Tag
from bs4.element import NavigableString, PageElement, PreformattedString

from scraper.platforms._values import clean, visible

Event = tuple[Literal["open", "close", "text"], Tag | str]

# Elements that begin and end a line of text.
BLOCKS = frozenset(
    (
        "address article aside blockquote body button caption center dd details dialog div dl dt fieldset "
        "figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr html legend li main nav ol p pre section "
        "summary table tbody td tfoot th thead tr ul"
    ).split()
)
# Elements whose content is not text of the page.
SILENT = frozenset("head iframe link meta noscript object script style svg template textarea title".split())

_TAGS = {
    "a",
    "b",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
}
_ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_SCHEMES = {"http", "https", "mailto", "tel"}
# After each of these, nh3 searches the rest of its text for every other special character, so that its time grows with
# the square of their number: 15 seconds for 500,000 ampersands. As nh3 writes them: "&" as "&amp;".
_SLOW = {"&": "&amp;", "\u00a0": "&nbsp;", **{chr(code): chr(code) for code in range(0xA1, 0xC0)}}
_MANY = 2_000  # of them in one text, which takes a millisecond
# "&amp;", "&#38;", "&#x26;", "&copy;", and an ampersand that begins no reference: "R & D"
_REFERENCE = re.compile(r"&(?:#\d{1,9}|#[xX][0-9a-fA-F]{1,8}|[A-Za-z][A-Za-z0-9]{0,31});|&(?=[^A-Za-z0-9#]|$)")


def sanitise_html(html: str) -> str:
    """Return markup without anything that runs, styles or tracks: no script, style, class, id or event handler.

    Links have `href` and pictures `src` and `alt`, with http, https, mailto or tel addresses (or relative ones).
    """
    marks = _marks(html) if sum(map(html.count, _SLOW)) > _MANY else {}
    if marks:
        html = _REFERENCE.sub(lambda found: marks.get(unescape(found[0]), found[0]), html)
        for character in marks.keys() - {"&"}:
            html = html.replace(character, marks[character])
    cleaned = nh3.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel=None)
    for character, mark in marks.items():
        cleaned = cleaned.replace(mark, _SLOW[character])
    return cleaned


def _marks(html: str) -> dict[str, str]:
    """Return a character for private use, absent from the markup, for each of `_SLOW`; empty where too few are."""
    present = set(html)
    absent = (chr(code) for code in range(0xE000, 0xF900) if chr(code) not in present)
    marks = dict(zip(_SLOW, absent, strict=False))
    return marks if len(marks) == len(_SLOW) else {}


def events(nodes: Iterable[PageElement]) -> Iterator[Event]:
    """Yield nodes as a flat stream of ("open", tag), ("text", string), ("close", tag), at any depth of nesting.

    Silent elements (scripts, styles, drawings), comments and declarations are left out.
    """
    stack: list[tuple[Tag | None, Iterator[PageElement]]] = [(None, iter(nodes))]
    while stack:
        owner, children = stack[-1]
        for node in children:
            if isinstance(node, Tag):
                if node.name not in SILENT:
                    yield "open", node
                    stack.append((node, iter(node.contents)))
                    break
            elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
                yield "text", str(node)
        else:
            stack.pop()
            if owner is not None:
                yield "close", owner


def text_lines(nodes: Iterable[PageElement]) -> list[str]:
    """Return the text of HTML nodes, a block a line: `<br>` is a space, and there are no empty lines."""
    lines: list[str] = []
    run: list[str] = []

    def flush() -> None:
        line = clean("".join(run))
        run.clear()
        if line is not None and visible(line):
            lines.append(line)

    for kind, what in events(nodes):
        if isinstance(what, str):
            run.append(what)
        elif what.name in BLOCKS:
            flush()
        elif what.name == "br" and kind == "open":
            run.append(" ")
    flush()
    return lines


def text_of(tag: Tag | None) -> str | None:
    """Return the text of an element on one line, a space between blocks; `None` for no element or no text."""
    return None if tag is None else clean(" ".join(text_lines(tag.contents)))


# Gravatar names a picture by a hash of the e-mail address: https://secure.gravatar.com/avatar/0bc83cb571cd1c50; so do
# Libravatar, and proxies of pictures: https://i0.wp.com/0.gravatar.com/avatar/0bc83cb571cd1c50
_AVATAR = re.compile(
    r"(?:^|/)(?:[\w-]+\.)*(?:gravatar\.com/(?:avatar/|[0-9a-f]{32})|libravatar\.org/avatar/)", re.IGNORECASE
)
# Profiles of people who write at Disqus and GitHub: https://disqus.com/by/rosa/; of GitHub only in what it calls a
# mention of a user.
_PROFILE = re.compile(r"^(?:https?:)?//(?:www\.)?disqus\.com/(?:by|u)/", re.IGNORECASE)


def names_avatar(address: str) -> bool:
    """Return whether an address leads to a person by the hash of an e-mail address, as at Gravatar."""
    return _AVATAR.search(address) is not None


def names_person(tag: Tag) -> bool:
    """Return whether a link leads to a person: by the hash of an e-mail address, or to a profile elsewhere."""
    if tag.name != "a":
        return False
    href = str(tag.get("href") or "").strip()
    is_mention = "user-mention" in " ".join(map(str, tag.get_attribute_list("class"))).split()
    return is_mention or names_avatar(href) or _PROFILE.match(href) is not None
