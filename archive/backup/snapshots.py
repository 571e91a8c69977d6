"""The folder of a backup: snapshots of archive.db, and the files of the archive, which all snapshots share.

    backup.json                     marks the folder as a backup made by this program
    snapshots/STAMP/archive.db      a single file, no write-ahead log
    snapshots/STAMP/manifest.json   the files of the snapshot: each with its size and the SHA-256 of these bytes
    warc/  imports/  study/  pseudonym.key  as in the archive; a file may be longer than in an older snapshot

What ends in `.part` was left by a process that was killed, and is ignored.
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
    """The folder cannot be used for this; the message says why and what to do."""


class BackupDamaged(Exception):
    """The backup does not hold what was written to it. `lines`: one for each file, with what to do."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class SourceUnreadable(OSError):
    """The source of a copy cannot be read."""


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """A file of a snapshot."""

    size: int
    """Bytes that belong to the snapshot: its copy may have grown since."""
    sha256: str
    """Of these bytes, hex."""
    mtime_ns: int = 0
    """When the archive's file was last written to, by its file system; 0 where that is unknown."""
    unclosed: bool = False
    """The database of the snapshot may lack rows of the file: it is restored as a file whose run was killed."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The content of a manifest."""

    name: str
    """The name of its folder, which is the moment when it was begun (UTC)."""
    software: str
    schema: str
    """The last schema step of the database."""
    database: SnapshotFile
    files: Mapping[str, SnapshotFile]
    """By their paths in the archive, with slashes."""


@dataclass(frozen=True, slots=True)
class Read:
    """The result of reading a file."""

    size: int
    sha256: str
    prefix: str | None
    """SHA-256 (hex) of the first `prefix_size` bytes; None where the file is shorter."""


def is_backup(folder: Path) -> bool:
    """Return whether the folder is a backup by this program. Raises `BackupRefused` for another version's, OSError."""
    try:
        marker = json.loads((folder / MARK).read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    if not isinstance(marker, dict) or "clinic-archive backup" not in marker:
        return False
    if marker["clinic-archive backup"] != FORMAT:
        raise BackupRefused(f"{folder}: a backup by another version of this program; update clinic-archive to use it")
    return True


def write_marker(folder: Path) -> None:
    """Mark the folder as a backup. Raises OSError."""
    write_text(folder / MARK, json.dumps({"clinic-archive backup": FORMAT}) + "\n")


def stamps(folder: Path) -> list[str]:
    """Return the names of the finished snapshots of a backup, oldest first."""
    if not (folder / SNAPSHOTS).is_dir():
        return []
    return sorted(path.name for path in (folder / SNAPSHOTS).iterdir() if STAMP.fullmatch(path.name))


def read_snapshot(folder: Path, name: str) -> Snapshot:
    """Return a snapshot by its manifest. Raises `BackupDamaged`, OSError."""
    path = folder / SNAPSHOTS / name / MANIFEST
    try:
        manifest = json.loads(path.read_text("utf-8"))
        files = {file: SnapshotFile(**values) for file, values in manifest["files"].items()}
        database = SnapshotFile(**manifest["database"])
        snapshot = Snapshot(name, manifest["software"], manifest["schema"], database, files)
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupDamaged(f"{path}: not a valid manifest ({error})") from error
    outside = [file for file in files if PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts]
    if outside:
        raise BackupDamaged(f"{path}: names files outside an archive: {', '.join(outside)}")
    return snapshot


def write_manifest(part: Path, snapshot: Snapshot) -> None:
    """Write the manifest into the snapshot's unfinished folder. Raises OSError."""
    manifest: dict[str, Any] = {
        "snapshot": snapshot.name,
        "software": snapshot.software,
        "schema": snapshot.schema,
        "database": asdict(snapshot.database),
        "files": {name: asdict(file) for name, file in snapshot.files.items()},
    }
    write_text(part / MANIFEST, json.dumps(manifest, indent=0, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a small file that only the owner may read; it gets its name once it is whole and on the disk."""
    part = path.with_name(path.name + PART)
    with _opened(part) as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def read_through(
    source: Path, *, limit: int | None = None, prefix_size: int = 0, into: IO[bytes] | None = None
) -> Read:
    """Read a file up to its end or for `limit` bytes, and write what is read to `into`.

    `prefix_size`: the number of first bytes whose digest is `Read.prefix`. Raises `SourceUnreadable` for an error of
    the source, other OSErrors for an error of `into`.
    """
    size, digest, prefix = 0, hashlib.sha256(), None
    try:
        opened = source.open("rb", buffering=0)
    except OSError as error:
        raise SourceUnreadable(error.errno, error.strerror, str(source)) from error
    with opened:
        while True:
            if size == prefix_size:
                prefix = digest.hexdigest()
            ends = [end for end in (limit, prefix_size) if end is not None and end > size]
            length = min([BLOCK, *(end - size for end in ends)]) if size != limit else 0
            try:
                block = opened.read(length)
            except OSError as error:
                raise SourceUnreadable(error.errno, error.strerror, str(source)) from error
            if not block:
                return Read(size, digest.hexdigest(), prefix)
            if into is not None:
                into.write(block)
            digest.update(block)
            size += len(block)


def copy_through(source: Path, target: Path, *, limit: int | None = None, prefix_size: int = 0) -> Read:
    """Copy a file, readable by the owner alone; return once the copy is on the disk. Otherwise as `read_through`."""
    with _opened(target) as file:
        content = read_through(source, limit=limit, prefix_size=prefix_size, into=file)
        file.flush()
        os.fsync(file.fileno())
    return content


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, for the owner alone and on the disk. Raises OSError."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700)
    sync_folder(folder.parent)


def _opened(path: Path) -> IO[bytes]:
    # Copies hold what commenters wrote, with their names, and the key of their pseudonyms.
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
