"""Answers of the REST API -> items: lists of posts, lists of comments, the description of the site.

*Recognised by* the address (`address.route_of`), and a row by its own fields.
*Sources*       answers of WordPress 6.1 and 6.5; https://developer.wordpress.org/rest-api/reference/.
*Caveats*       answers that are refused or are no JSON give one `Problem`; nothing here raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scraper.addresses import canonical_url, is_web_address, same_site
from scraper.items import Exchange, Item, Problem, Site
from scraper.platforms._json import decode, mapping, sequence, string
from scraper.platforms.wordpress.address import query_of, route_of
from scraper.platforms.wordpress.rest.comments import read_comments
from scraper.platforms.wordpress.rest.posts import is_entry, read_posts, read_terms

# Hours from UTC, for a site whose settings name an offset and no place: "Etc/GMT+5" is five hours behind.
_LARGEST_OFFSET = 14
_LOCKED = b'"rest_cannot_read_post"'  # the comments of a post with a password
TERMS = ("wp/v2/categories", "wp/v2/tags")
MAX_ROWS = 2_000  # of one answer; WordPress gives at most 100


def read(exchange: Exchange) -> Iterator[Item]:
    """Yield the items of an answer of the API; a `Problem` where it is refused or cannot be read.

    None for the first page of a list of posts, whose refusal the crawl reports: it reads feeds and pages instead.
    """
    route = route_of(exchange.url) or ""
    is_first = not route.endswith("/comments") and query_of(exchange.url).get("page") == "1"
    if not 200 <= exchange.status < 300:
        # 404: no API at this address, or no such route; 400: the page after the last one.
        if exchange.status not in (400, 404) and not is_first and _LOCKED not in exchange.body:
            yield _problem(exchange, f"rest-{exchange.status}", f"the REST API answered {exchange.status}")
        return
    try:
        value = decode(exchange.body)
    except ValueError:
        if not is_first:
            yield _problem(exchange, "rest-unreadable", "the REST API's answer is not JSON, or is cut off")
        return
    if isinstance(value, list) and len(value) > MAX_ROWS:
        yield _problem(exchange, "rest-unreadable", f"the REST API lists {len(value)} entries at once; none is read")
    elif isinstance(value, dict):
        yield from _site(value) if not route else ()
    elif route.endswith("/comments"):
        yield from read_comments(exchange, rows_of(value))
    elif route in TERMS:
        yield from read_terms(exchange, rows_of(value))
    else:
        yield from _posts(exchange, rows_of(value))


def rows_of(value: object) -> Sequence[Mapping[str, Any]]:
    """Return the rows of a list; what is no object in it is left out."""
    return [row for row in map(mapping, sequence(value)) if row]


def _posts(exchange: Exchange, rows: Sequence[Mapping[str, Any]]) -> Iterator[Item]:
    entries = [row for row in rows if is_entry(row)]
    own = [row for row in entries if same_site(canonical_url(string(row["link"])), exchange.url)]
    yield from read_posts(exchange, own)
    if len(own) < len(entries):
        message = f"{len(entries) - len(own)} of {len(entries)} posts are of another site and were left out"
        yield _problem(exchange, "rest-foreign", message)


def _site(index: Mapping[str, Any]) -> Iterator[Item]:
    """Yield the site's time zone from the root of the API."""
    zone = string(index.get("timezone_string"))
    if not zone:
        zone = _zone_of(index.get("gmt_offset"))
    if zone and is_web_address(string(index.get("url"))):
        yield Site(platform="wordpress", timezone=zone)


def _zone_of(offset: object) -> str:
    """Return the zone of an offset in hours, `-5` or "-5"; "" for one that is no whole number of hours."""
    try:
        hours = float(str(offset))
    except ValueError:
        return ""
    if not abs(hours) <= _LARGEST_OFFSET or hours != int(hours):  # "nan" is not above it either
        return ""
    return "Etc/GMT" + (f"{-int(hours):+d}" if hours else "")


def _problem(exchange: Exchange, kind: str, message: str) -> Problem:
    return Problem(kind=kind, message=f"{exchange.url}: {message}", url=exchange.url)
