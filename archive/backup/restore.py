"""Restore: an archive as a snapshot of a backup has it, every byte compared with its manifest on the way."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from archive.backup.snapshots import (
    SNAPSHOTS,
    BackupDamaged,
    BackupRefused,
    Snapshot,
    SnapshotFile,
    Unreadable,
    copy_through,
    is_backup,
    make_folder,
    read_snapshot,
    stamps,
)
from archive.db import DATABASE
from archive.warc._file import OPEN_SUFFIX, sync_folder


def chosen(folder: Path, name: str | None) -> Snapshot:
    """A snapshot of the backup, the newest where none is named. Raises `BackupRefused`, `BackupDamaged`, OSError."""
    if not is_backup(folder):
        raise BackupRefused(f"{folder}: not a backup made by clinic-archive")
    there = stamps(folder)
    if not there:
        raise BackupRefused(
            f"{folder}: no snapshot in it; `clinic-archive rebuild --from {folder}` reads its WARC files"
        )
    if name is not None and name not in there:
        raise BackupRefused(f"{folder}: no snapshot {name}; it has {', '.join(there)}")
    return read_snapshot(folder, name or there[-1])


def restore(folder: Path, snapshot: Snapshot, target: Path) -> int:
    """Make an archive of a snapshot in a folder that nobody else uses yet; gives the bytes copied.

    A file that may have records without rows is unclosed in it, as after a kill: the next crawl folds them in. Raises
    `BackupDamaged`, with every file that is not as it was, other OSErrors and `sqlite3.Error` where it cannot be
    written; the folder is no archive then.
    """
    damaged: list[str] = []
    # The database first: of all that is copied only it can go, when a backup that is being made deletes old ones.
    database = target / DATABASE
    _copy(folder / SNAPSHOTS / snapshot.name / DATABASE, database, snapshot.database, damaged)
    for name, held in snapshot.files.items():
        path = target / name
        make_folder(path.parent)
        if held.unclosed:
            path.with_name(path.name + OPEN_SUFFIX).touch(mode=0o600)
        _copy(folder / name, path, held, damaged)
    if damaged:
        raise BackupDamaged(*damaged)
    mask = os.umask(0o022)
    os.umask(mask)
    database.chmod(0o644 & ~mask)  # as a crawl makes it: names in it are masked
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
    for one in _folders(target):
        sync_folder(one)
    return snapshot.database.size + sum(held.size for held in snapshot.files.values())


def _copy(source: Path, target: Path, held: SnapshotFile, damaged: list[str]) -> None:
    try:
        found = copy_through(source, target, limit=held.size)
    except Unreadable as error:
        damaged.append(f"{source}: cannot be read: {error.strerror}")
        return
    if (found.size, found.sha256) != (held.size, held.sha256):
        damaged.append(f"{source}: not what was put there (SHA-256 of its first {held.size} bytes)")


def _folders(target: Path) -> Iterator[Path]:
    yield target
    yield from (path for path in target.rglob("*") if path.is_dir())
