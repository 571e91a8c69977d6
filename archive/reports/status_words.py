"""The status of an archive in words: lines for people, of `archive.reports.status.Status`."""

from __future__ import annotations

from archive.reports.disk import WINDOW, Disk
from archive.reports.integrity import Verified
from archive.reports.status import Status


def facts(status: Status) -> list[tuple[str, str]]:
    """Return what the status says about the archive as a whole: pairs of a name and a line."""
    return [
        ("run", runs_in_words(status)),
        ("database", _database(status.disk)),
        ("captures", _captures(status.disk)),
        ("disk", free_in_words(status.disk)),
        ("verified", verified_in_words(status.verified)),
    ]


def runs_in_words(status: Status) -> str:
    """Say whether a run is in progress, and which visits have not ended."""
    names = ", ".join(f"{visit.clinic_id} since {_minute(visit.started_at)}" for visit in status.running)
    if status.held:
        return f"running: {names}" if names else "a command is using the archive"
    if not names:
        return "not running"
    state = "running, or killed" if status.held is None else "killed; the next run repairs the archive"
    return f"{state}: {names}"


def _database(disk: Disk) -> str:
    line = size(disk.database)
    if disk.wal:
        line += f", and {size(disk.wal)} in the write-ahead log"
    if disk.database_a_day is not None:
        line += f"; {size(disk.database_a_day)} a day (estimated as size divided by age)"
    return line


def _captures(disk: Disk) -> str:
    line = f"{size(disk.captures)} in {disk.files:,} files"
    if disk.captures_a_day is not None and disk.files:
        line += (
            f"; {size(disk.captures_in_window)} of it from the last {WINDOW} days, {size(disk.captures_a_day)} a day"
        )
    return line


def free_in_words(disk: Disk) -> str:
    """Say how much of the disk is free, and for how long that is enough."""
    line = f"{size(disk.free)} of {size(disk.total)} free"
    if disk.days_left is not None:
        days = "ten years or more" if disk.days_left > 3650 else f"about {disk.days_left:,.0f} days"
        line += f", enough for {days} (estimated)"
    return line


def verified_in_words(result: Verified | str | None) -> str:
    """Say when the archive was last verified, and with what result."""
    if not isinstance(result, Verified):
        return result or "never; run clinic-archive verify"
    faults = f"{result.faults:,} fault{'' if result.faults == 1 else 's'}" if result.faults else "no faults"
    captures = f"{result.captures:,} captures" if result.whole else f"a sample of {result.captures:,} captures"
    return f"{_minute(result.at)}, {captures}: {faults}"


def _minute(at: str) -> str:
    """Shorten "2026-03-01T09:30:00Z" to "2026-03-01 09:30"."""
    return at[:16].replace("T", " ")


def age(seconds: float | None) -> str:
    """Return a duration as "50 min", "7 h" or "12 d"; "never" for None."""
    if seconds is None:
        return "never"
    minutes = max(seconds, 0) / 60
    if minutes < 90:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 2880 else f"{minutes / 1440:.0f} d"


def size(number: float) -> str:
    """Return a number of bytes as "12 kB", "3.4 MB" or "1.25 GB"."""
    for unit, digits, factor in (("GB", 2, 1e9), ("MB", 1, 1e6)):
        if number >= factor:
            return f"{number / factor:,.{digits}f} {unit}"
    return f"{number / 1e3:,.0f} kB"
