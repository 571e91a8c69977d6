"""How a moment is written: one function for each format, all in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

# The name of a backup's snapshot: "20261123T152050.000123Z".
_SNAPSHOT = "%Y%m%dT%H%M%S.%fZ"


def utc(at: datetime) -> str:
    """Return a moment as rows and WARC records hold it: "2026-11-23T15:20:50.000123Z".

    This is W3C-DTF (WARC 1.1, 5.4), always with six digits of a second. A datetime without a zone is local time.
    """
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def utc_seconds(at: datetime) -> str:
    """Return a moment for people to read, without fractions of a second: "2026-11-23T15:20:50Z"."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def file_stamp(at: datetime) -> str:
    """Return a moment as part of a file name, to the second: "20261123152050"."""
    return at.astimezone(UTC).strftime("%Y%m%d%H%M%S")


def snapshot_name(at: datetime) -> str:
    """Return the name of a snapshot that was begun at this moment: "20261123T152050.000123Z"."""
    return at.astimezone(UTC).strftime(_SNAPSHOT)


def snapshot_time(name: str) -> datetime:
    """Return the moment that a `snapshot_name` stands for. Raises ValueError for any other text."""
    return datetime.strptime(name, _SNAPSHOT).replace(tzinfo=UTC)


def in_utc(at: datetime) -> datetime:
    """Return the same moment in UTC. Raises ValueError for a datetime without a time zone."""
    if at.tzinfo is None:
        raise ValueError(f"a date without a time zone: {at}")
    return at.astimezone(UTC)
