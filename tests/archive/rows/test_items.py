"""One capture's items as rows: silence never erases, what comes early waits, 304 is the server's word."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.rows import clinics
from archive.rows.dates import date_at, date_in
from scraper.items import Author, Gone, Names, Problem, Site
from tests.making import (
    CLINIC,
    HEX,
    OTHER_HEX,
    OTHER_UUID,
    SITE,
    UUID,
    Made,
    capture,
    comment,
    extraction,
    faults,
    made,
    natural,
    post,
    reading,
    sighting,
    url,
)

COUNT = st.none() | st.integers(0, 3)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(COUNT, COUNT, COUNT), min_size=1, max_size=5))
def test_a_reading_holds_what_its_capture_said(
    tmp_path: Path, template: Path, counts: list[tuple[int | None, int | None, int | None]]
) -> None:
    """NULL stays NULL, 0 stays 0, and a capture that said nothing leaves no row."""
    with made(tmp_path / "a", template) as archive:
        readings = [reading(views=views, likes=likes, comments_count=number) for views, likes, number in counts]
        archive.fold(extraction(1, post()), *(extraction(n, entry) for n, entry in enumerate(readings, 2)))
        answer = [entry for entry in counts if entry != (None, None, None)]
        assert archive.rows("SELECT views, likes, comments_count FROM readings ORDER BY read_at") == answer


def test_what_a_capture_says_twice_is_one_reading(archive: Made) -> None:
    archive.fold(extraction(1, post(), reading(views=3), reading(views=9, likes=2), reading(views=4, source="warmup")))
    sql = "SELECT source, views, likes FROM readings ORDER BY 1"
    assert archive.rows(sql) == [("api", 3, 2), ("warmup", 4, None)]


ABOUT: dict[str, Any] = {
    "reading": reading(HEX, views=7, views_raw="7"),
    "comment": comment("c1", "Thanks."),
    "reply": comment("c2", "You are welcome.", parent_id="c1"),
    "post": post(addresses=(url("sleep"), HEX, UUID)),
}


@pytest.mark.parametrize("order", list(permutations(ABOUT)))
def test_what_comes_before_its_post_is_kept_and_adopted(archive: Made, order: tuple[str, ...]) -> None:
    for number, name in enumerate(order, 1):
        archive.fold(extraction(number, ABOUT[name], version=3))
        if "post" in order[number:]:
            assert archive.one("SELECT count(*) FROM unplaced") == number
    assert archive.one("SELECT count(*) FROM unplaced") == 0
    at = {name: number for number, name in enumerate(order, 1)}
    ((views, version, read_in),) = archive.rows("SELECT views, extractor_version, capture_id FROM readings")
    assert (views, version, read_in[-1]) == (7, 3, str(at["reading"]))
    sql = "SELECT c.platform_comment_id, p.platform_comment_id, c.capture_id FROM comments AS c LEFT JOIN comments AS p"
    found = archive.rows(f"{sql} ON p.comment_id = c.parent_id ORDER BY 1")
    assert [(name, parent, entry[-1]) for name, parent, entry in found] == [
        ("c1", None, str(at["comment"])),
        ("c2", "c1", str(at["reply"])),
    ]
    assert faults(archive.db) == []


def test_the_version_of_an_early_reading_is_its_own(archive: Made) -> None:
    """It is adopted in a capture that another parser read, or none (a redirect)."""
    archive.fold(extraction(1, reading(UUID, views=7), version=2))
    archive.fold(extraction(2, post(addresses=(url("sleep"), UUID)), version=5))
    assert archive.rows("SELECT extractor_version FROM readings") == [(2,)]


def test_an_early_item_waits_under_its_id(archive: Made) -> None:
    """Its URL goes to another post before its own is read."""
    archive.fold(
        extraction(1, reading(url("sleep"), UUID, views=7)),
        extraction(2, post(addresses=(url("sleep"), OTHER_HEX, OTHER_UUID))),
        extraction(3, post("moved", addresses=(url("moved"), HEX, UUID))),
    )
    assert archive.rows("SELECT slug FROM readings JOIN posts USING (post_id)") == [("moved",)]


class TestComments:
    def test_an_edit_keeps_the_earlier_text(self, archive: Made) -> None:
        archive.fold(extraction(1, post()), extraction(2, comment(text="First.")), extraction(3, comment(text="Then.")))
        archive.fold(extraction(4, comment(text="Then.")), extraction(5, comment(text=None, status="deleted")))
        assert archive.rows("SELECT body_text, status FROM comments") == [("Then.", "deleted")]
        sql = "SELECT body_text, status, substr(capture_id, -1) FROM comment_revisions ORDER BY captured_at"
        assert archive.rows(sql) == [("First.", "published", "2"), ("Then.", "published", "3")]
        assert archive.rows("SELECT substr(capture_id, -1), substr(last_capture_id, -1) FROM comments") == [("5", "5")]

    def test_silence_never_erases(self, archive: Made) -> None:
        archive.fold(extraction(1, post()), extraction(2, comment(likes=0, edited=False, posted_at="2026-01-01")))
        before = archive.rows("SELECT body_text, likes, edited, posted_at, status, capture_id FROM comments")
        archive.fold(extraction(3, comment(text=None, status=None)))
        after = archive.rows("SELECT body_text, likes, edited, posted_at, status, capture_id FROM comments")
        assert after == before
        assert before[0][1:3] == (0, 0)
        assert archive.one("SELECT count(*) FROM comment_revisions") == 0

    def test_a_text_that_was_withheld_is_no_edit_when_it_comes(self, archive: Made) -> None:
        archive.fold(extraction(1, post()), extraction(2, comment(text=None)), extraction(3, comment(text="Now.")))
        assert archive.rows("SELECT body_text, substr(capture_id, -1) FROM comments") == [("Now.", "3")]
        assert archive.one("SELECT count(*) FROM comment_revisions") == 0

    def test_a_parent_learned_later_is_joined(self, archive: Made) -> None:
        archive.fold(extraction(1, post()), extraction(2, comment("c2"), comment("c1")))
        archive.fold(extraction(3, comment("c2", parent_id="c1")))
        assert archive.one("SELECT count(*) FROM comments WHERE parent_id IS NOT NULL") == 1

    def test_the_clinics_own_people_are_told_apart_before_and_after(self, archive: Made) -> None:
        """Whether the author of the posts is known before the comment or after it."""
        ours = Author(name="Dr. Ada Roe", person="key-1")
        archive.fold(extraction(1, post()), extraction(2, comment("c1", person="key-1", author="key-1")))
        archive.fold(extraction(3, ours), extraction(4, comment("c2", person="key-1", author="key-1")))
        sql = "SELECT DISTINCT author, author_kind FROM comments"
        assert archive.rows(sql) == [("Dr. Ada Roe", "staff")]

    def test_one_older_than_what_is_known_changes_nothing(self, archive: Made) -> None:
        """It waited under an address that was learned after a newer answer had found the post by another."""
        archive.fold(
            extraction(1, comment(text="Old.", post=(UUID,))),
            extraction(2, post()),
            extraction(3, comment(text="New.")),
        )
        archive.fold(extraction(4, sighting(addresses=(UUID,))))
        ((text, first, last),) = archive.rows("SELECT body_text, first_seen_at, last_seen_at FROM comments")
        assert (text, first < last) == ("New.", True)

    def test_one_that_waited_is_believed_as_it_came(self, archive: Made) -> None:
        """A script's answer is no worse for being placed by what the page shows in the end."""
        page = {"page": url("sleep")}
        archive.fold(
            extraction(1, post(), comment(text="First.")),
            extraction(2, comment(text="Then.", post=(UUID,)), via="xhr", **page),
            extraction(3, post(source="rendered", addresses=(url("sleep"), HEX, UUID)), via="dom", **page),
        )
        assert archive.rows("SELECT body_text FROM comments") == [("Then.",)]
        assert archive.rows("SELECT body_text FROM comment_revisions") == [("First.",)]


class TestRevisits:
    PAGE = extraction(
        1, post(views=3, views_raw="3", tags=("a",)), sighting("other", source="related"), url=url("sleep"), etag='"1"'
    )

    def test_a_304_is_the_servers_word(self, archive: Made) -> None:
        again = capture(2, url=url("sleep"), http_status=304, record_type="revisit", refers_to=capture(1).capture_id)
        archive.fold(self.PAGE, extraction(2, **{name: getattr(again, name) for name in ("url", "http_status",
                     "record_type", "refers_to")}))  # fmt: skip
        seen = "SELECT url, source, post_id, revision_id FROM sightings WHERE capture_id LIKE ? ORDER BY 1"
        assert archive.rows(seen, "%2") == archive.rows(seen, "%1")
        sql = "SELECT views, views_raw, likes, evidence, substr(capture_id, -1) FROM readings ORDER BY read_at"
        assert archive.rows(sql) == [(3, "3", None, "read", "1"), (3, "3", None, "not-modified", "2")]
        assert archive.one("SELECT last_seen_at FROM posts") == archive.one("SELECT max(fetched_at) FROM captures")
        assert archive.one("SELECT count(*) FROM revisions") == 1

    @pytest.mark.parametrize("committed", [True, False])
    def test_what_a_304_says_itself_comes_second(self, archive: Made, committed: bool) -> None:
        fold = archive.folder_of()
        fold.add(self.PAGE)
        if committed:
            fold.commit()
        odd = reading(HEX, views=4, likes=1, source="html")
        fold.add(extraction(2, odd, http_status=304, record_type="revisit", refers_to=capture(1).capture_id))
        fold.finish(ended=True)
        sql = "SELECT views, likes, evidence FROM readings ORDER BY read_at"
        assert archive.rows(sql) == [(3, None, "read"), (3, 1, "not-modified")]

    def test_an_equal_payload_is_a_full_reading(self, archive: Made) -> None:
        again = extraction(
            2, *self.PAGE.items, url=url("sleep"), record_type="revisit", refers_to=capture(1).capture_id
        )
        archive.fold(self.PAGE, again)
        assert archive.rows("SELECT views, evidence FROM readings") == [(3, "read")] * 2
        assert archive.one("SELECT count(*) FROM revisions") == 1
        assert archive.one("SELECT count(*) FROM sightings WHERE source = 'post'") == 2

    def test_one_whose_original_is_not_here_is_a_problem(self, archive: Made) -> None:
        gone = {"url": url("sleep"), "http_status": 304, "record_type": "revisit", "refers_to": "f" * 36}
        archive.fold(extraction(2, **gone))
        assert archive.rows("SELECT kind FROM problems") == [("missing-original",)]
        assert archive.rows("SELECT refers_to FROM captures") == [(None,)]
        assert faults(archive.db) == []


class TestDates:
    def test_the_clinics_own_calendar(self) -> None:
        assert date_at("2024-12-14T01:00:00Z", "America/New_York") == "2024-12-13"
        assert date_at("2024-12-13T23:30:00Z", "Asia/Tokyo") == "2024-12-14"
        assert date_at("2019-02-01", None) == "2019-02-01"
        assert date_at("2024-12-14T01:00:00Z", None) is None

    def test_the_date_of_a_time_with_its_offset(self) -> None:
        assert date_in("2024-12-13T20:00:00-05:00", "2024-12-14T01:00:00Z") == "2024-12-13"
        assert date_in("2024-12-13T20:00:00.250-0500", "2024-12-14T01:00:00Z") == "2024-12-13"
        for raw in ("2024-12-14T01:00:00Z", "2024-12-14T01:00:00+00:00", "13 Dec 2024", "2024-12-13T20:00:00", None):
            assert date_in(raw, "2024-12-14T01:00:00Z") is None
        assert date_in("2024-12-13T20:00:00-05:00", "2024-12-15T01:00:00Z") is None
        assert date_in("2024-12-13T20:00:00-05:00", "2024-12-14") is None
        assert date_at("2024-12-14T01:00:00", "UTC") == "2024-12-14"  # whatever zone this machine is in

    @pytest.mark.parametrize("zone", ["", "America", "../../etc/passwd", "No/Where", "a\0b", "\ud800", "x" * 5000])
    def test_a_zone_that_is_none_gives_none(self, zone: str) -> None:
        assert date_at("2024-12-14T01:00:00Z", zone) is None

    @pytest.mark.parametrize("printed", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "soon", "2024-13-99T00:00:00"])
    def test_what_is_no_date_gives_none_or_a_date(self, printed: str) -> None:
        date_at(printed, "America/New_York")
        date_at(printed, "Asia/Tokyo")

    def test_a_zone_that_is_told_after_the_posts_dates_them_all_the_same(self, archive: Made) -> None:
        dated = post(published_at="2024-12-14T01:00:00Z")
        archive.fold(extraction(1, dated))
        assert archive.rows("SELECT published_on FROM posts") == [(None,)]
        archive.fold(extraction(2, Site(platform="wix", timezone="America/New_York")))
        assert archive.rows("SELECT published_on FROM posts") == [("2024-12-13",)]
        row = {
            "clinic_id": CLINIC,
            "name": "R",
            "url": SITE,
            "timezone": "UTC",
            "comments": "threads",
            "privacy": "omit",
        }
        clinics.save_clinic(archive.db, row, {"state": "NY"})
        assert archive.rows("SELECT published_on FROM posts") == [("2024-12-14",)]
        clinics.save_clinic(archive.db, {**row, "timezone": None}, {})
        assert archive.rows("SELECT timezone FROM clinics") == [("UTC",)]
        assert archive.rows("SELECT * FROM clinic_attributes") == []


def test_a_page_gives_the_day_of_a_moment_that_a_feed_gave_before(archive: Made) -> None:
    """The page says the same moment, with the site's own offset."""
    at = "2024-07-21T22:14:21Z"
    in_feed = post(published_at=at, published_raw="Sun, 21 Jul 2024 22:14:21 +0000", text=None)
    archive.fold(extraction(1, post(text="Sleep well.", published_at=at, published_raw="July 22, 2024")))
    assert archive.rows("SELECT published_on FROM posts") == [(None,)]
    archive.fold(
        extraction(2, in_feed), extraction(3, post(published_at=at, published_raw="2024-07-22T00:14:21+02:00"))
    )
    assert archive.rows("SELECT published_on FROM posts") == [("2024-07-22",)]


def test_gone_is_evidence_about_a_post_and_a_problem_else(archive: Made) -> None:
    archive.fold(extraction(1, post()), extraction(2, Gone(url=url("sleep"), answered="410")))
    archive.fold(extraction(3, Gone(url=url("never"), answered="404")))
    assert archive.rows("SELECT answered, post_id FROM absences") == [("410", 1)]
    assert archive.rows("SELECT kind, url FROM problems") == [("gone", url("never"))]


def test_nothing_empty_nothing_too_large_nothing_broken_reaches_a_table(archive: Made) -> None:
    """Text that is '' or half an emoji, counts beyond 64 bits, links nobody can follow, addresses of 10 kB."""
    from scraper.items import Image, Link, Related

    long = url("x" * 10_000)
    page = post(
        "sleep", "Cut \ud83d in two\0", title="\ud800", author="", excerpt="", language="", minutes_to_read=10**30,
        tags=("", "a\0"), categories=("",), views=2**63, views_raw="9223372036854775808", likes=-1,
        links=(Link(url="http://[", text=""), Link(url=""), Link(url=long, rel="")),
        images=(Image(url="", alt="x"), Image(url=long, alt="", caption="\udfff")),
        related_posts=(
            Related(position=1, title="", url="", excerpt=""), Related(position=10**30, title=None, url=long),
        ),
        addresses=(url("sleep"), HEX),
    )  # fmt: skip
    archive.fold(
        extraction(1, page, Author(name="", person="x"), Problem(kind="", message="x"), Problem(kind="k", message="m")),
        extraction(2, comment("", "x"), comment("c", "", author="", person="\ud800", likes=2**64, post=(HEX,))),
        extraction(3, sighting(url="", lastmod=""), sighting(lastmod="", title=""), reading(views=10**40, likes=0)),
        extraction(4, post(url=None, addresses=()), post(url=url("b"), addresses=()), Names(names={"": ""})),
    )
    assert faults(archive.db) == []
    assert archive.one("SELECT count(*) FROM posts") == 2
    assert archive.rows("SELECT body_text, title, minutes_to_read FROM posts WHERE slug = 'sleep' AND post_id = 1") == [
        ("Cut \ufffd in two\ufffd", "\ufffd", None)
    ]
    assert archive.rows("SELECT kind, count(*) FROM problems GROUP BY 1 ORDER BY 1") == [("invalid-item", 5), ("k", 1)]
    assert archive.rows("SELECT views, likes, views_raw FROM readings ORDER BY read_at") == [
        (None, -1, "9223372036854775808"),
        (None, 0, None),
    ]
    assert archive.rows("SELECT url, domain FROM links ORDER BY position") == [
        ("http://[", None),
        (long, "riverside.example"),
    ]


TEXT = st.none() | st.text(max_size=6) | st.sampled_from(["", "\ud83d", "\0", "  "])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_text_column_ever_holds_an_empty_string(tmp_path: Path, template: Path, data: st.DataObject) -> None:
    with made(tmp_path / "a", template) as archive:
        items = []
        for _ in range(data.draw(st.integers(1, 4))):
            items += [
                post(*data.draw(st.tuples(st.sampled_from(["a", "b"]), TEXT)), title=data.draw(TEXT),
                     author=data.draw(TEXT), excerpt=data.draw(TEXT), tags=tuple(filter(None, [data.draw(TEXT)]))),
                comment(data.draw(st.text(max_size=2)), data.draw(TEXT), author=data.draw(TEXT),
                        person=data.draw(TEXT)),
                sighting(lastmod=data.draw(TEXT), source="feed", title=data.draw(TEXT)),
                reading(views_raw=data.draw(TEXT)),
                Site(platform=data.draw(TEXT) or "wix", timezone=data.draw(TEXT), language=data.draw(TEXT)),
            ]  # fmt: skip
        archive.fold(*(extraction(n, entry) for n, entry in enumerate(items, 1)))
        assert faults(archive.db) == []


def test_a_batch_that_fails_leaves_nothing(archive: Made) -> None:
    archive.fold(extraction(1, post()))
    before = natural(archive.db)
    fold = archive.folder_of(crawl_id="unknown crawl")  # refused at COMMIT, when everything is written
    fold.add(extraction(2, post("b", addresses=(url("b"),)), comment()))
    with pytest.raises(Exception, match="FOREIGN KEY"):
        fold.finish(ended=True)
    assert natural(archive.db) == before
    assert not archive.db.conn.in_transaction
