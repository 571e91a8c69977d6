"""A published copy of the archive: one file that nobody writes to, for a site whose readers shall never meet a writer.

It is made whole beside its place and put there by a rename. Whoever has the old one open goes on reading that, and
finds out by `identity` that there is a new one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from archive.db import DATABASE, ArchiveError, copy_whole, damage, open_archive
from archive.warc._file import sync_folder

FOLDER = "published"  # in the archive's own
Identity = tuple[int, int]


class NotWhole(ArchiveError):
    """The copy, or what it was made of, is damaged; nothing was published."""


def publish(archive: Path) -> Path:
    """Publish the archive as it is at this moment, a crawl or not; gives the file. One caller at a time.

    Raises `NotWhole`, what `open_archive` raises, `sqlite3.Error`, OSError.
    """
    target = archive / FOLDER / DATABASE
    part = target.with_name(f"{DATABASE}.part")
    for suffix in ("", "-journal", "-wal", "-shm"):  # of a call that was killed
        part.with_name(part.name + suffix).unlink(missing_ok=True)
    with closing(open_archive(archive, "read")) as db:
        copy_whole(db.conn, part)
    with closing(sqlite3.connect(part, isolation_level=None)) as copy:
        found = next(damage(copy, 1), None)
    if found:
        raise NotWhole(f"{archive / DATABASE}: not whole ({found}); nothing published; see `clinic-archive verify`")
    part.rename(target)
    sync_folder(target.parent)
    return target


def identity(path: Path) -> Identity:
    """What tells a file from another one that took its name. Raises OSError."""
    status = path.stat()
    return status.st_dev, status.st_ino


def opened(path: Path, connect: Callable[[], sqlite3.Connection]) -> tuple[sqlite3.Connection, Identity]:
    """A connection to the file that has the name now, and which one it is. Raises OSError, `sqlite3.Error`."""
    while True:
        before, connection = identity(path), connect()
        if identity(path) == before:
            return connection, before
        connection.close()
