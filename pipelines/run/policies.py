"""The policies of stanzas, compared with those that the rows of an archive were made under."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlite_utils import Database

from archive.times import utc
from pipelines.events import PolicySet
from pipelines.privacy.policy import Policy
from scraper.config.clinics import Clinic


def stored_policy(db: Database, clinic_id: str) -> Policy | None:
    """Return the policy of the stanza that was recorded last; None for a clinic that the archive does not know."""
    row = db.execute("SELECT comments_policy, privacy FROM clinics WHERE clinic_id = ?", [clinic_id]).fetchone()
    return Policy.of({"comments": row[0], "privacy": row[1]}) if row else None


def stricter(db: Database, clinics: Iterable[Clinic]) -> list[PolicySet]:
    """Return an event for each clinic whose stanza is stricter than the one that was recorded last."""
    found = []
    for clinic in clinics:
        before, policy = stored_policy(db, clinic.slug), Policy.of(clinic.as_stanza())
        if before is not None and policy.is_stricter_than(before):
            found.append(PolicySet(clinic.slug, policy, moment(db, clinic.slug)))
    return found


def moment(db: Database, clinic_id: str) -> str:
    """Return the present time, or where the clock went back, a moment after the start of the clinic's last run."""
    find = "SELECT max(started_at) FROM clinic_runs WHERE clinic_id = ?"
    (last,) = db.execute(find, [clinic_id]).fetchone()
    after = datetime.fromisoformat(last) + timedelta(microseconds=1) if last else datetime.min.replace(tzinfo=UTC)
    return utc(max(datetime.now(UTC), after))
