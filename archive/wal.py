"""The write-ahead log of an archive: how large it gets while others read, and how it is emptied.

SQLite copies the log home as it grows, and begins it anew when nobody reads from it any more. Readers who overlap leave
no such moment, so that a long write beside them would grow the log without end: then they are waited for, briefly.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlite_utils import Database

# Pages of 4 KB in the log from which on they are copied home. By default that is done every thousand, and soon again. A
# log that grew beyond is cut back to this when it begins anew.
PAGES = 4000
# Bytes of the log from which on, and by which, readers are waited for; seconds that they are.
LARGE, BRIEFLY = 2 * PAGES * 4096, 2.0
# Seconds that the end of a run waits for readers: a page of the site takes no longer.
PATIENCE = 5.0


class WriteAheadLog:
    """The log of a database, as its one writer sees it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._path = Path(f"{db.execute('PRAGMA database_list').fetchone()[2]}-wal")
        self._large = LARGE

    def checkpoint(self) -> None:
        """To be called after a commit: begin a large log anew, where readers let it."""
        if self._db.conn.in_transaction or not self._path.exists() or (size := self._path.stat().st_size) < self._large:
            return
        try:
            busy, *_ = self._checkpoint("RESTART", BRIEFLY)
        except sqlite3.OperationalError:  # a query of our own is under way
            busy = 1
        # Somebody reads for long; who waited for him after each commit would do little else.
        self._large = size + LARGE if busy else LARGE

    def truncate(self) -> str | None:
        """Copy the log home and cut it to nothing; why that could not be done, where a reader stood in the way.

        Nothing is lost then: readers see what the log holds, and the next run empties it. Raises `sqlite3.Error`.
        """
        busy, pages, copied = self._checkpoint("TRUNCATE", PATIENCE)
        if not busy:
            return None
        return (
            f"the write-ahead log keeps {pages} pages, {copied} of them copied home: a reader was in the way for"
            f" {PATIENCE:.0f} s; the next run empties it"
        )

    def _checkpoint(self, mode: str, patience: float) -> tuple[int, int, int]:
        """Whether somebody was in the way, pages of the log, and how many of them are copied home."""
        (before,) = self._db.execute("PRAGMA busy_timeout").fetchone()
        self._db.execute(f"PRAGMA busy_timeout = {patience * 1000:.0f}").fetchall()
        try:
            busy, pages, copied = self._db.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        finally:
            self._db.execute(f"PRAGMA busy_timeout = {before}").fetchall()
        return busy, pages, copied
