"""What a file says of itself: whether it is the archive, or a public copy that lacks something."""

from __future__ import annotations

import sqlite3

# The number that a public copy has in its head (PRAGMA user_version); an archive has 0.
MARKS = {"counts": 1, "text": 2}
_WITHHELD = {
    1: "Comments are counted here: who wrote them, their texts and their threads are not part of this public copy.",
    2: "Commenters have other pseudonyms here than in the archive, and their comments a date without a time.",
}


def withheld(connection: sqlite3.Connection) -> str | None:
    """Return a sentence about what a public copy lacks; None for an archive and a full copy. Raises `sqlite3.Error`."""
    return _WITHHELD.get(_mark(connection))


def withholds_comments(connection: sqlite3.Connection) -> bool:
    """Whether the file is a public copy whose comments are counts only. Raises `sqlite3.Error`."""
    return _mark(connection) == MARKS["counts"]


def _mark(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
