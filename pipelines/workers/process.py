"""Scrapy's process for the visits of a run, and its log."""

from __future__ import annotations

import gc
import logging
from typing import Any

from scrapy.crawler import Crawler, CrawlerProcess
from scrapy.settings import Settings
from scrapy.utils.defer import deferred_from_coro, maybe_deferred_to_future
from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

from pipelines.printing import LineFormatter, LogFile
from pipelines.run.outcome.outcome import VisitOutcome, mark_failed
from scraper.config.clinics import Clinic
from scraper.guard import running_reactor

logger = logging.getLogger(__name__)


def process_of(settings: Settings) -> Process:
    """Return the process of a run's visits; all its log records go to the run's log from now on."""
    # Parsed pages are trees full of reference cycles that live for one page: collecting them less often costs a little
    # memory and saves a twentieth of the time.
    gc.set_threshold(5_000, 10, 10)
    process = Process(settings)
    install_log(settings)
    return process


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


def mark_broken_off(outcomes: dict[str, VisitOutcome], clinic: Clinic, failure: Failure) -> None:
    """Mark a visit as failed that ended with an error of this program; `outcomes`: by clinic."""
    logger.error("%s: the visit broke off", clinic.slug, exc_info=failure.value)
    why = f"the visit broke off ({type(failure.value).__name__}: {failure.value}); please report it"
    mark_failed(outcomes, clinic, why)
