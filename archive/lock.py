"""Whether a process writes to an archive now, found out without the lock itself, which is for writers alone."""

from __future__ import annotations

import os
from pathlib import Path

LOCK_FILE = ".lock"
LOCKS = Path("/proc/locks")  # the locks that the Linux kernel lists


def is_locked(folder: Path) -> bool | None:
    """Return whether a process holds the archive's lock; None where the system does not list its locks.

    To try the lock would take it for a moment, and a crawl that starts in that moment would find it taken.
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
    # btrfs) have one device number in stat and another in the list; only the inode is the same.
    ends = f"{major:02x}:{minor:02x}:{place.st_ino}" if major else f":{place.st_ino}"
    return any(" FLOCK " in line and f"{ends} " in line for line in lines)
