"""What the archive knows before a visit: which posts, what their pages leave to a script, which route worked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.components.known_posts import (
    LONGEST_MEMORY,
    embedded_threads,
    known_posts,
    recent_requests,
    remembered_routes,
    reported_messages,
)
from scraper.items import EmbeddedThread, Item, Problem, Thread
from tests.making import CLINIC, HEX, OTHER_HEX, START, Made, capture, comment, extraction, post, reading, url


def visit(archive: Made, number: int, *items: Item) -> None:
    """A run of its own, in which one capture says all this."""
    archive.crawl(str(number))
    archive.fold(extraction(number, *items), crawl_id=str(number))


def scripted(archive: Made) -> bool:
    (known,) = known_posts(archive.db, CLINIC, START)
    return known.script_counters


PRINTED = post(views=3)
BARE = post()
RENDERED = reading(views=4, source="rendered")
SERVED = reading(views=4, source="api")
UNKNOWN = Problem(kind="not-rendered", message="unknown", url=url("sleep"))


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([(BARE,)], False),  # nobody ever told of counters: their owner may hide them
        ([(PRINTED,)], False),
        ([(BARE, RENDERED)], True),
        ([(BARE, SERVED)], True),
        ([(PRINTED, SERVED)], False),  # a service counts all posts, also those whose pages print it
        ([(PRINTED, UNKNOWN)], False),  # its comments were unknown
        ([(BARE, UNKNOWN)], True),  # a browser died: the next run fills the gap
        ([(PRINTED,), (BARE, RENDERED)], True),  # the blog changed how it prints
        ([(PRINTED,), (BARE, UNKNOWN)], True),
        ([(BARE, RENDERED), (PRINTED,)], False),
    ],
)
def test_what_a_page_leaves_to_a_script_is_told_by_the_newest_run(
    archive: Made, runs: list[tuple[Item, ...]], expected: bool
) -> None:
    for number, items in enumerate(runs, 1):
        visit(archive, number, *items)
    assert scripted(archive) == expected


def test_a_word_of_the_server_that_nothing_changed_keeps_what_the_page_printed(archive: Made) -> None:
    visit(archive, 1, PRINTED)
    archive.crawl("2")
    same = {"http_status": 304, "record_type": "revisit", "refers_to": "00000000-0000-4000-8000-000000000001"}
    archive.fold(extraction(2, **same), extraction(3, SERVED), crawl_id="2")
    assert not scripted(archive)


def test_the_route_that_worked_last_is_remembered_for_a_month(archive: Made) -> None:
    now = START + timedelta(days=1)
    assert remembered_routes(archive.db, CLINIC, now) == frozenset()
    visit(archive, 1, BARE, SERVED, comment(source="api"))
    assert remembered_routes(archive.db, CLINIC, now) == frozenset()
    visit(archive, 2, RENDERED)
    assert remembered_routes(archive.db, CLINIC, now) == {"counters"}
    visit(archive, 3, comment("c2", source="rendered"))
    assert remembered_routes(archive.db, CLINIC, now) == {"counters", "comments"}
    assert remembered_routes(archive.db, CLINIC, now + LONGEST_MEMORY) == frozenset()
    assert remembered_routes(archive.db, "elsewhere", datetime.now(UTC)) == frozenset()


def test_an_emptied_thread_was_read_when_its_comments_were_missed(archive: Made) -> None:
    visit(archive, 1, BARE, reading(comments_count=1, source="api"), comment())
    visit(archive, 2, reading(comments_count=0, source="api"), Thread(post=(HEX,), comments=()))
    (known,) = known_posts(archive.db, CLINIC, START)
    assert known.thread_at is not None and known.thread_at.startswith("2026-03-01T09:02")
    assert (known.comments_count, known.thread_count) == (0, 0)


def test_an_address_that_was_learned_is_known_to_have_been_told(archive: Made) -> None:
    visit(archive, 1, Problem(kind="learned-address", message="comments came from /voices"), UNKNOWN)
    assert reported_messages(archive.db, CLINIC) == {"comments came from /voices"}


def test_a_post_that_was_asked_for_in_vain(archive: Made) -> None:
    visit(archive, 1, BARE)
    assert [item.tried_at for item in known_posts(archive.db, CLINIC, START)] == [None]
    archive.crawl("2")
    problem = Problem(kind="not-a-post", message="leads elsewhere", url=url("sleep"))
    archive.fold(replace(extraction(2, problem), capture=capture(2, url=url("sleep"))), crawl_id="2")
    (known,) = known_posts(archive.db, CLINIC, START)
    assert known.tried_at is not None and known.tried_at.startswith("2026-03-01T09:02")
    visit(archive, 3, BARE)
    assert [item.tried_at for item in known_posts(archive.db, CLINIC, START)] == [None]


def test_a_visit_at_the_hour_of_yesterdays_has_a_days_budget(archive: Made) -> None:
    visit(archive, 1, BARE)
    visit(archive, 2, BARE)
    hours = {hour: recent_requests(archive.db, CLINIC, START + timedelta(hours=hour)) for hour in (-1, 1, 19, 23.9)}
    assert hours == {-1: 0, 1: 2, 19: 2, 23.9: 0}


def test_the_addresses_that_were_learned_last_come_first(archive: Made) -> None:
    """Else comments are looked for under the id that the post had at the site where the clinic was before."""
    date, there = "2026-01-02T03:04:05Z", "https://new.example/post/sleep"
    visit(archive, 1, post(addresses=(url("sleep"), OTHER_HEX), published_at=date))
    visit(archive, 2, post(url=there, addresses=(there, HEX), published_at=date))
    (known,) = known_posts(archive.db, CLINIC, START)
    assert known.addresses == (there, HEX, url("sleep"), OTHER_HEX)


def test_threads_of_pages_that_are_not_read_again(archive: Made) -> None:
    """The page of a later visit embeds another thread; that of a removed post is not read."""
    first, second = (EmbeddedThread(post=(url("sleep"),), service="isso", thread=f"isso:{name}") for name in "ab")
    visit(archive, 1, post(), first)
    assert embedded_threads(archive.db, CLINIC) == {"isso": {url("sleep"): "isso:a"}}
    visit(archive, 2, post(), second)
    visit(archive, 3, post())
    assert embedded_threads(archive.db, CLINIC) == {"isso": {url("sleep"): "isso:b"}}
    archive.db.execute("UPDATE posts SET removed_at = '2026-04-01T00:00:00Z'")
    assert embedded_threads(archive.db, CLINIC) == {}
