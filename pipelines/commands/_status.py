"""What `clinic-archive status` prints of one archive or several: a table and facts, or one JSON object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from archive.backup.published import Takedown
from archive.reports.judgement import judgement
from archive.reports.shards import ShardSeen
from archive.reports.status import ClinicStatus, Status
from archive.reports.status_words import age, facts
from pipelines.commands._table import table

HEADER = ("clinic", "standing", "observed", "last visit", "how", "unread", "waiting", "failed", "problems", "doubtful")
NUMBERS = ("observed", "unread", "waiting", "failed", "problems", "doubtful")


@dataclass(frozen=True, slots=True)
class ArchiveReport:
    """An archive, its status, the takedowns that its published copy does not obey yet, and shards without a worker."""

    archive: Path
    status: Status
    overdue: Sequence[Takedown]
    lost: Sequence[ShardSeen]


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The archives that could be read, and each clinic once, with the place of its archive among them."""

    archives: Sequence[ArchiveReport]
    clinics: Sequence[tuple[ClinicStatus, int]]
    max_age: float
    several: bool  # whether more than one archive was named

    @property
    def stale_first(self) -> list[tuple[ClinicStatus, int]]:
        """The clinics, the stale ones first."""
        return sorted(self.clinics, key=lambda pair: not pair[0].is_stale(self.max_age))


def summary(report: StatusReport) -> dict[str, Any]:
    """Return the JSON object: of one archive with its facts, of several with those of each under `archives`."""
    clinics = {}
    for clinic, place in report.clinics:
        where = {"archive": str(report.archives[place].archive)} if report.several else {}
        clinics[clinic.clinic_id] = {**_as_json(clinic, report.max_age), **where}
    stale = [clinic.clinic_id for clinic, _ in report.clinics if clinic.is_stale(report.max_age)]
    found = {"max_age_seconds": report.max_age, "clinics": clinics, "stale": stale}
    if report.several:
        return {"archives": {str(entry.archive): _facts(entry) for entry in report.archives}, **found}
    return {"archive": str(report.archives[0].archive), **found, **_facts(report.archives[0])}


def _facts(entry: ArchiveReport) -> dict[str, Any]:
    status = entry.status
    return {
        "at": status.at,
        "held": status.held,
        "running": [visit._asdict() for visit in status.running],
        "disk": {**asdict(status.disk), "is_short": status.disk.is_short},
        "overdue_takedowns": [takedown.takedown_id for takedown in entry.overdue],
        "lost_shards": [shard.shard for shard in entry.lost],
        "verified": status.verified if isinstance(status.verified, str | None) else asdict(status.verified),
    }


def _as_json(clinic: ClinicStatus, max_age: float) -> dict[str, Any]:
    values = {name: value for name, value in asdict(clinic).items() if name not in ("clinic_id", "age", "awaited")}
    seconds = None if clinic.age is None else round(clinic.age)
    return {**values, "age_seconds": seconds, "standing": clinic.state(max_age)}


def report_lines(report: StatusReport) -> Iterator[str]:
    """Yield a row a clinic, the judgement of all, then a line a fact about each archive."""
    rows = [
        (*_row(clinic, report.max_age), *([str(report.archives[place].archive)] if report.several else []))
        for clinic, place in report.stale_first
    ]
    if rows:
        yield f"{table((*HEADER, *(['archive'] if report.several else [])), rows, numbers=NUMBERS)}\n"
    yield f"{judgement([clinic for clinic, _ in report.clinics], report.max_age).words}.\n"
    for entry in report.archives:
        if report.several:
            yield f"{entry.archive}:"
        for name, line in facts(entry.status):
            yield f"{name:<10}{line}"


def how_ended(clinic: ClinicStatus) -> str:
    """How the last visit ended: "done (limited)"; "-" where there was none."""
    return f"{clinic.status or '-'}{' (limited)' if clinic.limited else ''}"


def _row(clinic: ClinicStatus, max_age: float) -> tuple[str, ...]:
    return (
        clinic.clinic_id,
        clinic.state(max_age),
        "never" if clinic.age is None else f"{age(clinic.age)} ago",
        (clinic.visited_at or "-")[:16].replace("T", " "),
        how_ended(clinic),
        *map(_number, (clinic.unread, clinic.waiting, clinic.failed, clinic.problems, clinic.doubtful)),
    )


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
