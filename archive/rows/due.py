"""Which clinics are due: a clinic's visits in the archive decide it, never the queue."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from archive.rows.runs import KILLED
from archive.times import utc

MAX_KILLS = 4  # visits in a row that the death of their worker ended, after which a clinic waits for its next day
# Visits dated later than now, by a wrong clock, are ignored.
_LAST = (
    "SELECT r.status, r.started_at, coalesce(r.ended_at, r.started_at), r.note FROM clinic_runs AS r JOIN crawls AS k"
    " USING (crawl_id) WHERE r.clinic_id = ? AND coalesce(k.kind, 'crawl') = 'crawl' AND r.status <> 'running' AND"
    f" r.started_at <= ? ORDER BY r.started_at DESC LIMIT {MAX_KILLS + 2}"
)


class Due(NamedTuple):
    """A clinic, and since when it is due: ISO 8601 UTC, "" if it was never visited."""

    slug: str
    since: str


class Past(NamedTuple):
    """Since when a clinic is or will be due, and how many of its last visits ended with their worker's death."""

    since: str
    killed: int


def past_of(connection: sqlite3.Connection, slug: str, every: timedelta, now: datetime) -> Past:
    """Return what follows from the clinic's last visits. Raises `sqlite3.Error`.

    It is due `every` after the start of its last visit, and at once after one that was cut short, if the visit before
    was not. Visits that were killed do not count, so that the message that is delivered again is the same.
    """
    visits = connection.execute(_LAST, (slug, utc(now))).fetchall()
    killed = next((place for place, visit in enumerate(visits) if visit[3] != KILLED), len(visits))
    others = visits[killed:]
    if not others:
        return Past("", killed)
    status, started, ended, _ = others[0]
    if status == "cut-short" and [visit[0] for visit in others[:2]] != ["cut-short", "cut-short"]:
        return Past(ended, killed)
    return Past(utc(datetime.fromisoformat(started) + every), killed)


def due_clinics(
    connection: sqlite3.Connection | None, slugs: Iterable[str], every: timedelta, now: datetime
) -> list[Due]:
    """Return the clinics that are due, those that waited longest first; all where there is no archive yet (None).

    Raises `sqlite3.Error`.
    """
    found = (Due(slug, past_of(connection, slug, every, now).since if connection else "") for slug in slugs)
    return sorted((each for each in found if each.since <= utc(now)), key=lambda each: (each.since, each.slug))
