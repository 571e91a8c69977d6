"""Restore: an archive recreated from a snapshot of a backup, every byte compared with the manifest."""

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
    SourceUnreadable,
    copy_through,
    is_backup,
    make_folder,
    read_snapshot,
    stamps,
)
from archive.db import DATABASE
from archive.warc._file import OPEN_SUFFIX, sync_folder


def chosen(folder: Path, name: str | None) -> Snapshot:
    """Return a snapshot of the backup, the newest without a name. Raises `BackupRefused`, `BackupDamaged`, OSError."""
    if not is_backup(folder):
        raise BackupRefused(f"{folder}: not a backup made by clinic-archive")
    names = stamps(folder)
    if not names:
        raise BackupRefused(
            f"{folder}: no snapshot in it; `clinic-archive rebuild --from {folder}` reads its WARC files"
        )
    if name is not None and name not in names:
        raise BackupRefused(f"{folder}: no snapshot {name}; it has {', '.join(names)}")
    return read_snapshot(folder, name or names[-1])


def restore(folder: Path, snapshot: Snapshot, target: Path) -> int:
    """Recreate an archive from a snapshot in a folder that nobody else uses yet, and return the bytes copied.

    A WARC file that may have records without rows is left unclosed, as after a kill: the next crawl folds them in.
    Raises `BackupDamaged`, with every file that is not as it was, other OSErrors and `sqlite3.Error` where the folder
    cannot be written; the folder is then no archive.
    """
    damaged: list[str] = []
    # The database comes first: a backup that runs meanwhile may delete it with an old snapshot, but no other file.
    database = target / DATABASE
    _copy(folder / SNAPSHOTS / snapshot.name / DATABASE, database, snapshot.database, damaged)
    for name, file in snapshot.files.items():
        path = target / name
        make_folder(path.parent)
        if file.unclosed:
            path.with_name(path.name + OPEN_SUFFIX).touch(mode=0o600)
        _copy(folder / name, path, file, damaged)
    if damaged:
        raise BackupDamaged(*damaged)
    mask = os.umask(0o022)
    os.umask(mask)
    database.chmod(0o644 & ~mask)  # as a crawl makes it: names in it are masked
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
    for path in _folders(target):
        sync_folder(path)
    return snapshot.database.size + sum(file.size for file in snapshot.files.values())


def _copy(source: Path, target: Path, file: SnapshotFile, damaged: list[str]) -> None:
    try:
        content = copy_through(source, target, limit=file.size)
    except SourceUnreadable as error:
        damaged.append(f"{source}: cannot be read: {error.strerror}")
        return
    if (content.size, content.sha256) != (file.size, file.sha256):
        damaged.append(f"{source}: not what was backed up (SHA-256 of its first {file.size} bytes)")


def _folders(target: Path) -> Iterator[Path]:
    yield target
    yield from (path for path in target.rglob("*") if path.is_dir())
