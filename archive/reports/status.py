"""The status of an archive now: each clinic's last visit and when it was last observed, visits in progress, the disk.

Reads only rows and the names and sizes of files: it waits for no writer and blocks none.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from archive.lock import is_locked
from archive.reports.disk import Disk, disk, parse_time
from archive.reports.integrity import Verified, last_result
from archive.times import utc, utc_seconds

DEFAULT_AGE = 36 * 3600.0  # seconds: a daily visit may be half a day late
CLINIC_STATES = ("stale", "fresh", "closed", "no blog", "not read", "unreachable", "not known", "not visited")


@dataclass(frozen=True, slots=True)
class ClinicStatus:
    """A clinic's last visit. Times are ISO 8601 UTC, None if there is none; a number is None if no run recorded it."""

    clinic_id: str
    name: str
    blog_status: str
    posts: int
    visited_at: str | None
    status: str | None  # of the last visit, as in `clinic_runs`
    limited: int  # 1: the visit was limited to the newest posts
    complete: int  # 1: the visit asked for every post, and all of them answered
    note: str | None
    failed: int | None  # posts that the visit could not read
    waiting: int | None  # posts that were due but left for a later visit
    problems: int
    doubtful: int  # answers of the visit that were something else than the page (`captures.quality`)
    unread: int  # posts that a sitemap, feed, listing or page named, and no visit has read
    # Start of the last visit that ended successfully and had no limit. A post that could not be read, or waits for a
    # later visit, makes no clinic stale, while the view `coverage` calls such a day partial.
    observed_at: str | None
    ended_at: str | None  # end of the last visit that was not cut short, whatever its result
    # Start of the clinic's first visit; if it has none, of the archive's first run. None: the clinic is not visited.
    awaited_since: str | None
    age: float | None  # seconds since `observed_at`
    awaited: float | None  # seconds since `awaited_since`

    @property
    def expected(self) -> bool:
        """Whether the clinic is visited, and is known to have a blog or to have had one."""
        with_blog = self.blog_status == "blog" or self.posts > 0
        return self.visited_at is not None and self.blog_status != "closed" and with_blog

    @property
    def unanswered(self) -> bool:
        """Whether it is not known yet if the clinic has a blog: it had no visit, or every visit was cut short."""
        return not self.expected and self.blog_status in ("unknown", "unreachable") and self.ended_at is None

    def is_stale(self, max_age: float) -> bool:
        """Whether the clinic should have been observed in the last `max_age` seconds, and was not."""
        if self.unanswered:
            return self.awaited is not None and self.awaited > max_age
        return self.expected and (self.age is None or self.age > max_age)

    def state(self, max_age: float) -> str:
        """Return the clinic's state, one of `CLINIC_STATES`."""
        if self.is_stale(max_age):
            return "stale"
        if self.expected:
            return "fresh"
        if self.blog_status == "closed" or self.visited_at is None:
            return "closed" if self.blog_status == "closed" else "not visited"
        others = {"unreachable": "unreachable", "unknown": "not known", "unsupported": "not read"}
        return others.get(self.blog_status, "no blog")


class RunningVisit(NamedTuple):
    """A visit whose end is not recorded: it is in progress, or was killed."""

    clinic_id: str
    started_at: str


@dataclass(frozen=True, slots=True)
class Status:
    """The status of the archive at the time `at`."""

    at: str
    clinics: list[ClinicStatus]
    held: bool | None  # whether a process holds the archive's lock; None if the system cannot tell
    running: list[RunningVisit]
    disk: Disk
    verified: Verified | str | None  # a text if the result cannot be read, None if there is none

    @property
    def verify_failed(self) -> bool:
        """Whether the last verification found faults."""
        return isinstance(self.verified, Verified) and self.verified.faults > 0

    def stale(self, max_age: float) -> list[ClinicStatus]:
        """Return the clinics that should have been observed in the last `max_age` seconds, and were not."""
        return [clinic for clinic in self.clinics if clinic.is_stale(max_age)]

    def in_order(self, max_age: float) -> list[ClinicStatus]:
        """Return all clinics, the stale ones first."""
        return sorted(self.clinics, key=lambda clinic: not clinic.is_stale(max_age))


# The newest of a clinic's visits, found by index.
_NEWEST = (
    "SELECT r.{0} FROM clinic_runs AS r JOIN crawls AS k ON k.crawl_id = r.crawl_id WHERE r.clinic_id = c.clinic_id AND"
    " (k.kind IS NULL OR k.kind = 'crawl') {1} ORDER BY r.started_at DESC LIMIT 1"
)
_OLDEST = _NEWEST.format("started_at", "").replace("DESC", "ASC")
# The columns are the fields of `ClinicStatus` in their order, except the last two.
_CLINICS = f"""
SELECT
  c.clinic_id, c.name, CASE WHEN c.closed_on <= substr(?1, 1, 10) THEN 'closed' ELSE c.blog_status END,
  (SELECT count(*) FROM posts AS p WHERE p.clinic_id = c.clinic_id),
  v.started_at, v.status, coalesce(v.limited, 0), coalesce(v.complete, 0), v.note, v.failed, v.waiting,
  (SELECT count(*) FROM problems AS p WHERE p.clinic_id = v.clinic_id AND p.happened_at >= v.started_at
    AND p.crawl_id = v.crawl_id),
  (SELECT count(*) FROM captures AS d WHERE d.clinic_id = v.clinic_id AND d.crawl_id = v.crawl_id
    AND d.quality IS NOT NULL),
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
    """Return the status at the time `now` (aware) of the archive in `folder`, whose database is `connection`.

    Raises `sqlite3.Error`, and OSError if the disk cannot be read.
    """
    running = connection.execute(
        "SELECT clinic_id, started_at FROM clinic_runs WHERE status = 'running' ORDER BY started_at"
    )
    return Status(
        at=utc_seconds(now),
        clinics=clinics(connection, now),
        held=is_locked(folder),
        running=[RunningVisit(*row) for row in running],
        disk=disk(connection, folder, now),
        verified=last_result(folder),
    )


def clinics(connection: sqlite3.Connection, now: datetime) -> list[ClinicStatus]:
    """Return the status of every clinic, ordered by `clinic_id`. Raises `sqlite3.Error`.

    A visit that starts later than `now`, because a clock was wrong, does not count as an observation.
    """
    statuses = []
    for row in connection.execute(_CLINICS, (utc(now),)):
        *_, observed_at, _, awaited_since = row
        times = (parse_time(text) for text in (observed_at, awaited_since))
        ages = ((now - time).total_seconds() if time else None for time in times)
        values: tuple[Any, ...] = (*row, *ages)
        statuses.append(ClinicStatus(*values))
    return statuses
