"""Extract the items of one exchange: the pure part of every crawl, replay, rebuild and `clinic-archive parse`.

The platform is an argument: a run's captures are read by the platform that the run recognised. Whether an exchange is
a redirect, a refusal, a list of posts or a page follows only from its bytes and address, never from the reason for the
request. So a capture gives the same items in every command and at any time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

from scraper import discover
from scraper.addresses import canonical_url, post_key, same_site
from scraper.comments import service_of, threads_in
from scraper.comments._listed import lists_comments
from scraper.items import (
    Alias,
    Comment,
    EmbeddedThread,
    Exchange,
    Extraction,
    Gone,
    Item,
    Post,
    Problem,
    Reading,
    Thread,
    ThreadPage,
)
from scraper.not_a_post import NotAPost, NotFoundPage, Unreadable
from scraper.platforms import recognise
from scraper.platforms._platform import Platform
from scraper.platforms._recognise import unsupported
from scraper.platforms._tree import MAX_TAGS, noting_cuts
from scraper.quality import EMPTY_SHELL, refusal_of
from scraper.robots.tags import robots_header, robots_meta

logger = logging.getLogger(__name__)


def extract(exchange: Exchange, platform: Platform | None) -> tuple[Item, ...]:
    """Return every item of the exchange by one platform's rules. Never raises: a fault gives a `Problem` or `Gone`.

    Of an answer whose body cannot be decoded it is the `Problem` that says so.

    `platform`: the platform that the run recognised; None where it recognised none.
    """
    if exchange.is_emptied:
        return ()
    if exchange.fault is not None:
        return (exchange.fault,)
    items: list[Item] = []
    with noting_cuts() as cuts:
        _collect(exchange, platform, items)
    return _as_cut(exchange, items, max(cuts)) if cuts else tuple(items)


def _collect(exchange: Exchange, platform: Platform | None, items: list[Item]) -> None:
    """Add the items of the exchange to the list; after a fault, the `Problem` or `Gone` that it means."""
    try:
        items.extend(_items(exchange, platform))
    except NotFoundPage as error:
        items.append(Gone(url=canonical_url(exchange.url), answered=f"not-found page ({exchange.status})"))
        logger.debug("%s: %s", exchange.url, error)
    except NotAPost as error:
        items.append(Problem(kind=error.kind, message=f"{exchange.url}: {error}", url=exchange.url))
    except Exception as error:  # a fault of the parser: the page is missing from the tables, but its bytes are recorded
        logger.exception("reading %s failed", exchange.url)
        message = (
            f"{exchange.url}: the parser failed ({type(error).__name__}); the page is in the WARC; please report this"
        )
        items.append(Problem(kind="parser-error", message=message, url=exchange.url))


def _as_cut(exchange: Exchange, items: list[Item], tags: int) -> tuple[Item, ...]:
    """Return the items of markup whose end was not read: no comment is absent because it shows none. `tags`: it has."""
    message = (
        f"{exchange.url}: {tags} tags in one text; the first {MAX_TAGS} were read, so that the text and its comments "
        "end early; the capture has the whole"
    )
    others = (item for item in items if not isinstance(item, Thread | ThreadPage))
    return (*others, Problem(kind="too-many-tags", message=message, url=exchange.url))


def extract_post(exchange: Exchange) -> Post:
    """Return the post of a single exchange with its comments, for `parse`.

    Raises `NotAPost`, whose message says what the exchange is.
    """
    platform = recognise(exchange)
    items = tuple(_items(exchange, platform))
    post = next((item for item in items if isinstance(item, Post)), None)
    if post is not None:
        own = (item for item in items if isinstance(item, Comment) and not {*item.post}.isdisjoint(post.addresses))
        return replace(post, comments=(*post.comments, *own))
    if platform is None:
        raise NotAPost("it contains no post: it shows no sign of a supported platform")
    raise NotAPost(f"it contains no post: it is a {platform.name} document, but not a post page")


def extraction_by(
    platform: Platform | None,
    clinic_id: str,
    capture: object,
    items: tuple[Item, ...],
    url: str,
    exchange: Exchange | None,
) -> Extraction:
    """Return the items of a capture as one unit, with the version of the parser that read them (0: no platform's).

    `url`: the address of the capture; `exchange`: None where no answer came, or the answer cannot be read.
    """
    service = service_of(url)
    header, meta = (robots_header(exchange), robots_meta(exchange)) if exchange is not None else (None, None)
    about = Extraction(
        clinic_id=clinic_id,
        capture=capture,
        items=items,
        is_emptied=exchange is not None and exchange.is_emptied,
        from_api=service is not None,
        lists_comments=exchange is not None and lists_comments(exchange.body),
        robots_header=header,
        robots_meta=meta,
    )
    if platform is None:
        return about
    is_read = exchange is not None and not exchange.is_emptied and platform.claims(exchange)
    return replace(
        about,
        extractor_version=platform.extractor_version if is_read else 0,
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
    # Scripts, style sheets, images: recorded, but not parsed.


def _is_rendered_page(exchange: Exchange, platform: Platform | None) -> bool:
    """Return whether the document is the page itself or a redirect to it, and not the document of a frame."""
    page = exchange.page or exchange.url
    if post_key(exchange.url) == post_key(page):
        return True
    return same_site(exchange.url, page) and platform is not None and platform.is_post_url(exchange.url) is not False


def _from_script_answer(exchange: Exchange, platform: Platform | None) -> Iterator[Item]:
    """Yield the items of an answer to a page's script; none where the platform does not claim the answer."""
    if platform is None or not platform.claims(exchange):
        return
    usable = 200 <= exchange.status < 300 or platform.is_api_url(exchange.url)
    if usable and exchange.method != "OPTIONS":
        yield from platform.read(exchange)


def _from_dom(exchange: Exchange, platform: Platform | None) -> Iterator[Item]:
    """Yield the items of a rendered page's final DOM, or a `Problem` if it is no longer the requested post.

    A script may have replaced the post, and its address, by another post.
    """
    if platform is None or not platform.claims(exchange):
        message = f"{exchange.url}: the rendered page is not a page of the blog; not stored"
        yield Problem(kind="not-rendered", message=message, url=exchange.url)
        return
    own = {post_key(exchange.url), post_key(exchange.page or exchange.url)}
    items = list(_from_page(exchange, platform))
    stated = (item.stated_url or item.url for item in items if isinstance(item, Post))
    other = next((url for url in stated if url and same_site(url, exchange.url) and post_key(url) not in own), None)
    if other is not None:
        message = f"{exchange.url}: in a browser the page states the address {other}; the rendered page is not stored"
        yield Problem(kind="not-rendered", message=message, url=exchange.url)
        return
    yield from items


def _rendered(item: Item) -> Item:
    """Return the item with the source "rendered"."""
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
        if is_post is not False:  # other addresses are only probed, such as the page after the last one of a listing
            yield Gone(url=canonical_url(exchange.url), answered=str(status), certain=bool(is_post))
        return
    may_be_post = platform is not None and platform.is_post_url(exchange.url) is not False
    refusal = refusal_of(exchange, may_be_post=may_be_post) if page else None
    if refusal is not None and not (refusal.kind == EMPTY_SHELL and _is_not_found(exchange, platform)):
        raise refusal
    if page and status >= 400:
        yield Problem(kind=f"http-{status}", message=f"{exchange.url}: answered {status}", url=exchange.url)
        return
    if page and (not exchange.body or exchange.body.isspace()):
        raise Unreadable("the answer is empty; not stored, the next run requests it again")
    if platform is None or not platform.claims(exchange):
        yield from unsupported(exchange)
        return
    items = platform.read(exchange)
    yield from _with_threads(exchange, items) if page else items


def _with_threads(exchange: Exchange, items: Iterator[Item]) -> Iterator[Item]:
    """Yield the items of a page; after its post, the threads at comment services that the page embeds.

    Where readers write to another service, the site itself counts no comments: a 0 that it prints says nothing.
    """
    threads: dict[str, str] | None = None
    for item in items:
        if isinstance(item, Post) and item.url is not None and threads is None:
            threads = threads_in(exchange)
            yield _without_zero(item) if threads else item
            for service, thread in threads.items():
                yield EmbeddedThread(post=item.addresses or (item.url,), service=service, thread=thread)
        else:
            yield _without_zero(item) if threads and isinstance(item, Post | Reading) else item


def _without_zero(item: Post | Reading) -> Post | Reading:
    """Return the item with its 0 comments as a raw text alone."""
    if item.comments_count != 0:
        return item
    raw = item.comments_count_raw or "0"
    if isinstance(item, Reading):
        return replace(item, comments_count=None, comments_count_raw=raw)
    sources = dict(item.sources)
    given = sources.pop("comments_count", None)
    sources.setdefault("comments_count_raw", given or "html")
    return replace(item, comments_count=None, comments_count_raw=raw, sources=sources)


def _is_not_found(exchange: Exchange, platform: Platform | None) -> bool:
    """Return whether the platform says, in a page without any text, that nothing exists at the address."""
    try:
        if platform is not None and platform.claims(exchange):
            next(iter(platform.read(exchange)), None)
    except NotFoundPage:
        return True
    except NotAPost:
        pass
    return False


def _redirect(exchange: Exchange, platform: Platform | None) -> Iterator[Item]:
    """Yield an `Alias` if both addresses may be posts: the post was renamed or moved. Other redirects yield nothing."""
    target = exchange.location
    if not target or platform is None:
        return
    verdicts = {platform.is_post_url(exchange.url), platform.is_post_url(target)}
    old, new = canonical_url(exchange.url), canonical_url(target)
    if False not in verdicts and old != new:
        yield Alias(addresses=(new, old), certain=None not in verdicts)
