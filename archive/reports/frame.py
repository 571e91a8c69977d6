"""Several archives of one sampling frame, such as its shards, reported as one."""

from __future__ import annotations

from collections.abc import Sequence

from archive.reports.status import ClinicStatus, Status


def stand(statuses: Sequence[Status]) -> list[tuple[ClinicStatus, int]]:
    """Return every clinic once, by its id, with the place among `statuses` of the archive that it stands in.

    A clinic of several archives has moved from one to another: it stands as where it was observed last, else where it
    was visited last.
    """
    newest: dict[str, tuple[ClinicStatus, int]] = {}
    for place, status in enumerate(statuses):
        for clinic in status.clinics:
            other = newest.get(clinic.clinic_id)
            if other is None or _last(clinic) > _last(other[0]):
                newest[clinic.clinic_id] = (clinic, place)
    return [newest[clinic_id] for clinic_id in sorted(newest)]


def _last(clinic: ClinicStatus) -> tuple[str, str]:
    return clinic.observed_at or "", clinic.visited_at or ""


def asleep(clinics: Sequence[tuple[ClinicStatus, int]], max_age: float) -> set[int]:
    """Return the places of archives whose clinics are all stale, of more than one: their machine seems to be gone."""
    stale: dict[int, list[bool]] = {}
    for clinic, place in clinics:
        if clinic.expected or clinic.is_stale(max_age):
            stale.setdefault(place, []).append(clinic.is_stale(max_age))
    return {place for place, found in stale.items() if len(found) > 1 and all(found)}
