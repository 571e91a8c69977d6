"""How an archive stands now: each clinic's last visit and how long ago it was observed, the run that goes on, the disk.

Only rows, names and sizes of files are read: nothing here waits for a writer, or gets in the way of one.
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
from typing import Any, NamedTuple

from archive.db import DATABASE
from archive.lock import is_locked
from archive.reports.integrity import Verified, last_result

WINDOW = 30  # days over which growth is measured
DEFAULT_AGE = 36 * 3600.0  # seconds: a daily visit may be half a day late
STATES = ("stale", "fresh", "closed", "no blog", "unreachable", "not known", "not visited")
# What captures lie in: those of visits, and those that others made.
FOLDERS = ("warc", "imports")
# riverside-20260301093000-0123abcd-00000.warc.gz, or .open while it is written
_STAMP = re.compile(r"-(\d{14})-[0-9a-f]{8}-\d{5}\.warc\.gz")


@dataclass(frozen=True, slots=True)
class ClinicStatus:
    """A clinic's last visit; moments are ISO 8601 UTC, None where there is none, numbers None where none was told."""

    clinic_id: str
    name: str
    blog_status: str
    posts: int
    visited_at: str | None
    status: str | None  # of the last visit, as in `clinic_runs`
    limited: int  # 1: it was asked for the newest posts only
    complete: int  # 1: it asked for every post, and all of them answered
    note: str | None
    failed: int | None  # posts that it could not read
    waiting: int | None  # posts that were due, and left for another visit
    problems: int
    unread: int  # posts that a sitemap, feed, listing or page named, and no visit has read
    # Start of the last visit that ended well, under no limit. A post that could not be read, or waits for its day,
    # makes no clinic stale, while the view `coverage` calls such a day a partial one.
    observed_at: str | None
    ended_at: str | None  # of the last visit that was not cut short, however it went
    # Start of its first visit; where none was ever begun, of the archive's first run. None: it is not visited.
    awaited_since: str | None
    age: float | None  # seconds since `observed_at`
    awaited: float | None  # seconds since `awaited_since`

    @property
    def expected(self) -> bool:
        """It is visited, and is known to have a blog, or to have had one."""
        with_blog = self.blog_status == "blog" or self.posts > 0
        return self.visited_at is not None and self.blog_status != "closed" and with_blog

    @property
    def unanswered(self) -> bool:
        """Nobody knows yet whether it has a blog: no visit to it was begun, or each was cut short."""
        return not self.expected and self.blog_status in ("unknown", "unreachable") and self.ended_at is None

    def is_stale(self, max_age: float) -> bool:
        """It was not observed within so many seconds, although it should have been."""
        if self.unanswered:
            return self.awaited is not None and self.awaited > max_age
        return self.expected and (self.age is None or self.age > max_age)

    def standing(self, max_age: float) -> str:
        """One of `STATES`."""
        if self.is_stale(max_age):
            return "stale"
        if self.expected:
            return "fresh"
        if self.blog_status == "closed" or self.visited_at is None:
            return "closed" if self.blog_status == "closed" else "not visited"
        return {"unreachable": "unreachable", "unknown": "not known"}.get(self.blog_status, "no blog")


class Running(NamedTuple):
    """A visit that has not said that it ended: it goes on, or was killed."""

    clinic_id: str
    started_at: str


@dataclass(frozen=True, slots=True)
class Disk:
    """Sizes in bytes. What a day adds is None before there is a day to measure."""

    free: int
    database: int
    wal: int
    captures: int  # WARC files, those of others included
    files: int
    captures_in_window: int  # WARC files of visits begun in the last `WINDOW` days
    captures_a_day: float | None  # the same as a mean
    database_a_day: float | None  # an estimate: the size today over the days since the first visit
    days_left: float | None  # an estimate: until the disk is full, if both go on like that


@dataclass(frozen=True, slots=True)
class Status:
    """The archive as it stands at the moment `at`."""

    at: str
    clinics: list[ClinicStatus]
    held: bool | None  # somebody writes to it now; None where the system does not tell
    running: list[Running]
    disk: Disk
    verified: Verified | str | None  # in words where the record cannot be read, None where there is none

    @property
    def runs(self) -> str:
        """Whether a run goes on, in words."""
        names = ", ".join(f"{one.clinic_id} since {one.started_at[:16].replace('T', ' ')}" for one in self.running)
        if self.held:
            return f"goes on: {names}" if names else "a command holds the archive"
        if not names:
            return "none goes on"
        killed = "goes on, or was killed" if self.held is None else "was killed; the next one mends it"
        return f"{killed}: {names}"

    @property
    def verify_failed(self) -> bool:
        """The last verification found faults."""
        return isinstance(self.verified, Verified) and self.verified.faults > 0

    def stale(self, max_age: float) -> list[ClinicStatus]:
        """The clinics that were not observed within so many seconds, although they should have been."""
        return [one for one in self.clinics if one.is_stale(max_age)]

    def in_order(self, max_age: float) -> list[ClinicStatus]:
        """All clinics, the stale ones first."""
        return sorted(self.clinics, key=lambda one: not one.is_stale(max_age))


# The newest of a clinic's visits, found by index.
_NEWEST = (
    "SELECT r.{0} FROM clinic_runs AS r JOIN crawls AS k ON k.crawl_id = r.crawl_id WHERE r.clinic_id = c.clinic_id AND"
    " (k.kind IS NULL OR k.kind = 'crawl') {1} ORDER BY r.started_at DESC LIMIT 1"
)
_OLDEST = _NEWEST.format("started_at", "").replace("DESC", "ASC")
_CLINICS = f"""
SELECT
  c.clinic_id, c.name, CASE WHEN c.closed_on <= substr(?1, 1, 10) THEN 'closed' ELSE c.blog_status END,
  (SELECT count(*) FROM posts AS p WHERE p.clinic_id = c.clinic_id),
  v.started_at, v.status, coalesce(v.limited, 0), coalesce(v.complete, 0), v.note, v.failed, v.waiting,
  (SELECT count(*) FROM problems AS p WHERE p.clinic_id = v.clinic_id AND p.happened_at >= v.started_at
    AND p.crawl_id = v.crawl_id),
  coalesce(u.unread, 0),
  ({_NEWEST.format("started_at", "AND r.status = 'done' AND coalesce(r.limited, 0) = 0 AND r.started_at <= ?1")}),
  ({_NEWEST.format("ended_at", "AND r.status NOT IN ('running', 'cut-short')")}),
  CASE WHEN EXISTS (SELECT 1 FROM clinic_runs AS r WHERE r.clinic_id = c.clinic_id) THEN ({_OLDEST})
    ELSE (SELECT min(started_at) FROM crawls WHERE kind IS NULL OR kind = 'crawl') END
FROM clinics AS c LEFT JOIN clinic_runs AS v ON v.rowid = ({_NEWEST.format("rowid", "")}) LEFT JOIN (
  SELECT clinic_id, count(DISTINCT url) AS unread FROM sightings INDEXED BY idx_sightings_post_id_seen_at
  WHERE post_id IS NULL GROUP BY clinic_id
) AS u ON u.clinic_id = c.clinic_id
ORDER BY c.clinic_id
"""


def read_status(connection: sqlite3.Connection, folder: Path, now: datetime) -> Status:
    """How the archive in `folder`, which `connection` reads, stands at the moment `now` (aware).

    Raises `sqlite3.Error`, OSError where the disk does not answer.
    """
    return Status(
        at=now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), clinics=clinics(connection, now), held=is_locked(folder),
        running=[
            Running(*row)
            for row in connection.execute(
                "SELECT clinic_id, started_at FROM clinic_runs WHERE status = 'running' ORDER BY started_at"
            )
        ],
        disk=disk(connection, folder, now), verified=last_result(folder),
    )  # fmt: skip


def clinics(connection: sqlite3.Connection, now: datetime) -> list[ClinicStatus]:
    """Every clinic, by its short name. Raises `sqlite3.Error`.

    A visit that a wrong clock dated later than `now` is no sign that the clinic was observed of late.
    """
    found = []
    for row in connection.execute(_CLINICS, (f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",)):
        *_, observed_at, _, awaited_since = row
        ages = ((now - at).total_seconds() if at else None for at in map(_moment, (observed_at, awaited_since)))
        told: tuple[Any, ...] = (*row, *ages)
        found.append(ClinicStatus(*told))
    return found


def disk(connection: sqlite3.Connection, folder: Path, now: datetime) -> Disk:
    """What the archive takes, and what is left. Raises `sqlite3.Error`, OSError."""
    total = files = lately = 0
    since = f"{now.astimezone(UTC) - timedelta(days=WINDOW):%Y%m%d%H%M%S}"
    for name, size in _captures(folder):
        total, files = total + size, files + 1
        stamp = _STAMP.search(name)
        if stamp and stamp[1] >= since:
            lately += size
    free, database = shutil.disk_usage(folder).free, _size(folder / DATABASE)
    (first,) = connection.execute("SELECT min(started_at) FROM clinic_runs").fetchone()
    begun = _moment(first)
    days = (now - begun).total_seconds() / 86400 if begun else 0.0
    captures_a_day = lately / min(days, WINDOW) if days >= 1 else None
    database_a_day = database / days if days >= 1 else None
    grows = (captures_a_day or 0.0) + (database_a_day or 0.0)
    return Disk(
        free, database, _size(folder / f"{DATABASE}-wal"), total, files, lately, captures_a_day, database_a_day,
        free / grows if grows else None,
    )  # fmt: skip


def _moment(text: str | None) -> datetime | None:
    """None for what is no moment: rows that others wrote need not be ours."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _captures(folder: Path) -> Iterator[tuple[str, int]]:
    """Name and size of every file of captures; what is renamed or taken away meanwhile is passed over."""
    waiting = [str(folder / top) for top in FOLDERS]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
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


def facts(told: Status) -> list[tuple[str, str]]:
    """What is to be said of the archive itself, as pairs of a word and a line."""
    on_disk = told.disk
    captures = f"{size(on_disk.captures)} in {on_disk.files:,} files"
    if on_disk.captures_a_day is not None and on_disk.files:
        captures += (
            f"; {size(on_disk.captures_in_window)} of it from the last {WINDOW} days, {size(on_disk.captures_a_day)}"
            " a day"
        )
    database = size(on_disk.database) + (f", and {size(on_disk.wal)} not yet moved into it" if on_disk.wal else "")
    if on_disk.database_a_day is not None:
        database += f"; {size(on_disk.database_a_day)} a day (an estimate: its size over its age)"
    free = f"{size(on_disk.free)} free"
    if on_disk.days_left is not None:
        days = on_disk.days_left
        free += ", enough for " + ("ten years or more" if days > 3650 else f"about {days:,.0f} days") + " (an estimate)"
    return [
        ("run", told.runs), ("database", database), ("captures", captures), ("disk", free),
        ("verified", verified_in_words(told.verified)),
    ]  # fmt: skip


def verified_in_words(found: Verified | str | None) -> str:
    """When it was last verified, and with what result."""
    if not isinstance(found, Verified):
        return found or "not yet: clinic-archive verify does it"
    faults = f"{found.faults:,} fault{'' if found.faults == 1 else 's'}" if found.faults else "all as stored"
    what = f"{found.captures:,} captures" if found.whole else f"a sample of {found.captures:,} captures"
    return f"{found.at[:16].replace('T', ' ')}, {what}: {faults}"


def age(seconds: float | None) -> str:
    """ "50 min", "7 h", "12 d"; "never" without one."""
    if seconds is None:
        return "never"
    minutes = max(seconds, 0) / 60
    return (
        f"{minutes:.0f} min"
        if minutes < 90
        else f"{minutes / 60:.0f} h"
        if minutes < 2880
        else f"{minutes / 1440:.0f} d"
    )


def size(number: float) -> str:
    """Bytes as "12 kB", "3.4 MB", "1.25 GB"."""
    for unit, digits, one in (("GB", 2, 1e9), ("MB", 1, 1e6)):
        if number >= one:
            return f"{number / one:,.{digits}f} {unit}"
    return f"{number / 1e3:,.0f} kB"
