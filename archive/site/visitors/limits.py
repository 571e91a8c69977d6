"""Limits of the site's connections to the database. The archive's own connections have none of them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

# Bytes of a text or blob. SQLite's own limit is 1 GB, which `randomblob(1000000000)` allocates at once.
LONGEST_VALUE = 10_000_000
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: LONGEST_VALUE,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 500,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}


class TooLarge(Exception):
    """An answer is larger than the site gives; the message says what to do."""


def limited(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Set the limits on a connection and return it. A value that is too long is an error of its query."""
    for limit, most in _LIMITS.items():
        connection.setlimit(limit, most)
    return connection


def connect(path: Path, timeout: float = 30) -> sqlite3.Connection:
    """Return a limited, read-only connection, which any thread may use. Raises `sqlite3.Error`.

    `timeout`: seconds to wait for a lock.
    """
    uri = f"{path.resolve().as_uri()}?mode=ro"
    return limited(sqlite3.connect(uri, uri=True, check_same_thread=False, timeout=timeout))
