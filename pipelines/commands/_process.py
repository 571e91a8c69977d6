"""Scrapy's process for a run: its settings, and the visits to the clinics."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from scrapy.settings import Settings
from twisted.internet.defer import Deferred, DeferredSemaphore, succeed

from archive.rows.runs import queue_order
from archive.rows.withdrawals import blocked_clinics
from archive.warc import BadRecord, WarcWriteError
from pipelines.run.capacity import parallel_visits
from pipelines.run.key import BadKey
from pipelines.run.outcome.outcome import mark_cut_short
from pipelines.run.progress import bars, observe
from pipelines.run.run import Run
from pipelines.workers.crew import Crew, task_of
from pipelines.workers.process import Process, install_log, mark_broken_off, process_of
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
            "USER_AGENT": user_agent(listed.crawler_config),
            "BROWSER_EXECUTABLE": listed.crawler_config.browser or None,
            "DELAY": delay,
            "LOG_INSTALL_ROOT_HANDLER": False,
            "LOG_LEVEL": "INFO",
            "LOG_FILE": None if verbose else str(log / "crawl.log"),
        },
        priority="cmdline",
    )
    return settings


def _rotate(log: Path) -> None:
    """Rename a large log to crawl.log.1, and so on, and remove the oldest. The caller holds the archive."""
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        handler = RotatingFileHandler(log, backupCount=OLD_LOGS, delay=True)
        handler.doRollover()
        handler.close()


def visit(
    run: Run,
    settings: Settings,
    clinics: list[Clinic],
    spider: type[ClinicSpider] = BlogSpider,
    time_limit: float | None = None,
    workers: int = 1,
    **arguments: Any,
) -> None:
    """Crawl the clinics in parallel until all are done or the run is ended (Ctrl-C, SIGTERM, the time limit).

    The clinics that have waited longest come first: where a run cannot visit all, the next run begins with the others.
    `time_limit`: in seconds; requests in flight are finished then, as after SIGTERM. `workers`: number of
    processes that visit clinics (of crawls alone); one is this process. `arguments`: further arguments of the spider.
    """
    blocked = blocked_clinics(run.db).intersection(clinic.slug for clinic in clinics)
    if blocked:
        logger.warning("withdrawn by a takedown, not visited: %s", ", ".join(sorted(blocked)))
    clinics = [clinic for clinic in clinics if clinic.slug not in blocked]
    if not clinics:
        _record_closed(run)
        return
    clinics = _in_order(run, clinics, register=spider.kind == "crawl")
    with bars() as show:
        if (workers := min(workers, len(clinics))) > 1:
            install_log(settings)
            task = task_of(run, settings, arguments, shows_progress=show is not None)
            stopped = Crew(run, task, show).visit(clinics, workers, time_limit)
        else:
            process = process_of(settings)
            observe(process, show)
            begin = partial(process.crawl, spider, **arguments)
            stopped = _visit_here(run, process, clinics, begin, time_limit)
    run.not_begun = [clinic.slug for clinic in clinics if clinic.slug not in run.outcomes]
    if stopped:
        run.is_cut_off = mark_cut_short(run.outcomes.values())


def _visit_here(
    run: Run,
    process: Process,
    clinics: Iterable[Clinic],
    crawl: Callable[..., Deferred[None]],
    time_limit: float | None,
) -> bool:
    """Visit the clinics in this process; return whether the visits were ended early."""
    places = DeferredSemaphore(parallel_visits())

    def begin(clinic: Clinic) -> Deferred[None]:
        return succeed(None) if process.stopped or run.broken else crawl(clinic=clinic)

    def end_in_time() -> None:
        logger.warning("the time limit of %.0f s is reached; the visits are ended", time_limit)
        run.out_of_time = True
        process.end_visits()

    for clinic in clinics:
        visit = places.run(begin, clinic)
        visit.addErrback(lambda failure, clinic: mark_broken_off(run.outcomes, clinic, failure), clinic)
    if time_limit is not None:
        running_reactor().callLater(time_limit, end_in_time)
    process.start()
    return process.stopped


def _in_order(run: Run, clinics: list[Clinic], *, register: bool) -> list[Clinic]:
    """Return the clinics, those that waited longest first; with `register` they and their policies are recorded."""
    try:
        if register:
            run.tighten(clinics)
            run.register(clinics)
            run.open_run_file("crawl")
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
