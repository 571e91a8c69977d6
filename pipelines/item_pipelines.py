"""Store: the last pipeline, which folds a live crawl's extractions into the archive."""

from __future__ import annotations

from typing import Self

from scrapy.crawler import Crawler

from archive.warc import WarcWriteError
from pipelines.fold import Fold, Provenance
from pipelines.reread import reread_post
from pipelines.run.run import Run
from scraper.items import Extraction
from scraper.spiders.blog import BlogSpider


class Store:
    """Writes extractions to the archive in batches of whole captures."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._fold: Fold | None = None
        self._source = Provenance(None, "pseudonymous")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_item(self, extraction: Extraction) -> Extraction:
        """The extraction, taken into the current batch. A failing write ends the run."""
        run = Run.of(self._crawler.settings)
        if not run.broken:  # what comes after is in the WARC, in its order, for the next start
            try:
                self._ready(run).add(extraction, self._source)
            except Exception as error:
                self._break(run, error)
                raise
        return extraction

    def close_spider(self) -> None:
        """Commit the rest."""
        if self._fold is None:
            return
        run, spider = Run.of(self._crawler.settings), self._crawler.spider
        assert isinstance(spider, BlogSpider)
        if not run.broken:
            try:
                self._fold.finish(ended=spider.visit.finished)
            except Exception as error:
                self._break(run, error)
                raise

    def _ready(self, run: Run) -> Fold:
        if self._fold is None:
            spider = self._crawler.spider
            assert isinstance(spider, BlogSpider)
            clinic = spider.clinic
            self._source = Provenance(run.crawl_id, clinic.privacy, clinic.comments)
            self._fold = Fold(
                run.db,
                clinic.slug,
                run.writer(clinic.slug).sync,
                lambda capture_id: reread_post(run.archive, run.db, capture_id),
            )
        return self._fold

    @staticmethod
    def _break(run: Run, error: Exception) -> None:
        run.halt(
            str(error) if isinstance(error, WarcWriteError) else f"{run.archive}: rows could not be written: {error}"
        )
