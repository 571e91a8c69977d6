"""Whether somebody writes to an archive now, told without taking part: the lock itself is for writers alone."""

from __future__ import annotations

import os
from pathlib import Path

LOCK_FILE = ".lock"
LOCKS = Path("/proc/locks")  # what the kernel of Linux tells of them


def is_locked(folder: Path) -> bool | None:
    """A process holds the archive's lock; None where the system does not tell.

    Asking the lock itself would take it for a moment, and a crawl that begins in that moment would find it taken.
    """
    try:
        place = (folder / LOCK_FILE).stat()
        lines = LOCKS.read_text("ascii", "replace").splitlines()
    except FileNotFoundError:
        return None if not LOCKS.exists() else False
    except OSError:
        return None
    major, minor = os.major(place.st_dev), os.minor(place.st_dev)
    # "1: FLOCK  ADVISORY  WRITE 23457 fe:00:2166548 0 EOF". File systems without a device of their own (overlay,
    # btrfs) have one number for stat and another here, of which the inode alone is the same.
    ends = f"{major:02x}:{minor:02x}:{place.st_ino}" if major else f":{place.st_ino}"
    return any(" FLOCK " in line and f"{ends} " in line for line in lines)
