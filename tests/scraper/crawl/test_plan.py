"""The order of a visit: what is asked for, what is counted, where it ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from scraper.config.clinics import Clinic
from scraper.crawl.state import VisitContext, VisitState
from scraper.crawl.visit import crawl_blog
from scraper.items import Exchange, Gone, Item, Post, Problem, Sighting
from scraper.platforms._platform import Answer, Ask, KnownPost
from tests.making import extract

SITE = "https://riverside.example"
HOME = b"<html><head><meta name='generator' content='Wix.com Website Builder'></head><body></body></html>"
Respond = Callable[[str], tuple[int, bytes] | tuple[int, bytes, tuple[Item, ...]]]


def post(name: str) -> str:
    return f"{SITE}/post/{name}"


def page_of(name: str, *related: str, **changes: Any) -> tuple[int, bytes, tuple[Item, ...]]:
    """A post page, already read."""
    visible = Post(platform="wix", url=post(name), addresses=(post(name),), body_text=name, comments_count=0, **changes)
    return 200, b"", (visible, *(Sighting(url=post(other), source="related") for other in related))


def sitemap(*names: str) -> tuple[int, bytes]:
    return 200, b"<urlset>%s</urlset>" % b"".join(f"<url><loc>{post(name)}</loc></url>".encode() for name in names)


def visited(respond: Respond, **start: Any) -> tuple[list[str], VisitState]:
    """Play the server to a visit; the addresses asked for, and how the visit went."""
    clinic = start.pop("clinic", Clinic(slug="riverside", name="R", url=SITE))
    visit = VisitState(clinic_id="riverside")
    plan = crawl_blog(VisitContext(**({"clinic": clinic, "private": True, "known": []} | start)), visit)
    asked: list[str] = []
    try:
        ask: Ask = next(plan)
        while len(asked) < 3000:
            asked.append(ask.url)
            visit.requests += 1
            status, body, *items = respond(ask.url)
            exchange = Exchange(url=ask.url, body=body, status=status, content_type="text/html", method=ask.method)
            found = items[0] if items else extract(exchange)
            ask = plan.send(
                Answer(ask=ask, exchange=exchange if status else None, items=found, reason=None if status else "slow")
            )
    except StopIteration:
        return asked, visit
    raise AssertionError("the visit does not end")


def site(**pages: Any) -> Respond:
    """A clinic with a home page, a sitemap of those posts, and nothing else."""

    def respond(url: str) -> Any:
        if url.rstrip("/") == SITE:
            return 200, HOME
        if url.endswith("/blog-posts-sitemap.xml"):
            return sitemap(*(name for name in pages if not name.startswith("hidden")))
        return pages.get(url.rpartition("/")[2], (404, b"")) if "/post/" in url else (404, b"")

    return respond


def posts(asked: list[str]) -> list[str]:
    return [url.removeprefix(f"{SITE}/post/") for url in asked if url.startswith(f"{SITE}/post/")]


def test_home_first_then_lists_then_posts_then_counters() -> None:
    asked, visit = visited(site(a=page_of("a"), b=page_of("b", counters_pending=True)))
    assert asked[0].rstrip("/") == SITE
    first = asked.index(post("a"))
    assert all("robots" in url or "sitemap" in url or "feed" in url or "/blog" in url for url in asked[1:first])
    last = asked.index(post("b"))
    assert asked[-1] == post("b")  # nothing else told its counters: a browser is asked
    assert all("/_api/" in url for url in asked[last + 1 : -1])
    assert asked[last + 1 : -1]
    assert (visit.blog_status, visit.discovered, visit.fetched, visit.failed, visit.found_in) == (
        "blog", 2, 2, 0, {"sitemap": 2},
    )  # fmt: skip


def test_nothing_is_asked_for_twice() -> None:
    asked, _ = visited(site(a=page_of("a", "b", "hidden"), b=page_of("b", "a"), hidden=page_of("hidden", "a")))
    assert sorted(posts(asked)) == ["a", "b", "hidden"]


def test_posts_that_only_others_name_are_found() -> None:
    asked, visit = visited(
        site(a=page_of("a", "hidden"), hidden=page_of("hidden", "hidden2"), hidden2=page_of("hidden2"))
    )
    assert posts(asked) == ["a", "hidden", "hidden2"]
    assert (visit.discovered, visit.fetched) == (3, 3)


def test_posts_that_no_listing_names_any_more_are_asked_for() -> None:
    known = [
        KnownPost(url=post("old"), addresses=(post("old"),)),
        KnownPost(url=post("lost"), addresses=(post("lost"),)),
    ]
    asked, visit = visited(site(a=page_of("a"), hidden=(0, b"")), known=known)
    assert posts(asked) == ["a", "old", "lost"]
    assert (visit.gone, visit.failed, visit.fetched) == (2, 0, 1)


@pytest.mark.parametrize(
    "answer", [(404, b""), (410, b""), (200, b"", (Gone(url=post("b"), answered="not-found page (200)"),))]
)
def test_a_post_that_is_gone_is_an_answer_not_a_failure(answer: Any) -> None:
    """Else no visit that meets a removal could ever be complete, and confirm it."""
    _, visit = visited(site(a=page_of("a"), b=answer))
    assert (visit.attempted, visit.fetched, visit.gone, visit.failed) == (2, 1, 1, 0)


@pytest.mark.parametrize(
    "answer",
    [(503, b""), (0, b""), (200, b"<html>wall</html>", (Problem(kind="bot-challenge", message="m"),)), (304, b"")],
)
def test_what_is_no_answer_is_a_failure(answer: Any) -> None:
    _, visit = visited(site(a=page_of("a"), b=answer))
    assert (visit.fetched, visit.gone, visit.failed) == (1, 0, 1)


def listed(*found: Sighting, **pages: Any) -> Respond:
    """A clinic without a sitemap, whose listing names those posts."""

    def respond(url: str) -> Any:
        if url == f"{SITE}/blog":
            return 200, HOME, found
        if url.endswith("/blog-feed.xml"):
            return 200, b"<rss><channel></channel></rss>", tuple(FEED)
        return (404, b"") if "sitemap" in url else site(**pages)(url)

    return respond


GUID = "wix:64ddbf6a1737d98af033206"
FEED = [Sighting(url=post(f"right-{n}"), source="feed", addresses=(f"{GUID}{n}",)) for n in range(3)]


def test_a_new_post_is_asked_for_by_its_second_address_where_its_first_is_wrong() -> None:
    """The listing garbles every address, the feed has some of them right; both give the posts' ids."""
    garbled = [Sighting(url=post(f"wr%EF%BF%BDng-{n}"), source="listing", addresses=(f"{GUID}{n}",)) for n in range(4)]
    pages = {f"right-{n}": page_of(f"right-{n}") for n in range(3)}
    asked, visit = visited(listed(*garbled, **pages))
    assert {name for name in posts(asked) if name.startswith("right")} == set(pages)
    assert (visit.attempted, visit.fetched, visit.gone, visit.never_there) == (4, 3, 1, 1)
    assert len(posts(asked)) == len(set(posts(asked)))


@pytest.mark.parametrize("answer", [(503, b""), (0, b"")])
def test_a_failure_says_nothing_about_an_address(answer: Any) -> None:
    twice = [Sighting(url=post("other-0"), source="listing", addresses=(f"{GUID}0",))]
    asked, visit = visited(listed(*twice, **{"other-0": answer, "right-0": page_of("right-0")}))
    assert "right-0" not in posts(asked)
    assert visit.failed == 1


def test_a_known_post_that_has_not_changed_counts_as_fetched() -> None:
    _, visit = visited(site(a=(304, b"")), known=[KnownPost(url=post("a"))])
    assert (visit.fetched, visit.unchanged, visit.failed) == (1, 1, 0)


def test_a_limit_asks_for_the_newest_and_says_so() -> None:
    asked, visit = visited(site(**{name: page_of(name, "hidden") for name in "abcd"}), limit=2)
    assert posts(asked) == ["a", "b"]
    assert visit.limited
    assert not visit.notes


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ((0, b""), "unreachable"), ((503, b""), "unreachable"), ((200, b"<html>no blog</html>"), None),
        ((200, b""), "unreachable"),
    ],
)  # fmt: skip
def test_a_site_that_gives_no_blog_is_a_failure_in_words(answer: Any, status: str | None) -> None:
    asked, visit = visited(lambda url: answer)
    assert (len(asked) == 1) == (status is not None)
    assert visit.failure
    assert visit.blog_status == (status or "none_found")


def test_a_platform_without_posts_has_no_blog() -> None:
    _, visit = visited(site())
    assert (visit.blog_status, visit.attempted) == ("none_found", 0)
    assert visit.failure


def test_comments_are_not_asked_for_where_the_stanza_says_so() -> None:
    page = page_of("a")
    page[2][0].comments_key, page[2][0].comments_count = "64ddbf6a1737d98af033206f", 3  # type: ignore[union-attr]
    for wanted, policy in ((True, "threads"), (False, "counts"), (False, "none")):
        clinic = Clinic(slug="riverside", name="R", url=SITE, comments=policy)  # type: ignore[arg-type]
        asked, _ = visited(site(a=page), clinic=clinic)
        assert any("/comments/" in url for url in asked) == wanted, policy


def test_a_sitemap_of_sitemaps_that_goes_round_ends() -> None:
    index = f"<sitemapindex><sitemap><loc>{SITE}/sitemap.xml</loc></sitemap></sitemapindex>".encode()

    def respond(url: str) -> Any:
        return (200, index) if "sitemap" in url else site(a=page_of("a"))(url)

    asked, _ = visited(respond)
    assert asked.count(f"{SITE}/sitemap.xml") == 1


def test_endless_listings_end() -> None:
    """A blog that answers every page with new posts."""

    def respond(url: str) -> Any:
        if "/blog" in url and "xml" not in url:
            number = url.rpartition("/")[2]
            return 200, HOME, (Sighting(url=post(f"p{number}"), source="listing"),)
        return page_of(url.rpartition("/")[2]) if "/post/" in url else site()(url)

    asked, _ = visited(respond)
    assert len([url for url in asked if "/blog" in url]) < 500


def test_lists_of_another_site_are_not_followed() -> None:
    def respond(url: str) -> Any:
        if url.endswith("/robots.txt"):
            return 200, b"Sitemap: https://other.example/sitemap.xml\nSitemap: http://[x\n"
        return site(a=page_of("a"))(url)

    asked, _ = visited(respond)
    assert all(url.startswith(SITE) for url in asked)


def test_new_posts_come_first_then_changed_ones_and_all_are_visited() -> None:
    """A visit that is cut short has seen what was worth most."""
    seen = "2026-03-04T10:00:00Z"
    known = [
        KnownPost(url=post(name), addresses=(post(name),), last_seen_at=seen) for name in ("old", "changed", "gone")
    ]
    listed = b"".join(
        f"<url><loc>{post(name)}</loc><lastmod>{day}</lastmod></url>".encode()
        for name, day in (("old", "2026-03-01"), ("changed", "2026-03-09"), ("new", "2026-02-01"))
    )

    def respond(url: str) -> Any:
        if url.endswith("/sitemap.xml"):
            return 200, b"<urlset>%s</urlset>" % listed
        return page_of(url.rpartition("/")[2]) if "/post/" in url else (200, HOME) if url == SITE else (404, b"")

    asked, visit = visited(respond, known=known, all_posts=True)
    order = [url.rpartition("/")[2] for url in asked if "/post/" in url and "_api" not in url]
    assert order[:4] == ["new", "changed", "old", "gone"]
    assert visit.fetched == 4


@pytest.mark.parametrize(
    ("known", "moved"), [("https://blog.example/post/a", None), (post("a"), "https://blog.example/")]
)
def test_a_home_that_always_led_to_another_host_has_not_moved(known: str, moved: str | None) -> None:
    there = Exchange(url="https://blog.example/", body=HOME, status=200, content_type="text/html")
    start = VisitContext(
        clinic=Clinic(slug="riverside", name="R", url=SITE),
        private=True,
        known=[KnownPost(url=known, addresses=(known,))],
    )
    visit = VisitState(clinic_id="riverside")
    plan = crawl_blog(start, visit)
    with suppress(StopIteration):
        plan.send(Answer(ask=next(plan), exchange=there, items=(), redirected_from=(SITE,)))
    assert visit.moved == moved
