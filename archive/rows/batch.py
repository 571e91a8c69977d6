"""Rows that wait to be written together: one `executemany` for each table instead of one statement for each row.

Queries do not see the rows that wait in a batch. Code that queries for rows that may wait here writes the batch first
(`ClinicCache.write`).
"""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database

from archive.rows.posts.counters import COUNTER_COLUMNS


def _insert(table: str, columns: str, conflict: str = "") -> str:
    marks = ", ".join("?" * len(columns.split()))
    return f"INSERT INTO {table} ({', '.join(columns.split())}) VALUES ({marks}) {conflict}"


def _labelled(table: str, key: str) -> str:
    return _insert(
        table,
        f"post_id {key} first_capture_id last_capture_id",
        "ON CONFLICT DO UPDATE SET last_capture_id = excluded.last_capture_id",
    )


# Stored comments that a complete reading did not list, of its source where it names one.
_ABSENT = (
    "INSERT INTO absences (clinic_id, post_id, comment_id, capture_id, seen_at, answered) SELECT clinic_id, post_id,"
    " comment_id, ?1, ?2, 'not in the whole thread' FROM comments WHERE (?3 IS NULL OR source = ?3) AND first_seen_at <"
    " ?2 AND platform_comment_id NOT IN (SELECT value FROM json_each(?4)) AND"
)
_COUNTERS = ", ".join(COUNTER_COLUMNS)
_LAST = "last_capture_id = excluded.last_capture_id"

# In the order in which they are written. Rows come after the rows that they refer to, because SQLite would otherwise
# look for waiting children at every parent; statements that update or copy rows come after those that insert them.
STATEMENTS = {
    "captures": _insert(
        "captures",
        "capture_id crawl_id clinic_id url method request_sha256 fetched_at http_status mime etag last_modified"
        " payload_sha256 payload_length record_type refers_to warc_file warc_offset warc_length origin via page_url"
        " retrieved_at retrieved_from holds_comments quality withdrawn x_robots_tag robots_meta",
        "ON CONFLICT DO NOTHING",
    ),
    "authors": _insert("authors", "author_id clinic_id name person_key"),
    "categories": _insert("categories", "category_id clinic_id label"),
    "tags": _insert("tags", "tag_id clinic_id label"),
    "posts": _insert(
        "posts",
        "post_id clinic_id platform platform_post_id url slug title author published_at published_raw modified_at"
        " language excerpt minutes_to_read cover_image_url body_text body_html word_count access author_id published_on"
        " sources first_seen_at last_seen_at first_seen_origin",
    ),
    "posts thread": "UPDATE posts SET comment_service = ?, comment_thread = ? WHERE post_id = ?",
    "revisions": _insert(
        "revisions",
        "revision_id post_id capture_id kind source captured_at content_sha256 title author body_text body_html"
        " word_count modified_at extractor_version",
    ),
    "posts revision": "UPDATE posts SET revision_id = ? WHERE post_id = ?",
    "links": _insert("links", "revision_id position url text domain rel"),
    "addresses": _insert(
        "post_addresses",
        "clinic_id address kind entity_id post_id matched_by capture_id",
        "ON CONFLICT (clinic_id, address) DO UPDATE SET entity_id = excluded.entity_id, post_id = excluded.post_id,"
        " matched_by = excluded.matched_by, capture_id = excluded.capture_id",
    ),
    "addresses moved": "UPDATE post_addresses SET entity_id = ?, post_id = ? WHERE clinic_id = ? AND address = ?",
    # The id that the platform's other services use comes first: Wix names a post by 24 hex digits as well as a UUID.
    "posts platform id": "UPDATE posts SET platform_post_id = ? WHERE post_id = ?",
    "sightings": _insert(
        "sightings",
        "clinic_id url post_id capture_id revision_id source lastmod seen_at",
        "ON CONFLICT DO UPDATE SET revision_id = coalesce(excluded.revision_id, revision_id), lastmod ="
        " coalesce(lastmod, excluded.lastmod)",
    ),
    # "+": use the index of addresses, not that of posts, in which all sightings without a post are one group.
    "sightings attached": "UPDATE sightings SET post_id = ? WHERE clinic_id = ? AND url = ? AND +post_id IS NULL",
    "readings": _insert(
        "readings",
        f"post_id capture_id source read_at {' '.join(COUNTER_COLUMNS)} evidence extractor_version",
        # What one capture says about a post in two places is one reading; where they differ, the first is kept.
        "ON CONFLICT DO UPDATE SET "
        + ", ".join(f"{name} = coalesce({name}, excluded.{name})" for name in COUNTER_COLUMNS),
    ),
    "post_categories": _labelled("post_categories", "category_id"),
    "post_tags": _labelled("post_tags", "tag_id"),
    "images": _insert(
        "images",
        "post_id kind url revision_id position alt caption first_capture_id last_capture_id",
        "ON CONFLICT DO UPDATE SET position = excluded.position, alt = coalesce(excluded.alt, alt), caption ="
        f" coalesce(excluded.caption, caption), {_LAST}",
    ),
    "related_posts": _insert(
        "related_posts",
        "post_id related_url position title excerpt first_capture_id last_capture_id",
        "ON CONFLICT DO UPDATE SET position = excluded.position, title = coalesce(excluded.title, title), excerpt ="
        f" coalesce(excluded.excerpt, excerpt), {_LAST}",
    ),
    "comments": _insert(
        "comments",
        "clinic_id post_id platform_comment_id parent_platform_comment_id source capture_id last_capture_id"
        " first_seen_at last_seen_at author author_kind body_text body_html posted_at posted_at_precision likes status"
        " edited type",
    ),
    "comments seen": "UPDATE comments SET last_capture_id = ?, last_seen_at = ? WHERE comment_id = ?",
    # "parents" joins a comment to its parent, "replies" a parent to the replies that arrived before it.
    "parents": "UPDATE comments SET parent_id = (SELECT parent.comment_id FROM comments AS parent WHERE"
    " parent.clinic_id = ?1 AND parent.platform_comment_id = ?2) WHERE clinic_id = ?1 AND platform_comment_id = ?3",
    "replies": "UPDATE comments SET parent_id = (SELECT parent.comment_id FROM comments AS parent WHERE"
    " parent.clinic_id = ?1 AND parent.platform_comment_id = ?2) WHERE clinic_id = ?1 AND parent_platform_comment_id ="
    " ?2 AND parent_id IS NULL",
    "threads read": f"{_ABSENT} post_id = ?5",
    # The comments of a whole site, and the number of comments of each post with a text that anyone may read: comments
    # on a post with a password are not listed. Where a site has none at all, or the post bears the mark of a comment
    # service, readers may write elsewhere: that is no 0.
    "sites read": f"{_ABSENT} clinic_id = ?5",
    "sites counted": "INSERT INTO readings (post_id, capture_id, source, read_at, comments_count, evidence,"
    " extractor_version) SELECT post_id, ?1, ?3, ?2, (SELECT count(*) FROM comments WHERE comments.post_id ="
    " posts.post_id AND platform_comment_id IN (SELECT value FROM json_each(?4))), 'read', ?7 FROM posts WHERE"
    " clinic_id = ?5 AND json_array_length(?4) > 0 AND comment_service IS NULL AND word_count IS NOT NULL AND"
    " removed_at IS NULL AND first_seen_at <= ?2 AND EXISTS (SELECT 1 FROM post_addresses AS a WHERE a.post_id ="
    " posts.post_id AND a.kind = ?6 || ' id') ON CONFLICT DO UPDATE SET"
    " comments_count = coalesce(comments_count, excluded.comments_count)",
    "problems": _insert("problems", "clinic_id crawl_id capture_id url kind field message happened_at"),
    # A 304: the rows of the capture that it refers to, repeated. The server confirms them; nothing was read.
    "sightings confirmed": "INSERT INTO sightings (clinic_id, url, post_id, capture_id, revision_id, source, lastmod,"
    " seen_at) SELECT clinic_id, url, post_id, ?1, revision_id, source, lastmod, ?2 FROM sightings WHERE capture_id ="
    " ?3 ON CONFLICT DO NOTHING",
    "readings confirmed": f"INSERT INTO readings (post_id, capture_id, source, read_at, {_COUNTERS}, evidence,"
    f" extractor_version) SELECT post_id, ?1, source, ?2, {_COUNTERS}, 'not-modified', extractor_version FROM readings"
    " WHERE capture_id = ?3 ON CONFLICT DO NOTHING",
    "posts confirmed": "UPDATE posts SET last_seen_at = max(last_seen_at, ?2), removed_at = NULL WHERE post_id IN"
    " (SELECT post_id FROM sightings WHERE capture_id = ?3 AND source = 'post')",
    "posts seen": "UPDATE posts SET last_seen_at = max(last_seen_at, ?), removed_at = NULL WHERE post_id = ?",
}


class Batch:
    """The rows that wait for each statement, in the order in which they came."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in STATEMENTS}

    def put(self, statement: str, row: tuple[Any, ...]) -> None:
        """Add a row for a statement of `STATEMENTS`, its values in the order of the statement's columns."""
        self._rows[statement].append(row)

    def write(self) -> None:
        """Write all rows that wait, inside the caller's transaction. Raises `sqlite3.Error`."""
        for name, sql in STATEMENTS.items():
            rows = self._rows[name]
            if rows:
                self._rows[name] = []
                self._db.conn.executemany(sql, rows)
