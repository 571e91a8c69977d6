"""The item pipelines of a live crawl: Pseudonymise, Validate, Store."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Self

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from archive.warc import Capture, WarcWriteError
from pipelines.events import Captured
from pipelines.fold.sanitise import is_news
from pipelines.privacy.pseudonyms import pseudonymous
from pipelines.run.visits import Visits
from scraper.items import Extraction, Problem
from scraper.spiders._clinic import ClinicSpider


class _Pipeline:
    """Base of the three: the run whose archive the settings name."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    @property
    def _run(self) -> Visits:
        return Visits.of(self._crawler.settings)


class Pseudonymise(_Pipeline):
    """Replaces commenters' ids and names by keyed pseudonyms, before anything else sees them."""

    def process_item(self, extraction: Extraction) -> Extraction:
        """Return the extraction without raw ids of people; display names stay only in `Names`, to be masked."""
        return pseudonymous(extraction, self._run.key)


class Validate(_Pipeline):
    """Makes sure that every extraction names its capture, and counts what posts lack."""

    def process_item(self, extraction: Extraction) -> Extraction:
        """Return the extraction, which names its capture.

        A problem without an exchange (robots.txt forbids the address) is recorded as a fetch that was not made. For
        any other extraction without a capture it halts the run and raises `DropItem`: no row without a capture.
        """
        run = self._run
        is_note = extraction.capture is None and bool(extraction.items)
        if is_note and not run.broken and all(isinstance(item, Problem) for item in extraction.items):
            extraction = _recorded(run, extraction)
        if not isinstance(extraction.capture, Capture):
            run.halt("an answer was read that was never recorded; the run is stopped, please report it")
            raise DropItem("an extraction without a capture")
        outcome = run.outcomes[extraction.clinic_id]
        outcome.coverage.take(extraction)
        outcome.problems += [
            item for item in extraction.items if isinstance(item, Problem) and is_news(item, outcome.clinic.url)
        ]
        return extraction


class Store(_Pipeline):
    """Records each capture in the run, which commits rows in batches of whole captures."""

    def process_item(self, extraction: Extraction) -> Extraction:
        """Record the extraction, which joins the current batch. A failing write halts the run."""
        run = self._run
        if not run.broken:  # else the next start makes the rows from the WARC
            try:
                run.record(Captured(run.visit_at(extraction.clinic_id), extraction))
            except Exception as error:
                _break(run, error)
                raise
        return extraction

    def close_spider(self) -> Awaitable[None] | None:
        """Commit the remaining captures, also those that waited for a platform that was never recognised."""
        run, spider = self._run, self._crawler.spider
        assert isinstance(spider, ClinicSpider)
        clinic_id = spider.clinic.slug
        if run.broken or not run.is_at(clinic_id):
            return None
        try:
            for extraction in [*spider.take_unparsed(), *spider.take_problems()]:
                known = Validate(self._crawler).process_item(pseudonymous(extraction, run.key))
                run.record(Captured(run.visit_at(clinic_id), known))
            return run.commit(clinic_id, finished=spider.visit.finished)
        except Exception as error:
            _break(run, error)
            raise


def _recorded(run: Visits, extraction: Extraction) -> Extraction:
    """Return the extraction with a record of its own, from which a rebuild reads it again."""
    problem = next(item for item in extraction.items if isinstance(item, Problem))
    try:
        capture = run.writer(extraction.clinic_id).write_failure(
            url=problem.url or run.outcomes[extraction.clinic_id].clinic.url,
            method="GET",
            request_body=b"",
            reason=problem.kind,
            message=problem.message,
            at=datetime.now(UTC),
        )
    except WarcWriteError as error:
        run.halt(str(error))
        raise DropItem("a problem that could not be recorded") from error
    run.outcomes[extraction.clinic_id].recorded += 1
    recorded = Problem(kind=problem.kind, message=problem.message, url=capture.url)
    return replace(extraction, capture=capture, items=(recorded,))


def _break(run: Visits, error: Exception) -> None:
    run.halt(str(error) if isinstance(error, WarcWriteError) else f"{run.archive}: rows could not be written: {error}")
