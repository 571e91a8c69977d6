"""Second and third crawls of the sample clinic: only what changed is new, and nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Changes, Crawled
from tests.e2e.product import column, faults, rows, value_of, words

REVISIONS = "SELECT count(*) FROM revisions WHERE kind IN ('first', 'content')"


def post_of(crawled: Crawled, slug: str) -> int:
    """The post that the address of a slug means."""
    return int(
        value_of(crawled.archive, "SELECT post_id FROM post_addresses WHERE address = ?", f"{crawled.url}/post/{slug}")
    )


def new_revisions(before: Crawled, after: Crawled) -> list[dict[str, Any]]:
    last = value_of(before.archive, "SELECT max(revision_id) FROM revisions")
    return rows(after.archive, "SELECT * FROM revisions WHERE revision_id > ?", last)


class TestSecondCrawl:
    def test_it_is_a_success(self, second: Crawled) -> None:
        assert second.done.code == 0
        assert second.done.clinic["status"] == "done"

    def test_no_new_revision(self, first: Crawled, second: Crawled) -> None:
        """Not even of the page that carries another render id at every visit."""
        assert any(post["render_id"] for post in first.posts())
        assert new_revisions(first, second) == []
        assert second.done.clinic["new_revisions"] == 0
        assert second.done.clinic["new_posts"] == 0

    def test_no_post_changes(self, second: Crawled) -> None:
        assert rows(second.archive, "SELECT * FROM post_changes") == []

    def test_new_readings_of_every_counter_shown(self, first: Crawled, second: Crawled) -> None:
        """A page answered with 304 still has its counters read anew from the service."""
        last = value_of(first.archive, "SELECT max(read_at) FROM readings")
        sql = (
            "SELECT DISTINCT address FROM readings JOIN post_addresses USING (post_id) WHERE kind = 'wix uuid' AND"
            " evidence = 'read' AND views IS NOT NULL AND read_at > ?"
        )
        read = {address.removeprefix("wix:") for address in column(second.archive, sql, last)}
        visible = {post["post_id"] for post in second.posts() if post["counters"] != "hidden"}
        assert read == visible

    def test_old_readings_are_as_they_were(self, first: Crawled, second: Crawled) -> None:
        before = rows(first.archive, "SELECT * FROM readings ORDER BY post_id, capture_id, source")
        after = rows(second.archive, "SELECT * FROM readings ORDER BY post_id, capture_id, source")
        assert [row for row in after if row in before] == before

    def test_views_rise_as_the_clinic_served_them(self, second: Crawled) -> None:
        for post in second.posts(counters="shown", variant="g1-numbers"):
            sql = (
                "SELECT views FROM readings JOIN post_addresses USING (post_id) WHERE address = ? AND source = 'html'"
                " AND evidence = 'read' ORDER BY read_at"
            )
            served = [visit["views"] for visit in post["served"] if visit["route"] == "html"]
            assert column(second.archive, sql, f"wix:{post['post_id']}") == served, post["slug"]

    def test_far_fewer_bytes(self, first: Crawled, second: Crawled) -> None:
        assert second.done.clinic["wire_bytes"] < first.done.clinic["wire_bytes"] / 3
        assert second.done.clinic["unchanged"] > 0

    def test_the_same_comments(self, first: Crawled, second: Crawled) -> None:
        sql = "SELECT platform_comment_id, body_text, status, author FROM comments ORDER BY 1"
        assert rows(second.archive, sql) == rows(first.archive, sql)
        assert rows(second.archive, "SELECT * FROM comment_revisions") == []

    def test_no_new_problems(self, first: Crawled, second: Crawled) -> None:
        assert set(second.done.clinic["problem_lines"]) <= set(first.done.clinic["problem_lines"])

    def test_a_post_for_members_is_kept_as_a_problem_and_no_news(self, first: Crawled, second: Crawled) -> None:
        """Its owner means it so: the table says it at every visit, cron need not mail it."""
        assert first.done.lines == second.done.lines == []
        stored = column(second.archive, "SELECT message FROM problems WHERE kind = 'paywall'")
        assert len(stored) == 2
        assert all("members-archive-breathing-scripts" in message for message in stored)

    def test_the_archive_is_whole(self, second: Crawled) -> None:
        assert faults(second.archive) == []


class TestThirdCrawl:
    def test_it_is_a_success(self, third: Crawled) -> None:
        assert third.done.code == 0
        assert third.done.clinic["status"] == "done"

    def test_the_edit_is_the_one_new_revision(self, second: Crawled, third: Crawled, changes: Changes) -> None:
        (revision,) = new_revisions(second, third)
        assert revision["kind"] == "content"
        assert revision["post_id"] == post_of(third, changes.edited)
        assert changes.new_text in words(revision["body_text"])
        assert third.done.clinic["new_revisions"] == 1

    def test_the_edited_post_shows_the_new_text_and_keeps_the_old(
        self, second: Crawled, third: Crawled, changes: Changes
    ) -> None:
        post_id = post_of(third, changes.edited)
        (now,) = rows(third.archive, "SELECT * FROM posts WHERE post_id = ?", post_id)
        (then,) = rows(second.archive, "SELECT * FROM posts WHERE post_id = ?", post_id)
        assert changes.new_text in words(now["body_text"])
        (truth,) = third.posts(slug=changes.edited)
        assert words(now["body_text"]) == words(truth["body_text"])
        assert now["modified_at"][:19] == truth["modified_at"][:19]
        texts = column(third.archive, "SELECT body_text FROM revisions WHERE post_id = ? ORDER BY captured_at", post_id)
        assert texts == [then["body_text"], now["body_text"]]
        assert now["first_seen_at"] == then["first_seen_at"]

    def test_the_new_text_is_found_by_full_text_search(self, third: Crawled, changes: Changes) -> None:
        sql = "SELECT rowid FROM posts_fts WHERE posts_fts MATCH ?"
        assert column(third.archive, sql, '"asked about parking"') == [post_of(third, changes.edited)]

    def test_the_deletion_is_an_absence_not_a_removal(self, third: Crawled, changes: Changes) -> None:
        post_id = post_of(third, changes.deleted)
        (post,) = rows(third.archive, "SELECT * FROM posts WHERE post_id = ?", post_id)
        assert post["removed_at"] is None
        assert post["body_text"]
        (absence,) = rows(third.archive, "SELECT * FROM absences WHERE post_id = ?", post_id)
        assert absence["answered"] == "404"
        status = value_of(third.archive, "SELECT http_status FROM captures WHERE capture_id = ?", absence["capture_id"])
        assert status == 404

    def test_no_other_post_is_absent(self, third: Crawled, changes: Changes) -> None:
        absent = column(third.archive, "SELECT post_id FROM absences WHERE post_id IS NOT NULL AND comment_id IS NULL")
        assert absent == [post_of(third, changes.deleted)]

    def test_the_renamed_post_is_the_same_with_both_addresses(
        self, second: Crawled, third: Crawled, changes: Changes
    ) -> None:
        post_id = post_of(second, changes.renamed)
        assert post_of(third, changes.renamed) == post_id
        assert post_of(third, changes.renamed_to) == post_id
        (post,) = rows(third.archive, "SELECT url, slug FROM posts WHERE post_id = ?", post_id)
        assert post == {"url": f"{third.url}/post/{changes.renamed_to}", "slug": changes.renamed_to}
        assert value_of(third.archive, "SELECT count(*) FROM posts") == value_of(
            second.archive, "SELECT count(*) FROM posts"
        )

    def test_the_rename_is_told_as_a_change_of_address(self, third: Crawled, changes: Changes) -> None:
        sql = "SELECT field, old, new FROM post_changes WHERE post_id = ?"
        expected = {
            "field": "url",
            "old": f"{third.url}/post/{changes.renamed}",
            "new": f"{third.url}/post/{changes.renamed_to}",
        }
        assert expected in rows(third.archive, sql, post_of(third, changes.renamed_to))

    def test_the_new_comment_is_there(self, second: Crawled, third: Crawled, changes: Changes) -> None:
        sql = "SELECT post_id, body_text FROM comments WHERE platform_comment_id = ?"
        (row,) = rows(third.archive, sql, changes.added_comment)
        assert row["post_id"] == post_of(third, changes.commented)
        assert "Parking behind the house" in row["body_text"]
        assert rows(second.archive, sql, changes.added_comment) == []

    def test_the_new_comment_is_counted(self, third: Crawled, changes: Changes) -> None:
        sql = "SELECT comments_count FROM readings WHERE post_id = ? AND source = 'api' ORDER BY read_at"
        assert column(third.archive, sql, post_of(third, changes.commented)) == [0, 0, 1]

    def test_the_lost_comment_is_kept_and_known_to_be_gone(self, third: Crawled, changes: Changes) -> None:
        """Its row and its text stay; that it was not there any more is an absence, with the capture that proves it."""
        sql = "SELECT comment_id, body_text FROM comments WHERE platform_comment_id = ?"
        (comment,) = rows(third.archive, sql, changes.lost_comment)
        assert comment["body_text"]
        assert len(rows(third.archive, "SELECT * FROM absences WHERE comment_id = ?", comment["comment_id"])) == 1

    def test_no_other_comment_is_absent(self, third: Crawled, changes: Changes) -> None:
        sql = "SELECT platform_comment_id FROM absences JOIN comments USING (comment_id)"
        assert set(column(third.archive, sql)) <= {changes.lost_comment}

    def test_the_archive_is_whole(self, third: Crawled) -> None:
        assert faults(third.archive) == []


@pytest.mark.parametrize("table", ["posts", "revisions", "readings", "comments", "captures", "links", "images"])
def test_no_row_is_ever_lost(first: Crawled, third: Crawled, table: str) -> None:
    sql = f"SELECT count(*) FROM {table}"
    assert value_of(third.archive, sql) >= value_of(first.archive, sql) > 0
