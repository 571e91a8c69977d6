"""What an answer says to robots beside robots.txt: the header X-Robots-Tag, and `<meta name="robots">`.

Both speak of what search engines may show of a page, not of whether it may be requested; they are recorded as written.
Source: Google's "Robots meta tag, data-nosnippet, and X-Robots-Tag specifications"; RFC 9309 knows neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import lxml.html
from lxml import etree

from scraper.config.clinics import PRODUCT
from scraper.items import Exchange
from scraper.platforms._page import markup_of

LONGEST = 2_000  # characters that are recorded of one value
_NAMES = ("robots", PRODUCT)
_LOOKED_AT = 1_000_000  # bytes of a page; the metas are in its head
_MAX_METAS = 20  # metas of a page
# Where one may be: '<meta name="robots" content="noindex">'
_MAY_BE = re.compile(rb"<meta\b[^<>]{0,500}(?:robots|clinic-blog-archive)[^<>]{0,2000}>", re.I)


def robots_header(exchange: Exchange) -> str | None:
    """Return the values of X-Robots-Tag as sent, joined by ", "; None without one."""
    return _joined([exchange.headers.get("x-robots-tag", "")])


def robots_meta(exchange: Exchange) -> str | None:
    """Return the contents of the robots metas of a page, joined by ", "; None without one. Never raises."""
    if exchange.content_type and "html" not in exchange.content_type.lower():
        return None
    markup, lower = markup_of(exchange.body[:_LOOKED_AT])
    if not any(name.encode() in lower for name in _NAMES):
        return None
    ends = [match.end() for match, _ in zip(_MAY_BE.finditer(markup), range(_MAX_METAS), strict=False)]
    return _joined(_contents(markup[: ends[-1]])) if ends else None


def _contents(markup: bytes) -> Iterator[str]:
    try:
        root = lxml.html.document_fromstring(markup)
    except (etree.LxmlError, ValueError):
        return
    for meta in root.iter("meta"):
        if (meta.get("name") or "").strip().lower() in _NAMES:
            yield meta.get("content") or ""


def _joined(values: Iterable[str]) -> str | None:
    texts = (" ".join("".join(char if char.isprintable() else " " for char in value).split()) for value in values)
    return ", ".join(filter(None, texts))[:LONGEST] or None
