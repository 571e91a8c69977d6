"""What a run did, counted from the rows it left; and posts as whole documents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlite_utils import Database

from archive.rows.evidence import confirm_removals, save_fields


def count_rows(db: Database, crawl_id: str, clinic_id: str) -> dict[str, int]:
    """New rows of a run at a clinic: posts, revisions (kind `content`), readings, comments, captures; posts in all."""
    mine = "SELECT capture_id FROM captures WHERE crawl_id = :crawl AND clinic_id = :clinic"
    counts = {
        "new_posts": f"SELECT count(*) FROM revisions WHERE kind = 'first' AND capture_id IN ({mine})",
        "new_revisions": f"SELECT count(*) FROM revisions WHERE kind = 'content' AND capture_id IN ({mine})",
        "readings": f"SELECT count(*) FROM readings WHERE capture_id IN ({mine})",
        # By its clinic, for comments have no index of captures: else those of all clinics would be looked through.
        "comments": f"SELECT count(*) FROM comments WHERE clinic_id = :clinic AND last_capture_id IN ({mine})",
        "posts": "SELECT count(*) FROM posts WHERE clinic_id = :clinic AND :crawl IS NOT NULL",
        "problems": f"SELECT count(*) FROM problems WHERE capture_id IN ({mine})",
        "captures": f"SELECT count(*) FROM ({mine})",
        "wire_bytes": f"SELECT coalesce(sum(payload_length), 0) FROM captures WHERE capture_id IN ({mine})"
        " AND record_type = 'response' AND via IS NULL",
    }
    wanted = {"crawl": crawl_id, "clinic": clinic_id}
    return {name: int(db.execute(sql, wanted).fetchone()[0]) for name, sql in counts.items()}


# Columns of `clinic_runs` that `count_rows` gives.
COUNTED = ("posts", "new_posts", "new_revisions", "readings", "comments", "wire_bytes")
# What a visit tells about its clinic, beside the columns of its run; the run-ended note of the WARC holds both.
ABOUT_CLINIC = ("platform", "blog_status", "finished", "fields")


def save_run_start(db: Database, crawl_id: str, clinic_id: str, started_at: str) -> None:
    """A run comes to a clinic, whose row there is."""
    db.execute(
        "INSERT INTO clinic_runs (crawl_id, clinic_id, started_at, status) VALUES (?,?,?,'running') ON CONFLICT DO"
        " NOTHING",
        (crawl_id, clinic_id, started_at),
    )


def save_run_end(db: Database, crawl_id: str, clinic_id: str, told: Mapping[str, Any]) -> None:
    """The end of a run at a clinic: columns of `clinic_runs`; `ABOUT_CLINIC` is passed over."""
    row = {name: value for name, value in told.items() if name not in ABOUT_CLINIC}
    assignments = ", ".join(f"{name} = :{name}" for name in row)
    db.execute(
        f"UPDATE clinic_runs SET {assignments} WHERE crawl_id = :crawl_id AND clinic_id = :clinic_id",
        {**row, "crawl_id": crawl_id, "clinic_id": clinic_id},
    )


def save_clinic_run(db: Database, crawl_id: str, clinic_id: str, told: Mapping[str, Any]) -> None:
    """The end of a visit to a clinic, and what it found out about the clinic.

    `told`: columns of `clinic_runs`, and `ABOUT_CLINIC`, as the run-ended note of the clinic's WARC holds them.
    """
    with db.atomic():
        save_run_end(db, crawl_id, clinic_id, told)
        db.execute(
            "UPDATE clinics SET first_crawled_at = coalesce(first_crawled_at, ?), platform = coalesce(?, platform)"
            " WHERE clinic_id = ?",
            (told["ended_at"], told["platform"], clinic_id),
        )
        save_blog_status(db, clinic_id, told["blog_status"])
        save_fields(db, crawl_id, clinic_id, told.get("fields", ()))  # runs of older versions measured none
        if told["complete"]:
            confirm_removals(db, clinic_id)


def save_platform(db: Database, crawl_id: str, clinic_id: str, platform: str | None) -> None:
    """The platform by whose rules the captures of a run at a clinic are read; None: the run recognised none."""
    db.execute(
        "UPDATE clinic_runs SET platform = ? WHERE crawl_id = ? AND clinic_id = ?", (platform, crawl_id, clinic_id)
    )


def save_killed_run(db: Database, crawl_id: str, clinic_id: str) -> None:
    """A run that ended without a word: what its captures show, as a run that was cut short."""
    counts = count_rows(db, crawl_id, clinic_id)
    row: dict[str, Any] = {name: counts[name] for name in COUNTED} | _seen(db, crawl_id, clinic_id)
    row |= {"status": "cut-short", "complete": 0, "note": "killed; what lay whole in its WARC was folded in afterwards"}
    assignments = ", ".join(f"{name} = :{name}" for name in row)
    wanted = {**row, "crawl_id": crawl_id, "clinic_id": clinic_id}
    with db.atomic():
        db.execute(
            f"UPDATE clinic_runs SET {assignments}, ended_at = coalesce((SELECT max(fetched_at) FROM captures WHERE"
            " crawl_id = :crawl_id AND clinic_id = :clinic_id), started_at) WHERE crawl_id = :crawl_id AND clinic_id ="
            " :clinic_id",
            wanted,
        )


def _seen(db: Database, crawl_id: str, clinic_id: str) -> dict[str, int]:
    """Posts that a run's captures show to be there, and not to be there; the view `coverage` counts them likewise."""
    mine = "captures USING (capture_id) WHERE captures.crawl_id = ? AND captures.clinic_id = ?"
    rows = {
        "fetched": f"sightings JOIN {mine} AND source = 'post'",
        "gone": f"absences JOIN {mine} AND comment_id IS NULL",
    }
    return {
        name: int(db.execute(f"SELECT count(DISTINCT post_id) FROM {these}", (crawl_id, clinic_id)).fetchone()[0])
        for name, these in rows.items()
    }


def save_crawl(db: Database, crawl_id: str, started_at: str, software: str, kind: str) -> None:
    """The row of a run as a whole, where it has none yet."""
    db.execute(
        "INSERT INTO crawls (crawl_id, started_at, software, kind) VALUES (?,?,?,?) ON CONFLICT DO NOTHING",
        (crawl_id, started_at, software, kind),
    )


def save_crawl_end(db: Database, crawl_id: str, told: Mapping[str, Any]) -> None:
    """The end of a run: `told` has ended_at, exit_code and summary, as the crawl-ended note of its WARC does."""
    db.execute(
        "UPDATE crawls SET ended_at = ?, exit_code = ?, summary = ? WHERE crawl_id = ?",
        (told["ended_at"], told["exit_code"], told["summary"], crawl_id),
    )


def close_unended_crawls(db: Database) -> None:
    """Runs that never told their end ended with the last of their clinics. Not to be called while one goes on."""
    db.execute(
        "UPDATE crawls SET ended_at = (SELECT max(ended_at) FROM clinic_runs WHERE crawl_id = crawls.crawl_id)"
        " WHERE ended_at IS NULL"
    )


def running(db: Database) -> list[tuple[str, str]]:
    """(crawl_id, clinic_id) of every run that never said that it ended, oldest first."""
    wanted = "SELECT crawl_id, clinic_id FROM clinic_runs WHERE status = 'running' ORDER BY started_at"
    return list(db.execute(wanted).fetchall())


def last_visits(db: Database) -> list[dict[str, Any]]:
    """Every clinic with what is kept of it and how its last visit went, by clinic_id; NULLs where none was made.

    A visit is a run that asked the clinic itself: what others had captured tells nothing about how it is today.
    """
    return list(
        db.query(
            "SELECT clinics.clinic_id, name, url, clinics.platform, blog_status, (SELECT count(*) FROM posts WHERE"
            " posts.clinic_id = clinics.clinic_id) AS posts, last.started_at AS last_visit_at,"
            " last.status AS last_status, last.note AS last_note FROM clinics LEFT JOIN clinic_runs AS last"
            " ON last.clinic_id = clinics.clinic_id AND last.crawl_id = (SELECT crawl_id FROM clinic_runs AS any"
            " JOIN crawls USING (crawl_id) WHERE any.clinic_id = clinics.clinic_id AND coalesce(kind, 'crawl') ="
            " 'crawl' ORDER BY any.started_at DESC LIMIT 1) ORDER BY clinics.clinic_id"
        )
    )


def save_blog_status(db: Database, clinic_id: str, status: str) -> None:
    """Whether there is a blog, as the last visit found: blog, none_found, unsupported, unreachable.

    A visit that did not come so far ("unknown") changes nothing, and a clinic that once had a blog and does not answer
    today still has one: `unreachable` replaces only `unknown`. A closed clinic stays so, whatever a visit to it finds:
    its stanza alone says otherwise (`save_closing`).
    """
    db.execute(
        "UPDATE clinics SET blog_status = :status WHERE clinic_id = :clinic AND :status != 'unknown'"
        " AND blog_status != 'closed' AND (:status != 'unreachable' OR blog_status = 'unknown')",
        {"status": status, "clinic": clinic_id},
    )


def save_closing(db: Database, clinic_id: str, closed_on: str | None, today: str) -> None:
    """The day from which on the clinic is closed, as its stanza has it today (ISO dates, UTC); None: it is not.

    One that is closed no more, or only later, has a blog as far as its posts tell, and the next visit finds out.
    """
    db.execute(
        "UPDATE clinics SET closed_on = :closed_on, blog_status = CASE WHEN :closed_on <= :today THEN 'closed'"
        " WHEN blog_status != 'closed' THEN blog_status WHEN EXISTS (SELECT 1 FROM posts WHERE posts.clinic_id ="
        " clinics.clinic_id) THEN 'blog' ELSE 'unknown' END WHERE clinic_id = :clinic",
        {"closed_on": closed_on, "today": today, "clinic": clinic_id},
    )


def is_without_blog(db: Database, clinic_id: str) -> bool:
    """An earlier visit found no blog there, and none ever did."""
    status = db.execute(
        "SELECT 1 FROM clinics WHERE clinic_id = ?1 AND blog_status IN ('none_found', 'unsupported') AND NOT EXISTS"
        " (SELECT 1 FROM posts WHERE clinic_id = ?1)",
        [clinic_id],
    ).fetchone()
    return status is not None


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
            "SELECT links.url, text FROM links JOIN posts USING (revision_id) WHERE posts.post_id = ?"
            " ORDER BY position",
            post_id,
        )
        document["images"] = _rows(
            db,
            "SELECT images.url, alt, caption FROM images JOIN captures ON capture_id = last_capture_id"
            " WHERE post_id = ? AND fetched_at = (SELECT max(fetched_at) FROM images AS any JOIN captures"
            " ON capture_id = any.last_capture_id WHERE any.post_id = images.post_id AND any.kind = images.kind)"
            " ORDER BY kind, position",
            post_id,
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
            "SELECT position, title, related_url AS url, excerpt FROM related_posts JOIN captures ON capture_id ="
            " last_capture_id WHERE post_id = ? AND fetched_at = (SELECT max(fetched_at) FROM related_posts AS any JOIN"
            " captures ON capture_id = any.last_capture_id WHERE any.post_id = related_posts.post_id)"
            " ORDER BY position",
            post_id,
        )
        document["sources"] = json.loads(sources)
        yield document


def _rows(db: Database, sql: str, post_id: int) -> list[dict[str, Any]]:
    return list(db.query(sql, [post_id]))


def _column(db: Database, sql: str, post_id: int) -> list[str]:
    return [row[0] for row in db.execute(sql, [post_id])]
