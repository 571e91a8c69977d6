"""Freshness: what the archive knows is asked for, and asked for only if it changed."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider
from scrapy.http import Request, Response
from scrapy.utils.defer import deferred_from_coro
from sqlite_utils import Database

from archive.warc import WarcWriteError
from pipelines.capture import last_whole_answer
from pipelines.run import Run, utc
from scraper.platforms._platform import Known
from scraper.spiders._clinic import ClinicSpider
from scraper.spiders.wayback import WaybackSpider


class Freshness:
    """Feeds the spider the clinic's known posts, and sends ETag and Last-Modified of what was captured before."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        freshness = cls(crawler)
        crawler.signals.connect(freshness.spider_opened, signals.spider_opened)
        return freshness

    def spider_opened(self, spider: ClinicSpider) -> None:
        """Posts that no listing names any more are asked for all the same: only then can they be called absent.

        Raises `CloseSpider` where the archive cannot be written: nothing is fetched then.
        """
        if not isinstance(spider, ClinicSpider):
            return
        run = Run.of(self._crawler.settings)
        if run.broken:
            raise CloseSpider("archive-not-writable")
        run.on_halt(self._stop)
        try:
            agent = self._crawler.settings["USER_AGENT"]
            run.begin(spider.clinic, spider.visit, agent, kind=spider.kind, web_archive=spider.web_archive)
            if isinstance(spider, WaybackSpider):
                spider.wanted.asked_before = asked_before(run.db, spider.clinic.slug, spider.wanted.base)
                return
            spider.surroundings.known = known_posts(run.db, spider.clinic.slug)
            spider.surroundings.remembered = remembered_routes(run.db, spider.clinic.slug, datetime.now(UTC))
            spider.surroundings.told = told_before(run.db, spider.clinic.slug)
        except (WarcWriteError, OSError, sqlite3.Error) as error:
            run.halt(f"{spider.clinic.slug}: the visit could not begin: {error}")
            raise CloseSpider("archive-not-writable") from error

    def _stop(self) -> None:
        """The run came to its end: nothing more is fetched."""
        engine = self._crawler.engine
        if engine is not None and engine.spider is not None:
            deferred_from_coro(engine.close_spider_async(reason="archive-not-writable"))

    def process_request(self, request: Request) -> None:
        """Make a conditional request where the plan allows one and the archive holds the bytes."""
        if not request.meta.get("conditional"):
            return
        run = Run.of(self._crawler.settings)
        last = request.meta["last_whole_answer"] = last_whole_answer(run.db, request.meta["clinic"].slug, request)
        # "Not modified" is of use only where the answer before gave something: a wall or a preview is asked for anew.
        if last is None or not gave_a_post(run.db, last["capture_id"]):
            return
        if last["etag"]:
            request.headers["If-None-Match"] = last["etag"]
        if last["last_modified"]:
            request.headers["If-Modified-Since"] = last["last_modified"]

    def process_response(self, request: Request, response: Response) -> Response:
        """Remember for the plan which posts a listing named that has not changed since."""
        if response.status == 304:
            run = Run.of(self._crawler.settings)
            request.meta["sighted"] = sighted(run.db, request.meta["clinic"].slug, request.url)
        return response


def asked_before(db: Database, clinic_id: str, base: str) -> frozenset[str]:
    """Addresses at a web archive that an earlier backfill of the clinic asked for, and had a lasting answer from."""
    rows = db.execute(
        "SELECT retrieved_from FROM captures WHERE clinic_id = :clinic AND retrieved_from LIKE :below UNION SELECT url"
        " FROM captures WHERE clinic_id = :clinic AND url LIKE :below AND http_status IN (200, 301, 302, 303, 307, 308,"
        " 403, 404)",
        {"clinic": clinic_id, "below": f"{base}/web/%"},
    ).fetchall()
    return frozenset(row[0] for row in rows)


# The cheap routes are tried first again after so long, in case they have opened.
LONGEST_MEMORY = timedelta(days=30)


def remembered_routes(db: Database, clinic_id: str, now: datetime) -> frozenset[str]:
    """What came through the browser when it last came at all, and not through a service: "counters", "comments"."""
    since = utc(now - LONGEST_MEMORY)
    newest = {
        "counters": "SELECT source FROM readings JOIN posts USING (post_id) WHERE clinic_id = ? AND read_at > ? AND"
        " source IN ('api', 'rendered') ORDER BY read_at DESC LIMIT 1",
        "comments": "SELECT source FROM comments WHERE clinic_id = ? AND last_seen_at > ? AND source IN ('api',"
        " 'rendered') ORDER BY last_seen_at DESC LIMIT 1",
    }
    found = {what: db.conn.execute(sql, (clinic_id, since)).fetchone() for what, sql in newest.items()}
    return frozenset(what for what, row in found.items() if row and row[0] == "rendered")


def told_before(db: Database, clinic_id: str) -> frozenset[str]:
    """Addresses of comments that some earlier run learned: they are told once."""
    rows = db.conn.execute(
        "SELECT DISTINCT message FROM problems WHERE clinic_id = ? AND kind = 'learned-address'", (clinic_id,)
    )
    return frozenset(row[0] for row in rows)


# Runs that told of a post's views, or that nobody told them, and whether the page itself printed them: (post, printed).
_SCRIPTED = """
WITH told AS (
  SELECT readings.post_id, crawl_id, read_at AS at, readings.source IN ('html', 'warmup') AS printed
  FROM readings JOIN captures USING (capture_id) WHERE captures.clinic_id = ?1 AND views IS NOT NULL
  UNION ALL
  SELECT posts.post_id, problems.crawl_id, happened_at, 0 FROM problems JOIN posts USING (clinic_id, url)
  WHERE clinic_id = ?1 AND problems.kind = 'not-rendered'
), runs AS (
  SELECT post_id, max(at) AS at, max(printed) AS printed FROM told GROUP BY post_id, crawl_id
)
SELECT post_id, printed, max(at) FROM runs GROUP BY post_id
"""


def left_to_script(db: Database, clinic_id: str) -> set[int]:
    """The posts whose pages leave their counters to a script, as the newest run that tells of them shows.

    A page that has not changed is not sent again, and so does not say it itself. The newest run alone counts: a blog
    may come to leave to a script what its pages printed for years.
    """
    rows = db.conn.execute(_SCRIPTED, (clinic_id,))
    return {post_id for post_id, printed, _ in rows if not printed}


def known_posts(db: Database, clinic_id: str) -> list[Known]:
    """The clinic's posts as the spider wants them, newest first, removed ones too."""
    rows = db.execute(
        "SELECT post_id, url, published_at, (SELECT comments_count FROM readings WHERE readings.post_id ="
        " posts.post_id AND comments_count IS NOT NULL ORDER BY read_at DESC LIMIT 1), (SELECT"
        " json_group_array(address) FROM post_addresses WHERE post_addresses.post_id = posts.post_id), last_seen_at"
        " FROM posts WHERE"
        " clinic_id = ? AND url IS NOT NULL ORDER BY published_at DESC",
        [clinic_id],
    )
    scripted = left_to_script(db, clinic_id)
    return [
        Known(
            url=url,
            addresses=tuple(json.loads(addresses)),
            published_at=published_at,
            comments_count=comments_count,
            scripted=post_id in scripted,
            last_seen_at=last_seen_at,
        )
        for post_id, url, published_at, comments_count, addresses, last_seen_at in rows
    ]


def gave_a_post(db: Database, capture_id: str) -> bool:
    """The capture showed a post, or named one."""
    return db.execute("SELECT 1 FROM sightings WHERE capture_id = ? LIMIT 1", [capture_id]).fetchone() is not None


def sighted(db: Database, clinic_id: str, url: str) -> list[str]:
    """Post addresses that the newest whole answer of a listing named."""
    return [
        row[0]
        for row in db.execute(
            "SELECT url FROM sightings WHERE source = 'listing' AND capture_id = (SELECT capture_id FROM captures"
            " WHERE clinic_id = ? AND url = ? AND http_status = 200 AND record_type = 'response' AND via IS NULL"
            " ORDER BY fetched_at DESC LIMIT 1)",
            (clinic_id, url),
        )
    ]
