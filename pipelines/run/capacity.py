"""How many clinics this machine can serve at once: bounded by open files and by memory, not by a fixed number."""

from __future__ import annotations

import resource
from pathlib import Path

MAX_VISITS = 300
FILES_EACH, FILES_KEPT = 8, 200  # file descriptors of a visit: WARC, connections, DNS; and of everything else
MEMORY_EACH = 8_000_000  # bytes of a visit; 2 MB with small blogs, more with thousands of known posts
MEMINFO = Path("/proc/meminfo")


def parallel_visits() -> int:
    """Return the number of clinics that are visited at once, at least 1 and at most `MAX_VISITS`.

    The soft limit of open files is raised to the hard limit. At most half of the memory that is available now is used.
    """
    bounds = [MAX_VISITS, (_open_files() - FILES_KEPT) // FILES_EACH]
    available = available_memory(MEMINFO)
    if available is not None:
        bounds.append(available // 2 // MEMORY_EACH)
    return max(1, min(bounds))


def _open_files() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):  # macOS reports a hard limit that it does not grant
        return soft
    return hard


def available_memory(meminfo: Path) -> int | None:
    """Return the bytes of memory that can be used without swapping; None where the system does not say.

    The line of Linux: "MemAvailable:   23123456 kB".
    """
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    found = next((line for line in lines if line.startswith("MemAvailable:")), "")
    fields = found.split()
    return int(fields[1]) * 1024 if len(fields) == 3 and fields[1].isdigit() else None
