"""How an archive is opened: write-ahead log, foreign keys, migrations, views. No other module opens one.

`open_archive(folder, "write")` is for the holder of the run lock alone: it migrates (after a copy) and recreates views
whose SQL changed. Readers get a connection that cannot write, and refuse a schema that they do not know.
"""

from __future__ import annotations

import functools
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from sqlite_utils import Database, Migrations

from archive import wal
from archive.migrations import migrations
from archive.space import FULL, by_full_disk
from archive.times import file_stamp
from archive.warc.missing_db import why_missing

VIEWS = Path(__file__).parent / "views"
DATABASE = "archive.db"
PAGES_AT_ONCE = 4096  # pages


class ArchiveError(Exception):
    """The archive cannot be used; the message says why and what to do."""


class NotAnArchive(ArchiveError):
    """archive.db is not a SQLite database, or is the database of another program."""


class NewerSchema(ArchiveError):
    """archive.db was written by a newer version of this program."""


class LostDatabase(ArchiveError):
    """archive.db is gone, or empty, while there are WARC files of finished runs."""


class DiskFull(ArchiveError):
    """SQLite cannot open archive.db because its disk is full."""


class OlderSchema(ArchiveError):
    """archive.db needs a migration, which only a writing command does."""


def open_archive(folder: Path, mode: Literal["read", "write"]) -> Database:
    """Return the archive in `folder` as a sqlite-utils `Database` in autocommit mode.

    With "write" it is created or migrated as needed; a migration is preceded by a copy, `archive-before-STEP-*.db`.
    Raises `LostDatabase`, `NotAnArchive`, `NewerSchema`, `DiskFull`, plain `ArchiveError` where SQLite cannot use the
    file, and with "read" `OlderSchema` or `FileNotFoundError`.
    """
    path = folder / DATABASE
    if not path.exists():
        if (why := why_missing(folder)) is not None:
            raise LostDatabase(why)
        if mode == "read":
            raise FileNotFoundError(f"{path}: no archive here; `clinic-archive crawl --archive {folder}` makes one")
    if mode == "write":
        folder.mkdir(parents=True, exist_ok=True)
    connection = _connect(f"{path.resolve().as_uri()}?mode={'ro' if mode == 'read' else 'rwc'}", path)
    try:
        db = Database(connection, strict=True)
        pending = _schema(db, path)
        has_clinics = any(  # a clinic that is withdrawn has a row of `withdrawals` alone
            db.table(name).exists() and bool(db.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone())
            for name in ("clinics", "withdrawals")
        )
        if not has_clinics and (why := why_missing(folder)) is not None:
            raise LostDatabase(why)
        if mode == "write":
            _prepare(db, folder, pending, has_clinics)
        elif pending:
            raise OlderSchema(
                f"{path}: schema is older than this program; any crawl or reparse of it brings it up to date"
            )
    except sqlite3.Error as error:
        connection.close()
        if by_full_disk(error, path):
            raise DiskFull(f"{path}: {FULL}; free some space") from error
        raise ArchiveError(f"{path}: could not be opened for writing: {error}") from error
    except BaseException:
        connection.close()
        raise
    return db


def open_scratch() -> Database:
    """Return an empty archive that ends with its connection; it has no views, and no text of it is indexed.

    What does not fit in memory is in a file without a name, in the folder for temporary files (SQLITE_TMPDIR, TMPDIR):
    after a kill nothing is left of it. Raises `sqlite3.Error`.
    """
    connection = sqlite3.connect("", isolation_level=None)
    try:
        for pragma in ("foreign_keys=OFF", "synchronous=OFF", "journal_mode=MEMORY", "cache_size=-8000"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        db = Database(connection, strict=True)
        _migrate(db)
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER [{name}]")
    except BaseException:
        connection.close()
        raise
    return db


def _prepare(db: Database, folder: Path, pending: list[str], has_clinics: bool) -> None:
    """Set up the connection of the only writer, migrate, and create the views."""
    # secure_delete: text leaves the file when it leaves a row, so that masked names do not remain in freed pages.
    for pragma in (
        "journal_mode=WAL",
        "foreign_keys=ON",
        "synchronous=FULL",
        "secure_delete=ON",
        "cache_size=-8000",
        f"wal_autocheckpoint={wal.PAGES}",
        f"journal_size_limit={wal.PAGES * 4096}",
    ):
        db.conn.execute(f"PRAGMA {pragma}").fetchall()
    if pending:
        # Without a clinic there is nothing to copy: the very first run was killed between two migrations.
        if has_clinics:
            _copy(db, folder, pending[0])
        _migrate(db)
    _create_views(db)


def _migrate(db: Database) -> None:
    """Apply the pending migrations. A database without a table becomes a copy of one that is made once a process."""
    if db.table_names():
        migrations.apply(db)
        return
    with closing(sqlite3.connect(":memory:")) as empty:
        empty.deserialize(_migrated(migrations))
        empty.backup(db.conn)
    db.execute(f"UPDATE {migrations.migrations_table} SET applied_at = ?", [str(datetime.now(UTC))])


@functools.cache
def _migrated(steps: Migrations) -> bytes:
    """Return the database that the migrations make of nothing, as the bytes of its file."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        steps.apply(Database(connection, strict=True))
        return connection.serialize()


def _connect(uri: str, path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30)
    except sqlite3.Error as error:
        raise ArchiveError(f"{path}: {error}; it must be a file that may be read and written") from error


def _schema(db: Database, path: Path) -> list[str]:
    """The names of the pending migrations; raises when the file is not an archive, or newer than this program."""
    try:
        tables = set(db.table_names())
        applied = {step.name for step in migrations.applied(db)}
    except sqlite3.DatabaseError as error:
        # Extended codes (SQLITE_READONLY_DIRECTORY) have the plain one in their low byte.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # an error of Python's own module has none
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            raise ArchiveError(
                f"{path}: cannot be read by this user ({error}): SQLite creates files beside it even to read. Run this"
                " as the owner of the archive, or make a copy with `clinic-archive publish` and read that"
            ) from error
        if by_full_disk(error, path):
            raise DiskFull(f"{path}: {FULL}; free some space") from error
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR):
            raise ArchiveError(f"{path}: {error}") from error
        raise NotAnArchive(
            f"{path}: not a SQLite database ({error}); move it away or name another --archive"
        ) from error
    if tables - {migrations.migrations_table} and not applied:
        raise NotAnArchive(f"{path}: a database, but not one of clinic-archive; name another --archive")
    unknown = applied - {step.name for step in migrations._migrations}
    if unknown:
        raise NewerSchema(
            f"{path}: schema step {max(unknown)} is newer than this program knows; update clinic-archive to use it"
        )
    return [step.name for step in migrations.pending(db)]


def copy_live_database(source: sqlite3.Connection, target: Path) -> None:
    """Copy the database as it is at this moment into a file that is on the disk and has no write-ahead log.

    `source` must not be in a transaction: the copy is made in a single one, so that a writer that commits meanwhile and
    the copy do not wait for each other. Raises `sqlite3.Error`, OSError.
    """
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        copy.execute("PRAGMA synchronous = OFF")  # fsync follows below
        source.execute("BEGIN")
        try:
            source.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
            source.backup(copy, pages=PAGES_AT_ONCE)
        finally:
            if source.in_transaction:  # SQLite ends it by itself after some errors
                source.execute("ROLLBACK")
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()
    with target.open("rb") as file:
        os.fsync(file.fileno())


def damage(connection: sqlite3.Connection, most: int = 100) -> Iterator[str]:
    """Yield what SQLite finds wrong, a line each: at most `most` faults of pages and indexes, and all of foreign keys.

    Raises `sqlite3.Error` where the file is too damaged to be checked.
    """
    for (line,) in connection.execute(f"PRAGMA integrity_check({most})"):
        if line != "ok":
            yield f"{DATABASE}: {line}"
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield f"{table}: row {row} names a row of {parent} that is not there"


def _copy(db: Database, folder: Path, step: str) -> None:
    """Copy the database as it is before `step`; the copy gets its name only once it is whole."""
    target = folder / f"archive-before-{step}-{file_stamp(datetime.now(UTC))}.db"
    part = folder / "archive-before.db.part"
    part.unlink(missing_ok=True)  # of a start that was killed
    touch_like(part, folder / DATABASE)
    db.execute("VACUUM INTO ?", [str(part)])
    part.replace(target)


def touch_like(path: Path, model: Path) -> None:
    """Make an empty file that the same accounts can read as `model`. Raises OSError; FileExistsError if it is there.

    SQLite fills an empty file. One that it makes itself would be readable by all, where the owner closed archive.db.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.fchmod(descriptor, model.stat().st_mode & 0o777)
    finally:
        os.close(descriptor)


def views() -> dict[str, str]:
    """Return every view's SELECT by its name, in the order of the files (`10_post_counts.sql` gives post_counts)."""
    return {re.sub(r"^\d+_", "", path.stem): path.read_text("utf-8").strip() for path in sorted(VIEWS.glob("*.sql"))}


def sentences() -> dict[str, str]:
    """Return the question that each view answers, by its name: the first comment line of its SQL."""
    return {name: sql.splitlines()[0].removeprefix("--").strip() for name, sql in views().items()}


def _create_views(db: Database) -> None:
    """Create the views of this version; an unchanged view is left alone, so that readers are not disturbed."""
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
