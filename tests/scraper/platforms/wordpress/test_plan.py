"""The requests to a WordPress site, played without a network: paging, odd servers, a closed API."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scraper.config.clinic import Clinic
from scraper.crawl.pages import pages_as_evidence
from scraper.crawl.state import VisitContext, VisitState
from scraper.extract import extract
from scraper.items import Exchange, Sighting
from scraper.platforms import platform_named
from scraper.platforms._platform import Answer, Ask, Blog, KnownPost, Plan
from scraper.platforms.wordpress.address import api_url, is_post, query_of, route_of
from scraper.platforms.wordpress.plan.root import api_roots
from scraper.platforms.wordpress.rest.types import blog_routes

SITE = "https://fernside-clinic.example"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
WORDPRESS = platform_named("wordpress")
Respond = Callable[[str], tuple[int, object, Mapping[str, str]]]


def row(number: int, **changes: Any) -> dict[str, Any]:
    link = f"{SITE}/post-{number}/"
    fields = {"id": number, "type": "post", "link": link, "modified_gmt": "2025-01-05T10:00:00", "title": {}}
    return {**fields, "content": {"rendered": f"<p>Text {number}.</p>"}, **changes}


def known(number: int, **changes: Any) -> KnownPost:
    at = (NOW - timedelta(days=1)).isoformat()
    fields = {"last_seen_at": at, "listed_at": at, "page_at": at, "modified_at": "2025-01-05T10:00:00Z"}
    return KnownPost(url=f"{SITE}/post-{number}", addresses=(f"wordpress:{number}",), **{**fields, **changes})


def played(plan: Plan, respond: Respond, most: int = 1000) -> list[str]:
    """Play the server to a plan; the addresses that it requests."""
    requested: list[str] = []
    named: set[str] = set()
    try:
        ask: Ask = next(plan)
        while len(requested) < most:
            requested.append(ask.url)
            status, value, headers = respond(ask.url)
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            exchange = Exchange(url=ask.url, body=body, status=status, headers=headers)
            items = extract(exchange, WORDPRESS)
            urls = {item.url for item in items if isinstance(item, Sighting)}
            ask = plan.send(Answer(ask=ask, exchange=exchange, items=items, new_posts=len(urls - named)))
            named |= urls
    except StopIteration:
        return requested
    raise AssertionError("the plan does not end")


def blog(**changes: Any) -> Blog:
    return Blog(**{"root": SITE, "now": NOW, **changes})


def lists(rows: list[dict[str, Any]], **headers: str) -> Respond:
    """A server whose list of posts has these rows on every page."""

    def respond(url: str) -> tuple[int, object, Mapping[str, str]]:
        if route_of(url) == "wp/v2/posts":
            return 200, rows, headers
        return 404, {}, {}

    return respond


def discovered(site: Blog, respond: Respond) -> list[str]:
    assert WORDPRESS is not None
    return played(WORDPRESS.discover(site), respond)


def endless_comments(site: Blog, rows: Callable[[str], list[dict[str, Any]]]) -> list[str]:
    """The requests for comments where each answer has these rows and says that a thousand follow."""
    assert WORDPRESS is not None
    headers = {"x-wp-total": "100000", "x-wp-totalpages": "1000"}
    return played(WORDPRESS.threads(site), lambda url: (200, rows(url), headers))


def test_a_reading_of_comments_that_repeats_its_page_ends_and_is_not_complete() -> None:
    post = known(1)
    site = blog(api=f"{SITE}/wp-json/", posts={post.url: post})
    assert len(endless_comments(site, lambda url: [{"id": 5, "post": 1, "content": {}}])) == 2
    assert not post.thread_read


def test_a_day_with_thousands_of_comments_on_pages_asks_for_few_of_them() -> None:
    post = known(1, comment_ids=frozenset({"5"}), thread_at=(NOW - timedelta(days=1)).isoformat())
    site = blog(api=f"{SITE}/wp-json/", posts={post.url: post}, known=[post])
    page = {"_links": {"up": [{"post_type": "page"}]}}
    assert len(endless_comments(site, lambda url: [{"id": len(url) + 100, "post": 2, **page}])) == 5
    assert len(site.notes) == 1


def test_the_comments_of_the_site_are_left_to_another_day_when_the_budget_is_used_up() -> None:
    post = known(1)
    site = blog(api=f"{SITE}/wp-json/", posts={post.url: post}, budget_spent=lambda: True)
    assert endless_comments(site, lambda url: []) == []
    assert site.deferred == {post.url}


def newest(*entries: tuple[int, str]) -> bytes:
    """A feed of comments: the numbers of their posts, and their dates."""
    items = "".join(
        f"<item><title>By: Rosa</title><link>{SITE}/post-{number}/comment-page-2/#comment-{index}</link>"
        f"<pubDate>{date}</pubDate></item>"
        for index, (number, date) in enumerate(entries)
    )
    return f"<?xml version='1.0'?><rss version='2.0'><channel><title>Comments</title>{items}</channel></rss>".encode()


def test_where_the_api_gives_no_comments_the_feed_says_which_pages_have_a_new_one() -> None:
    posts = [known(number) for number in range(1, 4)]
    site = blog(api=f"{SITE}/wp-json/", posts={post.url: post for post in posts}, known=posts)
    feed = newest((1, "Mon, 02 Mar 2026 08:00:00 +0000"), (2, "Mon, 02 Feb 2026 08:00:00 +0000"))

    def respond(url: str) -> tuple[int, object, Mapping[str, str]]:
        return (200, feed, {}) if "feed" in url else (401, {}, {})

    assert WORDPRESS is not None
    assert [url.partition("?")[0] for url in played(WORDPRESS.threads(site), respond)] == [
        f"{SITE}/wp-json/wp/v2/comments",
        f"{SITE}/comments/feed/",
    ]
    assert site.commented == {posts[0].url}
    assert not posts[0].thread_read
    start = VisitContext(clinic=Clinic(slug="fern", name="Fern", url=SITE), private=False, known=posts, now=NOW)
    site.pages_follow = True
    assert played(pages_as_evidence(site, start, VisitState(clinic_id="fern")), lambda url: (200, b"", {})) == [
        posts[0].url
    ]


def test_types_of_posts_without_end_cost_a_few_requests() -> None:
    each = {"has_archive": True, "hierarchical": False, "taxonomies": ["news_category"]}
    types = {f"news{number}": {"slug": f"news{number}", **each} for number in range(500)}

    def respond(url: str) -> tuple[int, object, Mapping[str, str]]:
        return 200, types if route_of(url) == "wp/v2/types" else [row(1)], {}

    assert len(discovered(blog(), respond)) < 30


def test_a_list_that_repeats_its_page_for_ever_ends() -> None:
    site = blog()
    requested = discovered(site, lists([row(1), row(2)], **{"x-wp-total": "2", "x-wp-totalpages": "1000"}))
    assert [query_of(url)["page"] for url in requested if route_of(url) == "wp/v2/posts"] == ["1", "2"]
    assert "lists no other posts" in site.notes[0]


def test_a_list_of_ever_new_posts_ends() -> None:
    def respond(url: str) -> tuple[int, object, Mapping[str, str]]:
        if route_of(url) != "wp/v2/posts":
            return 404, {}, {}
        page = int(query_of(url)["page"])
        return 200, [row(page)], {"x-wp-total": "99999", "x-wp-totalpages": "99999"}

    site = blog()
    assert len(discovered(site, respond)) < 210
    assert (site.partial, site.api) == (True, f"{SITE}/wp-json/")


def test_a_list_without_headers_is_read_to_its_short_page() -> None:
    def respond(url: str) -> tuple[int, object, Mapping[str, str]]:
        if route_of(url) != "wp/v2/posts":
            return 404, {}, {}
        page = int(query_of(url)["page"])
        return 200, [row(number) for number in range(page * 100, page * 100 + (100 if page < 3 else 5))], {}

    requested = discovered(blog(), respond)
    assert [query_of(url)["page"] for url in requested if route_of(url) == "wp/v2/posts"] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "answer", [(401, {}), (403, b"<html>"), (404, b"<html>"), (200, b"<html>"), (200, b'[{"id": 1')]
)
def test_a_closed_api_is_reported_once_and_lists_are_read(answer: tuple[int, object]) -> None:
    def respond(url: str) -> tuple[int, object, Mapping[str, str]]:
        return (*answer, {}) if route_of(url) is not None else (404, b"", {})

    site = blog()
    requested = discovered(site, respond)
    assert [problem.kind for problem in site.unreadable_lists] == ["rest-refused"]
    assert (site.api, site.pages_follow) == (None, True)
    assert {f"{SITE}/wp-sitemap.xml", f"{SITE}/feed/", f"{SITE}/?feed=rss2", f"{SITE}/?feed=atom"} <= set(requested)


def test_a_server_that_fails_at_large_pages_is_asked_for_smaller_ones() -> None:
    def respond(url: str) -> tuple[int, object, Mapping[str, str]]:
        if query_of(url).get("per_page") == "100":
            return 500, b"", {}
        return lists([row(1)], **{"x-wp-total": "1", "x-wp-totalpages": "1"})(url)

    requested = discovered(blog(), respond)
    assert [query_of(url).get("per_page") for url in requested[:2]] == ["100", "20"]


def test_a_quiet_day_reads_one_page_of_dates() -> None:
    rows = [row(number) for number in range(1, 101)]
    for short in rows:
        del short["content"]
    site = blog(known=[known(number) for number in range(1, 151)])
    requested = discovered(site, lists(rows, **{"x-wp-total": "150", "x-wp-totalpages": "2"}))
    assert [route_of(url) for url in requested] == ["wp/v2/posts", "wp/v2/types"]
    assert (site.partial, site.pages_follow) == (True, True)


@pytest.mark.parametrize("changed", [{"modified_at": "2024-01-01T00:00:00Z"}, {"last_seen_at": None}])
def test_texts_of_changed_posts_alone_are_requested(changed: dict[str, Any]) -> None:
    rows = [row(1), row(2)]
    for short in rows:
        del short["content"]
    site = blog(known=[known(1), known(2, **changed)])
    requested = discovered(site, lists(rows, **{"x-wp-total": "2", "x-wp-totalpages": "1"}))
    assert query_of(requested[-1])["include"] == "2"


def test_a_week_after_the_last_whole_list_it_is_read_again() -> None:
    rows = [row(number) for number in range(1, 101)]
    old = (NOW - timedelta(days=7)).isoformat()
    site = blog(known=[known(1), known(200, listed_at=old)])
    requested = discovered(site, lists(rows, **{"x-wp-total": "2", "x-wp-totalpages": "2"}))
    assert [query_of(url)["page"] for url in requested if "page" in query_of(url)][:2] == ["1", "2"]


def comments_of(site: Blog, respond: Respond) -> list[str]:
    assert WORDPRESS is not None
    site.api = f"{SITE}/?rest_route=/"
    return played(WORDPRESS.threads(site), respond)


def test_the_thread_of_a_post_with_a_new_comment_is_read_whole() -> None:
    posts = [known(1, comment_ids=frozenset({"5"}), thread_at=NOW.isoformat()), known(2)]
    newest = [{"id": 7, "post": 2}, {"id": 6, "post": 9}, {"id": 5, "post": 1}]
    site = blog(known=posts, posts={post.url: post for post in posts})
    requested = comments_of(site, lambda _: (200, newest, {"x-wp-total": "3", "x-wp-totalpages": "1"}))
    assert [query_of(url).get("post") for url in requested] == [None, "2"]
    assert all(post.thread_read for post in posts)


def test_a_budget_leaves_threads_to_another_day() -> None:
    post = known(2, comment_ids=frozenset({"1"}), thread_at=NOW.isoformat())
    site = blog(known=[post], posts={post.url: post}, budget_spent=lambda: True)
    comments_of(site, lambda _: (200, [{"id": 7, "post": 2}], {"x-wp-totalpages": "1"}))
    assert site.deferred == {post.url}


def test_roots_as_stated_and_as_usual() -> None:
    home = Exchange(url=f"{SITE}/", body=b"", headers={"link": f'<{SITE}/api/>; rel="https://api.w.org/"'})
    assert api_roots(blog(home=home)) == [f"{SITE}/api/"]
    page = b"<link rel='https://api.w.org/' href='/index.php?rest_route=/' />"
    assert api_roots(blog(home=Exchange(url=f"{SITE}/", body=page))) == [f"{SITE}/index.php?rest_route=/"]
    other = b'<link rel="https://api.w.org/" href="https://other.example/wp-json/" />'
    assert len(api_roots(blog(home=Exchange(url=f"{SITE}/", body=other)))) == 2


def test_routes_are_joined_to_either_root() -> None:
    assert api_url(f"{SITE}/wp-json/", "wp/v2/posts", page=2) == f"{SITE}/wp-json/wp/v2/posts?page=2"
    plain = api_url(f"{SITE}/?rest_route=/", "wp/v2/posts", page=2)
    assert plain == f"{SITE}/?rest_route=/wp/v2/posts&page=2"
    assert (route_of(plain), query_of(plain)) == ("wp/v2/posts", {"page": "2"})


def test_types_of_articles_are_read_and_those_of_people_are_not() -> None:
    entry = {"has_archive": True, "hierarchical": False, "rest_base": "", "taxonomies": ["news_category"]}
    types = {
        slug: {**entry, "slug": slug} for slug in ("post", "page", "news", "our_team", "service", "wp_block", "product")
    }
    assert list(blog_routes(types)) == ["wp/v2/news"]
    assert list(blog_routes([])) == list(blog_routes({"a": 1})) == []


@pytest.mark.parametrize(
    ("path", "named_in", "verdict"),
    [
        ("/2024/05/sleep/", None, None),
        ("/?p=12", None, True),
        ("/sleep/", "/wp-sitemap-posts-post-1.xml", True),
        ("/sleep/", "/post-sitemap2.xml", True),
        ("/sleep/", "/page-sitemap.xml", False),
        ("/sleep/", "/?sitemap=posts&sitemap-subtype=post&paged=1", True),
        ("/sleep/", "/?sitemap=posts&sitemap-subtype=page&paged=1", False),
        ("/sleep/", "/feed/", True),
        ("/sleep/", "/sitemap.xml", None),
        ("/category/rest/", None, False),
        ("/?page_id=2", None, False),
        ("/wp-content/a.jpg", None, False),
        ("/", None, False),
    ],
)
def test_which_addresses_are_posts(path: str, named_in: str | None, verdict: bool | None) -> None:
    assert is_post(SITE + path, SITE + named_in if named_in else None) is verdict
    assert is_post("http://[", None) is False
