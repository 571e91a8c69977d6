"""Whether two databases are of one archive: a copy, a backup, or an older state of it.

Archives of one frame have the same key. Each run has an id of its own, and a copy has the runs of its original.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from archive.backup.snapshots import SNAPSHOTS, stamps
from archive.db import DATABASE


def are_of_one(path: Path, other: Path) -> bool:
    """Return whether two databases have a run in common, or one has none. Raises `sqlite3.Error`."""
    runs, others = _runs(path), _runs(other)
    return not runs or not others or not runs.isdisjoint(others)


def is_of_another(archive: Path, backup: Path) -> bool:
    """Return whether the newest snapshot of a backup is of another archive; not where it cannot be read."""
    newest = stamps(backup)[-1:]
    try:
        return bool(newest) and not are_of_one(archive / DATABASE, backup / SNAPSHOTS / newest[0] / DATABASE)
    except sqlite3.Error:  # it is damaged, which the backup says itself
        return False


def _runs(path: Path) -> set[str]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return {crawl_id for (crawl_id,) in connection.execute("SELECT crawl_id FROM crawls")}
