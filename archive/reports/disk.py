"""The sizes of an archive's files, how fast they grow, and how long the disk will last.

Reads only names and sizes of files, and one date from the database.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archive.db import DATABASE
from archive.times import file_stamp

WINDOW = 30  # days over which growth is measured
LEAST_DAYS = 30  # until the disk is full, at the growth of today
LEAST_SHARE = 0.05  # of the disk that must be free
# Folders with captures: of the archive's own visits, and imported ones.
FOLDERS = ("warc", "imports")
# riverside-20260301093000-0123abcd-00000.warc.gz; with .open at the end while it is written
_STAMP = re.compile(r"-(\d{14})-[0-9a-f]{8}-\d{5,}\.warc\.gz")


@dataclass(frozen=True, slots=True)
class Disk:
    """Sizes in bytes. The growth per day is None during the first day."""

    free: int
    total: int
    database: int
    wal: int
    captures: int  # WARC files, imported ones included
    files: int
    captures_in_window: int  # WARC files of visits that began in the last `WINDOW` days
    captures_a_day: float | None  # the mean of these
    database_a_day: float | None  # an estimate: the size today over the days since the first visit
    days_left: float | None  # an estimate: until the disk is full if both grow on like this

    @property
    def is_short(self) -> bool:
        """Whether the disk will be full within `LEAST_DAYS`, or less than `LEAST_SHARE` of it is free."""
        return self.free < self.total * LEAST_SHARE or (self.days_left is not None and self.days_left < LEAST_DAYS)


def disk(connection: sqlite3.Connection, folder: Path, now: datetime) -> Disk:
    """Measure the files of the archive in `folder` at the time `now` (aware). Raises `sqlite3.Error`, OSError."""
    total = files = in_window = 0
    since = file_stamp(now - timedelta(days=WINDOW))
    for name, file_size in _capture_files(folder):
        total, files = total + file_size, files + 1
        stamp = _STAMP.search(name)
        if stamp and stamp[1] >= since:
            in_window += file_size
    usage, database = shutil.disk_usage(folder), _size(folder / DATABASE)
    (first,) = connection.execute("SELECT min(started_at) FROM clinic_runs").fetchone()
    begun = parse_time(first)
    days = (now - begun).total_seconds() / 86400 if begun else 0.0
    captures_a_day = in_window / min(days, WINDOW) if days >= 1 else None
    database_a_day = database / days if days >= 1 else None
    growth = (captures_a_day or 0.0) + (database_a_day or 0.0)
    return Disk(
        free=usage.free,
        total=usage.total,
        database=database,
        wal=_size(folder / f"{DATABASE}-wal"),
        captures=total,
        files=files,
        captures_in_window=in_window,
        captures_a_day=captures_a_day,
        database_a_day=database_a_day,
        days_left=usage.free / growth if growth else None,
    )


def parse_time(text: str | None) -> datetime | None:
    """Return an ISO 8601 text as an aware datetime (UTC if it names no zone); None if it is no valid time.

    Rows that another program wrote may hold anything.
    """
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _capture_files(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield name and size of every file with captures; skip files that are renamed or removed meanwhile."""
    pending = [str(folder / subfolder) for subfolder in FOLDERS]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    else:
                        with suppress(FileNotFoundError):
                            yield entry.name, entry.stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            continue


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
