"""Backup: a snapshot of archive.db and the files that its rows refer to, taken while a crawl may write to the archive.

The database is copied first. Bytes are on the disk before rows about them are committed, so that the files copied after
the database have all that the snapshot names; of a file that is still written to, the whole groups are copied. What was
copied once never changes in the archive: WARC files only grow, and are cut back only to the end of their last whole
group. A file that no longer begins with the bytes of its copy was therefore damaged: this is reported, and the copy is
kept.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlite_utils import Database

from archive.backup.files import SCRATCH, WARC, SnapshotFiles, names_of, sidecar
from archive.backup.leaving import drop_superseded, save_packed
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
    read_snapshot,
    read_through,
    stamps,
    write_manifest,
    write_marker,
)
from archive.db import DATABASE, NotAnArchive, copy_live_database, damage
from archive.migrations import migrations
from archive.times import snapshot_name, snapshot_time
from archive.warc._file import sync_folder
from archive.warc.joining import head_of
from archive.warc.repair import TORN_SUFFIX


@dataclass(slots=True)
class BackedUp:
    """The result of a backup."""

    snapshot: str | None = None  # None: it failed its checks, and does not count
    database_bytes: int = 0
    files_copied: int = 0
    bytes_copied: int = 0
    files_kept: int = 0  # unchanged since the backup before; the name is a key of printed JSON
    purged: int = 0  # copies and earlier snapshots that were deleted because a purge replaced their files
    packed: int = 0  # copies that were deleted because a pack joined their files and no snapshot has them any more
    snapshots: int = 0  # that exist now
    problems: list[str] = field(default_factory=list)  # what is damaged, a line each


@dataclass(frozen=True, slots=True)
class CopiedDatabase:
    """The copy of the database, and what its rows say."""

    file: SnapshotFile
    schema: str
    ends: Mapping[str, int]  # of each WARC file, the end of its last capture in bytes
    running: frozenset[tuple[str, str]]  # (clinic_id, first 8 characters of crawl_id) of visits without an end
    ended: frozenset[tuple[str, str]]
    faults: Sequence[str]


def check_place(archive: Path, folder: Path, *, lock: str) -> None:
    """Check that a backup of the archive can be made in the folder; nothing is changed.

    `lock`: the name of a file in the folder that is ignored. Raises `BackupRefused`, OSError.
    """
    here, there = archive.resolve(), folder.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise BackupRefused(f"{folder}: one of archive and backup is inside the other; name a separate folder")
    if folder.exists() and not folder.is_dir():
        raise BackupRefused(f"{folder}: not a folder; name another")
    if folder.exists() and not is_backup(folder):
        others = {path.name for path in folder.iterdir()} - {lock, MARK + PART}
        if others:
            raise BackupRefused(f"{folder}: not empty, and not a backup made by clinic-archive; name another folder")


def back_up(
    archive: Path,
    folder: Path,
    *,
    parts: Sequence[str],
    keep: int,
    software: str,
    replaced: Collection[str] = (),
    is_rewriting: Callable[[], bool] = lambda: False,
) -> BackedUp:
    """Make a snapshot of an archive in a folder whose lock the caller holds, and delete all but the `keep` newest.

    `parts`: names of the archive's other folders and files, copied after `warc`. `replaced`: files that purges replaced
    in the archive, by their paths there: none is copied, should it have come back; their copies go, with every earlier
    snapshot that has one. `is_rewriting`: whether a purge or a pack is changing the archive now. After a kill at any
    moment the earlier snapshots are whole, and the next call removes what was left. Raises `NotAnArchive`,
    FileNotFoundError without an archive, other OSErrors and `sqlite3.Error` where something cannot be read or written.
    """
    done = BackedUp()
    _clear(folder)
    if not is_backup(folder):
        write_marker(folder)
    known = _last(folder, done)
    tops, gone = (WARC, *parts), frozenset(replaced)
    listed = frozenset(name for top in tops for name in names_of(archive, top))
    closed = {each for each in listed - gone if not each.endswith(PART) and not sidecar(archive / each).exists()}
    name = _stamp(folder)
    part = folder / SNAPSHOTS / (name + PART)
    make_folder(part)
    try:
        copied = copy_database(archive / DATABASE, part / DATABASE)
        done.database_bytes = copied.file.size

        def lacks_rows(name: str) -> bool:
            return _lacks_rows(name, copied, closed) and head_of(archive / name) is None  # none that a pack made does

        copies = SnapshotFiles(archive, folder, known, lacks_rows)
        # WARC files come first: a note in one may name an imported file, which was on the disk before the note.
        for top in tops:
            for path in names_of(archive, top):
                if path not in gone:
                    copies.take(path)
        done.files_copied, done.bytes_copied = copies.files_copied, copies.bytes_copied
        done.files_kept = copies.files_unchanged
        if is_rewriting() or _is_rewritten(archive, listed, closed):
            done.problems.append(f"{archive}: no snapshot was made: files went meanwhile, as by a pack; run this again")
        else:
            packed = copies.report_missing(gone)
            done.problems += copies.problems
            faults = [*copied.faults, *copies.faults(copied.ends)]
            done.problems += [f"{line}; no snapshot was made" for line in faults]
            if not faults:
                save_packed(folder, packed)
                write_manifest(part, Snapshot(name, software, copied.schema, copied.file, copies.files))
                part.rename(part.with_name(name))
                sync_folder(part.parent)
                done.snapshot = name
    finally:
        shutil.rmtree(part, ignore_errors=True)
        (folder / SCRATCH).unlink(missing_ok=True)
    if done.snapshot:
        done.purged = _purge(folder, replaced, done.snapshot)
        _rotate(folder, keep)
        done.packed = drop_superseded(folder, copies.files)
    done.snapshots = len(stamps(folder))
    return done


def _is_rewritten(archive: Path, listed: Collection[str], closed: Collection[str]) -> bool:
    """Return whether files went or were joined since they were listed: a part may not be copied, rows name others."""
    if not all((archive / name).exists() for name in closed):
        return True
    new = (name for name in names_of(archive, WARC) if name not in listed and name.endswith(".warc.gz"))
    return any(head_of(archive / name) is not None for name in new)


def _clear(folder: Path) -> None:
    """Delete what a backup that was killed left."""
    (folder / SCRATCH).unlink(missing_ok=True)
    for part in (folder / SNAPSHOTS).glob(f"*{PART}"):
        shutil.rmtree(part)


def _last(folder: Path, done: BackedUp) -> Mapping[str, SnapshotFile]:
    """The files of the newest snapshot that can be read."""
    for name in reversed(stamps(folder)):
        try:
            return read_snapshot(folder, name).files
        except BackupDamaged as error:
            done.problems += [f"{line}; compared with an older snapshot instead" for line in error.lines]
    return {}


def _stamp(folder: Path) -> str:
    """The name of the new snapshot: now, but later than every existing snapshot where the clock was set back."""
    now = datetime.now(UTC)
    newest = [snapshot_time(name) for name in stamps(folder)[-1:]]
    return snapshot_name(max([now, *(at + timedelta(microseconds=1) for at in newest)]))


def _rotate(folder: Path, keep: int) -> None:
    for name in stamps(folder)[:-keep]:
        _delete(folder, name)


def _delete(folder: Path, name: str) -> None:
    old = folder / SNAPSHOTS / name
    renamed = old.rename(old.with_name(name + PART))  # half deleted, it must not look like a snapshot
    shutil.rmtree(renamed)


def _purge(folder: Path, replaced: Collection[str], newest: str) -> int:
    """Delete the copies of files that purges replaced, and the earlier snapshots that have them; return their number.

    The databases of these snapshots hold what was purged, too.
    """
    names, number = set(replaced), 0
    if not names:
        return 0
    for name in (each for each in stamps(folder) if each != newest):
        try:
            is_of = not names.isdisjoint(read_snapshot(folder, name).files)
        except BackupDamaged:
            is_of = True  # it may
        if is_of:
            _delete(folder, name)
            number += 1
    current = read_snapshot(folder, newest).files
    torn = {path.relative_to(folder).as_posix() for path in (folder / WARC).rglob(f"*{TORN_SUFFIX}")}
    for name in sorted((names | torn) - set(current)):
        if (folder / name).exists():
            (folder / name).unlink()
            sync_folder((folder / name).parent)
            number += 1
    return number


def _lacks_rows(name: str, database: CopiedDatabase, closed: Collection[str]) -> bool:
    """Whether the WARC file may have records without rows: it was closed after the database was copied, or its run has
    no end there.
    """
    path = Path(name)
    # ("riverside", "0123abcd") of "warc/riverside/riverside-20260301093000-0123abcd-00000.warc.gz"
    run = path.parent.name, path.name.rpartition("-")[0][-8:]
    return run in database.running or (name not in closed and run not in database.ended)


def copy_database(source: Path, target: Path) -> CopiedDatabase:
    """Copy a database that may be in use into a new file, and check the copy; its `faults` say what is damaged.

    Raises `NotAnArchive`, FileNotFoundError without a database, other OSErrors and `sqlite3.Error`.
    """
    if not source.exists():
        raise FileNotFoundError(f"{source}: no archive here; name another --archive")
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(_connected(source)) as live:
            copy_live_database(live, target)
        whole = read_through(target)
        with closing(_connected(target)) as connection:
            return _inspect(connection, source, SnapshotFile(whole.size, whole.sha256))
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_NOTADB:
            raise NotAnArchive(f"{source}: not a SQLite database; name another --archive") from error
        if code != sqlite3.SQLITE_CORRUPT:
            raise
        nothing = frozenset[tuple[str, str]]()
        return CopiedDatabase(
            SnapshotFile(0, ""), "", {}, nothing, nothing, [f"{source}: {error}; `clinic-archive rebuild` repairs it"]
        )


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=30)


def _inspect(copy: sqlite3.Connection, source: Path, file: SnapshotFile) -> CopiedDatabase:
    """What the copy of the database says: whether it is whole, and which bytes of which files it needs."""
    steps = migrations.applied(Database(copy))
    if not steps:
        raise NotAnArchive(f"{source}: a database, but not one of clinic-archive; name another --archive")
    ends = copy.execute("SELECT warc_file, max(warc_offset + warc_length) FROM captures GROUP BY warc_file").fetchall()
    runs = copy.execute("SELECT clinic_id, substr(crawl_id, 1, 8), status = 'running' FROM clinic_runs").fetchall()
    faults = [f"{source.parent}: {line}; `clinic-archive rebuild` recreates it" for line in damage(copy)]
    running = frozenset((clinic_id, crawl) for clinic_id, crawl, is_running in runs if is_running)
    ended = frozenset((clinic_id, crawl) for clinic_id, crawl, is_running in runs if not is_running)
    return CopiedDatabase(file, steps[-1].name, dict(ends), running, ended, faults)
