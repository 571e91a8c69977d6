"""One exchange in, its items out: the pure half of every crawl, replay, rebuild and `clinic-archive parse`.

Whether the exchange is a redirect, a refusal, a listing document or a page of some platform is told by its own bytes
and address, never by why it was asked for; so the same capture gives the same items whoever reads it, and when.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator
from dataclasses import replace

from scraper import discover
from scraper.addresses import canonical_url, post_key, same_site
from scraper.items import (
    Alias,
    BotChallenge,
    Comment,
    Exchange,
    Gone,
    Item,
    NotAPost,
    NotFoundPage,
    Post,
    Problem,
    Reading,
    Sighting,
    Unreadable,
)
from scraper.platforms import platforms
from scraper.platforms._platform import Platform
from scraper.platforms._recognise import bot_challenge, unsupported

logger = logging.getLogger(__name__)


def extract(exchange: Exchange) -> tuple[Item, ...]:
    """Every item that the exchange gives, in its order. Never raises: what cannot be used is a `Problem` or `Gone`."""
    items: list[Item] = []
    try:
        for item in _items(exchange):
            items.append(item)
    except NotFoundPage as error:
        items.append(Gone(url=canonical_url(exchange.url), answered=f"not-found page ({exchange.status})"))
        logger.debug("%s: %s", exchange.url, error)
    except NotAPost as error:
        items.append(Problem(kind=error.kind, message=f"{exchange.url}: {error}", url=exchange.url))
    except Exception as error:  # a fault of the parser's: this page is lost to the tables, its bytes are not
        logger.exception("reading %s failed", exchange.url)
        message = f"{exchange.url}: the parser failed ({type(error).__name__}); the capture is kept, please report it"
        items.append(Problem(kind="parser-error", message=message, url=exchange.url))
    return tuple(items)


def extract_response(exchange: Exchange, encoding: str, wire_body: bytes) -> tuple[Item, ...]:
    """`extract` for a body that came content-encoded: a body that is cut gives a `Problem` and nothing else.

    `encoding`: Content-Encoding as served; `wire_body`: the body before it was decoded.
    """
    if is_cut(encoding, wire_body, len(exchange.body)):
        message = f"{exchange.url}: the gzip body ends in its middle; nothing stored of it, asked again next time"
        return (Problem(kind="cut-short", message=message, url=exchange.url),)
    return extract(exchange)


def read_post(exchange: Exchange) -> Post:
    """The post that the exchange shows, for `parse`. Raises `NotAPost` saying what the exchange is instead."""
    for item in _items(exchange):
        if isinstance(item, Post):
            return item
    raise NotAPost(f"no post in it: {_what_it_is(exchange)}")


def platform_of(exchange: Exchange) -> Platform | None:
    """The platform whose exchange this is; None for documents that every platform has, and for unknown ones."""
    return next((platform for platform in platforms() if platform.claims(exchange)), None)


def is_post_url(url: str) -> bool:
    """The address has the shape of a post's on any platform that is read."""
    return any(platform.is_post_url(url) for platform in platforms())


def _items(exchange: Exchange) -> Iterator[Item]:
    if exchange.via is None:
        yield from _from_page(exchange)
    elif exchange.via == "document":
        if _is_rendered_page(exchange):
            yield from _from_page(exchange)
    elif exchange.of_script or exchange.via == "dom":
        yield from map(_rendered, _from_script_answer(exchange) if exchange.of_script else _from_dom(exchange))
    # Scripts, styles, pictures: the bytes are kept, nothing is read from them.


def _is_rendered_page(exchange: Exchange) -> bool:
    """The document is the page itself, at an address on the way to it or the last; not one in a frame of it."""
    page = exchange.page or exchange.url
    return post_key(exchange.url) == post_key(page) or (same_site(exchange.url, page) and is_post_url(exchange.url))


def _from_script_answer(exchange: Exchange) -> Iterator[Item]:
    """What a page's script was answered, where that is of a known kind; a page calls for much else."""
    platform = platform_of(exchange)
    told = 200 <= exchange.status < 300 or (platform is not None and platform.is_api_url(exchange.url))
    if platform is not None and told and exchange.method != "OPTIONS":
        yield from platform.read(exchange)


def _from_dom(exchange: Exchange) -> Iterator[Item]:
    """What a browser shows in the end, where that is still the post that was asked for: a script may have put another
    in its place, with that one's address."""
    if platform_of(exchange) is None:
        message = f"{exchange.url}: what a browser shows in the end is no page of a blog; nothing stored of it"
        yield Problem(kind="not-rendered", message=message, url=exchange.url)
        return
    own = {post_key(exchange.url), post_key(exchange.page or exchange.url)}
    items = list(_from_page(exchange))
    named = (item.url for item in items if isinstance(item, Post) and item.url)
    other = next((url for url in named if same_site(url, exchange.url) and post_key(url) not in own), None)
    if other is not None:
        message = f"{exchange.url}: in a browser the page turns into {other}; nothing stored of that"
        yield Problem(kind="not-rendered", message=message, url=exchange.url)
        return
    yield from items


def _rendered(item: Item) -> Item:
    """The item as one that came through a browser."""
    if isinstance(item, Post):
        return replace(item, sources=dict.fromkeys(item.sources, "rendered"))
    if isinstance(item, Reading | Comment):
        return replace(item, source="rendered")
    return item


def _from_page(exchange: Exchange) -> Iterator[Item]:
    status = exchange.status
    if status == 304:
        return
    if 300 <= status < 400:
        yield from _redirect(exchange)
        return
    document = _from_document(exchange)
    if document is not None:
        yield from document
        return
    platform = platform_of(exchange)
    page = exchange.method == "GET" and not (platform and platform.is_api_url(exchange.url))
    if page and status in (404, 410):
        if is_post_url(exchange.url):  # anything else was only tried: the page after a listing's last, say
            yield Gone(url=canonical_url(exchange.url), answered=str(status))
        return
    challenge = bot_challenge(exchange) if page else None
    if challenge:
        raise BotChallenge(f"{challenge} asks whether we are human; nothing stored, try again later or more slowly")
    if page and status >= 400:
        yield Problem(kind=f"http-{status}", message=f"{exchange.url}: answered {status}", url=exchange.url)
        return
    if page and (not exchange.body or exchange.body.isspace()):
        raise Unreadable("an empty answer; nothing stored, the next run asks again")
    if platform is None:
        yield from unsupported(exchange)
        return
    yield from platform.read(exchange)


def _from_document(exchange: Exchange) -> list[Item] | None:
    """A robots.txt, sitemap or feed, read as the platform whose posts it names; None for any other document."""
    readings = [
        list(document) for platform in platforms() if (document := discover.items_of(exchange, platform)) is not None
    ]
    return max(readings, key=lambda items: sum(isinstance(item, Sighting) for item in items), default=None)


def _redirect(exchange: Exchange) -> Iterator[Item]:
    """A renamed post, or one that moved to another site: both addresses look like posts. Anything else says nothing."""
    target = exchange.location
    if target and is_post_url(exchange.url) and is_post_url(target):
        old, new = canonical_url(exchange.url), canonical_url(target)
        if old != new:
            yield Alias(addresses=(new, old))


def _what_it_is(exchange: Exchange) -> str:
    platform = platform_of(exchange)
    if platform is None:
        return "nothing in it tells a platform that is read"
    return f"a {platform.name} document that shows no single post"


def is_cut(encoding: str, wire_body: bytes, decoded_length: int) -> bool:
    """A gzip body that ends before its trailer, so that the decoded page may lack its end.

    A whole gzip member ends with the length of what it holds (RFC 1952, 2.3.1); only where that disagrees is the body
    inflated once more to be sure. Other encodings: False, their decoders refuse a cut body.
    """
    if encoding.lower() not in ("gzip", "x-gzip") or not wire_body:
        return False
    if int.from_bytes(wire_body[-4:], "little") == decoded_length & 0xFFFFFFFF:
        return False
    rest = wire_body
    while rest:
        member = zlib.decompressobj(wbits=31)
        try:
            while not member.eof and rest:
                member.decompress(rest, 1 << 20)
                rest = member.unconsumed_tail
        except zlib.error:
            return True
        if not member.eof:
            return True
        rest = member.unused_data
    return False
