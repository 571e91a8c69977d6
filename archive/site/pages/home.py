"""The home page: what the archive holds, how it grows, what is new, and the result of the last run."""

from __future__ import annotations

import sqlite3
from typing import Any

from archive.site.charts.chart import Chart, draw
from archive.site.pages import feed
from archive.site.pages._rows import Row, row, rows, value

LIST_LENGTH = 8  # entries of each list
MAX_CLINICS = 12  # clinics of the first page; a page of their own has all
_TOTALS = {
    "clinics": "SELECT count(*) FROM clinics",
    "posts": "SELECT count(*) FROM posts",
    "comments": "SELECT (SELECT count(*) FROM comments) - (SELECT count(*) FROM comments WHERE type <> 'comment')",
    "readings": "SELECT count(*) FROM readings",
    "captures": "SELECT count(*) FROM captures",
}
# Each post counts by one source, the one that gave its views most often: a visit reads several sources, and they count
# differently. The gain of a month is its last reading less the last one before the month, or less the first of all.
_GAINED = """
WITH chosen AS MATERIALIZED (
  SELECT post_id, source FROM (
    SELECT r.post_id, r.source, row_number() OVER (PARTITION BY r.post_id ORDER BY count(*) DESC, r.source) AS place
    FROM readings AS r WHERE r.evidence = 'read' AND r.views IS NOT NULL {only} GROUP BY r.post_id, r.source
  ) WHERE place = 1
), months AS (
  SELECT r.post_id, substr(r.read_at, 1, 7) AS month, max(r.read_at || printf('%015d', r.views)) AS last,
    min(r.read_at || printf('%015d', r.views)) AS first
  FROM chosen AS c CROSS JOIN readings AS r ON r.post_id = c.post_id AND r.source = c.source
  WHERE r.evidence = 'read' AND r.views IS NOT NULL GROUP BY r.post_id, month
)
SELECT month, sum(gained) AS views_gained, count(*) AS posts_read FROM (
  SELECT month, CAST(substr(last, -15) AS INTEGER) - CAST(substr(coalesce(
    lag(last) OVER (PARTITION BY post_id ORDER BY month), first), -15) AS INTEGER) AS gained FROM months
) GROUP BY month ORDER BY month
"""


# The same rule as the question views_gained; rows of `posts` are read only for the posts in the result.
_READ = "r.post_id = p.post_id AND r.evidence = 'read' AND r.views IS NOT NULL"
_MAX_GAINED = f"""
SELECT g.views_gained, g.before_read_at, p.clinic_id, p.slug, p.platform_post_id, p.title, c.name AS clinic
FROM (
  SELECT p.post_id, b.views - a.views AS views_gained, a.read_at AS before_read_at
  FROM posts AS p
  JOIN readings AS b ON b.rowid = (
    SELECT r.rowid FROM readings AS r WHERE {_READ} ORDER BY r.read_at DESC, r.extractor_version DESC LIMIT 1)
  JOIN readings AS a ON a.rowid = coalesce(
    (SELECT r.rowid FROM readings AS r WHERE {_READ} AND r.source = b.source AND r.read_at < date(:from, '+1 day')
      ORDER BY r.read_at DESC, r.extractor_version DESC LIMIT 1),
    (SELECT r.rowid FROM readings AS r WHERE {_READ} AND r.source = b.source
      ORDER BY r.read_at, r.extractor_version DESC LIMIT 1))
  WHERE b.read_at >= :from AND b.views > a.views
  ORDER BY views_gained DESC, p.post_id LIMIT {LIST_LENGTH}
) AS g
JOIN posts AS p USING (post_id) JOIN clinics AS c USING (clinic_id)
ORDER BY g.views_gained DESC, g.post_id
"""


def summary(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return all that the home page shows. Takes seconds with millions of readings. Raises `sqlite3.Error`."""
    return {
        "totals": {name: value(connection, sql) for name, sql in _TOTALS.items()},
        "span": _span(connection),
        "charts": [posts_by_month(connection), views_by_month(connection)],
        "clinics": _clinics(connection),
        "newest": _newest(connection),
        "most_gained": most_gained(connection),
        "edits": feed.edits(connection, None)[:LIST_LENGTH],
        "removed": _removed(connection),
        "last_run": _last_run(connection),
    }


def _clinics(connection: sqlite3.Connection) -> list[Row]:
    """Return all clinics by name; of many, those that published last."""
    order = "name, clinic_id"
    if value(connection, _TOTALS["clinics"]) > MAX_CLINICS:
        order = f"last_published_on DESC NULLS LAST, {order} LIMIT {MAX_CLINICS}"
    return rows(connection, f"SELECT * FROM clinics_overview ORDER BY {order}")


def _span(connection: sqlite3.Connection) -> Row:
    found = row(
        connection,
        "SELECT (SELECT min(published_at) FROM posts) AS first_published, (SELECT max(published_at) FROM posts) AS"
        " last_published, (SELECT min(started_at) FROM crawls) AS first_run, (SELECT max(started_at) FROM crawls) AS"
        " last_run",
    )
    assert found is not None
    return found


def posts_by_month(connection: sqlite3.Connection, clinic_id: str | None = None) -> Chart:
    """Return a chart of posts published per month (UTC), of one clinic or all. Raises `sqlite3.Error`.

    The query reads only an index.
    """
    where = "clinic_id = ? AND published_at IS NOT NULL" if clinic_id else "published_at IS NOT NULL"
    found = connection.execute(
        f"SELECT substr(published_at, 1, 7) AS month, count(*) FROM posts WHERE {where} GROUP BY month ORDER BY month",
        (clinic_id,) if clinic_id else (),
    ).fetchall()
    return draw("Posts published per month", ("month", "posts"), found, "bar", "month", "posts")


def views_by_month(connection: sqlite3.Connection, clinic_id: str | None = None) -> Chart:
    """Return a chart of views gained per month by all posts, of one clinic or all. Raises `sqlite3.Error`."""
    only = "AND r.post_id IN (SELECT post_id FROM posts WHERE clinic_id = ?)" if clinic_id else ""
    found = connection.execute(_GAINED.format(only=only), (clinic_id,) if clinic_id else ()).fetchall()
    columns = ("month", "views_gained", "posts_read")
    return draw("Views gained per month", columns, found, "bar", "month", "views_gained")


def _newest(connection: sqlite3.Connection) -> list[Row]:
    return rows(
        connection,
        "SELECT p.clinic_id, c.name AS clinic, p.slug, p.platform_post_id, p.title, p.published_at, p.published_on FROM"
        " posts AS p JOIN clinics AS c USING (clinic_id) WHERE p.published_at IS NOT NULL ORDER BY p.published_at DESC"
        f" LIMIT {LIST_LENGTH}",
    )


def most_gained(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return the posts that gained most views in the 30 days before the newest reading. Raises `sqlite3.Error`."""
    newest = value(connection, "SELECT max(read_at) FROM readings")
    if newest is None:
        return {"since": None, "posts": []}
    since = value(connection, "SELECT date(?, '-30 days')", (newest,))
    return {"since": since, "posts": rows(connection, _MAX_GAINED, {"from": since})}


def _removed(connection: sqlite3.Connection) -> list[Row]:
    return rows(
        connection,
        "SELECT p.clinic_id, c.name AS clinic, p.slug, p.platform_post_id, p.title, p.removed_at, p.last_seen_at FROM"
        f" posts AS p JOIN clinics AS c USING (clinic_id) WHERE p.removed_at IS NOT NULL ORDER BY p.removed_at DESC"
        f" LIMIT {LIST_LENGTH}",
    )


def _last_run(connection: sqlite3.Connection) -> Row | None:
    run = row(
        connection,
        "SELECT crawl_id, started_at, ended_at, exit_code, kind FROM crawls WHERE kind IS NULL OR kind = 'crawl' ORDER"
        " BY started_at DESC LIMIT 1",
    )
    if run is not None:
        run["clinics"] = rows(
            connection,
            "SELECT clinic_id, status, complete, fetched, failed, gone, new_posts, new_revisions, note FROM clinic_runs"
            " WHERE crawl_id = ? ORDER BY status = 'done', clinic_id",
            (run["crawl_id"],),
        )
        run["problems"] = value(connection, "SELECT count(*) FROM problems WHERE crawl_id = ?", (run["crawl_id"],))
    return run
