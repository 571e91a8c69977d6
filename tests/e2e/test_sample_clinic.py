"""One crawl of the sample clinic, compared with what the clinic says is true."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.conftest import Crawled
from tests.e2e.product import Row, column, faults, rows, value_of, words

Known = dict[str, Row]


@pytest.fixture(scope="module")
def stored(first: Crawled) -> Known:
    """The archive's posts by the id that the clinic knows them by."""
    sql = "SELECT address, posts.* FROM posts JOIN post_addresses USING (post_id) WHERE kind = 'wix uuid'"
    return {row["address"].removeprefix("wix:"): row for row in rows(first.archive, sql)}


def address(url: str) -> str:
    """Canonical: other scripts are escaped, as browsers send them."""
    return quote(url, safe=":/?&=%~")


def pairs(first: Crawled, stored: Known, **wanted: object) -> list[tuple[Row, Row]]:
    return [(post, stored[post["post_id"]]) for post in first.posts(**wanted)]


def moment(printed: str | None) -> datetime | None:
    return datetime.fromisoformat(printed) if printed else None


def unequal(first: Crawled, stored: Known, theirs: Any, ours: Any, **wanted: object) -> list[tuple[str, Any, Any]]:
    """Slug, truth and archive of each post where they differ."""
    found = [(post["slug"], theirs(post), ours(row)) for post, row in pairs(first, stored, **wanted)]
    return [each for each in found if each[1] != each[2]]


def test_the_crawl_is_a_success(first: Crawled) -> None:
    assert first.done.code == 0
    assert first.done.clinic["status"] == "done"
    assert first.done.clinic["platform"] == "wix"


def test_every_readable_post_is_stored_once_and_nothing_else(first: Crawled, stored: Known) -> None:
    assert Counter(column(first.archive, "SELECT url FROM posts")) == Counter(
        address(post["url"]) for post in first.posts()
    )
    assert len(stored) == len(first.posts())


def test_members_only_posts_are_no_posts(first: Crawled) -> None:
    (members,) = [post for post in first.truth["posts"] if post["access"] == "members"]
    assert not rows(first.archive, "SELECT 1 FROM posts WHERE url = ?", members["url"])
    assert column(first.archive, "SELECT kind FROM problems WHERE url = ?", members["url"]) == ["paywall"]


@pytest.mark.parametrize("name", ["title", "author", "language", "minutes_to_read", "word_count"])
def test_field(first: Crawled, stored: Known, name: str) -> None:
    assert unequal(first, stored, lambda post: post[name], lambda row: row[name]) == []


def test_slugs_are_the_last_part_of_the_address(first: Crawled, stored: Known) -> None:
    assert unequal(first, stored, lambda post: post["slug"].split("/")[-1], lambda row: row["slug"]) == []


def test_both_platform_ids_lead_to_the_post(first: Crawled, stored: Known) -> None:
    def ids(row: Row) -> set[str]:
        sql = "SELECT address FROM post_addresses WHERE post_id = ? AND kind != 'url'"
        return set(column(first.archive, sql, row["post_id"]))

    theirs = unequal(first, stored, lambda post: {f"wix:{post['post_id']}", f"wix:{post['internal_id']}"}, ids)
    assert theirs == []
    for post, row in pairs(first, stored):
        assert row["platform_post_id"] in (post["internal_id"], post["post_id"])


@pytest.mark.parametrize("name", ["published_at", "modified_at"])
def test_dates_of_the_head_are_exact_to_the_second(first: Crawled, stored: Known, name: str) -> None:
    def wrong(post: Row, row: Row) -> bool:
        found = moment(row[name])
        return found is None or abs((found - datetime.fromisoformat(post[name])).total_seconds()) >= 1

    found = pairs(first, stored, dates_in_head=True)
    assert [(post["slug"], post[name], row[name]) for post, row in found if wrong(post, row)] == []


def test_dates_that_only_the_page_prints_are_not_invented(first: Crawled, stored: Known) -> None:
    """The page prints the day at the clinic; a time of day would be made up."""
    found = pairs(first, stored, dates_in_head=False)
    assert found
    for post, row in found:
        if row["published_at"] is not None:
            off = moment(post["published_at"][:10]) - moment(row["published_at"][:10])  # type: ignore[operator]
            assert abs(off.days) <= 1, (post["slug"], post["published_at"], row["published_at"])


def test_dates_are_written_in_utc_iso(first: Crawled) -> None:
    pattern = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?")
    for name in ("published_at", "modified_at", "first_seen_at", "last_seen_at"):
        written = column(first.archive, f"SELECT {name} FROM posts WHERE {name} IS NOT NULL")
        assert [value for value in written if not pattern.fullmatch(value)] == []


def test_body_text(first: Crawled, stored: Known) -> None:
    assert unequal(first, stored, lambda post: words(post["body_text"]), lambda row: words(row["body_text"])) == []


def test_body_text_has_a_block_a_line(first: Crawled, stored: Known) -> None:
    def lines(text: str) -> list[str]:
        return [words(line) for line in text.split("\n") if line.strip()]

    assert unequal(first, stored, lambda post: lines(post["body_text"]), lambda row: lines(row["body_text"])) == []


@pytest.mark.parametrize(("plural", "key"), [("categories", "category_id"), ("tags", "tag_id")])
def test_labels(first: Crawled, stored: Known, plural: str, key: str) -> None:
    def labels(row: Row) -> list[str]:
        sql = f"SELECT label FROM post_{plural} JOIN {plural} USING ({key}) WHERE post_id = ?"
        return sorted(column(first.archive, sql, row["post_id"]))

    assert unequal(first, stored, lambda post: sorted(post[plural]), labels) == []


def test_links_in_order(first: Crawled, stored: Known) -> None:
    def links(row: Row) -> list[tuple[str, str]]:
        sql = "SELECT url, text FROM links WHERE revision_id = ? ORDER BY position"
        return [(each["url"], words(each["text"])) for each in rows(first.archive, sql, row["revision_id"])]

    theirs = unequal(
        first, stored, lambda post: [(link["url"], words(link["text"])) for link in post["links"]], links
    )  # fmt: skip
    assert theirs == []


def test_images_by_their_original_file(first: Crawled, stored: Known) -> None:
    def images(row: Row) -> list[str]:
        sql = "SELECT url FROM images WHERE post_id = ? AND kind = 'image' ORDER BY position"
        return column(first.archive, sql, row["post_id"])

    assert unequal(first, stored, lambda post: list(dict.fromkeys(post["images"])), images) == []


def test_covers(first: Crawled, stored: Known) -> None:
    assert unequal(first, stored, lambda post: post["cover"], lambda row: row["cover_image_url"]) == []


def test_media_that_only_the_api_gives(first: Crawled, stored: Known) -> None:
    def media(row: Row) -> set[tuple[str, str]]:
        sql = "SELECT kind, url FROM images WHERE post_id = ? AND kind != 'image'"
        return {(each["kind"], each["url"]) for each in rows(first.archive, sql, row["post_id"])}

    def theirs(post: Row) -> set[tuple[str, str]]:
        return {("file" if each["kind"] == "html" else each["kind"], each["url"]) for each in post["media"]}

    assert any(theirs(post) for post in first.posts())
    assert unequal(first, stored, theirs, media) == []


def test_related_posts(first: Crawled, stored: Known) -> None:
    def related(row: Row) -> list[tuple[int, str, str]]:
        sql = "SELECT position, title, related_url FROM related_posts WHERE post_id = ? ORDER BY position"
        return [tuple(each.values()) for each in rows(first.archive, sql, row["post_id"])]  # type: ignore[misc]

    def theirs(post: Row) -> list[tuple[int, str, str]]:
        return [(each["position"], each["title"], address(each["url"])) for each in post["related"]]

    assert unequal(first, stored, theirs, related) == []


def test_every_reading_was_served_and_everything_served_was_read(first: Crawled, stored: Known) -> None:
    """Each value that the clinic gave out is a reading, under its post, by its route; nothing else is."""
    routes = {"html": "html", "metadata": "api", "feed-metadata": "api"}
    wrong = []
    for post, row in [pair for pair in pairs(first, stored) if pair[0]["counters"] != "hidden"]:
        sql = "SELECT source, views, likes, comments_count FROM readings WHERE post_id = ? AND evidence = 'read'"
        read = rows(first.archive, sql, row["post_id"])
        # A page of one visit may tell its numbers twice: printed, and as data inside it.
        for each in read:
            source = "html" if each["source"] == "warmup" else each["source"]
            served = [item for item in post["served"] if routes[item["route"]] == source]
            agreeing = [
                item
                for item in served
                if all(each[name] in (None, item[name]) for name in ("views", "likes", "comments_count"))
            ]
            if not agreeing:
                wrong.append((post["slug"], post["variant"], each, served))
        found = {each["views"] for each in read}
        wrong += [(post["slug"], "unread", item) for item in post["served"] if item["views"] not in found]
    assert wrong == []


def test_hidden_counters_are_not_read(first: Crawled, stored: Known) -> None:
    """The owner hides views and comments; the page's like button still prints its own number."""
    hidden = pairs(first, stored, counters="hidden")
    assert hidden
    for post, row in hidden:
        read = rows(first.archive, "SELECT * FROM readings WHERE post_id = ?", row["post_id"])
        assert {(each["views"], each["comments_count"]) for each in read} <= {(None, None)}, post["slug"]
        assert {each["likes"] for each in read} <= {post["likes"]}, post["slug"]


def test_every_shown_counter_is_read(first: Crawled, stored: Known) -> None:
    sql = "SELECT count(*) FROM readings WHERE post_id = ? AND views IS NOT NULL"
    visible = pairs(first, stored, counters="shown")
    assert [post["slug"] for post, row in visible if not value_of(first.archive, sql, row["post_id"])] == []


def test_closed_comments_are_not_counted_as_zero(first: Crawled, stored: Known) -> None:
    for post, row in pairs(first, stored, counters="views-only"):
        sql = "SELECT views, comments_count FROM readings WHERE post_id = ? AND source = 'html'"
        assert [each["comments_count"] for each in rows(first.archive, sql, row["post_id"])] == [None], post["slug"]


def test_the_clinic_is_known(first: Crawled) -> None:
    (row,) = rows(first.archive, "SELECT * FROM clinics")
    assert (row["platform"], row["blog_status"], row["url"]) == ("wix", "blog", first.url)


def test_the_archive_is_whole(first: Crawled) -> None:
    assert faults(first.archive) == []
