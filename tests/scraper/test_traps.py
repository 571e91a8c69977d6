"""Sites that have a new address for whoever asks, on purpose or not: every visit ends within its bounds and says so."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from scraper.crawl.frontier import MAX_CARDS
from scraper.platforms._discovery import MAX_LISTINGS, MAX_SITEMAPS
from tests.scraper.crawl.test_plan import HOME, SITE, page_of, post, posts, sitemap, visited

SESSIONS: list[Callable[[int], str]] = [
    lambda n: f";jsessionid={n:032X}.node1",
    lambda n: f"?PHPSESSID={n:026x}",
    lambda n: f"?sid={n:031x}f",
    lambda n: f"?lang=en&session_id={n}",
    lambda n: f"?CFID={n}&CFTOKEN={n * 7}",
    lambda n: f"?utm_source=mail{n}&fbclid={n}",
]


def linked(*urls: str) -> tuple[int, bytes]:
    """A page of the blog that links to those."""
    links = "".join(f'<li data-hook="post-list-item"><a href="{url}">x</a></li>' for url in urls)
    return 200, HOME.replace(b"<body>", f'<body><div data-hook="feed-page-root">{links}</div>'.encode())


def is_list(url: str) -> bool:
    path = urlsplit(url).path
    return path.startswith("/blog") and not path.endswith(".xml")


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session(1)[1:])
def test_a_session_in_every_link_makes_no_new_posts(session: Callable[[int], str]) -> None:
    """Each page names the same two posts and the same lists, each time by a name that nobody has seen before."""
    fresh = itertools.count(10**9)

    def respond(url: str) -> Any:
        if "/post/" in url and "_api" not in url:
            status, body, items = page_of(url.rpartition("/")[2].partition("?")[0], "a", "b")
            related = [type(item)(url=f"{post(name)}{session(next(fresh))}", source="related") for name, item in
                       zip("ab", items[1:], strict=True)]  # fmt: skip
            return status, body, (items[0], *related)
        if url.rstrip("/") == SITE or is_list(url):
            named = [f"{SITE}{path}{session(next(fresh))}" for path in ("/post/a", "/post/b", "/blog/categories/x")]
            return linked(*named)
        return 404, b""

    requests, visit = visited(respond)
    # Cards come from the reader as canonical addresses; these do not, and are told apart by the visit alone.
    assert {each.partition("?")[0].partition(";")[0] for each in posts(requests)} == {"a", "b"}
    assert len(posts(requests)) == 2
    assert len([url for url in requests if is_list(url)]) <= 4
    assert visit.discovered == 2


def test_a_calendar_is_never_entered() -> None:
    """Its days are neither posts nor lists of posts, whatever links to them."""

    def respond(url: str) -> Any:
        if "/events" in url:
            return linked(f"{url}/next")
        if url.rstrip("/") == SITE or is_list(url):
            days = [f"{SITE}/events/2026/11/{day}" for day in range(1, 31)]
            return linked(*days, f"{SITE}/event-list", f"{SITE}/calendar?month=2026-12", post("a"))
        return page_of("a") if url == post("a") else (404, b"")

    requests, _ = visited(respond)
    assert posts(requests) == ["a"]
    assert [url for url in requests if "event" in url or "calendar" in url] == []


def endless_categories(url: str) -> str:
    """A calendar in the guise of categories: each day links to the next."""
    day = int(url.rpartition("-")[2]) if "day-" in url else 0
    return f"{SITE}/blog/categories/day-{day + 1}"


@pytest.mark.parametrize("named", [1, 4])
def test_pages_of_lists_without_end(named: int) -> None:
    """Page after page with posts that nobody has seen: all that were named up to the bound are asked for, no more."""

    def respond(url: str) -> Any:
        if is_list(url):
            number = int(url.rpartition("/")[2]) if "/page/" in url else 1
            return linked(*(post(f"p{number}-{each}") for each in range(named)), f"{SITE}/blog/page/{number + 1}")
        if url.rstrip("/") == SITE:
            return 200, HOME
        return page_of(url.rpartition("/")[2]) if "/post/" in url and "_api" not in url else (404, b"")

    requests, visit = visited(respond)
    assert len([url for url in requests if is_list(url)]) == MAX_LISTINGS
    assert len(posts(requests)) == visit.fetched == MAX_LISTINGS * named
    assert f"more than {MAX_LISTINGS} pages of lists: the others were not read" in visit.notes


def test_lists_that_always_name_another_list() -> None:
    def respond(url: str) -> Any:
        if url.rstrip("/") == SITE or is_list(url):
            return linked(endless_categories(url), post("a"))
        return page_of("a") if url == post("a") else (404, b"")

    requests, visit = visited(respond)
    assert len([url for url in requests if is_list(url)]) == MAX_LISTINGS
    assert visit.notes == [f"more than {MAX_LISTINGS} pages of lists: the others were not read"]
    assert posts(requests) == ["a"]


@pytest.mark.parametrize("deeper", ["categories/x", "page/2", "post/a", "a/post/a", "a/b/post/a"])
def test_paths_that_extend_themselves(deeper: str) -> None:
    """A relative link on every page: `categories/x` on `/blog/categories/x` is `/blog/categories/categories/x`."""

    def respond(url: str) -> Any:
        below = f"{url.rpartition('/')[0]}/{deeper}" if urlsplit(url).path.strip("/") else f"{SITE}/blog/{deeper}"
        if "/post/" in url and "_api" not in url:
            status, body, items = page_of(url.removeprefix(f"{SITE}/"))
            return status, body, (*items, *page_of("x", below.partition("/post/")[2])[2][1:])
        if url.rstrip("/") == SITE or is_list(url):
            return linked(below, post("a"))
        return 404, b""

    requests, _ = visited(respond)
    assert len([url for url in requests if "_api" not in url]) < 40


def test_posts_that_always_name_another_post() -> None:
    def respond(url: str) -> Any:
        if "/post/" in url and "_api" not in url:
            number = int(url.rpartition("-")[2])
            return page_of(f"n-{number}", f"n-{number + 1}", f"n-{number + 2}")
        return (200, HOME) if url.rstrip("/") == SITE else sitemap("n-0") if "sitemap.xml" in url else (404, b"")

    requests, visit = visited(respond)
    assert len(posts(requests)) == MAX_CARDS + 1
    assert [note for note in visit.notes if "only other posts name" in note]
    assert visit.limited, "what was not followed is no evidence that it is gone"


def test_sitemaps_that_always_name_another_sitemap() -> None:
    def respond(url: str) -> Any:
        if url.endswith(".xml") and "sitemap" in url:
            number = int("".join(filter(str.isdigit, url)) or 0)
            more = "".join(f"<sitemap><loc>{SITE}/sitemap-{number * 2 + each}.xml</loc></sitemap>" for each in (1, 2))
            return 200, f"<sitemapindex>{more}</sitemapindex>".encode()
        return linked(post("a")) if is_list(url) else page_of("a") if url == post("a") else (200, HOME)

    requests, visit = visited(respond)
    assert len([url for url in requests if "sitemap" in url]) == MAX_SITEMAPS
    assert f"more than {MAX_SITEMAPS} sitemaps: the others were not read" in visit.notes
