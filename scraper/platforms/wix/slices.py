"""Cuts a Wix page to the few parts that are read, so that the parser builds a small tree instead of a large one.

A post page is about 1 MB, of which the post is a twentieth: the rest is style sheets, scripts and site chrome.
[reference: section 1.1] `bytes.find` locates the cuts at almost no cost; where a marker is missing
the whole page is parsed instead, with the same readers and the same result.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bs4 import Tag

from scraper.items import Exchange
from scraper.platforms._page import encoding_of
from scraper.platforms.wix.hooks import find_hook
from scraper.platforms.wix.tree import soup

# One tag with its attributes, whatever they hold: '<meta content="a > b" property="og:title"/>'
_TAG = re.compile(rb"""<[a-zA-Z][^>"']*+(?:"[^"]*+"[^>"']*+|'[^']*+'[^>"']*+)*+>""")
_LONGEST_TAG = 65_536
_MAX_TAGS = 300
# The recent posts follow the article; between them are at most a few widgets that the owner added.
_FAR = 200_000
# Tags of a head that are read: '<meta property="og:title" .../>', '<link rel="canonical" .../>', '<html lang>'
_READ = re.compile(rb"og:|article:|description|canonical|<html")


@dataclass(frozen=True, slots=True)
class Slices:
    """The parts of a page as trees: the head's tags, the post's article, the section of recent posts."""

    head: Tag
    json_ld: list[str]  # the texts of the JSON-LD scripts
    article: Tag | None
    recent: Tag | None
    encoding: str
    end: int  # where the article ends in the bytes; 0 where it was not cut out


def hooked(body: bytes, name: str, *, after: int = 0) -> int:
    """Return the position of `data-hook="name"` in the bytes, with either kind of quotes or none; -1 if absent."""
    hook = name.encode()
    for pattern in (b'data-hook="%b"', b"data-hook='%b'", b"data-hook=%b ", b"data-hook=%b>"):
        position = body.find(pattern % hook, after)
        if position >= 0:
            return position
    return -1


def slices_of(exchange: Exchange, body: bytes, *, whole: bool = False, after: int = 0) -> Slices:
    """Return the parts of a page; `whole` builds the tree of all of it (slower, equal in every field).

    `after`: the caller knows that the hook around the article is not before this byte.
    """
    start, end = _article(body, after)
    cut = body[start:end]
    encoding = encoding_of(exchange, cut or body)
    tags, scripts = _head(body, start or len(body))
    json_ld = [script.decode(encoding, "replace") for script in scripts]
    if whole or not cut:
        tree = soup(body, encoding, full=whole)
        return Slices(tree, json_ld, find_hook(tree, "post"), find_hook(tree, "recent-posts"), encoding, end)
    section = _recent(body, end)
    return Slices(
        soup(tags, encoding),
        json_ld,
        find_hook(soup(cut, encoding), "post"),
        find_hook(soup(section, encoding, without="post-footer"), "recent-posts") if section else None,
        encoding,
        end,
    )


def _article(body: bytes, after: int) -> tuple[int, int]:
    """Return start and end of the first `<article ... data-hook="post">`; (0, 0) where it cannot be cut out."""
    position = max(0, body.find(b'data-hook="post-page"', after))
    for _ in range(50):  # style sheets may name the hook as well
        position = body.find(b'data-hook="post"', position + 1)
        if position < 0:
            break
        start = body.rfind(b"<", 0, position)
        if start >= 0 and body.startswith(b"<article", start):
            end = _end(body, start, b"article")
            return (start, end) if end > 0 else (0, 0)
    return 0, 0


def _end(body: bytes, start: int, name: bytes) -> int:
    """Where the element that begins at `start` ends, counting those of its name inside it; -1 where it does not."""
    opening, closing = b"<" + name, b"</" + name
    depth, position = 0, start
    while True:
        close = body.find(closing, position)
        if close < 0:
            return -1
        depth += body.count(opening, position, close) - 1
        position = close + len(closing)
        if depth <= 0:
            after = body.find(b">", position)
            return -1 if after < 0 else after + 1


def _recent(body: bytes, after: int) -> bytes:
    """Return the section of recent posts behind the article, up to its last card."""
    hook = body.find(b'data-hook="recent-posts"', after, after + _FAR)
    if hook < 0:
        return b""
    card, last = hook, -1
    for _ in range(20):  # a page shows three
        card = body.find(b'data-hook="recent-post-list-item"', card + 1, card + _FAR)
        if card < 0:
            break
        last = card
    if last < 0:
        return b""
    start = body.rfind(b"<", 0, last)
    name = re.match(rb"<([a-z]+)", body[start : start + 16])
    end = _end(body, start, name[1]) if name else -1
    return body[body.rfind(b"<", 0, hook) : end if end > 0 else last + 65_536]


def _head(body: bytes, before: int) -> tuple[bytes, list[bytes]]:
    """Return the tags of the head that are read (`<html lang>`, metas, canonical link), and its JSON-LD texts.

    The scan goes from tag to tag up to `<body>`, or up to `before` where there is no head; it skips scripts whole.
    """
    tags: list[bytes] = []
    json_ld: list[bytes] = []
    tried = 0
    position = body.find(b"<", 0, before)
    while position >= 0 and tried < _MAX_TAGS:
        end = position + 1
        if body.startswith((b"<meta", b"<html", b"<link"), position):
            tried += 1
            tag = _TAG.match(body, position, min(position + _LONGEST_TAG, before))
            if tag is not None:
                end = tag.end()
                if _READ.search(tag[0]):
                    tags.append(tag[0])
        elif body.startswith(b"<script", position):
            opened = body.find(b">", position, before)
            closed = body.find(b"</script", position, before)
            if closed < 0:
                break
            if 0 <= opened < closed and b"application/ld+json" in body[position:opened]:
                json_ld.append(body[opened + 1 : closed])
            end = closed + 1
        elif body.startswith(b"<!--", position):
            end = body.find(b"-->", position, before) + 1
            if end <= 0:
                break
        elif body.startswith(b"<body", position) and tags:
            break
        position = body.find(b"<", end, before)
    return b"".join(tags), json_ld
