"""Limits of the site's connections to the database. The archive's own connections have none of them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

# Bytes of a text or blob in SQL that a visitor typed: `randomblob(1000000000)` allocates them at once.
LONGEST_TYPED = 10_000_000
# The same in the site's own SQL: SQLite's default, which is the limit of what an archive can hold.
LONGEST_STORED = 1_000_000_000
TOO_LONG = (
    f"a value is longer than the {LONGEST_TYPED // 1_000_000} MB that a query with your own SQL may read or make:"
    " select a part of it, substr(column, 1, 1000), or download the file of the table"
)
_LIMITS = {
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 500,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}


class AnswerTooLarge(Exception):
    """An answer is larger than the site gives; the message says what to do."""


def limited(connection: sqlite3.Connection, longest: int = LONGEST_STORED) -> sqlite3.Connection:
    """Set the limits on a connection and return it.

    A value of more than `longest` bytes is an error of its query, `sqlite3.DataError`.
    """
    for limit, most in {**_LIMITS, sqlite3.SQLITE_LIMIT_LENGTH: longest}.items():
        connection.setlimit(limit, most)
    return connection


def limited_connection(path: Path, timeout: float = 30, longest: int = LONGEST_STORED) -> sqlite3.Connection:
    """Return a limited, read-only connection, which any thread may use. Raises `sqlite3.Error`.

    `timeout`: seconds to wait for a lock; `longest`: bytes of a value.
    """
    uri = f"{path.resolve().as_uri()}?mode=ro"
    return limited(sqlite3.connect(uri, uri=True, check_same_thread=False, timeout=timeout), longest)
