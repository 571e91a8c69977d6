"""What a run did, counted from the rows it left; and posts as whole documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlite_utils import Database


def count_rows(db: Database, crawl_id: str, clinic_id: str) -> dict[str, int]:
    """New rows of a run at a clinic: posts, revisions (of kind `content`), readings, comments, and posts in all."""
    mine = "SELECT capture_id FROM captures WHERE crawl_id = :crawl AND clinic_id = :clinic"
    counts = {
        "new_posts": f"SELECT count(*) FROM revisions WHERE kind = 'first' AND capture_id IN ({mine})",
        "new_revisions": f"SELECT count(*) FROM revisions WHERE kind = 'content' AND capture_id IN ({mine})",
        "readings": f"SELECT count(*) FROM readings WHERE capture_id IN ({mine})",
        "comments": f"SELECT count(*) FROM comments WHERE last_capture_id IN ({mine})",
        "posts": "SELECT count(*) FROM posts WHERE clinic_id = :clinic AND :crawl IS NOT NULL",
        "problems": f"SELECT count(*) FROM problems WHERE capture_id IN ({mine})",
        "wire_bytes": f"SELECT coalesce(sum(payload_length), 0) FROM captures WHERE capture_id IN ({mine})"
        " AND record_type = 'response'",
    }
    wanted = {"crawl": crawl_id, "clinic": clinic_id}
    return {name: int(db.execute(sql, wanted).fetchone()[0]) for name, sql in counts.items()}


def save_clinic_run(db: Database, crawl_id: str, clinic_id: str, row: dict[str, Any], platform: str | None) -> None:
    """The end of a run at a clinic, and what the visit found out about the clinic."""
    assignments = ", ".join(f"{name} = :{name}" for name in row)
    with db.atomic():
        db.execute(
            f"UPDATE clinic_runs SET {assignments} WHERE crawl_id = :crawl_id AND clinic_id = :clinic_id",
            {**row, "crawl_id": crawl_id, "clinic_id": clinic_id},
        )
        db.execute(
            "UPDATE clinics SET first_crawled_at = coalesce(first_crawled_at, ?), platform = coalesce(platform, ?)"
            " WHERE clinic_id = ?",
            (row["ended_at"], platform, clinic_id),
        )


def save_blog_status(db: Database, clinic_id: str, status: str) -> None:
    """Whether there is a blog, as the last visit found: blog, none_found, unsupported, unreachable.

    A clinic that once had a blog and does not answer today still has one: `unreachable` replaces only `unknown`.
    """
    db.execute(
        "UPDATE clinics SET blog_status = ? WHERE clinic_id = ? AND (? != 'unreachable' OR blog_status = 'unknown')",
        (status, clinic_id, status),
    )


POST_KEYS = (
    "platform", "platform_post_id", "url", "slug", "title", "author", "published_at", "modified_at", "published_raw",
    "language", "excerpt", "minutes_to_read", "cover_image_url", "body_html", "body_text", "word_count",
)  # fmt: skip


def documents(db: Database, crawl_id: str, clinic_id: str) -> Iterator[dict[str, Any]]:
    """Every post that the run saw, newest first, as one document with the keys that `clinic-archive parse` prints.

    Counters are the last known ones; comments stand inside with their pseudonyms and `parent_id`.
    """
    seen = db.execute(
        f"SELECT post_id, sources, {', '.join(POST_KEYS)} FROM posts WHERE clinic_id = ? AND post_id IN (SELECT post_id"
        " FROM sightings JOIN captures USING (capture_id) WHERE source = 'post' AND crawl_id = ?)"
        " ORDER BY published_at DESC, post_id",
        (clinic_id, crawl_id),
    ).fetchall()
    for post_id, sources, *values in seen:
        document: dict[str, Any] = dict(zip(POST_KEYS, values, strict=True))
        for plural, key in (("categories", "category_id"), ("tags", "tag_id")):
            document[plural] = _column(
                db, f"SELECT label FROM post_{plural} JOIN {plural} USING ({key}) WHERE post_id = ? ORDER BY 1", post_id
            )
        document["links"] = _rows(
            db,
            "SELECT links.url, text FROM links JOIN posts USING (revision_id) WHERE posts.post_id = ? ORDER BY position",
            post_id,
        )
        document["images"] = _rows(
            db, "SELECT url, alt, caption FROM images WHERE post_id = ? ORDER BY kind, position", post_id
        )
        for name in ("views", "likes", "comments_count"):
            row = db.execute(
                f"SELECT {name}, {name}_raw FROM readings WHERE post_id = ? AND {name} IS NOT NULL"
                " ORDER BY read_at DESC LIMIT 1",
                [post_id],
            ).fetchone()
            document[name], document[f"{name}_raw"] = row or (None, None)
        document["comments"] = _rows(
            db,
            "SELECT platform_comment_id, parent_platform_comment_id AS parent_id, author, author_kind, posted_at,"
            " body_text, body_html, likes, status FROM comments WHERE post_id = ? ORDER BY posted_at, comment_id",
            post_id,
        )
        document["related_posts"] = _rows(
            db,
            "SELECT position, title, related_url AS url, excerpt FROM related_posts WHERE post_id = ? AND"
            " last_capture_id = (SELECT capture_id FROM sightings WHERE sightings.post_id = related_posts.post_id AND"
            " source = 'post' ORDER BY seen_at DESC LIMIT 1) ORDER BY position",
            post_id,
        )
        document["sources"] = json.loads(sources)
        yield document


def _rows(db: Database, sql: str, post_id: int) -> list[dict[str, Any]]:
    return list(db.query(sql, [post_id]))


def _column(db: Database, sql: str, post_id: int) -> list[str]:
    return [row[0] for row in db.execute(sql, [post_id])]
