"""Store: extractions become rows, whole captures at a time, in the order in which they were made.

The bytes are on the disk before the rows are committed. The same `Fold` serves the live crawl and whatever parses
stored bytes again; the database is joined nowhere else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Self

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem
from sqlite_utils import Database

from archive import posts, save
from archive.warc import Capture, WarcWriteError
from pipelines.privacy import masked_thread
from pipelines.reread import reread_post
from pipelines.run import Run, utc
from scraper.items import Alias, Author, Comment, Extraction, Gone, Item, Names, Post, Problem, Reading, Sighting, Site
from scraper.spiders.blog import BlogSpider

# A transaction holds at most this many captures, and none waits longer than this many seconds for its rows.
BATCH, PATIENCE = 64, 10.0
# What is learned about the site and its people comes before the posts of the same capture, whatever the reader's order.
ORDER: dict[type, int] = {Site: 0, Author: 1, Post: 2}


def as_mapping(item: Item) -> Mapping[str, Any]:
    """The item's fields by name, one level deep: what the durable side takes."""
    return {field.name: getattr(item, field.name) for field in fields(item)}


class Fold:
    """Rows of one clinic from its extractions, in capture order. Captures of one thread are held together, because the
    names to be masked in its texts come in its last answer."""

    def __init__(
        self,
        db: Database,
        clinic_id: str,
        crawl_id: str | None,
        privacy: str,
        sync: Callable[[], None],
        reread: Callable[[str], Mapping[str, Any] | None],
    ) -> None:
        self._db, self._clinic_id, self._crawl_id, self._privacy = db, clinic_id, crawl_id, privacy
        self._sync, self._reread = sync, reread
        self._thread: list[Extraction] = []
        self._named = False
        self._pending: list[Extraction] = []
        self._since = time.monotonic()

    def add(self, extraction: Extraction) -> None:
        """Take the next capture's items; committed with its batch, at the latest by `flush`."""
        speaks = any(isinstance(item, Comment) for item in extraction.items)
        names = any(isinstance(item, Names) for item in extraction.items)
        if not speaks and not names or (speaks and self._named):
            self._release()
        if speaks or names:
            self._thread.append(extraction)
            self._named = self._named or names
        else:
            self._pending.append(extraction)
        if len(self._pending) >= BATCH or (self._pending and time.monotonic() - self._since > PATIENCE):
            self._commit()

    def flush(self) -> None:
        """Commit everything taken so far."""
        self._release()
        self._commit()

    def _release(self) -> None:
        """The thread is whole: mask its texts with all the names it told."""
        if self._thread:
            self._pending += masked_thread(self._thread, self._privacy)
            self._thread, self._named = [], False

    def _commit(self) -> None:
        batch, self._pending = self._pending, []
        if not batch:
            return
        self._sync()
        with self._db.atomic():
            self._db.execute("PRAGMA defer_foreign_keys = ON")
            captured = [extraction.capture for extraction in batch if isinstance(extraction.capture, Capture)]
            rows = {capture.capture_id: self._capture_row(capture) for capture in captured}
            save.save_captures(self._db, list(rows.values()))
            for extraction in batch:
                self._apply(extraction)
        self._since = time.monotonic()

    def _apply(self, extraction: Extraction) -> None:
        capture = extraction.capture
        assert isinstance(capture, Capture)
        page = save.Page(
            db=self._db,
            clinic_id=self._clinic_id,
            crawl_id=self._crawl_id,
            capture_id=capture.capture_id,
            at=utc(capture.fetched_at),
            url=capture.url,
            extractor_version=extraction.extractor_version,
            reread=self._reread,
        )
        if capture.http_status == 304 and capture.refers_to:
            save.save_not_modified(page, capture.refers_to)
        for item in sorted(extraction.items, key=lambda one: ORDER.get(type(one), 3)):
            SAVERS[type(item)](page, as_mapping(item))

    def _capture_row(self, capture: Capture) -> dict[str, Any]:
        return {
            "capture_id": capture.capture_id, "crawl_id": self._crawl_id, "clinic_id": self._clinic_id,
            "url": capture.url, "method": capture.method, "request_sha256": capture.request_sha256,
            "fetched_at": utc(capture.fetched_at), "http_status": capture.http_status, "mime": capture.mime,
            "etag": capture.etag, "last_modified": capture.last_modified, "payload_sha256": capture.payload_sha256,
            "payload_length": capture.payload_length, "record_type": capture.record_type,
            "refers_to": capture.refers_to, "warc_file": capture.warc_file, "warc_offset": capture.warc_offset,
            "warc_length": capture.warc_length, "origin": "crawl",
        }  # fmt: skip


SAVERS: dict[type, Callable[[save.Page, Mapping[str, Any]], object]] = {
    Site: save.save_site,
    Author: save.save_author,
    Post: posts.save_post,
    Reading: save.save_reading,
    Comment: save.save_comment,
    Sighting: save.save_sighting,
    Alias: save.save_alias,
    Gone: save.save_gone,
    Problem: save.save_problem,
}


class Validate:
    """Drops an extraction without a capture, and counts what each item lacks."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_item(self, extraction: Extraction) -> Extraction:
        """The extraction as it came. Raises `DropItem` for one that cannot name its bytes: no capture, no row."""
        if not isinstance(extraction.capture, Capture):
            run = Run.of(self._crawler.settings)
            run.broken = (
                run.broken or "an answer was read that was never recorded; the run is stopped, please report it"
            )
            raise DropItem("an extraction without a capture")
        stats = self._crawler.stats
        for item in extraction.items:
            if isinstance(item, Problem):
                run = Run.of(self._crawler.settings)
                run.outcomes[extraction.clinic_id].problems.append(item.message)
            elif isinstance(item, Post) and stats is not None:
                for name in ("title", "author", "published_at", "body_text", "views", "comments_count"):
                    stats.inc_value(f"fields/{name}/{'missing' if getattr(item, name) is None else 'found'}")
        return extraction


class Store:
    """Writes extractions to the archive in batches of whole captures."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._run = Run.of(crawler.settings)
        self._fold: Fold | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_item(self, extraction: Extraction) -> Extraction:
        """The extraction, taken into the current batch. A failing write ends the run."""
        try:
            self._ready().add(extraction)
        except Exception as error:
            self._break(error)
            raise
        return extraction

    def close_spider(self) -> None:
        """Commit the rest."""
        if self._fold is not None and not self._run.broken:
            try:
                self._fold.flush()
            except Exception as error:
                self._break(error)
                raise

    def _ready(self) -> Fold:
        if self._fold is None:
            spider = self._crawler.spider
            assert isinstance(spider, BlogSpider)
            run, clinic = self._run, spider.clinic
            self._fold = Fold(
                run.db,
                clinic.slug,
                run.crawl_id,
                clinic.privacy,
                run.writer(clinic.slug).sync,
                lambda capture_id: reread_post(run.archive, run.db, capture_id),
            )
        return self._fold

    def _break(self, error: Exception) -> None:
        run = self._run
        what = str(error) if isinstance(error, WarcWriteError) else f"{run.archive}: rows could not be written: {error}"
        run.broken = run.broken or what
        engine = self._crawler.engine
        if engine is not None:
            engine.close_spider(self._crawler.spider, "store-failed")  # type: ignore[arg-type]
