"""How continuously the clinics were observed: days counted by state, gaps, and what was read in the period.

The view `coverage` decides the state of each day; here its days are counted.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import groupby
from typing import Any

from archive.db import views
from archive.reports.united import united

DAY_STATES = ("observed", "partial", "failed", "refused", "not-attempted", "no-blog", "closed")
# States of days without a blog to observe: they are not part of a gap, and not counted when shares are computed.
OUTSIDE = ("no-blog", "closed")


@dataclass(frozen=True, slots=True)
class Gap:
    """Consecutive days, from the first to the last, none of which was observed."""

    clinic_id: str
    first: str
    last: str
    days: int


@dataclass(frozen=True, slots=True)
class Covered:
    """A clinic's days in the period, counted by state, and its gaps, the longest first."""

    clinic_id: str
    # "blog", "none" (no visit found a blog), "unread" (its site is on a platform that is not read), "unknown" (no visit
    # could tell)
    blog: str
    first: str
    last: str
    states: dict[str, int]
    visits: int
    complete_visits: int
    gaps: list[Gap]
    platform: str | None = None  # of its site, also where it is not read; None: not recognised
    doubtful_days: int = 0  # days with an answer that was something else than the page (`captures.quality`)
    doubtful_missed: int = 0  # those of them that were not observed

    @property
    def days(self) -> int:
        """The number of days with a blog to observe, as far as is known."""
        within = sum(number for state, number in self.states.items() if state not in OUTSIDE)
        return 0 if self.blog == "none" else within


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was observed in a period from `first` to `last` (ISO dates, both included; None if it has no days)."""

    first: str | None
    last: str | None
    clinics: list[Covered]
    posts: int = 0
    edits: int = 0
    readings: int = 0
    not_due: int = 0  # requests left out: a visit did not ask for a known post, since nothing said that it had changed
    software: tuple[str, ...] = ()

    @property
    def states(self) -> dict[str, int]:
        """Clinic-days by state, without the clinics that have no blog."""
        counts = [clinic.states for clinic in self.clinics if clinic.blog != "none"]
        return {state: sum(count[state] for count in counts) for state in DAY_STATES}

    @property
    def days(self) -> int:
        """The number of clinic-days with a blog to observe."""
        return sum(clinic.days for clinic in self.clinics)

    @property
    def visits(self) -> int:
        """The number of visits to all clinics."""
        return sum(clinic.visits for clinic in self.clinics)

    @property
    def complete_visits(self) -> int:
        """The number of complete visits."""
        return sum(clinic.complete_visits for clinic in self.clinics)

    @property
    def doubtful_days(self) -> int:
        """The number of clinic-days with an answer that was something else than the page."""
        return sum(clinic.doubtful_days for clinic in self.clinics if clinic.blog != "none")

    @property
    def doubtful_missed(self) -> int:
        """The number of these clinic-days that were not observed."""
        return sum(clinic.doubtful_missed for clinic in self.clinics if clinic.blog != "none")

    @property
    def gaps(self) -> list[Gap]:
        """The gaps of all clinics, the longest first."""
        return longest_first(gap for clinic in self.clinics for gap in clinic.gaps)


@cache
def day_by_day() -> str:
    """Return the SELECT of the view `coverage` of this version as a subquery.

    Until a command writes to it, an archive has the views of the version before an upgrade, or none.
    """
    return f"({views()['coverage']}\n)"


def read_coverage(
    connections: Sequence[sqlite3.Connection],
    clinics: Sequence[str] = (),
    first: date | None = None,
    last: date | None = None,
) -> Coverage:
    """Return what was observed of the clinics (all if none is named) from `first` to `last`, or over the whole archive.

    Several archives of one frame, such as its shards, count as one. Raises `sqlite3.Error`.
    """
    chosen = f" AND clinic_id IN ({','.join('?' * len(clinics))})" if clinics else ""
    sql = (
        f"SELECT clinic_id, day, state, runs, complete_runs, coalesce(doubtful, 0) FROM {day_by_day()} WHERE day >= ?"
        f" AND day <= ?{chosen} ORDER BY clinic_id, day"
    )
    given = (first.isoformat() if first else "", last.isoformat() if last else "9", *clinics)
    rows = united([connection.execute(sql, given).fetchall() for connection in connections])
    if not rows:
        return Coverage(None, None, [])
    blogs = _blogs(connections)
    covered = [_covered(clinic_id, *blogs[clinic_id], list(days)) for clinic_id, days in groupby(rows, lambda r: r[0])]
    begin, end = min(clinic.first for clinic in covered), max(clinic.last for clinic in covered)
    chosen_ids = [clinic.clinic_id for clinic in covered]
    totals = [_totals(connection, chosen_ids, begin, end) for connection in connections]
    software = sorted({name for *_, names in totals for name in names})
    posts, edits, readings, not_due = (sum(each) for each in zip(*(total[:4] for total in totals), strict=True))
    return Coverage(begin, end, covered, posts, edits, readings, not_due, tuple(software))


def _covered(clinic_id: str, blog: str, platform: str | None, rows: list[tuple[Any, ...]]) -> Covered:
    states = Counter(row[2] for row in rows)
    return Covered(
        clinic_id=clinic_id,
        blog=blog,
        first=rows[0][1],
        last=rows[-1][1],
        states={state: states[state] for state in DAY_STATES},
        visits=sum(row[3] for row in rows),
        complete_visits=sum(row[4] for row in rows),
        gaps=[] if blog == "none" else _gaps(clinic_id, rows),
        doubtful_days=sum(row[5] > 0 for row in rows),
        doubtful_missed=sum(row[5] > 0 and row[2] != "observed" for row in rows),
        platform=platform,
    )


def _gaps(clinic_id: str, rows: list[tuple[Any, ...]]) -> list[Gap]:
    """Return a clinic's gaps. The view has a row for every day, so consecutive rows are consecutive days."""
    gaps = []
    for missed, run in groupby(rows, lambda row: row[2] != "observed" and row[2] not in OUTSIDE):
        if missed:
            days = [row[1] for row in run]
            gaps.append(Gap(clinic_id, days[0], days[-1], len(days)))
    return longest_first(gaps)


def longest_first(gaps: Iterable[Gap]) -> list[Gap]:
    """Sort gaps, the longest first; gaps of equal length by date."""
    return sorted(gaps, key=lambda gap: (-gap.days, gap.first, gap.clinic_id))


# From what a visit found to what says least.
_BLOGS = ("blog", "none", "unread", "unknown")


def _blogs(connections: Iterable[sqlite3.Connection]) -> dict[str, tuple[str, str | None]]:
    """Return for each clinic whether a visit ever found a blog (`Covered.blog`), and its platform."""
    found: dict[str, tuple[str, str | None]] = {}
    for connection in connections:
        for clinic_id, blog, platform in connection.execute(
            "SELECT clinic_id, CASE WHEN blog_status = 'blog' OR EXISTS (SELECT 1 FROM posts WHERE posts.clinic_id ="
            " clinics.clinic_id) THEN 'blog' WHEN blog_status = 'none_found' THEN 'none' WHEN blog_status ="
            " 'unsupported' THEN 'unread' ELSE 'unknown' END, coalesce(maker, platform) FROM clinics"
        ):
            other = found.get(clinic_id)
            if other is None or _BLOGS.index(blog) < _BLOGS.index(other[0]):
                found[clinic_id] = (blog, platform)
    return found


_VISIT = "captures.crawl_id IN (SELECT crawl_id FROM crawls WHERE kind IS NULL OR kind = 'crawl')"


def _totals(
    connection: sqlite3.Connection, clinics: list[str], first: str, last: str
) -> tuple[int, int, int, int, tuple[str, ...]]:
    """Count what visits in the period recorded: posts, edits, readings, posts not due; and name their software."""
    marks = ",".join("?" * len(clinics))
    after = (date.fromisoformat(last) + timedelta(days=1)).isoformat()
    (posts,) = connection.execute(
        f"SELECT count(*) FROM posts WHERE clinic_id IN ({marks}) AND EXISTS (SELECT 1 FROM sightings JOIN captures"
        " USING (capture_id) WHERE sightings.post_id = posts.post_id AND sightings.source = 'post' AND seen_at >= ? AND"
        f" seen_at < ? AND {_VISIT})",
        (*clinics, first, after),
    ).fetchone()
    (edits,) = connection.execute(
        "SELECT count(DISTINCT post_id || coalesce(crawl_id, '') || content_sha256) FROM revisions JOIN captures USING"
        " (capture_id) WHERE kind = 'content' AND captured_at >= ?"
        f" AND captured_at < ? AND captures.clinic_id IN ({marks}) AND {_VISIT}",
        (first, after, *clinics),
    ).fetchone()
    (readings,) = connection.execute(
        "SELECT count(*) FROM readings JOIN captures USING (capture_id) WHERE evidence = 'read' AND read_at >= ? AND"
        f" read_at < ? AND captures.clinic_id IN ({marks}) AND {_VISIT}",
        (first, after, *clinics),
    ).fetchone()
    (not_due,) = connection.execute(
        "SELECT coalesce(sum(not_due), 0) FROM clinic_runs JOIN crawls USING (crawl_id) WHERE (kind IS NULL OR kind ="
        f" 'crawl') AND clinic_id IN ({marks}) AND clinic_runs.started_at >= ? AND clinic_runs.started_at < ?",
        (*clinics, first, after),
    ).fetchone()
    software = connection.execute(
        "SELECT DISTINCT software FROM crawls WHERE (kind IS NULL OR kind = 'crawl') AND crawl_id IN (SELECT crawl_id"
        f" FROM clinic_runs WHERE clinic_id IN ({marks}) AND started_at >= ? AND started_at < ?) ORDER BY software",
        (*clinics, first, after),
    ).fetchall()
    return posts, edits, readings, not_due, tuple(row[0] for row in software)
