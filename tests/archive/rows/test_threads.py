"""Comments of a service beside the platform: they belong to the post whose page embeds their thread."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.rows import runs
from scraper.items import EmbeddedThread, Item, Thread
from tests.making import CLINIC, OTHER_HEX, Made, comment, extraction, made, post, reading, url

THREAD = "isso:https://talk.example/?uri=/sleep/"
PEOPLE = "SELECT comments_kept, commenters, by_staff FROM most_discussed"


@pytest.fixture
def archive(tmp_path: Path):  # type: ignore[no-untyped-def]
    with made(tmp_path / "archive") as archive:
        yield archive


def embedded(slug: str = "sleep", thread: str = THREAD) -> EmbeddedThread:
    return EmbeddedThread(post=(url(slug),), service="isso", thread=thread)


def said(*items: Item) -> tuple[Item, ...]:
    return (*(comment(name, post=(THREAD,)) for name in ("isso:1", "isso:2")), *items)


@pytest.mark.parametrize(("readings", "expected"), [
    (["2026-02-15 month", "2026-02-22 month"], "2026-02-15 month"),
    (["2026-03-01 day", "2026-02-22 month"], "2026-03-01 day"),
    (["2026-02-15 month", "2026-02-17 day"], "2026-02-17 day"),
    (["2026-03-01 day", "2026-03-02T01:00:00Z second"], "2026-03-02T01:00:00Z second"),
])  # fmt: skip
def test_the_first_reading_of_a_date_stays_unless_another_is_finer(
    archive: Made, readings: list[str], expected: str
) -> None:
    archive.fold(extraction(1, post()))
    for number, (at, precision) in enumerate((each.split() for each in readings), 2):
        read = comment(source="rendered", posted_at=at, posted_at_precision=precision)
        archive.fold(extraction(number, read, via="dom", page=url("sleep")))
    assert archive.rows("SELECT posted_at || ' ' || posted_at_precision FROM comments") == [(expected,)]


def test_comments_go_to_the_post_that_embeds_their_thread(archive: Made) -> None:
    archive.fold(extraction(1, post(), embedded()))
    archive.fold(extraction(2, *said(reading(THREAD, comments_count=2))))
    assert archive.rows("SELECT post_id, count(*) FROM comments GROUP BY 1") == [(1, 2)]
    assert archive.rows("SELECT comments_count FROM readings WHERE comments_count IS NOT NULL") == [(2,)]
    assert archive.rows("SELECT comment_service, comment_thread FROM posts") == [("isso", THREAD)]
    archive.fold(extraction(3, comment("isso:1", post=(THREAD,)), Thread(post=(THREAD,), comments=("isso:1",))))
    assert archive.rows("SELECT comment_id FROM absences") == [(2,)]
    assert archive.one("SELECT count(*) FROM post_addresses WHERE address LIKE 'isso%'") == 0


def test_comments_wait_for_the_page_and_without_it_for_ever(archive: Made) -> None:
    archive.fold(extraction(1, *said()), extraction(2, post()))
    assert archive.one("SELECT count(*) FROM comments") == 0
    assert archive.one("SELECT count(*) FROM unplaced") == 2
    archive.fold(extraction(3, post(), embedded()))
    assert archive.rows("SELECT count(*) FROM comments UNION ALL SELECT count(*) FROM unplaced") == [(2,), (0,)]


def test_a_thread_that_a_template_names_on_every_page_merges_no_posts(archive: Made) -> None:
    other = post("rest", title="On rest", addresses=(url("rest"), OTHER_HEX))
    archive.fold(extraction(1, post(), embedded()), extraction(2, other, embedded("rest")), extraction(3, *said()))
    assert archive.one("SELECT count(*) FROM posts") == 2
    assert archive.rows("SELECT url, count(*) FROM comments JOIN posts USING (post_id)") == [(url("sleep"), 2)]


def test_a_post_may_change_its_thread(archive: Made) -> None:
    archive.fold(extraction(1, post(), embedded()), extraction(2, post(), embedded(thread="isso:b")))
    archive.fold(extraction(3, comment("isso:9", post=("isso:b",))), extraction(4, *said()))
    assert archive.one("SELECT comment_thread FROM posts") == "isso:b"
    assert archive.one("SELECT count(*) FROM posts") == 1
    assert archive.one("SELECT count(*) FROM comments") >= 1


def test_notices_are_no_comments_and_no_people(archive: Made) -> None:
    archive.fold(extraction(1, post(comments_count=3)))
    archive.fold(
        extraction(2, comment("c1", author="reader-aaaaaaaaaaaa"), comment("c2", type="pingback", author="A site"))
    )
    archive.fold(extraction(3, comment("c3", type="trackback")))
    assert archive.rows("SELECT type FROM comments ORDER BY comment_id") == [
        ("comment",),
        ("pingback",),
        ("trackback",),
    ]
    assert archive.rows(PEOPLE) == [(1, 1, 0)]
    assert archive.rows("SELECT comments_kept, notices_kept FROM posts_with_counts") == [(1, 2)]
    assert archive.one("SELECT comments_kept FROM clinics_overview") == 1
    assert archive.one("SELECT count(*) FROM comment_threads WHERE type = 'comment'") == 1


def test_access_is_a_field_with_a_history(archive: Made) -> None:
    archive.fold(extraction(1, post(access="public")), extraction(2, post(access="members")))
    archive.fold(extraction(3, post()))
    assert archive.one("SELECT access FROM posts") == "members"
    assert archive.rows("SELECT field, old, new FROM post_changes") == [("access", "public", "members")]


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ({"platform": "wordpress", "blog_status": "unsupported"}, (None, "wordpress")),  # of an older version
        ({"platform": None, "maker": "hostinger", "blog_status": "unsupported"}, (None, "hostinger")),
        ({"platform": "wix", "blog_status": "blog"}, ("wix", "wix")),
        ({"platform": "generic", "maker": None, "blog_status": "blog"}, ("generic", None)),
        ({"platform": None, "maker": None, "blog_status": "unreachable"}, (None, None)),
    ],
)
def test_who_reads_a_site_and_what_it_runs_on(archive: Made, note: dict[str, str], expected: tuple[str, str]) -> None:
    archive.crawl("r")
    runs.save_clinic_run(archive.db, "r", CLINIC, {"ended_at": "2026", "complete": 0, **note})
    assert archive.rows("SELECT platform, maker FROM clinics") == [expected]


def test_an_id_that_another_post_s_comment_has_is_a_problem_and_no_edit(archive: Made) -> None:
    archive.fold(extraction(1, post("sleep"), comment("1", post=(url("sleep"),), body_text="Thanks.")))
    rest = post("rest", addresses=(url("rest"), OTHER_HEX))
    archive.fold(extraction(2, rest, comment("1", post=(url("rest"),), body_text="Other words.")))
    archive.fold(extraction(3, comment("1", post=(url("sleep"),), body_text="Thanks.")))
    assert archive.rows("SELECT post_id, body_text FROM comments") == [(1, "Thanks.")]
    assert archive.rows("SELECT kind FROM problems") == [("comment-of-other-post",)]
    assert archive.one("SELECT count(*) FROM comment_revisions") == 0
