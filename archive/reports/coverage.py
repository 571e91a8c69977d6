"""How continuously the clinics were observed: days by what came of them, gaps, and what was read meanwhile.

The view `coverage` is the one place that says what a day came to; here its days are counted.
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

STATES = ("observed", "partial", "failed", "refused", "not-attempted", "no-blog", "closed")
# Days on which there was nothing to observe: neither a gap nor part of what shares are taken of.
OUTSIDE = ("no-blog", "closed")


@dataclass(frozen=True, slots=True)
class Gap:
    """Days in a row, none of them observed, from the first to the last."""

    clinic_id: str
    first: str
    last: str
    days: int


@dataclass(frozen=True, slots=True)
class Covered:
    """A clinic's days within the period, counted by state; its gaps, the longest first."""

    clinic_id: str
    blog: str  # "blog", "none" (no visit found one), "unknown" (no visit came so far)
    first: str
    last: str
    states: dict[str, int]
    visits: int
    complete_visits: int
    gaps: list[Gap]

    @property
    def days(self) -> int:
        """Days on which there was something to observe, as far as is known."""
        within = sum(number for state, number in self.states.items() if state not in OUTSIDE)
        return 0 if self.blog == "none" else within


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was observed between two days (ISO dates, both included; None where no day of the archive lies there)."""

    first: str | None
    last: str | None
    clinics: list[Covered]
    posts: int = 0
    edits: int = 0
    readings: int = 0
    not_due: int = 0  # known posts that visits did not ask for, since nothing said that they had changed
    software: tuple[str, ...] = ()

    @property
    def states(self) -> dict[str, int]:
        """Clinic-days by state, of the clinics that are not without a blog."""
        told = [one.states for one in self.clinics if one.blog != "none"]
        return {state: sum(one[state] for one in told) for state in STATES}

    @property
    def days(self) -> int:
        """Of these, clinic-days on which there was something to observe."""
        return sum(one.days for one in self.clinics)

    @property
    def visits(self) -> int:
        """Visits to all of the clinics."""
        return sum(one.visits for one in self.clinics)

    @property
    def complete_visits(self) -> int:
        """Of these, the complete ones."""
        return sum(one.complete_visits for one in self.clinics)

    @property
    def gaps(self) -> list[Gap]:
        """Of all clinics, the longest first."""
        return longest_first(gap for one in self.clinics for gap in one.gaps)


@cache
def day_by_day() -> str:
    """The view's SELECT: an archive that nobody has written to since an upgrade has yesterday's views, or none."""
    return f"({views()['coverage']}\n)"


def read_coverage(
    connection: sqlite3.Connection, clinics: Sequence[str] = (), first: date | None = None, last: date | None = None
) -> Coverage:
    """What was observed of the clinics (of all, where none is named) in the period, which ends with the archive's days.

    Raises `sqlite3.Error`.
    """
    chosen = f" AND clinic_id IN ({','.join('?' * len(clinics))})" if clinics else ""
    rows = connection.execute(
        f"SELECT clinic_id, day, state, runs, complete_runs FROM {day_by_day()} WHERE day >= ? AND day <= ?"
        f"{chosen} ORDER BY clinic_id, day",
        (first.isoformat() if first else "", last.isoformat() if last else "9", *clinics),
    ).fetchall()
    if not rows:
        return Coverage(None, None, [])
    blogs = _blogs(connection)
    covered = [_covered(clinic_id, blogs[clinic_id], list(days)) for clinic_id, days in groupby(rows, lambda r: r[0])]
    begin, end = min(one.first for one in covered), max(one.last for one in covered)
    return Coverage(begin, end, covered, *_read(connection, [one.clinic_id for one in covered], begin, end))


def _covered(clinic_id: str, blog: str, rows: list[tuple[Any, ...]]) -> Covered:
    states = Counter(row[2] for row in rows)
    return Covered(
        clinic_id, blog, rows[0][1], rows[-1][1], {state: states[state] for state in STATES},
        sum(row[3] for row in rows), sum(row[4] for row in rows), [] if blog == "none" else _gaps(clinic_id, rows),
    )  # fmt: skip


def _gaps(clinic_id: str, rows: list[tuple[Any, ...]]) -> list[Gap]:
    """The view has every day, so rows in a row are days in a row."""
    found = []
    for missed, run in groupby(rows, lambda row: row[2] != "observed" and row[2] not in OUTSIDE):
        if missed:
            days = [row[1] for row in run]
            found.append(Gap(clinic_id, days[0], days[-1], len(days)))
    return longest_first(found)


def longest_first(gaps: Iterable[Gap]) -> list[Gap]:
    """Gaps of equal length by date."""
    return sorted(gaps, key=lambda gap: (-gap.days, gap.first, gap.clinic_id))


def _blogs(connection: sqlite3.Connection) -> dict[str, str]:
    """Whether a visit ever found a blog there."""
    return dict(
        connection.execute(
            "SELECT clinic_id, CASE WHEN blog_status = 'blog' OR EXISTS (SELECT 1 FROM posts WHERE posts.clinic_id ="
            " clinics.clinic_id) THEN 'blog' WHEN blog_status IN ('none_found', 'unsupported') THEN 'none' ELSE"
            " 'unknown' END FROM clinics"
        ).fetchall()
    )


_VISIT = "captures.crawl_id IN (SELECT crawl_id FROM crawls WHERE kind IS NULL OR kind = 'crawl')"


def _read(
    connection: sqlite3.Connection, clinics: list[str], first: str, last: str
) -> tuple[int, int, int, int, tuple[str, ...]]:
    """Posts read, edits met and readings taken by visits in the period, and what program made them."""
    marks = ",".join("?" * len(clinics))
    after = (date.fromisoformat(last) + timedelta(days=1)).isoformat()
    (posts,) = connection.execute(
        f"SELECT count(*) FROM posts WHERE clinic_id IN ({marks}) AND EXISTS (SELECT 1 FROM sightings JOIN captures"
        " USING (capture_id) WHERE sightings.post_id = posts.post_id AND sightings.source = 'post' AND seen_at >= ? AND"
        f" seen_at < ? AND {_VISIT})",
        (*clinics, first, after),
    ).fetchone()
    (edits,) = connection.execute(
        "SELECT count(*) FROM revisions JOIN captures USING (capture_id) WHERE kind = 'content' AND captured_at >= ?"
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
