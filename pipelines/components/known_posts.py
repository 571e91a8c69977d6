"""What the archive knows of a clinic when a visit begins: its posts, their threads, and how they were read before."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sqlite_utils import Database

from archive.times import utc
from scraper.crawl.schedule import RECENT
from scraper.platforms import platform_named
from scraper.platforms._platform import KnownPost, Platform


def platform_of(db: Database, clinic_id: str) -> Platform | None:
    """Return the clinic's platform, as its last run recognised it."""
    row = db.conn.execute("SELECT platform FROM clinics WHERE clinic_id = ?", (clinic_id,)).fetchone()
    return platform_named(row[0]) if row else None


def reader_of_posts(db: Database, clinic_id: str) -> str | None:
    """Return the name of the platform of the last run that read posts of the clinic; None where there was none."""
    find = (
        "SELECT platform FROM clinic_runs WHERE clinic_id = ? AND fetched > 0 AND platform IS NOT NULL"
        " ORDER BY started_at DESC LIMIT 1"
    )
    row = db.conn.execute(find, (clinic_id,)).fetchone()
    return row[0] if row else None


def requested_mementos(db: Database, clinic_id: str, base: str) -> frozenset[str]:
    """Return the addresses at a web archive that an earlier backfill requested and got a lasting answer for.

    An answer that is cut short or cannot be decoded is not lasting: its message says that it is requested again.
    """
    readable = (
        "NOT EXISTS (SELECT 1 FROM problems WHERE problems.capture_id = captures.capture_id AND problems.kind IN"
        " ('cut-short', 'undecodable'))"
    )
    rows = db.execute(
        f"SELECT retrieved_from FROM captures WHERE clinic_id = :clinic AND retrieved_from LIKE :below AND {readable}"
        " UNION SELECT url FROM captures WHERE clinic_id = :clinic AND url LIKE :below AND http_status IN (200, 301,"
        f" 302, 303, 307, 308, 403, 404) AND {readable}",
        {"clinic": clinic_id, "below": f"{base}/web/%"},
    ).fetchall()
    return frozenset(row[0] for row in rows)


# After this time the routes without a browser are tried again, in case they work by now.
LONGEST_MEMORY = timedelta(days=30)


def remembered_routes(db: Database, clinic_id: str, now: datetime) -> frozenset[str]:
    """Return which of "counters" and "comments" last came through the browser instead of a service."""
    since = utc(now - LONGEST_MEMORY)
    newest = {
        "counters": "SELECT source FROM readings JOIN posts USING (post_id) WHERE clinic_id = ? AND read_at > ? AND"
        " source IN ('api', 'rendered') ORDER BY read_at DESC LIMIT 1",
        "comments": "SELECT source FROM comments WHERE clinic_id = ? AND last_seen_at > ? AND source IN ('api',"
        " 'rendered') ORDER BY last_seen_at DESC LIMIT 1",
    }
    found = {what: db.conn.execute(sql, (clinic_id, since)).fetchone() for what, sql in newest.items()}
    return frozenset(what for what, row in found.items() if row and row[0] == "rendered")


def reported_messages(db: Database, clinic_id: str) -> frozenset[str]:
    """Return the messages about learned addresses of comments: each is reported once, not in every run."""
    rows = db.conn.execute(
        "SELECT DISTINCT message FROM problems WHERE clinic_id = ? AND kind = 'learned-address'", (clinic_id,)
    )
    return frozenset(row[0] for row in rows)


# The newest readings of a post that give its views: date, run, whether the page itself printed them.
_VIEWS = """
SELECT read_at, crawl_id, source IN ('html', 'warmup') FROM (
  SELECT read_at, capture_id, source, views FROM readings WHERE post_id = ? ORDER BY read_at DESC LIMIT 20
) JOIN captures USING (capture_id) WHERE views IS NOT NULL ORDER BY read_at DESC
"""
# Posts whose views could not be read in the last 90 days: each page is read at least once in that time.
_UNREAD = "SELECT url, max(happened_at) FROM problems WHERE clinic_id = ? AND kind = 'not-rendered' AND happened_at > ?"


def left_to_script(db: Database, clinic_id: str, now: datetime) -> set[int]:
    """Return the posts whose counters are filled in by a script, according to the newest run with evidence of it.

    An unchanged page (304) is not sent again, so it gives no evidence itself. Only the newest run counts: a blog may
    start to fill in by a script what its pages printed for years.
    """
    unread = dict(db.conn.execute(f"{_UNREAD} GROUP BY url", (clinic_id, utc(now - timedelta(days=90)))).fetchall())
    scripted = set()
    for post_id, url in db.conn.execute("SELECT post_id, url FROM posts WHERE clinic_id = ?", (clinic_id,)).fetchall():
        readings = db.conn.execute(_VIEWS, (post_id,)).fetchall()
        printed = any(in_page for _, crawl_id, in_page in readings if crawl_id == readings[0][1])
        newest = readings[0][0] if readings else ""
        if (readings and not printed) or unread.get(url, "") > newest:
            scripted.add(post_id)
    return scripted


# The addresses of each post, those learned last first: an old slug may be dead, and the id of a former site has no
# comments. Then the dates of the last events. Indexes keep every subquery fast however long the history is; counts of
# comments are searched in the last 400 readings, which are more than a year's. A page is requested as a list spells its
# address, with a slash at the end or without.
_KNOWN = """
SELECT post_id, url, published_at, first_seen_at, last_seen_at, removed_at IS NOT NULL,
  (SELECT json_group_array(address) FROM (SELECT address FROM post_addresses AS a JOIN captures USING (capture_id)
    WHERE a.post_id = p.post_id ORDER BY fetched_at DESC, address)),
  (SELECT max(seen_at) FROM absences AS a
    WHERE a.post_id = p.post_id AND comment_id IS NULL AND seen_at > p.last_seen_at),
  (SELECT seen_at FROM sightings AS s
    WHERE s.post_id = p.post_id AND source IN ('sitemap', 'feed', 'listing')
    AND seen_at > date(p.last_seen_at, '-2 days') ORDER BY seen_at DESC LIMIT 1),
  (SELECT read_at FROM readings AS r WHERE r.post_id = p.post_id AND evidence = 'read' ORDER BY read_at DESC LIMIT 1),
  (SELECT comments_count FROM (SELECT comments_count FROM readings AS r WHERE r.post_id = p.post_id
    ORDER BY read_at DESC LIMIT 400) WHERE comments_count IS NOT NULL LIMIT 1),
  thread_at,
  (SELECT comments_count FROM (SELECT comments_count FROM readings AS r WHERE r.post_id = p.post_id
    AND read_at <= thread_at ORDER BY read_at DESC LIMIT 400) WHERE comments_count IS NOT NULL LIMIT 1),
  (SELECT max(fetched_at) FROM post_addresses AS a CROSS JOIN captures AS c ON c.url IN (a.address, a.address || '/')
    AND c.clinic_id = a.clinic_id WHERE a.post_id = p.post_id AND fetched_at > p.last_seen_at AND via IS NULL AND
    c.capture_id NOT IN (SELECT capture_id FROM problems WHERE clinic_id = p.clinic_id AND kind = 'paywall' AND
    capture_id IS NOT NULL)),
  modified_at,
  (SELECT max(fetched_at) FROM post_addresses AS a CROSS JOIN captures AS c ON c.url IN (a.address, a.address || '/')
    AND c.clinic_id = a.clinic_id WHERE a.post_id = p.post_id AND quality IS NULL AND (http_status < 400 OR
    http_status IN (404, 410))),
  (SELECT source = 'html' FROM (SELECT source, views, likes FROM readings AS r WHERE r.post_id = p.post_id
    ORDER BY read_at DESC LIMIT 400) WHERE views IS NOT NULL OR likes IS NOT NULL LIMIT 1) IS TRUE
FROM (SELECT *, (SELECT max(at) FROM (SELECT last_seen_at AS at FROM comments AS c WHERE c.post_id = posts.post_id UNION
    ALL SELECT seen_at FROM absences AS a WHERE a.post_id = posts.post_id AND comment_id IS NOT NULL)) AS thread_at
  FROM posts WHERE clinic_id = ? AND url IS NOT NULL) AS p
ORDER BY published_at DESC
"""


def known_posts(db: Database, clinic_id: str, now: datetime) -> list[KnownPost]:
    """Return the clinic's posts, removed ones too, in the form that the spider takes; newest first."""
    scripted = left_to_script(db, clinic_id, now)
    names = (
        "url",
        "published_at",
        "first_seen_at",
        "last_seen_at",
        "removed",
        "addresses",
        "missed_at",
        "listed_at",
        "counted_at",
        "comments_count",
        "thread_at",
        "thread_count",
        "tried_at",
        "modified_at",
        "page_at",
        "page_counters",
    )
    comment_ids = known_comments(db, clinic_id)
    posts = []
    for post_id, *values in db.conn.execute(_KNOWN, (clinic_id,)):
        fields = dict(zip(names, values, strict=True))
        fields |= {"addresses": tuple(json.loads(fields["addresses"]))}
        fields |= {name: bool(fields[name]) for name in ("removed", "page_counters")}
        comments = frozenset(comment_ids.get(post_id, ()))
        posts.append(KnownPost(**fields, script_counters=post_id in scripted, comment_ids=comments))
    return posts


def embedded_threads(db: Database, clinic_id: str) -> dict[str, dict[str, str]]:
    """Return the threads of comment services that the clinic's posts embed: service -> URL of the post -> thread.

    The page of a post that is unchanged, or not due, is not read again; its thread may be due all the same.
    """
    found: dict[str, dict[str, str]] = {}
    for service, url, thread in db.conn.execute(
        "SELECT comment_service, url, comment_thread FROM posts WHERE clinic_id = ? AND comment_service IS NOT NULL AND"
        " url IS NOT NULL AND removed_at IS NULL ORDER BY post_id",
        (clinic_id,),
    ):
        found.setdefault(service, {})[url] = thread
    return found


def known_comments(db: Database, clinic_id: str) -> dict[int, list[str]]:
    """Return the platform's ids of the comments that an API gave with their texts, by post."""
    rows = db.conn.execute(
        "SELECT post_id, json_group_array(platform_comment_id) FROM comments WHERE clinic_id = ? AND source = 'api' AND"
        " coalesce(body_text, body_html) IS NOT NULL GROUP BY post_id",
        (clinic_id,),
    )
    return {post_id: json.loads(names) for post_id, names in rows}


def recent_requests(db: Database, clinic_id: str, now: datetime) -> int:
    """Return the number of our own requests to the clinic since yesterday's visit, without those of a browser.

    The period is shorter than 24 hours (`RECENT`): otherwise yesterday's visit, which began at the same hour, would be
    counted, and every second day would have no budget left.
    """
    (number,) = db.conn.execute(
        "SELECT count(*) FROM captures WHERE clinic_id = ? AND fetched_at > ? AND fetched_at <= ? AND via IS NULL AND"
        " retrieved_at IS NULL",
        (clinic_id, utc(now - RECENT), utc(now)),
    ).fetchone()
    return int(number)


def gave_a_post(db: Database, capture_id: str) -> bool:
    """Return whether the capture showed a post, or named one."""
    return db.execute("SELECT 1 FROM sightings WHERE capture_id = ? LIMIT 1", [capture_id]).fetchone() is not None


def sighted(db: Database, capture_id: str) -> list[str]:
    """Return the addresses of the posts that the capture, a listing, named."""
    found = db.conn.execute("SELECT url FROM sightings WHERE source = 'listing' AND capture_id = ?", (capture_id,))
    return [url for (url,) in found]
