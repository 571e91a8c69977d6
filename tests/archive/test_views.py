"""Each view's answer on a small archive made by hand: resets, sources, 304s, threads, edits; NULL stays NULL."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from archive.db import VIEWS, open_archive, views

CLINIC = "riverside"


class Archive:
    """An archive filled with plain inserts: a row names only what the test is about."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.db: Database = open_archive(folder, "write")
        self._captures = 0
        self.insert("clinics", clinic_id=CLINIC, name="Riverside", url="https://riverside.example", blog_status="blog")

    def insert(self, table: str, **row: Any) -> int:
        marks = ",".join("?" * len(row))
        cursor = self.db.execute(f"INSERT INTO {table} ({','.join(row)}) VALUES ({marks})", list(row.values()))
        return int(cursor.lastrowid or 0)

    def capture(self, at: str, **row: Any) -> str:
        self._captures += 1
        values = {
            "capture_id": f"capture-{self._captures}", "clinic_id": CLINIC, "url": "https://riverside.example/x",
            "method": "GET", "fetched_at": at, "record_type": "response", "warc_file": "warc/a.warc.gz",
            "warc_offset": self._captures * 100, "warc_length": 99, "origin": "crawl",
        }  # fmt: skip
        self.insert("captures", **(values | row))
        return str((values | row)["capture_id"])

    def post(self, title: str = "On sleep", **row: Any) -> int:
        values = {
            "clinic_id": CLINIC, "platform": "wix", "title": title, "sources": "{}",
            "first_seen_at": "2026-01-01T00:00:00Z", "last_seen_at": "2026-01-01T00:00:00Z",
        }  # fmt: skip
        return self.insert("posts", **(values | row))

    def reading(self, post_id: int, at: str, source: str = "html", **row: Any) -> str:
        capture = row.pop("capture_id", None) or self.capture(at)
        values = {"post_id": post_id, "capture_id": capture, "source": source, "read_at": at}
        self.insert("readings", **(values | {"evidence": "read", "extractor_version": 1} | row))
        return str(capture)

    def revision(self, post_id: int, at: str, kind: str, **row: Any) -> int:
        values = {
            "post_id": post_id, "capture_id": row.pop("capture_id", None) or self.capture(at), "kind": kind,
            "source": "html", "captured_at": at, "content_sha256": "0" * 64, "extractor_version": 1,
        }  # fmt: skip
        return self.insert("revisions", **(values | row))

    def sighting(self, post_id: int, at: str, revision_id: int | None = None, source: str = "post") -> None:
        self.insert(
            "sightings", clinic_id=CLINIC, url="https://riverside.example/x", post_id=post_id, revision_id=revision_id,
            capture_id=self.capture(at), source=source, seen_at=at,
        )  # fmt: skip

    def comment(self, post_id: int, name: str, **row: Any) -> int:
        capture = self.capture("2026-01-01T00:00:00Z")
        values = {
            "clinic_id": CLINIC, "post_id": post_id, "platform_comment_id": name, "author_kind": "member",
            "body_text": name, "source": "api", "capture_id": capture, "last_capture_id": capture,
            "first_seen_at": "2026-01-01T00:00:00Z", "last_seen_at": "2026-01-01T00:00:00Z",
        }  # fmt: skip
        return self.insert("comments", **(values | row))

    def run(self, crawl_id: str, at: str, **row: Any) -> None:
        self.insert("crawls", crawl_id=crawl_id, started_at=at, software="test")
        self.insert(
            "clinic_runs", **({"crawl_id": crawl_id, "clinic_id": CLINIC, "started_at": at, "status": "done"} | row)
        )

    def ask(self, view: str, columns: str = "*", more: str = "") -> list[dict[str, Any]]:
        return list(self.db.query(f"SELECT {columns} FROM {view} {more}"))

    def tuples(self, view: str, columns: str, more: str = "") -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.ask(view, columns, more)]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path)
    yield made
    made.db.close()


@pytest.mark.parametrize("name", views())
def test_a_view_begins_with_its_sentence_and_answers_on_an_empty_archive(name: str, archive: Archive) -> None:
    (file,) = [path for path in VIEWS.glob("*.sql") if re.sub(r"^\d+_", "", path.stem) == name]
    first = file.read_text("utf-8").splitlines()[0]
    assert re.fullmatch(r"-- [A-Z].{20,}\.", first), f"{file.name}: first line is the description: `-- One sentence.`"
    assert [row for row in archive.ask(name) if name != "clinics_overview"] == []


def test_a_post_shows_each_counter_as_last_read_with_its_date_and_source(archive: Archive) -> None:
    post = archive.post()
    archive.reading(post, "2026-01-01T09:00:00.000000Z", views=10, likes=3, comments_count=0)
    archive.reading(post, "2026-01-02T09:00:00.000000Z", "api", views=12)
    original = {"views": 10, "likes": 3, "comments_count": 0, "evidence": "not-modified"}
    archive.reading(post, "2026-01-03T09:00:00.000000Z", **original)
    columns = "views, views_read_at, views_source, likes, likes_source, comments_count, readings"
    assert archive.tuples("posts_with_counts", columns) == [
        (12, "2026-01-02T09:00:00.000000Z", "api", 3, "html", 0, 2),
    ]


def test_a_counter_that_was_never_told_is_null_everywhere(archive: Archive) -> None:
    post = archive.post()
    archive.reading(post, "2026-01-01T09:00:00.000000Z", likes=0)
    archive.reading(post, "2026-01-02T09:00:00.000000Z", likes=0)
    assert archive.tuples("posts_with_counts", "views, views_read_at, likes, comments_count, word_count") == [
        (None, None, 0, None, None)
    ]
    columns = "views, views_added, views_days, likes, likes_added, comments_count, comments_added, went_down"
    assert archive.tuples("counts_over_time", columns, "ORDER BY day") == [
        (None, None, None, 0, None, None, None, None),
        (None, None, None, 0, 0, None, None, None),
    ]
    assert archive.tuples("field_coverage", "known, percent", "WHERE field = 'views'") == [(0, 0.0)]
    assert archive.tuples("field_coverage", "known, percent", "WHERE field = 'likes'") == [(1, 100.0)]


def test_differences_take_the_last_reading_of_a_day_and_the_day_before_that_was_read(archive: Archive) -> None:
    post = archive.post()
    for at, count in (("01T08", 10), ("01T20", 13), ("02T08", 20), ("05T08", 50)):
        archive.reading(post, f"2026-01-{at}:00:00.000000Z", views=count)
    assert archive.tuples("counts_over_time", "day, views, views_added, views_days", "ORDER BY day") == [
        ("2026-01-01", 13, None, None),
        ("2026-01-02", 20, 7, 1),
        ("2026-01-05", 50, 30, 3),
    ]


def test_a_counter_told_earlier_on_a_day_is_that_days_even_when_the_last_reading_is_silent(archive: Archive) -> None:
    post = archive.post()
    archive.reading(post, "2026-01-01T08:00:00.000000Z", "api", views=10)
    archive.reading(post, "2026-01-02T08:00:00.000000Z", "api", views=15)
    archive.reading(post, "2026-01-02T08:00:01.000000Z", "api", comments_count=2)
    assert archive.tuples("counts_over_time", "day, views, views_added, comments_count", "ORDER BY day") == [
        ("2026-01-01", 10, None, None),
        ("2026-01-02", 15, 5, 2),
    ]


def test_a_fall_is_told_as_one_and_sources_are_never_mixed(archive: Archive) -> None:
    post = archive.post()
    for day, html, api in (("01", 100, 40), ("02", 7, 41), ("03", 9, 45)):
        capture = archive.reading(post, f"2026-01-{day}T08:00:00.000000Z", "html", views=html, likes=5)
        archive.reading(post, f"2026-01-{day}T08:00:00.000000Z", "api", views=api, likes=5, capture_id=capture)
    assert archive.tuples("counts_over_time", "day, source, views_added, went_down", "ORDER BY source, day") == [
        ("2026-01-01", "api", None, None),
        ("2026-01-02", "api", 1, None),
        ("2026-01-03", "api", 4, None),
        ("2026-01-01", "html", None, None),
        ("2026-01-02", "html", -93, "views"),
        ("2026-01-03", "html", 2, None),
    ]


def test_what_a_304_vouches_for_is_no_reading_and_a_gap_only_widens_the_interval(archive: Archive) -> None:
    post = archive.post()
    archive.reading(post, "2026-01-01T08:00:00.000000Z", views=10, likes=1)
    archive.reading(post, "2026-01-02T08:00:00.000000Z", views=10, likes=1, evidence="not-modified")
    archive.reading(post, "2026-01-03T08:00:00.000000Z", likes=2)
    archive.reading(post, "2026-01-04T08:00:00.000000Z", views=4, likes=4)
    columns = "day, views, views_added, views_days, likes_added, likes_days, went_down"
    assert archive.tuples("counts_over_time", columns, "ORDER BY day") == [
        ("2026-01-01", 10, None, None, None, None, None),
        ("2026-01-03", None, None, None, 1, 2, None),
        ("2026-01-04", 4, -6, 3, 2, 1, "views"),
    ]


def test_requests_for_a_page_are_set_against_its_views(archive: Archive) -> None:
    """A page's own requests count, revisits too; those of lists and of other people do not."""
    post = archive.post()
    for day, more in (
        (1, {}),
        (8, {"record_type": "revisit"}),
        (9, {"mime": "application/json"}),
        (5, {"origin": "import"}),
    ):
        at = f"2026-01-{day:02}T10:00:00Z"
        capture = archive.capture(at, **{"mime": "text/html; charset=UTF-8", **more})
        archive.insert(
            "sightings", clinic_id=CLINIC, url="x", post_id=post, capture_id=capture, source="post", seen_at=at
        )
    archive.reading(post, "2026-01-08T10:00:00Z", views=50)
    archive.reading(archive.post("Never counted"), "2026-01-08T10:00:00Z", likes=1)
    columns = "title, page_requests, views, share, first_requested_at, last_requested_at"
    assert archive.tuples("own_page_views", columns) == [
        ("On sleep", 2, 50, 0.04, "2026-01-01T10:00:00Z", "2026-01-08T10:00:00Z")
    ]


def test_threads_are_in_the_order_of_the_conversation(archive: Archive) -> None:
    post = archive.post()
    late = archive.comment(post, "late", posted_at="2026-01-09T00:00:00Z")
    root = archive.comment(post, "root", posted_at="2026-01-01T00:00:00Z")
    second = archive.comment(post, "second", posted_at="2026-01-08T00:00:00Z", parent_id=root)
    first = archive.comment(post, "first", posted_at="2026-01-02T00:00:00Z", parent_id=root)
    deep = archive.comment(post, "deep", posted_at="2026-01-10T00:00:00Z", parent_id=first)
    undated = archive.comment(post, "undated")
    assert archive.tuples("comment_threads", "comment_id, depth, replies, post_title") == [
        (root, 0, 2, "On sleep"),
        (first, 1, 1, "On sleep"),
        (deep, 2, 0, "On sleep"),
        (second, 1, 0, "On sleep"),
        (late, 0, 0, "On sleep"),
        (undated, 0, 0, "On sleep"),
    ]


def test_a_circle_of_comments_ends(archive: Archive) -> None:
    post = archive.post()
    each = archive.comment(post, "one")
    two = archive.comment(post, "two", parent_id=each)
    archive.db.execute("UPDATE comments SET parent_id = ? WHERE comment_id = ?", [two, each])
    assert archive.tuples("comment_threads", "depth") == [(50,), (50,)]


def test_most_discussed_counts_what_is_kept_or_what_was_printed(archive: Archive) -> None:
    stored, printed, silent = archive.post("kept"), archive.post("printed"), archive.post("silent")
    archive.comment(stored, "a", author="reader-1", posted_at="2026-01-01T00:00:00Z")
    archive.comment(stored, "b", author="reader-1", posted_at="2026-01-03T00:00:00Z", parent_platform_comment_id="a")
    archive.comment(stored, "c", author="Dr. Ines", author_kind="staff", posted_at="2026-01-02T00:00:00Z")
    archive.reading(printed, "2026-01-01T00:00:00.000000Z", comments_count=9)
    archive.reading(silent, "2026-01-01T00:00:00.000000Z", comments_count=0)
    columns = "title, discussed, comments_count, comments_kept, commenters, by_staff, replies, last_comment_at"
    assert archive.tuples("most_discussed", columns, "ORDER BY discussed DESC") == [
        ("printed", 9, 9, 0, None, None, None, None),
        ("kept", 3, None, 3, 1, 1, 1, "2026-01-03T00:00:00Z"),
    ]


def test_an_edit_lies_between_the_last_sight_of_the_old_text_and_the_first_of_the_new(archive: Archive) -> None:
    post = archive.post("Sleep, again")
    old = archive.revision(post, "2026-01-01T00:00:00Z", "first", title="Sleep", word_count=100)
    other = archive.revision(post, "2026-01-03T12:00:00Z", "source", source="api", title="Sleep", word_count=90)
    archive.sighting(post, "2026-01-01T00:00:00Z", old)
    archive.sighting(post, "2026-01-03T00:00:00Z", old)
    archive.sighting(post, "2026-01-03T12:00:00Z", other)
    archive.sighting(post, "2026-01-03T18:00:00Z", source="sitemap")
    new = archive.revision(post, "2026-01-04T12:00:00Z", "content", title="Sleep, again", word_count=80)
    archive.sighting(post, "2026-01-04T12:00:00Z", new)
    archive.revision(post, "2026-01-04T12:00:00Z", "extractor", title="Sleep, again", word_count=81)
    columns = (
        "old_revision_id, revision_id, old_last_seen_at, new_first_seen_at, hours_between, words_before, words_after,"
        " words_added, title_before"
    )
    assert archive.tuples("edited_posts", columns) == [
        (old, new, "2026-01-03T00:00:00Z", "2026-01-04T12:00:00Z", 36.0, 100, 80, -20, "Sleep")
    ]
    assert archive.tuples("posts_with_counts", "edits") == [(1,)]


def test_changes_beside_the_text_have_their_date(archive: Archive) -> None:
    post, capture = archive.post(), archive.capture("2026-01-02T00:00:00Z")
    archive.insert("post_changes", post_id=post, capture_id=capture, field="author", old="A", new="B")
    assert archive.tuples("changed_fields", "changed_at, field, old, new") == [
        ("2026-01-02T00:00:00Z", "author", "A", "B")
    ]


def test_an_edited_comment_shows_both_states(archive: Archive) -> None:
    comment = archive.comment(archive.post(), "a", body_text=None, status="deleted")
    archive.insert(
        "comment_revisions", comment_id=comment, capture_id=archive.capture("2025-12-01T00:00:00Z"),
        captured_at="2025-12-01T00:00:00Z", body_text="Thank you.", status="published",
    )  # fmt: skip
    columns = "old_first_seen_at, present_first_seen_at, old_text, present_text, old_status, present_status"
    assert archive.tuples("edited_comments", columns) == [
        ("2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z", "Thank you.", None, "published", "deleted")
    ]


def test_a_card_leads_to_the_post_that_is_known_by_its_address(archive: Archive) -> None:
    post, other = archive.post(), archive.post("On rest")
    before, after = archive.capture("2026-01-01T00:00:00Z"), archive.capture("2026-01-02T00:00:00Z")
    old_address = "https://riverside.example/post/rest-old"
    archive.insert(
        "post_addresses", clinic_id=CLINIC, address=old_address, kind="url", entity_id=1, post_id=other,
        matched_by="page", capture_id=before,
    )  # fmt: skip
    for url, last in ((old_address, after), ("https://riverside.example/post/unknown", before)):
        archive.insert(
            "related_posts", post_id=post, related_url=url, position=1, title="Card", first_capture_id=before,
            last_capture_id=last,
        )  # fmt: skip
    columns = "related_post_id, related_title, first_shown_at, last_shown_at, in_newest_set"
    assert archive.tuples("related_edges", columns, "ORDER BY related_post_id DESC") == [
        (other, "On rest", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", 1),
        (None, "Card", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 0),
    ]


def test_links_are_counted_in_the_texts_that_are_shown(archive: Archive) -> None:
    post = archive.post(published_on="2026-01-01")
    old, new = (archive.revision(post, f"2026-01-0{day}T00:00:00Z", "content") for day in (1, 2))
    archive.db.execute("UPDATE posts SET revision_id = ?", [new])
    for revision, position, domain in ((old, 1, "gone.example"), (new, 1, "a.example"), (new, 2, "a.example")):
        archive.insert("links", revision_id=revision, position=position, url=f"https://{domain}/", domain=domain)
    archive.insert("links", revision_id=new, position=3, url="tel:+1", domain=None)
    assert archive.tuples("linked_domains", "domain, links, posts, first_published_on") == [
        ("a.example", 2, 1, "2026-01-01")
    ]


def test_history_tells_how_long_where_found_and_what_was_new(archive: Archive) -> None:
    found = json.dumps({"sitemap": 71, "feed": 0})
    archive.run(
        "a", "2026-01-01T00:00:00Z", ended_at="2026-01-01T00:01:30Z", found_in=found, wire_bytes=2_500_000, new_posts=3
    )
    archive.run("b", "2026-01-02T00:00:00Z", status="running")
    for crawl in ("a", "a"):
        archive.insert(
            "problems",
            clinic_id=CLINIC,
            crawl_id=crawl,
            kind="paywall",
            message="m",
            happened_at="2026-01-01T00:00:01Z",
        )
    columns = "crawl_id, minutes, in_sitemap, in_feed, in_listing, megabytes, new_posts, problems"
    assert archive.tuples("crawl_history", columns, "ORDER BY started_at") == [
        ("a", 1.5, 71, 0, None, 2.5, 3, 2),
        ("b", None, None, None, None, None, None, 0),
    ]
    assert archive.tuples(
        "clinics_overview", "runs, last_run_at, last_run_status, posts, first_published_on, attributes"
    ) == [(2, "2026-01-02T00:00:00Z", "running", 0, None, None)]


def test_problems_are_gathered_and_say_whether_they_are_over(archive: Archive) -> None:
    archive.run("a", "2026-01-01T00:00:00Z")
    archive.run("b", "2026-01-02T00:00:00Z")
    for crawl, day, kind in (("a", 1, "paywall"), ("b", 2, "paywall"), ("a", 1, "missing-field")):
        archive.insert(
            "problems",
            clinic_id=CLINIC,
            crawl_id=crawl,
            kind=kind,
            message="m",
            happened_at=f"2026-01-0{day}T00:00:01Z",
        )
    assert archive.tuples(
        "repeated_problems", "kind, times, runs, first_at, last_at, in_newest_run", "ORDER BY kind"
    ) == [
        ("missing-field", 1, 1, "2026-01-01T00:00:01Z", "2026-01-01T00:00:01Z", 0),
        ("paywall", 2, 2, "2026-01-01T00:00:01Z", "2026-01-02T00:00:01Z", 1),
    ]


def test_a_missing_post_says_whether_it_was_seen_since(archive: Archive) -> None:
    post = archive.post()
    for day in (2, 3):
        at = f"2026-01-0{day}T00:00:00Z"
        archive.insert(
            "absences", clinic_id=CLINIC, post_id=post, capture_id=archive.capture(at), seen_at=at, answered="404"
        )
    archive.sighting(post, "2026-01-01T00:00:00Z")
    archive.sighting(post, "2026-01-03T00:00:00Z", source="sitemap")
    columns = "times, first_missing_at, last_missing_at, last_read_at, last_named_at, removed_at"
    days = (f"2026-01-0{day}T00:00:00Z" for day in (2, 3, 1, 3))
    assert archive.tuples("missing_posts", columns) == [(2, *days, None)]


def test_every_post_leads_to_its_bytes(archive: Archive) -> None:
    plain, again, textless = archive.post("plain"), archive.post("again"), archive.post("textless")
    original = archive.capture("2026-01-01T00:00:00Z", warc_offset=7)
    repeat = archive.capture("2026-01-02T00:00:00Z", record_type="revisit", refers_to=original, warc_offset=8)
    visible = archive.revision(plain, "2026-01-01T00:00:00Z", "first", capture_id=original)
    archive.db.execute("UPDATE posts SET revision_id = ? WHERE post_id = ?", [visible, plain])
    archive.revision(again, "2026-01-02T00:00:00Z", "first", capture_id=repeat)
    archive.sighting(textless, "2026-01-03T00:00:00Z")
    assert archive.tuples("provenance", "title, shown_now, capture_id, warc_offset", "ORDER BY post_id") == [
        ("plain", 1, original, 7),
        ("again", 0, repeat, 7),
        ("textless", 0, "capture-3", 300),
    ]


def test_items_without_a_post_are_gathered_by_address(archive: Archive) -> None:
    for day, item in ((1, {"views": 5}), (2, {"views": None})):
        archive.insert(
            "unplaced", clinic_id=CLINIC, address="wix:1", capture_id=archive.capture(f"2026-01-0{day}T00:00:00Z"),
            position=1, kind="Reading", item=json.dumps(item), extractor_version=1,
        )  # fmt: skip
    assert archive.tuples("unplaced_items", "items, waiting_since, last_at, highest_views, named_by") == [
        (2, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", 5, None)
    ]
