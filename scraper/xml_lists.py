"""What sitemaps and feeds share: both are XML documents that list posts, and either may arrive incomplete."""

from __future__ import annotations

import re
from collections.abc import Callable

from scraper.addresses import as_listed, same_site
from scraper.items import Exchange, Problem, Sighting

# What may come before the first element: a byte order mark, the XML declaration and other instructions, comments, the
# document type. `<?xml version="1.0"?><!-- by x --><!DOCTYPE html><html lang="en">` gives html, `<x:urlset` urlset.
_ROOT = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s++|<\?.*?\?>|<!--.*?-->|<!doctype[^>\[]*(?:\[.*?\]\s*)?>)*+<(?:[\w.-]+:)?([\w.-]+)",
    re.DOTALL | re.IGNORECASE,
)

CUT = "the document is cut off; the complete entries before the cut were read"

_HTML_PARTS = {"html", "head", "body", "title", "meta", "script", "div", "p"}


def root_of(body: bytes) -> str | None:
    """Return the name of the first element without its prefix; None where the body has none in its first 8 KiB.

    Any element of HTML (`head`, `body`, `p`) gives "html".
    """
    match = _ROOT.match(body[:8192])
    if match is None:
        return None
    name = match[1].decode("ascii", "replace")
    return "html" if name.lower() in _HTML_PARTS else name


def whole_part(body: bytes, *, entry: bytes, root: bytes) -> tuple[bytes, bool]:
    """Return the body up to its last complete entry, and whether it is cut, that is, whether its root is never closed.

    `entry`, `root`: the names of these elements, as patterns (`item|entry`, `rss|feed|RDF`).
    """
    closed = rb"</(?:[\w.-]+:)?(?:" + root + rb")\s*>|<(?:" + root + rb")\b[^<>]*/>"  # </urlset>, <urlset/>
    if re.search(closed, body):
        return body, False
    end = max((match.end() for match in re.finditer(rb"</(?:[\w.-]+:)?(?:" + entry + rb")\s*>", body)), default=None)
    start = re.search(rb"<(?:[\w.-]+:)?(?:" + root + rb")\b[^<>]*>", body)
    if start is None:
        return body, False  # another kind of document
    return body[: start.end() if end is None else end], True


def of_own_site(sightings: list[Sighting], exchange: Exchange) -> tuple[tuple[Sighting, ...], tuple[Problem, ...]]:
    """Return the sightings on the document's own site, and a problem that counts those on other sites, if any."""
    own = tuple(sighting for sighting in sightings if same_site(sighting.url, exchange.url))
    if len(own) == len(sightings):
        return own, ()
    example = next(sighting.url for sighting in sightings if not same_site(sighting.url, exchange.url))
    fault = f"{len(sightings) - len(own)} of its posts belong to another site and were ignored, such as {example}"
    return own, (problem(f"{sightings[0].source}-foreign", exchange, fault),)


def listed_spelling(listed: str, base: str, canonical: str) -> str | None:
    """Return the address to request as the list spells it; None where that equals the canonical spelling."""
    spelling = as_listed(listed, base)
    return spelling if spelling != canonical else None


def problem(kind: str, exchange: Exchange, fault: str) -> Problem:
    """Return a problem of the document; `fault` says in words what is wrong with it."""
    return Problem(kind=kind, message=f"{exchange.url}: {fault}", url=exchange.url)


# (address, address of the document that lists it) -> whether it is a post's; None: the address alone does not show it.
IsPostUrl = Callable[[str, str], bool | None]
