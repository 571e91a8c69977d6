"""A backup's folder: a snapshot of archive.db a backup, files of the archive that all snapshots share, and who says so.

    backup.json                     it is a backup of ours
    snapshots/STAMP/archive.db      one file, no write-ahead log
    snapshots/STAMP/manifest.json   what belongs to it: each file with its size and the SHA-256 of so many bytes
    warc/  imports/  pseudonym.key  as in the archive; a file may be longer than an older snapshot knows it

What ends in `.part` was left by a process that was killed, and means nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from archive.warc._file import sync_folder

MARK = "backup.json"
SNAPSHOTS = "snapshots"
MANIFEST = "manifest.json"
PART = ".part"
FORMAT = 1  # of the folder; another number is for another version of this program
BLOCK = 1 << 20
STAMP = re.compile(r"\d{8}T\d{6}\.\d{6}Z")  # "20260301T093000.000123Z"


class BackupRefused(Exception):
    """The folder is not one that this can be done with; the message says why and what to do."""


class BackupDamaged(Exception):
    """What the backup holds is not what was put there. `lines`: one a file, and what to do."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Unreadable(OSError):
    """The file that was to be copied cannot be read."""


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """A file of a snapshot."""

    size: int
    """Bytes that belong to the snapshot: its copy may have grown since."""
    sha256: str
    """Of these bytes, hex."""
    mtime_ns: int = 0
    """When the archive's file was last written to, by its file system; 0 where that is not known."""
    unclosed: bool = False
    """The database of the snapshot may lack rows of it: it is restored as a file whose run was killed."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a manifest says."""

    name: str
    """Its folder, the moment when it was begun (UTC)."""
    software: str
    schema: str
    """The last step of the schema that the database has."""
    database: SnapshotFile
    files: Mapping[str, SnapshotFile]
    """By the file's path in the archive, with slashes."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a file."""

    size: int
    sha256: str
    prefix: str | None
    """SHA-256 of as many first bytes as were asked for; None where there are fewer."""


def is_backup(folder: Path) -> bool:
    """A backup made by this program lies there. Raises `BackupRefused` for one of another version, OSError."""
    try:
        mark = json.loads((folder / MARK).read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    if not isinstance(mark, dict) or "clinic-archive backup" not in mark:
        return False
    if mark["clinic-archive backup"] != FORMAT:
        raise BackupRefused(f"{folder}: a backup by another version of this program; update clinic-archive to use it")
    return True


def mark(folder: Path) -> None:
    """Make the folder a backup."""
    write_text(folder / MARK, json.dumps({"clinic-archive backup": FORMAT}) + "\n")


def stamps(folder: Path) -> list[str]:
    """The snapshots of a backup that were finished, oldest first."""
    if not (folder / SNAPSHOTS).is_dir():
        return []
    return sorted(one.name for one in (folder / SNAPSHOTS).iterdir() if STAMP.fullmatch(one.name))


def read_snapshot(folder: Path, name: str) -> Snapshot:
    """What the snapshot's manifest says. Raises `BackupDamaged`, OSError."""
    path = folder / SNAPSHOTS / name / MANIFEST
    try:
        told = json.loads(path.read_text("utf-8"))
        files = {file: SnapshotFile(**held) for file, held in told["files"].items()}
        found = Snapshot(name, told["software"], told["schema"], SnapshotFile(**told["database"]), files)
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupDamaged(f"{path}: not a whole manifest ({error})") from error
    outside = [file for file in files if PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts]
    if outside:
        raise BackupDamaged(f"{path}: names files outside an archive: {', '.join(outside)}")
    return found


def write_manifest(part: Path, snapshot: Snapshot) -> None:
    """Say in the snapshot's unfinished folder what belongs to it."""
    told: dict[str, Any] = {
        "snapshot": snapshot.name, "software": snapshot.software, "schema": snapshot.schema,
        "database": asdict(snapshot.database), "files": {name: asdict(held) for name, held in snapshot.files.items()},
    }  # fmt: skip
    write_text(part / MANIFEST, json.dumps(told, indent=0, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """A small file, under its name once it is whole and on the disk, for the owner alone."""
    part = path.with_name(path.name + PART)
    with _opened(part) as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def read_through(source: Path, *, limit: int | None = None, mark: int = 0, into: IO[bytes] | None = None) -> Read:
    """Read a file up to its end or for `limit` bytes, and write what is read to `into`.

    `mark`: of how many first bytes a digest of their own is wanted. Raises `Unreadable` where the source is to blame,
    other OSErrors where `into` is.
    """
    size, digest, prefix = 0, hashlib.sha256(), None
    try:
        given = source.open("rb", buffering=0)
    except OSError as error:
        raise Unreadable(error.errno, error.strerror, str(source)) from error
    with given:
        while True:
            if size == mark:
                prefix = digest.hexdigest()
            ends = [end for end in (limit, mark) if end is not None and end > size]
            wanted = min([BLOCK, *(end - size for end in ends)]) if size != limit else 0
            try:
                block = given.read(wanted)
            except OSError as error:
                raise Unreadable(error.errno, error.strerror, str(source)) from error
            if not block:
                return Read(size, digest.hexdigest(), prefix)
            if into is not None:
                into.write(block)
            digest.update(block)
            size += len(block)


def copy_through(source: Path, target: Path, *, limit: int | None = None, mark: int = 0) -> Read:
    """Copy a file for the owner alone; return once the copy is on the disk. As `read_through`."""
    with _opened(target) as file:
        found = read_through(source, limit=limit, mark=mark, into=file)
        file.flush()
        os.fsync(file.fileno())
    return found


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, for the owner alone and on the disk."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700)
    sync_folder(folder.parent)


def _opened(path: Path) -> IO[bytes]:
    # Copies hold what commenters wrote under the names they gave, and the key of their pseudonyms.
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
