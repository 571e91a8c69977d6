"""What a request for comments asks for: which post, and from which cursor on.

Our own requests use the service's documented parameters (`resourceId`, `cursorPaging.cursor`). Those of a page's script
may go to any address with any names, in the query or in a JSON body; a cursor is recognised there by its name or its
form. If something else is taken for a cursor, the thread only counts as incomplete; if the middle of a thread were
taken for its beginning, the comments before it would count as absent.
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
_MAX_VALUES = 500
# "eyJyIjoiNjRkZGJmNmExNzM3ZDk4YWYwMzMyMDZmIn0.Zk3x": long, without spaces; not an id, date, address or NEWEST_FIRST
_OPAQUE = re.compile(r"(?![A-Z_]+$)(?!\d{4}-\d\d-\d\dT)[\w.~+=%-]{20,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentRequest:
    """A request for comments; `cursor` None: from the beginning."""

    post: tuple[str, ...]  # addresses of the post that the request names; empty where it names none
    cursor: str | None


def comment_request(exchange: Exchange) -> CommentRequest:
    """Return what the exchange's request asks for."""
    query = parse_qsl(urlsplit(exchange.url).query)
    if exchange.via is None:
        named = dict(reversed(query))  # the first of each name
        post = named.get("resourceId") or named.get("contextId")
        return CommentRequest(post=(f"wix:{post.lower()}",) if post else (), cursor=named.get("cursorPaging.cursor"))
    values = [*query, *_values(exchange.request_body)]
    parameters = [(name.rpartition(".")[2].lower(), value) for name, value in values if value]
    posts = (
        value for name, value in parameters if name in _POST and (INTERNAL_ID.fullmatch(value) or UUID.fullmatch(value))
    )
    return CommentRequest(post=tuple(f"wix:{post.lower()}" for post in posts)[:1], cursor=_cursor(parameters))


def rendered_post(exchange: Exchange) -> tuple[str, ...]:
    """Return the post of the rendered page that the exchange belongs to; () where it is not a post's page."""
    return (canonical_url(exchange.page),) if exchange.page and address.is_post(exchange.page) else ()


def _cursor(parameters: list[tuple[str, str]]) -> str | None:
    for name, value in parameters:
        if name.endswith("cursor"):
            return value
    for name, value in parameters:
        if name in _OFFSETS and value not in ("0", "1" if name.startswith("page") else "0"):
            return f"{name}={value}"
    for name, value in parameters:
        is_id = name in _POST or UUID.fullmatch(value) or INTERNAL_ID.fullmatch(value)
        if not is_id and _OPAQUE.fullmatch(value):
            return value
    return None


def _values(body: bytes) -> Iterator[tuple[str, str]]:
    """Yield names and values of a JSON body at any depth; none of any other body."""
    try:
        queue = [("", decode(body))] if body[:1] in (b"{", b"[") else []
    except ValueError:
        return
    for name, value in queue:
        if isinstance(value, dict):
            queue.extend(value.items())
        elif isinstance(value, list):
            queue.extend((name, entry) for entry in value)
        elif value is not None and not isinstance(value, bool):
            yield name, string(value) or str(value)
        if len(queue) > _MAX_VALUES:
            return
