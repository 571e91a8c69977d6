"""The day on which a post was published, by the calendar in the clinic's time zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlite_utils import Database


def date_at(published_at: str | None, timezone: str | None) -> str | None:
    """Return the date in the clinic's time zone: "2024-12-14T01:00:00Z" is 2024-12-13 in New York.

    A bare date is returned as it is. None where the zone is not known, or the text is no date.
    """
    if published_at is None or len(published_at) == len("2019-02-01"):
        return published_at
    try:
        moment = datetime.fromisoformat(published_at)
        # A zone named by a page may be anything: "", "America" (a folder of the zone database), "../x", the year 0.
        zone = ZoneInfo(timezone) if timezone else None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(zone).date().isoformat() if zone else None
    except (ValueError, KeyError, OverflowError, OSError):
        return None


def date_in(published_raw: str | None, published_at: str | None) -> str | None:
    """Return the date of a time as a page prints it with its offset from UTC: "2025-05-06T17:40:00-04:00".

    None for an offset of zero: many programs write every time in UTC, and it is not the clinic's date then. None, too,
    where the printed time is not the moment `published_at`.
    """
    try:
        printed = datetime.fromisoformat(published_raw or "")
        moment = datetime.fromisoformat(published_at or "")
    except ValueError:
        return None
    is_local = bool(printed.utcoffset()) and moment.tzinfo is not None
    return printed.date().isoformat() if is_local and printed.replace(microsecond=0) == moment else None


def date_posts(db: Database, clinic_id: str) -> None:
    """Compute the dates of all posts of a clinic again, after its time zone became known or changed."""
    (timezone,) = db.conn.execute("SELECT timezone FROM clinics WHERE clinic_id = ?", (clinic_id,)).fetchone()
    db.conn.executemany(
        "UPDATE posts SET published_on = ? WHERE post_id = ?",
        [
            (date_at(published_at, timezone), post_id)
            for post_id, published_at in db.conn.execute(
                "SELECT post_id, published_at FROM posts WHERE clinic_id = ? AND published_at IS NOT NULL", (clinic_id,)
            ).fetchall()
        ],
    )
