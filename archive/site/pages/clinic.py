"""A clinic's page: its posts with their counts, its coverage by day, edits, removals, visits and robots.txt."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Any

from archive.reports.coverage import day_by_day
from archive.site.charts.calendar import calendar
from archive.site.charts.chart import Chart, draw, spark
from archive.site.pages import feed
from archive.site.pages._rows import Row, row, rows, value
from archive.site.pages.home import posts_by_month, views_by_month

POSTS_PER_PAGE = 50
SORTS = {
    "published": "p.published_at DESC",
    "views": "p.views DESC NULLS LAST, p.published_at DESC",
    "comments": "max(coalesce(p.comments_kept, 0), coalesce(p.comments_count, 0)) DESC, p.published_at DESC",
    "edits": "p.edits DESC, p.published_at DESC",
    "title": "p.title COLLATE NOCASE",
}


def overview(connection: sqlite3.Connection, clinic_id: str) -> Row | None:
    """Return the clinic's row of `clinics_overview`; None if the archive has no such clinic. Raises `sqlite3.Error`."""
    return row(connection, "SELECT * FROM clinics_overview WHERE clinic_id = ?", (clinic_id,))


def summary(connection: sqlite3.Connection, clinic_id: str) -> dict[str, Any]:
    """Return what the clinic's page shows beside its list of posts. Raises `sqlite3.Error`."""
    views = views_by_month(connection, clinic_id)
    return {
        "charts": [
            _or_words(posts_by_month(connection, clinic_id), "no post has a date of publication."),
            _or_words(views, "no page of this blog gave a number of views."),
            _or_words(_comments_by_month(connection, clinic_id), "the archive has no dated comment of this clinic."),
        ],
        "has_views": bool(views.rows),
        "has_likes": value(
            connection,
            "SELECT EXISTS (SELECT 1 FROM posts JOIN readings USING (post_id) WHERE clinic_id = ? AND likes NOT NULL)",
            (clinic_id,),
        ),
        "coverage": coverage(connection, clinic_id),
        "edits": feed.edits(connection, clinic_id)[:10],
        "removed": rows(
            connection,
            "SELECT clinic_id, slug, platform_post_id, title, removed_at, last_seen_at FROM posts WHERE clinic_id = ?"
            " AND removed_at IS NOT NULL ORDER BY removed_at DESC LIMIT 50",
            (clinic_id,),
        ),
        "missing": value(
            connection, "SELECT count(DISTINCT post_id) FROM missing_posts WHERE clinic_id = ?", (clinic_id,)
        ),
        "runs": rows(
            connection, "SELECT * FROM crawl_history WHERE clinic_id = ? ORDER BY started_at DESC LIMIT 5", (clinic_id,)
        ),
        "robots": row(
            connection,
            # A revisit record has no body: the bytes are in the record that it refers to.
            "SELECT c.capture_id, c.url, c.fetched_at, c.http_status, coalesce(o.warc_file, c.warc_file) AS warc_file,"
            " coalesce(o.warc_offset, c.warc_offset) AS warc_offset FROM captures AS c LEFT JOIN captures AS o ON"
            " o.capture_id = c.refers_to WHERE c.clinic_id = ? AND c.url LIKE '%/robots.txt' ORDER BY c.fetched_at DESC"
            " LIMIT 1",
            (clinic_id,),
        ),
        "attributes": rows(
            connection, "SELECT name, value FROM clinic_attributes WHERE clinic_id = ? ORDER BY name", (clinic_id,)
        ),
    }


def _or_words(chart: Chart, sentence: str) -> Chart:
    """Return a chart; one without any number says why in a sentence, which begins after the chart's title."""
    return chart if chart.rows else replace(chart, note=sentence)


def posts(connection: sqlite3.Connection, clinic_id: str, sort: str, page: int) -> list[Row]:
    """Return one page of the clinic's posts, each with its counts and a sparkline of its views. Raises `sqlite3.Error`.

    `curve` holds the view counts of the source that gave most of them, oldest first: counts of two sources are never
    mixed.
    """
    found = rows(
        connection,
        f"SELECT p.*, q.slug, q.platform_post_id FROM posts_with_counts AS p JOIN posts AS q USING (post_id) WHERE"
        f" p.clinic_id = ? ORDER BY {SORTS[sort]}, p.post_id LIMIT ? OFFSET ?",
        (clinic_id, POSTS_PER_PAGE, (page - 1) * POSTS_PER_PAGE),
    )
    marks = ",".join("?" * len(found))
    curves: dict[int, dict[str, list[int]]] = {}
    for post_id, source, views in connection.execute(
        "SELECT post_id, source, views FROM readings WHERE evidence = 'read' AND views IS NOT NULL AND post_id IN"
        f" ({marks}) ORDER BY post_id, read_at, extractor_version",
        [post["post_id"] for post in found],
    ):
        curves.setdefault(post_id, {}).setdefault(source, []).append(views)
    for post in found:
        post["curve"] = max(curves.get(post["post_id"], {}).values(), key=len, default=[])
        post["spark"] = spark(post["curve"])
    return found


def _comments_by_month(connection: sqlite3.Connection, clinic_id: str) -> Chart:
    found = connection.execute(
        "SELECT substr(posted_at, 1, 7) AS month, author_kind, count(*) FROM comments WHERE clinic_id = ? AND type ="
        " 'comment' AND posted_at IS NOT NULL GROUP BY month, author_kind ORDER BY month, author_kind",
        (clinic_id,),
    ).fetchall()
    columns = ("month", "author_kind", "comments")
    return draw("Comments written per month", columns, found, "bar", "month", "comments", "author_kind")


def coverage(connection: sqlite3.Connection, clinic_id: str) -> Chart:
    """Return a calendar of the days since the first visit, from the view `coverage`. Raises `sqlite3.Error`."""
    days = connection.execute(
        f"SELECT day, replace(state, '-', ' '), runs, posts_read, not_read, reason FROM {day_by_day()} WHERE clinic_id"
        " = ? ORDER BY day",
        (clinic_id,),
    ).fetchall()
    columns = ("day", "coverage", "visits", "posts_read", "not_read", "reason")
    return calendar("Coverage by day", columns, [tuple(day) for day in days])
