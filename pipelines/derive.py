"""Derive: what is computed from rows alone (`archive.derived`), in short transactions, post by post.

After a kill the next derivation continues: a post is due while one of its revisions has no row in `cache_derived`.
"""

from __future__ import annotations

import logging
import math
import signal
import sqlite3
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from threading import current_thread, main_thread

from sqlite_utils import Database

from archive.db import DATABASE, ArchiveError, open_archive
from archive.derived.posts import Derived, PostToDerive, derive_posts
from archive.derived.store import Progress, due_posts, finish_writing, progress, read_post, write_derived
from archive.wal import WriteAheadLog
from pipelines.matching import match_claims
from pipelines.processes import Processes
from pipelines.run.locking import Locked, lock_archive

logger = logging.getLogger(__name__)

CHUNK = 200_000  # characters of texts that a process derives at a time
BATCH, PATIENCE = 100, 0.5  # posts, and seconds of work, that a transaction writes at most
# Characters for which other processes are started: one process derives them in a few seconds.
WORTHWHILE = 2_000_000
# A crawl derives for this share of its own time, and at least and at most so many seconds.
SHARE, MIN_SECONDS, MAX_SECONDS = 0.02, 1.0, 300.0
DERIVED_LATER = "archive.db is rebuilt; `clinic-archive derive` computes its sentences, edits and claims"


@dataclass(slots=True)
class Derivation:
    """What a derivation did: the posts and revisions that it derived, and how much is derived now."""

    posts: int
    revisions: int
    progress: Progress


def derive(db: Database, *, go_on: Callable[[], bool] = lambda: True, cores: int | None = None) -> Derivation:
    """Derive all posts that are due, as long as `go_on` allows it. The caller holds the lock of the archive.

    Raises `sqlite3.Error`; what was committed by then stays.
    """
    conn, log = db.conn, WriteAheadLog(db)
    posts = due_posts(conn)
    revisions, done = 0, 0
    with Processes(cores) as processes, closing(_derived(conn, posts, processes)) as results:
        for batch in _batches(results):
            with db.atomic():
                revisions += write_derived(conn, batch)
            log.checkpoint()
            done += len(batch)
            if not go_on():
                break
    with db.atomic():
        finish_writing(conn)
    return Derivation(done, revisions, progress(conn))


def derive_whole(archive: Path) -> list[str]:
    """Derive all that is due, and match it with the rules of lexicons; return a line for each lexicon not used.

    The caller holds the lock of the archive. Raises what `open_archive` raises, `sqlite3.Error`, OSError.
    """
    with closing(open_archive(archive, "write")) as db:
        derive(db)
        matched = match_claims(db, archive)
        WriteAheadLog(db).truncate()
    return matched.problems


def _batches(results: Iterable[Derived]) -> Iterator[list[Derived]]:
    batch: list[Derived] = []
    began = time.monotonic()
    for each in results:
        batch.append(each)
        if len(batch) == BATCH or time.monotonic() - began > PATIENCE:
            yield batch
            batch, began = [], time.monotonic()
    if batch:
        yield batch


def _derived(conn: sqlite3.Connection, posts: Sequence[int], processes: Processes) -> Generator[Derived]:
    """Yield what is derived from the posts, in their order; by several processes where it is worth it."""
    chunks = _chunks(read_post(conn, post_id) for post_id in posts)
    first: list[list[PostToDerive]] = []
    if processes.cores > 1:
        # The texts are counted as they are read: the rows do not say how long they are.
        while len(first) * CHUNK < WORTHWHILE and (chunk := next(chunks, None)) is not None:
            first.append(chunk)
        if len(first) * CHUNK >= WORTHWHILE:
            yield from processes.map(derive_posts, chain(first, chunks))
            return
    for chunk in chain(first, chunks):
        yield from derive_posts(chunk)


def _chunks(posts: Iterator[PostToDerive]) -> Iterator[list[PostToDerive]]:
    """Yield posts in lists with about `CHUNK` characters of text each."""
    chunk: list[PostToDerive] = []
    size = 0
    for post in posts:
        chunk.append(post)
        size += sum(len(revision.text) for revision in post.revisions)
        if size >= CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def derive_after_run(archive: Path, began: datetime | None = None) -> None:
    """Derive what a run added that began at this moment, for a small share of its time, or until a signal to end.

    None: of a command that made rows again, after which all that is derived of them is due: without a limit. Failures
    are only logged. Nothing is done where another run holds the lock: it derives in its turn.
    """
    if not (archive / DATABASE).exists():
        return
    until = math.inf
    if began is not None:
        took = (datetime.now(UTC) - began).total_seconds()
        until = time.monotonic() + min(MAX_SECONDS, max(MIN_SECONDS, SHARE * took))
    try:
        lock = lock_archive(archive)
    except (Locked, OSError) as error:
        logger.info("nothing derived: %s", error)
        return
    try:
        with _signals() as signalled, closing(open_archive(archive, "write")) as db:
            done = derive(db, go_on=lambda: not signalled and time.monotonic() < until, cores=1)
            matched = match_claims(db, archive, go_on=lambda: not signalled and time.monotonic() < until)
            WriteAheadLog(db).truncate()
        logger.info("derived %d of %d revisions", done.progress.derived, done.progress.revisions)
        for problem in matched.problems:
            logger.warning("%s", problem)
    except (ArchiveError, OSError, sqlite3.Error) as error:
        logger.warning("not derived: %s; the next run does it", error)
    finally:
        lock.release()


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Collect the signals to end, instead of ending: the run is recorded, and its exit code is known."""
    received: list[int] = []
    # Only the main thread may say what a signal does.
    kinds = (signal.SIGINT, signal.SIGTERM) if current_thread() is main_thread() else ()
    before = [signal.signal(kind, lambda number, _: received.append(number)) for kind in kinds]
    try:
        yield received
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)
