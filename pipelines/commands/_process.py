"""Scrapy's process for a run: its settings, and the visits to the clinics."""

from __future__ import annotations

import gc
import logging
import sqlite3
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from scrapy.crawler import Crawler, CrawlerProcess
from scrapy.settings import Settings
from scrapy.utils.defer import deferred_from_coro, maybe_deferred_to_future
from twisted.internet.defer import Deferred, DeferredList, DeferredSemaphore, succeed
from twisted.python.failure import Failure

from archive.rows.runs import queue_order
from archive.rows.withdrawals import blocked_clinics
from archive.warc import BadRecord, WarcWriteError
from pipelines.printing import LineFormatter, LogFile
from pipelines.run.capacity import parallel_visits
from pipelines.run.key import BadKey
from pipelines.run.outcome import mark_cut_short, mark_failed
from pipelines.run.progress import Progress
from pipelines.run.run import Run
from scraper.config.clinics import Clinic, Clinics, user_agent
from scraper.guard import running_reactor
from scraper.spiders._clinic import ClinicSpider
from scraper.spiders.blog import BlogSpider

logger = logging.getLogger(__name__)

LARGEST_LOG, OLD_LOGS = 5_000_000, 5  # bytes of crawl.log; number of older logs


def crawl_settings(archive: Path, clinics_file: Path, listed: Clinics, delay: float | None, verbose: bool) -> Settings:
    """Return the project's Scrapy settings with the crawler's identity and a log file in the archive.

    `listed`: the contents of `clinics_file`, empty where there is none.
    """
    settings = Settings()
    settings.setmodule("scraper.settings", priority="project")
    log = archive / "log"
    log.mkdir(parents=True, exist_ok=True)
    _rotate(log / "crawl.log")
    settings.update(
        {
            "ARCHIVE": str(archive.absolute()),
            "CLINICS_FILE": str(clinics_file),
            "USER_AGENT": user_agent(listed.crawler),
            "BROWSER_EXECUTABLE": listed.crawler.browser or None,
            "DELAY": delay,
            "LOG_INSTALL_ROOT_HANDLER": False,
            "LOG_LEVEL": "INFO",
            "LOG_FILE": None if verbose else str(log / "crawl.log"),
        },
        priority="cmdline",
    )
    return settings


def install_log(settings: Settings) -> None:
    """Send all log records of the process to the log file, or with `--verbose` to stderr."""
    path = settings["LOG_FILE"]
    handler = LogFile(path, encoding="utf-8") if path else logging.StreamHandler()
    handler.setFormatter(LineFormatter(settings["LOG_FORMAT"], settings["LOG_DATEFORMAT"]))
    handler.setLevel(settings["LOG_LEVEL"])
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.NOTSET)
    logging.getLogger("scrapy.addons").setLevel(logging.WARNING)
    for name in ("scrapy.core.engine", "scrapy.core.scraper"):
        logging.getLogger(name).setLevel(logging.INFO)  # else each request makes a record that its level drops


def _rotate(log: Path) -> None:
    """Rename a large log to crawl.log.1, and so on, and remove the oldest. The caller holds the archive."""
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        handler = RotatingFileHandler(log, backupCount=OLD_LOGS, delay=True)
        handler.doRollover()
        handler.close()


class Process(CrawlerProcess):
    """Scrapy's process; it remembers a request to stop, after which no waiting visit begins."""

    stopped = False
    _signalled = False

    def stop(self) -> Deferred[Any]:
        """Stop all visits; Scrapy calls this at the first signal and when its reactor ends.

        The reactor ends after the last visit or at a second signal.
        """
        first, self._signalled = not self._signalled, True
        # The time limit has ended the visits already: this signal, too, waits for requests in flight.
        return self.join() if first and self.stopped else self.end_visits()

    def end_visits(self) -> Deferred[Any]:
        """End the running visits."""
        self.stopped = self.stopped or bool(self.crawlers)
        return DeferredList([self.end_visit(crawler) for crawler in self.crawlers], consumeErrors=True)

    def end_visit(self, crawler: Crawler) -> Deferred[None]:
        """End one running visit."""
        begins = crawler.crawling and not crawler.engine.running
        return deferred_from_coro(self._end(crawler) if begins else crawler.stop_async())

    async def _end(self, crawler: Crawler) -> None:
        # Scrapy regards a crawler that is still being set up as stopped: it would then run in full.
        while crawler in self.crawlers and crawler.crawling and not crawler.engine.running:
            pause: Deferred[None] = Deferred()
            running_reactor().callLater(0.01, pause.callback, None)
            await maybe_deferred_to_future(pause)
        await crawler.stop_async()


def visit(
    run: Run,
    settings: Settings,
    clinics: list[Clinic],
    spider: type[ClinicSpider] = BlogSpider,
    time_limit: float | None = None,
    **arguments: Any,
) -> None:
    """Crawl the clinics in parallel until all are done or the run is ended (Ctrl-C, SIGTERM, the time limit).

    The clinics that have waited longest come first: where a run cannot visit all, the next run begins with the others.
    `time_limit`: in seconds; requests in flight are finished then, as after SIGTERM. `arguments`: further arguments of
    the spider.
    """
    blocked = blocked_clinics(run.db).intersection(clinic.slug for clinic in clinics)
    if blocked:
        logger.warning("withdrawn by a takedown, not visited: %s", ", ".join(sorted(blocked)))
    clinics = [clinic for clinic in clinics if clinic.slug not in blocked]
    if not clinics:
        _record_closed(run)
        return
    # Parsed pages are trees full of reference cycles that live for one page: collecting them less often costs a little
    # memory and saves a twentieth of the time.
    gc.set_threshold(5_000, 10, 10)
    process = Process(settings)
    install_log(settings)
    places = DeferredSemaphore(parallel_visits())

    def begin(clinic: Clinic) -> Deferred[None]:
        if process.stopped or run.broken:
            return succeed(None)
        return process.crawl(spider, clinic=clinic, **arguments)

    def mark_broken_off(failure: Failure, clinic: Clinic) -> None:
        logger.error("%s: the visit broke off", clinic.slug, exc_info=failure.value)
        mark_failed(
            run.outcomes,
            clinic,
            f"the visit broke off ({type(failure.value).__name__}: {failure.value}); please report it",
        )

    def end_in_time() -> None:
        logger.warning("the time limit of %.0f s is reached; the visits are ended", time_limit)
        run.out_of_time = True
        process.end_visits()

    clinics = _in_order(run, clinics, register=spider.kind == "crawl")

    with Progress.on_terminal(process):
        for clinic in clinics:
            places.run(begin, clinic).addErrback(mark_broken_off, clinic)
        if time_limit is not None:
            running_reactor().callLater(time_limit, end_in_time)
        process.start()
    run.not_begun = [clinic.slug for clinic in clinics if clinic.slug not in run.outcomes]
    if process.stopped:
        mark_cut_short(run.outcomes.values())


def _in_order(run: Run, clinics: list[Clinic], *, register: bool) -> list[Clinic]:
    """Return the clinics, those that waited longest first; with `register` they and their policies are recorded."""
    try:
        if register:
            run.tighten(clinics)
            run.register(clinics)
        now = datetime.now(UTC)
        return sorted(clinics, key=lambda clinic: queue_order(run.db.conn, clinic.slug, now))
    except (WarcWriteError, BadKey, BadRecord, OSError, sqlite3.Error) as error:
        run.halt(f"{run.archive}: the run could not begin: {error}")
        return clinics


def _record_closed(run: Run) -> None:
    """Record a run in which every clinic is closed, so that a rebuild knows of it."""
    try:
        run.open_run_file("crawl")
    except (WarcWriteError, OSError, sqlite3.Error) as error:
        run.halt(f"{run.archive}: not written: {error}")
