"""How the clinics stand, read once for every page that says so: their states, and one judgement of all."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

from datasette.app import Datasette  # type: ignore[import-untyped]

from archive.reports.judgement import Judgement, at, judgement
from archive.reports.status import DEFAULT_AGE, ClinicStatus, clinics
from archive.site.serving import read_cached


async def _cached(datasette: Datasette, now: datetime) -> dict[str, ClinicStatus]:
    def read(connection: sqlite3.Connection) -> dict[str, ClinicStatus]:
        return {clinic.clinic_id: clinic for clinic in clinics(connection, now)}

    # A clinic closes at midnight.
    found, _ = await read_cached(datasette, ("clinics", now.date()), read)
    statuses: dict[str, ClinicStatus] = found
    return statuses


async def clinic_statuses(datasette: Datasette) -> dict[str, ClinicStatus]:
    """Return the status of every clinic as it is now, by its id. Raises `DatasetteError` (503)."""
    now = datetime.now(UTC)
    found = await _cached(datasette, now)
    return {clinic.clinic_id: clinic for clinic in at(list(found.values()), now)}


async def clinic_state(datasette: Datasette, clinic_id: str) -> str:
    """Return the state of one clinic as it is now. Raises `DatasetteError` (503)."""
    now = datetime.now(UTC)
    found = (await _cached(datasette, now)).get(clinic_id)
    return state(at([found], now)[0] if found else None)


def judged(statuses: dict[str, ClinicStatus]) -> Judgement:
    """Judge the archive by its clinics."""
    return judgement(list(statuses.values()), DEFAULT_AGE)


def state(status: ClinicStatus | None) -> str:
    """Return a clinic's state (`archive.reports.status.CLINIC_STATES`); "not visited" for one without a status."""
    return status.state(DEFAULT_AGE) if status else "not visited"
