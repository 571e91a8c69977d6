"""The readers of any platform and of comment services, and plans on answers of any kind."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pipelines.fold.sanitise import storable
from scraper.comments import services
from scraper.extract import extract
from scraper.items import Exchange, Extraction, Item, Problem, Sighting
from scraper.not_a_post import NotAPost
from scraper.platforms import platform_named
from scraper.platforms._platform import Answer, Ask, Blog, KnownPost, Platform
from tests.fuzz.makers import ANSWER_URLS, ANSWERS, MAKERS, MARKED_PAGES, PAGES, POST_ID, SERVICE_ANSWERS, SERVICE_URLS
from tests.fuzz.wordpress import FEEDS, SITE, WORDPRESS_ANSWERS, WORDPRESS_PAGES, WORDPRESS_URLS

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MAX_REQUESTS = 2_500  # of one plan, whatever the answers are


class ReaderFailed(Exception):
    """A parser caught an exception of its own, or a plan has no end."""


def _read(exchange: Exchange, platform: Platform | None) -> tuple[Item, ...]:
    items = extract(exchange, platform)
    for item in items:
        if isinstance(item, Problem) and item.kind == "parser-error":
            raise ReaderFailed(item.message)
    storable(Extraction(clinic_id="fern", capture=None, items=items))
    return items


def read_wordpress_answer(data: bytes, folder: Path) -> None:
    """An answer of WordPress' API, whichever was asked for; with it all answers of a visit."""
    for url in WORDPRESS_URLS:
        exchange = Exchange(url=url, body=data, content_type="application/json", headers={"x-wp-totalpages": "1000000"})
        _read(exchange, platform_named("wordpress"))
    _visit("wordpress", data, "application/json")


def read_wordpress_page(data: bytes, folder: Path) -> None:
    """A page as a post, as a page of its comments, as the home page."""
    for path in ("/sleep/", "/sleep/comment-page-2/", "/"):
        exchange = Exchange(url=SITE + path, body=data, content_type="text/html", fetched_at=NOW)
        _read(exchange, platform_named("wordpress"))


def read_whole_feed(data: bytes, folder: Path) -> None:
    """A feed with whole texts."""
    exchange = Exchange(url=f"{SITE}/feed/", body=data, content_type="application/rss+xml; charset=utf-8")
    for name in ("wordpress", "generic", "blogger"):
        _read(exchange, platform_named(name))


def read_any_page(data: bytes, folder: Path) -> None:
    """A page by every other platform."""
    exchange = Exchange(url=f"{SITE}/blog/sleep", body=data, content_type="text/html", fetched_at=NOW)
    for name in MAKERS:
        platform = platform_named(name)
        assert platform is not None
        with suppress(NotAPost):
            for _ in platform.read(exchange):
                pass
        _read(exchange, platform)


def read_any_answer(data: bytes, folder: Path) -> None:
    """An answer of the APIs of other platforms; with it all answers of a visit."""
    for name, url in ANSWER_URLS:
        _read(Exchange(url=url, body=data, content_type="application/json", fetched_at=NOW), platform_named(name))
    for name in ("blogger", "squarespace", "ghost"):
        _visit(name, data, "application/json")


def read_service(data: bytes, folder: Path) -> None:
    """An answer of every comment service."""
    for url in SERVICE_URLS:
        body = b'["/sleep/", "/b"]'
        _read(Exchange(url=url, body=data, request_body=body, content_type="text/html", fetched_at=NOW), None)


def read_marks(data: bytes, folder: Path) -> None:
    """The marks of services in a page, and the requests that follow from them."""
    exchange = Exchange(url=f"{SITE}/sleep", body=data, content_type="text/html", fetched_at=NOW)
    for service in services():
        thread = service.thread_of(exchange)
        if thread is not None:
            known = KnownPost(url=f"{SITE}/sleep", addresses=(f"{SITE}/sleep",))
            blog = Blog(root=SITE, posts={known.url: known})
            for plan in (service.counts, service.threads):
                drive(plan(blog, {known.url: thread}), lambda ask: Exchange(url=ask.url, body=data), None)


def _visit(name: str, data: bytes, content_type: str) -> None:
    platform = platform_named(name)
    assert platform is not None
    known = KnownPost(
        url=f"{SITE}/sleep",
        addresses=(f"{SITE}/sleep", "wordpress:7", "blogger:345678", f"ghost:{POST_ID}"),
        thread_count=1,
        comment_ids=frozenset({"1"}),
    )
    home = Exchange(url=f"{SITE}/", body=PAGES[1], content_type="text/html")
    blog = Blog(root=SITE, home=home, posts={known.url: known}, known=[known])

    def answer(ask: Ask) -> Exchange:
        is_robots = ask.url.endswith("/robots.txt")
        return Exchange(
            url=ask.url,
            body=b"User-agent: *\nAllow: /" if is_robots else data,
            content_type=content_type,
            headers={"x-wp-totalpages": "1000000", "x-wp-total": "99999999"},
        )

    for plan in (platform.discover, platform.counters, platform.threads):
        drive(plan(blog), answer, platform)


def drive(plan: Generator[Ask, Answer, None], answer: Callable[[Ask], Exchange], platform: Platform | None) -> int:
    """Answer every request of a plan; return their number. A plan that never ends has failed."""
    seen: set[str] = set()
    requests = 0
    ask = next(plan, None)
    while ask is not None:
        requests += 1
        if requests > MAX_REQUESTS:
            raise ReaderFailed(f"more than {MAX_REQUESTS} requests, the last is {ask.url}")
        exchange = answer(ask)
        items = extract(exchange, platform) if requests < 4 else ()
        new = {item.url for item in items if isinstance(item, Sighting)} - seen
        seen |= new
        try:
            ask = plan.send(Answer(ask=ask, exchange=exchange, items=items, new_posts=len(new)))
        except StopIteration:
            ask = None
    return requests


def seeds() -> Iterator[tuple[str, Callable[[bytes, Path], object], list[bytes]]]:
    """Every reader by name, with inputs that it reads well."""
    yield "wordpress-rest", read_wordpress_answer, WORDPRESS_ANSWERS
    yield "wordpress-page", read_wordpress_page, WORDPRESS_PAGES
    yield "whole-feed", read_whole_feed, FEEDS
    yield "any-page", read_any_page, PAGES
    yield "any-answer", read_any_answer, ANSWERS
    yield "service", read_service, SERVICE_ANSWERS
    yield "marks", read_marks, MARKED_PAGES
