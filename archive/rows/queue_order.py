"""Whose turn it is: a run that cannot come to all clinics begins with those that have waited longest."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from archive.times import utc

# Rows that a wrong clock dated later than now would keep a clinic behind all others until then.
_LAST_TWO = (
    "SELECT r.status, r.started_at, coalesce(r.ended_at, r.started_at) FROM clinic_runs AS r JOIN crawls AS k"
    " USING (crawl_id) WHERE r.clinic_id = ? AND coalesce(k.kind, 'crawl') = 'crawl' AND r.status <> 'running' AND"
    " r.started_at <= ? ORDER BY r.started_at DESC LIMIT 2"
)


def queue_order(connection: sqlite3.Connection, clinic_id: str, now: datetime) -> tuple[str, str]:
    """When the clinic's last visit that ran to its end was over, and when its last one began; "" where there is none.
    Who has the least of it comes first: texts, in the order of time.

    A visit that was cut short leaves the clinic its turn, once: one that never ends within a run's time limit would
    else take the place of others for ever. Raises `sqlite3.Error`.
    """
    visits = connection.execute(_LAST_TWO, (clinic_id, utc(now))).fetchall()
    begun = str(visits[0][1]) if visits else ""
    if [status for status, *_ in visits] == ["cut-short", "cut-short"]:
        return str(visits[0][2]), begun
    return next((str(ended) for status, _, ended in visits if status != "cut-short"), ""), begun
