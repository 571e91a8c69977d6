"""The lock of an archive: only its holder writes to it, and the worker processes that it starts.

Workers do not hold the lock, which ends with their parent. So each marks itself as alive in another file, and the next
holder waits until those of a killed run have ended: they notice its death at once, but one may be busy.
"""

from __future__ import annotations

import fcntl
import os
import time
from functools import lru_cache
from pathlib import Path

import filelock

from archive.lock import LOCK_FILE

WORKERS_FILE = ".workers"  # what the workers of a run share; its first byte is locked by each that is alive
LONGEST_END = 10.0  # seconds that the workers of a killed run are waited for


class Locked(Exception):
    """Another run writes to this archive."""


@lru_cache(maxsize=64)
def _normalised(archive: str) -> str:
    return str(Path(archive))


def archive_path(archive: str) -> str:
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
    try:
        _wait_for_workers(archive)
    except BaseException:
        lock.release()
        raise
    return lock


def _wait_for_workers(archive: Path) -> None:
    """Return when no worker of an earlier run writes to the archive. Raises `Locked`, OSError."""
    until = time.monotonic() + LONGEST_END
    while are_alive(archive):
        if time.monotonic() > until:
            raise Locked(f"{archive}: worker processes of a killed run are still ending; nothing done, try again")
        time.sleep(0.05)


def are_alive(archive: Path) -> bool:
    """Return whether a worker process of a run lives that visits clinics of the archive. Raises OSError."""
    try:
        descriptor = os.open(archive / WORKERS_FILE, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
    except (BlockingIOError, PermissionError):
        return True
    finally:
        os.close(descriptor)  # also gives the lock back
    return False
