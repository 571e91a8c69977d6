"""The write-ahead log of an archive: how its size is bounded while others read, and how it is emptied.

SQLite copies the log into the database as it grows, and restarts it when no reader uses it. Readers that overlap leave
no such moment, and a long write would grow the log without limit: then the writer waits for the readers, briefly.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlite_utils import Database

# Pages of 4 KB in the log after which SQLite copies them into the database; its default is a thousand. A log that grew
# beyond this size is cut back to it when it restarts.
PAGES = 4000
# Bytes of the log at which, and after each further growth by which, the writer waits for readers; seconds of waiting.
LARGE, BRIEFLY = 2 * PAGES * 4096, 2.0
# Seconds that the end of a run waits for readers; no page of the site takes longer.
TIMEOUT = 5.0


class WriteAheadLog:
    """The write-ahead log of a database, for use by its only writer."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._path = Path(f"{db.execute('PRAGMA database_list').fetchone()[2]}-wal")
        self._large = LARGE

    def checkpoint(self) -> None:
        """Restart a large log, where no reader uses it. To be called after a commit."""
        if self._db.conn.in_transaction or not self._path.exists() or (size := self._path.stat().st_size) < self._large:
            return
        try:
            busy, *_ = self._checkpoint("RESTART", BRIEFLY)
        except sqlite3.OperationalError:  # a query of this process is running
            busy = 1
        # A reader takes long: to wait for it after each commit would slow the run down.
        self._large = size + LARGE if busy else LARGE

    def truncate(self, patience: float = TIMEOUT) -> str | None:
        """Copy the log into the database and empty it; return why that was not possible, or None.

        `patience`: seconds for which readers are waited for. Nothing is lost where a reader prevents it: readers see
        the log's content, and the next run empties it. Raises `sqlite3.Error`.
        """
        busy, pages, copied = self._checkpoint("TRUNCATE", patience)
        if not busy:
            return None
        return (
            f"the write-ahead log keeps {pages} pages, {copied} of them copied into the database: a reader used it for"
            f" {patience:.0f} s; the next run empties it"
        )

    def _checkpoint(self, mode: str, patience: float) -> tuple[int, int, int]:
        """Whether a reader prevented it, the pages of the log, and how many of them are in the database."""
        (before,) = self._db.execute("PRAGMA busy_timeout").fetchone()
        self._db.execute(f"PRAGMA busy_timeout = {patience * 1000:.0f}").fetchall()
        try:
            busy, pages, copied = self._db.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        finally:
            self._db.execute(f"PRAGMA busy_timeout = {before}").fetchall()
        return busy, pages, copied
