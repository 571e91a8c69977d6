"""Whether a disk is full.

SQLite reports a full disk as "disk I/O error" where it cannot create a file of its own, as to read a database in WAL
mode.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

FULL = "No space left on device"  # as the system words it
LEAST = 64 * 1024  # bytes: the file that readers of a WAL database share takes 32 KB


def is_full(path: Path) -> bool:
    """Return whether the disk of a path, which need not exist, has no space for SQLite's own files. Raises OSError."""
    existing = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
    return shutil.disk_usage(existing).free < LEAST


def by_full_disk(error: sqlite3.Error, path: Path) -> bool:
    """Return whether SQLite failed because the disk of `path` is full. Raises OSError."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # extended codes have the plain code in their low byte
    return code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and is_full(path))
