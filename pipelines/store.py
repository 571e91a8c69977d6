"""Store: extractions become rows, whole captures at a time, in the order in which they were made.

The bytes are on the disk before the rows are committed. The same `Fold` serves the live crawl and whatever parses
stored bytes again; the database is joined nowhere else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self

from scrapy.crawler import Crawler
from sqlite_utils import Database

from archive import posts, save, sightings
from archive.book import Book
from archive.warc import Capture, WarcWriteError
from pipelines.privacy import masked_thread, names_shown
from pipelines.rendered import said_once
from pipelines.reread import missing_original, reread_post
from pipelines.run import Run, utc
from pipelines.validate import fields_of, sound
from scraper.items import (
    Alias,
    Author,
    Comment,
    Extraction,
    Gone,
    Item,
    Names,
    Post,
    Problem,
    Reading,
    Sighting,
    Site,
    Thread,
    ThreadPage,
)
from scraper.spiders.blog import BlogSpider

# A transaction holds at most this many captures, and none waits longer than this many seconds for its rows.
BATCH, PATIENCE = 128, 10.0
# What is learned about the site and its people comes before the posts of the same capture, whatever the reader's order.
ORDER: dict[type, int] = {Site: 0, Author: 1, Post: 2}
# What no answer of a comments service gives: where it stands, the visit has turned to something else.
ELSEWHERE = (Post, Reading, Sighting, Alias, Gone, Site)


def as_mapping(item: Item) -> Mapping[str, Any]:
    """The item's fields by name, one level deep: what the durable side takes."""
    names, values = fields_of(type(item))
    return dict(zip(names, values(item), strict=True))


def concluded(thread: list[Extraction]) -> list[Extraction]:
    """The captures of one thread, the last of them saying so where they reach from its beginning to its last cursor."""
    items = [item for extraction in thread for item in extraction.items]
    whole: list[Item] = []
    for post in dict.fromkeys(item.post for item in items if isinstance(item, ThreadPage)):
        pages = [item for item in items if isinstance(item, ThreadPage) and item.post == post]
        asked = {page.asked for page in pages}
        left = {cursor for page in pages for cursor in page.following} - asked
        if None in asked and not left:
            seen = (item.platform_comment_id for item in items if isinstance(item, Comment) and item.post == post)
            whole.append(Thread(post=post, comments=tuple(seen)))
    bare = [replace(one, items=tuple(item for item in one.items if not isinstance(item, ThreadPage))) for one in thread]
    return [*bare[:-1], replace(bare[-1], items=(*bare[-1].items, *whole))]


class Fold:
    """Rows of one clinic from its extractions, in capture order, the same whenever they are committed.

    The captures of one comment thread are held together, since the names to be masked in its texts come in its last
    answer: from the first comment on, until the visit turns to another post's comments or to anything but comments.
    """

    def __init__(
        self,
        db: Database,
        clinic_id: str,
        crawl_id: str | None,
        privacy: str,
        sync: Callable[[], None],
        reread: Callable[[str], Mapping[str, Any] | None],
    ) -> None:
        self._db, self._book, self._crawl_id, self._privacy = db, Book(db, clinic_id), crawl_id, privacy
        self._sync, self._reread = sync, reread
        self._thread: list[Extraction] = []
        self._rendering: str | None = None  # the page that the thread was rendered with
        self._spoken_of: set[str] = set()  # posts of the comments in the thread
        self._pending: list[Extraction] = []
        self._since = time.monotonic()

    def add(self, extraction: Extraction) -> None:
        """Take the next capture's items; committed with its batch, at the latest by `finish`."""
        extraction = sound(extraction)
        page = extraction.capture.page if isinstance(extraction.capture, Capture) else None
        spoken_of = {item.post[0] for item in extraction.items if isinstance(item, Comment | ThreadPage)}
        if self._thread and (page != self._rendering or (page is None and self._is_elsewhere(extraction, spoken_of))):
            self._release(ended=True)
        self._rendering = page
        if not self._pending and not self._thread:
            self._since = time.monotonic()
        named = any(isinstance(item, Names) for item in extraction.items)
        # A rendered page is one visit: whatever its answers say, its last one may tell names to be masked in them.
        if page is not None or self._thread or spoken_of or named:
            self._thread.append(extraction)
            self._spoken_of |= spoken_of
        else:
            self._pending.append(extraction)
        if len(self._pending) >= BATCH or (self._pending and time.monotonic() - self._since > PATIENCE):
            self.commit()

    def _is_elsewhere(self, extraction: Extraction, spoken_of: set[str]) -> bool:
        """The thread is over. Tokens, refusals, an empty page are part of it; they come between its answers."""
        if spoken_of:
            return bool(self._spoken_of) and self._spoken_of.isdisjoint(spoken_of)
        return any(isinstance(item, ELSEWHERE) for item in extraction.items)

    def finish(self, *, ended: bool) -> None:
        """Commit everything. `ended`: the visit came to its end; else a thread may lack its names (`masked_thread`)."""
        self._release(ended=ended)
        self.commit()

    def _release(self, *, ended: bool) -> None:
        """The thread is as whole as it gets: mask its texts with all the names it told."""
        if self._thread:
            thread = self._thread
            if self._rendering is not None:
                ended = ended and names_shown(thread)
                thread = said_once(thread)
            self._pending += masked_thread(concluded(thread), self._privacy, ended=ended)
            self._thread, self._spoken_of = [], set()

    def commit(self) -> None:
        """Commit what is whole: the captures taken, less those of a thread still being read."""
        batch, self._pending = self._pending, []
        if not batch:
            return
        self._sync()
        book = self._book
        with self._db.atomic():
            self._db.execute("PRAGMA defer_foreign_keys = ON")
            book.begin(item.addresses for one in batch for item in one.items if isinstance(item, Post))
            captured = [extraction.capture for extraction in batch if isinstance(extraction.capture, Capture)]
            lost = self._missing({one.refers_to for one in captured} - {one.capture_id for one in captured})
            for capture in captured:
                book.batch.put("captures", self._capture_row(capture, lost))
            book.batch.write()  # rows of other tables are made of theirs
            for extraction in batch:
                self._apply(extraction, lost)
            book.write()

    def _missing(self, capture_ids: set[str | None]) -> set[str]:
        """Those that the archive does not have: a revisit of one is told as a problem, and cannot refer to it."""
        find = "SELECT 1 FROM captures WHERE capture_id = ?"
        return {one for one in capture_ids if one and not self._db.conn.execute(find, (one,)).fetchone()}

    def _apply(self, extraction: Extraction, lost: set[str]) -> None:
        capture, book = extraction.capture, self._book
        assert isinstance(capture, Capture)
        page = save.Page(
            book=book,
            crawl_id=self._crawl_id,
            capture_id=capture.capture_id,
            at=utc(capture.fetched_at),
            url=capture.url,
            extractor_version=extraction.extractor_version,
            from_dom=capture.via == "dom",
            reread=self._reread,
        )
        book.captures.add(capture.capture_id)
        if capture.http_status == 304 and capture.refers_to:
            sightings.save_not_modified(page, capture.refers_to)
            if capture.refers_to in lost:
                sightings.save_problem(page, as_mapping(missing_original(capture.url, "no row")))
            if extraction.items:
                book.write()  # what it says itself, where it says anything, comes second
        book.look_up_comments(item.platform_comment_id for item in extraction.items if isinstance(item, Comment))
        for item in sorted(extraction.items, key=lambda one: ORDER.get(type(one), 3)):
            SAVERS[type(item)](page, as_mapping(item))

    def _capture_row(self, capture: Capture, lost: set[str]) -> tuple[Any, ...]:
        return (
            capture.capture_id, self._crawl_id, self._book.clinic_id, capture.url, capture.method,
            capture.request_sha256, utc(capture.fetched_at), capture.http_status, capture.mime, capture.etag,
            capture.last_modified, capture.payload_sha256, capture.payload_length, capture.record_type,
            None if capture.refers_to in lost else capture.refers_to, capture.warc_file, capture.warc_offset,
            capture.warc_length, "crawl", capture.via, capture.page,
        )  # fmt: skip


SAVERS: dict[type, Callable[[save.Page, Mapping[str, Any]], object]] = {
    Site: save.save_site,
    Author: save.save_author,
    Post: posts.save_post,
    Reading: save.save_reading,
    Comment: save.save_comment,
    Thread: sightings.save_thread,
    Sighting: sightings.save_sighting,
    Alias: sightings.save_alias,
    Gone: sightings.save_gone,
    Problem: sightings.save_problem,
}


class Store:
    """Writes extractions to the archive in batches of whole captures."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._fold: Fold | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_item(self, extraction: Extraction) -> Extraction:
        """The extraction, taken into the current batch. A failing write ends the run."""
        run = Run.of(self._crawler.settings)
        if not run.broken:  # what comes after is in the WARC, in its order, for the next start
            try:
                self._ready(run).add(extraction)
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
            self._fold = Fold(
                run.db,
                clinic.slug,
                run.crawl_id,
                clinic.privacy,
                run.writer(clinic.slug).sync,
                lambda capture_id: reread_post(run.archive, run.db, capture_id),
            )
        return self._fold

    @staticmethod
    def _break(run: Run, error: Exception) -> None:
        run.halt(
            str(error) if isinstance(error, WarcWriteError) else f"{run.archive}: rows could not be written: {error}"
        )
