"""What only the head and the scripts of Wix pages say: which address is the post's own, and the site's time zone.

`og:url` is the canonical address (also in mirrors, where the canonical link is rewritten to a local file), unless the
owner has set another: a post that was duplicated keeps the address of its original there.
`article:published_time` and JSON-LD `BlogPosting` give the dates with their seconds. Pages in a language that the post
does not belong to have generic metas ("Post | Site", `og:type` website) that describe the site, not the post.
[reference: sections 1.5, 1.6, 2.3]
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from scraper.addresses import canonical_url, same_site
from scraper.platforms._page import Head
from scraper.platforms.wix import address

# "Europe/London", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5"
_ZONE = re.compile(r"[A-Za-z_]+(?:/[A-Za-z0-9_+\-]+){0,2}")


def own_url(head: Head, requested: str) -> str:
    """Return the page's address: `og:url`, else the canonical link, else that of JSON-LD, else the requested one.

    Where the request had a post's address, a claim is believed only if it is another spelling of that: the same site
    and path, with fewer parameters if any. Otherwise the page would take the address of another post, or one that
    exists nowhere. A copy by a mirror program has no other address of its site than its claim.
    """
    claimed = head.claimed_urls()
    if address.is_post(requested):
        is_copy = address.is_copy(requested)
        claimed = [url for url in claimed if address.is_post(url) and (is_copy or _is_spelling(url, requested))]
    return claimed[0] if claimed else requested


def stated_url(head: Head, own: str) -> str | None:
    """Return the post's address that the page states, where that is not its own; None where it states no other."""
    stated = next((canonical_url(url) for url in head.claimed_urls() if address.is_post(url)), own)
    return None if stated == own else stated


def _is_spelling(claim: str, requested: str) -> bool:
    claimed, asked = (urlsplit(canonical_url(url)) for url in (claim, requested))
    fewer = set(parse_qsl(claimed.query)) <= set(parse_qsl(asked.query))
    return same_site(claim, requested) and claimed.path == asked.path and fewer


def timezone(body: bytes, *, after: int = 0) -> str | None:
    """Return the IANA zone of the site, `siteFeaturesConfigs.siteWixCodeSdk.timezone` of the viewer model, or None.

    The model is half a megabyte and is not decoded: its only `"timezone"` with the name of a zone is the one meant.
    The model follows the article, so that the search may begin at the byte `after` it.
    """
    position = after
    for _ in range(10):
        position = body.find(b'"timezone":"', position)
        if position < 0:
            break
        position += len(b'"timezone":"')
        end = body.find(b'"', position, position + 64)
        zone = body[position:end].decode("ascii", "replace").replace("\\/", "/") if end > 0 else ""
        if _ZONE.fullmatch(zone):
            return zone
    return timezone(body) if after else None
