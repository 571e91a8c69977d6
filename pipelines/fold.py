"""The fold: extractions become rows, whole captures at a time, in the order in which they were made.

The bytes are on the disk before the rows are committed. The same `Fold` serves the live crawl and whatever parses
stored bytes again; the database is joined nowhere else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlite_utils import Database

from archive.rows import context, posts, sightings
from archive.rows.cache import ClinicCache
from archive.search.index import index_due
from archive.wal import WriteAheadLog
from archive.warc import Capture
from pipelines.privacy.pseudonyms import mask_thread, names_shown
from pipelines.rendered import without_repeats
from pipelines.reread import missing_original
from pipelines.run.run import utc
from pipelines.sanitise import fields_of, storable
from scraper.items import (
    OF_SCRIPT,
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
from scraper.platforms import platforms

# A transaction holds at most this many captures, and none waits longer than this many seconds for its rows.
BATCH, PATIENCE = 128, 10.0
# What is learned about the site and its people comes before the posts of the same capture, whatever the reader's order.
ORDER: dict[type, int] = {Site: 0, Author: 1, Post: 2}
OF_PEOPLE = (Comment, Names, Thread, ThreadPage)
# What no answer of a comments service gives: where it stands, the visit has turned to something else.
ELSEWHERE = (Post, Reading, Sighting, Alias, Gone, Site)


def as_mapping(item: Item) -> Mapping[str, Any]:
    """The item's fields by name, one level deep: what the durable side takes."""
    names, values = fields_of(type(item))
    return dict(zip(names, values(item), strict=True))


def mark_complete(thread: list[Extraction]) -> list[Extraction]:
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


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where captures come from: one run at the clinic, or one import; and what its stanza wanted of commenters."""

    crawl_id: str | None
    privacy: str
    comments: str = "threads"  # else what a page or a file of others holds of them all the same becomes no row


@dataclass(slots=True)
class _Thread:
    """Captures of one source that are held together."""

    captures: list[Extraction] = field(default_factory=list)
    rendering: str | None = None  # the page that they were rendered with
    spoken_of: set[str] = field(default_factory=set)  # posts of the comments in them

    def is_over(self, extraction: Extraction, page: str | None, spoken_of: set[str]) -> bool:
        """The next capture of the source is no part of it. Tokens, refusals, an empty page are: they come between its
        answers."""
        if not self.captures or page != self.rendering:
            return bool(self.captures)
        if page is not None:
            return False
        if spoken_of:
            return bool(self.spoken_of) and self.spoken_of.isdisjoint(spoken_of)
        return any(isinstance(item, ELSEWHERE) for item in extraction.items)


class Fold:
    """Rows of one clinic from its extractions, in capture order, the same whenever they are committed.

    The captures of one comment thread are held together, since the names to be masked in its texts come in its last
    answer: from the first comment on, until the visit turns to another post's comments or to anything but comments.
    Captures of another source (what somebody else recorded on the same day) leave a thread as it is.
    """

    def __init__(
        self,
        db: Database,
        clinic_id: str,
        sync: Callable[[], None],
        reread: Callable[[str], Mapping[str, Any] | None],
    ) -> None:
        self._db, self._book, self._sync, self._reread = db, ClinicCache(db, clinic_id), sync, reread
        self._log = WriteAheadLog(db)
        self._threads: dict[Provenance, _Thread] = {}
        self._pending: list[tuple[Provenance, Extraction]] = []
        self._since: float | None = None  # when the oldest capture that waits was taken

    def add(self, extraction: Extraction, source: Provenance) -> None:
        """Take the next capture's items; committed with its batch, at the latest by `finish`."""
        extraction = storable(extraction)
        if source.comments != "threads":
            extraction = replace(
                extraction, items=tuple(one for one in extraction.items if not isinstance(one, OF_PEOPLE))
            )
        page = extraction.capture.page if isinstance(extraction.capture, Capture) else None
        spoken_of = {item.post[0] for item in extraction.items if isinstance(item, Comment | ThreadPage)}
        thread = self._threads.setdefault(source, _Thread())
        if thread.is_over(extraction, page, spoken_of):
            self._release(source, ended=True)
            thread = self._threads[source] = _Thread()
        if self._since is None:
            self._since = time.monotonic()
        named = any(isinstance(item, Names) for item in extraction.items)
        # A rendered page is one visit: whatever its answers say, its last one may tell names to be masked in them.
        if page is not None or thread.captures or spoken_of or named:
            thread.captures.append(extraction)
            thread.rendering = page
            thread.spoken_of |= spoken_of
        else:
            self._pending.append((source, extraction))
        if len(self._pending) >= BATCH or (self._pending and time.monotonic() - self._since > PATIENCE):
            self.commit()

    def refresh(self) -> None:
        """Something else wrote to the clinic's rows (a run began): what is kept of them in memory is read anew."""
        self.commit()
        self._book = ClinicCache(self._db, self._book.clinic_id)

    def end(self, source: Provenance, *, ended: bool) -> None:
        """The source has no more. `ended`: its visit came to its end; else a thread may lack its names
        (`masked_thread`)."""
        self._release(source, ended=ended)
        self._threads.pop(source, None)

    def finish(self, *, ended: bool) -> None:
        """Commit everything; `ended` as in `end`, of all sources."""
        for source in list(self._threads):
            self.end(source, ended=ended)
        self.commit()

    def _release(self, source: Provenance, *, ended: bool) -> None:
        """The thread is as whole as it gets: mask its texts with all the names it told."""
        held = self._threads.pop(source, None)
        if held is not None and held.captures:
            thread = held.captures
            if held.rendering is not None:
                ended = ended and names_shown(thread)
                thread = without_repeats(thread)
            self._pending += [
                (source, one) for one in mask_thread(mark_complete(thread), source.privacy, ended=ended)
            ]  # fmt: skip

    def commit(self) -> None:
        """Commit what is whole: the captures taken, less those of a thread still being read."""
        batch, self._pending = self._pending, []
        self._since = time.monotonic() if any(held.captures for held in self._threads.values()) else None
        if not batch:
            return
        self._sync()
        book = self._book
        with self._db.atomic():
            self._db.execute("PRAGMA defer_foreign_keys = ON")
            book.begin(item.addresses for _, one in batch for item in one.items if isinstance(item, Post))
            captured = [extraction.capture for _, extraction in batch if isinstance(extraction.capture, Capture)]
            lost = self._missing({one.refers_to for one in captured} - {one.capture_id for one in captured})
            for source, extraction in batch:
                book.batch.put("captures", self._capture_row(source, extraction, lost))
            book.batch.write()  # rows of other tables are made of theirs
            for source, extraction in batch:
                self._apply(source, extraction, lost)
            book.write()
            index_due(self._db)
        self._log.checkpoint()

    def _missing(self, capture_ids: set[str | None]) -> set[str]:
        """Those that the archive does not have: a revisit of one is told as a problem, and cannot refer to it."""
        find = "SELECT 1 FROM captures WHERE capture_id = ?"
        return {one for one in capture_ids if one and not self._db.conn.execute(find, (one,)).fetchone()}

    def _apply(self, source: Provenance, extraction: Extraction, lost: set[str]) -> None:
        capture, book = extraction.capture, self._book
        assert isinstance(capture, Capture)
        page = context.CaptureContext(
            book=book,
            crawl_id=source.crawl_id,
            capture_id=capture.capture_id,
            at=utc(capture.fetched_at),
            url=capture.url,
            origin=capture.origin,
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

    def _capture_row(self, source: Provenance, extraction: Extraction, lost: set[str]) -> tuple[Any, ...]:
        capture = extraction.capture
        assert isinstance(capture, Capture)
        return (
            capture.capture_id, source.crawl_id, self._book.clinic_id, capture.url, capture.method,
            capture.request_sha256, utc(capture.fetched_at), capture.http_status, capture.mime, capture.etag,
            capture.last_modified, capture.payload_sha256 or None, capture.payload_length, capture.record_type,
            None if capture.refers_to in lost else capture.refers_to, capture.warc_file, capture.warc_offset,
            capture.warc_length, capture.origin, capture.via, capture.page,
            utc(capture.retrieved_at) if capture.retrieved_at else None, capture.retrieved_from,
            holds_comments(capture, extraction.items),
        )  # fmt: skip


def holds_comments(capture: Capture, items: Iterable[Item]) -> int:
    """1 where the recorded bytes show, or may show, comments or who wrote them: such bytes leave the archive only when
    that is asked for.

    A page as a browser showed it always may, and so may an answer of a service from which nothing else was read.
    """
    kinds = {type(item) for item in items}
    if capture.via == "dom" or kinds & {Comment, Names, ThreadPage, Thread}:
        return 1
    of_service = capture.via in OF_SCRIPT or any(platform.is_api_url(capture.url) for platform in platforms())
    return int(of_service and capture.payload_length > 0 and not kinds & {Post, Reading, Sighting})


SAVERS: dict[type, Callable[[context.CaptureContext, Mapping[str, Any]], object]] = {
    Site: context.save_site,
    Author: context.save_author,
    Post: posts.save_post,
    Reading: context.save_reading,
    Comment: context.save_comment,
    Thread: sightings.save_thread,
    Sighting: sightings.save_sighting,
    Alias: sightings.save_alias,
    Gone: sightings.save_gone,
    Problem: sightings.save_problem,
}
