"""The lock of an archive: only its holder writes to it."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import filelock

from archive.lock import LOCK_FILE


class Locked(Exception):
    """Another run writes to this archive."""


@lru_cache(maxsize=64)
def _normalised(archive: str) -> str:
    return str(Path(archive))


def name_of(archive: str) -> str:
    """Return the absolute path of an archive. Several calls come for each answer, so it does not look at the disk."""
    return _normalised(archive) if archive.startswith("/") else str(Path(archive).absolute())


def tighten_umask() -> None:
    """Let only this user write to the files that this process creates: one that others can change proves nothing."""
    os.umask(os.umask(0o022) | 0o022)


def lock_archive(archive: Path) -> filelock.BaseFileLock:
    """Acquire and return the archive's lock; its `release` frees it. Raises `Locked`, OSError."""
    tighten_umask()
    archive.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(archive / LOCK_FILE)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise Locked(f"{archive}: another run is writing to this archive; nothing done") from error
    return lock
