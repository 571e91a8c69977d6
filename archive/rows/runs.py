"""The rows of runs and of their visits to clinics, counts of what a visit changed, and posts as whole documents."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from archive.rows.evidence import confirm_removals, save_fields
from archive.rows.posts.counters import COUNTERS
from archive.times import utc


def count_rows(db: Database, crawl_id: str, clinic_id: str) -> dict[str, int]:
    """Count the new rows of a run at a clinic, by name; `new_revisions` are those of kind `content`.

    `posts` counts all posts of the clinic, `wire_bytes` the payload bytes of the run's responses.
    """
    mine = "SELECT capture_id FROM captures WHERE crawl_id = :crawl AND clinic_id = :clinic"
    counts = {
        "new_posts": f"SELECT count(*) FROM revisions WHERE kind = 'first' AND capture_id IN ({mine})",
        "new_revisions": f"SELECT count(*) FROM revisions WHERE kind = 'content' AND capture_id IN ({mine})",
        "readings": f"SELECT count(*) FROM readings WHERE capture_id IN ({mine})",
        # By clinic, because comments have no index of captures: SQLite would else scan the comments of all clinics.
        "comments": f"SELECT count(*) FROM comments WHERE clinic_id = :clinic AND last_capture_id IN ({mine})",
        "posts": "SELECT count(*) FROM posts WHERE clinic_id = :clinic AND :crawl IS NOT NULL",
        "problems": f"SELECT count(*) FROM problems WHERE capture_id IN ({mine})",
        "captures": f"SELECT count(*) FROM ({mine})",
        "wire_bytes": f"SELECT coalesce(sum(payload_length), 0) FROM captures WHERE capture_id IN ({mine})"
        " AND record_type = 'response' AND via IS NULL",
    }
    values = {"crawl": crawl_id, "clinic": clinic_id}
    return {name: int(db.execute(sql, values).fetchone()[0]) for name, sql in counts.items()}


KILLED = "killed; what lay whole in its WARC was folded in afterwards"  # the note of a visit whose process was killed
# Columns of `clinic_runs` that `count_rows` gives.
COUNTED = ("posts", "new_posts", "new_revisions", "readings", "comments", "wire_bytes")
# What a visit found out about its clinic, beside the columns of `clinic_runs`; a run-ended note of the WARC holds both.
ABOUT_CLINIC = ("platform", "maker", "reader", "blog_status", "finished", "fields")


def save_run_start(db: Database, crawl_id: str, clinic_id: str, started_at: str, user_agent: str | None = None) -> None:
    """Write that a run begins its visit to a clinic, which has a row already. `user_agent`: what its requests send."""
    db.execute(
        "INSERT INTO clinic_runs (crawl_id, clinic_id, started_at, status, user_agent) VALUES (?,?,?,'running',?) ON"
        " CONFLICT DO NOTHING",
        (crawl_id, clinic_id, started_at, user_agent),
    )


def save_run_end(db: Database, crawl_id: str, clinic_id: str, values: Mapping[str, Any]) -> None:
    """Write the end of a visit: columns of `clinic_runs` by name; `ABOUT_CLINIC` is ignored."""
    row = {name: value for name, value in values.items() if name not in ABOUT_CLINIC}
    assignments = ", ".join(f"{name} = :{name}" for name in row)
    db.execute(
        f"UPDATE clinic_runs SET {assignments} WHERE crawl_id = :crawl_id AND clinic_id = :clinic_id",
        {**row, "crawl_id": crawl_id, "clinic_id": clinic_id},
    )


def save_clinic_run(db: Database, crawl_id: str, clinic_id: str, values: Mapping[str, Any]) -> None:
    """Write the end of a visit to a clinic, and what it found out about the clinic.

    `values`: columns of `clinic_runs`, and `ABOUT_CLINIC`, as the run-ended note of the clinic's WARC holds them.
    """
    is_unsupported = values["blog_status"] == "unsupported"
    maker = values.get("maker", values["platform"])  # notes of older versions name the maker as the platform
    with db.atomic():
        save_run_end(db, crawl_id, clinic_id, values)
        db.execute(
            "UPDATE clinics SET first_crawled_at = coalesce(first_crawled_at, ?), platform = iif(?, NULL, coalesce(?,"
            " platform)), maker = coalesce(?, maker) WHERE clinic_id = ?",
            (values["ended_at"], is_unsupported, None if is_unsupported else values["platform"], maker, clinic_id),
        )
        save_blog_status(db, clinic_id, values["blog_status"])
        save_fields(db, crawl_id, clinic_id, values.get("fields", ()))  # runs of older versions measured none
        if values["complete"]:
            confirm_removals(db, clinic_id)


def save_platform(db: Database, crawl_id: str, clinic_id: str, platform: str | None) -> None:
    """Write the platform whose parser reads the captures of a visit; None where the visit recognised none."""
    db.execute(
        "UPDATE clinic_runs SET platform = ? WHERE crawl_id = ? AND clinic_id = ?", (platform, crawl_id, clinic_id)
    )


def save_killed_run(db: Database, crawl_id: str, clinic_id: str) -> None:
    """Write the end of a visit whose process was killed: what its captures show, as a visit that was cut short."""
    counts = count_rows(db, crawl_id, clinic_id)
    row: dict[str, Any] = {name: counts[name] for name in COUNTED} | _count_seen(db, crawl_id, clinic_id)
    row |= {"status": "cut-short", "complete": 0, "note": KILLED}
    assignments = ", ".join(f"{name} = :{name}" for name in row)
    values = {**row, "crawl_id": crawl_id, "clinic_id": clinic_id}
    with db.atomic():
        db.execute(
            f"UPDATE clinic_runs SET {assignments}, ended_at = coalesce((SELECT max(fetched_at) FROM captures WHERE"
            " crawl_id = :crawl_id AND clinic_id = :clinic_id), started_at) WHERE crawl_id = :crawl_id AND clinic_id ="
            " :clinic_id",
            values,
        )


def _count_seen(db: Database, crawl_id: str, clinic_id: str) -> dict[str, int]:
    """How many posts a run's captures show as present, and as gone; the view `coverage` counts in the same way."""
    mine = "captures USING (capture_id) WHERE captures.crawl_id = ? AND captures.clinic_id = ?"
    rows = {
        "fetched": f"sightings JOIN {mine} AND source = 'post'",
        "gone": f"absences JOIN {mine} AND comment_id IS NULL",
    }
    return {
        name: int(db.execute(f"SELECT count(DISTINCT post_id) FROM {source}", (crawl_id, clinic_id)).fetchone()[0])
        for name, source in rows.items()
    }


def save_crawl(db: Database, crawl_id: str, started_at: str, software: str, kind: str) -> None:
    """Write the row of a run as a whole, unless it has one."""
    db.execute(
        "INSERT INTO crawls (crawl_id, started_at, software, kind) VALUES (?,?,?,?) ON CONFLICT DO NOTHING",
        (crawl_id, started_at, software, kind),
    )


def save_crawl_end(db: Database, crawl_id: str, values: Mapping[str, Any]) -> None:
    """Write the end of a run: ended_at, exit_code and summary, as the crawl-ended note of its WARC has them."""
    db.execute(
        "UPDATE crawls SET ended_at = ?, exit_code = ?, summary = ? WHERE crawl_id = ?",
        (values["ended_at"], values["exit_code"], values["summary"], crawl_id),
    )


def close_unended_crawls(db: Database) -> None:
    """Write the end of each run that recorded none: the end of its last visit. Not to be called during a run."""
    db.execute(
        "UPDATE crawls SET ended_at = (SELECT max(ended_at) FROM clinic_runs WHERE crawl_id = crawls.crawl_id)"
        " WHERE ended_at IS NULL"
    )


def running(db: Database) -> list[tuple[str, str]]:
    """Return (crawl_id, clinic_id) of every visit without a recorded end, oldest first."""
    find = "SELECT crawl_id, clinic_id FROM clinic_runs WHERE status = 'running' ORDER BY started_at"
    return list(db.execute(find).fetchall())


def last_visits(db: Database) -> list[dict[str, Any]]:
    """Return every clinic with its number of posts and how its last visit ended, by clinic_id; NULLs without a visit.

    Only crawls count as visits: captures of others do not show how the clinic is today.
    """
    return list(
        db.query(
            "SELECT clinics.clinic_id, name, url, clinics.platform, maker, blog_status, (SELECT count(*) FROM posts"
            " WHERE posts.clinic_id = clinics.clinic_id) AS posts, last.started_at AS last_visit_at,"
            " last.status AS last_status, last.note AS last_note FROM clinics LEFT JOIN clinic_runs AS last"
            " ON last.clinic_id = clinics.clinic_id AND last.crawl_id = (SELECT crawl_id FROM clinic_runs AS any"
            " JOIN crawls USING (crawl_id) WHERE any.clinic_id = clinics.clinic_id AND coalesce(kind, 'crawl') ="
            " 'crawl' ORDER BY any.started_at DESC LIMIT 1) ORDER BY clinics.clinic_id"
        )
    )


# Visits dated later than now (by a wrong clock) are ignored: they would put the clinic behind all others until then.
_LAST_TWO = (
    "SELECT r.status, r.started_at, coalesce(r.ended_at, r.started_at) FROM clinic_runs AS r JOIN crawls AS k"
    " USING (crawl_id) WHERE r.clinic_id = ? AND coalesce(k.kind, 'crawl') = 'crawl' AND r.status <> 'running' AND"
    " r.started_at <= ? ORDER BY r.started_at DESC LIMIT 2"
)


def queue_order(connection: sqlite3.Connection, clinic_id: str, now: datetime) -> tuple[str, str]:
    """Return a sort key: when the clinic's last finished visit ended and when its last visit began; "" where none is.

    The smallest key comes first; its texts sort by time. A visit that was cut short does not count as finished, so
    that the clinic comes early again. It does so once only: a clinic whose visits never end within a run's time limit
    would otherwise always precede the others. Raises `sqlite3.Error`.
    """
    visits = connection.execute(_LAST_TWO, (clinic_id, utc(now))).fetchall()
    began = str(visits[0][1]) if visits else ""
    if [status for status, *_ in visits] == ["cut-short", "cut-short"]:
        return str(visits[0][2]), began
    return next((str(ended) for status, _, ended in visits if status != "cut-short"), ""), began


def save_blog_status(db: Database, clinic_id: str, status: str) -> None:
    """Write whether there is a blog, as the last visit found: blog, none_found, unsupported, unreachable.

    A visit that did not find out ("unknown") changes nothing, and a clinic that once had a blog and does not answer
    today still has one: `unreachable` replaces only `unknown`. A closed clinic stays closed, whatever a visit finds:
    only its stanza changes that (`save_closing`).
    """
    db.execute(
        "UPDATE clinics SET blog_status = :status WHERE clinic_id = :clinic AND :status != 'unknown'"
        " AND blog_status != 'closed' AND (:status != 'unreachable' OR blog_status = 'unknown')",
        {"status": status, "clinic": clinic_id},
    )


def save_closing(db: Database, clinic_id: str, closed_on: str | None, today: str) -> None:
    """Write the day from which the clinic is closed, as its stanza has it today (ISO dates, UTC); None: not closed.

    A clinic that is no longer closed, or not yet, has a blog where it has posts; otherwise the next visit finds out.
    """
    db.execute(
        "UPDATE clinics SET closed_on = :closed_on, blog_status = CASE WHEN :closed_on <= :today THEN 'closed'"
        " WHEN blog_status != 'closed' THEN blog_status WHEN EXISTS (SELECT 1 FROM posts WHERE posts.clinic_id ="
        " clinics.clinic_id) THEN 'blog' ELSE 'unknown' END WHERE clinic_id = :clinic",
        {"closed_on": closed_on, "today": today, "clinic": clinic_id},
    )


def is_without_blog(db: Database, clinic_id: str) -> bool:
    """Return whether the last visit found no blog, and the archive has no post of the clinic."""
    status = db.execute(
        "SELECT 1 FROM clinics WHERE clinic_id = ?1 AND blog_status = 'none_found' AND NOT EXISTS (SELECT 1 FROM posts"
        " WHERE clinic_id = ?1)",
        [clinic_id],
    ).fetchone()
    return status is not None


POST_KEYS = (
    "platform",
    "platform_post_id",
    "url",
    "slug",
    "title",
    "author",
    "published_at",
    "modified_at",
    "published_raw",
    "language",
    "access",
    "excerpt",
    "minutes_to_read",
    "cover_image_url",
    "body_html",
    "body_text",
    "word_count",
)


def post_documents(db: Database, crawl_id: str, clinic_id: str) -> Iterator[dict[str, Any]]:
    """Yield every post that the run saw, newest first, as a document with the keys that `clinic-archive parse` prints.

    Counters are the last known ones; comments are included with their pseudonyms and `parent_id`.
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
        for name in COUNTERS:
            row = db.execute(
                f"SELECT {name}, {name}_raw FROM readings WHERE post_id = ? AND {name} IS NOT NULL"
                " ORDER BY read_at DESC LIMIT 1",
                [post_id],
            ).fetchone()
            document[name], document[f"{name}_raw"] = row or (None, None)
        document["comments"] = _rows(
            db,
            "SELECT platform_comment_id, type, parent_platform_comment_id AS parent_id, author, author_kind, posted_at,"
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
