"""Backup: a snapshot of archive.db and the files that its rows stand on, taken while a crawl may write to the archive.

The database comes first. Bytes are on the disk before rows about them are committed, so that all that a snapshot names
lies in the files copied after it; of a file that is still written to, its whole groups are copied. What was copied once
never changes in the archive: WARC files only grow, and are cut back only behind their last whole group. So a file that
no longer begins with the bytes of its copy was damaged: it is told, and the copy stays.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlite_utils import Database

from archive.backup.files import SCRATCH, WARC, SnapshotFiles, names_of, sidecar
from archive.backup.snapshots import (
    MARK,
    PART,
    SNAPSHOTS,
    BackupDamaged,
    BackupRefused,
    Snapshot,
    SnapshotFile,
    is_backup,
    make_folder,
    mark,
    read_snapshot,
    read_through,
    stamps,
    write_manifest,
)
from archive.db import DATABASE, NotAnArchive, copy_whole, damage
from archive.migrations import migrations
from archive.times import snapshot_name, snapshot_time
from archive.warc._file import sync_folder


@dataclass(slots=True)
class BackedUp:
    """What came of a backup."""

    snapshot: str | None = None  # None: it did not pass its checks, and does not count
    database_bytes: int = 0
    files_copied: int = 0
    bytes_copied: int = 0
    files_kept: int = 0  # they had not changed since the backup before
    snapshots: int = 0  # that there are now
    problems: list[str] = field(default_factory=list)  # what is damaged, in words


@dataclass(frozen=True, slots=True)
class _Copied:
    """What the copy of the database says."""

    held: SnapshotFile
    schema: str
    ends: Mapping[str, int]  # of each file that captures lie in: how far they reach
    running: frozenset[tuple[str, str]]  # (clinic, beginning of the crawl's id) of runs without an end
    ended: frozenset[tuple[str, str]]
    faults: Sequence[str]


def check_place(archive: Path, folder: Path, *, lock: str) -> None:
    """A backup of the archive can be made in the folder; nothing is touched. `lock`: a name of no meaning there.

    Raises `BackupRefused`, OSError.
    """
    here, there = archive.resolve(), folder.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise BackupRefused(f"{folder}: one of archive and backup lies in the other; name a folder of its own")
    if folder.exists() and not folder.is_dir():
        raise BackupRefused(f"{folder}: not a folder; name another")
    if folder.exists() and not is_backup(folder):
        others = {one.name for one in folder.iterdir()} - {lock, MARK + PART}
        if others:
            raise BackupRefused(f"{folder}: not empty, and not a backup made by clinic-archive; name another folder")


def back_up(archive: Path, folder: Path, *, parts: Sequence[str], keep: int, software: str) -> BackedUp:
    """Make a snapshot of an archive in a folder whose lock the caller holds, and keep the `keep` newest ones.

    `parts`: names of the archive's other folders and files, copied after `warc`. Killed at any moment, what was there
    is whole, and the next call clears up. Raises `NotAnArchive`, FileNotFoundError without an archive, other OSErrors
    and `sqlite3.Error` where something cannot be read or written.
    """
    done = BackedUp()
    _clear(folder)
    if not is_backup(folder):
        mark(folder)
    known = _last(folder, done)
    closed = frozenset(name for name in names_of(archive, WARC) if not sidecar(archive / name).exists())
    name = _stamp(folder)
    part = folder / SNAPSHOTS / (name + PART)
    make_folder(part)
    try:
        copied = _copy_database(archive / DATABASE, part / DATABASE)
        done.database_bytes = copied.held.size
        copies = SnapshotFiles(archive, folder, known, lambda name: _lacks_rows(name, copied, closed))
        # A note in a WARC may name a file of others, which was on the disk before: that comes after it.
        for one in (WARC, *parts):
            for path in names_of(archive, one):
                copies.take(path)
        copies.look_for_lost()
        done.files_copied, done.bytes_copied = copies.files_copied, copies.bytes_copied
        done.files_kept = copies.files_kept
        done.problems += copies.problems
        faults = [*copied.faults, *copies.faults(copied.ends)]
        if faults:
            done.problems += [f"{line}; no snapshot was made" for line in faults]
        else:
            write_manifest(part, Snapshot(name, software, copied.schema, copied.held, copies.held))
            part.rename(part.with_name(name))
            sync_folder(part.parent)
            done.snapshot = name
    finally:
        shutil.rmtree(part, ignore_errors=True)
        (folder / SCRATCH).unlink(missing_ok=True)
    if done.snapshot:
        _rotate(folder, keep)
    done.snapshots = len(stamps(folder))
    return done


def _clear(folder: Path) -> None:
    """What a backup that was killed left."""
    (folder / SCRATCH).unlink(missing_ok=True)
    for part in (folder / SNAPSHOTS).glob(f"*{PART}"):
        shutil.rmtree(part)


def _last(folder: Path, done: BackedUp) -> Mapping[str, SnapshotFile]:
    """What the newest snapshot that can be read says of files."""
    for name in reversed(stamps(folder)):
        try:
            return read_snapshot(folder, name).files
        except BackupDamaged as error:
            done.problems += [f"{line}; an older snapshot is compared with" for line in error.lines]
    return {}


def _stamp(folder: Path) -> str:
    """Now; later than every snapshot that is there, also where the clock was set back."""
    now = datetime.now(UTC)
    newest = [snapshot_time(name) for name in stamps(folder)[-1:]]
    return snapshot_name(max([now, *(at + timedelta(microseconds=1) for at in newest)]))


def _rotate(folder: Path, keep: int) -> None:
    for name in stamps(folder)[:-keep]:
        old = folder / SNAPSHOTS / name
        gone = old.rename(old.with_name(name + PART))  # half deleted it must not look like one
        shutil.rmtree(gone)


def _lacks_rows(name: str, database: _Copied, closed: frozenset[str]) -> bool:
    """The file was closed after the database was copied, or rows of its run come after its end."""
    path = Path(name)
    # ("riverside", "0123abcd") of "warc/riverside/riverside-20260301093000-0123abcd-00000.warc.gz"
    run = path.parent.name, path.name.rpartition("-")[0][-8:]
    return run in database.running or (name not in closed and run not in database.ended)


def _copy_database(source: Path, target: Path) -> _Copied:
    if not source.exists():
        raise FileNotFoundError(f"{source}: no archive here; name another --archive")
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(_connected(source)) as live:
            copy_whole(live, target)
        whole = read_through(target)
        with closing(_connected(target)) as connection:
            return _look_into(connection, source, SnapshotFile(whole.size, whole.sha256))
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_NOTADB:
            raise NotAnArchive(f"{source}: not a SQLite database; name another --archive") from error
        if code != sqlite3.SQLITE_CORRUPT:
            raise
        nothing = frozenset[tuple[str, str]]()
        return _Copied(
            SnapshotFile(0, ""), "", {}, nothing, nothing, [f"{source}: {error}; `clinic-archive rebuild` mends it"]
        )


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=30)


def _look_into(copy: sqlite3.Connection, source: Path, held: SnapshotFile) -> _Copied:
    """Open what was copied: whether it is whole, and which files it stands on."""
    steps = migrations.applied(Database(copy))
    if not steps:
        raise NotAnArchive(f"{source}: a database, but not an archive of ours; name another --archive")
    ends = copy.execute("SELECT warc_file, max(warc_offset + warc_length) FROM captures GROUP BY warc_file").fetchall()
    runs = copy.execute("SELECT clinic_id, substr(crawl_id, 1, 8), status = 'running' FROM clinic_runs").fetchall()
    told = [f"{source.parent}: {line}; `clinic-archive rebuild` makes it anew" for line in damage(copy)]
    running, ended = ({(slug, crawl) for slug, crawl, runs_on in runs if runs_on == is_on} for is_on in (1, 0))
    return _Copied(held, steps[-1].name, dict(ends), frozenset(running), frozenset(ended), told)
