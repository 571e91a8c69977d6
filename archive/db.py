"""Opening an archive: write-ahead log, foreign keys, migrations, views. The only place that knows how.

`open_archive(folder, "write")` is for the holder of the run lock alone: it migrates (after a copy) and lays the views
anew where their SQL changed. Readers get a connection that cannot write, and refuse a schema they do not know.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from sqlite_utils import Database

from archive import wal
from archive.migrations import migrations
from archive.times import file_stamp
from archive.warc.missing_db import why_missing

VIEWS = Path(__file__).parent / "views"
DATABASE = "archive.db"
COPIED_AT_ONCE = 4096  # pages


class ArchiveError(Exception):
    """The archive cannot be used; the message says why and what to do."""


class NotAnArchive(ArchiveError):
    """archive.db is not a SQLite database, or is one of something else."""


class NewerSchema(ArchiveError):
    """archive.db was written by a newer version of this program."""


class LostDatabase(ArchiveError):
    """archive.db is gone, or empty, beside WARC files of runs that came to their end."""


class OlderSchema(ArchiveError):
    """archive.db wants migrating, which only a writing command does."""


def open_archive(folder: Path, mode: Literal["read", "write"]) -> Database:
    """The archive in `folder`, as a sqlite-utils `Database` in autocommit mode.

    With "write" it is made or migrated as needed; a schema change is preceded by a copy, `archive-before-STEP-*.db`.
    Raises `LostDatabase`, `NotAnArchive`, `NewerSchema`, plain `ArchiveError` where SQLite cannot use the file, and
    with "read" `OlderSchema` or `FileNotFoundError`.
    """
    path = folder / DATABASE
    if not path.exists():
        if (why := why_missing(folder)) is not None:
            raise LostDatabase(why)
        if mode == "read":
            raise FileNotFoundError(f"{path}: no archive here; `clinic-archive crawl --archive {folder}` makes one")
    if mode == "read":
        connection = _connect(f"{path.resolve().as_uri()}?mode=ro", path)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        connection = _connect(f"{path.resolve().as_uri()}?mode=rwc", path)
    try:
        db = Database(connection, strict=True)
        pending = _schema(db, path)
        knows = db.table("clinics").exists() and db.execute("SELECT 1 FROM clinics LIMIT 1").fetchone() is not None
        if not knows and (why := why_missing(folder)) is not None:
            raise LostDatabase(why)
        if mode == "read":
            if pending:
                raise OlderSchema(
                    f"{path}: schema is older than this program; any crawl or reparse of it brings it up to date"
                )
            return db
        # Text leaves the file when it leaves a row: masked names must not linger in freed pages.
        for pragma in (
            "journal_mode=WAL",
            "foreign_keys=ON",
            "synchronous=FULL",
            "secure_delete=ON",
            "cache_size=-8000",
            f"wal_autocheckpoint={wal.PAGES}",
            f"journal_size_limit={wal.PAGES * 4096}",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        if pending:
            # Without a clinic nothing is lost: it is an archive whose very first start was killed between two steps.
            if knows:
                _copy(db, folder, pending[0])
            migrations.apply(db)
        _lay_views(db)
    except sqlite3.Error as error:
        connection.close()
        raise ArchiveError(f"{path}: could not be opened for writing: {error}") from error
    except BaseException:
        connection.close()
        raise
    return db


def _connect(uri: str, path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30)
    except sqlite3.Error as error:
        raise ArchiveError(f"{path}: {error}; it must be a file that may be read and written") from error


def _schema(db: Database, path: Path) -> list[str]:
    """Names of the steps not yet taken; raises when the file is not ours or is ahead of us."""
    try:
        tables = set(db.table_names())
        applied = {step.name for step in migrations.applied(db)}
    except sqlite3.DatabaseError as error:
        # Extended codes (SQLITE_READONLY_DIRECTORY) have the plain one in their low byte.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # what Python's own module raises has none
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            raise ArchiveError(
                f"{path}: cannot be read by this user ({error}): also to read it, files are made beside it; run this as"
                " the owner of the archive, or make a copy with `clinic-archive publish` and read that"
            ) from error
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR):
            raise ArchiveError(f"{path}: {error}") from error
        raise NotAnArchive(
            f"{path}: not a SQLite database ({error}); move it away or name another --archive"
        ) from error
    if tables - {migrations.migrations_table} and not applied:
        raise NotAnArchive(f"{path}: a database, but not an archive of ours; name another --archive")
    unknown = applied - {step.name for step in migrations._migrations}
    if unknown:
        raise NewerSchema(
            f"{path}: schema step {max(unknown)} is newer than this program knows; update clinic-archive to use it"
        )
    return [step.name for step in migrations.pending(db)]


def copy_whole(source: sqlite3.Connection, target: Path) -> None:
    """Copy the database as it is at this moment into a file, on the disk and without a write-ahead log beside it.

    All in one transaction of `source`, at rest before: a writer that commits meanwhile neither waits nor is waited for.
    Raises `sqlite3.Error`, OSError.
    """
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        copy.execute("PRAGMA synchronous = OFF")  # it is made durable below
        source.execute("BEGIN")
        try:
            source.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
            source.backup(copy, pages=COPIED_AT_ONCE)
        finally:
            if source.in_transaction:  # SQLite ends it by itself after some errors
                source.execute("ROLLBACK")
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()
    with target.open("rb") as file:
        os.fsync(file.fileno())


def damage(connection: sqlite3.Connection, most: int = 100) -> Iterator[str]:
    """What SQLite itself finds wrong, one line each: pages and indexes, of these `most`, and keys. Raises
    `sqlite3.Error` where so much is wrong that nothing can be found."""
    for (line,) in connection.execute(f"PRAGMA integrity_check({most})"):
        if line != "ok":
            yield f"{DATABASE}: {line}"
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield f"{table}: row {row} names a row of {parent} that is not there"


def _copy(db: Database, folder: Path, step: str) -> None:
    """A copy of the database as it was before `step`, under its name only once it is whole."""
    target = folder / f"archive-before-{step}-{file_stamp(datetime.now(UTC))}.db"
    part = folder / "archive-before.db.part"
    part.unlink(missing_ok=True)  # of a start that was killed
    db.execute("VACUUM INTO ?", [str(part)])
    part.replace(target)


def views() -> dict[str, str]:
    """Every view by name (`10_post_counts.sql` gives post_counts) with its SELECT, in the order of their files."""
    return {re.sub(r"^\d+_", "", path.stem): path.read_text("utf-8").strip() for path in sorted(VIEWS.glob("*.sql"))}


def sentences() -> dict[str, str]:
    """Of each view what it answers: the first comment line of its SQL."""
    return {name: sql.splitlines()[0].removeprefix("--").strip() for name, sql in views().items()}


def _lay_views(db: Database) -> None:
    """Make the views of this version; one whose SQL is unchanged is left alone, so that readers are not disturbed."""
    wanted = {name: f"CREATE VIEW {name} AS\n{sql.rstrip(';')}" for name, sql in views().items()}
    present = dict(db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view'").fetchall())
    if wanted == present:
        return
    with db.atomic():
        for name in present.keys() - {name for name, sql in wanted.items() if present.get(name) == sql}:
            db.execute(f"DROP VIEW [{name}]")
        for name, sql in wanted.items():
            if present.get(name) != sql:
                db.execute(sql)
