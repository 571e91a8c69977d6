"""What sitemaps and feeds share: documents in XML that list posts, cut ones too."""

from __future__ import annotations

import re
from collections.abc import Callable

from scraper.addresses import as_listed, same_site
from scraper.items import Exchange, Problem, Sighting

# What may stand before the first element: a byte order mark, the XML declaration and other instructions, comments, the
# document type. `<?xml version="1.0"?><!-- by x --><!DOCTYPE html><html lang="en">` gives html, `<x:urlset` urlset.
_ROOT = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s++|<\?.*?\?>|<!--.*?-->|<!doctype[^>\[]*(?:\[.*?\]\s*)?>)*+<(?:[\w.-]+:)?([\w.-]+)",
    re.DOTALL | re.IGNORECASE,
)


_HTML_PARTS = {"html", "head", "body", "title", "meta", "script", "div", "p"}


def root_of(body: bytes) -> str | None:
    """The name of the first element, without its prefix; `html` for all parts of HTML; None where there is none."""
    found = _ROOT.match(body[:8192])
    if found is None:
        return None
    name = found[1].decode("ascii", "replace")
    return "html" if name.lower() in _HTML_PARTS else name


def whole_part(body: bytes, *, entry: bytes, root: bytes) -> tuple[bytes, bool]:
    """The body up to its last whole entry if its root is never closed, and whether that was so."""
    closed = rb"</(?:[\w.-]+:)?(?:" + root + rb")\s*>|<(?:" + root + rb")\b[^<>]*/>"  # </urlset>, <urlset/>
    if re.search(closed, body):
        return body, False
    end = max((found.end() for found in re.finditer(rb"</(?:[\w.-]+:)?(?:" + entry + rb")\s*>", body)), default=None)
    start = re.search(rb"<(?:[\w.-]+:)?(?:" + root + rb")\b[^<>]*>", body)
    if start is None:
        return body, False  # another kind of document
    return body[: start.end() if end is None else end], True


def of_own_site(seen: list[Sighting], exchange: Exchange) -> tuple[tuple[Sighting, ...], tuple[Problem, ...]]:
    """The sightings of the document's own site, and a problem that counts the others."""
    own = tuple(one for one in seen if same_site(one.url, exchange.url))
    if len(own) == len(seen):
        return own, ()
    first = next(one.url for one in seen if not same_site(one.url, exchange.url))
    what = f"{len(seen) - len(own)} of its posts are of another site, {first} for one; left out"
    return own, (problem(f"{seen[0].source}-foreign", exchange, what),)


def listed_spelling(listed: str, base: str, canonical: str) -> str | None:
    """The address as the list spells it, where that is not the canonical spelling."""
    spelling = as_listed(listed, base)
    return spelling if spelling != canonical else None


def problem(kind: str, exchange: Exchange, what: str) -> Problem:
    """A problem of the document: `what` is wrong with it, in words."""
    return Problem(kind=kind, message=f"{exchange.url}: {what}", url=exchange.url)


# Whether an address is a post's (None: it does not tell), and the address of the document that names it.
IsPostUrl = Callable[[str, str], bool | None]
