"""A published copy of the archive: a file that nobody writes to, for a site whose readers never wait for a writer.

It is written under another name and then renamed. A process that has the old file open continues to read it, and
detects the new file by `identity`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from archive.db import DATABASE, ArchiveError, copy_whole, damage, open_archive
from archive.study.folder import TABLES
from archive.warc._file import sync_folder

FOLDER = "published"  # inside the archive's folder
Identity = tuple[int, int]


class NotWhole(ArchiveError):
    """The copy, or its source, is damaged; nothing was published."""


def publish(archive: Path) -> Path:
    """Publish the archive as it is at this moment, also during a crawl, and return the file. One caller at a time.

    Raises `NotWhole`, what `open_archive` raises, `sqlite3.Error`, OSError.
    """
    target = archive / FOLDER / DATABASE
    part = target.with_name(f"{DATABASE}.part")
    for suffix in ("", "-journal", "-wal", "-shm"):  # of a call that was killed
        part.with_name(part.name + suffix).unlink(missing_ok=True)
    with closing(open_archive(archive, "read")) as db:
        copy_whole(db.conn, part)
    with closing(sqlite3.connect(part, isolation_level=None)) as copy:
        fault = next(damage(copy, 1), None)
        if fault is None:
            _leave_out(copy)
    if fault:
        raise NotWhole(f"{archive / DATABASE}: damaged ({fault}); nothing published; see `clinic-archive verify`")
    part.rename(target)
    sync_folder(target.parent)
    return target


def _leave_out(copy: sqlite3.Connection) -> None:
    """Empty the tables of studies, which name coders and what they think, and leave no byte of them in free pages."""
    copy.execute("PRAGMA secure_delete = ON").fetchall()
    present = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table in (table for table in TABLES if table in present):
        copy.execute(f"DELETE FROM [{table}]")


def identity(path: Path) -> Identity:
    """Return what distinguishes a file from another that replaced it under its name. Raises OSError."""
    status = path.stat()
    return status.st_dev, status.st_ino


def opened(path: Path, connect: Callable[[], sqlite3.Connection]) -> tuple[sqlite3.Connection, Identity]:
    """Return a connection to the file that has the name now, and its identity. Raises OSError, `sqlite3.Error`."""
    while True:
        before, connection = identity(path), connect()
        if identity(path) == before:
            return connection, before
        connection.close()
