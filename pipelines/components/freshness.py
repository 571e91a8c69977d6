"""Freshness: requests the posts that the archive knows, with conditional requests where possible."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider
from scrapy.http import Request, Response
from scrapy.utils.defer import deferred_from_coro

from archive.warc import WarcWriteError
from pipelines.components.capture import last_whole_answer
from pipelines.components.known_posts import (
    embedded_threads,
    gave_a_post,
    known_posts,
    platform_of,
    reader_of_posts,
    recent_requests,
    remembered_routes,
    reported_messages,
    requested_mementos,
    sighted,
)
from pipelines.run.key import BadKey
from pipelines.run.visits import Visits
from pipelines.takedown.withheld import is_not_requested
from scraper.http import Fetch, fetch_of
from scraper.spiders._clinic import ClinicSpider
from scraper.spiders.wayback import WaybackSpider


class Freshness:
    """Gives the spider the clinic's known posts, and sends ETag and Last-Modified of earlier captures."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        freshness = cls(crawler)
        crawler.signals.connect(freshness.spider_opened, signals.spider_opened)
        return freshness

    def spider_opened(self, spider: ClinicSpider) -> None:
        """Begin the visit, and give the spider the known posts.

        Posts that no listing names any more are requested too: only that shows whether they are gone. Raises
        `CloseSpider` if the archive cannot be written: nothing is fetched then.
        """
        if not isinstance(spider, ClinicSpider):
            return
        run = Visits.of(self._crawler.settings)
        if run.broken:
            raise CloseSpider("archive-not-writable")
        run.on_halt(self._stop)
        try:
            agent = self._crawler.settings["USER_AGENT"]
            run.begin(spider.clinic, spider.visit, agent, kind=spider.kind, web_archive=spider.web_archive)
            today = None if spider.context.all_posts else datetime.now(UTC).date()
            is_blocked = is_not_requested(run.db, run.archive, spider.clinic.slug, run.key, today)
            if is_blocked is not None:
                spider.context.is_blocked = is_blocked
            if isinstance(spider, WaybackSpider):
                spider.backfill.requested_before = requested_mementos(run.db, spider.clinic.slug, spider.backfill.base)
                spider.backfill.platform = platform_of(run.db, spider.clinic.slug)
                return
            now = datetime.now(UTC)
            spider.context.now = now
            spider.context.requests_today = recent_requests(run.db, spider.clinic.slug, now)
            spider.context.known = known_posts(run.db, spider.clinic.slug, now)
            spider.context.read_by = reader_of_posts(run.db, spider.clinic.slug)
            spider.context.threads = embedded_threads(run.db, spider.clinic.slug)
            spider.context.browser_only = remembered_routes(run.db, spider.clinic.slug, now)
            spider.context.reported = reported_messages(run.db, spider.clinic.slug)
        except (WarcWriteError, BadKey, OSError, sqlite3.Error) as error:
            run.halt(f"{spider.clinic.slug}: the visit could not begin: {error}")
            raise CloseSpider("archive-not-writable") from error

    def _stop(self) -> None:
        """Close the spider: the run was halted, and nothing more may be fetched."""
        engine = self._crawler.engine
        if engine is not None and engine.spider is not None:
            deferred_from_coro(engine.close_spider_async(reason="archive-not-writable"))

    def process_request(self, request: Request) -> Awaitable[None] | None:
        """Make a conditional request where the plan allows one and the archive holds the bytes.

        The request waits while too many answers wait for their rows.
        """
        fetch = fetch_of(request)
        if fetch is None:
            return None
        run = Visits.of(self._crawler.settings)
        if fetch.conditional:
            _make_conditional(run, request, fetch)
        return run.room()

    def process_response(self, request: Request, response: Response) -> Response:
        """After a 304 of a listing, set the posts that the listing named in the request's `Fetch`, for the plan."""
        fetch = fetch_of(request)
        if response.status == 304 and fetch is not None and fetch.last_answer is not None:
            fetch.sighted = tuple(sighted(Visits.of(self._crawler.settings).db, fetch.last_answer["capture_id"]))
        return response


def _make_conditional(run: Visits, request: Request, fetch: Fetch) -> None:
    last = fetch.last_answer = last_whole_answer(run.db, fetch.clinic.slug, request)
    fetch.is_looked_up = True
    # A 304 is useful only if the earlier answer gave a post: a paywall or a preview is requested in full again.
    if last is None or not gave_a_post(run.db, last["capture_id"]):
        return
    if last["etag"]:
        request.headers["If-None-Match"] = last["etag"]
    if last["last_modified"]:
        request.headers["If-Modified-Since"] = last["last_modified"]
