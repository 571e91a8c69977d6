"""What only the head and the scripts of Wix pages say: which address is the post's own, and the site's time zone.

`og:url` is the canonical address (also in mirrors, where the canonical link is rewritten to a local file);
`article:published_time` and JSON-LD `BlogPosting` give the dates with their seconds. Pages in a language that the post
does not belong to have generic metas ("Post | Site", `og:type` website) that describe the site, not the post.
[reference: sections 1.5, 1.6, 2.3]
"""

from __future__ import annotations

import re

from scraper.platforms._page import Head
from scraper.platforms.wix import address

# "Europe/London", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5"
_ZONE = re.compile(r"[A-Za-z_]+(?:/[A-Za-z0-9_+\-]+){0,2}")


def own_url(head: Head, requested: str) -> str:
    """Return the page's address: `og:url`, else the canonical link, else that of JSON-LD, else the requested one.

    Where the request had a post's address, an owner's `og:url` that names another kind of page is passed over.
    """
    claimed = head.claimed_urls()
    if address.is_post(requested):
        claimed = [url for url in claimed if address.is_post(url)]
    return claimed[0] if claimed else requested


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
