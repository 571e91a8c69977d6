"""What sitemaps and feeds share: both are documents that list posts, and either may arrive packed or incomplete."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

from scraper.addresses import as_listed, is_web_address, same_site
from scraper.items import Exchange, Problem, Sighting

# What may come before the first element: a byte order mark, the XML declaration and other instructions, comments, the
# document type. `<?xml version="1.0"?><!-- by x --><!DOCTYPE html><html lang="en">` gives html, `<x:urlset` urlset.
_ROOT = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s++|<\?.*?\?>|<!--.*?-->|<!doctype[^>\[]*(?:\[.*?\]\s*)?>)*+<(?:[\w.-]+:)?([\w.-]+)",
    re.DOTALL | re.IGNORECASE,
)

CUT = "the document is cut off; the complete entries before the cut were read"

_HTML_PARTS = {"html", "head", "body", "title", "meta", "script", "div", "p"}


LARGEST_LIST = 50 * 1024 * 1024  # bytes when decompressed; sitemaps.org allows no more

_GZIP = b"\x1f\x8b"
_MAX_MEMBERS = 10_000  # each costs time, however short


def unpacked(body: bytes, most: int = LARGEST_LIST) -> tuple[bytes, str | None]:
    """Return the content of a gzip body, all its members one after another, and in words why it cannot be used.

    Of a cut one as much as possible. What follows the last member and is none (padding, a comment of a proxy) is left
    out. A body that is not gzip is returned as it is.
    """
    if not body.startswith(_GZIP):
        return body, None
    content, at, members = bytearray(), 0, 0
    while members < _MAX_MEMBERS and body.startswith(_GZIP, at):
        try:
            at = _member(body, at, most, content)
        except zlib.error as error:
            return (bytes(content), None) if members else (b"", f"the gzip data are damaged: {error}")
        if len(content) > most:
            return b"", f"larger than {most} bytes when decompressed; not read"
        members += 1
    return bytes(content), None


def _member(body: bytes, at: int, most: int, content: bytearray) -> int:
    """Append the member at `at` to the content, up to a byte more than `most`; return where it ends."""
    member = zlib.decompressobj(wbits=31)
    size = 1 << 10  # small at first: what a member leaves over of a piece is copied
    while not member.eof and at < len(body) and len(content) <= most:
        piece = body[at : at + size]
        at += len(piece)
        size = min(size * 2, 1 << 16)
        while piece and len(content) <= most:
            content += member.decompress(piece, most - len(content) + 1)
            piece = member.unconsumed_tail
    return at - len(member.unused_data)


def beginning(body: bytes) -> bytes:
    """Return the first 8 KiB of a body, or of the content of a gzip body; empty where that is damaged."""
    if not body.startswith(_GZIP):
        return body[:8192]
    try:
        return zlib.decompressobj(wbits=31).decompress(body, 8192)
    except zlib.error:
        return b""


def is_url_list(body: bytes) -> bool:
    """Return whether a text is a list of web addresses, one a line, as sitemaps.org allows: its first 20 lines are."""
    start = body[:8192].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:4].lower() != b"http":
        return False
    lines = start.decode("utf-8", "replace").splitlines()[:20]
    whole = lines[:-1] if len(start) >= 8000 and len(lines) > 1 else lines
    return all(is_web_address(line) and len(line.split()) == 1 for line in whole if line.strip())


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
