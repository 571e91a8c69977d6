"""The fold from stored bytes: a clinic's history read again and folded in order, for rebuild, import and reparse.

Reading is the work, so it is shared among all cores, in processes; folding is done here, in order, clinic by clinic.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from threading import Thread
from typing import Self

from sqlite_utils import Database

from archive.compare.superseded import restore, stash
from archive.rows import runs
from archive.rows.evidence import save_confirmation
from archive.warc import BadRecord, Failure, Group, read_record
from pipelines.fold import Fold
from pipelines.foreign import CaptureRef
from pipelines.log import History, RunLog, history_of, locations, runs_of
from pipelines.privacy.pseudonyms import pseudonymous, tells_of_people
from pipelines.reread import extraction_of, reread_post
from pipelines.run.key import BadKey
from pipelines.run.run import save_listed_stanza, save_stanza, save_stanza_closing, utc
from scraper.items import Extraction
from scraper.platforms import platforms

CHUNK = 24  # captures that a process reads at a time
AHEAD = 3  # chunks a process that are read before the fold has come to them
FEWEST = 60  # captures that are worth starting processes for


@dataclass(frozen=True, slots=True)
class ParseJob:
    """A capture to be read: its place, whose it is, and where the payload lies that it refers to."""

    entry: CaptureRef
    clinic_id: str
    web_archive: str | None
    original: tuple[str, int] | None


@dataclass(frozen=True, slots=True)
class Damaged:
    """A capture whose record cannot be read, and why."""

    entry: CaptureRef
    why: str


@dataclass(slots=True)
class _Chunk:
    """Captures that are read together, by another process or by this one."""

    tasks: list[ParseJob]
    future: Future[list[Extraction | Damaged]]
    told: list[Extraction | Damaged] | None = None

    def is_read(self) -> bool:
        """What it says is there, or an error to be raised."""
        if self.told is None and self.future.done():
            self.told = self.future.result()
        return self.told is not None


class ParserPool:
    """Processes that read stored captures of one archive; `cores`: how many may be busy with it, this one included."""

    def __init__(self, archive: Path, key: bytes | None, cores: int | None = None) -> None:
        self.archive, self.key = archive, key
        self._cores = cores or len(os.sched_getaffinity(0))
        self._pool: ProcessPoolExecutor | None = None

    def read(self, tasks: Iterable[ParseJob], number: int) -> Iterator[Extraction | Damaged]:
        """What each capture says, in order. Raises `BadKey` where people are told of and there is no key."""
        if self._cores < 2 or number < FEWEST:
            for task in tasks:
                yield _read(self.archive, self.key, task)
            return
        waiting: deque[_Chunk] = deque()
        source = iter(tasks)
        while True:
            while len(waiting) < AHEAD * self._cores and (chunk := list(islice(source, CHUNK))):
                waiting.append(_Chunk(chunk, self._submit(chunk)))
            if not waiting:
                return
            while not waiting[0].is_read():
                self._help(waiting)
            yield from waiting.popleft().told or ()

    def _submit(self, chunk: list[ParseJob]) -> Future[list[Extraction | Damaged]]:
        if self._pool is None:
            # Not forked: a crawl's threads may hold locks that a copy of this process would wait for.
            self._pool = ProcessPoolExecutor(self._cores - 1, get_context("spawn"), _end_with_parent)
        return self._pool.submit(_read_all, self.archive, self.key, chunk)

    def _help(self, waiting: deque[_Chunk]) -> None:
        """Read a chunk here that no other process has begun, the last of them, rather than wait for the first."""
        mine = next((one for one in reversed(waiting) if one.told is None and one.future.cancel()), None)
        if mine is None:
            waiting[0].future.exception()  # returns when it is read
        else:
            mine.told = _read_all(self.archive, self.key, mine.tasks)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """A process that waits for work waits for ever when the one that would give it is killed."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def _read_all(archive: Path, key: bytes | None, tasks: list[ParseJob]) -> list[Extraction | Damaged]:
    return [_read(archive, key, task) for task in tasks]


def _read(archive: Path, key: bytes | None, task: ParseJob) -> Extraction | Damaged:
    """One stored capture as its visit's first pipeline left it. Raises `BadKey`."""
    entry = task.entry
    try:
        record = read_record(archive, entry.file, entry.offset)
    except BadRecord as error:
        return Damaged(entry, error.why)
    except (OSError, ValueError) as error:
        return Damaged(entry, getattr(error, "strerror", None) or str(error))
    if not isinstance(record, Group | Failure):
        return Damaged(entry, "another kind of record lies there")
    lies = [why for why in record.problems if "digest" in why]
    if lies:
        return Damaged(entry, "; ".join(lies))
    if entry.brought is not None:
        whence = entry.brought
        capture = replace(
            record.capture, refers_to=entry.refers_to, origin=whence.origin, retrieved_at=whence.retrieved_at,
            retrieved_from=whence.retrieved_from,
            payload_sha256=record.capture.payload_sha256 or entry.payload_sha256,  # what a revisit does not tell
        )  # fmt: skip
        record = replace(record, capture=capture)
    known = {entry.refers_to: task.original} if entry.refers_to and task.original else {}
    told = extraction_of(archive, None, task.clinic_id, record, known, task.web_archive)
    if key is None:
        if tells_of_people(told):
            raise BadKey(
                f"{entry.file}: byte {entry.offset}: tells of people, and there is no pseudonym.key to name them by;"
                " give the archive's own with --key FILE"
            )
        return told
    return pseudonymous(told, key)


class Refolding:
    """Rows of one clinic from its history. The caller holds the transaction, or a database that nobody reads yet."""

    def __init__(self, db: Database, archive: Path, clinic_id: str) -> None:
        self._db, self._clinic_id = db, clinic_id
        self._fold = Fold(db, clinic_id, lambda: None, lambda one: reread_post(archive, db, one))

    def begin(self, one: RunLog) -> None:
        """A run or an import comes to the clinic: what its stanza says holds from now on."""
        self._fold.commit()
        if one.crawl_id is None:
            return
        runs.save_crawl(self._db, one.crawl_id, one.started_at, one.software, one.kind)
        save_stanza(self._db, self._clinic_id, one.stanza)
        if one.kind == "crawl":
            save_stanza_closing(self._db, self._clinic_id, one.stanza, one.started_at)
        runs.save_run_start(self._db, one.crawl_id, self._clinic_id, one.started_at)
        self._fold.refresh()

    def drained(self, one: RunLog) -> None:
        """An import has no more captures, though it was made later: what of it is held together goes no further."""
        self._fold.end(one.source, ended=False)

    def take(self, extraction: Extraction, one: RunLog) -> None:
        """The next capture."""
        self._fold.add(extraction, one.source)

    def confirm(self, at: datetime) -> None:
        """The operator said that what the runs before had reported is so."""
        self._fold.commit()
        save_confirmation(self._db, self._clinic_id, utc(at))

    def end(self, one: RunLog) -> None:
        """A run or an import is over."""
        self._fold.end(one.source, ended=bool(one.end and one.end.get("finished")))
        self._fold.commit()
        if one.crawl_id is None:
            return
        if one.end is None:
            runs.save_killed_run(self._db, one.crawl_id, self._clinic_id)
        elif one.kind == "crawl":
            runs.save_clinic_run(self._db, one.crawl_id, self._clinic_id, one.end)
        else:  # nobody visited the clinic; what came of it is known only now
            counts = runs.count_rows(self._db, one.crawl_id, self._clinic_id)
            told = {name: counts[name] for name in runs.COUNTED}
            runs.save_run_end(self._db, one.crawl_id, self._clinic_id, one.end | told)


def fold_history(db: Database, history: History, readers: ParserPool) -> int:
    """Fold a clinic's whole history into a database that holds nothing of it; the number of captures.

    Raises `BadKey`, `BadRecord`, OSError, `sqlite3.Error`.
    """
    events = list(history.events())
    stanzas = [event for event in events if event.stanza is not None]
    if not stanzas:
        return 0
    # Captures of others may be older than any run: they belong to the clinic as it was first told of.
    first = min(stanzas, key=lambda event: event.at)
    assert first.stanza is not None
    save_stanza(db, history.clinic_id, first.stanza)
    refolding = Refolding(db, readers.archive, history.clinic_id)
    known = locations(entry for one in history.series for entry in one.captures)
    tasks = [
        ParseJob(event.entry, history.clinic_id, event.series.web_archive, known.get(event.entry.refers_to or ""))
        for event in events if event.entry is not None and event.series is not None
    ]  # fmt: skip
    extractions = readers.read(tasks, len(tasks))
    left = {id(one): len(one.captures) for one in history.series}
    for event in events:
        one = event.series
        if one is None and event.stanza is not None:
            save_listed_stanza(db, history.clinic_id, event.stanza, utc(event.at))
        elif one is None:
            refolding.confirm(event.at)
        elif event.entry is not None:
            extraction = next(extractions)
            if isinstance(extraction, Damaged):
                raise BadRecord(extraction.entry.file, extraction.entry.offset, extraction.why)
            refolding.take(extraction, one)
            left[id(one)] -= 1
            if one.kind != "crawl" and not left[id(one)]:
                refolding.drained(one)
        elif event.stanza is not None:
            refolding.begin(one)
        else:
            refolding.end(one)
    return len(tasks)


def refold(db: Database, archive: Path, key: bytes | None, clinic_id: str) -> History:
    """Make a clinic's rows anew, all at once or not at all: captures older than its newest have come, or a parser has.

    What older versions of the parser read is kept (`archive.compare.superseded`). Raises what `fold_history` does.
    """
    history = history_of(archive, clinic_id, runs_of(archive))
    with ParserPool(archive, key) as readers, db.atomic():
        db.execute("PRAGMA defer_foreign_keys = ON")
        stash(db, clinic_id, newest_version(db, clinic_id))
        delete_clinic_rows(db, clinic_id)
        fold_history(db, history, readers)
        restore(db, clinic_id, lambda one: reread_post(archive, db, one))
    return history


def newest_version(db: Database, clinic_id: str) -> int:
    """Of the parser of a clinic's platform; 0 where none was recognised yet."""
    row = db.execute("SELECT platform FROM clinics WHERE clinic_id = ?", [clinic_id]).fetchone()
    return next((one.extractor_version for one in platforms() if row and one.name == row[0]), 0)


def delete_clinic_rows(db: Database, clinic_id: str) -> None:
    """Delete every row of a clinic, inside the caller's transaction."""
    posts = "(SELECT post_id FROM posts WHERE clinic_id = ?)"
    for table in ("related_posts", "images", "post_tags", "post_categories", "post_changes", "readings",
                  "superseded_readings"):  # fmt: skip
        db.conn.execute(f"DELETE FROM {table} WHERE post_id IN {posts}", (clinic_id,))
    revisions = f"(SELECT revision_id FROM revisions WHERE post_id IN {posts})"
    db.conn.execute(f"DELETE FROM links WHERE revision_id IN {revisions}", (clinic_id,))
    comments = "(SELECT comment_id FROM comments WHERE clinic_id = ?)"
    db.conn.execute(f"DELETE FROM comment_revisions WHERE comment_id IN {comments}", (clinic_id,))
    for table in ("sightings", "absences", "problems", "unplaced", "post_addresses", "comments"):
        db.conn.execute(f"DELETE FROM {table} WHERE clinic_id = ?", (clinic_id,))
    db.conn.execute(f"DELETE FROM revisions WHERE post_id IN {posts}", (clinic_id,))
    for table in ("posts", "authors", "categories", "tags", "captures", "run_fields", "confirmations", "clinic_runs",
                  "clinic_attributes", "clinics"):  # fmt: skip
        db.conn.execute(f"DELETE FROM {table} WHERE clinic_id = ?", (clinic_id,))
