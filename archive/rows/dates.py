"""The day on which a post appeared, as the clinic's own calendar has it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlite_utils import Database


def date_at(published_at: str | None, timezone: str | None) -> str | None:
    """The date on the clinic's wall: "2024-12-14T01:00:00Z" is 2024-12-13 in New York.

    A bare date is itself; None without a known zone, or for what is no date.
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


def date_posts(db: Database, clinic_id: str) -> None:
    """The clinic's time zone became known, or another: the dates of all its posts follow."""
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
