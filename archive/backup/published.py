"""A published copy of the archive: a file that nobody writes to, for a site whose readers never wait for a writer.

It is written under another name and then renamed. A process that has the old file open continues to read it, and
detects the new file by `identity`. It holds what is public (`archive.public`), or on request everything.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

from archive.db import DATABASE, ArchiveError, copy_live_database, damage, open_archive
from archive.public import Comments, fill_public
from archive.study.folder import TABLES
from archive.warc._file import sync_folder

FOLDER = "published"  # inside the archive's folder
Identity = tuple[int, int]


class NotWhole(ArchiveError):
    """The copy, or its source, is damaged; nothing was published."""


@dataclass(frozen=True, slots=True)
class Public:
    """What a public copy gives of comments, and the key of its keyed hashes; by default one that nobody has."""

    comments: Comments = "counts"
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)


def publish(archive: Path, public: Public | None = None, *, full: bool = False) -> Path:
    """Publish the archive as it is at this moment, also during a crawl, and return the file. One caller at a time.

    `full`: the copy is the whole database, with all texts and addresses of comments, whatever `public` says.
    Raises `NotWhole`, what `open_archive` raises, `sqlite3.Error`, OSError.
    """
    target = archive / FOLDER / DATABASE
    part = target.with_name(f"{DATABASE}.part")
    for suffix in ("", "-journal", "-wal", "-shm"):  # of a call that was killed
        part.with_name(part.name + suffix).unlink(missing_ok=True)
    with closing(open_archive(archive, "read")) as db:
        if full:
            copy_live_database(db.conn, part)
    if not full:
        public = public or Public()
        fill_public(archive / DATABASE, part, comments=public.comments, key=public.key)
        with part.open("rb") as file:
            os.fsync(file.fileno())
    with closing(sqlite3.connect(part, isolation_level=None)) as copy:
        fault = next(damage(copy, 1), None)
        if fault is None and full:
            _leave_out(copy)
    if fault:
        raise NotWhole(f"{archive / DATABASE}: damaged ({fault}); nothing published; see `clinic-archive verify`")
    part.rename(target)
    sync_folder(target.parent)
    return target


def _leave_out(copy: sqlite3.Connection) -> None:
    """Delete what belongs to studies, also from free pages: what coders think, and the rules that people wrote."""
    copy.execute("PRAGMA secure_delete = ON").fetchall()
    present = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table in (table for table in TABLES if table in present):
        copy.execute(f"DELETE FROM [{table}]")
    if "lexicon_rules" in present:
        of_people = "SELECT rule_number FROM lexicon_rules WHERE file IS NOT NULL"
        copy.execute(f"DELETE FROM cache_matches WHERE rule_number IN ({of_people})")
        copy.execute("DELETE FROM lexicon_rules WHERE file IS NOT NULL")


def lacking(archive: Path) -> set[str]:
    """Return the ids of the takedowns that hold in the archive and were recorded after its copy was published.

    Empty where nothing is published. Raises `sqlite3.Error`.
    """
    copy = archive / FOLDER / DATABASE
    if not copy.exists() or not (archive / DATABASE).exists():
        return set()
    return _takedowns(archive / DATABASE) - _takedowns(copy)


class Takedown(NamedTuple):
    """A takedown whose day has passed, while the published copy was made before it, or its purge was not performed."""

    takedown_id: str
    clinic: str
    due: str  # ISO date
    copy_lacks_it: bool  # False: the purge is what is missing


def overdue_takedowns(archive: Path, day: date) -> list[Takedown]:
    """Return the takedowns that were due before `day`, and that the published copy lacks, or that were not purged.

    Raises `sqlite3.Error`.
    """
    behind = lacking(archive)
    if not (archive / DATABASE).exists():
        return []
    with closing(sqlite3.connect(f"{(archive / DATABASE).resolve().as_uri()}?mode=ro", uri=True, timeout=5)) as live:
        waits = "grade = 'purge' AND purged IS NULL"
        find = f"SELECT takedown_id, clinic, due, {waits} FROM withdrawals WHERE due < ?"
        rows = live.execute(find, (day.isoformat(),)).fetchall()
        found = [(Takedown(row[0], row[1], row[2], row[0] in behind), row[3]) for row in rows]
        return [takedown for takedown, is_waiting in found if takedown.copy_lacks_it or is_waiting]


def _takedowns(path: Path) -> set[str]:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'withdrawals'").fetchone():
            return set()  # of an older version
        return {row[0] for row in connection.execute("SELECT takedown_id FROM withdrawals")}


def identity(path: Path) -> Identity:
    """Return what distinguishes a file from another that replaced it under its name. Raises OSError."""
    status = path.stat()
    return status.st_dev, status.st_ino


def open_published(path: Path, connect: Callable[[], sqlite3.Connection]) -> tuple[sqlite3.Connection, Identity]:
    """Return a connection to the file that has the name now, and its identity. Raises OSError, `sqlite3.Error`."""
    while True:
        before, connection = identity(path), connect()
        if identity(path) == before:
            return connection, before
        connection.close()
