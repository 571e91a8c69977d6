"""One exchange in, its items out: the pure half of every crawl, replay, rebuild and `clinic-archive parse`.

The platform is an argument: a run's captures are read by the platform that the run recognised. Whether an exchange is
a redirect, a refusal, a list of posts or a page follows from its own bytes and address, never from the reason of the
request; so the same capture gives the same items whoever reads it, and when.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator
from dataclasses import replace

from scraper import discover
from scraper.addresses import canonical_url, post_key, same_site
from scraper.comments import service_of
from scraper.items import (
    Alias,
    BotChallenge,
    Comment,
    Exchange,
    Extraction,
    Gone,
    Item,
    NotAPost,
    NotFoundPage,
    Post,
    Problem,
    Reading,
    Unreadable,
)
from scraper.platforms import recognise
from scraper.platforms._platform import Platform
from scraper.platforms._recognise import bot_challenge, unsupported

logger = logging.getLogger(__name__)


def extract(exchange: Exchange, platform: Platform | None) -> tuple[Item, ...]:
    """Every item that the exchange gives, read by one platform's rules. Never raises: a fault is a `Problem` or `Gone`.

    `platform`: the platform that the run recognised; None where it recognised none.
    """
    items: list[Item] = []
    try:
        for item in _items(exchange, platform):
            items.append(item)
    except NotFoundPage as error:
        items.append(Gone(url=canonical_url(exchange.url), answered=f"not-found page ({exchange.status})"))
        logger.debug("%s: %s", exchange.url, error)
    except NotAPost as error:
        items.append(Problem(kind=error.kind, message=f"{exchange.url}: {error}", url=exchange.url))
    except Exception as error:  # a fault of the parser: this page is missing from the tables, its bytes are kept
        logger.exception("reading %s failed", exchange.url)
        message = f"{exchange.url}: the parser failed ({type(error).__name__}); the capture is kept, please report it"
        items.append(Problem(kind="parser-error", message=message, url=exchange.url))
    return tuple(items)


def extract_response(
    exchange: Exchange, platform: Platform | None, encoding: str, wire_body: bytes
) -> tuple[Item, ...]:
    """`extract` for a body that came content-encoded: a body that is cut gives a `Problem` and nothing else.

    `encoding`: Content-Encoding as served; `wire_body`: the body before it was decoded.
    """
    if is_cut(encoding, wire_body, len(exchange.body)):
        message = f"{exchange.url}: the gzip body ends in its middle; nothing stored of it, asked again next time"
        return (Problem(kind="cut-short", message=message, url=exchange.url),)
    return extract(exchange, platform)


def extract_post(exchange: Exchange) -> Post:
    """The post that a single exchange shows, for `parse`. Raises `NotAPost` with what the exchange is instead."""
    platform = recognise(exchange)
    for item in _items(exchange, platform):
        if isinstance(item, Post):
            return item
    if platform is None:
        raise NotAPost("no post in it: no mark of a platform that is read")
    raise NotAPost(f"no post in it: a {platform.name} document that shows no single post")


def extraction_by(
    platform: Platform | None,
    clinic_id: str,
    capture: object,
    items: tuple[Item, ...],
    url: str,
    exchange: Exchange | None,
) -> Extraction:
    """The items of a capture as one unit, with the version of the parser that read them (0: none did).

    `url`: the address of the capture; `exchange`: None where no answer came, or none that can be read.
    """
    service = service_of(url)
    if platform is None:
        return Extraction(clinic_id=clinic_id, capture=capture, items=items, from_api=service is not None)
    return Extraction(
        clinic_id=clinic_id,
        capture=capture,
        items=items,
        extractor_version=platform.extractor_version if exchange is not None and platform.claims(exchange) else 0,
        sources=tuple(platform.sources),
        from_api=service is not None or platform.is_api_url(url),
    )


def _items(exchange: Exchange, platform: Platform | None) -> Iterator[Item]:
    service = service_of(exchange.url)
    if service is not None and (platform is None or not platform.is_api_url(exchange.url)):
        yield from service.read(exchange)
    elif exchange.via is None:
        yield from _from_page(exchange, platform)
    elif exchange.via == "document":
        if _is_rendered_page(exchange, platform):
            yield from _from_page(exchange, platform)
    elif exchange.of_script:
        yield from map(_rendered, _from_script_answer(exchange, platform))
    elif exchange.via == "dom":
        yield from map(_rendered, _from_dom(exchange, platform))
    # Scripts, style sheets, pictures: the bytes are kept, nothing is read from them.


def _is_rendered_page(exchange: Exchange, platform: Platform | None) -> bool:
    """The document is the page itself, at an address on the way to it or the last; not one in a frame of it."""
    page = exchange.page or exchange.url
    if post_key(exchange.url) == post_key(page):
        return True
    return same_site(exchange.url, page) and platform is not None and platform.is_post_url(exchange.url) is not False


def _from_script_answer(exchange: Exchange, platform: Platform | None) -> Iterator[Item]:
    """What a page's script received, where that is of a known kind; a page calls for much else."""
    if platform is None or not platform.claims(exchange):
        return
    usable = 200 <= exchange.status < 300 or platform.is_api_url(exchange.url)
    if usable and exchange.method != "OPTIONS":
        yield from platform.read(exchange)


def _from_dom(exchange: Exchange, platform: Platform | None) -> Iterator[Item]:
    """What a browser shows in the end, where that is still the requested post: a script may have put another in its
    place, with that one's address."""
    if platform is None or not platform.claims(exchange):
        message = f"{exchange.url}: what a browser shows in the end is no page of a blog; nothing stored of it"
        yield Problem(kind="not-rendered", message=message, url=exchange.url)
        return
    own = {post_key(exchange.url), post_key(exchange.page or exchange.url)}
    items = list(_from_page(exchange, platform))
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


def _from_page(exchange: Exchange, platform: Platform | None) -> Iterator[Item]:
    status = exchange.status
    if status == 304:
        return
    if 300 <= status < 400:
        yield from _redirect(exchange, platform)
        return
    document = discover.items_of(exchange, platform)
    if document is not None:
        yield from document
        return
    page = exchange.method == "GET" and not (platform and platform.is_api_url(exchange.url))
    if page and status in (404, 410):
        is_post = platform.is_post_url(exchange.url) if platform is not None else False
        if is_post is not False:  # anything else was only tried: the page after a listing's last, say
            yield Gone(url=canonical_url(exchange.url), answered=str(status), certain=bool(is_post))
        return
    challenge = bot_challenge(exchange) if page else None
    if challenge:
        raise BotChallenge(f"{challenge} asks whether we are human; nothing stored, try again later or more slowly")
    if page and status >= 400:
        yield Problem(kind=f"http-{status}", message=f"{exchange.url}: answered {status}", url=exchange.url)
        return
    if page and (not exchange.body or exchange.body.isspace()):
        raise Unreadable("an empty answer; nothing stored, the next run asks again")
    if platform is None or not platform.claims(exchange):
        yield from unsupported(exchange)
        return
    yield from platform.read(exchange)


def _redirect(exchange: Exchange, platform: Platform | None) -> Iterator[Item]:
    """A renamed post, or one that moved to another site: both addresses look like posts. Anything else says nothing."""
    target = exchange.location
    if not target or platform is None:
        return
    verdicts = {platform.is_post_url(exchange.url), platform.is_post_url(target)}
    old, new = canonical_url(exchange.url), canonical_url(target)
    if False not in verdicts and old != new:
        yield Alias(addresses=(new, old), certain=None not in verdicts)


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
