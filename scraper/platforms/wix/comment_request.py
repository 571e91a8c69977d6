"""What a request for comments asks: of which post, and from which cursor on.

Our own requests are in the service's documented words (`resourceId`, `cursorPaging.cursor`). Those of a page's script
may go to any address in any words, in the query or in a JSON body; so a cursor is known there by its name, or by
looking like one. Taking something else for a cursor costs no more than a thread that is not called whole; taking the
middle of a thread for its beginning would call the comments before it absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from scraper.addresses import canonical_url
from scraper.items import Exchange
from scraper.platforms._json import decode, string
from scraper.platforms.wix import address
from scraper.platforms.wix.warmup import INTERNAL_ID, UUID

_POST = ("resourceid", "contextid", "referenceid")
_OFFSETS = ("offset", "skip", "page", "pagenumber", "start")
_MOST_VALUES = 500
# "eyJyIjoiNjRkZGJmNmExNzM3ZDk4YWYwMzMyMDZmIn0.Zk3x": long, without blanks; no id, no date, no address, no NEWEST_FIRST
_OPAQUE = re.compile(r"(?![A-Z_]+$)(?!\d{4}-\d\d-\d\dT)[\w.~+=%-]{20,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request for comments; `cursor` None: from the beginning."""

    post: tuple[str, ...]  # addresses of the post, as the request names it; none where it does not
    cursor: str | None


def asked(exchange: Exchange) -> Asked:
    """What the exchange's request asks."""
    query = parse_qsl(urlsplit(exchange.url).query)
    if exchange.via is None:
        named = dict(reversed(query))  # the first of each name
        post = named.get("resourceId") or named.get("contextId")
        return Asked(post=(f"wix:{post.lower()}",) if post else (), cursor=named.get("cursorPaging.cursor"))
    values = [*query, *_values(exchange.request_body)]
    words = [(name.rpartition(".")[2].lower(), value) for name, value in values if value]
    posts = (
        value for name, value in words if name in _POST and (INTERNAL_ID.fullmatch(value) or UUID.fullmatch(value))
    )
    return Asked(post=tuple(f"wix:{post.lower()}" for post in posts)[:1], cursor=_cursor(words))


def page_of(exchange: Exchange) -> tuple[str, ...]:
    """The post of the rendered page that the exchange belongs to; none where that is no post's page."""
    return (canonical_url(exchange.page),) if exchange.page and address.is_post(exchange.page) else ()


def _cursor(words: list[tuple[str, str]]) -> str | None:
    for name, value in words:
        if name.endswith("cursor"):
            return value
    for name, value in words:
        if name in _OFFSETS and value not in ("0", "1" if name.startswith("page") else "0"):
            return f"{name}={value}"
    for name, value in words:
        ids = name in _POST or UUID.fullmatch(value) or INTERNAL_ID.fullmatch(value)
        if not ids and _OPAQUE.fullmatch(value):
            return value
    return None


def _values(body: bytes) -> Iterator[tuple[str, str]]:
    """Names and values of a JSON body, however deep; none of any other body."""
    try:
        queue = [("", decode(body))] if body[:1] in (b"{", b"[") else []
    except ValueError:
        return
    for name, value in queue:
        if isinstance(value, dict):
            queue.extend(value.items())
        elif isinstance(value, list):
            queue.extend((name, one) for one in value)
        elif value is not None and not isinstance(value, bool):
            yield name, string(value) or str(value)
        if len(queue) > _MOST_VALUES:
            return
