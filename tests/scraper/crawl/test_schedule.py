"""When a post is looked at again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.config.clinics import Clinic
from scraper.crawl.schedule import RECENT, SAMPLE, DueReason, RevisitPolicy, Schedule
from scraper.items import Item, Post
from scraper.platforms._platform import KnownPost
from tests.scraper.crawl.test_plan import HOME, SITE, page_of, post, posts, visited

NOW = datetime(2026, 6, 1, 6, tzinfo=UTC)


def ago(days: float) -> str:
    return (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def known(name: str = "a", **told: Any) -> KnownPost:
    """An old post that was read ten days ago, and is named today."""
    values: dict[str, Any] = {
        "url": post(name), "addresses": (post(name),), "published_at": "2024-01-01T00:00:00Z",
        "first_seen_at": ago(400), "last_seen_at": ago(10), "listed_at": ago(1), "named": True, "counted_at": ago(1),
    }  # fmt: skip
    return KnownPost(**(values | told))


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({}, None),
        ({"last_seen_at": None}, DueReason.NEW),
        ({"last_seen_at": ago(29.4)}, None), ({"last_seen_at": ago(29.5)}, DueReason.OVERDUE),
        # new posts often: published lately, or of an unknown date and first seen lately
        ({"published_at": ago(13), "last_seen_at": ago(1)}, DueReason.OVERDUE),
        ({"published_at": ago(13), "last_seen_at": ago(0.5)}, None),
        ({"published_at": None, "first_seen_at": ago(3), "last_seen_at": ago(1)}, DueReason.OVERDUE),
        ({"published_at": None}, None),
        # a list says so; a bare date may be any moment of its day, also where it is yesterday still
        ({"lastmod": ago(9)}, DueReason.CHANGED), ({"lastmod": ago(11)}, None), ({"lastmod": "last week"}, None),
        ({"lastmod": ago(10)[:10]}, DueReason.CHANGED), ({"lastmod": ago(11)[:10]}, DueReason.CHANGED),
        ({"lastmod": ago(12)[:10]}, None),
        # gone: asked for until that is settled, then seldom, at once when something is heard of it
        ({"missed_at": ago(1)}, DueReason.MISSING),
        ({"missed_at": ago(1), "removed": True, "named": False}, None),
        ({"last_seen_at": ago(60), "missed_at": ago(31), "removed": True, "named": False}, DueReason.OVERDUE),
        ({"missed_at": ago(5), "removed": True, "listed_at": ago(6)}, DueReason.MISSING),
        ({"missed_at": ago(5), "removed": True, "listed_at": ago(1)}, None),  # a sitemap that always named it
        ({"missed_at": ago(5), "removed": True, "listed_at": ago(1), "lastmod": ago(2)}, DueReason.CHANGED),
        # the list that named it was read just before it answered that it is gone, in the same visit
        ({"missed_at": ago(5), "removed": True, "listed_at": ago(5.01)}, None),
        # a clock was wrong, and is right again
        ({"last_seen_at": ago(-400)}, DueReason.OVERDUE),
        ({"last_seen_at": ago(-400), "published_at": None}, DueReason.OVERDUE),
        # it was listed when it was last looked at, and is no more; or never was
        ({"named": False, "listed_at": ago(10.01)}, DueReason.MISSING),
        ({"named": False}, DueReason.MISSING), ({"named": False, "listed_at": ago(11)}, None),
        ({"named": False, "listed_at": None}, None),
    ],
)  # fmt: skip
def test_why_a_post_is_due(told: dict[str, Any], why: DueReason | None) -> None:
    assert RevisitPolicy(NOW, Schedule(), lists_read=True).due_reason(known(**told)) == why


def test_lists_that_could_not_be_read_name_nothing_missing() -> None:
    assert RevisitPolicy(NOW, Schedule(), lists_read=False).due_reason(known(named=False)) is None


def test_a_stanza_changes_the_clocks() -> None:
    clock = RevisitPolicy(NOW, Schedule(text_days=7, fresh_days=1000), lists_read=True)
    assert clock.due_reason(known()) is DueReason.OVERDUE
    assert RevisitPolicy(NOW, Schedule(text_days=7), lists_read=True).due_reason(known()) is DueReason.OVERDUE
    assert clock.due_reason(known(last_seen_at=ago(0.1))) is None


days = st.floats(0, 100)
any_post = st.builds(
    lambda name, seen, published, named, missed: known(
        f"p{name}", last_seen_at=None if seen is None else ago(seen), published_at=ago(published), named=named,
        missed_at=ago(missed * seen) if missed is not None and seen else None,
    ),
    st.integers(), st.none() | days, days, st.booleans(), st.none() | st.floats(0, 0.99),
)  # fmt: skip


@given(st.lists(any_post, max_size=30))
def test_every_post_is_chosen_or_not_and_none_waits_too_long(found: list[KnownPost]) -> None:
    due, others = RevisitPolicy(NOW, Schedule(), lists_read=True).select(found)
    assert sorted(map(id, [*due, *others])) == sorted(map(id, found))
    assert all(item.due for item in due)
    for item in others:
        assert item.last_seen_at is not None
        assert NOW - datetime.fromisoformat(item.last_seen_at) < timedelta(days=30)
    could = [
        item for item in others if item.missed_at is None and (item.last_seen_at or "") < ago(RECENT / timedelta(1))
    ]
    clock = RevisitPolicy(NOW, Schedule(), lists_read=True)
    sample = sum(clock.due_reason(item) is None for item in due)
    assert sample == SAMPLE or not could  # beside all that is due


# --- a visit ---


def site(*names: str, gone: frozenset[str] = frozenset(), lastmod: str = "2025-01-01", feed: bytes = b"") -> Any:
    """A clinic whose sitemap names these posts."""

    def respond(url: str) -> Any:
        if url.rstrip("/") == SITE:
            return 200, HOME
        if url.endswith("/blog-posts-sitemap.xml"):
            entries = (f"<url><loc>{post(name)}</loc><lastmod>{lastmod}</lastmod></url>" for name in names)
            return 200, b"<urlset>%s</urlset>" % "".join(entries).encode()
        name = url.rpartition("/")[2]
        if "/post/" in url and name in names and name not in gone:
            return page_of(name)
        return 404, feed

    return respond


NAMES = tuple(f"p{n:02}" for n in range(20))


def archive(**told: Any) -> list[KnownPost]:
    told = {"named": False} | told  # lists name posts of a run, the archive does not
    return [known(name, last_seen_at=ago(10 + n / 10), **told) for n, name in enumerate(NAMES)]


def test_a_quiet_blog_is_asked_for_a_sample_the_longest_unread_first() -> None:
    requests, visit = visited(site(*NAMES), known=archive(), now=NOW)
    assert posts(requests) == ["p19", "p18", "p17"]
    assert (visit.attempted, visit.fetched, visit.not_due, visit.discovered) == (3, 3, 17, 20)


def test_what_is_new_comes_first_and_what_changed_is_read() -> None:
    found = archive()
    requests, _ = visited(site(*NAMES, "new", lastmod=ago(9.95)[:10]), known=found, now=NOW)
    assert posts(requests)[0] == "new"
    assert len(posts(requests)) == 21


def test_a_post_that_falls_out_of_the_lists_is_asked_for() -> None:
    requests, visit = visited(site(*NAMES[1:]), known=archive(), now=NOW)
    assert posts(requests)[0] == "p00"
    assert visit.gone == 1


def test_a_renamed_post_that_a_feed_still_names_by_its_old_address_has_changed() -> None:
    """The sitemap knows its new address and when it changed, the feed the old one and nothing more."""
    feed = b"<rss><channel><item><title>t</title><link>%s</link></item></channel></rss>" % post("was").encode()
    found = [*archive()[:5], known("new", addresses=(post("new"), post("was")), named=False)]
    answer = site(*NAMES[:5], "new")

    def respond(url: str) -> Any:
        if url.endswith("/blog-posts-sitemap.xml"):
            entries = [(name, "2025-01-01") for name in NAMES[:5]] + [("new", ago(1))]
            urls = "".join(f"<url><loc>{post(name)}</loc><lastmod>{at}</lastmod></url>" for name, at in entries)
            return 200, f"<urlset>{urls}</urlset>".encode()
        return (200, feed) if url.endswith("/blog-feed.xml") else answer(url)

    requests, visit = visited(respond, known=found, now=NOW)
    assert visit.found_in == {"sitemap": 6, "feed": 1}
    assert posts(requests)[0] == "new"


def test_where_most_are_gone_all_are_asked_for() -> None:
    """A sitemap that stays names posts that are not there: the sample meets it, and the rest is looked at."""
    requests, visit = visited(site(*NAMES, gone=frozenset(NAMES)), known=archive(), now=NOW)
    assert (len(posts(requests)), visit.gone, visit.not_due) == (20, 20, 0)


def test_a_run_that_was_cut_short_goes_on() -> None:
    lately = [known(name, last_seen_at=ago(0.1), published_at=ago(1)) for name in NAMES[:12]]
    requests, visit = visited(site(*NAMES), known=lately, now=NOW)
    assert posts(requests) == list(NAMES[12:])
    assert visit.not_due == 12


def test_all_means_all() -> None:
    requests, _ = visited(site(*NAMES), known=archive(), now=NOW, all_posts=True)
    assert len(posts(requests)) == 20


def test_a_days_budget_holds_and_the_rest_waits() -> None:
    """Six requests find the posts, four are kept for counters."""
    clinic = Clinic(slug="riverside", name="R", url=SITE, schedule=Schedule(requests_a_day=100))
    requests, visit = visited(site(*NAMES), known=[], now=NOW, clinic=clinic, requests_today=84)
    assert (visit.deferred, len(posts(requests))) == (14, 6)
    requests, visit = visited(site(*NAMES), known=[], now=NOW, clinic=clinic, requests_today=100)
    assert (visit.deferred, posts(requests)) == (20, [])


def test_nor_do_cards_of_other_posts_lead_beyond_it() -> None:
    clinic = Clinic(slug="riverside", name="R", url=SITE, schedule=Schedule(requests_a_day=26))
    answer = site(*NAMES)

    def respond(url: str) -> Any:
        return page_of(url.rpartition("/")[2], *NAMES) if "/post/" in url else answer(url)

    for found in ([], [known(name, last_seen_at=ago(40)) for name in NAMES]):
        requests, visit = visited(respond, known=found, now=NOW, clinic=clinic)
        assert (len(posts(requests)), visit.deferred) == (16, 4)


def test_a_budget_starves_nobody() -> None:
    """A blog that calls all posts changed every day, and addresses of a sitemap that never were a post."""
    clinic = Clinic(slug="riverside", name="R", url=SITE, schedule=Schedule(requests_a_day=26))
    found, read = archive(), set[str]()
    for day in range(4):
        now = NOW + timedelta(days=day)
        for item in found:
            item.named = False
        at = (now + timedelta(days=1)).isoformat()
        requests, visit = visited(site(*NAMES, lastmod=at), known=found, now=now, clinic=clinic)
        assert (len(posts(requests)), visit.deferred) == (16, 4)
        for item in found:
            if item.url.rpartition("/")[2] in posts(requests):
                item.last_seen_at = now.isoformat()
        read |= set(posts(requests))
    assert read == set(NAMES)
    dead = tuple(f"dead{n:02}" for n in range(40))
    answer = site(*dead, *NAMES, gone=frozenset(dead))
    requests, _ = visited(answer, known=[known(NAMES[0], last_seen_at=ago(40))], now=NOW, clinic=clinic)
    assert (len(posts(requests)), "p00" in posts(requests)) == (16, True)


def test_posts_that_were_gone_before_are_no_sign_that_all_vanish() -> None:
    """Two that were removed and are looked at again, and three that a sitemap names and that never were there."""
    removed = [known(name, last_seen_at=ago(90), missed_at=ago(40), removed=True) for name in ("x", "y")]
    dead = frozenset({"x", "y", "d1", "d2", "d3"})
    requests, visit = visited(site(*NAMES, *dead, gone=dead), known=[*archive(), *removed], now=NOW)
    assert (visit.gone, visit.not_due) == (5, 17)
    assert sorted(posts(requests)) == ["d1", "d2", "d3", "p17", "p18", "p19", "x", "y"]


def test_no_counters_are_missed_of_posts_that_nobody_counts() -> None:
    """Else a blog of which most posts were removed counted as one that ceases to tell them, and so did one whose posts
    a browser counts one by one: those that rest are not opened."""
    gone = [
        known(f"x{n}", last_seen_at=ago(90), missed_at=ago(5), removed=True, script_counters=True) for n in range(30)
    ]
    sample = {post(name) for name in NAMES[-SAMPLE:]}
    for counted, of in ((False, sample), (True, {post(name) for name in NAMES})):
        there = archive(script_counters=True, counted=counted)
        _, visit = visited(site(*NAMES), known=[*there, *gone], now=NOW)
        assert visit.counters_expected == of


def test_a_sample_is_read_on_busy_days_too() -> None:
    """Else new posts would hide for weeks that the old ones are gone behind a sitemap that stays."""
    fresh = [known(f"n{n}", published_at=ago(3), last_seen_at=ago(1), named=False) for n in range(9)]
    names = [f"n{n}" for n in range(9)]
    requests, visit = visited(site(*NAMES, *names, gone=frozenset(NAMES)), known=[*archive(), *fresh], now=NOW)
    assert posts(requests)[:9] == names
    assert visit.gone == SAMPLE


def test_what_was_asked_for_in_vain_is_no_sample_for_ever() -> None:
    failed = [known(f"f{n}", last_seen_at=ago(20), tried_at=ago(1), named=False) for n in range(3)]
    requests, _ = visited(site(*NAMES, "f0", "f1", "f2"), known=[*archive(), *failed], now=NOW)
    assert posts(requests) == ["p19", "p18", "p17"]


def test_pages_that_always_fail_are_no_failure_of_the_blog() -> None:
    """Four that lead nowhere since they were read last, five that never were a post, and the sample, which is there."""
    dead = [known(f"f{n}", last_seen_at=ago(50), tried_at=ago(1), named=False) for n in range(4)]
    names = [*(f"f{n}" for n in range(4)), *(f"x{n}" for n in range(5))]
    answer = site(*NAMES, *names)

    def respond(url: str) -> Any:
        return (200, b"<html>a list</html>") if url.rpartition("/")[2] in names else answer(url)

    _, visit = visited(respond, known=[*archive(), *dead], now=NOW)
    assert (visit.attempted, visit.failed, visit.expected, visit.unreadable) == (12, 9, 3, 0)
    _, visit = visited(respond, known=[*archive(), *(known(f"f{n}", last_seen_at=ago(50)) for n in range(4))], now=NOW)
    assert (visit.expected, visit.unreadable) == (7, 4)


def test_most_of_a_blog_failing_is_a_failure_of_the_blog_on_every_day() -> None:
    """A wall round all posts but one: the second day knows of the first, asks for others, and that one is well."""
    walled = [known(name, last_seen_at=ago(20), tried_at=ago(1), named=False) for name in NAMES[1:]]
    answer = site(*NAMES)

    def respond(url: str) -> Any:
        return (403, b"") if "/post/" in url and url != post("p00") else answer(url)

    fresh = known("p00", published_at=ago(2), last_seen_at=ago(1), named=False)
    _, visit = visited(respond, known=[fresh, *walled], now=NOW)
    assert (visit.expected, visit.unreadable) == (4, 3)
    # When they are well again, it is enough that those are that were asked for.
    _, visit = visited(answer, known=[fresh, *walled], now=NOW)
    assert (visit.expected, visit.unreadable) == (4, 0)


def test_a_budget_holds_for_other_addresses_too() -> None:
    clinic = Clinic(slug="riverside", name="R", url=SITE, schedule=Schedule(requests_a_day=30))
    gone = [
        known(name, addresses=(post(name), *(post(f"{name}-{n}") for n in range(4))), last_seen_at=ago(40), named=False)
        for name in NAMES
    ]
    requests, visit = visited(site("x"), known=gone, now=NOW, clinic=clinic)
    assert (len(requests) <= 36, visit.limited, visit.deferred > 0) == (True, True, True)


def test_the_comments_of_a_day_without_budget_wait() -> None:
    clinic = Clinic(slug="riverside", name="R", url=SITE, schedule=Schedule(requests_a_day=30))
    pages = {name: page_of(name) for name in NAMES}
    for name, (_, _, items) in pages.items():
        key = f"{name[1:]}" * 12
        pages[name] = (200, b"", (replace(items[0], comments_count=2, comments_key=key),))  # type: ignore[type-var]
    answer = site(*NAMES)

    def respond(url: str) -> Any:
        return pages[url.rpartition("/")[2]] if "/post/" in url else answer(url)

    requests, visit = visited(respond, known=[], now=NOW, clinic=clinic, requests_today=3)
    # Four find that nothing answers at the service of comments, then the browser would be asked for 17 pages.
    assert (len(requests), len(posts(requests)), visit.deferred) == (27, 17, 20)
    requests, visit = visited(respond, known=[], now=NOW)
    assert (len(posts(requests)), visit.deferred) == (40, 0)


def self_named(name: str, as_name: str) -> tuple[int, bytes, tuple[Item, ...]]:
    """A post page that calls itself by another address."""
    visible = Post(platform="wix", url=post(as_name), addresses=(post(as_name), post(name)), body_text=name)
    return 200, b"", (visible,)


@pytest.mark.parametrize("listed", [True, False])
def test_what_a_page_calls_itself_does_not_make_it_gone(listed: bool) -> None:
    """`p00` calls itself `draft`, which leads nowhere; a list that names `p00` is asked no other question."""
    wrong = known("draft", addresses=(post("draft"), post("p00")), last_seen_at=ago(40), named=False)
    answer = site(*NAMES[0 if listed else 1 :])

    def respond(url: str) -> Any:
        return self_named("p00", "draft") if url == post("p00") else answer(url)

    requests, visit = visited(respond, known=[*archive()[1:], wrong], now=NOW)
    assert posts(requests)[: 2 - listed] == (["p00"] if listed else ["draft", "p00"])
    assert (visit.gone, visit.fetched) == (0, 4)
    assert wrong.url == post("p00")


def test_an_old_address_that_leads_to_another_post_is_no_sign_of_life() -> None:
    gone = known("new", addresses=(post("new"), post("old")), last_seen_at=ago(40), named=False)
    answer = site(*NAMES, "new", gone=frozenset({"new"}))

    def respond(url: str) -> Any:
        return page_of("p07") if url == post("old") else answer(url)

    requests, visit = visited(respond, known=[*archive(), gone], now=NOW)
    assert posts(requests)[:2] == ["new", "old"]
    assert (visit.gone, gone.url) == (1, post("new"))


def test_pages_that_always_fail_do_not_take_the_place_of_the_sample() -> None:
    failing = [known(f"f{n}", last_seen_at=ago(50), named=False) for n in range(3)]
    requests, _ = visited(site(*NAMES, "f0", "f1", "f2"), known=[*archive(), *failing], now=NOW)
    assert sorted(posts(requests)) == ["f0", "f1", "f2", "p17", "p18", "p19"]
